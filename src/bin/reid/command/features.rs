//! From files to features: decoding on every core, extraction in batches, and a list of what could not be read.

use std::path::{Path, PathBuf};
use std::thread;

use webreid::dataset::{ImageFiles, ReadImageError, image_files, read_image};
use webreid::detect::{PersonBox, crop};
use webreid::extract::{ExtractError, Extractor};
use webreid::image::{Picture, Rgba, Rows, is_scene};

use crate::command::error::CliError;
use crate::command::finder::Finder;
use crate::command::interrupt;
use crate::command::progress::Progress;

/// Images that go through the network together.
const BATCH: usize = 16;

/// The features of the images that could be read.
pub struct Features<T = ()> {
    /// `[read.len(), dim]`, row by row, as the model gives them.
    pub values: Vec<f32>,
    pub dim: usize,
    /// The indices of those images among the paths, ascending. Of a whole photo it is there once for each person.
    pub read: Vec<usize>,
    /// Who it is of a whole photo, for each.
    pub people: Vec<Option<InPhoto>>,
    /// What else was looked at in these images.
    pub looked: Vec<T>,
    /// Those that could not be read.
    pub unreadable: Vec<Unreadable>,
}

/// Somebody in a whole photo.
#[derive(Clone, Copy)]
pub struct InPhoto {
    /// From 1.
    pub number: usize,
    pub person_box: PersonBox,
}

/// An image as it is looked at.
pub enum Image {
    Whole(Picture),
    /// A person cut out of a photo.
    Crop(Rgba),
}

impl Rows for Image {
    fn width(&self) -> u32 {
        match self {
            Self::Whole(picture) => picture.width(),
            Self::Crop(crop) => crop.width,
        }
    }

    fn height(&self) -> u32 {
        match self {
            Self::Whole(picture) => picture.height(),
            Self::Crop(crop) => crop.height,
        }
    }

    fn for_each_row(&self, take: impl FnMut(&[u8])) {
        match self {
            Self::Whole(picture) => picture.for_each_row(take),
            Self::Crop(crop) => crop.for_each_row(take),
        }
    }
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

/// Extracts the features of files, of whole photos those of the people in them; `what` names them for the user. What cannot be
/// read is told on stderr and left out.
pub async fn features(
    extractor: &Extractor,
    finder: Option<&Finder>,
    files: &[PathBuf],
    what: &str,
) -> Result<Features, CliError> {
    features_and(extractor, finder, files, what, |_, images| Ok(vec![(); images.len()])).await
}

/// As [`features`], with a look at each file's images.
pub async fn features_and<T: Send>(
    extractor: &Extractor,
    finder: Option<&Finder>,
    files: &[PathBuf],
    what: &str,
    look: impl Fn(&Path, &[Image]) -> Result<Vec<T>, ReadImageError> + Sync,
) -> Result<Features<T>, CliError> {
    let progress = Progress::new(files.len(), what);
    let dim = extractor.config().features_dim();
    let mut features = Features {
        values: Vec::new(),
        dim,
        read: Vec::new(),
        people: Vec::new(),
        looked: Vec::new(),
        unreadable: Vec::new(),
    };
    let (mut batch, mut nobody, mut scenes) = (Batch::default(), Vec::new(), Vec::new());
    // Only as many pictures as there are threads are decoded at once, and kept as small as the network takes them. Whole photos
    // are large, and a detector takes all threads.
    let threads = thread::available_parallelism().map_or(1, usize::from).min(BATCH);
    let together = if finder.is_some() { 1 } else { threads };
    for (round, chunk) in files.chunks(together).enumerate() {
        if interrupt::requested() {
            return Err(CliError::Interrupted);
        }
        let decoded = match finder {
            Some(finder) => vec![decode_people(extractor, finder, &chunk[0], &look).await?],
            None => decode_all(extractor, chunk, &look),
        };
        for (offset, decoded) in decoded.into_iter().enumerate() {
            let index = round * together + offset;
            match decoded {
                Ok(people) => {
                    if people.is_empty() {
                        nobody.push(index);
                    }
                    for Fitted { image, looked, person, is_scene } in people {
                        if is_scene && person.is_none() {
                            scenes.push(index);
                        }
                        features.looked.push(looked);
                        features.people.push(person);
                        batch.indices.push(index);
                        batch.images.push(image);
                    }
                }
                Err(reason) => {
                    progress.line(&format!("reid: {}: {reason}", files[index].display()));
                    features.unreadable.push(Unreadable { index, reason: reason.to_string() });
                }
            }
        }
        if batch.images.len() >= BATCH {
            features.add(extractor, std::mem::take(&mut batch), files).await?;
            progress.set((round + 1) * together);
        }
    }
    features.add(extractor, batch, files).await?;
    progress.end();
    if let Some(&first) = scenes.first() {
        let (count, first) = (scenes.len(), files[first].display());
        eprintln!(
            "reid: {count} of {} images have the sides of whole photos, {first} for one: what is behind people makes these alike; \
             `reid detect --out` cuts the people out, and --whole-photos does so where a command has it",
            files.len()
        );
    }
    if let Some(&first) = nobody.first() {
        let (count, first) = (nobody.len(), files[first].display());
        eprintln!("reid: nobody was found in {count} of {} photos, {first} for one", files.len());
    }
    match (features.read.len(), features.unreadable.len()) {
        (0, _) if !nobody.is_empty() => Err(CliError::Nobody(what.into())),
        (0, count) => Err(CliError::AllUnreadable { what: what.into(), count }),
        (_, 0) => Ok(features),
        (_, unreadable) => {
            eprintln!("reid: {unreadable} of {} images could not be read and are left out", files.len());
            Ok(features)
        }
    }
}

impl<T> Features<T> {
    /// What images are called: a person of a whole photo is PHOTO#1, PHOTO#2 and so on.
    pub fn names(&self, files: &[PathBuf]) -> Vec<String> {
        let name = |(&file, person): (&usize, &Option<InPhoto>)| {
            let file = files[file].to_string_lossy();
            person.map_or_else(|| file.clone().into_owned(), |person| format!("{file}#{}", person.number))
        };
        self.read.iter().zip(&self.people).map(name).collect()
    }

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

/// An image at the network's size.
struct Fitted<T> {
    image: Rgba,
    /// What else was looked at in it.
    looked: T,
    /// Who it is of a whole photo.
    person: Option<InPhoto>,
    /// Whether it looks like a whole photo.
    is_scene: bool,
}

/// Each file decoded on a thread of its own and brought to the network's size, or why it could not be.
fn decode_all<T: Send>(
    extractor: &Extractor,
    files: &[PathBuf],
    look: &(impl Fn(&Path, &[Image]) -> Result<Vec<T>, ReadImageError> + Sync),
) -> Vec<Result<Vec<Fitted<T>>, ReadImageError>> {
    let decode = |file: &Path| fitted(extractor, file, &[Image::Whole(read_image(file)?)], vec![None], look);
    thread::scope(|scope| {
        let threads: Vec<_> = files.iter().map(|file| scope.spawn(move || decode(file))).collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined.map(|result| result.unwrap_or(Err(ReadImageError::Decoder))).collect()
    })
}

/// The people in a whole photo, brought to the network's size, or why it could not be read.
async fn decode_people<T>(
    extractor: &Extractor,
    finder: &Finder,
    file: &Path,
    look: &impl Fn(&Path, &[Image]) -> Result<Vec<T>, ReadImageError>,
) -> Result<Result<Vec<Fitted<T>>, ReadImageError>, CliError> {
    let picture = match read_image(file) {
        Ok(picture) => picture,
        Err(reason) => return Ok(Err(reason)),
    };
    let found = finder.people(&picture, file).await?;
    let boxes: Vec<PersonBox> = found.iter().map(|person| person.person_box).collect();
    let crops: Vec<Image> = crop(&picture, &boxes).into_iter().map(Image::Crop).collect();
    let people = (1..).zip(boxes).map(|(number, person_box)| Some(InPhoto { number, person_box }));
    Ok(fitted(extractor, file, &crops, people.collect(), look))
}

fn fitted<T>(
    extractor: &Extractor,
    file: &Path,
    images: &[Image],
    people: Vec<Option<InPhoto>>,
    look: &impl Fn(&Path, &[Image]) -> Result<Vec<T>, ReadImageError>,
) -> Result<Vec<Fitted<T>>, ReadImageError> {
    let looked = look(file, images)?;
    let fitted = |((image, looked), person): ((&Image, T), Option<InPhoto>)| {
        let is_scene = is_scene([image.width(), image.height()]);
        // A decoded picture has pixels.
        let image = extractor.fitted(image).map_err(|_| ReadImageError::Decoder)?;
        Ok(Fitted { image, looked, person, is_scene })
    };
    images.iter().zip(looked).zip(people).map(fitted).collect()
}
