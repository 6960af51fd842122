//! What was recognised in a model's file. A file of another form is converted first, and the model then still is what that file said.

use serde::{Deserialize, Serialize};
use tsify::Tsify;

#[cfg(feature = "engine")]
use crate::weights::Dialect;
use crate::weights::Recognised;

/// What the file of a model said.
#[derive(Clone, Serialize, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct About {
    /// "OSNet x0.25"
    pub architecture: String,
    /// The project whose naming the checkpoint follows: "torchreid", "fast-reid", …
    pub dialect: String,
    /// One line for people: what was recognised.
    pub summary: String,
    /// Tensors that the network has and the file lacks.
    pub missing: Vec<String>,
    /// Tensors in the file that the network has no use for.
    pub unexpected: Vec<String>,
    /// What the file does not say and was taken for granted (colour order, range, size), a sentence each.
    pub assumed: Vec<String>,
}

impl About {
    pub fn new(recognised: &Recognised) -> Self {
        Self {
            architecture: recognised.architecture.clone(),
            dialect: recognised.dialect.to_string(),
            summary: recognised.summary.clone(),
            missing: recognised.missing.clone(),
            unexpected: recognised.unexpected.clone(),
            assumed: recognised.assumed.clone(),
        }
    }

    /// Of the model after fine-tuning, which may have given it a neck.
    #[cfg(feature = "engine")]
    pub fn tuned(&self) -> Self {
        Self {
            dialect: Dialect::Webreid.to_string(),
            summary: format!("{} Fine-tuned on your photos.", self.summary),
            missing: Vec::new(),
            unexpected: Vec::new(),
            ..self.clone()
        }
    }
}
