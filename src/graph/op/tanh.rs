//! The hyperbolic tangent.

use super::Operator;

/// The hyperbolic tangent.
#[derive(Debug)]
pub struct Tanh;

impl Operator for Tanh {}
