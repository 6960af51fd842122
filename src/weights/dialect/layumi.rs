//! layumi/Person_reID_baseline_pytorch, its `ft_net`: torchvision's ResNet under `model.`, with its ReLU, and
//! `classifier.add_block.0/1` (linear and batch norm), which gives the feature, before `classifier.classifier.0`.

use super::file::{File, Spelling};
use super::{Dialect, Reading};
use crate::model::{BackboneConfig, Bottleneck, ReIdentifierConfig, ResnetConfig};
use crate::weights::WeightsError;

const IDLE: &[&str] =
    &["model.fc.weight", "model.fc.bias", "classifier.classifier.0.weight", "classifier.classifier.0.bias"];

pub(super) fn describe(file: &File<'_>) -> Option<Result<Reading, WeightsError>> {
    let scope = file.calls("model.")?;
    (file.spelling == Spelling::Resnet && scope.has_any("classifier.add_block.")).then(|| {
        let resnet = scope.resnet(Dialect::Layumi)?;
        let backbone = BackboneConfig::Resnet(ResnetConfig { stem_relu: true, last_stride: 2, ..resnet });
        let mut config = ReIdentifierConfig::new(backbone, 0);
        let first = scope.shape("classifier.add_block.0.weight").filter(|shape| shape.len() > 1);
        config.bottleneck = first.map(|shape| Bottleneck::linear(shape[0], scope.has("classifier.add_block.0.bias")));
        config.neck = first.is_none() || scope.has_any("classifier.add_block.1.");
        config.head = scope.head("classifier.classifier.0.", config.features_dim())?;
        let block = if first.is_some() { "classifier.add_block." } else { "classifier.add_block.0." };
        let names = scope.names(&[("bottleneck.", block), ("head.", "classifier.classifier.0.")]);
        let assumed = vec![
            "The last stride is taken for 2, its default (`--stride 1` leaves no trace in the file).".into(),
            "No leaky ReLU is taken to follow the batch norm, as since 2018.".into(),
        ];
        Ok(Reading { assumed, ..Reading::new(Dialect::Layumi, config, names, IDLE) })
    })
}
