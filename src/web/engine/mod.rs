//! A model in JavaScript's hands: an opaque handle with typed, asynchronous calls.

mod choose;
mod detector;
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
use crate::step::Fit;
use crate::web::about::About;
use crate::web::device::DeviceRequest;
use crate::web::error::WebError;
use crate::web::pixels::pictures;
use crate::weights::{self, Precision};
pub use choose::{ChosenDevice, choose_device};
pub use detector::{Detection, Detector, DetectorDescription, Photo};
pub use fit::{FittedImage, PictureFitter, fit, picture_size};

/// A model on a device.
struct Model {
    extractor: Extractor,
    about: About,
    /// Where the weights come from: what their file says.
    provenance: BTreeMap<String, String>,
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
        let mut provenance = before.provenance.clone();
        provenance.insert("fine-tuned".into(), "on labelled photos".into());
        let tuned = Model { extractor, about: before.about.tuned(), provenance };
        self.before.replace(Some(self.model.replace(Rc::new(tuned))));
        Ok(())
    }

    fn undo(&self) -> bool {
        let before = self.before.take();
        before.map(|before| self.model.replace(before)).is_some()
    }
}

/// A model on a device. It lives in the worker that made it; `free()` gives its memory back.
#[wasm_bindgen]
pub struct Engine {
    current: Rc<Current>,
}

/// What was recognised in a model's file, and what computes.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(hashmap_as_object)]
pub struct EngineDescription {
    #[serde(flatten)]
    about: About,
    /// Length of a feature.
    feature_dim: usize,
    /// What images are resized to, in pixels.
    input_height: usize,
    input_width: usize,
    /// How they are resized, and what becomes of their proportions.
    filter: Filter,
    #[tsify(type = "Fit")]
    fit: Fit,
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
    /// Reads a file of ours and puts the model on the worker's device. A file that was converted comes with what was said of it
    /// then.
    ///
    /// # Errors
    /// `{ code, message }` for a file that is not ours, or a device that cannot be had.
    pub async fn create(
        weights: Vec<u8>,
        file_name: String,
        device: Ts<DeviceRequest>,
        about: Option<Ts<About>>,
    ) -> Result<Engine, WebError> {
        let recognised = weights::read_ours(&weights);
        drop(weights);
        let mut recognised = recognised.map_err(|error| WebError::from(&error).in_file(&file_name))?;
        let device = device.to_rust()?.open().await?;
        let extractor = Extractor::take_on(&mut recognised, &device).await.map_err(|error| WebError::from(&error))?;
        let about = about.map_or_else(|| Ok(About::new(&recognised)), |about| about.to_rust())?;
        let model = RefCell::new(Rc::new(Model { extractor, about, provenance: recognised.provenance }));
        Ok(Engine { current: Rc::new(Current { model, before: RefCell::new(None) }) })
    }

    /// What was recognised and what computes.
    pub fn describe(&self) -> Result<Ts<EngineDescription>, WebError> {
        let Model { extractor, about, .. } = &*self.current.model();
        let config = extractor.config();
        let device = extractor.device();
        let graph = config.graph().map_err(|error| WebError { code: "internal", message: error.to_string() })?;
        let sizes = graph.parameters().into_iter().map(|parameter| parameter.shape.iter().product::<usize>());
        let description = EngineDescription {
            about: about.clone(),
            feature_dim: config.features_dim(),
            input_height: config.input.height,
            input_width: config.input.width,
            filter: config.input.filter,
            fit: config.input.fit,
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
        let Model { extractor, provenance, .. } = &*model;
        let bytes = weights::to_safetensors(extractor.config(), extractor.tensors(), provenance, Precision::F32);
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
        let tuned = weights::read_ours(&weights).map_err(|error| WebError::from(&error))?;
        self.current.tune(tuned.config, tuned.tensors).await
    }

    /// Back to the model before the last applied fine-tune; false when there is none.
    pub fn undo(&self) -> bool {
        self.current.undo()
    }
}
