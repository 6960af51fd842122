//! Re-ranking with k-reciprocal neighbours (Zhong et al., CVPR 2017, arXiv 1701.08398).

use super::Neighbours;
use crate::kernels::parallel;

/// The parameters of [`Reranking`]; the default is the paper's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rerank {
    /// How many neighbours can be reciprocal.
    pub k1: usize,
    /// How many neighbours a neighbourhood is averaged over (local query expansion); 1 leaves it out.
    pub k2: usize,
    /// The weight λ of the original distance against the Jaccard distance.
    pub lambda: f32,
}

impl Default for Rerank {
    fn default() -> Self {
        Self { k1: 20, k2: 6, lambda: 0.3 }
    }
}

/// Rows of the paper's V, of which few entries are not 0: of each image the images of its neighbourhood, ascending, with
/// their weights.
#[derive(Clone, Debug, Default)]
struct Neighbourhoods {
    /// Where the entries of each row begin, and where those of the last end.
    starts: Vec<usize>,
    entries: Vec<(u32, f32)>,
}

impl Neighbourhoods {
    fn row(&self, image: usize) -> &[(u32, f32)] {
        &self.entries[self.starts[image]..self.starts[image + 1]]
    }

    fn collect(rows: &[Vec<(u32, f32)>]) -> Self {
        let mut all = Self { starts: vec![0], entries: Vec::with_capacity(rows.iter().map(Vec::len).sum()) };
        for row in rows {
            all.entries.extend(row);
            all.starts.push(all.entries.len());
        }
        all
    }

    /// Of each image the neighbourhoods that it is in.
    fn transposed(&self) -> Self {
        let count = self.starts.len() - 1;
        let mut starts = vec![0; count + 1];
        self.entries.iter().for_each(|&(image, _)| starts[image as usize + 1] += 1);
        (0..count).for_each(|image| starts[image + 1] += starts[image]);
        let mut next = starts.clone();
        let mut entries = vec![(0, 0.0); self.entries.len()];
        for row in 0..count {
            for &(image, weight) in self.row(row) {
                let place = &mut next[image as usize];
                entries[*place] = (row as u32, weight);
                *place += 1;
            }
        }
        Self { starts, entries }
    }
}

/// What re-ranking knows of all images, queries and gallery alike; distances are made of it row by row.
///
/// Original distances are divided by each image's largest; what comes out is `(1 − λ) · Jaccard + λ · original`, between 0
/// and 1. Neighbours are looked for among all images, whatever their labels, as in the authors' code. An image may be query
/// and gallery at once. Ties are broken by index. Memory grows with `count · k1 · k2`, not with the number of pairs.
#[derive(Clone, Debug)]
pub struct Reranking {
    weights: Neighbourhoods,
    members: Neighbourhoods,
    farthest: Vec<f32>,
    lambda: f32,
}

impl Reranking {
    /// How many neighbours of each image have to be known.
    pub fn neighbours(Rerank { k1, k2, .. }: Rerank) -> usize {
        k2.max(k1 + 1)
    }

    /// `neighbours` are at least as many as [`Reranking::neighbours`] asks for, where there are as many images; `distance`
    /// gives the squared distance of two.
    pub fn new(neighbours: &Neighbours, distance: impl Fn(usize, usize) -> f32 + Sync, parameters: Rerank) -> Self {
        let Rerank { k1, k2, lambda } = parameters;
        let count = neighbours.count();
        let farthest: Vec<f32> = (0..count).map(|image| neighbours.farthest(image)).collect();
        let mut rows: Vec<Vec<(u32, f32)>> = vec![Vec::new(); count];
        parallel::for_each_chunk(&mut rows, 1, |image, row| {
            let images = expanded_reciprocal(neighbours, image, k1);
            let weight = |&other: &u32| (-scaled(distance(image, other as usize), farthest[image])).exp();
            let sum: f32 = images.iter().map(weight).sum();
            row[0] = images.iter().map(|other| (*other, weight(other) / sum)).collect();
        });
        let mut weights = Neighbourhoods::collect(&rows);
        if k2 > 1 {
            parallel::for_each_chunk(&mut rows, 1, |image, row| row[0] = mean(&weights, neighbours.first(image, k2)));
            weights = Neighbourhoods::collect(&rows);
        }
        Self { members: weights.transposed(), weights, farthest, lambda }
    }

    /// Puts the new distances into `row`, which has the squared ones from image `query` to `gallery`'s images. `overlap` is
    /// scratch.
    pub fn row(&self, query: usize, gallery: &[usize], row: &mut [f32], overlap: &mut Vec<f32>) {
        overlap.clear();
        overlap.resize(self.farthest.len(), 0.0);
        for &(j, weight) in self.weights.row(query) {
            self.members.row(j as usize).iter().for_each(|&(i, other)| overlap[i as usize] += weight.min(other));
        }
        for (distance, &image) in row.iter_mut().zip(gallery) {
            // Each neighbourhood's weights sum to 1, so the union is 2 − the intersection.
            let jaccard = 1.0 - overlap[image] / (2.0 - overlap[image]);
            *distance = (1.0 - self.lambda) * jaccard + self.lambda * scaled(*distance, self.farthest[query]);
        }
    }
}

impl Reranking {
    /// The same for a query whose neighbours say nothing: none overlaps with any other's, so that the order stays.
    pub fn plain_row(&self, query: usize, row: &mut [f32]) {
        let scale =
            |distance: &mut f32| *distance = 1.0 - self.lambda + self.lambda * scaled(*distance, self.farthest[query]);
        row.iter_mut().for_each(scale);
    }
}

fn scaled(distance: f32, farthest: f32) -> f32 {
    if farthest > 0.0 { distance / farthest } else { 0.0 }
}

/// The images among the first `k + 1` of `image` (itself one of them) that have it among their own: R(p, k) of the paper.
fn reciprocal(neighbours: &Neighbours, image: usize, k: usize) -> Vec<u32> {
    let knows = |&j: &u32| neighbours.first(j as usize, k + 1).contains(&(image as u32));
    neighbours.first(image, k + 1).iter().copied().filter(knows).collect()
}

/// R(p, k) joined with the R(q, k/2) of those of its images q that share more than two thirds of it: R*(p, k), ascending.
fn expanded_reciprocal(neighbours: &Neighbours, image: usize, k: usize) -> Vec<u32> {
    let reciprocal_images = reciprocal(neighbours, image, k);
    let mut expanded = reciprocal_images.clone();
    // numpy's rounding, which the authors' code uses: half to even.
    let half = (k as f64 / 2.0).round_ties_even() as usize;
    for &candidate in &reciprocal_images {
        let theirs = reciprocal(neighbours, candidate as usize, half);
        let shared = theirs.iter().filter(|j| reciprocal_images.contains(j)).count();
        if 3 * shared > 2 * theirs.len() {
            expanded.extend(theirs);
        }
    }
    expanded.sort_unstable();
    expanded.dedup();
    // In a crowd of duplicates an image need not be among its own nearest; it still is its own neighbourhood.
    if expanded.is_empty() { vec![image as u32] } else { expanded }
}

/// The mean of some neighbourhoods.
fn mean(weights: &Neighbourhoods, images: &[u32]) -> Vec<(u32, f32)> {
    let mut entries: Vec<_> = images.iter().flat_map(|&i| weights.row(i as usize).iter().copied()).collect();
    entries.sort_by_key(|&(j, _)| j);
    let groups = entries.chunk_by(|a, b| a.0 == b.0);
    groups
        .map(|group| (group[0].0, group.iter().map(|&(_, weight)| weight).sum::<f32>() / images.len() as f32))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranking::nearest;

    /// What `tests/fixtures/make_rerank.py` wrote: the distances and, for each parameter set, what an independent
    /// implementation makes of them.
    #[derive(serde::Deserialize)]
    struct Fixture {
        count: usize,
        queries: usize,
        distances: Vec<f32>,
        cases: Vec<Case>,
    }

    #[derive(serde::Deserialize)]
    struct Case {
        k1: usize,
        k2: usize,
        lambda: f32,
        expected: Vec<f32>,
    }

    fn fixture() -> Fixture {
        serde_json::from_str(include_str!("../../tests/fixtures/rerank.json")).expect("our own file")
    }

    /// The new distances from some images to others, out of a matrix of the squared ones.
    fn rerank(distances: &[f32], count: usize, queries: &[usize], gallery: &[usize], parameters: Rerank) -> Vec<f32> {
        let neighbours = Neighbours::of_matrix(distances, count, Reranking::neighbours(parameters));
        let reranking = Reranking::new(&neighbours, |i, j| distances[i * count + j], parameters);
        let rows = queries.iter().flat_map(|&query| {
            let mut row: Vec<f32> = gallery.iter().map(|image| distances[query * count + image]).collect();
            reranking.row(query, gallery, &mut row, &mut Vec::new());
            row
        });
        rows.collect()
    }

    #[test]
    fn equals_an_independent_implementation() {
        let Fixture { count, queries, distances, cases } = fixture();
        let (query, gallery): (Vec<usize>, Vec<usize>) = (0..count).partition(|&i| i < queries);
        assert_eq!(cases.len(), 3);
        for Case { k1, k2, lambda, expected } in cases {
            let found = rerank(&distances, count, &query, &gallery, Rerank { k1, k2, lambda });
            assert_eq!(found.len(), expected.len());
            let worst = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst < 1e-6, "k1 {k1}, k2 {k2}, λ {lambda}: {worst}");
        }
    }

    #[test]
    fn lambda_one_is_the_original_order_and_an_image_is_nearest_to_itself() {
        let Fixture { count, distances, .. } = fixture();
        let all: Vec<usize> = (0..count).collect();
        let original = rerank(&distances, count, &all, &all, Rerank { lambda: 1.0, ..Rerank::default() });
        let found = rerank(&distances, count, &all, &all, Rerank::default());
        for i in 0..count {
            let row = i * count..(i + 1) * count;
            assert_eq!(nearest(&original[row.clone()], count), nearest(&distances[row.clone()], count));
            assert_eq!(nearest(&found[row], 1), [i]);
        }
    }

    #[test]
    fn few_or_equal_images_are_no_trouble() {
        assert!(rerank(&[], 0, &[], &[], Rerank::default()).is_empty());
        assert_eq!(rerank(&[0.0], 1, &[0], &[0], Rerank::default()), [0.0]);
        let equal = rerank(&[0.0; 2500], 50, &[0, 49], &[1, 2], Rerank::default());
        assert!(equal.iter().all(|d| (0.0..=1.0).contains(d)), "{equal:?}");
    }
}
