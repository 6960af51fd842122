//! `reid gallery search`: who looks like a photo, or like a person.

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use serde::Serialize;
use webreid::dataset::CameraFrom;
use webreid::gallery::grouping::{Judged, Judgement, Verdict};
use webreid::gallery::{Gallery, GalleryError, Judging};
use webreid::ranking::Cameras;

use super::{File, person, person_name, photo_name};
use crate::command::error::CliError;
use crate::command::features::{features, files};
use crate::command::finder::Whole;
use crate::command::{self, Outcome, interrupt, output};

/// More photos take longer than ten seconds to be grouped, by which hits are judged.
const JUDGED: usize = 10_000;

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
    #[command(flatten)]
    whole: Whole,
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
    /// Print JSON: [{"query": PATH, "matches": [{"image": PATH, "similarity": S, "person": NAME, "confirmed": BOOL, "probability":
    /// P, "verdict": "same", "unsure" or "different"}, …], "people": [{"person": NAME, "best": S, "mean": S, "photos": N}, …],
    /// "judgement": {"same": P, "different": P, "wrongSame": P, "wrongDifferent": P, "unsure": P}}, …]; with --person {"person":
    /// NAME, "matches": [{"image": PATH, "best": S, "mean": S, "person": NAME, "probability": P, "verdict": …}, …], "judgement":
    /// …}. Who has no name is "person N"; nobody is null, as is what is not known
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Ranking {
    query: String,
    matches: Vec<Match>,
    people: Vec<Who>,
    judgement: Option<Judgement>,
}

#[derive(Serialize)]
struct Match {
    image: String,
    similarity: f32,
    person: Option<String>,
    confirmed: bool,
    #[serde(flatten)]
    judged: Judged,
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
    judgement: Option<Judgement>,
}

#[derive(Serialize)]
struct Candidate {
    image: String,
    best: f32,
    mean: f32,
    person: Option<String>,
    #[serde(flatten)]
    judged: Judged,
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
        let found = found.map_err(because)?;
        let judging = self.judging(gallery)?;
        let judged = match &judging {
            Some(judging) => judging.by_person(id, found.iter().map(|candidate| candidate.photo)).map_err(because)?,
            None => vec![Judged::default(); found.len()],
        };
        let matches = found.into_iter().zip(judged).map(|(candidate, judged)| Candidate {
            image: photo_name(gallery, candidate.photo),
            best: candidate.best,
            mean: candidate.mean,
            person: candidate.person.map(|person| person_name(gallery, person)),
            judged,
        });
        let judgement = judging.and_then(|judging| judging.judgement());
        let found = Candidates { person: person_name(gallery, id), matches: matches.collect(), judgement };
        if self.json {
            output::print_json(&found)?;
        } else {
            let mut text = format!("{}\n", found.person);
            for (rank, Candidate { image, best, mean, person, judged }) in found.matches.iter().enumerate() {
                let (words, person) = (words(*judged), taken_for(person.as_ref()));
                let _ = writeln!(text, "{:>4}  {best:>7.4}  {mean:>7.4}  {words}  {image}{person}", rank + 1);
            }
            text += &errors(found.judgement);
            output::print(text.trim_end())?;
        }
        Ok(Outcome::Done)
    }

    /// What judges hits, where the gallery is small enough.
    fn judging(&self, gallery: &Gallery) -> Result<Option<Judging>, CliError> {
        let count = gallery.comparable().len();
        if count > JUDGED {
            eprintln!("reid: hits are not judged: {count} photos are more than the {JUDGED} that are quickly grouped");
            return Ok(None);
        }
        let judging = gallery.judging(self.cameras, &mut interrupt::progress);
        Ok(Some(judging.map_err(|error| self.file.because(error))?))
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
        let judging = self.judging(gallery)?;
        let judgement = judging.as_ref().and_then(Judging::judgement);
        let finder = self.whole.finder(&extractor).await?;
        let features = features(&extractor, finder.as_ref(), &files, "query").await?;
        let read: Vec<PathBuf> = features.read.iter().map(|&file| files[file].clone()).collect();
        let cameras = self.camera_from.clone().unwrap_or_default().names(&read);
        let mut rankings = Vec::new();
        for ((query, row), camera) in
            features.names(&files).into_iter().zip(features.values.chunks_exact(features.dim.max(1))).zip(&cameras)
        {
            let top = self.top.get();
            let hits = search.photos(row, camera.as_deref(), top).map_err(because)?;
            let judged = match &judging {
                Some(judging) => {
                    judging.by_feature(row, camera.as_deref(), hits.iter().map(|hit| hit.photo)).map_err(because)?
                }
                None => vec![Judged::default(); hits.len()],
            };
            let matches = hits.into_iter().zip(judged).map(|(hit, judged)| Match {
                image: photo_name(gallery, hit.photo),
                similarity: hit.similarity,
                person: hit.person.map(|person| person_name(gallery, person)),
                confirmed: hit.confirmed,
                judged,
            });
            let people = search.people(row, camera.as_deref(), top).map_err(because)?.into_iter().map(|hit| Who {
                person: person_name(gallery, hit.person),
                best: hit.best,
                mean: hit.mean,
                photos: hit.photos,
            });
            rankings.push(Ranking { query, matches: matches.collect(), people: people.collect(), judgement });
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

/// A verdict, and how likely it is that they are the same.
fn words(Judged { probability, verdict }: Judged) -> String {
    let verdict = match verdict {
        Verdict::Same => "same",
        Verdict::Unsure => "unsure",
        Verdict::Different => "different",
    };
    let probability = probability.map(|probability| format!("{probability:.2}")).unwrap_or_default();
    format!("{verdict:<9} {probability:>4}")
}

/// Where verdicts begin, and how often they are wrong.
fn errors(judgement: Option<Judgement>) -> String {
    let Some(Judgement { same, different, wrong_same, wrong_different, unsure }) = judgement else {
        return String::new();
    };
    let wrong =
        |share: Option<f32>| share.map_or("none is".to_owned(), |share| format!("{:.2} % wrong", share * 100.0));
    format!(
        "Of all pairs of photos, as the gallery's groups tell: the same from {same} on, {}; different up to {different}, {}; \
         unsure {:.1} %\n",
        wrong(wrong_same),
        wrong(wrong_different),
        unsure * 100.0
    )
}

fn text(rankings: &[Ranking]) -> String {
    let mut text = String::new();
    for Ranking { query, matches, people, .. } in rankings {
        let _ = writeln!(text, "{query}");
        for (rank, Match { image, similarity, person, judged, .. }) in matches.iter().enumerate() {
            let (words, person) = (words(*judged), taken_for(person.as_ref()));
            let _ = writeln!(text, "{:>4}  {similarity:>7.4}  {words}  {image}{person}", rank + 1);
        }
        for Who { person, best, mean, photos } in people {
            let _ = writeln!(text, "      {person}: best {best:.4}, mean {mean:.4} of {photos} photos");
        }
    }
    text + &errors(rankings.first().and_then(|ranking| ranking.judgement))
}
