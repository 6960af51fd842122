//! alibaba/cluster-contrast-reid, and SpCL and MMT before it: torchvision's layers in a Sequential under `base.`, `feat_bn.*`,
//! `gap.p` where the pooling is GeM, `feat.*` where a linear layer sets the feature's length.
//!
//! Last stride 1. MMT leaves the stem's ReLU out, which the numbers of the layers tell.

use super::file::{File, Spelling};
use super::{Dialect, Reading};
use crate::model::{BackboneConfig, Bottleneck, Pooling, ReIdentifierConfig, ResnetConfig};
use crate::weights::WeightsError;

const IDLE: &[&str] = &["classifier.weight"];

pub(super) fn describe(file: &File<'_>) -> Option<Result<Reading, WeightsError>> {
    let scope = file.calls("base.")?;
    let Spelling::Sequence(layer1) = file.spelling else { return None };
    scope.has_any("feat_bn.").then(|| {
        let resnet = scope.resnet(Dialect::ClusterContrast)?;
        let backbone = BackboneConfig::Resnet(ResnetConfig { stem_relu: layer1 == 4, ..resnet });
        let mut config = ReIdentifierConfig::new(backbone, 0);
        if scope.has("gap.p") {
            config.pooling = Pooling::Gem;
        }
        config.bottleneck = scope.outputs("feat.weight").map(|dim| Bottleneck::linear(dim, scope.has("feat.bias")));
        config.head = scope.head("classifier.", config.features_dim())?;
        let neck = if config.bottleneck.is_some() { "bottleneck.1." } else { "bottleneck." };
        let own = [("pool.", "gap."), ("bottleneck.0.", "feat."), (neck, "feat_bn."), ("head.", "classifier.")];
        let names = scope.names(&own);
        Ok(Reading::new(Dialect::ClusterContrast, config, names, IDLE))
    })
}
