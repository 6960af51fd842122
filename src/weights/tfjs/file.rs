//! The files: nodes in execution order and where their numbers lie. Nothing that the `model.json` says of itself or of the
//! numbers is believed.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use super::json::{self, Model, Signature};
use super::{damaged, nodes::is_output};
use crate::graph::budget::{self, AXES};
use crate::weights::WeightsError;
use crate::weights::element::Element;
use crate::weights::nodes::{self, Numbers, Wanted};

/// A network as its file lists it.
pub(super) struct File {
    /// Those that the outputs need, each after those that it reads.
    pub nodes: Vec<Node>,
    /// Where the numbers of a `Const` lie.
    pub weights: HashMap<String, Rc<Weight>>,
    /// The image's dimensions, where the signature tells them.
    pub image: Option<Vec<Option<usize>>>,
    /// What is asked for: its name, the node, and which of that node's outputs.
    pub outputs: Vec<(String, usize, usize)>,
    /// Tells which of several outputs is taken for the feature.
    pub chosen: Option<String>,
}

/// One operator.
pub(super) struct Node {
    pub name: Rc<str>,
    pub json: json::Node,
    /// Places in [`File::nodes`], and which of that node's outputs.
    pub inputs: Vec<(usize, usize)>,
}

/// Numbers in the files.
pub(super) struct Weight {
    name: String,
    shape: Vec<usize>,
    first: usize,
    bytes: usize,
    form: Form,
    is_integer: bool,
}

/// How they are written down.
enum Form {
    Float(Element),
    Int32,
    /// A byte each: truths, or 8-bit numbers of which each stands for `n · scale + min`.
    Byte {
        scale: f64,
        min: f64,
    },
    /// The same of 16 bits.
    Short {
        scale: f64,
        min: f64,
    },
}

/// An output as the signature has it: its name, its node, which of that node's, and its dimensions with the batch.
type Given = (String, usize, usize, Option<Vec<Option<usize>>>);

impl File {
    /// `bytes`: those of the numbers.
    pub fn read(model: Model, bytes: usize, wanted: Wanted) -> Result<Self, WeightsError> {
        let (listed, weights, signature) = model.parts();
        let weights = placed(weights, bytes)?;
        let mut places = HashMap::with_capacity(listed.len());
        for (place, node) in listed.iter().enumerate() {
            if places.insert(node.name.as_str(), place).is_some() {
                return Err(damaged(format!("two nodes are called `{}`", node.name)));
            }
        }
        let find = |name: &str| {
            let (node, output) = slot(name);
            let missing = || damaged(format!("there is no node `{node}`"));
            places.get(node).map(|&place| (place, output)).ok_or_else(missing)
        };
        let mut inputs = Vec::with_capacity(listed.len());
        for node in &listed {
            if node.input.count > node.input.items.len() as u64 {
                budget::within(|| format!("`{}`", node.name), node.input.count, "inputs", budget::LIST as u64)?;
            }
            // What begins with ^ only has to be computed before.
            let read = node.input.items.iter().filter(|name| !name.starts_with('^'));
            inputs.push(read.map(|name| find(name)).collect::<Result<Vec<_>, _>>()?);
        }
        let given = given(&listed, &inputs, &signature, find)?;
        let (given, chosen) = nodes::wanted(given, wanted, |(name, _, _, dims)| (name, dims.clone()));
        let order = needed(&inputs, given.iter().map(|(_, node, ..)| *node))?;
        let mut moved = vec![usize::MAX; listed.len()];
        order.iter().enumerate().for_each(|(place, &node)| moved[node] = place);
        let outputs = given.into_iter().map(|(name, node, output, _)| (name, moved[node], output)).collect();
        let mut listed: Vec<Option<json::Node>> = listed.into_iter().map(Some).collect();
        let node = |node: usize| {
            let json = listed[node].take()?;
            let inputs = inputs[node].iter().map(|&(input, output)| (moved[input], output)).collect();
            Some(Node { name: json.name.as_str().into(), json, inputs })
        };
        let nodes = order.into_iter().filter_map(node).collect();
        let image = signature.inputs.items.first().and_then(|(_, info)| info.tensor_shape.as_ref());
        let image = image.map(json::Shape::dims).filter(|_| signature.inputs.items.len() == 1);
        Ok(Self { nodes, weights, image, outputs, chosen })
    }
}

/// A node, and which of its outputs: `split:1`.
fn slot(name: &str) -> (&str, usize) {
    let with_output = name.rsplit_once(':').and_then(|(node, output)| Some((node, output.parse().ok()?)));
    with_output.unwrap_or((name, 0))
}

/// What the network gives: as its signature says, or what no node reads.
fn given(
    nodes: &[json::Node],
    inputs: &[Vec<(usize, usize)>],
    signature: &Signature,
    find: impl Fn(&str) -> Result<(usize, usize), WeightsError>,
) -> Result<Vec<Given>, WeightsError> {
    let mut given = Vec::new();
    for (name, info) in &signature.outputs.items {
        let (node, output) = find(info.name.as_deref().unwrap_or(name))?;
        let name = name.strip_suffix(":0").unwrap_or(name).to_owned();
        given.push((name, node, output, info.tensor_shape.as_ref().map(json::Shape::dims)));
    }
    if given.is_empty() {
        let read: BTreeSet<usize> = inputs.iter().flatten().map(|(node, _)| *node).collect();
        let last = nodes.iter().enumerate().filter(|(place, node)| !read.contains(place) && is_output(&node.op));
        given.extend(last.map(|(place, node)| (node.name.clone(), place, 0, None)));
    }
    Ok(given)
}

/// The nodes that lead to some, each after those that it reads and otherwise in the file's order.
fn needed(inputs: &[Vec<(usize, usize)>], outputs: impl Iterator<Item = usize>) -> Result<Vec<usize>, WeightsError> {
    let mut is_needed = vec![false; inputs.len()];
    let mut open: Vec<usize> = outputs.collect();
    while let Some(node) = open.pop() {
        if !std::mem::replace(&mut is_needed[node], true) {
            open.extend(inputs[node].iter().map(|(input, _)| *input));
        }
    }
    let inputs: Vec<&[(usize, usize)]> = inputs.iter().map(Vec::as_slice).collect();
    nodes::sorted(&inputs, &is_needed).ok_or_else(|| damaged("its nodes read each other in a circle"))
}

/// The numbers by the names of their nodes: they lie one behind the other.
fn placed(listed: Vec<json::Weight>, bytes: usize) -> Result<HashMap<String, Rc<Weight>>, WeightsError> {
    let mut weights = HashMap::with_capacity(listed.len());
    let mut first = 0_usize;
    for json::Weight { name, shape, dtype, quantization } in listed {
        budget::within(|| format!("the tensor `{name}`"), shape.count, "dimensions", AXES as u64)?;
        let shape: Option<Vec<usize>> = shape.items.iter().map(|&size| usize::try_from(size).ok()).collect();
        let unread = |what: &str| WeightsError::Operator {
            operator: "Const".into(),
            node: name.clone(),
            reason: format!(
                "numbers of type {what} are not read; float32, int32 and bool are, also quantised to float16, \
                             uint16 and uint8"
            ),
        };
        let is_integer = match dtype.as_str() {
            "float32" => false,
            "int32" | "bool" => true,
            other => return Err(unread(other)),
        };
        let form = match &quantization {
            None if dtype == "bool" => Form::Byte { scale: 1.0, min: 0.0 },
            None if is_integer => Form::Int32,
            None => Form::Float(Element::F32),
            Some(quantised) => match quantised.dtype.as_str() {
                "float16" if !is_integer => Form::Float(Element::F16),
                "uint8" => Form::Byte { scale: quantised.scale, min: quantised.min },
                "uint16" => Form::Short { scale: quantised.scale, min: quantised.min },
                other => return Err(unread(other)),
            },
        };
        let count = |shape: &Vec<usize>| {
            shape.iter().try_fold(form.size(), |bytes, &size| bytes.checked_mul(size)).filter(|own| own <= &bytes)
        };
        let own = shape.as_ref().and_then(count);
        let placed = shape.zip(own).filter(|(_, own)| first.checked_add(*own).is_some_and(|end| end <= bytes));
        let Some((shape, own)) = placed else {
            return Err(damaged(format!("`{name}` lies beyond the end of its numbers, which have {bytes} bytes")));
        };
        let weight = Weight { name: name.clone(), shape, first, bytes: own, form, is_integer };
        first += own;
        if let Some(twice) = weights.insert(name, Rc::new(weight)) {
            return Err(damaged(format!("two tensors are called `{}`", twice.name)));
        }
    }
    if first != bytes {
        return Err(damaged(format!(
            "it lists {first} bytes of numbers, and the files with its numbers have {bytes}: give all of them, in its order"
        )));
    }
    Ok(weights)
}

impl Form {
    /// Bytes of a number.
    fn size(&self) -> usize {
        match self {
            Self::Float(element) => element.size(),
            Self::Int32 => 4,
            Self::Byte { .. } => 1,
            Self::Short { .. } => 2,
        }
    }
}

impl Weight {
    /// The shape and the numbers, out of all numbers of the files.
    pub fn read(&self, all: &[u8]) -> Result<nodes::Shaped, WeightsError> {
        let lost = || damaged(format!("`{}` lies beyond the end of its numbers", self.name));
        let bytes = self.first.checked_add(self.bytes).and_then(|end| all.get(self.first..end)).ok_or_else(lost)?;
        let scaled = |number: u16, scale: f64, min: f64| f64::from(number) * scale + min;
        let whole = |numbers: Vec<f64>| match self.is_integer {
            true => Numbers::Integers(numbers.into_iter().map(|number| number.round() as i64).collect()),
            false => Numbers::Floats(numbers.into_iter().map(|number| number as f32).collect()),
        };
        let numbers = match self.form {
            Form::Float(element) => Numbers::Floats(element.decode(bytes, false)),
            Form::Int32 => Numbers::Integers(Element::Integer(4).integers(bytes)),
            Form::Byte { scale, min } => whole(bytes.iter().map(|&number| scaled(number.into(), scale, min)).collect()),
            Form::Short { scale, min } => {
                let numbers = bytes.as_chunks().0.iter().map(|&number| u16::from_le_bytes(number));
                whole(numbers.map(|number| scaled(number, scale, min)).collect())
            }
        };
        Ok((self.shape.clone(), numbers))
    }
}
