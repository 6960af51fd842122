//! `reid gallery list`: everybody.

use std::fmt::Write as _;

use serde::Serialize;
use webreid::gallery::{PersonId, PhotoId};

use super::{File, photo_name};
use crate::command::error::CliError;
use crate::command::{Outcome, output};

#[derive(clap::Args)]
pub struct List {
    #[command(flatten)]
    file: File,
    /// Print JSON: {"people": [{"id": N, "name": NAME, "confirmed": [PATH, …], "suggested": [PATH, …]}, …], "unsure": [PATH, …],
    /// "withoutFeatures": [PATH, …], "model": FINGERPRINT}
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    people: Vec<Someone>,
    unsure: Vec<String>,
    without_features: Vec<String>,
    model: String,
}

#[derive(Serialize)]
struct Someone {
    id: PersonId,
    name: Option<String>,
    confirmed: Vec<String>,
    suggested: Vec<String>,
}

impl List {
    pub fn run(self) -> Result<Outcome, CliError> {
        let gallery = self.file.open()?;
        let names = |photos: Vec<PhotoId>| photos.into_iter().map(|photo| photo_name(&gallery, photo)).collect();
        let people = gallery.people().into_iter().map(|person| Someone {
            id: person.id,
            name: person.name,
            confirmed: names(person.confirmed),
            suggested: names(person.suggested),
        });
        let listed = Listed {
            people: people.collect(),
            unsure: names(gallery.unsure()),
            without_features: names(gallery.without_features()),
            model: gallery.model().fingerprint.clone(),
        };
        if self.json {
            output::print_json(&listed)?;
        } else {
            output::print(text(&listed).trim_end())?;
        }
        Ok(Outcome::Done)
    }
}

fn text(listed: &Listed) -> String {
    let mut text = String::new();
    for Someone { id, name, confirmed, suggested } in &listed.people {
        let name = name.clone().unwrap_or_else(|| format!("person {id}"));
        let _ = writeln!(text, "{name}: {} confirmed, {} suggested photos", confirmed.len(), suggested.len());
        confirmed.iter().for_each(|photo| _ = writeln!(text, "  {photo}"));
        suggested.iter().for_each(|photo| _ = writeln!(text, "  {photo} ?"));
    }
    let _ = writeln!(text, "{} people, {} photos of nobody that is known", listed.people.len(), listed.unsure.len());
    listed.unsure.iter().for_each(|photo| _ = writeln!(text, "  {photo}"));
    text
}
