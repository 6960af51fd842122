//! Cysu/open-reid: torchvision's ResNet under `base.`, with its ReLU, its stride 2 and its `base.fc.*`; `feat.*` and
//! `feat_bn.*` where a linear layer sets the feature's length; `classifier.*`.
//!
//! What follows `feat_bn` is a ReLU, or, where there is no classifier, a normalisation that matching does anyway (the OIM
//! loss). Trained with triplets, the classifier gives the feature and no identities: its outputs are then a power of two.

use super::file::{File, Spelling};
use super::{Dialect, Reading};
use crate::model::{BackboneConfig, Bottleneck, ReIdentifierConfig, ResnetConfig};
use crate::weights::WeightsError;

const IDLE: &[&str] = &["base.fc.weight", "base.fc.bias", "classifier.weight", "classifier.bias"];
/// The least length of an embedding that a triplet loss is trained on.
const MIN_EMBEDDING: usize = 64;

pub(super) fn describe(file: &File<'_>) -> Option<Result<Reading, WeightsError>> {
    let scope = file.calls("base.")?;
    let feat = scope.outputs("feat.weight");
    let is_theirs = file.spelling == Spelling::Resnet
        && !scope.has_any("bottleneck.")
        && (feat.is_some() && scope.has_any("feat_bn.") || scope.has_any("base.fc.") && scope.has("classifier.bias"));
    is_theirs.then(|| {
        let resnet = ResnetConfig { stem_relu: true, last_stride: 2, ..scope.resnet(Dialect::OpenReid)? };
        let outputs = scope.outputs("classifier.weight");
        let rectified = feat.filter(|_| outputs.is_some());
        let backbone = BackboneConfig::Resnet(ResnetConfig { feature_dim: rectified, ..resnet });
        let normalised = feat.filter(|_| outputs.is_none()).map(|dim| Bottleneck::linear(dim, true));
        let mut config = ReIdentifierConfig::new(backbone, 0);
        config.neck = normalised.is_some();
        config.bottleneck = normalised;
        let mut assumed = Vec::new();
        let (bottleneck, neck) = if let Some(dim) = outputs.filter(|dim| dim.is_power_of_two() && *dim >= MIN_EMBEDDING) {
            config.bottleneck = Some(Bottleneck::linear(dim, scope.has("classifier.bias")));
            assumed.push(format!(
                "The {dim} outputs of its classifier are taken for the feature, as triplet training leaves them; \
                 were they identities, the feature would be the layer before."
            ));
            ("classifier.", "")
        } else {
            config.head = scope.head("classifier.", config.features_dim())?;
            if outputs.is_some() {
                assumed.push(
                    "The feature is taken before the classifier; open-reid's own scripts compare the identities' scores."
                        .to_owned(),
                );
            }
            ("feat.", "feat_bn.")
        };
        let names = scope.names(&[
            ("backbone.fc.0.", "feat."),
            ("backbone.fc.1.", "feat_bn."),
            ("bottleneck.0.", bottleneck),
            ("bottleneck.1.", neck),
            ("head.", "classifier."),
        ]);
        Ok(Reading { assumed, ..Reading::new(Dialect::OpenReid, config, names, IDLE) })
    })
}
