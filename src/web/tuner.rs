//! Fine-tuning as JavaScript pulls it. The module that learns does nothing else: it is loaded into a worker of its own, beside the
//! one that looks at images, and goes with it.

use std::cell::RefCell;
use std::collections::BTreeMap;

use js_sys::{Array, Uint8Array};
use serde::{Deserialize, Serialize};
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

use super::device::DeviceRequest;
use super::error::WebError;
use super::pixels::pictures;
use crate::extract::Extractor;
use crate::training::{self, Depth, Samples, TuneOptions};
use crate::weights::{self, Precision};

/// What moves: the last layers | those and the last stage of the backbone | everything.
#[derive(Clone, Copy, Debug, Deserialize, Tsify)]
#[serde(rename_all = "lowercase")]
pub enum FineTuneDepth {
    Quick,
    Deeper,
    Full,
}

/// How to learn.
#[derive(Debug, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct TunerOptions {
    pub depth: FineTuneDepth,
    pub steps: usize,
    /// A step's batch: that many people with that many images of each.
    pub batch_people: usize,
    pub batch_images: usize,
    /// Undefined: what suits the depth.
    #[tsify(optional, type = "number | undefined")]
    pub learning_rate: Option<f64>,
    pub seed: u32,
}

impl From<TunerOptions> for TuneOptions {
    fn from(options: TunerOptions) -> Self {
        Self {
            depth: match options.depth {
                FineTuneDepth::Quick => Depth::Quick,
                FineTuneDepth::Deeper => Depth::Deeper,
                FineTuneDepth::Full => Depth::Full,
            },
            steps: options.steps,
            people: options.batch_people,
            images: options.batch_images,
            learning_rate: options.learning_rate,
            seed: u64::from(options.seed),
        }
    }
}

/// What a step tells.
#[derive(Serialize, Tsify)]
pub struct TunerStep {
    /// From 1.
    pub step: usize,
    /// In all.
    pub steps: usize,
    /// Of the step's batch, before the step.
    pub loss: f32,
    /// Share of the batch's images, 0…1, whose person was told right among those trained on.
    pub accuracy: f32,
    /// In the batch.
    pub images: usize,
}

impl From<training::Step> for TunerStep {
    fn from(training::Step { step, steps, loss, accuracy, images, .. }: training::Step) -> Self {
        Self { step: step + 1, steps, loss, accuracy, images }
    }
}

/// A fine-tune under way.
#[wasm_bindgen]
pub struct Tuner {
    // Taken out while a step runs: nothing may stay borrowed across an await.
    tuner: RefCell<Option<training::Tuner>>,
    provenance: BTreeMap<String, String>,
}

#[wasm_bindgen]
impl Tuner {
    /// Makes ready to learn from labelled images at the network's size. `weights` is the model, as `Engine.exportWeights` gives
    /// it; `people` is the person's number of each image, from 0 without gaps, and `cameras` the camera's, −1 where it is
    /// unknown.
    ///
    /// # Errors
    /// `{ code, message }`: "too-few-samples" with fewer than two people with two images each; options out of range; a device
    /// that cannot be had or fails.
    pub async fn create(
        weights: Vec<u8>,
        device: Ts<DeviceRequest>,
        #[wasm_bindgen(unchecked_param_type = "readonly Pixels[]")] images: Array,
        people: Vec<u32>,
        cameras: Vec<i32>,
        options: Ts<TunerOptions>,
    ) -> Result<Tuner, WebError> {
        let mut model = weights::read_ours(&weights).map_err(|error| WebError::from(&error))?;
        drop(weights);
        let samples = Samples {
            images: pictures(&images)?,
            people: people.into_iter().map(|person| person as usize).collect(),
            cameras: cameras.into_iter().map(|camera| usize::try_from(camera).ok()).collect(),
        };
        let device = device.to_rust()?.open().await?;
        let extractor = Extractor::take_on(&mut model, &device).await.map_err(|error| WebError::from(&error))?;
        let tuner = training::Tuner::new(&extractor, samples, &options.to_rust()?.into()).await;
        let tuner = RefCell::new(Some(tuner.map_err(|error| WebError::from(&error))?));
        Ok(Self { tuner, provenance: model.provenance })
    }

    /// One step; undefined when all are done.
    ///
    /// # Errors
    /// `{ code, message }` when the device fails or the loss is no number.
    pub async fn step(&self) -> Result<Option<Ts<TunerStep>>, WebError> {
        let mut tuner = self.take()?;
        let step = tuner.next_step().await;
        self.tuner.replace(Some(tuner));
        let step = step.map_err(|error| WebError::from(&error))?.map(TunerStep::from);
        Ok(step.as_ref().map(Tsify::into_ts).transpose()?)
    }

    /// The model as it is now, as a safetensors file.
    ///
    /// # Errors
    /// `{ code, message }` when the device fails.
    #[wasm_bindgen(js_name = exportWeights, unchecked_return_type = "Uint8Array<ArrayBuffer>")]
    pub async fn export_weights(&self) -> Result<Uint8Array, WebError> {
        let tuner = self.take()?;
        let tuned = tuner.model().await;
        self.tuner.replace(Some(tuner));
        let (config, tensors) = tuned.map_err(|error| WebError::from(&error))?;
        let bytes = weights::to_safetensors(&config, &tensors, &self.provenance, Precision::F32);
        Ok(Uint8Array::from(bytes.map_err(|error| WebError::from(&error))?.as_slice()))
    }
}

impl Tuner {
    fn take(&self) -> Result<training::Tuner, WebError> {
        let busy = || WebError { code: "bad-input", message: "this fine-tune is in the middle of a step".to_owned() };
        self.tuner.take().ok_or_else(busy)
    }
}
