//! The `.reid` file: a zip of `gallery.json`, `features.safetensors` and `thumbnails/`, none compressed.
//!
//! `gallery.json` comes first, so that a file that was cut off still has who is who as long as that is whole: features can be
//! extracted again, what people said cannot. It has a version; a program reads all versions up to its own.
//! `features.safetensors` has `features` `[photos, dim]`, f32 or f16, not normalised, `photos` `[photos]`, u32, whose they are,
//! and the model's `fingerprint` in its metadata.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io::{Cursor, Read, Write};

use ::safetensors::{Dtype, SafeTensors};
use half::f16;
use serde::{Deserialize, Serialize};
use zip::read::read_zipfile_from_stream;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::history::History;
use super::photo::is_false;
use super::{Answer, Gallery, GalleryError, Model, Person, PersonId, Photo, PhotoId, Standing, check_photo};
use crate::graph::budget::{CHANNELS, within};
use crate::weights::Precision;

/// The version of [`Document`] that is written, and the newest that is read.
const VERSION: u32 = 1;
const DOCUMENT: &str = "gallery.json";
const FEATURES: &str = "features.safetensors";
const THUMBNAILS: &str = "thumbnails/";
/// How every file begins.
const SIGNATURE: &[u8] = b"PK\x03\x04";

/// A gallery from a file, and what of the file could not be read.
#[derive(Clone, Debug)]
pub struct Opened {
    pub gallery: Gallery,
    pub losses: Vec<Loss>,
}

/// A part of a file that could not be read. Everything else is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// All features, or those of some photos. [`Gallery::without_features`] tells which to extract again.
    Features(String),
    /// Small pictures. Adding the photos again brings them back.
    Thumbnails(String),
    /// What was done before cannot be undone.
    History(String),
}

impl Loss {
    /// A word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Features(_) => "features",
            Self::Thumbnails(_) => "thumbnails",
            Self::History(_) => "history",
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Features(reason) => {
                write!(f, "features are lost ({reason}); people and answers are whole: extract the photos again")
            }
            Self::Thumbnails(reason) => {
                write!(
                    f,
                    "small pictures may be lost ({reason}); everything else is whole: add the photos again for them"
                )
            }
            Self::History(reason) => {
                write!(f, "what was done cannot be undone ({reason}); the gallery itself is whole")
            }
        }
    }
}

/// `gallery.json`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    version: u32,
    model: Model,
    #[serde(with = "precision")]
    precision: Precision,
    /// The numbers that photos and people get next.
    next_photo: u32,
    next_person: u32,
    people: Vec<PersonRecord>,
    photos: Vec<PhotoRecord>,
    answers: Vec<AnswerRecord>,
    history: History,
}

/// What is looked at first.
#[derive(Deserialize)]
struct Version {
    version: u64,
}

#[derive(Serialize, Deserialize)]
struct PersonRecord {
    id: PersonId,
    #[serde(flatten)]
    person: Person,
}

#[derive(Serialize, Deserialize)]
struct PhotoRecord {
    id: PhotoId,
    #[serde(flatten)]
    photo: Photo,
    #[serde(flatten)]
    standing: Standing,
    /// Only the history has it.
    #[serde(default, skip_serializing_if = "is_false")]
    removed: bool,
}

#[derive(Serialize, Deserialize)]
struct AnswerRecord {
    photos: [PhotoId; 2],
    answer: Answer,
}

mod precision {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::weights::Precision;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub fn serialize<S: Serializer>(precision: &Precision, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(match precision {
            Precision::F32 => "f32",
            Precision::F16 => "f16",
        })
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Precision, D::Error> {
        match String::deserialize(from)?.as_str() {
            "f32" => Ok(Precision::F32),
            "f16" => Ok(Precision::F16),
            other => Err(D::Error::custom(format!("features are kept as f32 or f16, not as {other}"))),
        }
    }
}

impl Gallery {
    /// The whole gallery as a `.reid` file. The same gallery gives the same bytes.
    ///
    /// # Errors
    /// None that a gallery could give.
    pub fn to_bytes(&self) -> Result<Vec<u8>, GalleryError> {
        let unwritable = |error: &dyn fmt::Display| GalleryError::Unwritable(error.to_string());
        let document = serde_json::to_vec(&self.document()).map_err(|error| unwritable(&error))?;
        let fingerprint = ("fingerprint".to_owned(), self.model().fingerprint.clone());
        let features = self.features.to_safetensors([fingerprint].into())?;
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let mut put = |name: &str, bytes: &[u8]| {
            let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
            zip.start_file(name, stored.large_file(bytes.len() >= u32::MAX as usize))?;
            Ok::<_, zip::result::ZipError>(zip.write_all(bytes)?)
        };
        put(DOCUMENT, &document).map_err(|error| unwritable(&error))?;
        put(FEATURES, &features).map_err(|error| unwritable(&error))?;
        for (photo, thumbnail) in &self.thumbnails {
            let name = format!("{THUMBNAILS}{photo}.{}", extension(thumbnail));
            put(&name, thumbnail).map_err(|error| unwritable(&error))?;
        }
        Ok(zip.finish().map_err(|error| unwritable(&error))?.into_inner())
    }

    /// Reads a `.reid` file as far as it can be read: with the whole of its people, photos and answers, or not at all.
    ///
    /// # Errors
    /// [`GalleryError::Foreign`], [`GalleryError::Newer`], [`GalleryError::Damaged`], and [`GalleryError::TooMuch`] for files
    /// that ask for more than they hold.
    pub fn from_bytes(bytes: &[u8]) -> Result<Opened, GalleryError> {
        let Parts { document, features, thumbnails, cut } = Parts::read(bytes)?;
        let (mut gallery, mut losses) = Self::from_document(&document)?;
        match features {
            Ok(features) => losses.extend(gallery.read_features(&features).err().map(Loss::Features)),
            Err(reason) => losses.push(Loss::Features(reason)),
        }
        losses.extend(cut.map(Loss::Thumbnails));
        for (photo, thumbnail) in thumbnails {
            if gallery.known.contains_key(&photo) {
                gallery.thumbnails.insert(photo, thumbnail);
            }
        }
        Ok(Opened { gallery, losses })
    }

    fn document(&self) -> Document {
        let photos = self.known.iter().map(|(&id, photo)| {
            let standing = self.state.photos.get(&id).copied();
            PhotoRecord {
                id,
                photo: photo.clone(),
                standing: standing.unwrap_or_default(),
                removed: standing.is_none(),
            }
        });
        let people = self.state.people.iter().map(|(&id, person)| PersonRecord { id, person: person.clone() });
        let answers = self.state.answers.iter().map(|(&photos, &answer)| AnswerRecord { photos, answer });
        Document {
            version: VERSION,
            model: self.model().clone(),
            precision: self.precision(),
            next_photo: self.next_photo,
            next_person: self.next_person,
            people: people.collect(),
            photos: photos.collect(),
            answers: answers.collect(),
            history: self.history.clone(),
        }
    }

    fn from_document(bytes: &[u8]) -> Result<(Self, Vec<Loss>), GalleryError> {
        let foreign = |error: serde_json::Error| GalleryError::Foreign(format!("{DOCUMENT}: {error}"));
        let Version { version } = serde_json::from_slice(bytes).map_err(foreign)?;
        if version > u64::from(VERSION) {
            return Err(GalleryError::Newer { found: version, known: VERSION });
        }
        let document: Document =
            serde_json::from_slice(bytes).map_err(|error| damaged(format!("{DOCUMENT}: {error}")))?;
        within(|| "the gallery".into(), document.model.dim as u64, "values a feature", *CHANNELS.end() as u64)?;
        let mut gallery = Self::new(document.model, document.precision);
        for PersonRecord { id, person } in document.people {
            gallery.next_person = gallery.next_person.max(id.0.saturating_add(1));
            if gallery.state.people.insert(id, person).is_some() {
                return Err(damaged(format!("{DOCUMENT} has person {id} twice")));
            }
        }
        for PhotoRecord { id, photo, standing, removed } in document.photos {
            check_photo(&photo).map_err(|error| damaged(error.to_string()))?;
            gallery.next_photo = gallery.next_photo.max(id.0.saturating_add(1));
            if standing.person.is_some_and(|person| !gallery.state.people.contains_key(&person)) {
                return Err(damaged(format!("{DOCUMENT} has no person for photo {id}")));
            }
            let is_new = gallery.by_key.insert(photo.key(), id).is_none();
            if gallery.known.insert(id, photo).is_some() || !is_new {
                return Err(damaged(format!("{DOCUMENT} has photo {id} twice")));
            }
            if !removed {
                let confirmed = standing.confirmed && standing.person.is_some();
                gallery.state.photos.insert(id, Standing { confirmed, ..standing });
            }
        }
        for AnswerRecord { photos: [a, b], answer } in document.answers {
            if a < b {
                gallery.state.answers.insert([a, b], answer);
            }
        }
        gallery.next_photo = gallery.next_photo.max(document.next_photo);
        gallery.next_person = gallery.next_person.max(document.next_person);
        let mut losses = Vec::new();
        if gallery.remembers(&document.history) {
            gallery.history = document.history;
        } else {
            losses.push(Loss::History("the log does not lead to the gallery as it is".into()));
            gallery.let_go();
        }
        Ok((gallery, losses))
    }

    /// Whether a log is this gallery's.
    fn remembers(&self, history: &History) -> bool {
        let (photo, person) = history.largest();
        history.photos().iter().all(|photo| self.known.contains_key(photo))
            && photo.is_none_or(|photo| photo.0 < self.next_photo)
            && person.is_none_or(|person| person.0 < self.next_person)
            && history.fits(&self.state)
    }

    /// Reads the features, or says why some or all of them could not be read.
    fn read_features(&mut self, bytes: &[u8]) -> Result<(), String> {
        let text = |error: ::safetensors::SafeTensorError| error.to_string();
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(text)?;
        let fingerprint = header.metadata().as_ref().and_then(|metadata| metadata.get("fingerprint"));
        if fingerprint.is_none_or(|found| *found != self.model().fingerprint) {
            return Err("they are of another model than the gallery says".into());
        }
        let file = SafeTensors::deserialize(bytes).map_err(text)?;
        let [features, photos] = ["features", "photos"].map(|name| file.tensor(name).map_err(text));
        let (features, photos) = (features?, photos?);
        let size = match features.dtype() {
            Dtype::F32 => 4,
            Dtype::F16 => 2,
            other => return Err(format!("they are stored as {other}")),
        };
        let (numbers, _) = photos.data().as_chunks::<4>();
        let dim = self.model().dim;
        if photos.dtype() != Dtype::U32 || *features.shape() != [numbers.len(), dim] {
            return Err(format!("{:?} values for {} photos and {dim} values each", features.shape(), numbers.len()));
        }
        let mut wrong = 0;
        for (at, number) in numbers.iter().enumerate() {
            let photo = PhotoId(u32::from_le_bytes(*number));
            let row = features.data().get(at * dim * size..(at + 1) * dim * size).unwrap_or_default();
            let row: Vec<f32> = if size == 4 {
                row.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
            } else {
                row.as_chunks().0.iter().map(|bytes| f16::from_le_bytes(*bytes).to_f32()).collect()
            };
            if self.features.check("", &row).is_err() {
                wrong += 1;
            } else if self.known.contains_key(&photo) {
                self.features.set(photo, &row);
            }
        }
        if wrong == 0 { Ok(()) } else { Err(format!("{wrong} of {} are no numbers", numbers.len())) }
    }
}

/// The files in a zip.
struct Parts {
    document: Vec<u8>,
    /// Or why there are none.
    features: Result<Vec<u8>, String>,
    thumbnails: BTreeMap<PhotoId, Vec<u8>>,
    /// Why files may be missing.
    cut: Option<String>,
}

/// Files by name, or why one could not be read.
type Entries = HashMap<String, Result<Vec<u8>, String>>;

impl Parts {
    fn read(bytes: &[u8]) -> Result<Self, GalleryError> {
        if !bytes.starts_with(SIGNATURE) {
            let is_start = !bytes.is_empty() && SIGNATURE.starts_with(bytes);
            let what = if bytes.is_empty() { "the file is empty" } else { "no zip archive" };
            return Err(if is_start {
                damaged("nothing but its first bytes are there")
            } else {
                GalleryError::Foreign(what.into())
            });
        }
        let config = zip::read::Config { archive_offset: zip::read::ArchiveOffset::Known(0) };
        let (mut entries, cut) = match ZipArchive::with_config(config, Cursor::new(bytes)) {
            Ok(archive) => (whole(archive, bytes.len())?, None),
            Err(error) => (until_cut(bytes), Some(format!("the end of the file is missing or damaged: {error}"))),
        };
        let document = match (entries.remove(DOCUMENT), &cut) {
            (Some(document), _) => document.map_err(|reason| damaged(format!("{DOCUMENT}: {reason}")))?,
            (None, Some(cut)) => return Err(damaged(cut.clone())),
            (None, None) => return Err(GalleryError::Foreign(format!("a zip archive without {DOCUMENT}"))),
        };
        let missing = || Err(cut.clone().unwrap_or_else(|| format!("there is no {FEATURES}")));
        let features = entries.remove(FEATURES).unwrap_or_else(missing);
        let (mut thumbnails, mut cut) = (BTreeMap::new(), cut);
        for (name, content) in entries {
            let stem = name.strip_prefix(THUMBNAILS).and_then(|name| name.split_once('.'));
            let Some(photo) = stem.and_then(|(number, _)| number.parse().ok()) else { continue };
            match content {
                Ok(content) => _ = thumbnails.insert(PhotoId(photo), content),
                Err(reason) => cut = Some(format!("{name}: {reason}")),
            }
        }
        Ok(Self { document, features, thumbnails, cut })
    }
}

/// The entries of a zip whose directory is there. Together they hold no more than the file.
fn whole(mut archive: ZipArchive<Cursor<&[u8]>>, length: usize) -> Result<Entries, GalleryError> {
    let mut entries = Entries::new();
    let mut asked = 0_u64;
    for index in 0..archive.len() {
        let Ok(mut file) = archive.by_index(index) else { continue };
        let Some(name) = file.name().ok().map(std::borrow::Cow::into_owned).filter(|name| is_ours(name)) else {
            continue;
        };
        asked = asked.saturating_add(file.size());
        if file.compression() == CompressionMethod::Stored {
            within(|| name.clone(), asked, "bytes, with all before it,", length as u64)?;
        }
        entries.insert(name, content(&mut file));
    }
    Ok(entries)
}

/// The entries before the place where a file was cut off.
fn until_cut(bytes: &[u8]) -> Entries {
    let (mut entries, mut rest) = (Entries::new(), bytes);
    while let Ok(Some(mut file)) = read_zipfile_from_stream(&mut rest) {
        let Ok(name) = file.name().map(std::borrow::Cow::into_owned) else { break };
        let content = content(&mut file);
        let is_cut = content.is_err();
        if is_ours(&name) {
            entries.insert(name, content);
        }
        if is_cut {
            break;
        }
    }
    entries
}

fn is_ours(name: &str) -> bool {
    name == DOCUMENT || name == FEATURES || name.starts_with(THUMBNAILS)
}

/// All of an entry: as it is stored, of which there cannot be more than the file has.
fn content<R: Read>(file: &mut zip::read::ZipFile<'_, R>) -> Result<Vec<u8>, String> {
    if file.compression() != CompressionMethod::Stored {
        return Err("it is compressed; unpack the file and zip it again without compression".into());
    }
    let mut content = Vec::new();
    file.read_to_end(&mut content).map_err(|error| error.to_string())?;
    if content.len() as u64 == file.size() { Ok(content) } else { Err("it was cut off".into()) }
}

fn damaged(reason: impl Into<String>) -> GalleryError {
    GalleryError::Damaged(reason.into())
}

/// Of a picture, by how it begins.
fn extension(picture: &[u8]) -> &'static str {
    match picture {
        [0xff, 0xd8, ..] => "jpg",
        [0x89, b'P', b'N', b'G', ..] => "png",
        [b'R', b'I', b'F', b'F', ..] => "webp",
        _ => "bin",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gallery::tests::{MODEL, ids, new_photo};
    use crate::gallery::{Act, NewPhoto, PersonBox};

    /// Three photos with everything that a photo can have, two people, answers, something removed and something undone.
    fn sample(precision: Precision) -> Gallery {
        let mut gallery = Gallery::new(Model { fingerprint: MODEL.into(), dim: 2 }, precision);
        let mut photos: Vec<NewPhoto> = (0..5).map(|at| new_photo(at, &[at as f32, 0.5])).collect();
        photos[0].thumbnail = Some(b"\xff\xd8 a picture".to_vec());
        photos[4].thumbnail = Some(b"\x89PNG another".to_vec());
        photos[1].photo = Photo {
            camera: Some("gate \"7\"".into()),
            time: Some(-5),
            person_box: Some(PersonBox { x: 0.1, y: 2.0, width: 30.5, height: 40.0 }),
            quality: Some(0.7),
            ..photos[1].photo.clone()
        };
        let photos = gallery.add(MODEL, photos).expect("photos");
        let act = |gallery: &mut Gallery, act| gallery.act(act).expect("done");
        act(&mut gallery, Act::Enrol { name: Some("Zoë".into()), photos: ids(&photos, &[0]), despite: false });
        gallery.set_groups(vec![ids(&photos, &[0, 1]), ids(&photos, &[2, 3])], vec![photos[4]]).expect("groups");
        let different =
            Act::Answer { a: ids(&photos, &[0]), b: ids(&photos, &[2]), answer: Answer::Different, despite: false };
        act(&mut gallery, different);
        act(&mut gallery, Act::Remove { photos: ids(&photos, &[3]) });
        act(&mut gallery, Act::Hide { photos: ids(&photos, &[1]), hidden: true });
        gallery.undo();
        gallery
    }

    #[test]
    fn a_gallery_comes_back_as_it_was_with_its_log() {
        for precision in [Precision::F32, Precision::F16] {
            let gallery = sample(precision);
            let bytes = gallery.to_bytes().expect("writable");
            let Opened { gallery: mut again, losses } = Gallery::from_bytes(&bytes).expect("readable");
            assert_eq!((&again, losses), (&gallery, vec![]));
            assert_eq!(again.to_bytes().expect("writable"), bytes, "the same bytes");
            let mut gallery = gallery;
            while gallery.undo().is_some() {
                assert!(again.undo().is_some());
                assert_eq!(again, gallery);
            }
            assert_eq!((again.count(), again.undo()), (0, None));
            while gallery.redo().is_some() {
                assert!(again.redo().is_some());
            }
            assert_eq!(again, gallery);
            assert_eq!(again.feature(PhotoId(2)).expect("kept").as_ref(), [2.0, 0.5]);
            assert_eq!(again.thumbnail(PhotoId(4)), Some(&b"\x89PNG another"[..]));
        }
    }

    #[test]
    fn other_programs_find_what_they_look_for() {
        let bytes = sample(Precision::F32).to_bytes().expect("writable");
        let mut zip = ZipArchive::new(Cursor::new(&bytes[..])).expect("a zip");
        let names: Vec<String> = zip.file_names().map(|name| name.expect("text").into_owned()).collect();
        assert_eq!(names, ["gallery.json", "features.safetensors", "thumbnails/0.jpg", "thumbnails/4.png"]);
        let mut document = String::new();
        zip.by_name("gallery.json").expect("there").read_to_string(&mut document).expect("text");
        let document: serde_json::Value = serde_json::from_str(&document).expect("JSON");
        assert_eq!((&document["version"], &document["model"]["fingerprint"]), (&1.into(), &MODEL.into()));
        assert_eq!(document["photos"][1]["box"]["width"], 30.5);
        assert_eq!(document["people"][0]["name"], "Zoë");
        assert_eq!(document["answers"][0], serde_json::json!({ "photos": [0, 2], "answer": "different" }));
        assert_eq!(document["history"]["entries"][1]["act"], "enrol");
    }

    #[test]
    fn cut_off_at_any_byte_it_gives_an_error_or_all_that_people_said() {
        let gallery = sample(Precision::F32);
        let bytes = gallery.to_bytes().expect("writable");
        let mut zip = ZipArchive::new(Cursor::new(&bytes[..])).expect("a zip");
        let document_end = zip.by_name(FEATURES).expect("there").header_start() as usize;
        let mut features_end = bytes.len();
        for length in 0..bytes.len() {
            match Gallery::from_bytes(&bytes[..length]) {
                Err(error) => {
                    assert!(length < document_end, "{length}: {error}");
                    let expected = if length == 0 { "no-gallery" } else { "damaged-gallery" };
                    assert_eq!(error.code(), expected, "{length}: {error}");
                }
                Ok(Opened { gallery: found, losses }) => {
                    assert!(length >= document_end, "{length}");
                    assert_eq!(
                        (&found.state, &found.history, &found.known),
                        (&gallery.state, &gallery.history, &gallery.known)
                    );
                    let lost: Vec<&str> = losses.iter().map(Loss::code).collect();
                    if found.without_features().is_empty() {
                        features_end = features_end.min(length);
                        assert_eq!(lost, ["thumbnails"], "{length}");
                    } else {
                        assert!(length < features_end && found.without_features().len() == found.count());
                        assert_eq!(lost, ["features", "thumbnails"], "{length}");
                    }
                }
            }
        }
        assert!(document_end < features_end && features_end < bytes.len() - 200, "both halves were seen");
    }

    #[test]
    fn a_changed_byte_is_noticed_or_harmless() {
        let gallery = sample(Precision::F16);
        let bytes = gallery.to_bytes().expect("writable");
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x41;
            if let Ok(opened) = Gallery::from_bytes(&changed) {
                assert_eq!(opened.gallery.state, gallery.state, "byte {at}");
            }
        }
    }

    /// A file with another `gallery.json`.
    fn with_document(change: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
        let gallery = sample(Precision::F32);
        let mut document = serde_json::to_value(gallery.document()).expect("JSON");
        change(&mut document);
        let fingerprint = ("fingerprint".to_owned(), MODEL.to_owned());
        let features = gallery.features.to_safetensors([fingerprint].into()).expect("writable");
        zip_of(&[(DOCUMENT, document.to_string().as_bytes()), (FEATURES, &features)])
    }

    fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        for (name, bytes) in files {
            zip.start_file(*name, stored).expect("a name");
            zip.write_all(bytes).expect("memory");
        }
        zip.finish().expect("memory").into_inner()
    }

    #[test]
    fn what_is_none_of_ours_says_so() {
        let error = |bytes: &[u8]| Gallery::from_bytes(bytes).expect_err("no gallery");
        assert_eq!(error(&[]).code(), "no-gallery");
        assert_eq!(error(b"\x89PNG and so on").code(), "no-gallery");
        let foreign = error(&zip_of(&[("word/document.xml", b"<w/>")]));
        assert_eq!(
            (foreign.code(), foreign.to_string().contains("without gallery.json")),
            ("no-gallery", true),
            "{foreign}"
        );
        assert_eq!(error(&zip_of(&[(DOCUMENT, b"{\"photos\": []}")])).code(), "no-gallery");
        let newer = error(&with_document(|document| document["version"] = 2.into()));
        assert_eq!(newer, GalleryError::Newer { found: 2, known: 1 });
        assert!(newer.to_string().contains("update it, the file is untouched"), "{newer}");
        // Also where a newer version means something else by the same words.
        assert_eq!(
            error(&with_document(|d| *d = serde_json::json!({ "version": 9, "photos": 3 }))).code(),
            "newer-gallery"
        );
        let packed = with_document(|document| document["photos"][2]["person"] = 77.into());
        assert_eq!(error(&packed).code(), "damaged-gallery");
    }

    #[test]
    fn what_does_not_fit_the_gallery_is_told_as_a_loss() {
        let losses = |bytes: &[u8]| {
            let opened = Gallery::from_bytes(bytes).expect("people are whole");
            (opened.losses.iter().map(Loss::code).collect::<Vec<_>>(), opened.gallery)
        };
        let (lost, gallery) = losses(&with_document(|d| d["model"]["fingerprint"] = "another".into()));
        assert_eq!((lost, gallery.without_features().len()), (vec!["features"], 4));
        let (lost, gallery) = losses(&with_document(|d| d["model"]["dim"] = 3.into()));
        assert_eq!((lost, gallery.people().len()), (vec!["features"], 2));
        let (lost, mut gallery) =
            losses(&with_document(|d| d["history"]["entries"][1]["edits"] = serde_json::json!([])));
        assert_eq!((lost, gallery.count(), gallery.undo()), (vec!["history"], 4, None));
        let (lost, _) = losses(&with_document(|d| d["history"]["done"] = 100.into()));
        assert_eq!(lost, ["history"]);
        let document = serde_json::to_vec(&sample(Precision::F32).document()).expect("JSON");
        let (lost, _) = losses(&zip_of(&[(DOCUMENT, &document)]));
        assert_eq!(lost, ["features"]);
    }

    #[test]
    fn numbers_are_not_given_again_after_loading() {
        let mut gallery = sample(Precision::F32);
        gallery.act(Act::Remove { photos: vec![PhotoId(4)] }).expect("there");
        gallery.forget_history();
        let Opened { mut gallery, .. } = Gallery::from_bytes(&gallery.to_bytes().expect("writable")).expect("readable");
        let photos = gallery.add(MODEL, vec![new_photo(4, &[0.0, 0.0])]).expect("a photo");
        assert_eq!(photos, [PhotoId(5)], "what was forgotten comes back as another");
    }

    #[test]
    fn files_that_ask_for_more_than_they_hold_are_refused() {
        let dim = with_document(|document| document["model"]["dim"] = (1_u64 << 60).into());
        assert_eq!(Gallery::from_bytes(&dim).expect_err("too much").code(), "damaged-gallery");
        // The directory says that an entry is larger than the file.
        let mut bytes = zip_of(&[(DOCUMENT, b"{}")]);
        let directory = bytes.windows(4).position(|window| window == b"PK\x01\x02").expect("a directory");
        bytes[directory + 20..directory + 28].copy_from_slice(&[0xf0, 0xff, 0xff, 0x7f, 0xf0, 0xff, 0xff, 0x7f]);
        let error = Gallery::from_bytes(&bytes).expect_err("too much");
        assert!(matches!(error, GalleryError::TooMuch(_) | GalleryError::Damaged(_)), "{error}");
    }
}
