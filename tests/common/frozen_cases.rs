//! Small networks of a step or a few in odd sizes, so that every kernel is met in what it has branches for: GPUs have to give for
//! them what the CPU gives.
#![allow(dead_code, reason = "each test uses a part of it")]

use webreid::graph::Parameter;
use webreid::graph::frozen::{Choices, Frozen, Lite, Step};
use webreid::kernels::frozen::{Stored, VEC, conv, lite as lite_kernel};
use webreid::model::ReIdentifierConfig;
use webreid::step::{
    Activation, Affine, Attention, Combine, Convolution, Gate, GeluForm, Map, Operation, Padding, Part, Pool, Reduce,
    ResizeFilter, ResizeRule, Weighting,
};
use webreid::weights::Tensor;

/// A network to hold against the CPU.
#[derive(Clone, Copy)]
pub struct Case<'a> {
    pub title: &'a str,
    pub frozen: &'a Frozen,
    pub choices: Choices,
    /// Of the largest value, in f32 and in f16.
    pub tolerances: [f32; 2],
}

impl<'a> Case<'a> {
    pub fn new(title: &'a str, frozen: &'a Frozen) -> Self {
        Self::within(title, frozen, [TOLERANCE, HALF_TOLERANCE])
    }

    pub fn within(title: &'a str, frozen: &'a Frozen, tolerances: [f32; 2]) -> Self {
        Self { title, frozen, choices: Choices::default(), tolerances }
    }
}

/// What is done with each case.
pub type Found<'a> = &'a mut dyn FnMut(Case);

/// Gives cases to what is done with them.
pub type Cases = fn(Found);

/// All cases, by what they are of.
pub const KINDS: [(&str, Cases); 18] = [
    ("convolution", convolution),
    ("convolution of any kind", convolution_of_any_kind),
    ("convolution of large maps", convolution_of_large_maps),
    ("every choice of a plan", choices),
    ("depthwise convolution", depthwise),
    ("Lite layer", lite),
    ("gate", gate),
    ("activations", activations),
    ("pools", pools),
    ("global pool", global_pool),
    ("group norm", group_norm),
    ("norms of pixels", norms_of_pixels),
    ("elementwise", elementwise),
    ("slices and concatenations", slices_and_concatenations),
    ("channel pools and transposes", channel_pools_and_transposes),
    ("constants and moved pixels", constants_and_moved_pixels),
    ("resize", resized_maps),
    ("attention", attention),
];

/// Of the largest value.
pub const TOLERANCE: f32 = 1e-5;
/// The same in f16, whose numbers have 11 bits: for a kernel, and for a network.
pub const HALF_TOLERANCE: f32 = 4e-3;
pub const HALF_NETWORK: f32 = 1e-2;

/// Seeded noise, −1…1.
pub fn noise(count: usize, seed: usize) -> Vec<f32> {
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

/// A network of steps on the image, each of which makes the next value.
pub fn network(input: Map, steps: Vec<(Operation, Vec<usize>, Map)>) -> Frozen {
    let mut frozen = Frozen { steps: Vec::new(), values: vec![input], outputs: vec![steps.len()] };
    for (operation, inputs, map) in steps {
        frozen.values.push(map);
        frozen.steps.push(Step { operation, inputs, output: frozen.values.len() - 1 });
    }
    frozen
}

const CHANNELS: [usize; 6] = [1, 3, 5, 24, 60, 112];
const MAPS: [[usize; 2]; 3] = [[1, 1], [7, 5], [13, 9]];

pub fn map([height, width]: [usize; 2], channels: usize) -> Map {
    Map { height, width, channels }
}

/// Every size of channels and maps.
fn maps() -> impl Iterator<Item = Map> {
    CHANNELS.into_iter().flat_map(|channels| MAPS.map(|size| map(size, channels)))
}

/// Those that kernels do in their loops or by channel.
pub fn activations_of(channels: usize) -> [Activation; 4] {
    [Activation::Relu, Activation::None, Activation::Sigmoid, Activation::PRelu(noise(channels, 5))]
}

/// All others, but the exponential function, whose values know no bounds.
pub fn more_activations() -> [Activation; 13] {
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
    if number % 5 == 4 { more_activations()[number % 13].clone() } else { activations_of(channels)[number % 4].clone() }
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

pub fn convolution_of(length: usize, outputs: usize, [kernel, stride, padding]: Window, number: usize) -> Convolution {
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

pub const WINDOWS: [Window; 6] = [
    [[1, 1], [1, 1], [0, 0]],
    [[1, 1], [2, 2], [0, 0]],
    [[3, 3], [1, 1], [1, 1]],
    [[3, 3], [2, 2], [1, 1]],
    [[7, 7], [2, 2], [3, 3]],
    [[3, 2], [2, 1], [0, 1]],
];

/// A network with noise for its weights, as large as what they multiply wants them.
pub fn noisy(config: &ReIdentifierConfig, height: usize, width: usize) -> Frozen {
    let graph = config.graph().unwrap();
    let mut seed = 0;
    let tensor = |p: Parameter| {
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

pub fn convolution(found: Found) {
    let mut number = 0;
    for (from, window) in maps().flat_map(|map| WINDOWS.map(|window| (map, window))) {
        number += 1;
        let outputs = CHANNELS[(number * 5) % CHANNELS.len()];
        let Some(to) = after(from, outputs, window) else { continue };
        let c = convolution_of(from.channels, outputs, window, number);
        let title = format!("convolution {from:?} to {to:?} by {window:?}");
        found(Case::new(&title, &network(from, vec![(Operation::Convolution(c.clone()), vec![0], to)])));
        // With a residual that is made as another value.
        let other = Convolution { weight: noise(c.weight.len(), 3), ..c.clone() };
        let steps = vec![(Operation::Convolution(other), vec![0], to), (Operation::Convolution(c), vec![0, 1], to)];
        found(Case::new(&format!("{title} with a residual"), &network(from, steps)));
    }
}

/// What no network of ours has: sides padded each by itself, dilation, groups.
pub fn convolution_of_any_kind(found: Found) {
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
            let c = convolution_of(channels / groups, outputs, square, number);
            let c = Convolution { padding, dilation, groups, ..c };
            let title = format!("{c:?} of {from:?}");
            found(Case::new(&title, &network(from, vec![(Operation::Convolution(c.clone()), vec![0], to)])));
            let other = Convolution { weight: noise(c.weight.len(), 3), ..c.clone() };
            let steps = vec![(Operation::Convolution(other), vec![0], to), (Operation::Convolution(c), vec![0, 1], to)];
            found(Case::new(&format!("{title} with a residual"), &network(from, steps)));

            let c = Convolution { padding, dilation, groups: channels, ..convolution_of(1, channels, square, number) };
            let to = Map { channels, ..to };
            found(Case::new(&format!("depthwise {c:?}"), &network(from, vec![(Operation::Depthwise(c), vec![0], to)])));
        }
    }
}

/// Over a wide range, where some of them would overflow on their way.
pub fn activations(found: Found) {
    let from = map([7, 5], 7);
    for activation in more_activations().into_iter().chain(activations_of(7)).chain([Activation::Exp]) {
        for spread in if activation == Activation::Exp { [1.0, 4.0] } else { [4.0, 300.0] } {
            let affine = Some(Affine { scale: vec![spread; 7], shift: vec![0.1; 7] });
            let steps = vec![(
                Operation::Elementwise { combine: Combine::One, affine, activation: activation.clone() },
                vec![0],
                from,
            )];
            let frozen = network(from, steps);
            found(Case::new(&format!("{activation:?} over {spread}"), &frozen));
        }
    }
}

pub fn convolution_of_large_maps(found: Found) {
    for (channels, outputs, window) in
        [(3, 16, WINDOWS[4]), (24, 33, WINDOWS[0]), (20, 64, WINDOWS[2]), (16, 7, WINDOWS[3])]
    {
        let from = map([64, 33], channels);
        let c = convolution_of(channels, outputs, window, 0);
        let to = after(from, outputs, window).unwrap();
        found(Case::new(
            &format!("{from:?} to {to:?}"),
            &network(from, vec![(Operation::Convolution(c), vec![0], to)]),
        ));
    }
}

pub fn depthwise(found: Found) {
    let mut number = 0;
    for (from, window) in maps().flat_map(|map| WINDOWS.map(|window| (map, window))) {
        number += 1;
        let Some(to) = after(from, from.channels, window) else { continue };
        let c = convolution_of(1, from.channels, window, number);
        let title = format!("depthwise {from:?} to {to:?} by {window:?}");
        found(Case::new(&title, &network(from, vec![(Operation::Depthwise(c), vec![0], to)])));
    }
}

/// In one launch, as the counter shows.
pub fn lite(found: Found) {
    let sizes = [[1, 1], [7, 5], [13, 9], [64, 32], [16, 8], [70, 41], [3, 300]];
    for (number, from) in [3, 8, 20, 24].into_iter().flat_map(|c| sizes.map(|size| map(size, c))).enumerate() {
        let outputs = [8, 12, 24, 5][number % 4];
        let to = Map { channels: outputs, ..from };
        let pointwise = convolution_of(from.channels, outputs, WINDOWS[0], 1);
        let depthwise = convolution_of(1, outputs, WINDOWS[2], number);
        let steps =
            vec![(Operation::Convolution(pointwise), vec![0], to), (Operation::Depthwise(depthwise), vec![1], to)];
        let frozen = network(from, steps);
        found(Case::new(&format!("lite {from:?} to {to:?}"), &frozen));
    }
}

pub fn gate(found: Found) {
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
            found(Case::new(&format!("gate of {streams} {from:?}, {hidden} hidden"), &network(from, steps)));
        }
    }
}

pub fn pools(found: Found) {
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
            found(Case::new(&format!("pool {window:?} of {from:?}, maximum {maximum}"), &network(from, steps)));
        }
    }
}

pub fn global_pool(found: Found) {
    for (number, from) in maps().enumerate() {
        let to = map([1, 1], from.channels);
        let gem = |exponent| Reduce::Generalised { exponent, eps: 1e-6 };
        for reduce in [Reduce::Mean, Reduce::Maximum, gem(3.0), gem(6.5)] {
            for affine in [None, Some(affine(from.channels))] {
                let activation = activation(from.channels, number);
                let steps = vec![(Operation::GlobalPool { reduce, affine, activation }, vec![0], to)];
                found(Case::new(&format!("pool of {from:?} by {reduce:?}"), &network(from, steps)));
            }
        }
    }
}

pub fn group_norm(found: Found) {
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
            found(Case::within(&title, &network(from, steps), [2.0 * TOLERANCE, HALF_TOLERANCE]));
        }
    }
}

pub fn elementwise(found: Found) {
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
                found(Case::new(&format!("{combine:?} of {from:?}"), &network(from, steps)));
            }
        }
    }
}

pub fn slices_and_concatenations(found: Found) {
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
            found(Case::new(&format!("{first}, {second} and {third} of {size:?}"), &network(from, steps)));
            found(Case::new("a slice", &network(from, vec![slice(first, second)])));
        }
    }
}

pub fn norms_of_pixels(found: Found) {
    for (number, from) in maps().enumerate() {
        let channels = from.channels;
        let unit = vec![(Operation::UnitLength { eps: 1e-6 }, vec![0], from)];
        found(Case::new(&format!("unit length of {from:?}"), &network(from, unit)));
        // Shorter than the smallest length.
        let unit = vec![(Operation::UnitLength { eps: 100.0 }, vec![0], from)];
        found(Case::new(&format!("a small unit length of {from:?}"), &network(from, unit)));
        for eps in [1e-5, 0.1] {
            if channels < 3 && eps < 0.1 {
                // Of one value the variance is 0, and of two it may be nearly so: that is about rounding.
                continue;
            }
            let (affine, activation) = (affine(channels), activation(channels, number));
            let steps = vec![(Operation::LayerNorm { eps, affine, activation }, vec![0], from)];
            found(Case::within(
                &format!("layer norm of {from:?}"),
                &network(from, steps),
                [3.0 * TOLERANCE, 2.0 * HALF_TOLERANCE],
            ));
        }
    }
}

pub fn channel_pools_and_transposes(found: Found) {
    for from in maps() {
        let one = Map { channels: 1, ..from };
        for maximum in [true, false] {
            found(Case::new(
                &format!("of {from:?}"),
                &network(from, vec![(Operation::ChannelPool { maximum }, vec![0], one)]),
            ));
        }
        let to = map([from.channels, 1], from.area());
        found(Case::new(&format!("{from:?} turned"), &network(from, vec![(Operation::Transpose, vec![0], to)])));
    }
}

pub fn constants(found: Found) {
    for from in maps() {
        for combine in [Combine::Add, Combine::Multiply] {
            let values = noise(from.area() * from.channels, 3);
            let steps = vec![(Operation::Constant { combine, values }, vec![0], from)];
            found(Case::new(&format!("a constant to {combine:?} to {from:?}"), &network(from, steps)));
        }
    }
}

pub fn moved_pixels_and_channels(found: Found) {
    for from in maps() {
        let (area, channels) = (from.area() as u32, from.channels as u32);
        let places: Vec<u32> = (0..2 * area + 1).map(|i| (i * 7 + 3) % area).collect();
        let to = map([places.len(), 1], from.channels);
        found(Case::new(
            &format!("pixels of {from:?}"),
            &network(from, vec![(Operation::Gather { places }, vec![0], to)]),
        ));
        let list: Vec<u32> = (0..channels + 2).map(|i| (i * 5 + 1) % channels).collect();
        let to = Map { channels: list.len(), ..from };
        let steps = vec![(Operation::GatherChannels { channels: list }, vec![0], to)];
        found(Case::new(&format!("channels of {from:?}"), &network(from, steps)));
        let constant = |places: usize| Part::Constant(noise(places * from.channels, places));
        let parts = vec![constant(1), Part::Input, constant(3), Part::Input];
        let to = map([2 * from.area() + 4, 1], from.channels);
        found(Case::new(
            &format!("{from:?} joined"),
            &network(from, vec![(Operation::JoinPlaces { parts }, vec![0, 0], to)]),
        ));
    }
}

pub fn resized_maps(found: Found) {
    for (from, size) in maps().flat_map(|from| [[1, 1], [14, 10], [5, 17], [26, 3]].map(|size| (from, size))) {
        for rule in [ResizeRule::HalfPixel, ResizeRule::AlignCorners, ResizeRule::Asymmetric] {
            for filter in [ResizeFilter::Nearest, ResizeFilter::Bilinear] {
                let steps = vec![(Operation::Resize { filter, rule }, vec![0], map(size, from.channels))];
                found(Case::new(&format!("{from:?} to {size:?}, {filter:?}, {rule:?}"), &network(from, steps)));
            }
        }
    }
}

pub fn attention(found: Found) {
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
            found(Case::within(&title, &network(from, steps), [3.0 * TOLERANCE, HALF_NETWORK]));
            if number % 2 == 0 {
                let slice = |start| (Operation::Slice { start }, vec![0], to);
                let steps =
                    vec![slice(0), slice(channels), slice(2), (Operation::Attention(of([0; 3])), vec![1, 3, 2], to)];
                found(Case::within(&title, &network(from, steps), [3.0 * TOLERANCE, HALF_NETWORK]));
            }
        }
    }
}

fn constants_and_moved_pixels(found: Found) {
    constants(found);
    moved_pixels_and_channels(found);
}

/// What a plan chooses by the sizes, for sizes that it would choose something else for.
pub fn choices(found: Found) {
    for (window, outputs) in [(WINDOWS[0], 33), (WINDOWS[2], 12), (WINDOWS[3], 24)] {
        // The second for the tiles that do not fit the first.
        let networks = [20, 64].map(|channels| {
            let from = map([13, 9], channels);
            let c = convolution_of(channels, outputs, window, 0);
            let to = after(from, outputs, window)?;
            Some((Stored::new(from, VEC).vecs(), network(from, vec![(Operation::Convolution(c), vec![0], to)])))
        });
        for tile in conv::TILES.into_iter().map(|(tile, _)| tile).chain(conv::SOFTWARE_TILES) {
            let fits = networks.iter().flatten().find(|(inputs, _)| tile.fits(*inputs));
            let Some((_, frozen)) = fits else { continue };
            let choices = Choices { tile: Some(tile), ..Choices::default() };
            found(Case { choices, ..Case::new(&format!("{tile:?} by {window:?}"), frozen) });
        }
    }
    let all = (1..=lite_kernel::MOST_PIXELS).map(Lite::Tiles).chain([Lite::Strips, Lite::Apart]);
    for (lite, from) in all.flat_map(|lite| [map([13, 9], 20), map([31, 33], 8)].map(|from| (lite, from))) {
        let to = Map { channels: 12, ..from };
        let pointwise = convolution_of(from.channels, to.channels, WINDOWS[0], 1);
        let depthwise = convolution_of(1, to.channels, WINDOWS[2], 0);
        let steps =
            vec![(Operation::Convolution(pointwise), vec![0], to), (Operation::Depthwise(depthwise), vec![1], to)];
        let choices = Choices { lite: Some(lite), ..Choices::default() };
        found(Case { choices, ..Case::new(&format!("{lite:?} of {from:?}"), &network(from, steps)) });
    }
}
