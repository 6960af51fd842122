//! Generalised-mean pooling, `mean(max(x, eps)^p)^(1/p)` over each plane, with one exponent for all channels
//! (Radenović et al., arXiv 1711.02512).
//!
//! Buffers: x `[n, c, h, w]`, p `[1]`, out `[n, c]`.

use super::Planes;
use crate::kernels::{Dispatch, Kernel, shader::wgsl};

pub const KERNEL: Kernel = Kernel { name: "gem_pool", wgsl: wgsl!("training/gem_pool") };

/// What smaller activations, and so negative ones, are raised to before the power.
pub const EPS: f32 = 1e-6;

pub fn dispatch(planes: Planes) -> Dispatch {
    Dispatch::new(vec![planes.count() as u32, planes.area as u32, EPS.to_bits()], planes.count())
}

/// The twin; p > 0.
pub fn twin(planes: Planes, x: &[f32], p: f32) -> Vec<f32> {
    let pool = |plane: &[f32]| {
        let largest = plane.iter().fold(EPS, |largest, &value| largest.max(value));
        let sum: f32 = plane.iter().map(|&value| (value.max(EPS) / largest).powf(p)).sum();
        largest * (sum / planes.area as f32).powf(1.0 / p)
    };
    x.chunks_exact(planes.area).map(pool).collect()
}
