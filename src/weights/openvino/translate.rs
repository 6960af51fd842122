//! What each operator means in a graph of ours.
//!
//! OpenVINO computes shapes and reorders values in the network itself: `ShapeOf`, `Gather`, `Concat` and `Reshape` are
//! followed here, as long as they leave every image's values in their place. The batch is never fixed.

use std::collections::BTreeMap;

use super::damaged;
use super::file::{Layer, Network, Numbers};
use crate::graph::budget::{self, LIST};
use crate::graph::op::{AveragePool, MaxPool};
use crate::graph::{Convolution, Op, Pool};
use crate::model::ReIdentifierConfig;
use crate::weights::images::Images;
use crate::weights::import::{self, Importer};
use crate::weights::input::InputOptions;
use crate::weights::operators::{Arithmetic, EPSILON, Floats, Flow, Operators, Refusal};
use crate::weights::sizes::{Size, Sizes};
use crate::weights::{Tensor, WeightsError};

/// What a layer gives.
#[derive(Clone)]
enum Value {
    Flow(Flow),
    Floats(Floats),
    /// A shape, or a part of one.
    Sizes(Sizes),
}

pub(super) struct Translation {
    pub config: ReIdentifierConfig,
    pub tensors: BTreeMap<String, Tensor>,
    pub images: Images,
    /// The word for a size that the file leaves open.
    pub size_assumed: Option<String>,
}

/// The model that the network is, without neck and head, and its tensors by our names. `input` is what the user says of the
/// image.
pub(super) fn translate(network: &Network, bin: &[u8], input: &InputOptions) -> Result<Translation, WeightsError> {
    let mut parameters = network.layers.iter().filter(|layer| layer.kind == "Parameter");
    let parameter = parameters.next().ok_or_else(|| damaged("it has no input"))?;
    if let Some(second) = parameters.next() {
        return Err(second.unsupported("one image is the only input that a network may have"));
    }
    let size = image_size(parameter)?;
    let [height, width] = input.size(size)?;
    let size_assumed = input.size_assumed(size, [height, width]);
    let (importer, image) = Importer::new(height, width);
    budget::map(|| format!("`{}`", parameter.name), image.shape)?;
    let operators = Operators::new(importer, bin.len());
    let batch = parameter.dims.as_ref().and_then(|dims| *dims.first()?).and_then(|batch| i64::try_from(batch).ok());
    let mut translator = Translator { operators, image, bin, values: Vec::new(), output: None, batch };
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
    let images = translator.operators.importer().settle(output, &network.hints, input)?;
    let (config, tensors) = translator.operators.finish(network.name.to_owned(), output);
    Ok(Translation { config, tensors, images, size_assumed })
}

/// Height and width; `?`, `-1` and ranges such as `1..512` leave them open.
fn image_size(layer: &Layer) -> Result<[Option<usize>; 2], WeightsError> {
    let text = layer.required("shape")?;
    let dims: Vec<&str> = text.split(',').map(str::trim).collect();
    let size = |text: &str| match text {
        "?" | "-1" => Some(None),
        text if text.contains("..") => Some(None),
        text => text.parse().ok().filter(|size| (1..=1 << 16).contains(size)).map(Some),
    };
    match dims[..] {
        [_, "3" | "?" | "-1", height, width] => size(height).zip(size(width)).map(<[Option<usize>; 2]>::from),
        _ => None,
    }
    .ok_or_else(|| layer.unsupported(format!("an image of [{text}] is not read, [batch, 3, height, width] is")))
}

struct Translator<'a> {
    operators: Operators,
    image: import::Value,
    bin: &'a [u8],
    values: Vec<Value>,
    output: Option<import::Value>,
    /// The batch that the file was written for, if it says so.
    batch: Option<i64>,
}

impl Translator<'_> {
    fn translate(&mut self, layer: &Layer) -> Result<Value, WeightsError> {
        match layer.kind {
            "Parameter" => Ok(Value::Flow(Flow::of(self.image))),
            "Const" => self.constant(layer),
            "Convert" => match (self.input(layer, 0)?, layer.required("destination_type")?) {
                (value @ (Value::Flow(_) | Value::Floats(_)), "f32" | "f16") => Ok(value),
                (value @ Value::Sizes(_), "i32" | "i64") => Ok(value),
                (_, other) => Err(layer.unsupported(format!("to {other}"))),
            },
            "Result" => self.result(layer),
            "ShapeOf" => Ok(Value::Sizes(Sizes::of_view(&self.flow_at(layer, 0)?.view))),
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
            "MaxPool" => self.pool(layer, |pool| MaxPool(pool).into()),
            "AvgPool" => self.pool(layer, |pool| AveragePool(pool).into()),
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

    fn sizes_at(&self, layer: &Layer, port: usize) -> Result<Sizes, WeightsError> {
        match self.input(layer, port)? {
            Value::Sizes(sizes) => Ok(sizes),
            _ => Err(layer.unsupported(format!("its input {port} is no list of whole numbers"))),
        }
    }

    /// Constant whole numbers.
    fn integers_at(&self, layer: &Layer, port: usize) -> Result<Vec<i64>, WeightsError> {
        let sizes = self.sizes_at(layer, port)?;
        let what = || format!("the input {port} of `{}` ({})", layer.name, layer.kind);
        budget::within(what, sizes.list.len() as u64, "whole numbers", LIST as u64)?;
        sizes.known().ok_or_else(|| layer.unsupported("it depends on the batch"))
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

    fn result(&mut self, layer: &Layer) -> Result<Value, WeightsError> {
        let flow = self.flow_at(layer, 0)?;
        let output = self.operators.vector(&flow).map_err(|refusal| layer.refuse(refusal))?;
        if self.output.replace(output).is_some() {
            return Err(layer.unsupported("a network may have one result, the feature"));
        }
        Ok(Value::Flow(flow))
    }

    // The operators, in the order of `translate`.

    fn constant(&mut self, layer: &Layer) -> Result<Value, WeightsError> {
        let (shape, numbers) = layer.constant(self.bin)?;
        let name = layer.name.strip_suffix("_compressed").unwrap_or(layer.name);
        let count = match &numbers {
            Numbers::Floats(values) => values.len(),
            Numbers::Integers(integers) => integers.len(),
        };
        self.operators.spend(count).map_err(|refusal| layer.refuse(refusal))?;
        Ok(match numbers {
            Numbers::Floats(values) => Value::Floats(Floats { shape, values, name: name.into() }),
            Numbers::Integers(integers) => {
                let list: Vec<Size> = integers.into_iter().map(Size::Known).collect();
                Value::Sizes(Sizes { shape, list: list.into() })
            }
        })
    }

    /// A part of a shape, or the colours in the opposite order.
    fn gather(&mut self, layer: &Layer) -> Result<Value, WeightsError> {
        let at = self.sizes_at(layer, 1)?;
        if layer.attribute("batch_dims").is_some_and(|dims| dims != "0") {
            return Err(layer.unsupported("with batch_dims"));
        }
        match self.input(layer, 0)? {
            Value::Sizes(sizes) if sizes.shape.len() < 2 => {
                self.operators.spend(at.list.len()).map_err(|refusal| layer.refuse(refusal))?;
                sizes.gathered(&at).map(Value::Sizes).map_err(|refusal| layer.refuse(refusal))
            }
            Value::Flow(flow) if self.axes_at(layer, 2, flow.view.len() + 1)? == [1] => match self
                .integers_at(layer, 1)?[..]
            {
                [0, 1, 2] if flow.view[0] == 3 => Ok(Value::Flow(flow)),
                [2, 1, 0] if self.operators.importer().reverse_colours(flow.at, flow.alone) => Ok(Value::Flow(flow)),
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
            let parts: Vec<Sizes> =
                (0..inputs.len()).map(|port| self.sizes_at(layer, port)).collect::<Result<_, _>>()?;
            let joined = Sizes::joined(&parts, self.operators.budget());
            return joined.map(Value::Sizes).map_err(|refusal| layer.refuse(refusal));
        }
        let flows: Vec<Flow> = (0..inputs.len()).map(|port| self.flow_at(layer, port)).collect::<Result<_, _>>()?;
        let axis = axis.parse().map_err(|_| layer.unsupported(format!("along the axis {axis}")))?;
        let joined = self.operators.concatenate(&flows, axis);
        joined.map(Value::Flow).map_err(|refusal| layer.refuse(refusal))
    }

    fn reshape(&mut self, layer: &Layer) -> Result<Value, WeightsError> {
        let (flow, target) = (self.flow_at(layer, 0)?, self.sizes_at(layer, 1)?.list);
        let reshaped = flow.reshape(1, &target, layer.flag("special_zero")?, &mut self.batch);
        match reshaped.map_err(|refusal| layer.refuse(refusal))? {
            (flow, 1) => Ok(Value::Flow(flow)),
            _ => Err(layer.unsupported("of all images' values to a row")),
        }
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
        let flow = self.operators.convolution(&self.flow_at(layer, 0)?, convolution, &weight);
        flow.map(Value::Flow).map_err(|refusal| layer.refuse(refusal))
    }

    fn mat_mul(&mut self, layer: &Layer) -> Result<Value, WeightsError> {
        let (flow, weight) = (self.flow_at(layer, 0)?, self.floats_at(layer, 1)?);
        let [rows, columns] = weight.shape[..] else {
            return Err(layer.unsupported(format!("with weights of shape {:?}", weight.shape)));
        };
        if layer.flag("transpose_a")? {
            return Err(layer.unsupported("of other values than a vector"));
        }
        let (inputs, outputs, values) = if layer.flag("transpose_b")? {
            (columns, rows, weight.values.to_vec())
        } else {
            let column = |column: usize| weight.values.iter().skip(column).step_by(columns);
            (rows, columns, (0..columns).flat_map(column).copied().collect())
        };
        let flow = self.operators.linear(&flow, [outputs, inputs], values, &weight);
        flow.map(Value::Flow).map_err(|refusal| layer.refuse(refusal))
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
        self.operators.level(flow, None, None).map(Value::Flow).map_err(|refusal| layer.refuse(refusal))
    }

    fn unary(&mut self, layer: &Layer, op: Op) -> Result<Value, WeightsError> {
        let flow = self.operators.each(self.flow_at(layer, 0)?, op, vec![], None);
        flow.map(Value::Flow).map_err(|refusal| layer.refuse(refusal))
    }

    fn prelu(&mut self, layer: &Layer) -> Result<Value, WeightsError> {
        let (flow, mut slope) = (self.flow_at(layer, 0)?, self.floats_at(layer, 1)?);
        // A list has one for each channel.
        if slope.shape == [flow.at.shape.channels()] && flow.is_channels() {
            slope.shape.resize(flow.view.len(), 1);
        }
        let flow = self.operators.prelu(flow, &slope);
        flow.map(Value::Flow).map_err(|refusal| layer.refuse(refusal))
    }

    fn pool(&mut self, layer: &Layer, op: fn(Pool) -> Op) -> Result<Value, WeightsError> {
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
        let flow = self.operators.pool(
            &self.flow_at(layer, 0)?,
            op,
            Pool { kernel, stride, padding: padding.into(), ceil, count_padding: true },
        );
        flow.map(Value::Flow).map_err(|refusal| layer.refuse(refusal))
    }

    fn mean(&mut self, layer: &Layer) -> Result<Value, WeightsError> {
        let flow = self.flow_at(layer, 0)?;
        flow.map().map_err(|refusal| layer.refuse(refusal))?;
        if self.axes_at(layer, 1, 4)? != [2, 3] {
            return Err(layer.unsupported("over other axes than height and width"));
        }
        let flow = self.operators.pool_all(&flow, Op::GlobalAveragePool, vec![], layer.flag("keep_dims")?);
        flow.map(Value::Flow).map_err(|refusal| layer.refuse(refusal))
    }

    fn arithmetic(&mut self, layer: &Layer) -> Result<Value, WeightsError> {
        if layer.attribute("auto_broadcast").is_some_and(|rule| rule != "numpy") {
            return Err(layer.unsupported("with a broadcast other than numpy's"));
        }
        let how = match layer.kind {
            "Add" => Arithmetic::Add,
            "Subtract" => Arithmetic::Subtract,
            "Multiply" => Arithmetic::Multiply,
            _ => Arithmetic::Divide,
        };
        let flow = match (self.input(layer, 0)?, self.input(layer, 1)?) {
            (Value::Flow(a), Value::Flow(b)) => self.operators.of_two(how, a, b),
            (Value::Flow(x), Value::Floats(c)) => self.operators.with_constant(how, x, &c, false),
            (Value::Floats(c), Value::Flow(x)) => self.operators.with_constant(how, x, &c, true),
            _ => return Err(layer.unsupported("of other values than the network's")),
        };
        flow.map(Value::Flow).map_err(|refusal| layer.refuse(refusal))
    }
}

impl Layer<'_> {
    fn refuse(&self, refusal: Refusal) -> WeightsError {
        match refusal {
            Refusal::Unsupported(reason) => self.unsupported(reason),
            Refusal::Damaged(reason) => damaged(format!("`{}` ({}) {reason}", self.name, self.kind)),
            Refusal::TooMuch(error) => error.of(format!("`{}` ({})", self.name, self.kind)).into(),
        }
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
