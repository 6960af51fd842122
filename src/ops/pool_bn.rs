//! Global average pooling and batch norm in one pass: the neck of Bag of Tricks (arXiv 1903.07071), which needs the
//! feature on both sides of the norm — the triplet loss before it, the classifier after.

use burn::{
    backend::Dispatch,
    tensor::{Tensor, s},
};

use super::{OpError, ReidOps, check, check_length};
pub use crate::kernels::training::pool_bn_train::Settings;

/// What [`train`] returns. The running statistics carry no gradients.
#[derive(Clone, Debug)]
pub struct PoolBnTrain {
    /// The pooled feature, `[n, c]`.
    pub feature: Tensor<2>,
    /// The feature after batch norm, `[n, c]`.
    pub embedding: Tensor<2>,
    /// `(1 − momentum) · running mean + momentum · the batch's`, `[c]`.
    pub running_mean: Tensor<1>,
    /// The same of the variance, the batch's being unbiased, `[c]`.
    pub running_variance: Tensor<1>,
}

/// Pools x `[n, c, h, w]` and normalises by running statistics: the pooled feature and the normalised one, both
/// `[n, c]`. Weight, bias, mean and variance are `[c]`. Differentiable by x, weight and bias.
pub fn infer(
    x: Tensor<4>,
    weight: Tensor<1>,
    bias: Tensor<1>,
    running_mean: Tensor<1>,
    running_variance: Tensor<1>,
    eps: f32,
) -> Result<(Tensor<2>, Tensor<2>), OpError> {
    check_all(&x, [&weight, &bias, &running_mean, &running_variance])?;
    let out = Dispatch::pool_bn_infer(
        x.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        running_mean.into_dispatch(),
        running_variance.into_dispatch(),
        eps,
    );
    Ok(rows(Tensor::from_dispatch(out)))
}

/// Pools x `[n, c, h, w]` and normalises by the batch's own statistics, as PyTorch's `BatchNorm1d` in training (eps
/// 1e-5, momentum 0.1 there). Weight, bias, mean and variance are `[c]`. Differentiable by x, weight and bias.
///
/// # Errors
/// A batch of one has no variance; PyTorch refuses it too.
pub fn train(
    x: Tensor<4>,
    weight: Tensor<1>,
    bias: Tensor<1>,
    running_mean: Tensor<1>,
    running_variance: Tensor<1>,
    settings: Settings,
) -> Result<PoolBnTrain, OpError> {
    check_all(&x, [&weight, &bias, &running_mean, &running_variance])?;
    let [batch, channels, ..] = x.dims();
    if batch < 2 {
        return Err(OpError::BatchOfOne(batch));
    }
    let (out, running) = Dispatch::pool_bn_train(
        x.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        running_mean.into_dispatch(),
        running_variance.into_dispatch(),
        settings,
    );
    let (feature, embedding) = rows(Tensor::from_dispatch(out));
    let running = Tensor::<2>::from_dispatch(running).detach();
    let row = |row: usize| running.clone().slice(s![row..row + 1, ..]).reshape([channels]);
    Ok(PoolBnTrain { feature, embedding, running_mean: row(0), running_variance: row(1) })
}

fn check_all(x: &Tensor<4>, [weight, bias, mean, variance]: [&Tensor<1>; 4]) -> Result<(), OpError> {
    check("the feature map", x)?;
    let [_, channels, ..] = x.dims();
    check_length("the batch norm's weight", weight, channels)?;
    check_length("the batch norm's bias", bias, channels)?;
    check_length("the running mean", mean, channels)?;
    check_length("the running variance", variance, channels)
}

/// Splits `[2, n, c]`.
fn rows(out: Tensor<3>) -> (Tensor<2>, Tensor<2>) {
    let [_, batch, channels] = out.dims();
    let row = |row: usize| out.clone().slice(s![row..row + 1, .., ..]).reshape([batch, channels]);
    (row(0), row(1))
}
