//! Who in the gallery looks like each query.

use js_sys::{Float32Array, Function, Uint32Array};
use serde::Serialize;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

use super::options::Options;
use super::photos::{Photos, bad};
use super::progress::Told;
use crate::ranking::nearest;
use crate::web::error::WebError;

/// The ranking of each query.
#[derive(Serialize, Tsify)]
pub struct RankingsData {
    /// `each` of every query, one query after the other: places in the gallery, the most alike first.
    #[serde(with = "serde_wasm_bindgen::preserve")]
    #[tsify(type = "Uint32Array<ArrayBuffer>")]
    places: Uint32Array,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    #[tsify(type = "Float32Array<ArrayBuffer>")]
    similarities: Float32Array,
    each: usize,
    /// Whether rankings were re-ranked.
    reranked: bool,
    /// What was decided about cameras and neighbours, and why, a sentence each.
    said: Vec<String>,
}

#[wasm_bindgen]
impl Photos {
    /// The `top` of the gallery for each query, or all where there are fewer.
    ///
    /// # Errors
    /// `{ code, message }`: "bad-input" for features that are no numbers, "out-of-memory", "aborted" where `progress` threw.
    #[wasm_bindgen(js_name = rankAll)]
    pub fn rank_all(
        &self,
        top: usize,
        options: Ts<Options>,
        #[wasm_bindgen(unchecked_param_type = "(fraction: number) => void")] progress: &Function,
    ) -> Result<Ts<RankingsData>, WebError> {
        let options = Options::read(&options)?;
        let mut told = Told::new(progress, options.adaptation()?);
        let adapted = self.adapt(&options, &mut told)?;
        let each = top.min(self.gallery.len());
        let capacity = self.queries.len() * each;
        let (mut places, mut similarities) = (Vec::with_capacity(capacity), Vec::with_capacity(capacity));
        let rank = |_query: usize, distances: &[f32]| {
            for place in nearest(distances, each) {
                places.push(place as u32);
                similarities.push(adapted.similarity(distances[place]));
            }
        };
        adapted.rank(&mut |done, total| told.tell(done, total), rank).map_err(bad)?;

        let rankings = RankingsData {
            places: Uint32Array::from(&places[..]),
            similarities: Float32Array::from(&similarities[..]),
            each,
            reranked: adapted.is_reranked(),
            said: adapted.said().to_vec(),
        };
        Ok(rankings.into_ts()?)
    }
}
