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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::fixture::folder;
    use crate::image::Erase;
    use crate::step::Fit;
    use crate::training::data::training_set::Folder;

    const HEIGHT: usize = 8;
    const WIDTH: usize = 4;

    /// Four persons with four images each, whose grey is 10 · place.
    fn parts() -> (TrainingSet, ImageStore) {
        let names: Vec<String> = (0..16).map(|i| format!("{:04}_c{}_{i:02}.png", i / 4 + 1, i % 2 + 1)).collect();
        let mut greys: Vec<String> = names.clone();
        greys.sort();
        let grey = |name: &String| greys.iter().position(|other| other == name).expect("is there") as u8 * 10;
        let files: Vec<(&str, u8)> = names.iter().map(|name| (name.as_str(), grey(name))).collect();
        let root = folder(&files);
        let folders = [Folder { path: root.path().into(), validation_people: 0 }];
        let mut set = TrainingSet::read(&folders, 0).expect("reads");
        let (store, _) = ImageStore::load(&mut set, [HEIGHT, WIDTH], Fit::Stretch, &|_| {}).expect("loads");
        (set, store)
    }

    fn input() -> InputConfig {
        InputConfig { height: HEIGHT, width: WIDTH, mean: [0.0; 3], std: [1.0 / 255.0; 3], ..InputConfig::default() }
    }

    fn loader(augment: Augment, threads: usize) -> Loader {
        let (set, store) = parts();
        let sampler = SamplerConfig { people: 2, images: 2, images_per_epoch: Some(40), ..SamplerConfig::default() };
        let config = LoaderConfig { sampler, augment, threads, ahead: 2 };
        Loader::new(&set, store, None, &input(), config, 5).expect("a loader")
    }

    fn plain() -> Augment {
        Augment { pad: 0, flip: 0.0, erase: Erase { probability: 0.0, ..Erase::default() }, ..Augment::default() }
    }

    fn rest(loader: &mut Loader) -> Vec<Batch> {
        std::iter::from_fn(|| loader.next_batch().expect("no error")).collect()
    }

    #[test]
    fn labels_belong_to_their_images() {
        let mut loader = loader(plain(), 1);
        assert_eq!(loader.next_batch(), Ok(None));
        loader.start_epoch(0, 0);
        let batches = rest(&mut loader);
        assert_eq!((batches.len(), loader.batches_per_epoch()), (10, 10));
        for batch in &batches {
            let Input::Images { values, shape } = &batch.input else { panic!("images") };
            assert_eq!((*shape, values.len(), batch.people.len()), ([4, 3, HEIGHT, WIDTH], 4 * 96, 4));
            for (image, &person) in values.chunks(96).zip(&batch.people) {
                let grey = image[0].round();
                assert!(image.iter().all(|value| (value - grey).abs() < 1e-3));
                assert_eq!(grey as usize / 40, person);
            }
        }
        assert_eq!(loader.next_batch(), Ok(None));
    }

    #[test]
    fn threads_and_skipping_change_nothing() {
        let augment = Augment { pad: 64, ..Augment::default() };
        let mut one = loader(augment.clone(), 1);
        one.start_epoch(3, 0);
        let expected = rest(&mut one);
        let mut three = loader(augment, 3);
        // An epoch that is left early leaves nothing behind.
        three.start_epoch(2, 0);
        three.next_batch().expect("a batch");
        three.start_epoch(3, 0);
        assert_eq!(rest(&mut three), expected);
        three.start_epoch(3, 7);
        assert_eq!(rest(&mut three), expected[7..]);
        three.start_epoch(3, 99);
        assert_eq!(rest(&mut three), []);
        three.start_epoch(4, 0);
        assert_ne!(rest(&mut three), expected);
    }

    #[test]
    fn dropping_ends_the_threads() {
        let mut loader = loader(plain(), 2);
        loader.start_epoch(0, 0);
        loader.next_batch().expect("a batch");
        let images = Arc::downgrade(&loader.images);
        drop(loader);
        assert_eq!(images.strong_count(), 0);
    }

    #[test]
    fn a_teachers_rows_go_with_the_images() {
        let (set, store) = parts();
        let path = |index: usize| set.images[index].path.to_str().expect("plain").to_owned();
        // Image 1 points along x, image 2 along y, the others have none.
        let names = serde_json::json!([path(1), path(2)]).to_string();
        let values: Vec<u8> = [2.0_f32, 0.0, 0.0, 3.0].iter().flat_map(|value| value.to_le_bytes()).collect();
        let view =
            safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![2, 2], &values).expect("a tensor");
        let metadata = std::collections::HashMap::from([("names".to_owned(), names)]);
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), safetensors::serialize([("features", view)], Some(metadata)).expect("serialises"))
            .expect("writes");
        let teacher = Teacher::read(&[file.path().into()], &set, false).expect("reads");
        let sampler = SamplerConfig { people: 4, images: 4, ..SamplerConfig::default() };
        let config = LoaderConfig { sampler, augment: plain(), ..LoaderConfig::default() };
        let mut loader = Loader::new(&set, store, Some(teacher), &input(), config, 5).expect("a loader");
        loader.start_epoch(0, 0);
        let batch = loader.next_batch().expect("no error").expect("a batch");
        let Input::Images { values, .. } = &batch.input else { panic!("images") };
        let rows = batch.teacher.expect("a teacher");
        assert_eq!(rows.len(), 32);
        for (image, row) in values.chunks(96).zip(rows.chunks(2)) {
            let expected = match image[0].round() as usize / 10 {
                1 => [1.0, 0.0],
                2 => [0.0, 1.0],
                _ => [0.0, 0.0],
            };
            assert_eq!(row, expected);
        }
        assert_eq!(rows.iter().sum::<f32>(), 2.0);
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let (set, store) = parts();
        let refused = |set: &TrainingSet, input: &InputConfig, config| {
            Loader::new(set, store.clone(), None, input, config, 0).expect_err("refused")
        };
        let small = SamplerConfig { people: 2, images: 2, ..SamplerConfig::default() };
        let config = LoaderConfig { sampler: small, ..LoaderConfig::default() };
        let other = InputConfig { height: 16, ..input() };
        assert!(matches!(
            refused(&set, &other, config.clone()),
            LoaderError::Size { found: [8, 4], expected: [16, 4] }
        ));
        let mut fewer = set.clone();
        fewer.images.pop();
        assert!(matches!(refused(&fewer, &input(), config), LoaderError::Count { found: 16, expected: 15 }));
        assert!(matches!(refused(&set, &input(), LoaderConfig::default()), LoaderError::Sampler(_)));
    }
}
