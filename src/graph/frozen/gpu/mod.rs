//! Running the frozen form on WebGPU: plain wgpu, one command buffer and one readback a batch. Pipelines are made when a
//! network is loaded, bind groups and buffers when a batch has a new size.
//!
//! ```no_run
//! # async fn run(frozen: webreid::graph::frozen::Frozen) -> Result<(), webreid::graph::frozen::GpuError> {
//! use webreid::graph::frozen::{GpuDevice, GpuRunner};
//!
//! let runner = GpuRunner::new(&GpuDevice::open().await?, &frozen).await?;
//! let outputs = runner.run(&vec![0.0; 2 * 3 * 256 * 128], 2).await?; // two images, [2, 3, height, width]
//! # Ok(()) }
//! ```

mod answer;
mod batch;
mod choices;
mod device;
mod network;
mod plan;
mod readback;
mod timing;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use half::f16;
use wgpu::util::DeviceExt;

use self::batch::{Arena, Batch};
#[doc(hidden)]
pub use self::choices::{Choices, Lite};
pub use self::device::{GpuDevice, GpuError};
pub(super) use self::network::GpuNetwork;
use self::plan::{Plan, Target, Weights};
#[doc(hidden)]
pub use self::timing::Timed;
use super::{Frozen, Map};
use crate::kernels::frozen::{Stored, VEC};
use crate::kernels::variant::Variant;

/// The batches whose pipelines are made when a network is loaded; those of any other have the same, nearly always.
const LIKELY_BATCHES: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];

/// A frozen network on a GPU. Its runs may overlap: they come after each other in the GPU's queue.
pub struct GpuRunner {
    gpu: GpuDevice,
    plan: Plan,
    input: Map,
    outputs: Vec<Map>,
    weights: Vec<wgpu::Buffer>,
    /// Multiplications for one image.
    products: u64,
    state: Mutex<State>,
}

/// What is made as it is needed, and kept.
#[derive(Default)]
struct State {
    /// What its pipelines are made of.
    variants: BTreeSet<Variant>,
    arena: Arc<Arena>,
    batches: BTreeMap<usize, Arc<Batch>>,
    /// Buffers for readback that no run has at the moment, by the batch.
    readbacks: Vec<(usize, wgpu::Buffer)>,
    dispatches: u64,
    submits: u64,
}

/// What a runner has done so far, and what it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counters {
    pub dispatches: u64,
    /// Command buffers handed to the queue: one a batch.
    pub submits: u64,
    /// As many as were compiled.
    pub pipelines: usize,
    /// Bytes of GPU memory: weights, activations, parameters and readback.
    pub bytes: u64,
}

impl std::iter::Sum for Counters {
    fn sum<I: Iterator<Item = Self>>(counters: I) -> Self {
        counters.fold(Self::default(), |a, b| Self {
            dispatches: a.dispatches + b.dispatches,
            submits: a.submits + b.submits,
            pipelines: a.pipelines + b.pipelines,
            bytes: a.bytes + b.bytes,
        })
    }
}

impl std::fmt::Debug for GpuRunner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GpuRunner").field("gpu", &self.gpu).field("input", &self.input).finish_non_exhaustive()
    }
}

impl GpuRunner {
    /// Puts the weights on the GPU and makes the pipelines. A network that is given away is let go on the way.
    ///
    /// # Errors
    /// When the device is lost or has too little memory.
    pub async fn new<'a>(gpu: &GpuDevice, frozen: impl Into<Cow<'a, Frozen>>) -> Result<Self, GpuError> {
        Self::choosing(gpu, frozen, Choices::default()).await
    }

    /// The same with some choices of the plan given.
    #[doc(hidden)]
    pub async fn choosing<'a>(
        gpu: &GpuDevice,
        frozen: impl Into<Cow<'a, Frozen>>,
        choices: Choices,
    ) -> Result<Self, GpuError> {
        let frozen = frozen.into();
        let (input, products) = (frozen.input(), frozen.products());
        let outputs = frozen.outputs.iter().map(|&id| frozen.values[id]).collect();
        let mut plan = Plan::new(frozen, Target { half: gpu.is_half(), software: gpu.is_software(), choices });
        for weights in &plan.weights {
            gpu.check_size(weights.size(gpu))?;
        }
        let weights = gpu.scoped(|| plan.weights.drain(..).map(|weights| weights.upload(gpu)).collect()).await?;
        let variants: BTreeSet<Variant> = LIKELY_BATCHES.into_iter().flat_map(|batch| plan.variants(batch)).collect();
        gpu.pipelines(variants.iter().cloned()).await?;
        let state = Mutex::new(State { variants, ..State::default() });
        Ok(Self { gpu: gpu.clone(), plan, input, outputs, weights, products, state })
    }

    /// The outputs for a batch of images `[batch, 3, height, width]`: for each `[batch, height · width · channels]`, a
    /// vector's channels.
    ///
    /// # Errors
    /// When the images have another size than the network was frozen for, or the device is lost, has too little memory or
    /// refuses the work.
    pub async fn run(&self, images: &[f32], batch: usize) -> Result<Vec<Vec<f32>>, GpuError> {
        let size = self.input.area() * self.input.channels;
        if images.len() != batch * size {
            return Err(GpuError::Images { found: images.len(), batch, size });
        }
        if batch == 0 {
            return Ok(vec![Vec::new(); self.outputs.len()]);
        }
        let plans = self.batch(batch).await?;
        let readback = match self.spare_readback(batch) {
            Some(readback) => readback,
            None => self.gpu.scoped(|| plans.readback(&self.gpu)).await?,
        };
        self.gpu.scoped(|| self.submit(&plans, images, &readback)).await?;
        let stored = readback::read(&self.gpu, &readback, self.patience(batch)).await?;
        self.state().readbacks.push((batch, readback));
        let mut rest = &stored[..];
        let output = |&map: &Map| {
            let pitch = Stored::new(map, VEC).pitch;
            let (values, after) = rest.split_at(batch * map.area() * pitch);
            rest = after;
            // Without the padding of the channels.
            values.chunks_exact(pitch).flat_map(|pixel| &pixel[..map.channels]).copied().collect()
        };
        Ok(self.outputs.iter().map(output).collect())
    }

    /// How long a batch may take: no GPU is as slow as this, nor a processor that imitates one.
    fn patience(&self, batch: usize) -> Duration {
        let products_per_second = if self.gpu.is_software() { 20_000_000 } else { 1_000_000_000 };
        Duration::from_secs(30 + self.products.saturating_mul(batch as u64) / products_per_second)
    }

    /// Whether activations are f16.
    pub fn is_half(&self) -> bool {
        self.gpu.is_half()
    }

    /// What it has done so far, and what it holds.
    pub fn counters(&self) -> Counters {
        let state = self.state();
        let buffers = self.weights.iter().chain(state.readbacks.iter().map(|(_, buffer)| buffer));
        let held: u64 = buffers.map(wgpu::Buffer::size).sum();
        let batches: u64 = state.batches.values().map(|batch| batch.bytes()).sum();
        Counters {
            dispatches: state.dispatches,
            submits: state.submits,
            pipelines: state.variants.len(),
            bytes: held + batches + state.arena.bytes(),
        }
    }

    /// The names of the kernels that it launches.
    #[doc(hidden)]
    pub fn kernels(&self) -> BTreeSet<&'static str> {
        self.state().variants.iter().map(|variant| variant.kernel.name).collect()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spare_readback(&self, batch: usize) -> Option<wgpu::Buffer> {
        let mut state = self.state();
        let place = state.readbacks.iter().position(|(size, _)| *size == batch)?;
        Some(state.readbacks.swap_remove(place).1)
    }

    /// Bind groups and buffers for a batch.
    // Not `expect`: beside burn, wgpu's types are Send and Sync on wasm as well.
    #[cfg_attr(
        target_arch = "wasm32",
        allow(clippy::arc_with_non_send_sync, reason = "natively threads share them, and wasm has one")
    )]
    async fn batch(&self, batch: usize) -> Result<Arc<Batch>, GpuError> {
        if let Some(made) = self.state().batches.get(&batch) {
            return Ok(made.clone());
        }
        let pipelines = self.gpu.pipelines(self.plan.variants(batch)).await?;
        let mut arena = self.state().arena.clone();
        let larger = arena.batch < batch;
        if larger {
            for &size in &self.plan.buffers.sizes {
                self.gpu.check_size(self.gpu.bytes(size * batch))?;
            }
            arena = Arc::new(self.gpu.scoped(|| Arena::new(&self.gpu, &self.plan, self.input, batch)).await?);
        }
        let make = || Batch::new(&self.gpu, &self.plan, &self.weights, &pipelines, arena.clone(), batch);
        let made = Arc::new(self.gpu.scoped(make).await?);
        let mut state = self.state();
        if larger {
            // What was made for the smaller buffers would keep them.
            state.batches.clear();
            state.arena = arena;
        }
        state.variants.extend(pipelines.into_keys());
        state.batches.insert(batch, made.clone());
        Ok(made)
    }

    /// Writes the images and submits the work. Both under the lock: another run's images must not come between.
    fn submit(&self, batch: &Batch, images: &[f32], readback: &wgpu::Buffer) {
        let mut state = self.state();
        batch.submit(&self.gpu, images, readback);
        state.submits += 1;
        state.dispatches += batch.dispatches() as u64;
    }
}

/// Bytes of so many words: f32 or u32.
fn word_bytes(words: usize) -> u64 {
    (words * size_of::<f32>()) as u64
}

impl Weights {
    /// Bytes on a GPU.
    fn size(&self, gpu: &GpuDevice) -> u64 {
        if self.as_activations { gpu.bytes(self.values.len()) } else { word_bytes(self.values.len()) }
    }

    fn bytes(&self, gpu: &GpuDevice) -> Cow<'_, [u8]> {
        if self.as_activations && gpu.is_half() {
            self.values.iter().flat_map(|&value| f16::from_f32(value).to_ne_bytes()).collect()
        } else {
            bytemuck::cast_slice(&self.values).into()
        }
    }

    fn upload(&self, gpu: &GpuDevice) -> wgpu::Buffer {
        gpu.device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
            label: Some("weights"),
            contents: &self.bytes(gpu),
            usage: wgpu::BufferUsages::STORAGE,
        })
    }
}
