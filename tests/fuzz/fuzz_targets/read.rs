//! One answer to one request: every back-end, operation, status, header and body. What comes out is JSON that says what to do, and no secret is in it that the
//! back-end was sent and sends back.
#![no_main]

use auth_sessions::{client, provider::by_name};
use auth_sessions_fuzz::{
    case::{Secrets, flag, holds, number, parsed, text},
    case_target,
};
use serde_json::{Value, json};

const NOW: i64 = 1_767_225_600_000;

fn read(case: &Value) {
    let secrets = Secrets::of(case);
    let provider = text(case, "provider").filter(|name| by_name(name).is_ok()).unwrap_or("rest");
    let mut call = json!({
        "provider": provider, "base": "https://auth.example", "isSecure": true, "event": "answer", "now": NOW, "started": NOW - 5, "random": 500,
        "maxRetries": 2, "maxRetryAfter": 10, "totalTimeout": 30_000, "sent": text(case, "sent").unwrap_or("/api/v1/sessions"),
        "goal": text(case, "goal").unwrap_or("list"), "step": text(case, "step").or(text(case, "goal")).unwrap_or("list"),
        "access": secrets.get("$ACCESS"), "refresh": secrets.get("$REFRESH"), "attempt": number(case, "attempt", 1, 4).unwrap_or(1),
        "dialect": number(case, "dialect", 0, 1).unwrap_or(0), "answered": number(case, "status", 0, 599).unwrap_or(200), "received": secrets.headers(case),
        "headers": [["x-key", secrets.get("$HEADER")]], "memory": {},
    });
    for name in ["isRepeated", "isSwitched", "canReauthenticate", "wasRefused", "browser", "sendsCookies", "offline"] {
        call[name] = json!(flag(case, name));
    }
    for name in ["id", "foundId", "cursor", "page", "userId", "handle", "clientId", "endedToken", "seen", "ownId"] {
        if let Some(text) = text(case, name) {
            call[name] = json!(secrets.fill(text));
        }
    }
    if let Some(user) = text(case, "authorization") {
        call["authorization"] = json!(secrets.fill(user));
    }
    for name in ["profile", "targets", "handles"] {
        if let Some(value) = case.get(name) {
            call[name] = value.clone();
        }
    }
    let action = parsed(&client::step(&call.to_string(), secrets.body(case).as_bytes()));
    let what = text(&action, "do").expect("what to do");
    assert!("tokens send wait refresh reauthenticate tell each done fail".split(' ').any(|known| known == what), "{action}");
    assert!(action["keep"].is_object() && action["remember"].is_object(), "{action}");
    assert!(action["remember"].as_object().is_some_and(|all| all.values().all(|value| value.is_null() || value.is_string())), "{action}");
    let mut told = vec![secrets.get("$HEADER")];
    if call.get("authorization").is_none() || provider == "clerk" {
        told.extend([secrets.get("$ACCESS"), secrets.get("$REFRESH")].into_iter().filter(|_| call.get("authorization").is_none()));
    }
    for name in ["error", "requestId", "warnings", "reason", "template"] {
        let found = holds(&action[name], &told);
        assert!(found.is_none(), "a secret in {name}: {found:?} in {action}");
    }
}

case_target!(read);
