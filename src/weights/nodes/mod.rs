//! Networks that a file spells out operator by operator, in three stages that are the same for all formats.
//!
//! 1. A format gives plain [`Node`]s in one normalised form: the operators' words, attributes and inputs are ONNX's (operator
//!    set 18), whatever the format calls them, and constants are read when they are asked for.
//! 2. [`fold`] computes what depends on constants and shapes alone, and finds the shape of every other value: what
//!    exporters compute of shapes in the network itself falls away.
//! 3. [`rules`] put several nodes together that are one operator here (a generalised mean, layer norm, GELU, attention), and
//!    [`emit`] makes operators of a graph of ours of what is left. What no rule takes is refused by operator, node and reason.
//!
//! All of it spends one [`Budget`].

mod array;
mod emit;
mod fold;
mod layout;
mod rules;
mod sizes;
mod sorted;
mod strided;
mod values;
pub(super) mod words;

use std::collections::BTreeMap;
use std::rc::Rc;

use super::WeightsError;
use super::dialect::{Dialect, Recognised, imported};
use super::images::Hints;
use super::import::Imported;
use super::input::InputOptions;
use crate::graph::budget::{Budget, TooMuch};
use crate::model::{BackboneConfig, ImportedConfig, ReIdentifierConfig};
pub(super) use emit::Emitted;
pub(super) use sorted::sorted;
pub(super) use strided::strided;
pub(super) use values::Values;

/// The place of a value in [`Network::values`].
pub(super) type ValueId = usize;

/// A network as its file lists it.
pub(super) struct Network<'a> {
    /// What the error messages call the file.
    pub format: &'static str,
    pub name: String,
    pub image: Image,
    /// What stands beside the network.
    pub hints: Hints,
    /// Each after those that it reads.
    pub nodes: Vec<Node<'a>>,
    pub values: Vec<Named<'a>>,
    /// The values that are asked for.
    pub outputs: Vec<Output>,
    /// Tells which of several outputs is taken for the feature.
    pub chosen: Option<String>,
    /// The numbers of constants and layers.
    pub budget: Budget,
}

/// What of a file's network is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Wanted {
    /// One output, which is a re-identification model's feature.
    Feature,
    /// All that it gives, as a detector's are.
    Outputs,
}

impl Wanted {
    /// Height and width of the images where the file leaves them open, as most of these networks have them.
    fn size(self) -> [usize; 2] {
        match self {
            Self::Feature => [256, 128],
            Self::Outputs => [640, 640],
        }
    }
}

/// A value that the network gives.
#[derive(Clone, Debug)]
pub(super) struct Output {
    /// The file's.
    pub name: Rc<str>,
    pub value: ValueId,
}

/// The input.
pub(super) struct Image {
    pub value: ValueId,
    /// `None` for a size that the file leaves open; empty where it says nothing.
    pub dims: Vec<Option<usize>>,
}

/// A value of the file.
#[derive(Default)]
pub(super) struct Named<'a> {
    pub name: Rc<str>,
    /// Of a constant that no node gives.
    pub constant: Option<Stored<'a>>,
    /// The shape that the file states, where it is to be held to it.
    pub stated: Option<Vec<Option<usize>>>,
}

/// Numbers that lie in the file.
#[derive(Clone)]
pub(super) struct Stored<'a> {
    /// Reads them, when they are asked for.
    pub read: Rc<dyn Fn() -> Result<Shaped, WeightsError> + 'a>,
}

/// A shape, and the numbers in it.
pub(super) type Shaped = (Vec<usize>, Numbers);

pub(super) enum Numbers {
    Floats(Vec<f32>),
    Integers(Vec<i64>),
}

impl Numbers {
    pub fn len(&self) -> usize {
        match self {
            Self::Floats(values) => values.len(),
            Self::Integers(values) => values.len(),
        }
    }
}

/// One operator.
#[derive(Clone)]
pub(super) struct Node<'a> {
    pub format: &'static str,
    /// ONNX's word for what it does.
    pub kind: &'static str,
    /// The file's word.
    pub word: Rc<str>,
    /// Its name, or that of what it gives.
    pub name: Rc<str>,
    pub attributes: BTreeMap<&'static str, Attribute<'a>>,
    /// `None` for one that is left out.
    pub inputs: Vec<Option<ValueId>>,
    pub outputs: Vec<Option<ValueId>>,
}

#[derive(Clone)]
pub(super) enum Attribute<'a> {
    Integer(i64),
    Float(f64),
    Integers(Vec<i64>),
    Text(String),
    Constant(Stored<'a>),
}

/// Why an operator is not taken; the node says which one it was.
#[derive(Debug)]
pub(super) enum Refusal {
    Unsupported(String),
    /// No network could be like this.
    Damaged(String),
    TooMuch(TooMuch),
    /// Already told.
    Told(WeightsError),
}

impl From<TooMuch> for Refusal {
    fn from(error: TooMuch) -> Self {
        Self::TooMuch(error)
    }
}

impl From<WeightsError> for Refusal {
    fn from(error: WeightsError) -> Self {
        Self::Told(error)
    }
}

fn unsupported<T>(reason: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Unsupported(reason.into()))
}

fn damaged<T>(reason: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Damaged(reason.into()))
}

/// The place of the output that is the feature in a list of names and, where the file states them, dimensions with the batch's;
/// and the words for it where there are several: the one that is called so, or the first that is a vector.
fn feature(outputs: &[(&str, Option<Vec<Option<usize>>>)]) -> (usize, Option<String>) {
    if outputs.len() < 2 {
        return (0, None);
    }
    let is_vector = |(_, dims): &(&str, Option<Vec<Option<usize>>>)| {
        dims.as_ref().is_none_or(|dims| dims.len() == 2 || dims.iter().skip(2).all(|size| *size == Some(1)))
    };
    let is_called = |place: &usize| {
        let name = outputs[*place].0.to_lowercase();
        is_vector(&outputs[*place]) && ["feat", "embed"].iter().any(|word| name.contains(word))
    };
    let mut called = (0..outputs.len()).filter(is_called);
    let named = called.next().filter(|_| called.next().is_none());
    let chosen = named.or_else(|| outputs.iter().position(is_vector)).unwrap_or(0);
    let names: Vec<String> = outputs.iter().map(|(name, _)| format!("`{name}`")).collect();
    let words = format!("Of its outputs {} {} is taken for the feature.", names.join(", "), names[chosen]);
    (chosen, Some(words))
}

/// Of what a file lists those outputs that are asked for, and the words for the choice.
pub(super) fn wanted<T>(
    mut outputs: Vec<T>,
    wanted: Wanted,
    stated: impl Fn(&T) -> (&str, Option<Vec<Option<usize>>>),
) -> (Vec<T>, Option<String>) {
    if wanted == Wanted::Outputs || outputs.is_empty() {
        return (outputs, None);
    }
    let (place, words) = feature(&outputs.iter().map(stated).collect::<Vec<_>>());
    (vec![outputs.swap_remove(place)], words)
}

/// The model that the network is, without neck and head. `input` is what the user says of the image.
pub(super) fn recognise(emitted: Emitted, dialect: Dialect, input: &InputOptions) -> Result<Recognised, WeightsError> {
    let Emitted { name, mut importer, outputs, hints, assumed, unit } = emitted;
    let Some((_, feature)) = outputs.first().cloned() else { unreachable!("a network without a result is refused") };
    let images = importer.settle(&[feature], &hints, input)?;
    let Imported { input, network, tensors } = importer.finish(&outputs);
    let backbone =
        BackboneConfig::Imported(ImportedConfig { name, nodes: network.nodes, features: feature.shape.channels() });
    let config = ReIdentifierConfig { neck: false, input, ..ReIdentifierConfig::new(backbone, 0) };
    let mut recognised = imported(dialect, config, tensors)?;
    images.tell(&mut recognised.summary, &mut recognised.assumed);
    recognised.assumed.extend(assumed);
    if unit {
        recognised.summary += " Its last step, which gives the feature the length 1, is left to the matching.";
    }
    Ok(recognised)
}

/// The network as operators of ours. `input` is what the user says of the image.
pub(super) fn emit(network: Network, wanted: Wanted, input: &InputOptions) -> Result<Emitted, WeightsError> {
    let folded = fold::fold(network, wanted.size(), input)?;
    emit::emit(rules::rewrite(folded), wanted)
}

impl<'a> Node<'a> {
    /// The error for an operator that has no counterpart here.
    pub fn unsupported(&self, reason: impl Into<String>) -> WeightsError {
        let (operator, node) = (self.word.to_string(), self.name.to_string());
        WeightsError::Operator { operator, node, reason: reason.into() }
    }

    pub fn refuse(&self, refusal: Refusal) -> WeightsError {
        match refusal {
            Refusal::Unsupported(reason) => self.unsupported(reason),
            Refusal::Damaged(reason) => {
                let reason = format!("`{}` ({}) {reason}", self.name, self.word);
                WeightsError::Damaged { format: self.format, reason }
            }
            Refusal::TooMuch(error) if error.what.is_empty() => {
                error.of(format!("`{}` ({})", self.name, self.word)).into()
            }
            Refusal::TooMuch(error) => error.into(),
            Refusal::Told(error) => error,
        }
    }

    pub fn has(&self, port: usize) -> bool {
        self.inputs.get(port).is_some_and(Option::is_some)
    }

    pub fn input(&self, port: usize) -> Result<ValueId, Refusal> {
        let lacks = || Refusal::Damaged(format!("lacks its input {port}"));
        self.inputs.get(port).copied().flatten().ok_or_else(lacks)
    }

    pub fn integer(&self, name: &str, default: i64) -> i64 {
        match self.attributes.get(name) {
            Some(Attribute::Integer(value)) => *value,
            _ => default,
        }
    }

    pub fn float(&self, name: &str, default: f64) -> f64 {
        match self.attributes.get(name) {
            Some(Attribute::Float(value)) => *value,
            Some(Attribute::Integer(value)) => *value as f64,
            _ => default,
        }
    }

    pub fn text(&self, name: &str) -> &str {
        match self.attributes.get(name) {
            Some(Attribute::Text(text)) => text,
            _ => "",
        }
    }

    pub fn integers(&self, name: &str) -> Option<&[i64]> {
        match self.attributes.get(name) {
            Some(Attribute::Integers(list)) => Some(list),
            _ => None,
        }
    }

    /// Two sizes, for height and width.
    fn pair(&self, name: &str, default: usize) -> Result<[usize; 2], Refusal> {
        let Some(list) = self.integers(name) else { return Ok([default; 2]) };
        let [height, width] = list[..] else { return unsupported(format!("it is not two-dimensional ({name})")) };
        let size = |value| usize::try_from(value).map_err(|_| Refusal::Damaged(format!("has {name} of {list:?}")));
        Ok([size(height)?, size(width)?])
    }
}

/// An axis of a value of `rank` dimensions, counted from the front.
fn axis(along: i64, rank: usize) -> Result<usize, Refusal> {
    let place = if along < 0 { along.saturating_add(rank as i64) } else { along };
    let beyond = || Refusal::Damaged(format!("has the axis {along}, beyond its input"));
    usize::try_from(place).ok().filter(|place| *place < rank).ok_or_else(beyond)
}

/// Those of `axes`, ascending.
fn axes(axes: &[i64], rank: usize) -> Result<Vec<usize>, Refusal> {
    let mut places = axes.iter().map(|&along| axis(along, rank)).collect::<Result<Vec<usize>, _>>()?;
    places.sort_unstable();
    places.dedup();
    Ok(places)
}

/// Each `step`-th from `start` to before `end` of `length`, either counted from the end where it is negative: the first
/// and how many.
fn run(start: i64, end: i64, step: i64, length: usize) -> Result<(usize, usize), Refusal> {
    let all = i64::try_from(length).unwrap_or(i64::MAX);
    let from_front = |at: i64| if at < 0 { at.saturating_add(all) } else { at };
    match step {
        0 => damaged("goes in steps of 0"),
        1.. => {
            let (start, end) = (from_front(start).clamp(0, all), from_front(end).clamp(0, all));
            let count = (end - start).max(0).unsigned_abs().div_ceil(step.unsigned_abs());
            Ok((start as usize, count as usize))
        }
        _ => {
            let (start, end) = (from_front(start).clamp(-1, all - 1), from_front(end).clamp(-1, all - 1));
            let count = (start - end).max(0).unsigned_abs().div_ceil(step.unsigned_abs());
            Ok((start.max(0) as usize, count as usize))
        }
    }
}
