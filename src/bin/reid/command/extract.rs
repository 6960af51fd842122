//! `reid extract`: features into a safetensors file.

use std::collections::HashMap;
use std::path::PathBuf;

use safetensors::SafeTensorError;
use safetensors::tensor::{Dtype, TensorView, serialize};
use webreid::weights::in_order;

use crate::command::error::CliError;
use crate::command::features::{features, files};
use crate::command::{Model, Outcome, output};

#[derive(clap::Args)]
pub struct Extract {
    #[command(flatten)]
    model: Model,
    /// The file to write; one that exists is replaced once the new one is whole
    #[arg(long, value_name = "F.safetensors")]
    out: PathBuf,
    /// Image files, or folders of them
    #[arg(required = true, value_name = "IMAGES")]
    images: Vec<PathBuf>,
}

impl Extract {
    pub async fn run(self) -> Result<Outcome, CliError> {
        output::check(&self.out)?;
        let files = files(&self.images)?;
        let (recognised, extractor) = self.model.open().await?;
        let features = features(&extractor, None, &files, "images").await?;

        let read: Vec<&PathBuf> = features.read.iter().map(|&index| &files[index]).collect();
        let base = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let paths: Vec<_> = read.iter().map(|path| path.to_string_lossy()).collect();
        let metadata = HashMap::from([
            ("images".to_owned(), read.iter().map(|path| base(path)).collect::<Vec<_>>().join(",")),
            ("names".to_owned(), serde_json::json!(paths).to_string()),
            ("model".to_owned(), recognised.architecture.clone()),
            ("fingerprint".to_owned(), extractor.fingerprint().to_string()),
            ("weights".to_owned(), base(&self.model.weights)),
            ("device".to_owned(), extractor.device().name().to_owned()),
            ("normalised".to_owned(), "false".to_owned()),
        ]);
        let bytes: Vec<u8> = features.values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let shape = vec![features.read.len(), features.dim];
        let file =
            TensorView::new(Dtype::F32, shape, &bytes).and_then(|view| serialize([("features", view)], Some(metadata)));
        let invalid =
            |error: SafeTensorError| CliError::Write { path: self.out.clone(), source: std::io::Error::other(error) };
        output::write(&self.out, &file.map(in_order).map_err(invalid)?)?;
        output::print(&format!(
            "{} features of {} values by {} on {}: {}",
            features.read.len(),
            features.dim,
            recognised.architecture,
            extractor.device().name(),
            self.out.display()
        ))?;
        Ok(Outcome::of(features.unreadable.len()))
    }
}
