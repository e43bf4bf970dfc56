//! Clerk's Backend API, the part about sessions. It is called with a secret key by servers, never by browsers: no answer has a CORS header.
//!
//! Its sessions belong to clients (a browser, which can hold several); here those are the store's OAuth clients.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use hyper::StatusCode;
use hyper::header::{self, HeaderName};
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::ambient::Clock as _;
use crate::app::{App, Begun, Limit, NewSession};
use crate::http::{Origins, json as json_answer, ok, query_parameter, text_of};
use crate::seed::{DEFAULT_APPLICATION, DEFAULT_CLIENT};
use crate::store::{Ending, Session};
use crate::tokens::{ClerkClaims, ClerkRefreshClaims};
use crate::wire::{Credentials, Refusal, dress, json_object, seconds_blocked, set_number};

/// Where it is mounted.
pub const MOUNT: &str = "/clerk/v1";
/// The one key that opens it.
pub const SECRET_KEY: &str = "sk_test_sandbox_not_a_real_key";
/// The one template that there is.
pub const TEMPLATE: &str = "sandbox";

const VERSION_HEADER: HeaderName = HeaderName::from_static("clerk-api-version");
const VERSION_PARAMETER: &str = "__clerk_api_version";
/// As for development instances.
const LIMITS: &[Limit] = &[Limit { requests: 100, window_ms: 10_000 }];
/// Lifetime of a session token in seconds.
const TOKEN_TTL: i64 = 60;
/// How long after its end a session counts as abandoned.
const ABANDONED_AFTER_MS: i64 = 30 * 24 * 3600 * 1000;
const ISSUER: &str = "https://clerk.sandbox.invalid";
/// What lists can be filtered by; `pending` is a status, but not here.
const STATUS_FILTERS: [&str; 7] = ["abandoned", "active", "ended", "expired", "removed", "replaced", "revoked"];

/// The routes, to be nested under [`MOUNT`].
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/sessions", get(list).post(create))
        .route("/sessions/{id}", get(one))
        .route("/sessions/{id}/refresh", post(refresh))
        .route("/sessions/{id}/revoke", post(revoke))
        .route("/sessions/{id}/tokens", post(create_token))
        .route("/sessions/{id}/tokens/{template}", post(create_token_from_template))
        .fallback(no_such_url)
        .method_not_allowed_fallback(no_such_url)
        .layer(middleware::from_fn(admit))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), rate_limit))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), errors))
        .with_state(app)
}

// ------------------------------------------------------------------------------------------------ ids

/// `sess_` and the 32 digits of the store's id.
pub fn session_id(id: &str) -> String {
    with_prefix("sess_", id)
}

/// `user_` and the 32 digits of the store's id.
pub fn user_id(id: &str) -> String {
    with_prefix("user_", id)
}

fn with_prefix(prefix: &str, id: &str) -> String {
    format!("{prefix}{}", id.replace('-', ""))
}

/// The store's id, if this is one of ours with this prefix.
fn without_prefix(prefix: &str, id: &str) -> Option<String> {
    let stored = Uuid::try_parse(id.strip_prefix(prefix)?).ok()?.to_string();
    // The parser takes other spellings, too.
    (with_prefix(prefix, &stored) == id).then_some(stored)
}

/// `client_` and the bytes of the store's client id, in hexadecimal digits.
pub fn client_id(id: &str) -> String {
    id.bytes().fold(String::from("client_"), |text, byte| text + &format!("{byte:02x}"))
}

/// The store's client id.
fn stored_client(id: &str) -> Option<String> {
    let digits = id.strip_prefix("client_")?;
    let pair = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..digits.len()).step_by(2).map(pair).collect();
    let stored = String::from_utf8(bytes?).ok()?;
    (client_id(&stored) == id).then_some(stored)
}

// ------------------------------------------------------------------------------------------------ what goes around the routes

fn unauthorized(code: &'static str, message: &str) -> Refusal {
    Refusal::new(StatusCode::UNAUTHORIZED, code, message)
}

fn malformed(message: String) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "malformed_request_parameters", message)
}

fn bad_parameter(name: &str, must: &str) -> Refusal {
    Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "form_param_value_invalid", format!("{name} {must}")).about(name)
}

fn missing_parameter(name: &str) -> Refusal {
    Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "form_param_missing", format!("{name} must be given")).about(name)
}

fn not_found(what: &str) -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "resource_not_found", format!("There is no such {what}"))
}

async fn no_such_url() -> Refusal {
    not_found("URL")
}

/// The key and the version, before anything else is looked at.
async fn admit(request: Request, next: Next) -> Response {
    match check(&request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

fn check(request: &Request) -> Result<(), Refusal> {
    let Some(authorization) = request.headers().get(header::AUTHORIZATION) else {
        return Err(unauthorized("authentication_invalid", "No secret key was given"));
    };
    let key = authorization.to_str().ok().and_then(|text| text.strip_prefix("Bearer ")).filter(|key| !key.is_empty() && !key.contains(' '));
    match key {
        Some(SECRET_KEY) => {}
        Some(_) => return Err(unauthorized("clerk_key_invalid", "This is not the secret key of the sandbox")),
        None => return Err(unauthorized("authorization_header_format_invalid", "Authorization has to be: Bearer and a secret key")),
    }
    let by_header = text_of(request.headers(), &VERSION_HEADER);
    let by_query = query_parameter(request, VERSION_PARAMETER);
    if by_header.is_some() && by_query.is_some() {
        return Err(malformed(format!("Give the version by {VERSION_HEADER} or by {VERSION_PARAMETER}, not by both")));
    }
    match by_header.or(by_query.as_deref()) {
        Some(version) if !is_date(version) => Err(malformed(format!("{version:?} is not a version: those are dates, such as 2026-05-12"))),
        _ => Ok(()),
    }
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && text.bytes().enumerate().all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() })
}

async fn rate_limit(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let Some(seconds) = seconds_blocked(&app, &request, MOUNT, LIMITS) else {
        return next.run(request).await;
    };
    let mut response = Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", "Too many requests").into_response();
    set_number(&mut response, header::RETRY_AFTER, seconds);
    response
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    errors: [ErrorItem<'a>; 1],
    clerk_trace_id: String,
}

#[derive(Serialize)]
struct ErrorItem<'a> {
    message: &'a str,
    long_message: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<ErrorMeta<'a>>,
}

#[derive(Serialize)]
struct ErrorMeta<'a> {
    param_name: &'a str,
}

async fn errors(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    dress(response, |refusal| {
        let code = match refusal.code {
            "" if refusal.status.is_server_error() => "internal_clerk_error",
            "" => "malformed_request_parameters",
            code => code,
        };
        let meta = refusal.about.as_deref().map(|param_name| ErrorMeta { param_name });
        let message = refusal.status.canonical_reason().unwrap_or("Error");
        let item = ErrorItem { message, long_message: &refusal.message, code, meta };
        json_answer(refusal.status, &ErrorBody { errors: [item], clerk_trace_id: app.uuid().unwrap_or_default().replace('-', "") })
    })
}

// ------------------------------------------------------------------------------------------------ sessions

#[derive(Serialize)]
struct SessionObject {
    object: &'static str,
    id: String,
    user_id: String,
    client_id: String,
    actor: Option<Value>,
    status: &'static str,
    last_active_organization_id: Option<String>,
    last_active_at: i64,
    latest_activity: Option<Activity>,
    expire_at: i64,
    abandon_at: i64,
    updated_at: i64,
    created_at: i64,
    tasks: Option<Vec<Value>>,
}

impl SessionObject {
    fn new(session: &Session, now: i64) -> Self {
        Self {
            object: "session",
            id: session_id(&session.id),
            user_id: user_id(&session.user_id),
            client_id: client_id(&session.client_id),
            actor: None,
            status: status(session, now),
            last_active_organization_id: None,
            last_active_at: session.last_active_at,
            latest_activity: Activity::new(session),
            expire_at: session.expires_at,
            abandon_at: session.expires_at.saturating_add(ABANDONED_AFTER_MS),
            updated_at: session.revoked_at.unwrap_or(session.last_active_at),
            created_at: session.created_at,
            tasks: None,
        }
    }
}

fn status(session: &Session, now: i64) -> &'static str {
    match session.ended_by.as_deref() {
        Some("logout") => "ended",
        Some("rotated") => "replaced",
        Some(_) => "revoked",
        None if session.expires_at.saturating_add(ABANDONED_AFTER_MS) <= now => "abandoned",
        None if session.expires_at <= now => "expired",
        None => "active",
    }
}

#[derive(Serialize)]
struct Activity {
    object: &'static str,
    id: String,
    is_mobile: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    browser_name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    browser_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    city: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<String>,
}

impl Activity {
    /// `None` where nothing is known of the device.
    fn new(session: &Session) -> Option<Self> {
        let agent = session.user_agent.as_deref();
        if agent.is_none() && session.ip_address.is_none() {
            return None;
        }
        let browser = agent.and_then(browser);
        Some(Self {
            object: "session_activity",
            id: with_prefix("sess_activity_", &session.id),
            is_mobile: agent.is_some_and(|agent| ["Mobile", "iPad", "Android"].iter().any(|word| agent.contains(word))),
            device_type: agent.and_then(device_type),
            browser_name: browser.as_ref().map(|(name, _)| *name),
            browser_version: browser.map(|(_, version)| version),
            ip_address: session.ip_address.clone(),
            city: session.city.clone(),
            country: session.country.clone(),
        })
    }
}

/// Name and version. The more special names come first: an Edge says that it is a Chrome, and a Chrome that it is a Safari.
fn browser(agent: &str) -> Option<(&'static str, String)> {
    [("Edge", "Edg/"), ("Samsung Internet", "SamsungBrowser/"), ("Firefox", "Firefox/"), ("Chrome", "Chrome/"), ("Safari", "Version/")].into_iter().find_map(
        |(name, mark)| {
            let (_, rest) = agent.split_once(mark)?;
            Some((name, rest.split(' ').next().unwrap_or_default().to_owned()))
        },
    )
}

fn device_type(agent: &str) -> Option<&'static str> {
    ["iPhone", "iPad", "Android", "Windows", "Macintosh", "Linux"].into_iter().find(|name| agent.contains(name))
}

fn integer(request: &Request, name: &str, default: usize, range: std::ops::RangeInclusive<usize>) -> Result<usize, Refusal> {
    let Some(text) = query_parameter(request, name) else {
        return Ok(default);
    };
    text.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| bad_parameter(name, "is not a whole number that is allowed here"))
}

/// `GET /sessions`
async fn list(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let filter = |name| query_parameter(&request, name).filter(|id| !id.is_empty());
    let (client, user) = (filter("client_id"), filter("user_id"));
    if client.is_none() && user.is_none() {
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "missing_query_parameter", "Give client_id or user_id").about("user_id"));
    }
    let wanted = query_parameter(&request, "status");
    if wanted.as_deref().is_some_and(|status| !STATUS_FILTERS.contains(&status)) {
        return Err(bad_parameter("status", &format!("is one of {}", STATUS_FILTERS.join(", "))));
    }
    let limit = integer(&request, "limit", 10, 1..=500)?;
    let offset = integer(&request, "offset", 0, 0..=usize::MAX)?;
    let paginated = match query_parameter(&request, "paginated").as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(bad_parameter("paginated", "is true or false")),
    };
    // `Some(None)` is an id that nobody has.
    let client = client.map(|id| stored_client(&id));
    let user = user.map(|id| without_prefix("user_", &id));
    let sessions = match (&client, &user) {
        (Some(None), _) | (_, Some(None)) => Vec::new(),
        _ => app.store.find_sessions(user.as_ref().and_then(Option::as_deref), client.as_ref().and_then(Option::as_deref))?,
    };
    let now = app.clock.now_ms();
    let matching: Vec<_> = sessions
        .iter()
        .map(|session| SessionObject::new(session, now))
        .filter(|session| wanted.as_deref().is_none_or(|wanted| wanted == session.status))
        .collect();
    let total_count = matching.len();
    let data: Vec<_> = matching.into_iter().skip(offset).take(limit).collect();
    Ok(if paginated { ok(&json!({"data": data, "total_count": total_count})) } else { ok(&data) })
}

/// `POST /sessions`
async fn create(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let parameters = json_object(request, malformed).await?;
    let user = required(&parameters, "user_id")?;
    if let Some(organization) = text(&parameters, "active_organization_id")? {
        return Err(not_found(&format!("organization as {organization}")));
    }
    let user = without_prefix("user_", user).map(|id| app.store.user(&id)).transpose()?.flatten().ok_or_else(|| not_found("user"))?;
    let new = NewSession { application_id: DEFAULT_APPLICATION, client_id: DEFAULT_CLIENT, user_agent: None, ip_address: None };
    let begun = app.begin_session(&user, new)?;
    Ok(ok(&SessionObject::new(&begun.session, app.clock.now_ms())))
}

/// A parameter that has to be a text if it is there.
fn text<'a>(parameters: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Refusal> {
    match parameters.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(bad_parameter(name, "must be a string")),
    }
}

fn required<'a>(parameters: &'a Map<String, Value>, name: &str) -> Result<&'a str, Refusal> {
    text(parameters, name)?.filter(|text| !text.is_empty()).ok_or_else(|| missing_parameter(name))
}

type IdInPath = Result<Path<String>, PathRejection>;

fn id_in_path(id: IdInPath) -> Result<String, Refusal> {
    id.map(|Path(id)| id).map_err(|_| malformed("The path can't be decoded".to_owned()))
}

fn find(app: &App, id: &str) -> Result<Session, Refusal> {
    let stored = without_prefix("sess_", id).map(|id| app.store.session(&id)).transpose()?.flatten();
    stored.ok_or_else(|| not_found("session"))
}

/// `GET /sessions/{id}`
async fn one(State(app): State<Arc<App>>, id: IdInPath) -> Result<Response, Refusal> {
    let session = find(&app, &id_in_path(id)?)?;
    Ok(ok(&SessionObject::new(&session, app.clock.now_ms())))
}

/// `POST /sessions/{id}/revoke`. One that was ended before stays as it is.
async fn revoke(State(app): State<Arc<App>>, id: IdInPath) -> Result<Response, Refusal> {
    let id = id_in_path(id)?;
    let session = find(&app, &id)?;
    let now = app.clock.now_ms();
    app.store.revoke(&session.id, &session.user_id, now, Ending::Revoked)?;
    Ok(ok(&SessionObject::new(&find(&app, &id)?, now)))
}

// ------------------------------------------------------------------------------------------------ tokens

#[derive(Serialize)]
struct Token {
    object: &'static str,
    jwt: String,
}

impl Token {
    fn new(jwt: String) -> Self {
        Self { object: "token", jwt }
    }
}

/// Shorter than a minute where the sandbox is told so.
fn token_ttl(app: &App) -> i64 {
    TOKEN_TTL.min(app.access_ttl)
}

fn session_token(app: &App, session: &Session, ttl: i64, template: Option<&str>) -> anyhow::Result<String> {
    let iat = app.now_seconds();
    app.sign(&ClerkClaims {
        iss: ISSUER.to_owned(),
        sub: user_id(&session.user_id),
        sid: session_id(&session.id),
        template: template.map(str::to_owned),
        jti: app.uuid()?,
        iat,
        nbf: iat,
        exp: iat.saturating_add(ttl),
    })
}

/// `POST /sessions/{id}/tokens`
async fn create_token(State(app): State<Arc<App>>, id: IdInPath, request: Request) -> Result<Response, Refusal> {
    token(&app, &id_in_path(id)?, None, request).await
}

/// `POST /sessions/{id}/tokens/{template_name}`
async fn create_token_from_template(
    State(app): State<Arc<App>>,
    path: Result<Path<(String, String)>, PathRejection>,
    request: Request,
) -> Result<Response, Refusal> {
    let Ok(Path((id, template))) = path else {
        return Err(malformed("The path can't be decoded".to_owned()));
    };
    token(&app, &id, Some(&template), request).await
}

/// Sessions that are not active have no tokens: 404, the one refusal that is documented besides 401.
async fn token(app: &App, id: &str, template: Option<&str>, request: Request) -> Result<Response, Refusal> {
    let parameters = json_object(request, malformed).await?;
    let ttl = match parameters.get("expires_in_seconds") {
        None | Some(Value::Null) => token_ttl(app),
        Some(value) => value
            .as_i64()
            .filter(|seconds| (30..=315_360_000).contains(seconds))
            .ok_or_else(|| bad_parameter("expires_in_seconds", "is a whole number from 30 to 315360000"))?,
    };
    let session = find(app, id)?;
    let now = app.clock.now_ms();
    if status(&session, now) != "active" {
        return Err(not_found("active session"));
    }
    if template.is_some_and(|name| name != TEMPLATE) {
        return Err(not_found("template"));
    }
    app.store.touch(&session.id, now)?;
    Ok(ok(&Token::new(session_token(app, &session, ttl, template)?)))
}

/// `POST /sessions/{id}/refresh`. Whatever is wrong with the parameters is a 401, by which clients know to start over with a handshake.
async fn refresh(State(app): State<Arc<App>>, id: IdInPath, request: Request) -> Result<Response, Refusal> {
    let id = id_in_path(id)?;
    let parameters = json_object(request, malformed).await?;
    let wanted = RefreshParameters::read(&parameters).map_err(|refusal| Refusal { status: StatusCode::UNAUTHORIZED, ..refusal })?;
    let expired: ClerkClaims = app
        .read(wanted.expired_token)
        .ok()
        .filter(|claims: &ClerkClaims| claims.template.is_none())
        .ok_or_else(|| unauthorized("expired_session_token_invalid", "expired_token is not a session token of ours"))?;
    if expired.sid != id {
        return Err(unauthorized("refresh_sid_mismatch", "expired_token is of another session"));
    }
    let session = find(&app, &id).map_err(|refusal| match refusal.status {
        StatusCode::NOT_FOUND => unauthorized("session_refresh_session_not_found", "There is no such session"),
        _ => refusal,
    })?;
    let now = app.clock.now_ms();
    if status(&session, now) != "active" {
        return Err(unauthorized("session_refresh_inactive_session", "This session is not active any more"));
    }
    let is_ours = app.verify(wanted.refresh_token).is_ok_and(|claims: ClerkRefreshClaims| claims.refresh_of == session.id);
    if !is_ours {
        return Err(unauthorized("refresh_token_not_found", "refresh_token is not one of this session"));
    }
    app.store.touch(&session.id, now)?;
    let ttl = token_ttl(&app);
    let jwt = session_token(&app, &session, ttl, None)?;
    if !wanted.as_cookies {
        return Ok(ok(&Token::new(jwt)));
    }
    // Both have to outlive the token: it is only refreshed when it has come to its end and is still sent.
    let age = app.refresh_ttl;
    let cookies = [
        format!("__session={jwt}; Path=/; Max-Age={age}; SameSite=Lax"),
        format!("__client_uat={}; Path=/; Max-Age={age}; SameSite=Lax", session.created_at.div_euclid(1000)),
    ];
    Ok(ok(&json!({"object": "cookies", "cookies": cookies})))
}

struct RefreshParameters<'a> {
    expired_token: &'a str,
    refresh_token: &'a str,
    as_cookies: bool,
}

impl<'a> RefreshParameters<'a> {
    fn read(parameters: &'a Map<String, Value>) -> Result<Self, Refusal> {
        const KNOWN: [&str; 6] = ["expired_token", "refresh_token", "request_origin", "request_headers", "format", "request_originating_ip"];
        if let Some(unknown) = parameters.keys().find(|name| !KNOWN.contains(&name.as_str())) {
            return Err(bad_parameter(unknown, "is not a parameter here"));
        }
        let expired_token = required(parameters, "expired_token")?;
        let refresh_token = required(parameters, "refresh_token")?;
        if Origins::parse(required(parameters, "request_origin")?).is_err() {
            return Err(unauthorized("refresh_request_origin_invalid", "request_origin is not an origin").about("request_origin"));
        }
        match parameters.get("request_headers") {
            None | Some(Value::Null | Value::Object(_)) => {}
            Some(_) => return Err(bad_parameter("request_headers", "must be an object")),
        }
        text(parameters, "request_originating_ip")?;
        let as_cookies = match text(parameters, "format")? {
            None | Some("token") => false,
            Some("cookie") => true,
            Some(_) => return Err(bad_parameter("format", "is token or cookie")),
        };
        Ok(Self { expired_token, refresh_token, as_cookies })
    }
}

/// What a client needs: the key for calls, and the session's own tokens.
pub fn credentials(app: &App, begun: &Begun) -> anyhow::Result<Credentials> {
    let session = &begun.session;
    let expires_in = token_ttl(app);
    let more = [
        ("session_id", session_id(&session.id)),
        ("user_id", user_id(&session.user_id)),
        ("client_id", client_id(&session.client_id)),
        ("secret_key", SECRET_KEY.to_owned()),
    ];
    Ok(Credentials {
        access: session_token(app, session, expires_in, None)?,
        refresh: app.sign(&ClerkRefreshClaims { refresh_of: session.id.clone(), exp: app.now_seconds().saturating_add(app.refresh_ttl) })?,
        expires_in,
        user_id: user_id(&session.user_id),
        more: more.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_can_be_read_back_and_only_as_they_are_written() {
        let stored = "0f8fad5b-d9cb-469f-a165-70867728950e";
        assert_eq!(session_id(stored), "sess_0f8fad5bd9cb469fa16570867728950e");
        assert_eq!(without_prefix("sess_", &session_id(stored)).as_deref(), Some(stored));
        for id in ["", "sess_", "sess_x", "user_0f8fad5bd9cb469fa16570867728950e", "sess_0F8FAD5BD9CB469FA16570867728950E"] {
            assert_eq!(without_prefix("sess_", id), None, "{id}");
        }
        assert_eq!(without_prefix("sess_", &format!("sess_{stored}")), None);
        assert_eq!(client_id("web-client"), "client_7765622d636c69656e74");
        for client in ["web-client", "", "zażółć"] {
            assert_eq!(stored_client(&client_id(client)).as_deref(), Some(client));
        }
        for id in ["7765", "client_776", "client_+7", "client_zz", "client_ff", "client_7A", "client_żó"] {
            assert_eq!(stored_client(id), None, "{id}");
        }
    }

    #[test]
    fn browsers_and_devices_are_told_apart() {
        for (agent, name, version, device) in [
            ("(Windows NT 10.0; Win64) Chrome/152.0.0.0 Safari/537.36", "Chrome", "152.0.0.0", "Windows"),
            ("(Windows NT 10.0) Chrome/151.0.0.0 Safari/537.36 Edg/151.0.0.0", "Edge", "151.0.0.0", "Windows"),
            ("(iPhone; CPU iPhone OS 18_7) Version/26.4 Mobile/15E148 Safari/604.1", "Safari", "26.4", "iPhone"),
            ("(X11; Ubuntu; Linux) Gecko/20100101 Firefox/151.0", "Firefox", "151.0", "Linux"),
            ("(Linux; Android 16) SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile", "Samsung Internet", "29.0", "Android"),
        ] {
            assert_eq!(browser(agent), Some((name, version.to_owned())));
            assert_eq!(device_type(agent), Some(device));
        }
        assert_eq!((browser("curl/8"), device_type("curl/8")), (None, None));
    }

    #[test]
    fn versions_are_dates() {
        assert!(is_date("2026-05-12"));
        for bad in ["", "2026", "2026-5-12", "2026/05/12", "latest-xxx", "2026-05-1é"] {
            assert!(!is_date(bad), "{bad}");
        }
    }
}
