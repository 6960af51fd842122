//! Networks that find people in photos.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::InputConfig;
use super::imported::check_nodes;
use super::reidentifier::{ConfigError, size};
use crate::graph::budget::{self, CHANNELS};
use crate::graph::frozen::{FreezeError, Frozen};
use crate::graph::{Graph, NodeId, Shape};
use crate::tensor::Tensor;

/// A network that finds people, as a graph with named outputs, and how these are read. It travels whole in the metadata of
/// the files we write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DetectorConfig {
    /// What the network is called.
    pub name: String,
    pub input: InputConfig,
    /// All parameters are called `backbone.*`.
    pub network: Graph,
    pub head: DetectorHead,
}

/// What a detector's outputs are. Each level lays a grid of places over the image, row by row, and says of each place how
/// likely something is there, and its box.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DetectorHead {
    /// The channel of the scores that is people's.
    pub person: usize,
    pub levels: Vec<Level>,
    pub boxes: BoxCode,
    pub scores: ScoreCode,
    /// Where in its cell a place's point lies, from the cell's top left corner, in cells: 0.5 is the middle. The point of
    /// column x is `(x + point) · stride` pixels from the left.
    pub point: f32,
}

/// A grid of places, `stride` pixels of the network's input apart: ⌈height / stride⌉ × ⌈width / stride⌉.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    pub stride: usize,
    /// The output `[places, classes]`, a channel for each class.
    pub scores: String,
    /// The output `[places, channels]` that [`BoxCode`] explains.
    pub boxes: String,
    /// The output `[places, 1]` that the scores are to be multiplied by, coded as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objectness: Option<String>,
}

/// How a place's box is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BoxCode {
    /// NanoDet's: the distances from the point to the left, top, right and bottom side, each as `count` numbers, of which the
    /// softmax says how likely 0, 1, 2 … strides are. The distance is what is expected of it.
    Bins { count: usize },
    /// RTMDet's: the distances from the point to the left, top, right and bottom side, in pixels of the network's input.
    Distances,
    /// YOLOX's: `x` and `y` of the middle from the point, in strides, and the logarithms of width and height in strides.
    Centre,
}

/// What the scores' numbers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScoreCode {
    /// 0…1
    Probability,
    /// Before the sigmoid.
    Logit,
}

/// The levels that a detector may have.
const MOST_LEVELS: usize = 16;

impl BoxCode {
    /// The channels of a place's box.
    pub fn channels(self) -> usize {
        match self {
            Self::Bins { count } => count.saturating_mul(4),
            Self::Distances | Self::Centre => 4,
        }
    }
}

impl Level {
    /// Rows and columns of the grid.
    pub fn grid(&self, input: &InputConfig) -> [usize; 2] {
        [input.height, input.width].map(|side| side.div_ceil(self.stride))
    }

    /// The names of its outputs: scores, boxes and, where there is one, objectness.
    pub fn outputs(&self) -> impl Iterator<Item = &str> {
        [&self.scores, &self.boxes].into_iter().chain(&self.objectness).map(String::as_str)
    }
}

impl DetectorConfig {
    /// The network ready to be run for images of its input's size. It gives the [outputs](Level::outputs) of all levels, level by
    /// level: each channels last, `[places, channels]`.
    ///
    /// # Errors
    /// When a tensor is missing or has another number of values; and what [`DetectorConfig::check`] refuses.
    pub fn freeze(&self, tensors: &BTreeMap<String, Tensor>) -> Result<Frozen, DetectorError> {
        self.check()?;
        let names = self.head.levels.iter().flat_map(Level::outputs);
        let outputs: Vec<NodeId> = names.filter_map(|name| self.network.outputs.get(name).copied()).collect();
        Ok(Frozen::new(&self.network, &outputs, tensors, self.input.height, self.input.width)?)
    }

    /// The shapes of the nodes' values.
    ///
    /// # Errors
    /// When this describes no detector: it may come from a file. Also when it takes too much memory or time.
    pub fn check(&self) -> Result<Vec<Shape>, ConfigError> {
        self.input.check()?;
        let shapes = check_nodes(&self.network.nodes, &self.input)?;
        budget::network(&self.network.nodes, &shapes)?;
        if self.network.outputs.values().any(|&output| output >= shapes.len()) {
            return Err(ConfigError::Head("an output is no node"));
        }
        let DetectorHead { person, levels, boxes, scores: _, point } = &self.head;
        size("the number of a detector's levels", levels.len(), 1..=MOST_LEVELS)?;
        size("the channels of a box", boxes.channels(), CHANNELS)?;
        if !(0.0..=1.0).contains(point) {
            return Err(ConfigError::Head("the point of a place lies outside of its cell"));
        }
        for level in levels {
            size("the stride of a detector's level", level.stride, 1..=1 << 12)?;
            let [rows, columns] = level.grid(&self.input);
            let of = |name: &String| {
                let output =
                    self.network.outputs.get(name).ok_or(ConfigError::Head("a level's output is not there"))?;
                let shape = shapes[*output];
                if shape.places() != rows * columns {
                    return Err(ConfigError::Head("a level's output has other places than its stride says"));
                }
                Ok(shape.channels())
            };
            if *person >= of(&level.scores)? {
                return Err(ConfigError::Head("the scores have no channel for people"));
            }
            if of(&level.boxes)? != boxes.channels() {
                return Err(ConfigError::Head("the boxes have other channels than they are said to be coded in"));
            }
            if level.objectness.as_ref().map(of).transpose()?.is_some_and(|channels| channels != 1) {
                return Err(ConfigError::Head("the objectness is not one number a place"));
            }
        }
        Ok(shapes)
    }
}

/// Why a detector cannot be made ready.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DetectorError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Freeze(#[from] FreezeError),
}
