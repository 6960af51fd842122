//! `reid match`: who in the gallery looks like the query.

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use serde::Serialize;
use webreid::ranking::{Photos, nearest};

use crate::command::adapt::{Adapt, adapt};
use crate::command::error::CliError;
use crate::command::feature_file::FeatureFile;
use crate::command::features::{features, files};
use crate::command::finder::Whole;
use crate::command::{Model, Outcome, interrupt, output};

#[derive(clap::Args)]
pub struct Match {
    #[command(flatten)]
    model: Model,
    /// An image of whom to look for, a folder of them, or a file of features that `reid extract` has written (.safetensors)
    #[arg(long, value_name = "PATH")]
    query: PathBuf,
    /// An image to look in, a folder of them, or a file of features. Where both are such files, no model is needed
    #[arg(long, value_name = "PATH")]
    gallery: PathBuf,
    /// How many matches to give for each query
    #[arg(long, value_name = "N", default_value = "10")]
    top: NonZeroUsize,
    /// Give no matches that are less similar than this, −1 to 1
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    threshold: Option<f32>,
    #[command(flatten)]
    whole: Whole,
    #[command(flatten)]
    adapt: Adapt,
    /// Print JSON: [{"query": PATH, "matches": [{"image": PATH, "similarity": S}, …]}, …]
    #[arg(long)]
    json: bool,
    /// Print a table with a line a match: query,rank,image,similarity
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

/// The best of the gallery for one query.
#[derive(Serialize)]
pub struct Ranking {
    pub query: String,
    pub matches: Vec<Hit>,
}

#[derive(Serialize)]
pub struct Hit {
    pub image: String,
    pub similarity: f32,
    /// Who it is, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
}

/// Where a side's photos come from.
enum Side {
    Images(Vec<PathBuf>),
    Features(FeatureFile),
}

impl Side {
    fn open(path: &PathBuf) -> Result<Self, CliError> {
        match FeatureFile::is(path) {
            true => Ok(Self::Features(FeatureFile::read(path)?)),
            false => Ok(Self::Images(files(std::slice::from_ref(path))?)),
        }
    }

    fn files(&self) -> Vec<PathBuf> {
        match self {
            Self::Images(files) => files.clone(),
            Self::Features(file) => file.names.iter().map(PathBuf::from).collect(),
        }
    }
}

/// Photos of a side with their features.
struct Photographed {
    names: Vec<String>,
    /// Of the side's files, ascending.
    read: Vec<usize>,
    /// `[names.len(), dim]`, row by row.
    values: Vec<f32>,
    dim: usize,
    unreadable: usize,
}

impl Match {
    pub async fn run(self) -> Result<Outcome, CliError> {
        let (query, gallery) = (Side::open(&self.query)?, Side::open(&self.gallery)?);
        let query_files = query.files();
        let all_cameras = self.adapt.cameras(&[&query_files[..], &gallery.files()].concat(), None)?;
        let (query, gallery) = self.features(query, gallery).await?;

        // Queries first, then the gallery: all photos as one list.
        let read = query.read.iter().copied().chain(gallery.read.iter().map(|&file| query_files.len() + file));
        let cameras: Vec<Option<i32>> = read.map(|file| all_cameras[file]).collect();
        let names = [&query.names[..], &gallery.names].concat();
        let rows = [&query.values[..], &gallery.values].concat();
        let (queries, all): (Vec<usize>, Vec<usize>) = (0..names.len()).partition(|&photo| photo < query.read.len());
        let photos = Photos { rows: &rows, dim: query.dim, cameras: &cameras, queries: &queries, gallery: &all };
        let adapted = adapt(photos, self.adapt.adaptation())?;
        let mut rankings = Vec::new();
        adapted.rank(&mut interrupt::progress, |place, distances| {
            let hits = nearest(distances, self.top.get()).into_iter().map(|hit| Hit {
                image: names[all[hit]].clone(),
                similarity: adapted.similarity(distances[hit]),
                person: None,
            });
            let near = hits.filter(|hit| self.threshold.is_none_or(|threshold| hit.similarity >= threshold));
            rankings.push(Ranking { query: names[queries[place]].clone(), matches: near.collect() });
        })?;
        match (self.json, self.csv) {
            (true, _) => output::print_json(&rankings),
            (_, true) => output::print(&csv(&rankings)?),
            _ => output::print(&table(&rankings)),
        }?;
        Ok(Outcome::of(query.unreadable + gallery.unreadable))
    }

    /// The features of both sides, which are of one model. Where both are there already, none is opened.
    async fn features(&self, query: Side, gallery: Side) -> Result<(Photographed, Photographed), CliError> {
        let (query, gallery) = match (query, gallery) {
            (Side::Features(query), Side::Features(gallery)) => {
                gallery.check(&query.fingerprint, query.dim, &query.path.display().to_string())?;
                return Ok((query.into(), gallery.into()));
            }
            sides => sides,
        };
        let (_, extractor) = self.model.open().await?;
        let (fingerprint, dim) = (extractor.fingerprint().to_string(), extractor.config().features_dim());
        let whose = format!("--weights {}", self.model.weights.display());
        for side in [&query, &gallery] {
            if let Side::Features(file) = side {
                file.check(&fingerprint, dim, &whose)?;
            }
        }
        let finder = self.whole.finder(&extractor).await?;
        let of = async |side: Side, what: &str| -> Result<Photographed, CliError> {
            let files = match side {
                Side::Features(file) => return Ok(file.into()),
                Side::Images(files) => files,
            };
            let features = features(&extractor, finder.as_ref(), &files, what).await?;
            Ok(Photographed {
                names: features.names(&files),
                read: features.read,
                values: features.values,
                dim: features.dim,
                unreadable: features.unreadable.len(),
            })
        };
        Ok((of(query, "query").await?, of(gallery, "gallery").await?))
    }
}

impl From<FeatureFile> for Photographed {
    fn from(FeatureFile { names, values, dim, .. }: FeatureFile) -> Self {
        Self { read: (0..names.len()).collect(), names, values, dim, unreadable: 0 }
    }
}

/// Rankings as a table for other programs.
fn csv(rankings: &[Ranking]) -> Result<String, CliError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |error: csv::Error| CliError::Print(error.into());
    writer.write_record(["query", "rank", "image", "similarity"]).map_err(failed)?;
    for ranking in rankings {
        for (rank, hit) in (1..).zip(&ranking.matches) {
            writer.serialize((&ranking.query, rank, &hit.image, hit.similarity)).map_err(failed)?;
        }
    }
    let bytes = writer.into_inner().map_err(|error| CliError::Print(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
}

/// Rankings as text.
pub fn table(rankings: &[Ranking]) -> String {
    let mut text = String::new();
    for ranking in rankings {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", ranking.query);
        for (rank, hit) in (1..).zip(&ranking.matches) {
            let _ = writeln!(text, "{rank:5}  {:7.4}  {}", hit.similarity, hit.image);
        }
    }
    text.trim_end().to_owned()
}
