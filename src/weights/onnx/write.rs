//! A model of ours as an ONNX file, for other runtimes.
//!
//! Nothing is folded or fused: the file has the layers and the names of the checkpoint, so that it reads back as the same
//! model and a runtime's own optimiser sees what PyTorch's exporter would have shown it.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message;
use prost::bytes::Bytes;

use super::proto::{
    Attribute, Dimension, Graph, Model, Node, Note, OperatorSet, Tensor as Initializer, TensorShape, TensorType,
    ValueInfo, ValueType,
};
use super::{FILTER, FIT, PRODUCER};
use crate::graph::budget::NODES;
use crate::graph::op::{
    Affine, Attention, AveragePool, BatchNorm, ClassToken, Clip, Elu, Gather, GatherChannels, Gelu, GemPool, GroupNorm,
    HardSigmoid, InstanceNorm, LayerNorm, LeakyRelu, Linear, MaxPool, Split, SplitPlaces, UnitLength, Untokens,
};
use crate::graph::{self, Op, Padding, Pool, Shape, transposed};
use crate::kernels::frozen::preprocess::Filter;
use crate::model::{ChannelOrder, ConfigError, InputConfig, ReIdentifierConfig};
use crate::step::{Fit, GeluForm, ResizeFilter, ResizeRule, Weighting};
use crate::weights::{Tensor, WeightsError};

/// ONNX 1.8's: every runtime of the last years reads it.
const FORMAT_VERSION: i64 = 7;
const OPERATOR_SET: i64 = 13;
/// What runtimes read of protobuf.
const LONGEST: usize = i32::MAX as usize;
const IMAGE: &str = "image";
const FEATURE: &str = "feature";

/// ONNX's numbers of its types.
mod kind {
    pub const F32: i32 = 1;
    pub const I64: i32 = 7;
    pub const ATTRIBUTE_FLOAT: i32 = 1;
    pub const ATTRIBUTE_INT: i32 = 2;
    pub const ATTRIBUTE_TEXT: i32 = 3;
    pub const ATTRIBUTE_INTS: i32 = 7;
}

/// The model up to its embedding as an ONNX file of operator set 13, in f32: `image` `[batch, 3, height, width]` to `feature`
/// `[batch, features_dim]`, which is not L2-normalised.
///
/// The image is RGB. Where the model takes ImageNet's mean and deviation the image is to be normalised with these, as
/// PyTorch's exports want it; with any other the file does it itself, and the image is 0…1, or 0…255 where the numbers
/// would not tell 0…1.
///
/// # Errors
/// When `tensors` are not those of `config`, the model takes BGR in a way that RGB cannot be given to it, or it has what
/// ONNX cannot say.
pub fn to_onnx(config: &ReIdentifierConfig, tensors: &BTreeMap<String, Tensor>) -> Result<Vec<u8>, WeightsError> {
    let graph = config.graph()?;
    let InputConfig { height, width, mean, std, order, filter, fit } = config.input.clone();
    let shapes = graph.shapes(height, width).map_err(ConfigError::from)?;
    let mut writer =
        Writer { tensors, nodes: Vec::new(), initializers: Vec::new(), known: BTreeSet::new(), names: BTreeMap::new() };
    let bgr = (order == ChannelOrder::Bgr).then(|| first_convolution(&graph)).transpose()?;
    let plain = InputConfig::default();
    let mut image = IMAGE.to_owned();
    let mut mean_and_std = [mean, std];
    if bgr.is_some() {
        mean_and_std.iter_mut().for_each(|values| values.reverse());
    }
    if mean_and_std != [plain.mean, plain.std] {
        // Images of 0…1 are told by small numbers that are not none at all.
        let is_unit = mean_and_std.concat().iter().all(|value| *value <= 1.0) && (mean, std) != ([0.0; 3], [1.0; 3]);
        if !is_unit {
            mean_and_std.iter_mut().flatten().for_each(|value| *value *= 255.0);
        }
        for ((kind, name), values) in [("Sub", "image.mean"), ("Div", "image.std")].into_iter().zip(mean_and_std) {
            writer.floats(name, &[1, 3, 1, 1], &values);
            let out = format!("{name}.done");
            writer.node(kind, &[&image, name], &out, []);
            image = out;
        }
    }
    let mut id = 0;
    for node in &graph.nodes {
        if id > graph.embedding {
            break;
        }
        let name = |&input: &usize| if input == 0 { image.clone() } else { format!("v{input}") };
        let inputs: Vec<String> = node.inputs.iter().map(name).collect();
        let before: Vec<Shape> = node.inputs.iter().map(|&input| shapes[input]).collect();
        let outs: Vec<String> = (id..id + node.op.values()).map(|value| format!("v{value}")).collect();
        writer.step(node, &inputs, &outs, (&before, shapes[id]), bgr == Some(id))?;
        id += outs.len();
    }
    writer.node("Flatten", &[&format!("v{}", graph.embedding)], FEATURE, []);
    let dims = [None, Some(3), Some(height), Some(width)];
    let nodes = writer.nodes.len();
    let notes = [
        (filter != Filter::default()).then(|| (FILTER, filter.to_string())),
        (fit != Fit::default()).then(|| (FIT, fit.to_string())),
    ];
    let file = writer.file(config.backbone.to_string(), dims, config.features_dim(), notes);
    if nodes > NODES || file.len() > LONGEST {
        return Err(WeightsError::Unsupported(format!(
            "as ONNX the network would have {nodes} nodes and {} bytes, and {NODES} and {LONGEST} are the most that are read; \
             write it in our own form",
            file.len()
        )));
    }
    Ok(file)
}

/// The convolution that alone reads the image: with its weights in another order it takes RGB for BGR.
fn first_convolution(graph: &graph::Graph) -> Result<usize, WeightsError> {
    let nodes = graph::apart(&graph.nodes);
    let mut readers = nodes.iter().enumerate().filter(|(_, node)| node.inputs.contains(&0));
    match (readers.next(), readers.next()) {
        (Some((id, node)), None) if matches!(&node.op, Op::Convolution(c) if c.groups == 1) => Ok(id),
        _ => Err(WeightsError::Unsupported(
            "the network takes BGR, and not by a convolution, so it cannot be written as ONNX, which takes RGB".into(),
        )),
    }
}

struct Writer<'a> {
    tensors: &'a BTreeMap<String, Tensor>,
    nodes: Vec<Bytes>,
    initializers: Vec<Bytes>,
    /// Initialisers by their names; nodes may share them.
    known: BTreeSet<String>,
    /// The parameters by the names that they have in the file.
    names: BTreeMap<String, String>,
}

impl<'a> Writer<'a> {
    /// A node of the graph. Vectors `[n, c]` stay maps of one pixel, `[n, c, 1, 1]`: so they scale maps without more ado.
    /// Tokens are `[n, t, c]`.
    fn step(
        &mut self,
        node: &graph::Node,
        inputs: &[String],
        outs: &[String],
        (before, shape): (&[Shape], Shape),
        bgr: bool,
    ) -> Result<(), WeightsError> {
        let out = outs[0].as_str();
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        let layer = |weights: &[String]| -> Vec<String> {
            inputs.iter().map(|&input| input.to_owned()).chain(weights.iter().cloned()).collect()
        };
        match &node.op {
            Op::Input(_) => {}
            Op::Convolution(c) => {
                let mut weights = self.parameters(node, |shape| shape.to_vec())?;
                if bgr {
                    weights[0] = self.reversed(&format!("{}.weight", c.name))?;
                }
                let mut attributes = vec![
                    ints("kernel_shape", &c.kernel),
                    ints("strides", &c.stride),
                    pads(c.padding),
                    int("group", c.groups),
                ];
                attributes.extend((c.dilation != [1, 1]).then(|| ints("dilations", &c.dilation)));
                self.node("Conv", &layer(&weights), out, attributes);
            }
            Op::Linear(linear) if matches!(shape, Shape::Tokens(_)) => self.linear(node, linear, inputs[0], out)?,
            // A convolution of one pixel.
            Op::Linear(_) => {
                let weights = self.parameters(node, |shape| match shape {
                    [outputs, inputs] => vec![*outputs, *inputs, 1, 1],
                    _ => shape.to_vec(),
                })?;
                self.node("Conv", &layer(&weights), out, [ints("kernel_shape", &[1, 1])]);
            }
            Op::BatchNorm(BatchNorm { eps, .. }) => {
                let weights = self.parameters(node, <[usize]>::to_vec)?;
                self.node("BatchNormalization", &layer(&weights), out, [float("epsilon", *eps)]);
            }
            Op::InstanceNorm(InstanceNorm { eps, .. }) => {
                let weights = self.parameters(node, <[usize]>::to_vec)?;
                self.node("InstanceNormalization", &layer(&weights), out, [float("epsilon", *eps)]);
            }
            Op::GroupNorm(norm) => {
                self.group_norm(inputs[0], out, norm, shape);
                self.affine(node, &format!("{out}.norm"), out)?;
            }
            // Of the image it would be taken for its normalisation.
            Op::Affine(Affine { channels, .. }) if node.inputs == [0] => {
                let [scale, shift] = ["scales", "shifts"].map(|part| format!("{out}.{part}"));
                self.floats(&scale, &[*channels, 1, 1, 1], &self.parameter(node, 0)?.values);
                self.floats(&shift, &[*channels], &self.parameter(node, 1)?.values);
                let attributes = [ints("kernel_shape", &[1, 1]), int("group", *channels)];
                self.node("Conv", &[inputs[0], &scale, &shift], out, attributes);
            }
            Op::Affine(_) => self.affine(node, inputs[0], out)?,
            Op::Relu => self.node("Relu", &inputs, out, []),
            Op::Sigmoid => self.node("Sigmoid", &inputs, out, []),
            Op::PRelu(_) => {
                let slopes = self.parameters(node, |shape| [shape, &[1, 1]].concat())?;
                self.node("PRelu", &layer(&slopes), out, []);
            }
            Op::MaxPool(MaxPool(pool)) => self.node("MaxPool", &inputs, out, window(pool)),
            Op::AveragePool(AveragePool(pool)) => {
                let map = before.iter().find_map(|shape| match *shape {
                    Shape::Map([_, height, width]) => Some([height, width]),
                    _ => None,
                });
                if pool.ceil
                    && map.map(|map| Pool { ceil: false, ..*pool }.output(map)) != map.map(|map| pool.output(map))
                {
                    return Err(WeightsError::Unsupported(format!(
                        "the network's node {out} takes means of windows that lie partly outside of the map, which ONNX's \
                         runtimes do not agree upon: it cannot be written as ONNX"
                    )));
                }
                let pool = &Pool { ceil: false, ..*pool };
                let [kernel, stride, padding, ceil] = window(pool);
                let counted = int("count_include_pad", pool.count_padding.into());
                self.node("AveragePool", &inputs, out, [kernel, stride, padding, ceil, counted]);
            }
            Op::GlobalAveragePool if let Some(Shape::Tokens([_, channels])) = before.first() => {
                let mean = format!("{out}.mean");
                self.node("ReduceMean", &inputs, &mean, [ints("axes", &[1])]);
                self.reshape(&mean, out, &[0, *channels as i64, 1, 1]);
            }
            Op::GlobalAveragePool => self.node("GlobalAveragePool", &inputs, out, []),
            Op::GlobalMaxPool if let Some(Shape::Tokens([_, channels])) = before.first() => {
                let most = format!("{out}.most");
                self.node("ReduceMax", &inputs, &most, [ints("axes", &[1])]);
                self.reshape(&most, out, &[0, *channels as i64, 1, 1]);
            }
            Op::GlobalMaxPool => self.node("GlobalMaxPool", &inputs, out, []),
            Op::ChannelMean => self.node("ReduceMean", &inputs, out, [ints("axes", &[channel_axis(shape)])]),
            Op::ChannelMax => self.node("ReduceMax", &inputs, out, [ints("axes", &[channel_axis(shape)])]),
            Op::GemPool(GemPool { eps, .. }) => {
                let exponent = self.parameters(node, <[usize]>::to_vec)?.remove(0);
                if self.parameter(node, 0)?.values.iter().any(|exponent| *exponent <= 0.0) {
                    return Err(WeightsError::Unsupported(format!("the exponent {exponent} is not above 0")));
                }
                let part = |step: &str| format!("{out}.{step}");
                let (least, raised, mean, inverse) = (part("least"), part("raised"), part("mean"), part("inverse"));
                let floor = if *eps == GemPool::EPS { "least".to_owned() } else { part("floor") };
                self.floats(&floor, &[], &[*eps]);
                self.node("Clip", &[inputs[0], &floor], &least, []);
                self.node("Pow", &[&least, &exponent], &raised, []);
                self.node("GlobalAveragePool", &[&raised], &mean, []);
                self.node("Reciprocal", &[&exponent], &inverse, []);
                self.node("Pow", &[&mean, &inverse], out, []);
            }
            Op::Add => self.node("Add", &inputs, out, []),
            Op::Subtract => self.node("Sub", &inputs, out, []),
            Op::Multiply if let [Shape::Tokens(_), Shape::Vector(channels)] = before => {
                let factors = format!("{out}.factors");
                self.reshape(inputs[1], &factors, &[0, 1, *channels as i64]);
                self.node("Mul", &[inputs[0], &factors], out, []);
            }
            Op::Multiply => self.node("Mul", &inputs, out, []),
            Op::Place(place) => {
                let kind = if place.scales { "Mul" } else { "Add" };
                let numbers = self.parameters(node, |shape| match shape {
                    [channels] => vec![*channels, 1, 1],
                    _ => shape.to_vec(),
                })?;
                self.node(kind, &layer(&numbers), out, []);
            }
            Op::Split(split) => self.split(split, inputs[0], outs, (before[0], channel_axis(shape))),
            Op::Concatenate => self.node("Concat", &inputs, out, [int("axis", channel_axis(shape))]),
            Op::GatherChannels(GatherChannels { channels }) => {
                self.gather(inputs[0], out, channel_axis(shape), channels);
            }
            Op::LayerNorm(norm) => self.layer_norm(node, norm, inputs[0], out, shape)?,
            Op::UnitLength(UnitLength { eps }) => {
                let [length, least, floor] = ["length", "least", "floor"].map(|part| format!("{out}.{part}"));
                self.node("ReduceL2", &inputs, &length, [ints("axes", &[channel_axis(shape)])]);
                self.floats(&floor, &[], &[*eps]);
                self.node("Clip", &[&length, &floor], &least, []);
                self.node("Div", &[inputs[0], &least], out, []);
            }
            Op::LeakyRelu(LeakyRelu { slope }) => self.node("LeakyRelu", &inputs, out, [float("alpha", *slope)]),
            Op::Elu(Elu { alpha }) => self.node("Elu", &inputs, out, [float("alpha", *alpha)]),
            Op::Clip(Clip { min, max }) => {
                let bounds = [("min", min), ("max", max)].map(|(what, bound)| self.number(out, what, *bound));
                self.node("Clip", &[inputs[0], &bounds[0], &bounds[1]], out, []);
            }
            Op::HardSigmoid(HardSigmoid { slope, offset }) => {
                self.node("HardSigmoid", &inputs, out, [float("alpha", *slope), float("beta", *offset)]);
            }
            Op::HardSwish => {
                let gate = format!("{out}.gate");
                self.node("HardSigmoid", &inputs, &gate, [float("alpha", 1.0 / 6.0), float("beta", 0.5)]);
                self.node("Mul", &[inputs[0], &gate], out, []);
            }
            Op::Silu => {
                let gate = format!("{out}.gate");
                self.node("Sigmoid", &inputs, &gate, []);
                self.node("Mul", &[inputs[0], &gate], out, []);
            }
            Op::Gelu(Gelu { form }) => self.gelu(*form, inputs[0], out),
            Op::Mish => {
                let [soft, gate] = ["soft", "gate"].map(|part| format!("{out}.{part}"));
                self.node("Softplus", &inputs, &soft, []);
                self.node("Tanh", &[&soft], &gate, []);
                self.node("Mul", &[inputs[0], &gate], out, []);
            }
            Op::Softplus => self.node("Softplus", &inputs, out, []),
            Op::Tanh => self.node("Tanh", &inputs, out, []),
            Op::Exp => self.node("Exp", &inputs, out, []),
            Op::Tokens => {
                let rows = format!("{out}.rows");
                self.reshape(inputs[0], &rows, &[0, shape.channels() as i64, -1]);
                self.node("Transpose", &[&rows], out, [ints("perm", &[0, 2, 1])]);
            }
            &Op::Untokens(Untokens { height, width }) => {
                self.untokens(inputs[0], out, [shape.channels(), height, width]);
            }
            Op::ClassToken(ClassToken { count, channels, .. }) => {
                let tokens = self.parameters(node, |shape| [&[1], shape].concat())?.remove(0);
                let sizes = self.batch_of(inputs[0], out, &[*count, *channels]);
                let spread = format!("{out}.spread");
                self.node("Expand", &[&tokens, &sizes], &spread, []);
                self.node("Concat", &[&spread, inputs[0]], out, [int("axis", 1)]);
            }
            &Op::SplitPlaces(SplitPlaces { start, length, vector }) => {
                let run = if vector { format!("{out}.run") } else { out.to_owned() };
                self.slice(inputs[0], &run, 1, start, length);
                if vector {
                    self.reshape(&run, out, &[0, shape.channels() as i64, 1, 1]);
                }
            }
            Op::JoinPlaces => {
                let mut parts = Vec::new();
                for (place, (&input, part)) in inputs.iter().zip(before).enumerate() {
                    parts.push(match part {
                        Shape::Vector(channels) => {
                            let token = format!("{out}.part{place}");
                            self.reshape(input, &token, &[0, 1, *channels as i64]);
                            token
                        }
                        _ => input.to_owned(),
                    });
                }
                self.node("Concat", &parts, out, [int("axis", 1)]);
            }
            Op::Gather(Gather { places, map }) => {
                let [rows, picked] = ["rows", "picked"].map(|part| format!("{out}.{part}"));
                let is_map = matches!(before, [Shape::Map(_)]);
                let input = if is_map {
                    self.reshape(inputs[0], &rows, &[0, shape.channels() as i64, -1]);
                    self.node("Transpose", &[&rows], &format!("{rows}.t"), [ints("perm", &[0, 2, 1])]);
                    format!("{rows}.t")
                } else {
                    inputs[0].to_owned()
                };
                match map {
                    None => self.gather(&input, out, 1, places),
                    Some([height, width]) => {
                        self.gather(&input, &picked, 1, places);
                        self.untokens(&picked, out, [shape.channels(), *height, *width]);
                    }
                }
            }
            Op::Resize(resize) => {
                let sizes = self.batch_of(inputs[0], out, &shape.dims());
                let mode = match resize.filter {
                    ResizeFilter::Nearest => "nearest",
                    ResizeFilter::Bilinear => "linear",
                };
                let (rule, nearest) = match resize.rule {
                    ResizeRule::HalfPixel => ("half_pixel", "round_prefer_floor"),
                    ResizeRule::AlignCorners => ("align_corners", "round_prefer_floor"),
                    ResizeRule::Asymmetric => ("asymmetric", "floor"),
                };
                let attributes =
                    [text("mode", mode), text("coordinate_transformation_mode", rule), text("nearest_mode", nearest)];
                self.node("Resize", &[inputs[0], "", "", &sizes], out, attributes);
            }
            Op::Attention(attention) => self.attention(node, attention, &inputs, out, shape)?,
        }
        Ok(())
    }

    /// Of each token.
    fn linear(&mut self, node: &graph::Node, linear: &Linear, input: &str, out: &str) -> Result<(), WeightsError> {
        let Linear { name, inputs, outputs, bias } = linear;
        let weight = self.parameter(node, 0)?;
        let turned = transposed(&weight.values, *outputs, *inputs);
        let factors = format!("{}.weight.turned", name.strip_prefix("backbone.").unwrap_or(name));
        self.floats(&factors, &[*inputs, *outputs], &turned);
        let product = if *bias { format!("{out}.product") } else { out.to_owned() };
        self.node("MatMul", &[input, &factors], &product, []);
        if *bias {
            let shift = self.parameters(node, <[usize]>::to_vec)?.remove(1);
            self.node("Add", &[&product, &shift], out, []);
        }
        Ok(())
    }

    /// Step by step, as operator set 13 has it in no other way.
    fn layer_norm(
        &mut self,
        node: &graph::Node,
        norm: &LayerNorm,
        input: &str,
        out: &str,
        shape: Shape,
    ) -> Result<(), WeightsError> {
        let along = || ints("axes", &[channel_axis(shape)]);
        let part = |step: &str| format!("{out}.{step}");
        let [mean, centred, squares, variance, raised] = ["mean", "centred", "squares", "variance", "raised"].map(part);
        let [deviation, level, scaled] = ["deviation", "level", "scaled"].map(part);
        let (two, eps) = (self.number(out, "two", 2.0), self.number(out, "eps", norm.eps));
        self.node("ReduceMean", &[input], &mean, [along()]);
        self.node("Sub", &[input, &mean], &centred, []);
        self.node("Pow", &[&centred, &two], &squares, []);
        self.node("ReduceMean", &[&squares], &variance, [along()]);
        self.node("Add", &[&variance, &eps], &raised, []);
        self.node("Sqrt", &[&raised], &deviation, []);
        self.node("Div", &[&centred, &deviation], &level, []);
        let is_tokens = matches!(shape, Shape::Tokens(_));
        let weights =
            self.parameters(node, |shape| if is_tokens { shape.to_vec() } else { [shape, &[1, 1]].concat() })?;
        self.node("Mul", &[&level, &weights[0]], &scaled, []);
        self.node("Add", &[&scaled, &weights[1]], out, []);
        Ok(())
    }

    fn gelu(&mut self, form: GeluForm, input: &str, out: &str) {
        let part = |step: &str| format!("{out}.{step}");
        let [inner, curve, gate, half] = ["inner", "curve", "gate", "half"].map(part);
        if form == GeluForm::Quick {
            let factor = self.number(out, "factor", 1.702);
            self.node("Mul", &[input, &factor], &inner, []);
            self.node("Sigmoid", &[&inner], &gate, []);
            return self.node("Mul", &[input, &gate], out, []);
        }
        if form == GeluForm::Exact {
            let root = self.number(out, "root", std::f32::consts::SQRT_2);
            self.node("Div", &[input, &root], &inner, []);
            self.node("Erf", &[&inner], &curve, []);
        } else {
            let [cube, small, sum] = ["cube", "small", "sum"].map(part);
            let (three, part) = (self.number(out, "three", 3.0), self.number(out, "part", 0.044_715));
            let factor = self.number(out, "factor", (2.0 / std::f32::consts::PI).sqrt());
            self.node("Pow", &[input, &three], &cube, []);
            self.node("Mul", &[&cube, &part], &small, []);
            self.node("Add", &[input, &small], &sum, []);
            self.node("Mul", &[&sum, &factor], &inner, []);
            self.node("Tanh", &[&inner], &curve, []);
        }
        let (one, factor) = (self.number(out, "one", 1.0), self.number(out, "factor", 0.5));
        self.node("Add", &[&curve, &one], &gate, []);
        self.node("Mul", &[input, &gate], &half, []);
        self.node("Mul", &[&half, &factor], out, []);
    }

    fn attention(
        &mut self,
        node: &graph::Node,
        attention: &Attention,
        inputs: &[&str],
        out: &str,
        shape: Shape,
    ) -> Result<(), WeightsError> {
        let Shape::Tokens([count, channels]) = shape else { unreachable!("attention gives tokens") };
        let &Attention { heads, windows, scale, weighting, .. } = attention;
        let (length, each) = (count / windows, channels / heads);
        let part = |step: &str| format!("{out}.{step}");
        // [n, windows, heads, length, each], and the keys the other way round.
        let dims = [0, windows, length, heads, each].map(|size| size as i64);
        for (input, name) in inputs.iter().zip(["q", "k", "v"]) {
            let apart = part(&format!("{name}.apart"));
            self.reshape(input, &apart, &dims);
            let order = if name == "k" { [0, 1, 3, 4, 2] } else { [0, 1, 3, 2, 4] };
            self.node("Transpose", &[&apart], &part(name), [ints("perm", &order)]);
        }
        let mut scores = part("scaled");
        let factor = self.number(out, "scale", scale);
        self.node("MatMul", &[part("q"), part("k")], &part("scores"), []);
        self.node("Mul", &[part("scores"), factor], &scores, []);
        if let Some(bias) = &attention.bias {
            let tables = [bias.tables / heads, heads, bias.length, bias.length];
            let shift = self.parameters(node, |_| tables.to_vec())?.remove(0);
            let shifted = part("shifted");
            self.node("Add", &[scores, shift], &shifted, []);
            scores = shifted;
        }
        match weighting {
            Weighting::Softmax => {
                // The last axis, also in the sets of operators that count otherwise.
                self.node("Softmax", &[&scores], &part("weights"), [int("axis", 4)]);
            }
            Weighting::Mean => {
                let share = self.number(out, "share", 1.0 / length as f32);
                self.node("Mul", &[scores, share], &part("weights"), []);
            }
        }
        self.node("MatMul", &[part("weights"), part("v")], &part("means"), []);
        self.node("Transpose", &[part("means")], &part("joined"), [ints("perm", &[0, 1, 3, 2, 4])]);
        self.reshape(&part("joined"), out, &[0, count as i64, channels as i64]);
        Ok(())
    }

    fn reshape(&mut self, input: &str, out: &str, dims: &[i64]) {
        let sizes = format!("{out}.sizes");
        self.sizes(&sizes, dims);
        self.node("Reshape", &[input, &sizes], out, []);
    }

    /// Tokens as a map.
    fn untokens(&mut self, input: &str, out: &str, [channels, height, width]: [usize; 3]) {
        let turned = format!("{out}.turned");
        self.node("Transpose", &[input], &turned, [ints("perm", &[0, 2, 1])]);
        self.reshape(&turned, out, &[0, channels, height, width].map(|size| size as i64));
    }

    /// Of a value of shape `before`, along its axis of the channels.
    fn split(&mut self, split: &Split, input: &str, outs: &[String], (before, axis): (Shape, usize)) {
        if outs.len() > 1 && (split.start, split.length()) == (0, before.channels()) {
            let lengths = format!("{}.lengths", outs[0]);
            self.sizes(&lengths, &split.lengths.iter().map(|&length| length as i64).collect::<Vec<_>>());
            return self.node_of("Split", &[input, &lengths], outs, [int("axis", axis)]);
        }
        let mut start = split.start;
        for (out, &length) in outs.iter().zip(&split.lengths) {
            self.slice(input, out, axis, start, length);
            start += length;
        }
    }

    fn slice(&mut self, input: &str, out: &str, axis: usize, start: usize, length: usize) {
        let range = [("starts", start), ("ends", start + length), ("axes", axis)];
        let names = range.map(|(what, value)| {
            let name = format!("{out}.{what}");
            self.sizes(&name, &[value as i64]);
            name
        });
        let [starts, ends, axes] = &names;
        self.node("Slice", &[input, starts, ends, axes], out, []);
    }

    fn gather(&mut self, input: &str, out: &str, axis: usize, places: &[u32]) {
        let list = format!("{out}.list");
        self.sizes(&list, &places.iter().map(|&place| place.into()).collect::<Vec<i64>>());
        self.node("Gather", &[input, &list], out, [int("axis", axis)]);
    }

    /// The name of the sizes `[n, dims…]`, n being the batch of `input`.
    fn batch_of(&mut self, input: &str, out: &str, dims: &[usize]) -> String {
        let [shape, first, batch, rest, sizes] =
            ["shape", "first", "batch", "rest", "sizes"].map(|part| format!("{out}.{part}"));
        self.node("Shape", &[input], &shape, []);
        self.sizes(&first, &[0]);
        self.node("Gather", &[&shape, &first], &batch, [int("axis", 0)]);
        self.sizes(&rest, &dims.iter().map(|&size| size as i64).collect::<Vec<_>>());
        self.node("Concat", &[&batch, &rest], &sizes, [int("axis", 0)]);
        sizes
    }

    /// The name of one number.
    fn number(&mut self, out: &str, what: &str, value: f32) -> String {
        let name = format!("{out}.{what}");
        self.floats(&name, &[], &[value]);
        name
    }

    /// Each group's values in a row, whose mean and deviation instance norm takes; the result is `{out}.norm`.
    fn group_norm(&mut self, input: &str, out: &str, norm: &GroupNorm, shape: Shape) {
        let GroupNorm { groups, eps, .. } = *norm;
        let dims = match shape {
            Shape::Map([channels, height, width]) => [0, channels as i64, height as i64, width as i64],
            Shape::Tokens([height, channels]) => [0, channels as i64, height as i64, 1],
            Shape::Vector(channels) => [0, channels as i64, 1, 1],
        };
        let part = |step: &str| format!("{out}.{step}");
        let (rows, back, scale, bias) = (part("rows"), part("back"), part("ones"), part("zeros"));
        self.sizes(&rows, &[0, groups as i64, -1]);
        self.sizes(&back, &dims);
        self.floats(&scale, &[groups], &vec![1.0; groups]);
        self.floats(&bias, &[groups], &vec![0.0; groups]);
        self.node("Reshape", &[input, &rows], &part("grouped"), []);
        let inputs = [&part("grouped"), &scale, &bias];
        self.node("InstanceNormalization", &inputs, &part("level"), [float("epsilon", eps)]);
        self.node("Reshape", &[&part("level"), &back], &part("norm"), []);
    }

    fn affine(&mut self, node: &graph::Node, input: &str, out: &str) -> Result<(), WeightsError> {
        let parameters = self.parameters(node, |shape| [shape, &[1, 1]].concat())?;
        let scaled = format!("{out}.scaled");
        self.node("Mul", &[input, &parameters[0]], &scaled, []);
        self.node("Add", &[&scaled, &parameters[1]], out, []);
        Ok(())
    }

    /// The names of the node's parameters, which are initialisers from now on, their shapes as `shape` has them.
    fn parameters(
        &mut self,
        node: &graph::Node,
        shape: impl Fn(&[usize]) -> Vec<usize>,
    ) -> Result<Vec<String>, WeightsError> {
        let mut names = Vec::new();
        for (place, parameter) in node.parameters().into_iter().enumerate() {
            let tensor = self.parameter(node, place)?;
            // As the file that the network came from has it, unless the neck has one of that name.
            let mut name = parameter.name.strip_prefix("backbone.").unwrap_or(&parameter.name).to_owned();
            while self.names.get(&name).is_some_and(|other| *other != parameter.name) {
                name.insert(0, '_');
            }
            self.names.entry(name.clone()).or_insert_with(|| parameter.name.clone());
            self.floats(&name, &shape(&tensor.shape), &tensor.values);
            names.push(name);
        }
        Ok(names)
    }

    /// The node's parameter at this place.
    fn parameter(&self, node: &graph::Node, place: usize) -> Result<&'a Tensor, WeightsError> {
        let parameter = node.parameters().into_iter().nth(place).unwrap_or_else(|| unreachable!("the node has it"));
        let tensor = self.tensor(&parameter.name)?;
        if tensor.shape != parameter.shape || tensor.values.len() != parameter.shape.iter().product::<usize>() {
            let (found, expected) = (tensor.shape.clone(), parameter.shape);
            return Err(WeightsError::Shape { tensor: parameter.name, found, expected });
        }
        Ok(tensor)
    }

    fn tensor(&self, name: &str) -> Result<&'a Tensor, WeightsError> {
        let missing = || WeightsError::Unsupported(format!("there is no tensor `{name}` to write"));
        self.tensors.get(name).ok_or_else(missing)
    }

    /// A convolution's weights for images whose channels come the other way round.
    fn reversed(&mut self, name: &str) -> Result<String, WeightsError> {
        let tensor = self.tensor(name)?;
        let [_, channels, kernel @ ..] = &tensor.shape[..] else { return Ok(name.to_owned()) };
        let area: usize = kernel.iter().product();
        let outputs = tensor.values.chunks_exact(channels * area);
        let values: Vec<f32> = outputs.flat_map(|output| output.chunks_exact(area).rev().flatten().copied()).collect();
        let (shape, name) = (tensor.shape.clone(), format!("{name}.rgb"));
        self.floats(&name, &shape, &values);
        Ok(name)
    }

    fn node<S: AsRef<str>>(
        &mut self,
        kind: &str,
        inputs: &[S],
        out: &str,
        attributes: impl IntoIterator<Item = Attribute>,
    ) {
        self.node_of(kind, inputs, &[out.to_owned()], attributes);
    }

    /// A node of several values.
    fn node_of<S: AsRef<str>>(
        &mut self,
        kind: &str,
        inputs: &[S],
        outs: &[String],
        attributes: impl IntoIterator<Item = Attribute>,
    ) {
        let node = Node {
            inputs: inputs.iter().map(|input| input.as_ref().to_owned()).collect(),
            outputs: outs.to_vec(),
            name: format!("{kind} {}", outs[0]),
            kind: kind.to_owned(),
            attributes: attributes.into_iter().map(|attribute| encoded(&attribute)).collect(),
            domain: String::new(),
        };
        self.nodes.push(encoded(&node));
    }

    fn floats(&mut self, name: &str, dims: &[usize], values: &[f32]) {
        let raw = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let dims = dims.iter().map(|&size| size as i64).collect();
        self.initializer(Initializer { name: name.into(), dims, data_type: kind::F32, raw, ..Default::default() });
    }

    fn sizes(&mut self, name: &str, values: &[i64]) {
        let dims = vec![values.len() as i64];
        let int64s = values.to_vec();
        self.initializer(Initializer { name: name.into(), dims, data_type: kind::I64, int64s, ..Default::default() });
    }

    fn initializer(&mut self, tensor: Initializer) {
        if self.known.insert(tensor.name.clone()) {
            self.initializers.push(encoded(&tensor));
        }
    }

    fn file(
        self,
        name: String,
        image: [Option<usize>; 4],
        features: usize,
        notes: [Option<(&str, String)>; 2],
    ) -> Vec<u8> {
        let Self { nodes, initializers, .. } = self;
        let inputs = vec![value_info(IMAGE, &image)];
        let outputs = vec![value_info(FEATURE, &[None, Some(features)])];
        let graph = Graph { nodes, name, initializers, inputs, outputs };
        let operator_sets = vec![OperatorSet { domain: String::new(), version: OPERATOR_SET }];
        let producer = PRODUCER.to_owned();
        let notes = notes.into_iter().flatten();
        let notes = notes.map(|(key, value)| encoded(&Note { key: key.into(), value })).collect();
        Model { version: FORMAT_VERSION, producer, graph: Some(graph), operator_sets, notes }.encode_to_vec()
    }
}

/// `None` is the batch, which may be any.
fn value_info(name: &str, dims: &[Option<usize>]) -> Bytes {
    let dims = dims.iter().map(|size| match size {
        Some(size) => Dimension { value: Some(*size as i64), name: None },
        None => Dimension { value: None, name: Some("batch".into()) },
    });
    let shape = Some(TensorShape { dims: dims.collect() });
    let tensor = Some(TensorType { data_type: kind::F32, shape });
    encoded(&ValueInfo { name: name.into(), kind: Some(ValueType { tensor }) })
}

fn encoded(message: &impl Message) -> Bytes {
    message.encode_to_vec().into()
}

/// The axis of the channels, the batch counted.
fn channel_axis(shape: Shape) -> usize {
    if matches!(shape, Shape::Tokens(_)) { 2 } else { 1 }
}

fn text(name: &str, word: &str) -> Attribute {
    Attribute {
        name: name.into(),
        s: Bytes::copy_from_slice(word.as_bytes()),
        kind: kind::ATTRIBUTE_TEXT,
        ..Default::default()
    }
}

fn float(name: &str, f: f32) -> Attribute {
    Attribute { name: name.into(), f, kind: kind::ATTRIBUTE_FLOAT, ..Default::default() }
}

fn int(name: &str, value: usize) -> Attribute {
    Attribute { name: name.into(), i: value as i64, kind: kind::ATTRIBUTE_INT, ..Default::default() }
}

fn ints(name: &str, values: &[usize]) -> Attribute {
    let ints = values.iter().map(|&value| value as i64).collect();
    Attribute { name: name.into(), ints, kind: kind::ATTRIBUTE_INTS, ..Default::default() }
}

fn pads(Padding { top, left, bottom, right }: Padding) -> Attribute {
    ints("pads", &[top, left, bottom, right])
}

fn window(pool: &Pool) -> [Attribute; 4] {
    [
        ints("kernel_shape", &pool.kernel),
        ints("strides", &pool.stride),
        pads(pool.padding),
        int("ceil_mode", pool.ceil.into()),
    ]
}
