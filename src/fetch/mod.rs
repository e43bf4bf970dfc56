//! The client for applications in Rust that run in a browser or an edge worker (Yew, Leptos, workers-rs): feature `fetch`, wasm only.
//!
//! ```ignore
//! use auth_sessions::fetch::{Options, Sessions};
//!
//! let sessions = Sessions::new(Options {
//!     token: access_token.into(),
//!     refresh_token: refresh_token.into(),
//!     client_id: Some("my-client".into()),
//!     ..Options::new("authvital", "https://auth.example.com")
//! });
//! for session in sessions.list().await?.sessions {
//!     log(&session.id, session.current);
//! }
//! ```
//!
//! It drives [`client::Call`](crate::client::Call) with the `fetch` around it. Every future ends in time, whatever that `fetch` does; dropping one aborts
//! its request, but for a refresh, whose answer must not be lost. The npm package does not use this: it drives the same calls from JavaScript.

mod drive;
mod guard;
mod types;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use wasm_bindgen::JsValue;

pub use crate::cookie::{CookieSpec, SameSite};
pub use crate::error::{Code, Error};
pub use types::{Capabilities, ClearedCookie, Device, Location, LoggedOut, Page, Revoked, RevokedAll, Session, Tokens};
pub use web_sys::RequestCredentials;

/// A future of one thread.
pub type LocalFuture<T> = Pin<Box<dyn Future<Output = T>>>;

/// A function that is told new tokens; the texts of its errors go nowhere.
pub type OnTokens = Rc<dyn Fn(Tokens) -> LocalFuture<Result<(), String>>>;

/// Where a token comes from.
#[derive(Clone, Default)]
pub enum Token {
    /// There is none.
    #[default]
    None,
    /// This one, until a refresh gives a newer one.
    Fixed(String),
    /// Asked before every request. An error is `unauthenticated`; its text goes nowhere, since it may hold a secret.
    Ask(Rc<dyn Fn() -> LocalFuture<Result<Option<String>, String>>>),
}

impl Token {
    /// A function that is asked before every request.
    pub fn ask<F: Future<Output = Result<Option<String>, String>> + 'static>(ask: impl Fn() -> F + 'static) -> Self {
        Self::Ask(Rc::new(move || Box::pin(ask())))
    }
}

impl<T: Into<String>> From<T> for Token {
    fn from(token: T) -> Self {
        Self::Fixed(token.into())
    }
}

/// The options of a client; [`Options::new`] has the defaults.
#[derive(Clone)]
pub struct Options {
    /// The back-end's name: "authvital".
    pub provider: String,
    /// Where the back-end is, path prefix included. A page may name its own origin by path.
    pub base_url: String,
    /// Access token.
    pub token: Token,
    /// Refresh token; AuthVital names the current session in it.
    pub refresh_token: Token,
    /// Told every new pair of tokens; awaited before the waiting calls go on.
    pub on_tokens: Option<OnTokens>,
    /// OAuth client id, where refresh needs one.
    pub client_id: Option<String>,
    /// In place of the global `fetch`.
    pub fetch: Option<js_sys::Function>,
    /// More headers for every request.
    pub headers: BTreeMap<String, String>,
    /// Whether cookies go with the requests.
    pub credentials: Option<RequestCredentials>,
    /// Milliseconds for one attempt (10 000).
    pub timeout: u32,
    /// Milliseconds for a whole call (30 000); `revoke_all` and `revoke_others` have them for each request.
    pub total_timeout: u32,
    /// Extra attempts (2).
    pub max_retries: u32,
    /// Longest wait, in seconds, that the back-end may ask for (10).
    pub max_retry_after: u32,
    /// Cookies that a logout clears.
    pub cookies: Vec<CookieSpec>,
    /// Tokens may go over plain http to other machines.
    pub allow_insecure: bool,
}

impl Options {
    /// The defaults for a back-end.
    pub fn new(provider: &str, base_url: &str) -> Self {
        Self {
            provider: provider.to_owned(),
            base_url: base_url.to_owned(),
            token: Token::None,
            refresh_token: Token::None,
            on_tokens: None,
            client_id: None,
            fetch: None,
            headers: BTreeMap::new(),
            credentials: None,
            timeout: 10_000,
            total_timeout: 30_000,
            max_retries: 2,
            max_retry_after: 10,
            cookies: Vec::new(),
            allow_insecure: false,
        }
    }
}

/// What one call has besides the client's options.
#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CallOptions {
    /// The `Authorization` of the request that is being served: sent in place of this client's own tokens.
    pub authorization: Option<String>,
    /// Sessions of this application only.
    pub application_id: Option<String>,
    /// Milliseconds for one attempt.
    pub timeout: Option<u32>,
    /// More headers.
    pub headers: BTreeMap<String, String>,
}

/// The sessions of a user. Clones share everything, as one client.
#[derive(Clone)]
pub struct Sessions {
    client: Rc<Client>,
    call: CallOptions,
}

/// What clones share. Nothing here is borrowed across an await.
struct Client {
    options: Options,
    memory: RefCell<BTreeMap<String, String>>,
    /// The refresh that is under way.
    refreshing: RefCell<Option<js_sys::Promise>>,
}

impl Sessions {
    /// A client. The options are checked by its calls.
    pub fn new(options: Options) -> Self {
        Self { client: Rc::new(Client { options, memory: RefCell::default(), refreshing: RefCell::default() }), call: CallOptions::default() }
    }

    /// The same client, with these options for its calls.
    #[must_use]
    pub fn with(&self, call: CallOptions) -> Self {
        Self { client: Rc::clone(&self.client), call }
    }

    /// The sessions.
    pub async fn list(&self) -> Result<Page, Error> {
        self.typed("list", None).await
    }

    /// One of them.
    pub async fn get(&self, id: &str) -> Result<Session, Error> {
        self.typed("get", Some(id)).await
    }

    /// The session that this client uses.
    pub async fn current(&self) -> Result<Session, Error> {
        self.typed("current", None).await
    }

    /// Ends one.
    pub async fn revoke(&self, id: &str) -> Result<Revoked, Error> {
        self.typed("revoke", Some(id)).await
    }

    /// Ends the session that this client uses.
    pub async fn revoke_current(&self) -> Result<Revoked, Error> {
        self.typed("revokeCurrent", None).await
    }

    /// Ends all.
    pub async fn revoke_all(&self) -> Result<RevokedAll, Error> {
        self.typed("revokeAll", None).await
    }

    /// Ends all but the session that this client uses; `current_unknown` rather than a guess. Where some can't be ended it is `partial_revocation`,
    /// with the ids that are ended and, of the others, objects with `id` and `error`, in `partial`.
    pub async fn revoke_others(&self) -> Result<RevokedAll, Error> {
        self.typed("revokeOthers", None).await
    }

    /// Ends the session of this refresh token, or of the client's own, and clears the cookies in the options.
    pub async fn logout(&self, refresh_token: Option<&str>) -> Result<LoggedOut, Error> {
        drive::logout(self, refresh_token).await.and_then(|value| typed(&value))
    }

    /// New tokens. Calls meanwhile wait for the same ones.
    pub async fn refresh(&self) -> Result<Tokens, Error> {
        drive::refreshed(self).await.and_then(|value| typed(&value))
    }

    /// What the back-end can do.
    pub async fn capabilities(&self) -> Result<Capabilities, Error> {
        self.typed("capabilities", None).await
    }

    /// The same by name, for those who hand results on to JavaScript: plain objects, the errors too. The names are those of the npm package; the arguments
    /// are an object with `id`, `refreshToken` and the members of [`CallOptions`] in camel case, or nothing.
    pub async fn call(&self, operation: &str, arguments: &JsValue) -> Result<JsValue, JsValue> {
        self.by_name(operation, arguments).await.map_err(|error| plain(&error).unwrap_or_else(|_| error.code.as_str().into()))
    }

    async fn by_name(&self, operation: &str, arguments: &JsValue) -> Result<JsValue, Error> {
        #[derive(Default, Deserialize)]
        #[serde(default, rename_all = "camelCase")]
        struct Named {
            id: Option<String>,
            refresh_token: Option<String>,
        }
        let Named { id, refresh_token } = read(arguments)?;
        let id = || id.as_deref().ok_or_else(|| Error::new(Code::InvalidArgument, "id is missing: a session's id, a string"));
        let sessions = self.with(read(arguments)?);
        match operation {
            "list" => plain(&sessions.list().await?),
            "get" => plain(&sessions.get(id()?).await?),
            "current" => plain(&sessions.current().await?),
            "revoke" => plain(&sessions.revoke(id()?).await?),
            "revokeCurrent" => plain(&sessions.revoke_current().await?),
            "revokeAll" => plain(&sessions.revoke_all().await?),
            "revokeOthers" => plain(&sessions.revoke_others().await?),
            "logout" => plain(&sessions.logout(refresh_token.as_deref()).await?),
            "refresh" => plain(&sessions.refresh().await?),
            "capabilities" => plain(&sessions.capabilities().await?),
            _ => Err(Error::new(Code::Unsupported, "there is no such operation")),
        }
    }

    async fn typed<T: DeserializeOwned>(&self, goal: &'static str, id: Option<&str>) -> Result<T, Error> {
        drive::run(self, goal, id, None).await.and_then(|value| typed(&value))
    }
}

fn read<T: DeserializeOwned + Default>(arguments: &JsValue) -> Result<T, Error> {
    if arguments.is_undefined() || arguments.is_null() {
        return Ok(T::default());
    }
    serde_wasm_bindgen::from_value(arguments.clone()).map_err(|_| Error::new(Code::InvalidArgument, "the arguments must be an object of the right types"))
}

fn typed<T: DeserializeOwned>(value: &JsValue) -> Result<T, Error> {
    serde_wasm_bindgen::from_value(value.clone()).map_err(|_| Error::new(Code::Internal, "a result of an unexpected form"))
}

fn plain<T: Serialize>(value: &T) -> Result<JsValue, Error> {
    value.serialize(&serde_wasm_bindgen::Serializer::json_compatible()).map_err(|_| Error::new(Code::Internal, "a result that can't be handed on"))
}
