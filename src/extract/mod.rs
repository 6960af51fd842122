//! From images to features: a model on a device. It needs no burn; what learns is in `training`.

mod extractor;

pub use crate::graph::frozen::{
    Adapter, Decision, Device, DeviceChoice, DeviceError, DeviceFault, FreezeError, UnknownDevice,
};
#[cfg(feature = "webgpu")]
pub use crate::graph::frozen::{Counters, GpuError};
pub use extractor::{ExtractError, Extractor, normalise};
