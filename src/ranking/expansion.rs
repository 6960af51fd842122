//! Query expansion: a query learns from what it found.

use super::{RankingError, check, nearest};

/// The parameters of [`expand`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expansion {
    /// How many gallery images join the query.
    pub k: usize,
    /// The exponent α of their similarity; 0 weighs all alike.
    pub alpha: f32,
}

impl Default for Expansion {
    fn default() -> Self {
        Self { k: 5, alpha: 3.0 }
    }
}

/// α-weighted query expansion (Radenović et al., arXiv 1711.02512, section 3.4): each query becomes the L2-normalised sum of itself
/// and its `k` most similar gallery features, each weighted by `max(cosine, 0)^α`.
///
/// `queries` `[q, dim]` and `gallery` `[g, dim]` are L2-normalised features, `distances` `[q, g]` their squared Euclidean
/// distances, all row by row. Returns `[q, dim]`.
///
/// # Errors
/// [`RankingError::Shape`] or [`RankingError::NotFinite`] for matrices that do not fit together.
pub fn expand(
    queries: &[f32],
    gallery: &[f32],
    dim: usize,
    distances: &[f32],
    parameters: Expansion,
) -> Result<Vec<f32>, RankingError> {
    let (rows, columns) = (queries.len() / dim.max(1), gallery.len() / dim.max(1));
    check(queries, rows, dim)?;
    check(gallery, columns, dim)?;
    check(distances, rows, columns)?;
    let mut expanded = queries.to_vec();
    for (row, query) in expanded.chunks_exact_mut(dim.max(1)).enumerate() {
        let distances = &distances[row * columns..(row + 1) * columns];
        for neighbour in nearest(distances, parameters.k) {
            let cosine = 1.0 - distances[neighbour] / 2.0;
            let weight = cosine.max(0.0).powf(parameters.alpha);
            let feature = &gallery[neighbour * dim..(neighbour + 1) * dim];
            query.iter_mut().zip(feature).for_each(|(sum, value)| *sum += weight * value);
        }
        let norm = query.iter().map(|value| value * value).sum::<f32>().sqrt();
        if norm > 0.0 {
            query.iter_mut().for_each(|value| *value /= norm);
        }
    }
    Ok(expanded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // Cosines 0.6, 1 and −1: the best two are the second (weight 1) and the first (0.6³ = 0.216).
        let gallery = [0.6, 0.8, 1.0, 0.0, -1.0, 0.0];
        let distances = [0.8, 0.0, 4.0];
        let found = expand(&[1.0, 0.0], &gallery, 2, &distances, Expansion { k: 2, alpha: 3.0 }).expect("fits");
        let sum = [1.0 + 1.0 + 0.216 * 0.6, 0.216 * 0.8_f32];
        let norm = sum[0].hypot(sum[1]);
        assert!((found[0] - sum[0] / norm).abs() < 1e-6 && (found[1] - sum[1] / norm).abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn opposite_images_do_not_count() {
        let found = expand(&[1.0, 0.0], &[-1.0, 0.0], 2, &[4.0], Expansion::default());
        assert_eq!(found, Ok(vec![1.0, 0.0]));
    }

    #[test]
    fn wrong_inputs_are_errors() {
        let found = expand(&[1.0, 0.0, 0.0], &[1.0, 0.0], 2, &[0.0], Expansion::default());
        assert_eq!(found, Err(RankingError::Shape { rows: 1, columns: 2, found: 3 }));
        assert!(expand(&[1.0], &[1.0], 0, &[0.0], Expansion::default()).is_err());
    }
}
