//! How much memory it takes to open a model: what is read is let go as it is packed.
#![cfg(not(target_arch = "wasm32"))]

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use webreid::extract::{DeviceChoice, Extractor};
use webreid::model::{BackboneConfig, ReIdentifierConfig, ResnetConfig};
use webreid::weights::{Precision, initial_tensors, read, to_onnx, to_safetensors};

struct Counting;

static USED: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);
/// What is counted is the whole program's.
static ALONE: Mutex<()> = Mutex::new(());

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[expect(unsafe_code, reason = "an allocator's interface is unsafe")]
// SAFETY: every call is the system's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let used = USED.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(used, Ordering::Relaxed);
        // SAFETY: the caller's promises are the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        USED.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the pointer came from the system's `alloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// The bound for a model in f32, as a multiple of its file.
const MOST_TIMES: f64 = 2.5;

/// A ResNet-50 whose stem has so many channels.
fn resnet_50(width: usize) -> ReIdentifierConfig {
    ReIdentifierConfig::new(BackboneConfig::Resnet(ResnetConfig { width, ..ResnetConfig::reid(50) }), 0)
}

/// The most memory at once while a file is read, let go, and its model opened, the file in memory included, as a multiple of
/// the file.
fn memory(config: &ReIdentifierConfig, precision: Precision, choice: DeviceChoice) -> f64 {
    let before = USED.load(Ordering::Relaxed);
    let tensors = initial_tensors(config, 1).unwrap();
    let file = to_safetensors(config, &tensors, &BTreeMap::new(), precision).unwrap();
    drop(tensors);
    let size = file.len() as f64;
    MOST.store(USED.load(Ordering::Relaxed), Ordering::Relaxed);
    let mut model = read(&file).unwrap();
    drop(file);
    let extractor = pollster::block_on(Extractor::take(&mut model, choice)).unwrap();
    let [most, left] = [&MOST, &USED].map(|bytes| (bytes.load(Ordering::Relaxed) - before) as f64 / size);
    drop(extractor);
    println!("{precision:?} on {choice:?}: {most:.2} and then {left:.2} times its file of {size} bytes");
    most
}

#[track_caller]
fn check(width: usize, choice: DeviceChoice) {
    let _alone = ALONE.lock().unwrap();
    let mut config = resnet_50(width);
    (config.input.height, config.input.width) = (64, 32);
    // Twice are the tensors, which are kept for export and learning, and what is packed of them.
    let peak = memory(&config, Precision::F32, choice);
    assert!(peak < MOST_TIMES, "{peak} times the file");
    // What computes is f32 whatever the file is, and twice as large as that.
    let peak = memory(&config, Precision::F16, choice);
    assert!(peak < 2.0 * MOST_TIMES, "{peak} times the file");
}

#[test]
fn resnet_50s_take_little_more_than_twice_their_file_on_the_cpu() {
    check(16, DeviceChoice::Cpu);
    check(64, DeviceChoice::Cpu);
}

/// Its packed weights are not kept where the network is.
#[cfg(feature = "webgpu")]
#[test]
fn a_narrow_resnet_50_takes_little_more_than_twice_its_file_on_a_gpu() {
    check(32, DeviceChoice::Gpu);
}

/// What it takes to make a file of ours of one in ONNX, as `reid convert` does.
#[test]
fn an_onnx_file_is_converted_in_little_more_than_three_times_its_size() {
    let _alone = ALONE.lock().unwrap();
    for width in [16, 64] {
        let mut config = resnet_50(width);
        (config.input.height, config.input.width) = (64, 32);
        let before = USED.load(Ordering::Relaxed);
        let file = to_onnx(&config, &initial_tensors(&config, 1).unwrap()).unwrap();
        let most = || (MOST.load(Ordering::Relaxed) - before) as f64 / file.len() as f64;
        MOST.store(USED.load(Ordering::Relaxed), Ordering::Relaxed);
        let model = read(&file).unwrap();
        let reading = most();
        to_safetensors(&model.config, &model.tensors, &model.provenance, Precision::F32).unwrap();
        println!("ONNX: {reading:.2} times its {} bytes to read, {:.2} to convert", file.len(), most());
        assert!(most() < 3.5, "{} times the file", most());
    }
}
