//! The file: nodes in execution order, their attributes, and the tensors. Nothing that it says of its own lengths is
//! believed.

use std::collections::{HashMap, HashSet};

use prost::Message;
use prost::bytes::Bytes;
use prost::encoding::{self, DecodeContext, WireType};

use super::{FILTER, FIT, PRODUCER, damaged, proto};
use crate::graph::budget::{self, ATTRIBUTES, AXES, Budget, NODES};
use crate::kernels::frozen::preprocess::Filter;
use crate::step::Fit;
use crate::weights::WeightsError;
use crate::weights::element::Element;
use crate::weights::nodes::{self, Numbers, Wanted};

/// A network as its file lists it.
pub(super) struct Network {
    pub name: String,
    /// We wrote the file.
    pub is_ours: bool,
    /// What notes in a file of ours say of it.
    pub filter: Option<Filter>,
    pub fit: Option<Fit>,
    pub image: Image,
    /// The values that are asked for.
    pub outputs: Vec<String>,
    /// Those that the outputs need, in the file's order.
    pub nodes: Vec<proto::Node>,
    /// The constants by their names.
    pub tensors: HashMap<String, proto::Tensor>,
    /// Tells which of several outputs is taken for the feature.
    pub chosen: Option<String>,
    /// The operator set.
    pub set: i64,
}

/// The input.
pub(super) struct Image {
    pub name: String,
    /// `None` for a size that the file leaves open.
    pub dims: Vec<Option<usize>>,
    /// Its numbers are bytes.
    pub is_bytes: bool,
}

/// The sets of operators that are known; the next ones may mean something else by the same words.
const OPERATOR_SETS: std::ops::RangeInclusive<i64> = 7..=26;
/// ONNX's number of the type.
const UINT8: i32 = 2;
/// What PyTorch's exporters call every network.
const NO_NAMES: [&str; 4] = ["", "main_graph", "torch_jit", "torch-jit-export"];

impl Network {
    pub fn read(bytes: &[u8], wanted: Wanted) -> Result<Self, WeightsError> {
        let mut fields = Budget::fields();
        let mut decode = Decoder { fields: &mut fields };
        let model: proto::Model = decode.message(Bytes::copy_from_slice(bytes), &[proto::GRAPH])?;
        let is_ours = model.producer == PRODUCER;
        let (mut filter, mut fit) = (None, None);
        for bytes in model.notes.into_iter().filter(|_| is_ours) {
            let note: proto::Note = decode.message(bytes, &[])?;
            match note.key.as_str() {
                FILTER => filter = note.value.parse().ok(),
                FIT => fit = note.value.parse().ok(),
                _ => {}
            }
        }
        let graph = model.graph.ok_or_else(|| damaged("it has no graph"))?;
        let sets = model.operator_sets.iter().filter(|set| is_standard(&set.domain));
        let set = sets.map(|set| set.version).next().ok_or_else(|| damaged("it names no set of operators"))?;
        if !OPERATOR_SETS.contains(&set) {
            let (first, last) = OPERATOR_SETS.into_inner();
            return Err(WeightsError::Unsupported(format!(
                "ONNX's operator set {set} is not supported; {first} to {last} are: export the model with another opset_version"
            )));
        }
        for (count, unit) in [
            (graph.nodes.len(), "nodes"),
            (graph.initializers.len(), "tensors"),
            (graph.inputs.len().max(graph.outputs.len()), "inputs or outputs"),
        ] {
            budget::within(|| "the ONNX file".into(), count as u64, unit, NODES as u64)?;
        }
        let mut tensors = HashMap::new();
        for bytes in graph.initializers {
            let tensor: proto::Tensor = decode.message(bytes, &[])?;
            if let Some(twice) = tensors.insert(tensor.name.clone(), tensor) {
                return Err(damaged(format!("two tensors are called `{}`", twice.name)));
            }
        }
        let mut inputs = Vec::new();
        for bytes in graph.inputs {
            let info: proto::ValueInfo = decode.message(bytes, proto::DIMENSIONS)?;
            if !tensors.contains_key(&info.name) {
                inputs.push(info);
            }
        }
        let mut inputs = inputs.into_iter();
        let image = inputs.next().ok_or_else(|| damaged("it has no input"))?;
        if let Some(second) = inputs.next() {
            let reason = "one image is the only input that a network may have".into();
            return Err(WeightsError::Operator { operator: "input".into(), node: second.name, reason });
        }
        let mut outputs = Vec::new();
        for bytes in graph.outputs {
            outputs.push(decode.message::<proto::ValueInfo>(bytes, proto::DIMENSIONS)?);
        }
        if outputs.is_empty() {
            return Err(damaged("it has no output"));
        }
        let (outputs, chosen) = nodes::wanted(outputs, wanted, |output| (&output.name, output.dims()));
        let outputs: Vec<String> = outputs.into_iter().map(|output| output.name).collect();
        let mut nodes: Vec<proto::Node> = Vec::with_capacity(graph.nodes.len());
        for bytes in graph.nodes {
            nodes.push(decode.message(bytes, &[])?);
        }
        let nodes = needed(nodes, &outputs);
        let name = if NO_NAMES.contains(&graph.name.as_str()) { "network of an ONNX file".into() } else { graph.name };
        Ok(Self { name, is_ours, filter, fit, image: Image::new(image), outputs, chosen, nodes, tensors, set })
    }
}

impl proto::ValueInfo {
    /// The dimensions, `None` for each that is left open, where the file says them.
    fn dims(&self) -> Option<Vec<Option<usize>>> {
        let shape = self.kind.as_ref()?.tensor.as_ref()?.shape.as_ref()?;
        Some(shape.dims.iter().map(|dim| dim.value.and_then(|size| usize::try_from(size).ok())).collect())
    }
}

/// The nodes that the outputs depend on, in their order.
fn needed(nodes: Vec<proto::Node>, outputs: &[String]) -> Vec<proto::Node> {
    let mut wanted: HashSet<String> = outputs.iter().cloned().collect();
    let mut kept = Vec::new();
    // A node reads what nodes before it give: one way back finds them all.
    for node in nodes.into_iter().rev() {
        if node.outputs.iter().any(|output| !output.is_empty() && wanted.contains(output)) {
            wanted.extend(node.inputs.iter().cloned());
            kept.push(node);
        }
    }
    kept.reverse();
    kept
}

impl Image {
    fn new(info: proto::ValueInfo) -> Self {
        let tensor = info.kind.and_then(|kind| kind.tensor).unwrap_or_default();
        let (is_bytes, shape) = (tensor.data_type == UINT8, tensor.shape.unwrap_or_default());
        // Some exporters write an open size as 0 or -1.
        let size =
            |dim: proto::Dimension| dim.value.and_then(|value| usize::try_from(value).ok()).filter(|&size| size > 0);
        Self { name: info.name, dims: shape.dims.into_iter().map(size).collect(), is_bytes }
    }
}

/// Whether operators are those of the specification.
pub(super) fn is_standard(domain: &str) -> bool {
    domain.is_empty() || domain == "ai.onnx"
}

/// Decodes messages as long as the file has fields to spend: one of two bytes may take tens in memory.
struct Decoder<'a> {
    fields: &'a mut Budget,
}

impl Decoder<'_> {
    /// A message; `within` are the tags that lead to those within it which come in numbers.
    fn message<M: Message + Default>(&mut self, bytes: Bytes, within: &[u32]) -> Result<M, WeightsError> {
        self.fields.spend(fields(&bytes, within)).map_err(|error| error.of("the ONNX file"))?;
        M::decode(bytes).map_err(|error| damaged(error.to_string()))
    }
}

/// The fields of a message, and of those that the tags lead to. What cannot be read is left to the decoder.
fn fields(mut bytes: &[u8], within: &[u32]) -> usize {
    let mut count = 0;
    while let Ok((tag, wire)) = encoding::decode_key(&mut bytes) {
        count += 1;
        if wire != WireType::LengthDelimited {
            if encoding::skip_field(wire, tag, &mut bytes, DecodeContext::default()).is_err() {
                break;
            }
            continue;
        }
        let length = encoding::decode_varint(&mut bytes).ok().and_then(|length| usize::try_from(length).ok());
        let Some((content, rest)) = length.and_then(|length| bytes.split_at_checked(length)) else { break };
        if let Some((_, deeper)) = within.split_first().filter(|(wanted, _)| **wanted == tag) {
            count += fields(content, deeper);
        }
        bytes = rest;
    }
    count
}

/// A node's attributes.
pub(super) fn opened(node: &proto::Node, name: &str) -> Result<Vec<proto::Attribute>, WeightsError> {
    budget::within(|| format!("`{name}`"), node.attributes.len() as u64, "attributes", ATTRIBUTES as u64)?;
    // Their nodes are opened one by one.
    let mut fields = Budget::fields();
    let mut decode = Decoder { fields: &mut fields };
    node.attributes.iter().map(|attribute| decode.message(attribute.clone(), &[proto::TENSOR])).collect()
}

impl proto::Tensor {
    /// Its shape and its numbers.
    pub fn numbers(&self) -> Result<(Vec<usize>, Numbers), WeightsError> {
        let name = &self.name;
        if self.location != 0 {
            return Err(WeightsError::Unsupported(format!(
                "the numbers of `{name}` lie in a file of their own beside this .onnx; save all in one file, with \
                 torch.onnx.export(…, external_data=False) or onnx.save(onnx.load(path), path)"
            )));
        }
        budget::within(|| format!("the tensor `{name}`"), self.dims.len() as u64, "dimensions", AXES as u64)?;
        let shape = self.dims.iter().map(|&size| usize::try_from(size)).collect::<Result<Vec<usize>, _>>();
        let shape = shape.map_err(|_| damaged(format!("`{name}` has the shape {:?}", self.dims)))?;
        let numbers = self.decode().map_err(|kind| {
            let reason =
                format!("its numbers are {kind}; floats of 16, 32 and 64 bits and integers of 32 and 64 are read");
            WeightsError::Operator { operator: "tensor".into(), node: name.clone(), reason }
        })?;
        let found = numbers.len();
        let each = match self.data_type {
            1 | 6 => 4,
            9 => 1,
            10 | 16 => 2,
            _ => 8,
        };
        let whole = self.raw.is_empty() || self.raw.len() == found * each;
        if !whole || shape.iter().try_fold(1_usize, |count, &size| count.checked_mul(size)) != Some(found) {
            return Err(damaged(format!("`{name}` of shape {shape:?} has {found} numbers")));
        }
        Ok((shape, numbers))
    }

    /// Raw or listed; for another type its name.
    fn decode(&self) -> Result<Numbers, String> {
        let floats = |element: Element, listed: &dyn Fn() -> Vec<f32>| {
            Numbers::Floats(if self.raw.is_empty() { listed() } else { element.decode(&self.raw, false) })
        };
        let bits = |read: fn(u16) -> f32| self.int32s.iter().map(|&bits| read(bits as u16)).collect::<Vec<f32>>();
        Ok(match self.data_type {
            1 => floats(Element::F32, &|| self.floats.clone()),
            10 => floats(Element::F16, &|| bits(|bits| half::f16::from_bits(bits).to_f32())),
            11 => floats(Element::F64, &|| self.doubles.iter().map(|&value| value as f32).collect()),
            16 => floats(Element::Bf16, &|| bits(|bits| half::bf16::from_bits(bits).to_f32())),
            7 if self.raw.is_empty() => Numbers::Integers(self.int64s.clone()),
            6 | 9 if self.raw.is_empty() => Numbers::Integers(self.int32s.iter().map(|&value| value.into()).collect()),
            6 => Numbers::Integers(Element::Integer(4).integers(&self.raw)),
            7 => Numbers::Integers(Element::Integer(8).integers(&self.raw)),
            9 => Numbers::Integers(Element::Integer(1).integers(&self.raw)),
            2 => return Err("of type uint8".into()),
            3 => return Err("of type int8".into()),
            other => return Err(format!("of ONNX's type {other}")),
        })
    }
}
