//! What was recognised in a model's file. A file of another form is converted first, and the model then still is what that file said.

use serde::{Deserialize, Serialize};

#[cfg(feature = "engine")]
use crate::weights::Dialect;
use crate::weights::Recognised;

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct About {
    pub architecture: String,
    pub dialect: String,
    pub summary: String,
    pub missing: Vec<String>,
    pub unexpected: Vec<String>,
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
