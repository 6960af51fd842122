//! Pictures at a network's size.

use super::Rgba;
use crate::kernels::preprocess::{self, Axis, Filter, ImageSizeError, resize};

/// The 8-bit pixels of `[3, height, width]`, red first, as augmentation takes them.
///
/// # Errors
/// When the image has no pixels.
pub fn fit(image: &Rgba, height: usize, width: usize, filter: Filter) -> Result<Vec<u8>, ImageSizeError> {
    let pixels = preprocess::Rgba::new(image.width, image.height, &image.pixels)?;
    if (pixels.height(), pixels.width()) == (height, width) {
        let (pixels, _) = image.pixels.as_chunks::<4>();
        return Ok((0..3).flat_map(|channel| pixels.iter().map(move |pixel| pixel[channel])).collect());
    }
    Ok(resized(pixels, height, width, filter))
}

pub(super) fn resized(image: preprocess::Rgba, height: usize, width: usize, filter: Filter) -> Vec<u8> {
    resize(image, &Axis::new(filter, image.width(), width), &Axis::new(filter, image.height(), height))
}
