//! Attention: each query's weighted mean of the values, weighed by how its keys match it (Vaswani et al., arXiv 1706.03762).
//!
//! Buffers: queries, keys, values, biases `[tables, queries, keys]` (or something), out, all as values. The shader is
//! specialised for the channels of a head.
//!
//! The twin multiplies as [`conv`](super::conv) does, a few queries at a time: with the keys in panels, and after the softmax with
//! the values in panels.

use super::conv::{Product, panel_order};
use super::{Stored, VEC, words};
use crate::kernels::parallel::{for_each_chunk, for_each_chunk_with};
use crate::kernels::simd::{exp, larger, sum, vectorised};
use crate::kernels::variant::Variant;
use crate::kernels::{Dispatch, Kernel, shader::wgsl};
use crate::step::{Attention, Weighting};

pub const KERNEL: Kernel = Kernel { name: "attention", wgsl: wgsl!("frozen/attention") };

/// Queries of a workgroup.
const THREADS: usize = 32;
/// The `vec4`s of keys, and of values, that workgroup memory has room for.
const TILE: usize = 512;
const MOST_KEYS: usize = 32;
/// The `vec4`s of a head that the shader's loops write out: with many more, compilers take minutes.
const MOST_UNROLLED: usize = 16;

/// The sizes of an attention step.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    windows: usize,
    heads: usize,
    /// Places of a window.
    queries: usize,
    keys: usize,
    /// Channels of a head.
    size: usize,
    /// Of biases.
    tables: usize,
}

impl Sizes {
    /// For an output of so many channels.
    pub fn new(a: &Attention, channels: usize, [q, k]: [Stored; 2]) -> Self {
        let (windows, heads) = (a.windows, a.heads);
        let (queries, keys) = (q.area() / windows, k.area() / windows);
        let tables = a.bias.as_ref().map_or(0, |bias| bias.len() / (queries * keys));
        Self { windows, heads, queries, keys, size: channels / heads, tables }
    }

    /// The shader for heads of this size.
    pub fn variant(self) -> Variant {
        let head = self.size.div_ceil(VEC);
        let unrolled = head.div_ceil(head.div_ceil(MOST_UNROLLED));
        let head = head.next_multiple_of(unrolled);
        let keys = (TILE / head / VEC * VEC).clamp(VEC, MOST_KEYS);
        Variant::new(KERNEL, &[("HEAD", head), ("UNROLLED", unrolled), ("KEYS", keys)])
    }
}

pub fn dispatch(batch: usize, a: &Attention, sizes: Sizes, [q, k, v, to]: [Stored; 4]) -> Dispatch {
    let Sizes { windows, heads, queries, keys, size, tables } = sizes;
    let [q_first, k_first, v_first] = a.starts;
    let mut params = words([batch, windows, heads, queries, keys, size]);
    params.extend(words([q.pitch, q_first, k.pitch, k_first, v.pitch, v_first, to.pitch, tables]));
    params.extend([u32::from(a.weighting == Weighting::Softmax), a.scale.to_bits()]);
    Dispatch::new(params, batch * windows * heads * queries.div_ceil(THREADS))
}

/// Queries worked on at once.
const BLOCK: usize = 24;

/// An attention step packed for the twin.
#[derive(Clone, Debug)]
pub struct Packed {
    attention: Attention,
    sizes: Sizes,
    inputs: [Stored; 3],
    output: Stored,
    matches: Product,
    means: Product,
}

/// The scratch of a thread: where the queries of a block begin, how keys match them, and what becomes of them.
struct Scratch {
    fields: Vec<u32>,
    matches: Vec<f32>,
    match_fields: Vec<u32>,
    means: Vec<f32>,
}

impl Packed {
    pub fn new(attention: &Attention, channels: usize, inputs: [Stored; 3], output: Stored) -> Self {
        let sizes = Sizes::new(attention, channels, [inputs[0], inputs[1]]);
        let (matches, means) = (Product::new(sizes.size, sizes.keys), Product::new(sizes.keys, sizes.size));
        Self { attention: attention.clone(), sizes, inputs, output, matches, means }
    }

    /// One image. `panels` is scratch.
    pub fn run(&self, [q, k, v]: [&[f32]; 3], panels: &mut Vec<f32>, threads: usize, out: &mut [f32]) {
        let Sizes { windows, heads, queries, .. } = self.sizes;
        let (keys, values) = (self.matches.size(), self.means.size());
        panels.clear();
        panels.resize(windows * heads * (keys + values), 0.0);
        for_each_chunk(panels, keys + values, |place, panels| {
            let (keys, values) = panels.split_at_mut(keys);
            self.pack(place / heads, place % heads, [k, v], keys, values);
        });
        let panels = &panels[..];
        let pitch = self.output.pitch;
        // Blocks of a window, or whole windows.
        let rows = if windows == 1 { BLOCK.min(queries.div_ceil(threads)) } else { queries };
        let scratch = || Scratch {
            fields: Vec::new(),
            matches: vec![0.0; BLOCK * self.matches.pitch()],
            match_fields: (0..BLOCK).map(|row| (row * self.matches.pitch()) as u32).collect(),
            means: vec![0.0; BLOCK * self.means.pitch()],
        };
        for_each_chunk_with(out, rows * pitch, scratch, |scratch, place, out| {
            let first = place * rows;
            for (block, out) in out.chunks_mut(BLOCK * pitch).enumerate() {
                out.fill(0.0);
                for head in 0..heads {
                    let panels = &panels[(first / queries * heads + head) * (keys + values)..][..keys + values];
                    self.block(q, first + block * BLOCK, head, panels.split_at(keys), scratch, out);
                }
            }
        });
    }

    /// The keys of a head in a window, and its values, in panels.
    fn pack(&self, window: usize, head: usize, [k, v]: [&[f32]; 2], keys: &mut [f32], values: &mut [f32]) {
        let Sizes { keys: count, size, .. } = self.sizes;
        let starts = self.attention.starts;
        let place =
            |input: usize, key: usize| (window * count + key) * self.inputs[input].pitch + starts[input] + head * size;
        for (first, width, begin) in panel_order(count, size) {
            for key in first..count.min(first + width) {
                let to = keys[begin + key - first..].iter_mut().step_by(width);
                to.zip(&k[place(1, key)..][..size]).for_each(|(to, value)| *to = *value);
            }
        }
        for (first, width, begin) in panel_order(size, count) {
            let panel = values[begin..].chunks_exact_mut(width);
            for (key, to) in (0..count).zip(panel) {
                to.iter_mut().zip(&v[place(2, key)..][first..size]).for_each(|(to, value)| *to = *value);
            }
        }
    }

    /// A block of queries of a head, to its channels in `out`.
    fn block(
        &self,
        q: &[f32],
        first: usize,
        head: usize,
        (keys, values): (&[f32], &[f32]),
        scratch: &mut Scratch,
        out: &mut [f32],
    ) {
        let Sizes { heads, queries, keys: count, size, tables, .. } = self.sizes;
        let rows = out.len() / self.output.pitch;
        let from = self.attention.starts[0] + head * size;
        scratch.fields.clear();
        scratch.fields.extend((first..first + rows).map(|row| (row * self.inputs[0].pitch + from) as u32));
        let matches = &mut scratch.matches[..rows * self.matches.pitch()];
        self.matches.run(keys, q, &scratch.fields, matches);
        let biases = self.attention.bias.as_ref().map(|bias| {
            let table = (first / queries * heads + head) % tables;
            &bias[(table * queries + first % queries) * count..]
        });
        let mut shares = [0.0; BLOCK];
        for (row, (share, matches)) in shares.iter_mut().zip(matches.chunks_exact_mut(self.matches.pitch())).enumerate()
        {
            let matches = &mut matches[..count];
            *share = self.weigh(matches, biases.map(|biases| &biases[row * count..][..count]));
        }
        let means = &mut scratch.means[..rows * self.means.pitch()];
        self.means.run(values, &scratch.matches, &scratch.match_fields, means);
        let rows = out.chunks_exact_mut(self.output.pitch).zip(means.chunks_exact(self.means.pitch()));
        for ((out, mean), share) in rows.zip(shares) {
            out[head * size..][..size].iter_mut().zip(mean).for_each(|(out, mean)| *out = mean * share);
        }
    }

    /// From matches to weights, which are to be multiplied by what it gives.
    fn weigh(&self, matches: &mut [f32], bias: Option<&[f32]>) -> f32 {
        vectorised(
            #[inline(always)]
            || {
                let scale = self.attention.scale;
                match bias {
                    Some(bias) => matches.iter_mut().zip(bias).for_each(|(value, bias)| *value = *value * scale + bias),
                    None => matches.iter_mut().for_each(|value| *value *= scale),
                }
                if self.attention.weighting == Weighting::Mean {
                    return 1.0 / matches.len() as f32;
                }
                let mut lanes = [f32::MIN; 8];
                for values in matches.chunks(8) {
                    lanes.iter_mut().zip(values).for_each(|(most, value)| *most = larger(*value, *most));
                }
                let most = lanes.iter().fold(f32::MIN, |most, value| larger(*value, most));
                matches.iter_mut().for_each(|value| *value = exp(*value - most));
                1.0 / sum(matches, |value| value)
            },
        )
    }
}
