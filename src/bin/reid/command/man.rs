//! `reid man`: the manual's pages.

use std::fs;
use std::path::PathBuf;

use clap::{Command, CommandFactory};
use clap_mangen::Man as Page;
use clap_mangen::roff::{Roff, roman};

use crate::command::error::CliError;
use crate::command::{Cli, Outcome, output};

#[derive(clap::Args)]
pub struct Man {
    /// Write a page for the command and for each of its commands into this folder, as reid.1, reid-extract.1 and so on; without
    /// it, the command's own page is printed
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Man {
    pub fn run(self) -> Result<Outcome, CliError> {
        // The pages of `help` would say nothing.
        let mut command = Cli::command().disable_help_subcommand(true);
        command.build();
        let Some(folder) = self.out else {
            let (_, page) = page(command)?;
            output::print(String::from_utf8_lossy(&page).trim_end())?;
            return Ok(Outcome::Done);
        };
        let pages = all(command).into_iter().map(page).collect::<Result<Vec<_>, _>>()?;
        fs::create_dir_all(&folder).map_err(|source| CliError::Folder { path: folder.clone(), source })?;
        for (name, page) in &pages {
            output::write(&folder.join(name), page)?;
        }
        output::print(&format!("{} pages: {}", pages.len(), folder.display()))?;
        Ok(Outcome::Done)
    }
}

/// A command and all that are in it.
fn all(command: Command) -> Vec<Command> {
    let inner: Vec<Command> = command.get_subcommands().cloned().flat_map(all).collect();
    [vec![command], inner].concat()
}

/// A page's file name and its text.
fn page(command: Command) -> Result<(String, Vec<u8>), CliError> {
    let notes = command.get_after_help().map(ToString::to_string);
    let page = Page::new(command.after_help(None::<&str>)).source(concat!("reid ", env!("CARGO_PKG_VERSION")));
    let mut text = Vec::new();
    page.render(&mut text).map_err(CliError::Print)?;
    if let Some(notes) = notes {
        // Line by line as it stands: tables are among it.
        let mut roff = Roff::new();
        roff.control("SH", ["NOTES"]).control("nf", []).text([roman(notes)]).control("fi", []);
        roff.to_writer(&mut text).map_err(CliError::Print)?;
    }
    Ok((page.get_filename(), text))
}
