//! The graph as a burn module: it runs on WebGPU or the CPU, and can be trained on either.

mod device;
mod extractor;
mod network;

pub use device::{ComputeDevice, DeviceChoice, DeviceError, UnknownDevice};
pub use extractor::{ExtractError, Extractor, normalise};
pub use network::{Mode, Network, NetworkError, Outputs, ParameterGroup};
