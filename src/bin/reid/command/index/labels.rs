//! Which camera took a photo and who is in it, as far as its path tells.

use std::path::{Path, PathBuf};

use webreid::dataset::{CameraError, CameraFrom, Naming, Person, persons};

/// What paths tell.
pub struct Labels {
    /// What each photo's camera is called.
    pub cameras: Vec<Option<String>>,
    pub people: Vec<Option<String>>,
}

impl Labels {
    /// `from` says where a photo's camera is known from; without it, and for the people, it is the names, where they follow a
    /// known set's.
    pub fn of(files: &[PathBuf], from: Option<&CameraFrom>) -> Result<Self, CameraError> {
        let names: Vec<&str> = files.iter().map(|path| base(path)).collect();
        let naming = Naming::of(names.iter().copied());
        let read: Vec<_> = names.iter().map(|name| naming?.read(name)).collect();
        let name = |person: Person| match person {
            Person::Number(number) => number.to_string(),
            Person::Called(name) => name,
        };
        let people = persons(&names).unwrap_or_else(|| vec![None; names.len()]);
        let people = people.into_iter().map(|person| person.map(name)).collect();
        let cameras = match from {
            Some(from) => {
                let cameras = from.names(files);
                if cameras.iter().all(Option::is_none) {
                    // Says why.
                    from.cameras(files)?;
                }
                cameras
            }
            // As `CameraFrom::Name` calls them.
            None => read.iter().map(|named| Some(format!("c{}", i64::from(named.as_ref()?.camera?) + 1))).collect(),
        };
        Ok(Self { cameras, people })
    }
}

fn base(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}
