// The sum of up to four streams, each scaled channel by channel. One thread four channels of a pixel.

// What is stored, in the variant for GPUs that have it f16.
alias real = f32;

struct Params {
    // vec4s in all, of an image, and of a pixel.
    count: u32,
    size: u32,
    channels: u32,
    streams: u32,
    // vec4s from one stream's scales to the next's.
    step: u32,
    // 1 where `out` has a sum already.
    accumulate: u32,
}

@group(0) @binding(0) var<storage, read> a: array<vec4<real>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<real>>;
@group(0) @binding(2) var<storage, read> c: array<vec4<real>>;
@group(0) @binding(3) var<storage, read> d: array<vec4<real>>;
@group(0) @binding(4) var<storage, read> scales: array<vec4<real>>;
@group(0) @binding(5) var<storage, read_write> out: array<vec4<real>>;
@group(0) @binding(6) var<uniform> params: Params;

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
    let scale = place / params.size * params.streams * params.step + place % params.channels;
    var sum = vec4<f32>(a[place]) * vec4<f32>(scales[scale]);
    if params.streams > 1u {
        sum = fma(vec4<f32>(b[place]), vec4<f32>(scales[scale + params.step]), sum);
    }
    if params.streams > 2u {
        sum = fma(vec4<f32>(c[place]), vec4<f32>(scales[scale + 2u * params.step]), sum);
    }
    if params.streams > 3u {
        sum = fma(vec4<f32>(d[place]), vec4<f32>(scales[scale + 3u * params.step]), sum);
    }
    if params.accumulate == 1u {
        sum += vec4<f32>(out[place]);
    }
    out[place] = vec4<real>(sum);
}
