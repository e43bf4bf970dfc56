//! The sandbox's own routes, and that sessions survive a restart.

use std::path::PathBuf;

use sandbox::Config;
use serde_json::json;

use crate::harness::*;

/// A folder of its own per test, gone at the end.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("sandbox-it-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

#[tokio::test]
async fn sign_in_records_the_device() {
    let sandbox = Sandbox::start().await;
    let answer = sandbox
        .post("/sandbox/sign-in")
        .header("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:151.0)")
        .json(json!({
            "email": "Demo@Example.com", "password": "demo-password",
            "application_id": "my-app", "client_id": "my-client",
        }))
        .send()
        .await;
    assert_eq!(answer.set_cookies(), [""; 0]);
    let body = answer.json();
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(3600)));
    assert_eq!((&body["user"]["email"], &body["user"]["name"]), (&json!("demo@example.com"), &json!("Dana Demo")));
    let refresh = claims(body["refresh_token"].as_str().unwrap());
    assert_eq!(refresh["sub"], body["user"]["id"]);
    assert_eq!(claims(body["access_token"].as_str().unwrap())["aud"], "my-client");
    let row = sandbox.stored(refresh["sid"].as_str().unwrap()).await;
    assert_eq!(
        row,
        json!({
            "id": refresh["sid"], "ids": {"clerk": "sess_000000000000400e800000000000000e", "ksef": "20260131-AU-0000000000-00400E8000-00", "rest": 10},
            "state": "active", "user": "demo@example.com", "user_id": body["user"]["id"],
            "application_id": "my-app", "client_id": "my-client",
            "created_at": "2026-01-31T09:30:00.000Z", "last_active_at": "2026-01-31T09:30:00.000Z",
            "expires_at": "2026-02-07T09:30:00.000Z", "revoked_at": null, "ended_by": null,
            "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:151.0)", "ip_address": "127.0.0.1",
            "tenant": "Acme", "city": null, "country": null,
        })
    );
}

#[tokio::test]
async fn signing_in_as_another_device() {
    let sandbox = Sandbox::start().await;
    let sign_in = |address: &str| {
        let body = json!({"email": "demo@example.com", "password": "demo-password", "user_agent": "Other/1.0", "ip_address": address});
        sandbox.post("/sandbox/sign-in").header("user-agent", "Own/1.0").json(body).send()
    };
    let answer = sign_in("::ffff:192.0.2.44").await;
    let sid = claims(answer.json()["refresh_token"].as_str().unwrap())["sid"].clone();
    let row = sandbox.stored(sid.as_str().unwrap()).await;
    assert_eq!((&row["user_agent"], &row["ip_address"]), (&json!("Other/1.0"), &json!("192.0.2.44")));
    assert_eq!(sign_in("no address").await.status, 400);
}

#[tokio::test]
async fn more_users() {
    let sandbox = Sandbox::start().await;
    let add = |email: &str, password: &str| sandbox.post("/sandbox/users").json(json!({"email": email, "password": password, "name": "Nora New"})).send();
    assert_eq!(add("nora@example.com", "").await.status, 400);
    let added = add("nora@example.com", "nora-password").await;
    assert_eq!((added.status, &added.json()["name"]), (200, &json!("Nora New")));
    for taken in ["Nora@Example.com", "demo@example.com"] {
        assert_eq!(add(taken, "x").await.status, 409, "{taken}");
    }
    let sign_in = |password| sandbox.post("/sandbox/sign-in").json(json!({"email": "nora@example.com", "password": password})).send();
    assert_eq!(sign_in("x").await.status, 401);
    assert_eq!(sign_in("nora-password").await.json()["user"]["id"], added.json()["id"]);
    sandbox.post("/sandbox/reset").send().await;
    assert_eq!(sign_in("nora-password").await.status, 401);
}

#[tokio::test]
async fn sign_in_with_cookies() {
    let sandbox = Sandbox::start().await;
    let answer = sandbox.post("/sandbox/sign-in").json(json!({"email": "demo@example.com", "password": "demo-password", "cookies": true})).send().await;
    let cookies = answer.set_cookies();
    let names: Vec<_> = cookies.iter().map(|cookie| cookie.split('=').next().unwrap()).collect();
    assert_eq!(names, ["auth_token", "refresh_token", "idp_session"]);
    assert!(cookies.iter().all(|cookie| cookie.ends_with("; HttpOnly; SameSite=Lax")));
}

#[tokio::test]
async fn wrong_sign_ins() {
    let sandbox = Sandbox::start().await;
    let sign_in = |body| sandbox.post("/sandbox/sign-in").json(body).send();
    for (email, password) in
        [("demo@example.com", "other-password"), ("demo@example.com", ""), ("nobody@example.com", "demo-password"), ("' OR 1=1 --", "demo-password")]
    {
        let answer = sign_in(json!({"email": email, "password": password})).await;
        answer.is_error(401, "Wrong e-mail address or password");
    }
    assert_eq!(sign_in(json!({"email": "x"})).await.status, 400);
    let long = json!({"email": "x", "password": "x", "client_id": "x".repeat(201)});
    assert_eq!(sign_in(long).await.status, 400);
}

#[tokio::test]
async fn seed_is_a_realistic_handful() {
    let sandbox = Sandbox::start().await;
    let demo = sandbox.get("/sandbox/sessions?user=demo@example.com");
    let demo = demo.send().await.json();
    assert_eq!(demo["count"], 7);
    let agents: Vec<_> = demo["sessions"].as_array().unwrap().iter().map(|row| row["user_agent"].as_str().unwrap_or("none")).collect();
    for part in ["Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/", "iPhone", "Ubuntu", "SamsungBrowser", "iPad", "Edg/", "none"] {
        assert!(agents.iter().any(|agent| agent.contains(part)), "{part}");
    }
    let all = sandbox.get("/sandbox/sessions").send().await;
    assert_eq!(all.json()["count"], 9);
    assert!(!all.text().contains("eyJ"), "no tokens");
    let nobody = sandbox.get("/sandbox/sessions?user=x").send().await;
    nobody.is(200, r#"{"sessions":[],"count":0}"#);
}

#[tokio::test]
async fn reset_makes_everything_as_new() {
    let sandbox = Sandbox::start().await;
    let access = sandbox.sign_in().await.access;
    sandbox.advance_seconds(60).await;
    sandbox.faults(json!([{"route": "*", "fault": {"status": 500}}])).await;
    let answer = sandbox.post("/sandbox/reset").send().await;
    answer.is(200, r#"{"users":2,"sessions":9}"#);
    assert_eq!(sandbox.log().await, [json!(null); 0]);
    let clock = sandbox.get("/sandbox/clock").send().await.json();
    assert_eq!(clock["advanced_ms"], 0);
    let answer = sandbox.get("/authvital/oauth/sessions").bearer(&access);
    let answer = answer.send().await;
    answer.is_error(401, "Invalid access token");
    let again = sandbox.sign_in().await;
    assert_eq!(sandbox.ids(&again.access).await.len(), 8);
}

#[tokio::test]
async fn the_clock_moves_forward_only_and_shows_in_the_date_header() {
    let sandbox = Sandbox::start().await;
    let before = sandbox.get("/sandbox/health").send().await;
    assert_eq!(before.header("date"), Some("Sat, 31 Jan 2026 09:30:00 GMT"));
    let answer = sandbox.post("/sandbox/clock");
    let answer = answer.json(json!({"advance_ms": 90_000})).send().await;
    answer.is(200, r#"{"now":"2026-01-31T09:31:30.000Z","now_ms":1769851890000,"advanced_ms":90000}"#);
    assert_eq!(answer.header("date"), Some("Sat, 31 Jan 2026 09:31:30 GMT"));
    for bad in [json!(-1), json!("1"), json!(u64::MAX), json!(1.5)] {
        let answer = sandbox.post("/sandbox/clock");
        let answer = answer.json(json!({"advance_ms": bad})).send().await;
        assert_eq!(answer.status, 400, "{bad}");
    }
}

#[tokio::test]
async fn requests_are_logged_without_values() {
    let sandbox = Sandbox::start().await;
    let tokens = sandbox.sign_in().await;
    sandbox
        .get("/authvital/oauth/sessions?application_id=my-app")
        .bearer(&tokens.access)
        .header("cookie", "auth_token=my-cookie")
        .header("origin", WEB)
        .send()
        .await;
    let answer = sandbox.get("/sandbox/requests").send().await;
    let text = answer.text();
    for secret in [&tokens.access, "my-cookie", "my-app", "app.example", "demo-password"] {
        assert!(!text.contains(secret), "{secret}");
    }
    let log = answer.json();
    assert_eq!(log["total"], 2);
    assert_eq!(log["requests"][0]["path"], "/sandbox/sign-in");
    assert_eq!(
        log["requests"][1],
        json!({
            "number": 2, "method": "GET", "path": "/authvital/oauth/sessions", "query": ["application_id"],
            "status": 200, "fault": false, "preflight": false, "requested_headers": [],
            "origin": true, "authorization": true, "cookie": true,
            "headers": ["host", "authorization", "cookie", "origin"],
        })
    );
    let cleared = sandbox.call("DELETE", "/sandbox/requests").send().await;
    cleared.is(200, r#"{"total":0,"requests":[]}"#);
}

#[tokio::test]
async fn unknown_routes_and_methods() {
    let sandbox = Sandbox::start().await;
    let answer = sandbox.get("/sandbox/nothing").send().await;
    answer.is_error(404, "There is no /sandbox/nothing");
    let answer = sandbox.call("PATCH", "/sandbox/clock").send().await;
    answer.is_error(405, "/sandbox/clock has no PATCH");
}

#[tokio::test]
async fn sessions_and_tokens_survive_a_restart() {
    let folder = Folder::new("restart");
    let config = || Config { db: Some(folder.0.join("deep/sandbox.sqlite3")), ..Config::default() };
    let sandbox = Sandbox::with(config()).await;
    let tokens = sandbox.sign_in().await;
    let ids = sandbox.ids(&tokens.access).await;
    let revoke = sandbox.post(format!("/authvital/oauth/sessions/{}/revoke", ids[3]));
    revoke.bearer(&tokens.access).send().await;
    sandbox.running.stop().await;

    let sandbox = Sandbox::with(config()).await;
    let mut left = ids.clone();
    let revoked = left.remove(3);
    assert_eq!(sandbox.ids(&tokens.access).await, left);
    assert_eq!(sandbox.stored(&revoked).await["ended_by"], "revoked");
    let refresh = || {
        sandbox.post("/authvital/oauth/token").json(json!({
            "grant_type": "refresh_token", "refresh_token": tokens.refresh, "client_id": "web-client",
        }))
    };
    assert_eq!(refresh().send().await.status, 200);
    sandbox.running.stop().await;

    let sandbox = Sandbox::with(config()).await;
    let replay = sandbox.post("/authvital/oauth/token").json(json!({
        "grant_type": "refresh_token", "refresh_token": tokens.refresh, "client_id": "web-client",
    }));
    let replay = replay.send().await;
    replay.is_error(401, "Session has been revoked");
    sandbox.running.stop().await;

    let sandbox = Sandbox::with(Config { reset: true, ..config() }).await;
    let all = sandbox.get("/sandbox/sessions").send().await.json();
    assert_eq!(all["count"], 9, "--reset");
}
