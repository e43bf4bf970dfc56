//! A bound on waiting: what it waits for is over when time runs out, and nothing of it stays behind.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use js_sys::{Array, Date, Function, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, AbortSignal};

use crate::error::{Code, Error};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_name = setTimeout)]
    fn set_timeout(callback: &Function, ms: i32, argument: &JsValue) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue) -> Result<(), JsValue>;
}

/// Waits for no longer than it was made for. Dropping it clears its timer, aborts its signal and lets go of every promise that was waited for.
pub(super) struct Guard {
    controller: AbortController,
    /// Resolves with the signal when time runs out, or when this is dropped.
    stop: Promise,
    resolve: Function,
    timer: JsValue,
    end: f64,
}

/// Why there is no value.
pub(super) enum Lost {
    /// Time ran out.
    Late,
    /// The promise was rejected, with whatever it was.
    Rejected,
}

impl Guard {
    pub(super) fn new(ms: u32) -> Result<Self, Error> {
        let missing = || Error::new(Code::Unsupported, "this runtime has no AbortController or no setTimeout");
        let controller = AbortController::new().map_err(|_| missing())?;
        let mut resolve = None;
        let stop = Promise::new(&mut |settle, _| resolve = Some(settle));
        let resolve: Function = resolve.ok_or_else(missing)?;
        let timer = set_timeout(&resolve, i32::try_from(ms).unwrap_or(i32::MAX), &controller.signal()).map_err(|_| missing())?;
        Ok(Self { controller, stop, resolve, timer, end: Date::now() + f64::from(ms) })
    }

    pub(super) fn signal(&self) -> AbortSignal {
        self.controller.signal()
    }

    /// The promise's value. Any value will do for a promise.
    pub(super) async fn wait(&self, promise: &JsValue) -> Result<JsValue, Lost> {
        // Raced in JavaScript: a JsFuture over a promise that never settles would never be freed.
        let raced = Promise::race(&Array::of2(promise, &self.stop));
        let value = JsFuture::from(raced).await.map_err(|_| Lost::Rejected)?;
        // A stream that is always ready leaves the timer no turn.
        if value == JsValue::from(self.signal()) || Date::now() > self.end { Err(Lost::Late) } else { Ok(value) }
    }

    /// The future's output, or none when time runs out.
    pub(super) async fn within<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        let mut stop = JsFuture::from(self.stop.clone());
        poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => Pin::new(&mut stop).poll(context).map(|_| None),
        })
        .await
    }

    /// Waits the whole time.
    pub(super) async fn sleep(&self) {
        self.within(std::future::pending::<()>()).await;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = clear_timeout(&self.timer);
        self.controller.abort();
        let _ = self.resolve.call1(&JsValue::UNDEFINED, &self.signal());
    }
}
