//! Waiting for what a GPU, its driver or the browser may never answer.

use std::time::Duration;

use super::GpuError;

/// What an adapter or a device is waited for. A browser may have its hands full with what another page compiles.
pub const OPENING: Duration = Duration::from_secs(20);

/// What a GPU's word on its work is waited for.
pub const WORK: Duration = Duration::from_secs(120);

/// What comes of an answer, or [`GpuError::Silent`] when the time is over. Natively a driver answers before it returns.
#[cfg(not(target_arch = "wasm32"))]
pub async fn within<T>(_limit: Duration, answer: impl Future<Output = T>) -> Result<T, GpuError> {
    Ok(answer.await)
}

/// What comes of an answer, or [`GpuError::Silent`] when the time is over.
#[cfg(target_arch = "wasm32")]
pub async fn within<T>(limit: Duration, answer: impl Future<Output = T>) -> Result<T, GpuError> {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;

    let (mut answer, mut timer) = (pin!(answer), timer::Timer::new(limit));
    // A result that is there counts, however late it is: a computer may have slept meanwhile.
    poll_fn(|context| match (answer.as_mut().poll(context), timer.poll(context)) {
        (Poll::Ready(answer), _) => Poll::Ready(Ok(answer)),
        (Poll::Pending, Poll::Ready(())) => Poll::Ready(Err(GpuError::Silent(limit.as_secs()))),
        (Poll::Pending, Poll::Pending) => Poll::Pending,
    })
    .await
}

#[cfg(target_arch = "wasm32")]
mod timer {
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use std::time::Duration;

    use js_sys::{Function, Promise};
    use wasm_bindgen::prelude::*;
    use wasm_bindgen_futures::JsFuture;

    #[wasm_bindgen]
    extern "C" {
        #[wasm_bindgen(js_name = setTimeout)]
        fn set_timeout(callback: &Function, milliseconds: f64) -> JsValue;
        #[wasm_bindgen(js_name = clearTimeout)]
        fn clear_timeout(timer: &JsValue);
    }

    /// Ready when its time is over. Dropped, it no longer keeps anything alive.
    pub struct Timer {
        over: JsFuture,
        handle: JsValue,
    }

    impl Timer {
        pub fn new(time: Duration) -> Self {
            let mut handle = JsValue::UNDEFINED;
            let over = Promise::new(&mut |resolve, _| handle = set_timeout(&resolve, time.as_secs_f64() * 1e3));
            Self { over: over.into(), handle }
        }

        pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
            Pin::new(&mut self.over).poll(context).map(drop)
        }
    }

    impl Drop for Timer {
        fn drop(&mut self) {
            clear_timeout(&self.handle);
        }
    }
}
