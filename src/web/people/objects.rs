//! What goes over the boundary as plain objects.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;

use super::failure::{Failure, bad};

/// What is `None` is undefined.
pub(super) fn to_js<T: Serialize + ?Sized>(value: &T) -> Result<JsValue, JsValue> {
    // What is flattened would become a `Map`.
    Ok(value.serialize(&Serializer::new().serialize_maps_as_objects(true))?)
}

/// As `to_js`, of thousands: as one text, since each that goes over by itself leaves something behind that a worker with little else
/// to do does not collect. What is `None` is to be left out, and what is no number would be null.
pub(super) fn to_js_together<T: Serialize + ?Sized>(value: &T) -> Result<JsValue, JsValue> {
    js_sys::JSON::parse(&serde_json::to_string(value).map_err(bad)?)
}

pub(super) fn from_js<T: DeserializeOwned>(value: JsValue) -> Result<T, Failure> {
    serde_wasm_bindgen::from_value(value).map_err(bad)
}
