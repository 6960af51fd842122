//! Learning rates over the epochs.

use webreid::training::{Decay, Schedule};

fn schedule(decay: Decay) -> Schedule {
    Schedule { base_lr: 3e-4, warmup_epochs: 10.0, warmup_factor: 1.0 / 3.0, decay, epochs: 80.0 }
}

fn check(schedule: &Schedule, expected: &[(f64, f64)]) {
    for &(epoch, factor) in expected {
        let found = schedule.learning_rate(epoch) / schedule.base_lr;
        assert!((found - factor).abs() < 1e-12, "{found} times the base rate at epoch {epoch}, not {factor}");
    }
}

#[test]
fn multi_step_is_bag_of_tricks_and_changes_between_epochs() {
    let decay = Decay::MultiStep { milestones: vec![40.0, 70.0], factor: 0.1 };
    let third = 1.0 / 3.0;
    let at = |progress: f64| third * (1.0 - progress) + progress;
    let expected = [(0.0, third), (0.9, third), (1.0, 0.4), (5.0, at(0.5)), (9.99, at(0.9)), (10.0, 1.0)];
    check(&schedule(decay.clone()), &expected);
    check(&schedule(decay), &[(39.9, 1.0), (40.0, 0.1), (69.9, 0.1), (70.0, 0.01), (79.9, 0.01)]);
}

#[test]
fn cosine_and_constant_move_within_epochs() {
    let cosine = schedule(Decay::Cosine { floor: 0.02 });
    check(&cosine, &[(0.0, 1.0 / 3.0), (2.5, 0.5), (10.0, 1.0), (45.0, 0.51), (80.0, 0.02), (90.0, 0.02)]);
    let quarter = 0.02 + 0.98 * 0.5 * (1.0 + std::f64::consts::FRAC_1_SQRT_2);
    check(&cosine, &[(27.5, quarter)]);
    check(&schedule(Decay::Constant), &[(7.5, 5.0 / 6.0), (10.0, 1.0), (1e6, 1.0)]);
    let no_warmup = Schedule { warmup_epochs: 0.0, ..schedule(Decay::Constant) };
    check(&no_warmup, &[(0.0, 1.0)]);
}
