//! `x · tanh(ln(1 + exp(x)))` (Misra, arXiv 1908.08681).

use crate::graph::frozen::Activation;
#[cfg(feature = "train")]
use crate::ops::activation;

/// `x · tanh(ln(1 + exp(x)))` (Misra, arXiv 1908.08681).
#[derive(Debug)]
pub struct Mish;

activation!(Mish, _ => Activation::Mish, x => activation::mish(x));
