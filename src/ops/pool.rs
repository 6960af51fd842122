//! Max and average pooling over windows. On the CPU ours, on all threads; elsewhere burn's.

use burn::{backend::Dispatch, tensor::Tensor};

use super::{OpError, ReidOps, check};
use crate::step::Pool;

/// The largest value under each window of x `[n, c, h, w]`: `[n, c, oh, ow]`. Differentiable; of several largest values
/// the first takes the gradient, as in PyTorch.
///
/// # Errors
/// For empty tensors and types other than f32.
///
/// # Panics
/// When no window fits the map (a graph's shapes are checked beforehand).
pub fn max_pool(x: Tensor<4>, pool: Pool) -> Result<Tensor<4>, OpError> {
    check("the feature map", &x)?;
    Ok(Tensor::from_dispatch(Dispatch::max_pool(x.into_dispatch(), pool)))
}

/// The mean under each window of x `[n, c, h, w]`, the padding counting as zeros: `[n, c, oh, ow]`. Differentiable.
///
/// # Errors
/// For empty tensors and types other than f32.
///
/// # Panics
/// When no window fits the map (a graph's shapes are checked beforehand).
pub fn average_pool(x: Tensor<4>, pool: Pool) -> Result<Tensor<4>, OpError> {
    check("the feature map", &x)?;
    Ok(Tensor::from_dispatch(Dispatch::average_pool(x.into_dispatch(), pool)))
}
