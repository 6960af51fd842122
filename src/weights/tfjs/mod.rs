//! TensorFlow.js: a graph model, which is a `model.json` with the operators and files beside it with the numbers.
//!
//! Read after TensorFlow.js's own loader, for networks as `tensorflowjs_converter` writes them: `json` has what the `model.json`
//! lists, `file` finds nodes and numbers, `nodes` spells them as [plain nodes](super::nodes).

mod file;
mod json;
mod nodes;

use super::dialect::{Dialect, Recognised};
use super::error::WeightsError;
use super::input::InputOptions;
use super::nodes::{Emitted, Wanted};
use file::File;

/// What the error messages call the files.
const FORMAT: &str = "TensorFlow.js";

/// Whether these bytes begin like the `model.json` of a TensorFlow.js model, which [`read_tfjs`] reads together with its numbers.
pub fn is_tfjs(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let has = |word: &[u8]| bytes.windows(word.len()).any(|part| part == word);
    let is_object = bytes.strip_prefix(b"{").is_some_and(|rest| rest.trim_ascii_start().starts_with(b"\""));
    is_object && (has(b"\"modelTopology\"") || has(b"\"weightsManifest\""))
}

/// The files with the numbers of a `model.json`, in the order in which [`read_tfjs`] wants them one behind the other; each lies
/// beside it or in a folder below.
///
/// # Errors
/// When the `model.json` is damaged or too large, or names a file that lies elsewhere.
pub fn tfjs_shards(json: &[u8]) -> Result<Vec<String>, WeightsError> {
    json::Model::read(json)?.shards()
}

/// Reads a TensorFlow.js graph model, the bytes of its `model.json` and those of the [files](tfjs_shards) with its numbers one
/// behind the other, into a model without neck and head. Numbers of 16 and 8 bits become f32, as its own loader has it.
///
/// What the network does with the image before it learns from it tells which pixels it takes; RGB at ImageNet's mean and
/// deviation is taken for granted where nothing does, and 256×128 for a size that is left open: [`Recognised::assumed`] tells it.
///
/// # Errors
/// [`WeightsError::Operator`] names an operator that is not supported and its node; [`WeightsError::Pixels`] what the network does
/// to pixels that suits no usual ones; damaged files are refused, and layers models, which TensorFlow's converter makes graph
/// models of.
pub fn read_tfjs(json: &[u8], numbers: &[u8]) -> Result<Recognised, WeightsError> {
    read_tfjs_with(json, numbers, &InputOptions::default())
}

/// [`read_tfjs`], with what the user says of the model's input.
///
/// # Errors
/// What [`read_tfjs`] refuses, and [`WeightsError::Input`] for an input that this model cannot have.
pub fn read_tfjs_with(json: &[u8], numbers: &[u8], input: &InputOptions) -> Result<Recognised, WeightsError> {
    super::nodes::recognise(emit(json, numbers, Wanted::Feature, input)?, Dialect::TensorFlowJs, input)
}

/// The files' network as operators of ours.
pub(super) fn emit(json: &[u8], numbers: &[u8], wanted: Wanted, input: &InputOptions) -> Result<Emitted, WeightsError> {
    let file = File::read(json::Model::read(json)?, numbers.len(), wanted)?;
    super::nodes::emit(nodes::nodes(&file, numbers)?, wanted, input)
}

fn damaged(reason: impl Into<String>) -> WeightsError {
    WeightsError::Damaged { format: FORMAT, reason: reason.into() }
}
