//! Attention: `softmax(scale · q · kᵀ + bias) · v` in its spellings.

use super::{Change, Plain};
use crate::weights::nodes::sizes::known;
use crate::weights::nodes::{Attribute, Node, ValueId, fold};

/// What exporters put in where a row may hold nothing but −∞: `where(is_nan(x), 0, x)` is x.
pub(super) fn without_nan<'a>(plain: &Plain<'_, 'a>, node: &Node<'a>) -> Option<Change<'a>> {
    if node.kind != "Where" {
        return None;
    }
    let (which, otherwise) = (node.input(0).ok()?, node.input(2).ok()?);
    let of = plain.made_by(which, "IsNaN")?.input(0).ok()?;
    (of == otherwise && plain.uniform(node.input(1).ok()?).is_some()).then_some(Change::Same(of))
}

/// Gives one node with the inputs q, k, v and what is added to the scores. Its attribute `scale` multiplies the scores;
/// `transposed` tells that the last dimension of k is the tokens.
pub(super) fn scaled_dot_product<'a>(plain: &Plain<'_, 'a>, node: &Node<'a>) -> Option<Change<'a>> {
    if node.kind != "MatMul" {
        return None;
    }
    let (weights, v) = (node.input(0).ok()?, node.input(1).ok()?);
    let softmax = plain.made_by(weights, "Softmax")?;
    let rank = plain.dims(weights)?.len();
    let is_last = super::super::axis(softmax.integer("axis", -1), rank).ok()? + 1 == rank;
    if !is_last || !plain.is_flow(v) {
        return None;
    }
    let (mut at, mut scale) = (softmax.input(0).ok()?, 1.0);
    let mut biases = Vec::new();
    let product = loop {
        let maker = plain.maker(at)?;
        match maker.kind {
            // A mask of windows is added in a shape of its own.
            "Reshape" => at = maker.input(0).ok()?,
            "Add" => {
                let (a, b) = (maker.input(0).ok()?, maker.input(1).ok()?);
                let (scores, bias) = if plain.is_flow(a) { (a, b) } else { (b, a) };
                // What is multiplied after it would have to be multiplied as well.
                if plain.is_flow(bias) || scale != 1.0 {
                    return None;
                }
                biases.push((bias, at));
                at = scores;
            }
            "Mul" | "Div" => {
                let (scores, by) = scaled(plain, maker)?;
                (at, scale) = (scores, scale * by);
            }
            "MatMul" => break maker,
            _ => return None,
        }
    };
    let (mut q, mut k) = (product.input(0).ok()?, product.input(1).ok()?);
    for value in [&mut q, &mut k] {
        while let Some((inner, by)) = plain.maker(*value).and_then(|maker| scaled(plain, maker)) {
            (*value, scale) = (inner, scale * by);
        }
    }
    if !plain.is_flow(q) || !plain.is_flow(k) {
        return None;
    }
    let mut inputs = vec![q, k, v];
    inputs.extend(biases.iter().map(|(bias, _)| *bias));
    let mut one = node.one("Attention", inputs).set("scale", scale);
    let is_turned = product.integer("transB", 0) == 0;
    one.attributes.insert("transposed", Attribute::Integer(is_turned.into()));
    // The shapes in which the scores are when something is added to them.
    for (place, (_, scores)) in biases.iter().enumerate() {
        let dims = plain.dims(*scores)?;
        let dims = dims.iter().map(|size| match *size {
            // Negative: times the batch.
            size if size == known(size.times().try_into().unwrap_or(0)) => size.times(),
            size => -size.times(),
        });
        one.attributes.insert(*SHAPES.get(place)?, Attribute::Integers(dims.collect()));
    }
    Some(Change::Node(one))
}

/// The attributes that hold the shapes of the scores at each addition.
pub(crate) const SHAPES: [&str; 4] = ["shape0", "shape1", "shape2", "shape3"];

/// A value times a number.
fn scaled(plain: &Plain, node: &Node) -> Option<(ValueId, f64)> {
    let (a, b) = (node.input(0).ok()?, node.input(1).ok()?);
    let number = |value: ValueId| {
        let fact = plain.folded.facts[value].as_ref()?;
        fold::single(fact).filter(|number| number.is_finite() && *number != 0.0)
    };
    match node.kind {
        "Mul" => plain.with_number(node).filter(|(_, by)| by.is_finite()),
        "Div" => number(b).map(|by| (a, 1.0 / by)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Bench;

    #[test]
    fn attention_is_one_operator_in_its_spellings() {
        for spelling in ["on q", "on both", "on the scores", "with a bias", "without nan"] {
            let mut bench = Bench::new();
            let (by, bias, zero) = (bench.number(0.5), bench.number(0.25), bench.number(0.0));
            let (mut q, mut k) = (bench.node("Relu", &[0]), bench.node("Relu", &[0]));
            let v = bench.node("Relu", &[0]);
            if spelling.starts_with("on q") || spelling.starts_with("on both") {
                q = bench.node("Mul", &[q, by]);
            }
            if spelling == "on both" {
                k = bench.node("Mul", &[by, k]);
            }
            let mut scores = bench.node("MatMul", &[q, k]);
            if spelling == "on the scores" {
                scores = bench.node("Div", &[scores, by]);
            }
            if spelling == "with a bias" {
                scores = bench.node("Add", &[bias, scores]);
            }
            let mut weights = bench.node("Softmax", &[scores]);
            if spelling == "without nan" {
                let is = bench.node("IsNaN", &[weights]);
                weights = bench.node("Where", &[is, zero, weights]);
            }
            bench.node("MatMul", &[weights, v]);
            assert_eq!(bench.kinds(), ["Relu", "Relu", "Relu", "Attention"], "{spelling}");
        }
    }
}
