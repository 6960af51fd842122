//! Batch normalisation.

use serde::{Deserialize, Serialize};

use super::{Init, Lowering, NodeId, Operator, ParameterKind, Part, Pending, Role, Shape, eps, is_usual};
use crate::graph::frozen::{Affine, FreezeError};
#[cfg(feature = "train")]
use crate::ops::{self, Layer, OpError, Tensor, Value, pool_bn, take};

/// Batch normalisation of each channel: `name.{weight,bias,running_mean,running_var}` `[channels]`. A frozen bias is never
/// trained (the BN neck of Bag of Tricks).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchNorm {
    pub name: String,
    pub channels: usize,
    pub bias_frozen: bool,
    #[serde(default = "eps", skip_serializing_if = "is_usual")]
    pub eps: f32,
}

/// How much of a batch's statistics enters the running ones.
#[cfg(feature = "train")]
const MOMENTUM: f64 = 0.1;

impl Operator for BatchNorm {
    named!();

    fn parts(&self, _role: Role) -> Vec<Part> {
        let bias = if self.bias_frozen { ParameterKind::Frozen } else { ParameterKind::Trained };
        let part = |name, kind, value| Part { name, shape: vec![self.channels], kind, init: Init::Constant(value) };
        vec![
            part("weight", ParameterKind::Trained, 1.0),
            part("bias", bias, 0.0),
            part("running_mean", ParameterKind::Running, 0.0),
            part("running_var", ParameterKind::Running, 1.0),
        ]
    }

    fn shape(&self, inputs: &[Shape], _image: [usize; 2]) -> Option<Shape> {
        Shape::of_channels(inputs, self.channels)
    }

    fn is_in_version_1(&self, _inputs: &[Shape]) -> bool {
        is_usual(&self.eps)
    }

    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Result<Pending, FreezeError> {
        let [weight, bias, mean, variance] =
            ["weight", "bias", "running_mean", "running_var"].map(|part| lowering.tensor(&self.name, part));
        let scale: Vec<f32> = weight.iter().zip(&variance).map(|(w, v)| w / (v + self.eps).sqrt()).collect();
        let shift = bias.iter().zip(&mean).zip(&scale).map(|((bias, mean), scale)| bias - mean * scale);
        Ok(lowering.affine(id, inputs[0], Affine { shift: shift.collect(), scale }))
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, layer: &Layer) -> Result<Value, OpError> {
        let [x] = take(inputs);
        self.normalised(x, layer, false)
    }
}

#[cfg(feature = "train")]
impl BatchNorm {
    /// With the ReLU that follows, where `relu`; in training the batch's statistics also move the running ones.
    pub(crate) fn normalised(&self, x: Value, layer: &Layer, relu: bool) -> Result<Value, OpError> {
        Ok(match x {
            Value::Map(x) => Value::Map(self.of(x, layer, relu)?),
            Value::Tokens(x) => Value::Tokens(self.of(x.swap_dims(1, 2), layer, relu)?.swap_dims(1, 2)),
            Value::Vector(x) => Value::Vector(self.of(x, layer, relu)?),
        })
    }

    fn of<const D: usize>(&self, x: Tensor<D>, layer: &Layer, relu: bool) -> Result<Tensor<D>, OpError> {
        let settings = ops::batch_norm::Settings { eps: self.eps, relu };
        let [weight, bias] = ["weight", "bias"].map(|part| layer.vector(part));
        let [mean, variance] = ["running_mean", "running_var"].map(|part| layer.running(part));
        if !layer.training {
            let values = [weight, bias, mean.value_sync(), variance.value_sync()];
            return ops::batch_norm::infer(x, values, settings);
        }
        let count = x.dims().iter().product::<usize>() / self.channels;
        let result = ops::batch_norm::train(x, weight, bias, settings)?;
        // The population variance; PyTorch keeps the unbiased one.
        let unbiased = count as f64 / (count as f64 - 1.0);
        for (running, batch) in [(mean, result.mean), (variance, result.variance * unbiased)] {
            running.update((running.value_sync() * (1.0 - MOMENTUM) + batch.detach() * MOMENTUM).detach());
        }
        Ok(result.output)
    }

    /// A map's mean over its pixels and that normalised, in one pass: the feature and the BN neck after it.
    pub(crate) fn pooled(&self, x: Tensor<4>, layer: &Layer) -> Result<(Tensor<2>, Tensor<2>), OpError> {
        let [weight, bias] = ["weight", "bias"].map(|part| layer.vector(part));
        let [mean, variance] = ["running_mean", "running_var"].map(|part| layer.running(part));
        let (old_mean, old_variance) = (mean.value_sync(), variance.value_sync());
        if !layer.training {
            return pool_bn::infer(x, weight, bias, old_mean, old_variance, self.eps);
        }
        let settings = pool_bn::Settings { eps: self.eps, momentum: MOMENTUM as f32 };
        let result = pool_bn::train(x, weight, bias, old_mean, old_variance, settings)?;
        mean.update(result.running_mean);
        variance.update(result.running_variance);
        Ok((result.feature, result.embedding))
    }
}
