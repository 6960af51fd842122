//! Learning from another network's features.

use burn::tensor::{Device, Tensor, TensorData};

use super::normalise_rows;

/// A teacher's features for a batch.
#[derive(Clone, Debug)]
pub struct Teacher {
    /// `[n, dim]`, rows of length 1 or, without a teacher, of zeros.
    features: Tensor<2>,
    /// `[n, 1]`, 1 where the image has a teacher.
    present: Tensor<2>,
    count: usize,
}

impl Teacher {
    /// `values` `[images, dim]` row by row, L2-normalised; a row of zeros stands for no teacher.
    ///
    /// # Panics
    /// When there are not `images` rows of the same length.
    pub fn new(values: Vec<f32>, images: usize, device: &Device) -> Self {
        let dim = values.len() / images.max(1);
        let rows = values.chunks(dim.max(1));
        let present: Vec<f32> = rows.map(|row| if row.iter().any(|&value| value != 0.0) { 1.0 } else { 0.0 }).collect();
        let count = present.iter().filter(|&&present| present == 1.0).count();
        Self {
            features: Tensor::from_data(TensorData::new(values, [images, dim]), device),
            present: Tensor::from_data(TensorData::new(present, [images, 1]), device),
            count,
        }
    }
}

/// The mean of 1 − cos(embedding, teacher) over the images that have a teacher, 0 without any. `embedding` is
/// `[n, teacher.dim()]`, of any length.
///
/// # Panics
/// When the embedding has another dimension than the teacher.
pub fn cosine_distillation(embedding: Tensor<2>, teacher: &Teacher) -> Tensor<1> {
    let cosine = (normalise_rows(embedding) * teacher.features.clone()).sum_dim(1);
    ((cosine.neg() + 1.0) * teacher.present.clone()).sum() / teacher.count.max(1) as f64
}

/// The mean squared difference between the cosine matrices of the embeddings `[n, dim]` and of the teacher's features, over
/// the pairs of images that both have a teacher, 0 without any. The teacher's dimension may be another.
pub fn relational_distillation(embedding: Tensor<2>, teacher: &Teacher) -> Tensor<1> {
    let embedding = normalise_rows(embedding);
    let own = embedding.clone().matmul(embedding.transpose());
    let theirs = teacher.features.clone().matmul(teacher.features.clone().transpose());
    let pairs = teacher.present.clone().matmul(teacher.present.clone().transpose());
    let difference = own - theirs;
    (difference.clone() * difference * pairs).sum() / (teacher.count.max(1) as f64).powi(2)
}
