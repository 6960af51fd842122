//! The optimisers on a linear classifier.

use webreid::graph::{Builder, Role};
use webreid::model::ReIdentifierGraph;
use webreid::training::loss::label_smooth_cross_entropy;
use webreid::training::{ComputeDevice, Mode, Network, Optimizer, OptimizerConfig};

use super::{Tensors, fixture, labels, upload};
use crate::common::{devices, relative_error};

/// Of the largest weight; PyTorch's own f32 errs by up to 8e-8.
const TOLERANCE: f32 = 2e-7;

/// `linear(feature)`, which takes the feature as it is.
fn linear() -> ReIdentifierGraph {
    let (mut b, image) = Builder::new(16);
    let feature = b.global_average_pool(image);
    b.role = Role::Head;
    let logits = b.linear("linear", feature, 5, true);
    ReIdentifierGraph::new(b, feature, feature, Some(logits))
}

struct Classifier {
    network: Network,
    optimizer: Optimizer,
    device: ComputeDevice,
}

impl Classifier {
    fn new(config: &OptimizerConfig, tensors: &Tensors, device: &ComputeDevice) -> Self {
        let network = Network::new(linear(), tensors, &device.device.clone().autodiff()).unwrap();
        let optimizer = Optimizer::new(config, &network, &device.device);
        Self { network, optimizer, device: device.clone() }
    }

    fn step(&mut self, fixture: &Tensors, learning_rate: f64) -> Tensors {
        let features = upload(&fixture["features"], &self.device.device.clone().autodiff());
        let logits = self.network.forward_feature(features, Mode::Train).unwrap().logits.unwrap();
        let loss = label_smooth_cross_entropy(logits, &labels(&fixture["labels"]), 0.0);
        self.optimizer.step(&mut self.network, &mut loss.backward(), |_| learning_rate);
        pollster::block_on(self.network.tensors()).unwrap()
    }
}

fn check(case: &str, config: OptimizerConfig, learning_rate: f64) {
    let fixture = fixture("losses");
    for device in devices() {
        let mut classifier = Classifier::new(&config, &fixture, &device);
        let mut worst = 0.0f32;
        for step in 1..=3 {
            let tensors = classifier.step(&fixture, learning_rate);
            for part in ["weight", "bias"] {
                let expected = &fixture[&format!("{case}/{step}/{part}")].values;
                let error = relative_error(&tensors[&format!("linear.{part}")].values, expected);
                assert!(error <= TOLERANCE, "{case} on {}: {part} is off by {error:e} after step {step}", device.name);
                worst = worst.max(error);
            }
        }
        println!("{case} on {}: {worst:.1e} of the largest weight", device.name);
    }
}

#[test]
fn adam_is_pytorchs() {
    check("adam", OptimizerConfig::default(), 3.5e-4);
}

#[test]
fn adams_weight_decay_is_l2_as_pytorchs() {
    let config = OptimizerConfig::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.1 };
    check("adam_strong", config, 0.01);
}

#[test]
fn sgd_is_pytorchs() {
    check("sgd", OptimizerConfig::Sgd { momentum: 0.9, weight_decay: 0.01, nesterov: false }, 0.1);
}

#[test]
fn an_optimiser_goes_on_from_its_state() {
    let fixture = fixture("losses");
    let sgd = OptimizerConfig::Sgd { momentum: 0.9, weight_decay: 0.01, nesterov: true };
    for (config, names) in [
        (OptimizerConfig::default(), vec!["m/linear.bias", "m/linear.weight", "v/linear.bias", "v/linear.weight"]),
        (sgd, vec!["momentum/linear.bias", "momentum/linear.weight"]),
        (OptimizerConfig::Sgd { momentum: 0.0, weight_decay: 0.0, nesterov: false }, vec![]),
    ] {
        for device in devices() {
            let mut straight = Classifier::new(&config, &fixture, &device);
            straight.step(&fixture, 0.1);
            let between = straight.step(&fixture, 0.1);
            let state = pollster::block_on(straight.optimizer.state()).unwrap();
            assert_eq!(state.keys().collect::<Vec<_>>(), names);
            let mut resumed = Classifier::new(&config, &between, &device);
            resumed.optimizer.restore(2, &state).unwrap();
            assert_eq!(resumed.step(&fixture, 0.1), straight.step(&fixture, 0.1), "{config:?} on {}", device.name);
        }
    }
}
