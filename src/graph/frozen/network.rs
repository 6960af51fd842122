//! A network on a device, whichever it is.

use std::collections::BTreeMap;
use std::sync::Arc;

#[cfg(feature = "webgpu")]
use super::gpu::{Counters, GpuError, GpuNetwork};
use super::{CpuRunner, Device, DeviceError, FreezeError, Frozen};
use crate::graph::{Graph, NodeId};
use crate::tensor::Tensor;

/// Why a network cannot be had on a device, or gives nothing.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    #[error(transparent)]
    Device(#[from] DeviceError),
    #[error(transparent)]
    Freeze(#[from] FreezeError),
    /// The device did not answer: it was lost, or its memory is full.
    #[cfg(feature = "webgpu")]
    #[error("{0}; start again, or choose the cpu device")]
    Gpu(#[from] GpuError),
}

impl NetworkError {
    /// Whatever a GPU fails with while it is opened, it cannot be had.
    #[must_use]
    pub fn of_opening(self) -> Self {
        match self {
            #[cfg(feature = "webgpu")]
            Self::Gpu(error) => Self::Device(super::DeviceFault::from(error).into()),
            error => error,
        }
    }
}

/// What a network is frozen from, as often as a device needs it.
#[derive(Clone, Debug)]
pub struct Source {
    pub graph: Graph,
    /// The nodes whose values a run gives.
    pub outputs: Vec<NodeId>,
    pub tensors: Arc<BTreeMap<String, Tensor>>,
    /// The images that it takes, in pixels.
    pub height: usize,
    pub width: usize,
}

impl Source {
    /// # Errors
    /// As [`Frozen::new`].
    pub fn freeze(&self) -> Result<Frozen, FreezeError> {
        Frozen::new(&self.graph, &self.outputs, &self.tensors, self.height, self.width)
    }
}

/// A network that is ready to run.
#[derive(Debug)]
pub struct Network {
    runner: Runner,
    device: Device,
}

#[derive(Debug)]
enum Runner {
    Cpu(CpuRunner),
    #[cfg(feature = "webgpu")]
    Gpu(Box<GpuNetwork>),
}

impl Network {
    /// Puts a network on a device, beside those that are on it already. A GPU first has to give the CPU's outputs for known
    /// inputs. Where any device will do ([`DeviceChoice::Auto`](super::DeviceChoice)), the CPU takes over from one that fails
    /// in whatever way, and [`Device::fallback`] says why.
    ///
    /// # Errors
    /// When the device fails or computes wrong, or the tensors do not make up the network.
    pub async fn open(source: Source, device: Device) -> Result<Self, NetworkError> {
        if !device.is_gpu() || !device.may_be_cpu() {
            return Self::on(source, device).await;
        }
        match Self::on(source.clone(), device.clone()).await.map_err(NetworkError::of_opening) {
            Err(NetworkError::Device(error)) => Self::on(source, device.without_gpu(error.fault().clone())?).await,
            opened => opened,
        }
    }

    async fn on(source: Source, device: Device) -> Result<Self, NetworkError> {
        #[cfg(feature = "webgpu")]
        if let Some(gpu) = device.gpu() {
            let runner = Runner::Gpu(Box::new(GpuNetwork::open(gpu, source).await?));
            return Ok(Self { runner, device });
        }
        let frozen = source.freeze()?;
        // What it was frozen from does not lie beside what it becomes.
        drop(source);
        Ok(Self { runner: Runner::Cpu(CpuRunner::new(frozen)), device })
    }

    /// The device at work.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Whether activations are f16: on GPUs that have it, unless the network is too far off in it.
    pub fn is_half(&self) -> bool {
        match &self.runner {
            Runner::Cpu(_) => false,
            #[cfg(feature = "webgpu")]
            Runner::Gpu(network) => network.is_half(),
        }
    }

    /// What the GPU has done for this network so far and holds for it; `None` on the CPU.
    #[cfg(feature = "webgpu")]
    pub fn counters(&self) -> Option<Counters> {
        match &self.runner {
            Runner::Cpu(_) => None,
            Runner::Gpu(network) => Some(network.counters()),
        }
    }

    /// The outputs for images `[n, 3, height, width]`: for each `[n, height · width · channels]`, a vector's channels.
    ///
    /// # Errors
    /// When the device is lost or out of memory.
    ///
    /// # Panics
    /// On the CPU, when the images have another size than the network's input.
    #[cfg_attr(not(feature = "webgpu"), expect(clippy::unused_async, reason = "awaited like the one on a GPU"))]
    pub async fn run(&self, images: &[f32]) -> Result<Vec<Vec<f32>>, NetworkError> {
        match &self.runner {
            Runner::Cpu(runner) => Ok(runner.run(images)),
            #[cfg(feature = "webgpu")]
            Runner::Gpu(network) => network.run(images).await,
        }
    }
}
