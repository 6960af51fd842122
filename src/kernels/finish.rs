//! What becomes of values at the end of a step: the twin of `shaders/parts/finish.wgsl`.

use super::simd::{exp, larger, vectorised};
use crate::step::{Activation, GeluForm};

/// An activation as the twins apply it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Finish {
    None,
    Relu,
    /// Slopes have the padding of the channels.
    Other(Activation),
}

impl Finish {
    pub fn new(activation: &Activation, pitch: usize) -> Self {
        match activation {
            Activation::None => Self::None,
            Activation::Relu => Self::Relu,
            Activation::PRelu(_) => Self::Other(Activation::PRelu(parameters(activation, pitch))),
            other => Self::Other(other.clone()),
        }
    }

    /// The part of it that is done within a loop over vectors: a ReLU.
    #[inline(always)]
    pub fn apply_relu(&self, values: &mut [f32]) {
        if matches!(self, Self::Relu) {
            each(values, |x| larger(x, 0.0));
        }
    }

    /// What such loops leave of it: to a whole map.
    pub fn apply_rest(&self, pitch: usize, map: &mut [f32]) {
        let Self::Other(activation) = self else { return };
        vectorised(
            #[inline(always)]
            || match *activation {
                Activation::None | Activation::Relu => {}
                Activation::Sigmoid => each(map, sigmoid),
                Activation::PRelu(ref slopes) => {
                    for pixel in map.chunks_exact_mut(pitch) {
                        pixel.iter_mut().zip(slopes).for_each(|(value, slope)| *value = leaky(*value, *slope));
                    }
                }
                Activation::LeakyRelu(slope) => each(map, |x| leaky(x, slope)),
                Activation::Elu(alpha) => each(map, |x| if x < 0.0 { alpha * (exp(x) - 1.0) } else { x }),
                Activation::Silu => each(map, |x| gated(x, 1.0, x)),
                Activation::Gelu(GeluForm::Exact) => each(map, gelu),
                // By tanh(z) = 2·σ(2·z) − 1.
                Activation::Gelu(GeluForm::Tanh) => each(map, |x| gated(x, 1.595_769, x + 0.044_715 * x * x * x)),
                Activation::Gelu(GeluForm::Quick) => each(map, |x| gated(x, 1.702, x)),
                Activation::HardSigmoid { slope, offset } => each(map, |x| within(0.0, 1.0, slope * x + offset)),
                Activation::HardSwish => each(map, |x| x * within(0.0, 1.0, x * (1.0 / 6.0) + 0.5)),
                Activation::Clip { min, max } => each(map, |x| within(min, max, x)),
                Activation::Tanh => each(map, |x| 1.0 - 2.0 / (exp(2.0 * x) + 1.0)),
                Activation::Mish => each(map, mish),
                Activation::Softplus => each(map, |x| larger(x, 0.0) + (exp(-x.abs()) + 1.0).ln()),
                Activation::Exp => each(map, exp),
            },
        );
    }
}

#[inline(always)]
fn each(map: &mut [f32], of: impl Fn(f32) -> f32) {
    map.iter_mut().for_each(|value| *value = of(*value));
}

/// Not by the quick [`exp`]: what it gates decides over features that were computed before there was that.
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

#[inline(always)]
fn leaky(x: f32, slope: f32) -> f32 {
    larger(x, 0.0) + slope * -larger(-x, 0.0)
}

/// `x · σ(factor · by)`
#[inline(always)]
fn gated(x: f32, factor: f32, by: f32) -> f32 {
    x / (1.0 + exp(-factor * by))
}

/// NaN where `x` is.
#[inline(always)]
fn within(min: f32, max: f32, x: f32) -> f32 {
    let x = larger(x, min);
    if x > max { max } else { x }
}

/// `x · Φ(x)`, with the error function after Abramowitz and Stegun, 7.1.26, to 1.5·10⁻⁷.
#[inline(always)]
fn gelu(x: f32) -> f32 {
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let sum = ((((1.061_405_4 * t - 1.453_152) * t + 1.421_413_7) * t - 0.284_496_74) * t + 0.254_829_6) * t;
    // 1 − erf(z) over 2: Φ below 0, and what is missing of 1 above.
    let rest = 0.5 * sum * exp(-z * z);
    x * if x < 0.0 { rest } else { 1.0 - rest }
}

/// `tanh(ln(1 + e)) = (e² + 2e) / (e² + 2e + 2)`, which is 1 beyond 20.
#[inline(always)]
fn mish(x: f32) -> f32 {
    let e = exp(if x > 20.0 { 20.0 } else { x });
    let n = e * (e + 2.0);
    x * (n / (n + 2.0))
}

/// An activation as `finish` in the shaders knows it.
pub(super) fn code(activation: &Activation) -> u32 {
    match activation {
        Activation::None => 0,
        Activation::Relu => 1,
        Activation::Sigmoid => 2,
        Activation::PRelu(_) | Activation::LeakyRelu(_) => 3,
        Activation::Elu(_) => 4,
        Activation::Silu | Activation::Gelu(GeluForm::Quick) => 5,
        Activation::Gelu(GeluForm::Tanh) => 6,
        Activation::Gelu(GeluForm::Exact) => 7,
        Activation::HardSigmoid { .. } => 8,
        Activation::HardSwish => 9,
        Activation::Clip { .. } => 10,
        Activation::Tanh => 11,
        Activation::Mish => 12,
        Activation::Softplus => 13,
        Activation::Exp => 14,
    }
}

/// What the shaders' `finish` takes for each channel: its slope, or in turns the activation's two parameters.
pub(super) fn parameters(activation: &Activation, pitch: usize) -> Vec<f32> {
    let [even, odd] = match *activation {
        Activation::PRelu(ref slopes) => return super::frozen::padded(slopes, pitch),
        Activation::LeakyRelu(slope) => [slope; 2],
        Activation::Elu(alpha) => [alpha, 0.0],
        Activation::Silu => [1.0, 0.0],
        Activation::Gelu(GeluForm::Quick) => [1.702, 0.0],
        Activation::HardSigmoid { slope, offset } => [slope, offset],
        Activation::HardSwish => [1.0 / 6.0, 0.5],
        Activation::Clip { min, max } => [min, max],
        _ => [0.0; 2],
    };
    (0..pitch).map(|channel| if channel % 2 == 0 { even } else { odd }).collect()
}
