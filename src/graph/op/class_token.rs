//! Learned tokens before those of the image.

use serde::{Deserialize, Serialize};

use super::{Init, Operator, Part, Role, Shape};

/// Puts the tokens `name.weight` `[count, channels]` before the others: `[t, c]` → `[count + t, c]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassToken {
    pub name: String,
    pub count: usize,
    pub channels: usize,
}

impl Operator for ClassToken {
    named!();

    fn parts(&self, _role: Role) -> Vec<Part> {
        vec![Part::trained("weight", [self.count, self.channels], Init::Normal(0.02))]
    }

    fn shape(&self, inputs: &[Shape], _image: [usize; 2]) -> Option<Shape> {
        match inputs {
            &[Shape::Tokens([count, channels])] if channels == self.channels => {
                Some(Shape::Tokens([count.checked_add(self.count)?, channels]))
            }
            _ => None,
        }
    }
}
