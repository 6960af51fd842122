//! Images `[n, channels, h, w]` as maps `[n, h, w, pitch]`.
//!
//! Buffers: the images, out.

use super::{Stored, words};
use crate::kernels::{Dispatch, Kernel, shader::wgsl};

pub const KERNEL: Kernel = Kernel { name: "nhwc_input", wgsl: wgsl!("frozen/nhwc_input") };

pub fn dispatch(batch: usize, channels: usize, map: Stored) -> Dispatch {
    let params = words([batch * map.area(), map.area(), channels, map.vecs()]);
    Dispatch::threads(params, batch * map.area() * map.vecs())
}

/// The twin: one image. The padding is left as it is.
pub fn run(image: &[f32], map: Stored, out: &mut [f32]) {
    for (channel, plane) in image.chunks_exact(map.area()).enumerate() {
        let pixels = out[channel..].iter_mut().step_by(map.pitch);
        pixels.zip(plane).for_each(|(to, from)| *to = *from);
    }
}
