//! Convolution in groups of channels, with bias, a residual and an activation. Some outputs at a time are summed over the span
//! of inputs that their groups see, where what another of them sees has no weight. On the CPU it takes dilation as well.
//!
//! Buffers: x as values, weights `[outputs / 4, kh · kw, span, 4]`, bias and what the activation takes `[2, pitch]`, the
//! residual (or again x), out.

use pulp::{Arch, Simd, WithSimd};

use super::conv::{first, vectors};
use super::{Finish, Stored, VEC, bands, code, padded, parameters, with_border, words};
use crate::kernels::parallel::for_each_chunk;
use crate::kernels::{Dispatch, Kernel, shader::wgsl};
use crate::step::{Convolution, Padding};

pub const KERNEL: Kernel = Kernel { name: "grouped", wgsl: wgsl!("frozen/grouped", "parts/finish") };

/// Pixels of a workgroup.
const GROUP_PIXELS: usize = 128;

/// The two buffers of weights, of which the bias gives how many outputs there are.
pub fn weights(c: &Convolution, channels: usize, to: Stored) -> [Vec<f32>; 2] {
    let weights = Spans::new(c, channels, VEC).packed(c, to.pitch);
    [weights, [padded(&c.bias, to.pitch), parameters(&c.activation, to.pitch)].concat()]
}

pub fn dispatch(batch: usize, c: &Convolution, channels: usize, residual: bool, from: Stored, to: Stored) -> Dispatch {
    let pixels = batch * to.area();
    let spans = Spans::new(c, channels, VEC);
    let mut params = words([from.height, from.width, from.pitch, channels, to.height, to.width, to.vecs()]);
    params.extend(words([c.kernel, c.stride, [c.padding.top, c.padding.left], c.dilation].concat()));
    params.extend(words([pixels, spans.inputs, spans.outputs, spans.length]));
    params.extend([u32::from(residual), code(&c.activation)]);
    Dispatch::new(params, to.vecs() * pixels.div_ceil(GROUP_PIXELS))
}

/// What the outputs of a block see.
#[derive(Clone, Copy, Debug)]
struct Spans {
    channels: usize,
    /// Inputs and outputs of a group.
    inputs: usize,
    outputs: usize,
    /// Outputs of a block.
    block: usize,
    /// Inputs of a block: as many for every one.
    length: usize,
}

impl Spans {
    fn new(c: &Convolution, channels: usize, block: usize) -> Self {
        let (inputs, outputs) = (channels / c.groups, c.bias.len() / c.groups);
        let reached = |first: usize| (first + block - 1).min(c.bias.len() - 1) / outputs - first / outputs + 1;
        let most = (0..c.bias.len()).step_by(block).map(reached).max().unwrap_or(1);
        Self { channels, inputs, outputs, block, length: most * inputs }
    }

    /// The first input of the block that begins with an output.
    fn first(self, output: usize) -> usize {
        (output / self.outputs * self.inputs).min(self.channels - self.length)
    }

    /// Weights `[outputs, taps, inputs]` as `[pitch / block, taps, length, block]`.
    fn packed(self, c: &Convolution, pitch: usize) -> Vec<f32> {
        let Self { inputs, outputs, block, length, .. } = self;
        let taps = c.kernel[0] * c.kernel[1];
        let mut packed = vec![0.0; pitch.next_multiple_of(block) * taps * length];
        for (output, row) in c.weight.chunks_exact(taps * inputs).enumerate() {
            let begin = output / block * block;
            let skipped = output / outputs * inputs - self.first(begin);
            let to = &mut packed[begin * taps * length + output % block..];
            for (tap, row) in row.chunks_exact(inputs).enumerate() {
                for (input, value) in row.iter().enumerate() {
                    to[(tap * length + skipped + input) * block] = *value;
                }
            }
        }
        packed
    }
}

/// Pixels worked on at once.
const PIXELS: usize = 6;
/// Outputs worked on at once.
const OUTPUTS: usize = 8;

/// A convolution packed for the twin.
#[derive(Clone, Debug)]
pub struct Packed {
    padding: Padding,
    input: Stored,
    output: Stored,
    spans: Spans,
    /// `[outputs / OUTPUTS][kh · kw][span][OUTPUTS]`
    weights: Vec<f32>,
    bias: Vec<f32>,
    finish: Finish,
    /// Where the field of each pixel of the output begins, and each place of the kernel within it.
    fields: Vec<u32>,
    taps: Vec<usize>,
}

impl Packed {
    pub fn new(c: &Convolution, channels: usize, input: Stored, output: Stored) -> Self {
        let width = input.width + c.padding.left + c.padding.right;
        let places = |[height, columns]: [usize; 2], [down, across]: [usize; 2]| {
            let rows = (0..height).map(move |y| y * down * width * input.pitch);
            rows.flat_map(move |row| (0..columns).map(move |x| row + x * across * input.pitch))
        };
        let spans = Spans::new(c, channels, OUTPUTS);
        Self {
            padding: c.padding,
            input,
            output,
            spans,
            weights: spans.packed(c, output.pitch),
            bias: padded(&c.bias, output.pitch),
            finish: Finish::new(&c.activation, output.pitch),
            fields: places([output.height, output.width], c.stride).map(|place| place as u32).collect(),
            taps: places(c.kernel, c.dilation).collect(),
        }
    }

    /// One image, in as many bands as there are threads for it. `border` is scratch.
    pub fn run(&self, x: &[f32], residual: Option<&[f32]>, border: &mut Vec<f32>, threads: usize, out: &mut [f32]) {
        let (x, _) = with_border(x, self.input, self.padding, border);
        let pitch = self.output.pitch;
        let work = PIXELS * pitch * self.taps.len() * self.spans.length;
        let length = bands(self.output.area().div_ceil(PIXELS), work, threads) * PIXELS * pitch;
        for_each_chunk(out, length, |band, out| {
            let residual = residual.map(|residual| &residual[band * length..][..out.len()]);
            let fields = &self.fields[band * length / pitch..];
            Arch::new().dispatch(Run { packed: self, x, fields, residual, out });
            self.finish.apply_rest(pitch, out);
        });
    }
}

/// A band of the output.
struct Run<'a> {
    packed: &'a Packed,
    /// The whole map.
    x: &'a [f32],
    /// Where the fields of the band's pixels begin.
    fields: &'a [u32],
    residual: Option<&'a [f32]>,
    out: &'a mut [f32],
}

impl WithSimd for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        match OUTPUTS / S::F32_LANES {
            1 => self.blocks::<S, 1>(simd),
            2 => self.blocks::<S, 2>(simd),
            4 => self.blocks::<S, 4>(simd),
            _ => self.blocks::<S, 8>(simd),
        }
    }
}

impl Run<'_> {
    #[inline(always)]
    fn blocks<S: Simd, const V: usize>(&mut self, simd: S) {
        let pitch = self.packed.output.pitch;
        let pixels = self.out.len() / pitch;
        for output in (0..pitch).step_by(OUTPUTS) {
            let mut pixel = 0;
            while pixel + PIXELS <= pixels {
                self.tile::<S, V, PIXELS>(simd, output, pixel);
                pixel += PIXELS;
            }
            while pixel < pixels {
                self.tile::<S, V, 1>(simd, output, pixel);
                pixel += 1;
            }
        }
    }

    /// `V` vectors of outputs, from one on, for `P` pixels.
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    fn tile<S: Simd, const V: usize, const P: usize>(&mut self, simd: S, output: usize, pixel: usize) {
        let packed = self.packed;
        let span = packed.spans.length;
        let from = packed.spans.first(output);
        let mut sums = [*vectors::<S, V>(&packed.bias[output..]); P];
        let starts: &[u32; P] = first(&self.fields[pixel..]);
        let weights = &packed.weights[output * packed.taps.len() * span..];
        for (tap, weights) in packed.taps.iter().zip(weights.chunks_exact(span * OUTPUTS)) {
            let fields: [&[f32]; P] = std::array::from_fn(
                #[inline(always)]
                |p| &self.x[starts[p] as usize + tap + from..][..span],
            );
            let weights = &S::as_simd_f32s(weights).0.as_chunks::<V>().0[..span];
            for k in 0..span {
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
            let place = output + (pixel + p) * packed.output.pitch;
            let out = &mut S::as_mut_simd_f32s(&mut self.out[place..][..OUTPUTS]).0[..V];
            for v in 0..V {
                if let Some(residual) = self.residual {
                    sums[v] = simd.add_f32s(sums[v], vectors::<S, V>(&residual[place..])[v]);
                }
                // In this order a NaN stays one.
                out[v] = if relu { simd.max_f32s(zero, sums[v]) } else { sums[v] };
            }
        }
    }
}
