//! A run of tokens.

use serde::{Deserialize, Serialize};

use super::{Lowering, NodeId, Operator, Pending, Shape};
use crate::graph::frozen::Operation;
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Value, take};

/// The tokens `start .. start + length`; with `vector`, the only one as a vector `[c]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SplitPlaces {
    pub start: usize,
    pub length: usize,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub vector: bool,
}

impl Operator for SplitPlaces {
    fn shape(&self, inputs: &[Shape], _image: [usize; 2]) -> Option<Shape> {
        let &[Shape::Tokens([count, channels])] = inputs else { return None };
        let is_there = self.length > 0 && self.start.checked_add(self.length)? <= count;
        match self.vector {
            false => is_there.then_some(Shape::Tokens([self.length, channels])),
            true => (is_there && self.length == 1).then_some(Shape::Vector(channels)),
        }
    }

    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Pending {
        let places = (self.start..self.start + self.length).map(|place| place as u32).collect();
        lowering.open(id, Operation::Gather { places }, inputs)
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, _layer: &Layer) -> Result<Value, OpError> {
        let [x] = take(inputs);
        let x = x.tokens().narrow(1, self.start, self.length);
        let [n, _, channels] = x.dims();
        Ok(if self.vector { Value::Vector(x.reshape([n, channels])) } else { Value::Tokens(x) })
    }
}
