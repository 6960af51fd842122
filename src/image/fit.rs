//! Pictures at a network's size.

use super::quality::{Judge, is_scene};
use super::{Rgba, Rows};
use crate::kernels::frozen::preprocess::{Frame, ImageSizeError, Resizer};

/// The 8-bit pixels of `[3, height, width]`, red first, as augmentation takes them.
///
/// # Errors
/// When the image has no pixels, or not as many rows as it says.
pub fn fit(image: &impl Rows, frame: &Frame) -> Result<Vec<u8>, ImageSizeError> {
    let mut planes = Planes::new([image.width(), image.height()], frame)?;
    image.for_each_row(|row| planes.push(row));
    planes.finish()
}

/// A picture at a network's size, and how much the whole of it could tell.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    pub image: Rgba,
    /// See [`quality`](super::quality()).
    pub quality: f32,
    /// See [`is_scene`](super::is_scene).
    pub is_scene: bool,
}

/// Fits a picture that comes row by row.
#[derive(Debug)]
pub struct Fitter {
    planes: Planes,
    judge: Judge,
}

impl Fitter {
    /// For a picture of `[width, height]`.
    ///
    /// # Errors
    /// When the picture has no pixels.
    pub fn new(size: [u32; 2], frame: &Frame) -> Result<Self, ImageSizeError> {
        Ok(Self { planes: Planes::new(size, frame)?, judge: Judge::new(size) })
    }

    /// The next row from the top, `4 · width` bytes.
    pub fn push(&mut self, row: &[u8]) {
        self.planes.push(row);
        self.judge.push(row);
    }

    /// # Errors
    /// When there were not as many rows as the picture is high; one of another length is none.
    pub fn finish(self) -> Result<Fitted, ImageSizeError> {
        let Frame { width, height, .. } = self.planes.frame;
        let is_scene = is_scene(self.planes.size);
        Ok(Fitted { image: interleave(&self.planes.finish()?, width, height), quality: self.judge.score(), is_scene })
    }
}

/// The pixels of `[3, height, width]` side by side.
pub(crate) fn interleave(planes: &[u8], width: usize, height: usize) -> Rgba {
    let mut pixels = vec![u8::MAX; 4 * width * height];
    for (channel, plane) in planes.chunks_exact((width * height).max(1)).enumerate() {
        pixels.as_chunks_mut::<4>().0.iter_mut().zip(plane).for_each(|(pixel, &value)| pixel[channel] = value);
    }
    Rgba { width: width as u32, height: height as u32, pixels }
}

/// A resize of rows that may not be what was said.
#[derive(Debug)]
struct Planes {
    size: [u32; 2],
    frame: Frame,
    /// Of the rows that were whole.
    bytes: usize,
    resizer: Resizer,
}

impl Planes {
    fn new(size: [u32; 2], frame: &Frame) -> Result<Self, ImageSizeError> {
        let [width, height] = size;
        if width == 0 || height == 0 {
            return Err(ImageSizeError { width, height, bytes: 0 });
        }
        let (columns, rows) = frame.axes(width as usize, height as usize);
        let resizer = Resizer::new(columns, rows, frame.fit.colour());
        Ok(Self { size, frame: *frame, bytes: 0, resizer })
    }

    fn push(&mut self, row: &[u8]) {
        if row.len() == 4 * self.size[0] as usize {
            self.bytes += row.len();
            self.resizer.push(row);
        }
    }

    fn finish(self) -> Result<Vec<u8>, ImageSizeError> {
        let Self { size: [width, height], bytes, resizer, .. } = self;
        if u64::from(width) * u64::from(height) * 4 != bytes as u64 {
            return Err(ImageSizeError { width, height, bytes });
        }
        Ok(resizer.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::quality;
    use crate::kernels::frozen::preprocess::Filter;
    use crate::step::Fit;

    #[test]
    fn row_by_row_a_picture_is_what_it_is_as_a_whole() {
        // Larger and smaller than the target, in both directions.
        for [width, height] in [[301, 517], [40, 90], [300, 20], [16, 900], [32, 64]] {
            let pixels = (0..width * height * 4).map(|at: u32| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
            let image = Rgba { width, height, pixels };
            for (filter, fit_to) in [(Filter::Bilinear, Fit::Stretch), (Filter::Bicubic, Fit::LETTERBOX)] {
                let frame = Frame { width: 32, height: 64, filter, fit: fit_to };
                let mut fitter = Fitter::new([width, height], &frame).expect("pixels");
                image.for_each_row(|row| fitter.push(row));
                let fitted = fitter.finish().expect("all rows");
                let expected = fit(&image, &frame).expect("fits");
                assert_eq!((fitted.image.width, fitted.image.height), (32, 64));
                for (at, pixel) in fitted.image.pixels.chunks_exact(4).enumerate() {
                    assert_eq!(pixel, [expected[at], expected[2048 + at], expected[4096 + at], 255]);
                }
                assert_eq!((fitted.quality, fitted.is_scene), (quality(&image), is_scene([width, height])));
            }
        }
    }

    #[test]
    fn rows_that_are_missing_or_of_another_length_are_an_error() {
        let fitted = |rows: &[usize]| {
            let mut fitter = Fitter::new([2, 3], &Frame::bilinear(4, 4)).expect("pixels");
            rows.iter().for_each(|&bytes| fitter.push(&vec![7; bytes]));
            fitter.finish()
        };
        assert!(fitted(&[8, 8, 8]).expect("whole").image.pixels.starts_with(&[7, 7, 7, 255]));
        for rows in [&[8, 8][..], &[8, 8, 8, 8], &[8, 4, 8], &[]] {
            let error = fitted(rows).expect_err("not the picture's rows");
            assert_eq!((error.width, error.height), (2, 3), "{rows:?}");
        }
        assert!(Fitter::new([0, 3], &Frame::bilinear(4, 4)).is_err());
    }
}
