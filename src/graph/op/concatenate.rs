//! Channels one behind the other.

use super::{Lowering, NodeId, Operator, Pending, Shape};
use crate::graph::frozen::{FreezeError, Operation};
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Tensor, Value};

/// The inputs, alike but for their channels, joined along these.
#[derive(Debug)]
pub struct Concatenate;

impl Operator for Concatenate {
    fn shape(&self, inputs: &[Shape], _image: [usize; 2]) -> Option<Shape> {
        let (first, rest) = inputs.split_first()?;
        let total = inputs.iter().try_fold(0_usize, |total, shape| total.checked_add(shape.channels()))?;
        let joined = first.with_channels(total);
        rest.iter().all(|shape| shape.with_channels(total) == joined).then_some(joined)
    }

    fn is_in_version_1(&self, _inputs: &[Shape]) -> bool {
        true
    }

    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Result<Pending, FreezeError> {
        Ok(lowering.open(id, Operation::Concatenate, inputs))
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, _layer: &Layer) -> Result<Value, OpError> {
        Ok(match inputs.first() {
            Some(Value::Map(_)) => Value::Map(Tensor::cat(inputs.into_iter().map(Value::map).collect(), 1)),
            Some(Value::Tokens(_)) => Value::Tokens(Tensor::cat(inputs.into_iter().map(Value::tokens).collect(), 2)),
            _ => Value::Vector(Tensor::cat(inputs.into_iter().map(Value::vector).collect(), 1)),
        })
    }
}
