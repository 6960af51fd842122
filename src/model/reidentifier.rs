//! The `ReIdentifier`: backbone → pool → bottleneck → BN neck → head, as in the Transfer-Learning-Library, which follows
//! "Bag of Tricks and A Strong Baseline for Deep Person Re-identification" (Luo et al., arXiv 1903.07071).

use std::fmt;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::{Ibn, ImportedConfig, OsnetConfig, ReIdentifierGraph, ResnetConfig, VitConfig};
use crate::graph::budget::{self, CHANNELS, TooMuch};
use crate::graph::{Builder, Role, ShapeError, Value};
use crate::kernels::frozen::preprocess::{Filter, Frame, Order, Plan};
use crate::step::Fit;
use crate::words::words;

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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BackboneConfig {
    Osnet(OsnetConfig),
    Resnet(ResnetConfig),
    Vit(VitConfig),
    Imported(ImportedConfig),
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
    /// A batch norm and a leaky ReLU follow the linear layer, before the neck: fast-reid's reduction head.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rectified: bool,
}

impl Bottleneck {
    /// A linear layer alone.
    pub fn linear(dim: usize, bias: bool) -> Self {
        Self { dim, bias, rectified: false }
    }
}

/// The classifier over training identities. TLL's has no bias; torchreid's has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub num_classes: usize,
    pub bias: bool,
}

/// The order of the colours that a network reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(rename_all = "lowercase")]
pub enum ChannelOrder {
    #[default]
    Rgb,
    Bgr,
}

impl ChannelOrder {
    /// The colours the other way round.
    pub fn opposite(self) -> Self {
        match self {
            Self::Rgb => Self::Bgr,
            Self::Bgr => Self::Rgb,
        }
    }
}

words! {
    ChannelOrder: "rgb" => Rgb, "bgr" => Bgr;
    /// A word that names no order of colours.
    UnknownOrder, "'{0}' is no order of colours; choose rgb or bgr"
}

/// How an image becomes the network's input: brought to `height` × `width` by `filter` as `fit` says, scaled to 0–1, then
/// `(x − mean) / std` for each channel in the network's order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputConfig {
    pub height: usize,
    pub width: usize,
    pub mean: [f32; 3],
    pub std: [f32; 3],
    pub order: ChannelOrder,
    #[serde(default, skip_serializing_if = "is_bilinear")]
    pub filter: Filter,
    #[serde(default, skip_serializing_if = "Fit::is_stretch")]
    pub fit: Fit,
}

impl InputConfig {
    /// The version of our files that it takes to say it: readers of the first would stretch what has a letterbox.
    pub(crate) fn file_version(&self) -> u32 {
        if self.fit.is_stretch() { 1 } else { 2 }
    }

    /// What pictures are brought to.
    pub fn frame(&self) -> Frame {
        Frame { width: self.width, height: self.height, filter: self.filter, fit: self.fit }
    }

    /// All that becomes of a picture: `(value / 255 − mean) / std` as one multiplication and one addition.
    pub fn plan(&self) -> Plan {
        Plan {
            frame: self.frame(),
            order: match self.order {
                ChannelOrder::Rgb => Order::Rgb,
                ChannelOrder::Bgr => Order::Bgr,
            },
            scale: self.std.map(|std| 1.0 / (255.0 * std)),
            bias: std::array::from_fn(|channel| -self.mean[channel] / self.std[channel]),
        }
    }
}

/// What files do not say: those of before there was another have no word for it.
fn is_bilinear(filter: &Filter) -> bool {
    *filter == Filter::Bilinear
}

impl Default for InputConfig {
    /// 256×128, stretched, Pillow's bilinear, RGB, ImageNet's mean and standard deviation.
    fn default() -> Self {
        Self {
            height: 256,
            width: 128,
            mean: [0.485, 0.456, 0.406],
            std: [0.229, 0.224, 0.225],
            order: ChannelOrder::Rgb,
            filter: Filter::Bilinear,
            fit: Fit::Stretch,
        }
    }
}

impl InputConfig {
    /// Refuses an input that no network has.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        size("the input's height", self.height, IMAGE)?;
        size("the input's width", self.width, IMAGE)?;
        let normal =
            self.mean.iter().all(|mean| mean.is_finite()) && self.std.iter().all(|std| std.is_finite() && *std > 0.0);
        if normal { Ok(()) } else { Err(ConfigError::Normalisation) }
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
    /// With a bottleneck its layers are `bottleneck.0` (linear) and `bottleneck.1` (batch norm), as TLL's `nn.Sequential` names
    /// them; a rectified one has `bottleneck.1` (batch norm) and `bottleneck.2` (the ReLU's slopes) before its neck `bottleneck.3`.
    ///
    /// A config may come from a file, so sizes that no network has, and a network that takes too much, are refused here.
    pub fn graph(&self) -> Result<ReIdentifierGraph, ConfigError> {
        self.check()?;
        let (mut b, image) = Builder::new(3);
        let (mut x, is_map) = match &self.backbone {
            BackboneConfig::Osnet(config) => (config.build(&mut b, image), config.feature_dim.is_none()),
            BackboneConfig::Resnet(config) => {
                let (blocks, bottleneck) =
                    ResnetConfig::layers(config.depth).ok_or(ConfigError::UnknownDepth(config.depth))?;
                (config.build(&mut b, image, blocks, bottleneck), config.feature_dim.is_none())
            }
            BackboneConfig::Vit(config) => (config.build(&mut b, image, &self.input), false),
            BackboneConfig::Imported(config) => {
                (b.graft(image, &config.nodes, config.last_stage(), config.features), false)
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
        let graph = ReIdentifierGraph::new(b, feature, embedding, logits);
        budget::network(&graph.nodes, &graph.shapes(self.input.height, self.input.width)?)?;
        Ok(graph)
    }

    fn check(&self) -> Result<(), ConfigError> {
        if let Some(bottleneck) = self.bottleneck {
            size("the bottleneck", bottleneck.dim, CHANNELS)?;
        }
        if let Some(head) = self.head {
            size("the head", head.num_classes, 1..=1 << 24)?;
        }
        self.input.check()?;
        match &self.backbone {
            BackboneConfig::Osnet(config) => config.check(),
            BackboneConfig::Resnet(config) => config.check(),
            BackboneConfig::Vit(config) => config.check(&self.input),
            BackboneConfig::Imported(config) => config.check(&self.input),
        }
    }

    fn neck(&self, b: &mut Builder, feature: Value) -> Value {
        match (self.bottleneck, self.neck) {
            (None, false) => feature,
            (None, true) => b.batch_norm_frozen_bias("bottleneck", feature),
            (Some(Bottleneck { dim, bias, rectified }), neck) => {
                let mut x = b.linear("bottleneck.0", feature, dim, bias);
                if rectified {
                    x = b.batch_norm("bottleneck.1", x);
                    x = b.prelu("bottleneck.2", x);
                }
                let name = if rectified { "bottleneck.3" } else { "bottleneck.1" };
                if neck { b.batch_norm_frozen_bias(name, x) } else { x }
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
            Self::Vit(config) => config.channels,
            Self::Imported(config) => config.features,
        }
    }
}

impl fmt::Display for BackboneConfig {
    /// What the field calls it: `OSNet x0.25`, `ResNet-50`, `ResNet-50-IBN-a`; other widths are said.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Osnet(config) => {
                f.write_str(match (config.adaptive, config.instance_norm) {
                    (Some(_), _) => "OSNet-AIN",
                    (None, true) => "OSNet-IBN",
                    (None, false) => "OSNet",
                })?;
                match (1..=8).find(|&quarters| config.channels == OsnetConfig::quarters(quarters).channels) {
                    Some(quarters) if quarters % 2 == 1 => write!(f, " x{:.2}", quarters as f32 / 4.0),
                    Some(quarters) => write!(f, " x{:.1}", quarters as f32 / 4.0),
                    None => write!(f, " of {:?} channels", config.channels),
                }
            }
            Self::Resnet(config) => {
                write!(f, "ResNet-{}", config.depth)?;
                f.write_str(match config.ibn {
                    Some(Ibn::A) => "-IBN-a",
                    Some(Ibn::B) => "-IBN-b",
                    None => "",
                })?;
                if let Some(dim) = config.feature_dim {
                    write!(f, " fc{dim}")?;
                }
                match (config.width, config.last_width) {
                    (64, None) => {}
                    (width, None) => write!(f, " of width {width}")?,
                    (width, Some(last)) => write!(f, " of width {width}, {last} in the last layer")?,
                }
                if let Some([a, b, c, d]) = config.blocks {
                    write!(f, ", {a}-{b}-{c}-{d} blocks")?;
                }
                config.expansion.map_or(Ok(()), |channels| write!(f, ", expanded to {channels}"))
            }
            Self::Vit(config) => {
                let VitConfig { patch, stride, channels, blocks, heads, hidden } = config;
                match (channels, blocks, heads, hidden) {
                    (384, 12, 6, 1536) => write!(f, "ViT-S/{patch}")?,
                    _ => write!(f, "ViT/{patch} of {blocks} blocks, {channels} channels, {heads} heads")?,
                }
                if stride == patch { Ok(()) } else { write!(f, ", stride {stride}") }
            }
            Self::Imported(config) => f.write_str(&config.name),
        }
    }
}

/// The pixels that a side of the input may have.
pub(crate) const IMAGE: RangeInclusive<usize> = 16..=4096;

pub(super) fn size(what: &'static str, value: usize, range: RangeInclusive<usize>) -> Result<(), ConfigError> {
    if range.contains(&value) { Ok(()) } else { Err(ConfigError::Size { what, value, range }) }
}

/// A config that describes no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("there is no ResNet-{0} here; 18, 34, 50 and 101 exist")]
    UnknownDepth(usize),
    #[error("{what} is {value}; it must lie within {}–{}", range.start(), range.end())]
    Size { what: &'static str, value: usize, range: RangeInclusive<usize> },
    #[error("the input's mean and standard deviation must be finite, the latter positive")]
    Normalisation,
    #[error("node {node} of the imported network is wrong: {what}")]
    Node { node: usize, what: &'static str },
    #[error("the head of the detector is wrong: {0}")]
    Head(&'static str),
    #[error("the imported network does not fit together: {0}")]
    Shape(#[from] ShapeError),
    #[error(transparent)]
    TooMuch(#[from] TooMuch),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Graph, ParameterKind, Shape};
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
        // timm's without the head, with as many positions as 256×128 pixels have patches rather than 224×224.
        assert_eq!(parameters(&config("vit_small")), 21_665_664 - (14 * 14 - 16 * 8) * 384);
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
    fn a_fully_connected_layer_ends_the_backbone_in_a_vector() {
        let mut config = config("reid_resnet50");
        config.backbone = BackboneConfig::Resnet(ResnetConfig { feature_dim: Some(512), ..ResnetConfig::reid(50) });
        config.neck = false;
        let graph = config.graph().expect("valid");
        let shapes = graph.shapes(256, 128).expect("fits");
        assert_eq!((config.features_dim(), shapes[graph.embedding]), (512, Shape::Vector(512)));
        let roles: Vec<_> = graph.parameters().into_iter().filter(|p| p.name.contains(".fc.")).collect();
        assert_eq!(roles.len(), 6);
        assert!(roles.iter().all(|p| p.role == Role::Backbone));
        assert_eq!(config.backbone.to_string(), "ResNet-50 fc512");
    }

    #[test]
    fn blocks_are_left_out_and_the_last_map_is_expanded() {
        let mut config = config("reid_resnet18");
        config.backbone = BackboneConfig::Resnet(ResnetConfig {
            width: 16,
            last_width: Some(112),
            blocks: Some([2, 1, 3, 1]),
            expansion: Some(640),
            ..ResnetConfig::reid(18)
        });
        let graph = config.graph().expect("valid");
        let shapes = graph.shapes(128, 64).expect("fits");
        let last = shapes.iter().rfind(|shape| matches!(shape, Shape::Map(_)));
        assert_eq!(last, Some(&Shape::Map([640, 8, 4])));
        assert_eq!((config.features_dim(), shapes[graph.feature]), (640, Shape::Vector(640)));
        let parameters = graph.parameters();
        let has = |name: &str| parameters.iter().any(|p| p.name == format!("backbone.{name}"));
        assert!(has("layer2.0.conv1.weight") && !has("layer2.1.conv1.weight"));
        assert!(has("layer3.2.bn2.weight") && !has("layer4.1.conv1.weight"));
        let expansion: Vec<_> = parameters.iter().filter(|p| p.name.contains(".conv5.")).collect();
        assert_eq!((expansion.len(), &expansion[0].shape[..]), (5, &[640, 112, 1, 1][..]));
        assert!(expansion.iter().all(|p| p.role == Role::Backbone));
        let name = "ResNet-18 of width 16, 112 in the last layer, 2-1-3-1 blocks, expanded to 640";
        assert_eq!(config.backbone.to_string(), name);
    }

    #[test]
    fn configs_of_no_network_are_refused() {
        let refused = |change: fn(&mut ReIdentifierConfig)| {
            let mut config = config("osnet_x0_25");
            change(&mut config);
            config.graph().expect_err("refused").to_string()
        };
        let stage = refused(|c| {
            c.backbone = BackboneConfig::Osnet(OsnetConfig { channels: [16, 64, 3, 128], ..OsnetConfig::quarters(1) })
        });
        assert_eq!(stage, "a stage of the OSNet is 3; it must lie within 64–65536");
        let depth = refused(|c| c.backbone = BackboneConfig::Resnet(ResnetConfig::reid(152)));
        assert_eq!(depth, "there is no ResNet-152 here; 18, 34, 50 and 101 exist");
        let stride =
            refused(|c| c.backbone = BackboneConfig::Resnet(ResnetConfig { last_stride: 0, ..ResnetConfig::reid(50) }));
        assert_eq!(stride, "the last stride of the ResNet is 0; it must lie within 1–2");
        let blocks = refused(|c| {
            c.backbone = BackboneConfig::Resnet(ResnetConfig { blocks: Some([2, 2, 0, 2]), ..ResnetConfig::reid(18) })
        });
        assert_eq!(blocks, "the number of blocks in a layer of the ResNet is 0; it must lie within 1–64");
        assert!(refused(|c| c.head = Some(Head { num_classes: 0, bias: false })).starts_with("the head is 0"));
        assert!(refused(|c| c.input.std[1] = 0.0).contains("standard deviation"));
        assert!(refused(|c| c.input.height = usize::MAX).starts_with("the input's height"));
    }

    #[test]
    fn backbones_are_called_what_the_field_calls_them() {
        let names = PRESETS.map(|name| config(name).backbone.to_string());
        assert_eq!(names[..5], ["OSNet x0.25", "OSNet x0.5", "OSNet x0.75", "OSNet x1.0", "ResNet-18"]);
        assert_eq!((names[10].as_str(), names[15].as_str()), ("ResNet-50-IBN-a", "ResNet-101-IBN-b"));
        assert_eq!(names[16], "ViT-S/16");
        let narrow = BackboneConfig::Resnet(ResnetConfig { width: 4, ..ResnetConfig::reid(18) });
        assert_eq!(narrow.to_string(), "ResNet-18 of width 4");
    }

    #[test]
    fn the_necks_bias_is_frozen_and_the_bottleneck_sets_the_dimension() {
        let mut config = ReIdentifierConfig::new(BackboneConfig::Resnet(ResnetConfig::ibn(50, Ibn::B)), 10);
        config.bottleneck = Some(Bottleneck::linear(256, true));
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
