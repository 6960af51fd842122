//! `x · min(max(x + 3, 0), 6) / 6` (Howard et al., arXiv 1905.02244).

use super::Operator;

/// `x · min(max(x + 3, 0), 6) / 6` (Howard et al., arXiv 1905.02244).
#[derive(Debug)]
pub struct HardSwish;

impl Operator for HardSwish {}
