//! `reid index search`

use std::num::NonZeroUsize;

use pgvector::Vector;
use webreid::dataset::CameraFrom;
use webreid::ranking::{Cameras, Centring, Kept};

use super::Database;
use super::labels::Labels;
use super::source::SourceOptions;
use super::store::{Camera, Shifts, Store};
use crate::command::error::CliError;
use crate::command::search::{Hit, Ranking, table};
use crate::command::{Outcome, interrupt, output};

#[derive(clap::Args)]
pub struct Search {
    #[command(flatten)]
    source: SourceOptions,
    #[command(flatten)]
    database: Database,
    /// How many photos to give for each query
    #[arg(long, value_name = "N", default_value = "10")]
    top: NonZeroUsize,
    /// Compare with every photo, where HNSW may miss some
    #[arg(long)]
    exact: bool,
    /// What to do with the cameras' means: none, or centre (each camera's mean is taken off its photos' features; compares with
    /// every photo)
    #[arg(long, value_name = "HOW", default_value_t, value_parser = cameras)]
    cameras: Cameras,
    /// Where a query's camera is known from, as in `reid index add`
    #[arg(long, value_name = "WHERE")]
    camera_from: Option<CameraFrom>,
    /// Print JSON: [{"query": PATH, "matches": [{"image": PATH, "similarity": S, "person": WHO, where known}, …]}, …]
    #[arg(long)]
    json: bool,
}

fn cameras(word: &str) -> Result<Cameras, String> {
    match word.parse() {
        Ok(Cameras::Standardise) | Err(_) => Err("choose none or centre".into()),
        Ok(cameras) => Ok(cameras),
    }
}

impl Search {
    pub async fn run(self) -> Result<Outcome, CliError> {
        interrupt::in_steps();
        let mut store = Store::connect(&self.database.postgres)?;
        let source = self.source.open().await?;
        store.check(&source.model)?;
        let all: Vec<usize> = (0..source.files.len()).collect();
        let mut queries = source.rows(&all, "queries").await?;
        let shifts = if self.cameras == Cameras::Centre {
            let labels = Labels::of(&source.files, self.camera_from.as_ref())?;
            let known = store.cameras()?;
            let id = |&photo: &usize| id(&known, labels.cameras[photo].as_deref()?);
            let taken: Vec<Option<i32>> = queries.photos.iter().map(id).collect();
            let centring = centring(&known, source.model.dim);
            centring.apply(&mut queries.values, &taken)?;
            let mean = |camera: &Camera| {
                let mean = centring.mean(Some(camera.id).filter(|_| !camera.name.is_empty()));
                Vector::from(mean.iter().map(|&value| value as f32).collect::<Vec<f32>>())
            };
            Some(Shifts {
                cameras: known.iter().map(|camera| camera.id).collect(),
                means: known.iter().map(mean).collect(),
            })
        } else {
            None
        };
        store.prepare(self.top.get(), self.exact)?;
        let mut rankings = Vec::new();
        for (&photo, feature) in queries.photos.iter().zip(queries.values.chunks_exact(source.model.dim)) {
            if interrupt::requested() {
                return Err(CliError::Interrupted);
            }
            let found = store.nearest(feature, self.top.get(), shifts.as_ref())?.into_iter();
            let hits = found.map(|found| Hit { image: found.name, similarity: found.similarity, person: found.person });
            rankings.push(Ranking { query: source.files[photo].to_string_lossy().into(), matches: hits.collect() });
        }
        if self.json { output::print_json(&rankings) } else { output::print(&table(&rankings)) }?;
        Ok(Outcome::of(queries.unreadable))
    }
}

fn id(known: &[Camera], name: &str) -> Option<i32> {
    known.iter().find(|camera| camera.name == name).map(|camera| camera.id)
}

/// The means of the index, mixed as those of photos at hand would be.
fn centring(known: &[Camera], dim: usize) -> Centring {
    let kept = known.iter().map(|camera| Kept {
        camera: Some(camera.id).filter(|_| !camera.name.is_empty()),
        photos: camera.photos,
        mean: &camera.mean,
    });
    Centring::of(dim, kept)
}
