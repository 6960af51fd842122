//! Values combined one by one, then scaled and shifted channel by channel, then activated.
//!
//! Buffers: the first input, the second (or again the first, or the constant), scale, shift and slopes `[3, pitch]`, out.

use super::{Finish, Stored, code, padded, words};
use crate::kernels::simd::vectorised;
use crate::kernels::{Dispatch, Kernel, shader::wgsl};
use crate::step::{Activation, Affine, Combine};

pub const KERNEL: Kernel = Kernel { name: "elementwise", wgsl: wgsl!("frozen/elementwise", "parts/finish") };

/// With `constant` the second is the same for every image.
pub fn dispatch(batch: usize, combine: Combine, constant: bool, activation: &Activation, map: Stored) -> Dispatch {
    let size = map.area() * map.vecs();
    let mut params = words([batch * size, size, map.vecs()]);
    let combine = match (combine, constant) {
        (Combine::One, _) => 0,
        (Combine::Add, false) => 1,
        (Combine::Multiply, false) => 2,
        (Combine::Scale, _) => 3,
        (Combine::Subtract, _) => 4,
        (Combine::Place, _) => 5,
        (Combine::Add, true) => 6,
        (Combine::Multiply, true) => 7,
    };
    params.extend([combine, code(activation)]);
    Dispatch::threads(params, batch * size)
}

/// An elementwise step packed for the twin.
#[derive(Clone, Debug)]
pub struct Packed {
    combine: Combine,
    pitch: usize,
    affine: Option<PaddedAffine>,
    finish: Finish,
}

/// Scale and shift with padding.
#[derive(Clone, Debug)]
pub(super) struct PaddedAffine {
    scale: Vec<f32>,
    shift: Vec<f32>,
}

impl PaddedAffine {
    pub fn new(affine: &Affine, pitch: usize) -> Self {
        Self { scale: padded(&affine.scale, pitch), shift: padded(&affine.shift, pitch) }
    }

    /// A whole pixel.
    #[inline(always)]
    pub fn apply(&self, pixel: &mut [f32]) {
        for ((value, scale), shift) in pixel.iter_mut().zip(&self.scale).zip(&self.shift) {
            *value = *value * scale + shift;
        }
    }
}

impl Packed {
    pub fn new(combine: Combine, affine: Option<&Affine>, activation: &Activation, map: Stored) -> Self {
        Self {
            combine,
            pitch: map.pitch,
            affine: affine.map(|affine| PaddedAffine::new(affine, map.pitch)),
            finish: Finish::new(activation, map.pitch),
        }
    }

    /// One image.
    pub fn run(&self, inputs: &[&[f32]], out: &mut [f32]) {
        vectorised(
            #[inline(always)]
            || {
                out.copy_from_slice(&inputs[0][..out.len()]);
                match self.combine {
                    Combine::One => {}
                    Combine::Subtract => out.iter_mut().zip(inputs[1]).for_each(|(out, value)| *out -= value),
                    Combine::Add => out.iter_mut().zip(inputs[1]).for_each(|(out, value)| *out += value),
                    Combine::Multiply => out.iter_mut().zip(inputs[1]).for_each(|(out, value)| *out *= value),
                    Combine::Place => {
                        let scales = inputs[1].iter().step_by(inputs[1].len() / (out.len() / self.pitch));
                        for (pixel, scale) in out.chunks_exact_mut(self.pitch).zip(scales) {
                            pixel.iter_mut().for_each(|out| *out *= scale);
                        }
                    }
                    Combine::Scale => {
                        for pixel in out.chunks_exact_mut(self.pitch) {
                            pixel.iter_mut().zip(inputs[1]).for_each(|(out, scale)| *out *= scale);
                        }
                    }
                }
                for pixel in out.chunks_exact_mut(self.pitch) {
                    self.affine.iter().for_each(|affine| affine.apply(pixel));
                    self.finish.apply_relu(pixel);
                }
            },
        );
        self.finish.apply_rest(self.pitch, out);
    }
}
