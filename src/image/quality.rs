//! How much a crop can tell: a plain score from size, contrast and sharpness.

use super::Rows;

/// Brightness deviation (of 0–255) from which contrast counts as full.
const FULL_CONTRAST: f32 = 40.0;
/// Mean gradient over brightness deviation from which sharpness counts as full; crops of surveillance cameras reach it.
const FULL_SHARPNESS: f32 = 0.4;
/// The size at which a person's clothes are still told apart; smaller crops score less.
const FULL_SIZE: [u32; 2] = [64, 128];

/// A score between 0 (nothing to see) and 1 of a person crop: the cube root of size · contrast · sharpness, where
/// - size is `min(1, √(width · height / (64 · 128)))`,
/// - contrast is `min(1, σ / 40)`, σ the standard deviation of the brightness (Rec. 601 luma, 0–255),
/// - sharpness is `min(1, g / (0.4 σ))`, g the mean of `(|∂x| + |∂y|) / 2` between neighbouring pixels.
///
/// σ and g are taken after the crop is reduced by the whole factor that brings it nearest above 64×128, so that a large and
/// a small print of one photo score alike. The score sees neither who is in the picture nor what hides them.
pub fn quality(image: &impl Rows) -> f32 {
    let mut judge = Judge::new([image.width(), image.height()]);
    image.for_each_row(|row| judge.push(row));
    judge.score()
}

/// From this width on, as a part of the height, a picture shows more than one person standing: people with outspread arms
/// reach it.
const WIDE: f32 = 0.9;
/// The same of a picture of a megapixel and more: cameras' photos in portrait format are 3:4, and crops are seldom so large.
const WIDE_LARGE: f32 = 0.7;
const LARGE_PIXELS: u64 = 1_000_000;

/// Whether a picture of `[width, height]` is rather a whole photo than a crop of one person, as its sides tell: it is more than
/// 0.9 times as wide as high, or 0.7 times from a megapixel on. Features of whole photos are mostly of what is behind the
/// people; [`detect`](crate::detect) finds these.
pub fn is_scene([width, height]: [u32; 2]) -> bool {
    let is_large = u64::from(width) * u64::from(height) >= LARGE_PIXELS;
    width as f32 > height as f32 * if is_large { WIDE_LARGE } else { WIDE }
}

/// Judges a picture that comes row by row.
#[derive(Clone, Debug)]
pub(super) struct Judge {
    size: [u32; 2],
    /// The side of the squares that the picture is reduced by, in pixels.
    factor: usize,
    /// How many of them make a row.
    width: usize,
    /// The brightness of each, added up.
    luma: Vec<f32>,
    /// Rows so far.
    count: usize,
}

impl Judge {
    /// For a picture of `[width, height]`.
    pub(super) fn new(size: [u32; 2]) -> Self {
        let factor = (size[0] / FULL_SIZE[0]).min(size[1] / FULL_SIZE[1]).max(1) as usize;
        let [width, height] = size.map(|side| side as usize / factor);
        Self { size, factor, width, luma: vec![0.0; width * height], count: 0 }
    }

    /// The next row from the top, 4 bytes a pixel.
    pub(super) fn push(&mut self, row: &[u8]) {
        let start = self.count / self.factor * self.width;
        self.count += 1;
        // What is left over at the right and at the bottom is in no square.
        let Some(squares) = self.luma.get_mut(start..start + self.width) else { return };
        for (square, pixels) in squares.iter_mut().zip(row.chunks_exact(4 * self.factor)) {
            for p in pixels.chunks_exact(4) {
                *square += 0.299 * f32::from(p[0]) + 0.587 * f32::from(p[1]) + 0.114 * f32::from(p[2]);
            }
        }
    }

    /// See [`quality`].
    pub(super) fn score(mut self) -> f32 {
        let area = (self.factor * self.factor) as f32;
        self.luma.iter_mut().for_each(|value| *value /= area);
        let (luma, width) = (&self.luma, self.width);
        if luma.is_empty() {
            return 0.0;
        }
        let count = luma.len() as f32;
        let mean = luma.iter().sum::<f32>() / count;
        let deviation = (luma.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / count).sqrt();
        // Less than a step of an 8-bit value is rounding, not a picture.
        if deviation < 0.5 {
            return 0.0;
        }
        let across = luma.chunks_exact(width).flat_map(|row| row.windows(2)).map(|pair| (pair[1] - pair[0]).abs());
        let down = luma.iter().zip(&luma[width..]).map(|(above, below)| (below - above).abs());
        let gradient = (average(across) + average(down)) / 2.0;

        let [wide, high] = self.size.map(|side| side as f32);
        let size = (wide * high / (FULL_SIZE[0] * FULL_SIZE[1]) as f32).sqrt().min(1.0);
        let contrast = (deviation / FULL_CONTRAST).min(1.0);
        let sharpness = (gradient / (FULL_SHARPNESS * deviation)).min(1.0);
        (size * contrast * sharpness).cbrt()
    }
}

fn average(values: impl Iterator<Item = f32>) -> f32 {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    if count == 0 { 0.0 } else { sum / count as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Rgba;

    fn image(width: u32, height: u32, grey: impl Fn(u32, u32) -> u8) -> Rgba {
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let pixels = pixels.flat_map(|(x, y)| [grey(x, y), grey(x, y), grey(x, y), 255]).collect();
        Rgba { width, height, pixels }
    }

    #[test]
    fn a_board_of_black_and_white_is_perfect_and_a_plain_wall_is_nothing() {
        assert_eq!(quality(&image(64, 128, |x, y| if (x / 4 + y / 4) % 2 == 0 { 0 } else { 255 })), 1.0);
        assert_eq!(quality(&image(64, 128, |_, _| 90)), 0.0);
        assert_eq!(quality(&image(1, 1, |_, _| 90)), 0.0);
        assert_eq!(quality(&Rgba { width: 0, height: 0, pixels: Vec::new() }), 0.0);
    }

    #[test]
    fn each_term_is_as_documented() {
        // A quarter of the sides: size 1/4, the rest full.
        let small = quality(&image(16, 32, |x, y| if (x + y) % 2 == 0 { 0 } else { 255 }));
        assert!((small - 0.25_f32.cbrt()).abs() < 1e-6, "{small}");
        // σ 10 of 40.
        let faint = quality(&image(64, 128, |x, y| if (x + y) % 2 == 0 { 100 } else { 120 }));
        assert!((faint - 0.25_f32.cbrt()).abs() < 1e-6, "{faint}");
        // One edge between two halves: σ 127.5; only 128 of 63·128 pairs across differ, by 255.
        let edge = quality(&image(64, 128, |x, _| if x < 32 { 0 } else { 255 }));
        let gradient = 255.0 / 63.0 / 2.0;
        assert!((edge - (gradient / (0.4 * 127.5_f32)).cbrt()).abs() < 1e-5, "{edge}");
    }

    #[test]
    fn a_scene_is_wide_and_a_crop_is_high() {
        for scene in [[768, 576], [4032, 3024], [3024, 4032], [1500, 2000], [100, 100], [4000, 400], [92, 100]] {
            assert!(is_scene(scene), "{scene:?}");
        }
        // Of the sets that networks are trained with, of large photos, of people with outspread arms; nothing to see.
        for crop in
            [[64, 128], [48, 128], [128, 256], [90, 100], [375, 500], [1000, 2000], [1080, 1920], [1, 9000], [0, 0]]
        {
            assert!(!is_scene(crop), "{crop:?}");
        }
    }

    #[test]
    fn a_larger_print_of_a_photo_scores_alike() {
        let grey = |x: u32, y: u32| ((x * x + y * 37 + x * y) % 200) as u8;
        let small = quality(&image(64, 128, grey));
        let large = quality(&image(256, 512, |x, y| grey(x / 4, y / 4)));
        assert!((small - large).abs() < 1e-6, "{small} {large}");
    }
}
