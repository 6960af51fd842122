//! A gallery out of another.

use std::collections::BTreeMap;

use super::{Act, Answer, Gallery, GalleryError, NewPhoto, PhotoId};

impl Gallery {
    /// Takes in the photos of another gallery with their thumbnails, the people that are confirmed there and what was answered,
    /// as one act; the number that each of its photos has here. People of one name are one person. What is confirmed here
    /// stays. Features come along where they are of the same model; else
    /// [`without_features`](Self::without_features) tells what to extract. Guesses do not come along.
    ///
    /// # Errors
    /// [`GalleryError::Different`] where the two contradict each other, with both sides here; nothing is changed then.
    pub fn import(&mut self, other: &Self) -> Result<BTreeMap<PhotoId, PhotoId>, GalleryError> {
        self.as_one(
            |gallery| gallery.take(other),
            |numbers| Act::Import { photos: numbers.values().copied().collect() },
        )
    }

    fn take(&mut self, other: &Self) -> Result<BTreeMap<PhotoId, PhotoId>, GalleryError> {
        let is_comparable = self.model() == other.model();
        let new = other.photos().map(|view| NewPhoto {
            photo: view.photo.clone(),
            feature: other.features.get(view.id).filter(|_| is_comparable).map(|feature| feature.into_owned()),
            thumbnail: other.thumbnail(view.id).map(<[u8]>::to_vec),
        });
        let ids = self.add(&other.model().fingerprint, new.collect())?;
        let numbers: BTreeMap<PhotoId, PhotoId> = other.photos().map(|view| view.id).zip(ids).collect();
        for person in other.people() {
            let photos = other.state.photos_of(person.id).into_iter().filter(|&photo| other.state.is_confirmed(photo));
            let photos = photos.filter_map(|photo| numbers.get(&photo).copied());
            let photos: Vec<PhotoId> = photos.filter(|&photo| !self.state.is_confirmed(photo)).collect();
            if photos.is_empty() {
                continue;
            }
            match person.name.as_deref().and_then(|name| self.named(name)) {
                Some(person) => self.act(Act::Confirm { person, photos, despite: false })?,
                None => self.act(Act::Enrol { name: person.name, photos, despite: false })?,
            };
        }
        for ([a, b], answer) in other.answers().filter(|(_, answer)| *answer != Answer::Same) {
            let Some((&a, &b)) = numbers.get(&a).zip(numbers.get(&b)) else { continue };
            match self.act(Act::Answer { a: vec![a], b: vec![b], answer, despite: false }) {
                // What is confirmed here stays; of two photos of one content the answer says nothing.
                Ok(_) | Err(GalleryError::Same { .. } | GalleryError::Twice(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let hidden =
            other.photos().filter(|view| view.standing.hidden).filter_map(|view| numbers.get(&view.id).copied());
        let hidden: Vec<PhotoId> = hidden.collect();
        if !hidden.is_empty() {
            self.act(Act::Hide { photos: hidden, hidden: true })?;
        }
        Ok(numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gallery::tests::{MODEL, gallery_of, new_photo};
    use crate::gallery::{Model, PersonId};
    use crate::weights::Precision;

    fn enrol(gallery: &mut Gallery, name: &str, photos: &[PhotoId]) -> PersonId {
        let act = Act::Enrol { name: Some(name.into()), photos: photos.to_vec(), despite: false };
        gallery.act(act).expect("enrolled")[0]
    }

    #[test]
    fn people_of_one_name_become_one_in_one_step() {
        // Photos 0, 1 here; 1, 2, 3 there.
        let (mut here, p) = gallery_of(&[vec![1.0, 0.0], vec![0.0, 1.0]], &[]);
        let ada = enrol(&mut here, "Ada", &p[..1]);
        let (mut there, _) = gallery_of(&[], &[]);
        let q = there.add(MODEL, (1..4).map(|number| new_photo(number, &[0.5, 0.5])).collect()).expect("photos");
        enrol(&mut there, "ada", &q[..2]);
        enrol(&mut there, "Bob", &q[2..]);
        there
            .act(Act::Answer { a: vec![q[0]], b: vec![q[2]], answer: Answer::Different, despite: false })
            .expect("said");
        let before = here.clone();
        let numbers = here.import(&there).expect("agrees");
        assert_eq!(numbers[&q[0]], p[1], "the same file");
        assert_eq!(here.person(ada).expect("stays").confirmed.len(), 3);
        let names: Vec<_> = here.people().into_iter().map(|person| person.name).collect();
        assert_eq!(names, [Some("Ada".into()), Some("Bob".into())]);
        assert_eq!(here.relations().between(p[0], numbers[&q[2]]), Some(Answer::Different));
        assert_eq!(here.without_features(), []);
        assert!(matches!(here.undo(), Some(Act::Import { photos }) if photos.len() == 3));
        assert_eq!(here.state, before.state);
        assert!(here.redo().is_some());
        assert_eq!((here.count(), here.redo().is_some()), (4, false));
    }

    #[test]
    fn a_contradiction_or_another_model_is_told() {
        let (mut here, p) = gallery_of(&[vec![1.0, 0.0], vec![0.0, 1.0]], &[]);
        here.act(Act::Answer { a: vec![p[0]], b: vec![p[1]], answer: Answer::Different, despite: false })
            .expect("said");
        let (mut there, _) = (Gallery::new(Model { fingerprint: "other".into(), dim: 1 }, Precision::F32), ());
        let q = there.add("other", (0..3).map(|number| new_photo(number, &[1.0])).collect()).expect("photos");
        let ada = enrol(&mut there, "Ada", &q);
        let before = here.clone();
        assert_eq!(here.import(&there).map_err(|error| error.code()), Err("conflict"));
        assert_eq!((&here.state, &here.history, &here.known), (&before.state, &before.history, &before.known));
        there.act(Act::Split { parts: vec![vec![q[0]]] }).expect("split");
        let numbers = here.import(&there).expect("agrees");
        assert_eq!(here.without_features(), [numbers[&q[2]]]);
        assert_eq!((here.people().len(), there.person(ada).expect("stays").confirmed.len()), (2, 2));
    }
}
