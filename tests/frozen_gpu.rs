//! The frozen form on WebGPU gives what it gives on the CPU, kernel by kernel and as whole networks, in the launches and
//! the memory that are planned.

#![cfg(all(feature = "webgpu", not(target_arch = "wasm32")))]

mod common;
#[path = "common/reference.rs"]
mod reference;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use common::{relative_error, shared};
use webreid::graph::frozen::{CpuRunner, Frozen, GpuDevice, GpuError, GpuRunner, Step};
use webreid::model::{BackboneConfig, Bottleneck, Ibn, Pooling, ReIdentifierConfig, ResnetConfig, preset};
use webreid::step::{
    Activation, Affine, Attention, Combine, Convolution, Gate, GeluForm, Map, Operation, Padding, Part, Pool, Reduce,
    ResizeFilter, ResizeRule, Weighting,
};
use webreid::weights::{Checkpoint, Precision, Recognised, Tensor, read_openvino, recognise};

/// Of the largest value.
const TOLERANCE: f32 = 1e-5;
/// The same in f16, whose numbers have 11 bits: for a kernel, and for a network.
const HALF_TOLERANCE: f32 = 4e-3;
const HALF_NETWORK: f32 = 1e-2;

type Tensors = BTreeMap<String, Tensor>;

fn gpu(precision: Precision) -> &'static GpuDevice {
    static SINGLE: OnceLock<GpuDevice> = OnceLock::new();
    static HALF: OnceLock<GpuDevice> = OnceLock::new();
    let device = if precision == Precision::F16 { &HALF } else { &SINGLE };
    let open = || pollster::block_on(GpuDevice::open_in(Some(precision))).expect("a Vulkan driver; lavapipe will do");
    device.get_or_init(open)
}

fn runner(frozen: &Frozen) -> GpuRunner {
    pollster::block_on(GpuRunner::new(gpu(Precision::F32), frozen)).unwrap()
}

fn half_runner(frozen: &Frozen) -> GpuRunner {
    pollster::block_on(GpuRunner::new(&gpu(Precision::F16).as_hardware(), frozen)).unwrap()
}

/// With the tiles and kernels of hardware where [`runner`] may have those of software.
fn hardware_runner(frozen: &Frozen) -> GpuRunner {
    pollster::block_on(GpuRunner::new(&gpu(Precision::F32).as_hardware(), frozen)).unwrap()
}

/// Seeded noise, −1…1.
fn noise(count: usize, seed: usize) -> Vec<f32> {
    let mut state = (seed as u32).wrapping_mul(0x9e37_79b9) | 1;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

fn positive_noise(count: usize, seed: usize) -> Vec<f32> {
    noise(count, seed).into_iter().map(|value| 0.5 + value.abs()).collect()
}

/// All runners on noise: f32 for some batches, which grow and shrink, and hardware's kernels and f16 for the first.
fn check_with(
    title: &str,
    frozen: &Frozen,
    batches: &[usize],
    images: impl Fn(usize) -> Vec<f32>,
    [single, half]: [f32; 2],
) {
    let (cpu, gpu, half_gpu) = (CpuRunner::new(frozen), runner(frozen), half_runner(frozen));
    let size = frozen.input().area() * frozen.input().channels;
    for (number, &batch) in batches.iter().enumerate() {
        let images = images(batch * size);
        let expected = cpu.run(&images);
        let compare = |kind: &str, gpu: &GpuRunner, tolerance: f32| {
            let found = pollster::block_on(gpu.run(&images, batch)).unwrap();
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                let error = relative_error(found, expected);
                assert!(error <= tolerance, "{title}, batch {batch}, {kind}: {error:e} of the largest value");
            }
        };
        compare("f32", &gpu, single);
        if number == 0 {
            compare("f32 as hardware", &hardware_runner(frozen), single);
            compare("f16", &half_gpu, half);
        }
    }
}

/// Also against plain loops.
fn check(title: &str, frozen: &Frozen) {
    check_within(title, frozen, [TOLERANCE, HALF_TOLERANCE]);
}

fn check_within(title: &str, frozen: &Frozen, tolerances: [f32; 2]) {
    check_plain(title, frozen, tolerances[0]);
    check_with(title, frozen, &[2, 5, 1], |count| noise(count, 7), tolerances);
}

fn check_plain(title: &str, frozen: &Frozen, tolerance: f32) {
    let images = noise(2 * frozen.input().area() * frozen.input().channels, 7);
    for (found, expected) in CpuRunner::new(frozen).run(&images).iter().zip(reference::run(frozen, &images)) {
        let expected: Vec<f32> = expected.into_iter().map(|value| value as f32).collect();
        let error = relative_error(found, &expected);
        assert!(error <= tolerance, "{title}, plain loops: {error:e} of the largest value");
    }
}

/// A network of steps on the image, each of which makes the next value.
fn network(input: Map, steps: Vec<(Operation, Vec<usize>, Map)>) -> Frozen {
    let mut frozen = Frozen { steps: Vec::new(), values: vec![input], outputs: vec![steps.len()] };
    for (operation, inputs, map) in steps {
        frozen.values.push(map);
        frozen.steps.push(Step { operation, inputs, output: frozen.values.len() - 1 });
    }
    frozen
}

const CHANNELS: [usize; 6] = [1, 3, 5, 24, 60, 112];
const MAPS: [[usize; 2]; 3] = [[1, 1], [7, 5], [13, 9]];

fn map([height, width]: [usize; 2], channels: usize) -> Map {
    Map { height, width, channels }
}

/// Every size of channels and maps.
fn maps() -> impl Iterator<Item = Map> {
    CHANNELS.into_iter().flat_map(|channels| MAPS.map(|size| map(size, channels)))
}

/// Those that kernels do in their loops or by channel.
fn activations(channels: usize) -> [Activation; 4] {
    [Activation::Relu, Activation::None, Activation::Sigmoid, Activation::PRelu(noise(channels, 5))]
}

/// All others, but the exponential function, whose values know no bounds.
fn more_activations() -> [Activation; 13] {
    [
        Activation::LeakyRelu(0.01),
        Activation::LeakyRelu(0.3),
        Activation::Elu(1.5),
        Activation::Silu,
        Activation::Gelu(GeluForm::Exact),
        Activation::Gelu(GeluForm::Tanh),
        Activation::Gelu(GeluForm::Quick),
        Activation::HardSigmoid { slope: 0.2, offset: 0.5 },
        Activation::HardSwish,
        Activation::Clip { min: -0.25, max: 6.0 },
        Activation::Tanh,
        Activation::Mish,
        Activation::Softplus,
    ]
}

/// One of the first four, by a number, and now and then one of the others.
fn activation(channels: usize, number: usize) -> Activation {
    if number % 5 == 4 { more_activations()[number % 13].clone() } else { activations(channels)[number % 4].clone() }
}

fn affine(channels: usize) -> Affine {
    Affine { scale: noise(channels, 11), shift: noise(channels, 12) }
}

/// Kernel, stride and padding.
type Window = [[usize; 2]; 3];

fn after(from: Map, channels: usize, [kernel, stride, padding]: Window) -> Option<Map> {
    let along = |size: usize, i: usize| Some((size + 2 * padding[i]).checked_sub(kernel[i])? / stride[i] + 1);
    Some(Map { height: along(from.height, 0)?, width: along(from.width, 1)?, channels })
}

fn convolution(length: usize, outputs: usize, [kernel, stride, padding]: Window, number: usize) -> Convolution {
    let count = kernel[0] * kernel[1] * length * outputs;
    Convolution {
        kernel,
        stride,
        padding: padding.into(),
        dilation: [1; 2],
        groups: 1,
        weight: noise(count, 1),
        bias: noise(outputs, 2),
        activation: activation(outputs, number),
    }
}

const WINDOWS: [Window; 6] = [
    [[1, 1], [1, 1], [0, 0]],
    [[1, 1], [2, 2], [0, 0]],
    [[3, 3], [1, 1], [1, 1]],
    [[3, 3], [2, 2], [1, 1]],
    [[7, 7], [2, 2], [3, 3]],
    [[3, 2], [2, 1], [0, 1]],
];

#[test]
fn convolution_is_its_twin() {
    let mut number = 0;
    for (from, window) in maps().flat_map(|map| WINDOWS.map(|window| (map, window))) {
        number += 1;
        let outputs = CHANNELS[(number * 5) % CHANNELS.len()];
        let Some(to) = after(from, outputs, window) else { continue };
        let c = convolution(from.channels, outputs, window, number);
        let title = format!("convolution {from:?} to {to:?} by {window:?}");
        check(&title, &network(from, vec![(Operation::Convolution(c.clone()), vec![0], to)]));
        // With a residual that is made as another value.
        let other = Convolution { weight: noise(c.weight.len(), 3), ..c.clone() };
        let steps = vec![(Operation::Convolution(other), vec![0], to), (Operation::Convolution(c), vec![0, 1], to)];
        check(&format!("{title} with a residual"), &network(from, steps));
    }
}

/// What no network of ours has: sides padded each by itself, dilation, groups.
#[test]
fn convolution_of_any_kind_is_its_twin() {
    let sides = [
        Padding::NONE,
        Padding { top: 0, left: 1, bottom: 2, right: 1 },
        Padding { top: 3, left: 0, bottom: 0, right: 2 },
    ];
    let groups =
        [(1, 5, 6), (2, 6, 4), (3, 3, 9), (4, 4, 4), (4, 16, 32), (5, 15, 5), (2, 32, 2), (7, 7, 14), (3, 12, 36)];
    let mut number = 0;
    for ((groups, channels, outputs), padding) in groups.into_iter().flat_map(|g| sides.map(|padding| (g, padding))) {
        for (kernel, stride, dilation) in
            [([3, 3], [1, 1], [1, 1]), ([3, 2], [2, 1], [2, 3]), ([1, 1], [2, 2], [1, 1]), ([2, 3], [1, 2], [1, 2])]
        {
            number += 1;
            let from = map([11, 9], channels);
            let along = |i: usize, size: usize| {
                (size + padding.along(i).iter().sum::<usize>() - (kernel[i] - 1) * dilation[i] - 1) / stride[i] + 1
            };
            let to = map([along(0, from.height), along(1, from.width)], outputs);
            let square = [kernel, stride, [0; 2]];
            let c = convolution(channels / groups, outputs, square, number);
            let c = Convolution { padding, dilation, groups, ..c };
            let title = format!("{c:?} of {from:?}");
            check(&title, &network(from, vec![(Operation::Convolution(c.clone()), vec![0], to)]));
            let other = Convolution { weight: noise(c.weight.len(), 3), ..c.clone() };
            let steps = vec![(Operation::Convolution(other), vec![0], to), (Operation::Convolution(c), vec![0, 1], to)];
            check(&format!("{title} with a residual"), &network(from, steps));

            let c = Convolution { padding, dilation, groups: channels, ..convolution(1, channels, square, number) };
            let to = Map { channels, ..to };
            check(&format!("depthwise {c:?}"), &network(from, vec![(Operation::Depthwise(c), vec![0], to)]));
        }
    }
}

/// Over a wide range, where some of them would overflow on their way.
#[test]
fn activations_are_their_twins() {
    let from = map([7, 5], 7);
    for activation in more_activations().into_iter().chain(activations(7)).chain([Activation::Exp]) {
        for spread in if activation == Activation::Exp { [1.0, 4.0] } else { [4.0, 300.0] } {
            let affine = Some(Affine { scale: vec![spread; 7], shift: vec![0.1; 7] });
            let steps = vec![(
                Operation::Elementwise { combine: Combine::One, affine, activation: activation.clone() },
                vec![0],
                from,
            )];
            let frozen = network(from, steps);
            check(&format!("{activation:?} over {spread}"), &frozen);
        }
        // A NaN stays one, and concerns no other.
        let steps = vec![(Operation::Elementwise { combine: Combine::One, affine: None, activation }, vec![0], from)];
        let frozen = network(from, steps);
        let mut images = vec![0.5; 7 * 35];
        images[3] = f32::NAN;
        let found = CpuRunner::new(&frozen).run(&images).remove(0);
        assert_eq!(found.iter().filter(|value| value.is_nan()).count(), 1, "{:?}", frozen.steps[0].operation);
    }
}

#[test]
fn convolution_of_large_maps_is_its_twin() {
    for (channels, outputs, window) in
        [(3, 16, WINDOWS[4]), (24, 33, WINDOWS[0]), (20, 64, WINDOWS[2]), (16, 7, WINDOWS[3])]
    {
        let from = map([64, 33], channels);
        let c = convolution(channels, outputs, window, 0);
        let to = after(from, outputs, window).unwrap();
        check(&format!("{from:?} to {to:?}"), &network(from, vec![(Operation::Convolution(c), vec![0], to)]));
    }
}

#[test]
fn depthwise_is_its_twin() {
    let mut number = 0;
    for (from, window) in maps().flat_map(|map| WINDOWS.map(|window| (map, window))) {
        number += 1;
        let Some(to) = after(from, from.channels, window) else { continue };
        let c = convolution(1, from.channels, window, number);
        let title = format!("depthwise {from:?} to {to:?} by {window:?}");
        check(&title, &network(from, vec![(Operation::Depthwise(c), vec![0], to)]));
    }
}

/// In one launch, as the counter shows.
#[test]
fn lite_is_its_twin() {
    let sizes = [[1, 1], [7, 5], [13, 9], [64, 32], [16, 8], [70, 41], [3, 300]];
    for (number, from) in [3, 8, 20, 24].into_iter().flat_map(|c| sizes.map(|size| map(size, c))).enumerate() {
        let outputs = [8, 12, 24, 5][number % 4];
        let to = Map { channels: outputs, ..from };
        let pointwise = convolution(from.channels, outputs, WINDOWS[0], 1);
        let depthwise = convolution(1, outputs, WINDOWS[2], number);
        let steps =
            vec![(Operation::Convolution(pointwise), vec![0], to), (Operation::Depthwise(depthwise), vec![1], to)];
        let frozen = network(from, steps);
        check(&format!("lite {from:?} to {to:?}"), &frozen);
        let runner = runner(&frozen);
        pollster::block_on(runner.run(&noise(from.area() * from.channels, 1), 1)).unwrap();
        assert_eq!(runner.counters().dispatches, 2, "the input and the layer");
    }
}

#[test]
fn gate_is_its_twin() {
    for (number, from) in maps().enumerate() {
        let channels = from.channels;
        let hidden = [1, 2, 7, 70][number % 4];
        let gate = Gate {
            fc1: noise(hidden * channels, 1),
            bias1: noise(hidden, 2),
            fc2: noise(channels * hidden, 3),
            bias2: noise(channels, 4),
        };
        for streams in 1..=6 {
            let stream = |i: usize| {
                let affine = Affine { scale: noise(channels, i), shift: noise(channels, 20 + i) };
                let activation = Activation::None;
                (Operation::Elementwise { combine: Combine::One, affine: Some(affine), activation }, vec![0], from)
            };
            let mut steps: Vec<_> = (0..streams).map(stream).collect();
            steps.push((Operation::Gate(gate.clone()), (1..=streams).collect(), from));
            check(&format!("gate of {streams} {from:?}, {hidden} hidden"), &network(from, steps));
        }
    }
}

#[test]
fn pools_are_their_twins() {
    let windows = [
        ([3, 3], [2, 2], [1, 1].into(), false, true),
        ([3, 3], [2, 2], Padding::NONE, true, true),
        ([2, 2], [2, 2], [1, 1].into(), true, false),
        ([2, 3], [1, 2], [0, 1].into(), false, true),
        ([1, 1], [1, 1], Padding::NONE, false, true),
        ([3, 3], [2, 2], Padding { top: 0, left: 1, bottom: 1, right: 0 }, false, true),
        ([4, 3], [2, 2], Padding { top: 2, left: 0, bottom: 0, right: 1 }, true, false),
    ];
    for (from, (kernel, stride, padding, ceil, count_padding)) in
        maps().flat_map(|map| windows.map(|window| (map, window)))
    {
        let window = Pool { kernel, stride, padding, ceil, count_padding };
        let Some([height, width]) = window.output([from.height, from.width]) else { continue };
        let to = Map { height, width, ..from };
        for maximum in [true, false] {
            let steps = vec![(Operation::Pool { maximum, window }, vec![0], to)];
            check(&format!("pool {window:?} of {from:?}, maximum {maximum}"), &network(from, steps));
        }
    }
}

#[test]
fn global_pool_is_its_twin() {
    for (number, from) in maps().enumerate() {
        let to = map([1, 1], from.channels);
        let gem = |exponent| Reduce::Generalised { exponent, eps: 1e-6 };
        for reduce in [Reduce::Mean, Reduce::Maximum, gem(3.0), gem(6.5)] {
            for affine in [None, Some(affine(from.channels))] {
                let activation = activation(from.channels, number);
                let steps = vec![(Operation::GlobalPool { reduce, affine, activation }, vec![0], to)];
                check(&format!("pool of {from:?} by {reduce:?}"), &network(from, steps));
            }
        }
    }
}

#[test]
fn group_norm_is_its_twin() {
    for (number, from) in maps().enumerate() {
        let channels = from.channels;
        for groups in (1..=channels).filter(|groups| channels % groups == 0) {
            if from.area() * channels / groups < 4 {
                // Of one value the variance is 0, and of two it may be nearly so: that is about rounding.
                continue;
            }
            let (affine, activation) = (affine(channels), activation(channels, number + groups));
            let steps = vec![(Operation::GroupNorm { groups, eps: 1e-5, affine, activation }, vec![0], from)];
            let title = format!("norm of {from:?} in {groups}");
            check_within(&title, &network(from, steps), [2.0 * TOLERANCE, HALF_TOLERANCE]);
        }
    }
}

#[test]
fn elementwise_is_its_twin() {
    for (number, from) in maps().enumerate() {
        let channels = from.channels;
        let pixel = map([1, 1], channels);
        let pool = Operation::GlobalPool { reduce: Reduce::Mean, affine: None, activation: Activation::None };
        let scaled = Operation::Elementwise {
            combine: Combine::One,
            affine: Some(affine(channels)),
            activation: Activation::Sigmoid,
        };
        let one = Operation::ChannelPool { maximum: number % 2 == 0 };
        for combine in
            [Combine::One, Combine::Add, Combine::Subtract, Combine::Multiply, Combine::Scale, Combine::Place]
        {
            for affine in [None, Some(affine(channels))] {
                let second = match combine {
                    Combine::Scale => 2,
                    Combine::Place => 3,
                    _ => 1,
                };
                let inputs = if combine == Combine::One { vec![0] } else { vec![0, second] };
                let operation = Operation::Elementwise { combine, affine, activation: activation(channels, number) };
                let steps = vec![
                    (scaled.clone(), vec![0], from),
                    (pool.clone(), vec![0], pixel),
                    (one.clone(), vec![0], Map { channels: 1, ..from }),
                    (operation, inputs, from),
                ];
                check(&format!("{combine:?} of {from:?}"), &network(from, steps));
            }
        }
    }
}

#[test]
fn slices_and_concatenations_are_their_twins() {
    for size in MAPS {
        for (first, second, third) in [(1, 3, 5), (4, 8, 4), (3, 24, 2), (5, 1, 60)] {
            let all = first + second + third;
            let from = map(size, all);
            let slice = |start, channels| (Operation::Slice { start }, vec![0], map(size, channels));
            let steps = vec![
                slice(0, first),
                slice(first, second),
                slice(first + second, third),
                (Operation::Concatenate, vec![3, 1, 2, 1], map(size, all + first)),
            ];
            check(&format!("{first}, {second} and {third} of {size:?}"), &network(from, steps));
            check("a slice", &network(from, vec![slice(first, second)]));
        }
    }
}

#[test]
fn norms_of_pixels_are_their_twins() {
    for (number, from) in maps().enumerate() {
        let channels = from.channels;
        let unit = vec![(Operation::UnitLength { eps: 1e-6 }, vec![0], from)];
        check(&format!("unit length of {from:?}"), &network(from, unit));
        // Shorter than the smallest length.
        let unit = vec![(Operation::UnitLength { eps: 100.0 }, vec![0], from)];
        check(&format!("a small unit length of {from:?}"), &network(from, unit));
        for eps in [1e-5, 0.1] {
            if channels < 3 && eps < 0.1 {
                // Of one value the variance is 0, and of two it may be nearly so: that is about rounding.
                continue;
            }
            let (affine, activation) = (affine(channels), activation(channels, number));
            let steps = vec![(Operation::LayerNorm { eps, affine, activation }, vec![0], from)];
            check_within(
                &format!("layer norm of {from:?}"),
                &network(from, steps),
                [3.0 * TOLERANCE, 2.0 * HALF_TOLERANCE],
            );
        }
    }
}

#[test]
fn channel_pools_and_transposes_are_their_twins() {
    for from in maps() {
        let one = Map { channels: 1, ..from };
        for maximum in [true, false] {
            check(&format!("of {from:?}"), &network(from, vec![(Operation::ChannelPool { maximum }, vec![0], one)]));
        }
        let to = map([from.channels, 1], from.area());
        check(&format!("{from:?} turned"), &network(from, vec![(Operation::Transpose, vec![0], to)]));
    }
}

#[test]
fn constants_are_their_twins() {
    for from in maps() {
        for combine in [Combine::Add, Combine::Multiply] {
            let values = noise(from.area() * from.channels, 3);
            let steps = vec![(Operation::Constant { combine, values }, vec![0], from)];
            check(&format!("a constant to {combine:?} to {from:?}"), &network(from, steps));
        }
    }
}

#[test]
fn moved_pixels_and_channels_are_their_twins() {
    for from in maps() {
        let (area, channels) = (from.area() as u32, from.channels as u32);
        let places: Vec<u32> = (0..2 * area + 1).map(|i| (i * 7 + 3) % area).collect();
        let to = map([places.len(), 1], from.channels);
        check(&format!("pixels of {from:?}"), &network(from, vec![(Operation::Gather { places }, vec![0], to)]));
        let list: Vec<u32> = (0..channels + 2).map(|i| (i * 5 + 1) % channels).collect();
        let to = Map { channels: list.len(), ..from };
        let steps = vec![(Operation::GatherChannels { channels: list }, vec![0], to)];
        check(&format!("channels of {from:?}"), &network(from, steps));
        let constant = |places: usize| Part::Constant(noise(places * from.channels, places));
        let parts = vec![constant(1), Part::Input, constant(3), Part::Input];
        let to = map([2 * from.area() + 4, 1], from.channels);
        check(&format!("{from:?} joined"), &network(from, vec![(Operation::JoinPlaces { parts }, vec![0, 0], to)]));
    }
}

#[test]
fn resized_maps_are_their_twins() {
    for (from, size) in maps().flat_map(|from| [[1, 1], [14, 10], [5, 17], [26, 3]].map(|size| (from, size))) {
        for rule in [ResizeRule::HalfPixel, ResizeRule::AlignCorners, ResizeRule::Asymmetric] {
            for filter in [ResizeFilter::Nearest, ResizeFilter::Bilinear] {
                let steps = vec![(Operation::Resize { filter, rule }, vec![0], map(size, from.channels))];
                check(&format!("{from:?} to {size:?}, {filter:?}, {rule:?}"), &network(from, steps));
            }
        }
    }
}

#[test]
fn attention_is_its_twin() {
    // Windows, places of each, heads, channels of a head.
    let cases = [
        (1, 1, 1, 4),
        (1, 7, 2, 3),
        (1, 129, 2, 8),
        (3, 5, 1, 7),
        (4, 16, 3, 6),
        (2, 49, 2, 32),
        (1, 35, 1, 70),
        (1, 33, 1, 300),
        (2, 37, 2, 64),
    ];
    for (number, (windows, places, heads, size)) in cases.into_iter().enumerate() {
        let channels = heads * size;
        for (tables, weighting) in [
            (0, Weighting::Softmax),
            (heads, Weighting::Softmax),
            (windows * heads, Weighting::Softmax),
            (heads, Weighting::Mean),
            (0, Weighting::Mean),
        ] {
            let bias = noise(tables * places * places, 9).into_iter();
            // Now and then a key is hidden.
            let bias: Vec<f32> = bias.map(|bias| if bias > 0.9 { -1e9 } else { bias }).collect();
            let bias = (tables > 0).then(|| match weighting {
                Weighting::Softmax => bias,
                Weighting::Mean => noise(tables * places * places, 9),
            });
            let scale = 3.0 / (size as f32).sqrt();
            let of = |starts| Attention { heads, windows, scale, weighting, bias: bias.clone(), starts };
            // One value three times, and three.
            let from = map([windows * places, 1], 3 * channels + 2);
            let to = map([windows * places, 1], channels);
            let title = format!("attention in {windows} of {places}, {heads} heads of {size}, {tables} {weighting:?}");
            let steps = vec![(Operation::Attention(of([1, channels + 1, 2 * channels + 1])), vec![0; 3], to)];
            check_within(&title, &network(from, steps), [3.0 * TOLERANCE, HALF_NETWORK]);
            if number % 2 == 0 {
                let slice = |start| (Operation::Slice { start }, vec![0], to);
                let steps =
                    vec![slice(0), slice(channels), slice(2), (Operation::Attention(of([0; 3])), vec![1, 3, 2], to)];
                check_within(&title, &network(from, steps), [3.0 * TOLERANCE, HALF_NETWORK]);
            }
        }
    }
}

fn read(path: impl AsRef<std::path::Path>) -> Checkpoint {
    Checkpoint::read(&std::fs::read(path).unwrap()).unwrap()
}

fn fixture(name: &str) -> Checkpoint {
    read(format!("{}/tests/fixtures/{name}.safetensors", env!("CARGO_MANIFEST_DIR")))
}

fn freeze(config: &ReIdentifierConfig, tensors: &Tensors, height: usize, width: usize) -> Frozen {
    let graph = config.graph().unwrap();
    Frozen::new(&graph, &[graph.feature, graph.embedding], tensors, height, width).unwrap()
}

/// A network with noise for its weights, as large as what they multiply wants them.
fn noisy(config: &ReIdentifierConfig, height: usize, width: usize) -> Frozen {
    let graph = config.graph().unwrap();
    let mut seed = 0;
    let tensor = |p: webreid::graph::Parameter| {
        seed += 1;
        let count: usize = p.shape.iter().product();
        let values = match p.shape[..] {
            [_] if p.name.ends_with("bias") || p.name.ends_with("mean") => noise(count, seed),
            [1] => vec![3.0],
            [_] => positive_noise(count, seed),
            [outputs, ..] => {
                let scale = (3.0 * outputs as f32 / count as f32).sqrt();
                noise(count, seed).into_iter().map(|value| value * scale).collect()
            }
            [] => vec![1.0],
        };
        (p.name, Tensor { shape: p.shape, values })
    };
    let tensors = graph.parameters().into_iter().map(tensor).collect();
    Frozen::new(&graph, &[graph.feature, graph.embedding], &tensors, height, width).unwrap()
}

#[test]
fn networks_are_the_cpus() {
    let tiny = |backbone: ResnetConfig| BackboneConfig::Resnet(ResnetConfig { width: 4, ..backbone });
    let mut ibn_a = ReIdentifierConfig::new(tiny(ResnetConfig::ibn(18, Ibn::A)), 7);
    ibn_a.bottleneck = Some(Bottleneck::linear(16, true));
    let mut ibn_b = ReIdentifierConfig::new(tiny(ResnetConfig::ibn(18, Ibn::B)), 7);
    ibn_b.pooling = Pooling::Gem;
    let resnet = ReIdentifierConfig::new(tiny(ResnetConfig::reid(50)), 7);
    let cases = [
        ("resnet50", "reidentifier_resnet50", resnet),
        ("ibn a", "reidentifier_ibn_a", ibn_a),
        ("ibn b", "reidentifier_ibn_b", ibn_b),
    ];
    for (title, name, config) in cases {
        let fixture = fixture(name).tensors;
        let weights = fixture.iter().filter_map(|(n, t)| Some((n.strip_prefix("weights/")?.to_owned(), t.clone())));
        let [_, _, height, width] = fixture["input"].shape[..] else { panic!("images") };
        check_network(title, &freeze(&config, &weights.collect(), height, width));
    }
    let tiny = recognise(fixture("tiny_osnet")).unwrap();
    check_network("tiny osnet", &freeze(&tiny.config, &tiny.tensors, 64, 32));
    check_network("osnet x0.25", &noisy(&preset("osnet_x0_25", 0).unwrap(), 128, 64));
    check_network("resnet50", &noisy(&preset("reid_resnet50", 0).unwrap(), 64, 32));
}

fn check_network(title: &str, frozen: &Frozen) {
    check_with(title, frozen, &[1, 3], |count| noise(count, 7), [TOLERANCE, HALF_NETWORK]);
}

#[test]
#[ignore = "needs ../shared"]
fn published_weights_give_the_reference_features() {
    let shared = shared();
    let weights = shared.join("weights");
    let reference = read(weights.join("reference_features.safetensors")).tensors;
    let run = |runner: &GpuRunner, input: &Tensor| {
        pollster::block_on(runner.run(&input.values, input.shape[0])).unwrap().remove(1)
    };
    for name in ["osnet_x0_25_market1501.pth", "osnet_x0_25_msmt17_combineall.safetensors"] {
        let Recognised { config, tensors, .. } = recognise(read(weights.join(name))).unwrap();
        let stem = name.split('.').next().unwrap();
        let frozen = freeze(&config, &tensors, 256, 128);
        let runners = [(runner(&frozen), 2.0 * TOLERANCE), (half_runner(&frozen), HALF_NETWORK)];
        let errors = runners.map(|(runner, tolerance)| {
            let error = relative_error(&run(&runner, &reference["input"]), &reference[stem].values);
            assert!(error <= tolerance, "{name}: {error:e}");
            error
        });
        println!("{name}: {:.1e} of the largest value in f32, {:.1e} in f16", errors[0], errors[1]);
    }
    for number in ["0287", "0288"] {
        let name = format!("person-reidentification-retail-{number}");
        let file = |extension: &str| std::fs::read(weights.join(&name).join(format!("{name}.{extension}"))).unwrap();
        let Recognised { config, tensors, .. } = read_openvino(&file("xml"), &file("bin")).unwrap();
        let frozen = freeze(&config, &tensors, 256, 128);
        check_with(&name, &frozen, &[2], |count| noise(count, 7), [2.0 * TOLERANCE, HALF_NETWORK]);
    }
}

/// Weights, activations and what is read back, as bytes.
#[test]
fn half_takes_half_the_memory() {
    let frozen = noisy(&preset("reid_resnet50", 0).unwrap(), 64, 32);
    let bytes = [runner(&frozen), half_runner(&frozen)].map(|runner| {
        pollster::block_on(runner.run(&noise(3 * 64 * 32, 1), 1)).unwrap();
        runner.counters().bytes as f64
    });
    assert!((0.5..0.51).contains(&(bytes[1] / bytes[0])), "{bytes:?}");
}

#[test]
fn launches_and_pipelines_are_few_and_memory_does_not_grow() {
    for (name, most) in [("osnet_x0_25", 120), ("reid_resnet50", 60)] {
        let frozen = noisy(&preset(name, 0).unwrap(), 256, 128);
        let runner = runner(&frozen);
        let size = 3 * 256 * 128;
        let before = runner.counters();
        pollster::block_on(runner.run(&noise(size, 1), 1)).unwrap();
        let once = runner.counters();
        println!("{name}: {once:?}");
        assert!(once.dispatches <= most, "{name}: {once:?}");
        assert_eq!((once.submits, once.pipelines), (1, before.pipelines), "{name}");
    }
    let frozen = noisy(&preset("osnet_x0_25", 0).unwrap(), 64, 32);
    let runner = runner(&frozen);
    let run = |batch: usize| pollster::block_on(runner.run(&noise(batch * 3 * 64 * 32, 1), batch)).unwrap();
    run(4);
    run(1);
    let first = runner.counters();
    for _ in 0..25 {
        run(1);
        run(4);
    }
    let last = runner.counters();
    assert_eq!((last.bytes, last.pipelines), (first.bytes, first.pipelines));
    assert_eq!(last.submits, first.submits + 50);
}

#[test]
fn what_does_not_fit_is_an_error() {
    let from = map([64, 64], 1);
    let steps = vec![(Operation::Convolution(convolution(1, 2048, WINDOWS[0], 0)), vec![0], map([64, 64], 2048))];
    let runner = runner(&network(from, steps));
    let error = pollster::block_on(runner.run(&[0.0; 47], 1)).unwrap_err();
    assert_eq!(error, GpuError::Images { found: 47, batch: 1, size: 4096 });
    assert_eq!(pollster::block_on(runner.run(&[], 0)), Ok(vec![Vec::new()]));
    let error = pollster::block_on(runner.run(&[0.0; 400 * 4096], 400)).unwrap_err();
    assert!(matches!(error, GpuError::TooLarge { needed, limit } if needed == 400 * 2048 * 4096 * 4 && limit < needed));
    // That has done no harm.
    assert_eq!(pollster::block_on(runner.run(&[0.0; 4096], 1)).unwrap()[0].len(), 2048 * 4096);
}
