//! One client for all back-ends: what a call needs beyond making a request and reading its answer.
//!
//! A call is a small state machine. It is told what happened ([`Event`]) and says what to do next ([`Action`]); whoever drives it does the waiting. It
//! has no clock, no randomness and no I/O of its own, so every path can be tested without any.

mod retry;

use crate::cookie::{self, CookieSpec};
use crate::error::{Code, Error};
use crate::http::{Auth, BaseUrl, Endpoint, Method, Response, is_bearer, is_valid_header, scrub};
use crate::json::Json;
use crate::jwt::Claims;
use crate::provider::{Answer, Asked, Operation, Provider, by_name};
use crate::time::Time;
use crate::value::Value;

/// What is around a call: time, chance, and the client's memory between calls.
pub trait Surroundings {
    /// Now.
    fn now(&self) -> Option<Time>;
    /// From 0 to 1.
    fn random(&self) -> f64;
    /// The requests leave from a browser: cookies are out of reach.
    fn is_browser(&self) -> bool;
    /// The device knows that it has no network.
    fn is_offline(&self) -> bool;
    /// What was remembered.
    fn recall(&self, key: &str) -> Option<String>;
    /// Remembers, or forgets.
    fn remember(&self, key: &str, value: Option<&str>);
}

/// The keys of the memory.
pub mod memory {
    /// The back-end speaks its second dialect.
    pub const DIALECT: &str = "dialect";
    /// The newest access token, from a refresh.
    pub const ACCESS: &str = "access";
    /// The newest refresh token, from a refresh.
    pub const REFRESH: &str = "refresh";
    /// The refresh token that the newest one replaced.
    pub const REPLACED: &str = "replaced";
    /// The refresh token whose answer was lost.
    pub const SPENT: &str = "spent";
    /// The client was logged out: the fixed tokens in its options are no longer used.
    pub const SIGNED_OUT: &str = "signedOut";
}

/// What happened.
pub enum Event {
    /// The tokens that are set now, access and refresh.
    Tokens(Option<String>, Option<String>),
    /// An answer came.
    Answer(Response),
    /// No answer came, or something else outside failed.
    Failed(Error),
    /// The wait is over, or the caller has been told the tokens.
    Done,
    /// The tokens were refreshed; this is the new access token.
    Refreshed(String),
    /// Each session was tried: ended, or with an error of that code.
    Each(Vec<Option<Code>>),
}

/// What to do next.
pub enum Action {
    /// Ask for the tokens.
    Tokens,
    /// Send a request.
    Send(Outgoing),
    /// Wait so many milliseconds, because of that error, before the attempt of that number.
    Wait(u32, Code, u32),
    /// Have the tokens refreshed, once for all calls of the client.
    Refresh,
    /// Tell the caller these tokens.
    Tell(Value),
    /// End each of these sessions.
    Each(Vec<String>),
    /// Hand over the result.
    Finish(Value),
}

/// A request ready to leave.
pub struct Outgoing {
    /// Method.
    pub method: Method,
    /// Whole URL.
    pub url: String,
    /// Its path as it may be shown.
    pub template: &'static str,
    /// Checked headers.
    pub headers: Vec<(String, String)>,
    /// JSON text.
    pub body: Option<String>,
    /// Counted from 1.
    pub attempt: u32,
}

/// One call of a method.
pub struct Call<'a> {
    goal: &'a str,
    input: Json<'a>,
    around: &'a dyn Surroundings,
    provider: &'static dyn Provider,
    base: BaseUrl,
    fixed_headers: Vec<(String, String)>,
    call_headers: Vec<(String, String)>,
    /// The `Authorization` of somebody else's request that this call serves.
    forwarded: Option<String>,
    cookies: Vec<CookieSpec>,
    started: Option<Time>,
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
    sent: Option<(Endpoint, String, Vec<String>)>,
    /// A result, before its last step.
    pending: Value,
    targets: Vec<String>,
}

/// The tokens a request goes out with, and the session they name.
#[derive(Default)]
struct Tokens {
    access: Option<String>,
    refresh: Option<String>,
    current: Option<String>,
}

/// A longer id is a mistake or an attack.
const MAX_ID: usize = 512;

impl<'a> Call<'a> {
    /// A call of the method `goal`. The input has the options and arguments by name.
    pub fn new(goal: &'a str, input: Json<'a>, around: &'a dyn Surroundings) -> Result<Self, Error> {
        let wrong = |what: &str| Error::new(Code::InvalidOptions, what);
        let base = input.text("baseUrl").ok_or_else(|| wrong("baseUrl is missing: where the back-end is, such as \"https://auth.example.com\""));
        let mut cookies = Vec::new();
        for item in input.get("cookies").into_iter().flat_map(Json::items) {
            cookies.push(CookieSpec::read(item).map_err(wrong)?);
        }
        let call = Self {
            goal,
            input,
            around,
            provider: by_name(&input.text("provider").unwrap_or_default())?,
            base: BaseUrl::parse(&base?).map_err(wrong)?,
            fixed_headers: headers(input, "headers", Code::InvalidOptions)?,
            call_headers: headers(input, "callHeaders", Code::InvalidArgument)?,
            forwarded: input.text("authorization"),
            cookies,
            started: around.now(),
            attempt: 1,
            dialect: u8::from(around.recall(memory::DIALECT).is_some()),
            repeated: false,
            tokens: Tokens::default(),
            refused: false,
            refreshed: None,
            stale: None,
            sent: None,
            pending: Value::Null,
            targets: Vec::new(),
        };
        if call.forwarded.as_deref().is_some_and(|value| !is_valid_header("authorization", value)) {
            return Err(Error::new(Code::InvalidArgument, "the request's Authorization header can't be forwarded: it has characters that no header may have"));
        }
        // "." and ".." survive percent-encoding as path steps: URL parsers take "%2e%2e" for "..".
        if input.text("id").is_some_and(|id| id.is_empty() || id.len() > MAX_ID || id == "." || id == "..") {
            return Err(Error::new(Code::InvalidArgument, "id must be a session's id: a string of 1 to 512 bytes, and not a path step"));
        }
        Ok(call)
    }

    /// The first thing to do.
    pub fn start(&mut self) -> Result<Action, Error> {
        if self.goal == "capabilities" {
            return Ok(Action::Finish(self.provider.capabilities().to_value()));
        }
        self.operation().ok_or_else(|| Error::new(Code::Unsupported, "this back-end has no such operation: capabilities() tells which it has"))?;
        if !self.base.is_secure() && self.input.flag("allowInsecure") != Some(true) {
            let error = Error::new(
                Code::Insecure,
                "baseUrl is plain http, where anybody on the way can read the tokens: use https, or set allowInsecure for a network you trust",
            );
            return self.fail(error);
        }
        Ok(Action::Tokens)
    }

    /// What to do after an event.
    pub fn step(&mut self, event: Event) -> Result<Action, Error> {
        match event {
            Event::Tokens(access, refresh) => {
                self.take_tokens(access, refresh);
                if let Some(stale) = self.stale.take()
                    // Otherwise another call has refreshed while this one was on its way.
                    && Some(&stale) == self.tokens.access.as_ref()
                {
                    return Ok(Action::Refresh);
                }
                self.send().or_else(|error| self.fail(error))
            }
            Event::Answer(response) => match self.read(&response) {
                Ok(Answer::OtherDialect) => {
                    self.dialect += 1;
                    self.send().or_else(|error| self.fail(error))
                }
                Ok(answer) => {
                    self.around.remember(memory::DIALECT, (self.dialect > 0).then_some("1"));
                    self.finish(answer)
                }
                Err(error) => self.retry(error),
            },
            Event::Failed(error) => self.retry(error),
            Event::Done => {
                if let Value::Null = self.pending {
                    return Ok(Action::Tokens);
                }
                Ok(Action::Finish(std::mem::replace(&mut self.pending, Value::Null)))
            }
            Event::Refreshed(token) => {
                self.refreshed = Some(token);
                Ok(Action::Tokens)
            }
            Event::Each(errors) => self.finish_each(errors),
        }
    }

    /// What the back-end is asked for this call.
    fn operation(&self) -> Option<Operation> {
        Some(match self.goal {
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
        let refresh = if refresh.is_some() && refresh == self.around.recall(memory::REPLACED) { self.around.recall(memory::REFRESH) } else { refresh };
        let current = self.provider.current_id(access.as_deref(), refresh.as_deref());
        self.tokens = Tokens { access, refresh, current };
    }

    /// The refresh token that a logout ends: the one it was given, unless that is this client's own in an older form.
    fn ended_token(&self) -> Option<String> {
        let given = self.input.text("endedToken");
        if self.ends_own() { self.tokens.refresh.clone() } else { given }
    }

    fn ends_own(&self) -> bool {
        let given = self.input.text("endedToken");
        self.forwarded.is_none() && (given.is_none() || given == self.tokens.refresh || given == self.around.recall(memory::REPLACED))
    }

    fn named_input(&self, name: &str) -> Option<String> {
        match name {
            "refreshToken" if self.goal == "logout" => self.ended_token(),
            "refreshToken" => self.tokens.refresh.clone(),
            "id" if self.goal == "revokeCurrent" => self.tokens.current.clone(),
            _ => self.input.text(name),
        }
    }

    fn send(&mut self) -> Result<Action, Error> {
        let Some(operation) = self.operation() else { return Err(Error::new(Code::Internal, "nothing to send")) };
        if ["current", "revokeCurrent", "revokeOthers"].contains(&self.goal) && self.tokens.current.is_none() {
            return Err(Error::new(
                Code::CurrentUnknown,
                "which session is the current one can't be known: this back-end names it in the refresh token only, so set refreshToken",
            ));
        }
        if operation == Operation::Refresh {
            if self.tokens.refresh.is_some() && self.tokens.refresh == self.around.recall(memory::SPENT) {
                let message = "the answer to the last refresh was lost, and sending the same refresh token twice can end every session of the user: have the user sign in again";
                return Err(Error::new(Code::Unauthenticated, message));
            }
            if self.around.is_offline() {
                return Err(Error::new(Code::Network, "the device is offline; the refresh token was not sent"));
            }
        }
        let input = |name: &str| self.named_input(name);
        let endpoint = self.provider.endpoint(operation, self.dialect, &|name| self.named_input(name).is_some())?;
        let mut headers = Vec::new();
        if endpoint.auth != Auth::None {
            let bearer = match &self.forwarded {
                Some(forwarded) => Some(forwarded.clone()),
                None => self.bearer(endpoint.auth)?,
            };
            headers.extend(bearer.map(|value| ("authorization".to_owned(), value)));
        }
        if endpoint.body.is_some() {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        if let Some(name) = endpoint.cookie
            && !self.around.is_browser()
            && let Some(token) = input("refreshToken")
        {
            headers.push(("cookie".to_owned(), [name, "=", &token].concat()));
        }
        for (name, value) in &self.fixed_headers {
            // The client's own cookie is a credential too: it never serves somebody else's request.
            if self.forwarded.is_none() || !name.eq_ignore_ascii_case("cookie") {
                headers.push((name.clone(), value.clone()));
            }
        }
        headers.extend_from_slice(&self.call_headers);
        // What no message may hold: the tokens, and whatever the headers carry.
        let mut secrets: Vec<String> = [self.tokens.access.clone(), self.tokens.refresh.clone(), input("refreshToken")].into_iter().flatten().collect();
        secrets.extend(headers.iter().filter(|(name, _)| name != "content-type").map(|(_, value)| value.clone()));
        let path = endpoint.fill_path(&input);
        let outgoing = Outgoing {
            method: endpoint.method,
            url: self.base.join(&path),
            template: endpoint.template(),
            headers,
            body: endpoint.fill_body(&input),
            attempt: self.attempt,
        };
        self.sent = Some((endpoint, path, secrets));
        Ok(Action::Send(outgoing))
    }

    fn bearer(&self, auth: Auth) -> Result<Option<String>, Error> {
        match &self.tokens.access {
            None if auth == Auth::Access && self.input.flag("sendsCookies") != Some(true) => {
                Err(Error::new(Code::Unauthenticated, "there is no access token: set token, or have the user sign in"))
            }
            None => Ok(None),
            Some(token) if is_bearer(token) => Ok(Some(["Bearer ", token].concat())),
            Some(_) => Err(Error::new(Code::InvalidOptions, "the token has characters that no token has: pass the bare token, without \"Bearer \"")),
        }
    }

    fn read(&self, response: &Response) -> Result<Answer, Error> {
        let (Some(operation), Some((endpoint, path, secrets))) = (self.operation(), &self.sent) else {
            return Err(Error::new(Code::Internal, "an answer to nothing"));
        };
        let asked = Asked { operation, dialect: self.dialect, endpoint, path, now: self.around.now() };
        self.provider.read(&asked, response).map_err(|mut error| {
            error.message = scrub(&error.message, secrets);
            error.request_id = response.header("x-request-id").map(|id| scrub(id, secrets));
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
        let renewable = !matches!(operation, Some(Operation::Refresh | Operation::Logout));
        if error.code == Code::Unauthenticated && error.status.is_some() && renewable && !self.refused && self.tokens.refresh.is_some() {
            self.refused = true;
            self.stale = self.tokens.access.take();
            return Ok(Action::Tokens);
        }
        self.repeated |= error.is_lost();
        let number = |name| self.input.number(name).unwrap_or(0);
        match retry::delay(&error, self.attempt, number("maxRetryAfter"), self.around.random()) {
            retry::Decision::TooLong => {
                let mut error = error;
                error.code = Code::RateLimited;
                error.message = "the back-end asks to wait longer than maxRetryAfter: try again after retryAfter seconds".to_owned();
                self.fail(error)
            }
            retry::Decision::Wait(delay) if operation != Some(Operation::Refresh) && i64::from(self.attempt) <= number("maxRetries") => {
                let spent = self.around.now().zip(self.started).map_or(0, |(now, started)| now.millis() - started.millis());
                if spent + i64::from(delay) >= number("totalTimeout") {
                    return self.fail(error);
                }
                self.attempt += 1;
                Ok(Action::Wait(delay, error.code, self.attempt))
            }
            _ => self.fail(error),
        }
    }

    /// The end with an error; a logout has a result even then, and a refresh whose answer may be lost is remembered.
    pub fn fail(&mut self, error: Error) -> Result<Action, Error> {
        match self.operation() {
            Some(Operation::Refresh) if error.is_lost() => {
                self.around.remember(memory::SPENT, self.tokens.refresh.as_deref());
                Err(error)
            }
            Some(Operation::Logout) => {
                let server = match error.code {
                    _ if error.status.is_some() => "rejected",
                    Code::Network | Code::Timeout | Code::Aborted => "unreachable",
                    Code::InvalidResponse => "rejected",
                    _ => "skipped",
                };
                Ok(self.logged_out(server, Some(error.message.clone()), Some(error)))
            }
            _ => Err(error),
        }
    }

    fn finish(&mut self, answer: Answer) -> Result<Action, Error> {
        match answer {
            Answer::Page { sessions, count } => self.finish_list(sessions, count),
            Answer::Tokens { access, refresh, expires_at } => self.finish_refresh(access, refresh, expires_at),
            Answer::Ended { message, .. } if self.goal == "logout" => Ok(self.logged_out("confirmed", message, None)),
            Answer::Ended { success, count, message } => {
                let mut members = vec![];
                if self.goal == "revokeAll" {
                    // A repeated request counts only what the first one left.
                    let said = |known: Value| if self.repeated { Value::Null } else { known };
                    members.extend([("count", said(Value::number(count))), ("message", said(Value::text(message))), ("revoked", Value::Null)]);
                } else {
                    let success = success || self.repeated;
                    members.push(("id", Value::text(self.named_input("id"))));
                    members.push(("outcome", Value::Word(if success { "revoked" } else { "already-revoked" })));
                    members.push(("message", Value::text(message)));
                    members.push(("success", Value::Flag(success)));
                }
                Ok(self.ended(members, self.valid_until()))
            }
            Answer::OtherDialect => Err(Error::new(Code::Internal, "a dialect is not a result")),
        }
    }

    /// What every revocation's result has.
    fn ended(&self, mut members: Vec<(&'static str, Value)>, valid_until: Value) -> Action {
        if !members.iter().any(|(name, _)| *name == "success") {
            members.push(("success", Value::Flag(true)));
        }
        members.push(("effect", Value::Word(self.provider.capabilities().effect)));
        members.push(("accessTokenValidUntil", valid_until));
        Action::Finish(Value::Object(members))
    }

    fn finish_list(&mut self, mut sessions: Vec<Value>, count: Option<i64>) -> Result<Action, Error> {
        // Tokens that name none of the sessions tell nothing about any of them.
        let current = self.tokens.current.as_deref().filter(|current| sessions.iter().any(|session| session.str("id") == *current));
        let known = current.map(str::to_owned);
        for session in &mut sessions {
            let is_current = known.as_deref().map(|current| session.str("id") == current);
            session.set("current", is_current.map_or(Value::Null, Value::Flag));
        }
        let wanted = if self.goal == "get" { self.input.text("id") } else { known };
        match (self.goal, wanted) {
            ("list", _) => {
                let count = count.unwrap_or(sessions.len() as i64);
                let page = vec![("sessions", Value::List(sessions)), ("count", Value::Number(count)), ("total", Value::Null), ("next", Value::Null)];
                Ok(Action::Finish(Value::Object(page)))
            }
            ("revokeOthers", Some(current)) => {
                self.targets = sessions.iter().map(|session| session.str("id").to_owned()).filter(|id| *id != current).collect();
                Ok(Action::Each(self.targets.clone()))
            }
            (goal, wanted) => {
                let found = wanted.and_then(|id| sessions.into_iter().find(|session| session.str("id") == id));
                found.map(Action::Finish).ok_or_else(|| {
                    if goal == "get" {
                        return Error::new(Code::NotFound, "there is no such session among the active ones");
                    }
                    Error::new(Code::CurrentUnknown, "the back-end does not list the session that the refresh token names: it was ended, or refreshed elsewhere; sign in again or set the newest refreshToken")
                })
            }
        }
    }

    fn finish_each(&mut self, errors: Vec<Option<Code>>) -> Result<Action, Error> {
        let (mut revoked, mut failed) = (Vec::new(), Vec::new());
        for (index, (id, error)) in self.targets.iter().zip(errors).enumerate() {
            match error {
                // What was gone before counts as ended.
                None | Some(Code::NotFound) => revoked.push(Value::Text(id.clone())),
                Some(_) => failed.push(Value::Number(index as i64)),
            }
        }
        if failed.is_empty() {
            let valid_until = if revoked.is_empty() { Value::Null } else { self.valid_until() };
            return Ok(
                self.ended(vec![("count", Value::Number(revoked.len() as i64)), ("message", Value::Null), ("revoked", Value::List(revoked))], valid_until)
            );
        }
        let mut error = Error::new(Code::PartialRevocation, "some sessions could not be revoked: see revoked and failed, and call again to try the rest");
        error.partial = Some((Value::List(revoked), Value::List(failed)));
        Err(error)
    }

    fn finish_refresh(&mut self, access: String, refresh: Option<String>, expires_at: Option<Time>) -> Result<Action, Error> {
        let old = self.tokens.refresh.take();
        let hidden = self.around.is_browser() && self.input.flag("sendsCookies") == Some(true);
        let newest = refresh.or_else(|| old.clone().filter(|_| !hidden));
        self.around.remember(memory::SPENT, None);
        if self.around.recall(memory::SIGNED_OUT).is_some() {
            return Err(Error::new(Code::Unauthenticated, "the user logged out while the tokens were refreshed"));
        }
        self.around.remember(memory::ACCESS, Some(&access));
        self.around.remember(memory::REFRESH, newest.as_deref());
        self.around.remember(memory::REPLACED, old.as_deref().filter(|old| Some(*old) != newest.as_deref()));
        self.pending = Value::Object(vec![("accessToken", Value::Text(access)), ("refreshToken", Value::text(newest)), ("expiresAt", Value::time(expires_at))]);
        Ok(Action::Tell(self.pending.clone()))
    }

    /// Tokens of this client are forgotten whatever the server said.
    fn logged_out(&mut self, server: &'static str, message: Option<String>, error: Option<Error>) -> Action {
        if self.ends_own() {
            self.around.remember(memory::SIGNED_OUT, Some("1"));
            self.around.remember(memory::ACCESS, None);
            self.around.remember(memory::REFRESH, None);
        }
        Action::Finish(Value::Object(vec![
            ("success", Value::Flag(server == "confirmed")),
            ("message", Value::text(message)),
            ("server", Value::Word(server)),
            ("setCookie", cookie::set_cookies(&self.cookies)),
            ("removals", cookie::removals(&self.cookies)),
            ("error", error.map_or(Value::Null, Error::into_value)),
        ]))
    }

    /// Until when an access token of an ended session may still be accepted. Our own token says it of our own session. For another one its lifetime is the
    /// measure, and for all of them too, or at least our own token's end.
    fn valid_until(&self) -> Value {
        let claims = self.tokens.access.as_deref().map(Claims::of).unwrap_or_default();
        let own = self.goal == "revokeCurrent" || self.tokens.current.is_some() && self.tokens.current == self.input.text("id");
        if own {
            return Value::time(claims.expires_at);
        }
        let longest = || self.around.now()?.plus(claims.lifetime()?);
        Value::time(longest().or(claims.expires_at.filter(|_| self.goal == "revokeAll")))
    }
}

fn headers(input: Json<'_>, member: &str, code: Code) -> Result<Vec<(String, String)>, Error> {
    let mut headers = Vec::new();
    for pair in input.get(member).into_iter().flat_map(Json::items) {
        let mut pair = pair.items().filter_map(Json::as_str);
        let (name, value) = (pair.next().unwrap_or_default(), pair.next().unwrap_or_default());
        if !is_valid_header(&name, &value) {
            return Err(Error::new(code, "headers must be header names with values that have no line breaks"));
        }
        if name.eq_ignore_ascii_case("authorization") {
            return Err(Error::new(code, "headers can't hold Authorization: use token, or pass the request that is being served"));
        }
        headers.push((name, value));
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {}
