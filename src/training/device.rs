//! Choosing what to train on.

use burn::tensor::Device;
#[cfg(feature = "gpu")]
use burn::tensor::wgpu::{WgpuInitError, wgpu};

use crate::extract::DeviceChoice;

/// No adapter could be had.
#[cfg(feature = "gpu")]
#[derive(Debug, thiserror::Error)]
#[error("no GPU can be used here ({0}); choose the cpu device")]
pub struct ComputeDeviceError(#[from] WgpuInitError);

/// No adapter could be had.
#[cfg(not(feature = "gpu"))]
#[derive(Debug, thiserror::Error)]
#[error("this build has no GPU code; choose the cpu device, or build with the feature `gpu`")]
pub struct ComputeDeviceError;

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
}

impl ComputeDevice {
    /// The CPU, through burn's flex backend.
    pub fn cpu() -> Self {
        Self { device: Device::flex(), gpu: false, name: "CPU".to_owned(), software: false }
    }

    /// The device for a choice.
    ///
    /// # Errors
    /// When a GPU was asked for and there is none; `Auto` falls back to the CPU instead.
    pub async fn open(choice: DeviceChoice) -> Result<Self, ComputeDeviceError> {
        match choice {
            DeviceChoice::Cpu => Ok(Self::cpu()),
            DeviceChoice::Gpu => gpu().await,
            DeviceChoice::Auto => match gpu().await {
                Ok(device) if !device.software => Ok(device),
                _ => Ok(Self::cpu()),
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
    ComputeDevice { device, gpu: true, name, software: info.device_type == wgpu::DeviceType::Cpu }
}

/// The one GPU device of this process: burn's wgpu runtime can be started only once.
#[cfg(all(feature = "gpu", not(target_arch = "wasm32")))]
async fn gpu() -> Result<ComputeDevice, ComputeDeviceError> {
    static GPU: std::sync::Mutex<Option<ComputeDevice>> = std::sync::Mutex::new(None);
    let mut gpu = GPU.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(device) = gpu.as_ref() {
        return Ok(device.clone());
    }
    let (device, setup) = Device::wgpu_options().init_with_setup()?;
    Ok(gpu.insert(describe(device, &setup.adapter)).clone())
}

/// The one GPU device of this worker: burn's wgpu runtime can be started only once.
#[cfg(all(feature = "gpu", target_arch = "wasm32"))]
async fn gpu() -> Result<ComputeDevice, ComputeDeviceError> {
    thread_local! {
        static GPU: std::cell::RefCell<Option<ComputeDevice>> = const { std::cell::RefCell::new(None) };
    }
    if let Some(device) = GPU.with_borrow(Clone::clone) {
        return Ok(device);
    }
    let (device, setup) = Device::wgpu_options().init_with_setup_async().await?;
    let device = describe(device, &setup.adapter);
    GPU.set(Some(device.clone()));
    Ok(device)
}

#[cfg(not(feature = "gpu"))]
#[expect(clippy::unused_async, reason = "awaited like the one that opens a GPU")]
async fn gpu() -> Result<ComputeDevice, ComputeDeviceError> {
    Err(ComputeDeviceError)
}
