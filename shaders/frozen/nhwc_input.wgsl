// Images [n, channels, h, w] to the map [n, h, w, pitch]. One thread four channels of a pixel.

// What is stored, in the variant for GPUs that have it f16.
alias real = f32;

struct Params {
    // Pixels of all images, and of one.
    pixels: u32,
    area: u32,
    channels: u32,
    // vec4s of a pixel.
    pitch: u32,
}

@group(0) @binding(0) var<storage, read> images: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<real>>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let place = (group.x + group.y * groups.x) * 64u + lane;
    if place >= params.pixels * params.pitch {
        return;
    }
    let pixel = place / params.pitch;
    let first = place % params.pitch * 4u;
    let image = pixel / params.area;
    var value = vec4<f32>();
    for (var i = 0u; i < min(4u, params.channels - first); i++) {
        value[i] = images[(image * params.channels + first + i) * params.area + pixel % params.area];
    }
    out[place] = vec4<real>(value);
}
