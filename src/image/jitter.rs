//! Colour jitter by Pillow's formulas, to the bit: what torchvision's `ColorJitter` does to a PIL image.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

/// How far colours may move. 0 leaves that side of them alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Jitter {
    /// Of an image being changed at all.
    pub probability: f64,
    /// The factor is drawn from 1 ± this; so are the next two.
    pub brightness: f32,
    pub contrast: f32,
    pub saturation: f32,
    /// In turns of the colour circle, 0.5 at most.
    pub hue: f32,
}

impl Default for Jitter {
    /// Off; strengths that keep a person's clothes recognisable once it is on.
    fn default() -> Self {
        Self { probability: 0.0, brightness: 0.2, contrast: 0.15, saturation: 0.15, hue: 0.02 }
    }
}

/// One change of the colours.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Change {
    Brightness(f32),
    Contrast(f32),
    Saturation(f32),
    Hue(f32),
}

impl Jitter {
    /// Changes the colours of `[3, height, width]` in random order by random amounts, the probability apart.
    pub(super) fn apply(&self, planes: &mut [u8], rng: &mut ChaCha8Rng) {
        let mut factor = |spread: f32| rng.random_range((1.0 - spread).max(0.0)..=1.0 + spread);
        let mut changes = [
            Change::Brightness(factor(self.brightness)),
            Change::Contrast(factor(self.contrast)),
            Change::Saturation(factor(self.saturation)),
            Change::Hue(factor(self.hue) - 1.0),
        ];
        changes.shuffle(rng);
        let spread = |change: &Change| match change {
            Change::Brightness(_) => self.brightness,
            Change::Contrast(_) => self.contrast,
            Change::Saturation(_) => self.saturation,
            Change::Hue(_) => self.hue,
        };
        changes.iter().filter(|change| spread(change) > 0.0).for_each(|change| change.apply(planes));
    }
}

impl Change {
    fn apply(self, planes: &mut [u8]) {
        match self {
            Self::Brightness(factor) => blend_with(0, factor, planes),
            Self::Contrast(factor) => {
                let (pixels, sum) =
                    pixels(planes).fold((0, 0), |(n, sum), pixel| (n + 1, sum + u64::from(grey(pixel))));
                // The mean, rounded half up.
                let mean = (2 * sum + pixels) / (2 * pixels).max(1);
                blend_with(mean as u8, factor, planes);
            }
            Self::Saturation(factor) => each_pixel(planes, |pixel| {
                let grey = grey(pixel);
                pixel.map(|value| blend(grey, value, factor))
            }),
            Self::Hue(turns) => {
                // Hues are bytes that wrap around.
                let shift = (turns * 255.0) as i32 as u8;
                each_pixel(planes, |pixel| {
                    let [hue, saturation, value] = to_hsv(pixel);
                    to_rgb([hue.wrapping_add(shift), saturation, value])
                });
            }
        }
    }
}

/// The pixels of `[3, n]`.
fn pixels(planes: &[u8]) -> impl Iterator<Item = [u8; 3]> {
    let (red, rest) = planes.split_at(planes.len() / 3);
    let (green, blue) = rest.split_at(red.len());
    red.iter().zip(green).zip(blue).map(|((&red, &green), &blue)| [red, green, blue])
}

fn each_pixel(planes: &mut [u8], change: impl Fn([u8; 3]) -> [u8; 3]) {
    let (red, rest) = planes.split_at_mut(planes.len() / 3);
    let (green, blue) = rest.split_at_mut(red.len());
    for ((red, green), blue) in red.iter_mut().zip(green).zip(blue) {
        [*red, *green, *blue] = change([*red, *green, *blue]);
    }
}

fn blend_with(constant: u8, factor: f32, planes: &mut [u8]) {
    let table: [u8; 256] = std::array::from_fn(|value| blend(constant, value as u8, factor));
    planes.iter_mut().for_each(|value| *value = table[usize::from(*value)]);
}

/// `Image.blend`: towards 0…255 without rounding.
fn blend(from: u8, to: u8, factor: f32) -> u8 {
    (f32::from(from) + factor * (f32::from(to) - f32::from(from))) as u8
}

/// Rec. 601 luma, `convert("L")`.
fn grey([red, green, blue]: [u8; 3]) -> u8 {
    ((u32::from(red) * 19595 + u32::from(green) * 38470 + u32::from(blue) * 7471 + 0x8000) >> 16) as u8
}

/// `convert("HSV")`; it computes partly in f64, and so does this, lest a hue be off by one.
fn to_hsv([red, green, blue]: [u8; 3]) -> [u8; 3] {
    let (largest, smallest) = (red.max(green).max(blue), red.min(green).min(blue));
    if largest == smallest {
        return [0, 0, largest];
    }
    let range = f32::from(largest - smallest);
    let saturation = range / f32::from(largest);
    let below = |value: u8| f32::from(largest - value) / range;
    let (red_below, green_below, blue_below) = (below(red), below(green), below(blue));
    let sixths = if red == largest {
        blue_below - green_below
    } else if green == largest {
        (2.0 + f64::from(red_below) - f64::from(blue_below)) as f32
    } else {
        (4.0 + f64::from(green_below) - f64::from(red_below)) as f32
    };
    let turns = f64::from(sixths) / 6.0 + 1.0;
    let hue = (if turns >= 1.0 { turns - 1.0 } else { turns }) as f32;
    [(f64::from(hue) * 255.0) as u8, (f64::from(saturation) * 255.0) as u8, largest]
}

/// `convert("RGB")` of HSV.
fn to_rgb([hue, saturation, value]: [u8; 3]) -> [u8; 3] {
    if saturation == 0 {
        return [value; 3];
    }
    let sixths = f64::from(hue) * 6.0 / 255.0;
    let sector = sixths as u8;
    let rest = (sixths - f64::from(sector)) as f32;
    let saturation = (f64::from(saturation) / 255.0) as f32;
    let part = |less: f64| (f64::from(value) * (1.0 - less) + 0.5) as u8;
    let low = part(f64::from(saturation));
    let falling = part(f64::from(saturation * rest));
    let rising = part(f64::from(saturation) * (1.0 - f64::from(rest)));
    match sector % 6 {
        0 => [value, rising, low],
        1 => [falling, value, low],
        2 => [low, value, rising],
        3 => [low, falling, value],
        4 => [rising, low, value],
        _ => [value, low, falling],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    /// 64×128 pixels of noise, with the extremes often; as `[3, n]`.
    fn noise() -> Vec<u8> {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 23) as i32 - 128).clamp(0, 255) as u8
        };
        let pixels: Vec<u8> = (0..64 * 128 * 3).map(|_| next()).collect();
        (0..3).flat_map(|channel| pixels.iter().skip(channel).step_by(3).copied()).collect()
    }

    fn checksum(bytes: &[u8]) -> u32 {
        bytes.iter().fold(0, |sum: u32, &byte| sum.wrapping_mul(31).wrapping_add(byte.into()))
    }

    #[test]
    fn changes_are_pillows_to_the_bit() {
        // What Pillow 13.0 makes of the same noise: ImageEnhance.Brightness, Contrast and Color, and hue as torchvision moves it.
        let cases = [
            (Change::Brightness(0.8), 844_929_885),
            (Change::Brightness(1.25), 1_267_097_050),
            (Change::Contrast(0.7), 236_006_910),
            (Change::Contrast(1.3), 1_442_166_692),
            (Change::Saturation(0.6), 1_143_798_898),
            (Change::Saturation(1.4), 2_445_059_581),
            (Change::Hue(0.1), 531_190_019),
            (Change::Hue(-0.07), 3_233_406_298),
            (Change::Hue(0.0), 2_631_914_385),
        ];
        assert_eq!(checksum(&noise()), 2_718_715_495);
        for (change, expected) in cases {
            let mut planes = noise();
            change.apply(&mut planes);
            assert_eq!(checksum(&planes), expected, "{change:?}");
        }
    }

    #[test]
    fn factors_are_drawn_around_one() {
        let jitter = Jitter { brightness: 0.2, contrast: 0.0, saturation: 0.0, hue: 0.0, ..Jitter::default() };
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut values: Vec<u8> = (0..500)
            .map(|_| {
                let mut planes = [200, 100, 0];
                jitter.apply(&mut planes, &mut rng);
                assert!(planes[0].abs_diff(2 * planes[1]) <= 1 && planes[2] == 0, "{planes:?}");
                planes[1]
            })
            .collect();
        values.sort();
        assert_eq!((values[0], values[499]), (80, 119));
        assert!(values[250].abs_diff(100) < 5, "{}", values[250]);
    }

    #[test]
    fn without_strength_nothing_changes() {
        let jitter = Jitter { brightness: 0.0, contrast: 0.0, saturation: 0.0, hue: 0.0, ..Jitter::default() };
        let mut planes = noise();
        jitter.apply(&mut planes, &mut ChaCha8Rng::seed_from_u64(1));
        assert_eq!(planes, noise());
    }
}
