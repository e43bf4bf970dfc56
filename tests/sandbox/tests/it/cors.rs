//! Which pages may talk to which routes.

use crate::harness::*;

#[tokio::test]
async fn preflights_name_exactly_three_headers() {
    let sandbox = Sandbox::start().await;
    for (mount, path) in [(G1, "/oauth/sessions"), (G2, "/api/auth/sessions")] {
        let answer = sandbox
            .call("OPTIONS", format!("{mount}{path}"))
            .header("origin", WEB)
            .header("access-control-request-method", "GET")
            .header("access-control-request-headers", "authorization, x-custom")
            .send()
            .await;
        answer.is(204, "");
        assert_eq!(answer.header("access-control-allow-origin"), Some(WEB));
        assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
        assert_eq!(
            answer.header("access-control-allow-headers"),
            Some("Content-Type, Authorization, X-Requested-With"),
            "x-custom is not in it, so the browser gives up"
        );
        assert_eq!(answer.header("access-control-allow-methods"), Some("GET,HEAD,PUT,PATCH,POST,DELETE"));
        assert_eq!(answer.header("vary"), Some("Origin"));
    }
    let entry = &sandbox.log().await[0];
    assert_eq!(entry["preflight"], true);
    assert_eq!(entry["requested_headers"], serde_json::json!(["authorization", "x-custom"]));
}

#[tokio::test]
async fn answers_can_be_read_by_allowed_pages_errors_too() {
    let sandbox = Sandbox::start().await;
    let own = sandbox.running.url();
    for origin in [WEB, &own] {
        for path in ["/authvital/oauth/sessions", "/authvital/nothing"] {
            let answer = sandbox.get(path).header("origin", origin).send().await;
            assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
            assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
            assert_eq!(answer.header("access-control-expose-headers"), None);
        }
    }
    let answer = sandbox.get("/authvital/oauth/sessions").send().await;
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn disallowed_origins_get_500_from_g1_and_404_from_g2() {
    let sandbox = Sandbox::start().await;
    let access = sandbox.sign_in().await.access;
    for origin in ["https://evil.example", "null", "http://app.example:51730"] {
        for method in ["GET", "OPTIONS"] {
            let call = |path: String| sandbox.call(method, path).bearer(&access).header("origin", origin).header("access-control-request-method", "GET");
            let g1 = call(format!("{G1}/oauth/sessions")).send().await;
            g1.is_error(500, "Internal server error");
            let g2 = call(format!("{G2}/api/auth/sessions")).send().await;
            g2.is_error(404, &format!("Cannot {method} /api/auth/sessions"));
            for answer in [g1, g2] {
                assert_eq!(answer.header("access-control-allow-origin"), None);
            }
        }
    }
}

#[tokio::test]
async fn a_disallowed_page_changes_nothing() {
    let sandbox = Sandbox::start().await;
    let tokens = sandbox.sign_in().await;
    let answer = sandbox
        .post(format!("{G1}/oauth/logout"))
        .header("origin", "https://evil.example")
        .header("cookie", &format!("refresh_token={}", tokens.refresh))
        .send()
        .await;
    assert_eq!(answer.status, 500);
    let answer = sandbox.post("/sandbox/reset").header("origin", "https://evil.example").send().await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.header("access-control-allow-origin"), None);
    assert_eq!(sandbox.stored(&tokens.sid()).await["state"], "active");
}

#[tokio::test]
async fn the_sandboxs_own_routes_have_the_same_allow_list() {
    let sandbox = Sandbox::start().await;
    let preflight = sandbox
        .call("OPTIONS", "/sandbox/sign-in")
        .header("origin", WEB)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type")
        .send()
        .await;
    preflight.is(204, "");
    assert_eq!(preflight.header("access-control-allow-headers"), Some("Content-Type"));
    let answer = sandbox.get("/sandbox/health").header("origin", WEB);
    let answer = answer.send().await;
    assert_eq!(answer.header("access-control-allow-origin"), Some(WEB));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn foreign_host_names_are_turned_away() {
    let sandbox = Sandbox::start().await;
    let answer = sandbox.get("/sandbox/sessions").header("host", "rebound.evil.example:4800").send().await;
    assert_eq!(answer.status, 421);
    let port = sandbox.running.address.port();
    let answer =
        sandbox.get("/sandbox/sessions").header("host", &format!("localhost:{port}")).header("origin", &format!("http://localhost:{port}")).send().await;
    assert_eq!(answer.status, 200);
}
