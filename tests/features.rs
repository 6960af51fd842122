//! Checkpoints give the features that PyTorch gives, on the CPU and on WebGPU: a small one of our own
//! (`fixtures/make_reidentifier.py`), and published ones where they are at hand.

#![cfg(not(target_arch = "wasm32"))]

mod common;

use std::path::Path;

use common::{relative_error, shared};
use webreid::extract::{DeviceChoice, Extractor};
use webreid::image::{self, Rgba};
use webreid::kernels::frozen::preprocess::Frame;
use webreid::step::Fit;
use webreid::weights::{Checkpoint, Recognised, recognise};

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

/// A network that takes pictures in a letterbox gives what the same network gives for pictures that were put in one before.
#[test]
fn a_picture_keeps_its_proportions_where_the_network_wants_it() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tiny_osnet.safetensors");
    let mut model = recognise(Checkpoint::read(&std::fs::read(file).unwrap()).unwrap()).unwrap();
    (model.config.input.height, model.config.input.width) = (64, 32);
    let open = |model: &Recognised| pollster::block_on(Extractor::open(model, DeviceChoice::Cpu)).unwrap();
    let stretching = open(&model);
    model.config.input.fit = Fit::Letterbox { colour: [200, 100, 50] };
    let boxing = open(&model);
    let extract = |extractor: &Extractor, image: &Rgba| {
        pollster::block_on(extractor.extract(std::slice::from_ref(image))).unwrap().remove(0)
    };
    let pixels = (0..4 * 90 * 90).map(|at: u32| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let photo = Rgba { width: 90, height: 90, pixels };
    // In the middle of 64 rows of 32 pixels, under 16 rows of the colour.
    let planes = image::fit(&photo, &Frame::bilinear(32, 32)).unwrap();
    let mut padded = Rgba { width: 32, height: 64, pixels: [200, 100, 50, 255].repeat(64 * 32) };
    for (at, pixel) in padded.pixels.chunks_exact_mut(4).skip(16 * 32).take(32 * 32).enumerate() {
        (0..3).for_each(|channel| pixel[channel] = planes[channel * 32 * 32 + at]);
    }
    let expected = extract(&stretching, &padded);
    assert_eq!(extract(&boxing, &photo), expected);
    // At the network's size already, nothing is left to do.
    assert_eq!(boxing.fitted(&photo).unwrap(), padded);
    assert_eq!(extract(&boxing, &padded), expected);
    assert!(relative_error(&extract(&stretching, &photo), &expected) > 1e-2);
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
