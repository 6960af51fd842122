//! What acts change, and the only ways to change it.

use std::collections::BTreeMap;

use super::history::{Change, Edit};
use super::{Answer, Person, PersonId, PhotoId, Standing};

/// Who is who: all that undo and redo bring back.
#[derive(Clone, Debug, PartialEq, Default)]
pub(super) struct State {
    pub photos: BTreeMap<PhotoId, Standing>,
    pub people: BTreeMap<PersonId, Person>,
    /// By the two photos, the smaller first. Answers on photos that were removed stay: the photos may come back. That two
    /// photos are the same person is not among them where both are confirmed for it.
    pub answers: BTreeMap<[PhotoId; 2], Answer>,
}

impl State {
    /// Undoes edits; `false`, with some of them undone, where they are not what made this state.
    pub fn revert(&mut self, edits: &[Edit]) -> bool {
        edits.iter().rev().all(|edit| match edit {
            Edit::Photo(photo, Change { was, is }) => put(&mut self.photos, *photo, is, was),
            Edit::Person(person, Change { was, is }) => put(&mut self.people, *person, is, was),
            Edit::Answer(pair, Change { was, is }) => put(&mut self.answers, *pair, is, was),
        })
    }

    /// Does edits once more; `false`, with some of them done, where they were not made to this state.
    pub fn repeat(&mut self, edits: &[Edit]) -> bool {
        edits.iter().all(|edit| match edit {
            Edit::Photo(photo, Change { was, is }) => put(&mut self.photos, *photo, was, is),
            Edit::Person(person, Change { was, is }) => put(&mut self.people, *person, was, is),
            Edit::Answer(pair, Change { was, is }) => put(&mut self.answers, *pair, was, is),
        })
    }

    /// The photos of a person, hidden ones too, those confirmed first.
    pub fn photos_of(&self, person: PersonId) -> Vec<PhotoId> {
        let of = |confirmed: bool| {
            let theirs = move |standing: &Standing| standing.person == Some(person) && standing.confirmed == confirmed;
            self.photos.iter().filter(move |(_, standing)| theirs(standing)).map(|(photo, _)| *photo)
        };
        of(true).chain(of(false)).collect()
    }

    pub fn is_confirmed(&self, photo: PhotoId) -> bool {
        self.photos.get(&photo).is_some_and(|standing| standing.person.is_some() && standing.confirmed)
    }

    /// Whom a photo is confirmed for.
    pub fn confirmed_for(&self, photo: PhotoId) -> Option<PersonId> {
        self.photos.get(&photo).filter(|standing| standing.confirmed)?.person
    }

    pub fn is_named(&self, person: PersonId) -> bool {
        self.people.get(&person).is_some_and(|person| person.name.is_some())
    }
}

/// The key of an answer.
pub(super) fn pair(a: PhotoId, b: PhotoId) -> [PhotoId; 2] {
    [a.min(b), a.max(b)]
}

/// Replaces the value of `key`; `false` when that is not `expected`.
fn put<K: Ord, V: Clone + PartialEq>(
    map: &mut BTreeMap<K, V>,
    key: K,
    expected: &Option<V>,
    value: &Option<V>,
) -> bool {
    let found = match value {
        Some(value) => map.insert(key, value.clone()),
        None => map.remove(&key),
    };
    found == *expected
}

/// A state under change: every change is written down, so that it can be taken back.
pub(super) struct Draft<'a> {
    pub state: &'a mut State,
    pub edits: Vec<Edit>,
}

impl<'a> Draft<'a> {
    pub fn new(state: &'a mut State) -> Self {
        Self { state, edits: Vec::new() }
    }

    pub fn set_photo(&mut self, photo: PhotoId, is: Option<Standing>) {
        let was = self.state.photos.get(&photo).copied();
        self.apply(Edit::Photo(photo, Change { was, is }));
    }

    pub fn set_person(&mut self, person: PersonId, is: Option<Person>) {
        let was = self.state.people.get(&person).cloned();
        self.apply(Edit::Person(person, Change { was, is }));
    }

    pub fn set_answer(&mut self, a: PhotoId, b: PhotoId, is: Option<Answer>) {
        let pair = pair(a, b);
        let was = self.state.answers.get(&pair).copied();
        self.apply(Edit::Answer(pair, Change { was, is }));
    }

    fn apply(&mut self, edit: Edit) {
        self.state.repeat(std::slice::from_ref(&edit));
        self.edits.push(edit);
    }

    /// As it was before.
    pub fn take_back(self) {
        self.state.revert(&self.edits);
    }
}
