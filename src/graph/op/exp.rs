//! The exponential function.

use super::{Lowering, NodeId, Operator, Pending};
use crate::graph::frozen::Activation;
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Value, each, take};

/// The exponential function.
#[derive(Debug)]
pub struct Exp;

impl Operator for Exp {
    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Pending {
        lowering.activation(id, inputs[0], Activation::Exp)
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, _layer: &Layer) -> Result<Value, OpError> {
        let [x] = take(inputs);
        Ok(each!(x, x => x.exp()))
    }
}
