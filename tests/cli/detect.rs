//! `reid detect`, and whole photos elsewhere.

use std::collections::BTreeSet;
use std::fs;
use std::io::Cursor;

use serde_json::{Value, json};
use webreid::image::decode;
use webreid::weights::{Precision, detector_to_safetensors};

use super::command::{Run, reid_with};
use super::red_detector::{photo_bytes, red_detector};
use super::{Bench, reid};

const SIZE: [u32; 2] = [128, 128];
/// Two people, in a photo of twice the detector's input: 24 × 48 pixels each.
const SQUARES: [[u32; 4]; 2] = [[80, 48, 16, 255], [32, 48, 16, 170]];
const BOXES: [[f32; 4]; 2] = [[76.0, 32.0, 24.0, 48.0], [28.0, 32.0, 24.0, 48.0]];

impl Bench {
    /// With the detector that takes red for people.
    fn with_detector() -> Self {
        let bench = Self::new();
        bench.write("detector.safetensors", &detector_to_safetensors(&red_detector(), Precision::F32).unwrap());
        bench
    }

    /// A grey photo with red squares.
    fn photo(&self, name: &str, size: [u32; 2], squares: &[[u32; 4]]) -> String {
        let image = image::RgbImage::from_raw(size[0], size[1], photo_bytes(size, squares)).unwrap();
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        self.write(name, bytes.get_ref());
        self.text(name)
    }

    /// `reid detect` with this detector, on the CPU.
    fn detect(&self, arguments: &[&str]) -> Run {
        let detector = self.text("detector.safetensors");
        reid(&[&["detect", "--device", "cpu", "--weights", &detector], arguments].concat())
    }

    /// Another command on whole photos, with this detector, on the CPU.
    fn whole(&self, start: &[&str], rest: &[&str]) -> Run {
        let detector = self.text("detector.safetensors");
        reid(&[start, &["--device", "cpu", "--whole-photos", "--detector", &detector], rest].concat())
    }
}

fn boxes(photo: &Value) -> Vec<[f32; 4]> {
    let side = |person: &Value, side: usize| person["box"][side].as_f64().unwrap() as f32;
    let people = photo["people"].as_array().unwrap();
    people.iter().map(|person| [0, 1, 2, 3].map(|at| side(person, at))).collect()
}

#[test]
fn people_are_found_and_cut_out() {
    let bench = Bench::with_detector();
    let two = bench.photo("photos/two.png", SIZE, &SQUARES);
    let nobody = bench.photo("photos/nobody.png", SIZE, &[]);
    // Of the same name in another folder, and in another case.
    let one = bench.photo("photos/more/Two.png", SIZE, &SQUARES[..1]);
    let out = bench.text("out");
    let found = bench.detect(&["--json", "--out", &out, &bench.text("photos")]).ends(0).json();
    let by_name = |name: &str| found.as_array().unwrap().iter().find(|photo| photo["image"] == *name).unwrap();
    assert_eq!(boxes(by_name(&two)), BOXES);
    assert_eq!(boxes(by_name(&one)), BOXES[..1]);
    assert_eq!(by_name(&nobody)["people"], json!([]));
    let scores = by_name(&two)["people"].as_array().unwrap().iter().map(|person| person["score"].as_f64().unwrap());
    assert!(scores.collect::<Vec<_>>().is_sorted_by(|a, b| a > b && *b > 0.9));

    let index: Value = serde_json::from_slice(&fs::read(bench.path("out/people.json")).unwrap()).unwrap();
    assert_eq!(index, found);
    let crops = |photo: &str| -> Vec<String> {
        by_name(photo)["people"].as_array().unwrap().iter().map(|p| p["crop"].as_str().unwrap().into()).collect()
    };
    let all: Vec<String> = [crops(&one), crops(&two)].concat();
    assert_eq!(
        bench.files("out"),
        [vec!["people.json".to_owned()], all.clone()]
            .concat()
            .into_iter()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect::<Vec<_>>()
    );
    assert_eq!(all.iter().map(|name| name.to_lowercase()).collect::<BTreeSet<_>>().len(), 3, "{all:?}");
    for name in &all {
        let crop = decode(&fs::read(bench.path("out").join(name)).unwrap()).unwrap();
        // A twentieth around, in whole pixels, and the red in the middle.
        assert_eq!((crop.width, crop.height), (28, 54), "{name}");
        let middle = &crop.pixels[4 * (27 * 28 + 14)..][..3];
        assert!(middle[0] > 150 && middle[1] < 40, "{name}: {middle:?}");
    }

    let text = bench.detect(&[&two]).ends(0).stdout;
    assert!(text.contains("two.png: 2 people") && text.contains("24×48 at 76, 32"), "{text}");
    let few = bench.detect(&["--json", "--min-score", "0.9999", &two]).ends(0).json();
    assert_eq!(boxes(&few[0]), BOXES[..1]);
    let high = bench.detect(&["--json", "--min-height", "49", &two]).ends(0).json();
    assert_eq!(boxes(&high[0]), [[0.0; 4]; 0]);
    // Who is a sixteenth of a cell in the whole is one in a tile.
    let large = bench.photo("large.png", [512, 512], &[[144, 144, 16, 255]]);
    let tiled = bench.detect(&["--json", "--tiles", "128", &large]).ends(0).json();
    assert_eq!(boxes(&tiled[0]), [[140.0, 128.0, 24.0, 48.0]]);
    assert_eq!(boxes(&bench.detect(&["--json", "--tiles", "off", &large]).ends(0).json()[0]), [[0.0; 4]; 0]);
}

#[test]
fn boxes_are_in_the_upright_photo() {
    let bench = Bench::with_detector();
    // Stored lying on its left side: the first row is what is left when it is upright (orientation 6 turns it clockwise).
    let [width, height] = [128_u32, 96];
    let upright = photo_bytes([height, width], &[[32, 48, 16, 255]]);
    let at = |x: u32, y: u32| &upright[3 * (y * height + x) as usize..][..3];
    let stored: Vec<u8> =
        (0..height).flat_map(|y| (0..width).flat_map(move |x| at(height - 1 - y, x).to_vec())).collect();
    let sampling = libjpeg_turbo_rs::Subsampling::S444;
    let pixels = libjpeg_turbo_rs::PixelFormat::Rgb;
    let plain = libjpeg_turbo_rs::compress(&stored, width as usize, height as usize, pixels, 100, sampling).unwrap();
    let exif: &[u8] = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    bench.write("turned.jpg", &[&plain[..2], &[0xff, 0xe1], &length, exif, &plain[2..]].concat());
    let found = bench.detect(&["--json", &bench.text("turned.jpg")]).ends(0).json();
    assert_eq!(boxes(&found[0]), [[28.0, 32.0, 24.0, 48.0]]);
}

#[test]
fn what_cannot_be_detected_says_why() {
    let bench = Bench::with_detector();
    let photo = bench.photo("photo.png", SIZE, &SQUARES);
    for wrong in [["--tiles", "0"], ["--tiles", "some"], ["--min-score", "1.5"], ["--min-height", "-1"]] {
        bench.detect(&[&wrong[..], &[&photo]].concat()).ends(2);
    }
    bench.detect(&["--tiles", "1", &photo]).ends(1).says(&["photo.png", "take larger ones"]);
    bench.write("text.jpg", b"no photo");
    let found = bench.detect(&["--json", &photo, &bench.text("text.jpg")]).ends(3);
    found.says(&["text.jpg", "this is text"]);
    assert_eq!(found.json().as_array().unwrap().len(), 1);
    bench.detect(&[&bench.text("text.jpg")]).ends(1).says(&["none of the 1 images"]);
    bench.write("file", b"");
    bench.detect(&["--out", &bench.text("file"), &photo]).ends(1).says(&["this folder cannot be made"]);

    let with = |detector: &str| reid(&["detect", "--device", "cpu", "--weights", detector, &photo]);
    with(&bench.text("gone.safetensors")).ends(1).says(&["gone.safetensors", "there is no such file"]);
    with(&bench.weights()).ends(1).says(&["model.safetensors", "a re-identification model"]);
    // A detector elsewhere than where it usually is.
    let nowhere = bench.text("cache");
    let [cache, named] = [("XDG_CACHE_HOME", &nowhere[..]), ("WEBREID_DETECTOR", "")];
    let arguments = ["detect", "--device", "cpu", "--json", &photo];
    reid_with(&[cache, named], &arguments).ends(1).says(&[
        "--weights FILE",
        "WEBREID_DETECTOR",
        "cache/webreid/detector",
    ]);
    let elsewhere = bench.text("detector.safetensors");
    let found = reid_with(&[cache, ("WEBREID_DETECTOR", &elsewhere)], &arguments).ends(0).json();
    assert_eq!(boxes(&found[0]), BOXES);
    bench.write("cache/webreid/detector/nanodet-g.safetensors", &fs::read(&elsewhere).unwrap());
    reid_with(&[cache, named], &arguments).ends(0);
}

#[test]
fn people_of_whole_photos_are_images_of_their_own() {
    let bench = Bench::with_detector();
    let two = bench.photo("photos/0001_c1_a.png", SIZE, &SQUARES);
    let one = bench.photo("photos/0001_c2_b.png", SIZE, &[[32, 48, 16, 200]]);
    let nobody = bench.photo("photos/c.png", SIZE, &[]);
    let folder = bench.text("photos");
    let [first, second, other] = [format!("{two}#1"), format!("{two}#2"), format!("{one}#1")];

    let run = bench.whole(&["match"], &["--json", "--query", &one, "--gallery", &folder]).ends(0);
    run.says(&["nobody was found in 1 of 3 photos", &nobody]);
    let rankings = run.json();
    assert_eq!(rankings[0]["query"], *other);
    let hits = rankings[0]["matches"].as_array().unwrap();
    let names: BTreeSet<&str> = hits.iter().map(|hit| hit["image"].as_str().unwrap()).collect();
    assert_eq!(names, BTreeSet::from([&first[..], &second, &other]));
    assert_eq!(hits[0]["image"], *other, "itself");
    bench
        .whole(&["match"], &["--query", &nobody, "--gallery", &folder])
        .ends(1)
        .says(&["nobody was found", "--min-score"]);

    // However alike, two people of one photo are two.
    let group = ["--json", "--strictness", "0", "--cameras", "none", &folder];
    let apart = |found: &Value| {
        let people = found["people"].as_array().unwrap();
        let with = |name: &str| people.iter().position(|p| p["photos"].as_array().unwrap().contains(&json!(name)));
        with(&first) != with(&second) || with(&first).is_none()
    };
    let found = bench.whole(&["group"], &group).ends(0).json();
    assert!(apart(&found), "{found}");
    let gallery = bench.text("g.reid");
    let found = bench.whole(&["group", "--out", &gallery], &group).ends(0).json();
    assert!(apart(&found), "{found}");

    let added = bench.text("added.reid");
    let add = || bench.whole(&["gallery", "add", &added], &[&folder]).ends(0).stdout;
    assert!(add().starts_with("3 photos added; 3 in"), "a first time");
    assert!(add().starts_with("0 photos added, 3 were there; 3 in"), "and again");
    let list = reid(&["gallery", "list", &added, "--json"]).ends(0).stdout;
    for name in [&first, &second, &other] {
        assert!(list.contains(&serde_json::to_string(name).unwrap()), "{name} in {list}");
    }
    let hits = bench.whole(&["gallery", "search", &added], &["--json", "--query", &two]).ends(0).json();
    assert_eq!((&hits[0]["query"], &hits[1]["query"]), (&json!(first), &json!(second)));

    reid(&["gallery", "name", &added, "Ann", "--photos", &two]).ends(1).says(&["2 people of this photo", "a.png#1"]);
    reid(&["gallery", "name", &added, "Ann", "--photos", &second]).ends(0);
    let people = reid(&["gallery", "list", &added, "--json"]).ends(0).json();
    assert_eq!(people["people"][0]["confirmed"], json!([second]), "{people}");
    let nobody = format!("{two}#3");
    reid(&["gallery", "name", &added, "Ann", "--photos", &nobody]).ends(1).says(&["#3", "not in the gallery"]);
    bench.whole(&["gallery", "add", &added], &["--person", "Ann", &folder]).ends(2).says(&["--whole-photos"]);
    reid(&["group", "--detector", &bench.text("detector.safetensors"), &folder]).ends(2).says(&["--whole-photos"]);
    // Without being told, whole photos are not looked into, but it is said what they are.
    reid(&["group", "--device", "cpu", &folder]).ends(0).says(&["3 of 3 images have the sides of whole photos"]);
}
