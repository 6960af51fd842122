//! From `--weights` to a model.

use std::fs;
use std::path::Path;

use webreid::model::PRESETS;
use webreid::training::Extractor;
use webreid::weights::{Checkpoint, Recognised, recognise};

use crate::command::Model;
use crate::command::error::CliError;

impl Model {
    /// Reads the checkpoint and puts its model on the device.
    pub async fn open(&self) -> Result<(Recognised, Extractor), CliError> {
        let recognised = read(&self.weights)?;
        let extractor = Extractor::open(&recognised, self.device).await?;
        Ok((recognised, extractor))
    }
}

/// Reads and recognises a checkpoint; a preset's name is told apart from a file that does not exist.
pub fn read(path: &Path) -> Result<Recognised, CliError> {
    if !path.exists() {
        return Err(match path.to_str().filter(|name| PRESETS.contains(name)) {
            Some(name) => CliError::BarePreset(name.into()),
            None => CliError::NoWeights(path.into()),
        });
    }
    let bytes = fs::read(path).map_err(|source| CliError::Read { path: path.into(), source })?;
    let recognised = Checkpoint::read(&bytes).and_then(recognise);
    recognised.map_err(|source| CliError::Weights { path: path.into(), source })
}
