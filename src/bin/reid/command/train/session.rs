//! A training run from its first step, or from where it was left, to its last.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Instant;

use webreid::extract::{DeviceChoice, ExtractError, Extractor};
use webreid::graph::{Parameter, Role};
use webreid::model::{InputConfig, ReIdentifierConfig};
use webreid::ranking::Adaptation;
use webreid::training::data::Loader;
use webreid::training::{ComputeDevice, TrainState, Trainer};
use webreid::weights::{Dialect, InputOptions, Precision, Recognised, Tensor, initial_tensors, to_safetensors};

use super::config::TrainConfig;
use super::curve;
use super::data::{Data, Measured};
use super::log::{Entry, Evaluation, Log};
use super::position::Position;
use super::progress::Progress;
use super::run::{Folder, Record};
use crate::command::error::CliError;
use crate::command::evaluation::{Task, evaluate};
use crate::command::{Outcome, interrupt, output, weights};

type Tensors = BTreeMap<String, Tensor>;

/// The tensor of a checkpoint that holds the [`Position`].
const POSITION: &str = "run/position";

/// What a stage begins with.
pub enum Start {
    /// Weights by the names of the network.
    Weights(Tensors),
    /// The middle of the stage, or its end.
    Resumed(TrainState),
}

/// A run.
pub struct Session {
    config: TrainConfig,
    record: Record,
    folder: Folder,
    log: Log,
    choice: DeviceChoice,
    device: ComputeDevice,
    data: Data,
    measured: Vec<Measured>,
    plot: bool,
    position: Position,
    /// The last of what an epoch writes could not be written.
    unsaved: bool,
}

impl Session {
    /// Opens the data and the device, and begins the run or finds the place where it goes on.
    pub async fn open(
        config: TrainConfig,
        resume: bool,
        choice: DeviceChoice,
        plot: bool,
    ) -> Result<(Self, Start), CliError> {
        let mut data = Data::read(&config)?;
        let measured = data.measured(&config)?;
        let begun = if resume { Some(Folder::open(&config.output)?) } else { None };
        let begun = match begun {
            Some((folder, before)) => {
                let (position, state) = read_checkpoint(&folder.checkpoint())?;
                Some((folder, before, position, state))
            }
            None => {
                Folder::refuse_used(&config.output)?;
                None
            }
        };
        // Which images there are is known for certain once they were read.
        let stage = begun.as_ref().map_or(0, |(_, _, position, _)| position.stage);
        if stage >= config.stage.len() {
            return Err(CliError::Changed { path: config.output, what: "`stage`".into() });
        }
        let init = if begun.is_none() { read_init(&config)? } else { None };
        let input =
            begun.as_ref().map(|(_, before, ..)| &before.input).or(init.as_ref().map(|(_, init)| &init.config.input));
        let fit = config.model.fit.or(input.map(|input| input.fit)).unwrap_or_default();
        data.load(&config, stage, fit)?;
        config.check_people(data.people()).map_err(|source| CliError::TrainValue { source })?;
        let mut record = Record { data: data.print(), input: InputConfig::default(), config: config.clone() };
        let device = ComputeDevice::open(choice).await?;
        weights::fallback(device.fallback.as_ref()).iter().for_each(|word| eprintln!("reid: {word}"));
        let (folder, log, position, start) = if let Some((folder, before, position, state)) = begun {
            if let Some(what) = record.first_change(&before, position.stage) {
                return Err(CliError::Changed { path: folder.path().into(), what });
            }
            record.input = before.input;
            folder.write_record(&record)?;
            let mut log = Log::read(folder.log())?;
            log.cut(position.stage + 1, position.epochs);
            (folder, log, position, Start::Resumed(state))
        } else {
            let network = config.network(0, data.people()).map_err(|source| CliError::TrainValue { source })?;
            let (tensors, input) = first_weights(&config, &network, init)?;
            record.input = InputConfig { fit, ..input };
            let folder = Folder::begin(&config.output, &record)?;
            let log = Log::new(folder.log());
            (folder, log, Position::default(), Start::Weights(tensors))
        };
        let session =
            Self { config, record, folder, log, choice, device, data, measured, plot, position, unsaved: false };
        Ok((session, start))
    }

    /// Trains to the end, or until Ctrl-C.
    pub async fn train(&mut self, mut start: Start) -> Result<Outcome, CliError> {
        loop {
            let Some(tensors) = self.stage(start).await? else { return Ok(Outcome::Interrupted) };
            if self.position.stage + 1 == self.config.stage.len() {
                break;
            }
            self.position = Position::start(self.position.stage + 1);
            start = Start::Weights(tensors);
        }
        self.draw()?;
        output::print(&format!("trained: {}", self.folder.model().display()))?;
        Ok(Outcome::of(self.data.unreadable()))
    }

    /// Trains a stage to its end; gives the (averaged) weights that the next one begins with, or none after a Ctrl-C.
    async fn stage(&mut self, start: Start) -> Result<Option<Tensors>, CliError> {
        let stage = self.position.stage;
        let network = self.network(stage)?;
        self.data.load(&self.config, stage, network.input.fit)?;
        let source = self.data.loader(&self.config, stage, &network.input)?;
        let config = self.config.trainer(stage);
        let (tensors, state) = match start {
            Start::Weights(tensors) => (tensors, None),
            Start::Resumed(state) => (state.model(), Some(state)),
        };
        let mut trainer = Trainer::new(config, &network, &tensors, &self.device, source)?;
        drop(tensors);
        if let Some(state) = state {
            trainer.restore(state)?;
        }
        let epochs = self.config.stage[stage].epochs;
        let mut progress = Progress::new(stage + 1, self.config.stage.len(), epochs);
        if self.position.is_between_epochs() && self.position.epochs > 0 {
            // An interruption may have come before the evaluation.
            self.evaluate(&trainer, &network, &mut progress).await?;
        }
        loop {
            if interrupt::requested() {
                progress.rest();
                self.save(&trainer, &network).await?;
                return Ok(None);
            }
            let started = Instant::now();
            let Some(step) = trainer.next_step().await? else { break };
            self.position.add(&step, started.elapsed());
            progress.step(&step, &self.position);
            if step.epoch_end {
                let started = Instant::now();
                self.end_epoch(&trainer, &network, &mut progress).await?;
                progress.pause(started.elapsed());
            }
        }
        progress.rest();
        if self.unsaved {
            self.save(&trainer, &network).await?;
        }
        Ok(Some(trainer.averaged_tensors().await?))
    }

    async fn end_epoch(
        &mut self,
        trainer: &Trainer<Loader>,
        network: &ReIdentifierConfig,
        progress: &mut Progress,
    ) -> Result<(), CliError> {
        let epoch = self.position.end_epoch();
        progress.epoch(&epoch);
        // The log first: of a line too many a resumed run gets rid, a missing one it cannot make up.
        let logged = self.log.add(Entry::Epoch(epoch));
        self.tolerate(logged, progress)?;
        let saved = self.save(trainer, network).await;
        self.unsaved = saved.is_err();
        self.tolerate(saved, progress)?;
        self.evaluate(trainer, network, progress).await?;
        let drawn = self.draw();
        self.tolerate(drawn, progress)
    }

    /// A file that cannot be written is no reason to stop: the next epoch tries again, and the last one insists.
    fn tolerate(&self, result: Result<(), CliError>, progress: &mut Progress) -> Result<(), CliError> {
        match result {
            Err(error @ CliError::Write { .. }) => {
                progress.line(&format!("reid: {error}; the training goes on and tries again after the next epoch"));
                Ok(())
            }
            result => result,
        }
    }

    /// Writes the checkpoint and the weights.
    async fn save(&mut self, trainer: &Trainer<Loader>, network: &ReIdentifierConfig) -> Result<(), CliError> {
        let mut state = trainer.state().await?;
        state.tensors.insert(POSITION.to_owned(), self.position.to_tensor());
        let path = self.folder.checkpoint();
        let bytes =
            state.to_bytes().map_err(|source| CliError::Checkpoint { path: path.clone(), source: source.into() })?;
        output::write(&path, &bytes)?;
        let path = self.folder.model();
        let model = self.model(trainer, network).await?;
        let bytes = to_safetensors(&model.config, &model.tensors, &model.provenance, Precision::F16)
            .map_err(|source| CliError::Weights { path: path.clone(), source })?;
        output::write(&path, &bytes)
    }

    /// The weights as they are to be used: averaged where they are averaged, without the head.
    async fn model(&self, trainer: &Trainer<Loader>, network: &ReIdentifierConfig) -> Result<Recognised, CliError> {
        let config = ReIdentifierConfig { head: None, ..network.clone() };
        let mut tensors = trainer.averaged_tensors().await?;
        let graph = config.graph().map_err(ExtractError::from)?;
        let names: BTreeSet<String> = graph.parameters().into_iter().map(|parameter| parameter.name).collect();
        tensors.retain(|name, _| names.contains(name));
        let folder = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let data: Vec<String> = self.config.data.iter().map(|data| folder(&data.path)).collect();
        let position = format!(
            "stage {} of {}, epoch {} of {}",
            self.position.stage + 1,
            self.config.stage.len(),
            self.position.epochs,
            self.config.stage[self.position.stage].epochs
        );
        let provenance = BTreeMap::from([
            ("source".to_owned(), "reid train".to_owned()),
            ("data".to_owned(), data.join(", ")),
            ("persons".to_owned(), self.record.data.people.to_string()),
            ("images".to_owned(), self.record.data.images.to_string()),
            ("trained".to_owned(), position),
        ]);
        Ok(Recognised {
            architecture: config.backbone.to_string(),
            config,
            dialect: Dialect::Webreid,
            tensors,
            missing: Vec::new(),
            unexpected: Vec::new(),
            assumed: Vec::new(),
            provenance,
            summary: String::new(),
        })
    }

    /// Measures the weights after an epoch on what is due and not in the log yet.
    async fn evaluate(
        &mut self,
        trainer: &Trainer<Loader>,
        network: &ReIdentifierConfig,
        progress: &mut Progress,
    ) -> Result<(), CliError> {
        let Position { stage, epochs, step, .. } = self.position;
        let due = epochs.is_multiple_of(self.config.evaluate.every) || epochs == self.config.stage[stage].epochs;
        let missing = |data: &&Measured| !self.log.has_evaluation(stage + 1, epochs, &data.name);
        let missing: Vec<&Measured> = self.measured.iter().filter(missing).collect();
        if !due || missing.is_empty() {
            return Ok(());
        }
        progress.rest();
        let extractor = Extractor::take(&mut self.model(trainer, network).await?, self.choice).await?;
        let fallback = weights::fallback(extractor.device().fallback());
        fallback.iter().for_each(|word| progress.line(&format!("reid: {word}")));
        let mut entries = Vec::new();
        for data in missing {
            let started = Instant::now();
            let cameras: Vec<Option<i32>> = data.dataset.images.iter().map(|image| image.camera).collect();
            let task = Task {
                dataset: &data.dataset,
                split: &data.split,
                cameras: &cameras,
                adaptation: Adaptation::default(),
                shots: data.protocol.shots(),
            };
            let scores = match evaluate(&extractor, &task, &data.name).await {
                Ok(evaluation) => evaluation.scores,
                // What is missing is made up for when the run goes on.
                Err(CliError::Interrupted) => break,
                Err(error) => {
                    progress.line(&format!("reid: evaluation of {}: {error}; the training goes on", data.name));
                    continue;
                }
            };
            let seconds = started.elapsed().as_secs_f64();
            let place = [stage + 1, epochs, step];
            let entry = Evaluation::new(place, &data.name, data.protocol.to_string(), scores, seconds);
            progress.evaluation(&entry);
            entries.push(Entry::Evaluation(entry));
        }
        for entry in entries {
            let logged = self.log.add(entry);
            self.tolerate(logged, progress)?;
        }
        Ok(())
    }

    /// Draws the log, where that was asked for.
    fn draw(&self) -> Result<(), CliError> {
        if !self.plot {
            return Ok(());
        }
        let epochs: Vec<usize> = self.config.stage.iter().map(|stage| stage.epochs).collect();
        let picture = curve::svg(self.log.entries(), &epochs).map_err(|error| CliError::Curve(error.to_string()))?;
        output::write(&self.folder.curve(), picture.as_bytes())
    }

    /// The model of a stage (from 0), with a head for the persons of the data.
    fn network(&self, stage: usize) -> Result<ReIdentifierConfig, CliError> {
        let network = self.config.network(stage, self.data.people());
        let mut network = network.map_err(|source| CliError::TrainValue { source })?;
        let InputConfig { mean, std, order, fit, .. } = self.record.input;
        network.input = InputConfig { mean, std, order, fit, ..network.input };
        Ok(network)
    }
}

/// The model of `model.init`.
fn read_init(config: &TrainConfig) -> Result<Option<(PathBuf, Recognised)>, CliError> {
    let Some(path) = &config.model.init else { return Ok(None) };
    let (order, range) = (config.model.init_order, config.model.init_range);
    let init = weights::read(path, &InputOptions { order, range, ..Default::default() })?;
    Ok(Some((path.clone(), init)))
}

/// Fresh weights, over which those of `init` are laid where name and shape agree; and how the input is normalised.
fn first_weights(
    config: &TrainConfig,
    network: &ReIdentifierConfig,
    init: Option<(PathBuf, Recognised)>,
) -> Result<(Tensors, InputConfig), CliError> {
    let mut tensors = initial_tensors(network, config.seed).map_err(ExtractError::from)?;
    let Some((path, init)) = init else { return Ok((tensors, network.input.clone())) };
    let headless = ReIdentifierConfig { head: None, ..network.clone() }.graph().map_err(ExtractError::from)?;
    let parameters = headless.parameters();
    let taken: Vec<&Parameter> = parameters.iter().filter(|parameter| fits(parameter, &init.tensors)).collect();
    // A neck of the same length says nothing.
    if taken.iter().all(|parameter| parameter.role != Role::Backbone) {
        return Err(CliError::ForeignInit { path, architecture: network.backbone.to_string() });
    }
    for Parameter { name, .. } in &taken {
        tensors.insert(name.clone(), init.tensors[name].clone());
    }
    eprintln!("init: {}", init.summary);
    init.words().iter().for_each(|word| eprintln!("init: {word}"));
    eprintln!("init: {} of the model's {} tensors are taken from it, the head apart", taken.len(), parameters.len());
    Ok((tensors, init.config.input))
}

fn fits(parameter: &Parameter, tensors: &Tensors) -> bool {
    tensors.get(&parameter.name).is_some_and(|tensor| tensor.shape == parameter.shape)
}

fn read_checkpoint(path: &Path) -> Result<(Position, TrainState), CliError> {
    let bytes = fs::read(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => CliError::NoRun { path: path.into(), source },
        _ => CliError::Read { path: path.into(), source },
    })?;
    let damaged = |source| CliError::Checkpoint { path: path.into(), source };
    let mut state = TrainState::from_bytes(&bytes).map_err(|error| damaged(error.into()))?;
    let position = state.tensors.remove(POSITION).as_ref().and_then(Position::from_tensor);
    let position = position.ok_or_else(|| damaged("it says nothing about where the run is".into()))?;
    Ok((position, state))
}
