//! Values of each image brought to mean 0 and variance 1 (instance, group and layer norm) or to length 1, then scaled, shifted and
//! activated.
//!
//! Buffers: x, scale, shift and what the activation takes `[3, pitch]`, out, all as values.

use super::elementwise::PaddedAffine;
use super::{Finish, Stored, code, words};
use crate::kernels::simd::{larger, sum, vectorised};
use crate::kernels::{Dispatch, Kernel, shader::wgsl};
use crate::step::{Activation, Affine};

pub const KERNEL: Kernel = Kernel { name: "group_norm", wgsl: wgsl!("frozen/group_norm", "parts/finish") };

/// Which values go together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Norm {
    /// So many runs of channels, over the whole map.
    Groups(usize),
    /// The channels of each pixel.
    Layer,
    /// The same, divided by their length alone.
    UnitLength,
}

/// `eps` is added to a variance, and is the smallest length.
pub fn dispatch(batch: usize, norm: Norm, eps: f32, channels: usize, activation: &Activation, map: Stored) -> Dispatch {
    let (images, area, groups) = match norm {
        Norm::Groups(groups) => (batch, map.area(), groups),
        Norm::Layer | Norm::UnitLength => (batch * map.area(), 1, 1),
    };
    let mut params = words([images, area, map.pitch, channels, groups]);
    params.extend([eps.to_bits(), u32::from(norm == Norm::UnitLength), code(activation)]);
    Dispatch::new(params, images * groups)
}

/// A norm packed for the twin.
#[derive(Clone, Debug)]
pub struct Packed {
    norm: Norm,
    eps: f32,
    channels: usize,
    map: Stored,
    affine: Option<PaddedAffine>,
    finish: Finish,
}

impl Packed {
    pub fn new(
        norm: Norm,
        eps: f32,
        channels: usize,
        affine: Option<&Affine>,
        activation: &Activation,
        map: Stored,
    ) -> Self {
        let affine = affine.map(|affine| PaddedAffine::new(affine, map.pitch));
        Self { norm, eps, channels, map, affine, finish: Finish::new(activation, map.pitch) }
    }

    /// One image. `sums` is scratch.
    pub fn run(&self, x: &[f32], sums: &mut Vec<f32>, out: &mut [f32]) {
        match self.norm {
            Norm::Groups(groups) => self.groups(groups, x, sums, out),
            Norm::Layer | Norm::UnitLength => self.pixels(x, out),
        }
        self.finish.apply_rest(self.map.pitch, out);
    }

    fn groups(&self, groups: usize, x: &[f32], sums: &mut Vec<f32>, out: &mut [f32]) {
        let pitch = self.map.pitch;
        sums.clear();
        sums.resize(2 * pitch, 0.0);
        let (means, variances) = sums.split_at_mut(pitch);
        for pixel in x.chunks_exact(pitch) {
            means.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += value);
        }
        self.share(groups, means);
        for pixel in x.chunks_exact(pitch) {
            for ((sum, value), mean) in variances.iter_mut().zip(pixel).zip(&*means) {
                *sum += (value - mean) * (value - mean);
            }
        }
        self.share(groups, variances);
        for variance in &mut *variances {
            *variance = 1.0 / (*variance + self.eps).sqrt();
        }
        for (out, pixel) in out.chunks_exact_mut(pitch).zip(x.chunks_exact(pitch)) {
            for (((out, value), mean), scale) in out.iter_mut().zip(pixel).zip(&*means).zip(&*variances) {
                *out = (value - mean) * scale;
            }
            self.affine.iter().for_each(|affine| affine.apply(out));
            self.finish.apply_relu(out);
        }
    }

    /// From each channel's sum over the map to its group's mean.
    fn share(&self, groups: usize, sums: &mut [f32]) {
        let length = self.channels / groups;
        for group in sums[..self.channels].chunks_exact_mut(length.max(1)) {
            let mean = group.iter().sum::<f32>() / (length * self.map.area()) as f32;
            group.fill(mean);
        }
    }

    fn pixels(&self, x: &[f32], out: &mut [f32]) {
        let pitch = self.map.pitch;
        vectorised(
            #[inline(always)]
            || {
                for (out, pixel) in out.chunks_exact_mut(pitch).zip(x.chunks_exact(pitch)) {
                    let values = &pixel[..self.channels];
                    let count = self.channels as f32;
                    let (mean, scale) = if self.norm == Norm::Layer {
                        let mean = sum(values, |value| value) / count;
                        let variance = sum(values, |value| (value - mean) * (value - mean)) / count;
                        (mean, 1.0 / (variance + self.eps).sqrt())
                    } else {
                        (0.0, 1.0 / larger(sum(values, |value| value * value).sqrt(), self.eps))
                    };
                    out.iter_mut().zip(pixel).for_each(|(out, value)| *out = (value - mean) * scale);
                    self.affine.iter().for_each(|affine| affine.apply(out));
                    self.finish.apply_relu(out);
                }
            },
        );
    }
}
