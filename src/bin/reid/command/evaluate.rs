//! `reid evaluate`: how well a model finds people in labelled images.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use webreid::dataset::{Dataset, Protocol, Split};
use webreid::extract::Extractor;
use webreid::ranking::{Label, Rerank, Scores, rerank, score};

use crate::command::error::CliError;
use crate::command::features::{distances, features};
use crate::command::{Model, Outcome, output};

#[derive(clap::Args)]
pub struct Evaluate {
    #[command(flatten)]
    model: Model,
    /// A folder with query/ and bounding_box_test/ (or what other sets call them), a folder of files named PPPP_cC… (person,
    /// camera), or one folder for each person
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// market1501: query/ against bounding_box_test/; cross-camera: camera 1 against camera 2; leave-one-out: every image
    /// against all others [default: market1501 for such a folder, otherwise leave-one-out]
    #[arg(long, value_name = "PROTOCOL")]
    protocol: Option<Protocol>,
    /// Re-rank with k-reciprocal neighbours (k1 20, k2 6, λ 0.3)
    #[arg(long)]
    rerank: bool,
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
        let Evaluation { scores, gallery, unreadable } =
            evaluate(&extractor, &dataset, &split, self.rerank, "images").await?;

        if self.json {
            output::print_json(&scores)?;
        } else {
            let Scores { rank1, rank5, rank10, map, minp, queries } = scores;
            output::print(&format!(
                "{}, {protocol}{}, on {}: {queries} queries, gallery of {}\n\
                 rank-1 {rank1:6.2} %\nrank-5 {rank5:6.2} %\nrank-10{rank10:6.2} %\nmAP    {map:6.2} %\nmINP   {minp:6.2} %",
                recognised.architecture,
                if self.rerank { ", re-ranked" } else { "" },
                extractor.device().name,
                gallery,
            ))?;
        }
        Ok(Outcome::of(unreadable))
    }
}

/// How well a model did on a dataset.
pub struct Evaluation {
    /// Per cent.
    pub scores: Scores,
    /// The images of the gallery that could be read.
    pub gallery: usize,
    /// How many images could not be read; they are left out.
    pub unreadable: usize,
}

/// Extracts the features of a dataset's images and scores the ranking; `what` names the images for the user.
pub async fn evaluate(
    extractor: &Extractor,
    dataset: &Dataset,
    split: &Split,
    reranked: bool,
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
    let distances = if reranked {
        let all = distances(extractor, &features.values, &features.values, features.dim)?;
        rerank(&all, features.read.len(), &query, &gallery, Rerank::default())?
    } else {
        distances(extractor, &features.rows(&query), &features.rows(&gallery), features.dim)?
    };
    let scores = per_cent(score(&distances, &query_labels, &gallery_labels)?);
    Ok(Evaluation { scores, gallery: gallery.len(), unreadable: features.unreadable })
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
