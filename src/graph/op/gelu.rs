//! The Gaussian error linear unit (Hendrycks & Gimpel, arXiv 1606.08415).

use serde::{Deserialize, Serialize};

use super::Operator;

/// `x · Φ(x)`, with the normal distribution's Φ or what approaches it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gelu {
    pub form: GeluForm,
}

/// How Φ is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GeluForm {
    /// By the error function.
    Exact,
    /// `(1 + tanh(√(2/π) · (x + 0.044715 · x³))) / 2`
    Tanh,
    /// `σ(1.702 · x)`: CLIP's QuickGELU.
    Quick,
}

impl Operator for Gelu {}
