//! A map in another size, each pixel between four of the old ones. By the nearest pixel it is a [`gather`](super::gather).
//!
//! Buffers: x, the places of rows and columns as [`table`] makes them, out.

use super::{Stored, words};
use crate::kernels::simd::vectorised;
use crate::kernels::{Dispatch, Kernel, shader::wgsl};
use crate::step::ResizeRule;

pub const KERNEL: Kernel = Kernel { name: "resize", wgsl: wgsl!("frozen/resize") };

pub fn dispatch(batch: usize, from: Stored, to: Stored) -> Dispatch {
    let pixels = batch * to.area();
    Dispatch::threads(words([pixels, from.height, from.width, to.height, to.width, to.vecs()]), pixels * to.vecs())
}

/// For each row and then each column of the output the two that it lies between, and the share of the second in bits.
pub fn table(rule: ResizeRule, from: Stored, to: Stored) -> Vec<u32> {
    let axis = |from: usize, to: usize| {
        (0..to).flat_map(move |place| {
            let at = position(rule, place, from, to).clamp(0.0, (from - 1) as f64);
            let first = at as usize;
            [first as u32, (first + 1).min(from - 1) as u32, ((at - first as f64) as f32).to_bits()]
        })
    };
    axis(from.height, to.height).chain(axis(from.width, to.width)).collect()
}

/// The pixel of the input that is nearest to each of the output's. Between two, half a pixel counts for the first, as in ONNX;
/// where both begin at the same corner, it is the one that begins before, as in PyTorch.
pub fn nearest(rule: ResizeRule, from: Stored, to: Stored) -> Vec<u32> {
    let along = |place: usize, from: usize, to: usize| match rule {
        ResizeRule::Asymmetric => place * from / to,
        rule => ((position(rule, place, from, to) - 0.5).ceil().max(0.0) as usize).min(from - 1),
    };
    let pixels = (0..to.height).flat_map(|y| (0..to.width).map(move |x| (y, x)));
    let place = |(y, x)| along(y, from.height, to.height) * from.width + along(x, from.width, to.width);
    pixels.map(|pixel| place(pixel) as u32).collect()
}

/// Where a place of the output lies in the input.
fn position(rule: ResizeRule, place: usize, from: usize, to: usize) -> f64 {
    match rule {
        ResizeRule::HalfPixel => ((2 * place + 1) * from) as f64 / (2 * to) as f64 - 0.5,
        ResizeRule::AlignCorners => (place * (from - 1)) as f64 / to.saturating_sub(1).max(1) as f64,
        ResizeRule::Asymmetric => (place * from) as f64 / to as f64,
    }
}

/// The twin: one image.
pub fn run(x: &[f32], table: &[u32], from: Stored, to: Stored, out: &mut [f32]) {
    let pitch = to.pitch;
    let (lines, _) = table.as_chunks::<3>();
    let (rows, columns) = lines.split_at(to.height);
    vectorised(
        #[inline(always)]
        || {
            let pixels = rows.iter().flat_map(|row| columns.iter().map(move |column| (row, column)));
            for (out, (&[top, bottom, down], &[left, right, across])) in out.chunks_exact_mut(pitch).zip(pixels) {
                let pixel = |y: u32, x_: u32| &x[(y as usize * from.width + x_ as usize) * pitch..][..pitch];
                let [above, below] = [top, bottom].map(|y| [pixel(y, left), pixel(y, right)]);
                let (down, across) = (f32::from_bits(down), f32::from_bits(across));
                for (i, out) in out.iter_mut().enumerate() {
                    let [above, below] = [above, below].map(|[left, right]| left[i] + across * (right[i] - left[i]));
                    *out = above + down * (below - above);
                }
            }
        },
    );
}
