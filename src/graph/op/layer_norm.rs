//! Layer normalisation (Ba et al., arXiv 1607.06450).

use serde::{Deserialize, Serialize};

use super::{Operator, Part, Role, Shape, eps, is_usual};

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
}
