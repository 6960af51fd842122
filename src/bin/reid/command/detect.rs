//! `reid detect`: the people in photos.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use libjpeg_turbo_rs::{PixelFormat, Subsampling, compress};
use serde::Serialize;
use webreid::dataset::read_image;
use webreid::detect::{self, crop};
use webreid::extract::DeviceChoice;
use webreid::image::Rgba;

use crate::command::error::CliError;
use crate::command::features::files;
use crate::command::finder::{Finder, Looking};
use crate::command::progress::Progress;
use crate::command::{Outcome, output};

/// How well crops are kept: what is lost is too little to move a feature.
const CROP_QUALITY: u8 = 95;

/// What is written beside the crops.
const INDEX: &str = "people.json";

#[derive(clap::Args)]
pub struct Detect {
    /// The detector: a file of ours, an .onnx, or the model.json of a TensorFlow.js graph model [default: the file that
    /// WEBREID_DETECTOR names, else NanoDet-g as `make detector` leaves it]
    #[arg(long, visible_alias = "detector", value_name = "FILE")]
    weights: Option<PathBuf>,
    #[command(flatten)]
    looking: Looking,
    /// What to compute on: auto, gpu or cpu
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: DeviceChoice,
    /// Cut the people out, with a margin of a twentieth, as PHOTO_1.jpg, PHOTO_2.jpg … in this folder, with people.json,
    /// which tells where each comes from
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print JSON: [{"image": PATH, "people": [{"box": [X, Y, WIDTH, HEIGHT], "score": S}, …]}, …], with --out also "crop", the
    /// file's name
    #[arg(long)]
    json: bool,
    /// Photos, or folders of them
    #[arg(required = true, value_name = "IMAGES")]
    images: Vec<PathBuf>,
}

/// A photo with its people.
#[derive(Serialize)]
struct Photo {
    image: String,
    people: Vec<Person>,
}

#[derive(Serialize)]
struct Person {
    #[serde(rename = "box")]
    person_box: [f32; 4],
    score: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    crop: Option<String>,
}

impl Detect {
    pub async fn run(self) -> Result<Outcome, CliError> {
        if let Some(out) = &self.out {
            fs::create_dir_all(out).map_err(|source| CliError::Folder { path: out.clone(), source })?;
        }
        let files = files(&self.images)?;
        let finder = Finder::open(self.weights.as_deref(), &self.looking, self.device).await?;
        let progress = Progress::new(files.len(), "photos");
        let mut names = Names::default();
        let (mut photos, mut unreadable) = (Vec::new(), 0);
        for (done, file) in (1..).zip(&files) {
            match read_image(file) {
                Ok(picture) => {
                    let found = finder.people(&picture, file).await?;
                    let crops = match &self.out {
                        Some(out) => {
                            let boxes: Vec<_> = found.iter().map(|person| person.person_box).collect();
                            write(out, &names.next(file), &crop(&picture, &boxes))?
                        }
                        None => vec![None; found.len()],
                    };
                    let people = found.into_iter().zip(crops);
                    let people = people.map(|(detect::Person { person_box, score }, crop)| Person {
                        person_box: person_box.to_array(),
                        score,
                        crop,
                    });
                    photos.push(Photo { image: file.to_string_lossy().into_owned(), people: people.collect() });
                }
                Err(reason) => {
                    progress.line(&format!("reid: {}: {reason}", file.display()));
                    unreadable += 1;
                }
            }
            progress.set(done);
        }
        progress.end();
        if photos.is_empty() {
            return Err(CliError::AllUnreadable { what: "photos".into(), count: unreadable });
        }
        if let Some(out) = &self.out {
            output::write(&out.join(INDEX), &serde_json::to_vec_pretty(&photos).unwrap_or_default())?;
        }
        if self.json { output::print_json(&photos) } else { output::print(text(&photos).trim_end()) }?;
        Ok(Outcome::of(unreadable))
    }
}

/// What the crops of photos are called, so that no two are called the same where files do not tell capitals apart.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    /// The beginning of the names of a photo's crops: the photo's own, with a number where another photo has it.
    fn next(&mut self, photo: &Path) -> String {
        let stem = photo.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let numbered = (2..).map(|number| format!("{stem}-{number}"));
        let mut free = std::iter::once(stem.clone()).chain(numbered).filter(|name| self.0.insert(name.to_lowercase()));
        free.next().unwrap_or(stem)
    }
}

/// Writes the crops of a photo; their files' names.
fn write(folder: &Path, photo: &str, crops: &[Rgba]) -> Result<Vec<Option<String>>, CliError> {
    let mut names = Vec::with_capacity(crops.len());
    for (number, crop) in (1..).zip(crops) {
        let name = format!("{photo}_{number}.jpg");
        let path = folder.join(&name);
        let (width, height) = (crop.width as usize, crop.height as usize);
        let jpeg = compress(&crop.pixels, width, height, PixelFormat::Rgba, CROP_QUALITY, Subsampling::S444);
        let jpeg =
            jpeg.map_err(|error| CliError::Write { path: path.clone(), source: std::io::Error::other(error) })?;
        output::write(&path, &jpeg)?;
        names.push(Some(name));
    }
    Ok(names)
}

fn text(photos: &[Photo]) -> String {
    let mut text = String::new();
    for Photo { image, people } in photos {
        let count = match people.len() {
            0 => "nobody".to_owned(),
            1 => "1 person".to_owned(),
            count => format!("{count} people"),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{image}: {count}");
        for (number, Person { person_box: [x, y, width, height], score, crop }) in (1..).zip(people) {
            let crop = crop.as_ref().map(|crop| format!("  {crop}")).unwrap_or_default();
            let _ = writeln!(text, "{number:5}  {score:.2}  {width:.0}×{height:.0} at {x:.0}, {y:.0}{crop}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn photos_of_one_name_have_crops_of_different_names() {
        let mut names = Names::default();
        let mut next = |path: &str| names.next(Path::new(path));
        assert_eq!(
            ["a/1.jpg", "b/1.jpg", "1.PNG", "c/1-2.jpg", "x/IMG.jpg", "x/img.png"].map(&mut next),
            ["1", "1-2", "1-3", "1-2-2", "IMG", "img-2"]
        );
    }
}
