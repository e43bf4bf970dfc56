//! The wire formats of the back-ends: one file each, all over the one store.
//!
//! A new back-end is a file with a `router` and `credentials` here, a line in [`mount`], its prefix in [`MOUNTS`], and its name in [`WireName`] and
//! [`credentials`].

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use hyper::header::{self, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::ambient::Clock as _;
use crate::app::{App, Begun, Limit};
use crate::http::{Failure, MAX_BODY, Origins, Peer, is_preflight, preflight_answer, read_body, text_of};
use crate::store::User;

pub mod authvital;
pub mod clerk;
pub mod ksef;
pub mod rest;

/// The path prefixes of the back-ends. Below them faults apply and requests are logged.
pub const MOUNTS: [&str; 6] = ["/authvital", "/authvital-g2", clerk::MOUNT, ksef::MOUNT, "/rest", "/rest-fastapi"];

/// The back-ends that no browser may call: not even an error that a fault made up has CORS headers there.
const WITHOUT_CORS: [&str; 2] = [clerk::MOUNT, ksef::MOUNT];

fn is_below(path: &str, mounts: &[&str]) -> bool {
    mounts.iter().any(|mount| path.strip_prefix(mount).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// Whether a path belongs to a back-end.
pub fn is_wire(path: &str) -> bool {
    is_below(path, &MOUNTS)
}

/// Whether JSON is served with its charset. Clerk's official client takes nothing but the bare type for JSON.
pub fn names_charset(path: &str) -> bool {
    !is_below(path, &[clerk::MOUNT])
}

/// Whether answers at this path may have CORS headers at all.
pub fn has_cors(path: &str) -> bool {
    !is_below(path, &WITHOUT_CORS)
}

/// Adds every back-end to the routes.
pub fn mount(router: Router, app: &Arc<App>) -> Router {
    use authvital::Generation;
    use rest::Flavour;
    let mut router = router.nest(clerk::MOUNT, clerk::router(Arc::clone(app))).nest(ksef::MOUNT, ksef::router(Arc::clone(app)));
    for generation in [Generation::G1, Generation::G2] {
        router = router.nest(generation.mount(), authvital::router(Arc::clone(app), generation));
    }
    for flavour in [Flavour::Plain, Flavour::FastApi] {
        router = router.nest(flavour.mount(), rest::router(Arc::clone(app), flavour));
    }
    router
}

// ------------------------------------------------------------------------------------------------ signing in

/// Which wire a sign-in is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WireName {
    /// Both generations.
    #[default]
    Authvital,
    /// See [`clerk`].
    Clerk,
    /// See [`ksef`].
    Ksef,
    /// Both flavours.
    Rest,
}

/// What a wire's client needs after a sign-in.
pub struct Credentials {
    /// For `Authorization`.
    pub access: String,
    /// For the next refresh.
    pub refresh: String,
    /// Lifetime of the access token in seconds.
    pub expires_in: i64,
    /// The user, as the wire calls them.
    pub user_id: String,
    /// What this wire has and others have not.
    pub more: Map<String, Value>,
}

/// The credentials of a session that was just made.
pub fn credentials(wire: WireName, app: &App, user: &User, begun: Begun) -> anyhow::Result<Credentials> {
    match wire {
        WireName::Authvital => authvital::credentials(app, begun),
        WireName::Clerk => clerk::credentials(app, &begun),
        WireName::Ksef => ksef::credentials(app, begun),
        WireName::Rest => rest::credentials(app, user, begun),
    }
}

// ------------------------------------------------------------------------------------------------ what several wires share

/// An error on its way from a handler to the layer that gives it the form of its wire, see [`dress`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status.
    pub status: StatusCode,
    /// The wire's own code; empty for what has none, such as a body that is too big.
    pub code: &'static str,
    /// For people.
    pub message: String,
    /// A parameter's name or a detail, as the wire has it.
    pub about: Option<String>,
}

impl Refusal {
    /// A refusal without a detail.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), about: None }
    }

    /// The same with a detail.
    pub fn about(self, about: impl Into<String>) -> Self {
        Self { about: Some(about.into()), ..self }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl<E> From<E> for Refusal
where
    Failure: From<E>,
{
    fn from(error: E) -> Self {
        let Failure { status, message } = error.into();
        Self::new(status, "", message)
    }
}

/// Gives a refusal the form of its wire; every other answer, and the headers that came with a refusal, stay as they are.
pub fn dress(response: Response, form: impl FnOnce(Refusal) -> Response) -> Response {
    let Some(refusal) = response.extensions().get::<Refusal>().cloned() else {
        return response;
    };
    let mut dressed = form(refusal);
    dressed.headers_mut().extend(response.headers().clone());
    dressed
}

/// The JSON object in a body; no body is an empty one. `bad` is the answer to anything else.
pub async fn json_object(request: Request, bad: fn(String) -> Refusal) -> Result<Map<String, Value>, Refusal> {
    let is_json = text_of(request.headers(), &header::CONTENT_TYPE)
        .and_then(|value| value.split(';').next())
        .is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case("application/json"));
    let bytes = read_body(request.into_body(), MAX_BODY).await?;
    if bytes.is_empty() {
        return Ok(Map::new());
    }
    if !is_json {
        return Err(bad("The body is not declared as application/json".to_owned()));
    }
    serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))
}

/// Counts a request; if it is one too many, answers for how many seconds there will be no other.
pub fn seconds_blocked(app: &App, request: &Request, what: &'static str, limits: &[Limit]) -> Option<i64> {
    let Peer(caller) = request.extensions().get()?;
    let now = app.clock.now_ms();
    let until = app.rate_limit.blocked_until(what, *caller, limits, now)?;
    Some(until.saturating_sub(now).saturating_add(999).div_euclid(1000))
}

/// Adds a header whose value is a number.
pub fn set_number(response: &mut Response, name: HeaderName, value: i64) {
    response.headers_mut().insert(name, HeaderValue::from(value));
}

/// Cross-origin rules: an allow-list, credentials, exactly three request headers. No response header is exposed.
pub async fn cross_origin(app: &App, request: Request, next: Next, refuse: impl FnOnce(&Request) -> Response) -> Response {
    let Some(origin) = request.headers().get(header::ORIGIN).cloned() else {
        return next.run(request).await;
    };
    if !app.origins.allows(request.headers(), &origin) {
        return refuse(&request);
    }
    if is_preflight(&request) {
        return preflight_answer(&origin, "GET,HEAD,PUT,PATCH,POST,DELETE", "Content-Type, Authorization, X-Requested-With");
    }
    let mut response = next.run(request).await;
    Origins::expose(response.headers_mut(), &origin);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_end_at_a_segment() {
        for path in ["/authvital", "/authvital/oauth/sessions", "/authvital-g2/api", "/clerk/v1/sessions", "/ksef/v2", "/rest/x", "/rest-fastapi/x"] {
            assert!(is_wire(path), "{path}");
        }
        for path in ["/authvitalx", "/sandbox/authvital", "/clerk", "/clerk/v2/sessions", "/restful"] {
            assert!(!is_wire(path), "{path}");
        }
        assert!(has_cors("/rest/api") && has_cors("/authvital"));
        assert!(!has_cors("/clerk/v1/sessions") && !has_cors("/ksef/v2"));
    }
}
