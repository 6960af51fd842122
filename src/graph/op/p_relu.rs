//! A ReLU that keeps a part of what is negative, learned for each channel (He et al., arXiv 1502.01852).

use serde::{Deserialize, Serialize};

use super::{Init, Lowering, NodeId, Operator, Part, Pending, Role, Shape};
use crate::graph::frozen::{Activation, FreezeError};
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Value, activation, take};

/// `max(x, 0) + weight · min(x, 0)`: `name.weight` `[channels]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PRelu {
    pub name: String,
    pub channels: usize,
}

impl Operator for PRelu {
    named!();

    fn parts(&self, _role: Role) -> Vec<Part> {
        vec![Part::trained("weight", [self.channels], Init::Constant(0.25))]
    }

    fn shape(&self, inputs: &[Shape], _image: [usize; 2]) -> Option<Shape> {
        Shape::of_channels(inputs, self.channels)
    }

    fn is_in_version_1(&self, _inputs: &[Shape]) -> bool {
        true
    }

    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Result<Pending, FreezeError> {
        let slopes = lowering.tensor(&self.name, "weight");
        Ok(lowering.activation(id, inputs[0], Activation::PRelu(slopes)))
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, layer: &Layer) -> Result<Value, OpError> {
        let [x] = take(inputs);
        let slopes = layer.vector("weight");
        Ok(match x {
            Value::Map(x) => Value::Map(activation::prelu(x, slopes)),
            Value::Tokens(x) => Value::Tokens(activation::prelu(x.swap_dims(1, 2), slopes).swap_dims(1, 2)),
            Value::Vector(x) => Value::Vector(activation::prelu(x, slopes)),
        })
    }
}
