//! Who in the gallery looks like each query.

use js_sys::{Float32Array, Function, Object, Reflect, Uint32Array};
use wasm_bindgen::prelude::*;

use super::options::Options;
use super::photos::{Photos, bad};
use super::progress::Told;
use crate::ranking::nearest;

#[wasm_bindgen]
impl Photos {
    /// The `top` of the gallery for each query, or all where there are fewer: `{ places, similarities, each, reranked, said }`,
    /// of each query `each` places in the gallery, the most alike first, one query after the other, with their similarities.
    ///
    /// # Errors
    /// `{ code, message }`: "bad-input" for features that are no numbers, "out-of-memory", "aborted" where `progress` threw.
    #[wasm_bindgen(js_name = rankAll)]
    pub fn rank_all(&self, top: usize, options: JsValue, progress: &Function) -> Result<Object, JsValue> {
        let options = Options::read(options)?;
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

        let rankings = Object::new();
        let set = |name: &str, value: JsValue| Reflect::set(&rankings, &name.into(), &value);
        set("places", Uint32Array::from(&places[..]).into())?;
        set("similarities", Float32Array::from(&similarities[..]).into())?;
        set("each", each.into())?;
        set("reranked", adapted.is_reranked().into())?;
        set("said", serde_wasm_bindgen::to_value(adapted.said())?)?;
        Ok(rankings)
    }
}
