//! Who in a gallery looks like a photo, or like a person.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Gallery, GalleryError, PersonId, PhotoId, Standing};
use crate::ranking::{Cameras, Centring, Features, FlatIndex, Found, RankingError, Scalar};
use crate::weights::Precision;

/// A gallery made ready to be searched: a copy of its features in their precision, comparable across cameras where that is
/// asked for, of length 1. It knows the gallery as it was when it was made.
pub struct Search {
    photos: Vec<(PhotoId, Standing)>,
    features: FlatIndex,
    centring: Option<Centring>,
    cameras: BTreeMap<String, i32>,
}

/// A photo that was found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Hit {
    pub photo: PhotoId,
    /// Whom it is taken for.
    pub person: Option<PersonId>,
    pub confirmed: bool,
    /// The cosine of the two features, −1 to 1; 1 is the same photo.
    pub similarity: f32,
}

/// How like a photo or another person somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonHit {
    pub person: PersonId,
    /// The largest similarity to one of the photos that count, −1 to 1.
    pub best: f32,
    /// The mean similarity to all of them.
    pub mean: f32,
    /// How many count: the confirmed ones, or the suggested ones where none is confirmed.
    pub photos: usize,
}

/// A photo that may be a person's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    pub photo: PhotoId,
    /// Whom it is taken for now.
    pub person: Option<PersonId>,
    /// The largest similarity to one of the person's photos that count, −1 to 1.
    pub best: f32,
    /// The mean similarity to all of them.
    pub mean: f32,
}

impl Gallery {
    /// Makes a search of all photos that have a feature and are not hidden. With `cameras` the mean of each camera is taken
    /// off, as [`Centring`] does it; photos of no known camera take the mean of all.
    ///
    /// # Errors
    /// [`RankingError::Memory`], and none that features which were checked when they came in could give.
    pub fn searching(&self, cameras: Cameras) -> Result<Search, GalleryError> {
        let photos = self.comparable();
        let dim = self.model().dim;
        let mut features = FlatIndex::new(
            dim,
            match self.precision() {
                Precision::F32 => Scalar::F32,
                Precision::F16 => Scalar::F16,
            },
        );
        features.reserve(photos.len())?;
        let mut centring = None;
        if cameras == Cameras::None {
            photos.iter().try_for_each(|&photo| features.add(&self.rows(&[photo])?).map_err(GalleryError::from))?;
        } else {
            let (mut rows, of) = (self.rows(&photos)?, self.cameras(&photos));
            let fitted = Centring::fit(&rows, dim, &of, &vec![true; photos.len()], cameras)?;
            fitted.apply(&mut rows, &of)?;
            features.add(&rows)?;
            centring = Some(fitted);
        }
        let standing = |photo| self.photo(photo).map(|view| (photo, view.standing));
        Ok(Search {
            photos: photos.into_iter().map(standing).collect::<Result<_, _>>()?,
            features,
            centring,
            cameras: self.camera_numbers().into_iter().map(|(name, number)| (name.to_owned(), number)).collect(),
        })
    }
}

impl Search {
    /// The `top` photos most like a feature of the gallery's model, as the model gives it, of the camera of that name. The most
    /// similar first.
    ///
    /// # Errors
    /// [`GalleryError::Dimension`] and [`GalleryError::NotANumber`] for what is no feature.
    pub fn photos(&self, feature: &[f32], camera: Option<&str>, top: usize) -> Result<Vec<Hit>, GalleryError> {
        self.hits(&self.query(feature, camera)?, top)
    }

    /// The `top` other photos most like a photo of the gallery.
    ///
    /// # Errors
    /// [`GalleryError::NoFeature`] for a photo that was not searchable when the search was made.
    pub fn photos_like(&self, photo: PhotoId, top: usize) -> Result<Vec<Hit>, GalleryError> {
        let place = self.place(photo)?;
        let query = Features::new(&self.features.row(place), self.features.dim())?;
        // One more, as it finds itself.
        let mut hits = self.hits(&query, top.saturating_add(1))?;
        hits.retain(|hit| hit.photo != photo);
        hits.truncate(top);
        Ok(hits)
    }

    /// The `top` people most like a feature, by the best of their photos.
    ///
    /// # Errors
    /// As [`photos`](Self::photos).
    pub fn people(&self, feature: &[f32], camera: Option<&str>, top: usize) -> Result<Vec<PersonHit>, GalleryError> {
        let query = self.query(feature, camera)?;
        let mut people: BTreeMap<PersonId, [Vec<f32>; 2]> = BTreeMap::new();
        for (place, (_, standing)) in self.photos.iter().enumerate() {
            if let Some(person) = standing.person {
                let similarity = self.features.similarity(place, query.row(0));
                people.entry(person).or_default()[usize::from(!standing.confirmed)].push(similarity);
            }
        }
        let mut hits: Vec<PersonHit> = people
            .into_iter()
            .map(|(person, [confirmed, suggested])| {
                let of = if confirmed.is_empty() { suggested } else { confirmed };
                let best = of.iter().copied().fold(-1.0, f32::max);
                PersonHit { person, best, mean: of.iter().sum::<f32>() / of.len().max(1) as f32, photos: of.len() }
            })
            .collect();
        hits.sort_by(|a, b| b.best.total_cmp(&a.best).then(b.mean.total_cmp(&a.mean)));
        hits.truncate(top);
        Ok(hits)
    }

    /// The `top` photos most like a person that are not confirmed for anybody, by the best similarity to one of the person's
    /// photos that count: the confirmed ones, or the suggested ones where none is confirmed. Their own suggested photos are
    /// among them.
    ///
    /// # Errors
    /// [`GalleryError::NoPerson`] for a person without searchable photos.
    pub fn photos_like_person(&self, person: PersonId, top: usize) -> Result<Vec<Candidate>, GalleryError> {
        let theirs = |confirmed: bool| {
            let is = move |s: &Standing| s.person == Some(person) && s.confirmed == confirmed;
            let places = (0..).zip(&self.photos).filter(move |(_, (_, standing))| is(standing));
            places.map(|(place, _)| place).collect::<Vec<usize>>()
        };
        let mut count = theirs(true);
        if count.is_empty() {
            count = theirs(false);
        }
        if count.is_empty() {
            return Err(GalleryError::NoPerson(person));
        }
        let theirs: Vec<Vec<f32>> = count.iter().map(|&place| self.features.row(place)).collect();
        let mut found: Vec<Candidate> = (0..self.photos.len())
            .filter(|place| !self.photos[*place].1.confirmed && count.binary_search(place).is_err())
            .map(|place| {
                let (photo, Standing { person, .. }) = self.photos[place];
                let similarities = theirs.iter().map(|theirs| self.features.similarity(place, theirs));
                let (best, sum) = similarities.fold((-1.0_f32, 0.0), |(best, sum), s| (best.max(s), sum + s));
                Candidate { photo, person, best, mean: sum / count.len() as f32 }
            })
            .collect();
        found.sort_by(|a, b| b.best.total_cmp(&a.best).then(a.photo.cmp(&b.photo)));
        found.truncate(top);
        Ok(found)
    }

    /// The cosine of two photos, −1 to 1, as all searches here have it.
    ///
    /// # Errors
    /// [`GalleryError::NoFeature`].
    pub fn similarity(&self, a: PhotoId, b: PhotoId) -> Result<f32, GalleryError> {
        Ok(self.features.similarity(self.place(a)?, &self.features.row(self.place(b)?)))
    }

    fn place(&self, photo: PhotoId) -> Result<usize, GalleryError> {
        self.photos.binary_search_by_key(&photo, |(photo, _)| *photo).map_err(|_| GalleryError::NoFeature(photo))
    }

    fn query(&self, feature: &[f32], camera: Option<&str>) -> Result<Features, GalleryError> {
        let dim = self.features.dim();
        if feature.len() != dim {
            return Err(GalleryError::Dimension { expected: dim, found: feature.len() });
        }
        let mut row = feature.to_vec();
        if let Some(centring) = &self.centring {
            centring.apply(&mut row, &[camera.and_then(|camera| self.cameras.get(camera).copied())])?;
        }
        Features::new(&row, dim).map_err(|error| match error {
            RankingError::NotFinite { .. } => GalleryError::NotANumber("the query".into()),
            error => error.into(),
        })
    }

    fn hits(&self, query: &Features, top: usize) -> Result<Vec<Hit>, GalleryError> {
        let found = self.features.search(query, top)?.into_iter().flatten();
        Ok(found
            .map(|Found { index, similarity }| {
                let (photo, Standing { person, confirmed, .. }) = self.photos[index];
                Hit { photo, person, confirmed, similarity }
            })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gallery::Act;
    use crate::gallery::tests::{gallery_of, ids, new_photo};

    /// Two people by camera `a` and camera `b`, which adds (0, 0, 10).
    fn two_people() -> (Gallery, Vec<PhotoId>) {
        let features =
            [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 0.1, 10.0], [0.1, 1.0, 10.0], [0.9, 0.1, 0.0], [0.2, 0.9, 10.0]];
        let cameras = ["a", "a", "b", "b", "a", "b"];
        gallery_of(&features.map(|feature| feature.to_vec()), &cameras)
    }

    #[test]
    fn by_a_photo_the_most_similar_come_first() {
        let (mut gallery, photos) = two_people();
        let person = gallery.act(Act::Enrol { name: Some("Ada".into()), photos: ids(&photos, &[0]), despite: false });
        let person = person.expect("enrolled")[0];
        let search = gallery.searching(Cameras::None).expect("features");
        let hits = search.photos(&[2.0, 0.0, 0.0], None, 2).expect("a feature");
        assert_eq!(hits[0], Hit { photo: photos[0], person: Some(person), confirmed: true, similarity: 1.0 });
        assert_eq!(hits[1].photo, photos[4]);
        assert!((hits[1].similarity - 0.9 / 0.82_f32.sqrt()).abs() < 1e-6, "{}", hits[1].similarity);
        let others = search.photos_like(photos[0], 9).expect("of the gallery");
        assert_eq!((others.len(), others[0].photo), (5, photos[4]), "not itself");
        assert!((search.similarity(photos[0], photos[4]).expect("both") - hits[1].similarity).abs() < 1e-6);
    }

    #[test]
    fn cameras_are_centred_where_that_is_asked() {
        let (gallery, photos) = two_people();
        let best = |cameras| {
            let search = gallery.searching(cameras).expect("features");
            let query = search.photos_like(photos[2], 1).expect("of the gallery")[0].photo;
            // A query of camera b alone is comparable with camera a's photos.
            (query, search.photos(&[1.0, 0.1, 10.0], Some("b"), 2).expect("a feature")[1].photo)
        };
        assert_eq!(best(Cameras::None), (photos[5], photos[5]), "by the camera");
        let (query, other) = best(Cameras::Centre);
        assert!([photos[0], photos[4]].contains(&query) || query == photos[5], "{query}");
        assert_eq!(query, other);
    }

    #[test]
    fn by_a_person_the_best_and_the_mean_of_what_is_confirmed() {
        let (mut gallery, photos) = two_people();
        let ada = gallery.act(Act::Enrol { name: Some("Ada".into()), photos: ids(&photos, &[0, 1]), despite: false });
        let ada = ada.expect("enrolled")[0];
        gallery.set_groups(vec![ids(&photos, &[0, 4]), ids(&photos, &[2, 3])], vec![]).expect("groups");
        let search = gallery.searching(Cameras::None).expect("features");
        let people = search.people(&[1.0, 0.0, 0.0], None, 9).expect("a feature");
        assert_eq!(
            people[0],
            PersonHit { person: ada, best: 1.0, mean: 0.5, photos: 2 },
            "the suggested one does not count"
        );
        assert_eq!((people.len(), people[1].photos), (2, 2), "nobody confirmed one: the suggested ones count");
        let found = search.photos_like_person(ada, 9).expect("has photos");
        assert_eq!(found.len(), 4);
        assert_eq!((found[0].photo, found[0].person), (photos[4], Some(ada)));
        let [x, y] = [0.9, 0.1].map(|value: f32| value / 0.82_f32.sqrt());
        assert!((found[0].best - x).abs() < 1e-6 && (found[0].mean - (x + y) / 2.0).abs() < 1e-6, "{:?}", found[0]);
    }

    #[test]
    fn hidden_photos_and_foreign_features_are_not_found() {
        let (mut gallery, photos) = two_people();
        gallery.act(Act::Hide { photos: ids(&photos, &[0]), hidden: true }).expect("hidden");
        let search = gallery.searching(Cameras::None).expect("features");
        let hits = search.photos(&[1.0, 0.0, 0.0], None, 9).expect("a feature");
        assert!(hits.len() == 5 && hits.iter().all(|hit| hit.photo != photos[0]));
        assert_eq!(search.photos_like(photos[0], 1).map_err(|error| error.code()), Err("no-feature"));
        assert_eq!(search.photos(&[1.0], None, 1).map_err(|error| error.code()), Err("bad-input"));
        assert_eq!(search.photos(&[f32::NAN, 0.0, 0.0], None, 1).map_err(|error| error.code()), Err("bad-weights"));
        let empty = Gallery::new(gallery.model().clone(), gallery.precision());
        let none = empty.searching(Cameras::Centre).expect("nothing").photos(&[1.0, 0.0, 0.0], None, 3);
        assert_eq!(none, Ok(vec![]));
    }

    #[test]
    fn a_gallery_in_f16_is_searched_in_f16() {
        let (full, photos) = two_people();
        let mut half = Gallery::new(full.model().clone(), Precision::F16);
        let features = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.9, 0.1, 0.0]];
        let new = features.iter().enumerate().map(|(number, feature)| new_photo(number, feature)).collect();
        let added = half.add(&full.model().fingerprint, new).expect("photos");
        let search = half.searching(Cameras::None).expect("features");
        assert_eq!(search.features.scalar(), Scalar::F16);
        let hits = search.photos(&[1.0, 0.0, 0.0], None, 2).expect("a feature");
        let found: Vec<_> = hits.iter().map(|hit| hit.photo).collect();
        let like = full.searching(Cameras::None).expect("features").similarity(photos[0], photos[4]).expect("both");
        assert_eq!(found, [added[0], added[2]]);
        assert!(hits[0].similarity == 1.0 && (hits[1].similarity - like).abs() < 1e-3 && hits[1].similarity != like);
    }
}
