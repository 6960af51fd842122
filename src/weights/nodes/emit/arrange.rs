//! Puts the numbers of a value where an operator needs them.

use super::super::layout::{Atom, Axis, Layout, list};
use super::super::{Refusal, damaged, unsupported};
use super::{Emit, Flow};
use crate::graph::op::{Gather, GatherChannels, Split, SplitPlaces, Untokens};
use crate::graph::{Op, Shape};
use crate::weights::import::Value;

/// What a value is to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Form {
    /// Height and width.
    Map([usize; 2]),
    Tokens,
    Vector,
    /// Whatever it is already.
    Any,
}

/// The most parts that a value is taken apart into, to be put together in another way.
const MOST_PARTS: usize = 64;

fn is_count(list: &[usize], count: usize) -> bool {
    list.len() == count && is_run(list, 0)
}

fn is_run(list: &[usize], first: usize) -> bool {
    list.iter().copied().eq(first..first + list.len())
}

impl Emit {
    /// A value that is seen whole, each of its numbers once: what is not is put together first.
    pub(super) fn whole(&mut self, x: Flow) -> Result<Flow, Refusal> {
        if x.layout.is_whole(x.at.shape.places(), x.at.shape.channels()) {
            return Ok(x);
        }
        let narrow = Flow { layout: x.layout.clone().narrow(), ..x.clone() };
        if narrow.layout.is_whole(x.at.shape.places(), x.at.shape.channels()) {
            return Ok(x);
        }
        let dims = x.channel_dims();
        self.arrange(&x, &dims, Form::Any)
    }

    /// The value with its channels in the dimensions `channels`, in their order, and its places in the others. What the file
    /// sees stays as it was.
    pub(super) fn arrange(&mut self, x: &Flow, channels: &[usize], form: Form) -> Result<Flow, Refusal> {
        let places: Vec<usize> = (0..x.rank()).filter(|dim| !channels.contains(dim)).collect();
        let of = |dims: &[usize]| -> Vec<Atom> { dims.iter().flat_map(|&dim| x.layout.dims[dim].clone()).collect() };
        let (place_atoms, channel_atoms) = (of(&places), of(channels));
        if channel_atoms.iter().any(|atom| atom.axis == Axis::Batch) {
            return unsupported("its input has the values of all images in a row");
        }
        let place_atoms: Vec<Atom> = place_atoms.into_iter().filter(|atom| atom.axis != Axis::Batch).collect();
        if channel_atoms.iter().any(|atom| atom.axis == Axis::Place) {
            return self.places_to_channels(x, channels, &place_atoms, &channel_atoms, form);
        }
        if place_atoms.iter().any(|atom| atom.axis == Axis::Channel) {
            return self.channels_to_places(x, channels, &place_atoms, &channel_atoms, form);
        }
        self.check(&place_atoms)?;
        let at = self.pick(x, &list(&place_atoms, x.layout.place), &list(&channel_atoms, x.layout.channel), form)?;
        let layout = relaid(&x.layout, channels);
        Ok(Flow { at, layout, alone: x.alone && at == x.at })
    }

    fn check(&mut self, atoms: &[Atom]) -> Result<(), Refusal> {
        let count = super::super::layout::size(atoms);
        crate::graph::budget::map(String::new, Shape::Map([1, 1, usize::try_from(count).unwrap_or(usize::MAX)]))?;
        Ok(())
    }

    /// The places and channels of these lists, in the form that is asked for.
    pub(super) fn pick(
        &mut self,
        x: &Flow,
        places: &[usize],
        channels: &[usize],
        form: Form,
    ) -> Result<Value, Refusal> {
        let at = self.pick_places(x.at, places, form)?;
        let at = self.pick_channels(at, x.alone, channels)?;
        self.formed(at, form)
    }

    pub(super) fn pick_channels(&mut self, at: Value, alone: bool, channels: &[usize]) -> Result<Value, Refusal> {
        let all = at.shape.channels();
        let Some(&first) = channels.first() else { return damaged("takes nothing") };
        if is_count(channels, all) {
            return Ok(at);
        }
        if is_run(channels, first) {
            return self.push(Split::run(first, channels.len()), &[at], vec![], None);
        }
        if channels == [2, 1, 0] && self.importer.reverse_colours(at, alone) {
            return Ok(at);
        }
        self.budget.spend(channels.len())?;
        let channels = channels.iter().map(|&channel| channel as u32).collect();
        self.push(GatherChannels { channels }, &[at], vec![], None)
    }

    pub(super) fn pick_places(&mut self, at: Value, places: &[usize], form: Form) -> Result<Value, Refusal> {
        let Some(&first) = places.first() else { return damaged("takes nothing") };
        if is_count(places, at.shape.places()) {
            return Ok(at);
        }
        self.budget.spend(places.len())?;
        if is_run(places, first) {
            let vector = places.len() == 1 && !matches!(form, Form::Map(_));
            let at = self.formed(at, Form::Tokens)?;
            return self.push(SplitPlaces { start: first, length: places.len(), vector }, &[at], vec![], None);
        }
        // What was moved before is moved at once.
        let (at, places) = match self.importer.made(at) {
            (Op::Gather(before), Some(from)) => {
                let places = places.iter().map(|&place| before.places.get(place).map(|&place| place as usize));
                (
                    from,
                    places
                        .collect::<Option<Vec<usize>>>()
                        .ok_or_else(|| Refusal::Damaged("reads beyond its input".into()))?,
                )
            }
            _ => (at, places.to_vec()),
        };
        if is_count(&places, at.shape.places()) {
            return Ok(at);
        }
        let map = match form {
            Form::Map([height, width]) if height * width == places.len() => Some([height, width]),
            _ => None,
        };
        let places: Vec<u32> = places.into_iter().map(|place| place as u32).collect();
        let key = (at.id(), [&places[..], &map.map_or([0; 2], |map| map.map(|size| size as u32))].concat());
        if let Some(&moved) = self.moved.get(&key) {
            return Ok(moved);
        }
        let at = if let Shape::Vector(_) = at.shape { self.formed(at, Form::Tokens)? } else { at };
        let moved = self.push(Gather { places, map }, &[at], vec![], None)?;
        self.moved.insert(key, moved);
        Ok(moved)
    }

    /// The same places and channels as a map, tokens or a vector.
    pub(super) fn formed(&mut self, at: Value, form: Form) -> Result<Value, Refusal> {
        match (form, at.shape) {
            (Form::Any, _) | (Form::Tokens, Shape::Tokens(_)) | (Form::Vector, Shape::Vector(_)) => Ok(at),
            (Form::Map([height, width]), Shape::Map([_, own_height, own_width]))
                if [height, width] == [own_height, own_width] =>
            {
                Ok(at)
            }
            (Form::Map([height, width]), Shape::Tokens(_)) => {
                match self.importer.made(at) {
                    // There and back.
                    (Op::Tokens, Some(map)) if matches!(map.shape, Shape::Map([_, h, w]) if [h, w] == [height, width]) =>
                    {
                        return Ok(map);
                    }
                    _ => {}
                }
                self.push(Untokens { height, width }, &[at], vec![], None)
            }
            (Form::Map(_), _) => {
                let at = self.formed(at, Form::Tokens)?;
                self.formed(at, form)
            }
            (Form::Tokens, Shape::Map(_)) => match self.importer.made(at) {
                (Op::Untokens(_), Some(tokens)) => Ok(tokens),
                _ => {
                    let key = (at.id(), Vec::new());
                    if let Some(&tokens) = self.moved.get(&key) {
                        return Ok(tokens);
                    }
                    let tokens = self.push(Op::Tokens, &[at], vec![], None)?;
                    self.moved.insert(key, tokens);
                    Ok(tokens)
                }
            },
            (Form::Tokens, Shape::Vector(_)) => self.push(Op::JoinPlaces, &[at], vec![], None),
            (Form::Vector, Shape::Map([_, 1, 1])) => {
                let of = self.importer.averaged(at).unwrap_or(at);
                self.push(Op::GlobalAveragePool, &[of], vec![], None)
            }
            (Form::Vector, Shape::Tokens([1, _])) => {
                self.push(SplitPlaces { start: 0, length: 1, vector: true }, &[at], vec![], None)
            }
            (Form::Vector, shape) => unsupported(format!("its input of {:?} is no vector of channels", shape.dims())),
        }
    }

    /// As a vector `[channels]`, which a map of one pixel is as well.
    pub(super) fn vector(&mut self, x: &Flow) -> Result<Value, Refusal> {
        let dims = x.channel_dims();
        if x.layout.along((0..x.rank()).filter(|dim| !dims.contains(dim)), Axis::Place).is_empty() {
            return self.arrange(x, &dims, Form::Vector).map(|flow| flow.at);
        }
        unsupported(format!(
            "its input of {:?} is no vector of channels",
            x.layout.sizes().get(1..).unwrap_or_default()
        ))
    }

    /// The feature: a vector, a map of one pixel, or the few places of a map one behind the other, as the file's order has
    /// them.
    pub(super) fn feature(&mut self, x: &Flow) -> Result<Value, Refusal> {
        let dims = x.layout.dims.clone();
        let has_batch = |atoms: &Vec<Atom>| atoms.iter().any(|atom| atom.axis == Axis::Batch);
        let (first, rest) = match dims.split_first() {
            Some((first, rest)) if self.batch == 1 && !rest.is_empty() => (first, rest),
            // Of a batch of one the first dimension may have been dropped.
            Some(_) if self.batch == 1 => (&Vec::new(), &dims[..]),
            Some((first, rest)) => (first, rest),
            None => return unsupported("it has no dimensions"),
        };
        if rest.iter().any(has_batch) || first.iter().any(|atom| atom.axis != Axis::Batch) {
            return unsupported("the values of all images in a row");
        }
        if rest.iter().filter(|atoms| !atoms.is_empty()).count() > 2 {
            return unsupported("a map of several pixels");
        }
        let all: Vec<usize> = (0..x.rank()).filter(|&dim| !has_batch(&dims[dim])).collect();
        if all.iter().filter(|&&dim| x.layout.has(dim, Axis::Place)).count() > 1 {
            return unsupported("a map of several pixels");
        }
        self.arrange(x, &all, Form::Vector).map(|flow| flow.at)
    }

    /// What the network gives, whatever it is: its places in the file's order and its channels.
    pub(super) fn output(&mut self, x: &Flow) -> Result<Value, Refusal> {
        let is_batch = |atom: &Atom| atom.axis == Axis::Batch;
        let (first, rest) = x.layout.dims.split_first().unwrap_or((const { &Vec::new() }, &[]));
        if rest.iter().flatten().any(is_batch) || (self.batch != 1 && !first.iter().all(is_batch)) {
            return unsupported("the values of all images in a row");
        }
        let channels = x.channel_dims();
        let form = self.form_of(x, &channels);
        self.arrange(x, &channels, form).map(|flow| flow.at)
    }

    /// Some of the steps along the places become channels: a value for each of them, joined along the channels.
    fn places_to_channels(
        &mut self,
        x: &Flow,
        dims: &[usize],
        places: &[Atom],
        channels: &[Atom],
        form: Form,
    ) -> Result<Flow, Refusal> {
        let (moving, staying): (Vec<Atom>, Vec<Atom>) = channels.iter().partition(|atom| atom.axis == Axis::Place);
        let starts = self.parts(&moving, x.layout.place)?;
        self.check(places)?;
        let own = list(&staying, x.layout.channel);
        let mut parts = Vec::with_capacity(starts.len());
        for &start in &starts {
            parts.push(self.pick(x, &list(places, start as i64), &own, form)?);
        }
        let joined = if let [part] = parts[..] { part } else { self.push(Op::Concatenate, &parts, vec![], None)? };
        let order = interleaved(channels, Axis::Place, own.len());
        let at = self.pick_channels(joined, false, &order)?;
        Ok(Flow { at, layout: relaid(&x.layout, dims), alone: true })
    }

    /// Some of the steps along the channels become places: a value for each of them, joined along the places.
    fn channels_to_places(
        &mut self,
        x: &Flow,
        dims: &[usize],
        places: &[Atom],
        channels: &[Atom],
        form: Form,
    ) -> Result<Flow, Refusal> {
        let (moving, staying): (Vec<Atom>, Vec<Atom>) = places.iter().partition(|atom| atom.axis == Axis::Channel);
        let starts = self.parts(&moving, x.layout.channel)?;
        self.check(places)?;
        let own = list(&staying, x.layout.place);
        let mut parts = Vec::with_capacity(starts.len());
        for &start in &starts {
            parts.push(self.pick(x, &own, &list(channels, start as i64), Form::Tokens)?);
        }
        let joined = if let [part] = parts[..] { part } else { self.push(Op::JoinPlaces, &parts, vec![], None)? };
        let order = interleaved(places, Axis::Channel, own.len());
        let at = self.pick_places(joined, &order, form)?;
        let at = self.formed(at, form)?;
        Ok(Flow { at, layout: relaid(&x.layout, dims), alone: true })
    }

    /// Where each part begins.
    fn parts(&mut self, moving: &[Atom], first: i64) -> Result<Vec<usize>, Refusal> {
        let count = super::super::layout::size(moving);
        if count > MOST_PARTS as u64 {
            return unsupported(format!("it would turn {count} places into channels, or as many channels into places"));
        }
        Ok(list(moving, first))
    }
}

/// The numbers of parts that were joined one behind the other, in the order of the atoms of which those along `moving` tell
/// the part; each part has `each`.
fn interleaved(atoms: &[Atom], moving: Axis, each: usize) -> Vec<usize> {
    let counted = |wanted: bool, unit: usize| {
        let mut step = unit as i64;
        let mut counted: Vec<Atom> = Vec::new();
        for atom in atoms.iter().rev() {
            let is_wanted = (atom.axis == moving) == wanted;
            counted.push(Atom { step: if is_wanted { step } else { 0 }, ..*atom });
            if is_wanted {
                step *= atom.size as i64;
            }
        }
        counted.reverse();
        list(&counted, 0)
    };
    counted(true, each).into_iter().zip(counted(false, 1)).map(|(part, own)| part + own).collect()
}

/// The dimensions of a value after its places and channels were put into the order of the dimensions.
pub(super) fn relaid(layout: &Layout, channels: &[usize]) -> Layout {
    let mut laid = layout.clone();
    (laid.place, laid.channel) = (0, 0);
    let places: Vec<usize> = (0..layout.dims.len()).filter(|dim| !channels.contains(dim)).collect();
    for (dims, axis) in [(&places[..], Axis::Place), (channels, Axis::Channel)] {
        let mut step = 1;
        for &dim in dims.iter().rev() {
            for atom in laid.dims[dim].iter_mut().rev().filter(|atom| atom.axis != Axis::Batch) {
                *atom = Atom { axis, size: atom.size, step };
                step *= atom.size as i64;
            }
        }
    }
    laid.tidied()
}
