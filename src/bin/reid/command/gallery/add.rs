//! `reid gallery add`: photos into a gallery.

use std::fs;
use std::path::{Path, PathBuf};

use libjpeg_turbo_rs::{PixelFormat, Subsampling, compress};
use webreid::dataset::{CameraFrom, ReadImageError};
use webreid::gallery::{ContentHash, Gallery, Model, NewPhoto, Photo};
use webreid::image::{Picture, Rows, fit, quality};
use webreid::kernels::preprocess::Filter;
use webreid::weights::Precision;

use super::{File, open, photo_name};
use crate::command::error::CliError;
use crate::command::features::{features_and, files};
use crate::command::{self, Outcome, output};

/// The longer side of a small picture, in pixels, and how well it is kept.
const THUMBNAIL: f32 = 160.0;
const THUMBNAIL_QUALITY: u8 = 80;

#[derive(clap::Args)]
pub struct Add {
    #[command(flatten)]
    file: File,
    #[command(flatten)]
    model: command::Model,
    /// Where a photo's camera is known from: folder (that it lies in), exif (make, model and serial number), or name:REGEX, whose
    /// first group is the camera [default: the name, as PPPP_cC…]
    #[arg(long, value_name = "WHERE")]
    camera_from: Option<CameraFrom>,
    /// Who is on all of these photos: a name, old or new
    #[arg(long, value_name = "NAME")]
    person: Option<String>,
    /// Turn to another model: features of the one before go, people and answers stay
    #[arg(long)]
    change_model: bool,
    /// Images of one person each, or folders of them
    #[arg(required = true, value_name = "IMAGES")]
    images: Vec<PathBuf>,
}

/// What else a photo tells.
struct Looked {
    hash: ContentHash,
    quality: f32,
    thumbnail: Option<Vec<u8>>,
}

impl Add {
    pub async fn run(self) -> Result<Outcome, CliError> {
        let path = &self.file.gallery;
        output::check(path)?;
        let kept = if path.exists() { Some(open(path)?) } else { None };
        let files = files(&self.images)?;
        let (_, extractor) = self.model.open().await?;
        let fingerprint = extractor.fingerprint().to_string();
        let model = Model { fingerprint: fingerprint.clone(), dim: extractor.config().features_dim() };
        let mut gallery = kept.unwrap_or_else(|| Gallery::new(model.clone(), Precision::F32));
        if self.change_model {
            gallery.change_model(model, gallery.precision());
        } else if gallery.model().fingerprint != fingerprint {
            let expected = gallery.model().fingerprint.clone();
            eprintln!("reid: with --change-model the gallery turns to this model");
            return Err(self.file.because(webreid::gallery::GalleryError::OtherModel { expected, found: fingerprint }));
        }

        let features = features_and(&extractor, &files, "photos", look).await?;
        let read: Vec<PathBuf> = features.read.iter().map(|&file| files[file].clone()).collect();
        let cameras = self.camera_from.clone().unwrap_or_default().names(&read);
        let rows = features.values.chunks_exact(features.dim.max(1));
        let photos = read.iter().zip(rows).zip(features.looked).zip(cameras);
        let photos = photos.map(|(((path, row), looked), camera)| NewPhoto {
            photo: Photo { camera, quality: Some(looked.quality), ..Photo::new(path.to_string_lossy(), looked.hash) },
            feature: Some(row.to_vec()),
            thumbnail: looked.thumbnail,
        });
        let photos: Vec<NewPhoto> = photos.collect();
        let before = gallery.count();
        let added = match &self.person {
            Some(name) => gallery.enrol(&fingerprint, name, photos).map(|(photos, _)| photos),
            None => gallery.add(&fingerprint, photos),
        };
        let photos = added.map_err(|error| self.file.because(error))?;
        self.file.save(&gallery)?;
        let added = gallery.count() - before;
        let known = photos.len() - added;
        let known = if known == 0 { String::new() } else { format!(", {known} were there") };
        let missing = gallery.without_features();
        if let Some(&first) = missing.first() {
            let first = photo_name(&gallery, first);
            eprintln!("reid: {} photos have no feature of this model, {first} for one; add them again", missing.len());
        }
        output::print(&format!("{added} photos added{known}; {} in {}", gallery.count(), path.display()))?;
        Ok(Outcome::of(features.unreadable.len()))
    }
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
    let planes = fit(picture, height, width, Filter::Bilinear).ok()?;
    let area = width * height;
    let pixels: Vec<u8> = (0..area).flat_map(|at| [0, 1, 2].map(|plane| planes[plane * area + at])).collect();
    compress(&pixels, width, height, PixelFormat::Rgb, THUMBNAIL_QUALITY, Subsampling::S420).ok()
}
