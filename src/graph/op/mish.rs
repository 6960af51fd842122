//! `x · tanh(ln(1 + exp(x)))` (Misra, arXiv 1908.08681).

use super::{Lowering, NodeId, Operator, Pending};
use crate::graph::frozen::Activation;
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Value, activation, each, take};

/// `x · tanh(ln(1 + exp(x)))` (Misra, arXiv 1908.08681).
#[derive(Debug)]
pub struct Mish;

impl Operator for Mish {
    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Pending {
        lowering.activation(id, inputs[0], Activation::Mish)
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, _layer: &Layer) -> Result<Value, OpError> {
        let [x] = take(inputs);
        Ok(each!(x, x => activation::mish(x)))
    }
}
