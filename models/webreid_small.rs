//! The weights of `webreid-small`, for the crate `webreid`: its feature `bundled` reads them. What they are good for, and what
//! their data allow, says the model card.

/// The file, in the form that `webreid::weights::to_safetensors` writes.
pub const WEIGHTS: &[u8] = include_bytes!("webreid-small.safetensors");
