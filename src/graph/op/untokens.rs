//! Tokens as a map.

use serde::{Deserialize, Serialize};

use super::{Operator, Shape};

/// Tokens as the pixels of a map, row by row: `[height · width, c]` → `[c, height, width]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Untokens {
    pub height: usize,
    pub width: usize,
}

impl Operator for Untokens {
    fn shape(&self, inputs: &[Shape], _image: [usize; 2]) -> Option<Shape> {
        match inputs {
            &[Shape::Tokens([count, channels])] if self.height.checked_mul(self.width) == Some(count) => {
                Some(Shape::Map([channels, self.height, self.width]))
            }
            _ => None,
        }
    }
}
