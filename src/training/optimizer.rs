//! Adam and SGD, to the letter of torch.optim, with a learning rate for each role.

use std::collections::BTreeMap;
use std::sync::Arc;

use burn::tensor::{Device, ExecutionError, Gradients, Tensor};

use super::flat::{Layout, count};
use super::{Network, StateError};
use crate::graph::Role;
use crate::weights;

/// Which rule moves the parameters. Weight decay is L2, added to the gradient.
#[derive(Clone, Debug, PartialEq)]
pub enum OptimizerConfig {
    /// `torch.optim.Adam` (Kingma and Ba, arXiv 1412.6980).
    Adam { beta1: f64, beta2: f64, epsilon: f64, weight_decay: f64 },
    /// `torch.optim.SGD` without dampening.
    Sgd { momentum: f64, weight_decay: f64, nesterov: bool },
}

impl Default for OptimizerConfig {
    /// Bag of Tricks' Adam.
    fn default() -> Self {
        Self::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 5e-4 }
    }
}

impl OptimizerConfig {
    /// What it remembers of each parameter, by the prefix of the names in its state.
    fn memories(&self) -> &'static [&'static str] {
        match self {
            Self::Adam { .. } => &["m/", "v/"],
            Self::Sgd { momentum, .. } if *momentum > 0.0 => &["momentum/"],
            Self::Sgd { .. } => &[],
        }
    }
}

/// The parameters of one role, end to end, and what the rule remembers of them.
#[derive(Debug)]
struct Group {
    role: Role,
    layout: Arc<Layout>,
    parameters: Tensor<1>,
    /// As [`OptimizerConfig::memories`] names them.
    memories: Vec<Tensor<1>>,
}

/// Moves the parameters of a network.
#[derive(Debug)]
pub struct Optimizer {
    config: OptimizerConfig,
    groups: Vec<Group>,
    steps: usize,
    device: Device,
}

impl Optimizer {
    /// For the parameters that move in this network.
    pub fn new(config: OptimizerConfig, network: &Network, device: &Device) -> Self {
        let group = |group: super::ParameterGroup| {
            let layout = Arc::new(Layout::new(group.parameters)?);
            let value = |name: &str| {
                network.value(name).unwrap_or_else(|| unreachable!("the network names its own parameters: {name}"))
            };
            let parameters = layout.join(|parameter| value(&parameter.name));
            let memories = config.memories().iter().map(|_| layout.zeros(device)).collect();
            Some(Group { role: group.role, layout, parameters, memories })
        };
        let groups = network.parameter_groups().into_iter().filter_map(group).collect();
        Self { config, groups, steps: 0, device: device.clone() }
    }

    /// Whether no parameter moves.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// One step: takes the gradients out of `gradients` and puts the new parameters into the network.
    /// `learning_rate` gives that of each role.
    pub fn step(&mut self, network: &mut Network, gradients: &mut Gradients, learning_rate: impl Fn(Role) -> f64) {
        self.steps += 1;
        for group in &mut self.groups {
            let gradient = group.layout.join(|parameter| {
                let gradient = network.take_gradient(&parameter.name, gradients);
                // A parameter that the loss does not depend on in this step.
                gradient.unwrap_or_else(|| Tensor::zeros([count(parameter)], &self.device))
            });
            group.step(&self.config, gradient, learning_rate(group.role), self.steps);
            for (name, value) in group.layout.split(&group.parameters) {
                network.set_value(name, value);
            }
        }
    }

    /// The parameters of each role, end to end.
    pub(super) fn parameters(&self) -> impl Iterator<Item = (Arc<Layout>, Tensor<1>)> {
        self.groups.iter().map(|group| (group.layout.clone(), group.parameters.clone()))
    }

    /// What it remembers, as `m/<parameter>` and `v/<parameter>` (Adam) or `momentum/<parameter>` (SGD).
    ///
    /// # Errors
    /// When the device is lost.
    pub async fn state(&self) -> Result<BTreeMap<String, weights::Tensor>, ExecutionError> {
        let mut tensors = BTreeMap::new();
        for group in &self.groups {
            for (prefix, memory) in self.config.memories().iter().zip(&group.memories) {
                group.layout.read(prefix, memory, &mut tensors).await?;
            }
        }
        Ok(tensors)
    }

    /// Goes on after `steps` steps with what [`Optimizer::state`] gave then. Other tensors are ignored.
    ///
    /// # Errors
    /// When a tensor is missing or has another length; nothing is changed then.
    pub fn restore(&mut self, steps: usize, tensors: &BTreeMap<String, weights::Tensor>) -> Result<(), StateError> {
        let upload = |group: &Group| {
            let memories = self.config.memories().iter();
            memories.map(|prefix| group.layout.upload(prefix, tensors, &self.device)).collect()
        };
        let memories = self.groups.iter().map(upload).collect::<Result<Vec<Vec<_>>, _>>()?;
        for (group, memories) in self.groups.iter_mut().zip(memories) {
            group.memories = memories;
        }
        self.steps = steps;
        Ok(())
    }
}

impl Group {
    /// The roundings are torch's. Of the tensors that are needed no more the operations reuse the memory.
    fn step(&mut self, config: &OptimizerConfig, gradient: Tensor<1>, learning_rate: f64, step: usize) {
        let parameters = self.parameters.clone();
        let memories = std::mem::take(&mut self.memories);
        let decayed = |gradient: Tensor<1>, weight_decay: f64| match weight_decay {
            0.0 => gradient,
            decay => gradient + parameters.clone() * decay,
        };
        let change = match *config {
            OptimizerConfig::Adam { beta1, beta2, epsilon, weight_decay } => {
                let gradient = decayed(gradient, weight_decay);
                let Ok([m, v]) = <[Tensor<1>; 2]>::try_from(memories) else {
                    unreachable!("Adam remembers two moments")
                };
                let m = (gradient.clone() - m.clone()) * (1.0 - beta1) + m;
                let v = v * beta2 + gradient.clone() * gradient * (1.0 - beta2);
                self.memories = vec![m.clone(), v.clone()];
                let [correction1, correction2] = [beta1, beta2].map(|beta| 1.0 - beta.powf(step as f64));
                let denominator = v.sqrt() / correction2.sqrt() + epsilon;
                (m / denominator) * (learning_rate / correction1)
            }
            OptimizerConfig::Sgd { momentum, weight_decay, nesterov } => {
                let gradient = decayed(gradient, weight_decay);
                let direction = match memories.into_iter().next() {
                    Some(buffer) => {
                        let buffer = buffer * momentum + gradient.clone();
                        self.memories = vec![buffer.clone()];
                        if nesterov { buffer * momentum + gradient } else { buffer }
                    }
                    None => gradient,
                };
                direction * learning_rate
            }
        };
        self.parameters = parameters - change;
    }
}
