//! A graph as a burn module.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use burn::module::{Module, Param, RunningState};
use burn::tensor::{Device, ExecutionError, Gradients, Tensor, TensorData};

use crate::graph::op::BatchNorm;
use crate::graph::{Node, NodeId, Op, Parameter, ParameterKind, Role, apart};
use crate::model::ReIdentifierGraph;
use crate::ops::{Layer, OpError, Tensors, Value};
use crate::weights;

/// Which statistics batch norm uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The running statistics; nothing changes.
    Evaluate,
    /// The batch's own, which also move the running statistics.
    Train,
}

/// What a forward pass gives; see [`ReIdentifierGraph`] for the three.
#[derive(Clone, Debug)]
pub struct Outputs {
    /// `f`, `[n, c]`.
    pub feature: Tensor<2>,
    /// `bn_f`, `[n, features_dim]`, not L2-normalised.
    pub embedding: Tensor<2>,
    /// `[n, num_classes]`; only computed in training.
    pub logits: Option<Tensor<2>>,
}

/// The parameters that share a learning rate.
#[derive(Clone, Debug)]
pub struct ParameterGroup {
    pub role: Role,
    /// The parameters that move; frozen ones and running statistics are in no group.
    pub parameters: Vec<Parameter>,
}

/// Tensors that do not make up the graph.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    #[error("the model needs the tensor '{0}', which is not there")]
    Missing(String),
    #[error("the tensor '{name}' has {found} values where the model needs the shape {expected:?}")]
    Shape { name: String, found: usize, expected: Vec<usize> },
}

/// Where a named tensor lives in the module.
#[derive(Clone, Copy, Debug)]
enum Slot {
    Parameter(usize),
    Running(usize),
}

/// The parameters of a [`ReIdentifierGraph`] and the interpreter of its nodes. One code serves every device; put it on
/// `device.autodiff()` to train.
///
/// Clones share their running statistics.
#[derive(Module, Debug)]
pub struct Network {
    /// Each row by row in one dimension; the operators give them their shapes.
    parameters: Vec<Param<Tensor<1>>>,
    running: Vec<RunningState<Tensor<1>>>,
    #[module(skip)]
    graph: Arc<ReIdentifierGraph>,
    /// Its nodes, one for each value.
    #[module(skip)]
    nodes: Arc<[Node]>,
    #[module(skip)]
    slots: Arc<BTreeMap<String, Slot>>,
    /// Average pools whose batch norm runs in the same pass.
    #[module(skip)]
    necks: Arc<BTreeMap<NodeId, NodeId>>,
    /// Batch norms whose ReLU runs in the same pass.
    #[module(skip)]
    rectified: Arc<BTreeMap<NodeId, NodeId>>,
    /// The nodes that training changes; see [`Network::set_moving`].
    #[module(skip)]
    moving: Range<NodeId>,
}

impl Network {
    /// The graph with these tensors, on a device.
    ///
    /// # Errors
    /// When a tensor of the graph is missing or has another number of values. Tensors that the graph does not name are ignored.
    pub fn new(
        graph: ReIdentifierGraph,
        tensors: &BTreeMap<String, weights::Tensor>,
        device: &Device,
    ) -> Result<Self, NetworkError> {
        let necks = Arc::new(graph.pooled_norms());
        let rectified = Arc::new(graph.rectified_norms());
        let nodes: Arc<[Node]> = apart(&graph.nodes).into();
        let moving = 0..nodes.len();
        let mut network = Self {
            parameters: Vec::new(),
            running: Vec::new(),
            graph: Arc::new(graph),
            nodes,
            slots: Arc::default(),
            necks,
            rectified,
            moving,
        };
        let mut slots = BTreeMap::new();
        for parameter in network.graph.clone().parameters() {
            let tensor = tensors.get(&parameter.name).ok_or_else(|| NetworkError::Missing(parameter.name.clone()))?;
            let slot = network.add(&parameter, tensor, device)?;
            slots.insert(parameter.name, slot);
        }
        network.slots = Arc::new(slots);
        Ok(network)
    }

    fn add(&mut self, parameter: &Parameter, tensor: &weights::Tensor, device: &Device) -> Result<Slot, NetworkError> {
        if tensor.values.len() != parameter.shape.iter().product::<usize>() {
            return Err(NetworkError::Shape {
                name: parameter.name.clone(),
                found: tensor.values.len(),
                expected: parameter.shape.clone(),
            });
        }
        let data = TensorData::new(tensor.values.clone(), [tensor.values.len()]);
        Ok(match parameter.kind {
            ParameterKind::Running => {
                self.running.push(RunningState::new(Tensor::from_data(data, device)));
                Slot::Running(self.running.len() - 1)
            }
            kind => {
                let values = Param::from_data(data, device);
                self.parameters.push(values.set_require_grad(kind == ParameterKind::Trained));
                Slot::Parameter(self.parameters.len() - 1)
            }
        })
    }

    /// The description that this network runs.
    pub fn graph(&self) -> &ReIdentifierGraph {
        &self.graph
    }

    /// Lets training change these nodes alone. All others run in evaluation mode even in a training pass (their batch
    /// statistics stay), and their parameters are not tracked, so that no gradient is computed for what nobody moves.
    pub fn set_moving(&mut self, moving: Range<NodeId>) {
        self.moving = moving;
        let nodes = self.nodes.clone();
        let nodes = nodes.iter().enumerate();
        for (id, parameter) in nodes.flat_map(|(id, node)| node.parameters().into_iter().map(move |p| (id, p))) {
            let moves = parameter.kind == ParameterKind::Trained && self.moving.contains(&id);
            if let Some(&Slot::Parameter(i)) = self.slots.get(&parameter.name) {
                self.parameters[i] = self.parameters[i].clone().set_require_grad(moves);
            }
        }
    }

    /// What [`Network::set_moving`] set; everything at first.
    pub fn moving(&self) -> Range<NodeId> {
        self.moving.clone()
    }

    /// The tensors of this kind in the nodes that training changes, each once, in node order.
    fn moving_tensors(&self, kind: ParameterKind) -> Vec<Parameter> {
        let nodes = self.nodes.iter().enumerate().filter(|(id, _)| self.moving.contains(id));
        let parameters = nodes.flat_map(|(_, node)| node.parameters()).filter(|parameter| parameter.kind == kind);
        let mut seen = HashSet::new();
        parameters.filter(|parameter| seen.insert(parameter.name.clone())).collect()
    }

    /// The parameters that training moves, by learning rate: the three groups of TLL's `get_parameters`.
    pub fn parameter_groups(&self) -> Vec<ParameterGroup> {
        let parameters = self.moving_tensors(ParameterKind::Trained);
        let group = |role: Role| ParameterGroup {
            role,
            parameters: parameters.iter().filter(|parameter| parameter.role == role).cloned().collect(),
        };
        [Role::Backbone, Role::Neck, Role::Head].map(group).into()
    }

    /// The running statistics that training moves.
    pub fn moving_statistics(&self) -> Vec<Parameter> {
        self.moving_tensors(ParameterKind::Running)
    }

    /// The gradient of a parameter, row by row in one dimension; `None` for one that is not trained or that the loss does
    /// not depend on. It can be taken once.
    pub fn take_gradient(&self, name: &str, gradients: &mut Gradients) -> Option<Tensor<1>> {
        match *self.slots.get(name)? {
            Slot::Parameter(i) => self.parameters[i].val().grad_remove(gradients),
            Slot::Running(_) => None,
        }
    }

    /// The values of a parameter or running statistic, row by row in one dimension, on the device without autodiff.
    pub fn value(&self, name: &str) -> Option<Tensor<1>> {
        Some(match *self.slots.get(name)? {
            Slot::Parameter(i) => self.parameters[i].val().inner(),
            Slot::Running(i) => self.running[i].value_sync().inner(),
        })
    }

    /// Replaces what [`Network::value`] gives. A name that the graph has not is ignored.
    ///
    /// # Panics
    /// When the number of values is another.
    pub fn set_value(&mut self, name: &str, value: Tensor<1>) {
        match self.slots.get(name) {
            Some(&Slot::Parameter(i)) => self.parameters[i] = replaced(&self.parameters[i], value),
            Some(&Slot::Running(i)) => {
                let device = self.running[i].value_sync().device();
                self.running[i] = RunningState::new(on(value, &device));
            }
            None => {}
        }
    }

    /// Every tensor by its name, read back from the device.
    ///
    /// # Errors
    /// When the device is lost.
    pub async fn tensors(&self) -> Result<BTreeMap<String, weights::Tensor>, ExecutionError> {
        let mut tensors = BTreeMap::new();
        for parameter in self.graph.parameters() {
            let Some(slot) = self.slots.get(&parameter.name) else { continue };
            let data = match *slot {
                Slot::Parameter(i) => self.parameters[i].val().into_data_async().await?,
                Slot::Running(i) => self.running[i].value_sync().into_data_async().await?,
            };
            let values = data.iter::<f32>().collect();
            tensors.insert(parameter.name, weights::Tensor { shape: parameter.shape, values });
        }
        Ok(tensors)
    }

    /// Runs a batch of normalised images `[n, 3, height, width]`.
    ///
    /// # Errors
    /// For an empty batch, and in training for a batch of one image, which has no variance.
    ///
    /// # Panics
    /// When the images do not fit the graph ([`Graph::shapes`](crate::graph::Graph::shapes) tells beforehand).
    pub fn forward(&self, images: Tensor<4>, mode: Mode) -> Result<Outputs, OpError> {
        self.pass(0, Value::Map(images), mode)
    }

    /// Runs what follows the feature: `feature` is a batch of [`ReIdentifierGraph::feature`] values `[n, c]`, as [`Outputs::feature`]
    /// gives them in evaluation mode.
    ///
    /// # Errors
    /// As [`Network::forward`].
    ///
    /// # Panics
    /// When the features have another length than the graph's.
    pub fn forward_feature(&self, feature: Tensor<2>, mode: Mode) -> Result<Outputs, OpError> {
        self.pass(self.graph.feature, Value::Vector(feature), mode)
    }

    /// Runs the nodes after `start`, whose value is given.
    fn pass(&self, start: NodeId, value: Value, mode: Mode) -> Result<Outputs, OpError> {
        let images = value.batch();
        if mode == Mode::Train && images < 2 {
            return Err(OpError::BatchOfOne(images));
        }
        let graph = &self.graph;
        let wanted = match mode {
            Mode::Evaluate => vec![graph.feature, graph.embedding],
            Mode::Train => [graph.feature, graph.embedding].into_iter().chain(graph.logits).collect(),
        };
        let last = wanted.iter().copied().max().unwrap_or(0);
        let mut values = Values::new(&self.nodes[..=last], &wanted);
        values.put(start, value);
        for (id, node) in self.nodes[..=last].iter().enumerate().skip(start + 1) {
            match &node.op {
                Op::GlobalAveragePool if self.necks.contains_key(&id) => {
                    let neck = self.necks[&id];
                    let (norm, layer) = self.norm(neck, mode);
                    let (feature, embedding) = norm.pooled(values.take(node.inputs[0]).map(), &layer)?;
                    values.put(id, Value::Vector(feature));
                    values.put(neck, Value::Vector(embedding));
                }
                Op::BatchNorm(_) if values.has(id) => drop(values.take(node.inputs[0])),
                Op::BatchNorm(_) if self.rectified.get(&id).is_some_and(|&relu| relu <= last) => {
                    let (norm, layer) = self.norm(id, mode);
                    let value = norm.normalised(values.take(node.inputs[0]), &layer, true)?;
                    values.put(self.rectified[&id], value);
                }
                Op::Relu if values.has(id) => {}
                op => {
                    let inputs = node.inputs.iter().map(|&id| values.take(id)).collect();
                    values.put(id, op.operator().run(inputs, &self.layer(id, mode))?);
                }
            }
        }
        Ok(Outputs {
            feature: values.take(graph.feature).vector(),
            embedding: values.take(graph.embedding).vector(),
            logits: graph.logits.filter(|_| mode == Mode::Train).map(|id| values.take(id).vector()),
        })
    }

    /// How a node runs in a pass of this mode.
    fn layer(&self, id: NodeId, pass: Mode) -> Layer<'_> {
        let name = self.nodes[id].op.name().unwrap_or_default();
        Layer { tensors: self, name, training: pass == Mode::Train && self.moving.contains(&id) }
    }

    fn norm(&self, id: NodeId, pass: Mode) -> (&BatchNorm, Layer<'_>) {
        let Op::BatchNorm(norm) = &self.nodes[id].op else { unreachable!("the graph names batch norms here") };
        (norm, self.layer(id, pass))
    }
}

impl Tensors for Network {
    fn parameter(&self, name: &str) -> Tensor<1> {
        match self.slots.get(name) {
            Some(&Slot::Parameter(i)) => self.parameters[i].val(),
            _ => unreachable!("every parameter of the graph has a slot: {name}"),
        }
    }

    fn running(&self, name: &str) -> &RunningState<Tensor<1>> {
        match self.slots.get(name) {
            Some(&Slot::Running(i)) => &self.running[i],
            _ => unreachable!("every parameter of the graph has a slot: {name}"),
        }
    }
}

/// The parameter with other values: a new leaf, tracked as the old one was.
fn replaced(parameter: &Param<Tensor<1>>, value: Tensor<1>) -> Param<Tensor<1>> {
    let old = parameter.val();
    let value = on(value.reshape(old.dims()), &old.device());
    Param::initialized(parameter.id, value.set_require_grad(old.is_require_grad()))
}

/// `value` without autodiff, on the same device with autodiff where that one has it.
fn on(value: Tensor<1>, device: &Device) -> Tensor<1> {
    if device.is_autodiff() { value.autodiff() } else { value }
}

/// The values that later nodes still need; each is let go with its last use.
struct Values {
    values: Vec<Option<Value>>,
    uses: Vec<usize>,
}

impl Values {
    fn new(nodes: &[Node], wanted: &[NodeId]) -> Self {
        let mut uses = vec![0; nodes.len()];
        for &id in nodes.iter().flat_map(|node| &node.inputs).chain(wanted) {
            uses[id] += 1;
        }
        Self { values: vec![None; nodes.len()], uses }
    }

    fn put(&mut self, id: NodeId, value: Value) {
        if self.uses[id] > 0 {
            self.values[id] = Some(value);
        }
    }

    fn has(&self, id: NodeId) -> bool {
        self.values[id].is_some()
    }

    fn take(&mut self, id: NodeId) -> Value {
        self.uses[id] -= 1;
        let value = if self.uses[id] == 0 { self.values[id].take() } else { self.values[id].clone() };
        value.unwrap_or_else(|| unreachable!("nodes only read nodes before them"))
    }
}
