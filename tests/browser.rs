//! The module in a real browser. Run once with WebGPU and once without: the browser that should have it says so in its
//! user agent (see webdriver.json), so that no test skips itself unseen.
#![cfg(target_arch = "wasm32")]

#[path = "common/mod.rs"]
mod common;
#[path = "common/kernel_checks.rs"]
mod kernel_checks;
#[path = "common/resize_cases.rs"]
mod resize_cases;

use common::relative_error;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use webreid::extract::{DeviceChoice, Extractor};
use webreid::training::ComputeDevice;
use webreid::weights::{Checkpoint, recognise};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

const WEIGHTS: &[u8] = include_bytes!("fixtures/tiny_osnet.safetensors");
const EXPECTED: &[u8] = include_bytes!("fixtures/osnet.safetensors");

fn webgpu_expected() -> bool {
    let navigator = js_sys::Reflect::get(&js_sys::global(), &"navigator".into()).unwrap();
    let agent = js_sys::Reflect::get(&navigator, &"userAgent".into()).unwrap();
    agent.as_string().unwrap().contains("expects-webgpu")
}

async fn check_features(choice: DeviceChoice) {
    webreid::web::start();
    let mut model = recognise(Checkpoint::read(WEIGHTS).unwrap()).unwrap();
    let expected = Checkpoint::read(EXPECTED).unwrap();
    let input = &expected.tensors["input"];
    (model.config.input.height, model.config.input.width) = (input.shape[2], input.shape[3]);
    let extractor = Extractor::open(&model, choice).await.unwrap();
    let found = extractor.embed(&input.values).await.unwrap();
    let error = relative_error(&found, &expected.tensors["expect/eval_embedding"].values);
    wasm_bindgen_test::console_log!("{}: {error:.1e} of the largest value", extractor.device().name());
    assert!(error <= 1e-4, "{error}");
}

#[wasm_bindgen_test]
async fn the_cpu_gives_pytorchs_features() {
    check_features(DeviceChoice::Cpu).await;
}

#[wasm_bindgen_test]
async fn webgpu_gives_pytorchs_features_or_says_that_there_is_none() {
    if webgpu_expected() {
        check_features(DeviceChoice::Gpu).await;
    } else {
        let error = ComputeDevice::open(DeviceChoice::Gpu).await.unwrap_err();
        assert!(error.to_string().contains("choose the cpu device"), "{error}");
    }
}

#[wasm_bindgen_test]
async fn auto_takes_the_cpu_where_there_is_no_real_gpu() {
    // The adapter of a browser without a GPU is software, which the page's script recognises; here there may be none at all.
    if !webgpu_expected() {
        let device = ComputeDevice::open(DeviceChoice::Auto).await.unwrap();
        assert!(!device.gpu && !device.fallback.expect("the reason").is_failure());
    }
}

/// Every check of tests/kernels.rs, in the browser.
macro_rules! on_both_devices {
    ($($check:ident,)*) => {
        mod cpu {
            $(#[wasm_bindgen_test::wasm_bindgen_test] async fn $check() {
                crate::kernel_checks::$check(&burn::tensor::Device::flex()).await
            })*
        }
        mod gpu {
            $(#[wasm_bindgen_test::wasm_bindgen_test] async fn $check() {
                if let Some(device) = crate::gpu().await {
                    crate::kernel_checks::$check(&device).await
                }
            })*
        }
    };
}

async fn gpu() -> Option<burn::tensor::Device> {
    webreid::web::start();
    webreid::ops::prefill_outputs();
    let device = ComputeDevice::open(DeviceChoice::Gpu).await;
    assert_eq!(device.is_ok(), webgpu_expected(), "WebGPU is there exactly where the run expects it");
    device.ok().map(|device| device.device)
}

kernel_checks::for_each_check!(on_both_devices);
