//! `reid completions`: what a shell needs to complete the command's words.

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use crate::command::error::CliError;
use crate::command::{Cli, Outcome, output};

#[derive(clap::Args)]
pub struct Completions {
    /// The shell that they are for
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

impl Completions {
    pub fn run(self) -> Result<Outcome, CliError> {
        let mut script = Vec::new();
        generate(self.shell, &mut Cli::command(), "reid", &mut script);
        output::print(String::from_utf8_lossy(&script).trim_end())?;
        Ok(Outcome::Done)
    }
}
