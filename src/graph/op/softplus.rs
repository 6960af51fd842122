//! `ln(1 + exp(x))`.

use crate::graph::frozen::Activation;
#[cfg(feature = "train")]
use crate::ops::activation;

/// `ln(1 + exp(x))`.
#[derive(Debug)]
pub struct Softplus;

activation!(Softplus, _ => Activation::Softplus, x => activation::softplus(x, 1.0));
