//! What the operators of a graph compute with in the trainable form.

use burn::module::RunningState;
use burn::tensor::{Device, Int, Tensor, ops::PadMode};

use crate::step::Padding;

/// A batch of values on its way through a graph.
#[derive(Clone, Debug)]
pub enum Value {
    /// `[n, channels, height, width]`
    Map(Tensor<4>),
    /// `[n, tokens, channels]`
    Tokens(Tensor<3>),
    /// `[n, channels]`
    Vector(Tensor<2>),
}

impl Value {
    /// The images in the batch.
    pub fn batch(&self) -> usize {
        match self {
            Self::Map(x) => x.dims()[0],
            Self::Tokens(x) => x.dims()[0],
            Self::Vector(x) => x.dims()[0],
        }
    }

    /// # Panics
    /// When it is no map: `Graph::shapes` tells beforehand. So with the two that follow.
    pub fn map(self) -> Tensor<4> {
        match self {
            Self::Map(x) => x,
            _ => unreachable!("Graph::shapes accepts maps alone here"),
        }
    }

    pub fn tokens(self) -> Tensor<3> {
        match self {
            Self::Tokens(x) => x,
            _ => unreachable!("Graph::shapes accepts tokens alone here"),
        }
    }

    pub fn vector(self) -> Tensor<2> {
        match self {
            Self::Vector(x) => x,
            _ => unreachable!("Graph::shapes accepts vectors alone here"),
        }
    }
}

impl Value {
    /// The pixels of a map, the tokens, or a vector as the only place: `[n, places, channels]`.
    pub(crate) fn in_places(self) -> Tensor<3> {
        match self {
            Self::Map(x) => {
                let [n, c, h, w] = x.dims();
                x.reshape([n, c, h * w]).swap_dims(1, 2)
            }
            Self::Tokens(x) => x,
            Self::Vector(x) => {
                let [n, c] = x.dims();
                x.reshape([n, 1, c])
            }
        }
    }

    /// The map of so many pixels, height and width, whose places these are.
    pub(crate) fn of_places(x: Tensor<3>, [height, width]: [usize; 2]) -> Self {
        let [n, _, c] = x.dims();
        Self::Map(x.swap_dims(1, 2).reshape([n, c, height, width]))
    }
}

/// A list of places or channels.
pub(crate) fn indices(list: &[u32], device: &Device) -> Tensor<1, Int> {
    let list: Vec<i32> = list.iter().map(|&place| place as i32).collect();
    Tensor::from_ints(&list[..], device)
}

/// A map with rows and columns of one value around it.
pub(crate) fn padded(x: Tensor<4>, padding: Padding, value: f32) -> Tensor<4> {
    let Padding { top, left, bottom, right } = padding;
    x.pad((left, right, top, bottom), PadMode::Constant(value))
}

/// The same of a value, whatever its dimensions.
macro_rules! each {
    ($value:expr, $x:ident => $y:expr) => {
        match $value {
            $crate::ops::Value::Map($x) => $crate::ops::Value::Map($y),
            $crate::ops::Value::Tokens($x) => $crate::ops::Value::Tokens($y),
            $crate::ops::Value::Vector($x) => $crate::ops::Value::Vector($y),
        }
    };
}
pub(crate) use each;

/// The same of two values of the same kind.
macro_rules! pair {
    ($a:expr, $b:expr, ($x:ident, $y:ident) => $z:expr) => {
        match ($a, $b) {
            ($crate::ops::Value::Map($x), $crate::ops::Value::Map($y)) => $crate::ops::Value::Map($z),
            ($crate::ops::Value::Tokens($x), $crate::ops::Value::Tokens($y)) => $crate::ops::Value::Tokens($z),
            ($crate::ops::Value::Vector($x), $crate::ops::Value::Vector($y)) => $crate::ops::Value::Vector($z),
            _ => unreachable!("Graph::shapes accepts two of a kind alone here"),
        }
    };
}
pub(crate) use pair;

/// An operator's inputs.
///
/// # Panics
/// When they are not so many: `Graph::shapes` tells beforehand.
pub(crate) fn take<const N: usize>(inputs: Vec<Value>) -> [Value; N] {
    inputs.try_into().unwrap_or_else(|_| unreachable!("Graph::shapes counts the inputs"))
}

/// The named tensors of a network.
pub trait Tensors {
    /// A parameter, row by row in one dimension.
    fn parameter(&self, name: &str) -> Tensor<1>;

    fn running(&self, name: &str) -> &RunningState<Tensor<1>>;
}

/// What an operator has to compute with besides its inputs.
pub struct Layer<'a> {
    pub(crate) tensors: &'a dyn Tensors,
    /// The prefix of the operator's tensors.
    pub(crate) name: &'a str,
    /// Whether the batch's statistics count, and not the running ones.
    pub(crate) training: bool,
}

impl Layer<'_> {
    /// The parameter `part` of the operator, in its shape or another of as many values.
    pub(crate) fn tensor<const D: usize>(&self, part: &str, shape: [usize; D]) -> Tensor<D> {
        self.vector(part).reshape(shape)
    }

    /// The same row by row.
    pub(crate) fn vector(&self, part: &str) -> Tensor<1> {
        self.tensors.parameter(&format!("{}.{part}", self.name))
    }

    pub(crate) fn running(&self, part: &str) -> &RunningState<Tensor<1>> {
        self.tensors.running(&format!("{}.{part}", self.name))
    }

    /// Each channel times its `weight` and with its `bias` added.
    pub(crate) fn affine(&self, x: Value) -> Value {
        let [weight, bias] = ["weight", "bias"].map(|part| self.vector(part));
        let [channels] = weight.dims();
        match x {
            Value::Map(x) => {
                let [weight, bias] = [weight, bias].map(|row| row.reshape([1, channels, 1, 1]));
                Value::Map(x * weight + bias)
            }
            Value::Tokens(x) => Value::Tokens(x * weight.unsqueeze() + bias.unsqueeze()),
            Value::Vector(x) => Value::Vector(x * weight.unsqueeze() + bias.unsqueeze()),
        }
    }
}
