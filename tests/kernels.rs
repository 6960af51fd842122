//! Every kernel on the CPU and, where the build has it, on the native GPU (or its software stand-in).
#![cfg(all(feature = "train", not(target_arch = "wasm32")))]

#[path = "common/kernel_checks.rs"]
mod kernel_checks;
#[path = "common/resize_cases.rs"]
mod resize_cases;

#[cfg(feature = "gpu")]
fn gpu() -> &'static burn::tensor::Device {
    use burn::tensor::Device;
    static DEVICE: std::sync::OnceLock<Device> = std::sync::OnceLock::new();
    DEVICE.get_or_init(|| Device::wgpu_options().init().expect("a Vulkan driver; lavapipe will do"))
}

macro_rules! on_both_devices {
    ($($check:ident,)*) => {
        #[cfg(feature = "gpu")]
        mod gpu {
            $(#[test] fn $check() { pollster::block_on(crate::kernel_checks::$check(crate::gpu())) })*
        }
        mod cpu {
            $(#[test] fn $check() { pollster::block_on(crate::kernel_checks::$check(&burn::tensor::Device::flex())) })*
        }
    };
}

kernel_checks::for_each_check!(on_both_devices);
