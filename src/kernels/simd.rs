//! The few operations that vector units do differently.

use pulp::Arch;

/// Runs a loop compiled for the best vector unit that is there.
#[inline(always)]
pub fn vectorised<R>(work: impl FnOnce() -> R) -> R {
    Arch::new().dispatch(work)
}

/// `a · b + c`, rounded once where the unit does so.
#[inline(always)]
pub fn multiply_add(a: f32, b: f32, c: f32) -> f32 {
    // Wasm's vectors have no fused form, and a call to emulate one would take a hundred times as long.
    if cfg!(target_arch = "wasm32") { a * b + c } else { a.mul_add(b, c) }
}

/// The larger of two, NaN if the first is: what `f32::max` hides.
#[inline(always)]
pub fn larger(value: f32, than: f32) -> f32 {
    if value < than { than } else { value }
}
