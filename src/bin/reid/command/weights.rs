//! From `--weights` to a model.

use std::fs;
use std::path::{Path, PathBuf};

use webreid::extract::{DeviceFault, Extractor};
use webreid::model::PRESETS;
use webreid::weights::{
    self, BUNDLED, InputOptions, Recognised, RecognisedDetector, bundled, is_openvino, is_tfjs, read_detector,
    tfjs_shards,
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
    let Files { bytes, bin } = Files::read(&path)?;
    let detector = read_detector(&bytes, bin.as_deref());
    let detector = detector.map_err(|source| CliError::Weights { path: path.clone(), source })?;
    detector.assumed.iter().for_each(|word| eprintln!("reid: {}: {word}", path.display()));
    Ok((path, detector))
}

/// A model's file, and those with its numbers.
pub struct Files {
    pub bytes: Vec<u8>,
    pub bin: Option<Vec<u8>>,
}

impl Files {
    /// Reads the file, and those beside it that have its numbers. Of the two files of an OpenVINO model either stands for both.
    pub fn read(path: &Path) -> Result<Self, CliError> {
        let read = |path: &Path| fs::read(path).map_err(|source| CliError::Read { path: path.into(), source });
        let xml = Some(path.with_extension("xml")).filter(|xml| is(path, "bin") && xml.is_file());
        let bytes = read(xml.as_deref().unwrap_or(path))?;
        let named = if is_openvino(&bytes) {
            vec![path.with_extension("bin")]
        } else if is_tfjs(&bytes) {
            let shards = tfjs_shards(&bytes).map_err(|source| CliError::Weights { path: path.into(), source })?;
            let folder = path.parent().unwrap_or(Path::new(""));
            shards.into_iter().map(|shard| folder.join(shard)).collect()
        } else {
            return Ok(Self { bytes, bin: None });
        };
        let mut bin = Vec::new();
        for file in named {
            if !file.is_file() {
                return Err(CliError::NoBin { model: path.into(), bin: file });
            }
            bin.append(&mut read(&file)?);
        }
        Ok(Self { bytes, bin: Some(bin) })
    }
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
    let Files { bytes, bin } = Files::read(path)?;
    let recognised = weights::read_with_bin(&bytes, bin.as_deref(), input);
    recognised.map_err(|source| CliError::Weights { path: path.into(), source })
}

fn is(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
}
