//! Networks of other projects, under their names, give what their own steps give: `fixtures/make_dialects.py`.
#![cfg(not(target_arch = "wasm32"))]

mod common;

use std::collections::BTreeMap;

use common::relative_error;
use pollster::block_on;
use serde::Deserialize;
use webreid::extract::{DeviceChoice, Extractor};
use webreid::graph::frozen::{CpuRunner, Frozen};
use webreid::image::Rgba;
use webreid::kernels::frozen::preprocess::Filter;
use webreid::model::{InputConfig, ReIdentifierConfig};
use webreid::weights::{
    Checkpoint, Dialect, Precision, Recognised, Tensor, read_onnx, recognise, to_onnx, to_safetensors,
};

/// Of the largest value; the expectations are f64.
const TOLERANCE: f32 = 1e-5;
const IMAGES: [usize; 4] = [2, 3, 64, 32];

#[derive(Deserialize)]
struct Expected {
    tensors: BTreeMap<String, Vec<usize>>,
    features: Vec<f32>,
    /// Of a photo as the project's own test resizes it.
    photo: Vec<f32>,
}

fn expectations() -> BTreeMap<String, Expected> {
    serde_json::from_str(include_str!("fixtures/dialects.json")).unwrap()
}

/// As in the script: numbers between -1 and 1 in steps of 2^-15.
fn numbers(tensor: u32, count: usize) -> impl Iterator<Item = f32> {
    (0..count as u32).map(move |index| {
        let mut x = index.wrapping_mul(0x9E37_79B1).wrapping_add(tensor.wrapping_mul(0x85EB_CA6B));
        x ^= x >> 15;
        x = x.wrapping_mul(0x2C1B_3C6D);
        x ^= x >> 12;
        x = x.wrapping_mul(0x297A_2D39);
        x ^= x >> 15;
        (x >> 16) as f32 / 32768.0 - 1.0
    })
}

fn tensor(index: usize, name: &str, shape: &[usize]) -> Tensor {
    let numbers = numbers(index as u32 + 1, shape.iter().product());
    let values = match name.rsplit('.').next().unwrap() {
        "p" => numbers.map(|_| 2.5).collect(),
        "weight" if shape.len() == 1 => numbers.map(|x| 1.0 + x / 2.0).collect(),
        "running_var" => numbers.map(|x| 1.0 + x / 2.0).collect(),
        "running_mean" | "bias" => numbers.map(|x| x / 4.0).collect(),
        _ => {
            let inputs: usize = shape[1..].iter().product();
            let scale = (6.0 / inputs as f64).sqrt().log2().round().exp2() as f32;
            numbers.map(|x| x * scale).collect()
        }
    };
    Tensor { shape: shape.to_vec(), values }
}

fn read(name: &str, expected: &Expected) -> Recognised {
    let tensors = expected.tensors.iter().enumerate();
    let tensors = tensors.map(|(index, (name, shape))| (name.clone(), tensor(index, name, shape))).collect();
    recognise(Checkpoint { tensors, ..Checkpoint::default() }).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn every_project_gets_its_own_features() {
    let images: Vec<f32> = numbers(0, IMAGES.iter().product()).collect();
    for (name, expected) in expectations() {
        let Recognised { config, tensors, .. } = read(&name, &expected);
        let graph = config.graph().unwrap();
        let frozen = Frozen::new(&graph, &[graph.embedding], &tensors, IMAGES[2], IMAGES[3]).unwrap();
        let error = relative_error(&CpuRunner::new(&frozen).run(&images)[0], &expected.features);
        println!("{name}: {error:.1e} of the largest value");
        assert!(error <= TOLERANCE, "{name}: {error:e}");
    }
}

#[test]
fn every_project_sees_a_photo_as_its_own_test_does() {
    let (width, height) = (300, 400);
    let bytes: Vec<u8> = numbers(999, 3 * width * height).map(|x| ((x + 1.0) * 128.0) as u8).collect();
    let pixels = bytes.chunks_exact(3).flat_map(|rgb| [rgb[0], rgb[1], rgb[2], 255]).collect();
    let photo = Rgba { width: width as u32, height: height as u32, pixels };
    for (name, expected) in expectations() {
        let found = read(&name, &expected);
        let extractor = block_on(Extractor::open(&found, DeviceChoice::Cpu)).unwrap();
        let (_, embedding) = block_on(extractor.features(std::slice::from_ref(&photo))).unwrap();
        let error = relative_error(&embedding, &expected.photo);
        println!("{name}: {error:.1e} of the largest value");
        // OpenCV rounds its bytes elsewhere, and of noise every byte counts.
        let tolerance = if found.config.input.filter == Filter::Linear { 5e-3 } else { TOLERANCE };
        assert!(error <= tolerance, "{name}: {error:e}");
    }
}

#[test]
fn every_project_is_named_with_what_is_assumed_and_left_out() {
    use Dialect::*;
    let expected = [
        ("AGW", BagOfTricks, 0, ""),
        (
            "AlignedReID",
            AlignedReid,
            2,
            "local_bn.bias local_bn.running_mean local_bn.running_var local_bn.weight \
          local_conv.bias local_conv.weight",
        ),
        ("Cluster Contrast", ClusterContrast, 0, ""),
        ("MMT", ClusterContrast, 0, ""),
        (
            "MMTracking",
            MmTracking,
            0,
            "head.bn.bias head.bn.running_mean head.bn.running_var head.bn.weight \
          head.classifier.bias head.classifier.weight",
        ),
        ("OSNet-AIN", TorchreidOsnet, 0, ""),
        ("centroids-reid", Centroids, 0, "center_loss.centers"),
        ("fast-reid bnneck", FastReid, 1, ""),
        ("fast-reid bnneck gem", FastReid, 0, ""),
        ("fast-reid embedding", FastReid, 0, ""),
        ("fast-reid reduction", FastReid, 1, ""),
        ("ft_net", Layumi, 2, "model.fc.bias model.fc.weight"),
        ("open-reid", OpenReid, 1, "base.fc.bias base.fc.weight"),
        ("open-reid OIM", OpenReid, 0, "base.fc.bias base.fc.weight"),
        ("open-reid triplets", OpenReid, 1, "base.fc.bias base.fc.weight"),
        ("torchvision", TorchreidResnet, 0, "net.fc.bias net.fc.weight"),
    ];
    let found = expectations();
    assert_eq!(found.len(), expected.len());
    for ((name, file), (expected_name, dialect, assumed, left_out)) in found.iter().zip(expected) {
        let found = read(name, file);
        assert_eq!(name, expected_name);
        assert_eq!((found.dialect, found.assumed.len()), (dialect, assumed), "{name}: {:?}", found.assumed);
        assert_eq!(found.unexpected.join(" "), left_out, "{name}");
        let filter = match dialect {
            ClusterContrast | FastReid | Layumi => Filter::Bicubic,
            AlignedReid | MmTracking => Filter::Linear,
            _ => Filter::Bilinear,
        };
        assert_eq!(found.config.input, InputConfig { filter, ..InputConfig::default() }, "{name}");
        let told = found.words().len();
        assert_eq!(told, assumed + usize::from(!left_out.is_empty()), "{name}: {:?}", found.words());
    }
}

#[test]
fn every_network_is_written_in_our_form_and_as_onnx_and_read_again() {
    for (name, expected) in expectations() {
        let Recognised { mut config, mut tensors, provenance, .. } = read(&name, &expected);
        let file = to_safetensors(&config, &tensors, &provenance, Precision::F32).unwrap();
        let ours = recognise(Checkpoint::read(&file).unwrap()).unwrap();
        assert_eq!((&ours.config, ours.dialect), (&config, Dialect::Webreid), "{name}");
        assert!(ours.tensors == tensors, "{name}");

        config.head = None;
        tensors.retain(|name, _| !name.starts_with("head."));
        let again = read_onnx(&to_onnx(&config, &tensors).unwrap()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let nodes = |config: &ReIdentifierConfig| config.graph().unwrap().nodes.len();
        assert_eq!(nodes(&again.config), nodes(&config), "{name}");
    }
}
