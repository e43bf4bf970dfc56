//! The WebAssembly boundary: a call's events in, what to do next out, both as JSON. `src/npm/host.js` drives it.

use wasm_bindgen::prelude::wasm_bindgen;

use crate::client;
use crate::device;

/// One call of a method; to be freed when it is over.
#[wasm_bindgen]
pub struct Call(Result<client::Call, String>);

#[wasm_bindgen]
impl Call {
    /// A call of a method. The input is JSON with the options and arguments by name. The goal `describe` takes a user agent, and its one step gives the label.
    #[wasm_bindgen(constructor)]
    pub fn new(goal: &str, input: &str) -> Self {
        // Needs no steps. An export of its own would cost more than it says.
        if goal == "describe" {
            return Self(Err(describe(input)));
        }
        Self(client::Call::new(goal, input).map_err(|error| client::failed(&error)))
    }

    /// What to do after an event; see [`client`]. The body is that of an answer.
    pub fn step(&mut self, event: &str, body: Vec<u8>) -> String {
        match &mut self.0 {
            Ok(call) => call.step(event, body),
            Err(failed) => failed.clone(),
        }
    }
}

/// A label for a user agent, in JSON.
pub fn describe(user_agent: &str) -> String {
    device::describe(user_agent)
}
