//! Which model features are of.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::Tensor;
use crate::graph::{NodeId, Op, apart};
use crate::model::{ConfigError, InputConfig, ReIdentifierConfig};

/// Begins what is hashed. To be changed whenever the same network and tensors come to give other features: when images are
/// decoded or resized otherwise.
const FORM: &[u8] = b"webreid model 1\n";
/// Values hashed at a time: enough for BLAKE3 to use the widest vectors.
const BLOCK: usize = 4096;

/// Tells models apart by their features: models with the same fingerprint give the same features, but for the rounding of
/// devices, and features of different fingerprints must not be compared. Written as 32 hexadecimal digits.
///
/// It is the BLAKE3 hash, cut to 128 bits, of all that a feature depends on: the nodes that lead to the embedding, the
/// input's size and normalisation, and the tensors of these nodes to the bit. So it knows nothing of the head, of what only
/// training needs, of the file, of where the weights come from, or of the device; and a file of ours in f32 gives back the
/// fingerprint of what was saved. It is always computed from the tensors that are at work, never believed of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// Of a model and its tensors by our names, as [`Recognised`](super::Recognised) has them.
    ///
    /// # Errors
    /// When the config describes no network.
    pub fn of(config: &ReIdentifierConfig, tensors: &BTreeMap<String, Tensor>) -> Result<Self, ConfigError> {
        // Every field by its name, so that whoever adds one decides here: all but the input are in the graph, as far as a
        // feature depends on them.
        let ReIdentifierConfig { backbone: _, pooling: _, bottleneck: _, neck: _, head: _, finetune: _, input } =
            config;
        let graph = config.graph()?;
        let nodes = apart(&graph.nodes);
        let mut needed = vec![false; nodes.len()];
        needed[graph.embedding] = true;
        for (id, node) in nodes.iter().enumerate().rev() {
            if needed[id] {
                node.inputs.iter().for_each(|&input| needed[input] = true);
            }
        }
        let nodes = nodes.iter().enumerate().filter(|(id, _)| needed[*id]);
        let network = Network {
            nodes: nodes.clone().map(|(id, node)| (id, untrained(&node.op), &node.inputs[..])).collect(),
            embedding: graph.embedding,
            input,
        };
        let mut hasher = blake3::Hasher::new();
        hasher.update(FORM);
        serde_json::to_writer(&mut hasher, &network).expect("plain data, and a hash takes every byte");
        for name in nodes.flat_map(|(_, node)| node.parameters()).map(|parameter| parameter.name) {
            // A tensor of several nodes comes once for each: that changes nothing.
            if let Some(tensor) = tensors.get(&name) {
                update(&mut hasher, &tensor.values);
            }
        }
        let mut digest = [0; 16];
        hasher.finalize_xof().fill(&mut digest);
        Ok(Self(digest))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What is computed, a node for each value, in the form that is hashed: as JSON, whose keys come in the order of declaration
/// in every build. It tells each tensor's shape, so that the values need no lengths. A field that operators or the input get
/// later stays out of it while it has the value that holds now (`skip_serializing_if`), so that known models keep their
/// fingerprints.
#[derive(Serialize)]
struct Network<'a> {
    nodes: Vec<(NodeId, Op, &'a [NodeId])>,
    embedding: NodeId,
    input: &'a InputConfig,
}

/// The operator without what only training asks.
fn untrained(op: &Op) -> Op {
    let mut op = op.clone();
    if let Op::BatchNorm(norm) = &mut op {
        norm.bias_frozen = false;
    }
    op
}

fn update(hasher: &mut blake3::Hasher, values: &[f32]) {
    let mut bytes = [0; 4 * BLOCK];
    for block in values.chunks(BLOCK) {
        for (bytes, value) in bytes.as_chunks_mut().0.iter_mut().zip(block) {
            *bytes = value.to_le_bytes();
        }
        hasher.update(&bytes[..4 * block.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Role;
    use crate::model::{BackboneConfig, ChannelOrder, Head, ImportedConfig, Pooling, preset};
    use crate::step::Fit;
    use crate::weights::{Precision, initial_tensors, read, to_safetensors};

    type Model = (ReIdentifierConfig, BTreeMap<String, Tensor>);

    /// A network with a head, and its tensors.
    fn model() -> Model {
        let config = preset("osnet_x0_25", 3).expect("a preset");
        let tensors = initial_tensors(&config, 1).expect("a network");
        (config, tensors)
    }

    fn of((config, tensors): &Model) -> Fingerprint {
        Fingerprint::of(config, tensors).expect("a network")
    }

    /// Whoever stored features expects the next version to know their model again: another value here is for [`FORM`] to
    /// say, or a mistake.
    #[cfg(feature = "bundled")]
    #[test]
    fn the_bundled_models_fingerprint_stays() {
        let model = crate::weights::bundled().expect("readable");
        assert_eq!(of(&(model.config, model.tensors)).to_string(), "ce7d69f1dcff5ea77d9f06f0c5f313c2");
    }

    #[test]
    fn what_changes_no_feature_changes_no_fingerprint() {
        let model = model();
        let same = |change: fn(&mut Model)| {
            let mut other = model.clone();
            change(&mut other);
            assert_eq!(of(&other), of(&model));
        };
        same(|(config, _)| config.finetune = !config.finetune);
        // This backbone gives a vector, which is not pooled.
        same(|(config, _)| config.pooling = Pooling::Gem);
        same(|(config, _)| config.head = Some(Head { num_classes: 5, bias: true }));
        same(|(config, tensors)| {
            config.head = None;
            tensors.retain(|name, _| !name.starts_with("head."));
        });
        same(|(_, tensors)| tensors.get_mut("head.weight").expect("a head").values[0] += 1.0);
    }

    #[test]
    fn what_changes_features_changes_the_fingerprint() {
        let model = model();
        let changes: [fn(&mut Model); 11] = [
            |_| {},
            |(config, _)| config.input.order = ChannelOrder::Bgr,
            |(config, _)| config.input.mean[2] = 0.5,
            |(config, _)| config.input.std.swap(0, 1),
            |(config, _)| config.input.width = 64,
            |(config, _)| config.input.fit = Fit::LETTERBOX,
            |(config, _)| config.input.fit = Fit::Letterbox { colour: [0; 3] },
            |(config, _)| config.neck = false,
            |(config, _)| {
                let BackboneConfig::Osnet(network) = &mut config.backbone else { panic!("an OSNet") };
                network.instance_norm = true;
            },
            |(_, tensors)| {
                let last = tensors.get_mut("bottleneck.running_mean").expect("a neck").values.last_mut();
                *last.expect("values") = f32::from_bits(1);
            },
            |(_, tensors)| tensors.get_mut("backbone.conv1.conv.weight").expect("a stem").values.swap(0, 1),
        ];
        let fingerprints = changes.map(|change| {
            let mut other = model.clone();
            change(&mut other);
            of(&other).to_string()
        });
        let different: std::collections::BTreeSet<_> = fingerprints.iter().collect();
        assert_eq!(different.len(), fingerprints.len(), "{fingerprints:?}");
        assert!(fingerprints.iter().all(|text| text.len() == 32));
    }

    #[test]
    fn an_imported_networks_name_does_not_count() {
        let (config, tensors) = model();
        let mut bare = ReIdentifierConfig { head: None, neck: false, ..config };
        let mut nodes = bare.graph().expect("a network").graph.nodes;
        nodes.iter_mut().for_each(|node| node.role = Role::Backbone);
        let features = bare.features_dim();
        bare.backbone = BackboneConfig::Imported(ImportedConfig { name: "a".into(), nodes, features });
        let mut renamed = bare.clone();
        let BackboneConfig::Imported(network) = &mut renamed.backbone else { panic!("imported") };
        network.name = "b".into();
        assert_eq!(of(&(renamed, tensors.clone())), of(&(bare, tensors)));
    }

    #[test]
    fn a_file_in_f32_brings_the_fingerprint_back_and_one_in_f16_is_another_model() {
        let (config, tensors) = model();
        for precision in [Precision::F32, Precision::F16] {
            let provenance = BTreeMap::from([("source".to_owned(), format!("{precision:?}"))]);
            let file = to_safetensors(&config, &tensors, &provenance, precision).expect("writable");
            let again = read(&file).expect("readable");
            let found = of(&(again.config, again.tensors));
            assert_eq!(found == of(&(config.clone(), tensors.clone())), precision == Precision::F32);
            // What the file says of itself is right, too.
            assert!(String::from_utf8_lossy(&file).contains(&format!("\\\"fingerprint\\\":\\\"{found}\\\"")));
        }
    }
}
