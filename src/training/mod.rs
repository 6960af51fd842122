//! The graph as a burn module: it runs on WebGPU or the CPU, and can be trained on either.

mod batch;
mod device;
mod extractor;
mod network;
pub mod random;
mod sampler;

pub use batch::{Batch, BatchError, BatchSource, Input};
pub use device::{ComputeDevice, DeviceChoice, DeviceError, UnknownDevice};
pub use extractor::{ExtractError, Extractor, normalise};
pub use network::{Mode, Network, NetworkError, Outputs, ParameterGroup};
pub use sampler::{Sampler, SamplerConfig, SamplerError, Visits};
