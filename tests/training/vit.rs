//! Three fine-tuning steps of a vision transformer, at each depth, beside PyTorch's (`fixtures/make_vit_training.py`).

use webreid::model::{BackboneConfig, ReIdentifierConfig, VitConfig};
use webreid::training::{Depth, Objective, OptimizerConfig, Trainer, TrainerConfig};

use super::steps::{self, Batches};
use super::{Tensors, fixture};
use crate::common::{devices, relative_error};

/// Of a tensor's largest value.
const TOLERANCE: f32 = 1e-4;
/// Of a tensor's change, as root mean squares; PyTorch's own f32 errs by 2.6e-4.
const CHANGE_TOLERANCE: f64 = 2e-3;

fn model() -> ReIdentifierConfig {
    let backbone = VitConfig { patch: 8, stride: 8, channels: 32, blocks: 3, heads: 4, hidden: 64 };
    let mut model = ReIdentifierConfig::new(BackboneConfig::Vit(backbone), 7);
    (model.input.height, model.input.width) = (32, 16);
    model
}

/// What two sets of values differ by, as a part of the second.
fn deviation(found: &[f32], expected: &[f32]) -> f64 {
    let squares = |values: &mut dyn Iterator<Item = f32>| values.map(|value| f64::from(value).powi(2)).sum::<f64>();
    let errors = squares(&mut found.iter().zip(expected).map(|(a, b)| a - b));
    (errors / squares(&mut expected.iter().copied())).sqrt()
}

fn check(name: &str, depth: Depth, objective: Objective) {
    let fixture = fixture("vit_training");
    let start = steps::weights(&fixture);
    let expected: Tensors = fixture
        .iter()
        .filter_map(|(key, tensor)| Some((key.strip_prefix(name)?.strip_prefix('/')?.to_owned(), tensor.clone())))
        .collect();
    let config = TrainerConfig { depth, objective, rate: 0.1, ..steps::config(OptimizerConfig::default(), 1e-3) };
    for device in devices() {
        let mut source = Batches::new(steps::batches(&fixture));
        let mut trainer = Trainer::new(config.clone(), &model(), &start, &device, &mut source).unwrap();
        for (number, loss) in expected["loss"].values.iter().enumerate() {
            let found = steps::step(&mut trainer).loss;
            let error = (found / loss - 1.0).abs();
            assert!(error < 1e-5, "{name} on {}, step {number}: the loss is {found} instead of {loss}", device.name);
        }
        let (mut worst, mut moved) = ([0.0_f64; 2], 0);
        for (tensor, found) in steps::tensors(&trainer) {
            let title = format!("{name} on {}: {tensor}", device.name);
            let before = &start[&tensor].values;
            let Some(change) = expected.get(&tensor) else {
                assert_eq!(&found.values, before, "{title} moved");
                continue;
            };
            moved += 1;
            let after: Vec<f32> = before.iter().zip(&change.values).map(|(before, change)| before + change).collect();
            let error = relative_error(&found.values, &after);
            assert!(error <= TOLERANCE, "{title} is off by {error:e} of its largest value");
            let changed: Vec<f32> = found.values.iter().zip(before).map(|(found, before)| found - before).collect();
            let off = deviation(&changed, &change.values);
            assert!(off <= CHANGE_TOLERANCE, "{title} is off by {off:e} of its change");
            worst = [worst[0].max(f64::from(error)), worst[1].max(off)];
        }
        assert_eq!(moved, expected.len() - 1);
        println!("{name} on {}: {:.1e} of the largest value, {:.1e} of the change", device.name, worst[0], worst[1]);
    }
}

#[test]
fn three_quick_steps_are_pytorchs() {
    check("quick", Depth::Quick, Objective { triplet: None, ..Objective::default() });
}

#[test]
fn three_deeper_steps_are_pytorchs() {
    check("deeper", Depth::Deeper, Objective::default());
}

#[test]
fn three_full_steps_are_pytorchs() {
    check("full", Depth::Full, Objective::default());
}
