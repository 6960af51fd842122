//! All images of a training set in memory, decoded once: at the network's input size a pixel takes three bytes, and an epoch
//! then costs no more than changing them.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::training_set::TrainingSet;
use crate::dataset::{ReadImageError, read_image};
use crate::image;
use crate::kernels::frozen::preprocess::{Filter, Frame};
use crate::step::Fit;

/// The images of a [`TrainingSet`], in its order.
#[derive(Clone, Debug)]
pub struct ImageStore {
    height: usize,
    width: usize,
    /// `[n, 3, height, width]`.
    pixels: Vec<u8>,
}

/// A file that was left out, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    pub path: PathBuf,
    pub reason: String,
}

/// Why there are no images.
#[derive(Debug, thiserror::Error)]
pub enum ImageStoreError {
    #[error("images of {height}×{width} pixels cannot be trained on: both need to be at least 1")]
    NoSize { height: usize, width: usize },
    #[error("not one of {count} images could be read, the first, {}, because it {reason}", path.display())]
    AllUnreadable { count: usize, path: PathBuf, reason: String },
    #[error("{count} images of {height}×{width} pixels take more memory ({megabytes} MB) than there is")]
    Memory { count: usize, height: usize, width: usize, megabytes: usize },
}

impl ImageStore {
    /// How training resizes, as the Transfer-Learning-Library does; a model that was trained here takes pictures so.
    pub const FILTER: Filter = Filter::Bicubic;

    /// Decodes every image on all cores and brings it to `[height, width]`, by [`Self::FILTER`]. What cannot be read leaves the set, whose persons are
    /// labelled anew then, and is listed. `progress` is called with the number of images done, from any thread.
    ///
    /// # Errors
    /// When no image can be read, or the memory does not suffice.
    pub fn load(
        set: &mut TrainingSet,
        [height, width]: [usize; 2],
        fit: Fit,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<(Self, Vec<Unreadable>), ImageStoreError> {
        let count = set.images.len();
        let size = 3 * height * width;
        if size == 0 {
            return Err(ImageStoreError::NoSize { height, width });
        }
        let mut pixels = Vec::new();
        let memory =
            |_| ImageStoreError::Memory { count, height, width, megabytes: (count.saturating_mul(size)) >> 20 };
        pixels.try_reserve_exact(count.saturating_mul(size)).map_err(memory)?;
        pixels.resize(count * size, 0);

        let frame = Frame { width, height, filter: Self::FILTER, fit };
        let done = AtomicUsize::new(0);
        let load = |(slot, path): (&mut [u8], &PathBuf)| -> Result<(), ReadImageError> {
            let picture = read_image(path);
            progress(done.fetch_add(1, Ordering::Relaxed) + 1);
            // A decoded picture has pixels.
            if let Ok(pixels) = image::fit(&picture?, &frame) {
                slot.copy_from_slice(&pixels);
            }
            Ok(())
        };
        let paths: Vec<PathBuf> = set.images.iter().map(|image| image.path.clone()).collect();
        let results: Vec<_> = pixels.par_chunks_exact_mut(size).zip(&paths).map(load).collect();

        let keep: Vec<bool> = results.iter().map(Result::is_ok).collect();
        let failed = paths.into_iter().zip(results).filter_map(|(path, result)| Some((path, result.err()?)));
        let unreadable: Vec<Unreadable> =
            failed.map(|(path, error)| Unreadable { path, reason: error.to_string() }).collect();
        if !unreadable.is_empty() {
            let kept = keep.iter().enumerate().filter(|(_, kept)| **kept);
            for (to, (from, _)) in kept.enumerate() {
                pixels.copy_within(from * size..(from + 1) * size, to * size);
            }
            pixels.truncate((count - unreadable.len()) * size);
            set.retain(&keep);
        }
        match unreadable.first() {
            Some(Unreadable { path, reason }) if set.images.is_empty() => {
                Err(ImageStoreError::AllUnreadable { count, path: path.clone(), reason: reason.clone() })
            }
            _ => Ok((Self { height, width, pixels }, unreadable)),
        }
    }

    /// Height and width of the images.
    pub fn size(&self) -> [usize; 2] {
        [self.height, self.width]
    }

    /// The number of images.
    pub fn len(&self) -> usize {
        self.pixels.len() / (3 * self.height * self.width)
    }

    pub fn is_empty(&self) -> bool {
        self.pixels.is_empty()
    }

    /// `[3, height, width]`, red first, of the image at that place of the set.
    ///
    /// # Panics
    /// When there is no such image.
    pub fn image(&self, index: usize) -> &[u8] {
        let size = 3 * self.height * self.width;
        &self.pixels[index * size..][..size]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::fixture::{broken, folder};
    use crate::training::data::training_set::Folder;

    fn set(root: &tempfile::TempDir) -> TrainingSet {
        TrainingSet::read(&[Folder { path: root.path().into(), validation_people: 0 }], 0).expect("reads")
    }

    #[test]
    fn images_are_resized_to_bytes_in_the_sets_order() {
        let root = folder(&[("0001_c1.png", 10), ("0002_c1.png", 20), ("0003_c1.png", 30)]);
        let done = AtomicUsize::new(0);
        let count = |images: usize| {
            done.fetch_max(images, Ordering::Relaxed);
        };
        let (store, unreadable) = ImageStore::load(&mut set(&root), [4, 3], Fit::Stretch, &count).expect("loads");
        assert_eq!((store.len(), store.size(), unreadable.len(), done.into_inner()), (3, [4, 3], 0, 3));
        for (index, grey) in [10, 20, 30].into_iter().enumerate() {
            assert_eq!(store.image(index), [grey; 36]);
        }
    }

    #[test]
    fn images_keep_their_proportions_in_a_letterbox() {
        let root = folder(&[("0001_c1.png", 10), ("0002_c1.png", 20)]);
        let sides = image::decode(&std::fs::read(root.path().join("0001_c1.png")).expect("a file")).expect("a picture");
        assert_eq!((sides.width, sides.height), (4, 8));
        let red = Fit::Letterbox { colour: [200, 1, 2] };
        let (store, _) = ImageStore::load(&mut set(&root), [8, 8], red, &|_| {}).expect("loads");
        for (plane, around) in store.image(0).chunks_exact(64).zip([200, 1, 2]) {
            for line in plane.chunks_exact(8) {
                assert_eq!(line, [around, around, 10, 10, 10, 10, around, around]);
            }
        }
    }

    #[test]
    fn what_cannot_be_read_leaves_the_set_and_its_persons_with_it() {
        let root = folder(&[("0002_c1.png", 20), ("0003_c1.png", 30), ("0003_c3.png", 33)]);
        broken(&root, "0001_c1.png");
        broken(&root, "0003_c2.png");
        let mut set = set(&root);
        assert_eq!((set.people(), set.images.len()), (3, 5));
        let (store, unreadable) = ImageStore::load(&mut set, [8, 4], Fit::Stretch, &|_| {}).expect("loads");
        let names: Vec<_> = unreadable.iter().map(|file| file.path.file_name().expect("a name")).collect();
        assert_eq!(names, ["0001_c1.png", "0003_c2.png"]);
        assert!(unreadable[0].reason.starts_with("this is text"), "{}", unreadable[0].reason);
        let people: Vec<usize> = set.images.iter().map(|image| image.person).collect();
        assert_eq!((people, set.people()), (vec![0, 1, 1], 2));
        assert_eq!((set.folders[0].images, set.folders[0].people), (3, 2));
        assert_eq!([0, 1, 2].map(|index| store.image(index)[0]), [20, 30, 33]);
        assert_eq!(store.len(), 3);
    }

    #[test]
    fn nothing_readable_is_an_error() {
        let root = folder(&[]);
        broken(&root, "0001_c1.png");
        broken(&root, "0002_c1.png");
        let message =
            ImageStore::load(&mut set(&root), [8, 4], Fit::Stretch, &|_| {}).expect_err("nothing").to_string();
        assert!(
            message.starts_with("not one of 2 images could be read") && message.contains("0001_c1.png"),
            "{message}"
        );
        assert!(matches!(
            ImageStore::load(&mut set(&root), [0, 4], Fit::Stretch, &|_| {}),
            Err(ImageStoreError::NoSize { .. })
        ));
    }
}
