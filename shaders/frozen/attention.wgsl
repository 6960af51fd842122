// Attention: each query's weighted mean of the values, weighed by how its keys match it. One workgroup some queries of a head in
// a window of an image, a thread each; keys and values pass by in tiles, and the softmax is kept up as they do (Milakov and
// Gimelshein, arXiv 1805.02867), so that no matrix of queries and keys is ever stored.

// What is stored, in the variant for GPUs that have it f16.
alias real = f32;

// vec4s of a head's channels, and keys of a tile: four times some.
const HEAD = 16u;
const KEYS = 32u;

struct Params {
    images: u32,
    windows: u32,
    heads: u32,
    // Of a window.
    queries: u32,
    keys: u32,
    // Channels of a head.
    size: u32,
    // Of each input the values from pixel to pixel, and where its channels begin.
    q_pitch: u32,
    q_first: u32,
    k_pitch: u32,
    k_first: u32,
    v_pitch: u32,
    v_first: u32,
    out_pitch: u32,
    // Tables of biases: none, one for each head, or one for each head of each window.
    tables: u32,
    softmax: u32,
    scale: f32,
}

@group(0) @binding(0) var<storage, read> q: array<real>;
@group(0) @binding(1) var<storage, read> k: array<real>;
@group(0) @binding(2) var<storage, read> v: array<real>;
// [tables, queries, keys]
@group(0) @binding(3) var<storage, read> biases: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<real>;
@group(0) @binding(5) var<uniform> params: Params;

const LOWEST = -0x1.fffffep+127f;
const THREADS = 32u;

var<workgroup> keys: array<vec4<real>, HEAD * KEYS>;
var<workgroup> values: array<vec4<real>, HEAD * KEYS>;

@compute @workgroup_size(32)
fn main(
    @builtin(workgroup_id) group_id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let blocks = (params.queries + THREADS - 1u) / THREADS;
    let group = group_id.x + group_id.y * groups.x;
    let head = group / blocks % params.heads;
    // Of all images.
    let window = group / blocks / params.heads;
    if window >= params.images * params.windows {
        return;
    }
    let query = min(group % blocks * THREADS + lane, params.queries - 1u);
    let place = window * params.queries + query;
    var vector: array<vec4<f32>, HEAD>;
    var sums: array<vec4<f32>, HEAD>;
    let begin = place * params.q_pitch + params.q_first + head * params.size;
    for (var c = 0u; c < HEAD; c++) { // unroll
        for (var i = 0u; i < 4u; i++) { // unroll
            if c * 4u + i < params.size {
                vector[c][i] = f32(q[begin + c * 4u + i]) * params.scale;
            }
        }
    }
    let table = (window % params.windows * params.heads + head) % max(params.tables, 1u);
    let bias = (table * params.queries + query) * params.keys;
    var largest = LOWEST;
    var total = 0.0;
    for (var first = 0u; first < params.keys; first += KEYS) {
        workgroupBarrier();
        for (var i = lane; i < HEAD * KEYS; i += THREADS) {
            let key = first + i / HEAD;
            let c = i % HEAD * 4u;
            var key_part = vec4<real>();
            var value_part = vec4<real>();
            if key < params.keys {
                let k_from = (window * params.keys + key) * params.k_pitch + params.k_first + head * params.size + c;
                let v_from = (window * params.keys + key) * params.v_pitch + params.v_first + head * params.size + c;
                for (var j = 0u; j < min(4u, params.size - c); j++) {
                    key_part[j] = k[k_from + j];
                    value_part[j] = v[v_from + j];
                }
            }
            keys[i] = key_part;
            values[i] = value_part;
        }
        workgroupBarrier();
        let count = min(KEYS, params.keys - first);
        for (var key = 0u; key < count; key += 4u) {
            let tile = key * HEAD;
            var match_ = vec4<f32>();
            for (var c = 0u; c < HEAD; c++) { // unroll
                match_.x += dot(vector[c], vec4<f32>(keys[tile + c]));
                match_.y += dot(vector[c], vec4<f32>(keys[tile + HEAD + c]));
                match_.z += dot(vector[c], vec4<f32>(keys[tile + 2u * HEAD + c]));
                match_.w += dot(vector[c], vec4<f32>(keys[tile + 3u * HEAD + c]));
            }
            let there = vec4(key, key + 1u, key + 2u, key + 3u) < vec4(count);
            if params.tables > 0u {
                for (var j = 0u; j < 4u; j++) { // unroll
                    match_[j] += biases[bias + min(first + key + j, params.keys - 1u)];
                }
            }
            var weight = select(vec4<f32>(), match_, there);
            if params.softmax == 1u {
                match_ = select(vec4(LOWEST), match_, there);
                let most = max(max(match_.x, match_.y), max(match_.z, match_.w));
                let larger = max(largest, most);
                let shrunk = exp(largest - larger);
                weight = exp(match_ - vec4(larger));
                largest = larger;
                total = total * shrunk + weight.x + weight.y + weight.z + weight.w;
                for (var c = 0u; c < HEAD; c++) { // unroll
                    sums[c] *= shrunk;
                }
            }
            for (var c = 0u; c < HEAD; c++) { // unroll
                sums[c] = fma(vec4(weight.x), vec4<f32>(values[tile + c]), sums[c]);
                sums[c] = fma(vec4(weight.y), vec4<f32>(values[tile + HEAD + c]), sums[c]);
                sums[c] = fma(vec4(weight.z), vec4<f32>(values[tile + 2u * HEAD + c]), sums[c]);
                sums[c] = fma(vec4(weight.w), vec4<f32>(values[tile + 3u * HEAD + c]), sums[c]);
            }
        }
    }
    if params.softmax == 0u {
        total = f32(params.keys);
    }
    if group % blocks * THREADS + lane < params.queries {
        let to = place * params.out_pitch;
        for (var c = 0u; c < HEAD; c++) { // unroll
            for (var i = 0u; i < 4u; i++) { // unroll
                if c * 4u + i < params.size {
                    out[to + head * params.size + c * 4u + i] = real(sums[c][i] / total);
                }
            }
        }
        // The last head has the padding behind it.
        if head + 1u == params.heads {
            for (var i = params.heads * params.size; i < params.out_pitch; i++) {
                out[to + i] = real();
            }
        }
    }
}
