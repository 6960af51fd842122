//! How well one cut-off tells pairs of the same person from pairs of different people.

use serde::Serialize;

/// Bins from distance 0 to the largest. So fine that figures equal those of sorted pairs to 1e-5, where sets of tens of
/// thousands of images have more pairs than fit in memory.
const BINS: usize = 1 << 20;

/// The false-match rates at which the true-match rate is told.
pub const RATES: [f64; 3] = [1e-2, 1e-3, 1e-4];

/// Distances of pairs, counted.
#[derive(Clone, Debug)]
pub struct Histogram {
    largest: f32,
    same: Vec<u32>,
    different: Vec<u32>,
}

impl Histogram {
    /// For distances from 0 to `largest`.
    pub fn new(largest: f32) -> Self {
        Self { largest, same: vec![0; BINS], different: vec![0; BINS] }
    }

    pub fn add(&mut self, distance: f32, same: bool) {
        let bin = ((distance / self.largest * BINS as f32) as usize).min(BINS - 1);
        let bins = if same { &mut self.same } else { &mut self.different };
        bins[bin] = bins[bin].saturating_add(1);
    }

    /// `bins` coarse bins of both kinds, as shares of their kind: what a picture shows.
    pub fn shares(&self, bins: usize) -> [Vec<f64>; 2] {
        [&self.same, &self.different].map(|fine| {
            let total = sum(fine).max(1) as f64;
            let coarse = |bin: usize| &fine[bin * BINS / bins..(bin + 1) * BINS / bins];
            (0..bins).map(|bin| sum(coarse(bin)) as f64 / total).collect()
        })
    }

    /// The figures; `None` without a pair of each kind.
    pub fn roc(&self) -> Option<Roc> {
        let (same, different) = (sum(&self.same), sum(&self.different));
        if same == 0 || different == 0 {
            return None;
        }
        let mut points = vec![Point { distance: 0.0, false_match: 0.0, true_match: 0.0 }];
        let (mut accepted, mut wrong) = (0, 0);
        for bin in 0..BINS {
            if self.same[bin] == 0 && self.different[bin] == 0 {
                continue;
            }
            accepted += u64::from(self.same[bin]);
            wrong += u64::from(self.different[bin]);
            points.push(Point {
                distance: (bin + 1) as f32 / BINS as f32 * self.largest,
                false_match: wrong as f64 / different as f64,
                true_match: accepted as f64 / same as f64,
            });
        }
        // Where as many same pairs are turned away as different ones are let through.
        let crossing = points.partition_point(|point| point.false_match < 1.0 - point.true_match).min(points.len() - 1);
        let (before, after) = (points[crossing.saturating_sub(1)], points[crossing]);
        let gap = |point: Point| point.false_match - (1.0 - point.true_match);
        let share = if gap(after) > gap(before) { -gap(before) / (gap(after) - gap(before)) } else { 0.0 };
        let between = |a: f64, b: f64| a + share * (b - a);
        let at = |rate: f64| points[points.partition_point(|point| point.false_match <= rate) - 1].true_match;
        Some(Roc {
            equal_error: between(before.false_match, after.false_match),
            cut: between(f64::from(before.distance), f64::from(after.distance)),
            true_match: RATES.map(at),
            same,
            different,
            points,
        })
    }
}

fn sum(bins: &[u32]) -> u64 {
    bins.iter().map(|&count| u64::from(count)).sum()
}

/// What a cut-off at some distance lets through.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Point {
    /// Pairs up to here count as the same person.
    pub distance: f32,
    /// Share of the different pairs that do, 0…1.
    pub false_match: f64,
    /// Share of the same pairs that do, 0…1.
    pub true_match: f64,
}

/// Verification: one cut-off for all pairs of a query and a gallery image that count (not those of the same person and camera).
#[derive(Clone, Debug, PartialEq)]
pub struct Roc {
    /// The error rate where false matches and false refusals are equally frequent, 0…1, between the two nearest points.
    pub equal_error: f64,
    /// The distance at which that is so.
    pub cut: f64,
    /// The largest true-match rate with at most [`RATES`] false matches.
    pub true_match: [f64; RATES.len()],
    /// Pairs of each kind.
    pub same: u64,
    pub different: u64,
    /// From no pair let through to all.
    pub points: Vec<Point>,
}

impl Roc {
    /// At most `count` points, which draw the same curve: those where it has moved.
    pub fn thinned(&self, count: usize) -> Vec<Point> {
        let step = 2.0 / count.max(3) as f64;
        let mut kept: Vec<Point> = Vec::new();
        for (i, point) in self.points.iter().enumerate() {
            let moved = kept
                .last()
                .is_none_or(|last| point.false_match - last.false_match + point.true_match - last.true_match >= step);
            if moved || i + 1 == self.points.len() {
                kept.push(*point);
            }
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-5, "{a} is not {b}");
    }

    #[test]
    fn by_hand() {
        let mut pairs = Histogram::new(4.0);
        [0.1, 0.2, 0.3, 0.9].iter().for_each(|&distance| pairs.add(distance, true));
        [0.25, 0.8, 1.0, 2.0, 4.0].iter().for_each(|&distance| pairs.add(distance, false));
        let roc = pairs.roc().expect("both kinds");
        // From 0.3 to 0.8 one of four is refused, and one or two of five are let through.
        close(roc.equal_error, 0.25);
        assert_eq!((roc.same, roc.different), (4, 5));
        assert_eq!(roc.true_match, [0.5; 3], "two before the first false match");
        assert_eq!(roc.points.last().map(|point| (point.false_match, point.true_match)), Some((1.0, 1.0)));
        let [same, different] = pairs.shares(4);
        assert_eq!((same, different), (vec![1.0, 0.0, 0.0, 0.0], vec![0.4, 0.2, 0.2, 0.2]));
    }

    /// scikit-learn 1.7: `fpr, tpr, _ = roc_curve(same, -distance)` of 400 pairs, EER by `brentq(lambda x: 1 - x - interp1d(fpr, tpr)(x), 0, 1)`.
    #[test]
    fn equals_scikit_learn() {
        let mut pairs = Histogram::new(4.0);
        let mut state = 1_u32;
        for i in 0..400 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = (state >> 8) as f32 / (1 << 24) as f32;
            let same = i % 4 == 0;
            pairs.add(if same { 1.6 * noise } else { 0.8 + 2.4 * noise }, same);
        }
        let roc = pairs.roc().expect("both kinds");
        close(roc.equal_error, EXPECTED.0);
        assert!(roc.true_match.iter().zip(EXPECTED.1).all(|(a, b)| (a - b).abs() < 1e-9), "{:?}", roc.true_match);
    }
    const EXPECTED: (f64, [f64; 3]) = (0.193_333_333_33, [0.41, 0.4, 0.4]);

    #[test]
    fn one_kind_alone_gives_nothing() {
        let mut pairs = Histogram::new(1.0);
        pairs.add(0.5, true);
        assert_eq!(pairs.roc(), None);
    }

    #[test]
    fn thinned_curves_keep_their_ends() {
        let mut pairs = Histogram::new(1.0);
        (0..1000).for_each(|i| pairs.add(i as f32 / 1000.0, i % 3 == 0));
        let roc = pairs.roc().expect("both kinds");
        let thinned = roc.thinned(50);
        assert!(thinned.len() <= 52, "{}", thinned.len());
        assert_eq!((thinned.first(), thinned.last()), (roc.points.first(), roc.points.last()));
    }
}
