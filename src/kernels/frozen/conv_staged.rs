//! The convolution of [`conv`](super::conv) where there is much of it, through workgroup memory. Its buffers, its parameters, its dispatch and
//! its twin are the same; the input has a multiple of the tile's `vec4`s of depth.

use super::conv::{BLOCK, Tile};
use crate::kernels::variant::Variant;
use crate::kernels::{Kernel, shader::wgsl};

pub const KERNEL: Kernel = Kernel {
    name: "conv_staged",
    wgsl: wgsl!("frozen/conv_staged", "parts/convolution", "parts/products", "parts/finish"),
};

/// The shader for a tile, with so many `vec4`s of depth in workgroup memory at once.
pub(super) fn variant(tile: Tile, depth: usize, padded: bool, dilation: [usize; 2]) -> Variant {
    let [pixels, outputs] = tile.group();
    let threads = tile.threads[0] * tile.threads[1];
    let constants = [
        ("PIXELS", tile.pixels),
        ("OUTPUTS", tile.outputs),
        ("PIXEL_THREADS", tile.threads[0]),
        ("OUTPUT_THREADS", tile.threads[1]),
        ("DEPTH", depth),
        ("FIELD_LOADS", pixels * depth / threads),
        ("WEIGHT_LOADS", outputs * 4 * depth / threads),
        ("PADDED", padded.into()),
        ("DILATION_Y", dilation[0]),
        ("DILATION_X", dilation[1]),
        ("BLOCK", BLOCK),
    ];
    Variant::new(KERNEL, &constants)
}
