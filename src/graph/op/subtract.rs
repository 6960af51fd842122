//! The difference of two values.

use super::{Lowering, NodeId, Operator, Pending, Shape};
use crate::graph::frozen::Combine;
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Value, pair, take};

/// The first less the second, which has the same shape.
#[derive(Debug)]
pub struct Subtract;

impl Operator for Subtract {
    fn shape(&self, inputs: &[Shape], _image: [usize; 2]) -> Option<Shape> {
        Shape::equal(inputs)
    }

    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Pending {
        lowering.elementwise(id, Combine::Subtract, None, inputs)
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, _layer: &Layer) -> Result<Value, OpError> {
        let [a, b] = take(inputs);
        Ok(pair!(a, b, (a, b) => a - b))
    }
}
