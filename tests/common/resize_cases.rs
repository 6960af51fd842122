//! The images of tests/fixtures/make_resize.py and what Pillow makes of them.

use webreid::kernels::frozen::preprocess::{Filter, Frame, Order, Plan, Rgba};
use webreid::step::Fit;

pub struct Case {
    width: usize,
    height: usize,
    pub to_width: usize,
    pub to_height: usize,
    pub filter: Filter,
    fit: Fit,
    /// RGBA, the alpha noise as well.
    image: Vec<u8>,
    /// Every `step`-th row of Pillow's result, RGB side by side.
    rows: Vec<u8>,
    step: usize,
    /// Over all of it.
    checksum: u32,
}

impl Case {
    pub fn image(&self) -> Rgba<'_> {
        Rgba::new(self.width as u32, self.height as u32, &self.image).unwrap()
    }

    /// The bytes as they are, red first.
    pub fn plan(&self) -> Plan {
        Plan {
            frame: Frame { width: self.to_width, height: self.to_height, filter: self.filter, fit: self.fit },
            order: Order::Rgb,
            scale: [1.0; 3],
            bias: [0.0; 3],
        }
    }

    /// Fails unless the planes `[3, height, width]` are Pillow's result, byte for byte.
    pub fn assert_matches(&self, planes: &[u8]) {
        let area = self.to_width * self.to_height;
        assert_eq!(planes.len(), 3 * area, "{self}");
        let pixels: Vec<u8> = (0..3 * area).map(|i| planes[i % 3 * area + i / 3]).collect();
        let line = 3 * self.to_width;
        for (y, expected) in self.rows.chunks_exact(line).enumerate().map(|(i, row)| (i * self.step, row)) {
            assert_eq!(&pixels[y * line..][..line], expected, "{self}: row {y}");
        }
        let checksum = pixels.iter().fold(0u32, |sum, &byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        assert_eq!(checksum, self.checksum, "{self}: a row that the fixture leaves out");
    }
}

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let Self { width, height, to_width, to_height, filter, fit, .. } = self;
        write!(f, "{width}×{height} → {to_width}×{to_height} {filter} {fit}")
    }
}

pub fn resize_cases() -> Vec<Case> {
    let mut file = include_bytes!("../fixtures/resize.bin").as_slice();
    let mut cases = Vec::new();
    while let Some((header, rest)) = file.split_first_chunk::<32>() {
        let word = |i: usize| u32::from_le_bytes(header[4 * i..][..4].try_into().unwrap());
        let [width, height, to_width, to_height, filter, step] = std::array::from_fn(|i| word(i) as usize);
        let (rows, rest) = rest.split_at(to_height.div_ceil(step) * to_width * 3);
        file = rest;
        cases.push(Case {
            width,
            height,
            to_width,
            to_height,
            filter: [Filter::Bilinear, Filter::Bicubic][filter],
            image: noise(width * height),
            rows: rows.to_vec(),
            fit: match word(6).to_le_bytes() {
                [.., 0] => Fit::Stretch,
                [colour @ .., _] => Fit::Letterbox { colour },
            },
            step,
            checksum: word(7),
        });
    }
    assert_eq!(cases.len(), 15);
    cases
}

/// The script's noise, with an alpha.
fn noise(pixels: usize) -> Vec<u8> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 23).saturating_sub(128).min(255) as u8
    };
    (0..pixels).flat_map(|i| [next(), next(), next(), i as u8]).collect()
}
