//! Features of images: a network's frozen form on a device, with the preprocessing that its checkpoint asks for.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Device, DeviceChoice, DeviceError};
#[cfg(feature = "webgpu")]
use crate::graph::frozen::{Counters, GpuError};
use crate::graph::frozen::{FreezeError, Network, NetworkError, Source};
use crate::image::{Rgba, Rows, fit, interleave};
use crate::kernels::frozen::preprocess::{self, ImageSizeError};
use crate::kernels::parallel;
use crate::model::{ConfigError, InputConfig, ReIdentifierConfig};
use crate::weights::{self, Fingerprint, Recognised};

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
    #[error("{0}; start again, or choose the cpu device")]
    Gpu(#[from] GpuError),
    #[error(transparent)]
    Image(#[from] ImageSizeError),
    /// The place of the image in the batch, from 0.
    #[error("the model gives values that are not numbers (image {} of the batch); its weights may be damaged", .0 + 1)]
    NotANumber(usize),
}

impl From<NetworkError> for ExtractError {
    fn from(error: NetworkError) -> Self {
        match error {
            NetworkError::Device(error) => Self::Device(error),
            NetworkError::Freeze(error) => Self::Freeze(error),
            #[cfg(feature = "webgpu")]
            NetworkError::Gpu(error) => Self::Gpu(error),
        }
    }
}

/// A model that is ready to extract.
#[derive(Debug)]
pub struct Extractor {
    config: ReIdentifierConfig,
    tensors: Arc<BTreeMap<String, weights::Tensor>>,
    fingerprint: Fingerprint,
    /// Frozen for the input's size, with the feature and the embedding as outputs.
    network: Network,
}

impl Extractor {
    /// Puts a recognised checkpoint on the device of a choice, as [`Device::open`] and [`Extractor::take_on`].
    ///
    /// # Errors
    /// When there is no such device, or none that computes right ([`ExtractError::Device`]), or the tensors do not make up
    /// the model.
    pub async fn open(recognised: &Recognised, choice: DeviceChoice) -> Result<Self, ExtractError> {
        Self::opened(recognised.config.clone(), recognised.tensors.clone(), Device::open(choice).await?).await
    }

    /// The same, and takes the tensors out of what was recognised instead of copying them: of a large model there is one copy
    /// less in memory.
    ///
    /// # Errors
    /// As [`Extractor::open`]; the tensors are gone then as well.
    pub async fn take(recognised: &mut Recognised, choice: DeviceChoice) -> Result<Self, ExtractError> {
        Self::take_on(recognised, &Device::open(choice).await?).await
    }

    /// Takes a recognised checkpoint's tensors to a device, beside whatever else computes there. A GPU first has to give the
    /// CPU's features for known inputs. Where any device will do, the CPU takes over from one that fails in whatever way, and
    /// [`Device::fallback`] says why.
    ///
    /// # Errors
    /// As [`Extractor::take`].
    pub async fn take_on(recognised: &mut Recognised, device: &Device) -> Result<Self, ExtractError> {
        Self::opened(recognised.config.clone(), std::mem::take(&mut recognised.tensors), device.clone()).await
    }

    async fn opened(
        config: ReIdentifierConfig,
        tensors: BTreeMap<String, weights::Tensor>,
        device: Device,
    ) -> Result<Self, ExtractError> {
        let opened = Self::on(config, Arc::new(tensors), device).await;
        opened.map_err(|error| match error {
            #[cfg(feature = "webgpu")]
            ExtractError::Gpu(error) => NetworkError::Gpu(error).of_opening().into(),
            error => error,
        })
    }

    /// On the device, or where that fails and any will do, on the CPU.
    async fn on(
        config: ReIdentifierConfig,
        tensors: Arc<BTreeMap<String, weights::Tensor>>,
        device: Device,
    ) -> Result<Self, ExtractError> {
        let fingerprint = Fingerprint::of(&config, &tensors)?;
        let graph = config.graph()?;
        let InputConfig { height, width, .. } = config.input;
        let outputs = vec![graph.feature, graph.embedding];
        let source = Source { graph: graph.graph, outputs, tensors: tensors.clone(), height, width };
        let network = Network::open(source, device).await?;
        Ok(Self { config, tensors, fingerprint, network })
    }

    pub fn config(&self) -> &ReIdentifierConfig {
        &self.config
    }

    /// Which model the features are of: the same on every device.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The device at work.
    pub fn device(&self) -> &Device {
        self.network.device()
    }

    /// Whether activations are f16: on GPUs that have it, unless the model is too far off in it.
    pub fn is_half(&self) -> bool {
        self.network.is_half()
    }

    /// What the GPU has done for this model so far and holds for it; `None` on the CPU.
    #[cfg(feature = "webgpu")]
    pub fn counters(&self) -> Option<Counters> {
        self.network.counters()
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

    /// Feature and embedding (see [`ReIdentifierGraph`](crate::model::ReIdentifierGraph)) of a batch of images, row by row.
    ///
    /// # Errors
    /// When the device is lost or out of memory.
    pub async fn features(&self, images: &[Rgba]) -> Result<(Vec<f32>, Vec<f32>), ExtractError> {
        let [feature, embedding] = self.run(&self.inputs(images)?).await?;
        Ok((feature, embedding))
    }

    /// The image at the network's size, brought to it as extraction does it: either gives the same feature. Of large photos
    /// that are to be kept, this is what to keep.
    ///
    /// # Errors
    /// When the image has no pixels.
    pub fn fitted(&self, image: &impl Rows) -> Result<Rgba, ImageSizeError> {
        let frame = self.config.input.frame();
        Ok(interleave(&fit(image, &frame)?, frame.width, frame.height))
    }

    /// Another model on the same device; on the CPU where that fails and any will do.
    ///
    /// # Errors
    /// When the tensors do not make up the model, or the device fails.
    pub async fn with(
        &self,
        config: ReIdentifierConfig,
        tensors: BTreeMap<String, weights::Tensor>,
    ) -> Result<Self, ExtractError> {
        Self::on(config, Arc::new(tensors), self.device().clone()).await
    }

    async fn run(&self, input: &[f32]) -> Result<[Vec<f32>; 2], ExtractError> {
        let outputs = self.network.run(input).await?;
        Ok(outputs.try_into().unwrap_or_else(|_| unreachable!("frozen with two outputs")))
    }

    /// The network's input `[n, 3, height, width]`, made on all threads.
    fn inputs(&self, images: &[Rgba]) -> Result<Vec<f32>, ExtractError> {
        let plan = self.config.input.plan();
        let pixels = |image: &'_ Rgba| preprocess::Rgba::new(image.width, image.height, &image.pixels).map(drop);
        images.iter().try_for_each(pixels)?;
        let size = 3 * plan.frame.height * plan.frame.width;
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

/// Scales a feature to length 1; a zero feature stays as it is.
pub fn normalise(feature: &mut [f32]) {
    let length = feature.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length > 0.0 {
        feature.iter_mut().for_each(|value| *value /= length);
    }
}

#[cfg(all(test, feature = "webgpu", not(target_arch = "wasm32")))]
mod tests {
    use pollster::block_on;

    use super::*;
    use crate::graph::frozen::GpuDevice;
    use crate::model::preset;
    use crate::weights::{Precision, Tensor, initial_tensors};

    const STEM: &str = "backbone.conv1.conv.weight";
    const SIZE: [usize; 2] = [64, 32];

    fn config() -> ReIdentifierConfig {
        let mut config = preset("osnet_x0_25", 0).expect("a preset");
        [config.input.height, config.input.width] = SIZE;
        config
    }

    /// The preset with other weights in its first layer.
    fn tensors(change: impl Fn(usize, &mut f32)) -> Arc<BTreeMap<String, Tensor>> {
        let mut tensors = initial_tensors(&config(), 1).expect("a network");
        let first = tensors.get_mut(STEM).expect("OSNet's stem");
        first.values.iter_mut().enumerate().for_each(|(place, value)| change(place, value));
        Arc::new(tensors)
    }

    fn gpu(precision: Precision, largest_buffer: u64, choice: DeviceChoice) -> Device {
        let gpu = block_on(GpuDevice::open_with(Some(precision), largest_buffer, wgpu::Features::empty()));
        Device::of(gpu.expect("a Vulkan driver with f16; lavapipe will do"), choice)
    }

    fn open(tensors: &Arc<BTreeMap<String, Tensor>>, device: Device) -> Extractor {
        block_on(Extractor::on(config(), tensors.clone(), device)).expect("a model")
    }

    fn in_half(tensors: &Arc<BTreeMap<String, Tensor>>) -> Extractor {
        open(tensors, gpu(Precision::F16, u64::MAX, DeviceChoice::Gpu))
    }

    fn on_cpu(tensors: &Arc<BTreeMap<String, Tensor>>) -> Extractor {
        open(tensors, Device::cpu())
    }

    /// Photos of a colour each, with a pattern that a shade sets the strength of.
    fn photo(colour: u8, pattern: u8) -> Rgba {
        let pixel = |i: usize| colour.wrapping_sub(((i * i) % 97) as u8 % pattern.max(1));
        let pixels = (0..SIZE[0] * SIZE[1]).flat_map(|i| [pixel(i), pixel(i + 7), pixel(3 * i), u8::MAX]).collect();
        Rgba { width: SIZE[1] as u32, height: SIZE[0] as u32, pixels }
    }

    /// How far apart the values are, as a part of the largest.
    fn apart(found: &[f32], expected: &[f32]) -> f32 {
        let largest = expected.iter().fold(0.0, |largest: f32, value| largest.max(value.abs()));
        assert_eq!(found.len(), expected.len());
        found.iter().zip(expected).map(|(a, b)| (a - b).abs() / largest).fold(0.0, f32::max)
    }

    #[test]
    fn a_model_that_leaves_the_range_of_f16_is_computed_in_f32() {
        let [small, large] = [1.0, 1e6].map(|factor| tensors(|_, value| *value *= factor));
        assert!(in_half(&small).is_half());
        let extractor = in_half(&large);
        assert!(!extractor.is_half());
        let images = vec![0.5; 3 * SIZE[0] * SIZE[1]];
        let [found, expected] = [&extractor, &on_cpu(&large)].map(|e| block_on(e.embed(&images)).expect("features"));
        assert!(apart(&found, &expected) <= 1e-4);
    }

    #[test]
    fn a_photo_that_leaves_the_range_of_f16_is_computed_in_f32_and_the_others_are_not() {
        // The first filter sums up its whole field: white is far above f16's 65,504, and patterns are not. What reads it
        // does so faintly, so that these are as exact as ever.
        let mut tensors = tensors(|place, value| *value = if place < 7 * 7 * 3 { 371.0 } else { *value });
        for name in ["conv1", "downsample"] {
            let tensor = Arc::make_mut(&mut tensors).get_mut(&format!("backbone.conv2.0.{name}.conv.weight"));
            let tensor = tensor.expect("OSNet's first block");
            tensor.values.iter_mut().step_by(tensor.shape[1]).for_each(|value| *value *= 1e-3);
        }
        let extractor = in_half(&tensors);
        assert!(extractor.is_half());
        let photos = [photo(124, 90), photo(255, 1), photo(118, 60)];
        let found = block_on(extractor.extract(&photos)).expect("features");
        let expected = block_on(on_cpu(&tensors).extract(&photos)).expect("features");
        let errors: Vec<f32> = found.iter().zip(&expected).map(|(a, b)| apart(a, b)).collect();
        assert!(errors[1] <= 1e-4, "{errors:?}");
        assert!([errors[0], errors[2]].iter().all(|error| (1e-5..1e-2).contains(error)), "{errors:?}");
        assert!(extractor.is_half());
    }

    #[test]
    fn a_model_is_damaged_when_f32_gives_no_numbers_either() {
        let tensors = tensors(|place, value| {
            if place == 0 {
                *value = f32::NAN
            }
        });
        let error = block_on(in_half(&tensors).extract(&[photo(200, 9)])).expect_err("no feature");
        assert!(matches!(error, ExtractError::NotANumber(0)), "{error}");
    }

    #[test]
    fn a_batch_that_is_too_large_for_the_gpu_goes_through_in_parts() {
        let tensors = tensors(|_, _| {});
        let photos: Vec<Rgba> = (0..21).map(|i| photo(100 + 5 * i, 10 + i)).collect();
        let expected = block_on(on_cpu(&tensors).extract(&photos)).expect("features");
        // Enough for the weights, but for the images alone only while they are no more than twelve.
        let largest_buffer = 300_000;
        let extractor = open(&tensors, gpu(Precision::F32, largest_buffer, DeviceChoice::Gpu));
        let found = block_on(extractor.extract(&photos)).expect("features");
        for (place, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let error = apart(found, expected);
            assert!(error <= 1e-5, "photo {place}: {error:e}");
        }
        assert_eq!(found.len(), 21);
    }

    #[test]
    fn from_a_gpu_that_cannot_take_the_model_any_device_is_the_cpu_and_says_why() {
        let tensors = tensors(|_, _| {});
        let small = |choice| gpu(Precision::F32, 4096, choice);
        let extractor = open(&tensors, small(DeviceChoice::Auto));
        assert!(!extractor.device().is_gpu());
        let fault = extractor.device().fallback().expect("a reason");
        assert!(fault.is_failure() && fault.to_string().contains("this GPU's may have 4096"), "{fault}");
        let error = block_on(Extractor::on(config(), tensors, small(DeviceChoice::Gpu))).expect_err("too small");
        assert!(matches!(error, ExtractError::Gpu(GpuError::TooLarge { limit: 4096, .. })), "{error}");
    }
}
