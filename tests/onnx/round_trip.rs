//! What is written as ONNX reads back as a network of the same features: every preset, networks that came from other
//! files, and networks of layers in any order.

use std::collections::BTreeMap;

use webreid::extract::{DeviceChoice, Extractor};
use webreid::graph::op::{
    Affine, AveragePool, BatchNorm, EPS, GemPool, GroupNorm, Input, InstanceNorm, Linear, MaxPool, PRelu, Split,
};
use webreid::graph::{Convolution, Init, Node, Op, Padding, Parameter, Pool, Role, Shape, shapes};
use webreid::image::Rgba;
use webreid::kernels::frozen::preprocess::Filter;
use webreid::model::{
    BackboneConfig, Bottleneck, ChannelOrder, ImportedConfig, InputConfig, PRESETS, Pooling, ReIdentifierConfig, preset,
};
use webreid::step::Fit;
use webreid::weights::{Recognised, Tensor, read, read_openvino, to_onnx};

use super::common::{self, relative_error};
use super::{EXPORTERS, fixture, small};

/// Of the largest value: batch norm's eps and what is folded round differently.
const TOLERANCE: f32 = 2e-4;
const NETWORKS: u32 = 300;

/// The same numbers on every run.
struct Random(u32);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) as usize % bound
    }

    /// From −1 to 1.
    fn number(&mut self) -> f32 {
        self.below(2001) as f32 / 1000.0 - 1.0
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// Numbers that the layer could have after training.
fn filled(parameter: &Parameter, random: &mut Random) -> Tensor {
    let count = parameter.shape.iter().product::<usize>();
    let name = parameter.name.as_str();
    let number = |random: &mut Random| match parameter.init {
        _ if name.ends_with(".running_var") => 1.0 + 0.5 * random.number(),
        _ if name.ends_with(".p") => 3.0 + random.number(),
        Init::Constant(mean) => mean + 0.3 * random.number(),
        Init::Normal(_) => random.number() / (count as f32 / parameter.shape[0] as f32).sqrt(),
    };
    Tensor { shape: parameter.shape.clone(), values: (0..count).map(|_| number(random)).collect() }
}

fn model(config: ReIdentifierConfig, random: &mut Random) -> Recognised {
    let parameters = config.graph().unwrap_or_else(|error| panic!("{error}: {config:?}")).parameters();
    let tensors: BTreeMap<String, Tensor> =
        parameters.iter().map(|parameter| (parameter.name.clone(), filled(parameter, random))).collect();
    Recognised { config, tensors, ..read(&fixture("tiny_osnet.safetensors")).unwrap() }
}

#[track_caller]
fn check(what: &str, model: &Recognised) {
    let file = to_onnx(&model.config, &model.tensors).unwrap_or_else(|error| panic!("{what}: {error}"));
    let again = read(&file).unwrap_or_else(|error| panic!("{what}: {error}"));
    let InputConfig { height, width, .. } = model.config.input;
    assert_eq!((again.config.input.height, again.config.input.width), (height, width), "{what}");
    let pixels = (0..4 * height * width).map(|i| ((i as u32).wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let image = Rgba { width: width as u32, height: height as u32, pixels };
    let feature = |model: &Recognised| {
        let extractor = pollster::block_on(Extractor::open(model, DeviceChoice::Cpu)).unwrap();
        pollster::block_on(extractor.extract(std::slice::from_ref(&image))).unwrap().remove(0)
    };
    let error = relative_error(&feature(&again), &feature(model));
    println!("{what}: {error:.1e} of the largest value");
    assert!(error <= TOLERANCE, "{what}: {error}");
}

#[test]
fn every_preset_comes_back() {
    let mut random = Random(1);
    for (place, name) in PRESETS.into_iter().enumerate() {
        let mut config = preset(name, 5).unwrap();
        (config.input.height, config.input.width) = (64, 32);
        // The layers count, not their width.
        if let BackboneConfig::Resnet(resnet) = &mut config.backbone {
            resnet.width = 8;
        }
        config.neck = place % 3 > 0;
        config.pooling = if place % 2 == 0 { Pooling::Average } else { Pooling::Gem };
        config.bottleneck =
            (place % 4 == 3).then_some(Bottleneck { dim: 24, bias: place % 8 == 3, rectified: place % 8 == 7 });
        check(name, &model(config, &mut random));
    }
}

#[test]
fn networks_from_other_files_come_back() {
    for exporter in EXPORTERS {
        check(exporter, &small(exporter));
    }
    let openvino = ["xml", "bin"].map(|ending| fixture(&format!("openvino/small-reid.{ending}")));
    check("small-reid", &read_openvino(&openvino[0], &openvino[1]).unwrap());
}

#[test]
#[ignore = "needs ../shared"]
fn real_networks_from_other_files_come_back() {
    let shared = common::shared();
    for number in ["0287", "0288"] {
        let name = format!("person-reidentification-retail-{number}");
        let file = |ending| std::fs::read(shared.join("weights").join(&name).join(format!("{name}.{ending}"))).unwrap();
        check(&name, &read_openvino(&file("xml"), &file("bin")).unwrap());
    }
}

#[test]
fn every_normalisation_comes_back() {
    let plain = InputConfig::default();
    let [raw, unit] = [([0.0; 3], [1.0; 3]), ([0.0; 3], [1.0 / 255.0; 3])];
    let imagenet = (plain.mean, plain.std);
    // In the order of BGR.
    let reversed = ([0.406, 0.456, 0.485], [0.225, 0.224, 0.229]);
    let mut random = Random(2);
    for (order, fit) in
        [(ChannelOrder::Rgb, Fit::Letterbox { colour: [1, 20, 255] }), (ChannelOrder::Bgr, Fit::Stretch)]
    {
        for (mean, std) in [raw, unit, imagenet, reversed, ([0.5; 3], [0.5; 3]), ([0.1, 0.0, 0.9], [1.0, 0.3, 0.2])] {
            let mut config = preset("osnet_x0_25", 0).unwrap();
            config.input = InputConfig { height: 32, width: 16, mean, std, order, filter: Filter::Bicubic, fit };
            let model = model(config, &mut random);
            check(&format!("{order:?} {mean:?} {std:?}"), &model);
            let again = read(&to_onnx(&model.config, &model.tensors).unwrap()).unwrap().config.input;
            // The file takes RGB, its first layer turned round.
            let turned = |mut values: [f32; 3]| {
                if order == ChannelOrder::Bgr {
                    values.reverse();
                }
                values
            };
            let close = |a: [f32; 3], b: [f32; 3]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6);
            assert_eq!((again.filter, again.fit), (Filter::Bicubic, fit));
            assert!(close(again.mean, turned(mean)) && close(again.std, turned(std)), "{order:?} {again:?}");
        }
    }
}

/// A neck may have the name of a layer of the backbone.
#[test]
fn layers_of_one_name_stay_apart() {
    let mut random = Random(3);
    let mut nodes = vec![node(Op::Input(Input { channels: 3 }), &[]), node(convolution("backbone.v1", 3, 6, 1), &[0])];
    nodes.push(node(Op::GlobalAveragePool, &[1]));
    let (name, channels) = ("backbone.bottleneck".to_owned(), 6);
    nodes.push(node(Op::BatchNorm(BatchNorm { name, channels, bias_frozen: false, eps: EPS }), &[2]));
    nodes.push(node(Op::GroupNorm(GroupNorm { name: "backbone.v4".into(), channels, groups: 3, eps: EPS }), &[3]));
    let mut config = imported(nodes, 6);
    config.neck = true;
    check("bottleneck", &model(config, &mut random));
}

/// A scale and a shift that are a layer's, and not the normalisation.
#[test]
fn a_layer_that_scales_the_image_stays_one() {
    let mut random = Random(4);
    let affine = || Op::Affine(Affine { name: "backbone.scale".into(), channels: 3 });
    for more in [vec![], vec![node(affine(), &[0])]] {
        let mut nodes = vec![node(Op::Input(Input { channels: 3 }), &[]), node(affine(), &[0])];
        let count = more.len();
        nodes.extend(more);
        nodes.push(node(Op::Add, &[1, 1 + count]));
        nodes.push(node(Op::GlobalAveragePool, &[2 + count]));
        check("affine", &model(imported(nodes, 3), &mut random));
    }
}

#[test]
fn what_onnx_cannot_say_is_refused() {
    let mut random = Random(5);
    let pool = Pool { kernel: [3; 2], stride: [2; 2], padding: Padding::NONE, ceil: true, count_padding: true };
    let refused = |nodes: Vec<Node>, order, change: fn(&mut Recognised), random: &mut Random| {
        let mut config = imported(nodes, 3);
        config.input.order = order;
        let mut model = model(config, random);
        change(&mut model);
        to_onnx(&model.config, &model.tensors).expect_err("refused").to_string()
    };
    let ending =
        |op: Op| vec![node(Op::Input(Input { channels: 3 }), &[]), node(op, &[0]), node(Op::GlobalAveragePool, &[1])];
    let nothing: fn(&mut Recognised) = |_| {};
    let partial = refused(ending(Op::AveragePool(AveragePool(pool))), ChannelOrder::Rgb, nothing, &mut random);
    assert!(partial.contains("v1 takes means of windows that lie partly outside"), "{partial}");
    let turned = refused(ending(Op::Relu), ChannelOrder::Bgr, nothing, &mut random);
    assert!(turned.contains("takes BGR, and not by a convolution"), "{turned}");
    let gem = vec![
        node(Op::Input(Input { channels: 3 }), &[]),
        node(Op::GemPool(GemPool { name: "backbone.pool".into(), eps: GemPool::EPS }), &[0]),
    ];
    let negative: fn(&mut Recognised) = |model| model.tensors.get_mut("backbone.pool.p").unwrap().values[0] = -3.0;
    let exponent = refused(gem, ChannelOrder::Rgb, negative, &mut random);
    assert!(exponent.contains("pool.p is not above 0"), "{exponent}");
    // Whole windows are the same either way.
    let whole = Pool { kernel: [2; 2], ..pool };
    check("whole windows", &model(imported(ending(Op::AveragePool(AveragePool(whole))), 3), &mut random));
}

fn node(op: impl Into<Op>, inputs: &[usize]) -> Node {
    Node { op: op.into(), inputs: inputs.to_vec(), role: Role::Backbone }
}

fn convolution(name: &str, inputs: usize, outputs: usize, kernel: usize) -> Convolution {
    let (name, one, padding) = (name.to_owned(), [1; 2], Padding::all(kernel / 2));
    let (kernel, stride, dilation) = ([kernel; 2], one, one);
    Convolution { name, inputs, outputs, kernel, stride, padding, groups: 1, bias: true, dilation }
}

fn imported(nodes: Vec<Node>, features: usize) -> ReIdentifierConfig {
    let name = "network".into();
    let mut config = ReIdentifierConfig::new(BackboneConfig::Imported(ImportedConfig { name, nodes, features }), 0);
    config.neck = false;
    (config.input.height, config.input.width) = (32, 16);
    config
}

/// Some twenty layers of any kind, of what was made before.
fn any_network(random: &mut Random) -> ReIdentifierConfig {
    let (height, width) = (32, 16);
    let mut nodes = vec![node(Op::Input(Input { channels: 3 }), &[])];
    if random.below(3) > 0 {
        nodes.push(node(convolution("backbone.v0", 3, 8, 3), &[0]));
    }
    for id in 1..=20 {
        let made = shapes(&nodes, height, width).unwrap();
        // Mostly of the last ones.
        let near = |random: &mut Random| made.len() - 1 - random.below(made.len().min(3));
        let (x, other) = (near(random), near(random));
        let (name, channels) =
            (format!("backbone.{}{id}", random.pick(&["v", "layer.", "image."])), made[x].channels());
        let divisors: Vec<usize> = (1..=channels).filter(|size| channels.is_multiple_of(*size)).collect();
        let side = |random: &mut Random| [1 + random.below(3), 1 + random.below(3)];
        let kernel = side(random);
        let pool = Pool {
            kernel,
            stride: side(random),
            padding: kernel.map(|size| size / 2).into(),
            ceil: random.below(2) == 0,
            count_padding: true,
        };
        let op = match random.below(17) {
            0 | 1 => {
                let groups = random.pick(&divisors);
                let outputs = groups * (1 + random.below(12 / groups.min(12)));
                let (stride, padding) = (side(random), [random.below(3), random.below(3)].into());
                let (bias, kernel) = (random.below(2) == 0, side(random));
                let plain = convolution(&name, channels, outputs, 1);
                Op::Convolution(Convolution { kernel, stride, padding, groups, bias, ..plain })
            }
            2 => {
                Op::Linear(Linear { name, inputs: channels, outputs: 1 + random.below(12), bias: random.below(2) == 0 })
            }
            3 => Op::BatchNorm(BatchNorm { name, channels, bias_frozen: random.below(2) == 0, eps: EPS }),
            4 => Op::InstanceNorm(InstanceNorm { name, channels, eps: EPS }),
            5 | 6 => Op::GroupNorm(GroupNorm { name, channels, groups: random.pick(&divisors), eps: EPS }),
            7 => Op::Affine(Affine { name, channels }),
            8 => Op::Relu,
            9 => Op::Sigmoid,
            10 => Op::PRelu(PRelu { name, channels }),
            11 => Op::MaxPool(MaxPool(pool)),
            12 => Op::AveragePool(AveragePool(Pool { ceil: false, ..pool })),
            13 if random.below(2) == 0 => Op::GlobalAveragePool,
            13 => Op::GemPool(GemPool { name, eps: GemPool::EPS }),
            14 if random.below(2) == 0 => Op::Add,
            14 => Op::Multiply,
            15 => {
                let start = random.below(channels);
                let mut split = Split::run(start, 1 + random.below(channels - start));
                let rest = channels - start - split.lengths[0];
                split.lengths.extend((rest > 0).then(|| 1 + random.below(rest)));
                Op::Split(split)
            }
            _ => Op::Concatenate,
        };
        let inputs = match op {
            Op::Add | Op::Multiply | Op::Concatenate => vec![x, other],
            _ => vec![x],
        };
        nodes.push(node(op, &inputs));
        // What does not fit, or leaves nothing, is left out.
        let fits = shapes(&nodes, height, width).ok().and_then(|made| made.last().copied());
        if fits.is_none_or(|shape| shape.channels() > 64) {
            nodes.pop();
        }
    }
    // All that is left over goes into the feature.
    let made = shapes(&nodes, height, width).unwrap();
    let mut vectors = Vec::new();
    for (id, shape) in made.iter().enumerate().skip(1) {
        if nodes.iter().any(|node| node.inputs.contains(&id)) {
            continue;
        }
        vectors.push(match shape {
            Shape::Map(_) | Shape::Tokens(_) => {
                nodes.push(node(Op::GlobalAveragePool, &[id]));
                made.len() + vectors.iter().filter(|&&vector| vector >= made.len()).count()
            }
            Shape::Vector(_) => id,
        });
    }
    nodes.push(node(Op::Concatenate, &vectors));
    let features = shapes(&nodes, height, width).unwrap().last().unwrap().channels();
    let mut config = imported(nodes, features);
    config.neck = random.below(2) == 0;
    if random.below(2) == 0 {
        (config.input.mean, config.input.std) = ([0.3, 0.4, 0.5], [0.2, 0.3, 0.4]);
    }
    config
}

#[test]
fn networks_of_layers_in_any_order_come_back() {
    let mut kinds = std::collections::BTreeSet::new();
    for seed in 0..NETWORKS {
        let mut random = Random(seed);
        // Seeds beside each other begin alike.
        (0..4).for_each(|_| _ = random.below(2));
        let config = any_network(&mut random);
        let graph = config.graph().unwrap();
        kinds.extend(graph.nodes.iter().map(|node| format!("{:?}", std::mem::discriminant(&node.op))));
        check(&format!("network {seed}: {:?}", graph.nodes), &model(config, &mut random));
    }
    // Of each kind there was one.
    assert_eq!(kinds.len(), 18);
}
