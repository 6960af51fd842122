//! Gradients of `gem_pool` by x and by p.
//!
//! Buffers: grad `[n, c]`, the pooled feature `[n, c]`, x `[n, c, h, w]`, p `[1]`, grad x `[n, c, h, w]`, grad p
//! `[n, c]` (each plane's share; their sum is the gradient).

use super::{Planes, gem_pool};
use crate::kernels::{Dispatch, Kernel, shader::wgsl};

pub const KERNEL: Kernel = Kernel { name: "gem_pool_backward", wgsl: wgsl!("training/gem_pool_backward") };

/// The same as the forward pass's.
pub fn dispatch(planes: Planes) -> Dispatch {
    gem_pool::dispatch(planes)
}

/// The twin: the gradient by x `[n, c, h, w]` and each plane's share of that by p `[n, c]`.
pub fn twin(planes: Planes, grad: &[f32], pooled: &[f32], x: &[f32], p: f32) -> (Vec<f32>, Vec<f32>) {
    let area = planes.area as f32;
    let mut grad_x = Vec::with_capacity(x.len());
    let mut grad_p = Vec::with_capacity(planes.count());
    for ((plane, &grad), &pooled) in x.chunks_exact(planes.area).zip(grad).zip(pooled) {
        let mut sum = 0.0;
        for &value in plane {
            let ratio = value.max(gem_pool::EPS) / pooled;
            sum += ratio.powf(p) * ratio.ln();
            grad_x.push(if value >= gem_pool::EPS { grad / area * ratio.powf(p - 1.0) } else { 0.0 });
        }
        grad_p.push(grad * pooled / p * sum / area);
    }
    (grad_x, grad_p)
}
