//! What a step ends with.

/// What becomes of each value at the end of a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Activation {
    None,
    Relu,
    Sigmoid,
    /// `max(x, 0) + slope · min(x, 0)` with a slope for each channel.
    PRelu(Vec<f32>),
}
