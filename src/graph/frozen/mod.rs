//! The frozen form of a network: what a [`Graph`] computes in evaluation mode as the fewest steps, with batch
//! norm folded into the weights before it, activations and residuals into the step that makes their input, and the squeeze
//! gates of OSNet's streams into one. Maps are `[n, height, width, channels]` here: channels last, which is what both
//! vector units and WGSL's `vec4` want.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let recognised: webreid::weights::Recognised = todo!();
//! use webreid::graph::frozen::{CpuRunner, Frozen};
//!
//! let graph = recognised.config.graph()?;
//! let frozen = Frozen::new(&graph, &[graph.embedding], &recognised.tensors, 256, 128)?;
//! let runner = CpuRunner::new(&frozen);
//! let [embeddings] = &runner.run(&vec![0.0; 3 * 256 * 128])[..] else { unreachable!() }; // one image, [3, height, width]
//! # Ok(()) }
//! ```

mod buffers;
mod cpu;
mod device;
#[cfg(feature = "webgpu")]
pub mod gpu;
pub(super) mod lower;
mod network;

pub use buffers::Buffers;
pub use cpu::CpuRunner;
pub use device::{Adapter, Decision, Device, DeviceChoice, DeviceError, DeviceFault, UnknownDevice};
#[cfg(feature = "webgpu")]
#[doc(hidden)]
pub use gpu::{Choices, Lite, Timed};
#[cfg(feature = "webgpu")]
pub use gpu::{Counters, GpuDevice, GpuError, GpuRunner};
pub use network::{Network, NetworkError, Source};

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Graph, NodeId, ShapeError};
pub use crate::step::{
    Activation, Affine, Attention, Combine, Convolution, Gate, Map, Operation, Part, Reduce, ResizeFilter, ResizeRule,
    Weighting,
};
use crate::tensor::Tensor;

/// The index of a value in [`Frozen::values`].
pub type ValueId = usize;

/// A network ready to be run for images of one size.
#[derive(Clone, Debug, PartialEq)]
pub struct Frozen {
    /// In execution order.
    pub steps: Vec<Step>,
    /// What the steps make and read, the image first.
    pub values: Vec<Map>,
    /// The values that a run gives.
    pub outputs: Vec<ValueId>,
}

/// One step: what it reads and makes.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub operation: Operation,
    pub inputs: Vec<ValueId>,
    pub output: ValueId,
}

/// Why a network cannot be frozen.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FreezeError {
    #[error("the model does not fit together: {0}")]
    Shape(#[from] ShapeError),
    #[error("the model needs the tensor '{0}', which is not there")]
    Missing(String),
    #[error("the tensor '{name}' has {found} values where the model needs the shape {expected:?}")]
    Length { name: String, found: usize, expected: Vec<usize> },
    #[error(transparent)]
    TooMuch(#[from] crate::graph::budget::TooMuch),
}

impl<'a> From<&'a Frozen> for Cow<'a, Frozen> {
    fn from(frozen: &'a Frozen) -> Self {
        Self::Borrowed(frozen)
    }
}

impl From<Frozen> for Cow<'_, Frozen> {
    fn from(frozen: Frozen) -> Self {
        Self::Owned(frozen)
    }
}

impl Frozen {
    /// Freezes what leads to some nodes' values, for images of `height` × `width` pixels.
    ///
    /// # Errors
    /// When the nodes do not fit together at this size, or a tensor is missing or has another number of values.
    pub fn new(
        graph: &Graph,
        outputs: &[NodeId],
        tensors: &BTreeMap<String, Tensor>,
        height: usize,
        width: usize,
    ) -> Result<Self, FreezeError> {
        lower::lower(graph, outputs, tensors, height, width)
    }

    /// How many multiplications an image takes, near enough to tell how long it may.
    pub fn products(&self) -> u64 {
        self.steps.iter().map(|step| self.products_of(step)).sum()
    }

    /// Those of one of its steps.
    pub fn products_of(&self, step: &Step) -> u64 {
        let products = match &step.operation {
            Operation::Convolution(c) | Operation::Depthwise(c) => c.weight.len() * self.values[step.output].area(),
            Operation::Attention(a) => {
                let keys = self.values[step.inputs[1]].area() / a.windows;
                2 * keys * self.values[step.output].area() * self.values[step.output].channels
            }
            _ => 0,
        };
        products as u64
    }

    /// The size of the image it takes.
    pub fn input(&self) -> Map {
        self.values[0]
    }
}
