//! Fine-tuning as JavaScript pulls it.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Array;
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use super::{Current, Engine, pixels};
use crate::training::{self, Depth, Samples, TuneOptions};
use crate::web::error::WebError;

/// A depth by its name in the package.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DepthName {
    Quick,
    Deeper,
    Full,
}

/// The options of the package's `TunerOptions`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Options {
    depth: DepthName,
    steps: usize,
    batch_people: usize,
    batch_images: usize,
    learning_rate: Option<f64>,
    seed: u32,
}

impl From<Options> for TuneOptions {
    fn from(options: Options) -> Self {
        Self {
            depth: match options.depth {
                DepthName::Quick => Depth::Quick,
                DepthName::Deeper => Depth::Deeper,
                DepthName::Full => Depth::Full,
            },
            steps: options.steps,
            people: options.batch_people,
            images: options.batch_images,
            learning_rate: options.learning_rate,
            seed: u64::from(options.seed),
        }
    }
}

#[wasm_bindgen]
impl Engine {
    /// Makes ready to learn from labelled images, fitted as `extract` takes them: the person's number of each, from 0
    /// without gaps, and the camera's, −1 where it is unknown. The engine stays as it is until the tuner is applied.
    ///
    /// # Errors
    /// `{ code, message }`: "too-few-samples" with fewer than two people with two images each; options out of range; a
    /// device that fails.
    #[wasm_bindgen(js_name = fineTune)]
    pub async fn fine_tune(
        &self,
        images: Array,
        people: Vec<u32>,
        cameras: Vec<i32>,
        options: JsValue,
    ) -> Result<Tuner, JsValue> {
        let bad = |error| WebError { code: "bad-input", message: format!("the options of a fine-tune: {error}") };
        let options: Options = serde_wasm_bindgen::from_value(options).map_err(bad)?;
        let model = self.current.model();
        let samples = Samples {
            images: images.iter().map(|image| pixels(&image)).collect::<Result<_, _>>()?,
            people: people.into_iter().map(|person| person as usize).collect(),
            cameras: cameras.into_iter().map(|camera| usize::try_from(camera).ok()).collect(),
        };
        let tuner = training::Tuner::new(&model.extractor, samples, &options.into()).await;
        Ok(Tuner::new(tuner.map_err(|error| WebError::from(&error))?, self.current.clone()))
    }
}

/// What a step tells.
#[derive(Serialize)]
struct Report {
    /// From 1.
    step: usize,
    steps: usize,
    loss: f32,
    accuracy: f32,
    images: usize,
}

/// A fine-tune under way. `free()` ends it; the engine it came from stays as it is until [`Tuner::apply`].
#[wasm_bindgen]
pub struct Tuner {
    // Taken out while a step runs: nothing may stay borrowed across an await.
    tuner: RefCell<Option<training::Tuner>>,
    current: Rc<Current>,
}

impl Tuner {
    pub(super) fn new(tuner: training::Tuner, current: Rc<Current>) -> Self {
        Self { tuner: RefCell::new(Some(tuner)), current }
    }

    fn take(&self) -> Result<training::Tuner, WebError> {
        let busy = || WebError { code: "bad-input", message: "this fine-tune is in the middle of a step".to_owned() };
        self.tuner.take().ok_or_else(busy)
    }
}

#[wasm_bindgen]
impl Tuner {
    /// One step: `{ step, steps, loss, accuracy, images }`, or undefined when all are done.
    ///
    /// # Errors
    /// `{ code, message }` when the device fails or the loss is no number; the model itself is as it was.
    pub async fn step(&self) -> Result<JsValue, JsValue> {
        let mut tuner = self.take()?;
        let step = tuner.next_step().await;
        self.tuner.replace(Some(tuner));
        let Some(step) = step.map_err(|error| WebError::from(&error))? else { return Ok(JsValue::UNDEFINED) };
        let report = Report {
            step: step.step + 1,
            steps: step.steps,
            loss: step.loss,
            accuracy: step.accuracy,
            images: step.images,
        };
        Ok(serde_wasm_bindgen::to_value(&report)?)
    }

    /// Puts the tuned model into the engine, which keeps the one before for `undo`.
    ///
    /// # Errors
    /// `{ code, message }` when the device fails; the engine is as it was then.
    pub async fn apply(&self) -> Result<(), JsValue> {
        let tuner = self.take()?;
        let tuned = tuner.model().await;
        self.tuner.replace(Some(tuner));
        let (config, tensors) = tuned.map_err(|error| WebError::from(&error))?;
        Ok(self.current.tune(config, tensors).await?)
    }
}
