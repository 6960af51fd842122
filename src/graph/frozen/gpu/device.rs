//! The device that frozen networks run on, and what can go wrong with it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use half::f16;
use wgpu::ErrorFilter;

use super::answer::{OPENING, WORK, within};
use crate::kernels::variant::Variant;
use crate::tensor::Precision;

/// Why a network cannot be run on a GPU.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GpuError {
    #[error("no graphics adapter was found")]
    NoAdapter,
    #[error("the graphics adapter gives no device to compute on ({0})")]
    NoDevice(String),
    /// For so many seconds.
    #[error("the GPU gave no answer for {0} s")]
    Silent(u64),
    #[error("the GPU was lost ({0})")]
    Lost(String),
    #[error("the GPU has no memory left")]
    OutOfMemory,
    #[error("a buffer of {needed} bytes is needed, and this GPU's may have {limit}")]
    TooLarge { needed: u64, limit: u64 },
    #[error("{found} values are no {batch} images of {size}")]
    Images { found: usize, batch: usize, size: usize },
    /// A fault of ours or of the driver.
    #[error("the GPU refused its work: {0}")]
    Refused(String),
}

impl From<wgpu::Error> for GpuError {
    fn from(error: wgpu::Error) -> Self {
        match error {
            wgpu::Error::OutOfMemory { .. } => Self::OutOfMemory,
            error => Self::Refused(sentence(&error.to_string())),
        }
    }
}

impl GpuError {
    /// [`GpuError::NoDevice`] for what a driver or a browser said.
    pub(crate) fn no_device(said: &str) -> Self {
        Self::NoDevice(sentence(said))
    }
}

/// What a driver or a browser said as one line: without the call stack, and the shell that wgpu puts around it.
fn sentence(text: &str) -> String {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let said = match text.split_once("JsValue(") {
        Some((_, value)) => value.lines().next().unwrap_or_default().trim_end_matches(')').to_owned(),
        None => {
            let first = lines.next().unwrap_or_default();
            // Natively the first line only says of what kind it is.
            let causes = lines.skip_while(|&line| line != "Caused by:").skip(1).take(2);
            std::iter::once(first).chain(causes).collect::<Vec<_>>().join(": ")
        }
    };
    let said = said.trim_end_matches(['.', ':', ' ']);
    if said.is_empty() { "no reason was given".to_owned() } else { said.to_owned() }
}

/// A GPU that is ready; its clones are the same.
#[derive(Clone, Debug)]
pub struct GpuDevice {
    /// What the device came from, for whoever else is to compute on it.
    #[cfg(feature = "gpu")]
    origin: (wgpu::Instance, wgpu::Adapter),
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    name: Arc<str>,
    software: bool,
    /// Activations are stored as f16.
    half: bool,
    /// Why it does not answer any more.
    lost: Arc<OnceLock<String>>,
    /// What any network has needed so far: frozen again after training, it needs the same.
    pipelines: Arc<Mutex<Pipelines>>,
}

/// What the kernels of training use where an adapter has it; they go by the adapter, whatever was asked of its device.
#[cfg(feature = "gpu")]
const TRAINING: wgpu::Features = wgpu::Features::SUBGROUP
    .union(wgpu::Features::SHADER_F16)
    .union(wgpu::Features::SHADER_F64)
    .union(wgpu::Features::SHADER_INT64)
    .union(wgpu::Features::SHADER_FLOAT32_ATOMIC)
    .union(wgpu::Features::TIMESTAMP_QUERY);

/// A GPU's handles, to compute on it beside the networks that are there.
#[cfg(feature = "gpu")]
pub(crate) struct Handles {
    pub instance: wgpu::Instance,
    pub adapter: wgpu::Adapter,
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
}

/// Pipelines by what they are made of.
pub(super) type Pipelines = BTreeMap<Variant, wgpu::ComputePipeline>;

impl GpuDevice {
    /// The fastest adapter there is, with the limits that it has itself. In f16 where it has that (`shader-f16`), as it
    /// halves what is read and written; not where software imitates a GPU, which gains nothing by it.
    ///
    /// # Errors
    /// When there is none, or it gives no device.
    pub async fn open() -> Result<Self, GpuError> {
        Self::open_in(None).await
    }

    /// The same, in f32 or in f16 whatever the adapter is.
    ///
    /// # Errors
    /// When there is none, it gives no device, or has no f16.
    pub async fn open_in(precision: Option<Precision>) -> Result<Self, GpuError> {
        Self::open_with(precision, u64::MAX, wgpu::Features::empty()).await
    }

    /// The same, with timestamps where the adapter has them.
    #[doc(hidden)]
    pub async fn open_to_measure(precision: Option<Precision>) -> Result<Self, GpuError> {
        Self::open_with(precision, u64::MAX, wgpu::Features::TIMESTAMP_QUERY).await
    }

    /// The same, with buffers of so many bytes at the most, and what the adapter has of some features.
    pub(crate) async fn open_with(
        precision: Option<Precision>,
        largest_buffer: u64,
        features: wgpu::Features,
    ) -> Result<Self, GpuError> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
        let options = wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..Default::default()
        };
        let adapter = within(OPENING, instance.request_adapter(&options)).await?.map_err(|_| GpuError::NoAdapter)?;
        let info = adapter.get_info();
        let software = info.device_type == wgpu::DeviceType::Cpu;
        let has_half = adapter.features().contains(wgpu::Features::SHADER_F16);
        let half = match precision {
            None => has_half && !software,
            Some(Precision::F32) => false,
            Some(Precision::F16) if has_half => true,
            Some(Precision::F16) => return Err(GpuError::NoDevice("it has no f16".to_owned())),
        };
        let mut required_limits = adapter.limits();
        for limit in [&mut required_limits.max_buffer_size, &mut required_limits.max_storage_buffer_binding_size] {
            *limit = largest_buffer.min(*limit);
        }
        let required_features = adapter.features() & features;
        let required_features = if half { required_features | wgpu::Features::SHADER_F16 } else { required_features };
        #[cfg(feature = "gpu")]
        let required_features = required_features | adapter.features() & TRAINING;
        let descriptor = wgpu::DeviceDescriptor { required_features, required_limits, ..Default::default() };
        let opened = within(OPENING, adapter.request_device(&descriptor)).await?;
        let (device, queue) = opened.map_err(|error| GpuError::no_device(&error.to_string()))?;
        let lost = Arc::new(OnceLock::new());
        let reason = lost.clone();
        device.set_device_lost_callback(move |_, message| {
            reason.get_or_init(|| sentence(&message));
        });
        // What no scope catches concerns a device that is about to be lost; by default it would be a panic.
        let reason = lost.clone();
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            reason.get_or_init(|| sentence(&error.to_string()));
        }));
        // Browsers may hide the adapter's name.
        let name = [info.name, info.driver_info].into_iter().find(|name| !name.is_empty());
        let name = name.map_or_else(|| "WebGPU".into(), String::into_boxed_str).into();
        Ok(Self {
            #[cfg(feature = "gpu")]
            origin: (instance, adapter),
            device,
            queue,
            name,
            software,
            half,
            lost,
            pipelines: Arc::default(),
        })
    }

    #[cfg(feature = "gpu")]
    pub(crate) fn handles(&self) -> Handles {
        let (instance, adapter) = self.origin.clone();
        Handles { instance, adapter, device: self.device.clone(), queue: self.queue.clone() }
    }

    /// What it is for who computes something else on it.
    #[doc(hidden)]
    pub fn wgpu(&self) -> (&wgpu::Device, &wgpu::Queue) {
        (&self.device, &self.queue)
    }

    /// The adapter's name, as far as the browser tells it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether activations are f16 on it; f32 otherwise.
    pub fn is_half(&self) -> bool {
        self.half
    }

    /// The same GPU for networks in f32.
    #[must_use]
    pub fn in_single(&self) -> Self {
        Self { half: false, ..self.clone() }
    }

    /// The same GPU for the launches that hardware gets, even where software imitates it: to test them.
    #[must_use]
    pub fn as_hardware(&self) -> Self {
        Self { software: false, ..self.clone() }
    }

    /// Bytes of so many activations.
    pub(super) fn bytes(&self, values: usize) -> u64 {
        (values * if self.half { size_of::<f16>() } else { size_of::<f32>() }) as u64
    }

    /// A GPU that software imitates: correct, and slower than the CPU path.
    pub fn is_software(&self) -> bool {
        self.software
    }

    /// The pipelines of some variants, made where they are not there yet.
    pub(super) async fn pipelines(&self, variants: impl IntoIterator<Item = Variant>) -> Result<Pipelines, GpuError> {
        let (mut there, mut missing) = (Pipelines::new(), Vec::new());
        {
            let known = self.pipelines.lock().unwrap_or_else(PoisonError::into_inner);
            for variant in variants {
                match known.get(&variant) {
                    Some(pipeline) => drop(there.insert(variant, pipeline.clone())),
                    None => missing.push(variant),
                }
            }
        }
        if !missing.is_empty() {
            let make = |variant: Variant| {
                let pipeline = pipeline(&self.device, &variant);
                (variant, pipeline)
            };
            let made: Pipelines = self.scoped(|| missing.into_iter().map(make).collect()).await?;
            let mut known = self.pipelines.lock().unwrap_or_else(PoisonError::into_inner);
            known.extend(made.iter().map(|(variant, pipeline)| (variant.clone(), pipeline.clone())));
            there.extend(made);
        }
        Ok(there)
    }

    /// How long its word on its work may take, such as on shaders that are being compiled.
    fn patience(&self) -> Duration {
        if self.software { 5 * WORK } else { WORK }
    }

    /// An error when it is lost.
    pub(in crate::graph::frozen) fn check(&self) -> Result<(), GpuError> {
        self.lost.get().map_or(Ok(()), |reason| Err(GpuError::Lost(reason.clone())))
    }

    /// An error when a buffer would be larger than this GPU's may be.
    pub(super) fn check_size(&self, needed: u64) -> Result<(), GpuError> {
        let limits = self.device.limits();
        let limit = limits.max_buffer_size.min(limits.max_storage_buffer_binding_size);
        if needed > limit { Err(GpuError::TooLarge { needed, limit }) } else { Ok(()) }
    }

    /// Does something with the device, and waits for what it says of it: without a scope an error would pass unseen, and
    /// what was to be written would stay as it was.
    pub(super) async fn scoped<T>(&self, work: impl FnOnce() -> T) -> Result<T, GpuError> {
        self.check()?;
        let (made, errors) = {
            let filters = [ErrorFilter::OutOfMemory, ErrorFilter::Internal, ErrorFilter::Validation];
            let scopes = filters.map(|filter| self.device.push_error_scope(filter));
            let made = work();
            let errors: Vec<_> = scopes.into_iter().rev().map(wgpu::ErrorScopeGuard::pop).collect();
            (made, errors)
        };
        let mut first = None;
        for error in errors {
            first = first.or(within(self.patience(), error).await?);
        }
        self.check()?;
        first.map_or(Ok(made), |error| Err(error.into()))
    }
}

fn pipeline(device: &wgpu::Device, variant: &Variant) -> wgpu::ComputePipeline {
    let label = Some(variant.kernel.name);
    let source = wgpu::ShaderSource::Wgsl(variant.source().into());
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor { label, source });
    device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label,
        layout: None,
        module: &module,
        entry_point: Some("main"),
        compilation_options: wgpu::PipelineCompilationOptions::default(),
        cache: None,
    })
}

#[cfg(test)]
mod tests {
    use super::{GpuError, sentence};

    #[test]
    fn want_of_memory_is_told_from_other_errors() {
        let source = || "source".into();
        assert_eq!(GpuError::from(wgpu::Error::OutOfMemory { source: source() }), GpuError::OutOfMemory);
        let refused = wgpu::Error::Validation { source: source(), description: "it does not fit.".to_owned() };
        assert_eq!(GpuError::from(refused), GpuError::Refused("it does not fit".to_owned()));
    }

    #[test]
    fn of_what_a_browser_says_a_sentence_is_left() {
        let stack = "JsValue(OperationError: no more devices.\nError: no\n    at requestDevice (worker.js:1:2))";
        assert_eq!(sentence(stack), "OperationError: no more devices");
        assert_eq!(sentence("JsValue(null)"), "null");
        let native = "Validation Error\n\nCaused by:\n  In Device::create_buffer\n    it is too large.\n";
        assert_eq!(sentence(native), "Validation Error: In Device::create_buffer: it is too large");
        let shader = "Error while parsing WGSL: :1:3 error: expected a name\nfn\n  ^\n - While calling [Device].\n";
        assert_eq!(sentence(shader), "Error while parsing WGSL: :1:3 error: expected a name");
        assert_eq!(sentence("\n"), "no reason was given");
    }
}
