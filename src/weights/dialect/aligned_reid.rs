//! huanghoujing/AlignedReID-Re-Production-Pytorch: torchvision's ResNet under `base.`, with its ReLU and stride 2, the local
//! branch `local_conv.*` and `local_bn.*`, the classifier `fc.*`.
//!
//! The feature is the global one, the mean of the map, which its own test compares unless it is told otherwise.

use super::file::{File, Spelling};
use super::{Dialect, Reading};
use crate::model::{BackboneConfig, ReIdentifierConfig, ResnetConfig};
use crate::weights::WeightsError;

const IDLE: &[&str] = &["fc.weight", "fc.bias", "base.fc.weight", "base.fc.bias", "local_conv.", "local_bn."];

pub(super) fn describe(file: &File<'_>) -> Option<Result<Reading, WeightsError>> {
    let scope = file.calls("base.")?;
    (file.spelling == Spelling::Resnet && scope.has("local_conv.weight") && scope.has_any("local_bn.")).then(|| {
        let resnet = scope.resnet(Dialect::AlignedReid)?;
        let backbone = BackboneConfig::Resnet(ResnetConfig { stem_relu: true, last_stride: 2, ..resnet });
        let mut config = ReIdentifierConfig { neck: false, ..ReIdentifierConfig::new(backbone, 0) };
        config.head = scope.head("fc.", config.features_dim())?;
        let names = scope.names(&[("head.", "fc.")]);
        let assumed = vec![
            "The feature is the global one; the local ones, which its test can add, are left out.".into(),
            "ImageNet's mean is taken off the pixels; its own is less than a grey level beside it.".into(),
        ];
        Ok(Reading { assumed, ..Reading::new(Dialect::AlignedReid, config, names, IDLE) })
    })
}
