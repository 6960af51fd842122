//! What is special about the graph of a re-identification model.

use std::ops::Deref;

use crate::graph::{Builder, Graph, NodeId, Value};

/// The graph of a re-identification model, whose outputs are the names of the fields here, and where its parts lie in it.
#[derive(Clone, Debug, PartialEq)]
pub struct ReIdentifierGraph {
    pub graph: Graph,
    /// The first node of the backbone's last stage: what lies before it may stay as it is when only the later part is
    /// trained. 0 where the backbone marked none.
    pub last_stage: NodeId,
    /// `f`: the pooled feature `[n, c]`, which the triplet loss sees.
    pub feature: NodeId,
    /// `bn_f`: the feature after bottleneck and BN neck, which matching uses (equal to `feature` without a neck).
    pub embedding: NodeId,
    /// The identities' scores, where there is a head.
    pub logits: Option<NodeId>,
}

impl ReIdentifierGraph {
    /// What was written down, with these outputs.
    pub fn new(builder: Builder, feature: Value, embedding: Value, logits: Option<Value>) -> Self {
        let last_stage = builder.last_stage();
        let outputs = [("feature", feature), ("embedding", embedding)];
        let outputs = outputs.into_iter().chain(logits.map(|logits| ("logits", logits)));
        let (feature, embedding, logits) = (feature.id, embedding.id, logits.map(|logits| logits.id));
        Self { last_stage, feature, embedding, logits, graph: builder.finish(outputs) }
    }
}

impl Deref for ReIdentifierGraph {
    type Target = Graph;

    fn deref(&self) -> &Graph {
        &self.graph
    }
}
