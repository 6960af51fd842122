//! The images of a run: those to train on, and those that the model is measured on.

use std::collections::BTreeSet;

use webreid::dataset::{Dataset, Protocol, Split};
use webreid::model::InputConfig;
use webreid::step::Fit;
use webreid::training::data::{ImageStore, Loader, Teacher, TrainingSet};

use super::config::{TrainConfig, TrainConfigError};
use super::run::DataPrint;
use crate::command::error::CliError;
use crate::command::progress::Progress;

/// What the log calls the persons who are held out.
const VALIDATION: &str = "validation";

/// Images that the model is measured on.
pub struct Measured {
    pub name: String,
    pub protocol: Protocol,
    pub dataset: Dataset,
    pub split: Split,
}

/// The images to train on.
pub struct Data {
    set: TrainingSet,
    /// In the size of the stage that comes next.
    store: Option<ImageStore>,
    unreadable: usize,
}

impl Data {
    /// Reads the names.
    pub fn read(config: &TrainConfig) -> Result<Self, CliError> {
        let set = TrainingSet::read(&config.data, config.seed)?;
        for folder in &set.folders {
            let mut text =
                format!("data: {}: {} persons, {} images", folder.path.display(), folder.people, folder.images);
            text += &match folder.cameras {
                0 => ", no cameras".to_owned(),
                count => format!(", {count} cameras"),
            };
            if folder.validation_people > 0 {
                text +=
                    &format!("; {} persons, {} images held out", folder.validation_people, folder.validation_images);
            }
            if folder.unused > 0 {
                text += &format!("; {} images of no person", folder.unused);
            }
            eprintln!("{text}");
            folder.words.iter().for_each(|words| eprintln!("data: {}: {words}", folder.path.display()));
        }
        Ok(Self { set, store: None, unreadable: 0 })
    }

    /// Decodes the images in the size of a stage (from 0), unless they are there. What cannot be read is told and left out.
    pub fn load(&mut self, config: &TrainConfig, stage: usize, fit: Fit) -> Result<(), CliError> {
        let [height, width] = config.size(stage);
        if self.store.as_ref().is_some_and(|store| store.size() == [height, width]) {
            return Ok(());
        }
        // Not both at once.
        self.store = None;
        let progress = Progress::new(self.set.images.len(), "images");
        let (store, unreadable) = ImageStore::load(&mut self.set, [height, width], fit, &|done| progress.set(done))?;
        progress.end();
        for image in &unreadable {
            eprintln!("reid: {}: {}", image.path.display(), image.reason);
        }
        if !unreadable.is_empty() {
            eprintln!("reid: {} images could not be read and are left out", unreadable.len());
        }
        self.unreadable += unreadable.len();
        self.store = Some(store);
        Ok(())
    }

    /// The batches of a stage (from 0) whose images were [loaded](Self::load).
    pub fn loader(&mut self, config: &TrainConfig, stage: usize, input: &InputConfig) -> Result<Loader, CliError> {
        self.load(config, stage, input.fit)?;
        let Some(store) = self.store.take() else { unreachable!("the images were loaded") };
        let teacher = config.teacher.as_ref();
        let teacher = teacher.map(|teacher| Teacher::read(&teacher.features, &self.set, teacher.centre)).transpose()?;
        if let Some(teacher) = &teacher {
            eprintln!("teacher: {} of {} images have features", teacher.matched(), self.set.images.len());
        }
        // Each stage sees other batches.
        let seed = config.seed.wrapping_add(stage as u64);
        Ok(Loader::new(&self.set, store, teacher, input, config.loader(stage), seed)?)
    }

    pub fn people(&self) -> usize {
        self.set.people()
    }

    /// How many images could not be read.
    pub fn unreadable(&self) -> usize {
        self.unreadable
    }

    pub fn print(&self) -> DataPrint {
        DataPrint::new(self.people(), self.set.images.iter().map(|image| image.path.as_path()))
    }

    /// The datasets of `[evaluate]`, and the persons who are held out.
    pub fn measured(&self, config: &TrainConfig) -> Result<Vec<Measured>, CliError> {
        let mut all = Vec::new();
        if !self.set.validation.images.is_empty() {
            all.push((VALIDATION.to_owned(), self.set.validation.clone(), None));
        }
        for data in &config.evaluate.data {
            let protocol = data.protocol().map_err(|source| CliError::TrainValue { source })?;
            let dataset = Dataset::read(&data.path)?;
            dataset.words.iter().for_each(|words| eprintln!("evaluate.data: {}: {words}", data.name()));
            all.push((data.name(), dataset, protocol));
        }
        let mut names = BTreeSet::new();
        let measured = |(name, dataset, protocol): (String, Dataset, Option<Protocol>)| {
            if !names.insert(name.clone()) {
                return Err(CliError::TrainValue { source: TrainConfigError::same_name(&name) });
            }
            let protocol = protocol.unwrap_or_else(|| Protocol::natural(&dataset));
            let split = protocol.split(&dataset)?;
            Ok(Measured { name, protocol, dataset, split })
        };
        all.into_iter().map(measured).collect()
    }
}
