//! The description of a network: what it computes, apart from how it is run.
//!
//! A network is written down once, as a [`Graph`]: nodes in execution order whose parameters carry the names that
//! checkpoints use, and whose [`Role`]s make the parameter groups. The trainable form (`training::Network`) interprets
//! the same nodes that a frozen form would fold and fuse.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

pub mod budget;
mod builder;
pub mod frozen;
mod shape;

pub use builder::{Builder, Convolution2d, Value};
pub(crate) use shape::shape_of;
pub use shape::{Shape, ShapeError, shapes};

pub use crate::step::{Padding, Pool};

/// The index of a node in [`Graph::nodes`]; a node only reads nodes before it.
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

/// One step of a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    pub op: Op,
    pub inputs: Vec<NodeId>,
    pub role: Role,
}

/// What a node computes. Maps are NCHW, vectors NC. `name` is the prefix of the node's parameters in a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Op {
    /// The normalised image batch, `[n, channels, height, width]`.
    Input {
        channels: usize,
    },
    /// 2-D convolution: `name.weight` `[out, in / groups, kh, kw]` and, with `bias`, `name.bias` `[out]`.
    Convolution(Convolution),
    /// Batch normalisation over a map or a vector: `name.{weight,bias,running_mean,running_var}` `[channels]`, eps 1e-5.
    /// A frozen bias is never trained (the BN neck of Bag of Tricks).
    BatchNorm {
        name: String,
        channels: usize,
        bias_frozen: bool,
    },
    /// Affine instance normalisation of a map: `name.{weight,bias}` `[channels]`, eps 1e-5, no running statistics.
    InstanceNorm {
        name: String,
        channels: usize,
    },
    /// Affine group normalisation of a map or a vector: each image's channels in `groups` runs of equal length, every run
    /// to mean 0 and variance 1, eps 1e-5; then `name.{weight,bias}` `[channels]` as instance norm has them.
    GroupNorm {
        name: String,
        channels: usize,
        groups: usize,
    },
    /// Each channel scaled and shifted: `name.{weight,bias}` `[channels]`.
    Affine {
        name: String,
        channels: usize,
    },
    Relu,
    Sigmoid,
    /// `max(x, 0) + weight · min(x, 0)`: `name.weight` `[channels]`.
    PRelu {
        name: String,
        channels: usize,
    },
    MaxPool(Pool),
    AveragePool(Pool),
    /// The mean over height and width: `[n, c, h, w]` → `[n, c]`.
    GlobalAveragePool,
    /// Generalised-mean pooling, `(mean(max(x, 1e-6)^p))^(1/p)` with the learnable exponent `name.p` `[1]`; `[n, c, h, w]` → `[n, c]`.
    GemPool {
        name: String,
    },
    /// Fully connected: `name.weight` `[outputs, inputs]` and, with `bias`, `name.bias` `[outputs]`.
    Linear {
        name: String,
        inputs: usize,
        outputs: usize,
        bias: bool,
    },
    /// Elementwise sum of two equal shapes.
    Add,
    /// Elementwise product; the second input may be a vector `[n, c]` that scales the channels of a map.
    Multiply,
    /// The channels `start .. start + length`.
    Split {
        start: usize,
        length: usize,
    },
    /// The inputs joined along the channels.
    Concatenate,
}

/// The attributes of a 2-D convolution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Convolution {
    pub name: String,
    pub inputs: usize,
    pub outputs: usize,
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub padding: [usize; 2],
    pub groups: usize,
    pub bias: bool,
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

/// A whole network: its nodes in execution order and the three values that a re-identification model gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    pub nodes: Vec<Node>,
    /// The first node of the backbone's last stage: what lies before it may stay as it is when only the later part is
    /// trained. 0 where the builder marked none.
    pub last_stage: NodeId,
    /// `f`: the pooled feature `[n, c]`, which the triplet loss sees.
    pub feature: NodeId,
    /// `bn_f`: the feature after bottleneck and BN neck, which matching uses (equal to `feature` without a neck).
    pub embedding: NodeId,
    /// The identities' scores, where there is a head.
    pub logits: Option<NodeId>,
}

impl Graph {
    /// Every tensor of the network once, in node order, by the name that a checkpoint of our own dialect gives it.
    /// Nodes may share tensors: OSNet's four streams pass through one gate.
    pub fn parameters(&self) -> Vec<Parameter> {
        let mut seen = HashSet::new();
        let all = self.nodes.iter().flat_map(Node::parameters);
        all.filter(|parameter| seen.insert(parameter.name.clone())).collect()
    }

    /// Global average pools, each with a batch norm that reads it: pairs that one pass can compute.
    pub fn pooled_norms(&self) -> BTreeMap<NodeId, NodeId> {
        let pooled = |id: &NodeId| self.nodes[*id].op == Op::GlobalAveragePool;
        let norms = self.nodes.iter().enumerate().filter(|(_, node)| matches!(node.op, Op::BatchNorm { .. }));
        norms.filter_map(|(norm, node)| Some((*node.inputs.first().filter(|&id| pooled(id))?, norm))).collect()
    }

    /// Batch norms that only a ReLU reads, each with it: pairs that one pass can compute.
    pub fn rectified_norms(&self) -> BTreeMap<NodeId, NodeId> {
        let mut readers: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
        for (id, node) in self.nodes.iter().enumerate() {
            node.inputs.iter().for_each(|&input| readers.entry(input).or_default().push(id));
        }
        let outputs = [Some(self.feature), Some(self.embedding), self.logits];
        let norms = self.nodes.iter().enumerate().filter(|(_, node)| matches!(node.op, Op::BatchNorm { .. }));
        let pair = |norm: NodeId| match readers.get(&norm)?[..] {
            [reader] if self.nodes[reader].op == Op::Relu && !outputs.contains(&Some(norm)) => Some((norm, reader)),
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

impl Op {
    /// The prefix of the parameters' names; `None` for an operation without any.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Convolution(Convolution { name, .. })
            | Self::BatchNorm { name, .. }
            | Self::InstanceNorm { name, .. }
            | Self::GroupNorm { name, .. }
            | Self::Affine { name, .. }
            | Self::PRelu { name, .. }
            | Self::GemPool { name }
            | Self::Linear { name, .. } => Some(name),
            Self::Input { .. }
            | Self::Relu
            | Self::Sigmoid
            | Self::MaxPool(_)
            | Self::AveragePool(_)
            | Self::GlobalAveragePool
            | Self::Add
            | Self::Multiply
            | Self::Split { .. }
            | Self::Concatenate => None,
        }
    }

    pub(crate) fn name_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::Convolution(Convolution { name, .. })
            | Self::BatchNorm { name, .. }
            | Self::InstanceNorm { name, .. }
            | Self::GroupNorm { name, .. }
            | Self::Affine { name, .. }
            | Self::PRelu { name, .. }
            | Self::GemPool { name }
            | Self::Linear { name, .. } => Some(name),
            _ => None,
        }
    }
}

impl Node {
    /// The tensors of this node.
    pub fn parameters(&self) -> Vec<Parameter> {
        let make = |name: String, shape: Vec<usize>, kind, init| Parameter { name, shape, kind, role: self.role, init };
        let trained = |name: String, shape, init| make(name, shape, ParameterKind::Trained, init);
        match &self.op {
            Op::Convolution(c) => {
                let per_group = c.inputs / c.groups;
                // He et al. (arXiv 1502.01852), fan out, as torchvision and torchreid initialise.
                let fan_out = c.outputs * c.kernel[0] * c.kernel[1] / c.groups;
                let std = (2.0 / fan_out as f32).sqrt();
                let mut list = vec![trained(
                    format!("{}.weight", c.name),
                    vec![c.outputs, per_group, c.kernel[0], c.kernel[1]],
                    Init::Normal(std),
                )];
                if c.bias {
                    list.push(trained(format!("{}.bias", c.name), vec![c.outputs], Init::Constant(0.0)));
                }
                list
            }
            Op::BatchNorm { name, channels, bias_frozen } => {
                let bias = if *bias_frozen { ParameterKind::Frozen } else { ParameterKind::Trained };
                let shape = vec![*channels];
                vec![
                    trained(format!("{name}.weight"), shape.clone(), Init::Constant(1.0)),
                    make(format!("{name}.bias"), shape.clone(), bias, Init::Constant(0.0)),
                    make(format!("{name}.running_mean"), shape.clone(), ParameterKind::Running, Init::Constant(0.0)),
                    make(format!("{name}.running_var"), shape, ParameterKind::Running, Init::Constant(1.0)),
                ]
            }
            Op::InstanceNorm { name, channels }
            | Op::GroupNorm { name, channels, .. }
            | Op::Affine { name, channels } => vec![
                trained(format!("{name}.weight"), vec![*channels], Init::Constant(1.0)),
                trained(format!("{name}.bias"), vec![*channels], Init::Constant(0.0)),
            ],
            Op::PRelu { name, channels } => {
                vec![trained(format!("{name}.weight"), vec![*channels], Init::Constant(0.25))]
            }
            Op::GemPool { name } => vec![trained(format!("{name}.p"), vec![1], Init::Constant(3.0))],
            Op::Linear { name, inputs, outputs, bias } => {
                // The head's N(0, 0.001) is Bag of Tricks'; other layers take torchreid's N(0, 0.01).
                let std = if self.role == Role::Head { 0.001 } else { 0.01 };
                let mut list = vec![trained(format!("{name}.weight"), vec![*outputs, *inputs], Init::Normal(std))];
                if *bias {
                    list.push(trained(format!("{name}.bias"), vec![*outputs], Init::Constant(0.0)));
                }
                list
            }
            Op::Input { .. }
            | Op::Relu
            | Op::Sigmoid
            | Op::MaxPool(_)
            | Op::AveragePool(_)
            | Op::GlobalAveragePool
            | Op::Add
            | Op::Multiply
            | Op::Split { .. }
            | Op::Concatenate => Vec::new(),
        }
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
        let graph = b.finish(feature, embedding, Some(logits));
        assert_eq!(graph.rectified_norms(), BTreeMap::from([(paired.id, relu.id)]));

        let without_head = Graph { logits: None, ..graph };
        assert_eq!(without_head.rectified_norms().len(), 2, "what is no output any more makes a pair");
    }
}
