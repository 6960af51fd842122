//! Training gives what PyTorch gives, on the CPU and on WebGPU: losses and gradients, optimiser steps, and whole steps of a
//! network. The expectations are those of `fixtures/make_losses.py` and `fixtures/make_training.py`.
#![cfg(all(feature = "train", not(target_arch = "wasm32")))]

#[path = "../common/mod.rs"]
mod common;
mod losses;
mod optimizer;
mod schedule;
mod state;
mod steps;
mod trainer;
mod vit;

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};
use webreid::weights::{self, Checkpoint};

type Tensors = BTreeMap<String, weights::Tensor>;

fn fixture(name: &str) -> Tensors {
    let path = format!("{}/tests/fixtures/{name}.safetensors", env!("CARGO_MANIFEST_DIR"));
    Checkpoint::read(&std::fs::read(path).unwrap()).unwrap().tensors
}

/// Labels that a fixture stores as floats.
fn labels(tensor: &weights::Tensor) -> Vec<usize> {
    tensor.values.iter().map(|&label| label as usize).collect()
}

fn upload<const D: usize>(tensor: &weights::Tensor, device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(tensor.values.clone(), tensor.shape.clone()), device)
}

fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}
