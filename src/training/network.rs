//! A graph as a burn module.

use std::collections::BTreeMap;
use std::sync::Arc;

use burn::module::{Module, Param, ParamId, RunningState};
use burn::tensor::module::{avg_pool2d, batch_norm, batch_norm_train, conv2d, max_pool2d};
use burn::tensor::ops::{AvgPoolOptions, ConvOptions, MaxPoolOptions};
use burn::tensor::{Device, ExecutionError, Tensor, TensorData, activation};

use crate::graph::{Convolution, Graph, Node, NodeId, Op, Parameter, ParameterKind, Pool, Role};
use crate::kernels::pool_bn_train::Settings;
use crate::ops::{OpError, gem_pool::gem_pool, pool_bn};
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
    pub learning_rate: f64,
    /// Names and ids of the trained parameters; frozen ones and running statistics are in no group.
    pub parameters: Vec<(String, ParamId)>,
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
        let mut network = Self {
            kernels: Vec::new(),
            matrices: Vec::new(),
            vectors: Vec::new(),
            running: Vec::new(),
            graph: Arc::new(graph),
            slots: Arc::default(),
            necks,
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

    /// The trained parameters by learning rate: the three groups of TLL's `get_parameters(base_lr, rate)`.
    pub fn parameter_groups(&self, base_lr: f64, rate: f64, finetune: bool) -> Vec<ParameterGroup> {
        let parameters = self.graph.parameters();
        let group = |role: Role| ParameterGroup {
            role,
            learning_rate: Graph::learning_rate(role, base_lr, rate, finetune),
            parameters: parameters
                .iter()
                .filter(|parameter| parameter.role == role && parameter.kind == ParameterKind::Trained)
                .filter_map(|parameter| Some((parameter.name.clone(), self.id(&parameter.name)?)))
                .collect(),
        };
        [Role::Backbone, Role::Neck, Role::Head].map(group).into()
    }

    /// The id by which burn's optimisers and gradients know a parameter.
    pub fn id(&self, name: &str) -> Option<ParamId> {
        match *self.slots.get(name)? {
            Slot::Kernel(i) => Some(self.kernels[i].id),
            Slot::Matrix(i) => Some(self.matrices[i].id),
            Slot::Vector(i) => Some(self.vectors[i].id),
            Slot::Running(_) => None,
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
        if mode == Mode::Train && images.dims()[0] < 2 {
            return Err(OpError::BatchOfOne(images.dims()[0]));
        }
        let graph = &self.graph;
        let wanted = match mode {
            Mode::Evaluate => vec![graph.feature, graph.embedding],
            Mode::Train => [graph.feature, graph.embedding].into_iter().chain(graph.logits).collect(),
        };
        let last = wanted.iter().copied().max().unwrap_or(0);
        let mut values = Values::new(&graph.nodes[..=last], &wanted);
        let mut images = Some(images);
        for (id, node) in graph.nodes[..=last].iter().enumerate() {
            match &node.op {
                Op::Input { .. } => {
                    values.put(id, Value::Map(images.take().unwrap_or_else(|| unreachable!("one input"))))
                }
                Op::GlobalAveragePool if self.necks.contains_key(&id) => {
                    let neck = self.necks[&id];
                    let (feature, embedding) = self.pool_bn(values.take(node.inputs[0]).map(), neck, mode)?;
                    values.put(id, Value::Vector(feature));
                    values.put(neck, Value::Vector(embedding));
                }
                Op::BatchNorm { .. } if values.has(id) => drop(values.take(node.inputs[0])),
                _ => {
                    let value = self.run(node, &mut values, mode)?;
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

    fn run(&self, node: &Node, values: &mut Values, mode: Mode) -> Result<Value, OpError> {
        let mut inputs = node.inputs.iter().map(|&id| values.take(id)).collect::<Vec<_>>().into_iter();
        let mut input = || inputs.next().unwrap_or_else(|| unreachable!("graphs are built with their inputs"));
        Ok(match &node.op {
            Op::Input { .. } => unreachable!("a graph has one input"),
            Op::Convolution(c) => Value::Map(self.convolution(c, input().map())),
            Op::BatchNorm { name, .. } => match input() {
                Value::Map(x) => Value::Map(self.batch_norm(name, x, mode)),
                Value::Vector(x) => Value::Vector(self.batch_norm(name, x, mode)),
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
            Op::MaxPool(pool) => Value::Map(max_pool2d(input().map(), max_pool_options(pool))),
            Op::AveragePool(pool) => Value::Map(avg_pool2d(input().map(), average_pool_options(pool))),
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
                (Value::Map(a), Value::Vector(b)) => {
                    let [n, c] = b.dims();
                    Value::Map(a * b.reshape([n, c, 1, 1]))
                }
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

    fn convolution(&self, c: &Convolution, x: Tensor<4>) -> Tensor<4> {
        let bias = c.bias.then(|| self.vector(&format!("{}.bias", c.name)));
        let options = ConvOptions::new(c.stride, c.padding, [1, 1], c.groups);
        conv2d(x, self.kernel(&format!("{}.weight", c.name)), bias, options)
    }

    fn batch_norm<const D: usize>(&self, name: &str, x: Tensor<D>, mode: Mode) -> Tensor<D> {
        let weight = self.vector(&format!("{name}.weight"));
        let bias = self.vector(&format!("{name}.bias"));
        let mean = self.running(&format!("{name}.running_mean"));
        let var = self.running(&format!("{name}.running_var"));
        if mode == Mode::Evaluate {
            return batch_norm(x, weight, bias, mean.value_sync(), var.value_sync(), EPSILON);
        }
        let count = x.dims().iter().product::<usize>() / x.dims()[1];
        let result = batch_norm_train(x, weight, bias, EPSILON);
        // burn gives the population variance; PyTorch keeps the unbiased one.
        let unbiased = count as f64 / (count as f64 - 1.0);
        for (running, batch) in [(mean, result.mean), (var, result.variance * unbiased)] {
            running.update((running.value_sync() * (1.0 - MOMENTUM) + batch.detach() * MOMENTUM).detach());
        }
        result.output
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
        let settings = Settings { eps: EPSILON as f32, momentum: MOMENTUM as f32 };
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

fn mean(x: Tensor<4>) -> Tensor<2> {
    let [n, c, h, w] = x.dims();
    x.reshape([n, c, h * w]).mean_dim(2).reshape([n, c])
}

fn max_pool_options(pool: &Pool) -> MaxPoolOptions<2> {
    MaxPoolOptions::new(pool.kernel).with_stride(pool.stride).with_padding(pool.padding).with_ceil_mode(pool.ceil)
}

fn average_pool_options(pool: &Pool) -> AvgPoolOptions<2> {
    AvgPoolOptions::new(pool.kernel).with_stride(pool.stride).with_padding(pool.padding).with_ceil_mode(pool.ceil)
}

impl Value {
    fn map(self) -> Tensor<4> {
        match self {
            Self::Map(x) => x,
            Self::Vector(_) => unreachable!("Graph::shapes accepts no vector here"),
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
