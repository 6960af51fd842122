//! `reid evaluate --report`: a page that shows how an evaluation went, and all of its numbers beside it.

mod camera_table;
mod chart;
mod contents;
mod curves;
mod histogram;
mod map;
mod page;
mod rankings;
mod scatter;
mod score_table;
mod strips;
mod tables;
mod thumbnails;

use std::fs::{self, File};
use std::path::Path;

use webreid::dataset::Protocol;
use webreid::extract::Extractor;
use webreid::ranking::Roc;
use webreid::weights::Recognised;

use crate::command::error::CliError;
use crate::command::evaluation::{Evaluation, Task};
use crate::command::features::Unreadable;
use crate::command::output;
use crate::command::summary::{Difference, Summary};

use self::contents::Contents;
use self::thumbnails::Thumbnails;

pub use self::map::Map;
pub use self::rankings::{Ranking, Rankings};

/// The page, in the report's folder.
pub const PAGE: &str = "report.html";
const NUMBERS: &str = "report.json";

/// What two models are called.
pub const LETTERS: [&str; 2] = ["A", "B"];

/// What a report is made from.
pub struct Report<'a> {
    pub data: &'a Path,
    pub protocol: Protocol,
    /// What is done to features before they are ranked, in words.
    pub how: String,
    pub task: &'a Task<'a>,
    pub unreadable: &'a [&'a Unreadable],
    pub models: Vec<Tested<'a>>,
    pub difference: Option<Difference>,
}

/// A model and how it did.
pub struct Tested<'a> {
    pub weights: &'a Path,
    pub recognised: &'a Recognised,
    pub extractor: &'a Extractor,
    pub evaluation: &'a Evaluation,
    pub summary: &'a Summary,
    pub roc: Option<&'a Roc>,
}

/// Makes the folder and sees to it that a report can be written there, before hours of extraction.
pub fn check(folder: &Path) -> Result<(), CliError> {
    let refuse = |source| CliError::Report { path: folder.into(), source };
    fs::create_dir_all(folder).map_err(refuse)?;
    let trial = folder.join(format!(".report.{}.partial", std::process::id()));
    File::create(&trial).and_then(|_| fs::remove_file(&trial)).map_err(refuse)?;
    let names = [PAGE, NUMBERS].into_iter().chain(tables::NAMES);
    names.map(|name| folder.join(name)).try_for_each(|file| output::check(&file))
}

impl Report<'_> {
    /// Writes the page and its numbers. Other files of the folder stay as they are.
    pub fn write(&self, folder: &Path) -> Result<(), CliError> {
        let contents = Contents::of(self);
        let shown = strips::shown(&contents);
        let files = &self.task.dataset.images;
        let thumbnails = Thumbnails::of(shown.into_iter().map(|image| (image, files[image].path.as_path())));
        let invalid = |source| CliError::Write { path: folder.into(), source };
        let numbers = serde_json::to_vec(&contents).map_err(|error| invalid(error.into()))?;
        let tables = tables::csv(&contents).map_err(|error| invalid(std::io::Error::other(error)))?;
        output::write(&folder.join(NUMBERS), &numbers)?;
        for (name, table) in tables::NAMES.into_iter().zip(&tables) {
            output::write(&folder.join(name), table)?;
        }
        // The page comes last: where it is new, all is.
        output::write(&folder.join(PAGE), page::html(&contents, &thumbnails).as_bytes())
    }
}
