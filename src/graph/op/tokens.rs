//! A map as tokens.

use super::{Operator, Shape};

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
}
