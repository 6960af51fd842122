//! The description of a network: what it computes, apart from how it is run.
//!
//! A network is written down once, as a [`Graph`]: nodes in execution order, which give a value or several, whose parameters
//! carry the names that checkpoints use, and whose [`Role`]s make the parameter groups. The trainable form
//! (`training::Network`) interprets the same nodes that a frozen form would fold and fuse.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

pub mod budget;
mod builder;
pub mod frozen;
pub mod op;
mod shape;

pub use builder::{Builder, Convolution2d, Value};
pub(crate) use frozen::lower::transposed;
pub use op::{Convolution, EPS, Op};
pub use shape::{Shape, ShapeError, shapes};

pub use crate::step::{Padding, Pool};

/// The number of a value: those of all nodes are counted in order, and a node only reads values before its own. Where each
/// node gives one value it is the node's index in [`Graph::nodes`].
pub type NodeId = usize;

/// The part of a `ReIdentifier` that a node belongs to; the learning rates go by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The pretrained network up to the feature map (or the feature, where it ends in a fully connected layer).
    Backbone,
    /// Pooling, bottleneck and BN neck.
    Neck,
    /// The classifier over training identities.
    Head,
}

/// One step of a network. Most give one value, a [`Split`](op::Split) gives several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    pub op: Op,
    pub inputs: Vec<NodeId>,
    pub role: Role,
}

/// How a parameter starts when no checkpoint fills it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    Constant(f32),
    /// Normal, mean 0, with this standard deviation.
    Normal(f32),
}

/// What a tensor is to the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// Moved by the optimiser.
    Trained,
    /// A parameter that is never moved (the BN neck's bias).
    Frozen,
    /// Statistics that batch norm keeps in training.
    Running,
}

/// One named tensor of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    pub name: String,
    pub shape: Vec<usize>,
    pub kind: ParameterKind,
    pub role: Role,
    pub init: Init,
}

/// A whole network: its nodes in execution order, and the values that it gives by their names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Graph {
    pub nodes: Vec<Node>,
    pub outputs: BTreeMap<String, NodeId>,
}

impl Graph {
    /// Every tensor of the network once, in node order, by the name that a checkpoint of our own dialect gives it.
    /// Nodes may share tensors: OSNet's four streams pass through one gate.
    pub fn parameters(&self) -> Vec<Parameter> {
        let mut seen = HashSet::new();
        let all = self.nodes.iter().flat_map(Node::parameters);
        all.filter(|parameter| seen.insert(parameter.name.clone())).collect()
    }

    /// The version of our files that it takes to say its nodes; `shapes` are those of their values.
    pub(crate) fn file_version(&self, shapes: &[Shape]) -> u32 {
        let is_first = |node: &Node| {
            let inputs: Vec<Shape> = node.inputs.iter().map(|&input| shapes[input]).collect();
            node.op.operator().is_in_version_1(&inputs)
        };
        if self.nodes.iter().all(is_first) { 1 } else { 2 }
    }

    /// Global average pools, each with a batch norm that reads it: pairs that one pass can compute.
    pub fn pooled_norms(&self) -> BTreeMap<NodeId, NodeId> {
        let nodes = apart(&self.nodes);
        let pooled = |id: &NodeId| nodes[*id].op == Op::GlobalAveragePool;
        let norms = nodes.iter().enumerate().filter(|(_, node)| matches!(node.op, Op::BatchNorm(_)));
        norms.filter_map(|(norm, node)| Some((*node.inputs.first().filter(|&id| pooled(id))?, norm))).collect()
    }

    /// Batch norms that only a ReLU reads, each with it: pairs that one pass can compute.
    pub fn rectified_norms(&self) -> BTreeMap<NodeId, NodeId> {
        let nodes = apart(&self.nodes);
        let mut readers: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
        for (id, node) in nodes.iter().enumerate() {
            node.inputs.iter().for_each(|&input| readers.entry(input).or_default().push(id));
        }
        let is_output = |id: NodeId| self.outputs.values().any(|&output| output == id);
        let norms = nodes.iter().enumerate().filter(|(_, node)| matches!(node.op, Op::BatchNorm(_)));
        let pair = |norm: NodeId| match readers.get(&norm)?[..] {
            [reader] if nodes[reader].op == Op::Relu && !is_output(norm) => Some((norm, reader)),
            _ => None,
        };
        norms.filter_map(|(norm, _)| pair(norm)).collect()
    }

    /// The learning rate of every role, as `get_parameters(base_lr, rate)` of the Transfer-Learning-Library gives it:
    /// the backbone at `rate · base_lr` when fine-tuning, everything else at `base_lr`.
    pub fn learning_rate(role: Role, base_lr: f64, rate: f64, finetune: bool) -> f64 {
        match role {
            Role::Backbone if finetune => rate * base_lr,
            _ => base_lr,
        }
    }
}

/// A node for each value, whose number is the node's place among them: those that give several are taken apart.
pub(crate) fn apart(nodes: &[Node]) -> Cow<'_, [Node]> {
    if nodes.iter().all(|node| node.op.values() == 1) {
        return nodes.into();
    }
    let each = |Node { op, inputs, role }: &Node| {
        let ops = op.apart().into_owned().into_iter();
        ops.map(|op| Node { op, inputs: inputs.clone(), role: *role }).collect::<Vec<_>>()
    };
    nodes.iter().flat_map(each).collect()
}

impl Node {
    /// The tensors of this node.
    pub fn parameters(&self) -> Vec<Parameter> {
        let prefix = self.op.name().unwrap_or_default();
        let make = |part: op::Part| {
            let name = format!("{prefix}.{}", part.name);
            Parameter { name, shape: part.shape, kind: part.kind, role: self.role, init: part.init }
        };
        self.op.operator().parts(self.role).into_iter().map(make).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_norm_and_its_relu_are_a_pair_unless_others_read_the_norm() {
        let (mut b, x) = Builder::new(3);
        let paired = b.batch_norm("paired", x);
        let relu = b.relu(paired);
        let shared = b.batch_norm("shared", relu);
        let one = b.relu(shared);
        let sum = b.add(one, shared);
        let twice = b.batch_norm("twice", sum);
        let squared = b.multiply(twice, twice);
        let gated = b.batch_norm("gated", squared);
        let gate = b.sigmoid(gated);
        b.batch_norm("unread", gate);
        let pooled = b.global_average_pool(gate);
        let feature = b.batch_norm("feature", pooled);
        let rectified = b.relu(feature);
        let embedding = b.batch_norm("embedding", rectified);
        let after = b.relu(embedding);
        let logits = b.batch_norm("logits", after);
        b.relu(logits);
        let mut graph = b.finish([("feature", feature), ("embedding", embedding), ("logits", logits)]);
        assert_eq!(graph.rectified_norms(), BTreeMap::from([(paired.id, relu.id)]));

        graph.outputs.remove("logits");
        assert_eq!(graph.rectified_norms().len(), 2, "what is no output any more makes a pair");
    }
}
