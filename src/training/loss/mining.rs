//! Batch-hard mining: the farthest image of the same person and the nearest of another one.

use burn::tensor::{Int, Tensor, TensorData};

use crate::ops::{
    OpError,
    distance::{Metric, distance},
};

/// Farther than any feature: takes a pair out of a search without a branch.
const FAR: f32 = 1e9;

/// Euclidean distances `[n, m]` between the rows of `a` `[n, dim]` and `b` `[m, dim]`; equal rows are 1e-6 apart, without
/// gradient, since the root has none at 0.
pub(super) fn euclidean(a: Tensor<2>, b: Tensor<2>) -> Result<Tensor<2>, OpError> {
    Ok(distance(a, b, Metric::SquaredEuclidean)?.clamp_min(1e-12).sqrt())
}

/// For each anchor its hardest pairs.
pub(super) struct Hardest {
    positive: Tensor<2, Int>,
    negative: Tensor<2, Int>,
    /// `[n, 1]`, 0 for an anchor without a positive or without a negative; `None` when every anchor has both.
    counted: Option<Tensor<2>>,
}

impl Hardest {
    /// Mines `distance` `[n, m]` between images of `people` (`n` labels) and of `others` (`m`). An image that is in both
    /// sets is its own positive, as in the usual implementations.
    pub fn new(distance: &Tensor<2>, people: &[usize], others: &[usize]) -> Self {
        let device = distance.device();
        let distance = distance.clone().detach();
        let dims = [people.len(), others.len()];
        let same = || people.iter().flat_map(|person| others.iter().map(move |other| person == other));
        let offset = |apart: &dyn Fn(bool) -> f32| {
            let values: Vec<f32> = same().map(apart).collect();
            Tensor::<2>::from_data(TensorData::new(values, dims), &device)
        };
        let positive = offset(&|same| if same { 0.0 } else { -FAR });
        let negative = offset(&|same| if same { FAR } else { 0.0 });
        let both = |person| others.contains(person) && others.iter().any(|other| other != person);
        let counted: Vec<f32> = people.iter().map(|person| if both(person) { 1.0 } else { 0.0 }).collect();
        let all = counted.iter().all(|&counted| counted == 1.0);
        Self {
            positive: (distance.clone() + positive).argmax(1),
            negative: (distance + negative).argmin(1),
            counted: (!all).then(|| Tensor::from_data(TensorData::new(counted, [people.len(), 1]), &device)),
        }
    }

    /// The distances `[n, 1]` to the hardest positive and negative, from the mined matrix or another one of its shape.
    pub fn pick(&self, distance: Tensor<2>) -> (Tensor<2>, Tensor<2>) {
        (distance.clone().gather(1, self.positive.clone()), distance.gather(1, self.negative.clone()))
    }

    /// The mean of the anchors' losses `[n, 1]`; an anchor without both pairs counts as 0.
    pub fn mean(&self, losses: Tensor<2>) -> Tensor<1> {
        match &self.counted {
            Some(counted) => (losses * counted.clone()).mean(),
            None => losses.mean(),
        }
    }
}
