//! `max(x, 0) + slope · min(x, 0)`.

use serde::{Deserialize, Serialize};

use super::Operator;

/// `max(x, 0) + slope · min(x, 0)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeakyRelu {
    pub slope: f32,
}

impl Operator for LeakyRelu {}
