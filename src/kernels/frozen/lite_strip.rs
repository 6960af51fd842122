//! OSNet's Lite layer as [`lite`](super::lite) computes it, without workgroup memory: for GPUs that software imitates. Its
//! buffers and its twin are the same.

use super::{Stored, code, conv, words};
use crate::kernels::variant::Variant;
use crate::kernels::{Dispatch, Kernel, shader::wgsl};
use crate::step::Convolution;

pub const KERNEL: Kernel = Kernel { name: "lite_strip", wgsl: wgsl!("frozen/lite_strip", "parts/finish") };

/// The most columns of a strip.
pub const MOST_COLUMNS: usize = 8;
/// Threads of a workgroup: no more than software runs side by side.
const THREADS: usize = 8;
/// So many keep every processor busy; more would compute more rows between two strips twice.
const ENOUGH_THREADS: usize = 64;
/// The fewest rows of a strip.
const FEWEST_ROWS: usize = 4;

/// The columns of a strip.
pub fn columns(map: Stored) -> usize {
    map.width.min(MOST_COLUMNS)
}

/// The shader for strips of so many columns.
pub fn variant(columns: usize) -> Variant {
    Variant::new(KERNEL, &[("COLUMNS", columns), ("AROUND", columns + 2)])
}

pub fn dispatch(batch: usize, second: &Convolution, from: Stored, to: Stored) -> Dispatch {
    let strips_x = to.width.div_ceil(columns(to));
    let across = batch * strips_x * to.vecs().div_ceil(conv::BLOCK);
    let rows = to.height.div_ceil(ENOUGH_THREADS.div_ceil(across)).max(FEWEST_ROWS);
    let strips_y = to.height.div_ceil(rows);
    let mut params = words([batch, from.height, from.width, from.vecs(), to.vecs(), rows, strips_y, strips_x]);
    params.push(code(&second.activation));
    Dispatch::new(params, (across * strips_y).div_ceil(THREADS))
}
