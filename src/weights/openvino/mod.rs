//! OpenVINO's IR: a network in two files, `.xml` with its operators and `.bin` with its numbers (FP32 or FP16).
//!
//! Read after "OpenVINO IR format", versions 10 and 11, for the networks of the Open Model Zoo: `file` finds layers and
//! numbers, `translate` gives each operator its meaning.

mod file;
mod translate;

use roxmltree::{Document, ParsingOptions};

use super::dialect::{Dialect, Recognised, imported};
use super::error::WeightsError;
use crate::graph::budget::{self, ELEMENTS, NODES, TooMuch};
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
    check_attributes(xml)?;
    let options = ParsingOptions { nodes_limit: ELEMENTS as u32, ..Default::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| match error {
        roxmltree::Error::NodesLimitReached => {
            let (asked, bound) = (ELEMENTS as u64 + 1, ELEMENTS as u64);
            TooMuch { what: "the .xml".into(), asked, unit: "elements, or more,", bound }.into()
        }
        error => damaged(format!("the .xml cannot be read: {error}")),
    })?;
    let network = Network::read(&document)?;
    let (config, tensors) = translate::translate(&network, bin)?;
    imported(Dialect::OpenVino, config, tensors)
}

/// Each attribute is compared with those before it in its element.
fn check_attributes(xml: &[u8]) -> Result<(), WeightsError> {
    let (mut all, mut of_element) = (0_usize, 0_usize);
    for byte in xml {
        match byte {
            b'<' => of_element = 0,
            b'=' => {
                all += 1;
                of_element += 1;
            }
            _ => continue,
        }
        budget::within(|| "an element of the .xml".into(), of_element as u64, "attributes", NODES as u64 / 16)?;
        budget::within(|| "the .xml".into(), all as u64, "attributes", ELEMENTS as u64)?;
    }
    Ok(())
}

fn damaged(reason: impl Into<String>) -> WeightsError {
    WeightsError::Damaged { format: FORMAT, reason: reason.into() }
}
