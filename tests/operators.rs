//! Every operator computes the same in the frozen and the trainable form, and its gradients are the slopes of what it computes.
#![cfg(all(feature = "train", not(target_arch = "wasm32")))]

mod common;

use std::collections::BTreeMap;

use burn::tensor::{Tensor, TensorData};
use common::relative_error;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use webreid::graph::frozen::{CpuRunner, Frozen};
use webreid::graph::op::{
    Attention, AttentionBias, AveragePool, ClassToken, Clip, Convolution, EPS, Elu, Gather, GatherChannels, Gelu,
    GemPool, GroupNorm, HardSigmoid, Input, LayerNorm, LeakyRelu, Linear, MaxPool, PRelu, Place, Resize, Split,
    SplitPlaces, UnitLength, Untokens,
};
use webreid::graph::{Node, NodeId, Op, Padding, Pool, Role, Shape, shapes};
use webreid::model::{BackboneConfig, ImportedConfig, ReIdentifierConfig};
use webreid::step::{GeluForm, ResizeFilter, ResizeRule, Weighting};
use webreid::training::{Mode, Network};
use webreid::weights::{Tensor as Values, initial_tensors};

/// Of the largest value.
const TOLERANCE: f32 = 1e-4;
/// Of what a gradient could be.
const SLOPE_TOLERANCE: f64 = 1e-2;
/// So small that few values of a piecewise function come to another piece.
const STEP: f32 = 2e-4;
const IMAGES: usize = 2;
const HEIGHT: usize = 16;
const WIDTH: usize = 18;

type Tensors = BTreeMap<String, Values>;

/// A network under construction; node 1 is a map of 8 channels, 8 × 9 pixels.
struct Net {
    nodes: Vec<Node>,
}

/// The map that the operators are tried on.
const X: NodeId = 1;

impl Net {
    fn new() -> Self {
        let mut net = Self { nodes: Vec::new() };
        net.push(Input { channels: 3 }, &[]);
        net.push(convolution("first", 3, 8, [3; 2], [2; 2], Padding::all(1)), &[0]);
        net
    }

    /// Gives the first of the node's values.
    fn push(&mut self, op: impl Into<Op>, inputs: &[NodeId]) -> NodeId {
        let values = self.nodes.iter().map(|node| node.op.values()).sum();
        self.nodes.push(Node { op: op.into(), inputs: inputs.to_vec(), role: Role::Backbone });
        values
    }

    fn shape(&self, id: NodeId) -> Shape {
        shapes(&self.nodes, HEIGHT, WIDTH).unwrap()[id]
    }

    /// Tokens of 8 channels.
    fn tokens(&mut self) -> NodeId {
        self.push(Op::Tokens, &[X])
    }

    fn linear(&mut self, name: &str, x: NodeId, outputs: usize) -> NodeId {
        let inputs = self.shape(x).channels();
        self.push(Linear { name: named(name), inputs, outputs, bias: true }, &[x])
    }

    /// Each value times its own number and their mean: no place is like another.
    fn finish(mut self, last: NodeId) -> ReIdentifierConfig {
        let mut last = last;
        if !matches!(self.shape(last), Shape::Vector(_)) {
            let shape = self.shape(last).dims();
            last = self.push(Place { name: named("last"), shape, scales: true }, &[last]);
            last = self.push(Op::GlobalAveragePool, &[last]);
        }
        let features = self.shape(last).channels();
        let config = BackboneConfig::Imported(ImportedConfig { name: "operator".into(), nodes: self.nodes, features });
        let mut config = ReIdentifierConfig { neck: false, ..ReIdentifierConfig::new(config, 0) };
        (config.input.height, config.input.width) = (HEIGHT, WIDTH);
        config
    }
}

fn named(name: &str) -> String {
    format!("backbone.{name}")
}

fn convolution(
    name: &str,
    inputs: usize,
    outputs: usize,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: Padding,
) -> Convolution {
    let name = named(name);
    Convolution { name, inputs, outputs, kernel, stride, padding, groups: 1, bias: true, dilation: [1; 2] }
}

/// Holds the two forms together for a network of one operator or some.
fn check(title: &str, build: impl FnOnce(&mut Net) -> NodeId) {
    let mut net = Net::new();
    let last = build(&mut net);
    let config = net.finish(last);
    let graph = config.graph().unwrap_or_else(|error| panic!("{title}: {error}"));
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut value = |least: f32, most: f32| random.random_range(least..most);
    let mut tensors = initial_tensors(&config, 1).unwrap();
    for (name, tensor) in &mut tensors {
        let range = if name.ends_with(".p") { (2.0, 4.0) } else { (-0.5, 0.5) };
        tensor.values.iter_mut().for_each(|number| *number = value(range.0, range.1));
    }
    let images: Vec<f32> = (0..IMAGES * 3 * HEIGHT * WIDTH).map(|_| value(-1.0, 1.0)).collect();
    let run = |tensors: &Tensors| {
        let frozen = Frozen::new(&graph, &[graph.feature], tensors, HEIGHT, WIDTH).unwrap();
        CpuRunner::new(&frozen).run(&images).remove(0)
    };
    let expected = run(&tensors);
    assert!(expected.iter().any(|value| value.abs() > 1e-3), "{title}: {expected:?}");
    let towards: Vec<f32> = expected.iter().map(|_| value(-1.0, 1.0)).collect();
    let along = |tensors: &Tensors| run(tensors).iter().zip(&towards).map(|(a, b)| f64::from(a * b)).sum::<f64>();
    for device in common::devices() {
        let title = format!("{title} on {}", device.name);
        let training = device.device.clone().autodiff();
        let network = Network::new(graph.clone(), &tensors, &training).unwrap();
        let input = TensorData::new(images.clone(), [IMAGES, 3, HEIGHT, WIDTH]);
        let feature = network.forward(Tensor::from_data(input, &training), Mode::Train).unwrap().feature;
        let found: Vec<f32> = feature.clone().into_data().iter::<f32>().collect();
        let error = relative_error(&found, &expected);
        assert!(error <= TOLERANCE, "{title}: the forms are {error:e} of the largest value apart");
        let weights = Tensor::from_data(TensorData::new(towards.clone(), feature.dims()), &training);
        let mut gradients = (feature * weights).sum().backward();
        for name in tensors.keys() {
            let found = network.take_gradient(name, &mut gradients);
            let found: Vec<f32> =
                found.unwrap_or_else(|| panic!("{title}: {name}")).into_data().iter::<f32>().collect();
            // Along a direction in which every number moves.
            let direction: Vec<f32> = found.iter().map(|_| if value(0.0, 1.0) < 0.5 { -1.0 } else { 1.0 }).collect();
            let moved = |step: f32| {
                let mut tensors = tensors.clone();
                let numbers = tensors.get_mut(name).unwrap().values.iter_mut();
                numbers.zip(&direction).for_each(|(number, direction)| *number += step * direction);
                along(&tensors)
            };
            let slope = (moved(STEP) - moved(-STEP)) / f64::from(2.0 * STEP);
            let gradient: f64 = found.iter().zip(&direction).map(|(a, b)| f64::from(a * b)).sum();
            let most: f64 = found.iter().map(|value| f64::from(value.abs())).sum();
            let error = (slope - gradient).abs() / most.max(1e-1);
            assert!(
                error <= SLOPE_TOLERANCE,
                "{title}: {name} has the slope {slope}, the gradient {gradient}, of {most}"
            );
        }
        println!("{title}: {error:.1e}");
    }
}

#[test]
fn activations() {
    let all: [Op; 13] = [
        LeakyRelu { slope: 0.1 }.into(),
        Elu { alpha: 0.7 }.into(),
        Clip { min: -0.3, max: 0.5 }.into(),
        HardSigmoid { slope: 0.3, offset: 0.4 }.into(),
        Op::Silu,
        Op::HardSwish,
        Gelu { form: GeluForm::Exact }.into(),
        Gelu { form: GeluForm::Tanh }.into(),
        Gelu { form: GeluForm::Quick }.into(),
        Op::Mish,
        Op::Softplus,
        Op::Tanh,
        Op::Sigmoid,
    ];
    for op in all {
        // In the step of the convolution, and in one of its own.
        check(&format!("{op:?}"), |net| {
            net.push(op.clone(), &[X]);
            let both = net.push(Op::Multiply, &[2, 2]);
            net.push(op, &[both])
        });
    }
    // Of what has bounds: its own has none.
    check("Exp", |net| {
        let small = net.push(Op::Sigmoid, &[X]);
        net.push(Op::Exp, &[small])
    });
}

#[test]
fn norms() {
    let norm = |channels| LayerNorm { name: named("norm"), channels, eps: 1e-6 };
    check("layer norm of a map", |net| net.push(norm(8), &[X]));
    check("layer norm of tokens and GELU", |net| {
        let x = net.tokens();
        let x = net.push(norm(8), &[x]);
        net.push(Gelu { form: GeluForm::Exact }, &[x])
    });
    check("layer norm of a vector", |net| {
        let x = net.push(Op::GlobalAveragePool, &[X]);
        let x = net.linear("fc", x, 7);
        net.push(norm(7), &[x])
    });
    let unit = || UnitLength { eps: 1e-12 };
    check("unit length of a map", |net| net.push(unit(), &[X]));
    check("unit length of a vector", |net| {
        let x = net.push(Op::GlobalMaxPool, &[X]);
        net.push(unit(), &[x])
    });
    check("group norm and PReLU of tokens", |net| {
        let x = net.tokens();
        let x = net.push(GroupNorm { name: named("norm"), channels: 8, groups: 2, eps: 1e-3 }, &[x]);
        net.push(PRelu { name: named("slopes"), channels: 8 }, &[x])
    });
}

#[test]
fn two_values() {
    check("a difference", |net| {
        let y = net.push(Op::Tanh, &[X]);
        net.push(Op::Subtract, &[y, X])
    });
    check("attention over places: by the mean and the largest of the channels", |net| {
        let [mean, most] = [Op::ChannelMean, Op::ChannelMax].map(|op| net.push(op, &[X]));
        let both = net.push(Op::Concatenate, &[mean, most]);
        let gate = net.push(convolution("gate", 2, 1, [3; 2], [1; 2], Padding::all(1)), &[both]);
        let gate = net.push(Op::Sigmoid, &[gate]);
        net.push(Op::Multiply, &[X, gate])
    });
    check("tokens scaled by a vector", |net| {
        let x = net.tokens();
        let gate = net.push(Op::GlobalMaxPool, &[x]);
        net.push(Op::Multiply, &[x, gate])
    });
}

#[test]
fn windows() {
    let uneven = Padding { top: 0, left: 1, bottom: 1, right: 0 };
    check("a convolution with uneven padding", |net| {
        net.push(convolution("second", 8, 6, [3; 2], [2; 2], uneven), &[X])
    });
    check("a dilated convolution in groups", |net| {
        let c = convolution("second", 8, 6, [3, 2], [1; 2], Padding::all(2));
        net.push(Convolution { dilation: [2, 3], groups: 2, ..c }, &[X])
    });
    check("a dilated depthwise convolution", |net| {
        let c = convolution("second", 8, 8, [3; 2], [1; 2], uneven);
        net.push(Convolution { dilation: [2; 2], groups: 8, ..c }, &[X])
    });
    for count_padding in [true, false] {
        for padding in [uneven, Padding::all(1)] {
            let pool = Pool { kernel: [3; 2], stride: [2; 2], padding, ceil: false, count_padding };
            check(&format!("means under {pool:?}"), |net| net.push(AveragePool(pool), &[X]));
            check(&format!("the largest under {pool:?}"), |net| net.push(MaxPool(pool), &[X]));
        }
    }
    check("GeM with an eps of its own", |net| {
        let x = net.push(Op::Sigmoid, &[X]);
        net.push(GemPool { name: named("pool"), eps: 0.4 }, &[x])
    });
}

#[test]
fn places_and_channels() {
    check("tokens and back", |net| {
        // The activation goes into the convolution, whose map is seen as tokens.
        let x = net.push(convolution("patches", 8, 12, [2; 2], [2; 2], Padding::NONE), &[X]);
        let x = net.push(Op::Tokens, &[x]);
        let x = net.push(Op::Silu, &[x]);
        let x = net.linear("fc", x, 8);
        let x = net.push(Untokens { height: 2, width: 8 }, &[x]);
        net.push(convolution("after", 8, 5, [2; 2], [1; 2], Padding::all(1)), &[x])
    });
    check("channels in another order", |net| net.push(GatherChannels { channels: vec![7, 0, 3, 3, 5] }, &[X]));
    check("places in another order, as a map", |net| {
        let places = (0..36).map(|place| (place * 35) % 72).collect();
        net.push(Gather { places, map: Some([4, 9]) }, &[X])
    });
    check("places in another order, as tokens", |net| net.push(Gather { places: vec![71, 0, 5, 5], map: None }, &[X]));
    check("a run of channels of tokens", |net| {
        let x = net.tokens();
        net.push(Split::run(3, 4), &[x])
    });
    type Make = fn(&mut Net) -> NodeId;
    let forms: [(&str, Make); 3] =
        [("a map", |_| X), ("tokens", Net::tokens), ("a vector", |net| net.push(Op::GlobalAveragePool, &[X]))];
    for (form, make) in forms {
        check(&format!("runs of channels of {form} as the values of one node"), |net| {
            let x = make(net);
            let first = net.push(Split { start: 1, lengths: vec![2, 1, 4] }, &[x]);
            // The second is read by none, the others twice.
            let turned = net.push(Op::Concatenate, &[first + 2, first]);
            net.push(Op::Concatenate, &[first, turned, first + 2])
        });
    }
    check("class tokens, positions, and the first token", |net| {
        let x = net.tokens();
        let x = net.push(ClassToken { name: named("class"), count: 2, channels: 8 }, &[x]);
        let x = net.push(Place { name: named("places"), shape: vec![74, 8], scales: false }, &[x]);
        let x = net.push(Op::Tanh, &[x]);
        let first = net.push(SplitPlaces { start: 0, length: 1, vector: true }, &[x]);
        let rest = net.push(SplitPlaces { start: 1, length: 73, vector: false }, &[x]);
        let rest = net.push(Op::GlobalAveragePool, &[rest]);
        net.push(Op::Concatenate, &[first, rest])
    });
    check("positions of a map, and joined places", |net| {
        let x = net.push(Place { name: named("places"), shape: vec![8, 8, 9], scales: false }, &[X]);
        let mean = net.push(Op::GlobalAveragePool, &[x]);
        let x = net.push(Op::Tokens, &[x]);
        net.push(Op::JoinPlaces, &[mean, x, x])
    });
    for filter in [ResizeFilter::Nearest, ResizeFilter::Bilinear] {
        for rule in [ResizeRule::HalfPixel, ResizeRule::AlignCorners, ResizeRule::Asymmetric] {
            for (height, width) in [(16, 18), (5, 4), (8, 13)] {
                check(&format!("{height} × {width} by {filter:?} and {rule:?}"), |net| {
                    net.push(Resize { height, width, filter, rule }, &[X])
                });
            }
        }
    }
}

#[test]
fn attention() {
    let plain = Attention { heads: 2, windows: 1, scale: 0.5, weighting: Weighting::Softmax, bias: None };
    let bias = |tables, length| Some(AttentionBias { name: named("bias"), tables, length });
    let cases = [
        plain.clone(),
        Attention { heads: 1, weighting: Weighting::Mean, ..plain.clone() },
        Attention { windows: 4, ..plain.clone() },
        Attention { bias: bias(2, 72), ..plain.clone() },
        Attention { windows: 4, bias: bias(2, 18), ..plain.clone() },
        Attention { windows: 4, bias: bias(8, 18), ..plain },
    ];
    for attention in cases {
        check(&format!("{attention:?} of parts of one value"), |net| {
            let x = net.tokens();
            let x = net.linear("qkv", x, 36);
            let [q, k, v] = [0, 12, 24].map(|start| net.push(Split::run(start, 12), &[x]));
            net.push(attention.clone(), &[q, k, v])
        });
        check(&format!("{attention:?} of three values"), |net| {
            let x = net.tokens();
            let [q, k, v] = ["q", "k", "v"].map(|name| net.linear(name, x, 6));
            net.push(attention, &[q, k, v])
        });
    }
    check("a block of a vision transformer", |net| {
        let x = net.push(convolution("patches", 8, 12, [2; 2], [2; 2], Padding::NONE), &[X]);
        let x = net.push(Op::Tokens, &[x]);
        let x = net.push(ClassToken { name: named("class"), count: 1, channels: 12 }, &[x]);
        let x = net.push(Place { name: named("places"), shape: vec![17, 12], scales: false }, &[x]);
        let normal = net.push(LayerNorm { name: named("norm1"), channels: 12, eps: EPS }, &[x]);
        let qkv = net.linear("qkv", normal, 36);
        let q = net.push(Split { start: 0, lengths: vec![12; 3] }, &[qkv]);
        let mixed = Attention { heads: 3, windows: 1, scale: 0.5, weighting: Weighting::Softmax, bias: None };
        let mixed = net.push(mixed, &[q, q + 1, q + 2]);
        let mixed = net.linear("projection", mixed, 12);
        let x = net.push(Op::Add, &[x, mixed]);
        let normal = net.push(LayerNorm { name: named("norm2"), channels: 12, eps: EPS }, &[x]);
        let wide = net.linear("fc1", normal, 20);
        let wide = net.push(Gelu { form: GeluForm::Exact }, &[wide]);
        let wide = net.linear("fc2", wide, 12);
        let x = net.push(Op::Add, &[x, wide]);
        net.push(SplitPlaces { start: 0, length: 1, vector: true }, &[x])
    });
}
