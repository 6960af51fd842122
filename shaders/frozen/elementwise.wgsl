// One or two maps combined value by value, then scaled and shifted channel by channel, then activated. One thread four
// channels of a pixel.

// What is stored, in the variant for GPUs that have it f16.
alias real = f32;

struct Params {
    // vec4s in all, of an image, and of a pixel.
    count: u32,
    size: u32,
    channels: u32,
    // 0 the first alone, 1 the sum, 2 the product, 3 the second is a pixel that scales the channels, 4 the first without the
    // second, 5 the second has one channel, which scales each pixel, 6 and 7 sum and product with what is the same for every
    // image.
    combine: u32,
    activation: u32,
}

@group(0) @binding(0) var<storage, read> a: array<vec4<real>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<real>>;
// Scale, shift, slopes.
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
    if place >= params.count {
        return;
    }
    let channel = place % params.channels;
    var value = vec4<f32>(a[place]);
    switch params.combine {
        case 1u: {
            value += vec4<f32>(b[place]);
        }
        case 2u: {
            value *= vec4<f32>(b[place]);
        }
        case 3u: {
            value *= vec4<f32>(b[place / params.size * params.channels + channel]);
        }
        case 4u: {
            value -= vec4<f32>(b[place]);
        }
        case 5u: {
            value *= f32(b[place / params.channels].x);
        }
        case 6u: {
            value += vec4<f32>(b[place % params.size]);
        }
        case 7u: {
            value *= vec4<f32>(b[place % params.size]);
        }
        default: {}
    }
    value = value * tail[channel] + tail[params.channels + channel];
    out[place] = vec4<real>(finish(value, params.activation, tail[2u * params.channels + channel]));
}
