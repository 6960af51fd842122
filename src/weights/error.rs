//! Why a checkpoint could not be used.

use super::Dialect;
use crate::graph::budget::TooMuch;
use crate::model::ConfigError;

/// Why a checkpoint could not be read, recognised or written.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    #[error("the file is empty; download it again")]
    Empty,
    #[error(
        "{0}; give a .safetensors file, a .pth or .pt file that torch.save wrote, an .onnx file, the .xml of an OpenVINO model, or \
         the .json of a TensorFlow.js model"
    )]
    UnknownFormat(String),
    #[error("the {format} file is damaged or incomplete: {reason}; download it again")]
    Damaged { format: &'static str, reason: String },
    #[error(
        "the file asks for `{global}`, which is code and not weights; nothing of it was run. \
         Save the state dict alone, torch.save(model.state_dict(), path), and give that file"
    )]
    Code { global: String },
    #[error("{0}")]
    Unsupported(String),
    /// A network that its file spells out has an operator that is not supported, or not in this form.
    #[error("the network's operator {operator}, node `{node}`, is not supported: {reason}")]
    Operator { operator: String, node: String, reason: String },
    /// What a network that its file spells out does to its image suits no usual one.
    #[error(
        "the file does not tell which pixels its network takes: {0}. Say it: --range 0-1, 0-255 or imagenet; in the package \
         create({{ input: {{ range: \"0-255\" }} }})"
    )]
    Pixels(String),
    /// What the user says of the input cannot be.
    #[error("{0}")]
    Input(String),
    #[error("the file holds no tensors under names; {0}")]
    NoTensors(String),
    #[error(
        "this is no re-identification model that is known here: looked for a ResNet (conv1.weight and layer1.0.conv1.weight) \
         or an OSNet (conv1.conv.weight and conv5.conv.weight), under whatever prefix; the file has {0}"
    )]
    Unrecognised(String),
    /// A backbone that is known, in a file whose other names are those of no project that is known.
    #[error(
        "the file has {network} under `{root}`, but which project's it is, and so how it computes its features, cannot be \
         told from what stands beside it: {beside}; known are the names of torchreid, fast-reid, Bag of Tricks, \
         the Transfer-Learning-Library, Cluster Contrast, centroids-reid, open-reid, AlignedReID, \
         Person_reID_baseline_pytorch and MMTracking"
    )]
    UnknownDialect { network: String, root: String, beside: String },
    #[error("the checkpoint ({dialect}) lacks {tensors}; it was cut off or belongs to another architecture")]
    Missing { dialect: Dialect, tensors: String },
    #[error(
        "the checkpoint ({dialect}, by its names) has layers that are not known there: {tensors}; leaving them out would \
         change the features"
    )]
    ForeignLayers { dialect: Dialect, tensors: String },
    #[error("tensor `{tensor}` has the shape {found:?} where the network needs {expected:?}")]
    Shape { tensor: String, found: Vec<usize>, expected: Vec<usize> },
    #[error("tensor `{tensor}` holds {what}; the training diverged or the file is damaged")]
    Values { tensor: String, what: &'static str },
    /// A detector's file where a re-identification model is wanted.
    #[error(
        "this is {0}, a detector that finds people in photos, and no re-identification model; give it where a detector is asked for"
    )]
    Detector(String),
    /// A file of ours, or with tensors alone, where a detector is wanted.
    #[error(
        "this file holds {0} and no detector of people; give one that was converted here, or an .onnx file, or the .json of a \
         TensorFlow.js model"
    )]
    NoDetector(&'static str),
    /// A network whose outputs are those of no detector that is known.
    #[error(
        "this is no detector of people that is known here: the network gives {outputs}, and {reason}. Understood are the outputs, \
         before anything is decoded, of NanoDet, NanoDet-Plus, YOLOX and RTMDet"
    )]
    NotADetector { outputs: String, reason: String },
    /// The file asks for more memory or time than it is given.
    #[error(transparent)]
    TooMuch(#[from] TooMuch),
    #[error(transparent)]
    Config(ConfigError),
}

impl From<ConfigError> for WeightsError {
    fn from(error: ConfigError) -> Self {
        match error {
            ConfigError::TooMuch(error) => Self::TooMuch(error),
            error => Self::Config(error),
        }
    }
}

/// The first names of a list and how many more there are.
pub(super) fn list<S: AsRef<str>>(names: &[S]) -> String {
    const SHOWN: usize = 8;
    let mut text = names.iter().take(SHOWN).map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text += &format!(" and {} more", names.len() - SHOWN);
    }
    text
}
