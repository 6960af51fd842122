//! The images that a network which its file spells out is given: which they can be, who says so, and the words for it.

use std::fmt;

use super::input::{PixelRange, order_name};
use crate::kernels::frozen::preprocess::Filter;
use crate::model::ChannelOrder;
use crate::step::Fit;

/// The numbers that a file's network takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Range {
    /// 0…1
    Unit,
    /// 0…255
    Bytes,
    /// −1…1
    Symmetric,
    /// ImageNet's mean 0 and deviation 1.
    Normalised,
    /// Of 0…255, less the first and divided by the second, for each channel.
    Scaled([f32; 3], [f32; 3]),
}

impl From<PixelRange> for Range {
    fn from(range: PixelRange) -> Self {
        match range {
            PixelRange::Unit => Self::Unit,
            PixelRange::Bytes => Self::Bytes,
            PixelRange::ImageNet => Self::Normalised,
        }
    }
}

impl fmt::Display for Range {
    /// As a sentence has it: `RGB of 0 to 255`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unit => f.write_str("of 0 to 1"),
            Self::Bytes => f.write_str("of 0 to 255"),
            Self::Symmetric => f.write_str("of −1 to 1"),
            Self::Normalised => f.write_str("at ImageNet's mean and deviation"),
            Self::Scaled(mean, std) => write!(f, "of 0 to 255 less {mean:?} and divided by {std:?}"),
        }
    }
}

/// What stands beside the network in its file.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Hints {
    /// What the type or a description of the input says; the network's own steps are asked only without it.
    pub stated: Option<Range>,
    /// We wrote it: RGB, of 0…1 where it is normalised in the file, and at ImageNet's mean and deviation otherwise.
    pub ours: bool,
    /// Where the network's own steps say nothing.
    pub range: Option<Range>,
    /// The order of the file's image, where the network's own steps say nothing.
    pub order: Option<ChannelOrder>,
    /// How pictures are resized, and what becomes of their proportions.
    pub filter: Option<Filter>,
    pub fit: Option<Fit>,
}

/// The images that a file's network is given, and who says so.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Images {
    pub range: Range,
    /// Of the file's image.
    pub order: ChannelOrder,
    /// By the file.
    pub range_known: bool,
    pub order_known: bool,
    /// By the user, who wins.
    pub range_said: bool,
    pub order_said: bool,
    /// What the file tells, where the user says otherwise.
    pub contradicts: Option<String>,
}

impl Images {
    /// What there is to say of them: what was found goes into the summary, what was not is taken for granted.
    pub fn tell(&self, summary: &mut String, assumed: &mut Vec<String>) {
        let given = format!("{} {}", order_name(self.order), self.range);
        if self.order_said || self.range_said {
            *summary += &format!(" As was said, it takes {given}.");
        } else if self.range_known {
            match self.range {
                Range::Normalised => *summary += &format!(" It takes {given}."),
                Range::Scaled(..) => *summary += &format!(" As the file says, it takes {given}."),
                _ => *summary += &format!(" The network normalises {given} itself."),
            }
        }
        if !self.range_known && !self.range_said {
            assumed.push(format!("The file says nothing of the pixels' range: {given} is taken for granted."));
        } else if !self.order_known && !self.order_said {
            let order = order_name(self.order);
            assumed.push(format!("The file says nothing of the order of the colours: {order} is taken for granted."));
        }
        assumed.extend(self.contradiction());
    }

    /// The words for what the user says otherwise than the file.
    pub fn contradiction(&self) -> Option<String> {
        let given = format!("{} {}", order_name(self.order), self.range);
        let words = |own| format!("By its own steps the network takes {own}; it is given {given}, as was said.");
        self.contradicts.as_ref().map(words)
    }
}
