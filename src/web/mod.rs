//! The wasm boundary, thin. The npm package is written over it.
//!
//! A module has what its features name: `engine` a model and its pictures, `train` what learns, `formats` the files of other
//! programs, `people` what compares people by features that are there already. What none of its exports calls the linker leaves out.

#[cfg(any(all(feature = "engine", not(feature = "train")), feature = "formats"))]
mod about;
#[cfg(feature = "engine")]
mod device;
#[cfg(all(feature = "engine", not(feature = "train")))]
mod engine;
mod error;
#[cfg(feature = "formats")]
mod formats;
#[cfg(feature = "people")]
mod people;
#[cfg(feature = "engine")]
mod pixels;
#[cfg(feature = "train")]
mod tuner;

use wasm_bindgen::prelude::*;

#[cfg(feature = "engine")]
pub use device::*;
#[cfg(all(feature = "engine", not(feature = "train")))]
pub use engine::*;
#[cfg(feature = "formats")]
pub use formats::*;
#[cfg(feature = "people")]
pub use people::*;
#[cfg(feature = "engine")]
pub use pixels::Pixels;
#[cfg(feature = "train")]
pub use tuner::*;

#[expect(unsafe_code, reason = "wasm-ld's constructors can only be called as a foreign function")]
mod constructors {
    unsafe extern "C" {
        fn __wasm_call_ctors();
    }

    /// Runs the module's constructors once. burn's kernel registry brings constructors along; when nothing calls them,
    /// wasm-ld has every exported function run all of them at each call.
    pub fn run() {
        static ONCE: std::sync::Once = std::sync::Once::new();
        // SAFETY: called once, as the linker means it, and before anything that the constructors register is asked for.
        ONCE.call_once(|| unsafe { __wasm_call_ctors() });
    }
}

/// What happens when the module is loaded; a test harness, which loads it in its own way, calls this itself.
#[wasm_bindgen(start)]
pub fn start() {
    constructors::run();
    console_error_panic_hook::set_once();
}
