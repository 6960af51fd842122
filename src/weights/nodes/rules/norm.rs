//! Means and norms that are spelled out.

use super::{Change, Plain};
use crate::weights::nodes::{Node, ValueId};

/// A mean of means, or a maximum of maxima, is one over all of their axes.
pub(super) fn axis_by_axis<'a>(plain: &Plain<'_, 'a>, node: &Node<'a>) -> Option<Change<'a>> {
    if !matches!(node.kind, "ReduceMean" | "ReduceMax" | "ReduceSum") {
        return None;
    }
    let inner = plain.made_by(node.input(0).ok()?, node.kind)?;
    let keeps = |node: &Node| node.integer("keepdims", 1) != 0;
    let (outer_axes, mut all) = (axes(plain, node)?, axes(plain, inner)?);
    // Axes of the value before, which has the dimensions that the inner one left out.
    let rank = plain.dims(inner.input(0).ok()?)?.len();
    let left: Vec<usize> = (0..rank).filter(|along| keeps(inner) || !all.contains(along)).collect();
    all.extend(outer_axes.into_iter().map(|along| left[along]));
    all.sort_unstable();
    all.dedup();
    if keeps(node) != keeps(inner) {
        return None;
    }
    let mut one = node.one(node.kind, vec![inner.input(0).ok()?]).over(&all);
    if let Some(keep) = node.attributes.get("keepdims") {
        one.attributes.insert("keepdims", keep.clone());
    }
    Some(Change::Node(one))
}

/// Those of a node that was made one of several, or of one of the file's.
pub(super) fn axes(plain: &Plain, node: &Node) -> Option<Vec<usize>> {
    match node.integers("axes") {
        Some(list) => list.iter().map(|&along| usize::try_from(along).ok()).collect(),
        None => plain.axes(node),
    }
}

/// `(x − mean) / √(variance + eps)`
pub(super) fn spelled_out<'a>(plain: &Plain<'_, 'a>, node: &Node<'a>) -> Option<Change<'a>> {
    let (centred, deviation) = quotient(plain, node)?;
    let (x, over) = less_its_mean(plain, centred)?;
    let inside = plain.made_by(deviation, "Sqrt")?.input(0).ok()?;
    let (variance, eps) = plain.with_number(plain.made_by(inside, "Add")?)?;
    let mean = plain.made_by(variance, "ReduceMean")?;
    let of = plain.squared(mean.input(0).ok()?)?;
    let is_its_own = of == centred || less_its_mean(plain, of) == Some((x, over.clone()));
    let is_norm = is_its_own && axes(plain, mean)? == over && (0.0..1.0).contains(&eps);
    is_norm.then(|| Change::Node(node.one("MeanVarianceNormalization", vec![x]).over(&over).set("epsilon", eps)))
}

/// Of a division, or of a product with one over something.
pub(super) fn quotient(plain: &Plain, node: &Node) -> Option<(ValueId, ValueId)> {
    let (a, b) = (node.input(0).ok()?, node.input(1).ok()?);
    match node.kind {
        "Div" => Some((a, b)),
        "Mul" => {
            let over = |value| plain.made_by(value, "Reciprocal").and_then(|node| node.input(0).ok());
            // 1 ÷ x is one over x as well.
            let one = |value| {
                let node = plain.made_by(value, "Div")?;
                (plain.scalar(node.input(0).ok()?) == Some(1.0)).then(|| node.input(1).ok()).flatten()
            };
            let root = |value| over(value).or_else(|| one(value));
            root(b).map(|below| (a, below)).or_else(|| root(a).map(|below| (b, below)))
        }
        _ => None,
    }
}

/// `x − mean(x)`: x and the axes of the mean.
fn less_its_mean(plain: &Plain, value: ValueId) -> Option<(ValueId, Vec<usize>)> {
    let node = plain.made_by(value, "Sub")?;
    let (x, mean) = (node.input(0).ok()?, plain.made_by(node.input(1).ok()?, "ReduceMean")?);
    (mean.input(0).ok()? == x && mean.integer("keepdims", 1) != 0).then(|| axes(plain, mean).map(|axes| (x, axes)))?
}

#[cfg(test)]
mod tests {
    use super::super::tests::Bench;

    fn centred(bench: &mut Bench, x: usize) -> usize {
        let last = bench.whole(&[-1]);
        let mean = bench.node("ReduceMean", &[x, last]);
        bench.node("Sub", &[x, mean])
    }

    #[test]
    fn a_layer_norm_that_is_spelled_out_is_one() {
        for (square, below) in [("Pow", "Div"), ("Mul", "Div"), ("Pow", "Mul"), ("Twice", "Div")] {
            let mut bench = Bench::new();
            let (two, eps, last) = (bench.number(2.0), bench.number(1e-6), bench.whole(&[-1]));
            let c = centred(&mut bench, 0);
            let squared = match square {
                "Pow" => bench.node("Pow", &[c, two]),
                "Mul" => bench.node("Mul", &[c, c]),
                _ => {
                    let again = centred(&mut bench, 0);
                    bench.node("Pow", &[again, two])
                }
            };
            let variance = bench.node("ReduceMean", &[squared, last]);
            let sum = bench.node("Add", &[eps, variance]);
            let root = bench.node("Sqrt", &[sum]);
            match below {
                "Div" => bench.node("Div", &[c, root]),
                _ => {
                    let over = bench.node("Reciprocal", &[root]);
                    bench.node("Mul", &[over, c])
                }
            };
            assert_eq!(bench.kinds(), ["MeanVarianceNormalization"], "{square} {below}");
        }
        // Over other axes it is none.
        let mut bench = Bench::new();
        let (two, eps, first) = (bench.number(2.0), bench.number(1e-6), bench.whole(&[1]));
        let c = centred(&mut bench, 0);
        let squared = bench.node("Pow", &[c, two]);
        let variance = bench.node("ReduceMean", &[squared, first]);
        let sum = bench.node("Add", &[variance, eps]);
        let root = bench.node("Sqrt", &[sum]);
        bench.node("Div", &[c, root]);
        assert_eq!(bench.kinds().len(), 7);
    }

    #[test]
    fn means_axis_by_axis_are_one() {
        let mut bench = Bench::new();
        let (last, before) = (bench.whole(&[-1]), bench.whole(&[1]));
        let a = bench.node("ReduceMean", &[0, last]);
        bench.node("ReduceMean", &[a, before]);
        assert_eq!(bench.kinds(), ["ReduceMean"]);
        let mut bench = Bench::new();
        let last = bench.whole(&[-1]);
        let a = bench.node("ReduceMean", &[0, last]);
        bench.node("ReduceMax", &[a, last]);
        assert_eq!(bench.kinds(), ["ReduceMean", "ReduceMax"]);
    }
}
