//! CMC, mAP and mINP, as Market-1501 defines them.

use serde::Serialize;

use super::{RankingError, check, nearest};

/// Who is in an image and which camera took it. A gallery image whose person is no query's is a distractor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    pub person: i32,
    pub camera: i32,
}

/// How well a ranking finds the queries' persons: means over the queries, as fractions between 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Scores {
    /// The share of queries whose first true match is ranked first (CMC at rank 1), among the first 5, among the first 10.
    pub rank1: f64,
    pub rank5: f64,
    pub rank10: f64,
    /// Mean average precision.
    pub map: f64,
    /// Mean inverse negative penalty (Ye et al., arXiv 2001.04193): how far down the last true match is.
    pub minp: f64,
    /// The queries that count: those with a true match in the gallery.
    pub queries: usize,
}

/// Scores a ranking by ascending `distances`, `[queries, gallery]` row by row; ties are ranked by gallery index.
///
/// Single-query evaluation of Market-1501 (Zheng et al., ICCV 2015): gallery images of the query's person *and* camera are
/// removed, then, with the true matches at the ranks `r_1 < … < r_m` (from 1),
/// - CMC at k is 1 where `r_1 ≤ k`,
/// - average precision is the mean of the precisions at the matches, `1/m · Σ i / r_i` (as torchreid and fast-reid compute it;
///   the dataset's own MATLAB code takes the trapezoid below the curve, which is a little lower),
/// - inverse negative penalty is `m / r_m`.
///
/// Queries without a true match are skipped. An image that is query and gallery at once removes itself, which makes
/// leave-one-out a case of the same rule.
///
/// # Errors
/// [`RankingError::Shape`] and [`RankingError::NotFinite`] for a wrong matrix, [`RankingError::NoMatch`] when no query counts.
pub fn score(distances: &[f32], queries: &[Label], gallery: &[Label]) -> Result<Scores, RankingError> {
    check(distances, queries.len(), gallery.len())?;
    let mut sums = Scores { rank1: 0.0, rank5: 0.0, rank10: 0.0, map: 0.0, minp: 0.0, queries: 0 };
    for (row, query) in distances.chunks_exact(gallery.len().max(1)).zip(queries) {
        let ranks = match_ranks(row, *query, gallery);
        let (Some(&first), Some(&last)) = (ranks.first(), ranks.last()) else { continue };
        let within = |k: usize| f64::from(u8::from(first <= k));
        let precisions = ranks.iter().enumerate().map(|(i, &rank)| (i + 1) as f64 / rank as f64);
        sums.rank1 += within(1);
        sums.rank5 += within(5);
        sums.rank10 += within(10);
        sums.map += precisions.sum::<f64>() / ranks.len() as f64;
        sums.minp += ranks.len() as f64 / last as f64;
        sums.queries += 1;
    }
    if sums.queries == 0 {
        return Err(RankingError::NoMatch);
    }
    let mean = |sum: f64| sum / sums.queries as f64;
    Ok(Scores {
        rank1: mean(sums.rank1),
        rank5: mean(sums.rank5),
        rank10: mean(sums.rank10),
        map: mean(sums.map),
        minp: mean(sums.minp),
        queries: sums.queries,
    })
}

/// The ranks (from 1) of the true matches in what is left of the gallery.
fn match_ranks(distances: &[f32], query: Label, gallery: &[Label]) -> Vec<usize> {
    let kept = nearest(distances, distances.len()).into_iter().filter(|&i| gallery[i] != query);
    let ranked = kept.enumerate().filter(|&(_, i)| gallery[i].person == query.person);
    ranked.map(|(rank, _)| rank + 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn label(person: i32, camera: i32) -> Label {
        Label { person, camera }
    }

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-12, "{a} is not {b}");
    }

    #[test]
    fn by_hand_with_a_removed_image_and_a_distractor() {
        // The nearest image is the query's person and camera: removed. Left: distractor, match, other, match.
        let gallery = [label(1, 0), label(0, 2), label(1, 1), label(2, 0), label(1, 2)];
        let scores = score(&[0.1, 0.2, 0.3, 0.4, 0.5], &[label(1, 0)], &gallery).expect("one query");
        close(scores.rank1, 0.0);
        close(scores.rank5, 1.0);
        close(scores.map, (1.0 / 2.0 + 2.0 / 4.0) / 2.0);
        close(scores.minp, 2.0 / 4.0);
        assert_eq!(scores.queries, 1);
    }

    #[test]
    fn means_are_over_the_queries_that_have_a_match() {
        let gallery = [label(1, 1), label(2, 1), label(3, 1)];
        let queries = [label(1, 0), label(2, 0), label(9, 0)];
        let distances = [
            0.1, 0.2, 0.3, // match first
            0.1, 0.3, 0.2, // match last
            0.1, 0.2, 0.3, // nobody
        ];
        let scores = score(&distances, &queries, &gallery).expect("two queries");
        assert_eq!(scores.queries, 2);
        close(scores.rank1, 0.5);
        close(scores.rank5, 1.0);
        close(scores.map, (1.0 + 1.0 / 3.0) / 2.0);
        close(scores.minp, (1.0 + 1.0 / 3.0) / 2.0);
    }

    #[test]
    fn cmc_counts_the_first_match_within_five_and_ten() {
        // Twelve images, the only match at rank 6.
        let gallery: Vec<Label> = (0..12).map(|i| label(if i == 5 { 1 } else { 2 }, 1)).collect();
        let distances: Vec<f32> = (0..12).map(|i| i as f32).collect();
        let scores = score(&distances, &[label(1, 0)], &gallery).expect("one query");
        assert_eq!((scores.rank1, scores.rank5, scores.rank10), (0.0, 0.0, 1.0));
    }

    #[test]
    fn ties_are_ranked_by_gallery_index() {
        let map = |gallery: &[Label]| score(&[0.5, 0.5], &[label(1, 0)], gallery).expect("one query").map;
        close(map(&[label(1, 1), label(2, 1)]), 1.0);
        close(map(&[label(2, 1), label(1, 1)]), 0.5);
    }

    #[test]
    fn leave_one_out_removes_the_image_itself() {
        let labels = [label(1, 0), label(1, 1), label(2, 0), label(2, 1)];
        // On a line: 0, 1, 1.5, 4.
        let at = [0.0_f32, 1.0, 1.5, 4.0];
        let distances: Vec<f32> = at.iter().flat_map(|a| at.map(|b| (a - b).powi(2))).collect();
        let scores = score(&distances, &labels, &labels).expect("four queries");
        // 0: [1 ✓]; 1: [1.5, 0 ✓]; 1.5: [1, 0, 4 ✓]; 4: [1.5 ✓].
        assert_eq!(scores.queries, 4);
        close(scores.rank1, 0.5);
        close(scores.map, (1.0 + 0.5 + 1.0 / 3.0 + 1.0) / 4.0);
    }

    #[test]
    fn what_cannot_be_scored_is_said() {
        let labels = [label(1, 0), label(2, 0)];
        assert_eq!(score(&[0.0; 4], &labels, &labels), Err(RankingError::NoMatch));
        assert_eq!(score(&[], &[], &[]), Err(RankingError::NoMatch));
        assert_eq!(score(&[], &labels, &[]), Err(RankingError::NoMatch));
        assert_eq!(score(&[0.0; 3], &labels, &labels), Err(RankingError::Shape { rows: 2, columns: 2, found: 3 }));
        assert_eq!(
            score(&[0.0, 1.0, f32::INFINITY, 0.0], &labels, &labels),
            Err(RankingError::NotFinite { row: 1, column: 0 })
        );
    }
}
