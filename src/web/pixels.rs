//! Pictures as JavaScript hands them over, and as it gets them.

use js_sys::{Array, Uint8Array, Uint8ClampedArray};
use serde::{Deserialize, Serialize};
use tsify::Tsify;
use wasm_bindgen::prelude::*;

use crate::image::Rgba;
use crate::web::error::WebError;

/// A decoded picture; an `ImageData` is one.
#[derive(Serialize, Deserialize, Tsify)]
pub struct Pixels {
    /// RGBA, 8 bits each, row by row.
    #[serde(with = "serde_wasm_bindgen::preserve")]
    #[tsify(type = "Uint8Array | Uint8ClampedArray")]
    pub data: JsValue,
    pub width: u32,
    pub height: u32,
}

impl From<Rgba> for Pixels {
    fn from(Rgba { width, height, pixels }: Rgba) -> Self {
        Self { data: Uint8Array::from(pixels.as_slice()).into(), width, height }
    }
}

impl TryFrom<Pixels> for Rgba {
    type Error = WebError;

    fn try_from(Pixels { data, width, height }: Pixels) -> Result<Self, WebError> {
        // A view of the same bytes: `Uint8Array::new` would copy those of an `ImageData` first.
        let pixels = match data.dyn_ref::<Uint8ClampedArray>() {
            Some(data) => data.to_vec(),
            None => Uint8Array::new(&data).to_vec(),
        };
        if pixels.is_empty() || pixels.len() as u64 != u64::from(width) * u64::from(height) * 4 {
            return Err(bad());
        }
        Ok(Self { width, height, pixels })
    }
}

/// The pictures of an array of [`Pixels`].
pub fn pictures(images: &Array) -> Result<Vec<Rgba>, WebError> {
    let pixels = |image| serde_wasm_bindgen::from_value::<Pixels>(image).map_err(|_| bad())?.try_into();
    images.iter().map(pixels).collect()
}

fn bad() -> WebError {
    WebError { code: "bad-image", message: "these are no RGBA pixels".to_owned() }
}
