//! Channels in another order.

use serde::{Deserialize, Serialize};

use super::{Operator, Shape};

/// Channel i of the output is channel `channels[i]` of the input: shuffles, colours turned round, runs with gaps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GatherChannels {
    pub channels: Vec<u32>,
}

impl Operator for GatherChannels {
    fn shape(&self, inputs: &[Shape], _image: [usize; 2]) -> Option<Shape> {
        let &[x] = inputs else { return None };
        let is_there = |&channel: &u32| (channel as usize) < x.channels();
        (!self.channels.is_empty() && self.channels.iter().all(is_there)).then(|| x.with_channels(self.channels.len()))
    }
}
