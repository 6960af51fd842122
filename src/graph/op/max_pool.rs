//! The largest value under a window that moves over a map.

use serde::{Deserialize, Serialize};

use super::{Lowering, NodeId, Operator, Pending, Shape, product};
use crate::graph::Pool;
use crate::graph::frozen::{FreezeError, Operation};
#[cfg(feature = "train")]
use crate::graph::Padding;
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Value, padded, pool::max_pool, take};

/// The largest value under each window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MaxPool(pub Pool);

impl Operator for MaxPool {
    fn shape(&self, inputs: &[Shape], _image: [usize; 2]) -> Option<Shape> {
        self.0.shape(inputs)
    }

    fn work(&self, _inputs: &[Shape], output: Shape) -> u64 {
        output.count().saturating_mul(product(&self.0.kernel))
    }

    fn is_in_version_1(&self, _inputs: &[Shape]) -> bool {
        self.0.padding.symmetric().is_some() && self.0.count_padding
    }

    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Result<Pending, FreezeError> {
        Ok(lowering.open(id, Operation::Pool { maximum: true, window: self.0 }, inputs))
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, _layer: &Layer) -> Result<Value, OpError> {
        let [x] = take(inputs);
        let pool = self.0;
        if pool.padding.symmetric().is_some() {
            return Ok(Value::Map(max_pool(x.map(), pool)?));
        }
        // The padding is never the largest.
        let x = padded(x.map(), pool.padding, f32::MIN);
        Ok(Value::Map(max_pool(x, Pool { padding: Padding::NONE, ..pool })?))
    }
}
