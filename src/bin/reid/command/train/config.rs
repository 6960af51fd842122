//! The TOML file that says what to train: its keys, their defaults, and what is refused.
//!
//! The defaults are those of the Transfer-Learning-Library's supervised baseline, which follows "Bag of Tricks and A Strong
//! Baseline for Deep Person Re-identification" (arXiv 1903.07071).

use std::collections::BTreeSet;
use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use webreid::dataset::{Protocol, UnknownProtocol};
use webreid::image::{Augment, AugmentError, Augmenter};
use webreid::model::{
    BackboneConfig, Bottleneck, ChannelOrder, ConfigError, InputConfig, PRESETS, Pooling, ReIdentifierConfig, preset,
};
use webreid::step::Fit;
use webreid::training::data::{Folder, ImageStore, LoaderConfig};
use webreid::training::{
    Decay, Depth, Distillation, Objective, OptimizerConfig, SamplerConfig, Schedule, TrainerConfig, Triplet, Visits,
};
use webreid::weights::PixelRange;

use crate::command::error::CliError;

/// Of padding, more only makes black images.
const MAX_PAD: usize = 128;

/// Why a training config is refused. Every message names the key and what it may be.
#[derive(Debug, thiserror::Error)]
pub enum TrainConfigError {
    #[error("{0}")]
    Toml(Box<toml::de::Error>),
    #[error("{key} is {value}; {allowed}")]
    Value { key: String, value: String, allowed: String },
    #[error("[model] describes no network: {0}")]
    Model(#[from] ConfigError),
    #[error(transparent)]
    Augment(#[from] AugmentError),
}

/// The file, with paths as they are to be opened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// The folder for the weights, the checkpoint and the log.
    pub output: PathBuf,
    #[serde(default)]
    pub seed: u64,
    pub model: ModelConfig,
    /// Of a Market-1501 folder only `bounding_box_train/` is trained on; persons held out are evaluated.
    pub data: Vec<Folder>,
    /// Trained one after the other; the weights go on, the optimiser starts anew.
    pub stage: Vec<StageConfig>,
    #[serde(default)]
    pub optimizer: Optimizer,
    #[serde(default)]
    pub objective: ObjectiveConfig,
    pub teacher: Option<TeacherConfig>,
    #[serde(default)]
    pub evaluate: EvaluateConfig,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    pub preset: String,
    /// The channels of an OSNet's stem and three stages, or of a ResNet's stem and last layer, instead of the preset's.
    pub channels: Option<Vec<usize>>,
    /// The blocks of a ResNet's four layers, instead of the preset's.
    pub blocks: Option<[usize; 4]>,
    /// A ResNet's 1×1 convolution after its last layer, to so many channels.
    pub expansion: Option<usize>,
    /// The backbone's fully connected layer, instead of the preset's; 0 leaves it out.
    pub feature_dim: Option<usize>,
    /// A linear layer to so many features before the BN neck.
    pub bottleneck: Option<usize>,
    #[serde(default)]
    pub pooling: Pooling,
    /// The input of stages that say nothing else.
    #[serde(default = "height")]
    pub height: usize,
    #[serde(default = "width")]
    pub width: usize,
    /// What becomes of images of other proportions: "stretch", "letterbox", or "letterbox:#727272" with the colour around
    /// them. Without it as `init` takes them, otherwise they are stretched.
    pub fit: Option<Fit>,
    /// A checkpoint of any known dialect whose tensors the training starts from, where names and shapes agree.
    pub init: Option<PathBuf>,
    /// The order of the colours and the range of the pixels that `init` takes, where its file does not tell them.
    pub init_order: Option<ChannelOrder>,
    pub init_range: Option<PixelRange>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StageConfig {
    pub height: Option<usize>,
    pub width: Option<usize>,
    pub epochs: usize,
    /// Persons in a batch.
    pub people: usize,
    /// Images of each person in a batch.
    pub images: usize,
    /// Images that make an epoch; without it as many as there are.
    pub images_per_epoch: Option<usize>,
    /// How often a person comes up: "by-images" or "equal".
    pub visits: Visits,
    pub learning_rate: f64,
    /// The backbone learns at so many times the rate; without it at 0.2 when the weights come from `init`, otherwise at 1.
    pub backbone_rate: Option<f64>,
    /// Without it an eighth of the epochs.
    pub warmup_epochs: Option<f64>,
    /// The warm-up starts at so many times the rate.
    pub warmup_factor: f64,
    /// Without it a tenth at half and again at seven eighths of the epochs.
    pub decay: Option<DecayConfig>,
    /// What learns: "full", "deeper" (last stage, neck and head) or "quick" (neck and head).
    pub depth: DepthConfig,
    /// The decay, a step, of the moving average of the weights; 0 keeps none.
    pub ema: f64,
    pub augment: Augment,
}

impl Default for StageConfig {
    fn default() -> Self {
        Self {
            height: None,
            width: None,
            epochs: 80,
            people: 16,
            images: 4,
            images_per_epoch: None,
            visits: Visits::ByImages,
            learning_rate: 3.5e-4,
            backbone_rate: None,
            warmup_epochs: None,
            warmup_factor: 1.0 / 3.0,
            decay: None,
            depth: DepthConfig::Full,
            ema: 0.0,
            augment: Augment::default(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DepthConfig {
    Quick,
    Deeper,
    Full,
}

/// What becomes of the learning rate after the warm-up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum DecayConfig {
    Constant,
    /// Times `factor` at each of those epochs.
    MultiStep {
        milestones: Vec<f64>,
        #[serde(default = "tenth")]
        factor: f64,
    },
    /// Half a cosine down to `floor` times the rate.
    Cosine {
        #[serde(default)]
        floor: f64,
    },
}

impl StageConfig {
    /// 10 of 80 epochs, as in Bag of Tricks.
    fn warmup_epochs(&self) -> f64 {
        self.warmup_epochs.unwrap_or(self.epochs as f64 / 8.0)
    }

    /// At 40 and 70 of 80 epochs.
    fn decay(&self) -> DecayConfig {
        let milestones = || [0.5, 0.875].map(|part| self.epochs as f64 * part).to_vec();
        let default = || DecayConfig::MultiStep { milestones: milestones(), factor: tenth() };
        self.decay.clone().unwrap_or_else(default)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Optimizer {
    Adam(AdamConfig),
    Sgd(SgdConfig),
    Muon(MuonConfig),
}

impl Default for Optimizer {
    fn default() -> Self {
        Self::Adam(AdamConfig::default())
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamConfig {
    pub beta1: f64,
    pub beta2: f64,
    pub epsilon: f64,
    pub weight_decay: f64,
}

impl Default for AdamConfig {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 5e-4 }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SgdConfig {
    pub momentum: f64,
    pub weight_decay: f64,
    pub nesterov: bool,
}

impl Default for SgdConfig {
    fn default() -> Self {
        Self { momentum: 0.9, weight_decay: 5e-4, nesterov: false }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MuonConfig {
    pub momentum: f64,
    pub weight_decay: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub epsilon: f64,
}

impl Default for MuonConfig {
    fn default() -> Self {
        Self { momentum: 0.95, weight_decay: 0.0, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ObjectiveConfig {
    /// The weight of the cross-entropy over persons.
    pub identity: f64,
    pub label_smoothing: f64,
    /// The batch-hard triplet loss; weight 0 leaves it out.
    pub triplet: TripletConfig,
    /// Learning the teacher's similarities. Needs `[teacher]`.
    pub distillation: Option<DistillationConfig>,
}

impl Default for ObjectiveConfig {
    fn default() -> Self {
        Self { identity: 1.0, label_smoothing: 0.1, triplet: TripletConfig::default(), distillation: None }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TripletConfig {
    pub weight: f64,
    /// Without it the soft margin, log(1 + exp(d_ap − d_an)).
    pub margin: Option<f64>,
}

impl Default for TripletConfig {
    fn default() -> Self {
        Self { weight: 1.0, margin: None }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DistillationConfig {
    /// The weight of 1 − cos(embedding, teacher's feature), for which both need the same dimension.
    pub feature: f64,
    /// The weight of the squared difference between the similarities in a batch, the teacher's and the model's.
    pub relation: f64,
}

impl Default for DistillationConfig {
    fn default() -> Self {
        Self { feature: 0.0, relation: 1.0 }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeacherConfig {
    /// What `reid extract` wrote of the training images with one model, in one file or several.
    pub features: Vec<PathBuf>,
    /// Takes the features' mean away.
    #[serde(default)]
    pub centre: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EvaluateConfig {
    /// After every so many epochs of a stage, and after its last.
    pub every: usize,
    pub data: Vec<EvaluateData>,
}

impl Default for EvaluateConfig {
    fn default() -> Self {
        Self { every: 1, data: Vec::new() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluateData {
    pub path: PathBuf,
    /// As `reid evaluate --protocol`; without it the folder's own.
    pub protocol: Option<String>,
    /// What the log calls it, "validation" apart; without it the folder's name.
    pub name: Option<String>,
}

fn height() -> usize {
    InputConfig::default().height
}

fn width() -> usize {
    InputConfig::default().width
}

fn tenth() -> f64 {
    0.1
}

impl TrainConfig {
    /// Reads and checks the file; its paths are relative to its own folder.
    pub fn read(path: &Path) -> Result<Self, CliError> {
        let text = fs::read_to_string(path).map_err(|source| CliError::Read { path: path.into(), source })?;
        let refuse = |source| CliError::TrainConfig { path: path.into(), source };
        let mut config = Self::parse(&text).map_err(refuse)?;
        config.resolve(path.parent().unwrap_or(Path::new("")));
        Ok(config)
    }

    fn parse(text: &str) -> Result<Self, TrainConfigError> {
        let config: Self = toml::from_str(text).map_err(|error| TrainConfigError::Toml(Box::new(error)))?;
        config.check()?;
        Ok(config)
    }

    fn resolve(&mut self, folder: &Path) {
        let paths = [&mut self.output].into_iter();
        let paths = paths.chain(&mut self.model.init);
        let paths = paths.chain(self.data.iter_mut().map(|data| &mut data.path));
        let paths = paths.chain(self.teacher.iter_mut().flat_map(|teacher| &mut teacher.features));
        let paths = paths.chain(self.evaluate.data.iter_mut().map(|data| &mut data.path));
        paths.for_each(|path| *path = folder.join(&*path));
    }

    fn check(&self) -> Result<(), TrainConfigError> {
        if self.data.is_empty() {
            return Err(value("data", "empty", "at least one [[data]] with a path is needed"));
        }
        if self.stage.is_empty() {
            return Err(value("stage", "empty", "at least one [[stage]] is needed"));
        }
        for index in 0..self.stage.len() {
            self.check_stage(index)?;
        }
        let momentum = |name, value: f64| require((0.0..1.0).contains(&value), name, value, "0 or more, less than 1");
        match &self.optimizer {
            Optimizer::Adam(adam) => {
                momentum("optimizer.adam.beta1", adam.beta1)?;
                momentum("optimizer.adam.beta2", adam.beta2)?;
                require(positive(adam.epsilon), "optimizer.adam.epsilon", adam.epsilon, "more than 0")?;
                not_negative("optimizer.adam.weight_decay", adam.weight_decay)?;
            }
            Optimizer::Muon(muon) => {
                momentum("optimizer.muon.momentum", muon.momentum)?;
                momentum("optimizer.muon.beta1", muon.beta1)?;
                momentum("optimizer.muon.beta2", muon.beta2)?;
                require(positive(muon.epsilon), "optimizer.muon.epsilon", muon.epsilon, "more than 0")?;
                not_negative("optimizer.muon.weight_decay", muon.weight_decay)?;
            }
            Optimizer::Sgd(sgd) => {
                momentum("optimizer.sgd.momentum", sgd.momentum)?;
                not_negative("optimizer.sgd.weight_decay", sgd.weight_decay)?;
                let nesterov = !sgd.nesterov || sgd.momentum > 0.0;
                require(nesterov, "optimizer.sgd.nesterov", true, "false without momentum")?;
            }
        }
        self.check_objective()?;
        require(self.evaluate.every > 0, "evaluate.every", self.evaluate.every, "1 or more")?;
        for data in &self.evaluate.data {
            data.protocol().map(|_| ())?;
        }
        Ok(())
    }

    fn check_objective(&self) -> Result<(), TrainConfigError> {
        let objective = &self.objective;
        not_negative("objective.identity", objective.identity)?;
        let smoothing = objective.label_smoothing;
        require((0.0..1.0).contains(&smoothing), "objective.label_smoothing", smoothing, "0 or more, less than 1")?;
        not_negative("objective.triplet.weight", objective.triplet.weight)?;
        if let Some(margin) = objective.triplet.margin {
            not_negative("objective.triplet.margin", margin)?;
        }
        if let Some(distillation) = &objective.distillation {
            not_negative("objective.distillation.feature", distillation.feature)?;
            not_negative("objective.distillation.relation", distillation.relation)?;
        }
        let distilled = objective.distillation.as_ref().is_some_and(|d| d.feature > 0.0 || d.relation > 0.0);
        let any = objective.identity > 0.0 || objective.triplet.weight > 0.0 || distilled;
        require(any, "objective", "all of weight 0", "at least one of identity, triplet and distillation above 0")?;
        match (objective.distillation.is_some(), self.teacher.is_some()) {
            (true, false) => Err(value("teacher", "missing", "objective.distillation needs its features")),
            (false, true) => Err(value("objective.distillation", "missing", "without it [teacher] has no effect")),
            _ => Ok(()),
        }
    }

    fn check_stage(&self, index: usize) -> Result<(), TrainConfigError> {
        let stage = &self.stage[index];
        let require = |good: bool, name: &str, value: &dyn Display, allowed: &str| {
            require(good, &format!("stage {}: {name}", index + 1), value, allowed)
        };
        let count = "1 or more";
        require(stage.epochs > 0, "epochs", &stage.epochs, count)?;
        require(stage.people > 1, "people", &stage.people, "2 or more: a batch compares persons")?;
        require(stage.images > 1, "images", &stage.images, "2 or more: a batch compares images of a person")?;
        if let Some(images) = stage.images_per_epoch {
            let batch = stage.people * stage.images;
            require(images >= batch, "images_per_epoch", &images, &format!("a batch ({batch}) or more"))?;
        }
        require(positive(stage.learning_rate), "learning_rate", &stage.learning_rate, "more than 0")?;
        if let Some(rate) = stage.backbone_rate {
            require(
                positive(rate),
                "backbone_rate",
                &rate,
                "more than 0 (depth = \"quick\" leaves the backbone as it is)",
            )?;
        }
        let warmup = stage.warmup_epochs();
        let shorter = warmup >= 0.0 && warmup < stage.epochs as f64;
        require(shorter, "warmup_epochs", &warmup, "0 or more, less than its epochs")?;
        let factor = stage.warmup_factor;
        require(factor > 0.0 && factor <= 1.0, "warmup_factor", &factor, "more than 0, at most 1")?;
        match &stage.decay() {
            DecayConfig::Constant => {}
            DecayConfig::MultiStep { milestones, factor } => {
                let ascending = milestones.is_sorted() && milestones.iter().all(|&epoch| positive(epoch));
                let text = format!("{milestones:?}");
                require(ascending, "decay.multistep.milestones", &text, "epochs above 0 in ascending order")?;
                require(*factor > 0.0 && *factor <= 1.0, "decay.multistep.factor", factor, "more than 0, at most 1")?;
            }
            DecayConfig::Cosine { floor } => {
                require((0.0..=1.0).contains(floor), "decay.cosine.floor", floor, "0 or more, at most 1")?;
            }
        }
        require((0.0..1.0).contains(&stage.ema), "ema", &stage.ema, "0 (none) or more, less than 1")?;
        require(stage.augment.pad <= MAX_PAD, "augment.pad", &stage.augment.pad, &format!("at most {MAX_PAD}"))?;
        let network = self.network(index, 1)?;
        Augmenter::new(stage.augment.clone(), &network.input)?;
        Ok(())
    }

    /// Whether the persons that there are make up a batch of every stage, also of one that comes hours later.
    pub fn check_people(&self, people: usize) -> Result<(), TrainConfigError> {
        let fits = |(number, stage): (usize, &StageConfig)| {
            let allowed = format!("at most {people}, the persons to train on");
            require(stage.people <= people, &format!("stage {number}: people"), stage.people, &allowed)
        };
        (1..).zip(&self.stage).try_for_each(fits)
    }

    /// The model of a stage (from 0) with a head for so many persons, if the identity loss counts; 0 for none.
    pub fn network(&self, stage: usize, people: usize) -> Result<ReIdentifierConfig, TrainConfigError> {
        let model = &self.model;
        let unknown = || {
            let allowed = format!("the presets are {}", PRESETS.join(", "));
            value("model.preset", &format!("{:?}", model.preset), &allowed)
        };
        let classes = if self.objective.identity == 0.0 { 0 } else { people };
        let mut config = preset(&model.preset, classes).ok_or_else(unknown)?;
        match (&mut config.backbone, model.channels.as_deref()) {
            (_, None) => {}
            (BackboneConfig::Osnet(osnet), Some(&[stem, first, second, third])) => {
                osnet.channels = [stem, first, second, third];
            }
            (BackboneConfig::Resnet(resnet), Some(&[stem])) => resnet.width = stem,
            (BackboneConfig::Resnet(resnet), Some(&[stem, last])) => {
                (resnet.width, resnet.last_width) = (stem, Some(last))
            }
            (_, Some(channels)) => {
                let allowed =
                    "four widths of an OSNet; of a ResNet the stem's and, if it is not 8 times that, the last layer's";
                return Err(value("model.channels", &format!("{channels:?}"), allowed));
            }
        }
        match &mut config.backbone {
            BackboneConfig::Resnet(resnet) => (resnet.blocks, resnet.expansion) = (model.blocks, model.expansion),
            _ if model.blocks.is_some() || model.expansion.is_some() => {
                let given = format!("{:?}, {:?}", model.blocks, model.expansion);
                return Err(value("model.blocks, model.expansion", &given, "only a ResNet has them"));
            }
            _ => {}
        }
        if let Some(dim) = model.feature_dim {
            let dim = (dim > 0).then_some(dim);
            match &mut config.backbone {
                BackboneConfig::Osnet(osnet) => osnet.feature_dim = dim,
                BackboneConfig::Resnet(resnet) => resnet.feature_dim = dim,
                BackboneConfig::Vit(_) => {
                    let given = format!("{:?}", model.feature_dim);
                    return Err(value("model.feature_dim", &given, "only an OSNet and a ResNet have it"));
                }
                BackboneConfig::Imported(_) => unreachable!("a preset is not read from a file"),
            }
        }
        config.bottleneck = model.bottleneck.map(|dim| Bottleneck::linear(dim, true));
        config.pooling = model.pooling;
        let [height, width] = self.size(stage);
        if matches!(config.backbone, BackboneConfig::Vit(_)) && [height, width] != self.size(0) {
            let allowed = "those of the first stage: a vision transformer learns positions of one size";
            return Err(value(&format!("stage {}: height, width", stage + 1), &format!("{height}, {width}"), allowed));
        }
        let fit = model.fit.unwrap_or_default();
        config.input = InputConfig { height, width, filter: ImageStore::FILTER, fit, ..config.input };
        let fits = config.graph()?.shapes(height, width);
        fits.map_err(|reason| value("height, width", &format!("{height}, {width}"), &reason.to_string()))?;
        Ok(config)
    }

    /// Height and width of a stage's images (from 0).
    pub fn size(&self, stage: usize) -> [usize; 2] {
        let StageConfig { height, width, .. } = self.stage[stage];
        [height.unwrap_or(self.model.height), width.unwrap_or(self.model.width)]
    }

    /// What the backbone learns at, in a stage (from 0).
    fn backbone_rate(&self, stage: usize) -> f64 {
        const FINE_TUNED: f64 = 0.2;
        self.stage[stage].backbone_rate.unwrap_or(if self.model.init.is_some() { FINE_TUNED } else { 1.0 })
    }

    /// How batches are made in a stage (from 0).
    pub fn loader(&self, stage: usize) -> LoaderConfig {
        let StageConfig { people, images, images_per_epoch, visits, augment, .. } = self.stage[stage].clone();
        // Most of the cores are for the network.
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let sampler = SamplerConfig { people, images, images_per_epoch, visits };
        LoaderConfig { sampler, augment, threads: cores.div_ceil(4), ..LoaderConfig::default() }
    }

    /// How a stage (from 0) trains.
    pub fn trainer(&self, stage: usize) -> TrainerConfig {
        let rate = self.backbone_rate(stage);
        let stage = &self.stage[stage];
        let ObjectiveConfig { identity, label_smoothing, triplet, distillation } = &self.objective;
        TrainerConfig {
            optimizer: match self.optimizer {
                Optimizer::Adam(AdamConfig { beta1, beta2, epsilon, weight_decay }) => {
                    OptimizerConfig::Adam { beta1, beta2, epsilon, weight_decay }
                }
                Optimizer::Sgd(SgdConfig { momentum, weight_decay, nesterov }) => {
                    OptimizerConfig::Sgd { momentum, weight_decay, nesterov }
                }
                Optimizer::Muon(MuonConfig { momentum, weight_decay, beta1, beta2, epsilon }) => {
                    OptimizerConfig::Muon { momentum, weight_decay, beta1, beta2, epsilon }
                }
            },
            schedule: Schedule {
                base_lr: stage.learning_rate,
                warmup_epochs: stage.warmup_epochs(),
                warmup_factor: stage.warmup_factor,
                decay: match stage.decay() {
                    DecayConfig::Constant => Decay::Constant,
                    DecayConfig::MultiStep { milestones, factor } => Decay::MultiStep { milestones, factor },
                    DecayConfig::Cosine { floor } => Decay::Cosine { floor },
                },
                epochs: stage.epochs as f64,
            },
            rate,
            objective: Objective {
                identity: *identity,
                label_smoothing: *label_smoothing,
                triplet: (triplet.weight > 0.0).then_some(Triplet { weight: triplet.weight, margin: triplet.margin }),
                distillation: distillation.as_ref().map(|distillation| Distillation {
                    feature: distillation.feature,
                    relation: distillation.relation,
                }),
            },
            depth: match stage.depth {
                DepthConfig::Quick => Depth::Quick,
                DepthConfig::Deeper => Depth::Deeper,
                DepthConfig::Full => Depth::Full,
            },
            ema: (stage.ema > 0.0).then_some(stage.ema),
            seed: self.seed,
        }
    }

    /// Where a run of this config cannot go on with what it was before: the first key that differs among those that
    /// decide about the stages up to this one (from 0). Where files lie, and what is evaluated, may change; stages to come too.
    pub fn first_change(&self, before: &Self, stage: usize) -> Option<String> {
        let decisive = |config: &Self| {
            let mut config = config.clone();
            config.output = PathBuf::new();
            config.data.iter_mut().for_each(|data| data.path = PathBuf::new());
            config.teacher.iter_mut().for_each(|teacher| teacher.features = Vec::new());
            config.model.init.iter_mut().for_each(|path| *path = PathBuf::new());
            config.evaluate = EvaluateConfig::default();
            config.stage.truncate(stage + 1);
            // A default is the same as its value.
            for stage in &mut config.stage {
                (stage.warmup_epochs, stage.decay) = (Some(stage.warmup_epochs()), Some(stage.decay()));
            }
            serde_json::to_value(config).unwrap_or_default()
        };
        first_difference(&decisive(self), &decisive(before), String::new())
    }
}

impl TrainConfigError {
    /// Two evaluations that the log could not tell apart.
    pub fn same_name(name: &str) -> Self {
        value("evaluate.data: name", &format!("{name:?}"), "each needs a name of its own")
    }
}

impl EvaluateData {
    pub fn protocol(&self) -> Result<Option<Protocol>, TrainConfigError> {
        let Some(name) = &self.protocol else { return Ok(None) };
        let unknown =
            |error: UnknownProtocol| value("evaluate.data: protocol", &format!("{name:?}"), &error.to_string());
        name.parse().map(Some).map_err(unknown)
    }

    pub fn name(&self) -> String {
        let folder = || self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy().into_owned();
        self.name.clone().unwrap_or_else(folder)
    }
}

/// The path of the first value that is not the same.
fn first_difference(a: &Value, b: &Value, path: String) -> Option<String> {
    use Value::{Array, Object};
    let join = |key: &str| match path.chars().last() {
        None => key.to_owned(),
        Some(last) if last.is_ascii_digit() => format!("{path}: {key}"),
        Some(_) => format!("{path}.{key}"),
    };
    match (a, b) {
        (Object(a), Object(b)) => {
            let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            let missing = &Value::Null;
            keys.into_iter().find_map(|key| {
                first_difference(a.get(key).unwrap_or(missing), b.get(key).unwrap_or(missing), join(key))
            })
        }
        (Array(a), Array(b)) if a.len() == b.len() && a.iter().all(Value::is_object) => {
            let pairs = (1..).zip(a.iter().zip(b));
            pairs.into_iter().find_map(|(number, (a, b))| first_difference(a, b, format!("{path} {number}")))
        }
        _ => (a != b).then_some(path),
    }
}

fn value(key: &str, value: &str, allowed: &str) -> TrainConfigError {
    TrainConfigError::Value { key: key.into(), value: value.into(), allowed: allowed.into() }
}

fn require(good: bool, key: &str, found: impl Display, allowed: &str) -> Result<(), TrainConfigError> {
    let refuse = || value(key, &found.to_string(), &format!("it must be {allowed}"));
    if good { Ok(()) } else { Err(refuse()) }
}

fn positive(x: f64) -> bool {
    x > 0.0 && x.is_finite()
}

fn not_negative(key: &str, x: f64) -> Result<(), TrainConfigError> {
    require(x >= 0.0 && x.is_finite(), key, x, "0 or more")
}
