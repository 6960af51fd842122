//! Global average pool and batch norm with the batch's statistics, in one pass over the map, as PyTorch's `BatchNorm1d`
//! in training: the batch is normalised by its biased variance, the running one moves towards the unbiased.
//!
//! Buffers: x `[n, c, h, w]`, weight, bias, running mean, running variance `[c]`, out `[2, n, c]` (the pooled feature,
//! then the normalised one), running `[2, c]` (the new mean, then the new variance).

use super::{Planes, pool_bn_infer::average};
use crate::kernels::{Dispatch, Kernel, shader::wgsl};

pub const KERNEL: Kernel = Kernel { name: "pool_bn_train", wgsl: wgsl!("training/pool_bn_train") };

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Added to the variance.
    pub eps: f32,
    /// The batch's share in the new running statistics, 0…1.
    pub momentum: f32,
}

/// One workgroup a channel. The batch is at least 2: one sample has no unbiased variance.
pub fn dispatch(planes: Planes, settings: Settings) -> Dispatch {
    let Planes { batch, channels, area } = planes;
    let Settings { eps, momentum } = settings;
    let params = vec![batch as u32, channels as u32, area as u32, eps.to_bits(), momentum.to_bits()];
    Dispatch::new(params, channels)
}

/// The twin: `out` `[2, n, c]` and `running` `[2, c]`.
pub fn twin(
    planes: Planes,
    settings: Settings,
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    running_mean: &[f32],
    running_variance: &[f32],
) -> (Vec<f32>, Vec<f32>) {
    let Planes { batch, channels, .. } = planes;
    let keep = 1.0 - settings.momentum;
    let mut out = average(planes, x);
    out.resize(2 * planes.count(), 0.0);
    let (feature, normalised) = out.split_at_mut(planes.count());
    let mut running = vec![0.0; 2 * channels];
    for channel in 0..channels {
        let (mean, squares) = statistics(planes, feature, channel);
        let inv_std = 1.0 / (squares / batch as f32 + settings.eps).sqrt();
        for at in (channel..planes.count()).step_by(channels) {
            normalised[at] = (feature[at] - mean) * inv_std * weight[channel] + bias[channel];
        }
        let unbiased = squares / (batch as f32 - 1.0);
        running[channel] = keep * running_mean[channel] + settings.momentum * mean;
        running[channels + channel] = keep * running_variance[channel] + settings.momentum * unbiased;
    }
    (out, running)
}

/// A channel's mean over the batch, and the sum of its squared deviations.
pub(super) fn statistics(planes: Planes, feature: &[f32], channel: usize) -> (f32, f32) {
    let values = || feature[..planes.count()].iter().skip(channel).step_by(planes.channels).map(|&f| f64::from(f));
    let mean = values().sum::<f64>() / planes.batch as f64;
    (mean as f32, values().map(|f| (f - mean).powi(2)).sum::<f64>() as f32)
}
