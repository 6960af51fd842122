// Global average pool and batch norm with the batch's statistics, and the running ones moved towards them.
// One workgroup a channel; eight lanes share a sample, and the first of the eight, its leader, keeps the result.

struct Params {
    batch: u32,
    channels: u32,
    area: u32,
    eps: f32,
    momentum: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> running_mean: array<f32>;
@group(0) @binding(4) var<storage, read> running_variance: array<f32>;
// [2, batch, channels]: the pooled feature, then the normalised one.
@group(0) @binding(5) var<storage, read_write> out: array<f32>;
// [2, channels]: the new running mean, then the new running variance.
@group(0) @binding(6) var<storage, read_write> running: array<f32>;
@group(0) @binding(7) var<uniform> params: Params;

const LANES = 8u;
const SAMPLES = 8u;

var<workgroup> partial: array<f32, 64>;

// The sum of the leaders' values, in every lane.
fn sum_of_leaders(lane: u32, value: f32) -> f32 {
    workgroupBarrier();
    partial[lane] = value;
    workgroupBarrier();
    var sum = 0.0;
    for (var i = 0u; i < SAMPLES; i++) {
        sum += partial[i * LANES];
    }
    return sum;
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
    let first = lane / LANES;
    let leader = lane % LANES == 0u;

    var sum = 0.0;
    for (var base = 0u; base < params.batch; base += SAMPLES) {
        let plane = (base + first) * params.channels + channel;
        var share = 0.0;
        if base + first < params.batch {
            for (var i = lane % LANES; i < params.area; i += LANES) {
                share += x[plane * params.area + i];
            }
        }
        workgroupBarrier();
        partial[lane] = share;
        workgroupBarrier();
        if leader && base + first < params.batch {
            var total = 0.0;
            for (var i = 0u; i < LANES; i++) {
                total += partial[lane + i];
            }
            let feature = total / f32(params.area);
            out[plane] = feature;
            sum += feature;
        }
    }

    // From here on a leader reads only what it wrote itself, so the features need no barrier.
    let count = f32(params.batch);
    let mean = sum_of_leaders(lane, sum) / count;
    var squares = 0.0;
    if leader {
        for (var sample = first; sample < params.batch; sample += SAMPLES) {
            let deviation = out[sample * params.channels + channel] - mean;
            squares += deviation * deviation;
        }
    }
    squares = sum_of_leaders(lane, squares);
    let inv_std = 1.0 / sqrt(squares / count + params.eps);
    if leader {
        for (var sample = first; sample < params.batch; sample += SAMPLES) {
            let plane = sample * params.channels + channel;
            let normalised = (out[plane] - mean) * inv_std;
            out[params.batch * params.channels + plane] = normalised * weight[channel] + bias[channel];
        }
    }
    if lane == 0u {
        let keep = 1.0 - params.momentum;
        running[channel] = keep * running_mean[channel] + params.momentum * mean;
        running[params.channels + channel] =
            keep * running_variance[channel] + params.momentum * squares / (count - 1.0);
    }
}
