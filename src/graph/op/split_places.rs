//! A run of tokens.

use serde::{Deserialize, Serialize};

use super::{Operator, Shape};

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
}
