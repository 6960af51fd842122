//! What training does to images so that no two epochs show the same: moved, mirrored, recoloured, blurred, partly erased.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

use super::jitter::Jitter;
use crate::kernels::frozen::preprocess::{self, Frame};
use crate::model::{ChannelOrder, InputConfig};

/// The height that [`Augment::pad`] is meant for.
const PAD_HEIGHT: usize = 256;
/// ImageNet's mean colour and standard deviation, red first, of 0–255: what erased pixels become.
const MEAN: [f32; 3] = [123.675, 116.28, 103.53];
const DEVIATION: [f32; 3] = [58.395, 57.12, 57.375];
/// Rectangles that are tried until one fits.
const ERASE_ATTEMPTS: usize = 100;

/// The training transform: in this order low resolution, colour jitter, zoom, padding with a random crop, mirroring,
/// normalisation and random erasing. Probabilities are 0…1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Augment {
    /// Black pixels put around the image before a crop of its size, at a height of 256 (in proportion at others).
    pub pad: usize,
    /// The probability of left and right being swapped.
    pub flip: f64,
    pub jitter: Jitter,
    pub low_resolution: LowResolution,
    pub zoom: Zoom,
    pub erase: Erase,
}

/// A person seen from afar: the image is made smaller and larger again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LowResolution {
    pub probability: f64,
    /// The smallest size in between, as a part of the network's input size (0…1).
    pub smallest: f64,
}

/// A tighter crop, as another detector would make it: a part of the image at the network's size. Height and width are drawn
/// each for itself, so that people also become wider and narrower.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Zoom {
    pub probability: f64,
    /// The smallest and the largest part of a side that stays (0…1).
    pub smallest: f64,
    pub largest: f64,
}

/// Random erasing (arXiv 1708.04896): a rectangle of the image becomes a plain colour or noise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Erase {
    pub probability: f64,
    /// The smallest and the largest part of the image's area.
    pub area: [f64; 2],
    /// The smallest height over width; the largest is its inverse.
    pub aspect: f64,
    pub fill: Fill,
}

/// What an erased rectangle becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fill {
    /// ImageNet's mean colour, which most networks' normalisation maps to 0.
    Mean,
    /// Normal noise around it, with ImageNet's deviation.
    Noise,
}

impl Default for Augment {
    /// TLL's: crop, mirror and erasing.
    fn default() -> Self {
        Self {
            pad: 10,
            flip: 0.5,
            jitter: Jitter::default(),
            low_resolution: LowResolution::default(),
            zoom: Zoom::default(),
            erase: Erase::default(),
        }
    }
}

impl Default for Zoom {
    /// Off; down to 0.7 of a side once it is on.
    fn default() -> Self {
        Self { probability: 0.0, smallest: 0.7, largest: 1.0 }
    }
}

impl Default for LowResolution {
    /// Off; down to 0.4 of the size once it is on.
    fn default() -> Self {
        Self { probability: 0.0, smallest: 0.4 }
    }
}

impl Default for Erase {
    fn default() -> Self {
        Self { probability: 0.5, area: [0.02, 0.4], aspect: 0.3, fill: Fill::Mean }
    }
}

/// A setting of [`Augment`] that means nothing.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("the augmentation's {name} is {value}, and must lie between {from} and {to}")]
pub struct AugmentError {
    pub name: &'static str,
    pub value: f64,
    pub from: f64,
    pub to: f64,
}

/// [`Augment`] made ready for a network's input.
#[derive(Clone, Debug)]
pub struct Augmenter {
    config: Augment,
    height: usize,
    width: usize,
    pad: usize,
    /// The network's channels in its order.
    channels: [Channel; 3],
}

/// How a channel of the network's input is made.
#[derive(Clone, Copy, Debug)]
struct Channel {
    /// 0 red, 1 green, 2 blue.
    colour: usize,
    scale: f32,
    bias: f32,
}

impl Channel {
    fn value(self, byte: f32) -> f32 {
        byte * self.scale + self.bias
    }
}

impl Augmenter {
    /// # Errors
    /// When a probability, strength or range of the configuration has no meaning.
    pub fn new(config: Augment, input: &InputConfig) -> Result<Self, AugmentError> {
        config.check()?;
        let channels = std::array::from_fn(|channel| Channel {
            colour: if input.order == ChannelOrder::Bgr { 2 - channel } else { channel },
            scale: 1.0 / (255.0 * input.std[channel]),
            bias: -input.mean[channel] / input.std[channel],
        });
        let pad = (config.pad * input.height + PAD_HEIGHT / 2) / PAD_HEIGHT;
        Ok(Self { config, height: input.height, width: input.width, pad, channels })
    }

    /// Height and width of the images.
    pub fn size(&self) -> [usize; 2] {
        [self.height, self.width]
    }

    /// Writes a changed image to `out`, the network's input `[3, height, width]`. `image` is what [`fit`](super::fit) gives for this size;
    /// `work` is memory to be used again, its contents do not matter.
    ///
    /// # Panics
    /// When `image` or `out` are not of that size.
    pub fn apply(&self, image: &[u8], rng: &mut ChaCha8Rng, work: &mut Vec<u8>, out: &mut [f32]) {
        let size = 3 * self.height * self.width;
        assert!(image.len() == size && out.len() == size, "{} bytes and {} values of {size}", image.len(), out.len());
        let config = &self.config;
        let smaller = rng.random_bool(config.low_resolution.probability);
        let recoloured = rng.random_bool(config.jitter.probability);
        let zoomed = rng.random_bool(config.zoom.probability);
        let mut image = image;
        if smaller {
            *work = self.through_low_resolution(image, rng);
        } else if recoloured {
            work.clear();
            work.extend_from_slice(image);
        }
        if recoloured {
            config.jitter.apply(work, rng);
        }
        if zoomed {
            *work = self.zoom(if smaller || recoloured { work } else { image }, rng);
        }
        if smaller || recoloured || zoomed {
            image = work;
        }
        let [down, right] = [(); 2].map(|()| rng.random_range(0..=2 * self.pad));
        let flip = rng.random_bool(config.flip);
        self.crop_and_normalise(image, down, right, flip, out);
        if rng.random_bool(config.erase.probability) {
            self.erase(rng, out);
        }
    }

    fn through_low_resolution(&self, image: &[u8], rng: &mut ChaCha8Rng) -> Vec<u8> {
        let scale = rng.random_range(self.config.low_resolution.smallest..=1.0);
        let [height, width] = [self.height, self.width].map(|side| ((side as f64 * scale).round() as usize).max(1));
        let small = resize_planes(image, [self.height, self.width], [height, width]);
        resize_planes(&small, [height, width], [self.height, self.width])
    }

    fn zoom(&self, image: &[u8], rng: &mut ChaCha8Rng) -> Vec<u8> {
        let Zoom { smallest, largest, .. } = self.config.zoom;
        let [(top, height), (left, width)] = [self.height, self.width].map(|side| {
            let part = ((side as f64 * rng.random_range(smallest..=largest)).round() as usize).max(1);
            (rng.random_range(0..=side - part), part)
        });
        let planes = image.chunks_exact(self.height * self.width);
        let lines = planes.flat_map(|plane| plane.chunks_exact(self.width).skip(top).take(height));
        let part: Vec<u8> = lines.flat_map(|line| &line[left..left + width]).copied().collect();
        resize_planes(&part, [height, width], [self.height, self.width])
    }

    /// The image moved by `down` and `right` less the padding, black where it has left.
    fn crop_and_normalise(&self, image: &[u8], down: usize, right: usize, flip: bool, out: &mut [f32]) {
        let area = self.height * self.width;
        // The output pixels of a line that come from the image, and the first that they come from.
        let x = self.pad.saturating_sub(right).min(self.width);
        let from = right.saturating_sub(self.pad).min(self.width);
        let count = self.width - x.max(from);
        for (channel, out) in self.channels.iter().zip(out.chunks_exact_mut(area)) {
            let plane = &image[channel.colour * area..][..area];
            for (y, line) in out.chunks_exact_mut(self.width).enumerate() {
                line.fill(channel.bias);
                if let Some(y) = (y + down).checked_sub(self.pad).filter(|&y| y < self.height) {
                    let source = &plane[y * self.width + from..][..count];
                    for (value, &byte) in line[x..].iter_mut().zip(source) {
                        *value = channel.value(byte.into());
                    }
                }
                if flip {
                    line.reverse();
                }
            }
        }
    }

    fn erase(&self, rng: &mut ChaCha8Rng, out: &mut [f32]) {
        let Erase { area: [smallest, largest], aspect, fill, .. } = self.config.erase;
        let area = self.height * self.width;
        for _ in 0..ERASE_ATTEMPTS {
            let target = rng.random_range(smallest..=largest) * area as f64;
            let aspect = rng.random_range(aspect..=1.0 / aspect);
            let (height, width) =
                ((target * aspect).sqrt().round() as usize, (target / aspect).sqrt().round() as usize);
            if height >= self.height || width >= self.width {
                continue;
            }
            let (top, left) = (rng.random_range(0..=self.height - height), rng.random_range(0..=self.width - width));
            for (channel, out) in self.channels.iter().zip(out.chunks_exact_mut(area)) {
                let mean = MEAN[channel.colour];
                for line in out.chunks_exact_mut(self.width).skip(top).take(height) {
                    let line = &mut line[left..left + width];
                    match fill {
                        Fill::Mean => line.fill(channel.value(mean)),
                        Fill::Noise => line.fill_with(|| {
                            let noise: f32 = rng.sample(StandardNormal);
                            channel.value(mean + DEVIATION[channel.colour] * noise)
                        }),
                    }
                }
            }
            return;
        }
    }
}

impl Augment {
    fn check(&self) -> Result<(), AugmentError> {
        let Self { flip, jitter, low_resolution, zoom, erase, .. } = self;
        let ranges = [
            ("flip", *flip, 0.0, 1.0),
            ("jitter.probability", jitter.probability, 0.0, 1.0),
            ("jitter.brightness", jitter.brightness.into(), 0.0, 10.0),
            ("jitter.contrast", jitter.contrast.into(), 0.0, 10.0),
            ("jitter.saturation", jitter.saturation.into(), 0.0, 10.0),
            ("jitter.hue", jitter.hue.into(), 0.0, 0.5),
            ("low_resolution.probability", low_resolution.probability, 0.0, 1.0),
            ("low_resolution.smallest", low_resolution.smallest, 0.01, 1.0),
            ("zoom.probability", zoom.probability, 0.0, 1.0),
            ("zoom.smallest", zoom.smallest, 0.01, zoom.largest),
            ("zoom.largest", zoom.largest, 0.01, 1.0),
            ("erase.probability", erase.probability, 0.0, 1.0),
            ("erase.area[0]", erase.area[0], 0.0, erase.area[1]),
            ("erase.area[1]", erase.area[1], 0.0, 1.0),
            ("erase.aspect", erase.aspect, 0.01, 1.0),
        ];
        // Not a number lies in no range.
        match ranges.into_iter().find(|(_, value, from, to)| !(from..=to).contains(&value)) {
            Some((name, value, from, to)) => Err(AugmentError { name, value, from, to }),
            None => Ok(()),
        }
    }
}

/// `[3, height, width]` in another size, bilinear as Pillow does it.
fn resize_planes(planes: &[u8], [height, width]: [usize; 2], to: [usize; 2]) -> Vec<u8> {
    let area = height * width;
    let mut bytes = vec![0; 4 * area];
    for (channel, plane) in planes.chunks_exact(area).enumerate() {
        bytes.chunks_exact_mut(4).zip(plane).for_each(|(pixel, &byte)| pixel[channel] = byte);
    }
    let image = preprocess::Rgba::new(width as u32, height as u32, &bytes).expect("4 bytes a pixel");
    let (columns, rows) = Frame::bilinear(to[1], to[0]).axes(width, height);
    preprocess::resize(image, &columns, &rows, [0; 3])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{Rgba, fit};
    use rand::SeedableRng;

    const HEIGHT: usize = 128;
    const WIDTH: usize = 64;
    const AREA: usize = HEIGHT * WIDTH;

    /// A network that takes bytes as they are.
    fn bytes() -> InputConfig {
        InputConfig { mean: [0.0; 3], std: [1.0 / 255.0; 3], ..imagenet() }
    }

    fn imagenet() -> InputConfig {
        InputConfig { height: HEIGHT, width: WIDTH, ..InputConfig::default() }
    }

    fn off() -> Augment {
        Augment { pad: 0, flip: 0.0, erase: Erase { probability: 0.0, ..Erase::default() }, ..Augment::default() }
    }

    fn run(config: &Augment, input: &InputConfig, image: &[u8], seed: u64) -> Vec<f32> {
        let augmenter = Augmenter::new(config.clone(), input).expect("an augmenter");
        let mut out = vec![f32::NAN; 3 * AREA];
        augmenter.apply(image, &mut ChaCha8Rng::seed_from_u64(seed), &mut vec![99; 5], &mut out);
        assert!(out.iter().all(|value| value.is_finite()));
        out
    }

    /// Red tells the line, from 1; green the column, from 1; blue is 200.
    fn map() -> Vec<u8> {
        let lines = (0..HEIGHT).flat_map(|y| [y as u8 + 1; WIDTH]);
        let columns = (0..HEIGHT).flat_map(|_| 1..=WIDTH as u8);
        lines.chain(columns).chain([200; AREA]).collect()
    }

    #[test]
    fn an_image_of_the_networks_size_stays_as_it_is() {
        let pixels: Vec<u8> = (0..AREA * 4).map(|at| (at * 7 % 251) as u8).collect();
        let image = Rgba { width: WIDTH as u32, height: HEIGHT as u32, pixels };
        let fitted = fit(&image, &Frame::bilinear(WIDTH, HEIGHT)).expect("fits");
        assert_eq!(fitted[5], image.pixels[20]);
        assert_eq!(fitted[2 * AREA + 5], image.pixels[22]);
        assert_eq!(fitted[AREA - 1], image.pixels[4 * AREA - 4]);
        let empty = Rgba { width: 0, height: 0, pixels: Vec::new() };
        assert!(fit(&empty, &Frame::bilinear(WIDTH, HEIGHT)).is_err());
    }

    #[test]
    fn without_changes_only_the_normalisation_is_left() {
        let out = run(&off(), &imagenet(), &map(), 0);
        let close = |found: f32, expected: f32| assert!((found - expected).abs() < 1e-5, "{found} is not {expected}");
        close(out[0], (1.0 / 255.0 - 0.485) / 0.229);
        close(out[AREA - 1], (128.0 / 255.0 - 0.485) / 0.229);
        close(out[AREA + 63], (64.0 / 255.0 - 0.456) / 0.224);
        close(out[2 * AREA], (200.0 / 255.0 - 0.406) / 0.225);
        let out = run(&off(), &InputConfig { order: ChannelOrder::Bgr, ..bytes() }, &map(), 0);
        close(out[0], 200.0);
        close(out[3 * AREA - 1], 128.0);
    }

    #[test]
    fn the_crop_moves_by_up_to_the_padding_and_leaves_black() {
        let config = Augment { pad: 10, ..off() };
        let mut seen = [[false; 11]; 2];
        for seed in 0..300 {
            let out = run(&config, &bytes(), &map(), seed);
            // The middle is never black.
            let (y, x) = (HEIGHT / 2, WIDTH / 2);
            let down = out[y * WIDTH + x] - (y + 1) as f32;
            let right = out[AREA + y * WIDTH + x] - (x + 1) as f32;
            for (seen, by) in seen.iter_mut().zip([down, right]) {
                // 10 at a height of 256 are 5 at 128.
                seen[(by.round() + 5.0) as usize] = true;
            }
            for (at, value) in out[..AREA].iter().enumerate() {
                let (y, x) = ((at / WIDTH) as f32 + down, (at % WIDTH) as f32 + right);
                let inside = (0.0..HEIGHT as f32).contains(&y) && (0.0..WIDTH as f32).contains(&x);
                assert!((value - if inside { y + 1.0 } else { 0.0 }).abs() < 1e-3, "{value} at {at}, {down} {right}");
            }
        }
        assert_eq!(seen, [[true; 11]; 2]);
    }

    #[test]
    fn left_and_right_are_swapped_as_often_as_asked() {
        let out = run(&Augment { flip: 1.0, ..off() }, &bytes(), &map(), 0);
        assert!((out[AREA] - 64.0).abs() < 1e-3 && (out[AREA + 63] - 1.0).abs() < 1e-3);
        let config = Augment { flip: 0.3, ..off() };
        let flipped = (0..400).filter(|&seed| run(&config, &bytes(), &map(), seed)[AREA] > 32.0).count();
        assert!((90..150).contains(&flipped), "{flipped} of 400");
    }

    #[test]
    fn erasing_covers_a_rectangle_of_the_area_asked_for() {
        let config = Augment { erase: Erase::default(), ..off() };
        let image = vec![255; 3 * AREA];
        let mut areas = Vec::new();
        for seed in 0..400 {
            let out = run(&config, &imagenet(), &image, seed);
            let erased = |at: usize| out[at].abs() < 1e-5;
            let places: Vec<usize> = (0..AREA).filter(|&at| erased(at)).collect();
            if let (Some(first), Some(last)) = (places.first(), places.last()) {
                let (height, width) = (last / WIDTH - first / WIDTH + 1, last % WIDTH - first % WIDTH + 1);
                assert_eq!(places.len(), height * width, "a whole rectangle");
                assert!(places.iter().all(|at| erased(at + AREA) && erased(at + 2 * AREA)));
                let aspect = height as f64 / width as f64;
                assert!((0.27..3.7).contains(&aspect), "{aspect}");
                areas.push(places.len() as f64 / AREA as f64);
            }
        }
        assert!((165..235).contains(&areas.len()), "{} of 400", areas.len());
        let (smallest, largest) = areas.iter().fold((1.0, 0.0), |(a, b): (f64, f64), &area| (a.min(area), b.max(area)));
        assert!((0.018..0.05).contains(&smallest) && (0.33..0.41).contains(&largest), "{smallest} {largest}");
    }

    #[test]
    fn erasing_with_noise_has_imagenets_spread() {
        let erase = Erase { probability: 1.0, area: [0.3, 0.3], aspect: 1.0, fill: Fill::Noise };
        let out = run(&Augment { erase, ..off() }, &imagenet(), &vec![255; 3 * AREA], 1);
        let white = [0, 1, 2].map(|channel| out[channel * AREA..][..AREA].iter().fold(f32::MIN, |a, b| a.max(*b)));
        // A square of √(0.3 · 8192) = 50 pixels, whose normalised noise has mean 0 and deviation 1.
        let noise: Vec<f32> = out[..AREA].iter().copied().filter(|value| (value - 2.2489).abs() > 1e-3).collect();
        assert!(white[0] > 2.2 && (2480..=2500).contains(&noise.len()), "{}", noise.len());
        let mean = noise.iter().sum::<f32>() / noise.len() as f32;
        let deviation = (noise.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / noise.len() as f32).sqrt();
        assert!(mean.abs() < 0.06 && (deviation - 1.0).abs() < 0.05, "{mean} {deviation}");
    }

    #[test]
    fn zoom_shows_a_part_of_the_image_wider_or_narrower() {
        let config = Augment { zoom: Zoom { probability: 1.0, smallest: 0.75, largest: 1.0 }, ..off() };
        let (mut heights, mut widths) = (Vec::new(), Vec::new());
        for seed in 0..200 {
            let out = run(&config, &bytes(), &map(), seed);
            // Inside, a pixel is as many lines and columns further as the part is smaller than the whole.
            let at = |plane: usize, y: usize, x: usize| out[plane * AREA + y * WIDTH + x];
            let height = (at(0, 116, 32) - at(0, 16, 32)) / 100.0;
            let width = (at(1, 64, 52) - at(1, 64, 12)) / 40.0;
            assert!(at(0, 0, 0) > 0.9 && at(0, HEIGHT - 1, 0) < HEIGHT as f32 + 0.1);
            assert!(at(1, 0, 0) > 0.9 && at(1, 0, WIDTH - 1) < WIDTH as f32 + 0.1);
            assert!(out[2 * AREA..].iter().all(|value| (value - 200.0).abs() < 1e-3), "blue is everywhere the same");
            heights.push(height);
            widths.push(width);
        }
        for sides in [&heights, &widths] {
            let (least, most) = sides.iter().fold((f32::MAX, 0.0), |(a, b): (f32, f32), &v| (a.min(v), b.max(v)));
            assert!((0.74..0.78).contains(&least) && (0.97..1.01).contains(&most), "{least} {most}");
        }
        assert!(heights.iter().zip(&widths).any(|(height, width)| (height - width).abs() > 0.1), "each for itself");
    }

    #[test]
    fn low_resolution_loses_detail_and_nothing_else() {
        let low_resolution = LowResolution { probability: 1.0, smallest: 0.4 };
        let config = Augment { low_resolution, ..off() };
        let flat: Vec<u8> = [30, 120, 250].iter().flat_map(|&value| [value; AREA]).collect();
        let out = run(&config, &bytes(), &flat, 0);
        assert!(out.iter().zip(&flat).all(|(found, &expected)| (found - f32::from(expected)).abs() < 1e-3));
        let stripes: Vec<u8> = (0..3 * AREA).map(|at| if at % 2 == 0 { 0 } else { 200 }).collect();
        let spread = |seed| {
            let out = run(&config, &bytes(), &stripes, seed);
            (out.iter().map(|value| (value - 100.0).powi(2)).sum::<f32>() / out.len() as f32).sqrt()
        };
        let spreads: Vec<f32> = (0..20).map(spread).collect();
        let (least, most) = spreads.iter().fold((f32::MAX, 0.0), |(a, b): (f32, f32), &v| (a.min(v), b.max(v)));
        assert!(least < 15.0 && most < 100.0, "{least} {most}");
    }

    #[test]
    fn jitter_moves_colours_and_the_padding_stays_black() {
        let jitter = Jitter { probability: 1.0, ..Jitter::default() };
        let out = run(&Augment { jitter, pad: 10, ..off() }, &bytes(), &vec![100; 3 * AREA], 3);
        let values: std::collections::BTreeSet<i32> = out.iter().map(|value| value.round() as i32).collect();
        let [black, grey] = values.into_iter().collect::<Vec<i32>>()[..] else { panic!("two colours") };
        assert_eq!(black, 0);
        assert!((80..=120).contains(&grey) && grey != 100, "{grey}");
    }

    #[test]
    fn the_result_follows_from_the_generator() {
        let config = Augment {
            jitter: Jitter { probability: 0.5, ..Jitter::default() },
            low_resolution: LowResolution { probability: 0.5, smallest: 0.4 },
            ..Augment::default()
        };
        let results: Vec<Vec<f32>> = (0..8).map(|seed| run(&config, &imagenet(), &map(), seed)).collect();
        for (seed, result) in results.iter().enumerate() {
            assert_eq!(*result, run(&config, &imagenet(), &map(), seed as u64));
            assert!(results[..seed].iter().all(|other| other != result));
        }
    }

    #[test]
    fn settings_without_meaning_are_named() {
        let error = |config: Augment| Augmenter::new(config, &imagenet()).expect_err("refused").to_string();
        let message = error(Augment { flip: 1.5, ..off() });
        assert_eq!(message, "the augmentation's flip is 1.5, and must lie between 0 and 1");
        let erase = Erase { area: [0.5, 0.4], ..Erase::default() };
        assert!(error(Augment { erase, ..off() }).contains("erase.area[0] is 0.5"));
        let zoom = Zoom { smallest: 0.9, largest: 0.8, ..Zoom::default() };
        assert!(error(Augment { zoom, ..off() }).contains("zoom.smallest is 0.9"));
        let jitter = Jitter { hue: f32::NAN, ..Jitter::default() };
        assert!(error(Augment { jitter, ..off() }).contains("jitter.hue is NaN"));
    }
}
