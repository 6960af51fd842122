//! Files of earlier versions are read, and what such a model is written as stays the same to the byte: others know models by
//! their fingerprints.

#![cfg(not(target_arch = "wasm32"))]

use std::collections::BTreeMap;

use webreid::weights::{Fingerprint, Precision, Recognised, read, to_safetensors};

/// A network with every operator of version 1, as the last release before version 2 wrote it.
#[test]
fn version_1_is_read_and_written_as_it_was() {
    let file = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/version1.safetensors")).unwrap();
    let Recognised { config, tensors, .. } = read(&file).unwrap();
    assert_eq!(Fingerprint::of(&config, &tensors).unwrap().to_string(), "ef796060e374f5009712f4d1088878b7");
    let again = to_safetensors(&config, &tensors, &BTreeMap::new(), Precision::F32).unwrap();
    assert!(again == file, "{}", String::from_utf8_lossy(&again[8..4096]));
}
