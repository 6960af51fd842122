//! Layers with weights, norms and activations.

use std::rc::Rc;

use super::super::array::Array;
use super::super::fold::{Window, convolution_weight};
use super::super::layout::{Atom, Axis, list, size};
use super::super::sizes::{Arithmetic, known};
use super::super::{Node, Refusal, axes, axis, damaged, unsupported};
use super::arrange::Form;
use super::views::plain_convolution;
use super::{Emit, Flow, Padded};
use crate::graph::op::{BatchNorm, Clip, Elu, Gelu, GroupNorm, HardSigmoid, InstanceNorm, LayerNorm, Linear, PRelu};
use crate::graph::{Convolution, EPS, Op, Padding, Shape, transposed};
use crate::step::GeluForm;

impl Emit {
    pub(super) fn convolution(&mut self, node: &Node) -> Result<Flow, Refusal> {
        let weight = self.floats_at(node, 1)?;
        let Some(([outputs, per_group], [height, width], own_groups)) = convolution_weight(&weight.shape) else {
            return unsupported(format!("with weights of shape {:?}", weight.shape));
        };
        let wrong = || Refusal::Damaged("has groups that do not fit".into());
        let groups = match own_groups {
            Some(groups) => groups,
            None => usize::try_from(node.integer("group", 1)).map_err(|_| wrong())?,
        };
        let inputs = groups.checked_mul(per_group).ok_or_else(wrong)?;
        let x = self.flow_at(node, 0)?;
        let sizes = x.layout.sizes();
        let &[_, _, rows, columns] = &sizes[..] else {
            return unsupported(format!("its input of {} is no map of channels", x.shown()));
        };
        let kernel = [height, width];
        let window = Window::of(node, kernel, [rows, columns].map(|size| known(size as usize)), false)?;
        let [top, left, bottom, right] = window.padding;
        self.budget.spend(weight.values.len())?;
        let values = vec![weight.values.to_vec()];
        let is_pixel = (groups, kernel, window.padding) == (1, [1, 1], [0; 4]);
        let flow = if x.at.shape.places() == 1 && matches!(x.at.shape, Shape::Vector(_)) && is_pixel {
            // A convolution of one pixel is fully connected.
            let at = self.vector(&x)?;
            let at = self.push(
                Linear { name: String::new(), inputs, outputs, bias: false },
                &[at],
                values,
                Some(&weight.name),
            )?;
            let layout = self.as_it_lies(at).layout.reshape(&[self.batch, outputs as u64, 1, 1]);
            Flow { at, layout: layout.unwrap_or(x.layout), alone: true }
        } else {
            let x = self.map(&x)?;
            let mut padding = Padding { top, left, bottom, right };
            let mut at = x.at;
            if let Some(Padded { from, padding: around, lowest: None }) = self.padded.get(&at.id()) {
                at = *from;
                padding = Padding {
                    top: top + around.top,
                    left: left + around.left,
                    bottom: bottom + around.bottom,
                    right: right + around.right,
                };
            }
            let convolution = Convolution {
                kernel,
                stride: window.stride,
                padding,
                dilation: window.dilation,
                ..plain_convolution(inputs, outputs, groups)
            };
            let at = self.push(convolution, &[at], values, Some(&weight.name))?;
            self.as_it_lies(at)
        };
        if !node.has(2) {
            return Ok(flow);
        }
        let bias = self.channels_at(node, 2, outputs)?;
        self.affine(flow, &vec![1.0; outputs], &bias)
    }

    /// A matrix product with constants: fully connected along the last dimension.
    pub(super) fn product(&mut self, node: &Node) -> Result<Flow, Refusal> {
        let is_gemm = node.kind == "Gemm";
        if is_gemm && node.integer("transA", 0) != 0 {
            return unsupported("with transA, of other values than a vector");
        }
        if self.is_flow(node, 0) && self.is_flow(node, 1) {
            return unsupported("of two values that depend on the image, apart from attention");
        }
        let x = self.flow_at(node, 0)?;
        let weight = self.floats_at(node, 1)?;
        let [rows, columns] = weight.shape[..] else {
            return unsupported(format!("with weights of shape {:?}", weight.shape));
        };
        let is_ours = node.integer("transB", 0) != 0;
        self.budget.spend(weight.values.len())?;
        let (inputs, outputs, mut values) = match is_ours {
            true => (columns, rows, weight.values.to_vec()),
            false => (rows, columns, transposed(&weight.values, rows, columns)),
        };
        let factor = if is_gemm { node.float("alpha", 1.0) as f32 } else { 1.0 };
        if factor != 1.0 {
            values.iter_mut().for_each(|value| *value *= factor);
        }
        let flow = self.linear(&x, [outputs, inputs], values, &weight.name)?;
        if !node.has(2) {
            return Ok(flow);
        }
        let mut bias = self.floats_at(node, 2)?;
        let beta = if is_gemm { node.float("beta", 1.0) as f32 } else { 1.0 };
        bias.values = bias.values.iter().map(|value| value * beta).collect();
        self.with_constant(Arithmetic::Add, flow, &bias, false)
    }

    /// Fully connected along the last dimension; `values` are `[outputs, inputs]`.
    fn linear(
        &mut self,
        x: &Flow,
        [outputs, inputs]: [usize; 2],
        values: Vec<f32>,
        name: &Rc<str>,
    ) -> Result<Flow, Refusal> {
        let last = x.rank() - 1;
        if x.layout.sizes()[last] != inputs as u64 {
            return damaged(format!("cannot take {} for {inputs} values", x.shown()));
        }
        let connected = Linear { name: String::new(), inputs, outputs, bias: false };
        // Of a whole map: a convolution as large as it.
        if let Shape::Map([channels, height, width]) = x.at.shape
            && height * width > 1
            && x.rank() == 2
            && (x.layout.place, x.layout.channel) == (0, 0)
            && x.layout.dims[1]
                == [
                    Atom { axis: Axis::Channel, size: channels as u64, step: 1 },
                    Atom { axis: Axis::Place, size: (height * width) as u64, step: 1 },
                ]
        {
            let convolution = Convolution { kernel: [height, width], ..plain_convolution(channels, outputs, 1) };
            let at = self.push(convolution, &[x.at], vec![values], Some(name))?;
            let layout = self.as_it_lies(at).layout.reshape(&[self.batch, outputs as u64]);
            return Ok(Flow { at, layout: layout.unwrap_or(x.layout.clone()), alone: true });
        }
        let is_channels = x.layout.dims[last].iter().all(|atom| atom.axis == Axis::Channel)
            && x.channel_dims() == [last]
            && x.layout.is_whole(x.at.shape.places(), inputs);
        let channels = list(&x.layout.dims[last], x.layout.channel);
        let put = match is_channels {
            // In whatever order the places are.
            true => Flow { at: self.pick_channels(x.at, x.alone, &channels)?, ..x.clone() },
            false => {
                let form = self.form_of(x, &[last]);
                self.arrange(x, &[last], form)?
            }
        };
        let at = match put.at.shape {
            Shape::Map([_, 1, 1]) => self.formed(put.at, Form::Vector)?,
            _ => put.at,
        };
        let at = match at.shape {
            Shape::Map(_) => self.push(plain_convolution(inputs, outputs, 1), &[at], vec![values], Some(name))?,
            _ => self.push(connected, &[at], vec![values], Some(name))?,
        };
        let mut layout = put.layout;
        layout.channel = 0;
        layout.dims[last] = vec![Atom { axis: Axis::Channel, size: outputs as u64, step: 1 }];
        Ok(Flow { at, layout: layout.tidied(), alone: true })
    }

    pub(super) fn p_relu(&mut self, node: &Node) -> Result<Flow, Refusal> {
        let (x, mut slope) = (self.flow_at(node, 0)?, self.floats_at(node, 1)?);
        self.budget.spend(slope.values.len())?;
        let x = self.whole(x)?;
        let channels = x.at.shape.channels();
        // A list has one for each channel.
        if slope.shape == [channels] && x.channel_dims() == [1] {
            slope.shape.resize(x.rank() - 1, 1);
        }
        let Some(weight) = self.per_channel(&x, &slope)? else {
            return unsupported(format!("with slopes of shape {:?}", slope.shape));
        };
        self.each(x, PRelu { name: String::new(), channels }, vec![weight], Some(&slope.name))
    }

    pub(super) fn clip(&mut self, node: &Node) -> Result<Flow, Refusal> {
        let x = self.flow_at(node, 0)?;
        let limit = |port| match node.has(port) {
            true => self
                .number_at(node, port)
                .map(Some)
                .ok_or_else(|| Refusal::Unsupported("with limits that are no numbers".into())),
            false => Ok(None),
        };
        let (low, high) = (limit(1)?, limit(2)?);
        self.between(x, low, high)
    }

    /// `min(max(x, low), high)`
    pub(super) fn between(&mut self, x: Flow, low: Option<f64>, high: Option<f64>) -> Result<Flow, Refusal> {
        let high = high.filter(|high| *high < f64::from(f32::MAX));
        let low = low.filter(|low| *low > f64::from(f32::MIN));
        match (low, high) {
            (None, None) => Ok(x),
            (Some(0.0), None) => self.each(x, Op::Relu, vec![], None),
            // What is cut off twice: x − max(x − high, 0) turned round, which the files of version 1 have.
            (Some(0.0), Some(high)) => {
                let x = self.each(x, Op::Relu, vec![], None)?;
                let channels = x.at.shape.channels();
                let turned = vec![-1.0; channels];
                let limit = vec![high as f32; channels];
                let x = self.affine(x, &turned, &limit)?;
                let x = self.each(x, Op::Relu, vec![], None)?;
                self.affine(x, &turned, &limit)
            }
            (low, high) => {
                let [min, max] =
                    [low.unwrap_or(f64::from(f32::MIN)), high.unwrap_or(f64::from(f32::MAX))].map(|value| value as f32);
                self.each(x, Clip { min, max }, vec![], None)
            }
        }
    }

    pub(super) fn activation(&mut self, node: &Node) -> Result<Flow, Refusal> {
        let gelu = |form| Op::from(Gelu { form });
        let op: Op = match node.kind {
            "Relu" => Op::Relu,
            "Sigmoid" => Op::Sigmoid,
            "Tanh" => Op::Tanh,
            "Softplus" => Op::Softplus,
            "Exp" => Op::Exp,
            "Mish" => Op::Mish,
            "HardSwish" => Op::HardSwish,
            "Swish" if node.float("alpha", 1.0) == 1.0 => Op::Silu,
            "Swish" if (node.float("alpha", 1.0) - 1.702).abs() < 1e-4 => gelu(GeluForm::Quick),
            "Gelu" if node.text("approximate") == "tanh" => gelu(GeluForm::Tanh),
            "Gelu" => gelu(GeluForm::Exact),
            "TanhGelu" => gelu(GeluForm::Tanh),
            "QuickGelu" => gelu(GeluForm::Quick),
            "Elu" => Elu { alpha: node.float("alpha", 1.0) as f32 }.into(),
            "HardSigmoid" => {
                let (slope, offset) = (node.float("alpha", 0.2) as f32, node.float("beta", 0.5) as f32);
                HardSigmoid { slope, offset }.into()
            }
            "LeakyRelu" => {
                let x = self.flow_at(node, 0)?;
                let x = self.whole(x)?;
                let channels = x.at.shape.channels();
                let slopes = vec![node.float("alpha", 0.01) as f32; channels];
                return self.each(x, PRelu { name: String::new(), channels }, vec![slopes], None);
            }
            "Neg" => {
                let x = self.flow_at(node, 0)?;
                let x = self.whole(x)?;
                return self.times(x, -1.0);
            }
            _ => return unsupported("there is nothing like it here"),
        };
        let x = self.flow_at(node, 0)?;
        self.each(x, op, vec![], None)
    }

    pub(super) fn batch_norm(&mut self, node: &Node) -> Result<Flow, Refusal> {
        if node.integer("training_mode", 0) != 0 {
            return unsupported("in training; export the model after model.eval()");
        }
        let x = self.flow_at(node, 0)?;
        let x = self.on_channels(x, 1, false)?;
        let channels = x.at.shape.channels();
        let values = [1, 2, 3, 4].map(|port| self.channels_at(node, port, channels));
        let [weight, bias, mean, mut variance] = values;
        let eps = node.float("epsilon", 1e-5);
        if (eps - f64::from(EPS)).abs() > 1e-3 * f64::from(EPS) {
            // The same with another variance.
            let variance = variance.as_mut().map_err(|_| Refusal::Damaged("has no variance".into()))?;
            for value in variance.iter_mut() {
                *value = (f64::from(*value) + eps - f64::from(EPS)) as f32;
            }
            if variance.iter().any(|value| *value < 0.0) {
                return unsupported(format!("with eps {eps:e} and a variance that is less"));
            }
        }
        let values = vec![weight?, bias?, mean?, variance?];
        let name = self.floats_at(node, 1)?.name;
        let norm = BatchNorm { name: String::new(), channels, bias_frozen: false, eps: EPS };
        self.each(x, norm, values, Some(&name))
    }

    /// With all channels, in their order, in one dimension; with `may_part` a part of them stays as it is.
    fn on_channels(&mut self, x: Flow, dim: usize, may_part: bool) -> Result<Flow, Refusal> {
        let x = self.whole(x)?;
        if may_part && !x.layout.has(dim, Axis::Place) {
            return Ok(x);
        }
        if x.rank() <= dim {
            return unsupported(format!("of {}", x.shown()));
        }
        if x.at.shape.channels() as u64 == size(&x.layout.along([dim], Axis::Channel))
            && size(&x.layout.dims[dim]) == x.at.shape.channels() as u64
            && list(&x.layout.dims[dim], x.layout.channel).into_iter().eq(0..x.at.shape.channels())
        {
            return Ok(x);
        }
        let form = self.form_of(&x, &[dim]);
        self.arrange(&x, &[dim], form)
    }

    /// Each image's runs of channels to mean 0 and variance 1, with a scale and a shift for each run or each channel.
    pub(super) fn group_norm(&mut self, node: &Node) -> Result<Flow, Refusal> {
        let x = self.flow_at(node, 0)?;
        let x = self.whole(x)?;
        let channels = x.at.shape.channels();
        let groups = match node.kind {
            "GroupNormalization" => usize::try_from(node.integer("num_groups", 0)).unwrap_or(0),
            _ => usize::try_from(x.layout.sizes().get(1).copied().unwrap_or(0)).unwrap_or(0),
        };
        let runs = || Refusal::Unsupported(format!("of {}, which are no runs of its {channels} channels", x.shown()));
        let each =
            channels.checked_div(groups).filter(|each| each * groups == channels && x.rank() > 2).ok_or_else(runs)?;
        let is_runs = match node.kind {
            "GroupNormalization" => x.channel_dims() == [1],
            _ => {
                x.layout.dims[1] == [Atom { axis: Axis::Channel, size: groups as u64, step: each as i64 }]
                    || groups == 1
            }
        };
        if !is_runs {
            return Err(runs());
        }
        self.budget.spend(2 * channels)?;
        let name = self.floats_at(node, 1)?.name;
        let values = [1, 2].map(|port| {
            let floats = self.floats_at(node, port)?;
            Ok::<_, Refusal>(match floats.values.len() {
                count if count == channels => floats.values.to_vec(),
                count if count == groups => {
                    floats.values.iter().flat_map(|&value| std::iter::repeat_n(value, each)).collect()
                }
                count => return damaged(format!("has {count} numbers for {groups} channels")),
            })
        });
        let [scale, shift] = values;
        let eps = epsilon(node.float("epsilon", 1e-5));
        self.level(x, groups, eps, vec![scale?, shift?], Some(&name))
    }

    fn level(
        &mut self,
        x: Flow,
        groups: usize,
        eps: f32,
        values: Vec<Vec<f32>>,
        label: Option<&Rc<str>>,
    ) -> Result<Flow, Refusal> {
        let (channels, name) = (x.at.shape.channels(), String::new());
        let op: Op = match x.at.shape {
            Shape::Map(_) if groups == channels => InstanceNorm { name, channels, eps }.into(),
            _ => GroupNorm { name, channels, groups, eps }.into(),
        };
        self.each(x, op, values, label)
    }

    /// Mean 0 and variance 1 over some dimensions: over the channels of each place, or over the places, or both.
    pub(super) fn layer_norm(&mut self, node: &Node) -> Result<Flow, Refusal> {
        let x = self.flow_at(node, 0)?;
        let x = self.whole(x)?;
        let rank = x.rank();
        let is_layer = node.kind == "LayerNormalization";
        let over = match node.integers("axes") {
            Some(list) => axes(list, rank)?,
            None if is_layer => (axis(node.integer("axis", -1), rank)?..rank).collect(),
            None => axes(&self.integers_at(node, 1)?, rank)?,
        };
        // Channels that are made of places are put together first.
        let x = if let &[dim] = &over[..]
            && x.layout.has(dim, Axis::Channel)
        {
            self.on_channels(x, dim, true)?
        } else {
            x
        };
        let eps = epsilon(node.float("epsilon", if is_layer { 1e-5 } else { 0.0 }));
        let channels = x.at.shape.channels();
        let [own_places, own_channels] =
            [Axis::Place, Axis::Channel].map(|axis| size(&x.layout.along(over.iter().copied(), axis)));
        let label = if is_layer { Some(self.floats_at(node, 1)?.name) } else { None };
        let plain = vec![vec![1.0; channels], vec![0.0; channels]];
        self.budget.spend(2 * channels)?;
        if over.iter().any(|&dim| x.layout.has(dim, Axis::Batch)) {
            return unsupported(format!("of {} over the axes {over:?}", x.shown()));
        }
        let mut flow = if own_places == 1 && own_channels == channels as u64 {
            let norm = LayerNorm { name: String::new(), channels, eps };
            self.each(x, norm, plain, label.as_ref())?
        } else {
            let groups = (channels as u64).checked_div(own_channels).unwrap_or(0) as usize;
            let rest = x.layout.along((0..rank).filter(|dim| !over.contains(dim)), Axis::Channel);
            let is_runs = rest.is_empty()
                || rest == [Atom { axis: Axis::Channel, size: groups as u64, step: own_channels as i64 }];
            if own_places != x.at.shape.places() as u64 || !is_runs || groups == 0 {
                return unsupported(format!("of {} over the axes {over:?}", x.shown()));
            }
            self.level(x, groups, eps, plain, label.as_ref())?
        };
        if is_layer {
            let scale = self.floats_at(node, 1)?;
            // Nothing else reads it yet.
            flow.alone = true;
            flow = self.with_constant(Arithmetic::Multiply, flow, &scale, false)?;
            if node.has(2) {
                let shift: Array<f32> = self.floats_at(node, 2)?;
                flow = self.with_constant(Arithmetic::Add, flow, &shift, false)?;
            }
        }
        Ok(flow)
    }
}

/// The usual one, where it differs by rounding alone.
fn epsilon(eps: f64) -> f32 {
    if (eps - f64::from(EPS)).abs() <= 1e-3 * f64::from(EPS) { EPS } else { eps as f32 }
}
