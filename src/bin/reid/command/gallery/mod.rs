//! `reid gallery`: people and their photos in a `.reid` file.

mod add;
mod change;
mod export;
mod list;
mod lock;
mod photos;
mod search;
mod split;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
pub use lock::Lock;
pub use photos::photos;
use webreid::gallery::{self, GalleryError, Model, PersonId, PhotoId};
use webreid::weights::Precision;

use crate::command::error::CliError;
use crate::command::{Outcome, interrupt};

#[derive(Args)]
pub struct Gallery {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Add photos of one person each; a gallery that is not there is made
    ///
    /// A photo that is there already, by its content, gets the feature that it may lack: after another model was chosen with
    /// --change-model, adding the same photos again extracts them with it, and people and answers stay.
    Add(add::Add),
    /// Who looks like a photo, or like a person
    Search(search::Search),
    /// Everybody, with their photos
    List(list::List),
    /// Two people are one
    Merge(change::Merge),
    /// A person is several: their photos are grouped anew
    Split(split::Split),
    /// Give a person a name, or make a new one of photos (--photos)
    Name(change::Name),
    /// Take back what was done last
    Undo(change::Undo),
    /// Do once more what was taken back last
    Redo(change::Redo),
    /// Write the gallery for other programs
    Export(export::Export),
    /// Take in the photos, people and answers of another gallery, or the photos and people of a table
    Import(export::Import),
}

impl Gallery {
    pub async fn run(self) -> Result<Outcome, CliError> {
        match self.what {
            What::Add(command) => command.run().await,
            What::Search(command) => command.run().await,
            What::List(command) => command.run(),
            What::Merge(command) => command.run(),
            What::Split(command) => command.run(),
            What::Name(command) => command.run(),
            What::Undo(command) => command.run(),
            What::Redo(command) => command.run(),
            What::Export(command) => command.run(),
            What::Import(command) => command.run(),
        }
    }
}

/// The file that a command works on.
#[derive(Args)]
pub struct File {
    /// The gallery
    #[arg(value_name = "G.reid")]
    pub gallery: PathBuf,
}

impl File {
    /// Reads it; what is lost of it is told on stderr.
    fn open(&self) -> Result<gallery::Gallery, CliError> {
        if !self.gallery.exists() {
            return Err(CliError::NoGallery(self.gallery.clone()));
        }
        open(&self.gallery)
    }

    /// Reads it to change it, see [`lock`](Self::lock).
    fn change(&self) -> Result<(Lock, gallery::Gallery), CliError> {
        // What is not there gets no lock beside it.
        if !self.gallery.exists() {
            return Err(CliError::NoGallery(self.gallery.clone()));
        }
        Ok((self.lock()?, self.open()?))
    }

    /// Keeps other commands from changing it, waiting for one that does: what is read under it is what is written over.
    pub fn lock(&self) -> Result<Lock, CliError> {
        Lock::of(&self.gallery)
    }

    /// Writes the gallery there, whole or not at all.
    pub fn save(&self, gallery: &gallery::Gallery) -> Result<(), CliError> {
        interrupt::whole(|| gallery.save(&self.gallery).map_err(plain))
    }

    /// The gallery there, or a new one, for the features of a model.
    pub fn for_model(&self, model: Model) -> Result<gallery::Gallery, CliError> {
        if !self.gallery.exists() {
            return Ok(gallery::Gallery::new(model, Precision::F32));
        }
        let gallery = open(&self.gallery)?;
        if gallery.model().fingerprint != model.fingerprint {
            let expected = gallery.model().fingerprint.clone();
            return Err(self.because(GalleryError::OtherModel { expected, found: model.fingerprint }));
        }
        Ok(gallery)
    }

    /// What went wrong in this file.
    pub fn because(&self, source: GalleryError) -> CliError {
        CliError::Gallery { path: self.gallery.clone(), source }
    }
}

fn open(path: &Path) -> Result<gallery::Gallery, CliError> {
    let opened = gallery::Gallery::load(path).map_err(|source| match source {
        source @ GalleryError::Read { .. } => plain(source),
        source => CliError::Gallery { path: path.into(), source },
    })?;
    opened.losses.iter().for_each(|loss| eprintln!("reid: {}: {loss}", path.display()));
    Ok(opened.gallery)
}

/// An error that names its path itself.
fn plain(error: GalleryError) -> CliError {
    match error {
        GalleryError::Read { path, reason } => {
            CliError::Read { path: path.into(), source: std::io::Error::other(reason) }
        }
        GalleryError::Write { path, reason } => {
            CliError::Write { path: path.into(), source: std::io::Error::other(reason) }
        }
        source => CliError::Gallery { path: PathBuf::new(), source },
    }
}

/// Somebody by name, or by number where nobody has such a name.
fn person(gallery: &gallery::Gallery, word: &str) -> Result<PersonId, CliError> {
    let number = || word.parse().ok().map(PersonId).filter(|&person| gallery.person(person).is_ok());
    gallery.named(word).or_else(number).ok_or_else(|| CliError::NoSuchPerson(word.to_owned()))
}

/// What a photo is called.
pub fn photo_name(gallery: &gallery::Gallery, photo: PhotoId) -> String {
    gallery.photo(photo).map(|view| view.photo.name.clone()).unwrap_or_default()
}

/// What somebody is called.
pub fn person_name(gallery: &gallery::Gallery, person: PersonId) -> String {
    let name = gallery.person(person).ok().and_then(|person| person.name);
    name.unwrap_or_else(|| format!("person {person}"))
}
