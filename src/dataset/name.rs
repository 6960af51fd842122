//! Who is in a picture and which camera took it, by the name of its file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

use super::DISTRACTOR;

/// The person number of detections that show nobody properly.
pub const JUNK: i32 = -1;

/// Who a name or a folder tells of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Person {
    /// −1 for detections that show nobody properly, or a person's number as the name has it.
    Number(i32),
    /// Where a number does not say it all.
    Called(String),
}

/// What a file's name says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub person: Person,
    /// The camera's number less that of the first camera; `None` where the name does not say.
    pub camera: Option<i32>,
}

/// A way in which a set names its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// Market-1501 and the many that follow it, read as by `([-\d]+)_c(\d+)`: `0002_c1s1_000451_00.jpg`.
    Market1501,
    /// The same of names like `anna1_c1.jpg`, where the word belongs to the person.
    Word,
    /// Person, clothes, camera: `001_1_c2_015833.png`.
    Ltcc,
    /// Person, scene, camera from 0, frame: `0000_s00_c00_f000000.jpg`.
    RandPerson,
    /// Person, image, camera, time: `0000_000_01_0303morning_0008_0.jpg`.
    Msmt17,
    /// Pair of cameras, person, camera of the pair, image: `1_001_1_01.png`. A person is of one pair.
    Cuhk03,
    /// Person, camera, tracklet, frame: `0001C1T0001F001.jpg`.
    Mars,
    /// Person, camera, clothes, image: `0001-01-01-01.jpg`.
    VcClothes,
    /// Person, camera, five numbers more: `0001_1_25004_107_32_106_221.jpeg`.
    Grid,
    /// The person's number first and nothing of a camera, as in Celeb-reID: `1_10_0.jpg`. Certain only where folders say that
    /// the files are labelled.
    NumberFirst,
}

/// How a naming is told from others and read. `p` is the person, `c` the camera.
struct Form {
    naming: Naming,
    pattern: Regex,
    first_camera: i32,
    /// What the parts of a name are.
    parts: &'static str,
}

/// The namings that all names of a set follow, or none.
static FORMS: LazyLock<[Form; 7]> = LazyLock::new(|| {
    let form = |naming, pattern, first_camera, parts| {
        // The patterns are written here.
        let pattern = Regex::new(pattern).unwrap_or_else(|error| unreachable!("{error}"));
        Form { naming, pattern, first_camera, parts }
    };
    [
        form(Naming::Ltcc, r"^(?<p>[0-9]{3})_[0-9]{1,2}_c(?<c>[0-9]{1,3})_", 1, "LTCC's: person, clothes, camera"),
        form(
            Naming::RandPerson,
            r"^(?<p>[0-9]{4,6})_s[0-9]+_c(?<c>[0-9]+)_f[0-9]+",
            0,
            "RandPerson's: person, scene, camera, frame",
        ),
        form(
            Naming::Msmt17,
            r"^(?<p>[0-9]{4,5})_[0-9]{3,}_(?<c>[0-9]{2})_[0-9]{4}(?:morning|noon|afternoon)_[0-9]+_[0-9]+",
            1,
            "MSMT17's: person, image, camera, time",
        ),
        form(
            Naming::Cuhk03,
            r"^(?<p>[0-9]{1,2}_[0-9]{3,4})_(?<c>[1-9])_[0-9]{1,2}\.",
            1,
            "CUHK03's: pair of cameras, person, camera, image",
        ),
        form(
            Naming::Mars,
            r"^(?<p>[0-9]{4}|00-1)C(?<c>[0-9]+)T[0-9]+F[0-9]+",
            1,
            "MARS's: person, camera, tracklet, frame",
        ),
        form(
            Naming::VcClothes,
            r"^(?<p>[0-9]{4})-(?<c>[0-9]{2})-[0-9]{2}-[0-9]+\.",
            1,
            "VC-Clothes': person, camera, clothes, image",
        ),
        form(Naming::Grid, r"^(?<p>[0-9]{4})_(?<c>[0-9])(?:_[0-9]+){5}\.", 1, "GRID's: person, camera, …"),
    ]
});

static NUMBER_FIRST: LazyLock<Regex> = LazyLock::new(|| {
    // Written here.
    Regex::new(r"^([0-9]+)[-_. ]").unwrap_or_else(|error| unreachable!("{error}"))
});

impl Naming {
    /// The naming that files follow: one of a certain set where all that tell of a camera follow it, else Market-1501's.
    /// `None` where names say nothing.
    pub fn of<'a>(names: impl Iterator<Item = &'a str>) -> Option<Self> {
        // How many files are named so, and how many of those as Market-1501's as well.
        let (mut files, mut market, mut counts) = (0, 0, [(0, 0); 7]);
        for name in names {
            files += 1;
            let is_market = market1501(name).is_some();
            market += usize::from(is_market);
            for ((count, both), form) in counts.iter_mut().zip(&*FORMS) {
                let is_form = form.pattern.is_match(name);
                *count += usize::from(is_form);
                *both += usize::from(is_form && is_market);
            }
        }
        let ((count, both), form) = counts.into_iter().zip(&*FORMS).max_by_key(|(count, _)| *count)?;
        match market {
            // Holiday photos may be named so by accident.
            0 => (count > 0 && 2 * count >= files).then_some(form.naming),
            market if both == market => Some(form.naming),
            _ => Some(Self::Market1501),
        }
    }

    /// What a file's name says.
    pub fn read(self, name: &str) -> Option<Named> {
        match self {
            Self::Market1501 => {
                let Market { number, camera, .. } = market1501(name)?;
                Some(Named { person: Person::Number(number), camera: Some(camera) })
            }
            Self::Word => {
                let Market { before, number, camera } = market1501(name)?;
                let person = match word(before) {
                    "" => Person::Number(number),
                    word => Person::Called(format!("{word}{number}")),
                };
                Some(Named { person, camera: Some(camera) })
            }
            Self::NumberFirst => {
                let number = NUMBER_FIRST.captures(name)?.get(1)?.as_str().parse().ok()?;
                Some(Named { person: Person::Number(number), camera: None })
            }
            _ => {
                let form = FORMS.iter().find(|form| form.naming == self)?;
                let found = form.pattern.captures(name)?;
                let person = match found.name("p")?.as_str() {
                    "00-1" => Person::Number(JUNK),
                    person => person.parse().map_or_else(|_| Person::Called(person.into()), Person::Number),
                };
                let camera: i32 = found.name("c")?.as_str().parse().ok()?;
                Some(Named { person, camera: Some(camera - form.first_camera) })
            }
        }
    }

    /// Whether person 0 is nobody in particular. `None` where some sets say so and others do not.
    pub fn zero_is_nobody(self) -> Option<bool> {
        match self {
            Self::Market1501 | Self::Word => None,
            Self::Mars | Self::Grid => Some(true),
            Self::Ltcc | Self::RandPerson | Self::Msmt17 | Self::Cuhk03 | Self::VcClothes | Self::NumberFirst => {
                Some(false)
            }
        }
    }

    /// What is assumed of the names, a sentence, unless they are the usual ones.
    pub fn assumed(self) -> Option<String> {
        match self {
            Self::Market1501 | Self::Word => None,
            Self::NumberFirst => Some(
                "the names tell no camera: the number that they begin with is read as the person, and every image counts \
                 as one of another camera"
                    .into(),
            ),
            _ => {
                let form = FORMS.iter().find(|form| form.naming == self)?;
                Some(format!("the names are read as {}", form.parts))
            }
        }
    }
}

/// Who is in each of some files by their names; `None` of one whose name does not tell, or that shows nobody in particular:
/// junk and distractors. Where only some sets have person 0 for these, it is taken so if there is junk as well. `None` of all
/// where no name tells.
pub fn persons(names: &[&str]) -> Option<Vec<Option<Person>>> {
    let naming = Naming::of(names.iter().copied())?;
    let persons: Vec<Option<Person>> = names.iter().map(|name| Some(naming.read(name)?.person)).collect();
    let [junk, zero] = [JUNK, DISTRACTOR].map(Person::Number);
    let zero_is_nobody = naming.zero_is_nobody().unwrap_or_else(|| persons.contains(&Some(junk.clone())));
    let somebody = |person: &Person| *person != junk && !(zero_is_nobody && *person == zero);
    Some(persons.into_iter().map(|person| person.filter(somebody)).collect())
}

/// The camera of a file whose person is known otherwise: the first `_cC` (less one), or the letter of PRCC's
/// `A_cropped_rgb001.jpg`.
pub fn camera(name: &str) -> Option<i32> {
    let prcc = ["A_cropped_", "B_cropped_", "C_cropped_"].iter().position(|start| name.starts_with(start));
    candidates(name).map(|(_, camera)| camera).next().or(prcc.map(|camera| camera as i32))
}

/// The first number in the name of a file that is in a camera's folder: `000_45.bmp` and `cam1_person000.png` are of person 0.
pub fn number_in_camera(name: &str, folder: &str) -> Option<i32> {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let stem = stem.strip_prefix(folder).unwrap_or(stem);
    let number = stem.trim_start_matches(|c: char| !c.is_ascii_digit());
    let end = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    number[..end].parse().ok()
}

/// What is not certain about names that are read as Market-1501's.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Doubts {
    /// Whether the word before a number belongs to the person, so that [`Naming::Word`] is to be used.
    pub by_word: bool,
    /// A sentence each.
    pub words: Vec<String>,
}

impl Doubts {
    pub fn of<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        // Of each number, the words that stand before it, with a file for each.
        let mut numbers: BTreeMap<i32, BTreeMap<String, &str>> = BTreeMap::new();
        let (mut glued, mut second) = (BTreeSet::new(), None);
        for name in names {
            let Some(Market { before, number, camera }) = market1501(name).filter(|name| name.number != JUNK) else {
                continue;
            };
            if second.is_none() && has_number(before) {
                second = Some((name, number, camera));
            }
            let mut letters: String = word(before).to_lowercase();
            if letters.is_empty() {
                letters = before.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect();
            } else {
                glued.insert(letters.clone());
            }
            numbers.entry(number).or_default().entry(letters).or_insert(name);
        }
        let mut doubts = Self::default();
        if let Some((name, number, camera)) = second {
            doubts.words.push(format!(
                "another number stands before the one that is read as the person: {name} is taken for person {number}, \
                 camera {}; should it be the other, rename the files to PPPP_cC…",
                camera + 1
            ));
        }
        let several = |words: &&BTreeMap<String, &str>| words.len() > 1;
        let is_glued =
            |words: &&BTreeMap<String, &str>| several(words) && words.keys().any(|word| glued.contains(word));
        let files = |words: &BTreeMap<String, &str>| {
            let mut files = words.values();
            (*files.next().unwrap_or(&"")).to_owned() + " and " + files.next().unwrap_or(&"")
        };
        if let Some(words) = numbers.values().find(is_glued) {
            doubts.by_word = true;
            let files = files(words);
            doubts
                .words
                .push(format!("the word before a number is read as part of the person: {files} are two persons"));
        } else if let Some((number, words)) = numbers.iter().find(|(_, words)| several(words)) {
            doubts.words.push(format!(
                "different words stand before the same number: {} are both taken for person {number}; should they be two \
                 persons, give them numbers of their own",
                files(words)
            ));
        }
        doubts
    }
}

/// The letters directly before a number.
fn word(before: &str) -> &str {
    &before[before.trim_end_matches(char::is_alphabetic).len()..]
}

/// Whether a part of a name is a number and nothing else.
fn has_number(before: &str) -> bool {
    before
        .split(|c: char| !c.is_alphanumeric())
        .any(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

/// A name as Market-1501's.
struct Market<'a> {
    /// What stands before the person's number.
    before: &'a str,
    number: i32,
    /// From 0.
    camera: i32,
}

fn market1501(name: &str) -> Option<Market<'_>> {
    candidates(name).find_map(|(all, camera)| {
        let start = all.trim_end_matches(|c: char| c == '-' || c.is_ascii_digit());
        let run = &all[start.len()..];
        // A dash after a word, or before anything but junk's 1, belongs to what stands in front.
        if run == "-1" && !start.ends_with(char::is_alphanumeric) {
            return Some(Market { before: start, number: JUNK, camera });
        }
        let number = run.rsplit('-').next()?;
        Some(Market { before: &all[..all.len() - number.len()], number: number.parse().ok()?, camera })
    })
}

/// What stands before each `_c` and the number after it, less one.
fn candidates(name: &str) -> impl Iterator<Item = (&str, i32)> {
    name.match_indices("_c").filter_map(move |(at, mark)| {
        let after = &name[at + mark.len()..];
        let digits = &after[..after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len()];
        Some((&name[..at], digits.parse::<i32>().ok()? - 1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Number and camera.
    fn of(naming: Naming, name: &str) -> Option<(i32, Option<i32>)> {
        naming.read(name).map(|Named { person, camera }| match person {
            Person::Number(number) => (number, camera),
            Person::Called(called) => panic!("{called}"),
        })
    }

    #[test]
    fn market1501_and_the_like() {
        let of = |name: &str| of(Naming::Market1501, name);
        assert_eq!(of("0002_c1s1_000451_00.jpg"), Some((2, Some(0))));
        assert_eq!(of("-1_c3s2_000001_05.jpg"), Some((-1, Some(2))));
        assert_eq!(of("0000_c6s1_000151_01.jpg"), Some((0, Some(5))));
        assert_eq!(of("0074_c2_o8.png"), Some((74, Some(1))));
        assert_eq!(of("0301_c12_f01.png"), Some((301, Some(11))));
        assert_eq!(of("0002_c002_00030600_0.jpg"), Some((2, Some(1))));
        assert_eq!(of("site-0012_c2.png"), Some((12, Some(1))));
        assert_eq!(of("my_cat_12_c4.png"), Some((12, Some(3))));
        assert_eq!(of("anna-1_c2.png"), Some((1, Some(1))));
        assert_eq!(of("x_-1_c2.png"), Some((-1, Some(1))));
        assert_eq!(of("0002.jpg"), None);
        assert_eq!(of("_c1.jpg"), None);
        assert_eq!(of("12_c.jpg"), None);
        assert_eq!(of("99999999999_c1.jpg"), None);
    }

    #[test]
    fn sets_with_names_of_their_own() {
        for (naming, name, person, camera) in [
            (Naming::Ltcc, "001_1_c2_015833.png", 1, 1),
            (Naming::Ltcc, "042_12_c12_000001.png", 42, 11),
            (Naming::RandPerson, "0007_s02_c10_f000123.jpg", 7, 10),
            (Naming::Msmt17, "0000_000_01_0303morning_0008_0.jpg", 0, 0),
            (Naming::Msmt17, "3059_022_14_0303noon_1234_1_ex.jpg", 3059, 13),
            (Naming::Mars, "0001C1T0001F001.jpg", 1, 0),
            (Naming::Mars, "00-1C6T0011F021.jpg", JUNK, 5),
            (Naming::VcClothes, "0012-03-02-11.jpg", 12, 2),
            (Naming::Grid, "0001_5_25004_107_32_106_221.jpeg", 1, 4),
        ] {
            assert_eq!(Naming::of([name].into_iter()), Some(naming), "{name}");
            assert_eq!(of(naming, name), Some((person, Some(camera))), "{name}");
        }
        let cuhk03 = Naming::of(["1_001_1_01.png", "notes.png"].into_iter());
        assert_eq!(cuhk03, Some(Naming::Cuhk03));
        let read = Naming::Cuhk03.read("5_001_2_10.png").expect("a name");
        assert_eq!(read, Named { person: Person::Called("5_001".into()), camera: Some(1) });
        assert_eq!(of(Naming::NumberFirst, "12_10_0.jpg"), Some((12, None)));
        assert_eq!(of(Naming::NumberFirst, "IMG_12.jpg"), None);
    }

    #[test]
    fn a_naming_is_that_of_all_names() {
        let of = |names: &[&str]| Naming::of(names.iter().copied());
        assert_eq!(of(&["0001_c1.png", "1_001_1_01.png"]), Some(Naming::Market1501));
        assert_eq!(of(&["001_1_c2_1.png", "0001_c1.png"]), Some(Naming::Market1501));
        assert_eq!(of(&["001_1_c2_1.png", "me.png"]), Some(Naming::Ltcc));
        assert_eq!(of(&["IMG_1.jpg", "IMG_2.jpg", "1_001_1_01.png"]), None);
        assert_eq!(of(&["a.png"]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn what_is_not_certain_is_said() {
        let of = |names: &[&str]| Doubts::of(names.iter().copied());
        let nothing = Doubts::default();
        assert_eq!(of(&["0001_c1.png", "0001_c2.png", "-1_c1.png", "notes.png"]), nothing);
        assert_eq!(of(&["site-0012_c2.png", "site-0012_c1.png", "id7_c1.png", "ID7_c2.png"]), nothing);
        assert_eq!(of(&["anna1_c1.png", "bert2_c1.png"]), nothing);

        let persons = of(&["anna1_c1.png", "bert1_c2.png"]);
        assert!(persons.by_word, "{persons:?}");
        assert!(persons.words[0].contains("anna1_c1.png and bert1_c2.png are two persons"), "{persons:?}");
        let called = |name: &str| Naming::Word.read(name).map(|named| named.person);
        assert_eq!(called("door_anna1_c1.png"), called("yard_anna1_c2.png"));
        assert_eq!(called("anna1_c1.png"), Some(Person::Called("anna1".into())));

        let sets = of(&["market_0002_c1.png", "other_0002_c1.png"]);
        assert!(!sets.by_word && sets.words[0].contains("both taken for person 2"), "{sets:?}");
        let copies = of(&["0002_c1.png", "copy of 0002_c1.png"]);
        assert!(!copies.by_word && copies.words.len() == 1, "{copies:?}");
        let dates = of(&["20240101_12_c4.png"]);
        assert!(dates.words[0].contains("20240101_12_c4.png is taken for person 12, camera 4"), "{dates:?}");
    }

    #[test]
    fn nobody_in_particular_is_nobody() {
        let who = |names: &[&str]| {
            let persons = persons(names).expect("names tell");
            persons.into_iter().map(|person| person.map(|person| format!("{person:?}"))).collect::<Vec<_>>()
        };
        let [zero, one] = ["Number(0)", "Number(1)"].map(|person| Some(person.to_owned()));
        let market = ["0001_c1s1_000001_00.jpg", "0000_c2s1_000001_00.jpg", "-1_c3s1_000001_00.jpg"];
        assert_eq!(who(&market), [one.clone(), None, None]);
        assert_eq!(who(&market[..2]), [one.clone(), zero], "nothing says that 0 is nobody");
        assert_eq!(who(&["0001C1T0001F001.jpg", "0000C1T0001F002.jpg"]), [one, None]);
        assert_eq!(persons(&["holiday.jpg"]), None);
    }

    #[test]
    fn cameras_and_numbers_where_a_folder_says_the_rest() {
        assert_eq!(camera("x_c2.png"), Some(1));
        assert_eq!(camera("C_cropped_rgb001.jpg"), Some(2));
        assert_eq!(camera("x.png"), None);
        assert_eq!(number_in_camera("000_45.bmp", "cam_a"), Some(0));
        assert_eq!(number_in_camera("cam1_person012.png", "cam1"), Some(12));
        assert_eq!(number_in_camera("person_0007.png", "cam_b"), Some(7));
        assert_eq!(number_in_camera("x.mp4.png", "cam_b"), Some(4));
        assert_eq!(number_in_camera("none.png", "cam_b"), None);
    }
}
