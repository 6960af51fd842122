//! How well features find people in labelled photos.

use js_sys::Function;
use serde::Serialize;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

use super::options::Options;
use super::photos::{Photos, bad};
use super::progress::Told;
use crate::ranking::{
    Adapted, CameraPair, Interval, Intervals, Label, RankingError, Roc, Scores, Shots, Tally, intervals,
};
use crate::web::error::WebError;

/// How well features find people: per cent, but for similarities and counts, as `reid evaluate --json --details` prints it.
#[derive(Serialize, Tsify)]
#[tsify(hashmap_as_object)]
pub struct Evaluation {
    #[serde(flatten)]
    scores: Scores,
    /// What the scores would be with other people like these.
    intervals: Intervals,
    /// Undefined where all pairs are of one kind.
    #[tsify(optional, type = "Verification | undefined")]
    verification: Option<Verification>,
    /// Of each camera's queries among each camera's photos of the gallery, by their numbers.
    cameras: Vec<CameraPair>,
    /// Whether rankings were re-ranked.
    reranked: bool,
    /// What was decided about cameras and neighbours, and why, a sentence each.
    said: Vec<String>,
}

/// One cut-off for all pairs.
#[derive(Serialize, Tsify)]
pub struct Verification {
    /// Equal error rate: at one cut-off for all pairs, as many of the same person are refused as of different ones let through.
    eer: f64,
    /// The similarity from which on a pair counts as one person, where both errors are as frequent.
    cut: f32,
    /// Of the pairs of the same person those let through where so many of different people are.
    tmr: Rates,
    /// Pairs of the same person, and of different people.
    same: u64,
    different: u64,
}

/// True-match rates at so many false matches.
#[derive(Serialize, Tsify)]
pub struct Rates {
    #[serde(rename = "1e-2")]
    hundredth: f64,
    #[serde(rename = "1e-3")]
    thousandth: f64,
    #[serde(rename = "1e-4")]
    ten_thousandth: f64,
}

impl Verification {
    fn of(roc: &Roc, adapted: &Adapted) -> Self {
        let [hundredth, thousandth, ten_thousandth] = roc.true_match.map(per_cent);
        Self {
            eer: per_cent(roc.equal_error),
            cut: adapted.similarity(roc.cut as f32),
            tmr: Rates { hundredth, thousandth, ten_thousandth },
            same: roc.same,
            different: roc.different,
        }
    }
}

#[wasm_bindgen]
impl Photos {
    /// Scores the ranking of the gallery for each query, as `Evaluation` of the package's glue. `persons` are the photos' persons by
    /// any numbers. Gallery photos of the query's person and camera never count, a photo of no known camera only for itself;
    /// with `single`, one photo of each person does, drawn ten times (CUHK03).
    ///
    /// # Errors
    /// `{ code, message }`: "bad-input" for features that are no numbers, and when no query has a true match;
    /// "out-of-memory"; "aborted" where `progress` threw.
    pub fn evaluate(
        &self,
        persons: Vec<i32>,
        single: bool,
        options: Ts<Options>,
        #[wasm_bindgen(unchecked_param_type = "(fraction: number) => void")] progress: &Function,
    ) -> Result<Ts<Evaluation>, WebError> {
        if persons.len() != self.count() {
            return Err(bad(RankingError::Lengths { features: self.count(), found: persons.len() }));
        }
        let options = Options::read(&options)?;
        let labels = |images: &[usize]| -> Vec<Label> {
            // A camera of its own for a photo whose camera nobody knows.
            let camera = |image: usize| self.camera(image).unwrap_or(-1 - image as i32);
            images.iter().map(|&image| Label { person: persons[image], camera: camera(image) }).collect()
        };
        let (queries, gallery) = (labels(&self.queries), labels(&self.gallery));
        let mut told = Told::new(progress, options.adaptation()?);
        let adapted = self.adapt(&options, &mut told)?;
        let shots = if single { Shots::Single } else { Shots::All };
        let mut tally = Tally::new(&queries, &gallery, adapted.largest(), shots);
        let rank = |query: usize, distances: &[f32]| tally.add(query, distances);
        adapted.rank(&mut |done, total| told.tell(done, total), rank).map_err(bad)?;
        let tallied = tally.finish().map_err(bad)?;

        let interval = |Interval { low, high }| Interval { low: per_cent(low), high: per_cent(high) };
        let Intervals { rank1: of_rank1, map: of_map } = intervals(&tallied.outcomes);
        let Scores { rank1, rank5, rank10, map, minp, queries } = tallied.scores;
        let known = tallied.pairs.iter().filter(|pair| pair.query.min(pair.gallery) >= 0);
        let evaluation = Evaluation {
            scores: Scores {
                rank1: per_cent(rank1),
                rank5: per_cent(rank5),
                rank10: per_cent(rank10),
                map: per_cent(map),
                minp: per_cent(minp),
                queries,
            },
            intervals: Intervals { rank1: interval(of_rank1), map: interval(of_map) },
            verification: tallied.histogram.roc().map(|roc| Verification::of(&roc, &adapted)),
            cameras: known
                .map(|pair| CameraPair { rank1: per_cent(pair.rank1), map: per_cent(pair.map), ..*pair })
                .collect(),
            reranked: adapted.is_reranked(),
            said: adapted.said().to_vec(),
        };
        Ok(evaluation.into_ts()?)
    }
}

fn per_cent(fraction: f64) -> f64 {
    fraction * 100.0
}
