//! Features as ranking takes them: rows of length 1.

use super::{RankingError, check};
use crate::kernels::frozen::LANES;

/// A matrix of L2-normalised features, `[count, dim]`. A row of zeros stays one.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    /// Rows with zeros up to `pitch`, which the loops over them want.
    values: Vec<f32>,
    dim: usize,
    pitch: usize,
}

impl Features {
    /// Normalises `rows` `[n, dim]`, row after row.
    ///
    /// # Errors
    /// [`RankingError::Shape`] when the rows are not whole, [`RankingError::NotFinite`] for NaN and infinities.
    pub fn new(rows: &[f32], dim: usize) -> Result<Self, RankingError> {
        check(rows, rows.len() / dim.max(1), dim)?;
        let pitch = dim.next_multiple_of(LANES);
        let mut values = vec![0.0; rows.len() / dim.max(1) * pitch];
        for (to, from) in values.chunks_exact_mut(pitch.max(1)).zip(rows.chunks_exact(dim.max(1))) {
            to[..dim].copy_from_slice(from);
        }
        let mut features = Self { values, dim, pitch };
        (0..features.count()).for_each(|row| features.normalise(row));
        Ok(features)
    }

    /// Rows that are left as they are, such as means of others: what is said of rows of length 1 does not hold for them.
    pub(crate) fn as_they_are(values: impl Iterator<Item = f32>, dim: usize) -> Self {
        let pitch = dim.next_multiple_of(LANES);
        let mut padded = Vec::new();
        for (place, value) in values.enumerate() {
            padded.push(value);
            if (place + 1) % dim == 0 {
                padded.resize(padded.len().next_multiple_of(pitch), 0.0);
            }
        }
        Self { values: padded, dim, pitch }
    }

    pub fn count(&self) -> usize {
        self.values.len().checked_div(self.pitch).unwrap_or(0)
    }

    pub fn dim(&self) -> usize {
        self.dim
    }

    pub fn row(&self, index: usize) -> &[f32] {
        &self.values[index * self.pitch..][..self.dim]
    }

    /// The rows of some images, in that order.
    pub fn select(&self, images: &[usize]) -> Self {
        let rows = images.iter().flat_map(|&index| &self.values[index * self.pitch..][..self.pitch]);
        Self { values: rows.copied().collect(), ..*self }
    }

    /// Rows with their padding, [`pitch`](Self::pitch) values each.
    pub(super) fn padded(&self) -> &[f32] {
        &self.values
    }

    pub(super) fn pitch(&self) -> usize {
        self.pitch
    }

    /// Adds `weight · other` to a row, which has no length 1 then.
    pub(super) fn add(&mut self, index: usize, weight: f32, other: &[f32]) {
        self.row_mut(index).iter_mut().zip(other).for_each(|(sum, value)| *sum += weight * value);
    }

    pub(crate) fn normalise(&mut self, index: usize) {
        let row = self.row_mut(index);
        // In f64, as the square of what f32 holds may leave it.
        let length = row.iter().map(|&value| f64::from(value) * f64::from(value)).sum::<f64>().sqrt();
        if length > 0.0 {
            row.iter_mut().for_each(|value| *value = (f64::from(*value) / length) as f32);
        }
    }

    /// The squared distance of two rows, 0…4.
    pub fn distance(&self, a: usize, b: usize) -> f32 {
        (2.0 - 2.0 * dot(self.row(a), self.row(b))).max(0.0)
    }

    fn row_mut(&mut self, index: usize) -> &mut [f32] {
        &mut self.values[index * self.pitch..][..self.dim]
    }
}

/// Σ a·b of two vectors of one length.
#[inline(always)]
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    // Several sums side by side, which a vector unit adds at once.
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_length_1() {
        let features = Features::new(&[3.0, 4.0, 0.0, 0.0, 1e30, 0.0], 2).expect("fits");
        assert_eq!((features.count(), features.dim()), (3, 2));
        assert_eq!([features.row(0), features.row(1), features.row(2)], [[0.6, 0.8], [0.0, 0.0], [1.0, 0.0]]);
        assert_eq!(features.select(&[2, 0]).row(1), [0.6, 0.8]);
        assert!((features.distance(0, 2) - 0.8).abs() < 1e-6);
    }

    #[test]
    fn what_is_no_matrix_is_refused() {
        assert_eq!(Features::new(&[1.0; 5], 2), Err(RankingError::Shape { rows: 2, columns: 2, found: 5 }));
        assert_eq!(Features::new(&[1.0, f32::NAN], 2), Err(RankingError::NotFinite { row: 0, column: 1 }));
        assert!(Features::new(&[1.0], 0).is_err());
        assert_eq!(Features::new(&[], 0).expect("nothing").count(), 0);
    }
}
