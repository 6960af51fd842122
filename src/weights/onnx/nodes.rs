//! The file as plain nodes. The words and attributes are ONNX's own; what older operator sets have as attributes becomes
//! inputs, as newer ones have it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use super::file::{Network, opened};
use super::{FORMAT, damaged, proto};
use crate::graph::budget::Budget;
use crate::weights::WeightsError;
use crate::weights::images::{Hints, Range};
use crate::weights::nodes::{self, Attribute, Image, Named, Node, Numbers, Output, Stored, ValueId, words};

/// Attributes that became inputs: of the operator, in the order of the inputs after the first.
const BECAME_INPUTS: [(&str, &[&str]); 12] = [
    ("Squeeze", &["axes"]),
    ("Unsqueeze", &["axes"]),
    ("ReduceMean", &["axes"]),
    ("ReduceMax", &["axes"]),
    ("ReduceMin", &["axes"]),
    ("ReduceSum", &["axes"]),
    ("ReduceL2", &["axes"]),
    ("Split", &["split"]),
    ("Slice", &["starts", "ends", "axes", "steps"]),
    ("Clip", &["min", "max"]),
    ("Pad", &["pads", "value"]),
    ("Tile", &["repeats"]),
];

/// The operators that are known, by their words.
const WORDS: &str = "\
    Abs Add And Attention AveragePool BatchNormalization Cast Ceil Clip Concat Constant ConstantOfShape Conv Div \
    Dropout Elu Equal Erf Exp Expand Flatten Floor Gather Gelu Gemm GlobalAveragePool GlobalMaxPool Greater \
    GreaterOrEqual GroupNormalization HardSigmoid HardSwish Identity InstanceNormalization IsNaN LayerNormalization \
    LeakyRelu Less LessOrEqual Log LpNormalization MatMul Max MaxPool MeanVarianceNormalization Min Mish Mod Mul Neg \
    Not Or PRelu Pad Pow Range Reciprocal ReduceL2 ReduceMax ReduceMean ReduceMin ReduceSum Relu Reshape Resize Selu \
    Shape Sigmoid Size Slice Softmax Softplus Split Sqrt Squeeze Sub Swish Tanh Tile Transpose Unsqueeze Upsample \
    Where";

pub(super) fn nodes(network: Network, file: usize) -> Result<nodes::Network<'static>, WeightsError> {
    let Network { name, is_ours, filter, fit, image, outputs, chosen, nodes, tensors, set } = network;
    let mut values = Values { ids: HashMap::new(), all: nodes::Values::default() };
    for (name, tensor) in tensors {
        let constant = stored(tensor);
        values.add(&name, Some(constant));
    }
    let hints =
        Hints { stated: image.is_bytes.then_some(Range::Bytes), ours: is_ours, filter, fit, ..Default::default() };
    let image = Image { value: values.add(&image.name, None), dims: image.dims };
    let mut given = HashSet::from([image.value]);
    let mut plain = Vec::with_capacity(nodes.len());
    for node in &nodes {
        let node = plain_node(node, set, &mut values)?;
        for &output in node.outputs.iter().flatten() {
            if !given.insert(output) {
                return Err(damaged(format!("two nodes give `{}`", values.all.0[output].name)));
            }
        }
        plain.push(node);
    }
    let outputs = outputs.iter().map(|name| Output { name: name.as_str().into(), value: values.id(name) }).collect();
    let budget = Budget::numbers(file);
    Ok(nodes::Network {
        format: FORMAT,
        name,
        image,
        hints,
        nodes: plain,
        values: values.all.0,
        outputs,
        chosen,
        budget,
    })
}

struct Values {
    ids: HashMap<String, ValueId>,
    all: nodes::Values<'static>,
}

impl Values {
    fn add(&mut self, name: &str, constant: Option<Stored<'static>>) -> ValueId {
        let id = self.id(name);
        self.all.0[id].constant = constant;
        id
    }

    fn id(&mut self, name: &str) -> ValueId {
        if let Some(&id) = self.ids.get(name) {
            return id;
        }
        let id = self.all.add(Named { name: name.into(), constant: None, stated: None });
        self.ids.insert(name.into(), id);
        id
    }
}

fn stored(tensor: proto::Tensor) -> Stored<'static> {
    Stored { read: Rc::new(move || tensor.numbers()) }
}

fn plain_node(node: &proto::Node, set: i64, values: &mut Values) -> Result<Node<'static>, WeightsError> {
    let given = node.outputs.first().map_or("", String::as_str);
    let name: Rc<str> = if node.name.is_empty() { given.into() } else { node.name.as_str().into() };
    let id = |values: &mut Values, name: &String| (!name.is_empty()).then(|| values.id(name));
    let inputs = node.inputs.iter().map(|name| id(values, name)).collect();
    let outputs = node.outputs.iter().map(|name| id(values, name)).collect();
    let word = Rc::from(node.kind.as_str());
    let mut plain = Node { format: FORMAT, kind: "", word, name, attributes: BTreeMap::new(), inputs, outputs };
    if !plain.outputs.iter().any(Option::is_some) {
        return Err(damaged(format!("`{}` gives nothing", plain.name)));
    }
    if !super::file::is_standard(&node.domain) {
        return Err(plain.unsupported(format!("it is one of {}'s own", node.domain)));
    }
    let Some(kind) = words::find(WORDS, &node.kind) else {
        return Err(plain.unsupported("there is nothing like it here"));
    };
    plain.kind = kind;
    let mut attributes = opened(node, &plain.name)?;
    if kind == "Constant" {
        let constant =
            constant(attributes).ok_or_else(|| plain.unsupported("its value is neither a tensor nor numbers"))?;
        plain.attributes.insert("value", Attribute::Constant(constant));
        return Ok(plain);
    }
    if let Some((_, inputs)) = BECAME_INPUTS.iter().find(|(operator, _)| *operator == kind) {
        for (port, name) in inputs.iter().enumerate() {
            let Some(place) = attributes.iter().position(|attribute| attribute.name == *name) else { continue };
            let attribute = attributes.swap_remove(place);
            let value = match *name {
                "min" | "max" | "value" => values.all.number(attribute.f),
                _ => values.all.list(attribute.ints),
            };
            if plain.inputs.len() < port + 2 {
                plain.inputs.resize(port + 2, None);
            }
            plain.inputs[port + 1] = Some(value);
        }
    }
    for attribute in attributes {
        let Some(name) = words::find(ATTRIBUTES, &attribute.name) else { continue };
        let value = match attribute.kind {
            // Files that do not say which field is meant have it in one of them.
            1 => Attribute::Float(attribute.f.into()),
            2 => Attribute::Integer(attribute.i),
            3 => Attribute::Text(String::from_utf8_lossy(&attribute.s).into_owned()),
            4 if attribute.t.is_some() => match attribute.t {
                Some(tensor) => Attribute::Constant(stored(tensor)),
                None => continue,
            },
            7 => Attribute::Integers(attribute.ints),
            _ if !attribute.ints.is_empty() => Attribute::Integers(attribute.ints),
            _ if !attribute.s.is_empty() => Attribute::Text(String::from_utf8_lossy(&attribute.s).into_owned()),
            _ if attribute.f != 0.0 => Attribute::Float(attribute.f.into()),
            _ => match attribute.t {
                Some(tensor) => Attribute::Constant(stored(tensor)),
                None => Attribute::Integer(attribute.i),
            },
        };
        plain.attributes.insert(name, value);
    }
    own_spelling(&mut plain, set, values)?;
    Ok(plain)
}

/// The attributes that mean something here.
const ATTRIBUTES: &str = "\
    allowzero alpha antialias approximate auto_pad axes axis beta ceil_mode coordinate_transformation_mode \
    count_include_pad cubic_coeff_a dilations end epsilon exclude_outside extrapolation_value fmod group is_causal \
    keep_aspect_ratio_policy keepdims kernel_shape kv_num_heads mode nearest_mode noop_with_empty_axes num_groups \
    num_outputs output_padding p pads perm q_num_heads qk_matmul_output_mode scale scales softcap start stash_type \
    strides to training_mode transA transB value";

/// What only some operator sets spell in this way.
fn own_spelling(node: &mut Node<'static>, set: i64, values: &mut Values) -> Result<(), WeightsError> {
    match node.kind {
        "Cast" => {
            let to = node.integer("to", 0);
            let word = match to {
                6 | 7 => "integer",
                9 => "bool",
                1 | 10 | 11 | 16 => "float",
                _ => "other",
            };
            node.attributes.insert("to", Attribute::Text(word.into()));
            node.attributes.insert("type", Attribute::Text(to.to_string()));
        }
        "ConstantOfShape" => {
            if let Some(Attribute::Constant(value)) = node.attributes.remove("value") {
                let id = values.all.add(Named { constant: Some(value), ..Default::default() });
                node.inputs.resize(1, None);
                node.inputs.push(Some(id));
            }
        }
        // The last axis was the default only later; before, it was all from the second on.
        "Softmax" if set < 13 && !node.attributes.contains_key("axis") => {
            node.attributes.insert("axis", Attribute::Integer(1));
        }
        "Upsample" | "Resize" if node.kind == "Upsample" || set < 11 => {
            node.kind = "Resize";
            node.attributes.insert("coordinate_transformation_mode", Attribute::Text("asymmetric".into()));
            node.attributes.insert("nearest_mode", Attribute::Text("floor".into()));
            if let Some(scales) = node.inputs.get(1).copied() {
                node.inputs = vec![node.inputs[0], None, scales];
            }
        }
        "MeanVarianceNormalization" => {
            if let Some(Attribute::Integers(list)) = node.attributes.remove("axes") {
                let id = values.all.list(list);
                node.inputs.resize(1, None);
                node.inputs.push(Some(id));
            }
        }
        "Attention" => {
            for what in ["q_num_heads", "kv_num_heads", "is_causal", "softcap"] {
                if node.float(what, 0.0) != 0.0 {
                    return Err(node.unsupported(format!("with {what}")));
                }
            }
            if node.inputs.len() > 4 {
                return Err(node.unsupported("with keys and values of before"));
            }
        }
        _ => {}
    }
    Ok(())
}

/// The value of a constant.
fn constant(attributes: Vec<proto::Attribute>) -> Option<Stored<'static>> {
    attributes.into_iter().find_map(|attribute| {
        let numbers: Box<dyn Fn() -> (Vec<usize>, Numbers)> = match attribute.name.as_str() {
            "value" => return attribute.t.map(stored),
            "value_float" => Box::new(move || (vec![], Numbers::Floats(vec![attribute.f]))),
            "value_floats" => {
                Box::new(move || (vec![attribute.floats.len()], Numbers::Floats(attribute.floats.clone())))
            }
            "value_int" => Box::new(move || (vec![], Numbers::Integers(vec![attribute.i]))),
            "value_ints" => Box::new(move || (vec![attribute.ints.len()], Numbers::Integers(attribute.ints.clone()))),
            _ => return None,
        };
        Some(Stored { read: Rc::new(move || Ok(numbers())) })
    })
}
