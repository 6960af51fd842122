//! Attention over the places of an image (Vaswani et al., arXiv 1706.03762).

use serde::{Deserialize, Serialize};

use super::{Init, Operator, Part, Role, Shape};

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

/// What becomes of the scores of a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weighting {
    #[default]
    Softmax,
    /// Divided by the number of tokens (the dot product of non-local networks, Wang et al., arXiv 1711.07971).
    Mean,
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
}
