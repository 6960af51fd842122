//! OSNet's Lite layer in one launch: a 1×1 convolution without activation, then a 3×3 depthwise convolution. Its twin is
//! those of [`conv`] and [`depthwise`], one after the other. Where software imitates the GPU,
//! [`lite_strip`](super::lite_strip) runs in its place.
//!
//! Buffers: x, the 1×1 convolution's weights as `conv` packs them, then its bias with the depthwise convolution's weights,
//! bias and slopes `[12, pitch]`, out. The shader is specialised for the pixels of each thread.

use super::{Stored, code, conv, depthwise, padded, words};
use crate::kernels::variant::Variant;
use crate::kernels::{Dispatch, Kernel, THREADS, shader::wgsl};
use crate::step::{Activation, Convolution, Padding};

pub const KERNEL: Kernel = Kernel { name: "lite", wgsl: wgsl!("frozen/lite", "parts/products", "parts/finish") };

/// The most pixels of a thread: what is between the two takes WebGPU's 16 KiB of workgroup memory then.
pub const MOST_PIXELS: usize = 8;
/// The most that are planned: on an NVIDIA H200 all of OSNet's layers take 4 % less time with 4 than with 8.
pub const PLANNED_PIXELS: usize = 4;

/// Whether two convolutions, the second depthwise, are such a layer.
pub fn fits(pointwise: &Convolution, depthwise: &Convolution) -> bool {
    let one = [1; 2];
    (pointwise.kernel, pointwise.stride, pointwise.padding) == (one, one, Padding::NONE)
        && pointwise.groups == 1
        && pointwise.activation == Activation::None
        && (depthwise.kernel, depthwise.stride, depthwise.padding) == ([3; 2], one, one.into())
        && depthwise.dilation == one
}

/// How a map is cut into tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tiling {
    /// Pixels of a thread.
    pub pixels: usize,
    /// Height and width of a tile.
    tile: [usize; 2],
    /// Tiles along height and width.
    tiles: [usize; 2],
}

impl Tiling {
    /// The one for which the 1×1 convolution computes the fewest pixels, with so many of a thread at the most, of [`MOST_PIXELS`].
    pub fn new(map: Stored, most: usize) -> Self {
        // Along an axis in at most so many tiles: how many, their size, and with what is around them.
        let cut = |size: usize, most: usize| {
            let tile = size.div_ceil(most);
            let tiles = size.div_ceil(tile);
            (tiles, tile, (tile + 2.min(tiles - 1)).min(size))
        };
        let mut best = (usize::MAX, Self { pixels: 1, tile: [1; 2], tiles: [map.height, map.width] });
        for (most_y, most_x) in (1..=map.height).flat_map(|y| (1..=map.width).map(move |x| (y, x))) {
            let (tiles_y, height, around_y) = cut(map.height, most_y);
            let (tiles_x, width, around_x) = cut(map.width, most_x);
            let pixels = (around_y * around_x).div_ceil(THREADS);
            let cost = pixels * tiles_y * tiles_x;
            if pixels <= most && cost < best.0 {
                best = (cost, Self { pixels, tile: [height, width], tiles: [tiles_y, tiles_x] });
            }
        }
        best.1
    }
}

/// The shader for so many pixels of a thread.
pub fn variant(pixels: usize) -> Variant {
    Variant::new(KERNEL, &[("PIXELS", pixels)])
}

/// The two buffers of weights.
pub fn weights(
    pointwise: &Convolution,
    second: &Convolution,
    channels: usize,
    from: Stored,
    to: Stored,
) -> [Vec<f32>; 2] {
    let [first, _] = conv::weights(pointwise, channels, from, to);
    let [taps, tail] = depthwise::weights(second, to.pitch);
    [first, [padded(&pointwise.bias, to.pitch), taps, tail].concat()]
}

pub fn dispatch(batch: usize, second: &Convolution, from: Stored, to: Stored, tiling: Tiling) -> Dispatch {
    let Tiling { tile, tiles, .. } = tiling;
    let mut params =
        words([batch, from.height, from.width, from.vecs(), to.vecs(), tile[0], tile[1], tiles[0], tiles[1]]);
    params.push(code(&second.activation));
    Dispatch::new(params, batch * tiles[0] * tiles[1] * to.vecs().div_ceil(conv::BLOCK))
}
