// Some channels of a map to a place among the channels of another, whose padding may follow as zeros. One thread a value,
// as neither place need be a whole vec4.

// What is stored, in the variant for GPUs that have it f16.
alias real = f32;

struct Params {
    // Of all images.
    pixels: u32,
    channels: u32,
    // Zeros after them.
    zeros: u32,
    // Values from pixel to pixel, and the first of the channels.
    from_pitch: u32,
    from_first: u32,
    to_pitch: u32,
    to_first: u32,
}

@group(0) @binding(0) var<storage, read> x: array<real>;
@group(0) @binding(1) var<storage, read_write> out: array<real>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let place = (group.x + group.y * groups.x) * 64u + lane;
    let width = params.channels + params.zeros;
    if place >= params.pixels * width {
        return;
    }
    let pixel = place / width;
    let channel = place % width;
    var value = real();
    if channel < params.channels {
        value = x[pixel * params.from_pitch + params.from_first + channel];
    }
    out[pixel * params.to_pitch + params.to_first + channel] = value;
}
