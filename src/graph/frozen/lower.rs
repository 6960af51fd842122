//! From a graph's nodes to the steps of the frozen form.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Activation, Affine, Combine, Convolution, FreezeError, Frozen, Gate, Map, Operation, Reduce, Step, ValueId,
};
use crate::graph::budget;
use crate::graph::op;
use crate::graph::{self, Graph, Node, NodeId, Op, Shape};
use crate::step::Attention;
use crate::tensor::Tensor;

/// A node's value on its way: made already, or a step that still waits for what can be folded into it.
#[derive(Clone, Debug)]
// Not `expect`: where pointers have 32 bits none is large.
#[allow(clippy::large_enum_variant, reason = "there are few, and they do not last")]
pub(crate) enum Pending {
    Made(ValueId),
    Open { operation: Operation, inputs: Vec<ValueId>, map: Map },
}

pub(crate) struct Lowering<'a> {
    /// One for each value.
    nodes: &'a [Node],
    tensors: &'a BTreeMap<String, Tensor>,
    shapes: Vec<Shape>,
    /// How many of the nodes that lead to an output, and of the outputs, read each node.
    readers: Vec<usize>,
    pending: BTreeMap<NodeId, Pending>,
    frozen: Frozen,
}

pub fn lower(
    graph: &Graph,
    outputs: &[NodeId],
    tensors: &BTreeMap<String, Tensor>,
    height: usize,
    width: usize,
) -> Result<Frozen, FreezeError> {
    let shapes = graph.shapes(height, width)?;
    budget::network(&graph.nodes, &shapes)?;
    check(graph, tensors)?;
    let nodes = &*graph::apart(&graph.nodes);
    let mut readers = vec![0; nodes.len()];
    outputs.iter().for_each(|&output| readers[output] += 1);
    for (id, node) in nodes.iter().enumerate().rev() {
        if readers[id] > 0 {
            node.inputs.iter().for_each(|&input| readers[input] += 1);
        }
    }
    let gates = gates(nodes, &readers);
    let within: BTreeSet<NodeId> = gates.values().flat_map(|gate| gate.nodes).collect();
    let frozen = Frozen { steps: Vec::new(), values: Vec::new(), outputs: Vec::new() };
    let mut lowering = Lowering { nodes, tensors, shapes, readers, pending: BTreeMap::new(), frozen };
    for (id, node) in nodes.iter().enumerate() {
        if lowering.readers[id] == 0 || within.contains(&id) {
            continue;
        }
        let pending = match gates.get(&id) {
            Some(gate) => lowering.gate(id, gate),
            None => node.op.operator().lower(&mut lowering, id, &node.inputs),
        };
        lowering.pending.insert(id, pending);
        if lowering.readers[id] != 1 {
            // Several readers need the value itself.
            lowering.make(id);
        }
    }
    lowering.frozen.outputs = outputs.iter().map(|&output| lowering.make(output)).collect();
    Ok(lowering.frozen)
}

/// That every tensor is there, of the right length.
fn check(graph: &Graph, tensors: &BTreeMap<String, Tensor>) -> Result<(), FreezeError> {
    for parameter in graph.parameters() {
        let expected = parameter.shape.iter().product::<usize>();
        match tensors.get(&parameter.name) {
            None if parameter.role == graph::Role::Head => {}
            None => return Err(FreezeError::Missing(parameter.name)),
            Some(tensor) if tensor.values.len() != expected => {
                let found = tensor.values.len();
                return Err(FreezeError::Length { name: parameter.name, found, expected: parameter.shape });
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// A gate: the node that gives the gated value, and those between it and the product.
struct GateNodes {
    stream: NodeId,
    /// Pool, first layer, ReLU, second layer, sigmoid.
    nodes: [NodeId; 5],
}

/// The products that are gates, by their node.
fn gates(nodes: &[Node], readers: &[usize]) -> BTreeMap<NodeId, GateNodes> {
    let step = |id: NodeId, is: fn(&Op) -> bool| -> Option<NodeId> {
        let node = nodes.get(id)?;
        (is(&node.op) && readers[id] == 1).then(|| node.inputs.first().copied()).flatten()
    };
    let is_linear = |op: &Op| matches!(op, Op::Linear(_));
    let gate = |node: &Node| -> Option<GateNodes> {
        let (Op::Multiply, &[stream, sigmoid]) = (&node.op, &node.inputs[..]) else { return None };
        let second = step(sigmoid, |op| *op == Op::Sigmoid)?;
        let relu = step(second, is_linear)?;
        let first = step(relu, |op| *op == Op::Relu)?;
        let pool = step(first, is_linear)?;
        let pooled = step(pool, |op| *op == Op::GlobalAveragePool)?;
        (pooled == stream).then_some(GateNodes { stream, nodes: [pool, first, relu, second, sigmoid] })
    };
    let live = nodes.iter().enumerate().filter(|(id, _)| readers[*id] > 0);
    live.filter_map(|(id, node)| Some((id, gate(node)?))).collect()
}

impl<'a> Lowering<'a> {
    /// A tensor that [`check`] found there.
    pub fn tensor(&self, name: &str, part: &str) -> Vec<f32> {
        self.values(name, part).to_vec()
    }

    fn values(&self, name: &str, part: &str) -> &'a [f32] {
        self.tensors.get(&format!("{name}.{part}")).map(|tensor| &tensor.values[..]).unwrap_or_default()
    }

    pub fn shape(&self, id: NodeId) -> Shape {
        self.shapes[id]
    }

    fn map(&self, id: NodeId) -> Map {
        match self.shapes[id] {
            Shape::Map([channels, height, width]) => Map { height, width, channels },
            Shape::Tokens([height, channels]) => Map { height, width: 1, channels },
            Shape::Vector(channels) => Map { height: 1, width: 1, channels },
        }
    }

    /// The value of a node, whose step is appended if it was still open.
    fn make(&mut self, id: NodeId) -> ValueId {
        let value = match self.pending.remove(&id) {
            Some(Pending::Made(value)) => value,
            Some(Pending::Open { operation, inputs, map }) => {
                self.frozen.values.push(map);
                let output = self.frozen.values.len() - 1;
                self.frozen.steps.push(Step { operation, inputs, output });
                output
            }
            None => unreachable!("a node reads nodes before it"),
        };
        self.pending.insert(id, Pending::Made(value));
        value
    }

    /// The image, which is the first value.
    pub fn image(&mut self, id: NodeId) -> Pending {
        self.frozen.values.push(self.map(id));
        Pending::Made(0)
    }

    /// A step that may still take something in.
    pub fn open(&mut self, id: NodeId, operation: Operation, inputs: &[NodeId]) -> Pending {
        let inputs = inputs.iter().map(|&input| self.make(input)).collect();
        Pending::Open { operation, inputs, map: self.map(id) }
    }

    fn gate(&mut self, id: NodeId, gate: &GateNodes) -> Pending {
        let layer = |id: NodeId| match &self.nodes[id].op {
            Op::Linear(op::Linear { name, bias, outputs, .. }) => {
                let bias = if *bias { self.tensor(name, "bias") } else { vec![0.0; *outputs] };
                (self.tensor(name, "weight"), bias)
            }
            _ => unreachable!("a gate's layers are linear"),
        };
        let ((fc1, bias1), (fc2, bias2)) = (layer(gate.nodes[1]), layer(gate.nodes[3]));
        self.open(id, Operation::Gate(Gate { fc1, bias1, fc2, bias2 }), &[gate.stream])
    }

    pub fn convolution(&mut self, id: NodeId, c: &graph::Convolution, input: NodeId) -> Pending {
        let weight = self.values(&c.name, "weight");
        let bias = if c.bias { self.tensor(&c.name, "bias") } else { vec![0.0; c.outputs] };
        let of = |weight, bias| Convolution {
            kernel: c.kernel,
            stride: c.stride,
            padding: c.padding,
            dilation: c.dilation,
            groups: c.groups,
            weight,
            bias,
            activation: Activation::None,
        };
        let (taps, inputs) = (c.kernel[0] * c.kernel[1], c.inputs / c.groups);
        if c.is_depthwise() {
            let weight = transposed(weight, c.outputs, taps);
            return self.open(id, Operation::Depthwise(of(weight, bias)), &[input]);
        }
        let weight = channels_last(weight, inputs, taps);
        let mut pending = self.open(id, Operation::Convolution(of(weight, bias)), &[input]);
        if let (Shape::Tokens(_), Pending::Open { inputs, map, .. }) = (self.shapes[id], &mut pending) {
            // Whatever map its tokens are the pixels of.
            *map = Map { channels: map.channels, ..self.frozen.values[inputs[0]] };
        }
        pending
    }

    pub fn affine_of(&self, name: &str) -> Affine {
        Affine { scale: self.tensor(name, "weight"), shift: self.tensor(name, "bias") }
    }

    pub fn group_norm(&mut self, id: NodeId, groups: usize, eps: f32, name: &str, input: NodeId) -> Pending {
        let affine = self.affine_of(name);
        self.open(id, Operation::GroupNorm { groups, eps, affine, activation: Activation::None }, &[input])
    }

    pub fn global_pool(&mut self, id: NodeId, reduce: Reduce, input: NodeId) -> Pending {
        self.open(id, Operation::GlobalPool { reduce, affine: None, activation: Activation::None }, &[input])
    }

    /// A value as it is, for a node that only sees its places otherwise: tokens are kept as whatever map they come from.
    pub fn view(&mut self, input: NodeId) -> Pending {
        match self.pending.remove(&input) {
            Some(Pending::Made(value)) => {
                self.pending.insert(input, Pending::Made(value));
                Pending::Made(value)
            }
            Some(open) => open,
            None => unreachable!("a node reads nodes before it"),
        }
    }

    /// The same places as a map of the node's height and width, which are copied where another map was made already.
    pub fn reshaped(&mut self, id: NodeId, input: NodeId) -> Pending {
        let map = self.map(id);
        match self.pending.get(&input) {
            Some(Pending::Open { map: own, .. }) if *own == map => self.view(input),
            Some(&Pending::Made(value)) if self.frozen.values[value] == map => Pending::Made(value),
            _ => self.open(id, Operation::Slice { start: 0 }, &[input]),
        }
    }

    /// Attention that reads queries, keys and values where they lie among the channels of what they are taken from.
    pub fn attention(&mut self, id: NodeId, mut attention: Attention, inputs: &[NodeId]) -> Pending {
        let mut read = Vec::new();
        for (&input, start) in inputs.iter().zip(&mut attention.starts) {
            let is_slice = |operation: &Operation, _: usize| matches!(operation, Operation::Slice { .. });
            read.push(match self.take_open(input, is_slice) {
                Some((Operation::Slice { start: first }, inputs, _)) => {
                    *start = first;
                    inputs[0]
                }
                _ => self.make(input),
            });
        }
        Pending::Open { operation: Operation::Attention(attention), inputs: read, map: self.map(id) }
    }

    pub fn elementwise(&mut self, id: NodeId, combine: Combine, affine: Option<Affine>, inputs: &[NodeId]) -> Pending {
        self.open(id, Operation::Elementwise { combine, affine, activation: Activation::None }, inputs)
    }

    /// Takes an open step, whose node has no other reader, to add something to it. It keeps its map: where its node is seen
    /// as tokens, the places of that map are these.
    fn take_open(
        &mut self,
        id: NodeId,
        may: impl Fn(&Operation, usize) -> bool,
    ) -> Option<(Operation, Vec<ValueId>, Map)> {
        match self.pending.get(&id) {
            Some(Pending::Open { operation, inputs, .. }) if may(operation, inputs.len()) => {}
            _ => return None,
        }
        match self.pending.remove(&id) {
            Some(Pending::Open { operation, inputs, map }) => Some((operation, inputs, map)),
            _ => None,
        }
    }

    pub fn affine(&mut self, id: NodeId, input: NodeId, affine: Affine) -> Pending {
        let may = |operation: &Operation, inputs: usize| match operation {
            Operation::Convolution(c) => c.activation == Activation::None && inputs == 1,
            Operation::Depthwise(c) => c.activation == Activation::None,
            Operation::GlobalPool { affine, activation, .. } | Operation::Elementwise { affine, activation, .. } => {
                affine.is_none() && *activation == Activation::None
            }
            _ => false,
        };
        let Some((mut operation, inputs, map)) = self.take_open(input, may) else {
            return self.elementwise(id, Combine::One, Some(affine), &[input]);
        };
        match &mut operation {
            Operation::Convolution(c) => {
                let length = c.weight.len() / c.bias.len().max(1);
                for (weight, scale) in c.weight.chunks_exact_mut(length.max(1)).zip(&affine.scale) {
                    weight.iter_mut().for_each(|weight| *weight *= scale);
                }
                apply(&mut c.bias, &affine);
            }
            Operation::Depthwise(c) => {
                for weights in c.weight.chunks_exact_mut(affine.scale.len()) {
                    weights.iter_mut().zip(&affine.scale).for_each(|(weight, scale)| *weight *= scale);
                }
                apply(&mut c.bias, &affine);
            }
            Operation::GlobalPool { affine: place, .. } | Operation::Elementwise { affine: place, .. } => {
                *place = Some(affine);
            }
            _ => unreachable!("`may` lets no other through"),
        }
        Pending::Open { operation, inputs, map }
    }

    pub fn activation(&mut self, id: NodeId, input: NodeId, wanted: Activation) -> Pending {
        let may = |operation: &Operation, _: usize| operation.activation() == Some(&Activation::None);
        let Some((mut operation, inputs, map)) = self.take_open(input, may) else {
            let operation = Operation::Elementwise { combine: Combine::One, affine: None, activation: wanted };
            return self.open(id, operation, &[input]);
        };
        operation.activation_mut().into_iter().for_each(|activation| *activation = wanted.clone());
        Pending::Open { operation, inputs, map }
    }

    pub fn add(&mut self, id: NodeId, a: NodeId, b: NodeId) -> Pending {
        if let Some(sum) = self.add_gates(a, b) {
            return sum;
        }
        let may = |operation: &Operation, inputs: usize| matches!(operation, Operation::Convolution(c) if c.activation == Activation::None && inputs == 1);
        for (to, other) in [(b, a), (a, b)] {
            if to != other
                && let Some((operation, mut inputs, map)) = self.take_open(to, may)
            {
                inputs.push(self.make(other));
                return Pending::Open { operation, inputs, map };
            }
        }
        self.elementwise(id, Combine::Add, None, &[a, b])
    }

    /// The sum of streams behind the same gate is one step.
    fn add_gates(&mut self, a: NodeId, b: NodeId) -> Option<Pending> {
        let gate = |id: NodeId| match self.pending.get(&id) {
            Some(Pending::Open { operation: Operation::Gate(gate), .. }) => Some(gate),
            _ => None,
        };
        if a == b || gate(a)? != gate(b)? {
            return None;
        }
        let (operation, mut inputs, map) = self.take_open(a, |_, _| true)?;
        let (_, others, _) = self.take_open(b, |_, _| true)?;
        inputs.extend(others);
        Some(Pending::Open { operation, inputs, map })
    }
}

fn apply(bias: &mut [f32], affine: &Affine) {
    for ((bias, scale), shift) in bias.iter_mut().zip(&affine.scale).zip(&affine.shift) {
        *bias = *bias * scale + shift;
    }
}

/// `[outputs, inputs, taps]` to `[outputs, taps, inputs]`.
fn channels_last(weight: &[f32], inputs: usize, taps: usize) -> Vec<f32> {
    if taps == 1 {
        return weight.to_vec();
    }
    let mut last = Vec::with_capacity(weight.len());
    for weight in weight.chunks_exact(taps * inputs) {
        (0..taps).for_each(|tap| last.extend(weight.iter().skip(tap).step_by(taps)));
    }
    last
}

/// `[rows, columns]` to `[columns, rows]`.
pub(crate) fn transposed(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..rows * columns).map(|i| values[i % rows * columns + i / rows]).collect()
}
