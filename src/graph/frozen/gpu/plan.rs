//! From the steps of a frozen network to launches of kernels: what each binds, which buffers they share, and which steps
//! become one.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::super::{Buffers, Frozen, Map, Step, ValueId};
use super::choices::{Choices, Lite};
use crate::kernels::frozen::{
    Stored, VEC, attention, channel_pool, concatenate, conv, depthwise, elementwise, gate, gate_scales, gather,
    gather_channels, global_pool,
    group_norm::{self, Norm},
    grouped, lite, lite_strip, nhwc_input, padded_pixels, pool, resize, tail, transpose,
};
use crate::kernels::{Dispatch, variant::Variant};
use crate::step::{Activation, Affine, Attention, Combine, Convolution, Gate, Operation, Part, ResizeFilter};

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
    /// The place of the step that it is for, of a Lite layer the second; the images' own is for none.
    pub step: Option<usize>,
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

struct Planner {
    /// The network's values.
    maps: Vec<Map>,
    stored: Vec<Stored>,
    plan: Plan,
    planned: Vec<Planned>,
    gpu: Target,
    /// The place of the step that is planned.
    step: Option<usize>,
}

/// What launches are planned for.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Activations, and the weights of what is mostly products, are f16.
    pub half: bool,
    /// Software imitates the GPU.
    pub software: bool,
    pub choices: Choices,
}

impl Plan {
    /// A network that is given away is let go step by step, so that its weights do not lie in memory twice.
    pub fn new(frozen: Cow<Frozen>, gpu: Target) -> Self {
        let stored: Vec<Stored> = frozen.values.iter().map(|&map| Stored::new(map, VEC)).collect();
        let plan = Self {
            launches: Vec::new(),
            weights: Vec::new(),
            buffers: Buffers { of: Vec::new(), sizes: Vec::new() },
            sizes: stored.iter().map(|stored| stored.size()).collect(),
            image: frozen.input().area() * frozen.input().channels,
            outputs: frozen.outputs.clone(),
        };
        let mut planner = Planner { maps: frozen.values.clone(), stored, plan, planned: Vec::new(), gpu, step: None };
        planner.input();
        let apart = gpu.choices.lite == Some(Lite::Apart);
        let layers = if apart { vec![None; frozen.steps.len()] } else { lite_layers(&frozen) };
        let mut firsts = BTreeMap::new();
        let mut add = |place: usize, step: Cow<Step>| {
            planner.step = Some(place);
            match layers[place] {
                Some(Layer::First) => {
                    firsts.insert(place, step.into_owned());
                }
                Some(Layer::Second(first)) => {
                    let first = firsts.remove(&first).unwrap_or_else(|| unreachable!("a step reads those before it"));
                    planner.lite(&first, &step);
                }
                None => planner.step(&step),
            }
        };
        match frozen {
            Cow::Borrowed(frozen) => {
                frozen.steps.iter().enumerate().for_each(|(place, step)| add(place, Cow::Borrowed(step)));
            }
            Cow::Owned(frozen) => {
                frozen.steps.into_iter().enumerate().for_each(|(place, step)| add(place, Cow::Owned(step)));
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
enum Layer {
    First,
    /// With the place of the first.
    Second(usize),
}

/// The steps that are Lite layers: a convolution that only a depthwise one reads.
fn lite_layers(frozen: &Frozen) -> Vec<Option<Layer>> {
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
            parts[first] = Some(Layer::First);
            parts[place] = Some(Layer::Second(first));
        }
    }
    parts
}

impl Planner {
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
        self.plan.launches.push(Launch { bindings: bindings.into(), size: Box::new(size), step: self.step });
    }

    fn input(&mut self) {
        let (map, channels) = (self.stored[0], self.maps[0].channels);
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
            Operation::GlobalPool { reduce, affine, activation } => {
                let [tail] = self.weights([tail(affine.as_ref(), activation, to.pitch)]);
                let (reduce, activation) = (*reduce, activation.clone());
                self.launch([x, tail, out], move |batch| {
                    (global_pool::KERNEL.into(), global_pool::dispatch(batch, reduce, &activation, from))
                });
            }
            &Operation::ChannelPool { maximum } => {
                let channels = self.maps[input].channels;
                self.launch([x, out], move |batch| {
                    (channel_pool::KERNEL.into(), channel_pool::dispatch(batch, maximum, channels, from))
                });
            }
            Operation::GroupNorm { groups, eps, affine, activation } => {
                self.norm(step, Norm::Groups(*groups), *eps, Some(affine), activation);
            }
            Operation::LayerNorm { eps, affine, activation } => {
                self.norm(step, Norm::Layer, *eps, Some(affine), activation);
            }
            Operation::UnitLength { eps } => self.norm(step, Norm::UnitLength, *eps, None, &Activation::None),
            Operation::Elementwise { combine, affine, activation } => {
                let second = Binding::Value(*step.inputs.get(1).unwrap_or(&input));
                self.elementwise(step, *combine, second, affine.as_ref(), activation);
            }
            Operation::Constant { combine, values } => {
                let values = padded_pixels(values, self.maps[input].channels, to.pitch);
                let constant = self.buffer(values, true);
                self.elementwise(step, *combine, constant, None, &Activation::None);
            }
            Operation::GatherChannels { channels } => {
                let list = self.list(channels);
                let count = channels.len();
                self.launch([x, list, out], move |batch| {
                    (gather_channels::KERNEL.into(), gather_channels::dispatch(batch, count, from, to))
                });
            }
            Operation::Gather { places } => self.gather(step, x, from.area(), places, 0),
            Operation::JoinPlaces { parts } => self.join(step, parts),
            Operation::Transpose => {
                self.launch([x, out], move |batch| (transpose::KERNEL.into(), transpose::dispatch(batch, from, to)))
            }
            Operation::Resize { filter: ResizeFilter::Nearest, rule } => {
                self.gather(step, x, from.area(), &resize::nearest(*rule, from, to), 0);
            }
            Operation::Resize { filter: ResizeFilter::Bilinear, rule } => {
                let table = self.list(&resize::table(*rule, from, to));
                self.launch([x, table, out], move |batch| (resize::KERNEL.into(), resize::dispatch(batch, from, to)));
            }
            Operation::Attention(attention) => self.attention(step, attention),
            &Operation::Slice { start } => self.copy(input, step.output, (start, 0), self.maps[step.output].channels),
            Operation::Concatenate => {
                let mut first = 0;
                for &input in &step.inputs {
                    let channels = self.maps[input].channels;
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
        let channels = self.maps[input].channels;
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
        let (software, chosen) = (self.gpu.software, self.gpu.choices.tile.filter(|tile| tile.fits(from.vecs())));
        self.launch(bindings, move |batch| {
            let taps = c.kernel[0] * c.kernel[1];
            let tile = chosen.unwrap_or_else(|| conv::tile(taps, from.vecs(), batch * to.area(), to.vecs(), software));
            let dispatch = conv::dispatch(batch, &c, residual.is_some(), from, to, tile);
            (tile.variant(conv::is_padded(&c), c.dilation), dispatch)
        });
    }

    fn norm(&mut self, step: &Step, norm: Norm, eps: f32, affine: Option<&Affine>, activation: &Activation) {
        let (map, channels) = (self.stored[step.output], self.maps[step.output].channels);
        let [tail] = self.weights([tail(affine, activation, map.pitch)]);
        let activation = activation.clone();
        self.launch([Binding::Value(step.inputs[0]), tail, Binding::Value(step.output)], move |batch| {
            (group_norm::KERNEL.into(), group_norm::dispatch(batch, norm, eps, channels, &activation, map))
        });
    }

    fn elementwise(
        &mut self,
        step: &Step,
        combine: Combine,
        second: Binding,
        affine: Option<&Affine>,
        activation: &Activation,
    ) {
        let map = self.stored[step.output];
        let [tail] = self.weights([tail(affine, activation, map.pitch)]);
        let activation = activation.clone();
        let constant = matches!(second, Binding::Weights(_));
        let bindings = [Binding::Value(step.inputs[0]), second, tail, Binding::Value(step.output)];
        self.launch(bindings, move |batch| {
            (elementwise::KERNEL.into(), elementwise::dispatch(batch, combine, constant, &activation, map))
        });
    }

    /// Whole numbers, whose bits the buffer has.
    fn list(&mut self, numbers: &[u32]) -> Binding {
        self.buffer(numbers.iter().map(|&number| f32::from_bits(number)).collect(), false)
    }

    /// Pixels of `x`, to the output from one on.
    fn gather(&mut self, step: &Step, x: Binding, from_area: usize, places: &[u32], first: usize) {
        let (to, count) = (self.stored[step.output], places.len());
        let list = self.list(places);
        self.launch([x, list, Binding::Value(step.output)], move |batch| {
            (gather::KERNEL.into(), gather::dispatch(batch, count, from_area, to, first))
        });
    }

    fn join(&mut self, step: &Step, parts: &[Part]) {
        let (channels, pitch) = (self.maps[step.output].channels, self.stored[step.output].pitch);
        let (mut inputs, mut first) = (step.inputs.iter(), 0);
        for part in parts {
            let (x, from_area, count) = match part {
                Part::Input => {
                    let Some(&id) = inputs.next() else { break };
                    (Binding::Value(id), self.stored[id].area(), self.stored[id].area())
                }
                Part::Constant(values) => {
                    let x = self.buffer(padded_pixels(values, channels, pitch), true);
                    (x, 0, values.len() / channels)
                }
            };
            self.gather(step, x, from_area, &Vec::from_iter(0..count as u32), first);
            first += count;
        }
    }

    fn attention(&mut self, step: &Step, a: &Attention) {
        let [q, k, v] = std::array::from_fn(|i| self.stored[step.inputs[i]]);
        let to = self.stored[step.output];
        let sizes = attention::Sizes::new(a, self.maps[step.output].channels, [q, k]);
        // Infinity is beyond what shaders need to know.
        let biases = a.bias.as_ref().map(|bias| bias.iter().map(|bias| bias.max(-1e30)).collect());
        let [biases] = self.weights([biases.unwrap_or_else(|| vec![0.0])]);
        let a = Attention { bias: None, ..a.clone() };
        let [q_, k_, v_] = std::array::from_fn(|i| Binding::Value(step.inputs[i]));
        self.launch([q_, k_, v_, biases, Binding::Value(step.output)], move |batch| {
            (sizes.variant(), attention::dispatch(batch, &a, sizes, [q, k, v, to]))
        });
    }

    /// A 1×1 convolution and the depthwise one that reads it.
    fn lite(&mut self, first: &Step, second: &Step) {
        let (Operation::Convolution(pointwise), Operation::Depthwise(c)) = (&first.operation, &second.operation) else {
            unreachable!("the steps of a Lite layer are convolutions")
        };
        let input = first.inputs[0];
        let (from, to) = (self.stored[input], self.stored[second.output]);
        let channels = self.maps[input].channels;
        let [weights, tail] = self.factors(lite::weights(pointwise, c, channels, from, to));
        let c = without_weights(c);
        let bindings = [Binding::Value(input), weights, tail, Binding::Value(second.output)];
        let (strips, pixels) = match self.gpu.choices.lite {
            Some(Lite::Strips) => (true, 0),
            Some(Lite::Tiles(pixels)) => (false, pixels),
            Some(Lite::Apart) | None => (self.gpu.software, lite::PLANNED_PIXELS),
        };
        if strips {
            let variant = lite_strip::variant(lite_strip::columns(to));
            self.launch(bindings, move |batch| (variant.clone(), lite_strip::dispatch(batch, &c, from, to)));
        } else {
            let tiling = lite::Tiling::new(to, pixels);
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
        let zeros = if end == self.maps[output].channels { to.pitch - end } else { 0 };
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
