//! What each operator means in a graph of ours.
//!
//! Exporters compute shapes in the network itself (`Shape`, `Gather`, `Concat`, `Reshape`), and spell out what is one layer
//! here, generalised-mean pooling and the division by a feature's length: both are followed over several nodes, and any
//! other use of what lies between is refused.

use std::collections::{BTreeMap, HashMap};

use super::file::{Image, Network, Node, Numbers};
use super::{damaged, proto};
use crate::graph::budget::{self, AXES, LIST};
use crate::graph::op::{AveragePool, BatchNorm, EPS, GemPool, MaxPool};
use crate::graph::{Convolution, Op, Padding, Pool, Shape};
use crate::model::ReIdentifierConfig;
use crate::weights::images::{Hints, Images, Range};
use crate::weights::import::{self, Importer};
use crate::weights::input::InputOptions;
use crate::weights::operators::{Arithmetic, EPSILON, Floats, Flow, Operators, Refusal, unsupported};
use crate::weights::sizes::{self, Places, Size, Sizes};
use crate::weights::{Tensor, WeightsError};

/// What a node gives.
#[derive(Clone)]
enum Value {
    Flow(Flow),
    /// All images' values in a row, of which an image has `lead` times its view.
    Row {
        flow: Flow,
        lead: usize,
    },
    Floats(Floats),
    /// Whole numbers: a shape, or a part of one.
    Sizes(Sizes),
    /// Those that differ from image to image.
    Places(Places),
    /// A vector `[channels, 1, 1]` laid over a map.
    Spread(Flow),
    /// On the way to a generalised mean.
    Power(Power),
    /// The length of a vector.
    Length(import::Value),
    /// A vector divided by its length.
    Unit(Flow),
}

/// `mean(max(x, least)^exponent)`, as far as it has come.
#[derive(Clone)]
struct Power {
    x: Flow,
    exponent: Option<f64>,
    /// Once the mean is taken: whether the file sees it as a map of one pixel.
    mean: Option<bool>,
}

/// The least value that generalised-mean pooling takes; below a smaller one no feature differs by more.
const GEM_LEAST: f64 = 1e-6;
/// The least length that a feature is divided by.
const LEAST_LENGTH: f64 = 1e-3;

pub(super) struct Translation {
    pub config: ReIdentifierConfig,
    pub tensors: BTreeMap<String, Tensor>,
    pub images: Images,
    /// The word for a size that the file leaves open.
    pub size_assumed: Option<String>,
    /// Whether the network ends by dividing the feature by its length.
    pub unit: bool,
}

/// The model that the network is, without neck and head, and its tensors by our names. `file` is the length of the file.
/// `input` is what the user says of the image.
pub(super) fn translate(network: &Network, file: usize, input: &InputOptions) -> Result<Translation, WeightsError> {
    let size = image_size(&network.image)?;
    let [height, width] = input.size(size)?;
    let size_assumed = input.size_assumed(size, [height, width]);
    let (importer, image) = Importer::new(height, width);
    budget::map(|| format!("`{}`", network.image.name), image.shape)?;
    let operators = Operators::new(importer, file);
    let batch = network.image.dims.first().copied().flatten().and_then(|batch| i64::try_from(batch).ok());
    let mut translator = Translator { network, operators, values: HashMap::new(), batch };
    translator.give(&network.image.name, Value::Flow(Flow::of(image)))?;
    for node in &network.nodes {
        let node = Node::open(node)?;
        translator.translate(&node)?;
    }
    let (flow, unit) = match translator.value(&network.output).map(|value| translator.alone(value))? {
        Value::Flow(flow) => (flow, false),
        Value::Unit(flow) => (flow, true),
        _ => {
            let reason = "it is no value of the image alone".into();
            return Err(WeightsError::Operator { operator: "output".into(), node: network.output.clone(), reason });
        }
    };
    let mut operators = translator.operators;
    // Large networks fill the memory of a browser several times over.
    drop(translator.values);
    let output = operators.vector(&flow).map_err(|_| {
        let reason = format!(
            "a map of {:?} an image, seen as {:?}, is not taken as a feature; a vector [channels] is, or a map of one pixel",
            flow.at.shape.dims(),
            flow.view
        );
        WeightsError::Operator { operator: "output".into(), node: network.output.clone(), reason }
    })?;
    let stated = network.image.is_bytes.then_some(Range::Bytes);
    let hints = Hints { stated, ours: network.is_ours, ..Default::default() };
    let images = operators.importer().settle(output, &hints, input)?;
    let (config, tensors) = operators.finish(network.name.clone(), output);
    Ok(Translation { config, tensors, images, size_assumed, unit })
}

/// Height and width, which the file may leave open.
fn image_size(image: &Image) -> Result<[Option<usize>; 2], WeightsError> {
    match image.dims[..] {
        [] => Some([None; 2]),
        [_, None | Some(3), height, width] => Some([height, width]),
        _ => None,
    }
    .filter(|size| size.iter().flatten().all(|size| *size <= 1 << 16))
    .ok_or_else(|| {
        let reason = format!("an image of {:?} is not read, [batch, 3, height, width] is", image.dims);
        WeightsError::Operator { operator: "input".into(), node: image.name.clone(), reason }
    })
}

struct Translator<'a> {
    network: &'a Network,
    operators: Operators,
    values: HashMap<&'a str, Value>,
    /// The batch that the file was written for, if it says so.
    batch: Option<i64>,
}

impl<'a> Translator<'a> {
    fn translate(&mut self, node: &Node<'a>) -> Result<(), WeightsError> {
        let value = match node.kind {
            "Constant" => self.constant(node),
            "Identity" | "Dropout" => self.input(node, 0),
            "Cast" => self.cast(node),
            "Shape" => self.shape(node),
            "Gather" => self.gather(node),
            "Slice" => self.slice(node),
            "Split" => return self.split(node),
            "Concat" => self.concat(node),
            "Reshape" => self.reshape(node),
            "Flatten" => self.flatten(node),
            "Squeeze" => self.squeeze(node),
            "Unsqueeze" => self.unsqueeze(node),
            "Transpose" => self.transpose(node),
            "Expand" => self.expand(node),
            "Tile" => self.tile(node),
            "ConstantOfShape" => self.constant_of_shape(node),
            "Range" => self.range(node),
            "Equal" => self.equal(node),
            "Where" => self.choose(node),
            "Pad" => self.pad(node),
            "Conv" => self.convolution(node),
            "Gemm" => self.gemm(node),
            "MatMul" => self.mat_mul(node),
            "BatchNormalization" => self.batch_norm(node),
            "InstanceNormalization" => self.instance_norm(node),
            "Relu" => self.each(node, Op::Relu),
            "Sigmoid" => self.each(node, Op::Sigmoid),
            "PRelu" => self.prelu(node),
            "LeakyRelu" => self.leaky_relu(node),
            "Clip" => self.clip(node),
            "Max" => self.max(node),
            "Pow" => self.power(node),
            "Sqrt" | "Reciprocal" => self.of_constant(node),
            "MaxPool" => self.pool(node, |pool| MaxPool(pool).into()),
            "AveragePool" => self.pool(node, |pool| AveragePool(pool).into()),
            "GlobalAveragePool" => self.mean(node, true),
            "GlobalMaxPool" => self.maximum(node, true),
            "ReduceMean" => self.reduce(node, Self::mean),
            "ReduceMax" => self.reduce(node, Self::maximum),
            "ReduceL2" => self.length(node),
            "LpNormalization" => self.unit(node),
            "Add" => self.arithmetic(node, Arithmetic::Add),
            "Sub" => self.arithmetic(node, Arithmetic::Subtract),
            "Mul" => self.arithmetic(node, Arithmetic::Multiply),
            "Div" => self.arithmetic(node, Arithmetic::Divide),
            _ => Err(node.unsupported("there is nothing like it here")),
        }?;
        let output = node.outputs.first().ok_or_else(|| damaged(format!("`{}` gives nothing", node.name)))?;
        self.give(output, value)
    }

    // The inputs.

    /// What an earlier node gave, or a tensor of the file.
    fn value(&mut self, name: &str) -> Result<Value, WeightsError> {
        if let Some(value) = self.values.get(name) {
            return Ok(value.clone());
        }
        let network = self.network;
        let (name, tensor) = network.tensors.get_key_value(name).ok_or_else(|| {
            damaged(format!(
                "`{name}` is read, which no node before gives: it is missing, or the nodes stand in a circle"
            ))
        })?;
        let (shape, numbers) = tensor.numbers()?;
        let value = self.numbers(name, shape, numbers)?;
        self.values.insert(name, value.clone());
        Ok(value)
    }

    fn numbers(&mut self, name: &str, shape: Vec<usize>, numbers: Numbers) -> Result<Value, WeightsError> {
        let (count, value) = match numbers {
            Numbers::Floats(values) => {
                (values.len(), Value::Floats(Floats { shape, values: values.into(), name: name.into() }))
            }
            Numbers::Integers(values) => {
                let list: Vec<Size> = values.into_iter().map(Size::Known).collect();
                (list.len(), Value::Sizes(Sizes { shape, list: list.into() }))
            }
        };
        self.operators.budget().spend(count).map_err(|error| error.of(format!("the tensor `{name}`")))?;
        Ok(value)
    }

    fn has(&self, node: &Node, port: usize) -> bool {
        node.inputs.get(port).is_some_and(|name| !name.is_empty())
    }

    fn input(&mut self, node: &Node, port: usize) -> Result<Value, WeightsError> {
        match node.inputs.get(port) {
            Some(name) if !name.is_empty() => self.value(name),
            _ => Err(damaged(format!("`{}` lacks its input {port}", node.name))),
        }
    }

    /// Of a batch of one that lost its dimension, the value of the image.
    fn alone(&self, value: Value) -> Value {
        match value {
            Value::Row { flow, lead } if self.batch == Some(1) && flow.view.is_empty() => {
                Value::Flow(Flow { view: vec![lead], ..flow })
            }
            value => value,
        }
    }

    fn flow_at(&mut self, node: &Node, port: usize) -> Result<Flow, WeightsError> {
        let value = self.input(node, port)?;
        match self.alone(value) {
            Value::Flow(flow) => Ok(flow),
            Value::Row { flow, lead } => {
                let view = flow.view;
                Err(node.unsupported(format!(
                    "its input has the values of all images in a row, [batch · {lead}, {view:?}]"
                )))
            }
            Value::Unit(_) => {
                Err(node.unsupported("its input is a vector divided by its length, which only the feature may be"))
            }
            Value::Power(_) => {
                Err(node.unsupported("its input is a part of a generalised-mean pooling that is not whole"))
            }
            Value::Spread(_) => {
                Err(node.unsupported("its input is a vector laid over a map, which only a product may have"))
            }
            Value::Length(_) => Err(node.unsupported("its input is the length of a vector, which may only divide it")),
            Value::Floats(_) | Value::Sizes(_) | Value::Places(_) => {
                Err(node.unsupported(format!("its input {port} does not depend on the image")))
            }
        }
    }

    fn floats_at(&mut self, node: &Node, port: usize) -> Result<Floats, WeightsError> {
        match self.input(node, port)? {
            Value::Floats(floats) => Ok(floats),
            _ => Err(node.unsupported(format!("its input {port} is not constant"))),
        }
    }

    /// As many constants as there are channels.
    fn channels_at(&mut self, node: &Node, port: usize, channels: usize) -> Result<Vec<f32>, WeightsError> {
        let floats = self.floats_at(node, port)?;
        if floats.values.len() != channels {
            let found = floats.values.len();
            return Err(damaged(format!("`{}` has {found} numbers for {channels} channels", node.name)));
        }
        Ok(floats.values.to_vec())
    }

    fn sizes_at(&mut self, node: &Node, port: usize) -> Result<Sizes, WeightsError> {
        match self.input(node, port)? {
            Value::Sizes(sizes) => Ok(sizes),
            _ => Err(node.unsupported(format!("its input {port} is no list of whole numbers"))),
        }
    }

    /// Constant whole numbers.
    fn integers_at(&mut self, node: &Node, port: usize) -> Result<Vec<i64>, WeightsError> {
        let sizes = self.sizes_at(node, port)?;
        let what = || format!("the input {port} of `{}` ({})", node.name, node.kind);
        budget::within(what, sizes.list.len() as u64, "whole numbers", LIST as u64)?;
        sizes.known().ok_or_else(|| node.unsupported("it depends on the batch"))
    }

    /// The same, or sizes that may depend on the batch.
    fn sizes(&mut self, node: &Node, name: &str, port: usize) -> Result<Option<Sizes>, WeightsError> {
        if let Some(attribute) = node.attribute(name) {
            return Ok(Some(Sizes::list(attribute.ints.iter().map(|&size| Size::Known(size)).collect::<Vec<_>>())));
        }
        if self.has(node, port) { self.sizes_at(node, port).map(Some) } else { Ok(None) }
    }

    /// Constant whole numbers that older files have as an attribute and newer ones as an input; `None` where they are left out.
    fn integers(&mut self, node: &Node, name: &str, port: usize) -> Result<Option<Vec<i64>>, WeightsError> {
        if let Some(attribute) = node.attribute(name) {
            return Ok(Some(attribute.ints.clone()));
        }
        if self.has(node, port) { self.integers_at(node, port).map(Some) } else { Ok(None) }
    }

    /// One constant that older files have as an attribute and newer ones as an input; `None` where it is left out.
    fn number(&mut self, node: &Node, name: &str, port: usize) -> Result<Option<f64>, WeightsError> {
        if let Some(attribute) = node.attribute(name) {
            return Ok(Some(attribute.f.into()));
        }
        if !self.has(node, port) {
            return Ok(None);
        }
        match self.input(node, port)? {
            Value::Floats(Floats { values, .. }) if values.len() == 1 => Ok(Some(values[0].into())),
            Value::Sizes(sizes) if let Some(Size::Known(value)) = sizes.single() => Ok(Some(value as f64)),
            _ => Err(node.unsupported(format!("its input {port} is not one constant"))),
        }
    }

    // The outputs.

    fn give(&mut self, name: &'a str, mut value: Value) -> Result<(), WeightsError> {
        if name.is_empty() {
            return Ok(());
        }
        let axes = match &value {
            Value::Flow(flow) | Value::Row { flow, .. } => flow.view.len(),
            Value::Spread(flow) | Value::Unit(flow) | Value::Power(Power { x: flow, .. }) => flow.view.len(),
            Value::Floats(floats) => floats.shape.len(),
            Value::Sizes(Sizes { shape, .. }) | Value::Places(Places { shape, .. }) => shape.len(),
            Value::Length(_) => 0,
        };
        budget::within(|| format!("`{name}`"), axes as u64, "dimensions", AXES as u64)?;
        let alone = self.network.is_read_once(name);
        match &mut value {
            Value::Flow(flow) | Value::Row { flow, .. } | Value::Spread(flow) | Value::Power(Power { x: flow, .. }) => {
                flow.alone &= alone;
            }
            _ => {}
        }
        match self.values.insert(name, value) {
            Some(_) => Err(damaged(format!("two nodes give `{name}`"))),
            None => Ok(()),
        }
    }

    // Constants and shapes.

    fn constant(&mut self, node: &Node) -> Result<Value, WeightsError> {
        let name = node.outputs.first().map_or(node.name, String::as_str);
        let one = |attribute: &str| node.attribute(attribute);
        let (shape, numbers) = if let Some(tensor) = one("value").and_then(|attribute| attribute.t.as_ref()) {
            tensor.numbers()?
        } else if let Some(attribute) = one("value_float") {
            (vec![], Numbers::Floats(vec![attribute.f]))
        } else if let Some(attribute) = one("value_floats") {
            (vec![attribute.floats.len()], Numbers::Floats(attribute.floats.clone()))
        } else if let Some(attribute) = one("value_int") {
            (vec![], Numbers::Integers(vec![attribute.i]))
        } else if let Some(attribute) = one("value_ints") {
            (vec![attribute.ints.len()], Numbers::Integers(attribute.ints.clone()))
        } else {
            return Err(node.unsupported("its value is neither a tensor nor numbers"));
        };
        self.numbers(name, shape, numbers)
    }

    fn cast(&mut self, node: &Node) -> Result<Value, WeightsError> {
        let to = node.integer("to", 0);
        match (self.input(node, 0)?, to) {
            (value @ (Value::Sizes(_) | Value::Places(_)), 6 | 7) => Ok(value),
            // Of what compares: 0 or 1 already.
            (Value::Sizes(sizes), 9)
                if sizes.known().is_some_and(|list| list.iter().all(|size| matches!(size, 0 | 1))) =>
            {
                Ok(Value::Sizes(sizes))
            }
            (Value::Sizes(sizes), 1 | 10 | 11 | 16) if let Some(known) = sizes.known() => {
                self.operators.spend(known.len()).map_err(|refusal| node.refuse(refusal))?;
                let values = known.into_iter().map(|size| size as f32).collect();
                Ok(Value::Floats(Floats { shape: sizes.shape, values, name: "".into() }))
            }
            (Value::Sizes(_) | Value::Places(_), _) => Err(node.unsupported(format!("to ONNX's type {to}"))),
            (value, 1 | 10 | 11 | 16) => Ok(value),
            _ => Err(node.unsupported(format!("to ONNX's type {to}"))),
        }
    }

    fn shape(&mut self, node: &Node) -> Result<Value, WeightsError> {
        let list = match self.input(node, 0)? {
            Value::Flow(flow) | Value::Unit(flow) => Sizes::of_view(&flow.view).list,
            Value::Row { flow, lead } => {
                let first = Size::Batch(i64::try_from(lead).unwrap_or(i64::MAX));
                [first].into_iter().chain(flow.view.into_iter().map(sizes::known)).collect()
            }
            Value::Sizes(Sizes { shape, .. }) | Value::Floats(Floats { shape, .. }) => {
                shape.into_iter().map(sizes::known).collect()
            }
            _ => return Err(node.unsupported("of what is no value of the network")),
        };
        let range = range(node.integer("start", 0), node.integer("end", i64::MAX), list.len());
        Ok(Value::Sizes(Sizes::list(&list[range])))
    }

    /// A part of a shape, the only one of an axis, or each image's part of a row.
    fn gather(&mut self, node: &Node) -> Result<Value, WeightsError> {
        let (value, at) = (self.input(node, 0)?, self.input(node, 1)?);
        match (value, at) {
            (Value::Sizes(sizes), Value::Sizes(at)) if sizes.shape.len() == 1 => {
                self.operators.spend(at.list.len()).map_err(|refusal| node.refuse(refusal))?;
                sizes.gathered(&at).map(Value::Sizes).map_err(|refusal| node.refuse(refusal))
            }
            (Value::Row { flow, lead }, at) if flow.view.is_empty() => {
                if let Value::Sizes(sizes) = &at {
                    self.operators.spend(sizes.list.len()).map_err(|refusal| node.refuse(refusal))?;
                }
                let places = match at {
                    Value::Places(places) => Some(places),
                    Value::Sizes(sizes) => Places::of(&sizes),
                    _ => None,
                };
                let places = places.filter(|places| usize::try_from(places.step) == Ok(lead));
                let places = places.ok_or_else(|| node.unsupported("of other values than each image's own"))?;
                let row = Flow { view: vec![lead], ..flow };
                let picked = self.operators.picked(row, &places.first, places.shape);
                picked.map(Value::Flow).map_err(|refusal| node.refuse(refusal))
            }
            (Value::Flow(mut flow), Value::Sizes(at)) => {
                let places = self.integers_at(node, 1)?;
                let axis = axis(node, node.integer("axis", 0), flow.view.len() + 1)?;
                match (&places[..], axis.checked_sub(1)) {
                    (&[0 | -1], Some(place)) if flow.view[place] == 1 => {
                        if at.shape.is_empty() {
                            flow.view.remove(place);
                        }
                        Ok(Value::Flow(flow))
                    }
                    // The only image of a batch of one.
                    (&[0 | -1], None) if self.batch == Some(1) => {
                        if !at.shape.is_empty() {
                            return Ok(Value::Flow(flow));
                        }
                        without_batch(flow).ok_or_else(|| node.unsupported("of an image without values"))
                    }
                    _ => Err(node.unsupported(format!("of some values along the axis {axis}"))),
                }
            }
            _ => {
                self.sizes_at(node, 1)?;
                Err(node.unsupported("of other values than the network's"))
            }
        }
    }

    fn slice(&mut self, node: &Node) -> Result<Value, WeightsError> {
        let missing = || damaged(format!("`{}` does not say where it begins and ends", node.name));
        let starts = self.integers(node, "starts", 1)?.ok_or_else(missing)?;
        let ends = self.sizes(node, "ends", 2)?.ok_or_else(missing)?.list;
        let axes = self.integers(node, "axes", 3)?.unwrap_or_else(|| (0..starts.len() as i64).collect());
        let steps = self.integers(node, "steps", 4)?;
        if steps.is_some_and(|steps| steps.iter().any(|step| *step != 1)) {
            return Err(node.unsupported("in steps other than 1"));
        }
        if starts.len() != ends.len() || starts.len() != axes.len() {
            return Err(missing());
        }
        let mut value = self.input(node, 0)?;
        for ((start, &end), along) in starts.into_iter().zip(&ends[..]).zip(axes) {
            value = match (value, end) {
                (Value::Sizes(sizes), Size::Known(end)) if sizes.shape.len() == 1 => {
                    axis(node, along, 1)?;
                    let range = range(start, end, sizes.list.len());
                    self.operators.spend(range.len()).map_err(|refusal| node.refuse(refusal))?;
                    Value::Sizes(Sizes::list(&sizes.list[range]))
                }
                (Value::Flow(flow), end) if axis(node, along, flow.view.len() + 1)? == 0 => {
                    // All images, or as many as the file was written for.
                    let is_whole = match end {
                        Size::Batch(times) => times > 0,
                        Size::Known(end) => end >= self.batch.unwrap_or(i64::from(i32::MAX)),
                    };
                    if start != 0 || !is_whole {
                        return Err(node.unsupported("of some images of the batch"));
                    }
                    Value::Flow(flow)
                }
                (Value::Flow(flow), Size::Known(end)) => {
                    let Some(place) = axis(node, along, flow.view.len() + 1)?.checked_sub(1) else {
                        return Err(node.unsupported("of some images of the batch"));
                    };
                    let range = range(start, end, flow.view[place]);
                    let part = self.part(flow, place, range.start, range.len());
                    Value::Flow(part.map_err(|refusal| node.refuse(refusal))?)
                }
                _ => return Err(node.unsupported("of other values than the network's")),
            };
        }
        Ok(value)
    }

    /// `length` of the values along an axis (the batch is not counted).
    fn part(&mut self, flow: Flow, place: usize, start: usize, length: usize) -> Result<Flow, Refusal> {
        if length == flow.view[place] {
            return Ok(flow);
        }
        if length == 0 {
            return Err(Refusal::Damaged("takes nothing".into()));
        }
        if place == 0 {
            return self.operators.split(&flow, start, length);
        }
        let Shape::Map([channels, height, width]) = flow.map()?.shape else {
            return unsupported("of no map");
        };
        // Rows or columns: a convolution of each channel for itself, whose windows fit as often as they are wanted and are 1
        // at the first of them.
        let size = if place == 1 { height } else { width };
        let reach = size - length + 1;
        let kernel = if place == 1 { [reach, 1] } else { [1, reach] };
        self.operators.spend(channels.saturating_mul(reach))?;
        let mut window = vec![0.0; reach];
        window[start] = 1.0;
        let weight = Floats {
            shape: vec![channels, 1, kernel[0], kernel[1]],
            values: window.repeat(channels).into(),
            name: "".into(),
        };
        let (stride, padding) = ([1, 1], [0, 0]);
        let (inputs, outputs, groups) = (channels, channels, channels);
        let name = String::new();
        let convolution = Convolution {
            name,
            inputs,
            outputs,
            kernel,
            stride,
            padding: padding.into(),
            groups,
            bias: false,
            dilation: [1, 1],
        };
        self.operators.convolution(&flow, convolution, &weight)
    }

    fn split(&mut self, node: &Node<'a>) -> Result<(), WeightsError> {
        let value = self.input(node, 0)?;
        if let Value::Sizes(list) = &value {
            axis(node, node.integer("axis", 0), list.shape.len())?;
            self.operators.spend(list.list.len()).map_err(|refusal| node.refuse(refusal))?;
        }
        let (total, place) = match &value {
            Value::Sizes(list) if list.shape.len() == 1 => (list.list.len(), 0),
            _ => {
                let flow = self.flow_at(node, 0)?;
                let Some(place) = axis(node, node.integer("axis", 0), flow.view.len() + 1)?.checked_sub(1) else {
                    return Err(node.unsupported("of some images of the batch"));
                };
                (flow.view[place], place)
            }
        };
        let parts = node.outputs.len();
        let lengths = match self.integers(node, "split", 1)? {
            Some(lengths) => lengths,
            None => {
                let each = total.div_ceil(parts.max(1));
                let begin = |part: usize| (part * each).min(total);
                (0..parts).map(|part| (begin(part + 1) - begin(part)) as i64).collect()
            }
        };
        let mut start = 0;
        let wrong = || damaged(format!("the parts of `{}`, {lengths:?}, do not make its {total} values", node.name));
        if lengths.len() != parts {
            return Err(wrong());
        }
        for (name, &length) in node.outputs.iter().zip(&lengths) {
            let length = usize::try_from(length).ok().filter(|length| *length <= total - start).ok_or_else(wrong)?;
            let part = match &value {
                Value::Sizes(list) => Value::Sizes(Sizes::list(&list.list[start..][..length])),
                _ => {
                    let flow = self.flow_at(node, 0)?;
                    Value::Flow(self.part(flow, place, start, length).map_err(|refusal| node.refuse(refusal))?)
                }
            };
            start += length;
            self.give(name, part)?;
        }
        if start == total { Ok(()) } else { Err(wrong()) }
    }

    fn concat(&mut self, node: &Node) -> Result<Value, WeightsError> {
        let along = node.integer("axis", 1);
        let inputs = (0..node.inputs.len()).map(|port| self.input(node, port)).collect::<Result<Vec<Value>, _>>()?;
        if matches!(inputs.first(), Some(Value::Sizes(_))) {
            let parts = (0..inputs.len()).map(|port| self.sizes_at(node, port)).collect::<Result<Vec<Sizes>, _>>()?;
            let joined = Sizes::joined(&parts, self.operators.budget());
            return joined.map(Value::Sizes).map_err(|refusal| node.refuse(refusal));
        }
        let flows = (0..inputs.len()).map(|port| self.flow_at(node, port)).collect::<Result<Vec<Flow>, _>>()?;
        self.operators.concatenate(&flows, along).map(Value::Flow).map_err(|refusal| node.refuse(refusal))
    }

    // The same values in another shape.

    fn reshape(&mut self, node: &Node) -> Result<Value, WeightsError> {
        let target = self.sizes_at(node, 1)?.list;
        let keeps = node.integer("allowzero", 0) == 0;
        let (flow, lead) = match self.input(node, 0)? {
            Value::Sizes(sizes) => {
                let shape = constant_shape(node, &sizes.shape, &target, keeps)?;
                return Ok(Value::Sizes(Sizes { shape, ..sizes }));
            }
            Value::Floats(floats) => {
                let shape = constant_shape(node, &floats.shape, &target, keeps)?;
                return Ok(Value::Floats(Floats { shape, ..floats }));
            }
            // The batch and ones around it.
            Value::Places(places) if places.shape.iter().all(|size| *size == 1) && !target.is_empty() => {
                let first = matches!(target[0], Size::Batch(1) | Size::Known(-1))
                    || self.batch.map(Size::Known) == Some(target[0]);
                if !first || target.iter().skip(1).any(|size| *size != Size::Known(1)) {
                    return Err(node.unsupported("of the images' numbers"));
                }
                return Ok(Value::Places(Places { shape: vec![1; target.len() - 1], ..places }));
            }
            Value::Row { flow, lead } => (flow, lead),
            _ => (self.flow_at(node, 0)?, 1),
        };
        let reshaped = flow.reshape(lead, &target, keeps, &mut self.batch);
        let (flow, lead) = reshaped.map_err(|refusal| node.refuse(refusal))?;
        Ok(if lead == 1 { Value::Flow(flow) } else { Value::Row { flow, lead } })
    }

    fn flatten(&mut self, node: &Node) -> Result<Value, WeightsError> {
        let flow = self.flow_at(node, 0)?;
        if axis(node, node.integer("axis", 1), flow.view.len() + 1)? != 1 {
            return Err(node.unsupported("along another axis than the channels"));
        }
        let view = vec![flow.view.iter().product()];
        Ok(Value::Flow(Flow { view, ..flow }))
    }

    fn squeeze(&mut self, node: &Node) -> Result<Value, WeightsError> {
        let axes = self.integers(node, "axes", 1)?;
        let remove = |shape: &[usize], batch: usize| -> Result<Vec<usize>, WeightsError> {
            let Some(axes) = &axes else { return Ok(shape.iter().copied().filter(|size| *size != 1).collect()) };
            let places = axes.iter().map(|along| axis(node, *along, shape.len() + batch));
            let places = places.collect::<Result<Vec<usize>, _>>()?;
            if places.iter().any(|&place| place < batch || shape[place - batch] != 1) {
                return Err(node.unsupported(format!("of the axes {axes:?} of [batch, {shape:?}]")));
            }
            let kept = shape.iter().enumerate().filter(|(place, _)| !places.contains(&(place + batch)));
            Ok(kept.map(|(_, size)| *size).collect())
        };
        match self.input(node, 0)? {
            Value::Sizes(sizes) => Ok(Value::Sizes(Sizes { shape: remove(&sizes.shape, 0)?, ..sizes })),
            Value::Floats(floats) => {
                let shape = remove(&floats.shape, 0)?;
                Ok(Value::Floats(Floats { shape, ..floats }))
            }
            _ => {
                let flow = self.flow_at(node, 0)?;
                if self.batch == Some(1) && axes.as_deref() == Some(&[0]) {
                    return without_batch(flow).ok_or_else(|| node.unsupported("of an image without values"));
                }
                let view = remove(&flow.view, 1)?;
                Ok(Value::Flow(Flow { view, ..flow }))
            }
        }
    }

    fn unsqueeze(&mut self, node: &Node) -> Result<Value, WeightsError> {
        let missing = || damaged(format!("`{}` names no axes", node.name));
        let axes = self.integers(node, "axes", 1)?.ok_or_else(missing)?;
        let insert = |shape: &[usize], batch: usize| -> Result<Vec<usize>, WeightsError> {
            let rank = shape.len() + batch + axes.len();
            let places = axes.iter().map(|along| axis(node, *along, rank));
            let mut places = places.collect::<Result<Vec<usize>, _>>()?;
            places.sort_unstable();
            places.dedup();
            if places.len() != axes.len() || places.first().is_some_and(|place| *place < batch) {
                return Err(node.unsupported(format!("of [batch, {shape:?}] at the axes {axes:?}")));
            }
            let mut shape = shape.to_vec();
            places.into_iter().for_each(|place| shape.insert(place - batch, 1));
            Ok(shape)
        };
        match self.input(node, 0)? {
            Value::Sizes(sizes) => Ok(Value::Sizes(Sizes { shape: insert(&sizes.shape, 0)?, ..sizes })),
            Value::Places(places) => Ok(Value::Places(Places { shape: insert(&places.shape, 1)?, ..places })),
            Value::Floats(floats) => {
                let shape = insert(&floats.shape, 0)?;
                Ok(Value::Floats(Floats { shape, ..floats }))
            }
            // A batch of one gets its dimension back.
            Value::Row { mut flow, lead } if self.batch == Some(1) && axes == [0] => {
                flow.view.insert(0, lead);
                Ok(Value::Flow(flow))
            }
            Value::Row { flow, lead } => Ok(Value::Row { flow: Flow { view: insert(&flow.view, 1)?, ..flow }, lead }),
            _ => {
                let flow = self.flow_at(node, 0)?;
                let view = insert(&flow.view, 1)?;
                Ok(Value::Flow(Flow { view, ..flow }))
            }
        }
    }

    fn transpose(&mut self, node: &Node) -> Result<Value, WeightsError> {
        let order = node.attribute("perm").map(|attribute| attribute.ints.clone());
        match self.input(node, 0)? {
            Value::Floats(floats) => {
                let [rows, columns] = floats.shape[..] else {
                    return Err(node.unsupported(format!("of constants of shape {:?}", floats.shape)));
                };
                if order.is_some_and(|order| order != [1, 0]) {
                    return Err(node.unsupported("that changes nothing"));
                }
                self.operators.spend(floats.values.len()).map_err(|refusal| node.refuse(refusal))?;
                let values = transposed(&floats.values, columns).into();
                Ok(Value::Floats(Floats { shape: vec![columns, rows], values, name: floats.name }))
            }
            _ => {
                let flow = self.flow_at(node, 0)?;
                let rank = flow.view.len() + 1;
                let order = order.unwrap_or_else(|| (0..rank as i64).rev().collect());
                let mut places = order.iter().map(|along| axis(node, *along, rank)).collect::<Result<Vec<_>, _>>()?;
                let view: Vec<usize> =
                    places.iter().skip(1).map(|&place| if place == 0 { 0 } else { flow.view[place - 1] }).collect();
                // What has one place only may stand anywhere.
                places.retain(|&place| place == 0 || flow.view[place - 1] != 1);
                let stays = order.len() == rank && places.first() == Some(&0) && places.is_sorted_by(|a, b| a < b);
                if !stays || view.iter().product::<usize>() != flow.view.iter().product::<usize>() {
                    return Err(node.unsupported(format!("of [batch, {:?}] to the order {order:?}", flow.view)));
                }
                Ok(Value::Flow(Flow { view, ..flow }))
            }
        }
    }

    fn expand(&mut self, node: &Node) -> Result<Value, WeightsError> {
        let target = self.sizes_at(node, 1)?.list;
        match self.input(node, 0)? {
            Value::Length(of) => Ok(Value::Length(of)),
            Value::Flow(flow) => {
                let sizes = target.iter().skip(1).zip(&flow.view);
                let is = |(to, from): (&Size, &usize)| *to == Size::Known(*from as i64) || *to == Size::Known(1);
                if target.len() == flow.view.len() + 1 && sizes.clone().all(is) {
                    return Ok(Value::Flow(flow));
                }
                let channels = Size::Known(flow.at.shape.channels() as i64);
                let spreads = flow.is_channels() && flow.view.len() == 3 && flow.view[1..] == [1, 1];
                if spreads && target.len() == 4 && (target[1] == channels || target[1] == Size::Known(1)) {
                    return Ok(Value::Spread(flow));
                }
                Err(node.unsupported(format!("of [batch, {:?}]", flow.view)))
            }
            // Over the images they are laid anyway.
            Value::Floats(floats) => {
                let of_image = |(place, size): (usize, &Size)| match *size {
                    size if place == 0 && target.len() > 1 && self.is_batch(size) => Some(1),
                    Size::Known(size) => usize::try_from(size).ok(),
                    Size::Batch(_) => None,
                };
                let shape = target.iter().enumerate().map(of_image).collect::<Option<Vec<usize>>>();
                let shape = shape.ok_or_else(|| node.unsupported("it depends on the batch"))?;
                let all = sizes::stretch(&floats.shape, &shape, self.operators.budget());
                let (shape, places) = all.map_err(|refusal| node.refuse(refusal))?;
                let values = places.into_iter().map(|place| floats.values[place]).collect();
                Ok(Value::Floats(Floats { shape, values, ..floats }))
            }
            Value::Sizes(list) => {
                let shape = target
                    .iter()
                    .map(|size| if let Size::Known(size) = size { usize::try_from(*size).ok() } else { None });
                let shape =
                    shape.collect::<Option<Vec<usize>>>().ok_or_else(|| node.unsupported("it depends on the batch"))?;
                let ones = self.filled(node, shape, Size::Known(1))?;
                let times = |a, b| sizes::arithmetic(Arithmetic::Multiply, a, b, None);
                list.zip(&ones, self.operators.budget(), times)
                    .map(Value::Sizes)
                    .map_err(|refusal| node.refuse(refusal))
            }
            _ => Err(node.unsupported("of other values than the network's")),
        }
    }

    /// Whether a size is that of all images.
    fn is_batch(&self, size: Size) -> bool {
        size == Size::Batch(1) || self.batch.is_some_and(|batch| size == Size::Known(batch))
    }

    /// As often as it says along each axis: a vector laid over a map, which a gate may be.
    fn tile(&mut self, node: &Node) -> Result<Value, WeightsError> {
        let times = self.integers_at(node, 1)?;
        let value = self.input(node, 0)?;
        match (&times[..], value) {
            (times, value) if times.iter().all(|times| *times == 1) => Ok(value),
            (&[1, _], Value::Length(of)) => Ok(Value::Length(of)),
            (&[1, 1, height, width], Value::Flow(flow))
                if flow.is_channels()
                    && flow.view.len() == 3
                    && flow.view[1..] == [1, 1]
                    && height > 0
                    && width > 0 =>
            {
                Ok(Value::Spread(flow))
            }
            _ => Err(node.unsupported(format!("with the repeats {times:?}"))),
        }
    }

    /// One number over and over.
    fn constant_of_shape(&mut self, node: &Node) -> Result<Value, WeightsError> {
        let sizes = self.sizes_at(node, 0)?.list;
        let place = |(place, size): (usize, &Size)| match *size {
            // One row stands for all images'.
            size if place == 0 && sizes.len() > 1 && self.is_batch(size) => Some(1),
            Size::Known(size) => usize::try_from(size).ok(),
            Size::Batch(_) => None,
        };
        let shape = sizes.iter().enumerate().map(place).collect::<Option<Vec<usize>>>();
        let shape = shape.ok_or_else(|| node.unsupported("it depends on the batch"))?;
        let value = node.attribute("value").and_then(|attribute| attribute.t.as_ref()).map(proto::Tensor::numbers);
        match value.transpose()? {
            None => self.constants(node, shape, 0.0),
            Some((_, Numbers::Floats(values))) if let [value] = values[..] => self.constants(node, shape, value),
            Some((_, Numbers::Integers(values))) if let [value] = values[..] => {
                self.filled(node, shape, Size::Known(value)).map(Value::Sizes)
            }
            Some(_) => Err(damaged(format!("`{}` has no value", node.name))),
        }
    }

    fn constants(&mut self, node: &Node, shape: Vec<usize>, value: f32) -> Result<Value, WeightsError> {
        let count = shape.iter().fold(1_usize, |count, &size| count.saturating_mul(size));
        self.operators.spend(count).map_err(|refusal| node.refuse(refusal))?;
        Ok(Value::Floats(Floats { shape, values: vec![value; count].into(), name: "".into() }))
    }

    fn filled(&mut self, node: &Node, shape: Vec<usize>, size: Size) -> Result<Sizes, WeightsError> {
        let count = shape.iter().fold(1_usize, |count, &size| count.saturating_mul(size));
        self.operators.spend(count).map_err(|refusal| node.refuse(refusal))?;
        Ok(Sizes { shape, list: vec![size; count].into() })
    }

    /// Numbers in a row, or those of the images.
    fn range(&mut self, node: &Node) -> Result<Value, WeightsError> {
        let mut one = |port| {
            let size = self.sizes_at(node, port)?.single();
            size.ok_or_else(|| damaged(format!("`{}` has a list as its input {port}", node.name)))
        };
        match (one(0)?, one(1)?, one(2)?) {
            (Size::Known(0), Size::Batch(1), Size::Known(1)) => Ok(Value::Places(Places::batch())),
            (Size::Known(start), Size::Known(end), Size::Known(step)) if step != 0 => {
                let (way, step_by) = (i128::from(end) - i128::from(start), i128::from(step));
                let is_empty = way == 0 || (way < 0) != (step < 0);
                let count = if is_empty { 0 } else { way.unsigned_abs().div_ceil(step_by.unsigned_abs()) };
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                self.operators.spend(count).map_err(|refusal| node.refuse(refusal))?;
                let list: Vec<Size> =
                    (0..count as i64).map(|place| Size::Known(start.wrapping_add(place.wrapping_mul(step)))).collect();
                Ok(Value::Sizes(Sizes::list(list)))
            }
            _ => Err(node.unsupported("it depends on the batch")),
        }
    }

    fn equal(&mut self, node: &Node) -> Result<Value, WeightsError> {
        let (a, b) = (self.sizes_at(node, 0)?, self.sizes_at(node, 1)?);
        let batch = self.batch;
        let equal = a.zip(&b, self.operators.budget(), |a, b| sizes::is_equal(a, b, batch));
        equal.map(Value::Sizes).map_err(|refusal| node.refuse(refusal))
    }

    /// Of two lists number by number the one or the other.
    fn choose(&mut self, node: &Node) -> Result<Value, WeightsError> {
        let (which, yes, no) = (self.sizes_at(node, 0)?, self.sizes_at(node, 1)?, self.sizes_at(node, 2)?);
        let budget = self.operators.budget();
        let is = |wanted: bool| {
            move |which: Size, size: Size| {
                // What is not wanted becomes 0, so that the sum is the choice.
                Ok(if (which != Size::Known(0)) == wanted { size } else { Size::Known(0) })
            }
        };
        let chosen = which.zip(&yes, budget, is(true)).and_then(|yes| {
            let no = which.zip(&no, budget, is(false))?;
            yes.zip(&no, budget, |a, b| sizes::arithmetic(Arithmetic::Add, a, b, None))
        });
        chosen.map(Value::Sizes).map_err(|refusal| node.refuse(refusal))
    }

    fn pad(&mut self, node: &Node) -> Result<Value, WeightsError> {
        match self.integers(node, "pads", 1)? {
            Some(pads) if pads.iter().all(|pad| *pad == 0) => self.input(node, 0),
            _ => Err(node.unsupported("apart from the layer that it is for")),
        }
    }

    // Layers.

    fn convolution(&mut self, node: &Node) -> Result<Value, WeightsError> {
        let weight = self.floats_at(node, 1)?;
        let &[outputs, per_group, height, width] = &weight.shape[..] else {
            return Err(node.unsupported(format!("with weights of shape {:?}", weight.shape)));
        };
        if node.pair("dilations", 1)? != [1, 1] {
            return Err(node.unsupported("with dilations"));
        }
        let wrong = || damaged(format!("`{}` has groups that do not fit", node.name));
        let groups = usize::try_from(node.integer("group", 1)).map_err(|_| wrong())?;
        let inputs = groups.checked_mul(per_group).ok_or_else(wrong)?;
        let kernel = [height, width];
        let (stride, padding) = (node.pair("strides", 1)?, node.padding()?);
        let name = String::new();
        let convolution = Convolution {
            name,
            inputs,
            outputs,
            kernel,
            stride,
            padding: padding.into(),
            groups,
            bias: false,
            dilation: [1, 1],
        };
        let x = self.flow_at(node, 0)?;
        let spent = self.operators.spend(weight.values.len());
        let flow = spent.and_then(|()| self.operators.convolution(&x, convolution, &weight));
        let flow = flow.map_err(|refusal| node.refuse(refusal))?;
        if !self.has(node, 2) {
            return Ok(Value::Flow(flow));
        }
        let bias = self.channels_at(node, 2, outputs)?;
        let flow = self.operators.affine(flow, &vec![1.0; outputs], &bias);
        flow.map(Value::Flow).map_err(|refusal| node.refuse(refusal))
    }

    fn gemm(&mut self, node: &Node) -> Result<Value, WeightsError> {
        if node.integer("transA", 0) != 0 {
            return Err(node.unsupported("with transA"));
        }
        let x = self.flow_at(node, 0)?;
        let weight = self.floats_at(node, 1)?;
        let flow = self.linear(node, &x, &weight, node.integer("transB", 0) != 0, node.float("alpha", 1.0) as f32)?;
        if !self.has(node, 2) {
            return Ok(Value::Flow(flow));
        }
        let mut bias = self.floats_at(node, 2)?;
        let beta = node.float("beta", 1.0) as f32;
        bias.values = bias.values.iter().map(|value| value * beta).collect();
        let flow = self.operators.with_constant(Arithmetic::Add, flow, &bias, false);
        flow.map(Value::Flow).map_err(|refusal| node.refuse(refusal))
    }

    fn mat_mul(&mut self, node: &Node) -> Result<Value, WeightsError> {
        let x = self.flow_at(node, 0)?;
        let weight = self.floats_at(node, 1)?;
        self.linear(node, &x, &weight, false, 1.0).map(Value::Flow)
    }

    /// `is_ours`: the weights are `[outputs, inputs]` already.
    fn linear(
        &mut self,
        node: &Node,
        x: &Flow,
        weight: &Floats,
        is_ours: bool,
        factor: f32,
    ) -> Result<Flow, WeightsError> {
        let [rows, columns] = weight.shape[..] else {
            return Err(node.unsupported(format!("with weights of shape {:?}", weight.shape)));
        };
        self.operators.spend(weight.values.len()).map_err(|refusal| node.refuse(refusal))?;
        let (sizes, mut values) = match is_ours {
            true => ([rows, columns], weight.values.to_vec()),
            false => ([columns, rows], transposed(&weight.values, columns)),
        };
        if factor != 1.0 {
            values.iter_mut().for_each(|value| *value *= factor);
        }
        self.operators.linear(x, sizes, values, weight).map_err(|refusal| node.refuse(refusal))
    }

    fn batch_norm(&mut self, node: &Node) -> Result<Value, WeightsError> {
        let flow = self.flow_at(node, 0)?;
        let channels = flow.at.shape.channels();
        if !flow.is_channels() {
            return Err(node.unsupported(format!("of [batch, {:?}], which are no channels", flow.view)));
        }
        if node.integer("training_mode", 0) != 0 {
            return Err(node.unsupported("in training; export the model after model.eval()"));
        }
        let mut values =
            (1..=4).map(|port| self.channels_at(node, port, channels)).collect::<Result<Vec<Vec<f32>>, _>>()?;
        let eps = node.float("epsilon", EPSILON as f32);
        let name = String::new();
        if !is_epsilon(eps) {
            // The variance makes up for another eps, unless it is too small.
            let more = eps - EPSILON;
            if !values[3].iter().all(|variance| f64::from(*variance) + more >= 0.0) {
                return Err(node.unsupported(format!("with eps {eps:e} and a variance that is less")));
            }
            values[3].iter_mut().for_each(|variance| *variance = (f64::from(*variance) + more) as f32);
        }
        // It is named by its scale.
        let scale = self.floats_at(node, 1)?;
        let op = BatchNorm { name, channels, bias_frozen: false, eps: EPS };
        self.operators.each(flow, op, values, Some(&scale)).map(Value::Flow).map_err(|refusal| node.refuse(refusal))
    }

    fn instance_norm(&mut self, node: &Node) -> Result<Value, WeightsError> {
        let flow = self.flow_at(node, 0)?;
        let eps = node.float("epsilon", EPSILON as f32);
        if !is_epsilon(eps) {
            return Err(node.unsupported(format!("with eps {eps:e}; with {EPSILON:e} it is")));
        }
        // Of runs of channels, where the values were reshaped to them: so exporters write group norm.
        let rows = flow.view.first().copied().unwrap_or_default();
        let [scale, shift] = [self.channels_at(node, 1, rows)?, self.channels_at(node, 2, rows)?];
        let label = self.floats_at(node, 1)?;
        let flow = self.operators.level(flow, Some([&scale, &shift]), Some(&label));
        flow.map(Value::Flow).map_err(|refusal| node.refuse(refusal))
    }

    fn each(&mut self, node: &Node, op: Op) -> Result<Value, WeightsError> {
        let flow = self.flow_at(node, 0)?;
        self.operators.each(flow, op, vec![], None).map(Value::Flow).map_err(|refusal| node.refuse(refusal))
    }

    fn prelu(&mut self, node: &Node) -> Result<Value, WeightsError> {
        let flow = self.flow_at(node, 0)?;
        let slope = self.floats_at(node, 1)?;
        self.operators.prelu(flow, &slope).map(Value::Flow).map_err(|refusal| node.refuse(refusal))
    }

    fn leaky_relu(&mut self, node: &Node) -> Result<Value, WeightsError> {
        let flow = self.flow_at(node, 0)?;
        let slope = Floats { shape: vec![], values: [node.float("alpha", 0.01) as f32].into(), name: "".into() };
        self.operators.prelu(flow, &slope).map(Value::Flow).map_err(|refusal| node.refuse(refusal))
    }

    fn clip(&mut self, node: &Node) -> Result<Value, WeightsError> {
        let (least, most) = (self.number(node, "min", 1)?, self.number(node, "max", 2)?);
        // What is left out may be written as the least and the largest number.
        let least = least.filter(|least| *least > f64::from(f32::MIN));
        let most = most.filter(|most| *most < f64::from(f32::MAX));
        match (self.input(node, 0)?, least, most) {
            (value, None, None) => Ok(value),
            (value, Some(least), None) => self.at_least(node, value, least),
            (Value::Flow(flow), Some(0.0), Some(most)) if most > 0.0 => {
                // most - max(0, most - max(0, x))
                let channels = flow.at.shape.channels();
                let (scale, shift) = (vec![-1.0; channels], vec![most as f32; channels]);
                let clip = || {
                    let flow = self.operators.each(flow, Op::Relu, vec![], None)?;
                    let flow = self.operators.affine(flow, &scale, &shift)?;
                    let flow = self.operators.each(flow, Op::Relu, vec![], None)?;
                    self.operators.affine(flow, &scale, &shift)
                };
                clip().map(Value::Flow).map_err(|refusal| node.refuse(refusal))
            }
            (_, least, most) => {
                Err(node.unsupported(format!("between {least:?} and {most:?}; between 0 and another it is")))
            }
        }
    }

    fn max(&mut self, node: &Node) -> Result<Value, WeightsError> {
        let (value, least) = match (self.input(node, 0)?, node.inputs.len()) {
            (Value::Floats(_) | Value::Sizes(_), 2) => (self.input(node, 1)?, self.number(node, "", 0)?),
            (value, 2) => (value, self.number(node, "", 1)?),
            _ => return Err(node.unsupported("of other than two values")),
        };
        self.at_least(node, value, least.unwrap_or(f64::NAN))
    }

    /// `max(value, least)`
    fn at_least(&mut self, node: &Node, value: Value, least: f64) -> Result<Value, WeightsError> {
        match value {
            Value::Flow(flow) if least == 0.0 => {
                let flow = self.operators.each(flow, Op::Relu, vec![], None);
                flow.map(Value::Flow).map_err(|refusal| node.refuse(refusal))
            }
            Value::Flow(x) if 0.0 < least && least <= GEM_LEAST * 1.001 => {
                Ok(Value::Power(Power { x, exponent: None, mean: None }))
            }
            Value::Length(of) if (0.0..=LEAST_LENGTH).contains(&least) => Ok(Value::Length(of)),
            _ => Err(node.unsupported(format!(
                "with the least value {least}; 0 it may be, and {GEM_LEAST:e} of a generalised mean"
            ))),
        }
    }

    /// Of the two powers around a mean.
    fn power(&mut self, node: &Node) -> Result<Value, WeightsError> {
        if let Value::Floats(_) = self.input(node, 0)? {
            return self.of_constant(node);
        }
        let exponent = self.number(node, "", 1)?.filter(|exponent| *exponent > 0.0 && exponent.is_finite());
        let exponent = exponent.ok_or_else(|| node.unsupported("with an exponent that is not above 0"))?;
        match self.input(node, 0)? {
            Value::Power(Power { x, exponent: None, mean: None }) => {
                Ok(Value::Power(Power { x, exponent: Some(exponent), mean: None }))
            }
            // What a ReLU gives needs no least value.
            Value::Flow(x) if *self.operators.importer().op(x.at) == Op::Relu => {
                Ok(Value::Power(Power { x, exponent: Some(exponent), mean: None }))
            }
            Value::Power(Power { x, exponent: Some(first), mean: Some(keep) }) => {
                if (first * exponent - 1.0).abs() > 1e-5 {
                    return Err(node.unsupported(format!("the mean of powers {first} to the {exponent}")));
                }
                let op = GemPool { name: String::new(), eps: GemPool::EPS };
                let flow = self.operators.pool_all(&x, op.into(), vec![vec![first as f32]], keep);
                flow.map(Value::Flow).map_err(|refusal| node.refuse(refusal))
            }
            _ => Err(node.unsupported("apart from generalised-mean pooling, whose values have a least one")),
        }
    }

    fn pool(&mut self, node: &Node, op: fn(Pool) -> Op) -> Result<Value, WeightsError> {
        if node.attribute("kernel_shape").is_none() {
            return Err(damaged(format!("`{}` has no attribute kernel_shape", node.name)));
        }
        let (kernel, stride, padding) = (node.pair("kernel_shape", 1)?, node.pair("strides", 1)?, node.padding()?);
        if node.pair("dilations", 1)? != [1, 1] {
            return Err(node.unsupported("with dilations"));
        }
        let is_mean = node.kind == "AveragePool";
        let input = self.input(node, 0)?;
        if is_mean
            && let Value::Power(Power { x: flow, .. }) = &input
            && matches!(flow.at.shape, Shape::Map([_, height, width]) if kernel == [height, width])
            && padding == [0, 0]
        {
            // The window is the whole map.
            return self.mean(node, true);
        }
        let x = self.flow_at(node, 0)?;
        let mut pool = Pool { kernel, stride, padding: padding.into(), ceil: false, count_padding: true };
        if node.integer("ceil_mode", 0) != 0
            && let Shape::Map([_, height, width]) = x.at.shape
        {
            let ceil = Pool { ceil: true, ..pool };
            if ceil.output([height, width]) != pool.output([height, width]) {
                pool = ceil;
            }
        }
        if is_mean && (pool.ceil || (padding != [0, 0] && node.integer("count_include_pad", 0) == 0)) {
            return Err(node.unsupported("of windows that lie partly outside of the map"));
        }
        self.operators.pool(&x, op, pool).map(Value::Flow).map_err(|refusal| node.refuse(refusal))
    }

    /// Along height and width, in whatever shape the file sees them.
    fn reduce(
        &mut self,
        node: &Node,
        how: fn(&mut Self, &Node, bool) -> Result<Value, WeightsError>,
    ) -> Result<Value, WeightsError> {
        let rank = match self.input(node, 0)? {
            Value::Flow(flow) | Value::Power(Power { x: flow, .. }) => flow.view.len() + 1,
            _ => return Err(node.unsupported("of other values than the network's")),
        };
        // Without axes it is over all of them.
        let axes = self.integers(node, "axes", 1)?.unwrap_or_else(|| vec![0]);
        let mut axes = axes.into_iter().map(|along| axis(node, along, rank)).collect::<Result<Vec<_>, _>>()?;
        axes.sort_unstable();
        if axes.is_empty() || !axes.iter().copied().eq(2..rank) {
            return Err(node.unsupported(format!("over the axes {axes:?}, which are not height and width")));
        }
        how(self, node, node.integer("keepdims", 1) != 0)
    }

    fn mean(&mut self, node: &Node, keep: bool) -> Result<Value, WeightsError> {
        if let Value::Power(Power { x, exponent: Some(exponent), mean: None }) = self.input(node, 0)? {
            x.map().map_err(|refusal| node.refuse(refusal))?;
            return Ok(Value::Power(Power { x, exponent: Some(exponent), mean: Some(keep) }));
        }
        let flow = self.flow_at(node, 0)?;
        let flow = match flow.at.shape {
            // Of each channel, as a list or as a map.
            Shape::Map([channels, ..]) if flow.view.len() > 1 && flow.view[0] == channels => {
                self.operators.pool_all(&flow, Op::GlobalAveragePool, vec![], keep)
            }
            Shape::Vector(_) if flow.is_channels() => {
                let mut view = flow.view.clone();
                view.truncate(if keep { view.len() } else { 1 });
                Ok(Flow { view, ..flow })
            }
            _ => unsupported(format!("of [batch, {:?}]", flow.view)),
        };
        flow.map(Value::Flow).map_err(|refusal| node.refuse(refusal))
    }

    fn maximum(&mut self, node: &Node, keep: bool) -> Result<Value, WeightsError> {
        let x = self.flow_at(node, 0)?;
        let Shape::Map([channels, height, width]) = x.map().map_err(|refusal| node.refuse(refusal))?.shape else {
            return Err(node.unsupported("of no map"));
        };
        let pool =
            Pool { kernel: [height, width], stride: [1, 1], padding: Padding::NONE, ceil: false, count_padding: true };
        let flow =
            self.operators.pool(&x, |pool| MaxPool(pool).into(), pool).map_err(|refusal| node.refuse(refusal))?;
        Ok(Value::Flow(if keep { flow } else { Flow { view: vec![channels], ..flow } }))
    }

    // The feature's length.

    fn length(&mut self, node: &Node) -> Result<Value, WeightsError> {
        let flow = self.flow_at(node, 0)?;
        let axes = self.integers(node, "axes", 1)?.unwrap_or_default();
        let axes =
            axes.into_iter().map(|along| axis(node, along, flow.view.len() + 1)).collect::<Result<Vec<_>, _>>()?;
        if axes != [1] || node.integer("keepdims", 1) == 0 {
            return Err(node.unsupported("of another than the feature"));
        }
        let of = self.operators.vector(&flow).map_err(|refusal| node.refuse(refusal))?;
        // It divides the same value, which may be a map of one pixel.
        Ok(Value::Length(if flow.at.shape == of.shape { of } else { flow.at }))
    }

    fn unit(&mut self, node: &Node) -> Result<Value, WeightsError> {
        let flow = self.flow_at(node, 0)?;
        let along = axis(node, node.integer("axis", -1), flow.view.len() + 1)?;
        if along != 1 || node.integer("p", 2) != 2 || !flow.is_channels() {
            return Err(node.unsupported("of another than the feature"));
        }
        Ok(Value::Unit(flow))
    }

    // Arithmetic.

    fn arithmetic(&mut self, node: &Node, how: Arithmetic) -> Result<Value, WeightsError> {
        let flow = match (self.input(node, 0)?, self.input(node, 1)?) {
            (Value::Floats(_) | Value::Sizes(_), Value::Floats(_)) | (Value::Floats(_), Value::Sizes(_)) => {
                return self.of_constant(node);
            }
            (Value::Sizes(a), Value::Sizes(b)) => {
                let batch = self.batch;
                let result = a.zip(&b, self.operators.budget(), |a, b| sizes::arithmetic(how, a, b, batch));
                return result.map(Value::Sizes).map_err(|refusal| node.refuse(refusal));
            }
            (Value::Places(places), Value::Sizes(sizes)) | (Value::Sizes(sizes), Value::Places(places)) => {
                let result = places.with(how, &sizes, self.operators.budget());
                return result.map(Value::Places).map_err(|refusal| node.refuse(refusal));
            }
            (Value::Flow(x), Value::Length(of)) if how == Arithmetic::Divide && x.at == of => {
                return Ok(Value::Unit(x));
            }
            (Value::Flow(a), Value::Flow(b)) => self.operators.of_two(how, a, b),
            (Value::Flow(a), Value::Spread(b)) | (Value::Spread(b), Value::Flow(a)) if how == Arithmetic::Multiply => {
                self.operators.of_two(how, a, b)
            }
            (Value::Flow(x), Value::Floats(c)) => self.operators.with_constant(how, x, &c, false),
            (Value::Floats(c), Value::Flow(x)) => self.operators.with_constant(how, x, &c, true),
            (Value::Flow(x), Value::Sizes(_)) => {
                let c = self.scalar(node, 1)?;
                self.operators.with_constant(how, x, &c, false)
            }
            (Value::Sizes(_), Value::Flow(x)) => {
                let c = self.scalar(node, 0)?;
                self.operators.with_constant(how, x, &c, true)
            }
            _ => {
                self.flow_at(node, 0)?;
                self.flow_at(node, 1)?;
                return Err(node.unsupported("of other values than the network's"));
            }
        };
        flow.map(Value::Flow).map_err(|refusal| node.refuse(refusal))
    }

    fn scalar(&mut self, node: &Node, port: usize) -> Result<Floats, WeightsError> {
        let missing = || damaged(format!("`{}` lacks its input {port}", node.name));
        let value = self.number(node, "", port)?.ok_or_else(missing)?;
        Ok(Floats { shape: vec![], values: [value as f32].into(), name: "".into() })
    }

    /// Constants that a node makes of constants, which exporters usually do beforehand.
    fn of_constant(&mut self, node: &Node) -> Result<Value, WeightsError> {
        let single = |floats: &Floats| floats.values.len() == 1;
        let a = match self.input(node, 0)? {
            Value::Floats(floats) => floats,
            Value::Sizes(_) => self.scalar(node, 0)?,
            _ => return Err(node.unsupported("of what depends on the image")),
        };
        let b = match node.kind {
            "Sqrt" | "Reciprocal" => a.clone(),
            _ => match self.input(node, 1)? {
                Value::Floats(floats) => floats,
                _ => self.scalar(node, 1)?,
            },
        };
        let compute = |a: f32, b: f32| match node.kind {
            "Sqrt" => a.sqrt(),
            "Reciprocal" => a.recip(),
            "Pow" => a.powf(b),
            "Add" => a + b,
            "Sub" => a - b,
            "Mul" => a * b,
            _ => a / b,
        };
        self.operators.spend(a.values.len().max(b.values.len())).map_err(|refusal| node.refuse(refusal))?;
        // The layer keeps the name of its weights.
        let (shape, name, values) = if a.shape == b.shape || (single(&b) && b.shape.len() <= a.shape.len()) {
            let other = |place: usize| b.values[if single(&b) { 0 } else { place }];
            let values = a.values.iter().enumerate().map(|(place, a)| compute(*a, other(place))).collect();
            (a.shape, a.name, values)
        } else if single(&a) {
            (b.shape, b.name, b.values.iter().map(|b| compute(a.values[0], *b)).collect())
        } else {
            return Err(node.unsupported(format!("of constants of shapes {:?} and {:?}", a.shape, b.shape)));
        };
        Ok(Value::Floats(Floats { shape, values, name }))
    }
}

/// An axis of a value of `rank` dimensions, counted from the front.
fn axis(node: &Node, axis: i64, rank: usize) -> Result<usize, WeightsError> {
    let place = if axis < 0 { axis.saturating_add(rank as i64) } else { axis };
    let place = usize::try_from(place).ok().filter(|place| *place < rank);
    place.ok_or_else(|| damaged(format!("`{}` has the axis {axis}, beyond its input", node.name)))
}

/// From `start` to `end`, either counted from the end where it is negative, of `length`.
fn range(start: i64, end: i64, length: usize) -> std::ops::Range<usize> {
    let place = |at: i64| {
        let at = if at < 0 { at.saturating_add(length as i64) } else { at };
        usize::try_from(at).unwrap_or(0).min(length)
    };
    let start = place(start);
    start..place(end).max(start)
}

fn is_epsilon(eps: f64) -> bool {
    (eps - EPSILON).abs() <= 1e-3 * EPSILON
}

/// The columns of a matrix, one after the other.
fn transposed(values: &[f32], columns: usize) -> Vec<f32> {
    let column = |column: usize| values.iter().skip(column).step_by(columns.max(1));
    (0..columns).flat_map(column).copied().collect()
}

/// The shape that constants are given; `keeps`: 0 stands for the size before.
fn constant_shape(node: &Node, from: &[usize], target: &[Size], keeps: bool) -> Result<Vec<usize>, WeightsError> {
    let count = |shape: &[usize]| shape.iter().try_fold(1_usize, |count, &size| count.checked_mul(size));
    budget::within(|| format!("`{}` ({})", node.name, node.kind), target.len() as u64, "dimensions", AXES as u64)?;
    let mut open = None;
    let mut shape = Vec::with_capacity(target.len());
    for (place, size) in target.iter().enumerate() {
        shape.push(match *size {
            Size::Known(0) if keeps => from.get(place).copied().unwrap_or(0),
            Size::Known(-1) if open.is_none() => {
                open = Some(place);
                1
            }
            Size::Known(size) => usize::try_from(size).unwrap_or(0),
            Size::Batch(_) => return Err(node.unsupported("of constants to a shape that depends on the batch")),
        });
    }
    if let (Some(open), Some(all), Some(rest @ 1..)) = (open, count(from), count(&shape)) {
        shape[open] = all / rest;
    }
    if count(&shape) != count(from) {
        return Err(damaged(format!("`{}` changes the number of constants", node.name)));
    }
    Ok(shape)
}

/// Of a batch of one the value without its dimension; `None` where it has no other.
fn without_batch(mut flow: Flow) -> Option<Value> {
    if flow.view.is_empty() {
        return None;
    }
    let lead = flow.view.remove(0);
    Some(Value::Row { flow, lead })
}
