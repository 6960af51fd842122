//! Image files as a gallery takes them.

use std::fs;
use std::path::{Path, PathBuf};

use libjpeg_turbo_rs::{PixelFormat, Subsampling, compress};
use webreid::dataset::{CameraFrom, ReadImageError};
use webreid::extract::Extractor;
use webreid::gallery::{ContentHash, NewPhoto, Photo};
use webreid::image::{Picture, Rows, fit, quality};
use webreid::kernels::frozen::preprocess::Frame;

use crate::command::error::CliError;
use crate::command::features::features_and;

/// The longer side of a small picture, in pixels, and how well it is kept.
const THUMBNAIL: f32 = 160.0;
const THUMBNAIL_QUALITY: u8 = 80;

/// What else a photo tells.
struct Looked {
    hash: ContentHash,
    quality: f32,
    thumbnail: Option<Vec<u8>>,
}

/// The photos of files that could be read, with features, cameras and small pictures; and how many could not.
pub async fn photos(
    extractor: &Extractor,
    files: &[PathBuf],
    camera_from: Option<&CameraFrom>,
) -> Result<(Vec<NewPhoto>, usize), CliError> {
    let features = features_and(extractor, files, "photos", look).await?;
    let read: Vec<PathBuf> = features.read.iter().map(|&file| files[file].clone()).collect();
    let cameras = camera_from.cloned().unwrap_or_default().names(&read);
    let rows = features.values.chunks_exact(features.dim.max(1));
    let photos = read.iter().zip(rows).zip(features.looked).zip(cameras);
    let photos = photos.map(|(((path, row), looked), camera)| NewPhoto {
        photo: Photo { camera, quality: Some(looked.quality), ..Photo::new(path.to_string_lossy(), looked.hash) },
        feature: Some(row.to_vec()),
        thumbnail: looked.thumbnail,
    });
    Ok((photos.collect(), features.unreadable.len()))
}

fn look(path: &Path, picture: &Picture) -> Result<Looked, ReadImageError> {
    let hash = ContentHash::of(&fs::read(path)?);
    Ok(Looked { hash, quality: quality(picture), thumbnail: thumbnail(picture) })
}

/// A small JPEG of it.
fn thumbnail(picture: &Picture) -> Option<Vec<u8>> {
    let [width, height] = [picture.width(), picture.height()].map(|side| side as f32);
    let scale = (THUMBNAIL / width.max(height)).min(1.0);
    let [width, height] = [width, height].map(|side| ((side * scale).round() as usize).max(1));
    let planes = fit(picture, &Frame::bilinear(width, height)).ok()?;
    let area = width * height;
    let pixels: Vec<u8> = (0..area).flat_map(|at| [0, 1, 2].map(|plane| planes[plane * area + at])).collect();
    compress(&pixels, width, height, PixelFormat::Rgb, THUMBNAIL_QUALITY, Subsampling::S420).ok()
}
