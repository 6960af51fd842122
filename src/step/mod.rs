//! What a kernel computes, as plain data: sizes, attributes and weights, apart from the graph that it came from and from
//! who runs it. Values are maps whose channels come last; tokens `[t, c]` are a map of `t` rows and one column, a vector is
//! a map of one pixel.

mod activation;
mod attention;
mod placement;
mod resize;
mod window;

pub use activation::{Activation, GeluForm};
pub use attention::{Attention, Weighting};
pub use placement::{Fit, Placement, UnknownFit};
pub use resize::{ResizeFilter, ResizeRule};
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
    /// All pixels in one; then scaled and shifted.
    GlobalPool {
        reduce: Reduce,
        affine: Option<Affine>,
        activation: Activation,
    },
    /// The mean or the largest of each pixel's channels, as the only one.
    ChannelPool {
        maximum: bool,
    },
    /// Each image's runs of channels to mean 0 and variance 1; with as many groups as channels instance norm.
    GroupNorm {
        groups: usize,
        eps: f32,
        affine: Affine,
        activation: Activation,
    },
    /// Each pixel's channels to mean 0 and variance 1.
    LayerNorm {
        eps: f32,
        affine: Affine,
        activation: Activation,
    },
    /// Each pixel's channels divided by their length (L2), which counts as `eps` at least.
    UnitLength {
        eps: f32,
    },
    /// The inputs combined, then scaled and shifted.
    Elementwise {
        combine: Combine,
        affine: Option<Affine>,
        activation: Activation,
    },
    /// The input combined with `[area · channels]` numbers that are the same for every image: a sum or a product.
    Constant {
        combine: Combine,
        values: Vec<f32>,
    },
    /// The channels from `start`, as many as the output has.
    Slice {
        start: usize,
    },
    /// The inputs' channels one after the other.
    Concatenate,
    /// The channels in the order of a list.
    GatherChannels {
        channels: Vec<u32>,
    },
    /// The pixels in the order of a list, as the output's pixels.
    Gather {
        places: Vec<u32>,
    },
    /// Pixels one behind the other.
    JoinPlaces {
        parts: Vec<Part>,
    },
    /// Pixels become channels, and channels pixels.
    Transpose,
    /// The map in another size.
    Resize {
        filter: ResizeFilter,
        rule: ResizeRule,
    },
    /// Of three inputs – queries, keys and values, which may be one.
    Attention(Attention),
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

/// What becomes of all pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reduce {
    Mean,
    Maximum,
    /// `mean(max(x, eps)^exponent)^(1 / exponent)` (GeM).
    Generalised {
        exponent: f32,
        eps: f32,
    },
}

/// What is joined along the pixels.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// The next of the step's inputs.
    Input,
    /// Numbers that are the same for every image, `[pixels, channels]`.
    Constant(Vec<f32>),
}

/// How an elementwise step takes its inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Combine {
    /// The only input as it is.
    One,
    Add,
    /// The first without the second.
    Subtract,
    Multiply,
    /// The second is a vector and scales the channels of the first.
    Scale,
    /// The second has one channel, which scales all of the first's in its place.
    Place,
}

macro_rules! activation {
    ($operation:expr) => {
        match $operation {
            Operation::Convolution(Convolution { activation, .. })
            | Operation::Depthwise(Convolution { activation, .. })
            | Operation::GlobalPool { activation, .. }
            | Operation::GroupNorm { activation, .. }
            | Operation::LayerNorm { activation, .. }
            | Operation::Elementwise { activation, .. } => Some(activation),
            _ => None,
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
