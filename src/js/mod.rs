//! The WebAssembly boundary. `src/npm` reads options and arguments and owns timers, signals and callbacks; here its one call comes in as JSON,
//! runs through the client with a JavaScript object as the host, and goes out as a plain object.

mod host;

use js_sys::Promise;
use serde::Serialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::future_to_promise;

use crate::device;
use crate::value::Value;
use host::Host;

/// One operation. `input` is JSON with the options and arguments; the promise gives the result, or rejects with the fields of a `SessionsError`.
#[wasm_bindgen]
pub fn call(host: Host, operation: String, input: String) -> Promise {
    future_to_promise(async move { host::run(&host, &operation, &input).await.map(|value| plain(&value)).map_err(|error| plain(&error.into_value())) })
}

/// A label for a user agent.
#[wasm_bindgen]
pub fn describe(user_agent: &str) -> JsValue {
    plain(&device::describe(user_agent))
}

/// `null` for what is not known, plain objects for the rest.
fn plain(value: &Value) -> JsValue {
    // Plain data has nothing that could fail here.
    value.serialize(&serde_wasm_bindgen::Serializer::json_compatible()).unwrap_or(JsValue::UNDEFINED)
}
