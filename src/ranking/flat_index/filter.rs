//! Short forms of features, which tell how similar each can be to a query at the most.

use std::ops::Range;

use super::components::components;
use super::products::{VECTOR, products};
use super::{Rows, dot};
use crate::kernels::frozen::conv::Packed;
use crate::kernels::frozen::{LANES, Stored};
use crate::kernels::parallel;
use crate::step::{Activation, Convolution, Map, Padding};

/// Of each feature its part along a few principal components, in bytes, and how long what that leaves out is. With it the
/// similarity is known up to a bound, by the inequality of Cauchy and Schwarz for both parts; the more unevenly features vary,
/// as those of networks do, the tighter it is.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    /// Makes parts along the components of a block of features.
    parts: Packed,
    dim: usize,
    width: usize,
    made_for: usize,
    /// `[count, width]`
    values: Vec<i8>,
    rests: Vec<Rest>,
}

/// What a short form does not hold.
#[derive(Clone, Copy, Debug)]
struct Rest {
    /// Its values times this are the part along the components, but for rounding …
    scale: f32,
    /// … which is so long.
    rounding: f32,
    /// The length of the part across.
    across: f32,
}

/// A query in short form.
#[derive(Clone, Debug)]
pub(super) struct Coded {
    values: Vec<i16>,
    rest: Rest,
}

/// Features that are shortened at once.
const BLOCK: usize = 288;
/// Components, at the most and of how many values.
const MOST: usize = 128;
const OF: usize = 4;

/// What rounding to f32 can add to a similarity, and to the square of a length.
const MARGIN: f32 = 1e-5;
const MARGIN_OF_SQUARE: f32 = 1e-6;

impl Filter {
    /// Features, and values of one, below which looking twice does not pay.
    pub const FEWEST: usize = 4096;
    pub const SHORTEST: usize = 64;

    /// Chooses the components by features that there are, and holds none yet.
    pub fn new(rows: &Rows) -> Self {
        let dim = rows.dim();
        let width = (dim / OF).next_multiple_of(VECTOR).min(MOST);
        // A product of matrices is a convolution of one pixel a feature.
        let convolution = Convolution {
            kernel: [1, 1],
            stride: [1, 1],
            padding: Padding::NONE,
            dilation: [1, 1],
            groups: 1,
            weight: components(rows, width),
            bias: vec![0.0; width],
            activation: Activation::None,
        };
        let stored = |channels: usize| Stored { height: BLOCK, width: 1, pitch: channels.next_multiple_of(LANES) };
        let from = Map { height: BLOCK, width: 1, channels: dim };
        let parts = Packed::new(&convolution, from, stored(dim), stored(width));
        let room = |of: usize| of * rows.count();
        let (values, rests) = (Vec::with_capacity(room(width)), Vec::with_capacity(room(1)));
        Self { parts, dim, width, made_for: rows.count(), values, rests }
    }

    /// How many features its components were chosen by.
    pub fn made_for(&self) -> usize {
        self.made_for
    }

    /// How many features it holds.
    pub fn count(&self) -> usize {
        self.rests.len()
    }

    pub fn bytes(&self) -> usize {
        size_of_val(&self.values[..]) + size_of_val(&self.rests[..]) + size_of::<f32>() * self.dim * self.width
    }

    /// Takes in the features that it does not hold yet.
    pub fn extend(&mut self, rows: &Rows) {
        let pitch = self.dim.next_multiple_of(LANES);
        let mut block = Vec::new();
        while self.count() < rows.count() {
            let first = self.count();
            let count = BLOCK.min(rows.count() - first);
            block.clear();
            block.resize(count * pitch, 0.0);
            for (place, row) in block.chunks_exact_mut(pitch).enumerate() {
                rows.decode(first + place, &mut row[..self.dim]);
            }
            let parts = self.parts_of(&block);
            for (row, part) in block.chunks_exact(pitch).zip(parts.chunks_exact(self.width)) {
                let (values, rest) = shortened(row, part, f32::from(i8::MAX));
                self.values.extend(values.map(|value| value as i8));
                self.rests.push(rest);
            }
        }
    }

    /// The short form of a query of length 1.
    pub fn code(&self, query: &[f32]) -> Coded {
        let mut padded = query.to_vec();
        padded.resize(self.dim.next_multiple_of(LANES), 0.0);
        let part = self.parts_of(&padded);
        let (values, rest) = shortened(query, &part, f32::from(i16::MAX));
        Coded { values: values.map(|value| value as i16).collect(), rest }
    }

    /// Writes what the similarity of some features with a query is at the most.
    #[inline(always)]
    pub fn bounds(&self, query: &Coded, features: Range<usize>, bounds: &mut [f32]) {
        const ROWS: usize = 4;
        let (values, rests) = (&self.values[features.start * self.width..], &self.rests[features]);
        let row = |index: usize| &values[index * self.width..][..self.width];
        let whole = bounds.len() / ROWS * ROWS;
        for (place, bounds) in bounds[..whole].as_chunks_mut::<ROWS>().0.iter_mut().enumerate() {
            let first = place * ROWS;
            let sums = products([row(first), row(first + 1), row(first + 2), row(first + 3)], &query.values);
            for (lane, bound) in bounds.iter_mut().enumerate() {
                *bound = bounded(sums[lane], rests[first + lane], query.rest);
            }
        }
        for (index, bound) in bounds.iter_mut().enumerate().skip(whole) {
            *bound = bounded(products([row(index)], &query.values)[0], rests[index], query.rest);
        }
    }

    /// `[n, width]` of features `[n, dim]` with padding.
    fn parts_of(&self, rows: &[f32]) -> Vec<f32> {
        let count = rows.len() / self.dim.next_multiple_of(LANES).max(1);
        let mut parts = vec![0.0; count * self.width];
        self.parts.run(rows, None, &mut Vec::new(), parallel::threads(), &mut parts);
        parts
    }
}

/// With a·b = â·b̂ + (a−â)·b̂ + â·(b−b̂) + (a−â)·(b−b̂) along the components, where nothing is longer than 1 but for rounding, and
/// what is across apart.
#[inline(always)]
fn bounded(sum: i32, feature: Rest, query: Rest) -> f32 {
    let rounding = feature.rounding + query.rounding + feature.rounding * query.rounding;
    sum as f32 * (feature.scale * query.scale) + rounding + feature.across * query.across + MARGIN
}

/// A part along the components as whole numbers up to `most`.
fn shortened(row: &[f32], part: &[f32], most: f32) -> (impl Iterator<Item = f32>, Rest) {
    let largest = part.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    let scale = largest / most;
    let inverse = if largest > 0.0 { most / largest } else { 0.0 };
    let values = part.iter().map(move |value| (value * inverse).round());
    let rounding = part.iter().zip(values.clone()).map(|(part, value)| (part - value * scale).powi(2)).sum::<f32>();
    let across = (dot(row, row) - dot(part, part)).max(0.0);
    let rest = Rest { scale, rounding: rounding.sqrt() + MARGIN_OF_SQUARE, across: (across + MARGIN_OF_SQUARE).sqrt() };
    (values, rest)
}
