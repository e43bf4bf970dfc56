//! The plain REST API for sessions that many servers have at `/api/v1/sessions`, in two flavours: a published deployment of it, and one as
//! FastAPI's defaults make it. Both look the session of an access token up, so a revoked one is refused at once.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{OriginalUri, Path, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post};
use hyper::StatusCode;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::{Value, json};

use crate::ambient::{Clock as _, iso_time};
use crate::app::{App, Begun, Limit};
use crate::http::{bearer, json as json_answer, ok, text_of};
use crate::store::{Ending, Revocation, Session, Spending, User};
use crate::tokens::{RestClaims, RestType, TokenError};
use crate::wire::{Credentials, Refusal, cross_origin, dress, json_object, seconds_blocked, set_number};

const LIMITS: &[Limit] = &[Limit { requests: 100, window_ms: 60_000 }];
const RATE_LIMIT_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
const BASE: &str = "/api/v1";

/// Which of the two servers it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// `{"success","data"}` and `{"success","error"}`.
    Plain,
    /// Bare arrays, `{"detail"}`, and redirects to the one right spelling of a path.
    FastApi,
}

impl Flavour {
    /// Where it is mounted.
    pub fn mount(self) -> &'static str {
        match self {
            Self::Plain => "/rest",
            Self::FastApi => "/rest-fastapi",
        }
    }
}

/// The routes of one flavour, to be nested under its mount.
pub fn router(app: Arc<App>, flavour: Flavour) -> Router {
    let wire = Wire { app, flavour };
    let routes = Router::new().route("/sessions/{id}", delete(revoke)).route("/auth/logout", post(logout)).route("/auth/refresh", post(refresh));
    let routes = match flavour {
        Flavour::Plain => routes.route("/sessions", get(list)).route("/sessions/", get(list)),
        Flavour::FastApi => routes.route("/sessions/", get(list)),
    };
    Router::new()
        .nest(BASE, routes)
        .fallback(no_such_route)
        .method_not_allowed_fallback(async || Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "Method Not Allowed"))
        .layer(middleware::from_fn_with_state(wire.clone(), rate_limit))
        .layer(middleware::from_fn_with_state(wire.clone(), errors))
        .layer(middleware::from_fn_with_state(wire.clone(), cors))
        .with_state(wire)
}

#[derive(Clone)]
struct Wire {
    app: Arc<App>,
    flavour: Flavour,
}

// ------------------------------------------------------------------------------------------------ what goes around the routes

fn unauthorized(code: &'static str, message: &str) -> Refusal {
    Refusal::new(StatusCode::UNAUTHORIZED, code, message)
}

fn invalid() -> Refusal {
    unauthorized("AUTH_INVALID", "Could not validate credentials")
}

fn not_found(code: &'static str, message: &str) -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, code, message)
}

async fn cors(State(wire): State<Wire>, request: Request, next: Next) -> Response {
    cross_origin(&wire.app, request, next, |_| wire.form(Refusal::new(StatusCode::FORBIDDEN, "PERMISSION_DENIED", "This origin is not allowed"))).await
}

async fn rate_limit(State(wire): State<Wire>, request: Request, next: Next) -> Response {
    let Some(seconds) = seconds_blocked(&wire.app, &request, wire.flavour.mount(), LIMITS) else {
        return next.run(request).await;
    };
    let mut response = Refusal::new(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMIT_EXCEEDED", "Rate limit exceeded").into_response();
    set_number(&mut response, RATE_LIMIT_RESET, wire.app.now_seconds().saturating_add(seconds));
    response
}

async fn errors(State(wire): State<Wire>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    dress(response, |refusal| wire.form(refusal))
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    success: bool,
    error: ErrorItem<'a>,
}

#[derive(Serialize)]
struct ErrorItem<'a> {
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<ErrorDetails<'a>>,
    timestamp: String,
}

#[derive(Serialize)]
struct ErrorDetails<'a> {
    field: &'a str,
}

impl Wire {
    fn form(&self, refusal: Refusal) -> Response {
        match self.flavour {
            Flavour::Plain => {
                let code = match refusal.code {
                    "" if refusal.status.is_server_error() => "INTERNAL_ERROR",
                    "" => INVALID,
                    code => code,
                };
                let details = refusal.about.as_deref().map(|field| ErrorDetails { field });
                let error = ErrorItem { code, message: &refusal.message, details, timestamp: iso_time(self.app.clock.now_ms()) };
                json_answer(refusal.status, &ErrorBody { success: false, error })
            }
            Flavour::FastApi => fastapi_form(&refusal),
        }
    }

    /// Who is calling, by an access token of a session that is alive.
    fn caller(&self, headers: &HeaderMap) -> Result<Session, Refusal> {
        let token = bearer(headers).ok_or_else(|| unauthorized("AUTH_REQUIRED", "Not authenticated"))?;
        let (_, session) = self.session_of(token, RestType::Access)?;
        self.app.store.touch(&session.id, self.app.clock.now_ms())?;
        Ok(session)
    }

    /// The claims of a token and its session, if both are good.
    fn session_of(&self, token: &str, kind: RestType) -> Result<(RestClaims, Session), Refusal> {
        let expired = || unauthorized("AUTH_EXPIRED", "The token has expired");
        let claims: RestClaims = self.app.verify(token).map_err(|error| match error {
            TokenError::Invalid => invalid(),
            TokenError::Expired => expired(),
        })?;
        let session = self.app.store.session_by_seq(claims.session_id)?;
        let session = session.filter(|session| claims.kind == kind && session.revoked_at.is_none()).ok_or_else(invalid)?;
        if session.expires_at <= self.app.clock.now_ms() {
            return Err(expired());
        }
        Ok((claims, session))
    }

    fn user(&self, id: &str) -> Result<User, Refusal> {
        self.app.store.user(id)?.ok_or_else(invalid)
    }
}

/// Code of a request that can't be understood.
const INVALID: &str = "VALIDATION_ERROR";

/// A text, or a list for what the validation finds: that is known by its code and always about one place in the request.
fn fastapi_form(refusal: &Refusal) -> Response {
    if refusal.code == INVALID {
        let place = refusal.about.as_deref().unwrap_or("body");
        let location: Vec<_> = place.split('.').collect();
        let kind = if place == "path.session_id" { "int_parsing" } else { "value_error" };
        let item = json!({"type": kind, "loc": location, "msg": refusal.message});
        return json_answer(StatusCode::UNPROCESSABLE_ENTITY, &json!({"detail": [item]}));
    }
    let mut response = json_answer(refusal.status, &json!({"detail": refusal.message}));
    if refusal.status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// FastAPI's router sends a path that has a slash too few or too many at its end to the one that it knows.
async fn no_such_route(State(wire): State<Wire>, OriginalUri(uri): OriginalUri, request: Request) -> Response {
    let refusal = || not_found("RESOURCE_NOT_FOUND", "Not Found").into_response();
    if wire.flavour == Flavour::Plain {
        return refusal();
    }
    let Some(path) = other_spelling(uri.path(), wire.flavour.mount()) else {
        return refusal();
    };
    let host = text_of(request.headers(), &header::HOST).unwrap_or_default();
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let Ok(location) = HeaderValue::from_str(&format!("http://{host}{path}{query}")) else {
        return refusal();
    };
    let mut response = StatusCode::TEMPORARY_REDIRECT.into_response();
    response.headers_mut().insert(header::LOCATION, location);
    response
}

/// The path with the other ending, if that is a route of the FastAPI flavour.
fn other_spelling(path: &str, mount: &str) -> Option<String> {
    let other = if path.ends_with('/') { path.trim_end_matches('/').to_owned() } else { format!("{path}/") };
    let route = other.strip_prefix(mount)?.strip_prefix(BASE)?;
    let is_item = route.strip_prefix("/sessions/").is_some_and(|id| !id.is_empty() && !id.contains('/'));
    let is_known = is_item || matches!(route, "/sessions/" | "/auth/logout" | "/auth/refresh");
    is_known.then_some(other)
}

// ------------------------------------------------------------------------------------------------ sessions

#[derive(Serialize)]
struct SessionItem {
    id: i64,
    user_id: i64,
    ip_address: Option<String>,
    user_agent: Option<String>,
    created_at: String,
    last_activity_at: String,
    expires_at: String,
    revoked_at: Option<String>,
    is_current: bool,
}

/// Other names for the same.
#[derive(Serialize)]
struct FastApiItem {
    id: i64,
    ip: Option<String>,
    user_agent: Option<String>,
    created_at: String,
    last_seen_at: String,
    expires_at: String,
    current: bool,
}

/// `2026-01-31T09:30:00.000000+00:00`, as Python prints it.
fn python_time(ms: i64) -> String {
    iso_time(ms).replace('Z', "000+00:00")
}

/// `GET /api/v1/sessions`: the sessions that are alive, newest first, no paging.
async fn list(State(wire): State<Wire>, request: Request) -> Result<Response, Refusal> {
    let current = wire.caller(request.headers())?;
    let user = wire.user(&current.user_id)?;
    let sessions = wire.app.store.active_sessions(&user.id, None, wire.app.clock.now_ms())?.into_iter();
    if wire.flavour == Flavour::FastApi {
        let sessions = sessions.map(|session| FastApiItem {
            id: session.seq,
            created_at: python_time(session.created_at),
            last_seen_at: python_time(session.last_active_at),
            expires_at: python_time(session.expires_at),
            current: session.seq == current.seq,
            ip: session.ip_address,
            user_agent: session.user_agent,
        });
        return Ok(ok(&sessions.collect::<Vec<_>>()));
    }
    let sessions = sessions.map(|session| SessionItem {
        id: session.seq,
        user_id: user.seq,
        created_at: iso_time(session.created_at),
        last_activity_at: iso_time(session.last_active_at),
        expires_at: iso_time(session.expires_at),
        revoked_at: session.revoked_at.map(iso_time),
        is_current: session.seq == current.seq,
        ip_address: session.ip_address,
        user_agent: session.user_agent,
    });
    let sessions: Vec<_> = sessions.collect();
    let count = sessions.len();
    Ok(ok(&json!({"success": true, "data": {"sessions": sessions, "total_count": count, "active_count": count}})))
}

/// `DELETE /api/v1/sessions/{id}`
async fn revoke(State(wire): State<Wire>, id: Result<Path<String>, PathRejection>, request: Request) -> Result<Response, Refusal> {
    let caller = wire.caller(request.headers())?;
    let id: Option<i64> = id.ok().and_then(|Path(id)| id.parse().ok());
    let id = id.ok_or_else(|| match wire.flavour {
        Flavour::Plain => not_found("RESOURCE_NOT_FOUND", "Not Found"),
        Flavour::FastApi => Refusal::new(StatusCode::BAD_REQUEST, INVALID, "Input should be a valid integer").about("path.session_id"),
    })?;
    let now = wire.app.clock.now_ms();
    let session = wire.app.store.session_by_seq(id)?;
    let result = match &session {
        Some(session) => wire.app.store.revoke(&session.id, &caller.user_id, now, Ending::Revoked)?,
        None => Revocation::NotFound,
    };
    match (result, wire.flavour) {
        (Revocation::Done, Flavour::Plain) => {
            let data = json!({"session_id": id, "revoked_at": iso_time(now)});
            Ok(ok(&json!({"success": true, "data": data, "message": "Session revoked"})))
        }
        (Revocation::Done, Flavour::FastApi) => Ok(StatusCode::NO_CONTENT.into_response()),
        // Two habits: to say that it is somebody else's, and to say nothing.
        (Revocation::NotYours, Flavour::Plain) => Err(Refusal::new(StatusCode::FORBIDDEN, "PERMISSION_DENIED", "This is not your session")),
        _ => Err(not_found("session_not_found", "Session not found")),
    }
}

/// `POST /api/v1/auth/logout`: ends the session of the access token.
async fn logout(State(wire): State<Wire>, request: Request) -> Result<Response, Refusal> {
    let caller = wire.caller(request.headers())?;
    wire.app.store.revoke(&caller.id, &caller.user_id, wire.app.clock.now_ms(), Ending::Logout)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

// ------------------------------------------------------------------------------------------------ tokens

fn token(app: &App, kind: RestType, session: &Session, user: &User, jti: String) -> anyhow::Result<String> {
    let ttl = match kind {
        RestType::Access => app.access_ttl,
        RestType::Refresh => app.refresh_ttl,
    };
    let iat = app.now_seconds();
    app.sign(&RestClaims { kind, sub: user.seq.to_string(), session_id: session.seq, jti, iat, exp: iat.saturating_add(ttl) })
}

/// `POST /api/v1/auth/refresh`: new tokens for the same session. A second use of a refresh token ends its session.
async fn refresh(State(wire): State<Wire>, request: Request) -> Result<Response, Refusal> {
    let bad = |message| Refusal::new(StatusCode::BAD_REQUEST, INVALID, message);
    let parameters = json_object(request, bad).await?;
    let Some(Value::String(old)) = parameters.get("refresh_token") else {
        let place = if wire.flavour == Flavour::Plain { "refresh_token" } else { "body.refresh_token" };
        return Err(bad("refresh_token is required".to_owned()).about(place));
    };
    let (claims, _) = wire.session_of(old, RestType::Refresh)?;
    let app = &wire.app;
    let now = app.clock.now_ms();
    let jti = app.uuid()?;
    let session = match app.store.spend(&claims.jti, Some((&jti, app.session_end())), now)? {
        Spending::Fresh(session) => session,
        Spending::Used(session) => {
            app.store.revoke(&session.id, &session.user_id, now, Ending::Replay)?;
            return Err(invalid());
        }
        Spending::Unknown | Spending::Ended(_) | Spending::Expired => return Err(invalid()),
    };
    let user = wire.user(&session.user_id)?;
    let access = token(app, RestType::Access, &session, &user, app.uuid()?)?;
    let tokens = json!({"access_token": access, "refresh_token": token(app, RestType::Refresh, &session, &user, jti)?, "expires_in": app.access_ttl});
    Ok(match wire.flavour {
        Flavour::Plain => ok(&json!({"success": true, "data": tokens})),
        Flavour::FastApi => ok(&tokens),
    })
}

/// What a client needs. The tokens are good for both flavours.
pub fn credentials(app: &App, user: &User, begun: Begun) -> anyhow::Result<Credentials> {
    let Begun { session, jti } = begun;
    Ok(Credentials {
        access: token(app, RestType::Access, &session, user, app.uuid()?)?,
        refresh: token(app, RestType::Refresh, &session, user, jti)?,
        expires_in: app.access_ttl,
        user_id: user.seq.to_string(),
        more: [("session_id".to_owned(), Value::from(session.seq))].into_iter().collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_routes_have_another_spelling() {
        let other = |path: &str| other_spelling(&format!("/rest-fastapi{path}"), "/rest-fastapi");
        for (path, expected) in [
            ("/api/v1/sessions", "/api/v1/sessions/"),
            ("/api/v1/sessions/7/", "/api/v1/sessions/7"),
            ("/api/v1/auth/logout/", "/api/v1/auth/logout"),
            ("/api/v1/auth/refresh/", "/api/v1/auth/refresh"),
        ] {
            assert_eq!(other(path), Some(format!("/rest-fastapi{expected}")), "{path}");
        }
        for path in ["", "/", "/api/v1", "/api/v1/sessions//", "/api/v1/sessions/7/8/", "/api/v1/session", "/api/v2/sessions"] {
            assert_eq!(other(path), None, "{path}");
        }
    }
}
