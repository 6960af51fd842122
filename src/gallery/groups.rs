//! What a grouping found becomes people and suggestions.

use std::collections::{BTreeMap, BTreeSet};

use super::perform::Performance;
use super::{GalleryError, Person, PersonId, PhotoId};

impl Performance<'_> {
    /// See [`Gallery::set_groups`](super::Gallery::set_groups).
    pub fn group(&mut self, groups: &[Vec<PhotoId>], unsure: &[PhotoId]) -> Result<Vec<PersonId>, GalleryError> {
        let sets = groups.iter().map(Vec::as_slice);
        self.disjoint(sets.chain(Some(unsure).filter(|unsure| !unsure.is_empty())))?;
        let listed: BTreeSet<PersonId> = self.people_of(&[&groups.concat()[..], unsure].concat());
        let owners = self.owners(groups)?;
        for (group, &owner) in groups.iter().zip(&owners) {
            self.suggest(group, Some(owner));
        }
        self.suggest(unsure, None);
        self.tidy(listed);
        Ok(owners)
    }

    fn suggest(&mut self, photos: &[PhotoId], person: Option<PersonId>) {
        for &photo in photos {
            if !self.state().is_confirmed(photo) {
                self.put(photo, person, false);
            }
        }
    }

    /// Whom each group is of.
    fn owners(&mut self, groups: &[Vec<PhotoId>]) -> Result<Vec<PersonId>, GalleryError> {
        let state = self.state();
        let sure: BTreeSet<PersonId> = state.photos.values().filter(|s| s.confirmed).filter_map(|s| s.person).collect();
        let mut owners: Vec<Option<PersonId>> = vec![None; groups.len()];
        // Groups and the people without a name that they were, by how many photos they share.
        let mut continued = Vec::new();
        for (at, group) in groups.iter().enumerate() {
            let mut shared: [BTreeMap<PersonId, usize>; 2] = Default::default();
            for standing in group.iter().filter_map(|photo| state.photos.get(photo)) {
                let Some(person) = standing.person else { continue };
                *shared[usize::from(!standing.confirmed)].entry(person).or_default() += 1;
            }
            let [confirmed, guessed] = shared;
            owners[at] =
                confirmed.into_iter().min_by_key(|&(person, count)| (std::cmp::Reverse(count), person)).map(|(p, _)| p);
            if owners[at].is_none() {
                let free = guessed.into_iter().filter(|(person, _)| !sure.contains(person) && !state.is_named(*person));
                continued.extend(free.map(|(person, count)| (std::cmp::Reverse(count), person, at)));
            }
        }
        continued.sort_unstable();
        let mut taken = BTreeSet::new();
        for (_, person, at) in continued {
            if owners[at].is_none() && taken.insert(person) {
                owners[at] = Some(person);
            }
        }
        owners.into_iter().map(|owner| owner.map_or_else(|| self.new_person(Person::default()), Ok)).collect()
    }
}
