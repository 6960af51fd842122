//! What the frozen form of a network runs: kernels over maps `[n, h, w, channels]`, each with its shader and its twin on
//! the CPU. The channels of a stored pixel are padded with zeros to whole vectors, `pitch` values in all, so that no kernel
//! has to treat a remainder.

pub mod concatenate;
pub mod conv;
pub mod depthwise;
pub mod elementwise;
pub mod gate;
pub mod gate_scales;
pub mod global_pool;
pub mod group_norm;
pub mod lite;
pub mod lite_strip;
pub mod nhwc_input;
pub mod pool;
mod simd;

pub(crate) use self::simd::vectorised;
use crate::graph::frozen::{Activation, Affine, Map};

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

/// The map with a border of zeros, made in `scratch` where there is any padding, and the pixels of its rows.
fn with_border<'a>(x: &'a [f32], map: Stored, padding: [usize; 2], scratch: &'a mut Vec<f32>) -> (&'a [f32], usize) {
    if padding == [0; 2] {
        return (x, map.width);
    }
    let (height, width, pitch) = (map.height + 2 * padding[0], map.width + 2 * padding[1], map.pitch);
    scratch.clear();
    scratch.resize(height * width * pitch, 0.0);
    let rows = scratch.chunks_exact_mut(width * pitch).skip(padding[0]);
    for (to, from) in rows.zip(x.chunks_exact(map.width * pitch)) {
        to[padding[1] * pitch..][..from.len()].copy_from_slice(from);
    }
    (scratch, width)
}

/// An activation as the twins apply it: slopes are padded.
#[derive(Clone, Debug, PartialEq)]
pub enum Finish {
    None,
    Relu,
    Sigmoid,
    PRelu(Vec<f32>),
}

impl Finish {
    pub fn new(activation: &Activation, pitch: usize) -> Self {
        match activation {
            Activation::None => Self::None,
            Activation::Relu => Self::Relu,
            Activation::Sigmoid => Self::Sigmoid,
            Activation::PRelu(slopes) => Self::PRelu(padded(slopes, pitch)),
        }
    }

    /// What loops over vectors leave of it, which do a ReLU themselves: to a whole map.
    fn apply_rest(&self, pitch: usize, map: &mut [f32]) {
        if !matches!(self, Self::None | Self::Relu) {
            map.chunks_exact_mut(pitch).for_each(|pixel| self.apply(pixel));
        }
    }

    /// To a pixel.
    #[inline(always)]
    fn apply(&self, values: &mut [f32]) {
        match self {
            Self::None => {}
            Self::Relu => values.iter_mut().for_each(|value| *value = simd::larger(*value, 0.0)),
            Self::Sigmoid => values.iter_mut().for_each(|value| *value = sigmoid(*value)),
            Self::PRelu(slopes) => {
                for (value, slope) in values.iter_mut().zip(slopes) {
                    *value = simd::larger(*value, 0.0) + slope * -simd::larger(-*value, 0.0);
                }
            }
        }
    }
}

/// An activation as `finish` in the shaders knows it.
fn code(activation: &Activation) -> u32 {
    match activation {
        Activation::None => 0,
        Activation::Relu => 1,
        Activation::Sigmoid => 2,
        Activation::PRelu(_) => 3,
    }
}

/// The slopes of an activation, zeros where it has none.
fn slopes(activation: &Activation, pitch: usize) -> Vec<f32> {
    match activation {
        Activation::PRelu(slopes) => padded(slopes, pitch),
        _ => vec![0.0; pitch],
    }
}

/// What shaders end with: scale, shift and slopes, each as long as a stored pixel.
pub fn tail(affine: Option<&Affine>, activation: &Activation, pitch: usize) -> Vec<f32> {
    let (scale, shift) = match affine {
        Some(affine) => (padded(&affine.scale, pitch), padded(&affine.shift, pitch)),
        None => (vec![1.0; pitch], vec![0.0; pitch]),
    };
    [scale, shift, slopes(activation, pitch)].concat()
}

/// How many threads side by side take the `vec4`s of a pixel where the others take other pixels.
fn lanes(vecs: usize) -> usize {
    vecs.next_power_of_two().min(8)
}

/// The parameters of a window that moves over a map: sizes before and after, then the window's.
fn window(from: Stored, to: Stored, [kernel, stride, padding]: [[usize; 2]; 3]) -> [usize; 11] {
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
        padding[0],
        padding[1],
    ]
}

/// Multiplications for which another thread that is awake is worth asking: some 5 µs of them.
const WORTH_A_THREAD: usize = 1 << 17;

/// How many of a map's lines are to be done together, with so many multiplications in each, for so many threads.
fn bands(lines: usize, work: usize, threads: usize) -> usize {
    lines.div_ceil(threads.min(lines * work / WORTH_A_THREAD).max(1))
}

/// Sizes as the words of a uniform buffer.
fn words(sizes: impl IntoIterator<Item = usize>) -> Vec<u32> {
    sizes.into_iter().map(|size| size as u32).collect()
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}
