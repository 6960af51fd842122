//! Attention over the places of an image (Vaswani et al., arXiv 1706.03762).

use serde::{Deserialize, Serialize};

use super::{Init, Lowering, NodeId, Operator, Part, Pending, Role, Shape};
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Tensor, Value, activation, take};
use crate::step::{self, Weighting};

/// Each token looks at the others: of the inputs q, k and v, tokens of the same shape whose channels are `heads` runs of
/// equal length, it gives for each head the tokens of v in the mixture that `weighting` makes of `scale · q · k + bias`.
/// The tokens fall into `windows` runs of equal length that attend within themselves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attention {
    pub heads: usize,
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub windows: usize,
    pub scale: f32,
    #[serde(default, skip_serializing_if = "is_softmax")]
    pub weighting: Weighting,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bias: Option<AttentionBias>,
}

/// What is added to the scores: `name.bias` `[tables, length, length]`, with a table for each head (`tables` is the number of
/// heads) or for each head of each window (windows · heads, the window's heads together), and the tokens of a window in
/// `length`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttentionBias {
    pub name: String,
    pub tables: usize,
    pub length: usize,
}

fn one() -> usize {
    1
}

fn is_one(windows: &usize) -> bool {
    *windows == 1
}

fn is_softmax(weighting: &Weighting) -> bool {
    *weighting == Weighting::Softmax
}

impl Operator for Attention {
    fn name(&self) -> Option<&str> {
        self.bias.as_ref().map(|bias| bias.name.as_str())
    }

    fn name_mut(&mut self) -> Option<&mut String> {
        self.bias.as_mut().map(|bias| &mut bias.name)
    }

    fn parts(&self, _role: Role) -> Vec<Part> {
        let part = |bias: &AttentionBias| {
            Part::trained("bias", [bias.tables, bias.length, bias.length], Init::Normal(0.02))
        };
        self.bias.iter().map(part).collect()
    }

    fn shape(&self, inputs: &[Shape], _image: [usize; 2]) -> Option<Shape> {
        let &[q @ Shape::Tokens([count, channels]), k, v] = inputs else { return None };
        let length = count.checked_div(self.windows).filter(|length| length * self.windows == count)?;
        let fits = |bias: &AttentionBias| {
            let tables = [Some(self.heads), self.heads.checked_mul(self.windows)];
            bias.length == length && tables.contains(&Some(bias.tables))
        };
        let is_whole = length > 0 && channels.checked_rem(self.heads) == Some(0);
        (q == k && q == v && is_whole && self.bias.as_ref().is_none_or(fits)).then_some(q)
    }

    /// The scores and the mixtures.
    fn work(&self, inputs: &[Shape], output: Shape) -> u64 {
        let length = inputs.first().map_or(0, |x| x.places() / self.windows.max(1));
        output.count().saturating_mul(2).saturating_mul(length as u64)
    }

    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Pending {
        let attention = step::Attention {
            heads: self.heads,
            windows: self.windows,
            scale: self.scale,
            weighting: self.weighting,
            bias: self.bias.as_ref().map(|bias| lowering.tensor(&bias.name, "bias")),
            starts: [0; 3],
        };
        lowering.attention(id, attention, inputs)
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, layer: &Layer) -> Result<Value, OpError> {
        let [q, k, v] = take(inputs).map(Value::tokens);
        let [n, count, channels] = q.dims();
        let (length, each) = (count / self.windows, channels / self.heads);
        // [n · windows, heads, length, each]
        let heads = |x: Tensor<3>| x.reshape([n * self.windows, length, self.heads, each]).swap_dims(1, 2);
        let [q, k, v] = [q, k, v].map(heads);
        let mut scores = q.matmul(k.transpose()) * self.scale;
        if let Some(bias) = &self.bias {
            let windows = bias.tables / self.heads;
            let bias = layer.tensor("bias", [1, windows, self.heads, length, length]);
            let apart = scores.reshape([n * self.windows / windows, windows, self.heads, length, length]);
            scores = (apart + bias).reshape([n * self.windows, self.heads, length, length]);
        }
        let weights = match self.weighting {
            Weighting::Softmax => activation::softmax(scores, 3),
            Weighting::Mean => scores / length as f32,
        };
        Ok(Value::Tokens(weights.matmul(v).swap_dims(1, 2).reshape([n, count, channels])))
    }
}
