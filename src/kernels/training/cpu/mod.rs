//! Kernels of the CPU that have no shader yet; a GPU takes burn's operations in their place.

pub mod batch_norm;
pub mod convolution;
mod depthwise;
mod fields;
pub mod pool;
pub mod scale_channels;
pub mod window;
