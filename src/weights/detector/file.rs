//! Our own files of detectors: safetensors, with the detector's description in their metadata.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::dialect::fit;
use super::super::error::list;
use super::super::safetensors::{self, METADATA_KEY};
use super::{RecognisedDetector, summary};
use crate::model::DetectorConfig;
use crate::tensor::Precision;
use crate::weights::{Checkpoint, WeightsError};

/// The key of a file's metadata under which [`Description`] stands, as JSON: another than a re-identification model's, as no
/// program may take the one for the other.
pub(in crate::weights) const KEY: &str = "webreid-detector";
/// The newest version of [`Description`].
const VERSION: u32 = 1;

/// What a file of ours says about itself.
#[derive(Serialize, Deserialize)]
struct Description {
    version: u32,
    detector: DetectorConfig,
    provenance: BTreeMap<String, String>,
}

/// Reads a file of ours, and no other: what [`detector_to_safetensors`] wrote.
///
/// # Errors
/// [`WeightsError::NoDetector`] for a file that holds something else; damaged files are refused.
pub fn read_our_detector(bytes: &[u8]) -> Result<RecognisedDetector, WeightsError> {
    safetensors::read(bytes).and_then(understood)
}

/// The detector that a checkpoint is, if we wrote it.
pub(super) fn understood(checkpoint: Checkpoint) -> Result<RecognisedDetector, WeightsError> {
    let Checkpoint { mut tensors, metadata, .. } = checkpoint;
    let json = metadata.get(KEY).ok_or_else(|| {
        let is_ours = metadata.contains_key(METADATA_KEY);
        WeightsError::NoDetector(if is_ours { "a re-identification model" } else { "tensors and no network" })
    })?;
    let Description { detector: config, provenance, .. } = describe(json)?;
    config.check()?;
    let mut ours = BTreeMap::new();
    for parameter in config.network.parameters() {
        let missing = || WeightsError::Damaged { format: "webreid", reason: format!("it has no {}", parameter.name) };
        let mut tensor = tensors.remove(&parameter.name).ok_or_else(missing)?;
        fit(&mut tensor, &parameter.shape, &parameter.name)?;
        ours.insert(parameter.name, tensor);
    }
    if !tensors.is_empty() {
        let names: Vec<&String> = tensors.keys().collect();
        return Err(WeightsError::Damaged { format: "webreid", reason: format!("no layer needs {}", list(&names)) });
    }
    let summary = summary(&config, "webreid", &ours);
    Ok(RecognisedDetector { config, tensors: ours, assumed: Vec::new(), provenance, summary })
}

fn describe(json: &str) -> Result<Description, WeightsError> {
    safetensors::described(json, VERSION)
}

/// A file that [`read_our_detector`] turns back into the same detector. The same detector gives the same bytes.
///
/// # Errors
/// When the tensors are not the parameters of the network, no fewer, no more, in their shapes.
pub fn detector_to_safetensors(detector: &RecognisedDetector, precision: Precision) -> Result<Vec<u8>, WeightsError> {
    let RecognisedDetector { config, tensors, provenance, .. } = detector;
    config.check()?;
    safetensors::check(&config.network.parameters(), tensors)?;
    let description = Description { version: VERSION, detector: config.clone(), provenance: provenance.clone() };
    safetensors::write(tensors, KEY, &description, precision)
}

impl WeightsError {
    /// Of a detector's file where a re-identification model is wanted.
    pub(in crate::weights) fn is_detector(json: &str) -> Self {
        Self::Detector(describe(json).map_or("a model".into(), |description| description.detector.name))
    }
}
