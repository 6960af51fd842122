//! Somebody turns out to be several people.

use super::grouping::{Photos, Tree};
use super::{Act, Gallery, GalleryError, PersonId, PhotoId};
use crate::ranking::{Cameras, Progress};

impl Gallery {
    /// Groups the photos inside one person anew, as if nothing had been said of them, and splits the person into those groups;
    /// see [`split_into`](Self::split_into). `progress` is told of photos compared.
    ///
    /// # Errors
    /// With which nothing was changed: [`GalleryError::NoPerson`], [`GalleryError::OnePhoto`] for who has fewer than two photos
    /// that can be compared, and [`GalleryError::Ranking`] when `progress` ends it.
    pub fn split(
        &mut self,
        person: PersonId,
        cameras: Cameras,
        progress: Progress,
    ) -> Result<Vec<PersonId>, GalleryError> {
        self.person(person)?;
        let photos = self.comparable();
        let (rows, of, links) = (self.rows(&photos)?, self.cameras(&photos), self.links_doubting(&photos, person));
        let all = Photos { rows: &rows, dim: self.model().dim, cameras: &of };
        let tree = Tree::grow(all, cameras, &links, progress)?;
        let theirs =
            |photo: PhotoId| self.state.photos.get(&photo).is_some_and(|standing| standing.person == Some(person));
        let places: Vec<usize> = (0..photos.len()).filter(|&place| theirs(photos[place])).collect();
        let parts = tree.parts(&places)?.into_iter();
        self.split_into(person, parts.map(|part| part.into_iter().map(|place| photos[place]).collect()).collect())
    }

    /// Makes people of parts of a person's photos. The part with most of the confirmed photos stays the person, with the name, of
    /// equals the largest, as do photos in no part; the others become new people, as [`Act::Split`] makes them. One act. Who it
    /// is now: the person, then the new ones.
    ///
    /// # Errors
    /// With which nothing was changed: [`GalleryError::NoPerson`], [`GalleryError::OnePhoto`] for fewer than two parts,
    /// [`GalleryError::NoPhoto`], [`GalleryError::NotTheirs`] for photos of others, and those of [`Act::Split`].
    pub fn split_into(
        &mut self,
        person: PersonId,
        mut parts: Vec<Vec<PhotoId>>,
    ) -> Result<Vec<PersonId>, GalleryError> {
        self.person(person)?;
        for &photo in parts.iter().flatten() {
            if self.photo(photo)?.standing.person != Some(person) {
                return Err(GalleryError::NotTheirs { photo, person });
            }
        }
        let weight = |part: &[PhotoId]| {
            let confirmed = part.iter().filter(|&&photo| self.state.is_confirmed(photo)).count();
            (confirmed, part.len())
        };
        // Of equals the first.
        let stays = (0..parts.len()).rev().max_by_key(|&part| weight(&parts[part]));
        let Some(stays) = stays.filter(|_| parts.len() > 1) else { return Err(GalleryError::OnePhoto(person)) };
        parts.remove(stays);
        let new = self.act(Act::Split { parts })?;
        Ok(std::iter::once(person).chain(new).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gallery::Answer;
    use crate::gallery::tests::{gallery_of, ids};
    use crate::ranking::quiet;

    /// Three people of six photos each, the first two of whom were taken for one.
    fn taken_for_one() -> (Gallery, Vec<PhotoId>, PersonId) {
        let bases = [[1.0, 0.2, 0.0, 0.1], [0.2, 1.0, 0.1, 0.0], [0.0, 0.1, 1.0, 0.3]];
        let rows: Vec<Vec<f32>> = (0..18)
            .map(|photo| {
                let shift = [0.03, -0.05, 0.08, -0.02, 0.05, 0.01][photo % 6];
                bases[photo / 6].iter().zip([1.0, -1.0, 0.5, 2.0]).map(|(own, way)| own + shift * way).collect()
            })
            .collect();
        let (mut gallery, photos) = gallery_of(&rows, &["a"; 18]);
        let act = Act::Enrol { name: Some("Ada".into()), photos: photos[..10].to_vec(), despite: false };
        let ada = gallery.act(act).expect("enrolled")[0];
        gallery.set_groups(vec![photos[..12].to_vec(), photos[12..].to_vec()], vec![]).expect("groups");
        (gallery, photos, ada)
    }

    #[test]
    fn somebody_made_of_two_people_falls_into_the_two() {
        let (mut gallery, photos, ada) = taken_for_one();
        let before = gallery.people();
        let people = gallery.split(ada, Cameras::Centre, &mut quiet).expect("split");
        assert_eq!((people.len(), people[0]), (2, ada));
        let of = |gallery: &Gallery, person| gallery.person(person).expect("there");
        // The six confirmed ones stay, with the name.
        assert_eq!(of(&gallery, ada).confirmed, photos[..6]);
        assert_eq!((of(&gallery, ada).name.as_deref(), of(&gallery, ada).suggested.len()), (Some("Ada"), 0));
        assert_eq!((of(&gallery, people[1]).confirmed, of(&gallery, people[1]).name), (photos[6..12].to_vec(), None));
        assert_eq!(gallery.relations().between(photos[0], photos[11]), Some(Answer::Different));
        assert!(matches!(gallery.undo(), Some(Act::Split { parts }) if parts[..] == [photos[6..12].to_vec()]));
        assert_eq!(gallery.people(), before);
        gallery.redo().expect("done again");
        assert_eq!(of(&gallery, people[1]).confirmed, photos[6..12]);
    }

    #[test]
    fn what_cannot_be_split_stays() {
        let (mut gallery, photos, ada) = taken_for_one();
        let before = gallery.clone();
        let other = gallery.photo(photos[12]).expect("there").standing.person.expect("grouped");
        let parts = vec![ids(&photos, &[0]), ids(&photos, &[12])];
        assert_eq!(gallery.split_into(ada, parts), Err(GalleryError::NotTheirs { photo: photos[12], person: ada }));
        assert_eq!(gallery.split_into(ada, vec![ids(&photos, &[0])]), Err(GalleryError::OnePhoto(ada)));
        gallery.act(Act::Hide { photos: photos[13..].to_vec(), hidden: true }).expect("hidden");
        assert_eq!(gallery.split(other, Cameras::None, &mut quiet), Err(GalleryError::OnePhoto(other)));
        let nobody = PersonId(99);
        assert_eq!(gallery.split(nobody, Cameras::None, &mut quiet), Err(GalleryError::NoPerson(nobody)));
        gallery.undo();
        assert_eq!(gallery.people(), before.people());
    }
}
