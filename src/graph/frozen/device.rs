//! Choosing what to run networks on.

use std::str::FromStr;

#[cfg(feature = "webgpu")]
use super::{GpuDevice, GpuError};

/// What the user asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// A real GPU that computes right; otherwise the CPU, which beats a GPU that software imitates.
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

/// No GPU can be had, or none that computes right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no GPU can be used here: {0}; choose the cpu device")]
pub struct DeviceError(DeviceFault);

/// What is wrong with the GPU, as a clause for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceFault {
    #[cfg(feature = "webgpu")]
    #[error(transparent)]
    Gpu(#[from] GpuError),
    /// It gives something else than the CPU does, for images that both were given when the model was opened.
    #[error("the GPU computes wrong features")]
    Wrong,
    #[error("the GPU is only imitated by software, which is slower")]
    Software,
    #[error("this build has no code for GPUs")]
    NotBuilt,
}

impl From<DeviceFault> for DeviceError {
    fn from(fault: DeviceFault) -> Self {
        Self(fault)
    }
}

impl DeviceError {
    pub fn fault(&self) -> &DeviceFault {
        &self.0
    }
}

impl DeviceFault {
    /// Whether a GPU is there and has failed, where otherwise there is none to speak of.
    pub fn is_failure(&self) -> bool {
        match self {
            #[cfg(feature = "webgpu")]
            Self::Gpu(error) => *error != GpuError::NoAdapter,
            Self::Wrong => true,
            Self::Software | Self::NotBuilt => false,
        }
    }
}

/// A device that is ready, and what it is.
#[derive(Clone, Debug)]
pub struct Device {
    kind: Kind,
    /// The adapter's name, or "CPU".
    pub name: String,
    /// Why it is the CPU though a GPU was to be taken if there is one.
    pub fallback: Option<DeviceFault>,
}

#[derive(Clone, Debug)]
enum Kind {
    Cpu,
    #[cfg(feature = "webgpu")]
    Gpu(GpuDevice),
}

impl Device {
    pub fn cpu() -> Self {
        Self { kind: Kind::Cpu, name: "CPU".to_owned(), fallback: None }
    }

    /// The CPU in place of a GPU.
    pub(super) fn instead(fault: DeviceFault) -> Self {
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
                Ok(device) if !device.is_software() => Ok(device),
                Ok(_) => Ok(Self::instead(DeviceFault::Software)),
                Err(fault) => Ok(Self::instead(fault)),
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

    /// The same, where networks compute in f32 alone.
    #[must_use]
    pub fn in_single(self) -> Self {
        #[cfg(feature = "webgpu")]
        if let Kind::Gpu(device) = &self.kind {
            return Self { kind: Kind::Gpu(device.in_single()), ..self };
        }
        self
    }

    #[cfg(feature = "webgpu")]
    pub(crate) fn of(device: GpuDevice) -> Self {
        Self { name: device.name().to_owned(), kind: Kind::Gpu(device), fallback: None }
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
async fn gpu() -> Result<Device, DeviceFault> {
    Ok(Device::of(GpuDevice::open().await?))
}

#[cfg(not(feature = "webgpu"))]
#[expect(clippy::unused_async, reason = "awaited like the one that opens a GPU")]
async fn gpu() -> Result<Device, DeviceFault> {
    Err(DeviceFault::NotBuilt)
}
