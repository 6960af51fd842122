//! `x · tanh(ln(1 + exp(x)))` (Misra, arXiv 1908.08681).

use super::Operator;

/// `x · tanh(ln(1 + exp(x)))` (Misra, arXiv 1908.08681).
#[derive(Debug)]
pub struct Mish;

impl Operator for Mish {}
