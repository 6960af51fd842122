//! mikwieczorek/centroids-reid, a Lightning checkpoint: `backbone.base.*`, `bn.*`, `fc_query.*`.
//!
//! The backbone is Bag of Tricks': no ReLU in the stem (its IBN-Net-a has one), last stride 1.

use super::file::{File, Spelling};
use super::{Dialect, Reading};
use crate::model::{BackboneConfig, ReIdentifierConfig, ResnetConfig};
use crate::weights::WeightsError;

const IDLE: &[&str] = &["fc_query.weight", "backbone.base.fc.weight", "backbone.base.fc.bias"];

pub(super) fn describe(file: &File<'_>) -> Option<Result<Reading, WeightsError>> {
    let scope = file.calls("backbone.base.")?;
    let neck = ["bn.", "bottleneck."].into_iter().find(|neck| scope.has_any(neck));
    neck.filter(|_| file.spelling == Spelling::Resnet).map(|neck| {
        let resnet = scope.resnet(Dialect::Centroids)?;
        let backbone = BackboneConfig::Resnet(ResnetConfig { stem_relu: resnet.ibn.is_some(), ..resnet });
        let mut config = ReIdentifierConfig::new(backbone, 0);
        config.head = scope.head("fc_query.", config.features_dim())?;
        let names = scope.names(&[("bottleneck.", neck), ("head.", "fc_query.")]);
        Ok(Reading::new(Dialect::Centroids, config, names, IDLE))
    })
}
