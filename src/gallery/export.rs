//! Galleries for other programs: tables, JSON, arrays, folders.

use std::fmt::Write as _;

use serde::Serialize;

use super::{Gallery, GalleryError, PersonView, PhotoId, PhotoView};
use crate::weights::Precision;

/// The columns of [`Gallery::to_csv`].
const COLUMNS: &str = "photo,name,hash,camera,time,x,y,width,height,quality,person,person_name,confirmed,hidden";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Exported<'a> {
    model: &'a str,
    people: Vec<PersonView>,
    photos: Vec<PhotoView<'a>>,
}

impl Gallery {
    /// A table (RFC 4180) with a line a photo, hidden ones too: its number, name, content hash, camera, time in seconds since
    /// 1970, box in pixels, quality, whom it shows by number and name, and whether a user confirmed it and whether it is hidden
    /// (`true` or `false`). What is not known is empty.
    pub fn to_csv(&self) -> String {
        let mut table = format!("{COLUMNS}\r\n");
        for PhotoView { id, photo, standing, .. } in self.photos() {
            let person = standing.person.and_then(|person| self.person(person).ok()?.name);
            let sides = photo.person_box.map(|b| [b.x, b.y, b.width, b.height]);
            let [x, y, width, height] = [0, 1, 2, 3].map(|side| known(sides.map(|sides| sides[side])));
            let fields = [
                id.to_string(),
                photo.name.clone(),
                photo.hash.to_string(),
                photo.camera.clone().unwrap_or_default(),
                known(photo.time),
                x,
                y,
                width,
                height,
                known(photo.quality),
                known(standing.person),
                person.unwrap_or_default(),
                standing.confirmed.to_string(),
                standing.hidden.to_string(),
            ];
            let _ = write!(table, "{}\r\n", fields.map(quoted).join(","));
        }
        table
    }

    /// `{"model": FINGERPRINT, "people": [{"id", "name", "cover", "confirmed": […], "suggested": […]}], "photos": [{"id", "name",
    /// "hash", "camera", "time", "box", "quality", "person", "confirmed", "hidden", …}]}`: people as
    /// [`people`](Self::people), photos as [`photos`](Self::photos) have them.
    ///
    /// # Errors
    /// None that a gallery could give.
    pub fn to_json(&self) -> Result<String, GalleryError> {
        let exported =
            Exported { model: &self.model().fingerprint, people: self.people(), photos: self.photos().collect() };
        serde_json::to_string_pretty(&exported).map_err(|error| GalleryError::Unwritable(error.to_string()))
    }

    /// The features as a safetensors file: `features` `[photos, dim]`, f32 or f16 as they are kept, not normalised, and
    /// `photos` `[photos]`, u32, the photos' numbers, of all that have a feature, hidden ones too. The metadata tells
    /// `fingerprint` (of the model), `names` (a JSON list) and `normalised` (false), as files of `reid extract` do.
    ///
    /// # Errors
    /// None that a gallery could give.
    pub fn to_safetensors(&self) -> Result<Vec<u8>, GalleryError> {
        let photos = self.with_features();
        let names: Vec<&str> = photos.iter().filter_map(|photo| Some(self.known.get(photo)?.name.as_str())).collect();
        let metadata = [
            ("fingerprint", self.model().fingerprint.clone()),
            ("names", serde_json::json!(names).to_string()),
            ("normalised", "false".to_owned()),
        ];
        let metadata = metadata.map(|(key, value)| (key.to_owned(), value));
        self.features.of(&photos).to_safetensors(metadata.into())
    }

    /// The photos with a feature, hidden ones too.
    fn with_features(&self) -> Vec<PhotoId> {
        self.state.photos.keys().copied().filter(|&photo| self.features.has(photo)).collect()
    }

    /// The features as a NumPy file (`.npy`, version 1.0): `[photos, dim]`, little-endian f32 or f16 as they are kept, not
    /// normalised; and the photos of the rows: all that have a feature, hidden ones too.
    pub fn to_npy(&self) -> (Vec<u8>, Vec<PhotoId>) {
        let photos = self.with_features();
        let dtype = match self.precision() {
            Precision::F32 => "<f4",
            Precision::F16 => "<f2",
        };
        let (rows, dim) = (photos.len(), self.model().dim);
        let header = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': ({rows}, {dim}), }}");
        // Values begin at a multiple of 64 bytes; a line ends the header.
        let length = (10 + header.len() + 1).next_multiple_of(64) - 10;
        let mut file = b"\x93NUMPY\x01\x00".to_vec();
        file.extend((length as u16).to_le_bytes());
        file.extend(format!("{header:<width$}\n", width = length - 1).into_bytes());
        file.extend(self.features.of(&photos).to_le_bytes());
        (file, photos)
    }
}

fn known(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn quoted(field: String) -> String {
    if field.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
}

#[cfg(not(target_arch = "wasm32"))]
mod folders {
    use std::collections::HashSet;
    use std::fs;
    use std::io;
    use std::path::{Path, PathBuf};

    use super::{Gallery, GalleryError, PhotoView};

    /// Where photos of nobody that is known go.
    const UNSURE: &str = "unsure";
    /// What no system allows in a file's name, or not all.
    const FORBIDDEN: [char; 9] = ['/', '\\', ':', '*', '?', '"', '<', '>', '|'];

    impl Gallery {
        /// Copies photos into a folder for each person below `out`, called by the person's name or `person 7`; photos of
        /// nobody that is known go to `unsure`. Hidden photos are left out. Photos are read from their names, paths from
        /// `root`. Two of one name in a folder are told apart by the photo's number. How many were copied.
        ///
        /// # Errors
        /// [`GalleryError::Write`] when `out` has something in it, so that nothing is overwritten, and for what the system
        /// refuses; [`GalleryError::Read`] for a photo that is not where its name says.
        pub fn to_folders(&self, root: &Path, out: &Path) -> Result<usize, GalleryError> {
            let write = |path: &Path, error: &dyn ToString| GalleryError::Write {
                path: path.display().to_string(),
                reason: error.to_string(),
            };
            if fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some()) {
                return Err(write(out, &"the folder is not empty"));
            }
            let mut taken = HashSet::new();
            let mut copied = 0;
            for PhotoView { id, photo, standing, .. } in self.photos().filter(|view| !view.standing.hidden) {
                let from = root.join(&photo.name);
                let person = standing.person.and_then(|id| self.person(id).ok());
                let folder = match person {
                    Some(person) => person.name.as_deref().map_or_else(|| format!("person {}", person.id), file_name),
                    None => UNSURE.to_owned(),
                };
                let folder = out.join(folder);
                fs::create_dir_all(&folder).map_err(|error| write(&folder, &error))?;
                let base = from.file_name().map(PathBuf::from).unwrap_or_else(|| PathBuf::from(id.to_string()));
                let mut to = folder.join(&base);
                if !taken.insert(to.to_string_lossy().to_lowercase()) {
                    let mut name = base.file_stem().unwrap_or_default().to_owned();
                    name.push(format!(" ({id})"));
                    to = folder.join(PathBuf::from(name)).with_extension(base.extension().unwrap_or_default());
                    taken.insert(to.to_string_lossy().to_lowercase());
                }
                copy(&from, &to, &write)?;
                copied += 1;
            }
            Ok(copied)
        }
    }

    fn copy(from: &Path, to: &Path, write: &impl Fn(&Path, &dyn ToString) -> GalleryError) -> Result<(), GalleryError> {
        let read =
            |error: io::Error| GalleryError::Read { path: from.display().to_string(), reason: error.to_string() };
        let bytes = fs::read(from).map_err(read)?;
        fs::write(to, bytes).map_err(|error| write(to, &error))
    }

    /// A person's name as a folder's, on every system.
    fn file_name(name: &str) -> String {
        let kept = |letter: char| if FORBIDDEN.contains(&letter) || letter.is_control() { '_' } else { letter };
        let name: String = name.chars().map(kept).take(100).collect();
        let name = name.trim_matches([' ', '.']);
        if name.is_empty() || name.eq_ignore_ascii_case(UNSURE) { format!("{name}_") } else { name.to_owned() }
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use crate::gallery::tests::{MODEL, new_photo};
        use crate::gallery::{Act, NewPhoto, Photo};

        #[test]
        fn photos_go_to_a_folder_for_each_person() {
            let folder = tempfile::tempdir().expect("a folder");
            let (mut gallery, _) = crate::gallery::tests::gallery_of(&[], &[]);
            let names = ["a/1.jpg", "b/1.jpg", "2.jpg", "3.jpg"];
            let photos = names.iter().enumerate().map(|(number, name)| {
                let path = folder.path().join(name);
                fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
                fs::write(path, name).expect("written");
                let new = new_photo(number, &[1.0, 0.0]);
                NewPhoto { photo: Photo { name: (*name).into(), ..new.photo.clone() }, ..new }
            });
            let photos = gallery.add(MODEL, photos.collect()).expect("photos");
            let enrol = Act::Enrol { name: Some("../A: \"B\" ".into()), photos: photos[..2].to_vec(), despite: false };
            gallery.act(enrol).expect("enrolled");
            gallery.act(Act::Hide { photos: photos[3..].to_vec(), hidden: true }).expect("hidden");
            let out = folder.path().join("out");
            assert_eq!(gallery.to_folders(folder.path(), &out), Ok(3));
            assert_eq!(fs::read_to_string(out.join("_A_ _B_/1.jpg")).expect("copied"), "a/1.jpg");
            assert_eq!(fs::read_to_string(out.join("_A_ _B_/1 (1).jpg")).expect("copied"), "b/1.jpg");
            assert_eq!(fs::read_to_string(out.join("unsure/2.jpg")).expect("copied"), "2.jpg");
            assert_eq!(gallery.to_folders(folder.path(), &out).map_err(|error| error.code()), Err("unwritable"));
            let nowhere = gallery.to_folders(&folder.path().join("gone"), &folder.path().join("other"));
            assert_eq!(nowhere.map_err(|error| error.code()), Err("unreadable"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gallery::tests::{MODEL, gallery_of, new_photo};
    use crate::gallery::{Act, NewPhoto, PersonBox, Photo};

    #[test]
    fn a_table_has_every_photo_and_quotes_what_it_must() {
        let (mut gallery, photos) = gallery_of(&[vec![1.0, 0.5], vec![2.0, -3.0]], &["gate, \"old\""]);
        let name = Some("Ada\nB".into());
        gallery.act(Act::Enrol { name, photos: vec![photos[0]], despite: false }).expect("enrolled");
        let new = new_photo(2, &[0.0, 1.0]);
        let person_box = Some(PersonBox { x: 1.0, y: 2.5, width: 3.0, height: 4.0 });
        let photo = Photo { person_box, time: Some(7), quality: Some(0.25), ..new.photo.clone() };
        gallery.add(MODEL, vec![NewPhoto { photo, ..new }]).expect("a photo");
        let hash = |at: usize| crate::gallery::ContentHash::of(&at.to_le_bytes());
        let expected = [
            COLUMNS.to_owned(),
            format!("0,0.jpg,{},\"gate, \"\"old\"\"\",,,,,,,0,\"Ada\nB\",true,false", hash(0)),
            format!("1,1.jpg,{},,,,,,,,,,false,false", hash(1)),
            format!("2,2.jpg,{},,7,1,2.5,3,4,0.25,,,false,false\r\n", hash(2)),
        ];
        assert_eq!(gallery.to_csv(), expected.join("\r\n"));
    }

    #[test]
    fn json_has_people_and_photos() {
        let (mut gallery, photos) = gallery_of(&[vec![1.0, 0.5]], &[]);
        gallery.act(Act::Enrol { name: Some("Ada".into()), photos, despite: false }).expect("enrolled");
        let json: serde_json::Value = serde_json::from_str(&gallery.to_json().expect("JSON")).expect("JSON");
        assert_eq!((&json["model"], &json["people"][0]["name"]), (&MODEL.into(), &"Ada".into()));
        assert_eq!(json["photos"][0]["person"], 0);
    }

    #[test]
    fn numpy_reads_the_features_of_what_is_there() {
        for (precision, dtype, size) in [(Precision::F32, "<f4", 4), (Precision::F16, "<f2", 2)] {
            let (mut gallery, photos) = gallery_of(&[vec![1.0, 0.5], vec![9.0, 9.0], vec![2.0, -3.0]], &[]);
            gallery.act(Act::Remove { photos: vec![photos[1]] }).expect("removed");
            gallery.change_model(gallery.model().clone(), precision);
            let (file, rows) = gallery.to_npy();
            assert_eq!(rows, [photos[0], photos[2]]);
            let length = usize::from(u16::from_le_bytes([file[8], file[9]]));
            let header = std::str::from_utf8(&file[10..10 + length]).expect("text");
            assert_eq!(&file[..8], b"\x93NUMPY\x01\x00");
            let words = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': (2, 2), }}");
            assert!(header.starts_with(&words) && header.ends_with(" \n") && (10 + length) % 64 == 0, "{header:?}");
            let values = &file[10 + length..];
            assert_eq!(values.len(), 4 * size);
            let last = &values[3 * size..];
            let last = if size == 4 {
                f32::from_le_bytes([last[0], last[1], last[2], last[3]])
            } else {
                half::f16::from_le_bytes([last[0], last[1]]).to_f32()
            };
            assert_eq!(last, -3.0);
        }
    }
}
