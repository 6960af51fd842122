//! `min(max(slope · x + offset, 0), 1)`: PyTorch's with 1/6 and 0.5.

use serde::{Deserialize, Serialize};

use super::{Lowering, NodeId, Operator, Pending};
use crate::graph::frozen::Activation;
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Value, each, take};

/// `min(max(slope · x + offset, 0), 1)`: PyTorch's with 1/6 and 0.5.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HardSigmoid {
    pub slope: f32,
    pub offset: f32,
}

impl Operator for HardSigmoid {
    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Pending {
        lowering.activation(id, inputs[0], Activation::HardSigmoid { slope: self.slope, offset: self.offset })
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, _layer: &Layer) -> Result<Value, OpError> {
        let [x] = take(inputs);
        Ok(each!(x, x => (x * self.slope + self.offset).clamp(0.0, 1.0)))
    }
}
