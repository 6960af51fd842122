// Channels become places and places channels. One thread a value of the output.

// What is stored, in the variant for GPUs that have it f16.
alias real = f32;

struct Params {
    // Values of the output in all.
    count: u32,
    // Pixels and channels of an image before.
    area: u32,
    channels: u32,
    // Values from pixel to pixel.
    from_pitch: u32,
    to_pitch: u32,
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
    if place >= params.count {
        return;
    }
    let pixel = place % params.to_pitch;
    let channel = place / params.to_pitch % params.channels;
    let image = place / params.to_pitch / params.channels;
    var value = real();
    if pixel < params.area {
        value = x[(image * params.area + pixel) * params.from_pitch + channel];
    }
    out[place] = value;
}
