//! What a gallery fails with, as JavaScript sees it.

use serde::Serialize;
use wasm_bindgen::JsValue;

use crate::gallery::{GalleryError, Side};

/// `{ code, message }`, and where two things contradict each other `{ sides }`.
#[derive(Serialize)]
pub(super) struct Failure {
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sides: Option<[Side; 2]>,
}

impl From<GalleryError> for Failure {
    fn from(error: GalleryError) -> Self {
        Self { code: error.code(), sides: error.sides(), message: error.to_string() }
    }
}

impl From<Failure> for JsValue {
    fn from(failure: Failure) -> Self {
        serde_wasm_bindgen::to_value(&failure).unwrap_or_else(|_| Self::from_str(&failure.message))
    }
}

/// For what JavaScript handed over that is not what was asked for.
pub(super) fn bad(reason: impl ToString) -> Failure {
    Failure { code: "bad-input", message: reason.to_string(), sides: None }
}
