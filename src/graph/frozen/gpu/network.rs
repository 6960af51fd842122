//! A network on a GPU, trusted as far as it gives what the CPU gives: in f16 where that is close enough, in f32 otherwise,
//! and in batches as large as the GPU takes.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Counters, GpuDevice, GpuError, GpuRunner};
use crate::graph::frozen::network::{NetworkError, Source};
use crate::graph::frozen::{CpuRunner, DeviceFault, Frozen};

/// A kernel that does not run leaves old data behind and no error; then outputs are off by far more than rounding.
const TOLERANCE: f32 = 1e-2;

/// The images that a browser's worker extracts at once: proved at opening, where other numbers are when they first come.
const LIKELY_BATCH: usize = 8;

/// A model on a GPU.
#[derive(Debug)]
pub struct GpuNetwork {
    gpu: GpuDevice,
    source: Source,
    probe: Probe,
    state: Mutex<State>,
}

/// What was found out about the GPU so far.
#[derive(Debug)]
struct State {
    /// While f16 has been close enough.
    half: Option<Arc<GpuRunner>>,
    /// In f32: made when f16 does not serve.
    single: Option<Arc<GpuRunner>>,
    /// What was held against the CPU: whether in f16, and the batch.
    proved: BTreeSet<(bool, usize)>,
    /// Larger batches failed.
    largest: usize,
}

// Not `expect`: beside burn, wgpu's types are Send and Sync on wasm as well.
#[cfg_attr(
    target_arch = "wasm32",
    allow(clippy::arc_with_non_send_sync, reason = "natively threads share them, and wasm has one")
)]
impl GpuNetwork {
    /// Puts a model on a GPU, which has to give the CPU's outputs for images that both are given.
    ///
    /// # Errors
    /// When the GPU fails, or gives other outputs.
    pub async fn open(gpu: &GpuDevice, source: Source) -> Result<Self, NetworkError> {
        // One after the other: both packed and what they are packed from would be four times the weights.
        let probe = Probe::new(source.freeze()?);
        let runner = Some(Arc::new(GpuRunner::new(gpu, source.freeze()?).await?));
        let (half, single) = if gpu.is_half() { (runner, None) } else { (None, runner) };
        let network = Self {
            gpu: gpu.clone(),
            source,
            probe,
            state: Mutex::new(State { half, single, proved: BTreeSet::new(), largest: usize::MAX }),
        };
        // These runs are the warm-up as well.
        network.proved(1).await?;
        let mut batch = LIKELY_BATCH;
        while let Err(error) = network.proved(batch).await {
            if !too_much(&error) || batch == 1 {
                return Err(error);
            }
            batch /= 2;
            network.state().largest = batch;
        }
        Ok(network)
    }

    /// The network's outputs for images, its input `[n, 3, height, width]`, as the GPU's memory allows.
    ///
    /// # Errors
    /// When these are no whole images, or the GPU fails even with one image at a time.
    pub async fn run(&self, images: &[f32]) -> Result<Vec<Vec<f32>>, NetworkError> {
        let (found, size) = (images.len(), self.probe.size);
        if !found.is_multiple_of(size) {
            return Err(GpuError::Images { found, batch: found / size, size }.into());
        }
        let mut outputs = vec![Vec::new(); self.probe.outputs()];
        let mut rest = images;
        while !rest.is_empty() {
            let batch = (rest.len() / size).min(self.state().largest);
            let (now, after) = rest.split_at(batch * size);
            match self.run_batch(now, batch).await {
                Ok(found) => {
                    outputs.iter_mut().zip(found).for_each(|(output, found)| output.extend(found));
                    rest = after;
                }
                Err(error) if batch > 1 && (too_much(&error) || is_wrong(&error)) => {
                    let mut state = self.state();
                    state.largest = state.largest.min(batch.div_ceil(2));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(outputs)
    }

    /// Whether activations are f16.
    pub fn is_half(&self) -> bool {
        self.state().half.is_some()
    }

    /// What the GPU has done for it so far, and holds for it.
    pub fn counters(&self) -> Counters {
        let state = self.state();
        state.half.iter().chain(&state.single).map(|runner| runner.counters()).sum()
    }

    async fn run_batch(&self, images: &[f32], batch: usize) -> Result<Vec<Vec<f32>>, NetworkError> {
        let runner = self.proved(batch).await?;
        let mut outputs = runner.run(images, batch).await?;
        if !runner.is_half() {
            return Ok(outputs);
        }
        // A photo may leave the range of f16 where others do not.
        let left: Vec<usize> = (0..batch)
            .filter(|&image| outputs.iter().any(|output| row(output, batch, image).iter().any(|v| !v.is_finite())))
            .collect();
        if !left.is_empty() {
            let again: Vec<f32> = left.iter().flat_map(|&image| row(images, batch, image)).copied().collect();
            let found = self.single_proved(left.len()).await?.run(&again, left.len()).await?;
            for (output, found) in outputs.iter_mut().zip(&found) {
                let length = output.len() / batch;
                for (place, &image) in left.iter().enumerate() {
                    output[image * length..][..length].copy_from_slice(row(found, left.len(), place));
                }
            }
        }
        Ok(outputs)
    }

    /// What runs batches of so many images right.
    async fn proved(&self, batch: usize) -> Result<Arc<GpuRunner>, NetworkError> {
        let half = self.state().half.clone();
        if let Some(half) = half {
            if self.holds(&half, batch).await? {
                return Ok(half);
            }
            // A network whose values are too large for f16, or too close together.
            self.state().half = None;
        }
        self.single_proved(batch).await
    }

    /// The same in f32.
    async fn single_proved(&self, batch: usize) -> Result<Arc<GpuRunner>, NetworkError> {
        let made = self.state().single.clone();
        let single = match made {
            Some(single) => single,
            None => {
                let frozen = self.source.freeze()?;
                let made = Arc::new(GpuRunner::new(&self.gpu.in_single(), frozen).await?);
                self.state().single.insert(made).clone()
            }
        };
        // Software that imitates a GPU is slow, and does the same for every batch.
        let batch = if self.gpu.is_software() { 1 } else { batch };
        if self.holds(&single, batch).await? {
            Ok(single)
        } else {
            Err(NetworkError::Device(DeviceFault::Wrong.into()))
        }
    }

    /// Whether a runner gives the CPU's outputs for a batch of so many images.
    async fn holds(&self, runner: &GpuRunner, batch: usize) -> Result<bool, GpuError> {
        let case = (runner.is_half(), batch);
        if self.state().proved.contains(&case) {
            return Ok(true);
        }
        let holds = self.probe.holds(runner, batch).await?;
        if holds {
            self.state().proved.insert(case);
        }
        Ok(holds)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether fewer images may do.
fn too_much(error: &NetworkError) -> bool {
    matches!(error, NetworkError::Gpu(GpuError::OutOfMemory | GpuError::TooLarge { .. }))
}

fn is_wrong(error: &NetworkError) -> bool {
    matches!(error, NetworkError::Device(error) if *error.fault() == DeviceFault::Wrong)
}

/// An image's part of a batch's values.
fn row(values: &[f32], batch: usize, image: usize) -> &[f32] {
    let length = values.len() / batch;
    &values[image * length..][..length]
}

/// Two made-up images, and the outputs that the CPU has for them.
#[derive(Debug)]
struct Probe {
    expected: [Vec<Vec<f32>>; 2],
    /// Values of an image.
    size: usize,
}

impl Probe {
    fn new(frozen: Frozen) -> Self {
        let size = frozen.input().area() * frozen.input().channels;
        let cpu = CpuRunner::new(frozen);
        Self { expected: [0, 1].map(|image| cpu.run(&Self::image(size, image))), size }
    }

    fn image(size: usize, image: usize) -> Vec<f32> {
        let step = [0.37, 0.23][image % 2];
        (0..size).map(|i| (i as f32 * step).sin() * 2.0).collect()
    }

    fn outputs(&self) -> usize {
        self.expected[0].len()
    }

    /// Whether a runner gives them, for the two in turns.
    async fn holds(&self, runner: &GpuRunner, batch: usize) -> Result<bool, GpuError> {
        let images: Vec<f32> = (0..batch).flat_map(|image| Self::image(self.size, image)).collect();
        let found = runner.run(&images, batch).await?;
        let close = |image: usize| {
            let expected = &self.expected[image % 2];
            expected.iter().zip(&found).all(|(expected, found)| are_close(expected, row(found, batch, image)))
        };
        Ok((0..batch).all(close))
    }
}

/// Whether values are the expected ones, up to rounding. What is no number on the CPU is the model's fault, and proves
/// nothing.
fn are_close(expected: &[f32], found: &[f32]) -> bool {
    let numbers = || expected.iter().zip(found).filter(|(expected, _)| expected.is_finite());
    let largest = numbers().fold(f32::MIN_POSITIVE, |largest, (expected, _)| largest.max(expected.abs()));
    numbers().all(|(expected, found)| (expected - found).abs() <= TOLERANCE * largest)
}
