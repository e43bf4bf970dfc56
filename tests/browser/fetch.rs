//! The client in Rust: over fetch functions that misbehave, and against the sandbox.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;

use auth_sessions::fetch::{CallOptions, Code, CookieSpec, Environment, Error, LocalFuture, Options, RefreshSession, Renewed, Secret, Sessions, Token, Tokens};
use js_sys::{Array, Function, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{console_log, wasm_bindgen_test};

// Which passes on what `fetch.js` has.
#[wasm_bindgen(module = "/tests/browser/npm.js")]
extern "C" {
    fn misbehaving(kind: &str) -> Function;
    #[wasm_bindgen(js_name = watchTimers)]
    fn watch_timers(on: bool);
    #[wasm_bindgen(js_name = openTimers)]
    fn open_timers() -> u32;
    #[wasm_bindgen(js_name = signIn)]
    async fn sign_in(sandbox: &str, email: &str) -> JsValue;
    async fn requests(sandbox: &str) -> JsValue;
    async fn reset(sandbox: &str) -> JsValue;
}

/// `{}`, and `{"sid":"me"}` as a refresh token.
const REFRESH: &str = "e30.eyJzaWQiOiJtZSJ9.x";

fn options(fetch: &Function) -> Options {
    Options {
        token: "old".into(),
        refresh_token: REFRESH.into(),
        client_id: Some("client".into()),
        fetch: Some(fetch.clone()),
        timeout: 60,
        max_retries: 0,
        ..Options::new("authvital", "https://auth.example.com")
    }
}

fn over(kind: &str) -> Sessions {
    let ends = !["never", "hangs", "starving"].contains(&kind);
    Sessions::new(Options { timeout: if ends { 5000 } else { 20 }, ..options(&misbehaving(kind)) })
}

fn sleep(ms: i32) -> JsFuture {
    let global: web_sys::Window = js_sys::global().unchecked_into();
    let set: Function = Reflect::get(&global, &"setTimeout".into()).unwrap().unchecked_into();
    Promise::new(&mut |resolve, _| {
        set.call2(&JsValue::UNDEFINED, &resolve, &ms.into()).unwrap();
    })
    .into()
}

/// The output, within five seconds.
async fn settles<T>(what: &str, future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut late = sleep(5000);
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        std::task::Poll::Pending => std::pin::Pin::new(&mut late).poll(context).map(|_| panic!("{what}: not settled in time")),
        ready => ready,
    })
    .await
}

async fn fails<T>(what: &str, code: Code, future: impl Future<Output = Result<T, Error>>) -> Error {
    match settles(what, future).await {
        Ok(_) => panic!("{what}: no error"),
        Err(error) => {
            assert_eq!(error.code, code, "{what}: {error}");
            error
        }
    }
}

fn asked(fetch: &Function) -> Vec<String> {
    Array::from(&Reflect::get(fetch, &"asked".into()).unwrap()).iter().map(|line| line.as_string().unwrap()).collect()
}

fn aborted(fetch: &Function) -> Option<bool> {
    let signal = Reflect::get(fetch, &"signal".into()).unwrap();
    Reflect::get(&signal, &"aborted".into()).ok()?.as_bool()
}

#[wasm_bindgen_test]
async fn every_future_ends_whatever_fetch_does() {
    watch_timers(true);
    for (kind, code) in [
        ("never", Code::Timeout),
        ("throws", Code::Network),
        ("rejects", Code::Network),
        ("rejectsWithNothing", Code::Network),
        ("nothing", Code::InvalidResponse),
        ("object", Code::InvalidResponse),
        ("thenable", Code::Network),
        ("error", Code::InvalidResponse),
        ("redirect", Code::InvalidResponse),
        ("used", Code::InvalidResponse),
        ("locked", Code::InvalidResponse),
        ("breaks", Code::Network),
        ("hangs", Code::Timeout),
        ("endless", Code::InvalidResponse),
        ("starving", Code::Timeout),
        ("text", Code::Network),
        ("html", Code::InvalidResponse),
    ] {
        fails(kind, code, over(kind).list()).await;
        fails(kind, code, over(kind).get("id")).await;
        fails(kind, code, over(kind).current()).await;
        fails(kind, code, over(kind).revoke("id")).await;
        fails(kind, code, over(kind).revoke_current()).await;
        fails(kind, code, over(kind).revoke_all()).await;
        fails(kind, code, over(kind).revoke_others()).await;
        fails(kind, code, over(kind).refresh()).await;
        let result = settles(kind, over(kind).logout(None)).await.unwrap();
        assert_eq!((result.success, result.error.map(|error| error.code)), (false, Some(code)), "{kind}");
    }
    // But for the deadlines of this test itself.
    let own = 17 * 9;
    assert_eq!(open_timers(), own, "no timer stays behind");
    watch_timers(false);
}

#[wasm_bindgen_test]
async fn the_total_time_bounds_retries_tokens_and_logout() {
    let total = |kind| Options { timeout: 10_000, total_timeout: 50, max_retries: 5, ..options(&misbehaving(kind)) };
    fails("list", Code::Timeout, Sessions::new(total("never")).list()).await;
    let out = settles("logout", Sessions::new(total("never")).logout(None)).await.unwrap();
    assert_eq!(out.server, "unreachable");
    let never = || Token::ask(std::future::pending);
    fails("token", Code::Timeout, Sessions::new(Options { token: never(), ..total("empty") }).list()).await;
    let failing = Token::ask(|| async { Err("secret".to_owned()) });
    let error = fails("token", Code::Unauthenticated, Sessions::new(Options { token: failing, ..total("empty") }).list()).await;
    assert!(!error.to_string().contains("secret"));
    let own = Sessions::new(options(&misbehaving("never"))).with(CallOptions { timeout: Some(1), ..CallOptions::default() });
    fails("own", Code::Timeout, own.list()).await;
}

#[wasm_bindgen_test]
async fn what_can_not_be_sent_is_refused() {
    let fetch = misbehaving("empty");
    let list = |change: &dyn Fn(&mut Options)| {
        let mut options = options(&fetch);
        change(&mut options);
        async move { Sessions::new(options).list().await }
    };
    for url in ["", "nothing", "http://auth.example.com", "https://u:p@auth.example.com", "https://auth.example.com?x", "https://auth.example.com#x", "data:,"]
    {
        // A relative one is this page's own: only the Rust side of a page can say so.
        if url != "nothing" {
            let code = if url.starts_with("http:") { Code::Insecure } else { Code::InvalidOptions };
            fails(url, code, list(&|options| options.base_url = url.to_owned())).await;
        }
    }
    fails("token", Code::InvalidOptions, list(&|options| options.token = "a\nb".into())).await;
    fails("header", Code::InvalidOptions, list(&|options| drop(options.headers.insert("x".into(), "a\r\nb: c".into())))).await;
    fails("authorization", Code::InvalidOptions, list(&|options| drop(options.headers.insert("AUTHORIZATION".into(), "Bearer x".into())))).await;
    fails("provider", Code::InvalidOptions, list(&|options| options.provider = "nobody".into())).await;
    fails("cookie", Code::InvalidOptions, list(&|options| options.cookies = vec![CookieSpec { name: "a b".into(), ..CookieSpec::default() }])).await;
    fails("id", Code::InvalidArgument, Sessions::new(options(&fetch)).revoke("..")).await;
    assert!(asked(&fetch).is_empty());
}

#[wasm_bindgen_test]
async fn fetch_is_called_as_a_function_and_redirects_are_not_followed() {
    let fetch = misbehaving("empty");
    assert_eq!(settles("list", Sessions::new(options(&fetch)).list()).await.unwrap().count, 0);
    assert_eq!(Reflect::get(&fetch, &"redirect".into()).unwrap(), "manual");
    assert!(Reflect::get(&fetch, &"self".into()).unwrap().is_undefined());
    assert_eq!(asked(&fetch), ["GET /oauth/sessions"]);
}

#[wasm_bindgen_test]
async fn a_dropped_future_aborts_its_request() {
    for kind in ["never", "hangs"] {
        let fetch = misbehaving(kind);
        let sessions = Sessions::new(Options { timeout: 60_000, ..options(&fetch) });
        watch_timers(true);
        {
            let mut list = Box::pin(sessions.list());
            std::future::poll_fn(|context| {
                let _ = list.as_mut().poll(context);
                std::task::Poll::Ready(())
            })
            .await;
            // The body, too, is asked for by now.
            sleep(1).await.unwrap();
            assert_eq!((aborted(&fetch), asked(&fetch).len()), (Some(false), 1), "{kind}");
        }
        assert_eq!(aborted(&fetch), Some(true), "{kind}");
        assert_eq!(open_timers(), 0, "{kind}");
        watch_timers(false);
    }
}

#[wasm_bindgen_test]
async fn a_timeout_aborts_its_request() {
    let fetch = misbehaving("never");
    fails("list", Code::Timeout, Sessions::new(options(&fetch)).list()).await;
    assert_eq!(aborted(&fetch), Some(true));
}

/// Polls all of them at once.
async fn both<A, B>(a: impl Future<Output = A>, b: impl Future<Output = B>) -> (A, B) {
    let (mut a, mut b, mut outputs) = (std::pin::pin!(a), std::pin::pin!(b), (None, None));
    std::future::poll_fn(|context| {
        if outputs.0.is_none()
            && let std::task::Poll::Ready(output) = a.as_mut().poll(context)
        {
            outputs.0 = Some(output);
        }
        if outputs.1.is_none()
            && let std::task::Poll::Ready(output) = b.as_mut().poll(context)
        {
            outputs.1 = Some(output);
        }
        match (outputs.0.take(), outputs.1.take()) {
            (Some(a), Some(b)) => std::task::Poll::Ready((a, b)),
            waiting => {
                outputs = waiting;
                std::task::Poll::Pending
            }
        }
    })
    .await
}

#[wasm_bindgen_test]
async fn one_refresh_for_all() {
    let (fetch, told) = (misbehaving("rotates"), Rc::new(RefCell::new(Vec::new())));
    let heard = Rc::clone(&told);
    let on_tokens = move |tokens: Tokens| -> LocalFuture<Result<(), String>> {
        let heard = Rc::clone(&heard);
        Box::pin(async move {
            let _ = sleep(1).await;
            heard.borrow_mut().push((tokens.access_token, tokens.refresh_token));
            Ok(())
        })
    };
    let sessions = Sessions::new(Options { timeout: 5000, on_tokens: Some(Rc::new(on_tokens)), ..options(&fetch) });
    let (calls, (first, second)) = settles("all", both(both(sessions.list(), sessions.list()), both(sessions.refresh(), sessions.clone().refresh()))).await;
    assert!(calls.0.is_ok() && calls.1.is_ok());
    assert!(first.unwrap() == second.unwrap());
    assert_eq!(*told.borrow(), [("new".into(), Some("r2".into()))] as [(Secret, Option<Secret>); 1]);
    assert_eq!(asked(&fetch).iter().filter(|line| *line == "POST /oauth/token").count(), 1);
    assert!(settles("next", sessions.list()).await.is_ok(), "with the new token at once");
}

#[wasm_bindgen_test]
async fn a_refresh_goes_on_when_nobody_waits() {
    let fetch = misbehaving("rotates");
    let sessions = Sessions::new(Options { timeout: 5000, ..options(&fetch) });
    {
        let mut refresh = Box::pin(sessions.refresh());
        std::future::poll_fn(|context| {
            let _ = refresh.as_mut().poll(context);
            std::task::Poll::Ready(())
        })
        .await;
        sleep(1).await.unwrap();
    }
    assert_eq!(aborted(&fetch), Some(false));
    let tokens = settles("the same", sessions.refresh()).await.unwrap();
    assert_eq!((tokens.access_token.expose(), asked(&fetch).len()), ("new", 1));
    assert_eq!(format!("{:?}", tokens.access_token), "[redacted]");
}

#[wasm_bindgen_test]
async fn a_lost_refresh_is_not_sent_again() {
    let fetch = misbehaving("never");
    let sessions = Sessions::new(options(&fetch));
    fails("first", Code::Timeout, sessions.refresh()).await;
    fails("second", Code::Unauthenticated, sessions.refresh()).await;
    assert_eq!(asked(&fetch).len(), 1);
}

#[wasm_bindgen_test]
async fn on_tokens_that_fails_or_hangs() {
    for (kind, code) in [("fails", Code::Internal), ("hangs", Code::Timeout)] {
        let on_tokens = move |_: Tokens| -> LocalFuture<Result<(), String>> {
            if kind == "fails" { Box::pin(async { Err("secret".to_owned()) }) } else { Box::pin(std::future::pending()) }
        };
        let fetch = misbehaving("rotates");
        let sessions = Sessions::new(Options { timeout: 5000, total_timeout: 200, on_tokens: Some(Rc::new(on_tokens)), ..options(&fetch) });
        fails(kind, code, sessions.refresh()).await;
        assert!(settles(kind, sessions.list()).await.is_ok(), "{kind}: it goes on with the new tokens");
    }
}

/// As the application that asks for the first tokens again and again.
fn asks(options: Options) -> Options {
    Options {
        token: Token::ask(|| async { Ok(Some("old".to_owned())) }),
        refresh_token: Token::ask(|| async { Ok(Some(REFRESH.to_owned())) }),
        timeout: 5000,
        ..options
    }
}

#[wasm_bindgen_test]
async fn a_call_that_waits_is_not_carried_out_after_a_logout() {
    let fetch = misbehaving("unavailable");
    let sessions = Sessions::new(Options { max_retries: 2, ..asks(options(&fetch)) });
    let logout = async {
        let _ = sleep(5).await;
        sessions.logout(None).await
    };
    let (list, out) = both(fails("list", Code::Unauthenticated, sessions.list()), logout).await;
    assert!(out.unwrap().success && list.status.is_none());
    assert_eq!(asked(&fetch), ["GET /oauth/sessions", "POST /oauth/logout"]);
}

#[wasm_bindgen_test]
async fn a_refresh_is_of_the_token_that_it_was_asked_for() {
    let (fetch, now) = (misbehaving("usesUp"), Rc::new(RefCell::new("first".to_owned())));
    let given = Rc::clone(&now);
    let token = Token::ask(move || {
        let token = given.borrow().clone();
        async { Ok(Some(token)) }
    });
    let sessions = Sessions::new(Options { refresh_token: token, ..asks(options(&fetch)) });
    let next = async {
        let _ = sleep(0).await;
        now.replace("second".to_owned());
        sessions.refresh().await
    };
    let (first, second) = settles("both", both(sessions.refresh(), next)).await;
    assert!(first.unwrap() != second.unwrap());
    assert_eq!(asked(&fetch).len(), 2);
}

#[wasm_bindgen_test]
async fn a_token_that_was_used_is_not_sent_again_however_often_it_is_given() {
    let sessions = Sessions::new(asks(options(&misbehaving("usesUp"))));
    for round in 0..15 {
        let tokens = settles("refresh", sessions.refresh()).await;
        assert!(tokens.is_ok(), "{round}: {:?}", tokens.err());
    }
}

#[wasm_bindgen_test]
async fn an_access_token_that_was_replaced_is_not_sent_again() {
    let fetch = misbehaving("stays");
    let sessions = Sessions::new(asks(options(&fetch)));
    for _ in 0..3 {
        settles("list", sessions.list()).await.unwrap();
    }
    assert_eq!(asked(&fetch).len(), 5, "one of them was refused, and refreshed");
}

#[wasm_bindgen_test]
async fn what_a_refresh_has_made_of_a_session_is_ended() {
    let fetch = misbehaving("renews");
    let sessions = Sessions::new(Options { timeout: 5000, ..options(&fetch) });
    settles("refresh", sessions.refresh()).await.unwrap();
    let revoked = settles("revoke", sessions.revoke("me")).await.unwrap();
    assert_eq!((revoked.id.as_str(), revoked.success), ("me", true));
    assert_eq!(asked(&fetch), ["POST /oauth/token", "POST /oauth/sessions/me/revoke", "POST /oauth/sessions/next/revoke"]);
}

#[wasm_bindgen_test]
async fn no_refresh_begins_while_the_user_logs_out() {
    let fetch = misbehaving("stays");
    let sessions = Sessions::new(Options { timeout: 5000, ..options(&fetch) });
    let refresh = async {
        let _ = sleep(0).await;
        sessions.refresh().await
    };
    let (out, refreshed) = settles("both", both(sessions.logout(None), fails("refresh", Code::Unauthenticated, refresh))).await;
    assert!(out.unwrap().success && refreshed.status.is_none());
    assert_eq!(asked(&fetch), ["POST /oauth/logout"]);
    // Somebody else's.
    let (out, refreshed) = settles("both", both(sessions.logout(Some("theirs")), sessions.refresh())).await;
    assert!(out.is_ok() && refreshed.is_err_and(|error| error.message.contains("no refresh token")));
}

#[wasm_bindgen_test]
async fn on_tokens_that_logs_out() {
    let (fetch, own) = (misbehaving("rotates"), Rc::new(RefCell::new(None::<Sessions>)));
    let client = Rc::clone(&own);
    let on_tokens = move |_: Tokens| -> LocalFuture<Result<(), String>> {
        let sessions = client.borrow().clone().unwrap();
        Box::pin(async move { sessions.logout(None).await.map(drop).map_err(|_| String::new()) })
    };
    let sessions = Sessions::new(Options { timeout: 5000, on_tokens: Some(Rc::new(on_tokens)), ..options(&fetch) });
    own.replace(Some(sessions.clone()));
    assert!(settles("refresh", sessions.refresh()).await.is_ok());
    own.replace(None);
}

#[wasm_bindgen_test]
async fn others_are_ended_until_one_error_dooms_the_rest() {
    let fetch = misbehaving("declined");
    let options = options(&fetch);
    let error = fails("declined", Code::PartialRevocation, Sessions::new(options.clone()).revoke_others()).await;
    let (revoked, failed) = error.partial.clone().unwrap();
    let failed = js_sys::JSON::parse(&failed).unwrap();
    assert_eq!((revoked.as_str(), Array::from(&failed).length()), ("[]", 6));
    let posts = asked(&fetch).iter().filter(|line| line.contains("/oauth/sessions/")).count();
    assert!((1..=4).contains(&posts), "{posts} were tried");

    let fetch = misbehaving("some");
    let error = fails("some", Code::PartialRevocation, Sessions::new(Options { fetch: Some(fetch), ..options }).revoke_others()).await;
    let (revoked, failed) = error.partial.clone().unwrap();
    assert_eq!(revoked, r#"["a"]"#);
    let failed = js_sys::JSON::parse(&failed).unwrap();
    let failed = Array::from(&failed).get(0);
    let code = Reflect::get(&Reflect::get(&failed, &"error".into()).unwrap(), &"code".into()).unwrap();
    assert_eq!((Reflect::get(&failed, &"id".into()).unwrap(), code), ("b".into(), "forbidden".into()));
}

fn told(fetch: &Function, name: &str) -> String {
    Reflect::get(fetch, &name.into()).unwrap().as_string().unwrap()
}

fn clerk(fetch: &Function) -> Sessions {
    let options = Options { dangerously_allow_browser: true, ..options(fetch) };
    Sessions::new(Options { token: "sk_test_secret".into(), refresh_token: Token::None, provider: "clerk".into(), base_url: String::new(), ..options })
}

#[wasm_bindgen_test]
async fn what_a_list_is_asked_for() {
    let fetch = misbehaving("clerk");
    let of = |call: CallOptions| clerk(&fetch).with(call);
    let call =
        CallOptions { user_id: Some("u 1".into()), status: Some("active".into()), page_size: Some(4), cursor: Some("8".into()), ..CallOptions::default() };
    let page = settles("list", of(call.clone()).list()).await.unwrap();
    assert_eq!((page.count, page.total), (4, Some(4)));
    settles("list", of(CallOptions { client_id: Some("c".into()), ..CallOptions::default() }).list()).await.unwrap();
    assert_eq!(
        asked(&fetch),
        ["GET /v1/sessions?paginated=true&user_id=u%201&status=active&limit=4&offset=8", "GET /v1/sessions?paginated=true&client_id=c"],
        "where Clerk is"
    );
    for change in [
        CallOptions { user_id: Some(String::new()), ..call.clone() },
        CallOptions { client_id: Some(String::new()), ..call.clone() },
        CallOptions { status: Some("pending".into()), ..call.clone() },
        CallOptions { page_size: Some(501), ..call.clone() },
        CallOptions { cursor: Some("next".into()), ..call.clone() },
        CallOptions { application_id: Some("a".into()), ..call.clone() },
        CallOptions { authorization: Some("Bearer a\nb".into()), ..call.clone() },
        CallOptions { headers: [("Authorization".into(), "Bearer x".into())].into(), ..call.clone() },
        CallOptions::default(),
    ] {
        fails("wrong", Code::InvalidArgument, of(change).list()).await;
    }
    fails("nobody", Code::Unauthenticated, of(CallOptions { authorization: Some(" ".into()), ..call }).list()).await;
    let in_browsers = Options { provider: "clerk".into(), base_url: String::new(), ..options(&fetch) };
    fails("a secret key", Code::Insecure, Sessions::new(in_browsers).list()).await;
    assert_eq!(asked(&fetch).len(), 2);
}

#[wasm_bindgen_test]
async fn clerk_by_name() {
    let fetch = misbehaving("clerk");
    let sessions = clerk(&fetch);
    // The request that is served only names the session that stays.
    let call = CallOptions { user_id: Some("u".into()), authorization: Some(format!("Bearer {REFRESH}")), ..CallOptions::default() };
    let all = settles("all", clerk(&misbehaving("clerk")).with(call.clone()).revoke_all()).await.unwrap();
    assert_eq!(all.revoked, Some(vec!["a".to_owned(), "b".to_owned(), "me".to_owned()]));
    let others = settles("others", sessions.with(call).revoke_others()).await.unwrap();
    assert_eq!(others.revoked, Some(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(asked(&fetch)[1..], ["POST /v1/sessions/a/revoke", "POST /v1/sessions/b/revoke"]);
    let headers = told(&fetch, "headers");
    assert!(headers.contains("Bearer sk_test_secret") && headers.contains("clerk-api-version"), "{headers}");
    assert_eq!(settles("create", sessions.create("u", None)).await.unwrap().id, "new");
    assert_eq!(told(&fetch, "body"), r#"{"user_id":"u"}"#);
    assert_eq!(settles("token", sessions.create_token("a", Some(60))).await.unwrap().jwt.expose(), "a.b.c");
    assert_eq!(told(&fetch, "body"), r#"{"expires_in_seconds":60}"#);
    assert_eq!(settles("template", sessions.create_token_from_template("a", "t/1", None)).await.unwrap().jwt.expose(), "a.b.c");
    assert_eq!((told(&fetch, "body").as_str(), asked(&fetch).last().unwrap().as_str()), ("{}", "POST /v1/sessions/a/tokens/t%2F1"));
    let input = RefreshSession {
        expired_token: "old".into(),
        refresh_token: "r".into(),
        request_origin: "o".into(),
        request_headers: [("x \"1".into(), vec!["a".into(), "b".into()])].into(),
        ..RefreshSession::default()
    };
    let renewed = settles("refreshSession", sessions.refresh_session("a", &input)).await.unwrap();
    assert!(matches!(renewed, Renewed::Cookies { cookies } if cookies == [Secret::from("a=1")]));
    assert_eq!(told(&fetch, "body"), r#"{"expired_token":"old","refresh_token":"r","request_origin":"o","request_headers":{"x \"1":["a","b"]}}"#);
    for (operation, arguments, code) in [
        ("create", "{}", "invalid_argument"),
        ("createTokenFromTemplate", r#"{"id":"a"}"#, "invalid_argument"),
        ("refreshSession", r#"{"id":"a"}"#, "invalid_argument"),
        ("refresh", "{}", "unsupported"),
    ] {
        let error = settles(operation, sessions.call(operation, &js_sys::JSON::parse(arguments).unwrap())).await.unwrap_err();
        assert_eq!(Reflect::get(&error, &"code".into()).unwrap(), code, "{operation}");
    }
    let arguments = js_sys::JSON::parse(r#"{"id":"a","expiredToken":"old","refreshToken":"r","requestOrigin":"o"}"#).unwrap();
    let renewed = settles("by name", sessions.call("refreshSession", &arguments)).await.unwrap();
    assert_eq!(js_sys::JSON::stringify(&renewed).unwrap(), r#"{"cookies":["a=1"]}"#);
    assert_eq!(told(&fetch, "body"), r#"{"expired_token":"old","refresh_token":"r","request_origin":"o"}"#);
}

#[wasm_bindgen_test]
async fn as_fast_as_limits_let_and_the_current_one_last() {
    let fetch = misbehaving("ksef");
    let id = |index: usize| format!("20260101-AU-{index:010}-0123456789-AB");
    // {"arn":"20260101-AU-0000000000-0123456789-AB"}
    let token = "e30.eyJhcm4iOiIyMDI2MDEwMS1BVS0wMDAwMDAwMDAwLTAxMjM0NTY3ODktQUIifQ.x";
    let options = Options { provider: "ksef".into(), token: token.into(), ..options(&fetch) };
    let began = js_sys::Date::now();
    let ended = settles("all", Sessions::new(options.clone()).revoke_all()).await.unwrap();
    assert!(js_sys::Date::now() - began >= 1000.0, "ten in a second");
    assert_eq!(ended.count, Some(12));
    let expected = (1..12).chain([0]).map(|index| format!("DELETE /auth/sessions/{}", id(index)));
    assert_eq!(asked(&fetch)[1..], expected.collect::<Vec<_>>());
    let here = |environment| Options { environment, base_url: String::new(), ..options.clone() };
    fails("a browser", Code::Unsupported, Sessions::new(here(Some(Environment::Test))).list()).await;
    let wrong = Options { provider: "authvital".into(), ..here(Some(Environment::Demo)) };
    fails("another back-end", Code::InvalidOptions, Sessions::new(wrong).list()).await;
}

#[wasm_bindgen_test]
async fn the_user_is_asked_to_sign_in_again_once() {
    for (again, posts) in [(false, 1), (true, 2)] {
        let fetch = misbehaving("notFresh");
        let codes = Rc::new(RefCell::new(Vec::new()));
        let heard = Rc::clone(&codes);
        let ask = move |error: Error| -> LocalFuture<bool> {
            heard.borrow_mut().push(error.code);
            Box::pin(async move {
                // Longer than the whole call has.
                let _ = sleep(150).await;
                again
            })
        };
        let options = Options { provider: "better-auth".into(), total_timeout: 100, on_reauthenticate: Some(Rc::new(ask)), ..options(&fetch) };
        let revoked = settles("revoke", Sessions::new(options).revoke("a")).await;
        match revoked {
            Ok(revoked) => assert!(again && revoked.success),
            Err(error) => assert_eq!((again, error.code), (false, Code::ReauthenticationRequired)),
        }
        assert_eq!((codes.borrow().as_slice(), asked(&fetch).len()), ([Code::ReauthenticationRequired].as_slice(), 1 + posts));
    }
}

#[wasm_bindgen_test]
async fn a_header_of_the_call_comes_before_the_clients() {
    let fetch = misbehaving("empty");
    let options = Options { headers: [("x-a".into(), "1".into())].into(), ..options(&fetch) };
    let call = CallOptions { headers: [("X-A".into(), "2".into())].into(), ..CallOptions::default() };
    settles("list", Sessions::new(options).with(call).list()).await.unwrap();
    assert!(told(&fetch, "headers").contains(r#"["x-a","2"]"#));
}

#[wasm_bindgen_test]
async fn plain_objects_for_javascript() {
    let get = |value: &JsValue, name: &str| Reflect::get(value, &name.into()).unwrap();
    let page = settles("list", over("empty").call("list", &JsValue::UNDEFINED)).await.unwrap();
    assert_eq!((get(&page, "count"), get(&page, "next"), Array::is_array(&get(&page, "sessions"))), (0.into(), JsValue::NULL, true));
    let capabilities = settles("capabilities", over("empty").call("capabilities", &JsValue::NULL)).await.unwrap();
    assert_eq!((get(&capabilities, "provider"), get(&capabilities, "revokeOthers")), ("authvital".into(), "emulated".into()));
    for (operation, arguments, kind, code) in [
        ("revoke", "{}", "empty", "invalid_argument"),
        ("revoke", r#"{"id":7}"#, "empty", "invalid_argument"),
        ("revoke", r#"{"id":"a","timeout":1}"#, "never", "timeout"),
        ("create", "{}", "empty", "invalid_argument"),
        ("create", r#"{"userId":"u"}"#, "empty", "unsupported"),
        ("nothing", "{}", "empty", "unsupported"),
        ("list", r#"{"headers":{"x":"a\nb"}}"#, "empty", "invalid_argument"),
    ] {
        let error = settles(operation, over(kind).call(operation, &js_sys::JSON::parse(arguments).unwrap())).await.unwrap_err();
        assert_eq!(get(&error, "code"), code, "{operation} {arguments}");
    }
    let out = settles("logout", over("unauthenticated").call("logout", &JsValue::UNDEFINED)).await.unwrap();
    assert_eq!((get(&out, "server"), get(&get(&out, "error"), "status")), ("rejected".into(), 401.into()));
}

#[wasm_bindgen_test]
async fn a_logout_clears_the_cookies_of_the_page_but_not_for_somebody_else() {
    let document = Reflect::get(&js_sys::global(), &"document".into()).unwrap();
    let cookie = || Reflect::get(&document, &"cookie".into()).unwrap().as_string().unwrap();
    Reflect::set(&document, &"cookie".into(), &"mine=1; Path=/".into()).unwrap();
    let cookies = vec![CookieSpec { name: "mine".into(), ..CookieSpec::default() }];
    let sessions = Sessions::new(Options { cookies, ..options(&misbehaving("loggedOut")) });
    let theirs = sessions.with(CallOptions { authorization: Some("Bearer theirs".into()), ..CallOptions::default() });
    let out = settles("theirs", theirs.logout(Some("theirs"))).await.unwrap();
    assert_eq!((out.success, out.set_cookie.len(), cookie().contains("mine=1")), (true, 1, true));
    let out = settles("own", sessions.logout(None)).await.unwrap();
    assert_eq!((out.success, out.server.as_str(), out.set_cookie.len(), out.cookies[0].outcome.as_str()), (true, "confirmed", 0, "cleared"));
    assert!(!cookie().contains("mine"));
    fails("afterwards", Code::Unauthenticated, sessions.list()).await;
}

/// A client with fresh tokens over the sandbox, or none.
async fn signed_in(test: &str, mount: &str, change: impl FnOnce(&mut Options)) -> Option<Sessions> {
    let Some(sandbox) = option_env!("SANDBOX_URL") else {
        console_log!("skipped {test}: no SANDBOX_URL");
        return None;
    };
    let tokens = Array::from(&sign_in(sandbox, "demo@example.com").await);
    requests(sandbox).await;
    let token = |index| Token::from(tokens.get(index).as_string().unwrap());
    let mut options = Options {
        token: token(0),
        refresh_token: token(1),
        client_id: Some("web-client".into()),
        ..Options::new("authvital", &format!("{}/{mount}", sandbox.trim_end_matches('/')))
    };
    change(&mut options);
    Some(Sessions::new(options))
}

async fn lines() -> Vec<String> {
    Array::from(&requests(option_env!("SANDBOX_URL").unwrap_or_default()).await).iter().filter_map(|line| line.as_string()).collect()
}

#[wasm_bindgen_test]
async fn against_the_sandbox() {
    if let Some(url) = option_env!("SANDBOX_URL") {
        reset(url).await;
    }
    let Some(sessions) = signed_in("against_the_sandbox", "authvital", |_| ()).await else { return };
    let page = settles("list", sessions.list()).await.unwrap();
    assert_eq!((page.count, page.sessions.len()), (8, 8));
    let current = settles("current", sessions.current()).await.unwrap();
    assert_eq!(current.current, Some(true));
    assert_eq!(current.device.as_ref().and_then(|device| device.browser.as_deref()), Some("Headless Chrome"));
    let raw = js_sys::JSON::parse(&current.raw).unwrap();
    assert_eq!(Reflect::get(&raw, &"id".into()).unwrap(), current.id.as_str());
    let plain = settles("plain", sessions.call("current", &JsValue::NULL)).await.unwrap();
    assert_eq!(Reflect::get(&Reflect::get(&plain, &"raw".into()).unwrap(), &"id".into()).unwrap(), current.id.as_str());
    let other = page.sessions.iter().find(|session| session.id != current.id).unwrap();
    assert_eq!(settles("get", sessions.get(&other.id)).await.unwrap(), *other);
    let revoked = settles("revoke", sessions.revoke(&other.id)).await.unwrap();
    assert_eq!((revoked.success, revoked.outcome.as_str(), revoked.effect.as_str()), (true, "revoked", "refresh-only"));
    fails("gone", Code::NotFound, sessions.get(&other.id)).await;
    let tokens = settles("refresh", sessions.refresh()).await.unwrap();
    assert!(tokens.refresh_token.is_some() && tokens.expires_at.is_some());
    let others = settles("others", sessions.revoke_others()).await.unwrap();
    assert_eq!((others.success, others.count, others.revoked.map(|ids| ids.len())), (true, Some(6), Some(6)));
    assert_eq!(settles("list", sessions.list()).await.unwrap().count, 1);
    assert!(settles("current", sessions.revoke_current()).await.unwrap().success);
    assert_eq!(settles("all", sessions.revoke_all()).await.unwrap().count, Some(0));
    let capabilities = settles("capabilities", sessions.capabilities()).await.unwrap();
    assert_eq!((capabilities.list.as_str(), capabilities.browser), ("native", true));
    let Some(sessions) = signed_in("against_the_sandbox", "authvital", |_| ()).await else { return };
    let out = settles("logout", sessions.logout(None)).await.unwrap();
    assert_eq!((out.success, out.server.as_str(), out.error.map(|error| error.code)), (true, "confirmed", None));
    assert_eq!(lines().await, ["POST /authvital/oauth/logout"]);
    fails("logged out", Code::Unauthenticated, sessions.list()).await;
}

#[wasm_bindgen_test]
async fn the_second_generation_is_found_and_remembered() {
    let Some(sessions) = signed_in("the_second_generation", "authvital-g2", |_| ()).await else { return };
    settles("first", sessions.list()).await.unwrap();
    settles("second", sessions.clone().list()).await.unwrap();
    assert_eq!(lines().await, ["GET /authvital-g2/oauth/sessions", "GET /authvital-g2/api/auth/sessions", "GET /authvital-g2/api/auth/sessions"]);
}

#[wasm_bindgen_test]
async fn a_refused_token_is_refreshed_against_the_sandbox() {
    let Some(sessions) = signed_in("a_refused_token", "authvital", |options| options.token = "e30.e30.x".into()).await else { return };
    settles("list", sessions.list()).await.unwrap();
    assert_eq!(lines().await, ["GET /authvital/oauth/sessions", "POST /authvital/oauth/token", "GET /authvital/oauth/sessions"]);
}
