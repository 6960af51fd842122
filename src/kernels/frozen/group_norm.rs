//! Instance and group norm: each image's runs of channels to mean 0 and variance 1, then scaled, shifted and activated.
//!
//! Buffers: x, scale, shift and slopes `[3, pitch]`, out, all as values.

use super::elementwise::PaddedAffine;
use super::{Finish, Stored, code, words};
use crate::kernels::{Dispatch, Kernel};
use crate::step::{Activation, Affine};

pub const KERNEL: Kernel = Kernel {
    name: "group_norm",
    wgsl: concat!(
        include_str!("../../../shaders/frozen/group_norm.wgsl"),
        include_str!("../../../shaders/parts/finish.wgsl")
    ),
};

/// Added to a variance before its square root, as everywhere in torchvision and torchreid.
const EPSILON: f32 = 1e-5;

pub fn dispatch(batch: usize, groups: usize, channels: usize, activation: &Activation, map: Stored) -> Dispatch {
    let mut params = words([batch, map.area(), map.pitch, channels, groups]);
    params.extend([EPSILON.to_bits(), code(activation)]);
    Dispatch::new(params, batch * groups)
}

/// A norm packed for the twin.
#[derive(Clone, Debug)]
pub struct Packed {
    groups: usize,
    channels: usize,
    map: Stored,
    affine: PaddedAffine,
    finish: Finish,
}

impl Packed {
    pub fn new(groups: usize, affine: &Affine, activation: &Activation, map: Stored) -> Self {
        Self {
            groups,
            channels: affine.scale.len(),
            map,
            affine: PaddedAffine::new(affine, map.pitch),
            finish: Finish::new(activation, map.pitch),
        }
    }

    /// One image. `sums` is scratch.
    pub fn run(&self, x: &[f32], sums: &mut Vec<f32>, out: &mut [f32]) {
        let pitch = self.map.pitch;
        sums.clear();
        sums.resize(2 * pitch, 0.0);
        let (means, variances) = sums.split_at_mut(pitch);
        for pixel in x.chunks_exact(pitch) {
            means.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += value);
        }
        self.share(means);
        for pixel in x.chunks_exact(pitch) {
            for ((sum, value), mean) in variances.iter_mut().zip(pixel).zip(&*means) {
                *sum += (value - mean) * (value - mean);
            }
        }
        self.share(variances);
        for variance in &mut *variances {
            *variance = 1.0 / (*variance + EPSILON).sqrt();
        }
        for (out, pixel) in out.chunks_exact_mut(pitch).zip(x.chunks_exact(pitch)) {
            for (((out, value), mean), scale) in out.iter_mut().zip(pixel).zip(&*means).zip(&*variances) {
                *out = (value - mean) * scale;
            }
            self.affine.apply(out);
            self.finish.apply_relu(out);
        }
        self.finish.apply_rest(pitch, out);
    }

    /// From each channel's sum over the map to its group's mean.
    fn share(&self, sums: &mut [f32]) {
        let length = self.channels / self.groups;
        for group in sums[..self.channels].chunks_exact_mut(length.max(1)) {
            let mean = group.iter().sum::<f32>() / (length * self.map.area()) as f32;
            group.fill(mean);
        }
    }
}
