//! The mean over all pixels, plain or generalised (GeM), or the largest of them, then scaled, shifted and activated: with the
//! BN neck, the end of a re-identification network.
//!
//! Buffers: x, scale, shift and slopes `[3, pitch]`, out (one pixel).

use super::elementwise::PaddedAffine;
use super::{Finish, Stored, code, lanes, words};
use crate::kernels::simd::{larger, vectorised};
use crate::kernels::{Dispatch, Kernel, shader::wgsl};
use crate::step::{Activation, Affine, Reduce};

pub const KERNEL: Kernel = Kernel { name: "global_pool", wgsl: wgsl!("frozen/global_pool", "parts/finish") };

pub fn dispatch(batch: usize, reduce: Reduce, activation: &Activation, from: Stored) -> Dispatch {
    let lanes = lanes(from.vecs());
    let mut params = words([batch, from.area(), from.vecs(), lanes]);
    let (reduce, exponent, smallest) = match reduce {
        Reduce::Mean => (0, 1.0, 0.0),
        Reduce::Generalised { exponent, eps } => (1, exponent, eps),
        Reduce::Maximum => (2, 1.0, f32::MIN),
    };
    params.extend([reduce, exponent.to_bits(), smallest.to_bits(), code(activation)]);
    Dispatch::new(params, batch * from.vecs().div_ceil(lanes))
}

/// A global pool packed for the twin.
#[derive(Clone, Debug)]
pub struct Packed {
    reduce: Reduce,
    input: Stored,
    affine: Option<PaddedAffine>,
    finish: Finish,
}

impl Packed {
    pub fn new(reduce: Reduce, affine: Option<&Affine>, activation: &Activation, input: Stored) -> Self {
        Self {
            reduce,
            input,
            affine: affine.map(|affine| PaddedAffine::new(affine, input.pitch)),
            finish: Finish::new(activation, input.pitch),
        }
    }

    /// One image; `out` is one pixel.
    pub fn run(&self, x: &[f32], out: &mut [f32]) {
        match self.reduce {
            Reduce::Mean => mean(x, self.input, out),
            Reduce::Maximum => largest(x, f32::NEG_INFINITY, out),
            Reduce::Generalised { exponent, eps } => {
                // The largest is taken out, so that neither a tiny map nor a large exponent leaves f32's range.
                largest(x, eps, out);
                let largest = out.to_vec();
                out.fill(0.0);
                for pixel in x.chunks_exact(self.input.pitch) {
                    for ((out, value), largest) in out.iter_mut().zip(pixel).zip(&largest) {
                        *out += (larger(*value, eps) / largest).powf(exponent);
                    }
                }
                let share = 1.0 / self.input.area() as f32;
                for (out, largest) in out.iter_mut().zip(&largest) {
                    *out = largest * (*out * share).powf(1.0 / exponent);
                }
            }
        }
        self.affine.iter().for_each(|affine| affine.apply(out));
        self.finish.apply_relu(out);
        self.finish.apply_rest(self.input.pitch, out);
    }
}

/// The largest of each channel, and `least` at least.
fn largest(x: &[f32], least: f32, out: &mut [f32]) {
    out.fill(least);
    for pixel in x.chunks_exact(out.len()) {
        out.iter_mut().zip(pixel).for_each(|(out, value)| *out = larger(*value, *out));
    }
}

/// The mean of each channel.
pub(super) fn mean(x: &[f32], map: Stored, out: &mut [f32]) {
    vectorised(
        #[inline(always)]
        || {
            out.fill(0.0);
            for pixel in x.chunks_exact(map.pitch) {
                out.iter_mut().zip(pixel).for_each(|(out, value)| *out += value);
            }
            let share = 1.0 / map.area() as f32;
            out.iter_mut().for_each(|out| *out *= share);
        },
    );
}
