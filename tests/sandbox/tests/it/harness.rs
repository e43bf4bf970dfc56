//! A sandbox on a free port with a clock that stands still, and a small HTTP client that opens a connection per request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::header::{HeaderMap, HeaderValue};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use sandbox::ambient::{Clock, Random};
use sandbox::{Config, Running};
use serde_json::{Value, json};
use tokio::net::TcpStream;

/// 2026-01-31T09:30:00.000Z
pub const START_MS: i64 = 1_769_851_800_000;
/// No test may take longer: whatever hangs fails.
const PATIENCE: Duration = Duration::from_secs(30);

pub const G1: &str = "/authvital";
pub const G2: &str = "/authvital-g2";
pub const WEB: &str = "http://app.example:5173";

pub struct StandingClock;
impl Clock for StandingClock {
    fn now_ms(&self) -> i64 {
        START_MS
    }
}

/// Different bytes every time, the same in every run.
#[derive(Default)]
pub struct Counter(AtomicU64);
impl Random for Counter {
    fn fill(&self, buffer: &mut [u8]) -> anyhow::Result<()> {
        let n = self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes();
        for (index, byte) in buffer.iter_mut().enumerate() {
            *byte = n[index % n.len()];
        }
        Ok(())
    }
}

pub fn config() -> Config {
    Config { allow_origins: vec![WEB.to_owned()], clock: Arc::new(StandingClock), random: Arc::new(Counter::default()), ..Config::default() }
}

pub struct Sandbox {
    pub running: Running,
}

pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

impl Tokens {
    pub fn sid(&self) -> String {
        claims(&self.refresh)["sid"].as_str().unwrap().to_owned()
    }
}

impl Sandbox {
    pub async fn start() -> Self {
        Self::with(config()).await
    }

    pub async fn with(config: Config) -> Self {
        let running = sandbox::start(config).await.unwrap();
        Self { running }
    }

    pub fn call(&self, method: &str, path: impl Into<String>) -> Call {
        Call { address: self.running.address.to_string(), method: method.to_owned(), path: path.into(), headers: HeaderMap::new(), body: Bytes::new() }
    }

    pub fn get(&self, path: impl Into<String>) -> Call {
        self.call("GET", path)
    }

    pub fn post(&self, path: impl Into<String>) -> Call {
        self.call("POST", path)
    }

    /// Signs the demo user in on the default client.
    pub async fn sign_in(&self) -> Tokens {
        self.sign_in_with(json!({"email": "demo@example.com", "password": "demo-password"})).await
    }

    pub async fn sign_in_as_other(&self) -> Tokens {
        self.sign_in_with(json!({"email": "other@example.com", "password": "other-password"})).await
    }

    pub async fn sign_in_with(&self, body: Value) -> Tokens {
        let answer = self.post("/sandbox/sign-in").json(body).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let body = answer.json();
        Tokens { access: body["access_token"].as_str().unwrap().to_owned(), refresh: body["refresh_token"].as_str().unwrap().to_owned() }
    }

    /// Signs the demo user in on one of the wires: all that the sandbox says.
    pub async fn sign_in_to(&self, wire: &str) -> Value {
        self.sign_in_as("demo", wire).await
    }

    /// The same for `demo` or `other`.
    pub async fn sign_in_as(&self, name: &str, wire: &str) -> Value {
        let body = json!({"email": format!("{name}@example.com"), "password": format!("{name}-password"), "wire": wire});
        let answer = self.post("/sandbox/sign-in").json(body).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    pub async fn rate_limit(&self, enabled: bool) {
        let answer = self.call("PUT", "/sandbox/rate-limit").json(json!({"enabled": enabled})).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// Every row as it is stored, newest first.
    pub async fn rows(&self) -> Vec<Value> {
        let all = self.get("/sandbox/sessions").send().await.json();
        all["sessions"].as_array().unwrap().clone()
    }

    pub async fn advance_seconds(&self, seconds: u64) {
        let body = json!({"advance_ms": seconds * 1000});
        let answer = self.post("/sandbox/clock").json(body).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    pub async fn faults(&self, rules: Value) {
        let answer = self.call("PUT", "/sandbox/faults").json(rules).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// The list as the wire gives it.
    pub async fn list(&self, mount: &str, access: &str) -> Value {
        let path = match mount {
            G1 => "/oauth/sessions",
            _ => "/api/auth/sessions",
        };
        let answer = self.get(format!("{mount}{path}")).bearer(access).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    pub async fn ids(&self, access: &str) -> Vec<String> {
        let list = self.list(G1, access).await;
        let sessions = list["sessions"].as_array().unwrap();
        assert_eq!(list["count"], sessions.len());
        sessions.iter().map(|session| session["id"].as_str().unwrap().to_owned()).collect()
    }

    /// A row as it is stored.
    pub async fn stored(&self, id: &str) -> Value {
        self.rows().await.into_iter().find(|row| row["id"] == id).unwrap()
    }

    pub async fn log(&self) -> Vec<Value> {
        let log = self.get("/sandbox/requests").send().await.json();
        log["requests"].as_array().unwrap().clone()
    }
}

pub struct Call {
    address: String,
    method: String,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// How an answer failed to come.
#[derive(Debug, PartialEq, Eq)]
pub enum Lost {
    /// No head.
    Head,
    /// A head, but not all of the body; what there was of it.
    Body(StatusCode, Vec<u8>),
}

impl Call {
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.append(name, HeaderValue::from_str(value).unwrap());
        self
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub fn fault(self, fault: &str) -> Self {
        self.header("x-sandbox-fault", fault)
    }

    pub fn json(self, body: Value) -> Self {
        self.raw("application/json", body.to_string())
    }

    pub fn raw(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header("content-type", content_type)
    }

    pub async fn send(self) -> Answer {
        self.try_send().await.unwrap()
    }

    pub async fn try_send(self) -> Result<Answer, Lost> {
        tokio::time::timeout(PATIENCE, self.exchange()).await.expect("an answer in time")
    }

    async fn exchange(self) -> Result<Answer, Lost> {
        let stream = TcpStream::connect(&self.address).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let mut request = Request::builder().method(self.method.as_str()).uri(&self.path).body(Full::new(self.body)).unwrap();
        if !self.headers.contains_key("host") {
            let host = HeaderValue::from_str(&self.address).unwrap();
            request.headers_mut().insert("host", host);
        }
        request.headers_mut().extend(self.headers);
        let response = sender.send_request(request).await.map_err(|_| Lost::Head)?;
        let (head, mut body) = response.into_parts();
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(frame) => bytes.extend_from_slice(&frame.into_data().unwrap_or_default()),
                Err(_) => return Err(Lost::Body(head.status, bytes)),
            }
        }
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body: bytes.into() })
    }
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        assert_eq!(self.header("content-type").map(|value| value.trim_end_matches("; charset=utf-8")), Some("application/json"));
        serde_json::from_slice(&self.body).unwrap()
    }

    /// A body of the type `application/problem+json`.
    pub fn problem(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        serde_json::from_slice(&self.body).unwrap()
    }

    /// No browser can read this answer.
    #[track_caller]
    pub fn has_no_cors(&self) {
        let cors: Vec<_> = self.headers.keys().filter(|name| name.as_str().starts_with("access-control-")).collect();
        assert!(cors.is_empty(), "{cors:?}");
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn set_cookies(&self) -> Vec<String> {
        self.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap().to_owned()).collect()
    }

    /// Status and exact bytes of the body.
    #[track_caller]
    pub fn is(&self, status: u16, body: &str) {
        assert_eq!((self.status, self.text().as_str()), (status, body));
    }

    /// An error in the form of NestJS, to the byte.
    #[track_caller]
    pub fn is_error(&self, status: u16, message: &str) {
        let error = StatusCode::from_u16(status).unwrap().canonical_reason().unwrap();
        let message = Value::from(message);
        self.is(status, &format!(r#"{{"message":{message},"error":"{error}","statusCode":{status}}}"#));
    }
}

/// A text inside of JSON.
#[track_caller]
pub fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no text {name} in {value}"))
}

/// The names in an object.
#[track_caller]
pub fn names(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// The claims of a token, unverified.
pub fn claims(token: &str) -> Value {
    use base64::Engine as _;
    let payload = token.split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}
