//! Detectors of people: networks of other programs whose outputs are recognised, and our own files.
//!
//! `head` knows what the outputs of known detectors look like, `file` has our own form.

mod file;
mod head;

use std::collections::BTreeMap;

pub(super) use file::KEY;
pub use file::{detector_to_safetensors, read_our_detector};

use super::dialect::{Dialect, fit};
use super::images::Hints;
use super::import::Imported;
use super::nodes::{Emitted, Wanted};
use super::{Checkpoint, InputOptions, Tensor, WeightsError, is_onnx, is_openvino, is_tfjs, onnx, openvino, tfjs};
use crate::model::DetectorConfig;
use head::Recognition;

/// A detector that was understood, and all of its tensors.
#[derive(Clone, Debug)]
pub struct RecognisedDetector {
    pub config: DetectorConfig,
    /// Every parameter of the network by our name, in its shape, finite.
    pub tensors: BTreeMap<String, Tensor>,
    /// What the file does not say and was taken for granted; a sentence each.
    pub assumed: Vec<String>,
    /// Where the weights come from: what our own file says, or the file's format.
    pub provenance: BTreeMap<String, String>,
    /// All of this in a sentence or two.
    pub summary: String,
}

/// Reads a detector of people: a file of ours, an ONNX file, or a TensorFlow.js or OpenVINO model, of which `bin` has the
/// numbers (of several files of numbers, in the order of [`tfjs_shards`](super::tfjs_shards)).
///
/// Networks of other programs are known by their outputs, as they are before anything is decoded: NanoDet, NanoDet-Plus, YOLOX,
/// and RTMDet. Their images are those that their authors train them with, unless the network's own steps say otherwise.
///
/// # Errors
/// [`WeightsError::NotADetector`] lists the outputs of a network that is not known, and says what is understood;
/// [`WeightsError::NoDetector`] is for re-identification models of ours, and tensors alone; and what reading the format refuses.
pub fn read_detector(bytes: &[u8], bin: Option<&[u8]>) -> Result<RecognisedDetector, WeightsError> {
    read_detector_with(bytes, bin, &InputOptions::default())
}

/// [`read_detector`], with what the user says of the model's input.
///
/// # Errors
/// What [`read_detector`] refuses, and [`WeightsError::Input`] for an input that this model cannot have.
pub fn read_detector_with(
    bytes: &[u8],
    bin: Option<&[u8]>,
    input: &InputOptions,
) -> Result<RecognisedDetector, WeightsError> {
    let outputs = Wanted::Outputs;
    let (emitted, dialect) = match bin {
        Some(bin) if is_tfjs(bytes) => (tfjs::emit(bytes, bin, outputs, input), Dialect::TensorFlowJs),
        Some(bin) if is_openvino(bytes) => (openvino::emit(bytes, bin, outputs, input), Dialect::OpenVino),
        _ if is_onnx(bytes) => (onnx::emit(bytes, outputs, input), Dialect::Onnx),
        // Which tells other files apart, and says what is missing beside them.
        _ if *input == InputOptions::default() => return Checkpoint::read(bytes).and_then(file::understood),
        _ => {
            Checkpoint::read(bytes).and_then(file::understood)?;
            let reason =
                "a detector of ours says itself which images it takes; convert the file that it was made of again";
            return Err(WeightsError::Input(reason.into()));
        }
    };
    let emitted = emitted.map_err(|error| match error {
        WeightsError::Operator { operator, node, reason } => {
            let reason = format!(
                "{reason}; of a detector the outputs are read as they are before anything is decoded: export it without \
                 decoding and non-maximum suppression"
            );
            WeightsError::Operator { operator, node, reason }
        }
        error => error,
    })?;
    recognise(emitted, dialect, input)
}

fn recognise(emitted: Emitted, dialect: Dialect, input: &InputOptions) -> Result<RecognisedDetector, WeightsError> {
    let Emitted { mut importer, outputs, hints, mut assumed, .. } = emitted;
    let Recognition { name, head, outputs, range, order, fit: placed, classes } =
        head::recognise(&mut importer, outputs)?;
    let hints = Hints {
        range: hints.range.or(Some(range)),
        order: hints.order.or(Some(order)),
        fit: hints.fit.or(Some(placed)),
        ..hints
    };
    let values: Vec<_> = outputs.iter().map(|(_, value)| *value).collect();
    let images = importer.settle(&values, &hints, input)?;
    let Imported { input, network, mut tensors } = importer.finish(&outputs);
    let config = DetectorConfig { name: name.into(), input, network, head };
    for parameter in config.network.parameters() {
        let missing = || WeightsError::Missing { dialect, tensors: parameter.name.clone() };
        fit(tensors.get_mut(&parameter.name).ok_or_else(missing)?, &parameter.shape, &parameter.name)?;
    }
    config.check()?;
    if !matches!(classes, 1 | 80) {
        assumed.push(format!("The file does not name its {classes} classes: the first is taken for people."));
    }
    assumed.extend(images.contradiction());
    let provenance =
        BTreeMap::from([("dialect".to_owned(), dialect.to_string()), ("source".to_owned(), name.to_owned())]);
    let summary = summary(&config, &dialect.to_string(), &tensors);
    Ok(RecognisedDetector { config, tensors, assumed, provenance, summary })
}

fn summary(config: &DetectorConfig, source: &str, tensors: &BTreeMap<String, Tensor>) -> String {
    let numbers: usize = tensors.values().map(|tensor| tensor.values.len()).sum();
    let strides: Vec<String> = config.head.levels.iter().map(|level| level.stride.to_string()).collect();
    let input = &config.input;
    format!(
        "{} ({source}): finds people every {} pixels of {}×{}, {}; {} tensors, {numbers} numbers.",
        config.name,
        strides.join(", "),
        input.height,
        input.width,
        super::input::described(input),
        tensors.len(),
    )
}
