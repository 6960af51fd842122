//! The image.

use serde::{Deserialize, Serialize};

use super::{Lowering, NodeId, Operator, Pending, Shape};
use crate::graph::frozen::FreezeError;

/// The normalised image batch, `[n, channels, height, width]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Input {
    pub channels: usize,
}

impl Operator for Input {
    fn shape(&self, inputs: &[Shape], [height, width]: [usize; 2]) -> Option<Shape> {
        inputs.is_empty().then_some(Shape::Map([self.channels, height, width]))
    }

    fn is_in_version_1(&self, _inputs: &[Shape]) -> bool {
        true
    }

    fn lower(&self, lowering: &mut Lowering, id: NodeId, _inputs: &[NodeId]) -> Result<Pending, FreezeError> {
        Ok(lowering.image(id))
    }
}
