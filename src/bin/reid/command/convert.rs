//! `reid convert`: a checkpoint of any known dialect into ours, or into ONNX for other runtimes.

use std::path::PathBuf;

use webreid::weights::{Precision, detector_to_safetensors, to_onnx, to_safetensors};

use crate::command::error::CliError;
use crate::command::{Input, Outcome, output, weights};

#[derive(clap::Args)]
pub struct Convert {
    /// The checkpoint: .safetensors, .pth, .pt, .onnx, the .xml of an OpenVINO model, or the model.json of a TensorFlow.js
    /// graph model
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The file to write, .safetensors or, for other runtimes, .onnx; one that exists is replaced once the new one is whole
    #[arg(value_name = "OUT.safetensors")]
    out: PathBuf,
    /// IN is a detector of people, for `reid detect`: numbers are kept in f16 then
    #[arg(long)]
    detector: bool,
    #[command(flatten)]
    options: Input,
}

impl Convert {
    pub fn run(self) -> Result<Outcome, CliError> {
        output::check(&self.out)?;
        if self.detector {
            return self.detector();
        }
        let model = weights::read(&self.input, &self.options.options())?;
        let bytes = if self.out.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("onnx")) {
            to_onnx(&model.config, &model.tensors)
        } else {
            to_safetensors(&model.config, &model.tensors, &model.provenance, Precision::F32)
        };
        let bytes = bytes.map_err(|source| CliError::Weights { path: self.input.clone(), source })?;
        output::write(&self.out, &bytes)?;
        let mut text = [vec![model.summary], model.assumed].concat().join("\n");
        for (what, names) in [("missing", &model.missing), ("not used", &model.unexpected)] {
            names.iter().for_each(|name| text += &format!("\n{what}: {name}"));
        }
        text += &format!("\nwritten: {}", self.out.display());
        output::print(&text)?;
        Ok(Outcome::Done)
    }

    fn detector(&self) -> Result<Outcome, CliError> {
        let (_, detector) = weights::detector(Some(&self.input), "IN")?;
        let bytes = detector_to_safetensors(&detector, Precision::F16);
        let bytes = bytes.map_err(|source| CliError::Weights { path: self.input.clone(), source })?;
        output::write(&self.out, &bytes)?;
        output::print(&format!("{}\nwritten: {}", detector.summary, self.out.display()))?;
        Ok(Outcome::Done)
    }
}
