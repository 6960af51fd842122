//! Max and average pooling over windows. On the CPU ours, on all threads; elsewhere burn's.

use burn::{backend::Dispatch, tensor::Tensor};

use super::{OpError, ReidOps, check, padded};
use crate::step::{Padding, Pool};

/// The largest value under each window of x `[n, c, h, w]`: `[n, c, oh, ow]`. Differentiable; of several largest values
/// the first takes the gradient, as in PyTorch.
///
/// # Errors
/// For empty tensors and types other than f32.
///
/// # Panics
/// When no window fits the map (a graph's shapes are checked beforehand).
pub fn max_pool(x: Tensor<4>, pool: Pool) -> Result<Tensor<4>, OpError> {
    check("the feature map", &x)?;
    if pool.padding.symmetric().is_some() {
        return Ok(maximum(x, Pool { count_padding: true, ..pool }));
    }
    // The padding is never the largest.
    let size = size(&x, pool);
    Ok(first(maximum(padded(x, pool.padding, f32::MIN), bare(pool)), size))
}

/// The mean under each window of x `[n, c, h, w]`: `[n, c, oh, ow]`. Differentiable.
///
/// # Errors
/// For empty tensors and types other than f32.
///
/// # Panics
/// When no window fits the map (a graph's shapes are checked beforehand).
pub fn average_pool(x: Tensor<4>, pool: Pool) -> Result<Tensor<4>, OpError> {
    check("the feature map", &x)?;
    if pool.padding == Padding::NONE {
        return Ok(mean(x, bare(pool)));
    }
    if pool.count_padding && pool.padding.symmetric().is_some() {
        return Ok(mean(x, pool));
    }
    let size = size(&x, pool);
    let means = first(mean(padded(x.clone(), pool.padding, 0.0), bare(pool)), size);
    if pool.count_padding {
        return Ok(means);
    }
    // Each is of the pixels alone: divided by their part of the window.
    let [_, _, height, width] = x.dims();
    let pixels = padded(Tensor::ones([1, 1, height, width], &x.device()), pool.padding, 0.0);
    Ok(means / first(mean(pixels, bare(pool)), size).detach())
}

fn maximum(x: Tensor<4>, pool: Pool) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::max_pool(x.into_dispatch(), pool))
}

fn mean(x: Tensor<4>, pool: Pool) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::average_pool(x.into_dispatch(), pool))
}

/// The same windows over a map that has its padding.
fn bare(pool: Pool) -> Pool {
    Pool { padding: Padding::NONE, count_padding: true, ..pool }
}

fn size(x: &Tensor<4>, pool: Pool) -> [usize; 2] {
    let [_, _, height, width] = x.dims();
    pool.output([height, width]).unwrap_or_else(|| panic!("no window of {pool:?} fits a map of {height}x{width}"))
}

/// Without the windows that begin in the padding behind the map.
fn first(y: Tensor<4>, [height, width]: [usize; 2]) -> Tensor<4> {
    y.narrow(2, 0, height).narrow(3, 0, width)
}
