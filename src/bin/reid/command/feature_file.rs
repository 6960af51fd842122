//! Features from a file that `reid extract` has written.

use std::fs;
use std::path::{Path, PathBuf};

use webreid::weights::Checkpoint;

use crate::command::error::CliError;

/// Features with the names of their images.
pub struct FeatureFile {
    pub path: PathBuf,
    /// `[names.len(), dim]`, row by row, finite.
    pub values: Vec<f32>,
    pub dim: usize,
    pub names: Vec<String>,
    /// The model's name, where the file tells it.
    pub model: Option<String>,
    /// Of the model.
    pub fingerprint: String,
}

impl FeatureFile {
    /// Whether a path is meant as such a file.
    pub fn is(path: &Path) -> bool {
        path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("safetensors")) && !path.is_dir()
    }

    pub fn read(path: &Path) -> Result<Self, CliError> {
        let refuse = |reason: String| CliError::FeatureFile { path: path.into(), reason };
        let bytes = fs::read(path).map_err(|source| CliError::Read { path: path.into(), source })?;
        let mut file = Checkpoint::read(&bytes).map_err(|error| refuse(error.to_string()))?;
        let Some(features) = file.tensors.remove("features") else {
            return Err(refuse("there is no tensor `features` in it".into()));
        };
        let (count, dim) = match features.shape[..] {
            [count, dim] if count > 0 && dim > 0 => (count, dim),
            ref shape => {
                return Err(refuse(format!("`features` has shape {shape:?}, where [images, dimension] is wanted")));
            }
        };
        if let Some(at) = features.values.iter().position(|value| !value.is_finite()) {
            return Err(refuse(format!("the features of image {} are not numbers", at / dim + 1)));
        }
        let mut entry = |key: &str| file.metadata.remove(key);
        let missing = |key: &str| refuse(format!("its metadata have no `{key}`"));
        let names: Vec<String> = serde_json::from_str(&entry("names").ok_or_else(|| missing("names"))?)
            .map_err(|error| refuse(format!("`names` of its metadata is no list of names ({error})")))?;
        if names.len() != count {
            return Err(refuse(format!("it has {} names for {count} features", names.len())));
        }
        let fingerprint = entry("fingerprint").ok_or_else(|| missing("fingerprint"))?;
        Ok(Self { path: path.into(), values: features.values, dim, names, model: entry("model"), fingerprint })
    }

    /// Refuses features that cannot be compared with those of the model with a fingerprint; `whose` names these for the user.
    pub fn check(&self, fingerprint: &str, dim: usize, whose: &str) -> Result<(), CliError> {
        if self.fingerprint != fingerprint {
            let model = self.model.as_ref().map(|model| format!("{model}, "));
            return Err(CliError::OtherFeatures {
                path: self.path.clone(),
                found: format!("{}fingerprint {}", model.unwrap_or_default(), self.fingerprint),
                whose: whose.to_owned(),
                expected: fingerprint.to_owned(),
            });
        }
        if self.dim != dim {
            let reason = format!("its features have {} values, where {whose} has {dim} of the same model", self.dim);
            return Err(CliError::FeatureFile { path: self.path.clone(), reason });
        }
        Ok(())
    }
}
