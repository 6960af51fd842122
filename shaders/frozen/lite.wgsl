// OSNet's Lite layer: a 1×1 convolution without activation, then a 3×3 depthwise convolution of stride 1 with bias and
// activation. One workgroup some outputs of a tile of an image: what the tile and the pixels around it become in between
// is made in workgroup memory, so that it never leaves the chip.

// What is stored, in the variant for GPUs that have it f16.
alias real = f32;

// Pixels of a thread while the 1×1 convolution is made.
const PIXELS = 5u;
// vec4s of outputs of a workgroup, as their weights are packed.
const OUTPUTS = 2u;
// Rows of a thread's strip in the depthwise convolution, and those that it reads.
const ROWS = 4u;
const AROUND = 6u;
// 1 where products are summed in f16, four at a time, before they are added in f32.
const HALF = 0u;

struct Params {
    images: u32,
    height: u32,
    width: u32,
    // vec4s of a pixel of the input, and of the output.
    inputs: u32,
    outputs: u32,
    // Pixels of a tile, and tiles of a map.
    tile_height: u32,
    tile_width: u32,
    tiles_y: u32,
    tiles_x: u32,
    activation: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<real>>;
// [outputs / OUTPUTS, inputs · 4, OUTPUTS]
@group(0) @binding(1) var<storage, read> weights: array<vec4<real>>;
// The bias between, the nine of each channel [9, outputs], bias, slopes.
@group(0) @binding(2) var<storage, read> tail: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4<real>>;
@group(0) @binding(4) var<uniform> params: Params;

var<workgroup> between: array<vec4<real>, 64u * PIXELS * OUTPUTS>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group_id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let group = group_id.x + group_id.y * groups.x;
    let output_groups = (params.outputs + OUTPUTS - 1u) / OUTPUTS;
    let first_output = group % output_groups * OUTPUTS;
    let tile = group / output_groups;
    let row = tile / params.tiles_x;
    let image = row / params.tiles_y;
    if image >= params.images {
        return;
    }
    let top = row % params.tiles_y * params.tile_height;
    let left = tile % params.tiles_x * params.tile_width;
    let bottom = min(top + params.tile_height, params.height);
    let right = min(left + params.tile_width, params.width);
    // The tile with what is around it of the map.
    let region_top = max(top, 1u) - 1u;
    let region_left = max(left, 1u) - 1u;
    let region_width = min(right + 1u, params.width) - region_left;
    let region = (min(bottom + 1u, params.height) - region_top) * region_width;
    let map = image * params.height;

    var place: array<u32, PIXELS>;
    for (var p = 0u; p < PIXELS; p++) { // unroll
        let pixel = min(lane + p * 64u, region - 1u);
        let y = map + region_top + pixel / region_width;
        place[p] = (y * params.width + region_left + pixel % region_width) * params.inputs;
    }
    var sums: array<vec4<f32>, PIXELS * OUTPUTS>;
    for (var o = 0u; o < OUTPUTS; o++) { // unroll
        let bias = tail[min(first_output + o, params.outputs - 1u)];
        for (var p = 0u; p < PIXELS; p++) { // unroll
            sums[p * OUTPUTS + o] = bias;
        }
    }
    var weight = first_output * params.inputs * 4u;
    for (var i = 0u; i < params.inputs; i++) {
        var values: array<vec4<real>, PIXELS>;
        for (var p = 0u; p < PIXELS; p++) { // unroll
            values[p] = x[place[p] + i];
        }
        if HALF == 1u { // choose
            for (var o = 0u; o < OUTPUTS; o++) { // unroll
                let first = weights[weight + o];
                let second = weights[weight + OUTPUTS + o];
                let third = weights[weight + 2u * OUTPUTS + o];
                let fourth = weights[weight + 3u * OUTPUTS + o];
                for (var p = 0u; p < PIXELS; p++) { // unroll
                    sums[p * OUTPUTS + o] += products(values[p], first, second, third, fourth);
                }
            }
            weight += 4u * OUTPUTS;
        } else {
            for (var c = 0u; c < 4u; c++) { // unroll
                for (var o = 0u; o < OUTPUTS; o++) { // unroll
                    let factor = vec4<f32>(weights[weight + o]);
                    for (var p = 0u; p < PIXELS; p++) { // unroll
                        let value = vec4<f32>(f32(values[p][c]));
                        sums[p * OUTPUTS + o] = fma(value, factor, sums[p * OUTPUTS + o]);
                    }
                }
                weight += OUTPUTS;
            }
        }
    }
    for (var p = 0u; p < PIXELS; p++) { // unroll
        for (var o = 0u; o < OUTPUTS; o++) { // unroll
            between[o * (64u * PIXELS) + lane + p * 64u] = vec4<real>(sums[p * OUTPUTS + o]);
        }
    }
    workgroupBarrier();

    // Strips of some rows, whose values in between are read once for each column.
    let region_bottom = min(bottom + 1u, params.height);
    let width = right - left;
    let strips = (bottom - top + ROWS - 1u) / ROWS * width;
    for (var o = 0u; o < OUTPUTS; o++) { // unroll
        let output = first_output + o;
        if output < params.outputs {
            var taps: array<vec4<f32>, 9>;
            for (var t = 0u; t < 9u; t++) { // unroll
                taps[t] = tail[(1u + t) * params.outputs + output];
            }
            let bias = tail[10u * params.outputs + output];
            let slope = tail[11u * params.outputs + output];
            for (var i = lane; i < strips; i += 64u) {
                let y = top + i / width * ROWS;
                let x_ = left + i % width;
                var strip: array<vec4<f32>, ROWS>;
                for (var r = 0u; r < ROWS; r++) { // unroll
                    strip[r] = bias;
                }
                for (var kx = 0u; kx < 3u; kx++) { // unroll
                    var column: array<vec4<f32>, AROUND>;
                    // Beyond the map places wrap around and are larger than any in it.
                    let from_x = x_ + kx - 1u;
                    for (var r = 0u; r < AROUND; r++) { // unroll
                        let from_y = y + r - 1u;
                        let inside = from_y < region_bottom && from_x < params.width;
                        let source = (from_y - region_top) * region_width + from_x - region_left;
                        let value = vec4<f32>(between[o * (64u * PIXELS) + select(0u, source, inside)]);
                        column[r] = select(vec4<f32>(), value, inside);
                    }
                    for (var r = 0u; r < ROWS; r++) { // unroll
                        for (var ky = 0u; ky < 3u; ky++) { // unroll
                            strip[r] = fma(column[r + ky], taps[ky * 3u + kx], strip[r]);
                        }
                    }
                }
                for (var r = 0u; r < ROWS; r++) { // unroll
                    if y + r < bottom {
                        let to = ((map + y + r) * params.width + x_) * params.outputs + output;
                        out[to] = vec4<real>(finish(strip[r], params.activation, slope));
                    }
                }
            }
        }
    }
}
