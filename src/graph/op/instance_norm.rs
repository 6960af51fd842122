//! Instance normalisation.

use serde::{Deserialize, Serialize};

use super::{Lowering, NodeId, Operator, Part, Pending, Role, Shape, eps, is_usual};
use crate::graph::frozen::FreezeError;
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Value, take};

/// Affine instance normalisation of a map: each image's channels to mean 0 and variance 1, then scaled and shifted by
/// `name.{weight,bias}` `[channels]`. It keeps no running statistics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstanceNorm {
    pub name: String,
    pub channels: usize,
    #[serde(default = "eps", skip_serializing_if = "is_usual")]
    pub eps: f32,
}

impl Operator for InstanceNorm {
    named!();

    fn parts(&self, _role: Role) -> Vec<Part> {
        Part::affine(self.channels)
    }

    fn shape(&self, inputs: &[Shape], _image: [usize; 2]) -> Option<Shape> {
        Shape::of_channels(inputs, self.channels).filter(|shape| matches!(shape, Shape::Map(_)))
    }

    fn is_in_version_1(&self, _inputs: &[Shape]) -> bool {
        is_usual(&self.eps)
    }

    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Result<Pending, FreezeError> {
        Ok(lowering.group_norm(id, self.channels, self.eps, &self.name, inputs[0]))
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, layer: &Layer) -> Result<Value, OpError> {
        let [x] = take(inputs);
        Ok(layer.affine(Value::Map(super::group_norm::level(x.map(), self.channels, self.eps))))
    }
}
