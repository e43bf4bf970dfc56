//! Every kind of fault, by rule and by header.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::*;

fn list(sandbox: &Sandbox, access: &str) -> Call {
    sandbox.get("/authvital/oauth/sessions").bearer(access)
}

#[tokio::test]
async fn status_with_retry_after() {
    let sandbox = Sandbox::start().await;
    let access = sandbox.sign_in().await.access;
    let answer = list(&sandbox, &access).fault("status=503; retry-after=1");
    let answer = answer.send().await;
    answer.is_error(503, "Service Unavailable");
    assert_eq!(answer.header("retry-after"), Some("1"));
    let answer = list(&sandbox, &access).fault(r#"status=429; retry-after="Fri, 31 Dec 1999 23:59:59 GMT""#).send().await;
    assert_eq!(answer.header("retry-after"), Some("Fri, 31 Dec 1999 23:59:59 GMT"));
}

#[tokio::test]
async fn bodies_types_and_headers_of_ones_own() {
    let sandbox = Sandbox::start().await;
    let access = sandbox.sign_in().await.access;
    let html = list(&sandbox, &access).fault(r#"status=502; content-type=text/html; body="<h1>Bad; gateway</h1>""#).send().await;
    html.is(502, "<h1>Bad; gateway</h1>");
    assert_eq!(html.header("content-type"), Some("text/html"));
    let bytes = list(&sandbox, &access).fault("body-base64=77u//w==");
    let bytes = bytes.send().await;
    assert_eq!((bytes.status, &bytes.body[..]), (200, &b"\xef\xbb\xbf\xff"[..]));
    let empty = list(&sandbox, &access).fault("body=").send().await;
    empty.is(200, "");
    let date = list(&sandbox, &access).fault(r#"{"headers": {"Date": "Thu, 01 Jan 1970 00:00:00 GMT", "x-request-id": "r-1"}}"#).send().await;
    assert_eq!(date.json()["count"], 8, "the real body");
    assert_eq!(date.header("date"), Some("Thu, 01 Jan 1970 00:00:00 GMT"));
    assert_eq!(date.header("x-request-id"), Some("r-1"));
}

#[tokio::test]
async fn the_real_answer_with_a_wrong_type_or_cut_short() {
    let sandbox = Sandbox::start().await;
    let access = sandbox.sign_in().await.access;
    let whole = list(&sandbox, &access).send().await.body;
    let typed = list(&sandbox, &access).fault("content-type=text/html");
    let typed = typed.send().await;
    assert_eq!((&typed.body, typed.header("content-type")), (&whole, Some("text/html")));
    for (fault, len) in [("truncate", whole.len() / 2), ("truncate=10", 10), ("truncate=99999999", whole.len())] {
        let cut = list(&sandbox, &access).fault(fault).send().await;
        assert_eq!(cut.status, 200);
        assert_eq!(cut.body, whole[..len], "{fault}");
        assert_eq!(cut.header("content-length"), Some(len.to_string().as_str()));
    }
}

#[tokio::test]
async fn dropped_before_the_head() {
    let sandbox = Sandbox::start().await;
    let access = sandbox.sign_in().await.access;
    let lost = list(&sandbox, &access).fault("drop").try_send().await;
    assert_eq!(lost.unwrap_err(), Lost::Head);
    assert_eq!(list(&sandbox, &access).send().await.status, 200);
}

#[tokio::test]
async fn dropped_in_the_middle_of_the_body() {
    let sandbox = Sandbox::start().await;
    let access = sandbox.sign_in().await.access;
    let whole = list(&sandbox, &access).send().await.body;
    let lost = list(&sandbox, &access).fault("drop=body").try_send().await;
    let half = whole[..whole.len() / 2].to_vec();
    assert_eq!(lost.unwrap_err(), Lost::Body(hyper::StatusCode::OK, half), "the head and half the body arrive");
    for fault in ["drop=body; status=500; body=", "drop=body; body=x"] {
        let lost = list(&sandbox, &access).fault(fault).try_send().await;
        assert!(matches!(lost.unwrap_err(), Lost::Body(_, part) if part.is_empty()), "a body too short to cut is lost too");
    }
    let big = format!(r#"{{"drop": "body", "body": "{}"}}"#, "x".repeat(30_000));
    let lost = list(&sandbox, &access).fault(&big).try_send().await;
    assert!(matches!(lost.unwrap_err(), Lost::Body(_, part) if part.len() == 15_000));
}

#[tokio::test]
async fn hanging_before_the_head_and_in_the_body_stops_nobody_else() {
    let sandbox = Sandbox::start().await;
    let access = sandbox.sign_in().await.access;
    for fault in ["hang", "hang=body", "hang; after"] {
        let hanging = list(&sandbox, &access).fault(fault).try_send();
        let waited = tokio::time::timeout(Duration::from_millis(50), hanging).await;
        assert!(waited.is_err(), "{fault} answered: {waited:?}");
    }
    assert_eq!(list(&sandbox, &access).send().await.status, 200);
    let log = sandbox.log().await;
    let statuses: Vec<_> = log[1..].iter().map(|entry| entry["status"].clone()).collect();
    assert_eq!(statuses, [json!(null), json!(200), json!(null), json!(200)]);
}

#[tokio::test]
async fn delayed() {
    let sandbox = Sandbox::start().await;
    let access = sandbox.sign_in().await.access;
    let start = Instant::now();
    let answer = list(&sandbox, &access).fault("delay=40").send().await;
    assert_eq!(answer.json()["count"], 8);
    assert!(start.elapsed() >= Duration::from_millis(40));
}

#[tokio::test]
async fn huge_but_valid() {
    let sandbox = Sandbox::start().await;
    let access = sandbox.sign_in().await.access;
    let answer = list(&sandbox, &access).fault("huge=2").send().await;
    assert_eq!(answer.header("content-length"), None);
    assert_eq!(answer.json()["filler"].as_str().unwrap().len(), 2 << 20);
}

#[tokio::test]
async fn redirected() {
    let sandbox = Sandbox::start().await;
    let access = sandbox.sign_in().await.access;
    let answer = list(&sandbox, &access).fault("redirect=https://evil.example/x");
    let answer = answer.send().await;
    assert_eq!((answer.status, answer.header("location")), (302, Some("https://evil.example/x")));
    let answer = list(&sandbox, &access).fault("redirect=/x; status=307");
    assert_eq!(answer.send().await.status, 307);
}

#[tokio::test]
async fn without_after_the_server_has_done_nothing_with_it_all() {
    let sandbox = Sandbox::start().await;
    let access = sandbox.sign_in().await.access;
    let ids = sandbox.ids(&access).await;
    let revoke = |id: &str, fault: &str| sandbox.post(format!("/authvital/oauth/sessions/{id}/revoke")).bearer(&access).fault(fault).try_send();
    for (fault, id) in ["status=500", "drop", "body=x", "redirect=/"].iter().zip(&ids) {
        revoke(id, fault).await.ok();
        assert_eq!(sandbox.stored(id).await["state"], "active", "{fault}");
    }
    let after = ["status=500; after", "drop; after", "drop=body", "truncate"];
    for (fault, id) in after.iter().zip(&ids) {
        revoke(id, fault).await.ok();
        assert_eq!(sandbox.stored(id).await["state"], "ended", "{fault}");
    }
}

#[tokio::test]
async fn a_lost_refresh_is_the_trap_it_is_in_the_wild() {
    let sandbox = Sandbox::start().await;
    let tokens = sandbox.sign_in().await;
    sandbox
        .faults(json!([{
            "route": "POST /authvital/oauth/token", "times": 1, "fault": {"drop": "head", "after": true},
        }]))
        .await;
    let refresh = || {
        sandbox.post("/authvital/oauth/token").json(json!({
            "grant_type": "refresh_token", "refresh_token": tokens.refresh, "client_id": "web-client",
        }))
    };
    assert_eq!(refresh().try_send().await.unwrap_err(), Lost::Head);
    let blind_retry = refresh().send().await;
    blind_retry.is_error(401, "Session has been revoked");
    assert_eq!(sandbox.list(G1, &tokens.access).await["count"], 2);
}

#[tokio::test]
async fn rules_are_used_in_order_and_reported() {
    let sandbox = Sandbox::start().await;
    let access = sandbox.sign_in().await.access;
    sandbox
        .faults(json!([
            {"route": "POST *", "fault": {"status": 500}},
            {"route": "GET /authvital/*", "fault": {"status": 503, "retry-after": "2"}, "times": 2, "skip": 1},
        ]))
        .await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(list(&sandbox, &access).send().await.status);
    }
    assert_eq!(statuses, [200, 503, 503, 200]);
    let rules = sandbox.get("/sandbox/faults").send().await.json();
    assert_eq!(
        rules["faults"][1],
        json!({
            "route": "GET /authvital/*", "fault": {"status": 503, "retry-after": "2", "after": false},
            "times": 0, "skip": 0, "hits": 2,
        })
    );
    let log = sandbox.log().await;
    let faults: Vec<_> = log.iter().map(|entry| entry["fault"].clone()).collect();
    assert_eq!(faults, [false, false, true, true, false]);
    // "POST *" is about back-ends only: this was a POST to the sandbox itself, and signing in still works.
    sandbox.sign_in().await;
    let answer = sandbox.call("DELETE", "/sandbox/faults").send().await;
    answer.is(200, r#"{"faults":[]}"#);
}

#[tokio::test]
async fn rules_cannot_lock_their_maker_out() {
    let sandbox = Sandbox::start().await;
    sandbox
        .faults(json!([
            {"route": "/sandbox/*", "fault": {"hang": "head"}},
            {"route": "*", "fault": {"hang": "head"}},
        ]))
        .await;
    assert_eq!(sandbox.get("/sandbox/health").send().await.status, 200);
    sandbox.faults(json!([{"route": "POST /sandbox/sign-in", "fault": {"status": 500}}])).await;
    let answer = sandbox.post("/sandbox/sign-in").json(json!({})).send().await;
    answer.is_error(500, "Internal Server Error");
}

#[tokio::test]
async fn faults_keep_the_cors_headers_unless_told_otherwise_and_spare_preflights() {
    let sandbox = Sandbox::start().await;
    let fault = |cors: bool| json!([{"route": "*", "fault": {"status": 503, "cors": cors}}]);
    let list = || sandbox.get("/authvital/oauth/sessions").header("origin", WEB);
    let preflight = || sandbox.call("OPTIONS", "/authvital/oauth/sessions").header("origin", WEB).header("access-control-request-method", "GET");
    sandbox.faults(fault(true)).await;
    let answer = list().send().await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (503, Some(WEB)));
    assert_eq!(preflight().send().await.status, 204);
    sandbox.faults(fault(false)).await;
    let answer = list().send().await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (503, None));
    let rules = json!([{"route": "OPTIONS /authvital/*", "fault": {"status": 403}}]);
    sandbox.faults(rules).await;
    assert_eq!(preflight().send().await.status, 403);
}

#[tokio::test]
async fn mistakes_are_told() {
    let sandbox = Sandbox::start().await;
    let put = |rules: serde_json::Value| sandbox.call("PUT", "/sandbox/faults").json(rules).send();
    for (rules, part) in [
        (json!([{"route": "GET", "fault": {}}]), "not a route"),
        (json!([{"route": "*", "fault": {"stauts": 1}}]), "stauts"),
        (json!([{"route": "*", "fault": {"status": 1}}]), "rule 0"),
        (json!([{"route": "*", "fault": {}, "time": 1}]), "time"),
        (json!({}), "expected a sequence"),
    ] {
        let answer = put(rules).await;
        assert_eq!(answer.status, 400);
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains(part), "{message}");
    }
    let answer = sandbox.get("/authvital/x").fault("status=abc").send().await;
    answer.is_error(400, "x-sandbox-fault: status needs a number, not \"abc\"");
}
