//! The Transfer-Learning-Library (tllib), whose names are ours: `backbone.*`, `bottleneck.*`, `head.*`.
//!
//! No ReLU in the stem and last stride 1; its IBN-Nets keep the ReLU and stride 2. A layer before the BN neck makes the two
//! an `nn.Sequential`, `bottleneck.0` and `.1`. `backbone.fc.*` is the ImageNet classifier that it carries along.

use super::file::{File, Spelling};
use super::{Dialect, Reading};
use crate::model::{BackboneConfig, Bottleneck, OsnetConfig, Pooling, ReIdentifierConfig, ResnetConfig};
use crate::weights::WeightsError;

const IDLE: &[&str] = &["head.weight", "head.bias", "backbone.fc.weight", "backbone.fc.bias"];

pub(super) fn describe(file: &File<'_>) -> Option<Result<Reading, WeightsError>> {
    let scope = file.calls("backbone.")?;
    let is_theirs = scope.has_any("bottleneck.") || scope.has("head.weight");
    (is_theirs && !matches!(file.spelling, Spelling::Sequence(_))).then(|| {
        let backbone = if file.spelling == Spelling::Osnet {
            let feature_dim = scope.outputs("backbone.fc.0.weight");
            BackboneConfig::Osnet(OsnetConfig { feature_dim, ..scope.osnet(Dialect::Tll)? })
        } else {
            let resnet = scope.resnet(Dialect::Tll)?;
            let feature_dim = scope.outputs("backbone.fc.0.weight");
            let last_stride = if resnet.ibn.is_some() { 2 } else { 1 };
            BackboneConfig::Resnet(ResnetConfig { stem_relu: resnet.ibn.is_some(), last_stride, feature_dim, ..resnet })
        };
        let mut config = ReIdentifierConfig::new(backbone, 0);
        config.bottleneck = scope
            .shape("bottleneck.0.weight")
            .filter(|shape| shape.len() > 1)
            .map(|shape| Bottleneck::linear(shape[0], scope.has("bottleneck.0.bias")));
        let pool = if scope.has("pool_layer.p") { "pool_layer." } else { "pool." };
        if scope.has(&format!("{pool}p")) {
            config.pooling = Pooling::Gem;
        }
        config.head = scope.head("head.", config.features_dim())?;
        let names = scope.names(&[("pool.", pool), ("bottleneck.", "bottleneck."), ("head.", "head.")]);
        Ok(Reading::new(Dialect::Tll, config, names, IDLE))
    })
}
