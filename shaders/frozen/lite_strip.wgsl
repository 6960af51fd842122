// OSNet's Lite layer as lite.wgsl computes it, where software imitates the GPU: there workgroup memory and barriers cost far
// more than a few values computed twice. A thread some outputs of a strip of some columns, down its rows: what a row becomes
// in between goes at once into the sums of the three rows of the output that it is part of.

// What is stored, in the variant for GPUs that have it f16.
alias real = f32;

// Columns of a strip, and those that it reads.
const COLUMNS = 8u;
const AROUND = 10u;
// vec4s of outputs of a thread, as their weights are packed.
const OUTPUTS = 2u;

struct Params {
    images: u32,
    height: u32,
    width: u32,
    // vec4s of a pixel of the input, and of the output.
    inputs: u32,
    outputs: u32,
    // Rows of a strip, and strips of a map.
    rows: u32,
    strips_y: u32,
    strips_x: u32,
    activation: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<real>>;
// [outputs / OUTPUTS, inputs · 4, OUTPUTS]
@group(0) @binding(1) var<storage, read> weights: array<vec4<real>>;
// The bias between, the nine of each channel [9, outputs], bias, slopes.
@group(0) @binding(2) var<storage, read> tail: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4<real>>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(8)
fn main(
    @builtin(workgroup_id) group_id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let thread = (group_id.x + group_id.y * groups.x) * 8u + lane;
    let output_groups = (params.outputs + OUTPUTS - 1u) / OUTPUTS;
    let first_output = thread % output_groups * OUTPUTS;
    let strip = thread / output_groups;
    let row = strip / params.strips_x;
    let image = row / params.strips_y;
    if image >= params.images {
        return;
    }
    let top = row % params.strips_y * params.rows;
    let left = strip % params.strips_x * COLUMNS;
    let bottom = min(top + params.rows, params.height);

    // Before the first column places wrap around and are larger than any in the map.
    var inside: array<bool, AROUND>;
    var place: array<u32, AROUND>;
    for (var c = 0u; c < AROUND; c++) { // unroll
        let column = left + c - 1u;
        inside[c] = column < params.width;
        place[c] = min(column, params.width - 1u) * params.inputs;
    }
    var output: array<u32, OUTPUTS>;
    var bias_between: array<vec4<f32>, OUTPUTS>;
    var bias: array<vec4<f32>, OUTPUTS>;
    var slope: array<vec4<f32>, OUTPUTS>;
    var taps: array<vec4<f32>, 9u * OUTPUTS>;
    for (var o = 0u; o < OUTPUTS; o++) { // unroll
        output[o] = min(first_output + o, params.outputs - 1u);
        bias_between[o] = tail[output[o]];
        bias[o] = tail[10u * params.outputs + output[o]];
        slope[o] = tail[11u * params.outputs + output[o]];
        for (var t = 0u; t < 9u; t++) { // unroll
            taps[t * OUTPUTS + o] = tail[(1u + t) * params.outputs + output[o]];
        }
    }
    // Sums of the row of the output above the one that is read, of this one and of the one below.
    var above: array<vec4<f32>, COLUMNS * OUTPUTS>;
    var here: array<vec4<f32>, COLUMNS * OUTPUTS>;
    var below: array<vec4<f32>, COLUMNS * OUTPUTS>;
    for (var c = 0u; c < COLUMNS; c++) { // unroll
        for (var o = 0u; o < OUTPUTS; o++) { // unroll
            here[c * OUTPUTS + o] = bias[o];
            below[c * OUTPUTS + o] = bias[o];
        }
    }
    for (var y = max(top, 1u) - 1u; y <= bottom; y++) {
        for (var c = 0u; c < COLUMNS; c++) { // unroll
            for (var o = 0u; o < OUTPUTS; o++) { // unroll
                above[c * OUTPUTS + o] = here[c * OUTPUTS + o];
                here[c * OUTPUTS + o] = below[c * OUTPUTS + o];
                below[c * OUTPUTS + o] = bias[o];
            }
        }
        if y < params.height {
            var between: array<vec4<f32>, AROUND * OUTPUTS>;
            for (var c = 0u; c < AROUND; c++) { // unroll
                for (var o = 0u; o < OUTPUTS; o++) { // unroll
                    between[c * OUTPUTS + o] = bias_between[o];
                }
            }
            let start = (image * params.height + y) * params.width * params.inputs;
            var weight = first_output * params.inputs * 4u;
            for (var i = 0u; i < params.inputs; i++) {
                var values: array<vec4<f32>, AROUND>;
                for (var c = 0u; c < AROUND; c++) { // unroll
                    values[c] = vec4<f32>(x[start + place[c] + i]);
                }
                for (var k = 0u; k < 4u; k++) { // unroll
                    for (var o = 0u; o < OUTPUTS; o++) { // unroll
                        let factor = vec4<f32>(weights[weight + o]);
                        for (var c = 0u; c < AROUND; c++) { // unroll
                            between[c * OUTPUTS + o] = fma(vec4<f32>(values[c][k]), factor, between[c * OUTPUTS + o]);
                        }
                    }
                    weight += OUTPUTS;
                }
            }
            for (var c = 0u; c < AROUND; c++) { // unroll
                for (var o = 0u; o < OUTPUTS; o++) { // unroll
                    between[c * OUTPUTS + o] = select(vec4<f32>(), between[c * OUTPUTS + o], inside[c]);
                }
            }
            for (var kx = 0u; kx < 3u; kx++) { // unroll
                for (var c = 0u; c < COLUMNS; c++) { // unroll
                    for (var o = 0u; o < OUTPUTS; o++) { // unroll
                        let value = between[(c + kx) * OUTPUTS + o];
                        above[c * OUTPUTS + o] = fma(value, taps[(6u + kx) * OUTPUTS + o], above[c * OUTPUTS + o]);
                        here[c * OUTPUTS + o] = fma(value, taps[(3u + kx) * OUTPUTS + o], here[c * OUTPUTS + o]);
                        below[c * OUTPUTS + o] = fma(value, taps[kx * OUTPUTS + o], below[c * OUTPUTS + o]);
                    }
                }
            }
        }
        if y > top {
            let to = (image * params.height + y - 1u) * params.width;
            for (var c = 0u; c < COLUMNS; c++) { // unroll
                for (var o = 0u; o < OUTPUTS; o++) { // unroll
                    if left + c < params.width && first_output + o < params.outputs {
                        let value = finish(above[c * OUTPUTS + o], params.activation, slope[o]);
                        out[(to + left + c) * params.outputs + output[o]] = vec4<real>(value);
                    }
                }
            }
        }
    }
}
