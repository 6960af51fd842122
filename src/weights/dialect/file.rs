//! A checkpoint whose backbone was found, before anyone knows whose it is.

use std::fmt;

use super::{Dialect, Names, Tensors};
use crate::model::{Head, Ibn, OsnetConfig, ResnetConfig};
use crate::weights::error::list;
use crate::weights::{Tensor, WeightsError};

/// How a file spells the layers of its backbone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// torchvision's: `conv1`, `bn1`, `layer1` … `layer4`.
    Resnet,
    /// torchvision's layers in an `nn.Sequential`: `0`, `1`, and layer 1 under this number, which is 3 where no ReLU stands
    /// before the max pool and 4 where one does.
    Sequence(usize),
    /// torchreid's: `conv1.conv` … `conv5.conv`.
    Osnet,
}

impl fmt::Display for Spelling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Osnet { "an OSNet" } else { "a ResNet" })
    }
}

/// The tensors of a file that has one backbone.
pub(super) struct File<'a> {
    pub tensors: &'a Tensors,
    pub spelling: Spelling,
    /// What the backbone's names begin with.
    pub root: String,
}

impl<'a> File<'a> {
    /// Finds the one backbone of a file.
    pub fn new(tensors: &'a Tensors) -> Result<Self, WeightsError> {
        let mut found = tensors.keys().filter_map(|name| backbone(tensors, name));
        let Some((root, spelling)) = found.next() else {
            let names: Vec<_> = tensors.keys().collect();
            return Err(WeightsError::Unrecognised(list(&names)));
        };
        let others: Vec<_> = found.map(|(root, _)| root).collect();
        if !others.is_empty() {
            let roots: Vec<_> = std::iter::once(&root).chain(&others).map(|root| format!("`{root}`")).collect();
            return Err(WeightsError::Unsupported(format!(
                "the file holds several networks, under {}; save the one that is meant alone, \
                 torch.save(model.state_dict(), path)",
                list(&roots)
            )));
        }
        Ok(Self { tensors, spelling, root })
    }

    /// The file as a dialect sees it that calls its backbone `backbone`; nothing when the file calls it otherwise.
    /// What stands before that are wrappers.
    pub fn calls(&self, backbone: &str) -> Option<Scope<'_>> {
        let wrappers = self.root.strip_suffix(backbone)?;
        let is_whole = wrappers.is_empty() || wrappers.ends_with('.');
        is_whole.then_some(Scope { file: self, wrappers })
    }

    /// The names that are no layers of the backbone.
    pub fn beside(&self) -> Vec<&str> {
        let is_layer = |name: &&str| {
            let layer = name.strip_prefix(self.root.as_str()).and_then(|rest| rest.split('.').next());
            layer.is_some_and(|layer| match self.spelling {
                Spelling::Resnet | Spelling::Osnet => {
                    ["conv", "bn", "layer", "pool"].iter().any(|kind| layer.starts_with(kind))
                }
                Spelling::Sequence(_) => layer.bytes().all(|byte| byte.is_ascii_digit()),
            })
        };
        self.tensors.keys().map(String::as_str).filter(|name| !is_layer(name)).collect()
    }
}

/// The backbone whose first convolution has this name: what its names begin with, and how they go on.
fn backbone(tensors: &Tensors, name: &str) -> Option<(String, Spelling)> {
    let root = |end: &str| name.strip_suffix(end).filter(|root| root.is_empty() || root.ends_with('.'));
    let has = |root: &str, name: &str| tensors.contains_key(&format!("{root}{name}"));
    if let Some(root) = root("conv1.conv.weight") {
        let osnet = has(root, "conv2.0.conv1.conv.weight") || has(root, "conv5.conv.weight");
        return osnet.then(|| (root.to_owned(), Spelling::Osnet));
    }
    if let Some(root) = root("conv1.weight") {
        return has(root, "layer1.0.conv1.weight").then(|| (root.to_owned(), Spelling::Resnet));
    }
    let is_stem = tensors.get(name).is_some_and(|tensor| matches!(tensor.shape[..], [_, 3, 7, 7]));
    let root = root("0.weight").filter(|_| is_stem)?;
    let layer1 = [3, 4].into_iter().find(|index| has(root, &format!("{index}.0.conv1.weight")))?;
    Some((root.to_owned(), Spelling::Sequence(layer1)))
}

/// A file in the eyes of one dialect: names without the wrappers before them.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub file: &'a File<'a>,
    pub wrappers: &'a str,
}

impl Scope<'_> {
    pub fn has(&self, name: &str) -> bool {
        self.shape(name).is_some()
    }

    pub fn tensor(&self, name: &str) -> Option<&Tensor> {
        self.file.tensors.get(&format!("{}{name}", self.wrappers))
    }

    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensor(name).map(|tensor| &tensor.shape[..])
    }

    pub fn has_any(&self, prefix: &str) -> bool {
        starts_any(self.file.tensors, &format!("{}{prefix}", self.wrappers))
    }

    /// The outputs of a layer that may be missing.
    pub fn outputs(&self, name: &str) -> Option<usize> {
        self.shape(name).map(|shape| shape.first().copied().unwrap_or(1))
    }

    /// The way from our names to the file's: `others` are our prefixes and the dialect's; the backbone's follow from the file.
    pub fn names(&self, others: &[(&'static str, &str)]) -> Names {
        let root = &self.file.root;
        let own = others.iter().map(|(ours, theirs)| (*ours, format!("{}{theirs}", self.wrappers)));
        let backbone: Vec<(&str, String)> = match self.file.spelling {
            Spelling::Resnet | Spelling::Osnet => vec![("backbone.", root.clone())],
            Spelling::Sequence(layer1) => {
                let parts = ["backbone.layer1.", "backbone.layer2.", "backbone.layer3.", "backbone.layer4."];
                let layers = parts.into_iter().enumerate().map(|(index, ours)| (ours, layer1 + index));
                let stem = [("backbone.conv1.", 0), ("backbone.bn1.", 1)];
                stem.into_iter().chain(layers).map(|(ours, index)| (ours, format!("{root}{index}."))).collect()
            }
        };
        Names { prefixes: own.chain(backbone).collect(), wrappers: self.wrappers.to_owned() }
    }

    /// The classifier over `features` numbers, where the file has one.
    pub fn head(&self, prefix: &str, features: usize) -> Result<Option<Head>, WeightsError> {
        let weight = format!("{prefix}weight");
        match self.shape(&weight) {
            Some(&[num_classes, inputs]) if inputs == features && num_classes > 0 => {
                Ok(Some(Head { num_classes, bias: self.has(&format!("{prefix}bias")) }))
            }
            Some(&[classes, inputs]) if inputs != features => Err(WeightsError::Shape {
                tensor: format!("{}{weight}", self.wrappers),
                found: vec![classes, inputs],
                expected: vec![classes, features],
            }),
            _ => Ok(None),
        }
    }

    /// The sizes of the ResNet, with none of the habits that no size tells: no ReLU in the stem, last stride 1.
    pub fn resnet(&self, dialect: Dialect) -> Result<ResnetConfig, WeightsError> {
        let reader = Reader { tensors: self.file.tensors, names: self.names(&[]), dialect };
        reader.resnet()
    }

    /// The sizes of the OSNet, without a fully connected layer.
    pub fn osnet(&self, dialect: Dialect) -> Result<OsnetConfig, WeightsError> {
        let reader = Reader { tensors: self.file.tensors, names: self.names(&[]), dialect };
        reader.osnet()
    }
}

fn starts_any(tensors: &Tensors, prefix: &str) -> bool {
    tensors.range(prefix.to_owned()..).next().is_some_and(|(name, _)| name.starts_with(prefix))
}

/// Reads the sizes of a backbone by our names.
struct Reader<'a> {
    tensors: &'a Tensors,
    names: Names,
    dialect: Dialect,
}

impl Reader<'_> {
    fn has_any(&self, prefix: &str) -> bool {
        starts_any(self.tensors, &self.names.theirs(prefix))
    }

    /// The outputs of a layer.
    fn outputs(&self, name: &str) -> Result<usize, WeightsError> {
        let name = self.names.theirs(name);
        match self.tensors.get(&name) {
            Some(tensor) => Ok(tensor.shape.first().copied().unwrap_or(1)),
            None => Err(WeightsError::Missing { dialect: self.dialect, tensors: name }),
        }
    }

    fn osnet(&self) -> Result<OsnetConfig, WeightsError> {
        let stage = |stage: usize| self.outputs(&format!("backbone.conv{stage}.0.conv3.conv.weight"));
        let within =
            [2, 3, 4].map(|stage| [0, 1].map(|block| self.has_any(&format!("backbone.conv{stage}.{block}.IN."))));
        // osnet_ain.py's streams have other names.
        let adaptive = self.has_any("backbone.conv2.0.conv2.").then_some(within);
        Ok(OsnetConfig {
            channels: [self.outputs("backbone.conv1.conv.weight")?, stage(2)?, stage(3)?, stage(4)?],
            feature_dim: None,
            instance_norm: adaptive.is_none() && within[0][0],
            adaptive,
        })
    }

    fn resnet(&self) -> Result<ResnetConfig, WeightsError> {
        let bottleneck = self.has_any("backbone.layer1.0.conv3.");
        let blocks = [1, 2, 3, 4].map(|layer| self.blocks(&format!("backbone.layer{layer}.")));
        let depth =
            [18, 34, 50, 101].into_iter().find(|&depth| ResnetConfig::layers(depth) == Some((blocks, bottleneck)));
        let depth = depth.ok_or_else(|| {
            let kind = if bottleneck { "bottleneck" } else { "basic" };
            WeightsError::Unsupported(format!(
                "a ResNet of {blocks:?} {kind} blocks is not supported; ResNet-18, 34, 50 and 101 are"
            ))
        })?;
        let ibn = if self.has_any("backbone.layer1.0.bn1.IN.") {
            Some(Ibn::A)
        } else if self.has_any(&format!("backbone.layer1.{}.IN.", blocks[0] - 1)) {
            Some(Ibn::B)
        } else {
            None
        };
        let width = self.outputs("backbone.conv1.weight")?;
        let last_width = Some(self.outputs("backbone.layer4.0.conv1.weight")?).filter(|&last| last != 8 * width);
        Ok(ResnetConfig { width, last_width, ibn, ..ResnetConfig::reid(depth) })
    }

    /// How many blocks a layer has: one more than the highest index.
    fn blocks(&self, prefix: &str) -> usize {
        let prefix = self.names.theirs(prefix);
        let names = self.tensors.range(prefix.clone()..).map(|(name, _)| name);
        let indices =
            names.map_while(|name| name.strip_prefix(prefix.as_str())).filter_map(|rest| rest.split('.').next());
        indices.filter_map(|index| index.parse::<usize>().ok()).max().map_or(0, |highest| highest.saturating_add(1))
    }
}
