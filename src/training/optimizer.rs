//! Adam and SGD, to the letter of torch.optim, and Muon, with a learning rate for each role.

use std::collections::BTreeMap;
use std::sync::Arc;

use burn::tensor::{Device, ExecutionError, Gradients, Tensor};

use super::flat::{Layout, count};
use super::muon::{self, orthogonal};
use super::{Network, StateError};
use crate::graph::{Parameter, Role};
use crate::weights;

/// Which rule moves the parameters. Adam's and SGD's weight decay is L2, added to the gradient.
#[derive(Clone, Debug, PartialEq)]
pub enum OptimizerConfig {
    /// `torch.optim.Adam` (Kingma and Ba, arXiv 1412.6980).
    Adam { beta1: f64, beta2: f64, epsilon: f64, weight_decay: f64 },
    /// `torch.optim.SGD` without dampening.
    Sgd { momentum: f64, weight_decay: f64, nesterov: bool },
    /// Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon) for what multiplies many channels by many, namely
    /// convolutions and the bottleneck, and Adam for everything else (biases, scales, depthwise filters, the head). Muon's
    /// step is as long as Adam's (Liu et al., arXiv 2502.16982), so both take the same learning rate. `weight_decay` is
    /// Muon's alone, and decoupled.
    Muon { momentum: f64, weight_decay: f64, beta1: f64, beta2: f64, epsilon: f64 },
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
            Self::Muon { .. } => &["momentum/"],
        }
    }

    /// Which rule moves which of a role's parameters.
    fn shares(&self, role: Role, parameters: Vec<Parameter>) -> Vec<(Self, Vec<Parameter>)> {
        let Self::Muon { beta1, beta2, epsilon, .. } = *self else { return vec![(self.clone(), parameters)] };
        let (matrices, rest) = parameters.into_iter().partition(|p| role != Role::Head && muon::moves(&p.shape));
        vec![(self.clone(), matrices), (Self::Adam { beta1, beta2, epsilon, weight_decay: 0.0 }, rest)]
    }
}

/// The parameters of one role that one rule moves, end to end, and what the rule remembers of them.
#[derive(Debug)]
struct Group {
    role: Role,
    rule: OptimizerConfig,
    layout: Arc<Layout>,
    parameters: Tensor<1>,
    /// As [`OptimizerConfig::memories`] names them for the rule.
    memories: Vec<Tensor<1>>,
}

/// Moves the parameters of a network.
#[derive(Debug)]
pub struct Optimizer {
    groups: Vec<Group>,
    steps: usize,
    device: Device,
}

impl Optimizer {
    /// For the parameters that move in this network.
    pub fn new(config: &OptimizerConfig, network: &Network, device: &Device) -> Self {
        let group = |role: Role, (rule, parameters): (OptimizerConfig, Vec<Parameter>)| {
            let layout = Arc::new(Layout::new(parameters)?);
            let value = |name: &str| {
                network.value(name).unwrap_or_else(|| unreachable!("the network names its own parameters: {name}"))
            };
            let parameters = layout.join(|parameter| value(&parameter.name));
            let memories = rule.memories().iter().map(|_| layout.zeros(device)).collect();
            Some(Group { role, rule, layout, parameters, memories })
        };
        let shares = network.parameter_groups().into_iter().flat_map(|super::ParameterGroup { role, parameters }| {
            config.shares(role, parameters).into_iter().map(move |share| (role, share))
        });
        let groups = shares.filter_map(|(role, share)| group(role, share)).collect();
        Self { groups, steps: 0, device: device.clone() }
    }

    /// Whether no parameter moves.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// One step: takes the gradients out of `gradients` and puts the new parameters into the network.
    /// `learning_rate` gives that of each role.
    pub fn step(&mut self, network: &mut Network, gradients: &mut Gradients, learning_rate: impl Fn(Role) -> f64) {
        let gradients = self.take_gradients(network, gradients);
        self.apply(network, gradients, learning_rate);
    }

    /// What [`Optimizer::apply`] takes, out of `gradients`.
    pub(super) fn take_gradients(&self, network: &Network, gradients: &mut Gradients) -> Vec<Tensor<1>> {
        let mut of = |parameter: &Parameter| {
            let gradient = network.take_gradient(&parameter.name, gradients);
            // A parameter that the loss does not depend on in this step.
            gradient.unwrap_or_else(|| Tensor::zeros([count(parameter)], &self.device))
        };
        self.groups.iter().map(|group| group.layout.join(&mut of)).collect()
    }

    /// One step by these gradients.
    pub(super) fn apply(
        &mut self,
        network: &mut Network,
        gradients: Vec<Tensor<1>>,
        learning_rate: impl Fn(Role) -> f64,
    ) {
        self.steps += 1;
        for (group, gradient) in self.groups.iter_mut().zip(gradients) {
            group.step(gradient, learning_rate(group.role), self.steps);
            for (parameter, value) in group.layout.split(&group.parameters) {
                network.set_value(&parameter.name, value);
            }
        }
    }

    /// The parameters of each role, end to end.
    pub(super) fn parameters(&self) -> impl Iterator<Item = (Arc<Layout>, Tensor<1>)> {
        self.groups.iter().map(|group| (group.layout.clone(), group.parameters.clone()))
    }

    /// What it remembers, as `m/<parameter>` and `v/<parameter>` (Adam) or `momentum/<parameter>` (SGD, Muon).
    ///
    /// # Errors
    /// When the device is lost.
    pub async fn state(&self) -> Result<BTreeMap<String, weights::Tensor>, ExecutionError> {
        let mut tensors = BTreeMap::new();
        for group in &self.groups {
            for (prefix, memory) in group.rule.memories().iter().zip(&group.memories) {
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
            let memories = group.rule.memories().iter();
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
    fn step(&mut self, gradient: Tensor<1>, learning_rate: f64, step: usize) {
        let mut parameters = self.parameters.clone();
        let memories = std::mem::take(&mut self.memories);
        let decayed = |gradient: Tensor<1>, weight_decay: f64| match weight_decay {
            0.0 => gradient,
            decay => gradient + self.parameters.clone() * decay,
        };
        let change = match self.rule {
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
            OptimizerConfig::Muon { momentum, weight_decay, .. } => {
                let Ok([buffer]) = <[Tensor<1>; 1]>::try_from(memories) else {
                    unreachable!("Muon remembers one moment")
                };
                let buffer = (gradient.clone() - buffer.clone()) * (1.0 - momentum) + buffer;
                self.memories = vec![buffer.clone()];
                let direction = gradient.clone() + (buffer - gradient) * momentum;
                let directions =
                    self.layout.split(&direction).map(|(parameter, part)| orthogonal(&parameter.shape, part));
                let change = Tensor::cat(directions.collect(), 0) * learning_rate;
                if weight_decay > 0.0 {
                    parameters = parameters * (1.0 - learning_rate * weight_decay);
                }
                change
            }
        };
        self.parameters = parameters - change;
    }
}
