//! `min(max(x, min), max)`: with 0 and 6 ReLU6.

use serde::{Deserialize, Serialize};

use crate::graph::frozen::Activation;

/// `min(max(x, min), max)`: with 0 and 6 ReLU6.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clip {
    pub min: f32,
    pub max: f32,
}

activation!(Clip, clip => Activation::Clip { min: clip.min, max: clip.max }, x => x.clamp(clip.min, clip.max));
