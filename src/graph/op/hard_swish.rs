//! `x · min(max(x + 3, 0), 6) / 6` (Howard et al., arXiv 1905.02244).

use super::{Lowering, NodeId, Operator, Pending};
use crate::graph::frozen::Activation;
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Value, each, take};

/// `x · min(max(x + 3, 0), 6) / 6` (Howard et al., arXiv 1905.02244).
#[derive(Debug)]
pub struct HardSwish;

impl Operator for HardSwish {
    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Pending {
        lowering.activation(id, inputs[0], Activation::HardSwish)
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, _layer: &Layer) -> Result<Value, OpError> {
        let [x] = take(inputs);
        Ok(each!(x, x => x.clone() * (x / 6.0 + 0.5).clamp(0.0, 1.0)))
    }
}
