//! The trainable network gives what PyTorch gives: features, logits, gradients and running statistics, on the CPU and on
//! WebGPU. The expectations are those of `fixtures/make_reidentifier.py`.
#![cfg(all(feature = "train", not(target_arch = "wasm32")))]

mod common;

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData, activation};
use common::relative_error;
use webreid::model::{BackboneConfig, Bottleneck, Ibn, Pooling, ReIdentifierConfig, ReIdentifierGraph, ResnetConfig};
use webreid::training::{ComputeDevice, Mode, Network, Outputs};
use webreid::weights::{self, Checkpoint, recognise};

/// Of the largest value. PyTorch's own f32 is up to 1e-5 from these expectations, which are f64.
const TOLERANCE: f32 = 1e-4;
/// As in the script.
const IDENTITIES: usize = 7;

type Tensors = BTreeMap<String, weights::Tensor>;

fn fixture(name: &str) -> Checkpoint {
    let path = format!("{}/tests/fixtures/{name}.safetensors", env!("CARGO_MANIFEST_DIR"));
    Checkpoint::read(&std::fs::read(path).unwrap()).unwrap()
}

/// The tensors whose names begin so, without that beginning.
fn under(tensors: &Tensors, prefix: &str) -> Tensors {
    let found =
        tensors.iter().filter_map(|(name, tensor)| Some((name.strip_prefix(prefix)?.to_owned(), tensor.clone())));
    found.collect()
}

fn upload<const D: usize>(tensor: &weights::Tensor, device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(tensor.values.clone(), tensor.shape.clone()), device)
}

fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// Collects what was found beside what the fixture expects; every expectation must be asked for.
struct Comparison {
    title: String,
    expected: Tensors,
    worst: (f32, String),
}

impl Comparison {
    fn check(&mut self, name: &str, found: &[f32]) {
        let expected = self.expected.remove(name).unwrap_or_else(|| panic!("the fixture expects no {name}"));
        let error = relative_error(found, &expected.values);
        assert!(error <= TOLERANCE, "{}: {name} is off by {error:e} of its largest value", self.title);
        if error > self.worst.0 {
            self.worst = (error, name.to_owned());
        }
    }
}

/// Holds one network to one fixture. `prefix` stands before the network's names where the fixture has the checkpoint's.
fn check(
    title: &str,
    device: &ComputeDevice,
    graph: ReIdentifierGraph,
    tensors: &Tensors,
    fixture: &Tensors,
    prefix: &str,
    loss: impl Fn(&Outputs) -> Tensor<1>,
) {
    let training = device.device.clone().autodiff();
    let title = format!("{title} on {}", device.name);
    let mut comparison = Comparison { title, expected: under(fixture, "expect/"), worst: (0.0, String::new()) };
    let network = Network::new(graph, tensors, &training).unwrap();
    let input = || upload::<4>(&fixture["input"], &training);

    comparison.check("eval_embedding", &read(network.forward(input(), Mode::Evaluate).unwrap().embedding));
    for (name, tensor) in pollster::block_on(network.tensors()).unwrap() {
        assert_eq!(tensor.values, tensors[&name].values, "evaluation changed {name}");
    }

    let outputs = network.forward(input(), Mode::Train).unwrap();
    comparison.check("train_feature", &read(outputs.feature.clone()));
    if let Some(logits) = &outputs.logits {
        comparison.check("train_logits", &read(logits.clone()));
    }
    let loss = loss(&outputs);
    comparison.check("loss", &read(loss.clone()));
    let mut gradients = loss.backward();
    for name in under(&comparison.expected, "gradient/").into_keys() {
        let found = network.take_gradient(&format!("{prefix}{name}"), &mut gradients).map(read);
        comparison.check(&format!("gradient/{name}"), &found.unwrap_or_else(|| panic!("{name} has no gradient")));
    }
    for name in ["bottleneck.bias", "bottleneck.1.bias"] {
        assert!(network.take_gradient(name, &mut gradients).is_none(), "{name} is never trained");
    }
    let trained = pollster::block_on(network.tensors()).unwrap();
    for name in under(&comparison.expected, "running/").into_keys() {
        comparison.check(&format!("running/{name}"), &trained[&format!("{prefix}{name}")].values);
    }
    let unasked: Vec<_> = comparison.expected.into_keys().collect();
    assert!(unasked.is_empty(), "nothing was held to {unasked:?}");
    let (worst, name) = comparison.worst;
    println!("{}: {worst:.1e} of the largest value, in {name}", comparison.title);
}

/// Cross-entropy of the logits plus 0.01 · mean(f²).
fn identity_loss(outputs: &Outputs, labels: &[f32]) -> Tensor<1> {
    let logits = outputs.logits.clone().unwrap();
    let is_target = |i: usize, label: f32| if label == i as f32 { 1.0 } else { 0.0 };
    let targets =
        labels.iter().flat_map(|&label| (0..IDENTITIES).map(move |i| is_target(i, label))).collect::<Vec<f32>>();
    let targets = Tensor::<2>::from_data(TensorData::new(targets, [labels.len(), IDENTITIES]), &logits.device());
    let entropy = (targets * activation::log_softmax(logits, 1)).sum().neg() / labels.len() as f64;
    entropy + outputs.feature.clone().powi_scalar(2).mean() * 0.01
}

fn check_reidentifier(name: &str, backbone: ResnetConfig, adapt: impl Fn(&mut ReIdentifierConfig)) {
    let backbone = BackboneConfig::Resnet(ResnetConfig { width: 4, ..backbone });
    let mut config = ReIdentifierConfig::new(backbone, IDENTITIES);
    adapt(&mut config);
    let fixture = fixture(name).tensors;
    for device in common::devices() {
        let loss = |outputs: &Outputs| identity_loss(outputs, &fixture["labels"].values);
        check(name, &device, config.graph().unwrap(), &under(&fixture, "weights/"), &fixture, "", loss);
    }
}

#[test]
fn resnet50_is_pytorchs() {
    check_reidentifier("reidentifier_resnet50", ResnetConfig::reid(50), |_| {});
}

#[test]
fn resnet18_ibn_a_with_a_bottleneck_is_pytorchs() {
    check_reidentifier("reidentifier_ibn_a", ResnetConfig::ibn(18, Ibn::A), |config| {
        config.bottleneck = Some(Bottleneck::linear(16, true));
    });
}

#[test]
fn resnet18_ibn_b_with_gem_pooling_is_pytorchs() {
    check_reidentifier("reidentifier_ibn_b", ResnetConfig::ibn(18, Ibn::B), |config| {
        config.pooling = Pooling::Gem;
    });
}

#[test]
fn osnet_is_pytorchs() {
    let model = recognise(fixture("tiny_osnet")).unwrap();
    let fixture = fixture("osnet").tensors;
    for device in common::devices() {
        let loss = |outputs: &Outputs| {
            let feature = outputs.feature.clone();
            (feature.clone() * upload(&fixture["probe"], &feature.device())).mean()
        };
        check("osnet", &device, model.config.graph().unwrap(), &model.tensors, &fixture, "backbone.", loss);
    }
}
