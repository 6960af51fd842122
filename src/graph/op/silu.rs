//! `x · σ(x)`, also called swish.

use crate::graph::frozen::Activation;
#[cfg(feature = "train")]
use crate::ops::activation;

/// `x · σ(x)`, also called swish.
#[derive(Debug)]
pub struct Silu;

activation!(Silu, _ => Activation::Silu, x => activation::silu(x));
