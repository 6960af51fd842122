//! A network under construction from a file that spells it out operator by operator.
//!
//! What such a file computes around its layers goes into them: an addition per channel becomes the layer's bias, a
//! multiplication scales its weights, and both of the image become the normalisation that [`InputConfig`] describes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Tensor;
use crate::graph::{Convolution, Node, NodeId, Op, Role, Shape, shape_of};
use crate::model::{BackboneConfig, ChannelOrder, ImportedConfig, InputConfig, ReIdentifierConfig};

/// A value of the network: the node that gives it, and its shape without the batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Value {
    id: NodeId,
    pub shape: Shape,
}

/// A node with its numbers.
struct Step {
    op: Op,
    inputs: Vec<NodeId>,
    /// The values of its parameters, in the order of [`Node::parameters`]: weight, then bias.
    values: Vec<Vec<f32>>,
    /// What the file calls the layer, if that is a name that people gave.
    label: Option<String>,
}

/// The images that a file's network takes, as far as its operators tell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Images {
    /// They are normalised before it.
    Normalised,
    /// Of 0…1.
    Unit,
    /// Of 0…255.
    Bytes,
}

/// Takes operators in execution order.
pub(super) struct Importer {
    steps: Vec<Step>,
    /// What each step gives.
    shapes: Vec<Shape>,
    height: usize,
    width: usize,
    /// `value · scale + shift` for each channel of the image, the value being 0…255.
    scale: [f64; 3],
    shift: [f64; 3],
    order: ChannelOrder,
}

impl Importer {
    /// Begins with the image: `[3, height, width]` of 0…255, in the order that the file expects.
    pub fn new(height: usize, width: usize, order: ChannelOrder) -> (Self, Value) {
        let image = Step { op: Op::Input { channels: 3 }, inputs: Vec::new(), values: Vec::new(), label: None };
        let shape = Shape::Map([3, height, width]);
        let (steps, shapes) = (vec![image], vec![shape]);
        let importer = Self { steps, shapes, height, width, scale: [1.0; 3], shift: [0.0; 3], order };
        (importer, Value { id: 0, shape })
    }

    /// Appends a node; `values` are those of its parameters, `label` names it. `None` when it does not take these inputs
    /// or has other parameters.
    pub fn push(&mut self, op: Op, inputs: &[Value], values: Vec<Vec<f32>>, label: Option<String>) -> Option<Value> {
        let shapes: Vec<Shape> = inputs.iter().map(|value| value.shape).collect();
        let shape = shape_of(&op, &shapes, self.height, self.width)?;
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
        let op = Op::Affine { name: String::new(), channels: x.shape.channels() };
        self.push(op, &[x], vec![scale.to_vec(), shift.to_vec()], None)
    }

    /// The image with its colours in the opposite order; `false` for another value than the image, or one that is also
    /// read as it was.
    pub fn reverse_colours(&mut self, x: Value, alone: bool) -> bool {
        if x.id != 0 || !alone {
            return false;
        }
        self.scale.reverse();
        self.shift.reverse();
        self.order = match self.order {
            ChannelOrder::Rgb => ChannelOrder::Bgr,
            ChannelOrder::Bgr => ChannelOrder::Rgb,
        };
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
        matches!(shape, Shape::Map([_, height, width]) if pool.kernel == [height, width] && pool.padding == [0, 0])
            .then_some(Value { id, shape })
    }

    /// What a value is made by.
    pub fn op(&self, x: Value) -> &Op {
        &self.steps[x.id].op
    }

    /// For a file that does not say which images it takes. Without a scale and a shift of its own they are normalised as ours
    /// are by default; with them, their size tells.
    pub fn settle_images(&mut self) -> Images {
        if self.scale == [1.0; 3] && self.shift == [0.0; 3] {
            let default = InputConfig::default();
            let (mean, std) = (default.mean.map(f64::from), default.std.map(f64::from));
            self.scale = std.map(|std| 1.0 / (255.0 * std));
            self.shift = std::array::from_fn(|channel| -mean[channel] / std[channel]);
            return Images::Normalised;
        }
        let small = |channel: usize| self.scale[channel] >= 1.0 && -self.shift[channel] <= self.scale[channel];
        if !(0..3).all(small) {
            return Images::Bytes;
        }
        self.scale.iter_mut().for_each(|scale| *scale /= 255.0);
        Images::Unit
    }

    /// The model whose feature is `output`, without neck and head, and its tensors. What the output does not need is left out.
    pub fn finish(self, name: String, output: Value) -> (ReIdentifierConfig, BTreeMap<String, Tensor>) {
        let input = InputConfig {
            height: self.height,
            width: self.width,
            mean: std::array::from_fn(|channel| (-self.shift[channel] / (255.0 * self.scale[channel])) as f32),
            std: std::array::from_fn(|channel| (1.0 / (255.0 * self.scale[channel])) as f32),
            order: self.order,
        };
        let mut steps = needed(self.steps, output.id);
        name_layers(&mut steps);
        let mut tensors = BTreeMap::new();
        let mut nodes = Vec::with_capacity(steps.len());
        for step in steps {
            let node = step.node();
            for (parameter, values) in node.parameters().into_iter().zip(step.values) {
                tensors.insert(parameter.name, Tensor { shape: parameter.shape, values });
            }
            nodes.push(node);
        }
        let features = output.shape.channels();
        let backbone = BackboneConfig::Imported(ImportedConfig { name, nodes, features });
        let config = ReIdentifierConfig { neck: false, input, ..ReIdentifierConfig::new(backbone, 0) };
        (config, tensors)
    }
}

impl Step {
    fn node(&self) -> Node {
        Node { op: self.op.clone(), inputs: self.inputs.clone(), role: Role::Backbone }
    }

    /// Takes a scale and a shift of its outputs into its own parameters; `false` when it has none that could.
    fn fold(&mut self, scale: &[f32], shift: &[f32]) -> bool {
        match &mut self.op {
            Op::Convolution(Convolution { bias, .. }) | Op::Linear { bias, .. } => {
                if !*bias && shift.iter().any(|shift| *shift != 0.0) {
                    *bias = true;
                    self.values.push(vec![0.0; shift.len()]);
                }
            }
            Op::InstanceNorm { .. } | Op::GroupNorm { .. } | Op::Affine { .. } => {}
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

/// The steps that `output` depends on, which is the last of them then.
fn needed(steps: Vec<Step>, output: NodeId) -> Vec<Step> {
    let mut is_needed = vec![false; steps.len()];
    (is_needed[0], is_needed[output]) = (true, true);
    for id in (0..steps.len()).rev().filter(|&id| id <= output) {
        if is_needed[id] {
            steps[id].inputs.iter().for_each(|&input| is_needed[input] = true);
        }
    }
    let mut places = vec![0; steps.len()];
    let mut kept = Vec::new();
    for (id, mut step) in steps.into_iter().enumerate().filter(|(id, _)| is_needed[*id]) {
        places[id] = kept.len();
        step.inputs.iter_mut().for_each(|input| *input = places[*input]);
        kept.push(step);
    }
    kept
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
            Op::Linear { .. } => "linear",
            Op::BatchNorm { .. } | Op::InstanceNorm { .. } | Op::GroupNorm { .. } => "norm",
            Op::GemPool { .. } => "pool",
            Op::PRelu { .. } => "prelu",
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
        Op::Linear { name: String::new(), inputs, outputs, bias: false }
    }

    /// An image's mean through two layers of the same numbers, beside each other, and a third.
    fn network() -> (Importer, Value) {
        let (mut importer, image) = Importer::new(32, 16, ChannelOrder::Bgr);
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
        let (config, tensors) = importer.finish("net".into(), sum);
        let names: Vec<&str> = tensors.keys().map(String::as_str).collect();
        assert_eq!(names, ["backbone.fc.weight", "backbone.linear1.weight", "backbone.linear2.weight"]);
        let graph = config.graph().expect("a network");
        assert_eq!(graph.nodes.len(), 9);
        assert_eq!(graph.nodes[2], graph.nodes[3]);
        assert_eq!((config.input.order, config.features_dim()), (ChannelOrder::Rgb, 2));
        assert_eq!(config.input.mean, [100.0 / 255.0, 50.0 / 255.0, 25.0 / 255.0]);
        assert_eq!(config.input.std, [2.0 / 255.0, 4.0 / 255.0, 8.0 / 255.0]);
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
        let (_, tensors) = importer.finish("net".into(), apart);
        assert_eq!(tensors["backbone.linear3.weight"].values, [2.0, 4.0, -30.0, -40.0]);
        assert_eq!(tensors["backbone.linear3.bias"].values, [7.0, -7.0]);
        assert_eq!(tensors["backbone.affine1.weight"].values, [3.0, 3.0]);
        assert_eq!(tensors["backbone.affine1.bias"].values, [1.0, 2.0]);
    }

    #[test]
    fn numbers_that_do_not_fit_the_layer_are_refused() {
        let (mut importer, image) = Importer::new(32, 16, ChannelOrder::Rgb);
        assert!(importer.push(linear(3, 2), &[image], vec![vec![0.0; 6]], None).is_none());
        let x = importer.push(Op::GlobalAveragePool, &[image], vec![], None).expect("a map");
        assert!(importer.push(linear(3, 2), &[x], vec![vec![0.0; 5]], None).is_none());
        assert!(importer.push(linear(3, 2), &[x], vec![], None).is_none());
        let huge = Op::Linear { name: String::new(), inputs: 3, outputs: usize::MAX, bias: false };
        assert!(importer.push(huge, &[x], vec![vec![]], None).is_none());
        assert!(!importer.reverse_colours(x, true) && !importer.reverse_colours(image, false));
    }
}
