//! AuthVital, in both generations of its API.
//!
//! The servers behind it are NestJS on Express, so whatever is not documented is as those two do it: error bodies, `Cannot GET …` for unknown
//! routes, body parsing, the `cors` package.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, StatusCode, Uri};
use serde::Serialize;

use crate::ambient::{Clock as _, http_time, iso_time};
use crate::app::{App, Begun, Limit, Refreshed, TokenPair};
use crate::http::{Failure, bearer, body_parameters, cookie, ok, query_parameter, set_cookie, string_parameter};
use crate::store::{Ending, Revocation, Session, User};
use crate::tokens::{AccessClaims, IdpClaims, RefreshClaims};
use crate::wire::{Credentials, cross_origin, seconds_blocked};

/// Cookie with an access token.
pub const AUTH_COOKIE: &str = "auth_token";
/// Cookie with a refresh token.
pub const REFRESH_COOKIE: &str = "refresh_token";
/// Cookie of the sign-in at the identity provider itself.
pub const IDP_COOKIE: &str = "idp_session";

const SCOPE: &str = "openid profile email";
const ALREADY_REVOKED: &str = "Session not found or already revoked";

/// Which of the two APIs a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// `/oauth/…`, which the public documentation describes.
    G1,
    /// `/api/auth/…`, which newer servers speak instead.
    G2,
}

impl Generation {
    /// Where it is mounted.
    pub fn mount(self) -> &'static str {
        match self {
            Self::G1 => "/authvital",
            Self::G2 => "/authvital-g2",
        }
    }

    fn same_site(self) -> &'static str {
        match self {
            Self::G1 => "Lax",
            Self::G2 => "Strict",
        }
    }
}

/// The routes of one generation, to be nested under its mount.
pub fn router(app: Arc<App>, generation: Generation) -> Router {
    let wire = Wire { app, generation };
    let router = match generation {
        Generation::G1 => Router::new()
            .route("/oauth/sessions", get(list))
            .route("/oauth/sessions/{id}/revoke", post(revoke))
            .route("/oauth/logout-all", post(logout_all))
            .route("/oauth/logout", post(logout)) // POST only: GET is 404 in every version
            .route("/oauth/token", post(token))
            .route("/oauth/revoke", post(revoke_token))
            .route("/api/auth/logout/redirect", get(logout_redirect)),
        Generation::G2 => Router::new()
            .route("/api/auth/sessions", get(list))
            .route("/api/auth/sessions/{id}", delete(revoke))
            .route("/api/auth/logout", post(logout_g2))
            .route("/api/auth/refresh", post(refresh_by_cookie)),
    };
    router
        .fallback(not_found)
        .method_not_allowed_fallback(not_found) // Express has no 405
        .layer(middleware::from_fn_with_state(wire.clone(), rate_limit))
        .layer(middleware::from_fn_with_state(wire.clone(), cors))
        .with_state(wire)
}

#[derive(Clone)]
struct Wire {
    app: Arc<App>,
    generation: Generation,
}

// ------------------------------------------------------------------------------------------------ what goes around the routes

/// `Cannot GET /oauth/sessions?x=1`: method and path without the mount, with the query.
fn cannot(method: &Method, uri: &Uri) -> Failure {
    let path = uri.path_and_query().map_or(uri.path(), |path_and_query| path_and_query.as_str());
    Failure::new(StatusCode::NOT_FOUND, format!("Cannot {method} {path}"))
}

async fn not_found(request: Request) -> Failure {
    cannot(request.method(), request.uri())
}

async fn cors(State(wire): State<Wire>, request: Request, next: Next) -> Response {
    cross_origin(&wire.app, request, next, |request| match wire.generation {
        Generation::G1 => Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error").into_response(),
        Generation::G2 => cannot(request.method(), request.uri()).into_response(),
    })
    .await
}

const LIMITS: &[Limit] = &[Limit { requests: 100, window_ms: 60_000 }];

async fn rate_limit(State(wire): State<Wire>, request: Request, next: Next) -> Response {
    if seconds_blocked(&wire.app, &request, wire.generation.mount(), LIMITS).is_none() {
        return next.run(request).await;
    }
    let failure = Failure::new(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests");
    let mut response = failure.into_response();
    // The same for everybody, however long it really is.
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
    response
}

impl Wire {
    /// Who is calling: by `Authorization: Bearer`, on G2 also by the `idp_session` cookie. That the session of the token may be revoked does
    /// not matter: AuthVital's access tokens are good until they expire.
    fn user(&self, headers: &HeaderMap) -> Result<User, Failure> {
        let id = if let Some(token) = bearer(headers) {
            self.app.verify::<AccessClaims>(token).ok().map(|claims| claims.sub)
        } else if let Some(token) = self.idp_cookie(headers) {
            self.app.verify::<IdpClaims>(token).ok().map(|claims| claims.sub)
        } else {
            return Err(Failure::unauthorized("No access token provided"));
        };
        let user = match id {
            Some(id) => self.app.store.user(&id)?,
            None => None,
        };
        user.ok_or_else(|| Failure::unauthorized("Invalid access token"))
    }

    fn idp_cookie<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        match self.generation {
            Generation::G1 => None,
            Generation::G2 => cookie(headers, IDP_COOKIE),
        }
    }

    fn clear_cookies(&self, response: &mut Response, names: &[&str]) {
        let same_site = self.generation.same_site();
        for name in names {
            // No `Secure`: that is for production, and the sandbox speaks plain http.
            set_cookie(response, &format!("{name}=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite={same_site}"));
        }
    }
}

/// A cookie with a new value.
pub fn fresh_cookie(generation: Generation, name: &str, value: &str, now: i64, ttl: i64) -> String {
    let expires = http_time(now.saturating_add(ttl.saturating_mul(1000)));
    let same_site = generation.same_site();
    format!("{name}={value}; Max-Age={ttl}; Path=/; Expires={expires}; HttpOnly; SameSite={same_site}")
}

/// What a client needs: nothing but the tokens.
pub fn credentials(app: &App, begun: Begun) -> anyhow::Result<Credentials> {
    let user_id = begun.session.user_id.clone();
    let tokens = app.tokens(&begun.session, begun.jti)?;
    Ok(Credentials { access: tokens.access, refresh: tokens.refresh, expires_in: app.access_ttl, user_id, more: serde_json::Map::new() })
}

fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

// ------------------------------------------------------------------------------------------------ both generations

#[derive(Serialize)]
struct SessionList {
    sessions: Vec<SessionItem>,
    count: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionItem {
    id: String,
    created_at: String,
    expires_at: String,
    user_agent: Option<String>,
    ip_address: Option<String>,
    tenant: Option<String>,
}

impl From<Session> for SessionItem {
    fn from(session: Session) -> Self {
        Self {
            id: session.id,
            created_at: iso_time(session.created_at),
            expires_at: iso_time(session.expires_at),
            user_agent: session.user_agent,
            ip_address: session.ip_address,
            tenant: session.tenant,
        }
    }
}

#[derive(Serialize)]
struct Done<'a> {
    success: bool,
    message: &'a str,
}

/// `GET /oauth/sessions[?application_id=ID]`, and `GET /api/auth/sessions`, where `application_id` is ignored.
async fn list(State(wire): State<Wire>, request: Request) -> Result<Response, Failure> {
    let user = wire.user(request.headers())?;
    let application = match wire.generation {
        Generation::G1 => query_parameter(&request, "application_id").filter(|id| !id.is_empty()),
        Generation::G2 => None,
    };
    let now = wire.app.clock.now_ms();
    let sessions: Vec<SessionItem> = wire.app.store.active_sessions(&user.id, application.as_deref(), now)?.into_iter().map(SessionItem::from).collect();
    let count = sessions.len();
    Ok(ok(&SessionList { sessions, count }))
}

/// `POST /oauth/sessions/{id}/revoke`, and `DELETE /api/auth/sessions/{id}`.
async fn revoke(State(wire): State<Wire>, id: Result<Path<String>, PathRejection>, request: Request) -> Result<Response, Failure> {
    let user = wire.user(request.headers())?;
    let Ok(Path(id)) = id else {
        return Err(Failure::bad_request("Failed to decode param 'id'"));
    };
    let now = wire.app.clock.now_ms();
    let result = wire.app.store.revoke(&id, &user.id, now, Ending::Revoked)?;
    match (result, wire.generation) {
        (Revocation::Done, _) => Ok(ok(&Done { success: true, message: "Session revoked successfully" })),
        // 200, although nothing was done.
        (Revocation::AlreadyEnded, _) => Ok(ok(&Done { success: false, message: ALREADY_REVOKED })),
        // 401, although the caller is known.
        (Revocation::NotYours, Generation::G1) => Err(Failure::unauthorized("Cannot revoke another user's session")),
        (Revocation::NotYours, Generation::G2) | (Revocation::NotFound, _) => Err(Failure::new(StatusCode::NOT_FOUND, "Session not found")),
    }
}

// ------------------------------------------------------------------------------------------------ G1 only

#[derive(Serialize)]
struct LoggedOutAll {
    success: bool,
    message: String,
    count: usize,
}

/// `POST /oauth/logout-all`
async fn logout_all(State(wire): State<Wire>, request: Request) -> Result<Response, Failure> {
    let user = wire.user(request.headers())?;
    let parameters = body_parameters(request).await?;
    let application = string_parameter(&parameters, "application_id")?;
    let now = wire.app.clock.now_ms();
    let count = wire.app.store.revoke_all(&user.id, application, now, Ending::LogoutAll)?;
    let mut response = ok(&LoggedOutAll { success: true, message: format!("Revoked {count} session(s)"), count });
    wire.clear_cookies(&mut response, &[AUTH_COOKIE, REFRESH_COOKIE]);
    Ok(response)
}

/// `POST /oauth/logout`: needs no `Authorization`; a cookie wins over the body; is nearly always a success.
async fn logout(State(wire): State<Wire>, request: Request) -> Result<Response, Failure> {
    let from_cookie = cookie(request.headers(), REFRESH_COOKIE).map(str::to_owned);
    let parameters = body_parameters(request).await?;
    let token = match &from_cookie {
        Some(token) => Some(token.as_str()),
        None => string_parameter(&parameters, "refresh_token")?,
    };
    let (success, message) = match token {
        None => (true, "Logged out (no active session)"),
        Some(token) => match end_session_of(&wire.app, token)? {
            None => (true, "Logged out"), // garbage or expired
            Some(Revocation::Done) => (true, "Logged out successfully"),
            Some(_) => (false, ALREADY_REVOKED),
        },
    };
    let mut response = ok(&Done { success, message });
    wire.clear_cookies(&mut response, &[AUTH_COOKIE, REFRESH_COOKIE]);
    Ok(response)
}

/// Ends the session that a refresh token belongs to; `None` if it is not a good refresh token.
fn end_session_of(app: &App, refresh_token: &str) -> Result<Option<Revocation>, Failure> {
    let Ok(claims) = app.verify::<RefreshClaims>(refresh_token) else {
        return Ok(None);
    };
    let now = app.clock.now_ms();
    Ok(Some(app.store.revoke(&claims.sid, &claims.sub, now, Ending::Logout)?))
}

#[derive(Serialize)]
struct TokenAnswer {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    refresh_token: String,
    scope: &'static str,
}

/// `POST /oauth/token` with `grant_type=refresh_token`, the only grant of the sandbox.
async fn token(State(wire): State<Wire>, request: Request) -> Result<Response, Failure> {
    let parameters = body_parameters(request).await?;
    if string_parameter(&parameters, "grant_type")? != Some("refresh_token") {
        return Err(Failure::bad_request("Unsupported grant type"));
    }
    let required = |name| string_parameter(&parameters, name)?.ok_or_else(|| Failure::bad_request(format!("{name} is required")));
    let client_id = required("client_id")?;
    let tokens = refresh(&wire.app, required("refresh_token")?, Some(client_id))?;
    Ok(no_store(ok(&TokenAnswer {
        access_token: tokens.access,
        token_type: "Bearer",
        expires_in: wire.app.access_ttl,
        refresh_token: tokens.refresh,
        scope: SCOPE,
    })))
}

/// Uses a refresh token; a second use of one ends every session of its user on its client.
fn refresh(app: &App, token: &str, client_id: Option<&str>) -> Result<TokenPair, Failure> {
    match app.refresh(token, client_id)? {
        Refreshed::Fresh(tokens) => Ok(tokens),
        Refreshed::Invalid => Err(Failure::unauthorized("Invalid refresh token")),
        Refreshed::Expired => Err(Failure::unauthorized("Session expired")),
        Refreshed::Revoked => Err(Failure::unauthorized("Session has been revoked")),
    }
}

/// `POST /oauth/revoke` (RFC 7009): a success whatever the token is. Access tokens can't be revoked.
async fn revoke_token(State(wire): State<Wire>, request: Request) -> Result<Response, Failure> {
    #[derive(Serialize)]
    struct Revoked {
        success: bool,
    }
    let parameters = body_parameters(request).await?;
    if let Some(token) = string_parameter(&parameters, "token")? {
        end_session_of(&wire.app, token)?;
    }
    Ok(ok(&Revoked { success: true }))
}

/// `GET /api/auth/logout/redirect`: to where it was asked to go, if that is an allowed origin; else to `/`.
async fn logout_redirect(State(wire): State<Wire>, request: Request) -> Result<Response, Failure> {
    if let Some(token) = cookie(request.headers(), REFRESH_COOKIE) {
        end_session_of(&wire.app, token)?;
    }
    let location = query_parameter(&request, "post_logout_redirect_uri")
        .filter(|target| is_registered(&wire.app, request.headers(), target))
        .and_then(|target| HeaderValue::from_str(&target).ok())
        .unwrap_or(HeaderValue::from_static("/"));
    let mut response = StatusCode::FOUND.into_response();
    response.headers_mut().insert(header::LOCATION, location);
    wire.clear_cookies(&mut response, &[AUTH_COOKIE, REFRESH_COOKIE, IDP_COOKIE]);
    Ok(response)
}

/// Real servers have a list of redirect URIs; the sandbox's is the list of origins.
fn is_registered(app: &App, headers: &HeaderMap, target: &str) -> bool {
    let Ok(uri) = target.parse::<Uri>() else {
        return false;
    };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return false;
    };
    HeaderValue::from_str(&format!("{scheme}://{authority}")).is_ok_and(|origin| app.origins.allows(headers, &origin))
}

// ------------------------------------------------------------------------------------------------ G2 only

#[derive(Serialize)]
struct LoggedOutG2<'a> {
    success: bool,
    redirect_uri: Option<&'a str>,
    #[serde(rename = "loggedUser")]
    logged_user: Option<LoggedUser>,
}

#[derive(Serialize)]
struct LoggedUser {
    id: String,
    email: String,
}

/// `POST /api/auth/logout`: ends the session of the cookies, or every session with `everywhere`; needs nothing, and is always a success.
async fn logout_g2(State(wire): State<Wire>, request: Request) -> Result<Response, Failure> {
    let app = &wire.app;
    let user = wire.user(request.headers()).ok();
    let refresh = cookie(request.headers(), REFRESH_COOKIE).and_then(|token| app.verify::<RefreshClaims>(token).ok()).map(|claims| (claims.sub, claims.sid));
    let idp = cookie(request.headers(), IDP_COOKIE).and_then(|token| app.verify::<IdpClaims>(token).ok()).map(|claims| (claims.sub, claims.sid));
    let session = refresh.or(idp);
    let user = match (user, &session) {
        (Some(user), _) => Some(user),
        (None, Some((sub, _))) => app.store.user(sub)?,
        (None, None) => None,
    };
    let parameters = body_parameters(request).await?;
    let redirect_uri = string_parameter(&parameters, "redirect_uri")?;
    let everywhere = parameters.get("everywhere") == Some(&serde_json::Value::Bool(true));
    let now = app.clock.now_ms();
    match (&user, session) {
        (Some(user), _) if everywhere => {
            app.store.revoke_all(&user.id, None, now, Ending::LogoutAll)?;
        }
        (_, Some((sub, sid))) => {
            app.store.revoke(&sid, &sub, now, Ending::Logout)?;
        }
        // An access token carries no session id: there is nothing to end.
        _ => {}
    }
    let mut response = ok(&LoggedOutG2 { success: true, redirect_uri, logged_user: user.map(|user| LoggedUser { id: user.id, email: user.email }) });
    wire.clear_cookies(&mut response, &[AUTH_COOKIE, REFRESH_COOKIE, IDP_COOKIE]);
    Ok(response)
}

#[derive(Serialize)]
struct RefreshAnswer {
    access_token: String,
    expires_in: i64,
    token_type: &'static str,
}

/// `POST /api/auth/refresh`, by cookie only.
async fn refresh_by_cookie(State(wire): State<Wire>, request: Request<Body>) -> Result<Response, Failure> {
    let Some(token) = cookie(request.headers(), REFRESH_COOKIE) else {
        return Err(Failure::unauthorized("interaction_required"));
    };
    let tokens = refresh(&wire.app, token, None)?;
    let mut response = no_store(ok(&RefreshAnswer { access_token: tokens.access, expires_in: wire.app.access_ttl, token_type: "Bearer" }));
    set_cookie(&mut response, &fresh_cookie(wire.generation, REFRESH_COOKIE, &tokens.refresh, wire.app.clock.now_ms(), wire.app.refresh_ttl));
    Ok(response)
}
