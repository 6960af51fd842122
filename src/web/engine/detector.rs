//! People in photos, in JavaScript's hands: a detector, which shares its worker's device, and decoded photos to look at.

use serde::{Deserialize, Serialize};
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

use crate::detect::{self, DetectOptions, Person, PersonBox};
use crate::image::{self, Picture, Rgba, Rows};
use crate::web::device::DeviceRequest;
use crate::web::error::WebError;
use crate::web::pixels::Pixels;
use crate::weights;

/// What to look for, and how closely.
#[derive(Debug, Default, Deserialize, Tsify)]
#[serde(rename_all = "camelCase", default)]
pub struct Detection {
    /// The least score of somebody who is told, 0…1.
    #[tsify(optional, type = "number | undefined")]
    min_score: Option<f32>,
    /// The least height of somebody who is told, in pixels of the photo.
    #[tsify(optional, type = "number | undefined")]
    min_height: Option<f32>,
    /// "auto", "off", or the side of a tile in pixels.
    #[tsify(optional, type = "string | undefined")]
    tiles: Option<String>,
}

/// What finds people, and where it runs.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct DetectorDescription {
    /// "NanoDet-g"
    name: String,
    /// One line for people: what was recognised.
    summary: String,
    /// What photos, or their tiles, are brought to, in pixels.
    input_height: usize,
    input_width: usize,
    #[tsify(type = "\"gpu\" | \"cpu\"")]
    device: &'static str,
    /// The graphics adapter's name, or "CPU".
    adapter: String,
    /// The GPU is emulated by the CPU: right results, slowly.
    software: bool,
    /// One sentence for people: which device is at work, and why.
    device_reason: String,
}

/// A photo to look at; `free()` gives its memory back.
#[wasm_bindgen]
pub struct Photo(Kind);

enum Kind {
    Decoded(Picture),
    Pixels(Rgba),
}

impl Rows for Photo {
    fn width(&self) -> u32 {
        match &self.0 {
            Kind::Decoded(picture) => picture.width(),
            Kind::Pixels(pixels) => pixels.width,
        }
    }

    fn height(&self) -> u32 {
        match &self.0 {
            Kind::Decoded(picture) => picture.height(),
            Kind::Pixels(pixels) => pixels.height,
        }
    }

    fn for_each_row(&self, take: impl FnMut(&[u8])) {
        match &self.0 {
            Kind::Decoded(picture) => picture.for_each_row(take),
            Kind::Pixels(pixels) => pixels.for_each_row(take),
        }
    }
}

#[wasm_bindgen]
impl Photo {
    /// Of a file (PNG, JPEG, WebP, BMP), upright.
    ///
    /// # Errors
    /// `{ code, message }` for a file that is no picture, or one that is too large.
    pub fn decode(file: &[u8]) -> Result<Photo, WebError> {
        let picture = image::decode_picture(file).map_err(|error| WebError::from(&error))?;
        Ok(Self(Kind::Decoded(picture)))
    }

    /// Of what somebody else has decoded.
    ///
    /// # Errors
    /// `{ code, message }` when these are no pixels.
    #[wasm_bindgen(js_name = ofPixels)]
    pub fn of_pixels(pixels: Ts<Pixels>) -> Result<Photo, WebError> {
        Ok(Self(Kind::Pixels(pixels.to_rust()?.try_into()?)))
    }

    /// People cut out, each with a little margin.
    ///
    /// # Errors
    /// `{ code, message }` when these are no boxes.
    pub fn crop(&self, boxes: Vec<Ts<PersonBox>>) -> Result<Vec<Ts<Pixels>>, WebError> {
        let boxes = boxes.iter().map(Ts::to_rust).collect::<Result<Vec<_>, _>>()?;
        let crops = detect::crop(self, &boxes).into_iter();
        Ok(crops.map(|crop| Pixels::from(crop).into_ts()).collect::<Result<_, _>>()?)
    }
}

/// A detector on a device. It lives in the worker that made it; `free()` gives its memory back.
#[wasm_bindgen]
pub struct Detector {
    detector: detect::Detector,
    summary: String,
}

#[wasm_bindgen]
impl Detector {
    /// Reads a file of ours and puts the detector on the worker's device, beside whatever is there.
    ///
    /// # Errors
    /// `{ code, message }` for a file that is not ours, or a device that cannot be had.
    pub async fn create(weights: Vec<u8>, file_name: String, device: Ts<DeviceRequest>) -> Result<Detector, WebError> {
        let recognised = weights::read_our_detector(&weights);
        drop(weights);
        let mut recognised = recognised.map_err(|error| WebError::from(&error).in_file(&file_name))?;
        let device = device.to_rust()?.open().await?;
        let detector = detect::Detector::take_on(&mut recognised, &device).await;
        let detector = detector.map_err(|error| WebError::from(&error))?;
        Ok(Self { detector, summary: recognised.summary })
    }

    pub fn describe(&self) -> Result<Ts<DetectorDescription>, WebError> {
        let (config, device) = (self.detector.config(), self.detector.device());
        let description = DetectorDescription {
            name: config.name.clone(),
            summary: self.summary.clone(),
            input_height: config.input.height,
            input_width: config.input.width,
            device: if device.is_gpu() { "gpu" } else { "cpu" },
            adapter: device.name().to_owned(),
            software: device.is_software(),
            device_reason: device.decision().reason(),
        };
        Ok(description.into_ts()?)
    }

    /// The people in a photo, best first; boxes are in its pixels.
    ///
    /// # Errors
    /// `{ code, message }` for options that are none, and when the device fails.
    pub async fn detect(&self, photo: &Photo, options: Ts<Detection>) -> Result<Vec<Ts<Person>>, WebError> {
        let Detection { min_score, min_height, tiles } = options.to_rust()?;
        let usual = DetectOptions::default();
        let unknown = |error: detect::UnknownTiles| WebError { code: "bad-input", message: error.to_string() };
        let tiles = tiles.map(|tiles| tiles.parse().map_err(unknown)).transpose()?.unwrap_or(usual.tiles);
        let options = DetectOptions { min_score, min_height: min_height.unwrap_or(usual.min_height), tiles };
        let people = self.detector.detect(photo, options).await;
        let people = people.map_err(|error| WebError::from(&error))?;
        Ok(people.iter().map(Tsify::into_ts).collect::<Result<_, _>>()?)
    }
}
