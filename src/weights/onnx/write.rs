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
use super::{FILTER, PRODUCER};
use crate::graph::budget::NODES;
use crate::graph::op::{Affine, AveragePool, BatchNorm, GemPool, GroupNorm, InstanceNorm, MaxPool, Split};
use crate::graph::{self, Op, Padding, Pool, Shape};
use crate::kernels::frozen::preprocess::Filter;
use crate::model::{ChannelOrder, ConfigError, InputConfig, ReIdentifierConfig};
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
    let InputConfig { height, width, mean, std, order, filter } = &config.input;
    let (height, width) = (*height, *width);
    let shapes = graph.shapes(height, width).map_err(ConfigError::from)?;
    let mut writer =
        Writer { tensors, nodes: Vec::new(), initializers: Vec::new(), known: BTreeSet::new(), names: BTreeMap::new() };
    let bgr = (*order == ChannelOrder::Bgr).then(|| first_convolution(&graph)).transpose()?;
    let plain = InputConfig::default();
    let mut image = IMAGE.to_owned();
    let mut mean_and_std = [*mean, *std];
    if bgr.is_some() {
        mean_and_std.iter_mut().for_each(|values| values.reverse());
    }
    if mean_and_std != [plain.mean, plain.std] {
        // Images of 0…1 are told by small numbers that are not none at all.
        let is_unit = mean_and_std.concat().iter().all(|value| *value <= 1.0) && (*mean, *std) != ([0.0; 3], [1.0; 3]);
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
    for (id, node) in graph.nodes.iter().enumerate().take(graph.embedding + 1) {
        let name = |&input: &usize| if input == 0 { image.clone() } else { format!("v{input}") };
        let inputs: Vec<String> = node.inputs.iter().map(name).collect();
        let before = node.inputs.first().and_then(|&input| match shapes[input] {
            Shape::Map([_, height, width]) => Some([height, width]),
            _ => None,
        });
        writer.step(node, &inputs, &format!("v{id}"), (before, shapes[id]), bgr == Some(id))?;
    }
    writer.node("Flatten", &[&format!("v{}", graph.embedding)], FEATURE, []);
    let dims = [None, Some(3), Some(height), Some(width)];
    let nodes = writer.nodes.len();
    let file = writer.file(config.backbone.to_string(), dims, config.features_dim(), *filter);
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
    let mut readers = graph.nodes.iter().enumerate().filter(|(_, node)| node.inputs.contains(&0));
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
    fn step(
        &mut self,
        node: &graph::Node,
        inputs: &[String],
        out: &str,
        (before, shape): (Option<[usize; 2]>, Shape),
        bgr: bool,
    ) -> Result<(), WeightsError> {
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
                if pool.ceil
                    && before.map(|map| Pool { ceil: false, ..*pool }.output(map)) != before.map(|map| pool.output(map))
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
            Op::GlobalAveragePool => self.node("GlobalAveragePool", &inputs, out, []),
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
            Op::Multiply => self.node("Mul", &inputs, out, []),
            Op::Split(Split { start, length }) => {
                let range = [("starts", *start), ("ends", start + length), ("axes", 1)];
                let names = range.map(|(what, value)| {
                    let name = format!("{out}.{what}");
                    self.sizes(&name, &[value as i64]);
                    name
                });
                let [starts, ends, axes] = &names;
                self.node("Slice", &[inputs[0], starts, ends, axes], out, []);
            }
            Op::Concatenate => self.node("Concat", &inputs, out, [int("axis", 1)]),
            op => {
                return Err(WeightsError::Unsupported(format!(
                    "{} is not written as ONNX yet; write the network in our own form",
                    op.kind()
                )));
            }
        }
        Ok(())
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
        let node = Node {
            inputs: inputs.iter().map(|input| input.as_ref().to_owned()).collect(),
            outputs: vec![out.to_owned()],
            name: format!("{kind} {out}"),
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

    fn file(self, name: String, image: [Option<usize>; 4], features: usize, filter: Filter) -> Vec<u8> {
        let Self { nodes, initializers, .. } = self;
        let inputs = vec![value_info(IMAGE, &image)];
        let outputs = vec![value_info(FEATURE, &[None, Some(features)])];
        let graph = Graph { nodes, name, initializers, inputs, outputs };
        let operator_sets = vec![OperatorSet { domain: String::new(), version: OPERATOR_SET }];
        let producer = PRODUCER.to_owned();
        let note = || encoded(&Note { key: FILTER.into(), value: filter.to_string() });
        let notes = (filter != Filter::default()).then(note).into_iter().collect();
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
