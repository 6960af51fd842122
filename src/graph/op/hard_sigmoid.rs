//! `min(max(slope · x + offset, 0), 1)`: PyTorch's with 1/6 and 0.5.

use serde::{Deserialize, Serialize};

use crate::graph::frozen::Activation;

/// `min(max(slope · x + offset, 0), 1)`: PyTorch's with 1/6 and 0.5.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HardSigmoid {
    pub slope: f32,
    pub offset: f32,
}

activation!(
    HardSigmoid,
    sigmoid => Activation::HardSigmoid { slope: sigmoid.slope, offset: sigmoid.offset },
    x => (x * sigmoid.slope + sigmoid.offset).clamp(0.0, 1.0)
);
