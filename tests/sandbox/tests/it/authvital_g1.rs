//! The first generation of AuthVital: every row and trap of its wire, to the byte where the wire is known to the byte.

use serde_json::{Value, json};

use crate::harness::*;

const CLEARS: [&str; 2] = [
    "auth_token=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax",
    "refresh_token=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax",
];

fn revoke(sandbox: &Sandbox, id: &str) -> Call {
    sandbox.post(format!("{G1}/oauth/sessions/{id}/revoke"))
}

fn refresh(sandbox: &Sandbox, token: &str) -> Call {
    sandbox.post(format!("{G1}/oauth/token")).json(json!({
        "grant_type": "refresh_token", "refresh_token": token, "client_id": "web-client",
    }))
}

#[tokio::test]
async fn list_is_newest_first_with_exactly_these_fields() {
    let sandbox = Sandbox::start().await;
    let tokens = sandbox.sign_in().await;
    let list = sandbox.list(G1, &tokens.access).await;
    assert_eq!(list["count"], 8);
    assert_eq!(
        list["sessions"][0],
        json!({
            "id": tokens.sid(),
            "createdAt": "2026-01-31T09:30:00.000Z",
            "expiresAt": "2026-02-07T09:30:00.000Z",
            "userAgent": null, // the test client sends none
            "ipAddress": "127.0.0.1",
            "tenant": "Acme",
        })
    );
    let sessions = list["sessions"].as_array().unwrap();
    let keys: Vec<_> = sessions[1].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["createdAt", "expiresAt", "id", "ipAddress", "tenant", "userAgent"]);
    let created: Vec<_> = sessions.iter().map(|session| session["createdAt"].as_str().unwrap()).collect();
    assert!(created.is_sorted_by(|a, b| a >= b), "{created:?}");
    let by_oauth = sessions.iter().filter(|session| session["ipAddress"].is_null()).collect::<Vec<_>>();
    assert_eq!(by_oauth.len(), 1);
    assert_eq!(by_oauth[0]["userAgent"], Value::Null);
    assert_eq!(by_oauth[0]["tenant"], Value::Null);
}

#[tokio::test]
async fn list_can_be_filtered_by_application() {
    let sandbox = Sandbox::start().await;
    let access = sandbox.sign_in().await.access;
    let count = async |query: &str| {
        let path = format!("{G1}/oauth/sessions{query}");
        sandbox.get(path).bearer(&access).send().await.json()["count"].clone()
    };
    assert_eq!(count("").await, 8);
    assert_eq!(count("?application_id=").await, 8);
    assert_eq!(count("?application_id=app-web").await, 6);
    assert_eq!(count("?x=1&application_id=app%2Dmobile").await, 2);
    assert_eq!(count("?application_id=none").await, 0);
}

#[tokio::test]
async fn tokens_are_real_and_carry_what_authvital_puts_in_them() {
    let sandbox = Sandbox::start().await;
    let tokens = sandbox.sign_in().await;
    let now = START_MS / 1000;
    let access = claims(&tokens.access);
    assert_eq!(access["aud"], "web-client");
    assert_eq!((&access["iat"], &access["exp"]), (&json!(now), &json!(now + 3600)));
    assert!(access.get("sid").is_none(), "no session id in access tokens");
    let refresh = claims(&tokens.refresh);
    let keys: Vec<_> = refresh.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["exp", "iat", "jti", "sid", "sub"]);
    assert_eq!(refresh["exp"], now + 7 * 24 * 3600);
    assert_eq!(refresh["sub"], access["sub"]);
    assert!(sandbox.ids(&tokens.access).await.contains(&tokens.sid()));
}

#[tokio::test]
async fn calls_need_a_bearer_token_whose_prefix_is_case_sensitive() {
    let sandbox = Sandbox::start().await;
    let tokens = sandbox.sign_in().await;
    let routes = [("GET", "/oauth/sessions"), ("POST", "/oauth/sessions/x/revoke"), ("POST", "/oauth/logout-all")];
    for (method, path) in routes {
        let call = || sandbox.call(method, format!("{G1}{path}"));
        let missing = [
            call(),
            call().header("authorization", &format!("bearer {}", tokens.access)),
            call().header("authorization", &format!("BEARER {}", tokens.access)),
            call().header("authorization", &tokens.access),
            call().header("authorization", "Bearer "),
            call().header("cookie", &format!("auth_token={}", tokens.access)),
        ];
        for call in missing {
            call.send().await.is_error(401, "No access token provided");
        }
        for token in ["garbage", &tokens.refresh, &format!("{}x", tokens.access)] {
            let answer = call().bearer(token).send().await;
            answer.is_error(401, "Invalid access token");
        }
    }
}

#[tokio::test]
async fn access_tokens_end_when_their_time_is_over() {
    let sandbox = Sandbox::start().await;
    let access = sandbox.sign_in().await.access;
    sandbox.advance_seconds(3599).await;
    sandbox.list(G1, &access).await;
    sandbox.advance_seconds(1).await;
    let answer = sandbox.get(format!("{G1}/oauth/sessions")).bearer(&access).send().await;
    answer.is_error(401, "Invalid access token");
}

#[tokio::test]
async fn revoke_once_then_success_false() {
    let sandbox = Sandbox::start().await;
    let access = sandbox.sign_in().await.access;
    let victim = sandbox.ids(&access).await.pop().unwrap();
    let answer = revoke(&sandbox, &victim).bearer(&access).send().await;
    answer.is(200, r#"{"success":true,"message":"Session revoked successfully"}"#);
    assert!(!sandbox.ids(&access).await.contains(&victim));
    let row = sandbox.stored(&victim).await;
    assert_eq!((&row["state"], &row["ended_by"], &row["revoked_at"]), (&json!("ended"), &json!("revoked"), &json!("2026-01-31T09:30:00.000Z")));
    let again = revoke(&sandbox, &victim).bearer(&access).send().await;
    again.is(200, r#"{"success":false,"message":"Session not found or already revoked"}"#);
}

#[tokio::test]
async fn revoke_of_unknown_and_of_someone_elses_session() {
    let sandbox = Sandbox::start().await;
    let demo = sandbox.sign_in().await;
    let other = sandbox.sign_in_as_other().await;
    let answer = revoke(&sandbox, "unknown").bearer(&demo.access).send().await;
    answer.is_error(404, "Session not found");
    let odd = revoke(&sandbox, "..%2F%27%20OR%201=1").bearer(&demo.access);
    odd.send().await.is_error(404, "Session not found");
    let undecodable = revoke(&sandbox, "%ff").bearer(&demo.access).send().await;
    undecodable.is_error(400, "Failed to decode param 'id'");
    let answer = revoke(&sandbox, &other.sid()).bearer(&demo.access);
    let answer = answer.send().await;
    answer.is_error(401, "Cannot revoke another user's session");
    assert_eq!(sandbox.stored(&other.sid()).await["state"], "active");
}

#[tokio::test]
async fn revoke_all_counts_clears_cookies_and_leaves_access_tokens_alone() {
    let sandbox = Sandbox::start().await;
    let demo = sandbox.sign_in().await;
    let other = sandbox.sign_in_as_other().await;
    let logout_all = |body: Value| sandbox.post(format!("{G1}/oauth/logout-all")).bearer(&demo.access).json(body).send();
    let some = logout_all(json!({"application_id": "app-mobile"})).await;
    some.is(200, r#"{"success":true,"message":"Revoked 2 session(s)","count":2}"#);
    assert_eq!(some.set_cookies(), CLEARS);
    let rest = logout_all(json!({})).await;
    rest.is(200, r#"{"success":true,"message":"Revoked 6 session(s)","count":6}"#);
    let list = sandbox.get(format!("{G1}/oauth/sessions")).bearer(&demo.access).send().await;
    list.is(200, r#"{"sessions":[],"count":0}"#);
    let none = sandbox.post(format!("{G1}/oauth/logout-all")).bearer(&demo.access).send().await;
    none.is(200, r#"{"success":true,"message":"Revoked 0 session(s)","count":0}"#);
    assert_eq!(sandbox.ids(&other.access).await.len(), 3);
    let answer = refresh(&sandbox, &demo.refresh).send().await;
    answer.is_error(401, "Session has been revoked");
}

#[tokio::test]
async fn logout_by_body_then_again() {
    let sandbox = Sandbox::start().await;
    let tokens = sandbox.sign_in().await;
    let logout = || sandbox.post(format!("{G1}/oauth/logout")).json(json!({"refresh_token": tokens.refresh})).send();
    let first = logout().await;
    first.is(200, r#"{"success":true,"message":"Logged out successfully"}"#);
    assert_eq!(first.set_cookies(), CLEARS, "idp_session is not cleared");
    assert_eq!(sandbox.stored(&tokens.sid()).await["ended_by"], "logout");
    let second = logout().await;
    second.is(200, r#"{"success":false,"message":"Session not found or already revoked"}"#);
    assert_eq!(second.set_cookies(), CLEARS);
    sandbox.list(G1, &tokens.access).await; // the access token goes on working
}

#[tokio::test]
async fn logout_without_a_good_token_is_a_success() {
    let sandbox = Sandbox::start().await;
    let tokens = sandbox.sign_in().await;
    let path = format!("{G1}/oauth/logout");
    let none = r#"{"success":true,"message":"Logged out (no active session)"}"#;
    sandbox.post(&path).send().await.is(200, none);
    sandbox.post(&path).json(json!({})).send().await.is(200, none);
    let bad = r#"{"success":true,"message":"Logged out"}"#;
    for token in ["garbage", &tokens.access] {
        let body = json!({"refresh_token": token});
        sandbox.post(&path).json(body).send().await.is(200, bad);
    }
    sandbox.advance_seconds(604_800).await;
    let expired = json!({"refresh_token": tokens.refresh});
    sandbox.post(&path).json(expired).send().await.is(200, bad);
}

#[tokio::test]
async fn logout_prefers_the_cookie() {
    let sandbox = Sandbox::start().await;
    let (by_cookie, by_body) = (sandbox.sign_in().await, sandbox.sign_in().await);
    let answer = sandbox
        .post(format!("{G1}/oauth/logout"))
        .header("cookie", &format!("a=b; refresh_token={}", by_cookie.refresh))
        .json(json!({"refresh_token": by_body.refresh}))
        .send()
        .await;
    assert_eq!(answer.json()["success"], true);
    assert_eq!(sandbox.stored(&by_cookie.sid()).await["state"], "ended");
    assert_eq!(sandbox.stored(&by_body.sid()).await["state"], "active");
}

#[tokio::test]
async fn refresh_makes_a_new_session_in_place_of_the_old() {
    let sandbox = Sandbox::start().await;
    let old = sandbox.sign_in().await;
    sandbox.advance_seconds(600).await;
    let answer = refresh(&sandbox, &old.refresh).send().await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = answer.json();
    let keys: Vec<_> = body.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["access_token", "expires_in", "refresh_token", "scope", "token_type"]);
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(3600)));
    let new = Tokens { access: body["access_token"].as_str().unwrap().into(), refresh: body["refresh_token"].as_str().unwrap().into() };
    assert_ne!(new.sid(), old.sid());
    let first = sandbox.list(G1, &new.access).await["sessions"][0].clone();
    assert_eq!(first["id"], new.sid());
    assert_eq!(first["createdAt"], "2026-01-31T09:40:00.000Z");
    assert_eq!(sandbox.stored(&old.sid()).await["ended_by"], "rotated");
    assert_eq!(sandbox.ids(&new.access).await.len(), 8);
}

#[tokio::test]
async fn replay_of_a_rotated_token_ends_every_session_on_the_client() {
    let sandbox = Sandbox::start().await;
    let (thief, desk) = (sandbox.sign_in().await, sandbox.sign_in().await);
    let other = sandbox.sign_in_as_other().await;
    let body = refresh(&sandbox, &thief.refresh).send().await.json();
    let rotated = body["refresh_token"].as_str().unwrap().to_owned();
    let replay = refresh(&sandbox, &thief.refresh).send().await;
    replay.is_error(401, "Session has been revoked");
    for token in [&rotated, &desk.refresh] {
        let answer = refresh(&sandbox, token).send().await;
        answer.is_error(401, "Session has been revoked");
    }
    let left = sandbox.list(G1, &desk.access).await;
    assert_eq!(left["count"], 2, "the two of the other client: {left}");
    assert_eq!(sandbox.stored(&desk.sid()).await["ended_by"], "replay");
    assert_eq!(sandbox.stored(&other.sid()).await["state"], "active");
}

#[tokio::test]
async fn refresh_failures() {
    let sandbox = Sandbox::start().await;
    let tokens = sandbox.sign_in().await;
    for token in ["garbage", &tokens.access] {
        let answer = refresh(&sandbox, token).send().await;
        answer.is_error(401, "Invalid refresh token");
    }
    let token = |body: Value| sandbox.post(format!("{G1}/oauth/token")).json(body).send();
    let mut body = json!({
        "grant_type": "refresh_token", "refresh_token": tokens.refresh, "client_id": "another",
    });
    let answer = token(body.clone()).await;
    answer.is_error(401, "Invalid refresh token");
    body.as_object_mut().unwrap().remove("client_id");
    token(body).await.is_error(400, "client_id is required");
    let answer = token(json!({"grant_type": "refresh_token", "client_id": "web-client"})).await;
    answer.is_error(400, "refresh_token is required");
    let answer = token(json!({"grant_type": "password"})).await;
    answer.is_error(400, "Unsupported grant type");
    // None of that used the token up.
    assert_eq!(refresh(&sandbox, &tokens.refresh).send().await.status, 200);
    let late = sandbox.sign_in().await;
    sandbox.advance_seconds(604_800).await;
    let answer = refresh(&sandbox, &late.refresh).send().await;
    answer.is_error(401, "Session expired");
}

#[tokio::test]
async fn refresh_takes_a_form_too_and_a_client_secret() {
    let sandbox = Sandbox::start().await;
    let tokens = sandbox.sign_in().await;
    let form = format!("grant_type=refresh_token&client_id=web-client&client_secret=s&refresh_token={}", tokens.refresh);
    let answer = sandbox.post(format!("{G1}/oauth/token")).raw("application/x-www-form-urlencoded; charset=utf-8", form).send().await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn sessions_end_by_themselves() {
    let sandbox = Sandbox::start().await;
    let tokens = sandbox.sign_in().await;
    sandbox.advance_seconds(604_800).await;
    let later = sandbox.sign_in().await;
    assert!(!sandbox.ids(&later.access).await.contains(&tokens.sid()));
    assert_eq!(sandbox.stored(&tokens.sid()).await["state"], "expired");
}

#[tokio::test]
async fn rfc_7009_revocation_is_always_a_success() {
    let sandbox = Sandbox::start().await;
    let tokens = sandbox.sign_in().await;
    let revoke = |body: Value| sandbox.post(format!("{G1}/oauth/revoke")).json(body).send();
    let success = r#"{"success":true}"#;
    revoke(json!({})).await.is(200, success);
    revoke(json!({"token": "garbage"})).await.is(200, success);
    let access = json!({"token": tokens.access, "token_type_hint": "access_token"});
    revoke(access).await.is(200, success);
    sandbox.list(G1, &tokens.access).await;
    let by_refresh = json!({"token": tokens.refresh});
    revoke(by_refresh.clone()).await.is(200, success);
    assert_eq!(sandbox.stored(&tokens.sid()).await["state"], "ended");
    revoke(by_refresh).await.is(200, success);
}

#[tokio::test]
async fn logout_by_redirect_goes_to_allowed_origins_only() {
    let sandbox = Sandbox::start().await;
    let tokens = sandbox.sign_in().await;
    let redirect = |query: &str| sandbox.get(format!("{G1}/api/auth/logout/redirect{query}"));
    let answer = redirect("?post_logout_redirect_uri=http%3A%2F%2Fapp.example%3A5173%2Fbye%3Fa=1")
        .header("cookie", &format!("refresh_token={}", tokens.refresh))
        .send()
        .await;
    assert_eq!(answer.status, 302);
    assert_eq!(answer.header("location"), Some("http://app.example:5173/bye?a=1"));
    assert_eq!(answer.set_cookies().len(), 3);
    assert_eq!(sandbox.stored(&tokens.sid()).await["state"], "ended");
    for query in [
        "",
        "?post_logout_redirect_uri=https%3A%2F%2Fevil.example",
        "?post_logout_redirect_uri=http://app.example:5173@evil.example/",
        "?post_logout_redirect_uri=//evil.example",
        "?post_logout_redirect_uri=javascript:alert(1)",
    ] {
        let answer = redirect(query).send().await;
        assert_eq!((answer.status, answer.header("location")), (302, Some("/")), "{query}");
    }
}

#[tokio::test]
async fn unknown_routes_are_named_without_the_mount() {
    let sandbox = Sandbox::start().await;
    for (method, path) in [
        ("GET", "/oauth/logout"),
        ("GET", "/oauth/logout?post_logout_redirect_uri=x"),
        ("GET", "/api/auth/sessions"),
        ("DELETE", "/api/auth/sessions/1?a=%20b"),
        ("PUT", "/oauth/sessions"),
        ("POST", "/nothing"),
    ] {
        let answer = sandbox.call(method, format!("{G1}{path}")).send().await;
        answer.is_error(404, &format!("Cannot {method} {path}"));
    }
    let answer = sandbox.get(format!("{G1}/oauth/logout")).send().await;
    answer.is(404, r#"{"message":"Cannot GET /oauth/logout","error":"Not Found","statusCode":404}"#);
    let answer = sandbox.get(G1).send().await;
    answer.is_error(404, "Cannot GET /");
}

#[tokio::test]
async fn bad_bodies() {
    let sandbox = Sandbox::start().await;
    let access = sandbox.sign_in().await.access;
    for path in ["/oauth/logout", "/oauth/logout-all", "/oauth/token", "/oauth/revoke"] {
        let call = || sandbox.post(format!("{G1}{path}")).bearer(&access);
        for bad in ["{", "{\"a\":}", "\"text\"", "1", "\u{feff}{}"] {
            let answer = call().raw("application/json", bad).send().await;
            let body = answer.json();
            assert_eq!((answer.status, &body["error"], &body["statusCode"]), (400, &json!("Bad Request"), &json!(400)), "{path} {bad}");
        }
        let big = format!("{{\"a\":\"{}\"}}", "x".repeat(100 * 1024));
        let answer = call().raw("application/json", big).send().await;
        answer.is_error(413, "request entity too large");
    }
    let number = sandbox.post(format!("{G1}/oauth/logout")).json(json!({"refresh_token": 1})).send().await;
    number.is_error(400, "refresh_token must be a string");
}

#[tokio::test]
async fn the_rate_limit_is_off_unless_asked_for() {
    let sandbox = Sandbox::start().await;
    let path = format!("{G1}/nothing");
    for _ in 0..101 {
        assert_eq!(sandbox.get(&path).send().await.status, 404);
    }
    let on = sandbox.call("PUT", "/sandbox/rate-limit");
    let on = on.json(json!({"enabled": true})).send().await;
    on.is(200, r#"{"enabled":true}"#);
    for _ in 0..100 {
        assert_eq!(sandbox.get(&path).send().await.status, 404);
    }
    let limited = sandbox.get(&path).header("origin", WEB).send().await;
    limited.is_error(429, "Too Many Requests");
    assert_eq!(limited.header("retry-after"), Some("60"));
    assert_eq!(limited.header("access-control-allow-origin"), Some(WEB));
    assert_eq!(limited.header("access-control-expose-headers"), None);
    let g2 = sandbox.get(format!("{G2}/nothing")).send().await;
    assert_eq!(g2.status, 404, "another back-end");
    sandbox.advance_seconds(60).await;
    assert_eq!(sandbox.get(&path).send().await.status, 404);
}
