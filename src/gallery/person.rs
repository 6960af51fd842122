//! A person of the gallery.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::PhotoId;

/// Names a person within its gallery; it is never used for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(transparent)]
pub struct PersonId(pub u32);

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Somebody, known by name or not yet. Which photos show them stands with the photos.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Person {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The photo that a user chose to show them by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cover: Option<PhotoId>,
}

/// A person as a page shows them. Hidden photos are left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct PersonView {
    pub id: PersonId,
    #[cfg_attr(target_arch = "wasm32", tsify(optional, type = "string | undefined"))]
    pub name: Option<String>,
    /// What to show them by: the chosen cover, else the best of their photos, confirmed ones before suggested ones.
    #[cfg_attr(target_arch = "wasm32", tsify(optional, type = "PhotoId | undefined"))]
    pub cover: Option<PhotoId>,
    /// What a user said is them.
    pub confirmed: Vec<PhotoId>,
    /// What grouping takes for them.
    pub suggested: Vec<PhotoId>,
}

/// A name as it is kept: without space around; `None` where nothing is left.
pub(super) fn trimmed(name: Option<&str>) -> Option<String> {
    name.map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned)
}

/// What is the same name: case does not tell people apart.
pub(super) fn same_name(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}
