//! What a backend must be able to do.

use burn::backend::{
    Backend, backend_extension,
    tensor::{FloatTensor, IntTensor},
};
use burn::tensor::ops::ConvOptions;

use crate::{
    kernels::frozen::preprocess::Plan,
    kernels::training::{
        Planes, cpu::batch_norm, distance::Metric, pool_bn_backward, pool_bn_train::Settings as TrainSettings,
    },
    step::{Padding, Pool},
};

/// The forward passes; [`crate::ops`] wraps them as functions of tensors. Shapes as in [`crate::kernels`], all f32.
#[backend_extension(Cube: cfg(feature = "gpu"), Flex, Autodiff)]
pub trait ReidOps: Backend {
    /// `[n, outputs, h, w]`
    fn convolution(x: FloatTensor<Self>, weight: FloatTensor<Self>, options: ConvOptions<2>) -> FloatTensor<Self>;

    /// The output, as x; `[2, c]`: the batch's mean and population variance.
    fn batch_norm_train(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        settings: batch_norm::Settings,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);

    /// As x.
    fn batch_norm_infer(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        settings: batch_norm::Settings,
    ) -> FloatTensor<Self>;

    /// `[n, c, oh, ow]`
    fn max_pool(x: FloatTensor<Self>, pool: Pool) -> FloatTensor<Self>;

    /// `[n, c, oh, ow]`
    fn average_pool(x: FloatTensor<Self>, pool: Pool) -> FloatTensor<Self>;

    /// `[n, c, h, w]` from x and factors `[n, c]`.
    fn scale_channels(x: FloatTensor<Self>, factor: FloatTensor<Self>) -> FloatTensor<Self>;

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
    /// The gradient by x.
    fn convolution_x(
        grad: FloatTensor<Self>,
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self>;

    /// The gradient by the weight.
    fn convolution_weight(
        grad: FloatTensor<Self>,
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self>;

    /// The gradients by x, weight and bias; `saved` are x, weight, bias and the statistics `[2, c]`.
    fn batch_norm_backward(
        grad: FloatTensor<Self>,
        saved: [FloatTensor<Self>; 4],
        settings: batch_norm::Settings,
        statistics: batch_norm::Statistics,
    ) -> [FloatTensor<Self>; 3];

    /// The gradient by x.
    fn max_pool_backward(grad: FloatTensor<Self>, x: FloatTensor<Self>, pool: Pool) -> FloatTensor<Self>;

    /// The gradient by x.
    fn average_pool_backward(grad: FloatTensor<Self>, x: FloatTensor<Self>, pool: Pool) -> FloatTensor<Self>;

    /// The gradient by the factors, `[n, c]`.
    fn scale_channels_factor(grad: FloatTensor<Self>, x: FloatTensor<Self>) -> FloatTensor<Self>;

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

/// The padding of a window, vertical and horizontal.
///
/// # Panics
/// When opposite sides differ or the padding does not count: a graph's nodes make such padding before they pool.
pub(super) fn equal_padding(pool: Pool) -> [usize; 2] {
    assert!(pool.count_padding || pool.padding == Padding::NONE, "the padding counts");
    pool.padding.symmetric().expect("opposite sides have the same padding")
}
