// Max and average pooling over windows, as PyTorch has them: padding never is the largest, and counts as zeros in a mean, or
// not at all. One thread four channels of a pixel.

// What is stored, in the variant for GPUs that have it f16.
alias real = f32;

struct Params {
    height: u32,
    width: u32,
    out_height: u32,
    out_width: u32,
    // vec4s of a pixel.
    channels: u32,
    kernel_height: u32,
    kernel_width: u32,
    stride_y: u32,
    stride_x: u32,
    padding_y: u32,
    padding_x: u32,
    // Below the map and on its right.
    padding_bottom: u32,
    padding_right: u32,
    // Of the outputs of all images.
    pixels: u32,
    maximum: u32,
    // 1 where the padding counts in a mean.
    count_padding: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<real>>;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<real>>;
@group(0) @binding(2) var<uniform> params: Params;

const LOWEST = -0x1.fffffep+127f;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let place = (group.x + group.y * groups.x) * 64u + lane;
    if place >= params.pixels * params.channels {
        return;
    }
    let channel = place % params.channels;
    let pixel = place / params.channels;
    let row = pixel / params.out_width;
    let image = row / params.out_height * (params.height * params.width);
    // Places in the map with its padding.
    let top = row % params.out_height * params.stride_y;
    let left = pixel % params.out_width * params.stride_x;
    let rows = min(params.kernel_height, params.height + params.padding_y + params.padding_bottom - top);
    let columns = min(params.kernel_width, params.width + params.padding_x + params.padding_right - left);
    var largest = vec4(LOWEST);
    var sum = vec4<f32>();
    var count = select(0u, rows * columns, params.count_padding == 1u);
    for (var ky = 0u; ky < rows; ky++) {
        let y = top + ky - params.padding_y;
        for (var kx = 0u; kx < columns; kx++) {
            let x_ = left + kx - params.padding_x;
            if y < params.height && x_ < params.width {
                let value = vec4<f32>(x[(image + y * params.width + x_) * params.channels + channel]);
                largest = select(value, largest, value < largest);
                sum += value;
                count += 1u - params.count_padding;
            }
        }
    }
    // With `ceil`, what a last window has beyond the padding is no part of it.
    out[place] = vec4<real>(select(sum / f32(count), largest, params.maximum == 1u));
}
