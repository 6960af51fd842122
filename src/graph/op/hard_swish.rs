//! `x · min(max(x + 3, 0), 6) / 6` (Howard et al., arXiv 1905.02244).

use crate::graph::frozen::Activation;

/// `x · min(max(x + 3, 0), 6) / 6` (Howard et al., arXiv 1905.02244).
#[derive(Debug)]
pub struct HardSwish;

activation!(HardSwish, _ => Activation::HardSwish, x => x.clone() * (x / 6.0 + 0.5).clamp(0.0, 1.0));
