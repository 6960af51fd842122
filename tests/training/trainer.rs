//! What moves and how fast, averages, and what a trainer refuses.

use std::collections::BTreeSet;

use webreid::graph::Role;
use webreid::model::{BackboneConfig, OsnetConfig, ReIdentifierConfig};
use webreid::training::{
    Batch, BatchError, BatchSource, ComputeDevice, Depth, Distillation, Input, Mode, Network, Objective,
    OptimizerConfig, TrainError, Trainer, Triplet,
};
use webreid::weights::initial_tensors;

use super::steps::{Batches, batches, config, model, step, tensors, trainer, weights};
use super::{Tensors, fixture, read, upload};
use crate::common::{devices, relative_error};

const PLAIN_SGD: OptimizerConfig = OptimizerConfig::Sgd { momentum: 0.0, weight_decay: 0.0, nesterov: false };

fn values<'a>(tensors: &'a Tensors, name: &str) -> &'a [f32] {
    &tensors[name].values
}

fn changed(before: &Tensors, after: &Tensors) -> BTreeSet<String> {
    let other = before.iter().filter(|(name, tensor)| after[*name] != **tensor);
    other.map(|(name, _)| name.clone()).collect()
}

#[test]
fn each_group_moves_at_its_rate() {
    let fixture = fixture("training");
    let start = weights(&fixture);
    let roles: Vec<(String, Role)> =
        model().graph().unwrap().parameters().into_iter().map(|parameter| (parameter.name, parameter.role)).collect();
    for device in devices() {
        let after = |rate: f64, finetune: bool| {
            let mut source = Batches::new(batches(&fixture));
            let mut config = config(PLAIN_SGD, 0.05);
            config.rate = rate;
            let model = ReIdentifierConfig { finetune, ..model() };
            let mut trainer = Trainer::new(config, &model, &start, &device, &mut source).unwrap();
            step(&mut trainer);
            tensors(&trainer)
        };
        let (whole, tenth, no_finetune) = (after(1.0, true), after(0.1, true), after(0.1, false));
        for (name, role) in &roles {
            let change = |after: &Tensors| -> Vec<f32> {
                values(after, name).iter().zip(values(&start, name)).map(|(a, b)| a - b).collect()
            };
            let factor = if *role == Role::Backbone && !name.contains("running") { 0.1 } else { 1.0 };
            let expected: Vec<f32> = change(&whole).iter().map(|change| change * factor).collect();
            let error = relative_error(&change(&tenth), &expected);
            assert!(error < 1e-3, "{name} on {}: off by {error:e} of its change", device.name);
            assert!(relative_error(&change(&no_finetune), &change(&whole)) < 1e-3, "{name}");
            assert_eq!(change(&whole).iter().all(|&change| change == 0.0), name == "bottleneck.bias", "{name}");
        }
    }
}

#[test]
fn what_is_frozen_does_not_move() {
    let fixture = fixture("training");
    let start = weights(&fixture);
    for device in devices() {
        for (depth, moving) in [
            (Depth::Quick, ["bottleneck.", "head."].as_slice()),
            (Depth::Deeper, &["backbone.layer4.", "bottleneck.", "head."]),
            (Depth::Full, &["backbone.", "bottleneck.", "head."]),
        ] {
            let mut source = Batches::new(batches(&fixture));
            let mut config = config(OptimizerConfig::default(), 0.01);
            config.depth = depth;
            config.ema = Some(0.9);
            let mut trainer = trainer(config, &start, &device, &mut source);
            step(&mut trainer);
            step(&mut trainer);
            let moves = |name: &&String| {
                name.as_str() != "bottleneck.bias" && moving.iter().any(|prefix| name.starts_with(prefix))
            };
            let expected: BTreeSet<String> = start.keys().filter(moves).cloned().collect();
            assert_eq!(changed(&start, &tensors(&trainer)), expected, "{depth:?} on {}", device.name);
            let averaged = pollster::block_on(trainer.averaged_tensors()).unwrap();
            assert_eq!(changed(&start, &averaged), expected, "the average, {depth:?} on {}", device.name);
        }
    }
}

#[test]
fn the_last_stage_of_an_osnet_is_conv4_and_what_follows() {
    let backbone = OsnetConfig { channels: [16, 64, 64, 64], feature_dim: Some(8), ..OsnetConfig::quarters(1) };
    let model = ReIdentifierConfig::new(BackboneConfig::Osnet(backbone), 2);
    let graph = model.graph().unwrap();
    let mut network =
        Network::new(graph.clone(), &initial_tensors(&model, 0).unwrap(), &ComputeDevice::cpu().device.autodiff())
            .unwrap();
    network.set_moving(Depth::Deeper.first(&graph)..graph.nodes.len());
    let groups = network.parameter_groups();
    let parts: BTreeSet<_> = groups
        .iter()
        .flat_map(|group| &group.parameters)
        .map(|parameter| parameter.name.split('.').take(2).collect::<Vec<_>>().join("."))
        .collect();
    let expected = ["backbone.conv4", "backbone.conv5", "backbone.fc", "bottleneck.weight", "head.weight"];
    assert_eq!(parts.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

#[test]
fn what_no_loss_depends_on_does_not_move() {
    let fixture = fixture("training");
    let start = weights(&fixture);
    let device = &devices()[0];
    let mut source = Batches::new(batches(&fixture));
    let mut config = config(OptimizerConfig::default(), 0.01);
    config.objective.identity = 0.0;
    let mut trainer = trainer(config.clone(), &start, device, &mut source);
    let step = step(&mut trainer);
    assert_eq!((step.identity_loss, step.loss), (0.0, step.triplet_loss));
    let moved = changed(&start, &tensors(&trainer));
    let expected: BTreeSet<String> = start.keys().filter(|name| name.starts_with("backbone.")).cloned().collect();
    assert_eq!(moved, expected);
    drop(trainer);

    config.depth = Depth::Quick;
    let error = Trainer::new(config.clone(), &model(), &start, device, &mut source).unwrap_err();
    assert!(matches!(error, TrainError::NothingMoves), "{error}");
    config.objective.triplet = None;
    let error = Trainer::new(config, &model(), &start, device, &mut source).unwrap_err();
    assert!(matches!(error, TrainError::NoLoss), "{error}");
}

#[test]
fn stored_features_train_as_their_images_do() {
    let fixture = fixture("training");
    let start = weights(&fixture);
    for device in devices() {
        let network = Network::new(model().graph().unwrap(), &start, &device.device).unwrap();
        let feature = network.forward(upload(&fixture["images"], &device.device), Mode::Evaluate).unwrap().feature;
        let dim = feature.dims()[1];
        let values = read(feature);
        let of_images = batches(&fixture);
        let of_features = of_images
            .iter()
            .map(|batch| Batch { input: Input::Features { values: values.clone(), dim }, ..batch.clone() });
        let mut config = config(OptimizerConfig::default(), 0.01);
        config.depth = Depth::Quick;
        let run = |batches: Vec<Batch>| {
            let mut source = Batches::new(batches);
            let mut trainer = trainer(config.clone(), &start, &device, &mut source);
            let losses: Vec<f32> = (0..3).map(|_| step(&mut trainer).loss).collect();
            (losses, tensors(&trainer))
        };
        let (images, features) = (run(of_images.clone()), run(of_features.collect()));
        assert!(relative_error(&features.0, &images.0) < 1e-5);
        for (name, tensor) in &images.1 {
            let error = relative_error(&features.1[name].values, &tensor.values);
            assert!(error < 1e-4, "{name} on {}: {error:e}", device.name);
        }
    }
}

#[test]
fn the_average_follows_the_weights_and_warms_up() {
    let fixture = fixture("training");
    let start = weights(&fixture);
    for device in devices() {
        let mut source = Batches::new(batches(&fixture));
        let mut config = config(OptimizerConfig::default(), 0.01);
        config.ema = Some(0.15);
        let mut trainer = trainer(config, &start, &device, &mut source);
        let mut expected = start.clone();
        // (1 + step) / (10 + step) until it exceeds the decay.
        for decay in [0.1, 0.15, 0.15f32] {
            step(&mut trainer);
            let now = tensors(&trainer);
            for (name, average) in &mut expected {
                for (average, value) in average.values.iter_mut().zip(values(&now, name)) {
                    *average = *average * decay + value * (1.0 - decay);
                }
            }
            let averaged = pollster::block_on(trainer.averaged_tensors()).unwrap();
            for (name, expected) in &expected {
                let error = relative_error(values(&averaged, name), &expected.values);
                assert!(error < 1e-6, "{name} on {}: {error:e}", device.name);
            }
        }
    }
}

/// What is done to a batch.
type Spoil = fn(&mut Batch) -> Result<(), BatchError>;

/// Spoils the second batch of an epoch, once.
#[derive(Debug)]
struct Spoilt<'a> {
    batches: &'a mut Batches,
    spoil: Option<Spoil>,
}

impl BatchSource for Spoilt<'_> {
    fn next_batch(&mut self) -> Result<Option<Batch>, BatchError> {
        let mut batch = self.batches.next_batch()?;
        if let Some((batch, spoil)) = batch.as_mut().zip(self.spoil.take_if(|_| self.batches.next == 2)) {
            spoil(batch)?;
        }
        Ok(batch)
    }

    fn batches_per_epoch(&self) -> usize {
        self.batches.per_epoch
    }

    fn start_epoch(&mut self, epoch: usize, skip_batches: usize) {
        (&mut *self.batches).start_epoch(epoch, skip_batches);
    }
}

#[test]
fn a_step_that_fails_leaves_everything_as_it_was() {
    let no_number = |batch: &mut Batch| {
        let Input::Images { values, .. } = &mut batch.input else { unreachable!() };
        values[5] = f32::NAN;
        Ok(())
    };
    let stranger = |batch: &mut Batch| {
        batch.people[2] = 7;
        Ok(())
    };
    let unreadable = |_: &mut Batch| Err(BatchError { file: "a.png".into(), reason: "it is gone".into() });
    let spoils: [(Spoil, &str); 3] = [
        (no_number, "training diverged: the loss of step 1, or its gradient, is no number; lower the learning rate"),
        (stranger, "the label 7 is none of the head's 7 identities"),
        (unreadable, "a.png cannot be trained on: it is gone"),
    ];
    let fixture = fixture("training");
    for device in devices() {
        let mut config = config(OptimizerConfig::default(), 0.01);
        config.schedule.epochs = 2.0;
        config.ema = Some(0.9);
        let run = |spoil: Option<(Spoil, &str)>| {
            let mut batches = Batches::new(batches(&fixture));
            let source = Spoilt { batches: &mut batches, spoil: spoil.map(|(spoil, _)| spoil) };
            let mut trainer = Trainer::new(config.clone(), &model(), &weights(&fixture), &device, source).unwrap();
            pollster::block_on(trainer.next_step()).unwrap();
            if let Some((_, message)) = spoil {
                let before = pollster::block_on(trainer.state()).unwrap();
                let error = pollster::block_on(trainer.next_step()).unwrap_err();
                assert_eq!(error.to_string(), message);
                assert_eq!(pollster::block_on(trainer.state()).unwrap(), before, "{message} on {}", device.name);
            }
            let rest: Vec<_> = (1..4).map(|_| pollster::block_on(trainer.next_step()).unwrap()).collect();
            let state = pollster::block_on(trainer.state()).unwrap();
            drop(trainer);
            (rest, state, batches.begun)
        };
        let straight = run(None);
        assert_eq!(straight.2, [(0, 0), (1, 0)]);
        for spoil in spoils {
            let (steps, state, begun) = run(Some(spoil));
            assert_eq!(begun, [(0, 0), (0, 1), (1, 0)], "the batch comes again: {}", spoil.1);
            // The sums of a GPU need no fixed order.
            if device.name == devices()[0].name {
                assert_eq!((steps, state), (straight.0.clone(), straight.1.clone()), "{}", spoil.1);
            }
        }
    }
}

#[test]
fn a_finite_loss_whose_gradient_is_no_number_changes_nothing() {
    let fixture = fixture("training");
    for device in devices() {
        let mut source = Batches::new(batches(&fixture));
        let mut config = config(OptimizerConfig::default(), 0.01);
        config.objective.triplet = None;
        config.objective.identity = 1e38;
        let mut trainer = trainer(config, &weights(&fixture), &device, &mut source);
        let before = pollster::block_on(trainer.state()).unwrap();
        let error = pollster::block_on(trainer.next_step()).unwrap_err();
        assert!(matches!(error, TrainError::Diverged(0)), "{error}");
        assert_eq!(pollster::block_on(trainer.state()).unwrap(), before, "on {}", device.name);
    }
}

#[test]
fn steps_say_where_they_are() {
    let fixture = fixture("training");
    let mut source = Batches::new(batches(&fixture));
    let mut config = config(OptimizerConfig::default(), 1e-3);
    config.schedule.epochs = 5.0 / 3.0;
    config.schedule.warmup_epochs = 1.0;
    config.schedule.warmup_factor = 0.0;
    let mut trainer = trainer(config, &weights(&fixture), &devices()[0], &mut source);
    let steps: Vec<_> = std::iter::from_fn(|| pollster::block_on(trainer.next_step()).unwrap()).collect();
    let places: Vec<_> = steps.iter().map(|step| (step.epoch, step.step, step.epoch_end)).collect();
    assert_eq!(places, [(0, 0, false), (0, 1, false), (0, 2, true), (1, 3, false), (1, 4, false)]);
    assert!(steps.iter().all(|step| step.steps == 5 && step.images == 8));
    let rates: Vec<_> = steps.iter().map(|step| step.learning_rate).collect();
    assert_eq!(rates, [0.0, 1e-3 * (1.0 / 3.0), 1e-3 * (2.0 / 3.0), 1e-3, 1e-3]);
    assert!(steps.iter().all(|step| (step.accuracy * 8.0).fract() == 0.0 && step.distillation_loss == 0.0));
    drop(trainer);
    assert_eq!(source.begun, [(0, 0), (1, 0)]);
}

#[test]
fn a_source_may_end_an_epoch_early_but_not_at_once() {
    let fixture = fixture("training");
    let mut source = Batches::new(batches(&fixture));
    source.per_epoch = 4;
    let mut trainer1 =
        trainer(config(OptimizerConfig::default(), 1e-3), &weights(&fixture), &devices()[0], &mut source);
    let epochs: Vec<_> = (0..4).map(|_| step(&mut trainer1).epoch).collect();
    assert_eq!(epochs, [0, 0, 0, 1]);
    drop(trainer1);

    let mut source = Batches::new(Vec::new());
    source.per_epoch = 4;
    let mut trainer = trainer(config(OptimizerConfig::default(), 1e-3), &weights(&fixture), &devices()[0], &mut source);
    let error = pollster::block_on(trainer.next_step()).unwrap_err();
    assert!(matches!(error, TrainError::EmptyEpoch(0)), "{error}");
}

#[test]
fn batches_that_do_not_fit_are_refused() {
    let fixture = fixture("training");
    let refused = |change: &dyn Fn(&mut Batch), objective: Objective| {
        let mut batches = batches(&fixture);
        change(&mut batches[0]);
        let mut source = Batches::new(batches);
        let mut config = config(OptimizerConfig::default(), 1e-3);
        config.objective = objective;
        let mut trainer = trainer(config, &weights(&fixture), &devices()[0], &mut source);
        pollster::block_on(trainer.next_step()).unwrap_err().to_string()
    };
    let usual = Objective::default;
    let label = refused(&|batch| batch.people[2] = 7, usual());
    assert_eq!(label, "the label 7 is none of the head's 7 identities");
    let count = refused(&|batch| batch.people.truncate(7), usual());
    assert_eq!(count, "the batch has 8 images where 7 are needed");
    let features = |batch: &mut Batch| batch.input = Input::Features { values: vec![0.0; 8 * 16], dim: 16 };
    assert_eq!(
        refused(&features, usual()),
        "images are needed: stored features serve only where the backbone does not move"
    );
    let one = |batch: &mut Batch| {
        batch.people.truncate(1);
        let Input::Images { values, shape } = &mut batch.input else { unreachable!() };
        shape[0] = 1;
        values.truncate(3 * 32 * 16);
    };
    assert!(refused(&one, usual()).contains("at least 2 images"));
    let taught = Objective { distillation: Some(Distillation { feature: 1.0, relation: 0.0 }), ..usual() };
    let teacher = refused(&|batch| batch.teacher = Some(vec![0.5; 8 * 4]), taught);
    assert_eq!(teacher, "the teacher's features have 4 values and the model's 16: only their relation can be learnt");
}

#[test]
fn a_teacher_is_learnt() {
    let fixture = fixture("training");
    for device in devices() {
        let mut batches = batches(&fixture);
        for batch in &mut batches {
            // Directions of 5 values, which only the relation can use; the last two images have none.
            let rows = (0..8).map(|image| (image < 6).then_some(image % 5));
            let row = |axis: Option<usize>| (0..5).map(move |i| if axis == Some(i) { 1.0 } else { 0.0 });
            batch.teacher = Some(rows.flat_map(row).collect());
        }
        batches[2].teacher = None;
        let mut source = Batches::new(batches);
        let mut config = config(OptimizerConfig::default(), 0.02);
        config.schedule.epochs = 5.0;
        config.rate = 1.0;
        config.objective = Objective {
            identity: 0.0,
            label_smoothing: 0.0,
            triplet: Some(Triplet { weight: 0.0, margin: None }),
            distillation: Some(Distillation { feature: 0.0, relation: 2.0 }),
        };
        let mut trainer = trainer(config, &weights(&fixture), &device, &mut source);
        let steps: Vec<_> = (0..15).map(|_| step(&mut trainer)).collect();
        assert_eq!((steps[2].loss, steps[2].distillation_loss), (0.0, 0.0));
        for step in &steps {
            assert!((step.loss - 2.0 * step.distillation_loss).abs() < 1e-6, "{step:?}");
        }
        let (first, last) = (steps[0].loss, steps[13].loss);
        assert!(last < 0.7 * first, "{first} → {last} on {}", device.name);
    }
}

#[test]
fn fresh_weights_come_from_the_seed() {
    let tensors = initial_tensors(&model(), 7).unwrap();
    assert_eq!(tensors, initial_tensors(&model(), 7).unwrap());
    let other = initial_tensors(&model(), 8).unwrap();
    let random = |name: &String| name.contains("conv") || name.contains("downsample.0") || name == "head.weight";
    let expected: BTreeSet<String> = tensors.keys().filter(|name| random(name)).cloned().collect();
    assert_eq!(changed(&tensors, &other), expected);

    let model = ReIdentifierConfig::new(model().backbone, 4000);
    let larger = initial_tensors(&model, 7).unwrap();
    assert_eq!(larger["backbone.layer4.1.conv2.weight"], tensors["backbone.layer4.1.conv2.weight"]);
    let head = values(&larger, "head.weight");
    let spread = (head.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>() / head.len() as f64).sqrt();
    assert!((spread / 1e-3 - 1.0).abs() < 0.01, "{spread}");
    assert_eq!(values(&larger, "bottleneck.weight"), [1.0; 16]);
    assert_eq!(values(&larger, "bottleneck.running_var"), [1.0; 16]);
    assert_eq!(values(&larger, "bottleneck.running_mean"), [0.0; 16]);
}

#[test]
fn a_new_head_starts_fresh_and_a_backbone_does_not() {
    let fixture = fixture("training");
    let mut partial = weights(&fixture);
    partial.remove("head.weight");
    let mut source = Batches::new(batches(&fixture));
    let mut config = config(OptimizerConfig::default(), 1e-3);
    config.seed = 7;
    let started = trainer(config.clone(), &partial, &devices()[0], &mut source);
    assert_eq!(tensors(&started)["head.weight"], initial_tensors(&model(), 7).unwrap()["head.weight"]);
    drop(started);
    partial.remove("backbone.conv1.weight");
    let error = Trainer::new(config, &model(), &partial, &devices()[0], &mut source).unwrap_err();
    assert_eq!(error.to_string(), "the model needs the tensor 'backbone.conv1.weight', which is not there");
}
