//! Galleries: photos, their features, and the people that they show.
//!
//! A [`Gallery`] holds what users said and what grouping guessed apart: a photo that a user *confirmed* for a person never
//! moves by itself, a *suggested* one may. Everything that is done is an [`Act`] in a log, and can be undone and redone, after
//! loading as well. It needs neither a browser nor files nor a device: the command, the package and the page keep it each in
//! their way, in the same `.reid` file.

mod act;
mod bcubed;
mod constraints;
mod error;
mod export;
mod features;
mod file;
pub mod grouping;
mod groups;
mod history;
mod import;
mod judging;
mod perform;
mod person;
mod photo;
#[cfg(not(target_arch = "wasm32"))]
mod save;
mod search;
mod split;
mod state;
#[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
mod table;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

pub use crate::detect::PersonBox;
pub use act::{Act, Answer};
pub use bcubed::{BCubed, bcubed};
pub use constraints::{Links, Relations};
pub use error::{GalleryError, Side};
pub use features::Model;
pub use file::{Loss, Opened};
pub use judging::Judging;
pub use person::{Person, PersonId, PersonView};
pub use photo::{ContentHash, NewPhoto, NoContentHash, Photo, PhotoId, PhotoView, Standing};
#[cfg(not(target_arch = "wasm32"))]
pub use save::write_whole;
pub use search::{Candidate, Hit, PersonHit, Search};

use self::features::FeatureStore;
use self::history::{Entry, History, squashed};
use self::perform::Performance;
use self::photo::PhotoKey;
use self::state::{Draft, State};
use crate::weights::Precision;

/// Boxes in one picture that overlap by so much are one photo.
const SAME_CUT: f32 = 0.8;

/// Photos, their features, and who is who.
#[derive(Clone, Debug, PartialEq)]
pub struct Gallery {
    features: FeatureStore,
    /// All photos that there are, and those that undo or redo could bring back.
    known: BTreeMap<PhotoId, Photo>,
    by_key: HashMap<PhotoKey, PhotoId>,
    thumbnails: BTreeMap<PhotoId, Vec<u8>>,
    state: State,
    history: History,
    /// The numbers that come next.
    next_photo: u32,
    next_person: u32,
}

impl Gallery {
    /// An empty one for the features of a model, kept in `precision`.
    pub fn new(model: Model, precision: Precision) -> Self {
        Self {
            features: FeatureStore::new(model, precision),
            known: BTreeMap::new(),
            by_key: HashMap::new(),
            thumbnails: BTreeMap::new(),
            state: State::default(),
            history: History::default(),
            next_photo: 0,
            next_person: 0,
        }
    }

    /// The model whose features it holds.
    pub fn model(&self) -> &Model {
        &self.features.model
    }

    /// How features are kept.
    pub fn precision(&self) -> Precision {
        self.features.precision()
    }

    /// Adds photos whose features are of the model `fingerprint`; one act. The number of each, in order: a photo with the
    /// content and box of one that the gallery has, or had, is that one, and gives it the feature and the thumbnail that it
    /// lacks. Boxes are the same from an overlap of 0.8 on: detectors differ by a little from one device to the next. The box of
    /// a photo that was removed is itself only: else a box that a user corrects a little would come back as it was.
    ///
    /// # Errors
    /// [`GalleryError::OtherModel`] when features of another model come along; [`GalleryError::Dimension`],
    /// [`GalleryError::NotANumber`] and [`GalleryError::Box`] for what is no feature or no box.
    pub fn add(&mut self, fingerprint: &str, photos: Vec<NewPhoto>) -> Result<Vec<PhotoId>, GalleryError> {
        if photos.iter().any(|photo| photo.feature.is_some()) {
            self.check_model(fingerprint)?;
        }
        for NewPhoto { photo, feature, .. } in &photos {
            if let Some(feature) = feature {
                self.features.check(&photo.name, feature)?;
            }
            check_photo(photo)?;
        }
        let room = u32::try_from(photos.len()).ok().and_then(|count| self.next_photo.checked_add(count));
        room.ok_or(GalleryError::Full("photos"))?;
        let mut ids = Vec::with_capacity(photos.len());
        let cuts = self.cuts();
        for NewPhoto { photo, feature, thumbnail } in photos {
            let key = self.same_cut(&cuts, &photo).unwrap_or_else(|| photo.key());
            let id = *self.by_key.entry(key).or_insert_with(|| {
                let id = PhotoId(self.next_photo);
                self.next_photo += 1;
                self.known.insert(id, photo);
                id
            });
            if let Some(feature) = feature.filter(|_| !self.features.has(id)) {
                self.features.set(id, &feature);
            }
            if let Some(thumbnail) = thumbnail {
                self.thumbnails.entry(id).or_insert(thumbnail);
            }
            ids.push(id);
        }
        let mut photos = ids.clone();
        photos.retain(|photo| !self.state.photos.contains_key(photo));
        photos.dedup();
        self.act(Act::Add { photos })?;
        Ok(ids)
    }

    /// The photos here that are cuts, by the picture that they were cut out of.
    fn cuts(&self) -> HashMap<ContentHash, Vec<PhotoId>> {
        let mut cuts: HashMap<ContentHash, Vec<PhotoId>> = HashMap::new();
        for (&id, photo) in
            self.known.iter().filter(|(id, photo)| photo.person_box.is_some() && self.state.photos.contains_key(id))
        {
            cuts.entry(photo.hash).or_default().push(id);
        }
        cuts
    }

    /// The key of the photo that is the same cut but for rounding.
    fn same_cut(&self, cuts: &HashMap<ContentHash, Vec<PhotoId>>, photo: &Photo) -> Option<PhotoKey> {
        let near = cuts.get(&photo.hash)?.iter().filter_map(|id| {
            let known = self.known.get(id)?;
            Some((known, known.overlap(photo).filter(|&overlap| overlap >= SAME_CUT)?))
        });
        near.max_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(known, _)| known.key())
    }

    /// Adds photos of one person, as [`add`](Self::add) does, confirmed for whoever has this name, or for somebody new; one
    /// act. The number of each, and whose they are.
    ///
    /// # Errors
    /// Those of [`add`](Self::add), and [`GalleryError::Different`]; nothing is added then.
    pub fn enrol(
        &mut self,
        fingerprint: &str,
        name: &str,
        photos: Vec<NewPhoto>,
    ) -> Result<(Vec<PhotoId>, PersonId), GalleryError> {
        let enrol = |gallery: &mut Self| {
            let photos = gallery.add(fingerprint, photos)?;
            let act = match gallery.named(name) {
                Some(person) => Act::Confirm { person, photos: photos.clone(), despite: false },
                None => Act::Enrol { name: Some(name.to_owned()), photos: photos.clone(), despite: false },
            };
            let people = gallery.act(act)?;
            Ok((photos, *people.first().ok_or(GalleryError::NoPhotosGiven)?))
        };
        let name = Some(name.to_owned());
        self.as_one(enrol, |(photos, _)| Act::Enrol { name, photos: photos.clone(), despite: false })
    }

    /// Does several acts as one, which `act` describes, or none of them.
    fn as_one<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, GalleryError>,
        act: impl FnOnce(&T) -> Act,
    ) -> Result<T, GalleryError> {
        let from = self.history.done;
        let undone = self.history.entries.split_off(from);
        let result = work(self);
        if result.is_err() {
            while self.history.done > from && self.undo().is_some() {}
            self.history.entries.truncate(from);
        }
        let edits = squashed(self.history.entries.drain(from..).flat_map(|entry| entry.edits).collect());
        self.history.done = from;
        match &result {
            Ok(done) if !edits.is_empty() => self.history.push(Entry { act: act(done), edits }),
            _ => self.history.entries.extend(undone),
        }
        self.let_go();
        result
    }

    /// Does something, as one step of undo. The people that it made, or that photos are with now, in the order of the act's
    /// lists.
    ///
    /// # Errors
    /// With which nothing was changed: [`GalleryError::NoPhoto`], [`GalleryError::NoPerson`],
    /// [`GalleryError::NoPhotosGiven`], [`GalleryError::Twice`]; [`GalleryError::NameTaken`] with who has the name;
    /// [`GalleryError::NotTheirs`]; [`GalleryError::Different`] and [`GalleryError::Same`] for what contradicts earlier
    /// answers, with both sides.
    pub fn act(&mut self, act: Act) -> Result<Vec<PersonId>, GalleryError> {
        let draft = Draft::new(&mut self.state);
        let mut performance = Performance { draft, known: &self.known, next_person: &mut self.next_person };
        match performance.perform(&act) {
            Ok(people) => {
                let edits = squashed(performance.draft.edits);
                if !edits.is_empty() {
                    let undone = self.history.done < self.history.entries.len();
                    self.history.push(Entry { act, edits });
                    if undone {
                        self.let_go();
                    }
                }
                Ok(people)
            }
            Err(error) => {
                performance.draft.take_back();
                Err(error)
            }
        }
    }

    /// What a grouping found: who is together, and who is nobody's. The person that each group is of, in order. One act;
    /// several without another between them are undone together.
    ///
    /// Photos that a user confirmed stay where they are. The others become suggestions: of the person most of whose confirmed
    /// photos are in the group (of equals, the older one), else of a person without a name and without confirmed photos, the
    /// one that shares most photos with the group, else of a new one. `unsure` photos become nobody's, as far as nobody
    /// confirmed them. People who end without a name and without photos are no more. Photos that are in no list stay as they
    /// are.
    ///
    /// # Errors
    /// [`GalleryError::NoPhotosGiven`] for an empty group, [`GalleryError::Twice`], [`GalleryError::NoPhoto`].
    pub fn set_groups(
        &mut self,
        groups: Vec<Vec<PhotoId>>,
        unsure: Vec<PhotoId>,
    ) -> Result<Vec<PersonId>, GalleryError> {
        self.act(Act::Group { groups, unsure })
    }

    /// Takes back the last act that holds; which it was. `None` when there is none.
    pub fn undo(&mut self) -> Option<&Act> {
        let entry = self.history.entries.get(self.history.done.checked_sub(1)?)?;
        self.state.revert(&entry.edits);
        self.history.done -= 1;
        Some(&entry.act)
    }

    /// Does once more what was undone last; which it was. `None` when nothing was undone since the last act.
    pub fn redo(&mut self) -> Option<&Act> {
        let entry = self.history.entries.get(self.history.done)?;
        self.state.repeat(&entry.edits);
        self.history.done += 1;
        Some(&entry.act)
    }

    /// What was done and holds, the oldest first: [`undo`](Self::undo) takes back the last.
    pub fn done(&self) -> impl DoubleEndedIterator<Item = &Act> {
        self.history.entries[..self.history.done].iter().map(|entry| &entry.act)
    }

    /// What was undone: [`redo`](Self::redo) does the first once more.
    pub fn undone(&self) -> impl DoubleEndedIterator<Item = &Act> {
        self.history.entries[self.history.done..].iter().map(|entry| &entry.act)
    }

    /// Forgets how the gallery came to be as it is: nothing before can be undone, and removed photos are gone for good, with
    /// their features and thumbnails.
    pub fn forget_history(&mut self) {
        self.history = History::default();
        self.let_go();
    }

    /// Lets go of photos that nothing can bring back.
    fn let_go(&mut self) {
        let mut needed = self.history.photos();
        needed.extend(self.state.photos.keys());
        self.known.retain(|photo, _| needed.contains(photo));
        self.by_key.retain(|_, photo| needed.contains(photo));
        self.thumbnails.retain(|photo, _| needed.contains(photo));
        self.features.retain(&needed);
    }

    /// Photos from the first added on, hidden ones too.
    pub fn photos(&self) -> impl Iterator<Item = PhotoView<'_>> {
        self.state.photos.keys().filter_map(|&photo| self.photo(photo).ok())
    }

    /// How many photos there are, hidden ones too.
    pub fn count(&self) -> usize {
        self.state.photos.len()
    }

    /// One photo.
    ///
    /// # Errors
    /// [`GalleryError::NoPhoto`].
    pub fn photo(&self, id: PhotoId) -> Result<PhotoView<'_>, GalleryError> {
        let found = self.state.photos.get(&id).zip(self.known.get(&id));
        let (standing, photo) = found.ok_or(GalleryError::NoPhoto(id))?;
        let (has_feature, has_thumbnail) = (self.features.has(id), self.thumbnails.contains_key(&id));
        Ok(PhotoView { id, photo, standing: *standing, has_feature, has_thumbnail })
    }

    /// The photos of a file with these bytes: one for each box in it.
    pub fn with_content(&self, hash: ContentHash) -> Vec<PhotoId> {
        self.photos().filter(|view| view.photo.hash == hash).map(|view| view.id).collect()
    }

    /// The small picture of a photo, as it was given.
    pub fn thumbnail(&self, photo: PhotoId) -> Option<&[u8]> {
        self.state.photos.get(&photo)?;
        self.thumbnails.get(&photo).map(Vec::as_slice)
    }

    /// Everybody: those with a name in its order, then the others, who has most photos first.
    pub fn people(&self) -> Vec<PersonView> {
        let mut photos: BTreeMap<PersonId, [Vec<PhotoId>; 2]> = BTreeMap::new();
        for (&photo, standing) in self.state.photos.iter().filter(|(_, standing)| !standing.hidden) {
            if let Some(person) = standing.person {
                photos.entry(person).or_default()[usize::from(!standing.confirmed)].push(photo);
            }
        }
        let mut people: Vec<PersonView> = self
            .state
            .people
            .iter()
            .map(|(&id, person)| self.view(id, person, photos.remove(&id).unwrap_or_default()))
            .collect();
        people.sort_by_cached_key(|view| {
            let name = view.name.as_ref().map(|name| name.to_lowercase());
            (name.is_none(), name, std::cmp::Reverse(view.confirmed.len() + view.suggested.len()), view.id)
        });
        people
    }

    /// One person.
    ///
    /// # Errors
    /// [`GalleryError::NoPerson`].
    pub fn person(&self, id: PersonId) -> Result<PersonView, GalleryError> {
        let person = self.state.people.get(&id).ok_or(GalleryError::NoPerson(id))?;
        let shown = |photo: &PhotoId| self.state.photos.get(photo).is_some_and(|standing| !standing.hidden);
        let photos = self.state.photos_of(id).into_iter().filter(shown);
        let (confirmed, suggested) = photos.partition(|&photo| self.state.is_confirmed(photo));
        Ok(self.view(id, person, [confirmed, suggested]))
    }

    fn view(&self, id: PersonId, person: &Person, [confirmed, suggested]: [Vec<PhotoId>; 2]) -> PersonView {
        let quality = |photo: &PhotoId| self.known.get(photo).and_then(|photo| photo.quality).unwrap_or(0.0);
        let best = |photos: &[PhotoId]| {
            photos.iter().copied().reduce(|best, other| if quality(&other) > quality(&best) { other } else { best })
        };
        let chosen = person.cover.filter(|cover| confirmed.contains(cover) || suggested.contains(cover));
        let cover = chosen.or_else(|| best(&confirmed)).or_else(|| best(&suggested));
        PersonView { id, name: person.name.clone(), cover, confirmed, suggested }
    }

    /// Who is called this; case does not matter.
    pub fn named(&self, name: &str) -> Option<PersonId> {
        let is = |person: &Person| person.name.as_deref().is_some_and(|other| person::same_name(other, name.trim()));
        self.state.people.iter().find(|(_, person)| is(person)).map(|(id, _)| *id)
    }

    /// The photos of nobody that is known, hidden ones left out.
    pub fn unsure(&self) -> Vec<PhotoId> {
        let unsure = self.state.photos.iter().filter(|(_, standing)| standing.person.is_none() && !standing.hidden);
        unsure.map(|(photo, _)| *photo).collect()
    }

    /// What is known of any two photos.
    pub fn relations(&self) -> Relations<'_> {
        Relations::new(&self.state, &self.known)
    }

    /// What users answered of two photos and still holds.
    pub fn answers(&self) -> impl Iterator<Item = ([PhotoId; 2], Answer)> {
        let holds = |pair: &[PhotoId; 2], answer| match pair.map(|photo| self.state.confirmed_for(photo)) {
            [a, b] if answer == Answer::Same => a.is_some() && a == b,
            _ => pair.iter().all(|photo| self.state.photos.contains_key(photo)),
        };
        self.state
            .answers
            .iter()
            .map(|(&pair, &answer)| (pair, answer))
            .filter(move |(pair, answer)| holds(pair, *answer))
    }

    /// What a grouping of `photos` must obey; photos are named by their places there.
    pub fn links(&self, photos: &[PhotoId]) -> Links {
        constraints::links(&self.state, &self.known, photos, None)
    }

    /// The same, but that a person's confirmed photos may be several people's: what [`Tree::parts`](grouping::Tree::parts) is
    /// grown with.
    pub fn links_doubting(&self, photos: &[PhotoId], person: PersonId) -> Links {
        constraints::links(&self.state, &self.known, photos, Some(person))
    }

    /// The photos that can be compared: they are not hidden and have a feature.
    pub fn comparable(&self) -> Vec<PhotoId> {
        let shown = self.state.photos.iter().filter(|(photo, standing)| !standing.hidden && self.features.has(**photo));
        shown.map(|(photo, _)| *photo).collect()
    }

    /// The photos without a feature of the gallery's model, hidden ones too: those to extract.
    pub fn without_features(&self) -> Vec<PhotoId> {
        self.state.photos.keys().copied().filter(|&photo| !self.features.has(photo)).collect()
    }

    /// The feature of a photo, as the model gave it.
    ///
    /// # Errors
    /// [`GalleryError::NoPhoto`], [`GalleryError::NoFeature`].
    pub fn feature(&self, photo: PhotoId) -> Result<Cow<'_, [f32]>, GalleryError> {
        self.photo(photo)?;
        self.features.get(photo).ok_or(GalleryError::NoFeature(photo))
    }

    /// The features of photos, `[photos.len(), dim]`, as the model gave them.
    ///
    /// # Errors
    /// [`GalleryError::NoPhoto`], [`GalleryError::NoFeature`].
    pub fn rows(&self, photos: &[PhotoId]) -> Result<Vec<f32>, GalleryError> {
        photos.iter().try_for_each(|&photo| self.feature(photo).map(drop))?;
        Ok(self.features.gather(photos))
    }

    /// The cameras of photos as numbers, for [`Centring`](crate::ranking::Centring): from 0 in the order of the cameras'
    /// names among all photos.
    pub fn cameras(&self, photos: &[PhotoId]) -> Vec<Option<i32>> {
        let numbers = self.camera_numbers();
        let camera = |photo| numbers.get(self.known.get(photo)?.camera.as_deref()?).copied();
        photos.iter().map(camera).collect()
    }

    /// The number of each camera.
    fn camera_numbers(&self) -> BTreeMap<&str, i32> {
        let present = self.state.photos.keys().filter_map(|photo| self.known.get(photo)?.camera.as_deref());
        let names: BTreeSet<&str> = present.collect();
        names.into_iter().zip(0..).collect()
    }

    /// Turns to another model: people, answers and the log stay, features go, as they cannot be compared with the new
    /// model's. [`without_features`](Self::without_features) tells what to extract; [`set_feature`](Self::set_feature) and
    /// [`add`](Self::add) take it. With the model that it has, it changes nothing but the precision.
    pub fn change_model(&mut self, model: Model, precision: Precision) {
        let mut features = FeatureStore::new(model, precision);
        if features.model == self.features.model {
            for &photo in self.features.photos() {
                if let Some(row) = self.features.get(photo)
                    && features.check("", &row).is_ok()
                {
                    features.set(photo, &row);
                }
            }
        }
        self.features = features;
    }

    /// Gives a photo the feature that the model `fingerprint` found, instead of the one it may have.
    ///
    /// # Errors
    /// [`GalleryError::OtherModel`], [`GalleryError::NoPhoto`], [`GalleryError::Dimension`], [`GalleryError::NotANumber`].
    pub fn set_feature(&mut self, fingerprint: &str, photo: PhotoId, feature: &[f32]) -> Result<(), GalleryError> {
        self.check_model(fingerprint)?;
        let name = &self.photo(photo)?.photo.name;
        self.features.check(name, feature)?;
        self.features.set(photo, feature);
        Ok(())
    }

    fn check_model(&self, fingerprint: &str) -> Result<(), GalleryError> {
        let expected = &self.features.model.fingerprint;
        if fingerprint == expected {
            return Ok(());
        }
        Err(GalleryError::OtherModel { expected: expected.clone(), found: fingerprint.to_owned() })
    }
}

/// Refuses numbers that are none.
fn check_photo(photo: &Photo) -> Result<(), GalleryError> {
    let finite = photo
        .person_box
        .is_none_or(|b| b.to_array().iter().all(|side| side.is_finite()) && b.width > 0.0 && b.height > 0.0);
    if !finite {
        return Err(GalleryError::Box(photo.name.clone()));
    }
    if photo.quality.is_some_and(|quality| !quality.is_finite()) {
        return Err(GalleryError::NotANumber(photo.name.clone()));
    }
    Ok(())
}
