//! `x · σ(x)`, also called swish.

use super::Operator;

/// `x · σ(x)`, also called swish.
#[derive(Debug)]
pub struct Silu;

impl Operator for Silu {}
