//! From the steps of a frozen network to launches of kernels: what each binds, which buffers they share, and which steps
//! become one.

use std::collections::BTreeSet;

use super::super::{Buffers, Convolution, Frozen, Gate, Operation, Step, ValueId};
use crate::kernels::frozen::{
    Stored, VEC, concatenate, conv, depthwise, elementwise, gate, gate_scales, global_pool, group_norm, grouped, lite,
    lite_strip, nhwc_input, pool, tail,
};
use crate::kernels::{Dispatch, variant::Variant};

/// What a launch binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// The images as they are given, `[n, channels, h, w]`.
    Images,
    Value(ValueId),
    /// The index of [`Plan::weights`].
    Weights(usize),
}

/// The shader and the size of a launch for a batch.
type Size = Box<dyn Fn(usize) -> (Variant, Dispatch) + Send + Sync>;

/// One launch of a kernel.
pub struct Launch {
    pub bindings: Vec<Binding>,
    pub size: Size,
}

/// A buffer that is written when a network is loaded.
pub struct Weights {
    pub values: Vec<f32>,
    /// Whether they are stored as activations are, and not in f32 whatever those are.
    pub as_activations: bool,
}

/// The launches of a network.
pub struct Plan {
    pub launches: Vec<Launch>,
    pub weights: Vec<Weights>,
    /// For one image; larger batches take as many times that.
    pub buffers: Buffers,
    /// The values of an image as it is given, and of each of the network's values for one image.
    pub image: usize,
    pub sizes: Vec<usize>,
    pub outputs: Vec<ValueId>,
}

/// What is planned as one: what it reads and makes, for the sharing of buffers.
type Planned = (Vec<ValueId>, ValueId);

struct Planner<'a> {
    frozen: &'a Frozen,
    stored: Vec<Stored>,
    plan: Plan,
    planned: Vec<Planned>,
    gpu: Target,
}

/// What launches are planned for.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Activations, and the weights of what is mostly products, are f16.
    pub half: bool,
    /// Software imitates the GPU.
    pub software: bool,
}

impl Plan {
    pub fn new(frozen: &Frozen, gpu: Target) -> Self {
        let stored: Vec<Stored> = frozen.values.iter().map(|&map| Stored::new(map, VEC)).collect();
        let plan = Self {
            launches: Vec::new(),
            weights: Vec::new(),
            buffers: Buffers { of: Vec::new(), sizes: Vec::new() },
            sizes: stored.iter().map(|stored| stored.size()).collect(),
            image: frozen.input().area() * frozen.input().channels,
            outputs: frozen.outputs.clone(),
        };
        let mut planner = Planner { frozen, stored, plan, planned: Vec::new(), gpu };
        planner.input();
        let layers = lite_layers(frozen);
        for (place, step) in frozen.steps.iter().enumerate() {
            match layers[place] {
                Some(Part::First) => {}
                Some(Part::Second(first)) => planner.lite(&frozen.steps[first], step),
                None => planner.step(step),
            }
        }
        let Planner { mut plan, planned, .. } = planner;
        let steps: Vec<_> = planned.iter().map(|(inputs, output)| (&inputs[..], *output)).collect();
        plan.buffers = Buffers::of_steps(&steps, &plan.sizes, &plan.outputs);
        plan
    }

    /// What pipelines a batch needs.
    pub fn variants(&self, batch: usize) -> BTreeSet<Variant> {
        self.launches.iter().map(|launch| (launch.size)(batch).0).collect()
    }
}

/// The part of a step in a Lite layer.
#[derive(Clone, Copy)]
enum Part {
    First,
    /// With the place of the first.
    Second(usize),
}

/// The steps that are Lite layers: a convolution that only a depthwise one reads.
fn lite_layers(frozen: &Frozen) -> Vec<Option<Part>> {
    let mut readers = vec![0; frozen.values.len()];
    let mut maker = vec![None; frozen.values.len()];
    frozen.outputs.iter().for_each(|&output| readers[output] += 1);
    for (place, step) in frozen.steps.iter().enumerate() {
        step.inputs.iter().for_each(|&input| readers[input] += 1);
        maker[step.output] = Some(place);
    }
    let mut parts = vec![None; frozen.steps.len()];
    for (place, step) in frozen.steps.iter().enumerate() {
        let Operation::Depthwise(second) = &step.operation else { continue };
        let Some(first) = maker[step.inputs[0]] else { continue };
        if let (Operation::Convolution(c), &[_], 1) =
            (&frozen.steps[first].operation, &frozen.steps[first].inputs[..], readers[step.inputs[0]])
            && lite::fits(c, second)
        {
            parts[first] = Some(Part::First);
            parts[place] = Some(Part::Second(first));
        }
    }
    parts
}

impl Planner<'_> {
    fn weights<const N: usize>(&mut self, weights: [Vec<f32>; N]) -> [Binding; N] {
        weights.map(|values| self.buffer(values, false))
    }

    /// Of the two buffers of a convolution the factors, which are many, are stored as activations are.
    fn factors(&mut self, [factors, tail]: [Vec<f32>; 2]) -> [Binding; 2] {
        [self.buffer(factors, true), self.buffer(tail, false)]
    }

    fn buffer(&mut self, values: Vec<f32>, as_activations: bool) -> Binding {
        self.plan.weights.push(Weights { values, as_activations });
        Binding::Weights(self.plan.weights.len() - 1)
    }

    /// Appends a launch; what it binds last it writes.
    fn launch(
        &mut self,
        bindings: impl Into<Vec<Binding>>,
        size: impl Fn(usize) -> (Variant, Dispatch) + Send + Sync + 'static,
    ) {
        let half = self.gpu.half;
        let size = move |batch| {
            let (variant, dispatch) = size(batch);
            (if half { variant.half() } else { variant }, dispatch)
        };
        self.plan.launches.push(Launch { bindings: bindings.into(), size: Box::new(size) });
    }

    fn input(&mut self) {
        let (map, channels) = (self.stored[0], self.frozen.values[0].channels);
        self.launch([Binding::Images, Binding::Value(0)], move |batch| {
            (nhwc_input::KERNEL.into(), nhwc_input::dispatch(batch, channels, map))
        });
    }

    fn step(&mut self, step: &Step) {
        let input = step.inputs[0];
        let (from, to) = (self.stored[input], self.stored[step.output]);
        let (x, out) = (Binding::Value(input), Binding::Value(step.output));
        match &step.operation {
            Operation::Convolution(c) => self.convolution(step, c),
            Operation::Depthwise(c) => {
                let [weights, tail] = self.weights(depthwise::weights(c, to.pitch));
                let c = without_weights(c);
                self.launch([x, weights, tail, out], move |batch| {
                    (depthwise::KERNEL.into(), depthwise::dispatch(batch, &c, from, to))
                });
            }
            Operation::Gate(gate) => return self.gate(step, gate),
            &Operation::Pool { maximum, window } => self
                .launch([x, out], move |batch| (pool::KERNEL.into(), pool::dispatch(batch, maximum, window, from, to))),
            Operation::GlobalPool { exponent, affine, activation } => {
                let [tail] = self.weights([tail(affine.as_ref(), activation, to.pitch)]);
                let (exponent, activation) = (*exponent, activation.clone());
                self.launch([x, tail, out], move |batch| {
                    (global_pool::KERNEL.into(), global_pool::dispatch(batch, exponent, &activation, from))
                });
            }
            Operation::GroupNorm { groups, affine, activation } => {
                let [tail] = self.weights([tail(Some(affine), activation, to.pitch)]);
                let (groups, channels, activation) = (*groups, affine.scale.len(), activation.clone());
                self.launch([x, tail, out], move |batch| {
                    (group_norm::KERNEL.into(), group_norm::dispatch(batch, groups, channels, &activation, from))
                });
            }
            Operation::Elementwise { combine, affine, activation } => {
                let [tail] = self.weights([tail(affine.as_ref(), activation, to.pitch)]);
                let (combine, activation) = (*combine, activation.clone());
                let second = Binding::Value(*step.inputs.get(1).unwrap_or(&input));
                self.launch([x, second, tail, out], move |batch| {
                    (elementwise::KERNEL.into(), elementwise::dispatch(batch, combine, &activation, to))
                });
            }
            &Operation::Slice { start } => {
                self.copy(input, step.output, (start, 0), self.frozen.values[step.output].channels)
            }
            Operation::Concatenate => {
                let mut first = 0;
                for &input in &step.inputs {
                    let channels = self.frozen.values[input].channels;
                    self.copy(input, step.output, (0, first), channels);
                    first += channels;
                }
            }
        }
        self.planned.push((step.inputs.clone(), step.output));
    }

    fn convolution(&mut self, step: &Step, c: &Convolution) {
        let input = step.inputs[0];
        let (from, to) = (self.stored[input], self.stored[step.output]);
        let residual = step.inputs.get(1).copied();
        let channels = self.frozen.values[input].channels;
        let is_grouped = c.groups > 1;
        let weights = if is_grouped { grouped::weights(c, channels, to) } else { conv::weights(c, channels, from, to) };
        let [weights, tail] = self.factors(weights);
        let c = without_weights(c);
        let second = Binding::Value(residual.unwrap_or(input));
        let bindings = [Binding::Value(input), weights, tail, second, Binding::Value(step.output)];
        if is_grouped {
            return self.launch(bindings, move |batch| {
                let dispatch = grouped::dispatch(batch, &c, channels, residual.is_some(), from, to);
                (grouped::KERNEL.into(), dispatch)
            });
        }
        let software = self.gpu.software;
        self.launch(bindings, move |batch| {
            let tile = conv::tile(batch * to.area(), to.vecs(), software);
            let dispatch = conv::dispatch(batch, &c, residual.is_some(), from, to, tile);
            (tile.variant(conv::is_padded(&c), c.dilation), dispatch)
        });
    }

    /// A 1×1 convolution and the depthwise one that reads it.
    fn lite(&mut self, first: &Step, second: &Step) {
        let (Operation::Convolution(pointwise), Operation::Depthwise(c)) = (&first.operation, &second.operation) else {
            unreachable!("the steps of a Lite layer are convolutions")
        };
        let input = first.inputs[0];
        let (from, to) = (self.stored[input], self.stored[second.output]);
        let channels = self.frozen.values[input].channels;
        let [weights, tail] = self.factors(lite::weights(pointwise, c, channels, from, to));
        let c = without_weights(c);
        let bindings = [Binding::Value(input), weights, tail, Binding::Value(second.output)];
        if self.gpu.software {
            let variant = lite_strip::variant(lite_strip::columns(to));
            self.launch(bindings, move |batch| (variant.clone(), lite_strip::dispatch(batch, &c, from, to)));
        } else {
            let tiling = lite::Tiling::new(to);
            self.launch(bindings, move |batch| {
                (lite::variant(tiling.pixels), lite::dispatch(batch, &c, from, to, tiling))
            });
        }
        self.planned.push((vec![input], second.output));
    }

    /// In two launches for every four streams.
    fn gate(&mut self, step: &Step, gate: &Gate) {
        let map = self.stored[step.output];
        let [weights] = self.weights([gate_scales::weights(gate, map.pitch)]);
        // The sizes of launches go by the biases alone.
        let gate = Gate { fc1: Vec::new(), fc2: Vec::new(), ..gate.clone() };
        let mut read = step.inputs.clone();
        let mut rounds = Vec::new();
        for streams in step.inputs.chunks(gate_scales::STREAMS) {
            let count = streams.len();
            self.plan.sizes.push(count * VEC * gate_scales::step(&gate, map));
            let scales = self.plan.sizes.len() - 1;
            let mut bindings: Vec<Binding> = streams.iter().map(|&id| Binding::Value(id)).collect();
            bindings.resize(gate_scales::STREAMS, bindings[0]);
            let gate = gate.clone();
            self.launch([&bindings[..], &[weights, Binding::Value(scales)]].concat(), move |batch| {
                (gate_scales::KERNEL.into(), gate_scales::dispatch(batch, count, &gate, map))
            });
            self.planned.push((streams.to_vec(), scales));
            bindings.extend([Binding::Value(scales), Binding::Value(step.output)]);
            rounds.push((bindings, count));
            read.push(scales);
        }
        for (round, (bindings, count)) in rounds.into_iter().enumerate() {
            let gate = gate.clone();
            self.launch(bindings, move |batch| {
                (gate::KERNEL.into(), gate::dispatch(batch, count, round > 0, &gate, map))
            });
        }
        self.planned.push((read, step.output));
    }

    /// Copies channels; the zeros of the padding go with the last of them.
    fn copy(&mut self, input: ValueId, output: ValueId, (from_first, to_first): (usize, usize), channels: usize) {
        let (from, to) = (self.stored[input], self.stored[output]);
        let end = to_first + channels;
        let zeros = if end == self.frozen.values[output].channels { to.pitch - end } else { 0 };
        self.launch([Binding::Value(input), Binding::Value(output)], move |batch| {
            let dispatch = concatenate::dispatch(batch, (channels, zeros), (from, from_first), (to, to_first));
            (concatenate::KERNEL.into(), dispatch)
        });
    }
}

/// What the size of a launch goes by.
fn without_weights(c: &Convolution) -> Convolution {
    Convolution { weight: Vec::new(), ..c.clone() }
}
