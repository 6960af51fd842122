//! A network under construction from a file that spells it out operator by operator.
//!
//! What such a file computes around its layers goes into them: an addition per channel becomes the layer's bias, a
//! multiplication scales its weights, and both of the image become the normalisation that [`InputConfig`] describes, once it is
//! settled which images the file's network takes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use super::images::{Hints, Images, Range};
use super::input::{InputOptions, PixelRange, order_name};
use super::pixels::{self, Evidence, Layer};
use super::{Tensor, WeightsError};
use crate::graph::op::{Affine, Input, Linear};
use crate::graph::{Convolution, Graph, Node, NodeId, Op, Padding, Role, Shape};
use crate::kernels::frozen::preprocess::Filter;
use crate::model::{ChannelOrder, InputConfig};
use crate::step::Fit;

/// A value of the network: the node that gives it, and its shape without the batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Value {
    id: NodeId,
    pub shape: Shape,
}

impl Value {
    pub fn id(self) -> NodeId {
        self.id
    }
}

/// A node of one value, with its numbers.
struct Step {
    op: Op,
    inputs: Vec<NodeId>,
    /// The values of its parameters, in the order of [`Node::parameters`]: weight, then bias.
    values: Vec<Vec<f32>>,
    /// What the file calls the layer, if that is a name that people gave.
    label: Option<String>,
}

/// A network that was read, without what it is for.
pub(super) struct Imported {
    pub input: InputConfig,
    pub network: Graph,
    pub tensors: BTreeMap<String, Tensor>,
}

/// Takes operators in execution order.
pub(super) struct Importer {
    steps: Vec<Step>,
    /// What each step gives.
    shapes: Vec<Shape>,
    height: usize,
    width: usize,
    /// `value · scale + shift` for each channel of the image; the value is the file's, and 0…255 once it is settled.
    scale: [f64; 3],
    shift: [f64; 3],
    /// Whether the file turns the colours of its image round first, which are turned already here.
    turned: bool,
    order: ChannelOrder,
    filter: Filter,
    fit: Fit,
}

impl Importer {
    /// Begins with the image, `[3, height, width]`, in the numbers and the order that the file expects; [`Self::settle`] finds
    /// out which these are.
    pub fn new(height: usize, width: usize) -> (Self, Value) {
        let image = Step { op: Input { channels: 3 }.into(), inputs: Vec::new(), values: Vec::new(), label: None };
        let shape = Shape::Map([3, height, width]);
        let (steps, shapes) = (vec![image], vec![shape]);
        let (scale, shift, order) = ([1.0; 3], [0.0; 3], ChannelOrder::Rgb);
        let (filter, fit) = (Filter::default(), Fit::default());
        let importer = Self { steps, shapes, height, width, scale, shift, turned: false, order, filter, fit };
        (importer, Value { id: 0, shape })
    }

    /// Appends a node; `values` are those of its parameters, `label` names it. `None` when it does not take these inputs
    /// or has other parameters.
    pub fn push(&mut self, op: Op, inputs: &[Value], values: Vec<Vec<f32>>, label: Option<String>) -> Option<Value> {
        let shapes: Vec<Shape> = inputs.iter().map(|value| value.shape).collect();
        let shape = op.operator().shape(&shapes, [self.height, self.width])?;
        let step = Step { op, inputs: inputs.iter().map(|value| value.id).collect(), values, label };
        let parameters = step.node().parameters();
        let fits = |(values, shape): (&Vec<f32>, &Vec<usize>)| {
            shape.iter().try_fold(1_usize, |count, &size| count.checked_mul(size)) == Some(values.len())
        };
        let shapes = parameters.iter().map(|parameter| &parameter.shape);
        if parameters.len() != step.values.len() || !step.values.iter().zip(shapes).all(fits) {
            return None;
        }
        self.steps.push(step);
        self.shapes.push(shape);
        Some(Value { id: self.steps.len() - 1, shape })
    }

    /// `x · scale + shift` for each channel. With `alone` nothing else reads `x`, so that the layer that gives it may change.
    pub fn affine(&mut self, x: Value, alone: bool, scale: &[f32], shift: &[f32]) -> Option<Value> {
        let step = self.steps.get_mut(x.id)?;
        if alone && step.fold(scale, shift) {
            return Some(x);
        }
        if alone && x.id == 0 && scale.iter().all(|scale| *scale > 0.0) {
            for channel in 0..3 {
                let scale = f64::from(*scale.get(channel)?);
                self.scale[channel] *= scale;
                self.shift[channel] = self.shift[channel] * scale + f64::from(*shift.get(channel)?);
            }
            return Some(x);
        }
        let op = Affine { name: String::new(), channels: x.shape.channels() };
        self.push(op.into(), &[x], vec![scale.to_vec(), shift.to_vec()], None)
    }

    /// The image with its colours in the opposite order; `false` for another value than the image, or one that is also
    /// read as it was.
    pub fn reverse_colours(&mut self, x: Value, alone: bool) -> bool {
        if x.id != 0 || !alone {
            return false;
        }
        self.scale.reverse();
        self.shift.reverse();
        self.turned = !self.turned;
        true
    }

    /// How many numbers the layer has that makes a value.
    pub fn size(&self, x: Value) -> usize {
        self.steps.get(x.id).map_or(0, |step| step.values.iter().map(Vec::len).sum())
    }

    /// What a value of one pixel is the mean of, where it is made by pooling with a window as large as the map.
    pub fn averaged(&self, x: Value) -> Option<Value> {
        let Step { op: Op::AveragePool(pool), inputs, .. } = self.steps.get(x.id)? else { return None };
        let id = *inputs.first()?;
        let shape = *self.shapes.get(id)?;
        matches!(shape, Shape::Map([_, height, width]) if pool.0.kernel == [height, width] && pool.0.padding == Padding::NONE)
            .then_some(Value { id, shape })
    }

    /// What a value is made by, and the first value that this reads.
    pub fn made(&self, x: Value) -> (&Op, Option<Value>) {
        let step = &self.steps[x.id];
        let first = step.inputs.first().map(|&id| Value { id, shape: self.shapes[id] });
        (&step.op, first)
    }

    /// All values that the step reads which makes a value.
    pub fn inputs(&self, x: Value) -> Vec<Value> {
        self.steps[x.id].inputs.iter().map(|&id| Value { id, shape: self.shapes[id] }).collect()
    }

    /// Whether the outputs depend on a node's value.
    pub fn is_read(&self, id: NodeId, outputs: &[(Rc<str>, Value)]) -> bool {
        needed(&self.steps, outputs.iter().map(|(_, value)| *value))[id]
    }

    /// Height and width of the image.
    pub fn image(&self) -> [usize; 2] {
        [self.height, self.width]
    }

    /// The same as a convolution that gives only `count` of its channels from one on; `None` where it cannot be taken apart.
    pub fn rows(&mut self, x: Value, start: usize, count: usize) -> Option<Value> {
        let Step { op: Op::Convolution(convolution), values, .. } = self.steps.get(x.id)? else { return None };
        let row = values.first()?.len().checked_div(convolution.outputs)?;
        let weight = values.first()?.get(start * row..(start + count) * row)?.to_vec();
        let bias = values.get(1).map(|bias| bias.get(start..start + count).map(<[f32]>::to_vec));
        let values = [Some(Some(weight)), bias].into_iter().flatten().collect::<Option<Vec<_>>>()?;
        let part = Convolution { outputs: count, ..convolution.clone() };
        if part.groups != 1 {
            return None;
        }
        let inputs = self.inputs(x);
        self.push(part.into(), &inputs, values, None)
    }

    /// Decides which images the file's network is given: what the user says wins, then what the file states of its input,
    /// then what its own steps tell, then what stands beside the network; RGB at ImageNet's mean and deviation is the rest.
    ///
    /// # Errors
    /// When the steps do something to the image that suits no usual one, and nothing else tells it.
    pub fn settle(&mut self, outputs: &[Value], hints: &Hints, said: &InputOptions) -> Result<Images, WeightsError> {
        let is_untouched = (self.scale, self.shift) == ([1.0; 3], [0.0; 3]);
        // What `to_onnx` writes: images of 0…1, or of 0…255 where small numbers would not tell these.
        let small = |channel: usize| self.scale[channel] >= 1.0 && -self.shift[channel] <= self.scale[channel];
        let ours = hints.ours.then(|| match (0..3).all(small) {
            _ if is_untouched => Range::Normalised,
            true => Range::Unit,
            false => Range::Bytes,
        });
        let stated = hints.stated.or(ours);
        let is_needed = needed(&self.steps, outputs.iter().copied());
        let last = outputs.iter().map(|output| output.id).max().unwrap_or(0);
        let layers = self.steps.iter().zip(is_needed).take(last + 1);
        let layers = layers.map(|(step, needed)| needed.then(|| step.layer())).collect::<Vec<_>>();
        let own = match pixels::evidence(self.scale, self.shift, &layers) {
            Ok(own) => own,
            Err(_) if said.range.is_some() || stated.is_some() => Evidence::default(),
            Err(unclear) => return Err(WeightsError::Pixels(unclear.to_string())),
        };
        let in_file = |order: ChannelOrder| if self.turned { order.opposite() } else { order };
        // Nobody turns the colours round but to have red first.
        let own_order = own.order.map(in_file).or(self.turned.then_some(ChannelOrder::Bgr));
        let own_order = if hints.ours { Some(ChannelOrder::Rgb) } else { own_order };
        let (known_range, known_order) = (stated.or(own.range).or(hints.range), own_order.or(hints.order));
        let range = said.range.map(Range::from).or(known_range).unwrap_or(Range::Normalised);
        let order = said.order.or(known_order).unwrap_or_default();
        let differs =
            known_range.is_some_and(|known| known != range) || known_order.is_some_and(|known| known != order);
        let contradicts = differs.then(|| {
            let (range, order) = (known_range.unwrap_or(range), known_order.unwrap_or(order));
            format!("{} {range}", order_name(order))
        });
        self.feed(range, in_file(order));
        self.filter = said.filter.or(hints.filter).unwrap_or_default();
        self.fit = said.fit.or(hints.fit).unwrap_or_default();
        Ok(Images {
            range,
            order,
            range_known: known_range.is_some(),
            order_known: known_order.is_some(),
            range_said: said.range.is_some(),
            order_said: said.order.is_some(),
            contradicts,
        })
    }

    /// Puts what makes such images of pixels of 0…255 before the file's own scale and shift. `order` is the graph's.
    fn feed(&mut self, range: Range, order: ChannelOrder) {
        let (scale, shift): ([f64; 3], [f64; 3]) = match range {
            Range::Bytes => ([1.0; 3], [0.0; 3]),
            Range::Unit => ([1.0 / 255.0; 3], [0.0; 3]),
            Range::Symmetric => ([1.0 / 127.5; 3], [-1.0; 3]),
            Range::Normalised => {
                let both = PixelRange::ImageNet.mean_and_std(order);
                let [mean, std] = both.map(|values| values.map(f64::from));
                (std.map(|std| 1.0 / (255.0 * std)), std::array::from_fn(|channel| -mean[channel] / std[channel]))
            }
            Range::Scaled(mut mean, mut std) => {
                if self.turned {
                    mean.reverse();
                    std.reverse();
                }
                let (mean, std) = (mean.map(f64::from), std.map(f64::from));
                (std.map(f64::recip), std::array::from_fn(|channel| -mean[channel] / std[channel]))
            }
        };
        for channel in 0..3 {
            self.shift[channel] += self.scale[channel] * shift[channel];
            self.scale[channel] *= scale[channel];
        }
        self.order = order;
    }

    /// The network that gives these outputs. What they do not need is left out.
    pub fn finish(self, outputs: &[(Rc<str>, Value)]) -> Imported {
        let input = InputConfig {
            height: self.height,
            width: self.width,
            mean: std::array::from_fn(|channel| (-self.shift[channel] / (255.0 * self.scale[channel])) as f32),
            std: std::array::from_fn(|channel| (1.0 / (255.0 * self.scale[channel])) as f32),
            order: self.order,
            filter: self.filter,
            fit: self.fit,
        };
        let values = outputs.iter().map(|(_, value)| *value);
        let (mut steps, places) = kept(self.steps, values.clone());
        name_layers(&mut steps);
        let mut tensors = BTreeMap::new();
        let mut nodes: Vec<Node> = Vec::with_capacity(steps.len());
        for step in steps {
            let node = step.node();
            for (parameter, values) in node.parameters().into_iter().zip(step.values) {
                tensors.insert(parameter.name, Tensor { shape: parameter.shape, values });
            }
            match (nodes.last_mut(), &node) {
                // Runs of channels that follow each other are the values of one node.
                (Some(Node { op: Op::Split(before), inputs, .. }), Node { op: Op::Split(run), inputs: own, .. })
                    if inputs == own && before.start + before.length() == run.start =>
                {
                    before.lengths.extend(&run.lengths);
                }
                _ => nodes.push(node),
            }
        }
        let outputs = outputs.iter().map(|(name, value)| (name.to_string(), places[value.id])).collect();
        Imported { input, network: Graph { nodes, outputs }, tensors }
    }
}

impl Step {
    fn node(&self) -> Node {
        Node { op: self.op.clone(), inputs: self.inputs.clone(), role: Role::Backbone }
    }

    fn layer(&self) -> Layer<'_> {
        Layer { op: &self.op, inputs: &self.inputs, values: &self.values }
    }

    /// Takes a scale and a shift of its outputs into its own parameters; `false` when it has none that could.
    fn fold(&mut self, scale: &[f32], shift: &[f32]) -> bool {
        match &mut self.op {
            Op::Convolution(Convolution { bias, .. }) | Op::Linear(Linear { bias, .. }) => {
                if !*bias && shift.iter().any(|shift| *shift != 0.0) {
                    *bias = true;
                    self.values.push(vec![0.0; shift.len()]);
                }
            }
            Op::InstanceNorm(_) | Op::GroupNorm(_) | Op::LayerNorm(_) | Op::Affine(_) => {}
            _ => return false,
        }
        if let Some(weight) = self.values.first_mut() {
            let row = (weight.len() / scale.len()).max(1);
            for (row, scale) in weight.chunks_exact_mut(row).zip(scale) {
                row.iter_mut().for_each(|weight| *weight *= scale);
            }
        }
        if let Some(bias) = self.values.get_mut(1) {
            for ((bias, scale), shift) in bias.iter_mut().zip(scale).zip(shift) {
                *bias = *bias * scale + shift;
            }
        }
        true
    }
}

/// Which steps the outputs depend on.
fn needed(steps: &[Step], outputs: impl Iterator<Item = Value>) -> Vec<bool> {
    let mut is_needed = vec![false; steps.len()];
    is_needed[0] = true;
    outputs.for_each(|output| is_needed[output.id] = true);
    for id in (0..steps.len()).rev() {
        if is_needed[id] {
            steps[id].inputs.iter().for_each(|&input| is_needed[input] = true);
        }
    }
    is_needed
}

/// The steps that the outputs depend on, of which the last is one of them then; and where among these each step is.
fn kept(steps: Vec<Step>, outputs: impl Iterator<Item = Value>) -> (Vec<Step>, Vec<NodeId>) {
    let is_needed = needed(&steps, outputs);
    let mut places = vec![0; steps.len()];
    let mut kept = Vec::new();
    for (id, mut step) in steps.into_iter().enumerate().filter(|(id, _)| is_needed[*id]) {
        places[id] = kept.len();
        step.inputs.iter_mut().for_each(|input| *input = places[*input]);
        kept.push(step);
    }
    (kept, places)
}

/// Names the layers as the file does, or counts them by kind. Layers with equal numbers are one layer that several places
/// share, as OSNet's four streams share a gate: the file holds their numbers once.
fn name_layers(steps: &mut [Step]) {
    let mut taken = BTreeSet::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut known: HashMap<Vec<u32>, (Op, String)> = HashMap::new();
    for step in steps {
        let kind = match &step.op {
            Op::Convolution(_) => "convolution",
            Op::Linear(_) => "linear",
            Op::BatchNorm(_) | Op::InstanceNorm(_) | Op::GroupNorm(_) | Op::LayerNorm(_) => "norm",
            Op::GemPool(_) => "pool",
            Op::PRelu(_) => "prelu",
            Op::Attention(_) => "attention",
            Op::Place(_) => "place",
            Op::ClassToken(_) => "token",
            _ => "affine",
        };
        let Some(name) = step.op.name_mut() else { continue };
        let bits: Vec<u32> = step.values.iter().flatten().map(|value| value.to_bits()).collect();
        // One number over and over is what a layer starts with: no sign that it is shared.
        let weight = step.values.first().map_or(&[][..], Vec::as_slice);
        let is_telling = weight.iter().any(|value| *value != weight[0]);
        name.clear();
        if let Some((op, shared)) = known.get(&bits).filter(|_| is_telling)
            && *op == step.op
        {
            let shared = shared.clone();
            step.op.name_mut().into_iter().for_each(|name| *name = shared.clone());
            continue;
        }
        let unnamed = step.op.clone();
        let label = step.label.take().map(|label| format!("backbone.{label}")).filter(|label| !taken.contains(label));
        let name = label.unwrap_or_else(|| {
            let count = counts.entry(kind).or_default();
            loop {
                *count += 1;
                let name = format!("backbone.{kind}{count}");
                if !taken.contains(&name) {
                    break name;
                }
            }
        });
        taken.insert(name.clone());
        step.op.name_mut().into_iter().for_each(|own| own.clone_from(&name));
        known.insert(bits, (unnamed, name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linear(inputs: usize, outputs: usize) -> Op {
        Linear { name: String::new(), inputs, outputs, bias: false }.into()
    }

    /// An image's mean through two layers of the same numbers, beside each other, and a third.
    fn network() -> (Importer, Value) {
        let (mut importer, image) = Importer::new(32, 16);
        assert!(importer.reverse_colours(image, true));
        let image = importer.affine(image, true, &[1.0; 3], &[-100.0, -50.0, -25.0]).expect("an image");
        let image = importer.affine(image, true, &[0.5, 0.25, 0.125], &[0.0; 3]).expect("an image");
        let x = importer.push(Op::GlobalAveragePool, &[image], vec![], None).expect("a map");
        let weights = || vec![vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]];
        let a = importer.push(linear(3, 2), &[x], weights(), Some("fc".into())).expect("fits");
        let unused = importer.push(Op::Relu, &[a], vec![], None).expect("fits");
        importer.push(Op::Add, &[unused, a], vec![], None).expect("fits");
        let b = importer.push(linear(3, 2), &[x], weights(), Some("fc".into())).expect("fits");
        let c = importer.push(linear(3, 2), &[x], vec![vec![0.5; 6]], Some("fc".into())).expect("fits");
        let d = importer.push(linear(3, 2), &[x], vec![vec![0.5; 6]], None).expect("fits");
        let sum = [b, c, d].into_iter().fold(a, |a, b| importer.push(Op::Add, &[a, b], vec![], None).expect("fits"));
        (importer, sum)
    }

    #[test]
    fn layers_of_equal_numbers_are_one_and_what_nobody_reads_is_left_out() {
        let (importer, sum) = network();
        let Imported { input, network, tensors } = importer.finish(&[("feature".into(), sum)]);
        let names: Vec<&str> = tensors.keys().map(String::as_str).collect();
        assert_eq!(names, ["backbone.fc.weight", "backbone.linear1.weight", "backbone.linear2.weight"]);
        assert_eq!((network.nodes.len(), &network.outputs), (9, &BTreeMap::from([("feature".to_owned(), 8)])));
        assert_eq!(network.nodes[2], network.nodes[3]);
        assert_eq!(input.order, ChannelOrder::Rgb);
        assert_eq!(input.mean, [100.0 / 255.0, 50.0 / 255.0, 25.0 / 255.0]);
        assert_eq!(input.std, [2.0 / 255.0, 4.0 / 255.0, 8.0 / 255.0]);
    }

    #[test]
    fn several_outputs_are_found_again_by_their_names() {
        let (mut importer, sum) = network();
        // In the middle, and again at the end.
        let middle = Value { id: 1, shape: importer.shapes[1] };
        let unread = importer.push(Op::Relu, &[sum], vec![], None).expect("fits");
        let last = importer.push(Op::Sigmoid, &[unread], vec![], None).expect("fits");
        importer.push(Op::Relu, &[last], vec![], None).expect("fits");
        let Imported { network, .. } =
            importer.finish(&[("last".into(), last), ("middle".into(), middle), ("again".into(), last)]);
        assert_eq!(network.nodes.len(), 11);
        let op = |name: &str| &network.nodes[network.outputs[name]].op;
        assert_eq!([op("last"), op("middle"), op("again")], [&Op::Sigmoid, &Op::GlobalAveragePool, &Op::Sigmoid]);
    }

    #[test]
    fn scales_and_shifts_go_into_the_layer_before_unless_others_read_it() {
        let (mut importer, sum) = network();
        let fc = importer.push(linear(2, 2), &[sum], vec![vec![1.0, 2.0, 3.0, 4.0]], None).expect("fits");
        let scaled = importer.affine(fc, true, &[2.0, 10.0], &[0.0; 2]).expect("fits");
        let shifted = importer.affine(scaled, true, &[1.0; 2], &[7.0, 8.0]).expect("fits");
        let again = importer.affine(shifted, true, &[1.0, -1.0], &[0.0, 1.0]).expect("fits");
        let apart = importer.affine(again, false, &[3.0, 3.0], &[1.0, 2.0]).expect("fits");
        assert_eq!((fc.id, fc.id + 1), (again.id, apart.id));
        let tensors = importer.finish(&[("feature".into(), apart)]).tensors;
        assert_eq!(tensors["backbone.linear3.weight"].values, [2.0, 4.0, -30.0, -40.0]);
        assert_eq!(tensors["backbone.linear3.bias"].values, [7.0, -7.0]);
        assert_eq!(tensors["backbone.affine1.weight"].values, [3.0, 3.0]);
        assert_eq!(tensors["backbone.affine1.bias"].values, [1.0, 2.0]);
    }

    #[test]
    fn numbers_that_do_not_fit_the_layer_are_refused() {
        let (mut importer, image) = Importer::new(32, 16);
        assert!(importer.push(linear(3, 2), &[image], vec![vec![0.0; 6]], None).is_none());
        let x = importer.push(Op::GlobalAveragePool, &[image], vec![], None).expect("a map");
        assert!(importer.push(linear(3, 2), &[x], vec![vec![0.0; 5]], None).is_none());
        assert!(importer.push(linear(3, 2), &[x], vec![], None).is_none());
        let huge = Linear { name: String::new(), inputs: 3, outputs: usize::MAX, bias: false };
        assert!(importer.push(huge.into(), &[x], vec![vec![]], None).is_none());
        assert!(!importer.reverse_colours(x, true) && !importer.reverse_colours(image, false));
    }
}
