//! The frozen form of a network: what a [`Graph`](super::Graph) computes in evaluation mode as the fewest steps, with batch
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
#[cfg(feature = "webgpu")]
pub mod gpu;
pub(super) mod lower;

pub use buffers::Buffers;
pub use cpu::CpuRunner;
#[cfg(feature = "webgpu")]
pub use gpu::{Counters, GpuDevice, GpuError, GpuRunner};

use std::collections::BTreeMap;

use super::{Graph, NodeId, Pool, ShapeError};
use crate::weights::Tensor;

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

/// The size of a value of one image; a vector is a map of one pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Map {
    pub height: usize,
    pub width: usize,
    pub channels: usize,
}

impl Map {
    /// Pixels.
    pub fn area(self) -> usize {
        self.height * self.width
    }
}

/// One step: what it reads and makes.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub operation: Operation,
    pub inputs: Vec<ValueId>,
    pub output: ValueId,
}

/// What a step computes.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// A convolution over all channels, or a fully connected layer (of a map of one pixel). A second input is added before
    /// the activation.
    Convolution(Convolution),
    /// Each channel with a kernel of its own: `weight` is `[kh · kw, channels]`.
    Depthwise(Convolution),
    /// The sum of streams, each first scaled channel by channel with a gate of its own mean:
    /// `σ(fc2 · ReLU(fc1 · mean + b1) + b2)` (OSNet's aggregation gate; with one stream, squeeze and excitation).
    Gate(Gate),
    Pool {
        maximum: bool,
        window: Pool,
    },
    /// The mean over all pixels, or with `exponent` the generalised mean (GeM); then scaled and shifted.
    GlobalPool {
        exponent: Option<f32>,
        affine: Option<Affine>,
        activation: Activation,
    },
    /// Each image's runs of channels to mean 0 and variance 1; with as many groups as channels instance norm.
    GroupNorm {
        groups: usize,
        affine: Affine,
        activation: Activation,
    },
    /// The inputs combined, then scaled and shifted.
    Elementwise {
        combine: Combine,
        affine: Option<Affine>,
        activation: Activation,
    },
    /// The channels from `start`, as many as the output has.
    Slice {
        start: usize,
    },
    /// The inputs' channels one after the other.
    Concatenate,
}

/// The attributes and weights of a convolution.
#[derive(Clone, Debug, PartialEq)]
pub struct Convolution {
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub padding: [usize; 2],
    /// `[outputs, kh, kw, inputs]`
    pub weight: Vec<f32>,
    pub bias: Vec<f32>,
    pub activation: Activation,
}

/// The two layers of a gate: `fc1` `[hidden, channels]`, `fc2` `[channels, hidden]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    pub fc1: Vec<f32>,
    pub bias1: Vec<f32>,
    pub fc2: Vec<f32>,
    pub bias2: Vec<f32>,
}

/// `value · scale + shift`, channel by channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Affine {
    pub scale: Vec<f32>,
    pub shift: Vec<f32>,
}

/// How an elementwise step takes its inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Combine {
    /// The only input as it is.
    One,
    Add,
    Multiply,
    /// The second is a vector and scales the channels of the first.
    Scale,
}

/// What becomes of each value at the end of a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Activation {
    None,
    Relu,
    Sigmoid,
    /// `max(x, 0) + slope · min(x, 0)` with a slope for each channel.
    PRelu(Vec<f32>),
}

macro_rules! activation {
    ($operation:expr) => {
        match $operation {
            Operation::Convolution(Convolution { activation, .. })
            | Operation::Depthwise(Convolution { activation, .. })
            | Operation::GlobalPool { activation, .. }
            | Operation::GroupNorm { activation, .. }
            | Operation::Elementwise { activation, .. } => Some(activation),
            Operation::Gate(_) | Operation::Pool { .. } | Operation::Slice { .. } | Operation::Concatenate => None,
        }
    };
}

impl Operation {
    /// What it ends with; `None` where it cannot have an activation.
    fn activation(&self) -> Option<&Activation> {
        activation!(self)
    }

    fn activation_mut(&mut self) -> Option<&mut Activation> {
        activation!(self)
    }
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
    #[error("node {node} cannot be run yet: {op}")]
    Unsupported { node: usize, op: String },
    #[error(transparent)]
    TooMuch(#[from] crate::graph::budget::TooMuch),
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
        let of = |step: &Step| match &step.operation {
            Operation::Convolution(c) | Operation::Depthwise(c) => c.weight.len() * self.values[step.output].area(),
            _ => 0,
        };
        self.steps.iter().map(|step| of(step) as u64).sum()
    }

    /// The size of the image it takes.
    pub fn input(&self) -> Map {
        self.values[0]
    }
}
