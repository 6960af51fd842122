//! JDAI-CV/fast-reid: `backbone.*` and `heads.*`, whose parts changed their names over the years.
//!
//! The stem's ReLU, a max pool without padding, last stride 1; RGB of 0 to 255 less `pixel_mean`, where the file has it.
//!
//! | heads | since 1.2 | before |
//! |---|---|---|
//! | BN neck | `heads.bottleneck.0` | `heads.bnneck` |
//! | fewer features | `heads.bottleneck.0` (linear), `.1` (the neck) | `heads.bottleneck.0` (linear), `.1` (batch norm), leaky ReLU of 0.1, `heads.bnneck` |
//! | GeM | `heads.pool_layer.p` | the same |
//! | classifier | `heads.weight` | `heads.classifier.weight`, `heads.cls_layer.weight` |

use super::file::{File, Scope, Spelling};
use super::{Dialect, Reading};
use crate::model::{BackboneConfig, Bottleneck, OsnetConfig, Pooling, ReIdentifierConfig, ResnetConfig, StemPool};
use crate::weights::WeightsError;

const IDLE: &[&str] = &[
    "heads.weight",
    "heads.bias",
    "heads.classifier.weight",
    "heads.classifier.bias",
    "heads.cls_layer.weight",
    "heads.cls_layer.bias",
];
/// The mean and deviation of the pixels.
const PIXELS: &[&str] = &["pixel_mean", "pixel_std"];
/// The slope of the reduction head's leaky ReLU, which its file has no tensor for.
const SLOPE: (&str, f32) = ("bottleneck.2.weight", 0.1);

pub(super) fn describe(file: &File<'_>) -> Option<Result<Reading, WeightsError>> {
    let scope = file.calls("backbone.")?;
    let is_theirs = scope.has_any("heads.") && !matches!(file.spelling, Spelling::Sequence(_));
    is_theirs.then(|| read(&scope))
}

fn read(scope: &Scope<'_>) -> Result<Reading, WeightsError> {
    let backbone = if scope.file.spelling == Spelling::Osnet {
        let feature_dim = scope.outputs("backbone.fc.0.weight");
        BackboneConfig::Osnet(OsnetConfig { feature_dim, ..scope.osnet(Dialect::FastReid)? })
    } else {
        let resnet = scope.resnet(Dialect::FastReid)?;
        BackboneConfig::Resnet(ResnetConfig { stem_relu: true, stem_pool: StemPool::Ceil, ..resnet })
    };
    let mut config = ReIdentifierConfig::new(backbone, 0);
    for (name, channels) in PIXELS.iter().zip([&mut config.input.mean, &mut config.input.std]) {
        pixels(scope, name, channels)?;
    }
    let mut assumed = Vec::new();
    if scope.has("heads.pool_layer.p") {
        config.pooling = Pooling::Gem;
    } else {
        assumed.push(
            "The mean is taken to pool the map; a GeM pooling of a fixed exponent leaves no trace in the file.".into(),
        );
    }

    let layer = scope.shape("heads.bottleneck.0.weight").filter(|shape| shape.len() > 1).map(|shape| shape[0]);
    let (bnneck, second) = (scope.has_any("heads.bnneck."), scope.has_any("heads.bottleneck.1."));
    config.bottleneck =
        layer.map(|dim| Bottleneck { dim, bias: scope.has("heads.bottleneck.0.bias"), rectified: bnneck && second });
    config.neck = match layer {
        None => bnneck || scope.has_any("heads.bottleneck."),
        Some(_) => bnneck || second,
    };
    let neck = match (layer, bnneck && second) {
        (None, _) => "bottleneck.",
        (Some(_), false) => "bottleneck.1.",
        (Some(_), true) => "bottleneck.3.",
    };
    let their_neck = match (bnneck, layer) {
        (true, _) => "heads.bnneck.",
        (false, Some(_)) => "heads.bottleneck.1.",
        (false, None) => "heads.bottleneck.0.",
    };
    let classifiers = ["heads.classifier.", "heads.cls_layer."];
    let classifier = classifiers.into_iter().find(|prefix| scope.has(&format!("{prefix}weight"))).unwrap_or("heads.");
    config.head = scope.head(classifier, config.features_dim())?;
    let names = scope.names(&[
        ("pool.", "heads.pool_layer."),
        (neck, their_neck),
        ("bottleneck.", "heads.bottleneck."),
        ("head.", classifier),
    ]);
    let constants = if config.bottleneck.is_some_and(|bottleneck| bottleneck.rectified) { &[SLOPE][..] } else { &[] };
    Ok(Reading { assumed, constants, used: PIXELS, ..Reading::new(Dialect::FastReid, config, names, IDLE) })
}

/// The mean or deviation of the pixels over 0–255, as earlier versions save it.
fn pixels(scope: &Scope<'_>, name: &str, channels: &mut [f32; 3]) -> Result<(), WeightsError> {
    let Some(tensor) = scope.tensor(name) else { return Ok(()) };
    if tensor.values.len() != channels.len() {
        let (found, expected) = (tensor.shape.clone(), vec![1, channels.len(), 1, 1]);
        return Err(WeightsError::Shape { tensor: name.to_owned(), found, expected });
    }
    for (channel, stored) in channels.iter_mut().zip(&tensor.values) {
        let stored = stored / 255.0;
        // ImageNet's own numbers come back rounded.
        let same = (stored - *channel).abs() < 1e-6;
        if !same {
            *channel = stored;
        }
    }
    Ok(())
}
