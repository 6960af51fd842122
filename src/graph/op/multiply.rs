//! The product of two values.

use super::{Lowering, NodeId, Operator, Pending, Shape};
use crate::graph::frozen::{Combine, FreezeError};
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Value, pair, scale_channels::scale_channels, take};

/// The product of two values of the same shape; or the second is a vector that scales the channels of the first (a map or
/// tokens), or has one channel and scales the places of the first.
#[derive(Debug)]
pub struct Multiply;

impl Operator for Multiply {
    fn shape(&self, inputs: &[Shape], _image: [usize; 2]) -> Option<Shape> {
        match inputs {
            [a, b] if a == b || *b == Shape::Vector(a.channels()) || *b == a.with_channels(1) => Some(*a),
            _ => None,
        }
    }

    fn is_in_version_1(&self, inputs: &[Shape]) -> bool {
        matches!(inputs, [a, b] if a == b || *b == Shape::Vector(a.channels()))
    }

    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Result<Pending, FreezeError> {
        let [a, b] = [inputs[0], inputs[1]].map(|input| lowering.shape(input));
        let combine = match b {
            b if a == b => Combine::Multiply,
            Shape::Vector(channels) if channels == a.channels() => Combine::Scale,
            _ => Combine::Place,
        };
        Ok(lowering.elementwise(id, combine, None, inputs))
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, _layer: &Layer) -> Result<Value, OpError> {
        let [a, b] = take(inputs);
        Ok(match (a, b) {
            (Value::Map(a), Value::Vector(b)) => Value::Map(scale_channels(a, b)?),
            (Value::Tokens(a), Value::Vector(b)) => {
                let [n, c] = b.dims();
                Value::Tokens(a * b.reshape([n, 1, c]))
            }
            // burn spreads one channel over all.
            (a, b) => pair!(a, b, (a, b) => a * b),
        })
    }
}
