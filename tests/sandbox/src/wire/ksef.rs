//! KSeF 2.0, the Polish system of e-invoices: its authentication sessions. Its descriptions of errors and states are part of the wire and
//! are Polish there, so they are here. No answer has a CORS header.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{OriginalUri, Path, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hyper::StatusCode;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::{Value, json};

use crate::ambient::{Clock as _, iso_time};
use crate::app::{App, Begun, Limit};
use crate::http::{bearer, json as json_answer, ok, query_parameter, text_of};
use crate::store::{Ending, Revocation, Session, Spending};
use crate::tokens::{KsefClaims, KsefType};
use crate::wire::{Credentials, Refusal, dress, seconds_blocked, set_number};

/// Where it is mounted.
pub const MOUNT: &str = "/ksef/v2";

const CONTINUATION: HeaderName = HeaderName::from_static("x-continuation-token");
const ERROR_FORMAT: HeaderName = HeaderName::from_static("x-error-format");
const WARNING: HeaderName = HeaderName::from_static("x-system-warning");
/// Asks for a warning, as on the real test environment.
const TEST_WARNING: HeaderName = HeaderName::from_static("x-test-system-warning");
/// Lifetime of access and authentication tokens in seconds.
const TOKEN_TTL: i64 = 900;

const SECOND: i64 = 1000;
const SESSION_LIMITS: &[Limit] =
    &[Limit { requests: 10, window_ms: SECOND }, Limit { requests: 30, window_ms: 60 * SECOND }, Limit { requests: 120, window_ms: 3600 * SECOND }];
const TOKEN_LIMITS: &[Limit] = &[Limit { requests: 60, window_ms: SECOND }];

/// The routes, to be nested under [`MOUNT`]. Unknown ones are a 404 or 405 without a body.
pub fn router(app: Arc<App>) -> Router {
    let limited = |operation, limits| middleware::from_fn_with_state(Limited { app: Arc::clone(&app), operation, limits }, rate_limit);
    Router::new()
        .route("/auth/sessions", get(list).layer(limited("ksef list", SESSION_LIMITS)))
        .route("/auth/sessions/current", delete(revoke_current).layer(limited("ksef revoke current", SESSION_LIMITS)))
        .route("/auth/sessions/{reference}", delete(revoke).layer(limited("ksef revoke", SESSION_LIMITS)))
        .route("/auth/token/refresh", post(refresh).layer(limited("ksef refresh", TOKEN_LIMITS)))
        .route("/auth/token/redeem", post(redeem).layer(limited("ksef redeem", TOKEN_LIMITS)))
        .fallback(async || StatusCode::NOT_FOUND)
        .layer(middleware::from_fn_with_state(Arc::clone(&app), errors))
        .layer(middleware::from_fn(warnings))
        .with_state(app)
}

// ------------------------------------------------------------------------------------------------ reference numbers and times

/// `20260131-AU-0123456789-ABCDEF0123-45`: the day of the sign-in and the first 22 digits of the store's id.
pub fn reference_number(session: &Session) -> String {
    let day: String = iso_time(session.created_at).chars().take(10).filter(|character| *character != '-').collect();
    let digits = session.id.replace('-', "").to_ascii_uppercase();
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    format!("{day}-AU-{}-{}-{}", part(0, 10), part(10, 20), part(20, 22))
}

/// `0` is any digit, `F` any hexadecimal one in capitals.
const REFERENCE_FORM: &str = "00000000-AU-FFFFFFFFFF-FFFFFFFFFF-FF";

/// How the store's id of the session begins; `None` if this has not the form of a reference number.
fn id_prefix(reference: &str) -> Option<String> {
    let fits = |(byte, form)| match form {
        b'0' => u8::is_ascii_digit(&byte),
        b'F' => byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte),
        _ => byte == form,
    };
    if reference.len() != REFERENCE_FORM.len() || !reference.bytes().zip(REFERENCE_FORM.bytes()).all(fits) {
        return None;
    }
    let digits: String = reference.chars().skip("00000000-AU-".len()).filter(|character| *character != '-').collect();
    let digits = digits.to_ascii_lowercase();
    // A UUID has hyphens after 8, 12, 16 and 20 digits.
    Some([digits.get(..8)?, digits.get(8..12)?, digits.get(12..16)?, digits.get(16..20)?, digits.get(20..)?].join("-"))
}

fn find(app: &App, reference: &str) -> Result<Option<Session>, Refusal> {
    let Some(prefix) = id_prefix(reference) else {
        return Ok(None);
    };
    Ok(app.store.session_by_prefix(&prefix)?.filter(|session| reference_number(session) == reference))
}

/// `2026-01-31T09:30:00.0000017+00:00`. The digits that the store does not have are the session's number, so that they sort as the list does.
fn precise_time(ms: i64, rest: i64) -> String {
    format!("{}{:04}+00:00", iso_time(ms).trim_end_matches('Z'), rest.rem_euclid(10_000))
}

// ------------------------------------------------------------------------------------------------ what goes around the routes

/// A 400 with one of KSeF's codes. The description goes with the code, so only the detail is given.
fn exception(code: &'static str, detail: impl Into<String>) -> Refusal {
    let description = match code {
        "21301" => "Brak autoryzacji.",
        "21304" => "Brak uwierzytelnienia.",
        "21418" => "Przekazany token kontynuacji ma nieprawidłowy format.",
        _ => "Błąd walidacji danych wejściowych.",
    };
    let refusal = Refusal::new(StatusCode::BAD_REQUEST, code, description);
    let detail = detail.into();
    if detail.is_empty() { refusal } else { refusal.about(detail) }
}

fn unauthorized() -> Refusal {
    Refusal::new(StatusCode::UNAUTHORIZED, "", "Wymagane jest uwierzytelnienie.")
}

/// Of another kind than the operation takes: the policy in front of it says no, and says nothing else.
fn wrong_kind() -> Refusal {
    Refusal::new(StatusCode::FORBIDDEN, "", "")
}

async fn warnings(request: Request, next: Next) -> Response {
    let wanted = request.headers().get(TEST_WARNING).cloned();
    let mut response = next.run(request).await;
    if let Some(warning) = wanted {
        response.headers_mut().insert(WARNING, warning);
    }
    response
}

#[derive(Clone)]
struct Limited {
    app: Arc<App>,
    operation: &'static str,
    limits: &'static [Limit],
}

async fn rate_limit(State(limited): State<Limited>, request: Request, next: Next) -> Response {
    let Some(seconds) = seconds_blocked(&limited.app, &request, limited.operation, limited.limits) else {
        return next.run(request).await;
    };
    let message = format!("Przekroczono limit żądań. Spróbuj ponownie po {seconds} sekundach.");
    let mut response = Refusal::new(StatusCode::TOO_MANY_REQUESTS, "", message).into_response();
    set_number(&mut response, header::RETRY_AFTER, seconds);
    response
}

async fn errors(State(app): State<Arc<App>>, uri: OriginalUri, request: Request, next: Next) -> Response {
    let as_problem = text_of(request.headers(), &ERROR_FORMAT) == Some("problem-details");
    let response = next.run(request).await;
    dress(response, |refusal| {
        let trace = app.uuid().unwrap_or_default();
        match refusal.status {
            StatusCode::FORBIDDEN if refusal.code.is_empty() => refusal.status.into_response(),
            StatusCode::BAD_REQUEST if !as_problem => exception_body(&app, &refusal, &trace),
            StatusCode::TOO_MANY_REQUESTS if !as_problem => {
                let status = json!({"code": 429, "description": "Too Many Requests", "details": [refusal.message]});
                json_answer(refusal.status, &json!({"status": status}))
            }
            _ => problem(&app, &refusal, uri.path(), &trace),
        }
    })
}

/// The older form of a 400.
fn exception_body(app: &App, refusal: &Refusal, trace: &str) -> Response {
    let detail = json!({
        "exceptionCode": number(refusal.code),
        "exceptionDescription": refusal.message,
        "details": refusal.about.iter().collect::<Vec<_>>(),
    });
    let digits = trace.replace('-', "");
    let exception = json!({
        "exceptionDetailList": [detail],
        "referenceNumber": trace,
        "serviceCode": format!("00-{digits}-{}-00", digits.get(..16).unwrap_or_default()),
        "serviceCtx": "srvSANDBOX",
        "serviceName": "Undefined",
        "timestamp": precise_time(app.clock.now_ms(), 0).trim_end_matches("+00:00"),
    });
    json_answer(refusal.status, &json!({"exception": exception}))
}

/// Problem details (RFC 9457).
fn problem(app: &App, refusal: &Refusal, path: &str, trace: &str) -> Response {
    let mut body = json!({
        "title": refusal.status.canonical_reason().unwrap_or("Error"),
        "status": refusal.status.as_u16(),
        "detail": refusal.message,
        "instance": path,
        "traceId": trace.replace('-', ""),
        "timestamp": precise_time(app.clock.now_ms(), 0),
    });
    if let Some(body) = body.as_object_mut() {
        match refusal.status {
            StatusCode::BAD_REQUEST => {
                let details = refusal.about.as_ref().map(|detail| [detail]);
                body.insert("detail".to_owned(), "Żądanie jest nieprawidłowe.".into());
                body.insert("errors".to_owned(), json!([{"code": number(refusal.code), "description": refusal.message, "details": details}]));
            }
            StatusCode::FORBIDDEN => {
                body.insert("reasonCode".to_owned(), refusal.code.into());
                body.insert("security".to_owned(), json!({}));
            }
            _ => {}
        }
    }
    let mut response = json_answer(refusal.status, &body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response
}

/// What has no code of its own is about the input.
fn number(code: &str) -> u32 {
    code.parse().unwrap_or(21405)
}

/// The claims of the request's token, if it is of one of these kinds.
fn claims(app: &App, headers: &HeaderMap, kinds: &[KsefType]) -> Result<KsefClaims, Refusal> {
    let token = bearer(headers).ok_or_else(unauthorized)?;
    let claims: KsefClaims = app.verify(token).map_err(|_| unauthorized())?;
    if kinds.contains(&claims.typ) { Ok(claims) } else { Err(wrong_kind()) }
}

/// The same for operations on sessions. That the token's own session may be revoked does not matter: access tokens are good until they expire.
fn caller(app: &App, headers: &HeaderMap, kinds: &[KsefType]) -> Result<KsefClaims, Refusal> {
    let claims = claims(app, headers, kinds)?;
    match app.store.user(&claims.sub)? {
        Some(_) => Ok(claims),
        None => Err(unauthorized()),
    }
}

// ------------------------------------------------------------------------------------------------ sessions

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionList {
    continuation_token: Option<String>,
    items: Vec<SessionItem>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionItem {
    reference_number: String,
    is_current: bool,
    start_date: String,
    authentication_method: &'static str,
    authentication_method_info: MethodInfo,
    status: Status,
    is_token_redeemed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_token_refresh_date: Option<String>,
    refresh_token_valid_until: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MethodInfo {
    category: &'static str,
    code: &'static str,
    display_name: &'static str,
}

#[derive(Serialize)]
struct Status {
    code: u16,
    description: &'static str,
}

/// How somebody signed in. The sandbox knows passwords only, so the session's number chooses.
fn method(seq: i64) -> (&'static str, MethodInfo) {
    let (name, category, code, display_name) = match seq.rem_euclid(5) {
        0 => ("QualifiedSeal", "XadesSignature", "xades.qualified-seal", "Pieczęć kwalifikowana"),
        1 => ("Token", "Token", "token.ksef", "Token KSeF"),
        2 => ("TrustedProfile", "NationalNode", "national-node.trusted-profile", "Profil Zaufany – logowanie przez Węzeł Krajowy z aplikacją mObywatel"),
        3 => ("QualifiedSignature", "XadesSignature", "xades.qualified-signature", "Podpis kwalifikowany"),
        _ => ("InternalCertificate", "Other", "other.internal-certificate", "Certyfikat KSeF"),
    };
    (name, MethodInfo { category, code, display_name })
}

impl SessionItem {
    fn new(session: &Session, current: &str) -> Self {
        let reference_number = reference_number(session);
        let (authentication_method, authentication_method_info) = method(session.seq);
        Self {
            is_current: reference_number == current,
            reference_number,
            start_date: precise_time(session.created_at, session.seq),
            authentication_method,
            authentication_method_info,
            status: Status { code: 200, description: "Uwierzytelnianie zakończone sukcesem" },
            is_token_redeemed: true,
            last_token_refresh_date: (session.last_active_at > session.created_at).then(|| precise_time(session.last_active_at, 0)),
            refresh_token_valid_until: iso_time(session.expires_at).replace('Z', "+00:00"),
        }
    }
}

/// Where a page ends: time of creation and number of its last session.
type Place = (i64, i64);

fn continuation(session: &Session) -> String {
    BASE64.encode(format!("{}:{}", session.created_at, session.seq))
}

fn place(token: &HeaderValue) -> Option<Place> {
    let text = String::from_utf8(BASE64.decode(token.as_bytes()).ok()?).ok()?;
    let (created_at, seq) = text.split_once(':')?;
    Some((created_at.parse().ok()?, seq.parse().ok()?))
}

/// `GET /auth/sessions`
async fn list(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let caller = caller(&app, request.headers(), &[KsefType::ContextToken])?;
    let size = match query_parameter(&request, "pageSize") {
        None => 10,
        Some(text) => text
            .parse()
            .ok()
            .filter(|size| (10..=100).contains(size))
            .ok_or_else(|| exception("21405", "Wartość parametru pageSize musi być liczbą od 10 do 100."))?,
    };
    let after = match request.headers().get(CONTINUATION).filter(|token| !token.is_empty()) {
        None => None,
        Some(token) => Some(place(token).ok_or_else(|| exception("21418", ""))?),
    };
    let mut sessions = app.store.active_sessions(&caller.sub, None, app.clock.now_ms())?;
    sessions.retain(|session| after.is_none_or(|after| (session.created_at, session.seq) < after));
    let more = sessions.len() > size;
    sessions.truncate(size);
    Ok(ok(&SessionList {
        continuation_token: sessions.last().filter(|_| more).map(continuation),
        items: sessions.iter().map(|session| SessionItem::new(session, &caller.arn)).collect(),
    }))
}

/// `DELETE /auth/sessions/current`
async fn revoke_current(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let caller = caller(&app, request.headers(), &[KsefType::ContextToken, KsefType::RefreshToken])?;
    let session = find(&app, &caller.arn)?.ok_or_else(unauthorized)?;
    app.store.revoke(&session.id, &caller.sub, app.clock.now_ms(), Ending::Logout)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `DELETE /auth/sessions/{referenceNumber}`. Once more is a success, too.
async fn revoke(State(app): State<Arc<App>>, reference: Result<Path<String>, PathRejection>, request: Request) -> Result<Response, Refusal> {
    let caller = caller(&app, request.headers(), &[KsefType::ContextToken])?;
    let reference = reference.map(|Path(reference)| reference).unwrap_or_default();
    if id_prefix(&reference).is_none() {
        return Err(exception("21405", "Numer referencyjny ma nieprawidłowy format."));
    }
    let session = find(&app, &reference)?;
    let result = match &session {
        Some(session) => app.store.revoke(&session.id, &caller.sub, app.clock.now_ms(), Ending::Revoked)?,
        None => Revocation::NotFound,
    };
    match result {
        Revocation::Done | Revocation::AlreadyEnded => Ok(StatusCode::NO_CONTENT.into_response()),
        Revocation::NotFound => Err(exception("21405", format!("Sesja o numerze referencyjnym {reference} nie została znaleziona."))),
        Revocation::NotYours => Err(Refusal::new(StatusCode::FORBIDDEN, "insufficient-resource-access", "Brak dostępu do wskazanego zasobu.")),
    }
}

// ------------------------------------------------------------------------------------------------ tokens

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tokens {
    access_token: TokenInfo,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<TokenInfo>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TokenInfo {
    token: String,
    valid_until: String,
}

/// Shorter than a quarter of an hour where the sandbox is told so.
fn token_ttl(app: &App) -> i64 {
    TOKEN_TTL.min(app.access_ttl)
}

fn token(app: &App, typ: KsefType, session: &Session, jti: String) -> anyhow::Result<TokenInfo> {
    let iat = app.now_seconds();
    let exp = match typ {
        // As long as the session: it is not replaced when it is used.
        KsefType::RefreshToken => session.expires_at.div_euclid(1000),
        KsefType::ContextToken | KsefType::AuthenticationToken => iat.saturating_add(token_ttl(app)),
    };
    let claims = KsefClaims { typ, arn: reference_number(session), sub: session.user_id.clone(), jti, iat, exp };
    Ok(TokenInfo { token: app.sign(&claims)?, valid_until: precise_time(exp.saturating_mul(1000), 0) })
}

fn both_tokens(app: &App, session: &Session) -> anyhow::Result<Tokens> {
    Ok(Tokens {
        access_token: token(app, KsefType::ContextToken, session, app.uuid()?)?,
        refresh_token: Some(token(app, KsefType::RefreshToken, session, app.uuid()?)?),
    })
}

fn lost(reference: &str) -> Refusal {
    exception("21304", format!("Operacja uwierzytelniania o numerze referencyjnym {reference} nie została znaleziona."))
}

/// What a session is that is not alive: 480 where theft was suspected, otherwise revoked.
fn status_code(session: &Session) -> u16 {
    if session.ended_by.as_deref() == Some("replay") { 480 } else { 425 }
}

/// `POST /auth/token/refresh`. A 400 for a revoked session, not a 401.
async fn refresh(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let claims = claims(&app, request.headers(), &[KsefType::RefreshToken])?;
    let session = find(&app, &claims.arn)?.ok_or_else(|| lost(&claims.arn))?;
    if session.revoked_at.is_some() {
        let code = status_code(&session);
        return Err(exception("21301", format!("Status uwierzytelnienia ({code}) nie pozwala na odświeżenie tokenu dostępowego.")));
    }
    app.store.touch(&session.id, app.clock.now_ms())?;
    Ok(ok(&Tokens { access_token: token(&app, KsefType::ContextToken, &session, app.uuid()?)?, refresh_token: None }))
}

/// `POST /auth/token/redeem`, once per authentication token.
async fn redeem(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let claims = claims(&app, request.headers(), &[KsefType::AuthenticationToken])?;
    match app.store.spend(&claims.jti, None, app.clock.now_ms())? {
        Spending::Fresh(session) => Ok(ok(&both_tokens(&app, &session)?)),
        Spending::Used(_) => Err(exception("21301", format!("Tokeny dla operacji uwierzytelniania {} zostały już pobrane.", claims.arn))),
        Spending::Ended(session) => Err(exception("21301", format!("Status uwierzytelniania ({}) nie pozwala na pobranie tokenów.", status_code(&session)))),
        Spending::Unknown => Err(lost(&claims.arn)),
        Spending::Expired => Err(unauthorized()),
    }
}

/// What a client needs: the pair of tokens, and an authentication token that gives one more.
pub fn credentials(app: &App, begun: Begun) -> anyhow::Result<Credentials> {
    let Begun { session, jti } = begun;
    let authentication = token(app, KsefType::AuthenticationToken, &session, jti)?;
    let more = [("session_id", Value::from(reference_number(&session))), ("authentication_token", Value::from(authentication.token))];
    Ok(Credentials {
        access: token(app, KsefType::ContextToken, &session, app.uuid()?)?.token,
        refresh: token(app, KsefType::RefreshToken, &session, app.uuid()?)?.token,
        expires_in: token_ttl(app),
        user_id: session.user_id,
        more: more.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reference_numbers_have_exactly_one_form() {
        let good = "20260131-AU-0F8FAD5BD9-CB469FA165-70";
        assert_eq!(id_prefix(good).as_deref(), Some("0f8fad5b-d9cb-469f-a165-70"));
        let lower = good.to_ascii_lowercase();
        let longer = format!("{good}0");
        for bad in ["", "current", &lower, &longer, "20260131-AU-0F8FAD5BD9-CB469FA165-7", "2026013x-AU-0F8FAD5BD9-CB469FA165-70"] {
            assert_eq!(id_prefix(bad), None, "{bad}");
        }
        for bad in ["20260131-EU-0F8FAD5BD9-CB469FA165-70", "20260131-AU-0F8FAD5BG9-CB469FA165-70", "20260131-AU-0F8FAD5BD9+CB469FA165-70"] {
            assert_eq!(id_prefix(bad), None, "{bad}");
        }
        assert_eq!(id_prefix("20260131-AU-ąąąąą-CB469FA165-70"), None, "36 bytes, but not of ASCII");
    }

    #[test]
    fn times_have_seven_digits_and_an_offset() {
        assert_eq!(precise_time(1_769_851_800_123, 17), "2026-01-31T09:30:00.1230017+00:00");
        assert_eq!(precise_time(0, 123_456), "1970-01-01T00:00:00.0003456+00:00");
    }
}
