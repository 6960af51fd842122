//! The operators of a file that spells its network out, whatever the format: how they go together with what was read before.
//!
//! A file sees values in shapes of its own: a vector as a map of one pixel, a map as a list. As long as every image's values
//! stay in their order that is only another view of the same value here.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::Tensor;
use super::import::{Importer, Value};
use super::sizes::Size;
use crate::graph::budget::{self, AXES, Budget, TooMuch};
use crate::graph::op::{AveragePool, GroupNorm, InstanceNorm, Linear, MaxPool, PRelu, Split};
use crate::graph::{Convolution, EPS, Op, Padding, Pool, Shape};
use crate::model::ReIdentifierConfig;

/// The eps of every norm here.
pub(super) const EPSILON: f64 = 1e-5;

/// Why an operator is not taken; the reader of the format says which one it was.
#[derive(Debug)]
pub(super) enum Refusal {
    Unsupported(String),
    /// No network could be like this.
    Damaged(String),
    TooMuch(TooMuch),
}

impl From<TooMuch> for Refusal {
    fn from(error: TooMuch) -> Self {
        Self::TooMuch(error)
    }
}

pub(super) fn unsupported<T>(reason: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Unsupported(reason.into()))
}

/// A value that depends on the image.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    pub at: Value,
    /// The shape that the file gives it, without the batch: the same values in the same order as `at`'s.
    pub view: Vec<usize>,
    /// Nothing else reads it, nor what it was made of since its layer.
    pub alone: bool,
}

/// Constant numbers.
#[derive(Clone, Debug)]
pub(super) struct Floats {
    pub shape: Vec<usize>,
    pub values: Rc<[f32]>,
    pub name: Rc<str>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// The network so far.
pub(super) struct Operators {
    importer: Importer,
    /// The numbers of constants and layers.
    budget: Budget,
}

impl Operators {
    /// `file` is the length of the file that holds the numbers.
    pub fn new(importer: Importer, file: usize) -> Self {
        Self { importer, budget: Budget::numbers(file) }
    }

    pub fn importer(&mut self) -> &mut Importer {
        &mut self.importer
    }

    /// The model whose feature is `output`, and its tensors.
    pub fn finish(self, name: String, output: Value) -> (ReIdentifierConfig, BTreeMap<String, Tensor>) {
        self.importer.finish(name, output)
    }

    pub fn budget(&mut self) -> &mut Budget {
        &mut self.budget
    }

    pub fn spend(&mut self, numbers: usize) -> Result<(), Refusal> {
        Ok(self.budget.spend(numbers)?)
    }

    pub fn push(
        &mut self,
        op: impl Into<Op>,
        inputs: &[Value],
        values: Vec<Vec<f32>>,
        label: Option<&Floats>,
    ) -> Result<Value, Refusal> {
        let op = op.into();
        self.spend(values.iter().map(Vec::len).sum())?;
        let shapes: Vec<Shape> = inputs.iter().map(|input| input.shape).collect();
        let misfit = window_misfit(&op, &shapes);
        let pushed = self.importer.push(op, inputs, values, label.and_then(Floats::layer_name));
        let value =
            pushed.ok_or_else(|| misfit.unwrap_or_else(|| Refusal::Damaged(format!("cannot take {shapes:?}"))))?;
        if value.shape.channels() == 0 {
            return Err(Refusal::Damaged("gives no channels".into()));
        }
        // The whole network is held to more bounds in the end; until then each layer is asked for numbers for its channels.
        budget::map(String::new, value.shape)?;
        Ok(value)
    }

    /// An operator that changes each value for itself.
    pub fn each(
        &mut self,
        x: Flow,
        op: impl Into<Op>,
        values: Vec<Vec<f32>>,
        label: Option<&Floats>,
    ) -> Result<Flow, Refusal> {
        let at = self.push(op, &[x.at], values, label)?;
        Ok(Flow { at, alone: true, ..x })
    }

    /// As a vector `[channels]`, which a map of one pixel is as well.
    pub fn vector(&mut self, flow: &Flow) -> Result<Value, Refusal> {
        match flow.at.shape {
            Shape::Vector(_) if flow.is_channels() => Ok(flow.at),
            Shape::Map([_, 1, 1]) if flow.is_channels() => {
                let of = self.importer.averaged(flow.at).unwrap_or(flow.at);
                self.push(Op::GlobalAveragePool, &[of], vec![], None)
            }
            _ => unsupported(format!("its input of {:?} is no vector of channels", flow.view)),
        }
    }

    /// Joined along `axis`, which counts the batch.
    pub fn concatenate(&mut self, flows: &[Flow], axis: i64) -> Result<Flow, Refusal> {
        let first = flows.first().ok_or_else(|| Refusal::Damaged("has no input".into()))?;
        let rank = first.view.len() + 1;
        let is_channels = axis == 1 || axis.checked_add(rank as i64) == Some(1);
        if !is_channels || !flows.iter().all(|flow| flow.is_channels() && flow.view.len() + 1 == rank) {
            return unsupported(format!("along the axis {axis}; along the channels it is"));
        }
        let alike = flows.iter().all(|flow| matches!(flow.at.shape, Shape::Map(_)))
            || flows.iter().all(|flow| matches!(flow.at.shape, Shape::Vector(_)));
        let parts: Vec<Value> = if alike {
            flows.iter().map(|flow| flow.at).collect()
        } else {
            flows.iter().map(|flow| self.vector(flow)).collect::<Result<_, _>>()?
        };
        let at = self.push(Op::Concatenate, &parts, vec![], None)?;
        let mut view = first.view.clone();
        view[0] = at.shape.channels();
        Ok(Flow { at, view, alone: true })
    }

    /// The channels `start .. start + length`.
    pub fn split(&mut self, x: &Flow, start: usize, length: usize) -> Result<Flow, Refusal> {
        if !x.is_channels() {
            return unsupported(format!("of [batch, {:?}], which are no channels", x.view));
        }
        let at = self.push(Split { start, length }, &[x.at], vec![], None)?;
        let mut view = x.view.clone();
        view[0] = length;
        Ok(Flow { at, view, alone: true })
    }

    /// `convolution` without its name and bias.
    pub fn convolution(&mut self, x: &Flow, convolution: Convolution, weight: &Floats) -> Result<Flow, Refusal> {
        let values = vec![weight.values.to_vec()];
        let Convolution { inputs, outputs, kernel, padding, groups, .. } = convolution;
        if let Shape::Vector(_) = x.at.shape {
            // A convolution of one pixel is fully connected.
            if x.view.len() != 3 || (groups, kernel, padding) != (1, [1, 1], Padding::default()) {
                return unsupported("of a vector");
            }
            let x = self.vector(x)?;
            let op = Linear { name: String::new(), inputs, outputs, bias: false };
            let at = self.push(op, &[x], values, Some(weight))?;
            return Ok(Flow { at, view: vec![outputs, 1, 1], alone: true });
        }
        let x = x.map()?;
        let at = self.push(convolution, &[x], values, Some(weight))?;
        Ok(Flow::of(at))
    }

    /// Fully connected; `values` are `[outputs, inputs]`.
    pub fn linear(
        &mut self,
        x: &Flow,
        [outputs, inputs]: [usize; 2],
        values: Vec<f32>,
        weight: &Floats,
    ) -> Result<Flow, Refusal> {
        if x.view.len() != 1 {
            return unsupported("of other values than a vector");
        }
        let at = match x.at.shape {
            // Of a whole map: a convolution as large as it.
            Shape::Map([channels, height, width]) if x.view == [inputs] && height * width > 1 => {
                let op = Convolution {
                    name: String::new(),
                    inputs: channels,
                    outputs,
                    kernel: [height, width],
                    stride: [1, 1],
                    padding: Padding::default(),
                    groups: 1,
                    bias: false,
                    dilation: [1, 1],
                };
                self.push(op, &[x.at], vec![values], Some(weight))?
            }
            _ => {
                let x = self.vector(x)?;
                let op = Linear { name: String::new(), inputs, outputs, bias: false };
                self.push(op, &[x], vec![values], Some(weight))?
            }
        };
        Ok(Flow { at, view: vec![outputs], alone: true })
    }

    pub fn prelu(&mut self, x: Flow, slope: &Floats) -> Result<Flow, Refusal> {
        self.spend(slope.values.len())?;
        let channels = x.at.shape.channels();
        let Some(weight) = x.per_channel(slope) else {
            return unsupported(format!("with slopes of shape {:?}", slope.shape));
        };
        self.each(x, PRelu { name: String::new(), channels }, vec![weight], Some(slope))
    }

    /// Mean 0 and variance 1 over all but the first dimension of an image's values, over the pixels of each channel or over
    /// runs of channels where the values were reshaped to them; then each of the first dimension times its `scale` and
    /// with its `shift`, where there are some.
    pub fn level(
        &mut self,
        x: Flow,
        scale_and_shift: Option<[&[f32]; 2]>,
        label: Option<&Floats>,
    ) -> Result<Flow, Refusal> {
        let (channels, name) = (x.at.shape.channels(), String::new());
        let groups = x.view.first().copied().unwrap_or_default();
        let channels_of = channels.checked_div(groups).filter(|of| x.view.len() > 1 && of * groups == channels);
        let Some(channels_of) = channels_of else {
            return unsupported(format!("of [batch, {:?}], which are no runs of its {channels} channels", x.view));
        };
        let op: Op = match x.at.shape {
            Shape::Map(_) if groups == channels => InstanceNorm { name, channels, eps: EPS }.into(),
            _ => GroupNorm { name, channels, groups, eps: EPS }.into(),
        };
        self.spend(2 * channels)?;
        let each = |of: &[f32]| of.iter().flat_map(|&value| std::iter::repeat_n(value, channels_of)).collect();
        let values = match scale_and_shift {
            Some(numbers) => numbers.map(each).into(),
            None => vec![vec![1.0; channels], vec![0.0; channels]],
        };
        self.each(x, op, values, label)
    }

    /// Of a value whose numbers lie in a row those at `places`, in the shape `view`.
    pub fn picked(&mut self, x: Flow, places: &[i64], view: Vec<usize>) -> Result<Flow, Refusal> {
        let all = x.view.iter().product::<usize>();
        let Some(&first) = places.first() else { return Err(Refusal::Damaged("takes nothing".into())) };
        let is_run = (first..).zip(places).all(|(expected, place)| expected == *place);
        let start =
            usize::try_from(first).ok().filter(|&start| is_run && places.len() <= all && start <= all - places.len());
        let Some(start) = start else {
            return unsupported("of the values in another order");
        };
        if places.len() == all {
            return Ok(Flow { view, ..x });
        }
        let whole = Flow::of(x.at);
        let pixels = all / whole.view[0].max(1);
        if pixels == 0 || [start, places.len()].iter().any(|count| !count.is_multiple_of(pixels)) {
            return unsupported("of a part of some channels");
        }
        let part = self.split(&whole, start / pixels, places.len() / pixels)?;
        Ok(Flow { view, ..part })
    }

    pub fn pool(&mut self, x: &Flow, op: impl Fn(Pool) -> Op, pool: Pool) -> Result<Flow, Refusal> {
        let x = x.map()?;
        let at = self.push(op(pool), &[x], vec![], None)?;
        Ok(Flow::of(at))
    }

    /// From a map to a vector by `op`, [`Op::GlobalAveragePool`] or [`Op::GemPool`]. With `keep` the file sees it as a map of
    /// one pixel.
    pub fn pool_all(&mut self, x: &Flow, op: Op, values: Vec<Vec<f32>>, keep: bool) -> Result<Flow, Refusal> {
        let at = self.push(op, &[x.at], values, None)?;
        let mut view = vec![1; if keep { x.view.len() } else { 1 }];
        view[0] = at.shape.channels();
        Ok(Flow { at, view, alone: true })
    }

    /// Two values that depend on the image.
    pub fn of_two(&mut self, how: Arithmetic, a: Flow, b: Flow) -> Result<Flow, Refusal> {
        // A gate scales the channels of a map, whichever of the two comes first.
        let is_gate = |gate: &Flow, x: &Flow| {
            matches!(x.at.shape, Shape::Map(_))
                && x.is_channels()
                && gate.is_channels()
                && gate.view == [x.at.shape.channels(), 1, 1]
        };
        let op = match how {
            Arithmetic::Add => Op::Add,
            Arithmetic::Multiply => Op::Multiply,
            _ => return unsupported("of two values that depend on the image"),
        };
        let (x, inputs) = if a.view == b.view && a.at.shape == b.at.shape {
            let inputs = [a.at, b.at];
            (a, inputs)
        } else if a.view == b.view && op == Op::Add {
            // One is a map of one pixel, the other a vector.
            let inputs = [self.vector(&a)?, self.vector(&b)?];
            (a, inputs)
        } else if op == Op::Multiply && is_gate(&b, &a) {
            let inputs = [a.at, self.vector(&b)?];
            (a, inputs)
        } else if op == Op::Multiply && is_gate(&a, &b) {
            let inputs = [b.at, self.vector(&a)?];
            (b, inputs)
        } else if a.view == b.view {
            let inputs = [self.vector(&a)?, self.vector(&b)?];
            (a, inputs)
        } else {
            return unsupported(format!("of [batch, {:?}] and [batch, {:?}]", a.view, b.view));
        };
        let at = self.push(op, &inputs, vec![], None)?;
        Ok(Flow { at, view: x.view, alone: true })
    }

    /// A value and a constant, which comes `first` or second.
    pub fn with_constant(&mut self, how: Arithmetic, x: Flow, c: &Floats, first: bool) -> Result<Flow, Refusal> {
        self.spend(c.values.len())?;
        let Some(c) = x.per_channel(c) else {
            return unsupported(format!("of [batch, {:?}] and a constant of shape {:?}", x.view, c.shape));
        };
        let each = |value: f32| vec![value; c.len()];
        let map = |of: fn(f32) -> f32| c.iter().map(|value| of(*value)).collect::<Vec<f32>>();
        let (scale, shift) = match (how, first) {
            (Arithmetic::Add, _) => (each(1.0), c),
            (Arithmetic::Subtract, false) => (each(1.0), map(|value| -value)),
            (Arithmetic::Subtract, true) => (each(-1.0), c),
            (Arithmetic::Multiply, _) => (c.clone(), each(0.0)),
            (Arithmetic::Divide, false) => (map(f32::recip), each(0.0)),
            (Arithmetic::Divide, true) => return unsupported("of a constant by the network's values"),
        };
        self.affine(x, &scale, &shift)
    }

    /// `x · scale + shift` for each channel.
    pub fn affine(&mut self, x: Flow, scale: &[f32], shift: &[f32]) -> Result<Flow, Refusal> {
        // Of a layer that may change each number does.
        self.spend(scale.len() + shift.len() + if x.alone { self.importer.size(x.at) } else { 0 })?;
        let at = self.importer.affine(x.at, x.alone, scale, shift);
        let at = at.ok_or_else(|| Refusal::Damaged("does not fit its input".into()))?;
        Ok(Flow { at, alone: true, ..x })
    }
}

/// The refusal of windows that no network of ours has, though another may: larger than the map with its padding, or with more
/// padding than a pooling takes.
fn window_misfit(op: &Op, inputs: &[Shape]) -> Option<Refusal> {
    let (kernel, stride, padding) = match op {
        Op::Convolution(c) => (c.kernel, c.stride, c.padding.symmetric()?),
        Op::MaxPool(MaxPool(pool)) | Op::AveragePool(AveragePool(pool)) => {
            (pool.kernel, pool.stride, [pool.padding.top, pool.padding.left])
        }
        _ => return None,
    };
    let &[Shape::Map([channels, height, width])] = inputs else { return None };
    let is_whole = kernel.iter().chain(&stride).all(|size| (1..=1 << 16).contains(size))
        && padding.iter().all(|size| *size <= 1 << 16)
        && !matches!(op, Op::Convolution(c) if c.inputs != channels);
    let reaches = |side: usize, size: usize| kernel[side] > size + 2 * padding[side];
    if !is_whole {
        None
    } else if reaches(0, height) || reaches(1, width) {
        let reason =
            format!("with windows of {kernel:?} on a map of {height}×{width} pixels, which are larger than it");
        Some(Refusal::Unsupported(reason))
    } else if !matches!(op, Op::Convolution(_)) && (0..2).any(|side| padding[side] > kernel[side] / 2) {
        Some(Refusal::Unsupported(format!("with padding {padding:?}, more than half of the window {kernel:?}")))
    } else {
        None
    }
}

impl Flow {
    /// Seen as it is.
    pub fn of(at: Value) -> Self {
        Self { at, view: at.shape.dims(), alone: true }
    }

    /// Only as a map `[channels, height, width]`.
    pub fn map(&self) -> Result<Value, Refusal> {
        match self.at.shape {
            Shape::Map(shape) if self.view == shape => Ok(self.at),
            _ => unsupported(format!("its input of {:?} is no map of channels", self.view)),
        }
    }

    /// Whether the file sees its channels as we do: `[channels, height, width]`, or `[channels]` with ones behind it.
    pub fn is_channels(&self) -> bool {
        match (self.at.shape, &self.view[..]) {
            (Shape::Map(shape), view) => *view == shape || (shape[1..] == [1, 1] && *view == shape[..1]),
            (Shape::Vector(channels), [first, rest @ ..]) => *first == channels && rest.iter().all(|size| *size == 1),
            (Shape::Vector(_), []) | (Shape::Tokens(_), _) => false,
        }
    }

    /// A constant that numpy's broadcast lays over this value, as one number for each channel, whether or not the file
    /// writes it down for each pixel and image; `None` when it changes within a channel or from image to image.
    pub fn per_channel(&self, c: &Floats) -> Option<Vec<f32>> {
        let channels = self.at.shape.channels();
        let rank = self.view.len() + 1;
        let missing = rank.checked_sub(c.shape.len())?;
        let first = *c.values.first()?;
        // Each dimension is 1 or the value's own; the batch may be any.
        let stays =
            |(at, size): (usize, &usize)| *size == 1 || at + missing == 0 || self.view[at + missing - 1] == *size;
        if !c.shape.iter().enumerate().all(stays) {
            return None;
        }
        if c.values.iter().all(|value| value.to_bits() == first.to_bits()) {
            return Some(vec![first; channels]);
        }
        if !self.is_channels() {
            return None;
        }
        // The dimension of the channels, with those before and behind it as the constant has them.
        let place = 1_usize.checked_sub(missing)?;
        let inner = c.shape.iter().skip(place + 1).product::<usize>();
        let fits = c.shape.get(place) == Some(&channels);
        let numbers = c.values.chunks_exact(inner.max(1)).map(|pixels| (pixels[0], pixels));
        let alike = |(at, (number, pixels)): (usize, (f32, &[f32]))| {
            let expected = c.values[at % channels * inner].to_bits();
            number.to_bits() == expected && pixels.iter().all(|pixel| pixel.to_bits() == expected)
        };
        let is_constant = fits && numbers.clone().enumerate().all(alike);
        is_constant.then(|| numbers.take(channels).map(|(number, _)| number).collect())
    }

    /// The same values in another shape: nothing happens, only the view changes. The first dimension of all images' values
    /// is that of the batch, times `lead` where they lie in a row; gives the new one as well. `keeps`: 0 stands for the size
    /// before. `batch` is that of the file, which is written into it as a number by whoever exports for a fixed one; the
    /// first such number tells it where the image's shape does not.
    pub fn reshape(
        self,
        lead: usize,
        target: &[Size],
        keeps: bool,
        batch: &mut Option<i64>,
    ) -> Result<(Self, usize), Refusal> {
        if target.len() > AXES {
            return Err(TooMuch {
                what: String::new(),
                asked: target.len() as u64,
                unit: "dimensions",
                bound: AXES as u64,
            }
            .into());
        }
        let count = |view: &[usize]| view.iter().try_fold(1_usize, |count, &size| count.checked_mul(size));
        let wrong =
            || format!("from [{}, {:?}] to {target:?}, another number of values an image", rows(lead), self.view);
        let total = count(&self.view).and_then(|count| count.checked_mul(lead)).filter(|&total| total > 0);
        let Some((total, (first, rest))) = total.zip(target.split_first()) else { return unsupported(wrong()) };
        let mut view = Vec::with_capacity(rest.len());
        let mut open = None;
        for (place, size) in rest.iter().enumerate() {
            view.push(match *size {
                Size::Known(0) if keeps => self.view.get(place).copied().unwrap_or(0),
                Size::Known(-1) if open.is_none() => {
                    open = Some(place);
                    1
                }
                Size::Known(size) => usize::try_from(size).unwrap_or(0),
                Size::Batch(_) => 0,
            });
        }
        let Some(known @ 1..) = count(&view) else { return unsupported(wrong()) };
        let times = |size: i64| usize::try_from(size).ok();
        let first = match *first {
            Size::Batch(size) => times(size),
            Size::Known(0) if keeps => Some(lead),
            Size::Known(-1) if open.is_none() => Some(total / known),
            Size::Known(size @ 1..) => {
                let told = match open {
                    Some(_) => Some(size),
                    None => times(size).and_then(|size| size.checked_mul(known)).map(|all| (all / total) as i64),
                };
                let fixed = batch.or(told).filter(|&fixed| fixed > 0 && size % fixed == 0);
                *batch = batch.or(fixed);
                fixed.and_then(|fixed| times(size / fixed))
            }
            Size::Known(_) => None,
        };
        let Some(first @ 1..) = first else { return unsupported(wrong()) };
        if let (Some(open), Some(known)) = (open, known.checked_mul(first)) {
            view[open] = total / known;
        }
        if count(&view).and_then(|count| count.checked_mul(first)) != Some(total) {
            return unsupported(wrong());
        }
        Ok((Self { view, ..self }, first))
    }
}

/// The first dimension of values of which an image has so many.
fn rows(lead: usize) -> String {
    if lead == 1 { "batch".into() } else { format!("batch · {lead}") }
}

impl Floats {
    /// `conv1.conv` of `conv1.conv.weight`. Names that a converter made up say nothing.
    fn layer_name(&self) -> Option<String> {
        let name = self.name.strip_suffix(".weight")?;
        let is_plain =
            name.len() <= 128 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        (is_plain && !name.is_empty()).then(|| name.to_owned())
    }
}
