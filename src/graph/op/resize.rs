//! A map in another size.

use serde::{Deserialize, Serialize};

use super::{Operator, Shape};

/// A map resized to `height` × `width` pixels, without a blur before it is made smaller.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resize {
    pub height: usize,
    pub width: usize,
    pub filter: ResizeFilter,
    pub rule: ResizeRule,
}

/// What a pixel is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResizeFilter {
    /// The pixel that it lies in.
    Nearest,
    /// The four pixels around it.
    Bilinear,
}

/// Where a pixel lies in the map before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResizeRule {
    /// `(x + 0.5) / scale − 0.5`
    HalfPixel,
    /// The corners lie on the corners: `x · (before − 1) / (after − 1)`.
    AlignCorners,
    /// `x / scale`
    Asymmetric,
}

impl Operator for Resize {
    fn shape(&self, inputs: &[Shape], _image: [usize; 2]) -> Option<Shape> {
        match inputs {
            &[Shape::Map([channels, ..])] if self.height > 0 && self.width > 0 => {
                Some(Shape::Map([channels, self.height, self.width]))
            }
            _ => None,
        }
    }

    fn work(&self, _inputs: &[Shape], output: Shape) -> u64 {
        output.count().saturating_mul(4)
    }
}
