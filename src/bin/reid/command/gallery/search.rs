//! `reid gallery search`: who looks like a photo, or like a person.

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use serde::Serialize;
use webreid::dataset::CameraFrom;
use webreid::gallery::{Gallery, GalleryError};
use webreid::ranking::Cameras;

use super::{File, person, person_name, photo_name};
use crate::command::error::CliError;
use crate::command::features::{features, files};
use crate::command::{self, Outcome, output};

#[derive(clap::Args)]
pub struct Search {
    #[command(flatten)]
    file: File,
    #[command(flatten)]
    model: command::Model,
    /// An image of whom to look for, or a folder of them
    #[arg(long, value_name = "PATH", required_unless_present = "person")]
    query: Option<PathBuf>,
    /// Look for photos of this person, by name or number, that nobody confirmed yet
    #[arg(long, value_name = "PERSON", conflicts_with = "query")]
    person: Option<String>,
    /// How many matches to give for each query
    #[arg(long, value_name = "N", default_value = "10")]
    top: NonZeroUsize,
    /// What to do with the cameras' means: none, centre (each camera's mean is taken off its photos' features) or standardise
    /// (and each value divided by the camera's deviation)
    #[arg(long, value_name = "HOW", default_value_t)]
    cameras: Cameras,
    /// Where a query's camera is known from, as `reid gallery add` has it
    #[arg(long, value_name = "WHERE")]
    camera_from: Option<CameraFrom>,
    /// Print JSON: [{"query": PATH, "matches": [{"image": PATH, "similarity": S, "person": NAME, "confirmed": BOOL}, …], "people":
    /// [{"person": NAME, "best": S, "mean": S, "photos": N}, …]}, …]; with --person {"person": NAME, "matches": [{"image": PATH,
    /// "best": S, "mean": S, "person": NAME}, …]}. Who has no name is "person N"; nobody is null
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Ranking {
    query: String,
    matches: Vec<Match>,
    people: Vec<Who>,
}

#[derive(Serialize)]
struct Match {
    image: String,
    similarity: f32,
    person: Option<String>,
    confirmed: bool,
}

#[derive(Serialize)]
struct Who {
    person: String,
    best: f32,
    mean: f32,
    photos: usize,
}

#[derive(Serialize)]
struct Candidates {
    person: String,
    matches: Vec<Candidate>,
}

#[derive(Serialize)]
struct Candidate {
    image: String,
    best: f32,
    mean: f32,
    person: Option<String>,
}

impl Search {
    pub async fn run(self) -> Result<Outcome, CliError> {
        let gallery = self.file.open()?;
        match (&self.query, &self.person) {
            (Some(query), _) => self.by_photos(&gallery, query).await,
            (None, word) => self.by_person(&gallery, word.as_deref().unwrap_or_default()),
        }
    }

    fn by_person(&self, gallery: &Gallery, word: &str) -> Result<Outcome, CliError> {
        let because = |error| self.file.because(error);
        let id = person(gallery, word)?;
        let found = gallery.searching(self.cameras).and_then(|search| search.photos_like_person(id, self.top.get()));
        let matches = found.map_err(because)?.into_iter().map(|candidate| Candidate {
            image: photo_name(gallery, candidate.photo),
            best: candidate.best,
            mean: candidate.mean,
            person: candidate.person.map(|person| person_name(gallery, person)),
        });
        let found = Candidates { person: person_name(gallery, id), matches: matches.collect() };
        if self.json {
            output::print_json(&found)?;
        } else {
            let mut text = format!("{}\n", found.person);
            for (rank, Candidate { image, best, mean, person }) in found.matches.iter().enumerate() {
                let _ =
                    writeln!(text, "{:>4}  {best:>7.4}  {mean:>7.4}  {image}{}", rank + 1, taken_for(person.as_ref()));
            }
            output::print(text.trim_end())?;
        }
        Ok(Outcome::Done)
    }

    async fn by_photos(&self, gallery: &Gallery, query: &PathBuf) -> Result<Outcome, CliError> {
        let because = |error| self.file.because(error);
        let files = files(std::slice::from_ref(query))?;
        let (_, extractor) = self.model.open().await?;
        let (expected, found) = (gallery.model().fingerprint.clone(), extractor.fingerprint().to_string());
        if expected != found {
            return Err(because(GalleryError::OtherModel { expected, found }));
        }
        let search = gallery.searching(self.cameras).map_err(because)?;
        let features = features(&extractor, &files, "query").await?;
        let read: Vec<PathBuf> = features.read.iter().map(|&file| files[file].clone()).collect();
        let cameras = self.camera_from.clone().unwrap_or_default().names(&read);
        let mut rankings = Vec::new();
        for ((path, row), camera) in read.iter().zip(features.values.chunks_exact(features.dim.max(1))).zip(&cameras) {
            let top = self.top.get();
            let matches = search.photos(row, camera.as_deref(), top).map_err(because)?.into_iter().map(|hit| Match {
                image: photo_name(gallery, hit.photo),
                similarity: hit.similarity,
                person: hit.person.map(|person| person_name(gallery, person)),
                confirmed: hit.confirmed,
            });
            let people = search.people(row, camera.as_deref(), top).map_err(because)?.into_iter().map(|hit| Who {
                person: person_name(gallery, hit.person),
                best: hit.best,
                mean: hit.mean,
                photos: hit.photos,
            });
            let query = path.to_string_lossy().into_owned();
            rankings.push(Ranking { query, matches: matches.collect(), people: people.collect() });
        }
        if self.json {
            output::print_json(&rankings)?;
        } else {
            output::print(text(&rankings).trim_end())?;
        }
        Ok(Outcome::of(features.unreadable.len()))
    }
}

fn taken_for(person: Option<&String>) -> String {
    person.map(|person| format!("  ({person})")).unwrap_or_default()
}

fn text(rankings: &[Ranking]) -> String {
    let mut text = String::new();
    for Ranking { query, matches, people } in rankings {
        let _ = writeln!(text, "{query}");
        for (rank, Match { image, similarity, person, .. }) in matches.iter().enumerate() {
            let _ = writeln!(text, "{:>4}  {similarity:>7.4}  {image}{}", rank + 1, taken_for(person.as_ref()));
        }
        for Who { person, best, mean, photos } in people {
            let _ = writeln!(text, "      {person}: best {best:.4}, mean {mean:.4} of {photos} photos");
        }
    }
    text
}
