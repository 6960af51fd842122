//! `min(max(slope · x + offset, 0), 1)`: PyTorch's with 1/6 and 0.5.

use serde::{Deserialize, Serialize};

use super::Operator;

/// `min(max(slope · x + offset, 0), 1)`: PyTorch's with 1/6 and 0.5.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HardSigmoid {
    pub slope: f32,
    pub offset: f32,
}

impl Operator for HardSigmoid {}
