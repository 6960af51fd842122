//! Vision transformers (Dosovitskiy et al., arXiv 2010.11929), with timm's parameter names.

use serde::{Deserialize, Serialize};

use super::reidentifier::{ConfigError, InputConfig, size};
use crate::graph::budget::CHANNELS;
use crate::graph::{Builder, Convolution2d, Value};

/// The sizes of a vision transformer, whose feature is what its class token becomes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VitConfig {
    /// The side of a patch, in pixels, and the step from one to the next (TransReID's overlap).
    pub patch: usize,
    pub stride: usize,
    /// The channels of a token, which are the length of the feature: 384 of ViT-S, 768 of ViT-B.
    pub channels: usize,
    pub blocks: usize,
    /// Runs of equal length into which a token falls for attention.
    pub heads: usize,
    /// The channels between the two layers that follow attention.
    pub hidden: usize,
}

/// Added to a variance before its square root, in timm's vision transformers.
const EPS: f32 = 1e-6;

impl VitConfig {
    /// ViT-S/16.
    pub fn small() -> Self {
        Self { patch: 16, stride: 16, channels: 384, blocks: 12, heads: 6, hidden: 1536 }
    }

    pub(super) fn check(&self, input: &InputConfig) -> Result<(), ConfigError> {
        size("the patch of the vision transformer", self.patch, 1..=input.height.min(input.width))?;
        size("the stride of the vision transformer", self.stride, 1..=*CHANNELS.end())?;
        size("a token of the vision transformer", self.channels, CHANNELS)?;
        size("the number of blocks of the vision transformer", self.blocks, 1..=64)?;
        size("the number of heads of the vision transformer", self.heads, 1..=self.channels)?;
        size("a hidden layer of the vision transformer", self.hidden, CHANNELS)
    }

    /// Appends the backbone for images of this size; gives `[n, channels]`.
    pub(super) fn build(&self, b: &mut Builder, image: Value, input: &InputConfig) -> Value {
        let name = "backbone";
        let patches = Convolution2d { kernel: self.patch, stride: self.stride, bias: true, ..Default::default() };
        let x = b.convolution(format!("{name}.patch_embed.proj"), image, self.channels, patches);
        let along = |pixels: usize| pixels.saturating_sub(self.patch) / self.stride.max(1) + 1;
        let tokens = 1 + along(input.height) * along(input.width);
        let x = b.tokens(x);
        let x = b.class_token(format!("{name}.cls_token"), x);
        let mut x = b.place(format!("{name}.pos_embed"), x, [tokens, self.channels]);
        for block in 0..self.blocks {
            if block == self.blocks - self.blocks.div_ceil(4) {
                b.begin_last_stage();
            }
            x = self.block(b, &format!("{name}.blocks.{block}"), x);
        }
        let x = b.layer_norm(format!("{name}.norm"), x, EPS);
        b.token(x, 0)
    }

    fn block(&self, b: &mut Builder, name: &str, x: Value) -> Value {
        let y = b.layer_norm(format!("{name}.norm1"), x, EPS);
        let y = b.linear(format!("{name}.attn.qkv"), y, 3 * self.channels, true);
        let parts = b.split(y, [self.channels; 3]);
        let y = b.attention(parts, self.heads);
        let y = b.linear(format!("{name}.attn.proj"), y, self.channels, true);
        let x = b.add(x, y);
        let y = b.layer_norm(format!("{name}.norm2"), x, EPS);
        let y = b.linear(format!("{name}.mlp.fc1"), y, self.hidden, true);
        let y = b.gelu(y);
        let y = b.linear(format!("{name}.mlp.fc2"), y, self.channels, true);
        b.add(x, y)
    }
}
