//! What a backend must be able to do.

use burn::backend::{
    Backend, backend_extension,
    tensor::{FloatTensor, IntTensor},
};

use crate::kernels::{
    Planes, distance::Metric, pool_bn_backward, pool_bn_train::Settings as TrainSettings, preprocess::Plan,
};

/// The forward passes; [`crate::ops`] wraps them as functions of tensors. Shapes as in [`crate::kernels`], all f32.
#[backend_extension(Cube: cfg(feature = "gpu"), Flex, Autodiff)]
pub trait ReidOps: Backend {
    /// `[2, n, c]`: the pooled feature and the normalised one.
    fn pool_bn_infer(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        eps: f32,
    ) -> FloatTensor<Self>;

    /// `[2, n, c]`: the pooled feature and the normalised one; `[2, c]`: the new running mean and variance.
    fn pool_bn_train(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        running_mean: FloatTensor<Self>,
        running_variance: FloatTensor<Self>,
        settings: TrainSettings,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);

    /// `[n, c]`
    fn gem_pool(x: FloatTensor<Self>, p: FloatTensor<Self>) -> FloatTensor<Self>;

    /// `[q, g]`
    fn distance(a: FloatTensor<Self>, b: FloatTensor<Self>, metric: Metric) -> FloatTensor<Self>;

    /// `[1, 3, height, width]` from RGBA words `[image height, image width]` and the tables of both axes,
    /// `[output pixels, stride]`, all i32.
    fn preprocess(
        image: IntTensor<Self>,
        columns: IntTensor<Self>,
        rows: IntTensor<Self>,
        plan: Plan,
    ) -> FloatTensor<Self>;
}

/// The backward passes of those that have a kernel for it.
pub trait ReidGradients: Backend {
    /// The gradients by x `[n, c, h, w]` and by weight and bias `[2, c]`; `map` is the shape of x.
    fn pool_bn_backward(
        grad: FloatTensor<Self>,
        out: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        map: [usize; 4],
        settings: pool_bn_backward::Settings,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);

    /// The gradients by x `[n, c, h, w]` and, for each plane, by p `[n, c]`.
    fn gem_pool_backward(
        grad: FloatTensor<Self>,
        pooled: FloatTensor<Self>,
        x: FloatTensor<Self>,
        p: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
}

/// A map `[n, c, h, w]` as pooling sees it.
pub(super) fn planes([batch, channels, height, width]: [usize; 4]) -> Planes {
    Planes { batch, channels, area: height * width }
}
