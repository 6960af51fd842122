//! Channels become places and places channels.
//!
//! Buffers: x, out, as values.

use super::{Stored, words};
use crate::kernels::{Dispatch, Kernel, shader::wgsl};

pub const KERNEL: Kernel = Kernel { name: "transpose", wgsl: wgsl!("frozen/transpose") };

pub fn dispatch(batch: usize, from: Stored, to: Stored) -> Dispatch {
    let count = batch * to.size();
    Dispatch::threads(words([count, from.area(), to.area(), from.pitch, to.pitch]), count)
}

/// The twin: one image.
pub fn run(x: &[f32], from: Stored, to: Stored, out: &mut [f32]) {
    out.fill(0.0);
    for (channel, to) in out.chunks_exact_mut(to.pitch).enumerate() {
        let values = x[channel..].iter().step_by(from.pitch);
        to.iter_mut().zip(values).for_each(|(to, value)| *to = *value);
    }
}
