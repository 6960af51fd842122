//! Pictures at a network's size, one at a time: neither the network nor another picture has to be in memory with them.

use js_sys::Uint8Array;
use serde::Serialize;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

use crate::image::{self, Fitted, Fitter, Rows};
use crate::kernels::frozen::preprocess::{Frame, ImageSizeError};
use crate::web::error::WebError;

/// A picture at the network's size.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct FittedImage {
    /// RGBA, 8 bits each, row by row.
    #[serde(with = "serde_wasm_bindgen::preserve")]
    #[tsify(type = "Uint8Array<ArrayBuffer>")]
    data: Uint8Array,
    width: u32,
    height: u32,
    /// Of the picture before, 0…1.
    quality: f32,
    /// The picture before looked like a scene.
    is_scene: bool,
}

impl From<Fitted> for FittedImage {
    fn from(Fitted { image, quality, is_scene }: Fitted) -> Self {
        let data = Uint8Array::from(image.pixels.as_slice());
        Self { data, width: image.width, height: image.height, quality, is_scene }
    }
}

/// Width and height of a picture by the first bytes of its file: also of GIF, AVIF and HEIC, which only a browser decodes.
/// Undefined when they do not say.
#[wasm_bindgen(js_name = pictureSize)]
pub fn picture_size(head: &[u8]) -> Option<Vec<u32>> {
    let size = imagesize::blob_size(head).ok()?;
    [size.width, size.height].into_iter().map(|side| u32::try_from(side).ok()).collect()
}

/// An encoded picture (PNG, JPEG, WebP, BMP) in a network's frame.
///
/// # Errors
/// `{ code, message }` for a file that is no picture, or one that is too large.
#[wasm_bindgen]
pub fn fit(file: &[u8], frame: Ts<Frame>) -> Result<Ts<FittedImage>, WebError> {
    let picture = image::decode_picture(file).map_err(|error| WebError::from(&error))?;
    let mut fitter = Fitter::new([picture.width(), picture.height()], &frame.to_rust()?).map_err(bad)?;
    picture.for_each_row(|row| fitter.push(row));
    Ok(FittedImage::from(fitter.finish().map_err(bad)?).into_ts()?)
}

/// [`fit`] for pixels that somebody else has decoded, in as many strips as suits them.
#[wasm_bindgen]
pub struct PictureFitter {
    fitter: Fitter,
    /// Bytes of a row.
    row: usize,
}

#[wasm_bindgen]
impl PictureFitter {
    /// For a picture of `width` × `height` pixels, to be brought to a frame.
    ///
    /// # Errors
    /// `{ code, message }` when it has no pixels.
    #[wasm_bindgen(constructor)]
    pub fn new(width: u32, height: u32, frame: Ts<Frame>) -> Result<PictureFitter, WebError> {
        let fitter = Fitter::new([width, height], &frame.to_rust()?).map_err(bad)?;
        Ok(Self { fitter, row: 4 * width as usize })
    }

    /// The next rows from the top, RGBA.
    pub fn push(&mut self, #[wasm_bindgen(unchecked_param_type = "Uint8Array | Uint8ClampedArray")] rows: &[u8]) {
        rows.chunks_exact(self.row).for_each(|row| self.fitter.push(row));
    }

    /// The picture; the fitter is gone then.
    ///
    /// # Errors
    /// `{ code, message }` when rows are missing.
    pub fn finish(self) -> Result<Ts<FittedImage>, WebError> {
        Ok(FittedImage::from(self.fitter.finish().map_err(bad)?).into_ts()?)
    }
}

fn bad(error: ImageSizeError) -> WebError {
    WebError { code: "bad-image", message: error.to_string() }
}
