//! Vectors of length 1.

use super::norm::{axes, quotient};
use super::{Change, Plain};
use crate::weights::nodes::{Node, ValueId};

/// The least length that a vector is divided by.
const LEAST: std::ops::RangeInclusive<f64> = 0.0..=1e-3;

/// A value divided by its length, in one operator or spelled out.
pub(super) fn divided_by_length<'a>(plain: &Plain<'_, 'a>, node: &Node<'a>) -> Option<Change<'a>> {
    if node.kind == "LpNormalization" {
        let x = node.input(0).ok()?;
        let rank = plain.dims(x)?.len();
        let along = super::super::axis(node.integer("axis", -1), rank).ok()?;
        return (node.integer("p", 2) == 2)
            .then(|| Change::Node(node.one("UnitLength", vec![x]).over(&[along]).set("epsilon", 0.0)));
    }
    let (x, below) = quotient(plain, node)?;
    let (length, outside) = bounded(plain, spread(plain, below));
    let maker = plain.maker(length)?;
    let (over, eps) = match maker.kind {
        "ReduceL2" => (maker, outside),
        "Sqrt" => {
            let (sum, inside) = bounded(plain, maker.input(0).ok()?);
            (plain.made_by(sum, "ReduceSum")?, outside.max(inside.sqrt()))
        }
        _ => return None,
    };
    let of = over.input(0).ok()?;
    let of = if over.kind == "ReduceL2" { of } else { plain.squared(of)? };
    let is_its_own = of == x && over.integer("keepdims", 1) != 0 && LEAST.contains(&eps);
    is_its_own
        .then(|| axes(plain, over))
        .flatten()
        .map(|over| Change::Node(node.one("UnitLength", vec![x]).over(&over).set("epsilon", eps)))
}

/// What is laid over a larger shape.
fn spread(plain: &Plain, mut value: ValueId) -> ValueId {
    while let Some(node) = plain.maker(value).filter(|node| matches!(node.kind, "Expand" | "Tile")) {
        match node.input(0) {
            Ok(input) => value = input,
            Err(_) => break,
        }
    }
    value
}

/// A length, and what it is at least or has been added to it.
fn bounded(plain: &Plain, value: ValueId) -> (ValueId, f64) {
    let found = plain.maker(value).and_then(|node| match node.kind {
        "Clip" => Some((node.input(0).ok()?, plain.scalar(node.input(1).ok()?)?)),
        "Max" | "Add" => plain.with_number(node),
        _ => None,
    });
    found.unwrap_or((value, 0.0))
}

#[cfg(test)]
mod tests {
    use super::super::tests::Bench;

    #[test]
    fn a_division_by_the_length_is_one_operator() {
        for spelling in ["ReduceL2", "sum", "reciprocal", "other"] {
            let mut bench = Bench::new();
            let (two, least, last) = (bench.number(2.0), bench.number(1e-12), bench.whole(&[2]));
            let length = if spelling == "ReduceL2" {
                bench.node("ReduceL2", &[0, last])
            } else {
                let squared = bench.node("Pow", &[0, two]);
                let sum = bench.node("ReduceSum", &[squared, last]);
                bench.node("Sqrt", &[sum])
            };
            let length = bench.node("Clip", &[length, least]);
            match spelling {
                "reciprocal" => {
                    let over = bench.node("Reciprocal", &[length]);
                    bench.node("Mul", &[0, over]);
                }
                "other" => {
                    let other = bench.node("Relu", &[0]);
                    bench.node("Div", &[other, length]);
                }
                _ => {
                    bench.node("Div", &[0, length]);
                }
            }
            let kinds = bench.kinds();
            assert_eq!(kinds == ["UnitLength"], spelling != "other", "{spelling}: {kinds:?}");
        }
    }
}
