//! The re-identification models of OpenMMLab (mmtracking, mmpretrain): torchvision's ResNet under `backbone.`, with its ReLU
//! and stride 2, and the linear head: `head.fcs.0` (linear, batch norm, ReLU) and `head.fc_out`, which gives the feature.

use super::file::{File, Spelling};
use super::{Dialect, Reading};
use crate::model::{BackboneConfig, Bottleneck, ReIdentifierConfig, ResnetConfig};
use crate::weights::WeightsError;

/// `head.bn` stands between the feature and the classifier.
const IDLE: &[&str] = &[
    "backbone.fc.weight",
    "backbone.fc.bias",
    "head.bn.",
    "head.bn_out.",
    "head.classifier.weight",
    "head.classifier.bias",
];

pub(super) fn describe(file: &File<'_>) -> Option<Result<Reading, WeightsError>> {
    let scope = file.calls("backbone.")?;
    let dim = scope.outputs("head.fc_out.weight").filter(|_| file.spelling == Spelling::Resnet)?;
    let read = || {
        let resnet = scope.resnet(Dialect::MmTracking)?;
        let feature_dim = scope.outputs("head.fcs.0.fc.weight");
        let backbone = BackboneConfig::Resnet(ResnetConfig { stem_relu: true, last_stride: 2, feature_dim, ..resnet });
        let mut config = ReIdentifierConfig { neck: false, ..ReIdentifierConfig::new(backbone, 0) };
        config.bottleneck = Some(Bottleneck::linear(dim, scope.has("head.fc_out.bias")));
        let names = scope.names(&[
            ("backbone.fc.0.", "head.fcs.0.fc."),
            ("backbone.fc.1.", "head.fcs.0.bn."),
            ("bottleneck.0.", "head.fc_out."),
        ]);
        Ok(Reading::new(Dialect::MmTracking, config, names, IDLE))
    };
    Some(read())
}
