//! The backend-for-frontend of `auth-sessions/edge`: what becomes of one browser's request.
//!
//! Like a call of the client it is a pure function, [`step`]: told what happened, it says what to do next. It decides which route is meant, whether the
//! browser may ask that, which cookies hold the tokens, what to ask the client, and what to answer; `src/npm/handler.js` does it. The client that it asks is the one
//! of the package, [`crate::client`].
//!
//! What comes in is one object: what was to be kept, the options (`provider`, `profile`, `base`, `allowed`: origins; `access` and `refresh`: the cookies as
//! `{"name","attributes"}`; `removals`: the `Set-Cookie` values that clear them; `hasScope`), the request (`method`, `path`, `cursor`, `pageSize`, `origin`: its own; `host`, `from`,
//! `site`, `cookie`, `size`, `preflight`: its headers `Host`, `Origin`, `Sec-Fetch-Site`, `Cookie`, `Content-Length` and `Access-Control-Request-Method`), `now`, and what
//! happened, `event`:
//!
//! | event | with |
//! |---|---|
//! | `start` | |
//! | `scoped` | `scope`: what the option of that name gave, or null |
//! | `refreshed`, `result` | `value`: what the client gave |
//! | `failed` | `error`: `code`, `message`, and what else its answer has |
//!
//! With the last three come `tokens`, the pair that the client was given meanwhile, and `isOver`: the user has logged out meanwhile.
//!
//! | do | with |
//! |---|---|
//! | `pass` | the path is none of ours |
//! | `scope` | ask the option |
//! | `refresh` | get new tokens |
//! | `call` | `operation`, and with `get` and `revoke` `id` |
//! | `answer` | `status`, `headers` (pairs), `cookies` (`Set-Cookie` values), `body`; `ends`: the user is logged out |
//!
//! `keep` has besides `accessToken` and `refreshToken`, what the client is to use, and `isKey`: the client uses the application's secret key instead, and the
//! access token only says which session is the current one. As such a key opens everybody's sessions, a session is looked up before it is ended: it has to be one of the user that
//! `scope` names.

mod cookie;

use crate::device::has;
use crate::error::Code;
use crate::http::{encoded, is_bearer, scrub};
use crate::json::{Document, Json, List, Writer, decimal, join, pair, quoted, root, unescape};
use crate::jwt::{Claims, payload};
use crate::provider::{Operation, by_name};
use crate::text::Text;
use crate::time::Time;
use Operation::{Get, List as ListAll, Logout, Refresh, Revoke, RevokeAll, RevokeOthers};

/// Longer ids and cursors are a mistake or an attack.
const MAX_ID: usize = 512;
const MAX_CURSOR: usize = 4096;
/// No route reads a body; what somebody sends by mistake is small.
const MAX_BODY: i64 = 16 * 1024;

/// What to do next about a request, in JSON: `call` is an array with what comes in.
pub fn step(call: &str) -> Text {
    let document = Document::read(call);
    let json = root(&document).items().next().unwrap_or(Json::NULL);
    let built_in = by_name(json.member("provider").word()).ok();
    let known = built_in.and_then(|provider| Document::read(provider.profile));
    let profile = json.get("profile").unwrap_or_else(|| root(&known));
    let visit = Visit { json, profile, is_key: profile.is("isKey") };
    visit.react()
}

/// What a route is for.
#[derive(Debug, PartialEq)]
struct Route<'a> {
    operation: Operation,
    /// As it stands in the path: percent-encoded.
    id: Option<&'a str>,
}

impl<'a> Route<'a> {
    fn of(path: &'a str, base: &str) -> Option<Self> {
        let rest = path.strip_prefix(base)?;
        let operation = match rest {
            "/sessions" => ListAll,
            "/sessions/revoke-others" => RevokeOthers,
            "/logout-all" => RevokeAll,
            "/logout" => Logout,
            _ => {
                let id = rest.strip_prefix("/sessions/")?.strip_suffix("/revoke")?;
                return (!id.is_empty() && !id.contains('/')).then_some(Self { operation: Revoke, id: Some(id) });
            }
        };
        Some(Self { operation, id: None })
    }

    /// Nothing changes by GET: links and images could ask it.
    fn method(&self) -> &'static str {
        if self.operation == ListAll { "GET" } else { "POST" }
    }
}

/// A refusal: status, code and words.
type Refusal = (i64, Code, &'static str);

const NOT_THEIRS: Refusal = (404, Code::NotFound, "this user has no such session");

/// One request as it is in one step: a view of what came in.
struct Visit<'a> {
    json: Json<'a>,
    profile: Json<'a>,
    is_key: bool,
}

impl<'a> Visit<'a> {
    fn react(&self) -> Text {
        let json = self.json;
        let path = json.member("path").as_words();
        let Some(route) = Route::of(&path, &json.member("base").as_words()) else {
            return Writer::new().text("do", Some("pass")).finish();
        };
        let next = match json.member("event").word() {
            "start" => self.start(&route),
            "scoped" => self.go_on(&route),
            "refreshed" => self.ask(&route),
            "result" => self.result(&route),
            _ => self.failed(&route),
        };
        next.unwrap_or_else(|(status, code, words)| self.answer(status, &error(code.as_str(), words), false))
    }

    fn start(&self, route: &Route<'_>) -> Result<Text, Refusal> {
        let json = self.json;
        let method = json.member("method").word();
        if method == "OPTIONS" && !json.member("preflight").is_null() && self.is_allowed_origin() {
            return Ok(self.answer(204, "", false));
        }
        if method != route.method() {
            return Err((405, Code::InvalidArgument, "this route has another method: see Allow"));
        }
        self.check_site(route)?;
        if json.number_or("size", 0) > MAX_BODY {
            return Err((413, Code::InvalidArgument, "the body is too large: this route takes none"));
        }
        if json.member("cursor").as_words().len() > MAX_CURSOR {
            return Err((400, Code::InvalidArgument, "cursor must be the next of an earlier page"));
        }
        if let Some(id) = route.id {
            let id = cookie::decode(id).ok_or((400, Code::InvalidArgument, "the session's id can't be read: percent-encode it"))?;
            // "." and ".." would be steps of a path.
            if id.len() > MAX_ID || id == "." || id == ".." {
                return Err((400, Code::InvalidArgument, "the session's id must be of 1 to 512 bytes, and not a path step"));
            }
        }
        if self.is_key && !json.is("hasScope") {
            return Err((500, Code::InvalidOptions, "set scope: with a secret key it has to say whose sessions these are"));
        }
        if json.is("hasScope") {
            return Ok(self.to_do("scope", None, ""));
        }
        self.go_on(route)
    }

    /// Refuses what another site makes a browser ask (CSRF). What a browser says of itself can't be forged by a page; `Origin` is for those that don't say it yet.
    fn check_site(&self, route: &Route<'_>) -> Result<(), Refusal> {
        let json = self.json;
        let (from, site) = (json.member("from"), json.member("site").word());
        let is_own = match site {
            "" if from.is_null() => route.operation == ListAll,
            "" => self.is_from_here(&from.as_words()),
            // Typed into the address bar.
            "none" => route.operation == ListAll,
            _ => site == "same-origin",
        };
        if is_own || self.is_allowed_origin() {
            return Ok(());
        }
        Err((
            403,
            Code::Forbidden,
            "only pages of this origin and of allowedOrigins may ask this: the request's Origin or Sec-Fetch-Site is another, or missing",
        ))
    }

    /// The origin is this server's. Behind a proxy, and in Next.js, a server may see another one of itself: no page can make a browser send another `Host`.
    fn is_from_here(&self, from: &str) -> bool {
        let (origin, host) = (self.json.member("origin").as_words(), self.json.member("host").as_words());
        from == origin || !host.is_empty() && (from == join("https://", &host, "") || origin.starts_with("http:") && from == join("http://", &host, ""))
    }

    fn is_allowed_origin(&self) -> bool {
        let from = self.json.member("from");
        !from.is_null() && self.json.member("allowed").items().any(|origin| origin.as_words() == from.as_words())
    }

    /// The token that a cookie of the request holds.
    fn cookie(&self, which: &str) -> Text {
        let found = cookie::find(&self.json.member("cookie").as_words(), &self.json.member(which).member("name").as_words());
        found.filter(|token| is_bearer(token)).unwrap_or_default()
    }

    /// With a secret key: the user whose sessions these are.
    fn owner(&self) -> Text {
        self.json.member("scope").member("userId").as_words()
    }

    fn go_on(&self, route: &Route<'_>) -> Result<Text, Refusal> {
        let (access, refresh) = (self.cookie("access"), self.cookie("refresh"));
        let is_signed_in = if self.is_key { !self.owner().is_empty() } else { !access.is_empty() || !refresh.is_empty() };
        if !is_signed_in {
            if route.operation == Logout {
                return Ok(self.answer(200, &logged_out("skipped", "null"), true));
            }
            let words = if self.is_key { "nobody is signed in: scope gave no userId" } else { "nobody is signed in: the request has no cookie with a token" };
            return Err((401, Code::Unauthenticated, words));
        }
        if self.is_key {
            return self.ask(route);
        }
        let payload = payload(&access);
        let document = Document::parse(&payload);
        let has_run_out = Claims::read(root(&document)).expires_at.is_some_and(|end| end.millis() <= self.json.number_or("now", 0));
        let can_refresh = !self.profile.member(Refresh.name()).is_null();
        // Nothing new is made to be ended at once.
        let logout = self.profile.member(Logout.name()).source();
        let takes_refresh = ["{refreshToken}", "\"refresh\"", "\"either\""].iter().any(|place| has(logout, place));
        let can_refresh = can_refresh && !(route.operation == Logout && takes_refresh);
        if (access.is_empty() || has_run_out) && !refresh.is_empty() && can_refresh {
            return Ok(self.to_do("refresh", Some(Refresh), ""));
        }
        self.ask(route)
    }

    /// Has the client do it. With a secret key it is first seen whose session it is.
    fn ask(&self, route: &Route<'_>) -> Result<Text, Refusal> {
        let mut id = self.id(route);
        if self.json.member("event").is_word("refreshed") && self.is_own(&id) {
            // The refresh may have made another session of it.
            for name in ["refreshToken", "accessToken"] {
                let renewed = session_of(&self.json.member("value").member(name).as_words());
                if !renewed.is_empty() {
                    id = renewed;
                }
            }
        }
        if self.is_key && matches!(route.operation, Revoke | Logout) {
            if id.is_empty() {
                return Ok(self.answer(200, &logged_out("skipped", "null"), true));
            }
            return Ok(self.to_do("call", Some(Get), &id));
        }
        Ok(self.to_do("call", Some(route.operation), if route.operation == Revoke { &id } else { "" }))
    }

    /// The session that a single revocation is about: the route's, or what the access token calls the current one. Nobody has verified that token.
    fn id(&self, route: &Route<'_>) -> Text {
        if let Some(id) = route.id {
            return cookie::decode(id).unwrap_or_default();
        }
        session_of(&self.cookie("access"))
    }

    /// The session is the one that the browser's tokens name.
    fn is_own(&self, id: &str) -> bool {
        ["access", "refresh"].iter().any(|which| session_of(&self.cookie(which)) == id)
    }

    fn to_do(&self, what: &str, operation: Option<Operation>, id: &str) -> Text {
        let name = operation.map(Operation::name);
        let mut keep = Writer::new();
        keep.text("asked", name);
        // The client may have newer ones since.
        if self.json.get("isKey").is_none() {
            keep.text("accessToken", Some(&self.cookie("access"))).text("refreshToken", Some(&self.cookie("refresh"))).flag("isKey", self.is_key);
        }
        let mut action = Writer::new();
        action.text("do", Some(what)).text("operation", name).text("id", Some(id)).json("keep", &keep.finish()).finish()
    }

    fn result(&self, route: &Route<'_>) -> Result<Text, Refusal> {
        let value = self.json.member("value");
        if self.json.member("asked").is_word(Get.name()) {
            if value.member("userId").as_words() == self.owner() {
                return Ok(self.to_do("call", Some(route.operation), &self.id(route)));
            }
            return if route.operation == Logout { Ok(self.answer(200, &logged_out("skipped", "null"), true)) } else { Err(NOT_THEIRS) };
        }
        let secrets = self.secrets();
        let body = value.map(&|name, value| match name {
            // They are on this very answer.
            "setCookie" => Some("[]".into()),
            // As it was asked for, whatever a refresh has made of it.
            "id" if route.operation == Revoke => Some(quoted(&self.id(route))),
            "sessions" => Some(value.map(&|_, session| {
                // What a secret key gets to see is not for browsers.
                Some(session.map(&|name, value| Some(if self.is_key && name == "raw" { "null".into() } else { cleaned(value, &secrets) })))
            })),
            _ => Some(cleaned(value, &secrets)),
        });
        // Of one application, it may have left this session alone.
        let is_all = self.json.member("scope").member("applicationId").is_null();
        let is_done = value.is("success");
        let ends = match route.operation {
            Logout => true,
            RevokeAll => is_all && is_done,
            // This very session.
            Revoke => is_done && self.is_own(&self.id(route)),
            _ => false,
        };
        Ok(self.answer(200, &body, ends))
    }

    /// The tokens of this request, and those that came meanwhile.
    fn secrets(&self) -> Vec<Text> {
        let (json, tokens) = (self.json, self.json.member("tokens"));
        let found = [json.member("accessToken"), json.member("refreshToken"), tokens.member("accessToken"), tokens.member("refreshToken")];
        let mut secrets = Vec::new();
        for token in found.iter().map(|token| token.as_words()).chain(["access", "refresh"].map(|which| self.cookie(which))) {
            // Whole: a part of one may be a session's id.
            secrets.push(encoded(&token));
            secrets.push(token);
        }
        secrets.retain(|secret| secret.len() > 3);
        secrets
    }

    fn failed(&self, route: &Route<'_>) -> Result<Text, Refusal> {
        let failure = self.json.member("error");
        let mut code = Code::by_name(failure.member("code").word());
        if route.operation == Logout {
            let asked = self.json.member("asked");
            // The old tokens may still do.
            if asked.is_word(Refresh.name()) {
                return self.ask(route);
            }
            let server = match code {
                _ if !failure.member("status").is_null() => "rejected",
                Code::Network | Code::Timeout | Code::Aborted => "unreachable",
                Code::InvalidResponse => "rejected",
                _ => "skipped",
            };
            return Ok(self.answer(200, &logged_out(server, failure.source()), true));
        }
        // Whether somebody else has it is nobody's business.
        if self.json.member("asked").is_word(Get.name()) && code == Code::NotFound {
            return Err(NOT_THEIRS);
        }
        // The browser has no part in what else a call is made of.
        let is_plain = route.id.is_none() && self.json.member("cursor").is_null() && self.json.member("pageSize").is_null();
        if code == Code::InvalidArgument && is_plain || code == Code::Unauthenticated && self.is_key {
            code = Code::InvalidOptions;
        }
        let mut out = Writer::new();
        out.text("code", Some(code.as_str()));
        for name in ["message", "revoked", "failed"] {
            if let Some(value) = failure.get(name) {
                out.json(name, value.source());
            }
        }
        Ok(self.answer(status_of(code), &Writer::new().json("error", &out.finish()).finish(), false))
    }

    /// The answer to the browser; with `ends` the cookies go.
    fn answer(&self, status: i64, body: &str, ends: bool) -> Text {
        let json = self.json;
        let mut headers = List::default();
        let mut header = |name: &str, value: &str| headers.push(&pair(name, value));
        header("cache-control", "no-store");
        header("vary", "Cookie, Origin, Sec-Fetch-Site");
        if !body.is_empty() {
            header("content-type", "application/json");
            header("x-content-type-options", "nosniff");
        }
        let path = json.member("path").as_words();
        let method = Route::of(&path, &json.member("base").as_words()).map_or("GET", |route| route.method());
        if status == 405 {
            header("allow", method);
        }
        if let Some(seconds) = json.member("error").number("retryAfter").filter(|_| status >= 400) {
            header("retry-after", &decimal(seconds));
        }
        if self.is_allowed_origin() {
            header("access-control-allow-origin", &json.member("from").as_words());
            header("access-control-allow-credentials", "true");
            header("access-control-expose-headers", "retry-after");
            if status == 204 {
                header("access-control-allow-methods", method);
            }
        }
        let mut cookies = List::default();
        let tokens = json.member("tokens");
        if ends {
            for removal in json.member("removals").items() {
                cookies.push(removal.source());
            }
        } else if !tokens.is_null() && !json.is("isOver") {
            for (which, token) in [("access", "accessToken"), ("refresh", "refreshToken")] {
                let token = tokens.member(token).as_words();
                if token.is_empty() || token == self.cookie(which) {
                    continue;
                }
                let ends_at = if which == "access" { Time::parse_iso(&tokens.member("expiresAt").as_words()) } else { None };
                let ends_at = ends_at.or_else(|| Claims::read(root(&Document::parse(&payload(&token)))).expires_at);
                let age = ends_at.map(|end| (end.millis() - json.number_or("now", 0)).max(0) / 1000);
                let (pair, attributes) = cookie::set(json.member(which), &token, age);
                // A browser would drop it without a word.
                if pair.len() > cookie::MOST {
                    let told = error(Code::Internal.as_str(), "the new tokens do not fit into cookies: 4096 bytes are all that browsers keep of one");
                    return written(500, &headers.finish(), "[]", &told).finish();
                }
                cookies.push(&quoted(&join(&pair, &attributes, "")));
            }
        }
        let mut action = written(status, &headers.finish(), &cookies.finish(), body);
        action.flag("ends", ends).finish()
    }
}

/// The session that a token names; nobody has verified it.
fn session_of(token: &str) -> Text {
    let payload = payload(token);
    let document = Document::parse(&payload);
    Claims::read(root(&document)).session_id.map(Json::as_words).unwrap_or_default()
}

/// A back-end may repeat a token in an answer that is right.
fn cleaned(json: Json<'_>, secrets: &[Text]) -> Text {
    let is_told = |text: &str| secrets.iter().any(|secret| has(text, secret));
    match json.as_str() {
        Some(text) if is_told(&text) => quoted(&scrub(&text, secrets)),
        Some(_) => json.source().into(),
        None => json.map(&|name, value| (!is_told(&unescape(name))).then(|| cleaned(value, secrets))),
    }
}

fn written(status: i64, headers: &str, cookies: &str, body: &str) -> Writer {
    let mut action = Writer::new();
    action.text("do", Some("answer")).number("status", status).json("headers", headers).json("cookies", cookies);
    action.text("body", Some(body).filter(|body| !body.is_empty()));
    action
}

fn error(code: &str, message: &str) -> Text {
    Writer::new().json("error", &Writer::new().text("code", Some(code)).text("message", Some(message)).finish()).finish()
}

/// A `LogoutResult` of a logout that asked nobody, or in vain.
fn logged_out(server: &str, error: &str) -> Text {
    let mut out = Writer::new();
    out.flag("success", false).json("message", "null").text("server", Some(server)).json("cookies", "[]").json("setCookie", "[]").json("error", error).finish()
}

/// The status that tells a browser of an error.
fn status_of(code: Code) -> i64 {
    match code {
        Code::InvalidArgument => 400,
        Code::Unauthenticated | Code::ReauthenticationRequired => 401,
        Code::Forbidden => 403,
        Code::NotFound => 404,
        Code::Conflict | Code::CurrentUnknown => 409,
        Code::Rejected => 422,
        Code::RateLimited => 429,
        Code::Unsupported => 501,
        Code::ServerError | Code::Network | Code::InvalidResponse | Code::PartialRevocation => 502,
        Code::Aborted => 503,
        Code::Timeout => 504,
        Code::InvalidOptions | Code::Insecure | Code::Internal => 500,
    }
}

#[cfg(test)]
mod tests;
