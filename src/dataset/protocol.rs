//! Which images are queries and which are the gallery.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::{DISTRACTOR, Dataset, DatasetError, Image, Part};
use crate::ranking::Shots;
use crate::words::words;

/// A way to evaluate. In all of them gallery images of the query's person and camera are removed
/// ([`score`](crate::ranking::score)) and a [`DISTRACTOR`] is no query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// The queries of a set that has such a part against its gallery: `query/` against `bounding_box_test/`.
    Market1501,
    /// The images of camera 1 against those of camera 2.
    CrossCamera,
    /// Every image against all others.
    LeaveOneOut,
    /// CUHK03's: a set's queries against its gallery, or without such parts camera 1 against camera 2, with one image of each
    /// person in the gallery, drawn several times ([`Shots::Single`]).
    Cuhk03,
}

/// Indices into [`Dataset::images`], ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    pub query: Vec<usize>,
    pub gallery: Vec<usize>,
}

impl Protocol {
    /// The protocol that a folder was made for.
    pub fn natural(dataset: &Dataset) -> Self {
        if dataset.has(Part::Query) { Self::Market1501 } else { Self::LeaveOneOut }
    }

    /// What of the gallery a query is ranked against.
    pub fn shots(self) -> Shots {
        if self == Self::Cuhk03 { Shots::Single } else { Shots::All }
    }

    /// Splits the images; those for training are in neither half.
    ///
    /// # Errors
    /// When a half is empty, or no query can be found in the gallery.
    pub fn split(self, dataset: &Dataset) -> Result<Split, DatasetError> {
        if self == Self::Cuhk03 {
            let whole = if dataset.has(Part::Query) { Self::Market1501 } else { Self::CrossCamera };
            return whole.split(dataset);
        }
        let select = |keep: &dyn Fn(&Image) -> bool| -> Vec<usize> {
            let images = dataset.images.iter().enumerate();
            images.filter(|(_, image)| image.part != Some(Part::Train) && keep(image)).map(|(index, _)| index).collect()
        };
        let person = |image: &Image| image.person != DISTRACTOR;
        let split = match self {
            Self::Market1501 => Split {
                query: select(&|image| person(image) && image.part == Some(Part::Query)),
                gallery: select(&|image| image.part == Some(Part::Gallery)),
            },
            Self::CrossCamera => Split {
                query: select(&|image| person(image) && image.camera == Some(0)),
                gallery: select(&|image| image.camera == Some(1)),
            },
            Self::LeaveOneOut | Self::Cuhk03 => Split { query: select(&person), gallery: select(&|_| true) },
        };
        let part = |part: Part| {
            let path = dataset.parts.iter().find(|folder| folder.part == part).map(|folder| folder.path.clone());
            let path = path.unwrap_or_default();
            let mut unlabelled = dataset.unlabelled.clone();
            unlabelled.retain(|file| file.starts_with(&path));
            DatasetError::EmptyPart { path, unlabelled }
        };
        match self {
            Self::Market1501 if !dataset.has(Part::Query) && !dataset.has(Part::Gallery) => {
                return Err(DatasetError::NoParts);
            }
            Self::Market1501 if split.query.is_empty() => return Err(part(Part::Query)),
            Self::Market1501 if split.gallery.is_empty() => return Err(part(Part::Gallery)),
            Self::CrossCamera if split.query.is_empty() || split.gallery.is_empty() => {
                return Err(DatasetError::NoCameras(cameras(dataset)));
            }
            _ => {}
        }
        split.check(dataset)?;
        Ok(split)
    }
}

impl Split {
    /// Sees to it that some query can be found.
    fn check(&self, dataset: &Dataset) -> Result<(), Unmatched> {
        let labels = dataset.labels();
        let mut persons: BTreeMap<i32, BTreeSet<i32>> = BTreeMap::new();
        for &image in &self.gallery {
            persons.entry(labels[image].person).or_default().insert(labels[image].camera);
        }
        let others =
            |query: &usize| persons.get(&labels[*query].person).map(|cameras| (&labels[*query].camera, cameras));
        let present: Vec<_> = self.query.iter().filter_map(others).collect();
        let found = present.iter().any(|(camera, cameras)| cameras.iter().any(|other| other != *camera));
        let Some(first) = self.query.first() else { return Err(Unmatched::OneCamera) };
        if present.is_empty() {
            Err(Unmatched::NobodyThere(dataset.images[*first].path.clone()))
        } else if !found {
            Err(Unmatched::OneCamera)
        } else {
            Ok(())
        }
    }
}

/// Why a split tells nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unmatched {
    #[error("nobody of the queries is in it ({} first); do both number persons in the same way?", .0.display())]
    NobodyThere(PathBuf),
    #[error("every person needs images of two cameras, and no one here has them")]
    OneCamera,
}

fn cameras(dataset: &Dataset) -> String {
    let cameras: BTreeSet<i32> = dataset.images.iter().filter_map(|image| image.camera).collect();
    let names: Vec<String> = cameras.iter().map(|camera| format!("camera {}", camera + 1)).collect();
    if names.is_empty() { "no camera".into() } else { names.join(", ") }
}

words! {
    Protocol: "market1501" => Market1501, "cross-camera" => CrossCamera, "leave-one-out" => LeaveOneOut, "cuhk03" => Cuhk03;
    /// A protocol's name that is none.
    UnknownProtocol, "there is no protocol {0:?}: market1501, cross-camera, leave-one-out and cuhk03 exist"
}
