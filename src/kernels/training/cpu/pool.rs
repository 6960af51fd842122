//! Max and average pooling on the CPU, forward and backward, as PyTorch has them. Maps are
//! `[batch, channels, height, width]`; the channels of an image are worked on together.

use super::window::Window;
use crate::kernels::parallel;

/// The largest value under each window, `[batch, channels, oh, ow]`; NaN where there is one.
pub fn max(window: Window, channels: usize, x: &[f32]) -> Vec<f32> {
    let (area, out_area) = (window.input_area(), window.output_area());
    let mut out = vec![f32::NEG_INFINITY; x.len() / area * out_area];
    parallel::for_each_chunk(&mut out, channels * out_area, |n, out| {
        let x = &x[n * channels * area..][..channels * area];
        for (out, x) in out.chunks_exact_mut(out_area).zip(x.chunks_exact(area)) {
            window.each_run(|_, place, pixel, count| {
                let x = x[pixel..].iter().step_by(window.stride[1]);
                for (out, &x) in out[place..][..count].iter_mut().zip(x) {
                    *out = if is_larger(x, *out) { x } else { *out };
                }
            });
        }
    });
    out
}

/// The gradient of [`max`] by the input, given that by the output: all of it to the first of a window's largest values,
/// or to its last NaN.
pub fn max_gradient(window: Window, channels: usize, grad: &[f32], x: &[f32]) -> Vec<f32> {
    const NOWHERE: u32 = u32::MAX;
    let (area, out_area) = (window.input_area(), window.output_area());
    let mut out = vec![0.0; x.len()];
    let scratch = || vec![(f32::NEG_INFINITY, NOWHERE); out_area];
    parallel::for_each_chunk_with(&mut out, channels * area, scratch, |found, n, out| {
        let x = &x[n * channels * area..][..channels * area];
        let grad = &grad[n * channels * out_area..][..channels * out_area];
        let planes = x.chunks_exact(area).zip(grad.chunks_exact(out_area));
        for (out, (x, grad)) in out.chunks_exact_mut(area).zip(planes) {
            found.fill((f32::NEG_INFINITY, NOWHERE));
            window.each_run(|_, place, pixel, count| {
                let pixels = (pixel..area).step_by(window.stride[1]);
                for (found, pixel) in found[place..][..count].iter_mut().zip(pixels) {
                    if is_larger(x[pixel], found.0) || found.1 == NOWHERE {
                        *found = (x[pixel], pixel as u32);
                    }
                }
            });
            for (&(_, pixel), grad) in found.iter().zip(grad) {
                if pixel != NOWHERE {
                    out[pixel as usize] += grad;
                }
            }
        }
    });
    out
}

fn is_larger(x: f32, than: f32) -> bool {
    x > than || x.is_nan()
}

/// The mean under each window, `[batch, channels, oh, ow]`; the padding counts as zeros.
pub fn average(window: Window, channels: usize, x: &[f32]) -> Vec<f32> {
    let (area, out_area) = (window.input_area(), window.output_area());
    let shares = shares(&window);
    let mut out = vec![0.0; x.len() / area * out_area];
    parallel::for_each_chunk(&mut out, channels * out_area, |n, out| {
        let x = &x[n * channels * area..][..channels * area];
        for (out, x) in out.chunks_exact_mut(out_area).zip(x.chunks_exact(area)) {
            window.each_run(|_, place, pixel, count| {
                let x = x[pixel..].iter().step_by(window.stride[1]);
                out[place..][..count].iter_mut().zip(x).for_each(|(out, x)| *out += x);
            });
            out.iter_mut().zip(&shares).for_each(|(out, share)| *out *= share);
        }
    });
    out
}

/// The gradient of [`average`] by the input, given that by the output.
pub fn average_gradient(window: Window, channels: usize, grad: &[f32]) -> Vec<f32> {
    let (area, out_area) = (window.input_area(), window.output_area());
    let shares = shares(&window);
    let mut out = vec![0.0; grad.len() / out_area * area];
    let scratch = || vec![0.0; out_area];
    parallel::for_each_chunk_with(&mut out, channels * area, scratch, |shared, n, out| {
        let grad = &grad[n * channels * out_area..][..channels * out_area];
        for (out, grad) in out.chunks_exact_mut(area).zip(grad.chunks_exact(out_area)) {
            for (shared, (grad, share)) in shared.iter_mut().zip(grad.iter().zip(&shares)) {
                *shared = grad * share;
            }
            window.each_run(|_, place, pixel, count| {
                let out = out[pixel..].iter_mut().step_by(window.stride[1]);
                shared[place..][..count].iter().zip(out).for_each(|(shared, out)| *out += shared);
            });
        }
    });
    out
}

/// One over the number of values that each window averages. What a last, partial window has beyond the padding is none.
fn shares(window: &Window) -> Vec<f32> {
    let count = |axis: usize, place: usize| {
        let start = place * window.stride[axis];
        window.kernel[axis].min(window.map[axis] + 2 * window.padding[axis] - start)
    };
    let [height, width] = window.output;
    (0..height).flat_map(|y| (0..width).map(move |x| 1.0 / (count(0, y) * count(1, x)) as f32)).collect()
}
