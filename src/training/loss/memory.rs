//! The triplet loss against a memory of earlier batches (cross-batch memory, Wang et al., arXiv 1912.06798).

use std::collections::VecDeque;

use burn::tensor::Tensor;

use super::triplet::against;
use crate::ops::OpError;

/// The features of the last batches, with their people.
#[derive(Clone, Debug)]
pub struct Memory {
    batches: VecDeque<(Tensor<2>, Vec<usize>)>,
    capacity: usize,
}

impl Memory {
    /// An empty memory that keeps up to `capacity` images.
    pub fn new(capacity: usize) -> Self {
        Self { batches: VecDeque::new(), capacity }
    }

    /// The images in it.
    pub fn len(&self) -> usize {
        self.batches.iter().map(|(_, people)| people.len()).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// Adds a batch, `features` `[n, dim]` with `people` (`n` labels); the oldest batches make room. They get no gradient.
    pub fn push(&mut self, features: Tensor<2>, people: &[usize]) {
        self.batches.push_back((features.detach(), people.to_vec()));
        while self.len() > self.capacity && self.batches.len() > 1 {
            self.batches.pop_front();
        }
    }

    /// `mean(max(0, d_ap − d_an + margin))` of `features` `[n, dim]` with the hardest pairs of the memory. An anchor that
    /// finds no positive or no negative there counts as 0.
    ///
    /// # Errors
    /// For an empty batch or memory.
    pub fn triplet(&self, features: Tensor<2>, people: &[usize], margin: f64) -> Result<Tensor<1>, OpError> {
        if self.is_empty() {
            return Err(OpError::Empty { what: "the memory of earlier features", shape: vec![0] });
        }
        let others = self.batches.iter().map(|(features, _)| features.clone()).collect();
        let other_people: Vec<usize> = self.batches.iter().flat_map(|(_, people)| people).copied().collect();
        against(features, people, Tensor::cat(others, 0), &other_people, margin)
    }
}
