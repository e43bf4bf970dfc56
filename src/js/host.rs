//! Drives a call: a JavaScript object that `src/npm/host.js` makes for each call does the waiting. Every promise it gives settles in time.

use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::RequestRedirect;

use super::plain;
use crate::client::{Action, Call, Event, Outgoing, Surroundings};
use crate::error::{Code, Error};
use crate::http::{Method, READ_HEADERS, Response};
use crate::json::Json;
use crate::time::Time;
use crate::value::Value;

#[wasm_bindgen]
extern "C" {
    /// `Host` of `src/npm/host.js`. None of its methods throws; the promises reject with a [`Failure`].
    pub type Host;

    #[wasm_bindgen(method)]
    fn now(this: &Host) -> f64;
    #[wasm_bindgen(method)]
    fn random(this: &Host) -> f64;
    #[wasm_bindgen(method)]
    fn is(this: &Host, what: &str) -> bool;
    #[wasm_bindgen(method)]
    fn recall(this: &Host, key: &str) -> Option<String>;
    #[wasm_bindgen(method)]
    fn remember(this: &Host, key: &str, value: Option<&str>);
    /// Gives the access and the refresh token.
    #[wasm_bindgen(method)]
    fn tokens(this: &Host) -> Promise;
    /// Gives a `Response` of this realm.
    #[wasm_bindgen(method)]
    fn fetch(this: &Host, request: &web_sys::Request, method: &str, template: &str, attempt: u32) -> Promise;
    /// Gives the body as bytes.
    #[wasm_bindgen(method)]
    fn read(this: &Host, response: &JsValue, request_id: Option<&str>) -> Promise;
    #[wasm_bindgen(method)]
    fn sleep(this: &Host, millis: u32, reason: &str, attempt: u32) -> Promise;
    /// Gives the new access token.
    #[wasm_bindgen(method)]
    fn refresh(this: &Host) -> Promise;
    #[wasm_bindgen(method)]
    fn tell(this: &Host, tokens: &JsValue) -> Promise;
    /// Gives a list, one for each id: null, or the code of the error.
    #[wasm_bindgen(method)]
    fn each(this: &Host, ids: &JsValue) -> Promise;

    /// What a promise of the host rejects with; the host keeps the cause itself, by number.
    type Failure;
    #[wasm_bindgen(method, getter)]
    fn code(this: &Failure) -> String;
    #[wasm_bindgen(method, getter)]
    fn message(this: &Failure) -> String;
    #[wasm_bindgen(method, getter)]
    fn cause(this: &Failure) -> Option<u32>;
}

impl Surroundings for Host {
    fn now(&self) -> Option<Time> {
        Time::from_millis(self.now() as i64)
    }

    fn random(&self) -> f64 {
        self.random()
    }

    fn is_browser(&self) -> bool {
        self.is("browser")
    }

    fn is_offline(&self) -> bool {
        self.is("offline")
    }

    fn recall(&self, key: &str) -> Option<String> {
        self.recall(key)
    }

    fn remember(&self, key: &str, value: Option<&str>) {
        self.remember(key, value);
    }
}

/// Runs a call to its end.
pub(super) async fn run(host: &Host, operation: &str, input: &str) -> Result<Value, Error> {
    let input = Json::parse(input.as_bytes()).ok_or_else(|| Error::new(Code::InvalidOptions, "the options hold a value that can't be read"))?;
    let mut call = Call::new(operation, input, host)?;
    let mut action = call.start()?;
    loop {
        let promise = match &action {
            Action::Tokens => host.tokens(),
            Action::Send(outgoing) => host.fetch(&request(outgoing)?, outgoing.method.as_str(), outgoing.template, outgoing.attempt),
            Action::Wait(millis, reason, attempt) => host.sleep(*millis, reason.as_str(), *attempt),
            Action::Refresh => host.refresh(),
            Action::Tell(tokens) => host.tell(&plain(tokens)),
            Action::Each(ids) => host.each(&plain(&Value::List(ids.iter().cloned().map(Value::Text).collect()))),
            Action::Finish(_) => break,
        };
        let event = match JsFuture::from(promise).await {
            Err(failure) => failed(failure),
            Ok(value) => match &action {
                Action::Tokens => {
                    let pair: Array = value.unchecked_into();
                    Event::Tokens(pair.get(0).as_string(), pair.get(1).as_string())
                }
                Action::Send(_) => {
                    let (response, body) = answer(host, value);
                    match JsFuture::from(body).await {
                        Ok(bytes) => Event::Answer(Response { body: bytes.unchecked_into::<Uint8Array>().to_vec(), ..response }),
                        Err(failure) => failed(failure),
                    }
                }
                Action::Refresh => Event::Refreshed(value.as_string().unwrap_or_default()),
                Action::Each(_) => Event::Each(value.unchecked_into::<Array>().iter().map(|code| code.as_string().map(|code| Code::by_name(&code))).collect()),
                _ => Event::Done,
            },
        };
        // A failure of anything but sending is the end.
        action = match (event, action) {
            (Event::Failed(error), Action::Send(_)) => call.step(Event::Failed(error))?,
            (Event::Failed(error), _) => call.fail(error)?,
            (event, _) => call.step(event)?,
        };
    }
    match action {
        Action::Finish(value) => Ok(value),
        _ => Err(Error::new(Code::Internal, "a call ended without a result")),
    }
}

fn failed(failure: JsValue) -> Event {
    let failure: Failure = failure.unchecked_into();
    let mut error = Error::new(Code::by_name(&failure.code()), &failure.message());
    error.cause = failure.cause();
    Event::Failed(error)
}

/// Status and headers of an answer, and the promise of its body. The host made sure that it is a `Response`: gloo-net would trap on anything else.
fn answer(host: &Host, answer: JsValue) -> (Response, Promise) {
    let wrapped = gloo_net::http::Response::from(answer.clone().unchecked_into::<web_sys::Response>());
    let headers = wrapped.headers();
    let headers: Vec<_> = READ_HEADERS.into_iter().filter_map(|name| Some((name, headers.get(name)?))).collect();
    let response = Response { status: wrapped.status(), headers, body: Vec::new() };
    let body = host.read(&answer, response.header("x-request-id"));
    (response, body)
}

fn request(outgoing: &Outgoing) -> Result<web_sys::Request, Error> {
    let method = match outgoing.method {
        Method::Get => gloo_net::http::Method::GET,
        Method::Post => gloo_net::http::Method::POST,
        Method::Put => gloo_net::http::Method::PUT,
        Method::Patch => gloo_net::http::Method::PATCH,
        Method::Delete => gloo_net::http::Method::DELETE,
    };
    // Redirects are never followed: they could carry a secret to another origin. ("error" is refused by some edge runtimes.)
    let mut builder = gloo_net::http::RequestBuilder::new(&outgoing.url).method(method).redirect(RequestRedirect::Manual);
    for (name, value) in &outgoing.headers {
        builder = builder.header(name, value);
    }
    let request = match &outgoing.body {
        Some(body) => builder.body(body.as_str()),
        None => builder.build(),
    };
    request.map(Into::into).map_err(|_| Error::new(Code::InvalidOptions, "the runtime refuses this request: check baseUrl and headers"))
}
