//! The exponential function.

use crate::graph::frozen::Activation;

/// The exponential function.
#[derive(Debug)]
pub struct Exp;

activation!(Exp, _ => Activation::Exp, x => x.exp());
