//! Tokens one behind the other.

use super::{Lowering, NodeId, Operator, Pending, Shape};
use crate::graph::frozen::Operation;
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Tensor, Value};
use crate::step;

/// The tokens of the inputs, which have as many channels, one behind the other; a vector is one token.
#[derive(Debug)]
pub struct JoinPlaces;

impl Operator for JoinPlaces {
    fn shape(&self, inputs: &[Shape], _image: [usize; 2]) -> Option<Shape> {
        let channels = inputs.first()?.channels();
        let count = |total: usize, shape: &Shape| match *shape {
            Shape::Tokens([count, own]) if own == channels => total.checked_add(count),
            Shape::Vector(own) if own == channels => total.checked_add(1),
            _ => None,
        };
        Some(Shape::Tokens([inputs.iter().try_fold(0, count)?, channels]))
    }

    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Pending {
        let parts = vec![step::Part::Input; inputs.len()];
        lowering.open(id, Operation::JoinPlaces { parts }, inputs)
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, _layer: &Layer) -> Result<Value, OpError> {
        Ok(Value::Tokens(Tensor::cat(inputs.into_iter().map(Value::in_places).collect(), 1)))
    }
}
