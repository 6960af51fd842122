// What a convolution over all channels binds, and how it ends for four outputs of a pixel.

struct Params {
    height: u32,
    width: u32,
    // vec4s of a pixel of the input.
    inputs: u32,
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
    // Of the outputs of all images.
    pixels: u32,
    // Workgroups that share their pixels.
    output_groups: u32,
    residual: u32,
    activation: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<real>>;
// [outputs / BLOCK, kh · kw · inputs · 4, BLOCK]
@group(0) @binding(1) var<storage, read> weights: array<vec4<real>>;
// Bias, then slopes.
@group(0) @binding(2) var<storage, read> tail: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> residual: array<vec4<real>>;
@group(0) @binding(4) var<storage, read_write> out: array<vec4<real>>;
@group(0) @binding(5) var<uniform> params: Params;

// Those that are beyond the last are not there.
fn store(pixel: u32, output: u32, sum: vec4<f32>) {
    if pixel < params.pixels && output < params.outputs {
        let place = pixel * params.outputs + output;
        var value = sum;
        if params.residual == 1u {
            value += vec4<f32>(residual[place]);
        }
        out[place] = vec4<real>(finish(value, params.activation, tail[params.outputs + output]));
    }
}
