//! A map as tokens.

use super::{Lowering, NodeId, Operator, Pending, Shape};
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Value, take};

/// The pixels of a map, row by row, as tokens: `[c, h, w]` → `[h · w, c]`.
#[derive(Debug)]
pub struct Tokens;

impl Operator for Tokens {
    fn shape(&self, inputs: &[Shape], _image: [usize; 2]) -> Option<Shape> {
        match inputs {
            &[Shape::Map([channels, height, width])] => Some(Shape::Tokens([height.checked_mul(width)?, channels])),
            _ => None,
        }
    }

    fn lower(&self, lowering: &mut Lowering, _id: NodeId, inputs: &[NodeId]) -> Pending {
        lowering.view(inputs[0])
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, _layer: &Layer) -> Result<Value, OpError> {
        let [x] = take(inputs);
        Ok(Value::Tokens(x.in_places()))
    }
}
