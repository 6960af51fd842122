//! OpenVINO models: a small one of our own with every operator that is read (`fixtures/make_openvino.py`), and those of the
//! Open Model Zoo where they are at hand.
#![cfg(not(target_arch = "wasm32"))]

mod common;
#[path = "openvino/pixels.rs"]
mod pixels;

use webreid::graph::Op;
use webreid::graph::op::Split;
use webreid::model::ChannelOrder;
use webreid::weights::{
    Checkpoint, Dialect, Precision, Recognised, WeightsError, is_openvino, read_openvino, recognise, to_safetensors,
};

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/openvino/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn xml() -> String {
    String::from_utf8(fixture("small-reid.xml")).unwrap()
}

fn small() -> Recognised {
    read_openvino(&fixture("small-reid.xml"), &fixture("small-reid.bin")).unwrap()
}

/// What is said about the fixture with one thing in its `.xml` changed, once.
#[track_caller]
fn refusal(right: &str, wrong: &str) -> WeightsError {
    let xml = xml();
    assert!(xml.contains(right), "the fixture has no {right}");
    let changed = read_openvino(xml.replacen(right, wrong, 1).as_bytes(), &fixture("small-reid.bin"));
    changed.err().unwrap_or_else(|| panic!("{wrong} is accepted"))
}

#[test]
fn what_surrounds_the_layers_goes_into_them() {
    let model = small();
    assert_eq!((model.dialect, model.architecture.as_str()), (Dialect::OpenVino, "small-reid"));
    assert!(
        model.summary.starts_with("small-reid (OpenVINO): 12-d feature, no BN neck, no head; "),
        "{}",
        model.summary
    );
    // The file takes BGR and turns it: the network reads RGB at ImageNet's mean and deviation, in FP16.
    let input = &model.config.input;
    assert_eq!((input.height, input.width, input.order), (32, 16, ChannelOrder::Rgb));
    for (found, expected) in input.mean.iter().chain(&input.std).zip([0.485, 0.456, 0.406, 0.229, 0.224, 0.225]) {
        assert!((found - expected).abs() < 2e-4, "{found} for {expected}");
    }
    let names: Vec<&str> = model.tensors.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "backbone.a.conv1.weight",
            // Scale and shift of what others read as it is, and of what a ReLU gives.
            "backbone.affine1.bias",
            "backbone.affine1.weight",
            "backbone.affine2.bias",
            "backbone.affine2.weight",
            "backbone.b.conv1.bias",
            "backbone.b.conv1.weight",
            "backbone.conv1.conv.weight",
            "backbone.convolution1.bias",
            "backbone.convolution1.weight",
            "backbone.convolution2.bias",
            "backbone.convolution2.weight",
            "backbone.fc.0.bias",
            "backbone.fc.0.weight",
            "backbone.fc.1.weight",
            "backbone.gate.fc1.bias",
            "backbone.gate.fc1.weight",
            "backbone.gate.fc2.bias",
            "backbone.gate.fc2.weight",
            // The image's, the stem's, and the one of both gates.
            "backbone.norm1.bias",
            "backbone.norm1.weight",
            "backbone.norm2.bias",
            "backbone.norm2.weight",
            "backbone.norm3.bias",
            "backbone.norm3.weight",
            "backbone.prelu1.weight",
            "backbone.prelu2.weight",
        ]
    );
}

#[test]
fn an_imported_model_is_written_and_loaded_again_as_ours() {
    let model = small();
    let file = to_safetensors(&model.config, &model.tensors, &model.provenance, Precision::F32).unwrap();
    let again = recognise(Checkpoint::read(&file).unwrap()).unwrap();
    assert_eq!((&again.config, &again.tensors), (&model.config, &model.tensors));
    assert_eq!((again.dialect, again.architecture.as_str()), (Dialect::Webreid, "small-reid"));
    assert_eq!(again.provenance["dialect"], "OpenVINO");
}

#[test]
fn the_description_alone_asks_for_its_numbers() {
    assert!(is_openvino(&fixture("small-reid.xml")) && is_openvino(b"\xef\xbb\xbf<net name=\"n\">"));
    assert!(!is_openvino(&fixture("small-reid.bin")) && !is_openvino(b"<?xml version=\"1.0\"?><svg/>"));
    let error = Checkpoint::read(&fixture("small-reid.xml")).unwrap_err().to_string();
    assert!(error.contains("in a .bin file of the same name"), "{error}");
}

#[test]
fn operators_that_are_not_supported_are_named() {
    let named = |right: &str, wrong: &str| match refusal(right, wrong) {
        WeightsError::Operator { operator, node, reason } => (operator, node, reason),
        other => panic!("{other}"),
    };
    let node = |xml: &str, kind: &str| {
        let end = xml.find(&format!("type=\"{kind}\"")).unwrap();
        xml[..end].rsplit("name=\"").next().unwrap().trim_end_matches("\" ").to_owned()
    };
    let first = node(&xml(), "Sigmoid");
    let (operator, at, _) = named("type=\"Sigmoid\"", "type=\"Acosh\"");
    assert_eq!((operator.as_str(), at), ("Acosh", first));
    let message = refusal("type=\"Sigmoid\"", "type=\"Acosh\"").to_string();
    assert!(message.starts_with("the network's operator Acosh, node `"), "{message}");

    let reason = |right, wrong| named(right, wrong).2;
    assert!(reason("auto_pad=\"explicit\"", "auto_pad=\"around\"").contains("around"));
    assert!(reason("INSIDE_SQRT", "OUTSIDE_SQRT").contains("square root"));
    assert!(reason("normalize_variance=\"true\"", "normalize_variance=\"false\"").contains("variance"));
    assert!(reason("eps=\"", "eps=\"-").contains("with eps"));
    assert!(reason("transpose_a=\"false\"", "transpose_a=\"true\"").contains("vector"));
    assert!(reason("rounding_type=\"floor\"", "rounding_type=\"up\"").contains("rounding"));
    assert!(reason("auto_broadcast=\"numpy\"", "auto_broadcast=\"pdpd\"").contains("broadcast"));
    assert!(reason("?,3,32,16", "?,32,16,5").contains("[batch, 3, height, width]"));
    assert!(reason("element_type=\"f16\"", "element_type=\"i8\"").contains("type i8"));
    assert!(reason("type=\"ReLU\"", "type=\"Parameter\"").contains("only input"));
}

#[test]
fn files_of_other_versions_and_of_no_network_are_refused() {
    let version = refusal("version=\"11\"", "version=\"6\"").to_string();
    assert!(version.contains("version 6 is not supported; 10 and 11 are"), "{version}");
    for (right, wrong, said) in [
        ("<net ", "<nets ", "cannot be read"),
        ("<edges>", "<edgesx><edges>", "cannot be read"),
        ("type=\"Result\"", "type=\"ReLU\"", "not the shape that the file states"),
        ("type=\"Parameter\"", "type=\"Const\"", "no input"),
        ("layer id=\"1\"", "layer id=\"0\"", "two layers have one id"),
        ("layer id=\"1\"", "layer id=\"one\"", "the id of a layer is \"one\""),
        ("to-layer=\"3\"", "to-layer=\"99999\"", "leads to no layer"),
        ("to-port=\"1\"", "to-port=\"0\"", "two sources"),
        ("from-layer=\"0\" from-port=\"0\"", "from-layer=\"3\" from-port=\"3\"", "in a circle"),
        ("size=\"6\"", "size=\"8\"", "has 8 bytes"),
        ("size=\"6\"", "size=\"18446744073709551615\"", "of a .bin of"),
        ("offset=\"16\"", "offset=\"18446744073709551615\"", "of a .bin of"),
        ("offset=\"16\"", "offset=\"4430\"", "of a .bin of"),
        ("offset=\"16\"", "offset=\"-1\"", "offset of"),
        ("shape=\"1, 3, 1, 1\"", "shape=\"9223372036854775807, 3, 1, 1\"", "of shape"),
        ("shape=\"1, 3, 1, 1\"", "shape=\"1, 3, 1, x\"", "the attribute shape"),
        ("shape=\"8, 3, 3, 3\"", "shape=\"3, 8, 3, 3\"", "cannot take"),
        ("strides=\"2, 2\"", "strides=\"0, 2\"", "cannot take"),
        (
            "<port id=\"3\" precision=\"FP32\">\n<dim>-1</dim>\n<dim>3</dim>",
            "<port id=\"3\" precision=\"FP32\">\n<dim>-1</dim>\n<dim>4</dim>",
            "not the shape that the file states",
        ),
    ] {
        let message = refusal(right, wrong).to_string();
        assert!(message.contains("damaged or incomplete") && message.contains(said), "{wrong}: {message}");
    }
    let entity = "<!DOCTYPE net [<!ENTITY a \"aaaa\">]><net name=\"&a;\" version=\"11\"/>";
    assert!(read_openvino(entity.as_bytes(), &[]).unwrap_err().to_string().contains("cannot be read"));
    // A million elements in one another take no stack.
    let deep = format!("<net version=\"11\">{}{}</net>", "<a>".repeat(1_000_000), "</a>".repeat(1_000_000));
    assert!(read_openvino(deep.as_bytes(), &[]).is_err());
    assert!(read_openvino(b"", b"").is_err() && read_openvino(&[0xff, 0xfe, 0], b"").is_err());
}

/// Output ports, from the number `first` on.
fn ports<const N: usize>(first: usize, dims: [&[i64]; N]) -> String {
    let dims = dims.map(|dims| dims.iter().map(|dim| format!("<dim>{dim}</dim>")).collect::<String>());
    let ports = (first..).zip(dims).map(|(id, dims)| format!("<port id=\"{id}\">{dims}</port>"));
    format!("<output>{}</output>", ports.collect::<String>())
}

/// Whole numbers of the `.bin`.
fn integers(first: usize, count: usize) -> String {
    format!(
        "type=\"Const\"><data element_type=\"i64\" shape=\"{count}\" offset=\"{}\" size=\"{}\"/>{}",
        8 * first,
        8 * count,
        ports(0, [&[count as i64]])
    )
}

/// A network of these layers and edges (layer and port to layer and port), and of the whole numbers of its `.bin`.
fn network(
    layers: &[String],
    edges: &[(usize, usize, usize, usize)],
    bin: impl IntoIterator<Item = i64>,
) -> Result<Recognised, WeightsError> {
    let layers =
        layers.iter().enumerate().map(|(id, layer)| format!("<layer id=\"{id}\" name=\"l{id}\" {layer}</layer>"));
    let edges = edges.iter().map(|(from, a, to, b)| {
        format!("<edge from-layer=\"{from}\" from-port=\"{a}\" to-layer=\"{to}\" to-port=\"{b}\"/>")
    });
    let (layers, edges) = (layers.collect::<String>(), edges.collect::<String>());
    let xml = format!("<net name=\"n\" version=\"11\"><layers>{layers}</layers><edges>{edges}</edges></net>");
    read_openvino(xml.as_bytes(), &bin.into_iter().flat_map(i64::to_le_bytes).collect::<Vec<u8>>())
}

#[test]
fn what_a_split_gives_are_the_values_of_one_node() {
    for lengths in [[1, -1], [2, 1]] {
        let parts = [lengths[0], 3 - lengths[0]];
        let [first, second] = parts.map(|length| [1, length, 1, 1]);
        let layers = [
            format!("type=\"Parameter\"><data shape=\"1,3,32,16\"/>{}", ports(0, [&[1, 3, 32, 16]])),
            integers(0, 2),
            format!("type=\"ReduceMean\"><data keep_dims=\"true\"/>{}", ports(2, [&[1, 3, 1, 1]])),
            integers(2, 1),
            integers(3, 2),
            format!("type=\"VariadicSplit\">{}", ports(3, [&first, &second])),
            format!("type=\"Concat\"><data axis=\"1\"/>{}", ports(2, [&[1, 3, 1, 1]])),
            "type=\"Result\">".to_owned(),
        ];
        let edges = [(0, 0, 2, 0), (1, 0, 2, 1), (2, 2, 5, 0), (3, 0, 5, 1), (4, 0, 5, 2)];
        let edges = [&edges[..], &[(5, 4, 6, 0), (5, 3, 6, 1), (6, 2, 7, 0)]].concat();
        let model = network(&layers, &edges, [2, 3, 1].into_iter().chain(lengths)).unwrap();
        let graph = model.config.graph().unwrap();
        let lengths = parts.map(|length| length as usize).to_vec();
        assert_eq!(graph.nodes[2].op, Op::Split(Split { start: 0, lengths }));
    }
}

#[test]
fn a_batch_that_is_written_into_the_file_is_the_batch() {
    let read = |batch: i64, target: [i64; 2]| {
        let layers = [
            format!("type=\"Parameter\"><data shape=\"{batch},3,32,16\"/>{}", ports(0, [&[batch, 3, 32, 16]])),
            integers(0, 2),
            integers(2, 2),
            format!("type=\"ReduceMean\"><data keep_dims=\"true\"/>{}", ports(2, [&[batch, 3, 1, 1]])),
            format!("type=\"Reshape\"><data special_zero=\"false\"/>{}", ports(2, [&[batch, 3]])),
            "type=\"Result\">".to_owned(),
        ];
        let edges = [(0, 0, 3, 0), (1, 0, 3, 1), (3, 2, 4, 0), (2, 0, 4, 1), (4, 2, 5, 0)];
        network(&layers, &edges, [2, 3].into_iter().chain(target)).map(|model| model.config.features_dim())
    };
    for (batch, target) in [(1, [1, -1]), (16, [16, -1]), (16, [16, 3]), (16, [-1, 3]), (32, [32, 3])] {
        assert_eq!(read(batch, target).unwrap(), 3, "{batch} {target:?}");
    }
    assert!(read(16, [1, -1]).is_err() && read(16, [8, -1]).is_err());
}

#[test]
fn layers_that_share_the_numbers_too_often_are_refused() {
    let bin = vec![0; 4 << 20];
    let mut layers = "<layer id=\"0\" name=\"x\" type=\"Parameter\"><data shape=\"1,3,32,16\"/><output><port id=\"0\">\
                      <dim>1</dim><dim>3</dim><dim>32</dim><dim>16</dim></port></output></layer>"
        .to_owned();
    for id in 1..1000 {
        layers += &format!(
            "<layer id=\"{id}\" name=\"c\" type=\"Const\"><data element_type=\"f16\" shape=\"2097152\" offset=\"0\" size=\"4194304\"/></layer>"
        );
    }
    let xml = format!("<net name=\"n\" version=\"11\"><layers>{layers}</layers><edges/></net>");
    let message = read_openvino(xml.as_bytes(), &bin).unwrap_err().to_string();
    assert!(
        message.contains("`c` (Const) asks for 35651584 numbers, with all before it, and 34603008 is"),
        "{message}"
    );
}

#[test]
fn files_cut_anywhere_are_refused() {
    let (xml, bin) = (fixture("small-reid.xml"), fixture("small-reid.bin"));
    let end = xml.trim_ascii_end().len();
    for length in (0..end).step_by(61).chain(end - 20..end) {
        assert!(read_openvino(&xml[..length], &bin).is_err(), ".xml cut to {length} of {end} bytes");
    }
    for length in (0..bin.len()).step_by(37).chain([bin.len() - 1]) {
        assert!(read_openvino(&xml, &bin[..length]).is_err(), ".bin cut to {length} of {} bytes", bin.len());
    }
}

#[test]
fn no_single_wrong_byte_makes_a_panic() {
    let (mut xml, bin) = (fixture("small-reid.xml"), fixture("small-reid.bin"));
    for index in 0..xml.len() {
        let right = xml[index];
        // Some of the digits, and fewer of everything else: each try reads the whole file.
        let wrong: &[u8] = match right.is_ascii_digit() {
            true if index % 11 == 0 => b"09-",
            false if index % 199 == 0 => b"\"< x\xff",
            _ => b"",
        };
        for &wrong in wrong {
            xml[index] = wrong;
            // Some bytes do not matter; either answer is good, but there must be one.
            let _ = read_openvino(&xml, &bin);
        }
        xml[index] = right;
    }
}

#[cfg(feature = "train")]
mod network {
    use burn::tensor::{Tensor, TensorData};
    use webreid::extract::{DeviceChoice, Extractor};
    use webreid::image::{self, Rgba};
    use webreid::model::{Head, ReIdentifierConfig};
    use webreid::training::{ComputeDevice, Mode, Network};
    use webreid::weights::initial_tensors;

    use super::common::relative_error;
    use super::*;

    /// Of the largest value.
    const TOLERANCE: f32 = 1e-4;
    /// How much the loss changes to measure its slope: far more than by rounding, too little to meet many kinks.
    const STEP: f32 = 3e-4;
    /// How far a parameter is moved at the most.
    const FARTHEST: f32 = 0.05;

    /// RGB of 0…255 as the model's input.
    fn input(config: &ReIdentifierConfig, rgb: &[f32]) -> Vec<f32> {
        let area = config.input.height * config.input.width;
        let images = rgb.chunks_exact(3 * area).flat_map(|image| {
            (0..3).flat_map(move |channel| {
                let source = if config.input.order == ChannelOrder::Bgr { 2 - channel } else { channel };
                let (mean, std) = (config.input.mean[channel], config.input.std[channel]);
                image[source * area..][..area].iter().map(move |value| (value / 255.0 - mean) / std)
            })
        });
        images.collect()
    }

    /// The same as pictures.
    fn pictures(rgb: &webreid::weights::Tensor) -> Vec<Rgba> {
        let [_, _, height, width] = rgb.shape[..] else { panic!("images") };
        let area = height * width;
        let pixel = |image: &[f32], at: usize| [0, 1, 2, 3].map(|c| image.get(c * area + at).map_or(255, |v| *v as u8));
        let picture = |image: &[f32]| Rgba {
            width: width as u32,
            height: height as u32,
            pixels: (0..area).flat_map(|at| pixel(image, at)).collect(),
        };
        rgb.values.chunks_exact(3 * area).map(picture).collect()
    }

    fn extractor(model: &Recognised, choice: DeviceChoice) -> Extractor {
        pollster::block_on(Extractor::open(model, choice)).unwrap()
    }

    #[track_caller]
    fn check(what: &str, extractor: &Extractor, found: &[f32], expected: &[f32]) {
        let error = relative_error(found, expected);
        println!("{what} on {}: {error:.1e} of the largest value", extractor.device().name());
        assert!(error <= TOLERANCE, "{what}: {error}");
    }

    fn check_small(choice: DeviceChoice) {
        let expected = Checkpoint::read(&fixture("expected.safetensors")).unwrap().tensors;
        let model = small();
        let extractor = extractor(&model, choice);
        let input = input(&model.config, &expected["rgb"].values);
        let found = pollster::block_on(extractor.embed(&input)).unwrap();
        check("small-reid from the tensor", &extractor, &found, &expected["feature"].values);
        let images = pictures(&expected["rgb"]);
        let found = pollster::block_on(extractor.extract(&images)).unwrap().concat();
        check("small-reid from pictures", &extractor, &found, &expected["feature"].values);
    }

    fn check_model_zoo(choice: DeviceChoice) {
        let shared = common::shared();
        let weights = shared.join("weights");
        let reference =
            Checkpoint::read(&std::fs::read(weights.join("reference_features.safetensors")).unwrap()).unwrap();
        let images: Vec<Rgba> = reference.metadata["images"]
            .split(',')
            .map(|name| image::decode(&std::fs::read(shared.join("data/pku-reid").join(name)).unwrap()).unwrap())
            .collect();
        for number in ["0287", "0288"] {
            let name = format!("person-reidentification-retail-{number}");
            let file = |ending| std::fs::read(weights.join(&name).join(format!("{name}.{ending}"))).unwrap();
            let model = read_openvino(&file("xml"), &file("bin")).unwrap();
            assert_eq!((model.architecture.as_str(), model.config.features_dim()), (name.as_str(), 256));
            println!("{}", model.summary);
            let extractor = extractor(&model, choice);
            let expected = &reference.tensors[&format!("retail_{number}")].values;
            let input = input(&model.config, &reference.tensors["rgb_0_255"].values);
            let from_tensor = pollster::block_on(extractor.embed(&input)).unwrap();
            check(&format!("{name} from the tensor"), &extractor, &from_tensor, expected);
            let from_images = pollster::block_on(extractor.extract(&images)).unwrap().concat();
            check(&format!("{name} from the files"), &extractor, &from_images, expected);
        }
    }

    #[test]
    fn the_network_computes_what_openvino_computes_on_the_cpu() {
        check_small(DeviceChoice::Cpu);
    }

    #[test]
    #[cfg(feature = "gpu")]
    fn the_network_computes_what_openvino_computes_on_webgpu() {
        check_small(DeviceChoice::Gpu);
    }

    #[test]
    #[ignore = "needs ../shared"]
    fn the_model_zoos_features_equal_the_reference_on_the_cpu() {
        check_model_zoo(DeviceChoice::Cpu);
    }

    #[test]
    #[ignore = "needs ../shared"]
    #[cfg(feature = "gpu")]
    fn the_model_zoos_features_equal_the_reference_on_webgpu() {
        check_model_zoo(DeviceChoice::Gpu);
    }

    /// Fine-tuning: with a neck and a head, every parameter has a gradient, and that is the loss's slope.
    #[test]
    fn an_imported_network_is_trained_like_any_other() {
        let mut model = small();
        model.config.neck = true;
        model.config.head = Some(Head { num_classes: 4, bias: false });
        for (name, tensor) in initial_tensors(&model.config, 1).unwrap() {
            model.tensors.entry(name).or_insert(tensor);
        }
        // The head's start, which is near zero, would hide the other slopes.
        model.tensors.get_mut("head.weight").unwrap().values.iter_mut().for_each(|value| *value *= 500.0);
        let device = ComputeDevice::cpu().device.autodiff();
        let graph = model.config.graph().unwrap();
        let expected = Checkpoint::read(&fixture("expected.safetensors")).unwrap().tensors;
        let images = input(&model.config, &expected["rgb"].values);
        let target: Vec<f32> = (0..12).map(|i| (i as f32).cos()).collect();
        let loss = |tensors: &_| {
            let network = Network::new(graph.clone(), tensors, &device).unwrap();
            let images = Tensor::<4>::from_data(TensorData::new(images.clone(), [3, 3, 32, 16]), &device);
            let target = Tensor::<2>::from_data(TensorData::new(target.clone(), [3, 4]), &device);
            let logits = network.forward(images, Mode::Train).unwrap().logits.unwrap();
            ((logits - target).powi_scalar(2).mean(), network)
        };
        let values = |tensor: Tensor<1>| tensor.into_data().iter::<f32>().collect::<Vec<f32>>();
        let (start, network) = loss(&model.tensors);
        let mut gradients = start.backward();
        let mut found = Vec::new();
        for parameter in network.parameter_groups().into_iter().flat_map(|group| group.parameters) {
            let name = parameter.name;
            let gradient =
                network.take_gradient(&name, &mut gradients).unwrap_or_else(|| panic!("{name} has no gradient"));
            let gradient = values(gradient);
            let length = gradient.iter().map(|slope| slope * slope).sum::<f32>().sqrt();
            let at = |distance: f32| {
                let mut tensors = model.tensors.clone();
                let moved = tensors.get_mut(&name).unwrap().values.iter_mut().zip(&gradient);
                moved.for_each(|(value, slope)| *value += distance * slope / length);
                values(loss(&tensors).0)[0]
            };
            let distance = (STEP / length).min(FARTHEST);
            // Of fourth order: batch norm bends the loss.
            let rise = |distance: f32| at(distance) - at(-distance);
            let slope = (8.0 * rise(distance) - rise(2.0 * distance)) / (12.0 * distance);
            println!("{name}: gradient {length:.5}, slope {slope:.5}");
            found.push((name, length, slope));
        }
        let largest = found.iter().fold(0.0_f32, |largest, (_, length, _)| largest.max(*length));
        for (name, length, slope) in &found {
            // A bias that batch norm takes away again has no slope but the rounding of what cancels.
            let tolerance = 0.03 * length + 1e-4 * largest;
            assert!((slope - length).abs() <= tolerance, "{name}: gradient {length}, slope {slope}");
        }
        // All but the BN neck's frozen bias and its two running statistics.
        assert_eq!(found.len(), model.tensors.len() - 3);
    }
}
