//! Calls driven to their end with canned answers: no clock, no network, no JavaScript.

use std::collections::{BTreeMap, VecDeque};

use super::Call;
use crate::json::{Json, Writer, quoted};

/// What a driver does, with everything it would wait for given beforehand.
struct Driver {
    options: Vec<(&'static str, String)>,
    memory: BTreeMap<String, String>,
    tokens: VecDeque<(Option<String>, Option<String>)>,
    answers: VecDeque<Reply>,
    /// What came of the sessions of an emulated operation.
    codes: String,
    now: i64,
    browser: bool,
    offline: bool,
    /// The tokens are fixed ones, not functions.
    fixed: bool,
    /// Everything the call asked for, one line each.
    log: Vec<String>,
    told: Option<String>,
}

enum Reply {
    Answer(u16, &'static str),
    With(u16, &'static str, &'static str),
    Failed(&'static str),
    /// An answer, and something that is remembered by another call while it is on its way.
    Meanwhile(&'static str, u16, &'static str),
}

use Reply::{Answer, Failed, Meanwhile, With};

const NOW: i64 = 1_767_225_600_000; // 2026-01-01T00:00:00Z

impl Driver {
    fn new(answers: impl IntoIterator<Item = Reply>) -> Self {
        let options = [
            ("provider", "\"authvital\""),
            ("base", "\"https://auth.example\""),
            ("isSecure", "true"),
            ("totalTimeout", "30000"),
            ("maxRetries", "2"),
            ("maxRetryAfter", "10"),
            ("clientId", "\"web\""),
        ];
        Self {
            options: options.map(|(name, json)| (name, json.to_owned())).into(),
            memory: BTreeMap::new(),
            tokens: [(Some(access()), Some(refresh("s1")))].into(),
            answers: answers.into_iter().collect(),
            codes: "[]".into(),
            now: NOW,
            browser: false,
            offline: false,
            fixed: true,
            log: Vec::new(),
            told: None,
        }
    }

    fn with(mut self, name: &'static str, json: &str) -> Self {
        self.options.retain(|(known, _)| *known != name);
        self.options.push((name, json.to_owned()));
        self
    }

    fn without_tokens(mut self) -> Self {
        self.tokens = [(None, None)].into();
        self
    }

    fn memory(mut self, key: &str, value: &str) -> Self {
        self.memory.insert(key.into(), value.into());
        self
    }

    /// The result's JSON, or the error's.
    fn run(&mut self, goal: &str) -> Result<String, String> {
        let mut input = Writer::new();
        for (name, json) in &self.options {
            input.json(name, json);
        }
        let mut call = match Call::new(goal, &input.finish()) {
            Ok(call) => call,
            Err(error) => return Err(error.to_json()),
        };
        let mut event = Writer::new();
        event.text("event", Some("start"));
        let mut body = Vec::new();
        for _ in 0..100 {
            let mut memory = Writer::new();
            for (key, value) in &self.memory {
                memory.text(key, Some(value));
            }
            event.number("now", Some(self.now)).number("random", Some(500)).flag("browser", self.browser).flag("offline", self.offline);
            let text = call.step(&event.json("memory", &memory.finish()).finish(), std::mem::take(&mut body));
            let action = Json::parse(text.as_bytes()).unwrap();
            for key in ["dialect", "access", "refresh", "replaced", "spent", "signedOut"] {
                let remember = action.get("remember").unwrap();
                if remember.source().contains(&format!("\"{key}\":")) {
                    match remember.text(key) {
                        Some(value) => self.memory.insert(key.into(), value),
                        None => self.memory.remove(key),
                    };
                }
            }
            event = Writer::new();
            match action.text("do").unwrap().as_str() {
                "done" => return Ok(action.get("value").unwrap().source().to_owned()),
                "fail" => return Err(action.get("error").unwrap().source().to_owned()),
                "tokens" => {
                    let (access, refresh) = if self.tokens.len() > 1 { self.tokens.pop_front() } else { self.tokens.front().cloned() }.unwrap();
                    let fixed = |token: Option<String>, newest: &str| {
                        if !self.fixed {
                            token
                        } else if self.memory.contains_key("signedOut") {
                            None
                        } else {
                            self.memory.get(newest).cloned().or(token)
                        }
                    };
                    event
                        .text("event", Some("tokens"))
                        .text("access", fixed(access, "access").as_deref())
                        .text("refresh", fixed(refresh, "refresh").as_deref());
                }
                "send" => {
                    let body_text = action.text("body").unwrap_or_default();
                    self.log.push(format!("{} {} {}", action.text("method").unwrap(), action.text("url").unwrap(), body_text).trim().to_owned());
                    self.log.push(format!("  {}", action.get("headers").unwrap().source()));
                    match self.answers.pop_front().expect("one request too many") {
                        Answer(status, text) => {
                            event.text("event", Some("answer")).number("status", Some(status.into())).json("headers", "{}");
                            body = text.into();
                        }
                        With(status, headers, text) => {
                            event.text("event", Some("answer")).number("status", Some(status.into())).json("headers", headers);
                            body = text.into();
                        }
                        Meanwhile(key, status, text) => {
                            self.memory.insert(key.into(), "1".into());
                            event.text("event", Some("answer")).number("status", Some(status.into())).json("headers", "{}");
                            body = text.into();
                        }
                        Failed(code) => {
                            event
                                .text("event", Some("failed"))
                                .text("code", Some(code))
                                .text("message", Some("lost"))
                                .number("cause", Some(7))
                                .flag("fatal", false);
                        }
                    }
                }
                "wait" => {
                    let ms = action.number("ms").unwrap();
                    self.now += ms;
                    self.log.push(format!("wait {ms} {} {}", action.text("reason").unwrap(), action.number("attempt").unwrap()));
                    event.text("event", Some("waited"));
                }
                "refresh" => {
                    self.log.push("refresh".into());
                    event.text("event", Some("refreshed")).text("access", Some(&token(r#"{"exp":1767230000}"#)));
                }
                "tell" => {
                    self.told = Some(action.get("value").unwrap().source().to_owned());
                    event.text("event", Some("told"));
                }
                "each" => {
                    self.log.push(format!("each {}", action.get("ids").unwrap().source()));
                    event.text("event", Some("each")).json("codes", &self.codes);
                }
                other => panic!("{other}"),
            }
        }
        panic!("the call does not end");
    }

    /// The requests, without their headers.
    fn requests(&self) -> Vec<&str> {
        self.log.iter().map(String::as_str).filter(|line| !line.starts_with("  ")).collect()
    }
}

fn token(claims: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::from("h.");
    for chunk in claims.as_bytes().chunks(3) {
        let bits = chunk.iter().enumerate().fold(0u32, |bits, (index, byte)| bits | u32::from(*byte) << (16 - 8 * index));
        out.extend((0..=chunk.len()).map(|index| char::from(ALPHABET[(bits >> (18 - 6 * index) & 63) as usize])));
    }
    out + ".sig"
}

/// An hour's token, half used.
fn access() -> String {
    token(r#"{"iat":1767223800,"exp":1767227400}"#)
}

fn refresh(session: &str) -> String {
    token(&format!(r#"{{"sid":"{session}"}}"#))
}

fn code(error: &str) -> String {
    Json::parse(error.as_bytes()).unwrap().text("code").unwrap()
}

fn text(json: &str, name: &str) -> Option<String> {
    Json::parse(json.as_bytes()).unwrap().text(name)
}

fn message(error: &str) -> String {
    text(error, "message").unwrap()
}

const TWO: &str = r#"{"sessions":[
    {"id":"s1","createdAt":"2025-12-31T00:00:00.1234567+01:00","expiresAt":"2026-01-08T00:00:00Z","userAgent":"curl/8","ipAddress":"203.0.113.1","tenant":null,"sessionToken":"hush","lastTokenRefresh":"x"},
    {"id":"s2","createdAt":"nonsense","userAgent":null,"x":[1.50]}],"count":2}"#;
const REVOKED: &str = r#"{"success":true,"message":"Session revoked successfully"}"#;
const GONE: &str = r#"{"success":false,"message":"Session not found or already revoked"}"#;
const UNKNOWN_ROUTE: &str = r#"{"message":"Cannot GET /oauth/sessions","error":"Not Found","statusCode":404}"#;
const TOKENS: &str = r#"{"access_token":"new-access","token_type":"Bearer","expires_in":3600,"refresh_token":"new-refresh"}"#;

#[test]
fn a_list_is_read_and_knows_its_current_session() {
    let mut driver = Driver::new([Answer(200, TWO)]).with("applicationId", "\"a&b\"");
    let page = driver.run("list").unwrap();
    assert_eq!(driver.requests(), ["GET https://auth.example/oauth/sessions?application_id=a%26b"]);
    let headers = format!(r#"  [["authorization","Bearer {}"]]"#, access());
    assert_eq!(driver.log[1], headers, "nothing that would cause a preflight by itself");
    let page = Json::parse(page.as_bytes()).unwrap();
    assert_eq!((page.number("count"), page.get("next"), page.get("total")), (Some(2), None, None));
    let sessions: Vec<_> = page.get("sessions").unwrap().items().collect();
    assert_eq!(sessions[0].text("createdAt").as_deref(), Some("2025-12-30T23:00:00.123Z"));
    assert_eq!(sessions.iter().map(|session| session.flag("current")).collect::<Vec<_>>(), [Some(true), Some(false)]);
    assert_eq!(sessions[0].get("device").unwrap().text("label").as_deref(), Some("curl"));
    assert_eq!((sessions[1].get("createdAt"), sessions[1].get("device"), sessions[1].get("userAgent")), (None, None, None));
    assert_eq!(sessions[1].get("raw").unwrap().source(), r#"{"id":"s2","createdAt":"nonsense","userAgent":null,"x":[1.50]}"#);
    assert!(!page.source().contains("hush") && page.source().contains("lastTokenRefresh"), "secrets are left out of raw");
}

#[test]
fn tokens_that_name_no_listed_session_tell_nothing() {
    for tokens in [(Some(access()), Some(refresh("gone"))), (Some(access()), None), (Some(access()), Some("opaque".into()))] {
        let mut driver = Driver::new([Answer(200, TWO)]);
        driver.tokens = [tokens].into();
        let page = driver.run("list").unwrap();
        assert_eq!(Json::parse(page.as_bytes()).unwrap().get("sessions").unwrap().items().filter_map(|session| session.flag("current")).count(), 0);
    }
}

#[test]
fn one_session_and_the_current_one() {
    assert_eq!(text(&Driver::new([Answer(200, TWO)]).with("id", "\"s2\"").run("get").unwrap(), "id").as_deref(), Some("s2"));
    assert_eq!(code(&Driver::new([Answer(200, TWO)]).with("id", "\"s3\"").run("get").unwrap_err()), "not_found");
    assert_eq!(text(&Driver::new([Answer(200, TWO)]).run("current").unwrap(), "id").as_deref(), Some("s1"));
    let mut stale = Driver::new([Answer(200, TWO)]);
    stale.tokens = [(Some(access()), Some(refresh("old")))].into();
    assert_eq!(code(&stale.run("current").unwrap_err()), "current_unknown");
    for goal in ["current", "revokeCurrent", "revokeOthers"] {
        let mut driver = Driver::new([]);
        driver.tokens = [(Some(access()), None)].into();
        assert_eq!(code(&driver.run(goal).unwrap_err()), "current_unknown", "{goal}: and nothing was sent");
    }
}

#[test]
fn a_revocation_says_what_it_ends_and_until_when() {
    let mut driver = Driver::new([Answer(200, REVOKED)]).with("id", "\"s1\"");
    let own = driver.run("revoke").unwrap();
    assert_eq!(driver.requests(), ["POST https://auth.example/oauth/sessions/s1/revoke"]);
    assert_eq!(text(&own, "accessTokenValidUntil").as_deref(), Some("2026-01-01T00:30:00.000Z"), "our own token's exp");
    assert_eq!((text(&own, "effect").as_deref(), text(&own, "outcome").as_deref()), (Some("refresh-only"), Some("revoked")));
    let other = Driver::new([Answer(200, REVOKED)]).with("id", "\"s2\"").run("revoke").unwrap();
    assert_eq!(text(&other, "accessTokenValidUntil").as_deref(), Some("2026-01-01T01:00:00.000Z"), "a whole lifetime from now");
    let current = Driver::new([Answer(200, REVOKED)]).run("revokeCurrent").unwrap();
    assert_eq!((text(&current, "id").as_deref(), text(&current, "accessTokenValidUntil").as_deref()), (Some("s1"), Some("2026-01-01T00:30:00.000Z")));
    let mut opaque = Driver::new([Answer(200, REVOKED)]).with("id", "\"s2\"");
    opaque.tokens = [(Some("opaque".into()), None)].into();
    assert_eq!(text(&opaque.run("revoke").unwrap(), "accessTokenValidUntil"), None);
}

#[test]
fn what_was_gone_is_no_success_unless_an_answer_was_lost() {
    let gone = Driver::new([Answer(200, GONE)]).with("id", "\"s2\"").run("revoke").unwrap();
    assert!(gone.contains(r#""success":false"#) && gone.contains(r#""outcome":"already-revoked""#));
    for second in [Answer(200, GONE), Answer(404, r#"{"message":"Session not found","error":"Not Found","statusCode":404}"#)] {
        let mut driver = Driver::new([Failed("network"), second]).with("id", "\"s2\"");
        let result = driver.run("revoke").unwrap();
        assert!(result.contains(r#""success":true"#) && result.contains(r#""outcome":"revoked""#), "{result}");
        assert_eq!(driver.requests()[1], "wait 375 network 2");
    }
    // A 429 was no attempt: what is gone then was gone before.
    let gone = Driver::new([Answer(429, "{}"), Answer(200, GONE)]).with("id", "\"s2\"").run("revoke").unwrap();
    assert!(gone.contains(r#""success":false"#));
}

#[test]
fn somebody_elses_session_is_forbidden() {
    let body = r#"{"message":"Cannot revoke another user's session","error":"Unauthorized","statusCode":401}"#;
    let mut driver = Driver::new([Answer(401, body)]).with("id", "\"s9\"");
    let error = driver.run("revoke").unwrap_err();
    assert_eq!((code(&error).as_str(), Json::parse(error.as_bytes()).unwrap().number("status")), ("forbidden", Some(401)));
    assert_eq!(driver.requests().len(), 1, "no refresh helps");
}

#[test]
fn all_at_once() {
    let all = r#"{"success":true,"message":"Revoked 3 session(s)","count":3}"#;
    let mut driver = Driver::new([Answer(200, all)]).with("applicationId", "\"app\"");
    let result = driver.run("revokeAll").unwrap();
    assert_eq!(driver.requests(), [r#"POST https://auth.example/oauth/logout-all {"application_id":"app"}"#]);
    assert!(result.contains(r#""count":3"#) && result.contains(r#""revoked":null"#));
    let mut driver = Driver::new([Failed("timeout"), Answer(200, r#"{"success":true,"message":"Revoked 0 session(s)","count":0}"#)]);
    let result = driver.run("revokeAll").unwrap();
    assert!(result.contains(r#""count":null"#) && result.contains(r#""message":null"#), "what a repeated request counts is not what happened");
    assert_eq!(driver.requests()[0], "POST https://auth.example/oauth/logout-all {}");
    assert_eq!(code(&Driver::new([Answer(200, r#"{"success":false}"#)]).run("revokeAll").unwrap_err()), "rejected");
}

#[test]
fn all_the_others_one_by_one() {
    let three = r#"{"sessions":[{"id":"s0"},{"id":"s1"},{"id":"s2"}]}"#;
    let mut driver = Driver::new([Answer(200, three)]);
    driver.codes = r#"[null,"not_found"]"#.into();
    let result = driver.run("revokeOthers").unwrap();
    assert_eq!(driver.log.last().unwrap(), r#"each ["s0","s2"]"#);
    assert!(result.contains(r#""revoked":["s0","s2"]"#) && result.contains(r#""count":2"#));
    let mut driver = Driver::new([Answer(200, three)]);
    driver.codes = r#"[null,"server_error"]"#.into();
    let error = driver.run("revokeOthers").unwrap_err();
    assert_eq!(code(&error), "partial_revocation");
    assert!(error.contains(r#""revoked":["s0"],"failed":[1]"#), "{error}");
    let mut nobody = Driver::new([Answer(200, r#"{"sessions":[{"id":"s1"}]}"#)]);
    assert!(nobody.run("revokeOthers").unwrap().contains(r#""count":0"#));
    assert_eq!(code(&Driver::new([Answer(200, r#"{"sessions":[{"id":"s2"}]}"#)]).run("revokeOthers").unwrap_err()), "current_unknown");
}

#[test]
fn the_second_generation_is_found_once_and_remembered() {
    let mut driver = Driver::new([Answer(404, UNKNOWN_ROUTE), Answer(200, TWO)]);
    driver.run("list").unwrap();
    assert_eq!(driver.requests(), ["GET https://auth.example/oauth/sessions", "GET https://auth.example/api/auth/sessions"]);
    assert_eq!(driver.memory["dialect"], "1");
    for (goal, answer, request) in [
        ("revoke", REVOKED, "DELETE https://auth.example/api/auth/sessions/s%2F2"),
        ("revokeAll", r#"{"success":true,"redirect_uri":null,"loggedUser":{"id":"u"}}"#, r#"POST https://auth.example/api/auth/logout {"everywhere":true}"#),
        ("logout", r#"{"success":true}"#, "POST https://auth.example/api/auth/logout {}"),
    ] {
        let mut driver = Driver::new([Answer(200, answer)]).with("id", "\"s/2\"").memory("dialect", "1");
        driver.run(goal).unwrap();
        assert_eq!(driver.requests(), [request]);
    }
}

#[test]
fn only_the_routers_404_means_the_other_generation() {
    for body in [
        r#"{"message":"Session not found","error":"Not Found","statusCode":404}"#,
        r#"{"message":"Cannot POST /oauth/sessions","error":"Not Found","statusCode":404}"#,
        r#"{"message":"Cannot GET /oauth/other","error":"Not Found","statusCode":404}"#,
        r#"{"message":"Cannot GET /oauth/sessions"}"#,
        "<html>404</html>",
        "",
    ] {
        let mut driver = Driver::new([Answer(404, body)]);
        assert_eq!(code(&driver.run("list").unwrap_err()), "not_found", "{body}");
        assert_eq!(driver.memory.get("dialect"), None);
    }
    let neither = Answer(404, r#"{"message":"Cannot GET /api/auth/sessions","error":"Not Found","statusCode":404}"#);
    let mut driver = Driver::new([Answer(404, UNKNOWN_ROUTE), neither]);
    assert!(message(&driver.run("list").unwrap_err()).contains("neither generation"));
    assert_eq!(driver.memory.get("dialect"), None, "not remembered");
    // Behind a proxy the router sees another prefix; its message has the query.
    let proxied = r#"{"message":"Cannot GET /v1/oauth/sessions?application_id=x","error":"Not Found","statusCode":404}"#;
    let mut driver = Driver::new([Answer(404, proxied)]).with("applicationId", "\"x\"");
    assert_eq!(code(&driver.run("list").unwrap_err()), "unsupported", "generation 2 would ignore applicationId");
    assert_eq!((driver.requests().len(), driver.memory["dialect"].as_str()), (1, "1"), "and that is remembered");
}

#[test]
fn generation_2_gets_the_refresh_token_as_a_cookie_from_servers_only() {
    for browser in [false, true] {
        let mut driver = Driver::new([With(200, r#"{"set-cookie":"refresh_token=rotated; Path=/; HttpOnly"}"#, r#"{"access_token":"a2","expires_in":60}"#)])
            .memory("dialect", "1");
        driver.browser = browser;
        let tokens = driver.run("refresh").unwrap();
        assert_eq!(driver.requests(), ["POST https://auth.example/api/auth/refresh"]);
        assert_eq!(driver.log[1].contains("cookie"), !browser);
        assert_eq!(text(&tokens, "refreshToken").as_deref(), Some("rotated"));
        assert_eq!(text(&tokens, "expiresAt").as_deref(), Some("2026-01-01T00:01:00.000Z"));
    }
}

#[test]
fn a_refresh_is_told_and_remembered() {
    let mut driver = Driver::new([Answer(200, TOKENS)]);
    let tokens = driver.run("refresh").unwrap();
    assert_eq!(driver.told.as_deref(), Some(tokens.as_str()));
    assert!(
        driver.requests()[0]
            .ends_with(&format!(r#"/oauth/token {{"grant_type":"refresh_token","refresh_token":{},"client_id":"web"}}"#, quoted(&refresh("s1"))))
    );
    assert_eq!(driver.log[1], r#"  [["content-type","application/json"]]"#, "no Authorization");
    assert_eq!((driver.memory["access"].as_str(), driver.memory["refresh"].as_str()), ("new-access", "new-refresh"));
    assert_eq!(driver.memory["replaced"], refresh("s1") + "\n");
    // So is every older one.
    let mut driver = Driver::new([Answer(200, TOKENS)]).memory("refresh", "newest").memory("replaced", &format!("r2\n{}\nr0", refresh("s1")));
    driver.fixed = false;
    driver.run("refresh").unwrap();
    assert!(driver.requests()[0].contains(r#""refresh_token":"newest""#) && driver.memory["replaced"].starts_with("newest\nr2\n"));
    // A function that still gives the old token is corrected: the old one must not be sent again.
    let mut driver = Driver::new([Answer(200, TOKENS)]).memory("refresh", "newest").memory("replaced", &refresh("s1"));
    driver.memory.remove("access");
    driver.run("refresh").unwrap();
    assert!(driver.requests()[0].contains(r#""refresh_token":"newest""#));
}

#[test]
fn a_refresh_token_is_not_sent_again_after_a_lost_answer() {
    for lost in [Failed("network"), Failed("timeout"), Failed("aborted"), Answer(500, "{}"), Answer(200, "<html>"), Answer(503, "{}"), Answer(200, "{}")] {
        let mut driver = Driver::new([lost]);
        driver.run("refresh").unwrap_err();
        assert_eq!(driver.requests().len(), 1, "never retried");
        assert_eq!(driver.memory["spent"], refresh("s1"));
        let error = driver.run("refresh").unwrap_err();
        assert_eq!((code(&error).as_str(), driver.requests().len()), ("unauthenticated", 1));
        driver.tokens = [(Some(access()), Some(refresh("s2")))].into();
        driver.answers.push_back(Answer(200, TOKENS));
        driver.run("refresh").unwrap();
    }
    let mut driver = Driver::new([With(504, r#"{"retry-after":"60"}"#, "{}")]);
    assert_eq!((code(&driver.run("refresh").unwrap_err()).as_str(), driver.memory["spent"] == refresh("s1")), ("rate_limited", true));
    for told in [Answer(401, r#"{"message":"Session expired"}"#), Answer(429, "{}"), Answer(400, "{}")] {
        let mut driver = Driver::new([told]);
        driver.run("refresh").unwrap_err();
        assert_eq!(driver.memory.get("spent"), None);
    }
    let mut driver = Driver::new([]);
    driver.offline = true;
    assert_eq!((code(&driver.run("refresh").unwrap_err()).as_str(), driver.memory.get("spent")), ("network", None));
}

#[test]
fn what_a_refresh_needs_is_said() {
    assert_eq!(code(&Driver::new([]).without_tokens().run("refresh").unwrap_err()), "unauthenticated");
    assert_eq!(code(&Driver::new([]).with("clientId", "null").run("refresh").unwrap_err()), "invalid_options");
}

#[test]
fn a_refused_token_is_refreshed_once() {
    let refused = || Answer(401, r#"{"message":"Invalid access token"}"#);
    let mut driver = Driver::new([refused(), Answer(200, TWO)]);
    driver.run("list").unwrap();
    assert_eq!(driver.requests(), ["GET https://auth.example/oauth/sessions", "refresh", "GET https://auth.example/oauth/sessions"]);
    let mut driver = Driver::new([refused(), refused()]);
    assert_eq!(code(&driver.run("list").unwrap_err()), "unauthenticated");
    assert_eq!(driver.requests().len(), 3, "and not again");
    // Another call has refreshed meanwhile: its token is taken.
    let mut driver = Driver::new([refused(), Answer(200, TWO)]);
    driver.tokens = [(Some(access()), Some(refresh("s1"))), (Some("newer".into()), Some(refresh("s1")))].into();
    driver.run("list").unwrap();
    assert!(!driver.log.contains(&"refresh".to_owned()) && driver.log[3].contains("Bearer newer"));
    // Without a client id there is no refresh: the user has to sign in, and that is what is said.
    assert_eq!(code(&Driver::new([refused()]).with("clientId", "null").run("list").unwrap_err()), "unauthenticated");
    // Without a refresh token there is nothing to refresh with.
    let mut driver = Driver::new([refused()]);
    driver.tokens = [(Some(access()), None)].into();
    assert_eq!(code(&driver.run("list").unwrap_err()), "unauthenticated");
}

#[test]
fn somebody_elses_request_is_served_with_its_own_token_only() {
    let forwarded =
        |answers: Vec<Reply>| Driver::new(answers).with("authorization", "\"Bearer theirs\"").with("headers", r#"[["Cookie","mine=1"],["x-a","b"]]"#);
    let mut driver = forwarded(vec![Answer(200, TWO)]);
    let page = driver.run("list").unwrap();
    assert_eq!(driver.log[1], r#"  [["x-a","b"],["authorization","Bearer theirs"]]"#);
    assert!(page.contains(r#""current":null"#), "this client's refresh token says nothing about them");
    let mut driver = forwarded(vec![Answer(401, "{}")]);
    assert_eq!(code(&driver.run("list").unwrap_err()), "unauthenticated");
    assert_eq!(driver.requests().len(), 1, "no refresh with this client's token");
    assert_eq!(code(&forwarded(vec![]).run("revokeOthers").unwrap_err()), "current_unknown");
    let mut driver = forwarded(vec![Answer(200, r#"{"success":true,"message":"Logged out"}"#)]);
    driver.run("logout").unwrap();
    assert!(driver.requests()[0].ends_with("/oauth/logout {}") && !driver.memory.contains_key("signedOut"));
    assert_eq!(code(&Driver::new([]).with("authorization", "\"Bearer a\\nb\"").run("list").unwrap_err()), "invalid_argument");
}

#[test]
fn a_logout_is_confirmed_only_by_the_server() {
    for (answer, server, error) in [
        (Answer(200, r#"{"success":true,"message":"Logged out"}"#), "confirmed", None),
        (Answer(200, r#"{"success":true,"message":"Logged out (no active session)"}"#), "rejected", Some("unauthenticated")),
        (Answer(200, r#"{"success":false,"message":"Already"}"#), "rejected", Some("not_found")),
        (Answer(500, "{}"), "rejected", Some("server_error")),
        (Answer(200, ""), "rejected", Some("invalid_response")),
        (Answer(0, ""), "rejected", Some("invalid_response")),
        (Failed("aborted"), "unreachable", Some("aborted")),
    ] {
        let mut driver = Driver::new([answer]).with("cookies", r#"[{"name":"a"}]"#);
        let result = driver.run("logout").unwrap();
        assert_eq!(text(&result, "server").as_deref(), Some(server));
        assert_eq!(result.contains(r#""success":true"#), server == "confirmed");
        let result = Json::parse(result.as_bytes()).unwrap();
        assert_eq!(result.get("error").and_then(|error| error.text("code")).as_deref(), error);
        assert_eq!(result.get("setCookie").unwrap().items().count(), 1, "cookies are cleared whatever the server says");
        assert_eq!(driver.memory["signedOut"], "1");
        assert_eq!(code(&driver.run("list").unwrap_err()), "unauthenticated", "the fixed tokens are no longer used");
    }
    let lost = || [Failed("network"), Answer(200, r#"{"success":false}"#)];
    assert_eq!(text(&Driver::new(lost()).run("logout").unwrap(), "server").as_deref(), Some("confirmed"), "this call ended it");
    let unreachable = || Failed("network");
    let mut driver = Driver::new([unreachable(), unreachable(), unreachable()]);
    assert_eq!(text(&driver.run("logout").unwrap(), "server").as_deref(), Some("unreachable"));
}

#[test]
fn a_logout_ends_the_session_it_was_given() {
    let confirmed = || [Answer(200, r#"{"success":true,"message":"Logged out"}"#)];
    let mut driver = Driver::new(confirmed()).with("endedToken", "\"theirs\"");
    driver.run("logout").unwrap();
    assert!(driver.requests()[0].contains(r#"{"refresh_token":"theirs"}"#) && !driver.memory.contains_key("signedOut"));
    // The replaced form of this client's own token: the session goes by the newest one.
    let mut driver = Driver::new(confirmed()).with("endedToken", "\"old\"").memory("replaced", "old").memory("refresh", "newest");
    driver.run("logout").unwrap();
    assert!(driver.requests()[0].contains(r#"{"refresh_token":"newest"}"#) && driver.memory.contains_key("signedOut"));
    // On generation 2 neither this client's access token nor a cookie that is none goes along.
    let mut driver =
        Driver::new([Answer(200, r#"{"success":true,"loggedUser":{}}"#)]).with("endedToken", "\"theirs; idp_session=evil\"").memory("dialect", "1");
    driver.run("logout").unwrap();
    assert_eq!(driver.log[1], r#"  [["content-type","application/json"]]"#);
    let mut nobody = Driver::new([Answer(200, r#"{"success":true,"loggedUser":null}"#)]).memory("dialect", "1");
    assert_eq!(text(&nobody.run("logout").unwrap(), "server").as_deref(), Some("rejected"));
    // A refresh during which the user logged out is not taken.
    let mut driver = Driver::new([Meanwhile("signedOut", 200, TOKENS)]);
    assert_eq!(code(&driver.run("refresh").unwrap_err()), "unauthenticated");
    assert!(driver.told.is_none() && !driver.memory.contains_key("access") && driver.memory["spent"] == refresh("s1"));
    // One after the next sign-in is: the tokens come from functions then.
    let mut driver = Driver::new([Answer(200, r#"{"success":true}"#), Answer(200, TOKENS)]);
    driver.fixed = false;
    driver.run("logout").unwrap();
    driver.tokens = [(Some(access()), Some(refresh("next")))].into();
    driver.run("refresh").unwrap();
    assert!(driver.told.is_some() && driver.memory["refresh"] == "new-refresh");
}

#[test]
fn what_passes_is_tried_again_and_no_more() {
    let mut driver = Driver::new([Answer(503, "{}"), Failed("timeout"), Answer(200, TWO)]);
    driver.run("list").unwrap();
    assert_eq!(driver.requests()[1..].iter().filter(|line| line.starts_with("wait")).count(), 2);
    let mut driver = Driver::new([Answer(502, "{}"), Answer(502, "{}"), Answer(502, "{}")]);
    assert_eq!(code(&driver.run("list").unwrap_err()), "server_error");
    for status in [400, 403, 409, 422, 500, 501] {
        Driver::new([Answer(status, "{}")]).run("list").unwrap_err();
    }
    let mut driver = Driver::new([With(429, r#"{"retry-after":"3"}"#, "{}"), Answer(200, TWO)]);
    driver.run("list").unwrap();
    assert_eq!(driver.requests()[1], "wait 3000 rate_limited 2");
    for status in [429, 503, 401] {
        let mut driver = Driver::new([With(status, r#"{"retry-after":"60","x-request-id":"r-1"}"#, "{}")]);
        driver.tokens = [(Some(access()), None)].into();
        let error = driver.run("list").unwrap_err();
        let error = Json::parse(error.as_bytes()).unwrap();
        assert_eq!(
            (error.text("code").as_deref(), error.number("retryAfter"), error.text("requestId").as_deref()),
            (Some("rate_limited"), Some(60), Some("r-1"))
        );
    }
    let mut driver = Driver::new([Answer(503, "{}")]).with("totalTimeout", "300");
    assert_eq!(code(&driver.run("list").unwrap_err()), "server_error", "no wait beyond the total time");
    let mut driver = Driver::new([Answer(503, "{}")]).with("maxRetries", "0");
    assert_eq!(code(&driver.run("list").unwrap_err()), "server_error");
}

#[test]
fn answers_that_are_none_are_refused() {
    for body in [
        "",
        "<html></html>",
        "null",
        "[]",
        "{}",
        r#"{"sessions":{}}"#,
        r#"{"sessions":[{}]}"#,
        r#"{"sessions":[{"id":7}]}"#,
        r#"{"sessions":[{"id":""}]}"#,
        r#"{"sessions":[null]}"#,
        r#"{"sessions":["s1"#,
    ] {
        assert_eq!(code(&Driver::new([Answer(200, body)]).run("list").unwrap_err()), "invalid_response", "{body}");
    }
    for status in [0, 301, 302, 304, 307, 308, 100, 999] {
        let expected = if status == 999 { "server_error" } else { "invalid_response" };
        assert_eq!(code(&Driver::new([Answer(status, TWO)]).run("list").unwrap_err()), expected, "{status}");
    }
    assert_eq!(code(&Driver::new([Answer(200, r#"{"access_token":"a b"}"#)]).run("refresh").unwrap_err()), "invalid_response");
}

#[test]
fn no_message_holds_a_secret() {
    let body: &'static str = Box::leak(format!(r#"{{"message":"token {} and {} and hdr-secret are bad"}}"#, access(), refresh("s1")).into_boxed_str());
    let theirs = r#"{"message":"sekret-token and cookie-value"}"#;
    let mut driver =
        Driver::new([Answer(400, theirs)]).with("authorization", "\"bearer sekret-token\"").with("callHeaders", r#"[["cookie","a=cookie-value; b=c"]]"#);
    assert_eq!(message(&driver.run("list").unwrap_err()), "the back-end refused the request: [redacted] and [redacted]");
    let mut driver = Driver::new([With(400, r#"{"x-request-id":"hdr-secret"}"#, body)]).with("headers", r#"[["x-key","hdr-secret"]]"#);
    let error = driver.run("list").unwrap_err();
    assert_eq!(message(&error), "the back-end refused the request: token [redacted] and [redacted] and [redacted] are bad");
    assert_eq!(text(&error, "requestId").as_deref(), Some("[redacted]"));
}

#[test]
fn bad_input_is_refused_before_anything_is_sent() {
    for (name, json, expected) in [
        ("provider", "\"nobody\"", "invalid_options"),
        ("provider", "\"clerk\"", "unsupported"),
        ("base", "null", "invalid_options"),
        ("isSecure", "false", "insecure"),
        ("headers", r#"[["a","b\r\nc"]]"#, "invalid_options"),
        ("headers", r#"[["a b","c"]]"#, "invalid_options"),
        ("headers", r#"[["Authorization","x"]]"#, "invalid_options"),
        ("callHeaders", r#"[["a","\u0000"]]"#, "invalid_argument"),
        ("cookies", r#"[{"name":"a b"}]"#, "invalid_options"),
        ("id", "\"..\"", "invalid_argument"),
        ("id", "\"\"", "invalid_argument"),
    ] {
        assert_eq!(code(&Driver::new([]).with(name, json).run("list").unwrap_err()), expected, "{name}: {json}");
    }
    assert_eq!(code(&Driver::new([]).with("id", &quoted(&"x".repeat(10_000))).run("revoke").unwrap_err()), "invalid_argument");
    for goal in ["create", "createToken", "nonsense", ""] {
        assert_eq!(code(&Driver::new([]).run(goal).unwrap_err()), "unsupported");
    }
    for bad in ["Bearer x", "a b", "a\n", "é"] {
        let mut driver = Driver::new([]);
        driver.tokens = [(Some(bad.into()), None)].into();
        assert_eq!(code(&driver.run("list").unwrap_err()), "invalid_options", "{bad}");
    }
    assert_eq!(code(&Driver::new([]).without_tokens().run("list").unwrap_err()), "unauthenticated");
    Driver::new([Answer(200, TWO)]).without_tokens().with("sendsCookies", "true").run("list").unwrap();
    Driver::new([Answer(200, TWO)]).with("isSecure", "false").with("allowInsecure", "true").run("list").unwrap();
    assert!(text(&Driver::new([]).with("isSecure", "false").run("logout").unwrap(), "server").as_deref() == Some("skipped"));
}

#[test]
fn events_that_make_no_sense_are_survived() {
    let mut call = Call::new("list", r#"{"provider":"authvital","base":"https://a","isSecure":true}"#).unwrap();
    for event in
        ["", "{}", "null", r#"{"event":"answer"}"#, r#"{"event":"each"}"#, r#"{"event":"told"}"#, r#"{"event":"failed"}"#, r#"{"event":"start","now":1e400}"#]
    {
        assert!(Json::parse(call.step(event, vec![0xff]).as_bytes()).is_some(), "{event}");
    }
}
