//! The direction that Muon steps in: the momentum as the matrix of equal singular values that lies nearest.
//!
//! Jordan et al. 2024, kellerjordan.github.io/posts/muon; the length of the step as in Liu et al., arXiv 2502.16982.

use burn::tensor::Tensor;

/// Of the quintic iteration: steepest at 0, so that small singular values rise fast. They end within 0.7…1.2, not at 1.
const COEFFICIENTS: [f32; 3] = [3.4445, -4.775, 2.0315];
const ITERATIONS: usize = 5;
/// Below this a momentum is as good as zero.
const SMALLEST_NORM: f32 = 1e-7;
/// The root mean square of Adam's changes, in learning rates, which Muon's are brought to.
const ADAM_RMS: f64 = 0.2;

/// Whether a parameter of this shape is a matrix: it has several outputs, each from several inputs. A depthwise filter is
/// none: its outputs do not share inputs.
pub(super) fn moves(shape: &[usize]) -> bool {
    shape.len() >= 2 && shape[0] > 1 && shape[1] > 1
}

/// The direction for a momentum, both flat; a filter `[out, in, height, width]` is the matrix of `out` rows.
pub(super) fn orthogonal(shape: &[usize], momentum: Tensor<1>) -> Tensor<1> {
    let rows = shape[0];
    let columns = shape[1..].iter().product::<usize>();
    let matrix = momentum.reshape([rows, columns]);
    // The products are of the smaller side.
    let tall = rows > columns;
    let mut x = if tall { matrix.transpose() } else { matrix };
    let norm = (x.clone() * x.clone()).sum().sqrt().clamp_min(SMALLEST_NORM);
    x = x / norm.reshape([1, 1]);
    let [a, b, c] = COEFFICIENTS;
    for _ in 0..ITERATIONS {
        let square = x.clone().matmul(x.clone().transpose());
        let factor = square.clone() * b + square.clone().matmul(square) * c;
        x = x.clone() * a + factor.matmul(x);
    }
    let x = if tall { x.transpose() } else { x };
    // An orthogonal matrix's root mean square is 1 / √(its longer side).
    x.reshape([rows * columns]) * (ADAM_RMS * (rows.max(columns) as f64).sqrt())
}
