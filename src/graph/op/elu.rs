//! `x` where it is positive, else `alpha · (exp(x) − 1)` (Clevert et al., arXiv 1511.07289).

use serde::{Deserialize, Serialize};

use super::Operator;

/// `x` where it is positive, else `alpha · (exp(x) − 1)` (Clevert et al., arXiv 1511.07289).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Elu {
    pub alpha: f32,
}

impl Operator for Elu {}
