//! Models of other programs, in and out. Who has such a file needs this once, to make one of ours of it.

use js_sys::{Object, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::web::about::About;
use crate::web::error::WebError;
use crate::weights::{self, InputOptions, Precision, Recognised};

/// A file of ours of a checkpoint of any dialect, or an ONNX file: `{ weights, about }`, for `Engine.create`. Of an OpenVINO
/// model, `weights` is the `.xml` and `bin` the file with its numbers. `input`, of which everything may be left out, is what
/// the user says of the model's images: `{ order, range, height, width, filter, fit }`.
///
/// # Errors
/// `{ code, message }` for a file that is no checkpoint, an unknown architecture, or an input that the model cannot have.
#[wasm_bindgen]
pub fn convert(weights: Vec<u8>, file_name: &str, bin: Option<Vec<u8>>, input: JsValue) -> Result<Object, JsValue> {
    let input: Option<InputOptions> = serde_wasm_bindgen::from_value(input)
        .map_err(|error| WebError { code: "bad-input", message: format!("`input`: {error}") })?;
    let input = input.unwrap_or_default();
    let recognised = match &bin {
        Some(bin) => weights::read_openvino_with(&weights, bin, &input),
        None => weights::read_with(&weights, &input),
    };
    drop((weights, bin));
    let recognised = recognised.map_err(|error| WebError::from(&error).in_file(file_name))?;
    let Recognised { config, tensors, provenance, .. } = &recognised;
    let bytes = weights::to_safetensors(config, tensors, provenance, Precision::F32);
    let bytes = bytes.map_err(|error| WebError::from(&error).in_file(file_name))?;
    let converted = Object::new();
    Reflect::set(&converted, &"weights".into(), &Uint8Array::from(bytes.as_slice()))?;
    Reflect::set(&converted, &"about".into(), &serde_wasm_bindgen::to_value(&About::new(&recognised))?)?;
    Ok(converted)
}

/// A network by the name of a preset with weights drawn at random, as [`convert`] gives it: for measuring how fast it runs.
///
/// # Errors
/// `{ code, message }` when there is no such preset, or it cannot have this input.
#[wasm_bindgen]
pub fn untrained(preset: &str, input: JsValue) -> Result<Object, JsValue> {
    let bytes = weights::untrained(preset, 1).map_err(|error| WebError::from(&error))?;
    convert(bytes, preset, None, input)
}

/// A file of ours as an ONNX file for other runtimes.
///
/// # Errors
/// `{ code, message }` for a model that cannot be written so.
#[wasm_bindgen(js_name = toOnnx)]
pub fn to_onnx(weights: Vec<u8>) -> Result<Uint8Array, JsValue> {
    let bytes = weights::read_ours(&weights).and_then(|model| weights::to_onnx(&model.config, &model.tensors));
    Ok(Uint8Array::from(bytes.map_err(|error| WebError::from(&error))?.as_slice()))
}
