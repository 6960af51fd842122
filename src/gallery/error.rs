//! Why something could not be done with a gallery.

use serde::Serialize;

use super::{PersonId, PhotoId};
use crate::graph::budget::TooMuch;
use crate::ranking::RankingError;

/// One side of a contradiction: a photo, and the person that it is confirmed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Side {
    pub photo: PhotoId,
    pub person: Option<PersonId>,
}

/// Why nothing was done: a gallery is as it was before.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GalleryError {
    #[error("there is no photo {0} in the gallery")]
    NoPhoto(PhotoId),
    #[error("there is no person {0} in the gallery")]
    NoPerson(PersonId),
    #[error("no photos were given")]
    NoPhotosGiven,
    #[error("photo {0} was given twice, where it can be in one place alone")]
    Twice(PhotoId),
    #[error("{name} is person {person} already; merge the two, or choose another name")]
    NameTaken { name: String, person: PersonId },
    #[error("photo {photo} is none of person {person}'s; a cover must be")]
    NotTheirs { photo: PhotoId, person: PersonId },
    /// What is said now and what was said before.
    #[error(
        "photos {} and {} cannot be the same person: {}; take that back first, or say that it no longer holds",
        left.photo, right.photo, if *named { "the two people have names of their own" } else { "it was answered that they are different" }
    )]
    Different { left: Side, right: Side, named: bool },
    #[error(
        "photos {} and {} cannot be different people: both are confirmed for person {person}; take one of them out first",
        left.photo, right.photo
    )]
    Same { left: Side, right: Side, person: PersonId },
    #[error(
        "the features are of model {found} and the gallery's are of {expected}: they cannot be compared. Extract the \
         gallery's photos again; people and answers stay"
    )]
    OtherModel { expected: String, found: String },
    #[error("a feature has {found} values where the model gives {expected}")]
    Dimension { expected: usize, found: usize },
    #[error("the feature of {0} holds what is no number, or none that can be kept; the model's weights may be damaged")]
    NotANumber(String),
    #[error("photo {0} has no feature of the gallery's model yet; extract it first")]
    NoFeature(PhotoId),
    #[error("the box of {0} is none: it needs finite numbers and a size above zero")]
    Box(String),
    #[error("the gallery has given out all numbers for {0}")]
    Full(&'static str),
    #[error("this is no gallery ({0}); give a .reid file")]
    Foreign(String),
    #[error("the gallery was cut off or damaged before its people: {0}. Nothing of it can be read; take another copy")]
    Damaged(String),
    #[error(
        "the gallery is of version {found} and this program knows versions up to {known}; update it, the file is untouched"
    )]
    Newer { found: u64, known: u32 },
    #[error(transparent)]
    TooMuch(#[from] TooMuch),
    #[error("{0}")]
    Ranking(#[from] RankingError),
    #[error("{path}: cannot be read ({reason}); check the path and its permissions")]
    Read { path: String, reason: String },
    #[error("{path}: cannot be written ({reason}); what was there before is untouched")]
    Write { path: String, reason: String },
    #[error("the gallery cannot be brought into a file: {0}")]
    Unwritable(String),
}

impl GalleryError {
    /// A word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoPhoto(_) => "no-photo",
            Self::NoPerson(_) => "no-person",
            Self::NameTaken { .. } => "name-taken",
            Self::Different { .. } | Self::Same { .. } => "conflict",
            Self::OtherModel { .. } => "other-model",
            Self::NoFeature(_) => "no-feature",
            Self::NoPhotosGiven | Self::Twice(_) | Self::NotTheirs { .. } | Self::Dimension { .. } | Self::Box(_) => {
                "bad-input"
            }
            Self::NotANumber(_) => "bad-weights",
            Self::Foreign(_) => "no-gallery",
            Self::Damaged(_) | Self::TooMuch(_) => "damaged-gallery",
            Self::Newer { .. } => "newer-gallery",
            Self::Read { .. } => "unreadable",
            Self::Write { .. } => "unwritable",
            Self::Ranking(RankingError::Memory { .. }) => "out-of-memory",
            Self::Full(_) | Self::Ranking(_) | Self::Unwritable(_) => "internal",
        }
    }

    /// The two sides of a contradiction.
    pub fn sides(&self) -> Option<[Side; 2]> {
        match *self {
            Self::Different { left, right, .. } | Self::Same { left, right, .. } => Some([left, right]),
            _ => None,
        }
    }
}
