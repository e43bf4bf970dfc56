//! Calls driven to their end with canned answers: no clock, no network, no JavaScript.

use std::collections::{BTreeMap, VecDeque};

use super::step;
use crate::json::{Writer, parsed, quoted};
use crate::text::Text;

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
    /// What was said about how to end sessions one by one: the last one last, and the limits.
    each: Option<(bool, String)>,
    signs_in_again: bool,
    refresh_fails: bool,
    /// So many refreshes are another tab's.
    adopted: usize,
    /// What a refresh makes of the old refresh token.
    renews: Option<(String, String)>,
    warnings: Option<Text>,
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
            each: None,
            signs_in_again: false,
            refresh_fails: false,
            adopted: 0,
            renews: None,
            warnings: None,
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
    fn run(&mut self, goal: &str) -> Result<Text, Text> {
        let mut state: BTreeMap<String, Text> = self.options.iter().map(|(name, json)| ((*name).to_owned(), Text::from(json.as_str()))).collect();
        state.insert("goal".into(), quoted(goal));
        state.insert("browser".into(), self.browser.to_string().into());
        state.insert("offline".into(), self.offline.to_string().into());
        state.insert("random".into(), "500".into());
        let mut told = vec![("event", quoted("start"))];
        let mut body = String::new();
        for _ in 0..100 {
            let mut memory = Writer::new();
            for (key, value) in &self.memory {
                memory.text(key, Some(value));
            }
            state.insert("memory".into(), memory.finish());
            state.insert("now".into(), self.now.to_string().into());
            state.extend(told.drain(..).map(|(name, json)| (name.to_owned(), json)));
            let mut call = Writer::new();
            for (name, json) in &state {
                call.json(name, json);
            }
            let text = step(&call.finish(), std::mem::take(&mut body).as_bytes());
            let action = parsed(&text);
            action.member("keep").each(&mut |name, value| {
                state.insert(name.into(), value.source().into());
            });
            action.member("remember").each(&mut |name, value| {
                match value.as_str() {
                    Some(value) => self.memory.insert(name.into(), value.into()),
                    None => self.memory.remove(name),
                };
            });
            self.warnings = action.text("warnings");
            let optional = |text: Option<Text>| text.map_or("null".into(), |text| quoted(&text));
            match action.text("do").unwrap().as_str() {
                "done" => return Ok(action.get("value").unwrap().source().into()),
                "fail" => return Err(action.get("error").unwrap().source().into()),
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
                    let own = action.is("own");
                    told = vec![
                        ("event", quoted("tokens")),
                        ("access", optional(fixed(access, "accessToken").filter(|_| own).map(Text::from))),
                        ("refresh", optional(fixed(refresh, "refreshToken").filter(|_| own).map(Text::from))),
                    ];
                }
                "send" => {
                    let body_text = action.text("body").unwrap_or_default();
                    self.log.push(format!("{} {} {}", action.text("method").unwrap(), action.text("url").unwrap(), body_text).trim().to_owned());
                    self.log.push(format!("  {}", action.get("headers").unwrap().source()));
                    let answer =
                        |status: u16, headers: &str| vec![("event", quoted("answer")), ("answered", status.to_string().into()), ("received", headers.into())];
                    match self.answers.pop_front().expect("one request too many") {
                        Answer(status, text) => {
                            told = answer(status, "{}");
                            body = text.into();
                        }
                        With(status, headers, text) => {
                            told = answer(status, headers);
                            body = text.into();
                        }
                        Meanwhile(key, status, text) => {
                            self.memory.insert(key.into(), "1".into());
                            told = answer(status, "{}");
                            body = text.into();
                        }
                        Failed(code) => {
                            let failure = format!(r#"{{"code":"{code}","message":"lost","cause":7,"fatal":false}}"#);
                            told = vec![("event", quoted("failed")), ("failure", failure.into())];
                        }
                    }
                }
                "wait" => {
                    let ms = action.number("ms").unwrap();
                    self.now += ms;
                    self.log.push(format!("wait {ms} {} {}", action.text("reason").unwrap(), action.number("attempt").unwrap()));
                    told = vec![("event", quoted("waited"))];
                }
                "refresh" => {
                    self.log.push("refresh".into());
                    if self.refresh_fails {
                        let failure = r#"{"code":"network","message":"no answer","cause":null,"fatal":true}"#;
                        told = vec![("event", quoted("failed")), ("failure", failure.into())];
                        continue;
                    }
                    if let Some((old, new)) = &self.renews {
                        self.memory.insert("replaced".into(), old.clone());
                        self.memory.insert("refreshToken".into(), new.clone());
                    }
                    let was_adopted = self.adopted > 0;
                    self.adopted = self.adopted.saturating_sub(1);
                    let newest = token(&format!(r#"{{"exp":{}}}"#, 1_767_230_000 + self.adopted));
                    told = vec![("event", quoted("refreshed")), ("refreshed", quoted(&newest)), ("wasAdopted", was_adopted.to_string().into())];
                }
                "reauthenticate" => {
                    self.log.push(format!("reauthenticate {}", action.member("error").text("code").unwrap()));
                    told = vec![("event", quoted("reauthenticated")), ("again", self.signs_in_again.to_string().into())];
                }
                "tell" => {
                    self.told = Some(action.get("value").unwrap().source().to_owned());
                    told = vec![("event", quoted("told"))];
                }
                "each" => {
                    self.log.push(format!("each {}", action.get("ids").unwrap().source()));
                    self.each = Some((action.is("last"), action.member("limits").source().to_owned()));
                    told = vec![("event", quoted("each")), ("codes", self.codes.as_str().into())];
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

pub(crate) fn token(claims: &str) -> String {
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

fn code(error: &str) -> Text {
    parsed(error).text("code").unwrap()
}

fn text(json: &str, name: &str) -> Option<Text> {
    parsed(json).text(name)
}

fn message(error: &str) -> Text {
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
    let page = parsed(&page);
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
        assert_eq!(parsed(&page).get("sessions").unwrap().items().filter_map(|session| session.flag("current")).count(), 0);
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
    assert_eq!((code(&error).as_str(), parsed(&error).number("status")), ("forbidden", Some(401)));
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
    assert_eq!((driver.memory["accessToken"].as_str(), driver.memory["refreshToken"].as_str()), ("new-access", "new-refresh"));
    assert_eq!(driver.memory["replaced"], refresh("s1") + "\n");
    // So is every older one.
    let mut driver = Driver::new([Answer(200, TOKENS)]).memory("refreshToken", "newest").memory("replaced", &format!("r2\n{}\nr0", refresh("s1")));
    driver.fixed = false;
    driver.run("refresh").unwrap();
    assert!(driver.requests()[0].contains(r#""refresh_token":"newest""#) && driver.memory["replaced"].starts_with("newest\nr2\n"));
    // A function that still gives the old token is corrected: the old one must not be sent again.
    let mut driver = Driver::new([Answer(200, TOKENS)]).memory("refreshToken", "newest").memory("replaced", &refresh("s1"));
    driver.memory.remove("access");
    driver.run("refresh").unwrap();
    assert!(driver.requests()[0].contains(r#""refresh_token":"newest""#));
}

const LIST: Reply = Answer(200, r#"{"sessions":[],"count":0}"#);

#[test]
fn tokens_are_replaced_shortly_before_their_end() {
    const REFRESHED: [&str; 2] = ["refresh", "GET https://auth.example/oauth/sessions"];
    // One of our own refresh: counted from when it came.
    for (now, expected) in [(NOW - 1, &REFRESHED[1..]), (NOW, &REFRESHED)] {
        let mut driver = Driver::new([LIST]).memory("accessToken", "newest").memory("due", &NOW.to_string());
        driver.now = now;
        driver.run("list").unwrap();
        assert_eq!(driver.requests(), expected);
    }
    // Any other: by the back-end's clock. This one has 30 minutes left at NOW; the last minute is too late.
    for (skew, expected) in [(None, &REFRESHED[1..]), (Some(-2 * 3_600_000), &REFRESHED[1..]), (Some(-1000), &REFRESHED), (Some(i64::MAX), &REFRESHED[1..])] {
        let mut driver = Driver::new([LIST]);
        driver.now = NOW + 29 * 60_000 + 1000;
        driver.memory.extend(skew.map(|skew: i64| ("skew".to_owned(), skew.to_string())));
        driver.run("list").unwrap();
        assert_eq!(driver.requests(), expected, "{skew:?}");
    }
    let due = || Driver::new([LIST]).memory("accessToken", "newest").memory("due", "0");
    // It is not the newest one that the function gives.
    let mut driver = due();
    driver.fixed = false;
    driver.run("list").unwrap();
    assert_eq!(driver.requests(), REFRESHED[1..]);
    // Nothing to refresh with, or nobody to ask.
    let offline = || Driver { offline: true, ..due() };
    for mut driver in
        [due().memory("refreshToken", "spent").memory("spent", "spent"), offline(), due().with("clientId", "null"), due().with("authorization", "\"Bearer x\"")]
    {
        driver.run("list").unwrap();
        assert_eq!(driver.requests(), REFRESHED[1..]);
    }
    let mut driver = Driver { answers: [Answer(200, r#"{"success":true}"#)].into(), ..due() };
    driver.run("logout").unwrap();
    assert_eq!(driver.requests().len(), 1);
}

#[test]
fn a_call_goes_on_when_the_refresh_before_it_fails() {
    let due = |answer| Driver { refresh_fails: true, ..Driver::new([answer]).memory("accessToken", "newest").memory("due", "0") };
    let mut driver = due(LIST);
    driver.run("list").unwrap();
    assert_eq!(driver.requests().len(), 2);
    // Once in a call; and what was the matter with it is what the caller hears of.
    let mut driver = due(Answer(401, "{}"));
    assert_eq!(code(&driver.run("list").unwrap_err()), "network");
    assert_eq!(driver.requests().len(), 2);
    // The next one leaves it to the 401.
    let mut driver = due(LIST);
    driver.run("list").unwrap();
    driver.answers.push_back(LIST);
    driver.run("list").unwrap();
    assert_eq!(driver.requests().iter().filter(|line| **line == "refresh").count(), 1);
    // A logout meanwhile.
    let mut driver = due(LIST).memory("signedOut", "1");
    driver.tokens = [(Some(access()), Some(refresh("s1"))), (None, None)].into();
    driver.fixed = false;
    driver.memory.insert("accessToken".into(), access());
    assert_eq!(code(&driver.run("list").unwrap_err()), "unauthenticated");
    assert_eq!(driver.requests(), ["refresh"]);
}

#[test]
fn what_another_tab_got_may_have_run_out() {
    let mut driver = Driver::new([Answer(401, "{}"), Answer(401, "{}"), LIST]);
    driver.adopted = 1;
    driver.run("list").unwrap();
    assert_eq!(driver.requests().iter().filter(|line| **line == "refresh").count(), 2);
    let mut driver = Driver::new([Answer(401, "{}"), Answer(401, "{}")]);
    assert_eq!(code(&driver.run("list").unwrap_err()), "unauthenticated");
    // But not for ever.
    let mut driver = Driver::new([Answer(401, "{}"), Answer(401, "{}"), Answer(401, "{}")]);
    driver.adopted = 9;
    assert_eq!(code(&driver.run("list").unwrap_err()), "unauthenticated");
    // When it came is when its lifetime began; where nobody knows it is left to the 401.
    for (at, due) in [(",\"at\":1767222000000", Some("1767225540000")), ("", None)] {
        let adopted = format!(r#"{{"accessToken":"{}","refreshToken":"r9","expiresAt":null{at}}}"#, token(r#"{"iat":1767222000,"exp":1767225600}"#));
        let mut driver = Driver::new([]).with("adopted", &adopted);
        driver.run("refresh").unwrap();
        assert_eq!(driver.memory.get("due").map(String::as_str), due);
    }
}

#[test]
fn functions_that_have_not_heard_of_the_newest_tokens() {
    let mut driver = Driver::new([LIST]).memory("accessToken", "a2").memory("refreshToken", "r2").memory("replaced", &refresh("s1"));
    driver.fixed = false;
    driver.run("list").unwrap();
    assert!(driver.log[1].contains("Bearer a2"), "{:?}", driver.log);
}

#[test]
fn a_list_without_an_end_is_not_ended_one_by_one() {
    let items: Vec<String> = (0..10_002).map(|id| format!(r#"{{"id":"s{id}"}}"#)).collect();
    let body: &'static str = format!(r#"{{"sessions":[{}],"count":10002}}"#, items.join(",")).leak();
    let mut driver = Driver::new([Answer(200, body)]).with("provider", "\"rest\"");
    assert_eq!(code(&driver.run("revokeOthers").unwrap_err()), "invalid_response");
}

#[test]
fn a_lifetime_does_not_hang_on_the_local_clock() {
    let at = |skew: i64, body: &str| {
        let body: &'static str = body.to_owned().leak();
        let mut driver = Driver::new([Answer(200, body)]).memory("skew", &skew.to_string());
        let tokens = driver.run("refresh").unwrap();
        (driver.memory.get("due").map(|due| due.parse::<i64>().unwrap() - NOW), text(&tokens, "expiresAt"))
    };
    let (hour, iso) = (3_600_000, |text: &str| Some(Text::from(text)));
    assert_eq!(at(0, TOKENS), (Some(hour - 60_000), iso("2026-01-01T01:00:00.000Z")));
    assert_eq!(at(-hour, TOKENS), (Some(hour - 60_000), iso("2026-01-01T00:00:00.000Z")));
    let own = format!(r#"{{"access_token":"{}","expires_in":5,"refresh_token":"n"}}"#, token(r#"{"iat":1500000000,"exp":1500000300}"#));
    assert_eq!(at(0, &own), (Some(270_000), iso("2017-07-14T02:45:00.000Z")));
    for none in [r#"{"access_token":"a","refresh_token":"n"}"#, r#"{"access_token":"a","refresh_token":"n","expires_in":0}"#] {
        assert_eq!(at(0, none).0, None);
    }
}

#[test]
fn a_refresh_token_is_not_sent_again_after_a_lost_answer() {
    for lost in [Failed("network"), Failed("timeout"), Failed("aborted"), Answer(500, "{}"), Answer(200, "<html>"), Answer(502, "{}"), Answer(200, "{}")] {
        let mut driver = Driver::new([lost]);
        driver.run("refresh").unwrap_err();
        assert_eq!(driver.requests().len(), 1, "never retried");
        assert_eq!(driver.memory["spent"], refresh("s1") + "\n");
        let error = driver.run("refresh").unwrap_err();
        assert_eq!((code(&error).as_str(), driver.requests().len()), ("unauthenticated", 1));
        driver.tokens = [(Some(access()), Some(refresh("s2")))].into();
        driver.answers.push_back(Failed("network"));
        driver.run("refresh").unwrap_err();
        // Nor when another one was lost meanwhile.
        driver.tokens = [(Some(access()), Some(refresh("s1")))].into();
        assert_eq!(code(&driver.run("refresh").unwrap_err()), "unauthenticated");
        driver.tokens = [(Some(access()), Some(refresh("s3")))].into();
        driver.answers.push_back(Answer(200, TOKENS));
        driver.run("refresh").unwrap();
    }
    let mut driver = Driver::new([With(504, r#"{"retry-after":"60"}"#, "{}")]);
    assert_eq!((code(&driver.run("refresh").unwrap_err()).as_str(), driver.memory["spent"].starts_with(&refresh("s1"))), ("rate_limited", true));
    for told in [Answer(401, r#"{"message":"Session expired"}"#), Answer(429, "{}"), Answer(400, "{}"), Answer(503, "{}"), Answer(302, "")] {
        let mut driver = Driver::new([told]);
        driver.run("refresh").unwrap_err();
        assert_eq!(driver.memory.get("spent"), None);
    }
    let mut driver = Driver::new([]);
    driver.offline = true;
    assert_eq!((code(&driver.run("refresh").unwrap_err()).as_str(), driver.memory.get("spent")), ("network", None));
}

#[test]
fn an_answer_that_is_cut_off_says_nothing_of_who_is_signed_in() {
    let mut driver = Driver::new([Answer(200, r#"{"id":"sess_1","us"#)]).with("provider", "\"clerk\"").with("id", "\"sess_1\"");
    assert_eq!(code(&driver.run("get").unwrap_err()), "invalid_response");
}

#[test]
fn a_results_words_hold_no_secret() {
    let body: &'static str = format!(r#"{{"success":true,"message":"bye {}"}}"#, refresh("s1")).leak();
    for goal in ["logout", "revokeAll", "revokeCurrent"] {
        let result = Driver::new([Answer(200, body)]).run(goal).unwrap();
        assert_eq!(text(&result, "message").as_deref(), Some("bye [redacted]"), "{goal}");
    }
}

#[test]
fn a_secret_that_is_a_word_of_ours_does_no_harm() {
    for word in ["code", "network", "message", "details", "transient"] {
        let mut driver = Driver::new([Failed("network"), Failed("network"), Failed("network")]).with("headers", &format!(r#"[["x-app","{word}"]]"#));
        let error = driver.run("list").unwrap_err();
        assert_eq!(code(&error), "network", "{word}");
        assert!(parsed(&error).get_or_null("details").is_some() && text(&error, "message").is_some(), "{word}");
    }
}

#[test]
fn a_next_page_that_cannot_be_asked_for_is_no_answer() {
    // Whatever of ours a back-end repeats there, it goes into no address.
    for next in ["n\\u0000", "a\\nb", "ł", "page-secret-1"] {
        let body: &'static str = format!(r#"{{"items":[],"continuationToken":"{next}"}}"#).leak();
        let mut driver = ksef([Answer(200, body)]);
        driver.tokens = [(Some("secret-1".into()), None)].into();
        assert_eq!(code(&driver.run("list").unwrap_err()), "invalid_response", "{next}");
    }
}

/// Another tab has done it.
#[test]
fn a_pair_that_somebody_else_got_is_taken() {
    let adopted = format!(r#"{{"accessToken":"theirs","refreshToken":"{}","expiresAt":"2026-01-01T00:10:00.000Z"}}"#, refresh("s2"));
    let mut driver = Driver::new([]).with("adopted", &adopted);
    let pair = driver.run("refresh").unwrap();
    assert_eq!(driver.requests(), [""; 0], "nothing is sent");
    assert!(pair.contains(r#""accessToken":"theirs""#) && pair.contains(r#""expiresAt":"2026-01-01T00:10:00.000Z""#), "{pair}");
    assert_eq!((driver.told.as_deref(), driver.memory["refreshToken"].as_str()), (Some(pair.as_str()), refresh("s2").as_str()));
    assert_eq!(driver.memory["replaced"].lines().next(), Some(refresh("s1").as_str()));
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
    let forwarded = |answers: Vec<Reply>| Driver::new(answers).with("authorization", "\"Bearer theirs\"").with("headers", r#"[["x-a","b"]]"#);
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
        let mut driver = Driver::new([answer]);
        let result = driver.run("logout").unwrap();
        assert_eq!(text(&result, "server").as_deref(), Some(server));
        assert_eq!(result.contains(r#""success":true"#), server == "confirmed");
        let result = parsed(&result);
        assert_eq!(result.get("error").and_then(|error| error.text("code")).as_deref(), error);
        assert_eq!(driver.memory["signedOut"], "1");
        assert_eq!(code(&driver.run("list").unwrap_err()), "unauthenticated", "the fixed tokens are no longer used");
    }
    let lost = || [Failed("network"), Answer(200, r#"{"success":false}"#)];
    assert_eq!(text(&Driver::new(lost()).run("logout").unwrap(), "server").as_deref(), Some("confirmed"), "this call ended it");
    let lost = || [Failed("network"), Answer(404, "{}")];
    assert_eq!(text(&Driver::new(lost()).with("provider", "\"rest\"").run("logout").unwrap(), "server").as_deref(), Some("rejected"), "who knows of what");
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
    let mut driver = Driver::new(confirmed()).with("endedToken", "\"old\"").memory("replaced", "old").memory("refreshToken", "newest");
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
    assert!(driver.told.is_none() && !driver.memory.contains_key("accessToken") && driver.memory["spent"].starts_with(&refresh("s1")));
    // One after the next sign-in is: the tokens come from functions then.
    let mut driver = Driver::new([Answer(200, r#"{"success":true}"#), Answer(200, TOKENS)]);
    driver.fixed = false;
    driver.run("logout").unwrap();
    driver.tokens = [(Some(access()), Some(refresh("next")))].into();
    driver.run("refresh").unwrap();
    assert!(driver.told.is_some() && driver.memory["refreshToken"] == "new-refresh");
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
        let error = parsed(&error);
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
        r#"{"sessions":[{"id":true}]}"#,
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
        Driver::new([Answer(400, theirs)]).with("authorization", "\"bearer sekret-token\"").with("headers", r#"[["cookie","a=cookie-value; b=c"]]"#);
    assert_eq!(message(&driver.run("list").unwrap_err()), "the back-end refused the request: [redacted] and [redacted]");
    let mut driver = Driver::new([With(400, r#"{"x-request-id":"hdr-secret"}"#, body)]).with("headers", r#"[["x-key","hdr-secret"]]"#);
    let error = driver.run("list").unwrap_err();
    assert_eq!(message(&error), "the back-end refused the request: token [redacted] and [redacted] and [redacted] are bad");
    assert_eq!(text(&error, "requestId").as_deref(), Some("[redacted]"));
    // A token's segments are secrets, too.
    let mut driver = Driver::new([Answer(400, r#"{"message":"header-part, payload-part and signature-part"}"#)]);
    driver.tokens = [(Some("header-part.payload-part.signature-part".into()), None)].into();
    assert_eq!(message(&driver.run("list").unwrap_err()), "the back-end refused the request: [redacted], [redacted] and [redacted]");
}

#[test]
fn bad_input_is_refused_before_anything_is_sent() {
    for (name, json, expected) in [("provider", "\"nobody\"", "invalid_options"), ("base", "null", "invalid_options"), ("isSecure", "false", "insecure")] {
        assert_eq!(code(&Driver::new([]).with(name, json).run("list").unwrap_err()), expected, "{name}: {json}");
    }
    for id in ["..", ".", "", &"x".repeat(10_000)] {
        assert_eq!(code(&Driver::new([]).with("id", &quoted(id)).run("revoke").unwrap_err()), "invalid_argument", "{id}");
    }
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
    let call = |event: &str| format!(r#"{{"goal":"list","provider":"authvital","base":"https://a","isSecure":true{event}}}"#);
    for event in [
        "",
        r#","event":"answer""#,
        r#","event":"answer","step":"list","answered":200"#,
        r#","event":"each""#,
        r#","event":"told""#,
        r#","event":"failed""#,
        r#","event":"reauthenticated""#,
        r#","event":"start","now":1e400"#,
    ] {
        assert!(parsed(&step(&call(event), &[0xff])).get("do").is_some(), "{event}");
    }
    for nonsense in ["", "null", "[]", "{", "\"x\"", "{\"provider\":7}"] {
        assert_eq!(parsed(&step(nonsense, b"")).text("do").as_deref(), Some("fail"), "{nonsense}");
    }
}

// ---------------------------------------------------------------- other back-ends

fn ksef(answers: impl IntoIterator<Item = Reply>) -> Driver {
    let mut driver = Driver::new(answers).with("provider", "\"ksef\"").with("base", "null");
    driver.tokens = [(Some(token(r#"{"arn":"own","exp":1767226000}"#)), Some(token(r#"{"arn":"own"}"#)))].into();
    driver
}

fn clerk(answers: impl IntoIterator<Item = Reply>) -> Driver {
    let mut driver = Driver::new(answers).with("provider", "\"clerk\"").with("base", "null");
    driver.tokens = [(Some("sk_test_1".into()), None)].into();
    driver
}

fn profile(json: &'static str, answers: impl IntoIterator<Item = Reply>) -> Driver {
    Driver::new(answers).with("provider", "\"rest\"").with("profile", json)
}

#[test]
fn all_pages_are_read_before_anything_is_ended_and_the_current_session_is_the_last() {
    let first = With(200, "{}", r#"{"continuationToken":"two","items":[{"referenceNumber":"a"},{"referenceNumber":"own","isCurrent":true}]}"#);
    let second =
        Answer(200, r#"{"continuationToken":" ","items":[{"referenceNumber":"b","status":{"code":425}},{"referenceNumber":"a"},{"referenceNumber":"c"}]}"#);
    let mut driver = ksef([first, second]);
    driver.codes = "[null,null,null]".into();
    let result = driver.run("revokeAll").unwrap();
    assert_eq!(driver.requests()[..2], ["GET https://api.ksef.mf.gov.pl/v2/auth/sessions?pageSize=100"; 2]);
    assert!(driver.log[3].contains(r#"["x-continuation-token","two"]"#) && driver.log[1].contains(r#"["x-error-format","problem-details"]"#));
    assert_eq!(driver.requests()[2], r#"each ["a","c","own"]"#, "each once, and none that is over");
    assert_eq!(driver.each, Some((true, "[[1000,10],[60000,30],[3600000,120]]".into())));
    assert!(result.contains(r#""revoked":["a","c","own"]"#));
    let others = Answer(200, r#"{"items":[{"referenceNumber":"a"},{"referenceNumber":"own","isCurrent":true}]}"#);
    let mut driver = ksef([others]);
    driver.codes = "[null]".into();
    driver.run("revokeOthers").unwrap();
    assert_eq!((driver.requests()[1], driver.each.clone()), (r#"each ["a"]"#, Some((false, "[[1000,10],[60000,30],[3600000,120]]".into()))));
}

#[test]
fn a_session_that_is_on_two_pages_is_ended_once_and_the_current_one_last() {
    let own = r#"{"referenceNumber":"own","isCurrent":true}"#;
    // Marked as the current one on both, or on one of them only.
    for (first, second) in [(own, own), (r#"{"referenceNumber":"own"}"#, own), (own, r#"{"referenceNumber":"own"}"#)] {
        for (goal, expected) in [("revokeAll", r#"each ["a","b","own"]"#), ("revokeOthers", r#"each ["a","b"]"#)] {
            let first = format!(r#"{{"continuationToken":"two","items":[{{"referenceNumber":"a"}},{first}]}}"#);
            let second = format!(r#"{{"items":[{second},{{"referenceNumber":"b"}}]}}"#);
            let mut driver = ksef([Answer(200, first.leak()), Answer(200, second.leak())]);
            driver.codes = "[null,null,null]".into();
            driver.run(goal).unwrap();
            assert_eq!(driver.requests()[2], expected);
        }
    }
}

#[test]
fn a_page_that_comes_again_ends_the_reading() {
    let page = || Answer(200, r#"{"continuationToken":"same","items":[{"referenceNumber":"a"}]}"#);
    assert_eq!(code(&ksef([page(), page()]).run("revokeAll").unwrap_err()), "invalid_response");
    assert_eq!(code(&ksef([page()]).with("cursor", "\"same\"").run("list").unwrap_err()), "invalid_response");
    let link = Answer(200, r#"{"items":[{"id":1}],"next_cursor":"https://evil.example/s?page=2"}"#);
    assert_eq!(code(&Driver::new([link]).with("provider", "\"rest\"").run("list").unwrap_err()), "invalid_response");
    let more = Answer(200, r#"{"items":[{"id":1,"current":true}],"total":2}"#);
    assert_eq!(code(&Driver::new([more]).with("provider", "\"rest\"").run("revokeOthers").unwrap_err()), "invalid_response", "one session is not listed");
}

#[test]
fn an_offset_counts_what_was_listed() {
    let page = || Answer(200, r#"{"data":[{"id":"sess_1"},{"id":"sess_2"}],"total_count":5}"#);
    let mut driver = clerk([page()]).with("userId", "\"u\"").with("pageSize", "2").with("cursor", "\"0\"");
    let result = driver.run("list").unwrap();
    assert_eq!(driver.requests(), ["GET https://api.clerk.com/v1/sessions?paginated=true&user_id=u&limit=2&offset=0"]);
    assert_eq!((text(&result, "next").as_deref(), parsed(&result).number("total")), (Some("2"), Some(5)));
    let bare = Answer(200, r#"[{"id":"sess_1"}]"#);
    let result = clerk([bare]).with("ofClient", "\"c\"").with("pageSize", "2").run("list").unwrap();
    assert_eq!(text(&result, "next"), None, "shorter than asked for");
    for (name, json) in [("cursor", "\"-1\""), ("cursor", "\"x\""), ("pageSize", "0"), ("pageSize", "501")] {
        assert_eq!(code(&clerk([]).with("userId", "\"u\"").with(name, json).run("list").unwrap_err()), "invalid_argument", "{name} {json}");
    }
    assert_eq!(code(&clerk([]).run("list").unwrap_err()), "invalid_argument", "of whom?");
    for (name, json) in [("cursor", "\"10\""), ("pageSize", "10"), ("status", "\"revoked\""), ("ofClient", "\"c\"")] {
        assert_eq!(code(&clerk([]).with("userId", "\"u\"").with(name, json).run("revokeAll").unwrap_err()), "invalid_argument", "not all of them: {name}");
    }
    for goal in ["get", "revoke", "createToken"] {
        assert_eq!(code(&clerk([]).run(goal).unwrap_err()), "invalid_argument", "{goal} of which?");
    }
}

#[test]
fn a_secret_key_is_the_applications_and_a_request_only_names_its_session() {
    let user = token(r#"{"sid":"sess_9","exp":1767225660}"#);
    let serve = |answer| clerk([answer]).with("authorization", &quoted(&format!("Bearer {user}")));
    let mut driver = serve(Answer(200, r#"{"id":"sess_9","status":"revoked"}"#));
    let result = driver.run("revokeCurrent").unwrap();
    assert_eq!(driver.requests(), ["POST https://api.clerk.com/v1/sessions/sess_9/revoke"]);
    assert!(driver.log[1].contains("Bearer sk_test_1") && !driver.log[1].contains(&user));
    assert_eq!(text(&result, "accessTokenValidUntil").as_deref(), Some("2026-01-01T00:01:00.000Z"), "the user's token's exp");
    let other = clerk([Answer(200, r#"{"id":"sess_1","status":"revoked"}"#)]).with("id", "\"sess_1\"").run("revoke").unwrap();
    assert_eq!(text(&other, "accessTokenValidUntil").as_deref(), Some("2026-01-01T00:01:00.000Z"), "60 s from now");
    assert_eq!(code(&clerk([]).run("revokeCurrent").unwrap_err()), "current_unknown");
    let mut page = clerk([]).with("userId", "\"u\"");
    page.browser = true;
    assert_eq!(code(&page.run("list").unwrap_err()), "insecure");
}

#[test]
fn what_makes_something_new_is_not_repeated() {
    for (goal, input) in [("create", "userId"), ("refreshSession", "id")] {
        let mut driver = clerk([Failed("network")]).with(input, "\"x\"");
        assert_eq!(code(&driver.run(goal).unwrap_err()), "network", "{goal}");
    }
    let mut driver = clerk([Failed("network"), Answer(200, r#"{"object":"token","jwt":"j"}"#)]).with("id", "\"sess_1\"").with("expiresInSeconds", "null");
    assert_eq!(driver.run("createToken").unwrap(), r#"{"jwt":"j"}"#);
    assert_eq!(driver.requests()[0], r#"POST https://api.clerk.com/v1/sessions/sess_1/tokens {"expires_in_seconds":null}"#);
}

#[test]
fn a_slash_too_few_is_found_out_once_for_each_operation() {
    let there = r#"{"location":"http://auth.example/api/v1/sessions/"}"#;
    let mut driver = Driver::new([With(307, there, ""), Answer(200, "[]")]).with("provider", "\"rest\"");
    driver.run("list").unwrap();
    assert_eq!(driver.requests(), ["GET https://auth.example/api/v1/sessions", "GET https://auth.example/api/v1/sessions/"]);
    driver.log.clear();
    driver.answers = [Answer(200, "[]"), Answer(204, "")].into();
    driver.run("list").unwrap();
    driver.options.push(("id", "\"7\"".into()));
    driver.run("revoke").unwrap();
    assert_eq!(driver.requests(), ["GET https://auth.example/api/v1/sessions/", "DELETE https://auth.example/api/v1/sessions/7"]);
    // A hidden redirect may be one; twice it is not.
    let hidden = || Answer(0, "");
    assert_eq!(code(&Driver::new([hidden(), hidden()]).with("provider", "\"rest\"").run("list").unwrap_err()), "invalid_response");
    let elsewhere = With(302, r#"{"location":"https://login.example/"}"#, "");
    assert_eq!(code(&Driver::new([elsewhere]).with("provider", "\"rest\"").run("list").unwrap_err()), "invalid_response");
}

/// Where the access token is a cookie that has run out, the refresh token is all that there is.
#[test]
fn a_profiles_refresh_needs_no_access_token() {
    let json = r#"{"list":{"method":"GET","path":"/s"},"revoke":{"method":"DELETE","path":"/s/{id}"},"refresh":{"method":"POST","path":"/refresh","body":{"token":"{refreshToken}"},"accessToken":"a","needs":["refreshToken"]}}"#;
    let mut driver = profile(json, [Answer(200, r#"{"a":"new"}"#)]);
    driver.tokens = [(None, Some("r".into()))].into();
    assert!(driver.run("refresh").unwrap().contains(r#""accessToken":"new""#));
}

#[test]
fn a_profile_says_where_things_are() {
    const PROFILE: &str = r#"{"name":"x","effect":"immediate","auth":{"header":"x-session"},"csrf":{"cookie":"c","header":"x-csrf"},
        "list":{"method":"GET","path":"/s","time":"seconds","fields":{"items":["/a/list"],"currentId":["/a/me"],"id":["/k/id"],"createdAt":["nope","/k/t"],"city":["/p~1q/0"]}},
        "revoke":{"method":"POST","path":"/end","body":{"ids":["{id}"]},"success":[202],"gone":[410]}}"#;
    const LIST: &str = r#"{"a":{"me":7,"list":[{"k":{"id":7,"t":1767225600.5},"p/q":["Łódź"]},{"k":{"id":8}}]}}"#;
    let mut driver = profile(PROFILE, [Answer(200, LIST), Answer(202, ""), Answer(410, ""), Answer(204, "")]);
    let page = driver.run("list").unwrap();
    assert_eq!(driver.log[1], format!(r#"  [["x-session","{}"]]"#, access()));
    let sessions: Vec<_> = parsed(&page).member("sessions").items().collect();
    assert_eq!((sessions[0].text("id").as_deref(), sessions[0].text("createdAt").as_deref()), (Some("7"), Some("2026-01-01T00:00:00.500Z")));
    assert_eq!((sessions[0].flag("current"), sessions[1].flag("current")), (Some(true), Some(false)));
    assert_eq!(sessions[0].member("location").source(), r#"{"city":"Łódź","country":null}"#);
    driver.options.push(("id", "\"8\"".into()));
    let ended = driver.run("revoke").unwrap();
    assert_eq!(driver.requests()[1], r#"POST https://auth.example/end {"ids":[8]}"#, "a number, as it was listed");
    assert_eq!((text(&ended, "outcome").as_deref(), text(&ended, "accessTokenValidUntil")), (Some("revoked"), None));
    assert!(driver.run("revoke").unwrap().contains("already-revoked"));
    assert_eq!(code(&driver.run("revoke").unwrap_err()), "invalid_response", "204 is not among the statuses that mean success");
    assert_eq!(code(&profile(PROFILE, []).with("authorization", "\"Bearer t\"").run("list").unwrap_err()), "unsupported");
}

#[test]
fn errors_are_found_where_back_ends_put_them() {
    for (status, body, expected, server_code, details) in [
        (
            404,
            r#"{"errors":[{"code":"resource_not_found","message":"m","long_message":"long"}],"clerk_trace_id":"t"}"#,
            "not_found: long",
            "resource_not_found",
            true,
        ),
        (
            400,
            r#"{"exception":{"exceptionDetailList":[{"exceptionCode":21405,"exceptionDescription":"Błąd","details":["ó"]}]}}"#,
            "rejected: Błąd",
            "21405",
            true,
        ),
        (400, r#"{"title":"Bad Request","errors":[{"code":21405,"description":"d"}],"traceId":"t"}"#, "rejected: d", "21405", true),
        (403, r#"{"title":"Forbidden","reasonCode":"missing","security":{"a":1}}"#, "forbidden: Forbidden", "missing", true),
        (403, "", "forbidden", "", false),
        (404, r#"{"success":false,"error":{"code":"RESOURCE_NOT_FOUND","message":"m"}}"#, "not_found: m", "RESOURCE_NOT_FOUND", false),
        (422, r#"{"detail":[{"loc":["path"],"msg":"bad","type":"int"}]}"#, "rejected: bad", "", true),
        (401, r#"{"detail":"Not authenticated"}"#, "unauthenticated: Not authenticated", "", false),
        (
            403,
            r#"{"message":"Session is not fresh","code":"SESSION_NOT_FRESH"}"#,
            "reauthentication_required: Session is not fresh",
            "SESSION_NOT_FRESH",
            false,
        ),
    ] {
        let error = Driver::new([Answer(status, body)]).with("provider", "\"rest\"").run("list").unwrap_err();
        let words = message(&error);
        let words = words.split_once(": ").map_or(String::new(), |(_, words)| format!(": {words}"));
        assert_eq!(format!("{}{words}", code(&error)), expected, "{body}");
        assert_eq!((text(&error, "serverCode").unwrap_or_default().as_str(), parsed(&error).get("details").is_some()), (server_code, details), "{body}");
    }
    let dead = r#"{"errors":[{"code":21301,"description":"Brak autoryzacji","details":["Status uwierzytelnienia (425)"]}]}"#;
    assert_eq!(code(&ksef([Answer(400, dead)]).run("refresh").unwrap_err()), "unauthenticated");
    assert_eq!(code(&ksef([Answer(400, dead)]).run("list").unwrap_err()), "rejected");
}

#[test]
fn details_hold_no_secret() {
    let body: &'static str = String::leak(format!(r#"{{"detail":[{{"msg":"m","input":"{}","password":"p4ssword","loc":["a"]}}]}}"#, access()));
    let error = Driver::new([Answer(422, body)]).with("provider", "\"rest\"").run("list").unwrap_err();
    assert_eq!(parsed(&error).member("details").source(), r#"[{"msg":"m","input":"[redacted]","loc":["a"]}]"#);
}

#[test]
fn the_user_may_sign_in_again_once() {
    let stale = || Answer(403, r#"{"code":"SESSION_NOT_FRESH"}"#);
    let list = |answers: Vec<Reply>| Driver::new(answers).with("provider", "\"rest\"").with("canReauthenticate", "true");
    let mut driver = list(vec![stale(), Answer(200, "[]")]);
    driver.signs_in_again = true;
    driver.run("list").unwrap();
    assert_eq!(driver.requests()[1], "reauthenticate reauthentication_required");
    let mut driver = list(vec![stale(), stale()]);
    driver.signs_in_again = true;
    assert_eq!(code(&driver.run("list").unwrap_err()), "reauthentication_required", "asked once");
    assert_eq!(code(&list(vec![stale()]).run("list").unwrap_err()), "reauthentication_required", "they did not");
    let mut never_asked = Driver::new([stale()]).with("provider", "\"rest\"");
    assert_eq!((code(&never_asked.run("list").unwrap_err()).as_str(), never_asked.requests().len()), ("reauthentication_required", 1));
}

#[test]
fn warnings_come_with_the_answer() {
    let mut driver = ksef([With(200, r#"{"x-system-warning":"[1]: a | [2]: b"}"#, r#"{"items":[]}"#)]);
    driver.run("list").unwrap();
    assert_eq!(driver.warnings.as_deref(), Some("[1]: a | [2]: b"));
}

#[test]
fn capabilities_follow_from_the_endpoints() {
    let told = |provider: &str| Driver::new([]).with("provider", &quoted(provider)).with("base", "\"https://a\"").run("capabilities").unwrap();
    let clerk = told("clerk");
    assert!(
        clerk.contains(r#""create":"native""#)
            && clerk.contains(r#""refresh":"unsupported""#)
            && clerk.contains(r#""pageSize":{"min":1,"max":500,"default":10}"#)
    );
    assert!(told("ksef").contains(r#""revokeCurrent":"native","revokeAll":"emulated","revokeOthers":"emulated""#));
    assert!(told("rest").contains(r#""current":"emulated""#) && told("rest").contains(r#""effect":"unknown""#));
}

#[test]
fn better_auth_is_shown_ids_and_told_tokens() {
    const LIST: &str = r#"[{"id":"i1","token":"t1","userAgent":"","createdAt":"2026-01-01T00:00:00.000Z"},{"id":"i2","token":"t2"}]"#;
    const DONE: &str = r#"{"status":true}"#;
    let client = |answers: Vec<Reply>| {
        let mut driver = Driver::new(answers).with("provider", "\"better-auth\"");
        driver.tokens = [(Some("t1.signature".into()), None)].into();
        driver
    };
    let revokes = |token: &str| format!(r#"POST https://auth.example/api/auth/revoke-session {{"token":"{token}"}}"#);
    let mut driver = client(vec![Answer(200, LIST), Answer(200, DONE)]);
    let page = driver.run("list").unwrap();
    assert!(!page.contains("t1") && !page.contains("t2") && page.contains(r#""current":true"#) && page.contains(r#""current":false"#));
    driver.options.push(("id", "\"i2\"".into()));
    driver.run("revoke").unwrap();
    assert_eq!(driver.requests()[1], revokes("t2"), "remembered: one request");
    // Not listed yet, or for somebody else: looked up first. What is not listed was not revoked.
    for (id, requests) in [("i2", 2), ("i3", 1)] {
        let mut driver = client(vec![Answer(200, LIST), Answer(200, DONE)]).with("id", &quoted(id));
        assert_eq!(driver.run("revoke").map_err(|error| code(&error)).is_ok(), id == "i2");
        assert_eq!(driver.requests().len(), requests);
    }
    let mut driver = client(vec![Answer(200, LIST), Answer(200, DONE)])
        .with("id", "\"i1\"")
        .with("authorization", "\"Bearer t2\"")
        .memory("learntWith", "t2")
        .memory("handles", r#"{"i1":"x"}"#);
    driver.run("revoke").unwrap();
    assert_eq!(driver.requests()[1], revokes("t1"));
    // With cookies only the server knows.
    let mut driver =
        client(vec![Answer(200, r#"{"session":{"id":"i1","token":"t1"},"user":{}}"#), Answer(200, DONE)]).without_tokens().with("sendsCookies", "true");
    let ended = driver.run("revokeCurrent").unwrap();
    assert_eq!((driver.requests()[1], text(&ended, "id").as_deref()), (revokes("t1").as_str(), Some("i1")));
    assert_eq!(code(&client(vec![Answer(200, "null")]).run("current").unwrap_err()), "unauthenticated");
}

#[test]
fn what_was_learnt_of_one_user_is_nothing_for_the_next() {
    let memory = |user: &str, driver: Driver| driver.memory("learntWith", user).memory("currentId", "i1").memory("handles", r#"{"i1":"t1","i2":"t2"}"#);
    let client = |answers: Vec<Reply>| Driver::new(answers).with("provider", "\"better-auth\"");
    let session = || Answer(200, r#"{"session":{"id":"x1","token":"x"}}"#);
    for (user, tokens, requests) in [("t1.s", Some("t1.s"), 1), ("t1.s", Some("x.s"), 2), ("", None, 2)] {
        let answers = if requests == 1 { vec![Answer(200, r#"{"status":true}"#)] } else { vec![session(), Answer(200, r#"{"status":true}"#)] };
        let mut driver = memory(user, client(answers)).with("sendsCookies", "true");
        driver.tokens = [(tokens.map(str::to_owned), None)].into();
        let ended = driver.run("revokeCurrent").unwrap();
        assert_eq!((driver.requests().len(), text(&ended, "id").as_deref()), (requests, Some(if requests == 1 { "i1" } else { "x1" })));
    }
    let mut other = memory("t1.s", client(vec![Answer(200, r#"[{"id":"x1","token":"x"}]"#)])).with("id", "\"i2\"");
    other.tokens = [(Some("x.s".into()), None)].into();
    assert_eq!(code(&other.run("revoke").unwrap_err()), "not_found");
    assert_eq!((other.memory.get("currentId"), other.memory["handles"].as_str()), (None, r#"{"x1":"x"}"#));
    // Clerk goes on with pages of its own.
    let page = |ids: &str| Answer(200, String::leak(format!(r#"{{"data":[{ids}],"total_count":2}}"#)));
    let mut driver = clerk([page(r#"{"id":"a"}"#), page(r#"{"id":"b"}"#)]).with("userId", "\"u\"");
    driver.codes = "[null,null]".into();
    driver.run("revokeAll").unwrap();
    assert_eq!(driver.requests()[2], r#"each ["a","b"]"#);
}

#[test]
fn a_session_that_is_another_one_after_the_refresh_is_ended_as_that() {
    let renewed = |answers: Vec<Reply>, id: &str, claims: &str, next: &str| {
        let mut driver = Driver::new(answers).with("id", &quoted(id)).memory("skew", "0");
        driver.tokens = [(Some(token(claims)), Some(refresh("s1"))), (Some("newer".into()), Some(refresh(next)))].into();
        driver.fixed = false;
        driver
    };
    let refused = || Answer(401, r#"{"message":"Invalid access token"}"#);
    let ends = |id: &str| format!("POST https://auth.example/oauth/sessions/{id}/revoke");
    const VALID: &str = r#"{"iat":1767223800,"exp":1767227400}"#;
    let renews = Some((refresh("s1"), refresh("s9")));
    for (id, ended) in [("s1", "s9"), ("s2", "s2")] {
        let mut driver = renewed(vec![refused(), Answer(200, REVOKED)], id, VALID, "s9");
        driver.renews.clone_from(&renews);
        // The token that was refused first, then that of the refresh.
        driver.tokens.push_front(driver.tokens[0].clone());
        let result = driver.run("revoke").unwrap();
        assert_eq!((text(&result, "id").as_deref(), driver.requests().last().unwrap().to_string()), (Some(id), ends(ended)));
    }
    // Refreshed before anything was sent.
    let mut driver = renewed(vec![Answer(200, REVOKED)], "s1", r#"{"iat":1767223800,"exp":1767225601}"#, "s9");
    driver.renews.clone_from(&renews);
    driver.run("revoke").unwrap();
    assert_eq!(driver.requests(), ["refresh", &ends("s9")]);
    // Somebody else has signed in meanwhile, here or for a fresh sign-in: their session is not what was meant.
    let mut driver = renewed(vec![refused(), Answer(200, REVOKED)], "s1", VALID, "theirs");
    driver.run("revoke").unwrap();
    assert_eq!(*driver.requests().last().unwrap(), ends("s1"));
    let stale = With(401, r#"{"www-authenticate":"Bearer error=\"insufficient_user_authentication\""}"#, "{}");
    let mut driver = renewed(vec![stale, Answer(200, REVOKED)], "s1", VALID, "fresh").with("canReauthenticate", "true");
    driver.signs_in_again = true;
    driver.run("revoke").unwrap();
    assert_eq!(*driver.requests().last().unwrap(), ends("s1"));
}

#[test]
fn after_a_fresh_sign_in_its_tokens_count_and_not_those_of_a_refresh_before() {
    let stale = Answer(403, r#"{"code":"SESSION_NOT_FRESH"}"#);
    let mut driver = Driver::new([Answer(401, "{}"), stale, LIST]).with("canReauthenticate", "true");
    driver.tokens = [access(), access(), access(), "fresh".into()].map(|access| (Some(access), Some(refresh("s1")))).into();
    driver.fixed = false;
    driver.signs_in_again = true;
    driver.run("list").unwrap();
    assert!(driver.log.last().unwrap().contains("Bearer fresh"), "{:?}", driver.log);
}

#[test]
fn a_refresh_token_that_stays_is_kept_beside_cookies() {
    let answer = || Answer(200, r#"{"accessToken":{"token":"new","validUntil":"2026-01-01T01:00:00Z"}}"#);
    let mut driver = ksef([answer()]).with("base", "\"https://proxy.example\"").with("sendsCookies", "true");
    driver.browser = true;
    let own = token(r#"{"arn":"own"}"#);
    assert_eq!(text(&driver.run("refresh").unwrap(), "refreshToken").as_deref(), Some(own.as_str()));
    assert_eq!(driver.memory["refreshToken"], own);
}

#[test]
fn a_generation_is_known_by_its_errors_too() {
    let unknown = |route: &str| Answer(404, String::leak(format!(r#"{{"message":"Cannot {route}","error":"Not Found","statusCode":404}}"#)));
    let gone = || Answer(404, r#"{"message":"Session not found","error":"Not Found","statusCode":404}"#);
    let mut driver = Driver::new([unknown("POST /oauth/sessions/x/revoke"), gone()]).with("id", "\"x\"");
    assert_eq!(code(&driver.run("revoke").unwrap_err()), "not_found");
    assert_eq!(driver.memory["dialect"], "1");
    // No client id is needed for its refresh.
    let mut driver = Driver::new([unknown("GET /oauth/sessions"), Answer(401, "{}"), LIST]).with("clientId", "null");
    driver.run("list").unwrap();
    assert!(driver.requests().contains(&"refresh"));
    // It may be the other one again tomorrow.
    let mut driver = Driver::new([unknown("GET /api/auth/sessions"), LIST]).memory("dialect", "1");
    driver.run("list").unwrap();
    assert_eq!((driver.requests()[1], driver.memory.get("dialect")), ("GET https://auth.example/oauth/sessions", None));
    let mut driver = Driver::new([unknown("GET /api/auth/sessions"), unknown("GET /oauth/sessions")]).memory("dialect", "1");
    assert!(message(&driver.run("list").unwrap_err()).contains("no AuthVital server"));
    assert_eq!(driver.memory["dialect"], "1", "nothing was learnt");
}

#[test]
fn a_refresh_token_in_a_cookie_is_used_from_the_first_call_on() {
    let cookies = |answers: Vec<Reply>| {
        let mut driver = Driver::new(answers).with("sendsCookies", "true").with("clientId", "null");
        driver.tokens = [(Some(access()), None)].into();
        driver.browser = true;
        driver
    };
    let mut driver = cookies(vec![Answer(200, r#"{"access_token":"new","expires_in":3600}"#)]);
    assert_eq!(text(&driver.run("refresh").unwrap(), "accessToken").as_deref(), Some("new"));
    assert_eq!(driver.requests(), ["POST https://auth.example/api/auth/refresh"]);
    let mut driver = cookies(vec![Answer(401, "{}"), LIST]).memory("dialect", "1");
    driver.run("list").unwrap();
    assert_eq!(driver.requests()[1], "refresh");
    // Somebody else's request comes without the cookie, and nothing is refreshed for it.
    let mut driver = cookies(vec![Answer(401, "{}")]).memory("dialect", "1").with("authorization", "\"Bearer t\"");
    assert_eq!(code(&driver.run("list").unwrap_err()), "unauthenticated");
}

#[test]
fn answers_that_confirm_nothing() {
    let revoke = |provider: &str, status, body: &'static str| {
        let mut driver = Driver::new([Answer(status, body)]).with("provider", &quoted(provider)).with("base", "\"https://api.example\"");
        driver = driver.with("id", if provider == "ksef" { "\"20250925-AU-0123456789-0123456789-01\"" } else { "\"x\"" });
        driver.run("revoke").map(|ended| text(&ended, "outcome").unwrap()).map_err(|error| code(&error))
    };
    for provider in ["rest", "clerk", "ksef"] {
        assert_eq!(revoke(provider, 200, "\u{feff} <!doctype html>").unwrap_err(), "invalid_response", "{provider}");
    }
    for body in ["", "{}", "[]", "upstream connect error", r#"{"status":true}"#] {
        assert_eq!(revoke("clerk", 200, body).unwrap_err(), "invalid_response", "{body}");
    }
    assert_eq!(revoke("ksef", 200, "{}").unwrap_err(), "invalid_response");
    assert_eq!(revoke("ksef", 204, "").unwrap(), "revoked");
    for body in [r#"{"error":false}"#, r#"{"success":true,"error":""}"#, r#"{"error":[]}"#, r#"{"error":{}}"#, r#"{"error":null}"#] {
        assert_eq!(revoke("rest", 200, body).unwrap(), "revoked", "{body}");
    }
    assert_eq!(revoke("rest", 200, r#"{"error":"no"}"#).unwrap_err(), "rejected");
    let list = |body| Driver::new([Answer(200, body)]).with("provider", "\"rest\"").run("list").unwrap_err();
    for body in [r#"{"success":false,"data":{"sessions":[]},"error":{"code":"X","message":"y"}}"#, r#"{"success":false,"error":{"code":"X","message":"y"}}"#] {
        let error = list(body);
        assert_eq!((code(&error), text(&error, "serverCode")), ("rejected".into(), Some("X".into())));
    }
}

#[test]
fn ids_that_are_numbers_go_out_as_numbers() {
    for (id, sent) in [("0", "0"), ("-3", "-3"), ("7", "7"), ("-0", "\"-0\""), ("07", "\"07\""), ("-", "\"-\""), ("a", "\"a\"")] {
        let json = r#"{"list":{"method":"GET","path":"/s"},"revoke":{"method":"POST","path":"/r","body":{"id":"{id}"}}}"#;
        let mut driver = profile(json, [Answer(204, "")]).with("id", &quoted(id)).memory("numbers", "1");
        driver.run("revoke").unwrap();
        assert!(driver.requests()[0].ends_with(&format!(r#"{{"id":{sent}}}"#)), "{:?}", driver.requests());
    }
}

#[test]
fn a_step_up_is_asked_for_in_the_words_of_rfc_9470() {
    let mut driver = Driver::new([With(401, r#"{"www-authenticate":"Bearer error=\"insufficient_user_authentication\", max_age=300"}"#, "{}"), LIST]);
    driver = driver.with("canReauthenticate", "true");
    driver.signs_in_again = true;
    driver.run("list").unwrap();
    assert_eq!(driver.requests()[1], "reauthenticate reauthentication_required");
}

#[test]
fn the_current_session_may_be_on_another_page() {
    let current = |page: &str| parsed(page).member("sessions").items().map(|session| session.flag("current")).collect::<Vec<_>>();
    let mut driver = clerk([Answer(200, r#"{"data":[{"id":"a"},{"id":"b"}],"total_count":9}"#)]);
    driver = driver.with("userId", "\"u\"").with("authorization", &quoted(&format!("Bearer {}", token(r#"{"sid":"z"}"#))));
    assert_eq!(current(&driver.run("list").unwrap()), [Some(false), Some(false)]);
    for (cursor, body, expected) in [
        ("null", r#"{"items":[{"referenceNumber":"a"}],"continuationToken":"c"}"#, Some(false)),
        ("\"c\"", r#"{"items":[{"referenceNumber":"a"}]}"#, Some(false)),
        // It is on none.
        ("null", r#"{"items":[{"referenceNumber":"a"}]}"#, None),
    ] {
        let mut driver = ksef([Answer(200, body)]).with("cursor", cursor);
        assert_eq!(current(&driver.run("list").unwrap()), [expected], "{body}");
    }
    let mut driver = clerk([Answer(200, r#"{"data":[{"id":"a"}],"total_count":1}"#)]).with("userId", "\"u\"");
    assert_eq!(current(&driver.run("list").unwrap()), [None]);
}

#[test]
fn what_was_not_carried_out_is_not_what_made_it_go() {
    let run = |answers: Vec<Reply>| Driver::new(answers).with("provider", "\"rest\"").with("id", "\"x\"").run("revoke").map_err(|error| code(&error));
    assert_eq!(run(vec![Answer(503, "{}"), Answer(404, "{}")]).unwrap_err(), "not_found");
    assert!(run(vec![Failed("network"), Answer(404, "{}")]).is_ok());
    // An answer that breaks off confirms nothing, whatever its status.
    for body in [r#"{"success":fal"#, "[", r#"{"errors":[{"message":"no"}],"data":null}"#] {
        assert!(run(vec![Answer(200, body), Answer(200, body), Answer(200, body)]).is_err(), "{body}");
    }
}

#[test]
fn sessions_that_nobody_knows_are_looked_for_again() {
    const THREE: &str = r#"{"sessions":[{"id":"a","current":true},{"id":"b"},{"id":"c"}]}"#;
    let run = |goal, codes: &str, answers: Vec<Reply>| {
        let mut driver = Driver::new(answers).with("provider", "\"rest\"");
        driver.codes = codes.into();
        let result = driver.run(goal);
        (result, driver.requests().len())
    };
    let lists = || vec![Answer(200, THREE), Answer(200, THREE)];
    // All of them are still there: it was the wrong place to ask.
    for (goal, codes, failed) in
        [("revokeOthers", r#"["not_found","not_found"]"#, "[0,1]"), ("revokeAll", r#"["not_found","not_found","not_found"]"#, "[0,1,2]")]
    {
        let (result, requests) = run(goal, codes, lists());
        let error = result.unwrap_err();
        assert_eq!((code(&error), requests), ("partial_revocation".into(), 3), "{error}");
        assert!(error.contains(r#""revoked":[]"#) && error.contains(&format!(r#""failed":{failed}"#)), "{error}");
    }
    // One of them has gone by itself.
    let (result, _) =
        run("revokeOthers", r#"["not_found","not_found"]"#, vec![Answer(200, THREE), Answer(200, r#"{"sessions":[{"id":"a","current":true},{"id":"c"}]}"#)]);
    let error = result.unwrap_err();
    assert!(error.contains(r#""revoked":["b"]"#) && error.contains(r#""failed":[1]"#), "{error}");
    // So have all.
    let (result, _) = run("revokeOthers", r#"["not_found","not_found"]"#, vec![Answer(200, THREE), Answer(200, r#"{"sessions":[{"id":"a","current":true}]}"#)]);
    assert!(result.unwrap().contains(r#""count":2"#));
    // Where one was ended, the place was right.
    let (result, requests) = run("revokeOthers", r#"[null,"not_found"]"#, vec![Answer(200, THREE)]);
    assert!(result.is_ok() && requests == 2);
}
