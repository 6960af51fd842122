//! Triplet losses with batch-hard mining (Hermans et al., arXiv 1703.07737), on Euclidean distances.
//!
//! For the cosine's geometry give them [normalised](super::normalise_rows) features.

use burn::tensor::{Tensor, activation};

use super::mining::{Hardest, euclidean};
use crate::ops::OpError;

/// `mean(max(0, d_ap − d_an + margin))` of `features` `[n, dim]` with `people` (`n` labels).
///
/// # Errors
/// For an empty batch.
pub fn triplet(features: Tensor<2>, people: &[usize], margin: f64) -> Result<Tensor<1>, OpError> {
    against(features.clone(), people, features, people, margin)
}

/// The same with positives and negatives among other images.
pub(super) fn against(
    features: Tensor<2>,
    people: &[usize],
    others: Tensor<2>,
    other_people: &[usize],
    margin: f64,
) -> Result<Tensor<1>, OpError> {
    let distance = euclidean(features, others)?;
    let hardest = Hardest::new(&distance, people, other_people);
    let (positive, negative) = hardest.pick(distance);
    Ok(hardest.mean(activation::relu(positive - negative + margin)))
}

/// The soft triplet loss of MMT (Ge et al., arXiv 2001.01526) with a fixed target: with p = log_softmax([d_ap, d_an]),
/// `mean(−margin·p₀ − (1 − margin)·p₁)`. At margin 0 it is softplus(d_ap − d_an), the soft-margin triplet.
///
/// # Errors
/// For an empty batch.
pub fn soft_triplet(features: Tensor<2>, people: &[usize], margin: f64) -> Result<Tensor<1>, OpError> {
    let distance = euclidean(features.clone(), features)?;
    let hardest = Hardest::new(&distance, people, people);
    let (positive, negative) = hardest.pick(distance);
    let p = activation::log_softmax(Tensor::cat(vec![positive, negative], 1), 1);
    Ok(hardest.mean(p.clone().narrow(1, 0, 1) * -margin - p.narrow(1, 1, 1) * (1.0 - margin)))
}

/// The soft triplet loss against a second network: cross-entropy of log_softmax([d_ap, d_an]) against the softmax of that
/// network's distances at the same pairs. `teacher` `[n, teacher_dim]` gets no gradient.
///
/// # Errors
/// For an empty batch.
pub fn soft_triplet_with_teacher(
    features: Tensor<2>,
    people: &[usize],
    teacher: Tensor<2>,
) -> Result<Tensor<1>, OpError> {
    let distance = euclidean(features.clone(), features)?;
    let hardest = Hardest::new(&distance, people, people);
    let pair = |distance| {
        let (positive, negative) = hardest.pick(distance);
        Tensor::cat(vec![positive, negative], 1)
    };
    let teacher = teacher.detach();
    let target = activation::softmax(pair(euclidean(teacher.clone(), teacher)?), 1);
    let entropy = (activation::log_softmax(pair(distance), 1) * target).sum_dim(1).neg();
    Ok(hardest.mean(entropy))
}
