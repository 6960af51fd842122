//! Ranking a gallery for queries, and how good the ranking is. Everything here works on features in host memory.

mod adapt;
mod centring;
mod distances;
mod expansion;
mod features;
mod flat_index;
mod intervals;
mod neighbours;
mod rerank;
mod roc;
mod scores;
mod transitivity;

pub use adapt::{Adaptation, Adapted, Expand, Photos, Reranked, UnknownExpand};
pub use centring::{Cameras, Centring, Kept, Seen, UnknownCameras};
pub use distances::{Distances, Progress, Rows, quiet};
pub use expansion::{CENTRALISED, Expansion, centralise, expand};
pub use features::Features;
pub(crate) use features::dot;
pub use flat_index::{FlatIndex, Found, Scalar, UnknownScalar};
pub use intervals::{Interval, Intervals, intervals, paired};
pub use neighbours::Neighbours;
pub use rerank::{Rerank, Reranking};
pub use roc::{Histogram, Point, RATES, Roc};
pub use scores::{CameraPair, DRAWS, Label, Outcome, RANKS, Scores, Shots, Tallied, Tally, score};
pub use transitivity::Transitivity;

/// Why a ranking cannot be made or scored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RankingError {
    #[error("{found} values were given for a matrix of {rows} × {columns}")]
    Shape { rows: usize, columns: usize, found: usize },
    #[error("index {index} does not exist among {count} images")]
    Index { index: usize, count: usize },
    #[error("row {row}, column {column} is not a finite number: the model's features are broken")]
    NotFinite { row: usize, column: usize },
    #[error(
        "no query has a true match in the gallery: every person needs images of two cameras, or of one camera in each set"
    )]
    NoMatch,
    #[error("{found} entries were given for {features} features: there must be one for each")]
    Lengths { features: usize, found: usize },
    #[error("there is no memory for {features} more features: keep them in fewer bits, or fewer of them")]
    Memory { features: usize },
    #[error("stopped")]
    Cancelled,
}

/// Checks that `values` is a finite matrix of that size.
fn check(values: &[f32], rows: usize, columns: usize) -> Result<(), RankingError> {
    if rows.checked_mul(columns) != Some(values.len()) {
        return Err(RankingError::Shape { rows, columns, found: values.len() });
    }
    match values.iter().position(|value| !value.is_finite()) {
        Some(at) => Err(RankingError::NotFinite { row: at / columns, column: at % columns }),
        None => Ok(()),
    }
}

/// The indices `0..distances.len()`, nearest first, ties by index; only the first `count` of them.
pub fn nearest(distances: &[f32], count: usize) -> Vec<usize> {
    // Distance above index in one integer sorts several times faster than indices that look their distance up.
    let key = |(index, distance): (usize, &f32)| {
        let bits = (distance + 0.0).to_bits();
        let ordered = if bits >> 31 == 1 { !bits } else { bits | 1 << 31 };
        u64::from(ordered) << 32 | index as u64 & u64::from(u32::MAX)
    };
    let mut keys: Vec<u64> = distances.iter().enumerate().map(key).collect();
    if count < keys.len() {
        keys.select_nth_unstable(count);
        keys.truncate(count);
    }
    keys.sort_unstable();
    keys.into_iter().map(|key| (key & u64::from(u32::MAX)) as usize).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_first_and_ties_by_index() {
        let distances = [3.0, 1.0, 2.0, 1.0, 0.5];
        assert_eq!(nearest(&distances, 3), [4, 1, 3]);
        assert_eq!(nearest(&distances, 9), [4, 1, 3, 2, 0]);
        assert_eq!(nearest(&distances, 0), [0; 0]);
        assert_eq!(nearest(&[], 2), [0; 0]);
        assert_eq!(nearest(&[1.0, 0.0, -0.0, -2.0, -1.0, 1e-30], 6), [3, 4, 1, 2, 5, 0]);
    }

    #[test]
    fn a_matrix_is_checked() {
        assert_eq!(check(&[0.0; 6], 2, 3), Ok(()));
        assert_eq!(check(&[0.0; 5], 2, 3), Err(RankingError::Shape { rows: 2, columns: 3, found: 5 }));
        assert_eq!(check(&[0.0, 0.0, 0.0, f32::NAN], 2, 2), Err(RankingError::NotFinite { row: 1, column: 1 }));
        assert_eq!(check(&[], 0, 3), Ok(()));
    }
}
