//! Runs of channels.

use serde::{Deserialize, Serialize};

use super::{Lowering, NodeId, Op, Operator, Pending, Shape};
use crate::graph::frozen::Operation;
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Value, take};

/// Runs of the input's channels, each of them a value: the first begins at `start`, the others where the one before ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Split {
    pub start: usize,
    /// In files `"length": 4` for one run, as version 1 has it, and `"length": [4, 8]` for several.
    #[serde(rename = "length", with = "lengths")]
    pub lengths: Vec<usize>,
}

impl Split {
    /// The channels `start .. start + length` as the only value.
    pub fn run(start: usize, length: usize) -> Self {
        Self { start, lengths: vec![length] }
    }

    /// All channels in it.
    pub(crate) fn length(&self) -> usize {
        self.lengths.iter().fold(0, |sum, &length| sum.saturating_add(length))
    }
}

impl Operator for Split {
    fn values(&self) -> usize {
        self.lengths.len()
    }

    fn apart(&self) -> Vec<Op> {
        let mut end = self.start;
        let run = |&length: &usize| {
            let start = end;
            end = start.saturating_add(length);
            Self::run(start, length).into()
        };
        self.lengths.iter().map(run).collect()
    }

    fn shape(&self, inputs: &[Shape], _image: [usize; 2]) -> Option<Shape> {
        match inputs {
            [x] if self.start.checked_add(self.length())? <= x.channels() => Some(x.with_channels(self.length())),
            _ => None,
        }
    }

    fn is_in_version_1(&self, _inputs: &[Shape]) -> bool {
        self.lengths.len() == 1
    }

    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Pending {
        lowering.open(id, Operation::Slice { start: self.start }, inputs)
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, _layer: &Layer) -> Result<Value, OpError> {
        let [x] = take(inputs);
        let (start, length) = (self.start, self.length());
        Ok(match x {
            Value::Map(x) => Value::Map(x.narrow(1, start, length)),
            Value::Tokens(x) => Value::Tokens(x.narrow(2, start, length)),
            Value::Vector(x) => Value::Vector(x.narrow(1, start, length)),
        })
    }
}

/// One number or a list.
mod lengths {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Lengths {
        One(usize),
        Several(Vec<usize>),
    }

    pub fn serialize<S: Serializer>(lengths: &[usize], serializer: S) -> Result<S::Ok, S::Error> {
        match lengths {
            [length] => length.serialize(serializer),
            several => several.serialize(serializer),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<usize>, D::Error> {
        Ok(match Lengths::deserialize(deserializer)? {
            Lengths::One(length) => vec![length],
            Lengths::Several(lengths) => lengths,
        })
    }
}
