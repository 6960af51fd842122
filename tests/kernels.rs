//! Every kernel on the native GPU (or its software stand-in) and on the CPU.
#![cfg(all(feature = "train", not(target_arch = "wasm32")))]

#[path = "common/kernel_checks.rs"]
mod kernel_checks;
#[path = "common/resize_cases.rs"]
mod resize_cases;

use std::sync::OnceLock;

use burn::tensor::Device;

fn gpu() -> &'static Device {
    static DEVICE: OnceLock<Device> = OnceLock::new();
    DEVICE.get_or_init(|| Device::wgpu_options().init().expect("a Vulkan driver; lavapipe will do"))
}

macro_rules! on_both_devices {
    ($($check:ident,)*) => {
        mod gpu {
            $(#[test] fn $check() { pollster::block_on(crate::kernel_checks::$check(crate::gpu())) })*
        }
        mod cpu {
            $(#[test] fn $check() { pollster::block_on(crate::kernel_checks::$check(&burn::tensor::Device::flex())) })*
        }
    };
}

on_both_devices! {
    pool_bn_infer_is_its_twin,
    pool_bn_train_is_its_twin,
    pool_bn_train_is_pytorchs,
    pool_bn_refuses_a_batch_of_one,
    pool_bn_gradients_are_right,
    pool_bn_leaves_what_is_frozen,
    gem_pool_is_its_twin,
    gem_pool_gradients_are_right,
    distance_is_its_twin,
    a_set_may_be_compared_with_itself,
    distance_gradients_are_right,
    preprocess_is_pillow_to_the_bit,
    preprocess_scales_in_the_networks_order,
    many_workgroups_reach_every_element,
}
