//! 2-D convolution.

use serde::{Deserialize, Serialize};

use super::{Init, Lowering, NodeId, Operator, Part, Pending, Role, Shape, product, splits};
use crate::graph::budget::{VECTOR, whole};
use crate::graph::frozen::FreezeError;
use crate::graph::Padding;
#[cfg(feature = "train")]
use crate::ops::{ConvOptions, Layer, OpError, Value, convolution::convolution, padded, take};
use crate::step::windows;

/// 2-D convolution of a map: `name.weight` `[outputs, inputs / groups, kh, kw]` and, with `bias`, `name.bias` `[outputs]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Convolution {
    pub name: String,
    pub inputs: usize,
    pub outputs: usize,
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub padding: Padding,
    pub groups: usize,
    pub bias: bool,
    /// From each value under the kernel to the next, in pixels.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub dilation: [usize; 2],
}

fn one() -> [usize; 2] {
    [1; 2]
}

fn is_one(dilation: &[usize; 2]) -> bool {
    *dilation == one()
}

impl Convolution {
    /// Whether each channel has a kernel of its own.
    pub(crate) fn is_depthwise(&self) -> bool {
        self.groups == self.inputs && self.groups == self.outputs
    }
}

impl Operator for Convolution {
    named!();

    fn parts(&self, _role: Role) -> Vec<Part> {
        let [height, width] = self.kernel;
        // He et al. (arXiv 1502.01852), fan out, as torchvision and torchreid initialise.
        let fan_out = product(&[self.outputs, height, width]) / self.groups.max(1) as u64;
        let std = (2.0 / fan_out as f32).sqrt();
        let shape = [self.outputs, self.inputs / self.groups.max(1), height, width];
        let mut parts = vec![Part::trained("weight", shape, Init::Normal(std))];
        if self.bias {
            parts.push(Part::trained("bias", [self.outputs], Init::Constant(0.0)));
        }
        parts
    }

    fn shape(&self, inputs: &[Shape], _image: [usize; 2]) -> Option<Shape> {
        let &[Shape::Map([channels, height, width])] = inputs else { return None };
        if channels != self.inputs || !splits(self.inputs, self.groups) || !splits(self.outputs, self.groups) {
            return None;
        }
        let along = |axis: usize, size: usize| {
            let reach = self.kernel[axis].checked_sub(1)?.checked_mul(self.dilation[axis])?.checked_add(1)?;
            windows(size, reach, self.stride[axis], self.padding.along(axis), false)
        };
        let is_dilated = self.dilation.iter().all(|&dilation| dilation > 0);
        is_dilated.then_some(Shape::Map([self.outputs, along(0, height)?, along(1, width)?]))
    }

    fn work(&self, _inputs: &[Shape], output: Shape) -> u64 {
        output.count().saturating_mul(product(&[self.kernel[0], self.kernel[1], self.inputs / self.groups.max(1)]))
    }

    fn packed(&self) -> Option<u64> {
        let own = self.inputs / self.groups.max(1);
        let inputs = match self.groups {
            1 => whole(own),
            _ if self.is_depthwise() => own,
            // The groups that a vector of outputs reaches into are computed together.
            groups => {
                let reached = VECTOR.saturating_mul(groups).div_ceil(self.outputs.max(1)).saturating_add(1);
                own.saturating_mul(reached.min(groups))
            }
        };
        Some(product(&[self.kernel[0], self.kernel[1], inputs, whole(self.outputs)]))
    }

    /// The map with the zeros around it.
    fn scratch(&self, inputs: &[Shape]) -> u64 {
        match inputs {
            &[Shape::Map([channels, height, width])] if self.padding != Padding::default() => {
                let side = |size: usize, axis: usize| {
                    self.padding.along(axis).into_iter().fold(size, usize::saturating_add)
                };
                Shape::Map([channels, side(height, 0), side(width, 1)]).stored()
            }
            _ => 0,
        }
    }

    fn is_in_version_1(&self, _inputs: &[Shape]) -> bool {
        self.padding.symmetric().is_some() && is_one(&self.dilation)
    }

    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Result<Pending, FreezeError> {
        Ok(lowering.convolution(id, self, inputs[0]))
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, layer: &Layer) -> Result<Value, OpError> {
        let [x] = take(inputs);
        let (x, padding) = match self.padding.symmetric() {
            Some(padding) => (x.map(), padding),
            None => (padded(x.map(), self.padding, 0.0), [0; 2]),
        };
        let options = ConvOptions::new(self.stride, padding, self.dilation, self.groups);
        let [height, width] = self.kernel;
        let weight = layer.tensor("weight", [self.outputs, self.inputs / self.groups, height, width]);
        let y = convolution(x, weight, options)?;
        Ok(Value::Map(if self.bias { y + layer.tensor("bias", [1, self.outputs, 1, 1]) } else { y }))
    }
}
