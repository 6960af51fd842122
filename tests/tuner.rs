//! Fine-tuning on a user's photos: what is refused, what moves, and that people who were not in it are found better.
#![cfg(all(feature = "train", not(target_arch = "wasm32")))]

mod common;
#[path = "common/samples.rs"]
mod samples;

use std::collections::BTreeMap;
use std::path::Path;

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use samples::coloured;
use webreid::dataset::{Dataset, Image};
use webreid::extract::{DeviceChoice, Extractor, normalise};
use webreid::image::{Rgba, decode};
use webreid::ranking::{Label, Scores, score};
use webreid::training::{Depth, Samples, TrainError, TuneError, TuneOptions, Tuner};
use webreid::weights::{Checkpoint, recognise};

fn open(path: &Path) -> Extractor {
    let recognised = recognise(Checkpoint::read(&std::fs::read(path).unwrap()).unwrap()).unwrap();
    pollster::block_on(Extractor::open(&recognised, DeviceChoice::Cpu)).unwrap()
}

fn tiny() -> Extractor {
    open(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tiny_osnet.safetensors")))
}

fn options(depth: Depth, steps: usize) -> TuneOptions {
    TuneOptions { depth, steps, people: 4, images: 4, learning_rate: None, seed: 1 }
}

/// Runs a fine-tune to its end: the first and the last losses, and the tuned model.
fn tune(extractor: &Extractor, samples: Samples, options: &TuneOptions) -> (Vec<f32>, Extractor) {
    pollster::block_on(async {
        let mut tuner = Tuner::new(extractor, samples, options).await.unwrap();
        let mut losses = Vec::new();
        while let Some(step) = tuner.next_step().await.unwrap() {
            assert_eq!(step.steps, options.steps);
            losses.push(step.loss);
        }
        let (config, tensors) = tuner.model().await.unwrap();
        (losses, extractor.with(config, tensors).await.unwrap())
    })
}

#[test]
fn a_photo_at_the_networks_size_gives_the_same_feature() {
    let extractor = tiny();
    // Larger and smaller than the network's input, and of another shape.
    for (width, height) in [(301, 517), (40, 90), (128, 256)] {
        let pixels = (0..width * height * 4).map(|i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let photo = Rgba { width, height, pixels };
        let fitted = extractor.fitted(&photo).unwrap();
        assert_eq!((fitted.width, fitted.height), (128, 256));
        let features = pollster::block_on(extractor.extract(&[photo, fitted])).unwrap();
        assert_eq!(features[0], features[1], "{width}×{height}");
    }
    assert!(extractor.fitted(&Rgba { width: 0, height: 4, pixels: Vec::new() }).is_err());
}

#[test]
fn too_few_people_are_refused() {
    let extractor = tiny();
    let refused =
        |samples| pollster::block_on(Tuner::new(&extractor, samples, &options(Depth::Quick, 3))).expect_err("refused");
    assert!(matches!(refused(coloured(1, 5)), TuneError::TooFewSamples { people: 1 }));
    assert!(matches!(refused(coloured(5, 1)), TuneError::TooFewSamples { people: 0 }));
    assert!(matches!(refused(Samples::default()), TuneError::TooFewSamples { people: 0 }));
    let mut uneven = coloured(3, 3);
    uneven.cameras.pop();
    assert!(matches!(refused(uneven), TuneError::Length { images: 9, people: 9, cameras: 8 }));
}

#[test]
fn what_cannot_be_learnt_with_is_refused() {
    let extractor = tiny();
    let usual = options(Depth::Quick, 3);
    let rate = |rate| TuneOptions { learning_rate: Some(rate), ..usual.clone() };
    let no_steps = TuneOptions { steps: 0, ..usual.clone() };
    let one_person = TuneOptions { people: 1, ..usual.clone() };
    let one_image = TuneOptions { images: 1, ..usual.clone() };
    for options in [no_steps, one_person, one_image, rate(0.0), rate(-1.0), rate(f64::NAN), rate(f64::INFINITY)] {
        let error = pollster::block_on(Tuner::new(&extractor, coloured(3, 4), &options)).expect_err("refused");
        assert!(matches!(error, TuneError::Options), "{error}");
    }
}

#[test]
fn a_fine_tune_that_diverges_keeps_what_it_had() {
    let extractor = tiny();
    for depth in [Depth::Quick, Depth::Deeper] {
        let options = TuneOptions { learning_rate: Some(1e30), ..options(depth, 5) };
        let mut tuner = pollster::block_on(Tuner::new(&extractor, coloured(3, 4), &options)).unwrap();
        assert_eq!(pollster::block_on(tuner.next_step()).unwrap().map(|step| step.step), Some(0));
        let before = pollster::block_on(tuner.model()).unwrap();
        // Again and again the same step.
        for _ in 0..2 {
            let error = pollster::block_on(tuner.next_step()).unwrap_err();
            assert!(matches!(error, TrainError::Diverged(1)), "{depth:?}: {error}");
            assert_eq!(pollster::block_on(tuner.model()).unwrap(), before, "{depth:?}");
        }
    }
}

#[test]
fn every_depth_learns_and_leaves_the_rest_alone() {
    let extractor = tiny();
    let before = extractor.tensors().clone();
    for (depth, moving) in [
        (Depth::Quick, &["bottleneck."][..]),
        (Depth::Deeper, &["bottleneck.", "backbone.conv4.", "backbone.conv5.", "backbone.fc."]),
        (Depth::Full, &["bottleneck.", "backbone."]),
    ] {
        let (losses, tuned) = tune(&extractor, coloured(3, 4), &options(depth, 30));
        assert_eq!(losses.len(), 30);
        let mean = |losses: &[f32]| losses.iter().sum::<f32>() / losses.len() as f32;
        let (first, last) = (mean(&losses[..5]), mean(&losses[25..]));
        assert!(last < 0.9 * first, "{depth:?}: {first} to {last}");
        let after = tuned.tensors().clone();
        assert!(after.keys().all(|name| !name.starts_with("head.")), "the people's classifier is not kept");
        for (name, tensor) in &before {
            let moves = moving.iter().any(|prefix| name.starts_with(prefix));
            // A stage's statistics move as well as its weights.
            assert_eq!(tensor.values != after[name].values, moves, "{depth:?}: {name}");
        }
        assert_eq!(extractor.tensors().clone(), before, "the model before is kept");
    }
}

#[test]
fn the_same_seed_gives_the_same_model() {
    let extractor = tiny();
    let tuned = |seed| {
        let (losses, _) = tune(&extractor, coloured(3, 4), &TuneOptions { seed, ..options(Depth::Deeper, 4) });
        losses
    };
    assert_eq!(tuned(1), tuned(1));
    assert_ne!(tuned(1), tuned(2));
}

/// Camera 1 against camera 2.
fn cross_camera(extractor: &Extractor, images: &[&Image]) -> Scores {
    let mut parts = [(Vec::new(), Vec::new()), (Vec::new(), Vec::new())];
    for chunk in images.chunks(16) {
        let pictures: Vec<Rgba> =
            chunk.iter().map(|image| decode(&std::fs::read(&image.path).unwrap()).unwrap()).collect();
        let features = pollster::block_on(extractor.extract(&pictures)).unwrap();
        for (image, mut feature) in chunk.iter().zip(features) {
            normalise(&mut feature);
            let camera = image.camera.unwrap();
            let (rows, labels) = &mut parts[camera as usize];
            rows.push(feature);
            labels.push(Label { person: image.person, camera });
        }
    }
    let [(query, query_labels), (gallery, gallery_labels)] = parts;
    let distance = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
    let distances: Vec<f32> = query.iter().flat_map(|q| gallery.iter().map(move |g| distance(q, g))).collect();
    score(&distances, &query_labels, &gallery_labels).unwrap()
}

#[test]
#[ignore = "needs ../shared"]
fn twenty_people_help_to_find_twenty_others() {
    let shared = common::shared();
    let dataset = Dataset::read(&shared.join("data/pku-reid")).unwrap();
    let mut people: Vec<i32> = dataset.images.iter().map(|image| image.person).collect();
    people.dedup();
    people.sort_unstable();
    people.dedup();
    let extractor = open(&shared.join("weights/osnet_x0_25_market1501.pth"));
    people.shuffle(&mut ChaCha8Rng::seed_from_u64(1));
    // Every other of the eight views: the browser's tests take them all.
    let of = |people: &[i32]| -> Vec<&Image> {
        dataset.images.iter().step_by(2).filter(|image| people.contains(&image.person)).collect()
    };
    let (train, test) = (of(&people[..20]), of(&people[20..40]));
    let number: BTreeMap<i32, usize> = people[..20].iter().zip(0..).map(|(&person, number)| (person, number)).collect();
    let samples = Samples {
        images: train.iter().map(|image| decode(&std::fs::read(&image.path).unwrap()).unwrap()).collect(),
        people: train.iter().map(|image| number[&image.person]).collect(),
        cameras: train.iter().map(|image| image.camera.map(|camera| camera as usize)).collect(),
    };
    let before = cross_camera(&extractor, &test);
    let (losses, tuned) = tune(&extractor, samples, &options(Depth::Quick, 200));
    let after = cross_camera(&tuned, &test);
    println!(
        "rank-1 {:.1} to {:.1} %, mAP {:.1} to {:.1} %, loss {:.2} to {:.2}",
        before.rank1 * 100.0,
        after.rank1 * 100.0,
        before.map * 100.0,
        after.map * 100.0,
        losses[0],
        losses[losses.len() - 1],
    );
    assert!(after.rank1 > before.rank1 && after.map > before.map, "learning did not help");
}
