//! Computes what depends on constants and shapes alone, and finds the shape of every other value.
//!
//! Exporters compute shapes in the network itself (`Shape`, `Gather`, `Concat`, `Reshape`): all of that falls away here,
//! whether the batch is written down or open.

use std::rc::Rc;

use super::array::{Array, count};
use super::sizes::{self, Arithmetic, Places, Size, known};
use super::{
    Attribute, Image, Network, Node, Numbers, Output, Refusal, Stored, ValueId, axes, axis, damaged, run, unsupported,
    words,
};
use crate::graph::Shape;
use crate::graph::budget::{self, AXES, Budget, LIST, TooMuch};
use crate::weights::WeightsError;
use crate::weights::images::Hints;
use crate::weights::input::InputOptions;

/// What is known of a value before a graph is made.
#[derive(Clone, Debug)]
pub(super) enum Fact {
    Floats(Array<f32>),
    /// Whole numbers: a shape, or a part of one.
    Sizes(Array<Size>),
    /// Those that differ from image to image.
    Places(Places),
    /// The shape of what depends on the image.
    Flow(Vec<Size>),
}

/// A network whose nodes all depend on the image.
pub(super) struct Folded<'a> {
    pub name: String,
    pub hints: Hints,
    pub image: ValueId,
    pub height: usize,
    pub width: usize,
    /// The image's colours are its last dimension.
    pub channels_last: bool,
    /// The words for what the file leaves open.
    pub assumed: Vec<String>,
    /// The batch that the file was written for; `None` where it is open.
    pub batch: Option<u64>,
    pub nodes: Vec<Node<'a>>,
    pub facts: Vec<Option<Fact>>,
    pub outputs: Vec<Output>,
    pub budget: Budget,
}

/// What of a value that depends on the image gives one of the same shape.
const OF_ITS_SHAPE: &str = "\
    Relu Sigmoid Tanh Erf Exp Log Sqrt Reciprocal Neg Abs Softplus Elu Selu LeakyRelu HardSigmoid HardSwish Gelu \
    Swish Mish Clip Softmax LpNormalization BatchNormalization InstanceNormalization LayerNormalization \
    GroupNormalization MeanVarianceNormalization UnitLength IsNaN Not";

/// Why the values could not be found.
enum Stop {
    Error(WeightsError),
    /// They can, if so many images are a batch.
    Batch(i64),
}

/// Which of the image's dimensions are what.
fn image_size(image: &Image, name: &str) -> Result<([Option<usize>; 2], bool), WeightsError> {
    let dims = &image.dims;
    match dims[..] {
        [] => Some(([None; 2], false)),
        [_, Some(3), height, width] => Some(([height, width], false)),
        [_, height, width, Some(3)] => Some(([height, width], true)),
        [_, None, height, width] => Some(([height, width], false)),
        _ => None,
    }
    .filter(|(size, _)| size.iter().flatten().all(|size| (1..=1 << 16).contains(size)))
    .ok_or_else(|| {
        let dims: Vec<String> = dims.iter().map(|dim| dim.map_or("?".into(), |dim| dim.to_string())).collect();
        let reason =
            format!("an image of [{}] is not read, [batch, 3, height, width] is, or with the 3 last", dims.join(", "));
        WeightsError::Operator { operator: "input".into(), node: name.into(), reason }
    })
}

/// `usual`: height and width that are taken for granted where nothing tells them.
pub(super) fn fold<'a>(
    network: Network<'a>,
    usual: [usize; 2],
    input: &InputOptions,
) -> Result<Folded<'a>, WeightsError> {
    let Network { format, name, image, hints, nodes, values, mut outputs, chosen, mut budget } = network;
    let image_name = values[image.value].name.clone();
    let (size, channels_last) = image_size(&image, &image_name)?;
    let [height, width] = input.size(size, usual)?;
    let assumed = [input.size_assumed(size, [height, width]), chosen].into_iter().flatten().collect::<Vec<_>>();
    budget::map(|| format!("`{image_name}`"), Shape::Map([3, height, width]))?;
    let names: Vec<Rc<str>> = values.iter().map(|value| value.name.clone()).collect();
    let mut batch = image.dims.first().copied().flatten().and_then(|batch| i64::try_from(batch).ok());
    // A file that leaves the batch open may have been written for one all the same.
    let mut tries = 0;
    loop {
        let first = batch.map_or(Size::Batch(1), Size::Known);
        let sizes = if channels_last { [height, width, 3] } else { [3, height, width] };
        let dims: Vec<Size> = [first].into_iter().chain(sizes.map(known)).collect();
        let mut fold = Fold {
            format,
            names: &names,
            constants: values.iter().map(|value| value.constant.clone()).collect(),
            facts: vec![None; values.len()],
            alias: (0..values.len()).collect(),
            batch: batch.and_then(|batch| usize::try_from(batch).ok()).unwrap_or(1).max(1),
            budget: &mut budget,
        };
        fold.facts[image.value] = Some(Fact::Flow(dims));
        let mut kept = Vec::with_capacity(nodes.len());
        let mut stop = None;
        for node in &nodes {
            match fold.node(node) {
                Ok(Some(node)) => kept.push(node),
                Ok(None) => {}
                Err(error) => {
                    stop = Some(error);
                    break;
                }
            }
            for &value in node.outputs.iter().flatten() {
                if let (Some(stated), Some(Fact::Flow(dims))) = (&values[value].stated, fold.fact(value)) {
                    let agrees = stated.len() == dims.len()
                        && stated
                            .iter()
                            .zip(dims)
                            .skip(1)
                            .all(|(said, size)| said.is_none_or(|said| known(said) == *size));
                    if !agrees {
                        let dims = shown(dims);
                        let reason = format!("`{}` gives {dims}, not the shape that the file states", node.name);
                        return Err(WeightsError::Damaged { format, reason });
                    }
                }
            }
        }
        match stop {
            Some(Stop::Batch(found)) if tries == 0 => {
                (batch, tries) = (Some(found), 1);
                continue;
            }
            Some(Stop::Batch(_)) => {
                let reason = "its batch is more than one number".into();
                return Err(WeightsError::Damaged { format, reason });
            }
            Some(Stop::Error(error)) => return Err(error),
            None => {}
        }
        if outputs.is_empty() {
            return Err(WeightsError::Damaged { format, reason: "it has no result".into() });
        }
        for output in &mut outputs {
            let read = fold.load(output.value);
            output.value = fold.alias[output.value];
            if !matches!(read, Ok(Fact::Flow(_))) {
                let reason = match read {
                    Err(Refusal::Told(error)) => return Err(error),
                    _ => "it is no value of the image alone".into(),
                };
                let node = output.name.to_string();
                return Err(WeightsError::Operator { operator: "output".into(), node, reason });
            }
        }
        let facts = fold.facts;
        let batch = batch.and_then(|batch| u64::try_from(batch).ok());
        return Ok(Folded {
            name,
            hints,
            image: image.value,
            height,
            width,
            channels_last,
            assumed,
            batch,
            nodes: kept,
            facts,
            outputs,
            budget,
        });
    }
}

struct Fold<'n, 'a, 'b> {
    format: &'static str,
    names: &'n [Rc<str>],
    constants: Vec<Option<Stored<'a>>>,
    facts: Vec<Option<Fact>>,
    /// The value that each is another name of.
    alias: Vec<ValueId>,
    /// The batch that is written down, or 1.
    batch: usize,
    budget: &'b mut Budget,
}

/// `[batch, 4, 32, 16]`
pub(super) fn shown(dims: &[Size]) -> String {
    let dims: Vec<String> = dims
        .iter()
        .map(|size| match size {
            Size::Known(size) => size.to_string(),
            Size::Batch(1) => "batch".into(),
            Size::Batch(times) => format!("batch · {times}"),
        })
        .collect();
    format!("[{}]", dims.join(", "))
}

/// The numbers of a value, by how many times the batch.
fn total(dims: &[Size]) -> Option<(i64, bool)> {
    let mut open = false;
    let mut total = 1_i64;
    for size in dims {
        total = total.checked_mul(size.times())?;
        if let Size::Batch(_) = size {
            (!std::mem::replace(&mut open, true)).then_some(())?;
        }
    }
    Some((total, open))
}

/// Two dimensions laid over each other; a constant's own stands for the images' where it has been spread over them.
fn together(a: Size, b: Size) -> Option<Size> {
    match (a, b) {
        (a, b) if a == b => Some(a),
        (Size::Known(1), other) | (other, Size::Known(1)) => Some(other),
        (Size::Batch(a), Size::Known(b)) | (Size::Known(b), Size::Batch(a)) if a == b => Some(Size::Batch(a)),
        _ => None,
    }
}

fn broadcast(a: &[Size], b: &[Size]) -> Result<Vec<Size>, Refusal> {
    let rank = a.len().max(b.len());
    let size = |dims: &[Size], place: usize| {
        (place + dims.len()).checked_sub(rank).map_or(Size::Known(1), |place| dims[place])
    };
    let all: Option<Vec<Size>> = (0..rank).map(|place| together(size(a, place), size(b, place))).collect();
    all.ok_or_else(|| Refusal::Unsupported(format!("of {} and {}", shown(a), shown(b))))
}

/// The dimensions of a constant that may be written down for each of the images that `dims` has.
fn each_image(mut constant: Vec<Size>, dims: &[Size]) -> Vec<Size> {
    if constant.len() == dims.len()
        && let (Some(first), Some(Size::Batch(1))) = (constant.first_mut(), dims.first())
    {
        *first = Size::Known(1);
    }
    constant
}

impl From<WeightsError> for Stop {
    fn from(error: WeightsError) -> Self {
        Self::Error(error)
    }
}

/// A refusal, or the batch that makes it none.
enum Halt {
    Refusal(Refusal),
    Batch(i64),
}

impl<R: Into<Refusal>> From<R> for Halt {
    fn from(refusal: R) -> Self {
        Self::Refusal(refusal.into())
    }
}

impl<'a> Fold<'_, 'a, '_> {
    fn fact(&self, value: ValueId) -> Option<&Fact> {
        self.facts[self.alias[value]].as_ref()
    }

    /// What a node before gave, or a tensor of the file.
    fn load(&mut self, value: ValueId) -> Result<Fact, Refusal> {
        let value = self.alias[value];
        if let Some(fact) = &self.facts[value] {
            return Ok(fact.clone());
        }
        let name = self.names[value].clone();
        let Some(stored) = self.constants[value].clone() else {
            let reason =
                format!("`{name}` is read, which no node before gives: it is missing, or the nodes stand in a circle");
            return Err(WeightsError::Damaged { format: self.format, reason }.into());
        };
        let fact = self.constant(&stored, &name, || format!("the tensor `{name}`"))?;
        self.facts[value] = Some(fact.clone());
        Ok(fact)
    }

    fn constant(&mut self, stored: &Stored, name: &Rc<str>, what: impl FnOnce() -> String) -> Result<Fact, Refusal> {
        let (shape, numbers) = (stored.read)()?;
        self.budget.spend(numbers.len()).map_err(|error| error.of(what()))?;
        Ok(match numbers {
            Numbers::Floats(values) => Fact::Floats(Array { shape, values: values.into(), name: name.clone() }),
            Numbers::Integers(values) => {
                Fact::Sizes(Array::new(shape, values.into_iter().map(Size::Known).collect::<Vec<_>>()))
            }
        })
    }

    /// Finds what a node gives; the node itself, with its inputs by their first names, where it depends on the image.
    fn node(&mut self, node: &Node<'a>) -> Result<Option<Node<'a>>, Stop> {
        let facts = match self.give(node) {
            Ok(facts) => facts,
            Err(Halt::Batch(batch)) => return Err(Stop::Batch(batch)),
            Err(Halt::Refusal(refusal)) => return Err(node.refuse(refusal).into()),
        };
        let Some(facts) = facts else { return Ok(None) };
        let mut depends = false;
        for (value, fact) in node.outputs.iter().zip(facts) {
            let Some(value) = *value else { continue };
            self.check(&fact).map_err(|error| node.refuse(error.into()))?;
            depends |= matches!(fact, Fact::Flow(_));
            self.facts[value] = Some(fact);
        }
        let mut inputs: Vec<Option<ValueId>> =
            node.inputs.iter().map(|input| input.map(|input| self.alias[input])).collect();
        if node.kind == "Concat" {
            // A shift by 0 joins with nothing.
            let is_nothing =
                |value: ValueId| matches!(&self.facts[value], Some(Fact::Flow(dims)) if dims.contains(&Size::Known(0)));
            inputs.retain(|input| !input.is_some_and(is_nothing));
        }
        Ok(depends.then(|| Node { inputs, ..node.clone() }))
    }

    fn check(&self, fact: &Fact) -> Result<(), TooMuch> {
        let (axes, numbers) = match fact {
            Fact::Floats(floats) => (floats.shape.len(), 0),
            Fact::Sizes(sizes) => (sizes.shape.len(), 0),
            Fact::Places(places) => (places.shape.len(), 0),
            Fact::Flow(dims) => {
                let each = dims.iter().map(|size| usize::try_from(size.times()).unwrap_or(0));
                (dims.len(), each.fold(1_usize, usize::saturating_mul))
            }
        };
        budget::within(String::new, axes as u64, "dimensions", AXES as u64)?;
        let each = numbers / self.batch;
        // Of a map the channels are bounded for themselves.
        let channels = match fact {
            Fact::Flow(dims) if dims.len() == 4 => dims[1].known().and_then(|size| usize::try_from(size).ok()),
            _ => None,
        };
        let channels = channels.filter(|&channels| channels > 0 && each.is_multiple_of(channels)).unwrap_or(1);
        budget::map(String::new, Shape::Map([channels, 1, each / channels]))
    }

    // The inputs.

    fn at(&mut self, node: &Node, port: usize) -> Result<Fact, Refusal> {
        self.load(node.input(port)?)
    }

    fn dims(&mut self, node: &Node, port: usize) -> Result<Vec<Size>, Refusal> {
        match self.at(node, port)? {
            Fact::Flow(dims) => Ok(dims),
            Fact::Floats(Array { shape, .. }) | Fact::Sizes(Array { shape, .. }) => {
                Ok(shape.into_iter().map(known).collect())
            }
            Fact::Places(_) => unsupported("of the images' numbers"),
        }
    }

    fn sizes(&mut self, node: &Node, port: usize) -> Result<Array<Size>, Refusal> {
        match self.at(node, port)? {
            Fact::Sizes(sizes) => Ok(sizes),
            _ => unsupported(format!("its input {port} is no list of whole numbers")),
        }
    }

    /// Constant whole numbers; `None` where they are left out.
    fn integers(&mut self, node: &Node, port: usize) -> Result<Option<Vec<i64>>, Refusal> {
        if !node.has(port) {
            return Ok(None);
        }
        let sizes = self.sizes(node, port)?;
        let what = || format!("the input {port} of `{}` ({})", node.name, node.word);
        budget::within(what, sizes.values.len() as u64, "whole numbers", LIST as u64)?;
        let known = sizes.known().ok_or_else(|| Refusal::Unsupported("it depends on the batch".into()))?;
        Ok(Some(known.values.to_vec()))
    }

    /// The numbers of a list of sizes, as far as they are known.
    fn target(&mut self, node: &Node, port: usize) -> Result<Vec<Size>, Refusal> {
        let sizes = self.sizes(node, port)?;
        budget::within(String::new, sizes.values.len() as u64, "dimensions", AXES as u64)?;
        Ok(sizes.values.to_vec())
    }

    /// A shape of constants that are laid over the images anyway: the batch of one of them.
    fn of_image(&self, target: &[Size]) -> Result<Vec<usize>, Refusal> {
        let one = |size: &Size| usize::try_from(size.times()).ok();
        let shape: Option<Vec<usize>> = target.iter().map(one).collect();
        shape.ok_or_else(|| Refusal::Damaged(format!("has the shape {}", shown(target))))
    }

    // The nodes.

    /// What a node gives; `None` where that is what it is given.
    fn give(&mut self, node: &Node<'a>) -> Result<Option<Vec<Fact>>, Halt> {
        let one = |fact| Ok(Some(vec![fact]));
        if node.kind == "Constant" {
            let Some(Attribute::Constant(stored)) = node.attributes.get("value") else {
                return Err(Refusal::Unsupported("its value is neither a tensor nor numbers".into()).into());
            };
            let name = node.outputs.first().copied().flatten().map_or(node.name.clone(), |id| self.names[id].clone());
            return one(self.constant(stored, &name, String::new)?);
        }
        let first = self.at(node, 0)?;
        if let "Identity" | "Dropout" = node.kind {
            return Ok(self.same(node, 0)?);
        }
        match node.kind {
            "Shape" => return one(Fact::Sizes(self.shape(node, &first)?)),
            "Size" => {
                let all = self
                    .dims(node, 0)?
                    .iter()
                    .try_fold(Size::Known(1), |all, &size| sizes::arithmetic(Arithmetic::Multiply, all, size))?;
                return one(Fact::Sizes(Array::new(vec![], vec![all])));
            }
            "Cast" => return self.cast(node, first),
            "Range" => return one(self.range(node)?),
            "ConstantOfShape" => return one(self.constant_of_shape(node)?),
            _ => {}
        }
        let mut depends = false;
        for port in 0..node.inputs.len() {
            depends |= node.has(port) && matches!(self.at(node, port)?, Fact::Flow(_));
        }
        if depends { self.flow(node) } else { Ok(Some(self.of_constants(node, first)?)) }
    }

    /// Another name of an input.
    fn same(&mut self, node: &Node, port: usize) -> Result<Option<Vec<Fact>>, Refusal> {
        let input = self.alias[node.input(port)?];
        if let Some(value) = node.outputs.first().copied().flatten() {
            self.alias[value] = input;
        }
        Ok(None)
    }

    fn shape(&mut self, node: &Node, first: &Fact) -> Result<Array<Size>, Refusal> {
        let list = match first {
            Fact::Places(_) => return unsupported("of what is no value of the network"),
            _ => self.dims(node, 0)?,
        };
        let (start, length) = run(node.integer("start", 0), node.integer("end", i64::MAX), 1, list.len())?;
        Ok(Array::list(&list[start..][..length]))
    }

    fn cast(&mut self, node: &Node, first: Fact) -> Result<Option<Vec<Fact>>, Halt> {
        let to = node.text("to");
        match (first, to) {
            (Fact::Sizes(_) | Fact::Places(_), "integer") | (Fact::Flow(_) | Fact::Floats(_), "float") => {
                Ok(self.same(node, 0)?)
            }
            (Fact::Sizes(sizes), "bool") if sizes.known().is_some() => {
                let values: Vec<Size> =
                    sizes.values.iter().map(|size| Size::Known((size.times() != 0).into())).collect();
                Ok(Some(vec![Fact::Sizes(Array::new(sizes.shape, values))]))
            }
            (Fact::Sizes(sizes), "float") => match sizes.known() {
                Some(whole) => {
                    self.budget.spend(whole.values.len())?;
                    let values: Vec<f32> = whole.values.iter().map(|&size| size as f32).collect();
                    Ok(Some(vec![Fact::Floats(Array::new(sizes.shape, values))]))
                }
                // A number of images stays whole on the way.
                None => Ok(self.same(node, 0)?),
            },
            (Fact::Floats(floats), "integer") => {
                self.budget.spend(floats.values.len())?;
                let values: Vec<Size> = floats.values.iter().map(|&value| Size::Known(value as i64)).collect();
                Ok(Some(vec![Fact::Sizes(Array::new(floats.shape, values))]))
            }
            (_, to) => Err(Refusal::Unsupported(format!(
                "to {}'s type {}",
                self.format,
                match to {
                    "bool" | "integer" | "float" => node.text("type"),
                    other => other,
                }
            ))
            .into()),
        }
    }

    /// Numbers in a row, or those of the images.
    fn range(&mut self, node: &Node) -> Result<Fact, Refusal> {
        let mut one = |port| {
            let sizes = self.sizes(node, port)?;
            let list = || Refusal::Damaged(format!("has a list as its input {port}"));
            sizes.single().copied().ok_or_else(list)
        };
        match (one(0)?, one(1)?, one(2)?) {
            (Size::Known(0), Size::Batch(1), Size::Known(1)) => Ok(Fact::Places(Places::batch())),
            (Size::Known(start), Size::Known(end), Size::Known(step)) if step != 0 => {
                let (way, step_by) = (i128::from(end) - i128::from(start), i128::from(step));
                let is_empty = way == 0 || (way < 0) != (step < 0);
                let count = if is_empty { 0 } else { way.unsigned_abs().div_ceil(step_by.unsigned_abs()) };
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                self.budget.spend(count)?;
                let list: Vec<Size> =
                    (0..count as i64).map(|place| Size::Known(start.wrapping_add(place.wrapping_mul(step)))).collect();
                Ok(Fact::Sizes(Array::list(list)))
            }
            _ => unsupported("it depends on the batch"),
        }
    }

    /// One number over and over.
    fn constant_of_shape(&mut self, node: &Node) -> Result<Fact, Refusal> {
        let target = self.target(node, 0)?;
        let shape = self.of_image(&target)?;
        self.budget.spend(count(&shape))?;
        let value = if node.has(1) { self.at(node, 1)? } else { Fact::Floats(Array::list([0.0])) };
        let wrong = || Refusal::Damaged("has no value".into());
        Ok(match value {
            Fact::Floats(floats) => {
                let value = *floats.single().ok_or_else(wrong)?;
                Fact::Floats(Array::new(shape.clone(), vec![value; count(&shape)]))
            }
            Fact::Sizes(sizes) => {
                let value = *sizes.single().ok_or_else(wrong)?;
                Fact::Sizes(Array::new(shape.clone(), vec![value; count(&shape)]))
            }
            _ => return Err(wrong()),
        })
    }

    /// What a node makes of constants.
    fn of_constants(&mut self, node: &Node, first: Fact) -> Result<Vec<Fact>, Refusal> {
        if let Some(how) = arithmetic(node.kind) {
            return Ok(vec![self.constant_arithmetic(node, how, first)?]);
        }
        if let Fact::Places(places) = first {
            let shape = match node.kind {
                "Reshape" | "Unsqueeze" | "Squeeze" => {
                    let dims: Vec<Size> =
                        [Size::Batch(1)].into_iter().chain(places.shape.iter().map(|&size| known(size))).collect();
                    match self.moved_dims(node, &dims) {
                        Ok(dims) => dims,
                        Err(Halt::Refusal(refusal)) => return Err(refusal),
                        Err(Halt::Batch(_)) => return unsupported("of the images' numbers"),
                    }
                }
                _ => return unsupported("of the images' numbers"),
            };
            let rest = shape.split_first().filter(|(first, _)| **first == Size::Batch(1));
            let Some((_, rest)) = rest else { return unsupported("of the images' numbers") };
            return Ok(vec![Fact::Places(places.reshaped(self.of_image(rest)?)?)]);
        }
        /// The same of numbers of either kind.
        macro_rules! either {
            ($of:ident => $moved:expr) => {
                match first {
                    Fact::Floats($of) => Fact::Floats($moved),
                    Fact::Sizes($of) => Fact::Sizes($moved),
                    _ => return unsupported("of what is no constant"),
                }
            };
        }
        let fact = match node.kind {
            "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" => {
                let dims: Vec<Size> = self.dims(node, 0)?;
                let shape = match self.moved_dims(node, &dims) {
                    Ok(dims) => self.of_image(&dims)?,
                    Err(Halt::Refusal(Refusal::Unsupported(_))) | Err(Halt::Batch(_)) => {
                        return damaged("changes the number of constants");
                    }
                    Err(Halt::Refusal(refusal)) => return Err(refusal),
                };
                either!(of => of.reshaped(shape)?)
            }
            "Transpose" => {
                let order = order(node, self.dims(node, 0)?.len())?;
                either!(of => of.transposed(&order, self.budget)?)
            }
            "Expand" => {
                let target = self.target(node, 1)?;
                let target = self.of_image(&target)?;
                either!(of => of.stretched(&target, self.budget)?)
            }
            "Tile" => {
                let times = self.integers(node, 1)?.unwrap_or_default();
                let times: Option<Vec<usize>> = times.iter().map(|&times| usize::try_from(times).ok()).collect();
                let Some(times) = times else { return damaged("repeats less than nothing") };
                either!(of => {
                    let mut of = of;
                    for (along, &times) in times.iter().enumerate().filter(|(_, times)| **times != 1) {
                        if along >= of.shape.len() || times > LIST {
                            return damaged("repeats what is not there");
                        }
                        of = Array::joined(&vec![of; times], along, self.budget)?;
                    }
                    of
                })
            }
            "Concat" => {
                let mut parts = Vec::new();
                let rank = self.dims(node, 0)?.len();
                let along = axis(node.integer("axis", 0), rank)?;
                for port in 0..node.inputs.len() {
                    parts.push(self.at(node, port)?);
                }
                if parts.iter().all(|part| matches!(part, Fact::Floats(_))) {
                    let parts: Vec<_> = parts
                        .into_iter()
                        .filter_map(|part| if let Fact::Floats(part) = part { Some(part) } else { None })
                        .collect();
                    Fact::Floats(Array::joined(&parts, along, self.budget)?)
                } else {
                    let mut sizes = Vec::new();
                    for port in 0..node.inputs.len() {
                        sizes.push(self.sizes(node, port)?);
                    }
                    Fact::Sizes(Array::joined(&sizes, along, self.budget)?)
                }
            }
            "Slice" => {
                let cuts = self.cuts(node)?;
                either!(of => {
                    let mut of = of;
                    for (along, start, end, step) in cuts {
                        let along = axis(along, of.shape.len())?;
                        let Some(end) = end.known() else { return unsupported("it depends on the batch") };
                        let cut = run(start, end, step, of.shape[along])?;
                        of = of.sliced(along, cut, step, self.budget)?;
                    }
                    of
                })
            }
            "Gather" => {
                let at = self.sizes(node, 1)?;
                let at = at.known().ok_or_else(|| Refusal::Unsupported("at places that depend on the batch".into()))?;
                let rank = self.dims(node, 0)?.len();
                let along = axis(node.integer("axis", 0), rank)?;
                either!(of => of.gathered(along, &at, self.budget)?)
            }
            "Split" => {
                let (along, lengths) = self.split(node)?;
                let mut start = 0;
                let mut parts = Vec::new();
                for length in lengths {
                    parts.push(match &first {
                        Fact::Floats(of) => Fact::Floats(of.sliced(along, (start, length), 1, self.budget)?),
                        Fact::Sizes(of) => Fact::Sizes(of.sliced(along, (start, length), 1, self.budget)?),
                        _ => return unsupported("of what is no constant"),
                    });
                    start += length;
                }
                return Ok(parts);
            }
            "Equal" | "Less" | "Greater" | "And" | "Or" | "LessOrEqual" | "GreaterOrEqual" => {
                let kind = node.kind;
                let (a, b) = (self.sizes(node, 0)?, self.sizes(node, 1)?);
                Fact::Sizes(a.zip(&b, self.budget, |&a, &b| compare(kind, a, b))?)
            }
            "Not" => {
                let sizes = self.sizes(node, 0)?;
                let values: Vec<Size> =
                    sizes.values.iter().map(|size| Size::Known((*size == Size::Known(0)).into())).collect();
                Fact::Sizes(Array::new(sizes.shape, values))
            }
            "Where" => {
                let which = self.sizes(node, 0)?;
                match (self.at(node, 1)?, self.at(node, 2)?) {
                    (Fact::Sizes(yes), Fact::Sizes(no)) => Fact::Sizes(self.choose(&which, &yes, &no)?),
                    (Fact::Floats(yes), Fact::Floats(no)) => Fact::Floats(self.choose(&which, &yes, &no)?),
                    _ => return unsupported("of other values than the network's"),
                }
            }
            "Sqrt" | "Reciprocal" | "Neg" | "Exp" | "Log" | "Abs" | "Floor" | "Ceil" | "Relu" | "Sigmoid" | "Tanh"
            | "Softplus" | "Clip" => match first {
                Fact::Sizes(sizes) if let "Neg" | "Floor" | "Ceil" | "Abs" = node.kind => {
                    let sign = |size: &Size| match (node.kind, *size) {
                        ("Neg", Size::Known(size)) => Size::Known(size.wrapping_neg()),
                        ("Neg", Size::Batch(size)) => Size::Batch(size.wrapping_neg()),
                        ("Abs", Size::Known(size)) => Size::Known(size.wrapping_abs()),
                        (_, size) => size,
                    };
                    let values: Vec<Size> = sizes.values.iter().map(sign).collect();
                    Fact::Sizes(Array::new(sizes.shape, values))
                }
                first => {
                    let floats = self.floats_of(first)?;
                    self.budget.spend(floats.values.len())?;
                    let limits =
                        if node.kind == "Clip" { [self.number(node, 1)?, self.number(node, 2)?] } else { [None; 2] };
                    let of = |x: &f32| match node.kind {
                        "Sqrt" => x.sqrt(),
                        "Reciprocal" => x.recip(),
                        "Neg" => -x,
                        "Exp" => x.exp(),
                        "Log" => x.ln(),
                        "Abs" => x.abs(),
                        "Floor" => x.floor(),
                        "Ceil" => x.ceil(),
                        "Relu" => x.max(0.0),
                        "Sigmoid" => (1.0 + (-x).exp()).recip(),
                        "Tanh" => x.tanh(),
                        "Softplus" => x.exp().ln_1p(),
                        _ => x
                            .max(limits[0].map_or(f32::NEG_INFINITY, |low| low as f32))
                            .min(limits[1].map_or(f32::INFINITY, |high| high as f32)),
                    };
                    Fact::Floats(Array { values: floats.values.iter().map(of).collect(), ..floats })
                }
            },
            _ => return unsupported("of constants"),
        };
        Ok(vec![fact])
    }

    fn floats_of(&self, fact: Fact) -> Result<Array<f32>, Refusal> {
        match fact {
            Fact::Floats(floats) => Ok(floats),
            Fact::Sizes(sizes) => {
                let known = sizes.known().ok_or_else(|| Refusal::Unsupported("it depends on the batch".into()))?;
                let values: Vec<f32> = known.values.iter().map(|&value| value as f32).collect();
                Ok(Array::new(sizes.shape, values))
            }
            _ => unsupported("of what is no constant"),
        }
    }

    fn constant_arithmetic(&mut self, node: &Node, how: Option<Arithmetic>, first: Fact) -> Result<Fact, Refusal> {
        Ok(match (first, self.at(node, 1)?) {
            (Fact::Places(places), Fact::Sizes(sizes)) | (Fact::Sizes(sizes), Fact::Places(places)) => {
                let Some(how) = how else { return unsupported("of the images' numbers") };
                Fact::Places(places.with(how, &sizes, self.budget)?)
            }
            (Fact::Sizes(a), Fact::Sizes(b)) => {
                let kind = node.kind;
                Fact::Sizes(a.zip(&b, self.budget, |&a, &b| match (how, kind, a, b) {
                    (Some(how), ..) => sizes::arithmetic(how, a, b),
                    (_, "Mod", Size::Known(a), Size::Known(b)) => {
                        let modulo = a.checked_rem_euclid(b);
                        modulo.map(Size::Known).ok_or_else(|| Refusal::Unsupported("it computes no size".into()))
                    }
                    (_, "Max", Size::Known(a), Size::Known(b)) => Ok(Size::Known(a.max(b))),
                    (_, "Min", Size::Known(a), Size::Known(b)) => Ok(Size::Known(a.min(b))),
                    (_, "Pow", Size::Known(a), Size::Known(b)) => {
                        let power = u32::try_from(b).ok().and_then(|b| a.checked_pow(b));
                        power.map(Size::Known).ok_or_else(|| Refusal::Unsupported("it computes no size".into()))
                    }
                    _ => unsupported("it depends on the batch"),
                })?)
            }
            (first, second) => {
                let (a, b) = (self.floats_of(first)?, self.floats_of(second)?);
                let of = |a: &f32, b: &f32| match node.kind {
                    "Add" => a + b,
                    "Sub" => a - b,
                    "Mul" => a * b,
                    "Div" => a / b,
                    "Pow" => a.powf(*b),
                    "Max" => a.max(*b),
                    "Min" => a.min(*b),
                    _ => a.rem_euclid(*b),
                };
                Fact::Floats(a.zip(&b, self.budget, |a, b| Ok(of(a, b)))?)
            }
        })
    }

    /// Of two arrays number by number the one or the other.
    fn choose<T: Clone>(&mut self, which: &Array<Size>, yes: &Array<T>, no: &Array<T>) -> Result<Array<T>, Refusal> {
        let both = yes.zip(no, self.budget, |yes, no| Ok((yes.clone(), no.clone())))?;
        which.zip(&both, self.budget, |which, (yes, no)| {
            Ok(if *which == Size::Known(0) { no.clone() } else { yes.clone() })
        })
    }

    fn number(&mut self, node: &Node, port: usize) -> Result<Option<f64>, Refusal> {
        if !node.has(port) {
            return Ok(None);
        }
        single(&self.at(node, port)?)
            .map(Some)
            .ok_or_else(|| Refusal::Unsupported(format!("its input {port} is not one constant")))
    }

    // What depends on the image.

    fn flow(&mut self, node: &Node) -> Result<Option<Vec<Fact>>, Halt> {
        let dims = match node.kind {
            // Numbers by number.
            "Add" | "Sub" | "Mul" | "Div" | "Pow" | "Max" | "Min" | "Mod" | "PRelu" | "Where" | "Equal" | "Less"
            | "Greater" => {
                let mut all: Vec<Size> = Vec::new();
                let ports = 0..if node.kind == "PRelu" { 1 } else { node.inputs.len() };
                for port in ports.clone().filter(|&port| node.has(port)) {
                    if let Fact::Flow(dims) = self.at(node, port)? {
                        all = broadcast(&all, &dims)?;
                    }
                }
                for port in ports.filter(|&port| node.has(port)) {
                    if !matches!(self.at(node, port)?, Fact::Flow(_)) {
                        all = broadcast(&all, &each_image(self.dims(node, port)?, &all))?;
                    }
                }
                all
            }
            "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" => {
                let dims = self.dims(node, 0)?;
                self.moved_dims(node, &dims)?
            }
            "Transpose" => {
                let dims = self.dims(node, 0)?;
                order(node, dims.len())?.into_iter().map(|place| dims[place]).collect()
            }
            "Expand" => {
                let dims = self.dims(node, 0)?;
                let target: Vec<Size> = self.target(node, 1)?;
                broadcast(&dims, &target)?
            }
            "Tile" => {
                let times = self.integers(node, 1)?.unwrap_or_default();
                if times.iter().all(|times| *times == 1) {
                    return Ok(self.same(node, 0)?);
                }
                let dims = self.dims(node, 0)?;
                let tiled = dims.iter().zip(&times).map(|(size, &times)| {
                    if times < 1 || (times != 1 && *size != Size::Known(1)) {
                        return unsupported(format!("with the repeats {times:?}"));
                    }
                    sizes::arithmetic(Arithmetic::Multiply, *size, Size::Known(times))
                });
                if times.len() != dims.len() {
                    return Err(Refusal::Damaged("repeats what is not there".into()).into());
                }
                tiled.collect::<Result<_, _>>()?
            }
            "Concat" => {
                let mut all = self.dims(node, 0)?;
                let along = axis(node.integer("axis", 1), all.len())?;
                for port in 1..node.inputs.len() {
                    let dims = self.dims(node, port)?;
                    if dims.len() != all.len() {
                        return Err(Refusal::Damaged("joins values that do not go together".into()).into());
                    }
                    for (place, (size, own)) in all.iter_mut().zip(dims).enumerate() {
                        *size = if place == along {
                            sizes::arithmetic(Arithmetic::Add, *size, own)?
                        } else {
                            together(*size, own)
                                .ok_or_else(|| Refusal::Damaged("joins values that do not go together".into()))?
                        };
                    }
                }
                all
            }
            "Split" => {
                let dims = self.dims(node, 0)?;
                let (along, lengths) = self.split(node)?;
                let part = |length: usize| {
                    let mut dims = dims.clone();
                    dims[along] = known(length);
                    Fact::Flow(dims)
                };
                return Ok(Some(lengths.into_iter().map(part).collect()));
            }
            "Slice" => {
                let mut dims = self.dims(node, 0)?;
                for (along, start, end, step) in self.cuts(node)? {
                    let along = axis(along, dims.len())?;
                    dims[along] = match (dims[along], end) {
                        (Size::Known(size), Size::Known(end)) => {
                            let (_, length) = run(start, end, step, usize::try_from(size).unwrap_or(0))?;
                            known(length)
                        }
                        // All images.
                        (size @ Size::Batch(_), Size::Batch(times)) if start == 0 && step == 1 && times > 0 => size,
                        (size @ Size::Batch(_), Size::Known(end))
                            if start == 0 && step == 1 && end >= i64::from(i32::MAX) =>
                        {
                            size
                        }
                        (Size::Batch(_), _) => {
                            return Err(Refusal::Unsupported("of some images of the batch".into()).into());
                        }
                        _ => return Err(Refusal::Unsupported("it depends on the batch".into()).into()),
                    };
                }
                dims
            }
            "Gather" => {
                let dims = self.dims(node, 0)?;
                let along = axis(node.integer("axis", 0), dims.len())?;
                let at: Vec<Size> = match self.at(node, 1)? {
                    Fact::Places(places) => {
                        [Size::Batch(1)].into_iter().chain(places.shape.iter().map(|&size| known(size))).collect()
                    }
                    Fact::Sizes(sizes) => {
                        budget::within(String::new, sizes.values.len() as u64, "whole numbers", 1 << 26)?;
                        sizes.shape.iter().map(|&size| known(size)).collect()
                    }
                    _ => return Err(Refusal::Unsupported("its input 1 is no list of whole numbers".into()).into()),
                };
                [&dims[..along], &at, &dims[along + 1..]].concat()
            }
            "Pad" => {
                let mut dims = self.dims(node, 0)?;
                let pads = self.pads(node, dims.len())?;
                if pads.iter().all(|pads| *pads == [0, 0]) {
                    return Ok(self.same(node, 0)?);
                }
                for (size, [before, behind]) in dims.iter_mut().zip(pads) {
                    let more = before.checked_add(behind).map(Size::Known);
                    let more = more.ok_or_else(|| Refusal::Damaged("has pads without end".into()))?;
                    *size = sizes::arithmetic(Arithmetic::Add, *size, more)?;
                }
                dims
            }
            "Conv" => {
                let (dims, weight) = (self.dims(node, 0)?, self.constant_shape(node, 1)?);
                let Some(([outputs, inputs], [kh, kw], groups)) = convolution_weight(&weight) else {
                    return Err(Refusal::Unsupported(format!("with weights of shape {weight:?}")).into());
                };
                let &[batch, channels, height, width] = &dims[..] else {
                    let reason = format!("its input of {} is no map of channels", shown(&dims));
                    return Err(Refusal::Unsupported(reason).into());
                };
                let groups = groups.or(usize::try_from(node.integer("group", 1)).ok());
                let taken = groups.and_then(|groups| Some((groups, groups.checked_mul(inputs)?)));
                let Some((groups, taken)) = taken else {
                    return Err(Refusal::Damaged("has groups that do not fit".into()).into());
                };
                if groups == 0 || channels != known(taken) {
                    let reason = format!("cannot take {} with weights of {weight:?} in {groups} groups", shown(&dims));
                    return Err(Refusal::Damaged(reason).into());
                }
                let window = Window::of(node, [kh, kw], [height, width], false)?;
                let [height, width] = window.output([height, width])?;
                vec![batch, known(outputs), known(height), known(width)]
            }
            "MaxPool" | "AveragePool" => {
                let dims = self.dims(node, 0)?;
                let &[batch, channels, height, width] = &dims[..] else {
                    return Err(
                        Refusal::Unsupported(format!("its input of {} is no map of channels", shown(&dims))).into()
                    );
                };
                let window = Window::of_pool(node, [height, width])?;
                let [height, width] = window.output([height, width])?;
                vec![batch, channels, known(height), known(width)]
            }
            "GlobalAveragePool" | "GlobalMaxPool" => {
                let mut dims = self.dims(node, 0)?;
                dims.iter_mut().skip(2).for_each(|size| *size = Size::Known(1));
                dims
            }
            "ReduceMean" | "ReduceMax" | "ReduceSum" | "ReduceL2" | "ReduceMin" => {
                let dims = self.dims(node, 0)?;
                let along = match self.integers(node, 1)? {
                    Some(list) => axes(&list, dims.len())?,
                    None if node.integer("noop_with_empty_axes", 0) != 0 => return Ok(self.same(node, 0)?),
                    // Without axes it is over all of them.
                    None => (0..dims.len()).collect(),
                };
                reduced(&dims, &along, node.integer("keepdims", 1) != 0)
            }
            "Gemm" => {
                let (dims, weight) = (self.dims(node, 0)?, self.constant_shape(node, 1)?);
                let (&[rows, _], &[inputs, outputs]) = (&dims[..], &weight[..]) else {
                    return Err(Refusal::Unsupported(format!("with weights of shape {weight:?}")).into());
                };
                vec![rows, known(if node.integer("transB", 0) != 0 { inputs } else { outputs })]
            }
            "MatMul" => {
                let (mut a, mut b) = (self.dims(node, 0)?, self.dims(node, 1)?);
                if a.len() < 2 || b.len() < 2 {
                    return Err(Refusal::Unsupported(format!("of {} and {}", shown(&a), shown(&b))).into());
                }
                let (mut columns, mut inner) = (b.pop(), b.pop());
                if node.integer("transB", 0) != 0 {
                    std::mem::swap(&mut columns, &mut inner);
                }
                let (own, rows) = (a.pop(), a.pop());
                if own != inner {
                    return Err(Refusal::Damaged(format!("cannot take {own:?} values for {inner:?}")).into());
                }
                let mut dims = broadcast(&a, &b)?;
                dims.extend(rows);
                dims.extend(columns);
                dims
            }
            "Attention" => {
                let (q, v) = (self.dims(node, 0)?, self.dims(node, 2)?);
                let ([.., _], [.., columns]) = (&q[..], &v[..]) else {
                    return Err(Refusal::Unsupported(format!("of {}", shown(&q))).into());
                };
                let mut dims = q.clone();
                dims.pop();
                dims.push(*columns);
                dims
            }
            "Resize" => self.resized(node)?,
            "DepthToSpace" | "SpaceToDepth" => {
                return Err(Refusal::Unsupported("there is nothing like it here".into()).into());
            }
            kind if words::find(OF_ITS_SHAPE, kind).is_some() => self.dims(node, 0)?,
            _ => return Err(Refusal::Unsupported("there is nothing like it here".into()).into()),
        };
        let mut facts = vec![Fact::Flow(dims)];
        // Further outputs are statistics, which nobody reads.
        facts.truncate(node.outputs.len());
        Ok(Some(facts))
    }

    fn constant_shape(&mut self, node: &Node, port: usize) -> Result<Vec<usize>, Refusal> {
        match self.at(node, port)? {
            Fact::Floats(floats) => Ok(floats.shape),
            _ => unsupported(format!("its input {port} is not constant")),
        }
    }

    /// The dimensions after a reshape, a squeeze or their like.
    fn moved_dims(&mut self, node: &Node, dims: &[Size]) -> Result<Vec<Size>, Halt> {
        match node.kind {
            "Flatten" => {
                let along = node.integer("axis", 1);
                let along = if along == dims.len() as i64 { dims.len() } else { axis(along, dims.len())? };
                let product = |dims: &[Size]| {
                    dims.iter()
                        .try_fold(Size::Known(1), |all, &size| sizes::arithmetic(Arithmetic::Multiply, all, size))
                };
                Ok(vec![product(&dims[..along])?, product(&dims[along..])?])
            }
            "Squeeze" => {
                let list = self.integers(node, 1)?;
                let along = match &list {
                    Some(list) => axes(list, dims.len())?,
                    None => (0..dims.len()).filter(|&place| dims[place] == Size::Known(1)).collect(),
                };
                if along.iter().any(|&place| dims[place] != Size::Known(1)) {
                    return Err(Refusal::Unsupported(format!("of the axes {along:?} of {}", shown(dims))).into());
                }
                let kept = dims.iter().enumerate().filter(|(place, _)| !along.contains(place));
                Ok(kept.map(|(_, size)| *size).collect())
            }
            "Unsqueeze" => {
                let missing = || Refusal::Damaged("names no axes".into());
                if !node.has(1) {
                    return Err(missing().into());
                }
                let more = self.sizes(node, 1)?.values.len();
                budget::within(String::new, (dims.len() + more) as u64, "dimensions", AXES as u64)?;
                let list = self.integers(node, 1)?.ok_or_else(missing)?;
                let rank = dims.len() + list.len();
                budget::within(String::new, rank as u64, "dimensions", AXES as u64)?;
                let along = axes(&list, rank)?;
                if along.len() != list.len() {
                    return Err(Refusal::Damaged("names an axis twice".into()).into());
                }
                let mut more = dims.to_vec();
                along.into_iter().for_each(|place| more.insert(place, Size::Known(1)));
                Ok(more)
            }
            _ => self.reshaped(node, dims),
        }
    }

    fn reshaped(&mut self, node: &Node, dims: &[Size]) -> Result<Vec<Size>, Halt> {
        let target = self.target(node, 1)?;
        let keeps = node.integer("allowzero", 0) == 0;
        let wrong = || {
            Refusal::Unsupported(format!(
                "from {} to {}, another number of values an image",
                shown(dims),
                shown(&target)
            ))
        };
        let (all, open) = total(dims).filter(|(all, _)| *all > 0).ok_or_else(wrong)?;
        let mut found = Vec::with_capacity(target.len());
        let mut rest = None;
        for (place, &size) in target.iter().enumerate() {
            found.push(match size {
                Size::Known(0) if keeps => dims.get(place).copied().unwrap_or(Size::Known(0)),
                Size::Known(-1) if rest.replace(place).is_none() => Size::Known(1),
                size => size,
            });
        }
        let (given, has_batch) = total(&found).filter(|(given, _)| *given > 0).ok_or_else(wrong)?;
        // Whoever exports for a fixed batch writes it down as a number: the first such number tells it where the image's
        // shape does not.
        if open && !has_batch {
            match (rest, found.first()) {
                (Some(place), Some(&Size::Known(first))) if place > 0 && dims[0] == Size::Batch(1) => {
                    return Err(Halt::Batch(first));
                }
                (None, _) if given % all == 0 => return Err(Halt::Batch(given / all)),
                (None, _) => return Err(wrong().into()),
                _ => {}
            }
        }
        if let Some(place) = rest {
            if all % given != 0 {
                return Err(wrong().into());
            }
            let left = all / given;
            found[place] = if open && !has_batch { Size::Batch(left) } else { Size::Known(left) };
        }
        if total(&found) != Some((all, open)) {
            return Err(wrong().into());
        }
        Ok(found)
    }

    /// Axis, start, end and step of each cut.
    fn cuts(&mut self, node: &Node) -> Result<Vec<(i64, i64, Size, i64)>, Refusal> {
        let missing = || Refusal::Damaged("does not say where it begins and ends".into());
        let starts = self.integers(node, 1)?.ok_or_else(missing)?;
        let ends = if node.has(2) { self.sizes(node, 2)?.values } else { return Err(missing()) };
        let axes = self.integers(node, 3)?.unwrap_or_else(|| (0..starts.len() as i64).collect());
        let steps = self.integers(node, 4)?.unwrap_or_else(|| vec![1; starts.len()]);
        if starts.len() != ends.len() || starts.len() != axes.len() || starts.len() != steps.len() {
            return Err(missing());
        }
        Ok((0..starts.len()).map(|place| (axes[place], starts[place], ends[place], steps[place])).collect())
    }

    /// The axis and the lengths of the parts.
    fn split(&mut self, node: &Node) -> Result<(usize, Vec<usize>), Refusal> {
        let dims = self.dims(node, 0)?;
        let along = axis(node.integer("axis", 0), dims.len())?;
        let Some(total) = dims[along].known().and_then(|size| usize::try_from(size).ok()) else {
            return unsupported("of some images of the batch");
        };
        let parts = node.outputs.len();
        let lengths = match self.integers(node, 1)? {
            Some(lengths) => lengths,
            None => {
                let each = total.div_ceil(parts.max(1));
                let begin = |part: usize| (part * each).min(total);
                (0..parts).map(|part| (begin(part + 1) - begin(part)) as i64).collect()
            }
        };
        let wrong = || Refusal::Damaged(format!("has the parts {lengths:?}, which do not make its {total} values"));
        let known: Option<Vec<usize>> = lengths.iter().map(|&length| usize::try_from(length).ok()).collect();
        let known = known.filter(|known| known.iter().all(|length| *length > 0)).ok_or_else(wrong)?;
        let sum = known.iter().try_fold(0_usize, |sum, &length| sum.checked_add(length));
        if known.len() != parts || sum != Some(total) {
            return Err(wrong());
        }
        Ok((along, known))
    }

    /// Before and behind each dimension.
    fn pads(&mut self, node: &Node, rank: usize) -> Result<Vec<[i64; 2]>, Refusal> {
        let pads = self.integers(node, 1)?.ok_or_else(|| Refusal::Damaged("has no pads".into()))?;
        let along = match self.integers(node, 3)? {
            Some(list) => list.iter().map(|&along| axis(along, rank)).collect::<Result<Vec<_>, _>>()?,
            None => (0..rank).collect(),
        };
        if pads.len() != 2 * along.len() {
            return damaged("has pads of other dimensions than its input's");
        }
        let mut all = vec![[0; 2]; rank];
        for (place, &dim) in along.iter().enumerate() {
            all[dim] = [pads[place], pads[along.len() + place]];
        }
        if all.iter().flatten().any(|pad| *pad < 0) {
            return unsupported("with pads below 0");
        }
        Ok(all)
    }

    /// Resize: the sizes as they are told, or the input's times the scales.
    fn resized(&mut self, node: &Node) -> Result<Vec<Size>, Refusal> {
        let dims = self.dims(node, 0)?;
        if node.has(3) {
            let sizes = self.target(node, 3)?;
            let along = match node.integers("axes") {
                Some(list) => list.iter().map(|&along| axis(along, dims.len())).collect::<Result<Vec<_>, _>>()?,
                None => (0..dims.len()).collect(),
            };
            if sizes.len() != along.len() {
                return damaged("has sizes of other dimensions than its input's");
            }
            let mut all = dims;
            along.into_iter().zip(sizes).for_each(|(place, size)| all[place] = size);
            return Ok(all);
        }
        if !node.has(2) {
            return damaged("has neither scales nor sizes");
        }
        let scales = match self.at(node, 2)? {
            Fact::Floats(scales) if scales.values.len() == dims.len() => scales.values,
            _ => return unsupported("with scales that are no constants"),
        };
        let scaled = dims.iter().zip(&scales[..]).map(|(size, &scale)| match size {
            _ if scale == 1.0 => Ok(*size),
            Size::Known(size) if (0.0..=1e4).contains(&scale) => {
                Ok(Size::Known((*size as f64 * f64::from(scale)) as i64))
            }
            _ => unsupported("with scales of the batch"),
        });
        scaled.collect()
    }
}

/// The one number of a constant.
pub(super) fn single(fact: &Fact) -> Option<f64> {
    match fact {
        Fact::Floats(floats) => floats.single().map(|&value| value.into()),
        Fact::Sizes(sizes) => sizes.single()?.known().map(|value| value as f64),
        _ => None,
    }
}

/// Of `dims` those that stay when the axes `along` are put together.
fn reduced(dims: &[Size], along: &[usize], keep: bool) -> Vec<Size> {
    let place = |(place, size): (usize, &Size)| match along.contains(&place) {
        true => keep.then_some(Size::Known(1)),
        false => Some(*size),
    };
    dims.iter().enumerate().filter_map(place).collect()
}

/// What reckons with two numbers; without a word for it where there is none for sizes of the batch.
fn arithmetic(kind: &str) -> Option<Option<Arithmetic>> {
    Some(match kind {
        "Add" => Some(Arithmetic::Add),
        "Sub" => Some(Arithmetic::Subtract),
        "Mul" => Some(Arithmetic::Multiply),
        "Div" => Some(Arithmetic::Divide),
        "Pow" | "Max" | "Min" | "Mod" => None,
        _ => return None,
    })
}

fn compare(kind: &str, a: Size, b: Size) -> Result<Size, Refusal> {
    if kind == "Equal" {
        return sizes::is_equal(a, b);
    }
    let (Size::Known(a), Size::Known(b)) = (a, b) else { return unsupported("it depends on the batch") };
    let is = match kind {
        "Less" => a < b,
        "LessOrEqual" => a <= b,
        "Greater" => a > b,
        "GreaterOrEqual" => a >= b,
        "And" => a != 0 && b != 0,
        _ => a != 0 || b != 0,
    };
    Ok(Size::Known(is.into()))
}

/// Outputs and inputs of a group, the kernel, and the groups where the shape of the weights says them.
pub(super) fn convolution_weight(shape: &[usize]) -> Option<([usize; 2], [usize; 2], Option<usize>)> {
    match *shape {
        [outputs, inputs, height, width] => Some(([outputs, inputs], [height, width], None)),
        [groups, outputs, inputs, height, width] => {
            Some(([groups.checked_mul(outputs)?, inputs], [height, width], Some(groups)))
        }
        _ => None,
    }
}

/// The order of a transpose.
pub(super) fn order(node: &Node, rank: usize) -> Result<Vec<usize>, Refusal> {
    let Some(list) = node.integers("perm") else { return Ok((0..rank).rev().collect()) };
    let order = list.iter().map(|&along| axis(along, rank)).collect::<Result<Vec<_>, _>>()?;
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if !sorted.into_iter().eq(0..rank) {
        return damaged(format!("has the order {list:?} of {rank} dimensions"));
    }
    Ok(order)
}

/// The windows of a convolution or of a pooling.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub dilation: [usize; 2],
    /// Top, left, bottom, right.
    pub padding: [usize; 4],
    pub ceil: bool,
}

impl Window {
    /// `map`: height and width of what it goes over.
    pub fn of(node: &Node, kernel: [usize; 2], map: [Size; 2], ceil: bool) -> Result<Self, Refusal> {
        let (stride, dilation) = (node.pair("strides", 1)?, node.pair("dilations", 1)?);
        let [Some(height), Some(width)] = map.map(|size| size.known().and_then(|size| usize::try_from(size).ok()))
        else {
            return unsupported("of a map whose size depends on the batch");
        };
        if kernel.iter().chain(&stride).chain(&dilation).any(|size| !(1..=1 << 16).contains(size)) {
            return damaged(format!("cannot take windows of {kernel:?} in steps of {stride:?}"));
        }
        let span = [0, 1].map(|side| (kernel[side] - 1).saturating_mul(dilation[side]).saturating_add(1));
        let padding = match node.text("auto_pad") {
            "" | "NOTSET" => match node.integers("pads") {
                None => [0; 4],
                Some(&[top, left, bottom, right]) => {
                    let size = |value| usize::try_from(value).map_err(|_| Refusal::Damaged("has pads below 0".into()));
                    [size(top)?, size(left)?, size(bottom)?, size(right)?]
                }
                Some(_) => return unsupported("it is not two-dimensional (pads)"),
            },
            "VALID" => [0; 4],
            same @ ("SAME_UPPER" | "SAME_LOWER") => {
                // As many windows as there are strides.
                let all = [0, 1].map(|side| {
                    let size = [height, width][side];
                    let windows = size.div_ceil(stride[side]);
                    ((windows - 1) * stride[side]).saturating_add(span[side]).saturating_sub(size)
                });
                let first = all.map(|all| if same == "SAME_LOWER" { all.div_ceil(2) } else { all / 2 });
                [first[0], first[1], all[0] - first[0], all[1] - first[1]]
            }
            other => return unsupported(format!("with the padding {other}")),
        };
        if padding.iter().any(|pad| *pad > 1 << 16) {
            let asked = padding.iter().max().map_or(0, |pad| (*pad as u64).saturating_pow(2));
            if asked < 1 << 48 {
                budget::map(String::new, Shape::Map([1, 1, usize::try_from(asked).unwrap_or(usize::MAX)]))?;
            }
            return damaged("cannot take pads of that size");
        }
        let room = [height + padding[0] + padding[2], width + padding[1] + padding[3]];
        if span[0] > room[0] || span[1] > room[1] {
            return unsupported(format!(
                "with windows of {kernel:?} on a map of {height}×{width} pixels, which are larger than it"
            ));
        }
        Ok(Self { kernel, stride, dilation, padding, ceil })
    }

    pub fn of_pool(node: &Node, map: [Size; 2]) -> Result<Self, Refusal> {
        if node.integers("kernel_shape").is_none() {
            return damaged("has no attribute kernel_shape");
        }
        let window = Self::of(node, node.pair("kernel_shape", 1)?, map, node.integer("ceil_mode", 0) != 0)?;
        if window.dilation != [1, 1] {
            return unsupported("with dilations");
        }
        Ok(window)
    }

    /// How many windows fit (PyTorch's rule: with `ceil` the last one must begin inside the map or its left padding).
    pub fn output(&self, map: [Size; 2]) -> Result<[usize; 2], Refusal> {
        let along = |side: usize| -> Result<usize, Refusal> {
            let size = map[side].known().and_then(|size| usize::try_from(size).ok()).unwrap_or(0);
            let (stride, first) = (self.stride[side], self.padding[side]);
            let span = (self.kernel[side] - 1) * self.dilation[side] + 1;
            let room = size + first + self.padding[side + 2];
            let way = room.checked_sub(span).ok_or_else(|| Refusal::Damaged("fits nowhere".into()))?;
            let last = way / stride;
            Ok(if !self.ceil || way % stride == 0 || (last + 1) * stride >= size + first { last + 1 } else { last + 2 })
        };
        Ok([along(0)?, along(1)?])
    }
}
