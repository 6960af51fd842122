//! Photos in groups, without names, in a worker that can be ended while it groups.

use std::cell::OnceCell;
use std::ops::ControlFlow;

use js_sys::Function;
use serde::Serialize;
use tsify::Tsify;
use wasm_bindgen::prelude::*;

use super::failure::bad;
use super::objects::{from_js, to_js};
use super::photos::{self, known};
use crate::gallery::Links;
use crate::gallery::grouping::{self, Judge, Judged, Photos};

/// Every grouping of some photos.
#[wasm_bindgen]
pub struct Tree {
    tree: grouping::Tree,
    dim: usize,
    /// Made when it is first asked for; there may be nothing to make it from.
    judge: OnceCell<Option<Judge>>,
}

/// Photos in groups, by their places.
#[derive(Serialize, Tsify)]
pub struct TreeGroups<'a> {
    groups: &'a [Vec<usize>],
    unsure: &'a [usize],
    strictness: f32,
}

/// Are these one person? Photos are named by their places.
#[derive(Serialize, Tsify)]
pub struct TreeQuestion<'a> {
    a: &'a [usize],
    b: &'a [usize],
    together: bool,
    tells: f32,
}

#[wasm_bindgen]
impl Tree {
    /// Grows it from features `[n, dim]`, as the model gives them; `cameras` are numbers from 0, −1 where a photo's is unknown,
    /// `how` what is done with them, `links` a gallery's. `progress` is told how much is done, 0…1, about.
    ///
    /// # Errors
    /// `{ code, message }`: "bad-input" when these do not fit together; "aborted" where `progress` threw.
    #[wasm_bindgen(constructor)]
    pub fn new(
        rows: &[f32],
        dim: usize,
        cameras: Vec<i32>,
        #[wasm_bindgen(unchecked_param_type = "CameraMeans")] how: &str,
        #[wasm_bindgen(unchecked_param_type = "Links")] links: JsValue,
        #[wasm_bindgen(unchecked_param_type = "(fraction: number) => void")] progress: &Function,
    ) -> Result<Tree, JsValue> {
        let how = how.parse().map_err(bad)?;
        let links: Links = from_js(links)?;
        let cameras = known(cameras);
        let photos = Photos { rows, dim, cameras: &cameras };
        // Groups are compared with each other twice, with all photos and then with ever fewer groups, half as many each time.
        let whole = (8.0 / 3.0) * (cameras.len() as f64).powi(2);
        let mut over = 0.0;
        let mut tell = |done: usize, total: usize| {
            let pass = total as f64 * done as f64;
            let fraction = ((over + pass) / whole).min(1.0);
            if done == total {
                over += pass;
            }
            match progress.call1(&JsValue::NULL, &fraction.into()) {
                Ok(_) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        };
        let tree = grouping::Tree::grow(photos, how, &links, &mut tell).map_err(photos::bad)?;
        Ok(Self { tree, dim, judge: OnceCell::new() })
    }

    /// The groups at a strictness, 0 (all one person) to 1 (nobody alike), or at the photos' own: photos by their places.
    ///
    /// # Errors
    /// None.
    #[wasm_bindgen(unchecked_return_type = "TreeGroups")]
    pub fn groups(&self, strictness: Option<f32>) -> Result<JsValue, JsValue> {
        let grouping::Groups { groups, unsure, strictness } = self.tree.groups(strictness);
        to_js(&TreeGroups { groups: &groups, unsure: &unsure, strictness })
    }

    /// The `count` questions that tell most, at a strictness; none about pairs of photos that were `asked` about, two numbers a
    /// pair.
    ///
    /// # Errors
    /// `{ code, message }`: "internal".
    #[wasm_bindgen(unchecked_return_type = "TreeQuestion[]")]
    pub fn questions(&self, strictness: Option<f32>, asked: Vec<u32>, count: usize) -> Result<JsValue, JsValue> {
        let asked: Vec<[usize; 2]> = asked.as_chunks().0.iter().map(|pair| pair.map(|place| place as usize)).collect();
        let questions = self.tree.questions(&self.tree.groups(strictness), &asked, count).map_err(photos::bad)?;
        let view = |question: &'_ grouping::Question| -> Result<JsValue, JsValue> {
            let grouping::Question { a, b, together, tells } = question;
            to_js(&TreeQuestion { a, b, together: *together, tells: *tells })
        };
        let questions: js_sys::Array = questions.iter().map(view).collect::<Result<_, _>>()?;
        Ok(questions.into())
    }

    /// Whether each of some photos shows the person that `queries` are photos of: `{ probability, verdict }` each, by the mean
    /// distance to these, and what the groups at the photos' own strictness and earlier answers say of distances. Features are `[n, dim]`, as
    /// the model gives them; cameras have the numbers that the tree's have.
    ///
    /// # Errors
    /// `{ code, message }`: "bad-input" when these do not fit together.
    #[wasm_bindgen(unchecked_return_type = "Judged[]")]
    pub fn judge(
        &self,
        queries: &[f32],
        query_cameras: Vec<i32>,
        rows: &[f32],
        cameras: Vec<i32>,
    ) -> Result<JsValue, JsValue> {
        let place = |rows, cameras| self.tree.space().place(rows, self.dim, &known(cameras)).map_err(photos::bad);
        let (queries, photos) = (place(queries, query_cameras)?, place(rows, cameras)?);
        // Nothing is known of groups where there are none.
        let unknown = || vec![Judged::default(); photos.count()];
        to_js(&self.made_judge().map_or_else(unknown, |judge| judge.judge(&queries, &photos)))
    }

    /// From where on photos are judged to be the same or different, and how often that is wrong: the package's `Judgement`.
    ///
    /// # Errors
    /// None.
    #[wasm_bindgen(unchecked_return_type = "Judgement | undefined")]
    pub fn judgement(&self) -> Result<JsValue, JsValue> {
        to_js(&self.made_judge().map(|judge| judge.judgement()))
    }

    /// The people that some photos, named by their places, fall into.
    ///
    /// # Errors
    /// `{ code, message }`: "bad-input" for places that there are not.
    #[wasm_bindgen(unchecked_return_type = "number[][]")]
    pub fn parts(&self, photos: Vec<u32>) -> Result<JsValue, JsValue> {
        let photos: Vec<usize> = photos.into_iter().map(|photo| photo as usize).collect();
        to_js(&self.tree.parts(&photos).map_err(photos::bad)?)
    }
}

impl Tree {
    fn made_judge(&self) -> Option<&Judge> {
        self.judge.get_or_init(|| self.tree.judge(&self.tree.groups(None))).as_ref()
    }
}
