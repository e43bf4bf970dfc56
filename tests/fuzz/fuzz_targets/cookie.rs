//! Cookies of requests and answers: what is set is found again, nothing gets out of its place, and what is found is there.
#![no_main]

use auth_sessions::{
    http::{self, Response},
    json, text,
};
use libfuzzer_sys::fuzz_target;

#[allow(dead_code, unreachable_pub)]
#[path = "../../../src/edge/cookie.rs"]
mod cookie;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // As a value.
    let spec = json::Document::read(r#"{"name":"token","attributes":"; Path=/; HttpOnly"}"#).expect("JSON");
    let (pair, attributes) = cookie::set(spec.root(), text, Some(data.len() as i64));
    let value = pair.strip_prefix("token=").expect("its name");
    assert!(value.is_empty() || http::is_cookie_value(value), "{value}");
    assert_eq!(attributes, format!("; Max-Age={}; Path=/; HttpOnly", data.len()));
    // What browsers keep: 4096 bytes, and the "=".
    let fits = pair.len() <= 4097;
    assert_eq!(cookie::find(&pair, "token").as_deref(), fits.then_some(text));
    assert_eq!(cookie::find(&format!("a=1; tokens=2;{pair} ;token=last"), "token").as_deref(), Some(if fits { text } else { "last" }));
    // As a header: the first one of its name that can be read.
    let values = text.split(';').filter_map(|pair| pair.split_once('=').filter(|(name, _)| pair.trim_ascii().len() <= 4097 && name.trim_ascii() == "token"));
    let plain = |value: &str| value.trim_ascii().strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value.trim_ascii()).to_owned();
    assert_eq!(cookie::find(text, "token"), values.map(|(_, value)| plain(value)).find_map(|value| cookie::decode(&value)));
    // As a part of a path.
    if let Some(decoded) = cookie::decode(text) {
        assert!(text.contains('%') || decoded == text);
        assert!(decoded.len() <= text.len());
    }
    // As what an answer sets.
    let headers = json::Writer::new().text("set-cookie", Some(text)).finish();
    let headers = json::Document::read(&headers).expect("JSON");
    let response = Response { status: 200, headers: headers.root(), body: json::Json::NULL, is_page: false, is_broken: false };
    if let Some(value) = response.set_cookie("token") {
        assert!(!value.is_empty() && !value.contains([';', ',']) && text.contains(value.as_str()), "{value}");
    }
});
