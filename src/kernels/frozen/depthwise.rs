//! Depthwise convolution: each channel with a kernel of its own, bias and activation.
//!
//! Buffers: x, weights `[kh · kw, pitch]`, bias and slopes `[2, pitch]`, out.

use pulp::{Arch, Simd, WithSimd};

use super::{Finish, Stored, bands, code, padded, parameters, window, with_border, words};
use crate::kernels::parallel::for_each_chunk;
use crate::kernels::{Dispatch, Kernel, shader::wgsl};
use crate::step::{Convolution, Padding};

pub const KERNEL: Kernel = Kernel { name: "depthwise", wgsl: wgsl!("frozen/depthwise", "parts/finish") };

/// The two buffers of weights.
pub fn weights(c: &Convolution, pitch: usize) -> [Vec<f32>; 2] {
    let weights = c.weight.chunks_exact(c.bias.len()).flat_map(|weights| padded(weights, pitch)).collect();
    [weights, [padded(&c.bias, pitch), parameters(&c.activation, pitch)].concat()]
}

pub fn dispatch(batch: usize, c: &Convolution, from: Stored, to: Stored) -> Dispatch {
    let pixels = batch * to.area();
    let mut params = words(window(from, to, [c.kernel, c.stride], c.padding));
    params.extend(words([c.dilation[0], c.dilation[1], pixels]));
    params.push(code(&c.activation));
    Dispatch::threads(params, pixels * to.vecs())
}

/// A depthwise convolution packed for the twin.
#[derive(Clone, Debug)]
pub struct Packed {
    kernel: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    padding: Padding,
    input: Stored,
    output: Stored,
    /// `[kh · kw, pitch]`
    weight: Vec<f32>,
    bias: Vec<f32>,
    finish: Finish,
}

impl Packed {
    pub fn new(c: &Convolution, input: Stored, output: Stored) -> Self {
        let weight = c.weight.chunks_exact(c.bias.len()).flat_map(|weights| padded(weights, output.pitch)).collect();
        Self {
            kernel: c.kernel,
            stride: c.stride,
            dilation: c.dilation,
            padding: c.padding,
            input,
            output,
            weight,
            bias: padded(&c.bias, output.pitch),
            finish: Finish::new(&c.activation, output.pitch),
        }
    }

    /// One image, in as many bands of rows as there are threads for it. `border` is scratch.
    pub fn run(&self, x: &[f32], border: &mut Vec<f32>, threads: usize, out: &mut [f32]) {
        let (x, width) = with_border(x, self.input, self.padding, border);
        let row = self.output.width * self.output.pitch;
        let rows = bands(self.output.height, row * self.kernel[0] * self.kernel[1], threads);
        let step = rows * self.stride[0] * width * self.input.pitch;
        for_each_chunk(out, rows * row, |band, out| {
            Arch::new().dispatch(Run { packed: self, x: &x[band * step..], width, out });
            self.finish.apply_rest(self.output.pitch, out);
        });
    }
}

/// A band of rows of the output.
struct Run<'a> {
    packed: &'a Packed,
    /// From the first row's field on.
    x: &'a [f32],
    /// Pixels of a row of `x`.
    width: usize,
    out: &'a mut [f32],
}

impl WithSimd for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let Packed { kernel, stride, dilation, input, output, .. } = *self.packed;
        for y in 0..self.out.len() / (output.width * output.pitch) {
            for first in (0..output.pitch).step_by(S::F32_LANES) {
                let start = y * stride[0] * self.width * input.pitch + first;
                if kernel == [3; 2] && stride == [1; 2] && dilation == [1; 2] {
                    self.three_by_three(simd, y, first);
                } else {
                    self.any(simd, start, y, first);
                }
            }
        }
    }
}

impl Run<'_> {
    /// A row of one vector of channels. A column of three pixels belongs to three outputs, whose sums go on from column to
    /// column, so that each value of the input is read once for each row of the kernel.
    #[inline(always)]
    fn three_by_three<S: Simd>(&mut self, simd: S, y: usize, first: usize) {
        let (pitch, columns) = (self.packed.input.pitch, self.packed.output.width);
        let weight: [S::f32s; 9] = std::array::from_fn(
            #[inline(always)]
            |tap| vector::<S>(&self.packed.weight[tap * pitch + first..]),
        );
        let bias = vector::<S>(&self.packed.bias[first..]);
        let (vectors, place) = (pitch / S::F32_LANES, first / S::F32_LANES);
        // Pixel after pixel rather than by places, whose products would be checked for overflow.
        let [mut top, mut centre, mut bottom] = std::array::from_fn(
            #[inline(always)]
            |ky| {
                let row = &self.x[(y + ky) * self.width * pitch..][..(columns + 2) * pitch];
                S::as_simd_f32s(row).0.chunks_exact(vectors).map(
                    #[inline(always)]
                    move |pixel| pixel[place],
                )
            },
        );
        let zero = simd.splat_f32s(0.0);
        let [first, second]: [[S::f32s; 3]; 2] = std::array::from_fn(
            #[inline(always)]
            |_| {
                [top.next(), centre.next(), bottom.next()].map(
                    #[inline(always)]
                    |value| value.unwrap_or(zero),
                )
            },
        );
        let mut left = add(
            simd,
            add(simd, bias, first, [weight[0], weight[3], weight[6]]),
            second,
            [weight[1], weight[4], weight[7]],
        );
        let mut middle = add(simd, bias, second, [weight[0], weight[3], weight[6]]);
        let relu = matches!(self.packed.finish, Finish::Relu);
        let out = &mut self.out[y * columns * pitch..][..columns * pitch];
        let out = S::as_mut_simd_f32s(out).0.chunks_exact_mut(vectors);
        for (((out, top), centre), bottom) in out.zip(top).zip(centre).zip(bottom) {
            let values = [top, centre, bottom];
            let sum = add(simd, left, values, [weight[2], weight[5], weight[8]]);
            left = add(simd, middle, values, [weight[1], weight[4], weight[7]]);
            middle = add(simd, bias, values, [weight[0], weight[3], weight[6]]);
            // In this order a NaN stays one.
            out[place] = if relu { simd.max_f32s(zero, sum) } else { sum };
        }
    }

    #[inline(always)]
    fn any<S: Simd>(&mut self, simd: S, start: usize, y: usize, first: usize) {
        let Packed { kernel, stride, dilation, output, .. } = *self.packed;
        let pitch = output.pitch;
        let zero = simd.splat_f32s(0.0);
        for place in 0..output.width {
            let mut sum = vector::<S>(&self.packed.bias[first..]);
            for tap in 0..kernel[0] * kernel[1] {
                let (ky, kx) = (tap / kernel[1] * dilation[0], tap % kernel[1] * dilation[1]);
                let value = vector::<S>(&self.x[start + (ky * self.width + place * stride[1] + kx) * pitch..]);
                sum = simd.mul_add_e_f32s(value, vector::<S>(&self.packed.weight[tap * pitch + first..]), sum);
            }
            let sum = if matches!(self.packed.finish, Finish::Relu) { simd.max_f32s(zero, sum) } else { sum };
            let place = (y * output.width + place) * pitch + first;
            S::as_mut_simd_f32s(&mut self.out[place..][..S::F32_LANES]).0[0] = sum;
        }
    }
}

#[inline(always)]
fn vector<S: Simd>(values: &[f32]) -> S::f32s {
    S::as_simd_f32s(&values[..S::F32_LANES]).0[0]
}

#[inline(always)]
fn add<S: Simd>(simd: S, sum: S::f32s, column: [S::f32s; 3], weight: [S::f32s; 3]) -> S::f32s {
    let sum = simd.mul_add_e_f32s(column[0], weight[0], sum);
    let sum = simd.mul_add_e_f32s(column[1], weight[1], sum);
    simd.mul_add_e_f32s(column[2], weight[2], sum)
}
