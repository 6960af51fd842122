//! Models by name.

use super::{BackboneConfig, Ibn, InputConfig, OsnetConfig, ReIdentifierConfig, ResnetConfig, VitConfig};

/// The names that [`preset`] knows.
pub const PRESETS: [&str; 17] = [
    "osnet_x0_25",
    "osnet_x0_5",
    "osnet_x0_75",
    "osnet_x1_0",
    "reid_resnet18",
    "reid_resnet34",
    "reid_resnet50",
    "reid_resnet101",
    "resnet18_ibn_a",
    "resnet34_ibn_a",
    "resnet50_ibn_a",
    "resnet101_ibn_a",
    "resnet18_ibn_b",
    "resnet34_ibn_b",
    "resnet50_ibn_b",
    "resnet101_ibn_b",
    "vit_small",
];

/// The `ReIdentifier` of that name with a head for `num_classes` identities (0: none), or `None` for a name not in [`PRESETS`].
pub fn preset(name: &str, num_classes: usize) -> Option<ReIdentifierConfig> {
    let backbone = match name {
        "osnet_x0_25" => BackboneConfig::Osnet(OsnetConfig::quarters(1)),
        "osnet_x0_5" => BackboneConfig::Osnet(OsnetConfig::quarters(2)),
        "osnet_x0_75" => BackboneConfig::Osnet(OsnetConfig::quarters(3)),
        "osnet_x1_0" => BackboneConfig::Osnet(OsnetConfig::quarters(4)),
        "vit_small" => BackboneConfig::Vit(VitConfig::small()),
        _ => BackboneConfig::Resnet(resnet(name)?),
    };
    let mut config = ReIdentifierConfig::new(backbone, num_classes);
    if let BackboneConfig::Vit(_) = config.backbone {
        // timm's, and TransReID's.
        config.input = InputConfig { mean: [0.5; 3], std: [0.5; 3], ..config.input };
    }
    Some(config)
}

fn resnet(name: &str) -> Option<ResnetConfig> {
    if !PRESETS.contains(&name) {
        return None;
    }
    if let Some(depth) = name.strip_prefix("reid_resnet") {
        return Some(ResnetConfig::reid(depth.parse().ok()?));
    }
    let (depth, variant) = name.strip_prefix("resnet")?.split_once("_ibn_")?;
    let ibn = if variant == "a" { Ibn::A } else { Ibn::B };
    Some(ResnetConfig::ibn(depth.parse().ok()?, ibn))
}
