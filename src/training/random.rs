//! Randomness without a state to keep: every place draws from a generator of its own, so that training resumes exactly.

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

/// What a generator is for. Two purposes never share their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The order of the images of an epoch.
    Order = 1,
    /// How an image of an epoch is changed.
    Augment = 2,
    /// Who is held out of a folder.
    Validation = 3,
}

/// The generator of a place: `epoch` and `index` mean what the purpose takes them for.
pub fn generator(seed: u64, purpose: Purpose, epoch: u64, index: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    for (bytes, word) in key.chunks_exact_mut(8).zip([seed, purpose as u64, epoch, index]) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;
    use std::collections::BTreeSet;

    #[test]
    fn every_place_has_numbers_of_its_own() {
        let first = |seed, purpose, epoch, index| generator(seed, purpose, epoch, index).next_u64();
        let numbers = BTreeSet::from([
            first(1, Purpose::Order, 0, 0),
            first(2, Purpose::Order, 0, 0),
            first(1, Purpose::Augment, 0, 0),
            first(1, Purpose::Augment, 1, 0),
            first(1, Purpose::Augment, 0, 1),
        ]);
        assert_eq!(numbers.len(), 5);
        assert_eq!(first(1, Purpose::Order, 0, 0), first(1, Purpose::Order, 0, 0));
    }
}
