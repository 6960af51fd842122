//! The Gaussian error linear unit (Hendrycks & Gimpel, arXiv 1606.08415).

use serde::{Deserialize, Serialize};

use super::{Lowering, NodeId, Operator, Pending};
use crate::graph::frozen::Activation;
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Tensor, Value, activation, each, take};
use crate::step::GeluForm;

/// `x · Φ(x)`, with the normal distribution's Φ or what approaches it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gelu {
    pub form: GeluForm,
}

impl Operator for Gelu {
    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Pending {
        lowering.activation(id, inputs[0], Activation::Gelu(self.form))
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, _layer: &Layer) -> Result<Value, OpError> {
        let [x] = take(inputs);
        Ok(match self.form {
            GeluForm::Exact => each!(x, x => exact(x)),
            GeluForm::Tanh => each!(x, x => approached(x)),
            GeluForm::Quick => each!(x, x => x.clone() * activation::sigmoid(x * 1.702)),
        })
    }
}

/// burn's own takes the slope of the form that approaches it, in constants of six digits, on a GPU, and raises what is negative
/// to a power for that, which not every device can.
#[cfg(feature = "train")]
fn exact<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let distribution = (x.clone() * std::f32::consts::FRAC_1_SQRT_2).erf() + 1.0;
    x * distribution * 0.5
}

/// burn's own raises what is negative to a power, which not every device can.
#[cfg(feature = "train")]
fn approached<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let cubed = x.clone() * x.clone() * x.clone();
    let inner = (x.clone() + cubed * 0.044_715) * (2.0 / std::f32::consts::PI).sqrt();
    x * (inner.tanh() + 1.0) * 0.5
}
