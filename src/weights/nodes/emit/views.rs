//! The same numbers in another shape, some of them, or several values as one.

use super::super::array::Array;
use super::super::fold::{Fact, order};
use super::super::layout::{Atom, Axis, Layout, list};
use super::super::sizes::Places;
use super::super::{Node, Refusal, axis, damaged, run, unsupported};
use super::arrange::{Form, relaid};
use super::{Emit, Flow, Padded};
use crate::graph::op::ClassToken;
use crate::graph::{Convolution, Op, Padding, Shape};

impl Emit {
    pub(super) fn reshape(&mut self, node: &Node) -> Result<Flow, Refusal> {
        let (x, target) = (self.flow_at(node, 0)?, self.sizes(node));
        if let Some(layout) = x.layout.reshape(&target) {
            return Ok(Flow { layout, ..x });
        }
        // Put together in the order that the file has, the steps may be larger.
        let dims = x.channel_dims();
        let put = self.arrange(&x, &dims, Form::Any)?;
        match put.layout.reshape(&target) {
            Some(layout) => Ok(Flow { layout, ..put }),
            None => unsupported(format!("of {} to {target:?}", x.shown())),
        }
    }

    pub(super) fn transpose(&mut self, node: &Node) -> Result<Flow, Refusal> {
        let x = self.flow_at(node, 0)?;
        let order = order(node, x.rank())?;
        Ok(Flow { layout: x.layout.transpose(&order), ..x })
    }

    pub(super) fn expand(&mut self, node: &Node) -> Result<Flow, Refusal> {
        let (x, target) = (self.flow_at(node, 0)?, self.sizes(node));
        match x.layout.expand(&target) {
            Some(layout) => Ok(Flow { layout, ..x }),
            None => unsupported(format!("of {} to {target:?}", x.shown())),
        }
    }

    pub(super) fn slice(&mut self, node: &Node) -> Result<Flow, Refusal> {
        let mut x = self.flow_at(node, 0)?;
        let starts = self.integers_at(node, 1)?;
        let along = match node.has(3) {
            true => self.integers_at(node, 3)?,
            false => (0..starts.len() as i64).collect(),
        };
        let steps = if node.has(4) { self.integers_at(node, 4)? } else { vec![1; starts.len()] };
        // The shape is known already: what is cut off at the end follows from it.
        let target = self.sizes(node);
        for ((start, along), step) in starts.into_iter().zip(along).zip(steps) {
            let dim = axis(along, x.rank())?;
            let size = x.layout.sizes()[dim];
            let length = target[dim];
            if length == size && step == 1 {
                continue;
            }
            if x.layout.has(dim, Axis::Batch) {
                return unsupported("of some images of the batch");
            }
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            let (start, _) = run(start, if step > 0 { i64::MAX } else { i64::MIN }, step, size)?;
            x = self.cut(x, dim, start, step, usize::try_from(length).unwrap_or(usize::MAX))?;
        }
        Ok(x)
    }

    pub(super) fn split(&mut self, node: &Node) -> Result<(), Refusal> {
        let x = self.flow_at(node, 0)?;
        let dim = axis(node.integer("axis", 0), x.rank())?;
        let (places, channels) = (x.at.shape.places(), x.at.shape.channels());
        let is_all = x.layout.dims[dim] == [Atom { axis: Axis::Channel, size: channels as u64, step: 1 }]
            && x.layout.is_whole(places, channels);
        let mut start = 0;
        for &value in node.outputs.iter() {
            let Some(value) = value else { return unsupported("with a part that has no name") };
            let Some(length) = self.dims(value)[dim].known().and_then(|size| usize::try_from(size).ok()) else {
                return unsupported("of some images of the batch");
            };
            let part = if is_all {
                // Made at once, in whatever order the file sees the places: so they are the values of one node.
                let at = self.pick_channels(x.at, false, &(start..start + length).collect::<Vec<_>>())?;
                let layout = x.layout.slice(dim, start, 1, length).unwrap_or_else(|| x.layout.clone());
                Flow { at, layout: Layout { channel: 0, ..layout }, alone: x.alone || at != x.at }
            } else {
                self.cut(x.clone(), dim, start, 1, length)?
            };
            start += length;
            if self.readers[value] > 0 {
                self.give(value, part);
            }
        }
        Ok(())
    }

    /// `length` of the values along a dimension.
    fn cut(&mut self, x: Flow, dim: usize, start: usize, step: i64, length: usize) -> Result<Flow, Refusal> {
        let lies = x.is_as_it_lies(self.batch);
        // Colours turned round are the image's own.
        let is_turned = lies && x.layout.has(dim, Axis::Channel) && (start, step, length) == (2, -1, 3);
        if is_turned && self.importer.reverse_colours(x.at, x.alone) {
            return Ok(x);
        }
        let atoms = &x.layout.dims[dim];
        match atoms[..] {
            [Atom { axis: Axis::Channel, .. }] if lies && step == 1 => {
                let channels: Vec<usize> = (start..start + length).collect();
                let at = self.pick_channels(x.at, x.alone, &channels)?;
                let alone = x.alone || at != x.at;
                let layout = relaid(&x.layout.slice(dim, start, 1, length).unwrap_or(x.layout), &[dim]);
                return Ok(Flow { at, layout, alone });
            }
            // Rows or columns of a map: a convolution of each channel for itself, whose windows fit as often as they are wanted
            // and are 1 at the first of them.
            [Atom { axis: Axis::Place, size, .. }] if lies && step == 1 && x.rank() == 4 && dim >= 2 => {
                if let Shape::Map([channels, ..]) = x.at.shape {
                    return self.window(&x, dim, size as usize - length + 1, start, channels);
                }
            }
            _ => {}
        }
        match x.layout.slice(dim, start, step, length) {
            Some(layout) => Ok(Flow { layout, ..x }),
            None => {
                let channels = x.channel_dims();
                let put = self.arrange(&x, &channels, Form::Any)?;
                match put.layout.slice(dim, start, step, length) {
                    Some(layout) => Ok(Flow { layout, ..put }),
                    None => {
                        let places: Vec<i64> = (0..length as i64).map(|at| start as i64 + at * step).collect();
                        self.picked(x, dim, &places)
                    }
                }
            }
        }
    }

    fn window(&mut self, x: &Flow, dim: usize, reach: usize, start: usize, channels: usize) -> Result<Flow, Refusal> {
        let kernel = if dim == 2 { [reach, 1] } else { [1, reach] };
        self.budget.spend(channels.saturating_mul(reach))?;
        let mut window = vec![0.0; reach];
        window[start] = 1.0;
        let convolution = Convolution { kernel, ..plain_convolution(channels, channels, channels) };
        let at = self.push(convolution, &[x.at], vec![window.repeat(channels)], None)?;
        Ok(self.as_it_lies(at))
    }

    /// Of a dimension the steps `places`, in whatever order.
    fn picked(&mut self, x: Flow, dim: usize, places: &[i64]) -> Result<Flow, Refusal> {
        let atoms = x.layout.dims[dim].clone();
        let Some(first) = atoms.first() else { return unsupported("of the values in another order") };
        if atoms.iter().any(|atom| atom.axis != first.axis) || !matches!(first.axis, Axis::Place | Axis::Channel) {
            return unsupported("of the values in another order");
        }
        // The dimension that is picked from goes slowest: the others are whole.
        let steps = list(&atoms, 0);
        let chosen: Option<Vec<usize>> =
            places.iter().map(|&at| axis(at, steps.len()).ok().map(|at| steps[at])).collect();
        let chosen = chosen.ok_or_else(|| Refusal::Damaged("reads beyond its input".into()))?;
        let channels = x.channel_dims();
        let dims: Vec<usize> = match first.axis {
            Axis::Channel => channels.clone(),
            _ => (0..x.rank()).filter(|dim| !channels.contains(dim)).collect(),
        };
        let own: Vec<Atom> = dims
            .iter()
            .filter(|&&other| other != dim)
            .flat_map(|&other| x.layout.dims[other].clone())
            .filter(|atom| atom.axis != Axis::Batch)
            .collect();
        let first_step = if first.axis == Axis::Channel { x.layout.channel } else { x.layout.place };
        let rest = list(&own, first_step);
        self.budget.spend(rest.len().saturating_mul(chosen.len()))?;
        let all: Vec<usize> = chosen.iter().flat_map(|step| rest.iter().map(move |other| step + other)).collect();
        let at = match first.axis {
            Axis::Channel => self.pick_channels(x.at, x.alone, &all)?,
            _ => self.pick_places(x.at, &all, Form::Any)?,
        };
        // The steps anew: the picked dimension before the others of its kind.
        let mut layout = x.layout.clone();
        let mut step = 1;
        for &other in dims.iter().rev().filter(|&&other| other != dim) {
            for atom in layout.dims[other].iter_mut().rev().filter(|atom| atom.axis != Axis::Batch) {
                *atom = Atom { step, ..*atom };
                step *= atom.size as i64;
            }
        }
        layout.dims[dim] = vec![Atom { axis: first.axis, size: places.len() as u64, step }];
        match first.axis {
            Axis::Channel => layout.channel = 0,
            _ => layout.place = 0,
        }
        Ok(Flow { at, layout: layout.tidied(), alone: true })
    }

    /// A part of a dimension, the only one of it, or each image's part of a row.
    pub(super) fn gather(&mut self, node: &Node) -> Result<Flow, Refusal> {
        let x = self.flow_at(node, 0)?;
        let dim = axis(node.integer("axis", 0), x.rank())?;
        let at = match &self.facts[node.input(1)?] {
            Some(Fact::Places(places)) => return self.of_each_image(x, dim, places.clone()),
            Some(Fact::Sizes(sizes)) => {
                sizes.known().ok_or_else(|| Refusal::Unsupported("it depends on the batch".into()))?
            }
            _ => return unsupported("its input 1 is no list of whole numbers"),
        };
        if x.layout.has(dim, Axis::Batch) {
            let places = Places::of(&at).filter(|_| x.layout.dims[dim].len() > 1 || at.values.len() > 1);
            return match places {
                Some(places) => self.of_each_image(x, dim, places),
                None if x.layout.dims[dim].len() == 1 => unsupported("of some images of the batch"),
                None => unsupported("of other values than each image's own"),
            };
        }
        let picked = self.some(x, dim, &at)?;
        // The dimensions of the places stand for the one that they are of.
        match picked.layout.reshape(&self.sizes(node)) {
            Some(layout) => Ok(Flow { layout, ..picked }),
            None => unsupported(format!("of {} at places of shape {:?}", picked.shown(), at.shape)),
        }
    }

    /// Places of a dimension: in even steps, or any.
    fn some(&mut self, x: Flow, dim: usize, at: &Array<i64>) -> Result<Flow, Refusal> {
        let size = usize::try_from(x.layout.sizes()[dim]).unwrap_or(usize::MAX);
        let beyond = || Refusal::Damaged("reads beyond its input".into());
        let places: Option<Vec<i64>> =
            at.values.iter().map(|&place| axis(place, size).ok().map(|place| place as i64)).collect();
        let places = places.ok_or_else(beyond)?;
        let Some(&first) = places.first() else { return damaged("takes nothing") };
        let step = places.get(1).map_or(1, |second| second - first);
        let is_even = step != 0 && places.iter().enumerate().all(|(n, place)| *place == first + step * n as i64);
        if is_even {
            if step == 1 && places.len() == size {
                return Ok(x);
            }
            return self.cut(x, dim, first as usize, step, places.len());
        }
        self.picked(x, dim, &places)
    }

    /// Of all images' values in a row each image's own.
    fn of_each_image(&mut self, x: Flow, dim: usize, places: Places) -> Result<Flow, Refusal> {
        let others = || Refusal::Unsupported("of other values than each image's own".into());
        let [batch, own @ ..] = &x.layout.dims[dim][..] else { return Err(others()) };
        let lead = super::super::layout::size(own);
        if batch.axis != Axis::Batch || x.rank() != 1 || u64::try_from(places.step) != Ok(lead) {
            return Err(others());
        }
        let row = Flow { layout: Layout { dims: vec![vec![*batch], own.to_vec()], ..x.layout }, ..x };
        let first = *places.first.first().ok_or_else(others)?;
        if !(first..).zip(&places.first[..]).all(|(expected, place)| expected == *place) {
            return unsupported("of the values in another order");
        }
        let count = places.first.len();
        let start = usize::try_from(first).ok().filter(|start| (start + count) as u64 <= lead).ok_or_else(others)?;
        let part = if count as u64 == lead { row } else { self.cut(row, 1, start, 1, count)? };
        let target: Vec<u64> = [batch.size].into_iter().chain(places.shape.iter().map(|&size| size as u64)).collect();
        match part.layout.reshape(&target) {
            Some(layout) => Ok(Flow { layout, ..part }),
            None => unsupported("of a part of some channels"),
        }
    }

    pub(super) fn concat(&mut self, node: &Node) -> Result<Flow, Refusal> {
        let mut flows = Vec::new();
        for port in 0..node.inputs.len() {
            flows.push(if self.is_flow(node, port) { Some(self.flow_at(node, port)?) } else { None });
        }
        let Some(first) = flows.iter().flatten().next().cloned() else { return damaged("has no input") };
        let dim = axis(node.integer("axis", 1), first.rank())?;
        if flows.iter().flatten().any(|flow| flow.layout.has(dim, Axis::Batch)) || (dim == 0 && self.batch != 1) {
            return unsupported("of images to a larger batch");
        }
        if flows.iter().all(Option::is_some) {
            let flows: Vec<Flow> = flows.into_iter().flatten().collect();
            // Dimensions of 1 are what the others are.
            let is_places = flows.iter().any(|flow| flow.layout.has(dim, Axis::Place));
            let has_channels = flows.iter().any(|flow| flow.layout.has(dim, Axis::Channel));
            let others = |flow: &Flow| flow.channel_dims().iter().any(|&other| other != dim);
            return match () {
                () if !is_places && (has_channels || !flows.iter().any(others)) => self.join_channels(&flows, dim),
                () if !has_channels => self.join_places(&flows, dim),
                () => self.join_lists(&flows, dim),
            };
        }
        self.class_token(node, flows, dim)
    }

    /// Joined along the channels.
    fn join_channels(&mut self, flows: &[Flow], dim: usize) -> Result<Flow, Refusal> {
        let first = &flows[0];
        let lie = |flow: &Flow| flow.is_as_it_lies(self.batch) || flow.at.shape.places() == 1;
        let kinds = |wanted: fn(&Shape) -> bool| flows.iter().all(|flow| wanted(&flow.at.shape));
        let channels = &[dim][..];
        let is_alike = kinds(|shape| matches!(shape, Shape::Map(_)))
            || kinds(|shape| matches!(shape, Shape::Vector(_)))
            || kinds(|shape| matches!(shape, Shape::Tokens(_)));
        let same = flows.iter().all(|flow| {
            let others = |flow: &Flow| {
                let mut dims = flow.layout.dims.clone();
                dims[dim].clear();
                (dims, flow.layout.place)
            };
            is_alike && flow.at.shape.places() == first.at.shape.places() && others(flow) == others(first)
        });
        let mut parts = Vec::with_capacity(flows.len());
        let layout = if is_alike
            && flows.iter().all(lie)
            && flows.iter().all(|flow| flow.at.shape.with_channels(1) == first.at.shape.with_channels(1))
        {
            parts.extend(flows.iter().map(|flow| flow.at));
            first.layout.clone()
        } else if same && flows.iter().all(|flow| flow.channel_dims().iter().all(|&own| own == dim)) {
            // Seen alike, whatever the order of the places.
            for flow in flows {
                let channels = list(&flow.layout.dims[dim], flow.layout.channel);
                parts.push(self.pick_channels(flow.at, flow.alone, &channels)?);
            }
            first.layout.clone()
        } else {
            let form = self.form_of(first, channels);
            let mut layout = None;
            for flow in flows {
                let put = self.arrange(flow, channels, form)?;
                parts.push(put.at);
                layout.get_or_insert(put.layout);
            }
            layout.unwrap_or_else(|| first.layout.clone())
        };
        let at = self.push(Op::Concatenate, &parts, vec![], None)?;
        let mut layout = layout;
        layout.dims[dim] = vec![Atom { axis: Axis::Channel, size: at.shape.channels() as u64, step: 1 }];
        layout.channel = 0;
        Ok(Flow { at, layout, alone: true })
    }

    /// The form of the value that a flow is, once it is put in order with these channels.
    pub(super) fn form_of(&self, x: &Flow, channels: &[usize]) -> Form {
        let places: Vec<u64> = (0..x.rank())
            .filter(|dim| !channels.contains(dim) && !x.layout.has(*dim, Axis::Batch))
            .map(|dim| x.layout.sizes()[dim])
            .collect();
        match places[..] {
            _ if places.iter().all(|size| *size == 1) => Form::Vector,
            [height, width] if x.rank() == 4 => Form::Map([height as usize, width as usize]),
            _ => Form::Tokens,
        }
    }

    /// Joined along a dimension of places.
    fn join_places(&mut self, flows: &[Flow], dim: usize) -> Result<Flow, Refusal> {
        let rank = flows[0].rank();
        // The joined dimension goes slowest.
        let order: Vec<usize> = [dim].into_iter().chain((0..rank).filter(|&other| other != dim)).collect();
        let turned: Vec<Flow> =
            flows.iter().map(|flow| Flow { layout: flow.layout.transpose(&order), ..flow.clone() }).collect();
        let channels: Vec<usize> =
            (0..rank).filter(|&other| turned.iter().any(|flow| flow.layout.has(other, Axis::Channel))).collect();
        let first = &turned[0];
        let picks = |flow: &Flow| {
            let of = |wanted: bool| -> Vec<Atom> {
                (0..rank)
                    .filter(|dim| channels.contains(dim) == wanted)
                    .flat_map(|dim| flow.layout.dims[dim].clone())
                    .filter(|atom| atom.axis != Axis::Batch)
                    .collect()
            };
            (of(false), of(true))
        };
        // Parts of one value, put together in another order.
        let is_one = turned.iter().all(|flow| {
            let (places, own) = picks(flow);
            let is_plain = places.iter().all(|atom| matches!(atom.axis, Axis::Place | Axis::Same));
            flow.at == first.at && is_plain && own == picks(first).1 && flow.layout.channel == first.layout.channel
        });
        let mut layout = relaid(&first.layout, &channels);
        let at = if is_one {
            let mut all = Vec::new();
            for flow in &turned {
                let (places, _) = picks(flow);
                let part = list(&places, flow.layout.place);
                self.budget.spend(part.len())?;
                all.extend(part);
            }
            let (_, own) = picks(first);
            self.pick(first, &all, &list(&own, first.layout.channel), Form::Tokens)?
        } else {
            let mut parts = Vec::with_capacity(turned.len());
            for flow in &turned {
                parts.push(self.arrange(flow, &channels, Form::Tokens)?.at);
            }
            self.push(Op::JoinPlaces, &parts, vec![], None)?
        };
        let total: u64 = turned.iter().map(|flow| flow.layout.sizes()[0]).sum();
        let inner = (at.shape.places() as u64).checked_div(total).unwrap_or(0);
        layout.dims[0] = vec![Atom { axis: Axis::Place, size: total, step: inner as i64 }];
        let mut back = vec![0; rank];
        order.iter().enumerate().for_each(|(place, &dim)| back[dim] = place);
        Ok(Flow { at, layout: layout.tidied().transpose(&back), alone: true })
    }

    /// Lists of channels and pixels one behind the other: vectors.
    fn join_lists(&mut self, flows: &[Flow], dim: usize) -> Result<Flow, Refusal> {
        if flows.iter().any(|flow| {
            (0..flow.rank()).any(|other| other != dim && !flow.layout.along([other], Axis::Place).is_empty())
        }) {
            return unsupported(format!("along the axis {dim}, which has channels and places"));
        }
        let mut parts = Vec::with_capacity(flows.len());
        for flow in flows {
            parts.push(self.arrange(flow, &[dim], Form::Vector)?.at);
        }
        let at = self.push(Op::Concatenate, &parts, vec![], None)?;
        let mut layout = flows[0].layout.clone();
        (layout.place, layout.channel) = (0, 0);
        layout.dims[dim] = vec![Atom { axis: Axis::Channel, size: at.shape.channels() as u64, step: 1 }];
        Ok(Flow { at, layout, alone: true })
    }

    /// Tokens that are the same for all images before the image's own.
    fn class_token(&mut self, node: &Node, flows: Vec<Option<Flow>>, dim: usize) -> Result<Flow, Refusal> {
        let (mut tokens, mut label, mut x) = (Vec::new(), None, None);
        for (port, flow) in flows.into_iter().enumerate() {
            match flow {
                Some(flow) if x.is_none() => x = Some(flow),
                None if x.is_none() => {
                    let floats = self.floats_at(node, port)?;
                    tokens.extend_from_slice(&floats.values);
                    label.get_or_insert(floats);
                }
                _ => return unsupported("of constants behind what depends on the image"),
            }
        }
        let (Some(x), Some(constant)) = (x, label) else { return damaged("has no input") };
        let channels = x.channel_dims();
        let is_tokens = x.rank() == 3 && channels == [2] && dim == 1;
        let width = x.layout.sizes()[x.rank() - 1] as usize;
        if !is_tokens || constant.shape.len() != 3 || constant.shape[2] != width {
            return unsupported(format!("of constants of shape {:?} and {}", constant.shape, x.shown()));
        }
        // Written down for each image they are the same.
        let images = constant.shape[0].max(1);
        let each = tokens.len() / images;
        if !tokens.chunks_exact(each.max(1)).all(|image| image == &tokens[..each]) {
            return unsupported("of constants that differ from image to image");
        }
        tokens.truncate(each);
        let x = self.arrange(&x, &channels, Form::Tokens)?;
        let count = tokens.len() / width.max(1);
        let token = ClassToken { name: String::new(), count, channels: width };
        let at = self.push(token, &[x.at], vec![tokens], Some(&constant.name))?;
        Ok(self.as_it_lies(at))
    }

    /// Zeros around a map, by a convolution of each channel for itself; most layers that read it put them there themselves.
    pub(super) fn pad(&mut self, node: &Node) -> Result<Flow, Refusal> {
        let x = self.flow_at(node, 0)?;
        let pads = self.integers_at(node, 1)?;
        let along: Vec<usize> = match node.has(3) {
            true => self.integers_at(node, 3)?.iter().map(|&along| axis(along, x.rank())).collect::<Result<_, _>>()?,
            false => (0..x.rank()).collect(),
        };
        let value = if node.has(2) { self.number_at(node, 2) } else { Some(0.0) };
        let is_lowest = value.is_some_and(|value| value < -1e30);
        if !matches!(node.text("mode"), "" | "constant") || !(is_lowest || value == Some(0.0)) {
            return unsupported(format!("with the mode {:?} or other numbers than 0", node.text("mode")));
        }
        let channels = x.channel_dims();
        let places: Vec<usize> =
            (0..x.rank()).filter(|dim| !channels.contains(dim) && !x.layout.has(*dim, Axis::Batch)).collect();
        let places: Vec<usize> = places.into_iter().filter(|&dim| dim > 0 || self.batch == 1).collect();
        let side = |dim: usize| {
            let place = along.iter().position(|&own| own == dim)?;
            let size = |at: usize| usize::try_from(pads[at]).ok();
            Some([size(place)?, size(along.len() + place)?])
        };
        let wide: Vec<usize> = along.iter().copied().filter(|&dim| side(dim) != Some([0, 0])).collect();
        let two: Vec<usize> = places.iter().rev().take(2).rev().copied().collect();
        let [rows, columns] = two[..] else { return unsupported("of what is no map") };
        if wide.iter().any(|dim| !two.contains(dim)) || places.len() > 3 {
            return unsupported("of other dimensions than height and width");
        }
        let sizes = x.layout.sizes();
        let form = Form::Map([sizes[rows] as usize, sizes[columns] as usize]);
        let x = self.arrange(&x, &channels, form)?;
        let [[top, bottom], [left, right]] = [rows, columns].map(|dim| side(dim).unwrap_or([0, 0]));
        let count = x.at.shape.channels();
        let padding = Padding { top, left, bottom, right };
        let convolution = Convolution { padding, ..plain_convolution(count, count, count) };
        let at = self.push(convolution, &[x.at], vec![vec![1.0; count]], None)?;
        let lowest = is_lowest.then(|| node.unsupported("with other numbers than 0, apart from max pooling"));
        self.padded.insert(at.id(), Padded { from: x.at, padding, lowest });
        let Shape::Map([_, _, width]) = at.shape else { return damaged("gives no map") };
        let mut layout = x.layout;
        let target = self.sizes(node);
        layout.dims[rows] = vec![Atom { axis: Axis::Place, size: target[rows], step: width as i64 }];
        layout.dims[columns] = vec![Atom { axis: Axis::Place, size: target[columns], step: 1 }];
        Ok(Flow { at, layout: layout.tidied(), alone: true })
    }

    /// A map in another size.
    pub(super) fn resize(&mut self, node: &Node) -> Result<Flow, Refusal> {
        use crate::graph::op::Resize;
        use crate::step::{ResizeFilter, ResizeRule};
        let x = self.flow_at(node, 0)?;
        let target = self.sizes(node);
        if target == x.layout.sizes() {
            return Ok(x);
        }
        let x = self.map(&x)?;
        let &[.., height, width] = &target[..] else { return unsupported("of what is no map") };
        let Shape::Map([channels, ..]) = x.at.shape else { return unsupported("of what is no map") };
        if target[1] != channels as u64 {
            return unsupported("of the channels");
        }
        let (height, width) = (height as usize, width as usize);
        let filter = match node.text("mode") {
            "" | "nearest" => ResizeFilter::Nearest,
            "linear" => ResizeFilter::Bilinear,
            other => return unsupported(format!("with the mode {other}")),
        };
        let rule = match node.text("coordinate_transformation_mode") {
            "" | "half_pixel" | "pytorch_half_pixel" | "half_pixel_symmetric" => ResizeRule::HalfPixel,
            "align_corners" => ResizeRule::AlignCorners,
            "asymmetric" => ResizeRule::Asymmetric,
            other => return unsupported(format!("with the places {other}")),
        };
        let nearest = node.text("nearest_mode");
        let Shape::Map([_, own_height, own_width]) = x.at.shape else { return unsupported("of what is no map") };
        // In the middle between two pixels ours is the first.
        let is_between = |from: usize, to: usize| (0..to).any(|place| ((2 * place + 1) * from).is_multiple_of(2 * to));
        let is_clear = || !is_between(own_height, height) && !is_between(own_width, width);
        let is_its_own = match (rule, nearest) {
            (ResizeRule::HalfPixel | ResizeRule::AlignCorners, "" | "round_prefer_floor") => true,
            (ResizeRule::HalfPixel, "round_prefer_ceil") => is_clear(),
            (ResizeRule::Asymmetric, "floor") => true,
            _ => false,
        };
        if filter == ResizeFilter::Nearest && !is_its_own {
            return unsupported(format!("with the nearest pixel by {nearest:?}"));
        }
        if node.integer("antialias", 0) != 0 {
            return unsupported("with a blur before it is made smaller");
        }
        let at = self.push(Resize { height, width, filter, rule }, &[x.at], vec![], None)?;
        Ok(self.as_it_lies(at))
    }

    /// As a map `[batch, channels, height, width]`.
    pub(super) fn map(&mut self, x: &Flow) -> Result<Flow, Refusal> {
        let sizes = x.layout.sizes();
        let &[_, _, height, width] = &sizes[..] else {
            return unsupported(format!("its input of {:?} is no map of channels", sizes.get(1..).unwrap_or_default()));
        };
        if x.layout.has(0, Axis::Place) || x.layout.has(0, Axis::Channel) {
            return unsupported("its input has the values of all images in a row");
        }
        self.arrange(x, &[1], Form::Map([height as usize, width as usize]))
    }
}

/// A convolution of one pixel, without its name.
pub(super) fn plain_convolution(inputs: usize, outputs: usize, groups: usize) -> Convolution {
    Convolution {
        name: String::new(),
        inputs,
        outputs,
        kernel: [1, 1],
        stride: [1, 1],
        padding: Padding::default(),
        groups,
        bias: false,
        dilation: [1, 1],
    }
}
