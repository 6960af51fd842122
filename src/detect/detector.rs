//! A detector on a device.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::decode::{NotANumber, decode};
use super::suppress::suppress;
use super::tiles::Part;
use super::view::{Taker, View};
use super::{Person, Tiles, TooManyTiles};
#[cfg(feature = "webgpu")]
use crate::graph::frozen::{Counters, GpuError};
use crate::graph::frozen::{Device, DeviceChoice, DeviceError, FreezeError, Network, NetworkError, Source};
use crate::graph::op::Split;
use crate::graph::{Graph, Node, NodeId, Role};
use crate::image::Rows;
use crate::kernels::frozen::preprocess::{self, ImageSizeError, Plan};
use crate::kernels::parallel;
use crate::model::{ConfigError, DetectorConfig};
use crate::tensor::Tensor;
use crate::weights::RecognisedDetector;

/// The least score of somebody whom the whole photo shows, unless asked otherwise: on a street, all of them are people.
const MIN_SCORE: f32 = 0.4;
/// The same of somebody in a tile: what is looked at more often, and larger, is mistaken more often. Nine of ten are people.
const MIN_SCORE_IN_TILES: f32 = 0.55;

/// The least height of somebody who is told, unless asked otherwise, in pixels of the photo: who is smaller cannot be
/// recognised, and what tiles show so small are mostly cones and signs.
const MIN_HEIGHT: f32 = 36.0;

/// Views that are taken in one pass over the photo. On a GPU they go through the network together: some 40 MB at 416×416.
const TOGETHER: usize = 8;

/// Why people could not be looked for.
#[derive(Debug, thiserror::Error)]
pub enum DetectError {
    #[error(transparent)]
    Device(#[from] DeviceError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Freeze(#[from] FreezeError),
    /// The device did not answer: it was lost, or its memory is full.
    #[cfg(feature = "webgpu")]
    #[error("{0}; start again, or choose the cpu device")]
    Gpu(#[from] GpuError),
    #[error(transparent)]
    Image(#[from] ImageSizeError),
    #[error(transparent)]
    Tiles(#[from] TooManyTiles),
    #[error("the detector gives values that are not numbers; its weights may be damaged")]
    NotANumber,
}

impl From<NetworkError> for DetectError {
    fn from(error: NetworkError) -> Self {
        match error {
            NetworkError::Device(error) => Self::Device(error),
            NetworkError::Freeze(error) => Self::Freeze(error),
            #[cfg(feature = "webgpu")]
            NetworkError::Gpu(error) => Self::Gpu(error),
        }
    }
}

impl From<NotANumber> for DetectError {
    fn from(NotANumber: NotANumber) -> Self {
        Self::NotANumber
    }
}

/// What to look for, and how closely.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DetectOptions {
    /// The least score of somebody who is told, 0 to 1. Unless it is given, 0.4 for whom the whole photo shows and 0.55 for whom
    /// only tiles show.
    pub min_score: Option<f32>,
    /// The least height of somebody who is told, in pixels of the photo; 36 by default.
    pub min_height: f32,
    pub tiles: Tiles,
}

impl Default for DetectOptions {
    fn default() -> Self {
        Self { min_score: None, min_height: MIN_HEIGHT, tiles: Tiles::Auto }
    }
}

/// A detector that is ready to look at photos. It computes in f32 on every device, so that all find the same people.
#[derive(Debug)]
pub struct Detector {
    config: DetectorConfig,
    network: Network,
}

impl Detector {
    /// Puts a detector on the device of a choice: [`Device::open`] and [`Detector::open_on`].
    ///
    /// # Errors
    /// When there is no such device, or none that computes right ([`DetectError::Device`]), or the tensors do not make up
    /// the detector.
    pub async fn open(recognised: &RecognisedDetector, choice: DeviceChoice) -> Result<Self, DetectError> {
        Self::open_on(recognised, &Device::open(choice).await?).await
    }

    /// Puts a detector on a device, beside whatever else computes there. A GPU first has to give the CPU's outputs for known
    /// inputs. Where any device will do, the CPU takes over from one that fails in whatever way, and [`Device::fallback`] says
    /// why.
    ///
    /// # Errors
    /// As [`Detector::open`].
    pub async fn open_on(recognised: &RecognisedDetector, device: &Device) -> Result<Self, DetectError> {
        Self::opened(recognised.config.clone(), recognised.tensors.clone(), device).await
    }

    /// The same, and takes the tensors out of what was recognised instead of copying them: there is one copy less in memory.
    ///
    /// # Errors
    /// As [`Detector::open`]; the tensors are gone then as well.
    pub async fn take_on(recognised: &mut RecognisedDetector, device: &Device) -> Result<Self, DetectError> {
        Self::opened(recognised.config.clone(), std::mem::take(&mut recognised.tensors), device).await
    }

    async fn opened(
        config: DetectorConfig,
        tensors: BTreeMap<String, Tensor>,
        device: &Device,
    ) -> Result<Self, DetectError> {
        let source = source(&config, tensors)?;
        let network = Network::open(source, device.clone().in_single()).await.map_err(NetworkError::of_opening)?;
        Ok(Self { config, network })
    }

    pub fn config(&self) -> &DetectorConfig {
        &self.config
    }

    /// The device at work.
    pub fn device(&self) -> &Device {
        self.network.device()
    }

    /// What the GPU has done for this detector so far and holds for it; `None` on the CPU.
    #[cfg(feature = "webgpu")]
    pub fn counters(&self) -> Option<Counters> {
        self.network.counters()
    }

    /// The people in an upright photo, best first; nobody is no error. Boxes end where the photo ends.
    ///
    /// # Errors
    /// When the photo has no pixels, or would be cut into too many tiles; when the device is lost or out of memory, or a
    /// value is not a number.
    pub async fn detect(&self, photo: &impl Rows, options: DetectOptions) -> Result<Vec<Person>, DetectError> {
        let size = [photo.width(), photo.height()];
        if size.contains(&0) {
            return Err(ImageSizeError { width: size[0], height: size[1], bytes: 0 }.into());
        }
        let input = &self.config.input;
        // What the network is given is no more than a picture of some millions of pixels.
        let tiles = options.tiles.of(size, input.width.max(input.height) as u32)?;
        let parts = std::iter::once(Part::whole(size)).chain(tiles);
        let views: Vec<View> = parts.map(|part| View::new(part, input.frame())).collect();
        let mut candidates = Vec::new();
        for (round, views) in views.chunks(TOGETHER).enumerate() {
            let pictures = pictures(photo, views)?;
            let at_once = self.at_once();
            for (part, pictures) in pictures.chunks(at_once).enumerate() {
                let outputs = self.network.run(&self.inputs(pictures)).await?;
                for (place, view) in views[part * at_once..].iter().take(pictures.len()).enumerate() {
                    let of_view = |output: &'_ Vec<f32>| {
                        let length = output.len() / pictures.len();
                        place * length..(place + 1) * length
                    };
                    let outputs: Vec<&[f32]> = outputs.iter().map(|output| &output[of_view(output)]).collect();
                    let place = round * TOGETHER + part * at_once + place;
                    let usual = if place == 0 { MIN_SCORE } else { MIN_SCORE_IN_TILES };
                    let found = decode(&self.config.head, input, &outputs, options.min_score.unwrap_or(usual))?;
                    let found = found.into_iter().filter_map(|found| view.candidate(found, place, size));
                    candidates.extend(found.filter(|candidate| candidate.person_box.height >= options.min_height));
                }
            }
        }
        let people = suppress(candidates).into_iter();
        Ok(people.map(|person| Person { person_box: person.person_box, score: person.score }).collect())
    }

    /// How many views go through the network together: more than it works on at a time would only lie in memory.
    fn at_once(&self) -> usize {
        if self.device().is_gpu() { TOGETHER } else { parallel::threads().clamp(1, TOGETHER) }
    }

    /// The network's input `[n, 3, height, width]` for views of a photo.
    fn inputs(&self, pictures: &[Vec<u8>]) -> Vec<f32> {
        let plan: Plan = self.config.input.plan();
        let mut inputs = Vec::with_capacity(pictures.len() * 3 * plan.frame.width * plan.frame.height);
        pictures.iter().for_each(|picture| inputs.extend(preprocess::normalised(&plan, picture)));
        inputs
    }
}

/// Views of a photo, in one pass over it.
fn pictures(photo: &impl Rows, views: &[View]) -> Result<Vec<Vec<u8>>, ImageSizeError> {
    let mut takers: Vec<Taker> = views.iter().map(View::taker).collect();
    let (mut y, row_bytes) = (0, 4 * photo.width() as usize);
    photo.for_each_row(|row| {
        if row.len() == row_bytes {
            takers.iter_mut().for_each(|taker| taker.push(y, row));
            y += 1;
        }
    });
    if y != photo.height() {
        let (width, height) = (photo.width(), photo.height());
        return Err(ImageSizeError { width, height, bytes: row_bytes * y as usize });
    }
    Ok(takers.into_iter().map(Taker::finish).collect())
}

/// The network with the outputs of all levels, of whose scores only people's are computed to the end.
fn source(config: &DetectorConfig, tensors: BTreeMap<String, Tensor>) -> Result<Source, DetectError> {
    let shapes = config.check()?;
    let mut graph: Graph = config.network.clone();
    let mut outputs = Vec::new();
    for level in &config.head.levels {
        for name in level.outputs() {
            // The check found it.
            let Some(&output) = config.network.outputs.get(name) else { continue };
            let is_of_all = name == level.scores && shapes[output].channels() > 1;
            outputs.push(if is_of_all { person(&mut graph, output, config.head.person) } else { output });
        }
    }
    let [height, width] = [config.input.height, config.input.width];
    Ok(Source { graph, outputs, tensors: Arc::new(tensors), height, width })
}

/// Appends a node that gives one channel of a value.
fn person(graph: &mut Graph, scores: NodeId, person: usize) -> NodeId {
    let values = graph.nodes.iter().map(|node| node.op.values()).sum();
    graph.nodes.push(Node { op: Split::run(person, 1).into(), inputs: vec![scores], role: Role::Backbone });
    values
}
