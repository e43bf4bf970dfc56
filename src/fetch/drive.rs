//! Drives calls: does what [`client::Call`] says, and tells it what happened.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use gloo_net::http::{Method, RequestBuilder, Response};
use js_sys::{Array, Date, Function, JSON, Math, Promise, Reflect, Uint8Array};
use serde::Deserialize;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, future_to_promise};
use web_sys::{ReadableStreamDefaultReader, RequestCredentials, RequestRedirect, Url};

use super::guard::{Guard, Lost};
use super::{Client, CookieSpec, LocalFuture, Sessions, Token, plain, typed};
use crate::client;
use crate::error::{Code, Error};
use crate::http::{READ_HEADERS, is_valid_header};
use crate::json::{List, Writer, quoted};

/// A larger answer is not a list of sessions.
const MAX_BODY: usize = 8 * 1024 * 1024;

/// Sessions that are ended at once, one by one.
const CONCURRENCY: usize = 4;

/// The next request would meet the same error.
const DOOMS_THE_REST: [Code; 4] = [Code::Aborted, Code::Unauthenticated, Code::RateLimited, Code::ReauthenticationRequired];

/// Building a request without these would trap in the bindings.
const NEEDED: [&str; 5] = ["Request", "Response", "Headers", "URL", "AbortController"];

#[wasm_bindgen(module = "/src/npm/cookies.js")]
extern "C" {
    #[wasm_bindgen(catch, js_name = clearCookies)]
    fn clear_cookies(cookies: &JsValue, removals: &JsValue, own: bool) -> Result<JsValue, JsValue>;
}

/// What to do next; see [`client`].
#[derive(Default, Deserialize)]
#[serde(default)]
struct Step {
    #[serde(rename = "do")]
    what: String,
    remember: BTreeMap<String, Option<String>>,
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
    ms: u32,
    ids: Vec<String>,
}

/// What happened: the event, unfinished, and a body beside it.
type Told = (Writer, Vec<u8>);

/// The result of a call, as a JavaScript value.
pub(super) async fn run(sessions: &Sessions, goal: &str, id: Option<&str>, ended_token: Option<&str>) -> Result<JsValue, Error> {
    let input = input(sessions, id, ended_token)?;
    let call = client::Call::new(goal, &input)?;
    // Emulated operations have the total time for each request.
    let total = sessions.client.options.total_timeout;
    let end = if goal == "revokeAll" || goal == "revokeOthers" { f64::INFINITY } else { Date::now() + f64::from(total) };
    // Boxed: calls make other calls.
    let driven: LocalFuture<_> = Box::pin(Drive { sessions: sessions.clone(), end, refused: None, failures: BTreeMap::new() }.drive(call));
    driven.await
}

/// A logout waits for the refresh that is under way: the session that comes out of it has to end.
pub(super) async fn logout(sessions: &Sessions, ended_token: Option<&str>) -> Result<JsValue, Error> {
    if sessions.client.refreshing.borrow().is_some() {
        let _ = refreshed(sessions).await;
    }
    let result = run(sessions, "logout", None, ended_token).await?;
    let own = sessions.call.authorization.is_none();
    let specs = JSON::parse(&cookie_specs(&sessions.client.options)).unwrap_or_default();
    if let Ok(clearing) = clear_cookies(&specs, &member(&result, "setCookie"), own) {
        // Bounded by itself; null where there is no page.
        if let Ok(cookies) = JsFuture::from(Promise::resolve(&clearing)).await
            && cookies.is_object()
        {
            let _ = Reflect::set(&result, &"cookies".into(), &cookies);
            let _ = Reflect::set(&result, &"setCookie".into(), &Array::new());
        }
    }
    Ok(result)
}

/// One refresh for all that ask meanwhile. It goes on when they give up.
pub(super) async fn refreshed(sessions: &Sessions) -> Result<JsValue, Error> {
    let client = &sessions.client;
    let under_way = client.refreshing.borrow().clone();
    let promise = under_way.unwrap_or_else(|| {
        let alone = Sessions { client: Rc::clone(client), call: super::CallOptions::default() };
        let promise = future_to_promise(async move {
            let outcome = run(&alone, "refresh", None, None).await;
            alone.client.refreshing.replace(None);
            let pair = match outcome {
                Ok(value) => Array::of2(&value, &JsValue::NULL),
                Err(error) => Array::of2(&JsValue::NULL, &plain(&error).unwrap_or_default()),
            };
            Ok(pair.into())
        });
        client.refreshing.replace(Some(promise.clone()));
        promise
    });
    let pair = Guard::new(client.options.total_timeout)?.wait(&promise).await.map_err(|_| late("result"))?;
    let pair: &Array = pair.unchecked_ref();
    if pair.get(1).is_null() { Ok(pair.get(0)) } else { Err(typed(&pair.get(1))?) }
}

/// One call under way.
struct Drive {
    sessions: Sessions,
    /// When the whole call has to be over.
    end: f64,
    /// Why a refresh inside the call failed: its own error.
    refused: Option<Error>,
    /// Sessions that could not be ended, and why.
    failures: BTreeMap<usize, (String, Error)>,
}

impl Drive {
    async fn drive(mut self, mut call: client::Call) -> Result<JsValue, Error> {
        let defect = || Error::new(Code::Internal, "a step that can't be read");
        let mut told = event("start");
        loop {
            let (mut event, body) = told;
            let text = call.step(&self.client().around(&mut event), body);
            let action = JSON::parse(&text).map_err(|_| defect())?;
            let step: Step = serde_wasm_bindgen::from_value(action.clone()).map_err(|_| defect())?;
            self.client().remember(step.remember.clone());
            let happened = match step.what.as_str() {
                "done" => return Ok(member(&action, "value")),
                "fail" => return Err(self.error(&member(&action, "error"))?),
                "tokens" => self.tokens().await,
                "send" => self.send(&step).await,
                "wait" => self.wait(step.ms).await,
                "refresh" => self.refresh().await,
                "tell" => self.tell(&member(&action, "value")).await,
                "each" => self.each(&step.ids).await,
                _ => return Err(defect()),
            };
            told = happened.unwrap_or_else(|error| failed(&error, step.what != "send"));
        }
    }

    fn client(&self) -> &Client {
        &self.sessions.client
    }

    /// The whole time that is left, in milliseconds.
    fn left(&self) -> u32 {
        // A conversion of floats saturates.
        self.client().options.total_timeout.min((self.end - Date::now()).max(0.0) as u32)
    }

    async fn tokens(&self) -> Result<Told, Error> {
        let options = &self.client().options;
        let access = self.ask(&options.token, "access").await?;
        let refresh = self.ask(&options.refresh_token, "refresh").await?;
        let mut told = event("tokens");
        told.0.text("access", access.as_deref()).text("refresh", refresh.as_deref());
        Ok(told)
    }

    /// A function is asked; a fixed token gives way to the newest.
    async fn ask(&self, token: &Token, newest: &str) -> Result<Option<String>, Error> {
        if let Token::Ask(ask) = token {
            let answer = Guard::new(self.left())?.within(ask()).await.ok_or_else(|| late("token"))?;
            return answer.map(|token| token.filter(|token| !token.is_empty())).map_err(|_| Error::new(Code::Unauthenticated, "the token function failed"));
        }
        let memory = self.client().memory.borrow();
        if memory.contains_key("signedOut") {
            return Ok(None);
        }
        let fixed = if let Token::Fixed(fixed) = token { Some(fixed.clone()) } else { None };
        Ok(memory.get(newest).cloned().or(fixed))
    }

    /// One attempt. Redirects are never followed: they could carry a secret to another origin. ("error" is refused by some edge runtimes.)
    async fn send(&self, step: &Step) -> Result<Told, Error> {
        let options = &self.client().options;
        let guard = Guard::new(self.sessions.call.timeout.unwrap_or(options.timeout).min(self.left()))?;
        let refused = || Error::new(Code::InvalidOptions, "the runtime refuses this request: check base_url, headers and credentials");
        let method = Method::from_bytes(step.method.as_bytes()).map_err(|_| refused())?;
        let mut builder = RequestBuilder::new(&step.url).method(method).redirect(RequestRedirect::Manual).abort_signal(Some(&guard.signal()));
        // Nothing is set that was not asked for: edge runtimes refuse what they do not know.
        if let Some(credentials) = options.credentials {
            builder = builder.credentials(credentials);
        }
        for (name, value) in &step.headers {
            // gloo-net traps on others.
            if !is_valid_header(name, value) {
                return Err(refused());
            }
            builder = builder.header(name, value);
        }
        let request = match &step.body {
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
        let answer: web_sys::Response = answer.dyn_into().map_err(|_| Error::new(Code::InvalidResponse, "fetch did not give a Response"))?;
        let answer = Response::from(answer);
        let body = read_all(&answer, &guard).await?;
        let mut headers = Writer::new();
        for name in READ_HEADERS {
            headers.text(name, answer.headers().get(name).as_deref());
        }
        let mut told = event("answer");
        told.0.number("status", Some(answer.status().into())).json("headers", &headers.finish());
        told.1 = body;
        Ok(told)
    }

    async fn wait(&self, ms: u32) -> Result<Told, Error> {
        Guard::new(ms)?.sleep().await;
        Ok(event("waited"))
    }

    async fn refresh(&mut self) -> Result<Told, Error> {
        let tokens = refreshed(&self.sessions).await.map_err(|mut error| {
            self.refused = Some(error.clone());
            error.cause = Some(0);
            error
        })?;
        let mut told = event("refreshed");
        told.0.text("access", member(&tokens, "accessToken").as_string().as_deref());
        Ok(told)
    }

    async fn tell(&self, tokens: &JsValue) -> Result<Told, Error> {
        if let Some(tell) = &self.client().options.on_tokens {
            let told = Guard::new(self.left())?.within(tell(typed(tokens)?)).await.ok_or_else(|| late("end of on_tokens"))?;
            told.map_err(|_| Error::new(Code::Internal, "on_tokens failed: this client goes on with the new tokens, but they may not have been stored"))?;
        }
        Ok(event("told"))
    }

    async fn each(&mut self, ids: &[String]) -> Result<Told, Error> {
        let (next, doom, failures) = (Cell::new(0), RefCell::new(None::<Error>), RefCell::new(BTreeMap::new()));
        let worker = || async {
            while let Some(id) = ids.get(next.replace(next.get() + 1)) {
                let index = next.get() - 1;
                let doomed = doom.borrow().clone();
                let result = match doomed {
                    Some(error) => Err(error),
                    None => self.sessions.revoke(id).await.map(drop),
                };
                if let Err(error) = result {
                    if DOOMS_THE_REST.contains(&error.code) {
                        doom.borrow_mut().get_or_insert_with(|| error.clone());
                    }
                    failures.borrow_mut().insert(index, (id.clone(), error));
                }
            }
        };
        let mut workers: Vec<_> = (0..CONCURRENCY).map(|_| Box::pin(worker())).collect();
        poll_fn(|context| {
            workers.retain_mut(|worker| worker.as_mut().poll(context).is_pending());
            if workers.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        drop(workers);
        self.failures = failures.into_inner();
        let mut codes = List::default();
        for index in 0..ids.len() {
            codes.push(&self.failures.get(&index).map_or_else(|| "null".to_owned(), |(_, error)| quoted(error.code.as_str())));
        }
        let mut told = event("each");
        told.0.json("codes", &codes.finish());
        Ok(told)
    }

    /// The call's error. A failed refresh is its own; of sessions that could not be ended, the errors are here.
    fn error(&mut self, fields: &JsValue) -> Result<Error, Error> {
        let mut error: Error = typed(fields)?;
        if let (Some(_), Some(refused)) = (error.cause.take(), self.refused.take()) {
            return Ok(refused);
        }
        if let Some((_, failed)) = &mut error.partial {
            let mut list = List::default();
            for (id, error) in self.failures.values() {
                list.push(Writer::new().text("id", Some(id)).json("error", &error.to_json()).finish().as_str());
            }
            *failed = list.finish();
        }
        Ok(error)
    }
}

impl Client {
    /// The event with what is around it.
    fn around(&self, event: &mut Writer) -> String {
        let navigator = member(&js_sys::global(), "navigator");
        // Edge runtimes have a navigator too, but none of them claims to be a browser.
        let browser = member(&navigator, "userAgent").as_string().is_some_and(|agent| agent.starts_with("Mozilla/"));
        let mut memory = Writer::new();
        for (key, value) in self.memory.borrow().iter() {
            memory.text(key, Some(value));
        }
        event.number("now", Some(Date::now() as i64)).number("random", Some((Math::random() * 1000.0) as i64));
        event.flag("browser", browser).flag("offline", member(&navigator, "onLine") == JsValue::FALSE);
        event.json("memory", &memory.finish()).finish()
    }

    fn remember(&self, news: BTreeMap<String, Option<String>>) {
        let mut memory = self.memory.borrow_mut();
        for (key, value) in news {
            match value {
                Some(value) => memory.insert(key, value),
                None => memory.remove(&key),
            };
        }
    }
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
fn input(sessions: &Sessions, id: Option<&str>, ended_token: Option<&str>) -> Result<String, Error> {
    let (options, call) = (&sessions.client.options, &sessions.call);
    if NEEDED.iter().any(|name| !member(&js_sys::global(), name).is_function()) {
        return Err(Error::new(Code::Unsupported, "this runtime has no fetch API: auth-sessions runs in browsers, workers, Node 20, Deno and Bun"));
    }
    let (base, is_secure) = base(&options.base_url).ok_or_else(|| {
        Error::new(Code::InvalidOptions, "base_url must be an http(s) URL without user, query or fragment, such as \"https://auth.example.com\"")
    })?;
    let sends = matches!(options.credentials, Some(RequestCredentials::Include | RequestCredentials::SameOrigin));
    let pairs = |headers: &BTreeMap<String, String>| {
        let mut pairs = List::default();
        for (name, value) in headers {
            let mut pair = List::default();
            pair.push(&quoted(name));
            pair.push(&quoted(value));
            pairs.push(&pair.finish());
        }
        pairs.finish()
    };
    let mut out = Writer::new();
    out.text("provider", Some(&options.provider)).text("base", Some(&base)).flag("isSecure", is_secure).text("clientId", options.client_id.as_deref());
    out.json("headers", &pairs(&options.headers)).json("callHeaders", &pairs(&call.headers)).json("cookies", &cookie_specs(options));
    out.flag("sendsCookies", sends || options.headers.keys().any(|name| name.eq_ignore_ascii_case("cookie")));
    out.flag("allowInsecure", options.allow_insecure).number("totalTimeout", Some(options.total_timeout.into()));
    out.number("maxRetries", Some(options.max_retries.into())).number("maxRetryAfter", Some(options.max_retry_after.into()));
    out.text("authorization", call.authorization.as_deref()).text("applicationId", call.application_id.as_deref());
    Ok(out.text("id", id).text("endedToken", ended_token.filter(|token| !token.is_empty())).finish())
}

/// Scheme, host and path prefix, and whether nobody between here and there can read along: https, or this very machine.
fn base(base_url: &str) -> Option<(String, bool)> {
    let page = member(&member(&js_sys::global(), "location"), "href").as_string().filter(|_| !base_url.is_empty());
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

fn event(name: &str) -> Told {
    let mut event = Writer::new();
    event.text("event", Some(name));
    (event, Vec::new())
}

fn failed(error: &Error, fatal: bool) -> Told {
    let mut told = event("failed");
    told.0.text("code", Some(error.code.as_str())).text("message", Some(&error.message));
    told.0.number("cause", error.cause.map(i64::from)).flag("fatal", fatal);
    told
}

fn late(what: &str) -> Error {
    Error::new(Code::Timeout, &crate::json::join(&["no ", what, " in time: see the options timeout and total_timeout"]))
}

/// A member of any value; undefined where there is none.
fn member(value: &JsValue, name: &str) -> JsValue {
    Reflect::get(value, &name.into()).unwrap_or_default()
}

/// The cookies to clear, in JSON.
fn cookie_specs(options: &super::Options) -> String {
    let mut cookies = List::default();
    for CookieSpec { name, path, domain, secure, same_site, partitioned, http_only } in &options.cookies {
        let mut cookie = Writer::new();
        cookie.text("name", Some(name)).text("path", path.as_deref()).text("domain", domain.as_deref()).flag("secure", *secure);
        cookie.text("sameSite", same_site.map(|same_site| same_site.as_str())).flag("partitioned", *partitioned);
        cookie.json("httpOnly", http_only.map_or("null", |flag| if flag { "true" } else { "false" }));
        cookies.push(&cookie.finish());
    }
    cookies.finish()
}
