//! How likely two photos show one person: a probability that means what it says, found from the gallery itself and sharpened
//! by answers.
//!
//! A logistic curve over the distance of two photos (Platt 1999), fitted to pairs of photos of which the groups say whether they
//! are one person. Groups are not the truth, but on PKU-Reid they come near enough for the curve; what people answered counts
//! for more.

use serde::Serialize;

use super::cut::Pairs;
use super::{Groups, Tree};
use crate::ranking::{Features, dot};

/// So many answered pairs count as much as all pairs of the gallery.
const ANSWERS: f64 = 100.0;
/// More certain than this nothing is.
const CERTAIN: f64 = 30.0;

/// Same, different, or neither for certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Same,
    #[default]
    Unsure,
    Different,
}

/// What is to be said of a photo and who is searched for.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct Judged {
    /// That it shows them, 0…1; `None` where nothing is known of the gallery's distances.
    #[cfg_attr(target_arch = "wasm32", tsify(optional, type = "number | undefined"))]
    pub probability: Option<f32>,
    pub verdict: Verdict,
}

/// From where on two photos are said to be one person or two, and how often that is wrong by the curve, of all pairs of the
/// gallery's photos.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct Judgement {
    /// The probability from which on they are the same: [`Judge::SAME`].
    pub same: f32,
    /// The probability up to which they are different: [`Judge::DIFFERENT`].
    pub different: f32,
    /// Of the pairs that are the same by this, the share that are two people, 0…1; `None` where there are no such pairs.
    #[cfg_attr(target_arch = "wasm32", tsify(optional, type = "number | undefined"))]
    pub wrong_same: Option<f32>,
    /// Of those that are different by this, the share that are one person.
    #[cfg_attr(target_arch = "wasm32", tsify(optional, type = "number | undefined"))]
    pub wrong_different: Option<f32>,
    /// The share of all pairs of which neither is said, 0…1.
    pub unsure: f32,
}

/// Tells how likely two photos of a gallery show one person, by their distance in the gallery's space.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judge {
    /// The logit is `at_zero − slope · distance`.
    at_zero: f64,
    slope: f64,
    judgement: Judgement,
}

impl Judge {
    /// From here on two photos are said to be the same: one in ten of those just there is not.
    pub const SAME: f32 = 0.9;
    /// Up to here they are said to be different.
    pub const DIFFERENT: f32 = 0.1;

    /// The probability that photos at a distance, 1 − cosine, are of one person: 0…1.
    pub fn probability(&self, distance: f32) -> f32 {
        sigmoid((self.at_zero - self.slope * f64::from(distance)).clamp(-CERTAIN, CERTAIN)) as f32
    }

    /// Its cut-offs, and their errors.
    pub fn judgement(&self) -> Judgement {
        self.judgement
    }

    /// Whether each of some photos shows the person that `queries` are photos of, by the mean distance to these. Both are in the
    /// gallery's [`Space`](super::Space).
    pub fn judge(&self, queries: &Features, photos: &Features) -> Vec<Judged> {
        let judge = |photo| {
            let similarities = (0..queries.count()).map(|query| dot(queries.row(query), photos.row(photo)));
            let probability = self.probability(1.0 - similarities.sum::<f32>() / queries.count().max(1) as f32);
            Judged { probability: Some(probability), verdict: Self::verdict(probability) }
        };
        (0..photos.count()).map(judge).collect()
    }

    /// With the errors that it has on pairs at these distances.
    fn with_errors(mut self, distances: impl Iterator<Item = f32>) -> Self {
        let (mut counts, mut wrong) = ([0.0_f64; 3], [0.0; 3]);
        for probability in distances.map(|distance| self.probability(distance)) {
            let (place, error) = match Self::verdict(probability) {
                Verdict::Same => (0, 1.0 - probability),
                Verdict::Different => (1, probability),
                Verdict::Unsure => (2, 0.0),
            };
            counts[place] += 1.0;
            wrong[place] += f64::from(error);
        }
        let share = |place: usize| (counts[place] > 0.0).then(|| (wrong[place] / counts[place]) as f32);
        let unsure = (counts[2] / counts.iter().sum::<f64>().max(1.0)) as f32;
        self.judgement = Judgement { wrong_same: share(0), wrong_different: share(1), unsure, ..self.judgement };
        self
    }

    /// The verdict of a probability.
    pub fn verdict(probability: f32) -> Verdict {
        match probability {
            same if same >= Self::SAME => Verdict::Same,
            different if different <= Self::DIFFERENT => Verdict::Different,
            _ => Verdict::Unsure,
        }
    }
}

impl Tree {
    /// What the gallery's groups and what was answered say of distances. `None` where there is nothing to learn from: no two
    /// photos together, or none apart.
    pub fn judge(&self, groups: &Groups) -> Option<Judge> {
        let mut of: Vec<u32> = (0..self.features.count() as u32).map(|photo| u32::MAX - photo).collect();
        for (label, group) in (0..).zip(&groups.groups) {
            group.iter().for_each(|&photo| of[photo] = label);
        }
        let pairs = Pairs::of(&self.features);
        let mut known: Vec<(f64, bool, f64)> = pairs
            .distances()
            .map(|([a, b], distance)| (f64::from(distance), of[a as usize] == of[b as usize], 1.0))
            .collect();
        let weight = known.len() as f64 / ANSWERS;
        let distance = |a: usize, b: usize| f64::from(self.features.distance(a, b) / 2.0);
        for same in &self.links.same {
            // Each photo with the next, so that a large group does not outweigh all others.
            known.extend(same.windows(2).map(|pair| (distance(pair[0], pair[1]), true, weight)));
        }
        known.extend(self.links.different.iter().map(|&[a, b]| (distance(a, b), false, weight)));
        let [same, apart] = [true, false].map(|same| known.iter().any(|pair| pair.1 == same));
        (same && apart).then(|| fit(&known).with_errors(pairs.distances().map(|(_, distance)| distance)))
    }
}

/// Newton's method for a logistic curve; a little weight on the slope keeps it finite where a cut parts all pairs.
fn fit(pairs: &[(f64, bool, f64)]) -> Judge {
    let (mut at_zero, mut slope) = (0.0, 0.0);
    for _ in 0..50 {
        let (mut gradient, mut curvature) = ([0.0, -1e-3 * slope], [1e-9, 0.0, 1e-3]);
        for &(distance, same, weight) in pairs {
            let probability = sigmoid(at_zero - slope * distance);
            let error = weight * (f64::from(u8::from(same)) - probability);
            let bend = weight * probability * (1.0 - probability);
            gradient = [gradient[0] + error, gradient[1] - error * distance];
            curvature =
                [curvature[0] + bend, curvature[1] - bend * distance, curvature[2] + bend * distance * distance];
        }
        let [a, b, c] = curvature;
        let determinant = (a * c - b * b).max(1e-12);
        let step =
            [(c * gradient[0] - b * gradient[1]) / determinant, (a * gradient[1] - b * gradient[0]) / determinant]
                .map(|step| step.clamp(-10.0, 10.0));
        at_zero += step[0];
        slope += step[1];
        if step.iter().all(|step| step.abs() < 1e-6) {
            break;
        }
    }
    let judgement = Judgement {
        same: Judge::SAME,
        different: Judge::DIFFERENT,
        wrong_same: None,
        wrong_different: None,
        unsure: 0.0,
    };
    Judge { at_zero, slope: slope.max(0.0), judgement }
}

fn sigmoid(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}
