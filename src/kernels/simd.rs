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

/// eˣ to the last bit or two, in a form that loops over vectors can have (after the Cephes library); NaN stays one. Below −87 and
/// above 88 it stays what it is there, near 0 and near the largest number.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // Added, it leaves a whole number in the last bits.
    const ROUND: f32 = 12_582_912.0;
    let x = larger(x, -87.0);
    let x = if x > 88.0 { 88.0 } else { x };
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let whole = rounded - ROUND;
    let power = f32::from_bits((rounded.to_bits() << 23).wrapping_add(1.0_f32.to_bits()));
    let r = x - whole * 0.693_359_4 + whole * 2.121_944_4e-4;
    let sum = ((((1.987_569_1e-4 * r + 1.398_2e-3) * r + 8.333_452e-3) * r + 4.166_579_6e-2) * r + 0.166_666_65) * r;
    power * (((sum + 0.5) * r * r + r) + 1.0)
}

/// The sum of a function of values, in partial sums, so that it vectorises.
#[inline(always)]
pub fn sum(values: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    const LANES: usize = 16;
    let mut sums = [0.0; LANES];
    let (whole, rest) = values.as_chunks::<LANES>();
    for values in whole {
        sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += of(*value));
    }
    sums.iter_mut().zip(rest).for_each(|(sum, value)| *sum += of(*value));
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    #[test]
    fn exp_is_the_real_one() {
        for i in -8_700..=8_800 {
            let x = i as f32 / 100.0;
            let expected = f64::from(x).exp();
            let error = (f64::from(super::exp(x)) - expected).abs() / expected;
            assert!(error < 3e-7, "exp({x}) is wrong by {error:e} of itself");
        }
        assert!(super::exp(f32::NAN).is_nan());
        assert!(super::exp(f32::NEG_INFINITY) < 2e-38 && super::exp(f32::INFINITY) > 1e38);
        assert_eq!(super::exp(0.0), 1.0);
    }
}
