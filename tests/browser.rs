//! What needs a browser: `cargo xtask test wasm`. The sandbox's address is compiled in (`SANDBOX_URL`); without it the tests that need it say so and pass.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "clippy knows tests by #[test] only")]

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

#[path = "browser/core.rs"]
mod core;
#[cfg(feature = "fetch")]
#[path = "browser/fetch.rs"]
mod fetch;
#[path = "browser/npm.rs"]
mod npm;
