//! `reid match`: who in the gallery looks like the query.

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use serde::Serialize;
use webreid::ranking::{Photos, nearest};

use crate::command::adapt::{Adapt, adapt};
use crate::command::error::CliError;
use crate::command::features::{features, files};
use crate::command::finder::Whole;
use crate::command::{Model, Outcome, interrupt, output};

#[derive(clap::Args)]
pub struct Match {
    #[command(flatten)]
    model: Model,
    /// An image of whom to look for, or a folder of them
    #[arg(long, value_name = "PATH")]
    query: PathBuf,
    /// An image to look in, or a folder of them
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

impl Match {
    pub async fn run(self) -> Result<Outcome, CliError> {
        let query_files = files(std::slice::from_ref(&self.query))?;
        let gallery_files = files(std::slice::from_ref(&self.gallery))?;
        let all_files = [&query_files[..], &gallery_files].concat();
        let all_cameras = self.adapt.cameras(&all_files, None)?;
        let (_, extractor) = self.model.open().await?;
        let finder = self.whole.finder(&extractor).await?;
        let query = features(&extractor, finder.as_ref(), &query_files, "query").await?;
        let gallery = features(&extractor, finder.as_ref(), &gallery_files, "gallery").await?;

        // Queries first, then the gallery: all photos as one list.
        let read = query.read.iter().copied().chain(gallery.read.iter().map(|&file| query_files.len() + file));
        let cameras: Vec<Option<i32>> = read.map(|file| all_cameras[file]).collect();
        let names = [query.names(&query_files), gallery.names(&gallery_files)].concat();
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
        Ok(Outcome::of(query.unreadable.len() + gallery.unreadable.len()))
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
