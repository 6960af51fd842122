//! Networks that no builder here writes down: read from a file that spells them out, node by node.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::InputConfig;
use super::reidentifier::{ConfigError, IMAGE, size};
use crate::graph::budget::{self, CHANNELS};
use crate::graph::op::{AveragePool, Input, MaxPool};
use crate::graph::{self, Node, NodeId, Op, Role, Shape};

/// A backbone that ends in the feature `[n, features]`, as its file spells it out. It travels whole in the metadata of the
/// files we write, so that it is exported, loaded again and fine-tuned like any other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImportedConfig {
    /// What the file calls the network.
    pub name: String,
    /// In execution order: the image first, the feature last. All parameters are called `backbone.*`.
    pub nodes: Vec<Node>,
    /// The length of the feature.
    pub features: usize,
}

impl ImportedConfig {
    /// Where the last stage begins: after the last pooling that makes the map smaller, or with the last convolution that
    /// does; 0 where nothing does. Of a transformer, whose tokens stay as many, it is the last quarter of its blocks, each from
    /// behind the attention of the one before.
    pub(super) fn last_stage(&self) -> NodeId {
        let nodes = graph::apart(&self.nodes);
        let begins = |(id, node): (NodeId, &Node)| match &node.op {
            Op::MaxPool(MaxPool(pool)) | Op::AveragePool(AveragePool(pool)) => {
                (pool.stride != [1, 1]).then_some(id + 1)
            }
            Op::Convolution(c) => (c.stride != [1, 1]).then_some(id),
            _ => None,
        };
        let last = nodes.iter().enumerate().rev().find_map(begins).unwrap_or(0);
        let is_attention = |id: &NodeId| matches!(nodes[*id].op, Op::Attention(_));
        let blocks: Vec<NodeId> = (last..nodes.len()).filter(is_attention).collect();
        match blocks.len() - blocks.len().div_ceil(4) {
            0 => last,
            before => blocks[before - 1] + 1,
        }
    }

    /// Refuses what is no network: the nodes may come from a file of ours that someone changed.
    pub(super) fn check(&self, input: &InputConfig) -> Result<(), ConfigError> {
        let shapes = check_nodes(&self.nodes, input)?;
        match shapes.last() {
            Some(&Shape::Vector(features)) if features == self.features => Ok(()),
            _ => {
                let what = "the last node does not give the feature";
                Err(ConfigError::Node { node: shapes.len().saturating_sub(1), what })
            }
        }
    }
}

/// The shapes of the values of nodes that a file of ours lists, for images of this size; what is no network is refused, as
/// someone may have changed the file.
pub(super) fn check_nodes(nodes: &[Node], input: &InputConfig) -> Result<Vec<Shape>, ConfigError> {
    let wrong = |node, what| Err(ConfigError::Node { node, what });
    budget::values(nodes)?;
    let mut layers: BTreeMap<&str, &Op> = BTreeMap::new();
    for (id, node) in nodes.iter().enumerate() {
        if (id == 0) != (node.op == Op::Input(Input { channels: 3 })) {
            return wrong(id, "the image, of 3 channels, comes first and once");
        }
        if node.role != Role::Backbone {
            return wrong(id, "every node belongs to the backbone");
        }
        let Some(name) = node.op.name() else { continue };
        if !name.starts_with("backbone.") {
            return wrong(id, "its parameters are not called backbone.*");
        }
        if layers.insert(name, &node.op).is_some_and(|other| *other != node.op) {
            return wrong(id, "another layer has its parameters' name");
        }
    }
    let shapes = graph::shapes(nodes, input.height, input.width)?;
    for shape in &shapes {
        size("a layer of the network", shape.channels(), CHANNELS)?;
        if let Shape::Map([_, height, width]) = shape {
            size("the height of a map", *height, 1..=*IMAGE.end())?;
            size("the width of a map", *width, 1..=*IMAGE.end())?;
        }
    }
    Ok(shapes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Builder, Convolution2d, Padding, Pool};
    use crate::model::{BackboneConfig, ReIdentifierConfig};

    fn imported() -> ImportedConfig {
        let (mut b, image) = Builder::new(3);
        let shape = Convolution2d { kernel: 3, stride: 2, padding: 1, bias: true, ..Default::default() };
        let x = b.convolution("backbone.conv", image, 8, shape);
        let x = b.max_pool(
            x,
            Pool { kernel: [2; 2], stride: [2; 2], padding: Padding::NONE, ceil: false, count_padding: true },
        );
        let x = b.global_average_pool(x);
        let x = b.linear("backbone.fc", x, 5, true);
        ImportedConfig { name: "small".into(), nodes: b.finish([("feature", x)]).nodes, features: 5 }
    }

    #[test]
    fn an_imported_backbone_takes_a_neck_and_a_head_and_its_description_comes_back() {
        let mut config = ReIdentifierConfig::new(BackboneConfig::Imported(imported()), 7);
        let graph = config.graph().expect("fits");
        let shapes = graph.shapes(256, 128).expect("fits");
        assert_eq!(shapes[graph.embedding], Shape::Vector(5));
        assert_eq!(graph.logits.map(|id| shapes[id]), Some(Shape::Vector(7)));
        // After the max pool.
        assert_eq!(graph.last_stage, 3);
        assert_eq!((config.features_dim(), config.backbone.to_string().as_str()), (5, "small"));
        let json = serde_json::to_string(&config).expect("describable");
        assert_eq!(serde_json::from_str::<ReIdentifierConfig>(&json).expect("ours"), config);
        // The nodes are those of the file when nothing is put behind them.
        (config.neck, config.head) = (false, None);
        assert_eq!(config.graph().expect("fits").nodes, imported().nodes);
    }

    #[test]
    fn the_last_stage_of_a_transformer_is_its_last_quarter() {
        let vit = crate::model::preset("vit_small", 0).expect("a preset").graph().expect("fits");
        let nodes = graph::apart(&vit.nodes)[..=vit.feature].to_vec();
        let attentions: Vec<NodeId> = (0..nodes.len()).filter(|&id| matches!(nodes[id].op, Op::Attention(_))).collect();
        let imported = ImportedConfig { name: "ViT".into(), nodes, features: 384 };
        assert_eq!(attentions.len(), 12);
        assert_eq!(imported.last_stage(), attentions[8] + 1);
        // Our own begins with the block itself.
        assert!((attentions[8] + 1..attentions[9]).contains(&vit.last_stage));
    }

    #[test]
    fn nodes_of_no_network_are_refused() {
        let refused = |change: fn(&mut ImportedConfig)| {
            let mut imported = imported();
            change(&mut imported);
            ReIdentifierConfig::new(BackboneConfig::Imported(imported), 0).graph().expect_err("refused").to_string()
        };
        let conv = |change: fn(&mut graph::Convolution)| {
            let mut imported = imported();
            let Op::Convolution(c) = &mut imported.nodes[1].op else { panic!("a convolution") };
            change(c);
            ReIdentifierConfig::new(BackboneConfig::Imported(imported), 0).graph().expect_err("refused").to_string()
        };
        assert!(refused(|i| i.nodes.clear()).contains("does not give the feature"));
        assert!(refused(|i| drop(i.nodes.remove(0))).starts_with("node 0"));
        assert!(refused(|i| i.nodes.push(i.nodes[0].clone())).contains("comes first and once"));
        assert!(refused(|i| i.nodes[4].inputs = vec![4]).contains("cannot take"));
        assert!(refused(|i| i.nodes[4].inputs = vec![usize::MAX]).contains("cannot take"));
        assert!(refused(|i| i.nodes[4].inputs.clear()).contains("cannot take"));
        assert!(refused(|i| i.nodes[4].role = Role::Head).contains("belongs to the backbone"));
        assert!(refused(|i| i.features = 6).contains("does not give the feature"));
        assert!(refused(|i| drop(i.nodes.pop())).contains("does not give the feature"));
        assert!(refused(|i| i.nodes.truncate(3)).contains("does not give the feature"));
        assert!(conv(|c| c.groups = 0).contains("cannot take"));
        assert!(conv(|c| c.groups = 2).contains("cannot take"));
        assert!(conv(|c| c.stride = [0, 2]).contains("cannot take"));
        assert!(conv(|c| c.padding = [usize::MAX, 1].into()).contains("cannot take"));
        assert!(conv(|c| c.padding = [1 << 20, 1].into()).contains("the height of a map"));
        assert!(conv(|c| c.outputs = usize::MAX).contains("cannot take"));
        let long = refused(|i| {
            let Op::Linear(graph::op::Linear { outputs, .. }) = &mut i.nodes[4].op else { panic!("a linear layer") };
            (*outputs, i.features) = (1 << 30, 1 << 30);
        });
        assert!(long.contains("a layer of the network is 1073741824"), "{long}");
        assert!(conv(|c| c.name = "head".into()).contains("backbone.*"));
        assert!(conv(|c| c.name = "backbone.fc".into()).contains("another layer"));
        // Each concatenation doubles the channels.
        let doubled = refused(|i| {
            for id in 1..100 {
                i.nodes.insert(id, Node { op: Op::Concatenate, inputs: vec![id - 1; 2], role: Role::Backbone });
            }
        });
        assert!(doubled.contains("cannot take"), "{doubled}");
    }
}
