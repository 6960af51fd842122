//! What a plan would choose by itself, given by who measures the choices.

use crate::kernels::frozen::conv;

/// `None`: the plan chooses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// The tile of every convolution over all channels.
    pub tile: Option<conv::Tile>,
    /// How Lite layers are run.
    pub lite: Option<Lite>,
}

/// How OSNet's Lite layers are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lite {
    /// In one launch, in tiles with so many pixels of a thread at the most.
    Tiles(usize),
    /// In one launch, in strips.
    Strips,
    /// As two convolutions.
    Apart,
}
