//! Features as an index keeps them.

use std::collections::TryReserveError;

use half::f16;

use super::{Scalar, dot};
use crate::kernels::frozen::LANES;

/// Rows of length 1, or of zeros.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    values: Values,
    dim: usize,
    count: usize,
}

/// Row after row.
#[derive(Clone, Debug)]
enum Values {
    F32(Vec<f32>),
    F16(Vec<f16>),
    /// Directions, which have length 1 times their scale.
    Int8 {
        values: Vec<i8>,
        scales: Vec<f32>,
    },
}

impl Rows {
    pub fn new(dim: usize, scalar: Scalar) -> Self {
        let values = match scalar {
            Scalar::F32 => Values::F32(Vec::new()),
            Scalar::F16 => Values::F16(Vec::new()),
            Scalar::Int8 => Values::Int8 { values: Vec::new(), scales: Vec::new() },
        };
        Self { values, dim, count: 0 }
    }

    /// Makes room for so many more.
    pub fn reserve(&mut self, rows: usize) -> Result<(), TryReserveError> {
        let size = rows.saturating_mul(self.dim);
        match &mut self.values {
            Values::F32(values) => values.try_reserve(size),
            Values::F16(values) => values.try_reserve(size),
            Values::Int8 { values, scales } => values.try_reserve(size).and_then(|()| scales.try_reserve(rows)),
        }
    }

    /// Adds a row of finite numbers.
    pub fn push(&mut self, row: &[f32]) {
        // In f64, as the square of what f32 holds may leave it.
        let length = row.iter().map(|&value| f64::from(value) * f64::from(value)).sum::<f64>().sqrt();
        let inverse = if length > 0.0 { length.recip() } else { 0.0 };
        let normalised = row.iter().map(|&value| (f64::from(value) * inverse) as f32);
        match &mut self.values {
            Values::F32(values) => values.extend(normalised),
            Values::F16(values) => values.extend(normalised.map(f16::from_f32)),
            Values::Int8 { values, scales } => {
                let largest = row.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
                let step = f64::from(largest) / f64::from(i8::MAX);
                let first = values.len();
                values.extend(
                    row.iter().map(|&value| if step > 0.0 { (f64::from(value) / step).round() as i8 } else { 0 }),
                );
                let square: i32 = values[first..].iter().map(|&value| i32::from(value) * i32::from(value)).sum();
                scales.push(if square > 0 { (square as f32).sqrt().recip() } else { 0.0 });
            }
        }
        self.count += 1;
    }

    pub fn count(&self) -> usize {
        self.count
    }

    pub fn dim(&self) -> usize {
        self.dim
    }

    pub fn scalar(&self) -> Scalar {
        match self.values {
            Values::F32(_) => Scalar::F32,
            Values::F16(_) => Scalar::F16,
            Values::Int8 { .. } => Scalar::Int8,
        }
    }

    pub fn bytes(&self) -> usize {
        match &self.values {
            Values::F32(values) => size_of_val(&values[..]),
            Values::F16(values) => size_of_val(&values[..]),
            Values::Int8 { values, scales } => size_of_val(&values[..]) + size_of_val(&scales[..]),
        }
    }

    /// Writes a row into `[dim]`.
    pub fn decode(&self, index: usize, to: &mut [f32]) {
        let at = index * self.dim..(index + 1) * self.dim;
        match &self.values {
            Values::F32(values) => to.copy_from_slice(&values[at]),
            Values::F16(values) => to.iter_mut().zip(&values[at]).for_each(|(to, &value)| *to = widened(value)),
            Values::Int8 { values, scales } => {
                let scale = scales[index];
                to.iter_mut().zip(&values[at]).for_each(|(to, &value)| *to = f32::from(value) * scale);
            }
        }
    }

    /// Σ row·query.
    #[inline(always)]
    pub fn product(&self, index: usize, query: &[f32]) -> f32 {
        let at = index * self.dim..(index + 1) * self.dim;
        match &self.values {
            Values::F32(values) => dot(&values[at], query),
            Values::F16(values) => dot_of(&values[at], query, widened),
            Values::Int8 { values, scales } => dot_of(&values[at], query, f32::from) * scales[index],
        }
    }
}

/// The same number, if it is finite: in vectors, which a conversion with a table or a branch is not.
#[inline(always)]
fn widened(value: f16) -> f32 {
    /// 2¹¹², by which the exponents are apart; exact, also for what is subnormal.
    const APART: f32 = f32::from_bits(239 << 23);
    let bits = u32::from(value.to_bits());
    f32::from_bits((bits & 0x7fff) << 13 | (bits & 0x8000) << 16) * APART
}

/// Σ a·b of two vectors of one length.
#[inline(always)]
fn dot_of<T: Copy>(a: &[T], b: &[f32], value: impl Fn(T) -> f32) -> f32 {
    // As `dot` sums.
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += value(a[lane]) * b[lane];
        }
    }
    sums.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(&a, b)| value(a) * b).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_widened_as_they_are() {
        for bits in (0..=u16::MAX).filter(|&bits| f16::from_bits(bits).is_finite()) {
            let value = f16::from_bits(bits);
            assert_eq!(widened(value).to_bits(), value.to_f32().to_bits(), "{bits:#x}");
        }
    }

    #[test]
    fn rows_are_what_was_given_but_for_rounding() {
        let row = |length: usize| (0..length).map(|i| ((i * 37 % 101) as f32 - 50.0) / 7.0).collect::<Vec<f32>>();
        for (scalar, error) in [(Scalar::F32, 1e-6), (Scalar::F16, 1e-3), (Scalar::Int8, 1e-2)] {
            for dim in [1, 7, 8, 33, 512] {
                let mut rows = Rows::new(dim, scalar);
                rows.push(&row(dim));
                rows.push(&vec![0.0; dim]);
                let length = row(dim).iter().map(|value| value * value).sum::<f32>().sqrt();
                let expected: Vec<f32> = row(dim).iter().map(|value| value / length).collect();
                let mut found = vec![0.0; dim];
                rows.decode(0, &mut found);
                assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < error), "{scalar:?} {dim}");
                let square = rows.product(0, &found);
                assert!((square - 1.0).abs() < 1e-3, "{scalar:?} {dim}: length² {square}");
                assert_eq!(rows.product(1, &found), 0.0);
            }
        }
    }
}
