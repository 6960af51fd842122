//! What is done to features before they are ranked, by its names in the package.

use serde::Deserialize;
use tsify::{Ts, Tsify};

use crate::ranking::{Adaptation, Reranked};
use crate::web::error::WebError;

/// Whether rankings are re-ranked.
#[derive(Clone, Copy, Debug, Deserialize, Tsify)]
#[serde(rename_all = "lowercase")]
pub enum Rerank {
    Never,
    Auto,
    Always,
}

/// What is done to features before they are ranked.
#[derive(Debug, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(rename = "Adaptation")]
pub struct Options {
    #[tsify(type = "CameraMeans")]
    cameras: String,
    #[tsify(type = "\"none\" | \"nfc\" | \"aqe\" | \"auto\"")]
    expand: String,
    rerank: Rerank,
    /// What to call the cameras, by their numbers.
    #[tsify(type = "readonly string[]")]
    camera_names: Vec<String>,
}

/// What cameras add to their photos may be taken off before photos are compared.
#[wasm_bindgen::prelude::wasm_bindgen(typescript_custom_section)]
const CAMERA_MEANS: &str = r#"
/** What cameras add to their photos may be taken off before photos are compared. */
export type CameraMeans = "none" | "centre" | "standardise";
"#;

impl Options {
    pub(super) fn read(value: &Ts<Self>) -> Result<Self, WebError> {
        value.to_rust().map_err(bad)
    }

    pub(super) fn adaptation(&self) -> Result<Adaptation, WebError> {
        Ok(Adaptation {
            cameras: self.cameras.parse().map_err(bad)?,
            expand: self.expand.parse().map_err(bad)?,
            rerank: match self.rerank {
                Rerank::Never => Reranked::Never,
                Rerank::Auto => Reranked::Auto,
                Rerank::Always => Reranked::Always,
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
