//! What a step ends with.

use serde::{Deserialize, Serialize};

/// What becomes of each value at the end of a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Activation {
    None,
    /// `max(x, 0)`
    Relu,
    /// `σ(x) = 1 / (1 + e⁻ˣ)`
    Sigmoid,
    /// `max(x, 0) + slope · min(x, 0)` with a slope for each channel.
    PRelu(Vec<f32>),
    /// The same with one slope.
    LeakyRelu(f32),
    /// `x`, below 0 `alpha · (eˣ − 1)`.
    Elu(f32),
    /// `x · σ(x)`
    Silu,
    Gelu(GeluForm),
    /// `slope · x + offset` within 0…1.
    HardSigmoid {
        slope: f32,
        offset: f32,
    },
    /// `x · (x / 6 + 1/2 within 0…1)`
    HardSwish,
    /// `x` within `min…max`: ReLU6 with 0 and 6.
    Clip {
        min: f32,
        max: f32,
    },
    Tanh,
    /// `x · tanh(softplus(x))`
    Mish,
    /// `ln(1 + eˣ)`
    Softplus,
    /// `eˣ`
    Exp,
}

/// The forms of GELU, `x · Φ(x)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GeluForm {
    /// By the error function.
    #[default]
    Exact,
    /// `x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))`
    Tanh,
    /// `x · σ(1.702 x)`, as CLIP has it.
    Quick,
}
