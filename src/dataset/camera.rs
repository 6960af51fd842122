//! Which camera took a photo, where its name does not say it in the way of a dataset.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use regex::Regex;

use super::name;

/// Where a photo's camera is known from.
#[derive(Clone, Debug, Default)]
pub enum CameraFrom {
    /// The first `_cC` of the file's name.
    #[default]
    Name,
    /// The folder that the file lies in.
    Folder,
    /// Make, model and serial number in the photo itself.
    Exif,
    /// The first group of an expression that the file's name matches, or all of what it matches.
    Rule(Regex),
}

/// Why no cameras can be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CameraError {
    #[error("'{0}' does not say where a photo's camera is known from; choose folder, exif or name:REGEX")]
    Unknown(String),
    #[error("name:{rule} is no regular expression: {reason}")]
    Rule { rule: String, reason: String },
    #[error("the rule {rule} matches none of the {count} file names, {} for one; try it on that name", first.display())]
    NoMatch { rule: String, count: usize, first: PathBuf },
    #[error("no camera is told by {what} of any of the {count} files, {} for one; say where from with --camera-from", first.display())]
    NoCamera { what: &'static str, count: usize, first: PathBuf },
}

impl FromStr for CameraFrom {
    type Err = CameraError;

    fn from_str(word: &str) -> Result<Self, CameraError> {
        match (word, word.strip_prefix("name:")) {
            ("name", _) => Ok(Self::Name),
            ("folder", _) => Ok(Self::Folder),
            ("exif", _) => Ok(Self::Exif),
            (_, Some(rule)) => Regex::new(rule)
                .map(Self::Rule)
                .map_err(|error| CameraError::Rule { rule: rule.to_owned(), reason: error.to_string() }),
            _ => Err(CameraError::Unknown(word.to_owned())),
        }
    }
}

impl CameraFrom {
    /// The camera of each file, numbered from 0 in the order of their names (those of file names as they are there, less 1);
    /// `None` where a file does not tell.
    ///
    /// # Errors
    /// When no file tells.
    pub fn cameras(&self, files: &[PathBuf]) -> Result<Vec<Option<i32>>, CameraError> {
        let cameras = match self {
            Self::Name => files.iter().map(|path| name::camera(path.file_name()?.to_str()?)).collect(),
            _ => number(files.iter().map(|path| self.called(path)).collect()),
        };
        let Some(first) = files.first().filter(|_| cameras.iter().all(Option::is_none)).cloned() else {
            return Ok(cameras);
        };
        let count = files.len();
        Err(match self {
            Self::Rule(rule) => CameraError::NoMatch { rule: rule.to_string(), count, first },
            Self::Exif => CameraError::NoCamera { what: "make, model and serial number (EXIF)", count, first },
            Self::Name | Self::Folder => CameraError::NoCamera { what: "the name (PPPP_cC…)", count, first },
        })
    }

    /// What the camera of each file is called, the same from one call to the next; `None` where a file does not tell.
    pub fn names(&self, files: &[PathBuf]) -> Vec<Option<String>> {
        let numbered =
            |path: &PathBuf| name::camera(path.file_name()?.to_str()?).map(|camera| format!("c{}", camera + 1));
        match self {
            Self::Name => files.iter().map(numbered).collect(),
            _ => files.iter().map(|path| self.called(path)).collect(),
        }
    }

    /// What the camera is called.
    fn called(&self, path: &Path) -> Option<String> {
        match self {
            Self::Name => None,
            Self::Folder => Some(path.parent()?.to_string_lossy().into_owned()),
            Self::Exif => exif_camera(path),
            Self::Rule(rule) => {
                let found = rule.captures(path.file_name()?.to_str()?)?;
                Some(found.get(1).or(found.get(0))?.as_str().to_owned())
            }
        }
    }
}

/// Numbers from 0 for what cameras are called, in the order of their names.
fn number(called: Vec<Option<String>>) -> Vec<Option<i32>> {
    let mut numbers: BTreeMap<&str, i32> = called.iter().flatten().map(|name| (name.as_str(), 0)).collect();
    (0..).zip(numbers.values_mut()).for_each(|(number, place)| *place = number);
    called.iter().map(|name| Some(numbers[name.as_deref()?])).collect()
}

/// Make, model and serial number, as many as a photo has.
fn exif_camera(path: &Path) -> Option<String> {
    use exif::{In, Reader, Tag};
    let file = File::open(path).ok()?;
    let exif = Reader::new().read_from_container(&mut BufReader::new(file)).ok()?;
    let field = |tag| Some(exif.get_field(tag, In::PRIMARY)?.display_value().to_string());
    let known: Vec<String> = [Tag::Make, Tag::Model, Tag::BodySerialNumber].into_iter().filter_map(field).collect();
    (!known.is_empty()).then(|| known.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cameras(from: &str, files: &[&str]) -> Result<Vec<Option<i32>>, CameraError> {
        let files: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
        from.parse::<CameraFrom>()?.cameras(&files)
    }

    #[test]
    fn cameras_by_name_folder_and_rule() {
        assert_eq!(cameras("name", &["0001_c1_o1.png", "x.png", "0001_c4.png"]), Ok(vec![Some(0), None, Some(3)]));
        assert_eq!(cameras("folder", &["b/1.png", "a/2.png", "b/3.png"]), Ok(vec![Some(1), Some(0), Some(1)]));
        let rule = "name:^(yard|gate)-";
        assert_eq!(cameras(rule, &["yard-1.png", "gate-7.png", "x.png"]), Ok(vec![Some(1), Some(0), None]));
        assert_eq!(cameras("name:G[0-9]", &["G1 a.png", "G2 b.png"]), Ok(vec![Some(0), Some(1)]), "without a group");
    }

    #[test]
    fn what_tells_no_camera_is_said() {
        let said = |from: &str, files: &[&str]| cameras(from, files).expect_err("no cameras").to_string();
        assert!(said("name:cam(\\d)", &["a.png", "b.png"]).contains("matches none of the 2 file names, a.png for one"));
        assert!(said("name:(", &["a.png"]).contains("no regular expression"));
        assert!(said("clock", &[]).contains("choose folder, exif or name:REGEX"));
        assert!(said("exif", &["gone.jpg"]).contains("EXIF"));
        assert!(said("name", &["gone.jpg"]).contains("--camera-from"));
        assert_eq!(cameras("folder", &[]), Ok(vec![]));
    }
}
