//! Who is nearest to whom.

use super::distances::{Distances, Progress};
use super::{Features, RankingError, nearest};
use crate::kernels::parallel;

/// The nearest of all images to each image, itself included: what re-ranking and expansion look at.
#[derive(Clone, Debug, Default)]
pub struct Neighbours {
    /// `[count, k]`, nearest first, ties by index.
    images: Vec<u32>,
    k: usize,
    /// The squared distance of each image to the one that is farthest from it.
    farthest: Vec<f32>,
}

impl Neighbours {
    /// The `k` nearest, or as many as there are. Memory grows with `count · k`.
    ///
    /// # Errors
    /// [`RankingError::Cancelled`].
    pub fn of(features: &Features, k: usize, progress: Progress) -> Result<Self, RankingError> {
        let k = k.min(features.count());
        let mut neighbours = Self { images: Vec::with_capacity(features.count() * k), k, farthest: Vec::new() };
        let mut found: Vec<(Vec<usize>, f32)> = Vec::new();
        Distances::to(features).blocks(features, progress, |_, rows| {
            let rows: Vec<&[f32]> = rows.iter().collect();
            found.clear();
            found.resize(rows.len(), Default::default());
            parallel::for_each_chunk(&mut found, 1, |place, found| found[0] = look(rows[place], k));
            found.iter().for_each(|found| neighbours.push(found));
        })?;
        Ok(neighbours)
    }

    fn push(&mut self, (images, farthest): &(Vec<usize>, f32)) {
        self.images.extend(images.iter().map(|&image| image as u32));
        self.farthest.push(*farthest);
    }

    /// The same out of a matrix of distances between all images.
    #[cfg(test)]
    pub(super) fn of_matrix(distances: &[f32], count: usize, k: usize) -> Self {
        let mut neighbours = Self { k: k.min(count), ..Self::default() };
        distances.chunks_exact(count.max(1)).for_each(|row| neighbours.push(&look(row, k.min(count))));
        neighbours
    }

    pub fn count(&self) -> usize {
        self.farthest.len()
    }

    /// The first `k` of an image's neighbours; fewer where fewer are known.
    pub fn first(&self, image: usize, k: usize) -> &[u32] {
        &self.images[image * self.k..][..k.min(self.k)]
    }

    /// The first `k` without the image itself.
    pub(crate) fn others(&self, image: usize, k: usize) -> impl Iterator<Item = u32> {
        self.first(image, k + 1).iter().copied().filter(move |&other| other as usize != image).take(k)
    }

    pub fn farthest(&self, image: usize) -> f32 {
        self.farthest[image]
    }
}

fn look(row: &[f32], k: usize) -> (Vec<usize>, f32) {
    (nearest(row, k), row.iter().copied().fold(0.0, f32::max))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranking::distances::quiet;

    #[test]
    fn the_nearest_of_each_image() {
        // Angles on a circle: 0°, 10°, 30°, 180°.
        let rows: Vec<f32> = [0.0_f32, 10.0, 30.0, 180.0]
            .iter()
            .flat_map(|angle| [angle.to_radians().cos(), angle.to_radians().sin()])
            .collect();
        let features = Features::new(&rows, 2).expect("fits");
        let found = Neighbours::of(&features, 3, &mut quiet).expect("not cancelled");
        assert_eq!([0, 1, 2, 3].map(|image| found.first(image, 9)), [[0, 1, 2], [1, 0, 2], [2, 1, 0], [3, 2, 1]]);
        assert!((found.farthest(0) - 4.0).abs() < 1e-6);
        assert_eq!(found.others(1, 2).collect::<Vec<_>>(), [0, 2]);
        assert_eq!(found.first(1, 2), [1, 0]);
    }

    #[test]
    fn there_are_no_more_neighbours_than_images() {
        let features = Features::new(&[1.0, 0.0, 0.0, 1.0], 2).expect("fits");
        let found = Neighbours::of(&features, 20, &mut quiet).expect("not cancelled");
        assert_eq!((found.count(), found.first(1, 20)), (2, &[1, 0][..]));
        assert_eq!(Neighbours::of(&Features::new(&[], 2).expect("none"), 5, &mut quiet).expect("none").count(), 0);
    }
}
