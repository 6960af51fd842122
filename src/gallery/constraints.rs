//! What is known of pairs of photos, and what a grouping must obey.
//!
//! That photos are the same person is held by the person that both are confirmed for, so it is transitive by itself; that two
//! are different is an answer on a pair, and holds for everybody that either is confirmed to be. No act leaves a state where
//! both would hold. Beside that, people who stand in one picture are different, unless a user says otherwise.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::state::State;
use super::{Answer, ContentHash, PersonId, Photo, PhotoId};

/// Two boxes in a picture that overlap by more may be one person twice.
const APART: f32 = 0.5;

/// Photos of which one thing is known: all that are confirmed for a person, or a photo alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Block {
    Person(PersonId),
    Photo(PhotoId),
}

fn block(state: &State, photo: PhotoId) -> Block {
    state.confirmed_for(photo).map_or(Block::Photo(photo), Block::Person)
}

fn ordered(a: Block, b: Block) -> [Block; 2] {
    [a.min(b), a.max(b)]
}

/// What is known of any two photos, looked up without looking through all answers.
pub struct Relations<'a> {
    state: &'a State,
    /// *Different* and *unsure*.
    answers: HashMap<[Block; 2], Answer>,
}

impl<'a> Relations<'a> {
    pub(super) fn new(state: &'a State, known: &BTreeMap<PhotoId, Photo>) -> Self {
        let mut answers = HashMap::new();
        for [a, b] in in_one_picture(known, state.photos.keys().copied()) {
            answers.insert(ordered(block(state, a), block(state, b)), Answer::Different);
        }
        for ([a, b], answer) in &state.answers {
            let blocks = ordered(block(state, *a), block(state, *b));
            match answer {
                Answer::Different => _ = answers.insert(blocks, Answer::Different),
                Answer::Unsure => _ = answers.entry(blocks).or_insert(Answer::Unsure),
                // The person that both are confirmed for says it, while it holds.
                Answer::Same => {}
            }
        }
        Self { state, answers }
    }

    /// What is known of two photos, by what was confirmed and answered, of them or of others that are the same people.
    /// [`Answer::Unsure`]: it was asked, and nobody knew. `None`: it is worth asking.
    pub fn between(&self, a: PhotoId, b: PhotoId) -> Option<Answer> {
        let blocks = ordered(block(self.state, a), block(self.state, b));
        match blocks {
            [a, b] if a == b => Some(Answer::Same),
            [Block::Person(a), Block::Person(b)] if self.state.is_named(a) && self.state.is_named(b) => {
                Some(Answer::Different)
            }
            _ => self.answers.get(&blocks).copied(),
        }
    }

    /// What is known of two sets of photos: what is known of any pair, where a known *same* or *different* goes before an
    /// *unsure*.
    pub fn between_sets(&self, a: &[PhotoId], b: &[PhotoId]) -> Option<Answer> {
        let known = a.iter().flat_map(|&a| b.iter().filter_map(move |&b| self.between(a, b)));
        known.reduce(|first, other| if first == Answer::Unsure { other } else { first })
    }
}

/// What a grouping of a list of photos must obey. Photos are named by their places in the list.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct Links {
    /// Sets of two or more photos of one person each, disjoint.
    pub same: Vec<Vec<usize>>,
    /// Photos of two different people; either stands for the whole of the set it is in.
    pub different: Vec<[usize; 2]>,
    /// A photo of each person with a name: no two of these go together. (As pairs they would be as many as people squared.)
    pub named: Vec<usize>,
}

/// The pairs among photos that are people who stand in one picture.
fn in_one_picture(known: &BTreeMap<PhotoId, Photo>, photos: impl Iterator<Item = PhotoId>) -> Vec<[PhotoId; 2]> {
    let mut pictures: BTreeMap<ContentHash, Vec<(PhotoId, &Photo)>> = BTreeMap::new();
    for id in photos {
        if let Some(photo) = known.get(&id).filter(|photo| photo.person_box.is_some()) {
            pictures.entry(photo.hash).or_default().push((id, photo));
        }
    }
    let mut pairs = Vec::new();
    for people in pictures.values() {
        for (place, (a, photo)) in people.iter().enumerate() {
            let others = people[place + 1..].iter();
            let apart = others.filter(|(_, other)| photo.overlap(other).is_some_and(|overlap| overlap <= APART));
            pairs.extend(apart.map(|(b, _)| [*a, *b]));
        }
    }
    pairs
}

/// `doubted` is somebody whose confirmed photos may be several people's.
pub(super) fn links(
    state: &State,
    known: &BTreeMap<PhotoId, Photo>,
    photos: &[PhotoId],
    doubted: Option<PersonId>,
) -> Links {
    let mut sets: BTreeMap<PersonId, Vec<usize>> = BTreeMap::new();
    let mut places = HashMap::new();
    for (place, &photo) in photos.iter().enumerate() {
        places.insert(photo, place);
        if let Some(person) = state.confirmed_for(photo) {
            sets.entry(person).or_default().push(place);
        }
    }
    // Of a person's photos that are not in the list another speaks.
    let place = |photo: PhotoId| {
        let of_person = || sets.get(&state.confirmed_for(photo)?)?.first().copied();
        places.get(&photo).copied().or_else(of_person)
    };
    let mut seen = BTreeSet::new();
    let answered = state.answers.iter().filter(|(_, answer)| **answer == Answer::Different).map(|(pair, _)| *pair);
    let different = answered.chain(in_one_picture(known, photos.iter().copied())).filter_map(|[a, b]| {
        let blocks = ordered(block(state, a), block(state, b));
        let pair = [place(a)?, place(b)?];
        (blocks[0] != blocks[1] && seen.insert(blocks)).then_some(pair)
    });
    Links {
        different: different.collect(),
        named: sets.iter().filter(|(person, _)| state.is_named(**person)).map(|(_, places)| places[0]).collect(),
        same: sets
            .into_iter()
            .filter(|(person, places)| Some(*person) != doubted && places.len() > 1)
            .map(|(_, places)| places)
            .collect(),
    }
}
