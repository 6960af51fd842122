// Global average pool and batch norm with running statistics. One workgroup a plane (image, channel).

struct Params {
    planes: u32,
    channels: u32,
    area: u32,
    eps: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> mean: array<f32>;
@group(0) @binding(4) var<storage, read> variance: array<f32>;
// [2, batch, channels]: the pooled feature, then the normalised one.
@group(0) @binding(5) var<storage, read_write> out: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

var<workgroup> partial: array<f32, 64>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let plane = group.x + group.y * groups.x;
    if plane >= params.planes {
        return;
    }
    var sum = 0.0;
    for (var i = lane; i < params.area; i += 64u) {
        sum += x[plane * params.area + i];
    }
    partial[lane] = sum;
    for (var half = 32u; half > 0u; half >>= 1u) {
        workgroupBarrier();
        if lane < half {
            partial[lane] += partial[lane + half];
        }
    }
    if lane == 0u {
        let channel = plane % params.channels;
        let feature = partial[0] / f32(params.area);
        let normalised = (feature - mean[channel]) / sqrt(variance[channel] + params.eps);
        out[plane] = feature;
        out[params.planes + plane] = normalised * weight[channel] + bias[channel];
    }
}
