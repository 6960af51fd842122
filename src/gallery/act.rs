//! What can be done to a gallery. Each is one step of undo, however many photos it touches.

use serde::{Deserialize, Serialize};

use super::{PersonId, PhotoId};

/// What a user says of two sets of photos.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub enum Answer {
    Same,
    Different,
    /// Remembered too: nothing is asked twice.
    Unsure,
}

/// Something done to a gallery. `despite` says that earlier answers which contradict it no longer hold; without it such an
/// act is refused with [`GalleryError::Different`](super::GalleryError::Different).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "camelCase")]
pub enum Act {
    /// Photos come in, or come back. New ones come by [`Gallery::add`](super::Gallery::add).
    Add { photos: Vec<PhotoId> },
    /// Photos go. Undo brings them back until [`Gallery::forget_history`](super::Gallery::forget_history).
    Remove { photos: Vec<PhotoId> },
    /// A new person with these photos, confirmed.
    Enrol {
        #[serde(default)]
        name: Option<String>,
        photos: Vec<PhotoId>,
        #[serde(default)]
        despite: bool,
    },
    /// The photos are this person's, confirmed, whosever they were.
    Confirm {
        person: PersonId,
        photos: Vec<PhotoId>,
        #[serde(default)]
        despite: bool,
    },
    /// As [`Act::Confirm`], of photos that were another's.
    Move {
        person: PersonId,
        photos: Vec<PhotoId>,
        #[serde(default)]
        despite: bool,
    },
    /// The photos are not whose they were taken for. They are nobody's then, and known to be different from that person.
    Release { photos: Vec<PhotoId> },
    /// Each part becomes a person without a name, its photos confirmed, known to be different from the other parts and from
    /// whom its photos were taken for.
    Split { parts: Vec<Vec<PhotoId>> },
    /// All photos of `from` become `into`'s, confirmed ones and suggested ones as they are; `from` is no more. `into` keeps
    /// its name, or takes that of `from` when it has none.
    Merge {
        into: PersonId,
        from: PersonId,
        #[serde(default)]
        despite: bool,
    },
    /// `None` takes the name off. Who has a name is different from all others who have one, and has a confirmed photo: where
    /// there is none, the cover is confirmed.
    Name { person: PersonId, name: Option<String> },
    /// The person is no more; its photos are nobody's.
    Dissolve { person: PersonId },
    /// Hidden photos are neither shown, grouped nor found; `false` shows them again.
    Hide { photos: Vec<PhotoId>, hidden: bool },
    /// What to show the person by; `None` leaves it to the gallery.
    Cover { person: PersonId, photo: Option<PhotoId> },
    /// Whether the photos of `a` and those of `b` show the same person. *Same* makes them one person's confirmed photos, and
    /// people without a name that they were taken for are merged whole; *different* holds for every photo of `a` with every
    /// photo of `b`. Lists are what a user was shown: a few photos each.
    Answer {
        a: Vec<PhotoId>,
        b: Vec<PhotoId>,
        answer: Answer,
        #[serde(default)]
        despite: bool,
    },
    /// Photos, people and answers of another gallery; see [`Gallery::import`](super::Gallery::import).
    Import { photos: Vec<PhotoId> },
    /// What a grouping found; see [`Gallery::set_groups`](super::Gallery::set_groups).
    Group { groups: Vec<Vec<PhotoId>>, unsure: Vec<PhotoId> },
}
