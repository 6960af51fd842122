//! The shapes that flow through a graph, and the proof that its nodes fit together.

use super::budget::whole;
use super::{Graph, Node, Pool};

/// The shape of one image's value (the batch is left out).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `[channels, height, width]`
    Map([usize; 3]),
    /// `[tokens, channels]`
    Tokens([usize; 2]),
    /// `[channels]`
    Vector(usize),
}

/// Two nodes that do not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("node {node} ({op}) cannot take {inputs}")]
pub struct ShapeError {
    pub node: usize,
    pub op: String,
    pub inputs: String,
}

impl Shape {
    pub fn channels(self) -> usize {
        match self {
            Self::Map([channels, ..]) | Self::Tokens([_, channels]) | Self::Vector(channels) => channels,
        }
    }

    /// Pixels or tokens; a vector has one.
    pub fn places(self) -> usize {
        match self {
            Self::Map([_, height, width]) => height.saturating_mul(width),
            Self::Tokens([count, _]) => count,
            Self::Vector(_) => 1,
        }
    }

    /// Its dimensions.
    pub fn dims(self) -> Vec<usize> {
        match self {
            Self::Map(dims) => dims.to_vec(),
            Self::Tokens(dims) => dims.to_vec(),
            Self::Vector(channels) => vec![channels],
        }
    }

    /// As many places with other channels.
    pub(crate) fn with_channels(self, channels: usize) -> Self {
        match self {
            Self::Map([_, height, width]) => Self::Map([channels, height, width]),
            Self::Tokens([count, _]) => Self::Tokens([count, channels]),
            Self::Vector(_) => Self::Vector(channels),
        }
    }

    /// How many numbers it has.
    pub(crate) fn count(self) -> u64 {
        (self.channels() as u64).saturating_mul(self.places() as u64)
    }

    /// How many it has as it lies in memory.
    pub(crate) fn stored(self) -> u64 {
        self.with_channels(whole(self.channels())).count()
    }

    /// The only input, if it has so many channels.
    pub(super) fn of_channels(inputs: &[Self], channels: usize) -> Option<Self> {
        match inputs {
            [x] if x.channels() == channels => Some(*x),
            _ => None,
        }
    }

    /// One number for each channel of the only input, a map or tokens.
    pub(super) fn pooled(inputs: &[Self]) -> Option<Self> {
        match inputs {
            [x @ (Self::Map(_) | Self::Tokens(_))] => Some(Self::Vector(x.channels())),
            _ => None,
        }
    }

    /// The shape of two inputs that have the same.
    pub(super) fn equal(inputs: &[Self]) -> Option<Self> {
        match inputs {
            [a, b] if a == b => Some(*a),
            _ => None,
        }
    }
}

impl Graph {
    /// The shape of every value for images of `height` × `width` pixels.
    pub fn shapes(&self, height: usize, width: usize) -> Result<Vec<Shape>, ShapeError> {
        shapes(&self.nodes, height, width)
    }
}

/// The shape of every value for images of `height` × `width` pixels. The nodes may come from a file: whatever they
/// say gives shapes or an error.
pub fn shapes(nodes: &[Node], height: usize, width: usize) -> Result<Vec<Shape>, ShapeError> {
    let mut shapes: Vec<Shape> = Vec::with_capacity(nodes.len());
    for (node, Node { op, inputs, .. }) in nodes.iter().enumerate() {
        let known: Vec<Shape> = inputs.iter().filter_map(|&input| shapes.get(input).copied()).collect();
        let misfit = || ShapeError { node, op: format!("{:?}", op.operator()), inputs: format!("{known:?}") };
        if known.len() < inputs.len() || op.values() == 0 {
            return Err(misfit());
        }
        for op in op.apart().iter() {
            shapes.push(op.operator().shape(&known, [height, width]).ok_or_else(misfit)?);
        }
    }
    Ok(shapes)
}

impl Pool {
    /// The shape of what it makes of its only input, a map.
    pub(super) fn shape(&self, inputs: &[Shape]) -> Option<Shape> {
        let &[Shape::Map([channels, height, width])] = inputs else { return None };
        self.output([height, width]).map(|[height, width]| Shape::Map([channels, height, width]))
    }
}
