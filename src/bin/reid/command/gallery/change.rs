//! `reid gallery merge`, `name`, `undo`, `redo`: one act each.

use std::fs;
use std::path::{Path, PathBuf};

use webreid::gallery::{Act, ContentHash, Gallery, PhotoId};

use super::{File, person, person_name, photo_name};
use crate::command::error::CliError;
use crate::command::features::files;
use crate::command::{Outcome, output};

#[derive(clap::Args)]
pub struct Merge {
    #[command(flatten)]
    file: File,
    /// Who stays, by name or number
    #[arg(value_name = "PERSON")]
    into: String,
    /// Who is the same person
    #[arg(value_name = "OTHER")]
    from: String,
    /// Even where it was answered that they are different
    #[arg(long)]
    despite: bool,
}

impl Merge {
    pub fn run(self) -> Result<Outcome, CliError> {
        let (_lock, mut gallery) = self.file.change()?;
        let (into, from) = (person(&gallery, &self.into)?, person(&gallery, &self.from)?);
        let act = Act::Merge { into, from, despite: self.despite };
        gallery.act(act).map_err(|error| self.file.because(error))?;
        self.file.save(&gallery)?;
        let photos = gallery.person(into).map_or(0, |view| view.confirmed.len() + view.suggested.len());
        output::print(&format!("{}: {photos} photos", person_name(&gallery, into)))?;
        Ok(Outcome::Done)
    }
}

#[derive(clap::Args)]
pub struct Name {
    #[command(flatten)]
    file: File,
    /// Whom to name, by name or number; with --photos the name
    #[arg(value_name = "PERSON")]
    person: String,
    /// The name; an empty one takes it off
    #[arg(value_name = "NAME", required_unless_present = "photos", conflicts_with = "photos")]
    name: Option<String>,
    /// Photos of the gallery, by their content, that show this person: files, or folders of them; of whole photos with several
    /// people PHOTO#1, PHOTO#2 and so on. Confirmed for whoever has the name, or for a new person
    #[arg(long, value_name = "IMAGES", num_args = 1..)]
    photos: Vec<PathBuf>,
}

impl Name {
    pub fn run(self) -> Result<Outcome, CliError> {
        let (_lock, mut gallery) = self.file.change()?;
        let act = match &self.name {
            Some(name) => Act::Name { person: person(&gallery, &self.person)?, name: Some(name.clone()) },
            None => {
                let mut photos = Vec::new();
                for path in files(&self.photos)? {
                    photos.extend(photos_of(&gallery, &path)?);
                }
                match gallery.named(&self.person) {
                    Some(person) => Act::Confirm { person, photos, despite: false },
                    None => Act::Enrol { name: Some(self.person.clone()), photos, despite: false },
                }
            }
        };
        let people = gallery.act(act).map_err(|error| self.file.because(error))?;
        self.file.save(&gallery)?;
        for person in people {
            let photos = gallery.person(person).map_or(0, |view| view.confirmed.len() + view.suggested.len());
            output::print(&format!("{}: {photos} photos", person_name(&gallery, person)))?;
        }
        Ok(Outcome::Done)
    }
}

/// The photos of a gallery that are a file, or somebody in it: PHOTO#2.
fn photos_of(gallery: &Gallery, path: &Path) -> Result<Vec<PhotoId>, CliError> {
    let person = path.to_str().filter(|_| !path.exists()).and_then(|text| text.rsplit_once('#'));
    let file = person.map_or(path, |(file, _)| Path::new(file));
    let bytes = fs::read(file).map_err(|source| CliError::Read { path: path.into(), source })?;
    let mut found = gallery.with_content(ContentHash::of(&bytes));
    let is_whole = |photo: &PhotoId| gallery.photo(*photo).is_ok_and(|view| view.photo.person_box.is_none());
    if let Some((_, number)) = person {
        found.retain(|&photo| photo_name(gallery, photo).ends_with(&format!("#{number}")));
    } else if found.iter().any(is_whole) {
        found.retain(is_whole);
    }
    match found.len() {
        0 => Err(CliError::NotInGallery(path.into())),
        1 => Ok(found),
        count => Err(CliError::SeveralPeople { path: path.into(), count }),
    }
}

#[derive(clap::Args)]
pub struct Undo {
    #[command(flatten)]
    file: File,
}

impl Undo {
    pub fn run(self) -> Result<Outcome, CliError> {
        let (_lock, mut gallery) = self.file.change()?;
        let undone = gallery.undo().map(|act| format!("undone: {}", words(act)));
        finish(&self.file, &gallery, undone, "there is nothing to undo")
    }
}

#[derive(clap::Args)]
pub struct Redo {
    #[command(flatten)]
    file: File,
}

impl Redo {
    pub fn run(self) -> Result<Outcome, CliError> {
        let (_lock, mut gallery) = self.file.change()?;
        let redone = gallery.redo().map(|act| format!("done again: {}", words(act)));
        finish(&self.file, &gallery, redone, "there is nothing to do again")
    }
}

fn finish(file: &File, gallery: &Gallery, done: Option<String>, nothing: &str) -> Result<Outcome, CliError> {
    if done.is_some() {
        file.save(gallery)?;
    }
    output::print(done.as_deref().unwrap_or(nothing))?;
    Ok(Outcome::Done)
}

/// What an act was.
fn words(act: &Act) -> String {
    let photos = |photos: &[_]| format!("{} photos", photos.len());
    match act {
        Act::Add { photos: p } => format!("{} added", photos(p)),
        Act::Remove { photos: p } => format!("{} removed", photos(p)),
        Act::Enrol { name, photos: p, .. } => {
            format!("{} are {}", photos(p), name.as_deref().unwrap_or("a new person"))
        }
        Act::Confirm { person, photos: p, .. } | Act::Move { person, photos: p, .. } => {
            format!("{} are person {person}", photos(p))
        }
        Act::Release { photos: p } => format!("{} taken out", photos(p)),
        Act::Split { parts } => format!("a person split into {} more", parts.len()),
        Act::Merge { into, from, .. } => format!("person {from} is person {into}"),
        Act::Name { person, name } => format!("person {person} is called {}", name.as_deref().unwrap_or("nothing")),
        Act::Dissolve { person } => format!("person {person} dissolved"),
        Act::Hide { photos: p, hidden } => format!("{} {}", photos(p), if *hidden { "hidden" } else { "shown" }),
        Act::Cover { person, .. } => format!("the cover of person {person}"),
        Act::Answer { answer, .. } => format!("an answer, {answer:?}").to_lowercase(),
        Act::Import { photos: p } => format!("{} taken in from another gallery", photos(p)),
        Act::Group { groups, .. } => format!("{} groups", groups.len()),
    }
}
