//! One client for all back-ends: what a call needs beyond making a request and reading its answer.
//!
//! A call is a small state machine: [`Call::step`] is told what happened and says what to do next, both in JSON; whoever drives it does the waiting. It
//! has no clock, no randomness, no memory and no I/O of its own, so every path can be tested without any.
//!
//! What happened: an object with `event` and what belongs to it, and with what is around it: `now` (milliseconds), `random` (0 to 1000), `browser`,
//! `offline`, and `memory`, an object of texts that the driver keeps for the client from call to call.
//!
//! | event | with |
//! |---|---|
//! | `start`, `waited`, `told` | |
//! | `tokens` | `access`, `refresh`: the tokens that are set now |
//! | `answer` | `status`, `headers` (an object of those in [`READ_HEADERS`]), and the body beside it |
//! | `failed` | `code`, `message`, `cause` (a number of the driver's own), `fatal`: no answer, or something else outside failed |
//! | `refreshed` | `access`: the new access token |
//! | `each` | `codes`: for each id null, or the code of its error |
//!
//! What to do: an object with `do` and what belongs to it, with `remember`, an object of texts to put into the memory, or null to forget, and with
//! `requestId`, the last answer's id without secrets.
//!
//! | do | with |
//! |---|---|
//! | `tokens` | ask for the tokens |
//! | `send` | `method`, `url`, `template` (the path as it may be shown), `headers`, `body`, `attempt` |
//! | `wait` | `ms`, `reason`, `attempt` |
//! | `refresh` | have the tokens refreshed, once for all calls of the client |
//! | `tell` | `value`: tell the caller these tokens |
//! | `each` | `ids`: end each of these sessions |
//! | `done` | `value`: the result |
//! | `fail` | `error`: the fields of a `SessionsError` |

mod retry;

use crate::cookie::{self, CookieSpec};
use crate::device::has;
use crate::error::{Code, Error};
use crate::http::{Auth, Endpoint, READ_HEADERS, Response, is_bearer, is_cookie_value, is_valid_header, scrub};
use crate::json::{Json, List, Writer, decimal, join, quoted};
use crate::jwt::Claims;
use crate::model::{Field, session};
use crate::provider::{Answer, Asked, Operation, Provider, by_name};
use crate::time::Time;

/// The keys of the memory.
mod memory {
    /// The back-end speaks its second dialect.
    pub(super) const DIALECT: &str = "dialect";
    /// The newest access token, from a refresh.
    pub(super) const ACCESS: &str = "access";
    /// The newest refresh token, from a refresh.
    pub(super) const REFRESH: &str = "refresh";
    /// The refresh tokens that newer ones replaced, one a line.
    pub(super) const REPLACED: &str = "replaced";
    /// The refresh token whose answer was lost.
    pub(super) const SPENT: &str = "spent";
    /// The client was logged out, once for each character: the fixed tokens in its options are no longer used.
    pub(super) const SIGNED_OUT: &str = "signedOut";
}

/// What to do next: JSON without its `remember`.
type Action = Writer;

/// One call of a method.
pub struct Call {
    goal: String,
    input: String,
    provider: &'static dyn Provider,
    /// Scheme, host and path prefix, without a slash at the end.
    base: String,
    /// The client's headers and the call's own: pairs in JSON.
    headers: List,
    /// What no message may hold.
    secrets: Vec<String>,
    /// The `Authorization` of somebody else's request that this call serves.
    forwarded: Option<String>,
    cookies: Vec<CookieSpec>,
    started: i64,
    /// The logouts of the client before this call.
    signed_out: Option<String>,
    attempt: u32,
    dialect: u8,
    /// An earlier attempt may have been carried out although its answer was lost.
    repeated: bool,
    tokens: Tokens,
    /// A token was refused before.
    refused: bool,
    refreshed: Option<String>,
    /// The access token that was refused just now.
    stale: Option<String>,
    sent: Option<(Endpoint, String)>,
    /// The last answer's id, without secrets.
    request_id: Option<String>,
    /// The result, while its last step is under way.
    pending: String,
    targets: Vec<String>,
    /// What was around the last event.
    around: Around,
}

/// What is around an event.
#[derive(Default)]
struct Around {
    now: i64,
    random: i64,
    browser: bool,
    offline: bool,
    /// JSON.
    memory: String,
    /// What was remembered since.
    remember: Vec<(&'static str, Option<String>)>,
}

impl Around {
    fn now(&self) -> Option<Time> {
        Time::from_millis(self.now)
    }

    fn recall(&self, key: &str) -> Option<String> {
        for (known, value) in self.remember.iter().rev() {
            if *known == key {
                return value.clone();
            }
        }
        Json::parse(self.memory.as_bytes())?.text(key)
    }

    fn remember(&mut self, key: &'static str, value: Option<&str>) {
        self.remember.push((key, value.map(str::to_owned)));
    }
}

/// The tokens a request goes out with, and the session they name.
#[derive(Default)]
struct Tokens {
    access: Option<String>,
    refresh: Option<String>,
    current: Option<String>,
}

const BAD_HEADER: &str = "a header has a name or a value that can't be sent: no line breaks, no characters beyond Latin-1";

/// What only a defect in the driver can bring about.
const OUT_OF_ORDER: &str = "an event out of order";

/// A longer id is a mistake or an attack.
const MAX_ID: usize = 512;

impl Call {
    /// A call of the method `goal`. The input is JSON, with the options and arguments by name.
    pub fn new(goal: &str, input: &str) -> Result<Self, Error> {
        let wrong = |what: &str| Error::new(Code::InvalidOptions, what);
        let json = Json::parse(input.as_bytes()).ok_or_else(|| wrong("the options hold a value that can't be read"))?;
        let mut cookies = Vec::new();
        for item in json.get("cookies").into_iter().flat_map(Json::items) {
            cookies.push(CookieSpec::read(item).map_err(wrong)?);
        }
        let forwarded = json.text("authorization");
        let (mut headers, mut secrets) = (List::default(), Vec::new());
        for (member, code) in [("headers", Code::InvalidOptions), ("callHeaders", Code::InvalidArgument)] {
            for pair in json.get(member).into_iter().flat_map(Json::items) {
                let mut texts = pair.items();
                let mut text = || texts.next().and_then(Json::as_str).unwrap_or_default();
                let (name, value) = (text(), text());
                if !is_valid_header(&name, &value) {
                    return Err(Error::new(code, BAD_HEADER));
                }
                if name.eq_ignore_ascii_case("authorization") {
                    return Err(Error::new(code, "headers can't hold Authorization: use token, or pass the request that is being served"));
                }
                // The client's own cookie is a credential too: it never serves somebody else's request.
                if forwarded.is_none() || code == Code::InvalidArgument || !name.eq_ignore_ascii_case("cookie") {
                    headers.push(pair.source());
                    add_secrets(&mut secrets, &value);
                }
            }
        }
        if forwarded.as_deref().is_some_and(|value| !is_valid_header("authorization", value)) {
            return Err(Error::new(Code::InvalidArgument, BAD_HEADER));
        }
        // "." and ".." survive percent-encoding as path steps: URL parsers take "%2e%2e" for "..".
        if json.text("id").is_some_and(|id| id.is_empty() || id.len() > MAX_ID || id == "." || id == "..") {
            return Err(Error::new(Code::InvalidArgument, "id must be a session's id: a string of 1 to 512 bytes, and not a path step"));
        }
        Ok(Self {
            goal: goal.to_owned(),
            provider: by_name(&json.text("provider").unwrap_or_default())?,
            base: json.text("base").ok_or_else(|| wrong("baseUrl is missing: where the back-end is, such as \"https://auth.example.com\""))?,
            input: input.to_owned(),
            headers,
            secrets,
            forwarded,
            cookies,
            started: 0,
            signed_out: None,
            attempt: 1,
            dialect: 0,
            repeated: false,
            tokens: Tokens::default(),
            refused: false,
            refreshed: None,
            stale: None,
            sent: None,
            request_id: None,
            pending: String::from("null"),
            targets: Vec::new(),
            around: Around::default(),
        })
    }

    /// What to do after an event.
    pub fn step(&mut self, event: &str, body: Vec<u8>) -> String {
        let mut action = match Json::parse(event.as_bytes()) {
            Some(event) => self.look_around(event).react(event, body).unwrap_or_else(|error| fail(&error)),
            None => fail(&Error::new(Code::Internal, OUT_OF_ORDER)),
        };
        let mut remember = Writer::new();
        for (key, value) in std::mem::take(&mut self.around.remember) {
            remember.text(key, value.as_deref());
        }
        action.text("requestId", self.request_id.as_deref()).json("remember", &remember.finish()).finish()
    }

    fn look_around(&mut self, event: Json<'_>) -> &mut Self {
        self.around = Around {
            now: event.number("now").unwrap_or(0),
            random: event.number("random").unwrap_or(0),
            browser: event.flag("browser") == Some(true),
            offline: event.flag("offline") == Some(true),
            memory: event.get("memory").map(Json::source).unwrap_or_default().to_owned(),
            remember: Vec::new(),
        };
        self
    }

    fn react(&mut self, event: Json<'_>, body: Vec<u8>) -> Result<Action, Error> {
        match event.text("event").as_deref() {
            Some("start") => self.start(),
            Some("tokens") => {
                self.take_tokens(event.text("access"), event.text("refresh"));
                if let Some(stale) = self.stale.take()
                    // Otherwise another call has refreshed while this one was on its way.
                    && Some(&stale) == self.tokens.access.as_ref()
                {
                    return Ok(to_do("refresh"));
                }
                self.send().or_else(|error| self.fail(error))
            }
            Some("answer") => {
                let mut headers = Vec::new();
                for name in READ_HEADERS {
                    headers.extend(event.get("headers").and_then(|headers| headers.text(name)).map(|value| (name, value)));
                }
                self.take_answer(&Response { status: event.number("status").unwrap_or(0) as u16, headers, body })
            }
            Some("failed") => {
                let mut error = Error::new(Code::by_name(&event.text("code").unwrap_or_default()), &event.text("message").unwrap_or_default());
                error.cause = event.number("cause").map(|cause| cause as u32);
                if event.flag("fatal") == Some(true) { self.fail(error) } else { self.retry(error) }
            }
            Some("refreshed") => {
                self.refreshed = event.text("access");
                Ok(to_do("tokens"))
            }
            Some("told") => Ok(done(&self.pending)),
            Some("each") => self.finish_each(event.get("codes")),
            _ => Ok(to_do("tokens")),
        }
    }

    fn start(&mut self) -> Result<Action, Error> {
        self.started = self.around.now;
        self.signed_out = self.around.recall(memory::SIGNED_OUT);
        self.dialect = u8::from(self.around.recall(memory::DIALECT).is_some());
        if self.goal == "capabilities" {
            return Ok(done(&self.provider.capabilities().to_json()));
        }
        self.operation().ok_or_else(|| Error::new(Code::Unsupported, "this back-end has no such operation: capabilities() tells which it has"))?;
        if !self.is_set("isSecure") && !self.is_set("allowInsecure") {
            let message = "plain http lets anybody on the way read the tokens: use https, or set allowInsecure";
            return self.fail(Error::new(Code::Insecure, message));
        }
        Ok(to_do("tokens"))
    }

    fn take_answer(&mut self, response: &Response) -> Result<Action, Error> {
        match self.read(response) {
            Ok(Answer::OtherDialect) => {
                self.dialect += 1;
                self.send().or_else(|error| {
                    // The other dialect can't do it: that is sure, and need not be found out again.
                    self.around.remember(memory::DIALECT, Some("1"));
                    self.fail(error)
                })
            }
            Ok(answer) => {
                self.around.remember(memory::DIALECT, (self.dialect > 0).then_some("1"));
                self.finish(answer)
            }
            Err(error) => self.retry(error),
        }
    }

    fn json(&self) -> Json<'_> {
        // It was read before.
        Json::parse(self.input.as_bytes()).unwrap_or(Json::NULL)
    }

    fn text(&self, name: &str) -> Option<String> {
        self.json().text(name)
    }

    fn number(&self, name: &str) -> i64 {
        self.json().number(name).unwrap_or(0)
    }

    fn is_set(&self, name: &str) -> bool {
        self.json().flag(name) == Some(true)
    }

    /// What the back-end is asked for this call.
    fn operation(&self) -> Option<Operation> {
        Some(match self.goal.as_str() {
            "list" | "get" | "current" | "revokeOthers" => Operation::List,
            "revoke" | "revokeCurrent" => Operation::Revoke,
            "revokeAll" => Operation::RevokeAll,
            "logout" => Operation::Logout,
            "refresh" => Operation::Refresh,
            _ => return None,
        })
    }

    /// Somebody else's request brings its own access token, and nothing of this client's is used for it.
    fn take_tokens(&mut self, access: Option<String>, refresh: Option<String>) {
        let (access, refresh) = match &self.forwarded {
            Some(authorization) => (Some(authorization.strip_prefix("Bearer ").unwrap_or(authorization).to_owned()), None),
            None => (self.refreshed.clone().or(access), refresh),
        };
        // The caller's function may not have heard of the newest one; the old one must not be sent again.
        let is_old = refresh.as_deref().is_some_and(|token| self.is_replaced(token));
        let refresh = if is_old { self.around.recall(memory::REFRESH) } else { refresh };
        let current = self.provider.current_id(access.as_deref(), refresh.as_deref());
        self.tokens = Tokens { access, refresh, current };
    }

    /// A refresh token of this client that a newer one has replaced.
    fn is_replaced(&self, token: &str) -> bool {
        let replaced = self.around.recall(memory::REPLACED).unwrap_or_default();
        has(&join(&["\n", &replaced, "\n"]), &join(&["\n", token, "\n"]))
    }

    /// The refresh token that a logout ends: the one it was given, unless that is this client's own in an older form.
    fn ended_token(&self) -> Option<String> {
        if self.ends_own() { self.tokens.refresh.clone() } else { self.text("endedToken").filter(|token| !token.is_empty()) }
    }

    fn ends_own(&self) -> bool {
        let given = self.text("endedToken");
        self.forwarded.is_none() && (given.is_none() || given == self.tokens.refresh || given.is_some_and(|token| self.is_replaced(&token)))
    }

    fn named_input(&self, name: &str) -> Option<String> {
        match name {
            "refreshToken" if self.goal == "logout" => self.ended_token(),
            "refreshToken" => self.tokens.refresh.clone(),
            "id" if self.goal == "revokeCurrent" => self.tokens.current.clone(),
            _ => self.text(name),
        }
    }

    fn send(&mut self) -> Result<Action, Error> {
        let Some(operation) = self.operation() else { return Err(Error::new(Code::Internal, OUT_OF_ORDER)) };
        if ["current", "revokeCurrent", "revokeOthers"].contains(&self.goal.as_str()) && self.tokens.current.is_none() {
            return Err(Error::new(Code::CurrentUnknown, "this back-end names the current session in the refresh token only: set refreshToken"));
        }
        if operation == Operation::Refresh {
            if self.tokens.refresh.is_some() && self.tokens.refresh == self.around.recall(memory::SPENT) {
                let message = "the answer to the last refresh was lost, and the same refresh token must not be sent twice: have the user sign in again";
                return Err(Error::new(Code::Unauthenticated, message));
            }
            if self.around.offline {
                return Err(Error::new(Code::Network, "the device is offline; the refresh token was not sent"));
            }
        }
        let input = |name: &str| self.named_input(name);
        let endpoint = self.provider.endpoint(operation, self.dialect, &|name| self.named_input(name).is_some())?;
        let mut headers = self.headers.clone();
        let mut header = |name: &str, value: &str| headers.push(&join(&["[", &quoted(name), ",", &quoted(value), "]"]));
        if endpoint.auth != Auth::None {
            let bearer = match &self.forwarded {
                Some(forwarded) => Some(forwarded.clone()),
                // Somebody else's token is ended with that token alone.
                None if self.goal == "logout" && !self.ends_own() => None,
                None => self.bearer(endpoint.auth)?,
            };
            if let Some(bearer) = bearer.filter(|bearer| !bearer.is_empty()) {
                header("authorization", &bearer);
            }
        }
        if endpoint.body.is_some() {
            header("content-type", "application/json");
        }
        if let Some(name) = endpoint.cookie
            && !self.around.browser
            && let Some(token) = input("refreshToken").filter(|token| is_cookie_value(token))
        {
            header("cookie", &join(&[name, "=", &token]));
        }
        let path = endpoint.fill_path(&input);
        let mut action = to_do("send");
        action
            .text("method", Some(endpoint.method.as_str()))
            .text("url", Some(&join(&[&self.base, &path])))
            .text("template", Some(endpoint.template()))
            .json("headers", &headers.finish())
            .text("body", endpoint.fill_body(&input).as_deref())
            .number("attempt", Some(self.attempt.into()));
        self.sent = Some((endpoint, path));
        Ok(action)
    }

    fn bearer(&self, auth: Auth) -> Result<Option<String>, Error> {
        match &self.tokens.access {
            None if auth == Auth::Access && !self.is_set("sendsCookies") => {
                Err(Error::new(Code::Unauthenticated, "there is no access token: set token, or have the user sign in"))
            }
            None => Ok(None),
            Some(token) if is_bearer(token) => Ok(Some(join(&["Bearer ", token]))),
            Some(_) => Err(Error::new(Code::InvalidOptions, "the token has characters that no token has: pass it without \"Bearer \"")),
        }
    }

    fn read<'r>(&mut self, response: &'r Response) -> Result<Answer<'r>, Error> {
        let (Some(operation), Some((endpoint, path))) = (self.operation(), &self.sent) else {
            return Err(Error::new(Code::Internal, OUT_OF_ORDER));
        };
        let asked = Asked { operation, dialect: self.dialect, endpoint, path, now: self.around.now() };
        // What no message may hold: the tokens, and whatever the headers carry.
        let mut secrets = self.secrets.clone();
        for secret in [&self.tokens.access, &self.tokens.refresh, &self.forwarded, &self.named_input("refreshToken")] {
            add_secrets(&mut secrets, secret.as_deref().unwrap_or_default());
        }
        self.request_id = response.header("x-request-id").map(|id| scrub(id, &secrets));
        self.provider.read(&asked, response).map_err(|mut error| {
            error.message = scrub(&error.message, &secrets);
            error.request_id.clone_from(&self.request_id);
            error.retry_after = response.header("retry-after").and_then(|value| retry::after(value, self.around.now()));
            error
        })
    }

    /// After an error: another attempt, a refresh, or the end.
    fn retry(&mut self, error: Error) -> Result<Action, Error> {
        let operation = self.operation();
        // Gone after a lost answer: it was this call that ended it.
        if self.repeated && error.code == Code::NotFound && matches!(operation, Some(Operation::Revoke | Operation::Logout)) {
            return self.finish(Answer::Ended { success: true, count: None, message: None });
        }
        let renewable = !matches!(operation, Some(Operation::Refresh | Operation::Logout))
            && self.provider.endpoint(Operation::Refresh, self.dialect, &|name| self.named_input(name).is_some()).is_ok();
        if error.code == Code::Unauthenticated && error.status.is_some() && renewable && !self.refused && self.tokens.refresh.is_some() {
            self.refused = true;
            self.stale = self.tokens.access.take();
            return Ok(to_do("tokens"));
        }
        self.repeated |= error.is_lost();
        match retry::delay(&error, self.attempt, self.number("maxRetryAfter"), self.around.random) {
            retry::Decision::TooLong => {
                let mut error = error;
                error.code = Code::RateLimited;
                error.message = "the back-end asks to wait longer than maxRetryAfter: try again after retryAfter seconds".to_owned();
                self.fail(error)
            }
            retry::Decision::Wait(delay) if operation != Some(Operation::Refresh) && i64::from(self.attempt) <= self.number("maxRetries") => {
                if self.around.now - self.started + i64::from(delay) >= self.number("totalTimeout") {
                    return self.fail(error);
                }
                self.attempt += 1;
                let mut action = to_do("wait");
                action.number("ms", Some(delay.into())).text("reason", Some(error.code.as_str())).number("attempt", Some(self.attempt.into()));
                Ok(action)
            }
            _ => self.fail(error),
        }
    }

    /// The end with an error; a logout has a result even then, and a refresh whose answer may be lost is remembered.
    fn fail(&mut self, error: Error) -> Result<Action, Error> {
        match self.operation() {
            Some(Operation::Refresh) if (error.is_lost() || self.repeated) && self.sent.is_some() => {
                let lost = self.tokens.refresh.clone();
                self.around.remember(memory::SPENT, lost.as_deref());
                Err(error)
            }
            Some(Operation::Logout) => {
                let server = match error.code {
                    _ if error.status.is_some() => "rejected",
                    Code::Network | Code::Timeout | Code::Aborted => "unreachable",
                    Code::InvalidResponse => "rejected",
                    _ => "skipped",
                };
                Ok(self.logged_out(server, Some(&error.message), Some(&error)))
            }
            _ => Err(error),
        }
    }

    fn finish(&mut self, answer: Answer<'_>) -> Result<Action, Error> {
        match answer {
            Answer::Page { items, table, count } => self.finish_list(items, table, count),
            Answer::Tokens { access, refresh, expires_at } => self.finish_refresh(&access, refresh, expires_at),
            Answer::Ended { message, .. } if self.goal == "logout" => Ok(self.logged_out("confirmed", message.as_deref(), None)),
            Answer::Ended { success, count, message } => {
                let mut out = Writer::new();
                if self.goal == "revokeAll" {
                    // A repeated request counts only what the first one left.
                    out.flag("success", true).number("count", count.filter(|_| !self.repeated)).text("message", message.as_deref().filter(|_| !self.repeated));
                    out.json("revoked", "null");
                } else {
                    let success = success || self.repeated;
                    out.text("id", self.named_input("id").as_deref()).flag("success", success);
                    out.text("outcome", Some(if success { "revoked" } else { "already-revoked" })).text("message", message.as_deref());
                }
                Ok(self.ended(out, self.valid_until()))
            }
            Answer::OtherDialect => Err(Error::new(Code::Internal, OUT_OF_ORDER)),
        }
    }

    /// What every revocation's result has.
    fn ended(&self, mut out: Writer, valid_until: Option<Time>) -> Action {
        out.text("effect", Some(self.provider.capabilities().effect)).text("accessTokenValidUntil", valid_until.map(Time::to_iso).as_deref());
        done(&out.finish())
    }

    fn finish_list(&mut self, items: Json<'_>, table: &'static [Field], count: Option<i64>) -> Result<Action, Error> {
        let mut field = "";
        for (name, wire, _) in table {
            if *name == "id" {
                field = wire;
            }
        }
        let id = |item: Json<'_>| item.text(field).unwrap_or_default();
        // Tokens that name none of the sessions tell nothing about any of them.
        let current = self.tokens.current.clone().filter(|current| items.items().any(|item| id(item) == *current));
        let write = |item: Json<'_>| session(item, table, current.as_ref().map(|current| *current == id(item)));
        if self.goal == "list" {
            let (mut sessions, mut total) = (List::default(), 0);
            for item in items.items() {
                sessions.push(&write(item));
                total += 1;
            }
            let mut page = Writer::new();
            page.json("sessions", &sessions.finish()).number("count", Some(count.unwrap_or(total))).json("total", "null").json("next", "null");
            return Ok(done(&page.finish()));
        }
        let is_get = self.goal == "get";
        let wanted = if is_get { self.text("id") } else { current.clone() };
        let found = items.items().find(|item| Some(id(*item)) == wanted).ok_or_else(|| {
            if is_get {
                return Error::new(Code::NotFound, "there is no such session among the active ones");
            }
            let message = "the session that the refresh token names is not listed: it was ended or refreshed elsewhere; set the newest refreshToken";
            Error::new(Code::CurrentUnknown, message)
        })?;
        if self.goal != "revokeOthers" {
            return Ok(done(&write(found)));
        }
        let mut ids = List::default();
        for item in items.items() {
            let id = id(item);
            if Some(&id) != wanted.as_ref() {
                ids.push(&quoted(&id));
                self.targets.push(id);
            }
        }
        let mut action = to_do("each");
        action.json("ids", &ids.finish());
        Ok(action)
    }

    fn finish_each(&mut self, codes: Option<Json<'_>>) -> Result<Action, Error> {
        let (mut revoked, mut failed, mut count) = (List::default(), List::default(), 0);
        let mut codes = codes.unwrap_or(Json::NULL).items();
        for (index, id) in self.targets.iter().enumerate() {
            // What was gone before counts as ended.
            match codes.next().map(Json::source) {
                Some("null" | "\"not_found\"") => {
                    revoked.push(&quoted(id));
                    count += 1;
                }
                _ => failed.push(&decimal(index as i64)),
            }
        }
        if failed.is_empty() {
            let valid_until = self.valid_until().filter(|_| count > 0);
            let mut out = Writer::new();
            out.flag("success", true).number("count", Some(count)).json("message", "null").json("revoked", &revoked.finish());
            return Ok(self.ended(out, valid_until));
        }
        let mut error = Error::new(Code::PartialRevocation, "some sessions could not be revoked: see revoked and failed, and call again to try the rest");
        error.partial = Some((revoked.finish(), failed.finish()));
        Err(error)
    }

    fn finish_refresh(&mut self, access: &str, refresh: Option<String>, expires_at: Option<Time>) -> Result<Action, Error> {
        let old = self.tokens.refresh.take();
        let hidden = self.around.browser && self.is_set("sendsCookies");
        let newest = refresh.or_else(|| old.clone().filter(|_| !hidden));
        let lost = self.around.recall(memory::SIGNED_OUT) != self.signed_out;
        self.around.remember(memory::SPENT, old.as_deref().filter(|_| lost));
        if lost {
            return Err(Error::new(Code::Unauthenticated, "the user logged out while the tokens were refreshed"));
        }
        self.around.remember(memory::ACCESS, Some(access));
        self.around.remember(memory::REFRESH, newest.as_deref());
        if old.is_some() && old != newest {
            // Newest first, and no more than anybody could still hold.
            let before = self.around.recall(memory::REPLACED).unwrap_or_default();
            let replaced = join(&[old.as_deref().unwrap_or_default(), "\n", before.get(..8000).unwrap_or(&before)]);
            self.around.remember(memory::REPLACED, Some(&replaced));
        }
        let mut out = Writer::new();
        out.text("accessToken", Some(access)).text("refreshToken", newest.as_deref()).text("expiresAt", expires_at.map(Time::to_iso).as_deref());
        self.pending = out.finish();
        let mut action = to_do("tell");
        action.json("value", &self.pending);
        Ok(action)
    }

    /// Tokens of this client are forgotten whatever the server said.
    fn logged_out(&mut self, server: &str, message: Option<&str>, error: Option<&Error>) -> Action {
        if self.ends_own() {
            // Longer each time: a refresh that was under way meanwhile sees the difference, one after the next sign-in does not.
            let times = join(&["1", &self.around.recall(memory::SIGNED_OUT).unwrap_or_default()]);
            self.around.remember(memory::SIGNED_OUT, Some(&times));
            self.around.remember(memory::ACCESS, None);
            self.around.remember(memory::REFRESH, None);
        }
        let mut out = Writer::new();
        out.flag("success", server == "confirmed").text("message", message).text("server", Some(server));
        out.json("setCookie", &cookie::set_cookies(&self.cookies));
        out.json("error", error.map(Error::to_json).as_deref().unwrap_or("null"));
        done(&out.finish())
    }

    /// Until when an access token of an ended session may still be accepted. Our own token says it of our own session. For another one its lifetime is the
    /// measure, and for all of them too, or at least our own token's end.
    fn valid_until(&self) -> Option<Time> {
        let claims = Claims::of(self.tokens.access.as_deref()?);
        let own = self.goal == "revokeCurrent" || self.tokens.current.is_some() && self.tokens.current == self.text("id");
        if own {
            return claims.expires_at;
        }
        let longest = || self.around.now()?.plus(claims.lifetime()?);
        longest().or(claims.expires_at.filter(|_| self.goal == "revokeAll"))
    }
}

/// A header's value and its parts: schemes and cookie names aside, each is a secret.
fn add_secrets(secrets: &mut Vec<String>, value: &str) {
    secrets.push(value.to_owned());
    let mut part = String::new();
    for next in value.chars().chain([' ']) {
        if !matches!(next, ' ' | ';' | '=') {
            part.push(next);
        } else if part.len() >= 8 {
            secrets.push(std::mem::take(&mut part));
        } else {
            part.clear();
        }
    }
}

fn to_do(what: &str) -> Action {
    let mut action = Writer::new();
    action.text("do", Some(what));
    action
}

fn done(value: &str) -> Action {
    let mut action = to_do("done");
    action.json("value", value);
    action
}

fn fail(error: &Error) -> Action {
    let mut action = to_do("fail");
    action.json("error", &error.to_json());
    action
}

/// What to do about a call that could not be made.
pub fn failed(error: &Error) -> String {
    fail(error).finish()
}

#[cfg(test)]
mod tests;
