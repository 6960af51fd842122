//! Several nodes that are one operator here.
//!
//! Each rule is asked of a node whether it is the last of a pattern and gives the node that stands for all of it; what its other
//! nodes give is still there for whoever else reads it.

mod attention;
mod curve;
mod gem;
mod norm;
mod unit;

use std::collections::HashSet;

use super::fold::{self, Fact, Folded};
use super::sizes::Size;
use super::{Attribute, Node, ValueId};
pub(super) use attention::SHAPES;

/// The nodes so far, and what is known of their values.
pub(super) struct Plain<'r, 'a> {
    folded: &'r Folded<'a>,
    nodes: &'r [Node<'a>],
    /// Which node gives a value.
    makers: &'r [Option<usize>],
}

type Rule = for<'a> fn(&Plain<'_, 'a>, &Node<'a>) -> Option<Change<'a>>;

/// What a node becomes.
pub(super) enum Change<'a> {
    Node(Node<'a>),
    /// Another name of a value.
    Same(ValueId),
}

const RULES: [Rule; 8] = [
    norm::axis_by_axis,
    norm::spelled_out,
    gem::generalised_mean,
    unit::divided_by_length,
    attention::without_nan,
    attention::scaled_dot_product,
    curve::hard_swish,
    curve::activation,
];

pub(super) fn rewrite(mut folded: Folded) -> Folded {
    let mut nodes: Vec<Node> = Vec::with_capacity(folded.nodes.len());
    let mut makers = vec![None; folded.facts.len()];
    let mut alias: Vec<ValueId> = (0..folded.facts.len()).collect();
    for mut node in std::mem::take(&mut folded.nodes) {
        node.inputs.iter_mut().flatten().for_each(|input| *input = alias[*input]);
        let plain = Plain { folded: &folded, nodes: &nodes, makers: &makers };
        match RULES.iter().find_map(|rule| rule(&plain, &node)) {
            Some(Change::Same(value)) => {
                node.outputs.iter().flatten().for_each(|&output| alias[output] = alias[value]);
                continue;
            }
            Some(Change::Node(one)) => node = one,
            None => {}
        }
        node.outputs.iter().flatten().for_each(|&output| makers[output] = Some(nodes.len()));
        nodes.push(node);
    }
    folded.outputs.iter_mut().for_each(|output| output.value = alias[output.value]);
    // A node reads what nodes before it give: one way back finds all that are needed.
    let mut wanted: HashSet<ValueId> = folded.outputs.iter().map(|output| output.value).collect();
    let mut kept = Vec::with_capacity(nodes.len());
    for node in nodes.into_iter().rev() {
        if node.outputs.iter().flatten().any(|output| wanted.contains(output)) {
            wanted.extend(node.inputs.iter().flatten());
            kept.push(node);
        }
    }
    kept.reverse();
    folded.nodes = kept;
    folded
}

impl<'r, 'a> Plain<'r, 'a> {
    /// The node that gives a value.
    fn maker(&self, value: ValueId) -> Option<&'r Node<'a>> {
        self.makers[value].map(|node| &self.nodes[node])
    }

    /// That node, if it is of this kind.
    fn made_by(&self, value: ValueId, kind: &str) -> Option<&'r Node<'a>> {
        self.maker(value).filter(|node| node.kind == kind)
    }

    /// The only number of a constant.
    fn scalar(&self, value: ValueId) -> Option<f64> {
        fold::single(self.folded.facts[value].as_ref()?)
    }

    /// Of a constant whose numbers are all the same.
    fn uniform(&self, value: ValueId) -> Option<f64> {
        match self.folded.facts[value].as_ref()? {
            Fact::Floats(floats) => {
                let first = *floats.values.first()?;
                floats.values.iter().all(|value| *value == first).then_some(first.into())
            }
            _ => self.scalar(value),
        }
    }

    fn is_flow(&self, value: ValueId) -> bool {
        matches!(self.folded.facts[value], Some(Fact::Flow(_)))
    }

    fn dims(&self, value: ValueId) -> Option<&'r [Size]> {
        match &self.folded.facts[value] {
            Some(Fact::Flow(dims)) => Some(dims),
            _ => None,
        }
    }

    /// The whole numbers of a constant.
    fn integers(&self, node: &Node, port: usize) -> Option<Vec<i64>> {
        match &self.folded.facts[node.input(port).ok()?] {
            Some(Fact::Sizes(sizes)) => Some(sizes.known()?.values.to_vec()),
            _ => None,
        }
    }

    /// What a node does with one number, whichever of the two comes first: the other value, and the number.
    fn with_number(&self, node: &Node) -> Option<(ValueId, f64)> {
        let (a, b) = (node.input(0).ok()?, node.input(1).ok()?);
        match (self.scalar(a), self.scalar(b)) {
            (None, Some(number)) => Some((a, number)),
            (Some(number), None) => Some((b, number)),
            _ => None,
        }
    }

    /// The axes that a node goes over, counted from the front and ascending.
    fn axes(&self, node: &Node) -> Option<Vec<usize>> {
        let rank = self.dims(node.input(0).ok()?)?.len();
        match self.integers(node, 1) {
            Some(list) => super::axes(&list, rank).ok(),
            None if node.has(1) => None,
            None => Some((0..rank).collect()),
        }
    }

    /// A square: the value that is multiplied by itself.
    fn squared(&self, value: ValueId) -> Option<ValueId> {
        let node = self.maker(value)?;
        let (a, b) = (node.input(0).ok()?, node.input(1).ok()?);
        let is_square = match node.kind {
            "Mul" => a == b,
            "Pow" => self.scalar(b) == Some(2.0),
            _ => false,
        };
        is_square.then_some(a)
    }
}

impl<'a> Node<'a> {
    /// A node that stands for this one and what comes before it.
    fn one(&self, kind: &'static str, inputs: Vec<ValueId>) -> Self {
        let inputs = inputs.into_iter().map(Some).collect();
        Self { kind, inputs, attributes: Default::default(), ..self.clone() }
    }

    fn set(mut self, name: &'static str, value: f64) -> Self {
        self.attributes.insert(name, Attribute::Float(value));
        self
    }

    fn over(mut self, axes: &[usize]) -> Self {
        let axes = axes.iter().map(|&along| along as i64).collect();
        self.attributes.insert("axes", Attribute::Integers(axes));
        self
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::graph::budget::Budget;
    use crate::weights::nodes::Output;
    use crate::weights::nodes::array::Array;

    /// A network of a few nodes on a value `[batch, 8, 4]`, which is 0.
    pub struct Bench {
        pub folded: Folded<'static>,
    }

    impl Bench {
        pub fn new() -> Self {
            let dims = vec![Size::Batch(1), Size::Known(8), Size::Known(4)];
            let folded = Folded {
                name: "test".into(),
                hints: Default::default(),
                image: 0,
                height: 8,
                width: 4,
                channels_last: false,
                assumed: Vec::new(),
                batch: None,
                nodes: Vec::new(),
                facts: vec![Some(Fact::Flow(dims))],
                outputs: vec![Output { name: "x".into(), value: 0 }],
                budget: Budget::numbers(0),
            };
            Self { folded }
        }

        pub fn number(&mut self, value: f64) -> ValueId {
            self.give(Fact::Floats(Array::new(vec![], vec![value as f32])))
        }

        pub fn whole(&mut self, values: &[i64]) -> ValueId {
            let sizes: Vec<Size> = values.iter().map(|&value| Size::Known(value)).collect();
            self.give(Fact::Sizes(Array::list(sizes)))
        }

        fn give(&mut self, fact: Fact) -> ValueId {
            self.folded.facts.push(Some(fact));
            self.folded.facts.len() - 1
        }

        /// Appends a node, whose value has its first input's shape.
        pub fn node(&mut self, kind: &'static str, inputs: &[ValueId]) -> ValueId {
            let dims = inputs.iter().find_map(|&input| match &self.folded.facts[input] {
                Some(Fact::Flow(dims)) => Some(dims.clone()),
                _ => None,
            });
            let value = self.give(Fact::Flow(dims.unwrap_or_default()));
            self.folded.nodes.push(Node {
                format: "test",
                kind,
                word: kind.into(),
                name: kind.into(),
                attributes: Default::default(),
                inputs: inputs.iter().copied().map(Some).collect(),
                outputs: vec![Some(value)],
            });
            self.folded.outputs[0].value = value;
            value
        }

        pub fn with(&mut self, name: &'static str, attribute: Attribute<'static>) {
            let node = self.folded.nodes.last_mut().expect("a node");
            node.attributes.insert(name, attribute);
        }

        /// The words of the nodes that are left.
        pub fn kinds(self) -> Vec<&'static str> {
            rewrite(self.folded).nodes.iter().map(|node| node.kind).collect()
        }
    }
}
