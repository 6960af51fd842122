//! What each operator means in a graph of ours.
//!
//! OpenVINO computes shapes and reorders values in the network itself: `ShapeOf`, `Gather`, `Concat` and `Reshape` are
//! followed here, as long as they leave every image's values in their place. The batch is never fixed.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::damaged;
use super::file::{Layer, Network, Numbers};
use crate::graph::{Convolution, Op, Pool, Shape};
use crate::model::{ChannelOrder, ReIdentifierConfig};
use crate::weights::import::{self, Importer};
use crate::weights::{Tensor, WeightsError};

/// How often layers may use the numbers of the `.bin`, where equal ones share their bytes, beyond what a small network
/// needs. No published network comes near; a file that means harm could fill the memory.
const MAX_REUSE: usize = 16;
const SMALL_NETWORK: usize = 1 << 20;
/// The eps that instance and group norm have here.
const EPSILON: f64 = 1e-5;

/// What a layer gives.
#[derive(Clone)]
enum Value {
    Flow(Flow),
    Floats(Floats),
    /// A shape, or a part of one.
    Sizes(Vec<Size>),
}

/// A value that depends on the image.
#[derive(Clone)]
struct Flow {
    at: import::Value,
    /// The shape that the file gives it, without the batch: the same values in the same order as `at`'s.
    view: Vec<usize>,
    /// Nothing else reads it, nor what it was made of since its layer.
    alone: bool,
}

#[derive(Clone)]
struct Floats {
    shape: Vec<usize>,
    values: Rc<[f32]>,
    name: Rc<str>,
}

#[derive(Clone, Copy, PartialEq)]
enum Size {
    Batch,
    Known(i64),
}

/// The model that the network is, without neck and head, and its tensors by our names.
pub(super) fn translate(
    network: &Network,
    bin: &[u8],
) -> Result<(ReIdentifierConfig, BTreeMap<String, Tensor>), WeightsError> {
    let mut parameters = network.layers.iter().filter(|layer| layer.kind == "Parameter");
    let parameter = parameters.next().ok_or_else(|| damaged("it has no input"))?;
    if let Some(second) = parameters.next() {
        return Err(second.unsupported("one image is the only input that a network may have"));
    }
    let (height, width) = image_size(parameter)?;
    let (importer, image) = Importer::new(height, width, ChannelOrder::Bgr);
    let budget = bin.len().saturating_mul(MAX_REUSE).saturating_add(SMALL_NETWORK);
    let mut translator = Translator { importer, image, bin, budget, values: Vec::new(), output: None };
    for layer in &network.layers {
        let mut value = translator.translate(layer)?;
        if let Value::Flow(flow) = &mut value {
            flow.alone &= layer.readers <= 1;
            let declared = layer.dims.iter().flatten().skip(1);
            let agrees = flow.view.iter().zip(declared).all(|(size, said)| said.is_none_or(|said| said == *size));
            let rank = layer.dims.as_ref().map_or(0, Vec::len);
            if layer.kind != "Result" && !(agrees && rank == flow.view.len() + 1) {
                let (name, view) = (layer.name, &flow.view);
                return Err(damaged(format!("`{name}` gives {view:?} an image, not the shape that the file states")));
            }
        }
        translator.values.push(value);
    }
    let output = translator.output.ok_or_else(|| damaged("it has no result"))?;
    Ok(translator.importer.finish(network.name.to_owned(), output))
}

fn image_size(layer: &Layer) -> Result<(usize, usize), WeightsError> {
    let text = layer.required("shape")?;
    let dims: Vec<&str> = text.split(',').map(str::trim).collect();
    let size = |text: &str| text.parse().ok().filter(|size| (1..=1 << 16).contains(size));
    match dims[..] {
        [_, "3", height, width] => size(height).zip(size(width)),
        _ => None,
    }
    .ok_or_else(|| layer.unsupported(format!("an image of [{text}] is not read, [batch, 3, height, width] is")))
}

struct Translator<'a> {
    importer: Importer,
    image: import::Value,
    bin: &'a [u8],
    /// The numbers that constants and layers may still take.
    budget: usize,
    values: Vec<Value>,
    output: Option<import::Value>,
}

impl Translator<'_> {
    fn translate(&mut self, layer: &Layer) -> Result<Value, WeightsError> {
        match layer.kind {
            "Parameter" => Ok(Value::Flow(self.flow(self.image))),
            "Const" => self.constant(layer),
            "Convert" => match (self.input(layer, 0)?, layer.required("destination_type")?) {
                (value @ (Value::Flow(_) | Value::Floats(_)), "f32" | "f16") => Ok(value),
                (value @ Value::Sizes(_), "i32" | "i64") => Ok(value),
                (_, other) => Err(layer.unsupported(format!("to {other}"))),
            },
            "Result" => self.result(layer),
            "ShapeOf" => {
                let view = self.flow_at(layer, 0)?.view;
                let known = view.into_iter().map(|size| Size::Known(size as i64));
                Ok(Value::Sizes([Size::Batch].into_iter().chain(known).collect()))
            }
            "Gather" => self.gather(layer),
            "Concat" => self.concat(layer),
            "Reshape" => self.reshape(layer),
            "Convolution" => self.convolution(layer, false),
            "GroupConvolution" => self.convolution(layer, true),
            "MatMul" => self.mat_mul(layer),
            "MVN" => self.normalise(layer),
            "ReLU" => self.unary(layer, Op::Relu),
            "Sigmoid" => self.unary(layer, Op::Sigmoid),
            "PReLU" => self.prelu(layer),
            "MaxPool" => self.pool(layer, Op::MaxPool),
            "AvgPool" => self.pool(layer, Op::AveragePool),
            "ReduceMean" => self.mean(layer),
            "Add" | "Subtract" | "Multiply" | "Divide" => self.arithmetic(layer),
            _ => Err(layer.unsupported("there is nothing like it here")),
        }
    }

    // The inputs.

    fn input(&self, layer: &Layer, port: usize) -> Result<Value, WeightsError> {
        let source = layer.inputs.get(port).and_then(|&source| self.values.get(source));
        source.cloned().ok_or_else(|| damaged(format!("`{}` lacks its input {port}", layer.name)))
    }

    fn flow_at(&self, layer: &Layer, port: usize) -> Result<Flow, WeightsError> {
        match self.input(layer, port)? {
            Value::Flow(flow) => Ok(flow),
            _ => Err(layer.unsupported(format!("its input {port} does not depend on the image"))),
        }
    }

    fn floats_at(&self, layer: &Layer, port: usize) -> Result<Floats, WeightsError> {
        match self.input(layer, port)? {
            Value::Floats(floats) => Ok(floats),
            _ => Err(layer.unsupported(format!("its input {port} is not constant"))),
        }
    }

    fn sizes_at(&self, layer: &Layer, port: usize) -> Result<Vec<Size>, WeightsError> {
        match self.input(layer, port)? {
            Value::Sizes(sizes) => Ok(sizes),
            _ => Err(layer.unsupported(format!("its input {port} is no list of whole numbers"))),
        }
    }

    /// Constant whole numbers.
    fn integers_at(&self, layer: &Layer, port: usize) -> Result<Vec<i64>, WeightsError> {
        let known = |size| match size {
            Size::Known(size) => Ok(size),
            Size::Batch => Err(layer.unsupported("it depends on the batch")),
        };
        self.sizes_at(layer, port)?.into_iter().map(known).collect()
    }

    /// Axes of a value of `rank` dimensions, counted from the front, ascending.
    fn axes_at(&self, layer: &Layer, port: usize, rank: usize) -> Result<Vec<usize>, WeightsError> {
        let mut axes = Vec::new();
        for axis in self.integers_at(layer, port)? {
            let axis = if axis < 0 { axis.saturating_add(rank as i64) } else { axis };
            let axis = usize::try_from(axis).ok().filter(|axis| *axis < rank);
            axes.push(axis.ok_or_else(|| damaged(format!("`{}` has an axis beyond its input", layer.name)))?);
        }
        axes.sort_unstable();
        Ok(axes)
    }

    /// Only as a map `[channels, height, width]`.
    fn map_at(&self, layer: &Layer, port: usize) -> Result<Flow, WeightsError> {
        let flow = self.flow_at(layer, port)?;
        match flow.at.shape {
            Shape::Map(shape) if flow.view == shape => Ok(flow),
            _ => Err(layer.unsupported(format!("its input {port} is no map of channels"))),
        }
    }

    /// As a vector `[channels]`, which a map of one pixel is as well.
    fn vector(&mut self, layer: &Layer, flow: &Flow) -> Result<import::Value, WeightsError> {
        match flow.at.shape {
            Shape::Vector(_) if flow.is_channels() => Ok(flow.at),
            Shape::Map([_, 1, 1]) if flow.is_channels() => {
                self.push(layer, Op::GlobalAveragePool, &[flow.at], vec![], None)
            }
            _ => Err(layer.unsupported(format!("its input of {:?} is no vector of channels", flow.view))),
        }
    }

    // The outputs.

    fn push(
        &mut self,
        layer: &Layer,
        op: Op,
        inputs: &[import::Value],
        values: Vec<Vec<f32>>,
        label: Option<&Floats>,
    ) -> Result<import::Value, WeightsError> {
        self.spend(values.iter().map(Vec::len).sum())?;
        let shapes: Vec<Shape> = inputs.iter().map(|input| input.shape).collect();
        let pushed = self.importer.push(op, inputs, values, label.and_then(Floats::layer_name));
        pushed.ok_or_else(|| damaged(format!("`{}` ({}) cannot take {shapes:?}", layer.name, layer.kind)))
    }

    fn spend(&mut self, numbers: usize) -> Result<(), WeightsError> {
        let left = self.budget.checked_sub(numbers);
        self.budget = left.ok_or_else(|| damaged("its layers need many times the numbers of the .bin"))?;
        Ok(())
    }

    fn flow(&self, at: import::Value) -> Flow {
        let view = match at.shape {
            Shape::Map(shape) => shape.to_vec(),
            Shape::Vector(channels) => vec![channels],
        };
        Flow { at, view, alone: true }
    }

    fn result(&mut self, layer: &Layer) -> Result<Value, WeightsError> {
        let flow = self.flow_at(layer, 0)?;
        let output = self.vector(layer, &flow)?;
        if self.output.replace(output).is_some() {
            return Err(layer.unsupported("a network may have one result, the feature"));
        }
        Ok(Value::Flow(flow))
    }

    // The operators, in the order of `translate`.

    fn constant(&mut self, layer: &Layer) -> Result<Value, WeightsError> {
        let (shape, numbers) = layer.constant(self.bin)?;
        let name = layer.name.strip_suffix("_compressed").unwrap_or(layer.name);
        self.spend(match &numbers {
            Numbers::Floats(values) => values.len(),
            Numbers::Integers(integers) => integers.len(),
        })?;
        Ok(match numbers {
            Numbers::Floats(values) => Value::Floats(Floats { shape, values, name: name.into() }),
            Numbers::Integers(integers) => Value::Sizes(integers.into_iter().map(Size::Known).collect()),
        })
    }

    /// A part of a shape, or the colours in the opposite order.
    fn gather(&mut self, layer: &Layer) -> Result<Value, WeightsError> {
        let indices = self.integers_at(layer, 1)?;
        if layer.attribute("batch_dims").is_some_and(|dims| dims != "0") {
            return Err(layer.unsupported("with batch_dims"));
        }
        match self.input(layer, 0)? {
            Value::Sizes(sizes) => {
                let place = |index: i64| if index < 0 { index.saturating_add(sizes.len() as i64) } else { index };
                let get = |index| usize::try_from(place(index)).ok().and_then(|index| sizes.get(index).copied());
                let parts: Option<Vec<Size>> = indices.into_iter().map(get).collect();
                parts.map(Value::Sizes).ok_or_else(|| damaged(format!("`{}` reads beyond its input", layer.name)))
            }
            Value::Flow(flow) if self.axes_at(layer, 2, flow.view.len() + 1)? == [1] => match indices[..] {
                [0, 1, 2] if flow.view[0] == 3 => Ok(Value::Flow(flow)),
                [2, 1, 0] if self.importer.reverse_colours(flow.at, flow.alone) => Ok(Value::Flow(flow)),
                _ => Err(layer.unsupported("of other values than the colours of the image")),
            },
            _ => Err(layer.unsupported("of other values than the colours of the image")),
        }
    }

    fn concat(&mut self, layer: &Layer) -> Result<Value, WeightsError> {
        let axis = layer.required("axis")?;
        let inputs: Vec<Value> =
            (0..layer.inputs.len()).map(|port| self.input(layer, port)).collect::<Result<_, _>>()?;
        if matches!(inputs.first(), Some(Value::Sizes(_))) {
            let parts: Vec<Vec<Size>> =
                (0..inputs.len()).map(|port| self.sizes_at(layer, port)).collect::<Result<_, _>>()?;
            return Ok(Value::Sizes(parts.concat()));
        }
        let flows: Vec<Flow> = (0..inputs.len()).map(|port| self.flow_at(layer, port)).collect::<Result<_, _>>()?;
        let rank = flows.first().map_or(0, |flow| flow.view.len() + 1);
        let is_channels =
            axis == "1" || axis.parse::<i64>().ok().and_then(|axis| axis.checked_add(rank as i64)) == Some(1);
        if !is_channels || !flows.iter().all(|flow| flow.is_channels() && flow.view.len() + 1 == rank) {
            return Err(layer.unsupported(format!("along the axis {axis}; along the channels it is")));
        }
        let parts: Vec<import::Value> = flows.iter().map(|flow| flow.at).collect();
        let at = self.push(layer, Op::Concatenate, &parts, vec![], None)?;
        let mut view = flows[0].view.clone();
        view[0] = at.shape.channels();
        Ok(Value::Flow(Flow { at, view, alone: true }))
    }

    /// The same values in another shape: nothing happens, only the view changes.
    fn reshape(&mut self, layer: &Layer) -> Result<Value, WeightsError> {
        let mut flow = self.flow_at(layer, 0)?;
        let target = self.sizes_at(layer, 1)?;
        let keeps = layer.flag("special_zero")?;
        let count = |view: &[usize]| view.iter().try_fold(1_usize, |count, &size| count.checked_mul(size));
        let total = count(&flow.view);
        let mut view = Vec::new();
        let mut open = None;
        for (place, size) in target.iter().enumerate().skip(1) {
            view.push(match *size {
                Size::Known(0) if keeps => flow.view.get(place - 1).copied().unwrap_or(0),
                Size::Known(-1) if open.is_none() => {
                    open = Some(place - 1);
                    1
                }
                Size::Known(size) => usize::try_from(size).unwrap_or(0),
                Size::Batch => 0,
            });
        }
        let batch_stays = match target.first() {
            Some(Size::Batch | Size::Known(1)) => true,
            Some(Size::Known(0)) => keeps,
            Some(Size::Known(-1)) => open.is_none(),
            _ => false,
        };
        if let (Some(open), Some(total), Some(rest @ 1..)) = (open, total, count(&view)) {
            view[open] = total / rest;
        }
        if !batch_stays || count(&view) != total {
            return Err(
                layer.unsupported(format!("from [batch, {:?}] to another number of values an image", flow.view))
            );
        }
        flow.view = view;
        Ok(Value::Flow(flow))
    }

    fn convolution(&mut self, layer: &Layer, grouped: bool) -> Result<Value, WeightsError> {
        let weight = self.floats_at(layer, 1)?;
        let (groups, outputs, per_group, kernel) = match (grouped, &weight.shape[..]) {
            (false, &[outputs, inputs, h, w]) => (1, Some(outputs), inputs, [h, w]),
            (true, &[groups, outputs, inputs, h, w]) => (groups, groups.checked_mul(outputs), inputs, [h, w]),
            _ => return Err(layer.unsupported(format!("with weights of shape {:?}", weight.shape))),
        };
        let (outputs, inputs) = outputs.zip(groups.checked_mul(per_group)).ok_or_else(|| damaged("sizes overflow"))?;
        let (stride, padding) = (layer.pair("strides")?, padding(layer)?);
        if layer.pair("dilations")? != [1, 1] {
            return Err(layer.unsupported("with dilations"));
        }
        let values = vec![weight.values.to_vec()];
        let flow = self.flow_at(layer, 0)?;
        if let Shape::Vector(_) = flow.at.shape {
            // A convolution of one pixel is fully connected.
            if flow.view.len() != 3 || (groups, kernel, padding) != (1, [1, 1], [0, 0]) {
                return Err(layer.unsupported("of a vector"));
            }
            let x = self.vector(layer, &flow)?;
            let op = Op::Linear { name: String::new(), inputs, outputs, bias: false };
            let at = self.push(layer, op, &[x], values, Some(&weight))?;
            return Ok(Value::Flow(Flow { at, view: vec![outputs, 1, 1], alone: true }));
        }
        let x = self.map_at(layer, 0)?.at;
        let name = String::new();
        let op = Op::Convolution(Convolution { name, inputs, outputs, kernel, stride, padding, groups, bias: false });
        let at = self.push(layer, op, &[x], values, Some(&weight))?;
        Ok(Value::Flow(self.flow(at)))
    }

    fn mat_mul(&mut self, layer: &Layer) -> Result<Value, WeightsError> {
        let (flow, weight) = (self.flow_at(layer, 0)?, self.floats_at(layer, 1)?);
        let [rows, columns] = weight.shape[..] else {
            return Err(layer.unsupported(format!("with weights of shape {:?}", weight.shape)));
        };
        if layer.flag("transpose_a")? || flow.view.len() != 1 {
            return Err(layer.unsupported("of other values than a vector"));
        }
        let (inputs, outputs, values) = if layer.flag("transpose_b")? {
            (columns, rows, weight.values.to_vec())
        } else {
            let column = |column: usize| weight.values.iter().skip(column).step_by(columns);
            (rows, columns, (0..columns).flat_map(column).copied().collect())
        };
        let x = self.vector(layer, &flow)?;
        let op = Op::Linear { name: String::new(), inputs, outputs, bias: false };
        let at = self.push(layer, op, &[x], vec![values], Some(&weight))?;
        Ok(Value::Flow(self.flow(at)))
    }

    /// Mean 0 and variance 1 over all but the first dimension of an image's values: over the pixels of each channel, or over
    /// runs of channels where the values were reshaped to them.
    fn normalise(&mut self, layer: &Layer) -> Result<Value, WeightsError> {
        let flow = self.flow_at(layer, 0)?;
        let axes = self.axes_at(layer, 1, flow.view.len() + 1)?;
        let eps: f64 = layer.required("eps")?.parse().unwrap_or(f64::NAN);
        if !layer.flag("normalize_variance")? || layer.required("eps_mode")?.eq_ignore_ascii_case("outside_sqrt") {
            return Err(layer.unsupported("without the variance, or with eps outside of the square root"));
        }
        if (eps - EPSILON).abs() > 1e-3 * EPSILON {
            return Err(layer.unsupported(format!("with eps {eps:e}; with {EPSILON:e} it is")));
        }
        if flow.view.len() < 2 || !axes.iter().copied().eq(2..=flow.view.len()) {
            return Err(layer.unsupported(format!("of {:?} over the axes {axes:?}", flow.view)));
        }
        let (channels, groups) = (flow.at.shape.channels(), flow.view[0]);
        let op = match flow.at.shape {
            Shape::Map(_) if groups == channels => Op::InstanceNorm { name: String::new(), channels },
            _ => Op::GroupNorm { name: String::new(), channels, groups },
        };
        let values = vec![vec![1.0; channels], vec![0.0; channels]];
        let at = self.push(layer, op, &[flow.at], values, None)?;
        Ok(Value::Flow(Flow { at, alone: true, ..flow }))
    }

    fn unary(&mut self, layer: &Layer, op: Op) -> Result<Value, WeightsError> {
        let flow = self.flow_at(layer, 0)?;
        let at = self.push(layer, op, &[flow.at], vec![], None)?;
        Ok(Value::Flow(Flow { at, alone: true, ..flow }))
    }

    fn prelu(&mut self, layer: &Layer) -> Result<Value, WeightsError> {
        let (flow, slope) = (self.flow_at(layer, 0)?, self.floats_at(layer, 1)?);
        let channels = flow.at.shape.channels();
        let by_channel = slope.shape == [channels] && flow.is_channels();
        let weight = if by_channel { Some(slope.values.to_vec()) } else { flow.per_channel(&slope) };
        let weight = weight.ok_or_else(|| layer.unsupported(format!("with slopes of shape {:?}", slope.shape)))?;
        let op = Op::PRelu { name: String::new(), channels };
        let at = self.push(layer, op, &[flow.at], vec![weight], Some(&slope))?;
        Ok(Value::Flow(Flow { at, alone: true, ..flow }))
    }

    fn pool(&mut self, layer: &Layer, op: fn(Pool) -> Op) -> Result<Value, WeightsError> {
        let x = self.map_at(layer, 0)?.at;
        let (kernel, stride, padding) = (layer.pair("kernel")?, layer.pair("strides")?, padding(layer)?);
        let ceil = match layer.attribute("rounding_type") {
            None | Some("floor") => false,
            Some("ceil" | "ceil_torch") => true,
            Some(other) => return Err(layer.unsupported(format!("with the rounding {other}"))),
        };
        if layer.attribute("dilations").is_some() && layer.pair("dilations")? != [1, 1] {
            return Err(layer.unsupported("with dilations"));
        }
        if layer.kind == "AvgPool" && ((padding != [0, 0] && layer.flag("exclude-pad")?) || ceil) {
            return Err(layer.unsupported("of windows that lie partly outside of the map"));
        }
        let at = self.push(layer, op(Pool { kernel, stride, padding, ceil }), &[x], vec![], None)?;
        Ok(Value::Flow(self.flow(at)))
    }

    fn mean(&mut self, layer: &Layer) -> Result<Value, WeightsError> {
        let flow = self.map_at(layer, 0)?;
        if self.axes_at(layer, 1, 4)? != [2, 3] {
            return Err(layer.unsupported("over other axes than height and width"));
        }
        let at = self.push(layer, Op::GlobalAveragePool, &[flow.at], vec![], None)?;
        let channels = flow.view[0];
        let view = if layer.flag("keep_dims")? { vec![channels, 1, 1] } else { vec![channels] };
        Ok(Value::Flow(Flow { at, view, alone: true }))
    }

    fn arithmetic(&mut self, layer: &Layer) -> Result<Value, WeightsError> {
        if layer.attribute("auto_broadcast").is_some_and(|rule| rule != "numpy") {
            return Err(layer.unsupported("with a broadcast other than numpy's"));
        }
        match (self.input(layer, 0)?, self.input(layer, 1)?) {
            (Value::Flow(a), Value::Flow(b)) => self.of_two(layer, a, b),
            (Value::Flow(x), Value::Floats(c)) => self.with_constant(layer, x, &c, false),
            (Value::Floats(c), Value::Flow(x)) => self.with_constant(layer, x, &c, true),
            _ => Err(layer.unsupported("of other values than the network's")),
        }
    }

    fn of_two(&mut self, layer: &Layer, a: Flow, b: Flow) -> Result<Value, WeightsError> {
        // A gate scales the channels of a map, whichever of the two comes first.
        let is_gate = |gate: &Flow, x: &Flow| {
            matches!(x.at.shape, Shape::Map(_)) && x.is_channels() && gate.is_channels() && gate.view[1..] == [1, 1]
        };
        let op = match layer.kind {
            "Add" => Op::Add,
            "Multiply" => Op::Multiply,
            _ => return Err(layer.unsupported("of two values that depend on the image")),
        };
        let (x, inputs) = if a.view == b.view && a.at.shape == b.at.shape {
            let inputs = [a.at, b.at];
            (a, inputs)
        } else if a.view == b.view {
            // One is a map of one pixel, the other a vector.
            let inputs = [self.vector(layer, &a)?, self.vector(layer, &b)?];
            (a, inputs)
        } else if op == Op::Multiply && is_gate(&b, &a) {
            let inputs = [a.at, self.vector(layer, &b)?];
            (a, inputs)
        } else if op == Op::Multiply && is_gate(&a, &b) {
            let inputs = [b.at, self.vector(layer, &a)?];
            (b, inputs)
        } else {
            return Err(layer.unsupported(format!("of [batch, {:?}] and [batch, {:?}]", a.view, b.view)));
        };
        let at = self.push(layer, op, &inputs, vec![], None)?;
        Ok(Value::Flow(Flow { at, view: x.view, alone: true }))
    }

    fn with_constant(&mut self, layer: &Layer, x: Flow, c: &Floats, first: bool) -> Result<Value, WeightsError> {
        let shape = || layer.unsupported(format!("of [batch, {:?}] and a constant of shape {:?}", x.view, c.shape));
        let c = x.per_channel(c).ok_or_else(shape)?;
        let each = |value: f32| vec![value; c.len()];
        let map = |of: fn(f32) -> f32| c.iter().map(|value| of(*value)).collect::<Vec<f32>>();
        let (scale, shift) = match (layer.kind, first) {
            ("Add", _) => (each(1.0), c),
            ("Subtract", false) => (each(1.0), map(|value| -value)),
            ("Subtract", true) => (each(-1.0), c),
            ("Multiply", _) => (c.clone(), each(0.0)),
            ("Divide", false) => (map(f32::recip), each(0.0)),
            _ => return Err(layer.unsupported("of a constant by the network's values")),
        };
        self.spend(scale.len() + shift.len())?;
        let at = self.importer.affine(x.at, x.alone, &scale, &shift);
        let at = at.ok_or_else(|| damaged(format!("`{}` does not fit its input", layer.name)))?;
        Ok(Value::Flow(Flow { at, alone: true, ..x }))
    }
}

impl Flow {
    /// Whether the file sees its channels as we do: `[channels, height, width]`, or `[channels]` with ones behind it.
    fn is_channels(&self) -> bool {
        match (self.at.shape, &self.view[..]) {
            (Shape::Map(shape), view) => *view == shape || (shape[1..] == [1, 1] && *view == shape[..1]),
            (Shape::Vector(channels), [first, rest @ ..]) => *first == channels && rest.iter().all(|size| *size == 1),
            (Shape::Vector(_), []) => false,
        }
    }

    /// A constant that numpy's broadcast lays over this value, as one number for each channel; `None` when it changes
    /// within a channel or from image to image.
    fn per_channel(&self, c: &Floats) -> Option<Vec<f32>> {
        let channels = self.at.shape.channels();
        let rank = self.view.len() + 1;
        if let [value] = c.values[..]
            && c.shape.len() <= rank
        {
            return Some(vec![value; channels]);
        }
        // The dimension of the channels, counted from the last.
        let place = c.shape.len().checked_sub(rank - 1)?;
        let others = c.shape.iter().enumerate().all(|(at, size)| at == place || *size == 1);
        let fits = self.is_channels() && c.shape.len() <= rank && others && c.shape.get(place) == Some(&channels);
        fits.then(|| c.values.to_vec())
    }
}

impl Floats {
    /// `conv1.conv` of `conv1.conv.weight`. Names that a converter made up say nothing.
    fn layer_name(&self) -> Option<String> {
        let name = self.name.strip_suffix(".weight")?;
        let is_plain =
            name.len() <= 128 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        (is_plain && !name.is_empty()).then(|| name.to_owned())
    }
}

fn padding(layer: &Layer) -> Result<[usize; 2], WeightsError> {
    match layer.attribute("auto_pad") {
        None | Some("explicit" | "notset") => {}
        Some("valid") => return Ok([0, 0]),
        Some(other) => return Err(layer.unsupported(format!("with the padding {other}"))),
    }
    let (begin, end) = (layer.pair("pads_begin")?, layer.pair("pads_end")?);
    if begin == end { Ok(begin) } else { Err(layer.unsupported("with more padding on one side than on the other")) }
}
