//! `reid match`: who in the gallery looks like the query.

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use serde::Serialize;
use webreid::ranking::nearest;

use crate::command::error::CliError;
use crate::command::features::{distances, features, files};
use crate::command::{Model, Outcome, output};

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
    /// Print JSON: [{"query": PATH, "matches": [{"image": PATH, "similarity": S}, …]}, …]
    #[arg(long)]
    json: bool,
}

/// The best of the gallery for one query.
#[derive(Serialize)]
struct Ranking {
    query: String,
    matches: Vec<Hit>,
}

#[derive(Serialize)]
struct Hit {
    image: String,
    similarity: f32,
}

impl Match {
    pub async fn run(self) -> Result<Outcome, CliError> {
        let query_files = files(std::slice::from_ref(&self.query))?;
        let gallery_files = files(std::slice::from_ref(&self.gallery))?;
        let (_, extractor) = self.model.open().await?;
        let query = features(&extractor, &query_files, "query").await?;
        let gallery = features(&extractor, &gallery_files, "gallery").await?;
        let distances = distances(&extractor, &query.values, &gallery.values, query.dim)?;

        let hit = |place: usize, distance: f32| Hit {
            image: name(&gallery_files[gallery.read[place]]),
            // Of vectors of length 1, |a − b|² = 2 − 2 a·b.
            similarity: (1.0 - distance / 2.0).clamp(-1.0, 1.0),
        };
        let rows = distances.chunks_exact(gallery.read.len());
        let rankings: Vec<Ranking> = rows
            .zip(&query.read)
            .map(|(row, &index)| Ranking {
                query: name(&query_files[index]),
                matches: nearest(row, self.top.get()).into_iter().map(|place| hit(place, row[place])).collect(),
            })
            .collect();
        if self.json { output::print_json(&rankings) } else { output::print(&table(&rankings)) }?;
        Ok(Outcome::of(query.unreadable + gallery.unreadable))
    }
}

fn name(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn table(rankings: &[Ranking]) -> String {
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
