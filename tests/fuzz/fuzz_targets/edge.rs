//! One browser's request to the handler, driven to its answer as `src/npm/handler.js` does it. What may be done on whose behalf is worked out here a second time.
#![no_main]

use auth_sessions::{
    edge,
    http::{is_bearer, is_cookie_value, is_token, is_valid_header},
};
use auth_sessions_fuzz::{
    case::{Secrets, flag, holds, items, number, parsed, text},
    case_target,
    encoding::percent_decoded,
};
use serde_json::{Map, Value, json};
use std::collections::VecDeque;

const NOW: i64 = 1_767_225_600_000;
const ALLOWED: &str = "https://app.example.com";
const ORIGINS: [&str; 3] = ["https://me.example.com", "http://localhost:3000", "https://10.0.0.1"];
const ATTRIBUTES: [&str; 2] = ["; Path=/; Secure; HttpOnly; SameSite=Lax", "; Path=/auth; Domain=example.com; Secure; HttpOnly"];
const REMOVALS: [&str; 2] = ["at=; Path=/; Max-Age=0; Secure; HttpOnly", "rt=; Path=/auth; Max-Age=0; Secure; HttpOnly"];

/// The route that a path means, by what docs/edge.md says: its operation, whether it changes anything, and the id in it.
fn route<'a>(path: &'a str, base: &str) -> Option<(&'static str, Option<&'a str>)> {
    let parts: Vec<&str> = path.strip_prefix(base)?.split('/').collect();
    match parts.as_slice() {
        ["", "sessions"] => Some(("list", None)),
        ["", "sessions", "revoke-others"] => Some(("revokeOthers", None)),
        ["", "sessions", id, "revoke"] if !id.is_empty() => Some(("revoke", Some(id))),
        ["", "logout-all"] => Some(("revokeAll", None)),
        ["", "logout"] => Some(("logout", None)),
        _ => None,
    }
}

fn visit(case: &Value) {
    let secrets = Secrets::of(case);
    let request = case.get("request").unwrap_or(&Value::Null);
    let provider = text(case, "provider").filter(|name| ["authvital", "clerk", "ksef", "rest", "better-auth"].contains(name)).unwrap_or("authvital");
    let is_key = provider == "clerk";
    let base = ["/api", "", "/a/b"][number(case, "base", 0, 2).unwrap_or(0) as usize];
    let origin = ORIGINS[number(request, "origin", 0, 2).unwrap_or(0) as usize];
    let method = text(request, "method").unwrap_or("GET");
    // A runtime's URL parser gives a path that begins so and has nothing else in it.
    let path: String = text(request, "path").unwrap_or("/api/sessions").chars().filter(|c| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '\\')).collect();
    let has_scope = flag(case, "hasScope");
    let mut state = json!({
        "event": "start", "provider": provider, "base": base, "allowed": [ALLOWED], "hasScope": has_scope, "removals": REMOVALS, "method": method, "path": path, "origin": origin,
        "access": {"name": "at", "attributes": ATTRIBUTES[0]}, "refresh": {"name": "rt", "attributes": ATTRIBUTES[1]},
        "size": number(request, "size", 0, 1 << 40).unwrap_or(0),
    });
    // Header values, and what stood in the address.
    for name in ["host", "from", "site", "cookie", "preflight", "cursor", "pageSize"] {
        state[name] = match text(request, name).map(|text| secrets.fill(text)) {
            Some(text) if matches!(name, "cursor" | "pageSize") || is_valid_header("a", &text) => json!(text.trim()),
            _ => Value::Null,
        };
    }
    if text(request, "cookie").is_none() {
        let cookies: Vec<_> = [("at", "$ACCESS"), ("rt", "$REFRESH")].map(|(name, token)| (name, secrets.get(token))).into();
        let cookies = cookies.into_iter().filter(|(_, token)| is_cookie_value(token)).map(|(name, token)| format!("{name}={token}")).collect::<Vec<_>>();
        state["cookie"] = json!(cookies.join("; "));
    }
    let found = route(&path, base);
    // Who asks: never what another site made a browser ask.
    let asked = state.clone();
    let (from, site, host) = (text(&asked, "from"), text(&asked, "site"), text(&asked, "host").unwrap_or_default());
    let is_allowed = from == Some(ALLOWED);
    let is_same = match (site, from) {
        (Some("same-origin"), _) => true,
        (Some("") | None, Some(from)) => {
            from == origin || !host.is_empty() && (from == format!("https://{host}") || origin.starts_with("http:") && from == format!("http://{host}"))
        }
        _ => false,
    };
    let may_read = is_same || is_allowed || matches!((site, from), (Some("none"), _) | (Some("") | None, None));
    let may_write = is_same || is_allowed;

    let mut results: VecDeque<&Value> = items(case, "results").iter().take(8).collect();
    let mut given: Vec<String> = Vec::new();
    let mut owner = None;
    for _ in 0..12 {
        state["now"] = json!(NOW);
        let told = edge::step(&Value::Array(vec![state.clone()]).to_string());
        let action = parsed(&told);
        if let Some(keep) = action["keep"].as_object() {
            keep.iter().for_each(|(name, value)| state[name] = value.clone());
        }
        let what = text(&action, "do").expect("what to do");
        let Some((operation, id)) = found else {
            assert_eq!(what, "pass", "not our path: {path}");
            return;
        };
        assert_ne!(what, "pass", "our path: {path}");
        if what != "answer" {
            assert_eq!(method, if operation == "list" { "GET" } else { "POST" }, "{action}");
            assert!(
                if operation == "list" { may_read } else { may_write },
                "another site asks: site {site:?}, from {from:?}, host {host}, origin {origin}: {action}"
            );
            assert!(!is_key || has_scope, "nobody said whose sessions these are");
        }
        let result = results.pop_front().unwrap_or(&Value::Null);
        match what {
            "answer" => return answer(&state, &action, &given, is_allowed, operation),
            "scope" => {
                state["event"] = json!("scoped");
                owner = text(result, "userId").filter(|user| !user.is_empty()).map(str::to_owned);
                state["scope"] = if result.is_object() { json!({"userId": owner, "applicationId": text(result, "applicationId")}) } else { Value::Null };
            }
            "refresh" | "call" => {
                if what == "call" {
                    let asked = text(&action, "operation").expect("an operation");
                    assert!(asked == operation || is_key && asked == "get" || is_key && operation == "logout" && asked == "logout", "{action}");
                    if let (Some(id), "revoke" | "get") = (id, asked) {
                        assert_eq!(percent_decoded(id).as_deref(), text(&action, "id"), "{action}");
                        assert!(
                            !matches!(text(&action, "id"), None | Some("" | "." | "..")) && text(&action, "id").is_some_and(|id| id.len() <= 512),
                            "{action}"
                        );
                    }
                    // What ends a session by a secret key has been seen to be this user's.
                    if is_key && (asked == "revoke" || asked == "logout") {
                        assert!(owner.is_some() && text(&state["value"], "userId") == owner.as_deref(), "somebody else's session: {action}");
                    }
                }
                if let Some(code) = text(result, "failed") {
                    // What the client says of failures holds no token.
                    state["event"] = json!("failed");
                    state["error"] = json!({"code": code, "message": text(result, "message").unwrap_or("words"), "status": result.get("status").filter(|status| status.is_i64()),
                        "retryAfter": result.get("retryAfter").filter(|seconds| seconds.is_u64()), "revoked": result.get("revoked").filter(|ids| ids.is_array())});
                } else {
                    if what == "refresh" || flag(result, "refreshes") {
                        let token = |name: &str| text(result, name).map(|text| secrets.fill(text)).filter(|token| !token.is_empty());
                        let tokens = json!({"accessToken": token("accessToken").filter(|token| is_bearer(token)).unwrap_or_else(|| secrets.get("$NEW").to_owned()),
                            "refreshToken": token("refreshToken"), "expiresAt": text(result, "expiresAt")});
                        given.extend(["accessToken", "refreshToken"].iter().filter_map(|name| text(&tokens, name)).map(str::to_owned));
                        for name in ["accessToken", "refreshToken"] {
                            if tokens[name].is_string() {
                                state[name] = tokens[name].clone();
                            }
                        }
                        state["tokens"] = tokens;
                    }
                    state["event"] = json!(if what == "refresh" { "refreshed" } else { "result" });
                    let mut value = result.get("value").and_then(Value::as_object).cloned().unwrap_or_default();
                    // As the client makes them.
                    value.retain(|name, value| name != "sessions" || value.as_array().is_some_and(|sessions| sessions.iter().all(Value::is_object)));
                    state["value"] = secrets.fill_all(&Value::Object(value));
                }
            }
            _ => panic!("nothing to do: {action}"),
        }
        state["isOver"] = json!(flag(case, "isOver"));
    }
    panic!("no answer");
}

fn answer(state: &Value, action: &Value, given: &[String], is_allowed: bool, operation: &str) {
    let status = action["status"].as_i64().expect("a status");
    assert!((200..600).contains(&status), "{action}");
    let headers: Vec<(&str, &str)> =
        items(action, "headers").iter().map(|pair| (pair[0].as_str().expect("a name"), pair[1].as_str().expect("a value"))).collect();
    assert!(headers.iter().all(|(name, value)| is_valid_header(name, value)), "{action}");
    assert!(headers.contains(&("cache-control", "no-store")), "{action}");
    assert_eq!(headers.iter().any(|(name, value)| *name == "access-control-allow-origin" && *value == ALLOWED), is_allowed, "{action}");
    assert!(is_allowed || !headers.iter().any(|(name, _)| name.starts_with("access-control")), "{action}");

    // The tokens that cookies brought, and those that came meanwhile.
    let mut tokens: Vec<&str> = given.iter().map(String::as_str).collect();
    let cookies = text(state, "cookie").unwrap_or_default();
    tokens.extend(
        ["accessToken", "refreshToken"]
            .iter()
            .filter_map(|name| text(state, name))
            .filter(|token| token.contains("Q7") && (cookies.contains(token) || given.iter().any(|new| new == token))),
    );
    if let Some(body) = action["body"].as_str() {
        let body = parsed(body);
        // What the case itself has the client say of a failure is not looked at.
        if state["event"] != "failed" {
            // The names of a result and of a session are the package's own.
            let values = body.as_object().into_iter().flatten().flat_map(|(name, value)| match value.as_array() {
                Some(sessions) if name == "sessions" => sessions.iter().flat_map(|session| session.as_object().into_iter().flat_map(Map::values)).collect(),
                _ => vec![value],
            });
            let found = values.into_iter().find_map(|value| holds(value, &tokens));
            assert!(found.is_none(), "a token in a body: {found:?} in {body}");
        }
    } else {
        assert_eq!(status, 204, "{action}");
    }
    for cookie in items(action, "cookies") {
        let cookie = cookie.as_str().expect("a text");
        if REMOVALS.contains(&cookie) {
            assert!(matches!(operation, "logout" | "revokeAll" | "revoke"), "{action}");
            continue;
        }
        let (pair, attributes) = cookie.split_once(';').expect("attributes");
        let (name, value) = pair.split_once('=').expect("a pair");
        assert!(is_token(name) && is_cookie_value(value) && pair.len() <= 4097, "{cookie}");
        let own = if name == "at" { ATTRIBUTES[0] } else { ATTRIBUTES[1] };
        let age = format!(";{attributes}").strip_suffix(own).unwrap_or_else(|| panic!("its own attributes: {cookie}")).to_owned();
        assert!(age.is_empty() || age.strip_prefix("; Max-Age=").is_some_and(|age| age.parse::<u64>().is_ok()), "{cookie}");
        assert!(percent_decoded(value).is_some_and(|token| given.contains(&token)), "{cookie}: not one of {given:?}");
        assert!(!flag(state, "isOver"), "a cookie is set after the logout: {cookie}");
    }
}

case_target!(visit);
