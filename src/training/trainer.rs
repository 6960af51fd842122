//! The training loop, one pulled step at a time: pausing is not calling, cancelling is dropping.

use std::collections::BTreeMap;
use std::sync::Arc;

use burn::tensor::{Device, ExecutionError, Tensor, TensorData};

use super::average::Average;
use super::flat::Layout;
use super::loss::Teacher;
use super::{
    Batch, BatchError, BatchSource, ComputeDevice, Depth, Input, Mode, Network, NetworkError, Objective, Optimizer,
    OptimizerConfig, Outputs, Schedule, StateError, TrainState,
};
use crate::graph::{Graph, Role, ShapeError};
use crate::model::{ConfigError, ReIdentifierConfig};
use crate::ops::OpError;
use crate::weights::{self, initial_tensor};

/// How to train.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainerConfig {
    pub optimizer: OptimizerConfig,
    pub schedule: Schedule,
    /// The backbone learns at `rate` times the schedule's rate (where the model says `finetune`).
    pub rate: f64,
    pub objective: Objective,
    pub depth: Depth,
    /// Averages the weights with this decay a step.
    pub ema: Option<f64>,
    /// Of the weights that no checkpoint gives.
    pub seed: u64,
}

/// Why training did not go on.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("the model does not fit together: {0}")]
    Shape(#[from] ShapeError),
    #[error(transparent)]
    Network(#[from] NetworkError),
    #[error(transparent)]
    Op(#[from] OpError),
    /// The device did not answer: it was lost, or its memory is full.
    #[error("the device gave no result ({0}); start again with smaller batches, or choose the cpu device")]
    Execution(ExecutionError),
    #[error(transparent)]
    Batch(#[from] BatchError),
    #[error(transparent)]
    State(#[from] StateError),
    #[error("nothing can be learnt: no loss counts, or the identity loss counts and the model has no head")]
    NoLoss,
    #[error("the losses depend on nothing that moves at this depth; train deeper, or add the identity loss")]
    NothingMoves,
    #[error("the epoch {0} has no batches: there are too few images")]
    EmptyEpoch(usize),
    #[error("the batch has {found} {what} where {expected} are needed")]
    BatchShape { what: &'static str, found: usize, expected: usize },
    #[error("the label {label} is none of the head's {classes} identities")]
    Label { label: usize, classes: usize },
    #[error("images are needed: stored features serve only where the backbone does not move")]
    FeaturesMove,
    #[error("the teacher's features have {found} values and the model's {expected}: only their relation can be learnt")]
    TeacherDim { found: usize, expected: usize },
    #[error("training diverged: the loss of step {0}, or its gradient, is no number; lower the learning rate")]
    Diverged(usize),
}

impl TrainError {
    /// Whether smaller batches may do. burn tells it in words alone.
    pub fn is_out_of_memory(&self) -> bool {
        let Self::Execution(error) = self else { return false };
        let text = error.to_string().to_lowercase();
        ["out of memory", "out-of-memory", "out of device memory", "can't allocate"]
            .iter()
            .any(|word| text.contains(word))
    }
}

impl From<ExecutionError> for TrainError {
    fn from(error: ExecutionError) -> Self {
        Self::Execution(error)
    }
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// From 0.
    pub epoch: usize,
    /// From 0 and since the start, over all epochs.
    pub step: usize,
    /// All there will be.
    pub steps: usize,
    /// In this batch.
    pub images: usize,
    /// The weighted sum of the three.
    pub loss: f32,
    /// This and the following before their weights; 0 where the loss does not count.
    pub identity_loss: f32,
    pub triplet_loss: f32,
    pub distillation_loss: f32,
    /// The head's on this batch before the step, 0…1.
    pub accuracy: f32,
    /// The schedule's, before the backbone's factor.
    pub learning_rate: f64,
    /// Whether it was the epoch's last step.
    pub epoch_end: bool,
}

/// A model in training.
#[derive(Debug)]
pub struct Trainer<S> {
    config: TrainerConfig,
    model: ReIdentifierConfig,
    network: Network,
    optimizer: Optimizer,
    average: Option<Average>,
    /// The running statistics that move.
    statistics: Option<Arc<Layout>>,
    source: S,
    /// With autodiff.
    device: Device,
    epoch: usize,
    batch: usize,
    step: usize,
    /// Whether the source stands in this epoch.
    started: bool,
}

impl<S: BatchSource> Trainer<S> {
    /// Puts a model on a device to be trained. `tensors` may lack parameters of neck and head, such as a head for other
    /// identities; they start fresh, from the config's seed.
    ///
    /// # Errors
    /// When the tensors do not make up the model, or nothing would be learnt.
    pub fn new(
        config: TrainerConfig,
        model: &ReIdentifierConfig,
        tensors: &BTreeMap<String, weights::Tensor>,
        device: &ComputeDevice,
        source: S,
    ) -> Result<Self, TrainError> {
        let graph = model.graph()?;
        graph.shapes(model.input.height, model.input.width)?;
        let last = config.objective.reaches(&graph).ok_or(TrainError::NoLoss)?;
        let first = config.depth.first(&graph);
        let mut tensors = tensors.clone();
        for (index, parameter) in graph.parameters().iter().enumerate().filter(|(_, p)| p.role != Role::Backbone) {
            tensors.entry(parameter.name.clone()).or_insert_with(|| initial_tensor(parameter, index, config.seed));
        }
        let plain = &device.device;
        let device = plain.clone().autodiff();
        let mut network = Network::new(graph, &tensors, &device)?;
        network.set_moving(first..last + 1);
        let optimizer = Optimizer::new(&config.optimizer, &network, plain);
        if optimizer.is_empty() {
            return Err(TrainError::NothingMoves);
        }
        let statistics = Layout::new(network.moving_statistics()).map(Arc::new);
        let mut trainer = Self {
            config,
            model: model.clone(),
            network,
            optimizer,
            average: None,
            statistics,
            source,
            device,
            epoch: 0,
            batch: 0,
            step: 0,
            started: false,
        };
        trainer.average = trainer.config.ema.map(|decay| Average::new(decay, trainer.moving()));
        Ok(trainer)
    }

    /// The model that is trained.
    pub fn model(&self) -> &ReIdentifierConfig {
        &self.model
    }

    /// How it is trained.
    pub fn config(&self) -> &TrainerConfig {
        &self.config
    }

    /// All the steps there will be.
    pub fn steps(&self) -> usize {
        (self.config.schedule.epochs * self.source.batches_per_epoch() as f64).round().max(0.0) as usize
    }

    /// One optimiser step; `None` when the schedule's epochs are over.
    ///
    /// # Errors
    /// When a batch cannot be made or does not fit, the device is lost, or the loss or its gradient is no number. All is
    /// then as it was before the step: weights, running statistics, averages, the optimiser's memory, and the place in the
    /// schedule, so that the same batch comes next.
    pub async fn next_step(&mut self) -> Result<Option<Step>, TrainError> {
        // The forward pass moves the running statistics; these handles take that back.
        let names = self.statistics.iter().flat_map(|layout| layout.names());
        let statistics: Vec<_> = names.filter_map(|name| Some((name.to_owned(), self.network.value(name)?))).collect();
        let (epoch, batch) = (self.epoch, self.batch);
        let step = self.try_step().await;
        if step.is_err() {
            for (name, value) in statistics {
                self.network.set_value(&name, value);
            }
            self.enter(epoch, batch);
        }
        step
    }

    /// A step that on failure leaves moved running statistics and another place behind, and nothing else.
    async fn try_step(&mut self) -> Result<Option<Step>, TrainError> {
        let Some(batch) = self.next_batch()? else { return Ok(None) };
        let (epoch, step, steps) = (self.epoch, self.step, self.steps());
        let per_epoch = self.source.batches_per_epoch();
        let learning_rate = self.config.schedule.learning_rate(epoch as f64 + self.batch as f64 / per_epoch as f64);
        let images = batch.people.len();
        self.check(&batch)?;

        let teacher = self.teacher(&batch);
        let Batch { input, people, .. } = batch;
        let outputs = self.forward(input, images)?;
        let losses = self.config.objective.losses(&outputs, &people, teacher.as_ref())?;
        let gradients = self.optimizer.take_gradients(&self.network, &mut losses.total.backward());
        // A finite loss may have a gradient that is not.
        let sizes = gradients.iter().map(|gradient| gradient.clone().abs().sum()).collect();
        let values = losses.read(Tensor::cat(sizes, 0).sum()).await?;
        if !(values.total.is_finite() && values.gradient.is_finite()) {
            return Err(TrainError::Diverged(step));
        }
        let (rate, finetune) = (self.config.rate, self.model.finetune);
        let rates = |role| Graph::learning_rate(role, learning_rate, rate, finetune);
        self.optimizer.apply(&mut self.network, gradients, rates);
        if self.average.is_some() {
            let moving = self.moving();
            if let Some(average) = &mut self.average {
                average.update(step, moving);
            }
        }

        self.step += 1;
        self.batch += 1;
        let epoch_end = self.batch >= per_epoch;
        if epoch_end {
            self.enter(epoch + 1, 0);
        }
        Ok(Some(Step {
            epoch,
            step,
            steps,
            images,
            loss: values.total,
            identity_loss: values.identity,
            triplet_loss: values.triplet,
            distillation_loss: values.distillation,
            accuracy: values.accuracy,
            learning_rate,
            epoch_end,
        }))
    }

    /// Goes to a place in the schedule; the source follows when a batch is asked of it.
    fn enter(&mut self, epoch: usize, batch: usize) {
        (self.epoch, self.batch, self.started) = (epoch, batch, false);
    }

    fn next_batch(&mut self) -> Result<Option<Batch>, TrainError> {
        if self.step >= self.steps() {
            return Ok(None);
        }
        loop {
            if !self.started {
                self.source.start_epoch(self.epoch, self.batch);
                self.started = true;
            }
            if let Some(batch) = self.source.next_batch()? {
                return Ok(Some(batch));
            }
            // A source may end earlier than it said, but not before its first batch.
            if self.batch == 0 {
                return Err(TrainError::EmptyEpoch(self.epoch));
            }
            self.enter(self.epoch + 1, 0);
        }
    }

    fn check(&self, batch: &Batch) -> Result<(), TrainError> {
        let images = batch.people.len();
        let graph = self.network.graph();
        let same = |what, found, expected| {
            if found == expected { Ok(()) } else { Err(TrainError::BatchShape { what, found, expected }) }
        };
        match &batch.input {
            Input::Images { values, shape: [n, channels, height, width] } => {
                same("images", *n, images)?;
                same("channels", *channels, 3)?;
                same("values", values.len(), n * channels * height * width)?;
                graph.shapes(*height, *width)?;
            }
            Input::Features { values, dim } => {
                if self.config.depth != Depth::Quick {
                    return Err(TrainError::FeaturesMove);
                }
                let input = &self.model.input;
                let expected = graph.shapes(input.height, input.width)?[graph.feature].channels();
                same("values in a feature", *dim, expected)?;
                same("values", values.len(), images * dim)?;
            }
        }
        if let Some(head) = self.model.head {
            let classes = head.num_classes;
            if let Some(&label) = batch.people.iter().find(|&&label| label >= classes) {
                return Err(TrainError::Label { label, classes });
            }
        }
        if let Some((distillation, teacher)) = self.config.objective.distillation.as_ref().zip(batch.teacher.as_ref()) {
            same("values of the teacher", teacher.len(), teacher.len().next_multiple_of(images.max(1)))?;
            let (found, expected) = (teacher.len() / images.max(1), self.model.features_dim());
            if distillation.feature != 0.0 && found != expected {
                return Err(TrainError::TeacherDim { found, expected });
            }
        }
        Ok(())
    }

    /// The batch's teacher where one is learnt from; without any it is absent for every image.
    fn teacher(&self, batch: &Batch) -> Option<Teacher> {
        self.config.objective.distillation.as_ref()?;
        let images = batch.people.len();
        let values = batch.teacher.clone().unwrap_or_else(|| vec![0.0; images * self.model.features_dim()]);
        Some(Teacher::new(values, images, &self.device))
    }

    fn forward(&self, input: Input, images: usize) -> Result<Outputs, OpError> {
        match input {
            Input::Images { values, shape } => {
                self.network.forward(Tensor::from_data(TensorData::new(values, shape), &self.device), Mode::Train)
            }
            Input::Features { values, dim } => {
                let features = Tensor::from_data(TensorData::new(values, [images, dim]), &self.device);
                self.network.forward_feature(features, Mode::Train)
            }
        }
    }

    /// Everything that moves, end to end.
    fn moving(&self) -> Vec<(Arc<Layout>, Tensor<1>)> {
        let statistics = self.statistics.iter().map(|layout| {
            let value = |name: &str| {
                self.network.value(name).unwrap_or_else(|| unreachable!("the network names its own statistics: {name}"))
            };
            (layout.clone(), layout.join(|parameter| value(&parameter.name)))
        });
        self.optimizer.parameters().chain(statistics).collect()
    }

    /// Every tensor of the model now.
    ///
    /// # Errors
    /// When the device is lost.
    pub async fn tensors(&self) -> Result<BTreeMap<String, weights::Tensor>, TrainError> {
        Ok(self.network.tensors().await?)
    }

    /// The same with the averages in place of what was averaged; without averaging, [`Trainer::tensors`].
    ///
    /// # Errors
    /// When the device is lost.
    pub async fn averaged_tensors(&self) -> Result<BTreeMap<String, weights::Tensor>, TrainError> {
        let mut tensors = self.tensors().await?;
        if let Some(average) = &self.average {
            tensors.extend(average.tensors("").await?);
        }
        Ok(tensors)
    }

    /// Everything that is needed to continue exactly.
    ///
    /// # Errors
    /// When the device is lost.
    pub async fn state(&self) -> Result<TrainState, TrainError> {
        let own = self.tensors().await?.into_iter();
        let mut tensors: BTreeMap<_, _> =
            own.map(|(name, tensor)| (format!("{}{name}", TrainState::MODEL), tensor)).collect();
        tensors.extend(self.optimizer.state().await?);
        if let Some(average) = &self.average {
            tensors.extend(average.tensors(Average::PREFIX).await?);
        }
        Ok(TrainState { epoch: self.epoch, batch: self.batch, step: self.step, tensors })
    }

    /// Goes on where [`Trainer::state`] was called, which another trainer with the same settings may have done.
    ///
    /// # Errors
    /// When the state is another model's or made with other settings; the trainer is as before then.
    pub fn restore(&mut self, state: TrainState) -> Result<(), TrainError> {
        let plain = self.device.clone().inner();
        let mut network = Network::new(self.network.graph().clone(), &state.model(), &self.device)?;
        network.set_moving(self.network.moving());
        let mut optimizer = Optimizer::new(&self.config.optimizer, &network, &plain);
        optimizer.restore(state.step, &state.tensors)?;
        let average = self.average.as_ref().map(|average| average.restored(&state.tensors, &plain)).transpose()?;
        (self.network, self.optimizer, self.average) = (network, optimizer, average);
        self.step = state.step;
        self.enter(state.epoch, state.batch);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn want_of_memory_is_told_from_a_device_that_is_lost() {
        let error = |reason: &str| TrainError::from(ExecutionError::WithContext { reason: reason.to_owned() });
        assert!(error("out of device memory allocating 4096 bytes").is_out_of_memory());
        assert!(error("An out-of-memory error happened during launch").is_out_of_memory());
        assert!(!error("the device is lost").is_out_of_memory());
    }
}
