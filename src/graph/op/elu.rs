//! `x` where it is positive, else `alpha · (exp(x) − 1)` (Clevert et al., arXiv 1511.07289).

use serde::{Deserialize, Serialize};

use super::{Lowering, NodeId, Operator, Pending};
use crate::graph::frozen::Activation;
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Value, activation, each, take};

/// `x` where it is positive, else `alpha · (exp(x) − 1)` (Clevert et al., arXiv 1511.07289).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Elu {
    pub alpha: f32,
}

impl Operator for Elu {
    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Pending {
        lowering.activation(id, inputs[0], Activation::Elu(self.alpha))
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, _layer: &Layer) -> Result<Value, OpError> {
        let [x] = take(inputs);
        Ok(each!(x, x => activation::elu(x.clone().clamp_max(0.0), self.alpha.into()) + activation::relu(x)))
    }
}
