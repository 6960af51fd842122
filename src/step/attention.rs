//! Attention over the places of an image.

use serde::{Deserialize, Serialize};

/// Every query's mean of the values, each weighed by how its key matches the query (Vaswani et al., arXiv 1706.03762). The
/// places of an image fall into windows, runs of equal length, and the channels into heads, each by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Attention {
    pub heads: usize,
    pub windows: usize,
    /// What the products of queries and keys are multiplied by.
    pub scale: f32,
    pub weighting: Weighting,
    /// Added to the scaled products: `[heads, queries, keys]` or `[windows · heads, queries, keys]`.
    pub bias: Option<Vec<f32>>,
    /// Where the channels of queries, keys and values begin in what is read.
    pub starts: [usize; 3],
}

/// What becomes of how keys match a query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weighting {
    #[default]
    Softmax,
    /// It is divided by the number of keys (non-local blocks).
    Mean,
}
