//! The file as plain nodes: TensorFlow's words and attributes in ONNX's. What sees channels last is put between two transposes,
//! which cost nothing.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use super::file::{File, Node};
use super::{FORMAT, damaged};
use crate::graph::budget::{Budget, LIST};
use crate::weights::WeightsError;
use crate::weights::images::Hints;
use crate::weights::nodes::{self, Attribute, Image, Named, Numbers, Output, ValueId, Values, words};

/// What means the same in both, and needs no more than another word, apart from what OpenVINO calls alike.
const WORDS: &str = "\
    AddV2=Add BroadcastTo=Expand Ceil Div Mul Neg PlaceholderWithDefault=Identity Pow RealDiv=Div Reciprocal Relu \
    Reshape SelectV2=Where Shape Size Softplus StopGradient=Identity Sub";

/// Whether a node that nobody reads may be what the network gives.
pub(super) fn is_output(op: &str) -> bool {
    !matches!(op, "Const" | "Placeholder" | "NoOp" | "Assert")
}

pub(super) fn nodes<'a>(file: &'a File, numbers: &'a [u8]) -> Result<nodes::Network<'a>, WeightsError> {
    let mut images = file.nodes.iter().enumerate().filter(|(_, node)| node.json.op == "Placeholder");
    let (place, image) = images.next().ok_or_else(|| damaged("it has no input"))?;
    if let Some((_, second)) = images.next() {
        return Err(second.unsupported("one image is the only input that a network may have"));
    }
    let dims = image.json.shape("shape").filter(|dims| !dims.is_empty());
    let dims = dims.or_else(|| file.image.clone()).unwrap_or_default();
    let mut speller = Speller { file, numbers, given: HashMap::new(), values: Values::default(), nodes: Vec::new() };
    for (place, node) in file.nodes.iter().enumerate() {
        speller.node(place, node)?;
    }
    let image = Image { value: speller.given[&(place, 0)], dims };
    let output = |(name, node, output): &(String, usize, usize)| {
        let value = speller.given.get(&(*node, *output)).copied();
        let missing = || damaged(format!("`{}` has no output {output}", file.nodes[*node].name));
        Ok(Output { name: name.as_str().into(), value: value.ok_or_else(missing)? })
    };
    let outputs = file.outputs.iter().map(output).collect::<Result<_, WeightsError>>()?;
    let Speller { values, nodes, .. } = speller;
    Ok(nodes::Network {
        format: FORMAT,
        name: "network of a TensorFlow.js file".into(),
        image,
        hints: Hints::default(),
        nodes,
        values: values.0,
        outputs,
        chosen: file.chosen.clone(),
        budget: Budget::numbers(numbers.len()),
    })
}

impl Node {
    /// The error for an operator that has no counterpart here.
    fn unsupported(&self, reason: impl Into<String>) -> WeightsError {
        let (operator, node) = (self.json.op.clone(), self.name.to_string());
        WeightsError::Operator { operator, node, reason: reason.into() }
    }

    /// Whether the channels are the last dimension.
    fn is_channels_last(&self) -> Result<bool, WeightsError> {
        match self.json.text("data_format").as_deref() {
            None | Some("nhwc" | "channels_last" | "") => Ok(true),
            Some("nchw" | "channels_first") => Ok(false),
            Some(other) => Err(self.unsupported(format!("with the dimensions {other}"))),
        }
    }

    /// Height and width of an attribute that has a number for each dimension.
    fn sides(&self, name: &str) -> Result<Option<[i64; 2]>, WeightsError> {
        let Some(list) = self.json.integers(name) else { return Ok(None) };
        let is_last = self.is_channels_last()?;
        match list[..] {
            [height, width] => Ok(Some([height, width])),
            [1, height, width, 1] if is_last => Ok(Some([height, width])),
            [1, 1, height, width] if !is_last => Ok(Some([height, width])),
            _ => Err(self.unsupported(format!("with {name} of {list:?}"))),
        }
    }
}

type Attributes<'a> = Vec<(&'static str, Attribute<'a>)>;

struct Speller<'a> {
    file: &'a File,
    numbers: &'a [u8],
    /// What the outputs of nodes are called here.
    given: HashMap<(usize, usize), ValueId>,
    values: Values<'a>,
    nodes: Vec<nodes::Node<'a>>,
}

impl<'a> Speller<'a> {
    fn value(&mut self, name: &Rc<str>) -> ValueId {
        self.values.add(Named { name: name.clone(), ..Default::default() })
    }

    fn input(&self, node: &Node, port: usize) -> Result<ValueId, WeightsError> {
        let missing = || damaged(format!("`{}` lacks its input {port}", node.name));
        let slot = node.inputs.get(port).ok_or_else(missing)?;
        let none = || damaged(format!("`{}` has no output {}", self.file.nodes[slot.0].name, slot.1));
        self.given.get(slot).copied().ok_or_else(none)
    }

    fn inputs(&self, node: &Node) -> Result<Vec<ValueId>, WeightsError> {
        (0..node.inputs.len()).map(|port| self.input(node, port)).collect()
    }

    /// The shape and the numbers of an input that is a constant.
    fn stored(&self, node: &Node, port: usize) -> Result<nodes::Shaped, WeightsError> {
        let mut slot = node.inputs.get(port);
        while let Some((_, from)) = slot.map(|slot| (slot, &self.file.nodes[slot.0])) {
            match from.json.op.as_str() {
                "Identity" => slot = from.inputs.first(),
                "Const" => {
                    let lost = || damaged(format!("there are no numbers of `{}`", from.name));
                    return self.file.weights.get(&*from.name).ok_or_else(lost)?.read(self.numbers);
                }
                _ => break,
            }
        }
        Err(node.unsupported(format!("its input {port} is no constant")))
    }

    /// Constant whole numbers.
    fn integers(&self, node: &Node, port: usize) -> Result<Vec<i64>, WeightsError> {
        match self.stored(node, port)? {
            (_, Numbers::Integers(list)) if list.len() <= LIST => Ok(list),
            _ => Err(node.unsupported(format!("its input {port} is no list of whole numbers"))),
        }
    }

    /// The axis that an input says.
    fn axis(&self, node: &Node, port: usize) -> Result<i64, WeightsError> {
        match self.integers(node, port)?[..] {
            [axis] => Ok(axis),
            _ => Err(node.unsupported(format!("its input {port} is no axis"))),
        }
    }

    /// A plain node of one output, for a part of what a node does.
    fn make(&mut self, node: &Node, kind: &'static str, inputs: &[ValueId], attributes: Attributes<'a>) -> ValueId {
        self.make_all(node, kind, inputs, attributes, 1)[0]
    }

    fn make_all(
        &mut self,
        node: &Node,
        kind: &'static str,
        inputs: &[ValueId],
        attributes: Attributes<'a>,
        outputs: usize,
    ) -> Vec<ValueId> {
        let outputs: Vec<ValueId> = (0..outputs).map(|_| self.value(&node.name)).collect();
        self.nodes.push(nodes::Node {
            format: FORMAT,
            kind,
            word: node.json.op.as_str().into(),
            name: node.name.clone(),
            attributes: BTreeMap::from_iter(attributes),
            inputs: inputs.iter().copied().map(Some).collect(),
            outputs: outputs.iter().copied().map(Some).collect(),
        });
        outputs
    }

    fn transposed(&mut self, node: &Node, x: ValueId, order: &[i64]) -> ValueId {
        self.make(node, "Transpose", &[x], vec![("perm", Attribute::Integers(order.to_vec()))])
    }

    /// With the channels before height and width.
    fn channels_first(&mut self, node: &Node, x: ValueId) -> Result<ValueId, WeightsError> {
        Ok(if node.is_channels_last()? { self.transposed(node, x, &[0, 3, 1, 2]) } else { x })
    }

    /// Back again.
    fn as_before(&mut self, node: &Node, x: ValueId) -> Result<ValueId, WeightsError> {
        Ok(if node.is_channels_last()? { self.transposed(node, x, &[0, 2, 3, 1]) } else { x })
    }

    /// A number for each channel, added to a value.
    fn biased(&mut self, node: &Node, x: ValueId, bias: ValueId) -> Result<ValueId, WeightsError> {
        if node.is_channels_last()? {
            return Ok(self.make(node, "Add", &[x, bias], vec![]));
        }
        let axes = self.values.list(vec![1, 2]);
        let bias = self.make(node, "Unsqueeze", &[bias, axes], vec![]);
        Ok(self.make(node, "Add", &[x, bias], vec![]))
    }

    fn node(&mut self, place: usize, node: &Node) -> Result<(), WeightsError> {
        let given = match node.json.op.as_str() {
            "Placeholder" => vec![self.value(&node.name)],
            "Const" => {
                let lost = || damaged(format!("there are no numbers of `{}`", node.name));
                let weight = self.file.weights.get(&*node.name).ok_or_else(lost)?;
                let all = self.numbers;
                vec![self.values.constant(node.name.clone(), move || weight.read(all))]
            }
            "IdentityN" => self.inputs(node)?,
            "Split" | "SplitV" => self.split(node)?,
            "Unpack" => self.unpacked(node)?,
            _ => vec![self.one(node)?],
        };
        self.given.extend(given.into_iter().enumerate().map(|(output, value)| ((place, output), value)));
        Ok(())
    }

    /// What a node of one output gives.
    fn one(&mut self, node: &Node) -> Result<ValueId, WeightsError> {
        use Attribute::{Float, Integer, Text};
        let kind = node.json.op.as_str();
        if let Some(kind) = words::find(words::SHARED, kind).or_else(|| words::find(WORDS, kind)) {
            let inputs = self.inputs(node)?;
            // A size of 0 is one, other than in ONNX.
            let attributes = if kind == "Reshape" { vec![("allowzero", Integer(1))] } else { vec![] };
            return Ok(self.make(node, kind, &inputs, attributes));
        }
        let x = self.input(node, 0)?;
        let axes = |name: &str| node.json.integers(name).filter(|axes| !axes.is_empty());
        Ok(match kind {
            "Conv2D" | "_FusedConv2D" | "DepthwiseConv2dNative" | "FusedDepthwiseConv2dNative" => {
                let x = self.convolution(node)?;
                self.fused(node, x)?
            }
            "MatMul" | "_FusedMatMul" | "BatchMatMul" | "BatchMatMulV2" => {
                let flag = |names: [&str; 2]| names.iter().any(|name| node.json.flag(name));
                if flag(["transpose_a", "adj_x"]) {
                    return Err(node.unsupported("with its first input transposed"));
                }
                let is_turned = flag(["transpose_b", "adj_y"]);
                let inputs = [x, self.input(node, 1)?];
                let x = self.make(node, "MatMul", &inputs, vec![("transB", Integer(is_turned.into()))]);
                self.fused(node, x)?
            }
            "BiasAdd" | "BiasAddV1" => {
                let bias = self.input(node, 1)?;
                self.biased(node, x, bias)?
            }
            "FusedBatchNorm" | "FusedBatchNormV2" | "FusedBatchNormV3" => {
                if node.json.flag("is_training") {
                    return Err(node.unsupported("in training; export the model for inference"));
                }
                let mut inputs = self.inputs(node)?;
                inputs[0] = self.channels_first(node, x)?;
                let eps = node.json.float("epsilon").unwrap_or(1e-3);
                let x = self.make(node, "BatchNormalization", &inputs, vec![("epsilon", Float(eps))]);
                self.as_before(node, x)?
            }
            "MaxPool" | "AvgPool" => {
                let mut attributes = self.padding(node)?;
                let kernel = node.sides("ksize")?.ok_or_else(|| damaged(format!("`{}` has no ksize", node.name)))?;
                attributes.push(("kernel_shape", Attribute::Integers(kernel.to_vec())));
                let x = self.channels_first(node, x)?;
                let x = self.make(node, if kind == "MaxPool" { "MaxPool" } else { "AveragePool" }, &[x], attributes);
                self.as_before(node, x)?
            }
            "Mean" | "Max" | "Min" | "Sum" => {
                let kind = match kind {
                    "Mean" => "ReduceMean",
                    "Max" => "ReduceMax",
                    "Min" => "ReduceMin",
                    _ => "ReduceSum",
                };
                let keep = Integer(node.json.flag("keep_dims").into());
                let axes = self.input(node, 1)?;
                self.make(node, kind, &[x, axes], vec![("keepdims", keep)])
            }
            "Pad" | "PadV2" => {
                let (shape, Numbers::Integers(list)) = self.stored(node, 1)? else {
                    return Err(node.unsupported("with pads that are no whole numbers"));
                };
                if shape.len() != 2 || shape[1] != 2 {
                    return Err(damaged(format!("`{}` has pads of shape {shape:?}", node.name)));
                }
                let side = |side: usize| list.iter().skip(side).step_by(2).copied();
                let pads = self.values.list(side(0).chain(side(1)).collect());
                let value = if kind == "PadV2" { self.input(node, 2)? } else { self.values.number(0.0) };
                self.make(node, "Pad", &[x, pads, value], vec![])
            }
            "Relu6" | "LeakyRelu" | "Elu" => self.activated(node, x, kind)?,
            "Square" => self.make(node, "Mul", &[x, x], vec![]),
            "SquaredDifference" => {
                let inputs = self.inputs(node)?;
                let difference = self.make(node, "Sub", &inputs, vec![]);
                self.make(node, "Mul", &[difference; 2], vec![])
            }
            "Rsqrt" => {
                let root = self.make(node, "Sqrt", &[x], vec![]);
                self.make(node, "Reciprocal", &[root], vec![])
            }
            "FloorDiv" => {
                let inputs = self.inputs(node)?;
                let quotient = self.make(node, "Div", &inputs, vec![]);
                self.make(node, "Floor", &[quotient], vec![])
            }
            "Softmax" => self.make(node, "Softmax", &[x], vec![("axis", Integer(-1))]),
            "Cast" => {
                let to = node.json.kind("DstT").unwrap_or_default();
                let word = match to.as_str() {
                    "DT_FLOAT" | "DT_HALF" | "DT_BFLOAT16" | "DT_DOUBLE" | "1" | "2" | "14" | "19" => "float",
                    "DT_INT32" | "DT_INT64" | "3" | "9" => "integer",
                    "DT_BOOL" | "10" => "bool",
                    _ => "other",
                };
                self.make(node, "Cast", &[x], vec![("to", Text(word.into())), ("type", Text(to))])
            }
            "Transpose" => {
                let order = self.integers(node, 1)?;
                self.transposed(node, x, &order)
            }
            "Squeeze" => match axes("squeeze_dims").or_else(|| axes("axis")) {
                Some(axes) => {
                    let axes = self.values.list(axes);
                    self.make(node, "Squeeze", &[x, axes], vec![])
                }
                None => self.make(node, "Squeeze", &[x], vec![]),
            },
            "ExpandDims" => {
                let axis = self.axis(node, 1)?;
                let axes = self.values.list(vec![axis]);
                self.make(node, "Unsqueeze", &[x, axes], vec![])
            }
            "Pack" => {
                let axis = node.json.integer("axis").unwrap_or(0);
                let mut parts = Vec::with_capacity(node.inputs.len());
                for value in self.inputs(node)? {
                    let axes = self.values.list(vec![axis]);
                    parts.push(self.make(node, "Unsqueeze", &[value, axes], vec![]));
                }
                self.make(node, "Concat", &parts, vec![("axis", Integer(axis))])
            }
            "ConcatV2" | "Concat" => {
                let mut inputs = self.inputs(node)?;
                let port = if kind == "Concat" { 0 } else { inputs.len() - 1 };
                let axis = self.axis(node, port)?;
                inputs.remove(port);
                self.make(node, "Concat", &inputs, vec![("axis", Integer(axis))])
            }
            "Gather" | "GatherV2" => {
                if node.json.integer("batch_dims").is_some_and(|dims| dims != 0) {
                    return Err(node.unsupported("with batch_dims"));
                }
                let axis = if node.inputs.len() > 2 { self.axis(node, 2)? } else { 0 };
                let places = self.input(node, 1)?;
                self.make(node, "Gather", &[x, places], vec![("axis", Integer(axis))])
            }
            "Slice" => {
                let (begin, size) = (self.integers(node, 1)?, self.integers(node, 2)?);
                let end = |(&begin, &size): (&i64, &i64)| if size < 0 { i64::MAX } else { begin.saturating_add(size) };
                let ends = begin.iter().zip(&size).map(end).collect();
                let inputs = [x, self.values.list(begin), self.values.list(ends)];
                self.make(node, "Slice", &inputs, vec![])
            }
            "StridedSlice" => self.strided(node, x)?,
            "Fill" => {
                let value = self.input(node, 1)?;
                self.make(node, "Expand", &[value, x], vec![])
            }
            "SparseToDense" => {
                if self.stored(node, 0)?.0.iter().all(|size| *size > 0) {
                    return Err(node.unsupported("with places that are not the same as all others"));
                }
                let inputs = [self.input(node, 3)?, self.input(node, 1)?];
                self.make(node, "Expand", &inputs, vec![])
            }
            "ResizeBilinear" | "ResizeNearestNeighbor" => self.resized(node, x)?,
            "MirrorPad" => return Err(node.unsupported("with the pixels of the image around it; only with zeros")),
            _ => return Err(node.unsupported("there is nothing like it here")),
        })
    }

    /// Strides, dilations and padding of a window.
    fn padding(&mut self, node: &Node) -> Result<Attributes<'a>, WeightsError> {
        let mut attributes = Vec::new();
        for name in ["strides", "dilations"] {
            if let Some(sides) = node.sides(name)? {
                attributes.push((name, Attribute::Integers(sides.to_vec())));
            }
        }
        let padding = node.json.text("padding").unwrap_or_default();
        match padding.as_str() {
            "same" => attributes.push(("auto_pad", Attribute::Text("SAME_UPPER".into()))),
            "valid" => attributes.push(("auto_pad", Attribute::Text("VALID".into()))),
            "explicit" => {
                let pads = node.json.integers("explicit_paddings").unwrap_or_default();
                let [top, bottom, left, right] = match (&pads[..], node.is_channels_last()?) {
                    (&[0, 0, top, bottom, left, right, 0, 0], true)
                    | (&[0, 0, 0, 0, top, bottom, left, right], false) => [top, bottom, left, right],
                    _ => return Err(node.unsupported(format!("with the padding {pads:?}"))),
                };
                attributes.push(("pads", Attribute::Integers(vec![top, left, bottom, right])));
            }
            other => return Err(node.unsupported(format!("with the padding {other:?}"))),
        }
        Ok(attributes)
    }

    /// A convolution without what is done to its outputs.
    fn convolution(&mut self, node: &Node) -> Result<ValueId, WeightsError> {
        let (x, weight) = (self.input(node, 0)?, self.input(node, 1)?);
        let attributes = self.padding(node)?;
        let x = self.channels_first(node, x)?;
        let weight = if node.json.op.contains("Depthwise") {
            // Height, width, channels, and how many outputs each makes.
            let weight = self.transposed(node, weight, &[2, 3, 0, 1]);
            let axes = self.values.list(vec![2]);
            self.make(node, "Unsqueeze", &[weight, axes], vec![])
        } else {
            self.transposed(node, weight, &[3, 2, 0, 1])
        };
        let x = self.make(node, "Conv", &[x, weight], attributes);
        self.as_before(node, x)
    }

    /// What a layer does to its outputs: it lists the operators, and has their values as further inputs.
    fn fused(&mut self, node: &Node, mut x: ValueId) -> Result<ValueId, WeightsError> {
        let mut port = 2;
        for word in node.json.texts("fused_ops") {
            x = match word.as_str() {
                "biasadd" => {
                    let bias = self.input(node, port)?;
                    port += 1;
                    self.biased(node, x, bias)?
                }
                "prelu" => {
                    let slopes = self.input(node, port)?;
                    port += 1;
                    self.make(node, "PRelu", &[x, slopes], vec![])
                }
                word => self.activated(node, x, word)?,
            };
        }
        Ok(x)
    }

    fn activated(&mut self, node: &Node, x: ValueId, word: &str) -> Result<ValueId, WeightsError> {
        let kind = match word.to_lowercase().as_str() {
            "relu" => "Relu",
            "sigmoid" => "Sigmoid",
            "elu" => "Elu",
            "relu6" => {
                let limits = [self.values.number(0.0), self.values.number(6.0)];
                return Ok(self.make(node, "Clip", &[x, limits[0], limits[1]], vec![]));
            }
            "leakyrelu" => {
                let alpha = node.json.float("alpha").or(node.json.float("leakyrelu_alpha")).unwrap_or(0.2);
                return Ok(self.make(node, "LeakyRelu", &[x], vec![("alpha", Attribute::Float(alpha))]));
            }
            "linear" | "" => return Ok(x),
            _ => return Err(node.unsupported(format!("with {word} in it"))),
        };
        Ok(self.make(node, kind, &[x], vec![]))
    }

    fn split(&mut self, node: &Node) -> Result<Vec<ValueId>, WeightsError> {
        let (axis, x, lengths) = match node.json.op.as_str() {
            "Split" => (self.axis(node, 0)?, self.input(node, 1)?, None),
            _ => (self.axis(node, 2)?, self.input(node, 0)?, Some(self.integers(node, 1)?)),
        };
        let count = node.json.integer("num_split").and_then(|count| usize::try_from(count).ok());
        let count = count.or(lengths.as_ref().map(Vec::len)).unwrap_or(0);
        if !(1..=LIST).contains(&count) {
            return Err(damaged(format!("`{}` has {count} parts", node.name)));
        }
        let mut inputs = vec![x];
        if let Some(lengths) = lengths {
            if lengths.contains(&-1) {
                return Err(node.unsupported("with a part that is the rest"));
            }
            inputs.push(self.values.list(lengths));
        }
        Ok(self.make_all(node, "Split", &inputs, vec![("axis", Attribute::Integer(axis))], count))
    }

    fn unpacked(&mut self, node: &Node) -> Result<Vec<ValueId>, WeightsError> {
        let (x, axis) = (self.input(node, 0)?, node.json.integer("axis").unwrap_or(0));
        let count = node.json.integer("num").and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
        if !(1..=LIST).contains(&count) {
            return Err(damaged(format!("`{}` has {count} parts", node.name)));
        }
        let parts = match count {
            1 => vec![x],
            _ => self.make_all(node, "Split", &[x], vec![("axis", Attribute::Integer(axis))], count),
        };
        let squeezed = parts.into_iter().map(|part| {
            let axes = self.values.list(vec![axis]);
            self.make(node, "Squeeze", &[part, axes], vec![])
        });
        Ok(squeezed.collect())
    }

    /// Begin, end and stride with masks, of which each bit is a dimension's.
    fn strided(&mut self, node: &Node, x: ValueId) -> Result<ValueId, WeightsError> {
        let mask = |name: &str| node.json.integer(name).unwrap_or(0);
        if mask("ellipsis_mask") != 0 || mask("new_axis_mask") != 0 {
            return Err(node.unsupported("with new axes or an ellipsis"));
        }
        let is = |name: &str, place: usize| mask(name) >> place.min(63) & 1 == 1;
        let [begin, end, steps] = [1, 2, 3].map(|port| self.integers(node, port));
        let (begin, end, steps) = (begin?, end?, steps?);
        if begin.len() != end.len() || begin.len() != steps.len() || begin.len() > 63 {
            return Err(damaged(format!("`{}` begins and ends in other dimensions", node.name)));
        }
        let is_one = |place| is("shrink_axis_mask", place);
        let is_first = |place| is("begin_mask", place) && !is_one(place);
        let masks: [&dyn Fn(usize) -> bool; 3] = [&is_first, &|place| is("end_mask", place), &is_one];
        let [starts, ends, shrunk] = nodes::strided(&begin, &end, &steps, masks);
        let axes = (0..starts.len() as i64).collect();
        let inputs =
            [x, self.values.list(starts), self.values.list(ends), self.values.list(axes), self.values.list(steps)];
        let sliced = self.make(node, "Slice", &inputs, vec![]);
        if shrunk.is_empty() {
            return Ok(sliced);
        }
        let shrunk = self.values.list(shrunk);
        Ok(self.make(node, "Squeeze", &[sliced, shrunk], vec![]))
    }

    /// A map in the size that the second input says.
    fn resized(&mut self, node: &Node, x: ValueId) -> Result<ValueId, WeightsError> {
        let is_nearest = node.json.op == "ResizeNearestNeighbor";
        let (rule, nearest) = match (node.json.flag("align_corners"), node.json.flag("half_pixel_centers")) {
            (true, true) => return Err(damaged(format!("`{}` has two rules for its corners", node.name))),
            (true, false) => ("align_corners", "round_prefer_ceil"),
            (false, true) => ("half_pixel", "round_prefer_ceil"),
            (false, false) => ("asymmetric", "floor"),
        };
        let text = |text: &str| Attribute::Text(text.into());
        let attributes = vec![
            ("mode", text(if is_nearest { "nearest" } else { "linear" })),
            ("coordinate_transformation_mode", text(rule)),
            ("nearest_mode", text(nearest)),
            ("axes", Attribute::Integers(vec![2, 3])),
        ];
        let x = self.transposed(node, x, &[0, 3, 1, 2]);
        let sizes = self.input(node, 1)?;
        let resized = self.value(&node.name);
        self.nodes.push(nodes::Node {
            format: FORMAT,
            kind: "Resize",
            word: node.json.op.as_str().into(),
            name: node.name.clone(),
            attributes: BTreeMap::from_iter(attributes),
            inputs: vec![Some(x), None, None, Some(sizes)],
            outputs: vec![Some(resized)],
        });
        Ok(self.transposed(node, resized, &[0, 2, 3, 1]))
    }
}
