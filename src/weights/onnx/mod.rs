//! ONNX: a network and its numbers in one protobuf file.
//!
//! Read after the ONNX specification, operator sets 7 to 26, for re-identification networks as PyTorch exports them: `proto`
//! has the messages, `file` finds what the feature depends on, `nodes` spells it as [plain nodes](super::nodes). `write` makes
//! such a file of a model of ours.

mod file;
mod nodes;
mod proto;
mod write;

use prost::encoding::decode_varint;

use super::dialect::{Dialect, Recognised};
use super::error::WeightsError;
use super::input::InputOptions;
use super::nodes::{Emitted, Wanted};
use file::Network;
pub use write::to_onnx;

/// What the error messages call the file.
const FORMAT: &str = "ONNX";
/// Who wrote the files that we write.
const PRODUCER: &str = "webreid";
/// The notes in our files that say how pictures are resized, and what becomes of their proportions.
const FILTER: &str = "filter";
const FIT: &str = "fit";

/// Whether these bytes are an ONNX file, by how they begin (the version of the format, then another field of a model) or, where
/// the fields stand in another order, by being nothing but fields of a model.
pub fn is_onnx(bytes: &[u8]) -> bool {
    // Producer and its version, domain, version of the model, documentation, graph, operator sets.
    const FIELDS: [u8; 7] = [0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42];
    matches!(bytes, [0x08, 1..=0x1f, field, ..] if FIELDS.contains(field)) || is_model(bytes)
}

/// Whether protobuf's fields of a model, a graph and sets of operators among them, make up the whole.
fn is_model(mut bytes: &[u8]) -> bool {
    let mut seen = [false; 26];
    while let Ok(tag) = decode_varint(&mut bytes) {
        let Some(seen) = usize::try_from(tag >> 3).ok().and_then(|field| seen.get_mut(field)) else { return false };
        *seen = true;
        // The versions are numbers, everything else has a length.
        let Ok(value) = decode_varint(&mut bytes) else { return false };
        match tag & 7 {
            0 if matches!(tag >> 3, 1 | 5) => {}
            2 if !matches!(tag >> 3, 0 | 1 | 5) => {
                let Some(rest) = usize::try_from(value).ok().and_then(|length| bytes.get(length..)) else {
                    return false;
                };
                bytes = rest;
            }
            _ => return false,
        }
    }
    bytes.is_empty() && seen[7] && seen[8]
}

/// Reads an ONNX file into a model without neck and head: its only input is the image, its output the feature; of several the
/// one that is called so, or the first vector, which [`Recognised::assumed`] tells.
///
/// What the network does with the image before it learns from it (mean and scale, in whatever place) tells which pixels it takes;
/// the [`InputConfig`](crate::model::InputConfig) of the result gives it those. A network that does nothing is taken for one that
/// was trained on RGB at ImageNet's mean and deviation, and a side that the file leaves open is that of 256×128:
/// [`Recognised::assumed`] tells it.
///
/// # Errors
/// [`WeightsError::Operator`] names an operator that is not supported and its node; [`WeightsError::Pixels`] what the network does
/// to pixels that suits no usual ones; damaged files, and such as keep their numbers elsewhere, are refused.
pub fn read_onnx(bytes: &[u8]) -> Result<Recognised, WeightsError> {
    read_onnx_with(bytes, &InputOptions::default())
}

/// [`read_onnx`], with what the user says of the input.
pub(super) fn read_onnx_with(bytes: &[u8], input: &InputOptions) -> Result<Recognised, WeightsError> {
    super::nodes::recognise(emit(bytes, Wanted::Feature, input)?, Dialect::Onnx, input)
}

/// The file's network as operators of ours.
pub(super) fn emit(bytes: &[u8], wanted: Wanted, input: &InputOptions) -> Result<Emitted, WeightsError> {
    let network = nodes::nodes(Network::read(bytes, wanted)?, bytes.len())?;
    super::nodes::emit(network, wanted, input)
}

fn damaged(reason: impl Into<String>) -> WeightsError {
    WeightsError::Damaged { format: FORMAT, reason: reason.into() }
}
