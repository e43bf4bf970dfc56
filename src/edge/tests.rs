//! Requests are driven to their end without clock, network or JavaScript.

use super::*;

const OPTIONS: &str = r#""provider":"authvital","base":"/api","allowed":["https://app.example.com"],"hasScope":false,
"access":{"name":"at","attributes":"; Path=/; Secure; HttpOnly; SameSite=Lax"},"refresh":{"name":"rt","attributes":"; Path=/; HttpOnly"},"removals":["at=; Max-Age=0","rt=; Max-Age=0"]"#;

/// A request of this origin's page, with both cookies; `more` comes last, and so it counts.
fn request(method: &str, path: &str, more: &str) -> String {
    format!(
        r#"[{{"event":"start","now":1000000,"method":"{method}","path":"{path}","origin":"https://me.example.com","site":"same-origin","cookie":"at=access; rt=refresh",{OPTIONS},{more}"end":0}}]"#
    )
}

/// The answer to a step as text, and what is in it.
fn told(call: &str) -> (Text, Text, i64) {
    let text = step(call);
    let document = Document::read(&text).unwrap();
    let json = document.root();
    (text.clone(), json.member("do").as_words(), json.number("status").unwrap_or(0))
}

fn start(method: &str, path: &str, more: &str) -> (Text, Text, i64) {
    told(&request(method, path, more))
}

#[test]
fn routes() {
    for (path, expected) in [
        ("/api/sessions", Some((ListAll, None))),
        ("/api/sessions/a%2Fb/revoke", Some((Revoke, Some("a%2Fb")))),
        ("/api/sessions/revoke-others", Some((RevokeOthers, None))),
        ("/api/logout-all", Some((RevokeAll, None))),
        ("/api/logout", Some((Logout, None))),
        ("/api", None),
        ("/api/", None),
        ("/api/sessions/", None),
        ("/api/sessions//revoke", None),
        ("/api/sessions/a/b/revoke", None),
        ("/api/sessions/a", None),
        ("/apis/sessions", None),
        ("/sessions", None),
    ] {
        assert_eq!(Route::of(path, "/api"), expected.map(|(operation, id)| Route { operation, id }), "{path}");
        assert_eq!(start("GET", path, "").1 == "pass", expected.is_none(), "{path}");
    }
}

#[test]
fn each_route_has_one_method() {
    for (path, allowed) in [
        ("/api/sessions", "GET"),
        ("/api/sessions/a/revoke", "POST"),
        ("/api/sessions/revoke-others", "POST"),
        ("/api/logout-all", "POST"),
        ("/api/logout", "POST"),
    ] {
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "get"] {
            let (text, what, status) = start(method, path, "");
            if method == allowed {
                assert_eq!(what, "call", "{method} {path}");
            } else {
                assert_eq!(status, 405, "{method} {path}");
                assert!(text.contains(&format!(r#"["allow","{allowed}"]"#)));
            }
        }
    }
}

#[test]
fn other_sites_are_refused() {
    for (headers, read, write) in [
        (r#""site":"same-origin""#, true, true),
        (r#""site":"same-origin","from":"https://me.example.com""#, true, true),
        // Typed into the address bar.
        (r#""site":"none""#, true, false),
        (r#""site":"same-site""#, false, false),
        (r#""site":"cross-site""#, false, false),
        (r#""site":"nonsense""#, false, false),
        // A proxy changed the origin that the server sees of itself; what the browser says of both comes first.
        (r#""site":"same-origin","from":"https://public.example.com""#, true, true),
        (r#""site":"cross-site","from":"https://me.example.com""#, false, false),
        (r#""site":"same-site","from":"https://app.example.com""#, true, true),
        (r#""site":"cross-site","from":"https://app.example.com""#, true, true),
        (r#""site":"cross-site","from":"https://app.example.com.evil.test""#, false, false),
        // Browsers that don't say it.
        (r#""site":null,"from":"https://me.example.com""#, true, true),
        (r#""site":null,"from":"https://app.example.com""#, true, true),
        (r#""site":null,"from":"https://evil.test""#, false, false),
        // This server is called otherwise by its browsers: behind a proxy that ends TLS, or in Next.js.
        (r#""site":null,"from":"https://public.example.com","host":"public.example.com""#, true, true),
        (r#""site":null,"from":"http://public.example.com","host":"public.example.com""#, false, false),
        (r#""site":null,"from":"http://public.example.com:80","host":"public.example.com:80","origin":"http://localhost:3000""#, true, true),
        (r#""site":null,"from":"https://evil.test","host":"public.example.com""#, false, false),
        (r#""site":null,"from":"https://","host":"""#, false, false),
        (r#""site":null,"from":"null""#, false, false),
        (r#""site":null,"from":"""#, false, false),
        (r#""site":null"#, true, false),
    ] {
        let more = format!("{headers},");
        for (method, path, is_allowed) in [("GET", "/api/sessions", read), ("POST", "/api/logout", write), ("POST", "/api/sessions/a/revoke", write)] {
            let (text, what, status) = start(method, path, &more);
            assert_eq!(what == "call", is_allowed, "{headers} {method}: {text}");
            assert!(is_allowed || status == 403 && text.contains("forbidden") && text.contains(r#""cookies":[]"#), "{text}");
        }
    }
}

#[test]
fn other_origins_are_answered_if_they_are_allowed() {
    let (text, _, status) = start("OPTIONS", "/api/logout", r#""from":"https://app.example.com","preflight":"POST","#);
    assert_eq!(status, 204);
    assert!(text.contains(r#"["access-control-allow-origin","https://app.example.com"],["access-control-allow-credentials","true"]"#), "{text}");
    assert!(text.contains(r#"["access-control-allow-methods","POST"]"#));
    let (text, _, status) = start("OPTIONS", "/api/logout", r#""from":"https://evil.test","preflight":"POST","#);
    assert_eq!(status, 405);
    assert!(!text.contains("access-control"), "{text}");
}

#[test]
fn sizes_are_bounded() {
    let long = "x".repeat(600);
    let cursor = format!(r#""cursor":"{}","#, "x".repeat(5000));
    for (method, path, more, status, code) in [
        ("POST", "/api/logout", r#""size":100000,"#, 413, "invalid_argument"),
        ("GET", "/api/sessions", &*cursor, 400, "invalid_argument"),
        ("POST", &*format!("/api/sessions/{long}/revoke"), "", 400, "invalid_argument"),
        ("POST", "/api/sessions/%2e%2E/revoke", "", 400, "invalid_argument"),
        ("POST", "/api/sessions/%zz/revoke", "", 400, "invalid_argument"),
        ("POST", "/api/sessions/%ff/revoke", "", 400, "invalid_argument"),
    ] {
        let (text, _, answered) = start(method, path, more);
        assert_eq!(answered, status, "{path}");
        assert!(text.contains(code), "{text}");
    }
    assert!(start("POST", "/api/sessions/a%2Fb%20%C3%A9/revoke", "").0.contains(r#""id":"a/b é""#));
}

#[test]
fn tokens_come_from_the_cookies() {
    let (text, what, _) = start("GET", "/api/sessions", r#""cookie":"x=1; at=\"a%2Bb\"; rt=r","#);
    assert_eq!(what, "call");
    assert!(text.contains(r#""accessToken":"a+b","refreshToken":"r","isKey":false"#), "{text}");
    for cookie in ["null", r#""""#, r#""at=; rt=""#, r#""at=two words""#, r#""at=%0d%0a; b=1""#] {
        let (text, _, status) = start("GET", "/api/sessions", &format!(r#""cookie":{cookie},"#));
        assert_eq!(status, 401, "{text}");
        let (text, _, status) = start("POST", "/api/logout", &format!(r#""cookie":{cookie},"#));
        assert_eq!(status, 200, "{text}");
        assert!(text.contains("skipped") && text.contains("at=; Max-Age=0"), "{text}");
    }
}

#[test]
fn what_has_run_out_is_refreshed_first() {
    // exp: 999 s, of 1000 s now; and 1001 s.
    for (cookie, expected) in
        [("rt=r", "refresh"), ("at=x.eyJleHAiOjk5OX0.x; rt=r", "refresh"), ("at=x.eyJleHAiOjEwMDF9.x; rt=r", "call"), ("at=x.eyJleHAiOjk5OX0.x", "call")]
    {
        assert_eq!(start("GET", "/api/sessions", &format!(r#""cookie":"{cookie}","#)).1, expected, "{cookie}");
    }
    // This back-end has no refresh.
    assert_eq!(start("GET", "/api/sessions", r#""provider":"better-auth","cookie":"rt=r","#).1, "call");
    let (text, what, _) = start("GET", "/api/sessions", r#""event":"refreshed","asked":"refresh","isKey":false,"#);
    assert_eq!(what, "call");
    assert!(!text.contains("accessToken"), "the client has newer ones: {text}");
}

#[test]
fn new_tokens_are_set_on_the_same_answer() {
    let tokens = r#""tokens":{"accessToken":"new","refreshToken":"x.eyJleHAiOjEwNjB9.y","expiresAt":"1970-01-01T00:17:40.000Z"},"#;
    let result = r#""event":"result","asked":"list","isKey":false,"value":{"sessions":[]},"#;
    let (text, _, status) = start("GET", "/api/sessions", &format!("{tokens}{result}"));
    assert_eq!(status, 200);
    assert!(
        text.contains(r#""cookies":["at=new; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Lax","rt=x.eyJleHAiOjEwNjB9.y; Max-Age=60; Path=/; HttpOnly"]"#),
        "{text}"
    );
    // Also beside an error; not when the user has logged out meanwhile; and only what is new.
    let failed = r#""event":"failed","error":{"code":"server_error","message":"x"},"#;
    assert!(start("GET", "/api/sessions", &format!("{tokens}{failed}")).0.contains("at=new;"));
    assert!(start("GET", "/api/sessions", &format!(r#""isOver":true,{tokens}{result}"#)).0.contains(r#""cookies":[]"#));
    let same = r#""tokens":{"accessToken":"new","refreshToken":"refresh","expiresAt":null},"#;
    assert!(start("GET", "/api/sessions", &format!("{same}{result}")).0.contains(r#""cookies":["at=new; Path=/; Secure; HttpOnly; SameSite=Lax"]"#));
    let huge = format!(r#""tokens":{{"accessToken":"{}"}},"#, "x".repeat(5000));
    let (text, _, status) = start("GET", "/api/sessions", &format!("{huge}{result}"));
    assert_eq!(status, 500);
    assert!(!text.contains("xxx"), "{text}");
}

#[test]
fn a_logout_clears_the_cookies_whatever_happens() {
    let cleared = r#""cookies":["at=; Max-Age=0","rt=; Max-Age=0"]"#;
    for (more, server) in [
        (
            r#""event":"result","asked":"logout","value":{"success":true,"server":"confirmed","setCookie":["at=secret"]},"#,
            r#""server":"confirmed","setCookie":[]"#,
        ),
        (r#""event":"failed","asked":null,"error":{"code":"internal","message":"scope failed"},"#, r#""server":"skipped""#),
        (r#""event":"failed","asked":"logout","error":{"code":"network","message":"x"},"#, r#""server":"unreachable""#),
        (r#""event":"failed","asked":"logout","error":{"code":"server_error","status":500,"message":"x"},"#, r#""server":"rejected""#),
        (r#""event":"failed","asked":"logout","error":{"code":"invalid_options","message":"x"},"#, r#""server":"skipped""#),
    ] {
        let (text, _, status) = start("POST", "/api/logout", more);
        assert_eq!(status, 200);
        assert!(text.contains(cleared) && text.replace("\\\"", "\"").contains(server), "{text}");
    }
    // Without new tokens it is tried with the old ones.
    let (text, what, _) = start("POST", "/api/logout", r#""event":"failed","asked":"refresh","isKey":false,"error":{"code":"network","message":"x"},"#);
    assert_eq!(what, "call");
    assert!(text.contains(r#""operation":"logout""#));
    let all = r#""event":"result","asked":"revokeAll","value":{"success":true},"#;
    assert!(start("POST", "/api/logout-all", all).0.contains(cleared));
    assert!(start("POST", "/api/sessions/revoke-others", all).0.contains(r#""cookies":[]"#));
}

#[test]
fn a_secret_key_ends_only_sessions_of_its_user() {
    let clerk = r#""provider":"clerk","#;
    // sid: mine
    let cookie = r#""cookie":"at=x.eyJzaWQiOiJtaW5lIn0.x","#;
    let scope = r#""hasScope":true,"scope":{"userId":"me"},"isKey":true,"#;
    assert_eq!(start("GET", "/api/sessions", clerk).2, 500);
    assert_eq!(start("GET", "/api/sessions", &format!(r#"{clerk}"hasScope":true,"#)).1, "scope");
    for nobody in ["null", "{}", r#"{"userId":""}"#, r#"{"userId":null}"#] {
        let more = format!(r#"{clerk}"event":"scoped","hasScope":true,"scope":{nobody},"#);
        assert_eq!(start("GET", "/api/sessions", &more).2, 401, "{nobody}");
        assert!(start("POST", "/api/logout", &more).0.contains("skipped"));
    }
    let scoped = format!(r#"{clerk}{cookie}"event":"scoped",{scope}"#);
    for (path, id) in [("/api/sessions/s1/revoke", "s1"), ("/api/logout", "mine")] {
        let (text, what, _) = start("POST", path, &scoped);
        assert_eq!(what, "call");
        assert!(text.contains(&format!(r#""operation":"get","id":"{id}""#)), "{text}");
        let found = |user: &str| start("POST", path, &format!(r#"{clerk}{cookie}"event":"result","asked":"get","value":{{"userId":{user}}},{scope}"#));
        assert_eq!(found(r#""me""#).1, "call");
        for other in [r#""you""#, "null", "5"] {
            let (text, what, status) = found(other);
            assert_eq!((what.as_str(), status), ("answer", if id == "mine" { 200 } else { 404 }), "{text}");
        }
    }
    // Nothing says which session this is.
    assert!(start("POST", "/api/logout", &format!(r#"{clerk}"cookie":null,"event":"scoped",{scope}"#)).0.contains("skipped"));
    let page = r#""event":"result","asked":"list","value":{"sessions":[{"id":"1","raw":{"secret":1}}],"next":null},"#;
    assert!(start("GET", "/api/sessions", &format!("{clerk}{page}{scope}")).0.contains(r#"{\"id\":\"1\",\"raw\":null}"#));
}

#[test]
fn errors_have_their_status() {
    for (code, status) in [
        ("invalid_argument", 400),
        ("unauthenticated", 401),
        ("reauthentication_required", 401),
        ("forbidden", 403),
        ("not_found", 404),
        ("conflict", 409),
        ("current_unknown", 409),
        ("rejected", 422),
        ("rate_limited", 429),
        ("invalid_options", 500),
        ("insecure", 500),
        ("internal", 500),
        ("made-up", 500),
        ("unsupported", 501),
        ("server_error", 502),
        ("network", 502),
        ("invalid_response", 502),
        ("partial_revocation", 502),
        ("aborted", 503),
        ("timeout", 504),
    ] {
        let more = format!(r#""cursor":"10","event":"failed","asked":"list","error":{{"code":"{code}","message":"words","retryAfter":7}},"#);
        let (text, _, answered) = start("GET", "/api/sessions", &more);
        assert_eq!(answered, status, "{code}");
        assert!(text.contains(r#"["retry-after","7"]"#) && text.contains("no-store") && text.contains("words"), "{text}");
    }
}

#[test]
fn what_the_browser_has_no_part_in_is_the_servers_mistake() {
    let failed = |code: &str, more: &str| {
        start("GET", "/api/sessions", &format!(r#""event":"failed","asked":"list","error":{{"code":"{code}","message":"x"}},{more}"#)).2
    };
    assert_eq!(failed("invalid_argument", ""), 500, "of scope");
    assert_eq!(failed("invalid_argument", r#""pageSize":"0","#), 400);
    assert_eq!(failed("unauthenticated", r#""provider":"clerk","#), 500, "the secret key");
}

#[test]
fn tokens_in_a_right_answer_are_cut_out() {
    let value = r#""value":{"sessions":[{"id":"1","raw":{"a":"Bearer access-1","access-1":1}}],"message":"refresh-1 x"},"#;
    let (text, _, status) =
        start("GET", "/api/sessions", &format!(r#""event":"result","asked":"list","accessToken":"access-1","refreshToken":"refresh-1",{value}"#));
    assert_eq!(status, 200);
    assert!(text.contains("Bearer [redacted]") && !text.contains("access-1") && !text.contains("refresh-1"), "{text}");
}

#[test]
fn deep_answers_are_passed_on() {
    let raw = format!("{}{}", "[".repeat(62), "]".repeat(62));
    let (text, _, status) = start("GET", "/api/sessions", &format!(r#""event":"result","asked":"list","value":{{"sessions":[{{"id":"1","raw":{raw}}}]}},"#));
    assert_eq!(status, 200, "{text}");
}

#[test]
fn nonsense_is_no_panic() {
    for call in ["", "[", "[]", "[null]", "[{}]", "[1]", r#"[{"path":5,"base":null}]"#, r#"[{"path":"/sessions","base":"","event":"result"}]"#] {
        assert!(step(call).starts_with('{'), "{call}");
    }
}

#[test]
fn a_session_that_is_another_one_after_the_refresh_is_ended_as_that() {
    use crate::client::tests::token as jwt;
    let cookies = format!(r#""cookie":"at={}; rt={}","#, jwt(r#"{"exp":1}"#), jwt(r#"{"sid":"old"}"#));
    for (asked, ended) in [("old", "new"), ("other", "other")] {
        let request = request("POST", &format!("/api/sessions/{asked}/revoke"), &cookies);
        assert_eq!(told(&request).1, "refresh");
        let pair = format!(r#""event":"refreshed","value":{{"accessToken":"a","refreshToken":"{}"}},"#, jwt(r#"{"sid":"new"}"#));
        let (text, what, _) = told(&request.replace(r#""end":0"#, &format!(r#"{pair}"end":0"#)).replace(r#""event":"start","#, ""));
        assert_eq!(what, "call");
        assert!(text.contains(&format!(r#""id":"{ended}""#)), "{text}");
        // It is told as it was asked for; only one's own takes the cookies with it.
        let result = r#""event":"result","asked":"revoke","value":{"id":"new","success":true},"#;
        let (text, _, _) = told(&request.replace(r#""end":0"#, &format!(r#"{result}"end":0"#)).replace(r#""event":"start","#, ""));
        assert!(text.contains(&format!(r#"\"id\":\"{asked}\""#)), "{text}");
        assert_eq!(text.contains("Max-Age=0"), asked == "old", "{text}");
    }
}
