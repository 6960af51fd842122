//! Checkpoints: what other projects saved, read into a [`ReIdentifierConfig`](crate::model::ReIdentifierConfig) and its
//! tensors, and our own files.
//!
//! ```no_run
//! # fn main() -> Result<(), webreid::weights::WeightsError> {
//! # let bytes: Vec<u8> = Vec::new();
//! use webreid::weights::{Precision, read, to_safetensors};
//!
//! let model = read(&bytes)?;
//! println!("{}", model.summary);
//! let ours = to_safetensors(&model.config, &model.tensors, &model.provenance, Precision::F32)?;
//! # Ok(()) }
//! ```
//!
//! ONNX files spell their network out and are read as well. OpenVINO and TensorFlow.js models are several files, which
//! [`read_openvino`] and [`read_tfjs`] take. [`read_file`] reads any of them from a disk.
//!
//! Nothing in a checkpoint is run, and no length that a file states is believed before it is checked against the file.

mod bundled;
mod checkpoint;
mod detector;
mod dialect;
mod element;
mod error;
mod fingerprint;
mod images;
mod import;
mod initial;
mod input;
#[cfg(not(target_arch = "wasm32"))]
mod model_file;
mod nodes;
mod onnx;
mod openvino;
mod pickle;
mod pixels;
mod pytorch;
mod safetensors;
mod state_dict;
mod tfjs;

pub use bundled::BUNDLED;
#[cfg(feature = "bundled")]
pub use bundled::bundled;
pub use checkpoint::Checkpoint;
pub use detector::{RecognisedDetector, detector_to_safetensors, read_detector, read_detector_with, read_our_detector};
pub use dialect::{Dialect, Recognised, recognise};
pub use error::WeightsError;
pub use fingerprint::Fingerprint;
#[cfg(feature = "train")]
pub(crate) use initial::initial_tensor;
pub use initial::{initial_tensors, untrained};
pub use input::{InputOptions, PixelRange, UnknownRange};
#[cfg(not(target_arch = "wasm32"))]
pub use model_file::{ModelFile, ModelFileError, read_file};
pub use onnx::{is_onnx, read_onnx, to_onnx};
pub use openvino::{is_openvino, read_openvino, read_openvino_with};
pub use safetensors::{in_order, to_safetensors};
pub use tfjs::{is_tfjs, read_tfjs, read_tfjs_with, tfjs_shards};

pub use crate::graph::budget::TooMuch;
pub use crate::tensor::{Precision, Tensor};

/// Reads a model from any file that holds one alone: a checkpoint or an ONNX file. Its first bytes tell which.
///
/// # Errors
/// What [`Checkpoint::read`] and [`recognise`], or [`read_onnx`], refuse.
pub fn read(bytes: &[u8]) -> Result<Recognised, WeightsError> {
    read_with(bytes, &InputOptions::default())
}

/// Reads a file of ours, and no other: what [`to_safetensors`] wrote.
///
/// # Errors
/// [`WeightsError::UnknownFormat`] for a file that is not ours; what [`read`] refuses.
pub fn read_ours(bytes: &[u8]) -> Result<Recognised, WeightsError> {
    safetensors::read(bytes).and_then(dialect::recognise_ours)
}

/// [`read`], with what the user says of the model's input.
///
/// # Errors
/// What [`read`] refuses, and [`WeightsError::Input`] for an input that this model cannot have.
pub fn read_with(bytes: &[u8], input: &InputOptions) -> Result<Recognised, WeightsError> {
    if is_onnx(bytes) {
        onnx::read_onnx_with(bytes, input)
    } else {
        Checkpoint::read(bytes).and_then(recognise)?.with_input(input)
    }
}

/// [`read_with`], with the numbers of those formats that keep them apart: the `.bin` of an OpenVINO model, or the files of a
/// TensorFlow.js model in the order of [`tfjs_shards`].
///
/// # Errors
/// What [`read_with`], [`read_openvino`] and [`read_tfjs`] refuse.
pub fn read_with_bin(bytes: &[u8], bin: Option<&[u8]>, input: &InputOptions) -> Result<Recognised, WeightsError> {
    match bin {
        Some(bin) if is_openvino(bytes) => read_openvino_with(bytes, bin, input),
        Some(bin) if is_tfjs(bytes) => read_tfjs_with(bytes, bin, input),
        _ => read_with(bytes, input),
    }
}
