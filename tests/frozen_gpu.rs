//! The frozen form on WebGPU gives what it gives on the CPU, kernel by kernel and as whole networks, in the launches and
//! the memory that are planned.

#![cfg(all(feature = "webgpu", not(target_arch = "wasm32")))]

mod common;
#[path = "common/frozen_cases.rs"]
mod frozen_cases;
#[path = "common/reference.rs"]
mod reference;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use common::{relative_error, shared};
use frozen_cases::{
    Case, HALF_NETWORK, TOLERANCE, WINDOWS, activations_of, convolution_of, map, more_activations, network, noise,
    noisy,
};
use webreid::graph::frozen::{CpuRunner, Frozen, GpuDevice, GpuError, GpuRunner};
use webreid::kernels::frozen::KERNELS;
use webreid::model::{BackboneConfig, Bottleneck, Ibn, Pooling, ReIdentifierConfig, ResnetConfig, preset};
use webreid::step::{Activation, Combine, Operation};
use webreid::weights::{Checkpoint, Precision, Recognised, Tensor, read_openvino, recognise};

type Tensors = BTreeMap<String, Tensor>;

fn gpu(precision: Precision) -> &'static GpuDevice {
    static SINGLE: OnceLock<GpuDevice> = OnceLock::new();
    static HALF: OnceLock<GpuDevice> = OnceLock::new();
    let device = if precision == Precision::F16 { &HALF } else { &SINGLE };
    let open = || pollster::block_on(GpuDevice::open_in(Some(precision))).expect("a Vulkan driver; lavapipe will do");
    device.get_or_init(open)
}

fn runner(frozen: &Frozen) -> GpuRunner {
    pollster::block_on(GpuRunner::new(gpu(Precision::F32), frozen)).unwrap()
}

fn half_runner(frozen: &Frozen) -> GpuRunner {
    pollster::block_on(GpuRunner::new(&gpu(Precision::F16).as_hardware(), frozen)).unwrap()
}

/// All runners on noise: f32 for some batches, which grow and shrink, and hardware's kernels and f16 for the first.
fn check_with(case: Case, batches: &[usize]) {
    let Case { title, frozen, choices, tolerances: [single, half] } = case;
    let runner = |gpu: &GpuDevice| pollster::block_on(GpuRunner::choosing(gpu, frozen, choices)).unwrap();
    // Where the first may have the tiles and kernels of software.
    let hardware = [Precision::F32, Precision::F16].map(|precision| runner(&gpu(precision).as_hardware()));
    let (cpu, gpu) = (CpuRunner::new(frozen), runner(gpu(Precision::F32)));
    let size = frozen.input().area() * frozen.input().channels;
    for (number, &batch) in batches.iter().enumerate() {
        let images = noise(batch * size, 7);
        let expected = cpu.run(&images);
        let compare = |kind: &str, gpu: &GpuRunner, tolerance: f32| {
            let found = pollster::block_on(gpu.run(&images, batch)).unwrap();
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                let error = relative_error(found, expected);
                assert!(error <= tolerance, "{title}, batch {batch}, {kind}: {error:e} of the largest value");
            }
        };
        compare("f32", &gpu, single);
        if number == 0 {
            compare("f32 as hardware", &hardware[0], single);
            compare("f16", &hardware[1], half);
        }
    }
}

/// Also against plain loops.
fn check(case: Case) {
    check_plain(case.title, case.frozen, case.tolerances[0]);
    check_with(case, &[2, 5, 1]);
}

fn check_plain(title: &str, frozen: &Frozen, tolerance: f32) {
    let images = noise(2 * frozen.input().area() * frozen.input().channels, 7);
    for (found, expected) in CpuRunner::new(frozen).run(&images).iter().zip(reference::run(frozen, &images)) {
        let expected: Vec<f32> = expected.into_iter().map(|value| value as f32).collect();
        let error = relative_error(found, &expected);
        assert!(error <= tolerance, "{title}, plain loops: {error:e} of the largest value");
    }
}

/// A test of each kind of cases.
macro_rules! kinds {
    ($($test:ident: $cases:ident,)*) => {
        $(#[test] fn $test() { frozen_cases::$cases(&mut check) })*
    };
}

kinds! {
    convolution_is_its_twin: convolution,
    convolution_of_any_kind_is_its_twin: convolution_of_any_kind,
    convolution_of_large_maps_is_its_twin: convolution_of_large_maps,
    depthwise_is_its_twin: depthwise,
    gate_is_its_twin: gate,
    pools_are_their_twins: pools,
    global_pool_is_its_twin: global_pool,
    group_norm_is_its_twin: group_norm,
    elementwise_is_its_twin: elementwise,
    slices_and_concatenations_are_their_twins: slices_and_concatenations,
    norms_of_pixels_are_their_twins: norms_of_pixels,
    channel_pools_and_transposes_are_their_twins: channel_pools_and_transposes,
    constants_are_their_twins: constants,
    moved_pixels_and_channels_are_their_twins: moved_pixels_and_channels,
    resized_maps_are_their_twins: resized_maps,
    attention_is_its_twin: attention,
    every_choice_of_a_plan_is_its_twin: choices,
}

/// In one launch, as the counter shows.
#[test]
fn lite_is_its_twin() {
    frozen_cases::lite(&mut |case| {
        check(case);
        let runner = runner(case.frozen);
        let from = case.frozen.input();
        pollster::block_on(runner.run(&noise(from.area() * from.channels, 1), 1)).unwrap();
        assert_eq!(runner.counters().dispatches, 2, "the input and the layer");
    });
}

#[test]
fn activations_are_their_twins() {
    frozen_cases::activations(&mut check);
    // A NaN stays one, and concerns no other.
    let from = map([7, 5], 7);
    for activation in more_activations().into_iter().chain(activations_of(7)).chain([Activation::Exp]) {
        let steps = vec![(Operation::Elementwise { combine: Combine::One, affine: None, activation }, vec![0], from)];
        let frozen = network(from, steps);
        let mut images = vec![0.5; 7 * 35];
        images[3] = f32::NAN;
        let found = CpuRunner::new(&frozen).run(&images).remove(0);
        assert_eq!(found.iter().filter(|value| value.is_nan()).count(), 1, "{:?}", frozen.steps[0].operation);
    }
}

/// But that which brings photos to the network's size, which only training launches.
#[test]
fn the_cases_reach_every_kernel() {
    let mut reached = BTreeSet::new();
    for (_, cases) in frozen_cases::KINDS {
        let mut number = 0;
        cases(&mut |Case { frozen, choices, .. }| {
            // Of each kind some.
            if number % 7 == 0 || choices.lite.is_some() {
                let made = GpuRunner::choosing(gpu(Precision::F32), frozen, choices);
                reached.extend(pollster::block_on(made).unwrap().kernels());
            }
            number += 1;
        });
    }
    let all = KERNELS.iter().map(|kernel| kernel.name).filter(|name| *name != "preprocess");
    assert_eq!(reached, all.collect());
}

#[test]
fn every_launch_is_timed() {
    let frozen = noisy(&preset("osnet_x0_25", 0).unwrap(), 64, 32);
    let timed = |gpu: &GpuDevice| {
        let runner = pollster::block_on(GpuRunner::new(gpu, &frozen)).unwrap();
        pollster::block_on(runner.run(&noise(2 * 3 * 64 * 32, 1), 2)).unwrap();
        (pollster::block_on(runner.timed(2)).unwrap(), runner.counters())
    };
    let gpu = pollster::block_on(GpuDevice::open_to_measure(Some(Precision::F32))).unwrap();
    let (times, counters) = timed(&gpu);
    let times = times.expect("lavapipe has timestamps");
    assert_eq!(times.len() as u64, counters.dispatches);
    assert_eq!((times[0].kernel, times[0].step, times[0].bytes), ("nhwc_input", None, 2 * 4 * (3 + 4) * 64 * 32));
    assert!(times[1..].iter().all(|time| time.step.is_some_and(|step| step < frozen.steps.len())));
    assert!(times.iter().all(|time| time.seconds < 60.0) && times.iter().any(|time| time.seconds > 0.0), "{times:?}");
}

fn read(path: impl AsRef<std::path::Path>) -> Checkpoint {
    Checkpoint::read(&std::fs::read(path).unwrap()).unwrap()
}

fn fixture(name: &str) -> Checkpoint {
    read(format!("{}/tests/fixtures/{name}.safetensors", env!("CARGO_MANIFEST_DIR")))
}

fn freeze(config: &ReIdentifierConfig, tensors: &Tensors, height: usize, width: usize) -> Frozen {
    let graph = config.graph().unwrap();
    Frozen::new(&graph, &[graph.feature, graph.embedding], tensors, height, width).unwrap()
}

#[test]
fn networks_are_the_cpus() {
    let tiny = |backbone: ResnetConfig| BackboneConfig::Resnet(ResnetConfig { width: 4, ..backbone });
    let mut ibn_a = ReIdentifierConfig::new(tiny(ResnetConfig::ibn(18, Ibn::A)), 7);
    ibn_a.bottleneck = Some(Bottleneck::linear(16, true));
    let mut ibn_b = ReIdentifierConfig::new(tiny(ResnetConfig::ibn(18, Ibn::B)), 7);
    ibn_b.pooling = Pooling::Gem;
    let resnet = ReIdentifierConfig::new(tiny(ResnetConfig::reid(50)), 7);
    let cases = [
        ("resnet50", "reidentifier_resnet50", resnet),
        ("ibn a", "reidentifier_ibn_a", ibn_a),
        ("ibn b", "reidentifier_ibn_b", ibn_b),
    ];
    for (title, name, config) in cases {
        let fixture = fixture(name).tensors;
        let weights = fixture.iter().filter_map(|(n, t)| Some((n.strip_prefix("weights/")?.to_owned(), t.clone())));
        let [_, _, height, width] = fixture["input"].shape[..] else { panic!("images") };
        check_network(title, &freeze(&config, &weights.collect(), height, width));
    }
    let tiny = recognise(fixture("tiny_osnet")).unwrap();
    check_network("tiny osnet", &freeze(&tiny.config, &tiny.tensors, 64, 32));
    check_network("osnet x0.25", &noisy(&preset("osnet_x0_25", 0).unwrap(), 128, 64));
    check_network("resnet50", &noisy(&preset("reid_resnet50", 0).unwrap(), 64, 32));
}

fn check_network(title: &str, frozen: &Frozen) {
    check_with(Case::within(title, frozen, [TOLERANCE, HALF_NETWORK]), &[1, 3]);
}

#[test]
#[ignore = "needs ../shared"]
fn published_weights_give_the_reference_features() {
    let shared = shared();
    let weights = shared.join("weights");
    let reference = read(weights.join("reference_features.safetensors")).tensors;
    let run = |runner: &GpuRunner, input: &Tensor| {
        pollster::block_on(runner.run(&input.values, input.shape[0])).unwrap().remove(1)
    };
    for name in ["osnet_x0_25_market1501.pth", "osnet_x0_25_msmt17_combineall.safetensors"] {
        let Recognised { config, tensors, .. } = recognise(read(weights.join(name))).unwrap();
        let stem = name.split('.').next().unwrap();
        let frozen = freeze(&config, &tensors, 256, 128);
        let runners = [(runner(&frozen), 2.0 * TOLERANCE), (half_runner(&frozen), HALF_NETWORK)];
        let errors = runners.map(|(runner, tolerance)| {
            let error = relative_error(&run(&runner, &reference["input"]), &reference[stem].values);
            assert!(error <= tolerance, "{name}: {error:e}");
            error
        });
        println!("{name}: {:.1e} of the largest value in f32, {:.1e} in f16", errors[0], errors[1]);
    }
    for number in ["0287", "0288"] {
        let name = format!("person-reidentification-retail-{number}");
        let file = |extension: &str| std::fs::read(weights.join(&name).join(format!("{name}.{extension}"))).unwrap();
        let Recognised { config, tensors, .. } = read_openvino(&file("xml"), &file("bin")).unwrap();
        let frozen = freeze(&config, &tensors, 256, 128);
        check_with(Case::within(&name, &frozen, [2.0 * TOLERANCE, HALF_NETWORK]), &[2]);
    }
}

/// Weights, activations and what is read back, as bytes.
#[test]
fn half_takes_half_the_memory() {
    let frozen = noisy(&preset("reid_resnet50", 0).unwrap(), 64, 32);
    let bytes = [runner(&frozen), half_runner(&frozen)].map(|runner| {
        pollster::block_on(runner.run(&noise(3 * 64 * 32, 1), 1)).unwrap();
        runner.counters().bytes as f64
    });
    assert!((0.5..0.51).contains(&(bytes[1] / bytes[0])), "{bytes:?}");
}

#[test]
fn launches_and_pipelines_are_few_and_memory_does_not_grow() {
    for (name, most) in [("osnet_x0_25", 120), ("reid_resnet50", 60)] {
        let frozen = noisy(&preset(name, 0).unwrap(), 256, 128);
        let runner = runner(&frozen);
        let size = 3 * 256 * 128;
        let before = runner.counters();
        pollster::block_on(runner.run(&noise(size, 1), 1)).unwrap();
        let once = runner.counters();
        println!("{name}: {once:?}");
        assert!(once.dispatches <= most, "{name}: {once:?}");
        assert_eq!((once.submits, once.pipelines), (1, before.pipelines), "{name}");
    }
    let frozen = noisy(&preset("osnet_x0_25", 0).unwrap(), 64, 32);
    let runner = runner(&frozen);
    let run = |batch: usize| pollster::block_on(runner.run(&noise(batch * 3 * 64 * 32, 1), batch)).unwrap();
    run(4);
    run(1);
    let first = runner.counters();
    for _ in 0..25 {
        run(1);
        run(4);
    }
    let last = runner.counters();
    assert_eq!((last.bytes, last.pipelines), (first.bytes, first.pipelines));
    assert_eq!(last.submits, first.submits + 50);
}

#[test]
fn what_does_not_fit_is_an_error() {
    let from = map([64, 64], 1);
    let steps = vec![(Operation::Convolution(convolution_of(1, 2048, WINDOWS[0], 0)), vec![0], map([64, 64], 2048))];
    let runner = runner(&network(from, steps));
    let error = pollster::block_on(runner.run(&[0.0; 47], 1)).unwrap_err();
    assert_eq!(error, GpuError::Images { found: 47, batch: 1, size: 4096 });
    assert_eq!(pollster::block_on(runner.run(&[], 0)), Ok(vec![Vec::new()]));
    let error = pollster::block_on(runner.run(&[0.0; 400 * 4096], 400)).unwrap_err();
    assert!(matches!(error, GpuError::TooLarge { needed, limit } if needed == 400 * 2048 * 4096 * 4 && limit < needed));
    // That has done no harm.
    assert_eq!(pollster::block_on(runner.run(&[0.0; 4096], 1)).unwrap()[0].len(), 2048 * 4096);
}
