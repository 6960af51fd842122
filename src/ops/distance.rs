//! Pairwise distances between two sets of features.

use burn::{backend::Dispatch, tensor::Tensor};

use super::{OpError, ReidOps, check};
pub use crate::kernels::training::distance::Metric;

/// The distances `[q, g]` between the rows of a `[q, d]` and of b `[g, d]`; their range is the [`Metric`]'s.
/// Differentiable by a and b.
pub fn distance(a: Tensor<2>, b: Tensor<2>, metric: Metric) -> Result<Tensor<2>, OpError> {
    check("the first set of features", &a)?;
    check("the second set of features", &b)?;
    let ([_, expected], [_, found]) = (a.dims(), b.dims());
    if found != expected {
        return Err(OpError::Length { what: "a feature of the second set", found, expected });
    }
    Ok(Tensor::from_dispatch(Dispatch::distance(a.into_dispatch(), b.into_dispatch(), metric)))
}
