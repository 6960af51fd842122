// RGBA bytes to a resized, normalised tensor, to the bit as Pillow resizes 8-bit RGB. One invocation an output pixel:
// the vertical sum over rows that are filtered horizontally, and rounded to bytes, on the way.

struct Params {
    image_width: u32,
    width: u32,
    height: u32,
    // Entries of a line of `columns` and of `rows`.
    column_stride: u32,
    row_stride: u32,
    bgr: u32,
    // The colour around the picture, as a pixel of `image`.
    around: u32,
    scale: vec4<f32>,
    bias: vec4<f32>,
}

// RGBA, red in the lowest byte.
@group(0) @binding(0) var<storage, read> image: array<u32>;
// One line an output column: the first input column, how many, and their weights as 22-bit fixed point. Columns beside the
// picture have none.
@group(0) @binding(1) var<storage, read> columns: array<i32>;
// The same for the output's rows.
@group(0) @binding(2) var<storage, read> rows: array<i32>;
// [3, height, width]
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

const PRECISION_BITS = 22u;

fn round_to_byte(sum: vec3<i32>) -> vec3<i32> {
    return clamp((sum + (1 << (PRECISION_BITS - 1u))) >> vec3(PRECISION_BITS), vec3(0), vec3(255));
}

fn rgb(pixel: u32) -> vec3<i32> {
    return vec3<i32>(vec3(pixel, pixel >> 8u, pixel >> 16u) & vec3(255u));
}

fn filter_row(row: u32, line: u32) -> vec3<i32> {
    let first = row * params.image_width + u32(columns[line]);
    var sum = vec3(0);
    for (var i = 0u; i < u32(columns[line + 1u]); i++) {
        sum += rgb(image[first + i]) * columns[line + 2u + i];
    }
    return round_to_byte(sum);
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let area = params.width * params.height;
    let pixel = (group.x + group.y * groups.x) * 64u + lane;
    if pixel >= area {
        return;
    }
    let column_line = pixel % params.width * params.column_stride;
    let row_line = pixel / params.width * params.row_stride;
    var sum = vec3(0);
    for (var i = 0u; i < u32(rows[row_line + 1u]); i++) {
        sum += filter_row(u32(rows[row_line]) + i, column_line) * rows[row_line + 2u + i];
    }
    let is_around = rows[row_line + 1u] == 0 || columns[column_line + 1u] == 0;
    var value = vec3<f32>(select(round_to_byte(sum), rgb(params.around), is_around));
    if params.bgr == 1u {
        value = value.bgr;
    }
    value = value * params.scale.xyz + params.bias.xyz;
    out[pixel] = value.x;
    out[area + pixel] = value.y;
    out[2u * area + pixel] = value.z;
}
