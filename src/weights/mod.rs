//! Checkpoints: what other projects saved, read into a [`ReIdentifierConfig`](crate::model::ReIdentifierConfig) and its
//! tensors, and our own files.
//!
//! ```no_run
//! # fn main() -> Result<(), webreid::weights::WeightsError> {
//! # let bytes: Vec<u8> = Vec::new();
//! use webreid::weights::{Checkpoint, Precision, recognise, to_safetensors};
//!
//! let model = recognise(Checkpoint::read(&bytes)?)?;
//! println!("{}", model.summary);
//! let ours = to_safetensors(&model.config, &model.tensors, &model.provenance, Precision::F32)?;
//! # Ok(()) }
//! ```
//!
//! An OpenVINO model is two files, which [`read_openvino`] takes.
//!
//! Nothing in a checkpoint is run, and no length that a file states is believed before it is checked against the file.

mod bundled;
mod checkpoint;
mod dialect;
mod element;
mod error;
mod import;
mod openvino;
mod operators;
mod pickle;
mod pytorch;
mod safetensors;

pub use bundled::{BUNDLED, bundled};
pub use checkpoint::{Checkpoint, Tensor};
pub use dialect::{Dialect, Recognised, recognise};
pub use error::WeightsError;
pub use openvino::{is_openvino, read_openvino};
pub use safetensors::{Precision, to_safetensors};
