// Pixels of a map, or of a constant that is the same for every image, in the order of a list. One thread four channels of a
// pixel.

// What is stored, in the variant for GPUs that have it f16.
alias real = f32;

struct Params {
    // vec4s that are moved in all.
    count: u32,
    // Pixels that are moved of an image, the pixels of the input, 0 where it is a constant, and those of the output.
    places: u32,
    from_area: u32,
    to_area: u32,
    // Where in the output they begin.
    to_first: u32,
    // vec4s of a pixel.
    channels: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<real>>;
@group(0) @binding(1) var<storage, read> places: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4<real>>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let thread = (group.x + group.y * groups.x) * 64u + lane;
    if thread >= params.count {
        return;
    }
    let channel = thread % params.channels;
    let place = thread / params.channels % params.places;
    let image = thread / params.channels / params.places;
    let source = image * params.from_area + places[place];
    let to = image * params.to_area + params.to_first + place;
    out[to * params.channels + channel] = x[source * params.channels + channel];
}
