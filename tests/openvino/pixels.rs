//! What pixels an OpenVINO model takes: what its layers, its parameters of conversion and the type of its input tell.

use std::fmt::Write as _;

use webreid::model::ChannelOrder::{Bgr, Rgb};
use webreid::weights::{InputOptions, PixelRange, Recognised, WeightsError, read_openvino_with};

const MEAN: [f32; 3] = [123.675, 116.28, 103.53];
const STD: [f32; 3] = [58.395, 57.12, 57.375];
/// As a layer of ours takes it.
const IMAGENET: ([f32; 3], [f32; 3]) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);

/// A small model: what is done with the image, a convolution, a ReLU and the mean.
struct Model {
    xml: String,
    bin: Vec<u8>,
    edges: String,
    layers: usize,
    last: usize,
    dims: [&'static str; 4],
    info: String,
    version: u8,
    name: &'static str,
}

impl Model {
    fn new() -> Self {
        Self::of(["1", "3", "32", "16"], "f32")
    }

    fn of(dims: [&'static str; 4], element: &str) -> Self {
        let (xml, bin, edges, info) = (String::new(), Vec::new(), String::new(), String::new());
        let (version, name) = (11, "small");
        let mut model = Self { xml, bin, edges, layers: 0, last: 0, dims, info, version, name };
        let shape = dims.join(",");
        model.layer("Parameter", &format!("shape=\"{shape}\" element_type=\"{element}\""), &[], &dims);
        model
    }

    fn layer(&mut self, kind: &str, data: &str, inputs: &[usize], dims: &[&str]) -> usize {
        let id = self.layers;
        self.layers += 1;
        let dims: String =
            dims.iter().map(|dim| format!("<dim>{}</dim>", if *dim == "?" { "-1" } else { dim })).collect();
        let output =
            if kind == "Result" { String::new() } else { format!("<output><port id=\"9\">{dims}</port></output>") };
        write!(self.xml, "<layer id=\"{id}\" name=\"{kind}{id}\" type=\"{kind}\"><data {data}/>{output}</layer>")
            .unwrap();
        for (port, from) in inputs.iter().enumerate() {
            let edge = format!("from-layer=\"{from}\" from-port=\"9\" to-layer=\"{id}\" to-port=\"{port}\"");
            write!(self.edges, "<edge {edge}/>").unwrap();
        }
        id
    }

    fn constant(&mut self, kind: &str, dims: &[&str], bytes: Vec<u8>) -> usize {
        let data = format!(
            "element_type=\"{kind}\" shape=\"{}\" offset=\"{}\" size=\"{}\"",
            dims.join(","),
            self.bin.len(),
            bytes.len()
        );
        self.bin.extend(bytes);
        self.layer("Const", &data, &[], dims)
    }

    fn floats(&mut self, dims: &[&str], values: &[f32]) -> usize {
        self.constant("f32", dims, values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    /// Halved behind a `Convert`, as compressed models have it.
    fn halves(&mut self, dims: &[&str], values: &[f32]) -> usize {
        let bytes = values.iter().flat_map(|value| half::f16::from_f32(*value).to_le_bytes()).collect();
        let constant = self.constant("f16", dims, bytes);
        self.layer("Convert", "destination_type=\"f32\"", &[constant], dims)
    }

    fn by_channel(mut self, kind: &str, values: [f32; 3]) -> Self {
        let (dims, last) = (self.dims, self.last);
        let constant = self.halves(&["1", "3", "1", "1"], &values);
        self.last = self.layer(kind, "auto_broadcast=\"numpy\"", &[last, constant], &dims);
        self
    }

    fn turned(mut self) -> Self {
        let integers = |values: &[i32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
        let (dims, last) = (self.dims, self.last);
        let (places, axis) =
            (self.constant("i32", &["3"], integers(&[2, 1, 0])), self.constant("i32", &["1"], integers(&[1])));
        self.last = self.layer("Gather", "batch_dims=\"0\"", &[last, places, axis], &dims);
        self
    }

    fn converted(mut self) -> Self {
        let (dims, last) = (self.dims, self.last);
        self.last = self.layer("Convert", "destination_type=\"f32\"", &[last], &dims);
        self
    }

    /// Of the conversion, as files of version 11 have them.
    fn converted_with(mut self, parameters: &[(&str, &str)]) -> Self {
        self.info = format!("<rt_info><conversion_parameters>{}</conversion_parameters></rt_info>", listed(parameters));
        self
    }

    fn files(mut self) -> (String, Vec<u8>) {
        let weights: Vec<f32> = (0..4 * 3).map(|i| (i as f32).sin()).collect();
        let [batch, _, height, width] = self.dims;
        let weight = self.floats(&["4", "3", "1", "1"], &weights);
        let strides = "strides=\"1,1\" dilations=\"1,1\" pads_begin=\"0,0\" pads_end=\"0,0\"";
        let map = [batch, "4", height, width];
        let x = self.layer("Convolution", strides, &[self.last, weight], &map);
        let x = self.layer("ReLU", "", &[x], &map);
        let axes = self.constant("i64", &["2"], [2_i64, 3].iter().flat_map(|axis| axis.to_le_bytes()).collect());
        let x = self.layer("ReduceMean", "keep_dims=\"false\"", &[x, axes], &[batch, "4"]);
        self.layer("Result", "", &[x], &[]);
        let Self { xml, edges, info, version, name, .. } = self;
        let xml = format!(
            "<?xml version=\"1.0\"?><net name=\"{name}\" version=\"{version}\"><layers>{xml}</layers><edges>{edges}</edges>{info}</net>"
        );
        (xml, self.bin)
    }

    #[track_caller]
    fn read(self) -> Recognised {
        self.read_as(&InputOptions::default()).unwrap_or_else(|error| panic!("{error}"))
    }

    fn read_as(self, said: &InputOptions) -> Result<Recognised, WeightsError> {
        let (xml, bin) = self.files();
        read_openvino_with(xml.as_bytes(), &bin, said)
    }
}

fn listed(parameters: &[(&str, &str)]) -> String {
    parameters.iter().map(|(name, value)| format!("<{name} value=\"{value}\"/>")).collect()
}

#[track_caller]
fn check(model: &Recognised, (mean, std): ([f32; 3], [f32; 3])) {
    let input = &model.config.input;
    for (found, expected) in input.mean.iter().chain(&input.std).zip(mean.iter().chain(&std)) {
        assert!((found - expected).abs() <= 1e-3 * expected.abs().max(0.1), "{input:?}");
    }
}

const TAKEN_FOR_GRANTED: &str =
    "The file says nothing of the pixels' range: RGB at ImageNet's mean and deviation is taken for granted.";

#[test]
fn a_model_that_was_only_converted_takes_what_it_took_before() {
    let plain = Model::new().read();
    check(&plain, IMAGENET);
    assert_eq!((plain.config.input.order, &plain.assumed[..]), (Rgb, &[TAKEN_FOR_GRANTED.to_owned()][..]));
    let said = Model::new().converted_with(&[
        ("input_model", "DIR/p.onnx"),
        ("is_python_object", "False"),
        ("mean_values", "()"),
        ("reverse_input_channels", "False"),
    ]);
    assert_eq!(said.read().assumed, plain.assumed);
    let mut old = Model::new();
    (old.version, old.info) =
        (10, format!("<meta_data><cli_parameters>{}</cli_parameters></meta_data>", listed(&[("scale", "None")])));
    check(&old.read(), IMAGENET);
}

#[test]
fn mean_and_scale_in_the_layers_tell_range_and_order() {
    let summary = |model: Model| model.read().summary;
    let given = Model::new().by_channel("Subtract", MEAN).by_channel("Divide", STD).read();
    assert!(given.summary.contains("normalises RGB of 0 to 255 itself"), "{}", given.summary);
    check(&given, IMAGENET);
    assert_eq!((given.config.input.order, given.assumed.len()), (Rgb, 0));
    // The converter puts the scale into the weights, where it is not seen.
    let fused = Model::new().by_channel("Subtract", MEAN).read();
    check(&fused, (MEAN.map(|mean| mean / 255.0), [1.0 / 255.0; 3]));
    // As the Open Model Zoo has it, and as the converter leaves it when the reversal goes into the weights too.
    let zoo = Model::new().turned().by_channel("Subtract", MEAN).by_channel("Multiply", STD.map(f32::recip)).read();
    assert!(zoo.summary.contains("normalises BGR of 0 to 255 itself"), "{}", zoo.summary);
    // Turned already.
    assert_eq!(zoo.config.input.order, Rgb);
    check(&zoo, IMAGENET);
    let reversed = |mut values: [f32; 3]| {
        values.reverse();
        values
    };
    let fused = Model::new().by_channel("Subtract", reversed(MEAN)).by_channel("Divide", reversed(STD)).read();
    assert!(fused.summary.contains("normalises BGR of 0 to 255 itself"), "{}", fused.summary);
    assert_eq!(fused.config.input.order, Bgr);
    check(&fused, (reversed(IMAGENET.0), reversed(IMAGENET.1)));
    assert!(summary(Model::of(["1", "3", "32", "16"], "u8").converted()).contains("RGB of 0 to 255"));
}

#[test]
fn what_stands_beside_the_network_tells_the_rest() {
    let input = |model: Model| {
        let model = model.read();
        (model.config.input.clone(), model.assumed.len())
    };
    // All of it in the weights.
    let (fused, open) = input(Model::new().converted_with(&[
        ("mean_values", "data[123.675,116.28,103.53]"),
        ("reverse_input_channels", "True"),
        ("scale_values", "data[58.395,57.12,57.375]"),
    ]));
    assert_eq!((fused.mean, fused.std, fused.order, open), ([0.0; 3], [1.0 / 255.0; 3], Bgr, 0));
    // Of the order only.
    let turned = Model::new().converted_with(&[("reverse_input_channels", "True")]).read();
    assert_eq!((turned.config.input.order, turned.assumed.len()), (Bgr, 1));
    // The Open Model Zoo's by their name.
    let mut zoo = Model::new();
    zoo.name = "person-reidentification-retail-0286";
    let (zoo, open) = input(zoo);
    assert_eq!((zoo.mean, zoo.std, zoo.order, open), ([0.0; 3], [1.0 / 255.0; 3], Bgr, 0));
    // The Model API, which does it before the network.
    let mut api = Model::new();
    let parameters = [
        ("mean_values", "123.675 116.28 103.53"),
        ("reverse_input_channels", "True"),
        ("scale_values", "58.395 57.12 57.375"),
    ];
    api.info = format!("<rt_info><model_info>{}</model_info></rt_info>", listed(&parameters));
    let api = api.read();
    check(&api, IMAGENET);
    assert_eq!((api.config.input.order, api.assumed.len()), (Rgb, 0));
    assert!(api.summary.contains("It takes RGB at ImageNet's mean and deviation."), "{}", api.summary);
    let mut api = Model::new();
    let parameters = [("mean_values", "1 2 3"), ("scale_values", "4 5 6")];
    api.info = format!("<rt_info><model_info>{}</model_info></rt_info>", listed(&parameters));
    let api = api.read();
    check(&api, ([1.0, 2.0, 3.0].map(|mean| mean / 255.0), [4.0, 5.0, 6.0].map(|std| std / 255.0)));
    assert_eq!(api.assumed, ["The file says nothing of the order of the colours: RGB is taken for granted."]);
}

#[test]
fn an_open_size_is_the_users_or_taken_for_granted() {
    for dims in [["?", "3", "?", "?"], ["-1", "3", "1..512", "-1"]] {
        let model = Model::of(dims, "f32").read();
        assert_eq!((model.config.input.height, model.config.input.width), (256, 128));
        assert!(model.assumed[1].contains("256×128 (height × width) is taken for granted"), "{:?}", model.assumed);
    }
    let said = InputOptions {
        order: Some(Bgr),
        range: Some(PixelRange::Bytes),
        height: Some(64),
        width: Some(32),
        filter: None,
        fit: None,
    };
    let model = Model::of(["?", "3", "?", "?"], "f32").read_as(&said).unwrap();
    let input = &model.config.input;
    assert_eq!((input.height, input.width, input.order, input.mean), (64, 32, Bgr, [0.0; 3]));
    assert_eq!(model.assumed.len(), 0);
    let fixed = Model::new().read_as(&said).unwrap_err().to_string();
    assert!(fixed.contains("images of 32×16 pixels"), "{fixed}");
}
