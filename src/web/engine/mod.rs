//! A model in JavaScript's hands: an opaque handle with typed, asynchronous calls.

mod fit;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use js_sys::{Array, Float32Array, Uint8Array};
use serde::Serialize;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

use crate::extract::{Extractor, normalise};
use crate::graph::frozen::Counters;
use crate::kernels::frozen::preprocess::Filter;
use crate::model::ReIdentifierConfig;
use crate::web::device::DeviceRequest;
use crate::web::error::WebError;
use crate::web::pixels::pictures;
use crate::weights::{self, InputOptions, Precision, Recognised};
pub use fit::{FittedImage, PictureFitter, fit, picture_size};

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
#[wasm_bindgen(unchecked_return_type = "Uint8Array<ArrayBuffer>")]
pub fn untrained(preset: &str) -> Result<Vec<u8>, WebError> {
    weights::untrained(preset, 1).map_err(|error| WebError::from(&error))
}

/// A model on a device. It lives in the worker that made it; `free()` gives its memory back.
#[wasm_bindgen]
pub struct Engine {
    current: Rc<Current>,
}

/// What was recognised in a model's file, and what computes.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct EngineDescription {
    /// "OSNet x0.25"
    architecture: String,
    /// The project whose naming the checkpoint follows: "torchreid", "fast-reid", …
    dialect: String,
    /// One line for people: what was recognised.
    summary: String,
    /// Tensors that the network has and the file lacks.
    missing: Vec<String>,
    /// Tensors in the file that the network has no use for.
    unexpected: Vec<String>,
    /// What the file does not say and was taken for granted (colour order, range, size), a sentence each.
    assumed: Vec<String>,
    /// Length of a feature.
    feature_dim: usize,
    /// What images are resized to, in pixels.
    input_height: usize,
    input_width: usize,
    /// How they are resized.
    filter: Filter,
    #[tsify(type = "\"gpu\" | \"cpu\"")]
    device: &'static str,
    /// The graphics adapter's name, or "CPU".
    adapter: String,
    /// The GPU is emulated by the CPU: right results, slowly.
    software: bool,
    /// One sentence for people: which device is at work, and why.
    device_reason: String,
    /// What was wrong with the GPU that was to be taken, where it was there and the CPU computes in its place.
    #[tsify(optional, type = "string | undefined")]
    fallback: Option<String>,
    /// Of what the network computes on the way: "f16" only on GPUs that have it, after it proved close enough.
    #[tsify(type = "\"f16\" | \"f32\"")]
    precision: &'static str,
    /// How many numbers were learnt.
    parameters: usize,
    /// Tells this model from others: a hash of all that its features depend on. The same in every file, on every device.
    fingerprint: String,
}

/// L2-normalised features of a batch, in order, and the model that they are of.
#[derive(Serialize, Tsify)]
pub struct Extraction {
    #[serde(with = "serde_wasm_bindgen::preserve")]
    #[tsify(type = "Float32Array<ArrayBuffer>[]")]
    features: Array,
    fingerprint: String,
}

/// What the GPU has done for a model so far, and holds for it.
#[derive(Serialize, Tsify)]
pub struct GpuCounters {
    /// Kernels that were started.
    dispatches: u64,
    /// Command buffers that were handed over.
    submits: u64,
    /// As many as were compiled.
    pipelines: usize,
    /// Of GPU memory held: weights, activations, parameters, readback.
    bytes: u64,
}

impl From<Counters> for GpuCounters {
    fn from(Counters { dispatches, submits, pipelines, bytes }: Counters) -> Self {
        Self { dispatches, submits, pipelines, bytes }
    }
}

#[wasm_bindgen]
impl Engine {
    /// Reads a checkpoint of any dialect, or an ONNX file, and puts the model on the worker's device.
    /// Of an OpenVINO model, `weights` is the `.xml` and `bin` the file with its numbers. `input`, of which everything may be
    /// left out, is what the user says of the model's images: `{ order, range, height, width }`.
    ///
    /// # Errors
    /// `{ code, message }` for a file that is no checkpoint, an unknown architecture, an input that the model cannot have, or a
    /// device that cannot be had.
    pub async fn create(
        weights: Vec<u8>,
        file_name: String,
        device: Ts<DeviceRequest>,
        bin: Option<Vec<u8>>,
        #[wasm_bindgen(unchecked_optional_param_type = "InputOptions")] input: JsValue,
    ) -> Result<Engine, WebError> {
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
        let device = device.to_rust()?.open().await?;
        let extractor = Extractor::take_on(&mut recognised, &device).await.map_err(|error| WebError::from(&error))?;
        let model = RefCell::new(Rc::new(Model { extractor, recognised }));
        Ok(Engine { current: Rc::new(Current { model, before: RefCell::new(None) }) })
    }

    /// What was recognised and what computes.
    pub fn describe(&self) -> Result<Ts<EngineDescription>, WebError> {
        let Model { extractor, recognised } = &*self.current.model();
        let config = extractor.config();
        let device = extractor.device();
        let graph = config.graph().map_err(|error| WebError { code: "internal", message: error.to_string() })?;
        let sizes = graph.parameters().into_iter().map(|parameter| parameter.shape.iter().product::<usize>());
        let description = EngineDescription {
            architecture: recognised.architecture.clone(),
            dialect: recognised.dialect.to_string(),
            summary: recognised.summary.clone(),
            missing: recognised.missing.clone(),
            unexpected: recognised.unexpected.clone(),
            assumed: recognised.assumed.clone(),
            feature_dim: config.features_dim(),
            input_height: config.input.height,
            input_width: config.input.width,
            filter: config.input.filter,
            device: if device.is_gpu() { "gpu" } else { "cpu" },
            adapter: device.name().to_owned(),
            software: device.is_software(),
            device_reason: device.decision().reason(),
            fallback: device.fallback().filter(|fault| fault.is_failure()).map(ToString::to_string),
            precision: if extractor.is_half() { "f16" } else { "f32" },
            parameters: sizes.sum(),
            fingerprint: extractor.fingerprint().to_string(),
        };
        Ok(description.into_ts()?)
    }

    /// Features of a batch, of the model that is at work when the call begins. Images best come at the network's size, as `fit`
    /// leaves them.
    ///
    /// # Errors
    /// `{ code, message }` when the device fails, or the model gives no numbers.
    pub async fn extract(
        &self,
        #[wasm_bindgen(unchecked_param_type = "readonly Pixels[]")] images: Array,
    ) -> Result<Ts<Extraction>, WebError> {
        let pictures = pictures(&images)?;
        let model = self.current.model();
        let mut features = model.extractor.extract(&pictures).await.map_err(|error| WebError::from(&error))?;
        features.iter_mut().for_each(|feature| normalise(feature));
        let features = features.iter().map(|feature| Float32Array::from(feature.as_slice())).collect();
        Ok(Extraction { features, fingerprint: model.extractor.fingerprint().to_string() }.into_ts()?)
    }

    /// The model as a safetensors file that loads back by itself.
    ///
    /// # Errors
    /// `{ code, message }` when the device fails.
    #[wasm_bindgen(js_name = exportWeights, unchecked_return_type = "Uint8Array<ArrayBuffer>")]
    pub fn export_weights(&self) -> Result<Uint8Array, WebError> {
        let model = self.current.model();
        let Recognised { config, provenance, .. } = &model.recognised;
        let bytes = weights::to_safetensors(config, model.extractor.tensors(), provenance, Precision::F32);
        Ok(Uint8Array::from(bytes.map_err(|error| WebError::from(&error))?.as_slice()))
    }

    /// Since the engine was made; undefined on the CPU.
    #[wasm_bindgen(js_name = gpuCounters)]
    pub fn gpu_counters(&self) -> Result<Option<Ts<GpuCounters>>, WebError> {
        let counters = self.current.model().extractor.counters().map(GpuCounters::from);
        Ok(counters.as_ref().map(Tsify::into_ts).transpose()?)
    }

    /// Puts a fine-tuned form of this model into the engine, which keeps the one before for `undo`.
    ///
    /// # Errors
    /// `{ code, message }` for weights that are no model, or a device that fails; the engine is as it was then.
    pub async fn replace(&self, weights: Vec<u8>) -> Result<(), WebError> {
        let tuned = weights::read(&weights).map_err(|error| WebError::from(&error))?;
        self.current.tune(tuned.config, tuned.tensors).await
    }

    /// Back to the model before the last applied fine-tune; false when there is none.
    pub fn undo(&self) -> bool {
        self.current.undo()
    }

    /// The model as an ONNX file for other runtimes.
    ///
    /// # Errors
    /// `{ code, message }` for a model that cannot be written so.
    #[wasm_bindgen(js_name = exportOnnx, unchecked_return_type = "Uint8Array<ArrayBuffer>")]
    pub fn export_onnx(&self) -> Result<Uint8Array, WebError> {
        let model = self.current.model();
        let bytes = weights::to_onnx(&model.recognised.config, model.extractor.tensors());
        Ok(Uint8Array::from(bytes.map_err(|error| WebError::from(&error))?.as_slice()))
    }
}
