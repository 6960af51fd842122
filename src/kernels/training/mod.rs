//! What training runs: kernels over batches `[n, channels, height, width]`, forward and backward, as burn's tensors have
//! them. Those of the CPU that have no shader are in [`cpu`].

pub mod cpu;
pub mod distance;
pub mod gem_pool;
pub mod gem_pool_backward;
pub mod pool_bn_backward;
pub mod pool_bn_infer;
pub mod pool_bn_train;

use super::Kernel;

/// All shaders of training, for whoever compiles them ahead of use.
pub const KERNELS: [Kernel; 6] = [
    distance::KERNEL,
    gem_pool::KERNEL,
    gem_pool_backward::KERNEL,
    pool_bn_backward::KERNEL,
    pool_bn_infer::KERNEL,
    pool_bn_train::KERNEL,
];

/// The sizes of a feature map `[batch, channels, height, width]` as pooling sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planes {
    pub batch: usize,
    pub channels: usize,
    /// height · width
    pub area: usize,
}

impl Planes {
    /// Planes in all: batch · channels.
    pub fn count(self) -> usize {
        self.batch * self.channels
    }
}
