//! Clerk: every operation, parameter, status and error code.

use serde_json::{Value, json};

use crate::contract::Contract;
use crate::harness::*;

const CLERK: &str = "/clerk/v1";
const KEY: &str = "sk_test_sandbox_not_a_real_key";
const LIST: (&str, &str) = ("GET", "/sessions");
const CREATE: (&str, &str) = ("POST", "/sessions");
const GET: (&str, &str) = ("GET", "/sessions/{session_id}");
const REFRESH: (&str, &str) = ("POST", "/sessions/{session_id}/refresh");
const REVOKE: (&str, &str) = ("POST", "/sessions/{session_id}/revoke");
const TOKENS: (&str, &str) = ("POST", "/sessions/{session_id}/tokens");
const TEMPLATE: (&str, &str) = ("POST", "/sessions/{session_id}/tokens/{template_name}");
const OPERATIONS: [(&str, &str); 7] = [LIST, CREATE, GET, REFRESH, REVOKE, TOKENS, TEMPLATE];
const UNKNOWN: &str = "sess_ffffffffffff4fff8fffffffffffffff";

fn contract() -> Contract {
    Contract::load("clerk-sessions.openapi.json")
}

impl Sandbox {
    /// A call with the key.
    fn clerk(&self, method: &str, path: &str) -> Call {
        self.call(method, format!("{CLERK}{path}")).bearer(KEY)
    }

    async fn clerk_list(&self, query: &str) -> Value {
        let answer = self.clerk("GET", &format!("/sessions{query}")).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        contract().check(LIST, &answer, &[]);
        answer.json()
    }

    async fn clerk_get(&self, id: &str) -> Value {
        let answer = self.clerk("GET", &format!("/sessions/{id}")).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        contract().check(GET, &answer, &[]);
        answer.json()
    }
}

/// The status and the code of the one error, and what it is about.
#[track_caller]
fn refused(operation: (&str, &str), answer: &Answer, status: u16, code: &str, about: Option<&str>) {
    // About tokens the document knows 401 and 404 only; about limits it says nothing.
    let also: &[u16] = if [TOKENS, TEMPLATE].contains(&operation) { &[400, 422] } else { &[429] };
    contract().check(operation, answer, also);
    let body = answer.json();
    let error = &body["errors"][0];
    assert_eq!((answer.status, text(error, "code"), error["meta"]["param_name"].as_str()), (status, code, about), "{body}");
    assert_eq!(body["errors"].as_array().unwrap().len(), 1);
    assert!(!text(error, "message").is_empty() && !text(error, "long_message").is_empty());
    assert_eq!(text(&body, "clerk_trace_id").len(), 32);
    answer.has_no_cors();
}

#[tokio::test]
async fn sign_in_gives_what_a_client_needs() {
    let sandbox = Sandbox::start().await;
    let signed_in = sandbox.sign_in_to("clerk").await;
    assert_eq!(names(&signed_in), ["access_token", "client_id", "expires_in", "refresh_token", "secret_key", "session_id", "token_type", "user", "user_id"]);
    assert_eq!((text(&signed_in, "secret_key"), &signed_in["expires_in"]), (KEY, &json!(60)));
    assert_eq!(signed_in["user"]["id"], signed_in["user_id"]);
    let now = START_MS / 1000;
    let claims = claims(text(&signed_in, "access_token"));
    assert_eq!((&claims["sid"], &claims["sub"]), (&signed_in["session_id"], &signed_in["user_id"]));
    assert_eq!((&claims["iat"], &claims["nbf"], &claims["exp"]), (&json!(now), &json!(now), &json!(now + 60)));
    let row = &sandbox.rows().await[0];
    let digits = |name: &str| text(row, name).replace('-', "");
    assert_eq!(text(&signed_in, "session_id"), format!("sess_{}", digits("id")));
    assert_eq!(text(&signed_in, "user_id"), format!("user_{}", digits("user_id")));
    assert_eq!(text(&signed_in, "client_id"), "client_7765622d636c69656e74");
}

#[tokio::test]
async fn only_the_secret_key_opens_it() {
    let sandbox = Sandbox::start().await;
    let signed_in = sandbox.sign_in_to("clerk").await;
    for operation in OPERATIONS {
        let path = operation.1.replace("{session_id}", text(&signed_in, "session_id")).replace("{template_name}", "sandbox");
        let call = || sandbox.call(operation.0, format!("{CLERK}{path}"));
        refused(operation, &call().send().await, 401, "authentication_invalid", None);
        for bad in ["", "Bearer", "Bearer ", "Basic abc", KEY, "bearer sk_test_sandbox_not_a_real_key", "Bearer a b"] {
            let answer = call().header("authorization", bad).send().await;
            refused(operation, &answer, 401, "authorization_header_format_invalid", None);
        }
        for bad in ["sk_live_x", "sk_test_sandbox_not_a_real_keyx", text(&signed_in, "access_token")] {
            refused(operation, &call().bearer(bad).send().await, 401, "clerk_key_invalid", None);
        }
    }
}

#[tokio::test]
async fn sessions_have_exactly_these_fields() {
    let sandbox = Sandbox::start().await;
    let agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) Version/26.4 Mobile/15E148 Safari/604.1";
    let body = json!({"email": "demo@example.com", "password": "demo-password", "wire": "clerk"});
    let signed_in = sandbox.post("/sandbox/sign-in").header("user-agent", agent).json(body).send().await.json();
    let id = text(&signed_in, "session_id");
    let end = START_MS + 7 * 24 * 3600 * 1000;
    assert_eq!(
        sandbox.clerk_get(id).await,
        json!({
            "object": "session", "id": id, "user_id": signed_in["user_id"], "client_id": signed_in["client_id"], "actor": null,
            "status": "active", "last_active_organization_id": null, "last_active_at": START_MS,
            "latest_activity": {
                "object": "session_activity", "id": id.replace("sess_", "sess_activity_"), "is_mobile": true, "device_type": "iPhone",
                "browser_name": "Safari", "browser_version": "26.4", "ip_address": "127.0.0.1",
            },
            "expire_at": end, "abandon_at": end + 30 * 24 * 3600 * 1000, "updated_at": START_MS, "created_at": START_MS, "tasks": null,
        })
    );
}

#[tokio::test]
async fn the_seeds_devices_are_told_apart() {
    let sandbox = Sandbox::start().await;
    let user = sandbox.sign_in_to("clerk").await["user_id"].clone();
    let list = sandbox.clerk_list(&format!("?user_id={}&offset=1", user.as_str().unwrap())).await;
    let seen: Vec<_> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|session| {
            let activity = &session["latest_activity"];
            let text = |name: &str| activity[name].as_str().unwrap_or("-").to_owned();
            [text("device_type"), text("browser_name"), text("browser_version"), text("city"), text("country"), activity["is_mobile"].to_string()].join(" ")
        })
        .collect();
    assert_eq!(
        seen,
        [
            "Windows Chrome 152.0.0.0 Warsaw PL false",
            "iPhone Safari 26.4 Warsaw PL true",
            "Linux Firefox 151.0 Kraków PL false",
            "- - - - - null", // minted by OAuth
            "Android Samsung Internet 29.0 Berlin DE true",
            "iPad Safari 26.4 Warsaw PL true",
            "Windows Edge 151.0.0.0 Lisbon PT false",
        ]
    );
    assert_eq!(list[3]["latest_activity"], Value::Null);
}

#[tokio::test]
async fn list_is_newest_first_by_user_by_client_or_both() {
    let sandbox = Sandbox::start().await;
    let signed_in = sandbox.sign_in_to("clerk").await;
    let (user, client) = (text(&signed_in, "user_id"), text(&signed_in, "client_id"));
    let count = async |query: &str| sandbox.clerk_list(query).await.as_array().unwrap().len();
    let list = sandbox.clerk_list(&format!("?user_id={user}")).await;
    let created: Vec<_> = list.as_array().unwrap().iter().map(|session| session["created_at"].as_i64().unwrap()).collect();
    assert!(created.len() == 8 && created.is_sorted_by(|a, b| a > b), "{created:?}");
    assert_eq!(list[0]["id"], signed_in["session_id"]);
    assert_eq!(count(&format!("?client_id={client}")).await, 7, "one of them is another user's");
    assert_eq!(count(&format!("?client_id={client}&user_id={user}")).await, 6);
    for nobody in ["user_ffffffffffff4fff8fffffffffffffff", "user_x", "x"] {
        assert_eq!(count(&format!("?user_id={nobody}")).await, 0);
        assert_eq!(count(&format!("?client_id={client}&user_id={nobody}")).await, 0);
    }
    assert_eq!(count(&format!("?client_id=client_00&user_id={user}")).await, 0);
    assert_eq!(count(&format!("?client_id=nonsense&user_id={user}")).await, 0);
    for query in ["", "?user_id=", "?client_id=&user_id=", "?limit=5"] {
        let answer = sandbox.clerk("GET", &format!("/sessions{query}")).send().await;
        refused(LIST, &answer, 400, "missing_query_parameter", Some("user_id"));
    }
}

#[tokio::test]
async fn list_has_pages() {
    let sandbox = Sandbox::start().await;
    let signed_in = sandbox.sign_in_to("clerk").await;
    let user = text(&signed_in, "user_id");
    for _ in 0..4 {
        sandbox.clerk("POST", "/sessions").json(json!({"user_id": user})).send().await;
    }
    let ids = |list: &Value| list.as_array().unwrap().iter().map(|session| text(session, "id").to_owned()).collect::<Vec<_>>();
    let all = ids(&sandbox.clerk_list(&format!("?user_id={user}&limit=500")).await);
    assert_eq!(all.len(), 12);
    assert_eq!(ids(&sandbox.clerk_list(&format!("?user_id={user}")).await), all[..10], "10 is the default");
    assert_eq!(ids(&sandbox.clerk_list(&format!("?user_id={user}&limit=1&offset=0")).await), all[..1]);
    assert_eq!(ids(&sandbox.clerk_list(&format!("?user_id={user}&limit=5&offset=10")).await), all[10..]);
    assert_eq!(ids(&sandbox.clerk_list(&format!("?user_id={user}&offset=12&paginated=false")).await), [""; 0]);
    let answer = sandbox.clerk("GET", &format!("/sessions?user_id={user}&limit=5&offset=10&paginated=true")).send().await;
    let page = answer.json();
    assert_eq!(names(&page), ["data", "total_count"]);
    assert_eq!((ids(&page["data"]), &page["total_count"]), (all[10..].to_vec(), &json!(12)));
    for (name, values) in [
        ("limit", &["0", "501", "-1", "1.5", "x", ""][..]),
        ("offset", &["-1", "x", "0.5", ""]),
        ("paginated", &["1", "yes", ""]),
        ("status", &["pending", "gone", "Active", ""]),
    ] {
        for value in values {
            let answer = sandbox.clerk("GET", &format!("/sessions?user_id={user}&{name}={value}")).send().await;
            refused(LIST, &answer, 422, "form_param_value_invalid", Some(name));
        }
    }
}

/// The ids of the oldest session in this state.
async fn ids_in_state(sandbox: &Sandbox, state: &str) -> Value {
    sandbox.rows().await.iter().rfind(|row| row["state"] == state).unwrap()["ids"].clone()
}

#[tokio::test]
async fn every_status_comes_from_the_store_and_can_be_filtered_by() {
    let sandbox = Sandbox::start().await;
    let revoked = sandbox.sign_in_to("clerk").await;
    let user = text(&revoked, "user_id").to_owned();
    sandbox.clerk("POST", &format!("/sessions/{}/revoke", text(&revoked, "session_id"))).send().await;
    let rest = sandbox.sign_in_to("rest").await;
    sandbox.post("/rest/api/v1/auth/logout").bearer(text(&rest, "access_token")).send().await;
    let tokens = sandbox.sign_in().await;
    let refresh = json!({"grant_type": "refresh_token", "refresh_token": tokens.refresh, "client_id": "web-client"});
    sandbox.post(format!("{G1}/oauth/token")).json(refresh).send().await;
    let active = sandbox.sign_in_to("clerk").await;
    let count = async |status: &str| {
        let list = sandbox.clerk_list(&format!("?user_id={user}&limit=100&status={status}")).await;
        let list = list.as_array().unwrap().clone();
        assert!(list.iter().all(|session| session["status"] == status), "{status}");
        list.len()
    };
    for (status, expected) in [("revoked", 1), ("ended", 1), ("replaced", 1), ("active", 9), ("expired", 0), ("removed", 0), ("abandoned", 0)] {
        assert_eq!(count(status).await, expected, "{status}");
    }
    sandbox.advance_seconds(7 * 24 * 3600).await;
    assert_eq!((count("expired").await, count("active").await), (2, 7));
    assert_eq!(sandbox.clerk_get(text(&active, "session_id")).await["status"], "expired");
    let answer = sandbox.clerk("POST", &format!("/sessions/{}/revoke", text(&ids_in_state(&sandbox, "expired").await, "clerk"))).send().await;
    assert_eq!(answer.json()["status"], "revoked", "one that is only expired");
    sandbox.advance_seconds(30 * 24 * 3600).await;
    assert_eq!(sandbox.clerk_get(text(&active, "session_id")).await["status"], "abandoned");
}

#[tokio::test]
async fn create_makes_a_session_for_a_user() {
    let sandbox = Sandbox::start().await;
    let signed_in = sandbox.sign_in_to("clerk").await;
    let user = text(&signed_in, "user_id");
    let create = |body: Value| sandbox.clerk("POST", "/sessions").json(body);
    let answer = create(json!({"user_id": user})).send().await;
    contract().check(CREATE, &answer, &[]);
    let session = answer.json();
    assert_eq!((&session["status"], &session["user_id"], &session["latest_activity"]), (&json!("active"), &json!(user), &Value::Null));
    assert_eq!(sandbox.clerk_get(text(&session, "id")).await, session);
    assert_eq!(sandbox.ids(&sandbox.sign_in().await.access).await.len(), 10, "AuthVital has it, too");
    for body in [json!({}), json!({"user_id": ""}), json!({"user_id": null})] {
        refused(CREATE, &create(body).send().await, 422, "form_param_missing", Some("user_id"));
    }
    refused(CREATE, &create(json!({"user_id": 1})).send().await, 422, "form_param_value_invalid", Some("user_id"));
    for nobody in ["user_ffffffffffff4fff8fffffffffffffff", "user_x", "x"] {
        refused(CREATE, &create(json!({"user_id": nobody})).send().await, 404, "resource_not_found", None);
    }
    refused(CREATE, &create(json!({"user_id": user, "active_organization_id": "org_x"})).send().await, 404, "resource_not_found", None);
    for bad in ["{", "[]", "1"] {
        let answer = sandbox.clerk("POST", "/sessions").raw("application/json", bad).send().await;
        refused(CREATE, &answer, 400, "malformed_request_parameters", None);
    }
    let form = sandbox.clerk("POST", "/sessions").raw("application/x-www-form-urlencoded", format!("user_id={user}")).send().await;
    refused(CREATE, &form, 400, "malformed_request_parameters", None);
    let big = sandbox.clerk("POST", "/sessions").raw("application/json", "x".repeat(200_000)).send().await;
    assert_eq!((big.status, big.json()["errors"][0]["code"].clone()), (413, json!("malformed_request_parameters")));
}

#[tokio::test]
async fn revoke_sets_the_status_and_can_be_repeated() {
    let sandbox = Sandbox::start().await;
    let signed_in = sandbox.sign_in_to("clerk").await;
    let id = text(&signed_in, "session_id");
    let revoke = || sandbox.clerk("POST", &format!("/sessions/{id}/revoke"));
    sandbox.advance_seconds(5).await;
    let answer = revoke().send().await;
    contract().check(REVOKE, &answer, &[]);
    let session = answer.json();
    assert_eq!((answer.status, &session["status"], &session["updated_at"]), (200, &json!("revoked"), &json!(START_MS + 5000)));
    sandbox.advance_seconds(5).await;
    assert_eq!(revoke().send().await.json(), session, "once more changes nothing");
    let row = &sandbox.rows().await[0];
    assert_eq!((&row["state"], &row["ended_by"], &row["ids"]["clerk"]), (&json!("ended"), &json!("revoked"), &json!(id)));
}

#[tokio::test]
async fn a_session_that_ended_otherwise_keeps_its_status() {
    let sandbox = Sandbox::start().await;
    let rest = sandbox.sign_in_to("rest").await;
    sandbox.post("/rest/api/v1/auth/logout").bearer(text(&rest, "access_token")).send().await;
    let id = text(&sandbox.rows().await[0]["ids"], "clerk").to_owned();
    let answer = sandbox.clerk("POST", &format!("/sessions/{id}/revoke")).send().await;
    assert_eq!((answer.status, answer.json()["status"].clone()), (200, json!("ended")));
}

#[tokio::test]
async fn unknown_sessions_and_urls_are_404() {
    let sandbox = Sandbox::start().await;
    let stored = text(&sandbox.rows().await[0], "id").to_owned();
    let upper = sandbox.rows().await[0]["ids"]["clerk"].as_str().unwrap().replace("sess_", "").to_uppercase();
    for id in [UNKNOWN, "sess_", "x", "user_ffffffffffff4fff8fffffffffffffff", &stored, &format!("sess_{upper}X"), "a%20b%2Fc"] {
        for operation in [GET, REVOKE, TOKENS, TEMPLATE] {
            let path = operation.1.replace("{session_id}", id).replace("{template_name}", "sandbox");
            refused(operation, &sandbox.clerk(operation.0, &path).send().await, 404, "resource_not_found", None);
        }
    }
    for operation in [GET, REVOKE] {
        let path = operation.1.replace("{session_id}", "%ff");
        refused(operation, &sandbox.clerk(operation.0, &path).send().await, 400, "malformed_request_parameters", None);
    }
    for (method, path) in [("GET", "/users"), ("DELETE", "/sessions"), ("GET", "/sessions/x/revoke"), ("POST", "/sessions/x/revoke/y"), ("GET", "/sessions/")] {
        let answer = sandbox.clerk(method, path).send().await;
        assert_eq!((answer.status, answer.json()["errors"][0]["code"].clone()), (404, json!("resource_not_found")), "{method} {path}");
    }
}

#[tokio::test]
async fn session_tokens_live_a_minute_or_as_long_as_asked_for() {
    let sandbox = Sandbox::start().await;
    let signed_in = sandbox.sign_in_to("clerk").await;
    let id = text(&signed_in, "session_id");
    for (operation, path) in [(TOKENS, format!("/sessions/{id}/tokens")), (TEMPLATE, format!("/sessions/{id}/tokens/sandbox"))] {
        let call = || sandbox.clerk("POST", &path);
        let mut seen = Vec::new();
        for (call, ttl) in [
            (call(), 60),
            (call().json(json!({})), 60),
            (call().json(json!({"expires_in_seconds": null})), 60),
            (call().json(json!({"expires_in_seconds": 30})), 30),
            (call().json(json!({"expires_in_seconds": 315_360_000})), 315_360_000),
        ] {
            let answer = call.send().await;
            contract().check(operation, &answer, &[]);
            let body = answer.json();
            assert_eq!((answer.status, &body["object"], names(&body)), (200, &json!("token"), vec!["jwt", "object"]));
            let claims = claims(text(&body, "jwt"));
            assert_eq!((&claims["sid"], &claims["sub"]), (&signed_in["session_id"], &signed_in["user_id"]));
            assert_eq!(claims["exp"], START_MS / 1000 + ttl);
            assert_eq!(claims.get("template").is_some(), operation == TEMPLATE);
            seen.push(text(&body, "jwt").to_owned());
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 5, "no two are the same");
        for bad in [json!(29), json!(315_360_001), json!(60.5), json!("60"), json!(true)] {
            let answer = call().json(json!({"expires_in_seconds": bad})).send().await;
            refused(operation, &answer, 422, "form_param_value_invalid", Some("expires_in_seconds"));
        }
        refused(operation, &call().raw("application/json", "{").send().await, 400, "malformed_request_parameters", None);
    }
    let other = sandbox.clerk("POST", &format!("/sessions/{id}/tokens/hasura")).send().await;
    refused(TEMPLATE, &other, 404, "resource_not_found", None);
    sandbox.advance_seconds(3).await;
    sandbox.clerk("POST", &format!("/sessions/{id}/tokens")).send().await;
    assert_eq!(sandbox.clerk_get(id).await["last_active_at"], START_MS + 3000);
    sandbox.clerk("POST", &format!("/sessions/{id}/revoke")).send().await;
    for operation in [TOKENS, TEMPLATE] {
        let path = operation.1.replace("{session_id}", id).replace("{template_name}", "sandbox");
        refused(operation, &sandbox.clerk("POST", &path).send().await, 404, "resource_not_found", None);
    }
}

fn with(body: &Value, name: &str, value: Value) -> Value {
    let mut body = body.clone();
    body[name] = value;
    body
}

#[tokio::test]
async fn refresh_gives_a_new_token_or_cookies() {
    let sandbox = Sandbox::start().await;
    let signed_in = sandbox.sign_in_to("clerk").await;
    let id = text(&signed_in, "session_id");
    sandbox.advance_seconds(90).await; // the token is over
    let body = json!({"expired_token": signed_in["access_token"], "refresh_token": signed_in["refresh_token"], "request_origin": "https://app.example"});
    let refresh = |body: Value| sandbox.clerk("POST", &format!("/sessions/{id}/refresh")).json(body);
    let rich = json!({
        "expired_token": body["expired_token"], "refresh_token": body["refresh_token"], "request_origin": "http://localhost:3000",
        "request_headers": {"user-agent": ["x"]}, "request_originating_ip": "192.0.2.7", "format": "token",
    });
    let nulls = with(&with(&with(&body, "format", Value::Null), "request_headers", Value::Null), "request_originating_ip", Value::Null);
    for body in [body.clone(), rich, nulls] {
        let answer = refresh(body).send().await;
        contract().check(REFRESH, &answer, &[]);
        assert_eq!(answer.json()["object"], "token");
        let claims = claims(text(&answer.json(), "jwt"));
        assert_eq!((&claims["sid"], &claims["exp"]), (&signed_in["session_id"], &json!(START_MS / 1000 + 90 + 60)));
    }
    let answer = refresh(with(&body, "format", json!("cookie"))).send().await;
    contract().check(REFRESH, &answer, &[]);
    let answer = answer.json();
    assert_eq!(answer["object"], "cookies");
    let cookies: Vec<_> = answer["cookies"].as_array().unwrap().iter().map(|cookie| cookie.as_str().unwrap()).collect();
    let jwt = cookies[0].strip_prefix("__session=").unwrap().split(';').next().unwrap();
    assert_eq!(claims(jwt)["sid"], signed_in["session_id"]);
    assert_eq!(cookies[1], format!("__client_uat={}; Path=/; Max-Age=604800; SameSite=Lax", START_MS / 1000));
    assert_eq!(sandbox.clerk_get(id).await["last_active_at"], START_MS + 90_000);
}

#[tokio::test]
async fn refreshes_are_refused_with_401_each_with_its_code() {
    let sandbox = Sandbox::start().await;
    let signed_in = sandbox.sign_in_to("clerk").await;
    let other = sandbox.sign_in_to("clerk").await;
    let authvital = sandbox.sign_in().await;
    let id = text(&signed_in, "session_id");
    let body = json!({"expired_token": signed_in["access_token"], "refresh_token": signed_in["refresh_token"], "request_origin": "https://app.example"});
    let refresh = |id: &str, body: Value| sandbox.clerk("POST", &format!("/sessions/{id}/refresh")).json(body);
    for name in ["expired_token", "refresh_token", "request_origin"] {
        let mut without = body.clone();
        without.as_object_mut().unwrap().remove(name);
        for body in [without, with(&body, name, json!("")), with(&body, name, Value::Null)] {
            refused(REFRESH, &refresh(id, body).send().await, 401, "form_param_missing", Some(name));
        }
        refused(REFRESH, &refresh(id, with(&body, name, json!(1))).send().await, 401, "form_param_value_invalid", Some(name));
    }
    for (name, value) in [("format", json!("xml")), ("request_headers", json!("x")), ("request_originating_ip", json!(1)), ("extra", json!(1))] {
        refused(REFRESH, &refresh(id, with(&body, name, value)).send().await, 401, "form_param_value_invalid", Some(name));
    }
    let origin = with(&body, "request_origin", json!("https://app.example/path"));
    refused(REFRESH, &refresh(id, origin).send().await, 401, "refresh_request_origin_invalid", Some("request_origin"));
    let template = sandbox.clerk("POST", &format!("/sessions/{id}/tokens/sandbox")).send().await.json();
    for bad in [json!("garbage"), template["jwt"].clone(), signed_in["refresh_token"].clone(), json!(authvital.access)] {
        let answer = refresh(id, with(&body, "expired_token", bad)).send().await;
        refused(REFRESH, &answer, 401, "expired_session_token_invalid", None);
    }
    let mixed = with(&body, "expired_token", other["access_token"].clone());
    refused(REFRESH, &refresh(id, mixed).send().await, 401, "refresh_sid_mismatch", None);
    refused(REFRESH, &refresh(UNKNOWN, body.clone()).send().await, 401, "refresh_sid_mismatch", None);
    for bad in [json!("garbage"), other["refresh_token"].clone(), signed_in["access_token"].clone(), json!(authvital.refresh)] {
        let answer = refresh(id, with(&body, "refresh_token", bad)).send().await;
        refused(REFRESH, &answer, 401, "refresh_token_not_found", None);
    }
    let answer = sandbox.clerk("POST", &format!("/sessions/{id}/refresh")).raw("application/json", "{").send().await;
    refused(REFRESH, &answer, 400, "malformed_request_parameters", None);
    sandbox.clerk("POST", &format!("/sessions/{id}/revoke")).send().await;
    refused(REFRESH, &refresh(id, body.clone()).send().await, 401, "session_refresh_inactive_session", None);
    sandbox.post("/sandbox/reset").send().await;
    refused(REFRESH, &refresh(id, body).send().await, 401, "session_refresh_session_not_found", None);
}

#[tokio::test]
async fn the_version_comes_by_header_or_by_query() {
    let sandbox = Sandbox::start().await;
    let user = sandbox.sign_in_to("clerk").await["user_id"].clone();
    let user = user.as_str().unwrap();
    let by_query = |version: &str| sandbox.clerk("GET", &format!("/sessions?user_id={user}&__clerk_api_version={version}"));
    let by_header = |version: &str| sandbox.clerk("GET", &format!("/sessions?user_id={user}")).header("clerk-api-version", version);
    assert_eq!(by_query("2026-05-12").send().await.status, 200);
    assert_eq!(by_header("2026-05-12").send().await.status, 200);
    for call in [by_query("2026-05-12").header("clerk-api-version", "2026-05-12"), by_query("5"), by_header("latest")] {
        refused(LIST, &call.send().await, 400, "malformed_request_parameters", None);
    }
}

#[tokio::test]
async fn browsers_can_read_nothing_not_even_faults() {
    let sandbox = Sandbox::start().await;
    let user = sandbox.sign_in_to("clerk").await["user_id"].clone();
    let path = format!("/sessions?user_id={}", user.as_str().unwrap());
    for origin in [WEB, &sandbox.running.url(), "https://evil.example"] {
        sandbox.clerk("GET", &path).header("origin", origin).send().await.has_no_cors();
        let preflight =
            sandbox.call("OPTIONS", format!("{CLERK}/sessions")).header("origin", origin).header("access-control-request-method", "GET").send().await;
        assert_eq!(preflight.status, 401);
        preflight.has_no_cors();
        let fault = sandbox.clerk("GET", &path).header("origin", origin).fault("status=503").send().await;
        assert_eq!(fault.status, 503);
        fault.has_no_cors();
    }
}

#[tokio::test]
async fn a_hundred_requests_in_ten_seconds() {
    let sandbox = Sandbox::start().await;
    sandbox.rate_limit(true).await;
    for _ in 0..100 {
        assert_eq!(sandbox.clerk("GET", &format!("/sessions/{UNKNOWN}")).send().await.status, 404);
    }
    sandbox.post("/sandbox/clock").json(json!({"advance_ms": 2_500})).send().await;
    let answer = sandbox.clerk("GET", &format!("/sessions/{UNKNOWN}")).send().await;
    refused(GET, &answer, 429, "too_many_requests", None);
    assert_eq!(answer.header("retry-after"), Some("8"), "rounded up, so that waiting so long is enough");
    sandbox.advance_seconds(8).await;
    assert_eq!(sandbox.clerk("GET", &format!("/sessions/{UNKNOWN}")).send().await.status, 404);
}

#[tokio::test]
async fn json_has_the_bare_type_that_the_official_client_compares_with() {
    let sandbox = Sandbox::start().await;
    let answers = [
        sandbox.clerk("GET", "/sessions?user_id=user_0").send().await,
        sandbox.clerk("GET", "/sessions/sess_0").send().await,
        sandbox.clerk("GET", "/sessions/sess_0").fault("status=503").send().await,
    ];
    for answer in answers {
        assert_eq!(answer.header("content-type"), Some("application/json"), "{}", answer.status);
    }
    let elsewhere = sandbox.call("GET", "/authvital/oauth/sessions").send().await;
    assert_eq!(elsewhere.header("content-type"), Some("application/json; charset=utf-8"));
}
