//! `reid index add`

use webreid::dataset::CameraFrom;

use super::Database;
use super::labels::Labels;
use super::source::SourceOptions;
use super::store::{Photo, Store};
use crate::command::error::CliError;
use crate::command::{Outcome, interrupt, output};

/// Photos of a transaction: each is a moment's work for the database, and some minutes of extraction on a slow machine.
const BATCH: usize = 512;

#[derive(clap::Args)]
pub struct Add {
    #[command(flatten)]
    source: SourceOptions,
    #[command(flatten)]
    database: Database,
    /// Where a photo's camera is known from: folder (that it lies in), exif (make, model and serial number), or name:REGEX, whose
    /// first group is the camera [default: the name, where it follows a known set's]
    #[arg(long, value_name = "WHERE")]
    camera_from: Option<CameraFrom>,
}

impl Add {
    pub async fn run(self) -> Result<Outcome, CliError> {
        interrupt::in_steps();
        let mut store = Store::connect(&self.database.postgres)?;
        let source = self.source.open().await?;
        store.create(&source.model)?;
        let labels = Labels::of(&source.files, self.camera_from.as_ref())?;
        let names: Vec<_> = source.files.iter().map(|path| path.to_string_lossy()).collect();
        let count = names.len();
        let (mut added, mut unreadable) = (0, 0);
        for start in (0..count).step_by(BATCH) {
            let batch: Vec<usize> = (start..count.min(start + BATCH)).collect();
            let hashes: Vec<[u8; 32]> = batch.iter().map(|&photo| source.hash(photo)).collect();
            let known =
                store.known(&hashes).inspect_err(|_| stopped(added, "is in the index as a whole or not at all"))?;
            let new: Vec<usize> =
                batch.iter().zip(&known).filter(|(_, known)| !**known).map(|(&photo, _)| photo).collect();
            let what = format!("photos to {} of {count}", start + batch.len());
            let rows = match (interrupt::requested(), new.is_empty()) {
                (true, _) => Err(CliError::Interrupted),
                (false, true) => continue,
                (false, false) => source.rows(&new, &what).await,
            };
            let rows = match rows {
                Err(CliError::Interrupted) => {
                    stopped(added, "is not in the index");
                    return Ok(Outcome::Interrupted);
                }
                rows => rows?,
            };
            unreadable += rows.unreadable;
            let features = rows.values.chunks_exact(source.model.dim);
            let photos: Vec<Photo> = (rows.photos.iter().zip(features))
                .map(|(&photo, feature)| Photo {
                    name: &names[photo],
                    hash: hashes[photo - start],
                    camera: labels.cameras[photo].as_deref(),
                    person: labels.people[photo].as_deref(),
                    feature,
                })
                .collect();
            added += store.add(&photos).inspect_err(|_| stopped(added, "is in the index as a whole or not at all"))?;
        }
        eprintln!("reid: {added} photos added; building the index");
        if !store.index(source.model.dim)? {
            eprintln!("reid: features of {} values are too many for HNSW: searches are exact", source.model.dim);
        }
        let passed = count - added - unreadable;
        output::print(&format!("{added} photos of {count} added, {passed} were in the index already"))?;
        Ok(Outcome::of(unreadable))
    }
}

/// `batch` says what became of the batch at hand: where a connection is lost in a commit, nobody can tell.
fn stopped(added: usize, batch: &str) {
    eprintln!(
        "reid: stopped: {added} photos were added, the batch at hand {batch}; the same command goes on from there"
    );
}
