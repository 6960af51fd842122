//! What several tests need.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::path::PathBuf;

/// The largest difference between two sets of values, as a fraction of the largest expected value; NaN when one is.
pub fn relative_error(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(f32::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
    let errors = found.iter().zip(expected).map(|(a, b)| (a - b).abs() / largest);
    // `f32::max` would swallow a NaN.
    errors.fold(0.0, |worst, error| if worst.is_nan() || error <= worst { worst } else { error })
}

/// The folder of real checkpoints and images beside the project. Tests that need it are marked `#[ignore = "needs ../shared"]`,
/// so that nobody takes them for passed where it is not; `make test` runs them where it is. What they test a small fixture of
/// our own tests too.
pub fn shared() -> PathBuf {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared");
    let path = PathBuf::from(std::env::var_os("WEBREID_SHARED").unwrap_or_else(|| beside.into()));
    assert!(path.is_dir(), "this test needs {}, which is not there", path.display());
    path
}

/// What a test runs on: the CPU, and WebGPU where the build has it.
#[cfg(all(feature = "train", not(target_arch = "wasm32")))]
pub fn devices() -> Vec<webreid::training::ComputeDevice> {
    use webreid::{extract::DeviceChoice, training::ComputeDevice};
    let mut choices = vec![DeviceChoice::Cpu];
    if cfg!(feature = "gpu") {
        choices.push(DeviceChoice::Gpu);
    }
    choices.into_iter().map(|choice| pollster::block_on(ComputeDevice::open(choice)).unwrap()).collect()
}
