//! The mean under a window that moves over a map.

use serde::{Deserialize, Serialize};

use super::{Lowering, NodeId, Operator, Pending, Shape, product};
use crate::graph::Pool;
use crate::graph::frozen::{FreezeError, Operation};
#[cfg(feature = "train")]
use crate::graph::Padding;
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Tensor, Value, padded, pool::average_pool, take};

/// The mean under each window. The padding counts as zeros, or not at all where the window says so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AveragePool(pub Pool);

impl Operator for AveragePool {
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
        Ok(lowering.open(id, Operation::Pool { maximum: false, window: self.0 }, inputs))
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, _layer: &Layer) -> Result<Value, OpError> {
        let [x] = take(inputs);
        let (x, pool) = (x.map(), self.0);
        let bare = Pool { padding: Padding::NONE, count_padding: true, ..pool };
        if pool.padding == Padding::NONE {
            return Ok(Value::Map(average_pool(x, bare)?));
        }
        if pool.count_padding && pool.padding.symmetric().is_some() {
            return Ok(Value::Map(average_pool(x, pool)?));
        }
        let mean = average_pool(padded(x.clone(), pool.padding, 0.0), bare)?;
        if pool.count_padding {
            return Ok(Value::Map(mean));
        }
        // Each mean is of the pixels alone: divided by their part of the window.
        let [_, _, height, width] = x.dims();
        let pixels = padded(Tensor::ones([1, 1, height, width], &x.device()), pool.padding, 0.0);
        Ok(Value::Map(mean / average_pool(pixels, bare)?.detach()))
    }
}
