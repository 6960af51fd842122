//! TensorFlow.js graph models: a small one of our own with the operators that are read (`fixtures/make_tfjs.mjs`), against what
//! TensorFlow.js computes with it.
#![cfg(not(target_arch = "wasm32"))]

use serde_json::{Value, json};
use webreid::graph::budget;
use webreid::graph::frozen::{CpuRunner, Frozen};
use webreid::graph::{Node, Op};
use webreid::model::ChannelOrder;
use webreid::weights::{
    Checkpoint, Dialect, InputOptions, Precision, Recognised, WeightsError, is_tfjs, read, read_tfjs, read_tfjs_with,
    recognise, tfjs_shards, to_safetensors,
};

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/tfjs/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn small() -> Recognised {
    read_tfjs(&fixture("reid.json"), &fixture("reid.bin")).unwrap()
}

/// What reading says of the fixture after a change of its JSON.
#[track_caller]
fn refused(change: impl FnOnce(&mut Value)) -> WeightsError {
    let mut json: Value = serde_json::from_slice(&fixture("reid.json")).unwrap();
    change(&mut json);
    read_tfjs(json.to_string().as_bytes(), &fixture("reid.bin")).expect_err("refused")
}

/// The first node of an operator.
fn node<'a>(json: &'a mut Value, op: &str) -> &'a mut Value {
    let nodes = json["modelTopology"]["node"].as_array_mut().unwrap();
    nodes.iter_mut().find(|node| node["op"] == op).unwrap()
}

#[test]
fn the_feature_is_tensorflow_js_own() {
    let model = small();
    assert_eq!((model.dialect, model.config.features_dim()), (Dialect::TensorFlowJs, 12));
    let input = &model.config.input;
    assert_eq!((input.height, input.width, input.order), (33, 18, ChannelOrder::Rgb));
    // What it does with pixels of 0…255.
    for value in input.mean.iter().chain(&input.std) {
        assert!((value - 0.5).abs() < 1e-6, "{value}");
    }
    assert!(model.summary.contains("normalises RGB of 0 to 255 itself"), "{}", model.summary);
    // Channels last, as `make_tfjs.mjs` has it, 0…255.
    let number = |i: usize| ((((i + 1) * 7919 + 104_729) % 1009) as f64 / 1009.0 - 0.5) * 255.0 + 127.5;
    let pixels = 33 * 18;
    let normal = |value: f64, channel: usize| (value as f32 / 255.0 - input.mean[channel]) / input.std[channel];
    let image: Vec<f32> = (0..3)
        .flat_map(|c| (0..pixels).map(move |pixel| (c, pixel)))
        .map(|(c, p)| normal(number(3 * p + c), c))
        .collect();
    let graph = model.config.graph().unwrap();
    let frozen = Frozen::new(&graph, &[graph.embedding], &model.tensors, 33, 18).unwrap();
    let mut feature = CpuRunner::new(&frozen).run(&image).remove(0);
    // Which the matching would do.
    webreid::extract::normalise(&mut feature);
    let expected = Checkpoint::read(&fixture("reid.safetensors")).unwrap().tensors["feature"].values.clone();
    assert_eq!(feature.len(), expected.len());
    let most = feature.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(most < 1e-5, "{most}");
    assert!(expected.iter().any(|value| value.abs() > 0.3), "{expected:?}");
}

#[test]
fn what_a_split_gives_are_the_values_of_one_node() {
    let splits = |model: Recognised| {
        let nodes = model.config.graph().unwrap().graph.nodes.into_iter();
        let lengths = |node: Node| if let Op::Split(split) = node.op { Some(split.lengths) } else { None };
        nodes.filter_map(lengths).collect::<Vec<_>>()
    };
    // Of two splits one half each.
    assert_eq!(splits(small()), [[6], [6]]);
    let mut json: Value = serde_json::from_slice(&fixture("reid.json")).unwrap();
    let nodes = json["modelTopology"]["node"].as_array_mut().unwrap();
    let names = nodes.iter().filter(|node| node["op"] == "Split").map(|node| node["name"].as_str().unwrap().to_owned());
    let [one, other] = &names.collect::<Vec<_>>()[..] else { panic!("two splits") };
    for input in nodes.iter_mut().filter_map(|node| node["input"].as_array_mut()).flatten() {
        if let Some(output) = input.as_str().and_then(|input| input.strip_prefix(other.as_str())) {
            *input = format!("{one}{output}").into();
        }
    }
    let both = read_tfjs(json.to_string().as_bytes(), &fixture("reid.bin")).unwrap();
    assert_eq!(splits(both), [[6, 6]]);
}

#[test]
fn a_size_that_is_left_open_can_be_said_also_where_the_colours_are_last() {
    let mut json: Value = serde_json::from_slice(&fixture("reid.json")).unwrap();
    for size in [1, 2] {
        node(&mut json, "Placeholder")["attr"]["shape"]["shape"]["dim"][size]["size"] = "-1".into();
    }
    let said = InputOptions { height: Some(33), width: Some(18), ..Default::default() };
    let open = read_tfjs_with(json.to_string().as_bytes(), &fixture("reid.bin"), &said).unwrap();
    assert_eq!((&open.config, &open.tensors), (&small().config, &small().tensors));
}

#[test]
fn it_is_written_and_loaded_again_as_ours() {
    let model = small();
    let file = to_safetensors(&model.config, &model.tensors, &model.provenance, Precision::F32).unwrap();
    let again = recognise(Checkpoint::read(&file).unwrap()).unwrap();
    assert_eq!((&again.config, &again.tensors), (&model.config, &model.tensors));
}

#[test]
fn the_json_alone_asks_for_its_numbers() {
    let json = fixture("reid.json");
    assert!(is_tfjs(&json) && !is_tfjs(&fixture("reid.bin")) && !is_tfjs(&fixture("reid.safetensors")));
    assert_eq!(tfjs_shards(&json).unwrap(), ["reid.bin"]);
    let error = read(&json).unwrap_err().to_string();
    assert!(error.contains("whose numbers lie in reid.bin; give both"), "{error}");
    let too_few = read_tfjs(&json, &fixture("reid.bin")[..1000]).unwrap_err().to_string();
    assert!(too_few.contains("beyond the end of its numbers"), "{too_few}");
    let too_many = read_tfjs(&json, &[fixture("reid.bin"), vec![0; 4]].concat()).unwrap_err().to_string();
    assert!(too_many.contains("the files with its numbers have"), "{too_many}");
    for path in ["../x.bin", "/etc/passwd", "https://x/y.bin", "..\\x.bin", ""] {
        let error = refused_shards(json!([path]));
        assert!(error.contains("no file beside it"), "{path}: {error}");
    }
    assert!(refused_shards(json!(["a.bin", "a.bin"])).contains("twice"));
}

fn refused_shards(paths: Value) -> String {
    let mut json: Value = serde_json::from_slice(&fixture("reid.json")).unwrap();
    json["weightsManifest"][0]["paths"] = paths;
    tfjs_shards(json.to_string().as_bytes()).unwrap_err().to_string()
}

#[test]
fn a_layers_model_is_told_from_a_graph_model() {
    let layers = json!({
        "format": "layers-model",
        "modelTopology": { "class_name": "Model", "config": {} },
        "weightsManifest": [],
    });
    let error = read_tfjs(layers.to_string().as_bytes(), &[]).unwrap_err().to_string();
    assert!(error.contains("layers model") && error.contains("tfjs_graph_model"), "{error}");
}

#[test]
fn operators_that_are_not_supported_are_named() {
    let named = |error: WeightsError| match error {
        WeightsError::Operator { operator, reason, .. } => (operator, reason),
        other => panic!("{other}"),
    };
    let (operator, reason) = named(refused(|json| node(json, "Tanh")["op"] = "Acosh".into()));
    assert_eq!((operator.as_str(), reason.as_str()), ("Acosh", "there is nothing like it here"));
    let (operator, reason) = named(refused(|json| node(json, "Pad")["op"] = "MirrorPad".into()));
    assert!(operator == "MirrorPad" && reason.contains("only with zeros"), "{reason}");
    let (_, reason) = named(refused(|json| {
        node(json, "FusedBatchNormV3")["attr"]["is_training"]["b"] = true.into();
    }));
    assert!(reason.contains("for inference"), "{reason}");
    let (_, reason) = named(refused(|json| node(json, "Conv2D")["attr"]["padding"]["s"] = "????".into()));
    assert!(reason.contains("with the padding"), "{reason}");
    let (_, reason) = named(refused(|json| {
        json["weightsManifest"][0]["weights"][0]["dtype"] = "string".into();
    }));
    assert!(reason.contains("numbers of type string"), "{reason}");
}

#[test]
fn what_is_no_network_is_damaged() {
    let damaged = |change: fn(&mut Value)| match refused(change) {
        WeightsError::Damaged { reason, .. } => reason,
        other => panic!("{other}"),
    };
    assert!(damaged(|json| node(json, "Tanh")["input"] = json!(["nobody"])).contains("no node `nobody`"));
    let circle = damaged(|json| {
        let name = node(json, "Rsqrt")["name"].clone();
        node(json, "Tanh")["input"] = json!([name]);
    });
    assert!(circle.contains("in a circle"), "{circle}");
    assert!(damaged(|json| node(json, "Conv2D")["name"] = json!("image")).contains("two nodes are called"));
    assert!(damaged(|json| node(json, "Split")["attr"] = json!({})).contains("has 0 parts"));
    let output = damaged(|json| {
        let name = node(json, "Sigmoid")["name"].as_str().unwrap().to_owned();
        node(json, "Tanh")["input"] = json!([format!("{name}:3")]);
    });
    assert!(output.contains("has no output 3"), "{output}");
    assert!(damaged(|json| json["weightsManifest"] = json!([])).contains("lists 0 bytes"));
    assert!(damaged(|json| json["modelTopology"]["node"] = json!(7)).contains("describes no graph model"));
}

#[test]
fn lists_without_end_are_refused_before_they_are_kept() {
    let unit = |change: fn(&mut Value)| match refused(change) {
        WeightsError::TooMuch(budget::TooMuch { unit, .. }) => unit,
        other => panic!("{other}"),
    };
    let nodes = unit(|json| {
        json["modelTopology"]["node"] = vec![json!({ "name": "", "op": "" }); 70_000].into();
    });
    assert_eq!(nodes, "nodes");
    let inputs = unit(|json| node(json, "Tanh")["input"] = vec![json!("image"); 5000].into());
    assert_eq!(inputs, "inputs");
    let axes = unit(|json| json["weightsManifest"][0]["weights"][0]["shape"] = vec![json!(1); 100].into());
    assert_eq!(axes, "dimensions");
}
