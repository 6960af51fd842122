//! Convolution over all channels, with bias, a residual and an activation: an implicit matrix product of receptive fields
//! `[pixels, kh · kw · inputs]` and packed weights. Fully connected layers are convolutions of one pixel.
//!
//! Buffers: x, weights `[outputs / BLOCK, kh · kw · inputs, BLOCK]` (`BLOCK` in `vec4`s), bias and slopes `[2, pitch]`, the
//! residual (or again x), out. The shader is specialised for the [`Tile`] of each thread; some are [`conv_staged`]'s.
//!
//! The twin computes a few pixels by as many outputs as the vector registers hold, reading the map itself (with a border,
//! where the kernel has padding) and the weights in panels, one after the other as the loop needs them. A block of pixels
//! gets all its outputs before the next one begins, so that what it reads and writes stays in the caches. Where they pay, the
//! tiles of [`winograd`](super::winograd) take its place.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::{Finish, Stored, VEC, bands, code, conv_staged, padded, parameters, with_border, words};
use crate::kernels::parallel::for_each_chunk;
use crate::kernels::variant::Variant;
use crate::kernels::{Dispatch, Kernel, shader::wgsl};
use crate::step::{Convolution, Map, Padding};

pub const KERNEL: Kernel =
    Kernel { name: "conv", wgsl: wgsl!("frozen/conv", "parts/convolution", "parts/products", "parts/finish") };

/// `vec4`s of outputs whose weights are packed together.
pub(super) const BLOCK: usize = 2;

/// What the threads of a workgroup compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tile {
    /// Pixels of a thread.
    pub pixels: usize,
    /// `vec4`s of outputs of a thread.
    pub outputs: usize,
    /// Threads along pixels, and along outputs.
    pub threads: [usize; 2],
    pub depth: Depth,
}

/// How the depth of a tile is summed: the places of the kernel by the channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Depth {
    /// By so many threads, each of which takes a part of the channels.
    Shared(usize),
    /// By one thread, with so many `vec4`s of channels in workgroup memory at once.
    Staged(usize),
}

impl Tile {
    const fn new(pixels: usize, outputs: usize, threads: [usize; 2]) -> Self {
        Self::shared(pixels, outputs, threads, 1)
    }

    const fn shared(pixels: usize, outputs: usize, threads: [usize; 2], depth_threads: usize) -> Self {
        Self { pixels, outputs, threads, depth: Depth::Shared(depth_threads) }
    }

    const fn staged(pixels: usize, outputs: usize, threads: [usize; 2], depth: usize) -> Self {
        Self { pixels, outputs, threads, depth: Depth::Staged(depth) }
    }

    /// Whether it can be had where a pixel of the input has so many `vec4`s.
    pub fn fits(self, inputs: usize) -> bool {
        !matches!(self.depth, Depth::Staged(depth) if !inputs.is_multiple_of(depth))
    }

    /// The shader for it; `padded` where fields may reach beyond the map.
    pub fn variant(self, padded: bool, dilation: [usize; 2]) -> Variant {
        let depth_threads = match self.depth {
            Depth::Shared(threads) => threads,
            Depth::Staged(depth) => return conv_staged::variant(self, depth, padded, dilation),
        };
        let constants = [
            ("PIXELS", self.pixels),
            ("OUTPUTS", self.outputs),
            ("PIXEL_THREADS", self.threads[0]),
            ("OUTPUT_THREADS", self.threads[1]),
            ("DEPTH_THREADS", depth_threads),
            ("PADDED", padded.into()),
            ("DILATION_Y", dilation[0]),
            ("DILATION_X", dilation[1]),
            ("BLOCK", BLOCK),
        ];
        Variant::new(KERNEL, &constants)
    }

    /// Pixels and `vec4`s of outputs of a workgroup.
    pub(super) fn group(self) -> [usize; 2] {
        [self.pixels * self.threads[0], self.outputs * self.threads[1]]
    }

    /// Workgroups for so many pixels and `vec4`s of outputs.
    fn groups(self, pixels: usize, outputs: usize) -> usize {
        let [group_pixels, group_outputs] = self.group();
        pixels.div_ceil(group_pixels) * outputs.div_ceil(group_outputs)
    }
}

/// What a step of a tile takes, in picoseconds: of its depth a `vec4`, or as many as its threads or its workgroup memory take at
/// once.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Where few workgroups run: what one waits for.
    wait: u64,
    /// A workgroup's share where there is no room for more.
    work: u64,
}

/// The tiles for GPUs, with what they cost on an NVIDIA H200 in f32 (`make gpu-check` times them all: these describe it within a
/// third, and what the planner takes by them was within a fifth of the best that any of 31 tiles does).
pub const TILES: [(Tile, Cost); 8] = [
    (Tile::shared(2, 2, [4, 2], 16), Cost { wait: 900_000, work: 4700 }),
    (Tile::shared(2, 2, [8, 4], 4), Cost { wait: 900_000, work: 2700 }),
    (Tile::staged(2, 1, [16, 16], 8), Cost { wait: 1_550_000, work: 7600 }),
    (Tile::staged(4, 1, [16, 4], 4), Cost { wait: 1_000_000, work: 1800 }),
    (Tile::staged(4, 1, [8, 8], 4), Cost { wait: 1_000_000, work: 1700 }),
    (Tile::staged(8, 1, [8, 16], 4), Cost { wait: 1_550_000, work: 5100 }),
    // For inputs of another number of channels, like photos.
    (Tile::new(4, 1, [16, 4]), Cost { wait: 900_000, work: 1200 }),
    (Tile::new(8, 2, [32, 2]), Cost { wait: 1_150_000, work: 3200 }),
];

/// How many times smaller a GPU is planned for than the one that was measured: what it is nobody says.
const SMALLER: u64 = 3;

/// Those where software imitates a GPU; of equally good ones the first is taken. The sums of the first two are more than the
/// registers of many GPUs.
pub const SOFTWARE_TILES: [Tile; 11] = [
    Tile::new(8, 4, [8, 8]),
    Tile::new(8, 4, [32, 2]),
    Tile::new(8, 2, [8, 8]),
    Tile::new(8, 2, [16, 4]),
    Tile::new(8, 2, [16, 3]),
    Tile::new(8, 2, [32, 2]),
    Tile::new(8, 2, [64, 1]),
    Tile::new(8, 2, [4, 16]),
    Tile::new(2, 2, [16, 4]),
    Tile::new(8, 1, [1, 32]),
    Tile::new(1, 1, [1, 32]),
];

/// Workgroups below which a part of even a small device is idle.
const FEW_GROUPS: usize = 4;

/// The tile for so many pixels and `vec4`s of outputs where software imitates a GPU: the one with the fewest loads, which are
/// what takes the time there (measured on lavapipe, for tiles from 2 × 8 to 16 × 8 and 8 × 16).
fn software_tile(pixels: usize, outputs: usize) -> Tile {
    let loads = |tile: &Tile| {
        tile.groups(pixels, outputs).max(FEW_GROUPS)
            * tile.threads[0]
            * tile.threads[1]
            * (tile.pixels + VEC * tile.outputs)
    };
    SOFTWARE_TILES.into_iter().min_by_key(loads).unwrap_or(SOFTWARE_TILES[0])
}

/// The tile for a convolution from so many `vec4`s of each of `taps` places to so many pixels and `vec4`s of outputs; `software`
/// where the GPU is imitated.
pub fn tile(taps: usize, inputs: usize, pixels: usize, outputs: usize, software: bool) -> Tile {
    if software {
        return software_tile(pixels, outputs);
    }
    let time = |(tile, cost): &(Tile, Cost)| {
        let at_once = match tile.depth {
            Depth::Shared(threads) => threads,
            Depth::Staged(depth) => depth,
        };
        // Not as `usize`, which has 32 bits in a browser: too few for picoseconds.
        let [steps, groups] = [taps * inputs.div_ceil(at_once), tile.groups(pixels, outputs)].map(|count| count as u64);
        steps * cost.wait.max(groups * cost.work * SMALLER)
    };
    let fitting = TILES.iter().filter(|(tile, _)| tile.fits(inputs));
    fitting.min_by_key(|candidate| time(candidate)).map_or(TILES[0].0, |(tile, _)| *tile)
}

/// Whether fields may reach beyond the map.
pub fn is_padded(c: &Convolution) -> bool {
    c.padding != Padding::NONE
}

/// The two buffers of weights.
pub fn weights(c: &Convolution, channels: usize, from: Stored, to: Stored) -> [Vec<f32>; 2] {
    let outputs = to.pitch.next_multiple_of(BLOCK * VEC);
    let taps = c.kernel[0] * c.kernel[1];
    let weights = packed(&c.weight, taps, (channels, from.pitch), (c.bias.len(), outputs), BLOCK);
    [weights, [padded(&c.bias, to.pitch), parameters(&c.activation, to.pitch)].concat()]
}

/// Weights `[outputs, taps, inputs]` as `[outputs / block, taps · inputs, block]`, `block` in `vec4`s; of both inputs and
/// outputs how many there are and how many with padding.
pub(super) fn packed(
    weight: &[f32],
    taps: usize,
    (inputs, input_pitch): (usize, usize),
    (outputs, output_pitch): (usize, usize),
    block: usize,
) -> Vec<f32> {
    let width = block * VEC;
    let depth = taps * input_pitch;
    let mut packed = vec![0.0; output_pitch.next_multiple_of(width) * depth];
    for (output, row) in weight.chunks_exact(taps * inputs).enumerate().take(outputs) {
        let to = &mut packed[output / width * width * depth + output % width..];
        for (tap, row) in row.chunks_exact(inputs).enumerate() {
            for (input, value) in row.iter().enumerate() {
                to[(tap * input_pitch + input) * width] = *value;
            }
        }
    }
    packed
}

pub fn dispatch(batch: usize, c: &Convolution, residual: bool, from: Stored, to: Stored, tile: Tile) -> Dispatch {
    let pixels = batch * to.area();
    let output_groups = to.vecs().div_ceil(tile.group()[1]);
    let mut params = words([
        from.height,
        from.width,
        from.vecs(),
        to.height,
        to.width,
        to.vecs(),
        c.kernel[0],
        c.kernel[1],
        c.stride[0],
        c.stride[1],
        c.padding.top,
        c.padding.left,
        pixels,
        output_groups,
    ]);
    params.extend([u32::from(residual), code(&c.activation)]);
    Dispatch::new(params, tile.groups(pixels, to.vecs()))
}

/// Pixels worked on at once.
pub(super) const PIXELS: usize = 6;
/// Pixels that a panel of weights is read for before the next one is: fewer would read the weights too often.
const PIXEL_BLOCK: usize = 144;
/// Values of a field in one turn of the innermost loop: with one, a fifth of its instructions would count and jump.
const UNROLLED: usize = 4;
/// Outputs worked on at once: two vectors of 8, where there are 16 registers of them; wasm's hold 4.
const OUTPUTS: usize = if cfg!(target_arch = "wasm32") { 8 } else { 16 };
/// Outputs of the last, narrow panel.
const NARROW: usize = 8;

/// A convolution packed for the twin.
#[derive(Clone, Debug)]
pub struct Packed {
    kernel: [usize; 2],
    padding: Padding,
    input: Stored,
    output: Stored,
    /// `[outputs / OUTPUTS][kh · kw · inputs][OUTPUTS]`, the last panel `NARROW` wide where that suffices.
    panels: Vec<f32>,
    bias: Vec<f32>,
    finish: Finish,
    /// Where the field of each pixel of the output begins.
    fields: Vec<u32>,
}

impl Packed {
    /// Packs the weights of a convolution without groups and dilation from one stored map to another.
    pub fn new(c: &Convolution, from: Map, input: Stored, output: Stored) -> Self {
        let taps = c.kernel[0] * c.kernel[1];
        let depth = taps * input.pitch;
        let width = input.width + c.padding.left + c.padding.right;
        let field = |[y, x]: [usize; 2]| (y * c.stride[0] * width + x * c.stride[1]) * input.pitch;
        let pixels = (0..output.height).flat_map(|y| (0..output.width).map(move |x| [y, x]));
        let mut panels = Vec::with_capacity(depth * output.pitch);
        let mut first = 0;
        while first < output.pitch {
            let width = panel(output.pitch - first);
            for (tap, channel) in (0..taps).flat_map(|tap| (0..input.pitch).map(move |channel| (tap, channel))) {
                panels.extend((first..first + width).map(|o| {
                    let inside = channel < from.channels && o < c.bias.len();
                    if inside { c.weight[(o * taps + tap) * from.channels + channel] } else { 0.0 }
                }));
            }
            first += width;
        }
        Self {
            kernel: c.kernel,
            padding: c.padding,
            input,
            output,
            panels,
            bias: padded(&c.bias, output.pitch),
            finish: Finish::new(&c.activation, output.pitch),
            fields: pixels.map(|pixel| field(pixel) as u32).collect(),
        }
    }

    /// One image, in as many bands as there are threads for it. `border` is scratch.
    pub fn run(&self, x: &[f32], residual: Option<&[f32]>, border: &mut Vec<f32>, threads: usize, out: &mut [f32]) {
        let (x, width) = with_border(x, self.input, self.padding, border);
        let (pitch, depth) = (self.output.pitch, self.kernel[0] * self.kernel[1] * self.input.pitch);
        let tiles = bands(self.output.area().div_ceil(PIXELS), PIXELS * pitch * depth, threads);
        let length = tiles * PIXELS * pitch;
        for_each_chunk(out, length, |band, out| {
            let residual = residual.map(|residual| &residual[band * length..][..out.len()]);
            let fields = &self.fields[band * tiles * PIXELS..];
            Arch::new().dispatch(Run { packed: self, panels: &self.panels, x, width, fields, residual, out });
            self.finish.apply_rest(pitch, out);
        });
    }
}

/// Products of rows with a matrix whose panels are made while a network runs.
#[derive(Clone, Debug)]
pub(super) struct Product {
    packed: Packed,
}

impl Product {
    /// Of rows of `depth` values, with a matrix `[depth, outputs]`.
    pub fn new(depth: usize, outputs: usize) -> Self {
        let row = |pitch| Stored { height: 1, width: 1, pitch };
        let pitch = outputs.next_multiple_of(NARROW);
        let packed = Packed {
            kernel: [1; 2],
            padding: Padding::NONE,
            input: row(depth),
            output: row(pitch),
            panels: Vec::new(),
            bias: vec![0.0; pitch],
            finish: Finish::None,
            fields: Vec::new(),
        };
        Self { packed }
    }

    /// Values of a row of the output.
    pub fn pitch(&self) -> usize {
        self.packed.output.pitch
    }

    /// Values of the matrix in panels, as [`panel_order`] has them.
    pub fn size(&self) -> usize {
        self.packed.input.pitch * self.pitch()
    }

    /// Of the rows of `x` that begin at `fields`.
    pub fn run(&self, panels: &[f32], x: &[f32], fields: &[u32], out: &mut [f32]) {
        Arch::new().dispatch(Run { packed: &self.packed, panels, x, width: 0, fields, residual: None, out });
    }
}

/// The panels of a matrix `[depth, outputs]`: the first output of each, how many it has, and where it begins. A panel is
/// `[depth, its outputs]`.
pub(super) fn panel_order(outputs: usize, depth: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    let pitch = outputs.next_multiple_of(NARROW);
    let next = move |first: usize| (first < pitch).then(|| (first, panel(pitch - first), first * depth));
    std::iter::successors(next(0), move |&(first, width, _)| next(first + width))
}

/// A band of the output.
struct Run<'a> {
    packed: &'a Packed,
    panels: &'a [f32],
    /// The whole map.
    x: &'a [f32],
    /// Pixels of a row of `x`.
    width: usize,
    /// Where the fields of the band's pixels begin.
    fields: &'a [u32],
    residual: Option<&'a [f32]>,
    out: &'a mut [f32],
}

/// The outputs that are worked on.
#[derive(Clone, Copy)]
struct Panel<'a> {
    weights: &'a [f32],
    /// The first of them.
    first: usize,
}

impl WithSimd for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let Packed { kernel, input, output, .. } = *self.packed;
        let depth = kernel[0] * kernel[1] * input.pitch;
        let pixels = self.out.len() / output.pitch;
        // Of nearly the same size.
        let block = pixels.div_ceil(pixels.div_ceil(PIXEL_BLOCK)).next_multiple_of(PIXELS);
        for start in (0..pixels).step_by(block) {
            let block = start..pixels.min(start + block);
            let mut first = 0;
            while first < output.pitch {
                let outputs = panel(output.pitch - first);
                let panel = Panel { weights: &self.panels[first * depth..][..outputs * depth], first };
                match outputs / S::F32_LANES {
                    1 => self.block::<S, 1>(simd, panel, block.clone()),
                    2 => self.block::<S, 2>(simd, panel, block.clone()),
                    4 => self.block::<S, 4>(simd, panel, block.clone()),
                    8 => self.block::<S, 8>(simd, panel, block.clone()),
                    _ => self.block::<S, 16>(simd, panel, block.clone()),
                }
                first += outputs;
            }
        }
    }
}

impl Run<'_> {
    #[inline(always)]
    fn block<S: Simd, const V: usize>(&mut self, simd: S, panel: Panel, pixels: Range<usize>) {
        let mut pixel = pixels.start;
        while pixel + PIXELS <= pixels.end {
            self.tile::<S, V, PIXELS>(simd, panel, pixel);
            pixel += PIXELS;
        }
        // One after the other, and not a choice of one tile: LLVM makes a call through a table of that, V8 puts such a callee into
        // this function all the same, and the networks run at 0.6 of their speed.
        const { assert!(PIXELS <= 8) };
        let rest = pixels.end - pixel;
        if rest & 4 != 0 {
            self.tile::<S, V, 4>(simd, panel, pixel);
            pixel += 4;
        }
        if rest & 2 != 0 {
            self.tile::<S, V, 2>(simd, panel, pixel);
            pixel += 2;
        }
        if rest & 1 != 0 {
            self.tile::<S, V, 1>(simd, panel, pixel);
        }
    }

    /// `V` vectors of outputs for `P` pixels. In wasm a function of its own: in one that has the loops of all tiles V8 does
    /// not keep the sums in registers, and with overflow checks the networks ran at 0.5 to 0.85 of their speed.
    ///
    /// Places wrap around instead of being checked: a check calls a function so small that V8 puts it into this one, by chance of
    /// its size, and the networks ran at 0.7 of their speed. The slices that are taken there are checked.
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    fn tile<S: Simd, const V: usize, const P: usize>(&mut self, simd: S, panel: Panel, pixel: usize) {
        let packed = self.packed;
        let out_pitch = packed.output.pitch;
        let [run, row] = [packed.kernel[1], self.width].map(|pixels| pixels.wrapping_mul(packed.input.pitch));
        let outputs = V * S::F32_LANES;
        let bias = vectors::<S, V>(&packed.bias[panel.first..]);
        let mut sums = [*bias; P];
        let starts: &[u32; P] = first(&self.fields[pixel..]);
        for (ky, weights) in panel.weights.chunks_exact(run.wrapping_mul(outputs)).enumerate() {
            let fields: [&[f32]; P] = std::array::from_fn(
                #[inline(always)]
                |p| &self.x[(starts[p] as usize).wrapping_add(ky.wrapping_mul(row))..][..run],
            );
            let weights = &S::as_simd_f32s(weights).0.as_chunks::<V>().0[..run];
            let unrolled: [&[[f32; UNROLLED]]; P] = std::array::from_fn(
                #[inline(always)]
                |p| &fields[p].as_chunks().0[..run / UNROLLED],
            );
            for (k, weights) in weights.as_chunks::<UNROLLED>().0.iter().enumerate().take(run / UNROLLED) {
                for (j, weights) in weights.iter().enumerate() {
                    for p in 0..P {
                        let value = simd.splat_f32s(unrolled[p][k][j]);
                        for v in 0..V {
                            sums[p][v] = simd.mul_add_e_f32s(value, weights[v], sums[p][v]);
                        }
                    }
                }
            }
            for k in run - run % UNROLLED..run {
                for p in 0..P {
                    let value = simd.splat_f32s(fields[p][k]);
                    for v in 0..V {
                        sums[p][v] = simd.mul_add_e_f32s(value, weights[k][v], sums[p][v]);
                    }
                }
            }
        }
        let zero = simd.splat_f32s(0.0);
        let relu = matches!(packed.finish, Finish::Relu);
        for (p, sums) in sums.iter_mut().enumerate() {
            let place = panel.first.wrapping_add(pixel.wrapping_add(p).wrapping_mul(out_pitch));
            if let Some(residual) = self.residual {
                let residual = vectors::<S, V>(&residual[place..]);
                for v in 0..V {
                    sums[v] = simd.add_f32s(sums[v], residual[v]);
                }
            }
            let out = &mut S::as_mut_simd_f32s(&mut self.out[place..][..outputs]).0[..V];
            for v in 0..V {
                // In this order a NaN stays one.
                out[v] = if relu { simd.max_f32s(zero, sums[v]) } else { sums[v] };
            }
        }
    }
}

#[inline(always)]
pub(super) fn vectors<S: Simd, const V: usize>(values: &[f32]) -> &[S::f32s; V] {
    first(S::as_simd_f32s(&values[..V * S::F32_LANES]).0)
}

#[inline(always)]
pub(super) fn first<T, const N: usize>(values: &[T]) -> &[T; N] {
    values.first_chunk().unwrap_or_else(|| unreachable!("a tile is within the map"))
}

/// The width of the next panel.
fn panel(outputs: usize) -> usize {
    if outputs > NARROW { OUTPUTS } else { NARROW }
}

#[cfg(test)]
mod tests {
    use super::{Depth, Tile, tile};

    #[test]
    fn hardware_gets_the_tile_that_the_size_asks_for() {
        let planned = |taps, inputs, pixels, outputs| tile(taps, inputs, pixels, outputs, false);
        // One image through a late layer of a small network, and through the last: threads share what there is.
        assert_eq!(planned(9, 28, 72, 28), Tile::shared(2, 2, [4, 2], 16));
        assert_eq!(planned(1, 160, 1, 64), Tile::shared(2, 2, [4, 2], 16));
        // Through one of a large network, and a batch through it.
        assert_eq!(planned(9, 128, 128, 128), Tile::staged(2, 1, [16, 16], 8));
        assert_eq!(planned(9, 128, 32 * 128, 128), Tile::staged(8, 1, [8, 16], 4));
        // Photos, and channels that are no multiple of what is staged.
        for inputs in [1, 6, 7] {
            assert!(matches!(planned(49, inputs, 32 * 8192, 16).depth, Depth::Shared(_)), "{inputs}");
        }
    }
}
