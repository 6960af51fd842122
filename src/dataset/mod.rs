//! Folders of labelled person crops, and how they are split for an evaluation.

#[cfg(not(target_arch = "wasm32"))]
mod camera;
mod files;
#[cfg(test)]
pub(crate) mod fixture;
mod layout;
mod name;
mod protocol;
mod read;

#[cfg(not(target_arch = "wasm32"))]
pub use camera::{CameraError, CameraFrom};
pub use files::{ImageFiles, image_files};
pub use name::{Naming, Person, persons};
pub use protocol::{Protocol, Split, UnknownProtocol, Unmatched};
pub use read::{ReadImageError, read_image};

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::ranking::Label;
use layout::{Found, Layout, Purpose};

/// The person id of images of nobody who is searched for: they are in the gallery and never a query.
pub const DISTRACTOR: i32 = 0;

/// The part of a dataset that an image comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Train,
    Query,
    Gallery,
}

/// A part, and the folder (or MSMT17's list) that says what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartFolder {
    pub part: Part,
    pub path: PathBuf,
}

/// One labelled crop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    pub path: PathBuf,
    /// [`DISTRACTOR`] or the person's number.
    pub person: i32,
    /// The camera's number in the name less that of the set's first: from 0, or −1 where one counts from 0 that should not.
    /// `None` where neither the name nor a folder says.
    pub camera: Option<i32>,
    /// `None` in a folder without parts.
    pub part: Option<Part>,
}

/// A folder of labelled crops. Nothing but the names has been read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dataset {
    /// In the order of their parts, then of their names.
    pub images: Vec<Image>,
    /// Images of which neither name nor folder tells the person; they are in no split.
    pub unlabelled: Vec<PathBuf>,
    /// The parts that were read; none in a folder without them.
    pub parts: Vec<PartFolder>,
    /// What whoever uses the labels has to know: what was assumed of names and folders, and what was passed over. A sentence
    /// each, none where nothing is in doubt. Every command prints them.
    pub words: Vec<String>,
}

/// The layouts that are read, for messages.
const LAYOUTS: &str = "give a folder with query/ and a gallery (bounding_box_test/, image_test/, gallery/ or test/), a folder \
                       of files named PPPP_cC… (person, camera), or one folder for each person";

/// Why a folder is not a dataset, or cannot be split as asked.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    #[error("{}: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{} holds no labelled images{}: {LAYOUTS}", path.display(), say_unlabelled(unlabelled))]
    NoImages { path: PathBuf, unlabelled: Vec<PathBuf> },
    #[error("{} is a link to {}, which is not there: mend it or take it away", path.display(), target.display())]
    BrokenLink { path: PathBuf, target: PathBuf },
    #[error("{} has {found}/ but no {missing}: queries and a gallery belong together", path.display())]
    Half { path: PathBuf, found: String, missing: &'static str },
    #[error("{} has {found}/ and nothing to evaluate on; to measure on that, give {found}/ itself", path.display())]
    OnlyTraining { path: PathBuf, found: String },
    #[error(
        "{} has folders to evaluate on but none to train on (bounding_box_train/, train/): give one of those, or a folder \
         without parts",
        .0.display()
    )]
    NoTrainingPart(PathBuf),
    #[error("{} holds several sets, {folders}: give one of them", path.display())]
    SeveralSets { path: PathBuf, folders: String },
    #[error(
        "in {} it is not certain which folders are the persons ({folders}): give one folder for each person, or folders \
         cam1/, cam2/ … with a folder for each person in them",
        path.display()
    )]
    Levels { path: PathBuf, folders: String },
    #[error(
        "the folders {folders} of {} are not one person each: by their names, {} and {} {}; {LAYOUTS}",
        path.display(),
        files[0].display(),
        files[1].display(),
        if files[0].parent() == files[1].parent() { "show two persons" } else { "show the same person" }
    )]
    NoPersons { path: PathBuf, folders: String, files: [PathBuf; 2] },
    #[error("{} holds no labelled images{}", path.display(), say_unlabelled(unlabelled))]
    EmptyPart { path: PathBuf, unlabelled: Vec<PathBuf> },
    #[error("no query has a true match in the gallery: {0}")]
    Unmatched(#[from] Unmatched),
    #[error(
        "the market1501 protocol needs the folders query/ and bounding_box_test/; use cross-camera or leave-one-out here"
    )]
    NoParts,
    #[error("the cross-camera protocol needs images of cameras 1 and 2, and the names here tell of {0}")]
    NoCameras(String),
}

fn say_unlabelled(files: &[PathBuf]) -> String {
    let first = |first: &PathBuf| {
        format!(" ({} images tell no person and camera by their names, {} first)", files.len(), first.display())
    };
    files.first().map(first).unwrap_or_default()
}

impl Dataset {
    /// Reads the names in a folder. It may hold
    /// - parts to evaluate on and perhaps to train on, of which only the former are read: `query/` and `bounding_box_test/`,
    ///   or what other sets call them (`image_query/`, `gallery/`, `test/` …), with MSMT17's lists where those tell them apart,
    /// - files whose names carry person and camera, `PPPP_cC…` or as some sets have it,
    /// - folders of cameras (`cam_a/` …) with a folder for each person, or files that begin with the person's number,
    /// - one folder for each person, whose files or folders may carry a camera (`…_cC…`, `cam1/`).
    ///
    /// Names are read as by `([-\d]+)_c(\d+)`, unless all are those of LTCC, MSMT17, CUHK03, MARS, VC-Clothes, GRID or
    /// RandPerson: person −1 (junk) is dropped; person 0 is a [`DISTRACTOR`] in a set's gallery and a person where the set, or
    /// a folder without parts, counts persons from 0. Where persons have no numbers they get them from 1, in the order of their
    /// names.
    ///
    /// # Errors
    /// When the folder cannot be read, holds nobody, or its names contradict what its folders say.
    pub fn read(path: &Path) -> Result<Self, DatasetError> {
        Self::read_for(path, Purpose::Evaluation)
    }

    /// Reads the names in a folder to train on: where there are parts, the one for training (`bounding_box_train/`,
    /// `train/` …), else all, as [`read`](Self::read) does.
    ///
    /// # Errors
    /// As [`read`](Self::read); [`DatasetError::NoTrainingPart`] where there are other parts only.
    pub fn read_for_training(path: &Path) -> Result<Self, DatasetError> {
        Self::read_for(path, Purpose::Training)
    }

    fn read_for(path: &Path, purpose: Purpose) -> Result<Self, DatasetError> {
        let mut layout = layout::read(path, purpose)?;
        let unlabelled = std::mem::take(&mut layout.unlabelled);
        match (layout.found.is_empty(), &layout.parts[..]) {
            (true, []) => return Err(DatasetError::NoImages { path: path.into(), unlabelled }),
            (true, [part]) => return Err(DatasetError::EmptyPart { path: part.path.clone(), unlabelled }),
            _ => {}
        }
        let zero_is_nobody = zero_is_nobody(&mut layout);
        let Layout { found, parts, words, .. } = layout;
        let persons = number(&found, zero_is_nobody);
        let image =
            |Found { path, person, camera, part }: Found| Image { person: persons[&person], path, camera, part };
        let mut dataset = Self { images: found.into_iter().map(image).collect(), unlabelled, parts, words };
        if purpose == Purpose::Evaluation && persons.len() == 1 {
            dataset.words.push("all images are of one person, so that whatever is found is right".into());
        }
        Ok(dataset)
    }

    /// What scoring needs to know of every image. One of unknown camera counts as a camera of its own,
    /// so that of its person's images only itself is removed.
    pub fn labels(&self) -> Vec<Label> {
        let of =
            |(index, image): (i32, &Image)| Label { person: image.person, camera: image.camera.unwrap_or(-1 - index) };
        (1..).zip(&self.images).map(of).collect()
    }

    /// Whether there is a part of that kind.
    pub fn has(&self, part: Part) -> bool {
        self.parts.iter().any(|folder| folder.part == part)
    }

    /// The number of persons, distractors apart.
    pub fn persons(&self) -> usize {
        let persons: BTreeSet<i32> = self.images.iter().map(|image| image.person).collect();
        persons.iter().filter(|&&person| person != DISTRACTOR).count()
    }
}

/// Whether person 0 is nobody in particular, as in Market-1501's gallery, or the first of persons who are counted from 0.
fn zero_is_nobody(layout: &mut Layout) -> bool {
    if let Some(known) = layout.zero_is_nobody {
        return known;
    }
    let zeros = layout.found.iter().filter(|found| found.person == Person::Number(DISTRACTOR));
    let (mut cameras, mut asked, mut learnt) = (BTreeSet::new(), false, false);
    for zero in zeros {
        cameras.insert(zero.camera);
        asked |= zero.part == Some(Part::Query);
        learnt |= zero.part == Some(Part::Train);
    }
    if !layout.parts.is_empty() {
        if asked {
            layout.words.push("person 0 is in the query folder, and so a person and no distractor".into());
        }
        return !asked && !learnt;
    }
    if cameras.len() < 2 {
        return true;
    }
    // A part of Market-1501 given alone has junk as well.
    layout.words.push(if layout.junk {
        "person 0 is read as nobody in particular (distractors), as in Market-1501, for there is a person −1 as well"
            .into()
    } else {
        "person 0 is read as a person, not as distractors, for no person −1 is there".into()
    });
    layout.junk
}

/// The number of each person: as it stands in the names where that is possible, else from 1.
fn number(found: &[Found], zero_is_nobody: bool) -> BTreeMap<Person, i32> {
    let mut numbers: BTreeMap<Person, i32> = BTreeMap::new();
    let persons: BTreeSet<&Person> = found.iter().map(|found| &found.person).collect();
    let nobody = Person::Number(DISTRACTOR);
    let as_named = zero_is_nobody || !persons.contains(&nobody);
    let mut next = DISTRACTOR;
    let all_numbers = persons.iter().all(|person| matches!(person, Person::Number(_)));
    for person in persons {
        let number = match person {
            Person::Number(number) if all_numbers && as_named => *number,
            person if *person == nobody && zero_is_nobody => DISTRACTOR,
            _ => {
                next += 1;
                next
            }
        };
        numbers.insert(person.clone(), number);
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;
    use fixture::files as folder;

    /// Person, camera and part of each image.
    type Summary = Vec<(i32, Option<i32>, Option<Part>)>;

    fn summary(dataset: &Dataset) -> Summary {
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
            [(2, Some(0), Some(Part::Query)), (0, Some(5), Some(Part::Gallery)), (2, Some(2), Some(Part::Gallery)),]
        );
        assert_eq!(dataset.persons(), 1);
        assert_eq!(dataset.words, [""; 0]);
        let split = |protocol: Protocol| protocol.split(&dataset).map(|split| (split.query, split.gallery));
        assert_eq!(split(Protocol::Market1501).expect("splits"), (vec![0], vec![1, 2]));
        assert_eq!(split(Protocol::LeaveOneOut).expect("splits"), (vec![0, 2], vec![0, 1, 2]));
        assert!(matches!(split(Protocol::CrossCamera), Err(DatasetError::NoCameras(_))));
        assert_eq!(Protocol::natural(&dataset), Protocol::Market1501);
        let training = Dataset::read_for_training(root.path()).expect("reads");
        assert_eq!(summary(&training), [(7, Some(1), Some(Part::Train))]);
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
        assert_eq!(dataset.words, [""; 0]);
        // Unknown cameras are nobody else's, so that each image still finds the others of its person.
        let labels = dataset.labels();
        assert!((0..4).all(|i| (0..4).all(|j| i == j || labels[i] != labels[j])), "{labels:?}");
        let error = Protocol::CrossCamera.split(&dataset).expect_err("camera 1 is missing");
        assert!(error.to_string().contains("camera 2"), "{error}");
    }

    /// Persons, cameras and parts of a folder with those files, and what is said of it.
    #[track_caller]
    fn read(files: &[&str]) -> (Summary, String) {
        let root = folder(files);
        let dataset = Dataset::read(root.path()).unwrap_or_else(|error| panic!("{error}"));
        (summary(&dataset), dataset.words.join("\n"))
    }

    #[track_caller]
    fn refused(files: &[&str]) -> String {
        Dataset::read(folder(files).path()).expect_err("no dataset").to_string()
    }

    #[track_caller]
    fn split(files: &[&str]) -> Result<(usize, usize), String> {
        let dataset = Dataset::read(folder(files).path()).unwrap_or_else(|error| panic!("{error}"));
        let split = Protocol::natural(&dataset).split(&dataset).map_err(|error| error.to_string())?;
        Ok((split.query.len(), split.gallery.len()))
    }

    const QUERY: Option<Part> = Some(Part::Query);
    const GALLERY: Option<Part> = Some(Part::Gallery);

    #[test]
    fn parts_by_the_names_that_sets_give_them() {
        for [query, gallery, train] in [
            ["query", "bounding_box_test", "bounding_box_train"],
            ["image_query", "image_test", "image_train"],
            ["query", "gallery", "train"],
            ["Query", "Test", "Train"],
            ["probe", "gallery", "val"],
            ["query/0001", "gallery/0001", "train/0002"],
        ] {
            let names = [
                format!("{query}/0001_c001_00030600_0.jpg"),
                format!("{gallery}/0001_c002_00030600_0.jpg"),
                format!("{}/0003_c002_00030600_0.jpg", gallery.replace("0001", "0003")),
                format!("{train}/0002_c001_00030600_0.jpg"),
                format!("{train}/0002_c003_00030600_0.jpg"),
            ];
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let (images, words) = read(&names);
            assert_eq!(images, [(1, Some(0), QUERY), (1, Some(1), GALLERY), (3, Some(1), GALLERY)], "{query}");
            assert_eq!(words, "", "{query}");
            assert_eq!(split(&names), Ok((1, 2)));
        }
        // A part has folders of persons, and a part for tests has parts.
        let names = ["test/query/anna/1.jpg", "test/gallery/anna/2.jpg", "test/gallery/bert/1.jpg", "train/carl/1.jpg"];
        let (images, words) = read(&names);
        assert_eq!(images, [(1, None, QUERY), (1, None, GALLERY), (2, None, GALLERY)]);
        assert!(words.contains("test is read"), "{words}");
        // What is beside them is said.
        let names = ["query/0001_c1.jpg", "gallery/0001_c2.jpg", "more/0001_c3.jpg", "gt_bbox/1.jpg", "docs/notes.txt"];
        let (images, words) = read(&names);
        assert_eq!(images.len(), 2);
        assert!(words.starts_with("more/ in ") && words.contains("is not read: its parts are"), "{words}");
        assert!(words.contains("all images are of one person"), "{words}");
    }

    #[test]
    fn a_test_part_alone_is_searched_in_itself() {
        let names = ["train/0001_c1.jpg", "val/0009_c1.jpg", "test/0002_c1.jpg", "test/0002_c2.jpg"];
        let (images, words) = read(&names);
        assert_eq!(images, [(2, Some(0), GALLERY), (2, Some(1), GALLERY)]);
        assert!(words.contains("no folder of queries beside test/"), "{words}");
        assert_eq!(split(&names), Ok((2, 2)));
        // Of MARS, only with junk and distractors; of PRCC, with cameras A, B and C.
        let (images, words) = read(&[
            "bbox_test/0000/0000C1T0001F001.jpg",
            "bbox_test/00-1/00-1C1T0001F001.jpg",
            "bbox_test/0002/0002C1T0001F001.jpg",
            "bbox_test/0002/0002C6T0001F001.jpg",
            "bbox_train/0001/0001C1T0001F001.jpg",
        ]);
        let images: Vec<_> = images.into_iter().map(|(person, camera, _)| (person, camera)).collect();
        assert_eq!(images, [(0, Some(0)), (2, Some(0)), (2, Some(5))]);
        assert!(words.contains("MARS"), "{words}");
        let (images, words) = read(&[
            "rgb/test/A/001/cropped_rgb001.jpg",
            "rgb/test/B/001/cropped_rgb002.jpg",
            "rgb/test/C/002/cropped_rgb003.jpg",
            "rgb/train/003/A_cropped_rgb001.jpg",
        ]);
        assert_eq!(images, [(1, Some(0), GALLERY), (1, Some(1), GALLERY), (2, Some(2), GALLERY)]);
        assert!(words.contains("A/, B/ and C/ are read as cameras"), "{words}");
    }

    #[test]
    fn msmt17_by_its_lists() {
        let root = folder(&[
            "MSMT17_V1/train/0000/0000_000_01_0303morning_0008_0.jpg",
            "MSMT17_V1/test/0000/0000_000_01_0303morning_0008_0.jpg",
            "MSMT17_V1/test/0000/0000_001_05_0303noon_0008_1.jpg",
            "MSMT17_V1/test/0001/0001_000_15_0303afternoon_0008_0_ex.jpg",
            "MSMT17_V1/test/0001/0001_001_15_0303afternoon_0009_0.jpg",
        ]);
        let lists = ["MSMT17_V1/list_query.txt", "MSMT17_V1/list_gallery.txt"];
        let query = "0000/0000_000_01_0303morning_0008_0.jpg 0\n";
        let gallery =
            "0000/0000_001_05_0303noon_0008_1.jpg 0\n0001/0001_000_15_0303afternoon_0008_0_ex.jpg 1\ngone.jpg 1\n";
        fixture::write(&root, lists[0], query.as_bytes());
        fixture::write(&root, lists[1], gallery.as_bytes());
        let dataset = Dataset::read(root.path()).expect("reads");
        assert_eq!(summary(&dataset), [(1, Some(0), QUERY), (1, Some(4), GALLERY), (2, Some(14), GALLERY)]);
        let words = dataset.words.join("\n");
        assert!(words.contains("MSMT17's: person, image, camera") && words.contains("name 1 files"), "{words}");
        assert!(words.contains("and 1 that are there"), "{words}");
        let split = Protocol::natural(&dataset).split(&dataset).expect("splits");
        assert_eq!((split.query, split.gallery), (vec![0], vec![1, 2]));
    }

    #[test]
    fn folders_of_cameras() {
        let camera = "cam_a/ and cam_b/ are read as cameras, the first number in a file's name as the person";
        let (images, words) = read(&["cam_a/000_45.bmp", "cam_b/000_90.bmp", "cam_a/001_0.bmp", "cam_b/001_90.bmp"]);
        assert_eq!(images, [(1, Some(0), None), (2, Some(0), None), (1, Some(1), None), (2, Some(1), None)]);
        assert_eq!(words, camera);
        let (images, words) = read(&["cam1/person001/1.png", "cam2/person001/1.png", "cam2/person007/1.png"]);
        assert_eq!(images, [(1, Some(0), None), (1, Some(1), None), (2, Some(1), None)]);
        assert_eq!(words, "cam1/ and cam2/ are read as cameras, the folders in them as persons");
        let (images, words) = read(&["anna/cam1/1.png", "anna/cam2/1.png", "bert/cam2/1.png"]);
        assert_eq!(images, [(1, Some(0), None), (1, Some(1), None), (2, Some(1), None)]);
        assert!(words.contains("as persons, cam1/ and cam2/ in them as cameras"), "{words}");
        let (images, _) = read(&["cam1/0003_c1_1.png", "cam2/0003_c2_1.png"]);
        assert_eq!(images, [(3, Some(0), None), (3, Some(1), None)]);
    }

    #[test]
    fn names_of_other_sets() {
        let (images, words) = read(&["001_1_c2_015833.png", "001_2_c3_015833.png", "002_1_c2_015833.png"]);
        assert_eq!(images, [(1, Some(1), None), (1, Some(2), None), (2, Some(1), None)]);
        assert_eq!(words, "the names are read as LTCC's: person, clothes, camera");
        let (images, words) = read(&["images_labeled/1_001_1_01.png", "images_labeled/2_001_2_06.png"]);
        assert_eq!(images, [(1, Some(0), None), (2, Some(1), None)]);
        assert!(words.contains("images_labeled is read") && words.contains("CUHK03"), "{words}");
        let (images, words) = read(&["query/12_1_0.jpg", "gallery/12_7_0.jpg", "gallery/0_1_0.jpg"]);
        assert_eq!(images, [(2, None, QUERY), (1, None, GALLERY), (2, None, GALLERY)]);
        assert!(words.contains("tell no camera"), "{words}");
        let (images, words) = read(&["anna1_c1.png", "anna1_c2.png", "bert1_c2.png"]);
        assert_eq!(images, [(1, Some(0), None), (1, Some(1), None), (2, Some(1), None)]);
        assert!(words.contains("two persons"), "{words}");
    }

    #[test]
    fn person_0_is_a_distractor_where_a_set_has_them() {
        let persons = |files: &[&str]| {
            let (images, words) = read(files);
            (images.into_iter().map(|(person, ..)| person).collect::<Vec<_>>(), words)
        };
        let (counted, words) = persons(&["0000_c1.png", "0000_c2.png", "0001_c1.png", "0001_c2.png"]);
        assert_eq!(counted, [1, 1, 2, 2]);
        assert!(words.contains("person 0 is read as a person"), "{words}");
        let (market, words) = persons(&["-1_c1.png", "0000_c1.png", "0000_c2.png", "0001_c1.png", "0001_c2.png"]);
        assert_eq!(market, [0, 0, 1, 1]);
        assert!(words.contains("nobody in particular"), "{words}");
        assert_eq!(persons(&["0000_c1.png", "0001_c1.png", "0001_c2.png"]), (vec![0, 1, 1], String::new()));
        let (asked, words) = persons(&["query/0000_c1.png", "gallery/0000_c2.png", "gallery/0001_c2.png"]);
        assert_eq!(asked, [1, 1, 2]);
        assert!(words.contains("person 0 is in the query folder"), "{words}");
        let parts = ["query/0001_c1.png", "gallery/0000_c1.png", "gallery/0000_c2.png", "gallery/0001_c2.png"];
        assert_eq!(persons(&parts), (vec![1, 0, 0, 1], String::new()));
    }

    #[test]
    fn what_files_contradict_is_refused() {
        let persons = |folder: &str| (1..=8).map(move |i| format!("{folder}/{i:04}_c1_1.png")).collect::<Vec<_>>();
        let sets = [persons("one"), persons("two"), persons("three")].concat();
        let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
        let error = refused(&sets);
        for words in ["one/, three/ and two/", "one/0001_c1_1.png", "one/0002_c1_1.png", "show two persons", "query/"] {
            assert!(error.contains(words), "no {words:?} in {error}");
        }
        // The same numbers in each of many folders are those of images.
        let (images, words) = read(&["a/1_c1.png", "a/2_c1.png", "b/1_c2.png", "b/2_c1.png", "c/1_c1.png"]);
        assert_eq!(images.iter().map(|image| image.0).collect::<Vec<_>>(), [1, 1, 2, 2, 3]);
        assert!(words.contains("the numbers before _c as those of the images"), "{words}");
        // Folders whose files say the same are persons.
        assert_eq!(read(&["a/0007_c1.png", "a/0007_c2.png", "b/0009_c1.png"]).0[0], (7, Some(0), None));

        let error = refused(&["images_detected/1_001_1_01.png", "images_labeled/1_001_1_01.png"]);
        assert!(error.contains("show the same person"), "{error}");
        let error = refused(&["rgb/train/001/1.png", "sketch/train/001/1.png"]);
        assert!(error.contains("several sets, rgb/ and sketch/: give one of them"), "{error}");
        let error = refused(&["images/cam1/p1/1.png", "sequences/cam1/p1/1.png"]);
        assert!(error.contains("several sets"), "{error}");
        for files in [
            &["monday/anna/1.png", "tuesday/anna/1.png"][..],
            &["cam1/1.png", "anna/1.png"],
            &["cam1/anna/1.png", "cam2/1.png"],
        ] {
            assert!(refused(files).contains("not certain which folders are the persons"), "{}", refused(files));
        }
    }

    #[test]
    fn a_split_that_tells_nothing_says_why() {
        let two = ["bounding_box_test/0001_c1.png", "bounding_box_test/0001_c2.png"];
        let with = |query: &str| split(&[&two[..], &[query]].concat()).expect_err("no split");
        let error = with("query/notes.txt");
        assert!(error.ends_with("query holds no labelled images"), "{error}");
        let error = with("query/0001.png");
        assert!(error.contains("query holds no labelled images (1 images tell no person and camera"), "{error}");
        let error = with("query/-1_c1.png");
        assert!(error.contains("query holds no labelled images"), "{error}");
        let error = with("query/0002_c1.png");
        assert!(error.contains("nobody of the queries is in it") && error.contains("0002_c1.png"), "{error}");
        let error = split(&["query/0001_c1.png", "gallery/0001_c1.png"]).expect_err("no split");
        assert!(error.contains("every person needs images of two cameras"), "{error}");
        let error = split(&["query/0001_c1.png", "gallery/photo.png"]).expect_err("no split");
        assert!(error.contains("gallery holds no labelled images (1 images tell"), "{error}");
        let error = split(&["query/0001_c1.png", "gallery/0000_c1.png"]).expect_err("no split");
        assert!(error.contains("nobody of the queries"), "{error}");
        let error = split(&["0001_c1.png", "0002_c2.png"]).expect_err("no split");
        assert!(error.contains("no query has a true match"), "{error}");
    }

    #[test]
    fn folders_that_are_no_dataset() {
        let read = |files: &[&str]| Dataset::read(folder(files).path()).expect_err("no dataset");
        assert!(matches!(read(&[]), DatasetError::NoImages { .. }));
        let error = read(&["a.jpg", "anna.jpg"]);
        assert!(error.to_string().contains("(2 images tell no person and camera by their names, "), "{error}");
        let half = read(&["query/0002_c1.jpg"]).to_string();
        assert!(half.contains("has query/ but no bounding_box_test/, image_test/, gallery/ or test/"), "{half}");
        let half = read(&["image_test/0002_c1.jpg", "image_train/0001_c1.jpg"]).to_string();
        assert!(half.contains("has image_test/ but no query/"), "{half}");
        let only = read(&["train/0002_c1.jpg"]).to_string();
        assert!(only.contains("has train/ and nothing to evaluate on"), "{only}");
        let missing = Dataset::read(Path::new("no/such/folder")).expect_err("missing");
        assert!(missing.to_string().starts_with("no/such/folder: "), "{missing}");
    }

    #[test]
    #[cfg(unix)]
    fn folders_may_be_links() {
        use std::os::unix::fs::symlink;

        let elsewhere = folder(&["anna/1.png", "bert/1.png", "0001_c1.png"]);
        let root = folder(&["carl/1.png"]);
        for name in ["anna", "bert"] {
            symlink(elsewhere.path().join(name), root.path().join(name)).expect("links");
        }
        symlink("nowhere", root.path().join("dora")).expect("links");
        let dataset = Dataset::read(root.path()).expect("reads");
        assert_eq!((dataset.persons(), dataset.words.len()), (3, 1));
        assert!(dataset.words[0].contains("dora is a link to nowhere, which is not there"), "{:?}", dataset.words);
        let market = folder(&["bounding_box_test/0001_c1.png", "bounding_box_test/0001_c2.png"]);
        symlink("nowhere", market.path().join("query")).expect("links");
        let error = Dataset::read(market.path()).expect_err("a broken link").to_string();
        assert!(error.contains("query is a link to nowhere, which is not there"), "{error}");
        // The same folder as query and gallery is read as both.
        let root = folder(&["files/0001_c1.png", "files/0001_c2.png"]);
        symlink(root.path().join("files"), root.path().join("query")).expect("links");
        symlink(root.path().join("files"), root.path().join("gallery")).expect("links");
        let dataset = Dataset::read(root.path()).expect("reads");
        assert_eq!(dataset.images.len(), 4);
        assert!(dataset.words.join("\n").contains("query and gallery are the same folder"), "{:?}", dataset.words);
    }

    #[test]
    fn the_part_to_train_on() {
        let train = |files: &[&str]| Dataset::read_for_training(folder(files).path());
        let dataset = train(&["train/0000_c1.png", "train/0001_c1.png", "query/0002_c1.png"]).expect("reads");
        assert_eq!(summary(&dataset), [(1, Some(0), Some(Part::Train)), (2, Some(0), Some(Part::Train))]);
        let dataset = train(&["train/001/A_cropped_rgb001.jpg", "train/001/B_cropped_rgb001.jpg"]).expect("reads");
        assert_eq!(dataset.images.iter().map(|image| image.camera).collect::<Vec<_>>(), [Some(0), Some(1)]);
        let error = train(&["query/0001_c1.png", "gallery/0001_c2.png"]).expect_err("nothing to train on");
        assert!(matches!(error, DatasetError::NoTrainingPart(_)), "{error}");
        let error = train(&["train/photo.png"]).expect_err("no labels").to_string();
        assert!(error.contains("train holds no labelled images"), "{error}");
    }
}
