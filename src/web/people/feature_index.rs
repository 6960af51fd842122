//! An index of bare features.

use js_sys::{Float32Array, Uint32Array};
use serde::Serialize;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

use super::photos::bad;
use crate::ranking::{Features, FlatIndex, UnknownScalar};
use crate::web::error::WebError;

/// What each value of a kept feature is: 32 bits, 16, or 8 with a scale for each feature.
#[wasm_bindgen(typescript_custom_section)]
const PRECISION: &str = r#"
/** What each value of a kept feature is: 32 bits, 16, or 8 with a scale for each feature. */
export type IndexPrecision = "f32" | "f16" | "int8";
"#;

/// What was found.
#[derive(Serialize, Tsify)]
pub struct FoundFeatures {
    /// `each` of every query, one query after the other: places in the index, the most alike first.
    #[serde(with = "serde_wasm_bindgen::preserve")]
    #[tsify(type = "Uint32Array<ArrayBuffer>")]
    places: Uint32Array,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    #[tsify(type = "Float32Array<ArrayBuffer>")]
    similarities: Float32Array,
    each: usize,
}

/// Features that are searched exactly.
#[wasm_bindgen]
pub struct FeatureIndex {
    index: FlatIndex,
}

#[wasm_bindgen]
impl FeatureIndex {
    /// For features of `dim` values with room for `capacity`, kept as "f32", "f16" or "int8".
    ///
    /// # Errors
    /// `{ code, message }`: "bad-input" for another precision, "out-of-memory".
    #[wasm_bindgen(constructor)]
    pub fn new(
        dim: usize,
        #[wasm_bindgen(unchecked_param_type = "IndexPrecision")] precision: &str,
        capacity: usize,
    ) -> Result<FeatureIndex, JsValue> {
        let unknown = |error: UnknownScalar| WebError { code: "bad-input", message: error.to_string() };
        let mut index = FlatIndex::new(dim, precision.parse().map_err(unknown)?);
        index.reserve(capacity).map_err(bad)?;
        Ok(Self { index })
    }

    /// Adds features `[n, dim]`.
    ///
    /// # Errors
    /// `{ code, message }`: "bad-input" for what is no such matrix, "out-of-memory"; nothing was added then.
    pub fn add(&mut self, rows: &[f32]) -> Result<(), JsValue> {
        Ok(self.index.add(rows).map_err(bad)?)
    }

    /// Gets ready to search what has been added.
    pub fn prepare(&mut self) {
        self.index.prepare();
    }

    /// For each of the queries `[n, dim]` the `top` most similar features, or all where there are fewer.
    ///
    /// # Errors
    /// `{ code, message }`: "bad-input".
    pub fn search(&self, queries: &[f32], top: usize) -> Result<Ts<FoundFeatures>, WebError> {
        let queries = Features::new(queries, self.index.dim()).map_err(bad)?;
        let found = self.index.search(&queries, top).map_err(bad)?;
        let places: Vec<u32> = found.iter().flatten().map(|found| found.index as u32).collect();
        let similarities: Vec<f32> = found.iter().flatten().map(|found| found.similarity).collect();
        let found = FoundFeatures {
            places: Uint32Array::from(&places[..]),
            similarities: Float32Array::from(&similarities[..]),
            each: top.min(self.index.count()),
        };
        Ok(found.into_ts()?)
    }
}
