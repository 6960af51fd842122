//! `min(max(x, min), max)`: with 0 and 6 ReLU6.

use serde::{Deserialize, Serialize};

use super::Operator;

/// `min(max(x, min), max)`: with 0 and 6 ReLU6.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clip {
    pub min: f32,
    pub max: f32,
}

impl Operator for Clip {}
