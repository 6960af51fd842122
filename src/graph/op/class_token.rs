//! Learned tokens before those of the image.

use serde::{Deserialize, Serialize};

use super::{Init, Lowering, NodeId, Operator, Part, Pending, Role, Shape};
use crate::graph::frozen::Operation;
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Tensor, Value, take};
use crate::step;

/// Puts the tokens `name.weight` `[count, channels]` before the others: `[t, c]` → `[count + t, c]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassToken {
    pub name: String,
    pub count: usize,
    pub channels: usize,
}

impl Operator for ClassToken {
    named!();

    fn parts(&self, _role: Role) -> Vec<Part> {
        vec![Part::trained("weight", [self.count, self.channels], Init::Normal(0.02))]
    }

    fn shape(&self, inputs: &[Shape], _image: [usize; 2]) -> Option<Shape> {
        match inputs {
            &[Shape::Tokens([count, channels])] if channels == self.channels && self.count > 0 => {
                Some(Shape::Tokens([count.checked_add(self.count)?, channels]))
            }
            _ => None,
        }
    }

    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Pending {
        let tokens = lowering.tensor(&self.name, "weight");
        let parts = vec![step::Part::Constant(tokens), step::Part::Input];
        lowering.open(id, Operation::JoinPlaces { parts }, inputs)
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, layer: &Layer) -> Result<Value, OpError> {
        let [x] = take(inputs);
        let x = x.tokens();
        let [n, _, channels] = x.dims();
        let tokens = layer.tensor("weight", [1, self.count, channels]).expand([n, self.count, channels]);
        Ok(Value::Tokens(Tensor::cat(vec![tokens, x], 1)))
    }
}
