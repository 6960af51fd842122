//! ONNX files: a small network as PyTorch's two exporters write it (`fixtures/make_onnx.py`), checkpoints whose graph is
//! written as ONNX and comes back, and files that are refused.
#![cfg(not(target_arch = "wasm32"))]

#[path = "../common/mod.rs"]
mod common;
mod kinds;
mod pixels;
mod round_trip;
mod writer;

use webreid::graph::Op;
use webreid::graph::op::{BatchNorm, GemPool};
use webreid::model::{ChannelOrder, InputConfig};
use webreid::weights::{
    Checkpoint, Dialect, Precision, Recognised, WeightsError, is_onnx, read, read_onnx, recognise, to_onnx,
    to_safetensors,
};
use writer::{Attribute, File, Node, Stored, Tensor, node};

const EXPORTERS: [&str; 2] = ["torchscript.onnx", "dynamo.onnx"];

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn small(exporter: &str) -> Recognised {
    read(&fixture(&format!("onnx/{exporter}"))).unwrap_or_else(|error| panic!("{exporter}: {error}"))
}

/// A convolution, a ReLU and the mean.
fn plain() -> File {
    let weights: Vec<f32> = (0..4 * 3 * 3 * 3).map(|i| (i as f32).sin()).collect();
    let nodes = vec![
        node("Conv", &["image", "conv.weight", "conv.bias"], "a").with("pads", Attribute::Ints(vec![1; 4])),
        node("Relu", &["a"], "b"),
        node("GlobalAveragePool", &["b"], "c"),
        node("Flatten", &["c"], "feature"),
    ];
    let tensors =
        vec![Tensor::floats("conv.weight", &[4, 3, 3, 3], &weights), Tensor::floats("conv.bias", &[4], &[0.5; 4])];
    File::new(32, 16, nodes, tensors)
}

/// The plain network with something between its ReLU and its mean.
fn with(between: Vec<Node>, tensors: Vec<Tensor>) -> File {
    let mut file = plain();
    let last = between.last().map_or("b".to_owned(), |node| node.outputs[0].clone());
    file.nodes[2].inputs = vec![last];
    file.nodes.splice(2..2, between);
    file.tensors.extend(tensors);
    file
}

#[track_caller]
fn accepted(file: &File) -> Recognised {
    accepted_bytes(&file.bytes())
}

#[track_caller]
fn accepted_bytes(bytes: &[u8]) -> Recognised {
    read(bytes).unwrap_or_else(|error| panic!("{error}"))
}

/// The names of the operations, without the image.
fn operations(model: &Recognised) -> Vec<String> {
    let graph = model.config.graph().unwrap();
    let names = graph.nodes.iter().skip(1).map(|node| format!("{:?}", node.op));
    names.map(|name| name.split([' ', '(', '{']).next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn both_exporters_files_are_read() {
    for exporter in EXPORTERS {
        let model = small(exporter);
        assert_eq!((model.dialect, model.config.features_dim()), (Dialect::Onnx, 12), "{exporter}");
        let said = "network of an ONNX file (ONNX): 12-d feature, no BN neck, no head; ";
        assert!(model.summary.starts_with(said), "{}", model.summary);
        assert!(model.summary.contains("normalises RGB of 0 to 255 itself"), "{}", model.summary);
        assert!(model.summary.contains("the length 1, is left to the matching"), "{}", model.summary);
        let input = &model.config.input;
        assert_eq!((input.height, input.width, input.order), (32, 16, ChannelOrder::Rgb));
        for (found, expected) in input.mean.iter().chain(&input.std).zip([0.485, 0.456, 0.406, 0.229, 0.224, 0.225]) {
            assert!((found - expected).abs() < 1e-6, "{found} for {expected}");
        }
        // The names are the file's, and both places of the gate share one.
        for name in ["conv1", "IN", "BN", "a.conv1", "b.conv2", "gate.fc1", "gate.fc2", "conv2", "fc"] {
            assert!(model.tensors.contains_key(&format!("backbone.{name}.weight")), "{exporter} has no {name}");
        }
        let graph = model.config.graph().unwrap();
        let gates = graph.nodes.iter().filter(|node| node.op.name() == Some("backbone.gate.fc1"));
        assert_eq!(gates.count(), 2, "{exporter}");
        assert_eq!(graph.nodes.iter().filter(|node| matches!(node.op, Op::GemPool(_))).count(), 1, "{exporter}");
        assert_eq!(model.tensors["backbone.pool1.p"].values, [2.5], "{exporter}");
    }
    // The old exporter folded nothing.
    let neck = &small("torchscript.onnx").tensors["backbone.neck.running_var"];
    assert_eq!(neck.shape, [12]);
}

#[test]
fn an_imported_model_is_written_and_loaded_again_as_ours() {
    for exporter in EXPORTERS {
        let model = small(exporter);
        let file = to_safetensors(&model.config, &model.tensors, &model.provenance, Precision::F32).unwrap();
        let again = read(&file).unwrap();
        assert_eq!((&again.config, &again.tensors), (&model.config, &model.tensors));
        assert_eq!((again.dialect, again.provenance["dialect"].as_str()), (Dialect::Webreid, "ONNX"));
    }
}

#[test]
fn the_first_bytes_tell_an_onnx_file() {
    assert!(EXPORTERS.iter().all(|exporter| is_onnx(&fixture(&format!("onnx/{exporter}")))));
    for other in ["tiny_osnet.safetensors", "weights/zip_f32.pt", "weights/legacy_f64.pth", "openvino/small-reid.xml"] {
        assert!(!is_onnx(&fixture(other)), "{other}");
    }
    assert!(!is_onnx(b"") && !is_onnx(&[8]) && !is_onnx(&[8, 8]));
    // Protobuf's fields may stand in any order: here the graph is the first.
    let file = plain().bytes();
    let turned = [&file[2..], &file[..2]].concat();
    assert!(file.starts_with(&[8, 8, 7 << 3 | 2]) && is_onnx(&turned) && !is_onnx(&turned[..turned.len() - 1]));
    assert_eq!(read(&turned).unwrap().tensors, read(&file).unwrap().tensors);
    assert!(matches!(read(b""), Err(WeightsError::Empty)));
    let error = Checkpoint::read(&fixture("onnx/dynamo.onnx")).unwrap_err().to_string();
    assert!(error.contains("a whole network"), "{error}");
}

/// The network is the plain one in other words: the same nodes of the same numbers.
#[track_caller]
fn check_plain(file: &File) {
    let (found, expected) = (accepted(file), accepted(&plain()));
    assert_eq!(found.config, expected.config);
    assert_eq!(found.tensors, expected.tensors);
}

fn numbers(name: &str, dims: &[usize], values: impl IntoIterator<Item = i64>) -> Tensor {
    let dims = dims.iter().map(|&size| size as i64).collect();
    Tensor { name: name.into(), dims, kind: 7, stored: Stored::Int64s(values.into_iter().collect()) }
}

/// The plain network for a batch of so many, with other nodes from its mean `c` `[batch, 4, 1, 1]` to the feature.
fn ending(batch: Option<i64>, nodes: Vec<Node>, tensors: Vec<Tensor>) -> File {
    let mut file = plain();
    file.inputs[0].1[0] = batch;
    file.nodes.truncate(3);
    file.nodes.extend(nodes);
    file.outputs = vec![file.nodes[file.nodes.len() - 1].outputs[0].clone()];
    file.tensors.extend(tensors);
    file
}

#[test]
fn a_batch_that_is_written_into_the_file_is_the_batch() {
    let reshape = |batch, targets: &[&[i64]]| {
        let names: Vec<String> = (0..=targets.len()).map(|place| format!("c{place}")).collect();
        let mut nodes = vec![node("Identity", &["c"], "c0")];
        let mut tensors = Vec::new();
        for (place, target) in targets.iter().enumerate() {
            let shape = format!("shape{place}");
            nodes.push(node("Reshape", &[&names[place], &shape], &names[place + 1]));
            tensors.push(Tensor::integers(&shape, target));
        }
        ending(batch, nodes, tensors)
    };
    for batch in [1, 2, 4, 8, 16, 32, 33] {
        let all = 4 * batch;
        let ways: [&[&[i64]]; 9] = [
            &[&[batch, -1]],
            &[&[batch, 4]],
            &[&[-1, 4]],
            &[&[0, -1]],
            &[&[batch, 2, -1], &[batch, 4, 1, 1], &[batch, 4]],
            &[&[-1, 2, 2], &[0, 4]],
            // All images' values in a row and back.
            &[&[-1], &[batch, 4]],
            &[&[all], &[batch, -1]],
            &[&[2 * batch, 2], &[4 * batch, 1], &[-1, 4]],
        ];
        for way in ways {
            check_plain(&reshape(Some(batch), way));
        }
        // The image's shape may not say it.
        check_plain(&reshape(None, &[&[batch, 4]]));
        check_plain(&reshape(None, &[&[batch, -1]]));
    }
    // Images that are put together are none.
    for (batch, target) in [(16, [1, 64]), (16, [8, -1]), (16, [32, 4]), (16, [16, 5])] {
        let message = read(&reshape(Some(batch), &[&target]).bytes()).err().map(|error| error.to_string());
        let message = message.unwrap_or_else(|| panic!("{target:?} is accepted"));
        assert!(message.contains("another number of values") || message.contains("in a row"), "{message}");
    }
    // Of a batch of one the first dimension may be dropped.
    for (kind, first) in [("Squeeze", Tensor::integers("zero", &[0])), ("Gather", numbers("zero", &[], [0]))] {
        let nodes = vec![
            node("Flatten", &["c"], "d"),
            node(kind, &["d", "zero"], "e"),
            node("Unsqueeze", &["e", "first"], "feature"),
        ];
        let tensors = vec![first, Tensor::integers("first", &[0])];
        check_plain(&ending(Some(1), nodes.clone(), tensors.clone()));
        check_plain(&ending(Some(1), nodes[..2].to_vec(), tensors.clone()));
        assert!(read(&ending(Some(2), nodes, tensors).bytes()).is_err());
    }
}

#[test]
fn shapes_that_the_network_computes_itself_are_followed() {
    let shape = || node("Shape", &["b"], "shape");
    let zero = || numbers("zero", &[], [0]);
    let at = |name: &str, value| Tensor::integers(name, &[value]);
    // The batch and −1; twice the batch, halved again.
    let first = vec![node("Gather", &["shape", "zero"], "n"), node("Unsqueeze", &["n", "at0"], "ns")];
    let joined = |more: Vec<Node>, end: &[&str]| {
        [vec![shape()], first.clone(), more, vec![node("Concat", end, "to").with("axis", Attribute::Int(0))]].concat()
    };
    let back = |nodes: Vec<Node>| [nodes, vec![node("Reshape", &["c", "to"], "feature")]].concat();
    let constants = || vec![zero(), at("at0", 0), at("two", 2), at("rest", -1), at("four", 4)];
    for batch in [None, Some(1), Some(8)] {
        check_plain(&ending(batch, back(joined(vec![], &["ns", "rest"])), constants()));
        check_plain(&ending(batch, back(joined(vec![], &["ns", "four"])), constants()));
        let twice = vec![node("Mul", &["ns", "two"], "double"), node("Div", &["double", "two"], "same")];
        check_plain(&ending(batch, back(joined(twice, &["same", "four"])), constants()));
        // The shape in parts, of which the first two are the batch and the channels.
        let mut parts = node("Split", &["shape"], "n");
        parts.outputs.extend(["channels", "h", "w"].map(str::to_owned));
        let nodes = vec![shape(), parts, node("Concat", &["n", "channels"], "to").with("axis", Attribute::Int(0))];
        check_plain(&ending(batch, back(nodes), vec![]));
        let slice = vec![shape(), node("Slice", &["shape", "at0", "two"], "to")];
        check_plain(&ending(batch, back(slice), constants()));
        // All images, however many: to the batch, or to no end.
        let whole = vec![shape(), node("Gather", &["shape", "at0"], "n"), node("Flatten", &["c"], "d")];
        let whole = |end: &str| [whole.clone(), vec![node("Slice", &["d", "at0", end], "feature")]].concat();
        check_plain(&ending(batch, whole("n"), constants()));
        check_plain(&ending(batch, whole("far"), vec![at("at0", 0), at("far", i64::MAX)]));
    }
    let some = [node("Flatten", &["c"], "d"), node("Slice", &["d", "at0", "two"], "feature")];
    check_plain(&ending(Some(2), some.to_vec(), constants()));
    let message = read(&ending(Some(8), some.to_vec(), constants()).bytes()).unwrap_err().to_string();
    assert!(message.contains("some images of the batch"), "{message}");
    // As PyTorch's older exporter expands: where the shape is −1 it is 1.
    let zeros = node("ConstantOfShape", &["two"], "zeros");
    let expand = vec![
        zeros.with("value", Attribute::Tensor(Tensor::integers("", &[0]))),
        node("Add", &["zeros", "one"], "ones"),
        node("Mul", &["ones", "rest"], "minus"),
        node("Equal", &["wanted", "minus"], "open"),
        node("Where", &["open", "ones", "wanted"], "to"),
        node("Expand", &["scale", "to"], "scales"),
        node("Flatten", &["c"], "d"),
        node("Mul", &["d", "scales"], "feature"),
    ];
    let constants = |batch| {
        let scale = Tensor::floats("scale", &[1, 4], &[1.0, 2.0, 3.0, 4.0]);
        vec![scale, at("two", 2), at("rest", -1), numbers("one", &[], [1]), Tensor::integers("wanted", &[batch, -1])]
    };
    for batch in [1, 16] {
        let model = accepted(&ending(Some(batch), expand.clone(), constants(batch)));
        assert_eq!(model.tensors["backbone.affine1.weight"].values, [1.0, 2.0, 3.0, 4.0]);
    }
}

/// AdaptiveAvgPool2d(1) of the newer exporter, called with an example whose channels are last.
#[test]
fn places_in_all_images_values_are_each_images_own() {
    let row = || node("Reshape", &["c", "rest"], "row");
    let end = |picked: &str| {
        let gather = node("Gather", &["row", picked], "picked").with("axis", Attribute::Int(0));
        vec![gather, node("Reshape", &["picked", "to"], "feature")]
    };
    let to = |target: [i64; 2]| vec![Tensor::integers("rest", &[-1]), Tensor::integers("to", &target)];
    // The batch is open.
    let places = vec![
        row(),
        node("Shape", &["image"], "shape").with("end", Attribute::Int(1)),
        node("Squeeze", &["shape"], "n"),
        node("Range", &["zero", "n", "one"], "images"),
        node("Mul", &["images", "four"], "firsts"),
        node("Unsqueeze", &["firsts", "axes"], "spread"),
        node("Add", &["spread", "channels"], "places"),
        node("Add", &["places", "none"], "all"),
    ];
    let constants = |channels: [i64; 4]| {
        let scalars = [("zero", 0), ("one", 1), ("four", 4)].map(|(name, value)| numbers(name, &[], [value]));
        let more = [
            Tensor::integers("axes", &[1, 2, 3]),
            numbers("channels", &[1, 4, 1, 1], channels),
            numbers("none", &[1, 1, 1, 1], [0]),
        ];
        [scalars.to_vec(), more.to_vec(), to([-1, 4])].concat()
    };
    let open = |channels| ending(None, [places.clone(), end("all")].concat(), constants(channels));
    check_plain(&open([0, 1, 2, 3]));
    let message = read(&open([3, 2, 1, 0]).bytes()).unwrap_err().to_string();
    assert!(message.contains("in another order"), "{message}");
    // Written down for a batch.
    for batch in [1, 2, 4, 16] {
        let fixed = |step: i64| {
            let places = (0..batch).flat_map(|image| (0..4).map(move |channel| image * step + channel));
            let tensors = [to([batch, -1]), vec![numbers("all", &[batch as usize, 4, 1, 1], places)]].concat();
            ending(Some(batch), [vec![row()], end("all")].concat(), tensors)
        };
        check_plain(&fixed(4));
        if batch > 1 {
            let message = read(&fixed(3).bytes()).unwrap_err().to_string();
            assert!(message.contains("each image's own"), "{message}");
        }
    }
    // Half of the channels are a part of them.
    let half = vec![numbers("all", &[2, 2, 1, 1], [2, 3, 6, 7])];
    let file = ending(Some(2), [vec![row()], end("all")].concat(), [to([2, 2]), half].concat());
    assert_eq!(operations(&accepted(&file))[2..], ["GlobalAveragePool", "Split"]);
}

#[test]
fn a_split_into_one_part_is_what_others_may_read_as_well() {
    let nodes = vec![
        node("Conv", &["b", "w"], "y"),
        node("Split", &["y"], "s").with("axis", Attribute::Int(1)),
        node("Mul", &["s", "factors"], "m"),
        node("Add", &["m", "y"], "x"),
    ];
    let tensors = vec![
        Tensor::floats("w", &[4, 4, 1, 1], &[0.5; 16]),
        Tensor::floats("factors", &[4, 1, 1], &[2.0, 3.0, 4.0, 5.0]),
    ];
    // The factors are no part of the convolution, which the sum reads too.
    assert_eq!(operations(&accepted(&with(nodes, tensors)))[2..5], ["Convolution", "Affine", "Add"]);
}

#[test]
fn constants_that_are_written_down_for_every_image_and_pixel_are_one_for_each_channel() {
    let scales = [1.0_f32, 2.0, 3.0, 4.0];
    let file = |dims: &[usize], values: &[f32]| {
        with(vec![node("Mul", &["b", "scale"], "x")], vec![Tensor::floats("scale", dims, values)])
    };
    let all = |images: usize, pixels: usize| {
        scales.iter().flat_map(|&scale| vec![scale; pixels]).collect::<Vec<f32>>().repeat(images)
    };
    for (images, height, width) in [(1, 1, 1), (16, 1, 1), (1, 32, 16), (2, 32, 16), (2, 1, 16)] {
        let model = accepted(&file(&[images, 4, height, width], &all(images, height * width)));
        assert_eq!(model.tensors["backbone.affine1.weight"].values, scales, "{images} {height} {width}");
    }
    // Another number for an image cannot be, one for a pixel goes by the place.
    let mut values = all(2, 1);
    values[7] = 9.0;
    let message = read(&file(&[2, 4, 1, 1], &values).bytes()).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(message.contains("a constant of shape"), "{message}");
    let mut values = all(1, 32 * 16);
    values[5] = 9.0;
    let model = accepted(&file(&[1, 4, 32, 16], &values));
    assert_eq!(model.tensors["backbone.place1.weight"].values, values);
    // No more than the value has.
    assert!(read(&file(&[1, 1, 1, 1, 1], &[2.0]).bytes()).is_err());
    assert!(read(&file(&[1, 4, 64, 16], &[2.0; 4 * 64 * 16]).bytes()).is_err());
}

#[test]
fn group_norm_as_exporters_write_it_is_one() {
    let nodes = vec![
        node("Reshape", &["b", "rows"], "r"),
        node("InstanceNormalization", &["r", "s", "t"], "level"),
        node("Reshape", &["level", "back"], "x"),
    ];
    let tensors = |groups: i64| {
        let [s, t] = [2.0, 0.5].map(|value| vec![value; groups as usize]);
        vec![
            Tensor::integers("rows", &[0, groups, -1]),
            Tensor::integers("back", &[0, 4, 32, 16]),
            Tensor::floats("s", &[groups as usize], &s),
            Tensor::floats("t", &[groups as usize], &t),
        ]
    };
    for (groups, expected) in [(1, "GroupNorm"), (2, "GroupNorm"), (4, "InstanceNorm")] {
        let model = accepted(&with(nodes.clone(), tensors(groups)));
        assert_eq!(operations(&model)[2], expected);
        let name = model.tensors.keys().find(|name| name.contains("norm") && name.ends_with("weight")).unwrap();
        assert_eq!(model.tensors[name].values, [2.0; 4]);
    }
    let message = read(&with(nodes, tensors(8)).bytes()).unwrap_err().to_string();
    assert!(message.contains("no runs of its 4 channels"), "{message}");
}

/// Writes the graph of a checkpoint as ONNX; what is read back is the same graph of the same numbers.
#[track_caller]
fn check_round_trip(model: &Recognised) {
    let graph = model.config.graph().unwrap();
    let again = read(&to_onnx(&model.config, &model.tensors).unwrap()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(again.config.input, model.config.input);
    assert!(again.summary.contains("It takes RGB at ImageNet's mean and deviation."), "{}", again.summary);
    assert_eq!(again.assumed, [""; 0]);
    let found = again.config.graph().unwrap();
    assert_eq!(found.nodes.iter().map(|node| node.op.values()).sum::<usize>(), graph.embedding + 1);
    for (ours, theirs) in graph.nodes.iter().zip(&found.nodes) {
        assert_eq!(ours.inputs, theirs.inputs);
        let (mut expected, mut op) = (ours.op.clone(), theirs.op.clone());
        // ONNX knows nothing of what is not trained, and its exporters have names of their own for an exponent.
        if let Op::BatchNorm(BatchNorm { bias_frozen, .. }) = &mut expected {
            *bias_frozen = false;
        }
        for (op, name) in [(&mut expected, ours.op.name()), (&mut op, theirs.op.name())] {
            if let (Op::GemPool(GemPool { name, .. }), _) = (op, name) {
                name.clear();
            }
        }
        if let (Some(name), true) = (ours.op.name(), !matches!(ours.op, Op::GemPool(_))) {
            let name = name.strip_prefix("backbone.").unwrap_or(name);
            assert_eq!(theirs.op.name(), Some(format!("backbone.{name}").as_str()));
        }
        assert_eq!(std::mem::discriminant(&expected), std::mem::discriminant(&op));
        for (a, b) in ours.parameters().iter().zip(theirs.parameters()) {
            assert_eq!(model.tensors[&a.name], again.tensors[&b.name], "{}", a.name);
        }
    }
}

#[test]
fn the_graphs_of_checkpoints_written_as_onnx_come_back() {
    check_round_trip(&read(&fixture("tiny_osnet.safetensors")).unwrap());
    // ResNets with half instance norm and a bottleneck, and with whole instance norm and generalised-mean pooling.
    for name in ["reidentifier_ibn_a", "reidentifier_ibn_b"] {
        let checkpoint = Checkpoint::read(&fixture(&format!("{name}.safetensors"))).unwrap();
        let strip = |(name, tensor): (String, _)| Some((name.strip_prefix("weights/")?.to_owned(), tensor));
        let tensors = checkpoint.tensors.into_iter().filter_map(strip).collect();
        check_round_trip(&recognise(Checkpoint { tensors, ..Default::default() }).unwrap());
    }
}

#[test]
#[ignore = "needs ../shared"]
fn a_published_checkpoint_written_as_onnx_comes_back() {
    let shared = common::shared();
    for name in ["osnet_x0_25_market1501.pth", "osnet_x0_25_msmt17_combineall.safetensors"] {
        check_round_trip(&read(&std::fs::read(shared.join("weights").join(name)).unwrap()).unwrap());
    }
}

#[test]
fn numbers_are_read_in_every_form() {
    // Exact in every format.
    let values = [0.5_f32, -1.25, 3.0, 0.0];
    let model = |kind, stored| {
        let mut file = plain();
        file.tensors[1] = Tensor { name: "conv.bias".into(), dims: vec![4], kind, stored };
        accepted(&file).tensors["backbone.conv.bias"].values.clone()
    };
    let halves = values.map(half::f16::from_f32);
    let brains = values.map(half::bf16::from_f32);
    let raw = |bytes: Vec<Vec<u8>>| Stored::Raw(bytes.concat());
    assert_eq!(model(1, Stored::Floats(values.into())), values);
    assert_eq!(model(1, raw(values.iter().map(|value| value.to_le_bytes().into()).collect())), values);
    assert_eq!(model(10, raw(halves.iter().map(|value| value.to_le_bytes().into()).collect())), values);
    assert_eq!(model(10, Stored::Int32s(halves.iter().map(|value| value.to_bits().into()).collect())), values);
    assert_eq!(model(16, raw(brains.iter().map(|value| value.to_le_bytes().into()).collect())), values);
    assert_eq!(model(11, raw(values.iter().map(|value| f64::from(*value).to_le_bytes().into()).collect())), values);
}

#[test]
fn what_a_network_does_with_the_image_first_is_its_normalisation() {
    let scaled = |nodes: &[(&str, f32)]| {
        let mut file = plain();
        let mut last = "image".to_owned();
        for (place, (kind, value)) in nodes.iter().enumerate() {
            let (out, constant) = (format!("x{place}"), format!("c{place}"));
            file.tensors.push(Tensor::floats(&constant, &[], &[*value]));
            file.nodes.insert(place, node(kind, &[&last, &constant], &out));
            last = out;
        }
        file.nodes[nodes.len()].inputs[0] = last;
        let model = accepted(&file);
        let words = [vec![model.summary], model.assumed].concat().concat();
        (model.config.input.mean[0], model.config.input.std[0], words)
    };
    let (mean, std, summary) = scaled(&[]);
    assert_eq!((mean, std), (0.485, 0.229));
    assert!(summary.contains("taken for granted"), "{summary}");
    let (mean, std, summary) = scaled(&[("Div", 255.0)]);
    assert!(mean == 0.0 && (std - 1.0).abs() < 1e-6, "{mean} {std}");
    assert!(summary.contains("0 to 255"), "{summary}");
    let (mean, std, summary) = scaled(&[("Sub", 0.5), ("Div", 0.25)]);
    assert_eq!((mean, std), (0.5, 0.25));
    assert!(summary.contains("0 to 1 itself"), "{summary}");
    let (mean, std, _) = scaled(&[("Sub", 127.5), ("Mul", 1.0 / 127.5)]);
    assert!((mean - 0.5).abs() < 1e-6 && (std - 0.5).abs() < 1e-6);
}

#[test]
fn sizes_that_are_left_open_are_those_of_the_published_models() {
    let mut file = plain();
    file.inputs[0].1 = vec![None; 4];
    let model = accepted(&file);
    assert_eq!((model.config.input.height, model.config.input.width), (256, 128));
    file.inputs[0].1 = vec![Some(1), Some(3), Some(64), None];
    let model = accepted(&file);
    assert_eq!((model.config.input.height, model.config.input.width), (64, 128));
    file.inputs[0].1 = vec![];
    assert_eq!(accepted(&file).config.input.height, 256);
}

#[test]
fn what_is_not_one_node_here_is_put_together() {
    let one = |kind: &str| with(vec![node(kind, &["b"], "x")], vec![]);
    let limits = || vec![Tensor::floats("zero", &[], &[0.0]), Tensor::floats("six", &[], &[6.0])];
    let clip = with(vec![node("Clip", &["b", "zero", "six"], "x")], limits());
    assert_eq!(operations(&accepted(&clip))[2..6], ["Relu", "Affine", "Relu", "Affine"]);
    let old = one("Clip");
    assert_eq!(operations(&accepted(&old)).len(), 3, "without limits it does nothing");
    assert_eq!(operations(&accepted(&one("LeakyRelu")))[2], "PRelu");
    // Rows are cut out by a convolution of each channel.
    let tensors = ["1", "3", "2"].map(|value| Tensor::integers(value, &[value.parse().unwrap()]));
    let rows = with(vec![node("Slice", &["b", "1", "3", "2"], "x")], tensors.into());
    let model = accepted(&rows);
    let graph = model.config.graph().unwrap();
    let Op::Convolution(c) = &graph.nodes[3].op else { panic!("a convolution") };
    assert_eq!((c.groups, c.kernel), (4, [31, 1]));
    assert_eq!(graph.shapes(32, 16).unwrap()[3], webreid::graph::Shape::Map([4, 2, 16]));
    // A fully connected layer of a whole map is a convolution as large.
    let mut file = plain();
    file.tensors.push(Tensor::floats("fc.weight", &[5, 4 * 32 * 16], &[0.5; 5 * 4 * 32 * 16]));
    file.nodes[2] = node("Flatten", &["b"], "c");
    file.nodes[3] = node("Gemm", &["c", "fc.weight"], "feature").with("transB", Attribute::Int(1));
    let model = accepted(&file);
    assert_eq!(model.tensors["backbone.fc.weight"].shape, [5, 4, 32, 16]);
    assert_eq!(model.config.features_dim(), 5);
}

#[test]
fn batch_norm_of_another_eps_is_the_same_with_another_variance() {
    let file = |eps: f32, variance: f32| {
        let numbers = [("bn.weight", 2.0), ("bn.bias", 0.5), ("mean", 1.0), ("variance", variance)];
        let tensors = numbers.iter().map(|(name, value)| Tensor::floats(name, &[4], &[*value; 4])).collect();
        let norm = node("BatchNormalization", &["b", "bn.weight", "bn.bias", "mean", "variance"], "x");
        with(vec![norm.with("epsilon", Attribute::Float(eps))], tensors)
    };
    let variance = |eps, variance| accepted(&file(eps, variance)).tensors["backbone.bn.running_var"].values[0];
    assert_eq!(variance(1e-5, 2.0), 2.0);
    assert!((variance(1e-3, 2.0) - 2.00099).abs() < 1e-6);
    let message = read(&file(1e-6, 0.0).bytes()).unwrap_err().to_string();
    assert!(message.contains("variance that is less"), "{message}");
}

#[test]
fn operators_that_are_not_supported_are_named() {
    #[track_caller]
    fn refused(file: &File) -> (String, String, String) {
        match read(&file.bytes()) {
            Err(WeightsError::Operator { operator, node, reason }) => (operator, node, reason),
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("accepted"),
        }
    }
    let (operator, at, _) = refused(&with(vec![node("Softmax", &["b"], "x")], vec![]));
    assert_eq!((operator.as_str(), at.as_str()), ("Softmax", "Softmax of x"));
    let message = read(&with(vec![node("Softmax", &["b"], "x")], vec![]).bytes()).unwrap_err().to_string();
    assert!(message.starts_with("the network's operator Softmax, node `Softmax of x`, is not supported"), "{message}");
    let mut unnamed = node("Softmax", &["b"], "x");
    unnamed.name.clear();
    assert_eq!(refused(&with(vec![unnamed], vec![])).1, "x", "a node without a name has that of what it gives");
    let mut own = node("Relu", &["b"], "x");
    own.domain = "com.microsoft".into();
    assert!(refused(&with(vec![own], vec![])).2.contains("com.microsoft's own"));

    #[track_caller]
    fn reason(node: Node, tensors: &[(&str, &[usize], &[f32])], said: &str) {
        let tensors = tensors.iter().map(|(name, dims, values)| Tensor::floats(name, dims, values)).collect();
        let (.., reason) = refused(&with(vec![node], tensors));
        assert!(reason.contains(said), "{reason}");
    }
    use Attribute::{Int, Ints, Text};
    let pool = |kind: &str| node(kind, &["b"], "x").with("kernel_shape", Ints(vec![3, 3]));
    let conv = || node("Conv", &["b", "w"], "x");
    let w: (&str, &[usize], &[f32]) = ("w", &[1, 4, 1, 1], &[1.0; 4]);
    reason(conv().with("auto_pad", Text("AROUND")), &[w], "AROUND");
    reason(conv().with("strides", Ints(vec![1])), &[w], "not two-dimensional");
    reason(node("Conv", &["b", "b"], "x"), &[], "is not constant");
    reason(node("Conv", &["b", "w"], "x"), &[("w", &[1, 4, 1], &[1.0; 4])], "weights of shape");
    let counted = pool("AveragePool").with("strides", Ints(vec![2; 2])).with("count_include_pad", Int(1));
    reason(counted.with("ceil_mode", Int(1)), &[], "partly outside");
    reason(pool("MaxPool").with("dilations", Ints(vec![2; 2])), &[], "dilations");
    reason(
        node("Pad", &["b"], "x").with("pads", Ints(vec![0, 0, 1, 1, 0, 0, 1, 1])).with("mode", Text("reflect")),
        &[],
        "with the mode \"reflect\"",
    );
    let numbers: [(&str, &[usize], &[f32]); 2] = [("s", &[4], &[1.0; 4]), ("t", &[4], &[0.0; 4])];
    let norm = node("BatchNormalization", &["b", "s", "t", "t", "s"], "x");
    reason(norm.with("training_mode", Int(1)), &numbers, "model.eval()");
    // Parts of a generalised mean that become none.
    reason(node("Pow", &["b", "p"], "x"), &[("p", &[], &[-3.0])], "exponent");
    reason(node("Pow", &["a", "p"], "x"), &[("p", &[], &[3.0])], "have a least one");
    let (.., said) = refused(&with(
        vec![node("Pow", &["b", "p"], "y"), node("Relu", &["y"], "x")],
        vec![Tensor::floats("p", &[], &[3.0])],
    ));
    assert!(said.contains("generalised-mean pooling that is not whole"), "{said}");
    reason(node("ReduceMean", &["b"], "x"), &[], "not height and width");
    reason(node("Div", &["a", "b"], "x"), &[], "two values that depend on the image");
    reason(node("Div", &["k", "b"], "x"), &[("k", &[], &[1.0])], "of a constant by");
    reason(node("Cast", &["b"], "x").with("to", Int(9)), &[], "ONNX's type 9");
    reason(node("Gather", &["b", "i"], "x"), &[("i", &[1], &[0.0])], "no list of whole numbers");

    // Windows larger than the map: another network's habits, no damage.
    reason(pool("MaxPool").with("pads", Ints(vec![2; 4])), &[], "more than half of the window");
    let large = node("MaxPool", &["b"], "x").with("kernel_shape", Ints(vec![64, 64]));
    reason(large, &[], "larger than it");

    // Shapes of the image, of the file, and of what it gives.
    let mut last = plain();
    last.inputs[0].1 = vec![Some(1), Some(32), Some(16), Some(5)];
    assert!(refused(&last).2.contains("[batch, 3, height, width] is"));
    let mut two = plain();
    two.inputs.push(("second", vec![]));
    assert!(refused(&two).2.contains("only input"));
    let mut constant = plain();
    constant.outputs = vec!["conv.bias".into()];
    assert!(refused(&constant).2.contains("no value of the image"));
    let mut map = plain();
    map.outputs = vec!["b".into()];
    assert!(refused(&map).2.contains("not taken as a feature"));
    let mut bytes = plain();
    bytes.tensors[1].kind = 3;
    assert!(refused(&bytes).2.contains("int8"));
}

#[test]
fn what_the_feature_does_not_need_is_not_read() {
    let mut file = plain();
    file.nodes.push(node("Softmax", &["b"], "unused"));
    file.tensors.push(Tensor { name: "unused".into(), dims: vec![-1], kind: 8, stored: Stored::External });
    accepted(&file);
}

#[test]
fn damaged_files_are_refused() {
    #[track_caller]
    fn damaged(change: impl Fn(&mut File), said: &str) {
        let mut file = plain();
        change(&mut file);
        let message = read(&file.bytes()).err().unwrap_or_else(|| panic!("{said}: accepted")).to_string();
        assert!(message.contains("damaged or incomplete") && message.contains(said), "{message}");
    }
    damaged(|f| drop(f.tensors.pop()), "`conv.bias` is read, which no node before gives");
    damaged(|f| f.nodes[1].inputs[0] = "c".into(), "`c` is read, which no node before gives");
    damaged(|f| f.nodes.swap(0, 1), "`a` is read, which no node before gives");
    damaged(|f| f.nodes[1].outputs[0] = "a".into(), "`b` is read");
    damaged(|f| f.nodes.insert(2, f.nodes[1].clone()), "two nodes give `b`");
    damaged(|f| f.tensors.push(f.tensors[0].clone()), "two tensors are called `conv.weight`");
    damaged(|f| f.inputs.clear(), "no input");
    damaged(|f| f.outputs.clear(), "no output");
    damaged(|f| f.outputs = vec!["nowhere".into()], "`nowhere` is read");
    damaged(|f| f.nodes[0].inputs.truncate(1), "lacks its input 1");
    damaged(|f| f.nodes[1].inputs.clear(), "lacks its input 0");
    damaged(|f| f.tensors[0].dims[0] = 5, "of shape [5, 3, 3, 3] has 108 numbers");
    damaged(|f| f.tensors[0].dims[0] = i64::MAX, "has 108 numbers");
    damaged(|f| f.tensors[0].dims[0] = -4, "has the shape [-4, 3, 3, 3]");
    damaged(|f| f.tensors[1].stored = Stored::Raw(vec![0; 15]), "has 3 numbers");
    damaged(|f| f.tensors[1].stored = Stored::Raw(vec![0; 17]), "has 4 numbers");
    damaged(|f| f.tensors[1].stored = Stored::Floats(vec![]), "has 0 numbers");
    damaged(|f| f.tensors[0].dims = vec![4, 9, 3, 1], "cannot take");
    damaged(|f| f.tensors[0].dims = vec![108, 1, 1, 1], "cannot take");
    damaged(|f| f.nodes[0].attributes.push(("strides", Attribute::Ints(vec![0, 1]))), "cannot take");
    damaged(|f| f.nodes[0].attributes.push(("strides", Attribute::Ints(vec![-1, 1]))), "strides of");
    damaged(|f| f.nodes[0].attributes[0].1 = Attribute::Ints(vec![i64::MAX; 4]), "cannot take");
    damaged(|f| f.nodes[0].attributes.push(("group", Attribute::Int(0))), "cannot take");
    damaged(|f| f.nodes[0].attributes.push(("group", Attribute::Int(-1))), "groups that do not fit");
    damaged(|f| f.nodes[0].attributes.push(("group", Attribute::Int(i64::MAX))), "groups that do not fit");
    damaged(|f| f.nodes[3].attributes.push(("axis", Attribute::Int(i64::MIN))), "beyond its input");

    let values = |what| {
        let mut file = plain();
        file.tensors[1] = Tensor::floats("conv.bias", &[4], &[0.0, what, 0.0, 0.0]);
        read(&file.bytes()).unwrap_err().to_string()
    };
    assert!(values(f32::NAN).contains("`backbone.conv.bias` holds NaN"), "{}", values(f32::NAN));
    assert!(values(f32::INFINITY).contains("infinite"), "{}", values(f32::INFINITY));

    let mut elsewhere = plain();
    elsewhere.tensors[0].stored = Stored::External;
    let message = read(&elsewhere.bytes()).unwrap_err().to_string();
    assert!(message.contains("`conv.weight` lie in a file of their own") && message.contains("external_data=False"));
    for set in [0, 6, 1000] {
        let file = File { operator_set: set, ..plain() };
        let message = read(&file.bytes()).unwrap_err().to_string();
        assert!(message.contains(&format!("operator set {set} is not supported; 7 to 26 are")), "{message}");
    }
    let zero = with(vec![node("Div", &["image", "zero"], "x")], vec![Tensor::floats("zero", &[], &[0.0])]);
    assert!(read(&zero.bytes()).is_err());
}

#[test]
fn files_cut_anywhere_are_refused() {
    for exporter in EXPORTERS {
        let whole = fixture(&format!("onnx/{exporter}"));
        for length in (0..whole.len()).step_by(13).chain(whole.len() - 20..whole.len()) {
            assert!(read(&whole[..length]).is_err(), "{exporter} cut to {length} of {} bytes", whole.len());
        }
    }
}

#[test]
fn no_single_wrong_byte_makes_a_panic() {
    for exporter in EXPORTERS {
        let mut bytes = fixture(&format!("onnx/{exporter}"));
        for index in 0..bytes.len() {
            let right = bytes[index];
            // One for each byte: each try reads the whole file.
            bytes[index] = [0, 0xff, right ^ 1, right.wrapping_add(8)][index % 4];
            // Some bytes do not matter; either answer is good, but there must be one.
            let _ = read_onnx(&bytes);
            bytes[index] = right;
        }
    }
}

mod network {
    use webreid::extract::{DeviceChoice, Extractor};

    use super::*;
    use crate::common::relative_error;

    /// Of the largest value.
    const TOLERANCE: f32 = 1e-5;

    fn embed(model: &Recognised, choice: DeviceChoice, input: Vec<f32>) -> Vec<f32> {
        let extractor = pollster::block_on(Extractor::open(model, choice)).unwrap();
        pollster::block_on(extractor.embed(&input)).unwrap()
    }

    #[track_caller]
    fn check(what: &str, found: &[f32], expected: &[f32]) {
        let error = relative_error(found, expected);
        println!("{what}: {error:.1e} of the largest value");
        assert!(error <= TOLERANCE, "{what}: {error}");
    }

    fn check_small(choice: DeviceChoice) {
        let expected = Checkpoint::read(&fixture("onnx/expected.safetensors")).unwrap().tensors;
        for exporter in EXPORTERS {
            let model = small(exporter);
            let InputConfig { height, width, mean, std, .. } = model.config.input;
            let pixels = expected["rgb"].values.chunks_exact(height * width).enumerate();
            let normal = |(plane, values): (usize, &'_ [f32])| {
                values.iter().map(|value| (value / 255.0 - mean[plane % 3]) / std[plane % 3]).collect::<Vec<f32>>()
            };
            let mut found = embed(&model, choice, pixels.flat_map(normal).collect());
            // The file's last step.
            for feature in found.chunks_exact_mut(12) {
                let length = feature.iter().map(|value| value * value).sum::<f32>().sqrt();
                feature.iter_mut().for_each(|value| *value /= length);
            }
            check(exporter, &found, &expected["feature"].values);
        }
    }

    #[test]
    fn the_network_computes_what_pytorch_computes_on_the_cpu() {
        check_small(DeviceChoice::Cpu);
    }

    #[test]
    #[cfg(feature = "webgpu")]
    fn the_network_computes_what_pytorch_computes_on_webgpu() {
        check_small(DeviceChoice::Gpu);
    }

    /// Such a file says itself what it does with RGB of 0 to 1.
    #[test]
    fn a_model_with_a_normalisation_of_its_own_is_written_with_it() {
        let mut model = read(&fixture("tiny_osnet.safetensors")).unwrap();
        model.config.input.mean = [0.1, 0.2, 0.3];
        model.config.input.std = [0.5, 0.25, 0.4];
        let (height, width) = (model.config.input.height, model.config.input.width);
        let pixels =
            (0..4 * 3 * height * width).map(|i| ((i as u32).wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let image = webreid::image::Rgba { width: width as u32, height: 3 * height as u32, pixels };
        let feature = |model: &Recognised| {
            let extractor = pollster::block_on(Extractor::open(model, DeviceChoice::Cpu)).unwrap();
            pollster::block_on(extractor.extract(std::slice::from_ref(&image))).unwrap().remove(0)
        };
        let mut features = Vec::new();
        for order in [ChannelOrder::Rgb, ChannelOrder::Bgr] {
            model.config.input.order = order;
            let again = read(&to_onnx(&model.config, &model.tensors).unwrap()).unwrap();
            assert!(again.summary.contains("normalises RGB of 0 to 1 itself"), "{}", again.summary);
            let (expected, found) = (feature(&model), feature(&again));
            let error = relative_error(&found, &expected);
            assert!(error < 1e-4, "{order:?}: {error}");
            features.push(expected);
        }
        assert!(relative_error(&features[0], &features[1]) > 1e-3, "the order of the channels counts");
    }

    #[test]
    #[ignore = "needs ../shared"]
    fn a_published_checkpoint_as_onnx_gives_the_reference_features() {
        let shared = common::shared();
        let file = |name: &str| std::fs::read(shared.join("weights").join(name)).unwrap();
        let reference = Checkpoint::read(&file("reference_features.safetensors")).unwrap().tensors;
        for name in ["osnet_x0_25_market1501.pth", "osnet_x0_25_msmt17_combineall.safetensors"] {
            let model = read(&file(name)).unwrap();
            let onnx = read(&to_onnx(&model.config, &model.tensors).unwrap()).unwrap();
            let found = embed(&onnx, DeviceChoice::Cpu, reference["input"].values.clone());
            let (stem, _) = name.split_once('.').unwrap();
            check(name, &found, &reference[stem].values);
        }
    }
}
