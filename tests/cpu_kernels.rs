//! The CPU kernels of training against plain loops in f64, at sizes that fill no vector unit evenly.
#![cfg(all(feature = "train", not(target_arch = "wasm32")))]

use webreid::graph::Pool;
use webreid::kernels::training::{
    Planes,
    cpu::{
        batch_norm::{self, Settings, Statistics},
        convolution::{self, Sizes},
        pool, scale_channels,
        window::Window,
    },
};

/// Seeded noise, −1…1.
fn noise(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(747_796_405);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Fails on a difference above `tolerance`, relative to the larger of 1 and the expected value, and on NaN.
fn assert_close(what: &str, found: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let within = (f64::from(found) - expected).abs() <= tolerance * expected.abs().max(1.0);
        assert!(within, "{what}[{i}] is {found}, not {expected}");
    }
}

/// What `work` gives on so many threads.
fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

/// `work` gives the same to the bit on one thread and on three; returns it.
fn whatever_the_threads(what: &str, work: impl Fn() -> Vec<f32> + Send + Sync) -> Vec<f32> {
    let alone = on_threads(1, &work);
    let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    assert!(bits(&alone) == bits(&on_threads(3, &work)), "{what} depends on the number of threads");
    alone
}

mod convolutions {
    use super::*;

    struct Lengths {
        x: usize,
        weight: usize,
        out: usize,
    }

    fn lengths(sizes: &Sizes) -> Lengths {
        let [height, width] = sizes.output();
        Lengths {
            x: sizes.batch * sizes.inputs * sizes.map[0] * sizes.map[1],
            weight: sizes.outputs * sizes.inputs / sizes.groups * sizes.kernel[0] * sizes.kernel[1],
            out: sizes.batch * sizes.outputs * height * width,
        }
    }

    /// Calls `product` with the places of an output, an input and a weight for every product that a convolution sums.
    fn each_product(sizes: &Sizes, mut product: impl FnMut(usize, usize, usize)) {
        let Sizes { batch, inputs, outputs, groups, map: [height, width], kernel, stride, padding } = *sizes;
        let [out_height, out_width] = sizes.output();
        let (group_inputs, group_outputs) = (inputs / groups, outputs / groups);
        for (n, o) in (0..batch).flat_map(|n| (0..outputs).map(move |o| (n, o))) {
            for (y, x) in (0..out_height).flat_map(|y| (0..out_width).map(move |x| (y, x))) {
                let out = ((n * outputs + o) * out_height + y) * out_width + x;
                for i in 0..group_inputs {
                    for (ky, kx) in (0..kernel[0]).flat_map(|ky| (0..kernel[1]).map(move |kx| (ky, kx))) {
                        let (row, column) = (y * stride[0] + ky, x * stride[1] + kx);
                        let inside = (padding[0]..height + padding[0]).contains(&row)
                            && (padding[1]..width + padding[1]).contains(&column);
                        if inside {
                            let channel = n * inputs + o / group_outputs * group_inputs + i;
                            let at = (channel * height + row - padding[0]) * width + column - padding[1];
                            product(out, at, ((o * group_inputs + i) * kernel[0] + ky) * kernel[1] + kx);
                        }
                    }
                }
            }
        }
    }

    fn check(sizes: Sizes) {
        let lengths = lengths(&sizes);
        let (x, weight, grad) = (noise(lengths.x, 1), noise(lengths.weight, 2), noise(lengths.out, 3));
        let (mut out, mut by_x, mut by_weight) =
            (vec![0.0; lengths.out], vec![0.0; lengths.x], vec![0.0; lengths.weight]);
        each_product(&sizes, |o, i, w| {
            out[o] += f64::from(x[i]) * f64::from(weight[w]);
            by_x[i] += f64::from(grad[o]) * f64::from(weight[w]);
            by_weight[w] += f64::from(grad[o]) * f64::from(x[i]);
        });
        let what = format!("{sizes:?}");
        let found = whatever_the_threads(&what, || convolution::forward(sizes, &x, &weight));
        assert_close(&what, &found, &out, 2e-5);
        let found = whatever_the_threads(&what, || convolution::gradient_x(sizes, &grad, &weight));
        assert_close(&format!("{what}: by x"), &found, &by_x, 2e-5);
        let found = whatever_the_threads(&what, || convolution::gradient_weight(sizes, &grad, &x));
        assert_close(&format!("{what}: by weight"), &found, &by_weight, 1e-4);
    }

    /// A plain 1×1 to start from.
    const PLAIN: Sizes = Sizes {
        batch: 2,
        inputs: 3,
        outputs: 5,
        groups: 1,
        map: [7, 5],
        kernel: [1; 2],
        stride: [1; 2],
        padding: [0; 2],
    };

    #[test]
    fn pointwise() {
        for batch in 1..=9 {
            check(Sizes { batch, ..PLAIN });
        }
        for (inputs, outputs, map) in [(1, 1, [1, 1]), (17, 1, [1, 9]), (1, 33, [3, 1]), (65, 63, [4, 4])] {
            check(Sizes { inputs, outputs, map, ..PLAIN });
        }
    }

    #[test]
    fn depthwise() {
        for kernel in [3, 5] {
            for width in [1, 2, 3, 4, 5, 8, 12, 16, 17, 32] {
                for padding in 0..3 {
                    for height in [1, 4, 9] {
                        let (map, padding, kernel) = ([height, width], [padding; 2], [kernel; 2]);
                        if (0..2).all(|i| map[i] + 2 * padding[i] >= kernel[i]) {
                            check(Sizes { inputs: 3, outputs: 3, groups: 3, map, kernel, padding, ..PLAIN });
                        }
                    }
                }
            }
        }
        for batch in 1..=9 {
            let (map, kernel, padding) = ([6, 8], [3; 2], [1; 2]);
            check(Sizes { batch, inputs: 2, outputs: 2, groups: 2, map, kernel, padding, ..PLAIN });
        }
    }

    /// Wider than the kernel, so that whole rows of output see nothing but the border.
    #[test]
    fn depthwise_with_a_wide_border() {
        check(Sizes { inputs: 3, outputs: 3, groups: 3, kernel: [3; 2], padding: [3; 2], ..PLAIN });
        check(Sizes { inputs: 3, outputs: 3, groups: 3, padding: [1; 2], ..PLAIN });
    }

    #[test]
    fn grouped_and_strided() {
        for (groups, inputs, outputs) in [(1, 3, 5), (2, 6, 4), (3, 3, 9), (4, 4, 4)] {
            for (kernel, stride) in [([3, 3], [1, 1]), ([3, 3], [2, 2]), ([1, 1], [2, 2]), ([5, 2], [3, 1])] {
                for padding in [[0, 0], [1, 1], [0, 2]] {
                    check(Sizes { groups, inputs, outputs, kernel, stride, padding, ..PLAIN });
                }
            }
        }
    }

    #[test]
    fn as_in_the_stems() {
        check(Sizes { map: [19, 14], kernel: [7; 2], stride: [2; 2], padding: [3; 2], ..PLAIN });
        check(Sizes { map: [16, 8], kernel: [7; 2], stride: [2; 2], padding: [3; 2], batch: 9, ..PLAIN });
        check(Sizes { map: [9, 6], stride: [2; 2], inputs: 17, ..PLAIN });
    }

    #[test]
    fn with_kernels_that_are_not_square() {
        for kernel in [[1, 3], [3, 1], [2, 5], [4, 2]] {
            for padding in [[0, 0], [1, 0], [0, 1]] {
                check(Sizes { kernel, padding, ..PLAIN });
                check(Sizes { kernel, padding, groups: 3, outputs: 3, ..PLAIN });
            }
        }
    }

    /// One NaN reaches every output that sees it, and no other.
    #[test]
    fn nan_comes_through() {
        let depthwise = Sizes { inputs: 5, groups: 5, kernel: [3; 2], padding: [1; 2], ..PLAIN };
        for sizes in [PLAIN, Sizes { kernel: [3; 2], ..PLAIN }, depthwise, Sizes { map: [7, 16], ..depthwise }] {
            let lengths = lengths(&sizes);
            let (mut x, weight) = (noise(lengths.x, 1), noise(lengths.weight, 2));
            let place = sizes.map[1] * 3 + 2;
            x[place] = f32::NAN;
            let mut reached = vec![false; lengths.out];
            each_product(&sizes, |o, i, _| reached[o] |= i == place);
            let found: Vec<bool> =
                convolution::forward(sizes, &x, &weight).iter().map(|value| value.is_nan()).collect();
            assert_eq!(found, reached, "{sizes:?}");
        }
    }
}

mod batch_norms {
    use super::*;

    const EPS: f32 = 1e-5;

    fn shapes() -> impl Iterator<Item = Planes> {
        let batches = [2, 3, 9].into_iter();
        let sizes = [(1, 1), (5, 1), (3, 4), (17, 15), (2, 16), (3, 17), (1, 100)];
        batches.flat_map(move |batch| sizes.map(|(channels, area)| Planes { batch, channels, area }))
    }

    /// The places of a channel's values.
    fn places(planes: Planes, channel: usize) -> impl Iterator<Item = usize> {
        let Planes { batch, channels, area } = planes;
        (0..batch).flat_map(move |n| (0..area).map(move |i| (n * channels + channel) * area + i))
    }

    struct Case {
        planes: Planes,
        settings: Settings,
        x: Vec<f32>,
        weight: Vec<f32>,
        bias: Vec<f32>,
        /// That of the output.
        grad: Vec<f32>,
    }

    impl Case {
        /// Far from mean 0, which a variance in one pass would not survive, and some weights negative.
        fn new(planes: Planes, relu: bool) -> Self {
            let length = planes.count() * planes.area;
            Self {
                planes,
                settings: Settings { eps: EPS, relu },
                x: noise(length, 1).iter().map(|value| value + 20.0).collect(),
                weight: noise(planes.channels, 2),
                bias: noise(planes.channels, 3),
                grad: noise(length, 4),
            }
        }

        fn wide(&self) -> [Vec<f64>; 3] {
            [&self.x, &self.weight, &self.bias].map(|values| values.iter().map(|&value| value.into()).collect())
        }

        /// The output, means and variances.
        fn expected(&self, [x, weight, bias]: &[Vec<f64>; 3]) -> [Vec<f64>; 3] {
            let mut out = vec![0.0; x.len()];
            let (mut means, mut variances) = (Vec::new(), Vec::new());
            for channel in 0..self.planes.channels {
                let places = || places(self.planes, channel);
                let count = places().count() as f64;
                let mean = places().map(|i| x[i]).sum::<f64>() / count;
                let variance = places().map(|i| (x[i] - mean).powi(2)).sum::<f64>() / count;
                for i in places() {
                    let y = (x[i] - mean) / (variance + f64::from(EPS)).sqrt() * weight[channel] + bias[channel];
                    out[i] = if self.settings.relu { y.max(0.0) } else { y };
                }
                means.push(mean);
                variances.push(variance);
            }
            [out, means, variances]
        }

        fn train(&self) -> batch_norm::Train {
            batch_norm::train(self.planes, self.settings, &self.x, &self.weight, &self.bias)
        }

        fn gradients(&self) -> batch_norm::Gradients {
            let batch_norm::Train { mean, variance, .. } = self.train();
            let given = [&self.weight[..], &self.bias, &mean, &variance];
            batch_norm::gradients(self.planes, self.settings, Statistics::Batch, &self.grad, &self.x, given)
        }

        /// The gradients by x, weight and bias, as the formulas of the paper have them.
        fn expected_gradients(&self) -> [Vec<f64>; 3] {
            let wide = self.wide();
            let [out, means, variances] = self.expected(&wide);
            let [x, weight, _] = wide;
            let (mut by_x, mut by_weight, mut by_bias) = (vec![0.0; x.len()], Vec::new(), Vec::new());
            for channel in 0..self.planes.channels {
                let places = || places(self.planes, channel);
                let count = places().count() as f64;
                let grad = |i: usize| if self.settings.relu && out[i] <= 0.0 { 0.0 } else { f64::from(self.grad[i]) };
                let deviation = (variances[channel] + f64::from(EPS)).sqrt();
                let normal = |i: usize| (x[i] - means[channel]) / deviation;
                let bias = places().map(grad).sum::<f64>();
                let own = places().map(|i| grad(i) * normal(i)).sum::<f64>();
                for i in places() {
                    by_x[i] = weight[channel] / deviation * (grad(i) - bias / count - normal(i) * own / count);
                }
                by_weight.push(own);
                by_bias.push(bias);
            }
            [by_x, by_weight, by_bias]
        }
    }

    #[test]
    fn outputs_and_statistics() {
        for (planes, relu) in shapes().flat_map(|planes| [(planes, false), (planes, true)]) {
            let case = Case::new(planes, relu);
            let what = format!("{planes:?}, {:?}", case.settings);
            let [out, means, variances] = case.expected(&case.wide());
            let found = case.train();
            assert_close(&what, &found.out, &out, 2e-4);
            assert_close(&format!("{what}: mean"), &found.mean, &means, 1e-6);
            assert_close(&format!("{what}: variance"), &found.variance, &variances, 1e-5);
            whatever_the_threads(&what, || {
                let found = case.train();
                [found.out, found.mean, found.variance].concat()
            });
        }
    }

    #[test]
    fn gradients() {
        for (planes, relu) in shapes().flat_map(|planes| [(planes, false), (planes, true)]) {
            // Two values in a channel are always ±1 when normalised: their gradient is nothing but rounding.
            if planes.batch * planes.area == 2 {
                continue;
            }
            let case = Case::new(planes, relu);
            let what = format!("{planes:?}, {:?}", case.settings);
            let found = case.gradients();
            let [x, weight, bias] = case.expected_gradients();
            assert_close(&format!("{what}: by x"), &found.x, &x, 1e-3);
            assert_close(&format!("{what}: by weight"), &found.weight, &weight, 1e-3);
            assert_close(&format!("{what}: by bias"), &found.bias, &bias, 1e-4);
            whatever_the_threads(&what, || {
                let found = case.gradients();
                [found.x, found.weight, found.bias].concat()
            });
        }
    }

    /// The formulas above are the derivatives of the function.
    #[test]
    fn gradients_by_finite_differences() {
        const STEP: f64 = 1e-6;
        for (planes, relu) in [(5, 1), (3, 4)]
            .into_iter()
            .flat_map(|(channels, area)| [false, true].map(|relu| (Planes { batch: 4, channels, area }, relu)))
        {
            let case = Case::new(planes, relu);
            let mut at = case.wide();
            let loss = |at: &[Vec<f64>; 3]| -> f64 {
                let [out, ..] = case.expected(at);
                out.iter().zip(&case.grad).map(|(out, grad)| out * f64::from(*grad)).sum()
            };
            let batch_norm::Gradients { x, weight, bias } = case.gradients();
            for (what, found) in [x, weight, bias].iter().enumerate() {
                let slopes: Vec<f64> = (0..found.len())
                    .map(|i| {
                        let value = at[what][i];
                        at[what][i] = value + STEP;
                        let above = loss(&at);
                        at[what][i] = value - STEP;
                        let below = loss(&at);
                        at[what][i] = value;
                        (above - below) / (2.0 * STEP)
                    })
                    .collect();
                assert_close(&format!("{planes:?}, relu {relu}, input {what}"), found, &slopes, 1e-3);
            }
        }
    }

    /// With given statistics every value is by itself, and the sums over a channel concern weight and bias alone.
    #[test]
    fn with_given_statistics() {
        for (planes, relu) in shapes().flat_map(|planes| [(planes, false), (planes, true)]) {
            let case = Case::new(planes, relu);
            let what = format!("given statistics, {planes:?}, {:?}", case.settings);
            let mean: Vec<f32> = noise(planes.channels, 5).iter().map(|value| value + 20.0).collect();
            let variance: Vec<f32> = noise(planes.channels, 6).iter().map(|value| value.abs() + 0.1).collect();
            let given = [&case.weight[..], &case.bias, &mean, &variance];
            let (mut out, mut by_x) = (vec![0.0; case.x.len()], vec![0.0; case.x.len()]);
            let (mut by_weight, mut by_bias) = (vec![0.0; planes.channels], vec![0.0; planes.channels]);
            for channel in 0..planes.channels {
                let [weight, bias, mean, variance] = given.map(|row| f64::from(row[channel]));
                let deviation = (variance + f64::from(EPS)).sqrt();
                for i in places(planes, channel) {
                    let normal = (f64::from(case.x[i]) - mean) / deviation;
                    let y = normal * weight + bias;
                    out[i] = if relu { y.max(0.0) } else { y };
                    let grad = if relu && y <= 0.0 { 0.0 } else { f64::from(case.grad[i]) };
                    by_x[i] = grad * weight / deviation;
                    by_weight[channel] += grad * normal;
                    by_bias[channel] += grad;
                }
            }
            let found = whatever_the_threads(&what, || {
                let mut x = case.x.clone();
                batch_norm::infer(planes, case.settings, &mut x, given);
                x
            });
            assert_close(&what, &found, &out, 1e-4);
            let found = batch_norm::gradients(planes, case.settings, Statistics::Running, &case.grad, &case.x, given);
            assert_close(&format!("{what}: by x"), &found.x, &by_x, 1e-5);
            assert_close(&format!("{what}: by weight"), &found.weight, &by_weight, 1e-4);
            assert_close(&format!("{what}: by bias"), &found.bias, &by_bias, 1e-4);

            let mut x = case.x.clone();
            x[0] = f32::NAN;
            batch_norm::infer(planes, case.settings, &mut x, given);
            assert!(x[0].is_nan() && x[1..].iter().all(|value| value.is_finite()), "{what}");
        }
    }

    /// One NaN makes all of its channel NaN, ReLU or not, forward and backward, and leaves the others.
    #[test]
    fn nan_comes_through() {
        for relu in [false, true] {
            let planes = Planes { batch: 3, channels: 3, area: 17 };
            let mut case = Case::new(planes, relu);
            case.x[17 + 5] = f32::NAN;
            let (out, by_x) = (case.train().out, case.gradients().x);
            for channel in 0..3 {
                assert!(places(planes, channel).all(|i| out[i].is_nan() == (channel == 1)));
                assert!(places(planes, channel).all(|i| by_x[i].is_nan() == (channel == 1)));
            }
        }
    }
}

mod pools {
    use super::*;

    fn windows() -> Vec<Window> {
        let kinds = [
            ([1, 1], [1, 1], [0, 0]),
            ([3, 3], [2, 2], [1, 1]),
            ([3, 3], [2, 2], [0, 0]),
            ([2, 2], [2, 2], [0, 0]),
            ([3, 2], [1, 3], [1, 0]),
        ];
        let maps = [[1, 1], [7, 5], [9, 16], [6, 17]];
        let mut windows = Vec::new();
        for (map, (kernel, stride, padding)) in maps.into_iter().flat_map(|map| kinds.map(|kind| (map, kind))) {
            // Without and with a last, partial window.
            for ceil in [false, true] {
                let pool = Pool { kernel, stride, padding: padding.into(), ceil, count_padding: true };
                windows.extend(pool.output(map).map(|output| Window { map, output, kernel, stride, padding }));
            }
        }
        windows
    }

    /// The pixels under the window at a place of the output, in order, and how many it averages.
    fn under(window: &Window, place: usize) -> (Vec<usize>, usize) {
        let at = [place / window.output[1], place % window.output[1]];
        let range = |i: usize| {
            let start = at[i] * window.stride[i];
            start..(start + window.kernel[i]).min(window.map[i] + 2 * window.padding[i])
        };
        let inside = |i: usize| {
            let (start, end) = (window.padding[i], window.map[i] + window.padding[i]);
            range(i).filter(move |at| (start..end).contains(at)).map(move |at| at - start)
        };
        let pixels = inside(0).flat_map(|y| inside(1).map(move |x| y * window.map[1] + x));
        (pixels.collect(), range(0).len() * range(1).len())
    }

    #[test]
    fn forward_and_backward() {
        for (window, batch) in windows().into_iter().flat_map(|window| [1, 2, 9].map(|batch| (window, batch))) {
            let channels = 3;
            let (area, out_area) = (window.input_area(), window.output_area());
            // Few values, so that many are equal.
            let x: Vec<f32> = noise(batch * channels * area, 1).iter().map(|value| (value * 2.0).round()).collect();
            let grad = noise(batch * channels * out_area, 2);
            let (mut largest, mut mean) = (Vec::new(), Vec::new());
            let (mut by_largest, mut by_mean) = (vec![0.0; x.len()], vec![0.0; x.len()]);
            for (place, &grad) in grad.iter().enumerate() {
                let (pixels, count) = under(&window, place % out_area);
                let start = place / out_area * area;
                let larger = |best: usize, pixel: usize| if x[start + pixel] > x[start + best] { pixel } else { best };
                let first = pixels.iter().copied().reduce(larger).unwrap();
                largest.push(f64::from(x[start + first]));
                by_largest[start + first] += f64::from(grad);
                mean.push(pixels.iter().map(|pixel| f64::from(x[start + pixel])).sum::<f64>() / count as f64);
                pixels.iter().for_each(|pixel| by_mean[start + pixel] += f64::from(grad) / count as f64);
            }
            let what = format!("{window:?} over {batch}");
            let found = whatever_the_threads(&what, || pool::max(window, channels, &x));
            assert_close(&format!("{what}: max"), &found, &largest, 0.0);
            let found = whatever_the_threads(&what, || pool::max_gradient(window, channels, &grad, &x));
            assert_close(&format!("{what}: max backward"), &found, &by_largest, 1e-6);
            let found = whatever_the_threads(&what, || pool::average(window, channels, &x));
            assert_close(&format!("{what}: average"), &found, &mean, 1e-6);
            let found = whatever_the_threads(&what, || pool::average_gradient(window, channels, &grad));
            assert_close(&format!("{what}: average backward"), &found, &by_mean, 1e-6);
        }
    }

    /// As in PyTorch: a NaN is larger than everything, and a later one than an earlier.
    #[test]
    fn nan_and_infinity() {
        let window = Window { map: [2, 3], output: [1, 2], kernel: [2; 2], stride: [1; 2], padding: [0; 2] };
        let x = [1.0, f32::NAN, f32::INFINITY, f32::NAN, 2.0, 3.0];
        assert!(pool::max(window, 1, &x).iter().all(|value| value.is_nan()));
        assert_eq!(pool::max_gradient(window, 1, &[10.0, 20.0], &x), [0.0, 20.0, 0.0, 10.0, 0.0, 0.0]);
        assert!(pool::average(window, 1, &x).iter().all(|value| value.is_nan()));

        let x = [f32::NEG_INFINITY; 6];
        assert_eq!(pool::max(window, 1, &x), [f32::NEG_INFINITY; 2]);
        assert_eq!(pool::max_gradient(window, 1, &[10.0, 20.0], &x), [10.0, 20.0, 0.0, 0.0, 0.0, 0.0]);
    }
}

#[test]
fn channels_are_scaled_both_ways() {
    for batch in [1, 2, 9] {
        for (channels, area) in [(1, 1), (5, 1), (3, 15), (17, 16), (2, 17), (1, 100)] {
            let planes = Planes { batch, channels, area };
            let what = format!("{planes:?}");
            let (mut x, factor) = (noise(planes.count() * area, 1), noise(planes.count(), 2));
            let grad = noise(x.len(), 3);
            let wide = |value: f32| f64::from(value);
            let expected: Vec<f64> = (0..x.len()).map(|i| wide(x[i]) * wide(factor[i / area])).collect();
            let found = whatever_the_threads(&what, || scale_channels::forward(planes, &x, &factor));
            assert_close(&what, &found, &expected, 1e-6);

            let plane = |p: usize| p * area..(p + 1) * area;
            let expected: Vec<f64> =
                (0..planes.count()).map(|p| plane(p).map(|i| wide(grad[i]) * wide(x[i])).sum()).collect();
            let found = whatever_the_threads(&what, || scale_channels::gradient_factor(planes, &grad, &x));
            assert_close(&format!("{what}: by the factors"), &found, &expected, 1e-5);

            x[area - 1] = f32::NAN;
            assert!(scale_channels::forward(planes, &x, &factor)[area - 1].is_nan());
            let found = scale_channels::gradient_factor(planes, &grad, &x);
            assert!(found[0].is_nan() && found[1..].iter().all(|value| value.is_finite()));
        }
    }
}
