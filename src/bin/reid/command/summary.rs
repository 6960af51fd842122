//! What a command tells of an evaluation: scores, how sure they are, and how two models differ. Per cent, distances apart.

use std::collections::BTreeMap;

use serde::Serialize;
use webreid::ranking::{CameraPair, Interval, Intervals, Outcome, Roc, Scores, intervals, paired};

use crate::command::evaluation::Evaluation;

/// What `--json --details` prints.
#[derive(Clone, Serialize)]
pub struct Summary {
    #[serde(flatten)]
    pub scores: Scores,
    /// 95 % intervals, by bootstrap over persons.
    pub intervals: Intervals,
    /// `None` where all pairs are of one kind.
    pub verification: Option<Verification>,
    /// Of each camera's queries among each camera's photos of the gallery; cameras are counted from 1.
    pub cameras: Vec<CameraPair>,
    /// What was decided about cameras and neighbours, and why.
    pub said: Vec<String>,
}

/// One cut-off for all pairs.
#[derive(Clone, Serialize)]
pub struct Verification {
    pub eer: f64,
    /// The distance where the errors are equal.
    pub cut: f64,
    /// True-match rates at so many false matches.
    pub tmr: BTreeMap<&'static str, f64>,
    pub same: u64,
    pub different: u64,
}

impl Verification {
    fn of(roc: &Roc) -> Self {
        let tmr = ["1e-2", "1e-3", "1e-4"].into_iter().zip(roc.true_match.map(|rate| rate * 100.0)).collect();
        Self { eer: roc.equal_error * 100.0, cut: roc.cut, tmr, same: roc.same, different: roc.different }
    }
}

impl Summary {
    pub fn of(evaluation: &Evaluation, roc: Option<&Roc>) -> Self {
        Self {
            scores: evaluation.scores,
            intervals: per_cent(intervals(&evaluation.tallied.outcomes)),
            verification: roc.map(Verification::of),
            // Photos whose camera is not known have a number below 0 each.
            cameras: evaluation
                .tallied
                .pairs
                .iter()
                .filter(|pair| pair.query.min(pair.gallery) >= 0)
                .map(counted_from_1)
                .collect(),
            said: evaluation.said.clone(),
        }
    }

    /// For people, `of` says of what.
    pub fn text(&self, of: &str) -> String {
        let Self { scores: Scores { rank1, rank5, rank10, map, minp, .. }, intervals, verification, .. } = self;
        let interval = |Interval { low, high }| format!("  (95 %: {low:.1}–{high:.1})");
        let mut text = format!(
            "{of}\n\
             rank-1  {rank1:5.2} %{}\nrank-5  {rank5:5.2} %\nrank-10 {rank10:5.2} %\nmAP     {map:5.2} %{}\nmINP    {minp:5.2} %",
            interval(intervals.rank1),
            interval(intervals.map),
        );
        if let Some(Verification { eer, tmr, .. }) = verification {
            text += &format!("\nEER     {eer:5.2} %");
            for (rate, share) in tmr {
                text += &format!("\ntrue matches at {rate} false ones {share:.2} %");
            }
        }
        text
    }
}

fn counted_from_1(pair: &CameraPair) -> CameraPair {
    CameraPair {
        query: pair.query + 1,
        gallery: pair.gallery + 1,
        rank1: pair.rank1 * 100.0,
        map: pair.map * 100.0,
        ..*pair
    }
}

fn per_cent(Intervals { rank1, map }: Intervals) -> Intervals {
    let per_cent = |Interval { low, high }| Interval { low: low * 100.0, high: high * 100.0 };
    Intervals { rank1: per_cent(rank1), map: per_cent(map) }
}

/// By how much a second model does better than a first on the same queries.
#[derive(Clone, Copy, Serialize)]
pub struct Difference {
    pub rank1: f64,
    pub map: f64,
    /// 95 % intervals of the differences, by bootstrap over persons.
    pub intervals: Intervals,
    pub queries: usize,
}

impl Difference {
    /// Of rankings of the same queries.
    pub fn of(first: &[Outcome], second: &[Outcome]) -> Self {
        let [a, b] = [first, second].map(Scores::of);
        let less = |score: fn(&Scores) -> f64| 100.0 * (b.as_ref().map_or(0.0, score) - a.as_ref().map_or(0.0, score));
        Self {
            rank1: less(|scores| scores.rank1),
            map: less(|scores| scores.map),
            intervals: per_cent(paired(first, second)),
            queries: second.len(),
        }
    }

    /// For people.
    pub fn text(&self) -> String {
        let line = |name: &str, difference: f64, interval: Interval| {
            let Interval { low, high } = interval;
            format!("\n{name} {difference:+6.2}  (95 %: {low:+.1} to {high:+.1}): {}", verdict(interval))
        };
        format!(
            "B less A, {} queries{}{}",
            self.queries,
            line("rank-1", self.rank1, self.intervals.rank1),
            line("mAP   ", self.map, self.intervals.map)
        )
    }
}

/// What the interval of a difference allows to say.
pub fn verdict(Interval { low, high }: Interval) -> &'static str {
    if low > 0.0 {
        "B is better"
    } else if high < 0.0 {
        "A is better"
    } else {
        "no difference can be seen"
    }
}
