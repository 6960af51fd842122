//! `1 / (1 + exp(−x))`.

use super::{Lowering, NodeId, Operator, Pending, Shape};
use crate::graph::frozen::{Activation, FreezeError};
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Value, activation, each, take};

/// `1 / (1 + exp(−x))`.
#[derive(Debug)]
pub struct Sigmoid;

impl Operator for Sigmoid {
    fn is_in_version_1(&self, _inputs: &[Shape]) -> bool {
        true
    }

    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Result<Pending, FreezeError> {
        Ok(lowering.activation(id, inputs[0], Activation::Sigmoid))
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, _layer: &Layer) -> Result<Value, OpError> {
        let [x] = take(inputs);
        Ok(each!(x, x => activation::sigmoid(x)))
    }
}
