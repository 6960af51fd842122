//! From images to features: a model on a device. It needs no burn; what learns is in `training`.

mod device;
mod extractor;
#[cfg(feature = "webgpu")]
mod gpu_network;

pub use device::{Device, DeviceChoice, DeviceError, DeviceFault, UnknownDevice};
pub use extractor::{ExtractError, Extractor, normalise};
