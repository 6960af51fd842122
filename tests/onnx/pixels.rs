//! What pixels a network takes, by what it does with them before it learns from them: the pixels that the network's first learnt
//! layer gets are the same wherever the normalisation stands, and which ones the file wants is found out or asked.

use webreid::extract::{DeviceChoice, Extractor};
use webreid::graph::{Op, Padding};
use webreid::image::Rgba;
use webreid::model::ChannelOrder::{self, Bgr, Rgb};
use webreid::weights::{
    InputOptions, PixelRange, Precision, Recognised, WeightsError, read, read_with, to_onnx, to_safetensors,
};

use super::common::relative_error;
use super::writer::{Attribute, File, Node, Tensor, node};
use super::{accepted, plain};

const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const STD: [f32; 3] = [0.229, 0.224, 0.225];

fn bytes(values: [f32; 3]) -> [f32; 3] {
    values.map(|value| value * 255.0)
}

fn reversed(mut values: [f32; 3]) -> [f32; 3] {
    values.reverse();
    values
}

/// Steps from `image` to what the plain network reads, and their constants.
#[derive(Default)]
struct Steps {
    nodes: Vec<Node>,
    tensors: Vec<Tensor>,
    last: String,
}

impl Steps {
    fn new() -> Self {
        Self { last: "image".into(), ..Self::default() }
    }

    fn constant(&mut self, dims: &[usize], values: &[f32]) -> String {
        let name = format!("c{}", self.tensors.len());
        self.tensors.push(Tensor::floats(&name, dims, values));
        name
    }

    fn whole(&mut self, values: &[i64]) -> String {
        let name = format!("c{}", self.tensors.len());
        self.tensors.push(Tensor::integers(&name, values));
        name
    }

    /// A node of the last value and constants.
    fn then(mut self, kind: &str, constants: &[(&[usize], &[f32])], attributes: &[(&'static str, Attribute)]) -> Self {
        let mut inputs = vec![self.last.clone()];
        constants.iter().for_each(|(dims, values)| inputs.push(self.constant(dims, values)));
        self.node(kind, inputs, attributes)
    }

    fn node(mut self, kind: &str, inputs: Vec<String>, attributes: &[(&'static str, Attribute)]) -> Self {
        let out = format!("s{}", self.nodes.len());
        let mut made = node(kind, &[], &out);
        made.inputs = inputs;
        made.attributes = attributes.to_vec();
        self.nodes.push(made);
        self.last = out;
        self
    }

    /// Of each channel.
    fn by_channel(self, kind: &str, values: [f32; 3]) -> Self {
        self.then(kind, &[(&[1, 3, 1, 1], &values)], &[])
    }

    fn by(self, kind: &str, value: f32) -> Self {
        self.then(kind, &[(&[], &[value])], &[])
    }

    /// ÷ 255, − mean, ÷ deviation.
    fn normalised(self) -> Self {
        self.by("Div", 255.0).by_channel("Sub", MEAN).by_channel("Div", STD)
    }

    fn clipped(self, low: f32, high: f32) -> Self {
        self.then("Clip", &[(&[], &[low]), (&[], &[high])], &[])
    }

    fn cut(mut self, axis: i64, start: i64, end: i64) -> Self {
        let inputs = [self.last.clone(), self.whole(&[start]), self.whole(&[end]), self.whole(&[axis])];
        self.node("Slice", inputs.into(), &[])
    }

    fn pooled(self, kind: &str) -> Self {
        self.then(kind, &[], &[("kernel_shape", Attribute::Ints(vec![2, 2])), ("strides", Attribute::Ints(vec![1, 1]))])
    }

    /// Each channel by itself through `each`, and joined in the order `order`.
    fn channels(mut self, order: [usize; 3], each: impl Fn(Self, usize) -> Self) -> Self {
        let image = self.last.clone();
        let mut parts = Vec::new();
        for (place, channel) in order.into_iter().enumerate() {
            self.last.clone_from(&image);
            self = each(self.cut(1, channel as i64, channel as i64 + 1), place);
            parts.push(self.last.clone());
        }
        self.node("Concat", parts, &[("axis", Attribute::Int(1))])
    }

    fn file(self) -> File {
        let mut file = plain();
        file.nodes[0].inputs[0] = self.last;
        file.nodes.splice(0..0, self.nodes);
        file.tensors.extend(self.tensors);
        file
    }
}

/// Noise, which shows each colour.
fn image() -> Rgba {
    let pixels = (0..4_u32 * 16 * 32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    Rgba { width: 16, height: 32, pixels }
}

fn feature(model: &Recognised) -> Vec<f32> {
    let extractor = pollster::block_on(Extractor::open(model, DeviceChoice::Cpu)).unwrap();
    pollster::block_on(extractor.extract(&[image()])).unwrap().remove(0)
}

/// That of the file whose first steps are taken away, on RGB as it is after them.
fn expected(file: &File, order: ChannelOrder, scale: [f32; 3], shift: [f32; 3]) -> Vec<f32> {
    let mut model = accepted(file);
    model.config.input.order = order;
    model.config.input.std = scale.map(|scale| 1.0 / (255.0 * scale));
    model.config.input.mean = [0, 1, 2].map(|channel| -shift[channel] / (255.0 * scale[channel]));
    feature(&model)
}

/// RGB at ImageNet's mean and deviation, whatever comes before.
#[track_caller]
fn check(steps: Steps, said: &str) {
    let file = steps.file();
    let model = accepted(&file);
    assert!(model.summary.contains(said), "{}", model.summary);
    assert_eq!(model.assumed, [""; 0]);
    let plain = accepted(&plain());
    let error = relative_error(&feature(&model), &feature(&plain));
    assert!(error < 1e-4, "{error}");
    // Written in our own form and as ONNX it takes the same.
    let ours = to_safetensors(&model.config, &model.tensors, &model.provenance, Precision::F32).unwrap();
    assert!(relative_error(&feature(&read(&ours).unwrap()), &feature(&plain)) < 1e-4);
}

const RGB_BYTES: &str = "The network normalises RGB of 0 to 255 itself.";
const BGR_BYTES: &str = "The network normalises BGR of 0 to 255 itself.";
const RGB_UNIT: &str = "The network normalises RGB of 0 to 1 itself.";

#[test]
fn a_normalisation_is_found_wherever_it_stands() {
    let start = Steps::new;
    check(start().normalised(), RGB_BYTES);
    check(start().by_channel("Sub", bytes(MEAN)).by_channel("Div", bytes(STD)), RGB_BYTES);
    check(start().clipped(0.0, 255.0).normalised(), RGB_BYTES);
    check(start().clipped(0.0, 1.0).by_channel("Sub", MEAN).by_channel("Div", STD), RGB_UNIT);
    check(start().by("Div", 255.0).clipped(0.0, 1.0).by_channel("Sub", MEAN).by_channel("Div", STD), RGB_BYTES);
    check(start().then("Relu", &[], &[]).normalised(), RGB_BYTES);
    check(start().then("Relu", &[], &[]).by_channel("Sub", MEAN).by_channel("Div", STD), RGB_UNIT);
    check(start().then("Identity", &[], &[]).normalised(), RGB_BYTES);
    check(start().channels([0, 1, 2], |x, c| x.by("Div", 255.0).by("Sub", MEAN[c]).by("Div", STD[c])), RGB_BYTES);
    check(start().by("Mul", 255.0).clipped(0.0, 255.0).normalised(), RGB_UNIT);
}

#[test]
fn convolutions_and_norms_may_be_the_normalisation() {
    let start = Steps::new;
    let (scale, shift) = (STD.map(|std| 1.0 / (255.0 * std)), [0, 1, 2].map(|c| -MEAN[c] / STD[c]));
    let [r, g, b] = scale;
    let dense = [r, 0.0, 0.0, 0.0, g, 0.0, 0.0, 0.0, b];
    check(start().then("Conv", &[(&[3, 3, 1, 1], &dense), (&[3], &shift)], &[]), RGB_BYTES);
    let turned = [0.0, 0.0, r, 0.0, g, 0.0, b, 0.0, 0.0];
    check(start().then("Conv", &[(&[3, 3, 1, 1], &turned), (&[3], &shift)], &[]), BGR_BYTES);
    let groups = [("group", Attribute::Int(3))];
    check(start().then("Conv", &[(&[3, 1, 1, 1], &scale), (&[3], &shift)], &groups), RGB_BYTES);
    let norm = |weight: &[f32; 3], bias: &[f32; 3], mean: &[f32; 3], variance: [f32; 3]| {
        // As the file has its eps.
        let variance = variance.map(|variance| variance - 1e-5);
        let constants: [(&[usize], &[f32]); 4] = [(&[3], weight), (&[3], bias), (&[3], mean), (&[3], &variance)];
        start().then("BatchNormalization", &constants, &[])
    };
    let square = |values: [f32; 3]| values.map(|value| value * value);
    check(norm(&[1.0; 3], &[0.0; 3], &bytes(MEAN), square(bytes(STD))), RGB_BYTES);
    check(norm(&[1.0; 3], &[0.0; 3], &MEAN, square(STD)), RGB_UNIT);
    // Its own scale and shift are the normalisation.
    check(norm(&scale, &shift, &[0.0; 3], [1.0; 3]), RGB_BYTES);
}

#[test]
fn crops_and_pools_before_it_stay_what_they_are() {
    for steps in [
        Steps::new().cut(2, 2, 30).cut(3, 1, 15),
        Steps::new().pooled("AveragePool"),
        Steps::new().pooled("MaxPool"),
        Steps::new().then(
            "Conv",
            &[(&[3, 1, 3, 3], &[1.0 / 9.0; 27])],
            &[("group", Attribute::Int(3)), ("pads", Attribute::Ints(vec![1; 4]))],
        ),
    ] {
        let bare = Steps { nodes: steps.nodes.clone(), tensors: steps.tensors.clone(), last: steps.last.clone() };
        let model = accepted(&steps.normalised().file());
        assert!(model.summary.contains(RGB_BYTES), "{}", model.summary);
        // The same after them.
        let mut after = accepted(&bare.file());
        assert!(after.assumed.concat().contains("RGB at ImageNet's mean and deviation is taken for granted"));
        let found = feature(&model);
        let nodes = after.config.graph().unwrap().nodes.clone();
        let padded = nodes
            .iter()
            .any(|node| matches!(&node.op, Op::Convolution(c) if c.groups == 3 && c.padding == Padding::all(1)));
        let error = relative_error(&found, &feature(&after));
        // A blur's border is of black pixels before it and of grey ones after.
        assert!(if padded { error < 0.2 } else { error < 1e-4 }, "{error}");
        after.config.input.std = [1.0 / 255.0; 3];
        assert!(relative_error(&found, &feature(&after)) > 0.5, "the range counts");
    }
}

#[test]
fn the_order_of_the_colours_is_that_of_the_numbers() {
    let start = Steps::new;
    // Blue is the darkest.
    let turned = start().by_channel("Sub", reversed(bytes(MEAN))).by_channel("Div", reversed(bytes(STD))).file();
    let model = accepted(&turned);
    assert!(model.summary.contains(BGR_BYTES), "{}", model.summary);
    let (scale, shift) = (STD.map(|std| 1.0 / (255.0 * std)), [0, 1, 2].map(|c| -MEAN[c] / STD[c]));
    let found = relative_error(&feature(&model), &expected(&plain(), Bgr, reversed(scale), reversed(shift)));
    assert!(found < 1e-4, "{found}");
    // Caffe's.
    let caffe = accepted(&start().by_channel("Sub", [103.939, 116.779, 123.68]).file());
    assert!(caffe.summary.contains(BGR_BYTES), "{}", caffe.summary);
    // The file turns BGR round.
    check(start().channels([2, 1, 0], |x, _| x).normalised(), BGR_BYTES);
    check(start().channels([2, 1, 0], |x, c| x.by("Div", 255.0).by("Sub", MEAN[c]).by("Div", STD[c])), BGR_BYTES);
    let even = start().channels([2, 1, 0], |x, _| x).by("Sub", 127.5).by("Div", 127.5).file();
    assert!(accepted(&even).summary.contains(BGR_BYTES), "nobody turns RGB to BGR");
    // Numbers that are the same for each colour tell nothing of their order.
    let even = accepted(&start().by("Sub", 127.5).by("Div", 127.5).file());
    assert!(even.summary.contains(RGB_BYTES), "{}", even.summary);
    assert_eq!(even.assumed, ["The file says nothing of the order of the colours: RGB is taken for granted."]);
}

#[test]
fn other_ranges_are_known_by_what_becomes_of_them() {
    let start = Steps::new;
    let summary = |steps: Steps| accepted(&steps.file()).summary;
    // −1 to 1, to 0 to 1.
    let symmetric = accepted(&start().by("Add", 1.0).by("Div", 2.0).file());
    assert!(symmetric.summary.contains("of −1 to 1 itself"), "{}", symmetric.summary);
    let found = feature(&symmetric);
    assert!(relative_error(&found, &expected(&plain(), Rgb, [1.0 / 255.0; 3], [0.0; 3])) < 1e-4);
    // Back from ImageNet's, and from there to another normalisation.
    let back = summary(start().by_channel("Mul", bytes(STD)).by_channel("Add", bytes(MEAN)));
    assert!(back.contains("It takes RGB at ImageNet's mean and deviation."), "{back}");
    let other = start().by_channel("Mul", STD.map(|std| std / 0.5)).by_channel("Add", MEAN.map(|m| (m - 0.5) / 0.5));
    let other = summary(other);
    assert!(other.contains("It takes RGB at ImageNet's mean and deviation."), "{other}");
    // Clamps alone tell it too.
    assert!(summary(start().clipped(0.0, 255.0)).contains(RGB_BYTES));
    assert!(summary(start().clipped(0.0, 1.0)).contains(RGB_UNIT));
    // Statistics of its images.
    let constants: [(&[usize], &[f32]); 4] =
        [(&[3], &[0.7, 1.3, 0.9]), (&[3], &[0.1, -0.2, 0.3]), (&[3], &[99.0, 101.0, 97.0]), (&[3], &[3100.0; 3])];
    let learnt = summary(start().then("BatchNormalization", &constants, &[]));
    assert!(learnt.contains(RGB_BYTES), "{learnt}");
    // There and back.
    let there = summary(start().by("Mul", 255.0).pooled("AveragePool").by("Div", 255.0));
    assert!(there.contains(RGB_UNIT), "{there}");
    // The type of the image: bytes.
    let mut file = start().node("Cast", vec!["image".into()], &[("to", Attribute::Int(1))]).file();
    file.image_type = 2;
    assert!(accepted(&file).summary.contains(RGB_BYTES));
}

#[test]
fn what_suits_no_pixels_is_refused_until_the_user_says_what_they_are() {
    let refused = |file: &File| match read(&file.bytes()) {
        Err(WeightsError::Pixels(reason)) => reason,
        Err(other) => panic!("{other}"),
        Ok(model) => panic!("accepted: {}", model.summary),
    };
    let third = Steps::new().by("Div", 3.0).file();
    assert!(refused(&third).contains("(pixel − 0.0000) ÷ 3.0000"), "{}", refused(&third));
    let cut_off = Steps::new().then("Relu", &[], &[]).file();
    assert!(refused(&cut_off).contains("cutting off what is below 0"), "{}", refused(&cut_off));
    let learnt = Steps::new().by("Mul", 1.2).by("Sub", 0.1).file();
    assert!(refused(&learnt).contains("(pixel − 0.0833) ÷ 0.8333"), "{}", refused(&learnt));
    let mixed = Steps::new().channels([0, 1, 2], |x, c| if c == 0 { x.by("Div", 255.0) } else { x.by("Div", 0.25) });
    assert!(refused(&mixed.file()).contains("one part of it takes pixels"));
    let message = read(&third.bytes()).unwrap_err().to_string();
    assert!(message.contains("--range 0-1, 0-255 or imagenet"), "{message}");

    let bytes = InputOptions { range: Some(PixelRange::Bytes), ..Default::default() };
    let model = read_with(&third.bytes(), &bytes).unwrap();
    assert!(model.summary.contains("As was said, it takes RGB of 0 to 255."), "{}", model.summary);
    let found = relative_error(&feature(&model), &expected(&plain(), Rgb, [1.0 / 3.0; 3], [0.0; 3]));
    assert!(found < 1e-4, "{found}");
}

#[test]
fn what_the_user_says_wins() {
    let said = |order, range| InputOptions { order, range, ..Default::default() };
    let read_as = |file: &File, said: &InputOptions| read_with(&file.bytes(), said).unwrap();
    // Where the file says nothing the assumption goes.
    let file = plain();
    let both = read_as(&file, &said(Some(Bgr), Some(PixelRange::Unit)));
    assert_eq!((both.assumed.len(), both.config.input.order), (0, Bgr));
    assert_eq!((both.config.input.mean, both.config.input.std), ([0.0; 3], [1.0; 3]));
    assert!(both.summary.contains("As was said, it takes BGR of 0 to 1."), "{}", both.summary);
    let order = read_as(&file, &said(Some(Bgr), None));
    assert_eq!(order.config.input.mean, reversed(MEAN), "the numbers are the colours'");
    let word = "The file says nothing of the pixels' range: BGR at ImageNet's mean and deviation is taken for granted.";
    assert_eq!(order.assumed, [word]);
    let range = read_as(&file, &said(None, Some(PixelRange::Bytes)));
    assert_eq!(range.assumed, ["The file says nothing of the order of the colours: RGB is taken for granted."]);
    assert_eq!(range.config.input.std, [1.0 / 255.0; 3]);
    // Where it says something else that is told.
    let own = Steps::new().normalised().file();
    let same = read_as(&own, &said(Some(Rgb), Some(PixelRange::Bytes)));
    assert_eq!((same.assumed.len(), &same.config.input), (0, &accepted(&own).config.input));
    let other = read_as(&own, &said(None, Some(PixelRange::Unit)));
    let word = "By its own steps the network takes RGB of 0 to 255; it is given RGB of 0 to 1, as was said.";
    assert_eq!(other.assumed, [word]);
    assert!((other.config.input.std[0] - 0.229 * 255.0).abs() < 1e-3, "{:?}", other.config.input.std);
}

#[test]
fn the_size_is_the_files_or_the_users() {
    let size = |height, width| InputOptions { height: Some(height), width: Some(width), ..Default::default() };
    let mut open = plain();
    open.inputs[0].1 = vec![None, Some(3), None, None];
    let model = accepted(&open);
    assert!(model.assumed.concat().contains("256×128 (height × width) is taken for granted"), "{:?}", model.assumed);
    let model = read_with(&open.bytes(), &size(48, 24)).unwrap();
    assert_eq!((model.config.input.height, model.config.input.width), (48, 24));
    assert!(!model.assumed.concat().contains("48"), "{:?}", model.assumed);
    // A fixed one is the only one, and what was made of the file keeps the size that it was made at.
    let fixed = plain();
    assert!(read_with(&fixed.bytes(), &size(32, 16)).is_ok());
    let said = |result: Result<Recognised, WeightsError>| match result {
        Err(WeightsError::Input(reason)) => reason,
        other => panic!("{other:?}"),
    };
    assert!(said(read_with(&fixed.bytes(), &size(64, 16))).contains("images of 32×16 pixels"));
    let ours = to_safetensors(&model.config, &model.tensors, &model.provenance, Precision::F32).unwrap();
    assert!(said(read_with(&ours, &size(64, 16))).contains("images of 48×24 pixels"));
    for wrong in [0, 15, 4097, usize::MAX] {
        assert!(said(read_with(&open.bytes(), &size(wrong, 64))).contains("16 to 4096"), "{wrong}");
    }
}

#[test]
fn a_network_of_bytes_comes_back_from_onnx() {
    for steps in [
        Steps::new().clipped(0.0, 255.0).normalised(),
        Steps::new().pooled("AveragePool").normalised(),
        Steps::new().pooled("AveragePool").by("Div", 255.0),
        Steps::new().channels([2, 1, 0], |x, _| x).pooled("MaxPool").normalised(),
    ] {
        let model = accepted(&steps.file());
        let Ok(file) = to_onnx(&model.config, &model.tensors) else { continue };
        let again = read(&file).unwrap_or_else(|error| panic!("{error}"));
        let error = relative_error(&feature(&again), &feature(&model));
        assert!(error < 1e-4, "{error}: {}", again.summary);
    }
}
