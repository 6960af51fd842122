//! Generalised-mean pooling with a learnable exponent (Radenović et al., arXiv 1711.02512).

use burn::{backend::Dispatch, tensor::Tensor};

use super::{OpError, ReidOps, check, check_length};

/// Pools x `[n, c, h, w]` to `[n, c]`: `mean(max(x, 1e-6)^p)^(1/p)` with one exponent p > 0, `[1]`, for all channels.
/// Differentiable by x and p.
pub fn gem_pool(x: Tensor<4>, p: Tensor<1>) -> Result<Tensor<2>, OpError> {
    check("the feature map", &x)?;
    check_length("the pooling exponent", &p, 1)?;
    Ok(Tensor::from_dispatch(Dispatch::gem_pool(x.into_dispatch(), p.into_dispatch())))
}
