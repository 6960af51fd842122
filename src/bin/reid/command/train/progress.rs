//! What the user sees of a training: a bar on a terminal, now and then a line where there is none.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use webreid::training::Step;

use super::log::{Epoch, Evaluation};
use super::position::Position;
use crate::command::progress::{self, duration};

/// The progress of one stage.
pub struct Progress {
    /// On a terminal.
    bar: Option<ProgressBar>,
    /// "stage 1/2, " where there are several.
    stage: String,
    epochs: usize,
    started: Instant,
    /// The images since then.
    images: usize,
    /// The step that the stage went on from.
    first: Option<usize>,
    /// The bar is not on the screen.
    hidden: bool,
}

impl Progress {
    /// Stages and epochs are counted from 1.
    pub fn new(stage: usize, stages: usize, epochs: usize) -> Self {
        progress::start();
        let bar = stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(0);
            if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}") {
                bar.set_style(style);
            }
            bar
        });
        let stage = if stages > 1 { format!("stage {stage}/{stages}, ") } else { String::new() };
        Self { bar, stage, epochs, started: Instant::now(), images: 0, first: None, hidden: true }
    }

    /// A step was taken, which led to `position`.
    pub fn step(&mut self, step: &Step, position: &Position) {
        let epoch = position.epochs + 1;
        let (loss, accuracy) = position.means();
        let first = *self.first.get_or_insert(step.step);
        let done = step.step + 1;
        self.images += step.images;
        let seconds = self.started.elapsed().as_secs_f64().max(1e-3);
        let text = format!(
            "{}epoch {epoch}/{}: loss {:.3}{}, {:.0} images/s",
            self.stage,
            self.epochs,
            loss,
            told_accuracy(step.identity_loss.into(), accuracy.into()),
            self.images as f64 / seconds,
        );
        if let Some(bar) = &self.bar {
            if std::mem::take(&mut self.hidden) {
                bar.reset();
                bar.set_position(done as u64);
                bar.reset_eta();
            }
            bar.set_length(step.steps as u64);
            bar.set_position(done as u64);
            bar.set_message(text);
        } else if progress::is_due() {
            let left = seconds / (done - first) as f64 * step.steps.saturating_sub(done) as f64;
            eprintln!("{text}, step {done}/{}, {} left", step.steps, duration(left));
        }
    }

    pub fn epoch(&mut self, epoch: &Epoch) {
        let mut losses = format!("identity {:.3}, triplet {:.3}", epoch.identity_loss, epoch.triplet_loss);
        if epoch.distillation_loss != 0.0 {
            losses += &format!(", distillation {:.3}", epoch.distillation_loss);
        }
        self.line(&format!(
            "{}epoch {}/{} done: loss {:.3} ({losses}){}, {:.0} images/s, {}, learning rate {:.2e}",
            self.stage,
            epoch.epoch,
            self.epochs,
            epoch.loss,
            told_accuracy(epoch.identity_loss, epoch.accuracy),
            epoch.images_per_second,
            duration(epoch.seconds),
            epoch.learning_rate,
        ));
    }

    pub fn evaluation(&mut self, evaluation: &Evaluation) {
        let Evaluation { data, protocol, rank1, map, queries, .. } = evaluation;
        self.line(&format!("  {data}, {protocol}: rank-1 {rank1:.2} %, mAP {map:.2} % of {queries} queries"));
    }

    /// A line of its own, above the bar.
    pub fn line(&mut self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{text}")),
            None => eprintln!("{text}"),
        }
        progress::told();
    }

    /// Time spent on something else than steps does not slow the rate that is shown.
    pub fn pause(&mut self, length: Duration) {
        self.started += length;
    }

    /// Takes the bar off the screen until the next step.
    pub fn rest(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.hidden = true;
    }
}

/// The head's accuracy, where the identity loss counts: without it there is no head.
fn told_accuracy(identity_loss: f64, accuracy: f64) -> String {
    if identity_loss == 0.0 { String::new() } else { format!(", accuracy {:.1} %", accuracy * 100.0) }
}
