//! How sure a score is: what it would have been with other people.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use serde::Serialize;

use super::Outcome;

/// Resamples of a bootstrap.
const RESAMPLES: usize = 2000;

/// The 95 % interval of a mean, as a fraction like the mean.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

/// The intervals of two scores.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct Intervals {
    pub rank1: Interval,
    pub map: Interval,
}

/// 95 % intervals by bootstrap over *persons* (Efron 1979; percentiles of 2,000 resamples): the queries of one person fail
/// together, so that drawing queries would promise too much. The same outcomes give the same intervals.
pub fn intervals(outcomes: &[Outcome]) -> Intervals {
    bootstrap(outcomes.iter().map(|outcome| (outcome.person, values(outcome))))
}

/// The same for the differences, second less first, of two rankings of the same queries: queries that only one of them has
/// do not count.
pub fn paired(first: &[Outcome], second: &[Outcome]) -> Intervals {
    let known: BTreeMap<usize, [f64; 2]> = first.iter().map(|outcome| (outcome.query, values(outcome))).collect();
    let differences = second.iter().filter_map(|outcome| {
        let ([rank1, map], before) = (values(outcome), known.get(&outcome.query)?);
        Some((outcome.person, [rank1 - before[0], map - before[1]]))
    });
    bootstrap(differences)
}

fn values(outcome: &Outcome) -> [f64; 2] {
    [f64::from(outcome.cmc[0]), outcome.average_precision]
}

fn bootstrap(values: impl Iterator<Item = (i32, [f64; 2])>) -> Intervals {
    // Of each person the sums and how many queries there are.
    let mut people: BTreeMap<i32, [f64; 3]> = BTreeMap::new();
    for (person, [rank1, map]) in values {
        let sums = people.entry(person).or_default();
        [rank1, map, 1.0].iter().zip(sums).for_each(|(value, sum)| *sum += value);
    }
    let people: Vec<[f64; 3]> = people.into_values().collect();
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut means = [const { Vec::new() }; 2];
    for _ in 0..if people.is_empty() { 0 } else { RESAMPLES } {
        let mut sums = [0.0; 3];
        for _ in 0..people.len() {
            let drawn = &people[rng.random_range(0..people.len())];
            sums.iter_mut().zip(drawn).for_each(|(sum, value)| *sum += value);
        }
        means.iter_mut().zip(sums).for_each(|(means, sum)| means.push(sum / sums[2]));
    }
    let [rank1, map] = means.map(|mut means| {
        means.sort_by(f64::total_cmp);
        let at = |share: f64| means.get((share * (RESAMPLES - 1) as f64).round() as usize).copied().unwrap_or(0.0);
        Interval { low: at(0.025), high: at(0.975) }
    });
    Intervals { rank1, map }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Outcomes of people, `queries` of each, hit or missed together.
    fn outcomes(people: usize, queries: usize, hit: impl Fn(usize) -> bool) -> Vec<Outcome> {
        let outcome = |query: usize| {
            let value = f32::from(u8::from(hit(query / queries)));
            Outcome {
                query,
                person: (query / queries) as i32,
                cmc: vec![value],
                first: 1,
                average_precision: value.into(),
                inverse_penalty: 1.0,
            }
        };
        (0..people * queries).map(outcome).collect()
    }

    #[test]
    fn people_are_drawn_and_not_queries() {
        // 64 persons of 10 queries: the deviation of the mean is 0.5 / √64 = 0.0625, not 0.5 / √640.
        let Intervals { rank1, map } = intervals(&outcomes(64, 10, |person| person % 2 == 0));
        let expected = 1.96 * 0.0625;
        assert!((0.5 - rank1.low - expected).abs() < 0.02 && (rank1.high - 0.5 - expected).abs() < 0.02, "{rank1:?}");
        assert_eq!(rank1, map);
    }

    #[test]
    fn what_two_rankings_share_is_no_difference() {
        let first = outcomes(40, 3, |person| person % 2 == 0);
        let same = paired(&first, &first);
        assert_eq!((same.rank1.low, same.rank1.high), (0.0, 0.0));
        let better = paired(&first, &outcomes(40, 3, |_| true));
        assert!(better.rank1.low > 0.3 && better.rank1.high < 0.7, "{better:?}");
        assert_eq!(intervals(&[]).map, Interval { low: 0.0, high: 0.0 });
    }
}
