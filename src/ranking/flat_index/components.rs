//! The directions in which features vary most.

use super::Rows;

/// Features that are looked at, at the most.
const SAMPLE: usize = 2048;
const TURNS: usize = 6;

/// What remains of a vector is none of its own below this share of its length.
const NOTHING: f32 = 1e-3;

/// About the first `width` principal components of some features, whose mean is not taken off: `[width, dim]`, rows of length 1
/// that are orthogonal to each other, or of zeros where the features have fewer dimensions.
///
/// Subspace iteration (Golub and Van Loan, Matrix Computations, 4th ed., 8.2.4), for which a few turns do: what uses them is
/// the slower for directions that are not quite the first ones, but right.
pub(super) fn components(rows: &Rows, width: usize) -> Vec<f32> {
    let (count, dim) = (rows.count(), rows.dim());
    let sampled = count.min(SAMPLE);
    let mut row = vec![0.0; dim];
    let mut moment = vec![0.0; dim * dim];
    let mut components = vec![0.0; width * dim];
    for place in 0..sampled {
        rows.decode(place * count / sampled, &mut row);
        for (moment, &value) in moment.chunks_exact_mut(dim).zip(&row) {
            add(moment, value, &row);
        }
        // The first turn begins with features.
        if let Some(component) = components.chunks_exact_mut(dim).nth(place * width / sampled) {
            component.copy_from_slice(&row);
        }
    }
    orthonormalise(&mut components, dim);
    let mut turned = vec![0.0; width * dim];
    for _ in 0..TURNS {
        turned.fill(0.0);
        for (to, from) in turned.chunks_exact_mut(dim).zip(components.chunks_exact(dim)) {
            from.iter().zip(moment.chunks_exact(dim)).for_each(|(&value, moment)| add(to, value, moment));
        }
        std::mem::swap(&mut components, &mut turned);
        orthonormalise(&mut components, dim);
    }
    // Rounding leaves them not quite orthogonal the first time.
    orthonormalise(&mut components, dim);
    components
}

/// Gram and Schmidt's way, the modified one.
fn orthonormalise(rows: &mut [f32], dim: usize) {
    for place in 0..rows.len() / dim {
        let (before, row) = rows.split_at_mut(place * dim);
        let row = &mut row[..dim];
        let length = super::dot(row, row).sqrt();
        before.chunks_exact(dim).for_each(|other| add(row, -super::dot(row, other), other));
        let remaining = super::dot(row, row).sqrt();
        let scale = if remaining > NOTHING * length { remaining.recip() } else { 0.0 };
        row.iter_mut().for_each(|value| *value *= scale);
    }
}

fn add(to: &mut [f32], weight: f32, row: &[f32]) {
    to.iter_mut().zip(row).for_each(|(to, value)| *to += weight * value);
}

#[cfg(test)]
mod tests {
    use super::super::{Scalar, dot};
    use super::*;

    #[test]
    fn they_are_orthonormal_and_hold_what_varies() {
        // Each feature is made of three directions among 40 values, the third of which hardly counts.
        let direction = |d: usize, i: usize| ((i * i * (d + 3) + d) % 17) as f32 - 8.0;
        let mut rows = Rows::new(40, Scalar::F32);
        for n in 0..300 {
            let weights = [(n % 7) as f32 - 3.5, (n % 11) as f32 - 5.5, 0.01 * ((n % 13) as f32 - 6.0)];
            let value = |i| (0..3).map(|d| weights[d] * direction(d, i)).sum::<f32>() + 1e-9;
            rows.push(&(0..40).map(value).collect::<Vec<f32>>());
        }
        let found = components(&rows, 8);
        let found: Vec<&[f32]> = found.chunks_exact(40).collect();
        for (i, a) in found.iter().enumerate() {
            for (j, b) in found.iter().enumerate() {
                let product = dot(a, b);
                let expected = if i == j { product.round() } else { 0.0 };
                assert!((product - expected).abs() < 1e-5, "{i} {j}: {product}");
            }
        }
        let mut row = vec![0.0; 40];
        for place in 0..300 {
            rows.decode(place, &mut row);
            let inside: f32 = found[..2].iter().map(|component| dot(component, &row).powi(2)).sum();
            assert!(inside > 0.98, "{place}: {inside}");
        }
    }
}
