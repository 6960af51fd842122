//! How much memory it takes to open a model: what is read is let go as it is packed.
#![cfg(not(target_arch = "wasm32"))]

#[path = "common/counting_allocator.rs"]
mod counting_allocator;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::Ordering;

use counting_allocator::{MOST, USED};
use webreid::extract::{DeviceChoice, Extractor};
use webreid::model::{BackboneConfig, ReIdentifierConfig, ResnetConfig, preset};
use webreid::weights::{Precision, initial_tensors, read, to_onnx, to_safetensors};

/// What is counted is the whole program's.
static ALONE: Mutex<()> = Mutex::new(());

/// The bounds for a model in f32, as multiples of its file: where its weights are packed as they are, and where the CPU has
/// those of 3×3 convolutions for Winograd's tiles.
const MOST_TIMES: f64 = 2.5;
const MOST_TIMES_WITH_TILES: f64 = 3.0;

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
fn check(config: &ReIdentifierConfig, choice: DeviceChoice, most_times: f64) {
    let _alone = ALONE.lock().unwrap();
    // Twice are the tensors, which are kept for export and learning, and what is packed of them.
    let peak = memory(config, Precision::F32, choice);
    assert!(peak < most_times, "{peak} times the file");
    // What computes is f32 whatever the file is, and twice as large as that.
    let peak = memory(config, Precision::F16, choice);
    assert!(peak < 2.0 * most_times, "{peak} times the file");
}

/// With maps so small that tiles pay for few of its weights.
fn small_resnet_50(width: usize) -> ReIdentifierConfig {
    let mut config = resnet_50(width);
    (config.input.height, config.input.width) = (64, 32);
    config
}

#[test]
fn resnet_50s_take_little_more_than_twice_their_file_on_the_cpu() {
    check(&small_resnet_50(16), DeviceChoice::Cpu, MOST_TIMES);
    check(&small_resnet_50(64), DeviceChoice::Cpu, MOST_TIMES);
}

/// Nearly all that a ResNet-18 has are 3×3 convolutions.
#[test]
fn with_the_weights_of_tiles_it_is_less_than_three_times_the_file() {
    for name in ["reid_resnet18", "reid_resnet50"] {
        check(&preset(name, 0).unwrap(), DeviceChoice::Cpu, MOST_TIMES_WITH_TILES);
    }
}

/// Its packed weights are not kept where the network is.
#[cfg(feature = "webgpu")]
#[test]
fn a_narrow_resnet_50_takes_little_more_than_twice_its_file_on_a_gpu() {
    check(&small_resnet_50(32), DeviceChoice::Gpu, MOST_TIMES);
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
