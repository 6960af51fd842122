// The channels of each pixel in the order of a list. One thread a value.

// What is stored, in the variant for GPUs that have it f16.
alias real = f32;

struct Params {
    // Of all images.
    pixels: u32,
    channels: u32,
    // Values from pixel to pixel.
    from_pitch: u32,
    to_pitch: u32,
}

@group(0) @binding(0) var<storage, read> x: array<real>;
@group(0) @binding(1) var<storage, read> channels: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<real>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let place = (group.x + group.y * groups.x) * 64u + lane;
    if place >= params.pixels * params.to_pitch {
        return;
    }
    let channel = place % params.to_pitch;
    var value = real();
    if channel < params.channels {
        value = x[place / params.to_pitch * params.from_pitch + channels[channel]];
    }
    out[place] = value;
}
