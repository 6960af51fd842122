// Depthwise convolution: each channel with a kernel of its own, bias and activation. One thread four channels of a pixel.

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
    // Pixels from one place of the kernel to the next.
    dilation_y: u32,
    dilation_x: u32,
    // Of the outputs of all images.
    pixels: u32,
    activation: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<real>>;
// [kh · kw, channels]
@group(0) @binding(1) var<storage, read> weights: array<vec4<f32>>;
// Bias, then slopes.
@group(0) @binding(2) var<storage, read> tail: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4<real>>;
@group(0) @binding(4) var<uniform> params: Params;

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
    // Above and to the left of the map these wrap around and are larger than any place in it.
    let top = row % params.out_height * params.stride_y - params.padding_y;
    let left = pixel % params.out_width * params.stride_x - params.padding_x;
    var sum = tail[channel];
    for (var ky = 0u; ky < params.kernel_height; ky++) {
        let y = top + ky * params.dilation_y;
        if y >= params.height {
            continue;
        }
        for (var kx = 0u; kx < params.kernel_width; kx++) {
            let x_ = left + kx * params.dilation_x;
            if x_ < params.width {
                let value = vec4<f32>(x[(image + y * params.width + x_) * params.channels + channel]);
                sum = fma(value, weights[(ky * params.kernel_width + kx) * params.channels + channel], sum);
            }
        }
    }
    out[place] = vec4<real>(finish(sum, params.activation, tail[params.channels + channel]));
}
