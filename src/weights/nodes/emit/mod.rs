//! Makes operators of a graph of ours of nodes that all depend on the image.
//!
//! Nodes that only move numbers change how a value is seen, its [`Layout`]; numbers are moved when an operator needs them in
//! places of its own.

mod arithmetic;
mod arrange;
mod attention;
mod layers;
mod pooling;
mod views;

use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

use super::array::Array;
use super::fold::{Fact, Folded, shown};
use super::layout::{Axis, Layout, OPEN};
use super::sizes::Size;
use super::{Node, Refusal, ValueId, Wanted, unsupported};
use crate::graph::budget::{self, Budget};
use crate::graph::{NodeId, Op, Padding, Shape};
use crate::weights::WeightsError;
use crate::weights::images::Hints;
use crate::weights::import::{Importer, Value};

pub(in crate::weights) struct Emitted {
    pub name: String,
    pub importer: Importer,
    /// By the file's names.
    pub outputs: Vec<(Rc<str>, Value)>,
    pub hints: Hints,
    /// The words for what the file leaves open.
    pub assumed: Vec<String>,
    /// Whether the network ends by dividing the feature by its length.
    pub unit: bool,
}

/// A value that depends on the image.
#[derive(Clone, Debug)]
struct Flow {
    at: Value,
    /// How the file sees it.
    layout: Layout,
    /// Nothing else reads it, nor what it was made of since its layer.
    alone: bool,
}

struct Emit {
    importer: Importer,
    budget: Budget,
    facts: Vec<Option<Fact>>,
    /// How many nodes read a value.
    readers: Vec<usize>,
    flows: Vec<Option<Flow>>,
    /// The values that are left to the matching to bring to length 1.
    features: HashSet<ValueId>,
    /// The file's; 1 is no dimension.
    batch: u64,
    unit: bool,
    /// Values whose places were put in an order, by the value and the order.
    moved: BTreeMap<(NodeId, Vec<u32>), Value>,
    /// Values with something around them, which a layer that reads them may put there itself.
    padded: BTreeMap<NodeId, Padded>,
}

/// What a value is without what is around it.
struct Padded {
    from: Value,
    padding: Padding,
    /// That only a max pooling may read it: less than any number is around it, which no operator here makes. The error else.
    lowest: Option<WeightsError>,
}

pub(super) fn emit(folded: Folded, wanted: Wanted) -> Result<Emitted, WeightsError> {
    let Folded {
        name, hints, image, height, width, channels_last, assumed, batch, nodes, facts, outputs, budget, ..
    } = folded;
    let (importer, value) = Importer::new(height, width);
    let batch = batch.unwrap_or(OPEN);
    let mut readers = vec![0; facts.len()];
    outputs.iter().for_each(|output| readers[output.value] += 1);
    nodes.iter().flat_map(|node| node.inputs.iter().flatten()).for_each(|&input| readers[input] += 1);
    let flows = vec![None; facts.len()];
    let is_feature = wanted == Wanted::Feature;
    let features = outputs.iter().filter(|_| is_feature).map(|output| output.value).collect();
    let moved = BTreeMap::new();
    let mut emit =
        Emit { importer, budget, facts, readers, flows, features, batch, unit: false, moved, padded: BTreeMap::new() };
    let mut layout = Layout::of(value.shape, batch);
    if channels_last {
        layout = layout.transpose(&[0, 2, 3, 1]);
    }
    emit.give(image, Flow { at: value, layout, alone: true });
    for node in &nodes {
        emit.node(node).map_err(|refusal| node.refuse(refusal))?;
    }
    let mut given = Vec::with_capacity(outputs.len());
    for output in &outputs {
        let refused =
            |reason| WeightsError::Operator { operator: "output".into(), node: output.name.to_string(), reason };
        let flow = emit.flow(output.value).map_err(|_| refused("it is no value of the image alone".into()))?;
        let dims = shown(&emit.dims(output.value));
        let (value, what) = match wanted {
            Wanted::Feature => (emit.feature(&flow), "a feature"),
            Wanted::Outputs => (emit.output(&flow), "an output"),
        };
        let value = value.map_err(|refusal| match refusal {
            Refusal::Unsupported(reason) if is_feature => refused(format!(
                "{dims} is not taken as a feature ({reason}); a vector [batch, channels] is, or a map of one pixel"
            )),
            Refusal::TooMuch(error) => error.of(format!("`{}`", output.name)).into(),
            Refusal::Unsupported(reason) => refused(format!("{dims} is not taken as an output ({reason})")),
            _ => refused(format!("{dims} is not taken as {what}")),
        })?;
        given.push((output.name.clone(), value));
    }
    // Large networks fill the memory of a browser several times over.
    let Emit { importer, unit, padded, .. } = emit;
    for (value, padded) in padded {
        if let Some(error) = padded.lowest.filter(|_| importer.is_read(value, &given)) {
            return Err(error);
        }
    }
    Ok(Emitted { name, importer, outputs: given, hints, assumed, unit })
}

impl Emit {
    fn give(&mut self, value: ValueId, mut flow: Flow) {
        flow.alone &= self.readers[value] <= 1;
        self.flows[value] = Some(flow);
    }

    fn node(&mut self, node: &Node) -> Result<(), Refusal> {
        if node.kind == "Split" {
            return self.split(node);
        }
        let flow = self.of(node)?;
        if let Some(&Some(value)) = node.outputs.first() {
            self.give(value, flow);
        }
        Ok(())
    }

    fn of(&mut self, node: &Node) -> Result<Flow, Refusal> {
        match node.kind {
            "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" => self.reshape(node),
            "Transpose" => self.transpose(node),
            "Expand" | "Tile" => self.expand(node),
            "Slice" => self.slice(node),
            "Gather" => self.gather(node),
            "Concat" => self.concat(node),
            "Pad" => self.pad(node),
            "Conv" => self.convolution(node),
            "Gemm" | "MatMul" => self.product(node),
            "Attention" => self.attention(node),
            "BatchNormalization" => self.batch_norm(node),
            "InstanceNormalization" | "GroupNormalization" => self.group_norm(node),
            "LayerNormalization" | "MeanVarianceNormalization" => self.layer_norm(node),
            "MaxPool" | "AveragePool" => self.pool(node),
            "GlobalAveragePool" | "GlobalMaxPool" | "ReduceMean" | "ReduceMax" | "ReduceSum" => self.reduce(node),
            "GeneralisedMean" => self.generalised_mean(node),
            "UnitLength" => self.unit_length(node),
            "Softmax" => self.softmax(node),
            "Resize" => self.resize(node),
            "PRelu" => self.p_relu(node),
            "Clip" => self.clip(node),
            "Add" | "Sub" | "Mul" | "Div" | "Max" | "Min" | "Pow" => self.arithmetic(node),
            _ => self.activation(node),
        }
    }

    // The inputs.

    fn dims(&self, value: ValueId) -> Vec<Size> {
        match &self.facts[value] {
            Some(Fact::Flow(dims)) => dims.clone(),
            _ => Vec::new(),
        }
    }

    /// The sizes that a node's first output has in a layout.
    fn sizes(&self, node: &Node) -> Vec<u64> {
        let dims = node.outputs.first().copied().flatten().map(|value| self.dims(value)).unwrap_or_default();
        let size = |size: &Size| match *size {
            Size::Known(size) => u64::try_from(size).unwrap_or(0),
            Size::Batch(times) => u64::try_from(times).unwrap_or(0).saturating_mul(OPEN),
        };
        dims.iter().map(size).collect()
    }

    fn flow(&self, value: ValueId) -> Result<Flow, Refusal> {
        let lost = || Refusal::Damaged("reads what no node before gives".into());
        self.flows[value].clone().ok_or_else(lost)
    }

    fn flow_at(&self, node: &Node, port: usize) -> Result<Flow, Refusal> {
        let value = node.input(port)?;
        match &self.facts[value] {
            Some(Fact::Flow(_)) => self.flow(value),
            _ => unsupported(format!("its input {port} does not depend on the image")),
        }
    }

    fn is_flow(&self, node: &Node, port: usize) -> bool {
        node.input(port).is_ok_and(|value| matches!(self.facts[value], Some(Fact::Flow(_))))
    }

    fn floats_at(&self, node: &Node, port: usize) -> Result<Array<f32>, Refusal> {
        match &self.facts[node.input(port)?] {
            Some(Fact::Floats(floats)) => Ok(floats.clone()),
            Some(Fact::Sizes(sizes)) if let Some(known) = sizes.known() => {
                Ok(Array::new(known.shape, known.values.iter().map(|&value| value as f32).collect::<Vec<_>>()))
            }
            _ => unsupported(format!("its input {port} is not constant")),
        }
    }

    /// As many constants as there are channels.
    fn channels_at(&self, node: &Node, port: usize, channels: usize) -> Result<Vec<f32>, Refusal> {
        let floats = self.floats_at(node, port)?;
        if floats.values.len() != channels {
            return Err(Refusal::Damaged(format!("has {} numbers for {channels} channels", floats.values.len())));
        }
        Ok(floats.values.to_vec())
    }

    fn number_at(&self, node: &Node, port: usize) -> Option<f64> {
        super::fold::single(self.facts[node.input(port).ok()?].as_ref()?)
    }

    fn integers_at(&self, node: &Node, port: usize) -> Result<Vec<i64>, Refusal> {
        let wrong = || Refusal::Unsupported(format!("its input {port} is no list of whole numbers"));
        match &self.facts[node.input(port)?] {
            Some(Fact::Sizes(sizes)) => Ok(sizes.known().ok_or_else(wrong)?.values.to_vec()),
            _ => Err(wrong()),
        }
    }

    // The graph.

    fn push(
        &mut self,
        op: impl Into<Op>,
        inputs: &[Value],
        values: Vec<Vec<f32>>,
        label: Option<&Rc<str>>,
    ) -> Result<Value, Refusal> {
        self.budget.spend(values.iter().map(Vec::len).sum())?;
        let shapes: Vec<Shape> = inputs.iter().map(|input| input.shape).collect();
        let pushed = self.importer.push(op.into(), inputs, values, label.and_then(|name| layer_name(name)));
        let value = pushed.ok_or_else(|| Refusal::Damaged(format!("cannot take {shapes:?}")))?;
        if value.shape.channels() == 0 {
            return Err(Refusal::Damaged("gives no channels".into()));
        }
        // The whole network is held to more bounds in the end; until then each layer is asked for numbers for its channels.
        budget::map(String::new, value.shape)?;
        Ok(value)
    }

    /// A value that lies in the graph as the file sees it.
    fn as_it_lies(&self, at: Value) -> Flow {
        Flow { at, layout: Layout::of(at.shape, self.batch), alone: true }
    }

    /// An operator that changes each number for itself.
    fn each(
        &mut self,
        x: Flow,
        op: impl Into<Op>,
        values: Vec<Vec<f32>>,
        label: Option<&Rc<str>>,
    ) -> Result<Flow, Refusal> {
        let x = self.whole(x)?;
        let at = self.push(op, &[x.at], values, label)?;
        Ok(Flow { at, alone: true, ..x })
    }

    /// `x · scale + shift` for each channel of a value that is seen whole.
    fn affine(&mut self, x: Flow, scale: &[f32], shift: &[f32]) -> Result<Flow, Refusal> {
        // Of a layer that may change each number does.
        self.budget.spend(scale.len() + shift.len() + if x.alone { self.importer.size(x.at) } else { 0 })?;
        let at = self.importer.affine(x.at, x.alone, scale, shift);
        let at = at.ok_or_else(|| Refusal::Damaged("does not fit its input".into()))?;
        Ok(Flow { at, alone: true, ..x })
    }

    /// `x · factor` of a value that is seen whole.
    fn times(&mut self, x: Flow, factor: f32) -> Result<Flow, Refusal> {
        let channels = x.at.shape.channels();
        self.affine(x, &vec![factor; channels], &vec![0.0; channels])
    }
}

/// `conv1.conv` of `conv1.conv.weight`. Names that a converter made up say nothing.
fn layer_name(name: &str) -> Option<String> {
    let name = name.strip_suffix(".weight")?;
    let is_plain = name.len() <= 128 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    (is_plain && !name.is_empty()).then(|| name.to_owned())
}

impl Flow {
    /// The dimensions whose steps go along the channels.
    fn channel_dims(&self) -> Vec<usize> {
        (0..self.layout.dims.len()).filter(|&dim| self.layout.has(dim, Axis::Channel)).collect()
    }

    fn rank(&self) -> usize {
        self.layout.dims.len()
    }

    /// Whether it is seen as it lies in the graph, apart from dimensions of 1.
    fn is_as_it_lies(&self, batch: u64) -> bool {
        let some = |layout: &Layout| layout.dims.iter().filter(|atoms| !atoms.is_empty()).cloned().collect::<Vec<_>>();
        let own = Layout::of(self.at.shape, batch);
        (self.layout.place, self.layout.channel) == (0, 0) && some(&own) == some(&self.layout)
    }

    /// `[batch, [4, 32, 16]]`
    fn shown(&self) -> String {
        let sizes = self.layout.sizes();
        format!("[batch, {:?}]", sizes.get(1..).unwrap_or_default())
    }
}
