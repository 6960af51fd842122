//! The device that JavaScript asks for. What only a browser knows of its graphics adapter comes with the question; which device
//! it is, is decided where it always is.

use serde::Deserialize;
use tsify::Tsify;

use crate::extract::{Adapter, Device, DeviceChoice, DeviceFault};
use crate::web::error::WebError;

#[derive(Clone, Copy, Debug, Deserialize, Tsify)]
#[serde(rename_all = "lowercase")]
pub enum DevicePreference {
    Auto,
    Gpu,
    Cpu,
}

impl From<DevicePreference> for DeviceChoice {
    fn from(preference: DevicePreference) -> Self {
        match preference {
            DevicePreference::Auto => Self::Auto,
            DevicePreference::Gpu => Self::Gpu,
            DevicePreference::Cpu => Self::Cpu,
        }
    }
}

/// What a browser says of its graphics adapter, as `GPUAdapterInfo` has it, or why there is none.
#[derive(Debug, Default, Deserialize, Tsify)]
#[serde(rename_all = "camelCase", default)]
pub struct SeenAdapter {
    /// Why there is none: a sentence for people.
    #[tsify(optional, type = "string | undefined")]
    pub missing: Option<String>,
    /// What became of it earlier, so that it is left alone: a clause for people.
    #[tsify(optional, type = "string | undefined")]
    pub unusable: Option<String>,
    #[tsify(optional, type = "string | undefined")]
    pub vendor: Option<String>,
    #[tsify(optional, type = "string | undefined")]
    pub architecture: Option<String>,
    #[tsify(optional, type = "string | undefined")]
    pub device: Option<String>,
    #[tsify(optional, type = "string | undefined")]
    pub description: Option<String>,
    #[tsify(optional, type = "boolean | undefined")]
    pub is_fallback_adapter: Option<bool>,
}

/// Adapters that a processor imitates, by a part of what browsers call them.
const SOFTWARE: [&str; 6] = ["swiftshader", "llvmpipe", "lavapipe", "software", "basic render", "warp"];

impl From<SeenAdapter> for Result<Adapter, DeviceFault> {
    fn from(seen: SeenAdapter) -> Self {
        if let Some(sentence) = seen.missing {
            return Err(DeviceFault::Missing(sentence));
        }
        if let Some(clause) = seen.unusable {
            return Err(DeviceFault::Unusable(clause));
        }
        let [vendor, architecture, device, description] =
            [seen.vendor, seen.architecture, seen.device, seen.description].map(Option::unwrap_or_default);
        let is_software = |word: &String| SOFTWARE.iter().any(|name| word.to_lowercase().contains(name));
        let software = seen.is_fallback_adapter.unwrap_or_default()
            || [&vendor, &architecture, &device, &description].into_iter().any(is_software);
        // Browsers may hide all of it.
        let maker = [vendor, architecture].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        let name = [description, maker].into_iter().find(|name| !name.is_empty());
        Ok(Adapter { name: name.unwrap_or_else(|| "an unnamed adapter".to_owned()), software })
    }
}

/// Which device is wanted, and what is known of the one that there may be.
#[derive(Debug, Deserialize, Tsify)]
pub struct DeviceRequest {
    pub device: DevicePreference,
    pub adapter: SeenAdapter,
}

impl DeviceRequest {
    /// The worker's device for it.
    pub async fn open(self) -> Result<Device, WebError> {
        Device::open_known(self.device.into(), self.adapter.into()).await.map_err(|error| WebError::from(&error))
    }
}
