//! `reid group`: who is on which photo, without names and without labels.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::Serialize;
use webreid::dataset::{CameraFrom, Person, persons};
use webreid::extract::Extractor;
use webreid::gallery::grouping::{Groups, Photos, Tree};
use webreid::gallery::{self, BCubed, Links, PhotoId, bcubed};
use webreid::ranking::Cameras;

use crate::command::error::CliError;
use crate::command::features::{features, files};
use crate::command::finder::{Finder, Whole};
use crate::command::gallery::{File, person_name, photo_name, photos};
use crate::command::{Model, Outcome, interrupt, output};

#[derive(clap::Args)]
pub struct Group {
    #[command(flatten)]
    model: Model,
    #[command(flatten)]
    whole: Whole,
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
    /// Keep the people in a gallery, for `reid gallery`; one that is there is gone on with: who was confirmed stays, what was
    /// answered holds
    #[arg(long, value_name = "G.reid")]
    out: Option<PathBuf>,
    /// The photos are named PPPP_cC… (person, camera): say how well the groups match the persons (BCubed)
    #[arg(long, conflicts_with = "whole_photos")]
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
        if let Some(out) = &self.out {
            output::check(out)?;
        }
        let files = files(&self.paths)?;
        let (_, extractor) = self.model.open().await?;
        let finder = self.whole.finder(&extractor).await?;
        let (people, unsure, strictness, unreadable) = match &self.out {
            Some(out) => self.in_gallery(out, &files, &extractor, finder.as_ref()).await?,
            None => self.alone(&files, &extractor, finder.as_ref()).await?,
        };
        let score = if self.labels { Some(score(&people, &unsure)?) } else { None };
        let found = Found { people, unsure, score };
        if self.json {
            output::print_json(&found)?;
        } else {
            output::print(&text(&found, strictness))?;
        }
        Ok(Outcome::of(unreadable))
    }

    /// Groups the photos of files, and keeps nothing.
    async fn alone(
        &self,
        files: &[PathBuf],
        extractor: &Extractor,
        finder: Option<&Finder>,
    ) -> Result<Grouped, CliError> {
        let features = features(extractor, finder, files, "photos").await?;
        let read: Vec<PathBuf> = features.read.iter().map(|&file| files[file].clone()).collect();
        let cameras = match self.cameras {
            Cameras::None => vec![None; read.len()],
            _ => self.camera_from.clone().unwrap_or_default().cameras(&read)?,
        };
        let photos = Photos { rows: &features.values, dim: features.dim, cameras: &cameras };
        let links = Links { different: in_one_photo(&features.read), ..Links::default() };
        let tree = Tree::grow(photos, self.cameras, &links, &mut interrupt::progress)?;
        let Groups { groups, unsure, strictness } = tree.groups(self.strictness);
        let names = features.names(files);
        let named = |photos: &[usize]| photos.iter().map(|&photo| names[photo].clone()).collect();
        let people = (1..).zip(&groups);
        let people = people.map(|(place, group)| Someone { name: format!("Person {place}"), photos: named(group) });
        Ok((people.collect(), named(&unsure), strictness, features.unreadable.len()))
    }

    /// Adds the photos of files to a gallery, and groups all that are in it: who was confirmed stays, what was answered holds.
    async fn in_gallery(
        &self,
        out: &Path,
        files: &[PathBuf],
        extractor: &Extractor,
        finder: Option<&Finder>,
    ) -> Result<Grouped, CliError> {
        let file = File { gallery: out.into() };
        let fingerprint = extractor.fingerprint().to_string();
        let dim = extractor.config().features_dim();
        let _lock = file.lock()?;
        let mut gallery = file.for_model(gallery::Model { fingerprint: fingerprint.clone(), dim })?;
        let (photos, unreadable) = photos(extractor, finder, files, self.camera_from.as_ref()).await?;
        gallery.add(&fingerprint, photos).map_err(|error| file.because(error))?;

        let photos = gallery.comparable();
        let rows = gallery.rows(&photos).map_err(|error| file.because(error))?;
        let cameras = gallery.cameras(&photos);
        let links = gallery.links(&photos);
        let all = Photos { rows: &rows, dim, cameras: &cameras };
        let tree = Tree::grow(all, self.cameras, &links, &mut interrupt::progress)?;
        let Groups { groups, unsure, strictness } = tree.groups(self.strictness);
        let ids = |places: &[usize]| -> Vec<PhotoId> { places.iter().map(|&place| photos[place]).collect() };
        let groups = groups.iter().map(|group| ids(group)).collect();
        gallery.set_groups(groups, ids(&unsure)).map_err(|error| file.because(error))?;
        file.save(&gallery)?;

        let named = |photos: &[PhotoId]| photos.iter().map(|&photo| photo_name(&gallery, photo)).collect();
        let people = gallery.people().into_iter().map(|person| Someone {
            name: person_name(&gallery, person.id),
            photos: named(&[person.confirmed, person.suggested].concat()),
        });
        Ok((people.collect(), named(&gallery.unsure()), strictness, unreadable))
    }
}

/// People, who is in doubt, how strict it was, and how many images could not be read.
type Grouped = (Vec<Someone>, Vec<String>, f32, usize);

/// How well the groups match the persons that the photos' names tell; who is nobody in particular does not count.
fn score(people: &[Someone], unsure: &[String]) -> Result<Score, CliError> {
    let alone = unsure.iter().map(std::slice::from_ref);
    let groups: Vec<&[String]> = people.iter().map(|someone| &someone.photos[..]).chain(alone).collect();
    let names: Vec<&str> = groups.iter().copied().flatten().map(|photo| file_name(photo)).collect();
    let mut persons = persons(&names).ok_or(CliError::NoLabels)?.into_iter();
    let known = groups.iter().map(|group| persons.by_ref().take(group.len()).flatten().collect());
    let known: Vec<Vec<Person>> = known.filter(|group: &Vec<_>| !group.is_empty()).collect();
    let persons = known.iter().flatten().collect::<HashSet<_>>().len();
    let BCubed { precision, recall, f } = bcubed(&known).ok_or(CliError::NoLabels)?;
    let bcubed = BCubed { precision: precision * 100.0, recall: recall * 100.0, f: f * 100.0 };
    Ok(Score { bcubed, groups: known.len(), persons })
}

fn file_name(photo: &str) -> &str {
    photo.rsplit(['/', '\\']).next().unwrap_or_default()
}

/// The pairs of people who stand in one photo; `files` are their photos, ascending.
fn in_one_photo(files: &[usize]) -> Vec<[usize; 2]> {
    let mut first = 0;
    let pairs = files.chunk_by(|a, b| a == b).flat_map(|people| {
        let places = first..first + people.len();
        first = places.end;
        places.clone().flat_map(move |a| (a + 1..places.end).map(move |b| [a, b]))
    });
    pairs.collect()
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
