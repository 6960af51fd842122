//! A run of channels.

use serde::{Deserialize, Serialize};

use super::{Lowering, NodeId, Operator, Pending, Shape};
use crate::graph::frozen::{FreezeError, Operation};
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Value, take};

/// The channels `start .. start + length`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Split {
    pub start: usize,
    pub length: usize,
}

impl Operator for Split {
    fn shape(&self, inputs: &[Shape], _image: [usize; 2]) -> Option<Shape> {
        match inputs {
            [x] if self.start.checked_add(self.length)? <= x.channels() => Some(x.with_channels(self.length)),
            _ => None,
        }
    }

    fn is_in_version_1(&self, _inputs: &[Shape]) -> bool {
        true
    }

    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Result<Pending, FreezeError> {
        Ok(lowering.open(id, Operation::Slice { start: self.start }, inputs))
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, _layer: &Layer) -> Result<Value, OpError> {
        let [x] = take(inputs);
        Ok(match x {
            Value::Map(x) => Value::Map(x.narrow(1, self.start, self.length)),
            Value::Tokens(x) => Value::Tokens(x.narrow(2, self.start, self.length)),
            Value::Vector(x) => Value::Vector(x.narrow(1, self.start, self.length)),
        })
    }
}
