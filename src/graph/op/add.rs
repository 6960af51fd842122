//! The sum of two values.

use super::{Lowering, NodeId, Operator, Pending, Shape};
use crate::graph::frozen::FreezeError;
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Value, pair, take};

/// The sum of two values of the same shape.
#[derive(Debug)]
pub struct Add;

impl Operator for Add {
    fn shape(&self, inputs: &[Shape], _image: [usize; 2]) -> Option<Shape> {
        Shape::equal(inputs)
    }

    fn is_in_version_1(&self, _inputs: &[Shape]) -> bool {
        true
    }

    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Result<Pending, FreezeError> {
        Ok(lowering.add(id, inputs[0], inputs[1]))
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, _layer: &Layer) -> Result<Value, OpError> {
        let [a, b] = take(inputs);
        Ok(pair!(a, b, (a, b) => a + b))
    }
}
