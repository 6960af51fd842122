// The scales of an aggregation gate: of each of up to four streams the mean of every channel, and what two small layers
// make of it, σ(fc2 · ReLU(fc1 · mean + bias1) + bias2). One workgroup a stream of an image.

// What is stored, in the variant for GPUs that have it f16.
alias real = f32;

struct Params {
    images: u32,
    streams: u32,
    area: u32,
    // vec4s of a pixel and of the hidden layer.
    channels: u32,
    hidden: u32,
    // Threads side by side that take a pixel of the mean: a power of two.
    lanes: u32,
}

@group(0) @binding(0) var<storage, read> a: array<vec4<real>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<real>>;
@group(0) @binding(2) var<storage, read> c: array<vec4<real>>;
@group(0) @binding(3) var<storage, read> d: array<vec4<real>>;
// fc1 [hidden, channels · 4], bias1, fc2 [channels, hidden · 4], bias2.
@group(0) @binding(4) var<storage, read> weights: array<vec4<f32>>;
// [images, streams, channels + hidden]: the scales, and the hidden layer on the way.
@group(0) @binding(5) var<storage, read_write> out: array<vec4<real>>;
@group(0) @binding(6) var<uniform> params: Params;

var<workgroup> partial: array<vec4<f32>, 64>;

fn value_of(stream: u32, place: u32) -> vec4<f32> {
    switch stream {
        case 0u: {
            return vec4<f32>(a[place]);
        }
        case 1u: {
            return vec4<f32>(b[place]);
        }
        case 2u: {
            return vec4<f32>(c[place]);
        }
        default: {
            return vec4<f32>(d[place]);
        }
    }
}

// One vec4 of what a layer makes of `length` vec4s of `out`.
fn layer(weight: u32, bias: u32, first: u32, length: u32) -> vec4<f32> {
    var sum = weights[bias];
    for (var i = 0u; i < length; i++) {
        let value = vec4<f32>(out[first + i]);
        let row = weight + i * 4u;
        sum = fma(vec4(value.x), weights[row], sum);
        sum = fma(vec4(value.y), weights[row + 1u], sum);
        sum = fma(vec4(value.z), weights[row + 2u], sum);
        sum = fma(vec4(value.w), weights[row + 3u], sum);
    }
    return sum;
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group_id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let group = group_id.x + group_id.y * groups.x;
    if group >= params.images * params.streams {
        return;
    }
    let lanes = params.lanes;
    let stream = group % params.streams;
    let image = group / params.streams * params.area * params.channels;
    let means = group * (params.channels + params.hidden);
    for (var first = 0u; first < params.channels; first += lanes) {
        let channel = first + lane % lanes;
        var sum = vec4<f32>();
        if channel < params.channels {
            for (var pixel = lane / lanes; pixel < params.area; pixel += 64u / lanes) {
                sum += value_of(stream, image + pixel * params.channels + channel);
            }
        }
        partial[lane] = sum;
        for (var half = 32u; half >= lanes; half >>= 1u) {
            workgroupBarrier();
            if lane < half {
                partial[lane] += partial[lane + half];
            }
        }
        if lane < lanes && channel < params.channels {
            out[means + channel] = vec4<real>(partial[lane] / f32(params.area));
        }
        workgroupBarrier();
    }
    storageBarrier();

    let middle = means + params.channels;
    let bias1 = params.hidden * params.channels * 4u;
    for (var i = lane; i < params.hidden; i += 64u) {
        let value = layer(i * params.channels * 4u, bias1 + i, means, params.channels);
        out[middle + i] = vec4<real>(select(value, vec4<f32>(), value < vec4<f32>()));
    }
    storageBarrier();

    let fc2 = bias1 + params.hidden;
    let bias2 = fc2 + bias1;
    for (var i = lane; i < params.channels; i += 64u) {
        let value = layer(fc2 + i * params.hidden * 4u, bias2 + i, middle, params.hidden);
        out[means + i] = vec4<real>(1.0 / (1.0 + exp(-value)));
    }
}
