//! How each act changes the state.

use std::collections::{BTreeMap, BTreeSet};

use super::person::{same_name, trimmed};
use super::state::{Draft, State};
use super::{Act, Answer, GalleryError, Person, PersonId, Photo, PhotoId, Side, Standing};

/// An act at work. What it changes is taken back if it fails.
pub(super) struct Performance<'a> {
    pub draft: Draft<'a>,
    pub known: &'a BTreeMap<PhotoId, Photo>,
    pub next_person: &'a mut u32,
}

impl Performance<'_> {
    /// Does it; the people that it is about in the end.
    pub fn perform(&mut self, act: &Act) -> Result<Vec<PersonId>, GalleryError> {
        match act {
            Act::Add { photos } | Act::Import { photos } => self.add(photos),
            Act::Remove { photos } => self.remove(photos),
            Act::Enrol { name, photos, despite } => self.enrol(name.as_deref(), photos, *despite),
            Act::Confirm { person, photos, despite } | Act::Move { person, photos, despite } => {
                self.confirm(*person, photos, *despite)
            }
            Act::Release { photos } => self.release(photos),
            Act::Split { parts } => self.split(parts),
            Act::Merge { into, from, despite } => self.merge(*into, *from, *despite),
            Act::Name { person, name } => self.name(*person, name.as_deref()),
            Act::Dissolve { person } => self.dissolve(*person),
            Act::Hide { photos, hidden } => self.hide(photos, *hidden),
            Act::Cover { person, photo } => self.cover(*person, *photo),
            Act::Answer { a, b, answer, despite } => self.answer(a, b, *answer, *despite),
            Act::Group { groups, unsure } => self.group(groups, unsure),
        }
    }

    pub fn state(&self) -> &State {
        self.draft.state
    }

    /// How a photo of the gallery stands.
    fn standing(&self, photo: PhotoId) -> Result<Standing, GalleryError> {
        self.state().photos.get(&photo).copied().ok_or(GalleryError::NoPhoto(photo))
    }

    fn person(&self, person: PersonId) -> Result<Person, GalleryError> {
        self.state().people.get(&person).cloned().ok_or(GalleryError::NoPerson(person))
    }

    /// The photos, each once, all of the gallery.
    fn present(&self, photos: &[PhotoId]) -> Result<Vec<PhotoId>, GalleryError> {
        let photos: BTreeSet<PhotoId> = photos.iter().copied().collect();
        photos.iter().try_for_each(|&photo| self.standing(photo).map(drop))?;
        if photos.is_empty() { Err(GalleryError::NoPhotosGiven) } else { Ok(photos.into_iter().collect()) }
    }

    /// That sets are of the gallery's photos, have some, and share none.
    pub fn disjoint<'p>(&self, sets: impl IntoIterator<Item = &'p [PhotoId]>) -> Result<(), GalleryError> {
        let mut seen = BTreeSet::new();
        for set in sets {
            for photo in self.present(set)? {
                if !seen.insert(photo) {
                    return Err(GalleryError::Twice(photo));
                }
            }
        }
        Ok(())
    }

    pub fn new_person(&mut self, person: Person) -> Result<PersonId, GalleryError> {
        let id = PersonId(*self.next_person);
        *self.next_person = self.next_person.checked_add(1).ok_or(GalleryError::Full("people"))?;
        self.draft.set_person(id, Some(person));
        Ok(id)
    }

    /// Puts a photo with a person, or with none.
    pub fn put(&mut self, photo: PhotoId, person: Option<PersonId>, confirmed: bool) {
        let Some(was) = self.state().photos.get(&photo).copied() else { return };
        let is = Standing { person, confirmed: confirmed && person.is_some(), ..was };
        if is != was {
            self.draft.set_photo(photo, Some(is));
        }
    }

    /// Everybody that these photos are with.
    pub fn people_of(&self, photos: &[PhotoId]) -> BTreeSet<PersonId> {
        photos.iter().filter_map(|photo| self.state().photos.get(photo)?.person).collect()
    }

    /// After photos left people: covers that are no longer theirs go, and who has neither name nor photos.
    pub fn tidy(&mut self, people: impl IntoIterator<Item = PersonId>) {
        let with_photos: BTreeSet<PersonId> = self.state().photos.values().filter_map(|s| s.person).collect();
        for id in people {
            let Some(person) = self.state().people.get(&id).cloned() else { continue };
            let theirs = |photo: PhotoId| self.state().photos.get(&photo).is_some_and(|s| s.person == Some(id));
            if person.name.is_none() && !with_photos.contains(&id) {
                self.draft.set_person(id, None);
            } else if person.cover.is_some_and(|cover| !theirs(cover)) {
                self.draft.set_person(id, Some(Person { cover: None, ..person }));
            }
        }
    }

    /// The photo that stands for a person among those that are not `without`.
    fn lead(&self, person: PersonId, without: &[PhotoId]) -> Option<PhotoId> {
        let cover = self.state().people.get(&person)?.cover;
        lead(self.state(), self.known, person, cover, |photo| !without.contains(&photo))
    }

    fn confirmed(&self, person: PersonId) -> Vec<PhotoId> {
        let mut photos = self.state().photos_of(person);
        photos.retain(|&photo| self.state().is_confirmed(photo));
        photos
    }

    /// That photos can be one person. Answers that say otherwise are in the way, or give way.
    fn agree(&mut self, photos: &[PhotoId], despite: bool) -> Result<(), GalleryError> {
        let photos: BTreeSet<PhotoId> = photos.iter().copied().collect();
        let contradicts = |(pair, answer): &(&[PhotoId; 2], &Answer)| {
            **answer == Answer::Different && pair.iter().all(|photo| photos.contains(photo))
        };
        let pairs: Vec<[PhotoId; 2]> = self.state().answers.iter().filter(contradicts).map(|(pair, _)| *pair).collect();
        match pairs.first() {
            Some(&pair) if !despite => Err(self.different(pair, false)),
            _ => {
                pairs.into_iter().for_each(|[a, b]| self.draft.set_answer(a, b, Some(Answer::Same)));
                Ok(())
            }
        }
    }

    fn different(&self, pair: [PhotoId; 2], named: bool) -> GalleryError {
        let [left, right] = pair.map(|photo| Side { photo, person: self.state().confirmed_for(photo) });
        GalleryError::Different { left, right, named }
    }

    fn add(&mut self, photos: &[PhotoId]) -> Result<Vec<PersonId>, GalleryError> {
        for &photo in photos {
            if !self.known.contains_key(&photo) {
                return Err(GalleryError::NoPhoto(photo));
            }
            if !self.state().photos.contains_key(&photo) {
                self.draft.set_photo(photo, Some(Standing::default()));
            }
        }
        Ok(Vec::new())
    }

    fn remove(&mut self, photos: &[PhotoId]) -> Result<Vec<PersonId>, GalleryError> {
        let photos = self.present(photos)?;
        let people = self.people_of(&photos);
        // What was learnt of a person by these photos stays known of those that are left.
        let mut heirs = BTreeMap::new();
        for (&photo, standing) in &self.state().photos {
            if let Some(person) =
                standing.person.filter(|_| standing.confirmed && photos.binary_search(&photo).is_err())
            {
                heirs.entry(person).or_insert(photo);
            }
        }
        let heir = |photo: PhotoId| match photos.binary_search(&photo) {
            Err(_) => Some(photo),
            Ok(_) => heirs.get(&self.state().confirmed_for(photo)?).copied(),
        };
        let inherited = self.state().answers.iter().filter_map(|([a, b], answer)| {
            let (new_a, new_b) = (heir(*a)?, heir(*b)?);
            ((new_a, new_b) != (*a, *b) && new_a != new_b && *answer != Answer::Same).then_some((new_a, new_b, *answer))
        });
        for (a, b, answer) in inherited.collect::<Vec<_>>() {
            if self.state().answers.get(&super::state::pair(a, b)) != Some(&Answer::Different) {
                self.draft.set_answer(a, b, Some(answer));
            }
        }
        photos.iter().for_each(|&photo| self.draft.set_photo(photo, None));
        self.tidy(people);
        Ok(Vec::new())
    }

    fn enrol(&mut self, name: Option<&str>, photos: &[PhotoId], despite: bool) -> Result<Vec<PersonId>, GalleryError> {
        let name = trimmed(name);
        if let Some(name) = &name {
            self.free(name, None)?;
        }
        self.present(photos)?;
        let person = self.new_person(Person { name, cover: None })?;
        self.confirm(person, photos, despite)
    }

    fn confirm(&mut self, person: PersonId, photos: &[PhotoId], despite: bool) -> Result<Vec<PersonId>, GalleryError> {
        self.person(person)?;
        let photos = self.present(photos)?;
        self.agree(&[&photos[..], &self.confirmed(person)].concat(), despite)?;
        let left = self.people_of(&photos);
        photos.iter().for_each(|&photo| self.put(photo, Some(person), true));
        self.tidy(left);
        Ok(vec![person])
    }

    fn release(&mut self, photos: &[PhotoId]) -> Result<Vec<PersonId>, GalleryError> {
        let photos = self.present(photos)?;
        let people = self.people_of(&photos);
        let leads: BTreeMap<_, _> = people.iter().map(|&person| (person, self.lead(person, &photos))).collect();
        for &photo in &photos {
            let Some(person) = self.standing(photo)?.person else { continue };
            self.put(photo, None, false);
            if let Some(&Some(lead)) = leads.get(&person) {
                self.draft.set_answer(photo, lead, Some(Answer::Different));
            }
        }
        self.tidy(people);
        Ok(Vec::new())
    }

    fn split(&mut self, parts: &[Vec<PhotoId>]) -> Result<Vec<PersonId>, GalleryError> {
        self.disjoint(parts.iter().map(Vec::as_slice))?;
        let all = self.present(&parts.concat())?;
        let from: Vec<BTreeSet<PersonId>> = parts.iter().map(|part| self.people_of(part)).collect();
        let mut people = Vec::new();
        let mut different = Vec::new();
        for (at, part) in parts.iter().enumerate() {
            let remaining = from[at].iter().filter_map(|&person| self.lead(person, &all));
            different.extend(remaining.map(|lead| [part[0], lead]));
            let earlier = (0..at).filter(|&other| !from[at].is_disjoint(&from[other]));
            different.extend(earlier.map(|other| [part[0], parts[other][0]]));
        }
        for part in parts {
            let person = self.new_person(Person::default())?;
            self.agree(part, false)?;
            part.iter().for_each(|&photo| self.put(photo, Some(person), true));
            people.push(person);
        }
        different.into_iter().for_each(|[a, b]| self.draft.set_answer(a, b, Some(Answer::Different)));
        self.tidy(from.into_iter().flatten());
        Ok(people)
    }

    fn merge(&mut self, into: PersonId, from: PersonId, despite: bool) -> Result<Vec<PersonId>, GalleryError> {
        let (target, source) = (self.person(into)?, self.person(from)?);
        if into == from {
            return Ok(vec![into]);
        }
        // A merge of groups that nobody confirmed a photo of has to last, too.
        for person in [into, from] {
            if self.confirmed(person).is_empty()
                && let Some(lead) = self.lead(person, &[])
            {
                self.put(lead, Some(person), true);
            }
        }
        self.agree(&[self.confirmed(into), self.confirmed(from)].concat(), despite)?;
        for photo in self.state().photos_of(from) {
            self.put(photo, Some(into), self.state().is_confirmed(photo));
        }
        let merged = Person { name: target.name.or(source.name), cover: target.cover.or(source.cover) };
        self.draft.set_person(from, None);
        self.draft.set_person(into, Some(merged));
        Ok(vec![into])
    }

    /// That nobody else has this name.
    fn free(&self, name: &str, but: Option<PersonId>) -> Result<(), GalleryError> {
        let taken = self.state().people.iter().find(|(id, person)| {
            but != Some(**id) && person.name.as_deref().is_some_and(|other| same_name(other, name))
        });
        taken.map_or(Ok(()), |(&person, Person { name, .. })| {
            Err(GalleryError::NameTaken { name: name.clone().unwrap_or_default(), person })
        })
    }

    fn name(&mut self, id: PersonId, name: Option<&str>) -> Result<Vec<PersonId>, GalleryError> {
        let person = self.person(id)?;
        let name = trimmed(name);
        if let Some(name) = &name {
            self.free(name, Some(id))?;
            if self.confirmed(id).is_empty()
                && let Some(lead) = self.lead(id, &[])
            {
                self.put(lead, Some(id), true);
            }
        }
        if person.name != name {
            self.draft.set_person(id, Some(Person { name, ..person }));
        }
        self.tidy([id]);
        Ok(vec![id])
    }

    fn dissolve(&mut self, person: PersonId) -> Result<Vec<PersonId>, GalleryError> {
        self.person(person)?;
        self.state().photos_of(person).into_iter().for_each(|photo| self.put(photo, None, false));
        self.draft.set_person(person, None);
        Ok(Vec::new())
    }

    fn hide(&mut self, photos: &[PhotoId], hidden: bool) -> Result<Vec<PersonId>, GalleryError> {
        for photo in self.present(photos)? {
            let standing = self.standing(photo)?;
            if standing.hidden != hidden {
                self.draft.set_photo(photo, Some(Standing { hidden, ..standing }));
            }
        }
        Ok(Vec::new())
    }

    fn cover(&mut self, id: PersonId, photo: Option<PhotoId>) -> Result<Vec<PersonId>, GalleryError> {
        let person = self.person(id)?;
        if let Some(photo) = photo
            && self.standing(photo)?.person != Some(id)
        {
            return Err(GalleryError::NotTheirs { photo, person: id });
        }
        if person.cover != photo {
            self.draft.set_person(id, Some(Person { cover: photo, ..person }));
        }
        Ok(vec![id])
    }

    fn answer(
        &mut self,
        a: &[PhotoId],
        b: &[PhotoId],
        answer: Answer,
        despite: bool,
    ) -> Result<Vec<PersonId>, GalleryError> {
        self.disjoint([a, b])?;
        let (a, b) = (self.present(a)?, self.present(b)?);
        match answer {
            Answer::Same => self.answer_same(&a, &b, despite),
            Answer::Different => self.answer_different(&a, &b),
            Answer::Unsure => {
                for [a, b] in pairs(&a, &b) {
                    let known = self.state().answers.get(&super::state::pair(a, b));
                    let is_same =
                        self.state().confirmed_for(a).is_some_and(|p| self.state().confirmed_for(b) == Some(p));
                    if !is_same && known != Some(&Answer::Unsure) && (despite || known != Some(&Answer::Different)) {
                        self.draft.set_answer(a, b, Some(Answer::Unsure));
                    }
                }
                Ok(Vec::new())
            }
        }
    }

    fn answer_same(&mut self, a: &[PhotoId], b: &[PhotoId], despite: bool) -> Result<Vec<PersonId>, GalleryError> {
        let shown = [a, b].concat();
        let sure: Vec<PhotoId> = shown.iter().copied().filter(|&photo| self.state().is_confirmed(photo)).collect();
        let (sure, all) = (self.people_of(&sure), self.people_of(&shown));
        let is_named = |person: &PersonId| self.state().is_named(*person);
        let named: Vec<PersonId> = sure.iter().copied().filter(is_named).collect();
        if let [first, second, ..] = named[..] {
            let of = |person| shown.iter().copied().find(|&photo| self.state().confirmed_for(photo) == Some(person));
            let pair = of(first).zip(of(second)).map_or([shown[0]; 2], |(first, second)| [first, second]);
            return Err(self.different(pair, true));
        }
        let target = named.first().copied();
        let target = target.or_else(|| all.iter().copied().find(is_named));
        let target = match target.or_else(|| sure.first().copied()).or_else(|| all.first().copied()) {
            Some(person) => person,
            None => self.new_person(Person::default())?,
        };
        // Whoever has no name was a guess of grouping, or is known by confirmed photos: all of them come along.
        let absorbed: Vec<PersonId> =
            all.iter().copied().filter(|&p| p != target && !self.state().is_named(p)).collect();
        let one: Vec<Vec<PhotoId>> = absorbed.iter().chain([&target]).map(|&person| self.confirmed(person)).collect();
        self.agree(&[shown.clone(), one.concat()].concat(), despite)?;
        for &person in &absorbed {
            for photo in self.state().photos_of(person) {
                self.put(photo, Some(target), self.state().is_confirmed(photo));
            }
        }
        shown.iter().for_each(|&photo| self.put(photo, Some(target), true));
        pairs(a, b).for_each(|[a, b]| self.draft.set_answer(a, b, Some(Answer::Same)));
        self.tidy(all);
        Ok(vec![target])
    }

    fn answer_different(&mut self, a: &[PhotoId], b: &[PhotoId]) -> Result<Vec<PersonId>, GalleryError> {
        for [a, b] in pairs(a, b) {
            if let Some(person) = self.state().confirmed_for(a)
                && self.state().confirmed_for(b) == Some(person)
            {
                let [left, right] = [a, b].map(|photo| Side { photo, person: Some(person) });
                return Err(GalleryError::Same { left, right, person });
            }
        }
        pairs(a, b).for_each(|[a, b]| self.draft.set_answer(a, b, Some(Answer::Different)));
        let people = self.people_of(&[a, b].concat());
        // Who was taken for the same person is not: what was confirmed stays, of two guesses the first.
        for (others, photos) in [(a, b), (b, a)] {
            let taken = self.people_of(others);
            for &photo in photos {
                let person = self.standing(photo)?.person;
                if !self.state().is_confirmed(photo) && person.is_some_and(|person| taken.contains(&person)) {
                    self.put(photo, None, false);
                }
            }
        }
        self.tidy(people);
        Ok(Vec::new())
    }
}

fn pairs<'p>(a: &'p [PhotoId], b: &'p [PhotoId]) -> impl Iterator<Item = [PhotoId; 2]> + 'p {
    a.iter().flat_map(move |&a| b.iter().map(move |&b| [a, b]))
}

/// The photo to show a person by: `cover`, else the best of their confirmed photos, else of their suggested ones, of those
/// that may be taken.
pub(super) fn lead(
    state: &State,
    known: &BTreeMap<PhotoId, Photo>,
    person: PersonId,
    cover: Option<PhotoId>,
    may: impl Fn(PhotoId) -> bool,
) -> Option<PhotoId> {
    let photos: Vec<PhotoId> = state.photos_of(person).into_iter().filter(|&photo| may(photo)).collect();
    if let Some(cover) = cover.filter(|cover| photos.contains(cover)) {
        return Some(cover);
    }
    let rank = |photo: PhotoId| {
        let quality = known.get(&photo).and_then(|photo| photo.quality).unwrap_or(0.0);
        (state.is_confirmed(photo), quality)
    };
    let better = |best: PhotoId, other: PhotoId| {
        let ((sure, quality), (other_sure, other_quality)) = (rank(best), rank(other));
        if (other_sure, other_quality) > (sure, quality) { other } else { best }
    };
    photos.into_iter().reduce(better)
}
