//! `reid group`: who is on which photo, without names and without labels.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::Serialize;
use webreid::dataset::{CameraFrom, Person, persons};
use webreid::gallery::grouping::{Groups, Links, Photos, Tree};
use webreid::gallery::{BCubed, bcubed};
use webreid::ranking::Cameras;

use crate::command::error::CliError;
use crate::command::features::{features, files};
use crate::command::{Model, Outcome, interrupt, output};

#[derive(clap::Args)]
pub struct Group {
    #[command(flatten)]
    model: Model,
    /// Images of one person each, or folders of them
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// What to do with the cameras' means: none (the mean of all photos is taken off), centre (each camera's mean is taken off
    /// its photos' features) or standardise (and each value divided by the camera's deviation)
    #[arg(long, value_name = "HOW", default_value_t)]
    cameras: Cameras,
    /// Where a photo's camera is known from: folder (that it lies in), exif (make, model and serial number), or name:REGEX, whose
    /// first group is the camera [default: the name, as PPPP_cC…]
    #[arg(long, value_name = "WHERE")]
    camera_from: Option<CameraFrom>,
    /// How strict to be, from 0 (all is one person) to 1 (nobody is alike) [default: what suits the photos]
    #[arg(long, value_name = "0…1", value_parser = strictness)]
    strictness: Option<f32>,
    /// The photos are named PPPP_cC… (person, camera): say how well the groups match the persons (BCubed)
    #[arg(long)]
    labels: bool,
    /// Print JSON: {"people": [{"name": …, "photos": [PATH, …]}, …], "unsure": [PATH, …]}; with --labels also "bcubed"
    /// {"precision", "recall", "f"} in per cent, "groups" and "persons"
    #[arg(long)]
    json: bool,
}

fn strictness(word: &str) -> Result<f32, String> {
    let value: Result<f32, _> = word.parse();
    value.ok().filter(|value| (0.0..=1.0).contains(value)).ok_or_else(|| "give a number from 0 to 1".into())
}

/// What `--json` prints.
#[derive(Serialize)]
struct Found {
    people: Vec<Someone>,
    unsure: Vec<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    score: Option<Score>,
}

#[derive(Serialize)]
struct Someone {
    name: String,
    photos: Vec<String>,
}

#[derive(Serialize)]
struct Score {
    bcubed: BCubed,
    groups: usize,
    persons: usize,
}

impl Group {
    pub async fn run(self) -> Result<Outcome, CliError> {
        let files = files(&self.paths)?;
        let (_, extractor) = self.model.open().await?;
        let features = features(&extractor, &files, "photos").await?;
        let read: Vec<PathBuf> = features.read.iter().map(|&file| files[file].clone()).collect();
        let cameras = match self.cameras {
            Cameras::None => vec![None; read.len()],
            _ => self.camera_from.clone().unwrap_or_default().cameras(&read)?,
        };
        let photos = Photos { rows: &features.values, dim: features.dim, cameras: &cameras };
        let tree = Tree::grow(photos, self.cameras, &Links::default(), &mut interrupt::progress)?;
        let groups = tree.groups(self.strictness);
        let score = if self.labels { Some(score(&groups, &read)?) } else { None };
        let named = |photos: &[usize]| photos.iter().map(|&photo| name(&read[photo])).collect();
        let people = groups.groups.iter().enumerate();
        let people =
            people.map(|(place, photos)| Someone { name: format!("Person {}", place + 1), photos: named(photos) });
        let found = Found { people: people.collect(), unsure: named(&groups.unsure), score };
        if self.json {
            output::print_json(&found)?;
        } else {
            output::print(&text(&found, groups.strictness))?;
        }
        Ok(Outcome::of(features.unreadable.len()))
    }
}

/// How well the groups match the persons that the photos' names tell; who is nobody in particular does not count.
fn score(groups: &Groups, files: &[PathBuf]) -> Result<Score, CliError> {
    let file_name =
        |path: &PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let names: Vec<String> = files.iter().map(file_name).collect();
    let persons = persons(&names).ok_or(CliError::NoLabels)?;
    let alone = groups.unsure.iter().map(std::slice::from_ref);
    let all = groups.groups.iter().map(Vec::as_slice).chain(alone);
    let known = all.map(|group| group.iter().filter_map(|&photo| persons[photo].as_ref()).collect());
    let known: Vec<Vec<&Person>> = known.filter(|group: &Vec<_>| !group.is_empty()).collect();
    let persons = known.iter().flatten().collect::<HashSet<_>>().len();
    let BCubed { precision, recall, f } = bcubed(&known).ok_or(CliError::NoLabels)?;
    let bcubed = BCubed { precision: precision * 100.0, recall: recall * 100.0, f: f * 100.0 };
    Ok(Score { bcubed, groups: known.len(), persons })
}

fn name(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn text(found: &Found, strictness: f32) -> String {
    let mut text = String::new();
    for Someone { name, photos } in &found.people {
        text += &format!("{name}: {} photos\n", photos.len());
        photos.iter().for_each(|photo| text += &format!("  {photo}\n"));
    }
    if !found.unsure.is_empty() {
        text += &format!("unsure: {} photos\n", found.unsure.len());
        found.unsure.iter().for_each(|photo| text += &format!("  {photo}\n"));
    }
    text += &format!("{} people, strictness {strictness:.2}", found.people.len());
    if let Some(Score { bcubed: BCubed { precision, recall, f }, groups, persons }) = &found.score {
        text += &format!(
            "\nBCubed: precision {precision:.2} %, recall {recall:.2} %, F {f:.2} %; {groups} groups of {persons} persons"
        );
    }
    text
}
