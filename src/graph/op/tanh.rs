//! The hyperbolic tangent.

use crate::graph::frozen::Activation;

/// The hyperbolic tangent.
#[derive(Debug)]
pub struct Tanh;

activation!(Tanh, _ => Activation::Tanh, x => x.tanh());
