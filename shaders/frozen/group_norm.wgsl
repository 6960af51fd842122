// Instance, group and layer norm: each image's runs of channels to mean 0 and variance 1, or to length 1, then scaled, shifted
// and activated. For layer norm a pixel counts as an image.
// One workgroup a run of an image, value by value, as a run need not be whole vec4s.

// What is stored, in the variant for GPUs that have it f16.
alias real = f32;

struct Params {
    images: u32,
    area: u32,
    // Values from pixel to pixel, and the channels among them.
    pitch: u32,
    channels: u32,
    groups: u32,
    epsilon: f32,
    // 1 to length 1.
    unit: u32,
    activation: u32,
}

@group(0) @binding(0) var<storage, read> x: array<real>;
// Scale, shift, slopes, each as long as a pixel.
@group(0) @binding(1) var<storage, read> tail: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<real>;
@group(0) @binding(3) var<uniform> params: Params;

var<workgroup> partial: array<f32, 64>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group_id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let group = group_id.x + group_id.y * groups.x;
    let image = group / params.groups;
    if image >= params.images {
        return;
    }
    let length = params.channels / params.groups;
    let first_channel = group % params.groups * length;
    let first = image * params.area * params.pitch + first_channel;
    let count = params.area * length;

    var mean = 0.0;
    var sum = 0.0;
    if params.unit == 0u {
        for (var i = lane; i < count; i += 64u) {
            sum += f32(x[first + i / length * params.pitch + i % length]);
        }
        partial[lane] = sum;
        for (var half = 32u; half > 0u; half >>= 1u) {
            workgroupBarrier();
            if lane < half {
                partial[lane] += partial[lane + half];
            }
        }
        workgroupBarrier();
        mean = partial[0] / f32(count);
        workgroupBarrier();
    }

    sum = 0.0;
    for (var i = lane; i < count; i += 64u) {
        let apart = f32(x[first + i / length * params.pitch + i % length]) - mean;
        sum += apart * apart;
    }
    partial[lane] = sum;
    for (var half = 32u; half > 0u; half >>= 1u) {
        workgroupBarrier();
        if lane < half {
            partial[lane] += partial[lane + half];
        }
    }
    workgroupBarrier();
    var deviation = sqrt(partial[0] / f32(count) + params.epsilon);
    if params.unit == 1u {
        deviation = max(sqrt(partial[0]), params.epsilon);
    }
    let scale = 1.0 / deviation;

    for (var i = lane; i < count; i += 64u) {
        let channel = first_channel + i % length;
        let place = first + i / length * params.pitch + i % length;
        let value = (f32(x[place]) - mean) * scale * tail[channel] + tail[params.pitch + channel];
        let first_of_four = 2u * params.pitch + channel / 4u * 4u;
        let p = vec4(tail[first_of_four], tail[first_of_four + 1u], tail[first_of_four + 2u], tail[first_of_four + 3u]);
        out[place] = real(finish(vec4(value), params.activation, p)[channel % 4u]);
    }
    // The last run has the padding behind it.
    let zeros = params.pitch - params.channels;
    if first_channel + length == params.channels {
        for (var i = lane; i < params.area * zeros; i += 64u) {
            out[image * params.area * params.pitch + i / zeros * params.pitch + params.channels + i % zeros] = real();
        }
    }
}
