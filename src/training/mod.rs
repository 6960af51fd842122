//! The graph as a burn module: it runs on WebGPU or the CPU, and can be trained on either.
//!
//! A [`Trainer`] is pulled: each [`Trainer::next_step`] takes a [`Batch`] from its [`BatchSource`], computes the
//! [`Objective`]'s losses and moves what its [`Depth`] lets move.

mod average;
mod batch;
#[cfg(not(target_arch = "wasm32"))]
pub mod data;
mod depth;
mod device;
mod flat;
pub mod loss;
mod muon;
mod network;
mod objective;
mod optimizer;
pub mod random;
mod sampler;
mod schedule;
mod state;
mod trainer;
mod tuner;

pub use batch::{Batch, BatchError, BatchSource, Input};
pub use depth::Depth;
pub use device::ComputeDevice;
pub use network::{Mode, Network, NetworkError, Outputs, ParameterGroup};
pub use objective::{Distillation, Objective, Triplet};
pub use optimizer::{Optimizer, OptimizerConfig};
pub use sampler::{Sampler, SamplerConfig, SamplerError, Visits};
pub use schedule::{Decay, Schedule};
pub use state::{StateError, TrainState};
pub use trainer::{Step, TrainError, Trainer, TrainerConfig};
pub use tuner::{Samples, TuneError, TuneOptions, Tuner};

pub use crate::graph::Role;
pub use crate::ops::OpError;
