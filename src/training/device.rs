//! What to train on: the device that networks are extracted on, for burn.

#[cfg(feature = "gpu")]
use std::sync::{Mutex, PoisonError};

use burn::tensor::Device;
#[cfg(feature = "gpu")]
use burn::tensor::wgpu::{WgpuSetup, wgpu};

use crate::extract::{self, DeviceChoice, DeviceError, DeviceFault};
#[cfg(feature = "gpu")]
use crate::graph::frozen::{GpuDevice, GpuError};

/// A device that is ready, and what it is.
#[derive(Clone, Debug)]
pub struct ComputeDevice {
    pub device: Device,
    /// Whether WGSL runs on it; otherwise the CPU twins do.
    pub gpu: bool,
    /// The adapter's name, or "CPU".
    pub name: String,
    /// Why it is the CPU though a GPU was to be taken if there is one.
    pub fallback: Option<DeviceFault>,
}

impl ComputeDevice {
    /// The CPU, through burn's flex backend.
    pub fn cpu() -> Self {
        Self::named(Device::flex(), &extract::Device::cpu())
    }

    /// The device for a choice: see [`extract::Device::open`].
    ///
    /// # Errors
    /// When a GPU was asked for and there is none.
    pub async fn open(choice: DeviceChoice) -> Result<Self, DeviceError> {
        Self::on(&extract::Device::open(choice).await?)
    }

    /// Trains on a device that is open, beside the networks that are there. From a GPU that burn cannot use, the CPU takes over
    /// where any device will do.
    ///
    /// # Errors
    /// When it has to be that GPU.
    pub fn on(device: &extract::Device) -> Result<Self, DeviceError> {
        #[cfg(feature = "gpu")]
        if let Some(gpu) = device.gpu() {
            return match on_gpu(gpu) {
                Ok(opened) => Ok(Self::named(opened, device)),
                Err(fault) => Ok(Self::named(Device::flex(), &device.without_gpu(fault)?)),
            };
        }
        Ok(Self::named(Device::flex(), device))
    }

    fn named(opened: Device, device: &extract::Device) -> Self {
        let fallback = device.fallback().cloned();
        Self { device: opened, gpu: device.is_gpu(), name: device.name().to_owned(), fallback }
    }
}

/// burn on a GPU. It takes each only once, and watches it from then on: a loss is told to burn alone, and networks learn of it by
/// results that do not come.
#[cfg(feature = "gpu")]
fn on_gpu(gpu: &GpuDevice) -> Result<Device, DeviceFault> {
    static TAKEN: Mutex<Vec<(wgpu::Device, Device)>> = Mutex::new(Vec::new());
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    let handles = gpu.handles();
    if let Some((_, device)) = taken.iter().find(|(known, _)| *known == handles.device) {
        return Ok(device.clone());
    }
    let setup = WgpuSetup {
        backend: handles.adapter.get_info().backend,
        instance: handles.instance,
        adapter: handles.adapter,
        device: handles.device.clone(),
        queue: handles.queue,
    };
    let opened = Device::wgpu_options().setup(setup).init();
    let device = opened.map_err(|error| GpuError::no_device(&error.to_string()))?;
    taken.push((handles.device, device.clone()));
    Ok(device)
}
