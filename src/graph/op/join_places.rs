//! Tokens one behind the other.

use super::{Operator, Shape};

/// The tokens of the inputs, which have as many channels, one behind the other; a vector is one token.
#[derive(Debug)]
pub struct JoinPlaces;

impl Operator for JoinPlaces {
    fn shape(&self, inputs: &[Shape], _image: [usize; 2]) -> Option<Shape> {
        let channels = inputs.first()?.channels();
        let count = |total: usize, shape: &Shape| match *shape {
            Shape::Tokens([count, own]) if own == channels => total.checked_add(count),
            Shape::Vector(own) if own == channels => total.checked_add(1),
            _ => None,
        };
        Some(Shape::Tokens([inputs.iter().try_fold(0, count)?, channels]))
    }
}
