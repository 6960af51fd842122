//! How far a ranking is, as JavaScript hears of it.

use std::ops::ControlFlow;

use js_sys::Function;
use wasm_bindgen::JsValue;

use crate::ranking::Adaptation;

/// Tells a function how much is done, 0…1, of what goes through the images a few times. The function ends it by throwing.
pub(super) struct Told<'a> {
    function: &'a Function,
    passes: usize,
    /// Those that are over.
    over: usize,
}

impl<'a> Told<'a> {
    pub(super) fn new(function: &'a Function, adaptation: Adaptation) -> Self {
        Self { function, passes: adaptation.passes(), over: 0 }
    }

    pub(super) fn tell(&mut self, done: usize, total: usize) -> ControlFlow<()> {
        let fraction = (self.over as f64 + done as f64 / total as f64) / self.passes as f64;
        self.over += usize::from(done == total);
        match self.function.call1(&JsValue::NULL, &fraction.into()) {
            Ok(_) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }
}
