//! The learning rate over the epochs.

/// A warm-up, then a decay.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// The rate after the warm-up.
    pub base_lr: f64,
    /// Epochs over which the rate rises linearly from `warmup_factor · base_lr` to `base_lr`; 0: no warm-up.
    pub warmup_epochs: f64,
    pub warmup_factor: f64,
    pub decay: Decay,
    /// How many epochs there are; part of an epoch counts.
    pub epochs: f64,
}

/// What the rate does after the warm-up.
#[derive(Clone, Debug, PartialEq)]
pub enum Decay {
    Constant,
    /// Times `factor` at each milestone, an epoch. With it the rate, warm-up included, changes between epochs only, as in
    /// the Transfer-Learning-Library and Bag of Tricks.
    MultiStep {
        milestones: Vec<f64>,
        factor: f64,
    },
    /// Half a cosine from `base_lr` at the warm-up's end to `floor · base_lr` at the last epoch's.
    Cosine {
        floor: f64,
    },
}

impl Schedule {
    /// The learning rate at a point in time; `epoch` 2.5 is the middle of the third epoch.
    pub fn learning_rate(&self, epoch: f64) -> f64 {
        let epoch = if matches!(self.decay, Decay::MultiStep { .. }) { epoch.floor() } else { epoch };
        if epoch < self.warmup_epochs {
            let progress = epoch / self.warmup_epochs;
            return self.base_lr * (self.warmup_factor * (1.0 - progress) + progress);
        }
        self.base_lr
            * match &self.decay {
                Decay::Constant => 1.0,
                Decay::MultiStep { milestones, factor } => {
                    let passed = milestones.iter().filter(|&&milestone| milestone <= epoch).count();
                    factor.powf(passed as f64)
                }
                Decay::Cosine { floor } => {
                    let span = self.epochs - self.warmup_epochs;
                    let progress = if span > 0.0 { ((epoch - self.warmup_epochs) / span).min(1.0) } else { 1.0 };
                    floor + (1.0 - floor) * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos())
                }
            }
    }
}
