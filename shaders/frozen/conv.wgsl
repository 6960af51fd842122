// Convolution over all channels with bias, a residual and an activation: an implicit matrix product of receptive fields
// [pixels, kh · kw · inputs] and weights, with a tile of sums in the registers of each thread. Neighbouring threads take
// neighbouring pixels and the same outputs, so that they load the same weights. Where there are too few pixels to keep a GPU
// busy, threads share a tile: each sums a part of the depth, and the parts are added in workgroup memory.

// What is stored, in the variant for GPUs that have it f16.
alias real = f32;

// What one thread computes: so many pixels by so many vec4s of outputs.
const PIXELS = 8u;
const OUTPUTS = 2u;
// The threads of a workgroup, along pixels and along outputs.
const PIXEL_THREADS = 8u;
const OUTPUT_THREADS = 8u;
// The threads that share a tile: each takes every so many-th vec4 of a pixel's channels.
const DEPTH_THREADS = 1u;
// 1 where fields may reach beyond the map.
const PADDED = 1u;
// Pixels from one place of the kernel to the next.
const DILATION_Y = 1u;
const DILATION_X = 1u;
// 1 where products are summed in f16, four at a time, before they are added in f32.
const HALF = 0u;
// vec4s of outputs whose weights are packed together.
const BLOCK = 2u;

const THREADS = PIXEL_THREADS * OUTPUT_THREADS * DEPTH_THREADS;

// [sums of a thread, THREADS]
var<workgroup> parts: array<vec4<f32>, PIXELS * OUTPUTS * THREADS>;

@compute @workgroup_size(PIXEL_THREADS * OUTPUT_THREADS * DEPTH_THREADS)
fn main(
    @builtin(workgroup_id) group_id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let group = group_id.x + group_id.y * groups.x;
    var first_pixel = group / params.output_groups * (PIXELS * PIXEL_THREADS);
    if first_pixel >= params.pixels {
        return;
    }
    // Of the threads that share a tile which one.
    let part = lane % DEPTH_THREADS;
    var first_output = group % params.output_groups * (OUTPUTS * OUTPUT_THREADS);
    if OUTPUT_THREADS > 1u {
        first_output += lane / (DEPTH_THREADS * PIXEL_THREADS) * OUTPUTS;
    }
    first_pixel += lane / DEPTH_THREADS % PIXEL_THREADS;

    // Of each pixel's field the first value of its image, its top and its left.
    var image: array<u32, PIXELS>;
    var top: array<u32, PIXELS>;
    var left: array<u32, PIXELS>;
    for (var p = 0u; p < PIXELS; p++) { // unroll
        let pixel = min(first_pixel + p * PIXEL_THREADS, params.pixels - 1u);
        let row = pixel / params.out_width;
        image[p] = row / params.out_height * (params.height * params.width);
        // Above and to the left of the map these wrap around and are larger than any place in it.
        top[p] = row % params.out_height * params.stride_y - params.padding_y;
        left[p] = pixel % params.out_width * params.stride_x - params.padding_x;
    }
    var sums: array<vec4<f32>, PIXELS * OUTPUTS>;
    var weight: array<u32, OUTPUTS>;
    let rows = params.kernel_height * params.kernel_width * params.inputs * 4u;
    for (var o = 0u; o < OUTPUTS; o++) { // unroll
        let output = min(first_output + o, params.outputs - 1u);
        weight[o] = output / BLOCK * rows * BLOCK + output % BLOCK;
        let bias = select(vec4<f32>(), tail[output], part == 0u);
        for (var p = 0u; p < PIXELS; p++) { // unroll
            sums[p * OUTPUTS + o] = bias;
        }
    }

    var row = part * 4u * BLOCK;
    for (var ky = 0u; ky < params.kernel_height; ky++) {
        for (var kx = 0u; kx < params.kernel_width; kx++) {
            var place: array<u32, PIXELS>;
            var inside: array<bool, PIXELS>;
            for (var p = 0u; p < PIXELS; p++) { // unroll
                let y = top[p] + ky * DILATION_Y;
                let x_ = left[p] + kx * DILATION_X;
                place[p] = (image[p] + y * params.width + x_) * params.inputs;
                if PADDED == 1u {
                    inside[p] = y < params.height && x_ < params.width;
                    place[p] = select(0u, place[p], inside[p]);
                }
            }
            let next_row = row + params.inputs * 4u * BLOCK;
            for (var i = part; i < params.inputs; i += DEPTH_THREADS) {
                var values: array<vec4<real>, PIXELS>;
                for (var p = 0u; p < PIXELS; p++) { // unroll
                    values[p] = x[place[p] + i];
                    if PADDED == 1u {
                        values[p] = select(vec4<real>(), values[p], inside[p]);
                    }
                }
                if HALF == 1u { // choose
                    for (var o = 0u; o < OUTPUTS; o++) { // unroll
                        let first = weights[weight[o] + row];
                        let second = weights[weight[o] + row + BLOCK];
                        let third = weights[weight[o] + row + 2u * BLOCK];
                        let fourth = weights[weight[o] + row + 3u * BLOCK];
                        for (var p = 0u; p < PIXELS; p++) { // unroll
                            sums[p * OUTPUTS + o] += products(values[p], first, second, third, fourth);
                        }
                    }
                } else {
                    for (var c = 0u; c < 4u; c++) { // unroll
                        for (var o = 0u; o < OUTPUTS; o++) { // unroll
                            let factor = vec4<f32>(weights[weight[o] + row + c * BLOCK]);
                            for (var p = 0u; p < PIXELS; p++) { // unroll
                                let value = vec4<f32>(f32(values[p][c]));
                                sums[p * OUTPUTS + o] = fma(value, factor, sums[p * OUTPUTS + o]);
                            }
                        }
                    }
                }
                row += DEPTH_THREADS * 4u * BLOCK;
            }
            row = next_row;
        }
    }

    if DEPTH_THREADS == 1u { // choose
        for (var p = 0u; p < PIXELS; p++) { // unroll
            for (var o = 0u; o < OUTPUTS; o++) { // unroll
                store(first_pixel + p * PIXEL_THREADS, first_output + o, sums[p * OUTPUTS + o]);
            }
        }
    } else {
        for (var s = 0u; s < PIXELS; s++) { // unroll
            for (var o = 0u; o < OUTPUTS; o++) { // unroll
                parts[(s * OUTPUTS + o) * THREADS + lane] = sums[s * OUTPUTS + o];
            }
        }
        workgroupBarrier();
        for (var s = part; s < PIXELS * OUTPUTS; s += DEPTH_THREADS) {
            var sum = vec4<f32>();
            for (var d = 0u; d < DEPTH_THREADS; d++) {
                sum += parts[s * THREADS + lane - part + d];
            }
            store(first_pixel + s / OUTPUTS * PIXEL_THREADS, first_output + s % OUTPUTS, sum);
        }
    }
}
