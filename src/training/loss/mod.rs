//! What training minimises: functions of tensors `[n, …]`, one row an image, that give a loss `[1]` and its gradient.
//!
//! Nothing here reads back from the device: which pairs show the same person is known on the host, and the mined indices
//! stay on the device.

mod classification;
mod distillation;
mod memory;
mod mining;
mod triplet;

use burn::tensor::Tensor;
pub use classification::{accuracy, label_smooth_cross_entropy, soft_cross_entropy};
pub use distillation::{Teacher, cosine_distillation, relational_distillation};
pub use memory::Memory;
pub use triplet::{soft_triplet, soft_triplet_with_teacher, triplet};

/// The rows of `features` `[n, dim]` at length 1; a row of zeros stays as it is.
pub fn normalise_rows(features: Tensor<2>) -> Tensor<2> {
    // The smallest length is 1e-12, as in torch's normalize; under the root its square keeps the gradient finite at 0.
    let squares = (features.clone() * features.clone()).sum_dim(1);
    features / squares.clamp_min(1e-24).sqrt()
}
