//! Folders of labelled person crops, and how they are split for an evaluation.

#[cfg(not(target_arch = "wasm32"))]
mod camera;
mod files;
#[cfg(all(test, feature = "train"))]
mod fixture;
#[cfg(feature = "train")]
mod image_store;
#[cfg(feature = "train")]
mod loader;
mod name;
mod protocol;
mod read;
#[cfg(feature = "train")]
mod teacher;
#[cfg(feature = "train")]
mod training_set;

#[cfg(not(target_arch = "wasm32"))]
pub use camera::{CameraError, CameraFrom};
pub use files::image_files;
#[cfg(feature = "train")]
pub use image_store::{ImageStore, ImageStoreError, Unreadable};
#[cfg(feature = "train")]
pub use loader::{Loader, LoaderConfig, LoaderError};
pub use protocol::{Protocol, Split, UnknownProtocol};
pub use read::{ReadImageError, read_image};
#[cfg(feature = "train")]
pub use teacher::{Teacher, TeacherError};
#[cfg(feature = "train")]
pub use training_set::{Folder, FolderSummary, TrainingImage, TrainingSet, TrainingSetError};

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::ranking::Label;
use files::{images_in, subfolders};

/// The person id of images of nobody who is searched for: they are in the gallery and never a query.
pub const DISTRACTOR: i32 = 0;

/// The part of a Market-1501 folder that an image comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Train,
    Query,
    Gallery,
}

/// One labelled crop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    pub path: PathBuf,
    /// [`DISTRACTOR`] or the person's number.
    pub person: i32,
    /// From 0; `None` where the name does not say.
    pub camera: Option<i32>,
    /// `None` in a folder without parts.
    pub part: Option<Part>,
}

/// A folder of labelled crops. Nothing but the names has been read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dataset {
    /// In the order of their parts, then of their names.
    pub images: Vec<Image>,
    /// Images whose names carry no person and camera; they are in no split.
    pub unlabelled: Vec<PathBuf>,
}

/// Why a folder is not a dataset, or cannot be split as asked.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    #[error("{}: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error(
        "{} holds no labelled images: give a Market-1501 folder (query/, bounding_box_test/), a folder of files named \
         PPPP_cC… (person, camera), or one folder for each person",
        .0.display()
    )]
    NoImages(PathBuf),
    #[error("{} has {found}/ but no {missing}/: a Market-1501 folder needs both", path.display())]
    HalfMarket { path: PathBuf, found: &'static str, missing: &'static str },
    #[error(
        "the market1501 protocol needs the folders query/ and bounding_box_test/; use cross-camera or leave-one-out here"
    )]
    NoParts,
    #[error("the cross-camera protocol needs images of cameras 1 and 2, and the names here tell of {0}")]
    NoCameras(String),
}

impl Dataset {
    /// Reads the names in a folder. In this order, it is
    /// - a Market-1501 folder: `query/`, `bounding_box_test/` and perhaps `bounding_box_train/`,
    /// - files whose names carry person and camera, `PPPP_cC…`,
    /// - one folder for each person, whose files may carry a camera (`…_cC…`).
    ///
    /// Names are read as by `([-\d]+)_c(\d+)`: person −1 (junk) is dropped, person 0 is a [`DISTRACTOR`], cameras are counted
    /// from 0. Folders of persons are numbered from 1 in the order of their names.
    pub fn read(path: &Path) -> Result<Self, DatasetError> {
        let has = |name: &str| path.join(name).is_dir();
        let mut dataset = Self::default();
        match (has("query"), has("bounding_box_test")) {
            (true, true) => {
                let parts =
                    [("bounding_box_train", Part::Train), ("query", Part::Query), ("bounding_box_test", Part::Gallery)];
                for (folder, part) in parts.into_iter().filter(|(folder, _)| has(folder)) {
                    dataset.add_named(images_in(&path.join(folder))?, Some(part));
                }
            }
            (true, false) => {
                return Err(DatasetError::HalfMarket {
                    path: path.into(),
                    found: "query",
                    missing: "bounding_box_test",
                });
            }
            (false, true) => {
                return Err(DatasetError::HalfMarket {
                    path: path.into(),
                    found: "bounding_box_test",
                    missing: "query",
                });
            }
            (false, false) => {
                dataset.add_named(images_in(path)?, None);
                if dataset.images.is_empty() {
                    dataset.add_persons(path)?;
                }
            }
        }
        if dataset.images.is_empty() { Err(DatasetError::NoImages(path.into())) } else { Ok(dataset) }
    }

    fn add_named(&mut self, files: Vec<PathBuf>, part: Option<Part>) {
        for path in files {
            match name::person_and_camera(&path) {
                Some((name::JUNK, _)) => {}
                Some((person, camera)) => self.images.push(Image { path, person, camera: Some(camera), part }),
                None => self.unlabelled.push(path),
            }
        }
    }

    fn add_persons(&mut self, path: &Path) -> Result<(), DatasetError> {
        for (person, folder) in (DISTRACTOR + 1..).zip(subfolders(path)?) {
            let files = images_in(&folder)?.into_iter();
            self.images.extend(files.map(|path| {
                let camera = name::camera(&path);
                Image { path, person, camera, part: None }
            }));
        }
        Ok(())
    }

    /// What scoring needs to know of every image. One of unknown camera counts as a camera of its own,
    /// so that of its person's images only itself is removed.
    pub fn labels(&self) -> Vec<Label> {
        let of =
            |(index, image): (i32, &Image)| Label { person: image.person, camera: image.camera.unwrap_or(-1 - index) };
        (1..).zip(&self.images).map(of).collect()
    }

    /// The number of persons, distractors apart.
    pub fn persons(&self) -> usize {
        let persons: BTreeSet<i32> = self.images.iter().map(|image| image.person).collect();
        persons.iter().filter(|&&person| person != DISTRACTOR).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A folder with those (empty) files.
    fn folder(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a temporary folder");
        for file in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().expect("has one")).expect("creates");
            fs::write(path, "").expect("writes");
        }
        root
    }

    fn summary(dataset: &Dataset) -> Vec<(i32, Option<i32>, Option<Part>)> {
        dataset.images.iter().map(|image| (image.person, image.camera, image.part)).collect()
    }

    #[test]
    fn market1501() {
        let root = folder(&[
            "query/0002_c1s1_000451_00.jpg",
            "bounding_box_test/-1_c1s1_000401_03.jpg",
            "bounding_box_test/0000_c6s1_000151_01.jpg",
            "bounding_box_test/0002_c3s1_000151_01.jpg",
            "bounding_box_test/Thumbs.db",
            "bounding_box_test/._0002_c3s1_000151_01.jpg",
            "bounding_box_train/0007_c2s3_070952_01.jpg",
        ]);
        let dataset = Dataset::read(root.path()).expect("reads");
        assert_eq!(
            summary(&dataset),
            [
                (7, Some(1), Some(Part::Train)),
                (2, Some(0), Some(Part::Query)),
                (0, Some(5), Some(Part::Gallery)),
                (2, Some(2), Some(Part::Gallery)),
            ]
        );
        assert_eq!(dataset.persons(), 2);
        let split = |protocol: Protocol| protocol.split(&dataset).map(|split| (split.query, split.gallery));
        assert_eq!(split(Protocol::Market1501).expect("splits"), (vec![1], vec![2, 3]));
        assert_eq!(split(Protocol::LeaveOneOut).expect("splits"), (vec![1, 3], vec![1, 2, 3]));
        assert!(matches!(split(Protocol::CrossCamera), Err(DatasetError::NoCameras(_))));
        assert_eq!(Protocol::natural(&dataset), Protocol::Market1501);
    }

    #[test]
    fn one_folder_of_named_files() {
        let root = folder(&["0003_c2_o1.png", "0003_c1_o1.png", "0004_c1_o8.PNG", "0004_c3_o1.png", "group.jpg"]);
        let dataset = Dataset::read(root.path()).expect("reads");
        assert_eq!(summary(&dataset), [(3, Some(0), None), (3, Some(1), None), (4, Some(0), None), (4, Some(2), None)]);
        assert_eq!(dataset.unlabelled, [root.path().join("group.jpg")]);
        let split = |protocol: Protocol| protocol.split(&dataset).map(|split| (split.query, split.gallery));
        assert_eq!(split(Protocol::CrossCamera).expect("splits"), (vec![0, 2], vec![1]));
        assert_eq!(split(Protocol::LeaveOneOut).expect("splits"), (vec![0, 1, 2, 3], vec![0, 1, 2, 3]));
        assert!(matches!(split(Protocol::Market1501), Err(DatasetError::NoParts)));
        assert_eq!(Protocol::natural(&dataset), Protocol::LeaveOneOut);
    }

    #[test]
    fn a_folder_for_each_person() {
        let root = folder(&["bea/1.jpg", "bea/2.jpg", "ada/x_c2.png", "ada/y.webp", "empty/notes.txt"]);
        let dataset = Dataset::read(root.path()).expect("reads");
        assert_eq!(summary(&dataset), [(1, Some(1), None), (1, None, None), (2, None, None), (2, None, None)]);
        // Unknown cameras are nobody else's, so that each image still finds the others of its person.
        let labels = dataset.labels();
        assert!((0..4).all(|i| (0..4).all(|j| i == j || labels[i] != labels[j])), "{labels:?}");
        let error = Protocol::CrossCamera.split(&dataset).expect_err("camera 1 is missing");
        assert!(error.to_string().contains("camera 2"), "{error}");
    }

    #[test]
    fn folders_that_are_no_dataset() {
        let read = |files: &[&str]| Dataset::read(folder(files).path()).expect_err("no dataset");
        assert!(matches!(read(&[]), DatasetError::NoImages(_)));
        assert!(matches!(read(&["a.jpg"]), DatasetError::NoImages(_)));
        assert!(matches!(read(&["query/0002_c1.jpg"]), DatasetError::HalfMarket { missing: "bounding_box_test", .. }));
        let missing = Dataset::read(Path::new("no/such/folder")).expect_err("missing");
        assert!(missing.to_string().starts_with("no/such/folder: "), "{missing}");
    }
}
