//! `reid gallery add`: photos into a gallery.

use std::path::PathBuf;

use webreid::dataset::CameraFrom;
use webreid::gallery::Model;

use super::photos::photos;
use super::{File, open, photo_name};
use crate::command::error::CliError;
use crate::command::features::files;
use crate::command::finder::Whole;
use crate::command::{self, Outcome, output};

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
    #[arg(long, value_name = "NAME", conflicts_with = "whole_photos")]
    person: Option<String>,
    /// Turn to another model: features of the one before go, people and answers stay
    #[arg(long)]
    change_model: bool,
    #[command(flatten)]
    whole: Whole,
    /// Images of one person each, or folders of them
    #[arg(required = true, value_name = "IMAGES")]
    images: Vec<PathBuf>,
}

impl Add {
    pub async fn run(self) -> Result<Outcome, CliError> {
        let path = &self.file.gallery;
        output::check(path)?;
        let files = files(&self.images)?;
        let (_, extractor) = self.model.open().await?;
        let finder = self.whole.finder(&extractor).await?;
        let fingerprint = extractor.fingerprint().to_string();
        let model = Model { fingerprint: fingerprint.clone(), dim: extractor.config().features_dim() };
        let _lock = self.file.lock()?;
        let mut gallery = if self.change_model && path.exists() {
            let mut gallery = open(path)?;
            gallery.change_model(model, gallery.precision());
            gallery
        } else {
            let gallery = self.file.for_model(model);
            gallery.inspect_err(|_| eprintln!("reid: with --change-model the gallery turns to this model"))?
        };
        let (photos, unreadable) = photos(&extractor, finder.as_ref(), &files, self.camera_from.as_ref()).await?;
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
        Ok(Outcome::of(unreadable))
    }
}
