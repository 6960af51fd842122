//! Whether photos of a gallery show who is searched for, with a probability.

use std::collections::BTreeMap;

use super::grouping::{Judge, Judged, Judgement, Photos, Tree};
use super::{Gallery, GalleryError, PersonId, PhotoId, Standing};
use crate::ranking::{Cameras, Features, Progress};

/// Judges photos by the groups of a gallery and what was answered, as the gallery was when it was made.
pub struct Judging {
    photos: Vec<(PhotoId, Standing)>,
    cameras: BTreeMap<String, i32>,
    tree: Tree,
    /// There may be nothing to make it from.
    judge: Option<Judge>,
}

impl Gallery {
    /// Groups all photos that have a feature and are not hidden, to judge by these groups. `progress` is told of photos compared.
    ///
    /// # Errors
    /// [`GalleryError::Ranking`] when `progress` ends it.
    pub fn judging(&self, cameras: Cameras, progress: Progress) -> Result<Judging, GalleryError> {
        let photos = self.comparable();
        let (rows, of, links) = (self.rows(&photos)?, self.cameras(&photos), self.links(&photos));
        let all = Photos { rows: &rows, dim: self.model().dim, cameras: &of };
        let tree = Tree::grow(all, cameras, &links, progress)?;
        let judge = tree.judge(&tree.groups(None));
        let standing = |photo| self.photo(photo).map(|view| (photo, view.standing));
        Ok(Judging {
            photos: photos.into_iter().map(standing).collect::<Result<_, _>>()?,
            cameras: self.camera_numbers().into_iter().map(|(name, number)| (name.to_owned(), number)).collect(),
            tree,
            judge,
        })
    }
}

impl Judging {
    /// Its cut-offs and their errors; `None` where nothing is known of the gallery's distances: there are no two photos together,
    /// or none apart.
    pub fn judgement(&self) -> Option<Judgement> {
        self.judge.map(|judge| judge.judgement())
    }

    /// Whether each of some photos shows the same person as a feature of the gallery's model, of the camera of that name.
    ///
    /// # Errors
    /// [`GalleryError::Ranking`] for what is no feature, [`GalleryError::NoFeature`] for photos that could not be compared.
    pub fn by_feature(
        &self,
        feature: &[f32],
        camera: Option<&str>,
        photos: impl IntoIterator<Item = PhotoId>,
    ) -> Result<Vec<Judged>, GalleryError> {
        let camera = camera.and_then(|camera| self.cameras.get(camera).copied());
        let query = self.tree.space().place(feature, feature.len(), &[camera])?;
        self.judged(&query, photos)
    }

    /// Whether each of some photos shows a person, by their confirmed photos, or the suggested ones where none is confirmed.
    ///
    /// # Errors
    /// [`GalleryError::NoFeature`] for photos that could not be compared.
    pub fn by_person(
        &self,
        person: PersonId,
        photos: impl IntoIterator<Item = PhotoId>,
    ) -> Result<Vec<Judged>, GalleryError> {
        let theirs = |confirmed: bool| -> Vec<usize> {
            let is = |standing: Standing| standing.person == Some(person) && standing.confirmed == confirmed;
            (0..self.photos.len()).filter(|&place| is(self.photos[place].1)).collect()
        };
        let mut count = theirs(true);
        if count.is_empty() {
            count = theirs(false);
        }
        self.judged(&self.tree.features().select(&count), photos)
    }

    fn judged(
        &self,
        queries: &Features,
        photos: impl IntoIterator<Item = PhotoId>,
    ) -> Result<Vec<Judged>, GalleryError> {
        let place = |photo: PhotoId| {
            self.photos.binary_search_by_key(&photo, |(photo, _)| *photo).map_err(|_| GalleryError::NoFeature(photo))
        };
        let places = photos.into_iter().map(place).collect::<Result<Vec<_>, _>>()?;
        let unknown = || vec![Judged::default(); places.len()];
        Ok(self.judge.map_or_else(unknown, |judge| judge.judge(queries, &self.tree.features().select(&places))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gallery::Act;
    use crate::gallery::grouping::Verdict;
    use crate::gallery::tests::{gallery_of, ids};
    use crate::ranking::quiet;

    #[test]
    fn photos_are_judged_by_a_feature_and_by_a_person() {
        let bases = [[1.0, 0.2, 0.0, 0.1], [0.2, 1.0, 0.1, 0.0], [0.0, 0.1, 1.0, 0.3]];
        let row = |photo: usize, shift: f32| -> Vec<f32> {
            bases[photo / 6].iter().zip([1.0, -1.0, 0.5, 2.0]).map(|(own, way)| own + shift * way).collect()
        };
        let rows: Vec<Vec<f32>> =
            (0..18).map(|photo| row(photo, [0.03, -0.05, 0.08, -0.02, 0.05, 0.01][photo % 6])).collect();
        let (mut gallery, photos) = gallery_of(&rows, &["a"; 18]);
        let ada = Act::Enrol { name: Some("Ada".into()), photos: photos[..3].to_vec(), despite: false };
        let ada = gallery.act(ada).expect("enrolled")[0];
        let judging = gallery.judging(Cameras::Centre, &mut quiet).expect("photos");
        let asked = ids(&photos, &[5, 7, 13]);
        for judged in [
            judging.by_feature(&row(1, 0.02), Some("a"), asked.clone()).expect("a feature"),
            judging.by_person(ada, asked).expect("photos"),
        ] {
            assert_eq!(judged[0].verdict, Verdict::Same, "{judged:?}");
            assert!(judged[1..].iter().all(|judged| judged.verdict == Verdict::Different), "{judged:?}");
            assert!(judged[0].probability > Some(0.9) && judged[1].probability < Some(0.1), "{judged:?}");
        }
        let judgement = judging.judgement().expect("groups");
        assert!(judgement.wrong_same.is_some_and(|share| share < 0.1), "{judgement:?}");
        let nobody = PhotoId(99);
        assert_eq!(judging.by_person(ada, [nobody]), Err(GalleryError::NoFeature(nobody)));
        let (one, photos) = gallery_of(&rows[..1], &[]);
        let judging = one.judging(Cameras::None, &mut quiet).expect("a photo");
        assert_eq!(judging.judgement(), None);
        assert_eq!(judging.by_feature(&rows[0], None, photos).expect("a feature"), [Judged::default()]);
    }
}
