//! Checkpoints give the features that PyTorch gives, on the CPU and on WebGPU: a small one of our own
//! (`fixtures/make_reidentifier.py`), and published ones where they are at hand.

#![cfg(not(target_arch = "wasm32"))]

mod common;

use std::path::Path;

use common::{relative_error, shared};
use webreid::extract::{DeviceChoice, Extractor};
use webreid::image::{self, Rgba};
use webreid::weights::{Checkpoint, recognise};

/// of the largest value; rounding stays two orders below.
const TOLERANCE: f32 = 1e-4;

fn check(weights: &Path, reference: &Checkpoint, expected: &str, images: &[Rgba], choice: DeviceChoice) {
    let checkpoint = Checkpoint::read(&std::fs::read(weights).unwrap()).unwrap();
    let extractor = pollster::block_on(Extractor::open(&recognise(checkpoint).unwrap(), choice)).unwrap();
    let expected = &reference.tensors[expected].values;
    let input = reference.tensors["input"].values.clone();
    let from_tensor = pollster::block_on(extractor.embed(&input)).unwrap();
    let from_images = pollster::block_on(extractor.extract(images)).unwrap().concat();
    for (source, found) in [("the tensor", from_tensor), ("the files", from_images)] {
        let error = relative_error(&found, expected);
        println!("{}, {choice:?}, from {source}: {error:.1e} of the largest value", weights.display());
        assert!(error <= TOLERANCE, "{error} from {source}");
    }
}

fn check_all(choice: DeviceChoice) {
    let shared = shared();
    let weights = shared.join("weights");
    let path = weights.join("reference_features.safetensors");
    let reference = Checkpoint::read(&std::fs::read(path).unwrap()).unwrap();
    let images: Vec<Rgba> = reference.metadata["images"]
        .split(',')
        .map(|name| image::decode(&std::fs::read(shared.join("data/pku-reid").join(name)).unwrap()).unwrap())
        .collect();
    for (file, expected) in [
        ("osnet_x0_25_market1501.pth", "osnet_x0_25_market1501"),
        ("osnet_x0_25_msmt17_combineall.safetensors", "osnet_x0_25_msmt17_combineall"),
    ] {
        check(&weights.join(file), &reference, expected, &images, choice);
    }
}

fn check_small(choice: DeviceChoice) {
    let fixture = |name: &str| {
        let path = format!("{}/tests/fixtures/{name}.safetensors", env!("CARGO_MANIFEST_DIR"));
        Checkpoint::read(&std::fs::read(path).unwrap()).unwrap()
    };
    let mut model = recognise(fixture("tiny_osnet")).unwrap();
    let reference = fixture("osnet").tensors;
    let [_, _, height, width] = reference["input"].shape[..] else { panic!("images") };
    (model.config.input.height, model.config.input.width) = (height, width);
    let extractor = pollster::block_on(Extractor::open(&model, choice)).unwrap();
    let found = pollster::block_on(extractor.embed(&reference["input"].values)).unwrap();
    let error = relative_error(&found, &reference["expect/eval_embedding"].values);
    assert!(error <= TOLERANCE, "{error}");
}

#[test]
fn a_small_osnets_features_equal_the_reference_on_the_cpu() {
    check_small(DeviceChoice::Cpu);
}

#[cfg(feature = "webgpu")]
#[test]
fn a_small_osnets_features_equal_the_reference_on_webgpu() {
    check_small(DeviceChoice::Gpu);
}

#[test]
#[ignore = "needs ../shared"]
fn osnet_features_equal_the_reference_on_the_cpu() {
    check_all(DeviceChoice::Cpu);
}

#[cfg(feature = "webgpu")]
#[test]
#[ignore = "needs ../shared"]
fn osnet_features_equal_the_reference_on_webgpu() {
    check_all(DeviceChoice::Gpu);
}
