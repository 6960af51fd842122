//! The `ReIdentifier`: backbone → pool → bottleneck → BN neck → head, as in the Transfer-Learning-Library, which follows
//! "Bag of Tricks and A Strong Baseline for Deep Person Re-identification" (Luo et al., arXiv 1903.07071).

use serde::{Deserialize, Serialize};

use super::{OsnetConfig, ResnetConfig};
use crate::graph::{Builder, Graph, Role, Value};

/// A model, completely described: it builds the graph and travels in the metadata of the files we write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReIdentifierConfig {
    pub backbone: BackboneConfig,
    pub pooling: Pooling,
    pub bottleneck: Option<Bottleneck>,
    /// The BN neck. Only checkpoints that were trained without one go without.
    pub neck: bool,
    pub head: Option<Head>,
    /// The backbone learns at `rate · base_lr` rather than at `base_lr`.
    pub finetune: bool,
    pub input: InputConfig,
}

/// The network up to the pooling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BackboneConfig {
    Osnet(OsnetConfig),
    Resnet(ResnetConfig),
}

/// From the feature map to a vector. A backbone that already ends in a vector is not pooled again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    #[default]
    Average,
    /// Generalised mean with a learnable exponent (Radenović et al., arXiv 1711.02512).
    Gem,
}

/// A linear layer between pooling and BN neck, which sets the feature's dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bottleneck {
    pub dim: usize,
    pub bias: bool,
}

/// The classifier over training identities. TLL's has no bias; torchreid's has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub num_classes: usize,
    pub bias: bool,
}

/// The order of the colours that a network reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelOrder {
    #[default]
    Rgb,
    Bgr,
}

/// How an image becomes the network's input: resized to `height` × `width` (Pillow's bilinear), scaled to 0–1,
/// then `(x − mean) / std` for each channel in the network's order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputConfig {
    pub height: usize,
    pub width: usize,
    pub mean: [f32; 3],
    pub std: [f32; 3],
    pub order: ChannelOrder,
}

impl Default for InputConfig {
    /// 256×128, RGB, ImageNet's mean and standard deviation.
    fn default() -> Self {
        Self {
            height: 256,
            width: 128,
            mean: [0.485, 0.456, 0.406],
            std: [0.229, 0.224, 0.225],
            order: ChannelOrder::Rgb,
        }
    }
}

impl ReIdentifierConfig {
    /// TLL's defaults around a backbone: average pooling, BN neck, no bottleneck, fine-tuning; `num_classes` 0 leaves the head out.
    pub fn new(backbone: BackboneConfig, num_classes: usize) -> Self {
        Self {
            backbone,
            pooling: Pooling::Average,
            bottleneck: None,
            neck: true,
            head: (num_classes > 0).then_some(Head { num_classes, bias: false }),
            finetune: true,
            input: InputConfig::default(),
        }
    }

    /// The length of the feature that matching uses.
    pub fn features_dim(&self) -> usize {
        self.bottleneck.map_or_else(|| self.backbone.out_features(), |bottleneck| bottleneck.dim)
    }

    /// The network, with `backbone.*`, `pool.*`, `bottleneck.*` and `head.*` as parameter names.
    ///
    /// With a bottleneck its layers are `bottleneck.0` (linear) and `bottleneck.1` (batch norm), as TLL's `nn.Sequential` names them.
    pub fn graph(&self) -> Result<Graph, UnknownDepth> {
        let (mut b, image) = Builder::new(3);
        let (mut x, is_map) = match &self.backbone {
            BackboneConfig::Osnet(config) => (config.build(&mut b, image), config.feature_dim.is_none()),
            BackboneConfig::Resnet(config) => {
                let (blocks, bottleneck) = ResnetConfig::layers(config.depth).ok_or(UnknownDepth(config.depth))?;
                (config.build(&mut b, image, blocks, bottleneck), true)
            }
        };
        b.role = Role::Neck;
        if is_map {
            x = match self.pooling {
                Pooling::Average => b.global_average_pool(x),
                Pooling::Gem => b.gem_pool("pool", x),
            };
        }
        let feature = x;
        let embedding = self.neck(&mut b, feature);
        b.role = Role::Head;
        let logits = self.head.map(|head| b.linear("head", embedding, head.num_classes, head.bias));
        Ok(b.finish(feature, embedding, logits))
    }

    fn neck(&self, b: &mut Builder, feature: Value) -> Value {
        match (self.bottleneck, self.neck) {
            (None, false) => feature,
            (None, true) => b.batch_norm_frozen_bias("bottleneck", feature),
            (Some(Bottleneck { dim, bias }), neck) => {
                let x = b.linear("bottleneck.0", feature, dim, bias);
                if neck { b.batch_norm_frozen_bias("bottleneck.1", x) } else { x }
            }
        }
    }
}

impl BackboneConfig {
    /// The channels that the backbone gives to the pooling.
    pub fn out_features(&self) -> usize {
        match self {
            Self::Osnet(config) => config.feature_dim.unwrap_or(config.channels[3]),
            Self::Resnet(config) => config.out_features(),
        }
    }
}

/// A ResNet of a depth that nobody has described.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no ResNet-{0} here; 18, 34, 50 and 101 exist")]
pub struct UnknownDepth(pub usize);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{ParameterKind, Shape};
    use crate::model::{Ibn, PRESETS, preset};

    fn config(name: &str) -> ReIdentifierConfig {
        preset(name, 751).unwrap_or_else(|| panic!("{name}"))
    }

    /// Trained parameters without the head.
    fn parameters(config: &ReIdentifierConfig) -> usize {
        let graph = config.graph().expect("known depth");
        let backbone = graph.parameters().into_iter().filter(|p| p.role == Role::Backbone);
        backbone.filter(|p| p.kind == ParameterKind::Trained).map(|p| p.shape.iter().product::<usize>()).sum()
    }

    #[test]
    fn backbones_have_the_published_parameter_counts() {
        // torchvision's counts less the 1000-way fc.
        assert_eq!(parameters(&config("reid_resnet18")), 11_689_512 - 513_000);
        assert_eq!(parameters(&config("reid_resnet34")), 21_797_672 - 513_000);
        assert_eq!(parameters(&config("reid_resnet50")), 25_557_032 - 2_049_000);
        assert_eq!(parameters(&config("reid_resnet101")), 44_549_160 - 2_049_000);
        // IBN-a keeps the count; IBN-b adds two instance norms after blocks of 256 and 512 channels.
        assert_eq!(parameters(&config("resnet50_ibn_a")), 25_557_032 - 2_049_000);
        assert_eq!(parameters(&config("resnet50_ibn_b")), 25_557_032 - 2_049_000 + 2 * (256 + 512));
        // The weights and biases in torchreid's published OSNet x0.25 files, without the classifier.
        assert_eq!(parameters(&config("osnet_x0_25")), 201_864);
    }

    #[test]
    fn every_preset_fits_together_at_its_input_size() {
        for name in PRESETS {
            let config = config(name);
            let graph = config.graph().expect("known depth");
            let shapes = graph.shapes(config.input.height, config.input.width).expect("fits");
            assert_eq!(shapes[graph.embedding], Shape::Vector(config.features_dim()), "{name}");
            assert_eq!(graph.logits.map(|id| shapes[id]), Some(Shape::Vector(751)), "{name}");
            let mut names: Vec<_> = graph.parameters().into_iter().map(|p| p.name).collect();
            names.sort();
            let count = names.len();
            names.dedup();
            assert_eq!(names.len(), count, "{name} names a parameter twice");
        }
    }

    #[test]
    fn last_stride_one_keeps_sixteen_by_eight() {
        let last_map = |config: &ReIdentifierConfig| {
            let graph = config.graph().expect("known depth");
            let shapes = graph.shapes(256, 128).expect("fits");
            *shapes.iter().rfind(|shape| matches!(shape, Shape::Map(_))).expect("a map")
        };
        assert_eq!(last_map(&config("reid_resnet50")), Shape::Map([2048, 16, 8]));
        assert_eq!(last_map(&config("resnet50_ibn_a")), Shape::Map([2048, 8, 4]));
    }

    #[test]
    fn the_necks_bias_is_frozen_and_the_bottleneck_sets_the_dimension() {
        let mut config = ReIdentifierConfig::new(BackboneConfig::Resnet(ResnetConfig::ibn(50, Ibn::B)), 10);
        config.bottleneck = Some(Bottleneck { dim: 256, bias: true });
        assert_eq!(config.features_dim(), 256);
        let parameters = config.graph().expect("known depth").parameters();
        let kind = |name: &str| parameters.iter().find(|p| p.name == name).map(|p| (p.kind, p.role));
        assert_eq!(kind("bottleneck.0.bias"), Some((ParameterKind::Trained, Role::Neck)));
        assert_eq!(kind("bottleneck.1.bias"), Some((ParameterKind::Frozen, Role::Neck)));
        assert_eq!(kind("head.weight"), Some((ParameterKind::Trained, Role::Head)));
        assert_eq!(kind("head.bias"), None);
    }

    #[test]
    fn learning_rates_are_tlls() {
        assert_eq!(Graph::learning_rate(Role::Backbone, 1.0, 0.1, true), 0.1);
        assert_eq!(Graph::learning_rate(Role::Backbone, 1.0, 0.1, false), 1.0);
        assert_eq!(Graph::learning_rate(Role::Neck, 1.0, 0.1, true), 1.0);
        assert_eq!(Graph::learning_rate(Role::Head, 1.0, 0.1, true), 1.0);
    }
}
