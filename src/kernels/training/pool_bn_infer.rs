//! Global average pool and batch norm with running statistics, in one pass over the map.
//!
//! Buffers: x `[n, c, h, w]`, weight, bias, running mean, running variance `[c]`, out `[2, n, c]` (the pooled feature,
//! then the normalised one).

use super::Planes;
use crate::kernels::{Dispatch, Kernel, shader::wgsl};

pub const KERNEL: Kernel = Kernel { name: "pool_bn_infer", wgsl: wgsl!("training/pool_bn_infer") };

pub fn dispatch(planes: Planes, eps: f32) -> Dispatch {
    let Planes { channels, area, .. } = planes;
    Dispatch::new(vec![planes.count() as u32, channels as u32, area as u32, eps.to_bits()], planes.count())
}

/// The twin; `out` is `[2, n, c]`.
pub fn twin(
    planes: Planes,
    eps: f32,
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    mean: &[f32],
    variance: &[f32],
) -> Vec<f32> {
    let mut out = average(planes, x);
    for plane in 0..planes.count() {
        let channel = plane % planes.channels;
        let normalised = (out[plane] - mean[channel]) / (variance[channel] + eps).sqrt();
        out.push(normalised * weight[channel] + bias[channel]);
    }
    out
}

/// The mean of every plane, `[n, c]`, with room for as many values again.
pub(super) fn average(planes: Planes, x: &[f32]) -> Vec<f32> {
    let mut out = Vec::with_capacity(2 * planes.count());
    let mean = |plane: &[f32]| (plane.iter().map(|&value| f64::from(value)).sum::<f64>() / planes.area as f64) as f32;
    out.extend(x.chunks_exact(planes.area).map(mean));
    out
}
