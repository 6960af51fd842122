//! A run that is interrupted goes on exactly.

use webreid::training::{OptimizerConfig, StateError, TrainError, TrainState};
use webreid::weights::initial_tensors;

use super::fixture;
use super::steps::{Batches, batches, config, model, step, tensors, trainer, weights};
use crate::common::devices;

#[test]
fn a_resumed_run_takes_the_same_steps_to_the_bit() {
    let fixture = fixture("training");
    let sgd = OptimizerConfig::Sgd { momentum: 0.9, weight_decay: 5e-4, nesterov: false };
    let muon = OptimizerConfig::Muon { momentum: 0.95, weight_decay: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
    for optimizer in [OptimizerConfig::default(), sgd, muon] {
        let mut config = config(optimizer, 1e-3);
        config.schedule.epochs = 3.0;
        config.ema = Some(0.5);
        // The sums of a GPU need no fixed order, so that only the CPU is held to the bit.
        let device = &devices()[0];
        for interrupted in [1, 3, 5] {
            let mut source = Batches::new(batches(&fixture));
            let mut straight = trainer(config.clone(), &weights(&fixture), device, &mut source);
            (0..interrupted).for_each(|_| {
                step(&mut straight);
            });
            let state = pollster::block_on(straight.state()).unwrap();
            assert_eq!((state.epoch, state.batch, state.step), (interrupted / 3, interrupted % 3, interrupted));

            let bytes = state.to_bytes().unwrap();
            let state = TrainState::from_bytes(&bytes).unwrap();
            assert_eq!(state.to_bytes().unwrap(), bytes);
            assert_eq!(state.model(), tensors(&straight));
            let mut source = Batches::new(batches(&fixture));
            let mut resumed = trainer(config.clone(), &initial_tensors(&model(), 1).unwrap(), device, &mut source);
            step(&mut resumed);
            resumed.restore(state).unwrap();
            for _ in interrupted..9 {
                assert_eq!(step(&mut resumed), step(&mut straight));
            }
            let state = |trainer| pollster::block_on(webreid::training::Trainer::state(trainer)).unwrap();
            assert_eq!(state(&resumed), state(&straight));
            assert_eq!(pollster::block_on(resumed.next_step()).unwrap(), None);
            drop(resumed);
            let begun = [(0, 0), (interrupted / 3, interrupted % 3), (interrupted / 3 + 1, 0)];
            assert_eq!(source.begun[..3], begun);
        }
    }
}

#[test]
fn a_state_of_other_settings_is_refused_and_changes_nothing() {
    let fixture = fixture("training");
    let device = &devices()[0];
    let mut source = Batches::new(batches(&fixture));
    let mut sgd = trainer(
        config(OptimizerConfig::Sgd { momentum: 0.9, weight_decay: 0.0, nesterov: false }, 0.1),
        &weights(&fixture),
        device,
        &mut source,
    );
    step(&mut sgd);
    let state = pollster::block_on(sgd.state()).unwrap();
    let mut source = Batches::new(batches(&fixture));
    let mut adam = trainer(config(OptimizerConfig::default(), 0.1), &weights(&fixture), device, &mut source);
    let before = pollster::block_on(adam.state()).unwrap();
    let error = adam.restore(state).unwrap_err();
    assert!(matches!(&error, TrainError::State(StateError::Missing(name)) if name.starts_with("m/")), "{error}");
    assert!(error.to_string().contains("other settings"), "{error}");
    assert_eq!(pollster::block_on(adam.state()).unwrap(), before);

    let checkpoint = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tiny_osnet.safetensors"));
    let error = TrainState::from_bytes(&checkpoint.unwrap()).unwrap_err();
    assert!(matches!(error, StateError::NoState), "{error}");
    assert!(TrainState::from_bytes(b"{}").is_err());
}
