//! What the folders of a dataset mean: parts, cameras or persons. Nothing but names is read, apart from MSMT17's lists.
//!
//! A reading that the files contradict is refused, and one that is not beyond doubt is said.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

use super::files::{Tree, broken_links, name, subfolders};
use super::name::{Doubts, JUNK, Naming, Person, camera, number_in_camera};
use super::{DatasetError, Part, PartFolder};

/// What a dataset is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Everything but the part to train on, where there are parts.
    Evaluation,
    /// The part to train on, where there are parts.
    Training,
}

/// A picture and what is known of it.
#[derive(Debug)]
pub struct Found {
    pub path: PathBuf,
    pub person: Person,
    pub camera: Option<i32>,
    pub part: Option<Part>,
}

/// What was read.
#[derive(Debug, Default)]
pub struct Layout {
    /// Junk is not among them.
    pub found: Vec<Found>,
    /// Whether there was [`JUNK`].
    pub junk: bool,
    pub unlabelled: Vec<PathBuf>,
    pub parts: Vec<PartFolder>,
    /// Whether person 0 is nobody in particular, where the naming says so.
    pub zero_is_nobody: Option<bool>,
    /// What was assumed and what was passed over, a sentence each.
    pub words: Vec<String>,
}

/// Folders of parts by the names that they have, best first. No person is called so.
const TRAIN: [&str; 7] =
    ["bounding_box_train", "image_train", "bbox_train", "mask_train_v2", "train", "training", "train_all"];
const QUERY: [&str; 6] = ["query", "image_query", "probe", "test_probe", "occluded_body_images", "queries"];
/// Each belongs to a folder of queries.
const GALLERY: [&str; 5] = ["bounding_box_test", "image_test", "gallery", "test_gallery", "whole_body_images"];
/// A gallery, unless there is one of those above; they come without queries as well.
const TEST: [&str; 7] = ["bbox_test", "mask_test_v2", "test", "testing", "val", "valid", "validation"];
/// Further parts of some sets, which nobody asks for here.
const OTHER: [&str; 4] = ["gt_bbox", "gt_query", "multi-query", "multi_query"];

/// The largest list of files that is read, in bytes.
const MAX_LIST: u64 = 64 << 20;

/// The folders of a dataset's parts.
#[derive(Default)]
struct Parts {
    train: Option<PathBuf>,
    query: Option<PathBuf>,
    gallery: Option<PathBuf>,
    test: Option<PathBuf>,
    /// Folders beside them.
    others: Vec<PathBuf>,
}

impl Parts {
    fn of(folders: Vec<PathBuf>) -> Self {
        let find = |names: &[&str]| {
            let found = |part: &&str| folders.iter().find(|folder| name(folder).eq_ignore_ascii_case(part)).cloned();
            names.iter().find_map(found)
        };
        let mut parts = Self {
            train: find(&TRAIN),
            query: find(&QUERY),
            gallery: find(&GALLERY),
            test: find(&TEST),
            others: vec![],
        };
        parts.others = folders;
        parts.others.retain(|folder| !is_part(&name(folder)));
        parts
    }

    fn any(&self) -> bool {
        self.train.is_some() || self.query.is_some() || self.gallery.is_some() || self.test.is_some()
    }
}

fn is_part(name: &str) -> bool {
    let names = [&TRAIN[..], &QUERY, &GALLERY, &TEST, &OTHER].concat();
    names.into_iter().any(|part| name.eq_ignore_ascii_case(part))
}

/// Finds out what the folders of `path` mean, and labels the pictures in them.
pub fn read(path: &Path, purpose: Purpose) -> Result<Layout, DatasetError> {
    let parts = Parts::of(subfolders(path)?);
    if let Some((path, target)) = broken_links(path)?.into_iter().find(|(path, _)| is_part(&name(path))) {
        return Err(DatasetError::BrokenLink { path, target });
    }
    if parts.any() { read_parts(path, parts, purpose) } else { read_folder(path, purpose) }
}

/// A folder without parts.
fn read_folder(path: &Path, purpose: Purpose) -> Result<Layout, DatasetError> {
    let (tree, words) = Tree::read(path)?;
    let naming = Naming::of(names(&[&tree]).iter().map(String::as_str));
    let labelled = |file: &PathBuf| naming.is_some_and(|naming| naming.read(&name(file)).is_some());
    let folders: Vec<&Tree> = tree.folders.iter().filter(|folder| folder.has_images()).collect();
    if let ([folder], false) = (&folders[..], tree.images.iter().any(labelled)) {
        let mut layout = read(&folder.path, purpose)?;
        layout.words.insert(0, format!("{} is read, the only folder with images", folder.path.display()));
        layout.unlabelled.extend(tree.images.iter().cloned());
        let new: Vec<String> = words.into_iter().filter(|words| !layout.words.contains(words)).collect();
        layout.words.extend(new);
        return Ok(layout);
    }
    let mut reader = Reader::new(naming, &[&tree], false);
    reader.layout.words.extend(words);
    reader.read(&tree, None)?;
    Ok(reader.layout)
}

/// A folder with parts.
fn read_parts(path: &Path, parts: Parts, purpose: Purpose) -> Result<Layout, DatasetError> {
    let wanted: Vec<PartFolder> = match (purpose, parts.train, parts.query, parts.gallery, parts.test) {
        (Purpose::Training, Some(train), ..) => vec![PartFolder { part: Part::Train, path: train }],
        (Purpose::Training, None, ..) => return Err(DatasetError::NoTrainingPart(path.into())),
        (Purpose::Evaluation, _, Some(query), Some(gallery), _)
        | (Purpose::Evaluation, _, Some(query), None, Some(gallery)) => {
            vec![PartFolder { part: Part::Query, path: query }, PartFolder { part: Part::Gallery, path: gallery }]
        }
        (Purpose::Evaluation, _, Some(query), None, None) => {
            return Err(DatasetError::Half {
                path: path.into(),
                found: name(&query),
                missing: "bounding_box_test/, image_test/, gallery/ or test/",
            });
        }
        (Purpose::Evaluation, _, None, Some(gallery), _) => {
            return Err(DatasetError::Half { path: path.into(), found: name(&gallery), missing: "query/" });
        }
        (Purpose::Evaluation, _, None, None, Some(test)) => {
            if Parts::of(subfolders(&test)?).any() {
                let mut layout = read(&test, purpose)?;
                layout.words.insert(0, format!("{} is read", test.display()));
                return Ok(layout);
            }
            vec![PartFolder { part: Part::Gallery, path: test }]
        }
        (Purpose::Evaluation, Some(train), None, None, None) => {
            return Err(DatasetError::OnlyTraining { path: path.into(), found: name(&train) });
        }
        (Purpose::Evaluation, None, None, None, None) => return Ok(Layout::default()),
    };

    let mut trees = Vec::new();
    let mut words = Vec::new();
    for folder in &wanted {
        let (tree, passed_over) = Tree::read(&folder.path)?;
        words.extend(passed_over);
        trees.push(tree);
    }
    if let [query, gallery] = &wanted[..]
        && fs::canonicalize(&query.path).ok() == fs::canonicalize(&gallery.path).ok()
    {
        words.push(format!("{} and {} are the same folder", name(&query.path), name(&gallery.path)));
    }
    let all: Vec<&Tree> = trees.iter().collect();
    let naming = Naming::of(names(&all).iter().map(String::as_str));
    let mut reader = Reader::new(naming, &all, true);
    reader.layout.words.extend(words);
    for (folder, tree) in wanted.iter().zip(&trees) {
        reader.read(tree, Some(folder.part))?;
    }
    let mut layout = reader.layout;
    layout.parts = wanted;
    if purpose == Purpose::Evaluation {
        split_by_lists(path, &mut layout)?;
        if layout.parts.iter().all(|folder| folder.part != Part::Query) {
            layout.words.push(format!(
                "there is no folder of queries beside {}/: each of its images is looked for among the others",
                layout.parts.iter().map(|folder| name(&folder.path)).collect::<String>()
            ));
        }
    }
    let mut beside = Vec::new();
    for folder in parts.others {
        if Tree::read(&folder)?.0.has_images() {
            beside.push(format!("{}/", name(&folder)));
        }
    }
    if !beside.is_empty() {
        layout.words.push(format!("{} in {} is not read: its parts are", beside.join(", "), path.display()));
    }
    Ok(layout)
}

/// MSMT17 says in lists which files of `test/` are queries and which are the gallery.
fn split_by_lists(path: &Path, layout: &mut Layout) -> Result<(), DatasetError> {
    let [PartFolder { part: Part::Gallery, path: test }] = &layout.parts[..] else { return Ok(()) };
    let (query, gallery) = (path.join("list_query.txt"), path.join("list_gallery.txt"));
    if !query.is_file() || !gallery.is_file() {
        return Ok(());
    }
    let test = test.clone();
    let (queries, galleries) = (list(&query)?, list(&gallery)?);
    let mut unlisted = 0;
    layout.found.retain_mut(|found| {
        let listed = found.path.strip_prefix(&test).ok().and_then(Path::to_str).map(|path| path.replace('\\', "/"));
        let is_in = |list: &BTreeSet<String>| listed.as_ref().is_some_and(|path| list.contains(path));
        found.part = if is_in(&queries) {
            Some(Part::Query)
        } else if is_in(&galleries) {
            Some(Part::Gallery)
        } else {
            unlisted += 1;
            None
        };
        found.part.is_some()
    });
    let missing = (queries.len() + galleries.len()).saturating_sub(layout.found.len());
    if unlisted > 0 || missing > 0 {
        layout.words.push(format!(
            "list_query.txt and list_gallery.txt name {missing} files that are not there, and {unlisted} that are there are \
             in neither and left out"
        ));
    }
    layout.parts =
        vec![PartFolder { part: Part::Query, path: query }, PartFolder { part: Part::Gallery, path: gallery }];
    Ok(())
}

/// The files that a list names, a line each, before the person's number.
fn list(path: &Path) -> Result<BTreeSet<String>, DatasetError> {
    let read = |source| DatasetError::Read { path: path.into(), source };
    if fs::metadata(path).map_err(read)?.len() > MAX_LIST {
        return Err(read(std::io::Error::other(format!("it is longer than the {} MB of a list", MAX_LIST >> 20))));
    }
    let text = fs::read_to_string(path).map_err(read)?;
    let file = |line: &str| line.split_whitespace().next().map(|file| file.trim_start_matches("./").replace('\\', "/"));
    Ok(text.lines().filter_map(file).collect())
}

fn names(trees: &[&Tree]) -> Vec<String> {
    trees.iter().flat_map(|tree| tree.files()).map(|file| name(file)).collect()
}

/// Labels pictures, in one naming for all of them.
struct Reader {
    naming: Option<Naming>,
    /// What there is to say once a name is read.
    of_names: Vec<String>,
    layout: Layout,
}

impl Reader {
    fn new(mut naming: Option<Naming>, trees: &[&Tree], in_parts: bool) -> Self {
        let mut of_names = Vec::new();
        if naming == Some(Naming::Market1501) {
            let doubts = Doubts::of(names(trees).iter().map(String::as_str));
            of_names = doubts.words;
            if doubts.by_word {
                naming = Some(Naming::Word);
            }
        }
        // Names of nothing but a person are labels where folders say that the files are labelled.
        if naming.is_none() && in_parts && trees.iter().all(|tree| !tree.folders.iter().any(Tree::has_images)) {
            naming = Some(Naming::NumberFirst);
        }
        of_names.extend(naming.and_then(Naming::assumed));
        Self { naming, of_names, layout: Layout::default() }
    }

    fn add(&mut self, path: &Path, person: Person, camera: Option<i32>, part: Option<Part>) {
        if person == Person::Number(JUNK) {
            self.layout.junk = true;
        } else {
            self.layout.found.push(Found { path: path.into(), person, camera, part });
        }
    }

    /// A folder whose files or folders are labelled.
    fn read(&mut self, tree: &Tree, part: Option<Part>) -> Result<(), DatasetError> {
        let folders: Vec<&Tree> = tree.folders.iter().filter(|folder| folder.has_images()).collect();
        let named = tree.images.iter().any(|file| self.person(file).is_some());
        if named || folders.is_empty() {
            self.by_name(tree.images.iter(), part);
            if !folders.is_empty() {
                let folders: Vec<String> = folders.iter().map(|folder| format!("{}/", folder.name())).collect();
                self.layout.words.push(format!(
                    "the files directly in {} are read, and those in {} are not",
                    tree.path.display(),
                    list_some(&folders)
                ));
            }
            return Ok(());
        }
        self.layout.unlabelled.extend(tree.images.iter().cloned());
        self.read_folders(&tree.path, &folders, part)
    }

    fn person(&self, file: &Path) -> Option<Person> {
        Some(self.naming?.read(&name(file))?.person)
    }

    fn by_name<'a>(&mut self, files: impl Iterator<Item = &'a PathBuf>, part: Option<Part>) {
        for file in files {
            match self.naming.and_then(|naming| naming.read(&name(file))) {
                Some(named) => {
                    self.layout.words.append(&mut self.of_names);
                    self.layout.zero_is_nobody = self.naming.and_then(Naming::zero_is_nobody);
                    self.add(file, named.person, named.camera, part);
                }
                None => self.layout.unlabelled.push(file.clone()),
            }
        }
    }

    /// Several folders, or in a part perhaps one: of persons, of cameras, or with names that say it.
    fn read_folders(&mut self, path: &Path, folders: &[&Tree], part: Option<Part>) -> Result<(), DatasetError> {
        let shown = |folders: &[&Tree]| {
            let names: Vec<String> = folders.iter().map(|folder| format!("{}/", folder.name())).collect();
            list_some(&names)
        };
        if folders.iter().any(|folder| folder.folders.iter().any(|inner| is_part(&inner.name()))) {
            return Err(DatasetError::SeveralSets { path: path.into(), folders: shown(folders) });
        }
        let cameras: Vec<Option<i32>> = folders.iter().map(|folder| camera_folder(&folder.name())).collect();
        if let Some(cameras) = cameras.iter().copied().collect::<Option<Vec<i32>>>() {
            return self.read_cameras(path, folders, &cameras, part);
        }
        if cameras.iter().any(Option::is_some) {
            return Err(DatasetError::Levels { path: path.into(), folders: shown(folders) });
        }

        if let Some(below) = shared(folders) {
            let letters: Option<Vec<i32>> = folders.iter().map(|folder| letter_folder(&folder.name())).collect();
            if let Some(cameras) = letters {
                return self.read_cameras(path, folders, &cameras, part);
            }
            let two_levels = |inner: &Tree| inner.folders.iter().any(Tree::has_images);
            if below.keys().all(|name| any_camera(name).is_some()) {
                if below.values().flatten().any(|inner| two_levels(inner)) {
                    return Err(DatasetError::SeveralSets { path: path.into(), folders: shown(folders) });
                }
                let cameras: Vec<String> = below.keys().map(|name| format!("{name}/")).collect();
                self.layout.words.push(format!(
                    "the folders in {} are read as persons, {} in them as cameras",
                    path.display(),
                    list_some(&cameras)
                ));
                for folder in folders {
                    self.read_person(folder, &folder.name(), None, any_camera, part);
                }
                return Ok(());
            }
            // By the files' names alone, then.
            if folders.iter().flat_map(|folder| folder.files()).all(|file| self.person(file).is_some()) {
                self.layout.words.push(format!(
                    "the persons in {} are read from the files' names, not from the folders",
                    path.display()
                ));
                self.by_name(folders.iter().flat_map(|folder| folder.files()), part);
                return Ok(());
            }
            let folders: Vec<String> = below.keys().map(|name| format!("{}/{name}/", folders[0].name())).collect();
            return Err(DatasetError::Levels { path: path.into(), folders: list_some(&folders) });
        }

        match self.compare(folders) {
            Names::Agree => {
                self.by_name(folders.iter().flat_map(|folder| folder.files()), part);
                return Ok(());
            }
            Names::Contradict(_) if folders.len() == 1 => {
                self.by_name(folders[0].files(), part);
                return Ok(());
            }
            Names::Contradict(files) => {
                return Err(DatasetError::NoPersons { path: path.into(), folders: shown(folders), files });
            }
            Names::Count => self.layout.words.push(format!(
                "each folder in {} is read as one person, and the numbers before _c as those of the images",
                path.display()
            )),
            Names::SayNothing => {}
        }
        for folder in folders {
            self.read_person(folder, &folder.name(), None, camera_folder, part);
        }
        Ok(())
    }

    /// Folders of cameras, with a folder for each person or files that are named for them.
    fn read_cameras(
        &mut self,
        path: &Path,
        folders: &[&Tree],
        cameras: &[i32],
        part: Option<Part>,
    ) -> Result<(), DatasetError> {
        let shown: Vec<String> = folders.iter().map(|folder| format!("{}/", folder.name())).collect();
        let has_persons = |folder: &&&Tree| folder.folders.iter().any(Tree::has_images);
        let with_persons = folders.iter().filter(has_persons).count();
        if with_persons > 0 {
            if with_persons < folders.len() || folders.iter().any(|folder| !folder.images.is_empty()) {
                return Err(DatasetError::Levels { path: path.into(), folders: list_some(&shown) });
            }
            self.layout
                .words
                .push(format!("{} are read as cameras, the folders in them as persons", list_some(&shown)));
            for (folder, camera) in folders.iter().zip(cameras) {
                for person in folder.folders.iter().filter(|person| person.has_images()) {
                    self.read_person(person, &person.name(), Some(*camera), camera_folder, part);
                }
            }
            return Ok(());
        }
        if self.naming.is_some_and(|naming| naming != Naming::NumberFirst) {
            self.by_name(folders.iter().flat_map(|folder| &folder.images), part);
            return Ok(());
        }
        self.layout.words.push(format!(
            "{} are read as cameras, the first number in a file's name as the person",
            list_some(&shown)
        ));
        self.layout.zero_is_nobody = Some(false);
        for (folder, camera) in folders.iter().zip(cameras) {
            for file in &folder.images {
                match number_in_camera(&name(file), &folder.name()) {
                    Some(number) => self.add(file, Person::Number(number), Some(*camera), part),
                    None => self.layout.unlabelled.push(file.clone()),
                }
            }
        }
        Ok(())
    }

    /// All of a folder as one person. The camera is the one given, else `camera_of` the folder within, or of the file's name.
    fn read_person(
        &mut self,
        folder: &Tree,
        person: &str,
        known: Option<i32>,
        camera_of: fn(&str) -> Option<i32>,
        part: Option<Part>,
    ) {
        for file in &folder.images {
            self.add(file, Person::Called(person.into()), known.or_else(|| camera(&name(file))), part);
        }
        for inner in &folder.folders {
            self.read_person(inner, person, known.or_else(|| camera_of(&inner.name())), camera_of, part);
        }
    }

    /// What the names of files say of the folders that they are in.
    fn compare(&self, folders: &[&Tree]) -> Names {
        let Some(naming) = self.naming else { return Names::SayNothing };
        let mut all = true;
        let mut homes: BTreeMap<Person, usize> = BTreeMap::new();
        let mut numbers: Vec<BTreeSet<Person>> = Vec::new();
        let mut several = None;
        for folder in folders {
            let mut persons: BTreeMap<Person, &Path> = BTreeMap::new();
            for file in folder.files() {
                match naming.read(&name(file)) {
                    Some(named) => drop(persons.entry(named.person).or_insert(file)),
                    None => all = false,
                }
            }
            let mut files = persons.values();
            if let (None, Some(a), Some(b)) = (&several, files.next(), files.next()) {
                several = Some([a.to_path_buf(), b.to_path_buf()]);
            }
            persons.keys().for_each(|person| *homes.entry(person.clone()).or_default() += 1);
            numbers.push(persons.into_keys().collect());
        }
        let crossing = homes.values().any(|folders| *folders > 1);
        match (several, crossing) {
            (None, false) if all => Names::Agree,
            (None, false) => Names::SayNothing,
            // 1, 2, 3 … again in each of many folders count the images of whoever the folder is.
            _ if homes.len() <= folders.len() && numbers.iter().all(counts) => Names::Count,
            (Some(files), _) => Names::Contradict(files),
            (None, true) => {
                let crossing = |persons: &BTreeSet<Person>| persons.iter().any(|person| homes[person] > 1);
                let of = |(folder, _): (&&Tree, _)| folder.files().next().cloned();
                let mut files = folders.iter().zip(&numbers).filter(|(_, persons)| crossing(persons)).filter_map(of);
                Names::Contradict([files.next().unwrap_or_default(), files.next().unwrap_or_default()])
            }
        }
    }
}

/// What the names of files say of the folders that they are in.
enum Names {
    /// Not every file tells of a person, and none tells of another than its neighbours.
    SayNothing,
    /// Every folder is a person of its own.
    Agree,
    /// Every folder has numbers from 0 or 1 on.
    Count,
    /// Files of different persons in a folder, or of one person in several.
    Contradict([PathBuf; 2]),
}

/// Whether numbers go up from 0 or 1 one by one.
fn counts(persons: &BTreeSet<Person>) -> bool {
    let number = |person: &Person| match person {
        Person::Number(number) => Some(*number),
        Person::Called(_) => None,
    };
    let Some(numbers) = persons.iter().map(number).collect::<Option<Vec<i32>>>() else { return false };
    numbers.first().is_none_or(|first| (0..=1).contains(first)) && numbers.is_sorted_by(|a, b| a + 1 == *b)
}

/// The folders in `folders` by their names, if some name is in more than one of them and no image is directly in those.
fn shared<'a>(folders: &[&'a Tree]) -> Option<BTreeMap<String, Vec<&'a Tree>>> {
    if folders.iter().any(|folder| !folder.images.is_empty()) {
        return None;
    }
    let mut below: BTreeMap<String, Vec<&Tree>> = BTreeMap::new();
    for inner in folders.iter().flat_map(|folder| &folder.folders).filter(|inner| inner.has_images()) {
        below.entry(inner.name()).or_default().push(inner);
    }
    below.values().any(|folders| folders.len() > 1).then_some(below)
}

/// The camera of a folder that is named for one: `cam_a`, `cam1`, `Camera 2`. Less one, as of files.
fn camera_folder(name: &str) -> Option<i32> {
    static CAMERA: LazyLock<Regex> = LazyLock::new(|| {
        // Written here.
        let pattern = Regex::new(r"^(?i:cam|camera|view)[-_ ]?(?:([a-zA-Z])|([0-9]{1,4}))$");
        pattern.unwrap_or_else(|error| unreachable!("{error}"))
    });
    let found = CAMERA.captures(name)?;
    match (found.get(1), found.get(2)) {
        (Some(letter), _) => letter_folder(letter.as_str()),
        (None, number) => Some(number?.as_str().parse::<i32>().ok()? - 1),
    }
}

/// The camera of a folder that may be named for one, if its surroundings say so: `A`, `c1`.
fn letter_folder(name: &str) -> Option<i32> {
    match name.as_bytes() {
        [letter] if letter.is_ascii_alphabetic() => Some(i32::from(letter.to_ascii_lowercase() - b'a')),
        [b'c' | b'C', number @ ..] if number.len() <= 3 && number.iter().all(u8::is_ascii_digit) => {
            name[1..].parse::<i32>().ok().map(|number| number - 1)
        }
        _ => None,
    }
}

fn any_camera(name: &str) -> Option<i32> {
    camera_folder(name).or_else(|| letter_folder(name))
}

/// The first of some names.
fn list_some(names: &[String]) -> String {
    match names {
        [first @ .., last] if first.len() < 4 && !first.is_empty() => format!("{} and {last}", first.join(", ")),
        [a, b, c, ..] if names.len() > 4 => format!("{a}, {b}, {c} and {} more", names.len() - 3),
        _ => names.concat(),
    }
}
