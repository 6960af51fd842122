//! `reid gallery split`: one person is several.

use webreid::ranking::Cameras;

use super::{File, person, person_name};
use crate::command::error::CliError;
use crate::command::{Outcome, interrupt, output};

#[derive(clap::Args)]
pub struct Split {
    #[command(flatten)]
    file: File,
    /// Who is several people, by name or number. Whoever has most of the confirmed photos keeps the name
    #[arg(value_name = "PERSON")]
    person: String,
    /// What to do with the cameras' means: none (the mean of all photos is taken off), centre (each camera's mean is taken off
    /// its photos' features) or standardise (and each value divided by the camera's deviation)
    #[arg(long, value_name = "HOW", default_value_t)]
    cameras: Cameras,
}

impl Split {
    pub fn run(self) -> Result<Outcome, CliError> {
        let (_lock, mut gallery) = self.file.change()?;
        let id = person(&gallery, &self.person)?;
        let people = gallery.split(id, self.cameras, &mut interrupt::progress);
        let people = people.map_err(|error| self.file.because(error))?;
        self.file.save(&gallery)?;
        for person in people {
            let photos = gallery.person(person).map_or(0, |view| view.confirmed.len() + view.suggested.len());
            output::print(&format!("{}: {photos} photos", person_name(&gallery, person)))?;
        }
        Ok(Outcome::Done)
    }
}
