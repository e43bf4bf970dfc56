//! The WebAssembly boundary: what happened in, what to do next out, both as JSON. `src/npm/host.js` drives it.

#[cfg(not(feature = "fetch"))]
mod arena;

use wasm_bindgen::prelude::wasm_bindgen;

use crate::client;

#[cfg(not(feature = "fetch"))]
#[global_allocator]
static ARENA: arena::Arena = arena::Arena::new();

/// To be called when a step's answer was read: its memory is overwritten, and used again.
#[wasm_bindgen]
pub fn reset() {
    #[cfg(not(feature = "fetch"))]
    ARENA.reset();
}

/// For tests of what becomes of a call, and of the next one, when wasm traps: a header `x-trap` says at which event. No published build has it.
#[cfg(feature = "trap")]
fn trap(call: &str) {
    use crate::json::{Document, root};
    let document = Document::read(call);
    let json = root(&document);
    if json.member("headers").items().any(|pair| pair.source() == crate::json::join("[\"x-trap\",", json.member("event").source(), "]")) {
        core::arch::wasm32::unreachable();
    }
}

/// What to do next about a call; see [`client`]. The body is that of an answer. With the feature `edge`: what to do next about a request to the handler, as the one item of
/// an array; see [`crate::edge`]. All of it in UTF-8: JavaScript's own encoder is there anyway, and the glue for text is large.
#[wasm_bindgen]
pub fn step(call: &[u8], body: &[u8]) -> Vec<u8> {
    let call = crate::json::utf8(call).unwrap_or_default();
    #[cfg(feature = "trap")]
    trap(call);
    // An export of its own would cost more than it says.
    #[cfg(feature = "edge")]
    if call.as_bytes().first() == Some(&b'[') {
        return crate::edge::step(call).into_bytes();
    }
    client::step(call, body).into_bytes()
}
