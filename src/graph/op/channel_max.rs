//! The largest of the channels of each place.

use super::{Lowering, NodeId, Operator, Pending, Shape};
use crate::graph::frozen::Operation;
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Value, take};

/// The largest of the channels of each pixel or token: a map or tokens of one channel.
#[derive(Debug)]
pub struct ChannelMax;

impl Operator for ChannelMax {
    fn shape(&self, inputs: &[Shape], _image: [usize; 2]) -> Option<Shape> {
        match inputs {
            [x @ (Shape::Map(_) | Shape::Tokens(_))] => Some(x.with_channels(1)),
            _ => None,
        }
    }

    fn work(&self, inputs: &[Shape], _output: Shape) -> u64 {
        inputs.iter().map(|shape| shape.count()).sum()
    }

    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Pending {
        lowering.open(id, Operation::ChannelPool { maximum: true }, inputs)
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, _layer: &Layer) -> Result<Value, OpError> {
        let [x] = take(inputs);
        Ok(match x {
            Value::Map(x) => Value::Map(x.max_dim(1)),
            x => Value::Tokens(x.tokens().max_dim(2)),
        })
    }
}
