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
//! It drives [`client::step`](crate::client::step) with the `fetch` around it. Every future ends in time, whatever that `fetch` does; dropping one aborts
//! its request, but for a refresh, whose answer must not be lost. The npm package does not use this: it drives the same calls from JavaScript.

mod drive;
mod guard;
mod types;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use wasm_bindgen::JsValue;

pub use crate::error::{Code, Error};
pub use crate::secret::Secret;
pub use crate::text::Text;
pub use types::{
    Capabilities, ClearedCookie, CookieSpec, Device, Environment, Location, LoggedOut, Page, PageSize, RefreshSession, Renewed, Revoked, RevokedAll, SameSite,
    Session, SessionToken, SignIn, Tokens,
};
pub use web_sys::RequestCredentials;

use crate::json::{List, Writer, join, quoted};

/// A future of one thread.
pub type LocalFuture<T> = Pin<Box<dyn Future<Output = T>>>;

/// A function that is told new tokens; the texts of its errors go nowhere.
pub type OnTokens = Rc<dyn Fn(Tokens) -> LocalFuture<Result<(), String>>>;

/// A function that asks the user to sign in again; true = try the call again.
pub type OnReauthenticate = Rc<dyn Fn(Error) -> LocalFuture<bool>>;

/// Where a token comes from.
#[derive(Clone, Default)]
pub enum Token {
    /// There is none.
    #[default]
    None,
    /// This one, until a refresh gives a newer one.
    Fixed(Secret),
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
        Self::Fixed(Secret::new(token.into()))
    }
}

/// The options of a client; [`Options::new`] has the defaults.
#[derive(Clone)]
pub struct Options {
    /// The back-end's name: "authvital", "clerk", "ksef", "rest" or "better-auth".
    pub provider: String,
    /// Where the back-end is, path prefix included. A page may name its own origin by path. Empty: where Clerk or KSeF are.
    pub base_url: String,
    /// KSeF only: which one, where `base_url` is empty.
    pub environment: Option<Environment>,
    /// Access token, or Clerk's secret key.
    pub token: Token,
    /// Refresh token; AuthVital names the current session in it.
    pub refresh_token: Token,
    /// Told every new pair of tokens; awaited before the waiting calls go on.
    pub on_tokens: Option<OnTokens>,
    /// Asked once in a call whose back-end wants the user to sign in again first; the call waits ten minutes for it.
    pub on_reauthenticate: Option<OnReauthenticate>,
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
    /// A secret key may be used in a browser, where everybody can read it.
    pub dangerously_allow_browser: bool,
}

impl Options {
    /// The defaults for a back-end.
    pub fn new(provider: &str, base_url: &str) -> Self {
        Self {
            provider: provider.to_owned(),
            base_url: base_url.to_owned(),
            environment: None,
            token: Token::None,
            refresh_token: Token::None,
            on_tokens: None,
            on_reauthenticate: None,
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
            dangerously_allow_browser: false,
        }
    }
}

/// What one call has besides the client's options.
#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CallOptions {
    /// The `Authorization` of the request that is being served, empty where it has none: sent in place of this client's own tokens. With Clerk the secret
    /// key is sent, and this only tells the current session.
    pub authorization: Option<String>,
    /// Of `list`, `revoke_all` and `revoke_others`: sessions of this application only (AuthVital).
    pub application_id: Option<String>,
    /// The same: sessions of this user (Clerk).
    pub user_id: Option<String>,
    /// Of `list`: sessions of this client (Clerk).
    pub client_id: Option<String>,
    /// Of `list`: sessions in this state only (Clerk).
    pub status: Option<String>,
    /// Of `list`: how many sessions a page has; see [`Capabilities::page_size`].
    pub page_size: Option<u32>,
    /// Of `list`: the `next` of an earlier page.
    pub cursor: Option<String>,
    /// Milliseconds for one attempt.
    pub timeout: Option<u32>,
    /// More headers.
    pub headers: BTreeMap<String, String>,
}

impl CallOptions {
    /// What is not for one operation only, nor somebody else's.
    fn bare(&self) -> Self {
        Self { timeout: self.timeout, headers: self.headers.clone(), ..Self::default() }
    }
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
    memory: RefCell<drive::Members>,
    /// The refreshes that are under way, by refresh token in JSON.
    refreshing: RefCell<BTreeMap<String, Refreshing>>,
    /// The access token that the last refresh was for, in JSON.
    old: RefCell<Option<Text>>,
    /// Logouts of its own that are under way.
    leaving: Cell<usize>,
    /// When the last revocations were that have to keep to limits.
    paced: RefCell<Vec<Rc<Cell<f64>>>>,
}

/// A refresh: the promise resolves when there is an outcome, the new tokens in JSON.
#[derive(Clone)]
struct Refreshing {
    promise: js_sys::Promise,
    outcome: Rc<OnceCell<Result<String, Error>>>,
    /// The tokens are there, and `on_tokens` has them.
    is_told: Rc<Cell<bool>>,
}

impl Sessions {
    /// A client. The options are checked by its calls.
    pub fn new(options: Options) -> Self {
        let client = Client {
            options,
            memory: RefCell::default(),
            refreshing: RefCell::default(),
            old: RefCell::default(),
            leaving: Cell::default(),
            paced: RefCell::default(),
        };
        Self { client: Rc::new(client), call: CallOptions::default() }
    }

    /// The same client, with these options for its calls.
    #[must_use]
    pub fn with(&self, call: CallOptions) -> Self {
        Self { client: Rc::clone(&self.client), call }
    }

    /// The sessions.
    pub async fn list(&self) -> Result<Page, Error> {
        self.typed("list", &mut Writer::new()).await
    }

    /// One of them.
    pub async fn get(&self, id: &str) -> Result<Session, Error> {
        self.typed("get", Writer::new().text("id", Some(id))).await
    }

    /// The session that this client uses.
    pub async fn current(&self) -> Result<Session, Error> {
        self.typed("current", &mut Writer::new()).await
    }

    /// Ends one.
    pub async fn revoke(&self, id: &str) -> Result<Revoked, Error> {
        self.typed("revoke", Writer::new().text("id", Some(id))).await
    }

    /// Ends the session that this client uses.
    pub async fn revoke_current(&self) -> Result<Revoked, Error> {
        self.typed("revokeCurrent", &mut Writer::new()).await
    }

    /// Ends all. Where the back-end can't do that at once they are ended one by one, no faster than it takes them, however long that is.
    pub async fn revoke_all(&self) -> Result<RevokedAll, Error> {
        self.typed("revokeAll", &mut Writer::new()).await
    }

    /// Ends all but the session that this client uses; `current_unknown` rather than a guess. Where some can't be ended it is `partial_revocation`,
    /// with the ids that are ended and, of the others, objects with `id` and `error`, in `partial`.
    pub async fn revoke_others(&self) -> Result<RevokedAll, Error> {
        self.typed("revokeOthers", &mut Writer::new()).await
    }

    /// Ends the session of this refresh token, or of the client's own, and clears the cookies in the options.
    pub async fn logout(&self, refresh_token: Option<&str>) -> Result<LoggedOut, Error> {
        if refresh_token.is_none() {
            self.check_served()?;
        }
        drive::logout(self, refresh_token).await
    }

    /// New tokens. Calls meanwhile wait for the same ones.
    pub async fn refresh(&self) -> Result<Tokens, Error> {
        drive::renewed(self).await.and_then(|tokens| typed(&tokens))
    }

    /// What the back-end can do.
    pub async fn capabilities(&self) -> Result<Capabilities, Error> {
        self.typed("capabilities", &mut Writer::new()).await
    }

    /// Makes a session for a user (Clerk).
    pub async fn create(&self, user_id: &str, active_organization_id: Option<&str>) -> Result<Session, Error> {
        let sessions = self.with(CallOptions { user_id: Some(user_id.to_owned()), ..self.call.clone() });
        sessions.typed("create", Writer::new().text("activeOrganizationId", active_organization_id)).await
    }

    /// Makes a token of a session (Clerk); it lives as long as Clerk's do unless the seconds are given.
    pub async fn create_token(&self, id: &str, expires_in_seconds: Option<u32>) -> Result<SessionToken, Error> {
        self.typed("createToken", Writer::new().text("id", Some(id)).optional("expiresInSeconds", expires_in_seconds.map(i64::from))).await
    }

    /// The same by a template (Clerk).
    pub async fn create_token_from_template(&self, id: &str, template: &str, expires_in_seconds: Option<u32>) -> Result<SessionToken, Error> {
        let mut arguments = Writer::new();
        arguments.text("id", Some(id)).text("template", Some(template)).optional("expiresInSeconds", expires_in_seconds.map(i64::from));
        self.typed("createTokenFromTemplate", &mut arguments).await
    }

    /// Renews a session's token (Clerk).
    pub async fn refresh_session(&self, id: &str, input: &RefreshSession) -> Result<Renewed, Error> {
        let mut headers = Writer::new();
        for (name, values) in &input.request_headers {
            let mut list = List::default();
            for value in values {
                list.push(&quoted(value.expose()));
            }
            headers.named(name, &list.finish());
        }
        let mut arguments = Writer::new();
        arguments.text("id", Some(id)).text("expiredToken", Some(input.expired_token.expose())).text("sessionRefreshToken", Some(input.refresh_token.expose()));
        arguments.text("requestOrigin", Some(&input.request_origin)).text("requestOriginatingIp", input.request_originating_ip.as_deref());
        arguments.text("format", input.format.as_deref());
        if !input.request_headers.is_empty() {
            arguments.json("requestHeaders", &headers.finish());
        }
        self.typed("refreshSession", &mut arguments).await
    }

    /// The same by name, for those who hand results on to JavaScript: plain objects, the errors too. The names are those of the npm package; the arguments
    /// are an object with those of the method (`id`, `refreshToken`, `template` and so on) and the members of [`CallOptions`], in camel case, or nothing.
    pub async fn call(&self, operation: &str, arguments: &JsValue) -> Result<JsValue, JsValue> {
        self.by_name(operation, arguments).await.map_err(|error| plain(&error).unwrap_or_else(|_| error.code.as_str().into()))
    }

    async fn by_name(&self, operation: &str, arguments: &JsValue) -> Result<JsValue, Error> {
        #[derive(Default, Deserialize)]
        #[serde(default, rename_all = "camelCase")]
        struct Named {
            id: Option<String>,
            refresh_token: Option<String>,
            template: Option<String>,
            user_id: Option<String>,
            active_organization_id: Option<String>,
            expires_in_seconds: Option<u32>,
        }
        fn there<'a>(name: &str, value: &'a Option<String>) -> Result<&'a str, Error> {
            value.as_deref().ok_or_else(|| Error::new(Code::InvalidArgument, &join(name, " is missing: a string", "")))
        }
        let named: Named = read(arguments)?;
        let id = || there("id", &named.id);
        let sessions = self.with(read(arguments)?);
        match operation {
            "list" => plain(&sessions.list().await?),
            "get" => plain(&sessions.get(id()?).await?),
            "current" => plain(&sessions.current().await?),
            "revoke" => plain(&sessions.revoke(id()?).await?),
            "revokeCurrent" => plain(&sessions.revoke_current().await?),
            "revokeAll" => plain(&sessions.revoke_all().await?),
            "revokeOthers" => plain(&sessions.revoke_others().await?),
            "logout" => plain(&sessions.logout(named.refresh_token.as_deref()).await?),
            "refresh" => plain(&sessions.refresh().await?),
            "capabilities" => plain(&sessions.capabilities().await?),
            "create" => plain(&sessions.create(there("userId", &named.user_id)?, named.active_organization_id.as_deref()).await?),
            "createToken" => plain(&sessions.create_token(id()?, named.expires_in_seconds).await?),
            "createTokenFromTemplate" => {
                let template = there("template", &named.template)?;
                plain(&sessions.create_token_from_template(id()?, template, named.expires_in_seconds).await?)
            }
            "refreshSession" => plain(&sessions.refresh_session(id()?, &read(arguments)?).await?),
            _ => Err(Error::new(Code::Unsupported, "there is no such operation")),
        }
    }

    async fn typed<T: DeserializeOwned>(&self, goal: &str, arguments: &mut Writer) -> Result<T, Error> {
        self.check_served()?;
        drive::run(self, goal, arguments).await.and_then(|result| typed(&result))
    }

    /// A request without an `Authorization` is nobody's.
    fn check_served(&self) -> Result<(), Error> {
        match self.call.authorization.as_deref().map(str::trim_ascii) {
            Some("") => Err(Error::new(Code::Unauthenticated, "the request has no Authorization header")),
            _ => Ok(()),
        }
    }
}

fn read<T: DeserializeOwned + Default>(arguments: &JsValue) -> Result<T, Error> {
    if arguments.is_undefined() || arguments.is_null() {
        return Ok(T::default());
    }
    serde_wasm_bindgen::from_value(arguments.clone()).map_err(|_| Error::new(Code::InvalidArgument, "the arguments must be an object of the right types"))
}

fn typed<T: DeserializeOwned>(json: &str) -> Result<T, Error> {
    from_js(&js_sys::JSON::parse(json).unwrap_or_default())
}

fn from_js<T: DeserializeOwned>(value: &JsValue) -> Result<T, Error> {
    serde_wasm_bindgen::from_value(value.clone()).map_err(|_| Error::new(Code::Internal, "a result of an unexpected form"))
}

fn plain<T: Serialize>(value: &T) -> Result<JsValue, Error> {
    value.serialize(&serde_wasm_bindgen::Serializer::json_compatible()).map_err(|_| Error::new(Code::Internal, "a result that can't be handed on"))
}
