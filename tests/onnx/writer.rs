//! Writes small ONNX files of which a test says every part.

#[derive(Clone)]
pub struct File {
    pub nodes: Vec<Node>,
    pub tensors: Vec<Tensor>,
    pub inputs: Vec<(&'static str, Vec<Option<i64>>)>,
    pub outputs: Vec<String>,
    pub operator_set: i64,
    /// ONNX's number of the inputs' type: 1 is f32, 2 is uint8.
    pub image_type: u64,
}

#[derive(Clone, Default)]
pub struct Node {
    pub kind: String,
    pub name: String,
    pub domain: String,
    pub inputs: Vec<String>,
    pub outputs: Vec<String>,
    pub attributes: Vec<(&'static str, Attribute)>,
}

#[derive(Clone)]
pub enum Attribute {
    Int(i64),
    Float(f32),
    Ints(Vec<i64>),
    Text(&'static str),
    Tensor(Tensor),
}

#[derive(Clone)]
pub struct Tensor {
    pub name: String,
    pub dims: Vec<i64>,
    /// ONNX's number of the type: 1 is f32, 7 is i64, 10 is f16, 11 is f64, 16 is bf16.
    pub kind: i64,
    pub stored: Stored,
}

#[derive(Clone)]
pub enum Stored {
    Raw(Vec<u8>),
    Floats(Vec<f32>),
    Int32s(Vec<i32>),
    Int64s(Vec<i64>),
    /// In another file.
    External,
}

pub fn node(kind: &str, inputs: &[&str], output: &str) -> Node {
    Node {
        kind: kind.into(),
        name: format!("{kind} of {output}"),
        inputs: inputs.iter().map(|&input| input.into()).collect(),
        outputs: vec![output.into()],
        ..Default::default()
    }
}

impl Node {
    pub fn with(mut self, name: &'static str, attribute: Attribute) -> Self {
        self.attributes.push((name, attribute));
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.inputs.iter().for_each(|input| text(&mut out, 1, input));
        self.outputs.iter().for_each(|output| text(&mut out, 2, output));
        text(&mut out, 3, &self.name);
        text(&mut out, 4, &self.kind);
        for (name, attribute) in &self.attributes {
            let mut inner = Vec::new();
            text(&mut inner, 1, name);
            match attribute {
                Attribute::Int(value) => integer(&mut inner, 3, *value),
                Attribute::Float(value) => {
                    varint(&mut inner, 2 << 3 | 5);
                    inner.extend(value.to_le_bytes());
                }
                Attribute::Ints(values) => values.iter().for_each(|value| integer(&mut inner, 8, *value)),
                Attribute::Text(value) => text(&mut inner, 4, value),
                Attribute::Tensor(value) => bytes(&mut inner, 5, &value.bytes()),
            }
            bytes(&mut out, 5, &inner);
        }
        text(&mut out, 7, &self.domain);
        out
    }
}

impl Tensor {
    pub fn floats(name: &str, dims: &[usize], values: &[f32]) -> Self {
        let raw = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let dims = dims.iter().map(|&size| size as i64).collect();
        Self { name: name.into(), dims, kind: 1, stored: Stored::Raw(raw) }
    }

    pub fn integers(name: &str, values: &[i64]) -> Self {
        let (name, dims) = (name.into(), vec![values.len() as i64]);
        Self { name, dims, kind: 7, stored: Stored::Int64s(values.to_vec()) }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.dims.iter().for_each(|size| integer(&mut out, 1, *size));
        integer(&mut out, 2, self.kind);
        let packed = |out: &mut Vec<u8>, field, values: &mut dyn Iterator<Item = i64>| {
            let mut inner = Vec::new();
            values.for_each(|value| varint(&mut inner, value as u64));
            bytes(out, field, &inner);
        };
        match &self.stored {
            Stored::Raw(raw) => bytes(&mut out, 9, raw),
            Stored::Floats(values) => {
                bytes(&mut out, 4, &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>());
            }
            Stored::Int32s(values) => packed(&mut out, 5, &mut values.iter().map(|&value| value.into())),
            Stored::Int64s(values) => packed(&mut out, 7, &mut values.iter().copied()),
            Stored::External => integer(&mut out, 14, 1),
        }
        text(&mut out, 8, &self.name);
        out
    }
}

impl File {
    /// Nodes in order from `image` of `[batch, 3, height, width]`; the last gives the feature.
    pub fn new(height: i64, width: i64, nodes: Vec<Node>, tensors: Vec<Tensor>) -> Self {
        let outputs = nodes.last().map(|node| node.outputs[0].clone()).into_iter().collect();
        let inputs = vec![("image", vec![None, Some(3), Some(height), Some(width)])];
        Self { nodes, tensors, inputs, outputs, operator_set: 13, image_type: 1 }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut graph = Vec::new();
        self.nodes.iter().for_each(|node| bytes(&mut graph, 1, &node.bytes()));
        text(&mut graph, 2, "small");
        self.tensors.iter().for_each(|tensor| bytes(&mut graph, 5, &tensor.bytes()));
        for (name, dims) in &self.inputs {
            let mut shape = Vec::new();
            for size in dims {
                let mut dim = Vec::new();
                match size {
                    Some(size) => integer(&mut dim, 1, *size),
                    None => text(&mut dim, 2, "open"),
                }
                bytes(&mut shape, 1, &dim);
            }
            let tensor =
                [field(1, |out| varint(out, self.image_type), 0), field(2, |out| out.extend(&shape), 2)].concat();
            bytes(
                &mut graph,
                11,
                &[field(1, |out| out.extend(name.bytes()), 2), field(2, |out| bytes(out, 1, &tensor), 2)].concat(),
            );
        }
        self.outputs.iter().for_each(|name| bytes(&mut graph, 12, &field(1, |out| out.extend(name.bytes()), 2)));
        let mut model = Vec::new();
        integer(&mut model, 1, 8);
        bytes(&mut model, 7, &graph);
        bytes(&mut model, 8, &field(2, |out| varint(out, self.operator_set as u64), 0));
        model
    }
}

// Protobuf: a tag, and a varint or a length with as many bytes.

pub fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn field(number: u64, content: impl Fn(&mut Vec<u8>), wire: u64) -> Vec<u8> {
    let (mut out, mut inner) = (Vec::new(), Vec::new());
    content(&mut inner);
    varint(&mut out, number << 3 | wire);
    if wire == 2 {
        varint(&mut out, inner.len() as u64);
    }
    out.extend(inner);
    out
}

fn integer(out: &mut Vec<u8>, number: u64, value: i64) {
    out.extend(field(number, |out| varint(out, value as u64), 0));
}

pub fn bytes(out: &mut Vec<u8>, number: u64, content: &[u8]) {
    out.extend(field(number, |out| out.extend(content), 2));
}

fn text(out: &mut Vec<u8>, number: u64, content: &str) {
    bytes(out, number, content.as_bytes());
}
