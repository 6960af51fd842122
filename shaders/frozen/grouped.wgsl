// Convolution in groups of channels, with bias, a residual and an activation. A thread four outputs of some pixels: it sums over
// the span of inputs that the groups of its outputs see, where what another of them sees has no weight. Value by value, as a
// group need not be whole vec4s.

// What is stored, in the variant for GPUs that have it f16.
alias real = f32;

// Of a thread, 64 apart.
const PIXELS = 2u;

struct Params {
    height: u32,
    width: u32,
    // Values of a pixel of the input, and the channels among them.
    pitch: u32,
    channels: u32,
    out_height: u32,
    out_width: u32,
    // vec4s of a pixel of the output.
    outputs: u32,
    kernel_height: u32,
    kernel_width: u32,
    stride_y: u32,
    stride_x: u32,
    padding_y: u32,
    padding_x: u32,
    dilation_y: u32,
    dilation_x: u32,
    // Of the outputs of all images.
    pixels: u32,
    // Of a group.
    group_inputs: u32,
    group_outputs: u32,
    span: u32,
    residual: u32,
    activation: u32,
}

@group(0) @binding(0) var<storage, read> x: array<real>;
// [outputs, kh · kw, span]
@group(0) @binding(1) var<storage, read> weights: array<vec4<real>>;
// Bias, then what the activation takes.
@group(0) @binding(2) var<storage, read> tail: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> residual: array<vec4<real>>;
@group(0) @binding(4) var<storage, read_write> out: array<vec4<real>>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group_id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let group = group_id.x + group_id.y * groups.x;
    let output = group % params.outputs;
    let first_pixel = group / params.outputs * (64u * PIXELS) + lane;
    let first = min(output * 4u / params.group_outputs * params.group_inputs, params.channels - params.span);
    var image: array<u32, PIXELS>;
    var top: array<u32, PIXELS>;
    var left: array<u32, PIXELS>;
    var sums: array<vec4<f32>, PIXELS>;
    for (var p = 0u; p < PIXELS; p++) { // unroll
        let pixel = min(first_pixel + p * 64u, params.pixels - 1u);
        let row = pixel / params.out_width;
        image[p] = row / params.out_height * (params.height * params.width);
        // Above and to the left of the map these wrap around and are larger than any place in it.
        top[p] = row % params.out_height * params.stride_y - params.padding_y;
        left[p] = pixel % params.out_width * params.stride_x - params.padding_x;
        sums[p] = tail[output];
    }
    var weight = output * params.kernel_height * params.kernel_width * params.span;
    for (var ky = 0u; ky < params.kernel_height; ky++) {
        for (var kx = 0u; kx < params.kernel_width; kx++) {
            var place: array<u32, PIXELS>;
            var inside: array<bool, PIXELS>;
            for (var p = 0u; p < PIXELS; p++) { // unroll
                let y = top[p] + ky * params.dilation_y;
                let x_ = left[p] + kx * params.dilation_x;
                inside[p] = y < params.height && x_ < params.width;
                place[p] = select(0u, (image[p] + y * params.width + x_) * params.pitch, inside[p]) + first;
            }
            for (var i = 0u; i < params.span; i++) {
                let factor = vec4<f32>(weights[weight]);
                weight++;
                for (var p = 0u; p < PIXELS; p++) { // unroll
                    let value = select(0.0, f32(x[place[p] + i]), inside[p]);
                    sums[p] = fma(vec4(value), factor, sums[p]);
                }
            }
        }
    }
    for (var p = 0u; p < PIXELS; p++) { // unroll
        let pixel = first_pixel + p * 64u;
        if pixel < params.pixels {
            let to = pixel * params.outputs + output;
            var value = sums[p];
            if params.residual == 1u {
                value += vec4<f32>(residual[to]);
            }
            out[to] = vec4<real>(finish(value, params.activation, tail[params.outputs + output]));
        }
    }
}
