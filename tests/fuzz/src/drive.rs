//! Whole calls, driven to their end as `src/npm/host.js` drives them, with the answers of a case; and what has to hold of every call.

use auth_sessions::{
    client,
    http::{is_token, is_valid_header},
    provider::by_name,
};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, VecDeque};

use crate::case::{Secrets, flag, holds, items, number, parsed, session_of, text};

/// Profiles as `src/npm/profile.js` passes them on, one for each thing that built-in back-ends do not have.
const PROFILES: [(&str, &str); 5] = [
    (
        "pages",
        r#"{"name":"pages","perOperation":true,"list":{"method":"GET","path":"/me/devices?after={cursor}&limit={pageSize}","pageSize":{"min":1,"max":100,"default":20},"time":"seconds",
        "fields":{"items":["/data/items"],"next":["/paging/next"],"currentId":["/me"],"id":["device_id","/k/id"]}},"revoke":{"method":"POST","path":"/me/devices/remove","body":{"device":"{id}"},"gone":[410],"success":[200,202]}}"#,
    ),
    (
        "header",
        r#"{"name":"header","auth":{"header":"x-session"},"csrf":{"cookie":"c","header":"x-csrf"},"list":{"method":"GET","path":"/s","headers":{"x-next":"{cursor}"}},"revoke":{"method":"DELETE","path":"/s/{id}/now?x=1"},
        "revokeOthers":{"method":"POST","path":"/others"},"refresh":{"method":"POST","path":"/token","body":{"refresh":"{refreshToken}"},"accessToken":"/accessToken","refreshToken":"refreshToken","expiresIn":"expiresIn","needs":["refreshToken"]}}"#,
    ),
    (
        "cookie",
        r#"{"auth":"cookie","effect":"immediate","perOperation":true,"list":{"method":"GET","path":"/s/"},"revoke":{"method":"DELETE","path":"/s/{id}/"},"logout":{"method":"POST","path":"/out","gone":[401]}}"#,
    ),
    (
        "form",
        r#"{"id":"00-XX","limits":[[1000,10]],"list":{"method":"GET","path":"/s","statuses":{"on":"active","off":"ended"}},"revoke":{"method":"PUT","path":"/s/{id}","confirm":"ok"},"revokeAll":{"method":"POST","path":"/all"},"logout":{"method":"POST","path":"/out","body":{"token":"{refreshToken}"}}}"#,
    ),
    (
        "edge",
        r#"{"name":"edge-handler","auth":"cookie","perOperation":true,"list":{"method":"GET","path":"/sessions?cursor={cursor}","fields":{"items":["sessions"],"next":["next"]},"own":true},
        "revoke":{"method":"POST","path":"/sessions/{id}/revoke","own":true},"revokeOthers":{"method":"POST","path":"/sessions/revoke-others","own":true},"revokeAll":{"method":"POST","path":"/logout-all","own":true},"logout":{"method":"POST","path":"/logout","own":true}}"#,
    ),
];

/// What a session has, in order.
const MEMBERS: [&str; 14] =
    ["id", "status", "createdAt", "lastActiveAt", "expiresAt", "userAgent", "ipAddress", "tenant", "userId", "current", "device", "location", "method", "raw"];
const CODES: &str = "invalid_options invalid_argument unsupported insecure unauthenticated reauthentication_required forbidden not_found conflict rejected rate_limited server_error network timeout aborted invalid_response current_unknown partial_revocation internal";
/// Those that a driver brings about.
const OUTSIDE: &str = "network timeout aborted internal invalid_options invalid_response unauthenticated unsupported";
const NOW: i64 = 1_767_225_600_000;

/// A client and the answers it will get.
pub struct Client<'c> {
    case: &'c Value,
    /// The options, as the driver passes them.
    options: Map<String, Value>,
    secrets: Secrets,
    memory: BTreeMap<String, Value>,
    answers: VecDeque<&'c Value>,
    profile: Value,
    is_key: bool,
    base: String,
    now: i64,
    retries: i64,
    /// Answers have secrets in them.
    echoes: bool,
    /// Checks beyond "it ends, in JSON": not for profiles that nobody has checked.
    strict: bool,
}

/// What one run is about.
#[derive(Default)]
struct Run {
    goal: String,
    input: Map<String, Value>,
    forwarded: Option<String>,
    /// What the run was told last, and must not say.
    told: Vec<String>,
    /// The tokens of now.
    tokens: Vec<String>,
    steps: usize,
}

impl<'c> Client<'c> {
    /// The client of a case. `profile`: one that nobody has checked, instead of the case's own choice.
    pub fn new(case: &'c Value, profile: Option<&Value>) -> Self {
        let name = text(case, "provider").unwrap_or_default();
        let built_in = ["authvital", "clerk", "ksef", "rest", "better-auth"].into_iter().find(|known| *known == name);
        let chosen = PROFILES.iter().find(|(known, _)| *known == name).unwrap_or(&PROFILES[0]).1;
        let strict = profile.is_none();
        let own = profile.cloned().unwrap_or_else(|| parsed(chosen));
        let known = built_in.filter(|_| strict).and_then(|name| by_name(name).ok());
        let profile = known.as_ref().map_or(own, |provider| parsed(provider.profile));

        let mut options = Map::new();
        let mut set = |name: &str, value: Value| drop(options.insert(name.to_owned(), value));
        set("provider", json!(built_in.filter(|_| known.is_some()).unwrap_or("rest")));
        if known.is_none() {
            set("profile", profile.clone());
        }
        let bases = ["https://auth.example", "https://auth.example/pre/fix", "http://auth.example"];
        let base = number(case, "base", 0, 3).and_then(|index| bases.get(index as usize)).copied();
        let environment = text(case, "environment").filter(|name| ["production", "demo", "test"].contains(name));
        let base = if profile.get("bases").is_none() && environment.is_none() { base.or(Some(bases[0])) } else { base };
        set("environment", json!(environment));
        set("base", json!(base));
        set("isSecure", json!(base.is_some_and(|base| base.starts_with("https"))));
        for name in ["browser", "offline", "allowInsecure", "sendsCookies", "canReauthenticate", "dangerouslyAllowBrowser"] {
            set(name, json!(flag(case, name)));
        }
        let retries = number(case, "maxRetries", 0, 4).unwrap_or(2);
        set("maxRetries", json!(retries));
        set("maxRetryAfter", json!(number(case, "maxRetryAfter", 0, 2_000_000).unwrap_or(10)));
        set("totalTimeout", json!(number(case, "totalTimeout", 1, 2_147_483_647).unwrap_or(30_000)));
        set("random", json!(number(case, "random", 0, 1000).unwrap_or(500)));
        set("clientId", json!(text(case, "clientId")));
        let secrets = Secrets::of(case);
        let headers: Vec<_> = items(case, "headers")
            .iter()
            .filter_map(|pair| Some((pair.get(0)?.as_str()?, secrets.fill(pair.get(1)?.as_str()?))))
            .filter(|(name, value)| is_valid_header(name, value) && !name.eq_ignore_ascii_case("authorization"))
            .collect();
        set("headers", json!(headers));
        let echoes = case.get("answers").is_some_and(|answers| secrets.fill_all(answers).to_string().contains("Q7"));
        let named = environment.unwrap_or("production");
        let base = base.map(str::to_owned).or_else(|| text(profile.get("bases")?, named).map(str::to_owned)).unwrap_or_default();
        Self {
            is_key: flag(&profile, "isKey"),
            answers: items(case, "answers").iter().take(64).collect(),
            memory: BTreeMap::new(),
            now: NOW,
            case,
            options,
            secrets,
            profile,
            base,
            retries,
            echoes,
            strict,
        }
    }

    /// All calls of the case, one after the other.
    pub fn run(&mut self) {
        for call in items(self.case, "calls").iter().take(4) {
            self.later(number(call, "after", 0, 100_000_000_000).unwrap_or(0));
            let mut run = Run { goal: text(call, "goal").unwrap_or("list").to_owned(), ..Run::default() };
            for name in ["id", "cursor", "userId", "applicationId", "ofClient", "status", "endedToken", "template", "expiredToken", "sessionRefreshToken"] {
                if let Some(text) = text(call, name).map(|text| self.secrets.fill(text)) {
                    let fits = match name {
                        "cursor" => is_valid_header("a", &text),
                        "endedToken" => true,
                        _ => !text.is_empty(),
                    };
                    if fits {
                        run.input.insert(name.to_owned(), Value::String(text));
                    }
                }
            }
            for (name, least, most) in [("pageSize", 1, 2_147_483_647), ("expiresInSeconds", 30, 315_360_000)] {
                if let Some(number) = number(call, name, least, most) {
                    run.input.insert(name.to_owned(), json!(number));
                }
            }
            if let Some(Value::Object(headers)) = call.get("requestHeaders") {
                let headers = headers.iter().map(|(name, value)| (name.clone(), json!([self.secrets.fill(value.as_str().unwrap_or_default())]))).collect();
                run.input.insert("requestHeaders".to_owned(), Value::Object(headers));
            }
            // The package refuses what is not of this form.
            run.forwarded = text(call, "authorization").map(|text| self.secrets.fill(text)).filter(|value| is_valid_header("a", value));
            let _ = self.call(run);
        }
    }

    fn call(&mut self, mut run: Run) -> Result<Value, Value> {
        let mut state = self.options.clone();
        state.insert("goal".to_owned(), json!(run.goal));
        state.append(&mut run.input.clone());
        if let Some(forwarded) = &run.forwarded {
            state.insert("authorization".to_owned(), json!(forwarded));
        }
        run.told = self.options["headers"].as_array().into_iter().flatten().filter_map(|pair| pair.get(1)?.as_str()).map(str::to_owned).collect();
        run.told.extend(run.forwarded.as_ref().map(|forwarded| forwarded.strip_prefix("Bearer ").unwrap_or(forwarded).to_owned()));
        // Each answer may be followed by retries of a request that gets none.
        let limit = 60 + 16 * (self.answers.len() + 1) * (self.retries as usize + 2);
        let mut event = vec![("event", json!("start"))];
        let mut body = String::new();
        loop {
            run.steps += 1;
            assert!(run.steps <= limit, "the call does not end");
            state.insert("now".to_owned(), json!(self.now));
            state.insert("memory".to_owned(), Value::Object(self.memory.clone().into_iter().collect()));
            state.extend(event.drain(..).map(|(name, value)| (name.to_owned(), value)));
            let told = client::step(&Value::Object(state.clone()).to_string(), std::mem::take(&mut body).as_bytes());
            let action = parsed(&told);
            self.silent(&run, &action, &["requestId", "warnings", "template", "reason", "error"]);
            for (name, value) in action["remember"].as_object().into_iter().flatten() {
                assert!(value.is_null() || value.is_string(), "no text to remember: {value}");
                self.memory.insert(name.clone(), value.clone());
            }
            let what = text(&action, "do").unwrap_or_default();
            if what == "fail" {
                self.check_error(&action["error"]);
                return Err(action["error"].clone());
            }
            if what == "done" {
                if self.strict {
                    self.check_result(&run, &action["value"]);
                }
                return Ok(action["value"].clone());
            }
            for (name, value) in action["keep"].as_object().into_iter().flatten() {
                state.insert(name.clone(), value.clone());
            }
            let failed =
                |code: &str, fatal: bool| vec![("event", json!("failed")), ("failure", json!({"code": code, "message": "words", "cause": 7, "fatal": fatal}))];
            event = match what {
                "tokens" => self.tokens(&mut run, flag(&action, "own")),
                "send" => {
                    if self.strict {
                        self.check_request(&run, &action);
                    }
                    match self.answers.pop_front() {
                        None => failed("network", false),
                        Some(answer) => {
                            // How far the back-end's clock is ahead.
                            if let Some(skew) = number(answer, "skew", -1_000_000_000_000_000, 1_000_000_000_000_000) {
                                self.memory.insert("skew".to_owned(), json!(skew.to_string()));
                            }
                            // Something that another call did meanwhile.
                            if text(answer, "meanwhile") == Some("logout") {
                                self.memory.insert("signedOut".to_owned(), json!("1"));
                            }
                            if let Some(code) = text(answer, "failed") {
                                failed(OUTSIDE.split(' ').find(|known| *known == code).unwrap_or("network"), flag(answer, "fatal"))
                            } else {
                                body = self.secrets.body(answer);
                                vec![
                                    ("event", json!("answer")),
                                    ("answered", json!(number(answer, "status", 0, 599).unwrap_or(200))),
                                    ("received", self.secrets.headers(answer)),
                                ]
                            }
                        }
                    }
                }
                "wait" => {
                    let ms = action["ms"].as_i64().expect("how long");
                    assert!((0..=4_294_967_295_000).contains(&ms) && action["attempt"].as_i64() <= Some(self.retries + 1), "{action}");
                    self.later(ms);
                    vec![("event", json!("waited"))]
                }
                "refresh" => {
                    assert!(run.goal != "refresh", "a refresh that waits for itself");
                    match self.call(Run { goal: "refresh".to_owned(), ..Run::default() }) {
                        Ok(pair) => vec![("event", json!("refreshed")), ("refreshed", pair["accessToken"].clone())],
                        Err(error) => failed(text(&error, "code").unwrap_or_default(), true),
                    }
                }
                "reauthenticate" => {
                    self.check_error(&action["error"]);
                    vec![("event", json!("reauthenticated")), ("again", json!(flag(self.case, "again")))]
                }
                "tell" => vec![("event", json!("told"))],
                "each" => vec![("event", json!("each")), ("codes", self.each(&run, &action))],
                _ => panic!("nothing to do: {action}"),
            };
        }
    }

    fn later(&mut self, ms: i64) {
        self.now = (self.now + ms).min(NOW + 1_000_000_000_000);
    }

    /// Those of the client: the fixed ones until there are newer.
    fn tokens(&mut self, run: &mut Run, own: bool) -> Vec<(&'static str, Value)> {
        let newest = |option: &str, key: &str| {
            if !own || self.memory.get("signedOut").is_some_and(Value::is_string) {
                return Value::Null;
            }
            self.memory.get(key).filter(|value| value.is_string()).cloned().unwrap_or_else(|| match self.secrets.get(option) {
                "" => Value::Null,
                token => json!(token),
            })
        };
        let (access, refresh) = (newest("$ACCESS", "accessToken"), newest("$REFRESH", "refreshToken"));
        let csrf = if own && flag(self.case, "csrf") && self.profile.get("csrf").is_some() { json!(self.secrets.get("$CSRF")) } else { Value::Null };
        let texts = |values: &[&Value]| values.iter().filter_map(|token| token.as_str()).map(str::to_owned).collect::<Vec<_>>();
        run.tokens = texts(&[&access, &refresh]);
        run.told.extend(texts(&[&access, &refresh, &csrf]));
        vec![("event", json!("tokens")), ("access", access), ("refresh", refresh), ("csrf", csrf)]
    }

    /// Ends the sessions one by one: each is another call.
    fn each(&mut self, run: &Run, action: &Value) -> Value {
        let ids: Vec<&str> = items(action, "ids").iter().map(|id| id.as_str().expect("an id is a text")).collect();
        let mut once = ids.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), ids.len(), "a session would be ended twice: {action}");
        assert!(!flag(action, "last") || !ids.is_empty(), "none is the last");
        let current = session_of(run.forwarded.as_deref().filter(|_| !self.is_key).and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default());
        if let Some(current) = current.filter(|_| self.strict) {
            let at = ids.iter().position(|id| *id == current);
            match run.goal.as_str() {
                "revokeOthers" => assert_eq!(at, None, "the current session would be ended"),
                _ => assert!(at.is_none_or(|at| at + 1 == ids.len()), "the current session would not be the last"),
            }
        }
        let mut codes = Vec::new();
        for id in ids.iter().take(8) {
            let input = [("id".to_owned(), json!(id))].into_iter().collect();
            let result = self.call(Run { goal: "revoke".to_owned(), input, forwarded: run.forwarded.clone(), ..Run::default() });
            codes.push(result.map_or_else(|error| error["code"].clone(), |_| Value::Null));
        }
        codes.resize(ids.len(), json!("internal"));
        Value::Array(codes)
    }

    /// None of these members has a secret in it.
    fn silent(&self, run: &Run, value: &Value, members: &[&str]) {
        let secrets: Vec<&str> = run.told.iter().map(String::as_str).filter(|secret| secret.contains("Q7")).collect();
        for name in members {
            let mut looked_at = value[*name].clone();
            // A back-end may call its sessions what it likes, and an error has to name them.
            if let Some(error) = looked_at.as_object_mut() {
                error.remove("revoked");
            }
            // What the caller has written into a path is the caller's.
            let found = holds(&looked_at, &secrets).filter(|secret| *name != "template" || !self.profile.to_string().contains(*secret));
            assert!(found.is_none(), "a secret in {name}: {found:?} in {looked_at}");
        }
    }

    fn check_error(&self, error: &Value) {
        let code = text(error, "code").expect("a code");
        assert!(CODES.split(' ').any(|known| known == code), "{code}");
        assert!(error["message"].is_string() && error["transient"].is_boolean(), "{error}");
        assert!(error["status"].is_null() || error["status"].as_i64().is_some_and(|status| (1..600).contains(&status)), "{error}");
        assert!(error["retryAfter"].is_null() || error["retryAfter"].as_i64().is_some_and(|seconds| seconds >= 0), "{error}");
        assert!(code != "partial_revocation" || error["revoked"].is_array() && error["failed"].is_array(), "{error}");
    }

    /// Where it goes, and what it takes along.
    fn check_request(&self, run: &Run, action: &Value) {
        let (method, url) = (text(action, "method").expect("a method"), text(action, "url").expect("a URL"));
        let template = text(action, "template").expect("a template");
        let rest = url.strip_prefix(&self.base).unwrap_or_else(|| panic!("not at {}: {url}", self.base));
        let all = self.profile.as_object().expect("a profile").iter();
        let endpoints = all.flat_map(|(name, found)| found.as_array().map_or_else(|| vec![(name, found)], |all| all.iter().map(|one| (name, one)).collect()));
        let is_there = |(name, endpoint): (&String, &Value)| {
            let path = text(endpoint, "path")?;
            let id = run.input.get("id").and_then(Value::as_str).filter(|_| name == "revoke" && run.goal == "revoke");
            (text(endpoint, "method") == Some(method) && path.split('?').next() == Some(template) && fits(path, rest, flag(&self.profile, "perOperation"), id))
                .then_some(())
        };
        assert!(endpoints.filter_map(is_there).next().is_some(), "no endpoint of this back-end: {method} {url} ({template}) for {:?}", run.input);

        let headers: Vec<(&str, &str)> =
            items(action, "headers").iter().map(|pair| (pair[0].as_str().expect("a name"), pair[1].as_str().expect("a value"))).collect();
        for (name, value) in &headers {
            assert!(is_token(name), "a header's name: {name}");
            assert!(is_valid_header(name, value), "a header that can't be sent: {name}: {value:?}");
        }
        let body = action["body"].as_str();
        if let Some(body) = body {
            parsed(body);
        }
        let secrets: Vec<&str> = run.told.iter().map(String::as_str).filter(|secret| secret.contains("Q7")).collect();
        let has_own = run.input.values().any(|value| holds(value, &secrets).is_some());
        // An address holds none, unless the caller says so; but a back-end may call its sessions, and all but by a token its pages, what it likes.
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        assert!(has_own || self.echoes || holds(&json!(path), &secrets).is_none(), "a secret in an address: {url}");
        let tokens: Vec<&str> = run.tokens.iter().map(String::as_str).filter(|token| token.contains("Q7") && token.len() > 7).collect();
        assert!(has_own || holds(&json!(query), if self.echoes { &tokens } else { &secrets }).is_none(), "a secret in an address: {url}");
        let authorization: Vec<&str> = headers.iter().filter(|(name, _)| *name == "authorization").map(|(_, value)| *value).collect();
        match &run.forwarded {
            Some(forwarded) if !self.is_key => {
                assert!(authorization.iter().all(|value| value == forwarded), "not the request's own credentials: {authorization:?}");
                let own =
                    ["$ACCESS", "$REFRESH", "$CSRF"].map(|name| self.secrets.get(name)).into_iter().filter(|own| !own.is_empty() && !forwarded.contains(own));
                // The back-end may have named a page by one of them.
                let sent = if self.echoes { json!([action["headers"]]) } else { json!([action["headers"], action["url"], action["body"]]) }.to_string();
                for own in own {
                    assert!(has_own || !sent.contains(own) || run.input.values().any(|value| value.to_string().contains(own)), "a token of the client goes with another's request: {action}");
                }
            }
            Some(forwarded) => assert!(
                has_own || forwarded.len() < 24 || !headers.iter().any(|(_, value)| value.contains(forwarded.as_str())),
                "the user's token goes to the back-end"
            ),
            None => {}
        }
    }

    fn check_result(&self, run: &Run, value: &Value) {
        self.silent(run, value, &["message", "error"]);
        if text(&self.profile, "name") == Some("edge-handler") {
            return;
        }
        let is_time = |value: &Value| value.as_str().is_none_or(|text| text.len() == 24 && text.ends_with('Z')) && (value.is_null() || value.is_string());
        let check = |session: &Value| {
            let members = session.as_object().expect("a session");
            assert!(members.len() == MEMBERS.len() && MEMBERS.iter().all(|name| members.contains_key(*name)), "{session}");
            assert!(text(session, "id").is_some_and(|id| !id.trim().is_empty()), "{session}");
            for name in ["createdAt", "lastActiveAt", "expiresAt"] {
                assert!(is_time(&session[name]), "{name}: {session}");
            }
            assert!(session["current"].is_null() || session["current"].is_boolean(), "{session}");
            assert!(
                "active pending blocked revoked expired ended removed abandoned replaced unknown"
                    .split(' ')
                    .any(|known| text(session, "status") == Some(known))
            );
            assert!(!has_secret_name(&session["raw"]), "{session}");
        };
        match run.goal.as_str() {
            "list" => {
                items(value, "sessions").iter().for_each(check);
                assert!(value["sessions"].is_array() && value["count"].is_i64(), "{value}");
                assert!(value["next"].is_null() || text(value, "next").is_some_and(|next| !next.trim().is_empty()), "{value}");
            }
            "get" | "current" | "create" => check(value),
            "revoke" | "revokeCurrent" | "revokeAll" | "revokeOthers" => {
                assert!(value["success"].is_boolean() && value["effect"].is_string() && is_time(&value["accessTokenValidUntil"]), "{value}");
            }
            "logout" => {
                assert!(["confirmed", "rejected", "unreachable", "skipped"].iter().any(|known| text(value, "server") == Some(known)), "{value}");
                assert_eq!(flag(value, "success"), text(value, "server") == Some("confirmed"), "{value}");
                if !value["error"].is_null() {
                    self.check_error(&value["error"]);
                }
                if run.forwarded.is_none() && !run.input.contains_key("endedToken") {
                    for name in ["accessToken", "refreshToken", "currentId", "handles"] {
                        assert!(self.memory.get(name).is_none_or(Value::is_null), "{name} is still known after a logout");
                    }
                }
            }
            "refresh" => assert!(text(value, "accessToken").is_some_and(|token| !token.is_empty()) && is_time(&value["expiresAt"]), "{value}"),
            _ => {}
        }
    }
}

/// A path as it was sent is that of the template, and every input one part of it.
fn fits(template: &str, sent: &str, may_slash: bool, id: Option<&str>) -> bool {
    let (template, query) = template.split_once('?').unwrap_or((template, ""));
    let (path, sent_query) = sent.split_once('?').unwrap_or((sent, ""));
    let other = template.strip_suffix('/').map_or_else(|| format!("{template}/"), str::to_owned);
    let fits_path = |template: &str| {
        let (wanted, found): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
        wanted.len() == found.len()
            && wanted.iter().zip(&found).all(|(wanted, found)| {
                if !wanted.starts_with('{') {
                    return wanted == found;
                }
                let Some(decoded) = decoded(found) else { return false };
                !matches!(decoded.as_str(), "" | "." | "..") && (*wanted != "{id}" || id.is_none_or(|id| decoded == id))
            })
    };
    let parameters: Vec<_> = query.split('&').map(|parameter| parameter.split_once('=').unwrap_or((parameter, ""))).collect();
    let fits_query = sent_query.is_empty()
        || sent_query.split('&').all(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            parameters.iter().any(|(known, wanted)| *known == name && (wanted.starts_with('{') && decoded(value).is_some() || *wanted == value))
        });
    (fits_path(template) || may_slash && fits_path(&other)) && fits_query
}

/// What a text stands for where everything but unreserved characters is percent-encoded.
pub fn decoded(text: &str) -> Option<String> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'%' => {
                let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
                out.push(u8::from_str_radix(digits, 16).ok()?);
                rest = rest.get(2..)?;
            }
            b'-' | b'.' | b'_' | b'~' => out.push(*first),
            _ if first.is_ascii_alphanumeric() => out.push(*first),
            _ => return None,
        }
    }
    String::from_utf8(out).ok()
}

fn has_secret_name(value: &Value) -> bool {
    let is_secret = |name: &str, value: &Value| {
        let name = name.to_ascii_lowercase();
        (value.is_string() || value.is_array() || value.is_object())
            && ["token", "tokens", "secret", "password", "apikey", "api_key"].iter().any(|end| name.ends_with(end))
    };
    match value {
        Value::Object(members) => members.iter().any(|(name, value)| is_secret(name, value) || has_secret_name(value)),
        Value::Array(items) => items.iter().any(has_secret_name),
        _ => false,
    }
}
