//! From `--weights` to a model.

use std::path::{Path, PathBuf};

use webreid::extract::{DeviceFault, Extractor};
use webreid::model::PRESETS;
use webreid::weights::{
    self, BUNDLED, InputOptions, ModelFile, Recognised, RecognisedDetector, bundled, read_detector,
};

use crate::command::error::CliError;
use crate::command::{Model, Running, finder};

impl Model {
    /// Reads the checkpoint and puts its model on the device.
    pub async fn open(&self) -> Result<(Recognised, Extractor), CliError> {
        self.running.open(&self.weights).await
    }
}

impl Running {
    /// Reads a checkpoint and puts its model on the device; the extractor has its tensors then.
    pub async fn open(&self, weights: &Path) -> Result<(Recognised, Extractor), CliError> {
        let mut recognised = read(weights, &self.input.options())?;
        recognised.words().iter().for_each(|word| eprintln!("reid: {}: {word}", weights.display()));
        let extractor = Extractor::take(&mut recognised, self.device).await?;
        fallback(extractor.device().fallback()).iter().for_each(|word| eprintln!("reid: {word}"));
        Ok((recognised, extractor))
    }
}

/// Reads a detector from its file, or from where it usually is; `option` is what names it in this command. Which file it was.
pub fn detector(path: Option<&Path>, option: &'static str) -> Result<(PathBuf, RecognisedDetector), CliError> {
    let path = match path {
        Some(path) if path.exists() => path.to_owned(),
        Some(path) => return Err(CliError::NoDetectorFile(path.into())),
        None => {
            let usual = finder::usual();
            usual.clone().filter(|path| path.exists()).ok_or(CliError::NoDetector { option, usual })?
        }
    };
    let ModelFile { bytes, bin } = ModelFile::read(&path)?;
    let detector = read_detector(&bytes, bin.as_deref());
    let detector = detector.map_err(|source| CliError::Weights { path: path.clone(), source })?;
    detector.assumed.iter().for_each(|word| eprintln!("reid: {}: {word}", path.display()));
    Ok((path, detector))
}

/// Why the CPU computes though there is a GPU, to be told to the user.
pub fn fallback(fault: Option<&DeviceFault>) -> Option<String> {
    fault.filter(|fault| fault.is_failure()).map(|fault| format!("{fault}; the CPU computes instead"))
}

/// Reads a model from its file, or the bundled one by its name; a preset's name is told apart from a file that does not
/// exist. `input` is what the user says of its images.
pub fn read(path: &Path, input: &InputOptions) -> Result<Recognised, CliError> {
    if !path.exists() {
        if path.as_os_str() == BUNDLED {
            let bundled = bundled().and_then(|model| model.with_input(input));
            return bundled.map_err(|source| CliError::Weights { path: path.into(), source });
        }
        return Err(match path.to_str().filter(|name| PRESETS.contains(name)) {
            Some(name) => CliError::BarePreset(name.into()),
            None => CliError::NoWeights(path.into()),
        });
    }
    Ok(weights::read_file(path, input)?)
}
