//! Drives calls: does what [`client::step`] says, and tells it what happened.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::Poll;

use gloo_net::http::{Headers, Method, RequestBuilder};
use js_sys::{Array, Date, Function, Math, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, future_to_promise};
use web_sys::{ReadableStreamDefaultReader, RequestCredentials, RequestRedirect, Response, Url};

use super::guard::{Guard, Lost};
use super::{CallOptions, ClearedCookie, Client, LocalFuture, LoggedOut, Refreshing, Sessions, Token, from_js, plain, typed};
use crate::client;
use crate::error::{Code, Error};
use crate::http::{READ_HEADERS, is_valid_header};
use crate::json::{Document, Json, List, Writer, decimal, join, pair, quoted, root};
use crate::jwt::{Claims, payload};
use crate::text::Text;

/// A larger answer is not a list of sessions.
const MAX_BODY: usize = 8 * 1024 * 1024;

/// Sessions that are ended at once, one by one, where the back-end names no limits.
const CONCURRENCY: usize = 4;

/// People take their time to sign in again, but not for ever: milliseconds.
const REAUTHENTICATION: u32 = 10 * 60 * 1000;

/// The next request would meet the same error.
const DOOMS_THE_REST: [Code; 3] = [Code::Unauthenticated, Code::RateLimited, Code::ReauthenticationRequired];

/// The states that a list may be asked for.
const STATUSES: [&str; 7] = ["active", "revoked", "ended", "expired", "removed", "abandoned", "replaced"];

/// Building a request without these would trap in the bindings.
const NEEDED: [&str; 5] = ["Request", "Response", "Headers", "URL", "AbortController"];

#[wasm_bindgen(module = "/src/npm/cookies.js")]
extern "C" {
    #[wasm_bindgen(catch)]
    fn removals(cookies: &JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(catch, js_name = clearCookies)]
    fn clear_cookies(cookies: &JsValue, own: bool) -> Result<JsValue, JsValue>;
}

/// An object's members by name: JSON. What is null is not there.
pub(super) type Members = BTreeMap<String, Text>;

fn put(members: &mut Members, news: Json<'_>) {
    news.each(&mut |name, value| {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.to_owned(), value.source().into());
        }
    });
}

fn object(members: &Members) -> Writer {
    let mut object = Writer::new();
    for (name, json) in members {
        object.json(name, json);
    }
    object
}

/// The result of a call, in JSON. The arguments have the names that [`client`] knows them by.
pub(super) async fn run(sessions: &Sessions, goal: &str, arguments: &mut Writer) -> Result<String, Error> {
    let input = input(sessions, arguments.text("goal", Some(goal)))?;
    let mut state = Members::new();
    put(&mut state, root(&Document::read(&input)));
    let end = Date::now() + f64::from(sessions.client.options.total_timeout);
    // Boxed: calls make other calls.
    let driven: LocalFuture<_> = Box::pin(Drive { sessions: sessions.clone(), state, body: Vec::new(), end, failures: BTreeMap::new() }.drive());
    driven.await
}

/// A logout waits for the refreshes that are under way: the sessions that come out of them have to end. Of one that is told already the logout may be part.
pub(super) async fn logout(sessions: &Sessions, ended_token: Option<&str>) -> Result<LoggedOut, Error> {
    let client = &sessions.client;
    let own = sessions.call.authorization.is_none();
    let is_own = own && ended_token.is_none_or(|token| is_own(client, token));
    let _leaving = is_own.then(|| Leaving::new(client));
    settle(client, client.options.total_timeout).await?;
    let result = run(sessions, "logout", Writer::new().text("endedToken", ended_token)).await?;
    let mut out: LoggedOut = typed(&result)?;
    let specs = plain(&client.options.cookies)?;
    if let Ok(clearing) = clear_cookies(&specs, own)
        // Bounded by itself; null where there is no page.
        && let Ok(cookies) = JsFuture::from(Promise::resolve(&clearing)).await
        && cookies.is_object()
    {
        out.cookies = from_js(&cookies)?;
    } else {
        out.set_cookie = from_js(&removals(&specs).unwrap_or_default())?;
        let unseen = |name: &String| ClearedCookie { name: name.clone(), outcome: "not-visible".to_owned() };
        out.cookies = client.options.cookies.iter().map(|cookie| unseen(&cookie.name)).collect();
    }
    Ok(out)
}

/// Waits until no refresh is under way.
async fn settle(client: &Client, ms: u32) -> Result<(), Error> {
    let patience = Guard::new(ms)?;
    let under_way = || client.refreshing.borrow().values().find(|refreshing| !refreshing.is_told.get()).map(|refreshing| refreshing.promise.clone());
    while let Some(promise) = under_way()
        && patience.wait(&promise).await.is_ok()
    {}
    Ok(())
}

/// A logout of the client's own is under way.
struct Leaving(Rc<Client>);

impl Leaving {
    fn new(client: &Rc<Client>) -> Self {
        client.leaving.set(client.leaving.get() + 1);
        Self(Rc::clone(client))
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.leaving.set(self.0.leaving.get() - 1);
    }
}

/// The refresh token is the client's, be it in an older form.
fn is_own(client: &Client, token: &str) -> bool {
    let is_fixed = matches!(&client.options.refresh_token, Token::Fixed(fixed) if fixed.expose() == token);
    !token.is_empty() && (is_fixed || remembered(client, "refreshToken") == token || is_replaced(client, token))
}

/// A newer refresh token has replaced that one.
fn is_replaced(client: &Client, token: &str) -> bool {
    remembered(client, "replaced").split('\n').any(|line| line == token)
}

/// A text in the client's memory; empty where there is none.
fn remembered(client: &Client, name: &str) -> Text {
    client.memory.borrow().get(name).map(|json| root(&Document::read(json)).as_words()).unwrap_or_default()
}

/// New tokens for a call that wants them whatever it has, in JSON.
pub(super) async fn renewed(sessions: &Sessions) -> Result<String, Error> {
    let client = &sessions.client;
    let ms = client.options.total_timeout;
    let token = ask(client, &client.options.refresh_token, "refreshToken", ms).await?;
    refreshed(client, token, ms, sessions.call.bare()).await
}

/// The new tokens for a refresh token, in JSON: one refresh for all that ask meanwhile. It goes on when they give up.
async fn refreshed(client: &Rc<Client>, token: Option<Text>, ms: u32, call: CallOptions) -> Result<String, Error> {
    // Nobody would end what comes out of a refresh that begins while the user is logging out.
    if client.leaving.get() > 0 {
        return Err(Error::new(Code::Unauthenticated, "the user is logging out"));
    }
    let key = token.unwrap_or_else(|| "null".into());
    let under_way = client.refreshing.borrow().get(key.as_str()).cloned();
    let refreshing = under_way.unwrap_or_else(|| {
        let outcome = Rc::new(OnceCell::new());
        let (alone, told, renews) = (Sessions { client: Rc::clone(client), call }, Rc::clone(&outcome), key.clone());
        let promise = future_to_promise(async move {
            let _ = told.set(run(&alone, "refresh", Writer::new().json("renews", &renews)).await);
            alone.client.refreshing.borrow_mut().remove(renews.as_str());
            Ok(JsValue::NULL)
        });
        let refreshing = Refreshing { promise, outcome, is_told: Rc::default() };
        client.refreshing.borrow_mut().insert(key.as_str().to_owned(), refreshing.clone());
        refreshing
    });
    Guard::new(ms)?.wait(&refreshing.promise).await.map_err(|_| late("result"))?;
    refreshing.outcome.get().cloned().unwrap_or_else(|| Err(late("result")))
}

/// A token in JSON. A function is asked; a fixed token gives way to the newest.
async fn ask(client: &Client, token: &Token, newest: &str, ms: u32) -> Result<Option<Text>, Error> {
    let Token::Ask(ask) = token else {
        let memory = client.memory.borrow();
        if memory.contains_key("signedOut") {
            return Ok(None);
        }
        let fixed = if let Token::Fixed(fixed) = token { Some(quoted(fixed.expose())) } else { None };
        return Ok(memory.get(newest).cloned().or(fixed));
    };
    let answer = Guard::new(ms)?.within(ask()).await.ok_or_else(|| late("token"))?;
    let token = answer.map_err(|_| Error::new(Code::Unauthenticated, "the token function failed"))?;
    let Some(token) = token.filter(|token| !token.is_empty()) else { return Ok(None) };
    if is_replaced(client, &token) {
        let replaced = remembered(client, "replaced");
        // Who still gives an old one may go on so: it must not be the first to be forgotten.
        let lines: Vec<&str> = std::iter::once(token.as_str()).chain(replaced.split('\n').filter(|line| *line != token)).collect();
        client.memory.borrow_mut().insert("replaced".to_owned(), quoted(&lines.join("\n")));
    }
    let token = quoted(&token);
    // It may not have heard of the newest.
    let is_old = newest == "accessToken" && client.old.borrow().as_ref() == Some(&token);
    Ok(Some(client.memory.borrow().get(newest).filter(|_| is_old).cloned().unwrap_or(token)))
}

async fn sleep(ms: u32) -> Result<(), Error> {
    Guard::new(ms)?.sleep().await;
    Ok(())
}

/// What happened: the name of an event, or a failure.
type Happened = Result<&'static str, Error>;

/// One call under way.
struct Drive {
    sessions: Sessions,
    /// All that comes in with the next event, but for what is around.
    state: Members,
    /// The body of an answer.
    body: Vec<u8>,
    /// When the whole call has to be over.
    end: f64,
    /// Sessions that could not be ended, and why.
    failures: BTreeMap<usize, (Text, Error)>,
}

impl Drive {
    async fn drive(mut self) -> Result<String, Error> {
        let mut event = "start";
        loop {
            let text = client::step(&self.call(event), &std::mem::take(&mut self.body));
            let document = Document::read(&text);
            let action = root(&document);
            put(&mut self.client().memory.borrow_mut(), action.member("remember"));
            put(&mut self.state, action.member("keep"));
            let what = action.member("do").word();
            let happened = match what {
                "done" => return Ok(action.member("value").source().to_owned()),
                "fail" => return Err(self.error(action.member("error"))?),
                "tokens" => self.tokens(action.is("own")).await,
                "send" => self.send(action).await,
                "wait" => sleep(whole(action.member("ms"))).await.map(|()| "waited"),
                "refresh" => match self.refresh().await {
                    // A refresh that failed is this call's own failure, unless it could go on without.
                    Err(error) if self.state.get("isEarly").is_none_or(|early| early != "true") => return Err(error),
                    refreshed => refreshed,
                },
                "reauthenticate" => self.reauthenticate(action.member("error")).await,
                "tell" => self.tell(action.member("value")).await,
                "each" => self.each(action).await,
                _ => return Err(Error::new(Code::Internal, "a step that can't be read")),
            };
            event = happened.unwrap_or_else(|error| {
                let mut failure = Writer::new();
                failure.text("code", Some(error.code.as_str())).text("message", Some(&error.message)).flag("fatal", what != "send");
                self.set("failure", failure.finish());
                "failed"
            });
        }
    }

    fn client(&self) -> &Rc<Client> {
        &self.sessions.client
    }

    /// What the caller wants is that.
    fn is(&self, goal: &str) -> bool {
        self.state.get("goal").is_some_and(|json| *json == quoted(goal))
    }

    fn set(&mut self, name: &str, json: Text) {
        self.state.insert(name.to_owned(), json);
    }

    /// All that is known, with what is around.
    fn call(&self, event: &str) -> Text {
        let navigator = member(&js_sys::global(), "navigator");
        // Edge runtimes have a navigator too, but none of them claims to be a browser.
        let browser = member(&navigator, "userAgent").as_string().is_some_and(|agent| agent.starts_with("Mozilla/"));
        let mut call = object(&self.state);
        call.text("event", Some(event)).number("now", Date::now() as i64).number("random", (Math::random() * 1000.0) as i64);
        call.flag("browser", browser).flag("offline", member(&navigator, "onLine") == JsValue::FALSE);
        let id = self.state.get("foundId").or_else(|| self.state.get("id")).map(|id| root(&Document::read(id)).as_words());
        let names = |token: &str| Claims::read(root(&Document::parse(&payload(token)))).session_id.map(Json::as_words) == id;
        call.flag("isRefreshing", !self.client().refreshing.borrow().is_empty());
        call.flag("isRenewed", self.is("revoke") && self.sessions.call.authorization.is_none() && remembered(self.client(), "replaced").split('\n').any(names));
        call.json("memory", &object(&self.client().memory.borrow()).finish()).finish()
    }

    /// The whole time that is left, in milliseconds.
    fn left(&self) -> u32 {
        // A conversion of floats saturates.
        self.client().options.total_timeout.min((self.end - Date::now()).max(0.0) as u32)
    }

    /// Somebody else's request comes with its own, unless it is served with a secret key.
    async fn tokens(&mut self, own: bool) -> Happened {
        let client = Rc::clone(self.client());
        if self.state.get("isGone").is_some_and(|gone| gone == "true") {
            settle(&client, self.left()).await?;
        }
        let (mut access, mut refresh) = (None, None);
        if self.is("refresh") {
            // Of the token that it was decided of, whoever has signed in since.
            refresh = self.state.get("renews").cloned();
        } else if own {
            access = ask(&client, &client.options.token, "accessToken", self.left()).await?;
            refresh = ask(&client, &client.options.refresh_token, "refreshToken", self.left()).await?;
        }
        // The functions may have the next user's tokens by now.
        if own && !self.is("logout") && self.state.get("signedOut") != client.memory.borrow().get("signedOut") {
            return Err(logged_out());
        }
        for (name, token) in [("access", access), ("refresh", refresh)] {
            self.set(name, token.unwrap_or_else(|| "null".into()));
        }
        Ok("tokens")
    }

    /// One attempt. Redirects are never followed: they could carry a secret to another origin. ("error" is refused by some edge runtimes.)
    async fn send(&mut self, action: Json<'_>) -> Happened {
        let options = &self.client().options;
        let guard = Guard::new(self.sessions.call.timeout.unwrap_or(options.timeout).min(self.left()))?;
        let refused = || Error::new(Code::InvalidOptions, "the runtime refuses this request: check base_url, headers and credentials");
        let headers = Headers::new();
        for pair in action.member("headers").items() {
            let mut texts = pair.items().map(Json::as_words);
            let (name, value) = (texts.next().unwrap_or_default(), texts.next().unwrap_or_default());
            // gloo-net traps on others.
            if !is_valid_header(&name, &value) {
                return Err(refused());
            }
            // Cookies are joined otherwise than other headers.
            match headers.get(&name).filter(|_| name.eq_ignore_ascii_case("cookie")) {
                Some(cookie) => headers.set(&name, &join(&cookie, "; ", &value)),
                None => headers.append(&name, &value),
            }
        }
        let method = Method::from_bytes(action.member("method").word().as_bytes()).map_err(|_| refused())?;
        let url = action.member("url").as_words();
        let mut builder = RequestBuilder::new(&url).method(method).headers(headers).redirect(RequestRedirect::Manual).abort_signal(Some(&guard.signal()));
        // Nothing is set that was not asked for: edge runtimes refuse what they do not know.
        if let Some(credentials) = options.credentials {
            builder = builder.credentials(credentials);
        }
        let request = match action.text("body") {
            Some(body) => builder.body(body.as_str()),
            None => builder.build(),
        };
        let request = web_sys::Request::from(request.map_err(|_| refused())?);
        let fetch = match &options.fetch {
            Some(fetch) => fetch.clone(),
            None => member(&js_sys::global(), "fetch").dyn_into::<Function>().map_err(|_| Error::new(Code::Unsupported, "this runtime has no fetch"))?,
        };
        // Not gloo-net's send(): over such a `fetch` as this may be, it never ends.
        let no_answer = || Error::new(Code::Network, "no answer from the back-end: check the network, its address, its certificate and its CORS settings");
        let answer = fetch.call1(&JsValue::UNDEFINED, &request).map_err(|_| no_answer())?;
        let answer = guard.wait(&answer).await.map_err(|lost| if matches!(lost, Lost::Late) { late("answer") } else { no_answer() })?;
        let answer: Response = answer.dyn_into().map_err(|_| Error::new(Code::InvalidResponse, "fetch did not give a Response"))?;
        self.body = read_all(&answer, &guard).await?;
        let mut received = Writer::new();
        for name in READ_HEADERS {
            let value = answer.headers().get(name).ok().flatten();
            // A date (RFC 9110, 5.6.7): in seconds from now.
            let date =
                value.as_deref().filter(|value| name == "retry-after" && value.ends_with(" GMT")).map(|value| (Date::parse(value) - Date::now()) / 1000.0);
            let seconds = date.filter(|seconds| seconds.is_finite()).map(|seconds| decimal(seconds.max(0.0).ceil() as i64));
            received.text(name, seconds.as_deref().or(value.as_deref()));
        }
        self.set("received", received.finish());
        // Less is no difference: it tells whole seconds, and the answer was on its way. (Rarely to be seen across origins.)
        let date = answer.headers().get("date").ok().flatten().map(|date| Date::parse(&date) - Date::now()).filter(|ahead| ahead.is_finite());
        if let Some(ahead) = date {
            let skew = if ahead.abs() < 5000.0 { 0 } else { ahead as i64 };
            self.client().memory.borrow_mut().insert("skew".to_owned(), quoted(&decimal(skew)));
        }
        self.set("answered", decimal(answer.status().into()));
        Ok("answer")
    }

    async fn refresh(&mut self) -> Happened {
        let client = Rc::clone(self.client());
        let mut token = self.state.get("refresh").cloned();
        // Another call may have a newer one.
        if token.as_deref().is_some_and(|token| is_replaced(&client, &root(&Document::read(token)).as_words())) {
            token = client.memory.borrow().get("refreshToken").cloned().or(token);
        }
        let tokens = refreshed(&client, token, self.left(), CallOptions::default()).await?;
        client.old.replace(self.state.get("access").cloned());
        self.set("refreshed", root(&Document::read(&tokens)).member("accessToken").source().into());
        Ok("refreshed")
    }

    /// Asks the user to sign in again. The time they take is not the call's.
    async fn reauthenticate(&mut self, error: Json<'_>) -> Happened {
        let mut again = Some(false);
        if let Some(ask) = &self.client().options.on_reauthenticate {
            again = Guard::new(REAUTHENTICATION)?.within(ask(typed(error.source())?)).await;
        }
        self.end = Date::now() + f64::from(self.client().options.total_timeout);
        let again = again.ok_or_else(|| late("answer of on_reauthenticate"))?;
        self.set("again", if again { "true" } else { "false" }.into());
        Ok("reauthenticated")
    }

    async fn tell(&self, tokens: Json<'_>) -> Happened {
        if let Some(tell) = &self.client().options.on_tokens {
            if let Some(refreshing) = self.client().refreshing.borrow().get(self.state.get("renews").map_or("null", Text::as_str)) {
                refreshing.is_told.set(true);
            }
            let told = Guard::new(self.left())?.within(tell(typed(tokens.source())?)).await.ok_or_else(|| late("end of on_tokens"))?;
            told.map_err(|_| Error::new(Code::Internal, "on_tokens failed: this client goes on with the new tokens, but they may not have been stored"))?;
        }
        Ok("told")
    }

    /// Each has its own total time; there is none for the whole run. The current session comes last: without it there is no ending the others.
    async fn each(&mut self, action: Json<'_>) -> Happened {
        let ids: Vec<Text> = action.member("ids").items().map(Json::as_words).collect();
        let limits: Vec<Vec<u32>> = action.member("limits").items().map(|limit| limit.items().map(whole).collect()).collect();
        let call = CallOptions { authorization: self.sessions.call.authorization.clone(), ..self.sessions.call.bare() };
        let sessions = self.sessions.with(call);
        let (next, doom, failures) = (Cell::new(0), RefCell::new(None::<Error>), RefCell::new(BTreeMap::new()));
        let is_own = sessions.call.authorization.is_none();
        let signed_out = remembered(&sessions.client, "signedOut");
        let worker = async |end: usize| {
            while let Some(id) = ids.get(next.get()).filter(|_| next.get() < end) {
                let index = next.replace(next.get() + 1);
                if is_own && remembered(&sessions.client, "signedOut") != signed_out {
                    doom.borrow_mut().get_or_insert_with(logged_out);
                }
                let doomed = doom.borrow().clone();
                let result = match doomed {
                    Some(error) => Err(error),
                    None => match pace(&sessions.client, &limits).await {
                        Ok(slot) => {
                            let result = sessions.revoke(id).await.map(drop);
                            // Not when it was sent: the back-end counts from its arrival.
                            slot.set(Date::now());
                            result
                        }
                        Err(error) => Err(error),
                    },
                };
                if let Err(error) = result {
                    if DOOMS_THE_REST.contains(&error.code) {
                        doom.borrow_mut().get_or_insert_with(|| error.clone());
                    }
                    failures.borrow_mut().insert(index, (id.clone(), error));
                }
            }
        };
        let others = ids.len() - usize::from(action.is("last") && !ids.is_empty());
        let mut workers: Vec<_> = (0..if limits.is_empty() { CONCURRENCY } else { 1 }).map(|_| Box::pin(worker(others))).collect();
        poll_fn(|context| {
            workers.retain_mut(|worker| worker.as_mut().poll(context).is_pending());
            if workers.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        worker(ids.len()).await;
        drop(workers);
        self.failures = failures.into_inner();
        let mut codes = List::default();
        for index in 0..ids.len() {
            codes.push(&self.failures.get(&index).map_or_else(|| "null".into(), |(_, error)| quoted(error.code.as_str())));
        }
        self.set("codes", codes.finish());
        Ok("each")
    }

    /// The call's error, with those of the sessions that could not be ended.
    fn error(&self, fields: Json<'_>) -> Result<Error, Error> {
        let mut error: Error = typed(fields.source())?;
        if let Some((_, failed)) = &mut error.partial {
            let mut list = List::default();
            for (id, error) in fields.member("failed").items().filter_map(|index| self.failures.get(&(whole(index) as usize))) {
                list.push(&Writer::new().text("id", Some(id)).json("error", &error.to_json()).finish());
            }
            *failed = list.finish();
        }
        Ok(error)
    }
}

/// Waits until one more revocation keeps to all limits, pairs of milliseconds and a number; those of earlier runs of this client count.
async fn pace(client: &Client, limits: &[Vec<u32>]) -> Result<Rc<Cell<f64>>, Error> {
    let mut most_of_all = 0;
    loop {
        let mut wait = 0.0_f64;
        for limit in limits {
            let &[ms, most] = limit.as_slice() else { continue };
            most_of_all = most_of_all.max(most as usize);
            let paced = client.paced.borrow();
            if let Some(before) = paced.len().checked_sub(most as usize).and_then(|index| paced.get(index)) {
                wait = wait.max(f64::from(ms).min(before.get() + f64::from(ms) - Date::now()));
            }
        }
        if wait <= 0.0 {
            break;
        }
        sleep(wait.ceil() as u32).await?;
    }
    let mut paced = client.paced.borrow_mut();
    let slot = Rc::new(Cell::new(Date::now()));
    paced.push(Rc::clone(&slot));
    let old = paced.len().saturating_sub(most_of_all);
    paced.drain(..old);
    Ok(slot)
}

async fn read_all(answer: &Response, guard: &Guard) -> Result<Vec<u8>, Error> {
    /// Lets go of a body that is not read to its end.
    struct Reader(ReadableStreamDefaultReader);
    impl Drop for Reader {
        fn drop(&mut self) {
            // Settled together with nothing else: a failure to cancel is nobody's.
            let _ = Promise::all_settled(&Array::of1(&self.0.cancel()));
        }
    }
    let lost = || Error::new(Code::Network, "the connection was lost in the middle of the answer");
    let mut bytes = Vec::new();
    let Some(stream) = answer.body() else { return Ok(bytes) };
    let reader = Reader(ReadableStreamDefaultReader::new(&stream).map_err(|_| Error::new(Code::InvalidResponse, "the answer's body was read before"))?);
    loop {
        let read = guard.wait(&reader.0.read()).await.map_err(|why| if matches!(why, Lost::Late) { late("answer") } else { lost() })?;
        if member(&read, "done").is_truthy() {
            return Ok(bytes);
        }
        let chunk: Uint8Array = member(&read, "value").dyn_into().map_err(|_| lost())?;
        if bytes.len() + chunk.length() as usize > MAX_BODY {
            return Err(Error::new(Code::InvalidResponse, "the answer is larger than 8 MiB"));
        }
        bytes.extend(chunk.to_vec());
    }
}

/// The options and arguments, as a call takes them.
fn input(sessions: &Sessions, out: &mut Writer) -> Result<Text, Error> {
    let (options, call) = (&sessions.client.options, &sessions.call);
    if NEEDED.iter().any(|name| !member(&js_sys::global(), name).is_function()) {
        return Err(Error::new(Code::Unsupported, "this runtime has no fetch API: auth-sessions runs in browsers, workers, Node 20, Deno and Bun"));
    }
    let wrong = |what: &str| Err(Error::new(Code::InvalidArgument, what));
    let texts = [
        ("applicationId", &call.application_id),
        ("userId", &call.user_id),
        ("ofClient", &call.client_id),
        ("status", &call.status),
        ("cursor", &call.cursor),
        ("authorization", &call.authorization),
    ];
    for (name, text) in texts {
        let text = text.as_deref();
        // Cursors and authorizations go into headers.
        if text.is_some_and(|text| text.is_empty() && name != "authorization" || !is_valid_header("x", text) && ["cursor", "authorization"].contains(&name)) {
            return wrong(&join(if name == "ofClient" { "clientId" } else { name }, " is empty, or can't be sent", ""));
        }
        out.text(name, text);
    }
    if call.status.as_deref().is_some_and(|status| !STATUSES.contains(&status)) {
        return wrong("status must be active, revoked, ended, expired, removed, abandoned or replaced");
    }
    if !options.base_url.is_empty() {
        let (base, is_secure) = base(&options.base_url).ok_or_else(|| {
            Error::new(Code::InvalidOptions, "base_url must be an http(s) URL without user, query or fragment, such as \"https://auth.example.com\"")
        })?;
        out.text("base", Some(&base)).flag("isSecure", is_secure);
    }
    let sends = matches!(options.credentials, Some(RequestCredentials::Include | RequestCredentials::SameOrigin));
    removals(&plain(&options.cookies)?).map_err(|wrong| {
        let message = member(&wrong, "message").as_string().unwrap_or_default();
        Error::new(Code::InvalidOptions, &message)
    })?;
    out.text("provider", Some(&options.provider)).text("environment", options.environment.map(|environment| environment.as_str()));
    out.text("clientId", options.client_id.as_deref()).optional("pageSize", call.page_size.map(i64::from));
    check(&options.headers, Code::InvalidOptions)?;
    check(&call.headers, Code::InvalidArgument)?;
    // The call's come before the client's, whose cookie is a credential: it never serves somebody else's request.
    let serves = call.authorization.is_some();
    let own = options.headers.iter().filter(|(name, _)| {
        let is_given = call.headers.keys().any(|given| given.eq_ignore_ascii_case(name));
        !(is_given || serves && name.eq_ignore_ascii_case("cookie"))
    });
    let mut headers = List::default();
    for (name, value) in own.chain(&call.headers) {
        headers.push(&pair(name, value));
    }
    out.json("headers", &headers.finish());
    out.flag("sendsCookies", sends || options.headers.keys().any(|name| name.eq_ignore_ascii_case("cookie")));
    out.flag("allowInsecure", options.allow_insecure).flag("dangerouslyAllowBrowser", options.dangerously_allow_browser);
    out.flag("canReauthenticate", options.on_reauthenticate.is_some()).number("totalTimeout", options.total_timeout.into());
    out.number("maxRetries", options.max_retries.into()).number("maxRetryAfter", options.max_retry_after.into());
    Ok(out.finish())
}

/// Headers, said to be wrong before anything is sent: RFC 9110, 5.1 and 5.5.
fn check(headers: &BTreeMap<String, String>, code: Code) -> Result<(), Error> {
    for (name, value) in headers {
        if !is_valid_header(name, value) {
            return Err(Error::new(code, "a header has a name or a value that can't be sent: no line breaks, no characters beyond Latin-1"));
        }
        if name.eq_ignore_ascii_case("authorization") {
            return Err(Error::new(code, "headers can't hold Authorization: use token, or authorization for the request that is being served"));
        }
    }
    Ok(())
}

/// Scheme, host and path prefix, and whether nobody between here and there can read along: https, or this very machine.
fn base(base_url: &str) -> Option<(String, bool)> {
    let page = member(&member(&js_sys::global(), "location"), "href").as_string();
    let url = page.and_then(|page| Url::new_with_base(base_url, &page).ok()).or_else(|| Url::new(base_url).ok())?;
    let (protocol, host) = (url.protocol(), url.hostname());
    let bare = [url.username(), url.password(), url.search(), url.hash()].iter().all(String::is_empty);
    if !bare || !["http:", "https:"].contains(&protocol.as_str()) {
        return None;
    }
    let local =
        ["localhost", "[::1]"].contains(&host.as_str()) || host.ends_with(".localhost") || host.parse().is_ok_and(|ip: std::net::Ipv4Addr| ip.is_loopback());
    Some((url.origin() + url.pathname().trim_end_matches('/'), protocol == "https:" || local))
}

fn logged_out() -> Error {
    Error::new(Code::Unauthenticated, "the user has logged out")
}

fn late(what: &str) -> Error {
    Error::new(Code::Timeout, &join("no ", what, " in time: see the options timeout and total_timeout"))
}

/// A member of any value; undefined where there is none.
fn member(value: &JsValue, name: &str) -> JsValue {
    Reflect::get(value, &name.into()).unwrap_or_default()
}

/// A whole number that is not negative.
fn whole(json: Json<'_>) -> u32 {
    json.as_scaled(0).and_then(|number| u32::try_from(number).ok()).unwrap_or(0)
}
