//! The crate is built in floors: a module knows those below it and none above. This reads what every source file names.
#![cfg(not(target_arch = "wasm32"))]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Ground floor first. `web` and `bin` are the roof: they may know everything, and nothing knows them.
const FLOORS: [&str; 16] = [
    "words",
    "tensor",
    "step",
    "kernels",
    "graph",
    "model",
    "weights",
    "image",
    "detect",
    "extract",
    "ranking",
    "gallery",
    "dataset",
    "ops",
    "training",
    "reidentifier",
];
const ROOF: [&str; 2] = ["web", "bin"];
/// Who may know burn, beside the roof.
const BURN: [&str; 2] = ["ops", "training"];
/// An operator says how its trainable form is computed, in the same file as all else of it: the one exception.
const OPERATORS: &str = "graph/op/";

/// What a source file, named by its path in `src`, knows and may not.
fn broken(path: &str, source: &str) -> Vec<String> {
    let floor = path.split(['/', '.']).next().unwrap_or_default();
    if path == "lib.rs" || ROOF.contains(&floor) {
        return Vec::new();
    }
    let Some(own) = FLOORS.iter().position(|name| *name == floor) else {
        return vec![format!("{path}: no floor is named {floor}")];
    };
    let code: String =
        source.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    let operator = path.starts_with(OPERATORS);
    let below = |name: &str| match FLOORS.iter().position(|floor| *floor == name) {
        Some(place) => place <= own || (operator && name == "ops"),
        None => !ROOF.contains(&name),
    };
    let mut found: Vec<String> =
        known(&code).into_iter().filter(|name| !below(name)).map(|name| format!("{path} knows {name}")).collect();
    if names(&code, "burn::") && !BURN.contains(&floor) && !operator {
        found.push(format!("{path} knows burn"));
    }
    if floor == "kernels" && names(&code, "wgpu::") {
        found.push(format!("{path} knows a device"));
    }
    found
}

/// Whether `path` is named, as a word of its own.
fn names(code: &str, path: &str) -> bool {
    code.match_indices(path).any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// The modules of the crate that code names: `crate::name`, and each of `crate::{name::…, name::{…}}`.
fn known(code: &str) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    for (at, path) in code.match_indices("crate::") {
        let rest = &code[at + path.len()..];
        let Some(list) = rest.strip_prefix('{') else {
            found.insert(first_word(rest));
            continue;
        };
        let (mut depth, mut begins) = (0, true);
        for (place, letter) in list.char_indices() {
            match letter {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => begins = true,
                letter if begins && depth == 0 && !letter.is_whitespace() => {
                    found.insert(first_word(&list[place..]));
                    begins = false;
                }
                _ => {}
            }
        }
    }
    found
}

fn first_word(text: &str) -> &str {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn no_floor_knows_one_above_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 100, "{} files", files.len());
    let read = |file: &PathBuf| {
        let path = file.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
        broken(&path, &fs::read_to_string(file).unwrap())
    };
    let found: Vec<String> = files.iter().flat_map(read).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn what_breaks_a_floor_is_found() {
    let none: [&str; 0] = [];
    assert_eq!(broken("step/mod.rs", "use crate::tensor::Tensor;\nuse std::fmt;"), none);
    assert_eq!(broken("step/mod.rs", "use crate::kernels::LANES;"), ["step/mod.rs knows kernels"]);
    assert_eq!(broken("tensor.rs", "fn a() -> crate::step::Map {}"), ["tensor.rs knows step"]);
    let grouped = "use crate::{\n    step::{Map, training},\n    kernels,\n    graph::Pool,\n};";
    assert_eq!(broken("kernels/a.rs", grouped), ["kernels/a.rs knows graph"]);
    assert_eq!(broken("kernels/a.rs", "// crate::graph\nuse wgpu::Device;"), ["kernels/a.rs knows a device"]);
    assert_eq!(broken("dataset/a.rs", "crate::training::Sampler; crate::web::start()").len(), 2);
    assert_eq!(broken("graph/frozen/a.rs", "use burn::Tensor; crate::ops::pool()").len(), 2);
    assert_eq!(broken("graph/op/gelu.rs", "use burn::Tensor; crate::ops::pool(); crate::training::a()").len(), 1);
    assert_eq!(broken("cellar/a.rs", ""), ["cellar/a.rs: no floor is named cellar"]);
    assert_eq!(broken("web/a.rs", "crate::training::a()"), none);
}
