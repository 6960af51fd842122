// The mean over all pixels, plain or generalised (GeM), or the largest, then scaled, shifted and activated. One workgroup some vec4s of
// channels of an image: `lanes` threads side by side take a pixel, the next threads the next pixel.

// What is stored, in the variant for GPUs that have it f16.
alias real = f32;

struct Params {
    images: u32,
    area: u32,
    // vec4s of a pixel, and how many a workgroup takes: a power of two.
    channels: u32,
    lanes: u32,
    // 0 the mean, 1 the generalised mean, 2 the largest.
    reduce: u32,
    exponent: f32,
    // What smaller values count as in it.
    smallest: f32,
    activation: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<real>>;
// Scale, shift, slopes.
@group(0) @binding(1) var<storage, read> tail: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4<real>>;
@group(0) @binding(3) var<uniform> params: Params;

var<workgroup> partial: array<vec4<f32>, 64>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group_id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let lanes = params.lanes;
    let group = group_id.x + group_id.y * groups.x;
    let blocks = (params.channels + lanes - 1u) / lanes;
    let image = group / blocks;
    if image >= params.images {
        return;
    }
    let channel = group % blocks * lanes + lane % lanes;
    // The surplus repeats the last.
    let first = image * params.area * params.channels + min(channel, params.channels - 1u);
    let apart = 64u / lanes;

    var largest = vec4(params.smallest);
    if params.reduce != 0u {
        // The largest is taken out, so that neither a tiny map nor a large exponent leaves f32's range.
        for (var pixel = lane / lanes; pixel < params.area; pixel += apart) {
            let value = vec4<f32>(x[first + pixel * params.channels]);
            largest = select(value, largest, value < largest);
        }
        partial[lane] = largest;
        for (var half = 32u; half >= lanes; half >>= 1u) {
            workgroupBarrier();
            if lane < half {
                let other = partial[lane + half];
                partial[lane] = select(other, partial[lane], other < partial[lane]);
            }
        }
        workgroupBarrier();
        largest = partial[lane % lanes];
        workgroupBarrier();
    }

    var sum = vec4<f32>();
    for (var pixel = lane / lanes; pixel < params.area; pixel += apart) {
        let value = vec4<f32>(x[first + pixel * params.channels]);
        if params.reduce == 1u {
            let least = vec4(params.smallest);
            sum += pow(select(value, least, value < least) / largest, vec4(params.exponent));
        } else {
            sum += value;
        }
    }
    partial[lane] = sum;
    for (var half = 32u; half >= lanes; half >>= 1u) {
        workgroupBarrier();
        if lane < half {
            partial[lane] += partial[lane + half];
        }
    }
    if lane < lanes && channel < params.channels {
        var mean = partial[lane] / f32(params.area);
        if params.reduce == 1u {
            mean = largest * pow(mean, vec4(1.0 / params.exponent));
        }
        mean = select(mean, largest, params.reduce == 2u);
        mean = mean * tail[channel] + tail[params.channels + channel];
        out[image * params.channels + channel] =
            vec4<real>(finish(mean, params.activation, tail[2u * params.channels + channel]));
    }
}
