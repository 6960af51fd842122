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

pub(super) fn from_js<T: DeserializeOwned>(value: JsValue) -> Result<T, Failure> {
    serde_wasm_bindgen::from_value(value).map_err(bad)
}
