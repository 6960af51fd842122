//! A model from the files that it is in.

use std::fs;
use std::path::{Path, PathBuf};

use super::{InputOptions, Recognised, WeightsError, is_openvino, is_tfjs, read_with_bin, tfjs_shards};

/// Why files gave no model.
#[derive(Debug, thiserror::Error)]
pub enum ModelFileError {
    #[error("{}: cannot be read ({source}); check the path and its permissions", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{}: such a model is several files, and {} with its numbers is not there; put it there", model.display(), bin.display())]
    NoBin { model: PathBuf, bin: PathBuf },
    #[error("{}: {source}", path.display())]
    Weights { path: PathBuf, source: WeightsError },
}

/// The bytes of a model's file, and of those with its numbers where they are apart: what [`read_with_bin`] and
/// [`read_detector`](super::read_detector) take.
#[derive(Clone, Debug)]
pub struct ModelFile {
    pub bytes: Vec<u8>,
    /// The `.bin` of an OpenVINO model, or the shards of a TensorFlow.js model one after the other.
    pub bin: Option<Vec<u8>>,
}

impl ModelFile {
    /// Reads the file, and those beside it that have its numbers. Of the two files of an OpenVINO model either stands for both.
    ///
    /// # Errors
    /// When one of them is not there, cannot be read, or does not name the others rightly.
    pub fn read(path: &Path) -> Result<Self, ModelFileError> {
        let read = |path: &Path| fs::read(path).map_err(|source| ModelFileError::Read { path: path.into(), source });
        let xml = Some(path.with_extension("xml")).filter(|xml| is(path, "bin") && xml.is_file());
        let bytes = read(xml.as_deref().unwrap_or(path))?;
        let named = if is_openvino(&bytes) {
            vec![path.with_extension("bin")]
        } else if is_tfjs(&bytes) {
            let shards = tfjs_shards(&bytes);
            let shards = shards.map_err(|source| ModelFileError::Weights { path: path.into(), source })?;
            let folder = path.parent().unwrap_or(Path::new(""));
            shards.into_iter().map(|shard| folder.join(shard)).collect()
        } else {
            return Ok(Self { bytes, bin: None });
        };
        let mut bin = Vec::new();
        for file in named {
            if !file.is_file() {
                return Err(ModelFileError::NoBin { model: path.into(), bin: file });
            }
            bin.append(&mut read(&file)?);
        }
        Ok(Self { bytes, bin: Some(bin) })
    }
}

/// Reads a model from its file, of any format that is known here; `input` is what the user says of its images.
///
/// # Errors
/// What [`ModelFile::read`] and [`read_with_bin`] refuse.
pub fn read_file(path: &Path, input: &InputOptions) -> Result<Recognised, ModelFileError> {
    let ModelFile { bytes, bin } = ModelFile::read(path)?;
    let recognised = read_with_bin(&bytes, bin.as_deref(), input);
    recognised.map_err(|source| ModelFileError::Weights { path: path.into(), source })
}

fn is(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
}
