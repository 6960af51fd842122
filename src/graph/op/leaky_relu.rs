//! `max(x, 0) + slope · min(x, 0)`.

use serde::{Deserialize, Serialize};

use crate::graph::frozen::Activation;
#[cfg(feature = "train")]
use crate::ops::activation;

/// `max(x, 0) + slope · min(x, 0)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeakyRelu {
    pub slope: f32,
}

activation!(LeakyRelu, relu => Activation::LeakyRelu(relu.slope), x => activation::leaky_relu(x, relu.slope.into()));
