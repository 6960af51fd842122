//! How much a file may ask for: every bound on what is allocated or computed because a file says so stands here. What asks
//! for more is refused before anything of it is allocated, with [`TooMuch`].
//!
//! Real networks stay far below: ResNet-101 at 256×128 has 350 nodes, 2¹⁹ numbers in its largest map and 2³³
//! multiplications an image. Weights are bounded by the file that holds them and by the address space alone.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use super::{Node, Shape, apart};

/// The nodes of a network, and the layers, tensors or inputs that a file lists.
pub(crate) const NODES: usize = 1 << 16;
/// The attributes of a node.
pub(crate) const ATTRIBUTES: usize = 64;
/// The dimensions that a value may have: each node that passes it on copies them.
pub(crate) const AXES: usize = 8;
/// The whole numbers that an operator is told to work by: axes, parts, places.
pub(crate) const LIST: usize = 1 << 12;
/// The channels of a layer.
pub(crate) const CHANNELS: RangeInclusive<usize> = 1..=1 << 16;
/// The bytes of the description in a file of ours: some 250 a node.
pub(crate) const DESCRIPTION: usize = 1 << 24;
/// The elements of an OpenVINO model's `.xml`, and its attributes.
pub(crate) const ELEMENTS: usize = 1 << 20;
/// The fields of all messages of an ONNX file; each takes some tens of bytes in memory.
const FIELDS: u64 = 1 << 21;
/// The numbers of one value of an image.
const MAP: u64 = 1 << 26;
/// The numbers of all values that an image needs at once.
const LIVE: u64 = 1 << 27;
/// The multiplications and comparisons of one image.
const WORK: u64 = 1 << 40;
/// How often the numbers of a file may be used (by layers that share them, as constants, where a grouped convolution is made
/// dense), beyond what any small network may use.
const REUSE: u64 = 16;
const SMALL_NETWORK: u64 = 1 << 24;
const SMALL_FILE: u64 = 1 << 20;

/// A file asks for more than it is given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{what} asks for {asked} {unit} and {bound} is the bound: no network for re-identification needs as much; take the file \
     from a source that you trust"
)]
pub struct TooMuch {
    /// The node, the tensor or the part of the file.
    pub what: String,
    pub asked: u64,
    pub unit: &'static str,
    pub bound: u64,
}

impl TooMuch {
    /// The same, of something that only the caller can name.
    pub(crate) fn of(self, what: impl Into<String>) -> Self {
        Self { what: what.into(), ..self }
    }
}

/// Refuses `asked` above `bound`.
pub(crate) fn within(what: impl FnOnce() -> String, asked: u64, unit: &'static str, bound: u64) -> Result<(), TooMuch> {
    if asked <= bound { Ok(()) } else { Err(TooMuch { what: what(), asked, unit, bound }) }
}

/// What the parts of one file may take together.
#[derive(Debug)]
pub(crate) struct Budget {
    unit: &'static str,
    bound: u64,
    spent: u64,
}

impl Budget {
    /// The numbers that the constants and layers of a file of so many bytes may have. Files where equal numbers share their
    /// bytes, and tensors that share a storage, ask for more of them than there are.
    pub fn numbers(file: usize) -> Self {
        let bound = (file as u64).saturating_mul(REUSE / 2).saturating_add(SMALL_FILE);
        Self { unit: "numbers, with all before it,", bound: bound.min(addressable()), spent: 0 }
    }

    /// The fields of the messages of an ONNX file.
    pub fn fields() -> Self {
        Self { unit: "fields, with all before it,", bound: FIELDS, spent: 0 }
    }

    /// The numbers that the tensors of a file of so many bytes may show of what it stores.
    pub fn stored(file: usize) -> Self {
        Self { unit: "numbers, with all before it,", bound: file as u64, spent: 0 }
    }

    /// Takes `count`; who asks is for the caller to add with [`TooMuch::of`].
    pub fn spend(&mut self, count: usize) -> Result<(), TooMuch> {
        let asked = self.spent.saturating_add(count as u64);
        within(String::new, asked, self.unit, self.bound)?;
        self.spent = asked;
        Ok(())
    }
}

/// The f32 numbers that one allocation can hold.
fn addressable() -> u64 {
    isize::MAX as u64 / 4
}

/// That the value of a layer under construction is small enough.
pub(crate) fn map(what: impl FnOnce() -> String, shape: Shape) -> Result<(), TooMuch> {
    let channels = shape.channels() as u64;
    if channels > *CHANNELS.end() as u64 {
        return within(what, channels, "channels", *CHANNELS.end() as u64);
    }
    within(what, shape.count(), "numbers an image", MAP)
}

/// Refuses nodes that give more values than any network has.
pub(crate) fn values(nodes: &[Node]) -> Result<(), TooMuch> {
    let count = nodes.iter().fold(0, |count: u64, node| count.saturating_add(node.op.values() as u64));
    within(|| "the network".into(), count, "nodes", NODES as u64)
}

/// Refuses a network that takes too much memory or time: its nodes, what lies in memory of an image at once, the numbers of
/// its layers as they are computed with, and its work. `shapes` are those of the nodes' values.
pub(crate) fn network(nodes: &[Node], shapes: &[Shape]) -> Result<(), TooMuch> {
    values(nodes)?;
    let nodes = apart(nodes);
    let mut readers: Vec<usize> = (0..nodes.len()).collect();
    let mut names = HashSet::new();
    let mut stored = 0_u64;
    for (id, node) in nodes.iter().enumerate() {
        node.inputs.iter().for_each(|&input| readers[input] = id);
        if node.op.name().is_some_and(|name| names.insert(name)) {
            stored = stored.saturating_add(parameters(node));
        }
    }
    let most = stored.saturating_mul(REUSE).saturating_add(SMALL_NETWORK).min(addressable());
    let (mut live, mut packed, mut work) = (0_u64, 0_u64, 0_u64);
    for (id, (node, &shape)) in nodes.iter().zip(shapes).enumerate() {
        let what = || match node.op.name() {
            Some(name) => format!("node {id} ({} `{name}`)", node.op.kind()),
            None => format!("node {id} ({})", node.op.kind()),
        };
        within(what, shape.count(), "numbers an image", MAP)?;
        live = live.saturating_add(shape.stored());
        let (operator, inputs) = (node.op.operator(), node.inputs.iter().map(|&input| shapes[input]));
        let inputs: Vec<Shape> = inputs.collect();
        let needed = live.saturating_add(operator.scratch(&inputs));
        within(what, needed, "numbers an image, with those that are still needed,", LIVE)?;
        packed = packed.saturating_add(operator.packed().unwrap_or_else(|| parameters(node)));
        within(what, packed, "weights as they are computed with, with all before it,", most)?;
        work = work.saturating_add(operator.work(&inputs, shape));
        within(what, work, "multiplications an image, with all before it,", WORK)?;
        let mut done: Vec<usize> =
            node.inputs.iter().copied().chain([id]).filter(|&read| readers[read] == id).collect();
        done.sort_unstable();
        done.dedup();
        live = done.into_iter().fold(live, |live, read| live.saturating_sub(shapes[read].stored()));
    }
    Ok(())
}

/// The numbers of a node's parameters.
fn parameters(node: &Node) -> u64 {
    let parts = node.op.operator().parts(node.role);
    parts.iter().fold(0, |total, part| total.saturating_add(product(&part.shape)))
}

/// Channels in memory: in vectors of as many.
pub(crate) const VECTOR: usize = 8;

/// So many channels as they lie in memory.
pub(crate) fn whole(channels: usize) -> usize {
    channels.checked_next_multiple_of(VECTOR).unwrap_or(usize::MAX)
}

/// How many numbers a tensor of these sizes has, or the most that can be said.
pub(crate) fn product(sizes: &[usize]) -> u64 {
    sizes.iter().fold(1, |product, &size| product.saturating_mul(size as u64))
}
