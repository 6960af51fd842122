//! Distances from some features to many, a block of rows at a time: a matrix of all pairs is never held.

use std::ops::{ControlFlow, Range};

use super::{Features, RankingError};
use crate::kernels::frozen::conv::Packed;
use crate::kernels::frozen::{LANES, Stored};
use crate::kernels::parallel;
use crate::step::{Activation, Convolution, Map, Padding};

/// Values of a block of distances, which caps its memory; no fewer rows than make it worth the loads.
const BLOCK_VALUES: usize = 1 << 22;
const ROWS: Range<usize> = 24..288;

/// What is told of a long computation: how much of it is done, and the whole; [`ControlFlow::Break`] ends it with
/// [`RankingError::Cancelled`].
pub type Progress<'a> = &'a mut dyn FnMut(usize, usize) -> ControlFlow<()>;

/// The images that distances go to, packed. The product behind them is a convolution of one pixel an image, whose kernel
/// is the fastest matrix product there is here.
pub struct Distances {
    packed: Packed,
    count: usize,
    /// From one row of a block to the next.
    pitch: usize,
    /// Rows of a block.
    rows: usize,
}

impl Distances {
    pub fn to(images: &Features) -> Self {
        let count = images.count();
        let pitch = count.next_multiple_of(LANES).max(LANES);
        let rows = (BLOCK_VALUES / pitch).clamp(ROWS.start, ROWS.end);
        // max(0, 2 − 2 a·b), the squared distance of rows of length 1, is a bias, a weight and a ReLU.
        let convolution = Convolution {
            kernel: [1, 1],
            stride: [1, 1],
            padding: Padding::NONE,
            dilation: [1, 1],
            groups: 1,
            weight: (0..count).flat_map(|image| images.row(image).iter().map(|value| -2.0 * value)).collect(),
            bias: vec![2.0; count],
            activation: Activation::Relu,
        };
        let from = Map { height: rows, width: 1, channels: images.dim() };
        let input = Stored { height: rows, width: 1, pitch: images.pitch() };
        let packed = Packed::new(&convolution, from, input, Stored { height: rows, width: 1, pitch });
        Self { packed, count, pitch, rows }
    }

    /// Calls `work` with each block of rows: the place of its first query and its distances, squared, 0…4,
    /// `[queries of the block, count]`.
    ///
    /// # Errors
    /// [`RankingError::Cancelled`].
    pub fn blocks(
        &self,
        queries: &Features,
        progress: Progress,
        mut work: impl FnMut(usize, Rows),
    ) -> Result<(), RankingError> {
        let total = queries.count();
        let (mut values, mut border) = (Vec::new(), Vec::new());
        for (block, x) in queries.padded().chunks(self.rows * queries.pitch().max(1)).enumerate() {
            values.resize(x.len() / queries.pitch() * self.pitch, 0.0);
            self.packed.run(x, None, &mut border, parallel::threads(), &mut values);
            work(block * self.rows, Rows { values: &values, pitch: self.pitch, count: self.count });
            if progress(total.min((block + 1) * self.rows), total).is_break() {
                return Err(RankingError::Cancelled);
            }
        }
        Ok(())
    }
}

/// A block of distances.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    values: &'a [f32],
    pitch: usize,
    count: usize,
}

impl<'a> Rows<'a> {
    /// The distances of one query after the other.
    pub fn iter(self) -> impl ExactSizeIterator<Item = &'a [f32]> {
        self.values.chunks_exact(self.pitch).map(move |row| &row[..self.count])
    }
}

/// Who is told of nothing.
pub fn quiet(_done: usize, _total: usize) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_the_distances_of_all_pairs() {
        let value = |i: usize| ((i * 37 % 101) as f32 - 50.0) / 50.0;
        for (count, dim) in [(1, 1), (7, 3), (8, 16), (613, 13)] {
            let rows: Vec<f32> = (0..count * dim).map(value).collect();
            let features = Features::new(&rows, dim).expect("fits");
            let mut seen = 0;
            let mut told = Vec::new();
            let mut progress = |done, total| {
                told.push((done, total));
                ControlFlow::Continue(())
            };
            let check = |first: usize, rows: Rows| {
                for (i, row) in rows.iter().enumerate() {
                    for (j, found) in row.iter().enumerate() {
                        let expected = features.distance(first + i, j);
                        assert!((found - expected).abs() < 2e-6, "{count} × {dim}, {i} {j}: {found} {expected}");
                    }
                    seen += row.len();
                }
            };
            Distances::to(&features).blocks(&features, &mut progress, check).expect("not cancelled");
            assert_eq!((seen, told.last()), (count * count, Some(&(count, count))));
        }
    }

    #[test]
    fn whoever_has_seen_enough_ends_it() {
        let features = Features::new(&vec![1.0; 1200], 2).expect("fits");
        let mut blocks = 0;
        let ended = Distances::to(&features).blocks(&features, &mut |_, _| ControlFlow::Break(()), |_, _| blocks += 1);
        assert_eq!((ended, blocks), (Err(RankingError::Cancelled), 1));
    }
}
