//! The WebAssembly boundary: what happened in, what to do next out, both as JSON. `src/npm/host.js` drives it.

#[cfg(not(feature = "fetch"))]
mod arena;

use wasm_bindgen::prelude::wasm_bindgen;

use crate::client;
use crate::device;
use crate::json::plain;

#[cfg(not(feature = "fetch"))]
#[global_allocator]
static ARENA: arena::Arena = arena::Arena::new();

/// To be called before a step's arguments are passed: the memory of the step before is used again.
#[wasm_bindgen]
pub fn reset() {
    #[cfg(not(feature = "fetch"))]
    ARENA.reset();
}

/// What to do next about a call; see [`client`]. The body is that of an answer. For a user agent as a JSON string, its label. All of it in UTF-8: JavaScript's
/// own encoder is there anyway, and the glue for text is large. With the feature `edge`: what to do next about a request to the handler, as the one item of an
/// array; see [`crate::edge`].
#[wasm_bindgen]
pub fn step(call: &[u8], body: &[u8]) -> Vec<u8> {
    let call = std::str::from_utf8(call).unwrap_or_default();
    // Exports of their own would cost more than they say.
    let next = match call.as_bytes().first() {
        Some(b'"') => device::describe(&plain(call)),
        #[cfg(feature = "edge")]
        Some(b'[') => crate::edge::step(call),
        _ => client::step(call, body),
    };
    next.into_bytes()
}
