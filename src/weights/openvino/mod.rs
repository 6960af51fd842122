//! OpenVINO's IR: a network in two files, `.xml` with its operators and `.bin` with its numbers (FP32 or FP16).
//!
//! Read after "OpenVINO IR format", versions 10 and 11, for the networks of the Open Model Zoo: `file` finds layers and
//! numbers, `nodes` spells them as [plain nodes](super::nodes).

mod file;
mod hints;
mod nodes;

use roxmltree::{Document, ParsingOptions};

use super::dialect::{Dialect, Recognised};
use super::error::WeightsError;
use super::input::InputOptions;
use super::nodes::{Emitted, Wanted};
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
/// What the network does with the image before it learns from it (the order of the colours, mean and scale) tells which pixels it
/// takes: BGR of 0…255 with the Open Model Zoo's. A network that does nothing takes what it took before it was converted; unless
/// the parameters of the conversion tell, RGB at ImageNet's mean and deviation is taken for granted, and 256×128 for a size that
/// is left open: [`Recognised::assumed`] tells it. The [`InputConfig`](crate::model::InputConfig) of the result describes all of it.
///
/// # Errors
/// [`WeightsError::Operator`] names an operator that is not supported and its node; [`WeightsError::Pixels`] what the network does
/// to pixels that suits no usual ones; damaged files are refused.
pub fn read_openvino(xml: &[u8], bin: &[u8]) -> Result<Recognised, WeightsError> {
    read_openvino_with(xml, bin, &InputOptions::default())
}

/// [`read_openvino`], with what the user says of the model's input.
///
/// # Errors
/// What [`read_openvino`] refuses, and [`WeightsError::Input`] for an input that this model cannot have.
pub fn read_openvino_with(xml: &[u8], bin: &[u8], input: &InputOptions) -> Result<Recognised, WeightsError> {
    super::nodes::recognise(emit(xml, bin, Wanted::Feature, input)?, Dialect::OpenVino, input)
}

/// The files' network as operators of ours.
pub(super) fn emit(xml: &[u8], bin: &[u8], wanted: Wanted, input: &InputOptions) -> Result<Emitted, WeightsError> {
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
    super::nodes::emit(nodes::nodes(network, bin, wanted)?, wanted, input)
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
