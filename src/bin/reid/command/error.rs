//! Why a command failed.

use std::path::PathBuf;

use webreid::dataset::{CameraError, DatasetError};
use webreid::detect::DetectError;
use webreid::extract::{DeviceError, ExtractError};
use webreid::gallery::GalleryError;
use webreid::ranking::RankingError;
use webreid::training::TrainError;
use webreid::training::data::{ImageStoreError, LoaderError, TeacherError, TrainingSetError};
use webreid::weights::{BUNDLED, ModelFileError, WeightsError};

use crate::command::train::TrainConfigError;

#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error(
        "--weights {}: there is no such file; give a checkpoint, or {BUNDLED}, the model that comes along",
        .0.display()
    )]
    NoWeights(PathBuf),
    #[error("--weights {0}: no weights come with this preset; give a checkpoint of such a model, or {BUNDLED}")]
    BarePreset(String),
    #[error("{}: there is no such file; give a detector's", .0.display())]
    NoDetectorFile(PathBuf),
    #[error(
        "no detector is there: give one with {option} FILE or in WEBREID_DETECTOR, or fetch NanoDet-g (Apache-2.0) with \
         `make detector` in webreid's sources{}",
        .usual.as_ref().map(|path| format!(", which puts it into {}", path.display())).unwrap_or_default()
    )]
    NoDetector { option: &'static str, usual: Option<PathBuf> },
    #[error("{}: {source}", path.display())]
    Detector { path: PathBuf, source: DetectError },
    #[error("{}: {source}", path.display())]
    Detect { path: PathBuf, source: DetectError },
    #[error("nobody was found in any of the {0}; a lower --min-score or smaller --tiles find more")]
    Nobody(String),
    #[error("{}: this folder cannot be made ({source}); give another", path.display())]
    Folder { path: PathBuf, source: std::io::Error },
    #[error("{}: cannot be read ({source}); check the path and its permissions", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    ModelFile(ModelFileError),
    #[error("{}: {source}", path.display())]
    Weights { path: PathBuf, source: WeightsError },
    #[error("{}: this is a detector of people, which is written as .safetensors only; name the output so", .0.display())]
    DetectorInOnnx(PathBuf),
    #[error("{}: cannot be written ({source}); what was there before is untouched", path.display())]
    Write { path: PathBuf, source: std::io::Error },
    #[error("{}: {reason}; choose another output file", path.display())]
    Output { path: PathBuf, reason: &'static str },
    #[error(
        "--report {}: the folder cannot be made or written to ({source}); give one that can, nothing was computed yet",
        path.display()
    )]
    Report { path: PathBuf, source: std::io::Error },
    #[error("standard output: {0}")]
    Print(std::io::Error),
    #[error("{0}: there are no images; give image files, or folders with PNG, JPEG, WebP or BMP files")]
    NoImages(String),
    #[error("--labels: the photos' names tell no persons; name them PPPP_cC… (person, camera), or leave --labels out")]
    NoLabels,
    #[error("{}: {reason}; give a file that `reid extract` has written", path.display())]
    FeatureFile { path: PathBuf, reason: String },
    #[error(
        "{}: its features are of another model ({found}) than {whose} (fingerprint {expected}), and cannot be \
         compared; extract all with one model",
        path.display()
    )]
    OtherFeatures { path: PathBuf, found: String, whose: String, expected: String },
    #[error("none of the {count} images of {what} could be read; the lines above say why")]
    AllUnreadable { what: String, count: usize },
    #[error("{}: the model gives values that are not numbers; its weights may be damaged", .0.display())]
    NotANumber(PathBuf),
    #[error("{}: {source}", path.display())]
    TrainConfig { path: PathBuf, source: TrainConfigError },
    /// Once the data are known.
    #[error("the config: {source}")]
    TrainValue { source: TrainConfigError },
    #[error("{}: line {line} is no entry of a training log ({source}); remove the line", path.display())]
    Log { path: PathBuf, line: usize, source: serde_json::Error },
    #[error(
        "{folder} holds a run already; go on with it (--resume {folder}), or give another `output` in the config",
        folder = .0.display()
    )]
    RunExists(PathBuf),
    #[error("{}: there is no run to resume ({source}); start it without --resume", path.display())]
    NoRun { path: PathBuf, source: std::io::Error },
    #[error("{}: {source}; it is no checkpoint that this version can go on from", path.display())]
    Checkpoint { path: PathBuf, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("the run in {} cannot go on: {what} is not what it was when the run began", path.display())]
    Changed { path: PathBuf, what: String },
    #[error("{}: nothing of it fits the backbone of the config; `model.init` must be a {architecture}", path.display())]
    ForeignInit { path: PathBuf, architecture: String },
    #[error("{}: {source}", path.display())]
    Gallery { path: PathBuf, source: GalleryError },
    #[error("{}: there is no such gallery; `reid gallery add` makes one", .0.display())]
    NoGallery(PathBuf),
    #[error("{}: this photo is not in the gallery; add it first", .0.display())]
    NotInGallery(PathBuf),
    #[error("{file}: {count} people of this photo are in the gallery; say which, as in {file}#1", file = path.display())]
    SeveralPeople { path: PathBuf, count: usize },
    #[error("nobody in the gallery is called '{0}'; `reid gallery list` tells names and numbers")]
    NoSuchPerson(String),
    #[error("Ctrl-C cannot be taken over ({0})")]
    Interrupt(ctrlc::Error),
    #[error("interrupted")]
    Interrupted,
    #[error("the curve could not be drawn: {0}")]
    Curve(String),
    #[cfg(feature = "postgres")]
    #[error(transparent)]
    Index(#[from] crate::command::index::IndexError),
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    #[error(transparent)]
    TrainingSet(#[from] TrainingSetError),
    #[error(transparent)]
    ImageStore(#[from] ImageStoreError),
    #[error(transparent)]
    Teacher(#[from] TeacherError),
    #[error(transparent)]
    Loader(#[from] LoaderError),
    #[error(transparent)]
    Train(#[from] TrainError),
    #[error(transparent)]
    Device(#[from] DeviceError),
    #[error(transparent)]
    Extract(#[from] ExtractError),
    #[error(transparent)]
    Camera(#[from] CameraError),
    #[error(
        "ranking {count} images this way takes some {} MB and {} MB are free; leave --rerank and --expand out, or take fewer images",
        needed >> 20,
        available >> 20
    )]
    Memory { count: usize, needed: u64, available: u64 },
    #[error(transparent)]
    Ranking(RankingError),
}

impl From<ModelFileError> for CliError {
    fn from(error: ModelFileError) -> Self {
        match error {
            ModelFileError::Weights { path, source } => Self::Weights { path, source },
            error => Self::ModelFile(error),
        }
    }
}

impl From<RankingError> for CliError {
    fn from(error: RankingError) -> Self {
        if error == RankingError::Cancelled { Self::Interrupted } else { Self::Ranking(error) }
    }
}
