//! Expansion: a feature learns from those nearest to it.

use super::{Features, Neighbours};

/// The parameters of [`expand`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expansion {
    /// How many gallery images join the query.
    pub k: usize,
    /// The exponent α of their similarity; 0 weighs all alike.
    pub alpha: f32,
}

impl Default for Expansion {
    fn default() -> Self {
        Self { k: 5, alpha: 3.0 }
    }
}

/// α-weighted query expansion (Radenović et al., arXiv 1711.02512, section 3.4): the L2-normalised sum of a feature and those
/// of the images `nearest` to it, each weighted by `max(cosine, 0)^α`.
///
/// `nearest` are the `k` nearest gallery images of each of `images`, itself apart. The others stay as they are.
pub fn expand(features: &Features, images: &[usize], nearest: &[Vec<u32>], alpha: f32) -> Features {
    let mut expanded = features.clone();
    for (&image, nearest) in images.iter().zip(nearest) {
        for &other in nearest {
            let cosine = 1.0 - features.distance(image, other as usize) / 2.0;
            expanded.add(image, cosine.max(0.0).powf(alpha), features.row(other as usize));
        }
        expanded.normalise(image);
    }
    expanded
}

/// Neighbours of [`centralise`].
pub const CENTRALISED: usize = 2;

/// Neighbour feature centralisation (NFC, arXiv 2503.00938, section 3.3): the L2-normalised sum of a feature and those of its
/// mutual nearest neighbours among [`CENTRALISED`]. Images of which `whether` is false stay as they are.
pub fn centralise(features: &Features, neighbours: &Neighbours, whether: impl Fn(usize) -> bool) -> Features {
    let mut centralised = features.clone();
    for image in (0..features.count()).filter(|&image| whether(image)) {
        for other in neighbours.others(image, CENTRALISED) {
            if neighbours.others(other as usize, CENTRALISED).any(|theirs| theirs as usize == image) {
                centralised.add(image, 1.0, features.row(other as usize));
            }
        }
        centralised.normalise(image);
    }
    centralised
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranking::distances::quiet;

    fn features(rows: &[f32]) -> Features {
        Features::new(rows, 2).expect("fits")
    }

    #[test]
    fn expansion_by_hand() {
        // The query's cosines are 0.6, 1 and −1: the best two are the second (weight 1) and the first (0.6³ = 0.216).
        let features = features(&[1.0, 0.0, 0.6, 0.8, 1.0, 0.0, -1.0, 0.0]);
        let found = expand(&features, &[0], &[vec![2, 1]], 3.0);
        let sum = [1.0 + 1.0 + 0.216 * 0.6, 0.216 * 0.8_f32];
        let norm = sum[0].hypot(sum[1]);
        assert!((found.row(0)[0] - sum[0] / norm).abs() < 1e-6 && (found.row(0)[1] - sum[1] / norm).abs() < 1e-6);
        assert_eq!(found.row(1), features.row(1), "who is not expanded stays");
    }

    #[test]
    fn opposite_images_do_not_count() {
        let features = features(&[1.0, 0.0, -1.0, 0.0]);
        assert_eq!(expand(&features, &[0], &[vec![1]], 3.0).row(0), [1.0, 0.0]);
    }

    #[test]
    fn centralisation_by_hand() {
        // On a circle at 0°, 20°, 90° and 180°: 0 and 1 have each other, and 90° is among the two nearest of both 1 and 180°.
        let rows: Vec<f32> = [0.0_f32, 20.0, 90.0, 180.0]
            .iter()
            .flat_map(|angle| [angle.to_radians().cos(), angle.to_radians().sin()])
            .collect();
        let features = features(&rows);
        let neighbours = Neighbours::of(&features, CENTRALISED + 1, &mut quiet).expect("not cancelled");
        let found = centralise(&features, &neighbours, |image| image != 3);
        let angle = |image: usize| found.row(image)[1].atan2(found.row(image)[0]).to_degrees();
        // 0° has 20° and 90°, of which both have it (90°: 20° is nearest, then 0° and 180° tie by index); their sum.
        let sum = [0.0_f32, 20.0, 90.0]
            .map(|a| a.to_radians())
            .iter()
            .fold([0.0, 0.0], |s, a| [s[0] + a.cos(), s[1] + a.sin()]);
        assert!((angle(0) - sum[1].atan2(sum[0]).to_degrees()).abs() < 1e-3, "{}", angle(0));
        assert_eq!(found.row(3), features.row(3));
    }
}
