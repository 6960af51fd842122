//! The device that a model would be put on.

use serde::Serialize;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

use crate::extract::Decision;
use crate::web::device::DeviceRequest;
use crate::web::error::WebError;

/// Which device it is to be.
#[derive(Debug, Serialize, Tsify)]
pub struct ChosenDevice {
    #[tsify(type = "\"gpu\" | \"cpu\"")]
    device: &'static str,
    /// The GPU is emulated by the CPU: right results, slowly.
    software: bool,
    /// One sentence for people: which device, and why.
    reason: String,
}

impl From<&Decision> for ChosenDevice {
    fn from(decision: &Decision) -> Self {
        Self {
            device: if decision.is_gpu() { "gpu" } else { "cpu" },
            software: decision.is_software(),
            reason: decision.reason(),
        }
    }
}

/// Which device would be taken, before anything is opened.
///
/// # Errors
/// `{ code, message }`: "no-device" when a GPU is asked for and there is none.
#[wasm_bindgen(js_name = chooseDevice)]
pub fn choose_device(request: Ts<DeviceRequest>) -> Result<Ts<ChosenDevice>, WebError> {
    let DeviceRequest { device, adapter } = request.to_rust()?;
    let decision = Decision::new(device.into(), adapter.into()).map_err(|error| WebError::from(&error))?;
    Ok(ChosenDevice::from(&decision).into_ts()?)
}
