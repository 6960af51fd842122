//! Max and average pooling over windows, as PyTorch has them: padding never is the largest, and counts as zeros in a mean, or
//! not at all.
//!
//! Buffers: x, out.

use super::{Stored, bands, window, words};
use crate::kernels::parallel::for_each_chunk;
use crate::kernels::simd::{larger, vectorised};
use crate::kernels::{Dispatch, Kernel, shader::wgsl};
use crate::step::Pool;

pub const KERNEL: Kernel = Kernel { name: "pool", wgsl: wgsl!("frozen/pool") };

pub fn dispatch(batch: usize, maximum: bool, pool: Pool, from: Stored, to: Stored) -> Dispatch {
    let pixels = batch * to.area();
    let mut params = words(window(from, to, [pool.kernel, pool.stride], pool.padding));
    params.extend(words([pool.padding.bottom, pool.padding.right, pixels]));
    params.extend([u32::from(maximum), u32::from(pool.count_padding)]);
    Dispatch::threads(params, pixels * to.vecs())
}

/// A pooling step.
#[derive(Clone, Debug)]
pub struct Packed {
    maximum: bool,
    window: Pool,
    input: Stored,
    output: Stored,
}

impl Packed {
    pub fn new(maximum: bool, window: Pool, input: Stored, output: Stored) -> Self {
        Self { maximum, window, input, output }
    }

    /// One image, in as many bands of rows as there are threads for it.
    pub fn run(&self, x: &[f32], threads: usize, out: &mut [f32]) {
        let row = self.output.width * self.output.pitch;
        let rows = bands(self.output.height, row * self.window.kernel[0] * self.window.kernel[1], threads);
        for_each_chunk(out, rows * row, |band, out| self.band(x, band * rows * self.output.width, out));
    }

    /// A band of the output, from this pixel on.
    fn band(&self, x: &[f32], first: usize, out: &mut [f32]) {
        vectorised(
            #[inline(always)]
            || {
                let pitch = self.output.pitch;
                for (place, out) in (first..).zip(out.chunks_exact_mut(pitch)) {
                    let (rows, row_count) = self.span(0, place / self.output.width, self.input.height);
                    let (columns, column_count) = self.span(1, place % self.output.width, self.input.width);
                    out.fill(if self.maximum { f32::NEG_INFINITY } else { 0.0 });
                    for (y, x_) in rows.flat_map(|y| columns.clone().map(move |x| (y, x))) {
                        let pixel = &x[(y * self.input.width + x_) * pitch..][..pitch];
                        if self.maximum {
                            out.iter_mut().zip(pixel).for_each(|(out, value)| *out = larger(*value, *out));
                        } else {
                            out.iter_mut().zip(pixel).for_each(|(out, value)| *out += value);
                        }
                    }
                    if !self.maximum {
                        let share = 1.0 / (row_count * column_count) as f32;
                        out.iter_mut().for_each(|out| *out *= share);
                    }
                }
            },
        );
    }

    /// What a window covers of the map along an axis, and how many values it averages: with `ceil`, what a last window has
    /// beyond the padding is none.
    #[inline(always)]
    fn span(&self, axis: usize, place: usize, size: usize) -> (std::ops::Range<usize>, usize) {
        let (kernel, [before, after]) = (self.window.kernel[axis], self.window.padding.along(axis));
        let start = place * self.window.stride[axis];
        let covered = start.saturating_sub(before)..(start + kernel).saturating_sub(before).min(size);
        let count = if self.window.count_padding { kernel.min(size + before + after - start) } else { covered.len() };
        (covered, count)
    }
}
