//! Photos as JavaScript knows them: a matrix of features, and numbers in typed arrays.

use wasm_bindgen::prelude::*;

use super::options::Options;
use super::progress::Told;
use crate::ranking::{self, Adapted, RankingError};
use crate::web::error::WebError;

/// A WebAssembly module has 4 GB at the most, and leaves holes in it as it goes.
const MOST_BYTES: u64 = 3 << 30;

/// Photos with their features, and which of them are searched with and among.
#[wasm_bindgen]
pub struct Photos {
    rows: Vec<f32>,
    dim: usize,
    cameras: Vec<Option<i32>>,
    pub(super) queries: Vec<usize>,
    pub(super) gallery: Vec<usize>,
}

#[wasm_bindgen]
impl Photos {
    /// `rows` are the features as the model gives them, `[n, dim]`; `cameras` the number of each photo's camera from 0, −1 where
    /// it is unknown; `queries` and `gallery` indices of photos, one of which may be both.
    ///
    /// # Errors
    /// `{ code, message }`: "bad-input" when these do not fit together.
    #[wasm_bindgen(constructor)]
    pub fn new(
        rows: Vec<f32>,
        dim: usize,
        cameras: Vec<i32>,
        queries: Vec<u32>,
        gallery: Vec<u32>,
    ) -> Result<Photos, JsValue> {
        let count = cameras.len();
        if count.checked_mul(dim) != Some(rows.len()) {
            return Err(bad(RankingError::Shape { rows: count, columns: dim, found: rows.len() }).into());
        }
        let places = |images: Vec<u32>| images.into_iter().map(|image| image as usize).collect::<Vec<_>>();
        let (queries, gallery) = (places(queries), places(gallery));
        if let Some(&index) = queries.iter().chain(&gallery).find(|&&index| index >= count) {
            return Err(bad(RankingError::Index { index, count }).into());
        }
        Ok(Self { rows, dim, cameras: known(cameras), queries, gallery })
    }
}

impl Photos {
    pub(super) fn count(&self) -> usize {
        self.cameras.len()
    }

    pub(super) fn camera(&self, photo: usize) -> Option<i32> {
        self.cameras[photo]
    }

    /// The photos made ready to be ranked.
    pub(super) fn adapt(&self, options: &Options, told: &mut Told) -> Result<Adapted<'_>, WebError> {
        let adaptation = options.adaptation()?;
        let bytes = adaptation.bytes(self.count(), self.dim);
        if bytes > MOST_BYTES {
            let message = format!(
                "Ranking {} photos takes about {:.0} GB of memory, more than a tab has: rank fewer at a time.",
                self.count(),
                bytes as f64 / 1e9
            );
            return Err(WebError { code: "out-of-memory", message });
        }
        let photos = ranking::Photos {
            rows: &self.rows,
            dim: self.dim,
            cameras: &self.cameras,
            queries: &self.queries,
            gallery: &self.gallery,
        };
        let name = |camera| options.name(camera);
        Adapted::named(photos, adaptation, name, &mut |done, total| told.tell(done, total)).map_err(bad)
    }
}

/// Numbers of cameras, of which −1 is none.
pub(super) fn known(cameras: Vec<i32>) -> Vec<Option<i32>> {
    cameras.into_iter().map(|camera| (camera >= 0).then_some(camera)).collect()
}

pub(super) fn bad(error: RankingError) -> WebError {
    WebError::from(&error)
}
