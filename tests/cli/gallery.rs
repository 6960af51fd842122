//! `reid gallery`.

use std::{fs, thread};

use webreid::gallery::{Act, ContentHash, Gallery, Model, NewPhoto, Photo, PhotoId};
use webreid::weights::Precision;

use super::{Bench, Run, reid};

/// Four people before two cameras, as photos of a folder.
fn photos() -> Bench {
    let bench = Bench::new();
    for person in 1..=4 {
        bench.person(&format!("photos/{person:04}_c1.png"), person);
    }
    bench
}

impl Bench {
    fn gallery(&self, what: &str, more: &[&str]) -> Run {
        reid(&[&["gallery", what, &self.text("g.reid")], more].concat())
    }

    fn add(&self, more: &[&str]) -> Run {
        self.gallery("add", &[&["--device", "cpu", "--weights", &self.weights()], more].concat())
    }
}

/// A gallery of people of six photos each, who look unlike.
fn made(people: usize) -> (Gallery, Vec<PhotoId>) {
    let mut gallery = Gallery::new(Model { fingerprint: "00".repeat(16), dim: people }, Precision::F32);
    let photos = (0..people * 6).map(|photo| NewPhoto {
        photo: Photo::new(format!("{photo}.jpg"), ContentHash::of(&photo.to_le_bytes())),
        feature: Some(
            (0..people).map(|value| if value == photo / 6 { 1.0 } else { 0.02 * (photo * value % 7) as f32 }).collect(),
        ),
        thumbnail: None,
    });
    let photos = gallery.add(&"00".repeat(16), photos.collect()).unwrap();
    (gallery, photos)
}

#[test]
fn a_person_made_of_two_is_split() {
    let bench = Bench::new();
    let (mut gallery, photos) = made(4);
    let ada = Act::Enrol { name: Some("Ada".into()), photos: photos[..11].to_vec(), despite: false };
    gallery.act(ada).unwrap();
    gallery.save(&bench.path("g.reid")).unwrap();
    bench.gallery("split", &["Bob"]).ends(1).says(&["nobody in the gallery is called 'Bob'"]);
    assert_eq!(bench.gallery("split", &["Ada"]).ends(0).stdout, "Ada: 6 photos\nperson 1: 5 photos\n");
    let list = bench.gallery("list", &["--json"]).ends(0).json();
    assert_eq!(list["people"][1]["confirmed"], serde_json::json!(["6.jpg", "7.jpg", "8.jpg", "9.jpg", "10.jpg"]));

    let found = bench.gallery("search", &["--person", "1", "--top", "2", "--json"]).ends(0).json();
    let [own, other] = [0, 1].map(|place| found["matches"][place].clone());
    assert_eq!(
        (&own["image"], &own["verdict"], &other["verdict"]),
        (&"11.jpg".into(), &"same".into(), &"different".into())
    );
    assert!(own["probability"].as_f64() > Some(0.9) && other["probability"].as_f64() < Some(0.1), "{found}");
    let judgement = &found["judgement"];
    assert!(judgement["wrongSame"].as_f64() < Some(0.1) && judgement["wrongDifferent"].as_f64() < Some(0.1), "{found}");
    let table = bench.gallery("search", &["--person", "1", "--top", "2"]).ends(0).stdout;
    assert!(table.contains("  same ") && table.contains("the same from 0.9 on, "), "{table}");

    bench.gallery("undo", &[]).ends(0);
    let list = bench.gallery("list", &["--json"]).ends(0).json();
    assert_eq!(list["people"][0]["confirmed"].as_array().map(Vec::len), Some(11));
}

/// Each command reads the gallery, and writes it whole: two at once would lose what one of them did.
#[test]
fn commands_at_once_lose_nothing() {
    let bench = Bench::new();
    let (mut gallery, photos) = made(12);
    gallery.set_groups(photos.chunks(6).map(<[_]>::to_vec).collect(), vec![]).unwrap();
    gallery.save(&bench.path("g.reid")).unwrap();
    let name = |person: usize| bench.gallery("name", &[&person.to_string(), &format!("Ada {person}")]).ends(0);
    thread::scope(|scope| (0..12).for_each(|person| _ = scope.spawn(move || name(person))));
    let list = bench.gallery("list", &["--json"]).ends(0).json();
    let names: Vec<&str> =
        list["people"].as_array().unwrap().iter().filter_map(|person| person["name"].as_str()).collect();
    assert_eq!(names.len(), 12, "{names:?}");
    assert_eq!(bench.files(".").len(), 2, "the gallery and the weights, and no lock");
}

#[test]
fn people_are_added_named_merged_searched_and_everything_is_undone() {
    let bench = photos();
    let folder = bench.text("photos");
    let run = bench.add(&[&folder]).ends(0);
    assert!(run.stdout.starts_with("4 photos added; 4 in "), "{}", run.stdout);
    bench.person("again.png", 3);
    let run = bench.add(&["--person", "Ada", &bench.text("again.png")]).ends(0);
    assert!(run.stdout.starts_with("0 photos added, 1 were there; 4 in "), "{}", run.stdout);
    let image = |person: u32| bench.text(&format!("photos/{person:04}_c1.png"));
    bench.gallery("name", &["Bob", "--photos", &image(1), &image(2)]).ends(0);

    let list = bench.gallery("list", &["--json"]).ends(0).json();
    assert_eq!(list["people"][0]["name"], "Ada");
    assert_eq!(list["people"][0]["confirmed"], serde_json::json!([image(3)]));
    assert_eq!(list["people"][1]["confirmed"], serde_json::json!([image(1), image(2)]));
    assert_eq!((&list["unsure"], &list["withoutFeatures"]), (&serde_json::json!([image(4)]), &serde_json::json!([])));

    let search = ["--device", "cpu", "--weights", &bench.weights(), "--query", &bench.text("again.png"), "--top", "2"];
    let found = bench.gallery("search", &[&search[..], &["--json"]].concat()).ends(0).json();
    let best = &found[0]["matches"][0];
    assert_eq!((&best["image"], &best["person"], &best["confirmed"]), (&image(3).into(), &"Ada".into(), &true.into()));
    assert!((best["similarity"].as_f64().unwrap() - 1.0).abs() < 1e-5, "{best}");
    assert_eq!(found[0]["matches"].as_array().map(Vec::len), Some(2));
    assert!(best["verdict"].is_string() && found[0]["judgement"]["same"].is_number(), "{found}");
    assert_eq!((&found[0]["people"][0]["person"], &found[0]["people"][1]["photos"]), (&"Ada".into(), &2.into()));
    let table = bench.gallery("search", &search).ends(0).stdout;
    assert!(table.contains("1   1.0000") && table.contains("(Ada)") && table.contains("Bob: best"), "{table}");
    let candidates = bench.gallery("search", &["--person", "bob", "--json"]).ends(0).json();
    assert_eq!((&candidates["person"], &candidates["matches"][0]["image"]), (&"Bob".into(), &image(4).into()));

    bench.gallery("name", &["Ada"]).ends(2);
    bench.gallery("name", &["Ada", "bob"]).ends(1).says(&["Bob is person 1 already", "merge the two"]);
    bench.gallery("merge", &["Ada", "Cy"]).ends(1).says(&["nobody in the gallery is called 'Cy'"]);
    let merged = bench.gallery("merge", &["Ada", "1"]).ends(0).stdout;
    assert_eq!(merged, "Ada: 3 photos\n");
    assert_eq!(bench.gallery("undo", &[]).ends(0).stdout, "undone: person 1 is person 0\n");
    assert_eq!(bench.gallery("list", &["--json"]).ends(0).json(), list);
    assert_eq!(bench.gallery("redo", &[]).ends(0).stdout, "done again: person 1 is person 0\n");
    for _ in 0..4 {
        bench.gallery("undo", &[]).ends(0);
    }
    assert_eq!(bench.gallery("list", &[]).ends(0).stdout, "0 people, 0 photos of nobody that is known\n");
    assert_eq!(bench.gallery("undo", &[]).ends(0).stdout, "there is nothing to undo\n");
}

#[test]
fn another_model_is_refused_or_taken_with_people_kept() {
    let bench = photos();
    let folder = bench.text("photos");
    bench.add(&["--person", "Ada", &folder]).ends(0);
    let tiny = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tiny_osnet.safetensors");
    let before = fs::read(bench.path("g.reid")).unwrap();
    let other = ["--device", "cpu", "--weights", tiny];
    let search = bench.gallery("search", &[&other[..], &["--query", &folder]].concat());
    search.ends(1).says(&["g.reid", "of model ad980899b286df7984bc0fa75db62037", "cannot be compared"]);
    bench
        .gallery("add", &[&other[..], &[&folder]].concat())
        .ends(1)
        .says(&["--change-model", "people and answers stay"]);
    assert_eq!(fs::read(bench.path("g.reid")).unwrap(), before);
    let one = bench.text("photos/0001_c1.png");
    let run = bench.gallery("add", &[&other[..], &["--change-model", &one]].concat()).ends(0);
    run.says(&["3 photos have no feature of this model"]);
    let list = bench.gallery("list", &["--json"]).ends(0).json();
    assert_eq!(list["people"][0]["confirmed"].as_array().map(Vec::len), Some(4));
    assert_eq!(list["withoutFeatures"].as_array().map(Vec::len), Some(3));
    assert_eq!(list["model"], "ad980899b286df7984bc0fa75db62037");
}

#[test]
fn what_is_exported_is_what_is_there() {
    let bench = photos();
    bench.person("photos/more/0001_c1.png", 9);
    bench.add(&["--person", "Ada: one", &bench.text("photos")]).ends(0);
    let export = |out: &str| bench.gallery("export", &["--out", &bench.text(out)]);
    export("g.csv").ends(0);
    let table = fs::read_to_string(bench.path("g.csv")).unwrap();
    assert_eq!(table.lines().count(), 6);
    assert!(table.lines().nth(1).unwrap().ends_with(",0,Ada: one,true,false") && table.contains(",c1,"), "{table}");
    export("g.json").ends(0);
    let json: serde_json::Value = serde_json::from_slice(&fs::read(bench.path("g.json")).unwrap()).unwrap();
    assert_eq!(json["photos"].as_array().map(Vec::len), Some(5));
    assert!(json["photos"][0]["quality"].as_f64().is_some_and(|quality| quality > 0.0));
    assert_eq!(json["photos"][0]["hasThumbnail"], true);
    export("g.safetensors").ends(0);
    let (file, shape) = super::read_features(&bench.path("g.safetensors"));
    assert_eq!((shape, file.metadata["normalised"].as_str()), (vec![5, 512], "false"));
    export("g.npy").ends(0);
    let array = fs::read(bench.path("g.npy")).unwrap();
    let values = &array[array.len() - 5 * 512 * 4..];
    assert_eq!(f32::from_le_bytes(values[..4].try_into().unwrap()), file.tensors["features"].values[0]);
    export("people").ends(0);
    assert_eq!(bench.files("people/Ada_ one").len(), 5, "two of one name");
    export("people").ends(1).says(&["people: cannot be written (the folder is not empty)"]);
}

#[test]
fn a_gallery_takes_in_another() {
    let bench = photos();
    bench.add(&["--person", "Ada", &bench.text("photos/0001_c1.png")]).ends(0);
    fs::rename(bench.path("g.reid"), bench.path("other.reid")).unwrap();
    bench.add(&["--person", "ada", &bench.text("photos/0002_c1.png")]).ends(0);
    let run = bench.gallery("import", &[&bench.text("other.reid")]).ends(0);
    assert_eq!(run.stdout, "1 photos added, 1 people\n");
    bench.gallery("undo", &[]).ends(0);
    let list = bench.gallery("list", &["--json"]).ends(0).json();
    assert_eq!(list["people"][0]["confirmed"].as_array().map(Vec::len), Some(1));
    reid(&["gallery", "export", &bench.text("other.reid"), "--out", &bench.text("other.csv")]).ends(0);
    let run = bench.gallery("import", &[&bench.text("other.csv")]).ends(0);
    // It was there before the undo, with its feature.
    assert_eq!(run.stdout, "1 photos added, 1 people\n");
    bench.write("other.csv", b"name,hash\na.jpg,12\n");
    bench.gallery("import", &[&bench.text("other.csv")]).ends(1).says(&[
        "other.csv",
        "line 2",
        "'12' is no content hash",
    ]);
}

#[test]
fn files_that_are_no_whole_gallery_are_explained() {
    let bench = photos();
    bench.gallery("list", &[]).ends(1).says(&["g.reid", "no such gallery", "reid gallery add"]);
    bench.write("g.reid", b"not a gallery at all");
    bench.gallery("list", &[]).ends(1).says(&["g.reid", "this is no gallery"]);
    bench.add(&[&bench.text("photos")]).ends(1).says(&["this is no gallery"]);
    assert_eq!(fs::read(bench.path("g.reid")).unwrap(), b"not a gallery at all");
    fs::remove_file(bench.path("g.reid")).unwrap();
    bench.add(&["--person", "Ada", &bench.text("photos")]).ends(0);
    let whole = fs::read(bench.path("g.reid")).unwrap();
    // All people are there, and not all features.
    let features = whole.windows(20).position(|window| window == b"features.safetensors").unwrap();
    bench.write("g.reid", &whole[..features + 2000]);
    let run = bench.gallery("list", &["--json"]).ends(0);
    run.says(&["features are lost", "extract the photos again"]);
    assert_eq!(run.json()["people"][0]["confirmed"].as_array().map(Vec::len), Some(4));
    bench.add(&[&bench.text("photos")]).ends(0);
    assert_eq!(bench.gallery("list", &["--json"]).ends(0).json()["withoutFeatures"], serde_json::json!([]));
}
