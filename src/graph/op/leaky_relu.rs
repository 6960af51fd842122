//! `max(x, 0) + slope · min(x, 0)`.

use serde::{Deserialize, Serialize};

use super::{Lowering, NodeId, Operator, Pending};
use crate::graph::frozen::Activation;
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Value, activation, each, take};

/// `max(x, 0) + slope · min(x, 0)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeakyRelu {
    pub slope: f32,
}

impl Operator for LeakyRelu {
    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Pending {
        lowering.activation(id, inputs[0], Activation::LeakyRelu(self.slope))
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, _layer: &Layer) -> Result<Value, OpError> {
        let [x] = take(inputs);
        Ok(each!(x, x => activation::leaky_relu(x, self.slope.into())))
    }
}
