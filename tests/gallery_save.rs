//! Galleries as files: whoever is killed while saving loses nothing.
#![cfg(not(target_arch = "wasm32"))]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{env, fs};

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use webreid::gallery::{Act, ContentHash, Gallery, Model, NewPhoto, Photo};
use webreid::weights::Precision;

const MODEL: &str = "00112233445566778899aabbccddeeff";
/// Tells the child where to save.
const TARGET: &str = "WEBREID_TEST_SAVES_TO";
const DIM: usize = 512;
const PHOTOS: usize = 600;

fn photo(number: usize) -> NewPhoto {
    let photo = Photo::new(format!("{number}.jpg"), ContentHash::of(&number.to_le_bytes()));
    NewPhoto { photo, feature: Some(vec![number as f32; DIM]), thumbnail: Some(vec![number as u8; 300]) }
}

/// Not a test: what the one below starts and kills. It saves again and again, each time with an act more.
#[test]
#[ignore = "part of another test"]
fn saves_without_end() {
    let Some(path) = env::var_os(TARGET) else { return };
    let path = Path::new(&path);
    let mut gallery = match Gallery::load(path) {
        Ok(opened) => opened.gallery,
        Err(_) => {
            let mut gallery = Gallery::new(Model { fingerprint: MODEL.into(), dim: DIM }, Precision::F32);
            gallery.add(MODEL, (0..PHOTOS).map(photo).collect()).unwrap();
            gallery
        }
    };
    let photos: Vec<_> = gallery.photos().map(|view| view.id).collect();
    loop {
        let hidden = gallery.done().count() % 2 == 1;
        gallery.act(Act::Hide { photos: photos[..1].to_vec(), hidden }).unwrap();
        gallery.save(path).unwrap();
        println!("saved {}", gallery.done().count());
    }
}

#[test]
fn killed_a_hundred_times_in_the_middle_of_a_save_it_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gallery.reid");
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (mut before, mut in_the_middle) = (0, 0);
    // How many of the kills fall between two saves is the machine's matter: as many rounds as it takes.
    for round in 0.. {
        if in_the_middle == 100 {
            break;
        }
        assert!(round < 1000, "only {in_the_middle} of {round} were killed in the middle of a save");
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "saves_without_end", "--ignored", "--nocapture"])
            .env(TARGET, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Once it is at it, it does nothing but save.
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let told = lines.find_map(|line| line.strip_prefix("saved ")?.parse::<usize>().ok()).expect("it saves");
        sleep(Duration::from_micros(rng.random_range(0..30_000)));
        // Half of them are seen in a save before they are killed.
        let deadline = Instant::now() + Duration::from_secs(1);
        while round % 2 == 1 && fs::read_dir(folder.path()).unwrap().count() < 2 && Instant::now() < deadline {}
        child.kill().unwrap();
        child.wait().unwrap();
        let told = lines.filter_map(|line| line.strip_prefix("saved ")?.parse().ok()).last().unwrap_or(told);
        let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(names.len() <= 2, "what was left before was cleared away: {names:?}");
        in_the_middle += usize::from(names.len() == 2);
        let opened = Gallery::load(&path).unwrap_or_else(|error| panic!("round {round}: {error}"));
        assert_eq!(opened.losses, [], "round {round}");
        let gallery = opened.gallery;
        let acts = gallery.done().count();
        assert!(acts >= told && acts <= told + 1 && acts > before, "{acts} acts after {before}, {told} of them told");
        assert!(gallery.without_features().is_empty() && gallery.count() == PHOTOS);
        before = acts;
    }
}

#[test]
fn what_cannot_be_written_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gallery.reid");
    let mut gallery = Gallery::new(Model { fingerprint: MODEL.into(), dim: DIM }, Precision::F16);
    assert_eq!(Gallery::load(&path).map_err(|error| error.code()).unwrap_err(), "unreadable");
    gallery.add(MODEL, vec![photo(1)]).unwrap();
    gallery.save(&path).unwrap();
    // Left by a process that is no more; and files of the user's that only look like it.
    for name in ["gallery.reid.123.0.partial", "gallery.reid.mine.partial", "other.reid.123.0.partial"] {
        fs::write(folder.path().join(name), b"half").unwrap();
    }
    gallery.save(&path).unwrap();
    let mut names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["gallery.reid", "gallery.reid.mine.partial", "other.reid.123.0.partial"]);
    assert_eq!(Gallery::load(&path).unwrap().gallery, gallery);
    let nowhere = folder.path().join("gone/gallery.reid");
    let error = gallery.save(&nowhere).unwrap_err();
    assert_eq!(error.code(), "unwritable");
    assert!(error.to_string().contains("what was there before is untouched"), "{error}");
}
