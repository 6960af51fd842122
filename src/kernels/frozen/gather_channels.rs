//! The channels of each pixel in the order of a list.
//!
//! Buffers: x, the list of channels, out, as values.

use super::{Stored, words};
use crate::kernels::{Dispatch, Kernel, shader::wgsl};

pub const KERNEL: Kernel = Kernel { name: "gather_channels", wgsl: wgsl!("frozen/gather_channels") };

pub fn dispatch(batch: usize, channels: usize, from: Stored, to: Stored) -> Dispatch {
    let pixels = batch * to.area();
    Dispatch::threads(words([pixels, channels, from.pitch, to.pitch]), pixels * to.pitch)
}

/// The twin: one image.
pub fn run(x: &[f32], channels: &[u32], from: Stored, to: Stored, out: &mut [f32]) {
    out.fill(0.0);
    for (to, from) in out.chunks_exact_mut(to.pitch).zip(x.chunks_exact(from.pitch)) {
        to.iter_mut().zip(channels).for_each(|(to, &channel)| *to = from[channel as usize]);
    }
}
