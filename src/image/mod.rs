//! Pictures in: decoding with limits and typed errors, a score of how much a crop can tell, and changes for training.

#[cfg(feature = "train")]
mod augment;
mod brand;
mod decode;
mod exif;
mod fit;
#[cfg(feature = "train")]
mod jitter;
mod picture;
mod png;
mod quality;
mod rows;

#[cfg(feature = "train")]
pub use augment::{Augment, AugmentError, Augmenter, Erase, Fill, LowResolution};
pub use decode::{ImageError, MAX_PIXELS, Rgba, decode, decode_picture};
pub(crate) use fit::interleave;
pub use fit::{Fitted, Fitter, fit};
#[cfg(feature = "train")]
pub use jitter::Jitter;
pub use picture::Picture;
pub use quality::{is_scene, quality};
pub use rows::Rows;

pub use crate::kernels::frozen::preprocess::{Frame, ImageSizeError};
