//! The operations on the CPU: the kernels' twins.

use burn::{
    backend::{
        Flex, TensorMetadata,
        flex::FlexTensor,
        tensor::{FloatTensor, IntTensor},
    },
    tensor::{Shape, TensorData, ops::ConvOptions},
};

use super::backend::{ReidGradients, ReidOps, equal_padding, planes};
use crate::{
    kernels::frozen::preprocess,
    kernels::training::{
        Planes,
        cpu::{batch_norm, convolution, pool, scale_channels, window::Window},
        distance, gem_pool, gem_pool_backward, pool_bn_backward, pool_bn_infer, pool_bn_train,
    },
    step::Pool,
};

/// The values of a contiguous tensor.
fn values(tensor: &FlexTensor) -> &[f32] {
    let start = tensor.layout().start_offset();
    &tensor.storage()[start..start + tensor.layout().num_elements()]
}

fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape))
}

fn like(values: Vec<f32>, shape: Shape) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape))
}

fn sizes(x: &FlexTensor, weight: &FlexTensor, options: &ConvOptions<2>) -> convolution::Sizes {
    let ([batch, inputs, height, width], [outputs, _, kernel_height, kernel_width]) =
        (x.shape().dims(), weight.shape().dims());
    convolution::Sizes {
        batch,
        inputs,
        outputs,
        groups: options.groups,
        map: [height, width],
        kernel: [kernel_height, kernel_width],
        stride: options.stride,
        padding: options.padding.map(|(before, _)| before),
    }
}

/// What pools x `[n, c, h, w]`, and its channels.
fn window(x: &FlexTensor, pool: Pool) -> (Window, usize) {
    let [_, channels, height, width] = x.shape().dims();
    let map = [height, width];
    let output = pool.output(map).unwrap_or_else(|| panic!("no window of {pool:?} fits a map of {height}x{width}"));
    (Window { map, output, kernel: pool.kernel, stride: pool.stride, padding: equal_padding(pool) }, channels)
}

/// A map `[n, c, …]` or a vector `[n, c]` as batch norm sees it.
fn any_planes(x: &FlexTensor) -> Planes {
    let shape = x.shape();
    let (batch, channels) = (shape[0], shape[1]);
    Planes { batch, channels, area: shape.num_elements() / (batch * channels) }
}

impl ReidOps for Flex {
    fn convolution(x: FloatTensor<Self>, weight: FloatTensor<Self>, options: ConvOptions<2>) -> FloatTensor<Self> {
        let sizes = sizes(&x, &weight, &options);
        let [height, width] = sizes.output();
        let out = convolution::forward(sizes, values(&x.to_contiguous()), values(&weight.to_contiguous()));
        tensor(out, [sizes.batch, sizes.outputs, height, width])
    }

    fn batch_norm_train(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        settings: batch_norm::Settings,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (planes, shape) = (any_planes(&x), x.shape());
        let inputs = [x, weight, bias].map(|tensor| tensor.to_contiguous());
        let [x, weight, bias] = inputs.each_ref().map(values);
        let batch_norm::Train { out, mean, variance } = batch_norm::train(planes, settings, x, weight, bias);
        (like(out, shape), tensor([mean, variance].concat(), [2, planes.channels]))
    }

    fn batch_norm_infer(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        settings: batch_norm::Settings,
    ) -> FloatTensor<Self> {
        let (planes, shape) = (any_planes(&x), x.shape());
        let given = [weight, bias, mean, variance].map(|tensor| tensor.to_contiguous());
        let given = given.each_ref().map(values);
        let mut whole = x.to_contiguous();
        drop(x);
        if whole.storage::<f32>().len() == shape.num_elements() {
            // In place, unless somebody else holds x; then burn makes a copy.
            batch_norm::infer(planes, settings, whole.storage_mut(), given);
            return whole;
        }
        let mut out = values(&whole).to_vec();
        batch_norm::infer(planes, settings, &mut out, given);
        like(out, shape)
    }

    fn max_pool(x: FloatTensor<Self>, pool: Pool) -> FloatTensor<Self> {
        let (window, channels) = window(&x, pool);
        let [batch, ..] = x.shape().dims::<4>();
        let [height, width] = window.output;
        tensor(pool::max(window, channels, values(&x.to_contiguous())), [batch, channels, height, width])
    }

    fn average_pool(x: FloatTensor<Self>, pool: Pool) -> FloatTensor<Self> {
        let (window, channels) = window(&x, pool);
        let [batch, ..] = x.shape().dims::<4>();
        let [height, width] = window.output;
        tensor(pool::average(window, channels, values(&x.to_contiguous())), [batch, channels, height, width])
    }

    fn scale_channels(x: FloatTensor<Self>, factor: FloatTensor<Self>) -> FloatTensor<Self> {
        let shape = x.shape();
        let planes = planes(shape.dims());
        like(scale_channels::forward(planes, values(&x.to_contiguous()), values(&factor.to_contiguous())), shape)
    }

    fn pool_bn_infer(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        eps: f32,
    ) -> FloatTensor<Self> {
        let planes = planes(x.shape().dims());
        let inputs = [x, weight, bias, mean, variance].map(|tensor| tensor.to_contiguous());
        let [x, weight, bias, mean, variance] = inputs.each_ref().map(values);
        let out = pool_bn_infer::twin(planes, eps, x, weight, bias, mean, variance);
        tensor(out, [2, planes.batch, planes.channels])
    }

    fn pool_bn_train(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        running_mean: FloatTensor<Self>,
        running_variance: FloatTensor<Self>,
        settings: pool_bn_train::Settings,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let planes = planes(x.shape().dims());
        let inputs = [x, weight, bias, running_mean, running_variance].map(|tensor| tensor.to_contiguous());
        let [x, weight, bias, mean, variance] = inputs.each_ref().map(values);
        let (out, running) = pool_bn_train::twin(planes, settings, x, weight, bias, mean, variance);
        (tensor(out, [2, planes.batch, planes.channels]), tensor(running, [2, planes.channels]))
    }

    fn gem_pool(x: FloatTensor<Self>, p: FloatTensor<Self>) -> FloatTensor<Self> {
        let planes = planes(x.shape().dims());
        let out = gem_pool::twin(planes, values(&x.to_contiguous()), values(&p)[0]);
        tensor(out, [planes.batch, planes.channels])
    }

    fn distance(a: FloatTensor<Self>, b: FloatTensor<Self>, metric: distance::Metric) -> FloatTensor<Self> {
        let ([a_rows, width], [b_rows, _]) = (a.shape().dims(), b.shape().dims());
        let (a, b) = (a.to_contiguous(), b.to_contiguous());
        let sizes = distance::Sizes { a_rows, b_rows, width };
        tensor(distance::twin(sizes, metric, values(&a), values(&b)), [a_rows, b_rows])
    }

    fn preprocess(
        image: IntTensor<Self>,
        columns: IntTensor<Self>,
        rows: IntTensor<Self>,
        plan: preprocess::Plan,
    ) -> FloatTensor<Self> {
        let axis = |table: FlexTensor| {
            let [_, stride] = table.shape().dims();
            preprocess::Axis { stride, table: table.storage().to_vec() }
        };
        let [height, width] = image.shape().dims();
        let image = preprocess::Rgba::new(width as u32, height as u32, image.bytes())
            .expect("ops::preprocess made the tensor from an image");
        let out = preprocess::twin(&plan, image, &axis(columns), &axis(rows));
        tensor(out, [1, 3, plan.frame.height, plan.frame.width])
    }
}

impl ReidGradients for Flex {
    fn convolution_x(
        grad: FloatTensor<Self>,
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        let sizes = sizes(&x, &weight, &options);
        let out = convolution::gradient_x(sizes, values(&grad.to_contiguous()), values(&weight.to_contiguous()));
        like(out, x.shape())
    }

    fn convolution_weight(
        grad: FloatTensor<Self>,
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        let sizes = sizes(&x, &weight, &options);
        let out = convolution::gradient_weight(sizes, values(&grad.to_contiguous()), values(&x.to_contiguous()));
        like(out, weight.shape())
    }

    fn batch_norm_backward(
        grad: FloatTensor<Self>,
        saved: [FloatTensor<Self>; 4],
        settings: batch_norm::Settings,
        statistics: batch_norm::Statistics,
    ) -> [FloatTensor<Self>; 3] {
        let (planes, shape) = (any_planes(&grad), grad.shape());
        let grad = grad.to_contiguous();
        let saved = saved.map(|tensor| tensor.to_contiguous());
        let [x, weight, bias, rows] = saved.each_ref().map(values);
        let (mean, variance) = rows.split_at(planes.channels);
        let given = [weight, bias, mean, variance];
        let batch_norm::Gradients { x, weight, bias } =
            batch_norm::gradients(planes, settings, statistics, values(&grad), x, given);
        [like(x, shape), tensor(weight, [planes.channels]), tensor(bias, [planes.channels])]
    }

    fn max_pool_backward(grad: FloatTensor<Self>, x: FloatTensor<Self>, pool: Pool) -> FloatTensor<Self> {
        let (window, channels) = window(&x, pool);
        let out = pool::max_gradient(window, channels, values(&grad.to_contiguous()), values(&x.to_contiguous()));
        like(out, x.shape())
    }

    fn average_pool_backward(grad: FloatTensor<Self>, x: FloatTensor<Self>, pool: Pool) -> FloatTensor<Self> {
        let (window, channels) = window(&x, pool);
        like(pool::average_gradient(window, channels, values(&grad.to_contiguous())), x.shape())
    }

    fn scale_channels_factor(grad: FloatTensor<Self>, x: FloatTensor<Self>) -> FloatTensor<Self> {
        let planes = planes(x.shape().dims());
        let out = scale_channels::gradient_factor(planes, values(&grad.to_contiguous()), values(&x.to_contiguous()));
        tensor(out, [planes.batch, planes.channels])
    }

    fn pool_bn_backward(
        grad: FloatTensor<Self>,
        out: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        map: [usize; 4],
        settings: pool_bn_backward::Settings,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let planes = planes(map);
        let inputs = [grad, out, weight, mean, variance].map(|tensor| tensor.to_contiguous());
        let [grad, out, weight, mean, variance] = inputs.each_ref().map(values);
        let (grad_x, grad_affine) = pool_bn_backward::twin(planes, settings, grad, out, weight, mean, variance);
        (tensor(grad_x, map), tensor(grad_affine, [2, planes.channels]))
    }

    fn gem_pool_backward(
        grad: FloatTensor<Self>,
        pooled: FloatTensor<Self>,
        x: FloatTensor<Self>,
        p: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let map = x.shape().dims();
        let planes = planes(map);
        let inputs = [grad, pooled, x, p].map(|tensor| tensor.to_contiguous());
        let [grad, pooled, x, p] = inputs.each_ref().map(values);
        let (grad_x, grad_p) = gem_pool_backward::twin(planes, grad, pooled, x, p[0]);
        (tensor(grad_x, map), tensor(grad_p, [planes.batch, planes.channels]))
    }
}
