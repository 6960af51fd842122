//! Every shader passes naga and stays inside WebGPU's default limits, so that none can fail only in a browser — where a
//! kernel that does not compile leaves its output as it was and reports nothing.
#![cfg(not(target_arch = "wasm32"))]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use naga::{
    AddressSpace, Module,
    proc::Layouter,
    valid::{Capabilities, ModuleInfo, ValidationFlags, Validator},
};
use webreid::kernels::KERNELS;

fn directory(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn stems(path: &str, extension: &str) -> BTreeSet<String> {
    let files = fs::read_dir(directory(path)).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|file| file.extension().is_some_and(|found| found == extension))
        .map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect()
}

fn validate(name: &str) -> (Module, ModuleInfo) {
    let source = fs::read_to_string(directory("shaders").join(name).with_extension("wgsl")).unwrap();
    let module = naga::front::wgsl::parse_str(&source).unwrap_or_else(|e| panic!("{}", e.emit_to_string(&source)));
    let info = Validator::new(ValidationFlags::all(), Capabilities::empty())
        .validate(&module)
        .unwrap_or_else(|e| panic!("{name}: {}", e.emit_to_string(&source)));
    (module, info)
}

#[test]
fn every_shader_has_its_kernel_file_and_every_kernel_its_shader() {
    let shaders = stems("shaders", "wgsl");
    let mut files = stems("src/kernels", "rs");
    files.remove("mod");
    assert_eq!(shaders, files);
    assert_eq!(shaders, KERNELS.iter().map(|kernel| kernel.name.to_owned()).collect());
    for kernel in KERNELS {
        let file = directory("shaders").join(kernel.name).with_extension("wgsl");
        assert_eq!(kernel.wgsl, fs::read_to_string(file).unwrap(), "{} embeds another shader", kernel.name);
    }
}

#[test]
fn every_shader_has_one_entry_point_named_main_within_the_default_limits() {
    for name in stems("shaders", "wgsl") {
        let (module, _) = validate(&name);
        let [entry] = module.entry_points.as_slice() else { panic!("{name}: one entry point a file") };
        assert_eq!(entry.name, "main", "{name}");
        let [x, y, z] = entry.workgroup_size;
        assert!(x <= 256 && y <= 256 && z <= 64 && x * y * z <= 256, "{name}: {:?}", entry.workgroup_size);
        let mut layouter = Layouter::default();
        layouter.update(module.to_ctx()).unwrap();
        let workgroup_memory: u32 = module
            .global_variables
            .iter()
            .filter(|(_, variable)| variable.space == AddressSpace::WorkGroup)
            .map(|(_, variable)| layouter[variable.ty].size)
            .sum();
        assert!(workgroup_memory <= 16 * 1024, "{name}: {workgroup_memory} bytes of workgroup memory");
    }
}

/// The layout is made from the shader, so a buffer that the entry point leaves alone would shift what the caller binds.
#[test]
fn every_shader_uses_all_its_bindings_which_end_in_the_parameters() {
    for name in stems("shaders", "wgsl") {
        let (module, info) = validate(&name);
        let mut bindings = Vec::new();
        for (handle, variable) in module.global_variables.iter() {
            let Some(binding) = variable.binding else { continue };
            assert_eq!(binding.group, 0, "{name}");
            assert!(!info.get_entry_point(0)[handle].is_empty(), "{name}: {:?} is not used", variable.name);
            bindings.push((binding.binding, variable.space == AddressSpace::Uniform));
        }
        bindings.sort();
        let last = bindings.len() - 1;
        assert!(last <= 8, "{name}: {last} storage buffers");
        for (i, &binding) in bindings.iter().enumerate() {
            assert_eq!(binding, (i as u32, i == last), "{name}: (binding, uniform)");
        }
    }
}
