//! A gallery, as the package's worker holds it. Photos and people go over the boundary by their numbers.

use std::collections::{BTreeMap, BTreeSet};

use js_sys::{Array, Float32Array, Int32Array, Uint8Array, Uint32Array};
use serde::{Deserialize, Serialize};
use tsify::{Ts, Tsify};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;

use super::failure::{Failure, bad};
use super::objects::{from_js, to_js, to_js_together};
use crate::gallery::{
    self, Act, ContentHash, GalleryError, Links, Loss, Model, NewPhoto, PersonBox, PersonId, Photo, PhotoId, PhotoView,
    Search,
};
use crate::ranking::Cameras;
use crate::weights::Precision;

/// Photos, their features, and who is who.
#[wasm_bindgen]
pub struct Gallery {
    gallery: gallery::Gallery,
    losses: Vec<Loss>,
    /// The last search that was made, while the gallery is as it was.
    search: Option<(Cameras, Search)>,
    /// How often features have been replaced.
    replaced: u32,
}

/// What can be told of a gallery in a few words.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct GalleryStatus<'a> {
    /// Of the model whose features it holds.
    fingerprint: &'a str,
    dim: usize,
    photos: usize,
    without_features: usize,
    /// The acts that undo takes back and redo does again, by their names.
    #[tsify(optional, type = "GalleryActName | undefined")]
    undo: Option<&'static str>,
    #[tsify(optional, type = "GalleryActName | undefined")]
    redo: Option<&'static str>,
}

/// A part of a `.reid` file that could not be read. Everything else is there.
#[derive(Serialize, Tsify)]
pub struct GalleryLoss {
    /// Features are extracted again, thumbnails come with the photos; what was done before cannot be undone.
    #[tsify(type = "\"features\" | \"thumbnails\" | \"history\"")]
    part: &'static str,
    /// For people, with what to do.
    message: String,
}

/// What tells a photo from others.
#[derive(Deserialize, Tsify)]
pub struct PhotoKey {
    #[tsify(type = "string")]
    hash: ContentHash,
    #[serde(default, rename = "box")]
    #[tsify(optional, type = "PersonBox | undefined")]
    person_box: Option<PersonBox>,
}

/// What is grouped.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct GroupingInput {
    #[serde(with = "serde_wasm_bindgen::preserve")]
    #[tsify(type = "Uint32Array<ArrayBuffer>")]
    photos: Uint32Array,
    /// `[photos, dim]`
    #[serde(with = "serde_wasm_bindgen::preserve")]
    #[tsify(type = "Float32Array<ArrayBuffer>")]
    rows: Float32Array,
    dim: usize,
    /// The number of each photo's camera from 0, −1 where it is unknown.
    #[serde(with = "serde_wasm_bindgen::preserve")]
    #[tsify(type = "Int32Array<ArrayBuffer>")]
    cameras: Int32Array,
    /// By their numbers.
    camera_names: Vec<String>,
    links: Links,
    /// While it is the same, so are the groups.
    key: String,
}

/// The acts by their names, and what a gallery keeps features in.
#[wasm_bindgen(typescript_custom_section)]
const NAMES: &str = r#"
/** The name of something that was done. */
export type GalleryActName =
  | "add" | "remove" | "enrol" | "confirm" | "move" | "release" | "split" | "merge" | "name" | "dissolve" | "hide" | "cover"
  | "answer" | "import" | "group";

/** What a gallery keeps features in: with "f16" in half the memory, and their similarities move by less than 0.001. */
export type GalleryPrecision = "f32" | "f16";
"#;

/// A photo that was found.
#[derive(Serialize, Tsify)]
pub struct FoundPhoto<'a> {
    photo: PhotoView<'a>,
    /// Whom it is taken for.
    #[tsify(optional, type = "Somebody | undefined")]
    person: Option<Somebody>,
    /// The cosine of the features, −1…1; for a person, the largest with one of their photos. Not a probability.
    score: f32,
}

#[derive(Clone, Serialize, Tsify)]
pub struct Somebody {
    id: PersonId,
    #[tsify(optional, type = "string | undefined")]
    name: Option<String>,
}

#[wasm_bindgen]
impl Gallery {
    /// An empty one for the features of a model, which it keeps as "f32" or "f16".
    ///
    /// # Errors
    /// `{ code, message }`: "bad-input" for another precision.
    #[wasm_bindgen(constructor)]
    pub fn new(
        fingerprint: String,
        dim: usize,
        #[wasm_bindgen(unchecked_param_type = "GalleryPrecision")] precision: &str,
    ) -> Result<Gallery, JsValue> {
        let precision = match precision {
            "f32" => Precision::F32,
            "f16" => Precision::F16,
            _ => return Err(bad(format!("a gallery keeps features as f32 or f16, not {precision}")).into()),
        };
        Ok(Self::of(gallery::Gallery::new(Model { fingerprint, dim }, precision), Vec::new()))
    }

    /// Reads a `.reid` file as far as it can be read; `losses` tells what is missing.
    ///
    /// # Errors
    /// `{ code, message }`: "no-gallery", "newer-gallery", "damaged-gallery".
    #[wasm_bindgen(js_name = fromBytes)]
    pub fn from_bytes(bytes: &[u8]) -> Result<Gallery, JsValue> {
        let opened = gallery::Gallery::from_bytes(bytes).map_err(Failure::from)?;
        Ok(Self::of(opened.gallery, opened.losses))
    }

    /// The whole gallery as a `.reid` file.
    ///
    /// # Errors
    /// `{ code, message }`: none that a gallery could give.
    #[wasm_bindgen(js_name = toBytes, unchecked_return_type = "Uint8Array<ArrayBuffer>")]
    pub fn to_bytes(&self) -> Result<Vec<u8>, JsValue> {
        Ok(self.gallery.to_bytes().map_err(Failure::from)?)
    }

    /// What of the file could not be read: `{ part, message }` each.
    ///
    /// # Errors
    /// None.
    #[wasm_bindgen(unchecked_return_type = "GalleryLoss[]")]
    pub fn losses(&self) -> Result<JsValue, JsValue> {
        let view = |loss: &Loss| GalleryLoss { part: loss.code(), message: loss.to_string() };
        to_js(&self.losses.iter().map(view).collect::<Vec<_>>())
    }

    /// The package's `GalleryStatus`.
    ///
    /// # Errors
    /// None.
    #[wasm_bindgen(unchecked_return_type = "GalleryStatus")]
    pub fn status(&self) -> Result<JsValue, JsValue> {
        let Model { fingerprint, dim } = self.gallery.model();
        to_js(&GalleryStatus {
            fingerprint,
            dim: *dim,
            photos: self.gallery.count(),
            without_features: self.gallery.without_features().len(),
            undo: self.gallery.done().next_back().map(name),
            redo: self.gallery.undone().next().map(name),
        })
    }

    /// For each `{ hash, box }` the number of the photo with that content and box, −1 where there is none, or none with a
    /// feature.
    ///
    /// # Errors
    /// `{ code, message }`: "bad-input".
    pub fn find(
        &self,
        #[wasm_bindgen(unchecked_param_type = "readonly PhotoKey[]")] photos: JsValue,
    ) -> Result<Vec<i32>, JsValue> {
        let photos: Vec<PhotoKey> = from_js(photos)?;
        let find = |known: &PhotoKey| {
            let mut photos = self.gallery.with_content(known.hash).into_iter();
            let found = photos.find(|&photo| {
                self.gallery
                    .photo(photo)
                    .is_ok_and(|view| view.photo.person_box == known.person_box && view.has_feature)
            });
            found.map_or(-1, |photo| photo.0 as i32)
        };
        Ok(photos.iter().map(find).collect())
    }

    /// Adds photos, and confirms them for whoever has the name `person`, or for somebody new, if that is given; one act.
    /// `photos` are the package's `PhotoRecord`s, no two the same; `features` of each a `Float32Array` of the model
    /// `fingerprint`, `thumbnails` a `Uint8Array` of a small picture's file, or undefined. The number of each.
    ///
    /// # Errors
    /// `{ code, message }`: "other-model", "bad-weights" for features that are no numbers, "conflict", "bad-input".
    pub fn add(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "readonly PhotoRecord[]")] photos: JsValue,
        person: Option<String>,
        fingerprint: &str,
        #[wasm_bindgen(unchecked_param_type = "readonly (Float32Array | undefined)[]")] features: Array,
        #[wasm_bindgen(unchecked_param_type = "readonly (Uint8Array | undefined)[]")] thumbnails: Array,
    ) -> Result<Vec<u32>, JsValue> {
        let photos: Vec<Photo> = from_js(photos)?;
        let photos = (0..).zip(photos).map(|(at, photo)| NewPhoto {
            photo,
            feature: features.get(at).dyn_ref().map(Float32Array::to_vec),
            thumbnail: thumbnails.get(at).dyn_ref().map(Uint8Array::to_vec),
        });
        self.search = None;
        let photos = photos.collect();
        let photos = match person {
            Some(name) => self.gallery.enrol(fingerprint, &name, photos).map(|(photos, _)| photos),
            None => self.gallery.add(fingerprint, photos),
        };
        Ok(photos.map_err(Failure::from)?.into_iter().map(|photo| photo.0).collect())
    }

    /// Does an act of the package's `GalleryAct`s, as JSON, which files have it in, too. The numbers of the people that it made, or that photos are with now.
    ///
    /// # Errors
    /// `{ code, message, sides }` with which nothing was changed: "no-photo", "no-person", "name-taken", "conflict",
    /// "bad-input".
    pub fn act(&mut self, act: &str) -> Result<Vec<u32>, JsValue> {
        let act: Act = serde_json::from_str(act).map_err(bad)?;
        self.search = None;
        let people = self.gallery.act(act).map_err(Failure::from)?;
        Ok(people.into_iter().map(|person| person.0).collect())
    }

    /// Makes people of parts of a person's photos; the part with most of the confirmed ones stays the person. The numbers of the
    /// person, then of the new ones.
    ///
    /// # Errors
    /// `{ code, message, sides }` with which nothing was changed: "no-photo", "no-person", "bad-input" for fewer than two parts and
    /// for photos of others, "conflict".
    #[wasm_bindgen(js_name = splitInto)]
    pub fn split_into(
        &mut self,
        person: u32,
        #[wasm_bindgen(unchecked_param_type = "readonly (readonly PhotoId[])[]")] parts: JsValue,
    ) -> Result<Vec<u32>, JsValue> {
        let parts: Vec<Vec<PhotoId>> = from_js(parts)?;
        self.search = None;
        let people = self.gallery.split_into(PersonId(person), parts).map_err(Failure::from)?;
        Ok(people.into_iter().map(|person| person.0).collect())
    }

    /// Takes the last act back; its name.
    #[wasm_bindgen(unchecked_return_type = "GalleryActName | undefined")]
    pub fn undo(&mut self) -> Option<String> {
        self.search = None;
        self.gallery.undo().map(name).map(str::to_owned)
    }

    /// Does once more what was undone last; its name.
    #[wasm_bindgen(unchecked_return_type = "GalleryActName | undefined")]
    pub fn redo(&mut self) -> Option<String> {
        self.search = None;
        self.gallery.redo().map(name).map(str::to_owned)
    }

    /// The package's `GalleryPhoto`s: these, or all, hidden ones too.
    ///
    /// # Errors
    /// `{ code, message }`: "no-photo".
    #[wasm_bindgen(unchecked_return_type = "PhotoView[]")]
    pub fn photos(&self, photos: Option<Vec<u32>>) -> Result<JsValue, JsValue> {
        let Some(photos) = photos else { return to_js_together(&self.gallery.photos().collect::<Vec<_>>()) };
        let views: Result<Vec<_>, _> = photos.into_iter().map(|photo| self.gallery.photo(PhotoId(photo))).collect();
        to_js(&views.map_err(Failure::from)?)
    }

    /// The package's `GalleryPerson`s, those with a name first.
    ///
    /// # Errors
    /// None.
    #[wasm_bindgen(unchecked_return_type = "PersonView[]")]
    pub fn people(&self) -> Result<JsValue, JsValue> {
        to_js(&self.gallery.people())
    }

    /// The numbers of the photos of nobody that is known, without hidden ones.
    pub fn unsure(&self) -> Vec<u32> {
        self.gallery.unsure().into_iter().map(|photo| photo.0).collect()
    }

    /// The number of the person of that name, in whatever case.
    pub fn named(&self, name: &str) -> Option<u32> {
        self.gallery.named(name).map(|person| person.0)
    }

    /// The file of a photo's small picture.
    #[wasm_bindgen(unchecked_return_type = "Uint8Array<ArrayBuffer> | undefined")]
    pub fn thumbnail(&self, photo: u32) -> Option<Vec<u8>> {
        self.gallery.thumbnail(PhotoId(photo)).map(<[u8]>::to_vec)
    }

    /// The `top` photos most like a feature of the model `fingerprint`, as the package's `GalleryHit`s, the most similar first.
    /// `camera` is the query's, where it is known.
    ///
    /// # Errors
    /// `{ code, message }`: "other-model", "bad-input".
    #[wasm_bindgen(js_name = searchFeature, unchecked_return_type = "FoundPhoto[]")]
    pub fn search_feature(
        &mut self,
        feature: &[f32],
        fingerprint: Option<String>,
        camera: Option<String>,
        top: usize,
        #[wasm_bindgen(unchecked_param_type = "CameraMeans")] cameras: &str,
    ) -> Result<JsValue, JsValue> {
        let expected = &self.gallery.model().fingerprint;
        if let Some(found) = fingerprint.filter(|found| found != expected) {
            return Err(Failure::from(GalleryError::OtherModel { expected: expected.clone(), found }).into());
        }
        let hits = self.search(cameras)?.photos(feature, camera.as_deref(), top).map_err(Failure::from)?;
        self.found(hits.into_iter().map(|hit| (hit.photo, hit.similarity)))
    }

    /// The `top` photos that are not confirmed for anybody most like a person, by the best of that person's photos, as
    /// `searchFeature` has them.
    ///
    /// # Errors
    /// `{ code, message }`: "no-person", also for one without photos to compare.
    #[wasm_bindgen(js_name = searchPerson, unchecked_return_type = "FoundPhoto[]")]
    pub fn search_person(
        &mut self,
        person: u32,
        top: usize,
        #[wasm_bindgen(unchecked_param_type = "CameraMeans")] cameras: &str,
    ) -> Result<JsValue, JsValue> {
        let found = self.search(cameras)?.photos_like_person(PersonId(person), top).map_err(Failure::from)?;
        self.found(found.into_iter().map(|found| (found.photo, found.best)))
    }

    /// The `top` other photos most like one of the gallery.
    ///
    /// # Errors
    /// `{ code, message }`: "no-photo", "no-feature" for one that has no feature or is hidden.
    #[wasm_bindgen(js_name = searchPhoto, unchecked_return_type = "FoundPhoto[]")]
    pub fn search_photo(
        &mut self,
        photo: u32,
        top: usize,
        #[wasm_bindgen(unchecked_param_type = "CameraMeans")] cameras: &str,
    ) -> Result<JsValue, JsValue> {
        self.gallery.photo(PhotoId(photo)).map_err(Failure::from)?;
        let hits = self.search(cameras)?.photos_like(PhotoId(photo), top).map_err(Failure::from)?;
        self.found(hits.into_iter().map(|hit| (hit.photo, hit.similarity)))
    }

    /// What a grouping of the photos depends on, in a few digits: while it is the same, so are its groups.
    #[wasm_bindgen(js_name = groupingKey)]
    pub fn grouping_key(&self) -> String {
        let photos = self.gallery.comparable();
        let links = self.gallery.links(&photos);
        ContentHash::of(&serde_json::to_vec(&(&photos, links, self.replaced)).unwrap_or_default()).to_string()
    }

    /// What is grouped, as the package's `GroupingInput`; with somebody `doubted` as if nobody had confirmed their photos, which
    /// may be several people's.
    ///
    /// # Errors
    /// None.
    #[wasm_bindgen(js_name = groupingInput)]
    pub fn grouping_input(&self, doubted: Option<u32>) -> Result<Ts<GroupingInput>, JsValue> {
        let photos = self.gallery.comparable();
        let rows = self.gallery.rows(&photos).map_err(Failure::from)?;
        let cameras: Vec<i32> = self.gallery.cameras(&photos).into_iter().map(|camera| camera.unwrap_or(-1)).collect();
        let names = self.gallery.photos().filter_map(|view| view.photo.camera.clone()).collect::<BTreeSet<_>>();
        let links = match doubted {
            Some(person) => self.gallery.links_doubting(&photos, PersonId(person)),
            None => self.gallery.links(&photos),
        };
        let input = GroupingInput {
            photos: Uint32Array::from(&photos.iter().map(|photo| photo.0).collect::<Vec<_>>()[..]),
            rows: Float32Array::from(&rows[..]),
            dim: self.gallery.model().dim,
            cameras: Int32Array::from(&cameras[..]),
            camera_names: names.into_iter().collect(),
            links,
            key: self.grouping_key(),
        };
        Ok(input.into_ts().map_err(bad)?)
    }

    /// Features of photos, `[photos, dim]`, as the model gave them.
    ///
    /// # Errors
    /// `{ code, message }`: "no-photo", "no-feature".
    #[wasm_bindgen(unchecked_return_type = "Float32Array<ArrayBuffer>")]
    pub fn features(&self, photos: Vec<u32>) -> Result<Vec<f32>, JsValue> {
        let photos: Vec<PhotoId> = photos.into_iter().map(PhotoId).collect();
        Ok(self.gallery.rows(&photos).map_err(Failure::from)?)
    }

    /// The pairs of photos that users answered about, two numbers a pair.
    pub fn asked(&self) -> Vec<u32> {
        self.gallery.answers().flat_map(|(pair, _)| pair.map(|photo| photo.0)).collect()
    }

    /// Whether it is not known yet if two sets of photos show the same person, and nobody was asked; nobody is about photos that
    /// are gone.
    #[wasm_bindgen(js_name = isOpen)]
    pub fn is_open(&self, a: Vec<u32>, b: Vec<u32>) -> bool {
        let [a, b] = [a, b].map(|photos| photos.into_iter().map(PhotoId).collect::<Vec<_>>());
        let are_there = a.iter().chain(&b).all(|&photo| self.gallery.photo(photo).is_ok());
        are_there && self.gallery.relations().between_sets(&a, &b).is_none()
    }

    /// Turns to another model, with its features of these photos, `[photos, dim]`; people and answers stay.
    ///
    /// # Errors
    /// With which nothing was changed: `{ code, message }`: "no-photo", "bad-weights", "bad-input".
    #[wasm_bindgen(js_name = changeModel)]
    pub fn change_model(
        &mut self,
        fingerprint: String,
        dim: usize,
        photos: Vec<u32>,
        rows: &[f32],
    ) -> Result<(), JsValue> {
        if photos.len().checked_mul(dim) != Some(rows.len()) || dim == 0 {
            return Err(bad(format!("{} values are no {} features of {dim}", rows.len(), photos.len())).into());
        }
        let mut changed = self.gallery.clone();
        changed.change_model(Model { fingerprint: fingerprint.clone(), dim }, self.gallery.precision());
        for (photo, row) in photos.into_iter().zip(rows.chunks_exact(dim)) {
            changed.set_feature(&fingerprint, PhotoId(photo), row).map_err(Failure::from)?;
        }
        self.gallery = changed;
        self.search = None;
        self.replaced += 1;
        Ok(())
    }
}

impl Gallery {
    fn of(gallery: gallery::Gallery, losses: Vec<Loss>) -> Self {
        Self { gallery, losses, search: None, replaced: 0 }
    }

    fn search(&mut self, cameras: &str) -> Result<&Search, Failure> {
        let cameras: Cameras = cameras.parse().map_err(bad)?;
        let kept = self.search.take().filter(|(of, _)| *of == cameras);
        let made = match kept {
            Some(search) => search,
            None => (cameras, self.gallery.searching(cameras)?),
        };
        Ok(&self.search.insert(made).1)
    }

    /// Photos by their similarity, as the package's `GalleryHit`s.
    fn found(&self, hits: impl Iterator<Item = (PhotoId, f32)>) -> Result<JsValue, JsValue> {
        let people = self.gallery.people().into_iter();
        let people: BTreeMap<_, _> = people.map(|view| (view.id, Somebody { id: view.id, name: view.name })).collect();
        let found = hits.map(|(photo, score)| {
            let photo = self.gallery.photo(photo)?;
            let person = photo.standing.person.and_then(|person| people.get(&person)).cloned();
            Ok(FoundPhoto { photo, person, score })
        });
        to_js(&found.collect::<Result<Vec<_>, GalleryError>>().map_err(Failure::from)?)
    }
}

/// The word that an act has in JavaScript and in files.
fn name(act: &Act) -> &'static str {
    match act {
        Act::Add { .. } => "add",
        Act::Remove { .. } => "remove",
        Act::Enrol { .. } => "enrol",
        Act::Confirm { .. } => "confirm",
        Act::Move { .. } => "move",
        Act::Release { .. } => "release",
        Act::Split { .. } => "split",
        Act::Merge { .. } => "merge",
        Act::Name { .. } => "name",
        Act::Dissolve { .. } => "dissolve",
        Act::Hide { .. } => "hide",
        Act::Cover { .. } => "cover",
        Act::Answer { .. } => "answer",
        Act::Import { .. } => "import",
        Act::Group { .. } => "group",
    }
}

/// The 32 hexadecimal digits that tell a file's bytes from others'.
#[wasm_bindgen(js_name = contentHash)]
pub fn content_hash(file: &[u8]) -> String {
    ContentHash::of(file).to_string()
}
