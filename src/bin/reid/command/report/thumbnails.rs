//! Whole photos made small, as data: URLs.

use std::collections::BTreeMap;
use std::path::Path;

use base64::{Engine, prelude::BASE64_STANDARD};
use libjpeg_turbo_rs::{PixelFormat, Subsampling, compress};
use rayon::prelude::*;
use webreid::dataset::read_image;
use webreid::image::{Rows, fit};
use webreid::kernels::frozen::preprocess::Frame;

/// The longer side, in pixels: sharp at the size at which the page shows them, and some 3 kB.
const SIDE: u32 = 128;
const QUALITY: u8 = 75;

/// A photo for the page.
pub struct Thumbnail {
    pub url: String,
    pub width: usize,
    pub height: usize,
}

/// Small photos by their images of the dataset.
pub struct Thumbnails(BTreeMap<usize, Thumbnail>);

impl Thumbnails {
    pub fn of<'a>(files: impl Iterator<Item = (usize, &'a Path)>) -> Self {
        let files: Vec<_> = files.collect();
        let made = files.into_par_iter().filter_map(|(image, file)| Some((image, thumbnail(file)?)));
        Self(made.collect())
    }

    /// `None` where the file can be read no longer.
    pub fn get(&self, image: usize) -> Option<&Thumbnail> {
        self.0.get(&image)
    }
}

fn thumbnail(file: &Path) -> Option<Thumbnail> {
    let picture = read_image(file).ok()?;
    let sides = [picture.width(), picture.height()];
    let longest = sides[0].max(sides[1]).max(SIDE);
    let [width, height] = sides.map(|side| (u64::from(side) * u64::from(SIDE) / u64::from(longest)).max(1) as usize);
    let planes = fit(&picture, &Frame::bilinear(width, height)).ok()?;
    let area = width * height;
    let pixels: Vec<u8> = (0..area).flat_map(|i| [0, 1, 2].map(|plane| planes[plane * area + i])).collect();
    let jpeg = compress(&pixels, width, height, PixelFormat::Rgb, QUALITY, Subsampling::S420).ok()?;
    Some(Thumbnail { url: format!("data:image/jpeg;base64,{}", BASE64_STANDARD.encode(jpeg)), width, height })
}
