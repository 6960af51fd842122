//! Exact search among many features: which of them are most like a query, none missed.
//!
//! Features may be kept in fewer bits. Where many are searched again and again, a [`Filter`] looks at all of them in short
//! form first, and only those that it cannot rule out are looked at as they are kept ("filter and refine").

mod components;
mod filter;
mod products;
mod rows;
mod top;

use std::ops::Range;

use self::filter::{Coded, Filter};
use self::rows::Rows;
use self::top::Top;
use super::{Features, RankingError, check, dot};
use crate::kernels::parallel;
use crate::kernels::{frozen::LANES, simd::vectorised};
use crate::words::words;

/// What a value of a kept feature is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Scalar {
    /// As it was given.
    #[default]
    F32,
    /// Half the memory; similarities move by less than 0.001.
    F16,
    /// A quarter of the memory, with a scale for each feature; similarities move by about 0.001, so that of photos almost
    /// equally alike another may come first.
    Int8,
}

words! {
    Scalar: "f32" => F32, "f16" => F16, "int8" => Int8;
    /// A word that is no [`Scalar`].
    UnknownScalar, "features cannot be kept as '{0}'; choose f32, f16 or int8"
}

/// A feature that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// Its place among the features, in the order in which they were added.
    pub index: usize,
    /// The cosine, −1…1.
    pub similarity: f32,
}

/// Features of length 1, each of which is compared with a query: the k most alike are the k most alike. A feature of n values
/// takes 4n bytes, 2n or n + 4 as it is kept, and n / 4 + 12 more, at the most 140, in short form.
#[derive(Clone, Debug)]
pub struct FlatIndex {
    rows: Rows,
    filter: Option<Filter>,
}

/// Queries that go through the features together, so that what is read of these serves all.
const QUERIES: usize = 8;

/// Features that stay in the cache while the queries go by: as they are kept, and in short form.
const KEPT_BLOCK: usize = 64;
const SHORT_BLOCK: usize = 256;

/// Features that are looked at one after the other, at the most.
const STRETCH: usize = 256;

impl FlatIndex {
    /// An empty one for features of `dim` values.
    pub fn new(dim: usize, scalar: Scalar) -> Self {
        Self { rows: Rows::new(dim, scalar), filter: None }
    }

    /// Makes room for so many more features at once.
    ///
    /// # Errors
    /// [`RankingError::Memory`].
    pub fn reserve(&mut self, features: usize) -> Result<(), RankingError> {
        self.rows.reserve(features).map_err(|_| RankingError::Memory { features })
    }

    /// Adds features `[n, dim]`, which are brought to length 1; one of zeros stays so and is like nothing.
    ///
    /// # Errors
    /// With which nothing was added: [`RankingError::Shape`] when the rows are not whole, [`RankingError::NotFinite`] for NaN
    /// and infinities, [`RankingError::Memory`].
    pub fn add(&mut self, rows: &[f32]) -> Result<(), RankingError> {
        let dim = self.dim();
        let features = rows.len() / dim.max(1);
        check(rows, features, dim)?;
        self.reserve(features)?;
        rows.chunks_exact(dim.max(1)).for_each(|row| self.rows.push(row));
        Ok(())
    }

    pub fn count(&self) -> usize {
        self.rows.count()
    }

    /// The values of a feature.
    pub fn dim(&self) -> usize {
        self.rows.dim()
    }

    pub fn scalar(&self) -> Scalar {
        self.rows.scalar()
    }

    /// The bytes that the features take, with their short form.
    pub fn bytes(&self) -> usize {
        self.rows.bytes() + self.filter.as_ref().map_or(0, Filter::bytes)
    }

    /// A feature as it is kept, of length 1.
    pub fn row(&self, index: usize) -> Vec<f32> {
        let mut row = vec![0.0; self.dim()];
        self.rows.decode(index, &mut row);
        row
    }

    /// The cosine, −1…1, of a feature with a query of length 1.
    #[inline(always)]
    pub fn similarity(&self, index: usize, query: &[f32]) -> f32 {
        self.rows.product(index, query).clamp(-1.0, 1.0)
    }

    /// Makes short forms of the features, where there are enough of them: a quarter of their values or fewer, in bytes. That
    /// takes as long as some hundred searches, which then take a fraction of their time and find the same. Features that are
    /// added later have one once this was called again.
    pub fn prepare(&mut self) {
        let (count, dim) = (self.count(), self.dim());
        if count < Filter::FEWEST || dim < Filter::SHORTEST {
            return;
        }
        // Other directions may tell more of what has been added.
        let grown = self.filter.as_ref().is_none_or(|filter| count >= 2 * filter.made_for());
        let filter = self.filter.take().filter(|_| !grown);
        let mut filter = filter.unwrap_or_else(|| Filter::new(&self.rows));
        filter.extend(&self.rows);
        self.filter = Some(filter);
    }

    /// For each query the `top` features most like it, or all where there are fewer: the most alike first, of equals the earlier.
    ///
    /// # Errors
    /// [`RankingError::Shape`] for queries of another length.
    pub fn search(&self, queries: &Features, top: usize) -> Result<Vec<Vec<Found>>, RankingError> {
        if queries.dim() != self.dim() {
            let found = queries.count() * queries.dim();
            return Err(RankingError::Shape { rows: queries.count(), columns: self.dim(), found });
        }
        let top = top.min(self.count());
        // Threads share queries, or the features where there are few.
        let groups = queries.count().div_ceil(QUERIES);
        let parts = if groups < parallel::threads() { parallel::threads() } else { 1 };
        let mut looks: Vec<Vec<Top>> = vec![Vec::new(); groups * parts];
        let part = |part: usize| part * self.count() / parts..(part + 1) * self.count() / parts;
        parallel::for_each_chunk(&mut looks, 1, |place, look| {
            let first = place / parts * QUERIES;
            let group: Vec<usize> = (first..queries.count().min(first + QUERIES)).collect();
            look[0] = self.look(&queries.select(&group), part(place % parts), top);
        });
        let merged = looks.chunks_mut(parts.max(1)).flat_map(|parts| {
            let (whole, rest) = parts.split_first_mut().expect("a part at the least");
            for part in rest {
                whole.iter_mut().zip(part).for_each(|(top, part)| top.merge(part));
            }
            std::mem::take(whole)
        });
        Ok(merged.map(Top::into_sorted).collect())
    }

    /// The best of some features for a few queries.
    fn look(&self, queries: &Features, among: Range<usize>, top: usize) -> Vec<Top> {
        let mut tops = vec![Top::new(top); queries.count()];
        match &self.filter {
            Some(filter) => self.refine(filter, queries, among, &mut tops),
            None => self.compare(queries, among, &mut tops),
        }
        tops
    }

    fn compare(&self, queries: &Features, among: Range<usize>, tops: &mut [Top]) {
        for start in among.clone().step_by(KEPT_BLOCK) {
            let block = start..among.end.min(start + KEPT_BLOCK);
            for (query, top) in tops.iter_mut().enumerate() {
                let query = queries.row(query);
                vectorised(|| block.clone().for_each(|index| top.offer(index, self.similarity(index, query))));
            }
        }
    }

    fn refine(&self, filter: &Filter, queries: &Features, among: Range<usize>, tops: &mut [Top]) {
        let coded: Vec<Coded> = (0..tops.len()).map(|query| filter.code(queries.row(query))).collect();
        // What the similarity with each feature is at the most.
        let short = among.start..among.end.min(filter.count());
        let mut bounds = vec![f32::INFINITY; tops.len() * among.len()];
        for start in short.clone().step_by(SHORT_BLOCK) {
            let block = start..short.end.min(start + SHORT_BLOCK);
            for (query, bounds) in coded.iter().zip(bounds.chunks_exact_mut(among.len())) {
                vectorised(|| filter.bounds(query, block.clone(), &mut bounds[start - among.start..][..block.len()]));
            }
        }
        for (query, (top, bounds)) in tops.iter_mut().zip(bounds.chunks_exact(among.len().max(1))).enumerate() {
            let query = queries.row(query);
            // The most promising stretches first, so that the others have something to beat.
            let stretch = (bounds.len() / (4 * top.size()).max(1)).clamp(1, STRETCH);
            let mut stretches: Vec<(f32, usize)> = bounds.chunks(stretch).map(largest).zip(0..).collect();
            stretches.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
            for (largest, place) in stretches {
                if largest < top.to_beat() {
                    break;
                }
                let first = place * stretch;
                for (index, &bound) in (first..).zip(&bounds[first..bounds.len().min(first + stretch)]) {
                    if bound >= top.to_beat() {
                        top.offer(among.start + index, self.similarity(among.start + index, query));
                    }
                }
            }
        }
    }
}

/// The largest of some numbers; −∞ of none.
fn largest(values: &[f32]) -> f32 {
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut most = [f32::NEG_INFINITY; LANES];
    for chunk in chunks {
        for lane in 0..LANES {
            most[lane] = most[lane].max(chunk[lane]);
        }
    }
    most.iter().chain(rest).copied().fold(f32::NEG_INFINITY, f32::max)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

    use super::*;

    const SCALARS: [Scalar; 3] = [Scalar::F32, Scalar::F16, Scalar::Int8];

    /// Photos of people, some of whom have many, most of what varies in the first of `dim` values, as the spectrum of networks'
    /// features has it; the last `queries` are to search with.
    fn people(count: usize, dim: usize, seed: u64) -> Vec<f32> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut vector = |size: f32| -> Vec<f32> {
            (0..dim)
                .map(|i| size * (-(i as f32) / (0.1 * dim as f32)).exp() * random.random_range(-1.0_f32..1.0))
                .collect()
        };
        let centres: Vec<Vec<f32>> = (0..count / 8 + 1).map(|_| vector(1.0)).collect();
        let photo = |photo: usize| {
            let centre = &centres[photo * photo % centres.len()];
            centre.iter().zip(vector(0.8)).map(|(centre, noise)| 3.0 * (centre + noise)).collect::<Vec<f32>>()
        };
        (0..count).flat_map(photo).collect()
    }

    /// The plain way, in f64: of each query the `top` most similar.
    fn expected(rows: &[f32], queries: &[f32], dim: usize, top: usize) -> Vec<Vec<(usize, f64)>> {
        let norm = |row: &[f32]| row.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
        let cosine = |a: &[f32], b: &[f32]| {
            let product: f64 = a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
            if product == 0.0 { 0.0 } else { product / norm(a) / norm(b) }
        };
        let of = |query: &[f32]| {
            let mut all: Vec<(usize, f64)> = rows.chunks(dim).map(|row| cosine(row, query)).enumerate().collect();
            all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            all.truncate(top);
            all
        };
        queries.chunks(dim).map(of).collect()
    }

    fn index_of(rows: &[f32], dim: usize, scalar: Scalar) -> FlatIndex {
        let mut index = FlatIndex::new(dim, scalar);
        index.add(rows).expect("features");
        index
    }

    fn search(index: &FlatIndex, queries: &[f32], top: usize) -> Vec<Vec<Found>> {
        index.search(&Features::new(queries, index.dim()).expect("queries"), top).expect("fits")
    }

    #[test]
    fn the_most_similar_are_found_as_in_f64() {
        for (count, dim, queries, top) in
            [(1, 1, 1, 1), (5, 3, 2, 9), (129, 8, 9, 4), (700, 37, 17, 10), (300, 64, 3, 300)]
        {
            let all = people(count + queries, dim, 7);
            let (rows, queries) = all.split_at(count * dim);
            let expected = expected(rows, queries, dim, top);
            for (scalar, error) in SCALARS.into_iter().zip([1e-6, 1e-3, 2e-2]) {
                let found = search(&index_of(rows, dim, scalar), queries, top);
                assert_eq!(found.len(), expected.len());
                for (found, expected) in found.iter().zip(&expected) {
                    assert_eq!(found.len(), top.min(count));
                    for (found, (index, similarity)) in found.iter().zip(expected) {
                        assert!((f64::from(found.similarity) - similarity).abs() < error, "{scalar:?} {count} {dim}");
                        assert!(scalar != Scalar::F32 || found.index == *index, "{count} × {dim}");
                    }
                }
            }
        }
    }

    /// Of the `top`, the share that are among those expected.
    fn recall(found: &[Vec<Found>], expected: &[Vec<(usize, f64)>]) -> f64 {
        let among = |found: &[Found], expected: &[(usize, f64)]| {
            found.iter().filter(|found| expected.iter().any(|(index, _)| *index == found.index)).count()
        };
        let right: usize = found.iter().zip(expected).map(|(found, expected)| among(found, expected)).sum();
        right as f64 / expected.iter().map(Vec::len).sum::<usize>() as f64
    }

    #[test]
    fn what_is_kept_in_fewer_bits_finds_nearly_all() {
        let all = people(6050, 128, 3);
        let (rows, queries) = all.split_at(6000 * 128);
        let expected = expected(rows, queries, 128, 10);
        for (scalar, least) in SCALARS.into_iter().zip([1.0, 0.99, 0.95]) {
            let mut index = index_of(rows, 128, scalar);
            let bytes = 6000
                * match scalar {
                    Scalar::F32 => 512,
                    Scalar::F16 => 256,
                    Scalar::Int8 => 128 + 4,
                };
            assert_eq!((index.bytes(), index.scalar(), index.count()), (bytes, scalar, 6000));
            let recall = recall(&search(&index, queries, 10), &expected);
            assert!(recall >= least, "{scalar:?}: {recall}");
            index.prepare();
            assert_eq!(index.bytes(), bytes + 6000 * (32 + 12) + 32 * 128 * 4);
        }
    }

    #[test]
    fn looking_twice_finds_the_same() {
        let flat = |count: usize, dim: usize| -> Vec<f32> {
            let mut random = ChaCha8Rng::seed_from_u64(5);
            (0..count * dim).map(|_| random.random_range(-1.0..1.0)).collect()
        };
        let mut same = people(5000, 72, 2);
        same.copy_within(..72 * 2000, 72 * 3000);
        same[72 * 100..72 * 140].fill(0.0);
        for (rows, dim) in [(people(9000, 96, 1), 96), (flat(4500, 64), 64), (same, 72), (vec![0.5; 64 * 4200], 64)] {
            let count = rows.len() / dim - 20;
            let (rows, queries) = rows.split_at(count * dim);
            for scalar in SCALARS {
                let plain = index_of(rows, dim, scalar);
                let mut prepared = index_of(&rows[..rows.len() / dim / 2 * dim], dim, scalar);
                prepared.prepare();
                prepared.add(&rows[rows.len() / dim / 2 * dim..]).expect("features");
                for top in [0, 1, 10, 999] {
                    assert_eq!(search(&prepared, queries, top), search(&plain, queries, top), "{dim} {scalar:?} {top}");
                }
                prepared.prepare();
                assert!(prepared.bytes() > plain.bytes());
                for top in [1, 10] {
                    assert_eq!(search(&prepared, queries, top), search(&plain, queries, top), "{dim} {scalar:?} {top}");
                }
                let zero = vec![0.0; dim];
                assert_eq!(search(&prepared, &zero, 10), search(&plain, &zero, 10));
            }
        }
    }

    #[test]
    fn bounds_hold_and_rule_most_out() {
        let (count, dim) = (5000, 128);
        let all = people(count + 10, dim, 4);
        let (rows, queries) = all.split_at(count * dim);
        for scalar in SCALARS {
            let mut index = index_of(rows, dim, scalar);
            index.prepare();
            let filter = index.filter.as_ref().expect("enough features");
            let mut within = 0;
            for query in 0..10 {
                let queries = Features::new(queries, dim).expect("queries");
                let coded = filter.code(queries.row(query));
                let mut bounds = vec![0.0; count];
                filter.bounds(&coded, 0..count, &mut bounds);
                for (feature, &bound) in bounds.iter().enumerate() {
                    let similarity = index.similarity(feature, queries.row(query));
                    assert!(bound >= similarity, "{scalar:?} {feature}: {similarity} is above {bound}");
                    within += usize::from(bound < similarity + 0.1);
                }
            }
            assert!(within > 9 * count, "{scalar:?}: {within} of {} bounds are close", 10 * count);
        }
    }

    #[test]
    fn what_is_no_feature_is_refused_and_nothing_is_found_in_nothing() {
        let mut index = FlatIndex::new(2, Scalar::Int8);
        assert_eq!(search(&index, &[1.0, 0.0], 5), [vec![]]);
        let refused = RankingError::NotFinite { row: 1, column: 0 };
        assert_eq!(index.add(&[1.0, 0.0, f32::NAN, 0.0]), Err(refused));
        assert_eq!(index.add(&[1.0]), Err(RankingError::Shape { rows: 0, columns: 2, found: 1 }));
        assert_eq!(index.count(), 0);
        index.prepare();
        index.add(&[3.0e38, 3.0e38, 0.0, -1.0e-38]).expect("features");
        assert_eq!(index.row(1), [0.0, -1.0]);
        assert!((index.similarity(0, &[1.0, 0.0]) - 0.5_f32.sqrt()).abs() < 1e-6);
        let queries = Features::new(&[1.0; 3], 3).expect("a query");
        assert_eq!(index.search(&queries, 1), Err(RankingError::Shape { rows: 1, columns: 2, found: 3 }));
        assert_eq!(search(&index, &[], 5), Vec::<Vec<Found>>::new());
    }
}
