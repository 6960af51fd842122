//! Each channel scaled and shifted.

use serde::{Deserialize, Serialize};

use super::{Lowering, NodeId, Operator, Part, Pending, Role, Shape};
use crate::graph::frozen::FreezeError;
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Value, take};

/// Each channel scaled and shifted: `name.{weight,bias}` `[channels]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Affine {
    pub name: String,
    pub channels: usize,
}

impl Operator for Affine {
    named!();

    fn parts(&self, _role: Role) -> Vec<Part> {
        Part::affine(self.channels)
    }

    fn shape(&self, inputs: &[Shape], _image: [usize; 2]) -> Option<Shape> {
        Shape::of_channels(inputs, self.channels)
    }

    fn is_in_version_1(&self, _inputs: &[Shape]) -> bool {
        true
    }

    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Result<Pending, FreezeError> {
        let affine = lowering.affine_of(&self.name);
        Ok(lowering.affine(id, inputs[0], affine))
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, layer: &Layer) -> Result<Value, OpError> {
        let [x] = take(inputs);
        Ok(layer.affine(x))
    }
}
