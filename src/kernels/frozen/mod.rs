//! What the frozen form of a network runs: kernels over maps `[n, h, w, channels]`, each with its shader and its twin on
//! the CPU. The channels of a stored pixel are padded with zeros to whole vectors, `pitch` values in all, so that no kernel
//! has to treat a remainder.

pub mod attention;
pub mod channel_pool;
pub mod concatenate;
pub mod conv;
pub mod conv_staged;
pub mod depthwise;
pub mod elementwise;
pub mod gate;
pub mod gate_scales;
pub mod gather;
pub mod gather_channels;
pub mod global_pool;
pub mod group_norm;
pub mod grouped;
pub mod lite;
pub mod lite_strip;
pub mod nhwc_input;
pub mod pool;
pub mod preprocess;
pub mod resize;
pub mod transpose;
pub mod winograd;

use super::Kernel;
use super::finish::{Finish, code, parameters, sigmoid};
use crate::step::{Activation, Affine, Map, Padding};

/// All shaders of frozen networks, for whoever compiles them ahead of use.
pub const KERNELS: [Kernel; 21] = [
    attention::KERNEL,
    channel_pool::KERNEL,
    concatenate::KERNEL,
    conv::KERNEL,
    conv_staged::KERNEL,
    depthwise::KERNEL,
    elementwise::KERNEL,
    gather::KERNEL,
    gather_channels::KERNEL,
    gate::KERNEL,
    gate_scales::KERNEL,
    global_pool::KERNEL,
    group_norm::KERNEL,
    grouped::KERNEL,
    lite::KERNEL,
    lite_strip::KERNEL,
    nhwc_input::KERNEL,
    pool::KERNEL,
    preprocess::KERNEL,
    resize::KERNEL,
    transpose::KERNEL,
];

/// How many values a stored pixel's channels are a multiple of, on the CPU.
pub const LANES: usize = 8;

/// How many they are a multiple of on the GPU, whose shaders read `vec4`s.
pub const VEC: usize = 4;

/// A map as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    pub height: usize,
    pub width: usize,
    /// Values from one pixel to the next: the channels and their padding.
    pub pitch: usize,
}

impl Stored {
    /// With the channels padded to a multiple of `lanes`.
    pub fn new(map: Map, lanes: usize) -> Self {
        Self { height: map.height, width: map.width, pitch: map.channels.next_multiple_of(lanes) }
    }

    pub fn area(self) -> usize {
        self.height * self.width
    }

    /// The values of one image.
    pub fn size(self) -> usize {
        self.area() * self.pitch
    }

    /// The `vec4`s of a pixel.
    pub fn vecs(self) -> usize {
        self.pitch / VEC
    }
}

/// Values for each channel, with zeros for the padding.
pub fn padded(values: &[f32], pitch: usize) -> Vec<f32> {
    let mut padded = values.to_vec();
    padded.resize(pitch, 0.0);
    padded
}

/// Pixels with so many channels as they are stored.
pub fn padded_pixels(values: &[f32], channels: usize, pitch: usize) -> Vec<f32> {
    values.chunks_exact(channels).flat_map(|pixel| padded(pixel, pitch)).collect()
}

/// The map with a border of zeros, made in `scratch` where there is any padding, and the pixels of its rows.
fn with_border<'a>(x: &'a [f32], map: Stored, padding: Padding, scratch: &'a mut Vec<f32>) -> (&'a [f32], usize) {
    if padding == Padding::NONE {
        return (x, map.width);
    }
    let Padding { top, left, bottom, right } = padding;
    let (height, width, pitch) = (map.height + top + bottom, map.width + left + right, map.pitch);
    scratch.clear();
    scratch.resize(height * width * pitch, 0.0);
    let rows = scratch.chunks_exact_mut(width * pitch).skip(top);
    for (to, from) in rows.zip(x.chunks_exact(map.width * pitch)) {
        to[left * pitch..][..from.len()].copy_from_slice(from);
    }
    (scratch, width)
}

/// What shaders end with: scale, shift and what the activation takes, each as long as a stored pixel.
pub fn tail(affine: Option<&Affine>, activation: &Activation, pitch: usize) -> Vec<f32> {
    let (scale, shift) = match affine {
        Some(affine) => (padded(&affine.scale, pitch), padded(&affine.shift, pitch)),
        None => (vec![1.0; pitch], vec![0.0; pitch]),
    };
    [scale, shift, parameters(activation, pitch)].concat()
}

/// How many threads side by side take the `vec4`s of a pixel where the others take other pixels.
fn lanes(vecs: usize) -> usize {
    vecs.next_power_of_two().min(8)
}

/// The parameters of a window that moves over a map: sizes before and after, then the window's, of the padding what is before
/// the map.
fn window(from: Stored, to: Stored, [kernel, stride]: [[usize; 2]; 2], padding: Padding) -> [usize; 11] {
    let vecs = from.vecs();
    [
        from.height,
        from.width,
        to.height,
        to.width,
        vecs,
        kernel[0],
        kernel[1],
        stride[0],
        stride[1],
        padding.top,
        padding.left,
    ]
}

/// Multiplications for which another thread that is awake is worth asking: some 5 µs of them.
const WORTH_A_THREAD: usize = 1 << 17;

/// How many of a map's lines are to be done together, with so many multiplications in each, for so many threads.
fn bands(lines: usize, work: usize, threads: usize) -> usize {
    lines.div_ceil(threads.min(lines.saturating_mul(work) / WORTH_A_THREAD).max(1))
}

/// Sizes as the words of a uniform buffer.
fn words(sizes: impl IntoIterator<Item = usize>) -> Vec<u32> {
    sizes.into_iter().map(|size| size as u32).collect()
}
