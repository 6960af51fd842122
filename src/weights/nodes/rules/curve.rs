//! Activations that are spelled out: whatever the spelling, the function is known by its values.

use std::f64::consts::PI;

use super::{Change, Plain};
use crate::weights::nodes::{Node, ValueId};

/// How many nodes an activation is spelled out in, one within the other.
const DEEPEST: usize = 9;
/// Where the functions are compared, and how far they may differ: more than by the rounding of their constants, less than any
/// two of them.
const PLACES: [f64; 9] = [-6.0, -3.3, -2.1, -1.0, -0.4, 0.3, 0.9, 2.2, 5.0];
const TOLERANCE: f64 = 2e-5;

/// Φ by the error function, which rounding alone tells from this approximation (Abramowitz & Stegun 7.1.26).
fn erf(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.327_591_1 * x.abs());
    let polynomial =
        t * (0.254_829_592 + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
    (1.0 - polynomial * (-x * x).exp()).copysign(x)
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// A function of one number.
type Curve = fn(f64) -> f64;

/// The activations that are looked for: the word, and the function.
const KNOWN: [(&str, Curve); 5] = [
    ("Gelu", |x| 0.5 * x * (1.0 + erf(x / 2.0_f64.sqrt()))),
    ("TanhGelu", |x| 0.5 * x * (1.0 + ((2.0 / PI).sqrt() * (x + 0.044_715 * x * x * x)).tanh())),
    ("QuickGelu", |x| x * sigmoid(1.702 * x)),
    ("Mish", |x| x * x.exp().ln_1p().tanh()),
    ("Softplus", |x| x.exp().ln_1p()),
];

/// GELU in its three forms, Mish and softplus.
pub(super) fn activation<'a>(plain: &Plain<'_, 'a>, node: &Node<'a>) -> Option<Change<'a>> {
    if !matches!(node.kind, "Mul" | "Div" | "Log") {
        return None;
    }
    let mut candidates = Vec::new();
    leaves(plain, node, DEEPEST, &mut candidates);
    candidates.into_iter().find_map(|x| {
        let values: Option<Vec<f64>> = PLACES.iter().map(|&at| evaluate(plain, node, x, at, DEEPEST)).collect();
        let values = values?;
        let is = |of: &Curve| PLACES.iter().zip(&values).all(|(&at, value)| (of(at) - value).abs() <= TOLERANCE);
        let (kind, _) = KNOWN.iter().find(|(_, of)| is(of))?;
        Some(Change::Node(node.one(kind, vec![x])))
    })
}

/// `x · hard-sigmoid(x)`
pub(super) fn hard_swish<'a>(plain: &Plain<'_, 'a>, node: &Node<'a>) -> Option<Change<'a>> {
    if node.kind != "Mul" {
        return None;
    }
    let (a, b) = (node.input(0).ok()?, node.input(1).ok()?);
    let is_gate = |gate, x| {
        plain.made_by(gate, "HardSigmoid").is_some_and(|gate| {
            let near = |name, default: f64, wanted: f64| (gate.float(name, default) - wanted).abs() < 1e-5;
            gate.input(0).ok() == Some(x) && near("alpha", 0.2, 1.0 / 6.0) && near("beta", 0.5, 0.5)
        })
    };
    let x = if is_gate(b, a) {
        a
    } else if is_gate(a, b) {
        b
    } else {
        return None;
    };
    Some(Change::Node(node.one("HardSwish", vec![x])))
}

/// The values that a node may be a function of: those that nodes which change each number for itself read, the nearest first.
fn leaves(plain: &Plain, node: &Node, depth: usize, found: &mut Vec<ValueId>) {
    let inputs: Vec<ValueId> = node.inputs.iter().flatten().copied().filter(|&input| plain.is_flow(input)).collect();
    for &input in &inputs {
        if !found.contains(&input) && found.len() < 32 {
            found.push(input);
        }
    }
    for input in inputs {
        if depth > 0
            && let Some(maker) = plain.maker(input).filter(|maker| is_elementwise(maker.kind))
        {
            leaves(plain, maker, depth - 1, found);
        }
    }
}

fn is_elementwise(kind: &str) -> bool {
    matches!(
        kind,
        "Add"
            | "Sub"
            | "Mul"
            | "Div"
            | "Pow"
            | "Erf"
            | "Tanh"
            | "Sigmoid"
            | "Exp"
            | "Log"
            | "Sqrt"
            | "Neg"
            | "Softplus"
            | "Reciprocal"
    )
}

/// What a node gives where `x` is `at`; `None` where it reads anything else.
fn evaluate(plain: &Plain, node: &Node, x: ValueId, at: f64, depth: usize) -> Option<f64> {
    if depth == 0 || !is_elementwise(node.kind) {
        return None;
    }
    let of = |port: usize| {
        let value = node.input(port).ok()?;
        if value == x {
            return Some(at);
        }
        plain.scalar(value).or_else(|| evaluate(plain, plain.maker(value)?, x, at, depth - 1))
    };
    let a = of(0)?;
    Some(match node.kind {
        "Add" => a + of(1)?,
        "Sub" => a - of(1)?,
        "Mul" => a * of(1)?,
        "Div" => a / of(1)?,
        "Pow" => a.powf(of(1)?),
        "Erf" => erf(a),
        "Tanh" => a.tanh(),
        "Sigmoid" => sigmoid(a),
        "Exp" => a.exp(),
        "Log" => a.ln(),
        "Sqrt" => a.sqrt(),
        "Neg" => -a,
        "Reciprocal" => a.recip(),
        _ => a.exp().ln_1p(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::Bench;
    use super::*;

    #[test]
    fn erf_is_near() {
        for (x, expected) in [(0.0, 0.0), (0.5, 0.520_499_9), (1.0, 0.842_700_8), (-2.0, -0.995_322_3)] {
            assert!((erf(x) - expected).abs() < 1e-6, "{x}");
        }
    }

    #[test]
    fn gelu_is_known_in_any_spelling() {
        let exact = |bench: &mut Bench, by: f64| {
            let (by, one) = (bench.number(by), bench.number(1.0));
            let u = bench.node("Div", &[0, by]);
            let erf = bench.node("Erf", &[u]);
            bench.node("Add", &[one, erf])
        };
        for order in 0..3 {
            let mut bench = Bench::new();
            let half = bench.number(0.5);
            let sum = exact(&mut bench, 2.0_f64.sqrt());
            match order {
                0 => {
                    let x = bench.node("Mul", &[0, half]);
                    bench.node("Mul", &[x, sum])
                }
                1 => {
                    let scaled = bench.node("Mul", &[half, sum]);
                    bench.node("Mul", &[scaled, 0])
                }
                _ => {
                    let product = bench.node("Mul", &[0, sum]);
                    bench.node("Mul", &[product, half])
                }
            };
            assert_eq!(bench.kinds(), ["Gelu"], "{order}");
        }
        // Another width is another function.
        let mut bench = Bench::new();
        let half = bench.number(0.5);
        let sum = exact(&mut bench, 1.5);
        let product = bench.node("Mul", &[0, sum]);
        bench.node("Mul", &[product, half]);
        assert_eq!(bench.kinds().len(), 5);

        let mut bench = Bench::new();
        let [cube, c, root, one, half] =
            [3.0, 0.044_715, (2.0 / PI).sqrt(), 1.0, 0.5].map(|number| bench.number(number));
        let power = bench.node("Pow", &[0, cube]);
        let scaled = bench.node("Mul", &[c, power]);
        let sum = bench.node("Add", &[0, scaled]);
        let u = bench.node("Mul", &[sum, root]);
        let tanh = bench.node("Tanh", &[u]);
        let sum = bench.node("Add", &[tanh, one]);
        let x = bench.node("Mul", &[0, half]);
        bench.node("Mul", &[x, sum]);
        assert_eq!(bench.kinds(), ["TanhGelu"]);

        let mut bench = Bench::new();
        let by = bench.number(1.702);
        let u = bench.node("Mul", &[0, by]);
        let gate = bench.node("Sigmoid", &[u]);
        bench.node("Mul", &[0, gate]);
        assert_eq!(bench.kinds(), ["QuickGelu"]);
    }

    #[test]
    fn a_swish_stays_what_it_was() {
        let mut bench = Bench::new();
        let gate = bench.node("Sigmoid", &[0]);
        bench.node("Mul", &[0, gate]);
        assert_eq!(bench.kinds(), ["Sigmoid", "Mul"]);
        let mut bench = Bench::new();
        let gate = bench.node("HardSigmoid", &[0]);
        bench.with("alpha", crate::weights::nodes::Attribute::Float(1.0 / 6.0));
        bench.node("Mul", &[gate, 0]);
        assert_eq!(bench.kinds(), ["HardSwish"]);
    }
}
