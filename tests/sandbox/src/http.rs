//! Small HTTP helpers that every wire shares: errors, bodies, cookies, origins.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use anyhow::bail;
use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};

/// The biggest request body that is read: the default limit of Express.
pub const MAX_BODY: usize = 100 * 1024;
/// How long a client may take to send its body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Who is at the other end of the connection; a request extension.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// An error answer in the form of NestJS, which AuthVital uses and the sandbox's own routes share: `{"message","error","statusCode"}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The status.
    pub status: StatusCode,
    /// For people.
    pub message: String,
}

impl Failure {
    /// An error answer.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// 400
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 401
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, message)
    }
}

/// Body of a [`Failure`].
#[derive(Serialize)]
struct FailureBody<'a> {
    message: &'a str,
    error: &'a str,
    #[serde(rename = "statusCode")]
    status_code: u16,
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = FailureBody { message: &self.message, error: self.status.canonical_reason().unwrap_or("Error"), status_code: self.status.as_u16() };
        json(self.status, &body)
    }
}

/// What goes wrong inside is for the log, not for the client.
fn internal(error: &dyn std::fmt::Display) -> Failure {
    eprintln!("sandbox: {error}");
    Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error")
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        internal(&error)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        internal(&format_args!("{error:#}"))
    }
}

/// A JSON answer.
pub fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => {
            let mut response = Response::new(Body::from(bytes));
            *response.status_mut() = status;
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
            response
        }
        Err(error) => {
            eprintln!("sandbox: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A JSON answer with status 200.
pub fn ok(body: &impl Serialize) -> Response {
    json(StatusCode::OK, body)
}

/// Reads a whole body: bounded in size and in time.
pub async fn read_body(body: Body, limit: usize) -> Result<Bytes, Failure> {
    let reading = Limited::new(body, limit).collect();
    match tokio::time::timeout(BODY_TIMEOUT, reading).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "request entity too large")),
        Ok(Err(_)) => Err(Failure::bad_request("request aborted")),
        Err(_) => Err(Failure::new(StatusCode::REQUEST_TIMEOUT, "the request body took too long")),
    }
}

/// Parameters in a request body, as Express reads them: JSON or a form by content type; nothing, or any other type, is no parameters.
pub async fn body_parameters(request: Request<Body>) -> Result<Map<String, Value>, Failure> {
    let media_type = text_of(request.headers(), &header::CONTENT_TYPE).and_then(|value| value.split(';').next()).map(|value| value.trim().to_ascii_lowercase());
    let bytes = read_body(request.into_body(), MAX_BODY).await?;
    match media_type.as_deref() {
        Some("application/json") if !bytes.is_empty() => match serde_json::from_slice(&bytes) {
            Ok(Value::Object(map)) => Ok(map),
            Ok(Value::Array(_)) => Ok(Map::new()),
            Ok(_) => Err(Failure::bad_request("the JSON body must be an object or an array")),
            Err(error) => Err(Failure::bad_request(format!("bad JSON: {error}"))),
        },
        Some("application/x-www-form-urlencoded") => {
            Ok(form_urlencoded::parse(&bytes).map(|(key, value)| (key.into_owned(), Value::String(value.into_owned()))).collect())
        }
        _ => Ok(Map::new()),
    }
}

/// A parameter that has to be a string if it is there; empty is the same as absent.
pub fn string_parameter<'a>(parameters: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Failure> {
    match parameters.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        Some(_) => Err(Failure::bad_request(format!("{name} must be a string"))),
    }
}

/// The first value of a query parameter.
pub fn query_parameter<B>(request: &Request<B>, name: &str) -> Option<String> {
    form_urlencoded::parse(request.uri().query()?.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// A header's value, if it is visible ASCII.
pub fn text_of<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The token after `Bearer `, whose case matters.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    text_of(headers, &header::AUTHORIZATION)?.strip_prefix("Bearer ").filter(|token| !token.is_empty())
}

/// The value of a cookie; an empty one is the same as none.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
        .filter(|value| !value.is_empty())
}

/// Adds a `Set-Cookie` header. `cookie` is made of our own constants and tokens, which are always valid header text.
pub fn set_cookie(response: &mut Response, cookie: &str) {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// Whether this is a CORS preflight.
pub fn is_preflight<B>(request: &Request<B>) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ORIGIN)
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// Which web pages may talk to the sandbox, and under which names.
#[derive(Debug, Clone)]
pub struct Origins {
    allowed: Vec<String>,
    address: SocketAddr,
}

impl Origins {
    /// `address` is what the sandbox listens on; its own origin is always allowed.
    pub fn new(allowed: Vec<String>, address: SocketAddr) -> Self {
        Self { allowed, address }
    }

    /// Checks an origin that somebody wants to allow: `scheme://host[:port]`, nothing after it. There is no wildcard: with credentials, that
    /// would let every page on the web act for whoever is signed in.
    pub fn parse(origin: &str) -> anyhow::Result<String> {
        let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://")).unwrap_or_default();
        let good = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte));
        if !good {
            bail!("{origin:?} is not an origin: write scheme, host and port only, such as http://localhost:5173 (`*` is not offered)");
        }
        Ok(origin.to_ascii_lowercase())
    }

    /// Whether a page of this origin may read our answers: one of the allowed ones, or the page that the sandbox itself serves.
    pub fn allows(&self, headers: &HeaderMap, origin: &HeaderValue) -> bool {
        let Ok(origin) = origin.to_str() else {
            return false;
        };
        // The Host header was checked before (see `host_is_ours`): a page that was loaded from it was loaded from us.
        let own = text_of(headers, &header::HOST).is_some_and(|host| origin.strip_prefix("http://").is_some_and(|rest| rest == host));
        own || self.allowed.iter().any(|allowed| allowed == origin)
    }

    /// The defence against DNS rebinding: a foreign page whose host name was made to point at this machine sends that name as its `Host`.
    /// Only addresses and `localhost` are ours, unless the sandbox was told to listen to other machines, which know it by any name.
    pub fn host_is_ours(&self, headers: &HeaderMap) -> bool {
        if !self.address.ip().is_loopback() {
            return true;
        }
        let Some(host) = headers.get(header::HOST) else {
            return true; // no browser leaves it out
        };
        let Ok(host) = host.to_str() else {
            return false;
        };
        let name = match host.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        }
        .to_ascii_lowercase();
        name == "localhost" || name.ends_with(".localhost") || name.parse::<IpAddr>().is_ok()
    }

    /// Adds the headers that let a page read this answer; they are the same on every wire.
    pub fn expose(response: &mut HeaderMap, origin: &HeaderValue) {
        response.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        response.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        response.insert(header::VARY, HeaderValue::from_static("Origin"));
    }
}

/// The answer to a preflight, in the form of the `cors` package of Express: it names what is allowed and leaves the rest to the browser, which
/// fails every request that wants more.
pub fn preflight_answer(origin: &HeaderValue, methods: &'static str, headers: &'static str) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    Origins::expose(response.headers_mut(), origin);
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(headers));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        let headers = headers(header::COOKIE, &["not_refresh_token=no; refresh_token=a=b", "auth_token=", ""]);
        assert_eq!(cookie(&headers, "refresh_token"), Some("a=b"));
        assert_eq!(cookie(&headers, "auth_token"), None);
        assert_eq!(cookie(&headers, "token"), None);
    }

    #[test]
    fn origins_are_exact() {
        let address = SocketAddr::from(([127, 0, 0, 1], 4800));
        let allowed = vec![Origins::parse("http://LOCALHOST:5173").unwrap()];
        let origins = Origins::new(allowed, address);
        let host = headers(header::HOST, &["127.0.0.1:4800"]);
        let allows = |origin: &str| origins.allows(&host, &HeaderValue::from_str(origin).unwrap());
        assert!(allows("http://localhost:5173"));
        assert!(allows("http://127.0.0.1:4800"));
        for foreign in
            ["http://localhost:51730", "http://localhost", "https://localhost:5173", "https://127.0.0.1:4800", "http://127.0.0.1:48000", "null", "*", ""]
        {
            assert!(!allows(foreign), "{foreign}");
        }
    }

    #[test]
    fn only_origins_can_be_allowed() {
        for bad in ["*", "null", "", "localhost:5173", "http://", "http://a/", "http://a/b", "ftp://a", "http://a b", "http://u@a"] {
            assert!(Origins::parse(bad).is_err(), "{bad}");
        }
        assert!(Origins::parse("https://[::1]:8443").is_ok());
    }

    #[test]
    fn foreign_host_names_are_not_ours() {
        let ours = |listen: [u8; 4], host: &str| Origins::new(Vec::new(), SocketAddr::from((listen, 4800))).host_is_ours(&headers(header::HOST, &[host]));
        for host in ["localhost:4800", "app.localhost", "127.0.0.1:1", "[::1]:4800", "192.0.2.1"] {
            assert!(ours([127, 0, 0, 1], host), "{host}");
        }
        for host in ["evil.example:4800", "localhost.evil.example", "127.0.0.1.evil.example", ""] {
            assert!(!ours([127, 0, 0, 1], host), "{host}");
        }
        assert!(ours([0, 0, 0, 0], "sandbox:4800"));
    }
}
