//! From `--weights` to a model.

use std::fs;
use std::path::{Path, PathBuf};

use webreid::extract::{DeviceFault, Extractor};
use webreid::model::PRESETS;
use webreid::weights::{
    self, BUNDLED, InputOptions, Recognised, RecognisedDetector, bundled, is_openvino, is_tfjs, read_detector,
    read_openvino_with, read_tfjs_with, tfjs_shards,
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
    let (bytes, numbers) = files(&path)?;
    let detector = read_detector(&bytes, numbers.as_deref());
    let detector = detector.map_err(|source| CliError::Weights { path: path.clone(), source })?;
    detector.assumed.iter().for_each(|word| eprintln!("reid: {}: {word}", path.display()));
    Ok((path, detector))
}

/// Why the CPU computes though there is a GPU, to be told to the user.
pub fn fallback(fault: Option<&DeviceFault>) -> Option<String> {
    fault.filter(|fault| fault.is_failure()).map(|fault| format!("{fault}; the CPU computes instead"))
}

/// Reads a model from its file, or the bundled one by its name; a preset's name is told apart from a file that does not
/// exist. Of the two files of an OpenVINO model either
/// stands for both, which lie side by side; the numbers of a TensorFlow.js model lie beside its model.json. `input` is what the user says of
/// its images.
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
    let failed = |source| CliError::Weights { path: path.into(), source };
    let (bytes, numbers) = files(path)?;
    let numbers = numbers.as_deref().unwrap_or_default();
    let recognised = if is_openvino(&bytes) {
        read_openvino_with(&bytes, numbers, input)
    } else if is_tfjs(&bytes) {
        read_tfjs_with(&bytes, numbers, input)
    } else {
        weights::read_with(&bytes, input)
    };
    recognised.map_err(failed)
}

/// The bytes of a model's file, and of the files with its numbers where these lie beside it.
fn files(path: &Path) -> Result<(Vec<u8>, Option<Vec<u8>>), CliError> {
    let read = |path: &Path| fs::read(path).map_err(|source| CliError::Read { path: path.into(), source });
    let xml = Some(path.with_extension("xml")).filter(|xml| is(path, "bin") && xml.is_file());
    let bytes = read(xml.as_deref().unwrap_or(path))?;
    if is_openvino(&bytes) {
        let bin: PathBuf = path.with_extension("bin");
        if !bin.is_file() {
            return Err(CliError::NoBin { xml: path.into(), bin });
        }
        return Ok((bytes, Some(read(&bin)?)));
    }
    if is_tfjs(&bytes) {
        let shards = tfjs_shards(&bytes).map_err(|source| CliError::Weights { path: path.into(), source })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let shards: Result<Vec<Vec<u8>>, CliError> = shards.iter().map(|shard| read(&folder.join(shard))).collect();
        return Ok((bytes, Some(shards?.concat())));
    }
    Ok((bytes, None))
}

fn is(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
}
