//! Which detector it is, by the places and channels of its outputs and by what gives them.
//!
//! | detector | outputs | boxes |
//! |---|---|---|
//! | NanoDet | for strides 8, 16, 32: scores, and 4 × bins | bins, from the middle of the cell |
//! | NanoDet-Plus | strides 8 to 64, all places in one: scores ++ 4 × bins | bins, from the corner of the cell |
//! | YOLOX | strides 8, 16, 32, all places in one: 4 ++ objectness ++ scores | middle and logarithms of the sides |
//! | RTMDet | for strides 8, 16, 32: scores, and 4 | distances in pixels |
//!
//! Of what comes in one output each level's part is taken where it is made, and of the scores people's alone: what no one reads
//! is not computed.

use std::rc::Rc;

use crate::graph::op::{GatherChannels, Split, SplitPlaces};
use crate::graph::{Op, Shape};
use crate::model::{BoxCode, ChannelOrder, DetectorHead, Level, ScoreCode};
use crate::step::Fit;
use crate::weights::WeightsError;
use crate::weights::images::Range;
use crate::weights::import::{Importer, Value};

/// A detector that was recognised.
pub(super) struct Recognition {
    pub name: &'static str,
    pub head: DetectorHead,
    /// By the names that the head has for them.
    pub outputs: Vec<(Rc<str>, Value)>,
    /// The images that the detector's authors train it with.
    pub range: Range,
    pub order: ChannelOrder,
    pub fit: Fit,
    pub classes: usize,
}

/// The strides of levels. A detector has three to five.
const STRIDES: [usize; 6] = [4, 8, 16, 32, 64, 128];
const LEVELS: std::ops::RangeInclusive<usize> = 3..=5;
/// The strides of levels that come in one output.
const IN_ONE: [&[usize]; 2] = [&[8, 16, 32], &[8, 16, 32, 64]];
/// The channels that a place has at most.
const MOST_CHANNELS: usize = 2048;
/// How many nodes back a part of a value is looked for, before it is cut out of what is there; and what a channel is made of.
const DEEPEST: usize = 16;
const FARTHEST: usize = 64;
/// The outputs of all levels.
const MOST_OUTPUTS: usize = 64;

/// What a level has for each of its places, what has fewer channels first.
struct Grid {
    stride: usize,
    parts: Vec<(Rc<str>, Value)>,
}

/// What is what on every level: the part, its first channel, and how many it has.
#[derive(Clone, Copy)]
struct Place {
    part: usize,
    start: usize,
    count: usize,
}

/// The places of scores, boxes and objectness.
struct Places {
    scores: Place,
    boxes: Place,
    objectness: Option<Place>,
}

/// Finds out which detector gives these outputs.
///
/// # Errors
/// When it is none that is known.
pub(super) fn recognise(importer: &mut Importer, outputs: Vec<(Rc<str>, Value)>) -> Result<Recognition, WeightsError> {
    let names: Vec<String> = outputs.iter().map(|(name, value)| format!("`{name}` {:?}", shown(value.shape))).collect();
    let known = understood(importer, outputs);
    known.map_err(|reason| WeightsError::NotADetector { outputs: crate::weights::error::list(&names), reason })
}

/// Places, of a map height and width, and channels.
fn shown(shape: Shape) -> Vec<usize> {
    match shape {
        Shape::Map([channels, height, width]) => vec![height, width, channels],
        shape => shape.dims(),
    }
}

fn understood(importer: &mut Importer, outputs: Vec<(Rc<str>, Value)>) -> Result<Recognition, String> {
    if outputs.len() > MOST_OUTPUTS {
        return Err(format!("these are {} outputs", outputs.len()));
    }
    if outputs.iter().any(|(_, value)| value.shape.channels() > MOST_CHANNELS) {
        return Err("a place has too many channels".into());
    }
    let grids = grids(importer, outputs)?;
    let found = places(importer, &grids)?;
    let is = |place: Place| is_sigmoid(importer, grids[0].parts[place.part].1, place.start);
    let scores = if is(found.scores) { ScoreCode::Probability } else { ScoreCode::Logit };
    if found.objectness.is_some_and(|place| is(place) != is(found.scores)) {
        return Err("of its scores and its objectness only one went through a sigmoid".into());
    }
    let black = Fit::Letterbox { colour: [0; 3] };
    let (name, boxes, point, range, fit) = match (found.boxes.count, found.objectness) {
        (4, Some(_)) => ("YOLOX", BoxCode::Centre, 0.0, Range::Bytes, Fit::LETTERBOX),
        (4, None) => ("RTMDet", BoxCode::Distances, 0.0, Range::Normalised, Fit::LETTERBOX),
        (channels, _) => {
            let (name, point) = if grids.len() > 3 { ("NanoDet-Plus", 0.0) } else { ("NanoDet", 0.5) };
            (name, BoxCode::Bins { count: channels / 4 }, point, Range::Normalised, black)
        }
    };
    // What is computed with the place itself is no distance from it any more.
    let (at, _) = source(importer, grids[0].parts[found.boxes.part].1, found.boxes.start);
    if let Op::Place(_) | Op::Add | Op::Subtract | Op::Multiply = importer.made(at).0 {
        return Err(
            "its boxes are decoded already; export it without that (of YOLOX with decode_in_inference=False)".into()
        );
    }
    let (mut levels, mut given) = (Vec::with_capacity(grids.len()), Vec::new());
    let classes = found.scores.count;
    for Grid { stride, parts } in &grids {
        let mut give = |what: &str, place: Place| {
            let value = narrowed(importer, parts[place.part].1, place.start, place.count, DEEPEST);
            let name = format!("{what}{stride}");
            given.push((Rc::from(name.as_str()), value.ok_or("its outputs cannot be taken apart")?));
            Ok::<_, String>(name)
        };
        levels.push(Level {
            stride: *stride,
            // People are the first class.
            scores: give("scores", Place { count: 1, ..found.scores })?,
            boxes: give("boxes", found.boxes)?,
            objectness: found.objectness.map(|place| give("objectness", place)).transpose()?,
        });
    }
    let head = DetectorHead { person: 0, levels, boxes, scores, point };
    // All of them are trained on what OpenCV reads.
    Ok(Recognition { name, head, outputs: given, range, order: ChannelOrder::Bgr, fit, classes })
}

/// The outputs by the level that they belong to, from the finest on; outputs of all levels in one are taken apart.
fn grids(importer: &mut Importer, outputs: Vec<(Rc<str>, Value)>) -> Result<Vec<Grid>, String> {
    let [height, width] = importer.image();
    let grid = |stride: usize| [height.div_ceil(stride), width.div_ceil(stride)];
    let count = |stride: usize| grid(stride).into_iter().product::<usize>();
    for strides in IN_ONE {
        let all: usize = strides.iter().copied().map(count).sum();
        if outputs.iter().any(|(_, value)| value.shape.places() != all) {
            continue;
        }
        let (mut grids, mut first) = (Vec::new(), 0);
        for &stride in strides {
            let mut parts = Vec::with_capacity(outputs.len());
            for (name, value) in &outputs {
                let part = level(importer, *value, first, count(stride), DEEPEST);
                parts.push((name.clone(), part.ok_or("its outputs cannot be taken apart")?));
            }
            first += count(stride);
            grids.push(Grid { stride, parts });
        }
        return Ok(sorted(grids));
    }
    let is_of = |stride: usize, shape: Shape| match shape {
        Shape::Map([_, height, width]) => [height, width] == grid(stride),
        shape => shape.places() == count(stride),
    };
    let mut grids: Vec<Grid> = Vec::new();
    for (name, value) in outputs {
        let stride = STRIDES.into_iter().find(|&stride| is_of(stride, value.shape));
        let stride = stride.ok_or_else(|| {
            format!("`{name}` has as many places as no level of an image of {height}×{width} pixels has")
        })?;
        match grids.iter_mut().find(|grid| grid.stride == stride) {
            Some(grid) => grid.parts.push((name, value)),
            None => grids.push(Grid { stride, parts: vec![(name, value)] }),
        }
    }
    grids.sort_by_key(|grid| grid.stride);
    let grids = sorted(grids);
    if !LEVELS.contains(&grids.len()) {
        return Err(format!("it has {} levels", grids.len()));
    }
    Ok(grids)
}

fn sorted(mut grids: Vec<Grid>) -> Vec<Grid> {
    grids.iter_mut().for_each(|grid| grid.parts.sort_by_key(|(_, value)| value.shape.channels()));
    grids
}

/// Which of a level's parts and channels are what, which has to be the same on all levels.
fn places(importer: &Importer, grids: &[Grid]) -> Result<Places, String> {
    let channels = |grid: &Grid| grid.parts.iter().map(|(_, value)| value.shape.channels()).collect::<Vec<_>>();
    let mut all = grids.iter().map(channels);
    let channels = all.next().ok_or("it has no outputs")?;
    if all.any(|others| others != channels) {
        return Err("its levels differ in their channels".into());
    }
    let whole = |part: usize| Place { part, start: 0, count: channels[part] };
    let is = |part: usize, channel: usize| is_sigmoid(importer, grids[0].parts[part].1, channel);
    match channels[..] {
        [all] => {
            let part = |start: usize, count: usize| Place { part: 0, start, count };
            let signs: Vec<bool> = (0..all).map(|channel| is(0, channel)).collect();
            let first = signs.iter().take_while(|sign| **sign == signs[0]).count();
            let is_two = first < all && signs[first..].iter().all(|sign| *sign != signs[0]);
            // 4 of a box, objectness, classes; or classes and the numbers of a box.
            let (is_box_first, first) = match (is_two, signs[0], all) {
                (_, _, 84) if !signs[0] => return Err("it has boxes and 80 classes, and no objectness".into()),
                (true, false, _) if first == 4 && all > 5 => (true, 4),
                (true, true, _) => (false, first),
                // Without a sigmoid: those of 80 classes.
                (false, false, 85) => (true, 4),
                (false, false, 112 | 124) => (false, 80),
                _ => return Err("which channels are scores and which are boxes cannot be told".into()),
            };
            if is_box_first {
                return Ok(Places { boxes: part(0, 4), objectness: Some(part(4, 1)), scores: part(5, all - 5) });
            }
            boxed(part(0, first), part(first, all - first))
        }
        [_, _] => {
            let called = |words: &[&str], part: usize| {
                let name = grids[0].parts[part].0.to_lowercase();
                words.iter().any(|word| name.contains(word))
            };
            let hints: [&dyn Fn(usize) -> bool; 4] = [
                &|part| is(part, 0),
                &|part| called(&["cls", "class", "score"], part),
                &|part| channels[part] == 80,
                &|part| channels[part] != 4,
            ];
            let scores = hints.iter().find_map(|is_scores| match (is_scores(0), is_scores(1)) {
                (true, false) => Some((0, 1)),
                (false, true) => Some((1, 0)),
                _ => None,
            });
            let (scores, boxes) = scores.ok_or("which outputs are scores and which are boxes cannot be told")?;
            boxed(whole(scores), whole(boxes))
        }
        // Which of two of one channel is the objectness makes no difference.
        [1, second, _] => {
            let (boxes, scores) = if second == 4 && !is(1, 0) { (1, 2) } else { (2, 1) };
            let places = Places { scores: whole(scores), boxes: whole(boxes), objectness: Some(whole(0)) };
            if channels[boxes] == 4 { Ok(places) } else { Err("its boxes have other than 4 channels".into()) }
        }
        _ => Err(format!("a level has {} outputs", channels.len())),
    }
}

/// Scores and boxes without an objectness.
fn boxed(scores: Place, boxes: Place) -> Result<Places, String> {
    if boxes.count.is_multiple_of(4) {
        return Ok(Places { scores, boxes, objectness: None });
    }
    Err(format!("its boxes have {} channels, which are no four times anything", boxes.count))
}

/// Whether a channel of a value comes out of a sigmoid.
fn is_sigmoid(importer: &Importer, value: Value, channel: usize) -> bool {
    let (at, _) = source(importer, value, channel);
    *importer.made(at).0 == Op::Sigmoid
}

/// The value that a channel of another is a channel of, behind everything that only moves numbers, as far as it is looked for; and
/// which of its channels.
fn source(importer: &Importer, mut at: Value, mut channel: usize) -> (Value, usize) {
    for _ in 0..FARTHEST {
        let (op, first) = importer.made(at);
        let (next, own) = match op {
            Op::Tokens | Op::Untokens(_) | Op::Gather(_) | Op::SplitPlaces(_) | Op::JoinPlaces => (first, channel),
            Op::Split(Split { start, .. }) => (first, start + channel),
            Op::GatherChannels(GatherChannels { channels }) => match channels.get(channel) {
                Some(&own) => (first, own as usize),
                None => (None, channel),
            },
            Op::Concatenate => {
                let mut before = 0;
                let mut inputs = importer.inputs(at).into_iter();
                let part = inputs.find(|input| {
                    before += input.shape.channels();
                    channel < before
                });
                (part, part.map_or(channel, |part| channel + part.shape.channels() - before))
            }
            _ => (None, channel),
        };
        let Some(next) = next else { break };
        (at, channel) = (next, own);
    }
    (at, channel)
}

/// So many places of a value from one on, taken where they are made.
fn level(importer: &mut Importer, x: Value, start: usize, count: usize, depth: usize) -> Option<Value> {
    if (start, count) == (0, x.shape.places()) {
        return Some(x);
    }
    let (op, inputs) = (importer.made(x).0.clone(), importer.inputs(x));
    match op {
        Op::JoinPlaces if depth > 0 => {
            let mut first = 0;
            for input in inputs {
                let own = input.shape.places();
                if (first..first + own).contains(&start) && start + count <= first + own {
                    return level(importer, input, start - first, count, depth - 1);
                }
                first += own;
            }
        }
        Op::Concatenate if depth > 0 && inputs.len() <= 4 => {
            let parts: Option<Vec<Value>> =
                inputs.into_iter().map(|input| level(importer, input, start, count, depth - 1)).collect();
            let parts = parts?;
            return importer.push(Op::Concatenate, &parts, vec![], None);
        }
        Op::Sigmoid if depth > 0 => {
            let part = level(importer, *inputs.first()?, start, count, depth - 1)?;
            return importer.push(Op::Sigmoid, &[part], vec![], None);
        }
        _ => {}
    }
    let x = if let Shape::Map(_) = x.shape { importer.push(Op::Tokens, &[x], vec![], None)? } else { x };
    importer.push(SplitPlaces { start, length: count, vector: false }.into(), &[x], vec![], None)
}

/// So many channels of a value from one on, taken where they are made.
fn narrowed(importer: &mut Importer, x: Value, start: usize, count: usize, depth: usize) -> Option<Value> {
    if (start, count) == (0, x.shape.channels()) {
        return Some(x);
    }
    let (op, inputs) = (importer.made(x).0.clone(), importer.inputs(x));
    match op {
        op @ (Op::Tokens | Op::Untokens(_) | Op::Sigmoid | Op::SplitPlaces(_)) if depth > 0 => {
            let part = narrowed(importer, *inputs.first()?, start, count, depth - 1)?;
            return importer.push(op, &[part], vec![], None);
        }
        Op::Split(split) if depth > 0 => {
            return narrowed(importer, *inputs.first()?, split.start + start, count, depth - 1);
        }
        Op::Concatenate if depth > 0 => {
            let mut first = 0;
            for input in inputs {
                let own = input.shape.channels();
                if (first..first + own).contains(&start) && start + count <= first + own {
                    return narrowed(importer, input, start - first, count, depth - 1);
                }
                first += own;
            }
        }
        Op::Convolution(_) => {
            if let Some(rows) = importer.rows(x, start, count) {
                return Some(rows);
            }
        }
        _ => {}
    }
    importer.push(Split::run(start, count).into(), &[x], vec![], None)
}
