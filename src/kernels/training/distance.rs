//! Pairwise distances between two sets of features.
//!
//! Buffers: a `[q, d]`, b `[g, d]`, out `[q, g]`.

use crate::kernels::{Dispatch, Kernel, shader::wgsl};

pub const KERNEL: Kernel = Kernel { name: "distance", wgsl: wgsl!("training/distance") };

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Metric {
    /// Σ (a − b)², 0 and up.
    SquaredEuclidean,
    /// The squared Euclidean distance of the L2-normalised rows, 2 − 2·cos: 0…4, and 2 for a row of zeros.
    Cosine,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    pub a_rows: usize,
    pub b_rows: usize,
    /// Values of a feature.
    pub width: usize,
}

const TILE: usize = 16;

pub fn dispatch(sizes: Sizes, metric: Metric) -> Dispatch {
    let Sizes { a_rows, b_rows, width } = sizes;
    let params = vec![a_rows as u32, b_rows as u32, width as u32, (metric == Metric::Cosine).into()];
    Dispatch::new(params, a_rows.div_ceil(TILE) * b_rows.div_ceil(TILE))
}

/// The twin; `[q, g]`.
pub fn twin(sizes: Sizes, metric: Metric, a: &[f32], b: &[f32]) -> Vec<f32> {
    if sizes.width == 0 {
        return vec![0.0; sizes.a_rows * sizes.b_rows];
    }
    let norms = |rows: &[f32]| -> Vec<f32> {
        rows.chunks_exact(sizes.width).map(|row| sum(row, row, |u, v| u * v).sqrt().max(1e-12)).collect()
    };
    let (a_norms, b_norms) = match metric {
        Metric::SquaredEuclidean => Default::default(),
        Metric::Cosine => (norms(a), norms(b)),
    };
    let mut out = Vec::with_capacity(sizes.a_rows * sizes.b_rows);
    for (i, u) in a.chunks_exact(sizes.width).enumerate() {
        out.extend(b.chunks_exact(sizes.width).enumerate().map(|(j, v)| match metric {
            Metric::SquaredEuclidean => sum(u, v, |u, v| (u - v) * (u - v)),
            Metric::Cosine => (2.0 - 2.0 * sum(u, v, |u, v| u * v) / (a_norms[i] * b_norms[j])).max(0.0),
        }));
    }
    out
}

/// Σ term(u, v), in eight partial sums so that it vectorises.
fn sum(u: &[f32], v: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let mut sums = [0.0; 8];
    let (u, v) = (u.chunks_exact(8), v.chunks_exact(8));
    let rest: f32 = u.remainder().iter().zip(v.remainder()).map(|(&u, &v)| term(u, v)).sum();
    for (u, v) in u.zip(v) {
        for lane in 0..8 {
            sums[lane] += term(u[lane], v[lane]);
        }
    }
    sums.iter().sum::<f32>() + rest
}
