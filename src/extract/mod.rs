//! From images to features: a model on a device. It needs no burn; what learns is in `training`.

mod device;
mod extractor;

pub use device::{Device, DeviceChoice, DeviceError, UnknownDevice};
pub use extractor::{ExtractError, Extractor, FILTER, normalise};
