//! Generalised-mean pooling.

use super::norm::axes;
use super::{Change, Plain};
use crate::weights::nodes::{Node, ValueId};

/// `mean(max(x, least)^p)^(1/p)` over the whole map.
pub(super) fn generalised_mean<'a>(plain: &Plain<'_, 'a>, node: &Node<'a>) -> Option<Change<'a>> {
    let (mean, root) = powered(plain, node)?;
    let power = whole_mean(plain, seen_as(plain, mean))?;
    let (bounded, exponent) = powered(plain, plain.maker(power)?)?;
    if exponent <= 0.0 || (exponent * root - 1.0).abs() > 1e-5 {
        return None;
    }
    let (x, least) = at_least(plain, bounded)?;
    Some(Change::Node(node.one("GeneralisedMean", vec![x]).set("exponent", exponent).set("epsilon", least)))
}

/// A value to a power.
fn powered(plain: &Plain, node: &Node) -> Option<(ValueId, f64)> {
    let (x, exponent) = (node.input(0).ok()?, node.input(1).ok().and_then(|port| plain.uniform(port)));
    match node.kind {
        "Pow" => exponent.map(|exponent| (x, exponent)),
        "Sqrt" => Some((x, 0.5)),
        _ => None,
    }
}

/// The value that is seen in another shape, which the mean of a map may be.
fn seen_as(plain: &Plain, mut value: ValueId) -> ValueId {
    while let Some(node) = plain.maker(value).filter(|node| matches!(node.kind, "Flatten" | "Reshape" | "Squeeze")) {
        match node.input(0) {
            Ok(input) => value = input,
            Err(_) => break,
        }
    }
    value
}

/// The map that a value is the mean of.
fn whole_mean(plain: &Plain, value: ValueId) -> Option<ValueId> {
    let node = plain.maker(value)?;
    let x = node.input(0).ok()?;
    let dims = plain.dims(x)?;
    let is_whole = match node.kind {
        "GlobalAveragePool" => return Some(x),
        "ReduceMean" => {
            let over = axes(plain, node)?;
            !over.is_empty() && over.iter().copied().eq(2..dims.len())
        }
        // The window is the whole map.
        "AveragePool" => {
            let kernel = node.integers("kernel_shape")?;
            let is_map = dims.get(2..)?.iter().map(|size| size.known()).eq(kernel.iter().map(|size| Some(*size)));
            is_map && node.integers("pads").is_none_or(|pads| pads.iter().all(|pad| *pad == 0))
        }
        _ => false,
    };
    is_whole.then_some(x)
}

/// `max(x, least)`; what a ReLU gives is at least 0.
fn at_least(plain: &Plain, value: ValueId) -> Option<(ValueId, f64)> {
    let node = plain.maker(value)?;
    let (x, least) = match node.kind {
        "Relu" => return Some((value, 0.0)),
        "Clip" if node.input(2).ok().is_none_or(|high| plain.scalar(high).is_some_and(|high| high > 1e30)) => {
            (node.input(0).ok()?, plain.scalar(node.input(1).ok()?)?)
        }
        "Max" => plain.with_number(node)?,
        _ => return None,
    };
    (least > 0.0).then_some((x, least))
}

#[cfg(test)]
mod tests {
    use super::super::tests::Bench;

    #[test]
    fn a_generalised_mean_is_one_operator() {
        for (exponent, least) in [(3.0, 1e-6), (2.5, 1e-4), (2.0, 1e-6)] {
            let mut bench = Bench::new();
            let (p, root, least) = (bench.number(exponent), bench.number(1.0 / exponent), bench.number(least));
            let last = bench.whole(&[2]);
            let bounded = bench.node("Clip", &[0, least]);
            let power = bench.node("Pow", &[bounded, p]);
            let mean = bench.node("ReduceMean", &[power, last]);
            if exponent == 2.0 {
                bench.node("Sqrt", &[mean]);
            } else {
                bench.node("Pow", &[mean, root]);
            }
            assert_eq!(bench.kinds(), ["GeneralisedMean"]);
        }
        let mut bench = Bench::new();
        let (p, other, last) = (bench.number(3.0), bench.number(0.5), bench.whole(&[2]));
        let bounded = bench.node("Relu", &[0]);
        let power = bench.node("Pow", &[bounded, p]);
        let mean = bench.node("ReduceMean", &[power, last]);
        bench.node("Pow", &[mean, other]);
        assert_eq!(bench.kinds().len(), 4, "another root");
    }
}
