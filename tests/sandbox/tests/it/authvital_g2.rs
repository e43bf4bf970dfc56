//! The second generation of AuthVital.

use serde_json::{Value, json};

use crate::harness::*;

/// Signs in with cookies and gives them back as a `Cookie` header would have them.
async fn cookies(sandbox: &Sandbox) -> (Tokens, Vec<String>) {
    let answer = sandbox.post("/sandbox/sign-in").json(json!({"email": "demo@example.com", "password": "demo-password", "cookies": true})).send().await;
    let body = answer.json();
    let tokens = Tokens { access: body["access_token"].as_str().unwrap().into(), refresh: body["refresh_token"].as_str().unwrap().into() };
    let cookies = answer.set_cookies().iter().map(|cookie| cookie.split(';').next().unwrap().to_owned()).collect();
    (tokens, cookies)
}

fn named<'a>(cookies: &'a [String], name: &str) -> &'a str {
    cookies.iter().find(|cookie| cookie.starts_with(&format!("{name}="))).unwrap()
}

#[tokio::test]
async fn g1_routes_answer_the_tell_tale_404() {
    let sandbox = Sandbox::start().await;
    let answer = sandbox.get(format!("{G2}/oauth/sessions")).bearer(&sandbox.sign_in().await.access).send().await;
    answer.is(404, r#"{"message":"Cannot GET /oauth/sessions","error":"Not Found","statusCode":404}"#);
    for (method, path) in [
        ("GET", "/oauth/sessions?application_id=app-web"),
        ("POST", "/oauth/sessions/1/revoke"),
        ("POST", "/oauth/logout-all"),
        ("POST", "/oauth/logout"),
        ("GET", "/oauth/logout"),
        ("POST", "/oauth/token"),
        ("POST", "/oauth/revoke"),
        ("GET", "/api/auth/logout/redirect"),
        ("POST", "/api/auth/sessions"),
    ] {
        let answer = sandbox.call(method, format!("{G2}{path}")).send().await;
        answer.is_error(404, &format!("Cannot {method} {path}"));
    }
}

#[tokio::test]
async fn list_has_the_same_shape_and_ignores_the_application() {
    let sandbox = Sandbox::start().await;
    let access = sandbox.sign_in().await.access;
    let answer = sandbox.get(format!("{G2}/api/auth/sessions?application_id=none")).bearer(&access).send().await;
    assert_eq!(answer.json(), sandbox.list(G1, &access).await);
}

#[tokio::test]
async fn idp_cookie_is_as_good_as_a_bearer_token_here_only() {
    let sandbox = Sandbox::start().await;
    let (tokens, cookies) = cookies(&sandbox).await;
    let idp = named(&cookies, "idp_session");
    let list = |path: &str| sandbox.get(path).header("cookie", idp);
    let g2 = list("/authvital-g2/api/auth/sessions").send().await;
    assert_eq!((g2.status, &g2.json()["count"]), (200, &json!(8)));
    let g1 = list("/authvital/oauth/sessions").send().await;
    g1.is_error(401, "No access token provided");
    // A bad token is not made good by a cookie.
    let both = list("/authvital-g2/api/auth/sessions").bearer("garbage");
    both.send().await.is_error(401, "Invalid access token");
    for bad in [&tokens.access, &tokens.refresh] {
        let answer = sandbox.get(format!("{G2}/api/auth/sessions")).header("cookie", &format!("idp_session={bad}")).send().await;
        answer.is_error(401, "Invalid access token");
    }
    let none = sandbox.get(format!("{G2}/api/auth/sessions")).send().await;
    none.is_error(401, "No access token provided");
}

#[tokio::test]
async fn delete_once_then_success_false_and_404_for_what_is_not_yours() {
    let sandbox = Sandbox::start().await;
    let demo = sandbox.sign_in().await;
    let other = sandbox.sign_in_as_other().await;
    let delete = |id: &str| sandbox.call("DELETE", format!("{G2}/api/auth/sessions/{id}")).bearer(&demo.access).send();
    let victim = sandbox.ids(&demo.access).await.pop().unwrap();
    delete(&victim).await.is(200, r#"{"success":true,"message":"Session revoked successfully"}"#);
    delete(&victim).await.is(200, r#"{"success":false,"message":"Session not found or already revoked"}"#);
    delete("unknown").await.is_error(404, "Session not found");
    delete(&other.sid()).await.is_error(404, "Session not found");
    assert_eq!(sandbox.stored(&other.sid()).await["state"], "active");
}

#[tokio::test]
async fn logout_ends_the_session_of_the_cookie_and_clears_three() {
    let sandbox = Sandbox::start().await;
    let (tokens, cookies) = cookies(&sandbox).await;
    let user = claims(&tokens.access)["sub"].clone();
    let answer =
        sandbox.post(format!("{G2}/api/auth/logout")).header("cookie", named(&cookies, "refresh_token")).json(json!({"redirect_uri": "/bye"})).send().await;
    answer.is(200, &format!(r#"{{"success":true,"redirect_uri":"/bye","loggedUser":{{"id":{user},"email":"demo@example.com"}}}}"#));
    let clears: Vec<_> = ["auth_token", "refresh_token", "idp_session"]
        .map(|name| format!("{name}=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Strict"))
        .into();
    assert_eq!(answer.set_cookies(), clears);
    assert_eq!(sandbox.stored(&tokens.sid()).await["ended_by"], "logout");
    assert_eq!(sandbox.ids(&tokens.access).await.len(), 7);
}

#[tokio::test]
async fn logout_everywhere_tells_no_count() {
    let sandbox = Sandbox::start().await;
    let tokens = sandbox.sign_in().await;
    let other = sandbox.sign_in_as_other().await;
    let answer = sandbox.post(format!("{G2}/api/auth/logout")).bearer(&tokens.access).json(json!({"everywhere": true})).send().await;
    let body = answer.json();
    assert_eq!((answer.status, &body["success"]), (200, &json!(true)));
    assert_eq!(body["redirect_uri"], Value::Null);
    assert_eq!(body["loggedUser"]["email"], "demo@example.com");
    assert!(body.get("count").is_none());
    assert!(sandbox.ids(&tokens.access).await.is_empty());
    assert_eq!(sandbox.ids(&other.access).await.len(), 3);
}

#[tokio::test]
async fn logout_everywhere_by_cookie_alone() {
    let sandbox = Sandbox::start().await;
    let (tokens, cookies) = cookies(&sandbox).await;
    sandbox.post(format!("{G2}/api/auth/logout")).header("cookie", named(&cookies, "idp_session")).json(json!({"everywhere": true})).send().await;
    assert!(sandbox.ids(&tokens.access).await.is_empty());
}

#[tokio::test]
async fn logout_of_nobody_is_a_success_and_an_access_token_alone_ends_nothing() {
    let sandbox = Sandbox::start().await;
    let tokens = sandbox.sign_in().await;
    let path = format!("{G2}/api/auth/logout");
    let answer = sandbox.post(&path).send().await;
    answer.is(200, r#"{"success":true,"redirect_uri":null,"loggedUser":null}"#);
    let everywhere = json!({"everywhere": true});
    assert_eq!(sandbox.post(&path).json(everywhere).send().await.status, 200);
    let bearer_only = sandbox.post(&path).bearer(&tokens.access).send().await;
    assert_eq!(bearer_only.json()["loggedUser"]["email"], "demo@example.com");
    assert_eq!(sandbox.ids(&tokens.access).await.len(), 8);
}

#[tokio::test]
async fn refresh_is_by_cookie() {
    let sandbox = Sandbox::start().await;
    let (tokens, cookies) = cookies(&sandbox).await;
    let old_cookie = named(&cookies, "refresh_token").to_owned();
    let refresh = |cookie: &str| sandbox.post(format!("{G2}/api/auth/refresh")).header("cookie", cookie).send();
    let answer = refresh(&old_cookie).await;
    let body = answer.json();
    let keys: Vec<_> = body.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["access_token", "expires_in", "token_type"]);
    let [set_cookie] = &answer.set_cookies()[..] else {
        panic!("one cookie");
    };
    let (value, attributes) = set_cookie.split_once("; ").unwrap();
    assert_eq!(attributes, "Max-Age=604800; Path=/; Expires=Sat, 07 Feb 2026 09:30:00 GMT; HttpOnly; SameSite=Strict");
    let sid = claims(value)["sid"].as_str().unwrap().to_owned();
    assert_ne!(sid, tokens.sid());
    assert_eq!(sandbox.stored(&sid).await["state"], "active");
    let replay = refresh(&old_cookie).await;
    replay.is_error(401, "Session has been revoked");
    assert_eq!(sandbox.stored(&sid).await["ended_by"], "replay");
    let none = sandbox.post(format!("{G2}/api/auth/refresh")).send().await;
    none.is_error(401, "interaction_required");
    refresh("refresh_token=garbage").await.is_error(401, "Invalid refresh token");
}
