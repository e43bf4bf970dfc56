//! One client for all back-ends: what a call needs beyond making a request and reading its answer.
//!
//! A call is a pure function, told what happened and saying what to do next: [`step`]. It has no clock, no randomness, no I/O and no memory: all that it
//! knows comes in, in JSON, and all that is to be known later goes out. Whoever drives it does the waiting and keeps what it is given to keep, so every path
//! can be tested without any, and nothing is lost with an instance of the wasm module.
//!
//! What comes in is one object: the options and arguments by name, what was to be kept, what happened (`event` and what belongs to it), and what is around:
//! for a refresh `adopted`, a pair that somebody else has got for this client's refresh token, `now` (milliseconds), `random` (0 to 1000), `browser`, `offline`, `isRefreshing` (a refresh of this client is under way), `isRenewed` (a refresh token in the memory's `replaced` names the session that is to be ended), and `memory`, an object of texts that the driver keeps for the client from call to call. It adds one itself: `skew`, how many milliseconds the back-end's clock is ahead, where an answer's `Date` told.
//!
//! | event | with |
//! |---|---|
//! | `start` | what belongs to `tokens`, where nobody has to be asked for them |
//! | `waited`, `told` | |
//! | `tokens` | `access`, `refresh`: the tokens that are set now; `csrf`: the value of the cookie that the profile's `csrf` names |
//! | `answer` | `answered` (the status), `received` (an object of the headers in [`crate::http::READ_HEADERS`]; a date in `retry-after` as seconds from now), the body beside it, and `listed` where the driver has read the sessions in it (the body may be left out then) |
//! | `failed` | `failure`: `code`, `message`, `cause` (a number of the driver's own), `fatal`: no answer, or something else outside failed |
//! | `refreshed` | `refreshed`: the new access token |
//! | `reauthenticated` | `again`: the user has signed in again |
//! | `each` | `codes`: for each id null, or the code of its error |
//!
//! What to do: an object with `do` and what belongs to it, with `keep`, what is to come in with the next event, `remember`, an object of texts to put into
//! the memory, or null to forget, and with `requestId` and `warnings`, what the answer said besides, without secrets.
//!
//! | do | with |
//! |---|---|
//! | `tokens` | `own`: ask for the tokens of this client, where `isGone` was kept when no refresh is under way any more; otherwise somebody else's request is served |
//! | `send` | `method`, `url`, `template` (the path as it may be shown), `headers`, `body`, `attempt`; `read` where the answer has sessions: how to read them |
//! | `wait` | `ms`, `reason`, `attempt` |
//! | `refresh` | have the tokens refreshed, once for all calls of the client |
//! | `reauthenticate` | `error`: ask the user to sign in again |
//! | `tell` | `value`: tell the caller these tokens |
//! | `each` | `ids`: end each of these sessions, the last one when all others are done if `last`, and not faster than `limits`: pairs of milliseconds and a number |
//! | `done` | `value`: the result |
//! | `fail` | `error`: the fields of a `SessionsError` |
//!
//! Sessions are read by the driver, or else here (`crate::model`, not in the npm package's wasm). `read` says how: `list`, the profile's; `item`, where the one session is in the
//! answer, otherwise it is a list; `current`, the current session's id where it is known; `isCurrent`: what is asked for is that session. `listed` says what was found:
//!
//! | `listed` | is |
//! |---|---|
//! | `found` | of one session, or of the one in the list that the goal is about: `id`, `handle` (what its revocation takes), `session` |
//! | `size` | how many are listed; without it, it is no list |
//! | `lacks` | "id": one of them has none |
//! | `areNumbers` | ids are numbers |
//! | `count`, `total`, `next` | what the list says of itself |
//! | `again` | how many of them were on earlier pages |
//! | `currents`, `ids` | unless they are to be listed, the ids of those that are marked as the current one, and of the others that are not over |
//! | `handles` | by id what the revocation of each takes |
//! | `sessions` | if they are to be listed |
//!
//! A driver that keeps sessions and handles to itself leaves them out, puts the sessions into the result, and tells the `handle` of the session that a call is about with the `tokens`.

mod retry;

use crate::device::has;
use crate::error::{Code, Error};
use crate::http::{Response, encoded, fill, fill_path, is_bearer, is_cookie_value, other_slash, scrub, scrub_json, without_query};
use crate::json::{Document, Json, List, Writer, decimal, join, pair, plain, quoted, root, scaled, words};
use crate::jwt::{Claims, payload};
use crate::model::{Reading, listing};
use crate::provider::{Answer, Asked, Hook, OPERATIONS, Operation, by_name, list, read};
use crate::secret::Secret;
use crate::text::Text;
use crate::time::Time;
use Operation::{Create, Current, Get, List as ListAll, Logout, Refresh, RefreshSession, Revoke, RevokeAll, RevokeCurrent, RevokeOthers};

/// The keys of the memory, besides the names of operations: those with a dialect of their own that was found to be the second.
mod memory {
    /// The back-end speaks its second dialect.
    pub(super) const DIALECT: &str = "dialect";
    /// The newest access token, from a refresh.
    pub(super) const ACCESS: &str = "accessToken";
    /// From when on that one is to be replaced: milliseconds by the local clock.
    pub(super) const DUE: &str = "due";
    /// How far the back-end's clock is ahead of the local one: milliseconds. The driver writes it.
    pub(super) const SKEW: &str = "skew";
    /// The access token for which a refresh before its end failed: that is left to the 401.
    pub(super) const LEFT: &str = "left";
    /// The newest refresh token, from a refresh.
    pub(super) const REFRESH: &str = "refreshToken";
    /// The refresh tokens that newer ones replaced, one a line.
    pub(super) const REPLACED: &str = "replaced";
    /// The refresh tokens whose answers were lost, one a line.
    pub(super) const SPENT: &str = "spent";
    /// The client was logged out, once for each character: the fixed tokens in its options are no longer used.
    pub(super) const SIGNED_OUT: &str = "signedOut";
    /// The current session's id, from an earlier call.
    pub(super) const CURRENT: &str = "currentId";
    /// The access token with which this and the handles were learnt: what is known of one user is nothing for the next.
    pub(super) const LEARNT_WITH: &str = "learntWith";
    /// What the revocation of each listed session takes, by id: JSON.
    pub(super) const HANDLES: &str = "handles";
    /// Ids are numbers on the wire.
    pub(super) const NUMBERS: &str = "numbers";
}

/// Sessions are read here where the driver has not done it. The npm package's always does.
const READS: bool = cfg!(any(not(target_arch = "wasm32"), feature = "read"));

/// What only a defect in the driver can bring about.
const OUT_OF_ORDER: &str = "an event out of order";

/// More sessions of one user are a mistake or an attack: they are compared with each other.
const MAX_TARGETS: usize = 10_000;

/// A longer id is a mistake or an attack.
const MAX_ID: usize = 512;

/// What to do next about a call, in JSON; `call` and the answer's body are what comes in.
pub fn step(call: &str, body: &[u8]) -> Text {
    // What only one step makes has to outlive it.
    let document = Document::read(call);
    let json = root(&document);
    let provider = by_name(json.member("provider").word());
    let known = provider.as_ref().ok().and_then(|provider| Document::read(provider.profile));
    let profile = json.get("profile").unwrap_or_else(|| root(&known));
    let forwarded = json.get("authorization").map(Json::as_words);
    let is_key = profile.is("isKey");
    let memory = json.member("memory");
    // Somebody else's request brings its own access token, and nothing of this client's is used for it. With a secret key it only names a session.
    let mut given = json.get("refreshed").unwrap_or_else(|| json.member("access")).as_words();
    let mut refresh = if forwarded.is_some() { Text::default() } else { json.member("refresh").as_words() };
    let mut keep = Writer::new();
    // The caller's functions may not have heard of the newest ones; the old one must not be sent again. What is sent is known when it is answered.
    if json.member("event").is_among("start tokens") && is_among(memory, memory::REPLACED, &refresh) {
        refresh = memory.member(memory::REFRESH).as_words();
        given = memory.text(memory::ACCESS).unwrap_or(given);
        keep.text("access", Some(&given)).text("refresh", Some(&refresh));
    }
    let user = match &forwarded {
        Some(authorization) => authorization.strip_prefix("Bearer ").unwrap_or(authorization).into(),
        None if is_key => Text::default(),
        None => given.clone(),
    };
    let (user_payload, refresh_payload) = (payload(&user), payload(&refresh));
    let (user_document, refresh_document) = (Document::parse(&user_payload), Document::parse(&refresh_payload));
    let (user_claims, refresh_claims) = (Claims::read(root(&user_document)), Claims::read(root(&refresh_document)));
    let answer = Document::parse(body);
    let (goal, step) = (Operation::by_name(json.member("goal").word()), Operation::by_name(json.member("step").word()));
    let dialect = json.number_or("dialect", 0);
    let access = if is_key { &given } else { &user };
    let current = user_claims.session_id.or(refresh_claims.session_id);
    let listed = json.member("listed");
    let listing = (READS && listed.is_null() && !body.is_empty()).then(|| {
        let item = step.and_then(|step| endpoint(profile, step, dialect).get("item")).map(Json::word);
        let current = current.or_else(|| learnt(memory, memory::CURRENT, forwarded.as_deref(), &user));
        let is_paged = json.get("page").or_else(|| json.get("cursor")).is_some();
        let reading = Reading { list: list(profile), item, goal, step, id: json.member("id"), access, current, is_paged };
        if item.is_some() || step == Some(ListAll) { listing(&reading, root(&answer)) } else { Text::default() }
    });
    let document = listing.as_deref().and_then(Document::read);
    let listed = document.as_ref().map_or(listed, Document::root);
    let mut remember = Writer::new();
    let mut about = About::default();
    let mut call = Call {
        json,
        memory,
        profile,
        list: list(profile),
        hook: provider.as_ref().map(|provider| provider.hook).ok(),
        goal,
        step,
        forwarded: forwarded.as_deref(),
        is_key,
        access: Secret::new(access),
        user: Secret::new(&user),
        refresh: Secret::new(&refresh),
        current,
        listed,
        claims: user_claims,
        now: json.number_or("now", 0),
        attempt: json.number_or("attempt", 1),
        dialect,
        is_repeated: json.is("isRepeated"),
        id: json.get("foundId").or_else(|| json.get("id")),
        handle: json.member("handle"),
        cursor: json.get("page").unwrap_or_else(|| json.member("cursor")).source().into(),
        keep: &mut keep,
        remember: &mut remember,
        about: &mut about,
    };
    let result = match provider {
        Err(error) => Err(error),
        Ok(_) => call.react(&answer, body),
    };
    let (attempt, dialect, is_repeated) = (call.attempt, call.dialect, call.is_repeated);
    let (now_at, cursor) = (call.step, std::mem::take(&mut call.cursor));
    let mut action = result.unwrap_or_else(|error| {
        let mut action = to_do("fail");
        action.json("error", &call.cleaned(error));
        action
    });
    let clean = |text: &Option<Text>| text.as_deref().map(|text| scrub(text, &call.secrets()));
    let (request_id, warnings) = (clean(&call.about.request_id), clean(&call.about.warnings));
    keep.number("attempt", attempt).number("dialect", dialect).flag("isRepeated", is_repeated).json("page", &cursor);
    keep.text("step", now_at.map(Operation::name));
    action.text("requestId", request_id.as_deref()).text("warnings", warnings.as_deref());
    action.json("keep", &keep.finish()).json("remember", &remember.finish()).finish()
}

/// What the last answer said besides.
#[derive(Default)]
struct About {
    request_id: Option<Text>,
    warnings: Option<Text>,
}

/// What to do next: JSON without its end.
type Action = Writer;

/// A call as it is in one step. Almost all of it is a view of what came in.
struct Call<'a> {
    json: Json<'a>,
    memory: Json<'a>,
    /// The provider's own, or the caller's.
    profile: Json<'a>,
    /// Its list, which says how sessions are read.
    list: Json<'a>,
    hook: Option<Hook>,
    /// What the caller wants; `None` is not to ask the back-end at all.
    goal: Option<Operation>,
    /// What is asked now, on the way to the goal.
    step: Option<Operation>,
    /// The `Authorization` of somebody else's request that this call serves.
    forwarded: Option<&'a str>,
    /// The token is the application's secret key, not the user's.
    is_key: bool,
    /// The tokens a request goes out with; empty where there is none. `user` is the access token that is the user's.
    access: Secret<&'a str>,
    user: Secret<&'a str>,
    refresh: Secret<&'a str>,
    /// What the user's access token says.
    claims: Claims<'a>,
    /// The id of the session that the tokens name.
    current: Option<Json<'a>>,
    /// What was read of sessions in the answer.
    listed: Json<'a>,
    now: i64,
    attempt: i64,
    dialect: i64,
    /// An earlier attempt may have been carried out although its answer was lost.
    is_repeated: bool,
    /// The session that this is about, and what its revocation takes.
    id: Option<Json<'a>>,
    handle: Json<'a>,
    /// The page to ask for: JSON.
    cursor: Text,
    keep: &'a mut Writer,
    remember: &'a mut Writer,
    about: &'a mut About,
}

impl<'a> Call<'a> {
    fn react(&mut self, answer: &'a Option<Document<'a>>, body: &[u8]) -> Result<Action, Error> {
        match self.json.member("event").word() {
            "start" => self.start(),
            "tokens" => self.take_tokens(),
            "answer" => {
                let status = self.json.number_or("answered", 0);
                self.take_answer(Response {
                    status,
                    headers: self.json.member("received"),
                    body: root(answer),
                    is_page: match body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start() {
                        [b'<', ..] => true,
                        [b'{' | b'[', ..] => answer.is_none(),
                        _ => false,
                    },
                    is_broken: answer.is_none(),
                })
            }
            "failed" => {
                let failure = self.json.member("failure");
                let error = failed(failure);
                // The token may be good for a moment yet, unless the user has logged out.
                if self.json.is("isEarly") && error.code != Code::Internal {
                    self.keep.flag("isEarly", false).json("unrefreshed", failure.source());
                    self.remember.text(memory::LEFT, Some(self.access.expose()));
                    return Ok(self.ask_tokens());
                }
                if failure.is("fatal") { self.fail(error) } else { self.retry(error) }
            }
            // Another tab's tokens may be old as well, but not again and again.
            "refreshed" if self.json.is("wasAdopted") && !self.json.is("hasAdopted") => {
                self.keep.flag("wasRefused", false).flag("hasAdopted", true);
                Ok(self.ask_tokens())
            }
            "reauthenticated" if !self.json.is("again") => {
                let mut action = to_do("fail");
                action.json("error", self.json.member("unfresh").source());
                Ok(action)
            }
            "reauthenticated" => {
                // The user took their time, and has new tokens.
                self.keep.number("started", self.now).json("refreshed", "null").flag("wasRefused", false);
                // That may have been a logout and a new sign-in: whose tokens they are is seen then.
                self.keep.json("signedOut", self.memory.member(memory::SIGNED_OUT).source());
                Ok(self.ask_tokens())
            }
            "told" => Ok(done(self.json.member("pending").source())),
            "each" => self.finish_each(None),
            _ => Ok(self.ask_tokens()),
        }
    }

    fn take_tokens(&mut self) -> Result<Action, Error> {
        let stale = self.json.member("stale");
        self.keep.json("stale", "null");
        let adopted = self.json.member("adopted");
        if !adopted.is_null() {
            let expires_at = Time::parse_iso(&adopted.member("expiresAt").as_words());
            let token = |name| adopted.text(name).map(Secret::new);
            return self.finish_refresh(
                &token("accessToken").unwrap_or_default(),
                Some(token("refreshToken").unwrap_or_default()),
                expires_at,
                adopted.number("at"),
            );
        }
        // Tokens that are asked for again may be the next user's: what one wanted is not done to another.
        if let Some(user) = self.claims.user.map(Json::as_words) {
            if self.json.get("user").is_some_and(|before| before.as_words() != user) {
                return self.fail(Error::new(Code::Unauthenticated, "another user has signed in meanwhile"));
            }
            self.keep.text("user", Some(&user));
        }
        // A refresh may have made another session of the one that is to be ended.
        let is_newest = self.memory.member(memory::REFRESH).as_words() == self.refresh.expose();
        // An id from before is asked for first: a back-end may keep both.
        let is_due = is_newest && self.was_renewed() && (self.json.is("isGone") || !self.json.member("ownToken").is_null());
        if let (Some(Revoke), true, Some(current)) = (self.goal, is_due, self.current) {
            self.is_repeated &= self.json.member("foundId").as_words() == current.as_words();
            self.id = Some(current);
            self.keep.json("foundId", current.source());
        }
        if self.targets_current() {
            self.keep.text("ownToken", Some(self.refresh.expose()));
        }
        // Otherwise another call has refreshed while this one was on its way.
        if !stale.is_null() && stale.as_words() == self.access.expose() {
            return Ok(to_do("refresh"));
        }
        let is_early = self.is_due();
        self.keep.flag("isEarly", is_early);
        if is_early {
            self.keep.flag("wasRefused", true);
            return Ok(to_do("refresh"));
        }
        self.go_on().or_else(|error| self.fail(error))
    }

    fn ask_tokens(&self) -> Action {
        let mut action = to_do("tokens");
        action.flag("own", self.forwarded.is_none() || self.is_key);
        action
    }

    fn start(&mut self) -> Result<Action, Error> {
        let wrong = |what: &str| Err(Error::new(Code::InvalidOptions, what));
        let json = self.json;
        self.keep.number("started", self.now).json("signedOut", self.memory.member(memory::SIGNED_OUT).source());
        let bases = self.profile.member("bases");
        let environment = json.member("environment").word();
        if !environment.is_empty() && bases.get("test").is_none() {
            return wrong("environment is for KSeF: other back-ends are told by baseUrl");
        }
        let own_base = json.member("base");
        let base = self.base();
        if base.is_null() {
            return wrong("baseUrl is missing: where the back-end is, such as \"https://auth.example.com\"");
        }
        if json.member("goal").is_word("capabilities") {
            return Ok(done(&self.capabilities()));
        }
        if self.goal.and_then(|goal| self.plan(goal)).is_none() {
            return Err(Error::new(Code::Unsupported, "this back-end has no such operation: capabilities() tells which it has"));
        }
        let no_browser = self.profile.member("noBrowser").word();
        if json.is("browser") && !no_browser.is_empty() {
            if self.is_key && !json.is("dangerouslyAllowBrowser") {
                return self.fail(Error::new(Code::Insecure, no_browser));
            }
            if !self.is_key && own_base.is_null() {
                return self.fail(Error::new(Code::Unsupported, no_browser));
            }
        }
        if !own_base.is_null() && !json.is("isSecure") && !json.is("allowInsecure") {
            return self.fail(Error::new(Code::Insecure, "plain http lets anybody read the tokens: use https, or set allowInsecure"));
        }
        if self.json.get_or_null("access").is_some() { self.take_tokens() } else { Ok(self.ask_tokens()) }
    }

    /// Where the back-end is.
    fn base(&self) -> Json<'a> {
        let environment = self.json.member("environment").word();
        let own = || self.profile.member("bases").member(if environment.is_empty() { "production" } else { environment });
        self.json.get("base").unwrap_or_else(own)
    }

    /// What the back-end can do, in JSON.
    fn capabilities(&self) -> Text {
        let mut out = Writer::new();
        out.json("provider", self.profile.get("name").map_or("\"rest\"", Json::source));
        for goal in OPERATIONS.into_iter().take(11) {
            let support = match self.plan(goal) {
                _ if !self.endpoint(goal).is_null() => "native",
                Some(_) => "emulated",
                None => "unsupported",
            };
            out.text(goal.name(), Some(support));
        }
        out.text("effect", Some(self.effect())).flag("browser", self.profile.get("noBrowser").is_none());
        out.json("pageSize", self.list.member("pageSize").source()).finish()
    }

    fn effect(&self) -> &'a str {
        let effect = self.profile.member("effect").word();
        if effect.is_empty() { "unknown" } else { effect }
    }

    /// The endpoint for an operation, in the dialect that is spoken.
    fn endpoint(&self, operation: Operation) -> Json<'a> {
        endpoint(self.profile, operation, self.dialect)
    }

    /// What to ask first on the way to a goal; `None` where the back-end can't reach it.
    fn plan(&self, goal: Operation) -> Option<Operation> {
        let has = |operation| !self.endpoint(operation).is_null();
        let (list, revoke) = (has(ListAll), has(Revoke));
        let find = if has(Current) { Current } else { ListAll };
        let is_known = self.own_id().is_some();
        let is_sure = self.current.is_none() || self.list.is("isStable") || !self.marks();
        let (step, is_possible) = match goal {
            // What its revocation takes is in the list.
            Revoke if self.lacks_handle() => (ListAll, revoke && list),
            _ if has(goal) => (goal, true),
            Get => (ListAll, list),
            Current if is_known && has(Get) => (Get, true),
            Current => (find, list),
            // Elsewhere an id in a token may be something else than a session's.
            RevokeCurrent | Logout if is_known && is_sure && !self.lacks_handle() => (Revoke, revoke),
            RevokeCurrent | Logout => (find, revoke && list),
            RevokeAll | RevokeOthers => (ListAll, revoke && list),
            _ => return None,
        };
        is_possible.then_some(step)
    }

    /// The list may say which session is the current one.
    fn marks(&self) -> bool {
        let fields = self.list.member("fields");
        fields.member("current").source() != "[]" || !fields.member("currentId").is_null()
    }

    /// Sends the request that is due; the first one is planned when the tokens are there.
    fn go_on(&mut self) -> Result<Action, Error> {
        if let (None, Some(goal)) = (self.step, self.goal) {
            let has = |operation| !self.endpoint(operation).is_null();
            let needs_current = matches!(goal, Current | RevokeCurrent | RevokeOthers | Logout) && !has(goal);
            let finds = has(Current) || self.marks();
            if needs_current && !finds && self.current.is_none() {
                let message = "the current session can't be known by these tokens: set refreshToken, or pass a request whose token names it";
                return Err(Error::new(Code::CurrentUnknown, message));
            }
            self.ask(self.plan(goal));
        } else if self.step == Some(Revoke) && self.lacks_handle() {
            // It was another user's.
            self.ask(Some(ListAll));
        }
        self.send()
    }

    /// The endpoint that is asked has a place for that input.
    fn takes(&self, name: &str) -> bool {
        self.step.is_some_and(|step| has(self.endpoint(step).source(), &join("{", name, "}")))
    }

    /// From now on this is asked.
    fn ask(&mut self, step: Option<Operation>) {
        self.step = step;
        self.attempt = 1;
        self.is_repeated = false;
        self.keep.flag("isSwitched", false);
        self.dialect = i64::from(!self.memory.member(self.dialect_key()).is_null());
        // Where it is not known: without a token there is only the one that has it in a cookie.
        if step == Some(Refresh) && self.dialect == 0 && self.refresh.is_empty() {
            self.dialect = 1;
            self.dialect = i64::from(self.is_in_cookie());
        }
    }

    /// The handler is asked, and not a back-end.
    fn is_own(&self) -> bool {
        self.step.is_some_and(|step| self.endpoint(step).is("own"))
    }

    fn dialect_key(&self) -> &'static str {
        self.step.filter(|_| self.profile.is("perOperation")).map_or(memory::DIALECT, Operation::name)
    }

    fn take_answer(&mut self, response: Response<'_>) -> Result<Action, Error> {
        match self.read(response) {
            Ok(Answer::OtherDialect) => {
                self.dialect ^= 1;
                self.keep.flag("isSwitched", true);
                self.send().or_else(|error| {
                    // The other dialect can't do it: that is sure, and need not be found out again.
                    self.remember_dialect();
                    self.fail(error)
                })
            }
            Ok(answer) => {
                self.remember_dialect();
                self.finish(answer).or_else(|error| self.fail(error))
            }
            Err(error) => self.retry(error),
        }
    }

    fn remember_dialect(&mut self) {
        let key = self.dialect_key();
        self.remember.text(key, (self.dialect > 0).then_some("1"));
    }

    /// What an earlier call of the same user learnt.
    fn learnt(&self, key: &str) -> Option<Json<'a>> {
        learnt(self.memory, key, self.forwarded, self.user.expose())
    }

    fn learn(&mut self, key: &'static str, value: &str) {
        if self.forwarded.is_none() {
            if self.learnt(memory::LEARNT_WITH).is_none() {
                self.remember.json(memory::CURRENT, "null").json(memory::HANDLES, "null");
            }
            self.remember.text(memory::LEARNT_WITH, Some(self.user.expose())).text(key, Some(value));
        }
    }

    /// The id of the current session, as far as it is known.
    fn known_current(&self) -> Option<Json<'a>> {
        self.current.or_else(|| self.learnt(memory::CURRENT))
    }

    /// The same, to end that session: with cookies nobody knows whether they are still the same user's.
    fn own_id(&self) -> Option<Json<'a>> {
        self.known_current().filter(|_| self.current.is_some() || !self.user.is_empty())
    }

    /// The id of the session that this is about.
    fn any_id(&self) -> Option<Json<'a>> {
        self.id.or_else(|| self.own_id().filter(|_| matches!(self.goal, Some(Current | RevokeCurrent | Logout))))
    }

    /// The session to revoke is known by its id only, and the back-end wants to be told something else.
    fn lacks_handle(&self) -> bool {
        !self.list.member("handle").is_null() && self.named_input("handle").is_none()
    }

    /// The refresh token that this call is about. A logout ends the one it was given, unless that is this client's own in an older form.
    fn refresh_token(&self) -> Text {
        if self.goal == Some(Logout) && !self.ends_own() { self.json.member("endedToken").as_words() } else { self.refresh.expose().into() }
    }

    fn ends_own(&self) -> bool {
        let given = self.json.member("endedToken");
        let words = given.as_words();
        self.forwarded.is_none()
            && (given.is_null() || !words.is_empty() && (words == self.refresh.expose() || is_among(self.memory, memory::REPLACED, &words)))
    }

    /// An input by name, in JSON.
    fn named_input(&self, name: &str) -> Option<Text> {
        let given = self.json.get(name);
        let source = match name {
            "refreshToken" => {
                let token = self.refresh_token();
                return (!token.is_empty()).then(|| quoted(&token));
            }
            "id" => {
                let id = self.any_id();
                let digits = || Some(id?.word()).filter(|word| is_integer(word));
                // As the back-end listed it.
                return self.memory.get(memory::NUMBERS).and_then(|_| digits()).or(id.map(Json::source)).map(Text::from);
            }
            "handle" if !self.handle.is_null() => Some(self.handle),
            "handle" if READS => {
                let handles = self.learnt(memory::HANDLES).filter(|_| !self.user.is_empty())?.as_words();
                return Some(Document::read(&handles)?.root().get(&self.any_id()?.as_words())?.source().into());
            }
            "cursor" if self.cursor != "null" => return Some(self.cursor.clone()),
            // All pages are needed.
            "pageSize" if self.goal != Some(ListAll) => self.list.member(name).get("max"),
            // Without an end is something else than as long as usual.
            "expiresInSeconds" => self.json.get_or_null(name),
            _ => given,
        };
        source.map(|value| value.source().into())
    }

    fn send(&mut self) -> Result<Action, Error> {
        let endpoint = self.step.map_or(Json::NULL, |step| self.endpoint(step));
        if endpoint.is_null() {
            return Err(Error::new(Code::Unsupported, "this back-end has no such operation"));
        }
        if self.step == Some(Refresh) {
            if is_among(self.memory, memory::SPENT, self.refresh.expose()) {
                let message = "the answer to the last refresh was lost, and its token must not be sent twice: have the user sign in again";
                return Err(Error::new(Code::Unauthenticated, message));
            }
            if self.json.is("offline") {
                return Err(Error::new(Code::Network, "the device is offline; the refresh token was not sent"));
            }
        }
        self.check(endpoint)?;
        let input = |name: &str| self.named_input(name);
        let given = self.json.member("headers");
        let mut headers = List::default();
        for pair in given.items() {
            headers.push(pair.source());
        }
        let mut header = |name: &str, value: &str| headers.push(&pair(name, value));
        self.credential(endpoint, &mut header)?;
        let body = endpoint.get("body").and_then(|body| fill(body, &input));
        // The caller's own headers come first.
        let is_given = |name: &str| given.items().any(|pair| pair.items().next().unwrap_or(Json::NULL).word().eq_ignore_ascii_case(name));
        if body.is_some() && !is_given("content-type") {
            header("content-type", "application/json");
        }
        for of in &[self.profile, endpoint] {
            of.member("headers").each(&mut |name, value| {
                if let Some(value) = fill(value, &input).filter(|_| !is_given(name)) {
                    header(name, &plain(&value));
                }
            });
        }
        let method = endpoint.member("method").word();
        let csrf = self.json.member("csrf");
        if !csrf.is_null() && method != "GET" {
            header(self.profile.member("csrf").member("header").word(), &csrf.as_words());
        }
        let cookie = endpoint.member("cookie").word();
        let token = self.refresh_token();
        if !cookie.is_empty() && !self.json.is("browser") && is_cookie_value(&token) {
            header("cookie", &join(cookie, "=", &token));
        }
        let template = endpoint.member("path").word();
        let mut path = fill_path(template, &input);
        if self.profile.is("perOperation") && self.dialect > 0 {
            let end = without_query(&path).len();
            path = join(&other_slash(without_query(&path)), path.get(end..).unwrap_or_default(), "");
        }
        let mut action = to_do("send");
        action
            .text("method", Some(method))
            .text("url", Some(&join(self.base().word(), &path, "")))
            .text("template", Some(without_query(template)))
            .json("headers", &headers.finish())
            .text("body", body.as_deref())
            .number("attempt", self.attempt)
            .flag("isLong", self.is_own());
        let item = endpoint.member("item");
        if self.step == Some(ListAll) || !item.is_null() {
            let mut read = Writer::new();
            read.json("list", self.list.source()).json("item", item.source()).text("current", self.known_current().map(Json::as_words).as_deref());
            action.json("read", &read.flag("isCurrent", self.step == Some(Current)).finish());
        }
        self.keep.text("sent", Some(&path));
        Ok(action)
    }

    /// Nothing is sent that the back-end is known to refuse.
    fn check(&self, endpoint: Json<'_>) -> Result<(), Error> {
        let wrong = |what: &str, more: &str| Err(Error::new(Code::InvalidArgument, &join(what, more, "")));
        // Of a plan's later steps the arguments are not.
        let is_first = self.step == self.goal || self.step == Some(ListAll);
        for (index, input) in words("applicationId userId pageSize cursor ofClient status").enumerate() {
            // Ignored, it would show or end more than was asked for. To end some of the sessions that a list shows is not to end all.
            if is_first && !self.json.member(input).is_null() && (!self.takes(input) || index > 1 && self.goal != Some(ListAll)) {
                let message = join("this back-end has no ", if input == "ofClient" { "clientId" } else { input }, " here: leave it out");
                // Where the first dialect takes it, the caller can't know.
                return Err(Error::new(if self.dialect > 0 && !self.profile.is("perOperation") { Code::Unsupported } else { Code::InvalidArgument }, &message));
            }
        }
        for need in endpoint.member("needs").items() {
            let is_there = |name: Json<'_>| self.named_input(name.word()).is_some();
            if is_there(need) || need.items().any(is_there) {
                continue;
            }
            return match need.word() {
                "refreshToken" => Err(Error::new(Code::Unauthenticated, "there is no refresh token: set refreshToken, or have the user sign in")),
                "clientId" => Err(Error::new(Code::InvalidOptions, "set clientId: the back-end refreshes tokens for OAuth clients")),
                _ => wrong("this back-end wants userId", if self.goal == Some(ListAll) { " or clientId" } else { "" }),
            };
        }
        let (range, size) = (endpoint.member("pageSize"), self.json.number("pageSize"));
        if let (Some(least), Some(most), Some(size)) = (range.number("min"), range.number("max"), size)
            && !(least..=most).contains(&size)
        {
            return wrong(&join("pageSize must be from ", &decimal(least), " to "), &decimal(most));
        }
        let cursor = self.json.member("cursor");
        if endpoint.is("isOffset") && !cursor.is_null() && (cursor.word().len() > 15 || !cursor.word().bytes().all(|byte| byte.is_ascii_digit())) {
            return wrong("cursor must be the next of an earlier page", "");
        }
        // "." and ".." survive percent-encoding as path steps: URL parsers take "%2e%2e" for "..". An id may also come from a token that nobody verified.
        let segments = [("id", self.any_id().unwrap_or(Json::NULL)), ("template", self.json.member("template"))];
        for (name, segment) in &segments {
            let words = segment.as_words();
            let is_used = has(endpoint.source(), &join("{", name, "}")) || !self.json.member(name).is_null();
            if is_used && (matches!(words.as_str(), "" | "." | "..") || words.len() > MAX_ID) {
                return wrong(name, " must be a string of 1 to 512 bytes, and not a path step");
            }
        }
        let (form, id) = (self.profile.member("id").word(), self.json.member("id"));
        if !form.is_empty() && !id.is_null() && !fits(id.word(), form) {
            return wrong("id must be a session's id, of the form ", form);
        }
        Ok(())
    }

    /// The header that says who asks.
    fn credential(&self, endpoint: Json<'_>, header: &mut dyn FnMut(&str, &str)) -> Result<(), Error> {
        let auth = endpoint.get("auth").unwrap_or_else(|| self.profile.member("auth"));
        let own_header = auth.member("header").word();
        let auth = auth.word();
        if self.forwarded.is_some() && (auth == "cookie" || !own_header.is_empty()) {
            return Err(Error::new(Code::Unsupported, "this back-end takes no Authorization, which is all that is forwarded of a request"));
        }
        if auth == "none" || auth == "cookie" {
            return Ok(());
        }
        if let (Some(forwarded), false) = (self.forwarded, self.is_key) {
            if !forwarded.is_empty() {
                header("authorization", forwarded);
            }
            return Ok(());
        }
        let is_others = self.goal == Some(Logout) && !self.is_key && !self.ends_own();
        let takes_refresh = auth == "refresh" || auth == "either";
        if is_others && !takes_refresh && endpoint.get("cookie").is_none() && !has(endpoint.source(), "{refreshToken}") {
            return Err(Error::new(Code::Unsupported, "this back-end's logout takes no refresh token"));
        }
        let mut token = if takes_refresh { self.refresh_token() } else { Text::default() };
        // Somebody else's token is ended with that token alone.
        if token.is_empty() && !is_others {
            token = self.access.expose().into();
        }
        if token.is_empty() {
            if auth == "optional" || is_others || self.step == Some(Refresh) || self.json.is("sendsCookies") {
                return Ok(());
            }
            let message = if self.is_key {
                "the secret key is missing: set token"
            } else {
                "there is no access token: have the user sign in and set token, or credentials where cookies are enough"
            };
            return Err(Error::new(Code::Unauthenticated, message));
        }
        if !is_bearer(&token) {
            return Err(Error::new(Code::InvalidOptions, "the token has characters that no token has: pass it without \"Bearer \", spaces and line breaks"));
        }
        match own_header {
            "" => header("authorization", &join("Bearer ", &token, "")),
            name => header(name, &token),
        }
        Ok(())
    }

    /// Now by the back-end's clock, as far as that is known: the local one may be wrong.
    fn time(&self) -> Option<Time> {
        Time::from_millis(self.now)?.plus(scaled(&self.memory.member(memory::SKEW).as_words(), 0).unwrap_or(0))
    }

    /// The answer to the refresh is lost: its token must not be sent again.
    fn spend(&mut self) {
        self.remember.text(memory::SPENT, Some(&with_line(self.refresh.expose(), &self.memory.member(memory::SPENT).as_words())));
    }

    /// A token that the back-end refuses, or soon will, can be replaced; once in a call.
    fn can_refresh(&self) -> bool {
        let endpoint = self.endpoint(Refresh);
        !self.is_key
            && !matches!(self.goal, Some(Refresh | Logout))
            && (!self.refresh.is_empty() || self.forwarded.is_none() && self.is_in_cookie())
            && !self.json.is("wasRefused")
            && !endpoint.is_null()
            && endpoint.member("needs").items().all(|need| self.named_input(need.word()).is_some())
    }

    /// The refresh token is in a cookie, which the browser sends by itself.
    fn is_in_cookie(&self) -> bool {
        self.json.is("browser") && self.json.is("sendsCookies") && !self.endpoint(Refresh).member("cookie").is_null()
    }

    /// The access token is about to run out: by how long ago it came, or by the back-end's clock, never by the local one.
    fn is_due(&self) -> bool {
        let number = |name| scaled(&self.memory.text(name)?, 0);
        let is_ours = self.access.expose() == self.memory.member(memory::ACCESS).as_words();
        let due =
            || if is_ours { number(memory::DUE) } else { number(memory::SKEW).and(Some(self.claims.expires_at?.millis() - early(self.claims.lifetime()?))) };
        let now = if is_ours { Some(self.now) } else { self.time().map(Time::millis) };
        due().is_some_and(|due| Some(due) <= now)
            && self.memory.member(memory::LEFT).as_words() != self.access.expose()
            && self.can_refresh()
            && !is_among(self.memory, memory::SPENT, self.refresh.expose())
            && !self.json.is("offline")
    }

    fn read(&mut self, response: Response<'_>) -> Result<Answer, Error> {
        let (Some(operation), Some(hook)) = (self.step, self.hook) else {
            return Err(Error::new(Code::Internal, OUT_OF_ORDER));
        };
        let path = self.json.member("sent").as_words();
        let asked = Asked { operation, endpoint: self.endpoint(operation), path: &path, listed: self.listed, now: self.time() };
        let answer = match read(&asked, response, hook) {
            // Both were tried.
            Ok(Answer::OtherDialect) if self.json.is("isSwitched") => {
                let (code, message) = if self.profile.is("perOperation") {
                    (Code::InvalidResponse, "the back-end answered with a redirect, which is not followed: check baseUrl")
                } else {
                    (Code::NotFound, "no AuthVital server answers at baseUrl: it has the routes of neither generation")
                };
                Err(Error::new(code, message).with_status(response.status))
            }
            answer => {
                // It is spoken, be it for an error.
                if self.json.is("isSwitched") {
                    self.remember_dialect();
                }
                answer
            }
        };
        self.about.warnings = response.header("x-system-warning");
        self.about.request_id = response.header("x-request-id");
        answer.map_err(|mut error| {
            error.request_id = self.about.request_id.clone().or(error.request_id.take());
            self.about.request_id.clone_from(&error.request_id);
            let after = |name| retry::after(&response.header(name)?);
            error.retry_after = after("retry-after").or_else(|| after("x-retry-after")).or_else(|| {
                let reset = response.header("x-ratelimit-reset").filter(|_| response.status == 429)?;
                retry::until(&reset, self.time().map_or(self.now, Time::millis))
            });
            error
        })
    }

    /// An error for the caller: without secrets, whoever wrote them into it.
    fn cleaned(&self, mut error: Error) -> Text {
        let secrets = self.secrets();
        let clean = |text: &Option<Text>| text.as_deref().map(|text| scrub(text, &secrets));
        error.message = scrub(&error.message, &secrets);
        error.server_code = clean(&error.server_code);
        error.request_id = clean(&error.request_id);
        // Not the ids that are ended: a token may begin with its session's.
        if let Some(details) = &mut error.details {
            *details = scrub_json(root(&Document::read(details)), &secrets);
        }
        error.to_json()
    }

    /// What no message may hold: the tokens, and whatever the headers carry.
    fn secrets(&self) -> Vec<Text> {
        let mut secrets = Vec::new();
        add_secrets(&mut secrets, self.access.expose());
        add_secrets(&mut secrets, self.user.expose());
        add_secrets(&mut secrets, self.refresh.expose());
        add_secrets(&mut secrets, self.forwarded.unwrap_or_default());
        for name in words("refreshToken handle expiredToken sessionRefreshToken csrf") {
            add_secrets(&mut secrets, &plain(&self.named_input(name).unwrap_or_default()));
        }
        for value in self.json.member("headers").items().filter_map(|pair| pair.items().nth(1)) {
            add_secrets(&mut secrets, &value.as_words());
        }
        self.json.member("requestHeaders").each(&mut |_, values| {
            for value in values.items() {
                add_secrets(&mut secrets, &value.as_words());
            }
        });
        secrets
    }

    /// The session that is to be ended is that of the tokens.
    fn targets_current(&self) -> bool {
        let is_current = |id: Json<'_>| self.current.is_some_and(|current| current.as_words() == id.as_words());
        self.goal == Some(RevokeCurrent) || self.goal == Some(Revoke) && self.any_id().is_some_and(is_current)
    }

    /// A refresh has made another session of the one that is to be ended.
    fn was_renewed(&self) -> bool {
        self.json.is("isRenewed") || is_among(self.memory, memory::REPLACED, &self.json.member("ownToken").as_words())
    }

    /// What is gone after a lost answer was ended by this call, unless a refresh may have ended it: of another user's tokens nobody knows.
    fn has_ended_it(&self) -> bool {
        let own = self.json.member("ownToken").as_words();
        let is_same = own.is_empty() || own == self.refresh.expose();
        let may_be_renewed = self.json.is("isRefreshing") || self.was_renewed();
        self.is_repeated && is_same && !may_be_renewed && !is_among(self.memory, memory::SPENT, &self.refresh_token())
    }

    /// What is gone may have been made another session of meanwhile, which is to be ended then: that is looked at once.
    fn looks_again(&mut self) -> bool {
        let looks = self.step == Some(Revoke) && !self.json.is("isGone") && (self.was_renewed() || self.json.is("isRefreshing") && self.targets_current());
        if looks {
            self.keep.flag("isGone", true);
        }
        looks
    }

    /// After an error: another attempt, a refresh, or the end.
    fn retry(&mut self, mut error: Error) -> Result<Action, Error> {
        // That the refresh did not succeed says more than that it was needed.
        let unrefreshed = self.json.member("unrefreshed");
        if error.code == Code::Unauthenticated && error.status.is_some() && !unrefreshed.is_null() {
            return self.fail(failed(unrefreshed));
        }
        if error.code == Code::NotFound && self.looks_again() {
            return Ok(self.ask_tokens());
        }
        // A logout may have no route at all.
        let is_told = self.step != Some(Logout) || error.status == Some(200);
        if self.has_ended_it() && error.code == Code::NotFound && is_told && matches!(self.step, Some(Revoke | RevokeCurrent | Logout)) {
            return self.finish(Answer::Ended { success: true, count: None, message: None });
        }
        if error.code == Code::ReauthenticationRequired && self.json.is("canReauthenticate") && self.json.member("unfresh").is_null() {
            let error = self.cleaned(error);
            self.keep.json("unfresh", &error);
            let mut action = to_do("reauthenticate");
            action.json("error", &error);
            return Ok(action);
        }
        if error.code == Code::Unauthenticated && error.status.is_some() && self.step != Some(Refresh) && self.can_refresh() {
            self.keep.flag("wasRefused", true).text("stale", Some(self.access.expose()));
            return Ok(self.ask_tokens());
        }
        // It is seen only when the first token has run out.
        if error.code == Code::Unauthenticated && error.status.is_some() && !self.refresh.is_empty() && self.named_input("clientId").is_none() {
            let needs = |need: Json<'_>| need.is_word("clientId");
            if self.endpoint(Refresh).member("needs").items().any(needs) {
                error.message = join("set clientId to have the token refreshed; ", &error.message, "");
            }
        }
        self.is_repeated |= error.is_lost() && !error.is_unused() && !self.json.member("sent").is_null();
        // These make something new each time, or use up what they were sent.
        // The handler has tried again itself, and takes its time for many sessions.
        let once = matches!(self.step, Some(Refresh | Create | RefreshSession)) || self.is_own() && error.status.is_some();
        let number = |name| self.json.number_or(name, 0);
        match retry::delay(&error, self.attempt, number("maxRetryAfter"), number("random")) {
            retry::Decision::TooLong => {
                error.code = Code::RateLimited;
                error.message = "the wait asked for is longer than maxRetryAfter: try again after retryAfter seconds".into();
            }
            retry::Decision::Wait(delay) if !once && self.attempt <= number("maxRetries") && self.now - number("started") + delay < number("totalTimeout") => {
                self.attempt += 1;
                let mut action = to_do("wait");
                action.number("ms", delay).text("reason", Some(error.code.as_str())).number("attempt", self.attempt);
                return Ok(action);
            }
            _ => {}
        }
        self.fail(error)
    }

    /// The end with an error; a logout has a result even then, and a refresh whose answer may be lost is remembered.
    fn fail(&mut self, error: Error) -> Result<Action, Error> {
        if self.goal == Some(Logout) {
            let server = match error.code {
                _ if error.status.is_some() => "rejected",
                _ if self.json.member("sent").is_null() => "skipped",
                Code::Network | Code::Timeout | Code::Aborted => "unreachable",
                Code::InvalidResponse => "rejected",
                _ => "skipped",
            };
            return Ok(self.logged_out(server, None, Some(error)));
        }
        let endpoint = self.endpoint(Refresh);
        let rotates = !endpoint.member("refreshToken").is_null() || !endpoint.member("cookie").is_null();
        // Nothing was sent, or the answer has come, and only the caller may not have been told.
        let is_harmless = self.json.member("sent").is_null() || !self.json.member("pending").is_null();
        if self.goal == Some(Refresh) && rotates && (error.is_lost() || self.is_repeated) && !error.is_unused() && !is_harmless {
            self.spend();
        }
        Err(error)
    }

    fn finish(&mut self, mut answer: Answer) -> Result<Action, Error> {
        if let Answer::Ended { message: Some(message), .. } = &mut answer {
            *message = scrub(message, &self.secrets());
        }
        match answer {
            Answer::Page => self.finish_list(),
            Answer::Session => {
                let found = self.listed.member("found");
                if self.step == Some(Current) {
                    self.learn(memory::CURRENT, &found.member("id").as_words());
                }
                if matches!(self.goal, Some(RevokeCurrent | Logout)) { self.end(found) } else { Ok(done(found.member("session").source())) }
            }
            Answer::Tokens { access, refresh, expires_at } => self.finish_refresh(&access, refresh, expires_at, Some(self.now)),
            Answer::Value(value) => {
                if self.goal == Some(Logout) {
                    self.forget();
                }
                Ok(done(&value))
            }
            Answer::Ended { message, .. } if self.goal == Some(Logout) => Ok(self.logged_out("confirmed", message.as_deref(), None)),
            Answer::Ended { success: false, .. } if self.looks_again() => Ok(self.ask_tokens()),
            Answer::Ended { success, count, message } => {
                // What is over is looked for again: what its revocation took may be taken as well when it ends nothing.
                if READS {
                    self.remember.json(memory::HANDLES, "null");
                }
                let mut out = Writer::new();
                if matches!(self.goal, Some(RevokeAll | RevokeOthers)) {
                    // A repeated request counts only what the first one left.
                    let is_first = !self.is_repeated;
                    out.flag("success", true).optional("count", count.filter(|_| is_first)).text("message", message.as_deref().filter(|_| is_first));
                    out.json("revoked", "null");
                } else {
                    let success = success || self.has_ended_it();
                    out.text("id", Some(&self.json.get("id").or_else(|| self.any_id()).map_or("current".into(), Json::as_words))).flag("success", success);
                    out.text("outcome", Some(if success { "revoked" } else { "already-revoked" })).text("message", message.as_deref());
                }
                Ok(self.ended(out, self.valid_until()))
            }
            Answer::OtherDialect => Err(Error::new(Code::Internal, OUT_OF_ORDER)),
        }
    }

    /// Goes on to end the session that was found.
    fn end(&mut self, found: Json<'a>) -> Result<Action, Error> {
        self.handle = found.member("handle");
        self.id = found.get("id");
        self.keep.json("handle", self.handle.source()).json("foundId", found.member("id").source());
        self.ask(Some(Revoke));
        self.send()
    }

    /// What every revocation's result has.
    fn ended(&self, mut out: Writer, valid_until: Option<Time>) -> Action {
        out.text("effect", Some(self.effect())).text("accessTokenValidUntil", valid_until.map(Time::to_iso).as_deref());
        done(&out.finish())
    }

    fn finish_list(&mut self) -> Result<Action, Error> {
        let listed = self.listed;
        let size = listed.number_or("size", 0);
        if size > 0 {
            self.remember.text(memory::NUMBERS, listed.is("areNumbers").then_some("1"));
        }
        let handles = listed.member("handles");
        if READS && !handles.is_null() {
            self.learn(memory::HANDLES, handles.source());
        }
        let found = listed.member("found");
        if !found.is_null() {
            return if matches!(self.goal, Some(Get | Current)) { Ok(done(found.member("session").source())) } else { self.end(found) };
        }
        let read = self.json.number_or("read", 0) + size - listed.number_or("again", 0);
        let total = listed.number("total");
        let next = self.next(listed.text("next"), size, total)?;
        if self.goal == Some(ListAll) {
            let mut page = Writer::new();
            page.json("sessions", listed.member("sessions").source()).number("count", listed.number_or("count", size));
            page.optional("total", total).text("next", next.as_deref());
            return Ok(done(&page.finish()));
        }
        let mut targets = Vec::new();
        for id in self.json.member("targets").items() {
            targets.push(id.as_words());
        }
        let mut own = self.json.member("ownId");
        // Pages shift while they are read: what is there twice is ended once. In JavaScript the driver sees to that, which has sets, but for the first of a page's current ones: it has to be told.
        let mut add = |id: Json<'_>, looks: bool| {
            let id = id.as_words();
            if !(looks && targets.contains(&id)) {
                targets.push(id);
            }
        };
        for (at, id) in listed.member("currents").items().enumerate() {
            if own.is_null() || self.goal == Some(RevokeOthers) {
                own = id;
            } else {
                add(id, READS || at == 0);
            }
        }
        for id in listed.member("ids").items() {
            add(id, READS);
        }
        if targets.len() > MAX_TARGETS {
            return Err(Error::new(Code::InvalidResponse, "the back-end lists more sessions than can be ended one by one"));
        }
        if next.is_none() && self.json.is("isChecking") {
            targets.push(own.as_words());
            return self.finish_each(Some(&targets));
        }
        let mut ids = List::default();
        // Where pages shift, it may be there twice.
        let own_id = own.as_words();
        for target in &targets {
            if *target != own_id {
                ids.push(&quoted(target));
            }
        }
        if let Some(next) = next {
            self.cursor = quoted(&next);
            self.attempt = 1;
            self.is_repeated = false;
            self.keep.number("read", read).json("targets", &ids.finish()).json("ownId", own.source());
            return self.send();
        }
        match self.goal {
            Some(Get | Revoke) => return Err(Error::new(Code::NotFound, "there is no such session among the active ones")),
            Some(RevokeAll) => {}
            Some(RevokeOthers) if !own.is_null() => own = Json::NULL,
            _ => {
                let message = "none of the listed sessions is known to be the current one: set the newest tokens";
                return Err(Error::new(Code::CurrentUnknown, message));
            }
        }
        if total.is_some_and(|total| total > read) {
            return Err(unlisted());
        }
        if !own.is_null() {
            ids.push(&quoted(&own.as_words()));
        }
        let ids = ids.finish();
        self.keep.json("targets", &ids);
        let mut action = to_do("each");
        action.json("ids", &ids).flag("last", !own.is_null()).json("limits", self.profile.member("limits").source());
        Ok(action)
    }

    /// The cursor of the page after this one.
    fn next(&mut self, next: Option<Text>, count: i64, total: Option<i64>) -> Result<Option<Text>, Error> {
        if !self.takes("cursor") {
            return if next.is_some_and(|next| next != "0") && self.goal != Some(ListAll) { Err(unlisted()) } else { Ok(None) };
        }
        let number = |name: &str| scaled(&plain(&self.named_input(name)?), 0);
        let next = if self.list.is("isOffset") {
            let end = number("cursor").unwrap_or(0) + count;
            let size = number("pageSize").or_else(|| self.list.member("pageSize").number("default"));
            let more = total.map_or(size == Some(count), |total| end < total);
            (more && count > 0).then(|| decimal(end))
        } else {
            // Some have a page 0 that there is none of.
            next.filter(|next| next != "0")
        };
        let before = plain(&self.named_input("cursor").unwrap_or_default());
        let seen = join(&self.json.member("seen").as_words(), "\n", &join(&before, "\n", ""));
        self.keep.text("seen", Some(&seen));
        let next_line = next.as_ref().map(|next| join("\n", next, "\n")).unwrap_or_default();
        // It may have to go into a header, which takes Latin-1, or into an address, which takes no token.
        let is_unfit = next.as_ref().is_some_and(|next| {
            let tokens = [self.access, self.user, self.refresh];
            next.bytes().any(|byte| byte < b' ' || byte == 127 || byte > 0xc3)
                || tokens.iter().any(|token| token.expose().len() > 7 && has(next, token.expose()))
        });
        if is_unfit || !next_line.is_empty() && (has(&seen, &next_line) || has(&next_line, "://") || seen.len() > 1_000_000) {
            return Err(Error::new(Code::InvalidResponse, "the next page was there before, or can't be asked for: a link is not followed"));
        }
        Ok(next)
    }

    /// `left` are those that are still listed, where that was looked at.
    fn finish_each(&mut self, left: Option<&[Text]>) -> Result<Action, Error> {
        let ids = self.json.member(if left.is_some() { "ended" } else { "targets" });
        let codes = self.json.member("codes");
        // If the back-end knows none of those that it has listed, it may have been asked at the wrong place.
        if left.is_none() && ids.items().next().is_some() && codes.items().all(|code| code.is_word("not_found")) {
            self.keep.flag("isChecking", true).json("ended", ids.source()).number("started", self.now);
            for name in words("targets ownId read seen") {
                self.keep.json(name, "null");
            }
            self.cursor = "null".into();
            self.ask(Some(ListAll));
            return self.send();
        }
        let (mut revoked, mut failed, mut count, mut index) = (List::default(), List::default(), 0, 0);
        let mut codes = codes.items();
        for id in ids.items() {
            // What was gone before counts as ended.
            let is_gone = || left.is_none_or(|left| !left.contains(&id.as_words()));
            if codes.next().is_some_and(|code| code.is_null() || code.is_word("not_found") && is_gone()) {
                revoked.push(id.source());
                count += 1;
            } else {
                failed.push(&decimal(index));
            }
            index += 1;
        }
        if failed.is_empty() {
            let valid_until = self.valid_until().filter(|_| count > 0);
            let mut out = Writer::new();
            out.flag("success", true).number("count", count).json("message", "null").json("revoked", &revoked.finish());
            return Ok(self.ended(out, valid_until));
        }
        let mut error = Error::new(
            Code::PartialRevocation,
            "some sessions could not be revoked: see revoked and failed; call again, signed in anew where the current one was revoked",
        );
        error.partial = Some((revoked.finish(), failed.finish()));
        Err(error)
    }

    /// `came` is when, by the local clock, where that is known.
    fn finish_refresh(&mut self, access: &Secret<Text>, refresh: Option<Secret<Text>>, expires_at: Option<Time>, came: Option<i64>) -> Result<Action, Error> {
        let (access, old) = (access.expose(), self.refresh);
        let old = old.expose();
        // The new one went into a cookie.
        let hidden = self.is_in_cookie();
        let newest = refresh.unwrap_or_else(|| Secret::new(if hidden { Text::default() } else { old.into() }));
        let newest = newest.expose();
        if self.memory.member(memory::SIGNED_OUT).source() != self.json.member("signedOut").source() {
            self.spend();
            return Err(Error::new(Code::Unauthenticated, "the user logged out while the tokens were refreshed"));
        }
        let newest_or_none = Some(newest).filter(|text| !text.is_empty());
        self.remember.text(memory::ACCESS, Some(access)).text(memory::REFRESH, newest_or_none);
        let payload = payload(access);
        let claims = Document::parse(&payload);
        let claims = Claims::read(root(&claims));
        let expires_at = claims.expires_at.or(expires_at);
        let lifetime = claims.lifetime().or_else(|| Some(expires_at?.millis() - self.time()?.millis()));
        let due =
            lifetime.filter(|lifetime| *lifetime > 0).and_then(|lifetime| Some(decimal(Time::from_millis(came?)?.plus(lifetime - early(lifetime))?.millis())));
        self.remember.text(memory::DUE, due.as_deref());
        if !old.is_empty() && old != newest {
            // Of this user: another one's tokens are no older form of theirs.
            let is_next = self.memory.member(memory::REFRESH).as_words() == old;
            let before = if is_next { self.memory.member(memory::REPLACED).as_words() } else { Text::default() };
            self.remember.text(memory::REPLACED, Some(&with_line(old, &before)));
        }
        let mut out = Writer::new();
        out.text("accessToken", Some(access)).text("refreshToken", newest_or_none).text("expiresAt", expires_at.map(Time::to_iso).as_deref());
        let pair = out.finish();
        self.keep.json("pending", &pair);
        let mut action = to_do("tell");
        action.json("value", &pair);
        Ok(action)
    }

    /// At a logout, whatever the server said. A secret key is nobody's session.
    fn forget(&mut self) {
        if self.ends_own() && !self.is_key {
            // Longer each time: a refresh that was under way meanwhile sees the difference, one after the next sign-in does not.
            let times = join("1", &self.memory.member(memory::SIGNED_OUT).as_words(), "");
            self.remember.text(memory::SIGNED_OUT, Some(&times));
            for key in &[memory::ACCESS, memory::DUE, memory::REFRESH, memory::CURRENT, memory::HANDLES] {
                self.remember.json(key, "null");
            }
        }
    }

    fn logged_out(&mut self, server: &str, message: Option<&str>, error: Option<Error>) -> Action {
        self.forget();
        let error = error.map(|error| self.cleaned(error)).unwrap_or_else(|| "null".into());
        let document = Document::read(&error);
        let words = root(&document).text("message");
        let mut out = Writer::new();
        out.flag("success", server == "confirmed").text("message", message.or(words.as_deref())).text("server", Some(server));
        out.json("error", &error);
        done(&out.finish())
    }

    /// Until when an access token of an ended session may still be accepted. Our own token says it of our own session. For another one, and for all of them,
    /// the lifetime is the measure where the back-end publishes one; for all of them at least our own token's end.
    fn valid_until(&self) -> Option<Time> {
        if self.effect() == "immediate" {
            return None;
        }
        let is_own = |current: Json<'_>| self.id.is_some_and(|id| id.as_words() == current.as_words());
        if self.goal == Some(RevokeCurrent) || self.current.is_some_and(is_own) {
            return self.claims.expires_at;
        }
        let published = self.profile.number("lifetime");
        let lifetime = published.and_then(|published| self.claims.lifetime().or((published > 0).then_some(published * 1000)));
        let longest = lifetime.and_then(|lifetime| self.time()?.plus(lifetime));
        longest.or(self.claims.expires_at.filter(|_| self.goal == Some(RevokeAll) && published.is_some()))
    }
}

fn unlisted() -> Error {
    Error::new(Code::InvalidResponse, "the back-end has more sessions than it lists: describe its pages in a profile")
}

/// The endpoint of a profile for an operation.
fn endpoint(profile: Json<'_>, operation: Operation, dialect: i64) -> Json<'_> {
    let found = profile.member(operation.name());
    if found.is_array() { found.items().nth(dialect as usize).unwrap_or(Json::NULL) } else { found }
}

/// What an earlier call of the same user learnt.
fn learnt<'a>(memory: Json<'a>, key: &str, forwarded: Option<&str>, user: &str) -> Option<Json<'a>> {
    memory.get(key).filter(|_| forwarded.is_none() && memory.member(memory::LEARNT_WITH).as_words() == user)
}

/// The error that a driver's failure stands for.
fn failed(failure: Json<'_>) -> Error {
    let mut error = Error::new(Code::by_name(failure.member("code").word()), &failure.member("message").as_words());
    error.cause = failure.number("cause");
    error
}

/// How long before its end a token of this lifetime is replaced, in milliseconds.
fn early(lifetime: i64) -> i64 {
    (lifetime / 10).min(60_000)
}

/// A refresh token is one of those that the memory has under that name, one a line.
fn is_among(memory: Json<'_>, name: &str, token: &str) -> bool {
    let lines = memory.member(name).as_words();
    !token.is_empty() && has(&join("\n", &lines, "\n"), &join("\n", token, "\n"))
}

/// One more line: the newest first, and no more than anybody could still hold.
fn with_line(line: &str, lines: &str) -> Text {
    join(line, "\n", lines.get(..8000).unwrap_or(lines))
}

/// Text of a form: `0` a digit, `X` a hexadecimal one, anything else itself.
fn fits(text: &str, form: &str) -> bool {
    text.len() == form.len()
        && text.bytes().zip(form.bytes()).all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            b'X' => byte.is_ascii_hexdigit(),
            _ => byte == form,
        })
}

/// As JSON writes it.
fn is_integer(word: &str) -> bool {
    let digits = word.strip_prefix('-').unwrap_or(word);
    digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.is_empty() && (word == "0" || !digits.starts_with('0'))
}

/// A header's value and its parts, a token's segments too: schemes and cookie names aside, each is a secret.
fn add_secrets(secrets: &mut Vec<Text>, value: &str) {
    secrets.push(value.into());
    secrets.push(encoded(value));
    let mut from = 0;
    for (at, byte) in value.bytes().chain([b' ']).enumerate() {
        if matches!(byte, b' ' | b';' | b'=' | b'.') {
            if let Some(part) = value.get(from..at).filter(|part| part.len() >= 8) {
                secrets.push(part.into());
            }
            from = at + 1;
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

#[cfg(test)]
pub(crate) mod tests;
