//! Every channel of a map times a number of its own, as an aggregation gate does, forward and backward, on the CPU.
//! Maps are `[batch, channels, area]`, factors `[batch, channels]`.

use pulp::Arch;

use crate::kernels::parallel;
use crate::kernels::training::Planes;

/// `x · factor`, as the map.
pub fn forward(planes: Planes, x: &[f32], factor: &[f32]) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    let Planes { channels, area, .. } = planes;
    parallel::for_each_chunk(&mut out, channels * area, |n, out| {
        let x = &x[n * channels * area..][..channels * area];
        Arch::new().dispatch(|| {
            let rows = out.chunks_exact_mut(area).zip(x.chunks_exact(area));
            for ((out, x), factor) in rows.zip(&factor[n * channels..]) {
                out.iter_mut().zip(x).for_each(|(out, x)| *out = x * factor);
            }
        });
    });
    out
}

/// The gradient by the factors, `[batch, channels]`: the sum of `grad · x` over each plane. That by the map is
/// [`forward`] of the gradient.
pub fn gradient_factor(planes: Planes, grad: &[f32], x: &[f32]) -> Vec<f32> {
    const LANES: usize = 16;
    let mut out = vec![0.0; planes.count()];
    let Planes { channels, area, .. } = planes;
    parallel::for_each_chunk(&mut out, channels, |n, out| {
        let image = n * channels * area..(n + 1) * channels * area;
        let (grad, x) = (&grad[image.clone()], &x[image]);
        Arch::new().dispatch(|| {
            let rows = grad.chunks_exact(area).zip(x.chunks_exact(area));
            for (out, (grad, x)) in out.iter_mut().zip(rows) {
                let mut sums = [0.0; LANES];
                let ((grads, grad_rest), (xs, x_rest)) = (grad.as_chunks::<LANES>(), x.as_chunks::<LANES>());
                for (grad, x) in grads.iter().zip(xs) {
                    for lane in 0..LANES {
                        sums[lane] += grad[lane] * x[lane];
                    }
                }
                for (sum, (grad, x)) in sums.iter_mut().zip(grad_rest.iter().zip(x_rest)) {
                    *sum += grad * x;
                }
                *out = sums.iter().sum();
            }
        });
    });
    out
}
