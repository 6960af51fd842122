//! Errors as JavaScript sees them: plain objects `{ code, message }`.

use serde::Serialize;
use wasm_bindgen::JsValue;

#[cfg(all(feature = "engine", not(feature = "train")))]
use crate::detect::DetectError;
use crate::extract::{DeviceError, DeviceFault, ExtractError};
#[cfg(feature = "webgpu")]
use crate::graph::frozen::GpuError;
use crate::image::ImageError;
use crate::ranking::RankingError;
#[cfg(feature = "train")]
use crate::training::{TrainError, TuneError};
use crate::weights::WeightsError;

/// What went wrong, by a code that programs can test and a sentence for people.
#[derive(Clone, Debug, Serialize)]
pub struct WebError {
    pub code: &'static str,
    pub message: String,
}

impl WebError {
    /// The same, of a file.
    #[cfg(any(feature = "engine", feature = "formats"))]
    pub fn in_file(self, name: &str) -> Self {
        Self { message: format!("{name}: {}", self.message), ..self }
    }
}

impl From<WebError> for JsValue {
    fn from(error: WebError) -> Self {
        serde_wasm_bindgen::to_value(&error).unwrap_or_else(|_| Self::from_str(&error.message))
    }
}

/// What JavaScript handed over is not what was asked for.
impl From<tsify::Error> for WebError {
    fn from(error: tsify::Error) -> Self {
        Self { code: "bad-input", message: error.to_string() }
    }
}

impl From<&WeightsError> for WebError {
    fn from(error: &WeightsError) -> Self {
        let code = if let WeightsError::Input(_) = error { "bad-input" } else { "bad-weights" };
        Self { code, message: error.to_string() }
    }
}

impl From<&ImageError> for WebError {
    fn from(error: &ImageError) -> Self {
        Self { code: error.code(), message: error.to_string() }
    }
}

impl From<&DeviceError> for WebError {
    fn from(error: &DeviceError) -> Self {
        let why = match error.fault() {
            DeviceFault::Missing(sentence) => sentence.clone(),
            fault => format!("{fault}."),
        };
        let message = format!("No GPU to compute on: {why} Choose the device \"auto\" or \"cpu\" instead.");
        Self { code: "no-device", message }
    }
}

impl From<&ExtractError> for WebError {
    fn from(error: &ExtractError) -> Self {
        let code = match error {
            ExtractError::Device(error) => return error.into(),
            ExtractError::Config(_) | ExtractError::Freeze(_) | ExtractError::NotANumber(_) => "bad-weights",
            #[cfg(feature = "webgpu")]
            ExtractError::Gpu(error) => gpu_code(error),
            ExtractError::Image(_) => "bad-image",
        };
        Self { code, message: error.to_string() }
    }
}

#[cfg(all(feature = "engine", not(feature = "train")))]
impl From<&DetectError> for WebError {
    fn from(error: &DetectError) -> Self {
        let code = match error {
            DetectError::Device(error) => return error.into(),
            DetectError::Config(_) | DetectError::Freeze(_) | DetectError::NotANumber => "bad-weights",
            #[cfg(feature = "webgpu")]
            DetectError::Gpu(error) => gpu_code(error),
            DetectError::Image(_) => "bad-image",
            DetectError::Tiles(_) => "bad-input",
        };
        Self { code, message: error.to_string() }
    }
}

#[cfg(feature = "webgpu")]
fn gpu_code(error: &GpuError) -> &'static str {
    match error {
        GpuError::NoAdapter | GpuError::NoDevice(_) => "no-device",
        GpuError::Lost(_) | GpuError::Silent(_) => "device-lost",
        GpuError::OutOfMemory | GpuError::TooLarge { .. } => "out-of-memory",
        GpuError::Images { .. } | GpuError::Refused(_) => "internal",
    }
}

impl From<&RankingError> for WebError {
    fn from(error: &RankingError) -> Self {
        let code = match error {
            RankingError::Cancelled => "aborted",
            RankingError::Memory { .. } => "out-of-memory",
            _ => "bad-input",
        };
        let message = match error {
            RankingError::NoMatch => {
                "Nobody of the queries is on another photo of the gallery, where photos of one person \
                by one camera do not count."
                    .to_owned()
            }
            error => error.to_string(),
        };
        Self { code, message }
    }
}

#[cfg(feature = "train")]
impl From<&TrainError> for WebError {
    fn from(error: &TrainError) -> Self {
        let code = match error {
            TrainError::Execution(_) if error.is_out_of_memory() => "out-of-memory",
            TrainError::Execution(_) => "device-lost",
            TrainError::Config(_) | TrainError::Shape(_) | TrainError::Network(_) => "bad-weights",
            TrainError::Diverged(_) => "bad-input",
            _ => "internal",
        };
        Self { code, message: error.to_string() }
    }
}

#[cfg(feature = "train")]
impl From<&TuneError> for WebError {
    fn from(error: &TuneError) -> Self {
        let code = match error {
            TuneError::Extract(error) => return error.into(),
            TuneError::Train(error) => return error.into(),
            TuneError::Device(error) => return error.into(),
            TuneError::TooFewSamples { .. } => "too-few-samples",
            TuneError::Image { .. } => "bad-image",
            TuneError::Length { .. } | TuneError::Options | TuneError::Sampler(_) => "bad-input",
            TuneError::Augment(_) => "internal",
        };
        Self { code, message: error.to_string() }
    }
}
