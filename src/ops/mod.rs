//! Our kernels as operations on burn's tensors, with their gradients: on WebGPU the shaders, on the CPU their twins.
//! Nothing here waits for the GPU.

mod autodiff;
mod backend;
pub mod batch_norm;
pub mod convolution;
#[cfg(feature = "gpu")]
mod cube;
pub mod distance;
mod flex;
pub mod gem_pool;
pub mod pool;
pub mod pool_bn;
pub mod preprocess;
pub mod scale_channels;
mod value;

pub use backend::{ReidGradients, ReidOps};
use burn::tensor::DType;
pub(crate) use burn::tensor::{Tensor, activation, ops::ConvOptions};
#[cfg(feature = "gpu")]
pub use cube::prefill_outputs;
pub use value::{Layer, Tensors, Value};
pub(crate) use value::{each, indices, padded, pair, take};

/// Why an operation was not started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpError {
    #[error("training statistics need at least 2 images in a batch, there is {0}: leave out a last batch of one")]
    BatchOfOne(usize),
    #[error("{what} has {found} values where {expected} are needed")]
    Length { what: &'static str, found: usize, expected: usize },
    #[error("{what} of shape {shape:?} is empty")]
    Empty { what: &'static str, shape: Vec<usize> },
    #[error("{what} is {found:?}: our kernels compute in f32")]
    Type { what: &'static str, found: DType },
    #[error("an image of {pixels} pixels is more than a GPU buffer holds ({limit}): crop it or make it smaller first")]
    ImageTooLarge { pixels: usize, limit: usize },
}

/// Refuses what the kernels cannot read: other types than f32, and tensors without values.
fn check<const D: usize>(what: &'static str, tensor: &Tensor<D>) -> Result<(), OpError> {
    if tensor.dtype() != DType::F32 {
        return Err(OpError::Type { what, found: tensor.dtype() });
    }
    if tensor.shape().num_elements() == 0 {
        return Err(OpError::Empty { what, shape: tensor.dims().to_vec() });
    }
    Ok(())
}

fn check_length(what: &'static str, tensor: &Tensor<1>, expected: usize) -> Result<(), OpError> {
    check(what, tensor)?;
    let [found] = tensor.dims();
    if found != expected {
        return Err(OpError::Length { what, found, expected });
    }
    Ok(())
}
