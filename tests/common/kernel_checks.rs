//! What every kernel must satisfy on a device: its twin's numbers, and gradients that agree both with burn's own and
//! with finite differences. Natively and in the browser alike, so nothing here reads synchronously. A test that mounts
//! this module mounts `resize_cases` beside it.

use burn::tensor::{
    Device, Tensor, TensorData,
    activation::relu,
    module,
    ops::{AvgPoolOptions, ConvOptions, MaxPoolOptions},
    s,
};
use webreid::{
    kernels::frozen::preprocess,
    kernels::training::{self as kernels, Planes, cpu::batch_norm, distance::Metric, pool_bn_train::Settings},
    ops::{self, OpError},
    step::{Padding, Pool},
};

use crate::resize_cases::resize_cases;

/// Hands the names of all checks to a macro that makes a test of each.
macro_rules! for_each_check {
    ($make:ident) => {
        $make! {
            pool_bn_infer_is_its_twin,
            pool_bn_train_is_its_twin,
            pool_bn_train_is_pytorchs,
            pool_bn_refuses_a_batch_of_one,
            pool_bn_gradients_are_right,
            pool_bn_leaves_what_is_frozen,
            gem_pool_is_its_twin,
            gem_pool_gradients_are_right,
            distance_is_its_twin,
            a_set_may_be_compared_with_itself,
            distance_gradients_are_right,
            convolution_is_burns,
            batch_norm_train_is_burns,
            batch_norm_infer_is_burns,
            batch_norm_infer_leaves_what_others_hold,
            pools_are_burns,
            scale_channels_is_a_product,
            preprocess_is_pillow_to_the_bit,
            preprocess_scales_in_the_networks_order,
            many_workgroups_reach_every_element,
        }
    };
}
pub(crate) use for_each_check;

const EPS: f32 = 1e-5;
const SETTINGS: Settings = Settings { eps: EPS, momentum: 0.1 };

/// Odd sizes: of channels, of maps and of batches.
fn maps() -> impl Iterator<Item = [usize; 4]> {
    const MAPS: [[usize; 2]; 4] = [[1, 1], [2, 3], [17, 9], [8, 16]];
    [1, 2, 33].into_iter().flat_map(|batch| {
        [1, 3, 63, 65]
            .into_iter()
            .flat_map(move |channels| MAPS.map(|[height, width]| [batch, channels, height, width]))
    })
}

fn planes([batch, channels, height, width]: [usize; 4]) -> Planes {
    Planes { batch, channels, area: height * width }
}

/// Seeded noise, −1…1.
fn noise(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

fn positive_noise(count: usize, seed: u32) -> Vec<f32> {
    noise(count, seed).into_iter().map(|value| 0.5 + value.abs()).collect()
}

fn tensor<const D: usize>(values: &[f32], shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), device)
}

async fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data_async().await.unwrap().try_into_vec().unwrap()
}

/// Fails on a difference above `tolerance`, relative to the larger of 1 and the expected value, and on NaN.
fn assert_close(what: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let within = (found - expected).abs() <= tolerance * expected.abs().max(1.0);
        assert!(within, "{what}[{i}] is {found}, not {expected}");
    }
}

/// Central differences of a function of a vector, at some of its elements, against the gradient.
fn assert_is_derivative(what: &str, at: &[f32], gradient: &[f32], function: impl Fn(&[f64]) -> f64) {
    const STEP: f64 = 1e-5;
    assert_eq!(gradient.len(), at.len(), "{what}");
    let mut at: Vec<f64> = at.iter().map(|&value| value.into()).collect();
    for i in (0..at.len()).step_by(at.len().div_ceil(40)) {
        let value = at[i];
        at[i] = value + STEP;
        let above = function(&at);
        at[i] = value - STEP;
        let slope = (above - function(&at)) / (2.0 * STEP);
        at[i] = value;
        assert_close(&format!("{what} by finite differences, {i}"), &[gradient[i]], &[slope as f32], 1e-4);
    }
}

fn dot(weights: &[f32], values: impl IntoIterator<Item = f64>) -> f64 {
    weights.iter().zip(values).map(|(&weight, value)| f64::from(weight) * value).sum()
}

/// Weight, bias, mean and variance of a batch norm; every third weight is 0.
fn affine(channels: usize) -> [Vec<f32>; 4] {
    let mut weight = noise(channels, 2);
    weight.iter_mut().step_by(3).for_each(|weight| *weight = 0.0);
    [weight, noise(channels, 3), noise(channels, 4), positive_noise(channels, 5)]
}

pub async fn pool_bn_infer_is_its_twin(device: &Device) {
    for shape in maps() {
        check_pool_bn_infer(shape, device).await;
    }
}

async fn check_pool_bn_infer(shape: [usize; 4], device: &Device) {
    let planes = planes(shape);
    let x = noise(planes.count() * planes.area, 1);
    let parameters = affine(planes.channels);
    let [weight, bias, mean, variance] = parameters.each_ref();
    let expected = kernels::pool_bn_infer::twin(planes, EPS, &x, weight, bias, mean, variance);
    let x = tensor(&x, shape, device);
    let [weight, bias, mean, variance] = parameters.each_ref().map(|row| tensor(row, [planes.channels], device));
    let (feature, embedding) = ops::pool_bn::infer(x, weight, bias, mean, variance, EPS).unwrap();
    let found = read(Tensor::cat(vec![feature, embedding], 0)).await;
    assert_close(&format!("pool_bn infer {shape:?}"), &found, &expected, 1e-5);
}

pub async fn pool_bn_train_is_its_twin(device: &Device) {
    for shape in maps() {
        if shape[0] > 1 {
            check_pool_bn_train(shape, device).await;
        }
    }
}

async fn check_pool_bn_train(shape: [usize; 4], device: &Device) {
    let planes = planes(shape);
    // Away from 0, as activations are: a variance by E[x²] − E[x]² would show here.
    let x: Vec<f32> = noise(planes.count() * planes.area, 1).iter().map(|value| value + 10.0).collect();
    let parameters = affine(planes.channels);
    let [weight, bias, mean, variance] = parameters.each_ref();
    let (out, running) = kernels::pool_bn_train::twin(planes, SETTINGS, &x, weight, bias, mean, variance);
    let x = tensor(&x, shape, device);
    let [weight, bias, mean, variance] = parameters.each_ref().map(|row| tensor(row, [planes.channels], device));
    let found = ops::pool_bn::train(x, weight, bias, mean, variance, SETTINGS).unwrap();
    let found_out = read(Tensor::cat(vec![found.feature, found.embedding], 0)).await;
    let found_running = read(Tensor::cat(vec![found.running_mean, found.running_variance], 0)).await;
    // A channel of almost equal values is divided by a tiny deviation, which lifts the last bit of the mean.
    assert_close(&format!("pool_bn train {shape:?}"), &found_out, &out, 1e-3);
    assert_close(&format!("pool_bn running {shape:?}"), &found_running, &running, 1e-5);
}

/// What PyTorch 2 makes of `AdaptiveAvgPool2d(1)` and `BatchNorm1d(2)` for a batch of 3 maps of 1×2.
pub async fn pool_bn_train_is_pytorchs(device: &Device) {
    let x = tensor(&[1.0, 3.0, 0.0, 0.0, 2.0, 6.0, 1.0, 1.0, 5.0, 7.0, 5.0, 3.0], [3, 2, 1, 2], device);
    let row = |values: [f32; 2]| tensor(&values, [2], device);
    let (weight, bias, mean, variance) = (row([1.0, 0.5]), row([0.0, 1.0]), row([0.0, 0.0]), row([1.0, 1.0]));
    let found = ops::pool_bn::train(x, weight, bias, mean, variance, SETTINGS).unwrap();
    assert_close("feature", &read(found.feature).await, &[2.0, 0.0, 4.0, 1.0, 6.0, 4.0], 1e-6);
    let embedding = [-1.224_742_5, 0.509_710_55, 0.0, 0.803_884_27, 1.224_742_5, 1.686_405_3];
    assert_close("embedding", &read(found.embedding).await, &embedding, 1e-5);
    assert_close("running mean", &read(found.running_mean).await, &[0.4, 0.166_666_67], 1e-6);
    assert_close("running variance", &read(found.running_variance).await, &[1.3, 1.333_333_3], 1e-6);
}

pub async fn pool_bn_refuses_a_batch_of_one(device: &Device) {
    let x = tensor(&[1.0; 8], [1, 2, 2, 2], device);
    let row = || tensor(&[1.0; 2], [2], device);
    let error = ops::pool_bn::train(x.clone(), row(), row(), row(), row(), SETTINGS).unwrap_err();
    assert_eq!(error, OpError::BatchOfOne(1));
    let wrong = tensor(&[1.0; 3], [3], device);
    let error = ops::pool_bn::infer(x, row(), wrong, row(), row(), EPS).unwrap_err();
    assert_eq!(error, OpError::Length { what: "the batch norm's bias", found: 3, expected: 2 });
}

/// Both outputs pull on the gradients, and every third weight is 0.
pub async fn pool_bn_gradients_are_right(device: &Device) {
    for training in [false, true] {
        for shape in [[2, 1, 1, 1], [5, 3, 17, 9], [33, 65, 2, 3], [9, 63, 4, 2]] {
            check_pool_bn_gradients(shape, training, device).await;
        }
    }
}

async fn check_pool_bn_gradients(shape: [usize; 4], training: bool, device: &Device) {
    let device = &device.clone().autodiff();
    let planes = planes(shape);
    let Planes { batch, channels, area } = planes;
    let what = format!("pool_bn {shape:?}, training {training}");
    let x = noise(planes.count() * area, 1);
    let [weight, bias, mean, variance] = affine(channels);
    let pulls = [noise(planes.count(), 6), noise(planes.count(), 7)];

    let row = |values: &[f32]| tensor(values, [channels], device);
    let leaves = || (tensor(&x, shape, device).require_grad(), row(&weight).require_grad(), row(&bias).require_grad());
    let pulled = |feature: Tensor<2>, embedding: Tensor<2>| {
        let [by_feature, by_embedding] = pulls.each_ref().map(|pull| tensor(pull, [batch, channels], device));
        ((feature * by_feature).sum() + (embedding * by_embedding).sum()).backward()
    };

    let (leaf_x, leaf_weight, leaf_bias) = leaves();
    let (x_, weight_, bias_) = (leaf_x.clone(), leaf_weight.clone(), leaf_bias.clone());
    let (feature, embedding) = if training {
        let found = ops::pool_bn::train(x_, weight_, bias_, row(&mean), row(&variance), SETTINGS).unwrap();
        (found.feature, found.embedding)
    } else {
        ops::pool_bn::infer(x_, weight_, bias_, row(&mean), row(&variance), EPS).unwrap()
    };
    let gradients = pulled(feature, embedding);
    let by_x = read(leaf_x.grad(&gradients).unwrap()).await;
    let by_weight = read(leaf_weight.grad(&gradients).unwrap()).await;
    let by_bias = read(leaf_bias.grad(&gradients).unwrap()).await;

    let (leaf_x, leaf_weight, leaf_bias) = leaves();
    let feature = leaf_x.clone().reshape([batch, channels, area]).mean_dim(2).reshape([batch, channels]);
    let (center, spread) = if training {
        let center = feature.clone().mean_dim(0);
        (center.clone(), (feature.clone() - center).square().mean_dim(0))
    } else {
        (row(&mean).unsqueeze(), row(&variance).unsqueeze())
    };
    let normalised = (feature.clone() - center) / (spread + EPS).sqrt();
    let embedding = normalised * leaf_weight.clone().unsqueeze() + leaf_bias.clone().unsqueeze();
    let gradients = pulled(feature, embedding);
    let tolerance = 2e-4;
    assert_close(&format!("{what}: by x"), &by_x, &read(leaf_x.grad(&gradients).unwrap()).await, tolerance);
    let expected = read(leaf_weight.grad(&gradients).unwrap()).await;
    assert_close(&format!("{what}: by weight"), &by_weight, &expected, tolerance);
    assert_close(&format!("{what}: by bias"), &by_bias, &read(leaf_bias.grad(&gradients).unwrap()).await, tolerance);

    let loss = |x: &[f64], weight: &[f64]| -> f64 {
        let feature: Vec<f64> = x.chunks_exact(area).map(|plane| plane.iter().sum::<f64>() / area as f64).collect();
        let embedding = (0..planes.count()).map(|at| {
            let channel = at % channels;
            let samples = || feature.iter().skip(channel).step_by(channels);
            let (mut center, mut spread) = (f64::from(mean[channel]), f64::from(variance[channel]));
            if training {
                center = samples().sum::<f64>() / batch as f64;
                spread = samples().map(|value| (value - center).powi(2)).sum::<f64>() / batch as f64;
            }
            (feature[at] - center) / (spread + f64::from(EPS)).sqrt() * weight[channel] + f64::from(bias[channel])
        });
        dot(&pulls[0], feature.iter().copied()) + dot(&pulls[1], embedding)
    };
    let wide = |values: &[f32]| -> Vec<f64> { values.iter().map(|&value| value.into()).collect() };
    // Two close samples in a channel bend the function too much for differences; their gradient is burn's, above.
    if batch > 2 {
        assert_is_derivative(&format!("{what}: by x"), &x, &by_x, |x| loss(x, &wide(&weight)));
        assert_is_derivative(&format!("{what}: by weight"), &weight, &by_weight, |weight| loss(&wide(&x), weight));
    }
}

/// A frozen bias, as the BN neck has it, and a frozen map take no gradient; the others still do.
pub async fn pool_bn_leaves_what_is_frozen(device: &Device) {
    let device = &device.clone().autodiff();
    let x = tensor(&noise(24, 1), [3, 2, 2, 2], device);
    let row = |seed| tensor(&positive_noise(2, seed), [2], device);
    let (weight, bias) = (row(2).require_grad(), row(3));
    let found = ops::pool_bn::train(x.clone(), weight.clone(), bias.clone(), row(4), row(5), SETTINGS).unwrap();
    let gradients = found.embedding.square().sum().backward();
    assert!(x.grad(&gradients).is_none() && bias.grad(&gradients).is_none());
    assert!(read(weight.grad(&gradients).unwrap()).await.iter().all(|&value| value > 0.1));
}

pub async fn gem_pool_is_its_twin(device: &Device) {
    for shape in maps() {
        check_gem_pool(shape, 3.0, device).await;
    }
    for p in [1.0, 0.5, 6.54, 12.0] {
        check_gem_pool([2, 3, 17, 9], p, device).await;
    }
}

async fn check_gem_pool(shape: [usize; 4], p: f32, device: &Device) {
    let planes = planes(shape);
    let mut x = noise(planes.count() * planes.area, 1);
    // A dead channel, which a ReLU leaves behind.
    x[..planes.area].fill(0.0);
    let expected = kernels::gem_pool::twin(planes, &x, p);
    assert_eq!(expected[0], kernels::gem_pool::EPS);
    let found = ops::gem_pool::gem_pool(tensor(&x, shape, device), tensor(&[p], [1], device)).unwrap();
    assert_close(&format!("gem_pool {shape:?}, p {p}"), &read(found).await, &expected, 1e-5);
}

pub async fn gem_pool_gradients_are_right(device: &Device) {
    for (shape, p) in [([1, 1, 1, 1], 3.0), ([2, 3, 17, 9], 3.0), ([33, 65, 2, 3], 2.5), ([2, 63, 8, 4], 6.5)] {
        check_gem_pool_gradients(shape, p, device).await;
    }
}

async fn check_gem_pool_gradients(shape: [usize; 4], p: f32, device: &Device) {
    let device = &device.clone().autodiff();
    let Planes { batch, channels, area } = planes(shape);
    let what = format!("gem_pool {shape:?}, p {p}");
    let x: Vec<f32> = noise(batch * channels * area, 9).iter().map(|value| value + 0.3).collect();
    let pull = noise(batch * channels, 6);
    let leaves = || (tensor(&x, shape, device).require_grad(), tensor(&[p], [1], device).require_grad());
    let pulled = |pooled: Tensor<2>| (pooled * tensor(&pull, [batch, channels], device)).sum().backward();

    let (leaf_x, leaf_p) = leaves();
    let gradients = pulled(ops::gem_pool::gem_pool(leaf_x.clone(), leaf_p.clone()).unwrap());
    let by_x = read(leaf_x.grad(&gradients).unwrap()).await;
    let by_p = read(leaf_p.grad(&gradients).unwrap()).await;

    let (leaf_x, leaf_p) = leaves();
    let power = leaf_p.clone().reshape([1, 1, 1]);
    let clamped = leaf_x.clone().reshape([batch, channels, area]).clamp_min(kernels::gem_pool::EPS);
    let mean = clamped.powf(power.clone()).mean_dim(2);
    let gradients = pulled(mean.powf(power.recip()).reshape([batch, channels]));
    assert_close(&format!("{what}: by x"), &by_x, &read(leaf_x.grad(&gradients).unwrap()).await, 2e-4);
    assert_close(&format!("{what}: by p"), &by_p, &read(leaf_p.grad(&gradients).unwrap()).await, 2e-4);

    let loss = |x: &[f64], p: f64| -> f64 {
        let pool = |plane: &[f64]| {
            (plane.iter().map(|value| value.max(1e-6).powf(p)).sum::<f64>() / area as f64).powf(1.0 / p)
        };
        dot(&pull, x.chunks_exact(area).map(pool))
    };
    let wide: Vec<f64> = x.iter().map(|&value| value.into()).collect();
    assert_is_derivative(&format!("{what}: by x"), &x, &by_x, |x| loss(x, p.into()));
    assert_is_derivative(&format!("{what}: by p"), &[p], &by_p, |p| loss(&wide, p[0]));
}

pub async fn distance_is_its_twin(device: &Device) {
    for (q, g, width) in [(1, 1, 1), (3, 65, 63), (33, 17, 512), (16, 16, 16), (65, 2, 5)] {
        for metric in [Metric::SquaredEuclidean, Metric::Cosine] {
            let (mut a, b) = (noise(q * width, 1), noise(g * width, 2));
            if q > 1 {
                a[..width].fill(0.0);
            }
            let sizes = kernels::distance::Sizes { a_rows: q, b_rows: g, width };
            let expected = kernels::distance::twin(sizes, metric, &a, &b);
            let (a, b) = (tensor(&a, [q, width], device), tensor(&b, [g, width], device));
            let found = read(ops::distance::distance(a, b, metric).unwrap()).await;
            assert_close(&format!("{metric:?} of {q} and {g} of {width}"), &found, &expected, 1e-5);
        }
    }
    let a = tensor(&[3.0, 0.0, 0.0, 4.0], [2, 2], device);
    let b = tensor(&[1.0, 0.0, -2.0, 0.0, 0.0, 0.0], [3, 2], device);
    let found = read(ops::distance::distance(a.clone(), b.clone(), Metric::SquaredEuclidean).unwrap()).await;
    assert_eq!(found, [4.0, 25.0, 9.0, 17.0, 20.0, 16.0]);
    let found = read(ops::distance::distance(a, b, Metric::Cosine).unwrap()).await;
    assert_close("cosine", &found, &[0.0, 4.0, 2.0, 2.0, 2.0, 2.0], 1e-6);
}

/// One tensor bound twice, as a batch is for the triplet loss, and one that is not contiguous.
pub async fn a_set_may_be_compared_with_itself(device: &Device) {
    let features = noise(5 * 7, 1);
    let sizes = kernels::distance::Sizes { a_rows: 5, b_rows: 5, width: 7 };
    let expected = kernels::distance::twin(sizes, Metric::SquaredEuclidean, &features, &features);
    let a = tensor(&features, [5, 7], device);
    let found = ops::distance::distance(a.clone(), a.clone(), Metric::SquaredEuclidean).unwrap();
    assert_close("distance to itself", &read(found).await, &expected, 1e-5);

    let columns: Vec<f32> = (0..35).map(|i| features[i % 5 * 7 + i / 5]).collect();
    let transposed = tensor(&columns, [7, 5], device).transpose();
    let found = ops::distance::distance(transposed, a, Metric::SquaredEuclidean).unwrap();
    assert_close("distance of a transposed set", &read(found).await, &expected, 1e-5);
}

pub async fn distance_gradients_are_right(device: &Device) {
    let device = &device.clone().autodiff();
    for (q, g, width) in [(1, 1, 3), (3, 33, 65), (5, 2, 7)] {
        for metric in [Metric::SquaredEuclidean, Metric::Cosine] {
            let what = format!("{metric:?} of {q} and {g} of {width}");
            let (a, b, pull) = (noise(q * width, 1), noise(g * width, 2), noise(q * g, 3));
            let leaf_a = tensor(&a, [q, width], device).require_grad();
            let leaf_b = tensor(&b, [g, width], device).require_grad();
            let found = ops::distance::distance(leaf_a.clone(), leaf_b.clone(), metric).unwrap();
            let gradients = (found * tensor(&pull, [q, g], device)).sum().backward();
            let by_a = read(leaf_a.grad(&gradients).unwrap()).await;
            let by_b = read(leaf_b.grad(&gradients).unwrap()).await;

            let loss = |a: &[f64], b: &[f64]| -> f64 {
                let unit = |row: &[f64]| -> Vec<f64> {
                    let norm = row.iter().map(|value| value * value).sum::<f64>().sqrt();
                    let norm = if metric == Metric::Cosine { norm } else { 1.0 };
                    row.iter().map(|value| value / norm).collect()
                };
                let rows = |set: &[f64]| -> Vec<Vec<f64>> { set.chunks_exact(width).map(unit).collect() };
                let (a, b) = (rows(a), rows(b));
                let squares = |u: &[f64], v: &[f64]| u.iter().zip(v).map(|(u, v)| (u - v).powi(2)).sum::<f64>();
                dot(&pull, a.iter().flat_map(|u| b.iter().map(move |v| squares(u, v))))
            };
            let wide = |values: &[f32]| -> Vec<f64> { values.iter().map(|&value| value.into()).collect() };
            assert_is_derivative(&format!("{what}: by a"), &a, &by_a, |a| loss(a, &wide(&b)));
            assert_is_derivative(&format!("{what}: by b"), &b, &by_b, |b| loss(&wide(&a), b));
        }
    }
}

/// What a function gives and, under some pull on that, the gradients by its first input and by the rest.
async fn output_and_gradients<const A: usize, const B: usize, const D: usize>(
    first: &Tensor<A>,
    rest: &[Tensor<B>],
    function: impl Fn(Tensor<A>, Vec<Tensor<B>>) -> Tensor<D>,
) -> Vec<Vec<f32>> {
    let first = first.clone().require_grad();
    let rest: Vec<Tensor<B>> = rest.iter().map(|tensor| tensor.clone().require_grad()).collect();
    let out = function(first.clone(), rest.clone());
    let pull = tensor(&noise(out.shape().num_elements(), 8), out.dims(), &out.device());
    let gradients = (out.clone() * pull).sum().backward();
    let mut all = vec![read(out).await, read(first.grad(&gradients).unwrap()).await];
    for leaf in rest {
        all.push(read(leaf.grad(&gradients).unwrap()).await);
    }
    all
}

fn assert_all_close(what: &str, found: &[Vec<f32>], expected: &[Vec<f32>], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let which = if i == 0 { "the output".to_owned() } else { format!("by input {}", i - 1) };
        assert_close(&format!("{what}: {which}"), found, expected, tolerance);
    }
}

/// Shapes of x and weight, stride, padding and groups.
type ConvolutionCase = ([usize; 4], [usize; 4], usize, usize, usize);

pub async fn convolution_is_burns(device: &Device) {
    let device = &device.clone().autodiff();
    const CASES: [ConvolutionCase; 8] = [
        ([3, 5, 6, 4], [7, 5, 1, 1], 1, 0, 1),
        ([2, 6, 8, 4], [6, 1, 3, 3], 1, 1, 6),
        ([9, 3, 5, 16], [3, 1, 3, 3], 1, 1, 3),
        ([2, 3, 5, 7], [3, 1, 5, 5], 1, 2, 3),
        ([2, 3, 16, 9], [4, 3, 7, 7], 2, 3, 1),
        ([2, 3, 7, 6], [5, 3, 1, 1], 2, 0, 1),
        ([2, 4, 7, 6], [6, 2, 3, 3], 2, 1, 2),
        ([1, 2, 7, 6], [3, 2, 2, 3], 1, 0, 1),
    ];
    for (x, weight, stride, padding, groups) in CASES {
        let what = format!("convolution {x:?} {weight:?}, stride {stride}, padding {padding}");
        let options = ConvOptions::new([stride; 2], [padding; 2], [1; 2], groups);
        let values = noise(x.iter().product(), 1);
        let (x, weight) = (tensor(&values, x, device), [tensor(&noise(weight.iter().product(), 2), weight, device)]);
        let ours =
            |x, rest: Vec<Tensor<4>>| ops::convolution::convolution(x, rest[0].clone(), options.clone()).unwrap();
        let found = output_and_gradients(&x, &weight, ours).await;
        let burns = |x, rest: Vec<Tensor<4>>| module::conv2d(x, rest[0].clone(), None, options.clone());
        assert_all_close(&what, &found, &output_and_gradients(&x, &weight, burns).await, 1e-4);
    }
}

pub async fn batch_norm_train_is_burns(device: &Device) {
    for relu in [false, true] {
        check_batch_norm_train([5, 3], relu, device).await;
        check_batch_norm_train([33, 65], relu, device).await;
        for shape in [[3, 2, 1, 1], [2, 3, 17, 9], [9, 5, 2, 3], [4, 17, 8, 4]] {
            check_batch_norm_train(shape, relu, device).await;
        }
    }
}

async fn check_batch_norm_train<const D: usize>(shape: [usize; D], rectified: bool, device: &Device) {
    let device = &device.clone().autodiff();
    let channels = shape[1];
    let x = tensor(&noise(shape.iter().product(), 1), shape, device);
    let affine = [2, 3].map(|seed| tensor(&positive_noise(channels, seed), [channels], device));
    let settings = batch_norm::Settings { eps: EPS, relu: rectified };
    let ours = |x: Tensor<D>, rest: Vec<Tensor<1>>| {
        ops::batch_norm::train(x, rest[0].clone(), rest[1].clone(), settings).unwrap().output
    };
    let burns = |x: Tensor<D>, rest: Vec<Tensor<1>>| {
        let out = module::batch_norm_train(x, rest[0].clone(), rest[1].clone(), EPS.into()).output;
        if rectified { relu(out) } else { out }
    };
    let what = format!("batch norm {shape:?}, relu {rectified}");
    let found = output_and_gradients(&x, &affine, ours).await;
    assert_all_close(&what, &found, &output_and_gradients(&x, &affine, burns).await, 2e-4);

    let [weight, bias] = affine;
    let found = ops::batch_norm::train(x.clone(), weight.clone(), bias.clone(), settings).unwrap();
    let expected = module::batch_norm_train(x, weight, bias, EPS.into());
    assert_close(&format!("{what}: mean"), &read(found.mean).await, &read(expected.mean).await, 1e-5);
    assert_close(&format!("{what}: variance"), &read(found.variance).await, &read(expected.variance).await, 1e-5);
}

pub async fn batch_norm_infer_is_burns(device: &Device) {
    for relu in [false, true] {
        check_batch_norm_infer([1, 3], relu, device).await;
        check_batch_norm_infer([33, 65], relu, device).await;
        for shape in [[1, 2, 1, 1], [2, 3, 17, 9], [9, 5, 2, 3], [4, 17, 8, 4]] {
            check_batch_norm_infer(shape, relu, device).await;
        }
    }
}

async fn check_batch_norm_infer<const D: usize>(shape: [usize; D], rectified: bool, device: &Device) {
    let device = &device.clone().autodiff();
    let channels = shape[1];
    let x = tensor(&noise(shape.iter().product(), 1), shape, device);
    let [weight, bias, mean, variance] = affine(channels).map(|row| tensor(&row, [channels], device));
    let settings = batch_norm::Settings { eps: EPS, relu: rectified };
    let ours = |x: Tensor<D>, rest: Vec<Tensor<1>>| {
        let given = [rest[0].clone(), rest[1].clone(), mean.clone(), variance.clone()];
        ops::batch_norm::infer(x, given, settings).unwrap()
    };
    let burns = |x: Tensor<D>, rest: Vec<Tensor<1>>| {
        let (mean, variance) = (mean.clone(), variance.clone());
        let out = module::batch_norm(x, rest[0].clone(), rest[1].clone(), mean, variance, EPS.into());
        if rectified { relu(out) } else { out }
    };
    let affine = [weight, bias];
    let found = output_and_gradients(&x, &affine, ours).await;
    let expected = output_and_gradients(&x, &affine, burns).await;
    assert_all_close(&format!("batch norm {shape:?}, relu {rectified}"), &found, &expected, 1e-4);
}

/// It works in place where it may: not on what is read again, nor on a part of something larger.
pub async fn batch_norm_infer_leaves_what_others_hold(device: &Device) {
    let values = noise(4 * 2 * 3 * 5, 1);
    let x = tensor(&values, [4, 2, 3, 5], device);
    let given = || [2, 3, 4, 5].map(|seed| tensor(&positive_noise(2, seed), [2], device));
    let infer = |x| ops::batch_norm::infer(x, given(), batch_norm::Settings { eps: EPS, relu: true }).unwrap();
    let all = read(infer(x.clone())).await;
    assert_eq!(read(x.clone()).await, values);
    let part = read(infer(x.clone().slice(s![1..3]))).await;
    assert_close("a part of a batch", &part, &all[30..90], 1e-6);
    let alone = read(infer(x.clone().slice(s![3..4]) * 1.0)).await;
    assert_close("an image alone", &alone, &all[90..], 1e-6);
    assert_eq!(read(x).await, values);
}

pub async fn pools_are_burns(device: &Device) {
    let device = &device.clone().autodiff();
    for (kernel, stride, padding, ceil) in [(3, 2, 1, false), (3, 2, 0, true), (2, 2, 0, false), (3, 1, 1, false)] {
        for shape in [[1, 1, 3, 3], [2, 3, 17, 9], [9, 5, 6, 16]] {
            let pool = Pool {
                kernel: [kernel; 2],
                stride: [stride; 2],
                padding: Padding::all(padding),
                ceil,
                count_padding: true,
            };
            let what = format!("{pool:?} of {shape:?}");
            let x = tensor(&noise(shape.iter().product(), 1), shape, device);
            let none: [Tensor<1>; 0] = [];
            let found = output_and_gradients(&x, &none, |x, _| ops::pool::max_pool(x, pool).unwrap()).await;
            let options = MaxPoolOptions::new(pool.kernel).with_stride(pool.stride).with_padding([padding; 2]);
            let options = options.with_ceil_mode(ceil);
            let burns = output_and_gradients(&x, &none, |x, _| module::max_pool2d(x, options.clone())).await;
            assert_all_close(&format!("max, {what}"), &found, &burns, 1e-6);

            let found = output_and_gradients(&x, &none, |x, _| ops::pool::average_pool(x, pool).unwrap()).await;
            let options = AvgPoolOptions::new(pool.kernel).with_stride(pool.stride).with_padding([padding; 2]);
            let options = options.with_ceil_mode(ceil);
            let burns = output_and_gradients(&x, &none, |x, _| module::avg_pool2d(x, options.clone())).await;
            assert_all_close(&format!("average, {what}"), &found, &burns, 1e-6);
        }
    }
}

pub async fn scale_channels_is_a_product(device: &Device) {
    let device = &device.clone().autodiff();
    for [n, c, h, w] in [[1, 1, 1, 1], [2, 3, 17, 9], [33, 65, 2, 3]] {
        let x = tensor(&noise(n * c * h * w, 1), [n, c, h, w], device);
        let factor = [tensor(&noise(n * c, 2), [n, c], device)];
        let ours = |x, rest: Vec<Tensor<2>>| ops::scale_channels::scale_channels(x, rest[0].clone()).unwrap();
        let found = output_and_gradients(&x, &factor, ours).await;
        let product = |x: Tensor<4>, rest: Vec<Tensor<2>>| x * rest[0].clone().reshape([n, c, 1, 1]);
        let expected = output_and_gradients(&x, &factor, product).await;
        assert_all_close(&format!("scale_channels {:?}", [n, c, h, w]), &found, &expected, 1e-5);
    }
}

pub async fn preprocess_is_pillow_to_the_bit(device: &Device) {
    for case in resize_cases() {
        let tensor = ops::preprocess::preprocess(case.image(), &case.plan(), device).unwrap();
        let [_, _, height, width] = tensor.dims();
        assert_eq!(tensor.dims(), [1, 3, case.to_height, case.to_width]);
        let bytes: Vec<u8> = read(tensor).await.into_iter().map(|value| value as u8).collect();
        assert_eq!(bytes.len(), 3 * height * width);
        case.assert_matches(&bytes);
    }
}

pub async fn preprocess_scales_in_the_networks_order(device: &Device) {
    for case in resize_cases() {
        let mut plan = case.plan();
        plan.order = preprocess::Order::Bgr;
        (plan.scale, plan.bias) = ([0.0171, 0.0175, 0.0174], [-2.1179, -2.0357, -1.8044]);
        let (columns, rows) = plan.axes(case.image());
        let expected = preprocess::twin(&plan, case.image(), &columns, &rows);
        let found = read(ops::preprocess::preprocess(case.image(), &plan, device).unwrap()).await;
        assert_close(&case.to_string(), &found, &expected, 1e-6);
    }
}

/// More workgroups than one dimension holds.
pub async fn many_workgroups_reach_every_element(device: &Device) {
    check_pool_bn_infer([33, 2048, 1, 1], device).await;
    check_pool_bn_train([2, 65_537, 1, 1], device).await;
    check_pool_bn_gradients([3, 65_537, 1, 1], false, device).await;
    check_gem_pool([33, 2048, 1, 1], 3.0, device).await;
    check_gem_pool_gradients([33, 2048, 1, 1], 3.0, device).await;

    let g = 16 * 65_536 + 1;
    let sizes = kernels::distance::Sizes { a_rows: 1, b_rows: g, width: 2 };
    let (a, b) = (noise(2, 1), noise(2 * g, 2));
    let expected = kernels::distance::twin(sizes, Metric::SquaredEuclidean, &a, &b);
    let (a, b) = (tensor(&a, [1, 2], device), tensor(&b, [g, 2], device));
    let found = read(ops::distance::distance(a, b, Metric::SquaredEuclidean).unwrap()).await;
    assert_close("distance to a million", &found, &expected, 1e-5);

    let mut plan = resize_cases()[0].plan();
    plan.frame = preprocess::Frame::bilinear(2049, 2048);
    let image = preprocess::Rgba::new(1, 1, &[10, 20, 30, 255]).unwrap();
    let found = read(ops::preprocess::preprocess(image, &plan, device).unwrap()).await;
    for (plane, expected) in found.chunks_exact(2049 * 2048).zip([10.0, 20.0, 30.0]) {
        assert!(plane.iter().all(|&value| value == expected));
    }
}
