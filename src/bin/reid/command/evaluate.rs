//! `reid evaluate`: how well a model finds people in labelled images.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Serialize;
use webreid::dataset::{Dataset, Protocol, Split};
use webreid::extract::Extractor;
use webreid::ranking::{
    Adaptation, CameraPair, Cameras, Expand, Interval, Intervals, Label, Photos, Reranked, Roc, Scores, Shots, Tallied,
    Tally, intervals,
};

use crate::command::adapt::{Adapt, adapt};
use crate::command::error::CliError;
use crate::command::features::features;
use crate::command::{Model, Outcome, interrupt, output};

#[derive(clap::Args)]
pub struct Evaluate {
    #[command(flatten)]
    model: Model,
    /// A folder with query/ and bounding_box_test/ (or what other sets call them), a folder of files named PPPP_cC… (person,
    /// camera), or one folder for each person
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// market1501: query/ against bounding_box_test/; cross-camera: camera 1 against camera 2; leave-one-out: every image
    /// against all others; cuhk03: one image of each person in the gallery, drawn ten times [default: market1501 for such a folder, otherwise leave-one-out]
    #[arg(long, value_name = "PROTOCOL")]
    protocol: Option<Protocol>,
    #[command(flatten)]
    adapt: Adapt,
    /// With --json: also "intervals" (95 %), "verification" (EER, true-match rates), "cameras" (each pair) and "said" (what was
    /// decided of cameras and neighbours)
    #[arg(long, requires = "json")]
    details: bool,
    /// Print JSON: {"rank1": …, "rank5": …, "rank10": …, "map": …, "minp": …, "queries": …}
    #[arg(long)]
    json: bool,
}

impl Evaluate {
    pub async fn run(self) -> Result<Outcome, CliError> {
        let dataset = Dataset::read(&self.data)?;
        dataset.words.iter().for_each(|words| eprintln!("reid: {words}"));
        let protocol = self.protocol.unwrap_or_else(|| Protocol::natural(&dataset));
        let split = protocol.split(&dataset)?;
        if !dataset.unlabelled.is_empty() {
            let count = dataset.unlabelled.len();
            eprintln!(
                "reid: {count} images tell no person and camera by their names and are left out, {} first",
                dataset.unlabelled[0].display()
            );
        }
        let (recognised, extractor) = self.model.open().await?;
        let files: Vec<PathBuf> = dataset.images.iter().map(|image| image.path.clone()).collect();
        let named: Vec<Option<i32>> = dataset.images.iter().map(|image| image.camera).collect();
        let cameras = self.adapt.cameras(&files, Some(&named))?;
        let count = split.query.iter().chain(&split.gallery).collect::<BTreeSet<_>>().len();
        self.adapt.check_memory(count, extractor.config().features_dim())?;
        let evaluation =
            evaluate(&extractor, &dataset, &split, &cameras, self.adapt.adaptation(), protocol.shots(), "images")
                .await?;
        if self.json && self.details {
            output::print_json(&Told::of(&evaluation))?;
        } else if self.json {
            output::print_json(&evaluation.scores)?;
        } else {
            let what = format!(
                "{}, {protocol}{}, on {}",
                recognised.architecture,
                described(self.adapt.adaptation()),
                extractor.device().name
            );
            output::print(&text(&what, &evaluation))?;
        }
        Ok(Outcome::of(evaluation.unreadable))
    }
}

/// What `--json --details` prints: per cent, distances apart.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    scores: Scores,
    /// 95 % intervals, by bootstrap over persons.
    intervals: Intervals,
    /// `None` where all pairs are of one kind.
    verification: Option<Verification>,
    /// Of each camera's queries among each camera's photos of the gallery; cameras are counted from 1.
    cameras: Vec<CameraPair>,
    /// What was decided about cameras and neighbours, and why.
    said: &'a [String],
}

/// One cut-off for all pairs.
#[derive(Serialize)]
struct Verification {
    eer: f64,
    /// The distance where the errors are equal.
    cut: f64,
    /// True-match rates at so many false matches.
    tmr: BTreeMap<&'static str, f64>,
    same: u64,
    different: u64,
}

impl Verification {
    fn of(roc: &Roc) -> Self {
        let tmr = ["1e-2", "1e-3", "1e-4"].into_iter().zip(roc.true_match.map(|rate| rate * 100.0)).collect();
        Self { eer: roc.equal_error * 100.0, cut: roc.cut, tmr, same: roc.same, different: roc.different }
    }
}

impl<'a> Told<'a> {
    fn of(evaluation: &'a Evaluation) -> Self {
        let per_cent = |Interval { low, high }| Interval { low: low * 100.0, high: high * 100.0 };
        let Intervals { rank1, map } = intervals(&evaluation.tallied.outcomes);
        Self {
            scores: evaluation.scores,
            intervals: Intervals { rank1: per_cent(rank1), map: per_cent(map) },
            verification: evaluation.tallied.histogram.roc().as_ref().map(Verification::of),
            // Photos whose camera is not known have a number below 0 each.
            cameras: evaluation
                .tallied
                .pairs
                .iter()
                .filter(|pair| pair.query.min(pair.gallery) >= 0)
                .map(counted_from_1)
                .collect(),
            said: &evaluation.said,
        }
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

fn text(what: &str, evaluation: &Evaluation) -> String {
    let Scores { rank1, rank5, rank10, map, minp, queries } = evaluation.scores;
    let Told { intervals, verification, .. } = Told::of(evaluation);
    let interval = |Interval { low, high }| format!("  (95 %: {low:.1}–{high:.1})");
    let mut text = format!(
        "{what}: {queries} queries, gallery of {}\n\
         rank-1  {rank1:5.2} %{}\nrank-5  {rank5:5.2} %\nrank-10 {rank10:5.2} %\nmAP     {map:5.2} %{}\nmINP    {minp:5.2} %",
        evaluation.gallery,
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

/// How well a model did on a dataset.
pub struct Evaluation {
    /// Per cent.
    pub scores: Scores,
    pub tallied: Tallied,
    /// What was decided about cameras and neighbours, and why.
    pub said: Vec<String>,
    /// The images of the gallery that could be read.
    pub gallery: usize,
    /// How many images could not be read; they are left out.
    pub unreadable: usize,
}

/// Extracts the features of a dataset's images and scores the ranking; `cameras` are those of all its images, `what` names the
/// images for the user.
pub async fn evaluate(
    extractor: &Extractor,
    dataset: &Dataset,
    split: &Split,
    cameras: &[Option<i32>],
    adaptation: Adaptation,
    shots: Shots,
    what: &str,
) -> Result<Evaluation, CliError> {
    let used: Vec<usize> =
        split.query.iter().chain(&split.gallery).copied().collect::<BTreeSet<_>>().into_iter().collect();
    let files: Vec<PathBuf> = used.iter().map(|&index| dataset.images[index].path.clone()).collect();
    let features = features(extractor, &files, what).await?;

    // From an image of the dataset to its row of features, where it could be read.
    let place: BTreeMap<usize, usize> =
        features.read.iter().enumerate().map(|(row, &file)| (used[file], row)).collect();
    let labels = dataset.labels();
    let select = |images: &[usize]| -> (Vec<usize>, Vec<Label>) {
        images.iter().filter_map(|index| Some((*place.get(index)?, labels[*index]))).unzip()
    };
    let (query, query_labels) = select(&split.query);
    let (gallery, gallery_labels) = select(&split.gallery);
    let cameras: Vec<Option<i32>> = features.read.iter().map(|&file| cameras[used[file]]).collect();
    let photos =
        Photos { rows: &features.values, dim: features.dim, cameras: &cameras, queries: &query, gallery: &gallery };
    let adapted = adapt(photos, adaptation)?;
    let mut tally = Tally::new(&query_labels, &gallery_labels, adapted.largest(), shots);
    adapted.rank(&mut interrupt::progress, |query, distances| tally.add(query, distances))?;
    let tallied = tally.finish()?;
    Ok(Evaluation {
        scores: per_cent(tallied.scores),
        tallied,
        said: adapted.said().to_vec(),
        gallery: gallery.len(),
        unreadable: features.unreadable,
    })
}

/// What was done to the features, for a line of text.
fn described(Adaptation { cameras, expand, rerank }: Adaptation) -> String {
    let mut text = String::new();
    if cameras != Cameras::None {
        text += &format!(", cameras: {cameras}");
    }
    if expand != Expand::None {
        text += &format!(", expansion: {expand}");
    }
    match rerank {
        Reranked::Never => {}
        Reranked::Auto => text += ", re-ranking: auto",
        Reranked::Always => text += ", re-ranked",
    }
    text
}

fn per_cent(scores: Scores) -> Scores {
    Scores {
        rank1: scores.rank1 * 100.0,
        rank5: scores.rank5 * 100.0,
        rank10: scores.rank10 * 100.0,
        map: scores.map * 100.0,
        minp: scores.minp * 100.0,
        queries: scores.queries,
    }
}
