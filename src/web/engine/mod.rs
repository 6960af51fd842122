//! A model in JavaScript's hands: an opaque handle with typed, asynchronous calls.

#[cfg(not(feature = "train"))]
mod fit;
#[cfg(feature = "train")]
mod tuner;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use js_sys::{Array, Float32Array, Reflect, Uint8Array};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::extract::{DeviceChoice, Extractor, normalise};
use crate::image::Rgba;
use crate::kernels::frozen::preprocess::Filter;
use crate::model::ReIdentifierConfig;
use crate::step::Fit;
use crate::web::error::WebError;
use crate::weights::{self, InputOptions, Precision, Recognised};
#[cfg(not(feature = "train"))]
pub use fit::{PictureFitter, fit, picture_size};
#[cfg(feature = "train")]
pub use tuner::Tuner;

/// A model on a device.
struct Model {
    extractor: Extractor,
    recognised: Recognised,
}

/// The model at work and the one before it. Calls take a handle of the model they begin with, so that nothing is borrowed
/// while they wait.
struct Current {
    model: RefCell<Rc<Model>>,
    before: RefCell<Option<Rc<Model>>>,
}

impl Current {
    fn model(&self) -> Rc<Model> {
        self.model.borrow().clone()
    }

    /// Puts a fine-tuned form of the model in its place, and keeps the one before.
    async fn tune(
        &self,
        config: ReIdentifierConfig,
        tensors: BTreeMap<String, weights::Tensor>,
    ) -> Result<(), WebError> {
        let before = self.model();
        let extractor = before.extractor.with(config, tensors).await.map_err(|error| WebError::from(&error))?;
        let recognised = before.recognised.tuned(extractor.config());
        self.before.replace(Some(self.model.replace(Rc::new(Model { extractor, recognised }))));
        Ok(())
    }

    fn undo(&self) -> bool {
        let before = self.before.take();
        before.map(|before| self.model.replace(before)).is_some()
    }
}

/// A network by the name of a preset with weights drawn at random, as the file that [`Engine::create`] reads: for measuring
/// how fast it runs.
///
/// # Errors
/// `{ code, message }` when there is no such preset.
#[cfg(not(feature = "train"))]
#[wasm_bindgen]
pub fn untrained(preset: &str) -> Result<Vec<u8>, JsValue> {
    Ok(weights::untrained(preset, 1).map_err(|error| WebError::from(&error))?)
}

/// A model on a device. It lives in the worker that made it; `free()` gives its memory back.
#[wasm_bindgen]
pub struct Engine {
    current: Rc<Current>,
}

/// What [`Engine::describe`] tells.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Description<'a> {
    architecture: &'a str,
    dialect: String,
    summary: &'a str,
    missing: &'a [String],
    unexpected: &'a [String],
    assumed: &'a [String],
    feature_dim: usize,
    input_height: usize,
    input_width: usize,
    filter: Filter,
    fit: Fit,
    device: &'static str,
    adapter: &'a str,
    fallback: Option<String>,
    precision: &'static str,
    parameters: usize,
    fingerprint: String,
}

#[wasm_bindgen]
impl Engine {
    /// Reads a checkpoint of any dialect, or an ONNX file, and puts the model on a device: "gpu", "cpu", or "auto".
    /// Of an OpenVINO model, `weights` is the `.xml` and `bin` the file with its numbers. `input`, of which everything may be
    /// left out, is what the user says of the model's images: `{ order, range, height, width, filter, fit }`.
    ///
    /// # Errors
    /// `{ code, message }` for a file that is no checkpoint, an unknown architecture, an input that the model cannot have, or a
    /// device that cannot be had.
    pub async fn create(
        weights: Vec<u8>,
        file_name: String,
        device: String,
        bin: Option<Vec<u8>>,
        input: JsValue,
    ) -> Result<Engine, JsValue> {
        let input: Option<InputOptions> = serde_wasm_bindgen::from_value(input)
            .map_err(|error| WebError { code: "bad-input", message: format!("`input`: {error}") })?;
        let input = input.unwrap_or_default();
        let recognised = match &bin {
            Some(bin) => weights::read_openvino_with(&weights, bin, &input),
            None => weights::read_with(&weights, &input),
        };
        drop((weights, bin));
        let mut recognised = recognised.map_err(|error| {
            let error = WebError::from(&error);
            WebError { message: format!("{file_name}: {}", error.message), ..error }
        })?;
        let choice: DeviceChoice =
            device.parse().map_err(|error| WebError { code: "no-device", message: format!("{error}") })?;
        let extractor = Extractor::take(&mut recognised, choice).await.map_err(|error| WebError::from(&error))?;
        let model = RefCell::new(Rc::new(Model { extractor, recognised }));
        Ok(Engine { current: Rc::new(Current { model, before: RefCell::new(None) }) })
    }

    /// What was recognised and what computes.
    pub fn describe(&self) -> Result<JsValue, JsValue> {
        let Model { extractor, recognised } = &*self.current.model();
        let config = extractor.config();
        let device = extractor.device();
        let graph = config.graph().map_err(|error| WebError { code: "internal", message: error.to_string() })?;
        let sizes = graph.parameters().into_iter().map(|parameter| parameter.shape.iter().product::<usize>());
        let description = Description {
            architecture: &recognised.architecture,
            dialect: recognised.dialect.to_string(),
            summary: &recognised.summary,
            missing: &recognised.missing,
            unexpected: &recognised.unexpected,
            assumed: &recognised.assumed,
            feature_dim: config.features_dim(),
            input_height: config.input.height,
            input_width: config.input.width,
            filter: config.input.filter,
            fit: config.input.fit,
            device: if device.is_gpu() { "gpu" } else { "cpu" },
            adapter: &device.name,
            fallback: device.fallback.as_ref().map(ToString::to_string),
            precision: if extractor.is_half() { "f16" } else { "f32" },
            parameters: sizes.sum(),
            fingerprint: extractor.fingerprint().to_string(),
        };
        Ok(serde_wasm_bindgen::to_value(&description)?)
    }

    /// Features of a batch, `{ features, fingerprint }`: L2-normalised, a `Float32Array` for each image `{ data, width, height }`
    /// with RGBA bytes, and the model that all of them are of, the one at work when the call begins. Images best come at the
    /// network's size, as `fit` leaves them.
    ///
    /// # Errors
    /// `{ code, message }` when the device fails, or the model gives no numbers.
    pub async fn extract(&self, images: Array) -> Result<js_sys::Object, JsValue> {
        let pictures = images.iter().map(|image| pixels(&image)).collect::<Result<Vec<_>, _>>()?;
        let model = self.current.model();
        let mut features = model.extractor.extract(&pictures).await.map_err(|error| WebError::from(&error))?;
        features.iter_mut().for_each(|feature| normalise(feature));
        let features: Array = features.iter().map(|feature| Float32Array::from(feature.as_slice())).collect();
        let extraction = js_sys::Object::new();
        Reflect::set(&extraction, &"features".into(), &features)?;
        Reflect::set(&extraction, &"fingerprint".into(), &model.extractor.fingerprint().to_string().into())?;
        Ok(extraction)
    }

    /// The model as a safetensors file that loads back by itself.
    ///
    /// # Errors
    /// `{ code, message }` when the device fails.
    #[wasm_bindgen(js_name = exportWeights)]
    pub fn export_weights(&self) -> Result<Uint8Array, JsValue> {
        let model = self.current.model();
        let Recognised { config, provenance, .. } = &model.recognised;
        let bytes = weights::to_safetensors(config, model.extractor.tensors(), provenance, Precision::F32);
        Ok(Uint8Array::from(bytes.map_err(|error| WebError::from(&error))?.as_slice()))
    }

    /// What the GPU has done so far and holds, `{ dispatches, submits, pipelines, bytes }`; undefined on the CPU.
    #[wasm_bindgen(js_name = gpuCounters)]
    pub fn gpu_counters(&self) -> Result<JsValue, JsValue> {
        let model = self.current.model();
        Ok(model
            .extractor
            .counters()
            .map_or(Ok(JsValue::UNDEFINED), |counters| serde_wasm_bindgen::to_value(&counters))?)
    }

    /// Puts a fine-tuned form of this model into the engine, which keeps the one before for `undo`.
    ///
    /// # Errors
    /// `{ code, message }` for weights that are no model, or a device that fails; the engine is as it was then.
    pub async fn replace(&self, weights: Vec<u8>) -> Result<(), JsValue> {
        let tuned = weights::read(&weights).map_err(|error| WebError::from(&error))?;
        Ok(self.current.tune(tuned.config, tuned.tensors).await?)
    }

    /// Back to the model before the last applied fine-tune; false when there is none.
    pub fn undo(&self) -> bool {
        self.current.undo()
    }
}

/// What the module that learns is not asked for: it is a copy beside the one that looks at images.
#[cfg(not(feature = "train"))]
#[wasm_bindgen]
impl Engine {
    /// The model as an ONNX file for other runtimes.
    ///
    /// # Errors
    /// `{ code, message }` for a model that cannot be written so.
    #[wasm_bindgen(js_name = exportOnnx)]
    pub fn export_onnx(&self) -> Result<Uint8Array, JsValue> {
        let model = self.current.model();
        let bytes = weights::to_onnx(&model.recognised.config, model.extractor.tensors());
        Ok(Uint8Array::from(bytes.map_err(|error| WebError::from(&error))?.as_slice()))
    }
}

/// `{ data, width, height }`
fn pixels(value: &JsValue) -> Result<Rgba, WebError> {
    let bad = || WebError { code: "bad-image", message: "these are no RGBA pixels".to_owned() };
    let get = |key: &str| Reflect::get(value, &key.into()).map_err(|_| bad());
    let size = |value: JsValue| value.as_f64().filter(|size| *size >= 1.0).map(|size| size as u32).ok_or_else(bad);
    let (width, height) = (size(get("width")?)?, size(get("height")?)?);
    let pixels = Uint8Array::new(&get("data")?).to_vec();
    if pixels.len() as u64 != u64::from(width) * u64::from(height) * 4 {
        return Err(bad());
    }
    Ok(Rgba { width, height, pixels })
}
