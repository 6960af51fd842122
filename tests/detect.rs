//! People in photos, by a detector that can be checked by hand.

#![cfg(not(target_arch = "wasm32"))]

#[path = "common/red_detector.rs"]
mod red_detector;

use std::num::NonZeroU32;
use std::path::Path;

use pollster::block_on;
use red_detector::{photo_bytes, red_detector};
use webreid::detect::{DetectError, DetectOptions, Detector, Person, Tiles};
use webreid::graph::frozen::DeviceChoice;
use webreid::image::Rgba;
use webreid::weights::{Precision, detector_to_safetensors};

fn detector() -> Detector {
    block_on(Detector::open(&red_detector(), DeviceChoice::Cpu)).unwrap()
}

fn photo(size: [u32; 2], squares: &[[u32; 4]]) -> Rgba {
    let bytes = photo_bytes(size, squares);
    let pixels = bytes.chunks_exact(3).flat_map(|rgb| [rgb[0], rgb[1], rgb[2], 255]).collect();
    Rgba { width: size[0], height: size[1], pixels }
}

/// People of any height.
const ALL: DetectOptions = DetectOptions { min_score: None, min_height: 0.0, tiles: Tiles::Auto };

fn tiles(side: u32) -> DetectOptions {
    DetectOptions { tiles: Tiles::Side(NonZeroU32::new(side).unwrap()), ..ALL }
}

#[track_caller]
fn found(photo: &Rgba, options: DetectOptions) -> Vec<Person> {
    block_on(detector().detect(photo, options)).unwrap()
}

#[track_caller]
fn boxes(photo: &Rgba, options: DetectOptions) -> Vec<[f32; 4]> {
    found(photo, options).iter().map(|person| person.person_box.to_array()).collect()
}

/// What the page's tests load. It is written anew where it is missing.
#[test]
fn the_fixture_is_this_detector() {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/red_detector.safetensors"));
    let bytes = detector_to_safetensors(&red_detector(), Precision::F32).unwrap();
    if !path.exists() {
        std::fs::write(path, &bytes).unwrap();
    }
    assert!(std::fs::read(path).unwrap() == bytes, "remove {} and run this again", path.display());
}

#[test]
fn people_are_where_they_are_in_the_photo() {
    // Twice the input's size: a cell is 16 pixels, a person 24 × 48.
    for (size, square, expected) in [
        ([128, 128], [32, 48, 16, 255], [28.0, 32.0, 24.0, 48.0]),
        // Above and below a wide photo, and beside a high one, is the letterbox.
        ([128, 64], [64, 16, 16, 255], [60.0, 0.0, 24.0, 48.0]),
        ([64, 128], [32, 48, 16, 255], [28.0, 32.0, 24.0, 48.0]),
        // Boxes end where the photo does.
        ([128, 128], [0, 0, 16, 255], [0.0, 0.0, 20.0, 32.0]),
        ([128, 128], [112, 112, 16, 255], [108.0, 96.0, 20.0, 32.0]),
        // Half the input's size.
        ([32, 32], [8, 8, 4, 255], [7.0, 4.0, 6.0, 12.0]),
    ] {
        let people = found(&photo(size, &[square]), ALL);
        let [Person { person_box, score }] = people[..] else { panic!("{size:?} {square:?}: {people:?}") };
        assert_eq!(person_box.to_array(), expected, "{size:?} {square:?}");
        assert!(score > 0.999, "{score}");
    }
}

#[test]
fn the_best_comes_first_and_who_is_below_the_least_score_or_height_not_at_all() {
    // Logits of 4.9, 20 and −4.9, at the input's size.
    let photo = photo([64, 64], &[[16, 16, 8, 159], [32, 16, 8, 255], [48, 32, 8, 96]]);
    let people = |min_score| found(&photo, DetectOptions { min_score, ..ALL });
    let score = |red: f32| 1.0 / (1.0 + (20.0 - 40.0 * red / 255.0).exp());
    let all = people(Some(0.001));
    assert_eq!(all.len(), 3);
    for (person, red) in all.iter().zip([255.0, 159.0, 96.0]) {
        assert!((person.score - score(red)).abs() < 1e-4, "{all:?}");
    }
    assert_eq!(people(None), all[..2]);
    assert_eq!(people(Some(0.999)), all[..1]);
    assert_eq!(found(&photo, DetectOptions::default()), [], "24 pixels high");
    assert_eq!(found(&photo, DetectOptions { min_height: 24.0, ..ALL }), all[..2]);
}

#[test]
fn who_is_small_is_found_in_tiles_and_who_is_large_once() {
    // An eighth of the photo is the input's size, and half of a tile: the first is a cell of a tile and a sixteenth of one of
    // the whole; the second is a cell of the whole.
    let squares = [[144, 144, 16, 255], [384, 320, 64, 255]];
    let [small, large] = [[140.0, 128.0, 24.0, 48.0], [368.0, 256.0, 96.0, 192.0]];
    let photo = |squares: &[[u32; 4]]| photo([512, 512], squares);
    let off = DetectOptions { tiles: Tiles::Off, ..ALL };
    assert_eq!(boxes(&photo(&squares), off), [large]);
    let found = boxes(&photo(&squares), tiles(128));
    // Tiles see cells of the large one, pieces of whom they are.
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.contains(&small) && found.contains(&large), "{found:?}");
    // In a tile somebody has to be seen better than in the whole: these score 0.5.
    let [small_faint, large_faint] = squares.map(|[x, y, side, _]| photo(&[[x, y, side, 136]]));
    assert_eq!(boxes(&large_faint, off), [large]);
    assert_eq!(boxes(&small_faint, tiles(128)), [] as [[f32; 4]; 0]);
    assert_eq!(boxes(&small_faint, DetectOptions { min_score: Some(0.45), ..tiles(128) }), [small]);
    // So large, the photo is cut of its own accord.
    let middling = photo(&[[150, 150, 40, 255]]);
    assert_eq!(boxes(&middling, off), [] as [[f32; 4]; 0]);
    assert!(!boxes(&middling, DetectOptions::default()).is_empty());
}

#[test]
fn nobody_is_no_error() {
    for size in [[128, 128], [1, 1], [3000, 2], [2, 3000], [5000, 40]] {
        assert_eq!(found(&photo(size, &[]), ALL), [], "{size:?}");
    }
    // A pixel that is red all over: of whatever size, nobody reaches beyond it.
    let pixel = boxes(&photo([1, 1], &[[0, 0, 1, 255]]), ALL);
    assert!(!pixel.is_empty() && pixel.iter().all(|[x, y, width, height]| x + width <= 1.0 && y + height <= 1.0));
    assert_eq!(boxes(&photo([1, 1], &[[0, 0, 1, 255]]), DetectOptions::default()), [] as [[f32; 4]; 0]);
}

#[test]
fn what_cannot_be_looked_at_says_why() {
    let detect = |photo: &Rgba, options| block_on(detector().detect(photo, options)).expect_err("nothing to see");
    let empty = Rgba { width: 0, height: 8, pixels: Vec::new() };
    assert!(matches!(detect(&empty, DetectOptions::default()), DetectError::Image(_)));
    let mut short = photo([16, 16], &[]);
    short.pixels.truncate(100);
    assert!(matches!(detect(&short, DetectOptions::default()), DetectError::Image(_)));
    let error = detect(&photo([3000, 400], &[]), tiles(8)).to_string();
    assert!(error.contains("3000×400") && error.contains("take larger ones"), "{error}");

    let mut damaged = red_detector();
    damaged.tensors.get_mut("backbone.scores.bias").unwrap().values[1] = f32::NAN;
    let damaged = block_on(Detector::open(&damaged, DeviceChoice::Cpu)).unwrap();
    let error = block_on(damaged.detect(&photo([64, 64], &[]), DetectOptions::default())).expect_err("no numbers");
    assert!(matches!(error, DetectError::NotANumber), "{error}");

    let open = |change: fn(&mut webreid::weights::RecognisedDetector)| {
        let mut wrong = red_detector();
        change(&mut wrong);
        block_on(Detector::open(&wrong, DeviceChoice::Cpu)).expect_err("no detector").to_string()
    };
    let missing = open(|detector| drop(detector.tensors.remove("backbone.boxes.bias")));
    assert!(missing.contains("backbone.boxes.bias"), "{missing}");
    let outputs = open(|detector| detector.config.head.person = 2);
    assert!(outputs.contains("no channel for people"), "{outputs}");
}

#[test]
#[cfg(feature = "webgpu")]
fn a_gpu_finds_the_same_people() {
    let gpu = block_on(Detector::open(&red_detector(), DeviceChoice::Gpu)).expect("a Vulkan driver; lavapipe will do");
    assert!(gpu.device().is_gpu());
    let photo = photo([700, 500], &[[144, 144, 16, 255], [384, 320, 64, 200], [20, 300, 40, 180], [600, 20, 30, 255]]);
    let people = |detector: &Detector, options| block_on(detector.detect(&photo, options)).unwrap();
    for options in [ALL, tiles(128), tiles(90)] {
        let (found, expected) = (people(&gpu, options), people(&detector(), options));
        assert_eq!(found.len(), expected.len());
        assert!(!found.is_empty());
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found.score - expected.score).abs() < 1e-4, "{found:?} {expected:?}");
            let sides = found.person_box.to_array().into_iter().zip(expected.person_box.to_array());
            assert!(sides.into_iter().all(|(a, b)| (a - b).abs() < 0.05), "{found:?} {expected:?}");
        }
    }
}
