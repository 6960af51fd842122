//! The mean or the largest of each pixel's channels.
//!
//! Buffers: x as values, out.

use super::{Stored, words};
use crate::kernels::simd::{larger, sum};
use crate::kernels::{Dispatch, Kernel, shader::wgsl};

pub const KERNEL: Kernel = Kernel { name: "channel_pool", wgsl: wgsl!("frozen/channel_pool") };

pub fn dispatch(batch: usize, maximum: bool, channels: usize, from: Stored) -> Dispatch {
    let pixels = batch * from.area();
    Dispatch::threads(words([pixels, from.pitch, channels, maximum.into()]), pixels)
}

/// The twin: one image.
pub fn run(x: &[f32], maximum: bool, channels: usize, from: Stored, to: Stored, out: &mut [f32]) {
    out.fill(0.0);
    for (to, pixel) in out.chunks_exact_mut(to.pitch).zip(x.chunks_exact(from.pitch)) {
        let pixel = &pixel[..channels];
        to[0] = if maximum {
            pixel.iter().fold(f32::NEG_INFINITY, |largest, &value| larger(value, largest))
        } else {
            sum(pixel, |value| value) / channels as f32
        };
    }
}
