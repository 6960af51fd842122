//! L2 normalisation.

use serde::{Deserialize, Serialize};

use super::Operator;

/// The channels of each place — a pixel, a token, or a vector — divided by their Euclidean length, or by `eps` where that
/// is more (`torch.nn.functional.normalize`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnitLength {
    pub eps: f32,
}

impl Operator for UnitLength {}
