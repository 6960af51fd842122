//! Whose checkpoint it is: the habits of each project, and the way from its names to ours. One file a dialect; this table is
//! the sum of them.
//!
//! | dialect | stem ReLU | max pool | last stride | names |
//! |---|---|---|---|---|
//! | Transfer-Learning-Library | no (IBN: yes) | padded | 1 (IBN: 2) | `backbone.*`, `bottleneck.*`, `head.*` |
//! | Bag of Tricks, AGW | no (IBN: yes) | padded | 1 | `base.*`, `global_pool.p`, `bottleneck.*`, `classifier.*` |
//! | centroids-reid | no (IBN: yes) | padded | 1 | `backbone.base.*`, `bn.*`, `fc_query.*` |
//! | fast-reid | yes | ceil | 1 | `backbone.*`, `heads.*` |
//! | Cluster Contrast, SpCL, MMT | yes (MMT: no) | padded | 1 | `base.0` … `base.7`, `gap.p`, `feat.*`, `feat_bn.*`, `classifier.*` |
//! | torchreid ResNet | yes | padded | 2 (fc512: 1) | torchvision's, `fc.0/1.*`, `classifier.*`; no BN neck |
//! | torchreid OSNet | – | – | – | `conv1.*` … `conv5.*`, `fc.0/1.*`, `classifier.*`; no BN neck |
//! | open-reid | yes | padded | 2 | `base.*` with `base.fc.*`, `feat.*`, `feat_bn.*`, `classifier.*` |
//! | AlignedReID (re-production) | yes | padded | 2 | `base.*`, `local_conv.*`, `local_bn.*`, `fc.*` |
//! | Person_reID_baseline_pytorch | yes | padded | 2 | `model.*`, `classifier.add_block.*`, `classifier.classifier.0.*` |
//! | MMTracking | yes | padded | 2 | `backbone.*`, `head.fcs.0.*`, `head.fc_out.*` |
//!
//! OpenVINO, ONNX and TensorFlow.js files spell their networks out instead (`openvino`, `onnx`, `tfjs`).
//!
//! Every one reads RGB at ImageNet's mean and deviation (fast-reid's are the same over 0–255, unless the file says otherwise;
//! AlignedReID's mean is less than a grey level beside it) and 256×128. Depth, width, IBN, GeM, bottleneck and head are read off the names and shapes.
//!
//! Pictures are resized as each project's own test does it: [`Dialect::filter`].
//!
//! A tensor that the network has no place for is refused, unless the dialect lists it among those that no feature depends on;
//! then it is told.

mod aligned_reid;
mod bag_of_tricks;
mod centroids;
mod cluster_contrast;
mod fast_reid;
mod file;
mod layumi;
mod mmtracking;
mod names;
mod open_reid;
mod tll;
mod torchreid;

use std::collections::BTreeMap;
use std::fmt;

use file::File;
use names::Names;

use super::error::list;
use super::safetensors::{Description, METADATA_KEY, VERSION, described};
use super::{Checkpoint, Tensor, WeightsError, detector};
use crate::kernels::frozen::preprocess::Filter;
use crate::model::{Pooling, ReIdentifierConfig};

/// Whose names and habits a checkpoint follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Our own files, which say what they are.
    Webreid,
    /// The Transfer-Learning-Library (tllib). Our names without our metadata are read as such.
    Tll,
    /// michuanhaohao/reid-strong-baseline, and AGW of mangye16/ReID-Survey.
    BagOfTricks,
    /// mikwieczorek/centroids-reid.
    Centroids,
    FastReid,
    /// alibaba/cluster-contrast-reid, SpCL and MMT.
    ClusterContrast,
    /// torchreid's ResNets, and torchvision's.
    TorchreidResnet,
    TorchreidOsnet,
    /// Cysu/open-reid.
    OpenReid,
    /// huanghoujing/AlignedReID-Re-Production-Pytorch.
    AlignedReid,
    /// layumi/Person_reID_baseline_pytorch.
    Layumi,
    /// OpenMMLab's mmtracking and mmpretrain.
    MmTracking,
    /// A network that its file spells out, as the Open Model Zoo's do.
    OpenVino,
    /// A network that its file spells out, as exporters write them.
    Onnx,
    /// A network that its files spell out, as tensorflowjs_converter writes them.
    TensorFlowJs,
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Webreid => "webreid",
            Self::Tll => "Transfer-Learning-Library",
            Self::BagOfTricks => "Bag of Tricks",
            Self::Centroids => "centroids-reid",
            Self::FastReid => "fast-reid",
            Self::ClusterContrast => "Cluster Contrast",
            Self::TorchreidResnet => "torchreid ResNet",
            Self::TorchreidOsnet => "torchreid OSNet",
            Self::OpenReid => "open-reid",
            Self::AlignedReid => "AlignedReID",
            Self::Layumi => "Person_reID_baseline_pytorch",
            Self::MmTracking => "MMTracking",
            Self::OpenVino => "OpenVINO",
            Self::Onnx => "ONNX",
            Self::TensorFlowJs => "TensorFlow.js",
        })
    }
}

impl Dialect {
    /// How the project's own test resizes pictures. Files that spell their network out do not say, and are taken for torchreid's.
    pub fn filter(self) -> Filter {
        match self {
            Self::Tll | Self::FastReid | Self::ClusterContrast | Self::Layumi => Filter::Bicubic,
            Self::AlignedReid | Self::MmTracking => Filter::Linear,
            Self::Webreid
            | Self::BagOfTricks
            | Self::Centroids
            | Self::TorchreidResnet
            | Self::TorchreidOsnet
            | Self::OpenReid
            | Self::OpenVino
            | Self::Onnx
            | Self::TensorFlowJs => Filter::Bilinear,
        }
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
    /// What the file does not say and was taken for granted (colour order, range, size), and which of several contents was
    /// taken; a sentence each.
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
            words.push(format!("Left out, as no feature depends on them: {}.", list(&self.unexpected)));
        }
        words
    }
}

type Tensors = BTreeMap<String, Tensor>;

/// A checkpoint as its dialect understands it.
struct Reading {
    dialect: Dialect,
    config: ReIdentifierConfig,
    names: Names,
    /// The names of tensors that no feature depends on, without wrappers; up to a final `.`, their beginnings.
    idle: &'static [&'static str],
    /// The names of tensors that went into the config.
    used: &'static [&'static str],
    /// Our names of tensors that hold one number, which is part of the network's code and not of its file.
    constants: &'static [(&'static str, f32)],
    assumed: Vec<String>,
}

impl Reading {
    fn new(dialect: Dialect, config: ReIdentifierConfig, names: Names, idle: &'static [&'static str]) -> Self {
        Self { dialect, config, names, idle, used: &[], constants: &[], assumed: Vec::new() }
    }
}

/// What a dialect makes of a file: nothing, when it is not one of its own.
type Describe = fn(&File<'_>) -> Option<Result<Reading, WeightsError>>;

/// Every dialect, the ones first whose names say more.
const DIALECTS: [Describe; 10] = [
    centroids::describe,
    mmtracking::describe,
    fast_reid::describe,
    tll::describe,
    cluster_contrast::describe,
    aligned_reid::describe,
    open_reid::describe,
    bag_of_tricks::describe,
    layumi::describe,
    torchreid::describe,
];

/// Tells the dialect by the names, and the network by names and shapes.
fn describe(tensors: &Tensors) -> Result<Reading, WeightsError> {
    let file = File::new(tensors)?;
    DIALECTS.iter().find_map(|describe| describe(&file)).unwrap_or_else(|| {
        let (network, root) = (file.spelling.to_string(), file.root.clone());
        Err(WeightsError::UnknownDialect { network, root, beside: list(&file.beside()) })
    })
}

/// Finds out what network a checkpoint holds and gives its tensors our names.
///
/// Refuses a checkpoint that lacks tensors (other than a head's), has layers that would be left out, other shapes, or values
/// that no network has (NaN, infinite, a negative variance).
pub fn recognise(checkpoint: Checkpoint) -> Result<Recognised, WeightsError> {
    if checkpoint.metadata.contains_key(METADATA_KEY) || checkpoint.metadata.contains_key(detector::KEY) {
        return recognise_ours(checkpoint);
    }
    let mut reading = describe(&checkpoint.tensors)?;
    reading.config.input.filter = reading.dialect.filter();
    let provenance = BTreeMap::from([("dialect".to_owned(), reading.dialect.to_string())]);
    understood(checkpoint, reading, provenance)
}

/// [`recognise`] for a file of ours alone, which says itself what it holds: nothing that knows other projects is needed for it.
pub(super) fn recognise_ours(checkpoint: Checkpoint) -> Result<Recognised, WeightsError> {
    if let Some(json) = checkpoint.metadata.get(detector::KEY) {
        return Err(WeightsError::is_detector(json));
    }
    let json = checkpoint.metadata.get(METADATA_KEY).ok_or_else(|| {
        WeightsError::UnknownFormat("this file was not written by webreid; it has to be converted first".into())
    })?;
    let Description { config, provenance, .. } = described(json, VERSION)?;
    understood(checkpoint, Reading::new(Dialect::Webreid, config, Names::ours(), &["head."]), provenance)
}

/// The model that a checkpoint is in one reading of it.
fn understood(
    Checkpoint { mut tensors, mut words, .. }: Checkpoint,
    reading: Reading,
    provenance: BTreeMap<String, String>,
) -> Result<Recognised, WeightsError> {
    let Reading { dialect, mut config, names, idle, used, constants, assumed } = reading;
    words.extend(assumed);

    let parameters = config.graph()?.parameters();
    let constant = |name: &str| constants.iter().find_map(|(constant, value)| (*constant == name).then_some(*value));
    let (constant, stored): (Vec<_>, Vec<_>) =
        parameters.into_iter().map(|parameter| (constant(&parameter.name), parameter)).partition(|(c, _)| c.is_some());
    let is_missing = |name: &&String| !tensors.contains_key(*name);
    let named = stored.into_iter().map(|(_, parameter)| (names.theirs(&parameter.name), parameter));
    let (head, body): (Vec<_>, Vec<_>) = named.partition(|(_, parameter)| parameter.name.starts_with("head."));
    let lacking: Vec<_> = body.iter().map(|(theirs, _)| theirs).filter(is_missing).collect();
    if !lacking.is_empty() {
        return Err(WeightsError::Missing { dialect, tensors: list(&lacking) });
    }
    let missing: Vec<String> = head.iter().map(|(theirs, _)| theirs).filter(is_missing).cloned().collect();
    let head = if missing.is_empty() { head } else { Vec::new() };
    if head.is_empty() {
        config.head = None;
    }

    let mut ours = BTreeMap::new();
    for (theirs, parameter) in body.into_iter().chain(head) {
        let Some(mut tensor) = tensors.remove(&theirs) else { continue };
        fit(&mut tensor, &parameter.shape, &theirs)?;
        ours.insert(parameter.name, tensor);
    }
    for (value, parameter) in constant {
        let values = vec![value.unwrap_or_default(); parameter.shape.iter().product()];
        ours.insert(parameter.name, Tensor { shape: parameter.shape, values });
    }
    let is_told = |name: &String| !names.is_listed(name, used) && !name.ends_with(".num_batches_tracked");
    let left = tensors.into_keys().filter(is_told);
    let (unexpected, foreign): (Vec<_>, Vec<_>) = left.partition(|name| names.is_idle(name, idle));
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
        assumed: words,
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

/// Checks one tensor and gives it the network's shape.
pub(super) fn fit(tensor: &mut Tensor, shape: &[usize], name: &str) -> Result<(), WeightsError> {
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
