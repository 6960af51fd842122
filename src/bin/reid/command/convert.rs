//! `reid convert`: a checkpoint of any known dialect into ours, or into ONNX for other runtimes.

use std::path::PathBuf;

use webreid::weights::{Precision, to_onnx, to_safetensors};

use crate::command::error::CliError;
use crate::command::{Input, Outcome, output, weights};

#[derive(clap::Args)]
pub struct Convert {
    /// The checkpoint: .safetensors, .pth, .pt, .onnx, or the .xml of an OpenVINO model
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
}
