//! torchreid's models, and torchvision's: the names of the network alone, whatever wrapper stands before them.
//!
//! ResNet: the stem's ReLU and stride 2 (`fc512`: 1, with `fc.0/1`), `classifier.*` or ImageNet's `fc.weight`; no BN neck.
//! OSNet, OSNet-IBN, OSNet-AIN: `conv1.*` … `conv5.*`, `fc.0/1.*`, `classifier.*`; no BN neck.

use super::file::{File, Spelling};
use super::{Dialect, Reading};
use crate::model::{BackboneConfig, OsnetConfig, ReIdentifierConfig, ResnetConfig};
use crate::weights::WeightsError;

const IDLE: &[&str] = &["classifier.weight", "classifier.bias", "fc.weight", "fc.bias"];

pub(super) fn describe(file: &File<'_>) -> Option<Result<Reading, WeightsError>> {
    let scope = file.calls("")?;
    // ResNets under these names belong to projects with habits of their own.
    let last = file.root.trim_end_matches('.').rsplit('.').next();
    let is_ambiguous = file.spelling != Spelling::Osnet && matches!(last, Some("backbone" | "base"));
    let read = || {
        let feature_dim = scope.outputs("fc.0.weight");
        let (dialect, backbone) = if file.spelling == Spelling::Osnet {
            let dialect = Dialect::TorchreidOsnet;
            (dialect, BackboneConfig::Osnet(OsnetConfig { feature_dim, ..scope.osnet(dialect)? }))
        } else {
            let dialect = Dialect::TorchreidResnet;
            let last_stride = if feature_dim.is_some() { 1 } else { 2 };
            let resnet = scope.resnet(dialect)?;
            (dialect, BackboneConfig::Resnet(ResnetConfig { stem_relu: true, last_stride, feature_dim, ..resnet }))
        };
        let mut config = ReIdentifierConfig { neck: false, ..ReIdentifierConfig::new(backbone, 0) };
        config.head = scope.head("classifier.", config.features_dim())?;
        let names = scope.names(&[("head.", "classifier.")]);
        Ok(Reading::new(dialect, config, names, IDLE))
    };
    (!is_ambiguous && !matches!(file.spelling, Spelling::Sequence(_))).then(read)
}
