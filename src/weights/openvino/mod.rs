//! OpenVINO's IR: a network in two files, `.xml` with its operators and `.bin` with its numbers (FP32 or FP16).
//!
//! Read after "OpenVINO IR format", versions 10 and 11, for the networks of the Open Model Zoo: `file` finds layers and
//! numbers, `translate` gives each operator its meaning.

mod file;
mod translate;

use roxmltree::Document;

use super::dialect::{Dialect, Recognised, imported};
use super::error::WeightsError;
use file::Network;

/// What the error messages call the two files.
const FORMAT: &str = "OpenVINO";

/// Whether these bytes begin like the `.xml` of an OpenVINO model, which [`read_openvino`] reads together with its `.bin`.
pub fn is_openvino(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let Some(declaration) = bytes.strip_prefix(b"<?xml") else { return bytes.starts_with(b"<net") };
    let end = declaration.windows(2).position(|two| two == b"?>").map_or(declaration.len(), |end| end + 2);
    declaration[end..].trim_ascii_start().starts_with(b"<net")
}

/// Reads an OpenVINO model, the bytes of its `.xml` and of its `.bin`, into a model without neck and head.
///
/// Images are taken as the Open Model Zoo documents it: BGR of 0…255. What the network itself does with them first (the order
/// of the colours, mean and scale) is described by the [`InputConfig`](crate::model::InputConfig) of the result.
///
/// # Errors
/// [`WeightsError::Operator`] names an operator that is not supported and its node; damaged files are refused.
pub fn read_openvino(xml: &[u8], bin: &[u8]) -> Result<Recognised, WeightsError> {
    let text = std::str::from_utf8(xml).map_err(|error| damaged(format!("the .xml is no text: {error}")))?;
    let document = Document::parse(text).map_err(|error| damaged(format!("the .xml cannot be read: {error}")))?;
    let network = Network::read(&document)?;
    let (config, tensors) = translate::translate(&network, bin)?;
    imported(Dialect::OpenVino, config, tensors)
}

fn damaged(reason: impl Into<String>) -> WeightsError {
    WeightsError::Damaged { format: FORMAT, reason: reason.into() }
}
