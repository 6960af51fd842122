//! How well a model ranks the images of a dataset.

use std::collections::BTreeMap;
use std::path::PathBuf;

use webreid::dataset::{Dataset, Split};
use webreid::extract::Extractor;
use webreid::ranking::{Adaptation, Label, Photos, Scores, Shots, Tallied, Tally};

use crate::command::adapt::adapt;
use crate::command::error::CliError;
use crate::command::features::{Unreadable, features};
use crate::command::interrupt;
use crate::command::report::{Map, Ranking, Rankings};

/// What is measured on, and how.
pub struct Task<'a> {
    pub dataset: &'a Dataset,
    pub split: &'a Split,
    /// Of all images of the dataset.
    pub cameras: &'a [Option<i32>],
    pub adaptation: Adaptation,
    pub shots: Shots,
}

/// Features of images of a dataset.
pub struct Extracted {
    /// The images, ascending.
    pub images: Vec<usize>,
    /// `[images.len(), dim]`, row by row, as the model gives them.
    values: Vec<f32>,
    dim: usize,
    /// Images of the dataset that could not be read.
    pub unreadable: Vec<Unreadable>,
}

impl Extracted {
    /// Extracts `images` of the dataset, those that can be read; `what` names them for the user.
    pub async fn of(extractor: &Extractor, dataset: &Dataset, images: &[usize], what: &str) -> Result<Self, CliError> {
        let files: Vec<PathBuf> = images.iter().map(|&index| dataset.images[index].path.clone()).collect();
        let features = features(extractor, None, &files, what).await?;
        let unreadable = features.unreadable.into_iter().map(|file| Unreadable { index: images[file.index], ..file });
        Ok(Self {
            images: features.read.iter().map(|&file| images[file]).collect(),
            values: features.values,
            dim: features.dim,
            unreadable: unreadable.collect(),
        })
    }

    /// Leaves out the images that are not among `others`.
    pub fn keep(&mut self, others: &[usize]) {
        let kept: Vec<bool> = self.images.iter().map(|image| others.binary_search(image).is_ok()).collect();
        let rows = self.values.chunks_exact(self.dim.max(1)).zip(&kept);
        self.values = rows.filter(|(_, kept)| **kept).flat_map(|(row, _)| row).copied().collect();
        let mut kept = kept.into_iter();
        self.images.retain(|_| kept.next() == Some(true));
    }
}

/// How well a model did on a dataset.
pub struct Evaluation {
    /// Per cent.
    pub scores: Scores,
    pub tallied: Tallied,
    /// What was decided about cameras and neighbours, and why.
    pub said: Vec<String>,
    /// The images of the dataset whose features there are, and those among them that were searched with and among.
    pub images: Vec<usize>,
    pub queries: Vec<usize>,
    pub gallery: Vec<usize>,
    /// Whether distances are re-ranked ones.
    pub reranked: bool,
    pub pictured: Option<Pictured>,
}

/// What only a report shows.
pub struct Pictured {
    /// Of the queries that count, in their order.
    pub rankings: Vec<Ranking>,
    pub map: Map,
}

/// Extracts the features of a dataset's images and scores the ranking; `what` names the images for the user.
pub async fn evaluate(extractor: &Extractor, task: &Task<'_>, what: &str) -> Result<Evaluation, CliError> {
    let extracted = Extracted::of(extractor, task.dataset, &task.images(), what).await?;
    task.rank(&extracted, false)
}

impl Task<'_> {
    /// The images that are queries or in the gallery, ascending.
    pub fn images(&self) -> Vec<usize> {
        let mut images = [&self.split.query[..], &self.split.gallery].concat();
        images.sort_unstable();
        images.dedup();
        images
    }

    /// Ranks and scores; `pictured` for a report.
    pub fn rank(&self, extracted: &Extracted, pictured: bool) -> Result<Evaluation, CliError> {
        // From an image of the dataset to its row of features, where it could be read.
        let place: BTreeMap<usize, usize> = (0..).zip(&extracted.images).map(|(row, &image)| (image, row)).collect();
        let labels = self.dataset.labels();
        let select = |images: &[usize]| -> (Vec<usize>, Vec<Label>) {
            images.iter().filter_map(|index| Some((*place.get(index)?, labels[*index]))).unzip()
        };
        let (query, query_labels) = select(&self.split.query);
        let (gallery, gallery_labels) = select(&self.split.gallery);
        let cameras: Vec<Option<i32>> = extracted.images.iter().map(|&image| self.cameras[image]).collect();
        let Extracted { values, dim, images, .. } = extracted;
        let photos = Photos { rows: values, dim: *dim, cameras: &cameras, queries: &query, gallery: &gallery };
        let adapted = adapt(photos, self.adaptation)?;
        let mut tally = Tally::new(&query_labels, &gallery_labels, adapted.largest(), self.shots);
        let mut rankings = pictured.then(|| Rankings::new(&query_labels, &gallery_labels));
        adapted.rank(&mut interrupt::progress, |query, distances| {
            tally.add(query, distances);
            if let Some(rankings) = &mut rankings {
                rankings.add(query, distances);
            }
        })?;
        let tallied = tally.finish()?;
        let named = |rows: &[usize]| -> Vec<usize> { rows.iter().map(|&row| images[row]).collect() };
        let pictured = rankings.map(|rankings| {
            let persons: Vec<i32> = images.iter().map(|&image| labels[image].person).collect();
            Pictured { rankings: rankings.finish(), map: Map::of(adapted.features(), &persons) }
        });
        Ok(Evaluation {
            scores: per_cent(tallied.scores),
            tallied,
            said: adapted.said().to_vec(),
            images: images.clone(),
            queries: named(&query),
            gallery: named(&gallery),
            reranked: adapted.is_reranked(),
            pictured,
        })
    }
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
