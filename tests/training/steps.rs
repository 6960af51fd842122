//! A small network, its batches, and three steps of it beside PyTorch's.

use webreid::model::{BackboneConfig, ReIdentifierConfig, ResnetConfig};
use webreid::training::{
    Batch, BatchError, BatchSource, ComputeDevice, Decay, Depth, Input, Objective, OptimizerConfig, Schedule, Step,
    Trainer, TrainerConfig,
};

use super::{Tensors, fixture, labels};
use crate::common::{devices, relative_error};

/// Of the largest change of a tensor. The changes are that much smaller than the weights themselves that PyTorch's own
/// f32 errs by up to 2.5e-4.
const TOLERANCE: f32 = 1e-3;
/// For the steps that the fixture stores as f16, which adds 5e-4.
const TOLERANCE_F16: f32 = 2e-3;

/// The fixture's model.
pub fn model() -> ReIdentifierConfig {
    let backbone = ResnetConfig { width: 2, ..ResnetConfig::reid(18) };
    let mut model = ReIdentifierConfig::new(BackboneConfig::Resnet(backbone), 7);
    (model.input.height, model.input.width) = (32, 16);
    model
}

/// The fixture's checkpoint.
pub fn weights(fixture: &Tensors) -> Tensors {
    let under = fixture.iter().filter_map(|(name, tensor)| Some((name.strip_prefix("weights/")?, tensor)));
    under.map(|(name, tensor)| (name.to_owned(), tensor.clone())).collect()
}

/// The fixture's batches, one a step.
pub fn batches(fixture: &Tensors) -> Vec<Batch> {
    let images = &fixture["images"];
    let shape = [images.shape[0], images.shape[1], images.shape[2], images.shape[3]];
    let people = labels(&fixture["people"]);
    let batch = |people: &[usize]| Batch {
        input: Input::Images { values: images.values.clone(), shape },
        people: people.to_vec(),
        teacher: None,
    };
    people.chunks(shape[0]).map(batch).collect()
}

/// The same batches in each epoch.
#[derive(Debug)]
pub struct Batches {
    pub batches: Vec<Batch>,
    pub next: usize,
    /// How many it says that it has.
    pub per_epoch: usize,
    /// The epochs that were begun, and where.
    pub begun: Vec<(usize, usize)>,
}

impl Batches {
    pub fn new(batches: Vec<Batch>) -> Self {
        Self { per_epoch: batches.len(), batches, next: 0, begun: Vec::new() }
    }
}

impl BatchSource for &mut Batches {
    fn next_batch(&mut self) -> Result<Option<Batch>, BatchError> {
        let batch = self.batches.get(self.next).cloned();
        self.next += 1;
        Ok(batch)
    }

    fn batches_per_epoch(&self) -> usize {
        self.per_epoch
    }

    fn start_epoch(&mut self, epoch: usize, skip_batches: usize) {
        self.next = skip_batches;
        self.begun.push((epoch, skip_batches));
    }
}

pub fn config(optimizer: OptimizerConfig, base_lr: f64) -> TrainerConfig {
    TrainerConfig {
        optimizer,
        schedule: Schedule { base_lr, warmup_epochs: 0.0, warmup_factor: 1.0, decay: Decay::Constant, epochs: 1.0 },
        rate: 0.1,
        objective: Objective::default(),
        depth: Depth::Full,
        ema: None,
        seed: 0,
    }
}

pub fn trainer<'a>(
    config: TrainerConfig,
    tensors: &Tensors,
    device: &ComputeDevice,
    source: &'a mut Batches,
) -> Trainer<&'a mut Batches> {
    Trainer::new(config, &model(), tensors, device, source).unwrap()
}

pub fn step(trainer: &mut Trainer<&mut Batches>) -> Step {
    pollster::block_on(trainer.next_step()).unwrap().expect("a step is left")
}

pub fn tensors(trainer: &Trainer<&mut Batches>) -> Tensors {
    pollster::block_on(trainer.tensors()).unwrap()
}

fn check(case: &str, optimizer: OptimizerConfig, learning_rate: f64) {
    let fixture = fixture("training");
    let start = weights(&fixture);
    for device in devices() {
        let mut source = Batches::new(batches(&fixture));
        let mut trainer = trainer(config(optimizer.clone(), learning_rate), &start, &device, &mut source);
        let mut worst = (0.0, String::new());
        for number in 1..=3 {
            let title = format!("{case}, step {number} on {}", device.name);
            let step = step(&mut trainer);
            let expected = fixture[&format!("{case}/loss")].values[number - 1];
            let error = (step.loss / expected - 1.0).abs();
            assert!(error < 1e-5, "{title}: the loss is {} instead of {expected}", step.loss);
            assert!((step.identity_loss + step.triplet_loss - step.loss).abs() < 1e-5 * expected, "{title}: {step:?}");

            let expected = &fixture[&format!("{case}/{number}")].values;
            let tolerance = if number == 3 { TOLERANCE } else { TOLERANCE_F16 };
            let mut from = 0;
            for (name, tensor) in tensors(&trainer) {
                let change: Vec<f32> = tensor.values.iter().zip(&start[&name].values).map(|(a, b)| a - b).collect();
                let error = relative_error(&change, &expected[from..][..change.len()]);
                assert!(error <= tolerance, "{title}: {name} is off by {error:e} of its largest change");
                if error > worst.0 && number == 3 {
                    worst = (error, name);
                }
                from += change.len();
            }
            assert_eq!(from, expected.len());
        }
        println!("{case} on {}: {:.1e} of the largest change, in {}", device.name, worst.0, worst.1);
        assert_eq!(pollster::block_on(trainer.next_step()).unwrap(), None);
    }
}

#[test]
fn three_adam_steps_are_pytorchs() {
    check("adam", OptimizerConfig::default(), 3.5e-3);
}

#[test]
fn three_sgd_steps_are_pytorchs() {
    check("sgd", OptimizerConfig::Sgd { momentum: 0.9, weight_decay: 0.01, nesterov: true }, 0.02);
}

#[test]
fn three_muon_steps_are_the_papers() {
    let muon = OptimizerConfig::Muon { momentum: 0.95, weight_decay: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
    check("muon", muon, 0.01);
}
