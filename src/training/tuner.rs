//! Fine-tuning on a user's own labelled photos: a few people, a few images of each, some hundred small steps.

use std::collections::BTreeMap;

use super::random::{Purpose, generator};
use super::{
    Batch, BatchError, BatchSource, ComputeDevice, Decay, Depth, Input, Objective, OptimizerConfig, Sampler,
    SamplerConfig, SamplerError, Schedule, Step, TrainError, Trainer, TrainerConfig, Triplet, Visits,
};
use crate::extract::{DeviceError, ExtractError, Extractor};
use crate::image::{Augment, AugmentError, Augmenter, Rgba, fit};
use crate::kernels::frozen::preprocess::ImageSizeError;
use crate::model::{Bottleneck, Head, ReIdentifierConfig};
use crate::weights;

/// What to learn from. All three have the same length.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    pub images: Vec<Rgba>,
    /// Who is on each image, numbered from 0 without gaps.
    pub people: Vec<usize>,
    /// `None` where it is unknown.
    pub cameras: Vec<Option<usize>>,
}

/// How to learn.
#[derive(Clone, Debug, PartialEq)]
pub struct TuneOptions {
    pub depth: Depth,
    pub steps: usize,
    /// Persons in a batch; fewer where there are fewer.
    pub people: usize,
    /// Images of each of them, at least 2.
    pub images: usize,
    /// Of neck and head; the backbone learns at a tenth. `None`: what suits the depth.
    pub learning_rate: Option<f64>,
    pub seed: u64,
}

/// Why fine-tuning cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum TuneError {
    #[error(
        "learning to tell people apart needs at least 2 people with 2 images each; {people} of the people here have 2 \
         images or more: label more photos"
    )]
    TooFewSamples { people: usize },
    #[error("there are {images} images, {people} persons and {cameras} cameras, and each image needs one of both")]
    Length { images: usize, people: usize, cameras: usize },
    #[error("a fine-tune needs at least 1 step, batches of 2 people with 2 images each, and a learning rate above 0")]
    Options,
    #[error("image {}: {source}", .index + 1)]
    Image { index: usize, source: ImageSizeError },
    #[error(transparent)]
    Sampler(#[from] SamplerError),
    #[error(transparent)]
    Augment(#[from] AugmentError),
    #[error(transparent)]
    Device(#[from] DeviceError),
    #[error(transparent)]
    Extract(#[from] ExtractError),
    #[error(transparent)]
    Train(#[from] TrainError),
}

/// TLL's `rate` of the backbone while fine-tuning.
const BACKBONE_RATE: f64 = 0.1;
/// A part of the steps, over which the rate rises.
const WARMUP: f64 = 0.1;
/// Images whose features are computed at once.
const CHUNK: usize = 16;

/// A model that learns from a user's samples, one pulled step at a time; dropping it leaves the model as it was.
#[derive(Debug)]
pub struct Tuner {
    trainer: Trainer<Source>,
}

impl Tuner {
    /// Makes ready to tune the model of `extractor`, which itself stays as it is.
    ///
    /// The classifier is a new one over the people of the samples. A model without a BN neck gets one, whose statistics are
    /// those of the samples, behind a bottleneck that starts as the identity: something has to move at
    /// [`Depth::Quick`], where the backbone does not.
    ///
    /// # Errors
    /// When there are fewer than two people with two images each, the options are out of range, or the device fails.
    pub async fn new(extractor: &Extractor, samples: Samples, options: &TuneOptions) -> Result<Self, TuneError> {
        let Samples { images, people, cameras } = samples;
        let count = images.len();
        if people.len() != count || cameras.len() != count {
            return Err(TuneError::Length { images: count, people: people.len(), cameras: cameras.len() });
        }
        let classes = people.iter().max().map_or(0, |&last| last + 1);
        let mut images_of = vec![0; classes];
        people.iter().for_each(|&person| images_of[person] += 1);
        let usable = images_of.iter().filter(|&&images| images >= 2).count();
        if usable < 2 {
            return Err(TuneError::TooFewSamples { people: usable });
        }
        let learns = options.learning_rate.is_none_or(|rate| rate.is_finite() && rate > 0.0);
        if options.steps == 0 || options.people < 2 || options.images < 2 || !learns {
            return Err(TuneError::Options);
        }

        let mut model = extractor.config().clone();
        let mut tensors = extractor.tensors().clone();
        let features = match (options.depth, model.neck) {
            (Depth::Deeper | Depth::Full, true) => None,
            _ => Some(Features::of(extractor, &images).await?),
        };
        if let Some(features) = features.as_ref().filter(|_| !model.neck) {
            add_neck(&mut model, &mut tensors, features);
        }
        tensors.retain(|name, _| !name.starts_with("head."));
        model.head = Some(Head { num_classes: classes, bias: false });

        let sampler = SamplerConfig {
            people: options.people.min(images_of.iter().filter(|&&images| images > 0).count()),
            images: options.images,
            images_per_epoch: None,
            visits: Visits::Equal,
        };
        let images_per_epoch = Some(options.steps * sampler.people * sampler.images);
        let sampler = SamplerConfig { images_per_epoch, ..sampler };
        let what = match (options.depth, features) {
            (Depth::Quick, Some(features)) => What::Features(features),
            _ => What::Images(Images::new(&model, &images)?),
        };
        let source = Source {
            sampler: Sampler::new(&people, &cameras, sampler, options.seed)?,
            what,
            people,
            seed: options.seed,
            batches: Vec::new().into_iter(),
            epoch: 0,
            step: 0,
        };
        // Where the CPU extracts, it learns too: from a GPU that failed nothing better is to be had.
        let device = ComputeDevice::on(extractor.device())?;
        let trainer = Trainer::new(config(options), &model, &tensors, &device, source)?;
        Ok(Self { trainer })
    }

    /// One step; `None` when all are done.
    ///
    /// # Errors
    /// As [`Trainer::next_step`].
    pub async fn next_step(&mut self) -> Result<Option<Step>, TrainError> {
        self.trainer.next_step().await
    }

    /// The tuned model, without the classifier: who the people were is nobody's business.
    ///
    /// # Errors
    /// When the device is lost.
    pub async fn model(&self) -> Result<(ReIdentifierConfig, BTreeMap<String, weights::Tensor>), TrainError> {
        let mut tensors = self.trainer.averaged_tensors().await?;
        tensors.retain(|name, _| !name.starts_with("head."));
        Ok((ReIdentifierConfig { head: None, ..self.trainer.model().clone() }, tensors))
    }
}

/// What suits a depth.
fn config(options: &TuneOptions) -> TrainerConfig {
    let (learning_rate, triplet) = match options.depth {
        // The triplet loss is on the feature, which does not move.
        Depth::Quick => (1e-3, None),
        Depth::Deeper => (1e-3, Some(Triplet { weight: 1.0, margin: None })),
        Depth::Full => (1e-3, Some(Triplet { weight: 1.0, margin: None })),
    };
    TrainerConfig {
        optimizer: OptimizerConfig::default(),
        schedule: Schedule {
            base_lr: options.learning_rate.unwrap_or(learning_rate),
            warmup_epochs: WARMUP,
            warmup_factor: 0.1,
            decay: Decay::Cosine { floor: 0.01 },
            epochs: 1.0,
        },
        rate: BACKBONE_RATE,
        objective: Objective { triplet, ..Objective::default() },
        depth: options.depth,
        ema: None,
        seed: options.seed,
    }
}

/// Gives a model a bottleneck that changes nothing and a BN neck that knows the samples' statistics.
fn add_neck(model: &mut ReIdentifierConfig, tensors: &mut BTreeMap<String, weights::Tensor>, features: &Features) {
    let has_bottleneck = model.bottleneck.is_some();
    let dim = model.features_dim();
    let (mean, variance) = features.statistics(dim);
    model.neck = true;
    model.bottleneck = model.bottleneck.or(Some(Bottleneck::linear(dim, false)));
    if !has_bottleneck {
        let identity = (0..dim * dim).map(|place| if place % (dim + 1) == 0 { 1.0 } else { 0.0 }).collect();
        tensors.insert("bottleneck.0.weight".into(), weights::Tensor { shape: vec![dim, dim], values: identity });
    }
    let mut vector = |name: &str, values| {
        tensors.insert(format!("bottleneck.1.{name}"), weights::Tensor { shape: vec![dim], values });
    };
    vector("weight", vec![1.0; dim]);
    vector("bias", vec![0.0; dim]);
    vector("running_mean", mean);
    vector("running_var", variance);
}

/// What the frozen backbone makes of every sample and of its mirror image.
#[derive(Debug)]
struct Features {
    /// `[images, 2, dim]`
    values: Vec<f32>,
    dim: usize,
    /// The embeddings without a neck, for its statistics, `[2 · images, embedding's dim]`.
    embeddings: Vec<f32>,
}

impl Features {
    async fn of(extractor: &Extractor, images: &[Rgba]) -> Result<Self, TuneError> {
        let mut found = Self { values: Vec::new(), dim: 0, embeddings: Vec::new() };
        for chunk in images.chunks(CHUNK) {
            let pairs: Vec<Rgba> = chunk.iter().flat_map(|image| [image.clone(), mirrored(image)]).collect();
            let (features, embeddings) = extractor.features(&pairs).await?;
            found.dim = features.len() / pairs.len();
            found.values.extend(features);
            found.embeddings.extend(embeddings);
        }
        Ok(found)
    }

    /// Mean and unbiased variance of each of the embedding's values.
    fn statistics(&self, dim: usize) -> (Vec<f32>, Vec<f32>) {
        let rows = || self.embeddings.chunks_exact(dim);
        let count = rows().len() as f32;
        let of = |value: usize| {
            let mean = rows().map(|row| row[value]).sum::<f32>() / count;
            let squares = rows().map(|row| (row[value] - mean).powi(2)).sum::<f32>();
            (mean, squares / (count - 1.0).max(1.0))
        };
        (0..dim).map(of).unzip()
    }
}

fn mirrored(image: &Rgba) -> Rgba {
    let row = image.width as usize * 4;
    let pixels = image.pixels.chunks_exact(row).flat_map(|row| row.rchunks_exact(4).flatten().copied()).collect();
    Rgba { pixels, ..image.clone() }
}

/// The samples at the network's size, to be changed at every step.
#[derive(Debug)]
struct Images {
    pixels: Vec<Vec<u8>>,
    augmenter: Augmenter,
}

impl Images {
    fn new(model: &ReIdentifierConfig, images: &[Rgba]) -> Result<Self, TuneError> {
        let frame = model.input.frame();
        let fitted = |(index, image)| fit(image, &frame).map_err(|source| TuneError::Image { index, source });
        let pixels = images.iter().enumerate().map(fitted).collect::<Result<_, _>>()?;
        Ok(Self { pixels, augmenter: Augmenter::new(Augment::default(), &model.input)? })
    }
}

#[derive(Debug)]
enum What {
    Features(Features),
    Images(Images),
}

/// The batches of one long epoch.
#[derive(Debug)]
struct Source {
    sampler: Sampler,
    what: What,
    people: Vec<usize>,
    seed: u64,
    batches: std::vec::IntoIter<Vec<usize>>,
    epoch: usize,
    step: u64,
}

impl BatchSource for Source {
    fn next_batch(&mut self) -> Result<Option<Batch>, BatchError> {
        let Some(batch) = self.batches.next() else { return Ok(None) };
        let mut rng = generator(self.seed, Purpose::Augment, self.epoch as u64, self.step);
        self.step += 1;
        let input = match &self.what {
            What::Features(Features { values, dim, .. }) => {
                let side = |index: &usize| {
                    let place = 2 * index + usize::from(rand::RngExt::random_bool(&mut rng, 0.5));
                    &values[place * dim..][..*dim]
                };
                Input::Features { values: batch.iter().flat_map(side).copied().collect(), dim: *dim }
            }
            What::Images(Images { pixels, augmenter }) => {
                let [height, width] = augmenter.size();
                let mut values = vec![0.0; batch.len() * 3 * height * width];
                let mut work = Vec::new();
                for (&index, out) in batch.iter().zip(values.chunks_exact_mut(3 * height * width)) {
                    augmenter.apply(&pixels[index], &mut rng, &mut work, out);
                }
                Input::Images { values, shape: [batch.len(), 3, height, width] }
            }
        };
        let people = batch.iter().map(|&index| self.people[index]).collect();
        Ok(Some(Batch { input, people, teacher: None }))
    }

    fn batches_per_epoch(&self) -> usize {
        self.sampler.batches_per_epoch()
    }

    fn start_epoch(&mut self, epoch: usize, skip_batches: usize) {
        self.batches = self.sampler.epoch(epoch).into_iter();
        (self.epoch, self.step) = (epoch, skip_batches as u64);
        if let Some(last) = skip_batches.checked_sub(1) {
            self.batches.nth(last);
        }
    }
}
