// Gradients of gem_pool. One workgroup a plane (image, channel).
// With the pooled f and r = max(x, eps) / f: df/dx = r^(p-1) / area where x >= eps, df/dp = f / p · mean(r^p ln r).

struct Params {
    planes: u32,
    area: u32,
    eps: f32,
}

@group(0) @binding(0) var<storage, read> grad: array<f32>;
@group(0) @binding(1) var<storage, read> pooled: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read> p: array<f32>;
@group(0) @binding(4) var<storage, read_write> grad_x: array<f32>;
// [planes]: each plane's share of the gradient by p.
@group(0) @binding(5) var<storage, read_write> grad_p: array<f32>;
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
    let area = f32(params.area);
    var sum = 0.0;
    for (var i = lane; i < params.area; i += 64u) {
        let at = plane * params.area + i;
        let ratio = max(x[at], params.eps) / pooled[plane];
        sum += pow(ratio, p[0]) * log(ratio);
        grad_x[at] = select(0.0, grad[plane] / area * pow(ratio, p[0] - 1.0), x[at] >= params.eps);
    }
    partial[lane] = sum;
    for (var half = 32u; half > 0u; half >>= 1u) {
        workgroupBarrier();
        if lane < half {
            partial[lane] += partial[lane + half];
        }
    }
    if lane == 0u {
        grad_p[plane] = grad[plane] * pooled[plane] / p[0] * partial[0] / area;
    }
}
