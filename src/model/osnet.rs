//! OSNet: omni-scale feature learning (Zhou et al., arXiv 1905.00953), with torchreid's parameter names.

use serde::{Deserialize, Serialize};

use super::reidentifier::{ConfigError, size};
use crate::graph::budget::CHANNELS;
use crate::graph::{Builder, Convolution2d, Padding, Pool, Value};

/// The sizes of an OSNet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OsnetConfig {
    /// The channels of conv1 and of the three stages: `[64, 256, 384, 512]` at width 1.
    pub channels: [usize; 4],
    /// The outputs of the fully connected layer; without it the backbone ends in the feature map of conv5.
    pub feature_dim: Option<usize>,
    /// OSNet-IBN: instance normalisation in the stem and after the blocks of the first stage.
    pub instance_norm: bool,
    /// OSNet-AIN (Zhou et al., arXiv 1910.06827): instance normalisation in the stem and, in these blocks of each stage,
    /// of the branch before it joins the identity, in place of its batch norm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adaptive: Option<[[bool; BLOCKS]; 3]>,
}

/// The blocks of a stage.
const BLOCKS: usize = 2;

/// The middle of a block has a quarter of its output channels.
const BOTTLENECK_REDUCTION: usize = 4;
/// The aggregation gate's hidden layer has a sixteenth of the channels it gates.
const GATE_REDUCTION: usize = 16;
/// The four streams see 1 to 4 Lite 3×3 convolutions.
const STREAMS: [char; 4] = ['a', 'b', 'c', 'd'];

impl OsnetConfig {
    /// OSNet at a width in quarters: 1 → x0.25 … 4 → x1.0, with the 512-d feature of the published models.
    pub fn quarters(quarters: usize) -> Self {
        Self {
            channels: [16, 64, 96, 128].map(|channels| channels * quarters),
            feature_dim: Some(512),
            instance_norm: false,
            adaptive: None,
        }
    }

    /// The blocks that normalise within in every published OSNet-AIN.
    pub const AIN: [[bool; BLOCKS]; 3] = [[true, true], [false, true], [true, false]];

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        size("the stem of the OSNet", self.channels[0], CHANNELS)?;
        for channels in &self.channels[1..] {
            // Less would leave the gate without a hidden layer.
            size("a stage of the OSNet", *channels, BOTTLENECK_REDUCTION * GATE_REDUCTION..=*CHANNELS.end())?;
        }
        self.feature_dim.map_or(Ok(()), |dim| size("the feature of the OSNet", dim, CHANNELS))
    }

    /// Appends the backbone; gives `[n, feature_dim]`, or the map `[n, channels[3], h / 16, w / 16]` without one.
    pub(super) fn build(&self, b: &mut Builder, image: Value) -> Value {
        let name = "backbone";
        let stem = Convolution2d { kernel: 7, stride: 2, padding: 3, ..Default::default() };
        let x = b.convolution(format!("{name}.conv1.conv"), image, self.channels[0], stem);
        let x = if self.instance_norm || self.adaptive.is_some() {
            b.instance_norm(format!("{name}.conv1.bn"), x)
        } else {
            b.batch_norm(format!("{name}.conv1.bn"), x)
        };
        let x = b.relu(x);
        let mut x = b.max_pool(
            x,
            Pool { kernel: [3; 2], stride: [2; 2], padding: Padding::all(1), ceil: false, count_padding: true },
        );
        for (stage, &channels) in self.channels[1..].iter().enumerate() {
            let index = stage + 2;
            if stage == 2 {
                b.begin_last_stage();
            }
            for block in 0..BLOCKS {
                let norm = match self.adaptive {
                    Some(within) if within[stage][block] => BlockNorm::Within,
                    None if self.instance_norm && stage == 0 => BlockNorm::After,
                    _ => BlockNorm::Batch,
                };
                let block =
                    OsBlock { name: format!("{name}.conv{index}.{block}"), norm, adaptive: self.adaptive.is_some() };
                x = block.build(b, x, channels);
            }
            if stage < 2 {
                let transition = match self.adaptive {
                    None => format!("{name}.conv{index}.2.0"),
                    Some(_) => format!("{name}.pool{index}.0"),
                };
                x = conv_bn_relu(b, &transition, x, channels);
                x = b.average_pool(
                    x,
                    Pool { kernel: [2; 2], stride: [2; 2], padding: Padding::NONE, ceil: false, count_padding: true },
                );
            }
        }
        let x = conv_bn_relu(b, &format!("{name}.conv5"), x, self.channels[3]);
        let Some(dim) = self.feature_dim else { return x };
        let x = b.global_average_pool(x);
        let x = b.linear(format!("{name}.fc.0"), x, dim, true);
        let x = b.batch_norm(format!("{name}.fc.1"), x);
        b.relu(x)
    }
}

fn conv_bn(b: &mut Builder, name: &str, x: Value, channels: usize) -> Value {
    let x = b.convolution(format!("{name}.conv"), x, channels, Convolution2d::default());
    b.batch_norm(format!("{name}.bn"), x)
}

fn conv_bn_relu(b: &mut Builder, name: &str, x: Value, channels: usize) -> Value {
    let x = conv_bn(b, name, x, channels);
    b.relu(x)
}

/// Lite 3×3: pointwise, then depthwise 3×3, batch norm, ReLU.
fn lite(b: &mut Builder, name: &str, x: Value) -> Value {
    let channels = x.channels;
    let depthwise = Convolution2d { kernel: 3, padding: 1, groups: channels, ..Default::default() };
    let x = b.convolution(format!("{name}.conv1"), x, channels, Convolution2d::default());
    let x = b.convolution(format!("{name}.conv2"), x, channels, depthwise);
    let x = b.batch_norm(format!("{name}.bn"), x);
    b.relu(x)
}

/// The aggregation gate, shared by the four streams: channel weights from the stream's own mean.
fn gate(b: &mut Builder, name: &str, x: Value) -> Value {
    let hidden = x.channels / GATE_REDUCTION;
    // torchreid writes these two as 1×1 convolutions of a 1×1 map; over vectors they are linear layers.
    let g = b.global_average_pool(x);
    let g = b.linear(format!("{name}.fc1"), g, hidden, true);
    let g = b.relu(g);
    let g = b.linear(format!("{name}.fc2"), g, x.channels, true);
    let g = b.sigmoid(g);
    b.multiply(x, g)
}

/// How a block of an OSNet normalises, beside the batch norms of its layers.
#[derive(Clone, Copy, PartialEq)]
enum BlockNorm {
    Batch,
    /// IBN: the sum with the identity is instance normalised.
    After,
    /// AIN: the branch is, instead of by its last batch norm.
    Within,
}

struct OsBlock {
    name: String,
    norm: BlockNorm,
    /// OSNet-AIN's, whose streams are called otherwise.
    adaptive: bool,
}

impl OsBlock {
    fn build(&self, b: &mut Builder, x: Value, channels: usize) -> Value {
        let name = &self.name;
        let reduced = conv_bn_relu(b, &format!("{name}.conv1"), x, channels / BOTTLENECK_REDUCTION);
        let mut sum: Option<Value> = None;
        for stream in 0..STREAMS.len() {
            let mut y = reduced;
            for step in 0..=stream {
                y = lite(b, &self.lite_name(stream, step), y);
            }
            let y = gate(b, &format!("{name}.gate"), y);
            sum = Some(match sum {
                None => y,
                Some(sum) => b.add(sum, y),
            });
        }
        let gated = sum.unwrap_or(reduced);
        let y = if self.norm == BlockNorm::Within {
            let y = b.convolution(format!("{name}.conv3.conv"), gated, channels, Convolution2d::default());
            b.instance_norm(format!("{name}.IN"), y)
        } else {
            conv_bn(b, &format!("{name}.conv3"), gated, channels)
        };
        let identity = if x.channels == channels { x } else { conv_bn(b, &format!("{name}.downsample"), x, channels) };
        let mut y = b.add(y, identity);
        if self.norm == BlockNorm::After {
            y = b.instance_norm(format!("{name}.IN"), y);
        }
        b.relu(y)
    }

    fn lite_name(&self, stream: usize, step: usize) -> String {
        let (name, letter) = (&self.name, STREAMS[stream]);
        match (self.adaptive, stream) {
            (true, _) => format!("{name}.conv2.{stream}.layers.{step}"),
            (false, 0) => format!("{name}.conv2{letter}"),
            (false, _) => format!("{name}.conv2{letter}.{step}"),
        }
    }
}
