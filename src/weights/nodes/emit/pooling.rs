//! What puts several places or channels together.

use super::super::fold::Window;
use super::super::layout::{Atom, Axis};
use super::super::sizes::{Size, known};
use super::super::{Node, Refusal, axes, axis, unsupported};
use super::{Emit, Flow, Padded};
use crate::graph::op::{AveragePool, GemPool, MaxPool, UnitLength};
use crate::graph::{Op, Padding, Pool, Shape};
use crate::weights::import::Value;

/// A mean of more parts of the channels would rather be a layer.
const MOST_PARTS: u64 = 16;

impl Emit {
    pub(super) fn pool(&mut self, node: &Node) -> Result<Flow, Refusal> {
        let x = self.flow_at(node, 0)?;
        let mut at = self.map(&x)?.at;
        let Shape::Map([_, height, width]) = at.shape else { return unsupported("of no map") };
        let mut map = [height, width].map(known);
        let mut window = Window::of_pool(node, map)?;
        if let Some((from, inner, without)) = self.unpadded(node, at, window)? {
            (at, map, window) = (from, inner, without);
        }
        // What does not count is not written down.
        window.ceil &= window.output(map)? != Window { ceil: false, ..window }.output(map)?;
        let [top, left, bottom, right] = window.padding;
        let is_mean = node.kind == "AveragePool";
        let is_outside = window.padding != [0; 4] || window.ceil;
        let counts = !is_mean || !is_outside || node.integer("count_include_pad", 0) != 0;
        if is_mean && window.ceil && counts {
            return unsupported("of windows that lie partly outside of the map");
        }
        let Window { kernel, stride, ceil, .. } = window;
        if top.max(bottom) > kernel[0] / 2 || left.max(right) > kernel[1] / 2 {
            return unsupported(format!("with padding {:?}, more than half of the window {kernel:?}", window.padding));
        }
        let pool = Pool { kernel, stride, padding: Padding { top, left, bottom, right }, ceil, count_padding: counts };
        let op: Op = if is_mean { AveragePool(pool).into() } else { MaxPool(pool).into() };
        let at = self.push(op, &[at], vec![], None)?;
        Ok(self.as_it_lies(at))
    }

    /// Of what a max pooling reads the map without what is around it, its size, and the window that goes beyond it instead: what is
    /// around it must be lower than anything in it, and give as many windows.
    fn unpadded(&self, node: &Node, at: Value, window: Window) -> Result<Option<(Value, [Size; 2], Window)>, Refusal> {
        let Some(Padded { from, padding, lowest }) = self.padded.get(&at.id()) else { return Ok(None) };
        let is_least = match self.importer.made(*from).0 {
            Op::Relu | Op::Sigmoid => true,
            Op::Clip(clip) => clip.min >= 0.0,
            _ => lowest.is_some(),
        };
        let Padding { top, left, bottom, right } = *padding;
        let fits = top.max(bottom) <= window.kernel[0] / 2 && left.max(right) <= window.kernel[1] / 2;
        let (Shape::Map([_, height, width]), Shape::Map([_, all_rows, all_columns])) = (from.shape, at.shape) else {
            return Ok(None);
        };
        let (map, without) = ([height, width].map(known), Window { padding: [top, left, bottom, right], ..window });
        let is_alone = node.kind == "MaxPool" && window.padding == [0; 4] && is_least && fits;
        let is_same = is_alone && without.output(map)? == window.output([all_rows, all_columns].map(known))?;
        Ok(is_same.then_some((*from, map, without)))
    }

    /// Along places or channels, in whatever shape the file sees them.
    pub(super) fn reduce(&mut self, node: &Node) -> Result<Flow, Refusal> {
        let x = self.flow_at(node, 0)?;
        let is_global = node.kind.starts_with("Global");
        let keep = is_global || node.integer("keepdims", 1) != 0;
        let over = if is_global { (2..x.rank()).collect() } else { self.axes(node, x.rank())? };
        if over.iter().any(|&dim| x.layout.has(dim, Axis::Batch)) {
            return unsupported(format!("over the axes {over:?}, which are not height and width"));
        }
        let how = match node.kind {
            "GlobalAveragePool" | "ReduceMean" => How::Mean,
            "ReduceSum" => How::Sum,
            _ => How::Most,
        };
        let x = self.whole(x)?;
        let [places, channels] = [Axis::Place, Axis::Channel]
            .map(|axis| super::super::layout::size(&x.layout.along(over.iter().copied(), axis)));
        let reduced = match (places, channels) {
            (1, 1) => x,
            (count, 1) if count == x.at.shape.places() as u64 => self.over_places(x, how, count)?,
            (1, count) if count == x.at.shape.channels() as u64 && x.at.shape.places() > 1 => {
                let op = if how == How::Most { Op::ChannelMax } else { Op::ChannelMean };
                let at = self.push(op, &[x.at], vec![], None)?;
                let x = Flow { at, alone: true, ..x };
                if how == How::Sum { self.times(x, count as f32)? } else { x }
            }
            (1, count) if how != How::Most && count <= MOST_PARTS => self.over_parts(x, &over, how)?,
            // A part of the places: windows as large.
            (count, 1) if matches!(x.at.shape, Shape::Map(_)) && x.is_as_it_lies(self.batch) => {
                self.over_side(x, &over, how, count)?
            }
            _ => return unsupported(format!("over the axes {over:?}, which are not height and width")),
        };
        let mut layout = reduced.layout.clone();
        (layout.place, layout.channel) = (0, 0);
        over.iter().for_each(|&dim| layout.dims[dim].clear());
        if !keep {
            let dims = layout.dims.iter().enumerate().filter(|(dim, _)| !over.contains(dim));
            layout.dims = dims.map(|(_, atoms)| atoms.clone()).collect();
        }
        Ok(Flow { layout, ..reduced })
    }

    fn axes(&self, node: &Node, rank: usize) -> Result<Vec<usize>, Refusal> {
        match node.integers("axes") {
            Some(list) => axes(list, rank),
            None if node.has(1) => axes(&self.integers_at(node, 1)?, rank),
            None => Ok((0..rank).collect()),
        }
    }

    fn over_places(&mut self, x: Flow, how: How, count: u64) -> Result<Flow, Refusal> {
        let at = match (how, x.at.shape) {
            (How::Most, Shape::Map([_, height, width])) => {
                let pool = whole_pool([height, width]);
                self.push(MaxPool(pool), &[x.at], vec![], None)?
            }
            (How::Most, _) => self.push(Op::GlobalMaxPool, &[x.at], vec![], None)?,
            _ => self.push(Op::GlobalAveragePool, &[x.at], vec![], None)?,
        };
        let x = Flow { at, alone: true, ..x };
        if how == How::Sum { self.times(x, count as f32) } else { Ok(x) }
    }

    /// Rows or columns of a map.
    fn over_side(&mut self, x: Flow, over: &[usize], how: How, count: u64) -> Result<Flow, Refusal> {
        let Shape::Map([_, height, width]) = x.at.shape else { return unsupported("of no map") };
        let kernel = if over.contains(&2) { [height, 1] } else { [1, width] };
        let pool = whole_pool(kernel);
        let op: Op = if how == How::Most { MaxPool(pool).into() } else { AveragePool(pool).into() };
        let at = self.push(op, &[x.at], vec![], None)?;
        let x = self.as_it_lies(at);
        if how == How::Sum { self.times(x, count as f32) } else { Ok(x) }
    }

    /// A few parts of the channels, added up.
    fn over_parts(&mut self, x: Flow, over: &[usize], how: How) -> Result<Flow, Refusal> {
        let parts = x.layout.along(over.iter().copied(), Axis::Channel);
        let mut rest = x.layout.clone();
        over.iter().for_each(|&dim| rest.dims[dim].clear());
        let own = rest.along(0..rest.dims.len(), Axis::Channel);
        let own = super::super::layout::list(&own, x.layout.channel);
        let starts = super::super::layout::list(&parts, 0);
        let mut sum = None;
        for start in &starts {
            let channels: Vec<usize> = own.iter().map(|channel| channel + start).collect();
            let part = self.pick_channels(x.at, false, &channels)?;
            sum = Some(match sum {
                None => part,
                Some(sum) => self.push(Op::Add, &[sum, part], vec![], None)?,
            });
        }
        let Some(at) = sum else { return unsupported("of nothing") };
        // The channels stand in the order of the dimensions now.
        let mut step = 1;
        for atoms in rest.dims.iter_mut().rev() {
            for atom in atoms.iter_mut().rev().filter(|atom| atom.axis == Axis::Channel) {
                *atom = Atom { step, ..*atom };
                step *= atom.size as i64;
            }
        }
        rest.channel = 0;
        let x = Flow { at, layout: rest.tidied(), alone: true };
        if how == How::Mean { self.times(x, 1.0 / starts.len() as f32) } else { Ok(x) }
    }

    pub(super) fn generalised_mean(&mut self, node: &Node) -> Result<Flow, Refusal> {
        let x = self.flow_at(node, 0)?;
        let x = self.whole(x)?;
        let is_map = x.rank() > 2 && x.layout.along([0, 1], Axis::Place).is_empty();
        if !is_map || !x.layout.along(2..x.rank(), Axis::Channel).is_empty() || !matches!(x.at.shape, Shape::Map(_)) {
            return unsupported(format!("its input of {} is no map of channels", x.shown()));
        }
        let exponent = node.float("exponent", 3.0) as f32;
        let least = node.float("epsilon", 0.0);
        // Below the usual one no feature differs by more.
        let eps = if least <= f64::from(GemPool::EPS) * 1.001 { GemPool::EPS } else { least as f32 };
        let x_shown = x.shown();
        let at = self.push(GemPool { name: String::new(), eps }, &[x.at], vec![vec![exponent]], None)?;
        let mut layout = x.layout;
        (layout.place, layout.channel) = (0, 0);
        layout.dims.iter_mut().skip(2).for_each(Vec::clear);
        match layout.reshape(&self.sizes(node)) {
            Some(layout) => Ok(Flow { at, layout, alone: true }),
            None => unsupported(format!("of {}", x_shown)),
        }
    }

    /// A feature of length 1 at the end is left to the matching.
    pub(super) fn unit_length(&mut self, node: &Node) -> Result<Flow, Refusal> {
        let x = self.flow_at(node, 0)?;
        let over = self.axes(node, x.rank())?;
        let x = self.whole(x)?;
        let [places, channels] = [Axis::Place, Axis::Channel]
            .map(|axis| super::super::layout::size(&x.layout.along(over.iter().copied(), axis)));
        if places != 1 || channels != x.at.shape.channels() as u64 {
            return unsupported(format!("over the axes {over:?} of {}, which are not all channels", x.shown()));
        }
        let is_last = node.outputs.iter().flatten().any(|output| self.features.contains(output));
        if is_last && x.at.shape.places() == 1 {
            self.unit = true;
            return Ok(x);
        }
        let eps = node.float("epsilon", 0.0) as f32;
        let at = self.push(UnitLength { eps: eps.max(1e-12) }, &[x.at], vec![], None)?;
        Ok(Flow { at, alone: true, ..x })
    }

    /// Apart from attention: of two parts of the channels, as split attention has them.
    pub(super) fn softmax(&mut self, node: &Node) -> Result<Flow, Refusal> {
        let x = self.flow_at(node, 0)?;
        let dim = axis(node.integer("axis", -1), x.rank())?;
        let x = self.whole(x)?;
        let [Atom { axis: Axis::Channel, size: 2, step }] = x.layout.dims[dim][..] else {
            return unsupported("apart from attention");
        };
        // Of two it is a sigmoid of their difference, for each of the two.
        let all = x.at.shape.channels();
        let other: Vec<usize> = (0..all)
            .map(|channel| {
                let step = step.unsigned_abs() as usize;
                if (channel / step).is_multiple_of(2) { channel + step } else { channel - step }
            })
            .collect();
        let turned = self.pick_channels(x.at, false, &other)?;
        let difference = self.push(Op::Subtract, &[x.at, turned], vec![], None)?;
        let at = self.push(Op::Sigmoid, &[difference], vec![], None)?;
        Ok(Flow { at, alone: true, ..x })
    }
}

/// Windows side by side without anything around the map.
fn whole_pool(kernel: [usize; 2]) -> Pool {
    Pool { kernel, stride: [1, 1], padding: Padding::NONE, ceil: false, count_padding: true }
}

#[derive(Clone, Copy, PartialEq)]
enum How {
    Mean,
    Sum,
    Most,
}
