//! Why a command failed.

use std::path::PathBuf;

use webreid::dataset::DatasetError;
use webreid::model::PRESETS;
use webreid::ranking::RankingError;
use webreid::training::ExtractError;
use webreid::weights::WeightsError;

#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error(
        "--weights {}: there is no such file, and no preset of that name; the presets are {}",
        .0.display(),
        PRESETS.join(", ")
    )]
    NoWeights(PathBuf),
    #[error(
        "--weights {0}: no weights come with the presets yet ({presets}); give a checkpoint file of that model",
        presets = PRESETS.join(", ")
    )]
    BarePreset(String),
    #[error("{}: cannot be read ({source}); check the path and its permissions", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{}: an OpenVINO model is two files, and {} is not there; put it beside", xml.display(), bin.display())]
    NoBin { xml: PathBuf, bin: PathBuf },
    #[error("{}: {source}", path.display())]
    Weights { path: PathBuf, source: WeightsError },
    #[error("{}: cannot be written ({source}); what was there before is untouched", path.display())]
    Write { path: PathBuf, source: std::io::Error },
    #[error("{}: {reason}; choose another output file", path.display())]
    Output { path: PathBuf, reason: &'static str },
    #[error("standard output: {0}")]
    Print(std::io::Error),
    #[error("{0}: there are no images; give image files, or folders with PNG, JPEG, WebP or BMP files")]
    NoImages(String),
    #[error("none of the {count} images of {what} could be read; the lines above say why")]
    AllUnreadable { what: String, count: usize },
    #[error("{}: the model gives values that are not numbers; its weights may be damaged", .0.display())]
    NotANumber(PathBuf),
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    #[error(transparent)]
    Extract(#[from] ExtractError),
    #[error(transparent)]
    Ranking(#[from] RankingError),
}
