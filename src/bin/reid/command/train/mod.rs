//! `reid train`: from folders of labelled crops to a model.

mod config;
mod curve;
mod data;
mod log;
mod position;
mod progress;
mod run;
mod session;

use std::path::PathBuf;

use webreid::extract::DeviceChoice;

use self::config::TrainConfig;
pub use self::config::TrainConfigError;
use self::session::Session;
use crate::command::error::CliError;
use crate::command::{Outcome, interrupt};

/// Every key with its default.
pub const CONFIG_HELP: &str = include_str!("config-help.txt");

#[derive(clap::Args)]
pub struct Train {
    /// What to train, in TOML: the keys are below
    #[arg(long, value_name = "FILE.toml")]
    config: PathBuf,
    /// Go on with the run in this folder, exactly where its last checkpoint is. Datasets may have moved, stages to come and
    /// evaluations may be others; whatever else differs from the beginning is refused
    #[arg(long, value_name = "DIR")]
    resume: Option<PathBuf>,
    /// What to train on: auto, gpu or cpu. auto takes a GPU only if it is a real one
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: DeviceChoice,
    /// Draw losses and evaluations as curve.svg after each epoch; of a run that is over too (--resume DIR --plot)
    #[arg(long)]
    plot: bool,
}

impl Train {
    pub async fn run(self) -> Result<Outcome, CliError> {
        let mut config = TrainConfig::read(&self.config)?;
        if let Some(folder) = &self.resume {
            config.output.clone_from(folder);
        }
        let output = config.output.clone();
        let (mut session, start) = Session::open(config, self.resume.is_some(), self.device, self.plot).await?;
        interrupt::in_steps();
        let outcome = session.train(start).await?;
        if let Outcome::Interrupted = outcome {
            let (config, output) = (self.config.display(), output.display());
            eprintln!(
                "reid: stopped and saved in {output}; go on with: reid train --config {config} --resume {output}"
            );
        }
        Ok(outcome)
    }
}
