//! A graph as a burn module.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use burn::module::{Module, Param, RunningState};
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, ExecutionError, Gradients, Tensor, TensorData, activation};

use crate::graph::{Convolution, Graph, Node, NodeId, Op, Parameter, ParameterKind, Role};
use crate::kernels::training::{cpu::batch_norm::Settings, pool_bn_train};
use crate::ops::{
    self, OpError,
    convolution::convolution,
    gem_pool::gem_pool,
    pool::{average_pool, max_pool},
    pool_bn,
    scale_channels::scale_channels,
};
use crate::weights;

/// Added to a variance before its square root, as everywhere in torchvision and torchreid.
const EPSILON: f64 = 1e-5;
/// How much of a batch's statistics enters the running ones.
const MOMENTUM: f64 = 0.1;

/// Which statistics batch norm uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The running statistics; nothing changes.
    Evaluate,
    /// The batch's own, which also move the running statistics.
    Train,
}

/// What a forward pass gives; see [`Graph`] for the three.
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
    Kernel(usize),
    Matrix(usize),
    Vector(usize),
    Running(usize),
}

/// The parameters of a [`Graph`] and the interpreter of its nodes. One code serves every device; put it on
/// `device.autodiff()` to train.
///
/// Clones share their running statistics.
#[derive(Module, Debug)]
pub struct Network {
    kernels: Vec<Param<Tensor<4>>>,
    matrices: Vec<Param<Tensor<2>>>,
    vectors: Vec<Param<Tensor<1>>>,
    running: Vec<RunningState<Tensor<1>>>,
    #[module(skip)]
    graph: Arc<Graph>,
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

/// A value on its way through the graph.
#[derive(Clone, Debug)]
enum Value {
    Map(Tensor<4>),
    Vector(Tensor<2>),
}

impl Network {
    /// The graph with these tensors, on a device.
    ///
    /// # Errors
    /// When a tensor of the graph is missing or has another number of values. Tensors that the graph does not name are ignored.
    pub fn new(
        graph: Graph,
        tensors: &BTreeMap<String, weights::Tensor>,
        device: &Device,
    ) -> Result<Self, NetworkError> {
        let necks = Arc::new(graph.pooled_norms());
        let rectified = Arc::new(graph.rectified_norms());
        let moving = 0..graph.nodes.len();
        let mut network = Self {
            kernels: Vec::new(),
            matrices: Vec::new(),
            vectors: Vec::new(),
            running: Vec::new(),
            graph: Arc::new(graph),
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
        let data = TensorData::new(tensor.values.clone(), parameter.shape.clone());
        Ok(match (parameter.kind, parameter.shape.len()) {
            (ParameterKind::Running, _) => {
                self.running.push(RunningState::new(Tensor::from_data(data, device)));
                Slot::Running(self.running.len() - 1)
            }
            (_, 4) => {
                self.kernels.push(Param::from_data(data, device));
                Slot::Kernel(self.kernels.len() - 1)
            }
            (_, 2) => {
                self.matrices.push(Param::from_data(data, device));
                Slot::Matrix(self.matrices.len() - 1)
            }
            (kind, _) => {
                let vector = Param::from_data(data, device);
                self.vectors.push(vector.set_require_grad(kind == ParameterKind::Trained));
                Slot::Vector(self.vectors.len() - 1)
            }
        })
    }

    /// The description that this network runs.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Lets training change these nodes alone. All others run in evaluation mode even in a training pass (their batch
    /// statistics stay), and their parameters are not tracked, so that no gradient is computed for what nobody moves.
    pub fn set_moving(&mut self, moving: Range<NodeId>) {
        self.moving = moving;
        let graph = self.graph.clone();
        let nodes = graph.nodes.iter().enumerate();
        for (id, parameter) in nodes.flat_map(|(id, node)| node.parameters().into_iter().map(move |p| (id, p))) {
            let moves = parameter.kind == ParameterKind::Trained && self.moving.contains(&id);
            match self.slots.get(&parameter.name) {
                Some(&Slot::Kernel(i)) => self.kernels[i] = self.kernels[i].clone().set_require_grad(moves),
                Some(&Slot::Matrix(i)) => self.matrices[i] = self.matrices[i].clone().set_require_grad(moves),
                Some(&Slot::Vector(i)) => self.vectors[i] = self.vectors[i].clone().set_require_grad(moves),
                Some(Slot::Running(_)) | None => {}
            }
        }
    }

    /// What [`Network::set_moving`] set; everything at first.
    pub fn moving(&self) -> Range<NodeId> {
        self.moving.clone()
    }

    /// The tensors of this kind in the nodes that training changes, each once, in node order.
    fn moving_tensors(&self, kind: ParameterKind) -> Vec<Parameter> {
        let nodes = self.graph.nodes.iter().enumerate().filter(|(id, _)| self.moving.contains(id));
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
            Slot::Kernel(i) => self.kernels[i].val().grad_remove(gradients).map(flat),
            Slot::Matrix(i) => self.matrices[i].val().grad_remove(gradients).map(flat),
            Slot::Vector(i) => self.vectors[i].val().grad_remove(gradients),
            Slot::Running(_) => None,
        }
    }

    /// The values of a parameter or running statistic, row by row in one dimension, on the device without autodiff.
    pub fn value(&self, name: &str) -> Option<Tensor<1>> {
        Some(match *self.slots.get(name)? {
            Slot::Kernel(i) => flat(self.kernels[i].val().inner()),
            Slot::Matrix(i) => flat(self.matrices[i].val().inner()),
            Slot::Vector(i) => self.vectors[i].val().inner(),
            Slot::Running(i) => self.running[i].value_sync().inner(),
        })
    }

    /// Replaces what [`Network::value`] gives. A name that the graph has not is ignored.
    ///
    /// # Panics
    /// When the number of values is another.
    pub fn set_value(&mut self, name: &str, value: Tensor<1>) {
        match self.slots.get(name) {
            Some(&Slot::Kernel(i)) => self.kernels[i] = replaced(&self.kernels[i], value),
            Some(&Slot::Matrix(i)) => self.matrices[i] = replaced(&self.matrices[i], value),
            Some(&Slot::Vector(i)) => self.vectors[i] = replaced(&self.vectors[i], value),
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
                Slot::Kernel(i) => self.kernels[i].val().into_data_async().await?,
                Slot::Matrix(i) => self.matrices[i].val().into_data_async().await?,
                Slot::Vector(i) => self.vectors[i].val().into_data_async().await?,
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
    /// When the images do not fit the graph ([`Graph::shapes`] tells beforehand).
    pub fn forward(&self, images: Tensor<4>, mode: Mode) -> Result<Outputs, OpError> {
        self.pass(0, Value::Map(images), mode)
    }

    /// Runs what follows the feature: `feature` is a batch of [`Graph::feature`] values `[n, c]`, as [`Outputs::feature`]
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
        let mut values = Values::new(&graph.nodes[..=last], &wanted);
        values.put(start, value);
        for (id, node) in graph.nodes[..=last].iter().enumerate().skip(start + 1) {
            match &node.op {
                Op::GlobalAveragePool if self.necks.contains_key(&id) => {
                    let neck = self.necks[&id];
                    let mode = self.mode(neck, mode);
                    let (feature, embedding) = self.pool_bn(values.take(node.inputs[0]).map(), neck, mode)?;
                    values.put(id, Value::Vector(feature));
                    values.put(neck, Value::Vector(embedding));
                }
                Op::BatchNorm { .. } if values.has(id) => drop(values.take(node.inputs[0])),
                Op::BatchNorm { name, .. } if self.rectified.get(&id).is_some_and(|&relu| relu <= last) => {
                    let mode = self.mode(id, mode);
                    let value = match values.take(node.inputs[0]) {
                        Value::Map(x) => Value::Map(self.batch_norm(name, x, mode, true)?),
                        Value::Vector(x) => Value::Vector(self.batch_norm(name, x, mode, true)?),
                    };
                    values.put(self.rectified[&id], value);
                }
                Op::Relu if values.has(id) => {}
                _ => {
                    let value = self.run(node, &mut values, self.mode(id, mode))?;
                    values.put(id, value);
                }
            }
        }
        Ok(Outputs {
            feature: values.take(graph.feature).vector(),
            embedding: values.take(graph.embedding).vector(),
            logits: graph.logits.filter(|_| mode == Mode::Train).map(|id| values.take(id).vector()),
        })
    }

    /// The mode in which a node runs in a pass of this mode.
    fn mode(&self, id: NodeId, pass: Mode) -> Mode {
        if self.moving.contains(&id) { pass } else { Mode::Evaluate }
    }

    fn run(&self, node: &Node, values: &mut Values, mode: Mode) -> Result<Value, OpError> {
        let mut inputs = node.inputs.iter().map(|&id| values.take(id)).collect::<Vec<_>>().into_iter();
        let mut input = || inputs.next().unwrap_or_else(|| unreachable!("graphs are built with their inputs"));
        Ok(match &node.op {
            Op::Input { .. } => unreachable!("a graph has one input, the first node"),
            Op::Convolution(c) => Value::Map(self.convolution(c, input().map())?),
            Op::BatchNorm { name, .. } => match input() {
                Value::Map(x) => Value::Map(self.batch_norm(name, x, mode, false)?),
                Value::Vector(x) => Value::Vector(self.batch_norm(name, x, mode, false)?),
            },
            Op::InstanceNorm { name, channels } => Value::Map(self.group_norm(name, *channels, input().map())),
            Op::GroupNorm { name, groups, .. } => {
                input().each(|x| self.group_norm(name, *groups, x), |x| self.group_norm(name, *groups, x))
            }
            Op::Affine { name, .. } => input().each(|x| self.affine(name, x), |x| self.affine(name, x)),
            Op::Relu => input().each(activation::relu, activation::relu),
            Op::Sigmoid => input().each(activation::sigmoid, activation::sigmoid),
            Op::PRelu { name, .. } => {
                let alpha = self.vector(&format!("{name}.weight"));
                input().each(|x| activation::prelu(x, alpha.clone()), |x| activation::prelu(x, alpha.clone()))
            }
            Op::MaxPool(pool) => Value::Map(max_pool(input().map(), *pool)?),
            Op::AveragePool(pool) => Value::Map(average_pool(input().map(), *pool)?),
            Op::GlobalAveragePool => Value::Vector(mean(input().map())),
            Op::GemPool { name } => Value::Vector(gem_pool(input().map(), self.vector(&format!("{name}.p")))?),
            Op::Linear { name, bias, .. } => {
                let y = input().vector().matmul(self.matrix(&format!("{name}.weight")).transpose());
                Value::Vector(if *bias { y + self.vector(&format!("{name}.bias")).unsqueeze() } else { y })
            }
            Op::Add => match (input(), input()) {
                (Value::Map(a), b) => Value::Map(a + b.map()),
                (Value::Vector(a), b) => Value::Vector(a + b.vector()),
            },
            Op::Multiply => match (input(), input()) {
                (Value::Map(a), Value::Map(b)) => Value::Map(a * b),
                (Value::Map(a), Value::Vector(b)) => Value::Map(scale_channels(a, b)?),
                (Value::Vector(a), b) => Value::Vector(a * b.vector()),
            },
            Op::Split { start, length } => {
                let (start, length) = (*start, *length);
                input().each(|x| x.narrow(1, start, length), |x| x.narrow(1, start, length))
            }
            Op::Concatenate => {
                let parts: Vec<Value> = inputs.collect();
                if matches!(parts.first(), Some(Value::Map(_))) {
                    Value::Map(Tensor::cat(parts.into_iter().map(Value::map).collect(), 1))
                } else {
                    Value::Vector(Tensor::cat(parts.into_iter().map(Value::vector).collect(), 1))
                }
            }
        })
    }

    fn convolution(&self, c: &Convolution, x: Tensor<4>) -> Result<Tensor<4>, OpError> {
        let options = ConvOptions::new(c.stride, c.padding, [1, 1], c.groups);
        let y = convolution(x, self.kernel(&format!("{}.weight", c.name)), options)?;
        let bias = c.bias.then(|| self.vector(&format!("{}.bias", c.name)).reshape([1, c.outputs, 1, 1]));
        Ok(bias.into_iter().fold(y, |y, bias| y + bias))
    }

    /// With the ReLU that follows, where `relu`; in training the batch's statistics also move the running ones.
    fn batch_norm<const D: usize>(
        &self,
        name: &str,
        x: Tensor<D>,
        mode: Mode,
        relu: bool,
    ) -> Result<Tensor<D>, OpError> {
        let settings = Settings { eps: EPSILON as f32, relu };
        let weight = self.vector(&format!("{name}.weight"));
        let bias = self.vector(&format!("{name}.bias"));
        let mean = self.running(&format!("{name}.running_mean"));
        let var = self.running(&format!("{name}.running_var"));
        if mode == Mode::Evaluate {
            return ops::batch_norm::infer(x, [weight, bias, mean.value_sync(), var.value_sync()], settings);
        }
        let count = x.dims().iter().product::<usize>() / x.dims()[1];
        let result = ops::batch_norm::train(x, weight, bias, settings)?;
        // The population variance; PyTorch keeps the unbiased one.
        let unbiased = count as f64 / (count as f64 - 1.0);
        for (running, batch) in [(mean, result.mean), (var, result.variance * unbiased)] {
            running.update((running.value_sync() * (1.0 - MOMENTUM) + batch.detach() * MOMENTUM).detach());
        }
        Ok(result.output)
    }

    /// Pool and BN neck in one pass: `f` and `bn_f`.
    fn pool_bn(&self, x: Tensor<4>, neck: NodeId, mode: Mode) -> Result<(Tensor<2>, Tensor<2>), OpError> {
        let Op::BatchNorm { name, .. } = &self.graph.nodes[neck].op else {
            unreachable!("Graph::pooled_norms names batch norms")
        };
        let weight = self.vector(&format!("{name}.weight"));
        let bias = self.vector(&format!("{name}.bias"));
        let mean = self.running(&format!("{name}.running_mean"));
        let var = self.running(&format!("{name}.running_var"));
        let (old_mean, old_var) = (mean.value_sync(), var.value_sync());
        if mode == Mode::Evaluate {
            return pool_bn::infer(x, weight, bias, old_mean, old_var, EPSILON as f32);
        }
        let settings = pool_bn_train::Settings { eps: EPSILON as f32, momentum: MOMENTUM as f32 };
        let result = pool_bn::train(x, weight, bias, old_mean, old_var, settings)?;
        mean.update(result.running_mean);
        var.update(result.running_variance);
        Ok((result.feature, result.embedding))
    }

    /// Each image's runs of channels to mean 0 and variance 1, then the channels scaled and shifted. With as many groups
    /// as channels it is instance norm.
    fn group_norm<const D: usize>(&self, name: &str, groups: usize, x: Tensor<D>) -> Tensor<D> {
        let dims = x.dims();
        let values = dims[1..].iter().product::<usize>() / groups;
        let x = x.reshape([dims[0], groups, values]);
        let mean = x.clone().mean_dim(2);
        let centred = x - mean;
        let variance = (centred.clone() * centred.clone()).mean_dim(2);
        let normal = centred / (variance + EPSILON).sqrt();
        self.affine(name, normal.reshape(dims))
    }

    fn affine<const D: usize>(&self, name: &str, x: Tensor<D>) -> Tensor<D> {
        let mut shape = [1; D];
        shape[1] = x.dims()[1];
        let weight = self.vector(&format!("{name}.weight")).reshape(shape);
        let bias = self.vector(&format!("{name}.bias")).reshape(shape);
        x * weight + bias
    }

    fn kernel(&self, name: &str) -> Tensor<4> {
        match self.slots.get(name) {
            Some(&Slot::Kernel(i)) => self.kernels[i].val(),
            _ => unreachable!("every parameter of the graph has a slot: {name}"),
        }
    }

    fn matrix(&self, name: &str) -> Tensor<2> {
        match self.slots.get(name) {
            Some(&Slot::Matrix(i)) => self.matrices[i].val(),
            _ => unreachable!("every parameter of the graph has a slot: {name}"),
        }
    }

    fn vector(&self, name: &str) -> Tensor<1> {
        match self.slots.get(name) {
            Some(&Slot::Vector(i)) => self.vectors[i].val(),
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

fn flat<const D: usize>(x: Tensor<D>) -> Tensor<1> {
    let count = x.shape().num_elements();
    x.reshape([count])
}

/// The parameter with other values: a new leaf, tracked as the old one was.
fn replaced<const D: usize>(parameter: &Param<Tensor<D>>, value: Tensor<1>) -> Param<Tensor<D>> {
    let old = parameter.val();
    let value = on(value.reshape(old.dims()), &old.device());
    Param::initialized(parameter.id, value.set_require_grad(old.is_require_grad()))
}

/// `value` without autodiff, on the same device with autodiff where that one has it.
fn on<const D: usize>(value: Tensor<D>, device: &Device) -> Tensor<D> {
    if device.is_autodiff() { value.autodiff() } else { value }
}

fn mean(x: Tensor<4>) -> Tensor<2> {
    let [n, c, h, w] = x.dims();
    x.reshape([n, c, h * w]).mean_dim(2).reshape([n, c])
}

impl Value {
    fn map(self) -> Tensor<4> {
        match self {
            Self::Map(x) => x,
            Self::Vector(_) => unreachable!("Graph::shapes accepts no vector here"),
        }
    }

    /// The images in the batch.
    fn batch(&self) -> usize {
        match self {
            Self::Map(x) => x.dims()[0],
            Self::Vector(x) => x.dims()[0],
        }
    }

    fn vector(self) -> Tensor<2> {
        match self {
            Self::Vector(x) => x,
            Self::Map(_) => unreachable!("Graph::shapes accepts no map here"),
        }
    }

    fn each(self, map: impl Fn(Tensor<4>) -> Tensor<4>, vector: impl Fn(Tensor<2>) -> Tensor<2>) -> Self {
        match self {
            Self::Map(x) => Self::Map(map(x)),
            Self::Vector(x) => Self::Vector(vector(x)),
        }
    }
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
