//! `ln(1 + exp(x))`.

use super::Operator;

/// `ln(1 + exp(x))`.
#[derive(Debug)]
pub struct Softplus;

impl Operator for Softplus {}
