// The mean or the largest of each pixel's channels. One thread a pixel.

// What is stored, in the variant for GPUs that have it f16.
alias real = f32;

struct Params {
    // Of all images.
    pixels: u32,
    // Values from pixel to pixel, and the channels among them.
    pitch: u32,
    channels: u32,
    maximum: u32,
}

@group(0) @binding(0) var<storage, read> x: array<real>;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<real>>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let pixel = (group.x + group.y * groups.x) * 64u + lane;
    if pixel >= params.pixels {
        return;
    }
    let first = pixel * params.pitch;
    var sum = 0.0;
    var largest = f32(x[first]);
    for (var i = 0u; i < params.channels; i++) {
        let value = f32(x[first + i]);
        sum += value;
        largest = select(value, largest, value < largest);
    }
    let value = select(sum / f32(params.channels), largest, params.maximum == 1u);
    out[pixel] = vec4<real>(real(value), real(), real(), real());
}
