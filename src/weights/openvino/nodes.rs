//! The two files as plain nodes: OpenVINO's words and attributes in ONNX's.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::file::{Layer, Network};
use super::{FORMAT, damaged};
use crate::graph::budget::Budget;
use crate::weights::WeightsError;
use crate::weights::nodes::{
    self, Attribute, Image, Named, Node, Numbers, Output, Stored, ValueId, Values, Wanted, words,
};

/// What means the same in both, and needs no more than another word, apart from what TensorFlow calls alike.
const WORDS: &str = "\
    BatchNormInference=BatchNormalization Broadcast=Expand Ceiling=Ceil Divide=Div HSwish=HardSwish Mish \
    Multiply=Mul Negative=Neg Power=Pow PReLU=PRelu ReduceL2 ReduceMax ReduceMean ReduceMin ReduceSum ReLU=Relu \
    ShapeOf=Shape SoftPlus=Softplus Squeeze Subtract=Sub Unsqueeze";

pub(super) fn nodes<'a>(
    network: Network<'a>,
    bin: &'a [u8],
    wanted: Wanted,
) -> Result<nodes::Network<'a>, WeightsError> {
    let mut parameters = network.layers.iter().filter(|layer| layer.kind == "Parameter");
    let parameter = parameters.next().ok_or_else(|| damaged("it has no input"))?;
    if let Some(second) = parameters.next() {
        return Err(second.unsupported("one image is the only input that a network may have"));
    }
    let dims = image(parameter)?;
    // The values of all layers, in order; those that are made here come behind.
    let mut first = Vec::with_capacity(network.layers.len());
    let mut values = Values::default();
    for layer in &network.layers {
        first.push(values.0.len());
        for output in 0..layer.outputs.len().max(1) {
            let stated = layer.outputs.get(output).cloned().unwrap_or_default();
            let stated = Some(stated).filter(|_| layer.kind != "Parameter");
            let name = layer.name.strip_suffix("_compressed").unwrap_or(layer.name);
            values.add(Named { name: name.into(), constant: None, stated });
        }
    }
    let layers = Rc::new(network.layers);
    let mut speller = Speller { layers: layers.clone(), first, values, nodes: Vec::new(), bin };
    let (mut image, mut results) = (None, Vec::new());
    for (place, layer) in layers.iter().enumerate() {
        match layer.kind {
            "Parameter" => image = Some(speller.first[place]),
            "Result" => {
                let value = speller.value(layer, 0)?;
                results.push(Output { name: speller.values.0[value].name.clone(), value });
            }
            _ => speller.layer(place, layer)?,
        }
    }
    let image = Image { value: image.ok_or_else(|| damaged("it has no input"))?, dims };
    let Speller { values: Values(values), nodes, .. } = speller;
    let stated = |output: &Output| values[output.value].stated.clone();
    let (outputs, chosen) = nodes::wanted(results, wanted, |output| (&output.name, stated(output)));
    let (name, hints, budget) = (network.name.to_owned(), network.hints, Budget::numbers(bin.len()));
    Ok(nodes::Network { format: FORMAT, name, image, hints, nodes, values, outputs, chosen, budget })
}

/// The image's dimensions; `?`, `-1` and ranges such as `1..512` leave them open.
fn image(layer: &Layer) -> Result<Vec<Option<usize>>, WeightsError> {
    let text = layer.required("shape")?;
    let size = |text: &str| match text {
        "?" | "-1" => Some(None),
        text if text.contains("..") => Some(None),
        text => text.parse().ok().filter(|size| *size > 0).map(Some),
    };
    let dims: Option<Vec<Option<usize>>> = text.split(',').take(8).map(|text| size(text.trim())).collect();
    dims.ok_or_else(|| layer.unsupported(format!("an image of [{text}] is not read, [batch, 3, height, width] is")))
}

struct Speller<'a> {
    layers: Rc<Vec<Layer<'a>>>,
    /// The first value of each layer.
    first: Vec<ValueId>,
    values: Values<'a>,
    nodes: Vec<Node<'a>>,
    bin: &'a [u8],
}

impl<'a> Speller<'a> {
    fn value(&self, layer: &Layer, port: usize) -> Result<ValueId, WeightsError> {
        let source = layer.inputs.get(port).map(|&(source, output)| self.first[source] + output);
        source.ok_or_else(|| damaged(format!("`{}` lacks its input {port}", layer.name)))
    }

    /// Whole numbers that an input holds.
    fn integers(&self, layer: &Layer, port: usize) -> Result<Vec<i64>, WeightsError> {
        let source = layer.inputs.get(port).and_then(|&(source, _)| self.layers.get(source));
        let source = source.ok_or_else(|| damaged(format!("`{}` lacks its input {port}", layer.name)))?;
        if source.kind != "Const" {
            return Err(layer.unsupported(format!("its input {port} is no constant")));
        }
        match source.constant(self.bin)? {
            (_, Numbers::Integers(list)) if list.len() <= 1 << 12 => Ok(list),
            _ => Err(layer.unsupported(format!("its input {port} is no list of whole numbers"))),
        }
    }

    fn layer(&mut self, place: usize, layer: &Layer<'a>) -> Result<(), WeightsError> {
        let mut node = Node {
            format: FORMAT,
            kind: "",
            word: layer.kind.into(),
            name: layer.name.into(),
            attributes: BTreeMap::new(),
            inputs: (0..layer.inputs.len()).map(|port| self.value(layer, port).map(Some)).collect::<Result<_, _>>()?,
            outputs: (0..layer.outputs.len().max(1)).map(|output| Some(self.first[place] + output)).collect(),
        };
        self.spell(place, layer, &mut node)?;
        self.nodes.push(node);
        Ok(())
    }

    fn spell(&mut self, place: usize, layer: &Layer<'a>, node: &mut Node<'a>) -> Result<(), WeightsError> {
        use Attribute::{Float, Integer, Integers, Text};
        if layer.attribute("auto_broadcast").is_some_and(|rule| !matches!(rule, "numpy" | "none")) {
            return Err(layer.unsupported("with a broadcast other than numpy's"));
        }
        let float = |name: &str, default: f64| -> Result<f64, WeightsError> {
            let wrong = |text: &str| damaged(format!("the attribute {name} of `{}` is {text:?}", layer.name));
            layer.attribute(name).map_or(Ok(default), |text| text.trim().parse().map_err(|_| wrong(text)))
        };
        let set = |node: &mut Node<'a>, name, value| drop(node.attributes.insert(name, value));
        let flag = |name: &str| Ok::<_, WeightsError>(Integer(layer.flag(name)?.into()));
        if let Some(kind) = words::find(words::SHARED, layer.kind).or_else(|| words::find(WORDS, layer.kind)) {
            node.kind = kind;
            match kind {
                "ReduceL2" | "ReduceMax" | "ReduceMean" | "ReduceMin" | "ReduceSum" => {
                    set(node, "keepdims", flag("keep_dims")?)
                }
                "BatchNormalization" => {
                    // The image comes last in version 1.
                    set(node, "epsilon", Float(float("epsilon", float("eps", 1e-5)?)?));
                }
                "Shape" => node.outputs.truncate(1),
                "Expand" if !matches!(layer.attribute("mode"), None | Some("numpy" | "bidirectional")) => {
                    return Err(layer.unsupported("with a mode other than numpy's"));
                }
                _ => {}
            }
            return Ok(());
        }
        node.kind = match layer.kind {
            "Const" => {
                let (layers, bin) = (self.layers.clone(), self.bin);
                let read = Rc::new(move || layers[place].constant(bin));
                set(node, "value", Attribute::Constant(Stored { read }));
                "Constant"
            }
            "Convert" => {
                let to = layer.required("destination_type")?;
                let word = match to {
                    "f32" | "f16" | "bf16" | "f64" => "float",
                    "i32" | "i64" => "integer",
                    "boolean" => "bool",
                    _ => return Err(layer.unsupported(format!("to {to}"))),
                };
                set(node, "to", Text(word.into()));
                set(node, "type", Text(to.into()));
                "Cast"
            }
            "Gather" => {
                if layer.attribute("batch_dims").is_some_and(|dims| dims != "0") {
                    return Err(layer.unsupported("with batch_dims"));
                }
                let axis = self.integers(layer, 2)?;
                set(node, "axis", Integer(axis.first().copied().unwrap_or(0)));
                node.inputs.truncate(2);
                "Gather"
            }
            "Concat" => {
                let axis = layer.required("axis")?;
                let axis = axis.trim().parse().map_err(|_| layer.unsupported(format!("along the axis {axis}")))?;
                set(node, "axis", Integer(axis));
                "Concat"
            }
            "Reshape" => {
                set(node, "allowzero", Integer((!layer.flag("special_zero")?).into()));
                "Reshape"
            }
            "Transpose" => {
                set(node, "perm", Integers(self.integers(layer, 1)?));
                node.inputs.truncate(1);
                "Transpose"
            }
            "Convolution" | "GroupConvolution" => {
                for name in ["strides", "dilations"] {
                    set(node, name, whole(&layer.sizes(name)?));
                }
                padding(layer, node)?;
                "Conv"
            }
            "MaxPool" | "AvgPool" => {
                set(node, "kernel_shape", whole(&layer.sizes("kernel")?));
                set(node, "strides", whole(&layer.sizes("strides")?));
                if layer.attribute("dilations").is_some() {
                    set(node, "dilations", whole(&layer.sizes("dilations")?));
                }
                padding(layer, node)?;
                let ceil = match layer.attribute("rounding_type") {
                    None | Some("floor") => false,
                    Some("ceil" | "ceil_torch") => true,
                    Some(other) => return Err(layer.unsupported(format!("with the rounding {other}"))),
                };
                set(node, "ceil_mode", Integer(ceil.into()));
                if layer.kind == "AvgPool" {
                    set(node, "count_include_pad", Integer((!layer.flag("exclude-pad")?).into()));
                }
                node.outputs.truncate(1);
                if layer.kind == "AvgPool" { "AveragePool" } else { "MaxPool" }
            }
            "MatMul" => {
                if layer.flag("transpose_a")? {
                    return Err(layer.unsupported("with transpose_a, of other values than a vector"));
                }
                set(node, "transB", flag("transpose_b")?);
                "MatMul"
            }
            "MVN" => {
                let mode = layer.attribute("eps_mode").unwrap_or("inside_sqrt");
                if !layer.flag("normalize_variance")? || !mode.eq_ignore_ascii_case("inside_sqrt") {
                    return Err(layer.unsupported("without the variance, or with eps outside of the square root"));
                }
                let eps: f64 = layer.required("eps")?.parse().unwrap_or(f64::NAN);
                if !(0.0..1.0).contains(&eps) {
                    return Err(layer.unsupported(format!("with eps {eps:e}")));
                }
                set(node, "epsilon", Float(eps));
                "MeanVarianceNormalization"
            }
            "NormalizeL2" => {
                let eps = float("eps", 0.0)?;
                set(node, "epsilon", Float(eps.max(0.0).sqrt()));
                "UnitLength"
            }
            "GroupNormalization" => {
                set(node, "num_groups", Integer(float("num_groups", 1.0)? as i64));
                set(node, "epsilon", Float(float("epsilon", 1e-5)?));
                "GroupNormalization"
            }
            "Softmax" => {
                set(node, "axis", Integer(float("axis", 1.0)? as i64));
                "Softmax"
            }
            "Elu" => {
                set(node, "alpha", Float(float("alpha", 1.0)?));
                "Elu"
            }
            "HSigmoid" => {
                set(node, "alpha", Float(1.0 / 6.0));
                "HardSigmoid"
            }
            "HardSigmoid" => {
                for (port, name) in [(1, "alpha"), (2, "beta")] {
                    set(node, name, Float(self.float(layer, port)?));
                }
                node.inputs.truncate(1);
                "HardSigmoid"
            }
            "Swish" => {
                if layer.inputs.len() > 1 {
                    set(node, "alpha", Float(self.float(layer, 1)?));
                    node.inputs.truncate(1);
                }
                "Swish"
            }
            "Gelu" => {
                let is_tanh =
                    layer.attribute("approximation_mode").is_some_and(|mode| mode.eq_ignore_ascii_case("tanh"));
                set(node, "approximate", Text(if is_tanh { "tanh" } else { "none" }.into()));
                "Gelu"
            }
            "Clamp" => {
                let (low, high) = (float("min", f64::NAN)?, float("max", f64::NAN)?);
                node.inputs.truncate(1);
                node.inputs.extend([Some(self.values.number(low as f32)), Some(self.values.number(high as f32))]);
                "Clip"
            }
            "Split" => {
                let axis = self.integers(layer, 1)?;
                set(node, "axis", Integer(axis.first().copied().unwrap_or(0)));
                node.inputs.truncate(1);
                "Split"
            }
            "VariadicSplit" => {
                let (axis, mut lengths) = (self.integers(layer, 1)?, self.integers(layer, 2)?);
                let along = axis.first().copied().unwrap_or(0);
                set(node, "axis", Integer(along));
                // One of them may be the rest.
                if let Some(place) = lengths.iter().position(|length| *length == -1) {
                    let source =
                        layer.inputs.first().and_then(|&(source, output)| self.layers[source].outputs.get(output));
                    let size = source.and_then(|dims| {
                        let place = if along < 0 { along + dims.len() as i64 } else { along };
                        (*dims.get(usize::try_from(place).ok()?)?).and_then(|size| i64::try_from(size).ok())
                    });
                    let known: i64 =
                        lengths.iter().filter(|length| **length > 0).fold(0, |sum, own| sum.saturating_add(*own));
                    lengths[place] = size.map_or(0, |size| size - known);
                }
                node.inputs.truncate(1);
                node.inputs.push(Some(self.values.list(lengths)));
                "Split"
            }
            "Slice" => {
                // OpenVINO has the steps before the axes.
                let inputs = std::mem::take(&mut node.inputs);
                let input = |port: usize| inputs.get(port).copied().flatten();
                node.inputs = vec![input(0), input(1), input(2), input(4), input(3)];
                "Slice"
            }
            "StridedSlice" => return self.strided(layer, node),
            "Pad" => {
                let pads = [self.integers(layer, 1)?, self.integers(layer, 2)?].concat();
                let value = node.inputs.get(3).copied().flatten();
                node.inputs.truncate(1);
                node.inputs.extend([Some(self.values.list(pads)), value]);
                set(node, "mode", Text(layer.attribute("pad_mode").unwrap_or("constant").into()));
                "Pad"
            }
            "Interpolate" => {
                self.interpolate(layer, node)?;
                "Resize"
            }
            "ScaledDotProductAttention" => {
                if layer.flag("causal")? {
                    return Err(layer.unsupported("with a causal mask"));
                }
                if layer.inputs.len() > 4 {
                    set(node, "scale", Float(self.float(layer, 4)?));
                }
                node.inputs.truncate(4);
                "Attention"
            }
            _ => return Err(layer.unsupported("there is nothing like it here")),
        };
        Ok(())
    }

    /// The one number that an input holds.
    fn float(&self, layer: &Layer, port: usize) -> Result<f64, WeightsError> {
        let mut source = layer.inputs.get(port).and_then(|&(source, _)| self.layers.get(source));
        // Numbers of 16 bits are made 32 first.
        if let Some(convert) = source.filter(|source| source.kind == "Convert") {
            source = convert.inputs.first().and_then(|&(source, _)| self.layers.get(source));
        }
        let source = source.filter(|source| source.kind == "Const");
        let source = source.ok_or_else(|| layer.unsupported(format!("its input {port} is no constant")))?;
        match source.constant(self.bin)? {
            (_, Numbers::Floats(list)) if list.len() == 1 => Ok(list[0].into()),
            _ => Err(layer.unsupported(format!("its input {port} is not one number"))),
        }
    }

    /// Begin, end and stride with masks.
    fn strided(&mut self, layer: &Layer<'a>, node: &mut Node<'a>) -> Result<(), WeightsError> {
        let mask = |name: &str| -> Result<Vec<usize>, WeightsError> {
            match layer.attribute(name).map(str::trim) {
                None | Some("") => Ok(Vec::new()),
                Some(_) => layer.sizes(name),
            }
        };
        let (begins, ends) = (mask("begin_mask")?, mask("end_mask")?);
        let (new, shrink, ellipsis) = (mask("new_axis_mask")?, mask("shrink_axis_mask")?, mask("ellipsis_mask")?);
        if new.iter().chain(&ellipsis).any(|bit| *bit == 1) {
            return Err(layer.unsupported("with new axes or an ellipsis"));
        }
        let begin = self.integers(layer, 1)?;
        let count = begin.len();
        let steps = if layer.inputs.len() > 3 { self.integers(layer, 3)? } else { vec![1; count] };
        if steps.len() != count {
            return Err(damaged(format!("`{}` has {count} begins and {} strides", layer.name, steps.len())));
        }
        let is = |mask: &[usize], place: usize| mask.get(place) == Some(&1);
        let is_open = |place| is(&ends, place) || is(&shrink, place);
        // An end may be computed, if all of them count.
        let is_const = layer.inputs.get(2).is_some_and(|&(source, _)| self.layers[source].kind == "Const");
        let is_computed = !is_const && !(0..count).all(is_open);
        if is_computed && (0..count).any(is_open) {
            return Err(layer.unsupported("with ends that are computed"));
        }
        let end = if is_const { self.integers(layer, 2)? } else { Vec::new() };
        let masks: [&dyn Fn(usize) -> bool; 3] =
            [&|place| is(&begins, place), &|place| is(&ends, place), &|place| is(&shrink, place)];
        let [starts, ends, shrunk] = nodes::strided(&begin, &end, &steps, masks);
        let ends = if is_computed { node.inputs.get(2).copied().flatten() } else { Some(self.values.list(ends)) };
        let axes = (0..count as i64).collect();
        let x = node.inputs.first().copied().flatten();
        node.inputs =
            vec![x, Some(self.values.list(starts)), ends, Some(self.values.list(axes)), Some(self.values.list(steps))];
        node.kind = "Slice";
        if shrunk.is_empty() {
            return Ok(());
        }
        // The dimensions that one is taken of go.
        let sliced = self.values.add(Named::default());
        let outputs = std::mem::replace(&mut node.outputs, vec![Some(sliced)]);
        self.nodes.push(node.clone());
        node.kind = "Squeeze";
        node.inputs = vec![Some(sliced), Some(self.values.list(shrunk))];
        node.outputs = outputs;
        Ok(())
    }

    fn interpolate(&mut self, layer: &Layer<'a>, node: &mut Node<'a>) -> Result<(), WeightsError> {
        let mode = match layer.required("mode")? {
            "nearest" => "nearest",
            "linear" | "linear_onnx" | "bilinear_pillow" => "linear",
            other => other,
        };
        let rule = layer.attribute("coordinate_transformation_mode").unwrap_or("half_pixel");
        let by_scales = layer.attribute("shape_calculation_mode").is_some_and(|mode| mode == "scales");
        let is_four = layer.inputs.len() > 3;
        let axes = if is_four { 3 } else { 2 };
        let axes = match layer.inputs.len() > axes {
            true => self.integers(layer, axes)?,
            false => vec![0, 1, 2, 3],
        };
        let inputs = std::mem::take(&mut node.inputs);
        let input = |port: usize| inputs.get(port).copied().flatten();
        if by_scales {
            // The sizes are stated beside.
            let stated = layer.outputs.first().cloned().unwrap_or_default();
            let sizes = axes.iter().map(|&along| {
                let place = if along < 0 { along + stated.len() as i64 } else { along };
                let size = usize::try_from(place).ok().and_then(|place| *stated.get(place)?);
                size.and_then(|size| i64::try_from(size).ok())
            });
            let sizes: Option<Vec<i64>> = sizes.collect();
            let sizes = sizes.ok_or_else(|| layer.unsupported("with scales, of a size that is open"))?;
            node.inputs = vec![input(0), None, None, Some(self.values.list(sizes))];
        } else {
            node.inputs = vec![input(0), None, None, input(1)];
        }
        let nearest = layer.attribute("nearest_mode").unwrap_or("round_prefer_floor");
        for (name, value) in [("mode", mode), ("coordinate_transformation_mode", rule), ("nearest_mode", nearest)] {
            node.attributes.insert(name, Attribute::Text(value.into()));
        }
        node.attributes.insert("axes", Attribute::Integers(axes));
        node.attributes.insert("antialias", Attribute::Integer(layer.flag("antialias")?.into()));
        Ok(())
    }
}

fn whole(sizes: &[usize]) -> Attribute<'static> {
    Attribute::Integers(sizes.iter().map(|&size| i64::try_from(size).unwrap_or(i64::MAX)).collect())
}

/// Top, left, bottom and right of a window.
fn padding(layer: &Layer, node: &mut Node) -> Result<(), WeightsError> {
    let word = match layer.attribute("auto_pad") {
        None | Some("explicit" | "notset") => {
            let pads = [layer.sizes("pads_begin")?, layer.sizes("pads_end")?].concat();
            node.attributes.insert("pads", whole(&pads));
            return Ok(());
        }
        Some("valid") => "VALID",
        Some("same_upper") => "SAME_UPPER",
        Some("same_lower") => "SAME_LOWER",
        Some(other) => other,
    };
    node.attributes.insert("auto_pad", Attribute::Text(word.into()));
    Ok(())
}
