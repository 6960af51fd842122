//! Choosing what to train on.

use burn::tensor::Device;
#[cfg(feature = "gpu")]
use burn::tensor::wgpu::{WgpuInitError, wgpu};

use crate::extract::{DeviceChoice, DeviceError, DeviceFault};
#[cfg(feature = "gpu")]
use crate::graph::frozen::GpuError;
#[cfg(all(feature = "gpu", target_arch = "wasm32"))]
use crate::graph::frozen::gpu::{OPENING, within};

/// A device that is ready, and what it is.
#[derive(Clone, Debug)]
pub struct ComputeDevice {
    pub device: Device,
    /// Whether WGSL runs on it; otherwise the CPU twins do.
    pub gpu: bool,
    /// The adapter's name, or "CPU".
    pub name: String,
    /// A GPU that software imitates: correct, and slower than the CPU path.
    pub software: bool,
    /// Why it is the CPU though a GPU was to be taken if there is one.
    pub fallback: Option<DeviceFault>,
}

impl ComputeDevice {
    /// The CPU, through burn's flex backend.
    pub fn cpu() -> Self {
        Self { device: Device::flex(), gpu: false, name: "CPU".to_owned(), software: false, fallback: None }
    }

    /// The CPU in place of a GPU.
    fn instead(fault: DeviceFault) -> Self {
        Self { fallback: Some(fault), ..Self::cpu() }
    }

    /// The device for a choice.
    ///
    /// # Errors
    /// When a GPU was asked for and there is none; `Auto` falls back to the CPU instead, which then tells why.
    pub async fn open(choice: DeviceChoice) -> Result<Self, DeviceError> {
        match choice {
            DeviceChoice::Cpu => Ok(Self::cpu()),
            DeviceChoice::Gpu => Ok(gpu().await?),
            DeviceChoice::Auto => match gpu().await {
                Ok(device) if !device.software => Ok(device),
                Ok(_) => Ok(Self::instead(DeviceFault::Software)),
                Err(fault) => Ok(Self::instead(fault)),
            },
        }
    }
}

#[cfg(feature = "gpu")]
fn describe(device: Device, adapter: &wgpu::Adapter) -> ComputeDevice {
    let info = adapter.get_info();
    // Browsers may hide the adapter's name.
    let name = [info.name, info.driver_info].into_iter().find(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| "WebGPU".to_owned());
    ComputeDevice { device, gpu: true, name, software: info.device_type == wgpu::DeviceType::Cpu, fallback: None }
}

#[cfg(feature = "gpu")]
fn fault(error: WgpuInitError) -> DeviceFault {
    DeviceFault::Gpu(match error {
        WgpuInitError::AdapterUnavailable { .. } => GpuError::NoAdapter,
        WgpuInitError::RequestDevice { message } => GpuError::no_device(&message),
        error => GpuError::no_device(&error.to_string()),
    })
}

/// The one GPU device of this process: burn's wgpu runtime can be started only once.
#[cfg(all(feature = "gpu", not(target_arch = "wasm32")))]
async fn gpu() -> Result<ComputeDevice, DeviceFault> {
    static GPU: std::sync::Mutex<Option<ComputeDevice>> = std::sync::Mutex::new(None);
    let mut gpu = GPU.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(device) = gpu.as_ref() {
        return Ok(device.clone());
    }
    let (device, setup) = Device::wgpu_options().init_with_setup().map_err(fault)?;
    Ok(gpu.insert(describe(device, &setup.adapter)).clone())
}

/// The one GPU device of this worker: burn's wgpu runtime can be started only once.
#[cfg(all(feature = "gpu", target_arch = "wasm32"))]
async fn gpu() -> Result<ComputeDevice, DeviceFault> {
    thread_local! {
        static GPU: std::cell::RefCell<Option<ComputeDevice>> = const { std::cell::RefCell::new(None) };
    }
    if let Some(device) = GPU.with_borrow(Clone::clone) {
        return Ok(device);
    }
    // An adapter and a device are asked for.
    let opened = within(2 * OPENING, Device::wgpu_options().init_with_setup_async()).await?;
    let (device, setup) = opened.map_err(fault)?;
    let device = describe(device, &setup.adapter);
    GPU.set(Some(device.clone()));
    Ok(device)
}

#[cfg(not(feature = "gpu"))]
#[expect(clippy::unused_async, reason = "awaited like the one that opens a GPU")]
async fn gpu() -> Result<ComputeDevice, DeviceFault> {
    Err(DeviceFault::NotBuilt)
}
