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
use webreid::kernels::{
    KERNELS,
    nhwc::{conv, lite, lite_strip},
    variant::Variant,
};

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

/// Every shader as it stands in its file, and in each form that it is specialised to.
fn sources() -> Vec<(&'static str, String)> {
    let mut variants: Vec<Variant> = KERNELS.into_iter().map(Variant::from).collect();
    variants.extend(conv::TILES.into_iter().flat_map(|tile| [false, true].map(|padded| tile.variant(padded))));
    variants.extend((1..=lite::MOST_PIXELS).map(lite::variant));
    variants.extend((1..=lite_strip::MOST_COLUMNS).map(lite_strip::variant));
    let halves: Vec<Variant> = variants.iter().filter(|v| v.kernel.wgsl.contains("alias real")).cloned().collect();
    assert!(halves.len() > 11, "all kernels of frozen networks, in all their variants");
    variants.extend(halves.into_iter().map(Variant::half));
    let written = KERNELS.into_iter().map(|kernel| (kernel.name, kernel.wgsl.to_owned()));
    written.chain(variants.iter().map(|variant| (variant.kernel.name, variant.source()))).collect()
}

fn validate(name: &str, source: &str) -> (Module, ModuleInfo) {
    let module =
        naga::front::wgsl::parse_str(source).unwrap_or_else(|e| panic!("{name}: {}", e.emit_to_string(source)));
    let may = if source.starts_with("enable f16;") { Capabilities::SHADER_FLOAT16 } else { Capabilities::empty() };
    let info = Validator::new(ValidationFlags::all(), may)
        .validate(&module)
        .unwrap_or_else(|e| panic!("{name}: {}", e.emit_to_string(source)));
    (module, info)
}

#[test]
fn every_shader_has_its_kernel_file_and_every_kernel_its_shader() {
    let shaders = stems("shaders", "wgsl");
    let mut files = stems("src/kernels", "rs");
    files.extend(stems("src/kernels/nhwc", "rs"));
    files.retain(|file| !["mod", "simd", "variant"].contains(&file.as_str()));
    assert_eq!(shaders, files);
    assert_eq!(shaders, KERNELS.iter().map(|kernel| kernel.name.to_owned()).collect());
    for kernel in KERNELS {
        let read = |path: String| fs::read_to_string(directory(&path)).unwrap();
        let mut rest = kernel.wgsl.strip_prefix(&read(format!("shaders/{}.wgsl", kernel.name)));
        // Parts may follow, each once.
        for part in ["products", "finish"] {
            let part = read(format!("shaders/parts/{part}.wgsl"));
            rest = rest.map(|rest| rest.strip_prefix(&part).unwrap_or(rest));
        }
        assert_eq!(rest, Some(""), "{} embeds another shader", kernel.name);
    }
}

#[test]
fn every_shader_has_one_entry_point_named_main_within_the_default_limits() {
    for (name, source) in sources() {
        let (module, _) = validate(name, &source);
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
    for (name, source) in sources() {
        let (module, info) = validate(name, &source);
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
