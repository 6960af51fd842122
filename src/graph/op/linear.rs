//! A fully connected layer.

use serde::{Deserialize, Serialize};

use super::{Convolution, Init, Lowering, NodeId, Operator, Part, Pending, Role, Shape, product};
use crate::graph::Padding;
use crate::graph::budget::whole;
use crate::graph::frozen::FreezeError;
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Value, take};

/// Fully connected, of a vector or of each token: `name.weight` `[outputs, inputs]` and, with `bias`, `name.bias`
/// `[outputs]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Linear {
    pub name: String,
    pub inputs: usize,
    pub outputs: usize,
    pub bias: bool,
}

impl Operator for Linear {
    named!();

    fn parts(&self, role: Role) -> Vec<Part> {
        // The head's N(0, 0.001) is Bag of Tricks'; other layers take torchreid's N(0, 0.01).
        let std = if role == Role::Head { 0.001 } else { 0.01 };
        let mut parts = vec![Part::trained("weight", [self.outputs, self.inputs], Init::Normal(std))];
        if self.bias {
            parts.push(Part::trained("bias", [self.outputs], Init::Constant(0.0)));
        }
        parts
    }

    fn shape(&self, inputs: &[Shape], _image: [usize; 2]) -> Option<Shape> {
        match inputs {
            [x @ (Shape::Vector(_) | Shape::Tokens(_))] if x.channels() == self.inputs => {
                Some(x.with_channels(self.outputs))
            }
            _ => None,
        }
    }

    fn work(&self, _inputs: &[Shape], output: Shape) -> u64 {
        output.count().saturating_mul(self.inputs as u64)
    }

    fn packed(&self) -> Option<u64> {
        Some(product(&[whole(self.inputs), whole(self.outputs)]))
    }

    fn is_in_version_1(&self, _inputs: &[Shape]) -> bool {
        true
    }

    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Result<Pending, FreezeError> {
        // A convolution of 1×1 pixels.
        let convolution = Convolution {
            name: self.name.clone(),
            inputs: self.inputs,
            outputs: self.outputs,
            kernel: [1; 2],
            stride: [1; 2],
            padding: Padding::default(),
            groups: 1,
            bias: self.bias,
            dilation: [1; 2],
        };
        Ok(lowering.convolution(id, &convolution, inputs[0]))
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, layer: &Layer) -> Result<Value, OpError> {
        let [x] = take(inputs);
        let weight = layer.tensor("weight", [self.outputs, self.inputs]).transpose();
        let bias = self.bias.then(|| layer.vector("bias"));
        Ok(match x {
            Value::Tokens(x) => {
                let [n, t, c] = x.dims();
                let y = x.reshape([n * t, c]).matmul(weight);
                let y = bias.into_iter().fold(y, |y, bias| y + bias.unsqueeze());
                Value::Tokens(y.reshape([n, t, self.outputs]))
            }
            x => {
                let y = x.vector().matmul(weight);
                Value::Vector(bias.into_iter().fold(y, |y, bias| y + bias.unsqueeze()))
            }
        })
    }
}
