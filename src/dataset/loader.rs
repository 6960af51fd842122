//! Batches ahead of time: threads change the images of the next batches while the network learns from this one.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use serde::{Deserialize, Serialize};

use super::image_store::ImageStore;
use super::teacher::Teacher;
use super::training_set::TrainingSet;
use crate::image::{Augment, AugmentError, Augmenter};
use crate::model::InputConfig;
use crate::training::random::{Purpose, generator};
use crate::training::{Batch, BatchError, BatchSource, Input, Sampler, SamplerConfig, SamplerError};

/// How batches are made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoaderConfig {
    pub sampler: SamplerConfig,
    pub augment: Augment,
    /// Threads that work ahead, at least 1.
    pub threads: usize,
    /// Batches that each of them may be ahead.
    pub ahead: usize,
}

impl Default for LoaderConfig {
    fn default() -> Self {
        Self { sampler: SamplerConfig::default(), augment: Augment::default(), threads: 1, ahead: 4 }
    }
}

/// Why there are no batches.
#[derive(Debug, thiserror::Error)]
pub enum LoaderError {
    #[error(transparent)]
    Sampler(#[from] SamplerError),
    #[error(transparent)]
    Augment(#[from] AugmentError),
    #[error("the images were loaded for an input of {found:?} (height, width), and the network takes {expected:?}")]
    Size { found: [usize; 2], expected: [usize; 2] },
    #[error("there are {expected} images to train on and {found} in memory: load them anew")]
    Count { found: usize, expected: usize },
}

/// The batches of a training set. Before [`start_epoch`](BatchSource::start_epoch) there is none.
#[derive(Debug)]
pub struct Loader {
    images: Arc<Images>,
    sampler: Sampler,
    threads: usize,
    ahead: usize,
    running: Option<Running>,
}

/// What the threads read.
#[derive(Debug)]
struct Images {
    store: ImageStore,
    people: Vec<usize>,
    teacher: Option<Teacher>,
    augmenter: Augmenter,
    seed: u64,
}

/// The threads of an epoch: batch b is made by thread b mod n, so that they come in order without anyone sorting them.
#[derive(Debug)]
struct Running {
    receivers: Vec<Receiver<Batch>>,
    threads: Vec<JoinHandle<()>>,
    next: usize,
    count: usize,
}

impl Loader {
    /// `store` and `teacher` belong to `set`. The order and the changes of every epoch follow from `seed`.
    ///
    /// # Errors
    /// When the parts do not fit together or the configuration has no meaning.
    pub fn new(
        set: &TrainingSet,
        store: ImageStore,
        teacher: Option<Teacher>,
        input: &InputConfig,
        config: LoaderConfig,
        seed: u64,
    ) -> Result<Self, LoaderError> {
        let augmenter = Augmenter::new(config.augment, input)?;
        if store.size() != augmenter.size() {
            return Err(LoaderError::Size { found: store.size(), expected: augmenter.size() });
        }
        if store.len() != set.images.len() {
            return Err(LoaderError::Count { found: store.len(), expected: set.images.len() });
        }
        let people: Vec<usize> = set.images.iter().map(|image| image.person).collect();
        let cameras: Vec<Option<usize>> = set.images.iter().map(|image| image.camera).collect();
        Ok(Self {
            sampler: Sampler::new(&people, &cameras, config.sampler, seed)?,
            images: Arc::new(Images { store, people, teacher, augmenter, seed }),
            threads: config.threads.max(1),
            ahead: config.ahead.max(1),
            running: None,
        })
    }
}

impl BatchSource for Loader {
    fn next_batch(&mut self) -> Result<Option<Batch>, BatchError> {
        let Some(running) = self.running.as_mut().filter(|running| running.next < running.count) else {
            return Ok(None);
        };
        let receiver = &running.receivers[running.next % running.receivers.len()];
        let stopped = |_| BatchError {
            file: format!("batch {} of the epoch", running.next + 1),
            reason: "the thread that makes it could not start, or ended early".into(),
        };
        let batch = receiver.recv().map_err(stopped)?;
        running.next += 1;
        Ok(Some(batch))
    }

    fn batches_per_epoch(&self) -> usize {
        self.sampler.batches_per_epoch()
    }

    fn start_epoch(&mut self, epoch: usize, skip_batches: usize) {
        // Ends the threads of the epoch before.
        self.running = None;
        let batches = self.sampler.epoch(epoch);
        let mut running =
            Running { receivers: Vec::new(), threads: Vec::new(), next: skip_batches, count: batches.len() };
        let mut work: Vec<Vec<(usize, Vec<usize>)>> = vec![Vec::new(); self.threads];
        for (index, batch) in batches.into_iter().enumerate().skip(skip_batches) {
            work[index % self.threads].push((index, batch));
        }
        for work in work {
            let (sender, receiver) = sync_channel(self.ahead);
            let images = Arc::clone(&self.images);
            let run = move || images.make(epoch, work, &sender);
            running.receivers.push(receiver);
            // Without a thread the channel is closed, and the next batch an error.
            running.threads.extend(Builder::new().name("images".into()).spawn(run));
        }
        self.running = Some(running);
    }
}

impl Images {
    /// Makes batches until all are made or nobody wants them.
    fn make(&self, epoch: usize, work: Vec<(usize, Vec<usize>)>, sender: &SyncSender<Batch>) {
        let mut memory = Vec::new();
        for (index, batch) in work {
            if sender.send(self.batch(epoch, index, &batch, &mut memory)).is_err() {
                return;
            }
        }
    }

    fn batch(&self, epoch: usize, index: usize, batch: &[usize], memory: &mut Vec<u8>) -> Batch {
        let [height, width] = self.store.size();
        let size = 3 * height * width;
        let mut values = vec![0.0; batch.len() * size];
        for (place, (&image, out)) in batch.iter().zip(values.chunks_exact_mut(size)).enumerate() {
            let place = (index * batch.len() + place) as u64;
            let mut rng = generator(self.seed, Purpose::Augment, epoch as u64, place);
            self.augmenter.apply(self.store.image(image), &mut rng, memory, out);
        }
        let teacher = |teacher: &Teacher| batch.iter().flat_map(|&image| teacher.row(image)).copied().collect();
        Batch {
            input: Input::Images { values, shape: [batch.len(), 3, height, width] },
            people: batch.iter().map(|&image| self.people[image]).collect(),
            teacher: self.teacher.as_ref().map(teacher),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Threads that wait to send are told that nobody listens.
        self.receivers.clear();
        for thread in self.threads.drain(..) {
            // A panic has been told by the thread already.
            let _ = thread.join();
        }
    }
}
