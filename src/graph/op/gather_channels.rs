//! Channels in another order.

use serde::{Deserialize, Serialize};

use super::{Lowering, NodeId, Operator, Pending, Shape};
use crate::graph::frozen::Operation;
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Value, indices, take};

/// Channel i of the output is channel `channels[i]` of the input: shuffles, colours turned round, runs with gaps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GatherChannels {
    pub channels: Vec<u32>,
}

impl Operator for GatherChannels {
    fn shape(&self, inputs: &[Shape], _image: [usize; 2]) -> Option<Shape> {
        let &[x] = inputs else { return None };
        let is_there = |&channel: &u32| (channel as usize) < x.channels();
        (!self.channels.is_empty() && self.channels.iter().all(is_there)).then(|| x.with_channels(self.channels.len()))
    }

    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Pending {
        lowering.open(id, Operation::GatherChannels { channels: self.channels.clone() }, inputs)
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, _layer: &Layer) -> Result<Value, OpError> {
        let [x] = take(inputs);
        let device = match &x {
            Value::Map(x) => x.device(),
            Value::Tokens(x) => x.device(),
            Value::Vector(x) => x.device(),
        };
        let channels = indices(&self.channels, &device);
        Ok(match x {
            Value::Map(x) => Value::Map(x.select(1, channels)),
            Value::Tokens(x) => Value::Tokens(x.select(2, channels)),
            Value::Vector(x) => Value::Vector(x.select(1, channels)),
        })
    }
}
