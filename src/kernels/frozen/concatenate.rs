//! Channels taken out of a map, and maps' channels put side by side.
//!
//! Buffers: x, out, as values. One launch copies the channels of one map.

use super::{Stored, words};
use crate::kernels::{Dispatch, Kernel, shader::wgsl};

pub const KERNEL: Kernel = Kernel { name: "concatenate", wgsl: wgsl!("frozen/concatenate") };

/// `channels` of each pixel, from `from_first` on to `to_first` on, with `zeros` after them.
pub fn dispatch(
    batch: usize,
    (channels, zeros): (usize, usize),
    (from, from_first): (Stored, usize),
    (to, to_first): (Stored, usize),
) -> Dispatch {
    let pixels = batch * to.area();
    let params = words([pixels, channels, zeros, from.pitch, from_first, to.pitch, to_first]);
    Dispatch::threads(params, pixels * (channels + zeros))
}

/// Copies `channels` of each pixel, from `from_first` of pixels `from_pitch` apart to `to_first` of pixels `to_pitch` apart.
pub fn copy_channels(
    channels: usize,
    (from, from_pitch, from_first): (&[f32], usize, usize),
    (to, to_pitch, to_first): (&mut [f32], usize, usize),
) {
    for (to, from) in to.chunks_exact_mut(to_pitch).zip(from.chunks_exact(from_pitch)) {
        to[to_first..][..channels].copy_from_slice(&from[from_first..][..channels]);
    }
}
