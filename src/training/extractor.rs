//! Features of images: a network in evaluation mode on a device, with the preprocessing that its checkpoint asks for.

use std::collections::BTreeMap;

use burn::tensor::{ExecutionError, Tensor, TensorData};

use super::{ComputeDevice, DeviceChoice, DeviceError, Mode, Network, NetworkError};
use crate::graph::ShapeError;
use crate::image::{Rgba, fit};
use crate::kernels::distance::Metric;
use crate::kernels::preprocess::{self, Filter, ImageSizeError, Order, Plan};
use crate::model::{ChannelOrder, ConfigError, InputConfig, ReIdentifierConfig};
use crate::ops::{self, OpError};
use crate::weights::{self, Recognised};

/// Why features could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ExtractError {
    #[error(transparent)]
    Device(#[from] DeviceError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("the model does not fit together: {0}")]
    Shape(#[from] ShapeError),
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The device did not answer: it was lost, or its memory is full.
    #[error("the device gave no result ({0}); start again, or choose the cpu device")]
    Execution(ExecutionError),
    #[error(transparent)]
    Op(#[from] OpError),
    #[error(transparent)]
    Image(#[from] ImageSizeError),
    /// The GPU or its driver computes something else than the CPU does.
    #[error("this GPU computes wrong features (off by {0:.1} % of the largest); choose the cpu device")]
    WrongDevice(f32),
    /// The place of the image in the batch, from 0.
    #[error("the model gives values that are not numbers (image {} of the batch); its weights may be damaged", .0 + 1)]
    NotANumber(usize),
}

impl From<ExecutionError> for ExtractError {
    fn from(error: ExecutionError) -> Self {
        Self::Execution(error)
    }
}

/// A model that is ready to extract.
#[derive(Debug)]
pub struct Extractor {
    config: ReIdentifierConfig,
    network: Network,
    device: ComputeDevice,
}

/// The warm-up's image: large enough for every backbone of ours, small enough to cost nothing. An imported network may
/// take no size but its own.
const PROBE: [usize; 4] = [1, 3, 64, 32];
/// A kernel that does not run leaves old data behind and no error; then features are off by far more than rounding.
const PROBE_TOLERANCE: f32 = 1e-2;
/// Bytes of an image up to which the GPU resizes it. Larger ones cost more to send than to shrink first.
const MAX_UPLOAD: usize = 32 << 20;

impl Extractor {
    /// Puts a recognised checkpoint on a device. A GPU first has to give the CPU's features for a small known input.
    ///
    /// # Errors
    /// When there is no such device, the tensors do not make up the model, or the GPU computes wrong features
    /// (with [`DeviceChoice::Auto`] the CPU takes over then).
    pub async fn open(recognised: &Recognised, choice: DeviceChoice) -> Result<Self, ExtractError> {
        let device = ComputeDevice::open(choice).await?;
        match Self::on(recognised, device).await {
            Err(ExtractError::WrongDevice(_)) if choice == DeviceChoice::Auto => {
                Self::on(recognised, ComputeDevice::cpu()).await
            }
            result => result,
        }
    }

    async fn on(recognised: &Recognised, device: ComputeDevice) -> Result<Self, ExtractError> {
        let config = recognised.config.clone();
        let graph = config.graph()?;
        graph.shapes(config.input.height, config.input.width)?;
        let network = Network::new(graph.clone(), &recognised.tensors, &device.device)?;
        let extractor = Self { config, network, device };
        if extractor.device.gpu {
            let twin = Network::new(graph, &recognised.tensors, &ComputeDevice::cpu().device)?;
            extractor.prove(twin).await?;
        }
        Ok(extractor)
    }

    async fn prove(&self, twin: Network) -> Result<(), ExtractError> {
        let fits = self.network.graph().shapes(PROBE[2], PROBE[3]).is_ok();
        let shape = if fits { PROBE } else { [1, 3, self.config.input.height, self.config.input.width] };
        let count = shape.iter().product::<usize>();
        let values: Vec<f32> = (0..count).map(|i| (i as f32 * 0.37).sin() * 2.0).collect();
        let twin = Self { config: self.config.clone(), network: twin, device: ComputeDevice::cpu() };
        let expected = twin.embed(values.clone(), shape).await?;
        let found = self.embed(values, shape).await?;
        let largest = expected.iter().fold(f32::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
        let off = expected.iter().zip(&found).map(|(a, b)| (a - b).abs() / largest);
        // NaN must count as wrong, which `f32::max` would swallow.
        let worst = off.fold(0.0, |worst: f32, off| if off > worst || off.is_nan() { off } else { worst });
        if worst <= PROBE_TOLERANCE { Ok(()) } else { Err(ExtractError::WrongDevice(worst * 100.0)) }
    }

    pub fn config(&self) -> &ReIdentifierConfig {
        &self.config
    }

    /// The device at work.
    pub fn device(&self) -> &ComputeDevice {
        &self.device
    }

    /// Every tensor by its name, read back from the device.
    ///
    /// # Errors
    /// When the device is lost.
    pub async fn tensors(&self) -> Result<BTreeMap<String, weights::Tensor>, ExtractError> {
        Ok(self.network.tensors().await?)
    }

    /// The embeddings of a batch of images, `features_dim` values each, not L2-normalised.
    ///
    /// # Errors
    /// When the device is lost or out of memory, or a value is not a number.
    pub async fn extract(&self, images: &[Rgba]) -> Result<Vec<Vec<f32>>, ExtractError> {
        if images.is_empty() {
            return Ok(Vec::new());
        }
        let values = self.run(self.inputs(images)?).await?;
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
    pub async fn embed(&self, input: Vec<f32>, shape: [usize; 4]) -> Result<Vec<f32>, ExtractError> {
        self.run(Tensor::from_data(TensorData::new(input, shape), &self.device.device)).await
    }

    /// Feature and embedding (see [`Outputs`](super::Outputs)) of a batch of images, row by row.
    pub(super) async fn features(&self, images: &[Rgba]) -> Result<(Vec<f32>, Vec<f32>), ExtractError> {
        let outputs = self.network.forward(self.inputs(images)?, Mode::Evaluate)?;
        let read = async |tensor: Tensor<2>| -> Result<Vec<f32>, ExtractError> {
            Ok(tensor.into_data_async().await?.iter::<f32>().collect())
        };
        Ok((read(outputs.feature).await?, read(outputs.embedding).await?))
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
    pub fn with(
        &self,
        config: ReIdentifierConfig,
        tensors: &BTreeMap<String, weights::Tensor>,
    ) -> Result<Self, ExtractError> {
        let network = Network::new(config.graph()?, tensors, &self.device.device)?;
        Ok(Self { config, network, device: self.device.clone() })
    }

    fn inputs(&self, images: &[Rgba]) -> Result<Tensor<4>, ExtractError> {
        let plan = plan(&self.config.input);
        let inputs = images.iter().map(|image| self.input(image, &plan)).collect::<Result<_, _>>()?;
        Ok(Tensor::cat(inputs, 0))
    }

    fn input(&self, image: &Rgba, plan: &Plan) -> Result<Tensor<4>, ExtractError> {
        let device = &self.device.device;
        let pixels = preprocess::Rgba::new(image.width, image.height, &image.pixels)?;
        if pixels.bytes().len() <= MAX_UPLOAD {
            return Ok(ops::preprocess::preprocess(pixels, plan, device)?);
        }
        let (columns, rows) = plan.axes(pixels);
        let values = preprocess::twin(plan, pixels, &columns, &rows);
        Ok(Tensor::from_data(TensorData::new(values, [1, 3, plan.height, plan.width]), device))
    }

    async fn run(&self, input: Tensor<4>) -> Result<Vec<f32>, ExtractError> {
        let embedding = self.network.forward(input, Mode::Evaluate)?.embedding;
        Ok(embedding.into_data_async().await?.iter::<f32>().collect())
    }

    /// Squared Euclidean distances, 0…4, between the rows of `query` `[q, dim]` and `gallery` `[g, dim]` once they are
    /// L2-normalised: `[q, g]`.
    ///
    /// # Errors
    /// When the device is lost or out of memory.
    pub async fn distances(&self, query: &[f32], gallery: &[f32], dim: usize) -> Result<Vec<f32>, ExtractError> {
        for (what, values) in [("the queries", query), ("the gallery", gallery)] {
            let (found, expected) = (values.len(), values.len().next_multiple_of(dim.max(1)));
            if found != expected {
                return Err(OpError::Length { what, found, expected }.into());
            }
        }
        if query.is_empty() || gallery.is_empty() || dim == 0 {
            return Ok(Vec::new());
        }
        let rows = |values: &[f32]| {
            let data = TensorData::new(values.to_vec(), [values.len() / dim, dim]);
            Tensor::<2>::from_data(data, &self.device.device)
        };
        let distances = ops::distance::distance(rows(query), rows(gallery), Metric::Cosine)?;
        Ok(distances.into_data_async().await?.iter::<f32>().collect())
    }
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
