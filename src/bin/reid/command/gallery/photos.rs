//! Image files as a gallery takes them.

use std::fs;
use std::path::{Path, PathBuf};

use libjpeg_turbo_rs::{PixelFormat, Subsampling, compress};
use webreid::dataset::{CameraFrom, ReadImageError};
use webreid::extract::Extractor;
use webreid::gallery::{ContentHash, NewPhoto, Photo};
use webreid::image::{Rows, fit, quality};
use webreid::kernels::frozen::preprocess::Frame;

use crate::command::error::CliError;
use crate::command::features::{Image, features_and};
use crate::command::finder::Finder;

/// The longer side of a small picture, in pixels, and how well it is kept.
const THUMBNAIL: f32 = 160.0;
const THUMBNAIL_QUALITY: u8 = 80;

/// What else a photo tells.
struct Looked {
    hash: ContentHash,
    quality: f32,
    thumbnail: Option<Vec<u8>>,
}

/// The photos of files that could be read, of whole ones the people in them, with features, cameras and small pictures; and how
/// many could not.
pub async fn photos(
    extractor: &Extractor,
    finder: Option<&Finder>,
    files: &[PathBuf],
    camera_from: Option<&CameraFrom>,
) -> Result<(Vec<NewPhoto>, usize), CliError> {
    let features = features_and(extractor, finder, files, "photos", look).await?;
    let read: Vec<PathBuf> = features.read.iter().map(|&file| files[file].clone()).collect();
    let cameras = camera_from.cloned().unwrap_or_default().names(&read);
    let rows = features.values.chunks_exact(features.dim.max(1));
    let names = features.names(files).into_iter().zip(&features.people);
    let photos = names.zip(rows).zip(features.looked).zip(cameras);
    let photos = photos.map(|((((name, person), row), looked), camera)| NewPhoto {
        photo: Photo {
            camera,
            person_box: person.map(|person| person.person_box),
            quality: Some(looked.quality),
            ..Photo::new(name, looked.hash)
        },
        feature: Some(row.to_vec()),
        thumbnail: looked.thumbnail,
    });
    Ok((photos.collect(), features.unreadable.len()))
}

fn look(path: &Path, images: &[Image]) -> Result<Vec<Looked>, ReadImageError> {
    let hash = ContentHash::of(&fs::read(path)?);
    let look = |image: &Image| Looked { hash, quality: quality(image), thumbnail: thumbnail(image) };
    Ok(images.iter().map(look).collect())
}

/// A small JPEG of it.
fn thumbnail(picture: &Image) -> Option<Vec<u8>> {
    let [width, height] = [picture.width(), picture.height()].map(|side| side as f32);
    let scale = (THUMBNAIL / width.max(height)).min(1.0);
    let [width, height] = [width, height].map(|side| ((side * scale).round() as usize).max(1));
    let planes = fit(picture, &Frame::bilinear(width, height)).ok()?;
    let area = width * height;
    let pixels: Vec<u8> = (0..area).flat_map(|at| [0, 1, 2].map(|plane| planes[plane * area + at])).collect();
    compress(&pixels, width, height, PixelFormat::Rgb, THUMBNAIL_QUALITY, Subsampling::S420).ok()
}
