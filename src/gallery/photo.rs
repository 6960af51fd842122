//! A photo of one person: what is known of it, and how it stands in the gallery.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::PersonId;
use crate::detect::PersonBox;

/// Names a photo within its gallery, for good: a photo that is removed and comes back is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(transparent)]
pub struct PhotoId(pub u32);

impl fmt::Display for PhotoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Tells files apart by their bytes: their BLAKE3 hash, cut to 128 bits. Written as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContentHash([u8; 16]);

impl ContentHash {
    /// Of a file's bytes, as it was before it was decoded.
    pub fn of(file: &[u8]) -> Self {
        let mut digest = [0; 16];
        blake3::Hasher::new().update(file).finalize_xof().fill(&mut digest);
        Self(digest)
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What is no content hash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no content hash: 32 hexadecimal digits are")]
pub struct NoContentHash(String);

impl FromStr for ContentHash {
    type Err = NoContentHash;

    fn from_str(text: &str) -> Result<Self, NoContentHash> {
        let digits: Option<Vec<u8>> = text.chars().map(|digit| Some(digit.to_digit(16)? as u8)).collect();
        let digits = digits.filter(|digits| digits.len() == 32).ok_or_else(|| NoContentHash(text.to_owned()))?;
        let mut hash = [0; 16];
        hash.iter_mut().zip(digits.as_chunks().0).for_each(|(byte, [high, low])| *byte = high << 4 | low);
        Ok(Self(hash))
    }
}

impl TryFrom<String> for ContentHash {
    type Error = NoContentHash;

    fn try_from(text: String) -> Result<Self, NoContentHash> {
        text.parse()
    }
}

impl From<ContentHash> for String {
    fn from(hash: ContentHash) -> Self {
        hash.to_string()
    }
}

/// What is known of a photo of one person. It never changes. Two people of one picture are two photos, with the same hash
/// and other boxes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(rename = "PhotoRecord"))]
#[serde(rename_all = "camelCase")]
pub struct Photo {
    /// What the user knows it by: the file's name or path.
    pub name: String,
    /// Of the file's bytes, 32 hexadecimal digits: the same file is the same photo, unless their boxes differ.
    #[cfg_attr(target_arch = "wasm32", tsify(type = "string"))]
    pub hash: ContentHash,
    /// What the camera is called; photos of one name are of one camera.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(target_arch = "wasm32", tsify(optional, type = "string | undefined"))]
    pub camera: Option<String>,
    /// When it was taken, in seconds since 1970 (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(target_arch = "wasm32", tsify(optional, type = "number | undefined"))]
    pub time: Option<i64>,
    /// `None` where the whole picture shows the person.
    #[serde(default, rename = "box", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(target_arch = "wasm32", tsify(optional, type = "PersonBox | undefined"))]
    pub person_box: Option<PersonBox>,
    /// How much the crop can tell, 0 to 1, as [`quality`](crate::image::quality()) has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(target_arch = "wasm32", tsify(optional, type = "number | undefined"))]
    pub quality: Option<f32>,
}

impl Photo {
    /// A whole picture of which nothing else is known.
    pub fn new(name: impl Into<String>, hash: ContentHash) -> Self {
        Self { name: name.into(), hash, camera: None, time: None, person_box: None, quality: None }
    }

    /// How much two photos are the same cut of one picture, 0 to 1; `None` unless both are cuts of one.
    pub(super) fn overlap(&self, other: &Self) -> Option<f32> {
        let boxes = self.person_box.as_ref().zip(other.person_box.as_ref()).filter(|_| self.hash == other.hash);
        boxes.map(|(a, b)| a.overlap(b))
    }

    /// What makes it the same photo: content and box.
    pub(super) fn key(&self) -> PhotoKey {
        (self.hash, self.person_box.map(|b| b.to_array().map(|side| (side + 0.0).to_bits())))
    }
}

pub(super) type PhotoKey = (ContentHash, Option<[u32; 4]>);

/// How a photo stands in the gallery: what users and grouping made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// Whom it shows; `None` where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(target_arch = "wasm32", tsify(optional, type = "PersonId | undefined"))]
    pub person: Option<PersonId>,
    /// A user said that it shows this person, not a grouping: no grouping moves it.
    #[serde(default, skip_serializing_if = "is_false")]
    #[cfg_attr(target_arch = "wasm32", tsify(optional, type = "boolean | undefined"))]
    pub confirmed: bool,
    /// Kept, but neither shown, grouped nor found.
    #[serde(default, skip_serializing_if = "is_false")]
    #[cfg_attr(target_arch = "wasm32", tsify(optional, type = "boolean | undefined"))]
    pub hidden: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
pub(super) fn is_false(value: &bool) -> bool {
    !value
}

/// A photo as it comes in.
#[derive(Clone, Debug)]
pub struct NewPhoto {
    pub photo: Photo,
    /// As the model gives it, not normalised; `None` where it is still to be extracted.
    pub feature: Option<Vec<f32>>,
    /// A small picture of it: a JPEG, PNG or WebP file.
    pub thumbnail: Option<Vec<u8>>,
}

/// A photo as a page shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct PhotoView<'a> {
    pub id: PhotoId,
    #[serde(flatten)]
    #[cfg_attr(target_arch = "wasm32", tsify(type = "PhotoRecord"))]
    pub photo: &'a Photo,
    #[serde(flatten)]
    pub standing: Standing,
    /// False where the feature is lost, or of a model before.
    pub has_feature: bool,
    pub has_thumbnail: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_written_and_read() {
        let hash = ContentHash::of(b"");
        // Of BLAKE3's test vectors.
        assert_eq!(hash.to_string(), "af1349b9f5f9a1a6a0404dea36dcc949");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        for wrong in ["", "af1349b9f5f9a1a6a0404dea36dcc94", "zf1349b9f5f9a1a6a0404dea36dcc949"] {
            assert!(wrong.parse::<ContentHash>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn two_boxes_of_a_picture_are_two_photos() {
        let photo = |x| Photo {
            person_box: Some(PersonBox { x, y: 1.0, width: 2.0, height: 3.0 }),
            ..Photo::new("a", ContentHash::of(b"a"))
        };
        assert_ne!(photo(0.0).key(), photo(4.0).key());
        assert_eq!(photo(0.0).key(), photo(-0.0).key());
        assert_ne!(photo(0.0).key(), Photo::new("a", ContentHash::of(b"a")).key());
    }
}
