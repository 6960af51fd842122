//! `x` where it is positive, else `alpha · (exp(x) − 1)` (Clevert et al., arXiv 1511.07289).

use serde::{Deserialize, Serialize};

use crate::graph::frozen::Activation;
#[cfg(feature = "train")]
use crate::ops::activation;

/// `x` where it is positive, else `alpha · (exp(x) − 1)` (Clevert et al., arXiv 1511.07289).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Elu {
    pub alpha: f32,
}

activation!(
    Elu,
    elu => Activation::Elu(elu.alpha),
    x => activation::elu(x.clone().clamp_max(0.0), elu.alpha.into()) + activation::relu(x)
);
