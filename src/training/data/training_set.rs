//! Several folders as one set to train on, with persons and cameras that never mix.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use crate::dataset::{DISTRACTOR, Dataset, DatasetError, Image};
use crate::training::random::{Purpose, generator};

/// A folder to train on, as [`Dataset::read_for_training`] reads it: of a Market-1501 folder only `bounding_box_train/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Folder {
    pub path: PathBuf,
    /// How many of its persons are held out, to see how training goes.
    #[serde(default)]
    pub validation_people: usize,
}

/// A labelled crop to train on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrainingImage {
    pub path: PathBuf,
    /// 0…[`TrainingSet::people`]−1 over all folders.
    pub person: usize,
    /// From 0 over all folders; `None` where the name does not say.
    pub camera: Option<usize>,
    /// The place of its folder in [`TrainingSet::folders`].
    pub folder: usize,
}

/// What to train on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrainingSet {
    /// In the order of the folders, then of their names.
    pub images: Vec<TrainingImage>,
    /// The persons who are held out, numbered from 1, with cameras of their own in each folder.
    pub validation: Dataset,
    pub folders: Vec<FolderSummary>,
}

/// What a folder holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderSummary {
    pub path: PathBuf,
    pub images: usize,
    pub people: usize,
    pub cameras: usize,
    pub validation_images: usize,
    pub validation_people: usize,
    /// Files that are not used: of distractors, or with names that say nothing.
    pub unused: usize,
    /// What was assumed of its names and folders, and what was passed over. A sentence each.
    pub words: Vec<String>,
}

/// Why folders are nothing to train on.
#[derive(Debug, thiserror::Error)]
pub enum TrainingSetError {
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    #[error("{} is given twice: its persons would count as different ones", .0.display())]
    Twice(PathBuf),
    #[error(
        "{} has {people} persons, and with {held_out} of them held out fewer than two are left to train on",
        path.display()
    )]
    TooFewPeople { path: PathBuf, people: usize, held_out: usize },
    #[error("there is no folder to train on: name at least one")]
    NoFolder,
}

impl TrainingSet {
    /// Reads the names in folders. The persons who are held out depend on `seed`, the folder's place and its persons.
    ///
    /// # Errors
    /// When a folder cannot be read, is given twice, or has fewer than two persons to train on.
    pub fn read(folders: &[Folder], seed: u64) -> Result<Self, TrainingSetError> {
        if folders.is_empty() {
            return Err(TrainingSetError::NoFolder);
        }
        let mut set = Self { images: Vec::new(), validation: Dataset::default(), folders: Vec::new() };
        let mut paths = BTreeSet::new();
        let mut labels = Labels::default();
        for (index, folder) in folders.iter().enumerate() {
            let read = |source| DatasetError::Read { path: folder.path.clone(), source };
            if !paths.insert(fs::canonicalize(&folder.path).map_err(read)?) {
                return Err(TrainingSetError::Twice(folder.path.clone()));
            }
            let Dataset { images, unlabelled, words, .. } = Dataset::read_for_training(&folder.path)?;
            let found = images.len() + unlabelled.len();
            let images: Vec<Image> = images.into_iter().filter(|image| image.person != DISTRACTOR).collect();

            let people: BTreeSet<i32> = images.iter().map(|image| image.person).collect();
            let (count, held_out) = (people.len(), folder.validation_people);
            if count < 2 || count - 2 < held_out {
                return Err(TrainingSetError::TooFewPeople { path: folder.path.clone(), people: count, held_out });
            }
            let mut people: Vec<i32> = people.into_iter().collect();
            people.shuffle(&mut generator(seed, Purpose::Validation, 0, index as u64));
            let held_out: BTreeSet<i32> = people.into_iter().take(held_out).collect();

            let cameras: BTreeSet<i32> = images.iter().filter_map(|image| image.camera).collect();
            let unused = found - images.len();
            let (validation, images): (Vec<Image>, Vec<Image>) =
                images.into_iter().partition(|image| held_out.contains(&image.person));
            set.folders.push(FolderSummary {
                path: folder.path.clone(),
                images: images.len(),
                people: count - held_out.len(),
                cameras: cameras.len(),
                validation_images: validation.len(),
                validation_people: held_out.len(),
                unused,
                words,
            });
            set.images.extend(images.into_iter().map(|image| TrainingImage {
                person: labels.person(index, image.person),
                camera: image.camera.map(|camera| labels.camera(index, camera)),
                path: image.path,
                folder: index,
            }));
            set.validation.images.extend(validation.into_iter().map(|image| Image {
                person: labels.held_out(index, image.person),
                camera: image.camera.map(|camera| labels.camera(index, camera) as i32),
                path: image.path,
                part: None,
            }));
        }
        Ok(set)
    }

    /// The number of persons to train on.
    pub fn people(&self) -> usize {
        self.images.iter().map(|image| image.person + 1).max().unwrap_or(0)
    }

    /// Keeps the images for which `keep` (of the same length) is true, and labels those persons anew who still have one.
    pub(super) fn retain(&mut self, keep: &[bool]) {
        let mut kept = keep.iter();
        self.images.retain(|_| kept.next().copied().unwrap_or(false));
        let mut labels = Labels::default();
        self.folders.iter_mut().for_each(|folder| (folder.images, folder.people) = (0, 0));
        for image in &mut self.images {
            let (before, folder) = (labels.people.len(), &mut self.folders[image.folder]);
            image.person = labels.person(image.folder, image.person as i32);
            folder.images += 1;
            folder.people += labels.people.len() - before;
        }
    }
}

/// Numbers for persons and cameras of folders, in the order in which they come.
#[derive(Default)]
struct Labels {
    people: BTreeMap<(usize, i32), usize>,
    held_out: BTreeMap<(usize, i32), usize>,
    cameras: BTreeMap<(usize, i32), usize>,
}

impl Labels {
    fn person(&mut self, folder: usize, person: i32) -> usize {
        number(&mut self.people, (folder, person))
    }

    fn held_out(&mut self, folder: usize, person: i32) -> i32 {
        DISTRACTOR + 1 + number(&mut self.held_out, (folder, person)) as i32
    }

    fn camera(&mut self, folder: usize, camera: i32) -> usize {
        number(&mut self.cameras, (folder, camera))
    }
}

fn number(numbers: &mut BTreeMap<(usize, i32), usize>, key: (usize, i32)) -> usize {
    let next = numbers.len();
    *numbers.entry(key).or_insert(next)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::dataset::fixture::folder;

    fn of(path: &Path, validation_people: usize) -> Folder {
        Folder { path: path.into(), validation_people }
    }

    fn labels(set: &TrainingSet) -> Vec<(usize, usize, Option<usize>)> {
        set.images.iter().map(|image| (image.folder, image.person, image.camera)).collect()
    }

    #[test]
    fn persons_and_cameras_of_folders_never_mix() {
        let market = folder(&[
            ("query/0001_c1s1_000451_00.png", 0),
            ("bounding_box_test/0001_c2s1_000451_00.png", 0),
            ("bounding_box_train/0002_c1s1_000451_00.png", 0),
            ("bounding_box_train/0002_c3s1_000451_00.png", 0),
            ("bounding_box_train/0007_c1s1_000451_00.png", 0),
            ("bounding_box_train/-1_c1s1_000451_00.png", 0),
            ("bounding_box_train/notes.png", 0),
        ]);
        let named = folder(&[("0000_c1_a.png", 0), ("0002_c1_a.png", 0), ("0002_c2_a.png", 0), ("0005_c1_a.png", 0)]);
        let persons = folder(&[("anna/1.png", 0), ("anna/2.png", 0), ("bert/1_c1.png", 0)]);
        let folders = [&market, &named, &persons].map(|root| of(root.path(), 0));
        let set = TrainingSet::read(&folders, 0).expect("reads");
        assert_eq!(
            labels(&set),
            [
                (0, 0, Some(0)),
                (0, 0, Some(1)),
                (0, 1, Some(0)),
                (1, 2, Some(2)),
                (1, 2, Some(3)),
                (1, 3, Some(2)),
                (2, 4, None),
                (2, 4, None),
                (2, 5, Some(4)),
            ]
        );
        assert_eq!(set.people(), 6);
        assert!(set.validation.images.is_empty());
        let summary = |folder: &FolderSummary| (folder.images, folder.people, folder.cameras, folder.unused);
        // Of the first, notes.png is not used; of the second, the distractor.
        assert_eq!(set.folders.iter().map(summary).collect::<Vec<_>>(), [(3, 2, 2, 1), (3, 2, 2, 1), (3, 2, 1, 0)]);
    }

    #[test]
    fn persons_are_held_out_by_seed() {
        let names: Vec<String> = (1..=20).flat_map(|p| [1, 2].map(|c| format!("{p:04}_c{c}_a.png"))).collect();
        let files: Vec<(&str, u8)> = names.iter().map(|name| (name.as_str(), 0)).collect();
        let (one, two) = (folder(&files), folder(&files));
        let read = |seed| TrainingSet::read(&[of(one.path(), 5), of(two.path(), 3)], seed).expect("reads");
        let set = read(1);
        assert_eq!((set.people(), set.images.len()), (32, 64));
        assert_eq!((set.validation.persons(), set.validation.images.len()), (8, 16));
        let held_out: BTreeSet<&PathBuf> = set.validation.images.iter().map(|image| &image.path).collect();
        assert!(set.images.iter().all(|image| !held_out.contains(&image.path)));
        assert_eq!(set.folders.iter().map(|folder| folder.validation_images).collect::<Vec<_>>(), [10, 6]);
        // Both cameras of a person stay together, and folders' cameras stay apart.
        for pair in set.validation.images.chunks(2) {
            assert_eq!(pair[0].person, pair[1].person);
        }
        let cameras: BTreeSet<Option<i32>> = set.validation.images.iter().map(|image| image.camera).collect();
        assert_eq!(cameras.len(), 4);
        assert_eq!(read(1), set);
        assert_ne!(read(2).validation, set.validation);
    }

    #[test]
    fn what_cannot_be_trained_on_is_named() {
        let two = folder(&[("0001_c1.png", 0), ("0002_c1.png", 0)]);
        let error = |folders: &[Folder]| TrainingSet::read(folders, 0).expect_err("refused");
        assert!(matches!(error(&[]), TrainingSetError::NoFolder));
        let again = two.path().join(".");
        assert!(matches!(error(&[of(two.path(), 0), of(&again, 0)]), TrainingSetError::Twice(_)));
        let held_out = error(&[of(two.path(), 1)]);
        assert!(matches!(held_out, TrainingSetError::TooFewPeople { people: 2, held_out: 1, .. }));
        let evaluation = folder(&[("query/0001_c1.png", 0), ("bounding_box_test/0001_c2.png", 0)]);
        assert!(matches!(
            error(&[of(evaluation.path(), 0)]),
            TrainingSetError::Dataset(DatasetError::NoTrainingPart(_))
        ));
        let gone = two.path().join("gone");
        assert!(error(&[of(&gone, 0)]).to_string().contains("gone"));
    }
}
