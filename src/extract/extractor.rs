//! Features of images: a network's frozen form on a device, with the preprocessing that its checkpoint asks for.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Device, DeviceChoice, DeviceError};
#[cfg(feature = "webgpu")]
use crate::graph::frozen::{Counters, GpuError, GpuRunner};
use crate::graph::frozen::{CpuRunner, FreezeError, Frozen};
use crate::image::{Rgba, fit};
use crate::kernels::cpu::parallel;
use crate::kernels::preprocess::{self, Filter, ImageSizeError, Order, Plan};
use crate::model::{ChannelOrder, ConfigError, InputConfig, ReIdentifierConfig};
use crate::weights::{self, Recognised};

/// Why features could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ExtractError {
    #[error(transparent)]
    Device(#[from] DeviceError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Freeze(#[from] FreezeError),
    /// The device did not answer: it was lost, or its memory is full.
    #[cfg(feature = "webgpu")]
    #[error("the GPU gave no result ({0}); start again, or choose the cpu device")]
    Gpu(#[from] GpuError),
    #[error(transparent)]
    Image(#[from] ImageSizeError),
    /// The GPU or its driver computes something else than the CPU does.
    #[error("this GPU computes wrong features (off by {0:.1} % of the largest); choose the cpu device")]
    WrongDevice(f32),
    /// The place of the image in the batch, from 0.
    #[error("the model gives values that are not numbers (image {} of the batch); its weights may be damaged", .0 + 1)]
    NotANumber(usize),
}

/// A model that is ready to extract.
#[derive(Debug)]
pub struct Extractor {
    config: ReIdentifierConfig,
    tensors: Arc<BTreeMap<String, weights::Tensor>>,
    /// Frozen for the input's size, with the feature and the embedding as outputs.
    runner: Runner,
    device: Device,
}

#[derive(Debug)]
enum Runner {
    Cpu(CpuRunner),
    #[cfg(feature = "webgpu")]
    Gpu(Box<GpuRunner>),
}

/// A kernel that does not run leaves old data behind and no error; then features are off by far more than rounding.
#[cfg(feature = "webgpu")]
const PROBE_TOLERANCE: f32 = 1e-2;

impl Extractor {
    /// Puts a recognised checkpoint on a device. A GPU first has to give the CPU's features for a known input.
    ///
    /// # Errors
    /// When there is no such device, the tensors do not make up the model, or the GPU computes wrong features
    /// (with [`DeviceChoice::Auto`] the CPU takes over then).
    pub async fn open(recognised: &Recognised, choice: DeviceChoice) -> Result<Self, ExtractError> {
        let tensors = Arc::new(recognised.tensors.clone());
        let device = Device::open(choice).await?;
        match Self::new(recognised.config.clone(), tensors.clone(), device).await {
            Err(ExtractError::WrongDevice(_)) if choice == DeviceChoice::Auto => {
                Self::new(recognised.config.clone(), tensors, Device::cpu()).await
            }
            result => result,
        }
    }

    async fn new(
        config: ReIdentifierConfig,
        tensors: Arc<BTreeMap<String, weights::Tensor>>,
        device: Device,
    ) -> Result<Self, ExtractError> {
        let graph = config.graph()?;
        let outputs = [graph.feature, graph.embedding];
        let frozen = Frozen::new(&graph, &outputs, &tensors, config.input.height, config.input.width)?;
        let cpu = CpuRunner::new(&frozen);
        #[cfg(feature = "webgpu")]
        if let Some(gpu) = device.gpu() {
            let mut runner = GpuRunner::new(gpu, &frozen).await?;
            let mut proof = prove(&runner, &cpu, &config.input).await;
            if gpu.is_half() && matches!(proof, Err(ExtractError::WrongDevice(_))) {
                // A network whose values are too large for f16, or too close together.
                runner = GpuRunner::new(&gpu.in_single(), &frozen).await?;
                proof = prove(&runner, &cpu, &config.input).await;
            }
            proof?;
            return Ok(Self { config, tensors, runner: Runner::Gpu(Box::new(runner)), device });
        }
        Ok(Self { config, tensors, runner: Runner::Cpu(cpu), device })
    }

    pub fn config(&self) -> &ReIdentifierConfig {
        &self.config
    }

    /// The device at work.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Whether activations are f16: on GPUs that have it, unless the model is too far off in it.
    pub fn is_half(&self) -> bool {
        match &self.runner {
            Runner::Cpu(_) => false,
            #[cfg(feature = "webgpu")]
            Runner::Gpu(runner) => runner.is_half(),
        }
    }

    /// What the GPU has done for this model so far and holds for it; `None` on the CPU.
    #[cfg(feature = "webgpu")]
    pub fn counters(&self) -> Option<Counters> {
        match &self.runner {
            Runner::Cpu(_) => None,
            Runner::Gpu(runner) => Some(runner.counters()),
        }
    }

    /// Every tensor by its name.
    pub fn tensors(&self) -> &BTreeMap<String, weights::Tensor> {
        &self.tensors
    }

    /// The embeddings of a batch of images, `features_dim` values each, not L2-normalised.
    ///
    /// # Errors
    /// When the device is lost or out of memory, or a value is not a number.
    pub async fn extract(&self, images: &[Rgba]) -> Result<Vec<Vec<f32>>, ExtractError> {
        if images.is_empty() {
            return Ok(Vec::new());
        }
        let (_, values) = self.features(images).await?;
        let features: Vec<Vec<f32>> = values.chunks(self.config.features_dim()).map(<[f32]>::to_vec).collect();
        match features.iter().position(|feature| feature.iter().any(|value| !value.is_finite())) {
            Some(index) => Err(ExtractError::NotANumber(index)),
            None => Ok(features),
        }
    }

    /// The embeddings of images that are already the network's input, `[n, 3, height, width]` in row-major order.
    ///
    /// # Errors
    /// When the device is lost or out of memory.
    ///
    /// # Panics
    /// When the images have another size than the network's input.
    pub async fn embed(&self, input: &[f32]) -> Result<Vec<f32>, ExtractError> {
        let [_, embedding] = self.run(input).await?;
        Ok(embedding)
    }

    /// Feature and embedding (see [`Graph`](crate::graph::Graph)) of a batch of images, row by row.
    ///
    /// # Errors
    /// When the device is lost or out of memory.
    pub async fn features(&self, images: &[Rgba]) -> Result<(Vec<f32>, Vec<f32>), ExtractError> {
        let [feature, embedding] = self.run(&self.inputs(images)?).await?;
        Ok((feature, embedding))
    }

    /// The image at the network's size, resized as extraction does it: either gives the same feature. Of large photos
    /// that are to be kept, this is what to keep.
    ///
    /// # Errors
    /// When the image has no pixels.
    pub fn fitted(&self, image: &Rgba) -> Result<Rgba, ImageSizeError> {
        let InputConfig { height, width, .. } = self.config.input;
        let planes = fit(image, height, width, Filter::Bilinear)?;
        let area = height * width;
        let pixels = (0..area).flat_map(|i| [planes[i], planes[area + i], planes[2 * area + i], u8::MAX]).collect();
        Ok(Rgba { width: width as u32, height: height as u32, pixels })
    }

    /// Another model on the same device.
    ///
    /// # Errors
    /// When the tensors do not make up the model.
    pub async fn with(
        &self,
        config: ReIdentifierConfig,
        tensors: BTreeMap<String, weights::Tensor>,
    ) -> Result<Self, ExtractError> {
        Self::new(config, Arc::new(tensors), self.device.clone()).await
    }

    async fn run(&self, input: &[f32]) -> Result<[Vec<f32>; 2], ExtractError> {
        let outputs = match &self.runner {
            Runner::Cpu(runner) => runner.run(input),
            #[cfg(feature = "webgpu")]
            Runner::Gpu(runner) => {
                let InputConfig { height, width, .. } = self.config.input;
                runner.run(input, input.len() / (3 * height * width)).await?
            }
        };
        Ok(outputs.try_into().unwrap_or_else(|_| unreachable!("frozen with two outputs")))
    }

    /// The network's input `[n, 3, height, width]`, made on all threads.
    fn inputs(&self, images: &[Rgba]) -> Result<Vec<f32>, ExtractError> {
        let plan = plan(&self.config.input);
        let pixels = |image: &'_ Rgba| preprocess::Rgba::new(image.width, image.height, &image.pixels).map(drop);
        images.iter().try_for_each(pixels)?;
        let size = 3 * plan.height * plan.width;
        let mut values = vec![0.0; images.len() * size];
        parallel::for_each_chunk(&mut values, size, |place, out| {
            let image = &images[place];
            if let Ok(image) = preprocess::Rgba::new(image.width, image.height, &image.pixels) {
                let (columns, rows) = plan.axes(image);
                out.copy_from_slice(&preprocess::twin(&plan, image, &columns, &rows));
            }
        });
        Ok(values)
    }
}

/// Compares the GPU's first image with the CPU's; it is the warm-up as well.
#[cfg(feature = "webgpu")]
async fn prove(gpu: &GpuRunner, cpu: &CpuRunner, input: &InputConfig) -> Result<(), ExtractError> {
    let count = 3 * input.height * input.width;
    let values: Vec<f32> = (0..count).map(|i| (i as f32 * 0.37).sin() * 2.0).collect();
    let expected = cpu.run(&values);
    let found = gpu.run(&values, 1).await?;
    for (expected, found) in expected.iter().zip(&found) {
        let largest = expected.iter().fold(f32::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
        let off = expected.iter().zip(found).map(|(a, b)| (a - b).abs() / largest);
        // NaN must count as wrong, which `f32::max` would swallow.
        let worst = off.fold(0.0, |worst: f32, off| if off > worst || off.is_nan() { off } else { worst });
        if worst.is_nan() || worst > PROBE_TOLERANCE {
            return Err(ExtractError::WrongDevice(worst * 100.0));
        }
    }
    Ok(())
}

/// Scales a feature to length 1; a zero feature stays as it is.
pub fn normalise(feature: &mut [f32]) {
    let length = feature.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length > 0.0 {
        feature.iter_mut().for_each(|value| *value /= length);
    }
}

/// `(value / 255 − mean) / std` as one multiplication and one addition.
fn plan(input: &InputConfig) -> Plan {
    Plan {
        width: input.width,
        height: input.height,
        filter: Filter::Bilinear,
        order: match input.order {
            ChannelOrder::Rgb => Order::Rgb,
            ChannelOrder::Bgr => Order::Bgr,
        },
        scale: input.std.map(|std| 1.0 / (255.0 * std)),
        bias: std::array::from_fn(|channel| -input.mean[channel] / input.std[channel]),
    }
}

#[cfg(all(test, feature = "webgpu", not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use crate::graph::frozen::GpuDevice;
    use crate::model::preset;
    use crate::weights::{Precision, initial_tensors};

    /// The preset with its first layer's weights times `factor`, on a GPU in f16.
    fn in_half(factor: f32) -> Extractor {
        let mut config = preset("osnet_x0_25", 0).expect("a preset");
        (config.input.height, config.input.width) = (64, 32);
        let mut tensors = initial_tensors(&config, 1).expect("a network");
        let first = tensors.get_mut("backbone.conv1.conv.weight").expect("OSNet's stem");
        first.values.iter_mut().for_each(|value| *value *= factor);
        pollster::block_on(async {
            let gpu =
                GpuDevice::open_in(Some(Precision::F16)).await.expect("a Vulkan driver with f16; lavapipe will do");
            Extractor::new(config, Arc::new(tensors), Device::of(gpu)).await.expect("a model")
        })
    }

    #[test]
    fn a_model_that_leaves_the_range_of_f16_is_computed_in_f32() {
        let [small, large] = [1.0, 1e6].map(in_half);
        assert!(small.is_half() && !large.is_half());
        let images = vec![0.5; 3 * 64 * 32];
        let cpu = CpuRunner::new(&{
            let graph = large.config.graph().expect("a network");
            Frozen::new(&graph, &[graph.embedding], &large.tensors, 64, 32).expect("frozen")
        });
        let (found, expected) =
            (pollster::block_on(large.embed(&images)).expect("features"), cpu.run(&images).remove(0));
        let largest = expected.iter().fold(0.0, |largest: f32, value| largest.max(value.abs()));
        assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() <= 1e-4 * largest));
    }
}
