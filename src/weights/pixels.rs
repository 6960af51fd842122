//! What pixels does this network want?
//!
//! A file that spells its network out says it by what it does with the image before it learns from it. Each value up to there
//! is one channel of the image, scaled and shifted, wherever it stands: behind a crop, a clamp, a pooling, in a convolution of
//! each channel for itself. What scale and shift it has where the first learnt layer reads it tells the numbers that go in:
//! who divides by 58 takes 0…255.

use std::fmt;

use super::images::Range;
use crate::graph::op::{Clip, GatherChannels};
use crate::graph::{NodeId, Op};
use crate::model::ChannelOrder;

/// A node that the output needs, and the values of its parameters.
pub(super) struct Layer<'a> {
    pub op: &'a Op,
    pub inputs: &'a [NodeId],
    pub values: &'a [Vec<f32>],
}

/// What the network's own steps tell; channels are those of the graph's image.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Evidence {
    pub range: Option<Range>,
    pub order: Option<ChannelOrder>,
}

/// Why the steps do not tell it, though they do something.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Unclear {
    /// It takes `(value − mean) / deviation`, which makes nothing usual of any usual image.
    Scale { mean: f64, deviation: f64 },
    /// The mean and deviation of its images, as a batch norm kept them.
    Statistics { mean: f64, deviation: f64 },
    /// What is below 0 is cut off, which tells that the image is not normalised, and no more.
    CutOff,
    /// Parts of it say different things.
    Contradiction(Range, Range),
}

/// One channel of the image, `image[channel] · scale + shift`, in whatever place; or a mean of several of them.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Pixel {
    /// [`MIXED`] for a mean.
    channel: usize,
    scale: f64,
    shift: f64,
}

const MIXED: usize = 3;
/// An image has few channels, and few steps are taken before a network learns from it. What has more is no image any more; a
/// file that means harm could ask for any number.
const MOST_CHANNELS: usize = 12;
const MOST_STEPS: usize = 256;

/// A channel of a value, where it is one of the image's.
type Channel = Option<Pixel>;

/// A ReLU's input lies above or below.
#[derive(Clone, Copy)]
enum Bound {
    Above(f64),
    Below(f64),
}

/// The image's pixels on their way through the graph.
#[derive(Default)]
struct Walk {
    values: Vec<Vec<Channel>>,
    /// What the first learnt layers read.
    read: Vec<Vec<Pixel>>,
    /// What it was on the way.
    passed: Vec<Vec<Pixel>>,
    /// Mean and deviation of the image's channels.
    statistics: Vec<(usize, f64, f64)>,
    bounds: Vec<Bound>,
}

/// Finds the pixels' range and the order of the colours in what the network computes. `scale` and `shift` are what was taken
/// out of its beginning already, `layers` begin with the image and end with the output; `None` is one that it does not need.
pub(super) fn evidence(scale: [f64; 3], shift: [f64; 3], layers: &[Option<Layer>]) -> Result<Evidence, Unclear> {
    let mut walk = Walk::default();
    for layer in layers {
        let value = match layer {
            Some(Layer { op: Op::Input(_), .. }) => (0..3)
                .map(|channel| Some(Pixel { channel, scale: scale[channel], shift: shift[channel] }))
                .collect::<Vec<Channel>>(),
            Some(layer) => walk.step(layer),
            None => Vec::new(),
        };
        walk.pass(&value);
        walk.values.push(value);
    }
    if let Some(last) = layers.len().checked_sub(1) {
        walk.leave(last);
    }
    walk.conclude()
}

impl Walk {
    /// The channels that a node gives; what it reads and learns from is noted.
    fn step(&mut self, layer: &Layer) -> Vec<Channel> {
        let input = |place: usize| layer.inputs.get(place).and_then(|&id| self.values.get(id)).cloned();
        let first = input(0).unwrap_or_default();
        let parameter = |place: usize| layer.values.get(place).map_or(&[][..], Vec::as_slice);
        let value = match layer.op {
            Op::Affine(_) => scaled(&first, parameter(0), parameter(1)),
            Op::BatchNorm(_) => return self.batch_norm(layer, &first),
            Op::Relu => {
                self.cut(&first, 0.0, true);
                first
            }
            Op::MaxPool(_) | Op::AveragePool(_) | Op::GlobalAveragePool | Op::GlobalMaxPool => first,
            // The same pixels in other places.
            Op::Gather(_) | Op::Tokens | Op::Untokens(_) | Op::SplitPlaces(_) | Op::Resize(_) => first,
            Op::GatherChannels(GatherChannels { channels }) => {
                channels.iter().map(|&channel| first.get(channel as usize).copied().flatten()).collect()
            }
            Op::Clip(Clip { min, max }) => {
                for (limit, is_least) in
                    [(*min, true), (*max, false)].into_iter().filter(|(limit, _)| limit.abs() < 1e30)
                {
                    self.cut(&first, limit.into(), is_least);
                }
                first
            }
            Op::Split(run) => first.into_iter().skip(run.start).take(run.length()).collect(),
            Op::Concatenate => {
                let values = layer.inputs.iter().map(|&id| self.values.get(id).map_or(&[][..], Vec::as_slice));
                if values.clone().any(<[Channel]>::is_empty) {
                    self.leave_all(layer);
                    return Vec::new();
                }
                values.flatten().copied().collect()
            }
            Op::Convolution(c) => {
                let value = convolved(&first, parameter(0), parameter(1), c.outputs, c.groups);
                if value.is_empty() {
                    self.leave_all(layer);
                }
                value
            }
            Op::Add => {
                let second = input(1).unwrap_or_default();
                let value: Vec<Channel> = first.iter().zip(&second).map(|(a, b)| sum((*a)?, (*b)?)).collect();
                if value.iter().any(Option::is_none) {
                    self.leave_all(layer);
                }
                value
            }
            _ => {
                self.leave_all(layer);
                Vec::new()
            }
        };
        if value.len() > MOST_CHANNELS {
            self.leave_all(layer);
            return Vec::new();
        }
        if value.iter().all(Option::is_none) { Vec::new() } else { value }
    }

    /// What is below a limit, or above it, is cut off.
    fn cut(&mut self, x: &[Channel], limit: f64, is_least: bool) {
        let few = (MOST_CHANNELS * MOST_STEPS).saturating_sub(self.bounds.len());
        let bound = |pixel: &Pixel| {
            let at = (limit - pixel.shift) / pixel.scale;
            if (pixel.scale > 0.0) == is_least { Bound::Above(at) } else { Bound::Below(at) }
        };
        self.bounds.extend(x.iter().flatten().filter(|pixel| pixel.scale != 0.0).map(bound).take(few));
    }

    /// A normalisation whose statistics are those of the images, unless they say nothing (mean 0, variance 1).
    fn batch_norm(&mut self, layer: &Layer, x: &[Channel]) -> Vec<Channel> {
        let [weight, bias, mean, variance] = layer.values else { return Vec::new() };
        let deviation: Vec<f64> = variance.iter().map(|&variance| (f64::from(variance) + 1e-5).sqrt()).collect();
        let is_told = mean.iter().any(|mean| mean.abs() > 1e-3) || deviation.iter().any(|d| (d - 1.0).abs() > 1e-3);
        if !is_told {
            return scaled(x, weight, bias);
        }
        for ((pixel, &mean), deviation) in x.iter().zip(mean).zip(deviation) {
            if let Some(Pixel { channel, scale, shift }) = *pixel
                && scale != 0.0
            {
                self.statistics.push((channel, (f64::from(mean) - shift) / scale, deviation / scale.abs()));
            }
        }
        Vec::new()
    }

    fn pass(&mut self, value: &[Channel]) {
        note(&mut self.passed, value);
    }

    fn leave_all(&mut self, layer: &Layer) {
        layer.inputs.iter().for_each(|&id| self.leave(id));
    }

    /// What is learnt from.
    fn leave(&mut self, id: NodeId) {
        note(&mut self.read, self.values.get(id).map_or(&[][..], Vec::as_slice));
    }

    fn conclude(self) -> Result<Evidence, Unclear> {
        let mut found = self.statistics()?;
        if found.range.is_none() {
            found = of_all(&self.read)?.over(found);
        }
        if found.range.is_none() {
            // Scaled there and back: on the way it was something, if it was clear.
            found = of_all(&self.passed).unwrap_or_default().over(found);
        }
        if found.range.is_none() {
            found.range = self.bounded()?;
        }
        if found.order.is_none() {
            // Nobody turns the colours round but to have red first.
            let turned = |pixels: &Vec<Pixel>| pixels.iter().map(|pixel| pixel.channel).eq([2, 1, 0]);
            found.order = self.read.iter().any(turned).then_some(ChannelOrder::Bgr);
        }
        Ok(found)
    }

    fn statistics(&self) -> Result<Evidence, Unclear> {
        let mut range = None;
        for &(_, mean, deviation) in &self.statistics {
            let this = match () {
                () if deviation >= 8.0 && (-deviation..=256.0).contains(&mean) => Range::Bytes,
                () if deviation >= 0.6 && mean.abs() <= deviation => Range::Normalised,
                () if (0.02..0.6).contains(&deviation) && (0.1..=1.0).contains(&mean) => Range::Unit,
                () if (0.2..0.7).contains(&deviation) && (-0.7..0.1).contains(&mean) => Range::Symmetric,
                () => return Err(Unclear::Statistics { mean, deviation }),
            };
            agree(&mut range, this)?;
        }
        let means = self.statistics.iter().map(|&(channel, mean, _)| (channel, mean));
        let order = matches!(range, Some(Range::Bytes | Range::Unit)).then(|| red(means)).flatten();
        Ok(Evidence { range, order })
    }

    /// By what a clamp leaves.
    fn bounded(&self) -> Result<Option<Range>, Unclear> {
        let near = |a: f64, b: f64| (a - b).abs() <= 0.01 * b.abs().max(1.0);
        let below = |limit: f64| self.bounds.iter().any(|bound| matches!(bound, Bound::Below(b) if near(*b, limit)));
        let above = |limit: f64| self.bounds.iter().any(|bound| matches!(bound, Bound::Above(b) if near(*b, limit)));
        match () {
            () if below(255.0) || below(256.0) => Ok(Some(Range::Bytes)),
            () if below(1.0) && above(-1.0) => Ok(Some(Range::Symmetric)),
            () if below(1.0) => Ok(Some(Range::Unit)),
            () if above(0.0) => Err(Unclear::CutOff),
            () => Ok(None),
        }
    }
}

/// Keeps the pixels of a value, once.
fn note(list: &mut Vec<Vec<Pixel>>, value: &[Channel]) {
    let pixels: Vec<Pixel> = value.iter().flatten().copied().collect();
    if list.len() < MOST_STEPS && !pixels.is_empty() && !list.contains(&pixels) {
        list.push(pixels);
    }
}

impl Evidence {
    fn over(self, other: Self) -> Self {
        Self { range: self.range.or(other.range), order: self.order.or(other.order) }
    }
}

/// What the scales and shifts of several values tell together.
fn of_all(values: &[Vec<Pixel>]) -> Result<Evidence, Unclear> {
    let mut range = None;
    for pixel in values.iter().flatten() {
        if let Some(this) = pixel.range()? {
            agree(&mut range, this)?;
        }
    }
    let is_made_of = matches!(range, Some(Range::Normalised | Range::Symmetric));
    let told = |pixel: &Pixel| {
        let Pixel { channel, scale, shift } = *pixel;
        (scale != 0.0).then(|| (channel, if is_made_of { shift * scale.signum() } else { -shift / scale }))
    };
    let mut order = None;
    for pixels in values {
        order = order.or(red(pixels.iter().filter_map(told)));
    }
    let order = order.filter(|_| range.is_some());
    Ok(Evidence { range, order })
}

fn agree(range: &mut Option<Range>, this: Range) -> Result<(), Unclear> {
    match range.replace(this) {
        Some(before) if before != this => Err(Unclear::Contradiction(before, this)),
        _ => Ok(()),
    }
}

/// Which of the outer channels is red, by what is taken away from them: of pictures of the world red is the lightest on
/// average and blue the darkest (ImageNet: 0.485, 0.456, 0.406).
fn red(means: impl Iterator<Item = (usize, f64)>) -> Option<ChannelOrder> {
    let mut of = [None; 3];
    for (channel, mean) in means {
        if let Some(place) = of.get_mut(channel) {
            *place = Some(mean);
        }
    }
    let [Some(first), Some(middle), Some(last)] = of else { return None };
    // In numbers of 0…1 or in those of 0…255.
    let one = if [first, middle, last].iter().any(|mean| mean.abs() > 8.0) { 255.0 } else { 1.0 };
    // What says blue first must say it as clearly as ImageNet's numbers do.
    match (first - last) / one {
        gap if gap >= 0.005 && first >= middle && middle >= last => Some(ChannelOrder::Rgb),
        gap if gap <= -0.05 && first <= middle && middle <= last && last >= 0.3 * one => Some(ChannelOrder::Bgr),
        _ => None,
    }
}

impl Pixel {
    /// The numbers that go in, when what comes out is usual; `None` where they come out as they went in.
    fn range(&self) -> Result<Option<Range>, Unclear> {
        if self.scale == 0.0 {
            return Ok(None);
        }
        let (mean, deviation) = (-self.shift / self.scale, 1.0 / self.scale.abs());
        let near = |a: f64, b: f64| (a - b).abs() <= 0.06 * b.abs();
        let is_one = near(deviation, 1.0);
        Ok(Some(match () {
            () if is_one && mean.abs() <= 0.02 => return Ok(None),
            // Divided by 255, 127.5, 58 …, or only less the mean.
            () if (8.0..=1024.0).contains(&deviation) && (-0.6 * deviation..=256.0).contains(&mean) => Range::Bytes,
            () if is_one && (8.0..=256.0).contains(&mean) => Range::Bytes,
            // Back to 0…255 or to 0…1 from what was normalised, or from there to −1…1.
            () if (-2.3..=-1.7).contains(&mean) && ((4.0..=4.7).contains(&deviation) || deviation <= 0.02) => {
                Range::Normalised
            }
            () if (2.0..=2.4).contains(&deviation) && mean.abs() <= 0.5 => Range::Normalised,
            // (x + 1) / 2, (x + 1) · 127.5
            () if near(mean, -1.0) && (near(deviation, 2.0) || near(deviation, 1.0 / 127.5)) => Range::Symmetric,
            // Divided by 0.229, 0.5 …, or only less the mean, or times 255. What hardly scales might as well be learnt.
            () if (0.05..0.6).contains(&deviation) && (0.0..=1.0).contains(&mean) => Range::Unit,
            () if (0.6..=1.06).contains(&deviation) && (0.3..=1.0).contains(&mean) => Range::Unit,
            () if (0.0035..=0.0045).contains(&deviation) && (-0.02..=1.0).contains(&mean) => Range::Unit,
            () => return Err(Unclear::Scale { mean, deviation }),
        }))
    }
}

/// Times a number and plus another, for each channel.
fn scaled(x: &[Channel], scale: &[f32], shift: &[f32]) -> Vec<Channel> {
    let at = |values: &[f32], place: usize, otherwise: f64| values.get(place).map_or(otherwise, |&value| value.into());
    let pixels = x.iter().enumerate().map(|(place, pixel)| {
        let (by, plus) = (at(scale, place, 1.0), at(shift, place, 0.0));
        pixel.map(|pixel| Pixel { scale: pixel.scale * by, shift: pixel.shift * by + plus, ..pixel })
    });
    pixels.collect()
}

/// Of a convolution whose outputs are made of one channel each, with weights of one sign (a crop, a blur, a scale), or are means
/// of several (a grey image): what they are; nothing for another.
fn convolved(x: &[Channel], weight: &[f32], bias: &[f32], outputs: usize, groups: usize) -> Vec<Channel> {
    let per_group = x.len() / groups.max(1);
    let row = weight.len().checked_div(outputs).unwrap_or(0);
    let area = row.checked_div(per_group).unwrap_or(0);
    if area == 0 || !outputs.is_multiple_of(groups) {
        return Vec::new();
    }
    let output = |(output, row): (usize, &[f32])| {
        if row.iter().any(|w| *w < 0.0) && row.iter().any(|w| *w > 0.0) {
            return None;
        }
        let first = output / (outputs / groups) * per_group;
        let mut made: Option<Pixel> = None;
        for (place, window) in row.chunks_exact(area).enumerate().filter(|(_, window)| window.iter().any(|w| *w != 0.0))
        {
            let pixel = (*x.get(first + place)?)?;
            let by: f64 = window.iter().map(|&w| f64::from(w)).sum();
            let part = Pixel { scale: pixel.scale * by, shift: pixel.shift * by, ..pixel };
            made = Some(match made {
                None => part,
                Some(made) => Pixel { channel: MIXED, scale: made.scale + part.scale, shift: made.shift + part.shift },
            });
        }
        // Many learnt weights are never of one sign; of few there is no telling.
        let pixel = made.filter(|pixel| pixel.channel != MIXED || (area == 1 && outputs <= 3))?;
        let plus = bias.get(output).map_or(0.0, |&bias| f64::from(bias));
        Some(Some(Pixel { shift: pixel.shift + plus, ..pixel }))
    };
    let pixels: Option<Vec<Channel>> = weight.chunks_exact(row).enumerate().map(output).collect();
    pixels.unwrap_or_default()
}

fn sum(a: Pixel, b: Pixel) -> Channel {
    let same = a.channel == b.channel;
    same.then_some(Pixel { channel: a.channel, scale: a.scale + b.scale, shift: a.shift + b.shift })
}

impl fmt::Display for Unclear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Without the sign of a zero.
            Self::Scale { mean, deviation } => write!(
                f,
                "before the first learnt layer it computes (pixel − {:.4}) ÷ {deviation:.4}, which suits neither 0 to 1 \
                 nor 0 to 255 nor normalised pixels",
                mean + 0.0
            ),
            Self::Statistics { mean, deviation } => write!(
                f,
                "its first batch norm knows pixels of mean {mean:.4} and deviation {deviation:.4}, which are neither 0 to 1 \
                 nor 0 to 255 nor normalised"
            ),
            Self::CutOff => f.write_str(
                "it begins by cutting off what is below 0 (a ReLU or a clamp), so its pixels are not normalised, but 0 to 1 \
                 and 0 to 255 are both possible",
            ),
            Self::Contradiction(a, b) => write!(f, "one part of it takes pixels {a}, another pixels {b}"),
        }
    }
}
