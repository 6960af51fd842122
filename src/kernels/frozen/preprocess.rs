//! RGBA bytes to a resized, normalised tensor. The resize is Pillow's of 8-bit RGB to the bit (`Image.resize`,
//! `src/libImaging/Resample.c`): antialiased, a horizontal pass and then a vertical one, each in fixed point and rounded
//! to bytes. The weights are made here for shader and twin alike, and all sums are integers. Pixels of the output that no
//! pixel of the input has a weight for are around the picture, and take a colour.
//!
//! Buffers: image `[height · width]` (RGBA, red in the lowest byte), columns and rows ([`Axis::table`]), out
//! `[3, height, width]`.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::kernels::{Dispatch, Kernel, shader::wgsl};
use crate::step::Fit;
use crate::words::words;

pub const KERNEL: Kernel = Kernel { name: "preprocess", wgsl: wgsl!("frozen/preprocess") };

/// How the resize interpolates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(rename_all = "kebab-case")]
pub enum Filter {
    /// Pillow's `BILINEAR`: a triangle.
    #[default]
    Bilinear,
    /// Pillow's `BICUBIC`: Keys' kernel with a = −0.5.
    Bicubic,
    /// OpenCV's `INTER_LINEAR`: the nearest two pixels of a line, however many lie between those of the result. OpenCV
    /// rounds its sums of bytes elsewhere; results differ by one at most.
    Linear,
}

words! {
    Filter: "bilinear" => Bilinear, "bicubic" => Bicubic, "linear" => Linear;
    /// A word that names no filter.
    UnknownFilter, "'{0}' is no filter; choose bilinear, bicubic or linear"
}

impl Filter {
    /// The radius of the kernel, in pixels of whichever side has the larger ones.
    fn support(self) -> f64 {
        match self {
            Self::Bilinear | Self::Linear => 1.0,
            Self::Bicubic => 2.0,
        }
    }

    /// How many pixels of the input its kernel's unit is: all that go into one of the output, unless it looks at the nearest only.
    fn unit(self, scale: f64) -> f64 {
        match self {
            Self::Bilinear | Self::Bicubic => scale.max(1.0),
            Self::Linear => 1.0,
        }
    }

    fn weight(self, x: f64) -> f64 {
        const A: f64 = -0.5;
        let x = x.abs();
        match self {
            Self::Bilinear | Self::Linear if x < 1.0 => 1.0 - x,
            Self::Bicubic if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
            Self::Bicubic if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * A,
            _ => 0.0,
        }
    }
}

/// The order of the colours that a network expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    Rgb,
    Bgr,
}

/// The size that pictures are brought to, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct Frame {
    /// In pixels.
    pub width: usize,
    pub height: usize,
    pub filter: Filter,
    #[cfg_attr(target_arch = "wasm32", tsify(type = "Fit"))]
    pub fit: Fit,
}

impl Frame {
    /// A picture in another size, bilinear as Pillow does it.
    pub fn bilinear(width: usize, height: usize) -> Self {
        Self { width, height, filter: Filter::Bilinear, fit: Fit::Stretch }
    }

    /// The weights of columns and rows for a picture of that size, neither side of which is 0.
    pub fn axes(&self, width: usize, height: usize) -> (Axis, Axis) {
        let place = self.fit.placement([width, height], [self.width, self.height]);
        let columns = Axis::new(self.filter, width, place.left..place.left + place.width, self.width);
        let rows = Axis::new(self.filter, height, place.top..place.top + place.height, self.height);
        (columns, rows)
    }
}

/// What a network wants of an image. `scale` and `bias` belong to the output's channels: value · scale + bias, the value
/// being 0…255.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    pub frame: Frame,
    pub order: Order,
    pub scale: [f32; 3],
    pub bias: [f32; 3],
}

impl Plan {
    /// The weights of columns and rows for this image.
    pub fn axes(&self, image: Rgba) -> (Axis, Axis) {
        self.frame.axes(image.width, image.height)
    }
}

/// An image of 8-bit RGBA, not premultiplied; alpha is ignored.
#[derive(Clone, Copy, Debug)]
pub struct Rgba<'a> {
    width: usize,
    height: usize,
    bytes: &'a [u8],
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an image of {width}×{height} pixels needs a width, a height and 4 bytes a pixel, not {bytes} bytes")]
pub struct ImageSizeError {
    pub width: u32,
    pub height: u32,
    pub bytes: usize,
}

impl<'a> Rgba<'a> {
    /// `bytes` are the rows from the top, 4 bytes a pixel.
    pub fn new(width: u32, height: u32, bytes: &'a [u8]) -> Result<Self, ImageSizeError> {
        let pixels = u64::from(width) * u64::from(height);
        if pixels == 0 || pixels.checked_mul(4) != Some(bytes.len() as u64) {
            return Err(ImageSizeError { width, height, bytes: bytes.len() });
        }
        Ok(Self { width: width as usize, height: height as usize, bytes })
    }

    pub fn width(self) -> usize {
        self.width
    }

    pub fn height(self) -> usize {
        self.height
    }

    pub fn bytes(self) -> &'a [u8] {
        self.bytes
    }
}

const PRECISION_BITS: u32 = 22;

/// The weights of one side of a resize.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    /// Entries of a line of the table.
    pub stride: usize,
    /// A line for each output pixel: the first input pixel, how many, and their weights as 22-bit fixed point. Around the
    /// picture there are none.
    pub table: Vec<i32>,
}

impl Axis {
    /// The weights from `input` pixels to those of `place` among `output`, none of them 0.
    pub fn new(filter: Filter, input: usize, place: Range<usize>, output: usize) -> Self {
        let scale = input as f64 / place.len() as f64;
        let filter_scale = filter.unit(scale);
        let support = filter.support() * filter_scale;
        let stride = 2 + support.ceil() as usize * 2 + 1;
        let mut table = vec![0; stride * output];
        // The first pixels never go back.
        table[place.end * stride..].chunks_exact_mut(stride).for_each(|line| line[0] = input as i32);
        let mut weights = Vec::with_capacity(stride);
        for (pixel, line) in table[place.start * stride..].chunks_exact_mut(stride).take(place.len()).enumerate() {
            if input == place.len() {
                // All these kernels are 1 in the middle, and 0 a pixel from there.
                line[..3].copy_from_slice(&[pixel as i32, 1, 1 << PRECISION_BITS]);
                continue;
            }
            let center = (pixel as f64 + 0.5) * scale;
            let first = (center - support + 0.5).max(0.0) as usize;
            let last = ((center + support + 0.5) as usize).min(input);
            let weight = |at: usize| filter.weight((at as f64 - center + 0.5) * (1.0 / filter_scale));
            weights.clear();
            weights.extend((first..last).map(weight));
            let sum: f64 = weights.iter().sum();
            line[0] = first as i32;
            line[1] = weights.len() as i32;
            for (entry, weight) in line[2..].iter_mut().zip(&weights) {
                let fixed = weight / sum * f64::from(1 << PRECISION_BITS);
                *entry = (fixed + 0.5_f64.copysign(fixed)) as i32;
            }
        }
        Self { stride, table }
    }

    fn lines(&self) -> impl ExactSizeIterator<Item = (usize, &[i32])> {
        self.table.chunks_exact(self.stride).map(|line| (line[0] as usize, &line[2..2 + line[1] as usize]))
    }

    /// Whether all pixels stay what they are, where they are.
    fn is_identity(&self, input: usize) -> bool {
        let stays = |(place, line)| line == (place, &[1 << PRECISION_BITS][..]);
        self.output() == input && self.lines().enumerate().all(stays)
    }

    /// The output's pixels.
    fn output(&self) -> usize {
        self.table.len() / self.stride
    }
}

/// Launches over the output's pixels, for an image `image_width` wide and the strides of the axes made for it.
pub fn dispatch(plan: &Plan, image_width: usize, column_stride: usize, row_stride: usize) -> Dispatch {
    let Frame { width, height, fit, .. } = plan.frame;
    let [red, green, blue] = fit.colour();
    let mut params: Vec<u32> = [image_width, width, height, column_stride, row_stride].map(|size| size as u32).to_vec();
    params.extend([(plan.order == Order::Bgr).into(), u32::from_le_bytes([red, green, blue, 0]), 0]);
    for [x, y, z] in [plan.scale, plan.bias] {
        params.extend([x.to_bits(), y.to_bits(), z.to_bits(), 0]);
    }
    Dispatch::new(params, (width * height).div_ceil(64))
}

/// The twin: `[3, height, width]`.
pub fn twin(plan: &Plan, image: Rgba, columns: &Axis, rows: &Axis) -> Vec<f32> {
    normalised(plan, &resize(image, columns, rows, plan.frame.fit.colour()))
}

/// A resized image as the network's input `[3, height, width]`.
pub fn normalised(plan: &Plan, resized: &[u8]) -> Vec<f32> {
    let area = plan.frame.width * plan.frame.height;
    let mut out = Vec::with_capacity(3 * area);
    for channel in 0..3 {
        let source = if plan.order == Order::Bgr { 2 - channel } else { channel };
        let (scale, bias) = (plan.scale[channel], plan.bias[channel]);
        out.extend(resized[source * area..][..area].iter().map(|&byte| f32::from(byte) * scale + bias));
    }
    out
}

/// The resized image, `around` it that colour: the bytes of `[3, height, width]`, red first.
pub fn resize(image: Rgba, columns: &Axis, rows: &Axis, around: [u8; 3]) -> Vec<u8> {
    if columns.is_identity(image.width) && rows.is_identity(image.height) {
        let mut planes = vec![0; 3 * image.width * image.height];
        separate(image.bytes, &mut planes);
        return planes;
    }
    let mut resizer = Resizer::new(columns.clone(), rows.clone(), around);
    image.bytes.chunks_exact(4 * image.width).for_each(|row| resizer.push(row));
    resizer.finish()
}

/// A resize that takes the image row by row, so that nobody has to hold all of it.
#[derive(Clone, Debug)]
pub struct Resizer {
    columns: Axis,
    /// Whether columns stay what they are.
    keeps_columns: bool,
    rows: Axis,
    /// The colour around the picture.
    around: [u8; 3],
    /// Of each output row what the rows so far add to it, `[height, 3, width]`.
    sums: Vec<i32>,
    /// The row at hand after the horizontal pass, `[3, width]`.
    filtered: Vec<u8>,
    /// How many rows there were.
    count: usize,
    /// The first output row that wants more of them.
    unfinished: usize,
}

impl Resizer {
    /// With the weights of columns and rows, [`Axis`]es from the image's sides to the output's.
    pub fn new(columns: Axis, rows: Axis, around: [u8; 3]) -> Self {
        let line = 3 * columns.output();
        let sums = vec![0; rows.output() * line];
        let keeps_columns = columns.is_identity(columns.output());
        Self { columns, keeps_columns, rows, around, sums, filtered: vec![0; line], count: 0, unfinished: 0 }
    }

    /// The next row from the top, 4 bytes a pixel; rows below the image's last change nothing.
    ///
    /// # Panics
    /// When it is shorter than the image's width.
    pub fn push(&mut self, row: &[u8]) {
        let at = self.count;
        self.count += 1;
        // An output row's window begins and ends no higher than that of the row before it.
        let finished = |(start, weights): &(usize, &[i32])| start + weights.len() <= at;
        self.unfinished += self.rows.lines().skip(self.unfinished).take_while(finished).count();
        let windows = self.rows.lines().zip(self.sums.chunks_exact_mut(self.filtered.len())).skip(self.unfinished);
        let mut open = windows.take_while(|((start, _), _)| *start <= at).peekable();
        if open.peek().is_none() {
            return;
        }
        if self.keeps_columns {
            separate(&row[..4 * self.columns.output()], &mut self.filtered);
        } else {
            filter_row(row, &self.columns, &mut self.filtered);
        }
        for ((start, weights), sums) in open {
            let weight = weights[at - start];
            for (sum, &byte) in sums.iter_mut().zip(&self.filtered) {
                *sum = add_product(*sum, byte, weight);
            }
        }
    }

    /// The bytes of `[3, height, width]`, red first.
    pub fn finish(self) -> Vec<u8> {
        let (width, height) = (self.columns.output(), self.rows.output());
        let mut out = vec![0; self.sums.len()];
        let mut lines = self.sums.chunks_exact(width);
        // Asked once, and not for each pixel: the picture lies in one run of columns.
        let left = self.columns.lines().take_while(|(_, weights)| weights.is_empty()).count();
        let across = left..left + self.columns.lines().filter(|(_, weights)| !weights.is_empty()).count();
        for (y, (_, weights)) in self.rows.lines().enumerate() {
            let picture = if weights.is_empty() { 0..0 } else { across.clone() };
            for (channel, (around, sums)) in self.around.into_iter().zip(&mut lines).enumerate() {
                let line = &mut out[(channel * height + y) * width..][..width];
                line[..picture.start].fill(around);
                line[picture.end..].fill(around);
                for (byte, &sum) in line[picture.clone()].iter_mut().zip(&sums[picture.clone()]) {
                    *byte = round_to_byte(sum);
                }
            }
        }
        out
    }
}

/// The three colours of pixels of RGBA one after the other.
fn separate(pixels: &[u8], out: &mut [u8]) {
    let (pixels, _) = pixels.as_chunks::<4>();
    for (channel, out) in out.chunks_exact_mut(pixels.len().max(1)).enumerate().take(3) {
        out.iter_mut().zip(pixels).for_each(|(out, pixel)| *out = pixel[channel]);
    }
}

/// The horizontal pass over a row of RGBA: its three colours side by side.
fn filter_row(row: &[u8], columns: &Axis, out: &mut [u8]) {
    let (pixels, _) = row.as_chunks::<4>();
    let width = columns.output();
    for (x, (start, weights)) in columns.lines().enumerate() {
        let mut sum = [0; 4];
        for (pixel, &weight) in pixels[start..].iter().zip(weights) {
            for channel in 0..4 {
                sum[channel] = add_product(sum[channel], pixel[channel], weight);
            }
        }
        for channel in 0..3 {
            out[channel * width + x] = round_to_byte(sum[channel]);
        }
    }
}

/// `sum + byte · weight`, which no [`Axis`] brings out of range: the absolute values of a line's weights add up to less than
/// twice `1 << PRECISION_BITS`. A check for overflow would keep the loops from being vectorised.
fn add_product(sum: i32, byte: u8, weight: i32) -> i32 {
    sum.wrapping_add(i32::from(byte).wrapping_mul(weight))
}

fn round_to_byte(sum: i32) -> u8 {
    ((sum + (1 << (PRECISION_BITS - 1))) >> PRECISION_BITS).clamp(0, 255) as u8
}
