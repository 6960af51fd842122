//! A gallery out of a table.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Act, ContentHash, Gallery, GalleryError, Model, NewPhoto, PersonBox, Photo};
use crate::weights::Precision;

/// A line, as [`Gallery::to_csv`] writes them; other columns are passed over.
#[derive(Deserialize)]
struct Line {
    name: String,
    hash: ContentHash,
    camera: Option<String>,
    time: Option<i64>,
    x: Option<f32>,
    y: Option<f32>,
    width: Option<f32>,
    height: Option<f32>,
    quality: Option<f32>,
    person: Option<u32>,
    person_name: Option<String>,
    confirmed: Option<bool>,
    hidden: Option<bool>,
}

impl Gallery {
    /// The photos of a table as [`to_csv`](Self::to_csv) writes it, without features, with the people that they are confirmed for:
    /// one person for each number, or name where there is no number. Of the columns `name` and `hash` have to be there.
    ///
    /// # Errors
    /// [`GalleryError::Table`] for what is no such table, with the line; [`GalleryError::Box`], [`GalleryError::NotANumber`];
    /// [`GalleryError::NameTaken`] where two people have one name.
    pub fn from_csv(table: &[u8], model: Model) -> Result<Self, GalleryError> {
        let bad = |error: csv::Error| {
            let line = error.position().map_or(1, csv::Position::line);
            GalleryError::Table { line, reason: error.to_string() }
        };
        let mut reader = csv::Reader::from_reader(table);
        let lines: Vec<Line> = reader.deserialize().collect::<Result<_, _>>().map_err(bad)?;
        let fingerprint = model.fingerprint.clone();
        let mut gallery = Self::new(model, Precision::F32);
        let photos = lines.iter().map(|line| {
            let person_box = match [line.x, line.y, line.width, line.height] {
                [Some(x), Some(y), Some(width), Some(height)] => Some(PersonBox { x, y, width, height }),
                _ => None,
            };
            let photo = Photo {
                camera: line.camera.clone(),
                time: line.time,
                person_box,
                quality: line.quality,
                ..Photo::new(&line.name, line.hash)
            };
            NewPhoto { photo, feature: None, thumbnail: None }
        });
        let ids = gallery.add(&fingerprint, photos.collect())?;
        let mut people: BTreeMap<(Option<u32>, Option<&str>), Vec<_>> = BTreeMap::new();
        for (line, &id) in lines.iter().zip(&ids).filter(|(line, _)| line.confirmed == Some(true)) {
            let name = line.person_name.as_deref();
            if line.person.is_some() || name.is_some() {
                people.entry((line.person, name.filter(|name| !name.trim().is_empty()))).or_default().push(id);
            }
        }
        for ((_, name), photos) in people {
            gallery.act(Act::Enrol { name: name.map(str::to_owned), photos, despite: false })?;
        }
        let hidden = lines.iter().zip(ids).filter(|(line, _)| line.hidden == Some(true)).map(|(_, id)| id);
        let photos: Vec<_> = hidden.collect();
        if !photos.is_empty() {
            gallery.act(Act::Hide { photos, hidden: true })?;
        }
        Ok(gallery)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gallery::tests::{gallery_of, ids};

    #[test]
    fn what_is_exported_is_taken_in_again() {
        let (mut gallery, photos) = gallery_of(&vec![vec![1.0, 0.0]; 5], &["a, \"b\"", "", "c"]);
        let ada = Act::Enrol { name: Some("Ada; one".into()), photos: ids(&photos, &[0, 1]), despite: false };
        let ada = gallery.act(ada).expect("enrolled")[0];
        gallery.act(Act::Enrol { name: None, photos: ids(&photos, &[2]), despite: false }).expect("enrolled");
        gallery.act(Act::Hide { photos: ids(&photos, &[4]), hidden: true }).expect("hidden");
        let read = Gallery::from_csv(gallery.to_csv().as_bytes(), gallery.model().clone()).expect("a table");
        assert_eq!(read.to_csv().replace(",,", ",a,"), gallery.to_csv().replace(",,", ",a,"));
        assert_eq!((read.people(), read.without_features().len()), (gallery.people(), 5));
        // Into the gallery that it is of: nothing is new.
        let before = gallery.people();
        gallery.import(&read).expect("the same");
        assert_eq!((gallery.people(), gallery.person(ada).expect("there").confirmed.len()), (before, 2));
    }

    #[test]
    fn what_is_no_table_is_refused() {
        let model = Model { fingerprint: "00".repeat(16), dim: 2 };
        let read = |table: &str| Gallery::from_csv(table.as_bytes(), model.clone()).map(|gallery| gallery.count());
        let hash = "00".repeat(16);
        assert_eq!(read(&format!("hash,name\n{hash},a.jpg\n{hash},again.jpg\n")), Ok(1));
        for (table, line) in [
            ("name\na.jpg\n", 2),
            (&format!("name,hash\na.jpg,{hash}\nb.jpg,12\n"), 3),
            (&format!("name,hash\na,{hash},3\n"), 2),
        ] {
            assert!(
                matches!(read(table), Err(GalleryError::Table { line: at, .. }) if at == line),
                "{:?}",
                read(table)
            );
        }
        let boxed = format!("name,hash,x,y,width,height\na.jpg,{hash},1,1,0,3\n");
        assert_eq!(read(&boxed), Err(GalleryError::Box("a.jpg".into())));
    }
}
