//! michuanhaohao/reid-strong-baseline and what grew from it: `base.*`, `bottleneck.*`, `classifier.*`; AGW of
//! mangye16/ReID-Survey pools by GeM, `global_pool.p`.
//!
//! No ReLU in the stem (its IBN-Net-a has one, and carries ImageNet's `base.fc.*` along) and last stride 1. A form without
//! the neck has a classifier with a bias and nothing else; many others keep a backbone under `base.`, which they are told by.

use super::file::{File, Spelling};
use super::{Dialect, Reading};
use crate::model::{BackboneConfig, Pooling, ReIdentifierConfig, ResnetConfig};
use crate::weights::WeightsError;

const IDLE: &[&str] = &["classifier.weight", "classifier.bias", "base.fc.weight", "base.fc.bias"];

pub(super) fn describe(file: &File<'_>) -> Option<Result<Reading, WeightsError>> {
    let scope = file.calls("base.")?;
    let neck = scope.has_any("bottleneck.");
    let bare = scope.has("classifier.bias") && !scope.has_any("base.fc.") && !scope.has_any("feat");
    let is_theirs = file.spelling == Spelling::Resnet && (neck || bare);
    is_theirs.then(|| {
        let resnet = scope.resnet(Dialect::BagOfTricks)?;
        let backbone = BackboneConfig::Resnet(ResnetConfig { stem_relu: resnet.ibn.is_some(), ..resnet });
        let mut config = ReIdentifierConfig { neck, ..ReIdentifierConfig::new(backbone, 0) };
        if scope.has("global_pool.p") {
            config.pooling = Pooling::Gem;
        }
        config.head = scope.head("classifier.", config.features_dim())?;
        let names = scope.names(&[("pool.", "global_pool."), ("bottleneck.", "bottleneck."), ("head.", "classifier.")]);
        Ok(Reading::new(Dialect::BagOfTricks, config, names, IDLE))
    })
}
