//! A map in another size.

use serde::{Deserialize, Serialize};

use super::{Lowering, NodeId, Operator, Pending, Shape};
use crate::graph::frozen::Operation;
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Tensor, Value, take};
use crate::step::{ResizeFilter, ResizeRule};

/// A map resized to `height` × `width` pixels, without a blur before it is made smaller.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resize {
    pub height: usize,
    pub width: usize,
    pub filter: ResizeFilter,
    pub rule: ResizeRule,
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

    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Pending {
        let operation = Operation::Resize { filter: self.filter, rule: self.rule };
        lowering.open(id, operation, inputs)
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, _layer: &Layer) -> Result<Value, OpError> {
        let [x] = take(inputs);
        let x = x.map();
        let [_, _, height, width] = x.dims();
        let device = x.device();
        let matrix = |from: usize, to: usize| {
            Tensor::<1>::from_floats(&self.weights(from, to)[..], &device).reshape([1, 1, to, from])
        };
        // Along each axis an output is a sum of few inputs: a product with a matrix of zeros and their weights.
        let (rows, columns) = (matrix(height, self.height), matrix(width, self.width));
        Ok(Value::Map(rows.matmul(x).matmul(columns.transpose())))
    }
}

#[cfg(feature = "train")]
impl Resize {
    /// How much of each of `from` values goes into each of `to`: `[to, from]`.
    fn weights(&self, from: usize, to: usize) -> Vec<f32> {
        let mut weights = vec![0.0; to * from];
        let last = (from - 1) as f64;
        let ratio = from as f64 / to as f64;
        for (place, row) in weights.chunks_exact_mut(from).enumerate() {
            let at = match self.rule {
                ResizeRule::HalfPixel => (place as f64 + 0.5) * ratio - 0.5,
                ResizeRule::AlignCorners if to == 1 => 0.0,
                ResizeRule::AlignCorners => place as f64 * last / (to - 1) as f64,
                ResizeRule::Asymmetric => place as f64 * ratio,
            };
            match (self.filter, self.rule) {
                (ResizeFilter::Nearest, ResizeRule::Asymmetric) => row[place * from / to] = 1.0,
                // Between two pixels it is the first.
                (ResizeFilter::Nearest, _) => row[(at - 0.5).ceil().clamp(0.0, last) as usize] = 1.0,
                (ResizeFilter::Bilinear, _) => {
                    let at = at.clamp(0.0, last);
                    let part = at.fract() as f32;
                    row[at as usize] += 1.0 - part;
                    row[at.ceil() as usize] += part;
                }
            }
        }
        weights
    }
}
