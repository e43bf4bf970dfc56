//! The sandbox's own routes under `/sandbox/`: signing in, looking into the database, and everything that tests need to set. See the README.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post, put};
use hyper::header::{self, HeaderValue};
use hyper::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ambient::{Clock as _, iso_time};
use crate::app::{App, NewSession, SignIn};
use crate::fault::Rule;
use crate::http::{Failure, Origins, Peer, is_preflight, json, ok, preflight_answer, query_parameter, read_body, set_cookie};
use crate::request_log::Entry;
use crate::seed::{DEFAULT_APPLICATION, DEFAULT_CLIENT};
use crate::store::Session;
use crate::wire::authvital::{AUTH_COOKIE, Generation, IDP_COOKIE, REFRESH_COOKIE, fresh_cookie};
use crate::wire::{WireName, clerk, credentials, ksef};

/// The prefix of all routes here.
pub const MOUNT: &str = "/sandbox";
/// The one route here that faults can reach and that is logged.
pub const SIGN_IN: &str = "/sandbox/sign-in";

/// Fault rules may carry bodies.
const MAX_BODY: usize = 4 * 1024 * 1024;
/// Longer user agents are cut.
const MAX_USER_AGENT: usize = 512;
/// Longer ids are refused.
const MAX_ID: usize = 200;

/// The routes, to be nested under [`MOUNT`].
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/sign-in", post(sign_in))
        .route("/users", post(add_user))
        .route("/sessions", get(sessions))
        .route("/reset", post(reset))
        .route("/faults", get(list_faults).put(put_faults).delete(delete_faults))
        .route("/clock", get(show_clock).post(advance_clock))
        .route("/rate-limit", put(put_rate_limit))
        .route("/requests", get(list_requests).delete(delete_requests))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(Arc::clone(&app), guard))
        .with_state(app)
}

/// These routes need no sign-in, so no foreign page may reach them, not even blindly with a form: browsers send `Origin` with every POST.
async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let mut response = match &origin {
        Some(origin) if !app.origins.allows(request.headers(), origin) => {
            let message = "This origin is not allowed: start the sandbox with --allow-origin";
            return Failure::new(StatusCode::FORBIDDEN, message).into_response();
        }
        Some(origin) if is_preflight(&request) => {
            return preflight_answer(origin, "GET,POST,PUT,DELETE", "Content-Type");
        }
        _ => next.run(request).await,
    };
    if let Some(origin) = &origin {
        Origins::expose(response.headers_mut(), origin);
    }
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

async fn not_found(request: Request) -> Failure {
    Failure::new(StatusCode::NOT_FOUND, format!("There is no {MOUNT}{}", request.uri().path()))
}

async fn method_not_allowed(method: Method, request: Request) -> Failure {
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, format!("{MOUNT}{} has no {method}", request.uri().path()))
}

/// Reads a JSON body, whatever its content type says, so that a plain `curl -d` works.
async fn body<T: DeserializeOwned>(request: Request) -> Result<T, Failure> {
    let bytes = read_body(request.into_body(), MAX_BODY).await?;
    serde_json::from_slice(&bytes).map_err(|error| Failure::bad_request(error.to_string()))
}

/// Runs what hashes passwords on a thread that may block.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> anyhow::Result<T> + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(anyhow::Error::from)?.map_err(Failure::from)
}

#[derive(Serialize)]
struct Health {
    ok: bool,
    now: String,
    version: &'static str,
}

async fn health(State(app): State<Arc<App>>) -> Response {
    ok(&Health { ok: true, now: iso_time(app.clock.now_ms()), version: env!("CARGO_PKG_VERSION") })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignInBody {
    email: String,
    password: String,
    application_id: Option<String>,
    client_id: Option<String>,
    #[serde(default)]
    cookies: bool,
    #[serde(default)]
    wire: WireName,
    /// Instead of the request's own, as if it came from another device.
    user_agent: Option<String>,
    ip_address: Option<IpAddr>,
}

#[derive(Serialize)]
struct SignedIn {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    refresh_token: String,
    user: SignedInUser,
    #[serde(flatten)]
    more: Map<String, Value>,
}

#[derive(Serialize)]
struct SignedInUser {
    id: String,
    email: String,
    name: String,
}

async fn sign_in(State(app): State<Arc<App>>, request: Request) -> Result<Response, Failure> {
    let own_agent = request.headers().get(header::USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let own_address = request.extensions().get::<Peer>().map(|Peer(address)| *address);
    let input: SignInBody = body(request).await?;
    let user_agent = input.user_agent.or(own_agent).map(|text| text.chars().take(MAX_USER_AGENT).collect());
    let ip_address = input.ip_address.or(own_address).map(|address| address.to_canonical().to_string());
    for id in [&input.application_id, &input.client_id].into_iter().flatten() {
        if id.is_empty() || id.len() > MAX_ID {
            return Err(Failure::bad_request(format!("application_id and client_id have 1 to {MAX_ID} bytes")));
        }
    }
    let (wire, with_cookies) = (input.wire, input.cookies);
    if with_cookies && wire != WireName::Authvital {
        return Err(Failure::bad_request("Only AuthVital has cookies"));
    }
    let signing_in = Arc::clone(&app);
    let signed_in = blocking(move || {
        signing_in.sign_in(SignIn {
            email: &input.email,
            password: &input.password,
            session: NewSession {
                application_id: input.application_id.as_deref().unwrap_or(DEFAULT_APPLICATION),
                client_id: input.client_id.as_deref().unwrap_or(DEFAULT_CLIENT),
                user_agent,
                ip_address,
            },
        })
    })
    .await?;
    let Some((user, begun)) = signed_in else {
        return Err(Failure::unauthorized("Wrong e-mail address or password"));
    };
    let session = begun.session.clone();
    let credentials = credentials(wire, &app, &user, begun)?;
    let mut cookies = Vec::new();
    if with_cookies {
        let now = app.clock.now_ms();
        let idp = app.idp_token(&session)?;
        for (name, value, ttl) in
            [(AUTH_COOKIE, &credentials.access, app.access_ttl), (REFRESH_COOKIE, &credentials.refresh, app.refresh_ttl), (IDP_COOKIE, &idp, app.refresh_ttl)]
        {
            cookies.push(fresh_cookie(Generation::G1, name, value, now, ttl));
        }
    }
    let mut response = ok(&SignedIn {
        access_token: credentials.access,
        token_type: "Bearer",
        expires_in: credentials.expires_in,
        refresh_token: credentials.refresh,
        user: SignedInUser { id: credentials.user_id, email: user.email, name: user.name },
        more: credentials.more,
    });
    for cookie in cookies {
        set_cookie(&mut response, &cookie);
    }
    Ok(response)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewUser {
    email: String,
    password: String,
    name: String,
}

/// One more user without sessions, until the next reset: for tests that need many.
async fn add_user(State(app): State<Arc<App>>, request: Request) -> Result<Response, Failure> {
    let NewUser { email, password, name } = body(request).await?;
    if [&email, &password, &name].iter().any(|text| text.is_empty() || text.len() > MAX_ID) {
        return Err(Failure::bad_request(format!("email, password and name have 1 to {MAX_ID} bytes")));
    }
    let user = blocking(move || app.add_user(email, &password, name)).await?;
    let user = user.ok_or_else(|| Failure::new(StatusCode::CONFLICT, "There is a user with this e-mail address"))?;
    Ok(ok(&SignedInUser { id: user.id, email: user.email, name: user.name }))
}

#[derive(Serialize)]
struct StoredSessions {
    sessions: Vec<StoredSession>,
    count: usize,
}

/// The same session on the wires that call it otherwise.
#[derive(Serialize)]
struct OtherIds {
    clerk: String,
    ksef: String,
    rest: i64,
}

#[derive(Serialize)]
struct StoredSession {
    id: String,
    ids: OtherIds,
    state: &'static str,
    user: String,
    user_id: String,
    application_id: String,
    client_id: String,
    created_at: String,
    last_active_at: String,
    expires_at: String,
    revoked_at: Option<String>,
    ended_by: Option<String>,
    user_agent: Option<String>,
    ip_address: Option<String>,
    tenant: Option<String>,
    city: Option<String>,
    country: Option<String>,
}

impl StoredSession {
    fn new((session, user): (Session, String), now: i64) -> Self {
        let state = if session.revoked_at.is_some() {
            "ended"
        } else if session.expires_at <= now {
            "expired"
        } else {
            "active"
        };
        Self {
            ids: OtherIds { clerk: clerk::session_id(&session.id), ksef: ksef::reference_number(&session), rest: session.seq },
            id: session.id,
            state,
            user,
            user_id: session.user_id,
            application_id: session.application_id,
            client_id: session.client_id,
            created_at: iso_time(session.created_at),
            last_active_at: iso_time(session.last_active_at),
            expires_at: iso_time(session.expires_at),
            revoked_at: session.revoked_at.map(iso_time),
            ended_by: session.ended_by,
            user_agent: session.user_agent,
            ip_address: session.ip_address,
            tenant: session.tenant,
            city: session.city,
            country: session.country,
        }
    }
}

async fn sessions(State(app): State<Arc<App>>, request: Request) -> Result<Response, Failure> {
    let now = app.clock.now_ms();
    let sessions: Vec<_> = app.store.all_sessions(query_parameter(&request, "user").as_deref())?.into_iter().map(|row| StoredSession::new(row, now)).collect();
    let count = sessions.len();
    Ok(ok(&StoredSessions { sessions, count }))
}

#[derive(Serialize)]
struct ResetDone {
    users: usize,
    sessions: usize,
}

async fn reset(State(app): State<Arc<App>>) -> Result<Response, Failure> {
    let seeded = blocking(move || app.reset()).await?;
    Ok(ok(&ResetDone { users: seeded.users, sessions: seeded.sessions }))
}

#[derive(Serialize)]
struct FaultList {
    faults: Vec<Rule>,
}

async fn list_faults(State(app): State<Arc<App>>) -> Response {
    ok(&FaultList { faults: app.faults.list() })
}

async fn put_faults(State(app): State<Arc<App>>, request: Request) -> Result<Response, Failure> {
    let rules: Vec<Rule> = body(request).await?;
    app.faults.set(rules).map_err(Failure::bad_request)?;
    Ok(list_faults(State(app)).await)
}

async fn delete_faults(State(app): State<Arc<App>>) -> Response {
    app.faults.clear();
    list_faults(State(app)).await
}

#[derive(Serialize)]
struct ClockFace {
    now: String,
    now_ms: i64,
    advanced_ms: i64,
}

async fn show_clock(State(app): State<Arc<App>>) -> Response {
    let now_ms = app.clock.now_ms();
    ok(&ClockFace { now: iso_time(now_ms), now_ms, advanced_ms: app.clock.advanced_ms() })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_ms: u64,
}

async fn advance_clock(State(app): State<Arc<App>>, request: Request) -> Result<Response, Failure> {
    let Advance { advance_ms } = body(request).await?;
    if app.clock.advance(advance_ms).is_none() {
        return Err(Failure::bad_request("The clock goes a hundred years at most"));
    }
    Ok(show_clock(State(app)).await)
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RateLimitSwitch {
    enabled: bool,
}

async fn put_rate_limit(State(app): State<Arc<App>>, request: Request) -> Result<Response, Failure> {
    let switch: RateLimitSwitch = body(request).await?;
    app.rate_limit.set(switch.enabled);
    Ok(ok(&switch))
}

#[derive(Serialize)]
struct Requests {
    total: u64,
    requests: Vec<Entry>,
}

async fn list_requests(State(app): State<Arc<App>>) -> Response {
    let (total, requests) = app.log.list();
    json(StatusCode::OK, &Requests { total, requests })
}

async fn delete_requests(State(app): State<Arc<App>>) -> Response {
    app.log.clear();
    list_requests(State(app)).await
}
