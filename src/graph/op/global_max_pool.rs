//! The largest value over all places.

use super::{Operator, Shape};

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
}
