//! Batch norm and the ReLU after it as one operation, with the batch's own statistics or with kept ones.

use burn::{
    backend::Dispatch,
    tensor::{Tensor, s},
};

use super::{OpError, ReidOps, check, check_length};
pub use crate::kernels::training::cpu::batch_norm::Settings;

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

/// Normalises x `[n, c, …]` by kept statistics, as PyTorch's batch norm in evaluation. Weight, bias, mean and variance
/// are `[c]`. Differentiable by x, weight and bias.
///
/// # Errors
/// For empty tensors and types other than f32.
pub fn infer<const D: usize>(
    x: Tensor<D>,
    [weight, bias, mean, variance]: [Tensor<1>; 4],
    settings: Settings,
) -> Result<Tensor<D>, OpError> {
    check("the feature map", &x)?;
    let channels = x.dims()[1];
    check_length("the batch norm's weight", &weight, channels)?;
    check_length("the batch norm's bias", &bias, channels)?;
    check_length("the running mean", &mean, channels)?;
    check_length("the running variance", &variance, channels)?;
    Ok(Tensor::from_dispatch(Dispatch::batch_norm_infer(
        x.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        mean.into_dispatch(),
        variance.into_dispatch(),
        settings,
    )))
}
