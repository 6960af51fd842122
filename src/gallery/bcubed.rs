//! BCubed: how well groups match persons, photo by photo (Bagga and Baldwin, ACL 1998; Amigó et al., 2009).

use std::collections::HashMap;

use serde::Serialize;

/// Means over the photos, 0…1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BCubed {
    /// Of a photo's group, the share that shows its person.
    pub precision: f64,
    /// Of a person's photos, the share that is in the photo's group.
    pub recall: f64,
    /// The harmonic mean of the two.
    pub f: f64,
}

/// Scores groups, lists of photos that leave none out and have none twice, by who is in the photos. `None` without photos.
pub fn bcubed<P: std::hash::Hash + Eq>(groups: &[Vec<P>]) -> Option<BCubed> {
    let mut persons: HashMap<&P, f64> = HashMap::new();
    groups.iter().flatten().for_each(|person| *persons.entry(person).or_default() += 1.0);
    let photos: f64 = persons.values().sum();
    let (mut precision, mut recall) = (0.0, 0.0);
    for group in groups {
        let mut here: HashMap<&P, f64> = HashMap::new();
        group.iter().for_each(|person| *here.entry(person).or_default() += 1.0);
        for (person, count) in here {
            precision += count * count / group.len() as f64;
            recall += count * count / persons[person];
        }
    }
    (photos > 0.0).then(|| {
        let [precision, recall] = [precision, recall].map(|sum| sum / photos);
        BCubed { precision, recall, f: 2.0 * precision * recall / (precision + recall) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: of a group aab and a group ab.
    #[test]
    fn by_hand() {
        let found = bcubed(&[vec!["a", "a", "b"], vec!["a", "b"]]).expect("photos");
        let precision = (4.0 / 3.0 + 1.0 / 3.0 + 0.5 + 0.5) / 5.0;
        let recall = (4.0 / 3.0 + 0.5 + 1.0 / 3.0 + 0.5) / 5.0;
        assert!((found.precision - precision).abs() < 1e-12 && (found.recall - recall).abs() < 1e-12, "{found:?}");
        assert!((found.f - 2.0 * precision * recall / (precision + recall)).abs() < 1e-12);
    }

    #[test]
    fn the_ends() {
        let right = bcubed(&[vec![1, 1], vec![2]]).expect("photos");
        assert_eq!(right, BCubed { precision: 1.0, recall: 1.0, f: 1.0 });
        assert_eq!(bcubed::<u8>(&[]), None);
        let alone = bcubed(&[vec![1], vec![1]]).expect("photos");
        assert_eq!((alone.precision, alone.recall), (1.0, 0.5));
    }
}
