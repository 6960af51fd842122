//! Choosing what to run networks on.

#[cfg(all(feature = "webgpu", target_arch = "wasm32"))]
use std::cell::RefCell;
#[cfg(not(feature = "webgpu"))]
use std::convert::Infallible;
#[cfg(all(feature = "webgpu", not(target_arch = "wasm32")))]
use std::sync::{Mutex, PoisonError};

#[cfg(feature = "webgpu")]
use super::{GpuDevice, GpuError};
use crate::words::words;

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

words! {
    DeviceChoice: "auto" => Auto, "gpu" => Gpu, "cpu" => Cpu;
    /// A word that names no device.
    UnknownDevice, "'{0}' is no device; choose auto, gpu or cpu"
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
    /// The adapter's name.
    #[error("the GPU is only imitated by software, which is slower")]
    Software(String),
    #[error("this build has no code for GPUs")]
    NotBuilt,
    /// What a browser found before anything was opened, as a sentence.
    #[error("{0}")]
    Missing(String),
    /// What became of it earlier, as a clause.
    #[error("{0}")]
    Unusable(String),
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
            Self::Wrong | Self::Unusable(_) => true,
            Self::Software(_) | Self::NotBuilt | Self::Missing(_) => false,
        }
    }

    /// Why the CPU computes, as a sentence for who looks at a web page.
    fn sentence(&self) -> String {
        match self {
            Self::Missing(sentence) => sentence.clone(),
            Self::Software(name) => format!("WebGPU is only emulated in software here ({name}), which is slower."),
            fault => format!("WebGPU cannot be used here: {fault}."),
        }
    }
}

/// What is known of a graphics adapter before it is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adapter {
    pub name: String,
    /// Software imitates it: correct, and slower than the CPU path.
    pub software: bool,
}

/// Which device it is, and why. Nothing else decides that: whoever asks, natively or in a browser, to extract, to find people or
/// to learn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    choice: DeviceChoice,
    /// The GPU's; of the CPU there is none.
    adapter: Option<Adapter>,
    /// Why it is the CPU though a GPU was to be taken if there is one.
    fallback: Option<DeviceFault>,
}

impl Decision {
    /// The CPU, chosen.
    const CPU: Self = Self { choice: DeviceChoice::Cpu, adapter: None, fallback: None };

    /// What a choice comes to where the adapter is this one, or is of no use. It is decided again when a GPU fails.
    ///
    /// # Errors
    /// When a GPU was asked for and there is none; `Auto` is the CPU then, and tells why.
    pub fn new(choice: DeviceChoice, adapter: Result<Adapter, DeviceFault>) -> Result<Self, DeviceError> {
        let instead = |fault| Self { choice, adapter: None, fallback: Some(fault) };
        match (choice, adapter) {
            (DeviceChoice::Cpu, _) => Ok(Self::CPU),
            (DeviceChoice::Auto, Ok(adapter)) if adapter.software => Ok(instead(DeviceFault::Software(adapter.name))),
            (_, Ok(adapter)) => Ok(Self { choice, adapter: Some(adapter), fallback: None }),
            (DeviceChoice::Auto, Err(fault)) => Ok(instead(fault)),
            (DeviceChoice::Gpu, Err(fault)) => Err(fault.into()),
        }
    }

    pub fn is_gpu(&self) -> bool {
        self.adapter.is_some()
    }

    /// A GPU that software imitates.
    pub fn is_software(&self) -> bool {
        self.adapter.as_ref().is_some_and(|adapter| adapter.software)
    }

    /// Which device, and why, as a sentence for who looks at a web page.
    pub fn reason(&self) -> String {
        match (&self.adapter, &self.fallback) {
            (Some(Adapter { name, software }), _) => {
                let asked = if self.choice == DeviceChoice::Gpu { "you chose it. " } else { "" };
                let slow = if *software { "; it is emulated in software, so expect it to be slow" } else { "" };
                format!("GPU: {asked}WebGPU runs on {name}{slow}.")
            }
            (None, Some(fault)) => format!("CPU: {}", fault.sentence()),
            (None, None) => "CPU: you chose it.".to_owned(),
        }
    }
}

/// A device that is ready, and what it is; its clones are the same.
#[derive(Clone, Debug)]
pub struct Device {
    kind: Kind,
    decision: Decision,
}

#[derive(Clone, Debug)]
enum Kind {
    Cpu,
    #[cfg(feature = "webgpu")]
    Gpu(GpuDevice),
}

impl Device {
    pub fn cpu() -> Self {
        Self { kind: Kind::Cpu, decision: Decision::CPU }
    }

    /// The device for a choice. A GPU is opened once and is the same for all who ask afterwards, in this process or, in a
    /// browser, in this worker.
    ///
    /// # Errors
    /// As [`Decision::new`].
    pub async fn open(choice: DeviceChoice) -> Result<Self, DeviceError> {
        if choice == DeviceChoice::Cpu {
            return Ok(Self::cpu());
        }
        let opened = gpu().await;
        let decision = Decision::new(choice, opened.as_ref().map(adapter).map_err(Clone::clone))?;
        Ok(Self::decided(decision, opened.ok()))
    }

    /// The same, where something is known of the adapter beforehand: one that is not to be taken is not opened.
    ///
    /// # Errors
    /// As [`Decision::new`].
    pub async fn open_known(choice: DeviceChoice, adapter: Result<Adapter, DeviceFault>) -> Result<Self, DeviceError> {
        let decision = Decision::new(choice, adapter)?;
        if !decision.is_gpu() {
            return Ok(Self { kind: Kind::Cpu, decision });
        }
        match gpu().await {
            Ok(gpu) => Ok(Self::decided(decision, Some(gpu))),
            Err(fault) => Self { kind: Kind::Cpu, decision }.without_gpu(fault),
        }
    }

    /// Whether any device will do.
    pub(crate) fn may_be_cpu(&self) -> bool {
        self.decision.choice != DeviceChoice::Gpu
    }

    /// What takes its place when it turns out that its GPU is of no use.
    ///
    /// # Errors
    /// When it has to be a GPU.
    pub(crate) fn without_gpu(&self, fault: DeviceFault) -> Result<Self, DeviceError> {
        Ok(Self { kind: Kind::Cpu, decision: Decision::new(self.decision.choice, Err(fault))? })
    }

    #[cfg(feature = "webgpu")]
    fn decided(decision: Decision, gpu: Option<GpuDevice>) -> Self {
        Self { kind: gpu.filter(|_| decision.is_gpu()).map_or(Kind::Cpu, Kind::Gpu), decision }
    }

    #[cfg(not(feature = "webgpu"))]
    fn decided(decision: Decision, _: Option<Infallible>) -> Self {
        Self { kind: Kind::Cpu, decision }
    }

    /// The adapter's name, or "CPU".
    pub fn name(&self) -> &str {
        self.decision.adapter.as_ref().map_or("CPU", |adapter| &adapter.name)
    }

    /// Why it is the CPU though a GPU was to be taken if there is one.
    pub fn fallback(&self) -> Option<&DeviceFault> {
        self.decision.fallback.as_ref()
    }

    /// How it came to be this one.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// Whether WGSL runs on it; otherwise the CPU twins do.
    pub fn is_gpu(&self) -> bool {
        !matches!(self.kind, Kind::Cpu)
    }

    /// A GPU that software imitates: correct, and slower than the CPU path.
    pub fn is_software(&self) -> bool {
        self.decision.is_software()
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

    /// A GPU that is open already.
    #[cfg(all(test, feature = "webgpu", not(target_arch = "wasm32")))]
    pub(crate) fn of(device: GpuDevice, choice: DeviceChoice) -> Self {
        let decision = Decision { choice, adapter: Some(adapter(&device)), fallback: None };
        Self { kind: Kind::Gpu(device), decision }
    }

    #[cfg(feature = "webgpu")]
    pub(crate) fn gpu(&self) -> Option<&GpuDevice> {
        match &self.kind {
            Kind::Cpu => None,
            Kind::Gpu(device) => Some(device),
        }
    }
}

#[cfg(feature = "webgpu")]
fn adapter(gpu: &GpuDevice) -> Adapter {
    Adapter { name: gpu.name().to_owned(), software: gpu.is_software() }
}

/// The one GPU there is: opened when it is first asked for, and again after it was lost.
#[cfg(feature = "webgpu")]
async fn gpu() -> Result<GpuDevice, DeviceFault> {
    if let Some(gpu) = opened(|gpu| gpu.clone()).filter(|gpu| gpu.check().is_ok()) {
        return Ok(gpu);
    }
    let gpu = GpuDevice::open().await?;
    Ok(opened(|opened| opened.insert(gpu).clone()))
}

/// The GPU that this process has opened.
#[cfg(all(feature = "webgpu", not(target_arch = "wasm32")))]
fn opened<T>(with: impl FnOnce(&mut Option<GpuDevice>) -> T) -> T {
    static GPU: Mutex<Option<GpuDevice>> = Mutex::new(None);
    with(&mut GPU.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The GPU that this worker has opened.
#[cfg(all(feature = "webgpu", target_arch = "wasm32"))]
fn opened<T>(with: impl FnOnce(&mut Option<GpuDevice>) -> T) -> T {
    thread_local! {
        static GPU: RefCell<Option<GpuDevice>> = const { RefCell::new(None) };
    }
    GPU.with_borrow_mut(with)
}

#[cfg(not(feature = "webgpu"))]
#[expect(clippy::unused_async, reason = "awaited like the one that opens a GPU")]
async fn gpu() -> Result<Infallible, DeviceFault> {
    Err(DeviceFault::NotBuilt)
}

#[cfg(not(feature = "webgpu"))]
fn adapter(gpu: &Infallible) -> Adapter {
    match *gpu {}
}

#[cfg(test)]
mod tests {
    use super::{Adapter, Decision, DeviceChoice, DeviceFault};

    fn real() -> Result<Adapter, DeviceFault> {
        Ok(Adapter { name: "nvidia ada".to_owned(), software: false })
    }

    fn software() -> Result<Adapter, DeviceFault> {
        Ok(Adapter { name: "swiftshader".to_owned(), software: true })
    }

    fn missing() -> Result<Adapter, DeviceFault> {
        Err(DeviceFault::Missing("this browser has no WebGPU.".to_owned()))
    }

    #[test]
    fn auto_takes_a_real_gpu_and_says_why_it_takes_none() {
        let decide = |adapter| Decision::new(DeviceChoice::Auto, adapter).expect("some device");
        assert!(decide(real()).is_gpu());
        for (adapter, reason) in [
            (real(), "GPU: WebGPU runs on nvidia ada."),
            (software(), "CPU: WebGPU is only emulated in software here (swiftshader), which is slower."),
            (missing(), "CPU: this browser has no WebGPU."),
            (Err(DeviceFault::Wrong), "CPU: WebGPU cannot be used here: the GPU computes wrong features."),
        ] {
            let decision = decide(adapter);
            assert_eq!((decision.is_gpu(), decision.reason().as_str()), (reason.starts_with("GPU"), reason));
        }
    }

    #[test]
    fn a_gpu_that_is_asked_for_may_be_software_and_has_to_be_there() {
        let decide = |adapter| Decision::new(DeviceChoice::Gpu, adapter);
        assert_eq!(
            decide(real()).map(|found| found.reason()),
            Ok("GPU: you chose it. WebGPU runs on nvidia ada.".to_owned())
        );
        let slow =
            "GPU: you chose it. WebGPU runs on swiftshader; it is emulated in software, so expect it to be slow.";
        let found = decide(software()).expect("a GPU");
        assert!(found.is_gpu() && found.is_software());
        assert_eq!(found.reason(), slow);
        assert!(decide(missing()).is_err() && decide(Err(DeviceFault::Wrong)).is_err());
    }

    #[test]
    fn the_cpu_is_had_whatever_the_adapter_is() {
        for adapter in [real(), software(), missing()] {
            let decision = Decision::new(DeviceChoice::Cpu, adapter).expect("the CPU");
            assert_eq!((decision.is_gpu(), decision.reason().as_str()), (false, "CPU: you chose it."));
        }
    }
}
