//! Layer normalisation (Ba et al., arXiv 1607.06450).

use serde::{Deserialize, Serialize};

use super::{Lowering, NodeId, Operator, Part, Pending, Role, Shape, eps, is_usual};
use crate::graph::frozen::{Activation, Operation};
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Tensor, Value, take};

/// The channels of each place — a pixel, a token, or a vector — to mean 0 and variance 1, then scaled and shifted by
/// `name.{weight,bias}` `[channels]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerNorm {
    pub name: String,
    pub channels: usize,
    #[serde(default = "eps", skip_serializing_if = "is_usual")]
    pub eps: f32,
}

impl Operator for LayerNorm {
    named!();

    fn parts(&self, _role: Role) -> Vec<Part> {
        Part::affine(self.channels)
    }

    fn shape(&self, inputs: &[Shape], _image: [usize; 2]) -> Option<Shape> {
        Shape::of_channels(inputs, self.channels)
    }

    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Pending {
        let affine = lowering.affine_of(&self.name);
        let operation = Operation::LayerNorm { eps: self.eps, affine, activation: Activation::None };
        lowering.open(id, operation, inputs)
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, layer: &Layer) -> Result<Value, OpError> {
        let [x] = take(inputs);
        let value = match x {
            Value::Map(x) => Value::Map(level(x, 1, self.eps)),
            Value::Tokens(x) => Value::Tokens(level(x, 2, self.eps)),
            Value::Vector(x) => Value::Vector(level(x, 1, self.eps)),
        };
        Ok(layer.affine(value))
    }
}

/// To mean 0 and variance 1 along an axis.
#[cfg(feature = "train")]
fn level<const D: usize>(x: Tensor<D>, axis: usize, eps: f32) -> Tensor<D> {
    let mean = x.clone().mean_dim(axis);
    let centred = x - mean;
    let variance = (centred.clone() * centred.clone()).mean_dim(axis);
    centred / (variance + eps).sqrt()
}
