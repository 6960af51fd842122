//! 2-D convolution. On the CPU ours, which trains several times faster than burn's; elsewhere burn's.

use burn::{
    backend::Dispatch,
    tensor::{Tensor, module, ops::ConvOptions},
};

use super::{OpError, ReidOps, check};

/// x `[n, inputs, h, w]` with the weight `[outputs, inputs / groups, kh, kw]`: `[n, outputs, oh, ow]`. A dilated one is
/// burn's everywhere. Differentiable by x and weight.
///
/// # Errors
/// For empty tensors and types other than f32.
///
/// # Panics
/// When the shapes do not fit (a graph's shapes are checked beforehand).
pub fn convolution(x: Tensor<4>, weight: Tensor<4>, options: ConvOptions<2>) -> Result<Tensor<4>, OpError> {
    check("the feature map", &x)?;
    check("the convolution's weight", &weight)?;
    if options.dilation != [1, 1] {
        return Ok(module::conv2d(x, weight, None, options));
    }
    Ok(Tensor::from_dispatch(Dispatch::convolution(x.into_dispatch(), weight.into_dispatch(), options)))
}
