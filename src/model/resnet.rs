//! ResNet (He et al., arXiv 1512.03385) as re-identification uses it, with torchvision's parameter names;
//! IBN-Net's variants a and b (Pan et al., arXiv 1807.09441).

use serde::{Deserialize, Serialize};

use super::reidentifier::{ConfigError, size};
use crate::graph::budget::CHANNELS;
use crate::graph::{Builder, Convolution2d, Padding, Pool, Value};

/// Where instance normalisation joins batch normalisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ibn {
    /// The first half of bn1's channels in every block of layers 1–3.
    A,
    /// The stem, and after the residual add of the last block of layers 1 and 2.
    B,
}

/// The max pool after the stem; the two habits differ in the border they read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StemPool {
    /// torchvision: 3×3, stride 2, padding 1.
    Padded,
    /// fast-reid: 3×3, stride 2, no padding, the last window may be partial.
    Ceil,
}

/// The shape of a ResNet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResnetConfig {
    /// 18, 34, 50 or 101.
    pub depth: usize,
    /// The channels of the stem: 64 in every published model.
    pub width: usize,
    /// The channels of layer 4 (a bottleneck's before they are made four times as many), if not 8 times the stem's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_width: Option<usize>,
    /// The blocks of each layer, if not the depth's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocks: Option<[usize; 4]>,
    /// A 1×1 convolution to so many channels, batch norm and ReLU after layer 4 (as MobileNetV2 and OSNet end): more
    /// features to pool, at little cost where layer 4 is narrow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expansion: Option<usize>,
    pub ibn: Option<Ibn>,
    /// TLL and Bag of Tricks leave out the ReLU after the stem's bn1.
    pub stem_relu: bool,
    pub stem_pool: StemPool,
    /// The stride of layer 4: 1 keeps twice the resolution (the "last stride" trick).
    pub last_stride: usize,
    /// torchreid's `fc512`: average pooling, a fully connected layer of so many outputs, batch norm and ReLU.
    /// Without it the backbone ends in the feature map.
    pub feature_dim: Option<usize>,
}

impl ResnetConfig {
    /// TLL's `reid_resnet{depth}`: no stem ReLU, last stride 1.
    pub fn reid(depth: usize) -> Self {
        Self {
            depth,
            width: 64,
            last_width: None,
            blocks: None,
            expansion: None,
            ibn: None,
            stem_relu: false,
            stem_pool: StemPool::Padded,
            last_stride: 1,
            feature_dim: None,
        }
    }

    /// TLL's `resnet{depth}_ibn_{a,b}`: the stem ReLU stays, last stride 2.
    pub fn ibn(depth: usize, ibn: Ibn) -> Self {
        Self { ibn: Some(ibn), stem_relu: true, last_stride: 2, ..Self::reid(depth) }
    }

    /// Blocks per layer and whether they are bottlenecks; `None` for a depth that does not exist.
    pub fn layers(depth: usize) -> Option<([usize; 4], bool)> {
        Some(match depth {
            18 => ([2, 2, 2, 2], false),
            34 => ([3, 4, 6, 3], false),
            50 => ([3, 4, 6, 3], true),
            101 => ([3, 4, 23, 3], true),
            _ => return None,
        })
    }

    /// The length of the pooled feature: 2048 for ResNet-50 at width 64.
    pub fn out_features(&self) -> usize {
        if let Some(dim) = self.feature_dim.or(self.expansion) {
            return dim;
        }
        let bottleneck = Self::layers(self.depth).is_some_and(|(_, bottleneck)| bottleneck);
        self.planes(3) * if bottleneck { 4 } else { 1 }
    }

    /// The channels within the blocks of a layer, from 0.
    fn planes(&self, layer: usize) -> usize {
        self.last_width.filter(|_| layer == 3).unwrap_or(self.width << layer)
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        size("the width of the ResNet", self.width, 2..=4096)?;
        self.last_width.map_or(Ok(()), |width| size("the width of the ResNet's layer 4", width, 2..=4096 << 3))?;
        for blocks in self.blocks.into_iter().flatten() {
            size("the number of blocks in a layer of the ResNet", blocks, 1..=64)?;
        }
        self.expansion.map_or(Ok(()), |channels| size("the expansion of the ResNet", channels, CHANNELS))?;
        size("the last stride of the ResNet", self.last_stride, 1..=2)?;
        self.feature_dim.map_or(Ok(()), |dim| size("the feature of the ResNet", dim, CHANNELS))
    }

    /// Appends the backbone; gives the map `[n, out_features, h / 16, w / 16]` at last stride 1, half that at 2,
    /// or `[n, feature_dim]` with a fully connected layer.
    pub(super) fn build(&self, b: &mut Builder, image: Value, blocks: [usize; 4], bottleneck: bool) -> Value {
        let name = "backbone";
        let stem = Convolution2d { kernel: 7, stride: 2, padding: 3, ..Default::default() };
        let mut x = b.convolution(format!("{name}.conv1"), image, self.width, stem);
        x = if self.ibn == Some(Ibn::B) {
            b.instance_norm(format!("{name}.bn1"), x)
        } else {
            b.batch_norm(format!("{name}.bn1"), x)
        };
        if self.stem_relu {
            x = b.relu(x);
        }
        let (padding, ceil) = match self.stem_pool {
            StemPool::Padded => (1, false),
            StemPool::Ceil => (0, true),
        };
        x = b.max_pool(
            x,
            Pool { kernel: [3; 2], stride: [2; 2], padding: Padding::all(padding), ceil, count_padding: true },
        );
        for (layer, &count) in self.blocks.unwrap_or(blocks).iter().enumerate() {
            let planes = self.planes(layer);
            if layer == 3 {
                b.begin_last_stage();
            }
            for index in 0..count {
                let stride = match (layer, index) {
                    (0, _) | (1.., 1..) => 1,
                    (3, 0) => self.last_stride,
                    (_, 0) => 2,
                };
                let block = Block {
                    name: format!("{name}.layer{}.{index}", layer + 1),
                    planes,
                    stride,
                    project: index == 0,
                    half_instance: self.ibn == Some(Ibn::A) && layer < 3,
                    instance_after: self.ibn == Some(Ibn::B) && layer < 2 && index + 1 == count,
                };
                x = if bottleneck { block.bottleneck(b, x) } else { block.basic(b, x) };
            }
        }
        if let Some(channels) = self.expansion {
            x = b.convolution(format!("{name}.conv5.0"), x, channels, Convolution2d::default());
            x = b.batch_norm(format!("{name}.conv5.1"), x);
            x = b.relu(x);
        }
        let Some(dim) = self.feature_dim else { return x };
        let x = b.global_average_pool(x);
        let x = b.linear(format!("{name}.fc.0"), x, dim, true);
        let x = b.batch_norm(format!("{name}.fc.1"), x);
        b.relu(x)
    }
}

struct Block {
    name: String,
    planes: usize,
    stride: usize,
    project: bool,
    half_instance: bool,
    instance_after: bool,
}

impl Block {
    fn conv(&self, b: &mut Builder, part: &str, x: Value, outputs: usize, kernel: usize, stride: usize) -> Value {
        let shape = Convolution2d { kernel, stride, padding: kernel / 2, ..Default::default() };
        b.convolution(format!("{}.{part}", self.name), x, outputs, shape)
    }

    fn bn(&self, b: &mut Builder, part: &str, x: Value) -> Value {
        b.batch_norm(format!("{}.{part}", self.name), x)
    }

    /// bn1, whose first half is an instance norm in IBN-a (`bn1.IN`, `bn1.BN`).
    fn bn1(&self, b: &mut Builder, x: Value) -> Value {
        if !self.half_instance {
            return self.bn(b, "bn1", x);
        }
        let half = x.channels / 2;
        let [first, second] = b.split(x, [half, x.channels - half]);
        let first = b.instance_norm(format!("{}.bn1.IN", self.name), first);
        let second = self.bn(b, "bn1.BN", second);
        b.concatenate(&[first, second])
    }

    fn finish(&self, b: &mut Builder, x: Value, y: Value) -> Value {
        let identity = if self.project && (self.stride != 1 || x.channels != y.channels) {
            let projected = b.convolution(
                format!("{}.downsample.0", self.name),
                x,
                y.channels,
                Convolution2d { stride: self.stride, ..Default::default() },
            );
            self.bn(b, "downsample.1", projected)
        } else {
            x
        };
        let mut y = b.add(y, identity);
        if self.instance_after {
            y = b.instance_norm(format!("{}.IN", self.name), y);
        }
        b.relu(y)
    }

    fn basic(&self, b: &mut Builder, x: Value) -> Value {
        let y = self.conv(b, "conv1", x, self.planes, 3, self.stride);
        let y = self.bn1(b, y);
        let y = b.relu(y);
        let y = self.conv(b, "conv2", y, self.planes, 3, 1);
        let y = self.bn(b, "bn2", y);
        self.finish(b, x, y)
    }

    fn bottleneck(&self, b: &mut Builder, x: Value) -> Value {
        let y = self.conv(b, "conv1", x, self.planes, 1, 1);
        let y = self.bn1(b, y);
        let y = b.relu(y);
        let y = self.conv(b, "conv2", y, self.planes, 3, self.stride);
        let y = self.bn(b, "bn2", y);
        let y = b.relu(y);
        let y = self.conv(b, "conv3", y, self.planes * 4, 1, 1);
        let y = self.bn(b, "bn3", y);
        self.finish(b, x, y)
    }
}
