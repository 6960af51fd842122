//! Everything that a run needs to be continued exactly, and its file.

use std::collections::{BTreeMap, HashMap};

use ::safetensors::Dtype;
use ::safetensors::tensor::TensorView;
use serde::{Deserialize, Serialize};

use crate::weights::{Checkpoint, Tensor, WeightsError};

/// The key of the file's metadata under which [`Position`] stands, as JSON.
const METADATA_KEY: &str = "webreid-training";

/// A run between two steps.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainState {
    /// The epoch that goes on, from 0.
    pub epoch: usize,
    /// The batches of this epoch that are done.
    pub batch: usize,
    /// The steps that are done.
    pub step: usize,
    /// `model/<name>`, `ema/<name>` and the optimiser's `m/…`, `v/…` or `momentum/…`.
    pub tensors: BTreeMap<String, Tensor>,
}

/// Where in the run.
#[derive(Serialize, Deserialize)]
struct Position {
    epoch: usize,
    batch: usize,
    step: usize,
}

/// A state that a run cannot go on from.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error(transparent)]
    File(#[from] WeightsError),
    #[error("this file holds no training state; give the one that training wrote beside the weights")]
    NoState,
    #[error("the training state lacks '{0}': it was made with other settings (optimiser, depth or averaging)")]
    Missing(String),
    #[error("'{name}' has {found} values in the training state where the model has {expected}")]
    Length { name: String, found: usize, expected: usize },
    #[error("the training state could not be written: {0}")]
    Write(#[from] ::safetensors::SafeTensorError),
}

impl TrainState {
    /// The prefix of the network's own tensors.
    pub(super) const MODEL: &str = "model/";

    /// A safetensors file, f32.
    ///
    /// # Errors
    /// When a tensor's shape and number of values differ.
    pub fn to_bytes(&self) -> Result<Vec<u8>, StateError> {
        let position = Position { epoch: self.epoch, batch: self.batch, step: self.step };
        let position = serde_json::to_string(&position).unwrap_or_else(|_| unreachable!("three numbers are JSON"));
        let bytes = |tensor: &Tensor| tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
        let data: Vec<_> = self.tensors.iter().map(|(name, tensor)| (name, &tensor.shape, bytes(tensor))).collect();
        let views =
            data.iter().map(|(name, shape, bytes)| Ok((*name, TensorView::new(Dtype::F32, (*shape).clone(), bytes)?)));
        let views = views.collect::<Result<Vec<_>, StateError>>()?;
        Ok(::safetensors::serialize(views, Some(HashMap::from([(METADATA_KEY.to_owned(), position)])))?)
    }

    /// What [`TrainState::to_bytes`] wrote.
    ///
    /// # Errors
    /// When the file is damaged or another one.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StateError> {
        let Checkpoint { tensors, metadata, .. } = Checkpoint::read(bytes)?;
        let position = metadata.get(METADATA_KEY).ok_or(StateError::NoState)?;
        let Position { epoch, batch, step } = serde_json::from_str(position).map_err(|_| StateError::NoState)?;
        Ok(Self { epoch, batch, step, tensors })
    }

    /// The network's own tensors by their names.
    pub fn model(&self) -> BTreeMap<String, Tensor> {
        let own = self.tensors.iter();
        own.filter_map(|(name, tensor)| Some((name.strip_prefix(Self::MODEL)?.to_owned(), tensor.clone()))).collect()
    }
}
