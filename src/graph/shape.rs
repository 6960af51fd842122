//! The shapes that flow through a graph, and the proof that its nodes fit together.

use super::{Graph, Node, Op};
use crate::step::windows;

/// The shape of one image's value (the batch is left out).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `[channels, height, width]`
    Map([usize; 3]),
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
            Self::Map([channels, ..]) | Self::Vector(channels) => channels,
        }
    }

    /// Its dimensions.
    pub fn dims(self) -> Vec<usize> {
        match self {
            Self::Map(dims) => dims.to_vec(),
            Self::Vector(channels) => vec![channels],
        }
    }
}

impl Graph {
    /// The shape of every node's value for images of `height` × `width` pixels.
    pub fn shapes(&self, height: usize, width: usize) -> Result<Vec<Shape>, ShapeError> {
        shapes(&self.nodes, height, width)
    }
}

/// The shape of every node's value for images of `height` × `width` pixels. The nodes may come from a file: whatever they
/// say gives shapes or an error.
pub fn shapes(nodes: &[Node], height: usize, width: usize) -> Result<Vec<Shape>, ShapeError> {
    let mut shapes: Vec<Shape> = Vec::with_capacity(nodes.len());
    for (id, node) in nodes.iter().enumerate() {
        let inputs: Vec<Shape> = node.inputs.iter().filter_map(|&input| shapes.get(input).copied()).collect();
        let shape =
            (inputs.len() == node.inputs.len())
                .then(|| shape_of(&node.op, &inputs, height, width))
                .flatten()
                .ok_or_else(|| ShapeError { node: id, op: format!("{:?}", node.op), inputs: format!("{inputs:?}") })?;
        shapes.push(shape);
    }
    Ok(shapes)
}

/// The shape that a node gives from its inputs', or `None` where it cannot take them.
pub(crate) fn shape_of(op: &Op, inputs: &[Shape], height: usize, width: usize) -> Option<Shape> {
    use Shape::{Map, Vector};
    Some(match (op, inputs) {
        (Op::Input { channels }, []) => Map([*channels, height, width]),
        (Op::Convolution(c), [Map([channels, h, w])])
            if *channels == c.inputs && splits(c.inputs, c.groups) && splits(c.outputs, c.groups) =>
        {
            Map([
                c.outputs,
                windows(*h, c.kernel[0], c.stride[0], [c.padding[0]; 2], false)?,
                windows(*w, c.kernel[1], c.stride[1], [c.padding[1]; 2], false)?,
            ])
        }
        (Op::BatchNorm { channels, .. } | Op::PRelu { channels, .. } | Op::Affine { channels, .. }, [x])
            if x.channels() == *channels =>
        {
            *x
        }
        (Op::GroupNorm { channels, groups, .. }, [x]) if x.channels() == *channels && splits(*channels, *groups) => *x,
        (Op::InstanceNorm { channels, .. }, [x @ Map(_)]) if x.channels() == *channels => *x,
        (Op::Relu | Op::Sigmoid, [x]) => *x,
        (Op::MaxPool(pool) | Op::AveragePool(pool), [Map([channels, h, w])]) => {
            let [h, w] = pool.output([*h, *w])?;
            Map([*channels, h, w])
        }
        (Op::GlobalAveragePool | Op::GemPool { .. }, [Map([channels, ..])]) => Vector(*channels),
        (Op::Linear { inputs, outputs, .. }, [Vector(channels)]) if channels == inputs => Vector(*outputs),
        (Op::Add, [a, b]) if a == b => *a,
        (Op::Multiply, [a, b]) if a == b || matches!(b, Vector(c) if *c == a.channels()) => *a,
        (Op::Split { start, length }, [x]) if start.checked_add(*length)? <= x.channels() => with_channels(*x, *length),
        (Op::Concatenate, [first, rest @ ..]) => {
            let total = inputs.iter().try_fold(0_usize, |total, shape| total.checked_add(shape.channels()))?;
            let joined = with_channels(*first, total);
            rest.iter().all(|shape| with_channels(*shape, total) == joined).then_some(joined)?
        }
        _ => return None,
    })
}

fn with_channels(shape: Shape, channels: usize) -> Shape {
    match shape {
        Shape::Map([_, h, w]) => Shape::Map([channels, h, w]),
        Shape::Vector(_) => Shape::Vector(channels),
    }
}

fn splits(channels: usize, groups: usize) -> bool {
    channels.checked_rem(groups) == Some(0)
}
