//! The operations on the CPU: the kernels' twins.

use burn::{
    backend::{
        Flex, TensorMetadata,
        flex::FlexTensor,
        tensor::{FloatTensor, IntTensor},
    },
    tensor::TensorData,
};

use super::backend::{ReidGradients, ReidOps, planes};
use crate::kernels::{
    distance, gem_pool, gem_pool_backward, pool_bn_backward, pool_bn_infer, pool_bn_train, preprocess,
};

/// The values of a contiguous tensor.
fn values(tensor: &FlexTensor) -> &[f32] {
    let start = tensor.layout().start_offset();
    &tensor.storage()[start..start + tensor.layout().num_elements()]
}

fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape))
}

impl ReidOps for Flex {
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
        tensor(out, [1, 3, plan.height, plan.width])
    }
}

impl ReidGradients for Flex {
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
