//! Two values number by number, or one and a constant.

use super::super::array::{Array, steps};
use super::super::layout::{Atom, Axis, list, size};
use super::super::sizes::Arithmetic;
use super::super::{Node, Refusal, unsupported};
use super::arrange::Form;
use super::{Emit, Flow};
use crate::graph::op::Place;
use crate::graph::{Op, Shape};
use crate::weights::import::Value;

/// What constants are over a value.
enum Spread {
    /// One for each channel.
    Channels(Vec<f32>),
    /// One for each place and channel, as the value lies in the graph.
    Places(Vec<f32>),
}

impl Emit {
    pub(super) fn arithmetic(&mut self, node: &Node) -> Result<Flow, Refusal> {
        let flows = [0, 1].map(|port| self.is_flow(node, port));
        match node.kind {
            "Max" | "Min" if flows == [true, true] => return self.larger(node),
            "Max" | "Min" => {
                let (port, other) = if flows[0] { (0, 1) } else { (1, 0) };
                let x = self.flow_at(node, port)?;
                if node.inputs.len() > 2 {
                    return unsupported("of other than two values");
                }
                let limit = match node.has(other) {
                    true => Some(
                        self.number_at(node, other)
                            .ok_or_else(|| Refusal::Unsupported("with limits that are no numbers".into()))?,
                    ),
                    false => None,
                };
                return if node.kind == "Max" { self.between(x, limit, None) } else { self.between(x, None, limit) };
            }
            "Pow" => return self.power(node),
            _ => {}
        }
        let how = match node.kind {
            "Add" => Arithmetic::Add,
            "Sub" => Arithmetic::Subtract,
            "Mul" => Arithmetic::Multiply,
            _ => Arithmetic::Divide,
        };
        match flows {
            [true, true] => {
                let (a, b) = (self.flow_at(node, 0)?, self.flow_at(node, 1)?);
                let target = self.sizes(node);
                self.of_two(how, a, b, &target)
            }
            [true, false] => {
                let (x, c) = (self.flow_at(node, 0)?, self.floats_at(node, 1)?);
                let x = self.laid_out(x, node)?;
                self.with_constant(how, x, &c, false)
            }
            _ => {
                let (x, c) = (self.flow_at(node, 1)?, self.floats_at(node, 0)?);
                let x = self.laid_out(x, node)?;
                self.with_constant(how, x, &c, true)
            }
        }
    }

    /// Constants may have more dimensions than the value.
    fn laid_out(&self, x: Flow, node: &Node) -> Result<Flow, Refusal> {
        let target = self.sizes(node);
        if x.layout.sizes() == target {
            return Ok(x);
        }
        match x.layout.expand(&target) {
            Some(layout) => Ok(Flow { layout, ..x }),
            None => unsupported(format!("of {} and a constant to {target:?}", x.shown())),
        }
    }

    /// Apart from generalised-mean pooling, whose powers are taken together: a square.
    fn power(&mut self, node: &Node) -> Result<Flow, Refusal> {
        let exponent = self.number_at(node, 1).filter(|exponent| *exponent > 0.0 && exponent.is_finite());
        let Some(exponent) = exponent else { return unsupported("with an exponent that is not above 0") };
        let x = self.flow_at(node, 0)?;
        if exponent == 1.0 {
            return Ok(x);
        }
        if exponent == 2.0 {
            let x = self.whole(x)?;
            let at = self.push(Op::Multiply, &[x.at, x.at], vec![], None)?;
            return Ok(Flow { at, alone: true, ..x });
        }
        match self.importer.made(x.at).0 {
            Op::Relu => unsupported("it is a part of a generalised-mean pooling that is not whole"),
            _ => unsupported("apart from generalised-mean pooling, whose values have a least one"),
        }
    }

    /// The larger or the smaller of two: `max(a − b, 0) + b`.
    fn larger(&mut self, node: &Node) -> Result<Flow, Refusal> {
        let (mut a, mut b) = (self.flow_at(node, 0)?, self.flow_at(node, 1)?);
        let target = self.sizes(node);
        (a.alone, b.alone) = (false, false);
        let way = if node.kind == "Max" { [a.clone(), b.clone()] } else { [b.clone(), a.clone()] };
        let [first, second] = way;
        let difference = self.of_two(Arithmetic::Subtract, first, second, &target)?;
        let part = self.each(difference, Op::Relu, vec![], None)?;
        match node.kind {
            "Max" => self.of_two(Arithmetic::Add, part, b, &target),
            _ => self.of_two(Arithmetic::Subtract, b, part, &target),
        }
    }

    /// Two values that depend on the image.
    pub(super) fn of_two(&mut self, how: Arithmetic, a: Flow, b: Flow, target: &[u64]) -> Result<Flow, Refusal> {
        let op = match how {
            Arithmetic::Add => Op::Add,
            Arithmetic::Multiply => Op::Multiply,
            Arithmetic::Subtract => Op::Subtract,
            Arithmetic::Divide => return unsupported("of two values that depend on the image"),
        };
        let ranked = |mut x: Flow| {
            x.layout = x.layout.narrow();
            let missing = target.len().saturating_sub(x.rank());
            x.layout.dims.splice(0..0, vec![Vec::new(); missing]);
            x
        };
        let (a, b) = (ranked(a), ranked(b));
        let misfit = || Refusal::Unsupported(format!("of {} and {}", a.shown(), b.shown()));
        let (sizes, others) = (a.layout.sizes(), b.layout.sizes());
        if sizes == others {
            return self.of_equals(op, a, b);
        }
        // One is laid over the other.
        let covers = |sizes: &[u64], own: &[u64]| own.iter().zip(sizes).all(|(own, size)| own == size || *own == 1);
        let (x, gate, first) = match () {
            () if covers(&sizes, &others) => (a.clone(), b.clone(), true),
            () if covers(&others, &sizes) => (b.clone(), a.clone(), false),
            () => {
                // Each over the other: both are spread first.
                let spread = [&a, &b].map(|x| x.layout.expand(target).map(|layout| Flow { layout, ..x.clone() }));
                let [Some(a), Some(b)] = spread else { return Err(misfit()) };
                let channels: Vec<usize> = (0..a.rank())
                    .filter(|&dim| a.layout.has(dim, Axis::Channel) || b.layout.has(dim, Axis::Channel))
                    .collect();
                let form = self.form_of(&a, &channels);
                let (a, b) = (self.arrange(&a, &channels, form)?, self.arrange(&b, &channels, form)?);
                return self.of_equals(op, a, b);
            }
        };
        let x = self.whole(x)?;
        let channels = x.channel_dims();
        let places: Vec<usize> = (0..x.rank()).filter(|dim| !channels.contains(dim)).collect();
        let is_of =
            |dims: &[usize]| dims.iter().all(|&dim| gate.layout.dims[dim].iter().all(|atom| atom.axis == Axis::Batch));
        if is_of(&places) {
            // A number for each channel.
            let layout = x.layout.clone();
            let target: Vec<u64> = (0..x.rank())
                .map(|dim| if channels.contains(&dim) { layout.sizes()[dim] } else { gate.layout.sizes()[dim] })
                .collect();
            let spread = gate.layout.expand(&target).map(|layout| Flow { layout, ..gate.clone() });
            let spread = spread.ok_or_else(misfit)?;
            let vector = self.arrange(&spread, &channels, Form::Vector)?;
            // In the order of the value's own channels.
            let order = inverse(&list(&layout.along(channels.iter().copied(), Axis::Channel), layout.channel));
            let vector = self.pick_channels(vector.at, false, &order)?;
            return self.laid_over(op, x, vector, first);
        }
        if is_of(&channels) && gate.at.shape.channels() == 1 && op == Op::Multiply {
            // A number for each place.
            let map = self.like(&gate, &x, &channels)?;
            let at = self.push(op, &[x.at, map], vec![], None)?;
            return Ok(Flow { at, alone: true, ..x });
        }
        // Spread over all of it.
        let spread = gate.layout.expand(&x.layout.sizes()).map(|layout| Flow { layout, ..gate.clone() });
        let spread = spread.ok_or_else(misfit)?;
        if op == Op::Subtract && !first {
            return self.of_equals(op, spread, x);
        }
        self.of_equals(op, x, spread)
    }

    /// A vector over each place of a value.
    fn laid_over(&mut self, op: Op, x: Flow, vector: Value, first: bool) -> Result<Flow, Refusal> {
        if op == Op::Multiply {
            let at = self.push(op, &[x.at, vector], vec![], None)?;
            return Ok(Flow { at, alone: true, ..x });
        }
        // A sum is of equal shapes: the vector's place again and again.
        let form = match x.at.shape {
            Shape::Map([_, height, width]) => Form::Map([height, width]),
            Shape::Tokens(_) => Form::Tokens,
            Shape::Vector(_) => Form::Vector,
        };
        let all = self.pick_places(vector, &vec![0; x.at.shape.places()], form)?;
        let all = self.formed(all, form)?;
        let inputs = if first { [x.at, all] } else { [all, x.at] };
        let at = self.push(op, &inputs, vec![], None)?;
        Ok(Flow { at, alone: true, ..x })
    }

    /// Of the same dimensions.
    fn of_equals(&mut self, op: Op, a: Flow, b: Flow) -> Result<Flow, Refusal> {
        let is_vector = |x: &Flow| matches!(x.at.shape, Shape::Vector(_));
        if a.layout == b.layout
            && a.at.shape == b.at.shape
            && a.layout.is_whole(a.at.shape.places(), a.at.shape.channels())
        {
            let at = self.push(op, &[a.at, b.at], vec![], None)?;
            return Ok(Flow { at, alone: true, ..a });
        }
        if a.at.shape.places() == 1 && b.at.shape.places() == 1 && (is_vector(&a) || is_vector(&b)) {
            // One is a map of one pixel, the other a vector.
            let inputs = [self.vector(&a)?, self.vector(&b)?];
            let at = self.push(op, &inputs, vec![], None)?;
            let channels = a.channel_dims();
            let layout = super::arrange::relaid(&a.layout, &channels);
            return Ok(Flow { at, layout, alone: true });
        }
        let (a, b) = (self.whole(a)?, self.whole(b)?);
        // The one that lies as the file sees it stays.
        let stays = |x: &Flow| {
            let dims = x.channel_dims();
            let places = x.layout.along((0..x.rank()).filter(|dim| !dims.contains(dim)), Axis::Place);
            list(&places, x.layout.place).into_iter().eq(0..x.at.shape.places())
        };
        let (x, inputs) = if stays(&a) || !stays(&b) {
            let channels = a.channel_dims();
            let other = self.like(&b, &a, &channels)?;
            let at = a.at;
            (a, [at, other])
        } else {
            let channels = b.channel_dims();
            let other = self.like(&a, &b, &channels)?;
            let at = b.at;
            (b, [other, at])
        };
        let at = self.push(op, &inputs, vec![], None)?;
        Ok(Flow { at, alone: true, ..x })
    }

    /// `b` with its places and channels where `a` has those that the file sees in the same place, and in the same form.
    fn like(&mut self, b: &Flow, a: &Flow, channels: &[usize]) -> Result<Value, Refusal> {
        let places: Vec<usize> = (0..a.rank()).filter(|dim| !channels.contains(dim)).collect();
        let form = match a.at.shape {
            Shape::Map([_, height, width]) => Form::Map([height, width]),
            Shape::Tokens(_) => Form::Tokens,
            Shape::Vector(_) => Form::Vector,
        };
        let is_plain = |dims: &[usize], axis: Axis| {
            dims.iter()
                .flat_map(|&dim| &b.layout.dims[dim])
                .all(|atom| [axis, Axis::Batch, Axis::Same].contains(&atom.axis))
        };
        let b = if is_plain(&places, Axis::Place) && is_plain(channels, Axis::Channel) {
            b.clone()
        } else {
            self.arrange(b, channels, Form::Any)?
        };
        let of = |x: &Flow, dims: &[usize]| -> Vec<Atom> {
            dims.iter().flat_map(|&dim| x.layout.dims[dim].clone()).filter(|atom| atom.axis != Axis::Batch).collect()
        };
        let order = |axis: Axis, dims: &[usize], first: [i64; 2]| {
            let own: Vec<Atom> = of(a, dims).into_iter().filter(|atom| atom.axis == axis).collect();
            let (own, other) = (list(&own, first[0]), list(&of(&b, dims), first[1]));
            // Of one number for all.
            if other.len() == 1 {
                return other;
            }
            let mut placed = vec![0; own.len()];
            own.into_iter().zip(other).for_each(|(own, other)| placed[own] = other);
            placed
        };
        let all_places = order(Axis::Place, &places, [a.layout.place, b.layout.place]);
        let all_channels = order(Axis::Channel, channels, [a.layout.channel, b.layout.channel]);
        self.pick(&b, &all_places, &all_channels, form)
    }

    /// A value and a constant, which comes `first` or second.
    pub(super) fn with_constant(
        &mut self,
        how: Arithmetic,
        x: Flow,
        c: &Array<f32>,
        first: bool,
    ) -> Result<Flow, Refusal> {
        self.budget.spend(c.values.len())?;
        let x = self.whole(x)?;
        let Some(spread) = self.spread(&x, c)? else {
            return unsupported(format!("of {} and a constant of shape {:?}", x.shown(), c.shape));
        };
        let (c, is_channels) = match spread {
            Spread::Channels(c) => (c, true),
            Spread::Places(c) => (c, false),
        };
        let each = |value: f32| vec![value; c.len()];
        let map = |of: fn(f32) -> f32| c.iter().map(|value| of(*value)).collect::<Vec<f32>>();
        if !is_channels {
            let (values, scales) = match (how, first) {
                (Arithmetic::Add, _) => (c, false),
                (Arithmetic::Subtract, false) => (map(|value| -value), false),
                (Arithmetic::Multiply, _) => (c, true),
                (Arithmetic::Divide, false) => (map(f32::recip), true),
                _ => return unsupported("of a constant that differs from place to place, and the network's values"),
            };
            let place = Place { name: String::new(), shape: x.at.shape.dims(), scales };
            return self.each(x, place, vec![values], None);
        }
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

    /// A constant as one number for each channel, whether or not the file writes it down for each pixel and image.
    pub(super) fn per_channel(&mut self, x: &Flow, c: &Array<f32>) -> Result<Option<Vec<f32>>, Refusal> {
        Ok(match self.spread(x, c)? {
            Some(Spread::Channels(c)) => Some(c),
            _ => None,
        })
    }

    /// A constant that numpy's broadcast lays over a value that is seen whole; `None` when it differs from image to image.
    fn spread(&mut self, x: &Flow, c: &Array<f32>) -> Result<Option<Spread>, Refusal> {
        let (places, channels) = (x.at.shape.places(), x.at.shape.channels());
        let Some(missing) = x.rank().checked_sub(c.shape.len()) else { return Ok(None) };
        let Some(&first) = c.values.first() else { return Ok(None) };
        let sizes = x.layout.sizes();
        let mut loops: Vec<Step> = Vec::new();
        let (mut by_place, mut images) = (false, Vec::new());
        let own = steps(&c.shape);
        for (dim, atoms) in x.layout.dims.iter().enumerate() {
            let (count, step) = match dim.checked_sub(missing) {
                Some(place) => (own[place].0 as u64, own[place].1),
                None => (1, 0),
            };
            let batch = size(&atoms.iter().filter(|atom| atom.axis == Axis::Batch).copied().collect::<Vec<_>>());
            // A constant of the images' dimension may have one row for all of them, and so for what is put together with it.
            let is_each = count == sizes[dim] && batch > 1 && dim + missing > 0;
            if count != 1 && count != sizes[dim] && count * batch != sizes[dim] && !(dim == 0 && atoms.len() <= 1) {
                return Ok(None);
            }
            if dim == 0 && atoms.iter().all(|atom| atom.axis == Axis::Batch) && count > 1 {
                // Whatever the batch is written down for.
                images.push((count as usize, step));
                continue;
            }
            let mut inner = 1;
            for atom in atoms.iter().rev() {
                let by = if count == 1 { 0 } else { step * inner as isize };
                match atom.axis {
                    Axis::Batch if is_each => images.push((atom.size as usize, by)),
                    Axis::Batch => continue,
                    _ => loops.push(Step { atom: *atom, by }),
                }
                by_place |= atom.axis == Axis::Place && count != 1;
                inner *= atom.size;
            }
        }
        if c.values.iter().all(|value| value.to_bits() == first.to_bits()) {
            return Ok(Some(Spread::Channels(vec![first; channels])));
        }
        let of = |axis: Axis| loops.iter().filter(move |step| step.atom.axis == axis);
        let dims = |axis: Axis| of(axis).map(|step| (step.atom.size as usize, step.by)).collect::<Vec<_>>();
        let atoms = |axis: Axis| of(axis).map(|step| step.atom).collect::<Vec<Atom>>();
        let channel_at = list(&atoms(Axis::Channel), x.layout.channel);
        let channel_from = super::super::array::places(&dims(Axis::Channel), 0);
        let image_from = super::super::array::places(&images, 0);
        let (place_at, place_from) = match by_place {
            true => (list(&atoms(Axis::Place), x.layout.place), super::super::array::places(&dims(Axis::Place), 0)),
            false => (vec![0], vec![0]),
        };
        self.budget.spend(place_at.len().saturating_mul(channels))?;
        let alike = image_from.iter().all(|&image| {
            image == 0
                || place_from.iter().all(|place| {
                    channel_from.iter().all(|channel| {
                        c.values[image + place + channel].to_bits() == c.values[place + channel].to_bits()
                    })
                })
        });
        if !alike {
            return Ok(None);
        }
        // As the value lies: the channels of a map before its places.
        let is_map = matches!(x.at.shape, Shape::Map(_));
        let count = place_at.len();
        let mut all = vec![0.0; count * channels];
        for (&place, &from) in place_at.iter().zip(&place_from) {
            for (&channel, &own) in channel_at.iter().zip(&channel_from) {
                let at = if is_map || count == 1 { channel * count + place } else { place * channels + channel };
                all[at] = c.values[from + own];
            }
        }
        if !by_place {
            return Ok(Some(Spread::Channels(all)));
        }
        let (place, channel) = if is_map { (1, count) } else { (channels, 1) };
        let number = |p: usize, c: usize| all[p * place + c * channel].to_bits();
        if (0..channels).all(|c| (1..count).all(|p| number(p, c) == number(0, c))) {
            return Ok(Some(Spread::Channels((0..channels).map(|c| all[c * channel]).collect())));
        }
        debug_assert_eq!(count, places);
        Ok(Some(Spread::Places(all)))
    }
}

/// Steps of a value, and how far they go in a constant.
struct Step {
    atom: Atom,
    by: isize,
}

/// Where each number of a list stands in it.
fn inverse(order: &[usize]) -> Vec<usize> {
    let mut places = vec![0; order.len()];
    order.iter().enumerate().for_each(|(place, &at)| places[at] = place);
    places
}
