//! The best of many.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Found;

/// The `size` most similar of what was offered, ties by index.
#[derive(Clone, Debug)]
pub(super) struct Top {
    size: usize,
    /// Similarity above index in one integer, larger the better.
    keys: BinaryHeap<Reverse<u64>>,
}

impl Top {
    pub fn new(size: usize) -> Self {
        Self { size, keys: BinaryHeap::new() }
    }

    pub fn size(&self) -> usize {
        self.size
    }

    /// What is less similar is not taken any more.
    pub fn to_beat(&self) -> f32 {
        match self.keys.peek() {
            Some(Reverse(key)) if self.keys.len() == self.size => similarity(*key),
            _ if self.size == 0 => f32::INFINITY,
            _ => f32::NEG_INFINITY,
        }
    }

    pub fn offer(&mut self, index: usize, similarity: f32) {
        self.take(key(index, similarity));
    }

    pub fn merge(&mut self, other: &Self) {
        other.keys.iter().for_each(|&Reverse(key)| self.take(key));
    }

    /// The most similar first.
    pub fn into_sorted(self) -> Vec<Found> {
        let found = |Reverse(key)| Found { index: (u32::MAX - key as u32) as usize, similarity: similarity(key) };
        self.keys.into_sorted_vec().into_iter().map(found).collect()
    }

    fn take(&mut self, key: u64) {
        if self.keys.len() < self.size {
            self.keys.push(Reverse(key));
        } else if let Some(mut worst) = self.keys.peek_mut()
            && key > worst.0
        {
            *worst = Reverse(key);
        }
    }
}

fn key(index: usize, similarity: f32) -> u64 {
    // −0 is 0.
    let bits = (similarity + 0.0).to_bits();
    let ordered = if bits >> 31 == 1 { !bits } else { bits | 1 << 31 };
    u64::from(ordered) << 32 | u64::from(u32::MAX - index as u32)
}

fn similarity(key: u64) -> f32 {
    let ordered = (key >> 32) as u32;
    f32::from_bits(if ordered >> 31 == 1 { ordered & !(1 << 31) } else { !ordered })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_stay_in_order_and_ties_by_index() {
        let mut top = Top::new(4);
        assert_eq!(top.to_beat(), f32::NEG_INFINITY);
        for (index, similarity) in [-0.5, 0.25, -1.0, 0.25, 1.0, -0.0, 0.0].into_iter().enumerate() {
            top.offer(index, similarity);
        }
        assert_eq!(top.to_beat(), 0.0);
        let found: Vec<_> = top.into_sorted().iter().map(|found| (found.index, found.similarity)).collect();
        assert_eq!(found, [(4, 1.0), (1, 0.25), (3, 0.25), (5, 0.0)]);
    }

    #[test]
    fn none_are_wanted() {
        let mut top = Top::new(0);
        top.offer(1, 1.0);
        assert_eq!((top.to_beat(), top.into_sorted()), (f32::INFINITY, vec![]));
    }
}
