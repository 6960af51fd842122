//! Files of earlier versions are read, and what such a model is written as stays the same to the byte: others know models by
//! their fingerprints.

#![cfg(not(target_arch = "wasm32"))]

use std::collections::BTreeMap;

use webreid::graph::frozen::Frozen;
use webreid::graph::op::{Gelu, Input, Linear, Split};
use webreid::graph::{Node, Op, Role};
use webreid::model::{BackboneConfig, ImportedConfig, InputConfig, ReIdentifierConfig};
use webreid::step::{Fit, GeluForm};
use webreid::weights::{Fingerprint, Precision, Recognised, initial_tensors, read, to_safetensors};

fn version_1() -> Vec<u8> {
    std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/version1.safetensors")).unwrap()
}

/// A network with every operator of version 1, as the last release before version 2 wrote it.
#[test]
fn version_1_is_read_and_written_as_it_was() {
    let file = version_1();
    let Recognised { config, tensors, .. } = read(&file).unwrap();
    assert_eq!(Fingerprint::of(&config, &tensors).unwrap().to_string(), "ef796060e374f5009712f4d1088878b7");
    let again = to_safetensors(&config, &tensors, &BTreeMap::new(), Precision::F32).unwrap();
    assert!(again == file, "{}", String::from_utf8_lossy(&again[8..4096]));
}

/// The same with what version 1 could not say: whoever knows no other refuses the file, and does not compute another network.
#[test]
fn what_version_1_cannot_say_makes_a_file_of_version_2() {
    let changes: [fn(&mut Vec<Node>, &mut InputConfig); 4] = [
        |nodes, _| nodes[3].op = Gelu { form: GeluForm::Tanh }.into(),
        |nodes, _| {
            let Op::BatchNorm(norm) = &mut nodes[2].op else { panic!("a norm") };
            norm.eps = 1e-3;
        },
        |nodes, _| {
            let last = nodes.len() - 1;
            nodes.push(Node { op: Op::Silu, inputs: vec![last], role: Role::Backbone });
        },
        |_, input| input.fit = Fit::LETTERBOX,
    ];
    let mut fingerprints = std::collections::BTreeSet::new();
    for change in changes {
        let Recognised { mut config, tensors, .. } = read(&version_1()).unwrap();
        let BackboneConfig::Imported(network) = &mut config.backbone else { panic!("imported") };
        change(&mut network.nodes, &mut config.input);
        let file = to_safetensors(&config, &tensors, &BTreeMap::new(), Precision::F32).unwrap();
        assert!(String::from_utf8_lossy(&file[..64]).contains(r#"{\"version\":2,"#));
        let again = read(&file).unwrap();
        assert_eq!((&again.config, &again.tensors), (&config, &tensors));
        fingerprints.insert(Fingerprint::of(&config, &tensors).unwrap().to_string());
    }
    assert_eq!(fingerprints.len(), 4);
}

/// A network whose first layer gives 8 numbers, of which it takes runs.
fn of_runs(splits: &[Split]) -> ReIdentifierConfig {
    let linear = |name: &str, inputs, outputs| Linear { name: format!("backbone.{name}"), inputs, outputs, bias: true };
    let node = |op: Op, inputs: &[usize]| Node { op, inputs: inputs.to_vec(), role: Role::Backbone };
    let mut nodes = vec![
        node(Input { channels: 3 }.into(), &[]),
        node(Op::GlobalAveragePool, &[0]),
        node(linear("first", 3, 8).into(), &[1]),
    ];
    nodes.extend(splits.iter().map(|split| node(split.clone().into(), &[2])));
    nodes.extend([node(Op::Concatenate, &[4, 3, 5]), node(linear("last", 8, 5).into(), &[6])]);
    let backbone = ImportedConfig { name: "runs".into(), nodes, features: 5 };
    ReIdentifierConfig { neck: false, ..ReIdentifierConfig::new(BackboneConfig::Imported(backbone), 0) }
}

/// The values of one node and, as files had them before, nodes of one value each: the same network, of the same fingerprint.
#[test]
fn a_node_of_several_values_is_the_nodes_that_it_stands_for() {
    let mut found = Vec::new();
    for (splits, version, said) in [
        (vec![Split::run(0, 3), Split::run(3, 1), Split::run(4, 4)], 1, r#"\"length\":3"#),
        (vec![Split { start: 0, lengths: vec![3, 1] }, Split::run(4, 4)], 2, r#"\"length\":[3,1]"#),
        (vec![Split { start: 0, lengths: vec![3, 1, 4] }], 2, r#"\"length\":[3,1,4]"#),
    ] {
        let config = of_runs(&splits);
        let tensors = initial_tensors(&config, 1).unwrap();
        let file = to_safetensors(&config, &tensors, &BTreeMap::new(), Precision::F32).unwrap();
        let text = String::from_utf8_lossy(&file);
        assert!(text.contains(&format!(r#"{{\"version\":{version},"#)) && text.contains(said), "{text}");
        let again = read(&file).unwrap();
        assert_eq!((&again.config, &again.tensors), (&config, &tensors));
        let graph = config.graph().unwrap();
        let frozen = Frozen::new(&graph, &[graph.embedding], &tensors, 32, 16).unwrap();
        found.push((Fingerprint::of(&config, &tensors).unwrap(), frozen));
    }
    assert!(found.iter().all(|network| *network == found[0]));
    let other = of_runs(&[Split { start: 0, lengths: vec![3, 2, 3] }]);
    assert_ne!(Fingerprint::of(&other, &initial_tensors(&other, 1).unwrap()).unwrap(), found[0].0);
}

#[test]
fn runs_that_are_none_or_lie_beyond_the_channels_are_refused() {
    for (start, lengths) in [(0, vec![]), (0, vec![3, 1, 5]), (1, vec![3, 1, 4]), (1, vec![3, usize::MAX, 4])] {
        let error = of_runs(&[Split { start, lengths }]).graph().unwrap_err().to_string();
        assert!(error.contains("node 3 (Split") && error.contains("cannot take [Vector(8)]"), "{error}");
    }
    let error = of_runs(&[Split { start: 0, lengths: vec![3, 0, 5] }]).graph().unwrap_err().to_string();
    assert!(error.contains("a layer of the network is 0"), "{error}");
}
