//! Models of other programs, in and out. Who has such a file needs this once, to make one of ours of it.

use js_sys::Uint8Array;
use serde::Serialize;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

use crate::web::about::About;
use crate::web::error::WebError;
use crate::weights::{self, InputOptions, Precision, Recognised};

/// A file of ours, and what the one that it was made of said: for `Engine.create`.
#[derive(Serialize, Tsify)]
pub struct Converted {
    #[serde(with = "serde_wasm_bindgen::preserve")]
    #[tsify(type = "Uint8Array<ArrayBuffer>")]
    weights: Uint8Array,
    about: About,
}

/// Makes a file of ours of a checkpoint of any dialect, or an ONNX file. Of an OpenVINO model `weights` is the `.xml`, of a
/// TensorFlow.js model the `model.json`, and `bin` the numbers, which of the latter may be several files, one behind the other.
///
/// # Errors
/// `{ code, message }` for a file that is no checkpoint, an unknown architecture, or an input that the model cannot have.
#[wasm_bindgen]
pub fn convert(
    weights: Vec<u8>,
    file_name: &str,
    bin: Option<Vec<u8>>,
    input: Option<Ts<InputOptions>>,
) -> Result<Ts<Converted>, WebError> {
    let input = said(input)?;
    let recognised = weights::read_with_bin(&weights, bin.as_deref(), &input);
    drop((weights, bin));
    let recognised = recognised.map_err(|error| WebError::from(&error).in_file(file_name))?;
    let Recognised { config, tensors, provenance, .. } = &recognised;
    let bytes = weights::to_safetensors(config, tensors, provenance, Precision::F32);
    let bytes = bytes.map_err(|error| WebError::from(&error).in_file(file_name))?;
    let weights = Uint8Array::from(bytes.as_slice());
    Ok(Converted { weights, about: About::new(&recognised) }.into_ts()?)
}

/// Makes a file of ours of a detector of people: an ONNX file, or an OpenVINO or TensorFlow.js model as [`convert`] takes them.
/// With `half` its numbers are kept in 16 bits, where they fit.
///
/// # Errors
/// `{ code, message }` for a network that is no detector that is known by its outputs.
#[wasm_bindgen(js_name = convertDetector, unchecked_return_type = "Uint8Array<ArrayBuffer>")]
pub fn convert_detector(
    weights: Vec<u8>,
    file_name: &str,
    bin: Option<Vec<u8>>,
    input: Option<Ts<InputOptions>>,
    half: bool,
) -> Result<Uint8Array, WebError> {
    let precision = if half { Precision::F16 } else { Precision::F32 };
    let detector = weights::read_detector_with(&weights, bin.as_deref(), &said(input)?);
    drop((weights, bin));
    let bytes = detector.and_then(|detector| weights::detector_to_safetensors(&detector, precision));
    Ok(Uint8Array::from(bytes.map_err(|error| WebError::from(&error).in_file(file_name))?.as_slice()))
}

/// The files with the numbers of a TensorFlow.js model, in the order in which they are joined; each lies beside its `model.json` or
/// in a folder below.
///
/// # Errors
/// `{ code, message }` for a `model.json` that is none.
#[wasm_bindgen(js_name = tfjsShards)]
pub fn tfjs_shards(json: Vec<u8>, file_name: &str) -> Result<Vec<String>, WebError> {
    weights::tfjs_shards(&json).map_err(|error| WebError::from(&error).in_file(file_name))
}

/// A network by the name of a preset with weights drawn at random, as [`convert`] gives it: for measuring how fast it runs.
///
/// # Errors
/// `{ code, message }` when there is no such preset, or it cannot have this input.
#[wasm_bindgen]
pub fn untrained(preset: &str, input: Option<Ts<InputOptions>>) -> Result<Ts<Converted>, WebError> {
    let bytes = weights::untrained(preset, 1).map_err(|error| WebError::from(&error))?;
    convert(bytes, preset, None, input)
}

/// A file of ours as an ONNX file for other runtimes.
///
/// # Errors
/// `{ code, message }` for a model that cannot be written so.
#[wasm_bindgen(js_name = toOnnx, unchecked_return_type = "Uint8Array<ArrayBuffer>")]
pub fn to_onnx(weights: Vec<u8>) -> Result<Uint8Array, WebError> {
    let bytes = weights::read_ours(&weights).and_then(|model| weights::to_onnx(&model.config, &model.tensors));
    Ok(Uint8Array::from(bytes.map_err(|error| WebError::from(&error))?.as_slice()))
}

fn said(input: Option<Ts<InputOptions>>) -> Result<InputOptions, WebError> {
    let named = |error: tsify::Error| WebError { code: "bad-input", message: format!("`input`: {error}") };
    Ok(input.map(|input| input.to_rust()).transpose().map_err(named)?.unwrap_or_default())
}
