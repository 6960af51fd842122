//! `min(max(x, min), max)`: with 0 and 6 ReLU6.

use serde::{Deserialize, Serialize};

use super::{Lowering, NodeId, Operator, Pending};
use crate::graph::frozen::Activation;
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Value, each, take};

/// `min(max(x, min), max)`: with 0 and 6 ReLU6.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clip {
    pub min: f32,
    pub max: f32,
}

impl Operator for Clip {
    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Pending {
        lowering.activation(id, inputs[0], Activation::Clip { min: self.min, max: self.max })
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, _layer: &Layer) -> Result<Value, OpError> {
        let [x] = take(inputs);
        Ok(each!(x, x => x.clamp(self.min, self.max)))
    }
}
