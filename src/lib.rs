#![cfg_attr(docsrs, feature(doc_cfg))]
#![doc = include_str!("README.md")]
//!
//! # Where to look
//!
//! [`ReIdentifier`] is the short way: a model's file and pictures in, [`Feature`]s out, and how alike they are. It stands on
//! rooms that do more, each of use by itself:
//!
//! | | |
//! |---|---|
//! | [`weights`] | checkpoints of other projects, ONNX, OpenVINO and TensorFlow.js in; safetensors and ONNX out |
//! | [`model`] | what a model is: backbone, neck, head, and the pictures it takes |
//! | [`image`] | pictures in: decoding with limits, resizing, how much a crop can tell |
//! | [`detect`] | the people in whole photos |
//! | [`extract`] | a model on a device, the GPU or the CPU: batches of images to features |
//! | [`ranking`] | features made comparable across cameras; an exact index; re-ranking; CMC, mAP, mINP, ROC |
//! | [`gallery`] | photos and the people they show: groups, names and answers, search, undo, `.reid` files |
#![cfg_attr(
    not(target_arch = "wasm32"),
    doc = "| [`dataset`] | folders of labelled pictures, as published sets name them |"
)]
#![cfg_attr(feature = "train", doc = "| [`training`] | training and fine-tuning, with burn |")]
//!
//! What these pages do not show is for the crate's own command and tests: it changes without notice.

#[cfg(not(target_arch = "wasm32"))]
pub mod dataset;
pub mod detect;
pub mod extract;
pub mod gallery;
#[doc(hidden)]
pub mod graph;
pub mod image;
#[doc(hidden)]
pub mod kernels;
pub mod model;
#[cfg(feature = "train")]
#[doc(hidden)]
pub mod ops;
pub mod ranking;
#[cfg(not(target_arch = "wasm32"))]
mod reidentifier;
#[doc(hidden)]
pub mod step;
mod tensor;
#[cfg(feature = "train")]
pub mod training;
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod web;
pub mod weights;
mod words;

pub use extract::DeviceChoice;
#[cfg(not(target_arch = "wasm32"))]
pub use reidentifier::{Error, Feature, ReIdentifier};
