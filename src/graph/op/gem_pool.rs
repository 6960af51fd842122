//! Generalised-mean pooling (Radenović et al., arXiv 1711.02512).

use serde::{Deserialize, Serialize};

use super::{Init, Lowering, NodeId, Operator, Part, Pending, Role, Shape};
use crate::graph::frozen::{FreezeError, Reduce};
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Value, gem_pool::gem_pool, take};

/// `(mean(max(x, eps)^p))^(1/p)` over height and width, with the learnable exponent `name.p` `[1]`:
/// `[n, c, h, w]` → `[n, c]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GemPool {
    pub name: String,
    #[serde(default = "least", skip_serializing_if = "is_least")]
    pub eps: f32,
}

impl GemPool {
    /// What every published network takes.
    pub const EPS: f32 = 1e-6;
}

fn least() -> f32 {
    GemPool::EPS
}

fn is_least(eps: &f32) -> bool {
    *eps == GemPool::EPS
}

impl Operator for GemPool {
    named!();

    fn parts(&self, _role: Role) -> Vec<Part> {
        vec![Part::trained("p", [1], Init::Constant(3.0))]
    }

    fn shape(&self, inputs: &[Shape], _image: [usize; 2]) -> Option<Shape> {
        Shape::pooled(inputs).filter(|_| matches!(inputs, [Shape::Map(_)]))
    }

    fn work(&self, inputs: &[Shape], _output: Shape) -> u64 {
        inputs.iter().map(|shape| shape.count()).sum()
    }

    fn is_in_version_1(&self, _inputs: &[Shape]) -> bool {
        is_least(&self.eps)
    }

    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Result<Pending, FreezeError> {
        let exponent = lowering.tensor(&self.name, "p").first().copied().unwrap_or(1.0);
        Ok(lowering.global_pool(id, Reduce::Generalised { exponent, eps: self.eps }, inputs[0]))
    }

    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, layer: &Layer) -> Result<Value, OpError> {
        let [x] = take(inputs);
        let (x, p) = (x.map(), layer.vector("p"));
        if is_least(&self.eps) {
            return Ok(Value::Vector(gem_pool(x, p)?));
        }
        let [n, c, h, w] = x.dims();
        let powers = x.clamp_min(self.eps).powf(p.clone().reshape([1, 1, 1, 1]));
        let means = powers.reshape([n, c, h * w]).mean_dim(2).reshape([n, c]);
        Ok(Value::Vector(means.powf(p.recip().reshape([1, 1]))))
    }
}
