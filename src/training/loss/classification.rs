//! Losses of a classifier over the training identities.

use burn::tensor::{Device, Tensor, TensorData, activation};

/// Cross-entropy of `logits` `[n, classes]` against `people` (`n` labels), smoothed: the target is
/// (1 − ε)·onehot + ε / classes. Summed over classes, the mean over images; ε = 0 is plain cross-entropy.
///
/// # Panics
/// When a label is no class.
pub fn label_smooth_cross_entropy(logits: Tensor<2>, people: &[usize], epsilon: f64) -> Tensor<1> {
    let [images, classes] = logits.dims();
    let rest = epsilon / classes as f64;
    let target = targets(people, classes, [rest as f32, (1.0 - epsilon + rest) as f32], &logits.device());
    cross_entropy(logits, target, images)
}

/// Cross-entropy of `logits` `[n, classes]` against the softmax of another network's, which gets no gradient.
pub fn soft_cross_entropy(logits: Tensor<2>, target_logits: Tensor<2>) -> Tensor<1> {
    let images = logits.dims()[0];
    cross_entropy(logits, activation::softmax(target_logits.detach(), 1), images)
}

fn cross_entropy(logits: Tensor<2>, target: Tensor<2>, images: usize) -> Tensor<1> {
    (activation::log_softmax(logits, 1) * target).sum() / -(images as f64)
}

/// The fraction of images, 0…1 as `[1]`, whose own person has the highest logit of `logits` `[n, classes]`; no gradient.
///
/// # Panics
/// When a label is no class.
pub fn accuracy(logits: Tensor<2>, people: &[usize]) -> Tensor<1> {
    let logits = logits.detach();
    let own = targets(people, logits.dims()[1], [0.0, 1.0], &logits.device());
    // Compared on the device: the logits themselves would be the largest thing to read back.
    let own = (logits.clone() * own).sum_dim(1);
    own.greater_equal(logits.max_dim(1)).float().mean()
}

/// `[n, classes]`: the first value everywhere but at the image's own class, which has the second.
fn targets(people: &[usize], classes: usize, [other, own]: [f32; 2], device: &Device) -> Tensor<2> {
    let mut values = vec![other; people.len() * classes];
    for (row, &person) in people.iter().enumerate() {
        assert!(person < classes, "the label {person} is none of {classes} classes");
        values[row * classes + person] = own;
    }
    Tensor::from_data(TensorData::new(values, [people.len(), classes]), device)
}
