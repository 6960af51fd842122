//! Numbers that go by the place, such as the embedding of positions.

use serde::{Deserialize, Serialize};

use super::{Init, Lowering, NodeId, Operator, Part, Pending, Role, Shape};
use crate::graph::frozen::{Combine, Operation, lower::transposed};
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Value, each, take};

/// Adds `name.weight`, which has the shape of the value: `[t, c]` for tokens, `[c, h, w]` for a map, `[c]` for a vector; or,
/// with `scales`, multiplies by it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    pub name: String,
    /// The shape of the value and of the parameter.
    pub shape: Vec<usize>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub scales: bool,
}

impl Operator for Place {
    named!();

    fn parts(&self, _role: Role) -> Vec<Part> {
        // Vision transformers begin with N(0, 0.02).
        let init = if self.scales { Init::Constant(1.0) } else { Init::Normal(0.02) };
        vec![Part::trained("weight", self.shape.clone(), init)]
    }

    fn shape(&self, inputs: &[Shape], _image: [usize; 2]) -> Option<Shape> {
        match inputs {
            [x] if x.dims() == self.shape => Some(*x),
            _ => None,
        }
    }

    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Pending {
        let values = lowering.tensor(&self.name, "weight");
        let combine = if self.scales { Combine::Multiply } else { Combine::Add };
        let values = match *self.shape {
            // Channels last.
            [channels, height, width] => transposed(&values, channels, height * width),
            _ => values,
        };
        lowering.open(id, Operation::Constant { combine, values }, inputs)
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, layer: &Layer) -> Result<Value, OpError> {
        let [x] = take(inputs);
        let weight = layer.vector("weight");
        let scales = self.scales;
        Ok(each!(x, x => {
            let mut dims = x.dims();
            dims[0] = 1;
            let weight = weight.reshape(dims);
            if scales { x * weight } else { x + weight }
        }))
    }
}
