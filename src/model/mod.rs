//! Re-identification models as graphs: backbones, pooling, BN neck and head, and the presets by name.

mod imported;
mod osnet;
mod preset;
mod reidentifier;
mod resnet;

pub use imported::ImportedConfig;
pub use osnet::OsnetConfig;
pub use preset::{PRESETS, preset};
pub use reidentifier::{
    BackboneConfig, Bottleneck, ChannelOrder, ConfigError, Head, InputConfig, Pooling, ReIdentifierConfig,
};
pub use resnet::{Ibn, ResnetConfig, StemPool};
