//! Re-identification models as graphs: backbones, pooling, BN neck and head, and the presets by name. Detectors of people.

mod detector;
mod graph;
mod imported;
mod osnet;
mod preset;
mod reidentifier;
mod resnet;
mod vit;

pub use detector::{BoxCode, DetectorConfig, DetectorError, DetectorHead, Level, ScoreCode};
pub use graph::ReIdentifierGraph;
pub use imported::ImportedConfig;
pub use osnet::OsnetConfig;
pub use preset::{PRESETS, preset};
pub(crate) use reidentifier::IMAGE;
pub use reidentifier::{
    BackboneConfig, Bottleneck, ChannelOrder, ConfigError, Head, InputConfig, Pooling, ReIdentifierConfig, UnknownOrder,
};
pub use resnet::{Ibn, ResnetConfig, StemPool};
pub use vit::VitConfig;

pub use crate::graph::ShapeError;
pub use crate::kernels::frozen::preprocess::Filter;
pub use crate::step::Fit;
