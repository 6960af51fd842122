//! The mean over all places.

use super::{Lowering, NodeId, Operator, Pending, Shape};
use crate::graph::frozen::{FreezeError, Reduce};
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Value, take};

/// The mean over height and width `[n, c, h, w]` → `[n, c]`, or over the tokens `[n, t, c]` → `[n, c]`.
#[derive(Debug)]
pub struct GlobalAveragePool;

impl Operator for GlobalAveragePool {
    fn shape(&self, inputs: &[Shape], _image: [usize; 2]) -> Option<Shape> {
        Shape::pooled(inputs)
    }

    fn work(&self, inputs: &[Shape], _output: Shape) -> u64 {
        inputs.iter().map(|shape| shape.count()).sum()
    }

    fn is_in_version_1(&self, _inputs: &[Shape]) -> bool {
        true
    }

    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Result<Pending, FreezeError> {
        Ok(lowering.global_pool(id, Reduce::Mean, inputs[0]))
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, _layer: &Layer) -> Result<Value, OpError> {
        let [x] = take(inputs);
        Ok(Value::Vector(match x {
            Value::Map(x) => {
                let [n, c, h, w] = x.dims();
                x.reshape([n, c, h * w]).mean_dim(2).reshape([n, c])
            }
            x => {
                let x = x.tokens();
                let [n, _, c] = x.dims();
                x.mean_dim(1).reshape([n, c])
            }
        }))
    }
}
