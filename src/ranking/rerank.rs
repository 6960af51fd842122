//! Re-ranking with k-reciprocal neighbours (Zhong et al., CVPR 2017, arXiv 1701.08398).

use super::{RankingError, check, nearest};

/// The parameters of [`rerank`]; the default is the paper's.
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

/// A row of the paper's V: the images of a neighbourhood in ascending order, with their weights.
type Neighbourhood = Vec<(usize, f32)>;

/// New distances `[queries, gallery]`, row by row, between the images that the two lists of indices name.
///
/// `distances` are the squared distances between all `count` images, queries and gallery alike, `[count, count]` row by row and
/// symmetric. Each row is divided by its maximum; what comes out is `(1 − λ) · Jaccard + λ · original`, between 0 and 1.
/// Neighbours are looked for among all images, whatever their labels, as in the authors' code.
/// An image may be query and gallery at once. Ties are broken by index. Memory on top of the matrix grows with
/// `count · k1 · k2`.
///
/// # Errors
/// [`RankingError::Shape`], [`RankingError::NotFinite`] or [`RankingError::Index`] for inputs that do not fit together.
pub fn rerank(
    distances: &[f32],
    count: usize,
    queries: &[usize],
    gallery: &[usize],
    parameters: Rerank,
) -> Result<Vec<f32>, RankingError> {
    let Rerank { k1, k2, lambda } = parameters;
    check(distances, count, count)?;
    if let Some(&index) = queries.iter().chain(gallery).find(|&&index| index >= count) {
        return Err(RankingError::Index { index, count });
    }
    if count == 0 {
        return Ok(Vec::new());
    }
    let scales: Vec<f32> = distances.chunks_exact(count).map(|row| row.iter().copied().fold(0.0, f32::max)).collect();
    let original = |i: usize, j: usize| if scales[i] > 0.0 { distances[i * count + j] / scales[i] } else { 0.0 };

    let ranked: Vec<Vec<usize>> =
        distances.chunks_exact(count).map(|row| nearest(row, k2.max(k1 + 1).min(count))).collect();
    let weights: Vec<Neighbourhood> = (0..count)
        .map(|i| {
            let images = expanded_reciprocal(&ranked, i, k1);
            let weights = images.iter().map(|&j| (-original(i, j)).exp());
            let sum: f32 = weights.clone().sum();
            images.iter().copied().zip(weights.map(|weight| weight / sum)).collect()
        })
        .collect();
    let weights =
        if k2 > 1 { ranked.iter().map(|images| mean(&weights, first(images, k2))).collect() } else { weights };

    // For every image, the neighbourhoods that it is in.
    let mut members: Vec<Neighbourhood> = vec![Vec::new(); count];
    for (i, neighbourhood) in weights.iter().enumerate() {
        neighbourhood.iter().for_each(|&(j, weight)| members[j].push((i, weight)));
    }
    let mut overlap = vec![0.0_f32; count];
    let mut result = Vec::with_capacity(queries.len() * gallery.len());
    for &query in queries {
        overlap.fill(0.0);
        for &(j, weight) in &weights[query] {
            members[j].iter().for_each(|&(i, other)| overlap[i] += weight.min(other));
        }
        // Each neighbourhood's weights sum to 1, so the union is 2 − the intersection.
        result.extend(gallery.iter().map(|&g| {
            let jaccard = 1.0 - overlap[g] / (2.0 - overlap[g]);
            (1.0 - lambda) * jaccard + lambda * original(query, g)
        }));
    }
    Ok(result)
}

fn first(ranked: &[usize], count: usize) -> &[usize] {
    &ranked[..count.min(ranked.len())]
}

/// The images among the first `k + 1` of `image` (itself one of them) that have it among their own: R(p, k) of the paper.
fn reciprocal(ranked: &[Vec<usize>], image: usize, k: usize) -> Vec<usize> {
    let neighbours = first(&ranked[image], k + 1).iter();
    neighbours.copied().filter(|&j| first(&ranked[j], k + 1).contains(&image)).collect()
}

/// R(p, k) joined with the R(q, k/2) of those of its images q that share more than two thirds of it: R*(p, k), ascending.
fn expanded_reciprocal(ranked: &[Vec<usize>], image: usize, k: usize) -> Vec<usize> {
    let reciprocal_images = reciprocal(ranked, image, k);
    let mut expanded = reciprocal_images.clone();
    // numpy's rounding, which the authors' code uses: half to even.
    let half = (k as f64 / 2.0).round_ties_even() as usize;
    for &candidate in &reciprocal_images {
        let theirs = reciprocal(ranked, candidate, half);
        let shared = theirs.iter().filter(|j| reciprocal_images.contains(j)).count();
        if 3 * shared > 2 * theirs.len() {
            expanded.extend(theirs);
        }
    }
    expanded.sort_unstable();
    expanded.dedup();
    // In a crowd of duplicates an image need not be among its own nearest; it still is its own neighbourhood.
    if expanded.is_empty() { vec![image] } else { expanded }
}

/// The mean of some neighbourhoods.
fn mean(weights: &[Neighbourhood], images: &[usize]) -> Neighbourhood {
    let mut entries: Neighbourhood = images.iter().flat_map(|&i| weights[i].iter().copied()).collect();
    entries.sort_by_key(|&(j, _)| j);
    let groups = entries.chunk_by(|a, b| a.0 == b.0);
    groups
        .map(|group| (group[0].0, group.iter().map(|&(_, weight)| weight).sum::<f32>() / images.len() as f32))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn equals_an_independent_implementation() {
        let Fixture { count, queries, distances, cases } = fixture();
        let (query, gallery): (Vec<usize>, Vec<usize>) = (0..count).partition(|&i| i < queries);
        assert_eq!(cases.len(), 3);
        for Case { k1, k2, lambda, expected } in cases {
            let found = rerank(&distances, count, &query, &gallery, Rerank { k1, k2, lambda }).expect("fits");
            assert_eq!(found.len(), expected.len());
            let worst = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst < 1e-6, "k1 {k1}, k2 {k2}, λ {lambda}: {worst}");
        }
    }

    #[test]
    fn lambda_one_is_the_original_order_and_an_image_is_nearest_to_itself() {
        let Fixture { count, distances, .. } = fixture();
        let all: Vec<usize> = (0..count).collect();
        let original =
            rerank(&distances, count, &all, &all, Rerank { lambda: 1.0, ..Rerank::default() }).expect("fits");
        let found = rerank(&distances, count, &all, &all, Rerank::default()).expect("fits");
        for i in 0..count {
            let row = i * count..(i + 1) * count;
            assert_eq!(nearest(&original[row.clone()], count), nearest(&distances[row.clone()], count));
            assert_eq!(nearest(&found[row], 1), [i]);
        }
    }

    #[test]
    fn few_or_equal_images_are_no_trouble() {
        assert_eq!(rerank(&[], 0, &[], &[], Rerank::default()), Ok(Vec::new()));
        assert_eq!(rerank(&[0.0], 1, &[0], &[0], Rerank::default()), Ok(vec![0.0]));
        let equal = rerank(&[0.0; 2500], 50, &[0, 49], &[1, 2], Rerank::default()).expect("fits");
        assert!(equal.iter().all(|d| (0.0..=1.0).contains(d)), "{equal:?}");
    }

    #[test]
    fn wrong_inputs_are_errors() {
        let shape = rerank(&[0.0; 3], 2, &[], &[], Rerank::default());
        assert_eq!(shape, Err(RankingError::Shape { rows: 2, columns: 2, found: 3 }));
        let index = rerank(&[0.0; 4], 2, &[0], &[2], Rerank::default());
        assert_eq!(index, Err(RankingError::Index { index: 2, count: 2 }));
    }
}
