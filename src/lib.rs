//! Person re-identification that runs in a browser tab, natively, and nowhere else than on the user's device.
//!
//! A [`model::ReIdentifierConfig`] describes a network once, as a [`graph::Graph`]; checkpoints fill it
//! ([`weights`]), and the trainable form (`training`) runs it on WebGPU or the CPU through burn and our own WGSL kernels.

#[cfg(not(target_arch = "wasm32"))]
pub mod dataset;
pub mod detect;
pub mod extract;
pub mod gallery;
pub mod graph;
pub mod image;
pub mod kernels;
pub mod model;
#[cfg(feature = "train")]
pub mod ops;
pub mod ranking;
pub mod step;
pub mod tensor;
#[cfg(feature = "train")]
pub mod training;
#[cfg(target_arch = "wasm32")]
pub mod web;
pub mod weights;
mod words;
