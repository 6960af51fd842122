//! A picture as a decoder leaves it. The largest would not fit into a browser's memory a second time, turned upright or
//! with other bytes a pixel: both happen row by row, as it is looked at.

use image::ColorType;
use image::metadata::Orientation;

use super::{Rgba, Rows};

/// Columns that are read together from a picture that lies on its side: as many as a line of the processor's cache holds.
const COLUMNS: usize = 16;

/// A decoded picture. Its rows are upright, and opaque: alpha is dropped without blending, as Pillow's `convert("RGB")`
/// drops it.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Width and height as stored.
    size: [u32; 2],
    color: ColorType,
    /// Rows from the top, 16-bit values in the machine's order.
    bytes: Vec<u8>,
    turn: Turn,
}

/// Where the upright picture's pixel (x, y) is stored: at (x, y), or (y, x) if `swapped`; counted from the right if
/// `from_right`, and from the bottom if `from_bottom`.
#[derive(Clone, Copy, Debug)]
struct Turn {
    swapped: bool,
    from_right: bool,
    from_bottom: bool,
}

impl From<Orientation> for Turn {
    fn from(orientation: Orientation) -> Self {
        let [swapped, from_right, from_bottom] = match orientation {
            Orientation::NoTransforms => [false, false, false],
            Orientation::FlipHorizontal => [false, true, false],
            Orientation::FlipVertical => [false, false, true],
            Orientation::Rotate180 => [false, true, true],
            Orientation::Rotate90FlipH => [true, false, false],
            Orientation::Rotate270 => [true, true, false],
            Orientation::Rotate90 => [true, false, true],
            Orientation::Rotate270FlipH => [true, true, true],
        };
        Self { swapped, from_right, from_bottom }
    }
}

impl Picture {
    /// `None` unless the bytes are `size`'s, rows from the top, 16-bit values in the machine's order.
    pub(super) fn new(size: [u32; 2], color: ColorType, bytes: Vec<u8>, orientation: Orientation) -> Option<Self> {
        let pixels = u64::from(size[0]) * u64::from(size[1]);
        let whole = pixels > 0 && pixels * u64::from(color.bytes_per_pixel()) == bytes.len() as u64;
        whole.then(|| Self { size, color, bytes, turn: orientation.into() })
    }

    /// All of it at once, alpha 255 everywhere.
    pub fn to_rgba(&self) -> Rgba {
        let (width, height) = (self.width(), self.height());
        let mut pixels = Vec::with_capacity(4 * width as usize * height as usize);
        self.for_each_row(|row| pixels.extend_from_slice(row));
        Rgba { width, height, pixels }
    }

    /// Stored row by stored row, in the upright picture's order.
    fn stored_rows(&self) -> impl Iterator<Item = &[u8]> {
        let rows = self.bytes.chunks_exact(self.size[0] as usize * usize::from(self.color.bytes_per_pixel()));
        let count = rows.len();
        let from_bottom = self.turn.from_bottom;
        (0..count).map(move |at| {
            let at = if from_bottom { count - 1 - at } else { at };
            rows.clone().nth(at).unwrap_or_default()
        })
    }
}

impl Rows for Picture {
    fn width(&self) -> u32 {
        self.size[usize::from(self.turn.swapped)]
    }

    fn height(&self) -> u32 {
        self.size[usize::from(!self.turn.swapped)]
    }

    fn for_each_row(&self, mut take: impl FnMut(&[u8])) {
        let Turn { swapped, from_right, .. } = self.turn;
        let bytes = usize::from(self.color.bytes_per_pixel());
        let width = self.width() as usize;
        if !swapped {
            let mut row = vec![[0; 4]; width];
            for stored in self.stored_rows() {
                to_rgba(stored, self.color, &mut row);
                if from_right {
                    row.reverse();
                }
                take(row.as_flattened());
            }
            return;
        }
        // The upright picture's rows are the stored columns.
        let columns = self.size[0] as usize;
        let mut block = vec![[0; 4]; COLUMNS * width];
        let mut pixels = [[0; 4]; COLUMNS];
        for first in (0..columns).step_by(COLUMNS) {
            let count = COLUMNS.min(columns - first);
            let left = if from_right { columns - first - count } else { first };
            for (x, stored) in self.stored_rows().enumerate() {
                let pixels = &mut pixels[..count];
                to_rgba(&stored[left * bytes..(left + count) * bytes], self.color, pixels);
                if from_right {
                    pixels.reverse();
                }
                pixels.iter().enumerate().for_each(|(y, pixel)| block[y * width + x] = *pixel);
            }
            block.chunks_exact(width).take(count).for_each(|row| take(row.as_flattened()));
        }
    }
}

/// Opaque 8-bit colours of as many pixels as `out` holds.
fn to_rgba(bytes: &[u8], color: ColorType, out: &mut [[u8; 4]]) {
    let grey = |value: u8| [value, value, value, u8::MAX];
    match color {
        ColorType::L8 => each(bytes, out, |&[value]| grey(value)),
        ColorType::La8 => each(bytes, out, |&[value, _]| grey(value)),
        ColorType::Rgb8 => each(bytes, out, |&[red, green, blue]| [red, green, blue, u8::MAX]),
        ColorType::Rgba8 => each(bytes, out, |&[red, green, blue, _]| [red, green, blue, u8::MAX]),
        ColorType::L16 => each(bytes, out, |&[a, b]| grey(narrow([a, b]))),
        ColorType::La16 => each(bytes, out, |&[a, b, _, _]| grey(narrow([a, b]))),
        ColorType::Rgb16 => {
            each(bytes, out, |&[a, b, c, d, e, f]| [narrow([a, b]), narrow([c, d]), narrow([e, f]), u8::MAX])
        }
        ColorType::Rgba16 => {
            each(bytes, out, |&[a, b, c, d, e, f, _, _]| [narrow([a, b]), narrow([c, d]), narrow([e, f]), u8::MAX])
        }
        // No format that is read has floats.
        _ => out.fill(grey(0)),
    }
}

fn each<const N: usize>(bytes: &[u8], out: &mut [[u8; 4]], pixel: impl Fn(&[u8; N]) -> [u8; 4]) {
    let (pixels, _) = bytes.as_chunks::<N>();
    out.iter_mut().zip(pixels).for_each(|(out, bytes)| *out = pixel(bytes));
}

/// 16 bits to the nearest of 8.
fn narrow(bytes: [u8; 2]) -> u8 {
    ((u32::from(u16::from_ne_bytes(bytes)) + 128) / 257) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{DynamicImage, ImageBuffer};

    /// A repeatable byte for every place.
    fn noise(count: usize) -> Vec<u8> {
        (0..count as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 23) as u8).collect()
    }

    const ORIENTATIONS: [Orientation; 8] = [
        Orientation::NoTransforms,
        Orientation::FlipHorizontal,
        Orientation::FlipVertical,
        Orientation::Rotate90,
        Orientation::Rotate180,
        Orientation::Rotate270,
        Orientation::Rotate90FlipH,
        Orientation::Rotate270FlipH,
    ];

    #[test]
    fn rows_are_upright_however_the_camera_was_held() {
        // Sides that are no multiple of the columns read together, and fewer.
        for [width, height] in [[37, 19], [5, 3], [1, 40], [40, 1]] {
            let bytes = noise((width * height * 3) as usize);
            for orientation in ORIENTATIONS {
                let buffer = ImageBuffer::from_raw(width, height, bytes.clone()).expect("3 bytes a pixel");
                let mut expected = DynamicImage::ImageRgb8(buffer);
                expected.apply_orientation(orientation);
                let picture = Picture::new([width, height], ColorType::Rgb8, bytes.clone(), orientation);
                let found = picture.expect("a picture").to_rgba();
                assert_eq!((found.width, found.height), (expected.width(), expected.height()), "{orientation:?}");
                assert_eq!(found.pixels, expected.into_rgba8().into_raw(), "{width}×{height} {orientation:?}");
            }
        }
    }

    #[test]
    fn sixteen_bits_become_the_nearest_eight() {
        for value in 0..=u16::MAX {
            assert_eq!(narrow(value.to_ne_bytes()), (f64::from(value) / 257.0).round() as u8, "{value}");
        }
    }

    #[test]
    fn bytes_that_are_not_the_pictures_make_none() {
        let make = |size, bytes| Picture::new(size, ColorType::Rgb8, vec![0; bytes], Orientation::NoTransforms);
        assert!(make([2, 3], 18).is_some());
        assert!(make([2, 3], 17).is_none() && make([0, 3], 0).is_none());
    }
}
