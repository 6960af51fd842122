//! The operations on the GPU: the shaders, launched by cubecl.

use std::sync::atomic::{AtomicBool, Ordering};

use burn::{
    backend::{
        TensorMetadata,
        ops::{ActivationOps, FloatTensorOps, ModuleOps},
        tensor::{FloatTensor, IntTensor},
        wgpu::{CubeBackend, CubeDim, CubeTensor, KernelSource, SourceKernel, SourceTemplate, into_contiguous},
    },
    cubecl::{
        CubeCount,
        prelude::KernelId,
        server::{KernelArguments, MetadataBindingInfo},
    },
    tensor::{DType, IntDType, Shape, Slice, ops::ConvOptions},
};

use super::backend::{ReidGradients, ReidOps, equal_padding, planes};
use crate::{
    kernels::training::{
        cpu::batch_norm, distance, gem_pool, gem_pool_backward, pool_bn_backward, pool_bn_infer, pool_bn_train,
    },
    kernels::{Dispatch, Kernel, frozen::preprocess},
    step::Pool,
};

struct Wgsl(Kernel);

impl KernelSource for Wgsl {
    fn source(&self) -> SourceTemplate {
        let source = self.0.wgsl;
        // Natively cubecl's tensors share buffers, and WebGPU refuses one buffer bound for reading and for writing in
        // the same dispatch. On the web each has its own, and there one tensor bound twice must not be writable.
        if cfg!(target_family = "wasm") {
            SourceTemplate::new(source)
        } else {
            SourceTemplate::new(source.replace("var<storage, read>", "var<storage, read_write>"))
        }
    }

    fn id(&self) -> KernelId {
        KernelId::new::<Self>().info(self.0.name)
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}

fn launch(kernel: Kernel, dispatch: Dispatch, inputs: Vec<CubeTensor>, outputs: &[&CubeTensor]) {
    let client = &outputs[0].client;
    let inputs: Vec<_> = inputs.into_iter().map(into_contiguous).collect();
    let buffers = inputs.iter().chain(outputs.iter().copied()).map(|tensor| tensor.handle.clone().binding()).collect();
    // The words of the uniform buffer, two at a time; shaders are little-endian.
    let word = |pair: &[u32], i: usize| u64::from(pair.get(i).copied().unwrap_or(0));
    let params = dispatch.params.chunks(2).map(|pair| word(pair, 0) | word(pair, 1) << 32).collect();
    let [x, y, z] = dispatch.workgroups;
    client.launch(
        // The shader names its own workgroup size.
        Box::new(SourceKernel::new(Wgsl(kernel), CubeDim::new_1d(1))),
        CubeCount::Static(x, y, z),
        KernelArguments::new().with_buffers(buffers).with_info(MetadataBindingInfo::custom(params)),
    );
}

static PREFILL: AtomicBool = AtomicBool::new(cfg!(debug_assertions));

/// From now on every output on a GPU starts as NaN, so that what a kernel fails to write shows. Debug builds begin so;
/// tests of release builds, as those in a browser are, ask for it.
pub fn prefill_outputs() {
    PREFILL.store(true, Ordering::Relaxed);
}

/// An output beside `like`.
fn output<const D: usize>(like: &CubeTensor, shape: [usize; D]) -> CubeTensor {
    let shape = Shape::from(shape);
    let bytes = shape.num_elements() * size_of::<f32>();
    let handle = if PREFILL.load(Ordering::Relaxed) {
        like.client.create_from_slice(&vec![0xff; bytes])
    } else {
        like.client.empty(bytes)
    };
    CubeTensor::new_contiguous(like.client.clone(), like.device.clone(), shape, handle, DType::F32)
}

/// The rows of statistics `[2, c]`.
fn rows(statistics: CubeTensor) -> [CubeTensor; 2] {
    let [_, channels] = statistics.shape().dims();
    [0, 1].map(|row| {
        let row = CubeBackend::float_slice(statistics.clone(), &[Slice::from(row..row + 1), Slice::full()]);
        CubeBackend::float_reshape(row, Shape::new([channels]))
    })
}

/// The sum of a map or a vector `[n, c, …]` over everything but its channels, `[c]`.
fn channel_sums(x: CubeTensor) -> CubeTensor {
    let shape = x.shape();
    let channels = shape[1];
    let rows = Shape::new([channels, shape.num_elements() / channels]);
    let rows = CubeBackend::float_reshape(CubeBackend::float_swap_dims(x, 0, 1), rows);
    CubeBackend::float_reshape(CubeBackend::float_sum_dim(rows, 1), Shape::new([channels]))
}

// Convolution, batch norm and pooling over windows are burn's own here, until there are shaders of ours for them.
impl ReidOps for CubeBackend {
    fn convolution(x: FloatTensor<Self>, weight: FloatTensor<Self>, options: ConvOptions<2>) -> FloatTensor<Self> {
        Self::conv2d(x, weight, None, options)
    }

    fn batch_norm_train(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        settings: batch_norm::Settings,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let result = <Self as ModuleOps<Self>>::batch_norm_train(x, weight, bias, f64::from(settings.eps));
        let out = if settings.relu { Self::relu(result.output) } else { result.output };
        let [channels] = result.mean.shape().dims();
        let statistics = [result.mean, result.variance].map(|row| Self::float_reshape(row, Shape::new([1, channels])));
        (out, Self::float_cat(statistics.into(), 0))
    }

    fn batch_norm_infer(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        settings: batch_norm::Settings,
    ) -> FloatTensor<Self> {
        let out = Self::batch_norm(x, weight, bias, mean, variance, f64::from(settings.eps));
        if settings.relu { Self::relu(out) } else { out }
    }

    fn max_pool(x: FloatTensor<Self>, pool: Pool) -> FloatTensor<Self> {
        Self::max_pool2d(x, pool.kernel, pool.stride, equal_padding(pool), [1; 2], pool.ceil)
    }

    fn average_pool(x: FloatTensor<Self>, pool: Pool) -> FloatTensor<Self> {
        Self::avg_pool2d(x, pool.kernel, pool.stride, equal_padding(pool), true, pool.ceil)
    }

    fn scale_channels(x: FloatTensor<Self>, factor: FloatTensor<Self>) -> FloatTensor<Self> {
        let [n, c] = factor.shape().dims();
        Self::float_mul(x, Self::float_reshape(factor, Shape::new([n, c, 1, 1])))
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
        let out = output(&x, [2, planes.batch, planes.channels]);
        let dispatch = pool_bn_infer::dispatch(planes, eps);
        launch(pool_bn_infer::KERNEL, dispatch, vec![x, weight, bias, mean, variance], &[&out]);
        out
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
        let out = output(&x, [2, planes.batch, planes.channels]);
        let running = output(&x, [2, planes.channels]);
        let inputs = vec![x, weight, bias, running_mean, running_variance];
        launch(pool_bn_train::KERNEL, pool_bn_train::dispatch(planes, settings), inputs, &[&out, &running]);
        (out, running)
    }

    fn gem_pool(x: FloatTensor<Self>, p: FloatTensor<Self>) -> FloatTensor<Self> {
        let planes = planes(x.shape().dims());
        let out = output(&x, [planes.batch, planes.channels]);
        launch(gem_pool::KERNEL, gem_pool::dispatch(planes), vec![x, p], &[&out]);
        out
    }

    fn distance(a: FloatTensor<Self>, b: FloatTensor<Self>, metric: distance::Metric) -> FloatTensor<Self> {
        let ([a_rows, width], [b_rows, _]) = (a.shape().dims(), b.shape().dims());
        let out = output(&a, [a_rows, b_rows]);
        let sizes = distance::Sizes { a_rows, b_rows, width };
        launch(distance::KERNEL, distance::dispatch(sizes, metric), vec![a, b], &[&out]);
        out
    }

    fn preprocess(
        image: IntTensor<Self>,
        columns: IntTensor<Self>,
        rows: IntTensor<Self>,
        plan: preprocess::Plan,
    ) -> FloatTensor<Self> {
        let [_, image_width] = image.shape().dims();
        let [_, column_stride] = columns.shape().dims();
        let [_, row_stride] = rows.shape().dims();
        let out = output(&image, [1, 3, plan.frame.height, plan.frame.width]);
        let dispatch = preprocess::dispatch(&plan, image_width, column_stride, row_stride);
        launch(preprocess::KERNEL, dispatch, vec![image, columns, rows], &[&out]);
        out
    }
}

impl ReidGradients for CubeBackend {
    fn convolution_x(
        grad: FloatTensor<Self>,
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        Self::conv2d_x_backward(x, weight, grad, options)
    }

    fn convolution_weight(
        grad: FloatTensor<Self>,
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        Self::conv2d_weight_backward(x, weight, grad, options)
    }

    fn batch_norm_backward(
        grad: FloatTensor<Self>,
        [x, weight, bias, saved]: [FloatTensor<Self>; 4],
        settings: batch_norm::Settings,
        statistics: batch_norm::Statistics,
    ) -> [FloatTensor<Self>; 3] {
        let [mean, variance] = rows(saved);
        let eps = f64::from(settings.eps);
        let grad = if settings.relu {
            let out = Self::batch_norm(x.clone(), weight.clone(), bias, mean.clone(), variance.clone(), eps);
            Self::relu_backward(Self::relu(out), grad)
        } else {
            grad
        };
        if statistics == batch_norm::Statistics::Batch {
            let result = Self::batch_norm_train_backward(x, weight, mean, variance, eps, grad);
            return [result.x_grad, result.gamma_grad, result.beta_grad];
        }
        let mut shape = vec![1; x.shape().num_dims()];
        shape[1] = x.shape()[1];
        let spread = |row| Self::float_reshape(row, Shape::from(shape.clone()));
        let deviation = spread(Self::float_sqrt(Self::float_add_scalar(variance, eps.into())));
        let normal = Self::float_div(Self::float_sub(x, spread(mean)), deviation.clone());
        let by_weight = channel_sums(Self::float_mul(grad.clone(), normal));
        let by_bias = channel_sums(grad.clone());
        [Self::float_mul(grad, Self::float_div(spread(weight), deviation)), by_weight, by_bias]
    }

    fn max_pool_backward(grad: FloatTensor<Self>, x: FloatTensor<Self>, pool: Pool) -> FloatTensor<Self> {
        let (Pool { kernel, stride, ceil, .. }, padding) = (pool, equal_padding(pool));
        let found = Self::max_pool2d_with_indices(x.clone(), kernel, stride, padding, [1; 2], ceil, IntDType::I32);
        let indices = found.indices;
        Self::max_pool2d_with_indices_backward(x, kernel, stride, padding, [1; 2], ceil, grad, indices).x_grad
    }

    fn average_pool_backward(grad: FloatTensor<Self>, x: FloatTensor<Self>, pool: Pool) -> FloatTensor<Self> {
        Self::avg_pool2d_backward(x, grad, pool.kernel, pool.stride, equal_padding(pool), true, pool.ceil)
    }

    fn scale_channels_factor(grad: FloatTensor<Self>, x: FloatTensor<Self>) -> FloatTensor<Self> {
        let [n, c, h, w] = x.shape().dims();
        let products = Self::float_reshape(Self::float_mul(grad, x), Shape::new([n, c, h * w]));
        Self::float_reshape(Self::float_sum_dim(products, 2), Shape::new([n, c]))
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
        let grad_x = output(&grad, map);
        let grad_affine = output(&grad, [2, planes.channels]);
        let inputs = vec![grad, out, weight, mean, variance];
        let dispatch = pool_bn_backward::dispatch(planes, settings);
        launch(pool_bn_backward::KERNEL, dispatch, inputs, &[&grad_x, &grad_affine]);
        (grad_x, grad_affine)
    }

    fn gem_pool_backward(
        grad: FloatTensor<Self>,
        pooled: FloatTensor<Self>,
        x: FloatTensor<Self>,
        p: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let map = x.shape().dims();
        let planes = planes(map);
        let grad_x = output(&x, map);
        let grad_p = output(&x, [planes.batch, planes.channels]);
        let dispatch = gem_pool_backward::dispatch(planes);
        launch(gem_pool_backward::KERNEL, dispatch, vec![grad, pooled, x, p], &[&grad_x, &grad_p]);
        (grad_x, grad_p)
    }
}
