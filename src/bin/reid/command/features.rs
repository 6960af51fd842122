//! From files to features: decoding on every core, extraction in batches, and a list of what could not be read.

use std::path::{Path, PathBuf};
use std::thread;

use indicatif::{ProgressBar, ProgressStyle};
use webreid::dataset::{ImageFiles, ReadImageError, image_files, read_image};
use webreid::extract::{ExtractError, Extractor};
use webreid::image::{Picture, Rgba};

use crate::command::error::CliError;
use crate::command::interrupt;

/// Images that go through the network together.
const BATCH: usize = 16;

/// The features of the images that could be read.
pub struct Features<T = ()> {
    /// `[read.len(), dim]`, row by row, as the model gives them.
    pub values: Vec<f32>,
    pub dim: usize,
    /// The indices of those images among the paths, ascending.
    pub read: Vec<usize>,
    /// What else was looked at in these images.
    pub looked: Vec<T>,
    /// Those that could not be read.
    pub unreadable: Vec<Unreadable>,
}

/// An image that could not be read.
pub struct Unreadable {
    /// Among the paths.
    pub index: usize,
    pub reason: String,
}

/// The files that arguments stand for. What is passed over in folders is told on stderr.
pub fn files(arguments: &[PathBuf]) -> Result<Vec<PathBuf>, CliError> {
    let mut files = Vec::new();
    for argument in arguments {
        let ImageFiles { images, words } = image_files(argument)?;
        words.iter().for_each(|words| eprintln!("reid: {words}"));
        files.extend(images);
    }
    if files.is_empty() {
        let names: Vec<String> = arguments.iter().map(|path| path.display().to_string()).collect();
        return Err(CliError::NoImages(names.join(", ")));
    }
    Ok(files)
}

/// Extracts the features of files; `what` names them for the user. What cannot be read is told on stderr and left out.
pub async fn features(extractor: &Extractor, files: &[PathBuf], what: &str) -> Result<Features, CliError> {
    features_and(extractor, files, what, |_, _| Ok(())).await
}

/// As [`features`], with a look at each decoded picture.
pub async fn features_and<T: Send>(
    extractor: &Extractor,
    files: &[PathBuf],
    what: &str,
    look: impl Fn(&Path, &Picture) -> Result<T, ReadImageError> + Sync,
) -> Result<Features<T>, CliError> {
    let bar = ProgressBar::new(files.len() as u64).with_message(what.to_owned());
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {per_sec} {eta}") {
        bar.set_style(style);
    }
    let dim = extractor.config().features_dim();
    let mut features =
        Features { values: Vec::new(), dim, read: Vec::new(), looked: Vec::new(), unreadable: Vec::new() };
    let mut batch = Batch::default();
    // Only as many pictures as there are threads are decoded at once, and kept as small as the network takes them.
    let threads = thread::available_parallelism().map_or(1, usize::from).min(BATCH);
    for (round, chunk) in files.chunks(threads).enumerate() {
        if interrupt::requested() {
            bar.finish_and_clear();
            return Err(CliError::Interrupted);
        }
        for (offset, decoded) in decode_all(extractor, chunk, &look).into_iter().enumerate() {
            let index = round * threads + offset;
            match decoded {
                Ok((image, looked)) => {
                    features.looked.push(looked);
                    batch.indices.push(index);
                    batch.images.push(image);
                }
                Err(reason) => {
                    bar.suspend(|| eprintln!("reid: {}: {reason}", files[index].display()));
                    features.unreadable.push(Unreadable { index, reason: reason.to_string() });
                }
            }
        }
        if batch.images.len() >= BATCH {
            features.add(extractor, std::mem::take(&mut batch), files).await?;
            bar.set_position((features.read.len() + features.unreadable.len()) as u64);
        }
    }
    features.add(extractor, batch, files).await?;
    bar.finish_and_clear();
    match (features.read.len(), features.unreadable.len()) {
        (0, count) => Err(CliError::AllUnreadable { what: what.into(), count }),
        (_, 0) => Ok(features),
        (_, unreadable) => {
            eprintln!("reid: {unreadable} of {} images could not be read and are left out", files.len());
            Ok(features)
        }
    }
}

impl<T> Features<T> {
    async fn add(&mut self, extractor: &Extractor, batch: Batch, files: &[PathBuf]) -> Result<(), CliError> {
        let vectors = extractor.extract(&batch.images).await.map_err(|error| match error {
            ExtractError::NotANumber(index) => CliError::NotANumber(files[batch.indices[index]].clone()),
            error => error.into(),
        })?;
        self.read.extend(batch.indices);
        self.values.extend(vectors.into_iter().flatten());
        Ok(())
    }
}

/// Images at the network's size that wait for it, with their indices.
#[derive(Default)]
struct Batch {
    indices: Vec<usize>,
    images: Vec<Rgba>,
}

/// Each file decoded on a thread of its own and brought to the network's size, or why it could not be.
fn decode_all<T: Send>(
    extractor: &Extractor,
    files: &[PathBuf],
    look: &(impl Fn(&Path, &Picture) -> Result<T, ReadImageError> + Sync),
) -> Vec<Result<(Rgba, T), ReadImageError>> {
    let decode = |file: &Path| {
        let picture = read_image(file)?;
        let looked = look(file, &picture)?;
        // A decoded picture has pixels.
        Ok((extractor.fitted(&picture).map_err(|_| ReadImageError::Decoder)?, looked))
    };
    thread::scope(|scope| {
        let threads: Vec<_> = files.iter().map(|file| scope.spawn(move || decode(file))).collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined.map(|result| result.unwrap_or(Err(ReadImageError::Decoder))).collect()
    })
}
