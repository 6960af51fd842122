//! `ln(1 + exp(x))`.

use super::{Lowering, NodeId, Operator, Pending};
use crate::graph::frozen::Activation;
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Value, activation, each, take};

/// `ln(1 + exp(x))`.
#[derive(Debug)]
pub struct Softplus;

impl Operator for Softplus {
    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Pending {
        lowering.activation(id, inputs[0], Activation::Softplus)
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, _layer: &Layer) -> Result<Value, OpError> {
        let [x] = take(inputs);
        Ok(each!(x, x => activation::softplus(x, 1.0)))
    }
}
