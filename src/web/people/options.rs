//! What is done to features before they are ranked, by its names in the package.

use serde::Deserialize;
use wasm_bindgen::JsValue;

use crate::ranking::{Adaptation, Reranked};
use crate::web::error::WebError;

/// Whether rankings are re-ranked, by its name.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RerankName {
    Never,
    Auto,
    Always,
}

/// The `Adaptation` of the package's glue.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Options {
    cameras: String,
    expand: String,
    rerank: RerankName,
    /// What to call the cameras, by their numbers.
    camera_names: Vec<String>,
}

impl Options {
    pub(super) fn read(value: JsValue) -> Result<Self, WebError> {
        serde_wasm_bindgen::from_value(value).map_err(bad)
    }

    pub(super) fn adaptation(&self) -> Result<Adaptation, WebError> {
        Ok(Adaptation {
            cameras: self.cameras.parse().map_err(bad)?,
            expand: self.expand.parse().map_err(bad)?,
            rerank: match self.rerank {
                RerankName::Never => Reranked::Never,
                RerankName::Auto => Reranked::Auto,
                RerankName::Always => Reranked::Always,
            },
        })
    }

    pub(super) fn name(&self, camera: i32) -> String {
        let name = usize::try_from(camera).ok().and_then(|camera| self.camera_names.get(camera));
        name.cloned().unwrap_or_else(|| camera.to_string())
    }
}

fn bad(error: impl ToString) -> WebError {
    WebError { code: "bad-input", message: error.to_string() }
}
