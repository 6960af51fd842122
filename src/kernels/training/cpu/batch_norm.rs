//! Batch norm over maps `[batch, channels, area]`, and the ReLU that mostly follows, on the CPU (Ioffe and Szegedy, arXiv
//! 1502.03167). A batch does not fit the caches, so every pass over it counts: with the batch's own statistics there are
//! two forward and two backward, with kept ones a single one forward.

use pulp::Arch;

use crate::kernels::parallel;
use crate::kernels::training::Planes;

/// How a batch is normalised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Added to the variance before its square root.
    pub eps: f32,
    /// Whether a ReLU follows.
    pub relu: bool,
}

/// Whose mean and variance normalise a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistics {
    /// The batch's own, through which gradients flow as well.
    Batch,
    /// Those that training kept: constants.
    Running,
}

/// What [`train`] gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Train {
    /// As the input.
    pub out: Vec<f32>,
    /// Of the batch, `[channels]`.
    pub mean: Vec<f32>,
    /// Of the batch, the population's, `[channels]`.
    pub variance: Vec<f32>,
}

/// Per channel `(x − mean) / √(variance + eps) · weight + bias`, then the ReLU if there is one.
pub fn train(planes: Planes, settings: Settings, x: &[f32], weight: &[f32], bias: &[f32]) -> Train {
    let (mean, variance) = statistics(planes, x);
    let (scale, shift) = affine(settings, weight, bias, &mean, &variance);
    let mut out = vec![0.0; x.len()];
    let image = planes.channels * planes.area;
    parallel::for_each_chunk(&mut out, image, |n, out| {
        let x = &x[n * image..][..image];
        Arch::new().dispatch(|| {
            let rows = out.chunks_exact_mut(planes.area).zip(x.chunks_exact(planes.area));
            for ((out, x), (scale, shift)) in rows.zip(scale.iter().zip(&shift)) {
                let least = settings.least();
                out.iter_mut().zip(x).for_each(|(out, x)| *out = at_least(least, x * scale + shift));
            }
        });
    });
    Train { out, mean, variance }
}

/// The same with statistics that are given, in place: weight, bias, mean and variance are `[channels]`.
pub fn infer(planes: Planes, settings: Settings, x: &mut [f32], [weight, bias, mean, variance]: [&[f32]; 4]) {
    let (scale, shift) = affine(settings, weight, bias, mean, variance);
    parallel::for_each_chunk(x, planes.channels * planes.area, |_, x| {
        Arch::new().dispatch(|| {
            for (x, (scale, shift)) in x.chunks_exact_mut(planes.area).zip(scale.iter().zip(&shift)) {
                let least = settings.least();
                x.iter_mut().for_each(|x| *x = at_least(least, *x * scale + shift));
            }
        });
    });
}

impl Settings {
    /// The smallest value that passes.
    fn least(self) -> f32 {
        if self.relu { 0.0 } else { f32::NEG_INFINITY }
    }
}

/// A NaN comes through, which `f32::max` would swallow.
#[inline(always)]
fn at_least(least: f32, value: f32) -> f32 {
    if value < least { least } else { value }
}

/// What [`gradients`] gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradients {
    /// By the input.
    pub x: Vec<f32>,
    /// `[channels]`
    pub weight: Vec<f32>,
    /// `[channels]`
    pub bias: Vec<f32>,
}

/// The gradients, given that by the output, the input and the statistics: those that [`train`] found or those that
/// [`infer`] was given.
pub fn gradients(
    planes: Planes,
    settings: Settings,
    statistics: Statistics,
    grad: &[f32],
    x: &[f32],
    [weight, bias, mean, variance]: [&[f32]; 4],
) -> Gradients {
    let Planes { batch, channels, area } = planes;
    let (scale, shift) = affine(settings, weight, bias, mean, variance);
    let image = channels * area;
    // Σ g and Σ g·x of each channel, g being the gradient where the ReLU let the value pass.
    let sums = parallel::sum(
        batch,
        2 * channels,
        || (),
        |(), n, sums| {
            let (grad, x) = (&grad[n * image..][..image], &x[n * image..][..image]);
            Arch::new().dispatch(|| {
                let rows = grad.chunks_exact(area).zip(x.chunks_exact(area));
                for (channel, (grad, x)) in rows.enumerate() {
                    let pass = Pass { scale: scale[channel], shift: shift[channel], relu: settings.relu };
                    let (sum, product) = pass.sums(grad, x, mean[channel]);
                    sums[channel] += sum;
                    sums[channels + channel] += product;
                }
            });
        },
    );
    let deviation: Vec<f32> = variance.iter().map(|variance| (variance + settings.eps).sqrt()).collect();
    let bias_gradient = sums[..channels].to_vec();
    let weight_gradient: Vec<f32> = sums[channels..].iter().zip(&deviation).map(|(sum, d)| sum / d).collect();
    let count = (batch * area) as f32;
    let mut out = vec![0.0; x.len()];
    parallel::for_each_chunk(&mut out, image, |n, out| {
        let (grad, x) = (&grad[n * image..][..image], &x[n * image..][..image]);
        Arch::new().dispatch(|| {
            let rows = grad.chunks_exact(area).zip(x.chunks_exact(area));
            for (channel, (out, (grad, x))) in out.chunks_exact_mut(area).zip(rows).enumerate() {
                let [by_x, by_one] = match statistics {
                    // scale · (g − Σg/m − x̂ · Σ(g·x̂)/m), gathered by g, x and 1.
                    Statistics::Batch => {
                        let by_x = -weight_gradient[channel] / (deviation[channel] * count);
                        [by_x, -bias_gradient[channel] / count - by_x * mean[channel]]
                    }
                    Statistics::Running => [0.0; 2],
                };
                let pass = Pass { scale: scale[channel], shift: shift[channel], relu: settings.relu };
                for ((out, grad), x) in out.iter_mut().zip(grad).zip(x) {
                    *out = pass.scale * (pass.gradient(*grad, *x) + by_x * x + by_one);
                }
            }
        });
    });
    Gradients { x: out, weight: weight_gradient, bias: bias_gradient }
}

/// So many partial sums, for the vector units.
const LANES: usize = 16;

/// The way of a channel's gradient back through the ReLU.
#[derive(Clone, Copy)]
struct Pass {
    scale: f32,
    shift: f32,
    relu: bool,
}

impl Pass {
    #[inline(always)]
    fn gradient(self, grad: f32, x: f32) -> f32 {
        if self.relu && x * self.scale + self.shift <= 0.0 { 0.0 } else { grad }
    }

    /// Σ g and Σ g·(x − mean).
    #[inline(always)]
    fn sums(self, grad: &[f32], x: &[f32], mean: f32) -> (f32, f32) {
        let (mut sums, mut products) = ([0.0; LANES], [0.0; LANES]);
        let ((grads, grad_rest), (xs, x_rest)) = (grad.as_chunks::<LANES>(), x.as_chunks::<LANES>());
        for (grad, x) in grads.iter().zip(xs) {
            for lane in 0..LANES {
                let g = self.gradient(grad[lane], x[lane]);
                sums[lane] += g;
                products[lane] += g * (x[lane] - mean);
            }
        }
        for (lane, (grad, x)) in grad_rest.iter().zip(x_rest).enumerate() {
            let g = self.gradient(*grad, *x);
            sums[lane] += g;
            products[lane] += g * (x - mean);
        }
        (sums.iter().sum(), products.iter().sum())
    }
}

/// Batch norm as one multiplication and one addition for each channel.
fn affine(settings: Settings, weight: &[f32], bias: &[f32], mean: &[f32], variance: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let scale: Vec<f32> =
        weight.iter().zip(variance).map(|(weight, variance)| weight / (variance + settings.eps).sqrt()).collect();
    let shift = bias.iter().zip(mean).zip(&scale).map(|((bias, mean), scale)| bias - mean * scale).collect();
    (scale, shift)
}

/// Mean and population variance of each channel: of each plane first, in two passes while it lies in the cache, then put
/// together after Chan, Golub and LeVeque (1979).
fn statistics(planes: Planes, x: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let Planes { batch, channels, area } = planes;
    let mut of_planes = vec![[0.0_f32; 2]; batch * channels];
    parallel::for_each_chunk(&mut of_planes, channels, |n, found| {
        let x = &x[n * channels * area..][..channels * area];
        Arch::new().dispatch(|| {
            for (found, x) in found.iter_mut().zip(x.chunks_exact(area)) {
                let mean = sum(x, |value| value) / area as f32;
                *found = [mean, sum(x, |value| (value - mean) * (value - mean))];
            }
        });
    });
    let of_channel = |channel: usize| {
        let planes =
            || of_planes[channel..].iter().step_by(channels).map(|&[mean, squares]| (f64::from(mean), squares));
        let mean = planes().map(|(mean, _)| mean).sum::<f64>() / batch as f64;
        let squares = planes().map(|(own, squares)| f64::from(squares) + area as f64 * (own - mean) * (own - mean));
        (mean as f32, (squares.sum::<f64>() / (batch * area) as f64) as f32)
    };
    (0..channels).map(of_channel).unzip()
}

#[inline(always)]
fn sum(x: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0; LANES];
    let (lanes, rest) = x.as_chunks::<LANES>();
    for x in lanes {
        for lane in 0..LANES {
            sums[lane] += of(x[lane]);
        }
    }
    for (sum, x) in sums.iter_mut().zip(rest) {
        *sum += of(*x);
    }
    sums.iter().sum()
}
