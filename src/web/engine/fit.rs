//! Pictures at a network's size, one at a time: neither the network nor another picture has to be in memory with them.

use std::error::Error;

use js_sys::{Object, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::image::{self, Fitted, Fitter, Rows};
use crate::kernels::frozen::preprocess::{Frame, ImageSizeError, UnknownFilter};
use crate::step::UnknownFit;
use crate::web::error::WebError;

/// Width and height of a picture by the first bytes of its file: also of GIF, AVIF and HEIC, which only a browser decodes.
/// Undefined when they do not say.
#[wasm_bindgen(js_name = pictureSize)]
pub fn picture_size(head: &[u8]) -> Option<Vec<u32>> {
    let size = imagesize::blob_size(head).ok()?;
    [size.width, size.height].into_iter().map(|side| u32::try_from(side).ok()).collect()
}

/// An encoded picture (PNG, JPEG, WebP, BMP) at the network's size, brought to it as its `filter` and `fit`
/// (`describe()`) say: `{ data, width, height, quality }`, RGBA.
///
/// # Errors
/// `{ code, message }` for a file that is no picture, or one that is too large.
#[wasm_bindgen]
pub fn fit(file: &[u8], width: usize, height: usize, filter: &str, fit: &str) -> Result<JsValue, JsValue> {
    let frame = frame(width, height, filter, fit)?;
    let picture = image::decode_picture(file).map_err(|error| WebError::from(&error))?;
    let mut fitter = Fitter::new([picture.width(), picture.height()], &frame).map_err(bad)?;
    picture.for_each_row(|row| fitter.push(row));
    object(fitter.finish())
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
    /// For a picture of `width` × `height` pixels, to become one of `to_width` × `to_height` by `filter` and `fit`.
    ///
    /// # Errors
    /// `{ code, message }` when it has no pixels, or for a word that says no filter or fit.
    #[wasm_bindgen(constructor)]
    pub fn new(
        width: u32,
        height: u32,
        to_width: usize,
        to_height: usize,
        filter: &str,
        fit: &str,
    ) -> Result<PictureFitter, JsValue> {
        let frame = frame(to_width, to_height, filter, fit)?;
        let fitter = Fitter::new([width, height], &frame).map_err(bad)?;
        Ok(Self { fitter, row: 4 * width as usize })
    }

    /// The next rows from the top, RGBA.
    pub fn push(&mut self, rows: &[u8]) {
        rows.chunks_exact(self.row).for_each(|row| self.fitter.push(row));
    }

    /// `{ data, width, height, quality }`; the fitter is gone then.
    ///
    /// # Errors
    /// `{ code, message }` when rows are missing.
    pub fn finish(self) -> Result<JsValue, JsValue> {
        object(self.fitter.finish())
    }
}

fn frame(width: usize, height: usize, filter: &str, fit: &str) -> Result<Frame, WebError> {
    let unknown = |error: &dyn Error| WebError { code: "bad-input", message: error.to_string() };
    let filter = filter.parse().map_err(|error: UnknownFilter| unknown(&error))?;
    let fit = fit.parse().map_err(|error: UnknownFit| unknown(&error))?;
    Ok(Frame { width, height, filter, fit })
}

fn bad(error: ImageSizeError) -> WebError {
    WebError { code: "bad-image", message: error.to_string() }
}

fn object(fitted: Result<Fitted, ImageSizeError>) -> Result<JsValue, JsValue> {
    let Fitted { image, quality } = fitted.map_err(bad)?;
    let object = Object::new();
    Reflect::set(&object, &"data".into(), &Uint8Array::from(image.pixels.as_slice()))?;
    Reflect::set(&object, &"width".into(), &image.width.into())?;
    Reflect::set(&object, &"height".into(), &image.height.into())?;
    Reflect::set(&object, &"quality".into(), &quality.into())?;
    Ok(object.into())
}
