//! What strangers begin with: the example `examples/compare.rs` prints what PyTorch makes of the same pictures, and what stands
//! behind it says what is wrong.
#![cfg(not(target_arch = "wasm32"))]

#[expect(dead_code, reason = "a test has no use for an example's main")]
#[path = "../examples/compare.rs"]
mod compare;

use std::fs;

use compare::compare;
use pollster::block_on;
use webreid::image::decode;
use webreid::{DeviceChoice, Error, Feature, ReIdentifier};

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tiny_osnet.safetensors");

fn picture(name: &str) -> String {
    format!("{}/tests/fixtures/pictures/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn open() -> ReIdentifier {
    block_on(ReIdentifier::open(MODEL, DeviceChoice::Cpu)).unwrap()
}

/// `fixtures/make_reidentifier.py` prints these.
#[test]
fn two_pictures_are_as_alike_as_pytorch_says() {
    for (first, second, expected) in [
        ("png/colours.png", "png/colours.png", "1.0000"),
        ("png/colours.png", "bmp/bits.bmp", "0.7528"),
        ("bmp/palette.bmp", "jpeg/grey.jpg", "0.6943"),
        ("png/grey_alpha.png", "png/palette.png", "0.8311"),
    ] {
        let found = block_on(compare(MODEL, [&picture(first), &picture(second)], DeviceChoice::Cpu)).unwrap();
        assert_eq!(format!("{found:.4}"), expected, "{first} and {second}");
    }
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_name() {
    let said = |model: &str, second: &str| {
        let pictures = [&picture("png/colours.png")[..], second];
        block_on(compare(model, pictures, DeviceChoice::Cpu)).unwrap_err().to_string()
    };
    let gone = picture("gone.png");
    assert!(said(MODEL, &gone).starts_with(&format!("{gone}: cannot be read (")), "{}", said(MODEL, &gone));
    assert!(said(&gone, &gone).starts_with(&format!("{gone}: cannot be read (")), "{}", said(&gone, &gone));
    let text = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    assert!(said(MODEL, text).starts_with(&format!("{text}: this is text, not an image")), "{}", said(MODEL, text));
    let picture = picture("png/colours.png");
    assert!(said(&picture, &gone).starts_with(&format!("{picture}: ")), "{}", said(&picture, &gone));
}

#[test]
fn images_in_memory_give_the_features_of_their_files() {
    let model = open();
    assert!(model.words().is_empty(), "{:?}", model.words());
    // More than go through the network together, each another than its neighbours.
    let names = ["png/colours.png", "bmp/bits.bmp", "jpeg/grey.jpg"];
    let files: Vec<String> = (0..20).map(|place| picture(names[place % 3])).collect();
    let images: Vec<_> = files.iter().map(|file| decode(&fs::read(file).unwrap()).unwrap()).collect();
    let features = block_on(model.extract_files(&files)).unwrap();
    assert_eq!(features, block_on(model.extract(&images)).unwrap());
    assert_eq!(features.len(), 20);
    for (place, feature) in features.iter().enumerate() {
        assert_eq!(feature, &features[place % 3]);
        assert_eq!(feature.fingerprint, model.extractor().fingerprint().to_string());
        let length: f32 = feature.values.iter().map(|value| value * value).sum();
        assert!((length - 1.0).abs() < 1e-5, "{length}");
    }
    assert!(features[0] != features[1] && features[1] != features[2]);
    assert!(block_on(model.extract_files::<&str>(&[])).unwrap().is_empty());
}

#[test]
fn features_are_kept_and_those_of_two_models_are_not_compared() {
    let feature = block_on(open().extract_files(&[picture("png/colours.png")])).unwrap().remove(0);
    let kept: Feature = serde_json::from_str(&serde_json::to_string(&feature).unwrap()).unwrap();
    assert_eq!(kept, feature);
    let other = Feature { fingerprint: "0".repeat(32), ..kept.clone() };
    let error = feature.similarity(&other).unwrap_err();
    assert!(matches!(&error, Error::OtherModel { second, .. } if *second == other.fingerprint), "{error}");
    let shorter = Feature { values: kept.values[1..].to_vec(), ..kept.clone() };
    assert!(matches!(feature.similarity(&shorter), Err(Error::OtherModel { .. })));
    // It is the direction that counts.
    let longer = Feature { values: kept.values.iter().map(|value| 3.0 * value).collect(), ..kept.clone() };
    assert!((feature.similarity(&longer).unwrap() - 1.0).abs() < 1e-6);
    let nothing = Feature { values: vec![0.0; kept.values.len()], ..kept };
    assert_eq!(feature.similarity(&nothing).unwrap(), 0.0);
}

/// Work for an executor with threads.
#[test]
fn a_model_goes_from_thread_to_thread() {
    fn sent<T: Send + Sync>(it: T) -> T {
        it
    }
    sent(open());
}

#[cfg(feature = "bundled")]
#[test]
fn the_model_that_comes_along_needs_no_file() {
    let model = block_on(ReIdentifier::bundled(DeviceChoice::Cpu)).unwrap();
    let features = block_on(model.extract_files(&[picture("png/colours.png")])).unwrap();
    assert_eq!(features[0].values.len(), 256);
}
