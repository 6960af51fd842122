//! The two files: layers in execution order, their attributes, and their numbers. Nothing that the `.xml` says of itself
//! or of the `.bin` is believed.

use std::collections::BTreeMap;

use roxmltree::{Document, Node};

use super::damaged;
use super::hints::hints;
use crate::graph::budget::{self, AXES, NODES};
use crate::weights::WeightsError;
use crate::weights::element::Element;
use crate::weights::images::Hints;
use crate::weights::nodes::{self, Numbers};

/// A network as its `.xml` lists it.
#[derive(Debug)]
pub(super) struct Network<'a> {
    pub name: &'a str,
    /// What stands beside the layers of the image.
    pub hints: Hints,
    /// Each after those that it reads.
    pub layers: Vec<Layer<'a>>,
}

/// One operator.
#[derive(Debug)]
pub(super) struct Layer<'a> {
    /// `Convolution`, `Const`, …
    pub kind: &'a str,
    pub name: &'a str,
    attributes: Option<Node<'a, 'a>>,
    /// Places in [`Network::layers`], and which of that layer's outputs, by input port.
    pub inputs: Vec<(usize, usize)>,
    /// The shape of each output; `None` for a size that is only known later.
    pub outputs: Vec<Vec<Option<usize>>>,
}

/// The versions of the format; the next ones may mean something else by the same words.
const VERSIONS: [&str; 2] = ["10", "11"];

impl<'a> Network<'a> {
    pub fn read(document: &'a Document<'a>) -> Result<Self, WeightsError> {
        let root = document.root_element();
        if root.tag_name().name() != "net" {
            return Err(damaged("the .xml describes no network"));
        }
        let version = root.attribute("version").unwrap_or("none");
        if !VERSIONS.contains(&version) {
            return Err(WeightsError::Unsupported(format!(
                "OpenVINO's IR of version {version} is not supported; 10 and 11 are: convert the model with a newer OpenVINO"
            )));
        }
        let mut ids = BTreeMap::new();
        let mut layers = Vec::new();
        let count = elements(root, "layers", "layer").count();
        budget::within(|| "the .xml".into(), count as u64, "layers", NODES as u64)?;
        let mut outputs = Vec::new();
        for node in elements(root, "layers", "layer") {
            if ids.insert(number(node, "id")?, layers.len()).is_some() {
                return Err(damaged("two layers have one id"));
            }
            let ports: Vec<Node> = elements(node, "output", "port").collect();
            outputs.push(ports.iter().map(|port| number(*port, "id")).collect::<Result<Vec<u64>, _>>()?);
            layers.push(Layer {
                kind: attribute(node, "type")?,
                name: attribute(node, "name")?,
                attributes: child(node, "data"),
                inputs: Vec::new(),
                outputs: ports.iter().map(|port| port_dims(*port)).collect(),
            });
        }
        let mut inputs = vec![BTreeMap::new(); layers.len()];
        for edge in elements(root, "edges", "edge") {
            let end = |name| match ids.get(&number(edge, name)?) {
                Some(&layer) => Ok(layer),
                None => Err(damaged("an edge leads to no layer")),
            };
            let (from, to) = (end("from-layer")?, end("to-layer")?);
            let port = number(edge, "from-port")?;
            let no_port = || damaged(format!("`{}` has no output {port}", layers[from].name));
            let output = outputs[from].iter().position(|&own| own == port).ok_or_else(no_port)?;
            if inputs[to].insert(number(edge, "to-port")?, (from, output)).is_some() {
                return Err(damaged(format!("an input of `{}` has two sources", layers[to].name)));
            }
        }
        for (layer, inputs) in layers.iter_mut().zip(inputs) {
            layer.inputs = inputs.into_values().collect();
        }
        let model_name = child(root, "rt_info").and_then(|info| child(info, "conversion_parameters"));
        let model_name = model_name.and_then(|info| child(info, "model_name")).and_then(|name| name.attribute("value"));
        let name = model_name.or_else(|| root.attribute("name")).unwrap_or("network of an OpenVINO file");
        let hints = hints(root, name, &layers);
        Ok(Self { name, hints, layers: sorted(layers)? })
    }
}

/// The layers, each after those that it reads and otherwise in the file's order.
fn sorted(mut layers: Vec<Layer>) -> Result<Vec<Layer>, WeightsError> {
    let inputs: Vec<&[(usize, usize)]> = layers.iter().map(|layer| &layer.inputs[..]).collect();
    let order = nodes::sorted(&inputs, &vec![true; layers.len()]);
    let order = order.ok_or_else(|| damaged("its layers read each other in a circle"))?;
    let mut places = vec![usize::MAX; layers.len()];
    order.into_iter().enumerate().for_each(|(place, layer)| places[layer] = place);
    layers.iter_mut().flat_map(|layer| &mut layer.inputs).for_each(|(input, _)| *input = places[*input]);
    let mut layers: Vec<(usize, Layer)> = places.into_iter().zip(layers).collect();
    layers.sort_by_key(|(place, _)| *place);
    Ok(layers.into_iter().map(|(_, layer)| layer).collect())
}

impl<'a> Layer<'a> {
    /// The error for an operator that has no counterpart here.
    pub fn unsupported(&self, reason: impl Into<String>) -> WeightsError {
        let (operator, node) = (self.kind.to_owned(), self.name.to_owned());
        WeightsError::Operator { operator, node, reason: reason.into() }
    }

    /// An attribute that is not always written.
    pub fn attribute(&self, name: &str) -> Option<&'a str> {
        self.attributes?.attribute(name)
    }

    pub fn required(&self, name: &str) -> Result<&'a str, WeightsError> {
        self.attribute(name).ok_or_else(|| damaged(format!("`{}` has no attribute {name}", self.name)))
    }

    pub fn flag(&self, name: &str) -> Result<bool, WeightsError> {
        match self.attribute(name) {
            Some("true" | "1") => Ok(true),
            Some("false" | "0") | None => Ok(false),
            Some(other) => Err(damaged(format!("the attribute {name} of `{}` is {other:?}", self.name))),
        }
    }

    /// A list of sizes, such as `"1, 3, 7, 7"`; an empty one is a scalar's shape.
    pub fn sizes(&self, name: &str) -> Result<Vec<usize>, WeightsError> {
        let text = self.required(name)?.trim();
        let wrong = || damaged(format!("the attribute {name} of `{}` is {text:?}", self.name));
        let parts = text.split(',').filter(|_| !text.is_empty());
        let count = parts.clone().count();
        budget::within(|| format!("{name} of `{}`", self.name), count as u64, "dimensions", AXES as u64)?;
        parts.map(|part| part.trim().parse().map_err(|_| wrong())).collect()
    }

    /// The shape and the numbers of a `Const`.
    pub fn constant(&self, bin: &[u8]) -> Result<(Vec<usize>, Numbers), WeightsError> {
        let shape = self.sizes("shape")?;
        let kind = self.required("element_type")?;
        let element = match kind {
            "f32" => Element::F32,
            "f16" => Element::F16,
            "bf16" => Element::Bf16,
            "f64" => Element::F64,
            "i64" => Element::Integer(8),
            "i32" => Element::Integer(4),
            "boolean" | "u8" => Element::Integer(1),
            other => {
                return Err(self.unsupported(format!("numbers of type {other} are not read, floats, i32 and i64 are")));
            }
        };
        let number =
            |name| self.required(name)?.parse::<usize>().map_err(|_| damaged(format!("{name} of `{}`", self.name)));
        let (offset, size) = (number("offset")?, number("size")?);
        let bytes = offset.checked_add(size).and_then(|end| bin.get(offset..end)).ok_or_else(|| {
            damaged(format!("`{}` lies at {offset} + {size} of a .bin of {} bytes", self.name, bin.len()))
        })?;
        let needed = shape.iter().try_fold(element.size(), |bytes, &size| bytes.checked_mul(size));
        if needed != Some(size) {
            return Err(damaged(format!("`{}` of shape {shape:?} ({kind}) has {size} bytes", self.name)));
        }
        let numbers = match element {
            Element::Integer(_) => Numbers::Integers(element.integers(bytes)),
            _ => Numbers::Floats(element.decode(bytes, false)),
        };
        Ok((shape, numbers))
    }
}

pub(super) fn child<'a>(node: Node<'a, 'a>, name: &str) -> Option<Node<'a, 'a>> {
    node.children().find(|child| child.has_tag_name(name))
}

/// The elements called `name` in the child `list` of a node.
fn elements<'a>(node: Node<'a, 'a>, list: &str, name: &'static str) -> impl Iterator<Item = Node<'a, 'a>> {
    let list = child(node, list);
    list.into_iter().flat_map(|list| list.children()).filter(move |child| child.has_tag_name(name))
}

fn attribute<'a>(node: Node<'a, 'a>, name: &str) -> Result<&'a str, WeightsError> {
    node.attribute(name).ok_or_else(|| damaged(format!("a {} has no {name}", node.tag_name().name())))
}

fn number(node: Node, name: &str) -> Result<u64, WeightsError> {
    let text = node.attribute(name).unwrap_or_default();
    text.parse().map_err(|_| damaged(format!("the {name} of a {} is {text:?}", node.tag_name().name())))
}

fn port_dims(port: Node) -> Vec<Option<usize>> {
    let dims = port.children().filter(|child| child.has_tag_name("dim"));
    dims.map(|dim| dim.text().and_then(|text| text.trim().parse().ok())).collect()
}
