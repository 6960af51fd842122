//! The log: what was done, with what it changed, so that everything can be undone and redone exactly.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::state::State;
use super::{Act, Answer, Person, PersonId, PhotoId, Standing};

/// A value that changed: `None` is where there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Change<V> {
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub was: Option<V>,
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub is: Option<V>,
}

/// `V` needs no default.
fn none<V>() -> Option<V> {
    None
}

/// One changed value of the state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Edit {
    Photo(PhotoId, Change<Standing>),
    Person(PersonId, Change<Person>),
    Answer([PhotoId; 2], Change<Answer>),
}

/// An act and all that it changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    #[serde(flatten)]
    pub act: Act,
    pub edits: Vec<Edit>,
}

/// Acts in order. The first `done` hold; the others were undone.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct History {
    pub entries: Vec<Entry>,
    pub done: usize,
}

impl History {
    /// Adds an act that was done. What was undone can no longer be redone. Groupings one after the other are one entry, as
    /// when a slider moves.
    pub fn push(&mut self, entry: Entry) {
        self.entries.truncate(self.done);
        let is_group = |entry: &Entry| matches!(entry.act, Act::Group { .. });
        match self.entries.last_mut() {
            Some(last) if is_group(last) && is_group(&entry) => {
                last.act = entry.act;
                last.edits.extend(entry.edits);
                last.edits = squashed(std::mem::take(&mut last.edits));
            }
            _ => self.entries.push(entry),
        }
        self.done = self.entries.len();
    }

    /// Every photo that undo or redo could bring back.
    pub fn photos(&self) -> BTreeSet<PhotoId> {
        let edits = self.entries.iter().flat_map(|entry| &entry.edits);
        edits.filter_map(|edit| if let Edit::Photo(photo, _) = edit { Some(*photo) } else { None }).collect()
    }

    /// The largest numbers that it names.
    pub fn largest(&self) -> (Option<PhotoId>, Option<PersonId>) {
        let edits = || self.entries.iter().flat_map(|entry| &entry.edits);
        let person = |edit: &Edit| match edit {
            Edit::Person(person, _) => Some(*person),
            Edit::Photo(_, change) => {
                [&change.was, &change.is].into_iter().flatten().filter_map(|standing| standing.person).max()
            }
            Edit::Answer(..) => None,
        };
        (self.photos().last().copied(), edits().filter_map(person).max())
    }

    /// Whether undo and redo lead from `state` to states that were, with no act that does not fit the one before.
    pub fn fits(&self, state: &State) -> bool {
        if self.done > self.entries.len() {
            return false;
        }
        let [mut back, mut forth] = [state.clone(), state.clone()];
        self.entries[..self.done].iter().rev().all(|entry| back.revert(&entry.edits))
            && self.entries[self.done..].iter().all(|entry| forth.repeat(&entry.edits))
    }
}

/// The same in as few edits as there are changed values, in the order of their first change.
pub(super) fn squashed(edits: Vec<Edit>) -> Vec<Edit> {
    #[derive(PartialEq, Eq, PartialOrd, Ord)]
    enum Key {
        Photo(PhotoId),
        Person(PersonId),
        Answer([PhotoId; 2]),
    }
    let mut places = BTreeMap::new();
    let mut squashed: Vec<Edit> = Vec::new();
    for edit in edits {
        let key = match &edit {
            Edit::Photo(photo, _) => Key::Photo(*photo),
            Edit::Person(person, _) => Key::Person(*person),
            Edit::Answer(pair, _) => Key::Answer(*pair),
        };
        let place = *places.entry(key).or_insert(squashed.len());
        match (squashed.get_mut(place), edit) {
            (Some(Edit::Photo(_, first)), Edit::Photo(_, last)) => first.is = last.is,
            (Some(Edit::Person(_, first)), Edit::Person(_, last)) => first.is = last.is,
            (Some(Edit::Answer(_, first)), Edit::Answer(_, last)) => first.is = last.is,
            (_, edit) => squashed.push(edit),
        }
    }
    squashed.retain(|edit| match edit {
        Edit::Photo(_, change) => change.was != change.is,
        Edit::Person(_, change) => change.was != change.is,
        Edit::Answer(_, change) => change.was != change.is,
    });
    squashed
}
