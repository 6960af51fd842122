//! The largest value over all places.

use super::{Lowering, NodeId, Operator, Pending, Shape};
use crate::graph::frozen::Reduce;
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Value, take};

/// The largest value over height and width `[n, c, h, w]` → `[n, c]`, or over the tokens `[n, t, c]` → `[n, c]`.
#[derive(Debug)]
pub struct GlobalMaxPool;

impl Operator for GlobalMaxPool {
    fn shape(&self, inputs: &[Shape], _image: [usize; 2]) -> Option<Shape> {
        Shape::pooled(inputs)
    }

    fn work(&self, inputs: &[Shape], _output: Shape) -> u64 {
        inputs.iter().map(|shape| shape.count()).sum()
    }

    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Pending {
        lowering.global_pool(id, Reduce::Maximum, inputs[0])
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, _layer: &Layer) -> Result<Value, OpError> {
        let [x] = take(inputs);
        Ok(Value::Vector(match x {
            Value::Map(x) => {
                let [n, c, h, w] = x.dims();
                x.reshape([n, c, h * w]).max_dim(2).reshape([n, c])
            }
            x => {
                let x = x.tokens();
                let [n, _, c] = x.dims();
                x.max_dim(1).reshape([n, c])
            }
        }))
    }
}
