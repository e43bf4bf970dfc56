//! The npm package's JavaScript over this crate's exports: the cases are in `npm.js`.

use auth_sessions::js::step;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::{console_log, wasm_bindgen_test};

#[wasm_bindgen(module = "/tests/browser/npm.js")]
extern "C" {
    fn connect(step: &JsValue, sandbox: Option<String>);
    fn names() -> Vec<String>;
    #[wasm_bindgen(catch)]
    async fn run(name: &str) -> Result<JsValue, JsValue>;
}

// Every file that the cases import is named once, so that it is served beside them. Nothing of it is used from here, so the page does not load it at once.
macro_rules! served {
    ($($file:literal $name:ident $export:literal)*) => {
        $(
            #[wasm_bindgen(module = $file)]
            extern "C" {
                #[wasm_bindgen(thread_local_v2, js_name = $export)]
                #[allow(dead_code)]
                static $name: JsValue;
            }
        )*
    };
}

served! {
    "/src/npm/check.js" CHECK "check"
    "/src/npm/cookies.js" COOKIES "clearCookies"
    "/src/npm/device.js" DEVICE "label"
    "/src/npm/error.js" ERROR "SessionsError"
    "/src/npm/first.js" FIRST "first"
    "/src/npm/host.js" HOST "Host"
    "/src/npm/input.js" INPUT "METHODS"
    "/src/npm/profile.js" PROFILE "readProfile"
    "/src/npm/read.js" READ "readSessions"
    "/src/npm/sessions.js" SESSIONS "define"
    "/src/npm/tabs.js" TABS "listen"
    "/src/device/bots.js" BOTS "default"
    "/src/device/names.js" NAMES "default"
    "/src/device/systems.js" SYSTEMS "default"
    "/src/usual.js" USUAL "default"
    "/tests/browser/fetch.js" FETCH "kinds"
}

async fn case(name: &str) {
    thread_local! {
        static CONNECTED: () = {
            let step = Closure::<dyn Fn(Vec<u8>, Vec<u8>) -> Vec<u8>>::new(|call: Vec<u8>, body: Vec<u8>| step(&call, &body));
            connect(&step.into_js_value(), option_env!("SANDBOX_URL").map(str::to_owned));
        };
    }
    CONNECTED.with(|()| ());
    match run(name).await {
        Ok(missing) => {
            if let Some(missing) = missing.as_string() {
                console_log!("skipped {name}: {missing}");
            }
        }
        Err(error) => {
            panic!("{name}: {}", js_sys::Reflect::get(&error, &"stack".into()).ok().and_then(|stack| stack.as_string()).unwrap_or_else(|| format!("{error:?}")))
        }
    }
}

macro_rules! cases {
    ($($name:ident)*) => {
        $(
            #[wasm_bindgen_test]
            async fn $name() {
                case(stringify!($name)).await;
            }
        )*
        #[wasm_bindgen_test]
        fn every_case_is_a_test() {
            assert_eq!(names(), [$(stringify!($name)),*]);
        }
    };
}

cases! {
    errors_are_real_and_hold_no_token
    describes_devices
    abort_reasons_that_are_no_errors
    headers_with_line_breaks
    fetches_that_misbehave
    logout_resolves_whatever_happens
    cookies_with_the_cookie_store
    cookies_with_document_cookie
    errors_of_another_realm_are_known
    cookies_of_the_served_request_stay
    lists_and_revokes_over_cors
    logs_out_over_cors
    http_only_cookies_are_never_called_cleared
    refuses_what_cors_refuses
    cookies_after_a_change_of_history
}
