//! Gradients of `pool_bn_infer` and `pool_bn_train` by x, weight and bias, given those by both outputs. The normalised
//! feature is rebuilt from the pooled one, so a weight of 0 loses nothing.
//!
//! Buffers: grad `[2, n, c]`, out `[2, n, c]` of the forward pass, weight, mean, variance `[c]`, grad x `[n, c, h, w]`,
//! grad affine `[2, c]` (by the weight, then by the bias).

use super::{Planes, pool_bn_train::statistics};
use crate::kernels::{Dispatch, Kernel, shader::wgsl};

pub const KERNEL: Kernel = Kernel { name: "pool_bn_backward", wgsl: wgsl!("training/pool_bn_backward") };

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    pub eps: f32,
    /// Whether the statistics are the batch's and carry gradients; otherwise they are the given, constant ones.
    pub training: bool,
}

pub fn dispatch(planes: Planes, settings: Settings) -> Dispatch {
    let Planes { batch, channels, area } = planes;
    let Settings { eps, training } = settings;
    Dispatch::new(vec![batch as u32, channels as u32, area as u32, eps.to_bits(), training.into()], channels)
}

/// The twin: the gradient by x `[n, c, h, w]` and by weight and bias `[2, c]`.
pub fn twin(
    planes: Planes,
    settings: Settings,
    grad: &[f32],
    out: &[f32],
    weight: &[f32],
    mean: &[f32],
    variance: &[f32],
) -> (Vec<f32>, Vec<f32>) {
    let Planes { batch, channels, area } = planes;
    let (grad_feature, grad_normalised) = grad.split_at(planes.count());
    let mut grad_x = vec![0.0; planes.count() * area];
    let mut grad_affine = vec![0.0; 2 * channels];
    for channel in 0..channels {
        let (mean, variance) = if settings.training {
            let (mean, squares) = statistics(planes, out, channel);
            (mean, squares / batch as f32)
        } else {
            (mean[channel], variance[channel])
        };
        let inv_std = 1.0 / (variance + settings.eps).sqrt();
        let samples = || (channel..planes.count()).step_by(channels);
        let normalised = |at: usize| (out[at] - mean) * inv_std;
        let by_weight: f32 = samples().map(|at| grad_normalised[at] * normalised(at)).sum();
        let by_bias: f32 = samples().map(|at| grad_normalised[at]).sum();
        grad_affine[channel] = by_weight;
        grad_affine[channels + channel] = by_bias;
        for at in samples() {
            let mut by_normalised = grad_normalised[at];
            if settings.training {
                by_normalised -= (by_bias + normalised(at) * by_weight) / batch as f32;
            }
            let by_feature = grad_feature[at] + by_normalised * weight[channel] * inv_std;
            grad_x[at * area..][..area].fill(by_feature / area as f32);
        }
    }
    (grad_x, grad_affine)
}
