//! Whose checkpoint it is: one row a dialect and variant, and the published files where they are at hand.
#![cfg(not(target_arch = "wasm32"))]

mod common;

use std::collections::BTreeMap;

use webreid::kernels::frozen::preprocess::Filter;
use webreid::model::{
    BackboneConfig, Bottleneck, Head, Ibn, OsnetConfig, Pooling, ReIdentifierConfig, ResnetConfig, StemPool,
};
use webreid::weights::{Checkpoint, Dialect, Precision, Recognised, Tensor, WeightsError, recognise, to_safetensors};

type Tensors = BTreeMap<String, Tensor>;

/// Every parameter of the network, each with numbers of its own: multiples of 1/64 from 1/64 to 1, exact in f16.
fn tensors(config: &ReIdentifierConfig) -> Tensors {
    let parameters = config.graph().expect("valid").parameters();
    let filled = parameters.into_iter().enumerate().map(|(seed, parameter)| {
        let count: usize = parameter.shape.iter().product();
        let values = (0..count).map(|index| ((index * 7 + seed * 13) % 64 + 1) as f32 / 64.0).collect();
        (parameter.name, Tensor { shape: parameter.shape, values })
    });
    filled.collect()
}

fn renamed(tensors: &Tensors, rename: impl Fn(&str) -> String) -> Checkpoint {
    let tensors = tensors.iter().map(|(name, tensor)| (rename(name), tensor.clone())).collect();
    Checkpoint { tensors, ..Checkpoint::default() }
}

fn add(checkpoint: &mut Checkpoint, name: &str, shape: &[usize]) {
    let values = vec![0.5; shape.iter().product()];
    checkpoint.tensors.insert(name.to_owned(), Tensor { shape: shape.to_vec(), values });
}

fn resnet(config: ResnetConfig) -> BackboneConfig {
    BackboneConfig::Resnet(ResnetConfig { width: 4, ..config })
}

fn with(backbone: BackboneConfig, change: impl FnOnce(&mut ReIdentifierConfig)) -> ReIdentifierConfig {
    let mut config = ReIdentifierConfig::new(backbone, 5);
    change(&mut config);
    config
}

/// Bare torchreid: no BN neck, a classifier with a bias.
fn torchreid(backbone: BackboneConfig) -> ReIdentifierConfig {
    with(backbone, |config| {
        config.neck = false;
        config.head = Some(Head { num_classes: 5, bias: true });
    })
}

fn tll_name(name: &str) -> String {
    name.to_owned()
}

fn bag_of_tricks_name(name: &str) -> String {
    name.replacen("backbone.", "base.", 1).replacen("head.", "classifier.", 1)
}

fn fast_reid_name(name: &str) -> String {
    match name {
        "head.weight" => "heads.weight".into(),
        "pool.p" => "heads.pool_layer.p".into(),
        _ if name.starts_with("bottleneck.0.") || name.starts_with("bottleneck.1.") => format!("heads.{name}"),
        _ => name.replacen("bottleneck.", "heads.bottleneck.0.", 1),
    }
}

fn torchreid_name(name: &str) -> String {
    name.replacen("backbone.", "", 1).replacen("head.", "classifier.", 1)
}

struct Row {
    dialect: Dialect,
    architecture: &'static str,
    config: ReIdentifierConfig,
    rename: fn(&str) -> String,
}

fn rows() -> Vec<Row> {
    let reid = ResnetConfig::reid;
    let fast = |ibn| ResnetConfig { stem_relu: true, stem_pool: StemPool::Ceil, ibn, ..reid(50) };
    let bag_ibn = ResnetConfig { stem_relu: true, ibn: Some(Ibn::A), ..reid(50) };
    let plain = |depth| ResnetConfig { stem_relu: true, last_stride: 2, ..reid(depth) };
    let fc = ResnetConfig { stem_relu: true, feature_dim: Some(512), ..reid(50) };
    let osnet = |quarters| BackboneConfig::Osnet(OsnetConfig::quarters(quarters));
    let osnet_ibn = BackboneConfig::Osnet(OsnetConfig { instance_norm: true, ..OsnetConfig::quarters(1) });
    let osnet_ain = BackboneConfig::Osnet(OsnetConfig { adaptive: Some(OsnetConfig::AIN), ..OsnetConfig::quarters(2) });
    let osnet_map = BackboneConfig::Osnet(OsnetConfig { feature_dim: None, ..OsnetConfig::quarters(1) });
    let row = |dialect, architecture, config, rename| Row { dialect, architecture, config, rename };
    let plainly = |backbone| ReIdentifierConfig::new(backbone, 5);
    let bottleneck = |config: &mut ReIdentifierConfig| config.bottleneck = Some(Bottleneck::linear(6, false));

    use Dialect::*;
    vec![
        row(Tll, "ResNet-18 of width 4", plainly(resnet(reid(18))), tll_name),
        row(Tll, "ResNet-34 of width 4", plainly(resnet(reid(34))), tll_name),
        row(Tll, "ResNet-50 of width 4", plainly(resnet(reid(50))), tll_name),
        row(Tll, "ResNet-101 of width 4", plainly(resnet(reid(101))), tll_name),
        row(Tll, "ResNet-50-IBN-a of width 4", plainly(resnet(ResnetConfig::ibn(50, Ibn::A))), tll_name),
        row(Tll, "ResNet-50-IBN-b of width 4", plainly(resnet(ResnetConfig::ibn(50, Ibn::B))), tll_name),
        row(Tll, "ResNet-18-IBN-a of width 4", plainly(resnet(ResnetConfig::ibn(18, Ibn::A))), tll_name),
        row(Tll, "ResNet-34-IBN-b of width 4", plainly(resnet(ResnetConfig::ibn(34, Ibn::B))), tll_name),
        row(Tll, "ResNet-18 of width 4", with(resnet(reid(18)), bottleneck), tll_name),
        row(
            Tll,
            "ResNet-18 of width 4",
            with(resnet(reid(18)), |c| c.bottleneck = Some(Bottleneck::linear(6, true))),
            tll_name,
        ),
        row(Tll, "ResNet-18 of width 4", with(resnet(reid(18)), |c| c.pooling = Pooling::Gem), |name| {
            name.replace("pool.p", "pool_layer.p")
        }),
        row(Tll, "ResNet-18 of width 4", with(resnet(reid(18)), |c| c.head = None), tll_name),
        row(Tll, "OSNet x0.25", plainly(osnet(1)), tll_name),
        row(BagOfTricks, "ResNet-50 of width 4", plainly(resnet(reid(50))), bag_of_tricks_name),
        row(BagOfTricks, "ResNet-34 of width 4", plainly(resnet(reid(34))), bag_of_tricks_name),
        row(BagOfTricks, "ResNet-50-IBN-a of width 4", plainly(resnet(bag_ibn)), bag_of_tricks_name),
        row(BagOfTricks, "ResNet-50 of width 4", torchreid(resnet(reid(50))), bag_of_tricks_name),
        row(FastReid, "ResNet-50 of width 4", plainly(resnet(fast(None))), fast_reid_name),
        row(FastReid, "ResNet-50-IBN-a of width 4", plainly(resnet(fast(Some(Ibn::A)))), fast_reid_name),
        row(FastReid, "ResNet-50 of width 4", with(resnet(fast(None)), |c| c.pooling = Pooling::Gem), fast_reid_name),
        row(FastReid, "ResNet-50 of width 4", with(resnet(fast(None)), bottleneck), fast_reid_name),
        row(
            FastReid,
            "ResNet-50 of width 4",
            with(resnet(fast(None)), |c| {
                bottleneck(c);
                c.neck = false;
            }),
            fast_reid_name,
        ),
        row(FastReid, "ResNet-50 of width 4", with(resnet(fast(None)), |c| c.neck = false), fast_reid_name),
        row(FastReid, "ResNet-50 of width 4", plainly(resnet(fast(None))), |name| {
            if name == "head.weight" { "heads.classifier.weight".into() } else { fast_reid_name(name) }
        }),
        row(FastReid, "OSNet x0.25", plainly(osnet_map), fast_reid_name),
        row(TorchreidResnet, "ResNet-50 of width 4", torchreid(resnet(plain(50))), torchreid_name),
        row(TorchreidResnet, "ResNet-18 of width 4", torchreid(resnet(plain(18))), torchreid_name),
        row(
            TorchreidResnet,
            "ResNet-50-IBN-a of width 4",
            torchreid(resnet(ResnetConfig::ibn(50, Ibn::A))),
            torchreid_name,
        ),
        row(TorchreidResnet, "ResNet-50 fc512 of width 4", torchreid(resnet(fc)), torchreid_name),
        row(TorchreidOsnet, "OSNet x0.25", torchreid(osnet(1)), torchreid_name),
        row(TorchreidOsnet, "OSNet x0.5", torchreid(osnet(2)), torchreid_name),
        row(TorchreidOsnet, "OSNet-IBN x0.25", torchreid(osnet_ibn), torchreid_name),
        row(TorchreidOsnet, "OSNet-AIN x0.5", torchreid(osnet_ain), torchreid_name),
    ]
}

#[test]
fn every_dialect_gives_its_config_and_all_tensors() {
    for (index, Row { dialect, architecture, mut config, rename }) in rows().into_iter().enumerate() {
        let row = format!("row {index}: {dialect}, {architecture}");
        config.input.filter = dialect.filter();
        let tensors = tensors(&config);
        let found = recognise(renamed(&tensors, rename)).unwrap_or_else(|error| panic!("{row}: {error}"));
        assert_eq!(found.dialect, dialect, "{row}");
        assert_eq!(found.architecture, architecture, "{row}");
        assert_eq!(found.config, config, "{row}");
        assert!(found.tensors == tensors, "{row}");
        assert_eq!((found.missing.len(), found.unexpected.len()), (0, 0), "{row}");
        reads_back(&found, &row);
    }
}

/// Ours again: the same model, exactly, from f32; and from f16, which holds these numbers exactly.
fn reads_back(model: &Recognised, row: &str) {
    let provenance = BTreeMap::from([("source".to_owned(), "a \"test\"\n✓".to_owned())]);
    for precision in [Precision::F32, Precision::F16] {
        let write = || to_safetensors(&model.config, &model.tensors, &provenance, precision).expect("writable");
        let file = write();
        assert!(file == write(), "{row}: two files of one model differ");
        let read = recognise(Checkpoint::read(&file).expect("readable")).expect("ours");
        assert_eq!((read.dialect, &read.config), (Dialect::Webreid, &model.config), "{row}");
        assert!(read.tensors == model.tensors, "{row} {precision:?}");
        assert_eq!(read.provenance, provenance);
        let numbers: usize = model.tensors.values().map(|tensor| tensor.values.len()).sum();
        let bytes = if precision == Precision::F32 { 4 } else { 2 };
        assert!(file.len() > numbers * bytes && file.len() < numbers * bytes + 140_000, "{row}: {}", file.len());
    }
}

fn published(name: &str) -> Vec<u8> {
    std::fs::read(common::shared().join("weights").join(name)).expect("readable")
}

#[test]
#[ignore = "needs ../shared"]
fn the_published_osnet_of_market1501_is_recognised() {
    let bytes = published("osnet_x0_25_market1501.pth");
    let found = recognise(Checkpoint::read(&bytes).expect("readable")).expect("known");
    let expected = with(BackboneConfig::Osnet(OsnetConfig::quarters(1)), |config| {
        config.neck = false;
        config.head = Some(Head { num_classes: 751, bias: true });
    });
    assert_eq!(found.config, expected);
    assert_eq!((found.dialect, found.architecture.as_str()), (Dialect::TorchreidOsnet, "OSNet x0.25"));
    assert_eq!((&found.missing, &found.unexpected), (&vec![], &vec![]));
    assert_eq!(found.tensors["head.weight"].shape, [751, 512]);
    assert_eq!(found.tensors["backbone.conv2.0.gate.fc1.weight"].shape, [1, 16]);
    assert_eq!(
        found.summary,
        "OSNet x0.25 (torchreid OSNet): 512-d feature, no BN neck, head of 751 identities; 487 tensors, 593655 numbers."
    );
    reads_back_exactly(&found);
}

#[test]
#[ignore = "needs ../shared"]
fn the_published_osnet_of_msmt17_is_recognised() {
    let bytes = published("osnet_x0_25_msmt17_combineall.safetensors");
    let found = recognise(Checkpoint::read(&bytes).expect("readable")).expect("known");
    assert_eq!(found.config.head, None);
    assert_eq!(found.config.backbone, BackboneConfig::Osnet(OsnetConfig::quarters(1)));
    assert!(!found.config.neck);
    assert_eq!((found.tensors.len(), &found.missing, &found.unexpected), (485, &vec![], &vec![]));
    reads_back_exactly(&found);
}

fn reads_back_exactly(model: &Recognised) {
    let file = to_safetensors(&model.config, &model.tensors, &model.provenance, Precision::F32).expect("writable");
    let read = recognise(Checkpoint::read(&file).expect("readable")).expect("ours");
    assert_eq!(read.config, model.config);
    assert!(read.tensors == model.tensors);
    assert_eq!(read.provenance["dialect"], "torchreid OSNet");
}

#[test]
fn linear_layers_may_be_one_by_one_convolutions() {
    let config = torchreid(BackboneConfig::Osnet(OsnetConfig::quarters(1)));
    let tensors = tensors(&config);
    let mut checkpoint = renamed(&tensors, torchreid_name);
    for (name, tensor) in &mut checkpoint.tensors {
        if name.contains(".gate.") && name.ends_with("weight") {
            tensor.shape.extend([1, 1]);
        }
    }
    assert!(recognise(checkpoint).expect("known").tensors == tensors);
}

#[test]
fn wrappers_of_every_name_are_dropped() {
    let config = ReIdentifierConfig::new(resnet(ResnetConfig::reid(18)), 5);
    let tensors = tensors(&config);
    for prefix in ["module.", "_orig_mod.", "module._orig_mod."] {
        // Through a file, as this is where wrappers are dropped.
        let wrapped = renamed(&tensors, |name| format!("{prefix}{name}"));
        let file = safetensors(&wrapped);
        assert!(recognise(Checkpoint::read(&file).expect("readable")).expect("known").tensors == tensors, "{prefix}");
    }
}

fn safetensors(checkpoint: &Checkpoint) -> Vec<u8> {
    let bytes: Vec<_> = checkpoint
        .tensors
        .values()
        .map(|tensor| tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
        .collect();
    let views = checkpoint.tensors.iter().zip(&bytes).map(|((name, tensor), bytes)| {
        let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, tensor.shape.clone(), bytes);
        (name, view.expect("a tensor"))
    });
    safetensors::serialize(views, None).expect("writable")
}

#[test]
fn fast_reids_pixel_statistics_go_into_the_config() {
    let backbone = ResnetConfig { stem_relu: true, stem_pool: StemPool::Ceil, ..ResnetConfig::reid(18) };
    let config = with(resnet(backbone), |config| config.input.filter = Filter::Bicubic);
    let recognised = |mean: [f32; 3]| {
        let mut checkpoint = renamed(&tensors(&config), fast_reid_name);
        for (name, values) in [("pixel_mean", mean), ("pixel_std", [58.395, 57.12, 57.375])] {
            add(&mut checkpoint, name, &[1, 3, 1, 1]);
            checkpoint.tensors.get_mut(name).expect("there").values = values.into();
        }
        recognise(checkpoint)
    };
    let imagenet = recognised([123.675, 116.28, 103.53]).expect("known");
    assert_eq!((imagenet.config.input, imagenet.unexpected.len()), (config.input.clone(), 0));
    let other = recognised([127.5, 116.28, 103.53]).expect("known");
    assert_eq!((other.config.input.mean, other.config.input.std), ([0.5, 0.456, 0.406], config.input.std));
    assert!(recognised([f32::NAN, 0.0, 0.0]).expect_err("refused").to_string().contains("mean"));
}

/// Wrappers before the names of the network alone: what lies beside it keeps its own.
#[test]
fn wrappers_of_most_names_are_seen_through() {
    let plain = ResnetConfig { stem_relu: true, last_stride: 2, ..ResnetConfig::reid(18) };
    let torchreid = torchreid(resnet(plain));
    let bag_of_tricks = ReIdentifierConfig::new(resnet(ResnetConfig::reid(18)), 5);
    for prefix in ["module.", "model.", "net.", "network.", "encoder.", "student.", "backbone_.", "model.module."] {
        for (config, rename) in
            [(&torchreid, torchreid_name as fn(&str) -> String), (&bag_of_tricks, bag_of_tricks_name)]
        {
            let tensors = tensors(config);
            let mut checkpoint = renamed(&tensors, |name| format!("{prefix}{}", rename(name)));
            add(&mut checkpoint, "center_loss.centers", &[5, 32]);
            let found = recognise(checkpoint.clone()).unwrap_or_else(|error| panic!("{prefix}: {error}"));
            assert_eq!((&found.config, &found.unexpected[..]), (config, &["center_loss.centers".to_owned()][..]));
            assert!(found.tensors == tensors, "{prefix}");
            // A layer outside the wrapper is not known to be harmless.
            add(&mut checkpoint, "projector.weight", &[5, 32]);
            let error = recognise(checkpoint).expect_err("refused").to_string();
            assert!(error.contains("projector.weight"), "{error}");
        }
    }
}

#[test]
fn several_networks_in_a_file_are_named() {
    let config = torchreid(BackboneConfig::Osnet(OsnetConfig::quarters(1)));
    let tensors = tensors(&config);
    let mut both = renamed(&tensors, |name| format!("student.{}", torchreid_name(name)));
    both.tensors.extend(renamed(&tensors, |name| format!("teacher.{}", torchreid_name(name))).tensors);
    let error = recognise(both).expect_err("refused").to_string();
    assert!(error.contains("several networks, under `student.`, `teacher.`"), "{error}");
}

/// The names and shapes of tensors.
type Beside<'a> = &'a [(&'a str, &'a [usize])];

/// Many keep a ResNet under `base.` or `backbone.`, each with habits of its own.
#[test]
fn what_stands_beside_the_backbone_decides_or_the_file_is_refused() {
    let config = ReIdentifierConfig::new(resnet(ResnetConfig::reid(18)), 5);
    let tensors = tensors(&config);
    let said = |root: &str, beside: Beside| {
        let mut checkpoint = renamed(&tensors, |name| name.replacen("backbone.", root, 1));
        checkpoint.tensors.retain(|name, _| name.starts_with(root));
        beside.iter().for_each(|(name, shape)| add(&mut checkpoint, name, shape));
        recognise(checkpoint).expect_err("refused").to_string()
    };
    let norm =
        |name: &'static str| ["weight", "bias", "running_mean", "running_var"].map(|part| format!("{name}.{part}"));
    let neck = norm("bottleneck");
    let neck: Vec<(&str, &[usize])> = neck.iter().map(|name| (name.as_str(), &[32][..])).collect();

    // Nothing, PCB's stripes, SpCL's neck on names that are not SpCL's, a neck of one's own.
    let unknown: [(&str, Beside); 5] = [
        ("base.", &[]),
        ("base.", &[("local_conv_list.0.weight", &[8, 32, 1, 1]), ("fc_list.0.weight", &[5, 8])]),
        ("base.", &[("feat_bn.weight", &[32])]),
        ("backbone.", &[]),
        ("backbone.", &[("reduction.weight", &[8, 32]), ("bn_neck.weight", &[8])]),
    ];
    for (root, beside) in unknown {
        let said = said(root, beside);
        assert!(said.contains(&format!("a ResNet under `{root}`")), "{said}");
        assert!(beside.iter().all(|(name, _)| said.contains(name)), "{said}");
    }
    // Known by their neck, but with something more.
    for (name, shape) in [
        ("base.NL_2.0.g.weight", &[4, 8, 1, 1][..]),
        ("local_conv_list.0.weight", &[8, 32, 1, 1]),
        ("embedding.weight", &[8, 32]),
        ("gem.p", &[1]),
        ("bottleneck2.weight", &[32]),
    ] {
        let beside = [&neck[..], &[(name, shape)]].concat();
        let said = said("base.", &beside);
        assert!(
            said.starts_with("the checkpoint (Bag of Tricks, by its names) has layers") && said.contains(name),
            "{said}"
        );
    }
    let said = said("backbone.", &[("heads.weight", &[5, 32]), ("backbone.NL_3.0.g.weight", &[4, 8, 1, 1])]);
    assert!(said.contains("fast-reid") && said.contains("backbone.NL_3.0.g.weight"), "{said}");
}

fn refusal(change: impl FnOnce(&mut Checkpoint)) -> WeightsError {
    let config = ReIdentifierConfig::new(resnet(ResnetConfig::reid(18)), 5);
    let mut checkpoint = renamed(&tensors(&config), tll_name);
    change(&mut checkpoint);
    recognise(checkpoint).expect_err("refused")
}

#[test]
fn a_checkpoint_that_is_not_whole_is_refused_with_the_names() {
    let error = refusal(|c| drop(c.tensors.remove("backbone.layer2.1.bn2.bias")));
    assert_eq!(
        error.to_string(),
        "the checkpoint (Transfer-Learning-Library) lacks backbone.layer2.1.bn2.bias; it was cut off or belongs to another architecture"
    );
    let error = refusal(|c| c.tensors.retain(|name, _| !name.starts_with("backbone.layer3")));
    assert!(matches!(&error, WeightsError::Unsupported(text) if text.contains("[2, 2, 0, 2] basic blocks")), "{error}");
    let error = refusal(|c| c.tensors.retain(|name, _| !name.contains("layer3") || name.contains("conv1")));
    let text = error.to_string();
    assert!(text.contains("backbone.layer3.0.bn1.weight") && text.contains("and 15 more"), "{text}");
    let error = refusal(|c| c.tensors.retain(|name, _| !name.starts_with("bottleneck.")));
    assert!(error.to_string().contains("lacks bottleneck.weight, bottleneck.bias"), "{error}");
}

#[test]
fn layers_that_would_be_left_out_are_refused_and_others_reported() {
    let error = refusal(|c| add(c, "backbone.layer1.0.se.fc1.weight", &[1, 4]));
    assert!(
        matches!(&error, WeightsError::ForeignLayers { tensors, .. } if tensors == "backbone.layer1.0.se.fc1.weight")
    );
    let error = refusal(|c| add(c, "bottleneck.0.running_mean", &[4]));
    assert!(matches!(error, WeightsError::ForeignLayers { .. }));

    let config = ReIdentifierConfig::new(resnet(ResnetConfig::reid(18)), 5);
    let mut checkpoint = renamed(&tensors(&config), tll_name);
    // The ImageNet classifier that TLL carries along; a centre loss; a head of another feature.
    add(&mut checkpoint, "backbone.fc.weight", &[1000, 32]);
    add(&mut checkpoint, "backbone.fc.bias", &[1000]);
    add(&mut checkpoint, "criterion.centers", &[5, 32]);
    let head = checkpoint.tensors.remove("head.weight").expect("a head");
    let found = recognise(checkpoint.clone()).expect("known");
    let left_out = ["backbone.fc.bias", "backbone.fc.weight", "criterion.centers"];
    assert_eq!(found.unexpected, left_out);
    assert_eq!(found.config.head, None);
    let end = "no head; 104 tensors, 45500 numbers. Not used: backbone.fc.bias, backbone.fc.weight, criterion.centers.";
    assert!(found.summary.ends_with(end), "{}", found.summary);
    let [word] = &found.words()[..] else { panic!("{:?}", found.words()) };
    assert!(word.contains(&left_out.join(", ")), "{word}");
    // A classifier over other numbers than the feature's: something between the two is not known.
    checkpoint.tensors.insert("head.weight".into(), Tensor { shape: vec![5, 31], values: head.values[..155].into() });
    let error = recognise(checkpoint).expect_err("refused").to_string();
    assert_eq!(error, "tensor `head.weight` has the shape [5, 31] where the network needs [5, 32]");

    // torchvision's ImageNet weights: a backbone to start from.
    let plain = ResnetConfig { stem_relu: true, last_stride: 2, ..ResnetConfig::reid(18) };
    let bare = with(resnet(plain), |config| (config.neck, config.head) = (false, None));
    let mut checkpoint = renamed(&tensors(&bare), torchreid_name);
    add(&mut checkpoint, "fc.weight", &[1000, 32]);
    add(&mut checkpoint, "fc.bias", &[1000]);
    let found = recognise(checkpoint).expect("known");
    assert_eq!((found.dialect, &found.config), (Dialect::TorchreidResnet, &bare));
    assert_eq!(found.unexpected, ["fc.bias", "fc.weight"]);
}

#[test]
fn shapes_and_values_of_no_network_are_refused() {
    let edit = |name: &'static str, edit: fn(&mut Tensor)| {
        refusal(move |c| edit(c.tensors.get_mut(name).unwrap_or_else(|| panic!("{name}")))).to_string()
    };
    let shape = edit("backbone.layer1.0.conv1.weight", |t| t.shape = vec![4, 36]);
    assert_eq!(
        shape,
        "tensor `backbone.layer1.0.conv1.weight` has the shape [4, 36] where the network needs [4, 4, 3, 3]"
    );
    let nan = edit("backbone.bn1.weight", |t| t.values[3] = f32::NAN);
    assert!(nan.starts_with("tensor `backbone.bn1.weight` holds NaN"), "{nan}");
    let infinite = edit("bottleneck.running_mean", |t| t.values[0] = f32::NEG_INFINITY);
    assert!(infinite.contains("an infinite value"), "{infinite}");
    let variance = edit("bottleneck.running_var", |t| t.values[0] = -0.5);
    assert!(variance.contains("a negative variance"), "{variance}");
    let scalar = edit("backbone.conv1.weight", |t| t.shape = vec![]);
    assert!(scalar.contains("the width of the ResNet is 1"), "{scalar}");
    let empty = edit("backbone.conv1.weight", |t| t.shape = vec![0, 3, 7, 7]);
    assert!(empty.contains("the width of the ResNet is 0"), "{empty}");
}

#[test]
fn other_networks_are_named_or_shown() {
    let checkpoint = |names: &[&str]| {
        let mut checkpoint = Checkpoint::default();
        names.iter().for_each(|name| add(&mut checkpoint, name, &[1]));
        recognise(checkpoint).expect_err("refused").to_string()
    };
    let vit = checkpoint(&["cls_token", "patch_embed.proj.weight", "blocks.0.norm1.weight"]);
    assert!(vit.contains("looked for a ResNet") && vit.contains("blocks.0.norm1.weight, cls_token"), "{vit}");
    let cut = checkpoint(&["conv1.conv.weight", "conv5.conv.weight", "conv2.0.conv2.0.layers.0.conv1.weight"]);
    assert!(cut.contains("(torchreid OSNet) lacks conv2.0.conv3.conv.weight"), "{cut}");
    let deep = checkpoint(&["conv1.weight", "layer1.0.conv1.weight", "layer1.18446744073709551615.conv1.weight"]);
    assert!(deep.contains("ResNet-18, 34, 50 and 101 are"), "{deep}");
}

/// The metadata of a file of ours, changed.
fn ours(change: impl FnOnce(&mut Checkpoint, &mut String)) -> Result<Recognised, WeightsError> {
    let config = with(resnet(ResnetConfig::reid(18)), |config| config.head = Some(Head { num_classes: 5, bias: true }));
    let file = to_safetensors(&config, &tensors(&config), &BTreeMap::new(), Precision::F32).expect("writable");
    let mut checkpoint = Checkpoint::read(&file).expect("readable");
    let mut metadata = checkpoint.metadata.remove("webreid").expect("described");
    change(&mut checkpoint, &mut metadata);
    checkpoint.metadata.insert("webreid".into(), metadata);
    recognise(checkpoint)
}

#[test]
fn our_own_files_are_checked_like_any_other() {
    let found = ours(|c, _| drop(c.tensors.remove("head.bias"))).expect("usable without its head");
    assert_eq!(
        (found.config.head, found.missing, found.unexpected),
        (None, vec!["head.bias".into()], vec!["head.weight".into()])
    );

    let said = |change: fn(&mut Checkpoint, &mut String)| ours(change).expect_err("refused").to_string();
    let newer = said(|_, json| *json = json.replace("\"version\":1", "\"version\":3"));
    assert!(newer.contains("newer webreid (version 3"), "{newer}");
    let broken = said(|_, json| json.truncate(40));
    assert!(broken.contains("webreid file is damaged"), "{broken}");
    let depth = said(|_, json| *json = json.replace("\"depth\":18", "\"depth\":19"));
    assert!(depth.contains("no ResNet-19"), "{depth}");
    let width = said(|_, json| *json = json.replace("\"width\":4,", "\"width\":4611686018427387904,"));
    assert!(width.contains("the width of the ResNet is 4611686018427387904"), "{width}");
    let lacking = said(|c, _| drop(c.tensors.remove("bottleneck.bias")));
    assert!(lacking.contains("(webreid) lacks bottleneck.bias"), "{lacking}");
    let foreign = said(|c, _| add(c, "pool.p", &[1]));
    assert!(foreign.contains("pool.p"), "{foreign}");
}

#[test]
fn only_whole_models_are_written() {
    let config = ReIdentifierConfig::new(resnet(ResnetConfig::reid(18)), 5);
    let write = |change: fn(&mut Tensors)| {
        let mut tensors = tensors(&config);
        change(&mut tensors);
        to_safetensors(&config, &tensors, &BTreeMap::new(), Precision::F32).expect_err("refused").to_string()
    };
    assert!(write(|t| drop(t.remove("head.weight"))).contains("no tensor `head.weight`"));
    assert!(write(|t| drop(t.insert("x".into(), t["bottleneck.bias"].clone()))).contains("the network has no x"));
    assert!(write(|t| t.get_mut("head.weight").expect("there").values.clear()).contains("`head.weight`"));
}

#[test]
fn a_tensor_beyond_f16_stays_f32() {
    let config = ReIdentifierConfig::new(resnet(ResnetConfig::reid(18)), 5);
    let mut tensors = tensors(&config);
    tensors.get_mut("bottleneck.running_var").expect("there").values[0] = 1e6;
    let file = to_safetensors(&config, &tensors, &BTreeMap::new(), Precision::F16).expect("writable");
    assert!(recognise(Checkpoint::read(&file).expect("readable")).expect("ours").tensors == tensors);
}
