//! The frozen form gives what PyTorch and the published files' own runtimes give, and what it takes is planned.

#![cfg(not(target_arch = "wasm32"))]

mod common;

use std::collections::BTreeMap;

use common::{relative_error, shared};
use webreid::graph::frozen::{Buffers, CpuRunner, Frozen};
use webreid::model::{BackboneConfig, Bottleneck, ChannelOrder, Ibn, Pooling, ReIdentifierConfig, ResnetConfig};
use webreid::weights::{Checkpoint, Recognised, Tensor, initial_tensors, read_openvino, recognise};

/// Of the largest value; rounding stays well below.
const TOLERANCE: f32 = 1e-4;

type Tensors = BTreeMap<String, Tensor>;

fn read(path: impl AsRef<std::path::Path>) -> Checkpoint {
    Checkpoint::read(&std::fs::read(path).unwrap()).unwrap()
}

fn fixture(name: &str) -> Tensors {
    read(format!("{}/tests/fixtures/{name}.safetensors", env!("CARGO_MANIFEST_DIR"))).tensors
}

fn freeze(config: &ReIdentifierConfig, tensors: &Tensors, height: usize, width: usize) -> Frozen {
    let graph = config.graph().unwrap();
    Frozen::new(&graph, &[graph.embedding], tensors, height, width).unwrap()
}

fn check(title: &str, config: &ReIdentifierConfig, tensors: &Tensors, input: &Tensor, expected: &[f32]) {
    let [_, _, height, width] = input.shape[..] else { panic!("images") };
    let frozen = freeze(config, tensors, height, width);
    let runner = CpuRunner::new(&frozen);
    let error = relative_error(&runner.run(&input.values)[0], expected);
    println!("{title}: {error:.1e} of the largest value, {} steps", frozen.steps.len());
    assert!(error <= TOLERANCE, "{title}: {error:e}");
}

fn check_fixture(name: &str, backbone: ResnetConfig, adapt: impl Fn(&mut ReIdentifierConfig)) {
    let backbone = BackboneConfig::Resnet(ResnetConfig { width: 4, ..backbone });
    let mut config = ReIdentifierConfig::new(backbone, 7);
    adapt(&mut config);
    let fixture = fixture(name);
    let weights = fixture.iter().filter_map(|(name, t)| Some((name.strip_prefix("weights/")?.to_owned(), t.clone())));
    check(name, &config, &weights.collect(), &fixture["input"], &fixture["expect/eval_embedding"].values);
}

#[test]
fn resnets_are_pytorchs() {
    check_fixture("reidentifier_resnet50", ResnetConfig::reid(50), |_| {});
    check_fixture("reidentifier_ibn_a", ResnetConfig::ibn(18, Ibn::A), |config| {
        config.bottleneck = Some(Bottleneck::linear(16, true));
    });
    check_fixture("reidentifier_ibn_b", ResnetConfig::ibn(18, Ibn::B), |config| config.pooling = Pooling::Gem);
}

#[test]
fn osnet_is_pytorchs() {
    let model = recognise(read(format!("{}/tests/fixtures/tiny_osnet.safetensors", env!("CARGO_MANIFEST_DIR"))));
    let model = model.unwrap();
    let fixture = fixture("osnet");
    check("osnet", &model.config, &model.tensors, &fixture["input"], &fixture["expect/eval_embedding"].values);
}

#[test]
#[ignore = "needs ../shared"]
fn published_weights_give_the_reference_features() {
    let shared = shared();
    let weights = shared.join("weights");
    let reference = read(weights.join("reference_features.safetensors")).tensors;
    for name in ["osnet_x0_25_market1501.pth", "osnet_x0_25_msmt17_combineall.safetensors"] {
        let Recognised { config, tensors, .. } = recognise(read(weights.join(name))).unwrap();
        let stem = name.split('.').next().unwrap();
        check(name, &config, &tensors, &reference["input"], &reference[stem].values);
    }
    for number in ["0287", "0288"] {
        let name = format!("person-reidentification-retail-{number}");
        let file = |extension: &str| std::fs::read(weights.join(&name).join(format!("{name}.{extension}"))).unwrap();
        let Recognised { config, tensors, .. } = read_openvino(&file("xml"), &file("bin")).unwrap();
        let mut input = reference["rgb_0_255"].clone();
        let [_, _, height, width] = input.shape[..] else { panic!("images") };
        for image in input.values.chunks_exact_mut(3 * height * width) {
            let (red, rest) = image.split_at_mut(height * width);
            if config.input.order == ChannelOrder::Bgr {
                red.swap_with_slice(&mut rest[height * width..]);
            }
            for (channel, plane) in image.chunks_exact_mut(height * width).enumerate() {
                let (mean, std) = (config.input.mean[channel], config.input.std[channel]);
                plane.iter_mut().for_each(|value| *value = (*value / 255.0 - mean) / std);
            }
        }
        check(&name, &config, &tensors, &input, &reference[&format!("retail_{number}")].values);
    }
}

/// One image is cut into bands, as uneven as three threads make them; of four each is done by one thread.
#[test]
fn an_image_alone_is_what_it_is_among_others() {
    let threads = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    for (name, height, width) in [("osnet_x0_25", 256, 128), ("reid_resnet18", 130, 66)] {
        let config = webreid::model::preset(name, 0).unwrap();
        let frozen = freeze(&config, &initial_tensors(&config, 1).unwrap(), height, width);
        let runner = CpuRunner::new(&frozen);
        let images: Vec<f32> = (0..4 * 3 * height * width).map(|i| (i as f32).sin()).collect();
        let among = threads.install(|| runner.run(&images)).remove(0);
        let alone = threads.install(|| runner.run(&images[..3 * height * width])).remove(0);
        assert!(among.iter().all(|value| value.is_finite()) && alone.iter().any(|value| *value != 0.0), "{name}");
        assert_eq!(alone, among[..alone.len()], "{name}");
    }
}

#[test]
fn steps_are_few_and_memory_is_shared() {
    let steps = |name: &str| {
        let config = webreid::model::preset(name, 0).unwrap();
        let graph = config.graph().unwrap();
        let tensor = |p: webreid::graph::Parameter| {
            let values = vec![0.5; p.shape.iter().product()];
            (p.name, Tensor { shape: p.shape, values })
        };
        let tensors = graph.parameters().into_iter().map(tensor).collect();
        let frozen = Frozen::new(&graph, &[graph.embedding], &tensors, 256, 128).unwrap();
        let size = |value: usize| frozen.values[value].area() * frozen.values[value].channels;
        let buffers = Buffers::plan(&frozen, size);
        // No step reads the buffer that it writes.
        for step in &frozen.steps {
            assert!(step.inputs.iter().all(|&input| buffers.of[input] != buffers.of[step.output]));
        }
        let all: usize = (0..frozen.values.len()).map(size).sum();
        let kept: usize = buffers.sizes.iter().sum();
        println!("{name}: {} steps, {kept} of {all} values kept", frozen.steps.len());
        (frozen.steps.len(), all / kept)
    };
    let (osnet, shared) = steps("osnet_x0_25");
    assert!(osnet <= 170 && shared >= 3, "{osnet} {shared}");
    let (resnet, shared) = steps("reid_resnet50");
    assert!(resnet <= 60 && shared >= 5, "{resnet} {shared}");
}
