//! Choosing what to extract on.

use std::str::FromStr;

#[cfg(feature = "webgpu")]
use crate::graph::frozen::{GpuDevice, GpuError};

/// What the user asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// A real GPU where there is one; otherwise the CPU, which beats a GPU that software imitates.
    #[default]
    Auto,
    /// Any WebGPU adapter, even one that runs in software.
    Gpu,
    Cpu,
}

/// A word that names no device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no device; choose auto, gpu or cpu")]
pub struct UnknownDevice(String);

impl FromStr for DeviceChoice {
    type Err = UnknownDevice;

    fn from_str(word: &str) -> Result<Self, UnknownDevice> {
        match word {
            "auto" => Ok(Self::Auto),
            "gpu" => Ok(Self::Gpu),
            "cpu" => Ok(Self::Cpu),
            _ => Err(UnknownDevice(word.to_owned())),
        }
    }
}

/// No adapter could be had.
#[cfg(feature = "webgpu")]
#[derive(Debug, thiserror::Error)]
#[error("no GPU can be used here ({0}); choose the cpu device")]
pub struct DeviceError(#[from] GpuError);

/// No adapter could be had.
#[cfg(not(feature = "webgpu"))]
#[derive(Debug, thiserror::Error)]
#[error("this build has no GPU code; choose the cpu device, or build with the feature `webgpu`")]
pub struct DeviceError;

/// A device that is ready, and what it is.
#[derive(Clone, Debug)]
pub struct Device {
    kind: Kind,
    /// The adapter's name, or "CPU".
    pub name: String,
}

#[derive(Clone, Debug)]
enum Kind {
    Cpu,
    #[cfg(feature = "webgpu")]
    Gpu(GpuDevice),
}

impl Device {
    pub fn cpu() -> Self {
        Self { kind: Kind::Cpu, name: "CPU".to_owned() }
    }

    /// The device for a choice.
    ///
    /// # Errors
    /// When a GPU was asked for and there is none; `Auto` falls back to the CPU instead.
    pub async fn open(choice: DeviceChoice) -> Result<Self, DeviceError> {
        match choice {
            DeviceChoice::Cpu => Ok(Self::cpu()),
            DeviceChoice::Gpu => gpu().await,
            DeviceChoice::Auto => match gpu().await {
                Ok(device) if !device.is_software() => Ok(device),
                _ => Ok(Self::cpu()),
            },
        }
    }

    /// Whether WGSL runs on it; otherwise the CPU twins do.
    pub fn is_gpu(&self) -> bool {
        !matches!(self.kind, Kind::Cpu)
    }

    /// A GPU that software imitates: correct, and slower than the CPU path.
    pub fn is_software(&self) -> bool {
        match &self.kind {
            Kind::Cpu => false,
            #[cfg(feature = "webgpu")]
            Kind::Gpu(device) => device.is_software(),
        }
    }

    #[cfg(feature = "webgpu")]
    pub(super) fn of(device: GpuDevice) -> Self {
        Self { name: device.name().to_owned(), kind: Kind::Gpu(device) }
    }

    #[cfg(feature = "webgpu")]
    pub(super) fn gpu(&self) -> Option<&GpuDevice> {
        match &self.kind {
            Kind::Cpu => None,
            Kind::Gpu(device) => Some(device),
        }
    }
}

#[cfg(feature = "webgpu")]
async fn gpu() -> Result<Device, DeviceError> {
    Ok(Device::of(GpuDevice::open().await?))
}

#[cfg(not(feature = "webgpu"))]
#[expect(clippy::unused_async, reason = "awaited like the one that opens a GPU")]
async fn gpu() -> Result<Device, DeviceError> {
    Err(DeviceError)
}
