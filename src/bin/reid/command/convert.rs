//! `reid convert`: a checkpoint of any known dialect, or a detector of people, into ours, or into ONNX for other runtimes.

use std::path::{Path, PathBuf};

use webreid::weights::{
    InputOptions, ModelFile, Precision, Recognised, RecognisedDetector, WeightsError, detector_to_safetensors,
    read_detector_with, to_onnx, to_safetensors,
};

use crate::command::error::CliError;
use crate::command::weights;
use crate::command::{Input, Outcome, output};

#[derive(clap::Args)]
pub struct Convert {
    /// The checkpoint, or a detector of people: .safetensors, .pth, .pt, .onnx, the .xml of an OpenVINO model, or the .json of a
    /// TensorFlow.js graph model
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The file to write, .safetensors or, for other runtimes, .onnx; one that exists is replaced once the new one is whole
    #[arg(value_name = "OUT.safetensors")]
    out: PathBuf,
    #[command(flatten)]
    options: Input,
}

impl Convert {
    pub fn run(self) -> Result<Outcome, CliError> {
        output::check(&self.out)?;
        let ending = self.out.extension().unwrap_or_default().to_ascii_lowercase();
        let is_onnx = ending == "onnx";
        if !is_onnx && ending != "safetensors" {
            return Err(CliError::Output {
                path: self.out,
                reason: "models are written as .safetensors, or as .onnx for other runtimes",
            });
        }
        let (bytes, mut text) = match read(&self.input, &self.options.options())? {
            Model::ReIdentifier(model) => {
                let bytes = match is_onnx {
                    true => to_onnx(&model.config, &model.tensors),
                    false => to_safetensors(&model.config, &model.tensors, &model.provenance, Precision::F32),
                };
                let mut text = [vec![model.summary], model.assumed].concat().join("\n");
                for (what, names) in [("missing", &model.missing), ("not used", &model.unexpected)] {
                    names.iter().for_each(|name| text += &format!("\n{what}: {name}"));
                }
                (bytes, text)
            }
            Model::Detector(_) if is_onnx => return Err(CliError::DetectorInOnnx(self.input)),
            Model::Detector(model) => {
                let bytes = detector_to_safetensors(&model, Precision::F32);
                (bytes, [vec![model.summary], model.assumed].concat().join("\n"))
            }
        };
        let bytes = bytes.map_err(|source| CliError::Weights { path: self.input.clone(), source })?;
        output::write(&self.out, &bytes)?;
        text += &format!("\nwritten: {}", self.out.display());
        output::print(&text)?;
        Ok(Outcome::Done)
    }
}

enum Model {
    ReIdentifier(Box<Recognised>),
    Detector(Box<RecognisedDetector>),
}

/// What the file holds: of a network that is no re-identification model the outputs may be a detector's.
fn read(path: &Path, input: &InputOptions) -> Result<Model, CliError> {
    let error = match weights::read(path, input) {
        Ok(model) => return Ok(Model::ReIdentifier(Box::new(model))),
        Err(error) => error,
    };
    let CliError::Weights { source, .. } = &error else { return Err(error) };
    let ModelFile { bytes, bin } = ModelFile::read(path)?;
    match read_detector_with(&bytes, bin.as_deref(), input) {
        Ok(detector) => Ok(Model::Detector(Box::new(detector))),
        // The one that says more: what the outputs are, where it is they that were not taken.
        Err(other @ WeightsError::NotADetector { .. }) if is_of_outputs(source) => {
            Err(CliError::Weights { path: path.into(), source: other })
        }
        Err(_) => Err(error),
    }
}

fn is_of_outputs(error: &WeightsError) -> bool {
    matches!(error, WeightsError::Operator { operator, .. } if operator == "output")
}
