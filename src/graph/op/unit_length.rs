//! L2 normalisation.

use serde::{Deserialize, Serialize};

use super::{Lowering, NodeId, Operator, Pending};
use crate::graph::frozen::Operation;
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Tensor, Value, take};

/// The channels of each place — a pixel, a token, or a vector — divided by their Euclidean length, or by `eps` where that
/// is more (`torch.nn.functional.normalize`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnitLength {
    pub eps: f32,
}

impl Operator for UnitLength {
    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Pending {
        lowering.open(id, Operation::UnitLength { eps: self.eps }, inputs)
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, _layer: &Layer) -> Result<Value, OpError> {
        let [x] = take(inputs);
        Ok(match x {
            Value::Map(x) => Value::Map(self.of(x, 1)),
            Value::Tokens(x) => Value::Tokens(self.of(x, 2)),
            Value::Vector(x) => Value::Vector(self.of(x, 1)),
        })
    }
}

#[cfg(feature = "train")]
impl UnitLength {
    fn of<const D: usize>(&self, x: Tensor<D>, axis: usize) -> Tensor<D> {
        // Under the root the square of eps keeps the gradient finite at 0.
        let squares = (x.clone() * x.clone()).sum_dim(axis);
        x / squares.clamp_min(self.eps * self.eps).sqrt()
    }
}
