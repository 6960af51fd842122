//! The difference of two values.

use super::{Operator, Shape};

/// The first less the second, which has the same shape.
#[derive(Debug)]
pub struct Subtract;

impl Operator for Subtract {
    fn shape(&self, inputs: &[Shape], _image: [usize; 2]) -> Option<Shape> {
        Shape::equal(inputs)
    }
}
