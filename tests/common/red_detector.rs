//! A detector that can be checked by hand.

use std::collections::BTreeMap;

use webreid::graph::{Builder, Convolution2d};
use webreid::model::{BoxCode, DetectorConfig, DetectorHead, InputConfig, Level, ScoreCode};
use webreid::step::Fit;
use webreid::weights::{RecognisedDetector, Tensor};

/// Takes red for people. Its input is 64×64, and it has one level: each cell of 8×8 pixels whose red is more than half of what
/// pure red has, above its green, is somebody 12 pixels wide and 24 high, in whose middle the cell is. Beside people it knows
/// green, which comes first.
pub fn red_detector() -> RecognisedDetector {
    let (mut builder, image) = Builder::new(3);
    let cells = Convolution2d { kernel: 8, stride: 8, bias: true, ..Convolution2d::default() };
    let scores = builder.convolution("backbone.scores", image, 2, cells);
    let boxes = builder.convolution("backbone.boxes", image, 4, cells);
    let network = builder.finish([("scores", scores), ("boxes", boxes)]);
    let level = Level { stride: 8, scores: "scores".into(), boxes: "boxes".into(), objectness: None };
    let config = DetectorConfig {
        name: "red".into(),
        input: InputConfig {
            height: 64,
            width: 64,
            mean: [0.0; 3],
            std: [1.0; 3],
            fit: Fit::LETTERBOX,
            ..InputConfig::default()
        },
        network,
        head: DetectorHead {
            person: 1,
            levels: vec![level],
            boxes: BoxCode::Distances,
            scores: ScoreCode::Logit,
            point: 0.5,
        },
    };
    // 40 times the difference of two colours' means, less 20.
    let difference = |more: usize, less: usize| {
        let of = move |colour| {
            if colour == more {
                40.0 / 64.0
            } else if colour == less {
                -40.0 / 64.0
            } else {
                0.0
            }
        };
        (0..3).flat_map(move |colour| vec![of(colour); 64])
    };
    let weights: Vec<f32> = difference(1, 0).chain(difference(0, 1)).collect();
    let tensor = |shape: &[usize], values: Vec<f32>| Tensor { shape: shape.to_vec(), values };
    let tensors = BTreeMap::from(
        [
            ("backbone.scores.weight", tensor(&[2, 3, 8, 8], weights)),
            ("backbone.scores.bias", tensor(&[2], vec![-20.0; 2])),
            ("backbone.boxes.weight", tensor(&[4, 3, 8, 8], vec![0.0; 4 * 3 * 64])),
            ("backbone.boxes.bias", tensor(&[4], vec![6.0, 12.0, 6.0, 12.0])),
        ]
        .map(|(name, tensor)| (name.to_owned(), tensor)),
    );
    RecognisedDetector { config, tensors, assumed: Vec::new(), provenance: BTreeMap::new(), summary: "red".into() }
}

/// The bytes of a grey photo of `[width, height]` with red squares, each `[x, y, side]`, 3 bytes a pixel; a fourth number is how
/// red, of 255.
pub fn photo_bytes([width, height]: [u32; 2], squares: &[[u32; 4]]) -> Vec<u8> {
    let pixel = |x: u32, y: u32| {
        let within =
            |[left, top, side, _]: &&[u32; 4]| (*left..left + side).contains(&x) && (*top..top + side).contains(&y);
        squares.iter().find(within).map_or([128; 3], |square| [square[3] as u8, 0, 0])
    };
    (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y))).collect()
}
