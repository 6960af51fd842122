// A map in another size, each pixel between four of the old ones. One thread four channels of a pixel.

// What is stored, in the variant for GPUs that have it f16.
alias real = f32;

struct Params {
    // Of all images.
    pixels: u32,
    height: u32,
    width: u32,
    out_height: u32,
    out_width: u32,
    // vec4s of a pixel.
    channels: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<real>>;
// For each row of the output the two rows that it lies between and the share of the second, in bits; then the columns.
@group(0) @binding(1) var<storage, read> places: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4<real>>;
@group(0) @binding(3) var<uniform> params: Params;

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
    let y = row % params.out_height * 3u;
    let x_ = (params.out_height + pixel % params.out_width) * 3u;
    let top = (row / params.out_height * params.height + places[y]) * params.width;
    let bottom = (row / params.out_height * params.height + places[y + 1u]) * params.width;
    let left = places[x_];
    let right = places[x_ + 1u];
    let across = vec4(bitcast<f32>(places[x_ + 2u]));
    let above = mix(
        vec4<f32>(x[(top + left) * params.channels + channel]),
        vec4<f32>(x[(top + right) * params.channels + channel]),
        across,
    );
    let below = mix(
        vec4<f32>(x[(bottom + left) * params.channels + channel]),
        vec4<f32>(x[(bottom + right) * params.channels + channel]),
        across,
    );
    out[place] = vec4<real>(mix(above, below, vec4(bitcast<f32>(places[y + 2u]))));
}
