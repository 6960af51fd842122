//! The exponential moving average of the weights: steadier than the last ones, and better to evaluate.

use std::collections::BTreeMap;
use std::sync::Arc;

use burn::tensor::{Device, ExecutionError, Tensor};

use super::StateError;
use super::flat::Layout;
use crate::weights;

/// The average of everything that training moves, running statistics as well: they belong to the averaged weights.
#[derive(Debug)]
pub(super) struct Average {
    /// How much of the average stays at each step.
    decay: f64,
    parts: Vec<(Arc<Layout>, Tensor<1>)>,
}

impl Average {
    /// The prefix of its tensors' names in a training state.
    pub const PREFIX: &str = "ema/";

    /// Begins at the current values.
    pub fn new(decay: f64, current: Vec<(Arc<Layout>, Tensor<1>)>) -> Self {
        Self { decay, parts: current }
    }

    /// Takes in the values after step `step`, counted from 0. Early on the average forgets faster: it would otherwise
    /// keep the start for 1 / (1 − decay) steps.
    pub fn update(&mut self, step: usize, current: Vec<(Arc<Layout>, Tensor<1>)>) {
        let step = step as f64;
        let decay = self.decay.min((1.0 + step) / (10.0 + step));
        for ((_, average), (_, current)) in self.parts.iter_mut().zip(current) {
            *average = average.clone() + (current - average.clone()) * (1.0 - decay);
        }
    }

    /// Reads it back, as tensors named `prefix` and their name.
    pub async fn tensors(&self, prefix: &str) -> Result<BTreeMap<String, weights::Tensor>, ExecutionError> {
        let mut tensors = BTreeMap::new();
        for (layout, average) in &self.parts {
            layout.read(prefix, average, &mut tensors).await?;
        }
        Ok(tensors)
    }

    /// The average that [`Average::tensors`] gave with [`Average::PREFIX`].
    pub fn restored(&self, tensors: &BTreeMap<String, weights::Tensor>, device: &Device) -> Result<Self, StateError> {
        let mut parts = Vec::with_capacity(self.parts.len());
        for (layout, _) in &self.parts {
            parts.push((layout.clone(), layout.upload(Self::PREFIX, tensors, device)?));
        }
        Ok(Self { decay: self.decay, parts })
    }
}
