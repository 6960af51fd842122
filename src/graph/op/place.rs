//! Numbers that go by the place, such as the embedding of positions.

use serde::{Deserialize, Serialize};

use super::{Init, Operator, Part, Role, Shape};

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
}
