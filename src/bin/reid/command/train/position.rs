//! Where a run is, and the sums of the epoch that it is in. Both travel in the checkpoint.

use std::time::Duration;

use webreid::training::Step;
use webreid::weights::Tensor;

use super::log::Epoch;

/// A place in a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Position {
    /// From 0.
    pub stage: usize,
    /// Of the stage, finished.
    pub epochs: usize,
    /// Of the stage, taken.
    pub step: usize,
    /// What the steps of the unfinished epoch sum up to.
    sums: Sums,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Sums {
    steps: f32,
    images: f32,
    loss: f32,
    identity_loss: f32,
    triplet_loss: f32,
    distillation_loss: f32,
    accuracy: f32,
    seconds: f32,
    /// That of the last step; no sum.
    learning_rate: f32,
}

impl Position {
    /// The beginning of a stage, from 0.
    pub fn start(stage: usize) -> Self {
        Self { stage, ..Self::default() }
    }

    /// Between two epochs.
    pub fn is_between_epochs(&self) -> bool {
        self.sums.steps == 0.0
    }

    pub fn add(&mut self, step: &Step, time: Duration) {
        self.step = step.step + 1;
        let sums = &mut self.sums;
        sums.steps += 1.0;
        sums.images += step.images as f32;
        sums.loss += step.loss;
        sums.identity_loss += step.identity_loss;
        sums.triplet_loss += step.triplet_loss;
        sums.distillation_loss += step.distillation_loss;
        sums.accuracy += step.accuracy;
        sums.seconds += time.as_secs_f32();
        sums.learning_rate = step.learning_rate as f32;
    }

    /// Mean loss and accuracy of the epoch so far.
    pub fn means(&self) -> (f32, f32) {
        let steps = self.sums.steps.max(1.0);
        (self.sums.loss / steps, self.sums.accuracy / steps)
    }

    /// Ends the epoch and gives its line of the log.
    pub fn end_epoch(&mut self) -> Epoch {
        let sums = std::mem::take(&mut self.sums);
        self.epochs += 1;
        let mean = |sum: f32| rounded(sum / sums.steps.max(1.0));
        Epoch {
            stage: self.stage + 1,
            epoch: self.epochs,
            step: self.step,
            loss: mean(sums.loss),
            identity_loss: mean(sums.identity_loss),
            triplet_loss: mean(sums.triplet_loss),
            distillation_loss: mean(sums.distillation_loss),
            accuracy: mean(sums.accuracy),
            images_per_second: rounded(sums.images / sums.seconds.max(1e-3)),
            seconds: rounded(sums.seconds),
            learning_rate: rounded(sums.learning_rate),
        }
    }

    /// As a tensor of the checkpoint; all counts are exact up to 2²⁴.
    pub fn to_tensor(&self) -> Tensor {
        let s = &self.sums;
        let counts = [self.stage, self.epochs, self.step].map(|count| count as f32);
        let losses = [s.loss, s.identity_loss, s.triplet_loss, s.distillation_loss];
        let values = [&counts[..], &[s.steps, s.images], &losses, &[s.accuracy, s.seconds, s.learning_rate]].concat();
        Tensor { shape: vec![values.len()], values }
    }

    pub fn from_tensor(tensor: &Tensor) -> Option<Self> {
        let &[
            stage,
            epochs,
            step,
            steps,
            images,
            loss,
            identity_loss,
            triplet_loss,
            distillation_loss,
            accuracy,
            seconds,
            learning_rate,
        ] = tensor.values.as_slice()
        else {
            return None;
        };
        let [stage, epochs, step] = [stage, epochs, step].map(|count| count as usize);
        let sums = Sums {
            steps,
            images,
            loss,
            identity_loss,
            triplet_loss,
            distillation_loss,
            accuracy,
            seconds,
            learning_rate,
        };
        Some(Self { stage, epochs, step, sums })
    }
}

/// An f32 with the digits that it is printed with, not those of its neighbour among the f64.
fn rounded(value: f32) -> f64 {
    value.to_string().parse().unwrap_or_else(|_| value.into())
}
