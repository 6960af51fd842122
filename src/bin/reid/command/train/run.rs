//! The folder of a run: what lies in it, and what it was begun with.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use webreid::model::InputConfig;

use super::config::TrainConfig;
use crate::command::error::CliError;
use crate::command::output;

/// What a run was begun with, as `run.json` keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub config: TrainConfig,
    pub data: DataPrint,
    /// How images become the network's input; `model.init` decides. Height and width are each stage's own.
    pub input: InputConfig,
}

/// Enough of the training images to notice that they are others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataPrint {
    pub people: usize,
    pub images: usize,
    /// FNV-1a of the files' names in their order.
    pub names: String,
}

impl DataPrint {
    pub fn new<'a>(people: usize, files: impl Iterator<Item = &'a Path>) -> Self {
        let (mut images, mut hash) = (0, 0xcbf2_9ce4_8422_2325_u64);
        for file in files {
            images += 1;
            for byte in file.file_name().unwrap_or_default().as_encoded_bytes().iter().chain(b"\n") {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        Self { people, images, names: format!("{hash:016x}") }
    }
}

impl Record {
    /// What cannot go on from what was before, at a stage (from 0).
    pub fn first_change(&self, before: &Self, stage: usize) -> Option<String> {
        if self.data != before.data {
            let counts = |data: &DataPrint| format!("{} persons and {} images", data.people, data.images);
            let (now, then) = (counts(&self.data), counts(&before.data));
            let more = if now == then { "other files".to_owned() } else { format!("now {now}, then {then}") };
            return Some(format!("`data` ({more})"));
        }
        self.config.first_change(&before.config, stage).map(|key| format!("`{key}`"))
    }
}

/// Where the files of a run are.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes the folder if need be and writes down what the run is begun with. A folder with a checkpoint is refused.
    pub fn begin(path: &Path, record: &Record) -> Result<Self, CliError> {
        Self::refuse_used(path)?;
        let folder = Self(path.into());
        fs::create_dir_all(path).map_err(|source| CliError::Write { path: path.into(), source })?;
        folder.write_record(record)?;
        Ok(folder)
    }

    /// A run that has got so far as to have a checkpoint is not begun anew.
    pub fn refuse_used(path: &Path) -> Result<(), CliError> {
        if Self(path.into()).checkpoint().exists() { Err(CliError::RunExists(path.into())) } else { Ok(()) }
    }

    /// The folder of a run that was begun, and what it was begun with.
    pub fn open(path: &Path) -> Result<(Self, Record), CliError> {
        let folder = Self(path.into());
        let text = fs::read_to_string(folder.record()).map_err(|source| match source.kind() {
            ErrorKind::NotFound => CliError::NoRun { path: path.into(), source },
            _ => CliError::Read { path: folder.record(), source },
        })?;
        let record = serde_json::from_str(&text)
            .map_err(|error| CliError::Checkpoint { path: folder.record(), source: error.into() })?;
        Ok((folder, record))
    }

    pub fn write_record(&self, record: &Record) -> Result<(), CliError> {
        let path = self.record();
        let text = serde_json::to_string_pretty(record);
        let text = text.map_err(|error| CliError::Write { path: path.clone(), source: error.into() })?;
        output::write(&path, text.as_bytes())
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What the run was begun with.
    fn record(&self) -> PathBuf {
        self.0.join("run.json")
    }

    /// Everything to go on exactly.
    pub fn checkpoint(&self) -> PathBuf {
        self.0.join("checkpoint.safetensors")
    }

    /// The weights to use.
    pub fn model(&self) -> PathBuf {
        self.0.join("model.safetensors")
    }

    pub fn log(&self) -> PathBuf {
        self.0.join("log.jsonl")
    }

    pub fn curve(&self) -> PathBuf {
        self.0.join("curve.svg")
    }
}
