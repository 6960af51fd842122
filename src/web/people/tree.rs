//! Photos in groups, without names, in a worker that can be ended while it groups.

use std::ops::ControlFlow;

use js_sys::Function;
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use super::failure::bad;
use super::objects::{from_js, to_js};
use super::photos;
use crate::gallery::Links;
use crate::gallery::grouping::{self, Photos};

/// Every grouping of some photos.
#[wasm_bindgen]
pub struct Tree(grouping::Tree);

/// The package's `TreeGroups`.
#[derive(Serialize)]
struct Groups<'a> {
    groups: &'a [Vec<usize>],
    unsure: &'a [usize],
    strictness: f32,
}

/// The package's `TreeQuestion`.
#[derive(Serialize)]
struct Question<'a> {
    a: &'a [usize],
    b: &'a [usize],
    together: bool,
    tells: f32,
}

/// What a gallery's [`Links`] are in JavaScript.
#[derive(Serialize, Deserialize)]
pub(super) struct KnownLinks {
    same: Vec<Vec<usize>>,
    different: Vec<[usize; 2]>,
    named: Vec<usize>,
}

impl From<Links> for KnownLinks {
    fn from(Links { same, different, named }: Links) -> Self {
        Self { same, different, named }
    }
}

impl From<KnownLinks> for grouping::Links {
    fn from(KnownLinks { same, mut different, named }: KnownLinks) -> Self {
        different.extend(named.iter().enumerate().flat_map(|(at, &a)| named[..at].iter().map(move |&b| [b, a])));
        Self { same, different }
    }
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
        how: &str,
        links: JsValue,
        progress: &Function,
    ) -> Result<Tree, JsValue> {
        let how = how.parse().map_err(bad)?;
        let links: KnownLinks = from_js(links)?;
        let cameras: Vec<_> = cameras.into_iter().map(|camera| (camera >= 0).then_some(camera)).collect();
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
        let tree = grouping::Tree::grow(photos, how, &links.into(), &mut tell).map_err(photos::bad)?;
        Ok(Self(tree))
    }

    /// The groups at a strictness, 0 (all one person) to 1 (nobody alike), or at the photos' own: photos by their places.
    ///
    /// # Errors
    /// None.
    pub fn groups(&self, strictness: Option<f32>) -> Result<JsValue, JsValue> {
        let grouping::Groups { groups, unsure, strictness } = self.0.groups(strictness);
        to_js(&Groups { groups: &groups, unsure: &unsure, strictness })
    }

    /// The `count` questions that tell most, at a strictness; none about pairs of photos that were `asked` about, two numbers a
    /// pair.
    ///
    /// # Errors
    /// `{ code, message }`: "internal".
    pub fn questions(&self, strictness: Option<f32>, asked: Vec<u32>, count: usize) -> Result<JsValue, JsValue> {
        let asked: Vec<[usize; 2]> = asked.as_chunks().0.iter().map(|pair| pair.map(|place| place as usize)).collect();
        let questions = self.0.questions(&self.0.groups(strictness), &asked, count).map_err(photos::bad)?;
        let view = |question: &'_ grouping::Question| -> Result<JsValue, JsValue> {
            let grouping::Question { a, b, together, tells } = question;
            to_js(&Question { a, b, together: *together, tells: *tells })
        };
        let questions: js_sys::Array = questions.iter().map(view).collect::<Result<_, _>>()?;
        Ok(questions.into())
    }
}
