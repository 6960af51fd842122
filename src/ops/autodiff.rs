//! The operations under automatic differentiation.

use burn::backend::{
    Backend, TensorMetadata,
    autodiff::{
        Autodiff,
        checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
        grads::Gradients,
        ops::{Backward, Ops, OpsKind},
    },
    tensor::{FloatTensor, IntTensor},
};
use burn::tensor::{Shape, Slice, ops::ConvOptions};

use super::backend::{ReidGradients, ReidOps};
use crate::{
    kernels::frozen::preprocess::Plan,
    kernels::training::{cpu::batch_norm, distance::Metric, pool_bn_backward, pool_bn_train},
    step::Pool,
};

/// Through a convolution to x and weight.
#[derive(Debug)]
struct Convolution;

impl<B: ReidGradients> Backward<B, 2> for Convolution {
    /// x and weight.
    type State = (FloatTensor<B>, FloatTensor<B>, ConvOptions<2>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let (x, weight, options) = ops.state;
        let [x_node, weight_node] = ops.parents;
        if let Some(node) = x_node {
            let grad = B::convolution_x(grad.clone(), x.clone(), weight.clone(), options.clone());
            grads.register::<B>(node.id, grad);
        }
        if let Some(node) = weight_node {
            grads.register::<B>(node.id, B::convolution_weight(grad, x, weight, options));
        }
    }
}

/// Through batch norm, and the ReLU after it, to x, weight and bias.
#[derive(Debug)]
struct BatchNorm;

impl<B: ReidGradients> Backward<B, 3> for BatchNorm {
    /// x, weight, bias and the statistics.
    type State = ([FloatTensor<B>; 4], batch_norm::Settings, batch_norm::Statistics);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let (saved, settings, statistics) = ops.state;
        let gradients = B::batch_norm_backward(grad, saved, settings, statistics);
        for (parent, grad) in ops.parents.into_iter().zip(gradients) {
            if let Some(parent) = parent {
                grads.register::<B>(parent.id, grad);
            }
        }
    }
}

/// Through max pooling to x.
#[derive(Debug)]
struct MaxPool;

impl<B: ReidGradients> Backward<B, 1> for MaxPool {
    /// x, in which the largest values are found again.
    type State = (FloatTensor<B>, Pool);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let (x, pool) = ops.state;
        if let [Some(node)] = ops.parents {
            grads.register::<B>(node.id, B::max_pool_backward(grad, x, pool));
        }
    }
}

/// Through average pooling to x.
#[derive(Debug)]
struct AveragePool;

impl<B: ReidGradients> Backward<B, 1> for AveragePool {
    /// x, whose shape burn's backends take from it.
    type State = (FloatTensor<B>, Pool);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let (x, pool) = ops.state;
        if let [Some(node)] = ops.parents {
            grads.register::<B>(node.id, B::average_pool_backward(grad, x, pool));
        }
    }
}

/// Through a scaling of channels to x and the factors.
#[derive(Debug)]
struct ScaleChannels;

impl<B: ReidOps + ReidGradients> Backward<B, 2> for ScaleChannels {
    /// x and the factors.
    type State = (FloatTensor<B>, FloatTensor<B>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let (x, factor) = ops.state;
        let [x_node, factor_node] = ops.parents;
        if let Some(node) = factor_node {
            grads.register::<B>(node.id, B::scale_channels_factor(grad.clone(), x));
        }
        if let Some(node) = x_node {
            grads.register::<B>(node.id, B::scale_channels(grad, factor));
        }
    }
}

/// Through pooling and batch norm to x, weight and bias.
#[derive(Debug)]
struct PoolBn;

#[derive(Clone, Debug)]
struct PoolBnState<T> {
    out: T,
    weight: T,
    mean: T,
    variance: T,
    map: [usize; 4],
    settings: pool_bn_backward::Settings,
}

impl<B: ReidGradients> Backward<B, 3> for PoolBn {
    type State = PoolBnState<FloatTensor<B>>;

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let PoolBnState { out, weight, mean, variance, map, settings } = ops.state;
        let (grad_x, grad_affine) = B::pool_bn_backward(grad, out, weight, mean, variance, map, settings);
        let [x, weight, bias] = ops.parents;
        if let Some(x) = x {
            grads.register::<B>(x.id, grad_x);
        }
        let channels = map[1];
        for (row, parent) in [weight, bias].into_iter().enumerate() {
            if let Some(parent) = parent {
                let row = Slice::from(row..row + 1);
                let grad = B::float_slice(grad_affine.clone(), &[row, Slice::full()]);
                grads.register::<B>(parent.id, B::float_reshape(grad, Shape::new([channels])));
            }
        }
    }
}

/// Through generalised-mean pooling to x and p.
#[derive(Debug)]
struct GemPool;

impl<B: ReidGradients> Backward<B, 2> for GemPool {
    /// The pooled feature, x and p.
    type State = (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let (pooled, x, p) = ops.state;
        let (grad_x, grad_p) = B::gem_pool_backward(grad, pooled, x, p);
        let [x, p] = ops.parents;
        if let Some(x) = x {
            grads.register::<B>(x.id, grad_x);
        }
        if let Some(p) = p {
            grads.register::<B>(p.id, B::float_sum(grad_p));
        }
    }
}

/// Through the distances to both sets. With u and v the rows, normalised under the cosine, both metrics are
/// |u|² + |v|² − 2·u·v, under the cosine with |u| and |v| constant.
#[derive(Debug)]
struct Distance;

impl<B: Backend> Backward<B, 2> for Distance {
    /// Both sets.
    type State = (FloatTensor<B>, FloatTensor<B>, Metric);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let (a, b, metric) = ops.state;
        let transposed = B::float_transpose(grad.clone());
        let [a_node, b_node] = ops.parents;
        if let Some(node) = a_node {
            grads.register::<B>(node.id, distance_gradient::<B>(grad, a.clone(), b.clone(), metric));
        }
        if let Some(node) = b_node {
            grads.register::<B>(node.id, distance_gradient::<B>(transposed, b, a, metric));
        }
    }
}

/// The gradient by the rows of `a` `[m, d]`, given that by their distances to the rows of `b` `[m, k]`.
fn distance_gradient<B: Backend>(
    grad: FloatTensor<B>,
    a: FloatTensor<B>,
    b: FloatTensor<B>,
    metric: Metric,
) -> FloatTensor<B> {
    let twice = |tensor| B::float_mul_scalar(tensor, 2.0.into());
    match metric {
        Metric::SquaredEuclidean => {
            let own = B::float_mul(a, B::float_sum_dim(grad.clone(), 1));
            twice(B::float_sub(own, B::float_matmul(grad, b)))
        }
        Metric::Cosine => {
            let (a, a_norm) = normalise::<B>(a);
            let (b, _) = normalise::<B>(b);
            let pull = B::float_matmul(grad, b);
            let along = B::float_sum_dim(B::float_mul(pull.clone(), a.clone()), 1);
            twice(B::float_div(B::float_sub(B::float_mul(a, along), pull), a_norm))
        }
    }
}

/// The rows of `x` `[m, d]` at length 1, and their lengths `[m, 1]`.
fn normalise<B: Backend>(x: FloatTensor<B>) -> (FloatTensor<B>, FloatTensor<B>) {
    let squares = B::float_sum_dim(B::float_mul(x.clone(), x.clone()), 1);
    let norm = B::float_clamp_min(B::float_sqrt(squares), 1e-12.into());
    (B::float_div(x, norm.clone()), norm)
}

impl<B: ReidOps + ReidGradients, C: CheckpointStrategy> ReidOps for Autodiff<B, C> {
    fn convolution(x: FloatTensor<Self>, weight: FloatTensor<Self>, options: ConvOptions<2>) -> FloatTensor<Self> {
        let prepared = Convolution.prepare::<C>([x.node(), weight.node()]).compute_bound().stateful();
        let (x, weight) = (x.into_primitive(), weight.into_primitive());
        let out = B::convolution(x.clone(), weight.clone(), options.clone());
        match prepared {
            OpsKind::Tracked(prepared) => prepared.finish((x, weight, options), out),
            OpsKind::UnTracked(prepared) => prepared.finish(out),
        }
    }

    fn batch_norm_train(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        settings: batch_norm::Settings,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let prepared = BatchNorm.prepare::<C>([x.node(), weight.node(), bias.node()]).compute_bound().stateful();
        let (x, weight, bias) = (x.into_primitive(), weight.into_primitive(), bias.into_primitive());
        let (out, statistics) = <B as ReidOps>::batch_norm_train(x.clone(), weight.clone(), bias.clone(), settings);
        let out = match prepared {
            OpsKind::Tracked(prepared) => {
                let saved = [x, weight, bias, statistics.clone()];
                prepared.finish((saved, settings, batch_norm::Statistics::Batch), out)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(out),
        };
        (out, FloatTensor::<Self>::new(statistics))
    }

    fn batch_norm_infer(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        settings: batch_norm::Settings,
    ) -> FloatTensor<Self> {
        let prepared = BatchNorm.prepare::<C>([x.node(), weight.node(), bias.node()]).compute_bound().stateful();
        let (x, weight, bias) = (x.into_primitive(), weight.into_primitive(), bias.into_primitive());
        let (mean, variance) = (mean.into_primitive(), variance.into_primitive());
        // Held by nobody else, x can be worked on in place.
        match prepared {
            OpsKind::Tracked(prepared) => {
                let row = |row: &FloatTensor<B>| {
                    let [channels] = row.shape().dims();
                    B::float_reshape(row.clone(), Shape::new([1, channels]))
                };
                let statistics = B::float_cat(vec![row(&mean), row(&variance)], 0);
                let saved = [x.clone(), weight.clone(), bias.clone(), statistics];
                let out = B::batch_norm_infer(x, weight, bias, mean, variance, settings);
                prepared.finish((saved, settings, batch_norm::Statistics::Running), out)
            }
            OpsKind::UnTracked(prepared) => {
                prepared.finish(B::batch_norm_infer(x, weight, bias, mean, variance, settings))
            }
        }
    }

    fn max_pool(x: FloatTensor<Self>, pool: Pool) -> FloatTensor<Self> {
        let prepared = MaxPool.prepare::<C>([x.node()]).compute_bound().stateful();
        let x = x.into_primitive();
        let out = B::max_pool(x.clone(), pool);
        match prepared {
            OpsKind::Tracked(prepared) => prepared.finish((x, pool), out),
            OpsKind::UnTracked(prepared) => prepared.finish(out),
        }
    }

    fn average_pool(x: FloatTensor<Self>, pool: Pool) -> FloatTensor<Self> {
        let prepared = AveragePool.prepare::<C>([x.node()]).compute_bound().stateful();
        let x = x.into_primitive();
        let out = B::average_pool(x.clone(), pool);
        match prepared {
            OpsKind::Tracked(prepared) => prepared.finish((x, pool), out),
            OpsKind::UnTracked(prepared) => prepared.finish(out),
        }
    }

    fn scale_channels(x: FloatTensor<Self>, factor: FloatTensor<Self>) -> FloatTensor<Self> {
        let prepared = ScaleChannels.prepare::<C>([x.node(), factor.node()]).compute_bound().stateful();
        let (x, factor) = (x.into_primitive(), factor.into_primitive());
        let out = B::scale_channels(x.clone(), factor.clone());
        match prepared {
            OpsKind::Tracked(prepared) => prepared.finish((x, factor), out),
            OpsKind::UnTracked(prepared) => prepared.finish(out),
        }
    }

    fn pool_bn_infer(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        eps: f32,
    ) -> FloatTensor<Self> {
        let map = x.shape().dims();
        let prepared = PoolBn.prepare::<C>([x.node(), weight.node(), bias.node()]).compute_bound().stateful();
        let (x, weight, bias) = (x.into_primitive(), weight.into_primitive(), bias.into_primitive());
        let (mean, variance) = (mean.into_primitive(), variance.into_primitive());
        let out = B::pool_bn_infer(x, weight.clone(), bias, mean.clone(), variance.clone(), eps);
        match prepared {
            OpsKind::Tracked(prepared) => {
                let settings = pool_bn_backward::Settings { eps, training: false };
                prepared.finish(PoolBnState { out: out.clone(), weight, mean, variance, map, settings }, out)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(out),
        }
    }

    fn pool_bn_train(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        running_mean: FloatTensor<Self>,
        running_variance: FloatTensor<Self>,
        settings: pool_bn_train::Settings,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let map = x.shape().dims();
        let prepared = PoolBn.prepare::<C>([x.node(), weight.node(), bias.node()]).compute_bound().stateful();
        let (x, weight, bias) = (x.into_primitive(), weight.into_primitive(), bias.into_primitive());
        let (mean, variance) = (running_mean.into_primitive(), running_variance.into_primitive());
        let (out, running) = B::pool_bn_train(x, weight.clone(), bias, mean.clone(), variance.clone(), settings);
        let out = match prepared {
            OpsKind::Tracked(prepared) => {
                let settings = pool_bn_backward::Settings { eps: settings.eps, training: true };
                prepared.finish(PoolBnState { out: out.clone(), weight, mean, variance, map, settings }, out)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(out),
        };
        (out, FloatTensor::<Self>::new(running))
    }

    fn gem_pool(x: FloatTensor<Self>, p: FloatTensor<Self>) -> FloatTensor<Self> {
        let prepared = GemPool.prepare::<C>([x.node(), p.node()]).compute_bound().stateful();
        let (x, p) = (x.into_primitive(), p.into_primitive());
        let pooled = B::gem_pool(x.clone(), p.clone());
        match prepared {
            OpsKind::Tracked(prepared) => prepared.finish((pooled.clone(), x, p), pooled),
            OpsKind::UnTracked(prepared) => prepared.finish(pooled),
        }
    }

    fn distance(a: FloatTensor<Self>, b: FloatTensor<Self>, metric: Metric) -> FloatTensor<Self> {
        let prepared = Distance.prepare::<C>([a.node(), b.node()]).compute_bound().stateful();
        let (a, b) = (a.into_primitive(), b.into_primitive());
        let out = B::distance(a.clone(), b.clone(), metric);
        match prepared {
            OpsKind::Tracked(prepared) => prepared.finish((a, b, metric), out),
            OpsKind::UnTracked(prepared) => prepared.finish(out),
        }
    }

    fn preprocess(
        image: IntTensor<Self>,
        columns: IntTensor<Self>,
        rows: IntTensor<Self>,
        plan: Plan,
    ) -> FloatTensor<Self> {
        FloatTensor::<Self>::new(B::preprocess(image, columns, rows, plan))
    }
}
