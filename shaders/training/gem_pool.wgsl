// Generalised-mean pooling: mean(max(x, eps)^p)^(1/p). One workgroup a plane (image, channel).
// The largest element is taken out of the mean, so that neither a tiny plane nor a large p leaves f32's range.

struct Params {
    planes: u32,
    area: u32,
    eps: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> p: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

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
    var largest = params.eps;
    for (var i = lane; i < params.area; i += 64u) {
        largest = max(largest, x[plane * params.area + i]);
    }
    partial[lane] = largest;
    for (var half = 32u; half > 0u; half >>= 1u) {
        workgroupBarrier();
        if lane < half {
            partial[lane] = max(partial[lane], partial[lane + half]);
        }
    }
    workgroupBarrier();
    largest = partial[0];
    workgroupBarrier();

    var sum = 0.0;
    for (var i = lane; i < params.area; i += 64u) {
        sum += pow(max(x[plane * params.area + i], params.eps) / largest, p[0]);
    }
    partial[lane] = sum;
    for (var half = 32u; half > 0u; half >>= 1u) {
        workgroupBarrier();
        if lane < half {
            partial[lane] += partial[lane + half];
        }
    }
    if lane == 0u {
        out[plane] = largest * pow(partial[0] / f32(params.area), 1.0 / p[0]);
    }
}
