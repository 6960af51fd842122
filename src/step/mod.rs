//! What a kernel computes, as plain data: sizes, attributes and weights, apart from the graph that it came from and from
//! who runs it. Values are maps whose channels come last; tokens `[t, c]` are a map of `t` rows and one column, a vector is
//! a map of one pixel.

mod activation;
mod window;

pub use activation::{Activation, Gelu};
pub(crate) use window::windows;
pub use window::{Padding, Pool};

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
    pub padding: Padding,
    /// From one place of the kernel to the next, in pixels.
    pub dilation: [usize; 2],
    /// Runs of equal length into which inputs and outputs fall: an output sees the inputs of its own.
    pub groups: usize,
    /// `[outputs, kh, kw, inputs / groups]`
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
    pub fn activation(&self) -> Option<&Activation> {
        activation!(self)
    }

    pub fn activation_mut(&mut self) -> Option<&mut Activation> {
        activation!(self)
    }
}
