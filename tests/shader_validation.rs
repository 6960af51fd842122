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
use webreid::kernels::frozen::{
    self, Stored, attention, channel_pool, concatenate, conv, conv_staged, depthwise, elementwise, gate, gate_scales,
    gather, gather_channels, global_pool,
    group_norm::{self, Norm},
    grouped, lite, lite_strip, nhwc_input, pool, preprocess, resize, transpose,
};
use webreid::kernels::{Dispatch, Kernel, variant::Variant};
use webreid::step::{Activation, Attention, Combine, Convolution, Gate, Padding, Pool, Reduce, Weighting};

/// The kernels by the folder that they and their shaders lie in.
const FOLDERS: &[(&str, &[Kernel])] = &[
    ("frozen", &frozen::KERNELS),
    #[cfg(feature = "train")]
    ("training", &webreid::kernels::training::KERNELS),
];

fn kernels() -> impl Iterator<Item = Kernel> {
    FOLDERS.iter().flat_map(|(_, kernels)| kernels.iter().copied())
}

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
    let mut variants: Vec<Variant> = kernels().map(Variant::from).collect();
    let tiles = conv::TILES.into_iter().map(|(tile, _)| tile).chain(conv::SOFTWARE_TILES);
    variants.extend(tiles.flat_map(|tile| [false, true].map(|padded| tile.variant(padded, [1; 2]))));
    let heads = [1, 3, 32, 64, 80, 500].map(|size| {
        let (weighting, starts) = (Weighting::Softmax, [0; 3]);
        let attention = Attention { heads: 1, windows: 1, scale: 1.0, weighting, bias: None, starts };
        attention::Sizes::new(&attention, size, [Stored { height: 2, width: 1, pitch: 512 }; 2]).variant()
    });
    variants.extend(heads);
    variants.extend((1..=lite::MOST_PIXELS).map(lite::variant));
    variants.extend((1..=lite_strip::MOST_COLUMNS).map(lite_strip::variant));
    let halves: Vec<Variant> = variants.iter().filter(|v| v.kernel.wgsl.contains("alias real")).cloned().collect();
    assert!(halves.len() > 11, "all kernels of frozen networks, in all their variants");
    variants.extend(halves.into_iter().map(Variant::half));
    let written = kernels().map(|kernel| (kernel.name, kernel.wgsl.to_owned()));
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

/// By one name, without exception.
#[test]
fn every_shader_has_its_kernel_file_and_every_kernel_its_shader() {
    for (folder, kernels) in FOLDERS {
        let shaders = stems(&format!("shaders/{folder}"), "wgsl");
        let mut files = stems(&format!("src/kernels/{folder}"), "rs");
        files.remove("mod");
        // What the CPU does in another way than the shader of the same operation.
        if *folder == "frozen" {
            assert!(files.remove("winograd"), "the convolution's other twin");
        }
        assert_eq!(shaders, files);
        assert_eq!(shaders, kernels.iter().map(|kernel| kernel.name.to_owned()).collect());
        for kernel in *kernels {
            // Comments stay behind.
            let read = |path: String| -> String {
                let file = fs::read_to_string(directory(&path)).unwrap();
                file.split_inclusive('\n').filter(|line| !line.trim_start().starts_with("//")).collect()
            };
            let mut rest = kernel.wgsl.strip_prefix(&read(format!("shaders/{folder}/{}.wgsl", kernel.name)));
            // Parts may follow, each once.
            for part in ["convolution", "products", "finish"] {
                let part = read(format!("shaders/parts/{part}.wgsl"));
                rest = rest.map(|rest| rest.strip_prefix(&part).unwrap_or(rest));
            }
            assert_eq!(rest, Some(""), "{} embeds another shader", kernel.name);
        }
    }
}

#[test]
fn every_shader_has_one_entry_point_named_main_within_the_default_limits() {
    for (name, source) in sources() {
        let (module, info) = validate(name, &source);
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
            // What no variant's code uses takes none.
            .filter(|(handle, _)| !info.get_entry_point(0)[*handle].is_empty())
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

/// A launch of every kernel of frozen networks.
fn launches() -> Vec<(Kernel, Dispatch)> {
    let map = Stored { height: 2, width: 3, pitch: 4 };
    let none = Activation::None;
    let ([kernel, stride, dilation], padding) = ([[1; 2]; 3], Padding::NONE);
    let (weight, bias, activation) = (vec![1.0; 16], vec![0.0; 4], none.clone());
    let convolution = Convolution { kernel, stride, padding, dilation, groups: 1, weight, bias, activation };
    let window = Pool { kernel, stride, padding, ceil: false, count_padding: true };
    let (weighting, starts) = (Weighting::Softmax, [0; 3]);
    let attending = Attention { heads: 2, windows: 1, scale: 0.5, weighting, bias: None, starts };
    let sizes = attention::Sizes::new(&attending, 4, [map; 2]);
    let gates = Gate { fc1: vec![1.0; 4], bias1: vec![0.0], fc2: vec![1.0; 4], bias2: vec![0.0; 4] };
    let (frame, order) = (preprocess::Frame::bilinear(3, 2), preprocess::Order::Rgb);
    let plan = preprocess::Plan { frame, order, scale: [1.0; 3], bias: [0.0; 3] };
    vec![
        (attention::KERNEL, attention::dispatch(2, &attending, sizes, [map; 4])),
        (channel_pool::KERNEL, channel_pool::dispatch(2, true, 3, map)),
        (concatenate::KERNEL, concatenate::dispatch(2, (4, 0), (map, 0), (map, 0))),
        (conv::KERNEL, conv::dispatch(2, &convolution, false, map, map, conv::TILES[0].0)),
        (conv_staged::KERNEL, conv::dispatch(2, &convolution, false, map, map, conv::TILES[0].0)),
        (depthwise::KERNEL, depthwise::dispatch(2, &convolution, map, map)),
        (elementwise::KERNEL, elementwise::dispatch(2, Combine::Add, false, &none, map)),
        (gather::KERNEL, gather::dispatch(2, 3, 6, map, 1)),
        (gather_channels::KERNEL, gather_channels::dispatch(2, 3, map, map)),
        (gate::KERNEL, gate::dispatch(2, 1, false, &gates, map)),
        (gate_scales::KERNEL, gate_scales::dispatch(2, 1, &gates, map)),
        (global_pool::KERNEL, global_pool::dispatch(2, Reduce::Mean, &none, map)),
        (group_norm::KERNEL, group_norm::dispatch(2, Norm::Groups(4), 1e-5, 4, &none, map)),
        (grouped::KERNEL, grouped::dispatch(2, &convolution, 4, false, map, map)),
        (lite::KERNEL, lite::dispatch(2, &convolution, map, map, lite::Tiling::new(map, lite::MOST_PIXELS))),
        (lite_strip::KERNEL, lite_strip::dispatch(2, &convolution, map, map)),
        (nhwc_input::KERNEL, nhwc_input::dispatch(2, 3, map)),
        (pool::KERNEL, pool::dispatch(2, true, window, map, map)),
        (preprocess::KERNEL, preprocess::dispatch(&plan, 5, 7, 7)),
        (resize::KERNEL, resize::dispatch(2, map, map)),
        (transpose::KERNEL, transpose::dispatch(2, map, map)),
    ]
}

/// A launch of every kernel of training.
#[cfg(feature = "train")]
fn training_launches() -> Vec<(Kernel, Dispatch)> {
    use webreid::kernels::training::{
        Planes, distance, gem_pool, gem_pool_backward, pool_bn_backward, pool_bn_infer, pool_bn_train,
    };
    let planes = Planes { batch: 2, channels: 4, area: 6 };
    let sizes = distance::Sizes { a_rows: 1, b_rows: 2, width: 3 };
    let backward = pool_bn_backward::Settings { eps: 1e-5, training: true };
    let train = pool_bn_train::Settings { eps: 1e-5, momentum: 0.1 };
    vec![
        (distance::KERNEL, distance::dispatch(sizes, distance::Metric::Cosine)),
        (gem_pool::KERNEL, gem_pool::dispatch(planes)),
        (gem_pool_backward::KERNEL, gem_pool_backward::dispatch(planes)),
        (pool_bn_backward::KERNEL, pool_bn_backward::dispatch(planes, backward)),
        (pool_bn_infer::KERNEL, pool_bn_infer::dispatch(planes, 1e-5)),
        (pool_bn_train::KERNEL, pool_bn_train::dispatch(planes, train)),
    ]
}

/// Fewer words would be an error of the device, and more would say that a member is missing.
#[test]
fn every_launch_fills_its_shaders_parameters() {
    #[cfg_attr(not(feature = "train"), expect(unused_mut, reason = "without training there are none to add"))]
    let mut launches = launches();
    #[cfg(feature = "train")]
    launches.extend(training_launches());
    assert_eq!(launches.iter().map(|(kernel, _)| *kernel).collect::<Vec<_>>(), kernels().collect::<Vec<_>>());
    for (kernel, dispatch) in launches {
        let (module, _) = validate(kernel.name, kernel.wgsl);
        let mut layouter = Layouter::default();
        layouter.update(module.to_ctx()).unwrap();
        let mut uniforms =
            module.global_variables.iter().filter(|(_, variable)| variable.space == AddressSpace::Uniform);
        let (_, params) = uniforms.next().unwrap();
        let size = layouter[params.ty].size as usize;
        assert_eq!(size_of_val(&dispatch.params[..]), size, "{}: the bytes of Params", kernel.name);
    }
}
