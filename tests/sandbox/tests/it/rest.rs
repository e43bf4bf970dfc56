//! The plain REST wire in both flavours: every operation, status and error code.

use serde_json::{Value, json};

use crate::harness::*;

const PLAIN: &str = "/rest/api/v1";
const FASTAPI: &str = "/rest-fastapi/api/v1";

/// The list, each flavour at its own path.
fn collection(base: &str) -> String {
    if base == PLAIN { format!("{base}/sessions") } else { format!("{base}/sessions/") }
}

struct Session {
    access: String,
    refresh: String,
    id: i64,
}

impl Sandbox {
    async fn rest_sign_in(&self) -> Session {
        self.rest_sign_in_as("demo").await
    }

    async fn rest_sign_in_as(&self, name: &str) -> Session {
        let signed_in = self.sign_in_as(name, "rest").await;
        let text = |name| text(&signed_in, name).to_owned();
        Session { access: text("access_token"), refresh: text("refresh_token"), id: signed_in["session_id"].as_i64().unwrap() }
    }

    async fn rest_list(&self, base: &str, access: &str) -> Vec<Value> {
        let answer = self.get(collection(base)).bearer(access).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let body = answer.json();
        let list = if base == PLAIN { &body["data"]["sessions"] } else { &body };
        list.as_array().unwrap().clone()
    }

    async fn rest_ids(&self, base: &str, access: &str) -> Vec<i64> {
        self.rest_list(base, access).await.iter().map(|session| session["id"].as_i64().unwrap()).collect()
    }

    fn rest_refresh(&self, base: &str, token: &str) -> Call {
        self.post(format!("{base}/auth/refresh")).json(json!({"refresh_token": token}))
    }
}

/// An error of the plain flavour.
#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) {
    let body = answer.json();
    assert_eq!((answer.status, &body["success"], text(&body["error"], "code")), (status, &json!(false), code), "{body}");
    assert_eq!(names(&body), ["error", "success"]);
    assert!(!text(&body["error"], "message").is_empty());
    assert!(text(&body["error"], "timestamp").starts_with("2026-"), "{body}");
}

/// The same refusal as each flavour says it: FastAPI has no codes.
#[track_caller]
fn refused_by(base: &str, answer: &Answer, status: u16, code: &str, detail: &str) {
    if base == PLAIN {
        return refused(answer, status, code);
    }
    assert_eq!((answer.status, answer.json()), (status, json!({"detail": detail})));
    assert_eq!(answer.header("www-authenticate"), (status == 401).then_some("Bearer"));
}

const INVALID: (u16, &str, &str) = (401, "AUTH_INVALID", "Could not validate credentials");
const EXPIRED: (u16, &str, &str) = (401, "AUTH_EXPIRED", "The token has expired");

#[tokio::test]
async fn sign_in_speaks_in_numbers() {
    let sandbox = Sandbox::start().await;
    let signed_in = sandbox.sign_in_to("rest").await;
    assert_eq!(names(&signed_in), ["access_token", "expires_in", "refresh_token", "session_id", "token_type", "user"]);
    assert_eq!((&signed_in["session_id"], &signed_in["user"]["id"], &signed_in["expires_in"]), (&json!(10), &json!("1"), &json!(3600)));
    assert_eq!(sandbox.rows().await[0]["ids"]["rest"], 10);
    assert_eq!(claims(text(&signed_in, "access_token"))["exp"], START_MS / 1000 + 3600);
}

#[tokio::test]
async fn lists_have_exactly_these_fields() {
    let sandbox = Sandbox::start().await;
    let session = sandbox.rest_sign_in().await;
    let answer = sandbox.get(format!("{PLAIN}/sessions")).bearer(&session.access).send().await;
    let body = answer.json();
    assert_eq!(
        (&body["success"], names(&body), names(&body["data"])),
        (&json!(true), vec!["data", "success"], vec!["active_count", "sessions", "total_count"])
    );
    let with_slash = sandbox.get(format!("{PLAIN}/sessions/")).bearer(&session.access).send().await;
    assert_eq!(with_slash.json(), body);
    assert_eq!((&body["data"]["active_count"], &body["data"]["total_count"]), (&json!(8), &json!(8)));
    assert_eq!(
        body["data"]["sessions"][0],
        json!({
            "id": 10, "user_id": 1, "ip_address": "127.0.0.1", "user_agent": null, "created_at": "2026-01-31T09:30:00.000Z",
            "last_activity_at": "2026-01-31T09:30:00.000Z", "expires_at": "2026-02-07T09:30:00.000Z", "revoked_at": null, "is_current": true,
        })
    );
    assert_eq!(
        sandbox.rest_list(FASTAPI, &session.access).await[0],
        json!({
            "id": 10, "ip": "127.0.0.1", "user_agent": null, "created_at": "2026-01-31T09:30:00.000000+00:00",
            "last_seen_at": "2026-01-31T09:30:00.000000+00:00", "expires_at": "2026-02-07T09:30:00.000000+00:00", "current": true,
        })
    );
    for (base, current) in [(PLAIN, "is_current"), (FASTAPI, "current")] {
        let list = sandbox.rest_list(base, &session.access).await;
        let marks: Vec<_> = list.iter().map(|session| session[current].as_bool().unwrap()).collect();
        assert_eq!(marks, [true, false, false, false, false, false, false, false]);
        let created: Vec<_> = list.iter().map(|session| text(session, "created_at")).collect();
        assert!(created.is_sorted_by(|a, b| a > b), "{created:?}");
    }
    sandbox.advance_seconds(5).await;
    let list = sandbox.rest_list(PLAIN, &session.access).await;
    assert_eq!(list[0]["last_activity_at"], "2026-01-31T09:30:05.000Z", "every call counts as activity");
}

#[tokio::test]
async fn revoke_answers_in_the_way_of_each_flavour() {
    for base in [PLAIN, FASTAPI] {
        let sandbox = Sandbox::start().await;
        let session = sandbox.rest_sign_in().await;
        let ids = sandbox.rest_ids(base, &session.access).await;
        let revoke = |id: i64| sandbox.call("DELETE", format!("{base}/sessions/{id}")).bearer(&session.access);
        let answer = revoke(ids[3]).send().await;
        if base == PLAIN {
            let data = format!(r#"{{"revoked_at":"2026-01-31T09:30:00.000Z","session_id":{}}}"#, ids[3]);
            answer.is(200, &format!(r#"{{"data":{data},"message":"Session revoked","success":true}}"#));
        } else {
            answer.is(204, "");
        }
        let mut left = ids.clone();
        left.remove(3);
        assert_eq!(sandbox.rest_ids(base, &session.access).await, left);
        for gone in [ids[3], 999, 0, -1, i64::MAX] {
            refused_by(base, &revoke(gone).send().await, 404, "session_not_found", "Session not found");
        }
        let other = sandbox.rest_sign_in_as("other").await;
        let answer = revoke(other.id).send().await;
        match base {
            PLAIN => refused(&answer, 403, "PERMISSION_DENIED"),
            _ => refused_by(base, &answer, 404, "", "Session not found"),
        }
        sandbox.rest_list(base, &other.access).await;
        for malformed in ["x", "1.5", "9223372036854775808", "%ff"] {
            let answer = sandbox.call("DELETE", format!("{base}/sessions/{malformed}")).bearer(&session.access).send().await;
            if base == PLAIN {
                refused(&answer, 404, "RESOURCE_NOT_FOUND");
            } else {
                let detail = json!([{"type": "int_parsing", "loc": ["path", "session_id"], "msg": "Input should be a valid integer"}]);
                assert_eq!((answer.status, answer.json()), (422, json!({"detail": detail})));
            }
        }
    }
}

#[tokio::test]
async fn a_revoked_session_is_refused_at_once() {
    for base in [PLAIN, FASTAPI] {
        let sandbox = Sandbox::start().await;
        let by_itself = sandbox.rest_sign_in().await;
        let by_logout = sandbox.rest_sign_in().await;
        sandbox.call("DELETE", format!("{base}/sessions/{}", by_itself.id)).bearer(&by_itself.access).send().await;
        sandbox.post(format!("{base}/auth/logout")).bearer(&by_logout.access).send().await.is(204, "");
        let rows = sandbox.rows().await;
        assert_eq!((&rows[0]["ended_by"], &rows[1]["ended_by"]), (&json!("logout"), &json!("revoked")));
        let (status, code, detail) = INVALID;
        for session in [by_itself, by_logout] {
            for (method, path) in [("GET", collection(base)), ("DELETE", format!("{base}/sessions/1")), ("POST", format!("{base}/auth/logout"))] {
                let answer = sandbox.call(method, path).bearer(&session.access).send().await;
                refused_by(base, &answer, status, code, detail);
            }
            refused_by(base, &sandbox.rest_refresh(base, &session.refresh).send().await, status, code, detail);
        }
    }
}

#[tokio::test]
async fn calls_need_an_access_token() {
    for base in [PLAIN, FASTAPI] {
        let sandbox = Sandbox::start().await;
        let session = sandbox.rest_sign_in().await;
        let authvital = sandbox.sign_in().await;
        for (method, path) in [("GET", collection(base)), ("DELETE", format!("{base}/sessions/1")), ("POST", format!("{base}/auth/logout"))] {
            let call = || sandbox.call(method, &path);
            for call in [call(), call().header("authorization", &session.access), call().header("authorization", "Bearer ")] {
                refused_by(base, &call.send().await, 401, "AUTH_REQUIRED", "Not authenticated");
            }
            for bad in ["garbage", &session.refresh, &authvital.access, &authvital.refresh] {
                let (status, code, detail) = INVALID;
                refused_by(base, &call().bearer(bad).send().await, status, code, detail);
            }
        }
        sandbox.advance_seconds(3600).await;
        let (status, code, detail) = EXPIRED;
        refused_by(base, &sandbox.get(collection(base)).bearer(&session.access).send().await, status, code, detail);
        sandbox.post("/sandbox/reset").send().await;
        let (status, code, detail) = INVALID;
        refused_by(base, &sandbox.get(collection(base)).bearer(&session.access).send().await, status, code, detail);
    }
}

#[tokio::test]
async fn a_session_can_be_over_before_its_token() {
    let sandbox = Sandbox::with(sandbox::Config { refresh_ttl: 60, ..config() }).await;
    let session = sandbox.rest_sign_in().await;
    sandbox.advance_seconds(60).await;
    refused(&sandbox.get(format!("{PLAIN}/sessions")).bearer(&session.access).send().await, 401, "AUTH_EXPIRED");
}

#[tokio::test]
async fn a_refresh_keeps_the_session_and_rotates_the_token() {
    for base in [PLAIN, FASTAPI] {
        let sandbox = Sandbox::start().await;
        let session = sandbox.rest_sign_in().await;
        sandbox.advance_seconds(4000).await;
        let answer = sandbox.rest_refresh(base, &session.refresh).send().await;
        let body = answer.json();
        let tokens = if base == PLAIN { &body["data"] } else { &body };
        assert_eq!((answer.status, names(tokens), &tokens["expires_in"]), (200, vec!["access_token", "expires_in", "refresh_token"], &json!(3600)));
        assert_eq!(base == PLAIN, body["success"] == true);
        let access = text(tokens, "access_token");
        assert_eq!(sandbox.rest_ids(base, access).await[0], session.id);
        let row = &sandbox.rows().await[0];
        assert_eq!((text(row, "last_active_at"), text(row, "expires_at")), ("2026-01-31T10:36:40.000Z", "2026-02-07T10:36:40.000Z"));
        // Used a second time it ends its session, the thief's token with it, and no other session.
        let (status, code, detail) = INVALID;
        for token in [&session.refresh, text(tokens, "refresh_token")] {
            refused_by(base, &sandbox.rest_refresh(base, token).send().await, status, code, detail);
        }
        let rows = sandbox.rows().await;
        assert_eq!((&rows[0]["ended_by"], rows.iter().filter(|row| row["state"] == "active").count()), (&json!("replay"), 9));
        refused_by(base, &sandbox.get(collection(base)).bearer(access).send().await, status, code, detail);
        for bad in ["garbage", access, ""] {
            refused_by(base, &sandbox.rest_refresh(base, bad).send().await, status, code, detail);
        }
        let late = sandbox.rest_sign_in().await;
        sandbox.advance_seconds(7 * 24 * 3600).await;
        let (status, code, detail) = EXPIRED;
        refused_by(base, &sandbox.rest_refresh(base, &late.refresh).send().await, status, code, detail);
    }
}

#[tokio::test]
async fn refreshes_that_cannot_be_understood() {
    let sandbox = Sandbox::start().await;
    for base in [PLAIN, FASTAPI] {
        let call = || sandbox.post(format!("{base}/auth/refresh"));
        for call in [call(), call().json(json!({})), call().json(json!({"refresh_token": 1}))] {
            let answer = call.send().await;
            let body = answer.json();
            if base == PLAIN {
                refused(&answer, 400, "VALIDATION_ERROR");
                assert_eq!(body["error"]["details"], json!({"field": "refresh_token"}));
            } else {
                let detail = json!([{"type": "value_error", "loc": ["body", "refresh_token"], "msg": "refresh_token is required"}]);
                assert_eq!((answer.status, body), (422, json!({"detail": detail})));
            }
        }
        for answer in [call().raw("application/json", "{").send().await, call().raw("text/plain", "{}").send().await] {
            match base {
                PLAIN => refused(&answer, 400, "VALIDATION_ERROR"),
                _ => assert_eq!((answer.status, answer.json()["detail"][0]["loc"].clone()), (422, json!(["body"]))),
            }
        }
    }
}

#[tokio::test]
async fn unknown_routes_and_methods() {
    let sandbox = Sandbox::start().await;
    for (base, method, path) in
        [(PLAIN, "GET", "/nothing"), (PLAIN, "GET", "/sessions//"), (PLAIN, "GET", ""), (FASTAPI, "GET", "/nothing"), (FASTAPI, "GET", "")]
    {
        refused_by(base, &sandbox.call(method, format!("{base}{path}")).send().await, 404, "RESOURCE_NOT_FOUND", "Not Found");
    }
    for base in [PLAIN, FASTAPI] {
        for (method, path) in [("PATCH", collection(base)), ("GET", format!("{base}/sessions/1")), ("GET", format!("{base}/auth/logout"))] {
            refused_by(base, &sandbox.call(method, path).send().await, 405, "METHOD_NOT_ALLOWED", "Method Not Allowed");
        }
    }
}

#[tokio::test]
async fn fastapi_redirects_to_the_right_spelling() {
    let sandbox = Sandbox::start().await;
    let session = sandbox.rest_sign_in().await;
    let ids = sandbox.rest_ids(FASTAPI, &session.access).await;
    let url = sandbox.running.url();
    for (method, path, right) in [
        ("GET", "/sessions".to_owned(), "/sessions/".to_owned()),
        ("GET", "/sessions?a=1&b=%20".to_owned(), "/sessions/?a=1&b=%20".to_owned()),
        ("DELETE", format!("/sessions/{}/", ids[2]), format!("/sessions/{}", ids[2])),
        ("POST", "/auth/logout/".to_owned(), "/auth/logout".to_owned()),
        ("POST", "/auth/refresh/".to_owned(), "/auth/refresh".to_owned()),
    ] {
        // Without a token, too: the redirect comes before everything else.
        for call in [sandbox.call(method, format!("{FASTAPI}{path}")), sandbox.call(method, format!("{FASTAPI}{path}")).bearer(&session.access)] {
            let answer = call.send().await;
            answer.is(307, "");
            assert_eq!(answer.header("location"), Some(format!("{url}{FASTAPI}{right}").as_str()));
        }
    }
    assert_eq!(sandbox.rest_ids(FASTAPI, &session.access).await, ids, "nothing was done");
    let answer = sandbox.get(format!("{FASTAPI}/sessions")).header("origin", WEB).send().await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (307, Some(WEB)));
}

#[tokio::test]
async fn allowed_pages_may_call_and_others_not() {
    let sandbox = Sandbox::start().await;
    let session = sandbox.rest_sign_in().await;
    for base in [PLAIN, FASTAPI] {
        let preflight = |origin: &str| sandbox.call("OPTIONS", collection(base)).header("origin", origin).header("access-control-request-method", "GET").send();
        let answer = preflight(WEB).await;
        answer.is(204, "");
        assert_eq!(answer.header("access-control-allow-headers"), Some("Content-Type, Authorization, X-Requested-With"));
        for call in [sandbox.get(collection(base)), sandbox.get(collection(base)).bearer(&session.access), sandbox.get(collection(base)).fault("status=503")] {
            let answer = call.header("origin", WEB).send().await;
            assert_eq!(answer.header("access-control-allow-origin"), Some(WEB), "{}", answer.status);
            assert_eq!(answer.header("access-control-expose-headers"), None);
        }
        for origin in ["https://evil.example", "null"] {
            let logout = sandbox.post(format!("{base}/auth/logout")).bearer(&session.access).header("origin", origin).send().await;
            for answer in [preflight(origin).await, logout] {
                refused_by(base, &answer, 403, "PERMISSION_DENIED", "This origin is not allowed");
                answer.has_no_cors();
            }
        }
        sandbox.rest_list(base, &session.access).await;
    }
}

#[tokio::test]
async fn the_limit_says_when_it_is_over() {
    let sandbox = Sandbox::start().await;
    sandbox.rate_limit(true).await;
    for base in [PLAIN, FASTAPI] {
        for _ in 0..100 {
            assert_eq!(sandbox.get(collection(base)).send().await.status, 401);
        }
        let answer = sandbox.get(collection(base)).send().await;
        refused_by(base, &answer, 429, "RATE_LIMIT_EXCEEDED", "Rate limit exceeded");
        assert_eq!(answer.header("x-ratelimit-reset"), Some((START_MS / 1000 + 60).to_string().as_str()));
        assert_eq!(answer.header("retry-after"), None);
    }
    sandbox.advance_seconds(60).await;
    assert_eq!(sandbox.get(collection(PLAIN)).send().await.status, 401);
}
