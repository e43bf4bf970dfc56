//! Faults on demand: what a network, a proxy or a broken server does to an answer.
//!
//! A fault is a change to an answer. Where it needs the real answer (another content type, a cut body, a delay) the real handler runs; where it
//! replaces the answer (a status, a body, a redirect, a lost connection) the handler does not run, unless `after` says that it does: then
//! the server has done its work and only the answer is lost.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use hyper::body::{Frame, SizeHint};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::http::{Failure, MAX_BODY, read_body};

/// Name of the header that carries a fault for its own request.
pub const HEADER: HeaderName = HeaderName::from_static("x-sandbox-fault");

const MAX_RULES: usize = 1000;
const MAX_DELAY_MS: u64 = 600_000;
const MAX_HUGE_MIB: u64 = 1024;
/// The biggest real answer that a fault works on.
const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// One fault. All parts can be combined; what each does stands in the README.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fault {
    /// Milliseconds to wait, before the handler runs or (with `after`) before its answer is sent.
    #[serde(alias = "delay_ms", skip_serializing_if = "Option::is_none")]
    pub delay: Option<u64>,
    /// Answer this status, with a JSON error body unless there is a body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Text of a `Retry-After` header.
    #[serde(alias = "retry_after", skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<String>,
    /// Text of the `Content-Type` header.
    #[serde(alias = "content_type", skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// More headers, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Answer this text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Answer these bytes.
    #[serde(alias = "body_base64", skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
    /// Answer valid JSON of this many MiB, streamed and of undeclared length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub huge: Option<u64>,
    /// Answer a redirect (302 unless there is a status) to this location.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect: Option<String>,
    /// Send a whole answer with a part of its body: `true` is half of it, a number is that many bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncate: Option<Truncate>,
    /// Close the connection before the head or in the middle of the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drop: Option<Place>,
    /// Stop for ever before the head or in the middle of the body; the connection stays open until the client goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hang: Option<Place>,
    /// Run the real handler first, even where its answer is replaced or lost.
    pub after: bool,
    /// `false` leaves out the CORS headers of a replaced answer, as a proxy in front of the server would.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cors: Option<bool>,
}

/// How much of a body is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Truncate {
    /// `true`: half of it. `false`: all of it.
    Half(bool),
    /// So many bytes.
    Bytes(usize),
}

/// Where in an answer something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// Before the first byte.
    Head,
    /// After the head, a `Content-Length` for the whole body and half of the body.
    Body,
}

/// The connection is to be closed without an answer.
#[derive(Debug)]
pub struct Dropped;

impl std::fmt::Display for Dropped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection is closed by a fault")
    }
}

impl std::error::Error for Dropped {}

impl Fault {
    /// Reads the value of an [`HEADER`]: `status=503; retry-after="1; maybe"; after`, or a JSON object.
    pub fn from_header(value: &str) -> Result<Self, String> {
        let value = value.trim();
        let parts = if value.starts_with('{') { serde_json::from_str(value).map_err(|error| error.to_string())? } else { Value::Object(header_parts(value)?) };
        let fault: Self = serde_json::from_value(parts).map_err(|error| error.to_string())?;
        fault.check()?;
        Ok(fault)
    }

    /// Finds what serde can't: values out of range.
    pub fn check(&self) -> Result<(), String> {
        if self.delay.is_some_and(|delay| delay > MAX_DELAY_MS) {
            return Err(format!("delay is at most {MAX_DELAY_MS} ms"));
        }
        if self.status.is_some_and(|status| !(200..=599).contains(&status)) {
            return Err("status is 200 to 599".to_owned());
        }
        if self.huge.is_some_and(|huge| huge > MAX_HUGE_MIB) {
            return Err(format!("huge is at most {MAX_HUGE_MIB} MiB"));
        }
        let bodies = [self.body.is_some(), self.body_base64.is_some(), self.huge.is_some()];
        if bodies.into_iter().filter(|given| *given).count() > 1 {
            return Err("body, body-base64 and huge exclude each other".to_owned());
        }
        if self.huge.is_some() && (self.truncate.is_some() || self.drop == Some(Place::Body) || self.hang == Some(Place::Body)) {
            return Err("huge can't be cut".to_owned());
        }
        if let Some(text) = &self.body_base64 {
            decode_base64(text)?;
        }
        self.extra_headers().map(drop)
    }

    /// Whether the answer is made up, so that the handler need not run for it.
    fn replaces(&self) -> bool {
        self.status.is_some()
            || self.body.is_some()
            || self.body_base64.is_some()
            || self.huge.is_some()
            || self.redirect.is_some()
            || self.drop == Some(Place::Head)
            || self.hang == Some(Place::Head)
    }

    /// Plays the fault out. `cors` are the headers that let the requesting page read a made-up answer.
    pub async fn play<F, Answer>(&self, request: Request<Body>, cors: HeaderMap, handler: F) -> Result<Response, Dropped>
    where
        F: FnOnce(Request<Body>) -> Answer,
        Answer: Future<Output = Response>,
    {
        let delay = Duration::from_millis(self.delay.unwrap_or(0));
        let real = if self.after {
            let response = handler(request).await;
            tokio::time::sleep(delay).await;
            Some(response)
        } else {
            tokio::time::sleep(delay).await;
            if self.replaces() {
                // Read what the client sends, as the real server would: closing a connection with unread bytes resets it, and
                // a reset can overtake the answer.
                read_body(request.into_body(), MAX_BODY).await.ok();
                None
            } else {
                Some(handler(request).await)
            }
        };
        if self.hang == Some(Place::Head) {
            std::future::pending::<Infallible>().await;
        }
        if self.drop == Some(Place::Head) {
            return Err(Dropped);
        }
        let cors = if self.cors == Some(false) { HeaderMap::new() } else { cors };
        let response = match real.filter(|_| !self.replaces()) {
            Some(response) => response,
            None => self.made_up(cors),
        };
        Ok(self.bend(response).await)
    }

    /// An answer without the handler's help.
    fn made_up(&self, cors: HeaderMap) -> Response {
        let redirect = self.redirect.is_some().then_some(StatusCode::FOUND);
        let status = self.status.and_then(|status| StatusCode::from_u16(status).ok()).or(redirect).unwrap_or(StatusCode::OK);
        let body = if let Some(text) = &self.body {
            Some(Body::from(text.clone()))
        } else if let Some(bytes) = self.body_base64.as_deref().and_then(|text| decode_base64(text).ok()) {
            Some(Body::from(bytes))
        } else if let Some(mib) = self.huge {
            Some(Body::new(HugeJson::new(mib)))
        } else {
            redirect.map(|_| Body::empty())
        };
        let mut response = match body {
            Some(body) => {
                let mut response = Response::new(body);
                *response.status_mut() = status;
                response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
                response
            }
            None => Failure::new(status, status.canonical_reason().unwrap_or("Fault")).into_response(),
        };
        response.headers_mut().extend(cors);
        response
    }

    /// Changes the headers and cuts the body.
    async fn bend(&self, response: Response) -> Response {
        let (mut head, body) = response.into_parts();
        // Checked when the fault was set.
        head.headers.extend(self.extra_headers().unwrap_or_default());
        let cut = self.drop == Some(Place::Body) || self.hang == Some(Place::Body);
        if !cut && self.truncate.is_none() {
            return Response::from_parts(head, body);
        }
        let mut bytes = read_body(body, MAX_ANSWER).await.unwrap_or_default();
        match self.truncate {
            Some(Truncate::Half(true)) => bytes.truncate(bytes.len() / 2),
            Some(Truncate::Bytes(len)) => bytes.truncate(len),
            Some(Truncate::Half(false)) | None => {}
        }
        head.headers.remove(header::CONTENT_LENGTH); // set anew from the size of the body
        let body = match (cut, self.hang) {
            (false, _) => Body::from(bytes),
            (true, hang) => Body::new(CutBody::new(bytes, hang == Some(Place::Body))),
        };
        Response::from_parts(head, body)
    }

    fn extra_headers(&self) -> Result<HeaderMap, String> {
        let named = [("content-type", &self.content_type), ("retry-after", &self.retry_after), ("location", &self.redirect)]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.as_deref()?)));
        let others = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let mut map = HeaderMap::new();
        for (name, value) in others.chain(named) {
            let bad = || format!("not a header: {name}: {value:?}");
            let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| bad())?;
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
            if matches!(name, header::CONTENT_LENGTH | header::TRANSFER_ENCODING) {
                return Err(format!("{name} can't be set; use truncate, drop or hang"));
            }
            map.insert(name, value);
        }
        Ok(map)
    }
}

fn decode_base64(text: &str) -> Result<Vec<u8>, String> {
    base64::engine::general_purpose::STANDARD.decode(text).map_err(|error| format!("body-base64: {error}"))
}

/// Splits `name=value; name="quoted; value"; flag` and gives each value the type that its name wants.
fn header_parts(value: &str) -> Result<Map<String, Value>, String> {
    let mut parts = Map::new();
    for part in split_outside_quotes(value) {
        let part = part.trim();
        if part.is_empty() {
            continue;
        }
        let (name, text) = match part.split_once('=') {
            Some((name, text)) => (name.trim(), Some(text.trim())),
            None => (part, None),
        };
        let text = text.map(|text| text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text));
        let value = match (name, text) {
            ("delay" | "status" | "huge" | "truncate", Some(text)) if text != "true" => {
                text.parse::<u64>().map_err(|_| format!("{name} needs a number, not {text:?}"))?.into()
            }
            ("drop" | "hang", None) => "head".into(),
            ("after" | "truncate", None) => true.into(),
            ("after" | "cors" | "truncate", Some("true")) => true.into(),
            ("after" | "cors", Some("false")) => false.into(),
            (_, Some(text)) => text.into(),
            (_, None) => return Err(format!("{name:?} needs a value")),
        };
        parts.insert(name.to_owned(), value);
    }
    Ok(parts)
}

fn split_outside_quotes(value: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    value.split(move |character| {
        quoted ^= character == '"';
        character == ';' && !quoted
    })
}

/// A body that declares its whole length, sends half of it, and then ends the connection or never goes on.
struct CutBody {
    part: Option<Bytes>,
    declared: u64,
    hang: bool,
    flushed: bool,
}

impl CutBody {
    fn new(mut bytes: Bytes, hang: bool) -> Self {
        // A body of one byte or none has no middle: declare one byte more than there is.
        let declared = bytes.len().max(1) as u64;
        bytes.truncate(bytes.len() / 2);
        Self { part: Some(bytes).filter(|bytes| !bytes.is_empty()), declared, hang, flushed: false }
    }
}

impl HttpBody for CutBody {
    type Data = Bytes;
    type Error = Dropped;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Dropped>>> {
        if let Some(part) = self.part.take() {
            return Poll::Ready(Some(Ok(Frame::data(part))));
        }
        if self.hang {
            return Poll::Pending; // hyper drops the body when the client goes
        }
        if !self.flushed {
            // hyper writes out what it has when a body has to be waited for, but not when it fails.
            self.flushed = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(Dropped)))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.declared)
    }
}

/// `{"filler":"aaaa…"}`, made while it is sent.
struct HugeJson {
    pieces_left: u64,
    opened: bool,
    closed: bool,
}

const PIECE: &[u8] = &[b'a'; 64 * 1024];

impl HugeJson {
    fn new(mib: u64) -> Self {
        Self { pieces_left: mib * 16, opened: false, closed: false }
    }
}

impl HttpBody for HugeJson {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece: &'static [u8] = if !self.opened {
            self.opened = true;
            br#"{"filler":""#
        } else if self.pieces_left > 0 {
            self.pieces_left -= 1;
            PIECE
        } else if !self.closed {
            self.closed = true;
            br#""}"#
        } else {
            return Poll::Ready(None);
        };
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(piece)))))
    }
}

/// Which requests a rule is for: `[METHOD ]PATH`, where `{name}` stands for one segment and a last `*` for any rest.
///
/// `*` alone, with or without a method, is every request to a back-end. The page and `/sandbox/sign-in` have to be named; no rule can reach the
/// other `/sandbox/` routes, or it could not be taken back. Preflights are only met by a rule that says `OPTIONS`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Route {
    method: Option<Method>,
    path: String,
}

impl TryFrom<String> for Route {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (method, path) = match text.trim().split_once(' ') {
            Some((method, path)) => (Some(method), path.trim()),
            None => (None, text.trim()),
        };
        let method = match method {
            None | Some("*") => None,
            Some(method) if method.bytes().all(|byte| byte.is_ascii_uppercase()) => {
                Some(Method::from_bytes(method.as_bytes()).map_err(|error| error.to_string())?)
            }
            Some(method) => {
                return Err(format!("{method:?} is not a method (they are in capitals)"));
            }
        };
        if path != "*" && !path.starts_with('/') {
            return Err(format!("{text:?} is not a route: write [METHOD ]/path, or *"));
        }
        Ok(Self { method, path: path.to_owned() })
    }
}

impl From<Route> for String {
    fn from(route: Route) -> Self {
        match route.method {
            Some(method) => format!("{method} {}", route.path),
            None => route.path,
        }
    }
}

impl Route {
    fn matches(&self, method: &Method, path: &str, is_wire: bool) -> bool {
        match &self.method {
            Some(wanted) if wanted != method => return false,
            None if method == Method::OPTIONS => return false,
            _ => {}
        }
        if self.path == "*" {
            return is_wire;
        }
        let mut segments = path.split('/');
        let mut pattern = self.path.split('/').peekable();
        while let Some(part) = pattern.next() {
            if part == "*" && pattern.peek().is_none() {
                return true;
            }
            match segments.next() {
                Some(segment) if segment == part => {}
                Some(segment) if part.starts_with('{') && part.ends_with('}') && !segment.is_empty() => {}
                _ => return false,
            }
        }
        segments.next().is_none()
    }
}

/// A fault and the requests that it is for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The requests.
    pub route: Route,
    /// What happens to them.
    pub fault: Fault,
    /// How many more of them; for ever without it.
    #[serde(default)]
    pub times: Option<u64>,
    /// How many are let go by before.
    #[serde(default)]
    pub skip: u64,
    /// How many there were.
    #[serde(default, skip_deserializing)]
    pub hits: u64,
}

/// The rules in force.
#[derive(Default)]
pub struct Faults {
    rules: Mutex<Vec<Rule>>,
}

impl Faults {
    fn lock(&self) -> MutexGuard<'_, Vec<Rule>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the rules.
    pub fn set(&self, rules: Vec<Rule>) -> Result<(), String> {
        if rules.len() > MAX_RULES {
            return Err(format!("at most {MAX_RULES} rules"));
        }
        for (index, rule) in rules.iter().enumerate() {
            rule.fault.check().map_err(|error| format!("rule {index}: {error}"))?;
        }
        *self.lock() = rules;
        Ok(())
    }

    /// Forgets the rules.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// The rules with what is left of them.
    pub fn list(&self) -> Vec<Rule> {
        self.lock().clone()
    }

    /// The fault for a request: the first rule that matches, is not used up and has nothing to skip any more.
    pub fn take(&self, method: &Method, path: &str, is_wire: bool) -> Option<Fault> {
        for rule in self.lock().iter_mut() {
            if rule.times == Some(0) || !rule.route.matches(method, path, is_wire) {
                continue;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            rule.times = rule.times.map(|times| times - 1);
            rule.hits += 1;
            return Some(rule.fault.clone());
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn route(text: &str) -> Route {
        Route::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn routes_match_by_method_segment_and_rest() {
        let revoke = "/authvital/oauth/sessions/42/revoke";
        for (pattern, method, path, expected) in [
            ("*", Method::POST, revoke, true),
            ("*", Method::OPTIONS, revoke, false),
            ("OPTIONS *", Method::OPTIONS, revoke, true),
            ("GET *", Method::POST, revoke, false),
            ("POST /authvital/*", Method::POST, revoke, true),
            ("/authvital/*", Method::OPTIONS, revoke, false),
            ("/authvital/*", Method::POST, "/authvital-g2/api", false),
            ("POST /authvital/oauth/sessions/{id}/revoke", Method::POST, revoke, true),
            ("POST /authvital/oauth/sessions/{id}", Method::POST, revoke, false),
            ("/authvital/oauth/sessions/{id}/revoke", Method::POST, "/authvital/oauth/sessions//revoke", false),
            ("/authvital/oauth/token", Method::POST, "/authvital/oauth/token", true),
        ] {
            assert_eq!(route(pattern).matches(&method, path, true), expected, "{pattern} {method} {path}");
        }
        assert!(!route("*").matches(&Method::GET, "/index.html", false), "the page has to be named");
        assert!(route("/index.html").matches(&Method::GET, "/index.html", false));
        for bad in ["", "GET", "get /x", "x", "GET x", "GET  "] {
            assert!(Route::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn rules_are_used_in_order_and_used_up() {
        let faults = Faults::default();
        let rules = json!([
            {"route": "GET *", "fault": {"status": 500}, "times": 1, "skip": 1},
            {"route": "GET *", "fault": {"status": 501}, "times": 1},
            {"route": "GET *", "fault": {"status": 502}},
        ]);
        faults.set(serde_json::from_value(rules).unwrap()).unwrap();
        let statuses: Vec<_> = (0..4).map(|_| faults.take(&Method::GET, "/authvital/x", true).and_then(|fault| fault.status)).collect();
        assert_eq!(statuses, [Some(501), Some(500), Some(502), Some(502)]);
        assert_eq!(faults.take(&Method::POST, "/authvital/x", true), None);
        let hits: Vec<_> = faults.list().iter().map(|rule| rule.hits).collect();
        assert_eq!(hits, [1, 1, 2]);
        faults.clear();
        assert_eq!(faults.take(&Method::GET, "/authvital/x", true), None);
    }

    #[test]
    fn headers_are_read() {
        let fault = Fault::from_header("status=503; retry-after=1").unwrap();
        assert_eq!((fault.status, fault.retry_after.as_deref()), (Some(503), Some("1")));
        let fault = Fault::from_header(r#"drop; after; content-type="text/html; charset=utf-8"; body="a=b;c"; cors=false"#).unwrap();
        assert_eq!(
            fault,
            Fault {
                drop: Some(Place::Head),
                after: true,
                content_type: Some("text/html; charset=utf-8".into()),
                body: Some("a=b;c".into()),
                cors: Some(false),
                ..Fault::default()
            }
        );
        let fault = Fault::from_header("truncate; hang=body").unwrap();
        assert_eq!((fault.truncate, fault.hang), (Some(Truncate::Half(true)), Some(Place::Body)));
        assert_eq!(Fault::from_header("truncate=7").unwrap().truncate, Some(Truncate::Bytes(7)));
        let fault = Fault::from_header(r#"{"headers": {"x-a": "1"}}"#).unwrap();
        assert_eq!(fault.headers["x-a"], "1");
    }

    #[test]
    fn mistakes_are_named() {
        for (text, part) in [
            ("status=abc", "number"),
            ("status=42", "200 to 599"),
            ("status", "needs a value"),
            ("stauts=500", "stauts"),
            ("drop=tail", "tail"),
            ("huge=2; body=x", "exclude"),
            ("huge=9999999", "MiB"),
            ("huge=1; drop=body", "cut"),
            ("delay=99999999", "delay"),
            ("body-base64=!", "base64"),
            (r#"{"headers": {"a b": "1"}}"#, "not a header"),
            (r#"{"headers": {"a": "1\n2"}}"#, "not a header"),
            (r#"{"headers": {"Content-Length": "1"}}"#, "content-length"),
            ("{", "EOF"),
        ] {
            let error = Fault::from_header(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
