//! Batch norm with the batch's own statistics, and the ReLU after it, in one pass.

use burn::{
    backend::Dispatch,
    tensor::{Tensor, s},
};

use super::{OpError, ReidOps, check, check_length};
use crate::kernels::batch_norm::Settings;

/// What [`train`] gives. The statistics carry no gradients.
#[derive(Clone, Debug)]
pub struct BatchNormTrain<const D: usize> {
    /// As x.
    pub output: Tensor<D>,
    /// The batch's mean, `[c]`.
    pub mean: Tensor<1>,
    /// The batch's population variance, `[c]`.
    pub variance: Tensor<1>,
}

/// Normalises x `[n, c, …]` by the batch's own statistics, as PyTorch's batch norm in training. Weight and bias are
/// `[c]`. Differentiable by x, weight and bias.
///
/// # Errors
/// For empty tensors and types other than f32.
pub fn train<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<1>,
    bias: Tensor<1>,
    settings: Settings,
) -> Result<BatchNormTrain<D>, OpError> {
    check("the feature map", &x)?;
    let channels = x.dims()[1];
    check_length("the batch norm's weight", &weight, channels)?;
    check_length("the batch norm's bias", &bias, channels)?;
    let (out, statistics) =
        Dispatch::batch_norm_train(x.into_dispatch(), weight.into_dispatch(), bias.into_dispatch(), settings);
    let statistics = Tensor::<2>::from_dispatch(statistics).detach();
    let row = |row: usize| statistics.clone().slice(s![row..row + 1, ..]).reshape([channels]);
    Ok(BatchNormTrain { output: Tensor::from_dispatch(out), mean: row(0), variance: row(1) })
}
