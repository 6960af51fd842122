//! CMC, mAP and mINP, as Market-1501 and CUHK03 define them, a query at a time.

use std::collections::BTreeMap;

use rand::seq::IndexedRandom;
use rand::{SeedableRng, rngs::ChaCha8Rng};
use serde::Serialize;

use super::roc::Histogram;
use super::{RankingError, check};

/// Who is in an image and which camera took it. A gallery image whose person is no query's is a distractor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    pub person: i32,
    pub camera: i32,
}

/// How well a ranking finds the queries' persons: means over the queries, as fractions between 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
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

/// What of the gallery a query is ranked against, apart from the images of its person *and* camera, which never count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Shots {
    /// All of it: Market-1501's single-query protocol (Zheng et al., ICCV 2015).
    #[default]
    All,
    /// One image of each person, drawn anew [`DRAWS`] times: CUHK03's protocol (Li et al., CVPR 2014), as torchreid has it.
    /// The CMC is the mean over the draws; average precision is of the whole gallery, as there.
    Single,
}

/// Draws of [`Shots::Single`].
pub const DRAWS: usize = 10;

/// The ranks that a CMC has.
pub const RANKS: usize = 50;

/// How one query fared.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Its place among the queries.
    pub query: usize,
    pub person: i32,
    /// The CMC, 0…1 at ranks 1 to [`RANKS`]; with [`Shots::All`] 0 and then 1.
    pub cmc: Vec<f32>,
    /// The rank, from 1, of its first true match in the whole gallery.
    pub first: usize,
    pub average_precision: f64,
    pub inverse_penalty: f64,
}

/// How the queries of one camera fared among the gallery's images of one camera.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct CameraPair {
    pub query: i32,
    pub gallery: i32,
    pub rank1: f64,
    pub map: f64,
    pub queries: usize,
}

/// Scores rankings query by query, so that no matrix of all distances is held. Ties are ranked by gallery index.
///
/// With the true matches of a query at the ranks `r_1 < … < r_m` (from 1) of what is left of the gallery
/// - CMC at k is 1 where `r_1 ≤ k`,
/// - average precision is the mean of the precisions at the matches, `1/m · Σ i / r_i` (as torchreid and fast-reid compute it;
///   Market-1501's own MATLAB code takes the trapezoid below the curve, which is a little lower),
/// - inverse negative penalty is `m / r_m`.
///
/// Queries without a true match are skipped. An image that is query and gallery at once removes itself, which makes
/// leave-one-out a case of the same rule.
pub struct Tally<'a> {
    queries: &'a [Label],
    gallery: &'a [Label],
    shots: Shots,
    rng: ChaCha8Rng,
    outcomes: Vec<Outcome>,
    pairs: BTreeMap<(i32, i32), [f64; 3]>,
    histogram: Histogram,
}

impl<'a> Tally<'a> {
    /// For distances up to `largest`.
    pub fn new(queries: &'a [Label], gallery: &'a [Label], largest: f32, shots: Shots) -> Self {
        Self {
            queries,
            gallery,
            shots,
            rng: ChaCha8Rng::seed_from_u64(0),
            outcomes: Vec::new(),
            pairs: BTreeMap::new(),
            histogram: Histogram::new(largest),
        }
    }

    /// Scores the query at a place by its distances to the gallery.
    pub fn add(&mut self, query: usize, distances: &[f32]) {
        let label = self.queries[query];
        let mut kept: Vec<(f32, &Label)> =
            distances.iter().copied().zip(self.gallery).filter(|(_, image)| **image != label).collect();
        for &(distance, image) in &kept {
            self.histogram.add(distance, image.person == label.person);
        }
        if kept.iter().all(|(_, image)| image.person != label.person) {
            return;
        }
        kept.sort_by(|a, b| a.0.total_cmp(&b.0));
        let ranked: Vec<Label> = kept.into_iter().map(|(_, image)| *image).collect();
        let ranks = matches(&ranked, label.person);
        let cmc = match self.shots {
            Shots::All => (1..=RANKS).map(|rank| f32::from(u8::from(ranks[0] <= rank))).collect(),
            Shots::Single => self.single(&ranked, label.person),
        };
        let (average_precision, inverse_penalty) = precision(&ranks);
        self.outcomes.push(Outcome {
            query,
            person: label.person,
            cmc,
            first: ranks[0],
            average_precision,
            inverse_penalty,
        });

        let mut cameras: BTreeMap<i32, Vec<Label>> = BTreeMap::new();
        ranked.iter().for_each(|image| cameras.entry(image.camera).or_default().push(*image));
        for (camera, ranked) in cameras {
            let ranks = matches(&ranked, label.person);
            let Some(&first) = ranks.first() else { continue };
            let [rank1, map, queries] = self.pairs.entry((label.camera, camera)).or_default();
            *rank1 += f64::from(u8::from(first == 1));
            *map += precision(&ranks).0;
            *queries += 1.0;
        }
    }

    /// The mean CMC of draws of one image a person.
    fn single(&mut self, ranked: &[Label], person: i32) -> Vec<f32> {
        let mut places: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
        ranked.iter().enumerate().for_each(|(place, image)| places.entry(image.person).or_default().push(place));
        let mut cmc = vec![0.0; RANKS];
        for _ in 0..DRAWS {
            let drawn = places.iter().filter_map(|(&who, places)| Some((who, *places.choose(&mut self.rng)?)));
            let drawn: Vec<(i32, usize)> = drawn.collect();
            let own = drawn.iter().find(|(who, _)| *who == person).map_or(usize::MAX, |(_, place)| *place);
            let before = drawn.iter().filter(|(_, place)| *place < own).count();
            cmc.iter_mut().skip(before).for_each(|hit| *hit += 1.0);
        }
        cmc.iter_mut().for_each(|hits| *hits /= DRAWS as f32);
        cmc
    }

    /// What came out.
    ///
    /// # Errors
    /// [`RankingError::NoMatch`] when no query counts.
    pub fn finish(self) -> Result<Tallied, RankingError> {
        let scores = Scores::of(&self.outcomes).ok_or(RankingError::NoMatch)?;
        let pairs = self.pairs.into_iter().map(|((query, gallery), [rank1, map, queries])| CameraPair {
            query,
            gallery,
            rank1: rank1 / queries,
            map: map / queries,
            queries: queries as usize,
        });
        Ok(Tallied { scores, pairs: pairs.collect(), outcomes: self.outcomes, histogram: self.histogram })
    }
}

/// What a [`Tally`] gives.
#[derive(Clone, Debug)]
pub struct Tallied {
    pub scores: Scores,
    /// Of the queries that count, in their order.
    pub outcomes: Vec<Outcome>,
    /// In the order of their cameras.
    pub pairs: Vec<CameraPair>,
    /// All pairs of a query and a gallery image that count.
    pub histogram: Histogram,
}

impl Tallied {
    /// The CMC at ranks 1 to [`RANKS`], 0…1.
    pub fn cmc(&self) -> Vec<f64> {
        let at = |rank: usize| mean(&self.outcomes, |outcome| f64::from(outcome.cmc[rank]));
        (0..RANKS).map(at).collect()
    }
}

impl Scores {
    /// Means; `None` of nothing.
    pub fn of(outcomes: &[Outcome]) -> Option<Self> {
        let cmc = |rank: usize| mean(outcomes, |outcome| f64::from(outcome.cmc[rank - 1]));
        (!outcomes.is_empty()).then(|| Self {
            rank1: cmc(1),
            rank5: cmc(5),
            rank10: cmc(10),
            map: mean(outcomes, |outcome| outcome.average_precision),
            minp: mean(outcomes, |outcome| outcome.inverse_penalty),
            queries: outcomes.len(),
        })
    }
}

fn mean(outcomes: &[Outcome], of: impl Fn(&Outcome) -> f64) -> f64 {
    outcomes.iter().map(of).sum::<f64>() / outcomes.len() as f64
}

/// Scores a matrix of `distances`, `[queries, gallery]` row by row; see [`Tally`].
///
/// # Errors
/// [`RankingError::Shape`] and [`RankingError::NotFinite`] for a wrong matrix, [`RankingError::NoMatch`] when no query counts.
pub fn score(distances: &[f32], queries: &[Label], gallery: &[Label]) -> Result<Scores, RankingError> {
    check(distances, queries.len(), gallery.len())?;
    let mut tally = Tally::new(queries, gallery, 4.0, Shots::All);
    distances.chunks_exact(gallery.len().max(1)).enumerate().for_each(|(query, row)| tally.add(query, row));
    Ok(tally.finish()?.scores)
}

/// The ranks, from 1, of a person's images.
fn matches(ranked: &[Label], person: i32) -> Vec<usize> {
    let ranked = ranked.iter().enumerate().filter(|(_, image)| image.person == person);
    ranked.map(|(place, _)| place + 1).collect()
}

/// Average precision and inverse negative penalty of matches at these ranks.
fn precision(ranks: &[usize]) -> (f64, f64) {
    let count = ranks.len() as f64;
    let precisions = ranks.iter().enumerate().map(|(i, &rank)| (i + 1) as f64 / rank as f64);
    (precisions.sum::<f64>() / count, count / ranks.last().map_or(1.0, |&last| last as f64))
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

    #[test]
    fn a_camera_pair_ranks_one_camera_of_the_gallery() {
        // Camera 1: other, match. Camera 2: match. The query's own camera: removed, and a distractor.
        let gallery = [label(2, 1), label(1, 2), label(1, 1), label(1, 0), label(0, 0)];
        let queries = [label(1, 0)];
        let mut tally = Tally::new(&queries, &gallery, 1.0, Shots::All);
        tally.add(0, &[0.1, 0.2, 0.3, 0.4, 0.5]);
        let tallied = tally.finish().expect("a match");
        let pair = |gallery, rank1, map| CameraPair { query: 0, gallery, rank1, map, queries: 1 };
        assert_eq!(tallied.pairs, [pair(1, 0.0, 0.5), pair(2, 1.0, 1.0)]);
        assert_eq!((tallied.cmc()[0], tallied.cmc()[1]), (0.0, 1.0));
        assert_eq!(tallied.outcomes[0].first, 2);
    }

    #[test]
    fn a_single_shot_draws_one_image_of_each_person() {
        // Person 2 has one image, farther than one and nearer than the other of person 1: by chance one or the other is drawn.
        let gallery = [label(1, 1), label(2, 1), label(1, 1)];
        let queries = vec![label(1, 0); 400];
        let mut tally = Tally::new(&queries, &gallery, 1.0, Shots::Single);
        (0..400).for_each(|query| tally.add(query, &[0.1, 0.2, 0.3]));
        let tallied = tally.finish().expect("matches");
        let cmc = tallied.cmc();
        assert!((cmc[0] - 0.5).abs() < 0.03 && (cmc[1] - 1.0).abs() < 1e-6, "{cmc:?}");
        close(tallied.scores.map, (1.0 + 2.0 / 3.0) / 2.0);
    }
}
