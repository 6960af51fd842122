// The convolution of conv.wgsl where there is much of it: the threads of a workgroup read the fields of its pixels and the
// weights of its outputs together, a part of the depth at a time, into workgroup memory, which all of them compute from.

// What is stored, in the variant for GPUs that have it f16.
alias real = f32;

// What one thread computes: so many pixels by so many vec4s of outputs.
const PIXELS = 4u;
const OUTPUTS = 1u;
// The threads of a workgroup, along pixels and along outputs.
const PIXEL_THREADS = 16u;
const OUTPUT_THREADS = 16u;
// vec4s of channels that are in workgroup memory at once; the input has a multiple of them.
const DEPTH = 4u;
// vec4s of fields and of weights that a thread reads for that.
const FIELD_LOADS = 1u;
const WEIGHT_LOADS = 1u;
// 1 where fields may reach beyond the map.
const PADDED = 1u;
// Pixels from one place of the kernel to the next.
const DILATION_Y = 1u;
const DILATION_X = 1u;
// 1 where products are summed in f16, four at a time, before they are added in f32.
const HALF = 0u;
// vec4s of outputs whose weights are packed together.
const BLOCK = 2u;

const THREADS = PIXEL_THREADS * OUTPUT_THREADS;
// vec4s of outputs of a workgroup.
const WIDTH = OUTPUTS * OUTPUT_THREADS;

// [pixels, DEPTH]
var<workgroup> fields: array<vec4<real>, FIELD_LOADS * THREADS>;
// [DEPTH · 4, WIDTH]
var<workgroup> factors: array<vec4<real>, WEIGHT_LOADS * THREADS>;

@compute @workgroup_size(PIXEL_THREADS * OUTPUT_THREADS)
fn main(
    @builtin(workgroup_id) group_id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let group = group_id.x + group_id.y * groups.x;
    let group_pixel = group / params.output_groups * (PIXELS * PIXEL_THREADS);
    if group_pixel >= params.pixels {
        return;
    }
    let group_output = group % params.output_groups * WIDTH;
    let my_pixel = lane / OUTPUT_THREADS;
    let my_output = lane % OUTPUT_THREADS;

    // Of what this thread reads for all: of the pixel the first value of its image, its top and its left.
    var image: array<u32, FIELD_LOADS>;
    var top: array<u32, FIELD_LOADS>;
    var left: array<u32, FIELD_LOADS>;
    for (var l = 0u; l < FIELD_LOADS; l++) { // unroll
        let pixel = min(group_pixel + (lane + l * THREADS) / DEPTH, params.pixels - 1u);
        let row = pixel / params.out_width;
        image[l] = row / params.out_height * (params.height * params.width);
        // Above and to the left of the map these wrap around and are larger than any place in it.
        top[l] = row % params.out_height * params.stride_y - params.padding_y;
        left[l] = pixel % params.out_width * params.stride_x - params.padding_x;
    }
    var weight: array<u32, WEIGHT_LOADS>;
    let rows = params.kernel_height * params.kernel_width * params.inputs * 4u;
    for (var l = 0u; l < WEIGHT_LOADS; l++) { // unroll
        let at = lane + l * THREADS;
        let output = min(group_output + at % WIDTH, params.outputs - 1u);
        weight[l] = output / BLOCK * rows * BLOCK + output % BLOCK + at / WIDTH * BLOCK;
    }
    var sums: array<vec4<f32>, PIXELS * OUTPUTS>;
    for (var o = 0u; o < OUTPUTS; o++) { // unroll
        let bias = tail[min(group_output + my_output + o * OUTPUT_THREADS, params.outputs - 1u)];
        for (var p = 0u; p < PIXELS; p++) { // unroll
            sums[p * OUTPUTS + o] = bias;
        }
    }

    var row = 0u;
    for (var ky = 0u; ky < params.kernel_height; ky++) {
        for (var kx = 0u; kx < params.kernel_width; kx++) {
            var place: array<u32, FIELD_LOADS>;
            var inside: array<bool, FIELD_LOADS>;
            for (var l = 0u; l < FIELD_LOADS; l++) { // unroll
                let y = top[l] + ky * DILATION_Y;
                let x_ = left[l] + kx * DILATION_X;
                place[l] = (image[l] + y * params.width + x_) * params.inputs + (lane + l * THREADS) % DEPTH;
                if PADDED == 1u {
                    inside[l] = y < params.height && x_ < params.width;
                    place[l] = select(0u, place[l], inside[l]);
                }
            }
            for (var i = 0u; i < params.inputs; i += DEPTH) {
                workgroupBarrier();
                for (var l = 0u; l < FIELD_LOADS; l++) { // unroll
                    var value = x[place[l] + i];
                    if PADDED == 1u {
                        value = select(vec4<real>(), value, inside[l]);
                    }
                    fields[lane + l * THREADS] = value;
                }
                for (var l = 0u; l < WEIGHT_LOADS; l++) { // unroll
                    factors[lane + l * THREADS] = weights[weight[l] + row];
                }
                row += DEPTH * 4u * BLOCK;
                workgroupBarrier();
                for (var j = 0u; j < DEPTH; j++) {
                    var values: array<vec4<real>, PIXELS>;
                    for (var p = 0u; p < PIXELS; p++) { // unroll
                        values[p] = fields[(my_pixel + p * PIXEL_THREADS) * DEPTH + j];
                    }
                    let at = j * 4u * WIDTH + my_output;
                    if HALF == 1u { // choose
                        for (var o = 0u; o < OUTPUTS; o++) { // unroll
                            let first = factors[at + o * OUTPUT_THREADS];
                            let second = factors[at + o * OUTPUT_THREADS + WIDTH];
                            let third = factors[at + o * OUTPUT_THREADS + 2u * WIDTH];
                            let fourth = factors[at + o * OUTPUT_THREADS + 3u * WIDTH];
                            for (var p = 0u; p < PIXELS; p++) { // unroll
                                sums[p * OUTPUTS + o] += products(values[p], first, second, third, fourth);
                            }
                        }
                    } else {
                        for (var c = 0u; c < 4u; c++) { // unroll
                            for (var o = 0u; o < OUTPUTS; o++) { // unroll
                                let factor = vec4<f32>(factors[at + o * OUTPUT_THREADS + c * WIDTH]);
                                for (var p = 0u; p < PIXELS; p++) { // unroll
                                    let value = vec4<f32>(f32(values[p][c]));
                                    sums[p * OUTPUTS + o] = fma(value, factor, sums[p * OUTPUTS + o]);
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    for (var p = 0u; p < PIXELS; p++) { // unroll
        for (var o = 0u; o < OUTPUTS; o++) { // unroll
            let output = group_output + my_output + o * OUTPUT_THREADS;
            store(group_pixel + my_pixel + p * PIXEL_THREADS, output, sums[p * OUTPUTS + o]);
        }
    }
}
