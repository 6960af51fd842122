//! Pixels of a map, or of a constant that is the same for every image, in the order of a list.
//!
//! Buffers: x, the list of places, out. One launch fills a run of the output's pixels.

use super::{Stored, words};
use crate::kernels::{Dispatch, Kernel, shader::wgsl};

pub const KERNEL: Kernel = Kernel { name: "gather", wgsl: wgsl!("frozen/gather") };

/// `count` pixels from `to_first` on. Of a constant, `from_area` is 0.
pub fn dispatch(batch: usize, count: usize, from_area: usize, to: Stored, to_first: usize) -> Dispatch {
    let moved = batch * count * to.vecs();
    Dispatch::threads(words([moved, count, from_area, to.area(), to_first, to.vecs()]), moved)
}

/// The twin: the pixels of one image, all of which have as many values.
pub fn run(x: &[f32], places: &[u32], pitch: usize, out: &mut [f32]) {
    for (to, &place) in out.chunks_exact_mut(pitch).zip(places) {
        to.copy_from_slice(&x[place as usize * pitch..][..pitch]);
    }
}
