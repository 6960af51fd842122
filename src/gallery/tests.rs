//! What acts do, as a user would see it.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::*;

/// The fingerprint of the model in all of these tests.
pub const MODEL: &str = "00112233445566778899aabbccddeeff";

/// The photo `number`, which has a content of its own.
pub fn new_photo(number: usize, feature: &[f32]) -> NewPhoto {
    let photo = Photo::new(format!("{number}.jpg"), ContentHash::of(&number.to_le_bytes()));
    NewPhoto { photo, feature: Some(feature.to_vec()), thumbnail: None }
}

/// A gallery of photos with these features, of the cameras of those names.
pub fn gallery_of(features: &[Vec<f32>], cameras: &[&str]) -> (Gallery, Vec<PhotoId>) {
    let model = Model { fingerprint: MODEL.into(), dim: features.first().map_or(2, Vec::len) };
    let mut gallery = Gallery::new(model, Precision::F32);
    let photos = features.iter().enumerate().map(|(number, feature)| {
        let mut new = new_photo(number, feature);
        new.photo.camera = cameras.get(number).map(|&camera| camera.to_owned());
        new
    });
    let photos = gallery.add(MODEL, photos.collect()).expect("photos");
    (gallery, photos)
}

pub fn ids(photos: &[PhotoId], places: &[usize]) -> Vec<PhotoId> {
    places.iter().map(|&place| photos[place]).collect()
}

/// A gallery of so many photos.
fn gallery(count: usize) -> (Gallery, Vec<PhotoId>) {
    gallery_of(&vec![vec![1.0, 0.0]; count], &[])
}

impl Gallery {
    #[track_caller]
    fn does(&mut self, act: Act) -> Vec<PersonId> {
        self.act(act).unwrap_or_else(|error| panic!("{error}"))
    }

    #[track_caller]
    fn enrols(&mut self, name: &str, photos: &[PhotoId]) -> PersonId {
        self.does(Act::Enrol { name: Some(name.into()), photos: photos.to_vec(), despite: false })[0]
    }

    #[track_caller]
    fn answers_of(&mut self, a: PhotoId, b: PhotoId, answer: Answer) -> Vec<PersonId> {
        self.does(Act::Answer { a: vec![a], b: vec![b], answer, despite: false })
    }

    fn between(&self, a: PhotoId, b: PhotoId) -> Option<Answer> {
        self.relations().between(a, b)
    }
}

#[test]
fn the_same_file_is_the_same_photo() {
    let (mut gallery, photos) = gallery(2);
    assert_eq!(photos, [PhotoId(0), PhotoId(1)]);
    let again =
        gallery.add(MODEL, vec![new_photo(1, &[5.0, 5.0]), new_photo(2, &[0.0, 1.0]), new_photo(2, &[0.0, 1.0])]);
    assert_eq!(again, Ok(vec![PhotoId(1), PhotoId(2), PhotoId(2)]));
    assert_eq!(gallery.count(), 3);
    assert_eq!(gallery.feature(PhotoId(1)).expect("kept").as_ref(), [1.0, 0.0], "as it was");
    assert_eq!(gallery.done().last(), Some(&Act::Add { photos: vec![PhotoId(2)] }));
    gallery.undo();
    assert_eq!((gallery.count(), gallery.feature(PhotoId(2)).map_err(|error| error.code())), (2, Err("no-photo")));
    // It is known what it was, until something else is done.
    assert_eq!(gallery.add(MODEL, vec![new_photo(2, &[0.0, 1.0])]), Ok(vec![PhotoId(2)]));
    gallery.undo();
    gallery.does(Act::Hide { photos: vec![PhotoId(0)], hidden: true });
    assert_eq!(gallery.add(MODEL, vec![new_photo(2, &[0.0, 1.0])]), Ok(vec![PhotoId(3)]), "numbers are given once");
}

#[test]
fn features_of_another_model_are_refused() {
    let (mut gallery, _) = gallery(1);
    let error = gallery.add("another", vec![new_photo(7, &[1.0, 0.0])]).expect_err("another model");
    assert_eq!(error, GalleryError::OtherModel { expected: MODEL.into(), found: "another".into() });
    assert_eq!(
        gallery.set_feature("another", PhotoId(0), &[1.0, 0.0]).map_err(|error| error.code()),
        Err("other-model")
    );
    let error = gallery.add(MODEL, vec![new_photo(7, &[1.0, 0.0]), new_photo(8, &[1.0])]).expect_err("too short");
    assert_eq!(error, GalleryError::Dimension { expected: 2, found: 1 });
    assert_eq!(gallery.count(), 1, "not even the good ones");
    let mut without = new_photo(7, &[]);
    without.feature = None;
    assert_eq!(gallery.add("another", vec![without]).expect("no feature").len(), 1);
}

#[test]
fn another_model_keeps_people_and_answers() {
    let (mut gallery, photos) = gallery(3);
    let ada = gallery.enrols("Ada", &photos[..1]);
    gallery.answers_of(photos[0], photos[1], Answer::Different);
    gallery.change_model(Model { fingerprint: "tuned".into(), dim: 3 }, Precision::F16);
    assert_eq!(gallery.without_features(), photos);
    assert_eq!((gallery.comparable(), gallery.between(photos[0], photos[1])), (vec![], Some(Answer::Different)));
    gallery.set_feature("tuned", photos[0], &[1.0, 2.0, 3.0]).expect("of the new model");
    // Or by the files once more.
    gallery.add("tuned", vec![new_photo(1, &[4.0, 5.0, 6.0])]).expect("of the new model");
    assert_eq!(gallery.without_features(), photos[2..]);
    assert_eq!(gallery.feature(photos[1]).expect("extracted").as_ref(), [4.0, 5.0, 6.0]);
    assert_eq!(gallery.person(ada).expect("stays").confirmed, photos[..1]);
    assert_eq!(gallery.undo().map(|act| matches!(act, Act::Answer { .. })), Some(true), "extraction is no act");
}

#[test]
fn names_are_trimmed_and_taken_once() {
    let (mut gallery, photos) = gallery(3);
    let ada = gallery.enrols("  Ada \n", &photos[..1]);
    let other = gallery.does(Act::Enrol { name: Some(" ".into()), photos: photos[1..2].to_vec(), despite: false })[0];
    assert_eq!((gallery.people()[0].name.as_deref(), gallery.people()[1].name.as_deref()), (Some("Ada"), None));
    let name = |person, name: &str| Act::Name { person, name: Some(name.into()) };
    let taken = GalleryError::NameTaken { name: "Ada".into(), person: ada };
    assert_eq!(gallery.act(name(other, "ADA ")), Err(taken.clone()));
    assert_eq!(
        gallery.act(Act::Enrol { name: Some("ada".into()), photos: photos[2..].to_vec(), despite: false }),
        Err(taken)
    );
    gallery.does(name(ada, "ADA"));
    assert_eq!((gallery.named("ada"), gallery.named("Bob")), (Some(ada), None));
    gallery.does(Act::Name { person: ada, name: None });
    assert_eq!(gallery.does(name(other, "Ada")), [other]);
}

#[test]
fn whoever_gets_a_name_has_a_confirmed_photo() {
    let (mut gallery, photos) = gallery(3);
    let group = gallery.set_groups(vec![photos.clone()], vec![]).expect("groups")[0];
    gallery.does(Act::Cover { person: group, photo: Some(photos[1]) });
    gallery.does(Act::Name { person: group, name: Some("Ada".into()) });
    let ada = gallery.person(group).expect("there");
    assert_eq!((ada.cover, ada.confirmed, ada.suggested), (Some(photos[1]), vec![photos[1]], ids(&photos, &[0, 2])));
    let error = gallery.act(Act::Cover { person: group, photo: Some(PhotoId(9)) });
    assert_eq!(error, Err(GalleryError::NoPhoto(PhotoId(9))));
    gallery.does(Act::Release { photos: vec![photos[0]] });
    let error = gallery.act(Act::Cover { person: group, photo: Some(photos[0]) });
    assert_eq!(error, Err(GalleryError::NotTheirs { photo: photos[0], person: group }));
}

#[test]
fn photos_of_somebody_come_in_one_step_or_not_at_all() {
    let (mut gallery, p) = gallery(2);
    gallery.enrols("Bob", &p[..1]);
    gallery.answers_of(p[0], p[1], Answer::Different);
    let before = gallery.clone();
    let (photos, ada) =
        gallery.enrol(MODEL, "Ada", vec![new_photo(1, &[1.0, 0.0]), new_photo(2, &[1.0, 0.0])]).expect("new");
    assert_eq!((photos, gallery.person(ada).expect("new").confirmed), (vec![p[1], PhotoId(2)], vec![p[1], PhotoId(2)]));
    gallery.undo();
    assert_eq!(gallery.state, before.state);
    // What cannot be leaves even what was undone.
    let error = gallery.enrol(MODEL, "bob", vec![new_photo(3, &[1.0, 0.0]), new_photo(1, &[1.0, 0.0])]);
    assert_eq!(error.map_err(|error| error.code()), Err("conflict"));
    assert_eq!((&gallery.state, gallery.known.len()), (&before.state, 3));
    assert!(gallery.redo().is_some() && gallery.person(ada).is_ok());
}

#[test]
fn what_is_the_same_and_different_is_transitive() {
    let (mut gallery, p) = gallery(6);
    let person = gallery.answers_of(p[0], p[1], Answer::Same)[0];
    assert_eq!(gallery.answers_of(p[1], p[2], Answer::Same), [person]);
    assert_eq!(gallery.between(p[0], p[2]), Some(Answer::Same));
    gallery.answers_of(p[2], p[3], Answer::Different);
    assert_eq!(gallery.between(p[0], p[3]), Some(Answer::Different));
    gallery.answers_of(p[3], p[4], Answer::Same);
    assert_eq!(gallery.between(p[4], p[1]), Some(Answer::Different));
    gallery.answers_of(p[5], p[0], Answer::Unsure);
    assert_eq!(gallery.between(p[5], p[2]), Some(Answer::Unsure), "nobody knew, and is not asked again");
    assert_eq!(gallery.between(p[5], p[4]), None);
    assert_eq!(gallery.relations().between_sets(&p[5..], &p[..5]), Some(Answer::Unsure));
    assert_eq!(gallery.relations().between_sets(&[p[5], p[4]], &p[..1]), Some(Answer::Different));
    let links = gallery.links(&[p[4], p[5], p[1], p[0], p[3]]);
    assert_eq!(links, Links { same: vec![vec![2, 3], vec![0, 4]], different: vec![[2, 4]], named: vec![] });
    // What was learnt by a photo stays when it goes.
    gallery.does(Act::Remove { photos: vec![p[2], p[3]] });
    assert_eq!(gallery.between(p[4], p[1]), Some(Answer::Different));
    assert_eq!(gallery.links(&[p[4], p[0]]).different, [[1, 0]]);
}

/// A cut of the picture with this number.
fn cut(number: usize, x: f32, width: f32) -> NewPhoto {
    let mut photo = new_photo(number, &[1.0, 0.0]);
    photo.photo.person_box = Some(PersonBox { x, y: 0.0, width, height: 100.0 });
    photo
}

#[test]
fn who_stands_in_one_picture_is_different_unless_a_user_says_otherwise() {
    let (mut gallery, _) = gallery(0);
    // The third is most of the first; the fourth stands in another picture, the last is a whole one.
    let photos =
        vec![cut(7, 0.0, 40.0), cut(7, 60.0, 40.0), cut(7, 0.0, 28.0), cut(8, 60.0, 40.0), new_photo(7, &[1.0, 0.0])];
    let p = gallery.add(MODEL, photos).expect("photos");
    let apart = [[0, 1], [1, 2]];
    assert_eq!(gallery.links(&p).different, apart);
    for (a, b) in (0..5).flat_map(|a| (a + 1..5).map(move |b| (a, b))) {
        let expected = apart.contains(&[a, b]).then_some(Answer::Different);
        assert_eq!(gallery.between(p[a], p[b]), expected, "{a} {b}");
    }
    // It holds for whomever they are confirmed to be.
    gallery.answers_of(p[1], p[3], Answer::Same);
    assert_eq!(gallery.between(p[0], p[3]), Some(Answer::Different));
    assert_eq!(gallery.links(&[p[0], p[3]]).different, [] as [[usize; 2]; 0]);
    assert_eq!(gallery.links(&[p[3], p[0], p[1]]).different, [[1, 2]]);
    // A mirror.
    gallery.answers_of(p[0], p[1], Answer::Same);
    assert_eq!(gallery.between(p[0], p[1]), Some(Answer::Same));
    assert_eq!(gallery.links(&p[..2]).different, [] as [[usize; 2]; 0]);
}

#[test]
fn a_box_that_differs_by_rounding_is_the_same_photo() {
    let (mut gallery, _) = gallery(0);
    let p = gallery.add(MODEL, vec![cut(7, 10.0, 40.0), cut(7, 60.0, 40.0)]).expect("photos");
    let again = [cut(7, 10.01, 40.0), cut(7, 56.0, 40.0), cut(7, 65.0, 40.0), cut(8, 10.0, 40.0)];
    let again = gallery.add(MODEL, again.to_vec()).expect("photos");
    assert_eq!(again, [p[0], p[1], PhotoId(2), PhotoId(3)]);
    assert_eq!(gallery.photo(p[0]).expect("there").photo.person_box.expect("a cut").x, 10.0);
    // One that was removed is itself only: the box that a user puts a little aside is another.
    gallery.act(Act::Remove { photos: vec![p[0]] }).expect("removed");
    let moved = gallery.add(MODEL, vec![cut(7, 12.0, 40.0)]).expect("photos");
    assert_eq!(gallery.photo(moved[0]).expect("there").photo.person_box.expect("a cut").x, 12.0);
    gallery.act(Act::Remove { photos: moved }).expect("removed");
    assert_eq!(gallery.add(MODEL, vec![cut(7, 10.0, 40.0)]).expect("photos"), [p[0]]);
}

#[test]
fn people_with_names_are_different() {
    let (mut gallery, p) = gallery(4);
    let [ada, bob] = [gallery.enrols("Ada", &p[..1]), gallery.enrols("Bob", &p[1..2])];
    assert_eq!(gallery.between(p[0], p[1]), Some(Answer::Different));
    assert_eq!(gallery.links(&[p[2], p[1], p[0]]).named, [2, 1]);
    let error = gallery.act(Act::Answer { a: vec![p[0]], b: vec![p[1]], answer: Answer::Same, despite: true });
    let [left, right] = error.expect_err("two names").sides().expect("two sides");
    assert_eq!([left.person, right.person], [Some(ada), Some(bob)]);
    // To say that they are one is a merge.
    gallery.does(Act::Merge { into: bob, from: ada, despite: false });
    assert_eq!((gallery.people().len(), gallery.people()[0].name.as_deref()), (1, Some("Bob")));
    assert_eq!(gallery.between(p[0], p[1]), Some(Answer::Same));
}

#[test]
fn contradictions_name_both_sides_and_change_nothing() {
    let (mut gallery, p) = gallery(4);
    let ada = gallery.enrols("Ada", &p[..2]);
    gallery.answers_of(p[1], p[2], Answer::Different);
    let before = gallery.clone();
    let sides = [Side { photo: p[1], person: Some(ada) }, Side { photo: p[2], person: None }];
    let different = GalleryError::Different { left: sides[0], right: sides[1], named: false };
    let acts = |despite| {
        [
            Act::Confirm { person: ada, photos: vec![p[2], p[3]], despite },
            Act::Answer { a: vec![p[0]], b: vec![p[2]], answer: Answer::Same, despite },
            Act::Enrol { name: None, photos: vec![p[1], p[2]], despite },
        ]
    };
    for act in acts(false) {
        assert_eq!(gallery.act(act), Err(different.clone()));
    }
    assert_eq!((different.code(), different.sides()), ("conflict", Some(sides)));
    let error = gallery.act(Act::Answer { a: vec![p[0]], b: vec![p[1]], answer: Answer::Different, despite: false });
    assert!(matches!(error, Err(GalleryError::Same { person, .. }) if person == ada), "{error:?}");
    assert_eq!((gallery.people(), gallery.done().count()), (before.people(), before.done().count()));
    for act in acts(true) {
        let mut gallery = before.clone();
        gallery.does(act);
        assert_eq!(gallery.between(p[1], p[2]), Some(Answer::Same), "said with open eyes");
    }
}

#[test]
fn a_photo_that_was_taken_out_does_not_come_back() {
    let (mut gallery, p) = gallery(4);
    let ada = gallery.enrols("Ada", &p[..2]);
    gallery.set_groups(vec![p.clone()], vec![]).expect("groups");
    assert_eq!(gallery.person(ada).expect("there").suggested, p[2..]);
    gallery.does(Act::Release { photos: vec![p[2]] });
    assert_eq!((gallery.unsure(), gallery.between(p[1], p[2])), (vec![p[2]], Some(Answer::Different)));
    assert_eq!(gallery.links(&p).different, [[0, 2]]);
    // A group of one has nobody else to differ from.
    let alone = gallery.enrols("Bob", &p[2..3]);
    gallery.does(Act::Release { photos: vec![p[2]] });
    assert!(gallery.person(alone).is_ok_and(|bob| bob.confirmed.is_empty()), "a name is kept without photos");
}

#[test]
fn a_split_makes_people_who_differ() {
    let (mut gallery, p) = gallery(5);
    let ada = gallery.enrols("Ada", &p);
    let parts = gallery.does(Act::Split { parts: vec![ids(&p, &[1, 2]), ids(&p, &[3])] });
    assert_eq!(gallery.person(ada).expect("stays").confirmed, ids(&p, &[0, 4]));
    assert_eq!(gallery.person(parts[0]).expect("new").confirmed, ids(&p, &[1, 2]));
    for [a, b] in [[0, 1], [4, 2], [2, 3], [0, 3]] {
        assert_eq!(gallery.between(p[a], p[b]), Some(Answer::Different), "{a} {b}");
    }
    assert_eq!(gallery.act(Act::Split { parts: vec![vec![p[0]], vec![p[0]]] }), Err(GalleryError::Twice(p[0])));
    assert_eq!(gallery.act(Act::Split { parts: vec![vec![]] }), Err(GalleryError::NoPhotosGiven));
    gallery.undo();
    assert_eq!(gallery.person(ada).expect("stays").confirmed, p);
}

#[test]
fn a_merge_of_guesses_lasts() {
    let (mut gallery, p) = gallery(4);
    let people = gallery.set_groups(vec![ids(&p, &[0, 1]), ids(&p, &[2, 3])], vec![]).expect("groups");
    gallery.does(Act::Merge { into: people[1], from: people[0], despite: false });
    assert_eq!(gallery.links(&p).same, [vec![0, 2]]);
    assert!(gallery.person(people[0]).is_err());
    // Groups apart again: what was merged stays together.
    gallery.set_groups(vec![ids(&p, &[0, 2, 1]), ids(&p, &[3])], vec![]).expect("groups");
    let merged = gallery.person(people[1]).expect("stays");
    assert_eq!((merged.confirmed, merged.suggested), (ids(&p, &[0, 2]), vec![p[1]]));
}

#[test]
fn groups_are_suggestions_around_what_is_confirmed() {
    let (mut gallery, p) = gallery(8);
    let ada = gallery.enrols("Ada", &p[..2]);
    let groups = gallery.set_groups(vec![ids(&p, &[0, 1, 2]), ids(&p, &[3, 4, 5])], ids(&p, &[6])).expect("groups");
    assert_eq!(groups[0], ada);
    assert_eq!(
        (gallery.person(groups[1]).expect("new").suggested, gallery.unsure()),
        (ids(&p, &[3, 4, 5]), p[6..].to_vec())
    );
    // The confirmed ones do not move, whatever a grouping says; who stays mostly the same stays who it was.
    let again = gallery.set_groups(vec![ids(&p, &[2, 6]), ids(&p, &[5, 4])], ids(&p, &[0, 1, 3])).expect("groups");
    assert_eq!(again[1], groups[1]);
    assert!(![ada, groups[1]].contains(&again[0]), "Ada has none of these confirmed");
    assert_eq!(gallery.person(ada).expect("stays").confirmed, p[..2]);
    assert_eq!(gallery.unsure(), ids(&p, &[3, 7]));
    // As a slider moves: one undo.
    let acts = gallery.done().count();
    for at in 2..7 {
        gallery.set_groups(vec![p[2..=at].to_vec()], vec![]).expect("groups");
    }
    assert_eq!(gallery.done().count(), acts);
    gallery.undo();
    assert_eq!((gallery.unsure(), gallery.people().len()), (p[2..].to_vec(), 1));
    assert_eq!(gallery.set_groups(vec![vec![]], vec![]), Err(GalleryError::NoPhotosGiven));
    assert_eq!(gallery.set_groups(vec![vec![p[0]]], vec![p[0]]), Err(GalleryError::Twice(p[0])));
}

#[test]
fn an_answer_about_groups_brings_all_of_them_along() {
    let (mut gallery, p) = gallery(6);
    let groups = gallery.set_groups(vec![ids(&p, &[0, 1, 2]), ids(&p, &[3, 4, 5])], vec![]).expect("groups");
    let same = Act::Answer { a: ids(&p, &[0, 1]), b: ids(&p, &[3]), answer: Answer::Same, despite: false };
    assert_eq!(gallery.does(same), groups[..1]);
    let one = gallery.person(groups[0]).expect("stays");
    assert_eq!((one.confirmed, one.suggested), (ids(&p, &[0, 1, 3]), ids(&p, &[2, 4, 5])));
    // "Is this them?" — no.
    gallery.answers_of(p[0], p[4], Answer::Different);
    assert_eq!((gallery.unsure(), gallery.between(p[3], p[4])), (vec![p[4]], Some(Answer::Different)));
    let answers: Vec<_> = gallery.answers().collect();
    assert_eq!(answers[1], ([p[0], p[4]], Answer::Different));
    assert_eq!(answers.iter().filter(|(_, answer)| *answer == Answer::Same).count(), 2);
}

#[test]
fn removed_photos_come_back_with_all_they_had_until_history_is_forgotten() {
    let (mut gallery, p) = gallery(3);
    let ada = gallery.enrols("Ada", &p[..2]);
    gallery.does(Act::Cover { person: ada, photo: Some(p[1]) });
    let before = gallery.clone();
    gallery.does(Act::Remove { photos: vec![p[1]] });
    assert_eq!((gallery.count(), gallery.person(ada).expect("stays").cover), (2, Some(p[0])));
    gallery.undo();
    assert_eq!(gallery.state, before.state);
    gallery.redo();
    gallery.forget_history();
    assert_eq!((gallery.known.len(), gallery.features.photos().len(), gallery.undo()), (2, 2, None));
}

#[test]
fn hidden_photos_are_kept_and_not_shown() {
    let (mut gallery, p) = gallery(2);
    let ada = gallery.enrols("Ada", &p);
    gallery.does(Act::Hide { photos: vec![p[0]], hidden: true });
    assert_eq!((gallery.person(ada).expect("there").confirmed, gallery.comparable()), (vec![p[1]], vec![p[1]]));
    assert_eq!(gallery.people()[0].confirmed, [p[1]]);
    gallery.does(Act::Hide { photos: vec![p[0]], hidden: false });
    assert_eq!(gallery.person(ada).expect("there").confirmed, p);
    gallery.does(Act::Dissolve { person: ada });
    assert_eq!((gallery.unsure(), gallery.people().len()), (p, 0));
}

#[test]
fn views_are_camel_case_and_acts_are_plain_objects() {
    let (mut gallery, p) = gallery_of(&[vec![1.0, 2.0]], &["gate"]);
    let act: Act = serde_json::from_str(r#"{"act":"enrol","name":"Ada","photos":[0]}"#).expect("an act");
    gallery.does(act);
    let photo = serde_json::to_value(gallery.photo(p[0]).expect("there")).expect("JSON");
    let expected = serde_json::json!({
        "id": 0, "name": "0.jpg", "hash": ContentHash::of(&0_usize.to_le_bytes()).to_string(), "camera": "gate",
        "person": 0, "confirmed": true, "hasFeature": true, "hasThumbnail": false,
    });
    assert_eq!(photo, expected);
    let people = serde_json::to_value(gallery.people()).expect("JSON");
    assert_eq!(people, serde_json::json!([{ "id": 0, "name": "Ada", "cover": 0, "confirmed": [0], "suggested": [] }]));
}

/// A random act, good or bad.
fn random_act(rng: &mut ChaCha8Rng, gallery: &Gallery) -> Act {
    let mut some = |most: usize| -> Vec<PhotoId> {
        (0..rng.random_range(0..=most)).map(|_| PhotoId(rng.random_range(0..24))).collect()
    };
    let (photos, a, b, c) = (some(4), some(2), some(2), some(8));
    let mut person = || PersonId(rng.random_range(0..gallery.next_person.max(1)));
    let (person, other) = (person(), person());
    let despite = rng.random_bool(0.3);
    let name = rng.random_bool(0.7).then(|| ["Ada", "Bob", "Cy", " "][rng.random_range(0..4)].to_owned());
    match rng.random_range(0..16) {
        0 => Act::Add { photos },
        1 => Act::Remove { photos },
        2 => Act::Enrol { name, photos, despite },
        3 => Act::Confirm { person, photos, despite },
        4 => Act::Move { person, photos, despite },
        5 => Act::Release { photos },
        6 => Act::Split { parts: vec![a, b] },
        7 => Act::Merge { into: person, from: other, despite },
        8 => Act::Name { person, name },
        9 => Act::Dissolve { person },
        10 => Act::Hide { photos, hidden: despite },
        11 => Act::Cover { person, photo: photos.first().copied() },
        12 => Act::Answer { a, b, answer: Answer::Same, despite },
        13 => Act::Answer { a, b, answer: Answer::Different, despite },
        14 => Act::Answer { a, b, answer: Answer::Unsure, despite },
        _ => Act::Group { groups: vec![c, photos], unsure: a },
    }
}

/// What must hold of every gallery.
#[track_caller]
fn check(gallery: &Gallery) {
    let state = &gallery.state;
    for (photo, standing) in &state.photos {
        assert!(gallery.known.contains_key(photo) && (standing.person.is_some() || !standing.confirmed));
        assert!(standing.person.is_none_or(|person| state.people.contains_key(&person)), "{photo}");
    }
    for (&id, person) in &state.people {
        let photos = state.photos_of(id);
        assert!(person.name.is_some() || !photos.is_empty(), "{id} is nobody");
        assert!(person.cover.is_none_or(|cover| photos.contains(&cover)), "{id}");
    }
    let names: Vec<String> =
        state.people.values().filter_map(|person| Some(person.name.as_ref()?.to_lowercase())).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    for ([a, b], answer) in &state.answers {
        let one = state.confirmed_for(*a).is_some_and(|person| state.confirmed_for(*b) == Some(person));
        assert!(a < b && (*answer != Answer::Different || !one), "{a} and {b} are the same and different");
    }
    let all: Vec<PhotoId> = state.photos.keys().copied().collect();
    let Links { same, different, .. } = gallery.links(&all);
    let set = |place: usize| same.iter().position(|set| set.contains(&place));
    assert!(different.iter().all(|[a, b]| a != b && (set(*a).is_none() || set(*a) != set(*b))));
}

#[test]
fn whatever_was_done_can_be_undone_and_redone_across_saving() {
    for seed in 0..60 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (mut gallery, _) = gallery(16);
        let mut later: Vec<NewPhoto> = (16..24).map(|number| new_photo(number, &[0.0, 1.0])).collect();
        let mut refused = 0;
        for step in 0..120 {
            let before = gallery.clone();
            if rng.random_ratio(1, 15) && !later.is_empty() {
                gallery.add(MODEL, vec![later.remove(0)]).expect("a photo");
            } else if rng.random_ratio(1, 6) {
                for _ in 0..rng.random_range(0..4) {
                    gallery.undo();
                }
            } else if rng.random_ratio(1, 8) {
                gallery.redo();
            } else if gallery.act(random_act(&mut rng, &gallery)).is_err() {
                refused += 1;
                assert_eq!(
                    (&gallery.state, &gallery.history),
                    (&before.state, &before.history),
                    "seed {seed}, step {step}"
                );
            }
            check(&gallery);
            if rng.random_ratio(1, 30) {
                let opened = Gallery::from_bytes(&gallery.to_bytes().expect("writable")).expect("readable");
                assert_eq!((&opened.gallery, opened.losses), (&gallery, vec![]));
                gallery = opened.gallery;
            }
        }
        assert!((5..100).contains(&refused), "{refused} of 120 acts were refused: the test is about the others, too");
        let end = gallery.state.clone();
        let undone = std::iter::from_fn(|| gallery.undo().map(drop)).count();
        assert_eq!(gallery.state, State::default());
        check(&gallery);
        for _ in 0..undone {
            gallery.redo();
            check(&gallery);
        }
        assert_eq!(gallery.state, end);
    }
}
