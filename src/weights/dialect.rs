//! Whose checkpoint it is: the habits of each project, and the way from its names to ours.
//!
//! | dialect | stem ReLU | max pool | last stride | names |
//! |---|---|---|---|---|
//! | Transfer-Learning-Library | no (IBN: yes) | padded | 1 (IBN: 2) | `backbone.*`, `bottleneck.*`, `head.*` |
//! | Bag of Tricks | no (IBN: yes) | padded | 1 | `base.*`, `bottleneck.*`, `classifier.*` |
//! | fast-reid | yes | ceil | 1 | `backbone.*`, `heads.bottleneck.*`, `heads.weight`, `heads.pool_layer.p` |
//! | torchreid ResNet | yes | padded | 2 (fc512: 1) | torchvision's, `fc.0/1.*`, `classifier.*`; no BN neck |
//! | torchreid OSNet | – | – | – | `conv1.*` … `conv5.*`, `fc.0/1.*`, `classifier.*`; no BN neck |
//!
//! OpenVINO and ONNX files spell their networks out instead (`openvino`, `onnx`).
//!
//! Every other one reads RGB at ImageNet's mean and deviation (fast-reid's are the same over 0–255, unless the file says
//! otherwise). Depth, width, IBN, GeM,
//! bottleneck and head are read off the names and shapes.

use std::collections::BTreeMap;
use std::fmt;

use super::error::list;
use super::safetensors::{Description, METADATA_KEY, VERSION, Version};
use super::{Checkpoint, Tensor, WeightsError};
use crate::model::{
    BackboneConfig, Bottleneck, Head, Ibn, OsnetConfig, Pooling, ReIdentifierConfig, ResnetConfig, StemPool,
};

/// Whose names and habits a checkpoint follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Our own files, which say what they are.
    Webreid,
    /// The Transfer-Learning-Library (tllib). Our names without our metadata are read as such.
    Tll,
    /// michuanhaohao/reid-strong-baseline.
    BagOfTricks,
    FastReid,
    /// torchreid's ResNets, and torchvision's.
    TorchreidResnet,
    TorchreidOsnet,
    /// A network that its file spells out, as the Open Model Zoo's do.
    OpenVino,
    /// A network that its file spells out, as exporters write them.
    Onnx,
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Webreid => "webreid",
            Self::Tll => "Transfer-Learning-Library",
            Self::BagOfTricks => "Bag of Tricks",
            Self::FastReid => "fast-reid",
            Self::TorchreidResnet => "torchreid ResNet",
            Self::TorchreidOsnet => "torchreid OSNet",
            Self::OpenVino => "OpenVINO",
            Self::Onnx => "ONNX",
        })
    }
}

/// A checkpoint that was understood: a model and all of its tensors.
#[derive(Clone, Debug)]
pub struct Recognised {
    pub config: ReIdentifierConfig,
    pub dialect: Dialect,
    /// What the field calls it: `OSNet x0.25`, `ResNet-50-IBN-a`.
    pub architecture: String,
    /// Every parameter of `config`'s graph by our name, in its shape, finite.
    pub tensors: BTreeMap<String, Tensor>,
    /// Tensors of a head that the file promised but has not; `config` has no head then.
    pub missing: Vec<String>,
    /// Tensors of the file, by its names, that the network has no place for and whose absence changes no feature.
    pub unexpected: Vec<String>,
    /// What the file does not say and was taken for granted (colour order, range, size), a sentence each.
    pub assumed: Vec<String>,
    /// Where the weights come from: what our own file says, or the dialect.
    pub provenance: BTreeMap<String, String>,
    /// All of this in a sentence or two.
    pub summary: String,
}

impl Recognised {
    /// What whoever uses the features has to know: what was assumed, and what of the file was left out. A sentence each,
    /// none where there is nothing to say. Every command prints them.
    pub fn words(&self) -> Vec<String> {
        let mut words = self.assumed.clone();
        if !self.missing.is_empty() {
            words.push(format!("The file lacks {}; the model has no head then.", list(&self.missing)));
        }
        if !self.unexpected.is_empty() {
            words.push(format!("Left out, for the network has no place for it: {}.", list(&self.unexpected)));
        }
        words
    }

    /// The description of this model after fine-tuning, which may have given it a neck; without the tensors.
    pub fn tuned(&self, config: &ReIdentifierConfig) -> Self {
        let mut provenance = self.provenance.clone();
        provenance.insert("fine-tuned".into(), "on labelled photos".into());
        Self {
            config: config.clone(),
            dialect: Dialect::Webreid,
            architecture: self.architecture.clone(),
            tensors: BTreeMap::new(),
            missing: Vec::new(),
            unexpected: Vec::new(),
            assumed: self.assumed.clone(),
            provenance,
            summary: format!("{} Fine-tuned on your photos.", self.summary),
        }
    }
}

/// Finds out what network a checkpoint holds and gives its tensors our names.
///
/// Refuses a checkpoint that lacks tensors (other than a head's), has layers that would be left out, other shapes, or values
/// that no network has (NaN, infinite, a negative variance).
pub fn recognise(checkpoint: Checkpoint) -> Result<Recognised, WeightsError> {
    let Checkpoint { mut tensors, metadata } = checkpoint;
    let (dialect, mut config, names, provenance) = if let Some(json) = metadata.get(METADATA_KEY) {
        let Description { config, provenance, .. } = describe_ours(json)?;
        (Dialect::Webreid, config, Names::ours(), provenance)
    } else {
        let (dialect, config, names) = describe(&tensors)?;
        (dialect, config, names, BTreeMap::from([("dialect".to_owned(), dialect.to_string())]))
    };

    let parameters = config.graph()?.parameters();
    let is_missing = |name: &&String| !tensors.contains_key(*name);
    let named: Vec<_> = parameters.iter().map(|parameter| (parameter, names.theirs(&parameter.name))).collect();
    let is_head = |name: &str| name.starts_with("head.");
    let (head, body): (Vec<_>, Vec<_>) = named.into_iter().partition(|(parameter, _)| is_head(&parameter.name));
    let lacking: Vec<_> = body.iter().map(|(_, theirs)| theirs).filter(is_missing).collect();
    if !lacking.is_empty() {
        return Err(WeightsError::Missing { dialect, tensors: list(&lacking) });
    }
    let missing: Vec<String> = head.iter().map(|(_, theirs)| theirs).filter(is_missing).cloned().collect();
    let head = if missing.is_empty() { head } else { Vec::new() };
    if head.is_empty() {
        config.head = None;
    }

    let mut ours = BTreeMap::new();
    for (parameter, theirs) in body.into_iter().chain(head) {
        let Some(mut tensor) = tensors.remove(&theirs) else { continue };
        fit(&mut tensor, &parameter.shape, &theirs)?;
        ours.insert(parameter.name.clone(), tensor);
    }
    let unexpected: Vec<String> = tensors.into_keys().filter(|name| !names.is_ignored(name)).collect();
    let foreign: Vec<_> = unexpected.iter().filter(|name| names.is_feature(name)).collect();
    if !foreign.is_empty() {
        return Err(WeightsError::ForeignLayers { dialect, tensors: list(&foreign) });
    }
    let architecture = config.backbone.to_string();
    let summary = summary(dialect, &config, &ours, &missing, &unexpected);
    Ok(Recognised {
        config,
        dialect,
        architecture,
        tensors: ours,
        missing,
        unexpected,
        assumed: Vec::new(),
        provenance,
        summary,
    })
}

/// A network that was read off a file which spells it out; `tensors` have our names.
pub(super) fn imported(
    dialect: Dialect,
    config: ReIdentifierConfig,
    mut tensors: Tensors,
) -> Result<Recognised, WeightsError> {
    for parameter in config.graph()?.parameters() {
        let missing = || WeightsError::Missing { dialect, tensors: parameter.name.clone() };
        fit(tensors.get_mut(&parameter.name).ok_or_else(missing)?, &parameter.shape, &parameter.name)?;
    }
    let architecture = config.backbone.to_string();
    let provenance =
        BTreeMap::from([("dialect".to_owned(), dialect.to_string()), ("source".to_owned(), architecture.clone())]);
    let summary = summary(dialect, &config, &tensors, &[], &[]);
    Ok(Recognised {
        config,
        dialect,
        architecture,
        tensors,
        missing: Vec::new(),
        unexpected: Vec::new(),
        assumed: Vec::new(),
        provenance,
        summary,
    })
}

fn describe_ours(json: &str) -> Result<Description, WeightsError> {
    let description: Result<Description, _> = serde_json::from_str(json);
    let version = serde_json::from_str::<Version>(json).ok().map(|described| described.version);
    match (version, description) {
        (Some(version), _) if version > u64::from(VERSION) => Err(WeightsError::Unsupported(format!(
            "the file was written by a newer webreid (version {version} of the format, {VERSION} is known here); update this one"
        ))),
        (_, Ok(description)) => Ok(description),
        (_, Err(error)) => Err(WeightsError::Damaged { format: "webreid", reason: error.to_string() }),
    }
}

/// Checks one tensor and gives it the network's shape.
fn fit(tensor: &mut Tensor, shape: &[usize], name: &str) -> Result<(), WeightsError> {
    // A 1×1 convolution of a vector is a linear layer.
    let fits = tensor.shape == shape || (shape.len() == 2 && tensor.shape == [shape[0], shape[1], 1, 1]);
    if !fits {
        let (found, expected) = (tensor.shape.clone(), shape.to_vec());
        return Err(WeightsError::Shape { tensor: name.to_owned(), found, expected });
    }
    tensor.shape = shape.to_vec();
    let wrong = |what| Err(WeightsError::Values { tensor: name.to_owned(), what });
    if tensor.values.iter().any(|value| value.is_nan()) {
        return wrong("NaN");
    }
    if tensor.values.iter().any(|value| value.is_infinite()) {
        return wrong("an infinite value");
    }
    if name.ends_with(".running_var") && tensor.values.iter().any(|&value| value < 0.0) {
        return wrong("a negative variance");
    }
    Ok(())
}

/// How a dialect names what we name `backbone.*`, `pool.*`, `bottleneck.*` and `head.*`.
struct Names {
    /// Our prefix and theirs.
    prefixes: Vec<(&'static str, String)>,
    /// What the dialect carries along: the pretrained backbone's classifier (TLL, Bag of Tricks), or numbers that went
    /// into the config (fast-reid).
    ignored: Option<String>,
    /// Prefixes of tensors that are no part of the features.
    others: &'static [&'static str],
}

impl Names {
    fn ours() -> Self {
        let own = ["backbone.", "pool.", "bottleneck.", "head."];
        Self { prefixes: own.map(|prefix| (prefix, prefix.to_owned())).into(), ignored: None, others: &["head."] }
    }

    fn theirs(&self, ours: &str) -> String {
        let found = self.prefixes.iter().find_map(|(prefix, theirs)| Some((theirs, ours.strip_prefix(prefix)?)));
        found.map_or_else(|| ours.to_owned(), |(theirs, rest)| format!("{theirs}{rest}"))
    }

    fn is_ignored(&self, name: &str) -> bool {
        self.ignored.as_ref().is_some_and(|prefix| name.starts_with(prefix))
    }

    /// Whether a tensor must belong to the path from the image to the feature.
    fn is_feature(&self, name: &str) -> bool {
        self.prefixes.iter().any(|(_, theirs)| name.starts_with(theirs))
            && !self.others.iter().any(|prefix| name.starts_with(prefix))
    }
}

type Tensors = BTreeMap<String, Tensor>;

/// Tells the dialect by the names, and the network by names and shapes.
fn describe(tensors: &Tensors) -> Result<(Dialect, ReIdentifierConfig, Names), WeightsError> {
    let root = ["backbone.", "base.", ""].into_iter().find_map(|root| {
        let has = |name: &str| tensors.contains_key(&format!("{root}{name}"));
        let osnet = has("conv1.conv.weight");
        (osnet || (has("conv1.weight") && has("layer1.0.conv1.weight"))).then_some((root, osnet))
    });
    let Some((root, osnet)) = root else {
        let names: Vec<_> = tensors.keys().collect();
        return Err(WeightsError::Unrecognised(list(&names)));
    };
    let dialect = match (root, osnet) {
        ("backbone.", _) if tensors.keys().any(|name| name.starts_with("heads.")) => Dialect::FastReid,
        ("backbone.", _) => Dialect::Tll,
        ("base.", _) => Dialect::BagOfTricks,
        (_, true) => Dialect::TorchreidOsnet,
        (_, false) => Dialect::TorchreidResnet,
    };
    let reader = Reader { dialect, tensors };
    let backbone =
        if osnet { BackboneConfig::Osnet(reader.osnet(root)?) } else { BackboneConfig::Resnet(reader.resnet(root)?) };
    let (neck_prefix, neck) = match dialect {
        Dialect::FastReid => ("heads.bottleneck.", reader.has_any("heads.bottleneck.")),
        // Bag of Tricks has a form without the neck. TLL has not, so there its absence is a fault and is reported as one.
        Dialect::BagOfTricks => ("bottleneck.", reader.has_any("bottleneck.")),
        Dialect::Tll | Dialect::Webreid => ("bottleneck.", true),
        Dialect::TorchreidResnet | Dialect::TorchreidOsnet | Dialect::OpenVino | Dialect::Onnx => {
            ("bottleneck.", false)
        }
    };
    let mut config = ReIdentifierConfig::new(backbone, 0);
    if dialect == Dialect::FastReid {
        reader.pixels("pixel_mean", &mut config.input.mean);
        reader.pixels("pixel_std", &mut config.input.std);
    }
    // A layer before the BN neck makes the two a Sequential, `.0` and `.1`; fast-reid writes one even for the neck alone.
    let first = tensors.get(&format!("{neck_prefix}0.weight"));
    let layer = first.filter(|tensor| neck && tensor.shape.len() > 1);
    config.bottleneck = layer
        .map(|tensor| Bottleneck { dim: tensor.shape[0], bias: tensors.contains_key(&format!("{neck_prefix}0.bias")) });
    config.neck = neck && (layer.is_none() || dialect != Dialect::FastReid || reader.has_any("heads.bottleneck.1."));
    let neck_alone = dialect == Dialect::FastReid && layer.is_none();
    let neck_prefix = if neck_alone { "heads.bottleneck.0." } else { neck_prefix };

    let (pool_prefix, head_prefix) = match dialect {
        Dialect::FastReid if tensors.contains_key("heads.classifier.weight") => {
            ("heads.pool_layer.", "heads.classifier.")
        }
        Dialect::FastReid => ("heads.pool_layer.", "heads."),
        Dialect::Tll if reader.has_any("pool_layer.") => ("pool_layer.", "head."),
        Dialect::Tll | Dialect::Webreid => ("pool.", "head."),
        Dialect::BagOfTricks
        | Dialect::TorchreidResnet
        | Dialect::TorchreidOsnet
        | Dialect::OpenVino
        | Dialect::Onnx => ("pool.", "classifier."),
    };
    if tensors.contains_key(&format!("{pool_prefix}p")) {
        config.pooling = Pooling::Gem;
    }
    let head = tensors.get(&format!("{head_prefix}weight")).and_then(|tensor| match tensor.shape[..] {
        [num_classes, dim] if dim == config.features_dim() && num_classes > 0 => Some(num_classes),
        _ => None,
    });
    config.head =
        head.map(|num_classes| Head { num_classes, bias: tensors.contains_key(&format!("{head_prefix}bias")) });

    let prefixes = [("backbone.", root), ("pool.", pool_prefix), ("bottleneck.", neck_prefix), ("head.", head_prefix)];
    let names = Names {
        prefixes: prefixes.map(|(ours, theirs)| (ours, theirs.to_owned())).into(),
        ignored: match dialect {
            Dialect::Tll | Dialect::BagOfTricks => Some(format!("{root}fc.")),
            Dialect::FastReid => Some("pixel_".to_owned()),
            _ => None,
        },
        others: match dialect {
            Dialect::FastReid => &["heads.weight", "heads.bias", "heads.classifier.", "heads.cls_layer."],
            Dialect::Tll | Dialect::Webreid => &["head."],
            Dialect::BagOfTricks => &["classifier."],
            Dialect::TorchreidResnet | Dialect::TorchreidOsnet | Dialect::OpenVino | Dialect::Onnx => {
                &["classifier.", "fc.weight", "fc.bias"]
            }
        },
    };
    Ok((dialect, config, names))
}

/// Reads sizes off a checkpoint.
struct Reader<'a> {
    dialect: Dialect,
    tensors: &'a Tensors,
}

impl Reader<'_> {
    fn has_any(&self, prefix: &str) -> bool {
        self.tensors.range(prefix.to_owned()..).next().is_some_and(|(name, _)| name.starts_with(prefix))
    }

    /// The outputs of a layer.
    fn outputs(&self, name: String) -> Result<usize, WeightsError> {
        match self.tensors.get(&name) {
            Some(tensor) => Ok(tensor.shape.first().copied().unwrap_or(1)),
            None => Err(WeightsError::Missing { dialect: self.dialect, tensors: name }),
        }
    }

    /// The outputs of the fully connected layer after the pooling, as torchreid's models may have one.
    fn feature_dim(&self, root: &str) -> Result<Option<usize>, WeightsError> {
        let name = format!("{root}fc.0.weight");
        if self.tensors.contains_key(&name) { self.outputs(name).map(Some) } else { Ok(None) }
    }

    /// fast-reid's earlier versions save the mean and deviation of the pixels, over 0–255.
    fn pixels(&self, name: &str, channels: &mut [f32; 3]) {
        let Some(stored) = self.tensors.get(name).filter(|tensor| tensor.values.len() == channels.len()) else {
            return;
        };
        for (channel, stored) in channels.iter_mut().zip(&stored.values) {
            let stored = stored / 255.0;
            // ImageNet's own numbers come back rounded.
            let same = (stored - *channel).abs() < 1e-6;
            if !same {
                *channel = stored;
            }
        }
    }

    fn osnet(&self, root: &str) -> Result<OsnetConfig, WeightsError> {
        if self.has_any(&format!("{root}conv2.0.conv2.")) {
            return Err(WeightsError::Unsupported(
                "this is an OSNet-AIN, which is not supported; OSNet and OSNet-IBN are".into(),
            ));
        }
        let stage = |stage: usize| self.outputs(format!("{root}conv{stage}.0.conv3.conv.weight"));
        Ok(OsnetConfig {
            channels: [self.outputs(format!("{root}conv1.conv.weight"))?, stage(2)?, stage(3)?, stage(4)?],
            feature_dim: self.feature_dim(root)?,
            instance_norm: self.has_any(&format!("{root}conv2.0.IN.")),
        })
    }

    fn resnet(&self, root: &str) -> Result<ResnetConfig, WeightsError> {
        let bottleneck = self.has_any(&format!("{root}layer1.0.conv3."));
        let blocks = [1, 2, 3, 4].map(|layer| self.blocks(&format!("{root}layer{layer}.")));
        let depth =
            [18, 34, 50, 101].into_iter().find(|&depth| ResnetConfig::layers(depth) == Some((blocks, bottleneck)));
        let depth = depth.ok_or_else(|| {
            let kind = if bottleneck { "bottleneck" } else { "basic" };
            WeightsError::Unsupported(format!(
                "a ResNet of {blocks:?} {kind} blocks is not supported; ResNet-18, 34, 50 and 101 are"
            ))
        })?;
        let ibn = if self.has_any(&format!("{root}layer1.0.bn1.IN.")) {
            Some(Ibn::A)
        } else if self.has_any(&format!("{root}layer1.{}.IN.", blocks[0] - 1)) {
            Some(Ibn::B)
        } else {
            None
        };
        let feature_dim = self.feature_dim(root)?;
        let stem_relu = ibn.is_some() || !matches!(self.dialect, Dialect::Tll | Dialect::BagOfTricks);
        let last_stride = match self.dialect {
            Dialect::Tll if ibn.is_some() => 2,
            Dialect::TorchreidResnet if feature_dim.is_none() => 2,
            _ => 1,
        };
        let stem_pool = if self.dialect == Dialect::FastReid { StemPool::Ceil } else { StemPool::Padded };
        let width = self.outputs(format!("{root}conv1.weight"))?;
        let last_width = Some(self.outputs(format!("{root}layer4.0.conv1.weight"))?).filter(|&last| last != 8 * width);
        Ok(ResnetConfig {
            width,
            last_width,
            ibn,
            stem_relu,
            stem_pool,
            last_stride,
            feature_dim,
            ..ResnetConfig::reid(depth)
        })
    }

    /// How many blocks a layer has: one more than the highest index.
    fn blocks(&self, prefix: &str) -> usize {
        let names = self.tensors.range(prefix.to_owned()..).map(|(name, _)| name);
        let indices = names.map_while(|name| name.strip_prefix(prefix)).filter_map(|rest| rest.split('.').next());
        indices.filter_map(|index| index.parse::<usize>().ok()).max().map_or(0, |highest| highest.saturating_add(1))
    }
}

fn summary(
    dialect: Dialect,
    config: &ReIdentifierConfig,
    tensors: &Tensors,
    missing: &[String],
    unexpected: &[String],
) -> String {
    let numbers: usize = tensors.values().map(|tensor| tensor.values.len()).sum();
    let neck = if config.neck { "BN neck" } else { "no BN neck" };
    let pooling = if config.pooling == Pooling::Gem { ", GeM pooling" } else { "" };
    let head = config.head.map_or("no head".to_owned(), |head| format!("head of {} identities", head.num_classes));
    let mut text = format!(
        "{} ({dialect}): {}-d feature{pooling}, {neck}, {head}; {} tensors, {numbers} numbers.",
        config.backbone,
        config.features_dim(),
        tensors.len(),
    );
    if !missing.is_empty() {
        text += &format!(" Missing: {}.", list(missing));
    }
    if !unexpected.is_empty() {
        text += &format!(" Not used: {}.", list(unexpected));
    }
    text
}
