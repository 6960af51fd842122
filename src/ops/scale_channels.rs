//! Every channel of a map times a number of its own, as an aggregation gate does.

use burn::{backend::Dispatch, tensor::Tensor};

use super::{OpError, ReidOps, check};

/// x `[n, c, h, w]` times the factors `[n, c]`. Differentiable by both.
///
/// # Errors
/// For empty tensors and types other than f32, and factors that are not one for each channel.
pub fn scale_channels(x: Tensor<4>, factor: Tensor<2>) -> Result<Tensor<4>, OpError> {
    check("the feature map", &x)?;
    check("the channels' factors", &factor)?;
    let ([n, c, ..], [rows, columns]) = (x.dims(), factor.dims());
    if [n, c] != [rows, columns] {
        return Err(OpError::Length { what: "the channels' factors", found: rows * columns, expected: n * c });
    }
    Ok(Tensor::from_dispatch(Dispatch::scale_channels(x.into_dispatch(), factor.into_dispatch())))
}
