//! Writing a graph down: each call appends one node and returns its value, or its values.

use super::op::{
    Attention, AveragePool, BatchNorm, ClassToken, Convolution, EPS, Gelu, GemPool, Input, InstanceNorm, LayerNorm,
    Linear, MaxPool, PRelu, Place, Split, SplitPlaces,
};
use super::{Graph, Node, NodeId, Op, Padding, Pool, Role};
use crate::step::{GeluForm, Weighting};

/// A value under construction: its number and its channels.
#[derive(Clone, Copy, Debug)]
pub struct Value {
    pub id: NodeId,
    pub channels: usize,
}

/// The shape of a square convolution; `Default` is a plain 1×1.
#[derive(Clone, Copy, Debug)]
pub struct Convolution2d {
    pub kernel: usize,
    pub stride: usize,
    pub padding: usize,
    pub groups: usize,
    pub bias: bool,
}

impl Default for Convolution2d {
    fn default() -> Self {
        Self { kernel: 1, stride: 1, padding: 0, groups: 1, bias: false }
    }
}

/// Appends nodes in execution order; nodes take the role that is current when they are made.
#[derive(Debug)]
pub struct Builder {
    nodes: Vec<Node>,
    /// How many values these give.
    values: usize,
    pub role: Role,
    last_stage: NodeId,
}

impl Builder {
    /// An empty graph whose one input is a batch of images of `channels` channels.
    pub fn new(channels: usize) -> (Self, Value) {
        let mut builder = Self { nodes: Vec::new(), values: 0, role: Role::Backbone, last_stage: 0 };
        let input = builder.push(Input { channels }, &[], channels);
        (builder, input)
    }

    fn push(&mut self, op: impl Into<Op>, inputs: &[Value], channels: usize) -> Value {
        let [value] = self.push_several(op, inputs, [channels]);
        value
    }

    /// A node of several values, of these channels.
    fn push_several<const N: usize>(
        &mut self,
        op: impl Into<Op>,
        inputs: &[Value],
        channels: [usize; N],
    ) -> [Value; N] {
        let inputs = inputs.iter().map(|value| value.id).collect();
        self.nodes.push(Node { op: op.into(), inputs, role: self.role });
        channels.map(|channels| {
            self.values += 1;
            Value { id: self.values - 1, channels }
        })
    }

    pub fn convolution(&mut self, name: impl Into<String>, x: Value, outputs: usize, c: Convolution2d) -> Value {
        let op = Convolution {
            name: name.into(),
            inputs: x.channels,
            outputs,
            kernel: [c.kernel; 2],
            stride: [c.stride; 2],
            padding: Padding::all(c.padding),
            groups: c.groups,
            bias: c.bias,
            dilation: [1; 2],
        };
        self.push(op, &[x], outputs)
    }

    pub fn batch_norm(&mut self, name: impl Into<String>, x: Value) -> Value {
        self.batch_norm_of(name.into(), x, false)
    }

    /// Batch norm whose bias stays as it is: the BN neck.
    pub fn batch_norm_frozen_bias(&mut self, name: impl Into<String>, x: Value) -> Value {
        self.batch_norm_of(name.into(), x, true)
    }

    fn batch_norm_of(&mut self, name: String, x: Value, bias_frozen: bool) -> Value {
        self.push(BatchNorm { name, channels: x.channels, bias_frozen, eps: EPS }, &[x], x.channels)
    }

    pub fn instance_norm(&mut self, name: impl Into<String>, x: Value) -> Value {
        self.push(InstanceNorm { name: name.into(), channels: x.channels, eps: EPS }, &[x], x.channels)
    }

    pub fn layer_norm(&mut self, name: impl Into<String>, x: Value, eps: f32) -> Value {
        self.push(LayerNorm { name: name.into(), channels: x.channels, eps }, &[x], x.channels)
    }

    pub fn relu(&mut self, x: Value) -> Value {
        self.push(Op::Relu, &[x], x.channels)
    }

    /// A ReLU that keeps a part of what is negative, learned for each channel.
    pub fn prelu(&mut self, name: impl Into<String>, x: Value) -> Value {
        self.push(PRelu { name: name.into(), channels: x.channels }, &[x], x.channels)
    }

    pub fn sigmoid(&mut self, x: Value) -> Value {
        self.push(Op::Sigmoid, &[x], x.channels)
    }

    pub fn gelu(&mut self, x: Value) -> Value {
        self.push(Gelu { form: GeluForm::Exact }, &[x], x.channels)
    }

    /// A map as tokens, row by row.
    pub fn tokens(&mut self, x: Value) -> Value {
        self.push(Op::Tokens, &[x], x.channels)
    }

    /// Puts a learned token before the others.
    pub fn class_token(&mut self, name: impl Into<String>, x: Value) -> Value {
        self.push(ClassToken { name: name.into(), count: 1, channels: x.channels }, &[x], x.channels)
    }

    /// Adds a parameter of the value's shape.
    pub fn place(&mut self, name: impl Into<String>, x: Value, shape: impl Into<Vec<usize>>) -> Value {
        self.push(Place { name: name.into(), shape: shape.into(), scales: false }, &[x], x.channels)
    }

    /// Scaled dot-product attention of the tokens q, k and v among themselves.
    pub fn attention(&mut self, [q, k, v]: [Value; 3], heads: usize) -> Value {
        let scale = (heads.max(1) as f32 / q.channels as f32).sqrt();
        let op = Attention { heads, windows: 1, scale, weighting: Weighting::Softmax, bias: None };
        self.push(op, &[q, k, v], v.channels)
    }

    /// One of the tokens, as a vector.
    pub fn token(&mut self, x: Value, place: usize) -> Value {
        self.push(SplitPlaces { start: place, length: 1, vector: true }, &[x], x.channels)
    }

    pub fn max_pool(&mut self, x: Value, pool: Pool) -> Value {
        self.push(MaxPool(pool), &[x], x.channels)
    }

    pub fn average_pool(&mut self, x: Value, pool: Pool) -> Value {
        self.push(AveragePool(pool), &[x], x.channels)
    }

    pub fn global_average_pool(&mut self, x: Value) -> Value {
        self.push(Op::GlobalAveragePool, &[x], x.channels)
    }

    pub fn gem_pool(&mut self, name: impl Into<String>, x: Value) -> Value {
        self.push(GemPool { name: name.into(), eps: GemPool::EPS }, &[x], x.channels)
    }

    pub fn linear(&mut self, name: impl Into<String>, x: Value, outputs: usize, bias: bool) -> Value {
        self.push(Linear { name: name.into(), inputs: x.channels, outputs, bias }, &[x], outputs)
    }

    pub fn add(&mut self, a: Value, b: Value) -> Value {
        self.push(Op::Add, &[a, b], a.channels)
    }

    /// `a` times `b`, where `b` has the shape of `a` or is a vector that scales its channels.
    pub fn multiply(&mut self, a: Value, b: Value) -> Value {
        self.push(Op::Multiply, &[a, b], a.channels)
    }

    /// Runs of channels, from the first on, one behind the other.
    pub fn split<const N: usize>(&mut self, x: Value, lengths: [usize; N]) -> [Value; N] {
        self.push_several(Split { start: 0, lengths: lengths.into() }, &[x], lengths)
    }

    pub fn concatenate(&mut self, parts: &[Value]) -> Value {
        self.push(Op::Concatenate, parts, parts.iter().map(|part| part.channels).sum())
    }

    /// Appends nodes that were written down for themselves, whose first is their image: `image` stands in for it.
    /// `last_stage` is the place among them where the last stage begins. Gives the value of the last.
    pub(crate) fn graft(&mut self, image: Value, nodes: &[Node], last_stage: NodeId, channels: usize) -> Value {
        let (offset, given) = (self.values, nodes.iter().map(|node| node.op.values()).sum::<usize>());
        let place = |id: NodeId| if id == 0 { image.id } else { id - 1 + offset };
        let grafted = nodes.iter().skip(1).map(|node| {
            let inputs = node.inputs.iter().map(|&id| place(id)).collect();
            Node { op: node.op.clone(), inputs, role: self.role }
        });
        self.nodes.extend(grafted);
        self.values += given.saturating_sub(1);
        self.last_stage = place(last_stage);
        Value { id: place(given.saturating_sub(1)), channels }
    }

    /// The next node begins the backbone's last stage.
    pub fn begin_last_stage(&mut self) {
        self.last_stage = self.values;
    }

    /// The node that [`Builder::begin_last_stage`] marked; 0 without.
    pub fn last_stage(&self) -> NodeId {
        self.last_stage
    }

    /// The finished graph with its named outputs.
    pub fn finish<'a>(self, outputs: impl IntoIterator<Item = (&'a str, Value)>) -> Graph {
        let outputs = outputs.into_iter().map(|(name, value)| (name.to_owned(), value.id)).collect();
        Graph { nodes: self.nodes, outputs }
    }
}
