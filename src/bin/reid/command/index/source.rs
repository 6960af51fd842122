//! Where features come from: images through a model, or a file that `reid extract` has written.

use std::fs;
use std::path::{Path, PathBuf};

use webreid::extract::Extractor;

use crate::command::Model;
use crate::command::error::CliError;
use crate::command::feature_file::FeatureFile;
use crate::command::features::{features, files};

#[derive(clap::Args)]
pub struct SourceOptions {
    #[command(flatten)]
    model: Model,
    /// Take features from a file that `reid extract` has written, instead of images and a model
    #[arg(long, value_name = "F.safetensors", conflicts_with = "images")]
    features: Option<PathBuf>,
    /// Image files, or folders of them
    #[arg(required_unless_present = "features", value_name = "PATH")]
    images: Vec<PathBuf>,
}

/// The model that features are of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelName {
    pub architecture: String,
    pub fingerprint: String,
    pub dim: usize,
}

/// Photos whose features are there or can be had.
pub struct Source {
    pub model: ModelName,
    pub files: Vec<PathBuf>,
    origin: Origin,
}

enum Origin {
    /// `[files.len(), dim]`
    Values(Vec<f32>),
    Images(Box<Extractor>),
}

/// Features of some of the photos.
pub struct Rows {
    /// `[photos.len(), dim]`, as the model gives them.
    pub values: Vec<f32>,
    /// Which ones.
    pub photos: Vec<usize>,
    /// How many could not be read.
    pub unreadable: usize,
}

impl SourceOptions {
    pub async fn open(&self) -> Result<Source, CliError> {
        if let Some(path) = &self.features {
            return feature_file(path);
        }
        let files = files(&self.images)?;
        let (recognised, extractor) = self.model.open().await?;
        let model = ModelName {
            architecture: recognised.architecture,
            fingerprint: extractor.fingerprint().to_string(),
            dim: extractor.config().features_dim(),
        };
        Ok(Source { model, files, origin: Origin::Images(Box::new(extractor)) })
    }
}

impl Source {
    /// The features of photos; `what` names them for the user. What cannot be read is told on stderr and left out.
    pub async fn rows(&self, photos: &[usize], what: &str) -> Result<Rows, CliError> {
        match &self.origin {
            Origin::Values(values) => {
                let row = |&photo: &usize| &values[photo * self.model.dim..][..self.model.dim];
                let values = photos.iter().flat_map(row).copied().collect();
                Ok(Rows { values, photos: photos.to_vec(), unreadable: 0 })
            }
            Origin::Images(extractor) => {
                let files: Vec<PathBuf> = photos.iter().map(|&photo| self.files[photo].clone()).collect();
                match features(extractor, None, &files, what).await {
                    Ok(found) => {
                        let read = found.read.iter().map(|&place| photos[place]).collect();
                        Ok(Rows { values: found.values, photos: read, unreadable: found.unreadable.len() })
                    }
                    Err(CliError::AllUnreadable { count, .. }) if count < self.files.len() => {
                        Ok(Rows { values: Vec::new(), photos: Vec::new(), unreadable: count })
                    }
                    Err(error) => Err(error),
                }
            }
        }
    }

    /// What a photo is known by: its content, and where there are features alone, they and the name.
    pub fn hash(&self, photo: usize) -> [u8; 32] {
        let path = self.files[photo].to_string_lossy();
        let named = |bytes: &[u8]| *blake3::Hasher::new().update(path.as_bytes()).update(bytes).finalize().as_bytes();
        match &self.origin {
            Origin::Values(values) => {
                let row = &values[photo * self.model.dim..][..self.model.dim];
                named(&row.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
            }
            // What cannot be read is told when its features are wanted.
            Origin::Images(_) => {
                fs::read(&self.files[photo]).map_or_else(|_| named(&[]), |bytes| *blake3::hash(&bytes).as_bytes())
            }
        }
    }
}

fn feature_file(path: &Path) -> Result<Source, CliError> {
    let FeatureFile { path, values, dim, names, model, fingerprint } = FeatureFile::read(path)?;
    let Some(architecture) = model else {
        return Err(CliError::FeatureFile { path, reason: "its metadata have no `model`".into() });
    };
    Ok(Source {
        model: ModelName { architecture, fingerprint, dim },
        files: names.into_iter().map(PathBuf::from).collect(),
        origin: Origin::Values(values),
    })
}
