//! The weighted sum of losses that a step minimises.

use burn::tensor::{ExecutionError, Tensor};

use super::Outputs;
use super::loss::{
    Teacher, accuracy, cosine_distillation, label_smooth_cross_entropy, relational_distillation, soft_triplet, triplet,
};
use crate::graph::NodeId;
use crate::model::ReIdentifierGraph;
use crate::ops::OpError;

/// Which losses count how much. A weight of 0 leaves the loss out.
#[derive(Clone, Debug, PartialEq)]
pub struct Objective {
    /// The weight of the cross-entropy over the training identities.
    pub identity: f64,
    /// The ε of that cross-entropy.
    pub label_smoothing: f64,
    /// On `f`, the feature before the BN neck.
    pub triplet: Option<Triplet>,
    /// On the embedding.
    pub distillation: Option<Distillation>,
}

/// A batch-hard triplet loss.
#[derive(Clone, Debug, PartialEq)]
pub struct Triplet {
    pub weight: f64,
    /// `None`: the soft margin, softplus(d_ap − d_an).
    pub margin: Option<f64>,
}

/// Learning a teacher's features.
#[derive(Clone, Debug, PartialEq)]
pub struct Distillation {
    /// The weight of 1 − cos(embedding, teacher), for which both need the same dimension.
    pub feature: f64,
    /// The weight of the mean squared difference between the batch's cosine matrices.
    pub relation: f64,
}

impl Default for Objective {
    /// Bag of Tricks: smoothed cross-entropy (0.1) and the soft-margin triplet, both at weight 1.
    fn default() -> Self {
        Self {
            identity: 1.0,
            label_smoothing: 0.1,
            triplet: Some(Triplet { weight: 1.0, margin: None }),
            distillation: None,
        }
    }
}

/// The losses of a step, each `[1]` and, but for `total`, before its weight. 0 where it is left out.
#[derive(Clone, Debug)]
pub(super) struct Losses {
    pub total: Tensor<1>,
    pub identity: Tensor<1>,
    pub triplet: Tensor<1>,
    pub distillation: Tensor<1>,
    pub accuracy: Tensor<1>,
}

/// The same on the host.
#[derive(Clone, Copy, Debug)]
pub(super) struct LossValues {
    pub total: f32,
    pub identity: f32,
    pub triplet: f32,
    pub distillation: f32,
    pub accuracy: f32,
    /// How large their gradient is.
    pub gradient: f32,
}

impl Losses {
    /// Reads all of them in one go, with how large their gradient is.
    pub async fn read(&self, gradient: Tensor<1>) -> Result<LossValues, ExecutionError> {
        let all = [&self.total, &self.identity, &self.triplet, &self.distillation, &self.accuracy];
        let all = all.into_iter().map(|loss| loss.clone().inner()).chain([gradient]).collect();
        let values: Vec<f32> = Tensor::cat(all, 0).into_data_async().await?.iter::<f32>().collect();
        let [total, identity, triplet, distillation, accuracy, gradient] = values[..] else {
            unreachable!("five losses and a size were concatenated")
        };
        Ok(LossValues { total, identity, triplet, distillation, accuracy, gradient })
    }
}

impl Objective {
    fn counts_triplet(&self) -> bool {
        self.triplet.as_ref().is_some_and(|triplet| triplet.weight != 0.0)
    }

    fn counts_distillation(&self) -> bool {
        self.distillation.as_ref().is_some_and(|d| d.feature != 0.0 || d.relation != 0.0)
    }

    /// The last node that a loss depends on; `None` when no loss counts, or one needs a head that is not there.
    pub(super) fn reaches(&self, graph: &ReIdentifierGraph) -> Option<NodeId> {
        if self.identity != 0.0 {
            graph.logits
        } else if self.counts_distillation() {
            Some(graph.embedding)
        } else {
            self.counts_triplet().then_some(graph.feature)
        }
    }

    /// The losses of a batch of `people` (one label an image).
    ///
    /// # Errors
    /// For an empty batch.
    ///
    /// # Panics
    /// When a label is no class, or the teacher's dimension is not the embedding's although its features count.
    pub(super) fn losses(
        &self,
        outputs: &Outputs,
        people: &[usize],
        teacher: Option<&Teacher>,
    ) -> Result<Losses, OpError> {
        let zero = Tensor::<1>::zeros([1], &outputs.feature.device());
        let mut losses = Losses {
            total: zero.clone(),
            identity: zero.clone(),
            triplet: zero.clone(),
            distillation: zero.clone(),
            accuracy: zero,
        };
        if let Some(logits) = &outputs.logits {
            losses.accuracy = accuracy(logits.clone(), people);
            if self.identity != 0.0 {
                losses.identity = label_smooth_cross_entropy(logits.clone(), people, self.label_smoothing);
                losses.total = losses.total + losses.identity.clone() * self.identity;
            }
        }
        if let Some(Triplet { weight, margin }) = self.triplet.as_ref().filter(|_| self.counts_triplet()) {
            let feature = outputs.feature.clone();
            losses.triplet = match margin {
                Some(margin) => triplet(feature, people, *margin)?,
                None => soft_triplet(feature, people, 0.0)?,
            };
            losses.total = losses.total + losses.triplet.clone() * *weight;
        }
        if let Some((Distillation { feature, relation }, teacher)) = self.distillation.as_ref().zip(teacher) {
            let embedding = || outputs.embedding.clone();
            let mut add = |loss: Tensor<1>, weight: f64| {
                losses.distillation = losses.distillation.clone() + loss.clone();
                losses.total = losses.total.clone() + loss * weight;
            };
            if *feature != 0.0 {
                add(cosine_distillation(embedding(), teacher), *feature);
            }
            if *relation != 0.0 {
                add(relational_distillation(embedding(), teacher), *relation);
            }
        }
        Ok(losses)
    }
}
