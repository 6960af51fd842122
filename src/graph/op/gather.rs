//! Places in another order.

use serde::{Deserialize, Serialize};

use super::{Lowering, NodeId, Operator, Pending, Shape};
use crate::graph::frozen::Operation;
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Value, indices, take};

/// Place i of the output is place `places[i]` of the input, whose pixels are counted row by row: windows, shifts, flips,
/// transposed maps, strides. It gives tokens, or with `map` a map of that height and width.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gather {
    pub places: Vec<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map: Option<[usize; 2]>,
}

impl Operator for Gather {
    fn shape(&self, inputs: &[Shape], _image: [usize; 2]) -> Option<Shape> {
        let &[x @ (Shape::Map(_) | Shape::Tokens(_))] = inputs else { return None };
        let (count, channels) = (self.places.len(), x.channels());
        let is_there = count > 0 && self.places.iter().all(|&place| (place as usize) < x.places());
        match self.map {
            None => is_there.then_some(Shape::Tokens([count, channels])),
            Some([height, width]) => {
                let fits = is_there && height.checked_mul(width) == Some(count);
                fits.then_some(Shape::Map([channels, height, width]))
            }
        }
    }

    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Pending {
        lowering.open(id, Operation::Gather { places: self.places.clone() }, inputs)
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, _layer: &Layer) -> Result<Value, OpError> {
        let [x] = take(inputs);
        let x = x.in_places();
        let picked = x.clone().select(1, indices(&self.places, &x.device()));
        Ok(match self.map {
            None => Value::Tokens(picked),
            Some(size) => Value::of_places(picked, size),
        })
    }
}
