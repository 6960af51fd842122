//! `reid gallery export` and `import`.

use std::fs;
use std::path::{Path, PathBuf};

use webreid::gallery::{Gallery, GalleryError};

use super::{File, open, plain};
use crate::command::error::CliError;
use crate::command::{Outcome, interrupt, output};

#[derive(clap::Args)]
pub struct Export {
    #[command(flatten)]
    file: File,
    /// What to write, by its ending: .csv (a line a photo), .json (people and photos), .npy or .safetensors (features); else a
    /// folder, new or empty, with a folder of photos for each person
    #[arg(long, value_name = "PATH")]
    out: PathBuf,
}

impl Export {
    pub fn run(self) -> Result<Outcome, CliError> {
        let gallery = self.file.open()?;
        let because = |error| self.file.because(error);
        let ending = self.out.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        let bytes = match ending.as_deref() {
            Some("csv") => gallery.to_csv().into_bytes(),
            Some("json") => gallery.to_json().map_err(because)?.into_bytes(),
            Some("npy") => gallery.to_npy().0,
            Some("safetensors") => gallery.to_safetensors().map_err(because)?,
            _ => {
                let copied = interrupt::whole(|| gallery.to_folders(Path::new(""), &self.out).map_err(plain))?;
                output::print(&format!("{copied} photos copied to {}", self.out.display()))?;
                return Ok(Outcome::Done);
            }
        };
        output::check(&self.out)?;
        output::write(&self.out, &bytes)?;
        output::print(&format!("{} photos: {}", gallery.count(), self.out.display()))?;
        Ok(Outcome::Done)
    }
}

#[derive(clap::Args)]
pub struct Import {
    #[command(flatten)]
    file: File,
    /// The gallery to take in; or a table, .csv, as `reid gallery export` writes it, whose photos have no features yet
    #[arg(value_name = "OTHER")]
    other: PathBuf,
}

impl Import {
    pub fn run(self) -> Result<Outcome, CliError> {
        let (_lock, mut gallery) = self.file.change()?;
        if !self.other.exists() {
            return Err(CliError::NoGallery(self.other));
        }
        let because = |source: GalleryError| CliError::Gallery { path: self.other.clone(), source };
        let is_table = self.other.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
        let other = if is_table {
            let table = fs::read(&self.other).map_err(|source| CliError::Read { path: self.other.clone(), source })?;
            Gallery::from_csv(&table, gallery.model().clone()).map_err(because)?
        } else {
            open(&self.other)?
        };
        let before = gallery.count();
        gallery.import(&other).map_err(because)?;
        self.file.save(&gallery)?;
        let missing = gallery.without_features().len();
        if missing > 0 {
            eprintln!(
                "reid: {missing} photos have no feature of the gallery's model; add them again with `reid gallery add`"
            );
        }
        output::print(&format!("{} photos added, {} people", gallery.count() - before, gallery.people().len()))?;
        Ok(Outcome::Done)
    }
}
