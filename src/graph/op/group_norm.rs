//! Group normalisation (Wu & He, arXiv 1803.08494).

use serde::{Deserialize, Serialize};

use super::{Lowering, NodeId, Operator, Part, Pending, Role, Shape, eps, is_usual, splits};
use crate::graph::frozen::FreezeError;
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Tensor, Value, take};

/// Affine group normalisation of a map or a vector: each image's channels in `groups` runs of equal length, every run to
/// mean 0 and variance 1; then `name.{weight,bias}` `[channels]` scale and shift each channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupNorm {
    pub name: String,
    pub channels: usize,
    pub groups: usize,
    #[serde(default = "eps", skip_serializing_if = "is_usual")]
    pub eps: f32,
}

impl Operator for GroupNorm {
    named!();

    fn parts(&self, _role: Role) -> Vec<Part> {
        Part::affine(self.channels)
    }

    fn shape(&self, inputs: &[Shape], _image: [usize; 2]) -> Option<Shape> {
        Shape::of_channels(inputs, self.channels).filter(|_| splits(self.channels, self.groups))
    }

    fn is_in_version_1(&self, _inputs: &[Shape]) -> bool {
        is_usual(&self.eps)
    }

    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Result<Pending, FreezeError> {
        Ok(lowering.group_norm(id, self.groups, self.eps, &self.name, inputs[0]))
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, layer: &Layer) -> Result<Value, OpError> {
        let [x] = take(inputs);
        let value = match x {
            Value::Map(x) => Value::Map(level(x, self.groups, self.eps)),
            Value::Tokens(x) => Value::Tokens(level(x.swap_dims(1, 2), self.groups, self.eps).swap_dims(1, 2)),
            Value::Vector(x) => Value::Vector(level(x, self.groups, self.eps)),
        };
        Ok(layer.affine(value))
    }
}

/// Each image's runs of channels to mean 0 and variance 1; the channels are the second dimension.
#[cfg(feature = "train")]
pub(super) fn level<const D: usize>(x: Tensor<D>, groups: usize, eps: f32) -> Tensor<D> {
    let dims = x.dims();
    let values = dims[1..].iter().product::<usize>() / groups;
    let x = x.reshape([dims[0], groups, values]);
    let mean = x.clone().mean_dim(2);
    let centred = x - mean;
    let variance = (centred.clone() * centred.clone()).mean_dim(2);
    (centred / (variance + eps).sqrt()).reshape(dims)
}
