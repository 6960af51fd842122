// Pairwise distances between the rows of a and of b. One workgroup a 16 × 16 tile of the result.

struct Params {
    a_rows: u32,
    b_rows: u32,
    width: u32,
    cosine: u32,
}

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
// [a_rows, b_rows]
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

const TILE = 16u;

var<workgroup> a_tile: array<f32, 256>;
var<workgroup> b_tile: array<f32, 256>;

@compute @workgroup_size(16, 16)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let across = (params.b_rows + TILE - 1u) / TILE;
    let tile = group.x + group.y * groups.x;
    if tile / across * TILE >= params.a_rows {
        return;
    }
    let a_row = tile / across * TILE + local.y;
    // The row of b that this invocation fetches, and the one it answers for.
    let b_fetch = tile % across * TILE + local.y;
    let b_row = tile % across * TILE + local.x;

    var squares = 0.0;
    var dot = 0.0;
    var a_norm = 0.0;
    var b_norm = 0.0;
    for (var start = 0u; start < params.width; start += TILE) {
        let at = start + local.x;
        var from_a = 0.0;
        var from_b = 0.0;
        if at < params.width && a_row < params.a_rows {
            from_a = a[a_row * params.width + at];
        }
        if at < params.width && b_fetch < params.b_rows {
            from_b = b[b_fetch * params.width + at];
        }
        workgroupBarrier();
        a_tile[local.y * TILE + local.x] = from_a;
        b_tile[local.y * TILE + local.x] = from_b;
        workgroupBarrier();
        for (var i = 0u; i < TILE; i++) {
            let u = a_tile[local.y * TILE + i];
            let v = b_tile[local.x * TILE + i];
            squares += (u - v) * (u - v);
            dot += u * v;
            a_norm += u * u;
            b_norm += v * v;
        }
    }
    if a_row < params.a_rows && b_row < params.b_rows {
        var value = squares;
        if params.cosine == 1u {
            value = 2.0 - 2.0 * dot / (max(sqrt(a_norm), 1e-12) * max(sqrt(b_norm), 1e-12));
        }
        out[a_row * params.b_rows + b_row] = value;
    }
}
