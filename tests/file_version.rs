//! Files of earlier versions are read, and what such a model is written as stays the same to the byte: others know models by
//! their fingerprints.

#![cfg(not(target_arch = "wasm32"))]

use std::collections::BTreeMap;

use webreid::graph::op::Gelu;
use webreid::graph::{Node, Op, Role};
use webreid::model::{BackboneConfig, InputConfig};
use webreid::step::{Fit, GeluForm};
use webreid::weights::{Fingerprint, Precision, Recognised, read, to_safetensors};

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
