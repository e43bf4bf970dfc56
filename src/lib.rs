//! Sessions of users, over several authentication back-ends: list them, end one, end all, log out.
//!
//! The crate is compiled to WebAssembly and published as the npm package `auth-sessions`; `js` is that boundary. Everything else is plain Rust
//! that knows neither JavaScript nor a clock: [`provider`] turns operations into requests and answers into results, [`client`] does what is the
//! same for all back-ends; [`edge`] is the backend-for-frontend over it.

pub mod client;
pub mod device;
pub mod edge;
pub mod error;
pub mod http;
pub mod json;
pub mod jwt;
pub mod model;
pub mod provider;
pub mod secret;
pub mod text;
pub mod time;

#[cfg(all(target_arch = "wasm32", feature = "fetch"))]
pub mod fetch;
#[cfg(target_arch = "wasm32")]
pub mod js;
