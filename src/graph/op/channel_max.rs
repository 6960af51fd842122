//! The largest of the channels of each place.

use super::{Operator, Shape};

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
}
