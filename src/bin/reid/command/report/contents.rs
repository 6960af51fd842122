//! All that a report tells, in the form of `report.json`. Per cent; distances and similarities apart.

use std::path::Path;

use serde::Serialize;
use webreid::dataset::Image;
use webreid::ranking::Roc;

use crate::command::evaluation::Evaluation;
use crate::command::summary::{Difference, Summary};

use super::rankings::Hit as RankedHit;
use super::{LETTERS, Report, Tested};

/// Points of an ROC that are told: they draw the same curve.
const POINTS: usize = 400;
/// Bins of a histogram to a distance of 1.
const BINS: f64 = 50.0;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Contents {
    pub made_by: &'static str,
    /// The folder.
    pub data: String,
    pub protocol: String,
    /// What is done to features before they are ranked; empty for nothing.
    pub how: String,
    pub persons: usize,
    /// Images that were searched with and among, and could be read.
    pub queries: usize,
    pub gallery: usize,
    /// What was assumed of names and folders.
    pub assumed: Vec<String>,
    /// Images left out: those whose names tell no person, and those that cannot be read.
    pub unlabelled: Vec<String>,
    pub unreadable: Vec<Unread>,
    pub models: Vec<Model>,
    /// B less A.
    pub difference: Option<Difference>,
}

#[derive(Serialize)]
pub struct Unread {
    pub image: String,
    pub reason: String,
}

/// A model and how it did.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Model {
    pub name: &'static str,
    pub weights: String,
    pub architecture: String,
    pub fingerprint: String,
    pub device: String,
    /// What was assumed of its file.
    pub assumed: Vec<String>,
    #[serde(flatten)]
    pub summary: Summary,
    /// Whether similarities are those of re-ranking, where 1 is the same image, and no cosines.
    pub reranked: bool,
    /// At ranks 1, 2, ….
    pub cmc: Vec<f64>,
    pub roc: Vec<RocPoint>,
    pub histogram: Vec<Bin>,
    /// Worst first.
    pub outcomes: Vec<Outcome>,
    /// The map of the features: `map` is mAP.
    pub spots: Vec<Spot>,
    /// How many photos there are; not more than some are mapped.
    pub photos: usize,
}

/// What a cut-off lets through.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RocPoint {
    pub distance: f32,
    pub false_match: f64,
    pub true_match: f64,
}

/// Pairs with distances from `from` to `to`, as shares of their kind.
#[derive(Serialize)]
pub struct Bin {
    pub from: f64,
    pub to: f64,
    pub same: f64,
    pub different: f64,
}

/// How a query fared.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    #[serde(flatten)]
    pub query: Photo,
    /// The rank of the first true match.
    pub first: usize,
    pub average_precision: f64,
    pub inverse_penalty: f64,
    pub matches: Vec<Hit>,
    /// The first true match, wherever it is ranked.
    pub truth: Hit,
}

#[derive(Serialize)]
pub struct Photo {
    /// Among the images of the dataset.
    #[serde(skip)]
    pub index: usize,
    /// The file, from the folder of the data on.
    pub image: String,
    pub person: i32,
    /// From 1, where it is known.
    pub camera: Option<i32>,
}

#[derive(Serialize)]
pub struct Hit {
    pub rank: usize,
    #[serde(flatten)]
    pub photo: Photo,
    /// Whether it shows the query's person.
    pub same: bool,
    pub similarity: f64,
    pub distance: f64,
}

#[derive(Serialize)]
pub struct Spot {
    #[serde(flatten)]
    pub photo: Photo,
    pub x: f32,
    pub y: f32,
}

impl Contents {
    pub fn of(report: &Report<'_>) -> Self {
        let dataset = report.task.dataset;
        let name = |path: &Path| name(report.data, path);
        let counts = report
            .models
            .first()
            .map_or([0; 2], |model| [model.evaluation.queries.len(), model.evaluation.gallery.len()]);
        let unread = report.unreadable.iter().map(|unreadable| Unread {
            image: name(&dataset.images[unreadable.index].path),
            reason: unreadable.reason.clone(),
        });
        Self {
            made_by: concat!("reid ", env!("CARGO_PKG_VERSION")),
            data: report.data.display().to_string(),
            protocol: report.protocol.to_string(),
            how: report.how.trim_start_matches(", ").to_owned(),
            persons: dataset.persons(),
            queries: counts[0],
            gallery: counts[1],
            assumed: dataset.words.clone(),
            unlabelled: dataset.unlabelled.iter().map(|path| name(path)).collect(),
            unreadable: unread.collect(),
            models: LETTERS
                .into_iter()
                .zip(&report.models)
                .map(|(name, tested)| Model::of(name, tested, report))
                .collect(),
            difference: report.difference,
        }
    }
}

impl Model {
    fn of(letter: &'static str, tested: &Tested<'_>, report: &Report<'_>) -> Self {
        let Tested { weights, recognised, extractor, evaluation, summary, roc } = tested;
        let photo = |index: usize| Photo::of(index, &report.task.dataset.images[index], report.data);
        let images = report.task.dataset.images.as_slice();
        let hit = |rank: usize, hit: RankedHit, person: i32| {
            let index = evaluation.gallery[hit.place];
            let distance = f64::from(hit.distance);
            let similarity = similarity(distance, evaluation.reranked);
            Hit { rank, photo: photo(index), same: images[index].person == person, similarity, distance }
        };
        let pictured = evaluation.pictured.as_ref();
        let rankings = pictured.map(|pictured| &pictured.rankings[..]).unwrap_or_default();
        let mut outcomes: Vec<Outcome> = evaluation
            .tallied
            .outcomes
            .iter()
            .zip(rankings)
            .map(|(outcome, ranking)| Outcome {
                query: photo(evaluation.queries[outcome.query]),
                first: outcome.first,
                average_precision: 100.0 * outcome.average_precision,
                inverse_penalty: 100.0 * outcome.inverse_penalty,
                matches: (1..).zip(&ranking.top).map(|(rank, &found)| hit(rank, found, outcome.person)).collect(),
                truth: hit(outcome.first, ranking.truth, outcome.person),
            })
            .collect();
        outcomes.sort_by(|a, b| a.average_precision.total_cmp(&b.average_precision).then(b.first.cmp(&a.first)));
        let spots = pictured.map(|pictured| &pictured.map.spots[..]).unwrap_or_default();
        let ranks = evaluation.tallied.cmc().len().min(evaluation.gallery.len());
        Self {
            name: letter,
            weights: weights.display().to_string(),
            architecture: recognised.architecture.clone(),
            fingerprint: extractor.fingerprint().to_string(),
            device: extractor.device().name().to_owned(),
            assumed: recognised.words(),
            summary: (*summary).clone(),
            reranked: evaluation.reranked,
            cmc: evaluation.tallied.cmc().into_iter().take(ranks).map(|share| 100.0 * share).collect(),
            roc: roc.map(points).unwrap_or_default(),
            histogram: bins(evaluation),
            outcomes,
            spots: spots
                .iter()
                .map(|spot| Spot { photo: photo(evaluation.images[spot.row]), x: spot.x, y: spot.y })
                .collect(),
            photos: evaluation.images.len(),
        }
    }
}

impl Photo {
    fn of(index: usize, image: &Image, data: &Path) -> Self {
        Self {
            index,
            image: name(data, &image.path),
            person: image.person,
            camera: image.camera.map(|camera| camera + 1),
        }
    }
}

/// A file's name from the folder of the data on.
fn name(data: &Path, path: &Path) -> String {
    path.strip_prefix(data).unwrap_or(path).display().to_string()
}

/// What is shown of a distance: a cosine, or of a re-ranked distance 1 less it.
pub fn similarity(distance: f64, reranked: bool) -> f64 {
    // Of vectors of length 1, |a − b|² = 2 − 2 a·b.
    if reranked { 1.0 - distance } else { 1.0 - distance / 2.0 }
}

fn points(roc: &Roc) -> Vec<RocPoint> {
    let points = roc.thinned(POINTS).into_iter();
    let point = points.map(|point| RocPoint {
        distance: point.distance,
        false_match: 100.0 * point.false_match,
        true_match: 100.0 * point.true_match,
    });
    point.collect()
}

/// From the first bin that holds something to the last.
fn bins(evaluation: &Evaluation) -> Vec<Bin> {
    let largest: f64 = if evaluation.reranked { 1.0 } else { 4.0 };
    let count = BINS * largest;
    let [same, different] = evaluation.tallied.histogram.shares(count as usize);
    let edge = |bin: usize| bin as f64 / BINS;
    let bins = same.iter().zip(&different).enumerate();
    let mut bins: Vec<Bin> = bins
        .map(|(bin, (same, different))| Bin {
            from: edge(bin),
            to: edge(bin + 1),
            same: 100.0 * same,
            different: 100.0 * different,
        })
        .collect();
    let holds = |bin: &Bin| bin.same + bin.different > 0.0;
    bins.truncate(bins.iter().rposition(holds).map_or(0, |last| last + 1));
    bins.drain(..bins.iter().position(holds).unwrap_or(0));
    bins
}
