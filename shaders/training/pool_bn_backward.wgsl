// Gradients of pool_bn_infer and pool_bn_train. One workgroup a channel.
// The normalised feature is rebuilt from the pooled one, never from the output: the weight may be 0.

struct Params {
    batch: u32,
    channels: u32,
    area: u32,
    eps: f32,
    // 1: the statistics are the batch's and carry gradients; 0: they are `mean` and `variance`, constants.
    training: u32,
}

// [2, batch, channels]: by the pooled feature, then by the normalised one.
@group(0) @binding(0) var<storage, read> grad: array<f32>;
// [2, batch, channels], of which the pooled feature is read.
@group(0) @binding(1) var<storage, read> out: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> mean: array<f32>;
@group(0) @binding(4) var<storage, read> variance: array<f32>;
@group(0) @binding(5) var<storage, read_write> grad_x: array<f32>;
// [2, channels]: by the weight, then by the bias.
@group(0) @binding(6) var<storage, read_write> grad_affine: array<f32>;
@group(0) @binding(7) var<uniform> params: Params;

const LANES = 64u;

var<workgroup> partial: array<f32, 64>;

// The sum of the lanes' values, in every lane.
fn sum_of_lanes(lane: u32, value: f32) -> f32 {
    workgroupBarrier();
    partial[lane] = value;
    for (var half = LANES / 2u; half > 0u; half >>= 1u) {
        workgroupBarrier();
        if lane < half {
            partial[lane] += partial[lane + half];
        }
    }
    workgroupBarrier();
    return partial[0];
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let channel = group.x + group.y * groups.x;
    if channel >= params.channels {
        return;
    }
    let count = f32(params.batch);
    let planes = params.batch * params.channels;

    var center = mean[channel];
    var spread = variance[channel];
    if params.training == 1u {
        var sum = 0.0;
        for (var sample = lane; sample < params.batch; sample += LANES) {
            sum += out[sample * params.channels + channel];
        }
        center = sum_of_lanes(lane, sum) / count;
        var squares = 0.0;
        for (var sample = lane; sample < params.batch; sample += LANES) {
            let deviation = out[sample * params.channels + channel] - center;
            squares += deviation * deviation;
        }
        spread = sum_of_lanes(lane, squares) / count;
    }
    let inv_std = 1.0 / sqrt(spread + params.eps);

    var by_weight = 0.0;
    var by_bias = 0.0;
    for (var sample = lane; sample < params.batch; sample += LANES) {
        let plane = sample * params.channels + channel;
        by_bias += grad[planes + plane];
        by_weight += grad[planes + plane] * (out[plane] - center) * inv_std;
    }
    by_weight = sum_of_lanes(lane, by_weight);
    by_bias = sum_of_lanes(lane, by_bias);
    if lane == 0u {
        grad_affine[channel] = by_weight;
        grad_affine[params.channels + channel] = by_bias;
    }

    for (var i = lane; i < params.batch * params.area; i += LANES) {
        let plane = i / params.area * params.channels + channel;
        var by_normalised = grad[planes + plane];
        if params.training == 1u {
            by_normalised -= (by_bias + (out[plane] - center) * inv_std * by_weight) / count;
        }
        let by_feature = grad[plane] + by_normalised * weight[channel] * inv_std;
        grad_x[plane * params.area + i % params.area] = by_feature / f32(params.area);
    }
}
