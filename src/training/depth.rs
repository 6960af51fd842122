//! How deep training reaches into a network.

use crate::graph::NodeId;
use crate::model::ReIdentifierGraph;

/// What training moves. The rest runs in evaluation mode, so that its running statistics stay as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Depth {
    /// What follows the feature: bottleneck, BN neck and head. A frozen feature can be computed once for all steps.
    Quick,
    /// The backbone's last stage too, and a pooling that learns.
    Deeper,
    /// Everything.
    #[default]
    Full,
}

impl Depth {
    /// The first node that moves.
    pub fn first(self, graph: &ReIdentifierGraph) -> NodeId {
        match self {
            Self::Quick => graph.feature + 1,
            Self::Deeper => graph.last_stage,
            Self::Full => 0,
        }
    }
}
