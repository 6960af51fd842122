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

/// Makes a file of ours of a checkpoint of any dialect, or an ONNX file. Of an OpenVINO model, `weights` is the `.xml` and `bin`
/// the file with its numbers.
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
    let input = input.map(|input| input.to_rust()).transpose();
    let named = |error: tsify::Error| WebError { code: "bad-input", message: format!("`input`: {error}") };
    let input = input.map_err(named)?.unwrap_or_default();
    let recognised = match &bin {
        Some(bin) => weights::read_openvino_with(&weights, bin, &input),
        None => weights::read_with(&weights, &input),
    };
    drop((weights, bin));
    let recognised = recognised.map_err(|error| WebError::from(&error).in_file(file_name))?;
    let Recognised { config, tensors, provenance, .. } = &recognised;
    let bytes = weights::to_safetensors(config, tensors, provenance, Precision::F32);
    let bytes = bytes.map_err(|error| WebError::from(&error).in_file(file_name))?;
    let weights = Uint8Array::from(bytes.as_slice());
    Ok(Converted { weights, about: About::new(&recognised) }.into_ts()?)
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
