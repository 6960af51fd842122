//! How far apart two groups may be and still be one person, found from the photos themselves: no fixed cut serves, as the best
//! one is 0.75 in one gallery and 0.5 in the next.
//!
//! Two views of it are weighed. The *silhouette* (Rousseeuw 1987) asks how much nearer photos are to their own group than to
//! the next; it takes a person's two cameras for two people. The *strangers* are what chance brings: how near two photos of
//! different groups are, and how far a cut can go before, among so many groups, one is as near as that by chance.

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

use super::merges::{Merge, labels};
use crate::ranking::{Distances, Features, RankingError, dot, quiet};

/// Cuts that are looked at.
const STEP: f32 = 0.025;
const CUTS: std::ops::Range<usize> = 4..40;
/// Photos as near as that are one moment, of which one photo speaks.
const MOMENT: f32 = 0.1;
/// Added to the silhouette's divisor, so that groups of near copies do not outweigh all others.
const OFFSET: f32 = 0.1;
/// A stranger as near as the cut is expected for one group in so many.
const STRANGERS: f32 = 8.0;
/// Of the way from the silhouette's cut to that of the strangers.
const WAY: f32 = 1.0 / 3.0;
/// Photos whose silhouette is looked at, and pairs of photos.
const PHOTOS: usize = 1500;
const PAIRS: usize = 200_000;

/// Where to cut, as a mean distance of groups, 0…1.
///
/// # Errors
/// Of the distances.
pub fn cut(features: &Features, merges: &[Merge]) -> Result<f32, RankingError> {
    let count = features.count();
    let pairs = Pairs::of(features);
    let speakers = speakers(count, merges);
    let mut best = (f32::NEG_INFINITY, 0.0);
    let mut strangers = None;
    let (mut merged, mut chance) = (usize::MAX, None);
    for cut in CUTS.map(|step| step as f32 * STEP) {
        let until = up_to(merges, cut);
        // Otherwise the groups are those of the cut before.
        if until.len() != merged {
            merged = until.len();
            let labels = labels(count, until);
            let groups = labels.iter().max().map_or(0, |&last| last as usize + 1);
            let silhouette = silhouette(features, &speakers, &labels, groups)?;
            if silhouette > best.0 {
                best = (silhouette, cut);
            }
            chance = pairs.strangers(&labels, groups);
        }
        if strangers.is_none() && chance.is_none_or(|chance| cut >= chance) {
            strangers = Some(cut);
        }
    }
    let strangers = strangers.unwrap_or(CUTS.end as f32 * STEP);
    Ok(best.1 + (strangers - best.1) * WAY)
}

/// The merges at no more than a distance.
pub fn up_to(merges: &[Merge], cut: f32) -> &[Merge] {
    &merges[..merges.partition_point(|merge| merge.distance <= cut)]
}

/// One photo of each moment.
pub fn speakers(count: usize, merges: &[Merge]) -> Vec<usize> {
    let mut speakers = Vec::new();
    for (photo, moment) in labels(count, up_to(merges, MOMENT)).into_iter().enumerate() {
        if moment as usize == speakers.len() {
            speakers.push(photo);
        }
    }
    speakers
}

/// The mean silhouette of the speakers among themselves, 0 for those that are alone; −1 where all are one group.
pub fn silhouette(features: &Features, speakers: &[usize], labels: &[u32], groups: usize) -> Result<f32, RankingError> {
    let dim = features.dim();
    let mut sizes = vec![0.0_f32; groups];
    let mut sums = vec![0.0; groups * dim];
    for &photo in speakers {
        let group = labels[photo] as usize;
        sizes[group] += 1.0;
        let sum = &mut sums[group * dim..][..dim];
        sum.iter_mut().zip(features.row(photo)).for_each(|(sum, value)| *sum += value);
    }
    let spoken: Vec<usize> = (0..groups).filter(|&group| sizes[group] > 0.0).collect();
    if spoken.len() < 2 {
        return Ok(-1.0);
    }
    let mut places = vec![0; groups];
    spoken.iter().enumerate().for_each(|(place, &group)| places[group] = place);
    let means = spoken.iter().flat_map(|&group| sums[group * dim..][..dim].iter().map(move |sum| (group, sum)));
    let means = Features::as_they_are(means.map(|(group, sum)| sum / sizes[group]), dim);
    let enough = speakers.len().min(PHOTOS);
    let looked: Vec<usize> = (0..enough).map(|place| speakers[place * speakers.len() / enough]).collect();
    let mut total = 0.0;
    Distances::to(&means).blocks(&features.select(&looked), &mut quiet, |first, rows| {
        for (place, row) in rows.iter().enumerate() {
            let photo = looked[first + place];
            let group = labels[photo] as usize;
            let size = sizes[group];
            if size < 2.0 {
                continue;
            }
            let own = features.row(photo);
            let sum = &sums[group * dim..][..dim];
            let inside = 1.0 - (dot(own, sum) - dot(own, own)) / (size - 1.0);
            let others = row.iter().enumerate().filter(|(other, _)| *other != places[group]);
            let outside = others.map(|(_, distance)| distance / 2.0).fold(f32::INFINITY, f32::min);
            total += (outside - inside) / (outside.max(inside) + OFFSET);
        }
    })?;
    Ok(total / looked.len() as f32)
}

/// Pairs of photos drawn at random, and their distances.
pub struct Pairs(Vec<([u32; 2], f32)>);

impl Pairs {
    pub fn of(features: &Features) -> Self {
        let count = features.count();
        if count < 2 {
            return Self(Vec::new());
        }
        let distance = |a: usize, b: usize| ([a as u32, b as u32], 1.0 - dot(features.row(a), features.row(b)));
        if count * (count - 1) / 2 <= PAIRS {
            return Self((1..count).flat_map(|a| (0..a).map(move |b| distance(a, b))).collect());
        }
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let pair = |random: &mut ChaCha8Rng| {
            let a = random.random_range(0..count);
            let b = (a + random.random_range(1..count)) % count;
            distance(a, b)
        };
        Self((0..PAIRS).map(|_| pair(&mut random)).collect())
    }

    /// Two photos each, and how far apart they are.
    pub fn distances(&self) -> impl Iterator<Item = ([u32; 2], f32)> {
        self.0.iter().copied()
    }

    /// How near a stranger comes by chance to one group in [`STRANGERS`], where there are so many; `None` without strangers.
    fn strangers(&self, labels: &[u32], groups: usize) -> Option<f32> {
        let apart = self.0.iter().filter(|([a, b], _)| labels[*a as usize] != labels[*b as usize]);
        let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
        for distance in apart.map(|&(_, distance)| f64::from(distance)) {
            count += 1.0;
            sum += distance;
            squares += distance * distance;
        }
        if count == 0.0 {
            return None;
        }
        let mean = sum / count;
        let deviation = (squares / count - mean * mean).max(0.0).sqrt();
        Some(mean as f32 - upper_quantile(1.0 / (STRANGERS * groups.max(2) as f32)) * deviation as f32)
    }
}

/// How many deviations above its mean a normal distribution is with that probability, 0…0.5 (Abramowitz and Stegun 26.2.23;
/// the error is below 4.5e-4).
fn upper_quantile(probability: f32) -> f32 {
    let t = (-2.0 * probability.ln()).sqrt();
    t - (2.515_517 + t * (0.802_853 + t * 0.010_328)) / (1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308)))
}
