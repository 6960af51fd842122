//! Which images are queries and which are the gallery.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::{DISTRACTOR, Dataset, DatasetError, Image, Part};

/// A way to evaluate. In all of them gallery images of the query's person and camera are removed
/// ([`score`](crate::ranking::score)) and a [`DISTRACTOR`] is no query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `query/` against `bounding_box_test/`.
    Market1501,
    /// The images of camera 1 against those of camera 2.
    CrossCamera,
    /// Every image against all others.
    LeaveOneOut,
}

/// Indices into [`Dataset::images`], ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    pub query: Vec<usize>,
    pub gallery: Vec<usize>,
}

impl Protocol {
    const ALL: [Self; 3] = [Self::Market1501, Self::CrossCamera, Self::LeaveOneOut];

    /// The protocol that a folder was made for.
    pub fn natural(dataset: &Dataset) -> Self {
        let has_parts = dataset.images.iter().any(|image| image.part.is_some());
        if has_parts { Self::Market1501 } else { Self::LeaveOneOut }
    }

    /// Splits the images; those for training are in neither half.
    pub fn split(self, dataset: &Dataset) -> Result<Split, DatasetError> {
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
            Self::LeaveOneOut => Split { query: select(&person), gallery: select(&|_| true) },
        };
        match self {
            Self::Market1501 if dataset.images.iter().all(|image| image.part.is_none()) => Err(DatasetError::NoParts),
            Self::CrossCamera if split.query.is_empty() || split.gallery.is_empty() => {
                Err(DatasetError::NoCameras(cameras(dataset)))
            }
            _ => Ok(split),
        }
    }
}

fn cameras(dataset: &Dataset) -> String {
    let cameras: BTreeSet<i32> = dataset.images.iter().filter_map(|image| image.camera).collect();
    let names: Vec<String> = cameras.iter().map(|camera| format!("camera {}", camera + 1)).collect();
    if names.is_empty() { "no camera".into() } else { names.join(", ") }
}

/// A protocol's name that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no protocol {0:?}: market1501, cross-camera and leave-one-out exist")]
pub struct UnknownProtocol(String);

impl FromStr for Protocol {
    type Err = UnknownProtocol;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|protocol| protocol.to_string() == name).ok_or_else(|| UnknownProtocol(name.into()))
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Market1501 => "market1501",
            Self::CrossCamera => "cross-camera",
            Self::LeaveOneOut => "leave-one-out",
        })
    }
}
